from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibt.errors import DataError, StrategyError
from sibt.hedging.physical import physical_book
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2024-03-01"][:30]

quotes = st.lists(st.one_of(st.none(), st.integers(5_000, 20_000)), min_size=2, max_size=30)


def market_of(spot, grade="553"):
    sessions = DAYS[: len(spot)]
    bars = {name: np.full((len(sessions), 1), 10_000.0) for name in FIELDS}
    return Market(
        sessions=sessions,
        contracts=("si2410",),
        spot=pd.DataFrame({grade: [np.nan if x is None else float(x) for x in spot]}, sessions),
        receipts=pd.Series(np.nan, index=sessions),
        **bars,
    )


def book_of(spot, tonnes, grade="553"):
    market = market_of(spot)
    return physical_book(market, pd.Series(tonnes, index=market.sessions, dtype=float), grade)


def test_goods_gain_what_their_quote_gained():
    book = book_of([10_000, 10_100, 10_050], [100, 100, 100])
    assert book.profit.tolist() == [0.0, 10_000.0, -5_000.0]


def test_the_gain_is_of_what_was_owned_after_the_session_before():
    book = book_of([10_000, 10_100, 10_200], [100, 40, 40])
    # The 60 t sold in the second session were sold at its quote.
    assert book.profit.tolist() == [0.0, 10_000.0, 4_000.0]


def test_goods_bought_gain_nothing_on_the_day():
    assert book_of([10_000, 10_100], [0, 100]).profit.tolist() == [0.0, 0.0]


def test_goods_owed_gain_when_the_quote_falls():
    assert book_of([10_000, 9_900], [-50, -50]).profit.tolist() == [0.0, 5_000.0]


def test_an_unknown_day_gains_nothing_and_the_next_quote_makes_up_for_it():
    book = book_of([10_000, None, 10_300], [10, 10, 10])
    assert book.profit.fillna(-1).tolist() == [0.0, -1.0, 3_000.0]
    assert book.unknown == 1


def test_unknown_days_without_goods_are_not_counted():
    assert book_of([10_000, None, None, 10_300], [0, 0, 0, 0]).unknown == 0


def test_sessions_not_named_keep_the_last_tonnes_and_begin_at_none():
    market = market_of([10_000, 10_100, 10_200, 10_300])
    book = physical_book(market, pd.Series([10.0], index=[market.sessions[1]]), "553")
    assert book.tonnes.tolist() == [0.0, 10.0, 10.0, 10.0]
    assert book.profit.tolist() == [0.0, 0.0, 1_000.0, 1_000.0]


@given(quotes, st.integers(-5_000, 5_000))
def test_constant_goods_gain_tonnes_times_the_whole_change_whatever_days_are_unknown(spot, tonnes):
    book = book_of(spot, [tonnes] * len(spot))
    known = [x for x in spot if x is not None]
    change = known[-1] - known[0] if known else 0
    assert book.profit.sum() == pytest.approx(tonnes * change, abs=1e-6)


@given(quotes, st.data())
def test_gains_add_up_to_tonnes_at_a_quote_times_the_change_to_the_next(spot, data):
    tonnes = data.draw(
        st.lists(st.integers(-1_000, 1_000), min_size=len(spot), max_size=len(spot))
    )
    book = book_of(spot, tonnes)
    at = [i for i, x in enumerate(spot) if x is not None]
    expected = sum(tonnes[a] * (spot[b] - spot[a]) for a, b in pairwise(at))
    assert book.profit.sum() == pytest.approx(expected, abs=1e-6)


@given(quotes, st.data())
def test_every_unknown_day_with_goods_is_counted_and_no_other(spot, data):
    tonnes = data.draw(st.lists(st.integers(0, 3), min_size=len(spot), max_size=len(spot)))
    book = book_of(spot, tonnes)
    before = [0, *tonnes[:-1]]
    assert book.unknown == sum(
        x is None and owned != 0 for x, owned in zip(spot, before, strict=True)
    )
    assert book.profit.isna().tolist() == [x is None for x in spot]


@given(quotes, st.integers(1, 29))
def test_what_is_published_later_changes_no_earlier_gain(spot, count):
    tonnes = [100.0] * len(spot)
    whole = book_of(spot, tonnes)
    count = min(count, len(spot))
    cut = physical_book(
        market_of(spot).asof(DAYS[count - 1]), pd.Series(tonnes[:count], DAYS[:count]), "553"
    )
    pd.testing.assert_series_equal(cut.profit, whole.profit.iloc[:count], check_freq=False)


def test_a_grade_without_quotes_is_named_with_those_there_are():
    with pytest.raises(DataError, match=r"'554'.*it has 553.*spot\.csv.*Did you mean '553'"):
        book_of([10_000, 10_100], [1, 1], grade="554")


def test_tonnes_of_a_day_that_is_no_session_are_refused():
    market = market_of([10_000, 10_100])
    sunday = pd.Series([1.0], index=[pd.Timestamp("2024-03-03")])
    with pytest.raises(StrategyError, match=r"2024-03-03, which is no session"):
        physical_book(market, sunday, "553")


@pytest.mark.parametrize("tonnes", [np.inf, -np.inf])
def test_infinite_tonnes_are_refused(tonnes):
    with pytest.raises(StrategyError, match="infinite number of tonnes"):
        book_of([10_000, 10_100], [1, tonnes])
