"""``sibt cost watt``: silicon in a watt of cells."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import options, show

__all__ = ["command"]


@click.command(
    "watt",
    epilog="Examples:\n\n\b\n  sibt cost watt\n  sibt cost watt --inputs my_costs.toml",
)
@options
def command(**given: Any) -> None:
    """Show silicon in a watt of cells by wafer, and what a month of wafers takes."""
    show("watt", given)
