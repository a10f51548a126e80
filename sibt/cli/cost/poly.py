"""``sibt cost poly``: silicon and power in a kilogram of polysilicon."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import options, show

__all__ = ["command"]


@click.command(
    "poly",
    epilog="Examples:\n\n\b\n  sibt cost poly\n  sibt cost poly --inputs my_costs.toml",
)
@options
def command(**given: Any) -> None:
    """Show silicon and power in a kilogram of polysilicon."""
    show("poly", given)
