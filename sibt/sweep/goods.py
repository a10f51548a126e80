"""The goods a sweep was given, as they stand in its record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sibt.hedging.exposure import Entry, Schedule
from sibt.runs.save import schedule_of

__all__ = ["recorded", "written"]


def written(goods: Schedule) -> dict[str, Any]:
    """Return a schedule as JSON holds it: all of it, for the file may be gone or changed later."""
    return {
        "schedule": schedule_of(goods),
        "file": goods.source,
        "grade": goods.grade,
        "known_from": None if goods.known_from is None else f"{goods.known_from:%Y-%m-%d}",
        "entries": [
            [
                entry.what,
                str(entry.when) if isinstance(entry.when, pd.Period) else f"{entry.when:%Y-%m-%d}",
                float(entry.tonnes),
                None if math.isnan(entry.price) else float(entry.price),
            ]
            for entry in goods.entries
        ],
    }


def recorded(record: Mapping[str, Any] | None) -> Schedule | None:
    """Return the schedule of a record again; None where a sweep was given none."""
    if record is None:
        return None
    entries = tuple(
        Entry(
            what,
            pd.Period(when, freq="M") if len(when) == len("2024-05") else pd.Timestamp(when),
            tonnes,
            math.nan if price is None else price,
        )
        for what, when, tonnes, price in record["entries"]
    )
    known = record["known_from"]
    begin = None if known is None else pd.Timestamp(known)
    return Schedule(entries, record["grade"], begin, record["file"])
