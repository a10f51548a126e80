"""Furnaces by province: sums against what is printed, and rows that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sibt.language import said
from sibt.research.costs.figure import Bounds, Figure, agreement, over

__all__ = ["figures", "impossible", "open_rate", "total"]

Rows = Iterable[Mapping[str, Any]]


def total(rows: Rows, key: str) -> float:
    """Return the sum over provinces of ``total``, ``open`` or ``change``, furnaces."""
    return float(sum(row[key] for row in rows))


def open_rate(running: float, there: float) -> float:
    """Return the share of furnaces that run (开炉率), part of one."""
    return over(running, there)


def impossible(rows: Rows) -> list[str]:
    """Return the provinces in which more furnaces run than there are."""
    return [row["name"] for row in rows if row["open"] > row["total"]]


def figures(table: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the sums of the table ``[furnaces]``."""
    rows, one, found = table["province"], Bounds.of, []
    for key, what in (("total", said("furnaces in all")), ("open", said("furnaces that run")),
                      ("change", said("change of furnaces that run"))):  # fmt: skip
        value, printed = one(total(rows, key)), one(table[f"printed_{key}"])
        found.append(Figure(key, what, value, "furnaces", printed, agreement(value, printed)))
    rate = one(open_rate(table["text_open"], table["text_total"]))
    told = one(table["printed_rate"])
    return (
        *found,
        Figure("rate", said("share that runs, from the table"),
               one(open_rate(total(rows, "open"), total(rows, "total"))), "share"),
        Figure("text_rate", said("share that runs, from the text"), rate, "share", told,
               agreement(rate, told)),
        Figure("impossible", said("provinces where more run than there are"),
               one(len(impossible(rows))), "provinces"),
    )  # fmt: skip
