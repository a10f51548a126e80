"""Basis and basis rate by grade, and the quotes that have none (基差, 基差率)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sibt.market.grades import basis_by_grade, undeliverable
from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import COLOURS, figure, line, mark_standards
from sibt.report.page import chart, missing, table

__all__ = ["TITLE", "basis_chart", "body"]

TITLE = "Basis 基差"


def body(market: Market, asked: Asked) -> str:
    """Return the basis, its rate, the quotes apart, and the newest figures."""
    rows = basis_by_grade(market, asked.product)
    said = ""
    if rows["basis"].notna().any():
        said = (
            "<p>Basis = spot quote brought to the contract's standard − close of the session's"
            " dominant contract (主力合约). Basis rate (基差率) = basis ÷ brought quote. A quote is"
            " brought by the grade's premium: 421 less 2,000 yuan up to si2411, less 800 from"
            " si2412.</p>"
            if asked.product == "si" else
            "<p>Basis = spot quote less the grade's premium − close of the session's dominant"
            " contract (主力合约). Basis rate (基差率) = basis ÷ that quote.</p>"
        )
        said += basis_chart(market, asked, rows) + _drawn(market, asked, rows, "rate")
        said += _newest(rows)
    else:
        said += no_basis(market, asked)
    return said + _apart(market, asked)


def no_basis(market: Market, asked: Asked) -> str:
    """Return the sentence that stands where no basis can be drawn."""
    named = ", ".join(str(name) for name in market.spot.columns)
    have = f"it has quotes of {named}" if named else "it has no spot quotes"
    return missing(
        f"No session has a quote of a deliverable grade of {asked.product} beside a price of the"
        f" dominant contract ({have}), so there is no basis: bring spot.csv with date, grade,"
        " price."
    )


def basis_chart(market: Market, asked: Asked, rows: pd.DataFrame) -> str:
    """Return the chart of the basis by grade."""
    return _drawn(market, asked, rows, "basis")


def _drawn(market: Market, asked: Asked, rows: pd.DataFrame, column: str) -> str:
    rate = column == "rate"
    title = "Basis rate 基差率" if rate else "Basis 基差"
    drawn = figure(market, f"{title} by grade 分牌号 · {asked.product}",
                   y="% of the brought quote" if rate else "yuan/t 元/吨")
    inside = _known(rows.pivot(index="session", columns="grade", values="basis"))
    rows = rows[rows["session"].between(inside.start, inside.stop)]
    for number, (grade, own) in enumerate(rows.groupby("grade", sort=False)):
        times = 100.0 if rate else 1.0
        # A new standard is a new good: the line stops and starts again.
        standards = own["standard"].to_numpy(dtype=object)
        new = np.concatenate([[False], standards[1:] != standards[:-1]])
        breaks = own[new].assign(**{column: np.nan})
        piece = pd.concat([breaks, own]).sort_values("session", kind="stable")
        text = [
            f"{grade} quoted {q:,.0f}, brought {b:,.0f}<br>{c} {f:,.0f}"
            if not np.isnan(v) else ""
            for q, b, c, f, v in zip(piece["quote"], piece["brought"], piece["contract"],
                                     piece["futures"], piece[column], strict=True)
        ]
        colour = COLOURS[number % len(COLOURS)]
        drawn.add_trace(line(
            f"{grade}", pd.DatetimeIndex(piece["session"]), times * piece[column],
            text=text, colour=colour,
            hover="%{x|%Y-%m-%d}<br>" + ("%{y:+.2f} %" if rate else "%{y:+,.0f} yuan/t")
            + "<br>%{text}<extra></extra>",
        ))
    drawn.update_layout(
        xaxis={"type": "date"},
        yaxis={"zeroline": True, "tickformat": "" if rate else ",~r"},
    )
    mark_standards(drawn, market, asked.product)
    return chart(drawn, 420)


def _known(frame: pd.DataFrame) -> slice:
    """Return the stretch of sessions from the first known value to the last."""
    days = frame.index[frame.notna().any(axis=1)]
    return slice(days[0], days[-1]) if len(days) else slice(None)


def _newest(rows: pd.DataFrame) -> str:
    known = rows[rows["basis"].notna()]
    lines = []
    for (grade, standard), own in known.groupby(["grade", "standard"], sort=False):
        last = own.iloc[-1]
        low, high = own.iloc[int(own["basis"].argmin())], own.iloc[int(own["basis"].argmax())]
        lines.append({
            "grade": f"{grade}, standard {standard}", "session": last["session"],
            "contract": last["contract"], "quote": last["quote"], "brought": last["brought"],
            "close": last["futures"], "basis": last["basis"], "rate": last["rate"],
            "lowest basis": low["basis"], "on": low["session"], "highest basis": high["basis"],
            "on ": high["session"], "sessions": len(own),
        })
    return table(
        pd.DataFrame(lines), head=True,
        caption="Newest basis by grade and standard 最新基差, yuan/t",
        formats={"basis": "+,.0f", "lowest basis": "+,.0f", "highest basis": "+,.0f",
                 "rate": "+.2%"},
    )


def _apart(market: Market, asked: Asked) -> str:
    quotes = undeliverable(market, asked.product)
    quotes = quotes.loc[:, quotes.notna().any()].loc[_known(quotes)]
    if quotes.empty:
        return ""
    names = ", ".join(str(name) for name in quotes.columns)
    drawn = figure(
        market, f"Quotes of grades that cannot be delivered 不可交割牌号: {names}",
    )
    for number, name in enumerate(quotes.columns):
        colour = COLOURS[number % len(COLOURS)]
        drawn.add_trace(line(
            str(name), quotes.index, quotes[name], colour=colour,
            hover="%{x|%Y-%m-%d}<br>%{y:,.0f} yuan/t<extra>" + str(name) + "</extra>",
        ))
    drawn.update_layout(xaxis={"type": "date"})
    return (
        f"<h2>Apart: {names}</h2><p>These grades cannot be delivered on the exchange. They are"
        " shown as quoted and have no basis.</p>" + chart(drawn, 360)
    )
