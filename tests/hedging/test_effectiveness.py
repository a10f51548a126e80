"""The effectiveness report: what a hedge is held against, and what is not known."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, g06, hedge_of, random_hedge, worked

from sibt.errors import DataError, SettingError
from sibt.hedging.bootstrap import stationary_draws
from sibt.hedging.effectiveness import (
    STRETCHES,
    Timing,
    effectiveness,
    stack_minus_strip,
    timing,
)
from sibt.hedging.reduction import MEASURES, reductions, variance_reduction
from sibt.hedging.screen import offsets, regression_test
from sibt.runs.run import run
from sibt.sources import load_market

COUNT = 235


def prices(seed, count=COUNT):
    rng = np.random.default_rng(seed)
    futures = 12_000.0 + 5 * np.cumsum(rng.integers(-15, 16, count))
    return futures, futures + 500 + 5 * np.cumsum(rng.integers(-3, 4, count))


def program(lots, seed=0, **how):
    futures, spot = prices(seed)
    return hedge_of({"si2505": futures}, spot, lots=lots, **{"slippage": 1, "fee": 0.0001, **how})


@pytest.fixture(scope="module")
def always():
    return program(-20)


@pytest.fixture(scope="module")
def timed():
    # Hedged in every other stretch of two dozen sessions.
    return program(np.where(np.arange(COUNT) // 24 % 2, -20.0, 0.0))


@pytest.fixture(scope="module")
def others(always):
    return {"never": program(0), "always": always, "constant at 50%": program(-10)}


@pytest.fixture(scope="module")
def found(timed, others):
    return effectiveness(timed, others, constant="constant at 50%", costs=2_500.0, name="timed")


@pytest.mark.parametrize("ratio", ["1.00", "0.85"])
def test_g06_price_offset_and_identity(ratio):
    expected = worked("g06")["expected"]
    found = effectiveness(g06(ratio))
    assert f"{found.outcome.price:.2f}" == expected[ratio]["effective_price"]
    [month] = found.offsets.itertuples()
    assert f"{month.offset:.4f}" == expected[ratio]["dollar_offset"]
    assert month.within is expected[ratio]["in_80_125"]
    assert f"{found.cost.total:.2f}" == expected[ratio]["fees"]
    assert found.basis.change == 1000 * expected["basis_change"]


def test_programs_are_priced_on_the_same_goods(found, timed, others):
    table = found.programs
    assert list(table.index) == ["timed", "never", "always", "constant at 50%"]
    end = timed.outcome(2_500.0)
    assert table.loc["timed", ["price", "better"]].tolist() == [end.price, 0.0]
    for name, other in others.items():
        own = replace(other, since=timed.sessions[0]).outcome()
        assert own.tonnes == end.tonnes
        assert table.loc[name, "price"] == own.price
        assert table.loc[name, "better"] == pytest.approx(end.price - own.price)
        assert table.loc[name, "ratio"] == pytest.approx(other.average_ratio, abs=0.01)
    # The goods alone: spot at the end.
    assert table.loc["never", "price"] == prices(0)[1][-1]
    assert table.loc["never", "variance_reduction"] == 0.0


def test_another_hedge_is_counted_over_the_sessions_of_this_one(timed):
    late = program(np.where(np.arange(COUNT) < 150, 0.0, -20.0))
    assert late.sessions[0] > timed.sessions[0]
    table = effectiveness(timed, {"late": late}).programs
    # Its own run counts from its first wish on; here the goods are those of the timed hedge.
    assert table.loc["late", "price"] == pytest.approx(
        timed.outcome().unhedged + late.outcome().futures / 100)


def test_what_is_better_for_a_consumer_is_cheaper():
    futures, spot = prices(3)
    long, bare = (hedge_of({"si2505": futures}, spot, lots=lots, tonnes=-100.0, known_from=DAYS[0])
                  for lots in (20, 0))
    found = effectiveness(long, {"never": bare}, constant="never")
    gained = long.metrics["futures"] / 100
    assert found.programs.loc["never", "better"] == pytest.approx(gained)
    assert found.timing.better == pytest.approx(gained)
    assert found.programs.loc["this hedge", "price"] == pytest.approx(spot[-1] - gained)


def test_hedges_of_other_goods_are_refused(timed):
    with pytest.raises(SettingError, match="'more' is a hedge of other goods"):
        effectiveness(timed, {"more": program(-20, tonnes=105.0)})
    with pytest.raises(SettingError, match=r"'constant' is not among what .*; it is nothing"):
        effectiveness(timed, constant="constant")


def test_no_goods_are_refused():
    with pytest.raises(DataError, match="no goods"):
        effectiveness(program(-20, tonnes=0.0))


class TestTiming:
    def test_it_is_the_difference_of_prices(self, timed, others):
        found = effectiveness(timed, others, constant="constant at 50%")
        better = found.programs.loc["constant at 50%", "better"]
        assert found.timing.better == pytest.approx(better)
        assert found.timing.low < found.timing.better < found.timing.high

    def test_its_interval_is_that_of_the_sum_of_daily_differences(self, found, timed, others):
        own, other = (h.table["futures"].loc[timed.sessions] for h in
                      (timed, others["constant at 50%"]))
        # Lots are held from the session after the first wish to the end.
        daily = (own - other).to_numpy() / 100
        drawn = daily[stationary_draws(len(daily), 2000, 20.0, 0)].sum(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert [found.timing.low, found.timing.high] == pytest.approx([low, high])

    def test_a_rule_without_skill_is_seldom_proven(self):
        proven = []
        for seed in range(30):
            rng = np.random.default_rng(1000 + seed)
            on = np.repeat(rng.integers(0, 2, COUNT // 5), 5) * -20.0
            how = {"seed": seed, "slippage": 0, "fee": 0.0, "known_from": DAYS[0]}
            proven.append(timing(program(on, **how), program(-10, **how)).proven)
        # One in forty is expected at 95 %, two-sided.
        assert sum(proven) <= 3

    def test_a_rule_that_knows_the_future_is_proven(self):
        futures, _ = prices(0)
        falls = np.r_[np.diff(futures) < 0, False]
        # Decided at t, filled at t + 1: it has to know the move after that.
        wish = np.where(np.r_[falls[1:], False], -20.0, 0.0)
        how = {"slippage": 0, "fee": 0.0}
        found = timing(program(wish, **how), program(-10, **how))
        assert found.proven
        assert "more than chance explains" in found.verdict

    def test_too_short_a_run_has_no_interval(self):
        futures, spot = prices(1, 100)
        timed = hedge_of(futures, spot, lots=np.where(np.arange(100) < 50, -20.0, 0.0))
        found = timing(timed, hedge_of(futures, spot, lots=-10))
        assert math.isnan(found.low)
        assert not found.proven

    @pytest.mark.parametrize(("better", "low", "high", "verdict"), [
        (0.001, -1.0, 1.0, "timing added nothing"),
        (-12.34, -50.0, 20.0, "was 12.3 yuan/t worse .* timing was worth nothing"),
        (12.34, math.nan, math.nan, "12.3 yuan/t better .* too short to tell it from chance"),
        (12.34, -5.0, 20.0, r"but chance explains it \(95% interval -5\.0 to \+20\.0\)"),
        (12.34, 5.0, 20.0, r"more than chance explains \(95% interval \+5\.0 to \+20\.0\)"),
    ])  # fmt: skip
    def test_the_verdict_says_what_it_was_worth(self, better, low, high, verdict):
        assert re.search(verdict, Timing(better, low, high, 20).verdict)


def test_risk_is_cut_over_stretches_of_a_month_and_a_week(found, timed):
    assert STRETCHES == (20, 5)
    assert found.reductions.index.tolist() == [(k, m) for k in STRETCHES for m in MEASURES]
    for length in STRETCHES:
        sums = timed.stretches(length)
        expected = reductions(sums["physical"], sums["hedged"], seed=0)
        pd.testing.assert_frame_equal(found.reductions.loc[length], expected)
    headline = timed.metrics["variance_reduction"]
    assert found.reductions.loc[(20, "variance"), "reduction"] == pytest.approx(headline)
    assert headline == pytest.approx(
        variance_reduction(*timed.stretches()[["physical", "hedged"]].to_numpy().T))


def test_screens_are_those_of_the_changes(found, timed):
    months = timed.stretches()
    assert found.regression == regression_test(months["physical"], months["gross"])
    worth = 100 * timed.book.spot.shift(1)
    pd.testing.assert_frame_equal(
        found.offsets, offsets(timed.changes, worth.loc[timed.changes.index]))


def test_a_change_is_noise_by_the_worth_of_the_goods_before_it():
    # 100 t worth 1,250,000 yuan gained 1,000 and were sold.
    found = effectiveness(hedge_of(
        [12_000.0] * 3, [12_500.0, 12_510.0, 12_510.0], tonnes=[100, 0, 0], lots=0))
    assert found.offsets["item"].tolist() == [1_000.0]
    assert found.offsets["offset"].isna().all()


def test_a_short_run_says_what_is_unknown():
    futures, spot = prices(2, 60)
    found = effectiveness(hedge_of(futures, spot))
    assert found.regression is None
    assert found.reductions.loc[20, "reduction"].isna().all()
    assert any("there are 2 stretches of 20 quotes" in line for line in found.unknown)


def test_a_hedge_without_futures_says_why_there_is_no_regression(others):
    found = effectiveness(others["never"])
    assert found.regression is None
    assert any("changed by the same amount in every stretch" in line for line in found.unknown)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_any_hedge_is_told_twice_alike(seed):
    hedge = random_hedge(seed)
    one, two = effectiveness(hedge, seed=1), effectiveness(hedge, seed=1)
    pd.testing.assert_frame_equal(one.reductions, two.reductions)
    assert one.outcome == two.outcome
    assert one.unknown == two.unknown
    total = one.offsets["item"].sum()
    assert total == pytest.approx(hedge.changes["physical"].sum(), abs=0.005)


def test_the_shipped_producer_is_held_against_its_benchmarks():
    market = load_market("sample")
    timed = run("producer_hedge", market)
    capital = timed.result.job.account.capital
    constant = run("producer_hedge", market, {
        "program": "constant", "ratio": min(timed.hedge.average_ratio, 1.0)}, capital=capital)
    found = effectiveness(timed.hedge, {"constant": constant.hedge}, constant="constant")
    gained = timed.hedge.metrics["hedged"] - constant.hedge.metrics["hedged"]
    assert found.timing.better == pytest.approx(gained / 6000, abs=1e-6)
    assert found.outcome.price == pytest.approx(
        found.outcome.start + timed.hedge.metrics["hedged"] / 6000)


# -- A stack less a strip ----------------------------------------------------------------------


def stack_and_strip():
    near, far = prices(5, 100)[0], prices(6, 100)[0] + 100
    bars, spot = {"si2410": near, "si2411": far}, near + 400
    code = pd.Series(np.where(np.arange(100) < 60, "si2410", "si2411"), DAYS[:100])
    how = {"tonnes": 200.0, "fee": 0.0001, "slippage": 1}
    stack = hedge_of(bars, spot, lots=-40, legs={"stack": (code, 1)}, **how)
    strip = hedge_of(bars, spot, lots=-20, legs={"si2410": 1, "si2411": 1}, pairing="legged", **how)
    return near, far, stack, strip


def test_a_stack_less_a_strip_is_curve_and_rolls():
    near, far, stack, strip = stack_and_strip()
    found = stack_minus_strip(stack, strip)
    # 200 t in the near month, rolled in session 61, less 100 t in each.
    apart = 100 * ((near[61] - near[1]) - (far[61] - far[1])) * -1
    apart += 100 * ((far[99] - far[61]) - (near[99] - near[61])) * -1
    assert found.futures == pytest.approx(apart - found.cost, abs=1.0)
    assert found.price == pytest.approx(found.futures / 200)
    assert found.path.iloc[-1] == pytest.approx(found.futures)
    assert found.worst == min(found.path.min(), 0.0)
    # Four whole stretches of 20 sessions are too few.
    assert math.isnan(found.risk)
    swapped = stack_minus_strip(strip, stack)
    assert (swapped.price, swapped.futures, swapped.cost) == pytest.approx(
        (-found.price, -found.futures, -found.cost))


def test_the_risk_between_them_is_the_spread_of_monthly_differences(always, timed):
    found = stack_minus_strip(timed, always)
    daily = (timed.table["futures"] - always.table["futures"]).loc[timed.sessions].to_numpy()
    months = daily[: len(daily) // 20 * 20].reshape(-1, 20).sum(axis=1)
    assert found.risk == pytest.approx(months.std(ddof=1))


def test_a_stack_of_other_goods_is_refused(timed):
    with pytest.raises(SettingError, match="'strip' is a hedge of other goods"):
        stack_minus_strip(timed, program(-20, tonnes=90.0))
