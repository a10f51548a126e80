"""``sibt cost demand``: silicon for so many GW."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import Positive, options, show

__all__ = ["command"]


@click.command(
    "demand",
    epilog="Examples:\n\n\b\n  sibt cost demand\n  sibt cost demand --gw 250",
)
@click.option("--gw", type=Positive(), metavar="GW",
              help="Installations to compute the chain for, GW.")
@options
def command(**given: Any) -> None:
    """Show silicon for new installations at the ratios of both reports."""
    show("demand", given, gw=given["gw"])
