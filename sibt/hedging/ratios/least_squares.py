"""Ratios by least squares: minimum variance, on all changes, the last ones, or fading ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibt.hedging.ratios.interval import bandwidth, quantile
from sibt.hedging.ratios.pair import LEAST, Pair, RatioError

__all__ = ["STILL", "Fit", "ewma", "min_variance", "moving", "naive", "removed", "rolling", "slope"]

FloatArray = NDArray[np.float64]


#: Moves smaller than this share of a price are rounding.
STILL = 1e-9


class Fit(NamedTuple):
    """What an estimator finds: tonnes of futures for a tonne of spot.

    `low` and `high` are a 95 % interval, NaN where the method has none; `r2` is the share of the
    variance of the spot's changes the ratio takes away in the sample (NaN where unknown).
    """

    ratio: float
    low: float
    high: float
    r2: float
    observations: int
    note: str


def naive(pair: Pair, k: int) -> Fit:
    """Return one for one, which nothing is needed for; `r2` where there are changes."""
    spot, futures = pair.changes(k)
    return Fit(1.0, math.nan, math.nan, removed(spot, futures, 1.0), len(spot), "not estimated")


def min_variance(pair: Pair, k: int) -> Fit:
    """Return the ratio that leaves the least variance, ``cov(ΔS, ΔF) / var(ΔF)``.

    Johnson (1960), Review of Economic Studies 27(3), 139; Ederington (1979), Journal of Finance
    34(1), 157. The constant is a drift; changes overlap. The note says what the ratio is over
    changes four times as long, where there are enough of them: above the interval, the spot quote
    follows the futures only later, and the ratio is too small for a hedge held longer.
    """
    spot, futures = moving(pair, k)
    fit = slope(spot, futures, k)
    longer = pair.changes(4 * k)
    if len(longer[0]) < LEAST or np.ptp(longer[1]) <= STILL * np.abs(pair.futures).max():
        return fit
    ratio = slope(*longer, 4 * k).ratio
    sticky = ": the spot quote follows later" if ratio > fit.high else ""
    return fit._replace(note=f"{fit.note}; over {4 * k} quoted sessions {ratio:.2f}{sticky}")


def rolling(pair: Pair, k: int, window: int) -> Fit:
    """Return `min_variance` on the last `window` changes (all, where there are fewer)."""
    spot, futures = moving(pair, k, last=window)
    return slope(spot, futures, k)


def ewma(pair: Pair, k: int, decay: float) -> Fit:
    """Return the ratio of exponentially weighted moments about zero.

    ``Σ λ^(n−i) ΔS ΔF / Σ λ^(n−i) ΔF²``: RiskMetrics (1996), Technical Document, 4th edition, ch. 5.
    The interval takes ``(1 + λ) / (1 − λ)`` for the number of observations, or fewer where there
    are fewer.
    """
    from statsmodels.regression.linear_model import WLS

    spot, futures = moving(pair, k)
    weights = decay ** np.arange(len(spot) - 1, -1, -1.0)
    # The number of equally weighted observations whose mean is as uncertain.
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    width = bandwidth(effective, k)
    fitted = WLS(spot, futures, weights=weights).fit(
        cov_type="HAC", cov_kwds={"maxlags": width - 1}
    )
    ratio = float(fitted.params[0])
    reach = quantile(width / effective) * float(fitted.bse[0])
    left = float(weights @ (spot - ratio * futures) ** 2)
    before = float(weights @ spot**2)
    return Fit(
        ratio, ratio - reach, ratio + reach, 1.0 - left / before if before > 0 else math.nan,
        len(spot), f"decay {decay:g}, which weighs like {effective:.0f} changes",
    )


def slope(spot: ArrayLike, futures: ArrayLike, k: int = 1, *also: ArrayLike) -> Fit:
    """Regress changes of spot on changes of futures, with an interval that knows of overlaps.

    Ordinary least squares with a constant and Newey and West's (1987, Econometrica 55, 703)
    standard error; bandwidth and quantile of `sibt.hedging.ratios.interval`. In 400 simulations
    each of normal, heavy-tailed and clustered changes with a fixed or mean-reverting basis, the
    95 % interval held the truth in 93–96 % with k = 1 and 120 to 500 sessions, in 91–95 % with
    k = 5; with 60 sessions in 91–94 % and 87–89 %.

    Parameters
    ----------
    spot, futures : array of shape (m,)
        Changes over `k` sessions, however few; yuan per tonne.
    k : int
        Sessions a change spans, where consecutive ones overlap.
    *also : array of shape (m,)
        Further regressors.

    Returns
    -------
    Fit
        The coefficient of `futures`.
    """
    from statsmodels.regression.linear_model import OLS

    y, x = np.asarray(spot, dtype=float), np.asarray(futures, dtype=float)
    columns = np.column_stack([np.ones(len(y)), x, *(np.asarray(c, dtype=float) for c in also)])
    width = bandwidth(len(y), k)
    fitted = OLS(y, columns).fit(cov_type="HAC", cov_kwds={"maxlags": width - 1})
    ratio = float(fitted.params[1])
    reach = quantile(width / len(y)) * float(fitted.bse[1])
    return Fit(
        ratio, ratio - reach, ratio + reach, removed(y, x, ratio), len(y),
        f"interval with {width - 1} lags",
    )


def removed(spot: FloatArray, futures: FloatArray, ratio: float) -> float:
    """Return the share of variance a ratio takes away, ``1 − var(ΔS − h ΔF) / var(ΔS)``.

    Ederington (1979). NaN where the spot does not move; negative where the hedge adds variance.
    """
    before = float(np.var(spot)) if len(spot) else 0.0
    return 1.0 - float(np.var(spot - ratio * futures)) / before if before > 0.0 else math.nan


def moving(
    pair: Pair, k: int, least: int = LEAST, *, apart: bool = False, last: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return changes over `k` quoted sessions, of which there are enough and which differ.

    They overlap, unless `apart` asks for those that do not; `last` takes so many of them.

    Raises
    ------
    RatioError
        Fewer than `least` changes; or the futures or the spot do not move.
    """
    spot, futures = pair.every(k).changes(1) if apart else pair.changes(k)
    kind = " that do not overlap" if apart and k > 1 else ""
    pair.need(len(spot), f"changes over {k} quoted sessions{kind}", least)
    if last is not None:
        spot, futures = spot[-last:], futures[-last:]
    for name, what, level in (("futures", futures, pair.futures), ("spot", spot, pair.spot)):
        if np.ptp(what) <= STILL * np.abs(level).max():
            raise RatioError(
                f"The {name} price does not move in the {len(what)} changes up to"
                f" {pair.sessions[-1]:%Y-%m-%d}, so that no ratio is defined; bring quotes that"
                " move, or hedge one for one (method='naive').",
                f"{name} does not move",
            )
    return spot, futures
