"""Reports and markets made by hand, so that what must come out is known."""

import pandas as pd

from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market
from sibt.research.claims.prices import Subject
from sibt.research.claims.report import read
from sibt.research.claims.score import score

HEAD = {
    "id": "desk_2024",
    "title": "月报",
    "publisher": "desk",
    "date": "2024-03-29",
    "date_from": "printed",
    "product": "si",
    "standard": "2022",
}


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def lines(table):
    return "".join(f"{name} = {toml(value)}\n" for name, value in table.items())


def text(*readings, claim=None, head=None, more=""):
    """Return a report of one claim as text; a value of None takes a key away."""
    first = {**HEAD, **(head or {})}
    own = {"id": "L1", "place": "p. 1", "quote": "原话", "says": "as said", **(claim or {})}
    parts = ["[report]", lines({k: v for k, v in first.items() if v is not None}), more,
             "[[claim]]", lines({k: v for k, v in own.items() if v is not None})]  # fmt: skip
    for number, reading in enumerate(readings):
        named = {"name": f"reading {number}"} if len(readings) > 1 else {}
        parts += ["[[claim.reading]]", lines({**named, **reading})]
    return "\n".join(parts)


def report(tmp_path, *readings, **parts):
    path = tmp_path / "report.toml"
    path.write_text(text(*readings, **parts), "utf-8")
    return read(path)


def days(first, count):
    known = calendar.sessions()
    at = known.searchsorted(pd.Timestamp(first))
    return known[at : at + count]


def market(contracts, first="2024-03-29", **beside):
    """Return a market of closes by contract; the first named holds the most open interest.

    Closes after a contract's last session are left out.
    A close of None is a session without a bar. A tuple (closes, interest) says by itself how much
    open interest there is, one number or one a session.
    """
    rows = []
    for place, (code, given) in enumerate(contracts.items()):
        closes, interest = given if isinstance(given, tuple) else (given, 1000.0 - place)
        if not isinstance(interest, list):
            interest = [interest] * len(closes)
        for day, close, held in zip(days(first, len(closes)), closes, interest, strict=True):
            if close is not None and day <= contract(code).last_trading:
                rows.append({"date": f"{day:%Y-%m-%d}", "contract": code, "open": close,
                             "high": close, "low": close, "close": close, "settle": close,
                             "volume": 100, "open_interest": held})  # fmt: skip
    return Market.from_bars(pd.DataFrame(rows), **beside)


def scored(tmp_path, market, *readings, asof=None, **parts):
    """Return the scores of a report of one claim."""
    return score(report(tmp_path, *readings, **parts), market, asof).rows


def subject(tmp_path, market, **head):
    """Return a report without a testable claim, held against a market."""
    return Subject(report(tmp_path, {"test": "vague", "why": "so"}, head=head), market)
