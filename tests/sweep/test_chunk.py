"""A set of a sweep is a run: the same figures, whatever is booked beside it."""

import math

import numpy as np
import pandas as pd
import pytest
from spreads import FREE, Bands, edge, noise

from sibt.engine import metrics
from sibt.engine.execution import Execution
from sibt.errors import SettingError, StrategyError
from sibt.hedging.exposure import Entry, Schedule
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy import wishes
from sibt.strategy.strategy import Param, Strategy
from sibt.sweep import grid as grid_module
from sibt.sweep.sweep import plan, sweep

#: Figures a run and a sweep share: money to the fen and counts exactly.
MONEY = ("net", "fees", "worst_day", "worst_equity", "max_drawdown_yuan", "peak_margin",
         "largest_call", "deposits")  # fmt: skip
COUNTS = ("margin_calls", "round_trips", "open_trips", "won", "unfilled_orders")
RATIOS = ("sharpe", "total_return", "max_drawdown")


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


def booked(strategy, market, params, **settings):
    """Return the plan of a sweep and the table of all its sets."""
    laid = plan(strategy, market, params, **settings)
    blocks = [laid.maker(number).table for number in range(laid.grid.block_count())]
    return laid, pd.concat(blocks, ignore_index=True)


def set_values(laid, number):
    rows = laid.grid.values(np.array([number]))
    return {**laid.grid.fixed, **{name: column[0] for name, column in rows.items()}}


def words(values):
    """Return parameters as somebody would write them."""
    return {
        name: "none" if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def same(row, own):
    """Hold a row of the table against a run of the same set."""
    figures = own.result.metrics
    label = f"set {row['set']}"
    for name in MONEY:
        assert round(row[name] * 100) == round(figures[name] * 100), f"{label}: {name}"
        assert row[name] == pytest.approx(figures[name], abs=1e-6), f"{label}: {name}"
    for name in COUNTS:
        assert row[name] == figures[name], f"{label}: {name}"
    for name in RATIOS:
        if figures[name] is None:
            assert math.isnan(row[name]), f"{label}: {name}"
        else:
            # A run's figures are rounded to eight digits.
            assert row[name] == pytest.approx(figures[name], abs=1.01e-8), f"{label}: {name}"
    returns = own.result.returns
    if figures["sharpe"] is not None:
        assert row["sharpe"] == pytest.approx(metrics.sharpe(returns), abs=1e-9), label
    assert row["total_return"] == pytest.approx(metrics.total_return(returns), abs=1e-11), label
    assert row["max_drawdown"] == pytest.approx(metrics.max_drawdown(returns), abs=1e-11), label
    if len(returns) > 1:
        assert row["mean"] == pytest.approx(returns.mean(), abs=1e-13), label
        assert row["deviation"] == pytest.approx(returns.std(), abs=1e-11), label
    if len(returns) > 1 and returns.std() > 1e-9:
        away = (returns - returns.mean()) / returns.std(ddof=0)
        assert row["skewness"] == pytest.approx((away**3).mean(), abs=1e-6, rel=1e-6), label
        assert row["kurtosis"] == pytest.approx((away**4).mean(), abs=1e-6, rel=1e-6), label
    assert row["bust"] == (figures["bust"] is not None), label
    if own.hedge is not None:
        assert row["hedged"] == pytest.approx(own.hedge.metrics["hedged"], abs=0.005), label
    if figures["peak_margin"]:
        share = figures["net"] / figures["peak_margin"]
        assert row["return_on_margin"] == pytest.approx(share, rel=1e-9), label


CASES = {
    "a spread, entered by its richness": (
        "calendar_reverse",
        {"entry": "zscore", "z": "0:2:0.5", "lookback": "5,15,20", "z_exit": "none,0,-1",
         "stop": "none,200", "year": "2023,2024"},
        {},
    ),
    "a spread, placebo pairs and holding times": (
        "calendar_reverse",
        {"near_month": "11,12,01", "hold": "none,10,40", "target": "none,-2600",
         "units_held": "1,10,200"},
        {"capital": 300_000.0},
    ),
    "relief, legged, deposits": (
        "calendar_reverse",
        {"entry": "zscore", "z": "0:2:0.5", "units_held": "5,25,400", "stop": "none,200"},
        {"account": {"capital": 150_000.0, "spread_relief": True, "on_call": "deposit",
                     "broker_margin": 0.05},
         "execution": Execution(pairing="legged", participation=0.02)},
    ),
    "a rally, rolling": (
        "short_rallies",
        {"rally": "level,zscore,rise", "level": "11800:12400:200", "light": "0.05,0.3,1",
         "long_exit": "none,12500", "variant": "quarterly,near_month"},
        {},
    ),
    "a resting order at the target": (
        "short_rallies",
        {"by": "touch", "light": "0.1,0.3,1", "level": "11800:12400:100", "target": "11000,11500",
         "long_exit": "12000,12500", "tranches": "1,3"},
        {"start": "2024-04-15", "end": "2024-10-08"},
    ),
    "heavy, with money paid in": (
        "short_rallies",
        {"light": "0.5,1", "level": "11800:12400:100", "short_stop": "none,500"},
        {"account": {"capital": 200_000.0, "on_call": "deposit"}, "terms": {"margin": 0.02}},
    ),
    "a producer, account sized from each set's hedge": (
        "producer_hedge",
        {"program": "timed,always", "ratio": "0.1:1:0.1", "trigger": "0,0.1,0.3",
         "output": "100,1000"},
        {},
    ),
    "a producer in a window": (
        "producer_hedge",
        {"program": "timed,constant", "ratio": "0.3,1", "trigger": "0,0.3"},
        {"start": "2024-05-20", "end": "2024-08-30", "account": {"on_call": "deposit"}},
    ),
    "a trader": (
        "trader_hedge",
        {"signal": "percentile,carry", "high": "0.5,0.7", "normal": "none,0.3,0.6",
         "lookback": "20,60", "carry": "0.2,1", "lag": "30,45", "ratio": "0.5,1"},
        {"execution": Execution(fill="close", slippage=2, participation=None)},
    ),
}


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_any_set_run_by_itself_gives_the_figures_of_the_table(case, sample):
    strategy, params, settings = CASES[case]
    laid, found = booked(strategy, sample, params, **settings)
    rng = np.random.default_rng(7)
    good = found[found["reason"] == ""]
    assert len(good) > 7
    chosen = good.iloc[np.sort(rng.permutation(len(good))[:7])]
    for _, row in chosen.iterrows():
        own = run(strategy, sample, words(set_values(laid, int(row["set"]))), **settings)
        same(row, own)
    assert found.loc[found["reason"] != "", "reason"].str.startswith("refused: ").all()


@pytest.mark.parametrize("on_call", ["cut", "deposit"])
def test_bust_sets_are_booked_as_their_runs(on_call):
    wild = noise(4, step=100.0)
    settings = {"capital": 60_000.0, "account": {"on_call": on_call}, "terms": {"margin": 0.002}}
    laid, found = booked(Bands(), wild, {"z": "0.5:2:0.1", "size": "20,60"}, **settings)
    assert found["bust"].sum() > 3
    assert (found["margin_calls"] > 0).any()
    for bust in (True, False):
        for _, row in found[found["bust"] == bust].head(4).iterrows():
            same(row, run(Bands(), wild, words(set_values(laid, int(row["set"]))), **settings))


# -- Refused, and broken ----------------------------------------------------------------------


def test_sets_that_contradict_themselves_stand_in_the_table_and_the_others_are_booked():
    laid, found = booked(Bands(), edge(1), {"z": "0.5,1", "z_exit": "none,0,0.5,1"})
    refused = found["z_exit"] >= found["z"]
    assert refused.sum() == 3
    assert (found.loc[refused, "reason"] == "refused: z_exit is not below z").all()
    assert found.loc[refused, ["net", "sharpe", "round_trips", "fees"]].isna().all(axis=None)
    assert (found.loc[~refused, "reason"] == "").all()
    _, alone = booked(
        Bands(), edge(1), {"z": "0.5,1", "z_exit": "none,0,0.5,1"}, where="not z_exit >= z"
    )
    pd.testing.assert_frame_equal(
        found[~refused].reset_index(drop=True), alone, check_exact=True
    )
    chunk = laid.task.book(laid.grid.block(0), laid.first)
    np.testing.assert_array_equal(chunk.sets, found.loc[~refused, "set"])
    assert len(chunk.daily) == len(chunk.sets)


class Fussy(Bands):
    """Cannot take a look-back of eleven."""

    broken = Param(0, "how it breaks", "kinds", grid=(0,))

    def units(self, market, p):
        bad = np.atleast_1d(np.asarray(p.lookback) == 11)
        if bad.any() and np.all(p.broken == 0):
            raise ZeroDivisionError("eleven")
        wish = super().units(market, p)
        if bad.any() and np.all(p.broken == 1):
            wish = np.where(bad, np.asarray(wish) + 0.5, np.asarray(wish))
        if bad.any() and np.all(p.broken == 2):
            wish = np.where(bad, 1e12, np.asarray(wish, dtype=float))
        if bad.any() and np.all(p.broken == 3):
            wish = np.asarray(wish)[:-1]
        if bad.any() and np.all(p.broken == 4):
            wish = np.full(np.shape(wish), "eleven")
        return wish


@pytest.mark.parametrize(
    ("broken", "said"),
    [(0, "ZeroDivisionError"), (1, "no whole number"), (2, "no whole number"), (3, "has shape"),
     (4, "no number")],
)  # fmt: skip
def test_a_set_that_cannot_be_booked_does_not_spoil_its_chunk(broken, said):
    params = {"lookback": "5:20:1", "z": "0.5:2:0.25", "broken": str(broken)}
    _, found = booked(Fussy(), edge(1), params)
    _, whole = booked(Bands(), edge(1), {k: v for k, v in params.items() if k != "broken"})
    bad = found["lookback"] == 11
    assert found.loc[bad, "reason"].str.contains(said).all()
    assert found.loc[bad, "net"].isna().all()
    assert (found.loc[~bad, "reason"] == "").all()
    pd.testing.assert_frame_equal(found[~bad], whole[~bad], check_exact=True)


class Stock(Strategy):
    """Tonnes and lots by the grid."""

    kind = "hedger"
    tonnes = Param(100.0, "goods", "t", low=0.0, grid=(100.0,))
    lots = Param(20, "lots", "lots", low=0, grid=(20,))
    stated = Param("columns", "how", choices=("columns", "one", "goods", "legs", "short"))

    def legs(self, market, p):
        return {"si2410": 1}

    def exposure(self, market, p):
        if p.stated == "goods":
            plan = Schedule((Entry("purchase", pd.Timestamp("2024-05-06"), 80.0, 12_000.0),))
            return plan.exposure(market)
        one = pd.Series(60.0, market.sessions)
        if p.stated == "one":
            return one
        if p.stated == "short":
            return np.ones((3, 2))
        wide = wishes.scale(np.ones(len(market.sessions)), p.tonnes)
        # Known from the third session on; before there is nothing, after it stands.
        wide[:2], wide[3:] = 0.0, np.nan
        return wishes.by_session(wide, market.sessions)

    def units(self, market, p):
        if p.stated == "legs":
            return pd.DataFrame({"si2410": 0.0}, index=market.sessions)
        since = np.asarray(market.sessions >= "2024-05-06")
        return wishes.by_session(-wishes.scale(since, p.lots), market.sessions)


@pytest.mark.parametrize(("stated", "most"), [("columns", None), ("one", 60.0), ("goods", 80.0)])
def test_sets_that_hedge_more_than_their_goods_are_refused_as_their_runs_are(
    sample, stated, most
):
    params = {"tonnes": "0,50,98,100", "lots": "0,10,20,22", "stated": stated}
    _, found = booked(Stock(), sample, params)
    tonnes = found["tonnes"] if most is None else most
    more = 5.0 * found["lots"] >= tonnes + 5.0
    assert more.any()
    assert not more.all()
    assert (found.loc[~more, "reason"] == "").all()
    assert found.loc[more, ["net", "hedged"]].isna().all(axis=None)
    for _, row in found.iterrows():
        p = {"tonnes": row["tonnes"], "lots": int(row["lots"]), "stated": stated}
        if row["reason"]:
            with pytest.raises(StrategyError) as said:
                run(Stock(), sample, p)
            assert str(said.value) == row["reason"]
            assert "2024-05-06 is" in row["reason"]
        else:
            own = run(Stock(), sample, p).hedge.metrics
            assert row["hedged"] == pytest.approx(own["hedged"], abs=0.005)


def test_a_strategy_that_wishes_leg_by_leg_is_refused_set_by_set(sample):
    _, found = booked(Stock(), sample, {"lots": "1,2,3", "stated": "legs,columns"})
    legs = found["stated"] == "legs"
    assert found.loc[legs, "reason"].str.contains("leg by leg, which a sweep does not book").all()
    assert (found.loc[~legs, "reason"] == "").all()


@pytest.mark.parametrize("params", [{"ratio": "0.5,1"}, {"trigger": "0.1,0.5"}])
def test_a_strip_is_refused_and_the_other_programs_are_booked(sample, params):
    _, found = booked("producer_hedge", sample, {"program": "strip,stack,layered", **params})
    strip = found["program"] == "strip"
    assert found.loc[strip, "reason"].str.contains("leg by leg, which a sweep does not book").all()
    assert (found.loc[~strip, "reason"] == "").all()


def test_an_exposure_of_another_shape_is_refused(sample):
    _, found = booked(Stock(), sample, {"lots": "1,2,3", "stated": "short"})
    assert found["reason"].str.contains(r"exposure\(\) of 1 sets .* has shape \(3, 2\)").all()


def test_what_goods_came_to_is_unknown_where_some_may_be_delivered(sample):
    deliver = Execution(at_expiry="deliver", participation=None)
    params = {"program": "always", "ratio": "0.5,1"}
    _, found = booked("producer_hedge", sample, params, execution=deliver)
    assert found["hedged"].isna().all()
    assert found["net"].notna().all()
    with pytest.raises(SettingError, match="does not know of goods that are delivered"):
        booked("producer_hedge", sample, params, execution=deliver, metric="hedged")


# -- Chunks, threads, order -------------------------------------------------------------------


def back(maker, numbers):
    """Make pieces backwards."""
    return (maker(number) for number in reversed(list(numbers)))


def test_results_do_not_depend_on_chunks_threads_or_order(tmp_path, monkeypatch):
    params = {"lookback": "4:40:2", "z": "0.5:2:0.1", "z_exit": "none,0,0.7"}
    settings = {"execution": Execution(slippage=0), "terms": FREE, "capital": 300_000.0,
                "walk_forward": "train=80,test=20,purge=5"}  # fmt: skip
    monkeypatch.setattr("sibt.sweep.finish._GROUP", 500)
    found = []
    for number, (size, jobs, pool) in enumerate([(2000, 1, None), (97, 3, None), (400, 1, back)]):
        monkeypatch.setattr(grid_module, "CHUNK", size)
        done = sweep(Bands(), edge(3), params, out=tmp_path / str(number), jobs=jobs, pool=pool,
                     **settings)  # fmt: skip
        assert (done.table()["reason"] != "").any()
        assert done.evidence["walk"]["round_trips"] > 3
        found.append(done.folder)
    for name in ("sets.parquet", "evidence.json", "top.csv", "walk.csv"):
        first, *others = [(folder / name).read_bytes() for folder in found]
        assert all(other == first for other in others), name


def test_a_chunk_of_one_set_books_what_a_chunk_of_many_books(monkeypatch, sample):
    strategy, params, settings = CASES["a producer, account sized from each set's hedge"]
    _, whole = booked(strategy, sample, params, **settings)
    monkeypatch.setattr(grid_module, "CHUNK", 1)
    _, ones = booked(strategy, sample, {**params, "output": "100"}, **settings)
    both = whole[whole["output"] == 100].reset_index(drop=True)
    kept = [name for name in ones.columns if name not in ("set", "output")]
    pd.testing.assert_frame_equal(both[kept], ones[kept], check_exact=True)
