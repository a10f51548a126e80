"""What a notebook shows of a result: its headline figures, in the language of the user's locale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from sibt.language import Language

if TYPE_CHECKING:
    from sibt.engine.result import Result

__all__ = ["as_html", "headline"]


def headline(result: Result, t: Language, net: str = "net result") -> dict[str, str]:
    """Return the figures a trader asks for first, as texts by their names.

    `net` is what the account's result is called: a hedge's is but one half of it.
    """
    m = result.metrics
    if m["net_per_tonne"] is None:
        money = t("0.00 yuan: no position was held")
    else:
        money = t("{net:+,.2f} yuan, {each:+,.1f} yuan/t of the largest position",
                  net=m["net"], each=m["net_per_tonne"])  # fmt: skip
    if m["sharpe"] is not None:
        sharpe = t("{sharpe:.2f} a year, over {n} sessions", sharpe=m["sharpe"], n=m["sessions"])
    elif result.known:
        sharpe = t("unknown")
    else:
        sharpe = t("none: fewer than three round trips")
    market = result.job.market
    return {
        t(net): money,
        t("fees"): t("{money:,.2f} yuan", money=m["fees"]),
        t("drawdown"): t("{share:.2%} of the index, {money:,.2f} yuan",
                         share=m["max_drawdown"], money=m["max_drawdown_yuan"]),
        t("peak margin"): t("{money:,.2f} yuan", money=m["peak_margin"]),
        t("margin calls"): f"{m['margin_calls']}" if m["margin_calls"] else t("none"),
        t("round trips"): t("{trips} ({won} won, {open} still open)", trips=m["round_trips"],
                            won=m["won"], open=m["open_trips"]),
        t("Sharpe ratio"): sharpe,
        t("data"): f"{market.provenance.source}, {market.sessions[0]:%Y-%m-%d}.."
                   f"{market.sessions[-1]:%Y-%m-%d}",
    }  # fmt: skip


def as_html(
    rows: Mapping[str, str],
    sentences: Iterable[str],
    *,
    title: str = "",
    simulated: bool,
    mark: str = "",
) -> str:
    """Return texts by name as an HTML table, and sentences below it; `mark` stands above all.

    It names no colours: a notebook, light or dark, brings its own.
    """
    marks = [*([escape(mark)] if mark else []), *(["SIMULATED 模拟数据"] if simulated else [])]
    parts = [
        '<p style="border: 2px solid; padding: 0.2em 0.6em; display: inline-block">'
        f"<strong>{words}</strong></p>"
        for words in marks
    ]
    if title:
        parts.append(f"<p><strong>{escape(title)}</strong></p>")
    table = pd.Series(rows).to_frame().to_html(header=False, border=0)
    # Notebooks set numbers, and so all cells, to the right; these are texts.
    for cell in ("th", "td"):
        table = table.replace(f"<{cell}>", f'<{cell} style="text-align: left">')
    parts.append(table)
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    if listed:
        parts.append(f"<ul>{listed}</ul>")
    return f"<div>{''.join(parts)}</div>"
