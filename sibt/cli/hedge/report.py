"""``sibt hedge STRATEGY``: what ``sibt run`` does, and the whole report of the hedging desk."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli.run import PAGE, check, work
from sibt.cli.run import command as run_command
from sibt.cli.settings import announce, words
from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "hedge",
    params=list(run_command.params),
    epilog="Examples:\n\n\b\n"
    "  sibt hedge producer_hedge\n"
    "  sibt hedge producer_hedge -p program=stack --paths 5000\n"
    "  sibt hedge producer_hedge --goods plan.toml --at-expiry deliver --kind company\n"
    "  sibt hedge producer_hedge --kind company --at-expiry deliver \\\n"
    "      --delivery-term inspection=8 --delivery-term storage_days=60\n"
    "  sibt hedge trader_hedge --data prices --settle-from close --all-estimators\n\n"
    "Effective price, risk cut, dollar offset, basis, cash at risk, rolls, delivery, estimators"
    " and the hedge-accounting sheet, in the terminal, the run's folder and its page.",
)
@click.option("--paths", type=click.IntRange(1, 1_000_000), default=1000, show_default=True,
              metavar="N", help="Price paths drawn for the cash at risk.")
@click.option("--rate", type=float, default=0.045, show_default=True, metavar="SHARE",
              help="Cost of cash a year.")
@click.option("--all-estimators", "everything", is_flag=True,
              help="Also compare the slow ways to a ratio: VECM, Kalman, CCC and DCC.")
def command(**given: Any) -> None:
    """Run STRATEGY, which has goods, and report what its hedge was worth."""
    from rich.console import Console

    check(given)
    if not 0 <= given["rate"] <= 1:
        raise SettingError(f"--rate is {given['rate']:g}; give the cost of cash a year, as 0.045.")
    console, t = Console(highlight=False), given["lang"]
    announce(console, f"sibt hedge {given['strategy']}", given["data"], t)
    folder, run, seconds = work(
        given, paths=given["paths"], rate=given["rate"], compared=True,
        everything=given["everything"],
    )  # fmt: skip
    from sibt.report.hedge_terminal import show as show_hedge
    from sibt.report.terminal import caught, show

    caught(run, console, t)
    show_hedge(run, console, t)
    show(run, folder, console, seconds, words(), t)
    if given["show"]:
        click.launch((folder / PAGE).resolve().as_uri())
