"""A ratio that drifts: the slope of a regression as a random walk, by the Kalman filter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibt.hedging.ratios.interval import NORMAL
from sibt.hedging.ratios.least_squares import Fit, moving, removed
from sibt.hedging.ratios.pair import Pair

__all__ = ["kalman"]

FloatArray = NDArray[np.float64]

#: Variances of a step of the ratio that are tried, as shares of the error's, in tens; the
#: lowest is a ratio that stands still, which is ordinary least squares.
_SHARES = np.linspace(-9.0, 1.0, 21)


def kalman(pair: Pair, k: int) -> Fit:
    """Return the ratio of the next change where ratios drift.

    ``ΔS = a + h_t ΔF + e``, ``h_t = h_{t−1} + w``: Harvey (1989), Forecasting, Structural Time
    Series Models and the Kalman Filter, ch. 3. The variance of w is found by maximum likelihood,
    that of e is concentrated out, and the start is diffuse. It takes changes over every k-th
    quoted session, which do not overlap. The interval is for the ratio of the next change and
    takes the variances for known.

    Parameters
    ----------
    pair : Pair
        Prices.
    k : int
        Sessions a change spans.

    Raises
    ------
    RatioError
        Fewer than `LEAST` changes, or prices that do not move.
    """
    from scipy.optimize import minimize_scalar

    spot, futures = moving(pair, k, apart=True)
    # In units of their own size, so that one range of variances serves all.
    sizes = float(spot.std()), float(futures.std())
    y, x = spot / sizes[0], futures / sizes[1]

    def unlikely(power: float) -> float:
        return -float(_filter(y, x, 10.0**power).loglike())

    # The likelihood may be flat towards zero or have two tops: look everywhere first.
    rough = float(min(_SHARES, key=unlikely))
    step = float(_SHARES[1] - _SHARES[0])
    found = float(
        minimize_scalar(unlikely, bounds=(rough - step, rough + step), method="bounded").x
    )
    best = min((found, rough), key=unlikely)
    done = _filter(y, x, 10.0**best).filter()
    unit = sizes[0] / sizes[1]
    ratio = float(done.predicted_state[1, -1]) * unit
    reach = NORMAL * math.sqrt(float(done.predicted_state_cov[1, 1, -1])) * unit
    drift = math.sqrt(10.0**best * float(done.scale)) * unit
    return Fit(
        ratio, ratio - reach, ratio + reach, removed(spot, futures, ratio), len(spot),
        f"from change to change the ratio drifts by {drift:.3f}",
    )


def _filter(y: FloatArray, x: FloatArray, share: float) -> Any:
    """Return the filter whose ratio steps with `share` of the error's variance."""
    from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

    model = KalmanFilter(k_endog=1, k_states=2, k_posdef=1)
    model.bind(y)
    model["design"] = np.stack([np.ones(len(x)), x])[None]
    model["transition"] = np.eye(2)
    model["selection"] = np.array([[0.0], [1.0]])
    model["obs_cov"] = np.eye(1)
    model["state_cov"] = np.array([[share]])
    model.initialize_diffuse()
    model.filter_concentrated = True
    return model
