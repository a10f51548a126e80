"""Runs are taken away whole, and nothing else ever is."""

import os
import shutil

import pytest
from filelock import FileLock
from run_folders import run as write

from sibt.errors import SettingError
from sibt.runs.latest import point
from sibt.runs.removal import removable, remove

FIRST, SECOND = "20260105-093000-idea", "20260106-093000-idea"


@pytest.fixture
def out(tmp_path):
    out = tmp_path / "results"
    write(out, FIRST, made="2026-01-05T09:30:00+08:00")
    last = write(out, SECOND, made="2026-01-06T09:30:00+08:00")
    point(out / "latest", last)
    (out / "trials.jsonl").write_text("{}\n", encoding="utf-8")
    return out


def left(out) -> list[str]:
    return sorted(os.listdir(out))


@pytest.mark.parametrize("words", ["latest", SECOND, "20260106"])
def test_a_run_is_taken_away_by(out, words):
    remove(out, [removable(out, words)])
    assert left(out) == [FIRST, "latest", "trials.jsonl"]


def test_a_run_is_taken_away_by_its_path(out, monkeypatch):
    monkeypatch.chdir(out.parent)
    remove(out, [removable(out, f"results/{SECOND}")])
    assert SECOND not in left(out)


def test_latest_leads_to_the_newest_that_is_left(out):
    write(out, "20260107-093000-compare", kind="comparison", made="2026-01-07T09:30:00+08:00")
    remove(out, [out / SECOND])
    assert os.readlink(out / "latest") == FIRST
    remove(out, [out / FIRST])
    assert left(out) == ["20260107-093000-compare", "trials.jsonl"]


def test_latest_stays_where_another_goes(out):
    remove(out, [out / FIRST])
    assert os.readlink(out / "latest") == SECOND


def test_a_strategy_is_no_name_of_a_run_to_delete(out):
    with pytest.raises(SettingError, match=f"'idea' is a strategy; .* name it: {SECOND}"):
        removable(out, "idea")


@pytest.mark.parametrize("words", ["", ".", "..", "trials.jsonl", "/", "results", "2026", "none"])
def test_what_is_no_run_is_never_deleted(out, words, monkeypatch):
    monkeypatch.chdir(out.parent)
    with pytest.raises(SettingError):
        removable(out, words)


def test_a_run_elsewhere_is_not_deleted(out, tmp_path):
    there = write(tmp_path / "elsewhere", FIRST)
    for words in (str(there), f"../elsewhere/{FIRST}"):
        with pytest.raises(SettingError, match="does not lie in"):
            removable(out, words)


def test_a_link_is_not_followed(out, tmp_path):
    there = write(tmp_path / "elsewhere", "20260108-093000-far")
    (out / "20260108-093000-far").symlink_to(there)
    with pytest.raises(SettingError, match="is a link to a folder elsewhere"):
        removable(out, "20260108-093000-far")
    assert there.is_dir()


def test_a_foreign_folder_with_a_manifest_is_not_deleted(out):
    (out / "app").mkdir()
    (out / "app/manifest.json").write_text('{"name": "app"}', encoding="utf-8")
    with pytest.raises(SettingError, match="app was not written by sibt, so it is not deleted"):
        removable(out, "app")


def test_a_run_that_was_renamed_is_deleted(out):
    write(out, "the good one")
    assert removable(out, "the good one") == out / "the good one"


def test_a_run_with_a_broken_manifest_is_deleted(out):
    (out / FIRST / "manifest.json").write_text("{", encoding="utf-8")
    remove(out, [removable(out, FIRST)])
    assert FIRST not in left(out)


def test_an_unfinished_sweep_is_deleted_unless_a_process_is_at_work_on_it(out):
    name = "20260107-093000-idea-sweep"
    (out / name).mkdir()
    (out / name / "plan.json").write_text("{}", encoding="utf-8")
    with FileLock(out / name / ".lock"), pytest.raises(SettingError, match="at work on"):
        removable(out, name)
    remove(out, [removable(out, name)])
    assert name not in left(out)


def test_an_interruption_leaves_no_half_of_a_run_in_the_list(out, monkeypatch):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", stop)
    with pytest.raises(KeyboardInterrupt):
        remove(out, [out / SECOND])
    hidden, *rest = left(out)
    assert rest == [FIRST, "latest", "trials.jsonl"]
    assert hidden == f".deleting-{os.getpid()}-{SECOND}"
    assert os.readlink(out / "latest") == FIRST


def test_what_cannot_be_deleted_is_told(out, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(SettingError, match=f"{FIRST} cannot be deleted: Permission denied"):
        remove(out, [out / FIRST])
