import sys

import numpy as np
import pytest
from pairs import pair, series

from sibt.errors import SettingError
from sibt.hedging.ratios import garch as module
from sibt.hedging.ratios.garch import LEAST_GARCH, ccc, correlation, dcc
from sibt.hedging.ratios.pair import RatioError


def errors_of(seed, n=1500, a=0.05, b=0.92, mean=0.7):
    """Return errors whose correlation moves as Engle's, and that correlation with the next."""
    generator = np.random.default_rng(seed)
    target = np.array([[1.0, mean], [mean, 1.0]])
    q = target.copy()
    z, rho = np.zeros((n, 2)), np.zeros(n + 1)
    for t in range(n + 1):
        size = np.sqrt(np.diag(q))
        rho[t] = q[0, 1] / size[0] / size[1]
        if t == n:
            return z, rho
        z[t] = np.linalg.cholesky(q / np.outer(size, size)) @ generator.standard_normal(2)
        q = (1 - a - b) * target + a * np.outer(z[t], z[t]) + b * q
    raise AssertionError


def prices_of(z, rho):
    """Return prices whose changes are GARCH(1, 1) of the errors, and the true next ratio."""
    def changes(errors, size):
        variance, rises = 1.0, np.zeros(len(errors))
        for t, error in enumerate(errors):
            rises[t] = np.sqrt(variance) * error
            variance = 0.05 + 0.08 * rises[t] ** 2 + 0.87 * variance
        return size * rises, size * np.sqrt(variance)

    spot, spot_next = changes(z[:, 0], 90.0)
    futures, futures_next = changes(z[:, 1], 140.0)
    flat = np.zeros(1)
    levels = (20_000 + np.cumsum(np.append(flat, spot)), 20_000 + np.cumsum(
        np.append(flat, futures)))
    return pair(*series(*levels)), rho[-1] * spot_next / futures_next


def test_the_correlation_is_engles_recursion():
    z, _ = errors_of(1, n=200)
    a, b = 0.07, 0.85
    mean = z.T @ z / len(z)
    q = mean.copy()
    expected = []
    for error in [*z, None]:
        expected.append(q[0, 1] / np.sqrt(q[0, 0] * q[1, 1]))
        if error is not None:
            q = (1 - a - b) * mean + a * np.outer(error, error) + b * q
    np.testing.assert_allclose(module._correlations(z, a, b), expected)


def test_the_two_parameters_and_the_path_of_the_correlation_are_found():
    # Over eight draws of 2,000: a in 0.045–0.065, b in 0.87–0.93, paths correlate above 0.97.
    for seed in range(3):
        z, rho = errors_of(seed)
        found, a, b = correlation(z)
        assert 0.02 < a < 0.09
        assert 0.82 < b < 0.97
        assert np.corrcoef(found, rho)[0, 1] > 0.9
        constant = np.corrcoef(z.T)[0, 1]
        assert np.abs(found - rho).mean() < 0.5 * np.abs(constant - rho).mean()


def test_dcc_finds_the_ratio_of_the_next_change_better_than_a_constant_correlation():
    off = []
    for seed in range(8):
        prices, true = prices_of(*errors_of(seed, n=700, a=0.10, b=0.85))
        off.append([dcc(prices, 1).ratio / true - 1, ccc(prices, 1).ratio / true - 1])
    moving, constant = np.sqrt(np.mean(np.square(off), axis=0))
    assert moving < 0.12
    assert moving < constant


def test_ccc_is_the_correlation_of_errors_times_the_volatilities_arch_forecasts():
    from arch import arch_model

    prices, true = prices_of(*errors_of(3, n=700, a=0.0, b=0.0))
    changes = prices.changes(1)
    ahead, errors = [], []
    for each in changes:
        fitted = arch_model(each / 100, vol="GARCH", p=1, q=1, rescale=False).fit(disp="off")
        ahead.append(np.sqrt(fitted.forecast(horizon=1).variance.iloc[-1, 0]))
        errors.append(fitted.std_resid)
    expected = np.corrcoef(errors)[0, 1] * ahead[0] / ahead[1]
    fit = ccc(prices, 1)
    assert fit.ratio == pytest.approx(expected, rel=1e-3)
    assert fit.ratio == pytest.approx(true, rel=0.1)
    assert np.isnan([fit.low, fit.high]).all()


@pytest.mark.parametrize("method", [ccc, dcc])
def test_a_short_sample_is_no_garch(method):
    prices, _ = prices_of(*errors_of(1, n=LEAST_GARCH - 1))
    with pytest.raises(RatioError, match=r"99 changes .* takes 100"):
        method(prices, 1)


@pytest.mark.parametrize("method", [ccc, dcc])
def test_without_arch_it_says_how_to_get_it(method, monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    prices, _ = prices_of(*errors_of(1, n=200))
    with pytest.raises(SettingError, match=r"pip install -e '\.\[garch\]'"):
        method(prices, 1)
