import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError, SettingError
from sibt.market.findings import findings
from sibt.market.panel import Market
from sibt.sources import load_market, shipped
from sibt.sources.files import read

HEADER = "date,contract,open,high,low,close,settle,volume,open_interest\n"
ROWS = (
    "2024-10-08,si2411,10000,10100,9900,10050,10005,1000,2000\n"
    "2024-10-08,si2412,12500,12600,12400,12550,12505,3000,4000\n"
    "2024-10-09,si2411,10000,10100,9900,10050,10005,1000,2000\n"
)
BARS = HEADER + ROWS
CHINESE = "日期,合约,开盘价,最高价,最低价,收盘价,结算价,成交量,持仓量\n" + ROWS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bars.csv").write_text(BARS, encoding="utf-8")
    return tmp_path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


BAD = {
    "text in a number": (
        BARS.replace("12550", "n.a.?"),
        "bars.csv, line 3, column 'close': 'n.a.?' is no number",
        "write digits only",
    ),
    "bad cell after blank lines": (
        BARS.replace("2024-10-09", "\n\n2024-10-12"),
        "bars.csv, line 6, column 'date': Saturday",
        "correct the date",
    ),
    "high below low": (
        BARS.replace("12600", "12300"),
        "bars.csv, line 3, column 'high': the high 12300 is below the low 12400 for si2412",
        "correct the row",
    ),
    "chinese header named as written": (
        CHINESE.replace("12600", "12300"),
        "bars.csv, line 3, column '最高价'",
        "correct the row",
    ),
    "twice": (
        BARS + ROWS.splitlines()[1] + "\n",
        "bars.csv, line 5, column 'date': a second bar of si2412 on 2024-10-08, given already in",
        "line 3; keep one",
    ),
    "ragged, short": (
        BARS + "2024-10-09,si2412,12500\n",
        "bars.csv, line 5: there are 3 cells where the header has 9",
        "fill in or take out commas",
    ),
    "ragged, long": (
        BARS.replace("12550", "12,550"),
        "bars.csv, line 3: there are 10 cells where the header has 9",
        "take out commas",
    ),
    "open quotation": (
        BARS + '2024-10-09,"si2412,12500\n',
        "bars.csv, line 5: the line cannot be split into cells",
        "mend its quotation marks",
    ),
    "semicolons": (BARS.replace(",", ";"), "bars.csv, line 1", "(';'); expected commas"),
    "tabs": (BARS.replace(",", "\t"), "bars.csv, line 1", "('tab'); expected commas"),
    "full-width commas": (BARS.replace(",", "，"), "bars.csv, line 1", "('，'); expected commas"),
    "empty": ("", "bars.csv: the file is empty", "expected a header"),
    "blank lines only": ("\n\n  \n", "bars.csv: the file is empty", "expected a header"),
    "header only": (HEADER, "bars.csv: there are no rows", "give some"),
    "no header": (ROWS, "bars.csv: there is no column 'date'", "name the columns in the first"),
    "misspelt": (
        BARS.replace("settle", "settel"),
        "bars.csv: column 'settel' is not known. Did you mean 'settle'?",
        "Rename the column",
    ),
    "same header twice": (
        BARS.replace("settle", "close"),
        "bars.csv: columns 'close' and 'close' both hold the close",
        "keep one",
    ),
    "no rows but blanks": (HEADER + ",,,,,,,,\n", "bars.csv: there are no rows", "give some"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_with_file_line_and_cure(tmp_path, case):
    text, place, cure = case
    (tmp_path / "bars.csv").write_text(text, encoding="utf-8")
    message = refusal(tmp_path / "bars.csv")
    assert place in message
    assert cure in message


BAD_BYTES = {
    "utf-16": (BARS.encode("utf-16"), "in UTF-16; save as UTF-8"),
    "workbook named csv": (b"PK\x03\x04 and more", "binary file; save the sheet as CSV"),
    "nul": (BARS.encode() + b"\0", "binary file"),
    "latin-1": (
        BARS.replace("date", "día").encode("latin-1") + b"\xff",
        "line 1: the file is neither UTF-8 nor GB18030 with known columns; save as UTF-8",
    ),
    "gbk without known columns": ("甲,乙\n1,2\n".encode("gb18030"), "save as UTF-8"),
}


@pytest.mark.parametrize("case", BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_a_wrong_encoding_is_named_with_its_cure(tmp_path, case):
    raw, cure = case
    (tmp_path / "prices.csv").write_bytes(raw)
    message = refusal(tmp_path / "prices.csv")
    assert "prices.csv" in message
    assert cure in message


def test_a_missing_path_hints_at_its_neighbour(folder):
    assert "Did you mean 'bars.csv'?" in refusal(folder / "bar.csv")
    assert "folder" in refusal(folder / "nowhere" / "bars.csv")


def test_an_unknown_type_is_refused(folder):
    (folder / "bars.xlsx").write_bytes(b"PK")
    (folder / "bars.txt").write_text(BARS)
    assert "bars.xlsx: a workbook cannot be read; save the sheet as CSV" in refusal(
        folder / "bars.xlsx"
    )
    assert "bars.txt: files of type '.txt' are not known" in refusal(folder / "bars.txt")


def test_a_folder_without_bars_is_refused(tmp_path):
    (tmp_path / "spot.csv").write_text("date,grade,price\n")
    (tmp_path / ".hidden.csv").write_text(BARS)
    assert "holds no bars; expected bars.csv" in refusal(tmp_path)
    (tmp_path / "export.xlsx").write_bytes(b"PK")
    assert "Save export.xlsx as CSV" in refusal(tmp_path)


def test_a_broken_parquet_file_is_refused(tmp_path):
    (tmp_path / "bars.parquet").write_bytes(b"PAR1 nonsense")
    assert "bars.parquet: this is no valid Parquet file; write it again" in refusal(tmp_path)


def test_bars_in_two_files_of_the_same_name_are_refused(folder):
    pd.DataFrame({"date": ["2024-10-08"]}).to_parquet(folder / "bars.parquet")
    assert "bars.csv and bars.parquet both hold bars; keep one" in refusal(folder)


def test_a_bad_row_of_parquet_is_named_by_its_row(tmp_path, folder):
    table = pd.read_csv(folder / "bars.csv")
    table.loc[1, "high"] = 12_300
    table.to_parquet(tmp_path / "prices.parquet")
    assert "prices.parquet, row 1, column 'high'" in refusal(tmp_path / "prices.parquet")


def test_a_bad_file_beside_the_bars_is_named(folder):
    (folder / "spot.csv").write_text("date,grade,price\n2024-10-08,553,0\n")
    assert f"{folder / 'spot.csv'}, line 2, column 'price'" in refusal(folder)


def test_a_file_and_its_folder_are_the_same_market(folder):
    (folder / "spot.csv").write_text("date,grade,price\n2024-10-08,553,11700\n")
    (folder / "receipts.csv").write_text("date,lots\n2024-10-08,60000\n")
    (folder / "series.csv").write_text(
        "name,date,published_on,value,unit\ncost,2024-10-07,2024-10-08,11000,yuan/t\n"
    )
    (folder / "dominant.csv").write_text("date,contract\n2024-10-08,SI2412\n")
    one, other = read(folder), read(folder / "bars.csv")
    assert one.digest == other.digest
    assert one.spot["553"].iloc[0] == 11_700
    assert one.receipts.iloc[0] == 60_000
    assert one.known("cost").tolist() == [11_000, 11_000]
    assert one.dominant_map is not None
    assert one.dominant_map.iloc[0] == "si2412"
    assert one.provenance.source == str(folder)
    assert not one.provenance.simulated


def test_only_exact_names_beside_a_file_are_read(folder):
    (folder / "my_spot.csv").write_text("nonsense")
    assert read(folder / "bars.csv").spot.shape == (2, 0)


def test_a_folder_of_files_is_one_market(folder):
    split = folder / "split"
    split.mkdir()
    lines = ROWS.splitlines(keepends=True)
    (split / "si2411.csv").write_text(HEADER + lines[0] + lines[2])
    chinese = "日期,合约,开盘价,最高价,最低价,收盘价,结算价,成交量,持仓量\n" + lines[1]
    (split / "si2412.csv").write_text(chinese, encoding="gb18030")
    (split / "README.md").write_text("words")
    (split / ".si2412.csv").write_text("nonsense")
    market = read(split)
    assert market.digest == read(folder).digest
    assert market.provenance.notes == ("si2412.csv is not UTF-8, read as GB18030",)


def test_the_same_bar_in_two_files_names_both(tmp_path):
    (tmp_path / "a.csv").write_text(BARS)
    (tmp_path / "b.csv").write_text(HEADER + ROWS.splitlines()[1])
    message = refusal(tmp_path)
    assert f"{tmp_path / 'b.csv'}, line 2" in message
    assert f"{tmp_path / 'a.csv'}, line 3; keep one" in message


def test_csv_and_parquet_hold_the_same_market(folder, tmp_path):
    table = pd.read_csv(folder / "bars.csv", parse_dates=["date"])
    table.set_index("date").to_parquet(tmp_path / "prices.parquet")
    assert read(tmp_path / "prices.parquet").digest == read(folder / "bars.csv").digest


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_chinese_terminals_export_is_read(folder, tmp_path, encoding):
    (tmp_path / "export.CSV").write_text(CHINESE.replace("\n", "\r\n"), encoding=encoding)
    assert read(tmp_path / "export.CSV").digest == read(folder / "bars.csv").digest


def test_a_numbering_without_header_is_ignored(folder, tmp_path):
    pd.read_csv(folder / "bars.csv").to_csv(tmp_path / "numbered.csv")
    market = read(tmp_path / "numbered.csv")
    assert market.digest == read(folder / "bars.csv").digest
    assert market.provenance.notes == ("ignored columns: (without a header)",)


def test_a_folder_marked_simulated_is_simulated(folder):
    (folder / "SIMULATED").write_text("")
    assert read(folder).provenance.simulated
    assert read(folder / "bars.csv").provenance.simulated


def test_settle_from_is_passed_on(tmp_path):
    (tmp_path / "bars.csv").write_text(BARS.replace("12505", ""))
    assert np.isnan(load_market(tmp_path).settle[0, 1])
    assert load_market(tmp_path, settle_from="close").settle[0, 1] == 12_550
    with pytest.raises(SettingError, match="'close'"):
        load_market(tmp_path, settle_from="open")


def test_the_sample_is_simulated_by_whatever_name():
    sample = load_market()
    assert isinstance(sample, Market)
    assert sample.provenance.source == "sample"
    assert sample.provenance.simulated
    assert read(shipped("sample")).provenance.simulated
    assert read(shipped("sample") / "bars.csv").provenance.simulated
    assert sample.digest == read(shipped("sample")).digest


def test_shipped_folders_are_there():
    assert shipped("sample").is_dir()
    assert shipped("strategies").is_dir()


def test_sources_import_nothing_heavy():
    code = (
        "import sys, sibt.sources;"
        "print([m for m in ('vectorbt', 'quantstats', 'numba', 'pyarrow.parquet', 'dask')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "contracts", "bars"),
    [
        ("si_contracts_d1.csv", 48, 8_841),
        ("lc_contracts_close_d1.csv", 43, 8_460),
        ("ps_contracts_close_d1.csv", 26, 3_989),
    ],
)
def test_recorded_prices_load_without_error(shared_market, name, contracts, bars):
    market = read(shared_market / name)
    assert len(market.contracts) == contracts
    assert (~np.isnan(market.close)).sum() == bars
    assert not market.provenance.simulated


def test_known_prices_of_record(shared_market):
    market = read(shared_market / "si_contracts_d1.csv")
    close = market.frame("close")
    assert close["si2308"].iloc[0] == 18_310
    gap = close["si2412"] - close["si2411"]
    assert gap["2024-04-17"] == gap.min() == 2_175
    assert gap["2024-10-23"] == gap.max() == 3_285
    assert gap["2024-11-14"] == 2_380
    outside = [f for f in findings(market) if f.check == "settle outside"]
    assert [(f.subject, f.severity, f.count) for f in outside] == [("si2411", "doubtful", 1)]


def test_a_recorded_continuous_series_is_refused(shared_market):
    message = refusal(shared_market / "SI0_sina_continuous_d1.csv")
    assert "line 2, column 'contract': 'si0' is a continuous series" in message
    assert "(887 more rows like it)" in message
