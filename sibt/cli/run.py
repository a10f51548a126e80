"""``sibt run``: one strategy, one market, one booked result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli.settings import (
    announce,
    check_out,
    delivery_option,
    delivery_terms,
    goods_option,
    lang_option,
    level_option,
    levels,
    settings,
    settled,
    words,
)
from sibt.cli.values import named
from sibt.errors import SettingError
from sibt.language import Language

if TYPE_CHECKING:
    from rich.console import Console

    from sibt.runs.run import Run

__all__ = ["PAGE", "check", "command", "work"]

#: The page of a run, in its folder.
PAGE = "index.html"

#: What the ticker says of stages that may take longer than one thinks.
_HINTS = {"ledger": "ledger (compiled once, at the first run)"}


@click.command(
    "run",
    epilog="Examples:\n\n\b\n"
    "  sibt run calendar_reverse\n"
    "  sibt run strategies/calendar_reverse.py -p year=2023 --kind company\n"
    "  sibt run short_rallies --data prices.csv --settle-from close --fill close\n"
    "  sibt run producer_hedge -p output=500 -p trigger=0.8 --excel --open\n"
    "  sibt run short_rallies --level guolian_2024q1.support\n\n"
    "Prices are yuan per tonne; a decision after one session fills in the next.",
)
@click.argument("strategy")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE",
              help="Parameter of the strategy; again for more.")
@settings
@goods_option
@delivery_option
@level_option
@click.option("--excel", is_flag=True, help="Also write run.xlsx, one sheet a table.")
@lang_option
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def command(**given: Any) -> None:
    """Run STRATEGY, a Python file or the name of a shipped one, and write its pages."""
    from rich.console import Console

    check(given)
    console, t = Console(highlight=False), given["lang"]
    announce(console, f"sibt run {given['strategy']}", given["data"], t)
    folder, run, seconds = work(given)
    from sibt.report.terminal import caught, show

    caught(run, console, t)
    if run.desk is not None:
        from sibt.report.hedge_terminal import warn

        warn(run, console, t)
    show(run, folder, console, seconds, words(), t)
    _tell_undrawn(run, given["levels"], console, t)
    if given["show"]:
        click.launch((folder / PAGE).resolve().as_uri())


def _tell_undrawn(run: Run, asked: tuple[str, ...], console: Console, t: Language) -> None:
    from rich.markup import escape

    from sibt.report.charts.levels import undrawn

    for why in undrawn(run, levels(asked)):
        console.print(t("[yellow]note[/] {sentence}", sentence=escape(t(why))), soft_wrap=True)


def check(given: dict[str, Any]) -> None:
    """Refuse what cannot be written or delivered, before the work.

    Raises
    ------
    SettingError
        The folder of runs cannot be written, a library for ``--excel`` is missing, or
        ``--delivery-term`` is wrong.
    """
    check_out(given["out"])
    delivery_terms(given)
    if given["excel"] and find_spec("openpyxl") is None:
        raise SettingError("--excel needs openpyxl; install it with pip install openpyxl.")


def work(given: dict[str, Any], **desk: Any) -> tuple[Path, Run, float]:
    """Run a strategy and write its folder, as `sibt run` and `sibt hedge` do.

    Parameters
    ----------
    given : dict
        What click read.
    **desk
        Settings of `sibt.runs.desk.with_desk`, for a hedge.

    Returns
    -------
    tuple of (Path, Run, float)
        The folder, the run and the seconds it took.

    Raises
    ------
    SettingError
        Settings of the desk for a strategy without goods.
    """
    from rich.console import Console

    t, ticker = given["lang"], Console(stderr=True, highlight=False)
    with ticker.status(t("starting")) as status:
        return _written(given, desk, lambda name: status.update(f"{t(_HINTS.get(name, name))} …"))


def _written(
    given: dict[str, Any], desk: dict[str, Any], stage: Callable[[str], None]
) -> tuple[Path, Run, float]:
    """Run and write; everything heavy is imported here, after the first line is out."""
    import time

    began = time.perf_counter()
    stage("loading")
    from sibt.report.catalogue import write_index
    from sibt.report.run import run_page
    from sibt.report.tearsheet import tear_sheet
    from sibt.runs.run import run
    from sibt.runs.save import save
    from sibt.sources import load_market

    t: Language = given["lang"]
    params, chosen = named(given["params"], "-p"), settled(given)
    asked = levels(given.get("levels", ()))
    stage("market")
    market = load_market(given["data"], settle_from=given["settle_from"])
    done = run(
        given["strategy"], market, params, **chosen, goods=given["goods"],
        delivery=delivery_terms(given), stage=stage,
    )  # fmt: skip
    if desk and done.hedge is None:
        raise SettingError(
            f"{done.name} has no goods to hedge; use sibt run, or give it an exposure()."
        )
    if done.hedge is not None:
        stage("hedging desk")
        from sibt.runs.desk import with_desk

        done = with_desk(done, **desk)
    stage("second book and pages")
    folder = save(
        done,
        given["out"],
        command=words(),
        excel=given["excel"],
        pages={PAGE: partial(run_page, lang=t.name, levels=asked), "tearsheet.html": tear_sheet},
        t=t,
    )
    write_index(given["out"], t)
    return folder, done, time.perf_counter() - began
