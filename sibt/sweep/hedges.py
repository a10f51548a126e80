"""What the hedges of many parameter sets came to: goods and futures, price, variance and cash.

A column's figures are those `sibt.hedging.hedge.Hedge` gives the run of the same set. They are
added up session by session, so that they do not depend on the columns beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.hedging.exposure import Exposure
from sibt.hedging.hedge import FEW_MONTHS, MONTH
from sibt.hedging.outcome import outcome
from sibt.hedging.physical import PhysicalBook, gains, physical_book, quotes
from sibt.hedging.reduction import variance_reductions
from sibt.market.panel import Market
from sibt.sweep.returns import total

__all__ = ["HEDGES", "RISKS", "Goods", "goods_of", "hedges"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Figures of a hedge, in the order of the table: yuan; yuan per tonne, twice; a share; yuan, below
#: zero (minus the most that margin and losses, fees with them, took at once), so that more is
#: better.
HEDGES = ("hedged", "effective_price", "hedged_per_tonne", "variance_reduction", "peak_cash")

#: Those of risk: they take the daily statement of the futures account, and no test of what was
#: earned tells of them.
RISKS = ("variance_reduction", "peak_cash")


@dataclass(frozen=True, eq=False)
class Goods:
    """Goods of all sets of a block (M is 1) or of each (M columns).

    Attributes
    ----------
    sessions : pd.DatetimeIndex of shape (T,)
        The market's.
    at : int64 ndarray of shape (Q,)
        Sessions with a quote.
    spot : float64 ndarray of shape (Q,)
        Their quotes, yuan per tonne.
    owned : float64 ndarray of shape (T, M)
        Tonnes after each session, + owned, − needed.
    gain : float64 ndarray of shape (Q, M)
        What they gained since the quote before, yuan.
    book : PhysicalBook or None
        Where the goods are told trade by trade; else they fall as `exposure_of` says.
    """

    sessions: pd.DatetimeIndex
    at: IntArray
    spot: FloatArray
    owned: FloatArray
    gain: FloatArray
    book: PhysicalBook | None


def goods_of(market: Market, stated: Any, owned: FloatArray, grade: str) -> Goods:
    """Return the goods of a block of sets, marked at spot.

    Parameters
    ----------
    market : Market
        Its ``spot`` holds the quotes.
    stated : Exposure, or tonnes
        What the strategy stated.
    owned : ndarray of shape (T, M)
        Tonnes after each session, none missing.
    grade : str
        Spot grade, where `stated` does not name its own.

    Raises
    ------
    DataError, StrategyError
        As `physical_book`.
    """
    book = physical_book(market, stated) if isinstance(stated, Exposure) else None
    level = quotes(market, grade if book is None else book.grade)
    spot = np.asarray(level, dtype=np.float64)
    at = np.flatnonzero(~np.isnan(spot))
    if book is None:
        gain = gains(market, owned, grade)
    else:
        gain = np.asarray(book.profit, dtype=np.float64)[at, None]
    return Goods(market.sessions, at, spot[at], owned, gain, book)


def hedges(
    goods: Goods, starts: IntArray, net: FloatArray, daily: tuple[IntArray, IntArray] | None
) -> FloatArray:
    """Return the figures of N hedges.

    Parameters
    ----------
    goods : Goods
        Of all of them, or of each.
    starts : int64 ndarray of shape (N,)
        First session that counts.
    net : float64 ndarray of shape (N,)
        Results of the futures accounts, yuan.
    daily : pair of int64 ndarray of shape (T, N) or (T, 1), or None
        Results after fees and margins of each session, fen; None where they are not known.

    Returns
    -------
    ndarray of shape (N, 5)
        Columns `HEDGES`; NaN is unknown: variance below six stretches or of goods that did not
        vary, a price without goods or quotes, what takes `daily` without it.
    """
    found = np.full((len(net), len(HEDGES)), np.nan)
    if daily is not None:
        results, margins = (np.broadcast_to(each, (len(each), len(net))) for each in daily)
    for start in np.unique(starts).tolist():
        at = np.flatnonzero(starts == start)
        counted = goods.at >= start
        some = at if goods.owned.shape[1] > 1 else slice(None)
        gained = total(goods.gain[counted][:, some])
        found[at, 0] = gained + net[at]
        value, tonnes, side = _sold(goods, some, start)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[at, 1] = side * (value + np.round(net[at], 2)) / tonnes
            largest = np.abs(goods.owned[max(start - 1, 0) :, some]).max(axis=0)
            found[at, 2] = found[at, 0] / np.where(largest > 0.0, largest, np.nan)
        if daily is not None:
            mine, tied = results[:, at], margins[:, at]
            found[at, 3] = _reduction(goods, some, start, mine, tied != 0)
            # As `sibt.hedging.cash` has it: margin, and what was paid until then.
            paid = tied - np.cumsum(mine, axis=0)
            found[at, 4] = 0.0 - paid.max(axis=0, initial=0) / 100
    return found


def _sold(goods: Goods, some: Any, start: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what goods brought (needs: minus what they cost), tonnes and side, each (M,) or (1,).

    As `outcome` does; unknown where it refuses.
    """
    counted = np.flatnonzero(goods.at >= start)
    nothing = np.full(1, np.nan)
    if not len(counted):
        return nothing, nothing, nothing
    if goods.book is not None:
        try:
            told = outcome(goods.book, 0.0, goods.sessions[start:])
        except DataError:
            return nothing, nothing, nothing
        return np.array([told.value * told.side]), np.array([told.tonnes]), np.array([told.side])
    owned, first, last = goods.owned[:, some], int(counted[0]), int(goods.at[counted[-1]])
    rows = goods.at[counted] if first == 0 else goods.at[np.append(first - 1, counted)]
    levels = owned[rows]
    extreme = levels[np.abs(levels).argmax(axis=0), np.arange(levels.shape[1])]
    side = np.where(extreme < 0, -1.0, 1.0)
    left = levels[-1]
    tonnes, value = side * left, left * goods.spot[-1]
    begin = int(rows[0]) + 1 if first > 0 else 0
    price = goods.spot[np.searchsorted(goods.at, np.arange(last + 1))]
    for t in range(begin, last + 1):
        before = owned[t - 1] if t else np.zeros_like(left)
        # Goods that fall towards zero are sold, needs that do are met; across it, all of them.
        gone = np.maximum(side * before, 0.0) - np.maximum(side * owned[t], 0.0)
        gone = np.maximum(gone, 0.0)
        tonnes += gone
        value += side * gone * price[t]
    tonnes = np.where((extreme != 0.0) & (tonnes > 0.0), tonnes, np.nan)
    return value, tonnes, side


def _reduction(
    goods: Goods, some: Any, start: int, results: IntArray, held: BoolArray
) -> FloatArray:
    """Return by how much variance over stretches of quotes was cut, shape (N,).

    The changes and stretches of `sibt.hedging.hedge.Hedge`.
    """
    counted = goods.at >= start
    at = goods.at[counted]
    count = results.shape[1]
    cut = np.full(count, np.nan)
    if len(at) < MONTH * FEW_MONTHS:
        return cut
    sums = np.cumsum(results[start:], axis=0)[at - start]
    futures = np.diff(sums, axis=0, prepend=0) / 100
    physical = np.broadcast_to(goods.gain[counted][:, some], futures.shape)
    # At risk: after the quote before, after this one, or after a session between.
    risk = np.cumsum(held | (goods.owned[:, some] != 0), axis=0, dtype=np.int32)
    known = risk[goods.at[counted]]
    since = np.zeros_like(known)
    eves = np.flatnonzero(counted) - 1
    before = goods.at[np.maximum(eves, 0)] - 1
    inside = (eves >= 0) & (before >= 0)
    since[inside] = risk[before[inside]]
    rows = (known > since) | (physical != 0) | (futures != 0)
    rank = np.cumsum(rows, axis=0) - 1
    months = (rank[-1] + 1) // MONTH
    most = int(months.max(initial=0))
    kept = rows & (rank < months * MONTH)
    where = (np.arange(count) * most + rank // MONTH)[kept]

    def stretches(changes: FloatArray) -> FloatArray:
        summed = np.bincount(where, weights=changes[kept], minlength=count * most)
        return summed.reshape(count, most).astype(np.float64)

    alone, both = stretches(physical), stretches(physical + futures)
    for number in np.unique(months[months >= FEW_MONTHS]).tolist():
        mine = months == number
        cut[mine] = variance_reductions(
            *(np.ascontiguousarray(each[mine][:, :number]) for each in (alone, both))
        )
    return cut
