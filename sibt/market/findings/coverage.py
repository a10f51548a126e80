"""Which bars a market lacks: sessions, contracts' first and last days, settlements, volumes.

Every check is a function of a `Look` and returns its findings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.language import said
from sibt.market.findings.finding import Finding
from sibt.market.findings.look import Look, counted, numbers, some

__all__ = ["CHECKS"]

BoolArray = NDArray[np.bool_]


def no_session(on: Look) -> list[Finding]:
    """Sessions of the exchange in which no contract has a bar."""
    empty = np.flatnonzero(~some(on.there | on.excused))
    if not len(empty):
        return []
    days = on.market.sessions[empty]
    what = said("no contract has a bar in {sessions} of the exchange", sessions=counted(len(days)))
    cure = said("pull or import these days")
    return [Finding("doubtful", "no bars", "bars", days[0], days[-1], len(days), what, cure)]


def gaps(on: Look) -> list[Finding]:
    """Sessions without a bar between a contract's first and last."""
    day = numbers(on.market)
    here = on.there | on.excused
    lacking = (day > on.begin) & (day < on.end) & ~here & some(here)[:, None]
    days = on.market.sessions

    def what(row: int, at: int, count: int) -> str:
        if count == 1:
            return said("no bar in one session between its first and last")
        rows = np.flatnonzero(lacking[:, at])
        breaks = np.flatnonzero(np.diff(rows, prepend=-2, append=-2) != 1)
        longest = int(np.diff(breaks).argmax())
        length = int(np.diff(breaks)[longest])
        return said(
            "no bar in {sessions} between its first and last, at most {length} in a row (from"
            " {day:%Y-%m-%d})",
            sessions=counted(count),
            length=length,
            day=days[rows[breaks[longest]]],
        )

    return on.each(
        lacking,
        "doubtful",
        "gap",
        what,
        said(
            "bring the bars; without them held lots are valued at the last settlement and do not"
            " trade"
        ),
    )


def late_start(on: Look) -> list[Finding]:
    """Contracts whose bars begin after they were listed."""
    days = on.market.sessions
    listed = [max(life.listed, days[0]) if life.listed else days[-1] for life in on.lives]
    start = np.asarray(days.searchsorted(pd.DatetimeIndex(listed)))
    day = numbers(on.market)
    lacking = (day >= start) & (day < on.begin) & ~on.excused & some(on.there)[:, None]
    return on.each(
        lacking,
        "evidence",
        "late start",
        lambda row, at, count: (
            f"bars begin on {days[on.begin[at]]:%Y-%m-%d}, {counted(count)} after the"
            f" listing of {on.lives[at].listed:%Y-%m-%d}"
        ),
        "bring them if a strategy needs the contract's first days",
    )


def early_end(on: Look) -> list[Finding]:
    """Contracts whose bars end before their last trading day."""
    days = on.market.sessions
    ended = [min(life.last_trading or days[-1], days[-1]) for life in on.lives]
    stop = np.asarray(days.searchsorted(pd.DatetimeIndex(ended)))
    day = numbers(on.market)
    lacking = (day > on.end) & (day <= stop) & ~on.excused & some(on.there)[:, None]

    def what(row: int, at: int, count: int) -> str:
        early = said(
            "bars end on {last:%Y-%m-%d}, {sessions} before {end:%Y-%m-%d}",
            last=days[on.end[at]],
            sessions=counted(count),
            end=ended[at],
        )
        if ended[at] != on.lives[at].last_trading:
            return early
        return said("{early}, its last trading day", early=early)

    return on.each(
        lacking,
        "doubtful",
        "early end",
        what,
        said("bring the bars; a position held so far cannot leave in the market"),
    )


def close_only(on: Look) -> list[Finding]:
    """Bars that know a close and nothing else."""
    return on.together(
        _only_close(on),
        "doubtful",
        "close only",
        said("bars with a close and nothing else"),
        said("bring full bars, or run with --settle-from close --fill close"),
    )


def no_settlement(on: Look) -> list[Finding]:
    """Bars with opens, highs or lows but without a settlement."""
    lacking = on.there & np.isnan(on.market.settle) & ~_only_close(on)
    return on.together(
        lacking,
        "doubtful",
        "no settlement",
        said("bars without a settlement"),
        said("bring the exchange's settlements, or run with --settle-from close"),
    )


def no_volume(on: Look) -> list[Finding]:
    """Bars, not of a close alone, of unknown volume or open interest."""
    full = on.there & ~_only_close(on)
    return on.together(
        full & np.isnan(on.market.volume),
        "doubtful",
        "no volume",
        said("bars of unknown volume"),
        said("bring it; an unknown volume caps no fill"),
    ) + on.together(
        full & np.isnan(on.market.open_interest),
        "evidence",
        "no open interest",
        "bars of unknown open interest",
        "bring it; the dominant contract goes by volume without it",
    )


def _only_close(on: Look) -> BoolArray:
    bare = on.there.copy()
    for name in ("open", "high", "low", "settle", "volume"):
        bare &= np.isnan(getattr(on.market, name))
    return bare


#: In the order their findings are shown.
CHECKS: tuple[Callable[[Look], list[Finding]], ...] = (
    no_session, gaps, early_end, late_start, close_only, no_settlement, no_volume,
)
