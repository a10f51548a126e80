import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, PLAIN, goods, hedge_of, market_of

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.job import prepare
from sibt.engine.simulate import simulate
from sibt.hedging.hedge import size_account
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.strategy import Strategy

HEDGES = ("producer_hedge", "trader_hedge")


@pytest.fixture(scope="module", params=HEDGES)
def done(request):
    return run(request.param, load_market("sample"))


def test_a_full_hedge_of_a_fixed_basis_gains_nothing():
    prices = [12_000, 12_100, 11_900, 11_800, 12_050]
    hedge = hedge_of(prices, [p + 500 for p in prices])
    # The first session decides, the second fills: from then on nothing moves.
    assert hedge.table["hedged"].iloc[2:].tolist() == [0.0, 0.0, 0.0]
    assert hedge.table["ratio"].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_an_unquoted_session_leaves_its_futures_gain_to_the_next_quote():
    hedge = hedge_of([12_000, 12_000, 11_900, 11_800], [12_500, 12_500, np.nan, 12_300])
    assert hedge.table["hedged"].isna().tolist() == [False, False, True, False]
    assert hedge.table["hedged"].iloc[-1] == pytest.approx(0.0)
    assert hedge.metrics["unknown_spot"] == 1


def test_a_full_hedge_cuts_the_whole_variance():
    # Changes are compared over stretches of twenty sessions.
    prices = [12_000 + 100 * (i % 40 if i % 40 < 20 else 40 - i % 40) for i in range(140)]
    hedge = hedge_of({"si2505": prices}, [p + 500 for p in prices])
    assert hedge.metrics["variance_reduction"] > 0.9


def test_hedged_is_physical_and_futures_to_the_fen(done):
    m = done.hedge.metrics
    assert round(m["hedged"], 2) == round(m["physical"] + m["futures"], 2)
    assert round(m["futures"], 2) == done.result.metrics["net"]


def test_the_table_adds_up_to_the_headline(done):
    table, m = done.hedge.table, done.hedge.metrics
    assert table["physical"].sum() == pytest.approx(m["physical"], abs=0.005)
    assert table["futures"].sum() == pytest.approx(m["futures"], abs=0.005)
    # Up to the last quote the two sides are counted over the same sessions.
    last = table["physical"].last_valid_index()
    both = table["physical"].fillna(0.0) + table["futures"]
    assert table["hedged"].sum() == pytest.approx(both.loc[:last].sum(), abs=0.005)


def test_at_every_quote_the_sums_of_hedged_are_physical_and_futures(done):
    table = done.hedge.table
    quoted = table["physical"].notna()
    summed = table["hedged"].fillna(0.0).cumsum()
    both = table["physical"].fillna(0.0).cumsum() + table["futures"].cumsum()
    np.testing.assert_allclose(summed[quoted], both[quoted], atol=0.005)


def test_the_futures_side_is_the_statement(done):
    statement = done.result.statement
    pd.testing.assert_series_equal(
        done.hedge.table["futures"], statement["mtm"] - statement["fees"], check_names=False
    )


def test_the_hedged_share_is_short_tonnes_over_tonnes_owned(done):
    table = done.hedge.table
    owned = table["tonnes"] != 0
    expected = -table["lots"][owned] * 5 / table["tonnes"][owned]
    np.testing.assert_allclose(table["ratio"][owned], expected)
    assert table["ratio"][~owned].isna().all()


def test_unknown_spot_counts_sessions_with_goods_and_no_quote(done):
    table = done.hedge.table
    before = table["tonnes"].shift(1, fill_value=0.0)
    assert done.hedge.metrics["unknown_spot"] == int(
        ((before != 0) & table["spot"].isna()).sum()
    )


def test_tonnes_are_what_the_strategy_owned_on_the_day_it_began(done):
    p = dict(done.params.items())
    begun = p["tonnes"] if "tonnes" in p else 6 * p["output"]
    assert done.hedge.metrics["tonnes"] == begun


def test_returns_are_measured_on_the_account_and_the_goods_at_their_peak(done):
    hedge = done.hedge
    price = hedge.book.spot.reindex(done.result.returns.index).dropna().iloc[0]
    base = done.result.job.account.capital + hedge.book.tonnes.max() * price
    assert hedge.base == pytest.approx(base)
    grown = hedge.base * (1 + hedge.returns).prod() - hedge.base
    gained = hedge.table["hedged"].reindex(done.result.returns.index).sum()
    assert grown == pytest.approx(gained, abs=0.01)


def test_a_hedge_is_held_against_never_always_and_its_own_average(done):
    table = done.comparisons.set_index("name")
    average = f"constant at {done.hedge.average_ratio:.0%}"
    assert list(table.index) == ["never hedged", "always hedged", average]
    assert set(table["role"]) == {"benchmark"}
    assert table.loc["never hedged", "net"] == 0
    assert table.loc["never hedged", "hedged"] == pytest.approx(
        done.hedge.metrics["physical"], abs=0.005
    )
    assert table["hedged"].notna().all()


# -- The account of a hedge --------------------------------------------------------------------


@pytest.mark.parametrize("name", HEDGES)
def test_the_account_is_sized_to_stand_a_move_against_the_hedge(name):
    market = load_market("sample")
    done = run(name, market)
    job, want = done.result.job, done.result.want
    wished = np.flatnonzero(want)
    first, last = wished[0], wished[-1]
    price = pd.Series(market.settle[: first + 1, market.column("si2410")]).ffill().iloc[-1]
    rate = (
        job.lives[0].product.margin_rate("si2410", market.sessions, "hedger")[first : last + 1]
    ).max()
    need = np.abs(want).max() * 5 * price * (rate + 0.05 + 0.20)
    assert job.account.capital == math.ceil(need / 10_000) * 10_000
    note = next(n for n in done.notes if n.startswith("account sized from the hedge"))
    assert f"{np.abs(want).max()} lots × 5 t × {price:,.0f} yuan/t" in note
    assert note.endswith(f"= {job.account.capital:,.0f} yuan")


def test_a_given_capital_is_kept():
    done = run("producer_hedge", load_market("sample"), capital=50_000_000)
    assert done.result.job.account.capital == 50_000_000
    assert not any("account sized" in note for note in done.notes)


def test_a_hedge_never_wished_keeps_the_default_account():
    done = run("producer_hedge", load_market("sample"), {"program": "never"})
    assert done.result.job.account.capital == 1_000_000
    assert "no hedge was wished for" in done.notes[0]


def test_size_account_rounds_up_to_ten_thousand():
    market = market_of([12_000.0] * 5, [12_500.0] * 5)
    job = prepare(
        market, {"si2410": 1}, account=Account(kind="hedger"), execution=Execution(), terms=PLAIN
    )
    account, words = size_account(job, np.array([0, -3, -3, 0, 0]))
    # 3 lots × 5 t × 12,000 × (10 % + 5 % + 20 %) = 63,000.
    assert account.capital == 70_000
    assert "3 lots × 5 t × 12,000 yuan/t × (10% margin + 5% broker + 20% adverse move)" in words


def test_the_sized_account_meets_no_margin_call_after_the_move_it_was_sized_for():
    prices = [12_000.0] * 3 + [14_400.0] * 3
    market = market_of(prices, [p + 500 for p in prices])
    units = pd.Series(-100.0, index=market.sessions)
    job = prepare(
        market, {"si2410": 1}, account=Account(kind="hedger"), execution=Execution(slippage=0),
        terms=PLAIN,
    )
    account, _ = size_account(job, units.to_numpy())
    result = simulate(
        market, units, {"si2410": 1}, account=account, execution=Execution(slippage=0), terms=PLAIN
    )
    assert result.metrics["margin_calls"] == 0


# -- A strategy of one's own -------------------------------------------------------------------


class Stock(Strategy):
    kind = "hedger"

    def legs(self, market, p):
        return {"si2410": 1}

    def units(self, market, p):
        return pd.Series(-20.0, index=market.sessions)

    def exposure(self, market, p):
        return pd.Series(100.0, index=market.sessions)


def test_a_strategy_with_an_exposure_is_a_hedge():
    prices = [12_000.0, 11_900.0, 11_800.0, 12_050.0]
    done = run(
        Stock(), market_of(prices, [p + 500 for p in prices]),
        execution=Execution(slippage=0), terms=PLAIN,
    )
    assert done.hedge.metrics["tonnes"] == 100
    assert done.hedge.metrics["physical"] == 100 * 50
    assert done.comparisons.empty


# -- What the hedge is judged by ---------------------------------------------------------------


def test_stretches_hold_only_quotes_with_something_at_risk():
    # 60 sessions with goods in a market of 140: three stretches, too few for a share of variance.
    prices = [12_000.0 + 10 * (i % 7) for i in range(140)]
    hedge = hedge_of(
        {"si2505": prices}, [p + 500 for p in prices],
        tonnes=np.where(np.arange(140) < 60, 100.0, 0.0),
        lots=np.where(np.arange(140) < 60, -20.0, 0.0),
    )
    # The goods are gone after session 60, their lots after 61.
    assert hedge.changes.index.tolist() == DAYS[1:62].tolist()
    assert hedge.metrics["variance_stretches"] == 3
    assert hedge.metrics["variance_reduction"] is None


def test_an_unfinished_stretch_is_left_out():
    hedge = hedge_of([12_000.0 + 5 * i for i in range(60)], [12_500.0 + 5 * i for i in range(60)])
    assert len(hedge.changes) == 59
    months = hedge.stretches()
    assert months["physical"].tolist() == [100 * 5 * 20.0] * 2
    assert months.index.tolist() == [DAYS[20], DAYS[40]]
    assert len(hedge.stretches(5)) == 11


def test_changes_are_those_of_the_table_and_split_futures_from_fees(done):
    hedge = done.hedge
    table, changes = hedge.table.loc[hedge.sessions], hedge.changes
    left_out = table.index.difference(changes.index)
    assert (table.loc[left_out, "hedged"].dropna() == 0).all()
    np.testing.assert_allclose(changes["physical"], table.loc[changes.index, "physical"])
    np.testing.assert_allclose(changes["hedged"], table.loc[changes.index, "hedged"], atol=0.005)
    figures = done.result.metrics
    assert changes["futures"].sum() == pytest.approx(figures["net"], abs=0.005)
    assert changes["gross"].sum() == pytest.approx(figures["gross"], abs=0.005)


def test_goods_held_only_between_two_quotes_are_at_risk():
    spot = [12_500.0, 12_500.0, np.nan, np.nan, 12_400.0, 12_400.0, 12_400.0]
    hedge = hedge_of([12_000.0] * 7, spot, tonnes=[0, 0, 50, 0, 0, 0, 0], lots=0)
    assert hedge.changes.index.tolist() == [DAYS[4]]


def test_goods_that_end_at_a_quote_were_at_risk_until_it():
    hedge = hedge_of([12_000.0] * 6, [12_500.0] * 6, tonnes=[100, 100, 0, 0, 0, 0], lots=0)
    assert hedge.changes.index.tolist() == [DAYS[1], DAYS[2]]


def test_goods_that_come_and_go_in_a_session_at_agreed_prices_count():
    market = market_of([12_000.0] * 4, [12_500.0] * 4)
    passed_on = goods(market, [(2, "purchase", 50, 12_300), (2, "sale", -50, 12_400)])
    hedge = hedge_of([12_000.0] * 4, [12_500.0] * 4, lots=0, exposure=passed_on)
    assert hedge.changes["physical"].to_dict() == {DAYS[2]: 5_000.0}


def test_a_hedge_may_count_from_a_later_session():
    prices = [12_000.0, 12_000.0, 11_900.0, 11_700.0]
    hedge = hedge_of(prices, [p + 500 for p in prices])
    late = replace(hedge, since=DAYS[3])
    assert late.sessions.tolist() == [DAYS[3]]
    assert (late.metrics["physical"], late.metrics["futures"]) == (-20_000.0, 20_000.0)
    assert late.changes[["physical", "gross"]].to_numpy().tolist() == [[-20_000.0, 20_000.0]]


def test_the_effective_price_is_what_goods_came_at_and_both_results_per_tonne(done):
    m = done.hedge.metrics
    end = done.hedge.outcome()
    assert m["effective_price"] == pytest.approx(end.start + m["hedged"] / end.tonnes, abs=1e-6)
    assert m["unhedged_price"] == pytest.approx(end.start + m["physical"] / end.tonnes, abs=1e-6)
