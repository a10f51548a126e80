"""White's reality check: whether sets worth nothing could have had so good a best one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibt.hedging.bootstrap import stationary_draws
from sibt.sweep.returns import Tally, varying

__all__ = ["Reality", "RealityCheck", "stationary_weights"]

FloatArray = NDArray[np.float64]

#: Returns are rounded to whole multiples of this (3.6e-12), so that sums of them are whole
#: numbers below 2^53: exact, whatever the order, the chunk, the machine and its BLAS.
_QUANTUM = 2.0**-38
_EXACT = 2.0**53
_SLICE = 1024


def stationary_weights(
    sessions: int, replications: int = 1000, block: float = 10.0, seed: int = 0
) -> FloatArray:
    """Return how often each replication of the stationary bootstrap draws each session.

    Blocks begin anywhere, go on past the end at the beginning and are of geometric length:
    Politis and Romano (1994), Journal of the American Statistical Association 89, 1303. A mean
    of ten sessions is what Sullivan, Timmermann and White (1999), Journal of Finance 54, 1647,
    take for daily rules.

    Parameters
    ----------
    sessions : int
        Sessions T.
    replications : int
        Replications B.
    block : float
        Mean length of a block, sessions, at least 1.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of float64 of shape (B, T)
        Whole numbers; each row adds up to T.

    Raises
    ------
    ValueError
        If `block` is below 1 or a count is negative.
    """
    drawn = stationary_draws(sessions, replications, block, seed)
    flat = drawn + np.arange(replications)[:, None] * sessions
    counts = np.bincount(flat.ravel(), minlength=replications * sessions)
    return counts.reshape(drawn.shape).astype(np.float64)


@dataclass(frozen=True)
class Reality:
    """What the reality check finds.

    Attributes
    ----------
    statistic : float
        ``√T`` times the best mean daily return; NaN without columns.
    chance : float
        p-value: share of replications whose best centred mean is above it. Zero means less than
        one in as many as there are replications; NaN without columns or replications.
    maxima : ndarray of shape (B,)
        ``√T`` times the best centred mean of each replication; empty without columns.
    tally : Tally
        Columns used, flat and unknown.
    """

    statistic: float
    chance: float
    maxima: FloatArray
    tally: Tally


class RealityCheck:
    """White's reality check for columns of daily returns that are handed in by chunks.

    ``V = max_k √T d̄_k``, ``V* = max_k √T (d̄*_k − d̄_k)``, p = share of V* > V: White (2000),
    Econometrica 68, 1097. Means are not studentised; d is the return over a benchmark, which is
    zero (no position) unless the caller deducts one. Only maxima are kept, so a million columns
    take no more memory than one, and neither the cut into chunks nor their order changes a bit.

    Parameters
    ----------
    weights : array of shape (B, T)
        How often each replication draws each session, from `stationary_weights` or elsewhere.

    Raises
    ------
    ValueError
        If a weight is not a whole number of zero or more, or a row does not add up to T.
    """

    def __init__(self, weights: ArrayLike) -> None:
        counts = np.asarray(weights, dtype=np.float64)
        if counts.ndim != 2:
            raise ValueError(
                f"weights have {counts.ndim} dimensions; give (replications, sessions)"
            )
        if not ((counts >= 0.0) & (counts == np.rint(counts))).all():
            raise ValueError("weights count draws: give whole numbers of zero or more")
        sessions = counts.shape[1]
        if not (counts.sum(axis=1) == sessions).all():
            raise ValueError(f"every replication draws {sessions} sessions; some weights do not")
        # The first row gives the mean itself, the others how far each replication moves it.
        self._moves = np.vstack([np.ones((1, sessions)), counts - 1.0])
        self._reach = float(np.abs(self._moves).sum(axis=1).max())
        self._sessions = sessions
        self._best = np.full(len(self._moves), -np.inf)
        self._tally = Tally()

    def add(self, returns: ArrayLike) -> None:
        """Take in a chunk of columns.

        Parameters
        ----------
        returns : array of shape (T, n)
            Daily returns, shares, less the benchmark's. Columns with a NaN and columns that
            never vary (which the bootstrap cannot move) are left out and counted.

        Raises
        ------
        ValueError
            If the shape is not (T, n).
        """
        kept, tally = varying(returns, self._sessions)
        self._tally += tally
        for start in range(0, tally.used, _SLICE):
            whole = np.rint(kept[:, start : start + _SLICE] * (1.0 / _QUANTUM))
            tame = np.abs(whole).max(axis=0) * self._reach < _EXACT
            if tame.all():
                self._raise_to(self._moves @ whole)
                continue
            if tame.any():
                self._raise_to(self._moves @ whole[:, tame])
            # Too large to add exactly (an account near zero): added session by session instead.
            wild = whole[:, ~tame]
            sums = np.zeros((len(self._moves), wild.shape[1]))
            for move, row in zip(self._moves.T, wild, strict=True):
                sums += move[:, None] * row
            self._raise_to(sums)

    def _raise_to(self, sums: FloatArray) -> None:
        np.maximum(self._best, sums.max(axis=1), out=self._best)

    def merge(self, other: "RealityCheck") -> None:
        """Take in what another reality check with the same weights has seen.

        Raises
        ------
        ValueError
            If its weights differ.
        """
        if not np.array_equal(other._moves, self._moves):
            raise ValueError("reality checks with different weights cannot be merged")
        self.restore(other.state())

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return what was seen so far, to be kept in a file and taken in by `restore`."""
        return {"best": self._best.copy(), "tally": self._tally.array()}

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Take in the `state` of a reality check with the same weights."""
        self._tally += Tally.of(state["tally"])
        np.maximum(self._best, np.asarray(state["best"]), out=self._best)

    def result(self) -> Reality:
        """Return the statistic and its p-value for all columns seen so far."""
        if not self._tally.used:
            return Reality(math.nan, math.nan, np.zeros(0), self._tally)
        best, maxima = self._best[0], self._best[1:]
        chance = float(np.mean(maxima > best)) if len(maxima) else math.nan
        scale = _QUANTUM / math.sqrt(self._sessions)
        return Reality(float(best * scale), chance, maxima * scale, self._tally)
