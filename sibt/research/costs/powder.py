"""A powder plant: what grinding blocks of silicon leaves, with what is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["block_cost", "breakeven", "figures", "gap", "margin", "works"]


def gap(powder: float, block: float) -> float:
    """Return powder less block, yuan per tonne, nothing lost in grinding."""
    return powder - block


def breakeven(block: float, fee: float) -> float:
    """Return the powder price at which grinding earns its fee, yuan per tonne, nothing lost."""
    return block + fee


def block_cost(block: float, share: float, discount: float) -> float:
    """Return what the blocks for a tonne of powder cost, yuan per tonne of powder.

    A tonne of block gives `share` tonnes of powder; the rest sells `discount` below the
    block. NaN where there is no powder.

    Parameters
    ----------
    block, discount : float
        Yuan per tonne.
    share : float
        Powder per block (成材率), part of one.
    """
    return over(block - (1 - share) * (block - discount), share)


def margin(powder: float, block: float, share: float, discount: float) -> float:
    """Return what is left of the powder price before processing, yuan per tonne of powder."""
    return powder - block_cost(block, share, discount)


def works(lines: float, rate: float, hours: float, days: float) -> float:
    """Return what lines can make, tonnes: lines × t an hour each × hours a day × days."""
    return lines * rate * hours * days


def figures(table: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[powder]``."""
    powder, block, fee = table["powder"], table["block"], table["fee"]
    need = Bounds(*(breakeven(block, end) for end in fee))
    between = gap(powder, block)
    found = [
        Figure("gap", said("powder less block"), Bounds.of(between), "yuan/t"),
        Figure("after_fee", said("left after the usual fee"),
               Bounds(between - fee.high, between - fee.low), "yuan/t"),
        Figure("breakeven", said("powder price that earns the fee"), need, "yuan/t"),
    ]  # fmt: skip
    for row in table["plant"]:
        name, shares, discount = row["name"], row["yield"], row["discount"]
        own = said(name)
        # Least powder with the cheapest offcut costs most.
        worst, best = (shares.low, discount.high), (shares.high, discount.low)
        paid = Bounds(block_cost(block, *best), block_cost(block, *worst))
        left = Bounds(margin(powder, block, *worst), margin(powder, block, *best))
        found += [
            Figure(f"block_cost_{name}", said("plant {name}: block in a tonne of powder",
                                              name=own), paid, "yuan/t"),
            Figure(f"margin_{name}", said("plant {name}: left before processing", name=own),
                   left, "yuan/t"),
            Figure(f"needed_{name}", said("plant {name}: powder price that earns the fee",
                                          name=own),
                   Bounds(paid.low + fee.low, paid.high + fee.high), "yuan/t"),
        ]  # fmt: skip
    plant = table["works"]
    month, week = (Bounds.of(works(plant["lines"], plant["rate"], plant["hours"], days))
                   for days in (plant["days"], 7))  # fmt: skip
    printed_month, printed_week = (Bounds.of(plant[f"printed_{k}"]) for k in ("month", "week"))
    found += [
        Figure("month", said("plant B: a month of all hours"), month, "t", printed_month,
               agreement(month, printed_month)),
        # Stocks are told in whole thousands of tonnes.
        Figure("week", said("plant B: a week of all hours"), week, "t", printed_week,
               agreement(week, printed_week, step=1000.0)),
        Figure("hours_used", said("plant B: share of all hours the printed month takes"),
               Bounds.of(over(plant["printed_month"], month.low)), "share"),
    ]  # fmt: skip
    return tuple(found)
