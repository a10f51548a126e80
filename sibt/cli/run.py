"""``sibt run``: one strategy, one market, one booked result."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from sibt.cli.values import OneOf, Share, named
from sibt.errors import SettingError

__all__ = ["command"]

#: What the ticker says of stages that may take longer than one thinks.
_HINTS = {"ledger": "ledger (compiled once, at the first run)"}

#: The store of `sibt.sources.store`, which is too heavy to import before the first line.
_STORE = Path("data/store")

_KINDS = OneOf(["individual", "company", "hedger"])


@click.command(
    "run",
    epilog="Examples:\n\n\b\n"
    "  sibt run calendar_reverse\n"
    "  sibt run strategies/calendar_reverse.py -p year=2023 --kind company\n"
    "  sibt run short_rallies --data prices.csv --settle-from close --fill close\n"
    "  sibt run producer_hedge -p output=500 -p trigger=0.8 --excel --open\n\n"
    "Prices are yuan per tonne; a decision after one session fills in the next.",
)
@click.argument("strategy")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE",
              help="Parameter of the strategy; again for more.")
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
              " data/store, or the simulated sample while the store is empty.")
@click.option("--from", "start", metavar="DAY", help="First session that may fill.")
@click.option("--to", "end", metavar="DAY", help="Last session of the run.")
@click.option("--capital", type=float, metavar="YUAN",
              help="Opening equity; a million, or sized from the hedge.")
@click.option("--kind", type=_KINDS, help="Kind of account; the strategy's if left out.")
@click.option("--fill", type=OneOf(["open", "close", "settle"]), default="open",
              show_default=True, help="Price of the session after the decision.")
@click.option("--slippage", type=int, default=1, show_default=True, metavar="TICKS",
              help="Ticks against you on every fill.")
@click.option("--participation", type=Share(), default="0.1", show_default=True,
              help="Largest share of a session's volume, or none.")
@click.option("--pairing", type=OneOf(["paired", "legged"]), default="paired",
              show_default=True, help="Legs fill together, or each by itself.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement.")
@click.option("--term", "terms", multiple=True, metavar="NAME=VALUE",
              help="Replace a dated term: margin, price_limit, fee, fee_close_today, fee_per_lot,"
              " or turn on lock_escalation=1.")
@click.option("--broker-margin", type=float, default=0.0, metavar="SHARE",
              help="The broker's margin on top, such as 0.05.")
@click.option("--fee-markup", type=float, default=1.0, metavar="TIMES",
              help="The broker's multiple of the exchange's fees, such as 2.")
@click.option("--spread-relief", is_flag=True, help="Margin the larger leg of a spread only.")
@click.option("--on-call", type=OneOf(["cut", "deposit"]), default="cut",
              show_default=True, help="Answer margin calls by closing lots, or by paying in.")
@click.option("--cross-standard", is_flag=True,
              help="Let signals and positions cross the delivery-standard line (si2411|si2412).")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"),
              show_default=True, help="Folder of all runs.")
@click.option("--excel", is_flag=True, help="Also write run.xlsx, one sheet a table.")
@click.option("--open", "show", is_flag=True, help="Open the tear sheet in the browser.")
def command(**given: Any) -> None:
    """Run STRATEGY, a Python file or the name of a shipped one, and write its tear sheet."""
    from rich.console import Console
    from rich.markup import escape

    _check_out(given["out"])
    if given["excel"] and find_spec("openpyxl") is None:
        raise SettingError("--excel needs openpyxl; install it with pip install openpyxl.")
    console = Console(highlight=False)
    data = given["data"]
    if data is None and any(_STORE.glob("*/bars.parquet")):
        data = str(_STORE)
    if data is None or data == "sample":
        console.print(
            f"[bold]sibt run {escape(given['strategy'])}[/] on the sample market:"
            " [bold red]SIMULATED[/], it says nothing about the real 2024.",
            soft_wrap=True,
        )
    else:
        console.print(f"[bold]sibt run {escape(given['strategy'])}[/] on {escape(data)}",
                      soft_wrap=True)
    ticker = Console(stderr=True, highlight=False)
    with ticker.status("starting") as status:
        folder, run, seconds = _work(
            given, lambda name: status.update(f"{_HINTS.get(name, name)} …")
        )
    from sibt.report.terminal import show

    show(run, folder, console, seconds, _command())
    if given["show"]:
        click.launch((folder / "tearsheet.html").resolve().as_uri())


def _command() -> str:
    return "sibt " + shlex.join(click.get_current_context().obj or sys.argv[1:])


def _check_out(out: Path) -> None:
    """Refuse a folder that cannot be written, before the work."""
    try:
        if out.exists() and not out.is_dir():
            raise SettingError(f"--out {out} is a file; give a folder for the runs.")
        there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    except OSError as error:
        raise SettingError(
            f"--out cannot be used: {error.strerror}; give another folder."
        ) from None
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise SettingError(f"--out {out} cannot be written below {there}; give another folder.")


def _work(given: dict[str, Any], stage: Any) -> tuple[Path, Any, float]:
    """Run and write; everything heavy is imported here, after the first line is out."""
    import time

    began = time.perf_counter()
    stage("loading")
    from sibt.engine.execution import Execution
    from sibt.report.tearsheet import tear_sheet
    from sibt.runs.run import run
    from sibt.runs.save import save
    from sibt.sources import load_market

    params, terms = named(given["params"], "-p"), named(given["terms"], "--term")
    execution = Execution(
        fill=given["fill"],
        slippage=given["slippage"],
        participation=given["participation"],
        pairing=given["pairing"],
        cross_standard=given["cross_standard"],
    )
    stage("market")
    account = {
        name: given[name] for name in ("broker_margin", "fee_markup", "spread_relief", "on_call")
    }
    market = load_market(given["data"], settle_from=given["settle_from"])
    done = run(
        given["strategy"],
        market,
        params,
        capital=given["capital"],
        kind=given["kind"],
        account=account,
        execution=execution,
        terms=terms,
        start=given["start"],
        end=given["end"],
        stage=stage,
    )
    stage("second book and tear sheet")
    command = _command()
    folder = save(
        done,
        given["out"],
        command=command,
        excel=given["excel"],
        pages={"tearsheet.html": tear_sheet},
    )
    return folder, done, time.perf_counter() - began
