"""Small markets for the engine's tests: real sessions, real contracts, made-up bars."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import sibt
from sibt.market import calendar
from sibt.market.panel import FIELDS

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

#: No fee, no band, a round margin: what is left is the rule under test.
PLAIN = {"margin": 0.1, "fee": 0.0, "price_limit": 1}


def golden(name):
    """Read a worked example by the beginning of its file's name."""
    (path,) = GOLDEN.glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))


def days(first, count):
    """Return so many sessions of the exchange from a day on."""
    known = calendar.sessions()
    start = known.searchsorted(pd.Timestamp(first))
    return known[start : start + count]


def bar(opening=None, high=None, low=None, close=None, settle=None, volume=None):
    """Return one bar; what is not said is unknown."""
    values = {"open": opening, "high": high, "low": low, "close": close, "settle": settle}
    return {**values, "volume": volume, "open_interest": None}


def flat(price, volume=100_000, **other):
    """Return a bar that opens, trades and settles at one price, but for what is said."""
    return bar(*[price] * 5, volume) | other


def market(first="2024-03-04", **contracts):
    """Return a market of lists of bars by contract; a number is a flat bar, None is none."""
    count = max(len(bars) for bars in contracts.values())
    codes = tuple(sorted(contracts))
    planes = {name: np.full((count, len(codes)), np.nan) for name in FIELDS}
    for column, code in enumerate(codes):
        for row, given in enumerate(contracts[code]):
            if given is None:
                continue
            values = given if isinstance(given, dict) else flat(given)
            for name, value in values.items():
                if value is not None:
                    planes[name][row, column] = value
    sessions = days(first, count)
    return sibt.Market(
        sessions=sessions,
        contracts=codes,
        **planes,
        spot=pd.DataFrame(index=sessions),
        receipts=pd.Series(np.nan, index=sessions, name="lots"),
    )


def by_session(market, values):
    """Return values of the first sessions as a Series; None is left out."""
    stated = {day: v for day, v in zip(market.sessions, values, strict=False) if v is not None}
    return pd.Series(stated, index=pd.DatetimeIndex(list(stated)))


def simulate(market, units, legs, *, limits=None, terms=None, account=None, known_from=None, **how):
    """Book wishes given as a list by session, at the plain terms unless others are given.

    Further keywords are settings of the execution, without slippage or cap unless said.
    """
    how = {"slippage": 0, "participation": None} | how
    legs = {
        name: (by_session(market, leg[0]), leg[1]) if isinstance(leg, tuple) else leg
        for name, leg in legs.items()
    }
    return sibt.simulate(
        market,
        by_session(market, units),
        legs,
        limits=None if limits is None else by_session(market, limits),
        account=sibt.Account(**({"kind": "company"} | (account or {}))),
        execution=sibt.Execution(**how),
        terms={**PLAIN, **(terms or {})},
        known_from=known_from,
    )


def fills(result):
    """Return fills as (number of the session, contract, offset, signed lots, price)."""
    table = result.fills
    sessions = result.statement.index
    signed = table["lots"].where(table["side"] == "buy", -table["lots"])
    return [
        (int(sessions.searchsorted(day)), code, offset, int(lots), float(price))
        for day, code, offset, lots, price in zip(
            table["session"], table["contract"], table["offset"], signed, table["price"],
            strict=True,
        )
    ]


def shortfalls(result):
    """Return what did not fill as (number of the session, contract, wanted, filled, reason)."""
    table, sessions = result.unfilled, result.statement.index
    return [
        (int(sessions.searchsorted(row.session)), row.contract, row.wanted, row.filled, row.reason)
        for row in table.itertuples()
    ]


def units(result):
    """Return the units held after each session."""
    return result.statement["units"].tolist()
