"""What is rubbish in a folder of runs, and what only looks like it."""

import os
import subprocess
import sys
import time

import pytest
from run_folders import run as write

from sibt.language import EN, ZH
from sibt.runs.rubbish import clear, rubbish

OLD = time.time() - 7200


def aged(path, *, folder=False, text="half"):
    """Make a file, or a folder with a file, to which nothing was written for two hours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path / "statement.csv" if folder else path
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    for each in {file, path}:
        os.utime(each, (OLD, OLD))
    return path


def found(out) -> list[str]:
    return sorted(each.path.name for each in rubbish(out))


@pytest.fixture(scope="module")
def dead() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    "name", [".writing-abc12def", ".writing-{dead}-abc", ".deleting-{dead}-20260105-093000-idea",
             ".market.abcd1234", ".market.abcd1234.old"],
)  # fmt: skip
def test_a_folder_half_written_is_rubbish_after_an_hour(tmp_path, dead, name):
    path = aged(tmp_path / name.format(dead=dead), folder=True)
    assert found(tmp_path) == [path.name]
    os.utime(path / "statement.csv")
    assert found(tmp_path) == []


@pytest.mark.parametrize("name", [".latest-{dead}", ".index-{dead}",
                                  "assets/.plotly-6.0.min.js.abcd1234"])  # fmt: skip
def test_a_file_half_written_is_rubbish_after_an_hour(tmp_path, dead, name):
    path = aged(tmp_path / name.format(dead=dead))
    assert found(tmp_path) == [path.name]
    os.utime(path)
    assert found(tmp_path) == []


def test_what_a_living_process_writes_is_none(tmp_path):
    aged(tmp_path / f".writing-{os.getpid()}-abc", folder=True)
    assert found(tmp_path) == []


@pytest.mark.parametrize("name", [".git", ".writings", ".trials.jsonl.lock", "writing-1-a",
                                  ".index.html.swp", ".DS_Store", ".marketing"])  # fmt: skip
def test_what_others_keep_is_none(tmp_path, name):
    aged(tmp_path / name)
    assert found(tmp_path) == []


def test_runs_are_none(tmp_path):
    folder = write(tmp_path)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (OLD, OLD))
    assert found(tmp_path) == []


def test_a_script_no_page_asks_for_is_rubbish(tmp_path):
    folder = write(tmp_path)
    for version in ("5.24", "6.0", "6.1"):
        aged(tmp_path / f"assets/plotly-{version}.min.js")
    aged(tmp_path / "assets/own.js")
    (folder / "index.html").write_text('<script src="../assets/plotly-6.0.min.js">', "utf-8")
    (folder / "empty.html").touch()
    assert found(tmp_path) == ["plotly-5.24.min.js", "plotly-6.1.min.js"]
    # A page that is being written asks too.
    (tmp_path / ".writing-1-a").mkdir()
    (tmp_path / ".writing-1-a/index.html").write_text("../assets/plotly-6.1.min.js", "utf-8")
    assert found(tmp_path) == ["plotly-5.24.min.js"]


def test_a_script_of_a_minute_ago_is_none(tmp_path):
    os.utime(aged(tmp_path / "assets/plotly-6.1.min.js"))
    assert found(tmp_path) == []


def test_a_lost_latest_is_mended(tmp_path):
    folder = write(tmp_path)
    (tmp_path / "latest").symlink_to("gone")
    (one,) = rubbish(tmp_path)
    assert (EN(one.why), ZH(one.why)) == ("leads to gone, which is gone", "指向已不存在的 gone")
    clear(tmp_path, [one])
    assert os.readlink(tmp_path / "latest") == folder.name
    assert rubbish(tmp_path) == []


def test_a_lost_latest_of_no_runs_goes(tmp_path):
    (tmp_path / "latest").write_text("gone\n", encoding="utf-8")
    clear(tmp_path, rubbish(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_rubbish_goes_with_all_it_holds_and_nothing_else(tmp_path, dead):
    folder = write(tmp_path)
    aged(tmp_path / f".writing-{dead}-a", folder=True, text="12345")
    aged(tmp_path / "assets/plotly-5.24.min.js", text="123")
    one = rubbish(tmp_path)
    assert sum(each.bytes for each in one) == 8
    clear(tmp_path, one)
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name, "assets"]
    assert list((tmp_path / "assets").iterdir()) == []


def test_nowhere_holds_no_rubbish(tmp_path):
    assert rubbish(tmp_path / "nowhere") == []
