"""Term structure: all delivery months in one session, several sessions over each other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from sibt.market.contract import contract as contract_of
from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import COLOURS, DASHES, PRICES, figure, line, mark
from sibt.report.page import chart, missing, table

__all__ = ["TITLE", "body", "curve"]

TITLE = "Term structure 期限结构"


def curve(market: Market, day: pd.Timestamp, asked: Asked) -> tuple[str, pd.Series[float]]:
    """Return which price a session's curve shows, and the price by contract, NaN unknown."""
    at = int(market.sessions.get_indexer(pd.DatetimeIndex([day]))[0])
    known = {name: int((~np.isnan(market.price(name)[at])).sum()) for name in PRICES}
    price = asked.priced(known["settle"], known["close"])
    own = [c for c in market.contracts if contract_of(c).product.name == asked.product]
    row = pd.Series(market.price(price)[at], index=list(market.contracts))
    return price, row[own]


def body(market: Market, asked: Asked) -> str:
    """Return the chart and a table of its figures."""
    drawn = figure(market, f"{TITLE} · {asked.product}", "delivery month 交割月")
    columns: dict[str, pd.Series[float]] = {}
    short = []
    for number, day in enumerate(asked.on):
        price, row = curve(market, day, asked)
        if row.notna().sum() < 2:
            short.append(f"{day:%Y-%m-%d}")
            continue
        name = f"{day:%Y-%m-%d} {PRICES[price].split()[0]}"
        columns[name] = row
        span = row.loc[row.first_valid_index():row.last_valid_index()]
        x, y, text = _broken(span, asked.cross_standard)
        drawn.add_trace(line(
            name, x, y, text=text, colour=COLOURS[number % len(COLOURS)],
            hover="%{text}<br>%{y:,.0f} yuan/t<extra>" + f"{day:%Y-%m-%d}, {PRICES[price]}"
            "</extra>",
            mode="lines+markers",
            line={"color": COLOURS[number % len(COLOURS)], "width": 2.2 if number == 0 else 1.6,
                  "dash": DASHES[number % len(DASHES)]},
            marker={"size": 6, "color": COLOURS[number % len(COLOURS)]},
        ))
    said = "" if not short else missing(
        f"{', '.join(short)}: fewer than two contracts have a price, so there is no curve to draw."
    )
    if not columns:
        return said
    shown = pd.DataFrame(columns).dropna(how="all")
    for old, new in pairwise(shown.index):
        a, b = contract_of(old), contract_of(new)
        if a.standard != b.standard:
            # Half a month before the new standard's first delivery month.
            day = b.month.start_time - pd.Timedelta(days=15)
            mark(drawn, f"{day:%Y-%m-%d}", f"{old} | {b.code} 交割标准")
            joined = "is drawn through it as asked" if asked.cross_standard else "breaks there"
            said += (
                f"<p>{old} and earlier deliver by the standard of {a.standard}, {new} and later by"
                f" that of {b.standard}: two goods. The curve {joined}.</p>"
            )
    months = [contract_of(code).month.start_time for code in shown.index]
    drawn.update_layout(
        xaxis={"type": "date", "tickformat": "%Y-%m", "hoverformat": "%Y-%m",
               "range": [f"{months[0] - pd.Timedelta(days=20):%Y-%m-%d}",
                         f"{months[-1] + pd.Timedelta(days=20):%Y-%m-%d}"]},
    )
    return (
        said + chart(drawn, 500)
        + table(shown.rename_axis("contract").reset_index(), head=True,
                formats=dict.fromkeys(shown.columns, ",.0f"),
                caption="Yuan per tonne by delivery month 各合约价格")
    )


def _broken(row: pd.Series[float], cross: bool) -> tuple[list[str], list[float], list[str]]:
    """Return delivery months, prices and codes, with a gap at the line of two standards."""
    x: list[str] = []
    y: list[float] = []
    text: list[str] = []
    before = None
    for code, value in row.items():
        life = contract_of(str(code))
        if before is not None and life.standard != before and not cross:
            x.append(f"{life.month.start_time - pd.Timedelta(days=15):%Y-%m-%d}")
            y.append(np.nan)
            text.append("")
        before = life.standard
        x.append(f"{life.month.start_time:%Y-%m-%d}")
        y.append(float(value))
        text.append(life.code)
    return x, y, text
