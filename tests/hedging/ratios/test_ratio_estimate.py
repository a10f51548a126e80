import math

import numpy as np
import pytest
from pairs import DAYS, drawn, pulled, rolled, series

from sibt.errors import DataError, SettingError
from sibt.hedging.ratios.estimate import FIRST, METHODS, estimate
from sibt.hedging.ratios.least_squares import removed
from sibt.hedging.ratios.pair import LEAST, RatioError

ESTIMATED = tuple(name for name in METHODS if name != "naive")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_through_one_interface(method):
    spot, futures = pulled(1, 300)
    found = estimate(spot, futures, method, k=2)
    assert found.method == method
    assert (found.first, found.last) == (DAYS[0], DAYS[299])
    assert found.observations >= 100
    assert 0.5 < found.ratio <= 1.0
    assert 0.0 < found.r2 < 1.0
    assert found == estimate(spot, futures, method, k=2) or math.isnan(found.low)


@pytest.mark.parametrize("method", METHODS)
def test_a_rolls_jump_does_not_change_the_ratio(method):
    prices = pulled(2)
    spot, futures, codes = rolled(*prices, length=80, jump=0.0)
    flat = estimate(spot, futures, method, k=2, contracts=codes).ratio
    high = estimate(*rolled(*prices, length=80)[:2], method, k=2, contracts=codes).ratio
    assert high == pytest.approx(flat, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_ratio_is_not_estimated_across_delivery_standards(method):
    spot, futures = drawn(3, 300)
    codes = spot.copy().astype(object)
    codes[:] = ["si2411"] * 150 + ["si2412"] * 150
    with pytest.raises(DataError, match="crosses delivery standards"):
        estimate(spot, futures, method, contracts=codes, k=1)
    found = estimate(spot, futures, method, contracts=codes, k=1, cross_standard=True)
    assert found.observations <= 298


def test_one_for_one_needs_no_data():
    spot, futures = series([math.nan] * 3, [1, 2, 3])
    found = estimate(spot, futures, "naive")
    assert (found.ratio, found.observations, found.first, found.last) == (1.0, 0, None, None)
    assert math.isnan(found.r2)


@pytest.mark.parametrize("method", ESTIMATED)
def test_too_few_points_are_no_ratio_of_one(method):
    with pytest.raises(RatioError, match="are known up to 2023-") as caught:
        estimate(*drawn(4, LEAST), method, k=1)
    assert caught.value.reason == "too few points"


def test_thirty_changes_are_enough():
    assert estimate(*drawn(4, LEAST + 1), k=1).observations == LEAST
    assert estimate(*drawn(4, LEAST + 5), k=5).observations == LEAST


@pytest.mark.parametrize("method", ESTIMATED)
def test_futures_that_do_not_move_are_no_ratio_of_one(method):
    spot, futures = drawn(5)
    with pytest.raises(RatioError, match="futures price does not move") as caught:
        estimate(spot, futures * 0 + 12_000, method, k=1)
    assert caught.value.reason == "futures does not move"


@pytest.mark.parametrize("method", ["min_variance", "error_correction", "rolling", "ewma", "vecm"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_explosive_ratio_is_refused_with_its_value(method, sign):
    spot, futures = drawn(6, ratio=2.6 * sign)
    with pytest.raises(RatioError, match=rf"The {method} ratio .* is {'-' if sign < 0 else ''}2\."):
        estimate(spot + 60_000, futures, method, k=1)


def test_a_vat_neutral_ratio_is_divided_by_the_tax():
    spot, futures = drawn(7)
    plain, neutral = estimate(spot, futures), estimate(spot, futures, vat=True)
    for name in ("ratio", "low", "high"):
        assert getattr(neutral, name) == pytest.approx(getattr(plain, name) / 1.13)
    assert neutral.note.endswith("divided by 1.13 for VAT")
    assert estimate(spot, futures, "naive", vat=True).ratio == pytest.approx(1 / 1.13)


def test_quotes_once_a_week_give_the_ratio_of_weekly_changes():
    spot, futures = drawn(8, 600)
    weekly = spot.where(np.arange(600) % 5 == 4)
    found = estimate(weekly, futures, k=1)
    expected = estimate(spot.iloc[4::5], futures.iloc[4::5], k=1)
    assert (found.ratio, found.low, found.observations) == (
        expected.ratio, expected.low, expected.observations) == (
        found.ratio, found.low, 119)
    # Filled forward, the spot would seem to stand still on four days of five.
    filled = estimate(weekly.ffill().bfill(), futures, k=1)
    assert filled.ratio < 0.5 < found.low < 0.8 < found.high


def test_a_sticky_quote_hides_the_ratio_from_daily_changes():
    spot, futures = drawn(9, 600, basis=0.5)
    sticky = spot.where(np.random.default_rng(9).random(600) < 0.35).ffill().bfill()
    daily, weekly, monthly = (estimate(sticky, futures, k=k).ratio for k in (1, 5, 20))
    assert daily < 0.45 < weekly < monthly < 0.95
    expected = f"over 4 quoted sessions {estimate(sticky, futures, k=4).ratio:.2f}"
    assert estimate(sticky, futures, k=1).note.endswith(
        f"; {expected}: the spot quote follows later")
    assert "later" not in estimate(spot, futures, k=1).note


def test_r2_is_what_the_ratio_removes_of_these_changes():
    spot, futures = drawn(10)
    found = estimate(spot, futures, "error_correction")
    changes = (np.array(p.diff(5).dropna()) for p in (spot, futures))
    assert found.r2 == pytest.approx(removed(*changes, found.ratio), abs=0.01)


def test_logarithms_of_prices_give_a_ratio_of_returns():
    spot, futures = drawn(11)
    found = estimate(np.log(spot), np.log(futures)).ratio
    assert found * float(spot.mean() / futures.mean()) == pytest.approx(
        estimate(spot, futures).ratio, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "min_varianc"}, "Did you mean 'min_variance'"),
        ({"k": 0}, "make no change"),
        ({"k": 2.5}, "make no change"),
        ({"decay": 1.0}, "not between 0 and 1"),
        ({"window": 29}, "window of 29 changes is too short"),
    ],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(SettingError, match=words):
        estimate(*drawn(12), **settings)


def test_the_first_page_needs_no_extra():
    assert FIRST == ("naive", "min_variance")
