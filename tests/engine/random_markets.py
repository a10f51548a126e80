"""Small random markets and orders, nasty on purpose, to run through two ledgers.

Windows lie near real expiries, so that exits by date, delivery margins and rolls happen.
Prices are positive and on the tick; a settlement is known wherever a bar is.
"""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pandas as pd

from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import FIELDS, Market
from sibt.market.product import product

#: A step every tick the product ever had divides, and a range of prices, yuan per tonne.
STEPS = {"si": 5, "lc": 100, "ps": 5}
RANGES = {"si": (8_000, 15_000), "lc": (60_000, 120_000), "ps": (30_000, 50_000)}


def random_case(seed):
    """Return the arguments of one run: market, units, legs, limits, account, execution, terms.

    ``account`` and ``execution`` are mappings of the settings' names.
    """
    rng = np.random.default_rng(seed)
    kind = pick(rng, ["individual", "company", "hedger"])
    codes, sessions = contracts_and_sessions(rng, kind)
    terms = random_terms(rng, sessions)
    legs = random_legs(rng, codes, sessions, kind)
    if rng.random() < 0.1:
        # A leg in another good, which has a tick and a size of its own.
        others = [name for name in STEPS if product(name).first_session <= sessions[0]]
        other = pick(rng, [name for name in others if name != codes[0][:2]] or ["lc"])
        other += codes[-1][2:]
        legs[other] = int(pick(rng, [1, -1]))
        codes = [*codes, other]
    market = random_market(rng, codes, sessions, terms)
    units = random_units(rng, sessions)
    limits = random_limits(rng, market, legs) if len(legs) == 1 and rng.random() < 0.5 else None
    expiry = random_expiry(rng, kind, len(legs))
    account = random_account(rng, kind, market, units, legs, terms)
    if expiry["pairing"] == "legged" and rng.random() < 0.4:
        # Each leg by itself.
        units = pd.DataFrame({name: random_units(rng, sessions) for name in legs})
    return {
        "market": market,
        "units": units,
        "legs": legs,
        "limits": limits,
        "account": account,
        "execution": {
            "fill": pick(rng, ["open", "open", "close", "settle"]),
            "slippage": int(pick(rng, [0, 1, 1, 2, 5])),
            "participation": pick(rng, [None, 0.1, 0.1, 0.05, 0.3, 0.07]),
            "cross_standard": True,
            **expiry,
        },
        "terms": terms,
    }


def random_expiry(rng, kind, legs):
    """Return how legs pair, and whether whole delivery units are delivered."""
    pairing = pick(rng, ["paired", "paired", "legged"])
    found = {"pairing": pairing, "at_expiry": "close", "delivery_unit": 12}
    if kind != "individual" and (legs == 1 or pairing == "legged") and rng.random() < 0.5:
        found |= {"at_expiry": "deliver", "delivery_unit": int(pick(rng, [1, 2, 3, 5, 12]))}
    return found


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


def contracts_and_sessions(rng, kind):
    """Choose neighbouring contracts and a window around an exit of one of them."""
    first = pd.Period("2023-08", freq="M") + int(rng.integers(28))
    step = int(pick(rng, [1, 1, 1, 2, 4]))
    goods = pick(rng, ["si"] * 8 + ["lc", "ps"])
    months = [first + step * number for number in range(int(rng.integers(1, 5)))]
    if goods == "ps":
        months = [month + 16 for month in months]
    codes = [f"{goods}{month:%y%m}" for month in months]
    anchor = contract(codes[int(rng.integers(min(2, len(codes))))]).exit_session(kind)
    known = calendar.sessions()
    length = int(rng.integers(20, 61))
    start = known.searchsorted(anchor) - int(rng.integers(length // 3, length + 5))
    return codes, known[start : start + length]


def random_terms(rng, sessions):
    terms = {}
    if rng.random() < 0.4:
        terms["margin"] = maybe_series(rng, sessions, [0.02, 0.02, 0.05, 0.08, 0.1234567, 0.2])
    if rng.random() < 0.4:
        terms["price_limit"] = maybe_series(rng, sessions, [0.02, 0.03, 0.04, 0.07, 0.1, 1.0])
    if rng.random() < 0.4:
        terms["fee"] = maybe_series(rng, sessions, [0.0, 1e-4, 2.5e-4, 1.234567e-4])
    if rng.random() < 0.2:
        terms["fee_close_today"] = maybe_series(rng, sessions, [0.0, 1e-4, 5e-4])
    return terms or None


def maybe_series(rng, sessions, values):
    if rng.random() < 0.5:
        return pick(rng, values)
    early = np.arange(len(sessions)) < rng.integers(len(sessions))
    halves = np.where(early, *rng.choice(values, 2))
    return pd.Series(halves, index=sessions)


def random_market(rng, codes, sessions, terms):
    shape = (len(sessions), len(codes))
    arrays = {name: np.full(shape, np.nan) for name in FIELDS}
    noise = pick(rng, [0.004, 0.01, 0.02, 0.04])
    locked, missing, outside, unknown = rng.choice([0.0, 0.03, 0.15], 4)
    common = rng.normal(0, noise, len(sessions))
    base = {name: rng.uniform(*prices) for name, prices in RANGES.items()}
    for column, code in enumerate(codes):
        limit = limits_of(code, sessions, terms)
        volume = pick(rng, [100_000, 2_000, 300, 60])
        tick = STEPS[code[:2]]
        last = on_tick(base[code[:2]] * rng.uniform(0.95, 1.05), tick)
        for t in range(len(sessions)):
            if rng.random() < missing and t:
                continue
            span = min(float(limit[t]), 0.1)
            if rng.random() < locked:
                prices = locked_bar(rng, last, limit[t], tick)
            else:
                move = common[t] + rng.normal(0, noise / 4)
                if rng.random() < outside:
                    move += pick(rng, [-1, 1]) * span
                else:
                    move = float(np.clip(move, -0.9 * span, 0.9 * span))
                prices = free_bar(rng, last, move, noise, tick)
            bar = dict(zip(("open", "high", "low", "close", "settle"), prices, strict=True))
            bar["volume"] = floor(volume * rng.uniform(0.0, 1.5))
            bar["open_interest"] = 1000
            if rng.random() < 0.03:
                bar["volume"] = 0
            for name in ("open", "high", "low", "close", "volume"):
                if rng.random() < unknown / 3:
                    bar[name] = np.nan
            for name, value in bar.items():
                arrays[name][t, column] = value
            last = int(bar["settle"])
    return Market(
        sessions=sessions,
        contracts=tuple(codes),
        **arrays,
        spot=pd.DataFrame(index=sessions),
        receipts=pd.Series(np.nan, index=sessions),
    )


def limits_of(code, sessions, terms):
    given = (terms or {}).get("price_limit")
    if given is None:
        return contract(code).product.price_limit(code, sessions)
    return np.broadcast_to(np.asarray(given, dtype=float), len(sessions))


def on_tick(price, tick):
    return max(tick, round(price / tick) * tick)


def free_bar(rng, last, move, noise, tick):
    open_ = on_tick(last * (1 + move * rng.uniform(0, 1)), tick)
    close = on_tick(last * (1 + move), tick)
    high = on_tick(max(open_, close) * (1 + noise / 3 * rng.random()), tick)
    low = on_tick(min(open_, close) * (1 - noise / 3 * rng.random()), tick)
    return open_, high, low, close, on_tick(rng.uniform(low, high), tick)


def locked_bar(rng, last, limit, tick):
    """Return a bar that never left its limit, or one that only touched it."""
    if limit >= 1:
        return (last,) * 5
    limit = Fraction(str(float(limit)))
    if rng.random() < 0.5:
        edge = floor(last * (1 + limit) / tick) * tick
    else:
        edge = max(tick, ceil(last * (1 - limit) / tick) * tick)
    if rng.random() < 0.7:
        return (edge,) * 5
    return (
        pick(rng, [last, edge]),
        max(last, edge),
        min(last, edge),
        edge,
        on_tick((last + 3 * edge) / 4, tick),
    )


def random_legs(rng, codes, sessions, kind):
    count = int(rng.integers(1, min(3, len(codes)) + 1))
    ratios = [int(pick(rng, [1, -1, 1, -1, 2, -2, 3])) for _ in range(count)]
    if count == 2 and rng.random() < 0.7:
        ratios = list(pick(rng, [(1, -1), (-1, 1), (2, -1), (1, -2), (1, -1)]))
    start = int(rng.integers(0, len(codes) - count + 1))
    legs = {}
    # Legs shift together or each alone, always into the next contracts of the chain.
    joint = rng.random() < 0.6
    together = int(rng.integers(1, len(sessions)))
    exit_at = sessions.searchsorted(contract(codes[start]).exit_session(kind))
    if rng.random() < 0.7 and 6 < exit_at < len(sessions):
        together = int(exit_at) - int(rng.integers(1, 6))
    for number, ratio in enumerate(ratios):
        own = codes[start + number]
        chain = codes[start + number :] if joint else codes[start + number :: count]
        if len(chain) > 1 and rng.random() < (0.95 if joint else 0.6):
            legs[f"leg{number}"] = (rolling(rng, sessions, chain, joint and together), ratio)
        else:
            legs[own] = ratio
    if clash(legs, sessions):
        return {codes[start + number]: ratio for number, ratio in enumerate(ratios)}
    return legs


def rolling(rng, sessions, chain, at):
    """Return codes by session: now and then missing, moving along the chain."""
    stated = pd.Series([None] * len(sessions), index=sessions, dtype=object)
    stated.iloc[0 if rng.random() < 0.8 else int(rng.integers(len(sessions)))] = chain[0]
    moves = [at] if at else sorted(rng.choice(len(sessions), min(3, len(chain) - 1), False))
    for move, code in zip(moves, chain[1:], strict=False):
        stated.iloc[move] = code
    if rng.random() < 0.5:
        return stated.ffill()
    return stated


def clash(legs, sessions):
    """Return whether two legs name one contract for the same session."""
    held = [
        leg[0].ffill().to_numpy() if isinstance(leg, tuple) else np.repeat(name, len(sessions))
        for name, leg in legs.items()
    ]
    return any(
        one is not None and one == two
        for number, first in enumerate(held)
        for second in held[number + 1 :]
        for one, two in zip(first, second, strict=True)
    )


def random_units(rng, sessions):
    size = pick(rng, [1, 3, 10, 40])
    change = pick(rng, [0.05, 0.2, 0.5])
    units, wish = [], 0
    for _ in sessions:
        if rng.random() < change or not units:
            wish = int(rng.integers(-size, size + 1))
            if rng.random() < 0.15:
                wish = 0
        units.append(np.nan if rng.random() < 0.15 else float(wish))
    units = pd.Series(units, index=sessions)
    return units[rng.random(len(units)) < 0.8] if rng.random() < 0.2 else units


def random_limits(rng, market, legs):
    ((name, leg),) = legs.items()
    column = market.contracts.index(leg[0].ffill().iloc[-1] if isinstance(leg, tuple) else name)
    around = pd.Series(market.settle[:, column], index=market.sessions).ffill().bfill()
    around = around.fillna(10_000.0)
    factors = 1 + rng.normal(0, pick(rng, [0.003, 0.01]), len(around))
    tick = STEPS[market.contracts[column][:2]]
    limits = (around * factors / tick).round() * tick
    return limits.where(rng.random(len(limits)) < pick(rng, [0.3, 0.9]))


def random_account(rng, kind, market, units, legs, terms):
    lots = max(1.0, np.nanmax(np.abs(units), initial=0)) * sum(
        abs(leg[1] if isinstance(leg, tuple) else leg) for leg in legs.values()
    )
    rate = (terms or {}).get("margin")
    rate = 0.1 if rate is None else float(np.max(rate))
    add_on = pick(rng, [0.0, 0.0, 0.05, 0.0333333])
    sizes = [contract(code).product.multiplier for code in market.contracts]
    need = lots * float(np.nanmean(market.settle * sizes)) * (rate + add_on)
    return {
        "capital": round(float(need) * pick(rng, [0.3, 0.6, 0.9, 1.05, 1.05, 1.3, 3.0]), 2),
        "kind": kind,
        "broker_margin": add_on,
        "fee_markup": pick(rng, [1.0, 1.0, 2.0, 1.37]),
        "spread_relief": bool(rng.random() < 0.4),
        "on_call": pick(rng, ["cut", "cut", "deposit"]),
    }
