"""``sibt data``: real prices in, kept, checked and shown; one file a command."""

from __future__ import annotations

import click

from sibt.cli.lazy import Lazy

__all__ = ["command"]

#: Commands, what they do, and where.
_COMMANDS = {
    "check": ("Find what is wrong or doubtful in market data.", "sibt.cli.data.check"),
    "import": (
        "Take files of a terminal or a spreadsheet into the store.", "sibt.cli.data.import_"
    ),
    "pull": ("Fetch what the store lacks from akshare, tushare or tqsdk.", "sibt.cli.data.pull"),
    "show": ("Draw coverage, term structure, spreads, basis and stocks.", "sibt.cli.data.show"),
}


@click.group(
    "data",
    cls=Lazy,
    commands_in=_COMMANDS,
    before="data ",
    epilog="Examples:\n\n\b\n"
    "  sibt data pull --source akshare\n"
    "  sibt data import SI2411.xlsx --dry-run\n"
    "  sibt data check\n"
    "  sibt data show --open",
)
def command() -> None:
    """Bring real prices in, keep them, check them and look at them."""
