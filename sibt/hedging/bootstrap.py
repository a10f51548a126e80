"""A stationary block bootstrap: what a statistic might have been, with the order of things kept."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVER", "REPLICATIONS", "block_of", "interval", "stationary_draws"]

FloatArray = NDArray[np.float64]

#: Replications, and the share of them an interval holds.
REPLICATIONS = 2000
COVER = 0.95

#: Share of replications that may be undefined (resamples that never vary) in an interval.
_MOST_UNDEFINED = 0.05


def stationary_draws(
    count: int, replications: int, block: float, seed: int
) -> NDArray[np.int64]:
    """Return which observations each replication of the stationary bootstrap draws.

    Blocks begin anywhere, go on past the end at the beginning and are of geometric length:
    Politis and Romano (1994), Journal of the American Statistical Association 89, 1303.

    Parameters
    ----------
    count : int
        Observations n.
    replications : int
        Replications B.
    block : float
        Mean length of a block, observations, at least 1.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int64 of shape (B, n)
        Positions in 0 … n − 1, in the order drawn.

    Raises
    ------
    ValueError
        If `block` is below 1 or a count is negative.
    """
    if not block >= 1.0:
        raise ValueError(f"blocks of {block} sessions; give 1 or more")
    if count < 0 or replications < 0:
        raise ValueError(f"cannot draw {count} sessions {replications} times")
    shape = (replications, count)
    generator = np.random.default_rng(seed)
    begins = generator.random(shape) < 1.0 / block
    starts = generator.integers(0, max(count, 1), size=shape)
    here = np.arange(count)
    # Where no block has begun yet, the first one has.
    last = np.maximum.accumulate(np.where(begins, here, 0), axis=1)
    drawn: NDArray[np.int64] = (
        np.take_along_axis(starts, last, axis=1) + here - last
    ) % max(count, 1)
    return drawn


def block_of(count: int) -> float:
    """Return the mean length of a block for `count` observations: their cube root, rounded up.

    The rate at which the best length grows where the variance of a statistic is wanted:
    Hall, Horowitz and Jing (1995), Biometrika 82, 561. The constant is taken as one: a few dozen
    observations cannot tell it.
    """
    # The hair keeps the cube root of 27 from being a little more than 3.
    return float(max(math.ceil(count ** (1 / 3) - 1e-9), 1))


def interval(
    observed: FloatArray,
    statistic: Callable[[FloatArray], FloatArray],
    *,
    block: float,
    seed: int,
    replications: int = REPLICATIONS,
) -> tuple[float, float]:
    """Return the percentile interval of a statistic that holds `COVER` of its replications.

    Parameters
    ----------
    observed : array of shape (n, c)
        Observations in order of time; rows are drawn whole, so columns stay together.
    statistic : callable
        From resamples of shape (B, n, c) to their statistics of shape (B,); NaN where one is
        undefined.
    block : float
        Mean length of a block, observations.
    seed : int
        Of the draw.
    replications : int
        Replications B.

    Returns
    -------
    tuple of float
        Both NaN where more than one replication in twenty is undefined. Few observations make
        it too narrow: a percentile interval knows only what was seen.
    """
    values = np.asarray(observed, dtype=np.float64)
    if not len(values):
        return math.nan, math.nan
    drawn = stationary_draws(len(values), replications, block, seed)
    found = statistic(values[drawn])
    known = found[np.isfinite(found)]
    if len(known) < (1.0 - _MOST_UNDEFINED) * replications or not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1.0 - COVER) / 2.0, (1.0 + COVER) / 2.0])
    return float(low), float(high)
