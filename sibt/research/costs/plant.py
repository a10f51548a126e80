"""A silicon plant: what a tonne costs, and what of it is power."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.errors import DataError
from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement

__all__ = ["READINGS", "daily_output", "direct", "figures", "full", "full_bounds", "item",
           "power"]  # fmt: skip

#: Readings of "工资占比 7-8%，费用率 10%", what it is a share of not being said; the first, the
#: wording 占比, is the default.
READINGS = {
    "shares": said("full cost, wage and fees as shares of it"),
    "markups": said("full cost, wage and fees as mark-ups on direct cost"),
    "wage_first": said("full cost, wage as a share of cost, then fees on top"),
}


def item(use: float, price: float) -> float:
    """Return what one thing costs, yuan per tonne of silicon.

    Parameters
    ----------
    use : float
        Tonnes (or kWh) of it for a tonne of silicon.
    price : float
        Yuan per tonne (or kWh) of it.
    """
    return use * price


def power(kwh: float, tariff: float) -> float:
    """Return the cost of power, yuan per tonne: kWh/t × yuan/kWh."""
    return kwh * tariff


def direct(plant: Mapping[str, Any]) -> Bounds:
    """Return the direct cost, yuan per tonne: all items and power.

    Parameters
    ----------
    plant : mapping
        The table ``[plant]``: items with use (t/t) and price (yuan/t), kwh (kWh/t), tariff
        (yuan/kWh). What is not in the list, as electrodes, is not in the sum.
    """
    items = [[item(row["use"][end], row["price"][end]) for row in plant["item"]]
             for end in (0, 1)]  # fmt: skip
    current = power(plant["kwh"], plant["tariff"])
    return Bounds(*(sum(costs) + current for costs in items))


def full(direct: float, wage: float, fees: float, reading: str = "shares") -> float:
    """Return the full cost, yuan per tonne.

    Parameters
    ----------
    direct : float
        Direct cost, yuan per tonne.
    wage, fees : float
        Shares of one.
    reading : {"shares", "markups", "wage_first"}
        What they are shares of, see `READINGS`: direct ÷ (1 − wage − fees),
        direct × (1 + wage + fees), or direct ÷ (1 − wage) × (1 + fees).

    Raises
    ------
    DataError
        Shares that leave nothing for the direct cost.
    """
    left = {"shares": 1 - wage - fees, "markups": 1.0, "wage_first": 1 - wage}[reading]
    if left <= 0:
        raise DataError(
            f"[plant] wage {wage:g} and fees {fees:g} leave nothing of the cost; give shares that"
            " add up to less than one."
        )
    if reading == "markups":
        return direct * (1 + wage + fees)
    return direct / left * (1 + fees if reading == "wage_first" else 1)


def full_bounds(plant: Mapping[str, Any], reading: str = "shares") -> Bounds:
    """Return the full cost of the table ``[plant]``, yuan per tonne: low with low wage."""
    return Bounds(*(full(cost, wage, plant["fees"], reading)
                    for cost, wage in zip(direct(plant), plant["wage"], strict=True)))  # fmt: skip


def daily_output(furnaces: Any) -> Bounds:
    """Return what the furnaces that run make, tonnes a day.

    Parameters
    ----------
    furnaces : sequence of mapping
        running (how many) and output (t a day each).
    """
    return Bounds(*(sum(row["running"] * row["output"][end] for row in furnaces)
                    for end in (0, 1)))  # fmt: skip


def figures(plant: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[plant]``."""
    cost, current = direct(plant), power(plant["kwh"], plant["tariff"])
    whole = {reading: full_bounds(plant, reading) for reading in READINGS}
    made, printed = daily_output(plant["furnace"]), Bounds.of(plant["printed_output"])
    return (
        Figure("direct", said("direct cost"), cost, "yuan/t"),
        *(Figure(f"full_{name}", what, whole[name], "yuan/t") for name, what in READINGS.items()),
        Figure("power", said("power"), Bounds.of(current), "yuan/t"),
        Figure("power_share", said("power in full cost, wage and fees as shares of it"),
               Bounds(current / whole["shares"].high, current / whole["shares"].low), "share"),
        Figure("power_step", said("direct cost for each 0.01 yuan/kWh"),
               Bounds.of(power(plant["kwh"], 0.01)), "yuan/t"),
        Figure("daily_output", said("output of the furnaces that run"), made, "t/day", printed,
               agreement(made, printed)),
    )  # fmt: skip

