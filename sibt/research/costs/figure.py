"""One figure of a cost sheet: from where to where, in what unit, and what was printed of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pandas as pd

from sibt.language import Sentence

__all__ = ["AGREES", "DIFFERS", "ROUNDING", "Bounds", "Figure", "agreement", "over", "table"]

#: What a recomputed figure is to the printed one.
AGREES, DIFFERS, ROUNDING = "agrees", "differs", "within rounding"


class Bounds(NamedTuple):
    """A figure from where to where; both the same where there is one."""

    low: float
    high: float

    @classmethod
    def of(cls, value: Any) -> Bounds:
        """Return the bounds of a number or of a pair of them."""
        if isinstance(value, int | float):
            return cls(float(value), float(value))
        low, high = value
        return cls(float(low), float(high))


@dataclass(frozen=True)
class Figure:
    """A figure recomputed from what a report prints.

    Attributes
    ----------
    name : str
        Short name, for tables that programs read.
    what : Sentence
        What it is.
    value : Bounds
        In `unit`; shares are parts of one. NaN where nothing can be said.
    unit : str
        ``yuan/t``, ``kWh/t``, ``t/t``, ``share`` ….
    printed : Bounds or None
        What the report makes of it, in the same unit; None where it prints nothing.
    verdict : {"agrees", "differs", "within rounding", ""}
        See `agreement`; empty where nothing is printed.
    """

    name: str
    what: Sentence
    value: Bounds
    unit: str
    printed: Bounds | None = None
    verdict: str = ""


def agreement(
    value: Bounds, printed: Bounds, step: float | None = None, rounding: Bounds | None = None
) -> str:
    """Tell whether a recomputed figure is what was printed.

    It agrees where it rounds to the printed figure at the precision that is printed in: a
    printed range at both its ends, a single printed figure anywhere within a recomputed range.

    Parameters
    ----------
    value, printed : Bounds
        Recomputed and printed, in one unit.
    step : float, optional
        What the printed figure is rounded to; its last decimal if left out.
    rounding : Bounds, optional
        From where to where the figure may lie, as its own inputs were rounded before print.
    """
    low, high = (_rounded(end, out, step)
                 for end, out in zip(value, printed, strict=True))  # fmt: skip
    if printed.low == printed.high:
        agrees = low <= printed.low <= high
    else:
        agrees = (low, high) == (printed.low, printed.high)
    if agrees:
        return AGREES
    if rounding is not None and rounding.low <= printed.low <= printed.high <= rounding.high:
        return ROUNDING
    return DIFFERS


def _rounded(value: float, like: float, step: float | None) -> float:
    """Return a value rounded half up to a step, or to the decimals `like` is written with."""
    if math.isnan(value):
        return value
    # Twelve digits: what floats add below them is no part of the figure.
    exact = Decimal(f"{value:.12g}")
    if step is not None:
        return float((exact / Decimal(repr(step))).quantize(Decimal(1), ROUND_HALF_UP)) * step
    last = Decimal(1) if like == int(like) else Decimal(repr(like))
    return float(exact.quantize(last, ROUND_HALF_UP))


def over(one: float, other: float) -> float:
    """Return one figure over another; NaN over nothing."""
    return one / other if other else math.nan


def table(figures: Iterable[Figure]) -> pd.DataFrame:
    """Return figures as a table, a row each: English and without thousands separators.

    Returns
    -------
    pd.DataFrame
        Columns name, what, low, high, unit, printed_low, printed_high, verdict; NaN is unknown
        or not printed.
    """
    nothing = Bounds(math.nan, math.nan)
    return pd.DataFrame(
        [
            (f.name, str(f.what), *f.value, f.unit, *(f.printed or nothing), f.verdict)
            for f in figures
        ],
        columns=["name", "what", "low", "high", "unit", "printed_low", "printed_high", "verdict"],
    )
