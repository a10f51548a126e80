"""By how much a hedge cuts risk: variance, semivariance, value at risk and expected shortfall.

Every figure is ``1 − risk with the hedge ÷ risk without``: one where nothing is left, zero where
the hedge did nothing, below zero where it made things worse. Results are yuan, gains positive.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sibt.hedging.bootstrap import block_of, interval

__all__ = [
    "FEWEST",
    "LEVELS",
    "MEASURES",
    "cornish_fisher",
    "historical",
    "reductions",
    "semivariance",
    "variance_reduction",
    "variance_reductions",
]

FloatArray = NDArray[np.float64]

#: Levels of value at risk and expected shortfall.
LEVELS = (0.95, 0.99)

#: Within so many standard deviations, the normal's outer percentiles, a Cornish–Fisher expansion
#: has to rise.
_REACH = 2.33

#: A spread below this share of the largest value is rounding, and so no spread.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class _Measure:
    """A measure of risk of results of shape (…, n), and the fewest stretches that bear it."""

    risk: Callable[[FloatArray], FloatArray]
    fewest: int


def variance_reduction(unhedged: ArrayLike, hedged: ArrayLike) -> float:
    """Return ``1 − var(hedged) ÷ var(unhedged)``.

    Ederington (1979), Journal of Finance 34(1), 157. At the minimum-variance ratio of the same
    data it is the R² of spot on futures changes.

    Parameters
    ----------
    unhedged, hedged : array of shape (n,)
        Results over the same stretches.

    Returns
    -------
    float
        NaN below two stretches or where the goods' results do not vary.
    """
    return _reduction(_variance, np.asarray(unhedged, float), np.asarray(hedged, float))


def variance_reductions(unhedged: FloatArray, hedged: FloatArray) -> FloatArray:
    """Return `variance_reduction` of many pairs at once, arrays of shape (…, n), n above one."""
    return _share(_variance(unhedged), _variance(hedged))


def semivariance(results: ArrayLike) -> FloatArray:
    """Return the mean square of losses, ``mean(min(x, 0)²)``, of results of shape (…, n)."""
    below: FloatArray = np.mean(np.minimum(np.asarray(results, float), 0.0) ** 2, axis=-1)
    return below


def historical(results: ArrayLike, level: float, *, shortfall: bool = False) -> FloatArray:
    """Return value at risk, or expected shortfall, as results had it; a loss is positive.

    Value at risk is the loss that a share of 1 − `level` of the results reach. Expected
    shortfall is the mean of the worst results that make up that share, the last of them by the
    part that still belongs to it: Acerbi and Tasche (2002), Journal of Banking & Finance 26, 1487.

    Parameters
    ----------
    results : array of shape (…, n)
        Results.
    level : float
        Such as 0.95.
    shortfall : bool
        True for expected shortfall.
    """
    ordered = np.sort(np.asarray(results, float), axis=-1)
    share = ordered.shape[-1] * (1.0 - level)
    # The hair keeps 20 × (1 − 0.95) from being a little more than one.
    last = max(math.ceil(share - 1e-9), 1) - 1
    value: FloatArray = ordered[..., last]
    if not shortfall:
        return -value
    whole: FloatArray = ordered[..., :last].sum(axis=-1)
    below: FloatArray = -(whole + (share - last) * value) / share
    return below


def cornish_fisher(results: ArrayLike, level: float, *, shortfall: bool = False) -> FloatArray:
    """Return value at risk, or expected shortfall, from four moments; a loss is positive.

    ``z + (z² − 1) s/6 + (z³ − 3z) k/24 − (2z³ − 5z) s²/36`` in the place of the normal quantile
    z, with skewness s and excess kurtosis k: Cornish and Fisher (1938); Favre and Galeano (2002),
    Journal of Alternative Investments 5(2), 21. Expected shortfall is the mean of the same
    expansion over the normal tail, in closed form: Maillard (2018), A User's Guide to the Cornish
    Fisher Expansion.

    Parameters
    ----------
    results : array of shape (…, n)
        Results.
    level : float
        Such as 0.95.
    shortfall : bool
        True for expected shortfall.

    Returns
    -------
    ndarray of shape (…,)
        NaN where results do not vary, or where the expansion falls somewhere between the
        normal's outer percentiles: then it is no quantile function.
    """
    from scipy import stats

    x = np.asarray(results, float)
    mean, spread = x.mean(axis=-1), x.std(axis=-1)
    varies = spread > _ROUNDING * np.maximum(1.0, np.abs(x).max(axis=-1))
    scale = np.where(varies, spread, np.nan)
    standard = (x - mean[..., None]) / scale[..., None]
    s, k = (standard**3).mean(axis=-1), (standard**4).mean(axis=-1) - 3.0
    tail = 1.0 - level
    z = float(stats.norm.ppf(tail))
    if shortfall:
        # Means over the tail of z, z² − 1, z³ − 3z and 2z³ − 5z for a standard normal.
        first = -float(stats.norm.pdf(z)) / tail
        terms = (first, z * first, (z * z - 1.0) * first, (2.0 * z * z - 1.0) * first)
    else:
        terms = (z, z * z - 1.0, z**3 - 3.0 * z, 2.0 * z**3 - 5.0 * z)
    quantile = terms[0] + terms[1] * s / 6 + terms[2] * k / 24 - terms[3] * s * s / 36
    loss: FloatArray = -(mean + scale * quantile)
    return np.where(_rises(s, k), loss, np.nan)


def _rises(s: FloatArray, k: FloatArray) -> NDArray[np.bool_]:
    """Tell where the expansion's slope ``a z² + b z + c`` is above zero within `_REACH`."""
    a, b, c = k / 8 - s * s / 6, s / 3, 1.0 - k / 8 + 5 * s * s / 36
    least = np.minimum(*(a * z * z + b * z + c for z in (-_REACH, _REACH)))
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = -b / (2 * a)
        inside = (a > 0) & (np.abs(turn) < _REACH)
        least = np.where(inside, np.minimum(least, c - b * b / (4 * a)), least)
    rises: NDArray[np.bool_] = least > 0
    return rises


def _variance(results: FloatArray) -> FloatArray:
    found: FloatArray = results.var(axis=-1)
    # Equal results differ by rounding alone.
    flat = np.sqrt(found) <= _ROUNDING * np.maximum(1.0, np.abs(results).max(axis=-1))
    return np.where(flat, 0.0, found)


def _measures() -> dict[str, _Measure]:
    found = {"variance": _Measure(_variance, 6), "semivariance": _Measure(semivariance, 6)}
    for level in LEVELS:
        # One result at least has to lie in the tail; four moments want a score of results.
        tail = math.ceil(1.0 / (1.0 - level) - 1e-9)
        for name, shortfall in (("VaR", False), ("ES", True)):
            at = f"{name} {level:.0%}"
            found[at] = _Measure(partial(historical, level=level, shortfall=shortfall), tail)
            found[f"{at}, Cornish–Fisher"] = _Measure(
                partial(cornish_fisher, level=level, shortfall=shortfall), 20
            )
    return found


_MEASURES = _measures()

#: Measures of `reductions`, in its order.
MEASURES = tuple(_MEASURES)

#: Below so many stretches a measure is unknown.
FEWEST: Mapping[str, int] = {name: measure.fewest for name, measure in _MEASURES.items()}


def reductions(unhedged: ArrayLike, hedged: ArrayLike, *, seed: int = 0) -> pd.DataFrame:
    """Return by how much each of `MEASURES` was cut, with 95 % intervals.

    Parameters
    ----------
    unhedged, hedged : array of shape (n,)
        Results over the same stretches, yuan, in order of time.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pd.DataFrame
        Indexed by measure: ``unhedged``, ``hedged`` (the risk itself, yuan or yuan²),
        ``reduction``, ``low``, ``high`` (percentile interval of the stationary bootstrap that
        draws stretches in blocks of `block` on average), ``stretches``, ``fewest``, ``block``.
        NaN where there are fewer stretches than `FEWEST`, where the goods bore no such risk, or
        (the interval) where too many draws are undefined.
    """
    pair = np.column_stack([np.asarray(unhedged, float), np.asarray(hedged, float)])
    count, block = len(pair), block_of(len(pair))
    rows = []
    for measure in _MEASURES.values():
        found = [math.nan] * 5
        if count >= measure.fewest:
            risk = measure.risk
            without, with_ = (float(risk(pair[:, side])) for side in (0, 1))
            found[:3] = without, with_, _reduction(risk, pair[:, 0], pair[:, 1])
            # Where the figure itself is undefined, so is what surrounds it.
            if not math.isnan(found[2]):
                found[3:] = interval(pair, partial(_cut, risk), block=block, seed=seed)
        rows.append([*found, count, measure.fewest, block])
    columns = ["unhedged", "hedged", "reduction", "low", "high", "stretches", "fewest", "block"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(MEASURES, name="measure"))


def _cut(risk: Callable[[FloatArray], FloatArray], drawn: FloatArray) -> FloatArray:
    """Return by how much a risk is cut in each of many resamples, shape (B, n, 2)."""
    return _share(risk(drawn[..., 0]), risk(drawn[..., 1]))


def _share(without: FloatArray, with_: FloatArray) -> FloatArray:
    """Return 1 − with ÷ without; NaN where the goods bore no risk."""
    borne = np.where(without > 0.0, without, np.nan)
    return 1.0 - with_ / borne


def _reduction(
    risk: Callable[[FloatArray], FloatArray], unhedged: FloatArray, hedged: FloatArray
) -> float:
    if len(unhedged) < 2:
        return math.nan
    return float(_share(np.asarray(risk(unhedged)), np.asarray(risk(hedged))))
