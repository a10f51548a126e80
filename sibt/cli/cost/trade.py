"""``sibt cost trade``: exports, imports, output, and what their growth implies."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import options, show

__all__ = ["command"]


@click.command(
    "trade",
    epilog="Examples:\n\n\b\n  sibt cost trade\n  sibt cost trade --csv trade.csv",
)
@options
def command(**given: Any) -> None:
    """Show exports, imports, output and open interest, and the earlier figures growth implies."""
    show("trade", given)
