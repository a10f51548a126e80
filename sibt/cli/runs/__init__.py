"""``sibt runs``: the runs there are; one file a command."""

from __future__ import annotations

import click

from sibt.cli.lazy import Lazy

__all__ = ["command"]

#: Commands, what they do, and where.
_COMMANDS = {
    "delete": ("Take runs away.", "sibt.cli.runs.delete"),
    "export": ("Write a run as a workbook, a folder of CSV or one page.", "sibt.cli.runs.export"),
    "gc": ("Take away what was half written or serves no more.", "sibt.cli.runs.gc_"),
    "list": ("List runs, newest first.", "sibt.cli.runs.list_"),
    "open": ("Open a run's page, or the page of all runs.", "sibt.cli.runs.open_"),
    "show": ("Show what a run came to.", "sibt.cli.runs.show"),
}


class _Runs(Lazy):
    """A group that lists where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` before options that stand alone."""
        alone = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if alone else args)


@click.group(
    "runs",
    cls=_Runs,
    commands_in=_COMMANDS,
    before="runs ",
    epilog="Examples:\n\n\b\n"
    "  sibt runs\n"
    "  sibt runs --strategy calendar_reverse --sort net\n"
    "  sibt runs open latest\n"
    "  sibt runs export latest --to run.xlsx\n"
    "  sibt runs delete 20260105-0930\n\n"
    "A run is named by its folder, by the beginning of that name, by its strategy (the latest of"
    " it) or by latest.",
)
def command() -> None:
    """List, show, open, delete and export what sibt run, sweep and compare have written."""
