"""``sibt hedge``: what a hedge takes and what it was worth; one file a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sibt.cli.lazy import Lazy
from sibt.errors import did_you_mean

__all__ = ["command"]

#: Commands, what they do, and where.
_COMMANDS = {
    "ratio": ("Estimate hedge ratios; hold them against one for one.", "sibt.cli.hedge.ratio"),
    "size": ("Tell lots, margin and cash of a hedge, without a strategy.", "sibt.cli.hedge.size"),
}


class _OrStrategy(Lazy):
    """A group in which a word that is no command is a strategy; a file `size` is ``./size.py``."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the report where a strategy is named, else that of the group."""
        first = args[0] if args else "--help"
        slip = did_you_mean(first, _COMMANDS) and not Path(first).exists()
        if first in (*_COMMANDS, "-h", "--help") or slip:
            return super().make_context(info_name, args, parent, **extra)
        from sibt.cli.hedge.report import command as report

        return report.make_context(info_name, args, parent, **extra)


@click.group(
    "hedge",
    cls=_OrStrategy,
    commands_in=_COMMANDS,
    before="hedge ",
    subcommand_metavar="STRATEGY | COMMAND [ARGS]...",
    epilog="Examples:\n\n\b\n"
    "  sibt hedge producer_hedge\n"
    "  sibt hedge producer_hedge --goods plan.toml --at-expiry deliver\n"
    "  sibt hedge size --tonnes 1000 --contract si2410 --date 2024-04-01\n"
    "  sibt hedge ratio --spot 553 --contract si2410\n\n"
    "'sibt hedge STRATEGY --help' lists the settings of a report.",
)
def command() -> None:
    """Tell what a hedge was worth, size one, or estimate its ratio.

    With a STRATEGY that has goods: what 'sibt run' does, and the whole report of the hedging
    desk.
    """
