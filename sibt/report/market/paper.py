"""Open interest against registered receipts (虚实比)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sibt.market.panel import Market
from sibt.market.stocks import paper_ratio
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import COLOURS, figure, line, mark_standards
from sibt.report.page import chart, missing, table

__all__ = ["TITLE", "body"]

TITLE = "Paper and goods 虚实比"


def body(market: Market, asked: Asked) -> str:
    """Return the ratio for the near and for the dominant contract, and what it is made of."""
    if not market.receipts.notna().any():
        return missing(
            "The market has no warehouse receipts, so there is no ratio: bring receipts.csv with"
            " date, lots."
        )
    named: dict[str, pd.Series[Any] | None] = {
        "near contract 近月": None,
        "dominant contract 主力": market.dominant(asked.product, cross_standard=True),
    }
    found = {name: paper_ratio(market, asked.product, c) for name, c in named.items()}
    known_in = pd.DataFrame({name: rows["ratio"] for name, rows in found.items()}).dropna(how="all")
    if len(known_in):
        ends = slice(known_in.index[0], known_in.index[-1])
        found = {name: rows.loc[ends] for name, rows in found.items()}
    lot = market.product(asked.product).multiplier
    said = (
        f"<p>虚实比 = open interest × {lot:g} t ÷ receipts in tonnes. The near contract is the"
        " nearest one a company may still open and keep: the delivery month's until the eve of its"
        " last trading day. Receipts are those of all months together, of whichever standard.</p>"
    )
    drawn = figure(market, f"Open interest ÷ receipts 虚实比 · {asked.product}",
                   y="t ÷ t 倍, log scale 对数")
    for number, (name, rows) in enumerate(found.items()):
        if not rows["ratio"].notna().any():
            said += missing(
                f"The open interest of the {name} is known in no session that has receipts."
            )
            continue
        nothing = int((rows["ratio"] == 0).sum())
        if nothing:
            said += (
                f"<p>In {nothing} sessions the {name} has no open interest beside receipts: a"
                " ratio of 0, which the logarithmic axis leaves out.</p>"
            )
        drawn.add_trace(line(
            name, rows.index, rows["ratio"].where(rows["ratio"] > 0), colour=COLOURS[number],
            text=[_words(r) for r in rows.itertuples()],
            hover="%{x|%Y-%m-%d}<br>%{y:.3f}<br>%{text}<extra>" + name + "</extra>",
        ))
    if not drawn.data:
        return said
    drawn.update_layout(
        xaxis={"type": "date"}, yaxis={"type": "log", "dtick": "D2", "tickformat": "~r"}
    )
    mark_standards(drawn, market, asked.product)
    newest = []
    for name, rows in found.items():
        known = rows[rows["ratio"].notna()]
        if len(known):
            last = known.iloc[-1]
            newest.append({
                "": name, "session": known.index[-1], "contract": last["contract"],
                "open interest, t": last["paper"], "receipts, t": last["goods"],
                "ratio": last["ratio"], "lowest": known["ratio"].min(),
                "on": known["ratio"].idxmin(), "highest": known["ratio"].max(),
                "on ": known["ratio"].idxmax(),
            })
    return said + chart(drawn, 420) + table(
        pd.DataFrame(newest), head=True, caption="Newest ratio 最新虚实比",
        formats={"ratio": ",.3f", "lowest": ",.3f", "highest": ",.3f"},
    )


def _words(row: Any) -> str:
    if pd.isna(row.ratio):
        return ""
    return f"{row.contract} {row.paper:,.0f} t ÷ receipts {row.goods:,.0f} t"
