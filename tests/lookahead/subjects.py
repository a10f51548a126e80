"""Strategies written for a test, and small markets to ask them about."""

import textwrap

import numpy as np
import pandas as pd

import sibt
from sibt.lookahead.subject import Subject
from sibt.market import calendar
from sibt.strategy.loader import load

__all__ = ["market", "subject"]

HEAD = "import numpy as np\nimport pandas as pd\nimport sibt\n\n"


def market(first="2024-03-04", spot=None, receipts=None, series=None, **contracts):
    """Return a market of closes by contract; other prices, volume and interest follow them.

    None is no bar. `spot` and `receipts` are values by session, `series` rows of name, date,
    published_on and value, days being row numbers.
    """
    count = max(map(len, contracts.values()))
    known = calendar.sessions()
    start = known.searchsorted(pd.Timestamp(first))
    days = known[start : start + count]
    rows = [
        {"date": days[t], "contract": code, "open": c, "high": c + 10, "low": c - 10, "close": c,
         "settle": c, "volume": 1000 + t, "open_interest": 5000}
        for code, closes in contracts.items() for t, c in enumerate(closes) if c is not None
    ]  # fmt: skip
    given = {}
    if spot is not None:
        given["spot"] = pd.DataFrame({"date": days, "grade": "553", "price": spot})
    if receipts is not None:
        given["receipts"] = pd.DataFrame({"date": days, "lots": receipts})
    if series is not None:
        given["series"] = pd.DataFrame([
            {"name": name, "date": days[at], "published_on": days[told], "value": value}
            for name, at, told, value in series
        ])  # fmt: skip
    return sibt.Market.from_bars(pd.DataFrame(rows), **given)


def steps(*levels, each=1):
    """Return closes that stay at each level so many sessions."""
    return [float(v) for v in np.repeat(levels, each)]


def subject(folder, units, on, legs="{'si2409': 1}", head="", rest="", known_from=None):
    """Return a strategy whose units() is this body, as a subject of a check."""
    body = textwrap.indent(textwrap.dedent(units).strip(), "        ")
    rest = textwrap.indent(textwrap.dedent(rest), "    ")
    source = (
        f"{HEAD}{textwrap.dedent(head)}\n\nclass Tried(sibt.Strategy):\n"
        f"    def legs(self, market, p):\n        return {legs}\n\n"
        f"    def units(self, market, p):\n{body}\n{rest}\n"
        f"    def known_from(self, p):\n        return {known_from!r}\n"
    )
    path = folder / "tried.py"
    path.write_text(source, "utf-8")
    one = load(path)
    context = {"capital": 1e6, "kind": one.kind, "cross_standard": False}
    return Subject(path, on, one.params({}, context))
