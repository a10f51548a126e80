"""How good the best of many would look by luck alone: Sharpe ratios put to the test.

Inside every formula the Sharpe ratio is per session, not a year, and kurtosis is raw (normal 3).
"""

import math
from statistics import NormalDist
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "deflated_sharpe",
    "expected_maximum",
    "minimum_backtest_years",
    "minimum_track_record",
    "most_trials",
    "probabilistic_sharpe",
    "spread",
]

FloatArray = NDArray[np.float64]

_NORMAL = NormalDist()


def spread(sharpes: ArrayLike) -> float:
    """Return the standard deviation (n − 1) of Sharpe ratios across trials.

    Parameters
    ----------
    sharpes : array of shape (N,)
        NaN, a set that never traded, is left out.

    Returns
    -------
    float
        NaN with fewer than two ratios.
    """
    values = np.asarray(sharpes, dtype=np.float64)
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


@overload
def probabilistic_sharpe(
    sharpe: float, sessions: float, skew: float, kurtosis: float, benchmark: float = 0.0
) -> float: ...
@overload
def probabilistic_sharpe(
    sharpe: FloatArray,
    sessions: float,
    skew: FloatArray,
    kurtosis: FloatArray,
    benchmark: float = 0.0,
) -> FloatArray: ...
def probabilistic_sharpe(
    sharpe: float | FloatArray,
    sessions: float,
    skew: float | FloatArray,
    kurtosis: float | FloatArray,
    benchmark: float = 0.0,
) -> float | FloatArray:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    ``Φ((SR − SR*) √(T − 1) / √(1 − γ₃ SR + (γ₄ − 1)/4 SR²))``: Bailey and López de Prado (2012),
    Journal of Risk 15(2), 3.

    Parameters
    ----------
    sharpe : float or ndarray of shape (N,)
        Observed Sharpe ratio, per session.
    sessions : float
        Observations T.
    skew, kurtosis : float or ndarray of shape (N,)
        Of the returns; kurtosis raw.
    benchmark : float
        The Sharpe ratio to beat, per session.

    Returns
    -------
    float or ndarray of shape (N,)
        Between 0 and 1. NaN where an input is NaN, with fewer than two sessions, and where the
        returns leave the ratio no error (the root is not positive).
    """
    ratio, third, fourth = (np.asarray(each, dtype=np.float64) for each in (sharpe, skew, kurtosis))
    error = 1.0 - third * ratio + (fourth - 1.0) / 4.0 * ratio * ratio
    possible = (error > 0.0) & (sessions >= 2)
    root = math.sqrt(max(sessions - 1.0, 0.0))
    score = np.where(
        possible, (ratio - benchmark) * root / np.sqrt(np.where(possible, error, 1.0)), np.nan
    )
    chance = [0.5 * math.erfc(-each / math.sqrt(2.0)) for each in score.ravel().tolist()]
    return chance[0] if score.ndim == 0 else np.array(chance).reshape(score.shape)


def expected_maximum(trials: float, spread: float = 1.0) -> float:
    """Return the best Sharpe ratio to expect of trials that are worth nothing.

    ``σ [(1 − γ) Z(1 − 1/N) + γ Z(1 − 1/(N e))]`` with the Euler constant γ: Bailey and López de
    Prado (2014), Journal of Portfolio Management 40(5), 94.

    Parameters
    ----------
    trials : float
        Independent trials N; an effective number need not be whole.
    spread : float
        Standard deviation of the Sharpe ratios across trials; the result is in its unit.

    Returns
    -------
    float
        Zero for one trial, whatever the spread, and never below zero (between one and two trials
        the formula would be). NaN below one trial or without a spread.
    """
    if not trials >= 1.0:
        return math.nan
    if trials == 1.0:
        return 0.0
    # Z(1 − q) = −Z(q), which keeps its digits where q is tiny.
    euler = float(np.euler_gamma)
    inner = _NORMAL.inv_cdf(1.0 / (trials * math.e))
    best = -(1.0 - euler) * _NORMAL.inv_cdf(1.0 / trials) - euler * inner
    return spread * max(best, 0.0)


def deflated_sharpe(
    sharpe: float, sessions: float, skew: float, kurtosis: float, trials: float, spread: float
) -> float:
    """Return the probability that the best of N trials is better than the best of N worthless ones.

    The probabilistic Sharpe ratio against `expected_maximum`: Bailey and López de Prado (2014),
    Journal of Portfolio Management 40(5), 94. Where trials resemble one another, give it for
    their number and for their effective number: the truth lies between.

    Parameters
    ----------
    sharpe : float
        Of the best set, per session.
    sessions : float
        Observations T.
    skew, kurtosis : float
        Of the best set's returns; kurtosis raw.
    trials : float
        Number N, or effective number, of trials.
    spread : float
        Standard deviation of the trials' Sharpe ratios, per session.

    Returns
    -------
    float
        Between 0 and 1; for one trial the probabilistic Sharpe ratio against zero. NaN as in
        `probabilistic_sharpe` and `expected_maximum`.
    """
    return probabilistic_sharpe(sharpe, sessions, skew, kurtosis, expected_maximum(trials, spread))


def minimum_backtest_years(trials: float, target: float = 1.0) -> float:
    """Return how many years it takes until luck alone is not expected to reach a Sharpe ratio.

    ``(E[max_N] / target)²``: Bailey, Borwein, López de Prado and Zhu (2014), Notices of the AMS
    61(5), 458.

    Parameters
    ----------
    trials : float
        Independent trials N.
    target : float
        Sharpe ratio a year.

    Returns
    -------
    float
        Years; zero for one trial. NaN below one trial or where the target is not positive.
    """
    if not target > 0.0:
        return math.nan
    return (expected_maximum(trials) / target) ** 2


def most_trials(years: float, target: float = 1.0) -> int:
    """Return how many independent trials so many years of data bear.

    With one more, the best of pure noise is expected to show the target: `minimum_backtest_years`
    the other way round.

    Parameters
    ----------
    years : float
        Length of the data.
    target : float
        Sharpe ratio a year.

    Returns
    -------
    int
        At least 1; at most 10¹⁵, which stands for more.
    """
    least, most = 1, 10**15
    while least < most:
        middle = (least + most + 1) // 2
        if minimum_backtest_years(middle, target) <= years:
            least = middle
        else:
            most = middle - 1
    return least


def minimum_track_record(
    sharpe: float,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """Return how many sessions it takes to tell a Sharpe ratio from a benchmark.

    ``1 + (1 − γ₃ SR + (γ₄ − 1)/4 SR²) (Z_α / (SR − SR*))²``: Bailey and López de Prado (2012),
    Journal of Risk 15(2), 3.

    Parameters
    ----------
    sharpe, benchmark : float
        Per session.
    skew, kurtosis : float
        Of the returns; kurtosis raw.
    confidence : float
        Between 0.5 and 1.

    Returns
    -------
    float
        Sessions; infinite where the ratio is not above the benchmark, NaN where an input is NaN.

    Raises
    ------
    ValueError
        If `confidence` is not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence}; give a number between 0.5 and 1")
    error = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    distance = sharpe - benchmark
    if math.isnan(error) or math.isnan(distance):
        return math.nan
    if distance <= 0.0:
        return math.inf
    return 1.0 + error * (_NORMAL.inv_cdf(confidence) / distance) ** 2
