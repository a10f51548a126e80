"""The block bootstrap: its draws, and how often its intervals hold the truth."""

import math

import numpy as np
import pytest

from sibt.hedging.bootstrap import block_of, interval, stationary_draws


def mean(drawn):
    return drawn[..., 0].mean(axis=-1)


def test_a_draw_goes_on_to_the_next_observation_until_a_block_begins():
    # A twin in plain Python, with the same random numbers.
    count, replications, block, seed = 17, 6, 4.0, 5
    generator = np.random.default_rng(seed)
    begins = generator.random((replications, count)) < 1 / block
    starts = generator.integers(0, count, size=(replications, count))
    expected = []
    for row in range(replications):
        drawn = []
        for at in range(count):
            begun = at == 0 or begins[row, at]
            drawn.append(int(starts[row, at]) if begun else (drawn[-1] + 1) % count)
        expected.append(drawn)
    assert stationary_draws(count, replications, block, seed).tolist() == expected


def test_blocks_are_of_the_mean_length_asked_for():
    drawn = stationary_draws(400, 500, 8.0, 1)
    goes_on = (drawn[:, 1:] - drawn[:, :-1]) % 400 == 1
    # A block that begins anew goes on by chance once in 400.
    assert goes_on.mean() == pytest.approx(1 - 1 / 8 + 1 / 8 / 400, abs=0.003)


def test_the_same_seed_draws_the_same_and_another_does_not():
    again = stationary_draws(30, 9, 3.0, 7)
    np.testing.assert_array_equal(stationary_draws(30, 9, 3.0, 7), again)
    assert (stationary_draws(30, 9, 3.0, 8) != again).any()


@pytest.mark.parametrize(("block", "count"), [(0.5, 3), (math.nan, 3), (2.0, -1)])
def test_blocks_and_counts_that_cannot_be_are_refused(block, count):
    with pytest.raises(ValueError, match=r"blocks of|cannot draw"):
        stationary_draws(count, 10, block, 0)


@pytest.mark.parametrize(
    ("count", "block"), [(0, 1), (1, 1), (2, 2), (8, 2), (9, 3), (27, 3), (28, 4), (1000, 10)]
)
def test_a_block_is_the_cube_root_rounded_up(count, block):
    assert block_of(count) == block


def test_columns_stay_together():
    x = np.random.default_rng(0).normal(size=40)
    low, high = interval(
        np.column_stack([x, 3 * x]), lambda d: (d[..., 1] - 3 * d[..., 0]).max(axis=-1),
        block=3, seed=0,
    )
    assert (low, high) == (0.0, 0.0)


@pytest.mark.parametrize("echo", [0.0, 0.5])
def test_nineteen_of_twenty_intervals_hold_the_mean_of_data_that_hang_together(echo):
    held = []
    for seed in range(150):
        noise = np.random.default_rng(seed).normal(size=420)
        x = noise.copy()
        for t in range(1, 420):
            x[t] += echo * x[t - 1]
        low, high = interval(x[20:, None], mean, block=12, seed=seed, replications=400)
        held.append(low < 0 < high)
    assert 0.88 <= np.mean(held) <= 0.99


def test_drawing_one_by_one_would_be_too_sure_of_data_that_hang_together():
    noise = np.random.default_rng(3).normal(size=600)
    x = np.convolve(noise, np.ones(10), "valid")[:, None]
    narrow, wide = (interval(x, mean, block=block, seed=0) for block in (1, 20))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_nothing_is_known_of_nothing_nor_where_most_draws_are_undefined():
    assert all(map(math.isnan, interval(np.zeros((0, 1)), mean, block=1, seed=0)))
    x = np.ones((10, 1))
    assert all(map(math.isnan, interval(x, lambda d: d[..., 0].mean(-1) * np.nan, block=1, seed=0)))
