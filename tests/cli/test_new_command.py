import io
import json
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from sibt.cli import main
from sibt.sources.shipped import shipped
from sibt.strategy.loader import load, shipped_names


def sibt(*words: str, folder: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as left:
            code = left.code
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def no_page(monkeypatch):
    """Spare the drawings: what a page holds is tested elsewhere."""
    monkeypatch.setattr(
        "sibt.report.tearsheet.tear_sheet", lambda run, path: path.write_text("", "utf-8")
    )


def test_a_new_strategy_runs_at_once_by_the_command_it_prints(tmp_path, no_page):
    code, out, _ = sibt("new", "strategy", "my_spread", folder=tmp_path)
    assert code == 0
    assert out == "Wrote my_spread.py. Run it with: sibt run my_spread.py\n"
    command = out.partition("Run it with: sibt ")[2].split()
    code, out, err = sibt(*command, folder=tmp_path)
    assert (code, err) == (0, "")
    record = json.loads((tmp_path / "results/latest/manifest.json").read_text("utf-8"))
    assert record["strategy"]["file"] == "my_spread.py"
    assert record["parameters"]["lookback"] == 20


def test_a_new_strategy_trades_on_the_sample(tmp_path, no_page):
    sibt("new", "strategy", "my_spread", folder=tmp_path)
    assert sibt("run", "my_spread.py", folder=tmp_path)[0] == 0
    fills = (tmp_path / "results/latest/fills.csv").read_text("utf-8-sig").splitlines()
    assert len(fills) > 2


def test_a_new_strategy_tells_its_reader_what_to_change(tmp_path):
    sibt("new", "strategy", "my_spread", folder=tmp_path)
    text = (tmp_path / "my_spread.py").read_text("utf-8")
    assert "class MySpread(sibt.Strategy)" in text
    assert text.count("# ") >= 5
    assert "\r" not in text
    compile(text, "my_spread.py", "exec")


@pytest.mark.parametrize("name", ["spread", "spread.py", "_mine", "a1", "my_long_name_2"])
def test_a_name_may_be_written_with_or_without_its_ending(tmp_path, name):
    assert sibt("new", "strategy", name, folder=tmp_path)[0] == 0
    [path] = tmp_path.iterdir()
    assert path.name == f"{name.removesuffix('.py')}.py"
    load(path)


@pytest.mark.parametrize(
    "name", ["My", "my-spread", "1st", "a b", "../up", "sub/mine", "", ".py", "工业硅"]
)
def test_a_name_that_is_none_is_refused_and_nothing_written(tmp_path, name):
    desk = tmp_path / "desk"
    desk.mkdir()
    code, _, err = sibt("new", "strategy", name, folder=desk)
    assert code == 2
    assert "Traceback" not in err
    assert [path for path in tmp_path.rglob("*") if path != desk] == []


@pytest.mark.parametrize("words", [["strategy", "mine"],
                                   ["strategy", "mine", "--from", "calendar_reverse"]])
def test_a_file_that_is_there_is_never_overwritten(tmp_path, words):
    (tmp_path / "mine.py").write_text("# a year's work\n", encoding="utf-8")
    code, _, err = sibt("new", *words, folder=tmp_path)
    assert code == 2
    assert "mine.py is already here" in err
    assert "another name" in err
    assert (tmp_path / "mine.py").read_text("utf-8") == "# a year's work\n"


def test_a_second_copy_is_never_written_over_the_first(tmp_path):
    assert sibt("new", "--from", "calendar_reverse", folder=tmp_path)[0] == 0
    (tmp_path / "calendar_reverse.py").write_text("# mine\n", encoding="utf-8")
    code, _, err = sibt("new", "--from", "calendar_reverse", folder=tmp_path)
    assert code == 2
    assert "sibt new strategy NAME --from calendar_reverse" in " ".join(err.split())
    assert (tmp_path / "calendar_reverse.py").read_text("utf-8") == "# mine\n"


@pytest.mark.parametrize("name", shipped_names())
def test_a_copy_of_a_shipped_strategy_is_word_for_word(tmp_path, name):
    code, out, _ = sibt("new", "--from", name, folder=tmp_path)
    assert code == 0
    assert f"Wrote {name}.py" in out
    original = shipped("strategies") / f"{name}.py"
    assert (tmp_path / f"{name}.py").read_text("utf-8") == original.read_text("utf-8")


def test_a_copy_may_have_a_name_of_its_own(tmp_path, no_page):
    words = ("new", "strategy", "tighter", "--from", "calendar_reverse")
    assert sibt(*words, folder=tmp_path)[0] == 0
    assert sibt("run", "tighter.py", "--to", "2024-06-28", folder=tmp_path)[0] == 0
    record = json.loads((tmp_path / "results/latest/manifest.json").read_text("utf-8"))
    assert record["strategy"]["name"] == "tighter"


def test_ones_own_file_comes_before_a_shipped_one_of_its_name(tmp_path, no_page):
    sibt("new", "--from", "calendar_reverse", folder=tmp_path)
    path = tmp_path / "calendar_reverse.py"
    path.write_text(path.read_text("utf-8").replace("Param(10,", "Param(7,"), encoding="utf-8")
    words = ("run", "calendar_reverse.py", "--to", "2024-06-28")
    assert sibt(*words, folder=tmp_path)[0] == 0
    record = json.loads((tmp_path / "results/latest/manifest.json").read_text("utf-8"))
    assert record["parameters"]["units_held"] == 7
