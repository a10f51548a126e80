"""What is said of the best set: from the sets' own daily returns, and nothing from too few."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from spreads import FREE, Bands, edge, noise

from sibt.engine import metrics
from sibt.engine.execution import Execution
from sibt.sources import load_market
from sibt.strategy.strategy import Param
from sibt.sweep import grid as grid_module
from sibt.sweep.evidence import evidence
from sibt.sweep.luck import deflated_sharpe, expected_maximum, probabilistic_sharpe
from sibt.sweep.sweep import plan, sweep

GRID = {"lookback": "4:30:2", "z": "0.5:2:0.5", "z_exit": "none,0,0.7"}
NOW = {"execution": Execution(slippage=0), "terms": FREE, "capital": 300_000.0}


def weighed(market, *, params=GRID, metric="sharpe", others=0, strategy=None, settings=NOW):
    """Return plan, table, daily returns of the booked sets, and the evidence."""
    laid = plan(strategy or Bands(), market, params, **settings)
    numbers = range(laid.grid.block_count())
    chunks = [laid.task.book(laid.grid.block(number), laid.first) for number in numbers]
    columns = pd.concat([chunk.table for chunk in chunks], ignore_index=True)
    daily = np.vstack([chunk.daily for chunk in chunks])
    parts = [laid.maker(number).parts for number in numbers]
    return laid, columns, daily, evidence(laid, columns, parts, metric, others)


@pytest.fixture(scope="module")
def told():
    return weighed(edge(2), others=5000)


def test_the_best_set_is_the_best_of_the_table_by_the_metric(told):
    laid, columns, _, found = told
    good = columns[columns["reason"] == ""]
    assert found["best"]["set"] == good.loc[good["sharpe"].idxmax(), "set"]
    result = laid.task.single(best_values(told))
    assert found["best"]["net"] == pytest.approx(result.metrics["net"])
    assert found["best"]["round_trips"] == result.metrics["round_trips"]
    _, columns, _, by_net = weighed(edge(2), metric="net")
    assert by_net["best"]["net"] == columns["net"].max()


def test_trials_are_those_booked_and_those_ever_made(told):
    _, columns, daily, found = told
    booked = int((columns["reason"] == "").sum())
    assert found["trials"]["sweep"] == booked == len(daily) < len(columns)
    assert found["trials"]["before"] == 5000
    assert found["trials"]["ever"] == booked + 5000
    assert 1 <= found["trials"]["effective"] < booked


def test_ratios_are_those_of_the_sets_own_daily_returns(told):
    laid, columns, daily, found = told
    booked = columns.loc[columns["reason"] == "", "set"].to_numpy()
    best = daily[booked == found["best"]["set"]][0]
    # A set counts from the session after its first wish, as a run does.
    best = best[len(best) - len(laid.task.single(best_values(told)).returns) :]
    away = (best - best.mean()) / best.std()
    said = found["sharpe"]
    own = best.mean() / best.std(ddof=1)
    assert said["best"] == pytest.approx(metrics.sharpe(best), rel=1e-9)
    assert said["best_per_session"] == pytest.approx(own, rel=1e-9)
    assert said["skewness"] == pytest.approx((away**3).mean(), rel=1e-6)
    assert said["kurtosis"] == pytest.approx((away**4).mean(), rel=1e-6)
    ratios = (columns["mean"] / columns["deviation"]).dropna()
    spread, count = ratios.std(), len(daily)
    shape = (own, len(best), said["skewness"], said["kurtosis"])
    assert said["spread"] == pytest.approx(spread * math.sqrt(242), rel=1e-9)
    assert said["expected_maximum"] == pytest.approx(
        expected_maximum(count, spread) * math.sqrt(242), rel=1e-9
    )
    assert said["probabilistic"] == pytest.approx(probabilistic_sharpe(*shape), rel=1e-7)
    for name, trials in (
        ("deflated", count), ("deflated_ever", count + 5000),
        ("deflated_effective", found["trials"]["effective"]),
    ):  # fmt: skip
        assert said[name] == pytest.approx(deflated_sharpe(*shape, trials, spread), rel=1e-7)
    assert said["probabilistic"] >= said["deflated"] >= said["deflated_ever"]
    assert said["years"] == pytest.approx(len(best) / 242)


def best_values(told):
    found = told[3]
    chosen = found["best"]["parameters"]
    return {name: math.nan if value is None else value for name, value in chosen.items()}


def test_the_verdict_names_what_it_rests_on(told):
    found = told[3]
    for words in ("best of ", "DSR", "PBO", "reality check p", "its neighbourhood keeps"):
        assert words in found["verdict"]
    assert isinstance(found["luck"], bool)


def test_evidence_does_not_depend_on_how_the_sets_were_cut(monkeypatch, told):
    monkeypatch.setattr(grid_module, "CHUNK", 17)
    found = weighed(edge(2), others=5000)[3]
    flat, other = (json.dumps(each, default=str) for each in (told[3], found))
    assert flat == other


def test_costs_are_stressed_tick_by_tick_up_to_where_nothing_is_left(told):
    laid, _, _, found = told
    stress = found["cost_stress"]
    values = best_values(told)

    def net(ticks):
        task = replace(laid.task, execution=Execution(slippage=ticks), jobs={})
        return task.single(values).metrics["net"]

    assert [row["ticks"] for row in stress["rows"]] == [0, 1, 2, 3]
    for row in stress["rows"]:
        assert row["net"] == net(row["ticks"])
    even = stress["break_even_ticks"]
    assert even > 1
    assert net(math.floor(even)) > 0 >= net(math.ceil(even))


def test_a_set_that_loses_without_any_cost_breaks_even_at_none():
    _, columns, _, found = weighed(noise(3), params={"lookback": "10,20", "z": "0.5,1"},
                                   metric="max_drawdown")  # fmt: skip
    assert columns["net"].max() < 0
    assert found["cost_stress"]["break_even_ticks"] == 0


# -- Few round trips --------------------------------------------------------------------------


class Once(Bands):
    """Short the spread from one day on."""

    day = Param(20, "session of the entry", "sessions", low=1, grid=(20, 40, 60))

    def units(self, market, p):
        at = np.arange(len(market.sessions))
        wish = -(np.greater.outer(at, np.atleast_1d(p.day))).astype(float)
        single = np.ndim(p.day) == 0
        return pd.Series(wish[:, 0], market.sessions) if single else wish


def test_of_too_few_round_trips_nothing_is_inferred_and_the_entry_day_comes_first():
    found = weighed(edge(2), strategy=Once(), params={"day": "20:80:20"}, metric="net")[3]
    assert found["luck"] is None
    assert found["sharpe"] is found["overfit"] is found["reality_check"] is None
    assert "too few to tell skill from luck" in found["verdict"]
    assert "DSR" not in found["verdict"]
    entry = found["few"]["entry_day"]
    assert 1 <= entry["rank"] <= entry["of"]
    assert entry["worst"] <= entry["median"] <= entry["best"]
    assert f"entry day rank {entry['rank']} of {entry['of']}" in found["verdict"]


def test_other_years_and_pairs_stand_beside_a_report_of_one_event():
    settings = {"end": "2024-11-29"}
    _, _, _, found = weighed(load_market("sample"), strategy=calendar_reverse(),
                             params={"hold": "none,20,40,60"}, metric="net",
                             settings=settings)  # fmt: skip
    assert found["luck"] is None
    roles = {row["role"] for row in found["few"]["comparisons"]}
    assert roles == {"control", "placebo"}


def calendar_reverse():
    from sibt.strategy.loader import load

    return load("calendar_reverse")


# -- Ever ------------------------------------------------------------------------------------


def test_every_sweep_is_remembered_and_the_same_one_counts_once(tmp_path):
    params = {"lookback": "5,10,20", "z": "0.5,1"}
    first = sweep(Bands(), edge(2), params, out=tmp_path, **NOW)
    again = sweep(Bands(), edge(2), params, out=tmp_path, **NOW)
    other = sweep(Bands(), edge(2), {"lookback": "6,12", "z": "0.5,1"}, out=tmp_path, **NOW)
    assert [one.evidence["trials"]["before"] for one in (first, again, other)] == [0, 0, 6]
    assert other.evidence["trials"]["ever"] == 10
