"""New capacity: sums and shares of what the reports list, against what they print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["by", "figures", "share", "total"]

Rows = Iterable[Mapping[str, Any]]


def total(rows: Rows) -> float:
    """Return the sum of capacities, 万吨 a year."""
    return float(sum(row["wan_t"] for row in rows))


def by(rows: Rows, key: str) -> dict[str, float]:
    """Return sums by province or quarter, 万吨 a year, in the order they come first."""
    found: dict[str, float] = {}
    for row in rows:
        found[row[key]] = found.get(row[key], 0.0) + row["wan_t"]
    return found


def share(rows: Rows, province: str) -> float:
    """Return a province's part of all, as part of one; 0 for one without a row."""
    rows = tuple(rows)
    return over(by(rows, "province").get(province, 0.0), total(rows))


def figures(capacity: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[capacity]``."""
    found, one = [], Bounds.of
    for key, what in (("silicon", said("new silicon capacity of the year")),
                      ("poly", said("new polysilicon capacity of the year"))):  # fmt: skip
        value, printed = one(total(capacity[key])), one(capacity[f"printed_{key}"])
        found.append(Figure(key, what, value, "10,000 t", printed, agreement(value, printed)))
    for row in capacity["share"]:
        name, own = row["province"], said(row["province"])
        part, told = one(share(capacity["silicon"], name)), one(row["printed_share"])
        # Printed in whole per cent, 20 % among them.
        found.append(Figure(f"share_{name}", said("{name}: share of new silicon", name=own),
                            part, "share", told, agreement(part, told, step=0.01)))  # fmt: skip
    for quarter, amount in by(capacity["poly"], "quarter").items():
        what = said("new polysilicon in {quarter}", quarter=quarter)
        found.append(Figure(f"poly_{quarter}", what, one(amount), "10,000 t"))
    return (
        *found,
        Figure("fleet", said("polysilicon plants cut or in repair, capacity"),
               one(total(capacity["fleet"])), "10,000 t"),
        Figure("starting", said("polysilicon lines that start, named"),
               one(total(capacity["starting"])), "10,000 t"),
    )  # fmt: skip
