"""Probability of backtest overfitting by CSCV: by hand, by a slow twin, and its properties."""

import math
from itertools import combinations

import numpy as np
import pytest
from noise import cuts, fed, noise, sweep, worked
from scipy.stats import linregress, rankdata

from sibt.sweep.overfit import METRICS, BlockSums


def overfit(returns, blocks=16, metric="sharpe"):
    """Return CSCV of returns in one go."""
    return fed(BlockSums(len(returns), blocks), returns).overfit(metric)


def slow(returns, blocks, metric):
    """Return logits, in-sample and out-of-sample metric split by split, from the returns."""

    def judged(rows):
        # Rounded, so that what is equal but for the last bits ties.
        result = []
        for column in returns[rows].T:
            flat = column.max() == column.min()
            spread = 1.0 if flat or metric == "mean" else column.std(ddof=1)
            result.append(0.0 if flat and metric == "sharpe" else column.mean() / spread)
        return np.round(result, 12)

    parts = np.array_split(np.arange(len(returns)), blocks)
    logits, inner, outer = [], [], []
    for chosen in combinations(range(blocks), blocks // 2):
        within = judged(np.concatenate([parts[block] for block in chosen]))
        rest = [block for block in range(blocks) if block not in chosen]
        beyond = judged(np.concatenate([parts[block] for block in rest]))
        best = within == within.max()
        share = rankdata(beyond)[best].mean() / (returns.shape[1] + 1)
        logits.append(math.log(share / (1 - share)))
        inner.append(within.max())
        outer.append(beyond[best].mean())
    return logits, inner, outer


def test_g13_by_hand():
    case = worked("g13")
    expected = case["expected"]
    found = overfit(np.array(case["inputs"]["M_rows_are_blocks_cols_are_configs"]), 4, "mean")
    assert len(found.logits) == expected["n_splits"]
    np.testing.assert_allclose(found.logits, np.array(expected["logits"], float), atol=5e-7)
    for at, (_, _, within, beyond, rank) in enumerate(expected["splits"]):
        assert found.in_sample[at] == float(within)
        assert found.out_of_sample[at] == float(beyond)
        assert found.logits[at] == pytest.approx(math.log(rank / (5 - rank)))
    assert f"{found.pbo:.6f}" == expected["PBO"]
    assert f"{found.loss:.6f}" == expected["prob_oos_loss"]
    assert f"{found.slope:.4f}" == expected["degradation_slope"]
    assert f"{found.intercept:.4f}" == expected["degradation_intercept"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("sessions", "sets", "blocks"), [(16, 2, 4), (37, 5, 6), (50, 16, 8), (21, 9, 2), (41, 30, 6)]
)
def test_the_slow_twin_finds_the_same(sessions, sets, blocks, metric):
    returns = sweep(sessions, sets, sessions)
    returns = returns[:, ~np.isnan(returns).any(axis=0) & returns.any(axis=0)]
    found = overfit(returns, blocks, metric)
    logits, inner, outer = slow(returns, blocks, metric)
    np.testing.assert_allclose(found.logits, logits, atol=1e-12)
    np.testing.assert_allclose(found.in_sample, inner, atol=1e-11)
    np.testing.assert_allclose(found.out_of_sample, outer, atol=1e-11)
    assert found.pbo == pytest.approx(np.mean(np.array(logits) <= 1e-12), abs=1e-12)
    assert found.loss == np.mean(np.array(outer) < -1e-11)
    line = linregress(inner, outer)
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    assert found.intercept == pytest.approx(line.intercept, abs=1e-9)


def test_ties_in_sample_share_their_ranks():
    # Both idle in the first half, where all others lose; then one is best and one is worst.
    returns = np.zeros((8, 4))
    returns[:, 0] = [0, 0, 0, 0, 2, 1, 2, 1]
    returns[:, 1] = [0, 0, 0, 0, -2, -1, -2, -1]
    returns[:, 2] = [-1, -2, -1, -2, 1, 0, -1, 0]
    returns[:, 3] = [-1, -2, -1, -1, 1, 0, -1, 0.1]
    found = overfit(returns / 100, 2)
    assert found.in_sample[0] == found.out_of_sample[0] == 0.0
    # Ranks 4 and 1 of 4: on average in the middle, which counts as overfit.
    assert found.logits[0] == 0.0
    # The other way round the best is one of the two that idle: ranks 3 and 4.
    assert found.logits[1] == pytest.approx(math.log(3.5 / 1.5))
    assert found.pbo == 0.5


def test_many_ties_in_sample_do_not_hang_on_the_order_of_columns():
    # All lose, each in a month of its own, so that idling is the best of most halves.
    returns = np.zeros((160, 40))
    for column in range(40):
        returns[4 * column : 4 * column + 4, column] = noise(4, 1, column)[:, 0] - 0.05
    found, turned = overfit(returns, 8, "mean"), overfit(returns[:, ::-1], 8, "mean")
    assert (found.in_sample == 0.0).all()
    assert (found.out_of_sample < 0.0).all()
    np.testing.assert_array_equal(found.out_of_sample, turned.out_of_sample)
    np.testing.assert_array_equal(found.logits, turned.logits)


def test_sets_with_one_day_of_gain_tie_whatever_the_gain():
    returns = np.zeros((20, 5))
    returns[[3, 4, 5], [0, 1, 2]] = 0.013, 0.021, 0.007
    returns[:, 3:] = noise(20, 2, 1) - 0.01
    returns[15, :3] = 0.01, -0.01, 0.02
    found = overfit(returns, 2)
    assert found.in_sample[0] == pytest.approx(10**-0.5)
    # Ranks 4.5, 3 and 4.5 of 5.
    assert found.logits[0] == pytest.approx(math.log(4 / 2))


def test_no_session_is_left_out_where_blocks_do_not_divide_them():
    assert overfit(noise(483, 2, 0)).lengths == (31,) * 3 + (30,) * 13
    returns = np.zeros((7, 2))
    returns[6] = 7.0, 3.0
    found = overfit(returns, 4, "mean")
    assert found.lengths == (2, 2, 2, 1)
    # The last session stands in the fourth block and in half of all splits.
    assert sorted(found.in_sample.tolist()) == pytest.approx([0, 0, 0] + [7 / 3] * 3)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(3))
def test_neither_chunks_nor_the_order_of_columns_change_a_bit(seed, metric):
    returns = sweep(333, 120, seed)
    found = overfit(returns, 8, metric)
    order = np.random.default_rng(seed).permutation(120)
    merged = fed(BlockSums(333, 8), returns[:, 70:])
    merged.merge(fed(BlockSums(333, 8), returns[:, :70]))
    for other in (
        fed(BlockSums(333, 8), returns, cuts(120, seed)).overfit(metric),
        fed(BlockSums(333, 8), returns[:, order], cuts(120, seed + 1)).overfit(metric),
        merged.overfit(metric),
    ):
        assert other.tally == found.tally
        for name in ("logits", "in_sample", "out_of_sample", "pbo", "slope", "intercept", "loss"):
            np.testing.assert_array_equal(getattr(other, name), getattr(found, name))


@pytest.mark.parametrize("seed", range(5))
def test_every_set_twice_leaves_the_probability_as_it_is(seed):
    returns = noise(64, 9, seed)
    once, twice = overfit(returns, 8), overfit(np.hstack([returns, returns]), 8)
    assert twice.pbo == once.pbo
    assert (twice.slope, twice.loss) == pytest.approx((once.slope, once.loss), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_duplicate_of_the_worst_set_does_not_raise_it_nor_one_of_the_best_lower_it(seed):
    returns = noise(64, 9, seed)
    # Beaten in every session, so last in and out of sample; the other way round first.
    worst, best = returns.min(axis=1) - 0.01, returns.max(axis=1) + 0.01
    below = np.column_stack([returns, worst])
    assert overfit(np.column_stack([below, worst]), 8, "mean").pbo <= overfit(below, 8, "mean").pbo
    above = np.column_stack([returns, best])
    assert overfit(above, 8, "mean").pbo == 0.0
    assert overfit(np.column_stack([above, best]), 8, "mean").pbo == 0.0


def test_noise_is_overfit_as_often_as_not_and_a_planted_edge_is_not():
    of_noise = [overfit(noise(160, 20, seed), 8).pbo for seed in range(60)]
    assert np.mean(of_noise) == pytest.approx(0.5, abs=0.08)
    assert max(overfit(noise(480, 20, seed, edge=0.5), 8).pbo for seed in range(10)) < 0.05


def test_sixteen_blocks_have_12870_splits_and_each_has_its_complement():
    found = overfit(noise(100, 3, 1))
    assert len(found.logits) == math.comb(16, 8) == worked("g13")["expected"]["CSCV_splits_S16"]
    assert np.isfinite(found.logits).all()


def test_sets_that_never_trade_are_no_trials():
    returns = noise(64, 6, 2)
    idle = np.hstack([np.zeros((64, 50)), returns, np.full((64, 1), np.nan)])
    with_idle, without = overfit(idle, 8), overfit(returns, 8)
    np.testing.assert_array_equal(with_idle.logits, without.logits)
    assert (with_idle.tally.used, with_idle.tally.flat, with_idle.tally.unknown) == (6, 50, 1)


@pytest.mark.parametrize(
    "returns",
    [
        noise(100, 1, 0),
        np.zeros((100, 0)),
        np.zeros((100, 5)),
        np.full((100, 5), np.nan),
        noise(15, 5, 0),
        noise(1, 5, 0),
        np.zeros((0, 5)),
    ],
    ids=["one set", "none", "flat", "unknown", "15 sessions", "one session", "no session"],
)
@pytest.mark.parametrize("metric", METRICS)
def test_where_nothing_can_be_split_nothing_is_known(returns, metric):
    found = overfit(returns, 16, metric)
    assert math.isnan(found.pbo)
    assert math.isnan(found.slope)
    assert math.isnan(found.loss)
    assert len(found.logits) == 0


def test_a_half_of_one_session_has_no_sharpe_ratio():
    assert math.isnan(overfit(noise(2, 5, 0), 2).pbo)
    assert math.isfinite(overfit(noise(2, 5, 0), 2, "mean").pbo)


def test_what_makes_no_sense_is_refused():
    for blocks in (0, 7, -2):
        with pytest.raises(ValueError, match="give an even number"):
            BlockSums(100, blocks)
    with pytest.raises(ValueError, match="no metric 'sortino'; give one of sharpe, mean"):
        overfit(noise(32, 2, 0), 4, "sortino")
    with pytest.raises(ValueError, match="cannot be merged"):
        BlockSums(100).merge(BlockSums(101))
