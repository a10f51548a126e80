"""Trade, output and open interest: sums, growth, and the earlier figures a growth implies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["before", "figures", "growth", "growth_bounds", "growth_of_sum"]


def growth(now: float, then: float) -> float:
    """Return the growth from `then` to `now`, part of one."""
    return over(now, then) - 1


def growth_bounds(now: float, then: float, step: float) -> Bounds:
    """Return the growth both figures allow that were rounded to `step` before they were printed."""
    half = step / 2
    return Bounds(growth(now - half, then + half), growth(now + half, then - half))


def growth_of_sum(now: tuple[float, ...], changes: tuple[float, ...]) -> float:
    """Return the growth of a sum whose parts grew by `changes`, part of one."""
    return growth(sum(now), sum(before(a, b) for a, b in zip(now, changes, strict=True)))


def before(now: float, change: float) -> float:
    """Return the earlier figure that grew by `change` (part of one) to `now`, in its unit."""
    return over(now, 1 + change)


def figures(trade: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[trade]``."""
    return (*_abroad(trade), *_at_home(trade))


def _abroad(trade: Mapping[str, Any]) -> list[Figure]:
    one = Bounds.of
    found = []
    out, into, last = trade["exports"], trade["imports"], trade["february"]
    pair = (out["january"], out["february"])
    year = growth_of_sum(pair, (out["change_january"], out["change_february"]))
    for name, what, value, unit, printed, step, room in (
        ("exports", said("exports, January and February"), sum(pair), "10,000 t",
         out["printed_both"], None, None),
        ("exports_month", said("exports, February on January"),
         growth(out["february"], out["january"]), "share", out["printed_month"], 0.01, None),
        ("exports_year", said("exports of both months on the year before"), year, "share",
         out["printed_year"], 0.01, None),
        ("imports", said("imports, January and February"),
         into["january"] + into["february"], "10,000 t", into["printed_both"], None, None),
        ("imports_month", said("imports, February on January"),
         growth(into["february"], into["january"]), "share", into["printed_month"], 0.01,
         growth_bounds(into["february"], into["january"], 0.01)),
        ("top_share", said("exports of February to ten countries"),
         over(last["top"], last["tonnes"]), "share", last["printed_share"], None, None),
    ):  # fmt: skip
        told = one(printed)
        found.append(Figure(name, what, one(value), unit, told,
                            agreement(one(value), told, step, room)))  # fmt: skip
    found.append(Figure("export_price", said("export price of January, implied"),
                        one(last["price"] - last["change_price"]), "yuan/t"))  # fmt: skip
    return found


def _at_home(trade: Mapping[str, Any]) -> list[Figure]:
    one = Bounds.of
    named = sum(row["output"] for row in trade["province"])
    return [
        Figure("cost_before", said("cost a year before, implied"),
               one(before(trade["cost"], trade["change_cost"])), "yuan/t"),
        Figure("profit_before", said("profit a year before, implied"),
               one(before(trade["profit"], trade["change_profit"])), "yuan/t"),
        Figure("price", said("mean price, cost and profit together"),
               one(trade["cost"] + trade["profit"]), "yuan/t"),
        Figure("poly_before", said("polysilicon of February, implied"),
               Bounds(*(before(end, trade["change_poly"]) for end in trade["poly"])), "10,000 t"),
        Figure("solar_before", said("solar installations a year before, implied"),
               one(before(trade["solar"], trade["change_solar"])), "GW"),
        Figure("provinces", said("silicon of the provinces named"), one(named), "10,000 t"),
        Figure("provinces_share", said("share of them in all output"),
               one(over(named, trade["output"])), "share"),
        Figure("interest", said("open interest, growth"),
               one(growth(trade["interest"], trade["interest_before"])), "share"),
    ]  # fmt: skip
