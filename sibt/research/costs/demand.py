"""From installed watts to polysilicon to silicon: the ratios of both reports beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["figures", "poly", "ratio", "silicon"]


def ratio(goods: float, base: float) -> float:
    """Return goods over what they serve: 万吨 of polysilicon a GW, t of silicon per t of it."""
    return over(goods, base)


def poly(gw: float, per_gw: float) -> float:
    """Return 万吨 of polysilicon for so many GW, at 万吨 a GW."""
    return gw * per_gw


def silicon(poly: float, use: float) -> float:
    """Return 万吨 of silicon for so much polysilicon, at t of silicon per t of it."""
    return poly * use


def figures(demand: Mapping[str, Any], gw: float | None = None) -> tuple[Figure, ...]:
    """Return the sums of the table ``[demand]``.

    Parameters
    ----------
    demand : mapping
        The table.
    gw : float, optional
        Installations to compute the chain for with both reports' ratios, GW.
    """
    found, one = [], Bounds.of
    each, uses = demand["per_gw"], demand["si_per_poly"]
    for row in demand["region"]:
        name, own = row["name"], said(row["name"])
        made = poly(row["gw"], each)
        goods = Bounds(*(silicon(made, use) for use in uses))
        printed_poly, printed = one(row["poly"]), one(row["silicon"])
        found += [
            Figure(f"per_gw_{name}", said("{name}: polysilicon a GW, quarterly report", name=own),
                   one(ratio(row["poly"], row["gw"])), "10,000 t/GW"),
            Figure(f"si_per_poly_{name}",
                   said("{name}: silicon per polysilicon, quarterly report", name=own),
                   one(ratio(row["silicon"], row["poly"])), "t/t"),
            Figure(f"poly_{name}", said("{name}: polysilicon at the field report's ratio",
                                        name=own),
                   one(made), "10,000 t", printed_poly, agreement(one(made), printed_poly)),
            Figure(f"silicon_{name}", said("{name}: silicon at the field report's ratios",
                                           name=own),
                   goods, "10,000 t", printed, agreement(goods, printed)),
            Figure(f"times_{name}", said("{name}: printed silicon over that", name=own),
                   Bounds(over(row["silicon"], goods.high), over(row["silicon"], goods.low)), "×"),
        ]  # fmt: skip
        if gw is not None:
            a, b = ratio(row["poly"], row["gw"]), ratio(row["silicon"], row["poly"])
            found.append(Figure(
                f"asked_{name}",
                said("{gw:g} GW: silicon at the quarterly report's ratios, {name}", gw=gw,
                     name=own),
                one(silicon(poly(gw, a), b)), "10,000 t",
            ))  # fmt: skip
    if gw is not None:
        found.append(Figure(
            "asked", said("{gw:g} GW: silicon at the field report's ratios", gw=gw),
            Bounds(*(silicon(poly(gw, each), use) for use in uses)), "10,000 t",
        ))  # fmt: skip
    return tuple(found)
