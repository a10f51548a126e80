from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.errors import DataError, StrategyError
from sibt.hedging.exposure import Exposure
from sibt.hedging.physical import gains, physical_book, quotes, unmarked
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market
from sibt.runs.run import run
from sibt.sources import load_market

DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2024-03-01"][:30]

spots = st.lists(st.one_of(st.none(), st.integers(5_000, 20_000)), min_size=2, max_size=30)


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


@settings(deadline=None)
@given(spots, st.integers(-5_000, 5_000))
def test_constant_goods_gain_tonnes_times_the_whole_change_whatever_days_are_unknown(spot, tonnes):
    book = book_of(spot, [tonnes] * len(spot))
    known = [x for x in spot if x is not None]
    change = known[-1] - known[0] if known else 0
    assert book.profit.sum() == pytest.approx(tonnes * change, abs=1e-6)


@settings(deadline=None)
@given(spots, st.data())
def test_gains_add_up_to_tonnes_at_a_quote_times_the_change_to_the_next(spot, data):
    tonnes = data.draw(
        st.lists(st.integers(-1_000, 1_000), min_size=len(spot), max_size=len(spot))
    )
    book = book_of(spot, tonnes)
    at = [i for i, x in enumerate(spot) if x is not None]
    expected = sum(tonnes[a] * (spot[b] - spot[a]) for a, b in pairwise(at))
    assert book.profit.sum() == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(spots, st.data())
def test_every_unknown_day_with_goods_is_counted_and_no_other(spot, data):
    tonnes = data.draw(st.lists(st.integers(0, 3), min_size=len(spot), max_size=len(spot)))
    book = book_of(spot, tonnes)
    before = [0, *tonnes[:-1]]
    assert book.unknown == sum(
        x is None and owned != 0 for x, owned in zip(spot, before, strict=True)
    )
    assert book.profit.isna().tolist() == [x is None for x in spot]


@settings(deadline=None)
@given(spots, st.integers(1, 29))
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


# -- Trades ------------------------------------------------------------------------------------


def exposure_of(market, *trades, grade="553"):
    """Return goods from (session, what, tonnes, price)."""
    table = pd.DataFrame(
        [(market.sessions[t], what, float(q), float(price)) for t, what, q, price in trades],
        columns=["session", "what", "tonnes", "price"],
    )
    moved = table.groupby("session")["tonnes"].sum()
    owned = moved.reindex(market.sessions, fill_value=0.0).cumsum()
    return Exposure(grade, owned, table)


def test_a_sale_at_an_agreed_price_gains_what_it_is_better_than_the_quote():
    market = market_of([10_000, 10_100, 10_200])
    goods = exposure_of(market, (0, "inventory", 100, np.nan), (1, "sale", -40, 10_150))
    book = physical_book(market, goods)
    # 100 t × 100, and 40 t × 50 more than the quote of the day.
    assert book.profit.tolist() == [0.0, 12_000.0, 6_000.0]
    assert book.sold["value"].tolist() == [406_000.0]
    assert book.opening == 1_000_000.0


def test_a_purchase_below_the_quote_gains_on_the_day():
    market = market_of([10_000, 10_100])
    book = physical_book(market, exposure_of(market, (0, "purchase", 10, 9_800)))
    assert book.profit.tolist() == [2_000.0, 1_000.0]
    assert book.sold["value"].tolist() == [-98_000.0]
    assert book.opening == 0.0


def test_a_need_met_below_the_quote_gains():
    market = market_of([10_000, 10_100])
    goods = exposure_of(market, (0, "need", -10, np.nan), (1, "need", 10, 10_050))
    book = physical_book(market, goods)
    # Ten tonnes needed lost 100 each and were bought 50 below the quote.
    assert book.profit.tolist() == [0.0, -1_000.0 + 500.0]
    assert book.sold["value"].tolist() == [-100_500.0]
    assert book.opening == -100_000.0


def test_a_trade_on_a_day_without_a_quote_is_at_the_next_one():
    market = market_of([10_000, None, 10_300, None])
    goods = exposure_of(
        market, (0, "inventory", 10, np.nan), (1, "sale", -4, np.nan), (3, "sale", -6, np.nan)
    )
    book = physical_book(market, goods)
    assert book.trades["price"].fillna(-1).tolist() == [10_000.0, 10_300.0, -1.0]
    assert book.profit.fillna(-1).tolist() == [0.0, -1.0, 3_000.0, -1.0]


def test_each_grade_is_marked_at_its_own_quotes():
    market = market_of([12_000, 12_100], grade="421")
    goods = exposure_of(market, (0, "inventory", 10, np.nan), grade="421")
    assert physical_book(market, goods).profit.tolist() == [0.0, 1_000.0]
    assert physical_book(market, goods).grade == "421"


@pytest.mark.parametrize(("code", "premium"), [("si2411", 2_000), ("si2412", 800)])
def test_a_book_of_421_is_worth_its_premium_more_than_its_basis_says(code, premium):
    market, day = load_market("sample"), pd.Timestamp("2024-11-01")
    tonne = pd.Series(1.0, index=market.sessions)
    worth = {grade: physical_book(market, tonne, grade).spot[day] for grade in ("553", "421")}
    basis = {grade: market.basis(grade, contract=code)[day] for grade in worth}
    assert worth["421"] - basis["421"] == worth["553"] - basis["553"] + premium


# -- Many columns ------------------------------------------------------------------------------


@settings(deadline=None)
@given(spots, st.data())
def test_many_columns_gain_what_their_books_gain(spot, data):
    market = market_of(spot)
    count = data.draw(st.integers(1, 4))
    column = st.lists(st.one_of(st.just(np.nan), st.integers(-900, 900).map(float)),
                      min_size=len(spot), max_size=len(spot))  # fmt: skip
    owned = np.column_stack([data.draw(column) for _ in range(count)])
    found = gains(market, owned, "553")
    for n in range(count):
        book = physical_book(market, pd.Series(owned[:, n], market.sessions), "553")
        assert found[:, n].tolist() == book.profit.dropna().tolist()


def test_columns_of_infinite_tonnes_or_of_a_grade_without_quotes_are_refused():
    market = market_of([10_000, 10_100])
    with pytest.raises(StrategyError, match="infinite number of tonnes"):
        gains(market, np.full((2, 3), np.inf), "553")
    with pytest.raises(DataError, match=r"'441'.*it has 553"):
        gains(market, np.ones((2, 3)), "441")
    with pytest.raises(DataError, match="'441'"):
        quotes(market, "441")


def test_goods_that_no_quote_marks_are_named_with_the_day_they_come():
    market = market_of([10_000, 10_100, None, None])
    owned = np.array([[0, 5, 0, 0], [0, 5, 0, 0], [0, 5, 7, -7], [0, 0, 7, -7]], dtype=float)
    found = unmarked(market, owned, "553")
    assert list(found) == [2, 3]
    assert all(f"no quote of 553 from {DAYS[2]:%Y-%m-%d} on" in why for why in found.values())
    assert list(unmarked(market_of([None] * 4), owned, "553")) == [1, 2, 3]


def test_a_run_whose_goods_no_quote_marks_is_refused():
    market = load_market("sample")
    spot = market.spot.copy()
    spot.loc["2024-01-01":, "553"] = np.nan
    with pytest.raises(DataError, match="no quote of 553 from 2024-03-29 on"):
        run("producer_hedge", replace(market, spot=spot))
