"""The sample market: simulated bars, spot quotes and receipts in the shape of GFEX silicon.

Nothing here is recorded. One driver, the price of the goods in the warehouses, walks between
coarse turning points; contracts hang on it by their delivery standard, their month and a
noise of their own. Turning points of the driver are rounded to 250 yuan, of spreads between
contracts to 50, open interest to 5,000 lots, other constants to a digit or two; the few exact
ones are published and say so.

Every machine writes the same bytes: chance comes from the raw stream of PCG64, which numpy
promises never to change, and prices from + − × ÷ alone, which IEEE 754 fixes to the last bit.

Regenerate with ``python -m sibt.sources.sample FOLDER``.
"""

import sys
from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market import calendar
from sibt.market.contract import Contract, contract

__all__ = ["SEED", "generate", "write"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Seed of the committed tables.
SEED = 2024

FIRST, LAST = "2022-12-22", "2024-12-31"

#: Price step, yuan per tonne (contract text).
TICK = 5

# --- The driver: what a tonne of receipts of the 2024 vintage (si2312 to si2411) is worth two
# months before delivery, yuan per tonne. Turning points to the nearest 250; published are the
# benchmark of 18,500 on the listing day (a few hundred below this level, for the contracts of
# that day were an older vintage and the curve fell), 13,000 defended on 2024-02-29 and the low
# of 11,930 on 2024-03-29 (hence 12,150 here). After si2411 the goods are gone; the level only
# carries the new standard through the gap below.
LEVEL = {
    "2022-12-22": 19250,
    "2022-12-27": 17750,
    "2023-01-16": 18000,
    "2023-02-10": 18750,
    "2023-03-31": 16250,
    "2023-06-06": 13500,
    "2023-08-15": 14000,
    "2023-09-18": 15250,
    "2023-11-14": 14250,
    "2023-12-20": 14250,
    "2024-02-29": 13150,
    "2024-03-29": 12150,
    "2024-04-22": 11750,
    "2024-05-29": 13000,
    "2024-06-24": 12000,
    "2024-08-16": 9500,
    "2024-11-07": 10000,
    "2024-11-14": 9750,
    "2024-12-31": 8500,
}
#: Standard deviation of a day's move of the driver, share of price.
LEVEL_SD = {"2022-12-22": 0.0150, "2023-07-14": 0.0108, "2024-04-15": 0.0130, "2024-08-01": 0.0145}
#: Invented days of a move at the price limit of 7 %, share of price.
SHOCKS = {"2023-07-20": 0.073, "2024-07-12": 0.072, "2024-09-19": -0.080}
#: One day in ten is this much wilder than the rest: fat tails.
WILD_SHARE, WILD, CALM = 0.10, 1.9, 0.85

# --- The curve, yuan per tonne.
#: A month more to delivery: falling at listing, full contango in the dry season of 2024, when
#: six months come to 70 to 95 % of what carrying receipts costs, flatter in the wet season.
SLOPE = {
    "2022-12-22": -70,
    "2023-04-17": 5,
    "2023-09-01": 15,
    "2023-12-01": 50,
    "2024-02-23": 58,
    "2024-03-22": 78,
    "2024-04-15": 60,
    "2024-06-20": 72,
    "2024-08-16": 30,
    "2024-12-31": 30,
}
#: A month more, from si2412 on.
NEW_SLOPE = {"2024-04-17": 20, "2024-07-15": 35, "2024-10-31": 20, "2024-12-31": 40}
SLOPE_SD = 1.5
#: Beyond so many months the curve is flat.
CURVE_MONTHS = 10
#: si2312 above si2311, which the cancellation of receipts at the end of November parts.
STEP_2023 = {
    "2022-12-22": 350,
    "2023-04-10": 200,
    "2023-05-15": 550,
    "2023-07-15": 400,
    "2023-09-15": 400,
    "2023-10-31": 950,
    "2023-11-14": 800,
}
#: si2412 (photovoltaic 553) above si2411 (421 less 2,000). Published: 2,000 to 2,300 at the
#: listing, 2,400 to 2,500 on 2024-11-07.
GAP_2024 = {
    "2024-04-17": 2200,
    "2024-05-15": 2450,
    "2024-05-28": 2300,
    "2024-06-24": 2600,
    "2024-07-20": 2900,
    "2024-08-30": 2750,
    "2024-10-21": 3150,
    "2024-10-31": 2800,
    "2024-11-07": 2500,
    "2024-11-14": 2450,
}
#: si2512 above si2511, the next November.
STEP_2025 = 300
#: Standard deviation of a day's change of these steps, and of the gap.
STEP_SD, GAP_SD = 25.0, 30.0
#: A contract's own basis reverts: share kept a day, and the day's shock.
BASIS_KEEP, BASIS_SD = 0.93, 12.0
#: What is left in a single close, for the most and the least traded contract.
CLOSE_SD_THICK, CLOSE_SD_THIN = 8.0, 42.0
#: A contract is thick from one over this of the dominant one's open interest.
THICK_RANK = 8.0
#: Last sessions of a contract, in which it finds its own delivery price, and how far off.
DELIVERY_SESSIONS, DELIVERY_SD = 18, 90.0

# --- Inside a session, shares of price.
GAP_OPEN_SD = 0.0033  # open against the previous close
REACH_SD = 0.0065  # high above, low below the further of open and close
SETTLE_SD = 0.0025  # day's average against the middle of open and close
#: All contracts share most of both: weights of what is common and what is a contract's own.
TOGETHER, APART = 0.95, 0.30
#: Beyond the price band by this share, nobody sells (or buys) all session.
LOCK_EXCESS = 0.003

# --- Open interest and volume, lots.
#: All contracts. Published: 159,200 on 2024-02-29 and 229,200 on 2024-03-15.
OPEN_INTEREST = {
    "2022-12-22": 15000,
    "2022-12-30": 40000,
    "2023-01-20": 80000,
    "2023-03-31": 115000,
    "2023-06-30": 145000,
    "2023-10-31": 150000,
    "2024-01-31": 155000,
    "2024-02-29": 159200,
    "2024-03-15": 229200,
    "2024-04-30": 260000,
    "2024-06-03": 320000,
    "2024-08-30": 370000,
    "2024-11-01": 320000,
    "2024-12-31": 325000,
}
OPEN_INTEREST_SD = 0.008  # of a day's change, share
#: A contract's share strays from its usual one: part kept a day, and the day's shock.
FASHION_KEEP, FASHION_SD = 0.90, 0.035
#: A contract's weight in it by calendar days to its delivery month.
INTEREST_BY_DAYS = (
    (-25, 0.003),
    (-14, 0.010),
    (0, 0.05),
    (20, 0.30),
    (40, 1.0),
    (65, 1.0),
    (90, 0.40),
    (120, 0.13),
    (160, 0.06),
    (200, 0.045),
    (240, 0.007),
    (300, 0.0012),
    (365, 0.0004),
)
#: Months the market likes more or less than others; the first contract, the last of the old
#: standard and the first of the new one above all.
SIZE = {
    "si2308": 2.5,
    "si2405": 1.3,
    "si2408": 0.5,
    "si2409": 3.0,
    "si2410": 0.35,
    "si2411": 4.0,
    "si2412": 2.0,
    "si2501": 1.6,
    "si2502": 1.5,
}
#: Sessions from listing until a contract has its full weight.
LISTING_SESSIONS = 20
#: Volume over open interest of the dominant contract, by date.
TURNOVER = {
    "2022-12-22": 5.0,
    "2023-01-10": 0.75,
    "2023-03-01": 0.65,
    "2024-02-01": 0.65,
    "2024-04-15": 1.00,
    "2024-05-29": 1.30,
    "2024-12-31": 1.15,
}
#: The least traded contracts turn over this share of that.
TURNOVER_THIN = 0.30
#: Half of the contracts that expect this volume do not trade in a session.
IDLE_VOLUME = 7.0
#: Left of a volume when the price is locked at its limit.
LOCKED_VOLUME = 0.05

# --- Spot, yuan per tonne, and receipts, lots.
#: What 421 stands above the driver, and 421 above 553. Published for 2024-11-07: 553 at 11,600
#: to 11,700, 421 for silicone at 12,700 to 13,000.
GRADE_421 = {
    "2022-12-22": 1250,
    "2023-06-06": 1750,
    "2023-11-01": 1750,
    "2024-03-01": 2000,
    "2024-07-01": 2200,
    "2024-08-16": 2350,
    "2024-09-27": 2600,
    "2024-10-08": 3000,
    "2024-11-07": 3200,
    "2024-12-31": 3900,
}
GRADE_421_OVER_553 = {"2022-12-22": 1000, "2024-03-01": 700, "2024-08-15": 600, "2024-11-07": 1200}
GRADE_SD = 20.0  # of a day's change of either
SPOT_KEEP = 0.88  # share of yesterday's distance to the futures that a quote keeps
QUOTE_STEP = 50  # quotes move in steps of this
QUOTE_SLACK = 110  # and only when the market is further away than this
QUOTES_UNKNOWN = 4  # days without a quote, each grade
#: Registered receipts. Delivery opened on 2023-06-01; 43,000 on 2024-01-22 and the partial
#: cancellation from 45,431 on 2024-11-28 to 15,504 on 2024-12-02 are published, the rest is
#: coarse and the cancellation of 2023 invented in the likeness of 2024's.
RECEIPTS = {
    "2023-06-05": 0,
    "2023-08-31": 15000,
    "2023-11-29": 30000,
    "2023-11-30": 29500,
    "2023-12-01": 14000,
    "2024-01-22": 43000,
    "2024-04-15": 50000,
    "2024-07-31": 65000,
    "2024-10-31": 55000,
    "2024-11-28": 45431,
    "2024-11-29": 45100,
    "2024-12-02": 15504,
    "2024-12-31": 50000,
}
RECEIPTS_SD = 250.0  # of a day's change


class _Chance:
    """Random numbers of one purpose, the same on every machine.

    Parameters
    ----------
    seed, purpose : int
        Streams of two purposes are independent: more draws of one move no other.
    """

    def __init__(self, seed: int, purpose: int) -> None:
        self._stream = np.random.PCG64([seed, purpose])

    def uniform(self, count: int) -> FloatArray:
        """Draw multiples of 2**-32 in [0, 1), shape (count,)."""
        raw = self._stream.random_raw(count) >> np.uint64(32)
        return raw.astype(np.float64) / 2**32

    def normal(self, count: int) -> FloatArray:
        """Draw nearly standard normal numbers, shape (count,): twelve uniforms less six."""
        raw = self._stream.random_raw((count, 3))
        parts = [(raw >> np.uint64(16 * k)) & np.uint64(0xFFFF) for k in range(4)]
        total = sum(part.astype(np.int64) for part in parts).sum(axis=1)  # type: ignore[union-attr]
        return np.asarray((total - 6 * 0xFFFF) / 2**16, dtype=np.float64)


def _line(days: pd.DatetimeIndex, knots: Mapping[str, float]) -> FloatArray:
    """Join dated values by straight lines over sessions, flat outside, shape (T,)."""
    at = [int(days.searchsorted(pd.Timestamp(day))) for day in knots]
    values = [float(value) for value in knots.values()]
    line = np.full(len(days), values[0])
    for (i, a), (j, b) in pairwise(zip(at, values, strict=True)):
        steps = np.arange(j - i, dtype=np.float64)
        line[i:j] = a + (b - a) * steps / (j - i)
    line[at[-1] :] = values[-1]
    return line


def _walk(days: pd.DatetimeIndex, knots: Mapping[str, float], moves: FloatArray) -> FloatArray:
    """Return a random walk with the given daily moves that meets every knot, shape (T,)."""
    free = np.array(list(accumulate(moves.tolist())))
    at_knots = {day: float(free[days.searchsorted(pd.Timestamp(day))]) for day in knots}
    path: FloatArray = _line(days, knots) + free - _line(days, at_knots)
    return path


def _revert(moves: FloatArray, keep: float) -> FloatArray:
    """Return the first-order autoregression of the moves, shape (T,)."""
    return np.array(list(accumulate(moves.tolist(), lambda x, move: keep * x + move)))


def _to_step(values: FloatArray, step: int) -> FloatArray:
    return np.asarray(np.floor(values / step + 0.5) * step, dtype=np.float64)


def _contracts() -> list[Contract]:
    """Return every contract listed by the last session, in order of delivery."""
    months = pd.period_range("2023-08", "2025-12", freq="M")
    lives = [contract(f"si{month:%y%m}") for month in months]
    return [life for life in lives if life.listed is not None and str(life.listed.date()) <= LAST]


def _level(days: pd.DatetimeIndex, chance: _Chance) -> FloatArray:
    """Return the driver, yuan per tonne, shape (T,)."""
    wild = chance.uniform(len(days)) < WILD_SHARE
    share = chance.normal(len(days)) * np.where(wild, WILD, CALM) * _line(days, LEVEL_SD)
    for day, move in SHOCKS.items():
        share[days.searchsorted(pd.Timestamp(day))] = move
    return _walk(days, LEVEL, share * _line(days, LEVEL))


def _fair_values(
    days: pd.DatetimeIndex, lives: list[Contract], level: FloatArray, seed: int
) -> FloatArray:
    """Return what each contract is worth without noise of its own, shape (T, C)."""
    count = len(days)
    slope = _walk(days, SLOPE, _Chance(seed, 2).normal(count) * SLOPE_SD)
    new_slope = _walk(days, NEW_SLOPE, _Chance(seed, 3).normal(count) * SLOPE_SD)
    step = _walk(days, STEP_2023, _Chance(seed, 4).normal(count) * STEP_SD)
    gap = _walk(days, GAP_2024, _Chance(seed, 5).normal(count) * GAP_SD)

    def tenor(life: Contract) -> FloatArray:
        to_delivery = np.asarray((life.month.to_timestamp() - days).days, dtype=np.float64)
        return np.minimum(to_delivery / 30.5, CURVE_MONTHS) - 2.0

    last_old = contract("si2411")
    new_good = level + slope * tenor(last_old) + gap
    fair = np.empty((count, len(lives)))
    for number, life in enumerate(lives):
        if life.standard != last_old.standard:
            months = (life.month - contract("si2412").month).n
            value = new_good + new_slope * min(months, CURVE_MONTHS)
            fair[:, number] = value + (STEP_2025 if life.code >= "si2512" else 0)
        else:
            vintage = step if life.code <= "si2311" else 0.0
            fair[:, number] = level + slope * tenor(life) - vintage
    return fair


def _weights(days: pd.DatetimeIndex, lives: list[Contract]) -> FloatArray:
    """Return each contract's weight in the open interest, zero while unlisted, shape (T, C)."""
    weights = np.zeros((len(days), len(lives)))
    for number, life in enumerate(lives):
        first, end = _life(days, life)
        for t in range(first, end):
            left = (life.month.to_timestamp() - days[t]).days
            settled = min(1.0, (t - first + 4) / LISTING_SESSIONS)
            weights[t, number] = _by_days(left) * SIZE.get(life.code, 1.0) * settled
    return weights


def _by_days(left: int) -> float:
    """Read `INTEREST_BY_DAYS` at a number of days."""
    for (d0, w0), (d1, w1) in pairwise(INTEREST_BY_DAYS):
        if left <= d1:
            return w0 + (w1 - w0) * max(left - d0, 0) / (d1 - d0)
    return INTEREST_BY_DAYS[-1][1]


def _life(days: pd.DatetimeIndex, life: Contract) -> tuple[int, int]:
    """Return the first session of a contract and the one after its last, as positions."""
    assert life.listed is not None
    assert life.last_trading is not None
    return int(days.searchsorted(life.listed)), int(
        days.searchsorted(life.last_trading, side="right")
    )


def _flow(
    days: pd.DatetimeIndex, weights: FloatArray, moves: FloatArray, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Return the open interest and volume contracts tend to, lots, both of shape (T, C).

    Parameters
    ----------
    weights : ndarray of shape (T, C)
        From `_weights`.
    moves : ndarray of shape (T,)
        Moves of the driver as a share of its usual one: on wild days more is traded.
    """
    count, width = weights.shape
    noise = _Chance(seed, 6).normal(count) * OPEN_INTEREST_SD * _line(days, OPEN_INTEREST)
    total = _walk(days, OPEN_INTEREST, noise)
    fashion = np.empty((count, width))
    for number in range(width):
        taste = _Chance(seed, 2000 + number).normal(count) * FASHION_SD
        fashion[:, number] = 1.0 + _revert(taste, FASHION_KEEP)
    wanted = weights * np.maximum(fashion, 0.3)
    sums = np.array([sum(row) for row in wanted.tolist()])
    interest = total[:, None] * wanted / sums[:, None]
    mood = _revert(_Chance(seed, 7).normal(count) * 0.14, 0.8)
    busy = np.maximum(1.0 + mood, 0.4) * (0.8 + 0.35 * np.minimum(np.abs(moves), 3.0))
    own = 0.6 + 0.8 * _Chance(seed, 8).uniform(count * width).reshape(count, width)
    rank = weights / weights.max(axis=1)[:, None]
    turnover = _line(days, TURNOVER)[:, None] * (TURNOVER_THIN + (1 - TURNOVER_THIN) * rank)
    volume = interest * turnover * busy[:, None] * own
    # Open interest that comes or goes is traded first.
    change = np.abs(np.diff(interest, axis=0, prepend=0.0)) * (interest > 0)
    return interest, np.maximum(volume, 1.1 * change)


def _band(settle: int, limit: float) -> tuple[int, int]:
    """Return limit-down and limit-up around a settlement, rounded inward to a tick."""
    points = round(limit * 10_000)
    low = -(-settle * (10_000 - points) // (10_000 * TICK)) * TICK
    return low, settle * (10_000 + points) // (10_000 * TICK) * TICK


def _bars(
    life: Contract,
    days: pd.DatetimeIndex,
    value: FloatArray,
    interest: FloatArray,
    volume: FloatArray,
    tone: FloatArray,
    chance: _Chance,
) -> pd.DataFrame:
    """Return the bars of one contract.

    Parameters
    ----------
    life : Contract
        The contract.
    days : pd.DatetimeIndex of shape (L,)
        Sessions of its life.
    value : ndarray of shape (L,)
        Price its close tends to, yuan per tonne.
    interest, volume : ndarray of shape (L,)
        Open interest and volume it tends to, lots.
    tone : ndarray of shape (2, L)
        What opens and averages of all contracts have in common, standard normal.
    chance : _Chance
        The contract's own.
    """
    count = len(days)
    limit = life.product.price_limit(life.code, days)
    gaps, reach_up, reach_down, tilt = (chance.normal(count) for _ in range(4))
    gaps = TOGETHER * tone[0] + APART * gaps
    tilt = TOGETHER * tone[1] + APART * tilt
    idle = chance.uniform(count) < IDLE_VOLUME**2 / (IDLE_VOLUME**2 + volume * volume)
    rows = []
    settle = held = 0
    previous = value[0]
    for t in range(count):
        lots = 0 if idle[t] and t > 0 else max(1, int(volume[t]))
        low_limit, high_limit = _band(settle, limit[t]) if t else (0, 10**6)
        if lots == 0:
            nan = float("nan")
            rows.append((nan, nan, nan, settle, settle, 0, held))
            continue
        want = value[t]
        # Few trades reach less far than many.
        width = want * lots / (lots + 60)
        excess = max(want - high_limit, low_limit - want) / want
        if excess > LOCK_EXCESS:
            bound = high_limit if want > high_limit else low_limit
            prices = (bound, bound, bound, bound, bound)
            lots = max(1, int(lots * LOCKED_VOLUME))
        else:
            start = previous + GAP_OPEN_SD * gaps[t] * width + 0.1 * (want - previous)
            high = max(start, want) + REACH_SD * abs(reach_up[t]) * width
            low = min(start, want) - REACH_SD * abs(reach_down[t]) * width
            if lots == 1:
                start = high = low = want
            mean = (start + want) / 2 + SETTLE_SD * tilt[t] * width
            mean = min(max(mean, low), high)
            prices = tuple(
                min(max(int((price + TICK / 2) // TICK) * TICK, low_limit), high_limit)
                for price in (start, high, low, want, mean)
            )  # type: ignore[assignment]
        # Open interest moves by no more than was traded.
        held = max(0, min(max(int(interest[t]), held - lots), held + lots))
        settle = prices[4]
        previous = prices[3]
        rows.append((*prices, lots, held))
    names = ["open", "high", "low", "close", "settle", "volume", "open_interest"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "date", days)
    table.insert(1, "contract", life.code)
    return table


def _market(days: pd.DatetimeIndex, level: FloatArray, seed: int) -> pd.DataFrame:
    """Return the bars of all contracts, by session and contract."""
    lives = _contracts()
    fair = _fair_values(days, lives, level, seed)
    weights = _weights(days, lives)
    moves = np.diff(level, prepend=level[0]) / (level * _line(days, LEVEL_SD))
    interest, volume = _flow(days, weights, moves, seed)
    rank = weights / weights.max(axis=1)[:, None]
    tone = _Chance(seed, 14).normal(2 * len(days)).reshape(2, len(days))
    tables = []
    for number, life in enumerate(lives):
        first, end = _life(days, life)
        span = slice(first, min(end, len(days)))
        chance = _Chance(seed, 1000 + number)
        count = span.stop - span.start
        own = _revert(chance.normal(count) * BASIS_SD, BASIS_KEEP)
        thin = np.maximum(1.0 - THICK_RANK * rank[span, number], 0.0)
        own += chance.normal(count) * (CLOSE_SD_THICK + (CLOSE_SD_THIN - CLOSE_SD_THICK) * thin)
        left = end - 1 - np.arange(span.start, span.stop)
        near = np.maximum(1.0 - left / DELIVERY_SESSIONS, 0.0)
        own += near * chance.normal(1)[0] * DELIVERY_SD
        tables.append(
            _bars(
                life,
                days[span],
                fair[span, number] + own,
                interest[span, number],
                volume[span, number],
                tone[:, span],
                chance,
            )
        )
    bars = pd.concat(tables, ignore_index=True)
    return bars.sort_values(["date", "contract"], ignore_index=True)


def _quotes(market: FloatArray) -> FloatArray:
    """Return quotes in steps that move only when the market has left them, shape (T,)."""
    stepped = _to_step(market, QUOTE_STEP)
    quotes = [float(stepped[0])]
    for wanted, step in zip(market[1:].tolist(), stepped[1:].tolist(), strict=True):
        quotes.append(step if abs(wanted - quotes[-1]) > QUOTE_SLACK else quotes[-1])
    return np.array(quotes)


def _spot(days: pd.DatetimeIndex, level: FloatArray, seed: int) -> pd.DataFrame:
    """Return quotes of 553 and 421, yuan per tonne; days without a quote have no row."""
    count = len(days)
    # What trucks and warehouses pay follows the futures with a delay.
    slow = level - _revert(np.diff(level, prepend=level[0]), SPOT_KEEP)
    better = slow + _walk(days, GRADE_421, _Chance(seed, 9).normal(count) * GRADE_SD)
    premium = _walk(days, GRADE_421_OVER_553, _Chance(seed, 10).normal(count) * GRADE_SD)
    tables = []
    for number, (grade, market) in enumerate((("421", better), ("553", better - premium))):
        table = pd.DataFrame({"date": days, "grade": grade, "price": _quotes(market)})
        unknown = (_Chance(seed, 11 + number).uniform(QUOTES_UNKNOWN) * count).astype(int)
        tables.append(table.drop(index=sorted(set(unknown.tolist()))))
    spot = pd.concat(tables, ignore_index=True)
    spot["price"] = spot["price"].astype("int64")
    return spot.sort_values(["date", "grade"], ignore_index=True)


def _receipts(days: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    """Return registered warehouse receipts, lots, from the first session with deliveries."""
    days = days[days >= pd.Timestamp(next(iter(RECEIPTS)))]
    walk = _walk(days, RECEIPTS, _Chance(seed, 13).normal(len(days)) * RECEIPTS_SD)
    lots = np.maximum(np.floor(walk + 0.5), 0).astype("int64")
    return pd.DataFrame({"date": days, "lots": lots})


def generate(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Make the sample market. It is SIMULATED, whatever the dates and codes suggest.

    Parameters
    ----------
    seed : int
        Another seed, another market of the same shape.

    Returns
    -------
    dict of str to pd.DataFrame
        ``bars``: date, contract, open, high, low, close, settle (yuan per tonne), volume,
        open_interest (lots), one row for every session of every contract's life; without a
        trade open, high and low are NaN and close and settle repeat the last settlement.
        ``spot``: date, grade, price (yuan per tonne). ``receipts``: date, lots.
    """
    known = calendar.sessions()
    days = known[(known >= pd.Timestamp(FIRST)) & (known <= pd.Timestamp(LAST))]
    level = _level(days, _Chance(seed, 1))
    return {
        "bars": _market(days, level, seed),
        "spot": _spot(days, level, seed),
        "receipts": _receipts(days, seed),
    }


def write(folder: Path | str, seed: int = SEED) -> None:
    """Write ``bars.csv``, ``spot.csv`` and ``receipts.csv``, the same bytes every time.

    Beside them a file SIMULATED, by which copies of the folder are still known as made up.

    Parameters
    ----------
    folder : path
        Made if it does not exist.
    seed : int
        As of `generate`.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    for name, table in generate(seed).items():
        text = table.to_csv(
            index=False, lineterminator="\n", float_format="%.0f", date_format="%Y-%m-%d"
        )
        (home / f"{name}.csv").write_bytes(text.encode("utf-8"))
    (home / "SIMULATED").write_bytes(b"Made-up prices: they say nothing about the real market.\n")


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("Usage: python -m sibt.sources.sample FOLDER", file=sys.stderr)
        return 2
    write(arguments[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1:]))
