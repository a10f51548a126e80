"""How many independent trials a sweep of similar sets amounts to."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibt.sweep.returns import Tally, total, varying

__all__ = ["EffectiveTrials"]

#: Standardised returns are counted in whole multiples of this, so that the order of columns
#: does not matter; two thousand million columns fit.
_QUANTUM = 2.0**-32
_SLICE = 1024


class EffectiveTrials:
    """The effective number of trials, ``ρ + (1 − ρ) N`` of the mean pairwise correlation ρ.

    Bailey and López de Prado (2014), Journal of Portfolio Management 40(5), 94, appendix. The
    mean over all pairs needs no pairs: of unit vectors z, ``|Σ z|² = N + N (N − 1) ρ``. Columns
    are handed in by chunks; neither the cut nor the order changes a bit of the result, and
    only T numbers are kept.

    Parameters
    ----------
    sessions : int
        Sessions T of every column.
    """

    def __init__(self, sessions: int) -> None:
        self._sessions = sessions
        self._sum: NDArray[np.int64] = np.zeros(sessions, dtype=np.int64)
        self._tally = Tally()

    @property
    def tally(self) -> Tally:
        """Columns used, flat and unknown."""
        return self._tally

    def add(self, returns: ArrayLike) -> None:
        """Take in a chunk of columns.

        Parameters
        ----------
        returns : array of shape (T, n)
            Daily returns, shares. Columns with a NaN and columns that never vary, which
            correlate with nothing, are left out and counted.

        Raises
        ------
        ValueError
            If the shape is not (T, n).
        """
        kept, tally = varying(returns, self._sessions)
        self._tally += tally
        for start in range(0, tally.used, _SLICE):
            part = kept[:, start : start + _SLICE]
            away = part - total(part) / self._sessions
            away *= 1.0 / (_QUANTUM * np.sqrt(total(away * away)))
            self._sum += np.rint(away, out=away).astype(np.int64).sum(axis=1)

    def merge(self, other: "EffectiveTrials") -> None:
        """Take in what another accumulator of the same sessions has seen.

        Raises
        ------
        ValueError
            If its sessions differ.
        """
        if other._sessions != self._sessions:
            raise ValueError("effective trials of other sessions cannot be merged")
        self.restore(other.state())

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Return what was seen so far, to be kept in a file and taken in by `restore`."""
        return {"sum": self._sum.astype(np.float64), "tally": self._tally.array()}

    def restore(self, state: Mapping[str, ArrayLike]) -> None:
        """Take in the `state` of an accumulator of the same sessions."""
        self._tally += Tally.of(state["tally"])
        self._sum += np.asarray(state["sum"]).astype(np.int64)

    def correlation(self) -> float:
        """Return the mean correlation of two columns; NaN with fewer than two."""
        sets = self._tally.used
        if sets < 2:
            return math.nan
        square = math.fsum((each * _QUANTUM) ** 2 for each in self._sum.tolist())
        return (square - sets) / (sets * (sets - 1.0))

    def trials(self) -> float:
        """Return the effective number of trials, between 1 and the number of columns used.

        A mean correlation below zero counts as zero. Zero without columns, one with one.
        """
        sets = self._tally.used
        if sets < 2:
            return float(sets)
        rho = min(max(self.correlation(), 0.0), 1.0)
        return rho + (1.0 - rho) * sets
