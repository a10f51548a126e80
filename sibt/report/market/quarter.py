"""The first three charts of a quarterly report: index, basis, volume with interest and receipts."""

from __future__ import annotations

import numpy as np

from sibt.market.grades import basis_by_grade
from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.basis import basis_chart, no_basis
from sibt.report.market.drawing import (
    COLOURS,
    figure,
    line,
    mark_standards,
    standards_in,
)
from sibt.report.market.levels import draw, over_index
from sibt.report.page import chart, missing

__all__ = ["TITLE", "body"]

TITLE = "Quarterly charts 季报三图"


def body(market: Market, asked: Asked) -> str:
    """Return the three charts."""
    rows = basis_by_grade(market, asked.product)
    known = rows["basis"].notna().any()
    return (
        "<h2>1 Weighted index 加权价格</h2>" + _weighted(market, asked)
        + "<h2>2 Basis 基差走势</h2>"
        + (basis_chart(market, asked, rows) if known else no_basis(market, asked))
        + "<h2>3 Dominant contract: volume, open interest, receipts"
        " 主力合约成交量/持仓量/仓单数量</h2>" + _lots(market, asked)
    )


def _weighted(market: Market, asked: Asked) -> str:
    drawn = figure(market, f"Weighted index 加权价格 · {asked.product}")
    said = []
    standards = standards_in(market, asked.product)
    for number, standard in enumerate(standards):
        index = market.weighted(asked.product, standard=standard)
        known = index.dropna()
        if known.empty:
            continue
        name = f"standard {standard} 交割标准" if len(standards) > 1 else asked.product
        drawn.add_trace(line(
            name, index.index, index, colour=COLOURS[number % len(COLOURS)],
            hover="%{x|%Y-%m-%d}<br>%{y:,.1f} yuan/t<extra>" + name + "</extra>",
        ))
        out = int(index.attrs["unknown_open_interest"])
        if out:
            said.append(
                f"<li>{name}: in {out} of {len(known)} sessions contracts with a price are left"
                " out because their open interest is not known; where one contract's alone is"
                " known, the index is its close.</li>"
            )
    if not drawn.data:
        return missing(
            "No session knows a close together with its open interest, so there is no weighted"
            " index."
        )
    left_out = draw(drawn, over_index(market, asked))
    drawn.update_layout(xaxis={"type": "date"})
    text = "Closes of all contracts of a delivery standard, weighted by open interest."
    if len(standards) > 1:
        text += " Each standard has its own index: they are two goods."
    notes = f'<ul class="plain">{"".join(said)}</ul>' if said else ""
    return f"<p>{text}</p>{notes}{left_out}" + chart(drawn, 400)


def _lots(market: Market, asked: Asked) -> str:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

    leaders = market.dominant(asked.product, cross_standard=True).to_numpy(dtype=object)
    volume = np.full(len(leaders), np.nan)
    interest = np.full(len(leaders), np.nan)
    for code in {c for c in leaders if c is not None}:
        own = leaders == code
        volume[own] = market.volume[own, market.column(code)]
        interest[own] = market.open_interest[own, market.column(code)]
    text = ["" if c is None else str(c) for c in leaders]
    drawn = figure(
        market, "Dominant contract: open interest and receipts above, volume below"
        f" 主力合约持仓量/仓单数量、成交量 · {asked.product}", y="lots 手",
    )
    said = ""
    if np.isnan(volume).all():
        said += missing("The volume of the dominant contract is known in no session.")
    else:
        drawn.add_trace(go.Bar(
            name="volume 成交量", x=list(market.sessions), y=list(volume), text=text,
            textposition="none", yaxis="y2", marker={"color": "var(--faint)",
                                                     "line": {"width": 0}},
            hovertemplate="%{x|%Y-%m-%d}<br>%{text}<br>%{y:,.0f} lots<extra>volume</extra>",
        ))
    if np.isnan(interest).all():
        said += missing("The open interest of the dominant contract is known in no session.")
    else:
        drawn.add_trace(line(
            "open interest 持仓量", market.sessions, interest, colour=COLOURS[0], text=text,
            hover="%{x|%Y-%m-%d}<br>%{text}<br>%{y:,.0f} lots<extra>open interest</extra>",
        ))
    if not market.receipts.notna().any():
        said += missing("The market has no warehouse receipts: bring receipts.csv with date, lots.")
    else:
        drawn.add_trace(line(
            "receipts 仓单", market.sessions, market.receipts, colour=COLOURS[1],
            hover="%{x|%Y-%m-%d}<br>%{y:,.0f} lots<extra>receipts</extra>",
        ))
    if not drawn.data:
        return said
    below = any(trace.type == "bar" for trace in drawn.data)
    above = any(trace.type == "scatter" for trace in drawn.data)
    split = [0.42, 1.0] if below and above else [0.0, 1.0]
    drawn.update_layout(
        xaxis={"type": "date", "anchor": "y2" if below else "y"},
        yaxis={"domain": split, "rangemode": "tozero"},
        bargap=0,
    )
    if below:
        drawn.update_layout(yaxis2={
            "domain": [0.0, 0.36] if above else [0.0, 1.0], "title": {"text": "lots 手"},
            "anchor": "x", "rangemode": "tozero", "tickformat": ",~r",
        })
    mark_standards(drawn, market, asked.product)
    return said + chart(drawn, 540)
