"""The effective price: golden case, identities to the fen, and a slow twin."""

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, g06, goods, hedge_of, market_of, random_hedge, worked

from sibt.errors import DataError
from sibt.hedging.outcome import cost, traded

SEEDS = range(120)


@pytest.mark.parametrize("ratio", ["1.00", "0.85"])
def test_g06_effective_price(ratio):
    expected, end = worked("g06")["expected"][ratio], g06(ratio).outcome()
    assert f"{end.price:.2f}" == expected["effective_price"]
    assert end.futures == float(expected["futures_gross"]) - float(expected["fees"])
    assert end.tonnes == 1000
    assert (end.start, end.unhedged) == (13_200, 12_100)


def test_the_effective_price_is_in_the_headline():
    assert g06().metrics["effective_price"] == 12_997.59
    assert g06().metrics["unhedged_price"] == 12_100.0


@pytest.mark.parametrize("seed", SEEDS)
def test_revenue_is_spot_and_futures_less_costs_to_the_fen(seed):
    hedge = random_hedge(seed)
    end = hedge.outcome(costs=1234.56)
    revenue = end.price * end.tonnes * end.side
    assert revenue == pytest.approx(
        end.side * end.came + end.physical + end.futures - 1234.56, abs=0.005)
    assert end.physical == pytest.approx(hedge.metrics["physical"], abs=0.005)
    assert end.futures == pytest.approx(hedge.metrics["futures"], abs=0.005)
    assert end.side * (end.value - end.came) == pytest.approx(end.physical, abs=0.005)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_twin_that_walks_through_the_days_finds_the_same(seed):
    hedge = random_hedge(seed)
    book, first = hedge.book, hedge.sessions[0]
    side = 1 if book.tonnes.iloc[np.abs(book.tonnes.to_numpy()).argmax()] > 0 else -1
    owned = tonnes = value = came = 0.0
    waiting, stock = [], None
    for day in book.spot.index:
        waiting += [row for row in book.trades.itertuples() if row.session == day]
        quote = book.spot[day]
        if np.isnan(quote):
            continue
        if day >= first and stock is None:
            stock = owned
            came += owned * before if owned else 0.0  # noqa: F821
        for row in waiting:
            owned += row.tonnes
            if day < first:
                continue
            if row.tonnes * side < 0:
                tonnes -= side * row.tonnes
                value += row.value
            else:
                came -= row.value
        waiting, before = [], quote
    value += owned * before
    end = hedge.outcome()
    assert end.side == side
    assert end.tonnes == pytest.approx(tonnes + side * owned)
    assert end.value == pytest.approx(side * value, abs=0.005)
    assert end.came == pytest.approx(side * came, abs=0.005)
    assert end.left == pytest.approx(abs(owned))
    assert end.price == pytest.approx((value + end.futures) / (side * end.tonnes))


def test_a_consumers_cost_falls_by_what_his_long_futures_gain():
    # 100 t needed, bought at 12,600; the futures rose from 12,000 to 12,400.
    hedge = hedge_of(
        [12_000, 12_000, 12_400], [12_000, 12_000, 12_600], tonnes=[-100, -100, 0], lots=20)
    end = hedge.outcome()
    assert (end.side, end.tonnes, end.unhedged) == (-1, 100, 12_600)
    assert end.price == 12_600 - 400
    assert hedge.outcome(costs=100.0).price == 12_201


def test_costs_of_delivery_lower_the_price_of_goods_sold():
    assert g06().outcome(costs=2500.0).price == pytest.approx(12_997.59 - 2.5)


def test_what_a_trader_pays_is_where_the_price_starts():
    market = market_of([12_000.0] * 4, [12_500.0] * 4)
    bought = goods(market, [(1, "purchase", 50, 12_300), (3, "sale", -50, 12_700)])
    end = hedge_of([12_000.0] * 4, [12_500.0] * 4, lots=0, exposure=bought).outcome()
    assert (end.tonnes, end.start, end.price, end.physical) == (50, 12_300, 12_700, 20_000)


def test_goods_left_are_valued_at_the_last_quote():
    hedge = hedge_of([12_000.0] * 4, [12_500, 12_500, 12_100, np.nan], tonnes=[100, 100, 40, 10],
                     lots=0)
    end = hedge.outcome()
    # What left after the last quote has no price yet: it counts as left.
    assert (end.tonnes, end.left, end.price) == (100, 40, 12_100)
    assert end.last_quote == DAYS[2]


def test_goods_owned_before_the_first_session_that_counts_come_in_at_the_quote_before():
    hedge = hedge_of([12_000.0] * 5, [13_000, 12_900, np.nan, 12_500, 12_400], lots=0,
                     known_from=DAYS[2])
    assert hedge.sessions[0] == DAYS[3]
    end = hedge.outcome()
    assert (end.start, end.price, end.physical) == (12_900, 12_400, -50_000)


def test_no_goods_have_no_price():
    hedge = hedge_of([12_000.0] * 3, [12_500.0] * 3, tonnes=0)
    with pytest.raises(DataError, match=r"no goods in 2024-.* to put a price on"):
        hedge.outcome()
    assert hedge.metrics["effective_price"] is None


def test_no_quotes_in_the_run_leave_no_price():
    hedge = hedge_of([12_000.0] * 3, [12_500.0, np.nan, np.nan])
    with pytest.raises(DataError, match=r"No spot quote of 553 lies in 2024-.*bring spot\.csv"):
        hedge.outcome()


def test_a_run_that_ends_before_it_counts_has_no_price():
    hedge = hedge_of([12_000.0] * 3, [12_500.0] * 3, lots=0, known_from=DAYS[2])
    with pytest.raises(DataError, match="No session counts"):
        hedge.outcome()
    assert hedge.metrics["effective_price"] is None


# -- What it cost ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_are_those_of_the_account(seed):
    hedge = random_hedge(seed)
    paid = cost(hedge.result, hedge.sessions, 100.0, spread=50.0)
    figures = hedge.result.metrics
    assert paid.total == pytest.approx(figures["fees"] + figures["slippage"], abs=0.005)
    fills = hedge.result.fills
    assert paid.fees == pytest.approx(fills.loc[fills["reason"] != "roll", "fee"].sum(), abs=0.005)
    assert paid.per_tonne == pytest.approx(paid.total / 100)
    assert (paid.rolls > 0) <= (fills["reason"] == "roll").any()


@pytest.mark.parametrize("seed", SEEDS)
def test_fills_gain_to_the_settlement_what_marks_of_lots_held_leave_of_the_result(seed):
    hedge = random_hedge(seed)
    job, lots = hedge.result.job, hedge.result.booked["positions"].sum(axis=1)
    steps = np.diff(job.prices.settle, axis=0) / 100 * job.terms.multiplier
    marks = (lots[:-1] * steps).sum()
    fills = traded(hedge.result, job.market.sessions)
    expected = hedge.result.statement["mtm"].sum() - marks
    assert (fills["gain"] - fills["slippage"]).sum() == pytest.approx(expected, abs=0.005)


def test_a_fill_before_the_sessions_that_count_costs_nothing():
    hedge = g06()
    assert cost(hedge.result, pd.DatetimeIndex(DAYS[2:4]), 1.0).fees == 1160.0
