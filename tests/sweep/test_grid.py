"""The grid: every set is a number, every number a set, however they are cut into blocks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sibt
from sibt.errors import SettingError, StrategyError
from sibt.sweep.grid import Axis, Grid, grid


class Pair(sibt.Strategy):
    """Parameters of every sort."""

    variant = sibt.Param("slow", "which", choices=("slow", "fast"))
    near = sibt.Param("si2405", "contract")
    entry = sibt.Param(1.5, "opens", "sd", low=0, high=9, grid=(1.0, 2.0))
    exit = sibt.Param(0.5, "closes", "sd", low=-9, high=9, grid=(0.0, 0.5, 1.0))
    lookback = sibt.Param(20, "observations", "sessions", low=2, grid=(10, 20))
    hold = sibt.Param(None, "longest", "sessions", low=1, grid=(None, 40, 60))


class Bare(sibt.Strategy):
    """No grid of its own."""

    entry = sibt.Param(1.0, "opens")


numbers = st.lists(
    st.one_of(st.integers(-50, 50).map(float), st.just(math.nan)), min_size=2, max_size=6,
    unique_by=lambda value: None if math.isnan(value) else value,
)
words = st.lists(st.text("abc", min_size=1, max_size=3), min_size=2, max_size=4, unique=True)


@st.composite
def grids(draw, **fixed):
    structural = draw(st.lists(words, max_size=2))
    numeric = draw(st.lists(numbers, min_size=0 if structural else 1, max_size=3))
    axes = [Axis(f"text{n}", tuple(values), True) for n, values in enumerate(structural)]
    axes += [Axis(f"number{n}", tuple(values), False) for n, values in enumerate(numeric)]
    return Grid(tuple(axes), chunk=draw(st.integers(1, 40)), **fixed)


def told(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def laid_out(found):
    """Every set the plain way, in order: structural axes turn slowest."""
    names = [axis.name for axis in found.axes]
    return [
        dict(zip(names, map(told, row), strict=True))
        for row in itertools.product(*(axis.values for axis in found.axes))
    ]


def sets_of(blocks):
    """Every set of some blocks: its number, and its parameters."""
    return [
        (int(number), {name: told(value) for name, value in
                       {**block.fixed, **{k: row[at] for k, row in block.rows.items()}}.items()})
        for block in blocks
        for at, number in enumerate(block.sets)
    ]


# -- Numbers and sets --------------------------------------------------------------------------


@given(grids())
@settings(max_examples=60, deadline=None)
def test_every_number_is_one_combination_and_back(found):
    every = np.arange(found.size)
    rows = found.values(every)
    seen = [{name: told(rows[name][n]) for name in rows} for n in every]
    assert seen == laid_out(found)
    place = found.places(every)
    back = np.zeros(found.size, dtype=int)
    for axis in found.axes:
        back = back * len(axis.values) + place[axis.name]
    np.testing.assert_array_equal(back, every)


@given(grids())
@settings(max_examples=60, deadline=None)
def test_blocks_hold_every_set_once_in_order(found):
    blocks = list(found.blocks())
    assert len(blocks) == found.block_count()
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert sets_of(blocks) == list(enumerate(laid_out(found)))
    assert max(len(block.sets) for block in blocks) <= found.chunk


@given(grids())
@settings(max_examples=40, deadline=None)
def test_no_block_lies_across_two_structures(found):
    texts = {axis.name for axis in found.structural}
    for block in found.blocks():
        assert texts <= set(block.fixed)
        assert not texts & set(block.rows)


@given(grids(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_block_is_the_same_asked_for_alone(found, data):
    number = data.draw(st.integers(0, found.block_count() - 1))
    alone, among = found.block(number), list(found.blocks())[number]
    np.testing.assert_array_equal(alone.sets, among.sets)
    assert sets_of([alone]) == sets_of([among])


# -- Samples -----------------------------------------------------------------------------------


@given(grids(), st.integers(1, 60), st.integers(0, 5), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_a_sample_is_drawn_without_replacement_whatever_the_chunks(found, count, seed, chunk):
    drawn = Grid(found.axes, sample=count, seed=seed, chunk=found.chunk)
    sets = sets_of(drawn.blocks())
    chosen = [number for number, _ in sets]
    assert len(chosen) == min(count, found.size) == drawn.count
    assert sorted(set(chosen)) == chosen
    every = laid_out(found)
    assert all(every[number] == values for number, values in sets)
    other = Grid(found.axes, sample=count, seed=seed, chunk=chunk)
    assert sets_of(other.blocks()) == sets


def test_a_sample_of_a_grid_too_large_to_lay_out_is_drawn_all_the_same():
    axes = tuple(Axis(f"n{n}", tuple(map(float, range(100_000))), False) for n in range(3))
    found = Grid(axes, sample=5000, seed=3)
    assert found.size == 10**15
    sets = np.concatenate([block.sets for block in found.blocks()])
    assert len(sets) == 5000
    assert (np.diff(sets) > 0).all()
    assert 0.4e15 < sets.mean() < 0.6e15
    assert set(Grid(axes, sample=5000, seed=4).drawn).isdisjoint(sets)


def test_every_set_is_as_likely_to_be_drawn_as_any_other():
    axis = Axis("n", tuple(map(float, range(20))), False)
    often = np.bincount(
        np.concatenate([Grid((axis,), sample=5, seed=seed).drawn for seed in range(2000)]),
        minlength=20,
    )
    # 500 expected, standard deviation 19.
    assert often.min() > 420
    assert often.max() < 580


# -- Conditions --------------------------------------------------------------------------------

compared = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
name = st.sampled_from(["entry", "exit", "lookback", "hold"])
term = st.one_of(
    name,
    st.integers(-3, 60).map(lambda number: f"({number})"),
    st.builds("({} {} {})".format, name, st.sampled_from(["+", "-", "*"]), name),
)
plain = st.builds("{} {} {}".format, term, compared, term)
chained = st.builds("{} {} {} {} {}".format, term, compared, term, compared, term)
texts = st.builds("variant {} '{}'".format, st.sampled_from(["==", "!="]),
                  st.sampled_from(["slow", "fast", "other"]))
conditions = st.recursive(
    st.one_of(plain, chained, texts),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


@given(conditions)
@settings(max_examples=150, deadline=None)
def test_where_is_a_plain_filter(where):
    asked = {"variant": "slow,fast", "entry": "1:3:0.5", "exit": "0:2:0.5", "hold": "none,40"}
    every = sets_of(grid(Pair, asked).blocks())
    kept = [
        (number, values)
        for number, values in every
        if eval(where, {}, {k: math.nan if v is None else v for k, v in values.items()})
    ]
    assert sets_of(grid(Pair, asked, where=where).blocks()) == kept


def test_where_divides_by_nothing_without_a_word():
    found = grid(Pair, {"exit": "0,1,2"}, where="entry / exit > 1 or lookback % exit == 1")
    assert [values["exit"] for _, values in sets_of(found.blocks())] == [0.0, 1.0]


@pytest.mark.parametrize(
    "where",
    ["__import__('os').system('true')", "entry.__class__ == 1", "(lambda: 1)() < 2",
     "entry ** 9 > 1", "[x for x in (1,)] == 1", "entry if exit else hold", "open('x') < 1",
     "f'{entry}' == 'a'", "entry in (1, 2)", "(entry := 3) > 2", "entry << 99 > 1"],
)  # fmt: skip
def test_where_is_no_way_to_run_code(where):
    with pytest.raises(SettingError, match="more than comparisons of parameters and numbers"):
        grid(Pair, {"exit": "0,1"}, where=where)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("exit <", "cannot be read"),
        ("", "cannot be read"),
        ("exit < entry\0", "cannot be read"),
        ("(" * 5000 + "exit" + ")" * 5000 + " < 1", "cannot be read"),
        ("exit", "compares nothing"),
        ("exit + 1", "compares nothing"),
        ("exit < entri", "Did you mean 'entry'?"),
        ("near < 3", "compares what cannot be compared"),
        ("variant * 1000000000 == 'a'", "compares what cannot be compared"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(where, said):
    with pytest.raises(SettingError) as caught:
        grid(Pair, {"exit": "0,1"}, where=where)
    assert said in str(caught.value)
    assert str(caught.value).count("\n") == 0


# -- What somebody writes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("1:3:0.5", (1, 1.5, 2, 2.5, 3)),
        ("1:1.35:0.1", (1, 1.1, 1.2, 1.3)),
        ("0:0.3:0.1", (0, 0.1, 0.2, 0.3)),
        ("3:1:-1", (3, 2, 1)),
        ("1e0:2e0:5e-1", (1, 1.5, 2)),
        (" 2 , 1 ,2", (2, 1)),
        ([3, 4], (3, 4)),
        (np.array([1.0, 2.0]), (1, 2)),
    ],
)
def test_a_range_has_both_ends_and_the_values_as_written(written, values):
    (axis,) = grid(Pair, {"entry": written}).axes
    assert axis.values == values


@given(st.integers(0, 80), st.integers(1, 12), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_a_range_is_every_step_of_it(first, step, count):
    high = first + step * count
    (axis,) = grid(Pair, {"entry": f"{first / 100:.2f}:{high / 100:.2f}:{step / 100:.2f}"}).axes
    assert axis.values == tuple(round((first + step * n) / 100, 2) for n in range(count + 1))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1:3:0", "leads nowhere"),
        ("1:3:-1", "leads nowhere"),
        ("3:1:1", "leads nowhere"),
        ("1:inf:1", "leads nowhere"),
        ("1:nan:1", "leads nowhere"),
        ("1:x:1", "write a range as from:to:step"),
        ("0:9:0.0000001", "take a longer step"),
        (",", "no values to sweep"),
        ([], "no values to sweep"),
    ],
)
def test_a_range_that_leads_nowhere_is_refused(written, said):
    with pytest.raises(SettingError, match=said):
        grid(Pair, {"entry": written})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"entri": "1,2"}, "Did you mean 'entry'?"),
        ({"entry": "1,20"}, "at most 9"),
        ({"entry": "1,two"}, "give a number"),
        ({"entry": "1,none"}, "cannot be none"),
        ({"lookback": "5:6:0.5"}, "give a whole number"),
        ({"variant": "slow,fats"}, "Did you mean 'fast'?"),
    ],
)
def test_a_value_the_strategy_does_not_allow_is_refused(asked, said):
    with pytest.raises(StrategyError) as caught:
        grid(Pair, asked)
    assert said in str(caught.value)


def test_a_bare_sweep_is_the_strategys_own_grid():
    found = grid(Pair)
    assert {axis.name: len(axis.values) for axis in found.axes} == {
        "entry": 2, "exit": 3, "lookback": 2, "hold": 3,
    }
    assert found.size == 36
    assert found.fixed == {"variant": "slow", "near": "si2405"}


def test_one_value_stands_in_place_of_the_strategys_own_grid():
    found = grid(Pair, {"entry": "3"})
    assert [axis.name for axis in found.axes] == ["exit", "lookback", "hold"]
    assert found.fixed["entry"] == 3.0


def test_nothing_to_sweep_is_refused():
    with pytest.raises(SettingError, match="nothing to sweep"):
        grid(Bare)


@pytest.mark.parametrize("count", [0, -3])
def test_a_sample_of_none_is_refused(count):
    with pytest.raises(SettingError, match=f"A sample of {count} sets is none"):
        grid(Pair, sample=count)


def test_a_grid_nobody_could_book_is_refused_unless_some_of_it_is_drawn():
    wide = {"entry": "0:9:0.001", "exit": "0:9:0.001", "lookback": "2:1000:1"}
    with pytest.raises(SettingError, match="more than can be booked; draw some"):
        grid(Pair, wide)
    assert grid(Pair, wide, sample=10).count == 10
    with pytest.raises(SettingError, match="more than can be booked"):
        grid(Pair, {**wide, "lookback": "2:90000:1", "hold": "1:900000:1"}, sample=10)


def test_structural_parameters_turn_slowest_and_the_last_named_number_fastest():
    found = grid(Pair, {"exit": "0,1", "variant": "slow,fast", "entry": "1,2"})
    assert [axis.name for axis in found.axes] == ["variant", "exit", "entry"]
    first = [(v["variant"], v["exit"], v["entry"]) for _, v in sets_of(found.blocks())][:3]
    assert first == [("slow", 0.0, 1.0), ("slow", 0.0, 2.0), ("slow", 1.0, 1.0)]


def test_a_grid_stands_in_a_manifest_as_json():
    import json

    found = grid(Pair, {"hold": "none,40", "variant": "fast,slow"}, where="hold > 3", seed=4)
    again = json.loads(json.dumps(found.describe()))
    assert again["axes"] == {"variant": ["fast", "slow"], "hold": [None, 40]}
    assert again["where"] == "hold > 3"
    assert again["seed"] == 4
