"""``sibt check``: proof or disproof that a strategy looks ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli.settings import announce, goods_option, lang_option
from sibt.cli.values import OneOf, named
from sibt.language import Language

if TYPE_CHECKING:
    from sibt.lookahead.verdict import Verdict

__all__ = ["command"]

#: Questions beside those of the market cut in every session, about.
_BESIDE = 200


@click.command(
    "check",
    epilog="Examples:\n\n\b\n"
    "  sibt check my_spread.py\n"
    "  sibt check calendar_reverse -p entry=zscore\n"
    "  sibt check my_spread.py --data prices.csv --settle-from close\n\n"
    "It ends with 0 if the strategy passes and with 2 if it does not.",
)
@click.argument("strategy")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE",
              help="Parameter of the strategy; again for more.")
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
              " data/store, or the simulated sample while the store is empty.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement.")
@click.option("--kind", type=OneOf(["individual", "company", "hedger"]),
              help="Kind of account; the strategy's if left out.")
@click.option("--cross-standard", is_flag=True,
              help="Let signals cross the delivery-standard line (si2411|si2412).")
@goods_option
@lang_option
def command(**given: Any) -> None:
    """Prove or disprove that STRATEGY, a file or a shipped one, looks ahead.

    Its decisions must be the same on the market cut in each session, and on markets that go
    another way from there on; asked twice; with less history; without prices that are not there.
    What leaked is named: the day, the contract and the input.
    """
    from rich.console import Console

    console, t = Console(highlight=False), given["lang"]
    announce(console, f"sibt check {given['strategy']}", given["data"], t)
    verdict = _checked(given)
    from sibt.report.lookahead_terminal import show

    show(verdict, console, t)
    if not verdict.passed:
        click.get_current_context().exit(2)


def _checked(given: dict[str, Any]) -> Verdict:
    """Check; everything heavy is imported here, after the first line is out."""
    from sibt.hedging.exposure import schedule
    from sibt.lookahead.check import check
    from sibt.sources import load_market

    params, goods = named(given["params"], "-p"), given["goods"]
    market = load_market(given["data"], settle_from=given["settle_from"])
    with _progress(len(market.sessions) + _BESIDE, given["lang"]) as progress:
        return check(
            given["strategy"], market, params, kind=given["kind"],
            cross_standard=given["cross_standard"],
            goods=None if goods is None else schedule(Path(goods)), progress=progress,
        )  # fmt: skip


@contextmanager
def _progress(total: int, t: Language) -> Iterator[Callable[[str, int], None]]:
    """Show on a terminal how far a check is; it may take longer than expected, never less."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from sibt.report.lookahead_terminal import named_check

    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(t("starting"), total=total, said="")

        def progress(name: str, asked: int) -> None:
            bar.update(
                task,
                completed=asked,
                total=max(total, asked + 1),
                description=t(named_check(name)),
                said=t("asked {count} times", count=f"{asked:,}"),
            )

        yield progress
