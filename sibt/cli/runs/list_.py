"""``sibt runs list``: all runs, a line each."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sibt.cli.runs.place import check_there, out_option
from sibt.cli.settings import lang_option
from sibt.cli.values import OneOf
from sibt.errors import SettingError
from sibt.language import Language

__all__ = ["command"]

_SORTS = ("made", "strategy", "data", "net", "per-tonne", "drawdown", "margin", "sharpe", "trips")


class _Day(click.ParamType):  # type: ignore[type-arg]
    """A day, as 2024-05-15."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the day, or say how one is written."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is no day; write it as 2024-05-15.", param, ctx)


@click.command(
    "list",
    epilog="Examples:\n\n\b\n"
    "  sibt runs list\n"
    "  sibt runs list --strategy calendar_reverse --sort net -n 10\n"
    "  sibt runs list --since 2026-01-05 --real\n"
    "  sibt runs list --data ddd5bfe7 --kind sweep",
)
@click.option("--strategy", metavar="NAME", help="Only runs of this strategy.")
@click.option("--data", metavar="TEXT",
              help="Only runs on data whose source holds the text, or whose hash begins with it.")
@click.option("--since", type=_Day(), metavar="DAY",
              help="Only what was made on this day or after.")
@click.option("--until", type=_Day(), metavar="DAY", help="Only what was made up to this day.")
@click.option("--simulated/--real", default=None, help="Only made-up data, or only real data.")
@click.option("--kind", type=OneOf(["run", "sweep", "comparison"]), help="Only this kind.")
@click.option("--sort", type=OneOf(_SORTS), default="made", show_default=True,
              help="What stands first: the newest, the largest figure, the first letter.")
@click.option("-n", "--count", type=int, default=50, show_default=True, metavar="N",
              help="At most so many; 0 for all.")
@out_option
@lang_option
def command(out: Path, lang: Language, sort: str, count: int, **asked: Any) -> None:
    """List runs, sweeps and comparisons, newest first."""
    from sibt.report.runs_terminal import listing
    from sibt.runs.catalogue import catalogue, chosen, ordered

    t = lang
    if count < 0:
        raise SettingError(f"-n is {count}; give a number of runs, or 0 for all.")
    given = click.get_current_context().get_parameter_source("out")
    if given is not ParameterSource.DEFAULT or out.exists():
        check_there(out)
    rows, warnings = catalogue(out)
    found = ordered(chosen(rows, **asked), sort)
    shown = found[:count] if count else found
    if shown:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        click.echo(listing(shown, t, width))
    click.echo(_said(len(shown), len(found), len(rows), out, t))
    for warning in warnings:
        told = t("left out: {why}", why=warning)
        click.echo(f"{click.style(t('note'), fg='yellow')} {told}", err=True)


def _said(shown: int, found: int, all_: int, out: Path, t: Language) -> str:
    if not all_:
        return t("No runs in {out}; make one with sibt run.", out=str(out))
    if not found:
        return t("None of {n} runs in {out} is like that.", n=all_, out=str(out))
    if shown < found:
        return t("{shown:,} of {n:,} runs in {out}; -n 0 lists all.", shown=shown, n=found,
                 out=str(out))  # fmt: skip
    if found < all_:
        return t("{shown:,} of {n:,} runs in {out}.", shown=shown, n=all_, out=str(out))
    return t("{n:,} runs in {out}.", n=all_, out=str(out))
