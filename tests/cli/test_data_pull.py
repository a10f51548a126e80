"""``sibt data pull`` from outside, against a server on loopback that plays the exchange."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sources"))

import gfex_server
from gfex_server import GFEX
from rich.console import Console

from sibt.cli import main
from sibt.cli.data.pull import _Progress
from sibt.market import calendar
from sibt.sources.online.pull import Step
from sibt.sources.store import Store

DAYS = gfex_server.sessions()
SPAN = ["--from", f"{DAYS[0]:%Y-%m-%d}", "--to", f"{DAYS[-1]:%Y-%m-%d}"]
EXCHANGE = ["--kind", "bars", "--kind", "receipts"]


@pytest.fixture(scope="module", autouse=True)
def _akshare():
    if find_spec("akshare") is None:
        reason = "akshare is not installed: pip install 'sibt[akshare]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def exchange():
    server = GFEX()
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class Said:
    code: int
    out: str
    err: str


def sibt(exchange: GFEX | None, *words: str, cwd: Path) -> Said:
    environment = os.environ | (exchange.environment if exchange else {})
    done = subprocess.run([sys.executable, "-m", "sibt", "data", "pull", *words], cwd=cwd,
                          env=environment, capture_output=True, text=True, timeout=120,
                          check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def pulled(exchange: GFEX, folder: Path, *words: str) -> Said:
    return sibt(exchange, "--source", "akshare", *SPAN, *(words or EXCHANGE), cwd=folder)


def content(folder: Path) -> dict[str, list]:
    store = Store(folder / "data" / "store")
    return {kind: store.read("si", kind).to_dict("list") for kind in ("bars", "receipts", "absent")}


def same(one: dict[str, list], other: dict[str, list]) -> bool:
    text = [json.dumps(each, default=str, sort_keys=True) for each in (one, other)]
    return hashlib.sha256(text[0].encode()).digest() == hashlib.sha256(text[1].encode()).digest()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, list]:
    """The store after a pull that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    server = GFEX()
    said = pulled(server, folder)
    server.shutdown()
    server.server_close()
    assert said.code == 0, said.err
    assert len(server.seen) == 2 * len(DAYS)
    return content(folder)


def test_a_pull_brings_the_official_settlements_of_all_contracts(undisturbed):
    bars = pd.DataFrame(undisturbed["bars"])
    assert sorted(bars["date"].unique()) == list(DAYS)
    for row in bars.itertuples():
        assert row.settle == gfex_server.settle(row.contract, row.date)
    assert undisturbed["receipts"]["lots"] == [sum(gfex_server.lots("si", day)) for day in DAYS]


def test_every_kind_of_bad_day_ends_in_the_same_store_once_it_is_over(
    exchange, tmp_path, undisturbed, monkeypatch, capsys
):
    """A bad answer, then a good one: asked for again within the same pull."""
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sibt.sources.online.pull.WAITS", (0.01, 0.02))
    exchange.slow = 0.2
    ways = ["slow", "500", "403", "half", "short", "html", "gbk", "drop", "empty", "sum"]
    for day, how in zip(DAYS, ways, strict=False):
        exchange.plan["bars", f"{day:%Y%m%d}"] = [how, "good"]
        # No receipts at all is what the exchange answers before the first registration.
        if how != "empty":
            exchange.plan["receipts", f"{day:%Y%m%d}"] = [how, how, "good"]
    with pytest.raises(SystemExit) as left:
        main(["data", "pull", "--source", "akshare", *SPAN, *EXCHANGE])
    said = capsys.readouterr()
    assert left.value.code == 0
    assert "Still missing" not in said.out
    assert "answered 500; again in 0.01 s" in said.err
    assert same(content(tmp_path), undisturbed)


def test_what_stays_bad_is_told_and_the_rest_is_kept(exchange, tmp_path, undisturbed):
    wrong, holiday = DAYS[6], DAYS[2]
    exchange.plan["receipts", f"{wrong:%Y%m%d}"] = [f"wrong:{DAYS[4]:%Y%m%d}"]
    exchange.plan["bars", f"{wrong:%Y%m%d}"] = [f"wrong:{DAYS[4]:%Y%m%d}"]
    exchange.plan["bars", f"{holiday:%Y%m%d}"] = ["holiday"]
    said = pulled(exchange, tmp_path)
    assert said.code == 2
    assert f"bars: 1 session, {holiday:%Y-%m-%d}: the source has none" in said.out
    assert f"bars: 1 session, {wrong:%Y-%m-%d}: refused, the bars are" in said.out
    assert f"receipts: 1 session, {wrong:%Y-%m-%d}: refused, the exchange's receipts" in said.out
    kept = Store(tmp_path / "data" / "store").read("si", "bars")
    assert not kept["date"].isin([wrong, holiday]).any()
    said = pulled(exchange, tmp_path)
    assert said.code == 2
    assert "Nothing new; 2 sessions failed.\nStill missing:" in said.out
    # The exchange comes to its senses: only what was refused is asked for again.
    exchange.plan.clear()
    exchange.seen.clear()
    said = pulled(exchange, tmp_path)
    assert said.code == 0  # the holiday is still missing: the source has none
    assert f"bars: 1 session, {holiday:%Y-%m-%d}: the source has none" in said.out
    assert sorted(exchange.seen) == [("bars", f"{wrong:%Y%m%d}"), ("receipts", f"{wrong:%Y%m%d}")]


def test_nothing_is_asked_for_twice(exchange, tmp_path, undisturbed):
    pulled(exchange, tmp_path)
    exchange.seen.clear()
    said = pulled(exchange, tmp_path)
    assert (said.code, exchange.seen) == (0, [])
    assert "Nothing new: data/store holds what akshare has." in said.out
    assert same(content(tmp_path), undisturbed)


def test_without_a_network_there_is_one_sentence_and_no_store(tmp_path):
    class Nowhere:
        environment = dict.fromkeys(
            ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
        ) | {"no_proxy": "", "NO_PROXY": ""}

    began = time.monotonic()
    said = sibt(Nowhere, "--source", "akshare", cwd=tmp_path)  # type: ignore[arg-type]
    assert said.code == 2
    assert time.monotonic() - began < 30
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("Error: The network is not there: www.gfex.com.cn cannot be reached")
    assert said.out == ""
    assert not list((tmp_path).rglob("*.parquet"))


def test_what_other_sites_do_not_answer_does_not_spoil_the_exchanges(exchange, tmp_path):
    said = pulled(exchange, tmp_path, "--kind", "receipts", "--kind", "spot")
    assert said.code == 2
    assert "receipts: 12 rows new" in said.out
    assert "spot: 12 sessions, 2024-05-06..2024-05-21: www.100ppi.com cannot be reached" in said.out


def test_exit_code_2_when_nothing_at_all_could_be_got(exchange, tmp_path):
    exchange.plan["receipts", "20240515"] = ["wrong:20240514"]
    said = sibt(exchange, "--source", "akshare", "--from", "2024-05-15", "--to", "2024-05-15",
                "--kind", "receipts", "--kind", "spot", cwd=tmp_path)
    assert said.code == 2
    assert "receipts: 1 session, 2024-05-15: refused" in said.out
    assert "spot: 1 session, 2024-05-15: www.100ppi.com cannot be reached" in said.out


def test_an_interrupt_ends_cleanly(exchange, tmp_path, undisturbed):
    process: list[subprocess.Popen] = []
    exchange.after = lambda number: process[0].send_signal(signal.SIGINT) if number == 5 else None
    process.append(subprocess.Popen(
        [sys.executable, "-m", "sibt", "data", "pull", "--source", "akshare", *SPAN, *EXCHANGE],
        cwd=tmp_path, env=os.environ | exchange.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    out, err = process[0].communicate(timeout=60)
    assert process[0].returncode == 130
    assert "Interrupted; what was complete is kept" in out
    assert "Traceback" not in err
    assert 3 <= Store(tmp_path / "data" / "store").read("si", "bars")["date"].nunique() <= 6
    exchange.after = lambda number: None
    pulled(exchange, tmp_path)
    assert same(content(tmp_path), undisturbed)


def test_two_pulls_at_once_give_what_one_gives(exchange, tmp_path, undisturbed):
    # Neither gets its first answer before the other has asked.
    meeting = threading.Barrier(2, timeout=60)
    exchange.before = lambda number: meeting.wait() if number <= 2 else None
    said: list[Said] = []
    both = [threading.Thread(target=lambda: said.append(pulled(exchange, tmp_path)))
            for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert [each.code for each in said] == [0, 0]
    assert same(content(tmp_path), undisturbed)


# Progress on a terminal ------------------------------------------------------------------------


@pytest.fixture
def progress(monkeypatch):
    """What a pull shows on a terminal of 80 columns."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return _Progress()


def shown(progress) -> list[str]:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(progress.bar.get_renderable())
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("what", ["contract list", "si2411 settlement margins",
                                  "si2411 2024-05-06..2024-05-21"])
def test_what_is_asked_for_stands_whole_beside_the_bar(progress, what):
    progress.say(Step("contracts", "", 0, 0, "begins"))
    progress.say(Step("contracts", what, 0, 880, "stored"))
    (line,) = shown(progress)
    assert line.endswith(what)
    assert len(line) <= 80


def test_tables_that_are_done_no_longer_pulse(progress):
    with progress:
        progress.say(Step("contracts", "", 0, 0, "begins"))
        progress.say(Step("contracts", "contract list", 0, 0, "stored"))
        assert progress.bar.tasks[0].total is None
        progress.say(Step("terms", "", 0, 0, "begins"))
        progress.say(Step("terms", "margins", 0, 0, "waits", "half an answer"))
        progress.say(Step("terms", "margins", 0, 0, "stored"))
        progress.say(Step("terms", "fees", 0, 0, "none"))
    assert [(task.completed, task.total) for task in progress.bar.tasks] == [(1, 1), (2, 2)]
    assert all(task.finished for task in progress.bar.tasks)


# Killed at twenty points ----------------------------------------------------------------------

#: Imports once, then forks a pull for every line it reads: a start costs nothing.
NURSERY = """
import os, sys, warnings
warnings.simplefilter("ignore")
import akshare, pyarrow.parquet, rich.console, rich.progress
from sibt.cli import main
import sibt.cli.data.pull, sibt.sources.online.akshare, sibt.sources.online.pull
from sibt.market import calendar
calendar.sessions()
print("ready", flush=True)
for line in sys.stdin:
    folder, *words = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(folder)
        sys.stdout = sys.stderr = open(os.devnull, "w")
        try:
            main(words)
        except SystemExit as error:
            os._exit(error.code or 0)
        os._exit(99)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


#: Half the sessions, so that forty pulls take seconds.
FEW = DAYS[:6]
SHORT = ["--from", f"{FEW[0]:%Y-%m-%d}", "--to", f"{FEW[-1]:%Y-%m-%d}"]


class Nursery:
    def __init__(self, exchange: GFEX) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=os.environ | exchange.environment)
        assert self._line() == "ready"
        self.child = 0

    def _line(self) -> str:
        return self.process.stdout.readline().strip()

    def pull(self, folder: Path) -> int:
        words = ["data", "pull", "--source", "akshare", *SHORT, *EXCHANGE]
        self.process.stdin.write("\t".join([str(folder), *words]) + "\n")
        self.process.stdin.flush()
        self.child = int(self._line())
        return int(self._line())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    """A server, a nursery, and the store after a pull that nothing disturbed."""
    server = GFEX()
    found = Nursery(server)
    folder = tmp_path_factory.mktemp("nursery")
    assert found.pull(folder) == 0
    yield server, found, content(folder)
    found.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("point", range(20))
def test_a_pull_killed_at_any_point_is_completed_by_the_next(nursery, tmp_path, point):
    exchange, home, undisturbed = nursery
    exchange.seen.clear()
    # After the n-th question the exchange saw, and so many milliseconds into what follows it.
    number, delay = 1 + point * 10 // 19, (point * 7 % 20) / 1000

    def kill(seen: int) -> None:
        if seen == number:
            time.sleep(delay)
            os.kill(home.child, signal.SIGKILL)

    exchange.after = kill
    assert home.pull(tmp_path) == -signal.SIGKILL
    exchange.after = lambda seen: None
    asked = len(exchange.seen)
    half = content(tmp_path)
    bars, whole = pd.DataFrame(half["bars"]), pd.DataFrame(undisturbed["bars"])
    # Whole sessions only, each as in the undisturbed store, and at most the last one lost.
    if len(bars):
        part = whole[whole["date"].isin(bars["date"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(bars, part)
    have = bars["date"].nunique() + len(half["receipts"]["date"])
    assert asked - 1 <= have <= asked
    assert home.pull(tmp_path) == 0
    assert same(content(tmp_path), undisturbed)
    # What was there is not asked for again. A question the dead one had on its way may be
    # written down late, and it is one of those that were lacking.
    there = {(kind, f"{pd.Timestamp(day):%Y%m%d}")
             for kind in ("bars", "receipts") for day in half[kind]["date"]}  # fmt: skip
    every = {(kind, f"{day:%Y%m%d}") for kind in ("bars", "receipts") for day in FEW}
    assert set(exchange.seen[asked:]) == every - there
    assert len(exchange.seen) - asked - (len(every) - have) in (0, 1)


# Words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source", "akshar"], "Did you mean 'akshare'?"),
        (["--source", "akshare", "--from", "2024-13-01"],
         "--from is '2024-13-01', no day; write it as 2024-05-15."),
        (["--source", "akshare", "--from", "2024-05-15", "--to", "2024-05-01"],
         "--from 2024-05-15 is after --to 2024-05-01"),
        (["--source", "akshare", "--to", "2999-01-01"], "the last session that has closed"),
        (["--source", "akshare", "--product", "sii"], "Did you mean 'si'?"),
        (["--source", "akshare", "--kind", "recipts"], "Did you mean 'receipts'?"),
        (["--source", "akshare", "--kind", "receipts", "--store", "a.txt"], "cannot be written"),
        ([], "Missing option '--source'"),
    ],
)
def test_bad_words_are_answered_in_one_sentence(
    exchange, tmp_path, monkeypatch, capsys, words, sentence
):
    (tmp_path / "a.txt").write_text("a file", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as left:
        main(["data", "pull", *words, *(SPAN if "--store" in words else [])])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err


def test_help_has_examples_and_exit_codes(tmp_path):
    said = sibt(None, "--help", cwd=tmp_path)
    assert said.code == 0
    assert "sibt data pull --source akshare --from 2024-01-01" in said.out
    assert "Exit code 2 when a session or table failed for good" in " ".join(said.out.split())


def test_the_calendar_knows_the_sessions_the_server_plays():
    assert len(DAYS) == 12
    assert set(DAYS) <= set(calendar.sessions())
