import json
import os
import stat
from pathlib import Path

import pandas as pd
import pytest

from sibt.runs.run import run
from sibt.runs.save import TABLES, figures, manifest, save, tables
from sibt.sources import load_market
from sibt.strategy.strategy import Strategy


class Holds(Strategy):
    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        return pd.Series(1.0, index=market.sessions)


@pytest.fixture(scope="module")
def done():
    return run("calendar_reverse", load_market("sample"))


@pytest.fixture(scope="module")
def hedged():
    return run("producer_hedge", load_market("sample"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "trials.jsonl" not in path.name)


def fail(run, path):
    path.write_text("half", encoding="utf-8")
    raise RuntimeError("the pen broke")


def stop(run, path):
    raise KeyboardInterrupt


def test_every_table_is_written(done, tmp_path):
    folder = save(done, tmp_path / "results")
    for name in TABLES:
        assert (folder / f"{name}.csv").is_file()
    assert {f"{name}.csv" for name in tables(done)} <= set(names(folder))


@pytest.mark.parametrize("name", TABLES)
def test_what_is_written_reads_back_as_it_was(done, tmp_path, name):
    folder = save(done, tmp_path)
    table = tables(done)[name]
    back = pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")
    assert list(back.columns) == list(table.columns)
    assert len(back) == len(table)
    for column in table.select_dtypes("number"):
        pd.testing.assert_series_equal(
            back[column].astype(float), table[column].reset_index(drop=True).astype(float)
        )
    for column in table.select_dtypes("datetime"):
        assert pd.to_datetime(back[column]).tolist() == table[column].tolist()


def test_no_money_is_written_with_a_tail_of_digits(done, hedged, tmp_path):
    for one in (done, hedged):
        folder = save(one, tmp_path)
        for name in ("statement", "fills", "positions", "by_leg"):
            for line in (folder / f"{name}.csv").read_text("utf-8-sig").splitlines()[1:]:
                assert max(len(cell.partition(".")[2]) for cell in line.split(",")) <= 6


def test_the_run_is_called_after_its_day_and_strategy(done, tmp_path):
    folder = save(done, tmp_path)
    assert folder.parent == tmp_path
    day, clock, name = folder.name.split("-")
    assert len(day) == 8
    assert len(clock) == 6
    assert name == "calendar_reverse"


def test_runs_of_the_same_second_do_not_meet(done, tmp_path):
    folders = {save(done, tmp_path) for _ in range(5)}
    assert len(folders) == 5
    assert names(tmp_path)[-1] == "latest"


def test_latest_leads_to_the_last_run(done, hedged, tmp_path):
    save(done, tmp_path)
    last = save(hedged, tmp_path)
    assert (tmp_path / "latest").resolve() == last.resolve()
    # A link that still leads there when the folder of all runs is moved.
    assert not os.path.isabs(os.readlink(tmp_path / "latest"))


def test_where_links_fail_latest_is_a_file_with_the_name(done, tmp_path, monkeypatch):
    def refuse(self, target, target_is_directory=False):
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for _ in range(2):
        folder = save(done, tmp_path)
        assert (tmp_path / "latest").read_text("utf-8").strip() == folder.name
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize(("page", "error"), [(fail, RuntimeError), (stop, KeyboardInterrupt)])
def test_a_run_that_dies_while_writing_leaves_nothing(done, tmp_path, page, error):
    with pytest.raises(error):
        save(done, tmp_path, pages={"page.html": page})
    assert names(tmp_path) == []


@pytest.mark.parametrize(("page", "error"), [(fail, RuntimeError), (stop, KeyboardInterrupt)])
def test_a_run_that_dies_leaves_the_earlier_one_the_latest(done, tmp_path, page, error):
    first = save(done, tmp_path)
    before = names(tmp_path)
    with pytest.raises(error):
        save(done, tmp_path, pages={"page.html": page})
    assert names(tmp_path) == before
    assert (tmp_path / "latest").resolve() == first.resolve()


def test_others_may_read_the_folder(done, tmp_path):
    folder = save(done, tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_pages_are_given_the_run_and_their_path(done, tmp_path):
    seen = []

    def page(one, path):
        seen.append(one)
        path.write_text("drawn", encoding="utf-8")

    folder = save(done, tmp_path, pages={"a.html": page, "b.html": page})
    assert seen == [done, done]
    assert (folder / "b.html").read_text("utf-8") == "drawn"


def test_the_same_run_is_written_byte_for_byte(done, tmp_path):
    one, two = save(done, tmp_path), save(run("calendar_reverse", load_market("sample")), tmp_path)
    assert names(one) == names(two)
    for name in names(one):
        if name != "manifest.json":
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_figures_stand_in_the_file_as_they_are_told(done, tmp_path):
    folder = save(done, tmp_path)
    written = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(figures(done)))
    assert written["futures"]["net"] == done.result.metrics["net"]
    assert written["excess_over_control_per_tonne"] == round(done.excess, 4)


def test_the_entry_days_rank_is_of_the_day_chosen(done, tmp_path):
    days = done.result.entry_days
    entry = figures(done)["entry_day"]
    assert entry["of"] == len(days)
    assert entry["best"] == days["net"].max()
    chosen = days.loc[days["chosen"], "net"].iloc[0]
    assert entry["rank"] == 1 + int((days["net"] > chosen).sum())
    assert chosen == done.result.metrics["net"]


def test_the_figures_of_a_hedge_begin_with_the_hedge(hedged):
    assert list(figures(hedged))[:3] == ["data", "hedge", "futures"]


def test_the_manifest_is_enough_to_make_the_run_again(done):
    record = manifest_of(done)
    again = run(
        record["strategy"]["name"],
        load_market(record["data"]["source"]),
        {k: "none" if v is None else v for k, v in record["parameters"].items()},
        capital=record["settings"]["account"]["capital"],
        kind=record["settings"]["account"]["kind"],
        terms=record["settings"]["terms"],
    )
    assert again.result.metrics == done.result.metrics


def manifest_of(one) -> dict:
    import inspect

    given = {"reconciled": 0.0, "command": "", "seconds": {}}
    wanted = inspect.signature(manifest).parameters
    record = manifest(one, **{k: v for k, v in given.items() if k in wanted})
    return json.loads(json.dumps(record))


def test_the_manifest_is_plain_json(done, hedged):
    for one in (done, hedged):
        text = json.dumps(manifest_of(one))
        assert "NaN" not in text


def test_the_manifest_seals_data_and_strategy(done):
    record = manifest_of(done)
    assert record["data"]["sha256"] == done.market.digest
    assert len(record["strategy"]["sha256"]) == 64


def test_the_manifest_holds_findings_a_program_can_read(done):
    found = manifest_of(done)["data"]["findings"]
    assert [set(one) for one in found] == [
        {"severity", "check", "subject", "first", "last", "count", "what", "cure"}
    ] * len(done.findings)
    (step,) = [one for one in found if one["check"] == "two goods"]
    assert (step["severity"], step["subject"]) == ("evidence", "si2411|si2412")
    assert pd.Timestamp(step["first"]) < pd.Timestamp(step["last"])
    assert step["count"] > 100


def test_the_manifest_keeps_the_window_of_the_run():
    one = run(Holds(), load_market("sample"), start="2024-05-15", end="2024-06-28")
    record = manifest_of(one)
    text = json.dumps(record)
    assert "2024-05-15" in text
    assert record["data"]["last"] == "2024-06-28"


def test_the_manifest_keeps_terms_given_by_session():
    market = load_market("sample")
    fee = pd.Series([0.0001, 0.0002], index=pd.DatetimeIndex(["2024-05-15", "2024-06-03"]))
    record = manifest_of(run(Holds(), market, terms={"fee": fee}))
    assert record["settings"]["terms"]["fee"] == {"2024-05-15": 0.0001, "2024-06-03": 0.0002}


def test_a_strategy_that_is_no_file_is_written_without_one(tmp_path):
    folder = save(run(Holds(), load_market("sample")), tmp_path)
    assert "strategy.py" not in names(folder)
    assert folder.name.endswith("-Holds")


def test_excel_holds_the_same_numbers(hedged, tmp_path):
    folder = save(hedged, tmp_path, excel=True)
    for name, table in tables(hedged).items():
        sheet = pd.read_excel(folder / "run.xlsx", sheet_name=name)
        assert len(sheet) == len(table)
    fills = pd.read_excel(folder / "run.xlsx", sheet_name="fills")
    assert fills["fee"].sum() == pytest.approx(hedged.result.metrics["fees"])
