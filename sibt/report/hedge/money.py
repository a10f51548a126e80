"""What a hedge asks of its account: cash at risk, and what rolls brought and cost."""

from __future__ import annotations

import pandas as pd

from sibt.hedging.cash import CashAtRisk
from sibt.language import Language
from sibt.report import charts
from sibt.report.page import chart, table
from sibt.report.run.section import MOST, paragraph, points
from sibt.runs.desk import Desk
from sibt.runs.run import Run

__all__ = ["cash", "rolls"]


def cash(run: Run, desk: Desk, t: Language) -> str:
    """Return the cash this hedge may call for before the goods are paid."""
    found = desk.cash
    if found is None:
        return points(t(note) for note in desk.notes)
    rows = _levels(found, t)
    names = [t("cash"), t("yuan"), t("beyond the first margin"), t("what holding it costs")]
    frame = pd.DataFrame(rows, columns=names)
    frame[names[1:]] = frame[names[1:]].astype(float)
    return (
        paragraph(t, t(found.verdict), _chance(found, t))
        + chart(charts.cash(run, t), 460, name="cash-at-risk")
        + table(frame, head=True, formats=dict.fromkeys(names[1:], ",.0f"),
                caption=t("Peak cash, yuan; cost at {rate:.2%} a year over {days} days, assumed",
                          rate=found.rate, days=found.days))
        + points(t(note) for note in found.notes)
    )


def _chance(found: CashAtRisk, t: Language) -> str:
    return t(
        "On {chance:.1%} of {paths:,} drawn paths the {capital:,.0f} yuan of the account would meet"
        " a margin call.",
        chance=found.chance(), paths=len(found.peaks), capital=found.capital,
    )


def _levels(found: CashAtRisk, t: Language) -> list[list[object]]:
    rows: list[list[object]] = [
        [t("first margin"), found.initial, None, None],
        [t("this run"), found.needed_peak, found.needed_peak - found.initial, None],
    ]
    rows += [
        [t("{level:.0%} of the paths stay within", level=level), found.peak(level),
         found.beyond(level), found.cost(level)]
        for level in (0.95, 0.99)
    ]
    if found.worst_start is not None:
        rows.append([t("worst stretch of the data, from {day:%Y-%m-%d} on", day=found.worst_start),
                     found.worst, found.worst - found.initial, None])
    return rows


def rolls(run: Run, desk: Desk, t: Language) -> str:
    """Return all rolls: spread received or paid, fees, slippage, and what they came to so far."""
    if desk.rolls.empty:
        return ""
    figure = charts.rolls(run, t)
    frame = desk.rolls.tail(MOST).copy()
    frame["new"] = [new if what == "roll" else t(what)
                    for new, what in zip(frame["new"], frame["what"], strict=True)]
    names = {
        "session": t("session"), "old": t("old contract"), "new": t("new contract"),
        "lots": t("lots"), "price_out": t("out at"), "price_in": t("in at"),
        "spread": t("spread"), "fees": t("fees"), "slippage": t("slippage"), "cost": t("cost"),
        "spread_to_date": t("spread to date"), "cost_to_date": t("cost to date"),
    }
    money = {names[name]: ",.2f" for name in ("price_out", "price_in", "fees", "slippage")}
    signs = {names[name]: "+,.2f" for name in ("spread", "cost", "spread_to_date", "cost_to_date")}
    return ("" if figure is None else chart(figure, 380, name="rolls")) + table(
        frame[list(names)].rename(columns=names), formats={**money, **signs, names["lots"]: "+,d"},
        signed=(names["spread"], names["spread_to_date"]),
        caption=t("Prices, spreads and what is to date in yuan per tonne, fees, slippage and cost"
                  " in yuan; a spread above zero was received, a cost below zero came in"),
    )
