"""``sibt cost capacity``: new capacity against what the reports print of it."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import options, show

__all__ = ["command"]


@click.command(
    "capacity",
    epilog="Examples:\n\n\b\n  sibt cost capacity\n  sibt cost capacity --csv capacity.csv",
)
@options
def command(**given: Any) -> None:
    """Show new capacity by province and quarter, and sums and shares against the printed ones."""
    show("capacity", given)
