"""``sibt cost``: what two reports print of costs and goods, recomputed; one file a command."""

from __future__ import annotations

from typing import Any

import click

from sibt.cli import files
from sibt.cli.cost.showing import options
from sibt.cli.lazy import Lazy
from sibt.errors import SettingError

__all__ = ["command"]

#: Commands, what they do, and where.
_COMMANDS = {
    "capacity": ("New capacity: sums and shares against the printed ones.",
                 "sibt.cli.cost.capacity"),
    "demand": ("Silicon for so many GW, at the ratios of both reports.", "sibt.cli.cost.demand"),
    "furnaces": ("Furnaces by province, their sums, and rows that cannot be.",
                 "sibt.cli.cost.furnaces"),
    "new": ("Write the inputs to edit.", "sibt.cli.cost.new"),
    "plant": ("A tonne of silicon at plant E; keep its cost as a level.", "sibt.cli.cost.plant"),
    "poly": ("Silicon and power in a kg of polysilicon.", "sibt.cli.cost.poly"),
    "powder": ("What grinding blocks into powder leaves.", "sibt.cli.cost.powder"),
    "power": ("What the tariff of a province does to cost.", "sibt.cli.cost.power"),
    "trade": ("Exports, imports, output and growth.", "sibt.cli.cost.trade"),
    "wafer": ("What polysilicon may cost for wafers to break even.", "sibt.cli.cost.wafer"),
    "watt": ("Silicon in a watt of cells.", "sibt.cli.cost.watt"),
}  # fmt: skip


@click.group(
    "cost",
    cls=Lazy,
    commands_in=_COMMANDS,
    before="cost ",
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n"
    "  sibt cost\n"
    "  sibt cost plant --tariff 0.40\n"
    "  sibt cost new my_costs.toml\n"
    "  sibt cost plant --inputs my_costs.toml --csv plant.csv\n"
    "  sibt cost plant --level e_full_low --published 2024-05-14\n\n"
    "Prices are yuan per tonne unless a table says otherwise.",
)
@options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Recompute what two research reports print of costs and goods; alone, an overview.

    Each figure is held against the printed one. The inputs are a file: write a copy with 'sibt
    cost new', edit it, and give it with --inputs.
    """
    if ctx.invoked_subcommand is None:
        _overview(given)
        return
    for name in ("inputs", "csv"):
        if given[name] is not None:
            raise SettingError(
                f"--{name} {given[name]} stands before '{ctx.invoked_subcommand}'; write it behind:"
                f" sibt cost {ctx.invoked_subcommand} --{name} {given[name]}."
            )


def _overview(given: dict[str, Any]) -> None:
    files.check(given["csv"], "--csv")
    import pandas as pd
    from rich.console import Console

    from sibt.report.cost_terminal import show_overview
    from sibt.research.costs.figure import table
    from sibt.research.costs.inputs import TABLES, inputs
    from sibt.research.costs.sheet import sheet

    read = inputs(given["inputs"])
    sheets = [sheet(name, read, own=given["inputs"] is not None) for name in TABLES]
    console = Console(highlight=False)
    show_overview(sheets, console, given["lang"])
    if given["csv"] is not None:
        rows = pd.concat({one.name: table(one.figures) for one in sheets}, names=["table"])
        text = rows.droplevel(1).to_csv(lineterminator="\n")
        files.write(given["csv"], text, "--csv")
        console.print(f"CSV: {given['csv']}", soft_wrap=True, markup=False)
