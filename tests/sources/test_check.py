"""Every row that cannot be right is found, not only the first, and the rest is checked on."""

from pathlib import Path

import pandas as pd
import pytest

from sibt.errors import DataError, RowsError
from sibt.market.contract import contract
from sibt.market.findings.finding import Finding
from sibt.sources import shipped
from sibt.sources.check import check, places
from sibt.sources.files import open_parts, read
from sibt.sources.store import Store

HEADER = "date,contract,open,high,low,close,settle,volume,open_interest"


@pytest.fixture(scope="module")
def sample() -> list[str]:
    """Bars of a year of the sample, line by line; the header is line 0."""
    lines = (shipped("sample") / "bars.csv").read_text("utf-8").splitlines()
    return [line for number, line in enumerate(lines)
            if number == 0 or "2024-03-15" <= line[:10] <= "2024-12-31"]


def line_of(lines: list[str], day: str, code: str) -> int:
    return next(n for n, line in enumerate(lines) if line.startswith(f"{day},{code},"))


def planted(lines: list[str], **cells: str) -> list[str]:
    """The bars with cells of si2412 on 2024-07-10 written over."""
    at = line_of(lines, "2024-07-10", "si2412")
    row = dict(zip(HEADER.split(","), lines[at].split(","), strict=True)) | cells
    return [*lines[:at], ",".join(row.values()), *lines[at + 1:]]


def checked(folder: Path, lines: list[str], **beside: str) -> list[Finding]:
    (folder / "bars.csv").write_text("\n".join(lines) + "\n", "utf-8")
    for name, text in beside.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return list(check(folder).findings)


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "wrong"]


CELLS = {
    "off the tick": ({"settle": "12003"}, "off tick", "si2412"),
    "before the contract's life": ({"contract": "si2508"}, "beyond life", "si2508"),
    "after the contract's life": ({"contract": "si2406"}, "beyond life", "si2406"),
    "a Saturday": ({"date": "2024-07-13"}, "no session", "si2412"),
    "a year nobody knows": ({"date": "2099-07-13"}, "no session", "si2412"),
    "a continuous series": ({"contract": "si888"}, "continuous", "si888"),
    "no contract": ({"contract": "si2413"}, "unknown contract", "si2413"),
    "a price of nought": ({"close": "0"}, "not a price", "si2412"),
    "a negative volume": ({"volume": "-3"}, "lots", "si2412"),
    "a negative open interest": ({"open_interest": "-3"}, "lots", "si2412"),
    "half a lot": ({"volume": "1.5"}, "lots", "si2412"),
    "a high below the low": ({"high": "100"}, "contradiction", "si2412"),
    "a close above the high": ({"close": "99995"}, "contradiction", "si2412"),
    "text for a number": ({"close": "12x"}, "unreadable", "si2412"),
    "no date": ({"date": "10/07/2024"}, "unreadable", "si2412"),
    "a blank contract": ({"contract": ""}, "unreadable", "bars"),
}


@pytest.mark.parametrize("plant", CELLS)
def test_a_row_that_cannot_be_right_is_found_by_its_check_alone(tmp_path, sample, plant):
    cells, name, subject = CELLS[plant]
    told = checked(tmp_path, planted(sample, **cells))
    (row,) = wrong(told)
    assert (row.check, row.subject, row.count) == (name, subject, 1)
    at = line_of(sample, "2024-07-10", "si2412") + 1
    assert row.what.startswith(f"{tmp_path / 'bars.csv'}, line {at}, column '")
    assert row.cure
    # The row is out, but it is no gap where contract and day can be told.
    gaps = {finding.check for finding in told if finding.severity == "doubtful"}
    assert gaps <= ({"gap"} if {"date", "contract"} & set(cells) else set())


def test_a_bar_given_twice_is_found(tmp_path, sample):
    at = line_of(sample, "2024-07-10", "si2412")
    (row,) = wrong(checked(tmp_path, [*sample, sample[at]]))
    assert (row.check, row.subject, f"{row.first:%Y-%m-%d}") == (
        "given twice", "si2412", "2024-07-10")


def test_all_rows_are_found_and_the_rest_is_checked_on(tmp_path, sample):
    lines = list(sample)
    for day in ("2024-07-10", "2024-07-11", "2024-08-01"):
        at = line_of(lines, day, "si2412")
        cells = lines[at].split(",")
        lines[at] = ",".join([*cells[:6], "12003", *cells[7:]])
    at = line_of(lines, "2024-07-10", "si2411")
    lines[at] = lines[at].replace("si2411", "si888")
    at = line_of(lines, "2024-07-11", "si2411")
    lines[at] += ",1"
    at = line_of(lines, "2024-07-12", "si2411")
    lines[at] = ",".join(
        [*lines[at].split(",")[:2], *[f"{int(c) * 10}" for c in lines[at].split(",")[2:7]],
         *lines[at].split(",")[7:]])
    told = {(f.check, f.subject): f for f in wrong(checked(tmp_path, lines))}
    assert set(told) == {("off tick", "si2412"), ("continuous", "si888"), ("file", "files"),
                         ("spike", "si2411")}
    assert told["off tick", "si2412"].count == 3
    assert told["off tick", "si2412"].sessions == "2024-07-10..2024-08-01"


def test_a_clean_folder_shows_nothing_wrong(tmp_path, sample):
    assert not wrong(checked(tmp_path, sample))


BESIDE = {
    "a quote given twice": (
        {"spot": "date,grade,price\n2024-07-10,553,13000\n2024-07-10,553,13000\n"},
        "given twice", "spot 553"),
    "a quote of nought": (
        {"spot": "date,grade,price\n2024-07-10,553,0\n2024-07-11,553,13000\n"},
        "not a price", "spot 553"),
    "receipts in fractions": (
        {"receipts": "date,lots\n2024-07-10,10.5\n"}, "lots", "receipts"),
    "a value published before its date": (
        {"series": "name,date,published_on,value\noutput,2024-06-30,2024-06-01,1\n"},
        "published early", "series"),
    "a margin above one": (
        {"terms": "contract,item,from,value\nsi2412,speculator,2024-07-10,12\n"},
        "terms", "si2412"),
    "a dominant contract without bars": (
        {"dominant": "date,contract\n2024-07-10,si2612\n"}, "unknown contract", "si2612"),
    "a header nobody knows": ({"spot": "date,grade,prise\n2024-07-10,553,1\n"}, "file", "files"),
    "an empty file": ({"receipts": ""}, "file", "files"),
    "441 by its source": (
        {"spot": "date,grade,price,source\n2024-07-10,553,13000,441 华东\n"},
        "441 as 553", "spot 553"),
}


@pytest.mark.parametrize("plant", BESIDE)
def test_what_is_wrong_beside_the_bars_does_not_keep_the_bars_from_being_checked(
    tmp_path, sample, plant
):
    tables, name, subject = BESIDE[plant]
    told = checked(tmp_path, sample, **tables)
    assert [(f.check, f.subject) for f in wrong(told)] == [(name, subject)]
    assert "two goods" in {f.check for f in told}


def test_a_source_known_to_quote_441_makes_553_doubtful(tmp_path, sample):
    quotes = "date,grade,price,source\n2024-12-31,553,13000,akshare 100ppi\n"
    told = [f for f in checked(tmp_path, sample, spot=quotes) if f.check == "441 as 553"]
    assert [(f.severity, f.subject, f.count) for f in told] == [("doubtful", "spot 553", 1)]


def test_a_source_of_several_grades_is_not_suspected(tmp_path, sample):
    quotes = "date,grade,price,source\n2024-12-31,553,13000,import 421_441_553.csv\n"
    assert "441 as 553" not in {f.check for f in checked(tmp_path, sample, spot=quotes)}


def test_settlements_averaged_from_trades_are_doubtful(tmp_path, sample):
    lines = [f"{sample[0]},source"] + [
        f"{line},{'5m vwap' if line[:17] == '2024-07-10,si2412' else 'exchange'}"
        for line in sample[1:]
    ]
    told = [f for f in checked(tmp_path, lines) if f.check == "settle source"]
    assert [(f.severity, f.subject, f.sessions) for f in told] == [
        ("doubtful", "si2412", "2024-07-10")]


def test_what_the_market_notes_is_told_once(tmp_path, sample):
    lines = [f"{line},x" for line in sample]
    notes = [f for f in checked(tmp_path, lines) if f.check == "note"]
    assert [f.what for f in notes] == ["ignored columns: x"]


def test_files_without_a_bar_that_can_be_right_make_no_market(tmp_path):
    (tmp_path / "bars.csv").write_text(f"{HEADER}\n2024-07-13,si2412,1,1,1,1,1,1,1\n")
    done = check(tmp_path)
    assert done.market is None
    assert done.wrong == 1


def test_a_file_that_is_no_table_makes_no_market(tmp_path):
    (tmp_path / "bars.csv").write_text("")
    done = check(tmp_path)
    assert done.market is None
    assert [(f.severity, f.check) for f in done.findings] == [("wrong", "file")]


def test_one_unreadable_file_of_many_is_a_finding(tmp_path, sample):
    (tmp_path / "a.csv").write_text("\n".join(sample) + "\n")
    (tmp_path / "b.csv").write_text("nothing,of,use\n1,2,3\n")
    done = check(tmp_path)
    assert [f.check for f in done.findings if f.severity == "wrong"] == ["file"]
    assert "b.csv" in wrong(list(done.findings))[0].what
    assert done.market is not None


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder"):
        check(tmp_path / "nowhere")


def test_the_error_of_reading_holds_every_row_like_the_first(tmp_path, sample):
    lines = planted(sample, settle="12003")
    at = line_of(lines, "2024-07-11", "si2412")
    lines[at] = lines[at].rsplit(",", 3)[0] + ",12004,1,1"
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    first = line_of(sample, "2024-07-10", "si2412")
    with pytest.raises(RowsError, match=rf"line {first + 1}, .*\(1 more row like it\)") as caught:
        read(tmp_path)
    assert caught.value.table == "bars"
    assert caught.value.rows == (first - 1, at - 1)
    rest = open_parts(tmp_path).without("bars", caught.value.rows)
    assert len(rest.tables["bars"].frame) == len(sample) - 3
    assert "si2412" in rest.build().contracts


def test_a_store_is_checked_product_by_product_with_the_exchanges_list(tmp_path, sample):
    rows = pd.DataFrame([line.split(",") for line in sample[1:]], columns=HEADER.split(","))
    rows[HEADER.split(",")[2:]] = rows[HEADER.split(",")[2:]].apply(pd.to_numeric)
    rows["date"] = pd.to_datetime(rows["date"])
    store = Store(tmp_path / "store")
    store.upsert("si", "bars", rows)
    life = contract("si2412")
    store.upsert("si", "contracts", pd.DataFrame(
        {"contract": ["si2412"], "listed": [life.listed],
         "last_trading": [pd.Timestamp("2024-12-16")], "last_delivery": [life.last_delivery]}))
    lc = pd.DataFrame({"date": [pd.Timestamp("2024-07-10")], "contract": ["lc2411"],
                       "close": [90_000.0]})
    store.upsert("lc", "bars", lc)
    folders = places(store.folder)
    assert [folder.name for folder in folders] == ["si", "lc"]  # silicon is what a run takes
    told = [f for f in check(folders[0]).findings if f.check == "contract dates"]
    assert [(f.severity, f.subject) for f in told] == [("doubtful", "si2412")]


def kept(folder: Path, lines: list[str]) -> Store:
    """A store with the bars."""
    rows = pd.DataFrame([line.split(",") for line in lines[1:]], columns=HEADER.split(","))
    rows[HEADER.split(",")[2:]] = rows[HEADER.split(",")[2:]].apply(pd.to_numeric)
    store = Store(folder)
    store.upsert("si", "bars", rows.assign(date=pd.to_datetime(rows["date"])))
    return store


def test_bars_of_minutes_of_a_store_are_checked_as_well(tmp_path, sample):
    store = kept(tmp_path, sample)
    close = float(sample[line_of(sample, "2024-07-10", "si2412")].split(",")[5])
    times = pd.date_range("2024-07-10 09:00", periods=15, freq="5min")
    bars = pd.DataFrame({"time": times, "date": times.normalize(), "contract": "si2412",
                         **dict.fromkeys(("open", "high", "low", "close"), close)})
    store.upsert("si", "bars_5m", bars)
    assert not check(tmp_path / "si").wrong
    store.upsert("si", "bars_5m", bars.iloc[[3]].assign(high=close * 10))
    (told,) = wrong(list(check(tmp_path / "si").findings))
    assert (told.check, told.subject, told.sessions) == ("minute spike", "si2412", "2024-07-10")


@pytest.mark.parametrize("kind", ["spot", "bars_5m", "bars"])
def test_a_broken_file_of_a_store_says_take_it_away(tmp_path, sample, kind):
    store = kept(tmp_path, sample)
    store.path("si", kind).write_bytes(b"no table")
    (told,) = wrong(list(check(tmp_path / "si").findings))
    assert told.check == "file"
    assert f"{kind}.parquet" in told.what
    assert "take it away" in told.cure
    assert "pull or import" in told.cure


def test_the_sample_is_clean_of_what_is_wrong_or_doubtful():
    done = check()
    assert done.simulated
    assert {f.severity for f in done.findings} == {"evidence"}


def test_the_recorded_prices_with_their_receipts_show_their_flaws(shared_market, tmp_path):
    (tmp_path / "bars.csv").write_bytes((shared_market / "si_contracts_d1.csv").read_bytes())
    counts = pd.read_csv(shared_market / "si_warehouse_receipts_sample_2024H2.csv")
    counts[["date", "receipts_lots"]].set_axis(["date", "lots"], axis=1).to_csv(
        tmp_path / "receipts.csv", index=False)
    done = check(tmp_path)
    by = {(f.severity, f.check): f for f in reversed(done.findings)}  # the largest of each
    assert not done.wrong
    averaged = by["doubtful", "settle source"]
    assert (averaged.subject, averaged.count) == ("si2411", 11)
    assert averaged.sessions == "2024-10-31..2024-11-14"
    assert "45,431 lots on 2024-11-28 to 15,504 on 2024-12-02" in by[
        "evidence", "cancellation"].what
    assert ("doubtful", "receipts slip") not in by
    assert by["doubtful", "gap"].subject == "si2504"
    assert by["doubtful", "no settlement"].sessions == "2024-09-25"


def test_the_continuous_series_is_refused_by_its_name(shared_market):
    done = check(shared_market / "SI0_sina_continuous_d1.csv")
    (row,) = done.findings
    assert (row.severity, row.check, row.subject) == ("wrong", "continuous", "si0")
