"""Wafers: what a kilogram of polysilicon brings, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, over

__all__ = ["breakeven", "conversion", "figures", "per_kg", "revenue"]


def per_kg(rod: float, pieces: float) -> float:
    """Return wafers from a kilogram of polysilicon: kg of rod per kg × pieces per kg of rod."""
    return rod * pieces


def revenue(rod: float, pieces: float, price: float) -> float:
    """Return what a kilogram of polysilicon brings as wafers, yuan, at yuan a piece."""
    return per_kg(rod, pieces) * price


def conversion(brought: float, breakeven: float) -> float:
    """Return the cost of making wafers that a break-even implies, yuan per kg of polysilicon.

    Parameters
    ----------
    brought : float
        Revenue, yuan per kg.
    breakeven : float
        Price of polysilicon at which nothing is lost, yuan per kg.
    """
    return brought - breakeven


def breakeven(brought: float, cost: float) -> float:
    """Return the price of polysilicon at which nothing is lost, yuan per kg."""
    return brought - cost


def figures(wafer: Mapping[str, Any], price: float | None = None) -> tuple[Figure, ...]:
    """Return the sums of the table ``[wafer]``.

    Parameters
    ----------
    wafer : mapping
        The table.
    price : float, optional
        Another price, yuan a piece: where break-evens stand at it, with costs as the report
        implies them.
    """
    rod, pieces, poly = wafer["rod"], wafer["pieces"], wafer["poly"]
    brought = revenue(rod, pieces, wafer["price"])
    cash = conversion(brought, wafer["cash_breakeven"])
    whole = conversion(brought, wafer["full_breakeven"])
    one, each = Bounds.of, per_kg(rod, pieces)
    found = [
        Figure("pieces", said("wafers from a kg of polysilicon"), one(each), "pieces/kg"),
        Figure("revenue", said("what they bring"), one(brought), "yuan/kg"),
        Figure("cash_cost", said("cash cost of making them, implied"), one(cash), "yuan/kg"),
        Figure("full_cost", said("full cost of making them, implied"), one(whole), "yuan/kg"),
        Figure("depreciation", said("full less cash cost a piece, depreciation most of it"),
               one(over(whole - cash, each)), "yuan/piece"),
        Figure("rod_cost", said("plant D: rod, silicon apart, in a kg of polysilicon"),
               one(wafer["rod_cost"] * rod), "yuan/kg"),
        Figure("cash_price", said("wafer price that earns cash cost at that polysilicon price"),
               one(over(poly + cash, each)), "yuan/piece"),
        Figure("full_price", said("wafer price that earns full cost at that polysilicon price"),
               one(over(poly + whole, each)), "yuan/piece"),
    ]  # fmt: skip
    if price is not None:
        told = revenue(rod, pieces, price)
        found += [
            Figure("cash_breakeven", said("polysilicon may cost, at {price:g} yuan a wafer, cash",
                                          price=price), one(breakeven(told, cash)), "yuan/kg"),
            Figure("full_breakeven", said("polysilicon may cost, at {price:g} yuan a wafer, full",
                                          price=price), one(breakeven(told, whole)), "yuan/kg"),
        ]  # fmt: skip
    return tuple(found)
