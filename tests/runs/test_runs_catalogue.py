"""The list of a folder of runs: what lies there, in order, and what is no run named."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from run_folders import REAL, SKETCH, data, figures, manifest
from run_folders import run as write

from sibt.errors import SettingError
from sibt.language import EN, ZH
from sibt.runs import catalogue as module
from sibt.runs.catalogue import SORTS, catalogue, chosen, ordered
from sibt.runs.run import run
from sibt.runs.save import save
from sibt.sources import load_market


def names(rows) -> list[str]:
    return [row.name for row in rows]


# -- Rows -------------------------------------------------------------------------------------


def test_a_row_says_what_the_manifest_says(tmp_path):
    folder = write(tmp_path, data=REAL)
    (row,), warnings = catalogue(tmp_path)
    assert warnings == []
    assert (row.name, row.folder, row.kind, row.strategy) == (folder.name, folder, "run", "idea")
    assert (row.source, row.sha256, row.simulated) == ("prices.csv", "cd" * 32, False)
    assert (row.first, row.last) == ("2023-01-03", "2024-12-31")
    assert row.made.utcoffset() == timedelta(hours=8)
    assert row.figures == figures()
    assert row.sketch == SKETCH
    assert (row.note, row.page) == ("", "index.html")


def test_a_real_run_is_listed_with_its_figures(tmp_path):
    done = run("calendar_reverse", load_market("sample"))
    folder = save(done, tmp_path)
    (row,), warnings = catalogue(tmp_path)
    assert (row.name, row.page, row.simulated, warnings) == (folder.name, None, True, [])
    for name in ("net", "net_per_tonne", "max_drawdown", "peak_margin", "sharpe", "round_trips"):
        assert row.figures[name] == done.result.metrics[name]


def test_a_hedge_is_listed_with_goods_and_futures_together(tmp_path):
    more = {"hedged": -5.0, "hedged_per_tonne": -0.5, "max_drawdown_hedged": -0.25}
    write(tmp_path, figures=figures(**more))
    (row,), _ = catalogue(tmp_path)
    assert [row.figures[n] for n in ("net", "net_per_tonne", "max_drawdown")] == [-5, -0.5, -0.25]
    assert row.figures["peak_margin"] == 50_000


def test_the_newest_stands_first_by_the_clock_of_the_world(tmp_path):
    write(tmp_path, "b", made="2026-01-05T09:30:00+08:00")
    write(tmp_path, "a", made="2026-01-05T02:00:00+00:00")
    write(tmp_path, "c", made="2026-01-05T01:45:00")
    write(tmp_path, "d", made="2026-01-05T02:00:00+00:00")
    assert names(catalogue(tmp_path)[0]) == ["d", "a", "c", "b"]


def test_sweeps_and_comparisons_say_in_words_what_they_are(tmp_path):
    write(tmp_path, "a", kind="sweep", sets={"booked": 1728}, verdict="too few")
    write(tmp_path, "b", kind="sweep", sets={"booked": 1728})
    write(tmp_path, "c", kind="comparison", runs=[{"key": "A"}, {"key": "B"}])
    found = {row.name: row for row in catalogue(tmp_path)[0]}
    assert found["a"].note == "too few"
    assert [EN(found["b"].note), ZH(found["b"].note)] == ["1,728 sets", "1,728 组参数"]
    assert [EN(found["c"].note), ZH(found["c"].note)] == ["2 runs side by side", "2 次回测并列"]


def test_only_manifests_are_read(tmp_path, monkeypatch):
    for number in range(5):
        write(tmp_path, f"run{number}")
    read = []
    own = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or own(path))
    catalogue(tmp_path)
    assert read == ["manifest.json"] * 5


@pytest.mark.parametrize(
    ("pages", "first"),
    [(("tearsheet.html",), "tearsheet.html"), (("sweep.html",), "sweep.html"),
     (("tearsheet.html", "index.html"), "index.html"), ((), None)],
)  # fmt: skip
def test_the_page_of_a_row_is_the_first_there_is(tmp_path, pages, first):
    folder = write(tmp_path, page=None)
    for name in pages:
        (folder / name).touch()
    assert catalogue(tmp_path)[0][0].page == first


# -- What is no run ---------------------------------------------------------------------------


def broken(out: Path) -> dict[str, str]:
    """Put all sorts of things among the runs; return by name what is said of each."""
    (out / "empty").mkdir()
    (out / "half").mkdir()
    (out / "half/manifest.json").write_text(json.dumps(manifest())[:200], encoding="utf-8")
    (out / "foreign").mkdir()
    (out / "foreign/manifest.json").write_text('{"name": "app"}', encoding="utf-8")
    (out / "notes.txt").write_text("buy low", encoding="utf-8")
    (out / "loop").symlink_to("loop")
    (out / "lost").symlink_to("nowhere")
    (out / "deep/manifest.json").mkdir(parents=True)
    (out / "unfinished").mkdir()
    (out / "unfinished/plan.json").write_text("{}", encoding="utf-8")
    for name, more in {
        "odd figures": {"figures": {"net": "much"}},
        "listed figures": {"figures": [1, 2]},
        "endless figures": {"figures": {"net": float("inf")}},
        "odd sketch": {"sketch": [0, None]},
        "broken sketch": {"sketch": [0, float("nan")]},
        "odd day": {"made": "yesterday"},
        "odd sets": {"kind": "sweep", "sets": 3},
        "hedge by half": {"figures": figures(hedged=3.0)},
    }.items():
        write(out, name, **more)
    return {
        "empty": "holds no manifest.json", "half": "is broken at line 1",
        "foreign": "was not written by sibt", "notes.txt": "is no folder",
        "loop": "cannot be read: Too many levels of symbolic links", "lost": "is no folder",
        "deep": "holds no manifest.json", "unfinished": "go on with sibt sweep --resume",
        **dict.fromkeys(
            ("odd figures", "listed figures", "endless figures", "odd sketch", "broken sketch",
             "odd day", "odd sets", "hedge by half"), "was not written by sibt"),
    }  # fmt: skip


def test_what_is_no_run_is_named_and_the_rest_is_listed(tmp_path):
    write(tmp_path, "good")
    said = broken(tmp_path)
    rows, warnings = catalogue(tmp_path)
    assert names(rows) == ["good"]
    for name, what in said.items():
        told = [warning for warning in warnings if f"{tmp_path / name}" in warning]
        assert len(told) == 1, name
        assert what in told[0], name
        assert ZH(told[0]) != EN(told[0]) == told[0]
    assert len(warnings) == len(said)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"),
                                   OSError(5, "Input/output error")])  # fmt: skip
def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch, error):
    write(tmp_path, "good")
    write(tmp_path, "locked")
    own = Path.read_bytes

    def refuse(path):
        if path.parent.name == "locked":
            raise error
        return own(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    rows, (warning,) = catalogue(tmp_path)
    assert names(rows) == ["good"]
    assert f"{tmp_path / 'locked'}" in warning
    assert error.strerror in warning


def test_what_sibt_itself_keeps_there_is_not_told(tmp_path):
    folder = write(tmp_path)
    (tmp_path / "latest").symlink_to(folder.name)
    for name in ("assets", "claims", "market", ".writing-123-abc"):
        (tmp_path / name).mkdir()
    for name in ("index.html", "trials.jsonl", ".trials.jsonl.lock", ".DS_Store"):
        (tmp_path / name).touch()
    rows, warnings = catalogue(tmp_path)
    assert (names(rows), warnings) == ([folder.name], [])


def test_a_run_called_as_one_of_ours_is_listed(tmp_path):
    write(tmp_path, "assets")
    assert names(catalogue(tmp_path)[0]) == ["assets"]


def test_a_link_to_a_run_elsewhere_is_listed(tmp_path):
    write(tmp_path / "elsewhere", "far")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/near").symlink_to(tmp_path / "elsewhere/far")
    assert names(catalogue(tmp_path / "results")[0]) == ["near"]


def test_nowhere_holds_nothing(tmp_path):
    assert catalogue(tmp_path / "nowhere") == ([], [])


def test_a_file_is_no_folder_of_runs(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="cannot be read: Not a directory"):
        catalogue(tmp_path / "file")


# -- Choice and order -------------------------------------------------------------------------


@pytest.fixture
def rows(tmp_path):
    write(tmp_path, "a", made="2026-01-05T23:30:00+08:00", data=REAL)
    write(tmp_path, "b", made="2026-01-06T00:30:00+08:00", strategy={"name": "other"},
          figures=figures(net=-5.0, sharpe=1.2, max_drawdown=-0.2))
    write(tmp_path, "c", made="2026-01-07T09:30:00+08:00", kind="sweep", sets={"booked": 3},
          figures={}, data=data(source="Sample 2"))
    write(tmp_path, "d", made="2026-01-08T09:30:00+08:00", kind="comparison", figures={},
          strategy={"name": "idea, other"})
    return catalogue(tmp_path)[0]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "dcba"),
        ({"strategy": "other"}, "db"),
        ({"strategy": "idea"}, "dca"),
        ({"kind": "sweep"}, "c"),
        ({"simulated": True}, "dcb"),
        ({"simulated": False}, "a"),
        ({"data": "PRICES"}, "a"),
        ({"data": "sample"}, "dcb"),
        ({"data": "cdcd"}, "a"),
        ({"since": date(2026, 1, 6)}, "dcb"),
        ({"until": date(2026, 1, 6)}, "ba"),
        ({"since": date(2026, 1, 6), "until": date(2026, 1, 6)}, "b"),
        ({"since": date(2026, 1, 6), "kind": "run", "strategy": "idea"}, ""),
    ],
)
def test_rows_are_chosen_by(rows, asked, found):
    assert "".join(names(chosen(rows, **asked))) == found


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"strategy": "idee"}, "strategies are idea, other. Did you mean 'idea'?"),
        ({"data": "price.csv"}, "data are Sample 2, prices.csv, sample. Did you mean 'prices.csv'"),
    ],
)
def test_what_no_run_is_of_is_told(rows, asked, told):
    with pytest.raises(SettingError) as refused:
        chosen(rows, **asked)
    assert told in str(refused.value)


def test_no_runs_are_of_nothing():
    assert chosen([], strategy="idea", data="sample") == []


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("made", "dcba"), ("strategy", "cadb"), ("net", "abdc"), ("per-tonne", "badc"),
        ("drawdown", "abdc"), ("margin", "badc"), ("sharpe", "bdca"), ("trips", "badc"),
        ("data", "cadb"),
    ],
)  # fmt: skip
def test_rows_are_ordered_by(rows, by, found):
    assert "".join(names(ordered(rows, by))) == found


def test_the_command_knows_every_order():
    from sibt.cli.runs.list_ import command

    (option,) = [one for one in command.params if one.name == "sort"]
    assert list(option.type.choices) == list(SORTS)


def test_the_catalogue_is_quick_to_import():
    import subprocess
    import sys

    code = "import sys, sibt.runs.catalogue, sibt.runs.load; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True,
                            text=True, env={**os.environ}).stdout.split()  # fmt: skip
    assert not {"pandas", "numpy", "plotly", "rich", "numba"} & set(loaded)
    assert module.__name__ in loaded
