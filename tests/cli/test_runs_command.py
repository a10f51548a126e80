"""``sibt runs`` from outside: lists, shows, opens, deletes, exports and tidies up."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pandas as pd
import pytest
from command import Said
from command import sibt as call
from run_folders import REAL, figures
from run_folders import run as write

from sibt.language import EN
from sibt.report.runs_terminal import HEDGES
from sibt.report.sweep import sweep_page
from sibt.runs.run import run
from sibt.runs.save import figures as figures_of
from sibt.runs.save import save, tables
from sibt.sources import load_market
from sibt.sweep.sweep import sweep

FIRST, SECOND, THIRD = "20260105-093000-idea", "20260106-093000-real", "20260107-093000-idea-sweep"


def sibt(*words: object, folder: Path) -> Said:
    """Run ``sibt runs`` in a folder."""
    return call("runs", *words, folder=folder)


def flat(said: Said) -> str:
    """Return all a command said with every run of blanks as one."""
    return " ".join((said.out + said.err).split())


@pytest.fixture
def place(tmp_path):
    """Return a folder with three runs in ``results``."""
    out = tmp_path / "results"
    write(out, FIRST)
    write(out, SECOND, made="2026-01-06T09:30:00+08:00", data=REAL, strategy={"name": "real"},
          figures=figures(net=-20.456, sharpe=1.234))
    write(out, THIRD, made="2026-01-07T09:30:00+08:00", page="sweep.html", kind="sweep",
          sets={"booked": 3}, verdict="too few", figures={}, sketch=[])
    (out / "latest").symlink_to(SECOND)
    (out / "trials.jsonl").write_text("{}\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return a folder with runs and a sweep as `sibt` writes them, and the runs."""
    folder = tmp_path_factory.mktemp("real")
    market = load_market("sample")
    done = {name: run(name, market) for name in ("producer_hedge", "calendar_reverse")}
    for one in done.values():
        save(one, folder / "results", command=f"sibt run {one.name}")
    sweep("calendar_reverse", market, {"z": "1:2:1"}, out=folder / "results",
          pages={"sweep.html": sweep_page})  # fmt: skip
    return folder, done


@pytest.fixture
def launched(monkeypatch):
    """Collect what would be opened in the browser."""
    opened = []
    monkeypatch.setattr(click, "launch", opened.append)
    return opened


def left(place: Path) -> list[str]:
    return sorted(os.listdir(place / "results"))


# -- list -------------------------------------------------------------------------------------


def test_runs_are_listed_newest_first(place):
    said = sibt(folder=place)
    assert (said.code, said.err) == (0, "")
    head, *lines, end = said.out.splitlines()
    assert head.split() == ["run", "data", "net", "yuan", "yuan/t", "drawdown", "peak", "margin",
                            "Sharpe", "trips"]  # fmt: skip
    assert [line.split() for line in lines] == [
        [THIRD, "SIMULATED", "sample", "too", "few"],
        [SECOND, "prices.csv", "−20.46", "+20.0", "−1.00%", "50,000", "1.23", "1"],
        [FIRST, "SIMULATED", "sample", "+1,000.00", "+20.0", "−1.00%", "50,000", "–", "1"],
    ]
    assert end == "3 runs in results."


def test_of_hedges_the_list_says_whose_result_it_is(place):
    write(place / "results", "20260108-093000-hedge", figures=figures(
        hedged=-9.0, hedged_per_tonne=-1.0, max_drawdown_hedged=-0.5))  # fmt: skip
    *_, said, end = sibt(folder=place).out.splitlines()
    assert said == HEDGES
    assert end == "4 runs in results."


def test_figures_stand_under_their_heads(place):
    head, _, *lines, _ = sibt(folder=place).out.splitlines()
    for line in lines:
        assert len(line) == len(head)


def test_the_list_without_its_name_takes_its_options(place):
    for words in ([], ["list"]):
        assert sibt(*words, "--kind", "sweep", folder=place).out.splitlines()[1].startswith(THIRD)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--strategy", "idea"], [THIRD, FIRST]),
        (["--real"], [SECOND]),
        (["--simulated"], [THIRD, FIRST]),
        (["--since", "2026-01-06"], [THIRD, SECOND]),
        (["--until", "2026-01-06"], [SECOND, FIRST]),
        (["--data", "prices"], [SECOND]),
        (["--data", "abab"], [THIRD, FIRST]),
        (["--kind", "run", "--sort", "net"], [FIRST, SECOND]),
        (["--kind", "run", "--sort", "sharpe"], [SECOND, FIRST]),
        (["-n", "1"], [THIRD]),
        (["-n", "0"], [THIRD, SECOND, FIRST]),
    ],
)
def test_runs_are_chosen_by(place, words, found):
    said = sibt("list", *words, folder=place)
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[1:-1]] == found


def test_the_last_line_counts(place):
    def end(*words):
        return sibt("list", *words, folder=place).out.splitlines()[-1]

    assert end("--real") == "1 of 3 runs in results."
    assert end("-n", "2") == "2 of 3 runs in results; -n 0 lists all."
    assert end("--since", "2027-01-01") == "None of 3 runs in results is like that."


def test_the_list_speaks_chinese(place):
    said = sibt("list", "--lang", "zh", folder=place)
    assert said.out.splitlines()[0].split() == ["回测", "数据", "净盈亏（元）", "元/吨", "最大回撤",
                                                "保证金占用峰值", "夏普比率", "交易数"]  # fmt: skip
    assert said.out.splitlines()[-1] == "results 中共 3 项。"


def test_the_list_speaks_the_language_of_the_locale(place, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "results 中共 3 项。" in sibt(folder=place).out


def test_a_first_look_says_how_to_begin(tmp_path):
    said = sibt(folder=tmp_path)
    assert (said.code, said.out) == (0, "No runs in results; make one with sibt run.\n")


def test_what_is_no_run_is_named_and_the_rest_is_listed(place):
    (place / "results/half").mkdir()
    (place / "results/half/manifest.json").write_text('{"made"', encoding="utf-8")
    (place / "results/loop").symlink_to("loop")
    said = sibt(folder=place)
    assert said.code == 0
    assert said.out.splitlines()[-1] == "3 runs in results."
    assert said.err.splitlines() == [
        ("note left out: results/half/manifest.json is broken at line 1; take its folder away with"
         " sibt runs delete."),
        ("note left out: results/loop cannot be read: Too many levels of symbolic links; mend its"
         " rights, or take its folder away."),
    ]
    assert "备注 未列出：results/half/manifest.json 第 1 行损坏" in sibt("--lang", "zh",
                                                                  folder=place).err  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lst"], "commands are delete, export, gc, list, open, show. Did you mean 'list'?"),
        (["list", "--sort", "nett"], "Did you mean 'net'?"),
        (["list", "--kind", "sweeps"], "Did you mean 'sweep'?"),
        (["list", "--strategy", "idee"], "strategies are idea, real. Did you mean 'idea'?"),
        (["list", "--data", "simple"], "Did you mean 'sample'?"),
        (["list", "--since", "05/01/2026"], "'05/01/2026' is no day; write it as 2024-05-15."),
        (["list", "-n", "-1"], "-n is -1; give a number of runs, or 0 for all."),
        (["list", "--lang", "cn"], "'cn' is none of en, zh."),
        (["list", "--out", "nowhere"], "--out nowhere is not there; give the folder of your runs"),
        (["list", "--out", "results/trials.jsonl"], "is a file"),
        (["show", "nothing"], "There is no run 'nothing' in results; see sibt runs list."),
        (["show", "lates"], "Did you mean 'latest'?"),
        (["show", "2026"], f"'2026' may be {THIRD}, {SECOND}, {FIRST}; write more of the name."),
        (["show", FIRST], "holds no metrics.json"),
        (["open", "idee"], "Did you mean 'idea'?"),
        (["delete"], "Missing argument 'RUN...'"),
        (["delete", "idea", "--yes"], f"to delete its latest run, name it: {FIRST}."),
        (["delete", "trials.jsonl", "--yes"], "There is no run 'trials.jsonl'"),
        (["delete", "..", "--yes"], "is no run of sibt"),
        (["export", "latest", "--to", "a.csv"], "is none of .xlsx, .html and a folder for CSV"),
        (["export", "latest", "--to", "results"], "--to results is there already"),
        (["gc", "--out", "nowhere"], "--out nowhere is not there"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_cure(place, words, told):
    before = left(place)
    said = sibt(*words, folder=place)
    assert said.code == 2
    assert told in flat(said)
    assert "Traceback" not in flat(said)
    assert left(place) == before


def test_a_narrow_terminal_leaves_figures_out_and_data_in(place):
    from sibt.report.runs_terminal import listing
    from sibt.runs.catalogue import catalogue

    rows, _ = catalogue(place / "results")
    whole = listing(rows, EN)
    for width in (110, 80, 60):
        lines = click.unstyle(listing(rows, EN, width)).splitlines()
        assert max(map(len, lines)) <= width
        assert lines[3].split()[:4] == whole.splitlines()[3].replace(
            "\x1b[31m\x1b[1m", "").replace("\x1b[0m", "").split()[:4]  # fmt: skip
    assert "peak margin" not in listing(rows, EN, 80)


# -- show -------------------------------------------------------------------------------------


def test_a_run_is_shown_as_it_was_printed(real):
    folder, done = real
    said = sibt("show", "calendar_reverse", folder=folder)
    one = done["calendar_reverse"]
    assert said.code == 0
    assert said.out.startswith("SIMULATED made-up data\n“套利建议关注Si2411、Si2412合约反套机会。”")
    net, margin = one.result.metrics["net"], one.result.metrics["peak_margin"]
    for text in (f"net result {net:+,.2f} yuan, ", f"peak margin {margin:,.2f} yuan",
                 "round trips 1 (1 won, 0 still open)", "known from 2024-05-14",
                 "parameters year 2024 near_month 11", "z_exit none",
                 f"command sibt run {one.name}", f"note {one.result.warnings[0]}",
                 f"over the controls {one.excess:+,.1f} yuan/t", "fills.csv"):  # fmt: skip
        assert text in flat(said)


def test_a_hedge_is_shown_with_its_goods(real):
    folder, done = real
    hedge = done["producer_hedge"].hedge.metrics
    said = sibt("show", "producer_hedge", folder=folder)
    assert f"goods + futures {hedge['hedged']:+,.2f} yuan goods alone" in flat(said)
    assert "futures alone" in flat(said)


def test_a_run_is_shown_in_chinese(real):
    folder, done = real
    said = sibt("show", "calendar_reverse", "--lang", "zh", folder=folder)
    net = done["calendar_reverse"].result.metrics["net"]
    assert f"净盈亏 {net:+,.2f} 元" in flat(said)
    assert "夏普比率 无：完整交易不足三次" in flat(said)


def test_a_sweep_is_shown_with_its_verdict(real):
    said = sibt("show", "calendar_reverse-sweep", folder=real[0])
    assert said.code == 0
    assert said.out.startswith("Best of 2: 1 round trip, too few to tell skill from luck")


def test_a_run_of_another_version_is_told(place):
    (place / "results" / FIRST / "metrics.json").write_text("{}", encoding="utf-8")
    said = sibt("show", FIRST, folder=place)
    assert said.code == 2
    cure = f"open its page with sibt runs open {FIRST}"
    assert f"was written by another version of sibt; {cure}" in flat(said)


# -- open -------------------------------------------------------------------------------------


def test_a_runs_page_is_opened(place, launched):
    for words, page in (("latest", f"{SECOND}/index.html"), (THIRD, f"{THIRD}/sweep.html")):
        assert sibt("open", words, folder=place).out == f"results/{page}\n"
        assert launched.pop() == (place / "results" / page).as_uri()


def test_the_page_of_all_runs_is_drawn_and_opened(place, launched):
    said = sibt("open", folder=place)
    assert (said.code, said.out) == (0, "results/index.html\n")
    assert launched == [(place / "results/index.html").as_uri()]
    assert (place / "results/index.html").read_text("utf-8").count("<tr data-keys") == 3


def test_the_page_of_all_runs_opens_in_chinese(place, launched):
    sibt("open", "--lang", "zh", folder=place)
    assert '<html lang="zh-CN"' in (place / "results/index.html").read_text("utf-8")


def test_a_run_without_a_page_is_told(place, launched):
    (place / "results" / FIRST / "index.html").unlink()
    said = sibt("open", FIRST, folder=place)
    assert said.code == 2
    assert f"holds no page; see its figures with sibt runs show {FIRST}." in flat(said)
    assert launched == []


# -- delete -----------------------------------------------------------------------------------


def test_deleting_says_what_and_leaves_the_count_of_trials(place):
    said = sibt("delete", SECOND, THIRD, "--yes", folder=place)
    assert said.code == 0
    assert said.out.splitlines()[-1] == ("Deleted: 2. The looks at the data stay counted in"
                                         " trials.jsonl.")  # fmt: skip
    assert left(place) == [FIRST, "latest", "trials.jsonl"]
    assert (place / "results/trials.jsonl").read_text("utf-8") == "{}\n"
    assert os.readlink(place / "results/latest") == FIRST


def test_the_page_of_all_runs_forgets_the_deleted(place, launched):
    sibt("open", folder=place)
    sibt("delete", FIRST, "--yes", folder=place)
    assert FIRST not in (place / "results/index.html").read_text("utf-8")


@pytest.mark.parametrize(("answer", "code", "gone"), [("y\n", 0, True), ("n\n", 0, False),
                                                      ("\n", 0, False)])  # fmt: skip
def test_deleting_asks(place, monkeypatch, answer, code, gone):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    said = sibt("delete", FIRST, folder=place)
    assert said.code == code
    assert "Delete these? (1) [y/N]" in said.out
    assert ("Nothing was deleted." in said.out) is not gone
    assert (FIRST not in left(place)) is gone


def test_nobody_to_answer_deletes_nothing(place, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    said = sibt("delete", FIRST, folder=place)
    assert said.code == 2
    assert "Nobody is there to answer; say --yes to delete." in flat(said)
    assert FIRST in left(place)


def test_ctrl_c_at_the_question_deletes_nothing(place, monkeypatch):
    def stop(*_, **__):
        raise click.Abort

    monkeypatch.setattr(click, "confirm", stop)
    said = sibt("delete", FIRST, folder=place)
    assert said.code == 130
    assert FIRST in left(place)


def test_one_that_cannot_be_deleted_keeps_all(place):
    said = sibt("delete", FIRST, "nothing", "--yes", folder=place)
    assert said.code == 2
    assert FIRST in left(place)


def test_a_run_named_twice_is_deleted_once(place):
    assert "Deleted: 1." in sibt("delete", FIRST, f"results/{FIRST}", "--yes", folder=place).out


# -- export -----------------------------------------------------------------------------------


def test_a_workbook_has_a_sheet_a_table(real, tmp_path):
    folder, done = real
    to = tmp_path / "run.xlsx"
    said = sibt("export", "calendar_reverse", "--to", to, folder=folder)
    assert (said.code, said.out.strip()) == (0, str(to))
    sheets = pd.read_excel(to, sheet_name=None)
    made = tables(done["calendar_reverse"])
    assert list(sheets) == ["figures", *made]
    assert sheets["fills"]["fee"].sum() == done["calendar_reverse"].result.metrics["fees"]
    assert list(sheets["statement"]) == list(made["statement"])
    assert sheets["figures"].iloc[0].tolist() == ["data", "SIMULATED"]
    values = dict(sheets["figures"].to_numpy())
    assert values["futures.net"] == figures_of(done["calendar_reverse"])["futures"]["net"]


def test_a_workbook_lies_here_under_the_runs_name_if_no_place_is_said(real, tmp_path):
    folder, _ = real
    name = Path(os.readlink(folder / "results/latest")).name
    said = sibt("export", "latest", "--out", folder / "results", folder=tmp_path)
    assert said.out == f"{name}.xlsx\n"
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.xlsx"]


def test_tables_are_exported_in_chinese(real, tmp_path):
    folder, _ = real
    for to in ("zh.xlsx", "zh"):
        sibt("export", "calendar_reverse", "--to", tmp_path / to, "--lang", "zh", folder=folder)
    sheets = pd.read_excel(tmp_path / "zh.xlsx", sheet_name=None)
    assert list(sheets)[:4] == ["指标", "成交", "逐日盯市结算单", "逐笔对冲结算单"]
    header = (tmp_path / "zh/fills.csv").read_text("utf-8-sig").splitlines()[0]
    assert header == "成交日,腿,合约,买卖,开平,手数,成交价,手续费,原因,数据"


def test_a_folder_of_csv_is_what_lies_in_the_run(real, tmp_path):
    folder, done = real
    said = sibt("export", "calendar_reverse", "--to", tmp_path / "deep/csv", folder=folder)
    assert said.code == 0
    made = tables(done["calendar_reverse"])
    there = {path.stem for path in (tmp_path / "deep/csv").iterdir()}
    assert there == set(made)
    run_folder = next((folder / "results").glob("*-calendar_reverse"))
    for name in made:
        lines = (run_folder / f"{name}.csv").read_bytes()
        assert (tmp_path / f"deep/csv/{name}.csv").read_bytes() == lines, name


def test_a_sweep_is_exported_too(real, tmp_path):
    said = sibt("export", "calendar_reverse-sweep", "--to", tmp_path / "sweep.xlsx", folder=real[0])
    assert said.code == 0
    assert list(pd.read_excel(tmp_path / "sweep.xlsx", sheet_name=None)) == ["figures", "top"]


def test_a_page_is_exported_as_one_file(place, tmp_path):
    page = place / "results" / FIRST / "index.html"
    page.write_text('<a href="../index.html">All</a><a href="#x">x</a>', encoding="utf-8")
    assert sibt("export", FIRST, "--to", "page.html", folder=place).code == 0
    assert (place / "page.html").read_text("utf-8") == '<span>All</span><a href="#x">x</a>'


def test_what_is_there_is_not_written_over(real, tmp_path):
    for name in ("run.xlsx", "page.html"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
        said = sibt("export", "calendar_reverse", "--to", tmp_path / name, folder=real[0])
        assert said.code == 2
        assert "is there already; give another name." in flat(said)
        assert (tmp_path / name).read_text("utf-8") == "mine"


def test_without_openpyxl_the_cure_is_told(real, tmp_path, monkeypatch):
    monkeypatch.setattr("sibt.cli.runs.export.find_spec", lambda name: None)
    said = sibt("export", "latest", "--to", tmp_path / "a.xlsx", folder=real[0])
    assert said.code == 2
    assert "pip install openpyxl, or give a folder for CSV files with --to" in flat(said)
    assert sibt("export", "latest", "--to", tmp_path / "csv", folder=real[0]).code == 0


@pytest.mark.parametrize("to", ["run.xlsx", "csv"])
def test_an_export_that_dies_leaves_nothing(real, tmp_path, monkeypatch, to):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sibt.runs.workbook.write_csv", stop)
    monkeypatch.setattr("sibt.runs.workbook.write_workbook", stop)
    said = sibt("export", "calendar_reverse", "--to", tmp_path / to, folder=real[0])
    assert (said.code, said.out) == (130, "")
    assert list(tmp_path.iterdir()) == []


def test_an_export_to_nowhere_is_told(real, tmp_path):
    (tmp_path / "file").touch()
    said = sibt("export", "latest", "--to", tmp_path / "file/run.xlsx", folder=real[0])
    assert said.code == 2
    assert "cannot be written" in flat(said)


# -- gc ---------------------------------------------------------------------------------------


def rubbish(place: Path) -> Path:
    folder = place / "results/.writing-abcdefgh"
    folder.mkdir()
    (folder / "fills.csv").write_text("x" * 1234, encoding="utf-8")
    for path in (folder / "fills.csv", folder):
        os.utime(path, (time.time() - 7200,) * 2)
    return folder


def test_rubbish_is_told_and_taken_away(place):
    folder = rubbish(place)
    before = left(place)
    said = sibt("gc", "--dry-run", folder=place)
    assert said.out == ("results/.writing-abcdefgh  1.2 kB  half written\n"
                        "1 would go, 1.2 kB; nothing was changed.\n")  # fmt: skip
    assert left(place) == before
    said = sibt("gc", folder=place)
    assert (said.code, said.out.splitlines()[-1]) == (0, "1 taken away, 1.2 kB.")
    assert not folder.exists()
    assert left(place) == [name for name in before if name != folder.name]
    assert sibt("gc", folder=place).out == "Nothing to take away in results.\n"


def test_gc_speaks_chinese(place):
    rubbish(place)
    assert "写了一半" in sibt("gc", "--lang", "zh", folder=place).out


def test_gc_keeps_what_a_run_left_a_minute_ago(place):
    os.utime(rubbish(place) / "fills.csv")
    assert sibt("gc", folder=place).out == "Nothing to take away in results.\n"


# -- The process ------------------------------------------------------------------------------


def test_the_list_is_for_pipes_too(place):
    found = subprocess.run(
        [sys.executable, "-m", "sibt", "runs", "list"], cwd=place, check=True, text=True,
        capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert "\x1b" not in found.stdout
    assert found.stdout.splitlines()[-1] == "3 runs in results."


def test_a_list_needs_no_heavy_library(place):
    code = ("import sys, sibt.cli\ntry: sibt.cli.main(['runs'])\nexcept SystemExit: pass\n"
            "print(*{'pandas', 'numpy', 'rich', 'plotly', 'numba'} & set(sys.modules))")
    found = subprocess.run([sys.executable, "-c", code], cwd=place, check=True, text=True,
                           capture_output=True)
    assert found.stdout.splitlines()[-1] == ""


def test_ctrl_c_ends_quietly(place):
    # A manifest that is a pipe in the making: the first read waits until the signal comes.
    code = ("import os, signal, sibt.runs.catalogue as c\n"
            "c.catalogue = lambda out: os.kill(os.getpid(), signal.SIGINT) or time.sleep(9)\n"
            "import time, sibt.cli\nsibt.cli.main(['runs'])")
    found = subprocess.run([sys.executable, "-c", code], cwd=place, check=False, text=True,
                           capture_output=True)
    assert found.returncode == 128 + signal.SIGINT
    assert "Traceback" not in found.stderr
    assert "Interrupted" in found.stderr


def test_a_record_of_the_run_can_be_read_by_programs(real):
    record = json.loads((real[0] / "results/latest/manifest.json").read_text("utf-8"))
    assert record["kind"] == "sweep"
    assert record["verdict"].startswith("best of 2")
