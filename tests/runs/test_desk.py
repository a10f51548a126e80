"""What the hedging desk says of a run, against the run itself."""

import json
import math
import re

import pandas as pd
import pytest

from sibt.engine.execution import Execution
from sibt.hedging.exposure import Entry, Schedule
from sibt.language import ZH
from sibt.runs.desk import figures, tables, with_desk
from sibt.runs.run import run
from sibt.runs.save import figures as all_figures
from sibt.runs.save import tables as all_tables
from sibt.runs.workbook import header
from sibt.sources import load_market


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


def desked(market, params=None, **how):
    return with_desk(run("producer_hedge", market, params), **how)


@pytest.fixture(scope="module")
def timed(market):
    return desked(market, compared=True, paths=200)


@pytest.fixture(scope="module")
def stacked(market):
    return desked(market, {"program": "stack"}, paths=200)


@pytest.fixture(scope="module")
def delivered(market):
    made = run("producer_hedge", market, kind="company", execution=Execution(at_expiry="deliver"))
    return with_desk(made, paths=200)


def test_a_run_without_goods_stays_as_it_is(market):
    bare = run("calendar_reverse", market)
    assert with_desk(bare) is bare
    assert tables(bare) == {}
    assert figures(bare) == {}
    assert "desk" not in all_figures(bare)


def test_no_hedge_gets_the_price_of_the_goods_alone(timed, stacked):
    for one in (timed, stacked):
        prices = one.desk.prices.set_index("name")
        assert prices.index[0] == "this hedge"
        assert prices.loc["never hedged", "price"] == one.desk.effectiveness.outcome.unhedged
        better = prices["price"].iloc[0] - prices["price"]
        pd.testing.assert_series_equal(prices["better"], better, check_names=False)


def test_the_effective_price_is_what_goods_and_futures_came_to(timed):
    end, m = timed.desk.effectiveness.outcome, timed.hedge.metrics
    assert end.price == pytest.approx(m["effective_price"])
    together = timed.hedge.table.loc[timed.hedge.sessions, "futures"].sum() + end.value
    assert end.price * end.tonnes == pytest.approx(together, abs=0.005)


def test_the_constant_hedge_is_what_timing_must_beat(timed, stacked):
    prices = timed.desk.prices.set_index("name")
    assert timed.desk.effectiveness.timing.better == pytest.approx(
        prices.loc["constant at 88%", "better"])
    assert stacked.desk.effectiveness.timing is None


def test_a_stack_is_held_against_the_strip_and_the_other_way_round(stacked, timed, market):
    strip = desked(market, {"program": "strip"}, paths=1)
    assert stacked.desk.stack.price == pytest.approx(
        stacked.desk.prices.set_index("name").loc["strip", "better"])
    assert strip.desk.stack.futures == stacked.desk.stack.futures
    assert timed.desk.stack is None


def test_roll_spreads_are_told_beside_the_cost_of_rolls(stacked):
    rolls = stacked.desk.rolls
    assert stacked.desk.effectiveness.cost.spread == pytest.approx(
        (rolls["cost"] - rolls["fees"]).sum())
    assert len(rolls) == (stacked.result.fills["reason"] == "roll").sum() / 2


def test_who_delivers_is_still_held_against_who_does_not(delivered):
    prices = delivered.desk.prices.set_index("name")
    assert set(prices.index) == {"this hedge", "never hedged", "always hedged", "constant at 88%"}
    # Nothing is delivered without futures, so all is sold at spot.
    bare = prices.loc["never hedged"]
    assert bare["futures"] == 0.0
    assert bare["price"] != delivered.desk.effectiveness.outcome.unhedged
    assert prices.loc["always hedged", "better"] == pytest.approx(0.0)


def test_agreed_prices_and_a_schedule_of_ones_own_reach_the_desk(market):
    months = pd.period_range("2024-05", periods=2, freq="M")
    goods = Schedule(tuple(Entry("output", month, 500.0, 13_000.0) for month in months))
    one = with_desk(run("producer_hedge", market, {"program": "never"}, goods=goods), paths=1)
    assert one.desk.effectiveness.outcome.price == pytest.approx(13_000.0)
    assert one.desk.sheet.kinds == ("cash flow",)


def test_a_hedge_of_no_futures_says_why_no_cash_is_at_risk(market):
    one = desked(market, {"program": "never"})
    assert one.desk.cash is None
    assert one.desk.notes[0].startswith("cash at risk is unknown: No futures were held")


def test_goods_that_lie_outside_the_run_leave_no_desk(market):
    made = run("producer_hedge", market, end="2024-03-20")
    assert with_desk(made).desk is None


def test_ways_are_compared_where_they_are_asked_for_and_know_the_past_alone(timed, stacked):
    assert stacked.desk.estimators is None
    ways = timed.desk.estimators
    assert ways.standard == "2022"
    assert ways.k == 20
    assert ways.table["last"].max() < timed.result.fills["session"].iloc[0]


def test_every_table_of_the_desk_is_written_and_labelled(timed, stacked):
    written = all_tables(timed)
    assert set(tables(timed)) <= set(written)
    assert {"effective_prices", "risk_reduction", "dollar_offset", "basis", "basis_path", "goods",
            "hedge_accounting", "ineffectiveness", "cash_at_risk", "estimators"} == set(
                tables(timed))
    assert "roll_table" in tables(stacked)
    assert all((table["data"] == "SIMULATED").all() for table in written.values())


def test_the_parts_written_add_up_to_the_price(timed):
    end = timed.desk.effectiveness.outcome
    parts = tables(timed)["basis"]["per_tonne"]
    assert end.start + parts.sum() == pytest.approx(end.price, abs=1e-4)


def test_the_sheet_is_written_in_both_languages(timed):
    sheet = tables(timed)["hedge_accounting"]
    assert sheet["term"].tolist()[:2] == ["被套期项目", "套期工具"]
    assert not sheet["answer"].str.contains("手").any()
    assert sheet["answer_zh"].str.contains("[\u4e00-\u9fff]").all()


@pytest.mark.parametrize("which", ["timed", "stacked", "delivered"])
def test_every_header_has_its_chinese(which, request):
    one = request.getfixturevalue(which)
    english = [
        f"{name}.{column}"
        for name, table in tables(one).items()
        for column in ["", *table.columns]
        if not re.search("[\u4e00-\u9fff]", header(name, column, ZH) if column else ZH(name))
    ]
    assert english == []


def test_figures_are_plain_json(timed, stacked):
    for one in (timed, stacked):
        told = json.loads(json.dumps(figures(one), allow_nan=False))
        assert told["effective_price"] == pytest.approx(one.hedge.metrics["effective_price"])
        assert told["cash_at_risk"]["paths"] == 200
    assert figures(stacked)["stack_less_strip"]["cost"] == stacked.desk.stack.cost
    assert math.isclose(figures(timed)["timing"]["better"],
                        timed.desk.effectiveness.timing.better, abs_tol=1e-8)
