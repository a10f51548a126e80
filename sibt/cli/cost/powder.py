"""``sibt cost powder``: what grinding leaves."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.cost.showing import Positive, options, show

__all__ = ["command"]


@click.command(
    "powder",
    epilog="Examples:\n\n\b\n  sibt cost powder\n  sibt cost powder --block 12000 --powder 13000",
)
@click.option("--block", type=Positive(), metavar="YUAN",
              help="Price of the block (99#), yuan/t.")
@click.option("--powder", type=Positive(), metavar="YUAN",
              help="Price of the powder, yuan/t.")
@options
def command(**given: Any) -> None:
    """Show what grinding leaves, with what is lost on the way, and the price it needs."""
    show("powder", given, {"block": given["block"], "powder": given["powder"]})
