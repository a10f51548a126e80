"""Hedges made up for the tests: by hand on flat bars, and random ones, nasty on purpose."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.simulate import simulate
from sibt.hedging.exposure import Exposure
from sibt.hedging.hedge import Hedge
from sibt.hedging.physical import physical_book
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

DAYS = calendar.sessions()
#: si2410 lives in the first hundred, si2505 in all of them.
DAYS = DAYS[DAYS >= "2024-05-21"][:235]
PLAIN = {"margin": 0.10, "fee": 0.0, "price_limit": 1.0}
COLUMNS = ["session", "what", "tonnes", "price"]


def worked(name):
    """Return a golden case."""
    [path] = (Path(__file__).parents[1] / "golden").glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))


def market_of(futures, spot):
    """Return a market whose bars stand at one price; columns by contract, quotes by grade."""
    futures = futures if isinstance(futures, dict) else {"si2410": futures}
    spot = spot if isinstance(spot, dict) else {"553": spot}
    sessions = DAYS[: len(next(iter(futures.values())))]
    price = np.column_stack([np.asarray(column, float) for column in futures.values()])
    return Market(
        sessions=sessions,
        contracts=tuple(futures),
        **{name: price.copy() for name in FIELDS[:5]},
        volume=np.full(price.shape, 1e6),
        open_interest=np.full(price.shape, 1e6),
        spot=pd.DataFrame({k: np.asarray(v, float) for k, v in spot.items()}, index=sessions),
        receipts=pd.Series(np.nan, index=sessions),
    )


def goods(market, rows, grade="553"):
    """Return an exposure from (number of the session, what, tonnes, price)."""
    table = pd.DataFrame(
        [(market.sessions[t], what, float(q), float(price)) for t, what, q, price in rows],
        columns=COLUMNS,
    )
    moved = table.groupby("session")["tonnes"].sum()
    owned = moved.reindex(market.sessions, fill_value=0.0).cumsum()
    return Exposure(grade, owned.rename("tonnes"), table)


def hedge_of(futures, spot, *, lots=-20, tonnes=100.0, grade="553", fee=0.0, **how):
    """Return a hedge on flat bars; `lots` and `tonnes` one for all sessions, or by session."""
    market = market_of(futures, spot)
    units = pd.Series(np.broadcast_to(lots, len(market.sessions)), market.sessions, dtype=float)
    owned = pd.Series(np.broadcast_to(tonnes, len(market.sessions)), market.sessions, dtype=float)
    result = simulate(
        market, units, how.get("legs", {market.contracts[0]: 1}),
        account=Account(kind="hedger", capital=how.get("capital", 10_000_000)),
        execution=Execution(slippage=how.get("slippage", 0), participation=None,
                            cross_standard=True, pairing=how.get("pairing", "paired")),
        terms={**PLAIN, "fee": fee}, known_from=how.get("known_from"),
    )
    book = physical_book(market, how.get("exposure", owned), grade)
    return Hedge(book, result)


def g06(ratio="1.00"):
    """Return the golden hedge: sold at F0 with spot S0, bought back at F1 with spot S1."""
    case = worked("g06")["inputs"]
    lots = -round(float(ratio) * case["exposure_t"] / 5)
    return hedge_of(
        [case["F0"], case["F0"], case["F1"], case["F1"]],
        [case["S0"], case["S0"], case["S1"], case["S1"]],
        tonnes=[0, case["exposure_t"], 0, 0], lots=[lots, 0, 0, 0],
        fee=float(case["fee_rate"]), slippage=case["slip_ticks"],
    )


def random_hedge(seed):
    """Return a hedge of random goods in a random market, with rolls, gaps and agreed prices."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(12, 90))
    start = int(rng.integers(0, 90))  # late ones see si2410 expire
    sessions = DAYS[start : start + count]
    codes = ["si2410", "si2411", "si2412"][: int(rng.integers(1, 4))]
    walk = np.cumsum(rng.integers(-30, 31, (count, len(codes))), axis=0) * 5 + 12_000
    bars = {
        name: walk + 5 * rng.integers(-8, 9, walk.shape) for name in ("open", "close", "settle")
    }
    stack = np.stack(list(bars.values()))
    bars |= {"high": stack.max(axis=0) + 10, "low": stack.min(axis=0) - 10}
    quotes = {}
    for grade, above in (("553", 0), ("421", 1500)):
        quote = walk[:, 0] + above + 10.0 * np.cumsum(rng.integers(-5, 6, count))
        quote[rng.random(count) < rng.choice([0.0, 0.2, 0.6])] = np.nan
        quote[rng.integers(count)] = 12_345.0 + above
        quotes[grade] = quote
    market = Market(
        sessions=sessions, contracts=tuple(codes),
        **{name: bars[name].astype(float) for name in FIELDS[:5]},
        volume=rng.integers(0, 2_000, walk.shape).astype(float),
        open_interest=np.full(walk.shape, 1e5),
        spot=pd.DataFrame(quotes, index=sessions), receipts=pd.Series(np.nan, index=sessions),
    )
    side = int(rng.choice([1, 1, -1]))
    names = ("output", "inventory", "sale", "purchase") if side > 0 else ("need",) * 4
    rows, left = [], 0.0
    for t in np.sort(rng.integers(0, count, int(rng.integers(2, 25)))).tolist():
        agreed = float(rng.choice([np.nan, 11_000.0, 13_377.7]))
        if left > 0 and rng.random() < 0.6:
            q = min(left, float(rng.integers(1, 200)) / 3)
            rows.append((t, names[2], -side * q, agreed))
            left -= q
        else:
            q = float(rng.integers(1, 900)) / 3
            rows.append((t, names[int(rng.choice([0, 1, 3]))], side * q,
                         agreed if rng.random() < 0.3 else np.nan))
            left += q
    exposure = goods(market, rows, str(rng.choice(["553", "421"])))
    if len(codes) > 1 and rng.random() < 0.3:
        legs, pairing = dict.fromkeys(codes, 1), "legged"
    else:
        at = np.minimum(np.arange(count) * len(codes) // count, len(codes) - 1)
        legs, pairing = {"hedge": (pd.Series(np.array(codes)[at], index=sessions), 1)}, "paired"
    share = float(rng.choice([0.0, 0.5, 1.0, 1.0, 1.4])) / len(legs)
    wish = np.rint(-exposure.owned.to_numpy() * share / 5)
    wish[rng.random(count) < 0.2] = np.nan
    result = simulate(
        market, pd.Series(wish, index=sessions), legs,
        account=Account(kind="hedger", capital=float(rng.choice([1e5, 1e6, 1e8]))),
        execution=Execution(
            slippage=int(rng.integers(0, 3)), fill=str(rng.choice(["open", "close", "settle"])),
            participation=float(rng.choice([0.02, 0.5])), pairing=pairing, cross_standard=True,
        ),
        terms={**PLAIN, "fee": 0.0001},
    )
    return Hedge(physical_book(market, exposure), result)
