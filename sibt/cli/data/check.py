"""``sibt data check``: what is wrong, what is doubtful, and what only looks odd."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sibt.cli import files
from sibt.cli.values import OneOf

__all__ = ["command"]


@click.command(
    "check",
    epilog="Examples:\n\n\b\n"
    "  sibt data check\n"
    "  sibt data check --data prices.csv --html check.html\n\n"
    "Ends with 2 where something makes a run wrong, else with 0.",
)
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars, or a store; if left out, the store"
              " in data/store, or the simulated sample while the store is empty.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement, as in a run.")
@click.option("--html", type=click.Path(path_type=Path), metavar="PATH",
              help="Also write all findings as a page.")
@click.option("--all", "whole", is_flag=True,
              help="Show every finding, not only the largest four of each check.")
def command(data: str | None, settle_from: str | None, html: Path | None, whole: bool) -> None:
    """Find what is wrong or doubtful in market data.

    Wrong is what a run refuses: rows that cannot be right, prices no session can have, one
    grade under two names. Doubtful is what it uses with a warning: gaps, bars that stand still.
    Contracts without settlements run with --settle-from close only; the last line says so.
    Evidence looks odd and is explained: receipts cancelled in November, two delivery standards.
    """
    files.check(html, "--html")
    from rich.console import Console

    from sibt.report.findings import findings_page, show, verdict
    from sibt.sources.check import check, places

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # A file or a pipe has no width; this one fits a page.
        console.width = 100
    checked = [check(place, settle_from) for place in places(data)]
    if html is not None:
        # Before the table: a reader who closes the pipe early has the page all the same.
        files.write(html, findings_page(checked), "--html")
    for one in checked:
        show(one, console, whole)
    console.print(verdict(checked), soft_wrap=True)
    if html is not None:
        console.print(f"Page: {html}", soft_wrap=True, markup=False)
    if any(one.wrong for one in checked):
        click.get_current_context().exit(2)
