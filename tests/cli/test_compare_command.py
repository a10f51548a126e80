"""``sibt compare`` from outside: what it prints, what it writes, and what it refuses."""

import csv
import io
import json
import re
import shutil
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from sibt.cli import main
from sibt.engine.execution import Execution
from sibt.language import EN
from sibt.runs.comparison import Comparison
from sibt.runs.load import load
from sibt.runs.run import run
from sibt.runs.save import save
from sibt.runs.save_comparison import save_comparison
from sibt.sources import load_market
from sibt.sources.shipped import shipped
from sibt.sweep.sweep import sweep

SWEPT = {"z": [0.5, 1.0], "entry": "zscore", "lookback": [10, 15]}


@dataclass
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def folder(self) -> Path:
        """Where it says the comparison was written."""
        return Path(re.search(r"Written: (.+)", self.out)[1])


def sibt(*words):
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return Said(left.value.code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder of three runs and a sweep on the sample."""
    out = tmp_path_factory.mktemp("work") / "results"
    market = load_market("sample")
    made = [
        save(run("calendar_reverse", market), out),
        save(run("calendar_reverse", market, {"units_held": 20}), out),
        save(run("short_rallies", market), out),
        sweep("calendar_reverse", market, SWEPT, out=out).folder,
        save(run("calendar_reverse", market, {"year": 2023}), out),
    ]
    NAMES[out] = [folder.name for folder in made]
    return out


#: What lies in a folder of runs, in the order in which it was made.
NAMES: dict[Path, list[str]] = {}


def names(out):
    return NAMES[out]


def swept(out):
    return NAMES[out][3]


def table(folder, name):
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_two_runs_are_compared(out):
    first, second = names(out)[:2]
    said = sibt("compare", first, second, "--out", out)
    assert said.code == 0, said.err
    assert f"A calendar_reverse units_held=10 SIMULATED {first}" in said.out
    assert "★+51,007.65" in said.out
    assert "+25,503.83" in said.out
    assert re.search(r"units_held +A: 10; B: 20", said.out)
    written = sorted(path.name for path in said.folder.iterdir())
    assert written == ["differences.csv", "index.html", "manifest.json", "metrics.csv",
                       "tearsheets.html"]  # fmt: skip
    assert re.fullmatch(r"\d{8}-\d{6}-compare(-\d+)?", said.folder.name)


def test_files_hold_the_figures_of_the_runs(out):
    first, second, third = names(out)[:3]
    folder = sibt("compare", first, second, third, "--out", out).folder
    head, *rows = table(folder, "metrics")
    assert head == ["figure", "label", f"A {first} SIMULATED", f"B {second} SIMULATED",
                    f"C {third} SIMULATED", "best"]  # fmt: skip
    found = {row[0]: row for row in rows}
    for at, name in enumerate((first, second, third), 2):
        own = json.loads((out / name / "metrics.json").read_text("utf-8"))["futures"]
        for figure in ("net", "fees", "peak_margin", "max_drawdown", "round_trips"):
            assert float(found[figure][at]) == pytest.approx(own[figure])
    assert found["net"][-1] == "B"
    assert found["peak_margin"][-1] == "C"
    assert found["round_trips"][-1] == ""
    assert ["parameters", "units_held", "10", "20", "–"] in table(folder, "differences")


def test_the_manifest_says_what_was_compared(out):
    first, second = names(out)[:2]
    folder = sibt("compare", first, second, "--out", out).folder
    record = load(folder).manifest
    assert record["kind"] == "comparison"
    assert [one["run"] for one in record["runs"]] == [first, second]
    assert record["command"].startswith(f"sibt compare {first} {second}")
    assert record["data"]["simulated"] is True
    assert record["ranked"] == [["A", "B"]]
    assert load(folder).table("metrics")["figure"].tolist()[0] == "net"


def test_the_latest_run_stays_the_latest(out):
    before = (out / "latest").resolve()
    assert sibt("compare", "latest", names(out)[0], "--out", out).code == 0
    assert (out / "latest").resolve() == before


def test_chinese_is_spoken_where_it_is_asked_for(out):
    first, second = names(out)[:2]
    said = sibt("compare", first, second, "--out", out, "--lang", "zh")
    assert "净盈亏" in said.out
    assert "模拟数据" in said.out
    folder = Path(re.search(r"已写入: (.+)", said.out)[1])
    assert table(folder, "metrics")[0][0] == "指标"
    assert table(folder, "metrics")[1][1] == "净盈亏"
    assert 'data-lang="zh"' in (folder / "index.html").read_text("utf-8")
    assert load(folder).table("metrics").columns[0] == "figure"


def test_the_best_sets_of_a_sweep_are_booked_again(out):
    said = sibt("compare", swept(out), "--top", 2, names(out)[0], "--out", out)
    assert said.code == 0, said.err
    assert "A, B: chosen as the best of 4 sets" in said.out
    head, *rows = table(said.folder, "metrics")
    top = pd.read_csv(out / swept(out) / "top.csv", encoding="utf-8-sig").head(2)
    assert head[2:4] == [
        f"{letter} {swept(out)} set {number} SIMULATED"
        for letter, number in zip("AB", top["set"], strict=True)
    ]
    net = next(row for row in rows if row[0] == "net")
    assert [round(float(value), 2) for value in net[2:4]] == top["net"].round(2).tolist()
    for letter in "AB":
        sheet = (said.folder / f"tearsheet-{letter}.html").read_text("utf-8")
        assert "SIMULATED" in sheet
        assert '<a href="index.html" target="_top">← comparison 比较</a>' in sheet
    assert 'src="tearsheet-A.html"' in (said.folder / "tearsheets.html").read_text("utf-8")
    assert load(said.folder).manifest["runs"][0]["set"] == int(top["set"].iloc[0])


def test_a_sweep_whose_data_changed_is_refused(tmp_path):
    data = tmp_path / "prices"
    shutil.copytree(shipped("sample"), data)
    with chdir(tmp_path):
        made = sweep("calendar_reverse", load_market(data), SWEPT, out="results").folder
        bars = next(data.glob("bars*"))
        lines = bars.read_text("utf-8").splitlines()
        bars.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
        said = sibt("compare", made.name, "--top", 2)
        assert said.code == 2
        assert "was changed since" in said.err
        shutil.rmtree(data)
        said = sibt("compare", made.name, "--top", 2)
    assert said.code == 2
    assert "as its data are not to be had" in said.err


def test_a_sweep_whose_code_changed_is_refused(out, tmp_path):
    copy = tmp_path / swept(out)
    shutil.copytree(out / swept(out), copy)
    with (copy / "strategy.py").open("a", encoding="utf-8") as file:
        file.write("# touched\n")
    said = sibt("compare", copy, "--top", 2, "--out", out)
    assert said.code == 2
    assert "strategy.py was changed since the sweep" in said.err


def test_a_set_that_comes_to_something_else_is_refused(out, tmp_path):
    copy = tmp_path / swept(out)
    shutil.copytree(out / swept(out), copy)
    sets = pd.read_parquet(copy / "sets.parquet")
    sets.assign(net=sets["net"] + 0.01).to_parquet(copy / "sets.parquet", index=False)
    said = sibt("compare", copy, "--top", 2, "--out", out)
    assert said.code == 2
    assert re.search(r"Set \d+ of .+ has net .+ now and had .+ in the sweep", said.err)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say what to compare: 'sibt compare RUN RUN'"),
        ([0], "A comparison needs 2 runs or more, and this is 1; name another one."),
        ([0] * 21, "A comparison holds 20 runs at the most, and these are 21; name fewer."),
        (["calender_reverse", 0], "Did you mean 'calendar_reverse'?"),
        ([0, 1, "--top", "0"], "--top is 0; give one or more."),
        (["sweep"] * 6, "name fewer, or give a lower --top."),
        ([0, 1, "--sort", "nett"], "Did you mean 'net'?"),
        ([0, 1, "--sort", "hedged"], "which none of these runs knows"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(out, words, sentence):
    known = names(out)
    given = [known[word] if isinstance(word, int) else swept(out) if word == "sweep" else word
             for word in words]  # fmt: skip
    before = sorted(path.name for path in out.iterdir())
    said = sibt("compare", *given, "--out", out)
    assert said.code == 2
    assert sentence in said.err
    assert sorted(path.name for path in out.iterdir()) == before


def test_runs_are_ordered_by_a_figure_the_best_first(out):
    first, second, third = names(out)[:3]
    said = sibt("compare", third, first, second, "--sort", "net", "--out", out)
    assert [one["run"] for one in load(said.folder).manifest["runs"]] == [second, first, third]
    said = sibt("compare", first, second, third, "--sort", "peak_margin", "--out", out)
    assert [one["run"] for one in load(said.folder).manifest["runs"]] == [third, first, second]


def test_runs_that_cannot_be_compared_are_not_ordered(out):
    said = sibt("compare", names(out)[0], "latest", "--sort", "net", "--out", out)
    assert said.code == 2
    assert "would rank runs that cannot be compared: Periods do not overlap" in said.err
    # Without it they are compared, and none is the best.
    said = sibt("compare", names(out)[0], "latest", "--out", out)
    assert said.code == 0
    assert "So these runs cannot be ranked, and none is called the best." in said.out
    assert "★+" not in said.out


def test_a_comparison_is_no_run(out):
    folder = sibt("compare", *names(out)[:2], "--out", out).folder
    said = sibt("compare", folder.name, names(out)[0], "--out", out)
    assert said.code == 2
    assert f"{folder.name} is a comparison itself" in said.err


@pytest.mark.parametrize("lost", ["statement.csv", "manifest.json", "metrics.json"])
def test_a_broken_folder_is_named(out, tmp_path, lost):
    broken = tmp_path / "20240101-000000-broken"
    shutil.copytree(out / names(out)[0], broken)
    (broken / lost).write_text("{", encoding="utf-8")
    said = sibt("compare", broken, names(out)[0], "--out", out)
    assert said.code == 2
    assert "broken" in said.err


def test_the_table_fits_a_narrow_terminal(out, monkeypatch):
    from rich.console import Console

    from sibt.report.comparison_terminal import show_comparison
    from sibt.runs.comparison import compare
    from sibt.runs.side import saved_side

    sides = [saved_side(load(out / name)) for name in names(out)[:2]]
    many = compare(sides * 10)
    for width, columns in ((80, 5), (132, 8)):
        file = io.StringIO()
        console = Console(file=file, width=width, force_terminal=True, color_system=None)
        show_comparison(many, out, console, EN)
        lines = [line for line in file.getvalue().splitlines() if re.match(r"[A-T] .*\d", line)]
        table_lines = [line for line in lines if "calendar_reverse" not in line]
        assert len(table_lines) == 20
        assert max(map(len, table_lines)) <= width
        assert min(len(line.split()) for line in table_lines) >= columns


def test_a_comparison_that_fails_leaves_nothing(out):
    from sibt.runs.comparison import compare
    from sibt.runs.side import saved_side

    pair = compare([saved_side(load(out / name)) for name in names(out)[:2]])

    def fail(one: Comparison, path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    before = sorted(path.name for path in out.iterdir())
    with pytest.raises(KeyboardInterrupt):
        save_comparison(pair, out, pages={"index.html": fail})
    assert sorted(path.name for path in out.iterdir()) == before


def test_recorded_prices_are_not_ranked_with_made_up_ones(out, shared_market):
    market = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    closes = Execution(fill="close")
    real = save(run("calendar_reverse", market, execution=closes), out.parent / "r")
    said = sibt("compare", real, names(out)[0], names(out)[1], "--out", out)
    assert said.code == 0, said.err
    assert "Prices of B, C are SIMULATED and those of A are not" in said.out
    assert "So a best is marked only among B, C." in said.out
    rows = {row[0]: row for row in table(said.folder, "metrics")}
    assert rows["net"][-1] == "C"
    assert " SIMULATED" not in rows["figure"][2]
