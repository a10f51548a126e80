"""``sibt hedge ratio``: how many tonnes of futures a tonne of goods takes, by several ways."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.settings import announce, lang_option
from sibt.cli.values import OneOf
from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "ratio",
    epilog="Examples:\n\n\b\n"
    "  sibt hedge ratio\n"
    "  sibt hedge ratio --spot 421 --k 20\n"
    "  sibt hedge ratio --contract si2410 --to 2024-04-01 --all-estimators\n\n"
    "A ratio is estimated on one delivery standard alone; a figure that looks better is no better"
    " way until the test says so.",
)
@click.option("--spot", "grade", default="553", show_default=True, metavar="GRADE",
              help="Spot grade of the goods.")
@click.option("--contract", "code", metavar="CODE", help="Hedge with this contract, as si2410.")
@click.option("--dominant", is_flag=True,
              help="Hedge with the dominant contract of each session; so it is without --contract.")
@click.option("--k", type=click.IntRange(1), default=5, show_default=True, metavar="N",
              help="Quoted sessions a change spans: best the horizon of the hedge.")
@click.option("--to", "end", metavar="DAY", help="Last session to know.")
@click.option("--all-estimators", "everything", is_flag=True,
              help="Also the slow ways: VECM, Kalman, CCC and DCC.")
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
              " data/store, or the simulated sample while the store is empty.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement.")
@lang_option
def command(**given: Any) -> None:
    """Estimate the hedge ratio now, and hold all ways against one for one out of sample."""
    from rich.console import Console

    if given["code"] is not None and given["dominant"]:
        raise SettingError("--contract and --dominant are two ways to hedge; give one of them.")
    console, t = Console(highlight=False), given["lang"]
    announce(console, "sibt hedge ratio", given["data"], t)
    from sibt.hedging.estimators import estimators
    from sibt.report.hedge_terminal import show_estimators
    from sibt.runs.run import between
    from sibt.sources import load_market

    market = load_market(given["data"], settle_from=given["settle_from"])
    found = estimators(
        between(market, None, given["end"]), given["grade"], given["code"], k=given["k"],
        everything=given["everything"],
    )  # fmt: skip
    show_estimators(found, console, t, simulated=market.provenance.simulated)
