"""Daily returns of many parameter sets: one row a session, one column a set.

The figures of a column depend on that column alone, to the last bit: they are added up session
by session, never in an order that changes with the number of columns beside it, as the sums of
NumPy and BLAS do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Moments", "Tally", "moments", "total", "varying"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: Returns beyond this are no returns; their fourth powers would leave the range of a float.
_ABSURD = 1e70


@dataclass(frozen=True)
class Tally:
    """How many columns were seen.

    Attributes
    ----------
    used : int
        Columns with returns that vary; the statistics are theirs.
    flat : int
        Columns that never vary: sets that never traded, or fewer than two sessions.
    unknown : int
        Columns with a return that is NaN, infinite or beyond 1e70.
    """

    used: int = 0
    flat: int = 0
    unknown: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.used + other.used, self.flat + other.flat, self.unknown + other.unknown)

    def array(self) -> FloatArray:
        """Return the three counts as they are kept in a file."""
        return np.array([self.used, self.flat, self.unknown], dtype=np.float64)

    @classmethod
    def of(cls, counts: ArrayLike) -> "Tally":
        """Return the tally of three counts, as `array` gives them."""
        return cls(*(int(count) for count in np.asarray(counts)))


@dataclass(frozen=True)
class Moments:
    """Sharpe ratio, skewness and kurtosis of each column, float arrays of shape (N,).

    Attributes
    ----------
    sharpe : ndarray
        Mean over standard deviation (n − 1), per session.
    skew : ndarray
        Third standardised moment.
    kurtosis : ndarray
        Fourth standardised moment, raw: 3 for a normal distribution.
    """

    sharpe: FloatArray
    skew: FloatArray
    kurtosis: FloatArray


def total(rows: FloatArray) -> FloatArray:
    """Return the sum over sessions of each column, added session by session.

    Parameters
    ----------
    rows : ndarray of shape (T, N)

    Returns
    -------
    ndarray of shape (N,)
        Zero without sessions. A column's sum does not depend on the columns beside it.
    """
    result = np.zeros(rows.shape[1])
    for row in rows:
        result += row
    return result


def _sorted_out(
    returns: ArrayLike, sessions: int | None
) -> tuple[FloatArray, BoolArray, BoolArray]:
    values = np.ascontiguousarray(returns, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"returns have {values.ndim} dimensions; give (sessions, sets)")
    if sessions is not None and len(values) != sessions:
        raise ValueError(f"returns have {len(values)} sessions; {sessions} were announced")
    if not len(values):
        nothing = np.zeros(values.shape[1], dtype=bool)
        return values, ~nothing, nothing
    high, low = values.max(axis=0), values.min(axis=0)
    known = (high < _ABSURD) & (low > -_ABSURD)
    # Constant returns differ by rounding alone; their ratio would be noise.
    size = np.maximum(1.0, np.maximum(np.abs(high), np.abs(low)))
    varies = known.copy()
    varies[known] = (high - low)[known] > 1e-12 * size[known]
    return values, known, varies


def varying(returns: ArrayLike, sessions: int | None = None) -> tuple[FloatArray, Tally]:
    """Return the columns statistics can be made of, and how many there are of each kind.

    Parameters
    ----------
    returns : array of shape (T, N)
        Daily returns, shares; one column a set.
    sessions : int, optional
        The number of sessions expected.

    Returns
    -------
    ndarray of shape (T, used)
        Columns without NaN whose returns vary, in their order.
    Tally
        Columns used, flat and unknown.

    Raises
    ------
    ValueError
        If `returns` has not two dimensions or not the sessions expected.
    """
    values, known, varies = _sorted_out(returns, sessions)
    used = int(varies.sum())
    tally = Tally(used, int(known.sum()) - used, int((~known).sum()))
    # Compressed, not indexed: rows stay whole in memory.
    kept = values if used == values.shape[1] else np.compress(varies, values, axis=1)
    return kept, tally


def moments(returns: ArrayLike) -> Moments:
    """Return Sharpe ratio, skewness and raw kurtosis of each column.

    Parameters
    ----------
    returns : array of shape (T, N)
        Daily returns, shares.

    Returns
    -------
    Moments
        Three arrays of shape (N,); NaN for columns that do not vary or hold a NaN. Skewness and
        kurtosis are the plain moments (divided by T), as Bailey and López de Prado use them.

    Raises
    ------
    ValueError
        If `returns` has not two dimensions.
    """
    values, _, varies = _sorted_out(returns, None)
    kept = np.compress(varies, values, axis=1)
    shape = values.shape[1]
    result = Moments(*(np.full(shape, np.nan) for _ in range(3)))
    if not kept.shape[1]:
        return result
    count = len(kept)
    mean = total(kept) / count
    second, third, fourth = (np.zeros(kept.shape[1]) for _ in range(3))
    for row in kept:
        away = row - mean
        square = away * away
        second += square
        third += square * away
        fourth += square * square
    variance = second / count
    result.sharpe[varies] = mean / np.sqrt(second / (count - 1))
    result.skew[varies] = third / count / (variance * np.sqrt(variance))
    result.kurtosis[varies] = fourth / count / (variance * variance)
    return result
