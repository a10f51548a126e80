"""What a session can take: fill prices, price bands, closures and volume caps.

These depend on the market alone, not on what is held, so they are laid out once for a run
and shared by every column of a sweep.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.execution import Execution
from sibt.engine.money import to_fen
from sibt.engine.terms import Terms
from sibt.market.contract import Contract
from sibt.market.panel import Market

__all__ = ["ESCALATION", "SHORTFALLS", "Prices", "lay_out"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Why an order did not fill, by the code the ledger uses.
SHORTFALLS = (
    "",
    "limit",
    "volume",
    "no trade",
    "no price",
    "price not reached",
    "margin",
    "not listed",
    "delivery month",
    "pair",
)
LIMIT, VOLUME, NO_TRADE, NO_PRICE, NOT_REACHED, MARGIN, NOT_LISTED, DELIVERY, PAIR = range(1, 10)

#: What one locked session, and two or more on the same side, add to the next session's limit;
#: margin is then two points above it. Assumed: the text of DCE's rules, which GFEX follows.
ESCALATION = (0.03, 0.05)
_MARGIN_ABOVE_LIMIT = 0.02

#: Lots that stand for "no cap".
UNCAPPED = np.int64(1) << 40


@dataclass(frozen=True)
class Prices:
    """Prices and capacities of K contracts over T sessions; prices in fen, 0 is unknown.

    Attributes
    ----------
    raw : int64 ndarray of shape (T, K)
        The price orders are worked at, before slippage.
    buy, sell : int64 ndarray of shape (T, K)
        After slippage, inside the band.
    buy_shut, sell_shut : int8 ndarray of shape (T, K)
        Code of `SHORTFALLS` that closes the side, 0 where it is open.
    cap : int64 ndarray of shape (T, K)
        Lots of both sides together.
    open, low, high : int64 ndarray of shape (T, K)
        For resting limits; an unknown low or high is the raw price.
    settle : int64 ndarray of shape (T, K)
        Last known settlement up to the session.
    limit_up, limit_down : ndarray of shape (T, K)
        The band in yuan per tonne, NaN where there is none.
    refuted : bool ndarray of shape (T, K)
        Sessions whose bar lies outside the computed band.
    unknown_volume, barless : bool ndarray of shape (T, K)
        A bar of unknown volume; a session of the contract's life without a bar.
    margin_floor : ndarray of shape (T, K)
        Margin rate a locked session calls for at its settlement; zero elsewhere.
    """

    raw: IntArray
    buy: IntArray
    sell: IntArray
    buy_shut: NDArray[np.int8]
    sell_shut: NDArray[np.int8]
    cap: IntArray
    open: IntArray
    low: IntArray
    high: IntArray
    settle: IntArray
    limit_up: FloatArray
    limit_down: FloatArray
    refuted: NDArray[np.bool_]
    unknown_volume: NDArray[np.bool_]
    barless: NDArray[np.bool_]
    margin_floor: FloatArray


def lay_out(
    market: Market,
    lives: list[Contract],
    columns: list[int],
    terms: Terms,
    execution: Execution,
) -> Prices:
    """Return what each session can take of each contract.

    Parameters
    ----------
    market : Market
        The panel.
    lives : list of Contract, length K
        The contracts used.
    columns : list of int, length K
        Their columns in the panel.
    terms : Terms
        Ticks and price limits in force.
    execution : Execution
        Fill price, slippage and participation.
    """
    pick = np.asarray(columns, dtype=np.intp)
    o, h, lo, c, settle, volume = (
        getattr(market, name)[:, pick]
        for name in ("open", "high", "low", "close", "settle", "volume")
    )
    raw = {"open": o, "close": c, "settle": settle}[execution.fill]
    known = market.traded()[:, pick]
    valued = pd.DataFrame(settle).ffill().to_numpy()
    last = np.full_like(valued, np.nan)
    last[1:] = valued[:-1]
    limit, margin_floor = _limits(last, (o, h, lo, c), terms)
    up, down = _band(last, limit, terms.tick)
    refuted = _outside((o, h, lo, c), up, down)
    up = np.where(refuted, np.nan, up)
    down = np.where(refuted, np.nan, down)

    step = execution.slippage * terms.tick
    # fmax and fmin leave a price alone where there is no band.
    buy = np.fmin(raw + step, up)
    buy = np.fmax(buy, down)
    sell = np.fmax(raw - step, down)
    sell = np.fmin(sell, up)
    low = np.where(np.isnan(lo), raw, lo)
    high = np.where(np.isnan(h), raw, h)

    listed = _alive(market.sessions, lives)
    closed = np.zeros(raw.shape, dtype=np.int8)
    closed[np.isnan(raw)] = NO_PRICE
    closed[~known | (volume == 0)] = NO_TRADE
    closed[~listed] = NOT_LISTED
    buy_shut = np.where((closed == 0) & (low >= up), LIMIT, closed).astype(np.int8)
    sell_shut = np.where((closed == 0) & (high <= down), LIMIT, closed).astype(np.int8)

    return Prices(
        raw=to_fen(raw),
        buy=to_fen(np.where(np.isnan(raw), np.nan, buy)),
        sell=to_fen(np.where(np.isnan(raw), np.nan, sell)),
        buy_shut=buy_shut,
        sell_shut=sell_shut,
        cap=_cap(volume, execution.participation),
        open=to_fen(o),
        low=to_fen(low),
        high=to_fen(high),
        settle=to_fen(valued),
        limit_up=up,
        limit_down=down,
        refuted=refuted,
        unknown_volume=known & np.isnan(volume),
        barless=listed & ~known,
        margin_floor=margin_floor,
    )


def _band(
    last: FloatArray, limit: FloatArray, tick: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return limit-up and limit-down, rounded inward to a tick."""
    # The hair keeps 13353.6 / 5 from being taken for the tick above or below by float noise.
    hair = 1e-7
    share = np.where(limit >= 1, np.nan, limit)
    up = np.floor(last * (1 + share) / tick + hair) * tick
    down = np.ceil(last * (1 - share) / tick - hair) * tick
    return up, down


def _limits(
    last: FloatArray, bars: tuple[FloatArray, ...], terms: Terms
) -> tuple[FloatArray, FloatArray]:
    """Return each session's price limit, and the margin a locked session calls for.

    A session that traded at one limit only widens the next one's limit by `ESCALATION`
    where the terms say so.
    """
    limit = terms.price_limit
    floor = np.zeros_like(limit)
    if not terms.escalates.any():
        return limit, floor
    limit = limit.copy()
    run = np.zeros(limit.shape[1])  # sessions locked in a row, + up and − down
    for t in range(len(limit)):
        if terms.escalates[t]:
            limit[t] += np.select([run == 0, np.abs(run) == 1], [0.0, ESCALATION[0]], ESCALATION[1])
        up, down = _band(last[t], limit[t], terms.tick[t])
        _, high, low, _ = (price[t] for price in bars)
        side = np.where(low >= up, 1.0, np.where(high <= down, -1.0, 0.0))
        # A bar outside the band refutes it, and nothing was locked.
        side[_outside(tuple(price[t] for price in bars), up, down)] = 0.0
        run = np.where(side == 0, 0.0, np.where(side * run >= 0, run + side, side))
        if terms.escalates[t] and t + 1 < len(limit):
            add = np.where(np.abs(run) == 1, ESCALATION[0], ESCALATION[1])
            wider = terms.price_limit[t + 1] + add + _MARGIN_ABOVE_LIMIT
            floor[t] = np.where(run == 0, 0.0, wider)
    return limit, floor


def _outside(
    prices: tuple[FloatArray, ...], up: FloatArray, down: FloatArray
) -> NDArray[np.bool_]:
    outside = np.zeros(up.shape, dtype=bool)
    for price in prices:
        outside |= (price > up) | (price < down)
    return outside


def _alive(sessions: pd.DatetimeIndex, lives: list[Contract]) -> NDArray[np.bool_]:
    """Return where a contract is between its listing and its last trading day."""
    alive = np.ones((len(sessions), len(lives)), dtype=bool)
    for at, life in enumerate(lives):
        alive[:, at] &= sessions >= (life.listed or life.product.first_session)
        if life.last_trading is not None:
            alive[:, at] &= sessions <= life.last_trading
    return alive


def _cap(volume: FloatArray, participation: float | None) -> IntArray:
    if participation is None:
        return np.full(volume.shape, UNCAPPED, dtype=np.int64)
    # The hair keeps 0.29 × 100 from being 28.
    lots = np.floor(participation * volume + 1e-9)
    return np.where(np.isnan(volume), UNCAPPED, np.nan_to_num(lots)).astype(np.int64)
