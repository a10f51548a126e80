"""The page of a sweep, against tables small enough to count by hand."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sweep_folders import MANY, OVERFIT, folder

from sibt.report.sweep import sweep_page
from sibt.report.sweep.drawing import Scale, ticks
from sibt.report.sweep.outcome import Axis, bins, outcome, text_of
from sibt.report.sweep.slices import spread_of
from sibt.sources import load_market
from sibt.sweep.sweep import Sweep, sweep


class Words(HTMLParser):
    """All text a reader sees, and whether the tags close."""

    VOID = ("meta", "input", "br", "link")

    def __init__(self):
        super().__init__()
        self.words, self.open = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style", "title"):
            self.words.append(data)


def words(text: str) -> str:
    reader = Words()
    reader.feed(text)
    assert reader.open == []
    return " ".join(" ".join(reader.words).split())


def drawn(one: Sweep) -> str:
    path = one.folder / "sweep.html"
    sweep_page(one, path)
    return path.read_text(encoding="utf-8")


def cells(text: str, title: str) -> list[list[list[str]]]:
    """Return the cells of every map of this title, lowest row first."""
    found = re.findall(rf'aria-label="{title}" data-x="[^"]*" data-y="[^"]*" data-c="([^"]*)', text)
    return [[row.split("|") for row in one.split(";")] for one in found]


@pytest.fixture
def square(tmp_path):
    """Three numbers: a − 2b, and 100 more where c is 2; b ≥ a is refused."""
    return folder(
        tmp_path / "x", {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0], "c": [1.0, 2.0]},
        lambda p: p["a"] - 2 * p["b"] + 100 * (p["c"] == 2),
        refuse=lambda p: "refused: b is not below a" if p["b"] >= p["a"] else "",
        plateau={"value": 101.0, "median": 100.0, "keeps": 100 / 101, "holding": 0.5,
                 "neighbours": [5, 8, 10, 11], "refused": 1, "edge": 15, "absent": 0,
                 "axes": ["a", "b", "c"]},
    )  # fmt: skip


def test_a_map_holds_best_mean_and_slice_of_the_table(square):
    best, mean, chosen = cells(drawn(square), "a × b")
    # Rows are b = 1, 2; columns a = 1, 2, 3. Where c is 2 there are 100 more.
    assert best == [["!", "100", "101"], ["!", "!", "99"]]
    assert mean == [["!", "50", "51"], ["!", "!", "49"]]
    assert chosen == best
    # Over b: the refused sets of a = 2 leave b = 1 alone.
    assert cells(drawn(square), "a × c")[1] == [["!", "0", "0"], ["!", "100", "100"]]


def test_every_pair_of_numbers_has_a_map(square):
    text = drawn(square)
    for title in ("a × b", "a × c", "b × c"):
        assert len(cells(text, title)) == 3


def test_the_chosen_set_and_its_neighbourhood_are_marked(square):
    text = drawn(square)
    # Three pairs, three ways to look at each, and the legend above each way.
    assert text.count('class="chosen"') == 9 + 3
    assert text.count('class="around"') == 9 + 3
    assert "chosen: a 3, b 1: 101" in words(text)


def test_refused_sets_are_hatched_counted_and_named(square):
    text = drawn(square)
    assert 'class="barred"' in text
    assert "6 refused" in words(text)
    assert "6 sets could not be booked" in words(text)
    assert "refused: b is not below a 6 50.0% a=1, b=1, c=1" in words(text)


def test_the_table_shows_trips_and_margin_beside_the_return_and_the_worst_sets_too(square):
    said = words(drawn(square))
    head = said[said.index("set a b c net yuan"):]
    assert head.startswith("set a b c net yuan 净损益 return 收益率 round trips 回合 peak margin")
    assert " 9 3 1 2 +101 +200.00% 2 2 " in said
    assert " 10 3 2 1 −1 +200.00% 2 2 " in said
    assert said.index(" 9 3 1 2 +101 ") < said.index(" 10 3 2 1 −1 ")


def test_a_slice_tells_the_spread_over_all_sets():
    values = np.array([1.0, 3.0, 5.0, 7.0, math.nan, 9.0])
    refused = np.array([False, False, False, False, True, False])
    place = np.array([0, 0, 0, 1, 1, 1])
    spread, barred = spread_of(values, refused, place, 3)
    np.testing.assert_array_equal(spread[:, 0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(spread[:, 1], [7, 7.5, 8, 8.5, 9])
    assert np.isnan(spread[:, 2]).all()
    np.testing.assert_allclose(barred, [0, 1 / 3, 0])


def test_slices_give_the_course_at_the_chosen_set(square):
    text = drawn(square)
    # At b = 1, c = 2: a = 2 gives 100, a = 3 gives 101; all sets with a = 3: -1, 1, 99, 101.
    assert "a 3: all sets −1 to 101, median 50; others as chosen 101" in text
    assert "a 1: no set has a value; 100% refused" in text


def test_the_distribution_counts_every_set_once(square):
    counts = re.findall(r"<title>[^<]* to [^<]*: ([\d,]+) sets</title>", drawn(square))
    assert sum(int(count) for count in counts) == 6
    assert "best 最优 101" in words(drawn(square))


def test_the_verdict_comes_before_everything_else(square):
    said = words(drawn(square))
    assert said.index("Best of 6: too few.") < said.index("Instead of a ratio")
    assert said.index("Instead of a ratio") < said.index("Trials 试验次数")


def test_with_few_trips_no_ratio_is_inferred(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0]}, lambda p: p["a"], few={
        "comparisons": [
            {"name": "si2402/si2403", "role": "placebo", "net": 22.5, "net_per_tonne": 1.5,
             "hedged": None, "round_trips": 1, "note": ""},
            {"name": "si2311/si2312", "role": "control", "net": -7.25, "net_per_tonne": -1.0,
             "hedged": None, "round_trips": 1, "note": ""},
        ],
        "entry_day": {"rank": 3, "of": 60, "best": 90.0, "median": 20.0, "worst": -15.0},
        "note": "",
    })  # fmt: skip
    said = words(drawn(one))
    assert said.index("si2311/si2312 control −7.25") < said.index("si2402/si2403 placebo 22.50")
    assert "Entry day 入场日 rank 3 of 60 : 5% of the possible days" in said
    assert said.index("rank 3 of 60") < said.index("Trials 试验次数")
    assert "No Sharpe ratio, no deflation, no PBO, no reality check" in said
    for word in ("Deflated", "PBO 0", "Haircut Sharpe ratio 打折夏普比率 of the"):
        assert word not in said
    assert "nobody can say what luck alone would give" in said


def test_with_many_trips_every_figure_of_luck_stands_there(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]},
                 lambda p: p["a"] * p["b"] / 6, metric="sharpe", **MANY)  # fmt: skip
    text = drawn(one)
    said = words(text)
    for figure in (
        "in this sweep 本次 9", "ever on these data 累计 19", "effective 有效 3.5",
        "Sharpe ratio 夏普比率 1.50", "luck alone 纯运气 0.83", "probabilistic 概率夏普 0.97",
        "deflated 紧缩夏普, N = 9 0.31", "deflated, effective N = 3.5 0.62",
        "deflated, ever N = 19 0.27", "minimum backtest 最短回测 4.40 years",
        "there are 2.00: too short", "PBO 0.62: in 62% of 8 ways", "It loses there in 25%.",
        "changes by −0.50 for each 1",
        "p = 0.440", "Bonferroni 0.270 0.78 48%", "Benjamini–Hochberg–Yekutieli 0.400 0.60 60%",
        "It breaks even at 1.5 ticks",
    ):  # fmt: skip
        assert figure in said
    splits = re.findall(r"<title>[^<]*: ([\d,]+) splits</title>", text)
    assert [int(count) for count in splits] == [2, 3, 2, 1]
    assert 'class="mark luck"' in text
    assert 'class="verdict luck"' in text


def test_splits_at_exactly_the_median_count_as_overfit_and_are_named(tmp_path):
    tied = {**OVERFIT, "pbo": 0.75}  # 6 of 8, one more than lie below zero
    one = folder(tmp_path / "x", {"a": [1.0, 2.0]}, lambda p: p["a"], metric="sharpe",
                 **{**MANY, "overfit": tied})  # fmt: skip
    assert "1 splits come to exactly the median" in words(drawn(one))


def test_structures_are_small_multiples_with_one_scale(tmp_path):
    one = folder(
        tmp_path / "x", {"year": ["2023", "2024"], "month": ["01", "11"], "a": [1.0, 2.0],
                         "b": [1.0, 2.0]},
        lambda p: p["a"] + p["b"] + 10 * (p["month"] == "11") - 20 * (p["year"] == "2024"),
        refuse=lambda p: "no bars" if (p["year"], p["month"]) == ("2024", "01") else "",
    )  # fmt: skip
    text = drawn(one)
    best, mean = cells(text, "year × month")
    assert best == [["4", "!"], ["14", "−6"]]
    assert mean == [["3", "!"], ["13", "−7"]]
    assert cells(text, "year 2024, month 11")[0] == [["−8", "−7"], ["−7", "−6"]]
    assert cells(text, "year 2024, month 01")[0] == [["!", "!"], ["!", "!"]]
    # The maps of pairs are of the chosen structure alone.
    assert cells(text, "a × b")[0] == [["12", "13"], ["13", "14"]]
    assert "2024 01 4 4 – – – –" in words(text)


def test_where_a_cell_is_one_set_there_is_one_way_to_look(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0], "b": [1.0, 2.0]}, lambda p: p["a"] - p["b"])
    text = drawn(one)
    assert cells(text, "a × b") == [[["0", "1"], ["−1", "0"]]]
    assert "Each cell is one set." in words(text)
    assert "mean over the others" not in words(text)
    assert 'class="border"' in text  # gain and loss are told apart without colours


def test_a_sentence_stands_where_nothing_can_be_drawn(tmp_path):
    one = folder(tmp_path / "one", {"a": [1.0, 2.0, 3.0]}, lambda p: p["a"])
    assert "One number was swept (a): a map needs two" in words(drawn(one))
    none = folder(tmp_path / "none", {"month": ["01", "11"]}, lambda p: float(p["month"]))
    assert "No number was swept, so there is no pair to map." in words(drawn(none))
    same = folder(tmp_path / "same", {"a": [1.0, 2.0], "b": [1.0, 2.0]}, lambda p: 5.0)
    assert "Every set comes to 5: there is nothing to spread out." in words(drawn(same))
    assert "3 more come to the same" in words(drawn(same))


def test_one_set_left_of_many_refused_still_makes_a_page(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0], "b": [1.0, 2.0]}, lambda p: -3.0,
                 refuse=lambda p: "" if p["a"] * p["b"] == 4 else "too small")  # fmt: skip
    text = drawn(one)
    assert cells(text, "a × b")[0] == [["!", "!"], ["!", "−3"]]
    assert "3 refused" in words(text)


def test_a_metric_nobody_has_is_said_not_drawn(tmp_path):
    one = folder(tmp_path / "x", {"m": ["u", "v"], "a": [1.0, 2.0], "b": [1.0, 2.0]},
                 lambda p: math.nan, metric="sharpe")  # fmt: skip
    said = words(drawn(one))
    assert said.count("No set has a value of this metric") == 4
    assert "The best 8 of 8 booked sets" in said


def test_a_best_set_without_its_metric_has_no_plateau_to_tell_of(tmp_path):
    around = {"value": None, "median": None, "keeps": None, "holding": None,
              "neighbours": [1, 2], "refused": 0, "edge": 5, "absent": 0, "axes": ["a"]}
    one = folder(tmp_path / "x", {"a": [1.0, 2.0, 3.0]}, lambda p: math.nan, metric="hedged",
                 plateau=around)  # fmt: skip
    said = words(drawn(one))
    assert "keeps 保留 unknown the median as a share of the best; unknown as the best is" in said


def test_none_is_a_value_of_its_own_behind_the_numbers(tmp_path):
    one = folder(tmp_path / "x", {"a": [math.nan, 2.0, 1.0], "b": [1.0, 2.0]},
                 lambda p: 9.0 if math.isnan(p["a"]) else p["a"])  # fmt: skip
    found = outcome(one)
    assert found.axes[0].labels == ("1", "2", "none")
    assert cells(drawn(one), "a × b")[0] == [["1", "2", "9"]] * 2
    assert "sibt run idea.py -p size=5 -p a=none -p b=1" in words(drawn(one))


def test_long_axes_are_binned_and_the_page_says_so(tmp_path):
    one = folder(tmp_path / "x", {"a": [float(n) for n in range(130)], "b": [1.0, 2.0]},
                 lambda p: p["a"] - 60)  # fmt: skip
    text = drawn(one)
    best = cells(text, "a × b")[0]
    assert len(best[0]) == 60
    assert best[0][-1] == "69"
    assert "Axes of more than 60 values are drawn in 60 bins" in words(text)
    assert "a has 130 values: drawn in 60 bins" in words(text)


def test_bins_join_neighbours_and_leave_none_alone():
    found = bins(Axis("a", ("1", "2", "3", "4", "5", "none"), True, False), 3)
    assert found.labels == ("1 to 3", "4 to 5", "none")
    assert found.of.tolist() == [0, 0, 0, 1, 1, 2]
    assert found.joined


def test_zero_is_the_middle_of_a_signed_scale():
    scale = Scale.over(np.array([-10.0, 0.0, 5.0, math.nan]))
    assert scale.signed
    assert scale.levels(np.array([-10.0, -5.0, 0.0, 5.0, 10.0, 0.001])).tolist() == [
        -12, -6, 0, 6, 12, 1,
    ]  # fmt: skip


def test_a_scale_of_losses_alone_is_deepest_at_the_worst():
    scale = Scale.over(np.array([-10.0, -1.0]))
    assert not scale.signed
    assert scale.levels(np.array([-10.0, -1.0])).tolist() == [-12, -1]
    assert (Scale.over(np.array([3.0, 9.0])).levels(np.array([3.0, 9.0])) > 0).all()


def test_ticks_are_round_and_inside():
    assert ticks(-1.2, 3.1) == [-1, 0, 1, 2, 3]
    assert ticks(2.0, 2.0) == [2.0]


def test_a_value_is_written_as_it_is_given():
    assert [text_of(v) for v in (0.1 + 0.2, 5.0, -0.0, None, math.nan, "si2411", 2024)] == [
        "0.3", "5", "0", "none", "none", "si2411", "2024",
    ]  # fmt: skip


def test_walk_forward_shows_drift_and_what_came_after(tmp_path):
    row = {"window": 1, "train_from": "2023-01-03", "train_to": "2023-06-30",
           "test_from": "2023-07-17", "test_to": "2023-08-11", "set": 1, "parameters": {"a": 2.0},
           "train_sharpe": 2.2, "test_return": -0.01, "test_net": -250.0, "round_trips": 2,
           "left_open": 0, "longest_holding": 5, "note": ""}  # fmt: skip
    idle = {**row, "window": 2, "set": None, "parameters": {"a": None}, "train_sharpe": None,
            "test_net": 0.0, "test_return": 0.0, "note": "no set traded"}  # fmt: skip
    one = folder(tmp_path / "x", {"a": [1.0, 2.0]}, lambda p: p["a"], walk={
        "train": 120, "test": 20, "purge": 10, "anchored": True, "windows": [row, idle],
        "sessions": 3, "net": -250.0, "total_return": -0.01, "max_drawdown": -0.02,
        "round_trips": 2, "sharpe": None, "in_sample_sharpe": 2.2, "kept": None,
        "drift": [{"parameter": "a", "values": [2.0, None], "different": 1, "changes": 0,
                   "steps": 0}],
        "curve": {"sessions": ["2023-07-17", "2023-07-18", "2023-07-19"],
                  "returns": [0.01, -0.02, 0.0]},
        "notes": ["the purge is short"], "tearsheet": "walk.html",
    })  # fmt: skip
    assert "walk.html" not in drawn(one)
    (one.folder / "walk.html").write_text("")
    text = drawn(one)
    said = words(text)
    assert "Chosen in 120 sessions (anchored), applied in the next 20 after 10 left out" in said
    assert "net 净损益 −250.00 yuan" in said
    assert "Sharpe ratio out of sample 样本外夏普 unknown" in said
    assert "1 2023-01-03..2023-06-30 2023-07-17..2023-08-11 2 2.20 −1.00% −250 2" in said
    assert "a takes 1 values and changes 0 times in 0 steps" in said
    assert '<a href="walk.html">' in text
    assert "the purge is short" in said


def test_the_page_is_one_file_and_asks_for_nothing(square):
    text = drawn(square)
    assert "SIMULATED 模拟数据" in text
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "http" not in text.replace("http-equiv", "")
    for word in ("cd" * 32, "sibt sweep idea -p a=1:3:1", "capital = 250000.0 (default 1000000.0)"):
        assert word in text


def test_real_data_carry_no_band(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0]}, lambda p: p["a"], simulated=False)
    assert "SIMULATED" not in words(drawn(one))


def test_names_of_parameters_and_reasons_cannot_break_the_page(tmp_path):
    one = folder(tmp_path / "x", {"m": ["<b>&\"|;", "v"], "n": ["x", "y"]}, lambda p: 1.0,
                 refuse=lambda p: "<script>alert(1)</script>" if p["m"] == "v" else "")  # fmt: skip
    text = drawn(one)
    assert "<script>alert" not in text
    words(text)


def test_the_same_sweep_gives_the_same_bytes(square):
    assert drawn(square) == drawn(Sweep(square.folder))


def test_a_large_sweep_makes_a_small_page(tmp_path):
    one = folder(tmp_path / "x", {"a": [float(n) for n in range(90)],
                                  "b": [float(n) for n in range(70)], "c": [1.0, 2.0, 3.0]},
                 lambda p: math.sin(p["a"] / 9) * p["b"] * p["c"] * 1234.5)  # fmt: skip
    assert len(drawn(one).encode()) < 700_000


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return sweep(
        "calendar_reverse", load_market("sample"),
        {"entry": "zscore", "near_month": "11,12", "z": "1,2", "lookback": "10,15"},
        out=tmp_path_factory.mktemp("results"),
    )  # fmt: skip


def test_a_sweep_of_a_shipped_strategy_shows_its_own_figures(real):
    text = drawn(real)
    said = words(text)
    best = real.top(1).iloc[0]
    assert f"{best['net']:,.0f}".replace("-", "−") in said
    values = [f"-p {name}={text_of(best[name])}" for name in ("near_month", "z", "lookback")]
    assert f"sibt run calendar_reverse.py -p entry=zscore {' '.join(values)}" in said
    assert "observations compared with" in said  # what the strategy says of its parameter
    table = real.table()
    mine = table[table["near_month"] == best["near_month"]]
    net = mine.set_index(["lookback", "z"])["net"]
    expected = [[f"{net[n, z]:,.0f}".replace("-", "−") for z in (1.0, 2.0)] for n in (10.0, 15.0)]
    assert cells(text, "z × lookback")[0] == expected
