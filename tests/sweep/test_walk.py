"""Walk-forward: what is chosen in a window knows nothing of what comes after it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from spreads import FREE, Bands, edge, noise

from sibt.engine import metrics
from sibt.engine.execution import Execution
from sibt.errors import SettingError
from sibt.report.tearsheet import walk_sheet
from sibt.runs.run import run
from sibt.sweep.forward import curve, forward, table
from sibt.sweep.sweep import plan, sweep
from sibt.sweep.walk import Windows, windows

WORDS = "train=80,test=20,purge=5"
GRID = {"lookback": "4:12:2", "z": "0.5,1,2"}
NOW = {"execution": Execution(slippage=0), "terms": FREE, "capital": 300_000}


# -- Windows ----------------------------------------------------------------------------------


def test_test_windows_follow_one_another_and_the_purge_lies_before_them():
    assert Windows(30, 10, 5, False, 67).spans == [
        (0, 30, 35, 45), (10, 40, 45, 55), (20, 50, 55, 65),
    ]  # fmt: skip


def test_anchored_training_windows_begin_at_the_first_session_and_grow():
    assert [span[:2] for span in Windows(30, 10, 5, True, 67).spans] == [
        (0, 30), (0, 40), (0, 50),
    ]  # fmt: skip


def test_words_are_read():
    assert windows("train=120, test=20,purge=10,anchored", 200) == Windows(120, 20, 10, True, 200)
    assert windows("train=120,test=20", 200).purge == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train=120,tset=20", "Did you mean 'test'"),
        ("train=120,test=twenty", "whole sessions"),
        ("train=5,test=20", "at least 20 sessions"),
        ("train=20,test=1", "one to enter and one to leave"),
        ("train=150,test=50,purge=1", "needs 201 sessions"),
    ],
)
def test_what_cannot_be_windows_is_refused_with_the_cure(words, said):
    with pytest.raises(SettingError, match=said):
        windows(words, 200)


# -- The choice -------------------------------------------------------------------------------


def test_the_set_of_the_best_sharpe_ratio_is_chosen_in_each_window():
    daily = np.random.default_rng(1).normal(0, 1, (67, 9))
    spans = Windows(30, 10, 5, False, 67)
    found = spans.best(daily, np.arange(9) + 100)
    for at, (begin, end, _, _) in enumerate(spans.spans):
        ratios = [metrics.sharpe(daily[begin:end, n], 1) for n in range(9)]
        assert found["walk_set"][at] == 100 + int(np.argmax(ratios))
        assert found["walk_ratio"][at] == pytest.approx(max(ratios), rel=1e-12)


def test_ties_go_to_the_lowest_number_and_sets_that_never_traded_to_none():
    one = np.random.default_rng(2).normal(0, 1, (67, 1))
    spans = Windows(30, 10, 5, False, 67)
    idle = np.zeros((67, 1))
    assert (spans.best(np.hstack([idle, one, one]), np.array([3, 5, 8]))["walk_set"] == 5).all()
    assert (spans.best(idle, np.array([3]))["walk_set"] == -1).all()
    assert np.isnan(spans.best(np.zeros((67, 0)), np.zeros(0, dtype=int))["walk_ratio"]).all()


def test_a_ratio_does_not_depend_on_the_sets_beside_it():
    daily = np.random.default_rng(3).normal(0, 1, (67, 50))
    spans = Windows(30, 10, 5, False, 67)
    alone = [spans.best(daily[:, n : n + 1], np.array([n]))["walk_ratio"] for n in range(50)]
    together = spans.best(daily, np.arange(50))
    best = together["walk_set"].astype(int)
    for at in range(len(spans.spans)):
        assert together["walk_ratio"][at] == alone[best[at]][at]


# -- Applied ----------------------------------------------------------------------------------


def laid_out(market, words=WORDS, strategy=None, **settings):
    """Return a plan, and the ratio and set chosen in each training window."""
    laid = plan(strategy or Bands(), market, GRID, walk_forward=words, **(NOW | settings))
    (number,) = range(laid.grid.block_count())
    parts = laid.maker(number).parts
    return laid, parts["walk_ratio"], parts["walk_set"].astype(np.int64)


@pytest.fixture(scope="module")
def walked():
    laid, ratios, sets = laid_out(edge(1))
    return laid, forward(laid, ratios, sets)


def test_the_curve_is_made_of_runs_that_begin_flat_and_end_flat(walked):
    laid, walk = walked
    returns = curve(walk)
    assert len(walk["windows"]) == len(laid.maker.windows.spans)
    for row in walk["windows"]:
        window = returns[row["test_from"] : row["test_to"]]
        assert len(window) == 20
        result = replace(
            laid.task,
            market=laid.task.market.asof(row["test_to"]),
            start=pd.Timestamp(row["test_from"]),
            jobs={},
        ).single({**laid.grid.fixed, **row["parameters"]}, close=True)
        held = result.statement["units"]
        assert (held[: pd.Timestamp(row["test_from"])].iloc[:-1] == 0).all()
        assert held.iloc[-1] == 0
        assert (result.fills["session"] >= pd.Timestamp(row["test_from"])).all()
        np.testing.assert_array_equal(window, result.returns.reindex(window.index).to_numpy())
        assert row["test_net"] == result.metrics["net"]
        assert row["left_open"] == 0


def test_a_window_is_the_run_from_its_first_session_until_the_last_day_closes_it(walked):
    _, walk = walked
    closed = 0
    for row in walk["windows"]:
        own = run(Bands(), edge(1), row["parameters"], **NOW, start=row["test_from"],
                  end=row["test_to"])  # fmt: skip
        window = curve(walk)[row["test_from"] : row["test_to"]]
        np.testing.assert_array_equal(window[:-1], own.result.returns[:-1])
        closed += own.result.statement["units"].iloc[-1] != 0
    assert closed  # in some window there was something left to close


def test_closing_in_the_last_session_pays_the_fee_and_the_slippage():
    market = edge(1)
    laid, ratios, sets = laid_out(
        market, execution=Execution(slippage=3), terms={"fee": 1e-4}, strategy=Bands()
    )
    walk = forward(laid, ratios, sets)
    paid = 0
    for row in walk["windows"]:
        task = replace(
            laid.task, market=market.asof(row["test_to"]), start=pd.Timestamp(row["test_from"]),
            jobs={},
        )  # fmt: skip
        fills = task.single({**laid.grid.fixed, **row["parameters"]}, close=True).fills
        last = fills[fills["session"] == pd.Timestamp(row["test_to"])]
        paid += len(last)
        assert (last["fee"] > 0).all()
        assert (last["reason"] == "signal").all()
        opens = market.bars("si2508")["open"]
        for fill in last[last["contract"] == "si2508"].itertuples():
            against = 15 if fill.side == "buy" else -15
            assert fill.price == opens[fill.session] + against
    assert paid


def test_figures_are_those_of_the_stitched_curve(walked):
    laid, walk = walked
    returns = curve(walk)
    assert returns.index.is_monotonic_increasing
    assert not returns.index.has_duplicates
    assert walk["sessions"] == len(returns) == 20 * len(walk["windows"])
    assert walk["total_return"] == metrics.total_return(returns)
    assert walk["max_drawdown"] == metrics.max_drawdown(returns)
    assert walk["sharpe"] == metrics.sharpe(returns)
    assert walk["net"] == pytest.approx(sum(row["test_net"] for row in walk["windows"]), abs=0.01)
    assert walk["round_trips"] == sum(row["round_trips"] for row in walk["windows"]) > 3
    trained = np.mean([row["train_sharpe"] for row in walk["windows"]])
    assert walk["in_sample_sharpe"] == pytest.approx(trained)
    assert walk["kept"] == pytest.approx(walk["sharpe"] / trained)
    assert walk["sharpe"] > 1  # the edge is planted: some of it is left
    assert [entry["parameter"] for entry in walk["drift"]] == list(laid.task.names)
    for entry in walk["drift"]:
        values = [row["parameters"][entry["parameter"]] for row in walk["windows"]]
        assert entry["values"] == values
        assert entry["changes"] == sum(a != b for a, b in pairwise(values))


def test_a_set_chosen_for_a_window_depends_on_no_return_after_its_training_window():
    whole = noise(5)
    laid, ratios, sets = laid_out(whole)
    spans, ours = laid.maker.windows.spans, curve(forward(laid, ratios, sets))
    for at, (_, end, _, beyond) in enumerate(spans):
        for cut, seen in ((laid.first + end, False), (laid.first + beyond, True)):
            changed, other_ratios, other_sets = laid_out(other_future(whole, cut))
            np.testing.assert_array_equal(ratios[: at + 1], other_ratios[: at + 1])
            np.testing.assert_array_equal(sets[: at + 1], other_sets[: at + 1])
            if seen:
                theirs = curve(forward(changed, other_ratios, other_sets))
                upto = ours.index[ours.index < whole.sessions[cut]]
                assert len(upto) == 20 * (at + 1)
                pd.testing.assert_series_equal(ours[upto], theirs[upto])
    assert not np.array_equal(ratios, laid_out(other_future(whole, laid.first + 100))[1])


def other_future(market, cut):
    """Return the market with other prices from session `cut` on."""
    other = noise(99)
    planes = {
        name: np.vstack([getattr(market, name)[:cut], getattr(other, name)[cut:]])
        for name in ("open", "high", "low", "close", "settle", "volume", "open_interest")
    }
    return replace(market, **planes)


def test_a_training_window_in_which_nothing_traded_leaves_the_next_flat():
    laid, _, sets = laid_out(noise(1))
    none = np.full(len(sets), -1)
    walk = forward(laid, np.full(len(sets), np.nan), none)
    assert walk["total_return"] == 0
    assert walk["sharpe"] is None
    assert walk["in_sample_sharpe"] is None
    assert walk["kept"] is None
    assert {row["set"] for row in walk["windows"]} == {None}
    assert any(f"in {len(sets)} of {len(sets)} training windows" in n for n in walk["notes"])
    assert any("too few for a Sharpe ratio" in note for note in walk["notes"])


class Always(Bands):
    """Short the spread from the first day to the last."""

    def units(self, market, p):
        side = np.asarray(p.z) * 0 - 1
        wish = np.multiply.outer(np.ones(len(market.sessions)), side)
        return pd.Series(wish, market.sessions) if wish.ndim == 1 else wish


def test_a_holding_longer_than_the_purge_is_told():
    laid, ratios, sets = laid_out(noise(1), strategy=Always())
    walk = forward(laid, ratios, sets)
    longest = {row["longest_holding"] for row in walk["windows"]}
    assert longest == {len(laid.task.market.sessions) - 1}
    assert any(f"make the purge {max(longest)}" in note for note in walk["notes"])
    assert (sets == 0).all()  # all sets alike: the first one


def test_a_purge_as_long_as_the_longest_holding_is_no_matter_of_note():
    laid, ratios, sets = laid_out(edge(1), "train=80,test=20,purge=40")
    walk = forward(laid, ratios, sets)
    assert max(row["longest_holding"] for row in walk["windows"]) <= 40
    assert not any("purge" in note for note in walk["notes"])


def test_what_cannot_be_closed_in_the_last_session_is_told():
    laid, ratios, sets = laid_out(noise(1), strategy=Always())
    last = [laid.first + span[3] - 1 for span in laid.maker.windows.spans]
    volume = np.array(laid.task.market.volume)
    volume[last] = 0
    dry, ratios, sets = laid_out(replace(laid.task.market, volume=volume), strategy=Always())
    walk = forward(dry, ratios, sets)
    assert [row["left_open"] for row in walk["windows"]] == [1] * len(last)
    assert any("could not be closed" in note for note in walk["notes"])


# -- In its folder ----------------------------------------------------------------------------


def test_a_sweep_writes_table_and_tear_sheet(tmp_path):
    done = sweep(Bands(), edge(1), GRID, out=tmp_path, walk_forward=WORDS, **NOW)
    walk = done.evidence["walk"]
    rows = pd.read_csv(done.folder / "walk.csv", encoding="utf-8-sig")
    assert rows["test_net"].sum() == pytest.approx(walk["net"])
    assert {"lookback", "z", "train_sharpe", "longest_holding"} <= set(rows.columns)
    assert (rows["data"] == "SIMULATED").all()
    assert len(table(walk)) == len(rows) == len(walk["windows"])
    walk_sheet(done, tmp_path / "walk.html")
    text = (tmp_path / "walk.html").read_text("utf-8")
    assert "SIMULATED" in text
    assert "Bands · walk-forward, test windows only" in text
    assert "Sharpe" in text
    assert "://" not in text
    assert "begins flat" in text


def test_without_windows_there_is_no_walk(tmp_path):
    done = sweep(Bands(), edge(1), GRID, out=tmp_path, **NOW)
    assert done.evidence["walk"] is None
    walk_sheet(done, tmp_path / "walk.html")
    assert not (tmp_path / "walk.html").exists()
    assert not (done.folder / "walk.csv").exists()
