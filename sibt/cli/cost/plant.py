"""``sibt cost plant``: a tonne of silicon at plant E, and its cost as a level for charts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from sibt.cli import files
from sibt.cli.cost.showing import Positive, options, show
from sibt.cli.values import OneOf
from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "plant",
    epilog="Examples:\n\n\b\n"
    "  sibt cost plant\n"
    "  sibt cost plant --tariff 0.40 --kwh 12000\n"
    "  sibt cost plant --level e_full_low --published 2024-05-14\n"
    "  sibt run short_rallies --level levels.toml:e_full_low\n\n"
    "A level is known from the day it was published, on contracts of its delivery standard.",
)
@click.option("--tariff", type=Positive(), metavar="YUAN", help="Tariff, yuan/kWh.")
@click.option("--kwh", type=Positive(), metavar="KWH", help="Consumption of a tonne, kWh.")
@click.option("--level", "name", metavar="NAME",
              help="Keep the full cost as a level of this name, for charts and strategies.")
@click.option("--published", metavar="DAY", help="With --level: the day it became known.")
@click.option("--reading", type=OneOf(["shares", "markups", "wage_first"]), default="shares",
              show_default=True, help="With --level: what wage and fees are shares of.")
@click.option("--bound", type=OneOf(["low", "high"]), default="low", show_default=True,
              help="With --level: which end of the cost.")
@click.option("--to", type=click.Path(path_type=Path), default=Path("levels.toml"),
              show_default=True, metavar="FILE", help="With --level: the file it is added to.")
@options
def command(**given: Any) -> None:
    """Show what a tonne of silicon costs at plant E, its overheads read in three ways."""
    day = _day(given)
    files.check(given["to"] if given["name"] else None, "--to")
    plant = show("plant", given, {"tariff": given["tariff"], "kwh": given["kwh"]})
    if day is not None:
        _keep(given, plant, day)


def _day(given: Mapping[str, Any]) -> date | None:
    """Return the day a level is published on; None where none is asked for."""
    name, text = given["name"], given["published"]
    if name is None:
        if text is not None:
            raise SettingError(f"--published {text} is for a level; name it with --level NAME.")
        return None
    if text is None:
        raise SettingError(
            f"--level {name} needs the day it became known; add --published 2024-05-14."
        )
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingError(f"--published '{text}' is no day; write it as 2024-05-14.") from None


def _keep(given: Mapping[str, Any], plant: Mapping[str, Any], day: date) -> None:
    import pandas as pd

    from sibt.research.costs.plant import full_bounds
    from sibt.strategy.levels import UNIT, Level, added

    reading, bound, file = given["reading"], given["bound"], given["to"]
    value = getattr(full_bounds(plant, reading), bound)
    source = (
        f"sibt cost plant: {plant['kwh']:g} kWh/t at {plant['tariff']:g} yuan/kWh, reading"
        f" {reading}, {bound}"
    )
    if given["inputs"] is not None:
        source += f", inputs {given['inputs'].name}"
    one = Level(
        name=given["name"], printed=round(value, 2), unit=UNIT, published_on=pd.Timestamp(day),
        product=plant["product"], standard=plant["standard"], source=source,
    )  # fmt: skip
    files.write(file, added(one, file), "--to")
    t = given["lang"]
    click.echo(t(
        "Level {name}: {value:,.2f} yuan/t from {day:%Y-%m-%d} on, standard {standard}, in {file}."
        " Draw it: sibt run STRATEGY --level {file}:{name}",
        name=one.name, value=one.printed, day=one.published_on, standard=one.standard,
        file=str(file),
    ))  # fmt: skip
