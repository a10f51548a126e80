"""What a change of the tariff does to the cost of silicon, province by province."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["cost_change", "figures", "implied_use"]


def cost_change(kwh: float, change: float) -> float:
    """Return the change of cost, yuan per tonne: kWh/t × yuan/kWh."""
    return kwh * change


def implied_use(cost: float, change: float) -> float:
    """Return the consumption a report implies, kWh/t: its cost change ÷ its tariff change.

    Parameters
    ----------
    cost : float
        Change of cost, yuan per tonne.
    change : float
        Change of tariff, yuan per kWh; NaN results from none.
    """
    return over(cost, change)


def figures(power: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[power]``; ends of ranges go with like ends."""
    found = []
    for row in power["province"]:
        name, change, printed = row["name"], row["change_tariff"], row["printed_cost"]
        own = said(name)
        cost = Bounds(*(cost_change(power["kwh"], end) for end in change))
        use = Bounds(*sorted(implied_use(*ends) for ends in zip(printed, change, strict=True)))
        found += [
            Figure(f"cost_{name}", said("{name}: cost moves by", name=own), cost, "yuan/t",
                   printed, agreement(cost, printed)),
            Figure(f"use_{name}", said("{name}: consumption the report implies", name=own),
                   use, "kWh/t"),
        ]  # fmt: skip
    return tuple(found)
