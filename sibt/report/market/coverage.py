"""Coverage by contract: which sessions have what (数据覆盖)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.contract import contract as contract_of
from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import figure
from sibt.report.page import chart, table

__all__ = ["TITLE", "body", "counts", "states"]

TITLE = "Coverage 数据覆盖"

_DAY = 86_400_000  # milliseconds, the unit of a bar's length on an axis of days

#: What a session of a contract's life can have, with a colour; the first is nothing at all.
KINDS = (
    ("no bar 缺失", "var(--ink)"),
    ("some other price only", "var(--faint)"),
    ("close only 仅收盘价", "var(--orange)"),
    ("close + settlement", "var(--gold)"),
    ("full bar 完整K线", "var(--pink)"),
    ("full bar + open interest", "var(--green)"),
    ("full bar + settlement 结算价", "var(--sky)"),
    ("full bar + settlement + open interest 持仓量", "var(--blue)"),
)


def states(market: Market) -> pd.DataFrame:
    """Return what each session of each contract has, as a place in `KINDS`.

    Returns
    -------
    pd.DataFrame of shape (T, C)
        −1 outside the contract's life. A contract lives from its listing to its last trading
        day; where one is unknown, from its first bar or to the market's end.
    """
    close, settle = ~np.isnan(market.close), ~np.isnan(market.settle)
    interest = ~np.isnan(market.open_interest)
    full = close & ~np.isnan(market.open) & ~np.isnan(market.high) & ~np.isnan(market.low)
    bars = market.traded()
    found = np.select(
        [full & settle & interest, full & settle, full & interest, full, close & settle, close,
         bars],
        [7, 6, 5, 4, 3, 2, 1],
        default=0,
    )
    for number, code in enumerate(market.contracts):
        life = contract_of(code)
        own = np.flatnonzero(bars[:, number])
        first = life.listed if life.listed is not None else market.sessions[own[0]]
        last = life.last_trading if life.last_trading is not None else market.sessions[-1]
        alive = np.asarray((market.sessions >= first) & (market.sessions <= last))
        found[~alive & ~bars[:, number], number] = -1
    return pd.DataFrame(found, market.sessions, list(market.contracts))


def counts(market: Market) -> pd.DataFrame:
    """Return one row a contract: its days, and how many sessions have what.

    ``sessions`` are those of its life inside the market; ``missing`` those without any price,
    and ``missing on`` names them.
    """
    found = states(market)
    rows = []
    for code in market.contracts:
        at = market.column(code)
        kinds = found[code].to_numpy()
        bars = np.flatnonzero(kinds > 0)
        known = {name: int((~np.isnan(getattr(market, name)[:, at])).sum())
                 for name in ("close", "settle", "volume", "open_interest")}
        gone = kinds == 0
        rows.append({
            "contract": code,
            "standard": contract_of(code).standard,
            "first": market.sessions[bars[0]],
            "last": market.sessions[bars[-1]],
            "sessions": int((kinds >= 0).sum()),
            "close": known["close"],
            "full bar": int((kinds >= 4).sum()),
            "settlement": known["settle"],
            "volume": known["volume"],
            "open interest": known["open_interest"],
            "missing": int(gone.sum()),
            "missing on": _stretches(market.sessions, gone),
        })
    return pd.DataFrame(rows)


def body(market: Market, asked: Asked) -> str:
    """Return the heat strips and the table of counts."""
    import plotly.graph_objects as go  # type: ignore[import-untyped]

    found = states(market)
    drawn = figure(market, TITLE, y="")
    runs: dict[int, list[tuple[str, str, float, str]]] = {}
    for code in market.contracts:
        for kind, begin, end, text in _runs(found[code], market.sessions):
            runs.setdefault(kind, []).append((code, begin, end, f"{code}<br>{text}"))
    for kind in sorted(runs, reverse=True):
        name, colour = KINDS[kind]
        rows = runs[kind]
        drawn.add_trace(go.Bar(
            name=name, orientation="h", y=[r[0] for r in rows], base=[r[1] for r in rows],
            x=[r[2] for r in rows], text=[r[3] for r in rows], textposition="none",
            hovertemplate="%{text}<br>" + name + "<extra></extra>",
            marker={"color": colour, "line": {"width": 0.6 if kind == 0 else 0, "color": colour}},
        ))
    last = market.sessions[-1] + pd.Timedelta(days=1)
    drawn.update_layout(
        barmode="overlay", bargap=0.22,
        xaxis={"type": "date", "range": [f"{market.sessions[0]:%Y-%m-%d}", f"{last:%Y-%m-%d}"],
               "side": "bottom"},
        yaxis={"type": "category", "categoryorder": "array",
               "categoryarray": list(reversed(market.contracts)), "dtick": 1,
               "tickfont": {"size": 11}, "title": {"text": ""}},
        legend={"traceorder": "normal"},
    )
    lines = counts(market)
    gone = int(lines["missing"].sum())
    said = (
        f"{len(market.contracts)} contracts, {len(market.sessions)} sessions,"
        f" {int(lines['sessions'].sum()):,} sessions of contracts' lives, {gone:,} of them without"
        " any price."
    )
    if market.provenance.settle_from == "close":
        said += " Closes stand in for the settlements that are missing."
    return (
        f"<p>{said}</p>" + chart(drawn, 190 + 19 * len(market.contracts))
        + table(lines, caption="Sessions by contract, and how many have what 逐合约统计", head=True,
                marks=["doubtful" if n else "" for n in lines["missing"]])
    )


def _runs(
    column: pd.Series[Any], sessions: pd.DatetimeIndex
) -> list[tuple[int, str, float, str]]:
    """Return stretches of one kind: kind, first day, length in ms up to the next session, words."""
    kinds = column.to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1), len(kinds)]
    found = []
    for first, stop in pairwise(edges):
        if kinds[first] < 0:
            continue
        begin, last = sessions[first], sessions[stop - 1]
        end = sessions[stop] if stop < len(sessions) else last + pd.Timedelta(days=1)
        # Up to the next session, so that a weekend looks like no gap.
        length = float((end - begin).days * _DAY)
        count = stop - first
        words = (f"{begin:%Y-%m-%d}" if count == 1
                 else f"{begin:%Y-%m-%d} to {last:%Y-%m-%d}, {count} sessions")
        found.append((int(kinds[first]), f"{begin:%Y-%m-%d}", length, words))
    return found


def _stretches(sessions: pd.DatetimeIndex, mask: NDArray[np.bool_], most: int = 3) -> str:
    """Return the stretches of a mask in words."""
    at = np.flatnonzero(mask)
    if not len(at):
        return ""
    groups = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
    words = [
        f"{sessions[g[0]]:%Y-%m-%d}" if len(g) == 1
        else f"{sessions[g[0]]:%Y-%m-%d} to {sessions[g[-1]]:%Y-%m-%d}"
        for g in groups[:most]
    ]
    rest = len(groups) - most
    return ", ".join(words) + (f", and {rest} more" if rest > 0 else "")
