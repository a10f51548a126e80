"""The window a forecast is given: so many sessions, so many months, or until a day."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sibt.language import Sentence, said
from sibt.market import calendar

__all__ = ["Span", "Window"]


@dataclass(frozen=True)
class Span:
    """A window laid on a market from one session on.

    Attributes
    ----------
    first, last : int
        Positions of its first and last session; the market's last where it is not over. A window
        whose first session has not come yet has ``first > last``.
    over : bool
        True once its last session is there.
    end : pd.Timestamp or None
        Its last session; None beyond the known calendar.
    """

    first: int
    last: int
    over: bool
    end: pd.Timestamp | None


@dataclass(frozen=True)
class Window:
    """How long a claim has; it begins in the session after the day it was known.

    Parameters
    ----------
    sessions : int, optional
        So many sessions.
    months : tuple of (int, int), optional
        To the last session on or before the day that lies the second number of calendar months
        later.
    late : bool
        With `months`: it begins only in the first session after the day that lies the first
        number of months later.
    until : pd.Timestamp, optional
        To the last session on or before this day.
    """

    sessions: int | None = None
    months: tuple[int, int] | None = None
    late: bool = False
    until: pd.Timestamp | None = None

    @property
    def label(self) -> Sentence:
        """The window in words."""
        if self.sessions is not None:
            return said("{sessions} sessions", sessions=self.sessions)
        if self.months is not None:
            return said("{first}-{last} months", first=self.months[0], last=self.months[1])
        return said("until {until:%Y-%m-%d}", until=self.until)

    def span(self, sessions: pd.DatetimeIndex, at: int) -> Span:
        """Lay the window on a market's sessions, from the session at position `at`."""
        if self.sessions is not None:
            last = at + self.sessions
            over = last < len(sessions)
            end = sessions[last] if over else calendar.after(sessions[at], self.sessions)
            return Span(at + 1, min(last, len(sessions) - 1), over, end)
        day = sessions[at]
        first, goal = at + 1, self.until
        if self.months is not None:
            goal = day + pd.DateOffset(months=self.months[1])
            if self.late:
                begin = day + pd.DateOffset(months=self.months[0])
                first = int(sessions.searchsorted(begin, side="right"))
        assert goal is not None
        last = int(sessions.searchsorted(goal, side="right")) - 1
        if calendar.is_known(goal):
            known = calendar.sessions()
            end = known[int(known.searchsorted(goal, side="right")) - 1]
            return Span(first, last, bool(end <= sessions[-1]), end)
        return Span(first, last, bool(goal <= sessions[-1]), None)

    def elsewhere(self, day: pd.Timestamp) -> Window | None:
        """Return the window as it is given to other days: a fixed end becomes a length.

        Parameters
        ----------
        day : pd.Timestamp
            The session the report was known on.

        Returns
        -------
        Window or None
            None where the calendar does not reach the end.
        """
        if self.until is None:
            return self
        if not calendar.is_known(self.until):
            return None
        known = calendar.sessions()
        end = int(known.searchsorted(self.until, side="right"))
        return Window(sessions=end - int(known.searchsorted(day, side="right")))
