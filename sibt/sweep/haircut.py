"""What is left of a Sharpe ratio once it is known how many were tried."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["METHODS", "Haircut", "chance", "haircut", "remaining"]

FloatArray = NDArray[np.float64]

#: Ways to allow for the number of tests; what they do is said in `haircut`.
METHODS = ("bonferroni", "independent", "holm", "bhy")


@dataclass(frozen=True)
class Haircut:
    """The best Sharpe ratio of many, allowed for their number.

    Attributes
    ----------
    sharpe : float
        As it looks, a year.
    t : float
        Its t statistic.
    chance : float
        Two-sided p-value of a single test.
    chances, sharpes, shares : mapping of str to float
        By method: the p-value allowed for all tests, the Sharpe ratio a year that would have it
        in a single test, and the share of the ratio that is lost (NaN where it is not positive).
    tests : int
        Sets counted as tests.
    """

    sharpe: float
    t: float
    chance: float
    chances: Mapping[str, float]
    sharpes: Mapping[str, float]
    shares: Mapping[str, float]
    tests: int


def chance(sharpes: ArrayLike, years: float) -> FloatArray:
    """Return the two-sided p-value of each Sharpe ratio, ``2 Φ(−|SR| √years)``.

    Harvey and Liu (2015), Journal of Portfolio Management 42(1), 13.

    Parameters
    ----------
    sharpes : array of shape (N,)
        A year.
    years : float
        Length of the data.

    Returns
    -------
    ndarray of shape (N,)
        Between 0 and 1; NaN where the ratio is NaN or there are no years.
    """
    values = np.asarray(sharpes, dtype=np.float64)
    if not years > 0.0:
        return np.full(values.shape, np.nan)
    scores = np.abs(values) * math.sqrt(years / 2.0)
    return np.array([math.erfc(each) for each in scores.ravel().tolist()]).reshape(values.shape)


def remaining(chance: float, years: float) -> float:
    """Return the Sharpe ratio a year whose single test has this two-sided p-value.

    ``Z(1 − p/2) / √years``: Harvey and Liu (2015), Journal of Portfolio Management 42(1), 13.

    Parameters
    ----------
    chance : float
        P-value, allowed for the number of tests.
    years : float
        Length of the data.

    Returns
    -------
    float
        Zero for a p-value of 1, infinite for one of 0; NaN where an input is NaN or there are no
        years.
    """
    if math.isnan(chance) or not years > 0.0:
        return math.nan
    if chance <= 0.0:
        return math.inf
    return max(-NormalDist().inv_cdf(min(chance, 1.0) / 2.0), 0.0) / math.sqrt(years)


def haircut(sharpes: ArrayLike, years: float, tests: int | None = None) -> Haircut:
    """Return the best Sharpe ratio of many, allowed for their number in each of `METHODS`.

    Harvey and Liu (2015), Journal of Portfolio Management 42(1), 13; the p-value p of the best of
    N tests becomes

    - "bonferroni": N p;
    - "independent": 1 − (1 − p)^N (Šidák 1967, JASA 62, 626);
    - "holm": N p, the same for the best (Holm 1979, Scandinavian Journal of Statistics 6, 65);
    - "bhy": the least N c p₍ᵢ₎ / i over the ordered p-values, c = 1 + 1/2 + … + 1/N (Benjamini and
      Yekutieli 2001, Annals of Statistics 29, 1165).

    A set that loses or never traded is a test that found nothing: its p-value counts as 1.
    Otherwise the many sets that lose for certain (costs see to that) would pass for discoveries,
    and "bhy" would hold that to the winner's credit.

    Parameters
    ----------
    sharpes : array of shape (N,)
        Of all sets, a year; NaN for sets that never traded.
    years : float
        Length of the data.
    tests : int, optional
        Tests to allow for where more were made than these sets (all ever made on these data);
        those not among `sharpes` count as tests that found nothing.

    Returns
    -------
    Haircut
        Figures are NaN where no ratio is known or there are no years. Where the best ratio is
        not positive every p-value is 1 and nothing remains.

    Raises
    ------
    ValueError
        If `tests` is less than the number of `sharpes`.
    """
    values = np.asarray(sharpes, dtype=np.float64)
    count = len(values) if tests is None else tests
    if count < len(values):
        raise ValueError(f"{len(values)} sets are more than the {count} tests they are part of")
    known = values[np.isfinite(values)]
    if not len(known) or not years > 0.0:
        nothing = dict.fromkeys(METHODS, math.nan)
        best = float(known.max()) if len(known) else math.nan
        return Haircut(best, math.nan, math.nan, nothing, nothing, nothing, count)
    best = float(known.max())
    # Those that found nothing stand behind all others; only their number matters.
    winners = chance(known[known > 0.0], years)
    single = float(chance(known[[known.argmax()]], years)[0])
    chances = {
        method: float(_smallest(winners, count, method)) if best > 0.0 else 1.0
        for method in METHODS
    }
    sharpes_left = {method: remaining(each, years) for method, each in chances.items()}
    # The allowance can only take away; rounding in the tails must not give.
    sharpes_left = {method: min(each, max(best, 0.0)) for method, each in sharpes_left.items()}
    shares = {
        method: 1.0 - each / best if best > 0.0 else math.nan
        for method, each in sharpes_left.items()
    }
    return Haircut(best, best * math.sqrt(years), single, chances, sharpes_left, shares, count)


def _smallest(winners: FloatArray, count: int, method: str) -> float:
    """Return the adjusted p-value of the best of `count` tests, the others' being 1."""
    least = float(winners.min())
    if method in ("bonferroni", "holm"):
        return min(least * count, 1.0)
    if method == "independent":
        return 1.0 if least >= 1.0 else -math.expm1(count * math.log1p(-least))
    place = np.arange(1, len(winners) + 1)
    raised = np.sort(winners) / place
    return min(float(raised.min()) * count * _harmonic(count), 1.0)


def _harmonic(count: int) -> float:
    """Return 1 + 1/2 + … + 1/count; by its expansion, exact to a float, where that is long."""
    if count <= 1000:
        return math.fsum(1.0 / place for place in range(1, count + 1))
    return math.log(count) + float(np.euler_gamma) + 0.5 / count - 1.0 / (12.0 * count * count)
