"""A run read back is the run that was written, whatever language its headers are in."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_folders import data, manifest
from run_folders import run as write

from sibt.errors import DataError, SettingError
from sibt.language import EN, ZH
from sibt.runs.load import find, load
from sibt.runs.run import run
from sibt.runs.save import figures, save, tables
from sibt.runs.save import manifest as make_manifest
from sibt.sources import load_market


@pytest.fixture(scope="module")
def runs():
    return {name: run(name, load_market("sample")) for name in ("calendar_reverse",
                                                                "producer_hedge")}


@pytest.fixture(scope="module", params=["en", "zh"])
def saved(request, runs, tmp_path_factory):
    t = {"en": EN, "zh": ZH}[request.param]
    out = tmp_path_factory.mktemp(request.param)
    return {name: load(save(one, out, t=t)) for name, one in runs.items()}


# -- Tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["calendar_reverse", "producer_hedge"])
def test_every_table_comes_back_as_it_was(runs, saved, name):
    made = tables(runs[name])
    assert saved[name].tables == tuple(made)
    for table, frame in made.items():
        back = saved[name].table(table)
        texts = frame.select_dtypes(["object", "str"]).columns
        pd.testing.assert_frame_equal(
            back.astype(dict.fromkeys(texts, object)),
            frame.reset_index(drop=True).fillna(dict.fromkeys(texts, "")).astype(
                dict.fromkeys(texts, object)
            ),
            check_exact=True,
        )


def test_days_come_back_as_days_also_where_there_is_no_row(saved):
    one = saved["calendar_reverse"]
    assert len(one.table("unfilled")) == 0
    for table, column in (("unfilled", "session"), ("statement", "session"),
                          ("round_trips", "exit"), ("entry_days", "decision")):
        assert one.table(table)[column].dtype == "datetime64[ns]", table


def test_headers_are_chinese_where_chinese_was_asked(runs, tmp_path):
    folder = save(runs["producer_hedge"], tmp_path, t=ZH)
    header = (folder / "statement.csv").read_text("utf-8-sig").splitlines()[0]
    assert header == ("交易日,上日结存,平仓盈亏,持仓盯市盈亏,盯市盈亏,手续费,出入金,客户权益,"
                      "保证金占用,可用资金,风险度,追加保证金,组数,数据")
    header = (folder / "statement_by_trade.csv").read_text("utf-8-sig").splitlines()[0]
    assert header.startswith("交易日,上日结存,平仓盈亏,手续费,出入金,当日结存,浮动盈亏,客户权益")


def test_no_two_columns_of_a_table_are_called_the_same_in_chinese(runs, tmp_path):
    for one in runs.values():
        folder = save(one, tmp_path, t=ZH)
        for name in tables(one):
            header = (folder / f"{name}.csv").read_text("utf-8-sig").splitlines()[0].split(",")
            assert len(set(header)) == len(header), name


def test_every_column_has_a_chinese_name(runs, tmp_path):
    for one in runs.values():
        folder = save(one, tmp_path, t=ZH)
        legs = set(one.result.job.legs)
        for name, table in tables(one).items():
            header = (folder / f"{name}.csv").read_text("utf-8-sig").splitlines()[0].split(",")
            left = {word for word in header if word.isascii()} - legs
            assert not left, (name, left, list(table))


def test_columns_moved_in_a_spreadsheet_are_still_known(runs, tmp_path):
    folder = save(runs["calendar_reverse"], tmp_path, t=ZH)
    path = folder / "fills.csv"
    frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str)
    frame[frame.columns[::-1]].to_csv(path, index=False, encoding="utf-8-sig")
    back = load(folder).table("fills")
    assert list(back) == list(tables(runs["calendar_reverse"])["fills"])
    assert back["fee"].sum() == runs["calendar_reverse"].result.metrics["fees"]


def test_a_table_that_was_cut_says_so(runs, tmp_path):
    folder = save(runs["calendar_reverse"], tmp_path)
    (folder / "fills.csv").write_text("session,leg\n2024-05-15,si2411\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"fills\.csv cannot be read: it has 2 columns, not 10"):
        load(folder).table("fills")


@pytest.mark.parametrize("cell", ["not a day", "2024-99-01"])
def test_a_table_with_a_cell_that_cannot_be_says_so(runs, tmp_path, cell):
    folder = save(runs["calendar_reverse"], tmp_path)
    text = (folder / "entry_days.csv").read_text("utf-8-sig").splitlines()
    text[1] = cell + text[1][10:]
    (folder / "entry_days.csv").write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(DataError, match=r"entry_days\.csv cannot be read: .*; run it again"):
        load(folder).table("entry_days")


def test_a_table_that_is_not_there_is_named_with_its_neighbour(saved):
    with pytest.raises(DataError, match=r"no table 'statment'.* Did you mean 'statement'"):
        saved["calendar_reverse"].table("statment")


def test_tables_of_before_the_manifest_knew_them_have_their_days(runs, tmp_path):
    folder = save(runs["calendar_reverse"], tmp_path)
    record = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name in ("kind", "tables", "figures", "sketch", "language", "warnings_zh"):
        del record[name]
    (folder / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
    one = load(folder)
    assert one.kind == "run"
    assert set(one.tables) == set(tables(runs["calendar_reverse"]))
    assert one.table("round_trips")["exit"].tolist() == [pd.Timestamp("2024-10-31")]
    assert one.warnings(ZH) == one.warnings(EN) != []


# -- What else a folder holds -----------------------------------------------------------------


def test_figures_come_back_as_they_were(runs, saved):
    for name, one in runs.items():
        assert saved[name].metrics == json.loads(json.dumps(figures(one)))


def test_warnings_are_said_in_both_languages(runs, saved):
    made = runs["calendar_reverse"]
    sentences = [*made.result.warnings, *made.notes]
    assert saved["calendar_reverse"].warnings(EN) == sentences
    assert saved["calendar_reverse"].warnings(ZH) == [ZH(sentence) for sentence in sentences]


def test_a_saved_run_says_whether_it_is_simulated(saved, tmp_path):
    assert saved["calendar_reverse"].simulated
    assert not load(write(tmp_path, data=data(simulated=False))).simulated


def test_the_sketch_begins_at_nothing_and_ends_at_the_net(runs, saved):
    for name, one in runs.items():
        sketch = saved[name].manifest["sketch"]
        net = one.result.metrics["net"] if one.hedge is None else one.hedge.metrics["hedged"]
        assert sketch[0] == 0
        assert sketch[-1] == round(net)
        assert len(sketch) <= 60
        assert all(isinstance(value, int) for value in sketch)


def test_the_sketch_holds_the_highest_and_the_lowest_point():
    off = 0
    for end in ("2024-08-30", "2024-09-20", "2024-10-11", "2024-10-31"):
        one = run("calendar_reverse", load_market("sample"), end=end)
        earned = one.result.statement["equity"].loc["2024-05-14":] - 1e6
        sketch = make_manifest(one, 0.0, "", {})["sketch"]
        assert max(sketch) == round(earned.max())
        assert min(sketch) == round(earned.min())
        even = np.linspace(0, len(earned) - 1, 58).round()
        off += earned.argmax() not in even or earned.argmin() not in even
    assert off  # they are not there by chance


def test_key_figures_are_those_of_the_run(runs, saved):
    one = runs["calendar_reverse"]
    found = saved["calendar_reverse"].manifest["figures"]
    assert found.pop("per_unit") == round(one.result.metrics["net"] / 10, 2)
    assert found == {name: one.result.metrics[name] for name in found}
    hedged = saved["producer_hedge"].manifest["figures"]
    assert hedged["hedged"] == runs["producer_hedge"].hedge.metrics["hedged"]
    assert "hedged" not in found


def test_the_report_of_the_idea_is_kept(saved):
    report = saved["calendar_reverse"].manifest["report"]
    assert list(report) == ["title", "publisher", "date", "place", "quote"]
    assert "反套" in report["quote"]


# -- Folders that are none --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "broken at line 1"),
        ('{"made": ', "broken at line 1"),
        ('{\n"made": 1,\n', "broken at line 3"),
        (b"\xff\xfe\x00", "broken at line 1"),
        ("[" * 100_000, "broken at line 1"),
        ("[]", "was not written by sibt"),
        ("{}", "was not written by sibt"),
        ('{"name": "my-app", "version": 3}', "was not written by sibt"),
        (json.dumps(manifest(kind="recipe")), "was not written by sibt"),
        (json.dumps(manifest(made=3)), "was not written by sibt"),
        (json.dumps(manifest(strategy="idea")), "was not written by sibt"),
        (json.dumps(manifest(strategy={"name": None})), "was not written by sibt"),
        (json.dumps(manifest(data=None)), "was not written by sibt"),
        (json.dumps(manifest(data={"source": "sample"})), "was not written by sibt"),
    ],
)
def test_a_broken_or_foreign_manifest_is_named(tmp_path, text, what):
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(DataError) as refused:
        load(tmp_path)
    assert what in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    assert ZH(refused.value.args[0]) != str(refused.value)


def test_a_folder_without_a_manifest_is_named(tmp_path):
    with pytest.raises(DataError, match=r"holds no manifest\.json"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"holds no manifest\.json"):
        load(tmp_path / "nowhere")


def test_a_pipe_called_manifest_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "manifest.json")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"waits for {path}"))
    with pytest.raises(DataError, match=r"holds no manifest\.json"):
        load(tmp_path)


def test_figures_that_are_gone_are_missed_by_name(tmp_path):
    with pytest.raises(DataError, match=r"holds no metrics\.json"):
        _ = load(write(tmp_path)).metrics


# -- Finding one ------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path):
    out = tmp_path / "results"
    for name in ("20260105-093000-idea", "20260105-094500-idea", "20260105-094500-idea-2",
                 "20260106-100000-other_idea", "20260107-080000-idea-sweep", "renamed"):
        write(out, name)
    (out / "latest").symlink_to("20260106-100000-other_idea")
    return out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("latest", "20260106-100000-other_idea"),
        ("20260105-093000-idea", "20260105-093000-idea"),
        ("20260105-093", "20260105-093000-idea"),
        ("20260106", "20260106-100000-other_idea"),
        ("20260105-094500-idea", "20260105-094500-idea"),
        ("20260105-094500-idea-", "20260105-094500-idea-2"),
        ("idea", "20260105-094500-idea-2"),
        ("idea-sweep", "20260107-080000-idea-sweep"),
        ("other_idea", "20260106-100000-other_idea"),
        ("ren", "renamed"),
    ],
)
def test_a_run_is_found_by(results, words, name):
    assert find(results, words) == results / name


def test_a_run_is_found_by_its_path(results, monkeypatch):
    path = results / "20260105-093000-idea"
    assert find(results, str(path)) == path
    monkeypatch.chdir(results.parent)
    assert find(results, "results/20260105-093000-idea/").resolve() == path


def test_latest_may_be_a_file_with_the_name(results):
    (results / "latest").unlink()
    (results / "latest").write_text("20260105-093000-idea\n", encoding="utf-8")
    assert find(results, "latest").name == "20260105-093000-idea"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("2026", "may be 20260107-080000-idea-sweep, 20260106-100000-other_idea,"),
        ("2026", "and 2 more; write more of the name"),
        ("20260105-0945", "may be 20260105-094500-idea-2, 20260105-094500-idea; write more"),
        ("20260105-093000-ides", "Did you mean '20260105-093000-idea'?"),
        ("other_ide", "Did you mean 'other_idea'?"),
        ("lates", "Did you mean 'latest'?"),
        ("idea*", "There is no run 'idea*'"),
        ("(", "There is no run '('"),
        ("", "There is no run ''"),
        ("\0", "There is no run"),
        ("x" * 5000, "There is no run"),
    ],
)  # fmt: skip
def test_what_is_not_found_is_told(results, words, told):
    with pytest.raises(SettingError) as refused:
        find(results, words)
    assert told in str(refused.value)


def test_a_folder_that_is_no_run_is_told(results, tmp_path):
    for words in (".", "..", str(tmp_path)):
        with pytest.raises(SettingError, match=r"holds no manifest\.json, so it is no run of sibt"):
            find(results, words)


def test_a_lost_latest_says_how_it_is_mended(results):
    (results / "latest").unlink()
    with pytest.raises(SettingError, match="has no latest run"):
        find(results, "latest")
    (results / "latest").symlink_to("20250101-000000-gone")
    with pytest.raises(SettingError, match=r"leads to 20250101-000000-gone, which is gone.* gc"):
        find(results, "latest")
    (results / "latest").unlink()
    (results / "latest").symlink_to("latest")
    with pytest.raises(SettingError, match="latest"):
        find(results, "latest")


def test_a_folder_without_runs_says_how_to_make_one(tmp_path):
    for out in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SettingError, match="holds no runs; make one with sibt run"):
            find(out, "idea")


def test_sweeps_say_what_they_are(tmp_path):
    path = write(tmp_path, kind="sweep", metric="net", sets={"booked": 3})
    (path / "evidence.json").write_text('{"verdict": "too few"}', encoding="utf-8")
    (path / "top.csv").write_text("set,net\n3,1.5\n", encoding="utf-8-sig")
    one = load(path)
    assert (one.kind, one.tables, one.metrics) == ("sweep", ("top",), {"verdict": "too few"})
    assert np.isclose(one.table("top")["net"].iloc[0], 1.5)
