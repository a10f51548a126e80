"""Prices that cannot be: too far from the bars beside them, and alone with it.

The exchange lets no session trade beyond its price limit, so a price three limits away from
the one before is a slip of the pen unless neighbouring contracts moved along. One and a half
limits are enough where the next bar goes all the way back. All contracts together jump by three
limits only in a source that slips and comes back, by five in none that is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.panel import Market

__all__ = ["BACK", "Spikes", "middle", "spikes"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FAR, BACK = 3.0, 1.5
#: All contracts together: limits that no session can have, and sessions until they come back.
_NEVER, _UNTIL = 5.0, 20
#: Missing sessions widen the bound, up to so many times.
_WIDEST = 5


@dataclass(frozen=True)
class Spikes:
    """Bars whose prices are too far from those beside them, each of shape (T, C).

    Attributes
    ----------
    wrong : bool ndarray
        Three limits away and alone with it, or one and a half for a single bar.
    odd : bool ndarray
        One and a half limits away and alone with it, and not wrong.
    jumped : bool ndarray
        Bars of sessions in which all contracts of a product are where none can come.
    """

    wrong: BoolArray
    odd: BoolArray
    jumped: BoolArray


def spikes(
    market: Market, goods: Sequence[tuple[str, str]], level: FloatArray, limit: FloatArray
) -> Spikes:
    """Return the bars whose prices cannot be, or hardly can.

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
    wrong, odd = np.zeros(level.shape, dtype=bool), np.zeros(level.shape, dtype=bool)
    known = ~np.isnan(level)
    log = np.log(level)
    before = _later(pd.DataFrame(log).ffill().to_numpy())
    day = np.arange(len(level))[:, None]
    seen = np.maximum.accumulate(np.where(known, day, -1), axis=0)
    age = day - np.vstack([np.full((1, level.shape[1]), -1), seen[:-1]])
    prices = np.stack([market.open, market.high, market.low, market.close, market.settle])
    top, bottom = np.log(np.fmax.reduce(prices)), np.log(np.fmin.reduce(prices))
    bound = limit * np.clip(age, 1, _WIDEST)
    good, product = _numbered(goods), _numbered([name for name, _ in goods])
    jumped = _jumps(log, before, bound, age, product)
    # A high or an open that slipped, of a bar whose level may be right.
    slipped = np.fmax(top - log, log - bottom) > _FAR * limit
    wrong |= slipped & ~jumped
    moves = np.where(jumped, np.nan, log)
    step = log - before
    # Two closes may lie two limits apart.
    loose = bound * np.where(np.isnan(market.settle), (BACK + 1) / BACK, 1.0)
    for at in np.flatnonzero((np.abs(step) > BACK * bound).any(axis=0)):
        rows = np.flatnonzero(~np.isnan(moves[:, at]))
        if len(rows) < 2:
            continue
        else_, same = np.arange(len(good)) != at, good == good[at]
        others = moves[:, same & else_], moves[:, (product == product[at]) & else_ & ~same]
        for times, wide, flagged in ((_FAR, bound, wrong), (BACK, loose, odd)):
            flagged[rows[_strays(rows, moves[:, at], times, wide[:, at], others)], at] = True
    back = _there_and_back(log, before, bound)
    for row, at in np.argwhere(back & odd & ~wrong):
        start = int(seen[row - 1, at])
        beside = odd[start, at] or odd[_next(known[:, at], int(row)), at]
        wrong[row, at] = not beside
    return Spikes(wrong, odd & ~wrong & ~jumped, jumped)


def _jumps(
    log: FloatArray, before: FloatArray, bound: FloatArray, age: IntArray, product: IntArray
) -> BoolArray:
    """Return the bars of sessions no product can have come to, shape (T, C)."""
    jumped = np.zeros(log.shape, dtype=bool)
    share = np.where(age <= _WIDEST, np.expm1(log - before) / bound, np.nan)
    for number in range(int(product.max()) + 1):
        own = product == number
        ranked = np.sort(share[:, own], axis=1)
        known = (~np.isnan(ranked)).sum(axis=1)
        # Four of five contracts went so far at least.
        few = (known - 1) // 5
        low, high = (
            ranked[np.arange(len(ranked)), np.clip(place, 0, ranked.shape[1] - 1)]
            for place in (few, known - 1 - few)
        )
        move = np.where(known > 1, np.where(low > 0, low, np.where(high < 0, high, 0.0)), 0.0)
        far = np.flatnonzero(np.abs(move) >= _FAR)
        done = -1
        for here in far.tolist():
            if here < done:
                continue
            home = [
                other
                for other in far.tolist()
                if here < other <= here + _UNTIL and move[other] * move[here] < 0
            ]
            if home:
                done = home[0] + 1
                jumped[here : home[0], own] = True
            elif abs(move[here]) >= _NEVER:
                jumped[here, own] = True
    return jumped & ~np.isnan(log)


def _there_and_back(log: FloatArray, before: FloatArray, bound: FloatArray) -> BoolArray:
    """Return where a level leaves the one before and the one after by more than 1.5 limits."""
    after = np.full_like(log, np.nan)
    after[:-1] = pd.DataFrame(log).bfill().to_numpy()[1:]
    away, home = log - before, log - after
    return (
        (np.abs(away) > BACK * bound) & (np.abs(home) > BACK * bound) & (away * home > 0)
    )


def _strays(
    rows: IntArray,
    log: FloatArray,
    times: float,
    bound: FloatArray,
    others: tuple[FloatArray, FloatArray],
) -> BoolArray:
    """Return which of a contract's bars are so many limits from the others, shape (len(rows),).

    The bars fall into stretches at every step of one and a half limits that neighbours did not
    make. The longest is believed, and from it each stretch is held against the last good one.
    """

    def alone(start: int, end: int) -> float:
        """Return the move from one session to another, as little of it as can be explained."""
        own = float(log[end] - log[start])
        less = own - _moved(others, min(start, end), max(start, end)) * (1 if end > start else -1)
        return own if abs(own) < abs(less) else less

    steps = np.flatnonzero(np.abs(np.diff(log[rows])) > BACK * bound[rows[1:]]) + 1
    cuts = [
        int(at) for at in steps
        if abs(alone(int(rows[at - 1]), int(rows[at]))) > BACK * bound[rows[at]]
    ]
    ends = [0, *cuts, len(rows)]
    lengths = np.diff(ends)
    bad = np.zeros(len(rows), dtype=bool)
    trusted = int(lengths.argmax())
    for way in (1, -1):
        here, astray = trusted, 0.0
        last = len(lengths) - 1 if way > 0 else 0
        # The bar of a stretch that is nearest, and the one that is farthest, seen from `trusted`.
        first_bar, last_bar = (ends[:-1], [end - 1 for end in ends[1:]])[::way]
        for number in range(trusted + way, last + way, way):
            edge, near = int(rows[last_bar[here]]), int(rows[first_bar[number]])
            away = alone(edge, near)
            size = abs(away) / bound[max(near, int(rows[last_bar[number - way]]))]
            passing = False
            if number != last:
                beyond = int(rows[first_bar[number + way]])
                passing = abs(alone(edge, beyond)) < abs(away) / 2
                if passing:
                    home = abs(alone(int(rows[last_bar[number]]), beyond))
                    size = max(size, home / bound[max(beyond, int(rows[last_bar[number]]))])
            if size > times and not abs(away) < abs(astray) / 2:
                bad[ends[number] : ends[number + 1]] = True
                astray = away
            elif not passing:
                here, astray = number, 0.0
    return bad


def _moved(others: tuple[FloatArray, FloatArray], start: int, row: int) -> float:
    """Return the middle of the neighbours' moves between two sessions, 0 without any.

    Contracts of the same good go before the rest of the product.
    """
    for group in others:
        moves = group[row] - group[start]
        moves = moves[~np.isnan(moves)]
        if len(moves):
            return float(np.median(moves))
    return 0.0


def middle(array: FloatArray) -> FloatArray:
    """Return the median of each row, NaN where nothing is known; shape (T,)."""
    ranked = np.sort(array, axis=1)
    known = (~np.isnan(array)).sum(axis=1)
    rows = np.arange(len(array))
    low = ranked[rows, np.maximum(known - 1, 0) // 2]
    high = ranked[rows, np.minimum(known // 2, array.shape[1] - 1)]
    out: FloatArray = np.where(known > 0, (low + high) / 2, np.nan)
    return out


def _next(known: BoolArray, row: int) -> int:
    return row + 1 + int(known[row + 1 :].argmax())


def _later(array: FloatArray) -> FloatArray:
    later = np.full_like(array, np.nan)
    later[1:] = array[:-1]
    return later


def _numbered(goods: Sequence[object]) -> IntArray:
    places = {name: number for number, name in enumerate(dict.fromkeys(goods))}
    return np.array([places[name] for name in goods], dtype=np.int64)
