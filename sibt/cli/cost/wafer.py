"""``sibt cost wafer``: what polysilicon may cost for wafers to break even."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import Positive, options, show

__all__ = ["command"]


@click.command(
    "wafer",
    epilog="Examples:\n\n\b\n  sibt cost wafer\n  sibt cost wafer --price 1.25",
)
@click.option("--price", type=Positive(), metavar="YUAN",
              help="A wafer's price to break even at, yuan; costs as the report implies.")
@options
def command(**given: Any) -> None:
    """Show what wafers bring, what making them costs, and what polysilicon may cost."""
    show("wafer", given, price=given["price"])
