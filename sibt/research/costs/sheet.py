"""One table of costs: its inputs, its figures, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sibt.language import Sentence, said
from sibt.research.costs import (
    capacity,
    demand,
    furnaces,
    plant,
    poly,
    powder,
    power,
    trade,
    wafer,
    watt,
)
from sibt.research.costs.figure import Figure

__all__ = ["Sheet", "sheet"]

#: Of each table what computes it, its main figure, its title, and what the report leaves unsaid.
_SHEETS = {
    "plant": (plant.figures, "full_shares", said("what it comes to"), (
        said("The report names no electrodes, no depreciation, no split of VAT and no freight, and"
             " quartz at 400 or more: all sums are lower bounds. Add what you know to a copy of"
             " the inputs (sibt cost new)."),
        said("What wage and fees are a share of is not said: three readings are shown."),
    )),
    "power": (power.figures, "cost_Yunnan", said("what the wet season's tariff does to cost"), (
        said("The quarterly report's own figures imply 14,000 to 15,333 kWh/t; the plant visited in"
             " May 2024 uses 11,500. It prints Sichuan's tariff in yuan/t where yuan/kWh is"
             " meant."),
    )),
    "powder": (powder.figures, "gap", said("what grinding leaves"), (
        said("Whether the rest sells below the block's or the powder's price is not said; below the"
             " block's is assumed, and for plant C the discount of plant B."),
        said("6 t an hour is read as each line's; the printed month then takes 69 % of the hours."),
    )),
    "wafer": (wafer.figures, "cash_cost", said("N-type wafers of 182 mm"), (
        said("The break-even of 44.5 yuan/kg is the spot price of the same day: wafers at 1.35 yuan"
             " earn just their cash cost, by construction."),
        said("Plant D's rod alone costs about what the report implies for rod and slicing together:"
             " the two are not on one basis."),
    )),
    "watt": (watt.figures, "per_gw_N M10", said("held against the printed table"), ()),
    "poly": (poly.figures, "silicon_G", said("polysilicon, what is in a kg"), (
        said("The tariff of plant F is printed as 0.2 or more: power is a lower bound."),
    )),
    "demand": (demand.figures, "silicon_China", said("what the field report's ratios give"), (
        said("The quarterly report needs 3,625 t of polysilicon a GW, the field report 2,000: the"
             " same installations take half the silicon. What the former calls growth is the"
             " total."),
    )),
    "capacity": (capacity.figures, "poly", said("sums held against the printed ones"), (
        said("Xinyi (Yunnan) stands twice in the polysilicon table; without one of the rows it adds"
             " up to 139.5, which is not the printed 145.5 either."),
    )),
    "furnaces": (furnaces.figures, "rate", said("sums held against the printed ones"), (
        said("The table bears no day, the text counts 2024-02-27; Ningxia has more furnaces"
             " running than there are."),
    )),
    "trade": (trade.figures, "exports", said("sums, growth, and what growth implies"), (
        said("A shorter February cannot explain why March makes less polysilicon."),
    )),
}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A table and what it comes to.

    Attributes
    ----------
    name : str
        Its word: plant, power, powder, ….
    title : Sentence
        What the figures are.
    table : mapping
        The inputs.
    figures : tuple of Figure
        What they come to.
    main : Figure
        The one to show where there is room for one.
    notes : tuple of Sentence
        What a reader must know of the shipped inputs; empty for somebody's own.
    """

    name: str
    title: Sentence
    table: Mapping[str, Any]
    figures: tuple[Figure, ...]
    main: Figure
    notes: tuple[Sentence, ...]


def sheet(
    name: str, inputs: Mapping[str, Mapping[str, Any]], *, own: bool = False, **asked: Any
) -> Sheet:
    """Return one table with its figures.

    Parameters
    ----------
    name : str
        The table, one of `sibt.research.costs.inputs.TABLES`.
    inputs : mapping
        All tables, as `sibt.research.costs.inputs.inputs` reads them.
    own : bool
        True for inputs somebody edited, of which the notes on the reports say nothing.
    **asked
        What else is asked of its figures: ``price`` of wafers, ``gw`` of demand.
    """
    compute, main, title, notes = _SHEETS[name]
    figures = compute(inputs[name], **asked)
    named = {figure.name: figure for figure in figures}
    # Somebody's own rows may bear other names.
    return Sheet(name, title, inputs[name], figures, named.get(main, figures[0]),
                 () if own else notes)  # fmt: skip
