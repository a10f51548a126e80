"""``sibt cost power``: what the tariff of a province does to cost."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import Positive, options, show

__all__ = ["command"]


@click.command(
    "power",
    epilog="Examples:\n\n\b\n  sibt cost power\n  sibt cost power --kwh 12500",
)
@click.option("--kwh", type=Positive(), metavar="KWH",
              help="Consumption of a tonne, kWh.")
@options
def command(**given: Any) -> None:
    """Show what a change of the tariff does to the cost of a tonne, by province."""
    show("power", given, {"kwh": given["kwh"]})
