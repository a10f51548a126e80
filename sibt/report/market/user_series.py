"""The user's own series over the price, stepped on the day each value was published."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import COLOURS, figure, line, mark_standards
from sibt.report.market.levels import draw, over_dominant
from sibt.report.page import chart, missing, table

__all__ = ["TITLE", "body"]

TITLE = "Your series 自有数据"


def body(market: Market, asked: Asked) -> str:
    """Return one chart a series, with its newest publications."""
    if not asked.series:
        return missing(
            "The market has no series: bring series.csv with name, date, published_on, value,"
            " unit to lay stocks, output or tenders over the price."
        )
    return (
        "<p>A value stands from the day it was published, never before, and until the next one"
        " was. The line is what was known; it has nothing of a revision that came later.</p>"
        + "".join(_series(market, asked, name) for name in asked.series)
    )


def _series(market: Market, asked: Asked, name: str) -> str:
    rows = market.series[market.series["name"] == name].sort_values(["published_on", "date"])
    units = [str(u) for u in rows["unit"].dropna().unique() if str(u)]
    unit = ", ".join(units) or "no unit given"
    head = f"<h2>{escape(name)}</h2>"
    known = market.known(name)
    if not known.notna().any():
        return head + missing(
            f"No value of {name} was published up to {market.sessions[-1]:%Y-%m-%d}."
        )
    drawn = figure(market, f"{name} over the dominant contract's close 主力收盘价")
    x, y, text = _dominant(market, asked.product)
    drawn.add_trace(line(
        "dominant close 主力收盘价", x, y, text=text, colour="var(--faint)",
        hover="%{x|%Y-%m-%d}<br>%{text}<br>%{y:,.0f} yuan/t<extra>close</extra>",
    ))
    left_out = draw(drawn, over_dominant(market, asked))
    source = _behind(rows, market.sessions)
    drawn.add_trace(line(
        f"{name} ({unit}), right 右轴", market.sessions, known, text=source, colour=COLOURS[0],
        hover="%{x|%Y-%m-%d}<br>%{y:,} " + str(escape(unit)) + "<br>%{text}<extra>"
        + str(escape(name)) + "</extra>",
        yaxis="y2", line={"color": COLOURS[0], "width": 2.2, "shape": "hv"},
    ))
    drawn.update_layout(
        xaxis={"type": "date"},
        yaxis2={"overlaying": "y", "side": "right", "title": {"text": str(escape(unit))},
                "showgrid": False, "zeroline": False, "tickmode": "auto"},
    )
    mark_standards(drawn, market, asked.product)
    newest = rows[rows["published_on"] <= market.sessions[-1]].tail(8).iloc[::-1]
    return head + left_out + chart(drawn, 420) + table(
        newest[["date", "published_on", "value"]].rename(
            columns={"date": "of 日期", "published_on": "published 发布", "value": f"value, {unit}"}
        ),
        caption=f"{name}: the newest of {len(rows)} publications",
    )


def _dominant(market: Market, product: str) -> tuple[list[str], list[float], list[str]]:
    """Return the dominant close with a gap at every roll: a jump there is no move of a price."""
    leaders = market.dominant(product, cross_standard=True).to_numpy(dtype=object)
    x: list[str] = []
    y: list[float] = []
    text: list[str] = []
    before = None
    for t, (day, code) in enumerate(zip(market.sessions, leaders, strict=True)):
        value = np.nan if code is None else float(market.close[t, market.column(code)])
        if before is not None and code != before:
            x.append(f"{day:%Y-%m-%d}")
            y.append(np.nan)
            text.append("")
        x.append(f"{day:%Y-%m-%d}")
        y.append(value)
        text.append("" if code is None else str(code))
        before = code
    return x, y, text


def _behind(rows: pd.DataFrame, sessions: pd.DatetimeIndex) -> list[str]:
    """Return for each session of which day the known value is and when it was published."""
    news = rows[rows["date"] >= rows["date"].cummax()].drop_duplicates("published_on", keep="last")
    published = pd.DatetimeIndex(news["published_on"])
    words = [
        f"of {of:%Y-%m-%d}, published {on:%Y-%m-%d}"
        for of, on in zip(news["date"], news["published_on"], strict=True)
    ]
    at = published.searchsorted(sessions, side="right") - 1
    return ["" if n < 0 else words[int(n)] for n in at]
