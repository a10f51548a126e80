"""What counts of warehouse receipts show: the yearly cancellation, slips and steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.contract import contract
from sibt.market.findings.finding import Finding
from sibt.market.panel import Market

__all__ = ["CHECKS"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: Lots below which a count jumps by itself.
_SMALL = 1_000
#: Times the count before, within so many sessions, that no day of registering brings or takes.
_UP, _DOWN, _NEXT = 3.0, 0.4, 5


def receipts(market: Market) -> list[Finding]:
    """Find the yearly cancellation of receipts, and counts that stand alone."""
    known = market.receipts.dropna()
    if len(known) < 2:
        return []
    ends = {
        month
        for life in map(contract, market.contracts)
        if (month := life.product.receipts_cancelled_after_month) is not None
    }
    found = []
    days, lots = pd.DatetimeIndex(known.index), np.asarray(known, dtype=np.float64)
    for at in np.flatnonzero(np.diff(lots) < 0).tolist():
        before, after, had, has = days[at], days[at + 1], lots[at], lots[at + 1]
        crosses = [
            month
            for month in ends
            if before.month <= month and (after.year, after.month) > (before.year, month)
        ]
        if crosses:
            found.append(
                Finding(
                    "evidence", "cancellation", "receipts", before, after, 1,
                    f"receipts go from {had:,.0f} lots on {before:%Y-%m-%d} to {has:,.0f} on"
                    f" {after:%Y-%m-%d} ({has / had - 1:+.0%}) across the end of November",
                    "none: old receipts are cancelled there each year, in part",
                )
            )
    slips = _slips(days, lots)
    found += [_slip(days, lots, slips)] if slips.any() else []
    return found + _steps(market, days, lots, slips, ends)


def _slips(days: pd.DatetimeIndex, lots: FloatArray) -> BoolArray:
    """Return counts a fifth or five times of both the one before and the one after."""
    log = np.log(np.where(lots > 0, lots, np.nan))
    step = np.diff(log)
    slip = np.zeros(len(log), dtype=bool)
    slip[1:-1] = (np.abs(step[:-1]) > np.log(5)) & (np.abs(step[1:]) > np.log(5))
    slip[1:-1] &= step[:-1] * step[1:] < 0
    # Small counts jump by themselves.
    slip[1:-1] &= np.fmin(lots[:-2], lots[2:]) >= _SMALL
    return slip


def _slip(days: pd.DatetimeIndex, lots: FloatArray, slip: BoolArray) -> Finding:
    rows = np.flatnonzero(slip)
    at = int(rows[0])
    return Finding(
        "doubtful", "receipts slip", "receipts", days[at], days[rows[-1]], len(rows),
        f"{lots[at]:,.0f} lots stand alone between {lots[at - 1]:,.0f} and {lots[at + 1]:,.0f}",
        "compare with the exchange's daily table (lots, not tonnes)",
    )


def _steps(
    market: Market,
    days: pd.DatetimeIndex,
    lots: FloatArray,
    slips: BoolArray,
    ends: set[int],
) -> list[Finding]:
    """Return counts that leave the one before at once, and not by the yearly cancellation."""
    rows = np.flatnonzero(~slips)
    days, lots = days[rows], lots[rows]
    before, after = lots[:-1], lots[1:]
    at = market.sessions.get_indexer(days)
    odd = (after > _UP * before) | (after < _DOWN * before)
    odd &= (before >= _SMALL) & (np.diff(at) <= _NEXT)
    month = np.asarray(days.month)
    for end in ends:  # of what is cancelled there, much comes back within weeks
        odd &= ~((month[:-1] == end) & (month[1:] != end)) & ~(month[:-1] == end % 12 + 1)
    return [
        Finding(
            "doubtful", "receipts step", "receipts", days[row], days[row + 1], 1,
            f"receipts go from {before[row]:,.0f} lots on {days[row]:%Y-%m-%d} to"
            f" {after[row]:,.0f} on {days[row + 1]:%Y-%m-%d} ({after[row] / before[row] - 1:+.0%}),"
            " at no time of cancellation",
            "compare with the exchange's daily table (lots, not tonnes)",
        )
        for row in np.flatnonzero(odd).tolist()
    ]


#: In the order their findings are shown.
CHECKS: tuple[Callable[[Market], list[Finding]], ...] = (receipts,)
