"""All spreads of one session as tables of near by far (月差矩阵)."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.market.contract import contract as contract_of
from sibt.market.matrix import matrix
from sibt.market.panel import Market
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import PRICES
from sibt.report.page import missing

__all__ = ["TITLE", "body", "figures"]

TITLE = "Spread matrix 月差矩阵"


def figures(market: Market, asked: Asked) -> tuple[str, pd.DataFrame]:
    """Return which price the matrix is made of, and `sibt.market.matrix.matrix` of it."""
    day = asked.on[0]
    at = int(market.sessions.get_indexer(pd.DatetimeIndex([day]))[0])
    own = [market.column(c) for c in market.contracts
           if contract_of(c).product.name == asked.product]
    known = {name: int((~np.isnan(market.price(name)[at, own])).sum()) for name in PRICES}
    price = asked.priced(known["settle"], known["close"])
    rows = matrix(
        market, day, price, product=asked.product,
        # A settlement is made without trade too; a close without trade is an old price.
        min_volume=0 if price == "settle" else 10, cross_standard=asked.cross_standard,
    )
    return price, rows


def body(market: Market, asked: Asked) -> str:
    """Return the three tables: spread, percentile, share of full carry."""
    day = asked.on[0]
    price, rows = figures(market, asked)
    if rows.empty:
        return missing(
            f"On {day:%Y-%m-%d} fewer than two contracts have a {price}, so there is no spread."
        )
    far_most = float(np.nanmax(np.abs(rows["spread"]))) if rows["spread"].notna().any() else 1.0
    simulated = "SIMULATED · " if market.provenance.simulated else ""
    on = f"{day:%Y-%m-%d}, {PRICES[price]}"
    rule = (
        "Settlements of every contract count." if price == "settle"
        else "A close counts where both legs traded at least 10 lots, or where volume is unknown."
    )
    return (
        f"<p>{on}. Rows are the near leg 近月, columns the far leg 远月; spreads are near − far."
        f" {rule} Nothing after this session is used.</p>"
        + _section(
            rows, f"{simulated}Spread 月差, yuan/t 元/吨", "spread", "no_spread",
            lambda v: f"{v:+,.0f}", lambda v: v / far_most if far_most else 0.0,
            "Orange: the near month is dearer (back). Blue: the far month is dearer (contango).",
        )
        + _section(
            rows, f"{simulated}Percentile in its own history 历史分位, %", "percentile",
            "no_percentile", lambda v: f"{v:.0f}", lambda v: (v - 50) / 50,
            "The share of the pair's sessions so far whose spread was not above this one. 100 is"
            " the highest ever, blue the lowest.",
        )
        + _section(
            rows, f"{simulated}Share of full carry 持有成本占比, %", "share", "no_share",
            lambda v: f"{100 * v:,.0f}", lambda v: max(-1.0, min(1.0, v)),
            "(far − near) ÷ cost of carrying a receipt from near to far. 100 is full carry; below"
            " 0 the near month is dearer. Funds and tax are assumed; see the product's file.",
        )
    )


def _section(
    rows: pd.DataFrame,
    title: str,
    column: str,
    why: str,
    text: Callable[[float], str],
    warmth: Callable[[float], float],
    meaning: str,
) -> str:
    """Return one table; `warmth` of a value is −1 (blue) to +1 (orange)."""
    codes = sorted({*rows["near"], *rows["far"]}, key=lambda c: contract_of(c).month)
    cells = {(r["near"], r["far"]): r for r in rows.to_dict("records")}
    reasons: dict[str, str] = {}
    lines = []
    for near in codes[:-1]:
        line = [f'<th scope="row">{near}</th>']
        for far in codes[1:]:
            line.append(_cell(cells.get((near, far)), column, why, text, warmth, reasons))
        lines.append(f"<tr>{''.join(line)}</tr>")
    heads = "".join(f'<th scope="col" class="num">{code}</th>' for code in codes[1:])
    marks = "".join(f"<li><b>{sign}</b> {escape(words)}</li>" for words, sign in reasons.items())
    legend = f'<ul class="plain soft">{marks}</ul>' if marks else ""
    return (
        f"<h2>{escape(title)}</h2><p>{escape(meaning)}</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f'<table class="matrix"><thead><tr><th scope="col">near \\ far</th>{heads}</tr></thead>\n'
        "<tbody>" + "\n".join(lines) + f"</tbody></table></div>{legend}\n"
    )


def _sign(number: int) -> str:
    """Return a, b, ..., z, aa, ab, ..."""
    before, last = divmod(number, len(ascii_lowercase))
    return (_sign(before - 1) if before else "") + ascii_lowercase[last]


def _cell(
    row: dict[Any, Any] | None,
    column: str,
    why: str,
    text: Callable[[float], str],
    warmth: Callable[[float], float],
    reasons: dict[str, str],
) -> str:
    if row is None:
        return "<td></td>"
    value = row[column]
    if np.isnan(value):
        words = row[why] or "not known"
        sign = reasons.setdefault(words, _sign(len(reasons)))
        return f'<td class="none" title="{escape(words)}">{sign}</td>'
    heat = warmth(float(value))
    tone = "high" if heat > 0 else "low"
    full = f"{row['near']} − {row['far']}: {row['spread']:+,.0f} yuan/t"
    if row["sessions"]:
        full += f", {row['sessions']} sessions from {row['low']:+,.0f} to {row['high']:+,.0f}"
    if not np.isnan(row["carry"]):
        full += f", full carry {row['carry']:,.0f}"
    return (
        f'<td class="heat" style="--tone:var(--{tone});--share:{0.5 * abs(heat):.2f}"'
        f' title="{escape(full)}">{text(float(value)).replace("-", "−")}</td>'
    )
