"""Sharpe ratios against luck: published examples, other libraries, and noise."""

import math

import numpy as np
import pytest
from noise import noise, worked
from vectorbt.returns import metrics as vectorbt

from sibt.sweep.luck import (
    deflated_sharpe,
    expected_maximum,
    minimum_backtest_years,
    minimum_track_record,
    most_trials,
    probabilistic_sharpe,
    spread,
)
from sibt.sweep.returns import moments

G12 = worked("g12")
GIVEN, EXPECTED = G12["inputs"], G12["expected"]


def as_printed(value, text):
    """Round a figure to the digits of a printed one."""
    return f"{value:.{len(text.split('.')[1])}f}" == text


class TestPublished:
    def test_g12_deflated_sharpe(self):
        case = GIVEN["DSR"]
        a_year = case["periods_per_year"]
        ratio = case["sr_annual"] / math.sqrt(a_year)
        across = math.sqrt(case["var_sr_annual"] / a_year)
        assert as_printed(expected_maximum(100, across), EXPECTED["SR0_N100_daily"])
        for trials, skew, kurtosis, key in (
            (100, case["skew"], case["kurt"], "DSR_N100"),
            (46, case["skew"], case["kurt"], "DSR_N46"),
            (88, 0, 3, "DSR_N88_normal"),
        ):
            found = deflated_sharpe(ratio, case["T"], skew, kurtosis, trials, across)
            assert as_printed(found, EXPECTED[key])

    def test_g12_probabilistic_sharpe(self):
        case = GIVEN["PSR"]
        of = case["sr_monthly"], case["T"]
        assert as_printed(probabilistic_sharpe(*of, 0, 3), EXPECTED["PSR_normal"])
        found = probabilistic_sharpe(*of, case["skew"], case["kurt"], case["sr_benchmark"])
        assert as_printed(found, EXPECTED["PSR_nonnormal"])

    def test_g12_expected_maximum_and_minimum_backtest_length(self):
        assert as_printed(expected_maximum(10), EXPECTED["EMAX_10"])
        assert as_printed(expected_maximum(100), EXPECTED["EMAX_100"])
        case = GIVEN["MinBTL"]
        found = minimum_backtest_years(case["N"], case["emax_target"])
        assert as_printed(found, EXPECTED["MinBTL_45_years"])

    @pytest.mark.parametrize(("years", "trials"), [(1, 3), (2, 7), (3, 13), (3.9, 23)])
    def test_so_many_trials_do_so_many_years_bear(self, years, trials):
        assert most_trials(years) == trials
        assert minimum_backtest_years(trials) <= years < minimum_backtest_years(trials + 1)


def test_vectorbt_deflates_alike():
    generator = np.random.default_rng(5)
    for _ in range(50):
        ratio, skew = generator.normal(0, 0.1), generator.normal()
        kurtosis = 1 + skew**2 + generator.exponential(3)
        sessions, trials = int(generator.integers(3, 2000)), int(generator.integers(2, 10**6))
        across = generator.exponential(0.05)
        theirs = vectorbt.deflated_sharpe_ratio(
            est_sharpe=ratio,
            var_sharpe=across**2,
            nb_trials=trials,
            backtest_horizon=sessions,
            skew=skew,
            kurtosis=kurtosis,
        )
        ours = deflated_sharpe(ratio, sessions, skew, kurtosis, trials, across)
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_the_expected_maximum_is_that_of_normal_draws():
    draws = np.random.default_rng(6).normal(size=(4000, 200)).max(axis=1)
    assert expected_maximum(200) == pytest.approx(draws.mean(), abs=0.03)


def test_the_best_of_noise_is_rarely_called_skill():
    called = 0
    for seed in range(200):
        found = moments(noise(240, 200, seed))
        best = int(found.sharpe.argmax())
        chance = deflated_sharpe(
            *(found.sharpe[best], 240, found.skew[best], found.kurtosis[best]),
            *(200, spread(found.sharpe)),
        )
        called += chance >= 0.95
    assert called <= 10


def test_a_planted_edge_is_called_skill():
    for seed in range(10):
        found = moments(noise(480, 200, seed, edge=0.35))
        best = int(found.sharpe.argmax())
        assert best == 0
        chance = deflated_sharpe(
            *(found.sharpe[0], 480, found.skew[0], found.kurtosis[0]),
            *(200, spread(found.sharpe)),
        )
        assert chance > 0.95


def test_more_trials_deflate_more():
    chances = [deflated_sharpe(0.1, 480, 0, 3, n, 0.04) for n in (1, 1.5, 2, 10, 1e3, 1e6, 1e12)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == probabilistic_sharpe(0.1, 480, 0, 3)
    assert chances[-1] < 0.05


def test_the_spread_is_that_of_a_sample():
    assert spread([0.1, 0.3, math.nan]) == pytest.approx(0.02**0.5)


def test_one_trial_needs_no_spread():
    assert math.isnan(spread([0.1, math.nan]))
    assert deflated_sharpe(0.1, 480, 0, 3, 1, math.nan) == probabilistic_sharpe(0.1, 480, 0, 3)
    assert expected_maximum(1.01) == 0.0
    assert minimum_backtest_years(1) == 0.0


def test_probabilities_of_many_sets_are_those_of_each():
    found = moments(noise(60, 5, 8))
    together = probabilistic_sharpe(found.sharpe, 60, found.skew, found.kurtosis, 0.01)
    each = zip(found.sharpe, found.skew, found.kurtosis, strict=True)
    assert together.tolist() == [probabilistic_sharpe(s, 60, g, k, 0.01) for s, g, k in each]


def test_the_track_record_is_long_enough_when_the_probability_says_so():
    long = minimum_track_record(0.1, -0.5, 5, benchmark=0.02, confidence=0.9)
    assert probabilistic_sharpe(0.1, long, -0.5, 5, 0.02) == pytest.approx(0.9, abs=1e-12)
    assert minimum_track_record(0.02, 0, 3, benchmark=0.02) == math.inf
    with pytest.raises(ValueError, match="confidence is 95"):
        minimum_track_record(0.1, 0, 3, confidence=95)


def test_what_cannot_be_known_is_nan():
    nan = math.nan
    for found in (
        probabilistic_sharpe(nan, 100, 0, 3),
        probabilistic_sharpe(0.1, 1, 0, 3),
        probabilistic_sharpe(0.1, 0, 0, 3),
        # A coin with a sure edge: SR 1, skewness 2, kurtosis 5 leave no error.
        probabilistic_sharpe(1.0, 100, 2, 5),
        deflated_sharpe(0.1, 100, 0, 3, 5, nan),
        deflated_sharpe(0.1, 100, 0, 3, 0, 0.1),
        expected_maximum(nan),
        minimum_backtest_years(5, 0),
        minimum_track_record(nan, 0, 3),
        spread([]),
    ):
        assert math.isnan(found)
