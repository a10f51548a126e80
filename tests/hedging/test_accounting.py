"""The hedge-accounting sheet: the lower-of test, kinds of hedge, and what it says of the data."""

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, g06, goods, hedge_of, market_of, random_hedge

from sibt.errors import SettingError
from sibt.hedging.accounting import KINDS, kinds, lower_of, sheet
from sibt.hedging.effectiveness import effectiveness
from sibt.hedging.screen import OLD_STANDARD
from sibt.runs.run import run
from sibt.sources import load_market


def steady(count=200, ratio=1.0, lots=-20, seed=0, **how):
    """Return a hedge of 100 t whose spot moves by `ratio` of the futures and a little noise."""
    rng = np.random.default_rng(seed)
    futures = 12_000.0 + 5 * np.cumsum(rng.integers(-15, 16, count))
    spot = 500 + ratio * futures + rng.normal(scale=15, size=count)
    return hedge_of({"si2505": futures}, spot, lots=lots, **how)


def told(hedge, name, **how):
    [row] = [row for row in sheet(effectiveness(hedge), **how).rows if row.name == name]
    return row.text


@pytest.mark.parametrize(("item", "instrument", "reserve", "rest"), [
    (-100.0, 80.0, 80.0, 0.0),     # under-hedged: all of the instrument is effective
    (-100.0, 130.0, 100.0, 30.0),  # over-hedged: the excess is ineffective
    (100.0, -130.0, -100.0, -30.0),
    (100.0, -80.0, -80.0, 0.0),
    (100.0, 80.0, 0.0, 80.0),      # nothing was offset
    (0.0, -80.0, 0.0, -80.0),
    (-100.0, 0.0, 0.0, 0.0),
])  # fmt: skip
def test_the_reserve_is_the_lower_of_the_two(item, instrument, reserve, rest):
    assert lower_of(item, instrument) == (reserve, rest)


def test_goods_that_are_there_are_a_fair_value_hedge_and_those_to_come_a_cash_flow_hedge():
    market = market_of([12_000.0] * 4, [12_500.0] * 4)
    nan = np.nan
    for rows, expected in (
        ([(0, "inventory", 100, nan), (3, "sale", -100, nan)], ("fair value",)),
        ([(0, "purchase", 100, 12_400), (3, "sale", -100, nan)], ("fair value",)),
        ([(0, "output", 100, nan), (3, "sale", -100, nan)], ("cash flow",)),
        ([(0, "need", -100, nan), (3, "need", 100, nan)], ("cash flow",)),
        ([(0, "output", 50, nan), (0, "inventory", 50, nan)], KINDS),
    ):
        hedge = hedge_of([12_000.0] * 4, [12_500.0] * 4, exposure=goods(market, rows))
        assert kinds(hedge) == expected
        assert tuple(sheet(effectiveness(hedge)).measured) == expected


def test_the_kind_may_be_said_and_no_other():
    found = effectiveness(g06())
    assert sheet(found).kinds == ("fair value",)
    assert sheet(found, kind="cash flow").kinds == ("cash flow",)
    with pytest.raises(SettingError, match=r"'cashflow' is no kind.*Did you mean 'cash flow'"):
        sheet(found, kind="cashflow")


def test_g06_measured_both_ways():
    # Goods −1,100,000, futures +900,000: under-hedged in value, nothing ineffective as cash flow.
    found = effectiveness(g06())
    [flow] = sheet(found, kind="cash flow").measured["cash flow"].to_dict("records")
    assert flow == {"item": -1_100_000.0, "instrument": 900_000.0, "reserve": 900_000.0,
                    "ineffective": 0.0, "charge": 0.0}
    [value] = sheet(found, kind="fair value").measured["fair value"].to_dict("records")
    assert np.isnan(value.pop("reserve"))
    assert value == {"item": -1_100_000.0, "instrument": 900_000.0, "ineffective": -200_000.0,
                     "charge": -200_000.0}


def test_goods_no_futures_cover_are_no_hedged_item():
    # g06 at 85 %: 850 t moved by −935,000, the futures by +765,000; 150 t are not designated.
    [row] = sheet(effectiveness(g06("0.85")), kind="fair value").measured[
        "fair value"].to_dict("records")
    assert (row["item"], row["instrument"], row["ineffective"]) == (
        -935_000.0, 765_000.0, -170_000.0)


@pytest.mark.parametrize("seed", range(0, 60, 3))
@pytest.mark.parametrize("kind", KINDS)
def test_charges_add_up_and_the_instrument_is_reserve_and_charges(seed, kind):
    found = effectiveness(random_hedge(seed))
    table = sheet(found, kind=kind).measured[kind]
    if table.empty:
        return
    np.testing.assert_allclose(table["charge"].cumsum(), table["ineffective"], atol=0.05)
    if kind == "cash flow":
        np.testing.assert_allclose(
            table["reserve"] + table["ineffective"], table["instrument"], atol=0.02)
        assert (table["reserve"].abs() <= table["item"].abs() + 0.01).all()
        assert (table["reserve"].abs() <= table["instrument"].abs() + 0.01).all()
    else:
        np.testing.assert_allclose(
            table["item"] + table["instrument"], table["ineffective"], atol=0.02)


def test_every_question_of_the_standards_is_answered_under_its_chinese_name():
    rows = sheet(effectiveness(g06())).rows
    assert [row.term for row in rows] == [
        "被套期项目", "套期工具", "套期类型", "经济关系", "信用风险", "套期比率", "无效部分的来源",
        "套期无效部分", "书面文件", OLD_STANDARD]
    assert all(row.text.endswith(".") and "nan" not in row.text.lower() for row in rows)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_no_hedge_leaves_a_hole_in_a_sentence(seed):
    for row in sheet(effectiveness(random_hedge(seed))).rows:
        assert row.text
        for hole in ("nan", "None", "inf ", "{", "NaT"):
            assert hole not in row.text, row.text


def test_item_and_instrument_are_named():
    assert told(g06(), "hedged item").startswith("1,000 t of grade 553")
    assert told(g06(), "hedging instrument") == (
        "Futures si2410 on the exchange, 200 lots at the most, each in its entirety.")
    need = hedge_of([12_000.0] * 3, [12_000.0] * 3, tonnes=-100.0, lots=20)
    assert told(need, "hedged item").startswith("100 t of grade 553 to be bought")
    bare = hedge_of([12_000.0] * 3, [12_000.0] * 3, lots=0)
    assert told(bare, "hedging instrument") == "No futures were held."


def test_the_relationship_is_shown_by_correlation_where_there_are_enough_stretches():
    text = told(steady(ratio=0.8), "economic relationship")
    assert "correlate by 0.9" in text or "correlate by 1.0" in text
    assert "over 9 stretches of 20 quotes" in text
    slope = float(text.split("spot moved ")[1].split(" yuan")[0])
    assert slope == pytest.approx(0.8, abs=0.08)
    assert "Not shown by these data: 0 stretches" in told(g06(), "economic relationship")


class TestRatio:
    def test_it_is_what_was_used(self):
        text = told(steady(lots=-17), "hedge ratio")
        assert text.startswith("As used: 85 t of futures against 100 t of goods on average")
        assert "85%" in text
        assert "more than the goods" not in text

    def test_balance_is_judged_by_what_the_goods_moved_against_the_futures(self):
        assert "No sign of imbalance: the goods moved 1.0" in told(steady(), "hedge ratio")
        text = told(steady(lots=-10), "hedge ratio")
        assert "Out of balance: the goods moved 2.0" in text or "moved 1.9" in text
        assert "rebalancing (再平衡)" in text
        assert "these data do not tell" in told(g06(), "hedge ratio")

    @pytest.mark.parametrize(("tonnes", "lots", "over"), [
        (100.0, -20, False), (100.0, -21, True), (100.0, 1, True), (-100.0, 20, False),
        (-100.0, 21, True), (-100.0, -1, True), (104.0, -21, False), (96.0, -20, False),
    ])  # fmt: skip
    def test_more_futures_than_goods_are_named_by_date(self, tonnes, lots, over):
        hedge = hedge_of([12_000.0] * 5, [12_500.0] * 5, tonnes=tonnes, lots=lots)
        text = told(hedge, "hedge ratio")
        assert (f"In 4 sessions, first on {DAYS[1]:%Y-%m-%d}, they were more" in text) is over

    def test_lots_that_follow_sales_by_a_session_are_not_more_than_the_goods(self):
        owned = np.array([100.0, 100, 80, 60, 40, 0])
        hedge = hedge_of([12_000.0] * 6, [12_500.0] * 6, tonnes=owned, lots=-owned / 5)
        assert "more than the goods" not in told(hedge, "hedge ratio")


def test_the_old_screen_is_told_as_the_old_standards():
    text = told(g06(), "80 to 125 % screen")
    assert text == ("No longer asked by CAS 24 (2017) and IFRS 9. Months within: 1 of 1."
                    " To date: 81.8%.")
    assert ", passed." in told(steady(), "80 to 125 % screen")
    assert ", not passed." in told(steady(lots=-10), "80 to 125 % screen")


def test_sources_are_those_of_the_basis():
    assert told(g06("0.85"), "sources of ineffectiveness").startswith(
        "Basis over time -200,000, place +0, grade +0; tonnes not covered or covered twice"
        " -135,000, less than a lot +0")


def test_months_are_the_calendars():
    table = sheet(effectiveness(steady())).measured["fair value"]
    assert isinstance(table.index, pd.PeriodIndex)
    assert table.index.is_monotonic_increasing


def test_output_of_a_producer_is_a_cash_flow_and_a_traders_stock_a_fair_value():
    market = load_market("sample")
    assert kinds(run("producer_hedge", market).hedge) == ("cash flow",)
    assert kinds(run("trader_hedge", market).hedge) == ("fair value",)
