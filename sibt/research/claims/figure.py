"""Printed figures and moves: whether the number is in the data, and which way things went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.language import Sentence, said
from sibt.market import calendar
from sibt.research.claims.base import rate
from sibt.research.claims.course import BEFORE
from sibt.research.claims.prices import Subject
from sibt.research.claims.quantity import Quantity
from sibt.research.claims.settings import Part
from sibt.research.claims.verdict import (
    BaseRate,
    Figure,
    LackingError,
    Missing,
    Score,
    named,
)

__all__ = ["change", "horizon", "identity", "trend"]

FloatArray = NDArray[np.float64]

_TAKE: Mapping[str, Callable[[pd.Series[float]], float]] = {
    "first": lambda values: float(values.iloc[0]),
    "last": lambda values: float(values.iloc[-1]),
    "mean": lambda values: float(values.mean()),
    "sum": lambda values: float(values.sum()),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
}


def horizon(told: Mapping[str, Any]) -> Sentence:
    """Return the days a row is about."""
    if told.get("on") is not None:
        return said("on {day:%Y-%m-%d}", day=told["on"])
    return said("{start:%Y-%m-%d}..{end:%Y-%m-%d}", start=told["start"], end=told["end"])


def identity(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Score a printed figure: right if the data hold it, within the tolerance.

    It may lie before the report. Of a series, the value on a day is the one of that date, or the
    last known, see `Quantity.slack`; of anything else, the value of that day. Between two days the
    values inside are taken together; data with a gap, or that begin later or end earlier, cannot
    tell: a part sum is no sum.
    """
    of: Quantity = told["of"]
    on, start, end = told["on"], told["start"], told["end"]
    open_ = _open(subject, told, (of,), end if on is None else on)
    if open_ is not None:
        return open_
    values = of.values(subject)
    if on is not None:
        seen = values[on - of.slack : on] if of.dated else values[on:on]
        if not len(seen):
            raise of.lacks(subject, on)
    else:
        seen, slack = values[start:end], of.slack
        short = not len(seen) or seen.index[0] > start + slack or seen.index[-1] < end - slack
        if short or of.gaps(subject, start, end):
            raise of.lacks(subject, f"{start:%Y-%m-%d}..{end:%Y-%m-%d}")
    value = _TAKE["last" if on is not None else told["take"]](seen)
    figures = {"in the data": Figure(value, told["unit"] or of.unit(subject))}
    if on is None:
        figures["values"] = Figure(len(seen))
    elif of.dated:
        figures["value of"] = Figure(seen.index[-1])
    return _printed(subject, told, values, value, figures, seen.index[-1])


def change(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Score a printed change between two days, in its unit or as a share of the first value.

    The values are the last known on or before the days; see `Quantity.slack`.
    """
    of: Quantity = told["of"]
    open_ = _open(subject, told, (of,), told["end"])
    if open_ is not None:
        return open_
    values = of.values(subject)
    first, last = (_at(subject, of, values, told[name]) for name in ("start", "end"))
    unit = of.unit(subject)
    value = last - first
    if told["relative"]:
        if first == 0:
            raise of.lacks(subject, said("above zero on {day:%Y-%m-%d}", day=told["start"]))
        value /= first
    figures = {
        "change": Figure(value, "share" if told["relative"] else told["unit"] or unit),
        "first value": Figure(first, unit),
        "last value": Figure(last, unit),
    }
    return _printed(subject, told, values, value, figures, told["end"])


def trend(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Score "it rises", "it falls", "it holds" between two days; of several, all must.

    ``up`` and ``down`` are changes of more than `within` as a share of the first value, ``flat``
    is what lies between; ``not_up`` and ``not_down`` are the rest. On a random day the end is as
    many days ahead.
    """
    parts: Sequence[Part] = told["parts"]
    start, end = told["start"], told["end"]
    open_ = _open(subject, told, [part.of for part in parts], end)
    if open_ is not None and open_.verdict == "undecidable":
        return open_
    missing: list[Missing] = []
    known: list[pd.Series[float]] = []
    for part in parts:
        try:
            known.append(part.of.values(subject))
        except LackingError as lacking:
            missing += [one for one in lacking.missing if one not in missing]
    if missing:
        raise LackingError(*missing)
    figures: dict[str, Figure] = {}
    over = open_ is None
    holds = []
    for part, values in zip(parts, known, strict=True):
        first = _at(subject, part.of, values, start)
        last = _at(subject, part.of, values, end) if over else float(values.iloc[-1])
        whose, unit = str(part.of) if len(parts) > 1 else "", part.of.unit(subject)
        figures[named("change", whose)] = Figure(_share(first, last), "share")
        figures[named("first value", whose)] = Figure(first, unit)
        figures[named("last value", whose)] = Figure(last, unit)
        holds.append(_goes(part, first, last))
    base = _elsewhere(subject, parts, known, end - start)
    shown = _shown(subject, known[0], start, end)
    return Score(
        horizon=horizon(told),
        verdict=("right" if all(holds) else "wrong") if over else "running",
        figures=figures,
        base=base,
        no_base=None if base else said("no other day has values so many days apart"),
        decided_on=_session(end) if over else None,
        start=start,
        end=end,
        path=shown,
        unit=parts[0].of.unit(subject),
    )


def _printed(
    subject: Subject,
    told: Mapping[str, Any],
    values: pd.Series[float],
    value: float,
    figures: dict[str, Figure],
    day: pd.Timestamp,
) -> Score:
    """Hold a value against what is printed."""
    unit = next(iter(figures.values())).unit
    if told["value"] is not None:
        printed, room = told["value"], told["tolerance"]
        # A figure as printed is decimal; the last bits of a float are not.
        right = abs(value - printed) <= room + 1e-9 * max(abs(printed), 1.0)
        figures["printed"] = Figure(printed, unit)
        figures["off by"] = Figure(value - printed, unit)
        lines = [(said("printed"), printed)]
    else:
        low, high = told["low"], told["high"]
        right = (low is None or value >= low) and (high is None or value <= high)
        lines = []
        for name, edge in (("low", low), ("high", high)):
            if edge is not None:
                figures[name] = Figure(edge, unit)
                lines.append((said(name), edge))
    start = told["start"] if told.get("on") is None else told["on"]
    last = told["end"] if told.get("on") is None else told["on"]
    level = "relative" not in told
    return Score(
        horizon=horizon(told),
        verdict="right" if right else "wrong",
        figures=figures,
        no_base=said("a figure is in the data or it is not"),
        decided_on=day,
        start=start,
        end=last,
        path=_shown(subject, values, start, last),
        unit=told["of"].unit(subject),
        lines=tuple(lines) if level else (),
    )


def _at(
    subject: Subject, of: Quantity, values: pd.Series[float], day: pd.Timestamp
) -> float:
    """Return the last value known on a day."""
    seen = values[day - of.slack : day]
    if not len(seen):
        raise of.lacks(subject, day)
    return float(seen.iloc[-1])


def _open(
    subject: Subject, told: Mapping[str, Any], of: Sequence[Quantity], last: pd.Timestamp
) -> Score | None:
    """Return the score of what cannot be told yet, or ever; None where it can."""
    end, unit = _session(last), of[0].unit(subject)
    gone = min((day for one in of if (day := one.ends(subject)) is not None), default=None)
    if gone is not None and end > gone:
        why = said(
            "the contracts it is read on ended on {ends:%Y-%m-%d}, before {day:%Y-%m-%d}",
            ends=gone,
            day=last,
        )
        return Score(
            horizon=horizon(told), verdict="undecidable", why=why, end=last, unit=unit
        )
    if subject.market.sessions[-1] < end:
        return Score(horizon=horizon(told), verdict="running", end=last, unit=unit)
    return None


def _session(day: pd.Timestamp) -> pd.Timestamp:
    if not calendar.is_known(day):
        return day
    known = calendar.sessions()
    return known[int(known.searchsorted(day, side="right")) - 1]


def _share(first: float, last: float) -> float | None:
    return None if first == 0 else (last - first) / abs(first)


def _goes(part: Part, first: float, last: float) -> bool:
    room = part.within * abs(first)
    up, down = last - first > room, first - last > room
    return {
        "up": up,
        "down": down,
        "flat": not up and not down,
        "not_up": not up,
        "not_down": not down,
    }[part.sign]


def _elsewhere(
    subject: Subject,
    parts: Sequence[Part],
    known: Sequence[pd.Series[float]],
    length: pd.Timedelta,
) -> BaseRate | None:
    """Return how often it held from one session of the market to a day so much later."""
    starts = subject.market.sessions
    starts = starts[starts + length <= subject.market.sessions[-1]]
    there = np.ones(len(starts), dtype=bool)
    holds = np.ones(len(starts), dtype=bool)
    for part, values in zip(parts, known, strict=True):
        first = _last_known(values, starts, part.of.slack)
        last = _last_known(values, starts + length, part.of.slack)
        there &= ~np.isnan(first) & ~np.isnan(last)
        holds &= np.array([_goes(part, a, b) for a, b in zip(first, last, strict=True)], bool)
    days = starts.as_unit("s").asi8
    ends = (starts + length).as_unit("s").asi8
    return rate(
        (int(day), int(end), bool(held))
        for day, end, held, whole in zip(days, ends, holds, there, strict=True)
        if whole
    )


def _last_known(
    values: pd.Series[float], days: pd.DatetimeIndex, slack: pd.Timedelta
) -> FloatArray:
    """Return the last value known on each day; NaN where it is older than `slack`."""
    at = values.index.searchsorted(days, side="right") - 1
    there = at >= 0
    at = np.maximum(at, 0)
    fresh = there & np.asarray(days - values.index[at] <= slack, dtype=bool)
    return np.where(fresh, values.to_numpy(float)[at], np.nan)


def _shown(
    subject: Subject, values: pd.Series[float], start: pd.Timestamp, end: pd.Timestamp
) -> pd.Series[float]:
    """Return the values of a chart: from some sessions before the first day to the last."""
    sessions = subject.market.sessions
    at = max(int(sessions.searchsorted(start)) - BEFORE, 0)
    return values[sessions[at] : end]
