"""``sibt sweep`` from outside: what it prints, what it writes, and how it ends."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from command import Said, sibt

RHYTHM = '''
import os
import time

import numpy as np
import pandas as pd

import sibt


class Rhythm(sibt.Strategy):
    """So many sessions on, so many off."""

    on = sibt.Param(7, "sessions held", "sessions", low=1, grid=(5, 7, 9))
    off = sibt.Param(5, "sessions between", "sessions", low=0, grid=(4, 5))
    near = sibt.Param("si2405", "near leg")

    def refuses(self, p):
        return {"off is on": p.off == p.on}

    def legs(self, market, p):
        return {p.near: 1, "si2406": -1}

    def units(self, market, p):
        time.sleep(float(os.environ.get("SIBT_TEST_SLEEP", 0)))
        at = np.arange(len(market.sessions))[:, None]
        life = (market.sessions >= "2023-12-01") & (market.sessions < "2024-03-15")
        wish = np.where(life[:, None] & (at % (p.on + p.off) < p.on), 1, 0)
        return wish if np.ndim(p.on) else pd.Series(wish[:, 0], index=market.sessions)
'''

#: The command line with chunks of five sets.
SMALL = """import sys
from sibt.cli import main
from sibt.sweep import grid
grid.CHUNK = 5
main(sys.argv[1:])
"""

WORDS = ("sweep", "rhythm.py", "-p", "on=3:12:1", "-p", "off=2:8:1", "--jobs", "1")

FILES = {"evidence.json", "manifest.json", "plan.json", "sets.parquet", "strategy.py",
         "sweep.html", "top.csv"}


def said_of(line, folder):
    """Run a command as it was printed."""
    words = shlex.split(line)
    assert words[0] == "sibt"
    return sibt(*words[1:], folder=folder)


def sweeps(folder):
    return sorted(path.parent for path in (folder / "results").glob("*-sweep/plan.json"))


def pieces(begun):
    return list((begun / "parts").glob("[0-9]*.parquet"))


def write(folder):
    (folder / "rhythm.py").write_text(RHYTHM, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _few_checked(monkeypatch):
    monkeypatch.setattr("sibt.sweep.finish.CHECKED", 2)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A bare sweep: the strategy's own grid."""
    folder = write(tmp_path_factory.mktemp("bare"))
    return sibt("sweep", "rhythm.py", "--jobs", 1, folder=folder), folder


# -- A sweep -----------------------------------------------------------------------------------


def test_a_finished_sweep_stands_in_the_page_of_all_runs(done):
    _, folder = done
    page = (folder / "results/index.html").read_text("utf-8")
    (made,) = sweeps(folder)
    assert made.name in page


def test_a_bare_sweep_books_the_strategys_own_grid(done):
    said, folder = done
    assert said.code == 0
    table = pd.read_parquet(folder / "results/latest/sets.parquet")
    assert len(table) == 6
    assert set(table["on"]) == {5, 7, 9}
    assert table["reason"].tolist().count("refused: off is on") == 1


def test_the_first_line_names_the_sweep_and_that_its_data_are_simulated(done):
    said, _ = done
    assert said.out.startswith("sibt sweep rhythm.py on the sample market: SIMULATED")


def test_progress_is_plain_lines_where_there_is_no_terminal(done):
    said, folder = done
    lines = said.err.splitlines()
    assert lines[0] == f"6 sets in 1 chunks, into results/{sweeps(folder)[0].name}"
    assert lines[-1].startswith("6 of 6 sets, ")
    assert lines[-1].endswith(" a second")
    assert "\x1b" not in said.err


def test_the_folder_holds_table_evidence_page_and_manifest(done):
    _, folder = done
    (made,) = sweeps(folder)
    assert {path.name for path in made.iterdir()} == FILES
    assert (folder / "results/latest").resolve() == made.resolve()
    manifest = json.loads((made / "manifest.json").read_text("utf-8"))
    assert manifest["command"] == "sibt sweep rhythm.py --jobs 1"
    assert manifest["sets"]["refused"] == 1
    assert manifest["sets"]["reasons"] == {"refused: off is on": 1}
    assert manifest["engine"] == {"name": "ledger", "note": ""}


def test_the_verdict_and_the_best_sets_are_printed(done):
    said, folder = done
    evidence = json.loads((folder / "results/latest/evidence.json").read_text("utf-8"))
    assert evidence["verdict"][1:] in said.flat
    assert "Refused: 1 of 6 sets 1× off is on" in said.flat


@pytest.mark.parametrize("name", ["latest", "name", "path"])
def test_show_says_again_what_the_sweep_said(done, name):
    said, folder = done
    (made,) = sweeps(folder)
    run = {"latest": "latest", "name": made.name, "path": f"results/{made.name}"}[name]
    shown = sibt("sweep", "show", run, folder=folder)
    assert shown.code == 0
    body = said.out.partition("\n")[2]
    assert shown.out == body


def test_latest_is_the_last_sweep_though_a_run_came_after(done):
    _, folder = done
    (folder / "results/20990101-000000-run").mkdir(exist_ok=True)
    assert sibt("sweep", "show", "latest", "--top", 1, folder=folder).code == 0


def test_any_set_can_be_run_by_itself(done):
    """The same figures to the fen, as `sibt run` writes them."""
    from sibt.runs.run import run

    _, folder = done
    table = pd.read_parquet(folder / "results/latest/sets.parquet")
    for row in table[table["reason"] == ""].sample(2, random_state=1).to_dict("records"):
        alone = run(folder / "rhythm.py", None, {"on": row["on"], "off": row["off"]})
        figures = alone.result.metrics
        for name in ("net", "fees", "peak_margin", "worst_equity", "round_trips"):
            assert round(row[name], 2) == round(figures[name], 2), name


def test_a_grid_a_condition_and_a_sample_of_it(tmp_path):
    write(tmp_path)
    said = sibt("sweep", "rhythm.py", "-p", "on=3:12:1", "-p", "off=2:8:2", "--where", "off < on",
                "--sample", 20, "--seed", 7, "--metric", "net", "--top", 3, folder=tmp_path)
    assert said.code == 0
    made = tmp_path / "results/latest"
    table = pd.read_parquet(made / "sets.parquet")
    assert (table["off"] < table["on"]).all()
    assert 0 < len(table) <= 20
    manifest = json.loads((made / "manifest.json").read_text("utf-8"))
    assert manifest["metric"] == "net"
    assert manifest["sets"]["left_out_by_where"] == 20 - len(table)
    assert manifest["grid"]["sample"] == 20


def test_vectorbt_is_named_wherever_its_figures_are(tmp_path):
    write(tmp_path)
    said = sibt("sweep", "rhythm.py", "--engine", "vectorbt", folder=tmp_path)
    assert said.code == 0
    note = "knows no margin, no price limits, no volume cap and no forced exits"
    made = tmp_path / "results/latest"
    assert note in said.flat
    assert note in json.loads((made / "manifest.json").read_text("utf-8"))["engine"]["note"]
    assert note in (made / "sweep.html").read_text("utf-8")


def test_settings_of_a_run_are_settings_of_a_sweep(tmp_path):
    write(tmp_path)
    line = (
        "sibt sweep rhythm.py -p on=5,6 --fill close --slippage 0 --participation none --kind"
        " company --capital 50000 --term fee=0.0002 --broker-margin 0.05 --from 2024-01-02"
        " --to 2024-03-29 --out mine"
    )
    said = said_of(line, tmp_path)
    assert said.code == 0
    settings = json.loads((tmp_path / "mine/latest/manifest.json").read_text("utf-8"))["settings"]
    assert settings["execution"]["participation"] is None
    assert settings["account"] == {"capital": 50000.0, "kind": "company", "broker_margin": 0.05,
                                   "fee_markup": 1.0, "spread_relief": False, "on_call": "cut"}
    assert (settings["from"], settings["to"]) == ("2024-01-02", "2024-03-29")
    assert settings["terms"] == {"fee": "0.0002"}


# -- Estimate ----------------------------------------------------------------------------------


def test_an_estimate_says_what_it_will_take_and_makes_nothing(tmp_path):
    write(tmp_path)
    line = "sibt sweep rhythm.py -p on=1:60:1 -p off=0:49:1 --where 'off < on' --jobs 1 --estimate"
    said = said_of(line, tmp_path)
    assert said.code == 0
    lines = said.out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["sets", "time", "memory", "disk"]
    assert lines[0] == (
        "sets    1,775 of a grid of 3,000, those that meet --where; 2 chunks"
    )
    assert "on 1 thread" in lines[1]
    assert "timed on 330 sets" in lines[1]
    # What this process holds already counts: a worker of a whole test run may hold a gigabyte.
    assert re.search(r"about [\d.]+ (MB|GB) at the most", lines[2])
    assert not (tmp_path / "results").exists()


# -- Interrupt and resume ----------------------------------------------------------------------


def stopped(folder, how):
    """Begin a sweep in a process of its own, and stop it in the middle."""
    write(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL, *WORDS],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "SIBT_TEST_SLEEP": "0.2"},
    )  # fmt: skip
    end = time.monotonic() + 60
    while not any(len(pieces(begun)) >= 3 for begun in sweeps(folder)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    return Said(process.returncode, out, err)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr("sibt.sweep.grid.CHUNK", 5)


@pytest.fixture
def undisturbed(tmp_path, small):
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    write(folder)
    assert sibt(*WORDS, folder=folder).code == 0
    return folder / "results/latest"


def same(one, other):
    return all(
        (one / name).read_bytes() == (other / name).read_bytes()
        for name in ("sets.parquet", "evidence.json", "top.csv")
    )


def test_an_interrupt_names_the_command_that_goes_on_and_it_does(tmp_path, small, undisturbed):
    said = stopped(tmp_path, signal.SIGINT)
    (begun,) = sweeps(tmp_path)
    assert said.code == 130
    last = said.err.splitlines()[-1]
    assert "of 14 chunks done, which are kept. Go on with: " in last
    line = last.partition("Go on with: ")[2]
    assert line == f"sibt sweep --resume {begun.name}"
    assert "Traceback" not in said.err
    kept = len(pieces(begun))
    assert kept >= 3
    again = said_of(line, tmp_path)
    assert again.code == 0
    assert again.out.startswith("sibt sweep rhythm.py on the sample market")
    assert same(begun, undisturbed)
    assert json.loads((begun / "manifest.json").read_text("utf-8"))["command"] == line


def test_kill_9_loses_no_more_than_the_chunk_in_work(tmp_path, small, undisturbed):
    said = stopped(tmp_path, signal.SIGKILL)
    (begun,) = sweeps(tmp_path)
    assert said.code == -signal.SIGKILL
    kept = len(pieces(begun))
    assert kept >= 3
    shown = sibt("sweep", "show", begun.name, folder=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert f"is not finished; go on with: sibt sweep --resume {begun.name}" in shown.err
    # All of it again, with another number of threads: what decides nothing may differ.
    again = sibt(*WORDS[:-1], "2", "--resume", begun.name, folder=tmp_path)
    assert again.code == 0
    assert f"{kept * 5} of 70 sets" in again.err
    assert same(begun, undisturbed)


# -- Bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Say what to sweep"),
        ("rythm.py", "Did you mean 'rhythm.py'?"),
        ("rhythm.py -p onn=1,2", "Did you mean 'on'?"),
        ("rhythm.py -p on", "is no NAME=VALUE"),
        ("rhythm.py -p on=1 -p on=2", "names 'on' twice"),
        ("rhythm.py -p on=,", "no values to sweep"),
        ("rhythm.py -p on=3:1:1", "leads nowhere"),
        ("rhythm.py -p on=1:3:0", "leads nowhere"),
        ("rhythm.py -p on=1:3:x", "write a range as from:to:step"),
        ("rhythm.py -p on=0,1", "at least 1"),
        ("rhythm.py -p on=4 -p off=3", "nothing to sweep"),
        ("rhythm.py --where __import__('os')", "more than comparisons of parameters"),
        ("rhythm.py --where __import__('os').system('true')<1", "more than comparisons"),
        ("rhythm.py --where off<onn", "Did you mean 'on'?"),
        ("rhythm.py --where off<", "cannot be read"),
        ("rhythm.py --where on>99", "None of the sets could be booked: no set meets --where"),
        ("rhythm.py --sample 0", "--sample is 0"),
        ("rhythm.py --jobs 0", "--jobs is 0"),
        ("rhythm.py --jobs 2 --dask tcp://127.0.0.1:1", "leave one out"),
        ("rhythm.py --top 0", "--top is 0"),
        ("rhythm.py --seed -1", "--seed is -1"),
        ("rhythm.py --metric sharp", "Did you mean 'sharpe'?"),
        ("rhythm.py --metric hedged", "owns no goods to hedge"),
        ("rhythm.py --engine vectorbot", "Did you mean 'vectorbt'?"),
        ("rhythm.py --walk-forward trian=9", "Did you mean 'train'?"),
        ("rhythm.py --dask nonsense", "write its address as tcp://host:8786"),
        ("rhythm.py --dask tcp://127.0.0.1:1", "no scheduler answers there"),
        ("rhythm.py --resume nothing", "there is no sweep of this name"),
        ("rhythm.py --resume latest", "there is no finished sweep"),
        ("--resume nothing", "there is no sweep of this name"),
        ("rhythm.py --out rhythm.py", "--out rhythm.py is a file"),
        ("show nothing", "there is no sweep of this name"),
        ("show latest", "there is no finished sweep"),
        ("show latest --top 0", "--top is 0"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(tmp_path, words, said):
    write(tmp_path)
    found = sibt("sweep", *words.split(), folder=tmp_path)
    assert found.code == 2
    assert said in " ".join(found.err.split())
    assert "Traceback" not in found.err
    assert "Fault" not in found.err
    assert not (tmp_path / "results").exists() or "meets --where" in said


def test_what_was_changed_or_finished_is_not_gone_on_with(done):
    _, folder = done
    (made,) = sweeps(folder)
    assert "is finished" in sibt("sweep", "--resume", made.name, folder=folder).err
    near = sibt("sweep", "--resume", made.name[:-1], folder=folder)
    assert near.code == 2
    assert f"Did you mean '{made.name}'?" in near.err


def test_a_sweep_begun_in_python_asks_for_its_strategy_again(tmp_path, small):
    from sibt.sweep.sweep import sweep

    write(tmp_path)

    def progress(made, total):
        if made:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "rhythm.py", None, None, out=tmp_path / "results", progress=progress)
    (begun,) = sweeps(tmp_path)
    found = sibt("sweep", "--resume", begun.name, folder=tmp_path)
    assert found.code == 2
    assert "it was not begun on the command line; name its strategy" in found.err
    assert sibt("sweep", "rhythm.py", "--resume", begun.name, folder=tmp_path).code == 0
