"""A stated sample of a sweep's sets, fixed before the first of them runs."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn"]

IndexArray = NDArray[np.int64]


def drawn(sets: int, keep: int, seed: int = 0) -> IndexArray:
    """Return which sets a statistic looks at when it cannot look at all.

    Every set is as likely as any other, whatever it earns, and the draw depends on `sets`,
    `keep` and `seed` alone: not on chunks, nor on who works on them.

    Parameters
    ----------
    sets : int
        Sets of the sweep, numbered from 0.
    keep : int
        How many to keep at most.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int64 of shape (min(sets, keep),)
        Set numbers, ascending; all of them where `sets` is no more than `keep`.

    Raises
    ------
    ValueError
        If `sets` or `keep` is negative.
    """
    if sets < 0 or keep < 0:
        raise ValueError(f"cannot keep {keep} of {sets} sets")
    if sets <= keep:
        return np.arange(sets, dtype=np.int64)
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(sets, size=keep, replace=False, shuffle=False)).astype(np.int64)
