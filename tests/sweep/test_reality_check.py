"""White's reality check: enumerated, against arch, and what it says of noise and of an edge."""

import math
from itertools import product

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap
from noise import cuts, fed, noise, sweep, worked

from sibt.sweep.reality_check import RealityCheck, stationary_weights


def check(returns, **how):
    """Return the reality check of returns in one go."""
    return fed(RealityCheck(stationary_weights(len(returns), **how)), returns).result()


def counted(indices, sessions):
    """Return weights from drawn sessions."""
    return np.array([np.bincount(row, minlength=sessions) for row in indices])


def test_g15_enumerated():
    case = worked("g15")
    returns = np.array(case["inputs"]["d_rows_time_cols_strategies"], float)
    block, expected = case["inputs"]["block"], case["expected"]
    drawn = [
        [(start + step) % 6 for start in starts for step in range(block)]
        for starts in product(range(6), repeat=3)
    ]
    found = fed(RealityCheck(counted(drawn, 6)), returns).result()
    assert len(found.maxima) == expected["resamples"]
    assert f"{found.statistic / math.sqrt(6):.6f}" == expected["V"]
    assert found.chance == expected["count_gt"] / expected["resamples"]
    assert np.sum(found.maxima >= found.statistic) == expected["count_ge"]


def test_a_replication_that_comes_out_as_the_data_did_is_not_above_them():
    found = fed(RealityCheck([[1, 1], [2, 0]]), np.array([[0.01], [-0.01]])).result()
    assert found.statistic == 0.0
    assert found.chance == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_arch_finds_the_same_with_the_same_draws(seed):
    returns = noise(80, 12, seed, edge=0.1)
    theirs = SPA(np.zeros(80), -returns, block_size=8, reps=300, studentize=False, seed=seed)
    theirs.compute()
    draws = StationaryBootstrap(8, np.arange(80), seed=seed).bootstrap(300)
    weights = counted([data[0][0] for data in draws], 80)
    found = fed(RealityCheck(weights), returns).result()
    assert found.chance == theirs.pvalues["upper"]
    ours = np.percentile(found.maxima, 90) / math.sqrt(80)
    assert ours == pytest.approx(theirs.critical_values(0.1)["upper"], abs=1e-11)


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e7])
def test_resampling_one_by_one_finds_the_same(scale):
    # Returns of many times the capital leave the range of exact sums.
    returns = sweep(31, 15, 4) * scale
    returns = returns[:, returns.any(axis=0)]
    indices = np.random.default_rng(4).integers(0, 31, (100, 31))
    found = fed(RealityCheck(counted(indices, 31)), returns).result()
    mean = returns.mean(axis=0)
    maxima = [max(returns[row].mean(axis=0) - mean) for row in indices]
    np.testing.assert_allclose(found.maxima, np.multiply(maxima, 31**0.5), rtol=1e-9, atol=1e-11)
    assert found.statistic == pytest.approx(mean.max() * 31**0.5, rel=1e-9, abs=1e-11)
    assert found.chance == np.mean(np.array(maxima) > mean.max())


class TestStationaryWeights:
    def test_every_replication_draws_all_its_sessions_each_as_often(self):
        weights = stationary_weights(40, 5000, block=5, seed=1)
        assert (weights.sum(axis=1) == 40).all()
        np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.07)

    def test_the_variance_of_the_mean_is_that_of_politis_and_romano(self):
        returns = np.convolve(noise(130, 1, 2)[:, 0], [1, 0.8, 0.5], "valid")
        count, stop = len(returns), 1 / 6
        away = returns - returns.mean()
        variance = (away @ away) / count
        for lag in range(1, count):
            share = lag / count
            kept = (1 - share) * (1 - stop) ** lag + share * (1 - stop) ** (count - lag)
            variance += 2 * kept * (away[:-lag] @ away[lag:]) / count
        means = stationary_weights(count, 20_000, block=6, seed=3) @ returns / count
        assert means.var() * count == pytest.approx(variance, rel=0.05)

    def test_blocks_of_one_session_are_independent_draws(self):
        returns = noise(50, 1, 2)[:, 0]
        means = stationary_weights(50, 20_000, block=1, seed=3) @ returns / 50
        assert means.var() * 50 == pytest.approx(returns.var(), rel=0.05)

    def test_a_seed_draws_the_same_again(self):
        np.testing.assert_array_equal(stationary_weights(30, 9), stationary_weights(30, 9))
        assert (stationary_weights(30, 9) != stationary_weights(30, 9, seed=1)).any()

    def test_what_makes_no_sense_is_refused(self):
        with pytest.raises(ValueError, match=r"blocks of 0\.5 sessions; give 1 or more"):
            stationary_weights(30, 9, block=0.5)
        with pytest.raises(ValueError, match="cannot draw -1 sessions"):
            stationary_weights(-1)
        with pytest.raises(ValueError, match="draws 3 sessions"):
            RealityCheck([[1, 1, 2]])
        with pytest.raises(ValueError, match="whole numbers"):
            RealityCheck([[0.5, 1.5]])
        with pytest.raises(ValueError, match="1 dimensions"):
            RealityCheck([1, 1])


@pytest.mark.parametrize("scale", [1.0, 1e7])
@pytest.mark.parametrize("seed", range(3))
def test_neither_chunks_nor_the_order_of_columns_change_a_bit(seed, scale):
    returns = sweep(333, 1200, seed)
    returns[:, ::5] *= scale
    weights = stationary_weights(333, 50, seed=seed)
    found = fed(RealityCheck(weights), returns).result()
    order = np.random.default_rng(seed).permutation(1200)
    merged = fed(RealityCheck(weights), returns[:, 700:])
    merged.merge(fed(RealityCheck(weights), returns[:, :700]))
    for other in (
        fed(RealityCheck(weights), returns, cuts(1200, seed)).result(),
        fed(RealityCheck(weights), returns[:, order], cuts(1200, seed + 1)).result(),
        merged.result(),
    ):
        assert (other.statistic, other.chance) == (found.statistic, found.chance)
        assert other.tally == found.tally
        np.testing.assert_array_equal(other.maxima, found.maxima)
    with pytest.raises(ValueError, match="cannot be merged"):
        merged.merge(RealityCheck(stationary_weights(333, 50, seed=seed + 1)))


def test_p_values_of_noise_are_about_uniform():
    chances = [
        check(noise(480, 20, seed), replications=200, block=5, seed=seed).chance
        for seed in range(300)
    ]
    # Kolmogorov-Smirnov at 1 %: 1.63 / √300.
    ordered = np.sort(chances)
    assert np.abs(ordered - (np.arange(300) + 0.5) / 300).max() < 0.094
    assert 0.02 <= np.mean(ordered < 0.05) <= 0.09


def test_a_planted_edge_is_seen_among_many():
    for seed in range(10):
        assert check(noise(480, 200, seed, edge=0.3), replications=200).chance < 0.05


def test_a_copy_of_a_set_changes_nothing():
    returns = noise(60, 5, 1)
    once, twice = check(returns), check(np.hstack([returns, returns[:, [2]]]))
    assert (once.statistic, once.chance) == (twice.statistic, twice.chance)


@pytest.mark.parametrize(
    "returns", [np.zeros((50, 3)), np.full((50, 3), np.nan), np.zeros((50, 0)), np.zeros((0, 3))]
)
def test_sets_that_never_trade_prove_nothing(returns):
    found = check(returns, replications=20)
    assert math.isnan(found.statistic)
    assert math.isnan(found.chance)
    assert len(found.maxima) == 0


def test_idle_sets_and_sets_with_gaps_are_left_out_and_counted():
    returns = noise(50, 3, 1)
    more = np.hstack([returns, np.zeros((50, 2)), np.full((50, 1), np.nan)])
    assert check(more).chance == check(returns).chance
    tally = check(more).tally
    assert (tally.used, tally.flat, tally.unknown) == (3, 2, 1)
    assert math.isnan(check(returns, replications=0).chance)
