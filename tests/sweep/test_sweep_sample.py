"""The sample a statistic works on where it cannot look at every set."""

import numpy as np
import pytest

from sibt.sweep.sample import drawn


def test_a_sample_holds_so_many_different_sets_in_order():
    sample = drawn(10**12, 10_000, seed=1)
    assert len(sample) == 10_000
    assert (np.diff(sample) > 0).all()
    assert sample[0] >= 0
    assert sample[-1] < 10**12
    np.testing.assert_array_equal(sample, drawn(10**12, 10_000, seed=1))
    assert (sample != drawn(10**12, 10_000, seed=2)).any()


def test_every_set_is_as_likely_as_any_other():
    often = np.zeros(20)
    for seed in range(2000):
        often[drawn(20, 5, seed)] += 1
    # 500 expected, standard deviation 19.
    assert often.min() > 420
    assert often.max() < 580


def test_all_sets_are_kept_where_there_is_room():
    np.testing.assert_array_equal(drawn(3, 5), [0, 1, 2])
    assert len(drawn(0, 5)) == len(drawn(5, 0)) == 0
    with pytest.raises(ValueError, match="cannot keep -1 of 5 sets"):
        drawn(5, -1)
