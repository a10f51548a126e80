"""What is watched, and what cannot be tested: risk notes and sentences without a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sibt.language import said, written
from sibt.research.claims.course import BEFORE
from sibt.research.claims.prices import Subject
from sibt.research.claims.quantity import Quantity
from sibt.research.claims.verdict import Figure, LackingError, Missing, Score, named

__all__ = ["NEVER", "WATCHED", "vague", "watch"]

#: Horizons of what is watched and of what no horizon decides.
WATCHED, NEVER = said("since the report"), written("–", "–")


def watch(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Show what a risk note is about: its value when the report came out, and what it is now.

    It is never right or wrong. Where some of it is missing, the rest is shown.

    Raises
    ------
    LackingError
        None of it is in the data.
    """
    of: Sequence[Quantity] = told["of"]
    figures: dict[str, Figure] = {}
    missing: list[Missing] = []
    path = None
    for one in of:
        try:
            values = one.values(subject).sort_index()
        except LackingError as lacking:
            missing += lacking.missing
            continue
        whose, unit = str(one) if len(of) > 1 else "", one.unit(subject)
        before = values[: subject.day]
        last = float(values.iloc[-1])
        figures[named("last value", whose)] = Figure(last, unit)
        if len(before):
            first = float(before.iloc[-1])
            figures[named("on the report's day", whose)] = Figure(first, unit)
            figures[named("change", whose)] = Figure(last - first, unit)
        figures[named("last known on", whose)] = Figure(values.index[-1])
        if path is None:
            path = values.iloc[max(len(before) - BEFORE, 0) :].rename(str(one))
    if path is None:
        raise LackingError(*missing)
    return Score(
        horizon=WATCHED,
        verdict="watched",
        figures=figures,
        missing=tuple(missing),
        no_base=said("what is watched is neither right nor wrong"),
        start=subject.day,
        path=path,
        unit=next(iter(figures.values())).unit,
    )


def vague(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Return that a sentence cannot be tested, and why."""
    return Score(horizon=NEVER, verdict="undecidable", why=told["why"])
