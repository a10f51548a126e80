import sys

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError, SettingError
from sibt.hedging.contest import contest, diebold_mariano, superior
from sibt.hedging.ratios.pair import RatioError
from sibt.hedging.ratios.path import path
from sibt.market import calendar

DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2023-01-03"]


def drawn(seed, sessions=400, ratio=0.8, noise=60.0):
    generator = np.random.default_rng(seed)
    futures = 15_000 + np.cumsum(150 * generator.standard_normal(sessions))
    gap = np.cumsum(noise * generator.standard_normal(sessions))
    index = DAYS[:sessions]
    return pd.Series(3_000 + ratio * futures + gap, index), pd.Series(futures, index)


def test_a_ratio_far_from_one_is_found_better():
    found = contest(*drawn(1, ratio=0.5), k=1)
    assert list(found.table.index) == [
        "naive", "min_variance", "error_correction", "rolling", "ewma"]
    assert (found.table["verdict"].iloc[1:] == "better than 1:1").all()
    assert (found.table["statistic"].iloc[1:] > 0).all()
    assert found.table["verdict"].iloc[0] == "one for one"
    assert found.superior < 0.05


def test_where_one_for_one_is_right_nothing_is_called_better():
    verdicts = [contest(*drawn(seed, ratio=1.0), k=5).table["verdict"] for seed in range(4)]
    assert not any((v == "better than 1:1").any() for v in verdicts)


def test_a_better_figure_is_not_a_better_method():
    # The ratio is 0.95: minimum variance removes a little more, by luck and by right, unproved.
    found = contest(*drawn(3, ratio=0.95), ["min_variance"], k=5)
    row = found.table.loc["min_variance"]
    assert row["chance"] > 0.05
    assert row["verdict"] == "not shown to differ from 1:1"


def test_a_worse_method_is_called_worse():
    spot, futures = drawn(4, sessions=600, ratio=1.0, noise=200.0)
    row = contest(spot, futures, ["ewma"], k=1, every=1, decay=0.5).table.loc["ewma"]
    assert row["verdict"] == "worse than 1:1"
    assert row["statistic"] < 0


def test_all_are_judged_on_the_same_changes_by_hand():
    spot, futures = drawn(5)
    k = 5
    found = contest(spot, futures, ["min_variance", "rolling"], k=k, window=60, every=10)
    ways = {name: found.paths[name].ratios for name in found.table.index}
    both = ways["min_variance"].notna() & ways["rolling"].notna()
    begins = [t for t in range(400 - k) if both.iloc[t]]
    assert found.windows == len(begins)
    assert (found.first, found.last) == (DAYS[begins[0]], DAYS[begins[-1] + k])
    losses = {}
    for name, ratios in ways.items():
        left = np.array([
            spot.iloc[t + k] - spot.iloc[t] - ratios.iloc[t] * (
                futures.iloc[t + k] - futures.iloc[t]) for t in begins])
        bare = np.array([spot.iloc[t + k] - spot.iloc[t] for t in begins])
        losses[name] = left**2
        row = found.table.loc[name]
        assert row["variance_reduction"] == pytest.approx(1 - left.var() / bare.var())
        assert row["loss"] == pytest.approx(np.sqrt(np.mean(left**2)))
    duel = diebold_mariano(losses["naive"], losses["rolling"], k)
    assert found.table.loc["rolling", "chance"] == duel.chance
    assert found.superior == superior(
        pd.Series(losses["naive"]),
        pd.DataFrame({name: losses[name] for name in ("min_variance", "rolling")}), k)


def test_the_ratios_are_those_of_the_path():
    spot, futures = drawn(6)
    found = contest(spot, futures, ["ewma"], decay=0.95, every=7)
    expected = path(spot, futures, "ewma", decay=0.95, every=7)
    pd.testing.assert_series_equal(found.paths["ewma"].ratios, expected.ratios)
    row = found.table.loc["ewma"]
    assert row["ratio"] == expected.ratios.mean()
    assert (row["lowest"], row["highest"]) == (expected.ratios.min(), expected.ratios.max())
    assert row["turnover"] == pytest.approx(expected.ratios.diff().abs().mean())
    assert row["without"] == expected.ratios.isna().sum()


def test_the_chance_allows_for_the_number_of_methods():
    table = contest(*drawn(7, ratio=0.9), ["min_variance", "rolling", "ewma"], k=1).table
    chances = table["chance"].dropna().sort_values()
    assert table["chance_of_all"].min() == pytest.approx(min(3 * chances.iloc[0], 1.0))
    assert (table["chance_of_all"].dropna() >= table["chance"].dropna()).all()


def test_a_method_without_a_ratio_says_why_and_keeps_the_others_windows():
    spot, futures = drawn(8, sessions=120)
    with_it = contest(spot, futures, ["min_variance", "dcc"], k=2)
    without = contest(spot, futures, ["min_variance"], k=2)
    assert with_it.table.loc["dcc", "verdict"] == "no ratio: too few points"
    assert with_it.windows == without.windows
    assert with_it.table.loc["min_variance", "chance_of_all"] == without.table.loc[
        "min_variance", "chance"]


def test_changes_across_a_roll_are_not_judged():
    spot, futures = drawn(9)
    codes = pd.Series("si2405", index=spot.index).where(np.arange(400) < 200, "si2406")
    jumped = futures + np.where(np.arange(400) < 200, 0.0, 3_000.0)
    plain = contest(spot, futures, ["min_variance"], contracts=codes)
    rolled = contest(spot, jumped, ["min_variance"], contracts=codes)
    pd.testing.assert_frame_equal(plain.table, rolled.table)
    assert plain.windows == contest(spot, futures, ["min_variance"]).windows - 5


def test_two_delivery_standards_are_no_contest():
    spot, futures = drawn(10)
    codes = pd.Series("si2411", index=spot.index).where(np.arange(400) < 200, "si2412")
    with pytest.raises(DataError, match="crosses delivery standards"):
        contest(spot, futures, contracts=codes)
    assert contest(spot, futures, contracts=codes, cross_standard=True).windows > 300


def test_too_few_changes_after_the_first_estimate_are_no_contest():
    with pytest.raises(RatioError, match=r"changes over 5 quoted sessions after the first"):
        contest(*drawn(11, sessions=60), ["min_variance"])


def test_one_for_one_alone_is_no_contest():
    with pytest.raises(SettingError, match="needs a method beside"):
        contest(*drawn(11), ["naive"])


def test_without_arch_there_is_no_test_of_the_best(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    found = contest(*drawn(12), ["min_variance"])
    assert np.isnan(found.superior)
    assert found.table.loc["min_variance", "chance"] >= 0


def test_equal_losses_are_the_same():
    duel = diebold_mariano(np.arange(50.0), np.arange(50.0))
    assert np.isnan([duel.statistic, duel.chance]).all()
    assert np.isnan(superior(pd.Series(np.arange(50.0)), pd.DataFrame({"a": np.arange(50.0)})))


@pytest.mark.parametrize("k", [1, 5])
def test_of_two_equally_good_ratios_one_is_called_better_as_often_as_it_should(k):
    # 0.6 and 1.0 are equally far from 0.8. Over 1,000 draws of 60 to 500 changes 4–6 % rejected.
    wrong = []
    for seed in range(300):
        generator = np.random.default_rng(seed)
        futures = np.cumsum(150 * generator.standard_normal(150))
        spot = 0.8 * futures + np.cumsum(60 * generator.standard_normal(150))
        rise, gain = spot[k:] - spot[:-k], futures[k:] - futures[:-k]
        wrong.append(diebold_mariano((rise - 0.6 * gain) ** 2, (rise - gain) ** 2, k).chance < 0.05)
    assert np.mean(wrong) <= 0.085
    assert np.mean(wrong) > 0.01


def test_the_statistic_carries_the_small_sample_correction():
    from statsmodels.tsa.stattools import diebold_mariano_test

    from sibt.hedging.ratios.interval import bandwidth, quantile

    generator = np.random.default_rng(13)
    losses, others = generator.random((2, 80))
    width = bandwidth(80, 5)
    gap = losses - others
    left = gap - gap.mean()
    variance = left @ left / 80 + 2 * sum(
        (1 - lag / width) * left[lag:] @ left[:-lag] / 80 for lag in range(1, width))
    correction = np.sqrt((80 + 1 - 2 * 5 + 5 * 4 / 80) / 80)
    expected = gap.mean() / np.sqrt(variance / 80) * correction * 1.959964 / quantile(width / 80)
    assert diebold_mariano(losses, others, 5).statistic == pytest.approx(expected)
    library = diebold_mariano_test(
        np.zeros(80), np.sqrt(losses), np.sqrt(others), lags=width - 1, harvey_adj=True, horizon=5)
    assert library.statistic * 1.959964 / quantile(width / 80) == pytest.approx(expected)
