"""Moments of daily returns, each column for itself."""

import numpy as np
import pytest
from noise import noise, sweep
from scipy import stats

from sibt.engine.metrics import sharpe
from sibt.sweep.returns import Tally, moments, total, varying


def test_moments_are_those_of_scipy_and_the_sharpe_ratio_that_of_a_run():
    returns = np.random.default_rng(1).standard_t(4, (101, 7)) * 0.01
    found = moments(returns)
    np.testing.assert_allclose(found.skew, stats.skew(returns), rtol=1e-10)
    np.testing.assert_allclose(found.kurtosis, stats.kurtosis(returns, fisher=False), rtol=1e-10)
    expected = [sharpe(column, 1) for column in returns.T]
    np.testing.assert_allclose(found.sharpe, expected, rtol=1e-10)


@pytest.mark.parametrize("wide", [1, 2, 3, 17])
def test_a_column_has_the_same_moments_whatever_stands_beside_it(wide):
    returns = sweep(497, 60, 2)
    together = moments(returns)
    for start in range(0, 60, wide):
        part = moments(returns[:, start : start + wide])
        for name in ("sharpe", "skew", "kurtosis"):
            np.testing.assert_array_equal(
                getattr(part, name), getattr(together, name)[start : start + wide]
            )


def test_kept_columns_lie_row_by_row_and_add_up_the_same_alone():
    kept, _ = varying(sweep(497, 60, 2))
    assert kept.flags.c_contiguous
    together = total(kept)
    alone = [total(kept[:, [column]])[0] for column in range(kept.shape[1])]
    assert together.tolist() == alone


def test_columns_without_variance_or_with_a_gap_have_no_moments():
    returns = noise(50, 5, 3)
    returns[:, 1] = 0.0
    returns[:, 2] = 0.1 + 0.2
    returns[::2, 2] = 0.3
    returns[7, 3] = np.nan
    returns[7, 4] = np.inf
    found = moments(returns)
    assert np.isfinite(found.sharpe[0])
    assert np.isnan([found.sharpe[1:], found.skew[1:], found.kurtosis[1:]]).all()
    kept, tally = varying(returns)
    assert tally == Tally(used=1, flat=2, unknown=2)
    np.testing.assert_array_equal(kept, returns[:, :1])


@pytest.mark.parametrize("sessions", [0, 1])
def test_fewer_than_two_sessions_do_not_vary(sessions):
    returns = np.full((sessions, 3), 0.01)
    assert np.isnan(moments(returns).sharpe).all()
    assert varying(returns)[1] == Tally(flat=3)


def test_absurd_returns_are_unknown_and_all_unknown_is_nothing():
    returns = np.column_stack([[1e200, 0.0, -1e200], [np.nan] * 3])
    assert np.isnan(moments(returns).kurtosis).all()
    assert varying(returns)[1] == Tally(unknown=2)
    assert varying(np.zeros((4, 0)))[1] == Tally()


def test_returns_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="1 dimensions"):
        varying(np.zeros(4))
    with pytest.raises(ValueError, match="4 sessions; 5 were announced"):
        varying(np.zeros((4, 2)), 5)
