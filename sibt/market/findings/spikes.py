"""Prices that cannot be: too far from the bars beside them, and alone with it.

The exchange lets no session trade beyond its price limit, so a price three limits away from
the one before is a slip of the pen unless neighbouring contracts moved along. One and a half
limits are enough where the next bar goes all the way back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.panel import Market

__all__ = ["spikes"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FAR, _BACK = 3.0, 1.5
#: Missing sessions widen the bound, up to so many times.
_WIDEST = 5


def spikes(
    market: Market, goods: Sequence[tuple[str, str]], level: FloatArray, limit: FloatArray
) -> BoolArray:
    """Return the bars whose prices cannot be, shape (T, C).

    Parameters
    ----------
    market : Market
        The panel.
    goods : sequence of (str, str), length C
        Product and delivery standard: contracts of one good are neighbours.
    level : ndarray of shape (T, C)
        Settlement, or the close where it is unknown; yuan per tonne.
    limit : ndarray of shape (T, C)
        Price limit as a share.
    """
    flagged = np.zeros(level.shape, dtype=bool)
    known = ~np.isnan(level)
    log = np.log(level)
    before = _later(pd.DataFrame(log).ffill().to_numpy())
    day = np.arange(len(level))[:, None]
    seen = np.maximum.accumulate(np.where(known, day, -1), axis=0)
    age = day - np.vstack([np.full((1, level.shape[1]), -1), seen[:-1]])
    prices = np.log(np.stack([market.open, market.high, market.low, market.close, market.settle]))
    top, bottom = np.fmax.reduce(prices), np.fmin.reduce(prices)
    bound = limit * np.clip(age, 1, _WIDEST)
    away = np.fmax(np.abs(top - before), np.abs(bottom - before))
    good = _numbered(goods)
    for at in np.flatnonzero((away > _FAR * bound).any(axis=0)):
        rows = np.flatnonzero(known[:, at])
        others = log[:, (good == good[at]) & (np.arange(len(good)) != at)]
        bad = _walk(rows, log[:, at], top[:, at], bottom[:, at], bound[:, at], others)
        flagged[rows[bad], at] = True
    back = _there_and_back(log, before, bound)
    for row, at in np.argwhere(back & ~flagged):
        others = log[:, (good == good[at]) & (np.arange(len(good)) != at)]
        start = int(seen[row - 1, at])
        alone = log[row, at] - before[row, at] - _moved(others, start, int(row))
        beside = flagged[start, at] or flagged[_next(known[:, at], int(row)), at]
        if abs(alone) > _BACK * bound[row, at] and not beside:
            flagged[row, at] = True
    return flagged


def _there_and_back(log: FloatArray, before: FloatArray, bound: FloatArray) -> BoolArray:
    """Return where a level leaves the one before and the one after by more than 1.5 limits."""
    after = np.full_like(log, np.nan)
    after[:-1] = pd.DataFrame(log).bfill().to_numpy()[1:]
    away, home = log - before, log - after
    return (
        (np.abs(away) > _BACK * bound) & (np.abs(home) > _BACK * bound) & (away * home > 0)
    )


def _walk(
    rows: IntArray,
    log: FloatArray,
    top: FloatArray,
    bottom: FloatArray,
    bound: FloatArray,
    others: FloatArray,
) -> BoolArray:
    """Return which of a contract's bars are far from the last good one, shape (len(rows),)."""
    bad = np.zeros(len(rows), dtype=bool)
    good = int(rows[0])
    for number, row in enumerate(rows[1:], start=1):
        moves = np.array([top[row], bottom[row]]) - log[good]
        far = _FAR * bound[row]
        if np.abs(moves).max() > far and (
            np.abs(moves - _moved(others, good, int(row))).max() > far
        ):
            bad[number] = True
        else:
            good = int(row)
    # Where most are far from the first, it is the first that is wrong.
    return ~bad if bad.sum() > len(rows) - bad.sum() else bad


def _moved(others: FloatArray, start: int, row: int) -> float:
    """Return the middle of the neighbours' moves between two sessions, 0 without any."""
    moves = others[row] - others[start]
    moves = moves[~np.isnan(moves)]
    return float(np.median(moves)) if len(moves) else 0.0


def _next(known: BoolArray, row: int) -> int:
    return row + 1 + int(known[row + 1 :].argmax())


def _later(array: FloatArray) -> FloatArray:
    later = np.full_like(array, np.nan)
    later[1:] = array[:-1]
    return later


def _numbered(goods: Sequence[tuple[str, str]]) -> IntArray:
    places = {name: number for number, name in enumerate(dict.fromkeys(goods))}
    return np.array([places[name] for name in goods], dtype=np.int64)
