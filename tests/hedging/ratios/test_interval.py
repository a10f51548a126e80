import numpy as np
import pytest

from sibt.hedging.ratios.interval import bandwidth, quantile


def test_lags_reach_over_all_overlaps():
    for n in (30, 60, 250, 1000):
        for k in (1, 2, 5, 10, 15):
            assert k - 1 <= bandwidth(n, k) - 1 < n


def test_the_bandwidth_is_the_recommended_one_where_changes_hardly_overlap():
    assert [bandwidth(n) for n in (100, 400, 900)] == [13, 26, 39]
    assert bandwidth(400, 20) == 40


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_the_quantile_is_that_of_a_mean_over_a_bartlett_error(share):
    # The t statistic of a mean of white noise, its error taken over this share of the data.
    generator = np.random.default_rng(3)
    n, runs = 400, 10_000
    noise = generator.standard_normal((runs, n))
    mean = noise.mean(axis=1)
    left = noise - mean[:, None]
    width = round(share * n)
    variance = (left * left).mean(axis=1)
    for lag in range(1, width):
        variance += 2 * (1 - lag / width) * (left[:, lag:] * left[:, :-lag]).sum(axis=1) / n
    t = np.abs(mean) * np.sqrt(n / variance)
    assert np.mean(t < quantile(share)) == pytest.approx(0.95, abs=0.007)
    # The normal quantile would not do.
    assert np.mean(t < 1.96) < 0.945


def test_without_a_bandwidth_the_quantile_is_normal():
    assert quantile(0.0) == pytest.approx(1.96, abs=1e-4)
