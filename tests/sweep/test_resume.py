"""Stop a sweep anywhere and go on: the result is that of one nobody disturbed, to the byte."""

import json
import os
import shutil
import signal

import pytest
from filelock import FileLock
from killing import GRID, SPREAD, counted, forked, killed_at, outcome, sweep_in, write

from sibt.errors import DataError
from sibt.sources import load_market
from sibt.sweep.piece import done
from sibt.sweep.sweep import sweep

POINTS = 10

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module", autouse=True)
def _small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sibt.sweep.grid.CHUNK", 10)
        patch.setattr("sibt.sweep.finish.CHECKED", 2)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sweep nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    write(folder)
    return sweep_in(folder).folder


@pytest.fixture(scope="module")
def touches(tmp_path_factory, whole):
    """How often such a sweep touches its files."""
    folder = tmp_path_factory.mktemp("counted")
    write(folder)

    def work():
        counted(folder / "results", lambda seen: (folder / "seen").write_text(str(seen)))
        sweep_in(folder)

    assert forked(work) == 0
    return int((folder / "seen").read_text())


def only(folder):
    """The sweep begun in a folder, or None."""
    found = [path.parent for path in (folder / "results").glob("*-sweep/plan.json")]
    assert len(found) <= 1
    return found[0] if found else None


def stopped(folder, pieces=3):
    """Begin a sweep that stops after some pieces, as Ctrl-C does."""
    write(folder)

    def progress(made, total):
        if made == pieces:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep_in(folder, progress=progress, command="sibt sweep rhythm.py")
    return only(folder)


@forks
@pytest.mark.parametrize("point", range(POINTS))
def test_killed_at_any_point_it_goes_on_to_the_same_result(tmp_path, whole, touches, point):
    assert touches > 3 * POINTS
    at = 1 + point * (touches - 1) // (POINTS - 1)  # the first touch, the last, and between
    write(tmp_path)

    def work():
        counted(tmp_path / "results", killed_at(at))
        sweep_in(tmp_path)

    assert forked(work) == signal.SIGKILL
    begun = only(tmp_path)
    if begun is None:
        again = sweep_in(tmp_path)  # nothing had been made yet
    elif (begun / "manifest.json").is_file():
        assert outcome(begun) == outcome(whole)
        return
    else:
        kept = done(begun / "parts")
        made = {}
        again = sweep_in(
            tmp_path, resume=begun.name, progress=lambda n, total: made.setdefault("first", n)
        )
        assert made["first"] == len(kept)
        assert again.folder == begun
    assert outcome(again.folder) == outcome(whole)
    assert not [path for path in again.folder.iterdir() if path.name.startswith(".")]
    assert not (again.folder / "parts").exists()


@forks
def test_the_points_lie_before_within_and_after_the_chunks(tmp_path, whole, touches):
    kept = []
    for point in (0, POINTS // 2, POINTS - 2):
        folder = tmp_path / str(point)
        folder.mkdir()
        write(folder)
        at = 1 + point * (touches - 1) // (POINTS - 1)

        def work(folder=folder, at=at):
            counted(folder / "results", killed_at(at))
            sweep_in(folder)

        assert forked(work) == signal.SIGKILL
        begun = only(folder)
        kept.append(0 if begun is None else len(done(begun / "parts")))
    assert kept[0] == 0
    assert 0 < kept[1] <= kept[2] <= 7


def test_an_interrupt_keeps_what_was_done(tmp_path, whole):
    begun = stopped(tmp_path)
    assert len(done(begun / "parts")) == 3
    assert not (begun / "manifest.json").exists()
    assert not (tmp_path / "results/latest").exists()
    again = sweep_in(tmp_path, resume=begun)
    assert outcome(again.folder) == outcome(whole)
    assert (tmp_path / "results/latest").resolve() == again.folder.resolve()


def test_the_threads_do_not_show_in_the_result(tmp_path, whole):
    write(tmp_path)
    assert outcome(sweep_in(tmp_path, jobs=4).folder) == outcome(whole)


def test_a_piece_half_written_is_made_again(tmp_path, whole):
    begun = stopped(tmp_path)
    first = sorted((begun / "parts").glob("*.parquet"))[0]
    first.unlink()  # its evidence is there, its table is not
    (begun / "parts/.abcdef.parquet").write_bytes(b"half")
    assert outcome(sweep_in(tmp_path, resume=begun).folder) == outcome(whole)


def test_the_trials_are_counted_once_however_often_it_was_stopped(tmp_path):
    begun = stopped(tmp_path)
    sweep_in(tmp_path, resume=begun)
    lines = (tmp_path / "results/trials.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["sets"] for line in lines] == [64]


# -- What it refuses ---------------------------------------------------------------------------


def refused(folder, resume, **given):
    with pytest.raises(DataError) as caught:
        sweep_in(folder, resume=resume, **given)
    return str(caught.value)


def test_it_refuses_what_is_no_sweep(tmp_path):
    write(tmp_path)
    (tmp_path / "results/other").mkdir(parents=True)
    for name in ("nothing", "other"):
        assert f"--resume {name}: there is no sweep of this name" in refused(tmp_path, name)


def test_it_refuses_a_finished_sweep(tmp_path):
    begun = stopped(tmp_path)
    sweep_in(tmp_path, resume=begun)
    assert "this sweep is finished; see it with sibt sweep show" in refused(tmp_path, begun)


def test_it_refuses_changed_code_data_grid_and_settings_and_says_which(tmp_path):
    begun = stopped(tmp_path)
    before = {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}
    market = load_market("sample")
    cut = market.asof(market.sessions[-2])
    strategy = tmp_path / "rhythm.py"

    def said(data=market, grid=GRID, **given):
        with pytest.raises(DataError) as caught:
            sweep(strategy, data, grid, out=tmp_path / "results", resume=begun, jobs=1, **given)
        return str(caught.value)

    assert "the grid changed since it began; begin a new sweep" in said(grid={**GRID, "on": "3,4"})
    assert "the grid changed" in said(where="on > 4")
    assert "the data changed" in said(cut)
    assert "the settings changed" in said(capital=5e5)
    assert "the settings changed" in said(engine="vectorbt")
    assert "the grid and the settings changed" in said(sample=9, seed=1)
    write(tmp_path, SPREAD + "\n# a word more\n")
    assert "the strategy's code changed" in said()
    write(tmp_path)
    plan = json.loads((begun / "plan.json").read_text("utf-8"))
    (begun / "plan.json").write_text(json.dumps({**plan, "sibt": "0.0.0"}), "utf-8")
    assert "sibt itself changed" in said()
    (begun / "plan.json").write_bytes(before[begun / "plan.json"])
    # Nothing of it was touched.
    assert {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()} == before


def test_it_refuses_a_sweep_another_process_is_at_work_on(tmp_path):
    begun = stopped(tmp_path)
    with FileLock(begun / ".lock"):
        assert "another process is at work" in refused(tmp_path, begun)
    assert sweep_in(tmp_path, resume=begun).folder == begun


def test_a_metric_may_change_for_it_decides_nothing(tmp_path, whole):
    begun = stopped(tmp_path)
    again = sweep_in(tmp_path, resume=begun, metric="net")
    assert again.manifest["metric"] == "net"
    assert (again.folder / "sets.parquet").read_bytes() == (whole / "sets.parquet").read_bytes()


def test_pages_are_drawn_before_the_manifest_says_that_all_is_there(tmp_path):
    write(tmp_path)
    seen = {}

    def page(made, path):
        seen["manifest"] = made.manifest["strategy"]["name"]
        seen["finished"] = (made.folder / "manifest.json").exists()
        path.write_text("page", "utf-8")

    made = sweep_in(tmp_path, pages={"sweep.html": page})
    assert seen == {"manifest": "rhythm", "finished": False}
    assert (made.folder / "sweep.html").read_text("utf-8") == "page"
    assert made.manifest["command"] == ""


def test_a_page_that_fails_leaves_a_sweep_to_go_on_with(tmp_path, whole):
    write(tmp_path)

    def page(made, path):
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        sweep_in(tmp_path, pages={"sweep.html": page})
    assert outcome(sweep_in(tmp_path, resume=only(tmp_path)).folder) == outcome(whole)


def test_a_sweep_moved_elsewhere_goes_on_there(tmp_path, whole):
    begun = stopped(tmp_path)
    there = tmp_path / "elsewhere" / begun.name
    shutil.copytree(begun, there)
    again = sweep_in(tmp_path, out=tmp_path / "elsewhere", resume=begun.name)
    assert again.folder == there
    assert outcome(there) == outcome(whole)
