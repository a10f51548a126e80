"""What a hedger reads in the terminal: the verdict, effective prices, cash, rolls, estimators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.hedging.estimators import Estimators
from sibt.hedging.hedge import MONTH
from sibt.language import EN, Language
from sibt.report.hedge.words import deliveries, measure, methods, parts, verdict
from sibt.runs.desk import Desk
from sibt.runs.run import Run

__all__ = ["show", "show_estimators", "warn"]

#: Width of a file or a pipe, which has none.
_PIPE = 132

#: Rows of a long table.
_MOST = 12


def warn(run: Run, console: Console, t: Language = EN) -> None:
    """Say first that a hedge would not have lasted, where it would not.

    Parameters
    ----------
    run : Run
        The run, with its desk.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    """
    cash = None if run.desk is None else run.desk.cash
    if cash is not None and not cash.borne:
        console.print(f"[bold red]{escape(t(cash.verdict))}[/]", soft_wrap=True)


def show(run: Run, console: Console, t: Language = EN) -> None:
    """Print the report of the hedging desk.

    Parameters
    ----------
    run : Run
        The run, with its desk; one without says why in a line.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    """
    if not console.is_terminal:
        console.width = _PIPE
    warn(run, console, t)
    desk = run.desk
    if desk is None:
        why = t("No goods with a quote lie in this run, so there is no hedge to report on.")
        console.print(f"[yellow]{escape(why)}[/]", soft_wrap=True)
        return
    found = desk.effectiveness
    if found.timing is not None:
        console.print(escape(t(found.timing.verdict)), soft_wrap=True)
    tables = [_prices(desk, t), _facts(desk, t), _basis(desk, t), _rolls(desk, t),
              _delivered(run, t)]  # fmt: skip
    for table in tables:
        if table is not None:
            console.print(table)
    if desk.estimators is not None:
        show_estimators(desk.estimators, console, t, simulated=run.market.provenance.simulated)
    console.print(_sheet(desk, t))
    cash = () if desk.cash is None else desk.cash.notes
    for note in dict.fromkeys((*found.unknown, *cash, *desk.notes)):
        console.print(t("[yellow]note[/] {sentence}", sentence=escape(t(note))), soft_wrap=True)


def _table(title: str, heads: Sequence[str], left: tuple[int, ...] = (0,)) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number in left else "right")
    return table


def _number(value: Any, form: str = ",.2f") -> str:
    if value is None or pd.isna(value):
        return "–"
    return format(value, form)


def _prices(desk: Desk, t: Language) -> Table:
    needed = desk.effectiveness.outcome.side < 0
    title = t("effective cost, yuan/t") if needed else t("effective price, yuan/t")
    table = _table(title, ["", t("yuan/t"), t("this hedge better by"), t("futures, yuan"),
                           t("hedged on average"), t("variance cut by")])  # fmt: skip
    for row in cast(Any, desk.prices.itertuples()):
        name = escape(t(row.name))
        table.add_row(
            f"[bold]{name}[/]" if row.Index == 0 else name, _number(row.price),
            "" if row.Index == 0 else _number(row.better, "+,.2f"),
            _number(row.futures, "+,.2f"), _number(row.ratio, ".1%"),
            _number(row.variance_reduction, ".1%"),
        )  # fmt: skip
    return table


def _facts(desk: Desk, t: Language) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in (*_risk(desk, t), *_offset(desk, t), *_cost(desk, t), *_cash(desk, t)):
        table.add_row(name, text)
    return table


_Rows = list[tuple[str, str]]


def _risk(desk: Desk, t: Language) -> _Rows:
    month = desk.effectiveness.reductions.xs(MONTH, level="stretch")
    told = [
        t("{measure} by {cut:.1%} ({low:.0%} to {high:.0%})", measure=measure(str(name), t),
          cut=row["reduction"], low=row["low"], high=row["high"])
        if not math.isnan(row["low"]) else
        t("{measure} by {cut:.1%}", measure=measure(str(name), t), cut=row["reduction"])
        for name, row in month.iterrows()
        if str(name) in ("variance", "semivariance", "VaR 95%", "ES 95%")
        and not math.isnan(row["reduction"])
    ]  # fmt: skip
    return [(t("risk cut"), t("; ").join(told) or t("unknown"))]


def _offset(desk: Desk, t: Language) -> _Rows:
    table, line = desk.effectiveness.offsets, desk.effectiveness.regression
    known = table["within"].dropna()
    last = table["offset_to_date"].dropna()
    to_date = t("unknown") if last.empty else f"{last.iloc[-1]:.1%}"
    rows = [(
        t("dollar offset"),
        t("{share} to date; {inside} of {count} months within 80–125% (IAS 39 / 旧CAS24)",
          share=to_date, inside=int(known.astype(bool).sum()), count=len(known)),
    )]  # fmt: skip
    if line is not None:
        passed = t("passed") if line.passes else t("not passed")
        rows.append((
            t("regression test"),
            t("slope {slope:.2f}, R² {r2:.2f}, F {f:.1f} over {count} stretches: {passed}"
              " (旧CAS24 (2006))",
              slope=line.slope, r2=line.r2, f=line.f, count=line.observations, passed=passed),
        ))  # fmt: skip
    return rows


def _cost(desk: Desk, t: Language) -> _Rows:
    paid = desk.effectiveness.cost
    rows = [(
        t("cost of hedge"),
        t("{each:,.2f} yuan/t: fees {fees:,.2f}, slippage {slippage:,.2f}, rolls {rolls:,.2f} yuan",
          each=paid.per_tonne, fees=paid.fees, slippage=paid.slippage, rolls=paid.rolls),
    )]  # fmt: skip
    if len(desk.rolls):
        money = abs(paid.spread)
        told = (t("{money:,.2f} yuan paid from contract to contract", money=money)
                if paid.spread > 0 else
                t("{money:,.2f} yuan received from contract to contract", money=money))
        rows.append((t("roll spreads"), told))
    if (stack := desk.stack) is not None:
        rows.append((
            t("stack less strip"),
            t("{price:+,.2f} yuan/t; at worst {worst:,.2f} yuan of cash more", price=stack.price,
              worst=-stack.worst),
        ))  # fmt: skip
    return rows


def _cash(desk: Desk, t: Language) -> _Rows:
    cash = desk.cash
    if cash is None:
        return []
    rows = [
        (t("cash needed"),
         t("{peak:,.2f} yuan at the peak of this run, {first:,.2f} of it first margin; the account"
           " has {capital:,.2f}",
           peak=cash.needed_peak, first=cash.initial, capital=cash.capital)),
        (t("cash at risk"),
         t("{low:,.0f} yuan on 95% of {paths:,} paths, {high:,.0f} on 99%; a margin call on"
           " {chance:.1%} of them",
           low=cash.peak(0.95), high=cash.peak(0.99), paths=len(cash.peaks),
           chance=cash.chance())),
    ]  # fmt: skip
    if cash.worst_start is not None:
        rows.append((t("worst stretch"), t("{worst:,.0f} yuan, from {day:%Y-%m-%d} on",
                                           worst=cash.worst, day=cash.worst_start)))  # fmt: skip
    rows.append((
        t("cost of cash"),
        t("{low:,.0f} yuan for 95%, {high:,.0f} for 99%: {days} days at {rate:.2%} a year",
          low=cash.cost(0.95), high=cash.cost(0.99), days=cash.days, rate=cash.rate),
    ))  # fmt: skip
    return rows


def _basis(desk: Desk, t: Language) -> Table:
    found, words = desk.effectiveness, parts(t)
    table = _table(t("from the price at the start to the effective one"),
                   ["", t("yuan"), t("yuan/t")])  # fmt: skip
    end = found.outcome
    table.add_row(t("goods as they came"), "", _number(end.start))
    for name, row in found.basis.parts.iterrows():
        if row["yuan"]:
            table.add_row(words[str(name)], _number(row["yuan"], "+,.2f"),
                          _number(row["per_tonne"], "+,.2f"))  # fmt: skip
    table.add_row(f"[bold]{t('effective')}[/]", "", f"[bold]{_number(end.price)}[/]")
    return table


def _rolls(desk: Desk, t: Language) -> Table | None:
    rolls = desk.rolls
    if rolls.empty:
        return None
    title = t("rolls") if len(rolls) <= _MOST else t("the last {shown} of {count} rolls",
                                                     shown=_MOST, count=len(rolls))  # fmt: skip
    table = _table(title, [t("session"), t("from"), t("into"), t("lots"), t("spread"), t("fees"),
                           t("slippage"), t("cost"), t("spread to date"), t("cost to date")],
                   left=(0, 1, 2))  # fmt: skip
    for row in cast(Any, rolls.tail(_MOST).itertuples()):
        into = row.new if row.what == "roll" else t(row.what)
        table.add_row(
            f"{row.session:%Y-%m-%d}", row.old, into, f"{row.lots:+,}",
            _number(row.spread, "+,.2f"), _number(row.fees), _number(row.slippage),
            _number(row.cost, "+,.2f"), _number(row.spread_to_date, "+,.2f"),
            _number(row.cost_to_date, "+,.2f"),
        )  # fmt: skip
    return table


def _delivered(run: Run, t: Language) -> Table | None:
    if run.deliveries is None or run.deliveries.table.empty:
        return None
    words = deliveries(t)
    table = _table(t("delivering against closing and trading spot, yuan"),
                   [t("session"), t("contract"), t("tonnes"), t("delivering"), t("closing"),
                    t("difference"), t("yuan/t"), t("better")], left=(0, 1, 7))  # fmt: skip
    for row in cast(Any, run.deliveries.table.itertuples()):
        table.add_row(
            f"{row.session:%Y-%m-%d}", row.contract, f"{row.tonnes:+,.6g}", _number(row.proceeds),
            _number(row.closed), _number(row.difference, "+,.2f"),
            _number(row.difference_per_tonne, "+,.2f"), words.get(row.better, "–"),
        )  # fmt: skip
    return table


def show_estimators(
    found: Estimators, console: Console, t: Language = EN, *, simulated: bool = False
) -> None:
    """Print ways to a ratio side by side, now and out of sample.

    Parameters
    ----------
    found : Estimators
        The ways.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    simulated : bool
        True for made-up prices.
    """
    if not console.is_terminal:
        console.width = _PIPE
    words = methods(t)
    what = found.code or t("the dominant contract, standard {standard}", standard=found.standard)
    title = t("tonnes of {what} for a tonne of {grade}, changes over {k} quoted sessions",
              what=what, grade=found.grade, k=found.k)  # fmt: skip
    table = _table(f"[bold red]{t('SIMULATED')}[/] {title}" if simulated else title,
                   ["", t("ratio"), t("95% interval"), "R²", t("changes"), t("known to")],
                   left=(0, 5))  # fmt: skip
    for row in cast(Any, found.table.itertuples()):
        interval = "" if pd.isna(row.low) else f"{row.low:.2f} … {row.high:.2f}"
        last = "" if pd.isna(row.last) else f"{row.last:%Y-%m-%d}"
        if isinstance(row.why, str):
            table.add_row(words[row.Index], "–", "", "", "", escape(t(row.why)))
            continue
        table.add_row(words[row.Index], f"{row.ratio:.3f}", interval, _number(row.r2, ".2f"),
                      f"{row.observations:,}", last)  # fmt: skip
    console.print(table)
    held = found.contest
    if held is not None:
        table = _table(
            t("out of sample: {count} changes, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
              count=held.windows, first=held.first, last=held.last),
            ["", t("mean ratio"), t("variance cut by"), t("miss, yuan/t"), "Diebold–Mariano", "p",
             t("p of all"), t("verdict")],
            left=(0, 7),
        )  # fmt: skip
        for row in cast(Any, held.table.itertuples()):
            table.add_row(
                words[row.Index], _number(row.ratio, ".3f"),
                _number(row.variance_reduction, ".1%"), _number(row.loss),
                _number(row.statistic, "+.2f"), _number(row.chance, ".3f"),
                _number(row.chance_of_all, ".3f"), verdict(row.verdict, t),
            )  # fmt: skip
        console.print(table)
        if not math.isnan(held.superior):
            console.print(
                t("That the best is no better than one for one has p = {p:.3f} (Hansen's test).",
                  p=held.superior),
                soft_wrap=True,
            )  # fmt: skip
    for note in found.notes:
        console.print(t("[yellow]note[/] {sentence}", sentence=escape(t(note))), soft_wrap=True)


def _sheet(desk: Desk, t: Language) -> Table:
    table = Table(title=t("hedge accounting, CAS 24 (2017) / IFRS 9"), title_justify="left",
                  show_header=False, box=None, padding=(0, 2, 0, 0))  # fmt: skip
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold")
    for row in desk.sheet.rows:
        name = t(row.name) if t(row.name) == row.term else f"{t(row.name)} {row.term}"
        space = " " if t is EN else ""
        table.add_row(escape(name), escape(space.join(map(t, row.answer))))
    return table
