import json
import math
import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.errors import StrategyError
from sibt.strategy.indicators import (
    Columns,
    bollinger,
    carry_ratio,
    change,
    half_life,
    highest,
    lowest,
    percentile,
    quantile,
    rolling_half_life,
    zscore,
)

GOLDEN = Path(__file__).parents[1] / "golden"
NAN = math.nan


def golden(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return case


def series(values: list[float | None]) -> pd.Series:
    days = pd.bdate_range("2024-01-02", periods=len(values), name="session")
    return pd.Series([NAN if v is None else v for v in values], index=days, dtype=float)


# -- golden cases ----------------------------------------------------------------------------


def spread_of_g10() -> tuple[pd.Series, dict[str, Any], dict[str, Any]]:
    case = golden("g10_async_illiquid_far_leg")
    given_ = case["inputs"]
    near = series(given_["near_close"])
    far = series(given_["far_close"])
    traded = [
        min(a, b) >= given_["v_min"]
        for a, b in zip(given_["near_volume"], given_["far_volume"], strict=True)
    ]
    return (far - near).where(traded), given_, case["expected"]


def test_z_compares_with_the_previous_valid_values_only():  # g10
    spread, given_, expected = spread_of_g10()
    z = zscore(spread, given_["n"])
    assert z[:5].isna().all()
    assert f"{z.iloc[5]:.4f}" == expected["z_day6"] == "4.9640"


def test_z_of_a_forward_filled_leg_is_a_signal_that_never_was():  # g10
    spread, given_, expected = spread_of_g10()
    naive = zscore(series(expected["naive_spread"]), given_["n"])
    assert f"{naive.iloc[5]:.4f}" == expected["z_day6_naive_ffill"] == "13.2791"
    assert abs(zscore(spread, given_["n"]).iloc[5] - 13.2791) > 8


def test_half_life_of_an_exact_decay_is_one_session():  # g11
    case = golden("g11_zscore_ou_half_life")
    assert f"{half_life(series(case['inputs']['spread'])):.6f}" == "1.000000"
    assert case["expected"]["half_life_exact"] == "1.000000"


# -- plain twins -----------------------------------------------------------------------------

Twin = Callable[..., float]


def slow(x: pd.Series, n: float, rule: Twin, *, needs_now: bool) -> list[float]:
    """`rule(now, previous n valid values)` at every session, in plain Python."""
    out, seen = [], []
    for value in x:
        fine = not math.isnan(n) and len(seen) >= n and not (needs_now and math.isnan(value))
        out.append(rule(value, seen[len(seen) - int(n) :]) if fine else NAN)
        if not math.isnan(value):
            seen.append(value)
    return out


def slow_z(now: float, window: list[float]) -> float:
    deviation = statistics.stdev(window)
    return (now - statistics.fmean(window)) / deviation if deviation else NAN


def slow_percentile(now: float, window: list[float]) -> float:
    return sum(0.5 if v == now else float(v < now) for v in window) / len(window)


def slow_quantile(q: float) -> Twin:
    def rule(_: float, window: list[float]) -> float:
        ordered = sorted(window)
        place = q * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] * (1 - (place - low)) + ordered[high] * (place - low)

    return rule


def slow_band(k: float) -> Twin:
    return lambda _, window: statistics.fmean(window) + k * statistics.stdev(window)


def slow_half_life(x: list[float]) -> float:
    return slow_fit([(a, b - a) for a, b in pairwise(x) if not math.isnan(a + b)])


def slow_fit(pairs: list[tuple[float, float]]) -> float:
    if len(pairs) < 3 or len({a for a, _ in pairs}) == 1:
        return NAN
    exact = [(Fraction(a), Fraction(d)) for a, d in pairs]  # no rounding at the edges of b
    middle = sum(a for a, _ in exact) / len(exact)
    b = sum((a - middle) * d for a, d in exact) / sum((a - middle) ** 2 for a, _ in exact)
    return -math.log(2) / math.log(1 + b) if -1 < b < 0 else NAN


values = st.lists(
    st.one_of(st.just(NAN), st.sampled_from([12000.0, 12005.0]), st.integers(-60, 60).map(float)),
    min_size=1,
    max_size=45,
).map(series)
lookbacks = st.integers(3, 9)


def close(found: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-7, atol=1e-7)


@settings(max_examples=150, deadline=None)
@given(values, lookbacks)
def test_indicators_are_what_plain_python_says(x, n):
    close(zscore(x, n), slow(x, n, slow_z, needs_now=True))
    close(percentile(x, n), slow(x, n, slow_percentile, needs_now=True))
    close(change(x, n, relative=False), slow(x, n, lambda v, w: v - w[0], needs_now=True))
    relative = slow(x, n, lambda v, w: v / w[0] - 1 if w[0] else NAN, needs_now=True)
    close(change(x, n), relative)
    for q in (0.0, 0.3, 0.5, 0.9, 1.0):
        close(quantile(x, n, q), slow(x, n, slow_quantile(q), needs_now=False))
    lower, upper = bollinger(x, n, 1.5)
    close(lower, slow(x, n, slow_band(-1.5), needs_now=False))
    close(upper, slow(x, n, slow_band(1.5), needs_now=False))
    close(highest(x, n), slow(x, n, lambda _, w: max(w), needs_now=False))
    close(lowest(x, n), slow(x, n, lambda _, w: min(w), needs_now=False))


@settings(max_examples=150, deadline=None)
@given(values, lookbacks)
def test_half_lives_are_what_plain_python_says(x, n):
    assert half_life(x) == pytest.approx(slow_half_life(list(x)), rel=1e-6, nan_ok=True)
    pairs: list[tuple[float, float]] = []
    slowly = [NAN]
    for before, now in pairwise(x):
        slowly.append(slow_fit(pairs[-n:]) if len(pairs) >= n else NAN)
        if not math.isnan(before + now):
            pairs.append((before, now - before))
    np.testing.assert_allclose(rolling_half_life(x, n), slowly, rtol=1e-6)


INDICATORS: list[Callable[[pd.Series, Any], Any]] = [
    zscore,
    percentile,
    lambda x, n: quantile(x, n, 0.8),
    lambda x, n: bollinger(x, n, 2.0)[0],
    lambda x, n: bollinger(x, n, 2.0)[1],
    change,
    lambda x, n: change(x, n, relative=False),
    highest,
    lowest,
    rolling_half_life,
]


@settings(max_examples=40, deadline=None)
@given(values, st.lists(st.one_of(lookbacks, st.none()), min_size=1, max_size=6))
def test_a_sweep_is_its_runs_side_by_side(x, many):
    vector = np.array([NAN if n is None else n for n in many])
    for indicator in INDICATORS:
        columns = indicator(x, vector)
        assert isinstance(columns, Columns)
        assert columns.shape == (len(x), len(many))
        assert columns.values.shape[1] == len(set(many))
        for j, n in enumerate(many):
            np.testing.assert_array_equal(np.asarray(columns)[:, j], indicator(x, n))


@settings(max_examples=40, deadline=None)
@given(values, lookbacks, st.data())
def test_the_indicator_of_the_past_is_the_past_of_the_indicator(x, n, data):
    cut = data.draw(st.integers(1, len(x)))
    for indicator in INDICATORS:
        pd.testing.assert_series_equal(
            indicator(x.iloc[:cut], n), indicator(x, n).iloc[:cut], check_freq=False
        )


# -- what NaN means --------------------------------------------------------------------------


def test_equal_values_have_no_z():
    assert zscore(series([12000.1] * 9), 3).isna().all()
    assert zscore(series([0.1, 0.1, 0.1, 0.2]), 3).isna().all()


def test_levels_are_known_where_the_value_itself_is_not():
    x = series([1, 2, 3, None])
    assert quantile(x, 3, 0.5).iloc[3] == 2
    assert bollinger(x, 3, 1)[1].iloc[3] == 3
    assert np.isnan(percentile(x, 3).iloc[3])


def test_percentile_counts_equal_values_half():
    assert percentile(series([1, 2, 2, 3, 2]), 4).iloc[4] == 0.5
    assert percentile(series([1, 2, 3, 9]), 3).iloc[3] == 1.0


@pytest.mark.parametrize(
    "x",
    [
        [1, 2, 4, 8, 16],  # grows: b > 0
        [1, -1, 1, -1, 1],  # b = −2
        [1, 0, 0],  # two pairs
        [5, 5, 5, 5, 5],  # does not move
        [None] * 5,
    ],
)
def test_there_is_no_half_life_where_nothing_reverts(x):
    assert math.isnan(half_life(series(x)))


def test_a_half_life_counts_sessions_so_a_gap_makes_no_pair():
    decay = [64, 32, 16, None, 4, 2, 1]
    assert half_life(series(decay)) == pytest.approx(1.0)


def test_carry_ratio_is_one_at_full_carry():
    spread, cost = series([-89, -44.5, 20, None, -10]), series([89, 89, 89, 89, 0])
    ratio = carry_ratio(spread, cost)
    assert list(ratio[:3]) == [1.0, 0.5, -20 / 89]
    assert ratio[3:].isna().all()


# -- parameters ------------------------------------------------------------------------------


def test_none_switches_off():
    x = series([1, 2, 3, 4, 5])
    assert zscore(x, None).isna().all()
    assert quantile(x, 2, None).isna().all()
    assert bollinger(x, 2, NAN)[0].isna().all()


def test_two_vectors_go_side_by_side_and_each_pair_is_computed_once():
    x = series([float(v) for v in range(30)])
    n, k = np.array([5, 5, 7, 5]), np.array([1.0, 2.0, 1.0, 1.0])
    _, upper = bollinger(x, n, k)
    assert upper.values.shape == (30, 3)
    assert list(upper.take) == [0, 1, 2, 0]
    _, row = bollinger(x, n[None, :], 1.0)
    assert row.values.shape == (30, 2)
    with pytest.raises(StrategyError, match="one length"):
        bollinger(x, n, np.array([1.0, 2.0]))


@pytest.mark.parametrize("wrong", [1, 2.5, -3, math.inf, [5, 0]])
def test_a_look_back_is_a_whole_number_large_enough(wrong):
    with pytest.raises(StrategyError, match="zscore: lookback must be a whole number"):
        zscore(series([1, 2, 3]), wrong)


def test_wrong_parameters_are_named():
    x = series([1, 2, 3])
    with pytest.raises(StrategyError, match=r"write 0\.9 for 90 %"):
        quantile(x, 2, 90)
    with pytest.raises(StrategyError, match="must be a number"):
        zscore(x, "long")
    with pytest.raises(StrategyError, match="shape"):
        zscore(x, np.ones((2, 2)))
    with pytest.raises(StrategyError, match="Series"):
        zscore(np.arange(5.0), 2)  # type: ignore[arg-type]


def test_a_look_back_longer_than_the_history_is_unknown():
    assert quantile(series([1, 2, 3]), 10**12, 0.5).isna().all()
    assert zscore(series([1, 2, 3]), 10**12).isna().all()


# -- Columns ---------------------------------------------------------------------------------


def test_columns_combine_with_numbers_series_and_their_like():
    x = series([1.0, 2.0, 4.0])
    columns = Columns(np.array([[1.0, 5.0], [2.0, 6.0], [NAN, 7.0]]), np.array([1, 0, 1]))
    wide = columns.expand()
    assert wide.flags.f_contiguous
    assert columns.values.flags.f_contiguous
    tall = x.to_numpy()[:, None]
    for found, expected in [
        (-columns, -wide),
        (columns + 1, wide + 1),
        (1 - columns, 1 - wide),
        (x - columns, tall - wide),
        (columns - x, wide - tall),
        (x.to_numpy() + columns, tall + wide),
        (columns * x, wide * tall),
        (2 * columns, 2 * wide),
        (x / columns, tall / wide),
        (columns / 0.5, wide / 0.5),
        (columns - columns, wide - wide),
    ]:
        assert isinstance(found, Columns)
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_columns_of_different_settings_do_not_combine():
    one = Columns(np.ones((3, 1)), np.array([0, 0]))
    with pytest.raises(StrategyError, match="different look-backs"):
        one - Columns(np.ones((3, 1)), np.array([0, 0, 0]))
    with pytest.raises(StrategyError, match="3 sessions"):
        one - series([1.0, 2.0])
    with pytest.raises(ValueError, match="take"):
        Columns(np.ones(3), np.array([0]))
