"""Indicators: what the past says of today, for one parameter or for thousands at once.

Every indicator compares the value at session t with the valid values *before* it; the value
itself is never part of its own yardstick. Unknown values (NaN) are skipped, not filled: a
look-back of n means the previous n known values, however long they took. Nothing looks ahead:
an indicator of the first t values is the first t values of the indicator.

A parameter is a number (a run) or N numbers (a sweep). Numbers give a `pd.Series`; N numbers
give `Columns`, in which each distinct setting was computed once. ``None`` and NaN, a rule
switched off, give NaN throughout.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sibt.errors import StrategyError

__all__ = [
    "Columns",
    "bollinger",
    "carry_ratio",
    "change",
    "half_life",
    "highest",
    "lowest",
    "percentile",
    "pullup",
    "quantile",
    "rolling_half_life",
    "zscore",
]

FloatArray: TypeAlias = NDArray[np.float64]
#: A number, None (off), or N of them.
Parameter: TypeAlias = float | ArrayLike | None

#: A look-back no history is long enough for, and that still is a safe integer.
_NEVER = 2.0**31


@dataclass(frozen=True, eq=False)
class Columns:
    """N columns of which only the distinct ones are laid out.

    Column j is ``values[:, take[j]]``. Sums, differences, products and quotients with a
    number, a Series by session or other Columns of the same `take` work on the distinct
    columns alone.

    Attributes
    ----------
    values : ndarray of shape (T, K), Fortran order
        Distinct columns; NaN is unknown.
    take : ndarray of int, shape (N,)
        Which of them each of the N columns is.
    """

    values: FloatArray
    take: NDArray[np.intp]

    # Series and ndarray leave arithmetic with Columns to Columns.
    __pandas_priority__: ClassVar[int] = 5000
    __array_ufunc__: ClassVar[None] = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.take.ndim != 1:
            raise ValueError(
                f"`values` must be (T, K) and `take` (N,), got {self.values.shape} and"
                f" {self.take.shape}"
            )
        object.__setattr__(self, "values", np.asfortranarray(self.values))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (T, N) of the columns laid out."""
        return len(self.values), len(self.take)

    def expand(self) -> FloatArray:
        """Return all N columns laid out, shape (T, N), Fortran order."""
        return np.asfortranarray(self.values[:, self.take])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.expand() if dtype is None else self.expand().astype(dtype)

    def __neg__(self) -> Columns:
        return Columns(-self.values, self.take)

    def __add__(self, other: Any) -> Columns:
        return self._with(other, np.add)

    def __sub__(self, other: Any) -> Columns:
        return self._with(other, np.subtract)

    def __mul__(self, other: Any) -> Columns:
        return self._with(other, np.multiply)

    def __truediv__(self, other: Any) -> Columns:
        return self._with(other, np.divide)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> Columns:
        return self._with(other, lambda a, b: np.subtract(b, a))

    def __rtruediv__(self, other: Any) -> Columns:
        return self._with(other, lambda a, b: np.divide(b, a))

    def _with(self, other: Any, operation: Callable[[Any, Any], FloatArray]) -> Columns:
        if isinstance(other, Columns):
            if other.values.shape != self.values.shape or not np.array_equal(other.take, self.take):
                raise StrategyError(
                    "Columns of different look-backs cannot be combined; compute both from the"
                    " same vector of parameters."
                )
            right: Any = other.values
        else:
            right = np.asarray(other, dtype=float)
            if right.ndim not in (0, 1) or (right.ndim == 1 and len(right) != len(self)):
                raise StrategyError(
                    f"Columns of {len(self)} sessions combine with a number or a series of as"
                    f" many sessions, not with shape {right.shape}."
                )
            right = right[:, None] if right.ndim else right
        with np.errstate(divide="ignore", invalid="ignore"):
            return Columns(operation(self.values, right), self.take)


Indicator: TypeAlias = "pd.Series[float] | Columns"


# -- Indicators ------------------------------------------------------------------------------


def zscore(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return how many standard deviations each value lies from the ones before it.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        Number of previous known values, at least 2; their mean and standard deviation
        (``ddof=1``) are the yardstick, the current value is not among them.

    Returns
    -------
    pd.Series of shape (T,) or Columns of shape (T, N)
        Without unit. NaN where the value is unknown, fewer than `lookback` known ones came
        before it, or those were all equal.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 2.
    """
    return _evaluate(_zscore, x, _lookbacks("zscore", lookback, least=2))


def percentile(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return the share of the previous known values that lie below each value.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        Number of previous known values, at least 1.

    Returns
    -------
    pd.Series of shape (T,) or Columns of shape (T, N)
        From 0 to 1, equal values counting half. NaN where the value is unknown or fewer
        than `lookback` known ones came before it.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 1.
    """
    return _evaluate(_percentile, x, _lookbacks("percentile", lookback))


def quantile(x: pd.Series[float], lookback: Parameter, q: Parameter) -> Indicator:
    """Return the level below which a share `q` of the previous known values lies.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        Number of previous known values, at least 1.
    q : float or N of them
        Share from 0 to 1; between two values the level is interpolated linearly.

    Returns
    -------
    pd.Series of shape (T,) or Columns of shape (T, N)
        In the unit of `x`. NaN while fewer than `lookback` known values came before; a
        session whose own value is unknown still has its level.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 1, a share outside 0 to 1, or vectors
        of different length.
    """
    share = _numbers("quantile", "q", q)
    if np.any((share < 0) | (share > 1)):
        raise StrategyError(
            f"quantile: q must lie from 0 to 1, got {_first(share, (share < 0) | (share > 1))};"
            " write 0.9 for 90 %."
        )
    return _evaluate(_quantile, x, _lookbacks("quantile", lookback), share)


def bollinger(
    x: pd.Series[float], lookback: Parameter, k: Parameter
) -> tuple[Indicator, Indicator]:
    """Return the band mean ± k standard deviations of the previous known values.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        Number of previous known values, at least 2; the current value is not among them.
    k : float or N of them
        Half width in standard deviations (``ddof=1``).

    Returns
    -------
    lower, upper : pd.Series of shape (T,) or Columns of shape (T, N)
        In the unit of `x`. NaN while fewer than `lookback` known values came before; a
        session whose own value is unknown still has its band.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 2, or vectors of different length.
    """
    window = _lookbacks("bollinger", lookback, least=2)
    width = _numbers("bollinger", "k", k)
    return _evaluate(_band, x, window, -width), _evaluate(_band, x, window, width)


def change(x: pd.Series[float], lookback: Parameter, *, relative: bool = True) -> Indicator:
    """Return the change of each value from the `lookback`-th known value before it.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        How many known values back, at least 1.
    relative : bool
        True for ``x / x_n − 1``, False for the difference in the unit of `x` (for a spread,
        which may be zero or negative).

    Returns
    -------
    pd.Series of shape (T,) or Columns of shape (T, N)
        NaN where the value is unknown or fewer than `lookback` known ones came before it;
        a relative change from zero is unknown too.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 1.
    """
    kernel = _relative_change if relative else _difference
    return _evaluate(kernel, x, _lookbacks("change", lookback))


def highest(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return the highest of the previous known values: `quantile` with ``q=1``."""
    return _evaluate(_quantile, x, _lookbacks("highest", lookback), np.array(1.0))


def lowest(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return the lowest of the previous known values: `quantile` with ``q=0``."""
    return _evaluate(_quantile, x, _lookbacks("lowest", lookback), np.array(0.0))


def pullup(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return how far each value stands above the lowest of the previous known values.

    A distance, so that a series adjusted for rolls by differences serves as well.
    """
    flat = pd.Series(x.to_numpy(dtype=float), index=x.index)
    return flat - lowest(flat, lookback)


def half_life(x: pd.Series[float]) -> float:
    """Return the sessions after which half of a deviation is gone.

    Fits dx = a + b·x₋₁ by least squares with intercept over all pairs of neighbouring
    sessions that are both known; the half-life is −ln 2 / ln(1 + b), exact in discrete time.
    It reads the whole series: a strategy that looks at it must give it only the past, or use
    `rolling_half_life`.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.

    Returns
    -------
    float
        Sessions. NaN where there is no such thing: b ≥ 0 (deviations grow: nothing reverts),
        b ≤ −1 (each deviation is gone, or on the other side, a session later), fewer than
        three pairs, or a series that does not move.
    """
    previous, step = _pairs(x)
    known = ~np.isnan(step)
    return float(_fitted_half_life(previous[known], step[known]))


def rolling_half_life(x: pd.Series[float], lookback: Parameter) -> Indicator:
    """Return the `half_life` fitted to the previous known pairs of neighbouring sessions.

    Parameters
    ----------
    x : pd.Series of shape (T,)
        Values by session; NaN is unknown.
    lookback : int or N of them
        Number of previous pairs, at least 3; the pair that ends in the current session is
        not among them.

    Returns
    -------
    pd.Series of shape (T,) or Columns of shape (T, N)
        Sessions; NaN as in `half_life`, and while fewer than `lookback` pairs are known.

    Raises
    ------
    StrategyError
        A look-back that is no whole number of at least 3.
    """
    window = _lookbacks("rolling_half_life", lookback, least=3)
    previous, step = _pairs(x)

    def kernel(_: FloatArray, distinct: FloatArray) -> FloatArray:
        fitted: FloatArray = _rolling_half_life(previous, step, distinct)
        return fitted

    return _evaluate(kernel, x, window)


def carry_ratio(spread: pd.Series[float], carry: pd.Series[float]) -> pd.Series[float]:
    """Return far − near as a share of the full cost of carry.

    Parameters
    ----------
    spread : pd.Series of shape (T,)
        near − far in yuan per tonne, as the exchange quotes it (`Market.spread`).
    carry : pd.Series of shape (T,)
        Full cost of carry in yuan per tonne (`Market.carry`).

    Returns
    -------
    pd.Series of shape (T,)
        1 where the far month pays exactly what carrying costs. NaN where either is unknown
        or the carry is not positive.
    """
    cost = carry.reindex(spread.index)
    return (-spread / cost.where(cost > 0)).rename("carry_ratio")


# -- Parameters ------------------------------------------------------------------------------


def _numbers(rule: str, name: str, given: Parameter) -> FloatArray:
    """Return a parameter as an array of shape () or (N,); None is NaN."""
    if given is None:
        return np.array(np.nan)
    try:
        numbers = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise StrategyError(
            f"{rule}: {name} must be a number or a vector of numbers, got {given!r}."
        ) from None
    if numbers.ndim == 2 and numbers.shape[0] == 1:
        numbers = numbers[0]
    if numbers.ndim > 1 or (numbers.ndim == 1 and not len(numbers)):
        raise StrategyError(
            f"{rule}: {name} must be a number or a vector of numbers, got shape {numbers.shape}."
        )
    return numbers


def _lookbacks(rule: str, given: Parameter, *, least: int = 1) -> FloatArray:
    numbers = _numbers(rule, "lookback", given)
    with np.errstate(invalid="ignore"):
        wrong = ~np.isnan(numbers) & ((numbers < least) | (numbers != np.floor(numbers)))
    wrong |= np.isinf(numbers)
    if np.any(wrong):
        raise StrategyError(
            f"{rule}: lookback must be a whole number of at least {least}, got"
            f" {_first(numbers, wrong)}."
        )
    return np.minimum(numbers, _NEVER)


def _first(numbers: FloatArray, wrong: NDArray[np.bool_] | np.bool_) -> str:
    return f"{np.atleast_1d(numbers)[np.atleast_1d(wrong)][0]:g}"


def _distinct(parameters: tuple[FloatArray, ...]) -> tuple[list[FloatArray], NDArray[np.intp]]:
    """Return the distinct settings, a column a parameter, and which of them each set is."""
    columns = np.broadcast_arrays(*(np.atleast_1d(p) for p in parameters))
    code = np.zeros(len(columns[0]), dtype=np.intp)
    for column in columns:
        # NaN equals NaN here: an indicator that is off is off.
        kinds, number = np.unique(column, return_inverse=True)
        code = code * len(kinds) + number
    _, where, take = np.unique(code, return_index=True, return_inverse=True)
    return [np.ascontiguousarray(column[where]) for column in columns], take.astype(np.intp)


def _evaluate(
    kernel: Callable[..., FloatArray], x: pd.Series[float], *parameters: FloatArray
) -> Indicator:
    """Compute each distinct setting once and hand back one Series or Columns."""
    lengths = {len(p) for p in parameters if p.ndim and len(p) > 1}
    if len(lengths) > 1:
        raise StrategyError(f"Vectors of parameters must be of one length, got {sorted(lengths)}.")
    settings, take = _distinct(parameters)
    if all(p.ndim == 0 for p in parameters):
        return pd.Series(kernel(_floats(x), *settings)[:, 0], index=x.index)
    return Columns(_remembered(kernel, _floats(x), settings), take)


#: Columns of the last sweeps' chunks: the next chunk asks for the same.
_SEEN: OrderedDict[tuple[Any, ...], FloatArray] = OrderedDict()
_REMEMBERED = 8


def _remembered(
    kernel: Callable[..., FloatArray], x: FloatArray, settings: list[FloatArray]
) -> FloatArray:
    """Return the columns of a kernel, computed once for the chunks that ask alike."""
    key = (kernel, x.tobytes(), *(setting.tobytes() for setting in settings))
    values = _SEEN.get(key)
    if values is None:
        values = kernel(x, *settings)
        _SEEN[key] = values
        while len(_SEEN) > _REMEMBERED:
            _SEEN.popitem(last=False)
    return values


def _floats(x: pd.Series[float]) -> FloatArray:
    if not isinstance(x, pd.Series):
        raise StrategyError(
            f"An indicator reads a pandas Series by session, got {type(x).__name__}."
        )
    return np.ascontiguousarray(x.to_numpy(dtype=float, na_value=np.nan))


def _pairs(x: pd.Series[float]) -> tuple[FloatArray, FloatArray]:
    """Return x₋₁ and dx by session; NaN where either of two neighbours is unknown."""
    value = _floats(x)
    previous = np.full(len(value), np.nan)
    previous[1:] = value[:-1]
    return previous, value - previous


# -- Kernels: values (T,), one column a setting ----------------------------------------------
# A window's numbers are taken relative to its first: equal numbers then have exactly no
# spread, and sums of prices in the ten thousands lose no digits.


@njit(cache=True, nogil=True)
def _known(x):  # type: ignore[no-untyped-def]
    """Return the known values and, by session, how many of them came before."""
    valid = np.empty(len(x))
    before = np.empty(len(x), dtype=np.int64)
    count = 0
    for t in range(len(x)):
        before[t] = count
        if not np.isnan(x[t]):
            valid[count] = x[t]
            count += 1
    return valid[:count], before


@njit(cache=True, nogil=True)
def _moments(window):  # type: ignore[no-untyped-def]
    """Return mean and standard deviation (``ddof=1``)."""
    origin = window[0]
    total = 0.0
    for value in window:
        total += value - origin
    mean = total / len(window)
    squares = 0.0
    for value in window:
        squares += (value - origin - mean) ** 2
    return origin + mean, np.sqrt(squares / (len(window) - 1))


@njit(cache=True, nogil=True)
def _zscore(x, lookback):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]):
            continue
        n = int(lookback[j])
        for t in range(len(x)):
            if np.isnan(x[t]) or before[t] < n:
                continue
            mean, deviation = _moments(valid[before[t] - n : before[t]])
            if deviation > 0:
                out[j, t] = (x[t] - mean) / deviation
    return out.T


@njit(cache=True, nogil=True)
def _band(x, lookback, width):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]) or np.isnan(width[j]):
            continue
        n = int(lookback[j])
        for t in range(len(x)):
            if before[t] >= n:
                mean, deviation = _moments(valid[before[t] - n : before[t]])
                out[j, t] = mean + width[j] * deviation
    return out.T


@njit(cache=True, nogil=True)
def _percentile(x, lookback):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]):
            continue
        n = int(lookback[j])
        for t in range(len(x)):
            if np.isnan(x[t]) or before[t] < n:
                continue
            halves = 0
            for value in valid[before[t] - n : before[t]]:
                halves += (value < x[t]) + (value <= x[t])
            out[j, t] = halves / (2 * n)
    return out.T


@njit(cache=True, nogil=True)
def _quantile(x, lookback, share):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]) or np.isnan(share[j]):
            continue
        n = int(lookback[j])
        if n > len(valid):
            continue
        place = share[j] * (n - 1)
        low = int(place)
        high = min(low + 1, n - 1)
        ordered = np.empty(n)  # the window's values in order, kept so from step to step
        filled = 0
        for t in range(len(x)):
            while filled < before[t]:
                new = valid[filled]
                at = filled - 1
                if filled >= n:  # the oldest goes: its gap wanders to where the new belongs
                    at = np.searchsorted(ordered, valid[filled - n])
                    while at + 1 < n and ordered[at + 1] < new:
                        ordered[at] = ordered[at + 1]
                        at += 1
                    at -= 1
                while at >= 0 and ordered[at] > new:
                    ordered[at + 1] = ordered[at]
                    at -= 1
                ordered[at + 1] = new
                filled += 1
            if filled >= n:
                out[j, t] = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return out.T


@njit(cache=True, nogil=True)
def _relative_change(x, lookback):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]):
            continue
        n = int(lookback[j])
        for t in range(len(x)):
            if before[t] >= n and valid[before[t] - n] != 0:
                out[j, t] = x[t] / valid[before[t] - n] - 1
    return out.T


@njit(cache=True, nogil=True)
def _difference(x, lookback):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(x)), np.nan)
    valid, before = _known(x)
    for j in range(len(lookback)):
        if np.isnan(lookback[j]):
            continue
        n = int(lookback[j])
        for t in range(len(x)):
            if before[t] >= n:
                out[j, t] = x[t] - valid[before[t] - n]
    return out.T


@njit(cache=True, nogil=True)
def _fitted_half_life(previous, step):  # type: ignore[no-untyped-def]
    n = len(step)
    if n < 3:
        return np.nan
    origin = previous[0]
    mean_previous = 0.0
    mean_step = 0.0
    for i in range(n):
        mean_previous += (previous[i] - origin) / n
        mean_step += step[i] / n
    squares = 0.0
    products = 0.0
    for i in range(n):
        deviation = previous[i] - origin - mean_previous
        squares += deviation**2
        products += deviation * (step[i] - mean_step)
    if squares == 0:
        return np.nan
    b = products / squares
    # Rounding must not decide whether b lies on the edge or just inside.
    return -np.log(2.0) / np.log1p(b) if -1 + 1e-9 < b < -1e-9 else np.nan


@njit(cache=True, nogil=True)
def _rolling_half_life(previous, step, lookback):  # type: ignore[no-untyped-def]
    out = np.full((len(lookback), len(step)), np.nan)
    steps, before = _known(step)
    starts = previous[~np.isnan(step)]
    for j in range(len(lookback)):
        if np.isnan(lookback[j]):
            continue
        n = int(lookback[j])
        for t in range(len(step)):
            end = before[t]
            if end >= n:
                out[j, t] = _fitted_half_life(starts[end - n : end], steps[end - n : end])
    return out.T
