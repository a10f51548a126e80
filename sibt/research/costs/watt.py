"""Silicon in a watt of cells, and what a month of wafers takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over
from sibt.research.costs.wafer import per_kg

__all__ = ["figures", "grams", "need", "per_gw", "watts"]


def watts(side: float, efficiency: float, irradiance: float = 0.1) -> float:
    """Return the power of one cell, watts.

    Parameters
    ----------
    side : float
        Side of the square, mm; corners count as if they were there.
    efficiency : float
        Part of one.
    irradiance : float
        W/cm²; 0.1 is the standard test's 1000 W/m².
    """
    return (side / 10) ** 2 * irradiance * efficiency


def grams(pieces: float, power: float) -> float:
    """Return grams of polysilicon a watt, from pieces per kg of it and watts a piece."""
    return over(1000, pieces * power)


def per_gw(grams: float) -> float:
    """Return 万吨 of polysilicon a GW: 1 g/W is 1000 t/GW."""
    return grams / 10


def need(gw: float, tonnes: float) -> float:
    """Return 万吨 of polysilicon for wafers of so many GW at 万吨 a GW."""
    return gw * tonnes


def figures(table: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[watt]``."""
    found = []
    for row in table["cell"]:
        name, own, one = row["name"], said(row["name"]), Bounds.of
        pieces = per_kg(table["rod"], row["pieces"])
        power = watts(row["side"], row["efficiency"], table["irradiance"])
        weight = grams(pieces, power)
        for key, what, value, unit in (
            ("pieces", said("{name}: wafers from a kg of polysilicon", name=own), pieces,
             "pieces/kg"),
            ("watts", said("{name}: watts a piece", name=own), power, "W"),
            ("grams", said("{name}: polysilicon a watt", name=own), weight, "g/W"),
            ("per_gw", said("{name}: polysilicon a GW", name=own), per_gw(weight), "10,000 t/GW"),
        ):  # fmt: skip
            printed = row.get(f"printed_{key}")
            found.append(
                Figure(f"{key}_{name}", what, one(value), unit)
                if printed is None else
                Figure(f"{key}_{name}", what, one(value), unit, one(printed),
                       agreement(one(value), one(printed)))
            )  # fmt: skip
    gw, each = table["schedule"], table["per_gw"]
    month = need(gw, each)
    fall = need(over(gw, 1 + table["change_schedule"]), each) - month
    for key, what, value in (
        ("need", said("polysilicon for the month's wafers"), month),
        ("fall", said("less than the month before"), fall),
    ):
        told = Bounds.of(table[f"printed_{key}"])
        found.append(Figure(key, what, Bounds.of(value), "10,000 t", told,
                            agreement(Bounds.of(value), told)))  # fmt: skip
    return tuple(found)
