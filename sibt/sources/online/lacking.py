"""What the store lacks, and up to which session there can be anything to have."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from sibt.errors import DataError
from sibt.market import calendar
from sibt.market.contract import Contract, contract
from sibt.market.product import product as product_of
from sibt.sources.store import Store, of_exchange

__all__ = ["STAND_IN", "alive", "current", "lacking", "last_closed", "life_in", "today_in_beijing"]

#: Bars from here fill a gap but do not close it: the exchange's are asked for again.
STAND_IN = "akshare sina"

#: The exchange has published the day's settlements by then, Beijing time.
_CLOSED = (16, 30)
_BEIJING = ZoneInfo("Asia/Shanghai")


def last_closed(now: datetime | None = None) -> pd.Timestamp:
    """Return the last session that has closed: today's from 16:30 Beijing time on.

    Raises
    ------
    DataError
        The calendar of trading days ends before today.
    """
    here = _here(now)
    return _session(here, ended=(here.hour, here.minute) >= _CLOSED)


def current(now: datetime | None = None) -> pd.Timestamp:
    """Return today's session, or the last one where today is none.

    Raises
    ------
    DataError
        The calendar of trading days ends before today.
    """
    return _session(_here(now), ended=True)


def today_in_beijing(now: datetime | None = None) -> pd.Timestamp:
    """Return the day it is in Beijing."""
    return pd.Timestamp(_here(now).date())


def _here(now: datetime | None) -> datetime:
    return datetime.now(_BEIJING) if now is None else now.astimezone(_BEIJING)


def _session(here: datetime, ended: bool) -> pd.Timestamp:
    """Return the last session up to today, or up to yesterday where today's has not ended."""
    day = pd.Timestamp(here.date())
    known = calendar.sessions()
    if not calendar.is_known(day):
        raise DataError(
            f"The calendar of trading days ends on {known[-1]:%Y-%m-%d}; update"
            " exchange-calendars."
        )
    return known[int(known.searchsorted(day, side="right" if ended else "left")) - 1]


def alive(product: str, days: pd.DatetimeIndex) -> tuple[Contract, ...]:
    """Return the contracts that may be traded in any of the sessions, by the product's rules.

    Where the listing rule is unknown a contract counts from thirteen months before delivery.
    """
    if not len(days):
        return ()
    first, end = days.min().to_period("M"), days.max().to_period("M") + 18
    begun = product_of(product).first_session.to_period("M")
    found = []
    for month in pd.period_range(max(first, begun), end, freq="M"):
        life = contract(f"{product}{month.year % 100:02d}{month.month:02d}")
        if len(life_in(life, days)):
            found.append(life)
    return tuple(found)


def life_in(life: Contract, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return those of the sessions in which a contract may be traded."""
    if life.last_trading is None:
        return days[:0]
    listed = life.listed or (life.month - 13).to_timestamp()
    return days[(days >= listed) & (days <= life.last_trading)]


def lacking(
    store: Store, product: str, kind: str, days: pd.DatetimeIndex, source: str = ""
) -> pd.DatetimeIndex:
    """Return the sessions of which the store lacks something.

    Bars lack where a contract that is traded by the rules has no settlement of the exchange's
    own table, as Sina's and imported ones are not, or where there are none at all. Spot lacks
    where this source gave no quote: another's is of another grade.
    """
    frame = store.read(product, kind)
    if kind == "spot" and source:
        own = {word: any(part.split(" ")[0] == source for part in word.split(" + "))
               for word in set(frame["source"])}
        frame = frame[frame["source"].map(own).astype(bool)]
    there = pd.DatetimeIndex(frame["date"].unique()) if "date" in frame.columns else days[:0]
    gone = days.difference(there)
    if kind == "bars":
        settled = frame[frame["settle"].notna() & of_exchange(frame["source"])]
        gone = gone.union(there.difference(pd.DatetimeIndex(settled["date"])).intersection(days))
        have = {
            code: pd.DatetimeIndex(group) for code, group in settled.groupby("contract")["date"]
        }
        for life in alive(product, days):
            if life.listed is not None:
                due = life_in(life, days)
                gone = gone.union(due.difference(have.get(life.code, days[:0])))
    return pd.DatetimeIndex(gone)
