"""Ratios of the next change from GARCH variances, with a constant or a moving correlation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibt.errors import SettingError
from sibt.hedging.ratios.least_squares import Fit, moving, removed
from sibt.hedging.ratios.pair import Pair, RatioError

__all__ = ["LEAST_GARCH", "ccc", "correlation", "dcc"]

FloatArray = NDArray[np.float64]

#: Changes below which no GARCH is fitted: its three parameters live on how calm and stormy
#: stretches take turns, and shorter samples hold hardly one turn.
LEAST_GARCH = 100

#: Where the search for the two parameters of the correlation begins.
_STARTS = ((0.02, 0.95), (0.05, 0.90), (0.10, 0.70))


def ccc(pair: Pair, k: int) -> Fit:
    """Return ``ρ σ_S / σ_F`` with the variances of the next change and a constant correlation.

    Bollerslev (1990), Review of Economics and Statistics 72(3), 498: GARCH(1, 1) of each price's
    changes in yuan, ρ the correlation of their standardised errors. Changes are those of every
    k-th quoted session, for overlapping ones have a memory that is no GARCH. No interval.

    Raises
    ------
    RatioError
        Fewer than `LEAST_GARCH` changes, prices that do not move, or no fit.
    SettingError
        The library arch is not installed.
    """
    spot, futures, deviations, errors = _marginals(pair, k)
    rho = float(np.corrcoef(errors[:, 0], errors[:, 1])[0, 1])
    return _fit(rho, deviations, spot, futures, f"correlation {rho:.2f}")


def dcc(pair: Pair, k: int) -> Fit:
    """Return ``ρ σ_S / σ_F`` of the next change where the correlation moves too.

    Engle (2002), Journal of Business & Economic Statistics 20(3), 339: GARCH(1, 1) of each
    price's changes in yuan, then ``Q_t = (1 − a − b) Q̄ + a z z′ + b Q_{t−1}`` by quasi maximum
    likelihood. Else as `ccc`, with the same errors.
    """
    spot, futures, deviations, errors = _marginals(pair, k)
    rho, a, b = correlation(errors)
    note = f"correlation {rho[-1]:.2f}, a = {a:.3f}, b = {b:.3f}"
    return _fit(float(rho[-1]), deviations, spot, futures, note)


def correlation(errors: FloatArray) -> tuple[FloatArray, float, float]:
    """Return the moving correlation of two standardised series, and its two parameters.

    The second step of Engle (2002), Q̄ being the second moments of the errors.

    Parameters
    ----------
    errors : ndarray of shape (n, 2)
        Standardised.

    Returns
    -------
    rho : ndarray of shape (n + 1,)
        The correlation before each pair of errors, and of the one to come.
    a, b : float
        Weight of the news and of the past, ``a, b ≥ 0``, ``a + b < 1``.
    """
    from scipy.optimize import minimize

    def unlikely(ab: FloatArray) -> float:
        rho = _correlations(errors, float(ab[0]), float(ab[1]))[:-1]
        x, y = errors.T
        rest = 1.0 - rho**2
        return 0.5 * float(np.mean(np.log(rest) + (x * x + y * y - 2.0 * rho * x * y) / rest))

    found = [
        minimize(
            unlikely, start, method="SLSQP", bounds=((0.0, 0.5), (0.0, 0.998)),
            constraints={"type": "ineq", "fun": lambda ab: 0.999 - ab[0] - ab[1]},
        ).x
        for start in _STARTS
    ]
    a, b = (float(each) for each in min([*found, np.zeros(2)], key=unlikely))
    return _correlations(errors, a, b), a, b


def _correlations(errors: FloatArray, a: float, b: float) -> FloatArray:
    from scipy.signal import lfilter

    x, y = errors.T
    products = np.stack([x * x, y * y, x * y])
    mean = products.mean(axis=1, keepdims=True)
    # Q less its mean is a first-order filter of the products less theirs, from zero.
    moved = lfilter([0.0, a], [1.0, -b], np.pad(products - mean, ((0, 0), (0, 1))), axis=1)
    q = mean + moved
    rho: FloatArray = q[2] / np.sqrt(q[0] * q[1])
    return np.clip(rho, -0.9999, 0.9999)


def _marginals(pair: Pair, k: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return changes of spot and futures, their next standard deviations, and their errors."""
    fit = _arch()
    spot, futures = moving(pair, k, LEAST_GARCH, apart=True)
    deviations, errors = [], []
    for name, changes in (("spot", spot), ("futures", futures)):
        size = float(changes.std())
        fitted = fit(
            changes / size, mean="Constant", vol="GARCH", p=1, q=1, dist="normal", rescale=False
        ).fit(disp="off", show_warning=False)
        ahead = float(fitted.forecast(horizon=1, reindex=False).variance.iloc[-1, 0])
        z = np.asarray(fitted.std_resid, dtype=float)
        if fitted.convergence_flag != 0 or not (ahead > 0.0 and np.isfinite(z).all()):
            raise RatioError(
                f"GARCH of the {name} changes up to {pair.sessions[-1]:%Y-%m-%d} does not"
                " converge; give a longer history or another k, or use method='min_variance'.",
                "no fit",
            )
        deviations.append(size * math.sqrt(ahead))
        errors.append(z)
    return spot, futures, np.array(deviations), np.column_stack(errors)


def _fit(
    rho: float, deviations: FloatArray, spot: FloatArray, futures: FloatArray, note: str
) -> Fit:
    ratio = rho * float(deviations[0] / deviations[1])
    return Fit(ratio, math.nan, math.nan, removed(spot, futures, ratio), len(spot), note)


def _arch() -> Any:
    try:
        from arch import arch_model
    except ImportError:
        raise SettingError(
            "The methods ccc and dcc need the library arch; in sibt's folder, pip install -e"
            " '.[garch]'"
        ) from None
    return arch_model
