"""The effective number of trials from the mean pairwise correlation."""

import math

import numpy as np
import pytest
from noise import cuts, fed, noise, sweep

from sibt.sweep.effective import EffectiveTrials


def effective(returns):
    """Return the accumulator fed in one go."""
    return fed(EffectiveTrials(len(returns)), returns)


@pytest.mark.parametrize(("sessions", "sets"), [(20, 2), (33, 7), (90, 40)])
def test_the_mean_correlation_is_that_of_all_pairs(sessions, sets):
    returns = sweep(sessions, sets, sets)
    found = effective(returns)
    kept = returns[:, ~np.isnan(returns).any(axis=0) & returns.any(axis=0)]
    whole = np.corrcoef(kept, rowvar=False)
    count = kept.shape[1]
    mean = np.mean([whole[one, two] for one in range(count) for two in range(one)])
    assert found.tally.used == count
    assert found.correlation() == pytest.approx(mean, abs=1e-8)
    clipped = max(mean, 0.0)
    assert found.trials() == pytest.approx(clipped + (1 - clipped) * count, rel=1e-7)


def test_copies_are_one_trial_and_strangers_are_many():
    column = noise(100, 1, 1)
    copies = effective(column * np.linspace(0.5, 3, 50))
    assert copies.correlation() == pytest.approx(1.0, abs=1e-8)
    assert copies.trials() == pytest.approx(1.0, abs=1e-6)
    assert effective(noise(2000, 50, 2)).trials() == pytest.approx(50, rel=0.02)


def test_opposites_are_two_trials():
    column = noise(100, 1, 1)
    found = effective(np.hstack([column, -column]))
    assert found.correlation() == pytest.approx(-1.0, abs=1e-8)
    assert found.trials() == 2.0


@pytest.mark.parametrize("seed", range(3))
def test_neither_chunks_nor_the_order_of_columns_change_a_bit(seed):
    returns = sweep(333, 1200, seed)
    found = effective(returns)
    order = np.random.default_rng(seed).permutation(1200)
    merged = effective(returns[:, 700:])
    merged.merge(effective(returns[:, :700]))
    for other in (
        fed(EffectiveTrials(333), returns, cuts(1200, seed)),
        fed(EffectiveTrials(333), returns[:, order], cuts(1200, seed + 1)),
        merged,
    ):
        assert other.correlation() == found.correlation()
        assert other.trials() == found.trials()
        assert other.tally == found.tally
    with pytest.raises(ValueError, match="cannot be merged"):
        merged.merge(EffectiveTrials(334))


@pytest.mark.parametrize("returns", [np.zeros((9, 2)), np.full((9, 2), np.nan), np.zeros((0, 4))])
def test_without_variance_there_is_no_trial(returns):
    found = effective(returns)
    assert math.isnan(found.correlation())
    assert found.trials() == 0.0


def test_one_set_is_one_trial_whatever_idles_beside_it():
    found = effective(np.hstack([noise(50, 1, 1), np.zeros((50, 9))]))
    assert found.trials() == 1.0
    assert math.isnan(found.correlation())
    assert found.tally.flat == 9
