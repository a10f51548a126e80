"""By how much risk is cut: published cases, cases by hand, and what few stretches do not tell."""

import math

import numpy as np
import pandas as pd
import pytest
from hedges import worked
from scipy import integrate, stats

from sibt.hedging.bootstrap import interval
from sibt.hedging.reduction import (
    FEWEST,
    MEASURES,
    cornish_fisher,
    historical,
    reductions,
    semivariance,
    variance_reduction,
)


def best_ratio(spot, futures):
    return np.cov(spot, futures)[0, 1] / np.var(futures, ddof=1)


class TestVarianceReduction:
    def test_g06_is_the_r2_at_the_minimum_variance_ratio(self):
        case = worked("g06")
        spot, futures = (np.array(case["inputs"][name], float)
                         for name in ("weekly_dS", "weekly_dF"))
        h = best_ratio(spot, futures)
        assert f"{h:.4f}" == case["expected"]["h_star_min_variance"]
        found = variance_reduction(spot, spot - h * futures)
        assert f"{found:.4f}" == case["expected"]["effectiveness_r2"]

    def test_g14_hull(self):
        case = worked("g14")
        spot, futures = (np.array(case["inputs"][name], float) for name in ("dS", "dF"))
        h = best_ratio(spot, futures)
        assert f"{h:.4f}" == case["expected"]["h_star"]
        found = variance_reduction(spot, spot - h * futures)
        assert f"{found:.3f}" == case["expected"]["effectiveness"]

    def test_g19_out_of_sample(self):
        case = worked("g19")
        spot, futures = (np.array(case["inputs"][name], float)[4:] for name in ("dS", "dF"))
        for h, expected in (("h_first4", "HE_oos_5_8"), ("h_full_lookahead", "HE_lookahead_5_8")):
            found = variance_reduction(spot, spot - float(case["expected"][h]) * futures)
            assert f"{found:.6f}" == case["expected"][expected]

    def test_a_hedge_that_adds_variance_is_below_zero(self):
        assert variance_reduction([1, -1, 1, -1], [2, -2, 2, -2]) == -3.0

    def test_goods_that_do_not_vary_leave_nothing_to_cut(self):
        assert math.isnan(variance_reduction([0.1] * 7, [1, 2, 3, 4, 5, 6, 7]))
        assert math.isnan(variance_reduction([1.0], [1.0]))


def test_semivariance_counts_losses_only():
    assert semivariance([-3.0, 1.0, 100.0, -1.0]) == 10 / 4


class TestHistorical:
    LOSSES = -np.arange(1.0, 21.0)  # the worst of twenty is 20, then 19, …

    def test_value_at_risk_is_the_loss_that_the_share_of_results_reach(self):
        assert historical(self.LOSSES, 0.95) == 20.0
        assert historical(self.LOSSES, 0.90) == 19.0
        assert historical(self.LOSSES, 0.89) == 18.0

    def test_expected_shortfall_is_the_mean_of_the_tail_the_last_result_by_its_part(self):
        assert historical(self.LOSSES, 0.95, shortfall=True) == pytest.approx(20.0)
        assert historical(self.LOSSES, 0.90, shortfall=True) == pytest.approx(19.5)
        # 2.2 results: 20, 19 and a fifth of 18.
        assert historical(self.LOSSES, 0.89, shortfall=True) == pytest.approx((39 + 3.6) / 2.2)

    def test_they_find_those_of_a_normal_law(self):
        x = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
        assert historical(x, 0.99) == pytest.approx(2.3263, abs=1e-3)
        assert historical(x, 0.99, shortfall=True) == pytest.approx(2.6652, abs=1e-3)


class TestCornishFisher:
    def test_a_normal_law_has_its_own_quantiles(self):
        x = 3.0 + 2.0 * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
        assert cornish_fisher(x, 0.95) == pytest.approx(2 * 1.6449 - 3, abs=2e-3)
        assert cornish_fisher(x, 0.95, shortfall=True) == pytest.approx(2 * 2.0627 - 3, abs=2e-3)

    @pytest.mark.parametrize("level", [0.95, 0.99])
    def test_expected_shortfall_is_the_mean_of_its_quantiles_in_the_tail(self, level):
        x = np.random.default_rng(2).gamma(20.0, size=300)
        s, k = stats.skew(x), stats.kurtosis(x)

        def quantile(u):
            z = stats.norm.ppf(u)
            own = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
            return x.mean() + x.std() * own

        tail = 1 - level
        assert cornish_fisher(x, level) == pytest.approx(-quantile(tail))
        area = integrate.quad(quantile, 0, tail, limit=500)[0]
        assert cornish_fisher(x, level, shortfall=True) == pytest.approx(-area / tail, rel=1e-5)

    def test_an_expansion_that_falls_is_no_quantile_function(self):
        x = np.r_[np.zeros(99), -50.0]
        assert math.isnan(cornish_fisher(x, 0.99))
        # No skew and tails so fat that the expansion falls in the middle only.
        assert math.isnan(cornish_fisher(np.r_[np.linspace(-1, 1, 60), -20.0, 20.0], 0.99))

    def test_the_expansion_is_told_to_rise_where_it_does(self):
        # Against a look at its slope, point by point.
        z = np.linspace(-2.33, 2.33, 20_001)
        seen = set()
        for seed in range(60):
            rng = np.random.default_rng(seed)
            x = rng.gamma(rng.uniform(0.5, 30), size=60) * rng.choice([-1, 1])
            x = np.r_[x, rng.standard_t(3, 20) * rng.uniform(0, 3)]
            s, k = stats.skew(x), stats.kurtosis(x)
            slope = (1 + z * s / 3 + (3 * z**2 - 3) * k / 24 - (6 * z**2 - 5) * s**2 / 36).min()
            if abs(slope) > 1e-3:
                assert math.isnan(cornish_fisher(x, 0.95)) == (slope < 0)
                seen.add(slope < 0)
        assert seen == {True, False}

    def test_results_that_do_not_vary_have_none(self):
        assert math.isnan(cornish_fisher(np.full(30, 0.1), 0.95))


class TestReductions:
    def test_a_hedge_that_halves_every_result_halves_every_risk(self):
        x = np.random.default_rng(0).normal(size=120)
        table = reductions(x, x / 2)
        expected = pd.Series(0.5, index=table.index)
        expected[["variance", "semivariance"]] = 0.75
        for column in ("reduction", "low", "high"):
            np.testing.assert_allclose(table[column], expected, atol=1e-12, err_msg=column)

    def test_each_is_one_less_risk_with_over_risk_without(self):
        rng = np.random.default_rng(1)
        x = rng.normal(size=150)
        y = 0.3 * x + rng.normal(scale=0.2, size=150)
        table = reductions(x, y)
        assert tuple(table.index) == MEASURES
        assert table.loc["variance", "reduction"] == pytest.approx(variance_reduction(x, y))
        for level in (0.95, 0.99):
            for name, shortfall in (("VaR", False), ("ES", True)):
                for said, risk in (("", historical), (", Cornish–Fisher", cornish_fisher)):
                    row = table.loc[f"{name} {level:.0%}{said}"]
                    risks = [float(risk(each, level, shortfall=shortfall)) for each in (x, y)]
                    assert [row["unhedged"], row["hedged"]] == pytest.approx(risks)
                    assert row["reduction"] == pytest.approx(1 - risks[1] / risks[0])

    def test_intervals_hold_the_figure_and_are_seeded(self):
        rng = np.random.default_rng(1)
        x = rng.normal(size=100)
        y = 0.3 * x + rng.normal(scale=0.2, size=100)
        table = reductions(x, y, seed=4)
        pd.testing.assert_frame_equal(table, reductions(x, y, seed=4))
        assert not table.equals(reductions(x, y, seed=5))
        known = table.dropna()
        assert "variance" in known.index
        assert (known["low"] < known["reduction"]).all()
        assert (known["reduction"] < known["high"]).all()
        assert (table["block"] == 5).all()

    def test_nine_of_ten_intervals_hold_the_true_variance_reduction(self):
        # Spot 0.8 × futures + noise, hedged with 0.8: the truth is 0.64 ÷ (0.64 + 0.04).
        truth, held = 0.64 / 0.68, []
        for seed in range(150):
            rng = np.random.default_rng(seed)
            futures, noise = rng.normal(size=96), rng.normal(scale=0.2, size=96)
            pair = np.column_stack([0.8 * futures + noise, noise])
            low, high = interval(
                pair, lambda d: 1 - d[..., 1].var(axis=-1) / d[..., 0].var(axis=-1),
                block=5, seed=seed, replications=300,
            )
            held.append(low < truth < high)
        assert 0.85 <= np.mean(held) <= 0.98

    @pytest.mark.parametrize("count", [0, 1, 5, 6, 19, 20, 99, 100])
    def test_what_too_few_stretches_do_not_tell_is_unknown(self, count):
        x = np.random.default_rng(3).normal(size=count)
        table = reductions(x, x / 2)
        assert (table["stretches"] == count).all()
        for name, fewest in FEWEST.items():
            told = not math.isnan(table.loc[name, "reduction"])
            assert told <= (count >= fewest), name
            if "Cornish" not in name:
                assert told == (count >= fewest), name
        assert FEWEST["VaR 95%"] == 20
        assert FEWEST["ES 99%"] == 100

    def test_goods_without_losses_have_no_tail_to_cut(self):
        table = reductions(np.linspace(1, 2, 30), np.linspace(0, 1, 30))
        below = table.loc[["semivariance", "VaR 95%", "ES 95%"]]
        assert below[["reduction", "low", "high"]].isna().all(axis=None)
        assert not math.isnan(table.loc["variance", "low"])
