"""The report's reverse spread on recorded closes, to the fen."""

import pandas as pd
import pytest

import sibt

TERMS = {"margin": 0.08, "fee": 1e-4, "price_limit": 1}
ACCOUNT = sibt.Account(capital=1_000_000, kind="company")
EXECUTION = sibt.Execution(fill="close", slippage=0, participation=None)


@pytest.fixture(scope="module")
def market(shared_market):
    return sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")


def by_wishes(market):
    units = pd.Series([-10, 0], index=pd.to_datetime(["2024-05-14", "2024-10-30"]))
    legs = {"si2411": 1, "si2412": -1}
    return sibt.simulate(market, units, legs, account=ACCOUNT, execution=EXECUTION, terms=TERMS)


def by_strategy(market):
    return sibt.run(
        "calendar_reverse",
        market,
        account=ACCOUNT,
        kind="company",
        execution=EXECUTION,
        terms=TERMS,
    ).result


@pytest.fixture(scope="module", params=[by_wishes, by_strategy])
def result(request, market):
    return request.param(market)


def test_it_shorts_the_near_and_buys_the_far_and_both_leave_together(result):
    table = result.fills[["session", "contract", "side", "offset", "lots", "price"]]
    table = table.assign(session=table["session"].dt.strftime("%Y-%m-%d"))
    assert table.values.tolist() == [
        ["2024-05-15", "si2411", "sell", "open", 10, 12050.0],
        ["2024-05-15", "si2412", "buy", "open", 10, 14465.0],
        ["2024-10-31", "si2411", "buy", "close", 10, 10270.0],
        ["2024-10-31", "si2412", "sell", "close", 10, 13130.0],
    ]


def test_the_account_ends_where_the_closes_say(result):
    figures = result.metrics
    assert figures["fees"] == pytest.approx(249.58, abs=0.005)
    assert figures["net"] == pytest.approx(22_000.42, abs=0.005)
    assert figures["worst_equity"] == pytest.approx(990_117.42, abs=0.005)
    assert figures["final_equity"] == pytest.approx(1_022_000.42, abs=0.005)


def test_one_round_trip_has_no_ratio(result):
    assert len(result.round_trips) == 1
    assert result.metrics["sharpe"] is None


def test_the_second_book_agrees(result):
    assert result.reconcile() <= 0.01


def test_closes_that_stand_in_for_settlements_are_said(market, result):
    assert market.provenance.settle_from == "close"
    assert any("settle" in said for said in result.warnings)
