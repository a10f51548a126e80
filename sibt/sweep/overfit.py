"""Probability of backtest overfitting: how the best of one half does in the other.

Combinatorially symmetric cross-validation (CSCV): Bailey, Borwein, López de Prado and Zhu (2017),
Journal of Computational Finance 20(4), 39.
"""

import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibt.sweep.returns import Tally, varying

__all__ = ["METRICS", "BlockSums", "Overfit"]

FloatArray = NDArray[np.float64]

#: What a half is judged by.
METRICS = ("sharpe", "mean")

#: Metrics per session no further apart are equal; rounding sets apart what is the same in truth,
#: as the Sharpe ratio of all sets with one day of gain, whatever the gain: 1 / √T.
_TIE = 1e-12


@dataclass(frozen=True)
class Overfit:
    """What CSCV finds.

    Attributes
    ----------
    pbo : float
        Share of splits whose in-sample best is no better than the median out of sample; NaN
        with fewer than two columns, or fewer sessions than blocks.
    logits : ndarray of shape (splits,)
        ``ln(ω / (1 − ω))``, ω = rank out of sample / (N + 1), of the in-sample best of each split,
        splits in lexicographic order; empty where `pbo` is NaN.
    in_sample, out_of_sample : ndarray of shape (splits,)
        The metric of the in-sample best in both halves, per session.
    slope, intercept : float
        Least squares of out-of-sample on in-sample: the degradation of performance. NaN where the
        in-sample metric is the same in all splits.
    loss : float
        Share of splits where the in-sample best loses out of sample.
    tally : Tally
        Columns used (N), flat and unknown.
    lengths : tuple of int
        Sessions of each block.
    metric : str
        "sharpe" or "mean".
    """

    pbo: float
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    slope: float
    intercept: float
    loss: float
    tally: Tally
    lengths: tuple[int, ...]
    metric: str


class BlockSums:
    """Sums and sums of squares of returns by block of sessions: all that CSCV needs.

    Columns are handed in by chunks; how they are cut and in which order they come changes nothing
    in the result. Kept are N × blocks × 2 floats (2.6 MB for 10,000 columns), so hand in a sample
    (`sibt.sweep.sample`) where there are more than some 20,000.

    Parameters
    ----------
    sessions : int
        Sessions T of every column.
    blocks : int
        An even number S. Blocks are runs of sessions; where S does not divide T, the first T mod S
        blocks are one session longer, and no session is left out.

    Raises
    ------
    ValueError
        If `blocks` is odd or below two.
    """

    def __init__(self, sessions: int, blocks: int = 16) -> None:
        if blocks < 2 or blocks % 2:
            raise ValueError(f"{blocks} blocks cannot be halved; give an even number")
        self._sessions = sessions
        self._lengths = [
            sessions // blocks + (block < sessions % blocks) for block in range(blocks)
        ]
        self._parts: list[FloatArray] = []
        self._tally = Tally()

    def add(self, returns: ArrayLike) -> None:
        """Take in a chunk of columns.

        Parameters
        ----------
        returns : array of shape (T, n)
            Daily returns, shares. Columns with a NaN and columns that never vary (a set that
            never traded is no trial) are left out and counted.

        Raises
        ------
        ValueError
            If the shape is not (T, n).
        """
        kept, tally = varying(returns, self._sessions)
        self._tally += tally
        part = np.zeros((2, len(self._lengths), kept.shape[1]))
        last = 0
        for block, length in enumerate(self._lengths):
            first, last = last, last + length
            for row in kept[first:last]:
                part[0, block] += row
                part[1, block] += row * row
        self._parts.append(part)

    def merge(self, other: "BlockSums") -> None:
        """Take in what another accumulator of the same sessions and blocks has kept.

        Raises
        ------
        ValueError
            If its sessions or blocks differ.
        """
        if other._lengths != self._lengths:
            raise ValueError("block sums of other sessions or blocks cannot be merged")
        self.restore(other.state())

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return what was seen so far, to be kept in a file and taken in by `restore`."""
        none = np.zeros((2, len(self._lengths), 0))
        sums = np.concatenate([none, *self._parts], axis=2)
        return {"sums": sums, "tally": self._tally.array()}

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Take in the `state` of an accumulator of the same sessions and blocks."""
        self._tally += Tally.of(state["tally"])
        self._parts.append(np.asarray(state["sums"], dtype=np.float64))

    def overfit(self, metric: str = "sharpe") -> Overfit:
        """Return what all C(S, S/2) splits say.

        A column whose returns do not vary in a half has a Sharpe ratio of zero there: it holds
        cash. Metrics within 1e-12 of each other tie. Ties out of sample share their middle rank.
        Where several columns are the best in sample, the mean of their ranks and of their
        out-of-sample metric stands for them.

        Parameters
        ----------
        metric : str
            "sharpe" (mean over standard deviation, n − 1) or "mean".

        Returns
        -------
        Overfit

        Raises
        ------
        ValueError
            If the metric is neither.
        """
        if metric not in METRICS:
            raise ValueError(f"no metric '{metric}'; give one of {', '.join(METRICS)}")
        blocks = len(self._lengths)
        shortest = sum(sorted(self._lengths)[: blocks // 2])
        enough = min(self._lengths) >= 1 and (metric == "mean" or shortest >= 2)
        if self._tally.used < 2 or not enough:
            nothing = np.zeros(0)
            return Overfit(
                *(math.nan, nothing, nothing, nothing, math.nan, math.nan, math.nan),
                *(self._tally, tuple(self._lengths), metric),
            )
        sums = np.concatenate(self._parts, axis=2)
        ranks, inner, outer = _splits(sums, self._lengths, metric)
        sets = self._tally.used
        slope, intercept = _line(inner, outer)
        return Overfit(
            # Ranks are halves or means of halves: compared before the division can round.
            pbo=float(np.mean(2.0 * ranks <= sets + 1)),
            logits=np.log(ranks / (sets + 1 - ranks)),
            in_sample=inner,
            out_of_sample=outer,
            slope=slope,
            intercept=intercept,
            loss=float(np.mean(outer < -_TIE)),
            tally=self._tally,
            lengths=tuple(self._lengths),
            metric=metric,
        )


def _splits(
    sums: FloatArray, lengths: list[int], metric: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rank out of sample, metric in and out of sample of each split's in-sample best.

    A half is the sum of two rows, one of each table of all subsets of the first and of the last
    S/2 blocks. Everything is done column by column, so that equal columns stay equal to the bit.
    """
    blocks = len(lengths)
    half = blocks // 2
    low, high = _subsets(sums[:, :half]), _subsets(sums[:, half:])
    everything = (1 << half) - 1
    chosen = list(combinations(range(blocks), half))
    count = len(chosen)
    ranks, inner, outer = np.empty(count), np.empty(count), np.empty(count)

    def work(start: int, step: int) -> None:
        judge, other = (_Judge(sums.shape[2], metric) for _ in range(2))
        for at in range(start, count // 2, step):
            # The complement of a split stands as far from the end of the list as it from the
            # start.
            mask = sum(1 << block for block in chosen[at])
            first, last = mask & everything, mask >> half
            days = sum(lengths[block] for block in chosen[at])
            one = judge(low[:, first], high[:, last], days)
            rest = sum(lengths) - days
            two = other(low[:, everything ^ first], high[:, everything ^ last], rest)
            for place, within, beyond in ((at, one, two), (count - 1 - at, two, one)):
                ranks[place], inner[place], outer[place] = _follow(within, beyond)

    # NumPy lets go of the interpreter's lock; every split has places of its own.
    threads = min(os.cpu_count() or 1, 4)
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, start, threads) for start in range(threads)]:
            done.result()
    return ranks, inner, outer


def _subsets(sums: FloatArray) -> FloatArray:
    """Return the sums over every subset of blocks, by bit mask, of shape (2, 2^blocks, N)."""
    blocks = sums.shape[1]
    table = np.zeros((2, 1 << blocks, sums.shape[2]))
    for block in range(blocks):
        bit = 1 << block
        table[:, bit : 2 * bit] = table[:, :bit] + sums[:, block, None]
    return table


class _Judge:
    """The metric of a half for every column, in arrays that are used again and again."""

    def __init__(self, sets: int, metric: str) -> None:
        self._metric = metric
        self._sum, self._square, self._away, self._least = (np.empty(sets) for _ in range(4))
        self._flat = np.empty(sets, dtype=bool)

    def __call__(self, low: FloatArray, high: FloatArray, days: int) -> FloatArray:
        total, square, away, least = self._sum, self._square, self._away, self._least
        np.add(low[0], high[0], out=total)
        if self._metric == "mean":
            return np.divide(total, days, out=total)
        np.add(low[1], high[1], out=square)
        np.multiply(total, total, out=away)
        np.divide(away, -days, out=away)
        np.add(away, square, out=away)
        # What is left of the squares by rounding is no variance.
        np.multiply(square, 1e-12, out=least)
        np.less_equal(away, least, out=self._flat)
        total[self._flat] = 0.0
        away[self._flat] = 1.0
        np.sqrt(away, out=away)
        np.divide(total, away, out=total)
        return np.multiply(total, math.sqrt(days - 1) / days, out=total)


def _follow(within: FloatArray, beyond: FloatArray) -> tuple[float, float, float]:
    """Return rank out of sample, metric in and out of sample of the best within."""
    best = within.max()
    found = beyond[within >= best - _TIE]
    value = float(found.min())
    if float(found.max()) - value <= _TIE:
        below = np.count_nonzero(beyond < value - _TIE)
        through = np.count_nonzero(beyond <= value + _TIE)
        return (below + through + 1) / 2, float(best), value
    # In order of size: quick to look up, and a sum that does not hang on the order of columns.
    found, ordered = np.sort(found), np.sort(beyond)
    less_of = np.searchsorted(ordered, found - _TIE, side="left")
    up_to = np.searchsorted(ordered, found + _TIE, side="right")
    rank = int((less_of + up_to + 1).sum()) / (2 * len(found))
    return rank, float(best), float(found.mean())


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Return slope and intercept of y on x by least squares; NaN where x does not vary."""
    away = x - x.mean()
    square = float((away * away).sum())
    if square <= 1e-24 * max(1.0, float((x * x).sum())):
        return math.nan, math.nan
    slope = float((away * y).sum()) / square
    return slope, float(y.mean()) - slope * float(x.mean())
