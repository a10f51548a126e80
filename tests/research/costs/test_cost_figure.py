"""A recomputed figure is held against the printed one at the precision that is printed in."""

import math

import pytest

from sibt.language import said
from sibt.research.costs.figure import (
    AGREES,
    DIFFERS,
    ROUNDING,
    Bounds,
    Figure,
    agreement,
    over,
    table,
)


def one(value):
    return Bounds(value, value)


@pytest.mark.parametrize(
    ("value", "printed", "expected"),
    [
        (85.2367, 85.24, AGREES),
        (85.234, 85.24, DIFFERS),
        (11.025, 11.03, AGREES),  # half up, though the float lies below the half
        (11.0249, 11.03, DIFFERS),
        (0.51, 0.5, AGREES),
        (0.55, 0.5, DIFFERS),
        (729.4, 729.0, AGREES),
        (729.5, 729.0, DIFFERS),
        (-41.5625, -42.0, AGREES),
        (math.nan, 1.0, DIFFERS),
    ],
)
def test_a_figure_agrees_where_it_rounds_to_the_printed_one(value, printed, expected):
    assert agreement(one(value), one(printed)) == expected


def test_a_step_coarser_than_the_last_digit_may_be_given():
    assert agreement(one(5040.0), one(5000.0)) == DIFFERS
    assert agreement(one(5040.0), one(5000.0), step=1000.0) == AGREES
    assert agreement(one(0.1786), one(0.2)) == AGREES  # one decimal
    assert agreement(one(0.1786), one(0.2), step=0.01) == DIFFERS


def test_a_printed_range_agrees_at_both_ends():
    assert agreement(Bounds(1500.2, 2999.8), Bounds(1500.0, 3000.0)) == AGREES
    assert agreement(Bounds(1500.0, 2300.0), Bounds(1500.0, 3000.0)) == DIFFERS
    assert agreement(Bounds(1150.0, 3000.0), Bounds(1500.0, 3000.0)) == DIFFERS


def test_one_printed_figure_agrees_anywhere_in_a_recomputed_range():
    assert agreement(Bounds(150.0, 168.0), one(156.0)) == AGREES
    assert agreement(Bounds(156.0, 168.0), one(150.0)) == DIFFERS
    assert agreement(Bounds(156.0, 168.0), one(169.0)) == DIFFERS


def test_what_rounded_inputs_allow_is_no_slip():
    room = Bounds(1.77, 2.08)
    assert agreement(one(1.923), one(2.0), 0.01, room) == ROUNDING
    assert agreement(one(1.923), one(2.1), 0.01, room) == DIFFERS


def test_a_number_or_a_pair_makes_bounds():
    assert Bounds.of(3) == Bounds(3.0, 3.0)
    assert Bounds.of([3, 4]) == Bounds(3.0, 4.0)


def test_nothing_over_nothing_is_unknown():
    assert over(6, 3) == 2
    assert math.isnan(over(6, 0))


def test_the_table_holds_numbers_a_program_reads():
    rows = table([
        Figure("a", said("{x} of it", x=1), Bounds(1.0, 2.0), "yuan/t", one(3.0), DIFFERS),
        Figure("b", said("rest"), one(math.nan), "t"),
    ])
    assert rows.columns.tolist() == ["name", "what", "low", "high", "unit", "printed_low",
                                     "printed_high", "verdict"]  # fmt: skip
    assert rows.iloc[0].tolist() == ["a", "1 of it", 1.0, 2.0, "yuan/t", 3.0, 3.0, "differs"]
    assert rows.iloc[1][["low", "printed_low"]].isna().all()
    assert rows.iloc[1]["verdict"] == ""
