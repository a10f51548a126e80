"""How often a sentence about a price would have been right on a random day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.research.claims.prices import Prices, Subject
from sibt.research.claims.verdict import BaseRate
from sibt.research.claims.window import Window

__all__ = ["Trial", "rate", "trials"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """A start day whose window is complete.

    Attributes
    ----------
    at, first, last : int
        Positions of the start day, and of the window's first and last session.
    base : float
        Close of the start day.
    values : ndarray of shape (T,)
        Prices of all sessions, as one sees them who starts there.
    stop : int
        Position after the last session in which they can be known.
    """

    at: int
    first: int
    last: int
    base: float
    values: FloatArray
    stop: int

    @property
    def window(self) -> FloatArray:
        """Prices inside the window."""
        return self.values[self.first : self.last + 1]


def trials(subject: Subject, prices: Prices, window: Window) -> Iterator[Trial]:
    """Yield every start day whose window is complete.

    A window is complete if it is over, ends within the life of what is followed (so that none
    crosses from one delivery standard into the next), and the price of its last session is known.
    The report's own day is one of them.
    """
    sessions = subject.market.sessions
    stops: dict[pd.Timestamp | None, int] = {None: len(sessions)}
    for at, span in enumerate(subject.spans(window)):
        base = prices.base(at)
        if np.isnan(base) or not span.over or span.first > span.last:
            continue
        ends = prices.ends(at)
        if ends is not None and ends not in stops:
            stops[ends] = int(sessions.searchsorted(ends, side="right"))
        stop = stops[ends]
        if span.last >= stop:
            continue
        values = prices.values(at)
        if not np.isnan(values[span.last]):
            yield Trial(at, span.first, span.last, base, values, stop)


def rate(outcomes: Iterable[tuple[int, int, bool]]) -> BaseRate | None:
    """Count outcomes.

    Parameters
    ----------
    outcomes : iterable of (start, end, right)
        In order of their starts: position of the start day and of the window's last session (or
        any number that orders days), and whether the sentence was right.

    Returns
    -------
    BaseRate or None
        None without an outcome. Windows count as independent where one begins no earlier than
        the one before it ends: taken from the earliest end on, which gives the most.
    """
    found = list(outcomes)
    if not found:
        return None
    independent, free = 0, None
    for start, end, _ in sorted(found, key=lambda one: one[1]):
        if free is None or start >= free:
            independent, free = independent + 1, end
    return BaseRate(sum(right for _, _, right in found), len(found), independent)
