"""Trading sessions of the mainland futures exchanges.

The sessions are those of the Shanghai calendar (XSHG) of `exchange_calendars`; on all 734
sessions from 2022-12-22 to 2025-12-31 it agrees with the futures exchanges' own calendar.
What lies beyond the calendar's last year is unknown, never guessed.
"""

from functools import cache

import pandas as pd

__all__ = ["after", "before", "is_known", "month", "sessions"]

_FIRST = "2015-01-01"


@cache
def sessions() -> pd.DatetimeIndex:
    """Return every known session, midnight-stamped and without a time zone."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar("XSHG", start=_FIRST)
    return pd.DatetimeIndex(calendar.sessions).as_unit("ns").rename("session")


def is_known(day: pd.Timestamp) -> bool:
    """Tell whether `day` lies inside the calendar's known years."""
    known = sessions()
    return bool(known[0] <= day <= pd.Timestamp(known[-1].year, 12, 31))


@cache
def month(year: int, number: int) -> pd.DatetimeIndex:
    """Return the sessions of one month; empty where the calendar does not reach."""
    first = pd.Timestamp(year, number, 1)
    known = sessions()
    return known[
        known.searchsorted(first) : known.searchsorted(first + pd.offsets.MonthBegin(1))
    ]


def before(day: pd.Timestamp) -> pd.Timestamp | None:
    """Return the last session before `day`, or None where the calendar does not reach."""
    if not is_known(day):
        return None
    position = int(sessions().searchsorted(day))
    return None if position == 0 else sessions()[position - 1]


def after(day: pd.Timestamp, count: int = 1) -> pd.Timestamp | None:
    """Return the `count`-th session after `day`, or None where the calendar does not reach."""
    if not is_known(day):
        return None
    position = int(sessions().searchsorted(day, side="right")) + count - 1
    return None if position >= len(sessions()) else sessions()[position]
