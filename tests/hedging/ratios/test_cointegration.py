import numpy as np
import pytest
from pairs import drawn, pair, pulled, rolled, series

from sibt.hedging.ratios.cointegration import error_correction, vecm
from sibt.hedging.ratios.least_squares import min_variance
from sibt.hedging.ratios.pair import RatioError


@pytest.mark.parametrize("k", [1, 5])
def test_error_correction_is_two_regressions(k):
    spot, futures = (p.to_numpy() for p in pulled(1))
    levels = np.column_stack([np.ones(len(spot)), futures])
    above = spot - levels @ np.linalg.lstsq(levels, spot, rcond=None)[0]
    t = np.arange(2 * k, len(spot))
    x = np.column_stack([
        np.ones(len(t)), futures[t] - futures[t - k], above[t - k],
        spot[t - k] - spot[t - 2 * k], futures[t - k] - futures[t - 2 * k],
    ])
    expected = np.linalg.lstsq(x, spot[t] - spot[t - k], rcond=None)[0][1]
    fit = error_correction(pair(*pulled(1)), k)
    assert fit.ratio == pytest.approx(expected)
    assert fit.observations == len(t)


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_where_futures_are_pulled_too_it_finds_the_ratio_and_least_squares_does_not(method):
    pairs = [pair(*pulled(seed)) for seed in range(25)]
    found = np.array([method(prices, 1).ratio for prices in pairs])
    plain = np.array([min_variance(prices, 1).ratio for prices in pairs])
    # Over 60 draws the bias is 0.001 and −0.053, each ±0.004.
    assert abs(found.mean() - 0.8) < 0.02
    assert plain.mean() - 0.8 < -0.03


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_its_interval_holds_the_truth(method):
    fits = [method(pair(*pulled(seed, 250)), 1) for seed in range(60)]
    assert np.mean([fit.low <= 0.8 <= fit.high for fit in fits]) >= 0.87


@pytest.mark.parametrize("method", [min_variance, error_correction, vecm])
@pytest.mark.parametrize("k", [1, 3])
def test_the_size_of_a_rolls_jump_does_not_matter(method, k):
    prices = pulled(2)
    flat = method(pair(*rolled(*prices, length=80, jump=0.0)), k)
    high = method(pair(*rolled(*prices, length=80, jump=900.0)), k)
    assert high.ratio == pytest.approx(flat.ratio, abs=1e-5)
    assert high.observations == flat.observations
    # Taken for one contract the jumps would spoil it.
    spot, futures, _ = rolled(*prices, length=80, jump=900.0)
    assert abs(method(pair(spot, futures), k).ratio - flat.ratio) > 0.05


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_rolls_leave_the_truth_within_reach(method):
    fits = [method(pair(*rolled(*pulled(seed), length=80)), 1) for seed in range(15)]
    assert np.mean([fit.ratio for fit in fits]) == pytest.approx(0.8, abs=0.03)
    # Of each of five contracts the first two sessions have no change with one before it.
    assert {fit.observations for fit in fits} == {400 - 5 * 2}


def test_vecm_takes_every_kth_session():
    spot, futures = pulled(3)
    thin = vecm(pair(spot, futures), 5)
    kept = vecm(pair(spot.iloc[4::5], futures.iloc[4::5]), 1)
    assert thin.ratio == pytest.approx(kept.ratio)


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_the_note_says_whether_they_are_drawn_together(method):
    assert ("; cointegrated (" in method(pair(*pulled(4)), 1).note)
    apart = drawn(4, basis=1.0)
    assert "not shown to be cointegrated" in method(pair(*apart), 1).note
    assert "a constant for each of 5 contracts" in method(
        pair(*rolled(*pulled(4), length=80)), 1).note


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_prices_in_step_leave_nothing_to_correct(method):
    _, futures = drawn(5)
    spot, futures = series(futures + 500, futures)
    with pytest.raises(RatioError, match="move in step"):
        method(pair(spot, futures), 1)
    assert min_variance(pair(spot, futures), 1).ratio == pytest.approx(1.0)


@pytest.mark.parametrize("method", [error_correction, vecm])
def test_contracts_too_short_for_a_lag_are_too_few_points(method):
    # Forty changes, of which every other one has another before it.
    with pytest.raises(RatioError, match=r"Within one contract 20 (changes|observations)"):
        method(pair(*rolled(*drawn(6, sessions=60), length=3)), 1)
