"""``sibt claims``: what reports said, held against what happened; one file a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sibt.cli.claims.report import command as report
from sibt.cli.lazy import Lazy
from sibt.errors import did_you_mean

__all__ = ["command"]

#: Commands, what they do, and where.
_COMMANDS = {
    "new": ("Start the file of another report, with every kind of claim.", "sibt.cli.claims.new"),
}


class _OrReport(Lazy):
    """A group in which what is no command is a report or an option of the scoring.

    A file called `new` is ``./new``.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the scoring, or where a command is named that of the group."""
        first = args[0] if args else ""
        file = Path(first).exists() or Path(f"{first}.toml").exists()
        slip = did_you_mean(first, _COMMANDS) and not file
        if first in (*_COMMANDS, "-h", "--help") or slip:
            return super().make_context(info_name, args, parent, **extra)
        return report.make_context(info_name, args, parent, **extra)


@click.group(
    "claims",
    cls=_OrReport,
    commands_in=_COMMANDS,
    before="claims ",
    # For the help, which tells of both.
    params=[param for param in report.params if isinstance(param, click.Option)],
    options_metavar="[OPTIONS]",
    subcommand_metavar="[REPORT]... | new NAME",
    epilog=report.epilog,
)
def command(**_: Any) -> None:
    """Score what research reports said on the data you have.

    REPORT is a shipped one (guolian_2024q1, orient_20240514) or a file of your own, FILE.toml;
    without one all shipped ones are scored. Each claim is right, wrong, running, undecidable, or
    not yet testable and then told which data it needs, beside how often the same sentence would
    have been right on any other day.
    """
