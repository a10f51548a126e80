"""The short table a trader reads after a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.language import EN, Language
from sibt.report.shortfalls import why
from sibt.runs.run import Run

__all__ = ["caught", "show"]

#: Diagnoses told in the terminal; the page has all of them, and why they matter.
_MOST = 3


def caught(run: Run, console: Console, t: Language = EN) -> None:
    """Say before all else that the strategy looks ahead, where it does.

    Parameters
    ----------
    run : Run
        The run.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    """
    if run.looks_ahead and run.lookahead is not None:
        words = t("{verdict}; none of this could have been earned, see sibt check {strategy}",
                  verdict=t(run.lookahead.sentence), strategy=run.given)
        console.print(f"[bold red]{escape(words)}[/]", soft_wrap=True)


def show(
    run: Run,
    folder: Path,
    console: Console,
    seconds: float,
    command: str,
    t: Language = EN,
) -> None:
    """Print a run: result, cost, risk, what did not fill, provenance, where the files are.

    Parameters
    ----------
    run : Run
        The run.
    folder : Path
        Where it was written.
    console : rich.console.Console
        Where to print.
    seconds : float
        Time the whole run took.
    command : str
        What was called.
    t : Language
        Language to print in.
    """
    market = run.market.provenance
    if not console.is_terminal:
        # A file or a pipe has no width; tables there need not be squeezed.
        console.width = 132

    def line(text: str) -> None:
        console.print(text, soft_wrap=True)

    report = run.strategy.source(run.params)
    if report:
        line(t("[italic]“{quote}”[/] {title}, {publisher}, {date}, {place}",
               quote=escape(report.quote), title=escape(report.title),
               publisher=escape(report.publisher), date=escape(t(report.date)),
               place=escape(report.place)))
    console.print(_figures(run, t))
    if len(run.result.by_leg) > 1:
        console.print(_by_leg(run, t))
    if len(run.result.round_trips):
        console.print(_trips(run, t))
    if len(run.comparisons):
        console.print(_comparisons(run, t))
        if run.excess is not None:
            console.print(t("Excess over the controls: {excess:+,.1f} yuan/t", excess=run.excess))
    _doctor(run, line, t)
    for word in run.warnings:
        line(t("[yellow]note[/] {sentence}", sentence=escape(t(word))))
    line(t("Written in {seconds:.1f} s: {folder}", seconds=seconds, folder=escape(str(folder))))
    line(t("Page: {file}", file=escape(str(folder / "index.html"))))
    line(t("Tear sheet: {file}", file=escape(str(folder / "tearsheet.html"))))
    if market.simulated:
        # On a folder of made-up prices the same command would give the same again.
        then = t("sibt run without --data") if "--data" in command else command
        line(t("Real prices: sibt data pull --source akshare, or sibt data import FILE; then"
               " {then}", then=escape(then)))


def _doctor(run: Run, line: Callable[[str], None], t: Language) -> None:
    """Print the gravest diagnoses: what there is, and what to do."""
    found = run.diagnosis
    if not found:
        line(t("[green]diagnosis[/] nothing found that makes the result doubtful"))
    for one in found[:_MOST]:
        line(t("[yellow]diagnosis[/] {issue}", issue=escape(t(one.issue))))
        line(f"  → {escape(t(one.cure))}")
    if len(found) > _MOST:
        line(t("[yellow]diagnosis[/] {more} more on the page", more=len(found) - _MOST))


def _money(value: float | None, t: Language, digits: int = 2, sign: bool = False) -> str:
    if value is None or pd.isna(value):
        return t("unknown")
    return f"{value:{'+' if sign else ''},.{digits}f}"


def _figures(run: Run, t: Language) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    rows = [
        *_hedge(run, t), *_net(run, t), *_trips_in_short(run, t), *_risk(run, t),
        *_unfilled(run, t), *_books(run, t), *_origin(run, t),
    ]  # fmt: skip
    for name, text in rows:
        table.add_row(name, text)
    return table


_Rows = list[tuple[str, str]]


def _hedge(run: Run, t: Language) -> _Rows:
    if run.hedge is None:
        return []
    h = run.hedge.metrics
    both = t(
        "[bold]{net} yuan[/]  ({each} yuan/t on {tonnes:,.0f} t)",
        net=_money(h["hedged"], t, sign=True),
        each=_money(h["hedged_per_tonne"], t, 1, True),
        tonnes=h["tonnes"],
    )
    goods = t(
        "{net} yuan  ({each} yuan/t)",
        net=_money(h["physical"], t, sign=True),
        each=_money(h["unhedged_per_tonne"], t, 1, True),
    )
    cut, span = h["variance_reduction"], {"stretches": h["variance_stretches"]}
    ratio = h["average_ratio"]
    less = (
        t("unknown from {stretches} stretches of 20 sessions; {ratio:.1%} hedged on average",
          ratio=ratio, **span)
        if cut is None
        else t("{cut:.1%} over {stretches} stretches of 20 sessions; {ratio:.1%} hedged on average",
               cut=cut, ratio=ratio, **span)
    )  # fmt: skip
    rows = [(t("goods + futures"), both), (t("goods alone"), goods), (t("variance cut by"), less)]
    if h["unknown_spot"]:
        days = t("{sessions} sessions with goods and no quote", sessions=h["unknown_spot"])
        rows.append((t("spot unknown"), days))
    return rows


def _net(run: Run, t: Language) -> _Rows:
    m = run.result.metrics
    name = t("net result") if run.hedge is None else t("futures alone")
    if m["net_per_tonne"] is None:
        net = t("[bold]0.00 yuan[/]  (no position was held)")
    else:
        net = t(
            "[bold]{net} yuan[/]  ({each} yuan/t of the largest position)",
            net=_money(m["net"], t, sign=True),
            each=_money(m["net_per_tonne"], t, 1, True),
        )
    paid = t(
        "fees {fees} (at a broker's 2×: {twice}), slippage {slippage} yuan",
        fees=_money(m["fees"], t),
        twice=_money(m["fees_at_broker"], t),
        slippage=_money(m["slippage"], t),
    )
    return [(name, net), (t("paid"), paid)]


def _trips_in_short(run: Run, t: Language) -> _Rows:
    m = run.result.metrics
    trips, won = m["round_trips"], m["won"]
    if m["open_trips"]:
        text = t("{trips} ({won} won, {open} still open)", trips=trips, won=won,
                 open=m["open_trips"])
    else:
        text = t("{trips} ({won} won)", trips=trips, won=won)
    rows = [(t("round trips"), text)]
    if m["sharpe"] is not None:
        sharpe = t("{sharpe:.2f} a year of 242 sessions, over {sessions} sessions",
                   sharpe=m["sharpe"], sessions=m["sessions"])
        return [*rows, (t("Sharpe"), sharpe)]
    if run.result.known:
        return rows
    rows.append((t("Sharpe"), t("none: fewer than three round trips")))
    days = run.few_days
    if days is not None and days["chosen"].any():
        rank = t(
            "rank {rank} of {count} possible days; net of all: {low} to {high}, median {middle}"
            " yuan",
            rank=int(days.loc[days["chosen"], "rank"].iloc[0]),
            count=len(days),
            low=_money(days["net"].min(), t, 0, True),
            high=_money(days["net"].max(), t, 0, True),
            middle=_money(days["net"].median(), t, 0, True),
        )
        rows.append((t("entry day"), rank))
    return rows


def _risk(run: Run, t: Language) -> _Rows:
    m = run.result.metrics
    alone = run.hedge is None
    rows = [
        (
            t("worst day") if alone else t("futures' worst day"),
            t("{money} yuan on {day}", money=_money(m["worst_day"], t, sign=True),
              day=m["worst_day_on"]),
        ),
        (
            t("drawdown") if alone else t("futures' drawdown"),
            t("{share:.2%} of the index, {money} yuan; lowest equity {equity}",
              share=m["max_drawdown"], money=_money(m["max_drawdown_yuan"], t),
              equity=_money(m["worst_equity"], t)),
        ),
        (
            t("peak margin"),
            t("{exchange} at the exchange's rates, {broker} at a broker's +5 points",
              exchange=_money(m["peak_margin_exchange"], t),
              broker=_money(m["peak_margin_broker"], t)),
        ),
    ]  # fmt: skip
    if m["peak_margin_exchange_open_reading"] != m["peak_margin_exchange"]:
        other = t(
            "under the notices' other reading {exchange} and {broker}",
            exchange=_money(m["peak_margin_exchange_open_reading"], t),
            broker=_money(m["peak_margin_broker_open_reading"], t),
        )
        rows.append(("", other))
    calls = t("none")
    if m["margin_calls"]:
        calls = t(
            "[red]{calls}[/], the largest {largest} yuan; paid in {deposits}",
            calls=m["margin_calls"],
            largest=_money(m["largest_call"], t),
            deposits=_money(m["deposits"], t),
        )
    return [*rows, (t("margin calls"), calls)]


def _unfilled(run: Run, t: Language) -> _Rows:
    table = run.result.unfilled
    lots = (table["wanted"] - table["filled"]).abs()
    by = lots.groupby(table["reason"]).agg(["size", "sum"])
    reasons = [
        t("{reason}: {times}× ({lots:,} lots)", reason=why(str(reason), t),
          times=row["size"], lots=row["sum"])
        for reason, row in by.iterrows()
    ]  # fmt: skip
    rows = [(t("unfilled"), t("; ").join(reasons) or t("none"))]
    if "naked" in run.result.statement:
        naked = run.result.statement["naked"]
        often = t("{sessions} sessions, at most {lots} lots", sessions=int((naked > 0).sum()),
                  lots=int(naked.max()))
        rows.append((t("naked legs"), often if naked.any() else t("never")))
    return rows


def _books(run: Run, t: Language) -> _Rows:
    same = t("largest difference {yuan:.6f} yuan over {sessions} sessions",
             yuan=run.result.reconcile(), sessions=len(run.result.statement))
    return [(t("two books"), same)]


def _origin(run: Run, t: Language) -> _Rows:
    market = run.market
    source = escape(market.provenance.source)
    if market.provenance.simulated:
        source = f"[bold red]{t('SIMULATED')}[/] {source}"
    data = t("{source}, {first:%Y-%m-%d}..{last:%Y-%m-%d}, {digest}", source=source,
             first=market.sessions[0], last=market.sessions[-1], digest=market.digest[:12])
    strategy = escape(run.given)
    if run.given != str(run.path):
        strategy = t("{name}, shipped with sibt", name=run.name)
    account = run.result.job.account
    size = t("{capital:,.0f} yuan, {kind}", capital=account.capital, kind=t(account.kind))
    rows = [(t("data"), data), (t("strategy"), strategy)]
    if run.lookahead is not None:
        rows.append((t("look-ahead"), escape(t(run.lookahead.sentence))))
    return [*rows, (t("account"), size)]


def _word(word: str, where: str, t: Language) -> str:
    """Return a word that means something else elsewhere; the catalogue has it by its place."""
    return word if t is EN else t(f"{where}.{word}")


def _by_leg(run: Run, t: Language) -> Table:
    table = Table(title=t("by leg, yuan"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("leg", "profit", "fees", "slippage", "net"):
        table.add_column(t(name), justify="left" if name == "leg" else "right")
    for leg, row in run.result.by_leg.iterrows():
        table.add_row(escape(str(leg)), _money(row["profit"], t, sign=True), _money(row["fees"], t),
                      _money(row["slippage"], t), _money(row["net"], t, sign=True))
    return table


def _trips(run: Run, t: Language) -> Table:
    trips = run.result.round_trips
    title = t("round trips")
    if len(trips) > 10:
        title = t("the last 10 of {count} round trips", count=len(trips))
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    names = {
        "entry": t("entry"), "exit": t("exit"), "units": t("units"), "in at": t("in at"),
        "out at": t("out at"), "net": t("net"), "worst": _word("worst", "round_trips", t),
        "best": _word("best", "round_trips", t), "days": t("days"),
    }  # fmt: skip
    for name, shown in names.items():
        table.add_column(shown, justify="left" if name in ("entry", "exit") else "right",
                         no_wrap=True)
    rolled = bool((trips["rolls"] > 0).any())
    if rolled:
        table.add_column(t("rolls"), justify="right")
    still = _word("open", "round_trips", t)
    for row in cast(Any, trips.tail(10).itertuples()):
        out = still if pd.isna(row.exit) else f"{row.exit:%y-%m-%d}"
        table.add_row(
            f"{row.entry:%y-%m-%d}", out, f"{row.units:+,.0f}", _money(row.entry_spread, t, 0),
            "" if pd.isna(row.exit_spread) else _money(row.exit_spread, t, 0),
            _money(row.net, t, 0, True), _money(row.worst, t, 0, True),
            _money(row.best, t, 0, True), str(row.sessions), *([str(row.rolls)] if rolled else []),
        )
    return table


def _comparisons(run: Run, t: Language) -> Table:
    hedge = run.hedge is not None
    table = Table(title=t("held against"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    names = ["", t("role"), t("net yuan"), t("yuan/t")]
    names += [t("goods + futures"), ""] if hedge else [""]
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if 2 <= number < len(names) - 1 else "left")
    for row in cast(Any, run.comparisons.itertuples()):
        name, role, note = escape(t(row.name)), t(row.role), escape(t(row.note))
        if row.note.startswith("not available"):
            blank = ["", ""] + ([""] if hedge else [])
            table.add_row(name, role, *blank, f"[dim]{note}[/]")
            continue
        cells = [_money(row.net, t, sign=True),
                 "0" if pd.isna(row.net_per_tonne) else _money(row.net_per_tonne, t, 1, True)]
        if hedge:
            cells.append(_money(row.hedged, t, sign=True))
        table.add_row(name, role, *cells, note)
    return table
