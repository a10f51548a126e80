import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.errors import StrategyError
from sibt.strategy.indicators import Columns, bollinger, zscore
from sibt.strategy.rules import hold, ladder, reverse, stop, take_profit, time_stop

GOLDEN = Path(__file__).parents[1] / "golden"
NAN = math.nan


def golden(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return case


def series(values: list[float]) -> pd.Series:
    days = pd.bdate_range("2024-01-02", periods=len(values), name="session")
    return pd.Series(values, index=days, dtype=float)


# -- golden cases ----------------------------------------------------------------------------


def closes_of_g01() -> tuple[pd.Series, dict[str, Any]]:
    given_ = golden("g01_take_profit_and_reverse")["inputs"]
    return series([bar["close"] for bar in given_["bars"]]), given_


def test_short_ten_turns_long_ten_in_the_decision_that_sees_11500():  # g01 A
    price, given_ = closes_of_g01()
    wish = reverse(
        series([-given_["lots"]] * 6), price, given_["tp_level"], units_after=given_["lots"]
    )
    assert list(wish) == [-10, -10, -10, 10, 10, 10]
    fills = golden("g01_take_profit_and_reverse")["expected"]["A"]["fills"]
    changes = wish.diff().fillna(wish.iloc[0])
    filled_in = [f"D{t + 2}" for t, change in enumerate(changes) if change]
    assert filled_in == sorted({day for day, *_ in fills})


def test_the_same_goal_taken_as_profit_leaves_nothing():
    price, given_ = closes_of_g01()
    wish = take_profit(series([-10.0] * 6), price, given_["tp_level"])
    assert list(wish) == [-10, -10, -10, 0, 0, 0]


def test_a_level_meets_raw_prices_and_refuses_adjusted_ones():  # g19
    case = golden("g19_levels_and_causality")
    raw = series(list(case["inputs"]["raw_near_close"].values()))
    level = case["inputs"]["tp_level"]
    base = series([-1.0] * 4)
    fired = take_profit(base, raw, level)
    assert f"D{list(fired).index(0) + 1}" == case["expected"]["tp_trigger_raw"]
    adjusted = series(case["expected"]["back_adjusted"])
    assert 0 not in list(take_profit(base, adjusted, level))  # what the refusal guards against
    adjusted.attrs["adjusted"] = "difference"
    for rule in (
        lambda: take_profit(base, adjusted, level),
        lambda: reverse(base, adjusted, level),
        lambda: hold(adjusted, 12000, 11500, side="above"),
        lambda: ladder(adjusted, 11900, 100, 3, exit=11500),
    ):
        with pytest.raises(StrategyError, match="back-adjusted"):
            rule()
    assert list(stop(base, adjusted, 1000)) == [-1] * 4  # a distance is no level
    adjusted.attrs["adjusted"] = "ratio"
    with pytest.raises(StrategyError, match="by ratio"):
        stop(base, adjusted, 1000)


# -- facts -----------------------------------------------------------------------------------


def test_hold_waits_between_its_thresholds():
    x = series([0, 1.9, 2.0, 1.0, 0.6, 0.5, 1.9, -2, -0.6, -0.5, 0])
    assert list(hold(x, 2, 0.5)) == [0, 0, -1, -1, -1, 0, 0, 1, 1, 0, 0]
    assert list(hold(x, 2, 0.5, units=3)) == [0, 0, -3, -3, -3, 0, 0, 3, 3, 0, 0]
    assert list(hold(x, 2, 0.5, units=-1)) == [0, 0, 1, 1, 1, 0, 0, -1, -1, 0, 0]


def test_hold_on_one_side_reads_its_thresholds_as_they_are():
    x = series([12100, 12200, 11900, 11500, 11600])
    assert list(hold(x, 12200, 11500, side="above")) == [0, -1, -1, 0, 0]
    assert list(hold(x, 11500, 11600, side="below")) == [0, 0, 0, 1, 0]
    assert list(hold(x, 12200, None, side="above")) == [0, -1, -1, -1, -1]
    assert list(hold(x, None, 11500, side="above")) == [0] * 5


def test_hold_may_change_sides_in_one_decision_and_keeps_its_state_in_the_unknown():
    assert list(hold(series([NAN, 3, NAN, -3, NAN]), 2, 0)) == [0, -1, -1, 1, 1]


def test_an_exit_beyond_the_entry_lets_the_entry_win():
    assert list(hold(series([2, 2.5, 3, 1.9]), 2, 5, side="above")) == [-1, -1, -1, 0]


def test_a_ladder_keeps_its_rungs_until_the_exit():
    x = series([11900, 12000, 12250, 12050, NAN, 12100, 11500, 12400, 13000])
    found = ladder(x, 12000, 100, 3, exit=11500, units=2)
    assert list(found) == [0, -2, -6, -6, -6, -6, 0, -6, -6]
    assert list(ladder(x, 12000, 200, 9, exit=None)) == [0, -1, -2, -2, -2, -2, -2, -3, -6]
    assert list(ladder(x, 12000, None, 3, exit=11500)) == [0, -1, -1, -1, -1, -1, 0, -1, -1]


def test_a_ladder_downwards_buys_in_tranches():
    x = series([11600, 11500, 11390, 11450, 11100, 12000])
    found = ladder(x, 11500, 100, 5, exit=12000, side="below")
    assert list(found) == [0, 1, 2, 2, 5, 0]


def test_a_stop_counts_from_the_price_of_the_decision():
    price = series([12000, 12040, 11900, 12099, 12100, 11000, 11000, 11100])
    assert list(stop(series([-1.0] * 8), price, 100)) == [-1, -1, -1, -1, 0, 0, 0, 0]
    base = series([-1, -1, -1, -1, -1, -1, 1, 1])
    assert list(stop(base, price, 100)) == [-1, -1, -1, -1, 0, 0, 1, 1]
    assert list(stop(base, price, 100, side="long")) == list(base)


def test_a_stop_on_an_unknown_price_counts_from_the_first_known_one():
    price = series([NAN, 12000, 11899, 11899])
    assert list(stop(series([2.0] * 4), price, 101)) == [2, 2, 0, 0]


def test_a_time_stop_holds_so_many_sessions():
    base = series([0, -1, -1, -1, -1, -2, -2, -2, 0, -2])
    assert list(time_stop(base, 3)) == [0, -1, -1, -1, 0, -2, -2, -2, 0, -2]
    assert list(time_stop(base, 1)) == [0, -1, 0, 0, 0, -2, 0, 0, 0, -2]
    assert list(time_stop(base, None)) == list(base)
    assert list(time_stop(base, 1, side="long")) == list(base)


def test_a_goal_reached_before_the_wish_takes_it_at_once():
    price = series([11400, 11600, 11600])
    assert list(take_profit(series([-1, -1, -2]), price, 11500)) == [0, 0, -2]


def test_a_goal_of_one_direction_leaves_the_other_alone():
    price, _ = closes_of_g01()
    turned = reverse(series([-10.0] * 6), price, 11500)
    goal = take_profit(turned, price, 11650, side="long")
    assert list(goal) == [-10, -10, -10, 10, 10, 0]
    # Without the side the level would have been the short's goal as well.
    assert list(take_profit(turned, price, 11730)) == [-10, -10, 0, 10, 10, 10]
    assert list(take_profit(turned, price, 11730, side="long")) == list(turned)


def test_reverse_stays_until_the_wish_changes():
    price = series([100, 90, 120, 90, 90])
    base = series([-3, -3, -3, 0, -3])
    assert list(reverse(base, price, 90)) == [-3, 3, 3, 0, 3]
    assert list(reverse(base, price, 90, units_after=5)) == [-3, 5, 5, 0, 5]
    assert list(reverse(-base, price, 120, units_after=5)) == [3, 3, -5, 0, 3]


def test_an_unnamed_wish_is_the_wish_before_it():
    base = series([NAN, -1, NAN, 0, NAN])
    assert list(time_stop(base, 9)) == [0, -1, -1, 0, 0]


# -- plain twins -----------------------------------------------------------------------------


def slow_hold(x, enter, exit_, units, side):
    out, state = [], 0
    for v in x:
        if side == "above" or (side == "both" and state < 0):
            leaves = v <= exit_
        elif side == "below":
            leaves = v >= exit_
        else:
            leaves = v >= -exit_
        if state and leaves:
            state = 0
        if not state:
            if side != "below" and v >= enter:
                state = -1
            elif (side == "below" and v <= enter) or (side == "both" and v <= -enter):
                state = 1
        out.append(state * units)
    return out


def slow_ladder(x, start, step, rungs, exit_, units, side):
    sign = {"above": -1, "below": 1}[side]
    out, most = [], 0
    for v in x:
        if (side == "above" and v <= exit_) or (side == "below" and v >= exit_):
            most = 0
        reached = 0
        for k in range(rungs):
            rung = start if k == 0 else start - sign * k * step
            if (v >= rung) if side == "above" else (v <= rung):
                reached = k + 1
        most = max(most, reached)
        out.append(sign * most * units)
    return out


def overlay(base, price, fires, after):
    """Replay a wish: since its last change, has `fires(wish, prices so far)` ever been so?"""
    out = []
    for t, wish in enumerate(base):
        since = t
        while since > 0 and base[since - 1] == wish:
            since -= 1
        fired = wish != 0 and any(fires(wish, price[since : s + 1]) for s in range(since, t + 1))
        out.append(after(wish) if fired else wish)
    return out


def watched(wish, side):
    return side == "both" or (wish > 0) == (side == "long")


def slow_stop(base, price, distance, side):
    def fires(wish, seen):
        known = [p for p in seen if not math.isnan(p)]
        if not known or not watched(wish, side):
            return False
        loss = known[0] - seen[-1] if wish > 0 else seen[-1] - known[0]
        return loss >= distance

    return overlay(base, price, fires, lambda _: 0)


def slow_time_stop(base, sessions, side):
    def fires(wish, seen):
        return watched(wish, side) and len(seen) > sessions

    return overlay(base, list(base), fires, lambda _: 0)


def slow_reach(base, price, level, side, after):
    def fires(wish, seen):
        reached = seen[-1] >= level if wish > 0 else seen[-1] <= level
        return watched(wish, side) and reached

    return overlay(base, price, fires, after)


LENGTH = 20
number = st.integers(-8, 8).map(lambda n: n / 2)
signals = st.lists(st.one_of(st.just(NAN), number), min_size=LENGTH, max_size=LENGTH)
wishes = st.lists(st.sampled_from([0, -1, -1, -1, 1, 1, 2]), min_size=1, max_size=6).flatmap(
    lambda states: st.lists(st.sampled_from(states), min_size=LENGTH, max_size=LENGTH)
)
threshold = st.one_of(st.just(NAN), number)
size = st.sampled_from([1, 3, -2])
watch = st.sampled_from(["both", "long", "short"])


@settings(max_examples=300, deadline=None)
@given(signals, threshold, threshold, size, st.sampled_from(["both", "above", "below"]))
def test_hold_is_what_plain_python_says(x, enter, exit_, units, side):
    enter = abs(enter) if side == "both" else enter
    found = hold(series(x), enter, exit_, units=units, side=side)
    assert list(found) == slow_hold(x, enter, exit_, units, side)


@settings(max_examples=300, deadline=None)
@given(
    signals,
    threshold,
    st.sampled_from([NAN, 0.5, 1.0, 3.0]),
    st.integers(1, 5),
    threshold,
    size,
    st.sampled_from(["above", "below"]),
)
def test_ladder_is_what_plain_python_says(x, start, step, rungs, exit_, units, side):
    found = ladder(series(x), start, step, rungs, exit=exit_, units=units, side=side)
    assert list(found) == slow_ladder(x, start, step, rungs, exit_, units, side)


@settings(max_examples=300, deadline=None)
@given(wishes, signals, st.sampled_from([NAN, 0.5, 1.0, 3.0]), watch)
def test_stop_is_what_plain_python_says(base, price, distance, side):
    found = stop(series(base), series(price), distance, side=side)
    assert list(found) == slow_stop(base, price, distance, side)


@settings(max_examples=200, deadline=None)
@given(wishes, st.sampled_from([NAN, 1, 2, 3, 7]), watch)
def test_time_stop_is_what_plain_python_says(base, sessions, side):
    assert list(time_stop(series(base), sessions, side=side)) == slow_time_stop(
        base, sessions, side
    )


@settings(max_examples=300, deadline=None)
@given(wishes, signals, threshold, watch, st.sampled_from([None, 1, 4]))
def test_take_profit_and_reverse_are_what_plain_python_says(base, price, level, side, after):
    found = take_profit(series(base), series(price), level, side=side)
    assert list(found) == slow_reach(base, price, level, side, lambda _: 0)

    def turned(wish: int) -> int:
        return -wish if after is None else (-after if wish > 0 else after)

    found = reverse(series(base), series(price), level, units_after=after, side=side)
    assert list(found) == slow_reach(base, price, level, side, turned)


# -- runs and sweeps, past and future --------------------------------------------------------

Rule = Callable[..., Any]
#: Each rule with its signal or price, its wish, and two numbers that may be vectors.
RULES: dict[str, Rule] = {
    "hold": lambda x, u, a, b: hold(x, np.abs(a), b),
    "above": lambda x, u, a, b: hold(x, a, b, side="above", units=2),
    "below": lambda x, u, a, b: hold(x, a, b, side="below"),
    "ladder": lambda x, u, a, b: ladder(x, a, 1.0, 3, exit=b),
    "stop": lambda x, u, a, b: stop(u, x, np.abs(a) + 0.5),
    "time_stop": lambda x, u, a, b: time_stop(u, np.ceil(np.abs(a)) + 1),
    "take_profit": lambda x, u, a, b: take_profit(u, x, a),
    "reverse": lambda x, u, a, b: reverse(u, x, a, units_after=np.ceil(np.abs(b)) + 1),
}


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=40, deadline=None)
@given(x=signals, u=wishes, pairs=st.lists(st.tuples(threshold, threshold), min_size=1, max_size=5))
def test_a_sweep_is_its_runs_side_by_side(name, x, u, pairs):
    rule, price, wish = RULES[name], series(x), series(u)
    a, b = np.array(pairs).T
    runs = [rule(price, wish, *pair) for pair in pairs]
    many = rule(price, wish, a, b)
    assert many.shape == (LENGTH, len(pairs))
    assert many.dtype == np.int32
    assert many.flags.f_contiguous
    for j, run in enumerate(runs):
        assert isinstance(run, pd.Series)
        assert list(many[:, j]) == list(run)
    # Signals and wishes that have columns of their own give the same.
    take = np.zeros(len(pairs), dtype=np.intp)
    wide = np.repeat(wish.to_numpy(dtype=np.int32)[:, None], len(pairs), axis=1)
    columns = Columns(price.to_numpy()[:, None], take)
    np.testing.assert_array_equal(rule(columns, wide, a, b), many)
    np.testing.assert_array_equal(rule(columns.expand(), wide, a, b), many)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=40, deadline=None)
@given(x=signals, u=wishes, a=threshold, b=threshold, cut=st.integers(1, LENGTH))
def test_the_wish_of_the_past_is_the_past_of_the_wish(name, x, u, a, b, cut):
    rule = RULES[name]
    whole = rule(series(x), series(u), a, b)
    pd.testing.assert_series_equal(
        rule(series(x[:cut]), series(u[:cut]), a, b), whole.iloc[:cut], check_freq=False
    )


def test_a_sweep_over_look_backs_and_thresholds_reads_each_its_own_columns():
    rng = np.random.default_rng(7)
    x = series(list(rng.normal(size=60).cumsum()))
    lookback, enter = np.array([5, 9, 5, 20]), np.array([1.0, 1.5, 2.0, 1.0])
    many = hold(zscore(x, lookback), enter, 0.0)
    for j in range(4):
        one = hold(zscore(x, int(lookback[j])), enter[j], 0.0)
        assert list(many[:, j]) == list(one)
    # A threshold that moves by session goes into the signal.
    _, upper = bollinger(x, lookback, enter)
    bands = hold(x - upper, 0.0, -1.0, side="above")
    _, own = bollinger(x, 20, 1.0)
    assert list(bands[:, 3]) == list(hold(x - own, 0.0, -1.0, side="above"))


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda x: hold(x, -1, 0), "side='above'"),
        (lambda x: hold(x, 1, 0, side="abve"), "Did you mean 'above'"),
        (lambda x: hold(x, 1, 0, units=0), "units must be whole and not zero, got 0"),
        (lambda x: hold(x, 1, 0, units=1.5), r"got 1\.5"),
        (lambda x: hold(x, 1, 0, units=None), "got nan"),
        (lambda x: hold(x, np.ones(2), np.ones(3)), "2 and 3 columns"),
        (lambda x: hold(x, np.ones((3, 2)), 0), "belongs into the signal"),
        (lambda x: hold(list(x), 1, 0), "not list"),
        (lambda x: ladder(x, 1, 0, 2, exit=0), "step must be above zero"),
        (lambda x: ladder(x, 1, 1, 0, exit=0), "rungs must be whole and positive"),
        (lambda x: ladder(x, 1, 1, 2, exit=0, side="both"), "write one of above, below"),
        (lambda x: stop(x, x, -5), "distance must be above zero"),
        (lambda x: stop(x * 0.5, x, 5), "units must be whole numbers"),
        (lambda x: stop(x * np.inf, x, 5), "units must be whole numbers"),
        (lambda x: stop(x, x.iloc[1:], 5), "share their sessions"),
        (lambda x: stop(np.ones((2, 2), dtype=np.int32), x, 5), "do not match"),
        (lambda x: time_stop(x, 0), "sessions must be whole and positive"),
        (lambda x: time_stop(x, 1.5), "or None to switch it off"),
        (lambda x: take_profit(x, x, 5, side="shrt"), "Did you mean 'short'"),
        (lambda x: reverse(x, x, 5, units_after=-1), "units_after must be whole and positive"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(rule, message):
    with pytest.raises(StrategyError, match=message):
        rule(series([1, 2, 3]))
