"""Which bars a market lacks: sessions, contracts' first and last days, settlements, volumes.

Every check is a function of a `Look` and returns its findings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    said = f"no contract has a bar in {counted(len(days), 'session')} of the exchange"
    cure = "pull or import these days"
    return [Finding("doubtful", "no bars", "bars", days[0], days[-1], len(days), said, cure)]


def gaps(on: Look) -> list[Finding]:
    """Sessions without a bar between a contract's first and last."""
    day = numbers(on.market)
    here = on.there | on.excused
    lacking = (day > on.begin) & (day < on.end) & ~here & some(here)[:, None]
    days = on.market.sessions

    def what(row: int, at: int, count: int) -> str:
        if count == 1:
            return "no bar in one session between its first and last"
        rows = np.flatnonzero(lacking[:, at])
        breaks = np.flatnonzero(np.diff(rows, prepend=-2, append=-2) != 1)
        longest = int(np.diff(breaks).argmax())
        length = int(np.diff(breaks)[longest])
        return (
            f"no bar in {counted(count, 'session')} between its first and last, at most {length} in"
            f" a row (from {days[rows[breaks[longest]]]:%Y-%m-%d})"
        )

    return on.each(
        lacking,
        "doubtful",
        "gap",
        what,
        "bring the bars; without them held lots are valued at the last settlement and do not trade",
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
            f"bars begin on {days[on.begin[at]]:%Y-%m-%d}, {counted(count, 'session')} after the"
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
    return on.each(
        lacking,
        "doubtful",
        "early end",
        lambda row, at, count: (
            f"bars end on {days[on.end[at]]:%Y-%m-%d}, {counted(count, 'session')} before"
            f" {ended[at]:%Y-%m-%d}"
            + ("" if ended[at] != on.lives[at].last_trading else ", its last trading day")
        ),
        "bring the bars; a position held so far cannot leave in the market",
    )


def close_only(on: Look) -> list[Finding]:
    """Bars that know a close and nothing else."""
    return on.together(
        _only_close(on),
        "doubtful",
        "close only",
        "bars with a close and nothing else",
        "bring full bars, or run with --settle-from close --fill close",
    )


def no_settlement(on: Look) -> list[Finding]:
    """Bars with opens, highs or lows but without a settlement."""
    lacking = on.there & np.isnan(on.market.settle) & ~_only_close(on)
    return on.together(
        lacking,
        "doubtful",
        "no settlement",
        "bars without a settlement",
        "bring the exchange's settlements, or run with --settle-from close",
    )


def no_volume(on: Look) -> list[Finding]:
    """Bars, not of a close alone, of unknown volume or open interest."""
    full = on.there & ~_only_close(on)
    return on.together(
        full & np.isnan(on.market.volume),
        "doubtful",
        "no volume",
        "bars of unknown volume",
        "bring it; an unknown volume caps no fill",
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
