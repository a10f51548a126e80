"""The figures of a hedge in a sweep are those of the run of the same set, and none tells more."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from spreads import Bands, edge

import sibt
from sibt.engine.execution import Execution
from sibt.errors import SettingError
from sibt.hedging import programs
from sibt.hedging.cash import cash_at_risk
from sibt.hedging.exposure import Entry, Schedule
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy import wishes
from sibt.sweep import chunk as chunk_module
from sibt.sweep import grid as grid_module
from sibt.sweep.evidence import _verdict, best_first
from sibt.sweep.hedges import HEDGES, RISKS
from sibt.sweep.sweep import METRICS, plan, sweep


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


class Consumer(sibt.Strategy):
    """Buys Si2410 against a need that is met bit by bit; says no day it is known from."""

    kind = "hedger"
    need = sibt.Param(500.0, "needed", "t", grid=(500.0,))
    ratio = sibt.Param(1.0, "share hedged", "share", grid=(1.0,))
    late = sibt.Param(0, "sessions the hedge comes after the need", "sessions", grid=(0,))

    def legs(self, market, p):
        return {"si2410": 1}

    def exposure(self, market, p):
        passed = np.arange(len(market.sessions)) - market.sessions.searchsorted("2024-02-20")
        left = np.where(passed >= 0, np.clip(np.ceil(10 - passed / 15), 0, 10) / 10, 0.0)
        return wishes.by_session(wishes.scale(-left, p.need), market.sessions)

    def units(self, market, p):
        passed = np.arange(len(market.sessions)) - market.sessions.searchsorted("2024-02-20")
        on = np.greater_equal.outer(passed, p.late) * 1.0
        lots = programs.lots(self.exposure(market, p), wishes.times(on, p.ratio), 5)
        return wishes.by_session(lots, market.sessions)


class Told(Consumer):
    """Sells Si2410 against goods told trade by trade, some at agreed prices."""

    def exposure(self, market, p):
        goods = Schedule(
            (
                Entry("inventory", pd.Timestamp("2024-03-04"), 600.0),
                Entry("purchase", pd.Timestamp("2024-03-20"), 200.0, 14_100.0),
                Entry("sale", pd.Period("2024-05", freq="M"), 300.0, 13_800.0),
                Entry("sale", pd.Period("2024-07", freq="M"), 400.0),
            )
        )
        return goods.exposure(market, "2024-03-01")

    def units(self, market, p):
        passed = np.arange(len(market.sessions)) - market.sessions.searchsorted("2024-03-04")
        on = np.greater_equal.outer(passed, p.late) * 1.0
        owned = self.exposure(market, p).owned
        lots = programs.lots(owned, wishes.times(on, p.ratio), 5)
        return wishes.by_session(lots, market.sessions)


class Bursts(Consumer):
    """Goods that come and go at random, often for a session or two; hedged with what came late."""

    seed = sibt.Param(1, "of the goods", "seed", grid=(1, 2, 3))

    def exposure(self, market, p):
        columns = []
        for seed in np.atleast_1d(p.seed).tolist():
            rng = np.random.default_rng(int(seed))
            level = rng.choice([0.0, 0.0, 0.0, 100.0, 150.0, 300.0], len(market.sessions))
            columns.append(np.where(rng.random(len(level)) < 0.3, np.roll(level, 1), level))
        table = np.stack(columns, axis=1)
        return wishes.by_session(table if np.ndim(p.seed) else table[:, 0], market.sessions)

    def units(self, market, p):
        passed = np.arange(len(market.sessions)) - market.sessions.searchsorted("2024-02-20")
        on = np.greater_equal.outer(passed, p.late) * 1.0
        return wishes.by_session(
            programs.lots(self.exposure(market, p), wishes.times(on, p.ratio), 5), market.sessions
        )


def sticky(market):
    """Return a market whose spot is quoted every few sessions, mostly as before."""
    rng = np.random.default_rng(5)
    count = len(market.sessions)
    steps = np.where(rng.random(count) < 0.1, rng.integers(-3, 4, count) * 50, 0)
    spot = np.where(rng.random(count) < 0.7, 14_000.0 + steps.cumsum(), np.nan)
    return replace(market, spot=pd.DataFrame({"553": spot}, index=market.sessions))


def words(values):
    return {
        name: "none" if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def booked(strategy, market, params, **settings):
    """Return plan, table, and a function that runs a row of the table by itself."""
    laid = plan(strategy, market, params, **settings)
    table = pd.concat(
        [laid.maker(number).table for number in range(laid.grid.block_count())], ignore_index=True
    )

    def alone(row):
        rows = laid.grid.values(np.array([row["set"]]))
        values = {**laid.grid.fixed, **{name: column[0] for name, column in rows.items()}}
        return run(strategy, market, words(values), **settings)

    return laid, table, alone


def peak_cash(result):
    """Return minus the most that margin and losses took at once, session by session."""
    most = paid = 0.0
    for day in result.statement.itertuples():
        paid += day.fees - day.mtm
        most = max(most, day.margin + paid)
    return -most


CASES = {
    "a producer's programs": (
        "producer_hedge",
        {"program": "timed,always,layered,stack,never", "ratio": "0.4,1", "trigger": "0,0.3",
         "output": "500,1000"},
        {},
    ),
    "a producer in a window, with money paid in": (
        "producer_hedge",
        {"program": "timed,constant", "ratio": "0.3,1", "trigger": "0,0.3"},
        {"start": "2024-05-20", "end": "2024-12-11",
         "account": {"capital": 2_000_000.0, "on_call": "deposit"}},
    ),
    "a producer whose lots are cut": (
        "producer_hedge", {"program": "timed,constant", "ratio": "0.3,1", "output": "1000,2000"},
        {"account": {"capital": 2_500_000.0}},
    ),
    "a trader, sold over longer": (
        "trader_hedge",
        {"program": "timed,always", "lag": "30,140,200", "high": "0.5,0.7", "ratio": "0.5,1"},
        {},
    ),
    "needs, hedges from the first wish on": (
        Consumer(), {"need": "400,500", "ratio": "0.3,1", "late": "0,7,30"}, {},
    ),
    "needs, orders that cannot be filled whole": (
        Consumer(), {"ratio": "0.5,1", "late": "0,3"},
        {"execution": Execution(participation=0.0004)},
    ),
    "goods told trade by trade": (Told(), {"ratio": "0.3,1", "late": "0,7,30"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_hedge_figures_of_a_set_are_those_of_its_run(case, sample):
    strategy, params, settings = CASES[case]
    _, table, alone = booked(strategy, sample, params, **settings)
    good = table[table["reason"] == ""]
    chosen = good.iloc[np.random.default_rng(3).permutation(len(good))[:6]]
    assert len(chosen) >= 4
    for _, row in chosen.iterrows():
        own = alone(row)
        for name in HEDGES[:-1]:
            now, then = row[name], own.hedge.metrics[name]
            # A run's figures are rounded to eight digits.
            assert now == pytest.approx(math.nan if then is None else then, rel=1e-9, abs=1.01e-8,
                                        nan_ok=True), f"set {row['set']}: {name}"  # fmt: skip
        assert round(row["hedged"] * 100) == round(own.hedge.metrics["hedged"] * 100)
        assert round(row["peak_cash"] * 100) == round(peak_cash(own.result) * 100)


def test_goods_that_come_and_go_between_sticky_quotes_are_counted_as_in_a_run(sample):
    market = sticky(sample)
    _, table, alone = booked(
        Bursts(), market, {"seed": "1:6:1", "ratio": "0.1,1", "late": "0,40,400"},
        execution=Execution(participation=0.001),
    )  # fmt: skip
    assert (table["reason"] == "").all()
    for _, row in table.iterrows():
        own = alone(row)
        for name in HEDGES[:-1]:
            now, then = row[name], own.hedge.metrics[name]
            assert now == pytest.approx(math.nan if then is None else then, rel=1e-9, abs=1.01e-8,
                                        nan_ok=True), f"set {row['set']}: {name}"  # fmt: skip


def test_the_cases_know_variances_prices_of_needs_and_margin_calls(sample):
    """What the test above compares is there, not all of it unknown."""
    tables = {name: booked(strategy, sample, params, **settings)[1]
              for name, (strategy, params, settings) in CASES.items()}  # fmt: skip
    assert tables["a producer's programs"]["variance_reduction"].notna().all()
    trader = tables["a trader, sold over longer"]
    assert trader["variance_reduction"].notna().any()
    assert trader.loc[trader["lag"] == 30, "variance_reduction"].isna().all()
    assert (tables["a producer in a window, with money paid in"]["deposits"] > 0).any()
    assert (tables["a producer whose lots are cut"]["margin_calls"] > 0).any()
    assert (tables["needs, orders that cannot be filled whole"]["unfilled_orders"] > 0).any()
    assert tables["goods told trade by trade"]["effective_price"].nunique() > 3


def test_peak_cash_is_the_capital_that_meets_no_margin_call(sample):
    _, table, alone = booked("producer_hedge", sample, {"program": "always", "ratio": "0.5,1"})
    for _, row in table.iterrows():
        own = alone(row)
        assert own.result.metrics["margin_calls"] == 0
        assert row["peak_cash"] == pytest.approx(-cash_at_risk(own.result).needed_peak, abs=0.005)
        capital = -row["peak_cash"]
        params = {"program": "always", "ratio": row["ratio"]}
        enough = run("producer_hedge", sample, params, capital=capital)
        assert enough.result.metrics["margin_calls"] == 0
        less = run("producer_hedge", sample, params, capital=capital - 0.01)
        assert less.result.metrics["margin_calls"] + less.result.metrics["unfilled_orders"] > 0


def test_a_hedge_never_put_on_cuts_nothing_and_takes_no_cash(sample):
    _, table, _ = booked("producer_hedge", sample, {"program": "never", "ratio": "0.5,1"})
    assert table["variance_reduction"].tolist() == [0.0, 0.0]
    assert table["peak_cash"].tolist() == [0.0, 0.0]


def test_hedge_figures_do_not_depend_on_the_sets_beside(sample, monkeypatch):
    params = {"program": "timed,always", "ratio": "0.2:1:0.1", "trigger": "0,0.3,0.6",
              "output": "300,1000"}  # fmt: skip
    _, together, _ = booked("producer_hedge", sample, params)
    monkeypatch.setattr(grid_module, "CHUNK", 5)
    _, apart, _ = booked("producer_hedge", sample, params)
    pd.testing.assert_frame_equal(together[list(HEDGES)], apart[list(HEDGES)], check_exact=True)


# -- As targets -------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", HEDGES)
def test_a_strategy_without_goods_refuses_a_metric_of_a_hedge(metric, sample):
    assert metric in METRICS
    with pytest.raises(SettingError) as refused:
        plan("calendar_reverse", sample, {"z": "1,2"}, metric=metric)
    assert str(refused.value) == (
        f"--metric is '{metric}', and CalendarReverse owns no goods to hedge; write net."
    )


@pytest.mark.parametrize("metric", HEDGES)
def test_goods_that_are_delivered_have_no_metric_of_a_hedge(metric, sample):
    execution = Execution(at_expiry="deliver")
    with pytest.raises(SettingError, match=f"'{metric}', which a sweep does not know of goods"):
        plan("producer_hedge", sample, {"ratio": "0.5,1"}, metric=metric, execution=execution)
    _, table, _ = booked("producer_hedge", sample, {"ratio": "0.5,1"}, execution=execution)
    assert table[list(HEDGES)].isna().all(axis=None)


def test_a_cost_is_no_price_of_which_more_is_better(sample):
    with pytest.raises(SettingError, match="less is better; write hedged_per_tonne"):
        plan(Consumer(), sample, {"ratio": "0.5,1"}, metric="effective_price")
    plan(Consumer(), sample, {"ratio": "0.5,1"}, metric="hedged_per_tonne")


def test_vectorbt_knows_the_price_but_neither_variance_nor_cash(sample):
    for metric in RISKS:
        with pytest.raises(SettingError, match="vectorbt knows no margin and no daily statement"):
            plan("producer_hedge", sample, {"ratio": "0.5,1"}, metric=metric, engine="vectorbt")
    laid = plan("producer_hedge", sample, {"ratio": "0.5,1", "program": "always"},
                metric="effective_price", engine="vectorbt")  # fmt: skip
    table = laid.maker(0).table
    assert table[list(RISKS)].isna().all(axis=None)
    assert (table["effective_price"] > 10_000).all()


def test_sets_whose_figure_is_unknown_rank_last(sample):
    _, table, _ = booked("trader_hedge", sample, {"program": "always", "lag": "30,140,200"})
    ranked = table.iloc[best_first(table, "variance_reduction")]
    assert ranked["lag"].tolist()[-1] == 30
    assert ranked["variance_reduction"].isna().tolist() == [False, False, True]
    assert ranked["variance_reduction"].iloc[0] > ranked["variance_reduction"].iloc[1]


def test_a_strip_is_refused_by_name_and_the_others_are_booked(sample):
    for params in ({"ratio": "0.5,1"}, {"ratio": "1"}):
        _, table, _ = booked("producer_hedge", sample, {"program": "strip,always", **params})
        strip = table["program"] == "strip"
        assert table.loc[strip, "reason"].str.contains("leg by leg, which a sweep does not").all()
        assert table.loc[strip, list(HEDGES)].isna().all(axis=None)
        assert (table.loc[~strip, "reason"] == "").all()
        assert table.loc[~strip, list(HEDGES)].notna().all(axis=None)


def test_who_owns_no_goods_pays_nothing_for_them(monkeypatch):
    def costly(*_):
        raise AssertionError("booked twice")

    monkeypatch.setattr(chunk_module.Task, "_daily", costly)
    _, table, _ = booked(Bands(), edge(1), {"z": "0.5,1"})
    assert not set(HEDGES) & set(table.columns)


# -- What is said -----------------------------------------------------------------------------

SURE_OF_IT = {
    "trials": {"sweep": 60}, "plateau": None, "few": None,
    "sharpe": {"deflated_ever": 0.99}, "overfit": {"pbo": 0.1, "loss": 0.01},
    "reality_check": {"p": 0.001},
}  # fmt: skip


def verdict(metric, value=0.5):
    return _verdict(
        {**SURE_OF_IT, "metric": metric, "best": {metric: value, "round_trips": 9}}, False
    )


def test_no_test_of_earnings_tells_a_cut_of_risk_from_luck():
    assert verdict("sharpe") == (
        False, "best of 60: told from luck, DSR 0.99, PBO 0.10, reality check p 0.001"
    )  # fmt: skip
    for metric in RISKS:
        luck, said = verdict(metric)
        assert luck is None
        assert said == (
            "best of 60: tests of what futures earned cannot tell of its "
            + metric.replace("_", " ")
        )
    for metric in set(HEDGES) - set(RISKS):
        luck, said = verdict(metric)
        assert luck is False
        assert said.startswith("best of 60: what its futures earned is told from luck, DSR")


def test_no_set_is_the_best_by_a_figure_none_of_them_has():
    for metric in HEDGES:
        assert verdict(metric, None) == (
            None,
            f"best of 60: none has a known {metric.replace('_', ' ')}; the first stands for all",
        )


def test_a_price_is_not_said_to_be_kept_by_its_neighbourhood(sample, tmp_path):
    params = {"program": "always", "ratio": "0.4:1:0.1"}
    made = sweep("producer_hedge", sample, params, metric="effective_price", out=tmp_path)
    assert made.evidence["plateau"]["median"] > 10_000
    assert made.evidence["plateau"]["keeps"] is None
    assert "keeps" not in made.evidence["verdict"]
    best = made.top(1).iloc[0]
    assert best["effective_price"] == made.table()["effective_price"].max()
