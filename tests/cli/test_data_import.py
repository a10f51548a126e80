"""`sibt data import` says what it understood, then writes; bad files write nothing."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock, Timeout

from sibt.cli import main
from sibt.sources import files, shipped
from sibt.sources.exports import intake
from sibt.sources.store import Store

DAILY = (
    "日期,合约代码,开盘价,最高价,最低价,收盘价,结算价,成交量(手),持仓量(手)\n"
    "20241030,SI2412.GFE,12500,12650,12400,12550,12530,12345,150000\n"
    "20241031,SI2412.GFE,12550,12650,12400,12600,12570,23456,151234\n"
)


def sibt(*words: str, folder: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main(["data", "import", *map(str, words)])
        except SystemExit as left:
            code = left.code
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "daily.csv").write_bytes(DAILY.encode("gb18030"))
    return tmp_path


def five_minutes(closes: dict[str, float], parts: int = 45) -> str:
    """Return bars of SI2412, each day's last close as given."""
    clock = [f"{m // 60:02d}:{m % 60:02d}" for begin, end in ((540, 615), (630, 690), (810, 900))
             for m in range(begin, end, 5)]
    lines = ["datetime,open,high,low,close,volume,open_interest"]
    for day, last in closes.items():
        for at, time in enumerate(clock[:parts]):
            close = last if at == 44 else 12550
            high, low = max(12650, close), 12400
            lines.append(f"{day} {time}:00,12550,{high},{low},{close},10,{1000 + at}")
    return "\n".join(lines) + "\n"


def test_a_dry_run_says_what_was_understood_and_writes_nothing(desk):
    code, out, err = sibt("daily.csv", "--dry-run", folder=desk)
    assert (code, err) == (0, "")
    assert "daily.csv (GB18030, commas): daily bars" in out
    assert "收盘价 → close" in out
    assert "2 rows, 2024-10-30 to 2024-10-31, si2412" in out
    assert "bars: 2 rows added, 0 changed, 0 the same" in out
    assert out.endswith("Dry run: nothing was written.\n")
    assert not (desk / "data").exists()


def test_an_import_says_the_same_and_writes(desk):
    dry = sibt("daily.csv", "--dry-run", folder=desk)[1]
    code, out, _ = sibt("daily.csv", folder=desk)
    assert code == 0
    assert out == dry.replace("Dry run: nothing was written.", "Written to data/store.")
    table = Store(desk / "data/store").read("si", "bars")
    assert table["close"].tolist() == [12550, 12600]
    assert set(table["source"]) == {"import daily.csv"}


def test_the_same_file_again_is_nothing_new(desk):
    sibt("daily.csv", folder=desk)
    before = (desk / "data/store/si/bars.parquet").read_bytes()
    out = sibt("daily.csv", folder=desk)[1]
    assert "0 rows added, 0 changed, 2 the same" in out
    assert "Nothing new" in out
    assert (desk / "data/store/si/bars.parquet").read_bytes() == before


def test_a_changed_cell_is_named_before_it_is_written(desk):
    sibt("daily.csv", folder=desk)
    (desk / "new.csv").write_text(DAILY.replace("12570", "12575"), encoding="utf-8")
    out = sibt("new.csv", "--dry-run", folder=desk)[1]
    assert "0 rows added, 1 changed, 1 the same" in out
    assert "2024-10-31 si2412 settle 12,570 → 12,575" in out


def test_nothing_is_written_when_any_file_is_bad(desk):
    (desk / "bad.csv").write_text(DAILY.replace("12650", "12000"), encoding="utf-8")
    code, out, err = sibt("daily.csv", "bad.csv", folder=desk)
    assert (code, out) == (2, "")
    assert "bad.csv, line 2, column '最高价'" in err
    assert not (desk / "data").exists()


def test_files_may_overlap_but_not_contradict_each_other(desk):
    (desk / "again.csv").write_text(DAILY, encoding="utf-8")
    (desk / "other.csv").write_text(DAILY.replace(",12600,", ",12605,"), encoding="utf-8")
    assert "2 rows added" in sibt("daily.csv", "again.csv", "--dry-run", folder=desk)[1]
    code, _, err = sibt("daily.csv", "other.csv", folder=desk)
    assert code == 2
    assert "daily.csv, line 3 gives the close of 2024-10-31 si2412 as 12,600" in err
    assert "other.csv, line 3 as 12,605" in err


def test_a_part_of_a_row_that_contradicts_the_store_is_refused(desk):
    sibt("daily.csv", folder=desk)
    (desk / "si2412.csv").write_text("date,close\n20241031,12700\n", encoding="utf-8")
    code, _, err = sibt("si2412.csv", folder=desk)
    assert code == 2
    assert "the close 12700 is above the high 12650" in err
    assert Store(desk / "data/store").read("si", "bars")["close"].tolist() == [12550, 12600]


def test_five_minutes_fill_in_what_is_unknown_and_never_the_settlement(desk):
    (desk / "si2412.csv").write_text("date,close\n20241030,12550\n20241031,12600\n")
    (desk / "si2412_m5.csv").write_text(
        five_minutes({"2024-10-30": 12550, "2024-10-31": 12605, "2024-11-01": 12555}))
    sibt("si2412.csv", folder=desk)
    code, out, _ = sibt("si2412_m5.csv", folder=desk)
    assert code == 0
    assert "bars of 5 minutes, stamped at their start" in out
    assert "agrees with the daily one on 1 of 2 sessions; 1 session without a daily close" in out
    assert "2024-10-31 si2412: 12,605 added up, 12,600 in the daily bars; not filled in" in out
    table = Store(desk / "data/store").read("si", "bars")
    assert table["close"].tolist() == [12550, 12600, 12555]
    assert table["volume"].fillna(0).tolist() == [450, 0, 450]
    assert table["settle"].isna().all()
    assert table["source"][2] == "import si2412_m5.csv 5m"
    assert len(Store(desk / "data/store").read("si", "bars_5m")) == 135


def test_daily_and_finer_bars_of_one_import_are_set_side_by_side(desk):
    (desk / "si2412_m5.csv").write_text(five_minutes({"2024-10-30": 12550, "2024-10-31": 12600}))
    out = sibt("daily.csv", "si2412_m5.csv", folder=desk)[1]
    assert "agrees with the daily one on 2 of 2 sessions" in out
    table = Store(desk / "data/store").read("si", "bars")
    assert table["settle"].tolist() == [12530, 12570]
    assert table["volume"].tolist() == [12345, 23456]


def test_a_cut_session_is_named_and_not_added_up(desk):
    (desk / "si2412_m5.csv").write_text(five_minutes({"2024-10-31": 12600}, parts=40))
    out = sibt("si2412_m5.csv", folder=desk)[1]
    assert "2024-10-31 si2412: the file ends with the bar of 14:30" in out
    assert not len(Store(desk / "data/store").read("si", "bars"))


def test_stamps_at_the_end_of_bars_lead_to_the_same_rows(desk):
    text = five_minutes({"2024-10-31": 12600})
    (desk / "si2412_m5.csv").write_text(text)
    ends = pd.read_csv(io.StringIO(text), dtype=str)
    stamps = pd.to_datetime(ends["datetime"]) + pd.Timedelta(minutes=5)
    ends["datetime"] = stamps.dt.strftime("%Y/%m/%d")
    ends.insert(1, "time", stamps.dt.strftime("%H%M"))
    ends.to_csv(desk / "SI2412.txt", sep="\t", index=False)
    sibt("si2412_m5.csv", folder=desk)
    out = sibt("SI2412.txt", folder=desk)[1]
    assert "bars of 5 minutes, stamped at their end" in out
    assert "bars_5m: 0 rows added, 0 changed, 45 the same" in out


def test_a_series_is_read_back_by_the_market(desk):
    (desk / "series.csv").write_text(
        "name,date,published_on,value,unit\nstock,2024-10-25,2024-10-31,52.1,10000 t\n")
    assert sibt("daily.csv", "series.csv", "--product", "si", folder=desk)[0] == 0
    market = files.read(desk / "data/store/si")
    assert market.known("stock").tolist()[-1] == 52.1
    assert pd.isna(market.known("stock").iloc[0])


BAD = {
    "no file": ((), "Missing argument"),
    "not there": (("gone.csv",), "there is no such file"),
    "folder": (("empty",), "is a folder"),
    "kind": (("daily.csv", "--kind", "bar"), "Did you mean 'bars'"),
    "kind of another": (("daily.csv", "--kind", "spot"), "--kind spot does not fit"),
    "map without sign": (("daily.csv", "--map", "close"), "is no COLUMN=HEADER"),
    "map twice": (("daily.csv", "--map", "close=A", "--map", "close=B"), "names the column"),
    "map of no column": (("daily.csv", "--map", "clse=A"), "Did you mean 'close'"),
    "map of no header": (("daily.csv", "--map", "close=收盘"), "no file has a column '收盘'"),
    "product": (("daily.csv", "--product", "sii"), "Did you mean 'si'"),
    "other product": (("daily.csv", "--product", "lc"), "holds nothing of lc"),
    "volume": (("daily.csv", "--volume-in", "kg"), "none of lots, tonnes"),
    "tonnes said twice": (("daily.csv", "--volume-in", "tonnes"), "says that volumes are in '手'"),
    "stamped": (("thin_m5.csv",), "say --stamped start or --stamped end"),
    "stamped wrongly": (("si2412_m5.csv", "--stamped", "end"), "outside the hours of trading"),
    "store is a file": (("daily.csv", "--store", "daily.csv"), "cannot be written"),
    "sample": ((str(shipped("sample") / "bars.csv"),), "SIMULATED"),
    "flag": (("daily.csv", "--dryrun"), "--dry-run"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_with_one_sentence_and_nothing_written(case, desk):
    (desk / "empty").mkdir()
    (desk / "thin_m5.csv").write_text("datetime,code,close\n2024-10-31 09:05,si2412,12600\n")
    (desk / "si2412_m5.csv").write_text(five_minutes({"2024-10-31": 12600}))
    words, expected = BAD[case]
    code, _, err = sibt(*words, folder=desk)
    assert code == 2
    assert expected in err
    assert "Traceback" not in err
    assert not (desk / "data").exists()


def test_recorded_prices_go_in_and_five_minutes_agree_with_them(shared_market, tmp_path):
    assert sibt(shared_market / "si_contracts_d1.csv", folder=tmp_path)[0] == 0
    before = Store(tmp_path / "data/store").read("si", "bars")
    code, out, _ = sibt(shared_market / "si2411_m5_20241031_20241114.csv",
                        shared_market / "si2412_m5_20241031.csv",
                        shared_market / "si_warehouse_receipts_sample_2024H2.csv", folder=tmp_path)
    assert code == 0
    assert "agrees with the daily one on 12 of 12 sessions" in out
    assert "bars_5m: 235 rows added" in out
    assert "receipts: 36 rows added" in out
    after = Store(tmp_path / "data/store").read("si", "bars")
    pd.testing.assert_series_equal(before["settle"], after["settle"])
    market = files.read(tmp_path / "data/store/si", settle_from="close")
    assert len(market.contracts) == 48
    assert market.receipts.dropna().iloc[-1] == 50885


@pytest.mark.parametrize("known", ["date,open\n20241030,12700\n",
                                   "date,open,high,low\n20241030,12500,12540,12400\n",
                                   "date,open,high,low\n20241030,12600,12650,12560\n"])
def test_daily_prices_outside_the_range_of_the_minutes_are_left_alone(desk, known):
    (desk / "si2412.csv").write_text(known, encoding="utf-8")
    (desk / "si2412_m5.csv").write_text(five_minutes({"2024-10-30": 12550}), encoding="utf-8")
    assert sibt("si2412.csv", folder=desk)[0] == 0
    before = Store(desk / "data/store").read("si", "bars")
    code, out, _ = sibt("si2412_m5.csv", folder=desk)
    assert code == 0
    assert "2024-10-30 si2412: known daily prices contradict the bars; not filled in" in out
    pd.testing.assert_frame_equal(Store(desk / "data/store").read("si", "bars"), before)


def test_nobody_writes_between_what_an_import_reads_and_what_it_writes(desk, monkeypatch):
    sibt("daily.csv", folder=desk)
    (desk / "new.csv").write_text(DAILY.replace("12570", "12575"), encoding="utf-8")
    original, met = intake.plan, []

    def plan(exports, store):
        with pytest.raises(Timeout):
            FileLock(store.folder / ".lock").acquire(timeout=0)
        met.append(store)
        return original(exports, store)

    monkeypatch.setattr(intake, "plan", plan)
    assert sibt("new.csv", folder=desk)[0] == 0
    assert len(met) == 1


def test_a_continuous_series_among_files_is_named_and_left_out(desk):
    (desk / "SI888.csv").write_text("date,close\n2024-10-31,12600\n", encoding="utf-8")
    code, out, _ = sibt("SI888.csv", "daily.csv", folder=desk)
    assert code == 0
    assert "SI888.csv (UTF-8, commas): left out" in out
    assert "'SI888' is a continuous series" in out
    assert len(Store(desk / "data/store").read("si", "bars")) == 2
