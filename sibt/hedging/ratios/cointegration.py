"""Ratios that know spot and futures are drawn together: error correction, alone and as a system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sibt.hedging.ratios.least_squares import STILL, Fit, moving, removed, slope
from sibt.hedging.ratios.pair import Pair, RatioError

__all__ = ["error_correction", "vecm"]

FloatArray = NDArray[np.float64]

#: Lagged changes of the system, as many as of the single equation.
_LAGS = 1


def error_correction(pair: Pair, k: int) -> Fit:
    """Return the ratio from changes that first allow for the basis pulling back.

    ``ΔS = a + g e₋₁ + h ΔF + c ΔS₋₁ + d ΔF₋₁``, e what spot stood above ``b₀ + b₁ F`` (Engle and
    Granger's 1987 two steps, Econometrica 55, 251); Ghosh (1993), Journal of Futures Markets
    13(7), 743. Where futures move towards spot too, plain least squares takes the pull for part
    of the ratio. Each contract has its own b₀, for the basis jumps at a roll. With k sessions e
    and the lagged changes are those known when the change began. In 400 simulations each of 120,
    250 and 500 sessions the 95 % interval held the truth in 94–96 % with k = 1, in 86–90 % with 5.

    Parameters
    ----------
    pair : Pair
        Prices.
    k : int
        Sessions a change spans.

    Raises
    ------
    RatioError
        Fewer than `LEAST` changes with one before them, prices that do not move, or spot and
        futures that move in step, which leaves nothing to correct.
    """
    moving(pair, k)
    at = pair.ends(2 * k)
    pair.need(len(at), f"changes over {k} quoted sessions with one before them")
    then = at - k
    known = (
        _above(pair)[then],
        pair.spot[then] - pair.spot[then - k],
        pair.futures[then] - pair.futures[then - k],
    )
    futures = pair.futures[at] - pair.futures[then]
    columns = np.column_stack([np.ones(len(at)), futures, *known])
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise _nothing(pair, "error_correction")
    fit = slope(pair.spot[at] - pair.spot[then], futures, k, *known)
    return fit._replace(note=f"{fit.note}; {_together(pair)}")


def vecm(pair: Pair, k: int) -> Fit:
    """Return ``cov(u_S, u_F) / var(u_F)`` of the errors of a vector error correction model.

    Johansen's (1988, Journal of Economic Dynamics and Control 12, 231) maximum likelihood with
    one lagged change; Kroner and Sultan (1993), Journal of Financial and Quantitative Analysis
    28(4), 535. It takes every k-th quoted session, as overlapping changes are no such model. Each
    contract has its own constant within the relation, and the two observations after a roll are
    dummied out: Johansen, Mosconi and Nielsen (2000), Econometrics Journal 3(2), 216.

    Parameters
    ----------
    pair : Pair
        Prices.
    k : int
        Sessions between two observations.

    Raises
    ------
    RatioError
        Fewer than `LEAST` observations, prices that do not move, or spot and futures that move
        in step, which leaves the model nothing to estimate.
    """
    from statsmodels.tsa.vector_ar.vecm import VECM

    spot, futures = moving(pair, k, apart=True)
    thin = _long_enough(pair.every(k), _LAGS + 2)
    rolls = np.flatnonzero(np.diff(thin.stretch)) + 1
    total = len(thin.spot)
    # A roll stands in an observation's own change, then in its lagged ones.
    struck = np.unique(np.add.outer(rolls, np.arange(_LAGS + 1)).ravel()).astype(int)
    pulses = np.zeros((total, len(struck)))
    pulses[struck, np.arange(len(struck))] = 1.0
    steps = (np.arange(total)[:, None] >= rolls).astype(float)
    used = np.ones(total, dtype=bool)
    used[: _LAGS + 1] = False
    used[struck] = False
    thin.need(int(used.sum()), f"observations {k} quoted sessions apart, with two before them,")
    _above(thin)
    try:
        errors = VECM(
            np.column_stack([thin.spot, thin.futures]),
            exog=pulses if len(rolls) else None,
            exog_coint=steps if len(rolls) else None,
            k_ar_diff=_LAGS,
            coint_rank=1,
            deterministic="co",
        ).fit().resid[used[_LAGS + 1 :]]
        fit = slope(errors[:, 0], errors[:, 1])
    except np.linalg.LinAlgError:
        raise _nothing(thin, "vecm") from None
    return fit._replace(
        r2=removed(spot, futures, fit.ratio), note=f"{k} quoted session(s) apart; {_together(thin)}"
    )


def _above(pair: Pair) -> FloatArray:
    """Return what spot stood above ``b₀ + b₁ F``, with a b₀ for each contract."""
    from statsmodels.regression.linear_model import OLS

    own = (pair.stretch[:, None] == np.unique(pair.stretch)).astype(float)
    above: FloatArray = OLS(pair.spot, np.column_stack([pair.futures, own])).fit().resid
    if np.ptp(above) <= STILL * np.abs(pair.spot).max():
        raise _nothing(pair, "error correction")
    return above


def _nothing(pair: Pair, method: str) -> RatioError:
    return RatioError(
        f"Spot and futures up to {pair.sessions[-1]:%Y-%m-%d} move in step or hardly at all, which"
        f" leaves {method} nothing to estimate; use method='min_variance'.",
        "no fit",
    )


def _long_enough(pair: Pair, least: int) -> Pair:
    """Return the pair without contracts of fewer than `least` observations."""
    numbers, counts = np.unique(pair.stretch, return_counts=True)
    keep = np.isin(pair.stretch, numbers[counts >= least])
    return Pair(pair.sessions[keep], pair.spot[keep], pair.futures[keep], pair.stretch[keep])


def _together(pair: Pair) -> str:
    """Return in words whether spot and futures are cointegrated, where a test can say."""
    from statsmodels.tsa.stattools import coint

    contracts = len(np.unique(pair.stretch))
    if contracts > 1:
        return f"a constant for each of {contracts} contracts"
    chance = float(coint(pair.spot, pair.futures, autolag="bic")[1])
    shown = "cointegrated" if chance < 0.05 else "not shown to be cointegrated"
    return f"{shown} (Engle-Granger p = {chance:.2f})"
