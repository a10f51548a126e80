import csv
import json

import numpy as np
import pandas as pd
import pytest
from sides import side

from sibt.errors import DataError, SettingError
from sibt.language import ZH
from sibt.runs.comparison import FIGURES, compare
from sibt.runs.load import load
from sibt.runs.run import run
from sibt.runs.save import save
from sibt.runs.side import Chosen, saved_side
from sibt.sources import load_market


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Runs on the sample, saved: three years of a pair, twice the size of one, and a hedge."""
    out = tmp_path_factory.mktemp("results")
    market = load_market("sample")
    return {
        "2024": save(run("calendar_reverse", market), out),
        "2023": save(run("calendar_reverse", market, {"year": 2023}), out),
        "2025": save(run("calendar_reverse", market, {"year": 2025}), out),
        "twice": save(run("calendar_reverse", market, {"units_held": 20}, capital=500_000), out),
        "rallies": save(run("short_rallies", market), out),
        "hedge": save(run("producer_hedge", market), out),
    }


@pytest.fixture(scope="module")
def sides(folders):
    return {name: saved_side(load(folder)) for name, folder in folders.items()}


def column(folder, table, name):
    """Return a column of a CSV file as text, read without our own code."""
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_a_run_against_itself_differs_in_nothing(sides):
    same = compare([sides["2024"], sides["2024"]])
    known = same.differences.dropna(how="all")
    assert len(known) > 10
    assert (known.to_numpy() == 0).all()
    assert same.correlation.to_numpy().tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert same.differs.empty
    assert same.limits == []
    assert not same.best.to_numpy().any()


def test_equity_is_the_base_plus_the_daily_result_of_the_statement(folders, sides):
    both = compare([sides["2024"], sides["twice"]])
    assert both.base == 1_000_000.0
    for letter, name in (("A", "2024"), ("B", "twice")):
        days = column(folders[name], "statement", "session")
        gained = [float(a) - float(b) for a, b in zip(column(folders[name], "statement", "mtm"),
                  column(folders[name], "statement", "fees"), strict=True)]  # fmt: skip
        peak = worth = 1_000_000.0
        deepest = 0.0
        for day, yuan in zip(days, gained, strict=True):
            worth += yuan
            peak = max(peak, worth)
            deepest = min(deepest, worth / peak - 1)
            if pd.Timestamp(day) in both.equity.index:
                assert both.equity.at[pd.Timestamp(day), letter] == pytest.approx(worth)
        assert both.figures.at["drawdown_on_base", letter] == pytest.approx(deepest)


def test_a_loss_on_the_first_day_is_a_fall_below_the_base():
    found = compare([side([-10_000.0, 5_000.0]), side([1.0, 1.0], capital=2e6)])
    assert found.drawdowns["A"].tolist() == pytest.approx([-0.005, -0.0025])


def test_sessions_that_count_begin_after_the_idea_became_known(sides):
    assert sides["2024"].counted[0] == pd.Timestamp("2024-05-15")
    assert sides["2023"].counted[0] == pd.Timestamp("2023-05-15")
    assert sides["2024"].counted[-1] == pd.Timestamp("2024-12-31")


def test_per_unit_and_per_tonne_end_with_the_figures_of_the_run(folders, sides):
    all_ = compare(list(sides.values()))
    for letter, (name, one) in zip(all_.letters, sides.items(), strict=True):
        record = json.loads((folders[name] / "manifest.json").read_text("utf-8"))["figures"]
        if one.span is None:
            assert all_.gained("unit")[letter].isna().all()
            continue
        unit = all_.gained("unit")[letter].dropna().iloc[-1]
        tonne = all_.gained("tonne")[letter].dropna().iloc[-1]
        assert unit == pytest.approx(record["per_unit"], abs=0.01)
        assert tonne == pytest.approx(record["net_per_tonne"])
        assert all_.figures.at["net_per_unit", letter] == pytest.approx(unit)


def test_differences_are_those_to_the_first(sides):
    both = compare([sides["2024"], sides["twice"]])
    net = [one.figures["net"] for one in both.sides]
    assert both.differences.at["net", "B"] == net[1] - net[0]
    assert both.differences.at["peak_margin", "B"] == 122_220.0
    assert (both.differences["A"].dropna() == 0).all()


def test_correlation_is_that_of_the_daily_results_in_the_files(folders, sides):
    both = compare([sides["2024"], sides["rallies"]])
    daily = {}
    for name in ("2024", "rallies"):
        table = pd.read_csv(folders[name] / "statement.csv", parse_dates=["session"],
                            encoding="utf-8-sig").set_index("session")  # fmt: skip
        daily[name] = (table["mtm"] - table["fees"]).loc["2024-05-15":]
    held = pd.concat([pd.to_datetime(pd.Series(column(folders[name], "positions", "session")))
                      for name in daily]).unique()  # fmt: skip
    exits = pd.to_datetime(pd.Series([day for name in daily
                                      for day in column(folders[name], "fills", "session")]))
    days = [day for day in daily["2024"].index if day in set(held) | set(exits)]
    expected = np.corrcoef(daily["2024"].loc[days], daily["rallies"].loc[days])[0, 1]
    assert both.common.at["A", "B"] == len(days)
    assert both.correlation.at["A", "B"] == pytest.approx(expected, abs=1e-9)


def test_twice_the_lots_go_along_entirely(sides):
    # Fees are rounded to the fen, so that twice the lots are not twice the fees.
    assert compare([sides["2024"], sides["twice"]]).correlation.at["A", "B"] == pytest.approx(1.0)


def test_years_of_one_pair_cannot_be_ranked(sides):
    years = compare([sides["2024"], sides["2023"], sides["2025"]])
    assert years.ranked() == []
    assert not years.best.to_numpy().any()
    assert any("Periods do not overlap: A/B" in line for line in years.limits)
    assert any("C: no position was held" in line for line in years.limits)
    assert np.isnan(years.correlation.at["A", "B"])
    # What can be shown is.
    assert years.differences.at["net", "B"] != 0
    assert years.labels == {
        "A": "calendar_reverse year=2024", "B": "calendar_reverse year=2023",
        "C": "calendar_reverse year=2025",
    }  # fmt: skip


def test_a_hedge_is_not_held_against_futures_alone(sides):
    mixed = compare([sides["2024"], sides["rallies"], sides["hedge"]])
    assert mixed.ranked() == [["A", "B"]]
    assert not mixed.best["C"].any()
    assert any("Goods are owned in C" in line for line in mixed.limits)
    last = mixed.gained("goods")["C"].dropna().iloc[-1]
    assert last == pytest.approx(sides["hedge"].figures["hedged"])
    assert list(mixed.gained("goods")) == ["C"]


def test_of_hedges_goods_and_futures_together_count_and_not_the_futures():
    goods = pd.Series(1.0, index=pd.bdate_range("2024-01-02", periods=30))
    two = compare([side(goods=goods, net=5.0, hedged=10.0), side(goods=goods, net=9.0, hedged=7.0)])
    assert two.best.loc["hedged"].tolist() == [True, False]
    assert not two.best.loc["net"].any()


@pytest.mark.parametrize(
    ("figure", "values", "best"),
    [
        ("net", [5.0, 7.0], "B"),
        ("max_drawdown_yuan", [-500.0, -700.0], "A"),
        ("worst_day", [-500.0, -700.0], "A"),
        ("max_drawdown", [-0.2, -0.1], "B"),
        ("peak_margin", [900.0, 800.0], "B"),
        ("fees", [9.0, 10.0], "A"),
        ("sharpe", [1.5, 0.5], "A"),
        ("sharpe", [1.5, None], ""),
        ("sharpe", [None, None], ""),
        ("sharpe", [1.5, None, 0.7], "A"),
        ("net", [5.0, 5.0], ""),
        ("net", [5.0, 7.0, 7.0], "BC"),
        ("round_trips", [1, 5], ""),
    ],
)
def test_the_best_is_marked_where_there_is_one(figure, values, best):
    found = compare([side(**{figure: value}) for value in values])
    marks = found.best.loc[figure] if figure in found.best.index else pd.Series(dtype=bool)
    assert "".join(marks.index[marks.to_numpy(bool)]) == best


def test_a_run_that_held_nothing_is_not_the_best():
    found = compare([side(net=-5.0), side(held=0, net=0.0, peak_margin=0.0), side(net=-9.0)])
    assert found.ranked() == [["A", "C"]]
    assert found.best.loc["net"].tolist() == [True, False, False]


def test_made_up_prices_are_not_held_against_real_ones():
    daily = np.arange(30) % 7
    found = compare([side(daily, net=5.0), side(daily, net=7.0, simulated=False, sha="bb" * 32)])
    assert not found.best.to_numpy().any()
    assert found.differences["B"].isna().all()
    assert np.isnan(found.correlation.at["A", "B"])
    assert found.limits[0].startswith("Prices of A are SIMULATED and those of B are not")
    assert found.limits[-1] == "So these runs cannot be ranked, and none is called the best."
    assert found.simulated


def test_the_same_prices_under_another_flag_are_still_made_up():
    assert compare([side(), side(simulated=False)]).ranked() == []


def test_runs_on_other_data_are_not_ranked():
    found = compare([side(net=5.0), side(net=7.0, sha="bb" * 32), side(net=6.0)])
    assert found.ranked() == [["A", "C"]]
    assert found.best.loc["net"].tolist() == [False, False, True]
    assert "A, C: sample 2023-01-03..2024-12-31, aaaaaaaaaaaa; B: sample" in found.limits[0]


def test_periods_that_do_not_overlap_are_not_ranked():
    found = compare([side(net=5.0), side(net=7.0, first="2024-06-03"), side(net=6.0)])
    assert found.ranked() == [["A", "C"]]
    assert "Periods do not overlap: A/B, B/C (" in found.limits[0]
    assert ZH(found.limits[0]).startswith("时段不重叠：A/B, B/C（")


def test_runs_that_had_the_same_sessions_to_trade_in_are_ranked():
    early, late = [1.0] * 10 + [0.0] * 40, [0.0] * 40 + [1.0] * 10
    first = side(early, held=10)
    second = side(late)
    for table in (second.positions, second.fills):
        table["session"] = second.counted[-len(table) :]
    assert first.span[1] < second.span[1]
    assert compare([first, second]).ranked() == [["A", "B"]]


def test_a_run_that_overlaps_two_that_do_not_lets_none_be_the_best():
    # The first and the last have no time in common, so the three are no group.
    chain = [side(), side([0.0] * 60, first="2024-01-22"), side(first="2024-03-11")]
    assert [compare(pair).ranked() for pair in (chain[:2], chain[1:])] == [[["A", "B"]]] * 2
    assert compare(chain).ranked() == []


def test_other_capital_lets_yuan_be_ranked_and_shares_not():
    found = compare([side(net=5.0, total_return=0.1), side(net=7.0, total_return=0.2, capital=5e5)])
    assert found.best.loc["net"].tolist() == [False, True]
    assert not found.best.loc["total_return"].any()
    assert any(line.startswith("The capital is not the same: A: 1,000,000; B: 500,000 yuan")
               for line in found.limits)  # fmt: skip


def test_other_goods_let_yuan_be_ranked_and_yuan_per_tonne_not():
    found = compare([side(net=5.0, net_per_tonne=1.0),
                     side(net=7.0, net_per_tonne=2.0, contract="si2501")])  # fmt: skip
    assert found.best.loc["net"].any()
    assert not found.best.loc["net_per_tonne"].any()
    assert any("A: si 2022; B: si 2024" in line for line in found.limits)


def test_units_of_two_strategies_are_not_ranked():
    found = compare([side([1.0] * 30), side([2.0] * 30, strategy="other")])
    assert not found.best.loc["net_per_unit"].any()
    assert found.best.loc["net_per_tonne"].tolist() == [False, False]
    assert compare([side([1.0] * 30), side([2.0] * 30)]).best.loc["net_per_unit"].any()


def test_ratios_over_other_sessions_are_not_ranked():
    found = compare([side(sharpe=1.0), side([0.0] * 40, sharpe=2.0)])
    assert not found.best.loc["sharpe"].any()
    assert any("ratios such as Sharpe are not ranked" in line for line in found.limits)


@pytest.mark.parametrize(("sessions", "known"), [(19, False), (20, True)])
def test_a_correlation_needs_twenty_common_sessions(sessions, known):
    daily = np.arange(sessions) % 5
    found = compare([side(daily), side(daily)]).correlation
    assert np.isnan(found.at["A", "B"]) != known


def test_a_run_that_is_flat_has_no_correlation():
    found = compare([side(np.arange(30) % 5), side([0.0] * 30)])
    assert np.isnan(found.correlation.at["A", "B"])
    assert np.isnan(found.correlation.at["B", "B"])
    assert found.correlation.at["A", "A"] == 1.0


def test_opposite_runs_have_a_correlation_of_minus_one():
    daily = np.arange(30.0) % 5
    assert compare([side(daily), side(-daily)]).correlation.at["B", "A"] == -1.0


def test_two_to_twenty_runs_can_be_compared():
    assert compare([side()] * 20).letters == list("ABCDEFGHIJKLMNOPQRST")
    with pytest.raises(SettingError, match=r"needs 2 runs or more, and this is 1; name another"):
        compare([side()])
    with pytest.raises(SettingError, match=r"20 runs at the most, and these are 21; name fewer"):
        compare([side()] * 21)


def test_what_differs_is_shown_and_what_is_alike_is_not():
    found = compare([
        side(parameters={"z": 1.5, "stop": None, "size": 10}, code="a\nb\nc"),
        side(parameters={"z": 2.0, "stop": None, "own": "x"}, capital=5e5, code="a\nB\nc\nd"),
    ]).differs.set_index("key")  # fmt: skip
    assert found.loc["z", ["part", "A", "B"]].tolist() == ["parameters", "1.5", "2"]
    assert found.loc["own", ["A", "B"]].tolist() == ["–", "x"]
    assert found.loc["account.capital", ["A", "B"]].tolist() == ["1,000,000", "500,000"]
    assert found.loc["strategy.py", ["part", "A", "B"]].tolist() == ["code", "=", "+2 −1"]
    assert "stop" not in found.index
    assert "sibt" not in found.index


def test_code_is_shown_line_by_line():
    found = compare([side(code="a\nb\nc", name="one"), side(code="a\nB\nc", name="two")])
    assert found.diff(found.sides[1]) == [
        "--- one/strategy.py", "+++ two/strategy.py", "@@ -1,3 +1,3 @@", " a", "-b", "+B", " c",
    ]  # fmt: skip
    assert [letters for letters, _ in found.codes] == [["A"], ["B"]]


def test_the_settings_of_a_saved_run_are_named_by_their_place(sides):
    settings = sides["2024"].settings
    assert settings["account.capital"] == 1_000_000.0
    assert settings["execution.fill"] == "open"
    found = compare([sides["2024"], sides["twice"]]).differs
    assert found["key"].tolist() == ["units_held", "account.capital"]


def test_round_trips_of_all_runs_stand_by_entry(sides):
    trips = compare([sides["2024"], sides["2023"], sides["rallies"]]).round_trips
    assert trips["run"].tolist() == ["B", "C", "A", "C"]
    assert trips["entry"].is_monotonic_increasing
    assert "data" not in trips


def test_the_best_of_a_sweep_carry_a_warning():
    chosen = Chosen("mine-sweep", 7, 1, 1728, "net", "vectorbt")
    found = compare([side(), side(chosen=chosen), side(chosen=chosen)])
    assert "B, C: chosen as the best of 1,728 sets of mine-sweep" in found.limits[0]
    assert "without the exchange's rules" in found.limits[1]


def test_every_figure_has_a_name_of_its_own_and_chinese():
    assert len({one.name for one in FIGURES}) == len({one.label for one in FIGURES}) == len(FIGURES)
    assert all(ZH(one.label) != one.label for one in FIGURES)


def test_a_folder_that_lacks_something_is_named(folders, tmp_path):
    import shutil

    broken = tmp_path / "20240101-000000-broken"
    shutil.copytree(folders["2024"], broken)
    record = json.loads((broken / "manifest.json").read_text("utf-8"))
    del record["settings"]
    (broken / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(DataError, match=r"broken cannot be compared: it lacks 'settings'; run it"):
        saved_side(load(broken))
