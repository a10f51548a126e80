"""``sibt cost furnaces``: furnaces by province against what the report prints of them."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import options, show

__all__ = ["command"]


@click.command(
    "furnaces",
    epilog="Examples:\n\n\b\n  sibt cost furnaces\n  sibt cost furnaces --lang zh",
)
@options
def command(**given: Any) -> None:
    """Show furnaces by province, and their sums against the printed ones."""
    show("furnaces", given)
