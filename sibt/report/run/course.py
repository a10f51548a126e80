"""How a run went: its charts, and the tables and sentences that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd
from markupsafe import escape

from sibt.language import Language
from sibt.report import charts
from sibt.report.charts.levels import undrawn
from sibt.report.page import chart, table
from sibt.report.run.section import minus, paragraph
from sibt.runs.run import Run
from sibt.strategy.levels import Level

__all__ = ["curve", "equity", "legs", "margin", "months", "price"]

def equity(run: Run, t: Language) -> str:
    """Return the charts of the account, and for a hedge of goods and futures first."""
    hedge = "" if run.hedge is None else chart(charts.hedge(run, t), 480, name="hedge")
    return hedge + chart(charts.equity(run, t), 520, name="equity")


def price(run: Run, t: Language, levels: Sequence[Level] = ()) -> str:
    """Return the spread or price with what was done in it, and levels where they belong."""
    left_out = "".join(paragraph(t, t(why)) for why in undrawn(run, levels))
    return chart(charts.price(run, t, levels), 520, name="price") + left_out


def legs(run: Run, t: Language) -> str:
    """Return profit by leg, fees and slippage, and what of a spread's result was its own."""
    frame = run.result.by_leg.reset_index()
    frame.loc[len(frame)] = [t("all legs"), *frame.iloc[:, 1:].sum()]
    frame.columns = pd.Index([
        t("leg"), t("profit before fees"), t("fees"), t("slippage"), t("net result"),
    ])
    numbers = list(frame.columns[1:])
    gains = (numbers[0], numbers[-1])
    return (
        chart(charts.legs(run, t), 440, name="legs")
        + table(
            frame, caption=t("By leg, yuan; slippage is part of the profit, not beside it"),
            head=True, signed=gains,
            formats={name: "+,.2f" if name in gains else ",.2f" for name in numbers},
        )
        + _split(run, t)
    )


def _split(run: Run, t: Language) -> str:
    figure = charts.split(run, t)
    if figure is None:
        return ""
    parts = run.result.attribution
    spread, flat = float(parts["spread_move"].sum()), float(parts["flat_price"].sum())
    return paragraph(t, t(
        "Of {gross:+,.2f} yuan before fees the spread's own move made {spread:+,.2f} and the level"
        " of prices {flat:+,.2f}: equal lots are not equal money, so the dearer leg still gains"
        " or loses when all prices rise or fall together.",
        gross=spread + flat, spread=spread, flat=flat,
    )) + chart(figure, 420, name="split")


def margin(run: Run, t: Language) -> str:
    """Return equity, margin and available money, the risk degree, and all margin calls."""
    return (
        chart(charts.margin(run, t), 440, name="margin")
        + chart(charts.risk(run, t), 320, name="risk")
        + _calls(run, t)
    )


def _calls(run: Run, t: Language) -> str:
    statement = run.result.statement
    called = statement[statement["margin_call"] > 0]
    if called.empty:
        return paragraph(t, t("There was no margin call."))
    frame = called.reset_index()[
        ["session", "equity", "margin", "available", "risk", "margin_call", "deposit"]
    ]
    frame.columns = pd.Index([
        t("session"), t("equity"), t("margin used"), t("available"), t("risk degree"),
        t("margin call"), t("paid in or out"),
    ])
    answer = (t("each was paid in the same evening") if run.result.job.account.on_call == "deposit"
              else t("each is answered by closing lots in the next session"))
    return table(
        frame, caption=t("Margin calls, yuan; {answer}", answer=answer),
        head=True, marks=["wrong"] * len(frame),
        formats=dict.fromkeys(frame.columns[1:], ",.2f") | {t("risk degree"): ".2%"},
    )


def curve(run: Run, t: Language) -> str:
    """Return the term structure on the days of entry and exit; of many trips one is chosen."""
    figure = charts.curves(run, t)
    if figure is None:
        return ""
    numbers, trips = figure.layout.meta["trips"], run.result.round_trips
    choice = ""
    if len(numbers) > 1:
        options = "".join(
            f'<option value="{n}">{n + 1}: {trips["entry"].iloc[n]:%Y-%m-%d},'
            f' {minus(format(trips["net"].iloc[n], "+,.0f"))}</option>' for n in numbers
        )
        label = t("round trip: entry, net result in yuan")
        choice = (
            f'<p class="choose trip" hidden><label>{escape(label)} <select>{options}</select>'
            "</label></p>\n"
        )
    words = ""
    if len(numbers) < len(trips):
        words = paragraph(t, t(
            "{shown} of {count} round trips: the first and the last, the best and the worst, and"
            " those that moved most money.", shown=len(numbers), count=len(trips),
        ))
    return words + choice + chart(figure, 420, name="curves")


def months(run: Run, t: Language) -> str:
    """Return the result by month as bars and as a table of years and months."""
    bars = chart(charts.monthly(run, t), 340, name="monthly")
    futures = cast(pd.DataFrame, charts.monthly_table(run)["net"])
    if run.hedge is None:
        return bars + _calendar(futures, t("Net result by month, yuan"), t)
    both = run.hedge.table["hedged"].loc[run.result.returns.index]
    return (
        _calendar(_by_month(both), t("Goods and futures together, yuan"), t)
        + bars + _calendar(futures, t("Futures account, yuan"), t)
    )


def _by_month(daily: pd.Series[float]) -> pd.DataFrame:
    """Return sums by year and month as `charts.monthly_table` lays them out, NaN unknown."""
    day = pd.DatetimeIndex(daily.index)
    sums = daily.groupby([day.year, day.month]).sum(min_count=1).unstack()
    found = sums.reindex(columns=range(1, 13))
    found["total"] = found.sum(axis=1, min_count=1)
    found.loc["total"] = found.sum(min_count=1)
    return found


def _calendar(found: pd.DataFrame, caption: str, t: Language) -> str:
    frame = found.rename_axis("year").reset_index()
    names = [t("year"), *_months(t), t("total")]
    frame = frame.set_axis(names, axis=1)
    frame[names[0]] = [t("total") if year == "total" else str(year) for year in frame[names[0]]]
    return table(frame, caption=caption, head=True, signed=names[1:],
                 formats=dict.fromkeys(names[1:], "+,.0f"))


def _months(t: Language) -> list[str]:
    return [t("Jan"), t("Feb"), t("Mar"), t("Apr"), t("May"), t("Jun"), t("Jul"), t("Aug"),
            t("Sep"), t("Oct"), t("Nov"), t("Dec")]
