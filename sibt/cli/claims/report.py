"""``sibt claims [REPORT]...``: reports scored, in the terminal and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sibt.cli.settings import announce, lang_option
from sibt.cli.values import OneOf
from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "claims",
    epilog="Examples:\n\n\b\n"
    "  sibt claims\n"
    "  sibt claims guolian_2024q1 --open\n"
    "  sibt claims --data prices.csv --settle-from close --asof 2024-06-28\n"
    "  sibt claims new my_desk\n"
    "  sibt claims my_desk.toml --lang zh\n\n"
    "Nothing before the session after a report counts, and no claim is scored on contracts of"
    " another delivery standard than it was written for.",
)
@click.argument("reports", nargs=-1, metavar="[REPORT]...")
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
              " data/store, or the simulated sample while the store is empty.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement.")
@click.option("--asof", metavar="DAY",
              help="Score as it stood after this day's close; nothing later is used.")
@click.option("--all", "whole", is_flag=True,
              help="Print long reports whole, reading by reading; the page always is.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/claims"),
              show_default=True, help="Folder of the page and claims.csv; replaced as a whole.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@lang_option
def command(**given: Any) -> None:
    """Score what research reports said on the data you have."""
    from rich.console import Console

    console, t = Console(highlight=False), given["lang"]
    announce(console, "sibt claims", given["data"], t)
    with Console(stderr=True, highlight=False).status(f"{t('loading')} …"):
        from sibt.report.claims import check_folder, write
        from sibt.report.claims_terminal import show_claims
        from sibt.research.claims.report import opened, publications
        from sibt.research.claims.score import score
        from sibt.sources import load_market

        check_folder(given["out"])
        reports = [opened(_file(name)) for name in given["reports"] or publications()]
        _once([report.id for report in reports])
        market = load_market(given["data"], settle_from=given["settle_from"])
        scored = [score(report, market, given["asof"]) for report in reports]
        folder = write(scored, given["out"], t.name)
    show_claims(scored, given["out"], console, t, whole=given["whole"])
    if given["show"]:
        click.launch((folder / "index.html").as_uri())


def _file(name: str) -> str:
    """Return a report's file where the name without its ending was given, as sibt run does."""
    return f"{name}.toml" if Path(f"{name}.toml").is_file() else name


def _once(ids: list[str]) -> None:
    """Refuse reports of one id: their scores could not be told apart."""
    for name in ids:
        if ids.count(name) > 1:
            raise SettingError(f"Two reports have the id '{name}'; give one of them another id.")
