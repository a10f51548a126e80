"""Polysilicon plants: silicon and power in a kilogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure

__all__ = ["figures", "power_cost", "reduction", "silicon_cost"]


def silicon_cost(powder: float, use: float) -> float:
    """Return silicon in polysilicon, yuan per kg: powder in yuan per tonne × t per t ÷ 1000."""
    return powder * use / 1000


def power_cost(kwh: float, tariff: float) -> float:
    """Return power in polysilicon, yuan per kg: kWh per tonne × yuan per kWh ÷ 1000."""
    return kwh * tariff / 1000


def reduction(kwh: float, share: float) -> float:
    """Return the power of the reduction furnaces, kWh per tonne, a share of all."""
    return kwh * share


def figures(table: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[poly]``."""
    kwh, tariff = table["kwh"], table["tariff"]
    return (
        *(Figure(f"silicon_{row['name']}",
                 said("plant {name}: silicon in a kg", name=said(row["name"])),
                 Bounds(*(silicon_cost(table["powder"], use) for use in row["use"])), "yuan/kg")
          for row in table["plant"]),
        Figure("power", said("power in a kg, at the lowest tariff"),
               Bounds(*(power_cost(end, tariff) for end in kwh)), "yuan/kg"),
        Figure("reduction", said("power of the reduction furnaces"),
               Bounds(*(reduction(end, table["reduction_share"]) for end in kwh)), "kWh/t"),
    )  # fmt: skip
