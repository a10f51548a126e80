"""Exports of the common terminals, in their own style, mean what their terminals mean."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from sibt.errors import DataError, SettingError
from sibt.sources import shipped
from sibt.sources.exports.codes import continuous, decade, in_words, plain
from sibt.sources.exports.export import Wishes, read
from sibt.sources.exports.stamps import clocks, moments

#: What every daily file below says, however it says it.
DAYS = ["2024-10-30", "2024-10-31"]
OPEN, CLOSE, SETTLE = [12500.0, 12550.0], [12550.0, 12600.0], [12530.0, 12570.0]
VOLUME, HELD = [12345.0, 23456.0], [150000.0, 151234.0]

TDX = (
    "SI2412 工业硅2412 日线 不复权\r\n"
    "      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    持仓量\t    结算价\r\n"
    "2024/10/30\t12500.00\t12650.00\t12400.00\t12550.00\t12345\t150000\t12530.00\r\n"
    "2024/10/31\t12550.00\t12650.00\t12400.00\t12600.00\t23456\t151234\t12570.00\r\n"
    "#数据来源:通达信\r\n"
)
WIND = (
    "代码,名称,日期,前结算价(元/吨),开盘价(元/吨),最高价(元/吨),最低价(元/吨),收盘价(元/吨),"
    "结算价(元/吨),成交量(手),持仓量(手),成交额(万元)\n"
    'SI2412.GFE,工业硅2412,2024-10-30,"12,500","12,500","12,650","12,400","12,550","12,530",'
    '"12,345","150,000","77,341.43"\n'
    'SI2412.GFE,工业硅2412,2024-10-31,"12,530","12,550","12,650","12,400","12,600","12,570",'
    '"23,456","151,234","147,420.96"\n'
    "数据来源：Wind,,,,,,,,,,,\n"
)
WENHUA = (
    "合约,时间,开盘,最高,最低,收盘,成交量,持仓量,结算价\n"
    "SI412,20241030,12500,12650,12400,12550,12345,150000,12530\n"
    "SI412,20241031,12550,12650,12400,12600,23456,151234,12570\n"
)
TUSHARE = (
    "ts_code,trade_date,pre_close,pre_settle,open,high,low,close,settle,change1,change2,vol,amount,"
    "oi,oi_chg,delv_settle\n"
    "SI2412.GFE,20241031,12550,12530,12550,12650,12400,12600,12570,70,40,23456,147420.96,151234,1234,\n"
    "SI2412.GFE,20241030,12500,12500,12500,12650,12400,12550,12530,50,30,12345,77341.425,150000,0,\n"
)
PLAIN = (
    "日期;合约;开盘价;最高价;最低价;收盘价;结算价;成交量;持仓量\n"
    "2024年10月30日;si2412.GFEX;12500;12650;12400;12550;12530;12345;150000\n"
    "2024年10月31日;si2412.GFEX;12550;12650;12400;12600;12570;23456;151234\n"
)


def nanoseconds(text: str) -> int:
    return pd.Timestamp(text, tz="Asia/Shanghai").as_unit("ns").value


TQSDK = (
    "datetime,datetime_nano,GFEX.si2412.open,GFEX.si2412.high,GFEX.si2412.low,"
    "GFEX.si2412.close,GFEX.si2412.volume,GFEX.si2412.open_oi,GFEX.si2412.close_oi\n"
) + "".join(
    f"{day} 00:00:00.000000000,{nanoseconds(day)},{o},12650,12400,{c},{v},1,{h}\n"
    for day, o, c, v, h in zip(DAYS, OPEN, CLOSE, VOLUME, HELD, strict=True)
)
TQSDK_SERIAL = "datetime,id,open,high,low,close,volume,open_oi,close_oi,symbol,duration\n"
TQSDK_SERIAL += "".join(
    f"{nanoseconds(day)}.0,7.0,{o},12650,12400,{c},{v},1,{h},GFEX.si2412,86400\n"
    for day, o, c, v, h in zip(DAYS, OPEN, CLOSE, VOLUME, HELD, strict=True)
)

STYLES = {
    "tdx gb18030": ("SI2412.txt", TDX.encode("gb18030"), "GB18030, tabs"),
    "tdx named xls": ("SI2412.xls", TDX.encode("gb18030"), "GB18030, tabs"),
    "wind": ("wind.csv", WIND.encode("gb18030"), "GB18030, commas"),
    "wind bom": ("wind.csv", b"\xef\xbb\xbf" + WIND.encode(), "UTF-8, commas"),
    "wind utf-16": ("wind.txt", WIND.encode("utf-16"), "UTF-16, commas"),
    "wenhua": ("wh6.csv", WENHUA.encode("gb18030"), "GB18030, commas"),
    "tushare": ("daily.csv", TUSHARE.encode(), "UTF-8, commas"),
    "semicolons": ("plain.csv", PLAIN.encode(), "UTF-8, semicolons"),
    "tqsdk download": ("tq.csv", TQSDK.encode(), "UTF-8, commas"),
    "tqsdk serial": ("tq.csv", TQSDK_SERIAL.encode(), "UTF-8, commas"),
}


@pytest.fixture
def put(tmp_path):
    """Write a file and return its path."""

    def write(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def bars(path, **wishes) -> pd.DataFrame:
    (export,) = read([path], Wishes(**wishes))
    assert export.kind == "bars"
    return export.tables["si"].sort_values(["date", "contract"], ignore_index=True)


def refusal(path, **wishes) -> str:
    with pytest.raises((DataError, SettingError)) as caught:
        read([path], Wishes(**wishes))
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith((".", "?"))
    return said


def same_days(table: pd.DataFrame, settled: bool = True) -> None:
    assert list(table["date"].dt.strftime("%Y-%m-%d")) == DAYS
    assert set(table["contract"]) == {"si2412"}
    assert list(table["open"]) == OPEN
    assert list(table["close"]) == CLOSE
    assert list(table["volume"]) == VOLUME
    assert list(table["open_interest"]) == HELD
    if settled:
        assert list(table["settle"]) == SETTLE
    else:
        assert table["settle"].isna().all()


@pytest.mark.parametrize("style", STYLES)
def test_each_terminal_says_the_same(style, put):
    name, content, encoding = STYLES[style]
    path = put(name, content)
    (export,) = read([path])
    assert export.encoding == encoding
    same_days(bars(path), settled="tqsdk" not in style)
    assert set(bars(path)["source"]) == {f"import {name}"}


def test_the_footer_of_a_terminal_is_skipped_and_named(put):
    (export,) = read([put("SI2412.txt", TDX.encode("gb18030"))])
    assert export.skipped == ("line 5 '#数据来源:通达信'",)
    (export,) = read([put("wind.csv", WIND)])
    assert export.skipped == ("line 4 '数据来源：Wind'",)


def test_headers_that_mean_nothing_are_named(put):
    (export,) = read([put("tq.csv", TQSDK)])
    assert "GFEX.si2412.open_oi" in export.unused
    assert ("GFEX.si2412.close_oi", "open_interest") in export.columns


def test_columns_of_several_contracts_are_told_apart(put):
    two = ("datetime,GFEX.si2411.close,GFEX.si2412.close,KQ.m@GFEX.si.close\n"
           "2024-10-31,9870,12600,12600\n")
    (export,) = read([put("two.csv", two)])
    table = export.tables["si"]
    assert dict(zip(table["contract"], table["close"], strict=True)) == {
        "si2411": 9870, "si2412": 12600}
    assert any("KQ.m@GFEX.si" in said for said in export.skipped)


def test_a_workbook_gives_a_table_a_sheet(tmp_path):
    book = Workbook()
    for name, price in (("SI2411.GFE", 9870), ("SI2412.GFE", 12600)):
        sheet = book.create_sheet(name)
        sheet.append(["工业硅"])
        sheet.append(["日期", "收盘价", "成交量(手)", "结算价"])
        sheet.append([pd.Timestamp("2024-10-30").to_pydatetime(), price, 10, "--"])
        sheet.append([45596, price, "1,234", "-"])
        sheet.append(["数据来源：Wind", None, None, None])
    book["Sheet"].append(["Notes of somebody"])
    book.save(tmp_path / "export.xlsx")
    first, second = read([tmp_path / "export.xlsx"])
    assert first.tables["si"]["contract"].unique().tolist() == ["si2411"]
    assert second.tables["si"]["close"].tolist() == [12600, 12600]
    assert second.tables["si"]["volume"].tolist() == [10, 1234]
    assert second.tables["si"]["settle"].isna().all()
    assert second.tables["si"]["date"].tolist() == list(pd.DatetimeIndex(DAYS))
    assert "sheet 'Sheet', in which no header was found" in first.skipped


def test_a_bad_cell_of_a_workbook_is_named_by_sheet_row_and_column(tmp_path):
    book = Workbook()
    book.active.title = "SI2412"
    book.active.append(["日期", "最高价(元/吨)", "最低价(元/吨)"])
    book.active.append([20241031, 12400, 12600])
    book.save(tmp_path / "export.xlsx")
    said = refusal(tmp_path / "export.xlsx")
    assert "export.xlsx, sheet 'SI2412', row 2, column '最高价(元/吨)': the high 12400" in said


def test_without_openpyxl_a_workbook_is_refused_with_the_cure(tmp_path, monkeypatch):
    Workbook().save(tmp_path / "export.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert "pip install openpyxl" in refusal(tmp_path / "export.xlsx")


def test_parquet_with_typed_columns_and_an_index_is_read(tmp_path):
    frame = pd.DataFrame({"symbol": ["SI2412", "SI2412"], "close": CLOSE},
                         index=pd.DatetimeIndex(DAYS, name="date"))
    frame.to_parquet(tmp_path / "b.parquet")
    assert list(bars(tmp_path / "b.parquet")["close"]) == CLOSE


def test_tonnes_become_lots(put):
    tonnes = WENHUA.replace(",12345,150000,", ",61725,750000,").replace(
        ",23456,151234,", ",117280,756170,")
    same_days(bars(put("SI2412.csv", tonnes), volume_in="tonnes"))
    unit = tonnes.replace("成交量", "成交量(吨)").replace("持仓量", "持仓量（吨）")
    same_days(bars(put("SI2412.csv", unit)))
    assert "column '成交量': 12,346 t is no whole number of lots of 5 t" in refusal(
        put("SI2412.csv", WENHUA.replace("12345", "12346")), volume_in="tonnes")
    assert "says that volumes are in '手'" in refusal(
        put("SI2412.csv", WENHUA.replace("成交量", "成交量(手)")), volume_in="tonnes")


def test_ten_thousand_lots_become_lots(put):
    text = WENHUA.replace("成交量", "成交量(万手)").replace("12345,", "1.2345,").replace(
        "23456,", "2.3456,")
    same_days(bars(put("SI2412.csv", text)))


def test_turnover_shows_volumes_that_are_tonnes_after_all(put):
    said = refusal(put("wind.csv", WIND.replace('"12,345"', '"61,725"').replace(
        '"23,456"', '"117,280"')))
    assert "say --volume-in tonnes" in said
    assert "say --volume-in lots" in refusal(
        put("t.csv", TUSHARE.replace(",23456,", ",23455,").replace("151234", "151235")),
        volume_in="tonnes")


def test_two_sided_counts_are_halved(put):
    table = bars(put("wh6.csv", WENHUA.replace("12345,", "24690,").replace("23456,", "46912,")
                     .replace("150000", "300000").replace("151234", "302468")), two_sided=True)
    same_days(table)
    assert "is odd" in refusal(put("wh6.csv", WENHUA), two_sided=True)


@pytest.mark.parametrize("word", [
    "SI2411.GFE", "GFEX.si2411", "si2411.GFEX", "SI2411", "工业硅2411", " si2411 ", "SI2411.XGFE"])
def test_codes_of_all_terminals_are_one(word):
    assert plain(word) == "si2411"
    assert not continuous(word)


@pytest.mark.parametrize("word", [
    "si0", "SI888", "SI00.GFE", "SI.GFE", "siL8", "KQ.m@GFEX.si", "KQ.i@GFEX.si", "工业硅主连",
    "硅主力", "SI9999.XGFE", "si主连", "工业硅加权"])
def test_chained_series_are_no_contracts(word):
    assert continuous(word)


def test_a_three_digit_code_is_resolved_by_its_day():
    assert decade("si411", pd.DatetimeIndex(["2024-10-31"])) == ["si2411"]
    assert decade("si411", pd.DatetimeIndex(["2025-10-31"])) == []
    assert decade("si2411", pd.DatetimeIndex(["2025-10-31"])) == ["si2411"]


def test_a_three_digit_code_of_no_living_contract_is_refused(put):
    said = refusal(put("a.csv", "date,code,close\n2025-10-31,SI411,9000\n"))
    assert "line 2: 'si411' on 2025-10-31 is no contract of that day" in said


@pytest.mark.parametrize(("text", "codes", "chain"), [
    ("si2411_m5_20241031_20241114", ["si2411"], False),
    ("SI0_sina_continuous_d1", [], True),
    ("SI2411 工业硅2411 日线 不复权", ["si2411"], False),
    ("工业硅主连", [], True),
    ("basic2411", [], False),
    ("si2411 si2412", ["si2411", "si2412"], False),
    ("daily", [], False),
])
def test_a_name_tells_the_contract(text, codes, chain):
    assert in_words(text) == (codes, chain)


def test_days_in_every_spelling_are_one_day():
    cells = ["20241031", 20241031, 20241031.0, "2024-10-31", "2024/10/31", "2024.10.31",
             "2024年10月31日", "2024/10/31 0:00", "2024/10/31/四", 45596,
             "2024-10-31T00:00:00+08:00",
             nanoseconds("2024-10-31"), "2024-10-30 16:00:00Z", pd.Timestamp("2024-10-31")]
    found = moments(pd.Series(cells, dtype=object))
    assert set(found) == {np.datetime64("2024-10-31", "ns")}


def test_what_may_be_two_days_is_none():
    cells = ["31/10/2024", "10/11/24", "1.73034E+18", "2024-13-01", "10", True, None, ""]
    assert np.isnat(moments(pd.Series(cells, dtype=object))).all()


def test_times_in_every_spelling_are_one_time():
    found = clocks(pd.Series(["0905", 905, 90500, "09:05", "9:05:00", "9时05分", 545 / 1440],
                             dtype=object))
    assert set(found) == {np.timedelta64(545, "m")}
    assert np.isnat(clocks(pd.Series(["25:00", "1372", "nine"], dtype=object))).all()


def test_continuous_series_beside_contracts_are_skipped(put):
    (export,) = read([put("a.csv", WENHUA + "SI888,20241031,1,1,1,1,1,1,1\n")])
    assert "rows of continuous series (SI888): 1" in export.skipped
    same_days(export.tables["si"])


def test_prices_of_zero_without_a_trade_are_unknown(put):
    text = "date,code,open,high,low,close,settle,volume\n2024-10-31,si2507,0,0,0,12500,12500,0\n"
    table = bars(put("a.csv", text))
    assert table[["open", "high", "low"]].isna().all(axis=None)
    assert table["close"][0] == 12500
    assert "the open 0 is not above zero" in refusal(put("a.csv", text.replace(",0\n", ",5\n")))


def test_a_header_can_be_named(put):
    text = "day,sym,LAST,Settel\n20241031,si2412,12600,1\n"
    path = put("odd.csv", text)
    assert "Did you mean 'settle'" in refusal(path, named={"LAST": "close"})
    table = bars(path, named={"LAST": "close", "sym": "contract", "Settel": "ignore"})
    assert table["close"].tolist() == [12600]
    assert "no file has a column 'LATS'" in refusal(
        put("plain.csv", "date,code,LAST,high\n20241031,si2412,12600,\n"), named={"LATS": "close"})
    assert "Did you mean 'close'" in refusal(path, named={"LAST": "clse"})


def test_receipts_of_several_products_are_told_apart(put):
    (export,) = read([put("r.csv", "日期,品种,今日仓单量,增减\n2024-10-31,工业硅,60000,5\n"
                                   "2024-10-31,碳酸锂,40000,5\n")])
    assert export.kind == "receipts"
    assert export.tables["si"]["lots"].tolist() == [60000]
    assert export.tables["lc"]["lots"].tolist() == [40000]


def test_spot_keeps_its_grades(put):
    (export,) = read([put("s.csv", '日期,规格,现货价格\n2024/10/31,553,"11,650"\n'
                                   "2024/11/2,421,-\n")])
    assert export.kind == "spot"
    assert export.tables["si"][["grade", "price"]].to_numpy().tolist() == [["553", 11650]]


SERIES = "名称,日期,发布日期,数值,单位\n社会库存,2024-10-25,2024-10-31,52.1,万吨\n"


def test_a_series_keeps_the_day_it_was_published(put):
    (export,) = read([put("series.csv", SERIES)])
    assert export.kind == "series"
    assert export.tables["si"]["published_on"][0] == pd.Timestamp("2024-10-31")
    assert export.tables["si"]["unit"].tolist() == ["万吨"]


def test_a_series_without_its_day_of_publication_is_refused_with_the_reason(put):
    said = refusal(put("series.csv", "name,date,value\nstock,2024-10-25,52.1\n"))
    assert "no column 'published_on'" in said
    assert "before it was published" in said


def test_made_up_data_never_enter(tmp_path, put):
    assert "SIMULATED" in refusal(shipped("sample") / "bars.csv")
    copy = tmp_path / "mine"
    copy.mkdir()
    shutil.copy(shipped("sample") / "spot.csv", copy / "spot.csv")
    assert "SIMULATED" in refusal(copy / "spot.csv")
    assert "SIMULATED" in refusal(put("t.csv", "date,contract,close,data\n2024-10-31,si2412,12600,"
                                               "SIMULATED\n"))
    (tmp_path / "SIMULATED").touch()
    assert "SIMULATED" in refusal(put("wh6.csv", WENHUA))


BAD = {
    "chain": ("SI888.csv", "date,close\n2024-10-31,12600\n", "is a continuous series"),
    "chain column": ("a.csv", "date,code,close\n2024-10-31,si0,1\n", "nothing but a continuous"),
    "no contract": ("daily.csv", "date,close\n2024-10-31,12600\n", "name the file after it"),
    "two in a name": ("si2411_si2412.csv", "date,close\n2024-10-31,12600\n", "si2411 and si2412"),
    "no header": ("a.csv", "1,2,3\n4,5,6\n", "no header is found"),
    "prose": ("a.csv", "nothing here\n", "no header is found"),
    "empty": ("a.csv", "", "the file is empty"),
    "only a header": ("si2412.csv", "date,close\n", "no rows below the header"),
    "binary": ("a.csv", b"\x00\x01\x02", "binary file"),
    "old workbook": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
    "web page in a workbook": ("a.xls", "<html><table>", "is a web page"),
    "broken workbook": ("a.xlsx", b"PK\x03\x04rubbish", "no workbook that can be read"),
    "broken parquet": ("a.parquet", b"PAR1rubbish", "no valid Parquet file"),
    "other type": ("a.pdf", b"%PDF", "files of type '.pdf' are not known"),
    "thousands": ("si2412.csv", "date,close\n2024-10-31,12,600\n", "there are 3 cells"),
    "european date": ("si2412.csv", "date,close\n31/10/2024,12600\n",
                      "line 2, column 'date': '31/10/2024' is no date"),
    "saturday": ("si2412.csv", "date,close\n2024-11-02,12600\n", "Saturday"),
    "expired": ("si2411.csv", "date,close\n2024-11-15,10000\n", "after its last trading day"),
    "off tick": ("si2412.csv", "日期,收盘\n2024-10-31,12601\n", "line 2, column '收盘'"),
    "text": ("si2412.csv", "date,close\n2024-10-31,about 12600\n", "is no number"),
    "twice": ("si2412.csv", "date,close\n2024-10-31,12600\n20241031,12600\n", "a second bar"),
    "adjusted": ("SI2412.txt", TDX.replace("不复权", "前复权"), "prices are adjusted"),
    "adjusted header": ("si2412.csv", "date,收盘价(前复权)\n2024-10-31,1\n",
                        "neither bars, spot, receipts nor series"),
    "two closes": ("si2412.csv", "date,close,CLOSE\n2024-10-31,1,2\n", "both hold the close"),
    "unknown contract": ("a.csv", "date,code,close\n2024-10-31,rb2501,3400\n", "is no contract"),
    "spot without grade": ("a.csv", "date,price\n2024-10-31,11650\n", "need a column 'grade'"),
    "utc days": ("si2412.csv", "datetime,close\n2024-10-30 16:00:00,12600\n",
                 "midnight in Beijing"),
    "utc minutes": ("si2412_m5.csv", ("datetime,close\n2024-10-31 01:00:00,12600\n"
                           "2024-10-31 06:55:00,12600\n"), "eight hours before the hours"),
    "decimal comma": ("si2412.csv", "date;close\n2024-10-31;12600,0\n",
                      "line 2, column 'close': '12600,0' has a comma for a decimal point"),
    "only options": ("a.csv", "date,code,close\n2024-10-31,si2412-C-12000,5\n",
                     "holds nothing but options"),
    "months of nothing": ("a.csv", "日期,交割月份,收盘价\n2024-10-31,2412,12600\n",
                          "say --product si"),
    "receipts of no day": ("r.csv", "品种,仓库,今日仓单量\nSI,甲,5\n", "which one day"),
    "half a table of receipts": ("r.csv", ("日期,品种,仓库,今日仓单量\n20241031,SI,甲,5\n"
                                 "20241031,SI,乙,7\n20241031,SI,小计,15\n"),
                                 "line 4: the total says 15, the warehouses above it come to 12"),
    "half of all receipts": ("r.csv", ("日期,品种,仓库,今日仓单量\n20241031,SI,甲,5\n"
                             "总计,,,15\n"), "line 3: the total says 15"),
    "a warehouse without a count": ("r.csv", "日期,品种,仓库,今日仓单量\n20241031,SI,甲,\n",
                                    "the warehouse '甲' has no count"),
    "made-up source": ("a.csv", "date,code,close,source\n2024-10-31,si2412,12600,SIMULATED\n",
                       "made-up data"),
    "half a lot": ("si2412.csv", "date,close,vol\n2024-10-31,12600,1.5\n", "no count of lots"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_in_one_sentence(case, put):
    name, content, expected = BAD[case]
    assert expected in refusal(put(name, content))


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "gone.csv")
    assert "is a folder" in refusal(tmp_path)


def test_recorded_prices_are_understood(shared_market):
    daily, receipts = read([shared_market / "si_contracts_d1.csv",
                            shared_market / "si_warehouse_receipts_sample_2024H2.csv"])
    assert len(daily.tables["si"]) == 8841
    assert receipts.kind == "receipts"
    assert receipts.tables["si"]["lots"].iloc[-1] == 50885
    assert "continuous series" in refusal(shared_market / "SI0_sina_continuous_d1.csv")


def test_the_rows_own_source_is_kept(put, tmp_path):
    table = bars(put("si.csv", "date,contract,close,settle,src\n"
                               "2024-10-30,si2412,12550,12530,\n"
                               "2024-10-31,si2412,12600,12570,vwap + rounded\n"))
    assert table["source"].tolist() == ["import si.csv", "import si.csv: vwap & rounded"]
    for name, text in (
        ("spot", "date,grade,price,来源\n2024-10-31,553,12000,生意社\n"),
        ("receipts", "date,lots,来源\n2024-10-31,500,生意社\n"),
        ("series", "name,date,published_on,value,来源\nx,2024-10-30,2024-10-31,1,生意社\n"),
    ):
        (export,) = read([put(f"{name}.csv", text)])
        assert export.tables["si"]["source"].tolist() == [f"import {name}.csv: 生意社"]


def test_the_source_of_each_bar_of_minutes_stays_with_it(put):
    (export,) = read([put("si2412_m5.csv", "datetime,close,volume,source\n"
                                           "2024-10-31 09:05,12605,1,late\n"
                                           "2024-10-31 09:00,12600,1,early\n")])
    table = export.tables["si"]
    assert dict(zip(table["close"], table["source"], strict=True)) == {
        12600: "import si2412_m5.csv: early", 12605: "import si2412_m5.csv: late"}


@pytest.mark.parametrize(("word", "grade"), [
    ("553", "553"), ("553#", "553"), ("#553", "553"), ("Si553", "553"), ("553号", "553"),
    ("５５３＃", "553"), ("553.0", "553"), ("Si5530", "553"), ("金属硅421#", "421"),
    ("441#", "441"), ("Si4210", "421"),
])
def test_a_grade_has_one_name_however_it_is_written(put, word, grade):
    (export,) = read([put("s.csv", f"日期,牌号,价格\n20241031,{word},12000\n")])
    assert export.tables["si"]["grade"].tolist() == [grade]
    assert export.doubts == ()
    assert bool([note for note in export.notes if "→" in note]) is (word != grade)


def test_a_grade_of_another_kind_keeps_its_name_and_is_doubted(put):
    (export,) = read([put("s.csv", "日期,牌号,价格\n20241031,不通氧553,11800\n"
                                   "20241031,通氧553,12000\n20241031,553#,12100\n")])
    assert sorted(export.tables["si"]["grade"]) == ["553", "不通氧553", "通氧553"]
    assert export.doubts == (
        ("grades 不通氧553, 通氧553 are kept under these names: none is 553 or 421, so no basis"
        " rests on them"),
    )


def test_two_spellings_of_a_grade_on_one_day_are_one_quote_too_many(put):
    text = "日期,牌号,价格\n20241031,553,11800\n20241031,553#,12000\n"
    assert "a second quote of 553" in refusal(put("s.csv", text))


RECEIPTS = "品种,仓库/分库,昨日仓单量,今日仓单量,增减\n"


def test_the_exchanges_table_of_receipts_is_added_up_and_held_against_its_totals(put):
    text = RECEIPTS + (
        "工业硅,甲,100,120,20\n,乙,100,\"1,130\",30\n工业硅小计,,200,1250,50\n"
        "碳酸锂,甲,7,9,2\n,小计,7,9,2\n总计,,207,1259,52\n"
    )
    (export,) = read([put("20241031_wbill.csv", text)])
    assert export.tables["si"]["lots"].tolist() == [1250]
    assert export.tables["lc"]["lots"].tolist() == [9]
    assert export.tables["si"]["date"].tolist() == [pd.Timestamp("2024-10-31")]
    assert "rows of totals (小计, 总计): 3" in export.skipped
    assert "lots: 3 rows of warehouses added up" in export.notes


def test_receipts_of_several_days_are_added_up_by_day(put):
    text = "日期,品种,仓库,今日仓单量\n" + "".join(
        f"{day},SI,{house},{lots}\n{total}"
        for day, lots in (("20241030", 5), ("20241031", 6))
        for house, total in (("甲", ""), ("乙", f"{day},SI,小计,{2 * lots}\n")))
    (export,) = read([put("r.csv", text)])
    assert export.tables["si"]["lots"].tolist() == [10, 12]


def test_receipts_of_products_sibt_does_not_know_are_passed_over(put):
    text = RECEIPTS.replace("品种", "日期,品种") + "20241031,SI,甲,1,5,4\n20241031,铂,甲,1,7,6\n"
    (export,) = read([put("r.csv", text)])
    assert list(export.tables) == ["si"]
    assert "rows of products sibt does not know (铂): 1" in export.skipped


def test_the_exchanges_own_columns_name_product_and_month(put):
    text = (
        "日期,商品名称,交割月份,收盘价,结算价,成交量\n"
        "20241031,工业硅,2412,12600,12570,5\n20241031,工业硅,202501,12700,12670,5\n"
        "20241031,工业硅小计,,,,10\n20241031,碳酸锂,2501,74000,74100,3\n20241031,总计,,,,13\n"
        "总计,,,,,13\n"
    )
    (export,) = read([put("day.csv", text)])
    assert export.tables["si"]["contract"].tolist() == ["si2412", "si2501"]
    assert export.tables["lc"]["contract"].tolist() == ["lc2501"]
    assert "rows of totals (小计, 总计): 3" in export.skipped
    bare = put("bare.csv", "日期,交割月份,收盘价\n20241031,2412,12600\n")
    assert bars(bare, product="si")["contract"].tolist() == ["si2412"]


def test_options_beside_futures_are_skipped_and_counted(put):
    (export,) = read([put("a.csv", "date,code,close\n2024-10-31,si2412,12600\n"
                                   "2024-10-31,si2412-C-12000,600\n2024-10-31,SI2412P12000,3\n")])
    assert len(export.tables["si"]) == 1
    assert "rows of options: 2" in export.skipped


@pytest.mark.parametrize("header", ["", "Unnamed: 0"])
def test_an_index_of_days_without_a_header_is_the_date(put, header):
    text = f"{header},open,close,order_book_id\n2024-10-31,12550,12600,SI2412\n"
    (export,) = read([put("rq.csv", text)])
    assert export.tables["si"]["date"].tolist() == [pd.Timestamp("2024-10-31")]
    assert (header or "(without a header)", "date") in export.columns


def test_a_continuous_series_among_files_is_left_out_with_a_line(put):
    chain = put("SI888.csv", "date,close\n2024-10-31,12600\n")
    column = put("b.csv", "date,code,close\n2024-10-31,si0,12600\n")
    good = put("si2412.csv", "date,close\n2024-10-31,12600\n")
    found = read([chain, column, good])
    assert [each.kind for each in found] == ["continuous", "continuous", "bars"]
    assert "'SI888' is a continuous series" in found[0].skipped[0]
    assert not found[0].tables
    with pytest.raises(DataError, match="'SI888' is a continuous series"):
        read([chain, column])


def test_digits_of_chinese_typing_are_digits(put):
    table = bars(put("a.csv", "日期,合约,收盘价\n２０２４－１０－３１,ＳＩ２４１２,１２６００\n"))
    assert table[["contract", "close"]].to_numpy().tolist() == [["si2412", 12600]]
    assert clocks(pd.Series(["０９：０５"]))[0] == np.timedelta64(545, "m")
