"""The daily settlement statement as a broker prints it, settled in both ways, day by day."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.engine.ledger import FILL_REASONS, OFFSETS, STATEMENT
from sibt.engine.statement import matched
from sibt.language import Language
from sibt.report.page import missing, table
from sibt.report.run.section import paragraph
from sibt.runs.run import Run

__all__ = ["shown", "statement"]

_CLOSE, _CLOSE_TODAY = OFFSETS.index("close"), OFFSETS.index("close_today")


def shown(run: Run) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return, by session, whether something was held, traded or moved."""
    booked = run.result.booked
    money = booked["statement"][:, [n for n, name in enumerate(STATEMENT) if name != "equity"]]
    active = booked["positions"].any(axis=(1, 2)) | money.any(axis=1)
    active[booked["fills"][:, 0]] = True
    found: np.ndarray[Any, np.dtype[np.bool_]] = active
    return found


def statement(run: Run, t: Language) -> str:
    """Return the statement settled by the day and by the trade, and the sheet of one day."""
    active = shown(run)
    if not active.any():
        return missing(t("Nothing was held, traded or moved, so the statement is empty."))
    left = int((~active).sum())
    words = [t("{count} sessions in which something was held, traded or moved.",
               count=int(active.sum()))]
    if left:
        words.append(t("{count} others are left out; statement.csv holds them all.", count=left))
    calls = int((run.result.statement["margin_call"] > 0).sum())
    if calls:
        words.append(t("Margin calls are marked with a bar at the left."))
    return paragraph(t, *words) + _tabs(run, active, t) + _sheet(run, active, t)


def _tabs(run: Run, active: Any, t: Language) -> str:
    """Return both ways to settle as tabs; without a script and on paper they follow each other."""
    ways = [
        ("by-day", t("Marked to market"), run.result.statement, "held_pnl",
         t("profit of held lots"),
         t("Marked to market: closed lots count from the last settlement, held ones are settled"
           " every day")),
        ("by-trade", t("Trade by trade"), run.result.by_trade, "floating_pnl",
         t("floating profit"),
         t("Trade by trade: closed lots count from the fill that opened them, and what open lots"
           " would bring floats beside the balance")),
    ]
    buttons = "".join(
        f'<button type="button" role="tab" id="tab-{name}" aria-controls="{name}"'
        f' aria-selected="{"true" if n == 0 else "false"}"{"" if n == 0 else " tabindex=-1"}>'
        f"{escape(label)}</button>\n"
        for n, (name, label, *_) in enumerate(ways)
    )
    panels = "".join(
        f'<div role="tabpanel" id="{name}" aria-labelledby="tab-{name}" class="settled">'
        f"{_settled(frame[active], open_, heading, caption, t)}</div>\n"
        for name, _, frame, open_, heading, caption in ways
    )
    label = escape(t("How closed and open lots are settled"))
    return (
        f'<div class="tabs"><div role="tablist" aria-label="{label}">\n{buttons}</div>\n'
        f"{panels}</div>\n"
    )


def _settled(frame: pd.DataFrame, open_: str, heading: str, caption: str, t: Language) -> str:
    names = {
        "session": t("session"), "previous": t("previous balance"),
        "closed_pnl": t("closed profit"), open_: heading, "fees": t("fees"),
        "deposit": t("paid in or out"), "equity": t("equity"), "margin": t("margin used"),
        "available": t("available"), "risk": t("risk degree"), "margin_call": t("margin call"),
    }
    rows = frame.reset_index()[list(names)].rename(columns=names)
    rows[names["session"]] = rows[names["session"]].dt.strftime("%Y-%m-%d")
    formats = dict.fromkeys(names.values(), ",.2f") | {names["risk"]: ".2%"}
    signed = (names["closed_pnl"], names[open_])
    drawn = table(
        rows, caption=caption, head=True, tall=True, signed=signed,
        formats=formats | dict.fromkeys(signed, "+,.2f"),
        marks=["wrong" if call > 0 else "" for call in frame["margin_call"]],
    )
    # A cell for every session and column: the style aligns them, no class each.
    return drawn.replace('<td class="num">', "<td>").replace('<td class="num ', '<td class="')


def _sheet(run: Run, active: Any, t: Language) -> str:
    """Return one day's sheet: money, fills and lots held; a script fills it in."""
    words = {
        "buy": t("buy"), "sell": t("sell"), "open": t("to open"), "close": t("to close"),
        "close_today": t("to close today's"), **{name: t(name) for name in FILL_REASONS},
    }
    kept = "".join(f'<span data-word="{name}">{escape(word)}</span>' for name, word in
                   words.items())
    fills = [t("contract"), t("side"), t("offset"), t("lots"), t("fill price"), t("turnover"),
             t("fees"), t("closed profit, from settlement"), t("closed profit, from opening"),
             t("reason")]
    held = [t("contract"), t("side"), t("lots"), t("average opening price"),
            t("previous settlement"), t("settlement"), t("profit of held lots"),
            t("floating profit"), t("margin used")]
    text = json.dumps(_days(run, active), ensure_ascii=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c")
    gross = ""
    if run.result.job.account.spread_relief:
        gross = paragraph(t, t("Margin by contract is before the relief for calendar spreads."),
                          of="soft")
    needs = escape(t("One day's sheet is put together by a script, which this reader does not run;"
                     " the tables above and the CSV files hold the same figures."))
    return (
        f"<h3>{escape(t('One day'))}</h3>\n<noscript><p>{needs}</p></noscript>\n"
        '<div class="day-sheet" hidden>\n<p class="choose">'
        f'<button type="button" data-step="-1">◀ {escape(t("previous session"))}</button>\n'
        f'<label>{escape(t("session"))} <select></select></label>\n'
        f'<button type="button" data-step="1">{escape(t("next session"))} ▶</button>\n'
        f'<span class="soft">{escape(t("● with fills, ! with a margin call"))}</span></p>\n'
        '<div aria-live="polite">\n'
        + _blank("funds", t("Account"), [t("yuan"), t("Marked to market"), t("Trade by trade")])
        + _blank("filled", t("Fills of the day"), fills)
        + _blank("held", t("Positions at settlement"), held)
        + f"{gross}</div>\n<p hidden>{kept}</p>\n"
        f'<script type="application/json">{safe}</script>\n</div>\n'
    )


def _blank(name: str, caption: str, heads: list[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    label = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="{name}"><caption>{label}</caption><thead><tr>{cells}</tr></thead>'
        f'<tbody></tbody></table></div>\n<p class="none" hidden>{label}: –</p>\n'
    )


def _days(run: Run, active: Any) -> dict[str, Any]:
    """Return fills and positions of the sessions shown, money in fen, days by their number.

    ``fills``: day, contract, signed lots, offset, price, turnover, fee, closed profit from the
    settlement before and from the opening fill (null where it opens), reason. ``held``: day,
    contract, signed lots, average opening price, settlement before and of the day, profit of
    held lots marked to market, floating profit, margin.
    """
    job, booked = run.result.job, run.result.booked
    fills, lots = booked["fills"], booked["positions"]
    size, settle = job.terms.multiplier, job.prices.settle
    before = np.vstack([settle[:1] * 0, settle[:-1]])
    number = np.cumsum(active) - 1
    t, leg, k, signed, price, fee, offset, reason = fills.T
    by_trade, paid = matched(job, fills)
    by_day = _closed_by_day(fills, size, before)
    opens = (offset != _CLOSE) & (offset != _CLOSE_TODAY)

    bought, cost, closed = np.zeros((3, *lots.shape), dtype=np.int64)
    np.add.at(bought, (t, leg, k), signed * price * size[k])
    np.add.at(cost, (t, leg, k), paid)
    np.add.at(closed, (t, leg, k), by_day)
    worth = lots * (settle * size)[:, None, :]
    carried = np.zeros_like(worth)
    carried[1:] = lots[:-1] * (before * size)[1:, None, :]
    # Of the session's profit what was not closed was held.
    marked = worth - carried - bought - closed
    floating = worth - cost.cumsum(axis=0)
    margins = (run.result.positions["margin"] * 100).round().astype("int64").tolist()
    return {
        "contracts": list(job.contracts), "offsets": OFFSETS, "reasons": FILL_REASONS,
        "fills": [
            [int(number[t[n]]), int(k[n]), int(signed[n]), int(offset[n]), int(price[n]),
             int(abs(signed[n]) * price[n] * size[k[n]]), int(fee[n]),
             *([None, None] if opens[n] else [int(by_day[n]), int(by_trade[n])]), int(reason[n])]
            for n in range(len(fills))
        ],
        "held": [
            [int(number[x]), int(z), int(lots[x, y, z]),
             round(float(worth[x, y, z] - floating[x, y, z]) / int(lots[x, y, z] * size[z]), 4),
             int(before[x, z]), int(settle[x, z]), int(marked[x, y, z]), int(floating[x, y, z]),
             margin]
            for (x, y, z), margin in zip(np.argwhere(lots), margins, strict=True)
        ],
    }


def _closed_by_day(fills: Any, size: Any, before: Any) -> Any:
    """Return each fill's closed profit marked to market, fen: as the ledger counts it."""
    found = np.zeros(len(fills), dtype=np.int64)
    today: dict[tuple[int, int, int], list[int]] = {}
    for n, (t, leg, k, signed, price, _, offset, _) in enumerate(fills.tolist()):
        opened = today.setdefault((t, leg, k), [0, 0])
        if offset == _CLOSE:
            found[n] = -signed * (price - int(before[t, k])) * int(size[k])
            continue
        if offset == _CLOSE_TODAY:
            # At the average of what was opened today.
            share = opened[1] * abs(signed) // abs(opened[0])
            found[n] = -(signed * price + share) * int(size[k])
            opened[1] -= share
        else:
            opened[1] += signed * price
        opened[0] += signed
    return found
