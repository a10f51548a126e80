"""The short table a trader reads after a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.runs.run import Run
from sibt.sources.shipped import shipped

__all__ = ["show"]


def show(run: Run, folder: Path, console: Console, seconds: float, command: str) -> None:
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
    """
    market = run.market.provenance
    if not console.is_terminal:
        # A file or a pipe has no width; tables there need not be squeezed.
        console.width = 132
    report = run.strategy.source(run.params)
    if report:
        place = f"{report.title}, {report.publisher}, {report.date}, {report.place}"
        console.print(f"[italic]“{escape(report.quote)}”[/] {escape(place)}", soft_wrap=True)
    console.print(_figures(run))
    if len(run.result.by_leg) > 1:
        console.print(_by_leg(run))
    if len(run.result.round_trips):
        console.print(_trips(run))
    if len(run.comparisons):
        console.print(_comparisons(run))
        if run.excess is not None:
            console.print(f"Excess over the controls: {run.excess:+,.1f} yuan/t")
    for word in (*run.notes, *run.result.warnings):
        console.print(f"[yellow]note[/] {escape(word)}", soft_wrap=True)
    console.print(f"Written in {seconds:.1f} s: {escape(str(folder))}", soft_wrap=True)
    console.print(f"Tear sheet: {escape(str(folder / 'tearsheet.html'))}", soft_wrap=True)
    if market.simulated:
        # On a folder of made-up prices the same command would give the same again.
        then = "sibt run without --data" if "--data" in command else command
        console.print("Real prices: sibt data pull --source akshare, or sibt data import FILE; then"
                      f" {escape(then)}", soft_wrap=True)


def _money(value: float | None, digits: int = 2, sign: bool = False) -> str:
    if value is None or pd.isna(value):
        return "unknown"
    return f"{value:{'+' if sign else ''},.{digits}f}"


def _figures(run: Run) -> Table:
    m = run.result.metrics
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()

    def row(name: str, text: str) -> None:
        table.add_row(name, text)

    whose = "" if run.hedge is None else "futures' "

    if run.hedge is not None:
        h = run.hedge.metrics
        row("goods + futures", f"[bold]{_money(h['hedged'], sign=True)} yuan[/]"
            f"  ({_money(h['hedged_per_tonne'], 1, True)} yuan/t on {h['tonnes']:,.0f} t)")
        row("goods alone", f"{_money(h['physical'], sign=True)} yuan"
            f"  ({_money(h['unhedged_per_tonne'], 1, True)} yuan/t)")
        cut = h["variance_reduction"]
        stretches = f"{h['variance_stretches']} stretches of 20 sessions"
        row("variance cut by", (f"unknown from {stretches}" if cut is None else
            f"{cut:.1%} over {stretches}") + f"; {h['average_ratio']:.1%} hedged on average")
        if h["unknown_spot"]:
            row("spot unknown", f"{h['unknown_spot']} sessions with goods and no quote")
    name = "net result" if run.hedge is None else "futures alone"
    row(name, f"[bold]{_money(m['net'], sign=True)} yuan[/]"
        f"  ({_money(m['net_per_tonne'], 1, True)} yuan/t of the largest position)"
        if m["net_per_tonne"] is not None else "[bold]0.00 yuan[/]  (no position was held)")
    row("paid", f"fees {_money(m['fees'])} (at a broker's 2×: {_money(m['fees_at_broker'])}),"
        f" slippage {_money(m['slippage'])} yuan")
    open_ = f", {m['open_trips']} still open" if m["open_trips"] else ""
    row("round trips", f"{m['round_trips']} ({m['won']} won{open_})")
    if m["sharpe"] is not None:
        row("Sharpe", f"{m['sharpe']:.2f} a year of 242 sessions, over {m['sessions']} sessions")
    elif not run.result.known:
        row("Sharpe", "none: fewer than three round trips")
        days = run.few_days
        if days is not None and days["chosen"].any():
            rank = int(days.loc[days["chosen"], "rank"].iloc[0])
            row("entry day", f"rank {rank} of {len(days)} possible days; net of all:"
                f" {_money(days['net'].min(), 0, True)} to {_money(days['net'].max(), 0, True)},"
                f" median {_money(days['net'].median(), 0, True)} yuan")
    row(f"{whose}worst day", f"{_money(m['worst_day'], sign=True)} yuan on {m['worst_day_on']}")
    row(f"{whose}drawdown", f"{m['max_drawdown']:.2%} of the index,"
        f" {_money(m['max_drawdown_yuan'])} yuan; lowest equity {_money(m['worst_equity'])}")
    row("peak margin", f"{_money(m['peak_margin_exchange'])} at the exchange's rates,"
        f" {_money(m['peak_margin_broker'])} at a broker's +5 points")
    if m["peak_margin_exchange_open_reading"] != m["peak_margin_exchange"]:
        row("", f"under the notices' other reading {_money(m['peak_margin_exchange_open_reading'])}"
            f" and {_money(m['peak_margin_broker_open_reading'])}")
    calls = m["margin_calls"]
    row("margin calls", "none" if not calls else f"[red]{calls}[/], the largest"
        f" {_money(m['largest_call'])} yuan; paid in {_money(m['deposits'])}")
    row("unfilled", _unfilled(run))
    if "naked" in run.result.statement:
        naked = run.result.statement["naked"]
        row("naked legs", "never" if not naked.any() else
            f"{int((naked > 0).sum())} sessions, at most {int(naked.max())} lots")
    row("two books", f"largest difference {run.result.reconcile():.6f} yuan over"
        f" {len(run.result.statement)} sessions")
    market = run.market
    label = "[bold red]SIMULATED[/] " if market.provenance.simulated else ""
    row("data", f"{label}{escape(market.provenance.source)}, {market.sessions[0]:%Y-%m-%d}.."
        f"{market.sessions[-1]:%Y-%m-%d}, {market.digest[:12]}")
    own = shipped("strategies") not in run.path.resolve().parents
    row("strategy", escape(str(run.path)) if own else f"{run.name}, shipped with sibt")
    account = run.result.job.account
    row("account", f"{account.capital:,.0f} yuan, {account.kind}")
    return table


def _unfilled(run: Run) -> str:
    table = run.result.unfilled
    if table.empty:
        return "none"
    lots = (table["wanted"] - table["filled"]).abs()
    by = lots.groupby(table["reason"]).agg(["size", "sum"])
    return "; ".join(f"{reason}: {row['size']}× ({row['sum']:,} lots)" for reason, row in
                     by.iterrows())


def _by_leg(run: Run) -> Table:
    table = Table(title="by leg, yuan", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("leg", "profit", "fees", "slippage", "net"):
        table.add_column(name, justify="left" if name == "leg" else "right")
    for leg, row in run.result.by_leg.iterrows():
        table.add_row(escape(str(leg)), _money(row["profit"], sign=True), _money(row["fees"]),
                      _money(row["slippage"]), _money(row["net"], sign=True))
    return table


def _trips(run: Run) -> Table:
    trips = run.result.round_trips
    title = "round trips" if len(trips) <= 10 else f"the last 10 of {len(trips)} round trips"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for name in ("entry", "exit", "units", "in at", "out at", "net", "worst", "best", "days"):
        table.add_column(name, justify="left" if name in ("entry", "exit") else "right",
                         no_wrap=True)
    rolled = bool((trips["rolls"] > 0).any())
    if rolled:
        table.add_column("rolls", justify="right")
    for row in cast(Any, trips.tail(10).itertuples()):
        out = "open" if pd.isna(row.exit) else f"{row.exit:%y-%m-%d}"
        table.add_row(
            f"{row.entry:%y-%m-%d}", out, f"{row.units:+,.0f}", _money(row.entry_spread, 0),
            "" if pd.isna(row.exit_spread) else _money(row.exit_spread, 0),
            _money(row.net, 0, True), _money(row.worst, 0, True),
            _money(row.best, 0, True), str(row.sessions), *([str(row.rolls)] if rolled else []),
        )
    return table


def _comparisons(run: Run) -> Table:
    hedge = run.hedge is not None
    table = Table(title="held against", title_justify="left", box=None, padding=(0, 2, 0, 0))
    names = ["", "role", "net yuan", "yuan/t"] + (["goods + futures"] if hedge else []) + [""]
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if 2 <= number < len(names) - 1 else "left")
    for row in cast(Any, run.comparisons.itertuples()):
        if str(row.note).startswith("not available"):
            blank = ["", ""] + ([""] if hedge else [])
            note = f"[dim]{escape(str(row.note))}[/]"
            table.add_row(escape(str(row.name)), str(row.role), *blank, note)
            continue
        cells = [_money(row.net, sign=True),
                 "0" if pd.isna(row.net_per_tonne) else _money(row.net_per_tonne, 1, True)]
        if hedge:
            cells.append(_money(row.hedged, sign=True))
        table.add_row(escape(str(row.name)), str(row.role), *cells, str(row.note))
    return table
