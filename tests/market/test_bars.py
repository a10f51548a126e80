import math

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError, SettingError
from sibt.market.panel import FIELDS, Market

NAN = float("nan")


def bars(*rows: dict[str, object]) -> pd.DataFrame:
    """Good bars of si2411 and si2412 on two days, with cells of rows changed at will."""
    good = [
        {"date": "2024-10-08", "contract": "si2411"},
        {"date": "2024-10-08", "contract": "si2412"},
        {"date": "2024-10-09", "contract": "si2411"},
        {"date": "2024-10-09", "contract": "si2412"},
    ]
    prices = {"open": 10_000, "high": 10_100, "low": 9_900, "close": 10_050, "settle": 10_005}
    rest = {"volume": 1_000, "open_interest": 2_000}
    return pd.DataFrame(
        [{**row, **prices, **rest, **change} for row, change in zip(good, rows, strict=False)]
        + [{**row, **prices, **rest} for row in good[len(rows) :]]
    )


def third(**change: object) -> pd.DataFrame:
    """Good bars of which row 2, si2411 on 2024-10-09, is changed."""
    return bars({}, {}, change)


GOOD = bars()

BAD = {
    "blank date": (third(date=None), "row 2, column 'date'", "is blank", "2024-05-15"),
    "american date": (third(date="10/09/2024"), "row 2", "no date", "write it as 2024-05-15"),
    "no such day": (third(date="2024-02-30"), "row 2", "'2024-02-30' is no date", "write it"),
    "serial date": (third(date=45574), "row 2", "'45574' is no date", "20240515"),
    "time of day": (third(date="2024-10-09 09:00:00"), "row 2", "time of day", "write it as"),
    "weekend": (third(date="2024-10-12"), "row 2", "Saturday, 2024-10-12, is no", "correct"),
    "holiday": (third(date="2024-10-07"), "row 2", "Monday", "leave the row out"),
    "year slip": (third(date="1924-10-09"), "row 2", "beyond the calendar", "correct the date"),
    "far future": (third(date="2099-10-09"), "row 2", "beyond", "update exchange-calendars"),
    "blank contract": (third(contract=""), "row 2, column 'contract'", "blank", "fill in"),
    "no contract": (third(contract="si2413"), "row 2", "Did you mean 'si2412'", "as si2411"),
    "no product": (third(contract="sj2411"), "row 2", "Did you mean 'si2411'", "lc, ps, si"),
    "three digits": (third(contract="si411"), "row 2", "Did you mean 'si2411'", "as si2411"),
    "with exchange": (third(contract="GFEX.si2411"), "row 2", "'si2411'?", "write product"),
    "before the product": (third(contract="si2208"), "row 2", "is no contract", "as si2411"),
    "continuous": (third(contract="si0"), "row 2", "continuous series", "each delivery month"),
    "main": (third(contract="SI主连"), "row 2", "is not a contract", "each delivery month"),
    "index": (third(contract="KQ.m@GFEX.si"), "row 2", "continuous", "under its own code"),
    "not yet listed": (third(contract="si2510"), "row 2", "listed on 2024-10-22", "correct"),
    "expired": (third(contract="si2409"), "row 2", "last trading day 2024-09-13", "correct"),
    "before lithium": (
        pd.DataFrame({"date": ["2023-07-20"], "contract": ["lc2401"], "close": [215_100]}),
        "row 0, column 'date'",
        "before it was listed on 2023-07-21",
        "leave the row out",
    ),
    "high below low": (third(high=9_895), "row 2, column 'high'", "below the low 9900", "blank"),
    "open above high": (third(open=10_105), "row 2, column 'open'", "above the high", "correct"),
    "open below low": (third(open=9_895), "row 2, column 'open'", "below the low", "correct"),
    "close above high": (third(close=10_105), "row 2, column 'close'", "above", "correct"),
    "close below low": (third(close=9_895), "row 2, column 'close'", "below", "correct"),
    "zero price": (third(open=0), "row 2, column 'open'", "0 is not above zero", "leave blank"),
    "negative price": (third(settle=-5), "row 2, column 'settle'", "-5 is not above", "blank"),
    "off tick": (third(close=10_001), "row 2, column 'close'", "tick of 5", "unadjusted"),
    "settle off tick": (third(settle=10_003), "row 2", "no multiple", "unadjusted"),
    "half lot": (third(volume=10.5), "row 2, column 'volume'", "10.5 is no count", "correct"),
    "negative volume": (third(volume=-1), "row 2, column 'volume'", "from 0 up", "correct"),
    "negative interest": (third(open_interest=-1), "row 2", "'open_interest'", "correct"),
    "text": (third(close="10,050"), "row 2, column 'close'", "'10,050' is no", "separator"),
    "unit": (third(volume="1手"), "row 2, column 'volume'", "'1手' is no number", "digits only"),
    "infinite": (third(high=math.inf), "row 2, column 'high'", "infinite", "leave blank"),
    "infinite text": (third(high="inf"), "row 2, column 'high'", "infinite", "leave blank"),
    "truth": (GOOD.assign(volume=True), "row 0, column 'volume'", "'True' is no number", "digits"),
    "twice": (third(date="2024-10-08"), "row 2", "already in bars, row 0", "keep one"),
    "no rows": (GOOD.iloc[:0], "table of bars", "no rows", "give some"),
    "no date column": (GOOD.drop(columns="date"), "table of bars", "no column 'date'", "name"),
    "no contract column": (GOOD.drop(columns="contract"), "bars", "no column 'contract'", "name"),
    "no price column": (GOOD[["date", "contract", "volume"]], "bars", "no price", "expected"),
    "misspelt": (
        GOOD.rename(columns={"settle": "setle"}),
        "table of bars",
        "column 'setle' is not known. Did you mean 'settle'?",
        "Rename the column",
    ),
    "two headers": (
        GOOD.assign(收盘价=1),
        "'close' and '收盘价'",
        "both hold the close",
        "keep one",
    ),
    "time zone": (
        GOOD.assign(date=pd.to_datetime(GOOD["date"]).dt.tz_localize("Asia/Shanghai")),
        "row 0, column 'date'",
        "time zone",
        "write it as",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_table_is_refused_with_place_and_cure(case):
    table, place, what, cure = case
    with pytest.raises(DataError) as caught:
        Market.from_bars(table)
    message = str(caught.value)
    assert place in message
    assert what in message
    assert cure in message
    assert "\n" not in message


SPOT = {"date": ["2024-10-08", "2024-10-09"], "grade": ["553", "553"], "price": [11_700, 11_750]}
RECEIPTS = {"date": ["2024-10-08", "2024-10-09"], "lots": [60_000, 60_120]}
SERIES = {
    "name": ["cost", "cost"],
    "date": ["2024-09-30", "2024-10-08"],
    "published_on": ["2024-10-08", "2024-10-09"],
    "value": [11_000.0, 11_100.0],
    "unit": ["yuan/t", "yuan/t"],
}
DOMINANT = {"date": ["2024-10-08", "2024-10-09"], "contract": ["si2411", "si2412"]}

BAD_BESIDE = {
    "spot price zero": ("spot", SPOT | {"price": [11_700, 0]}, "spot, row 1, column 'price'"),
    "spot text": ("spot", SPOT | {"price": ["11,700", 0]}, "spot, row 0, column 'price'"),
    "spot twice": ("spot", SPOT | {"date": ["2024-10-08"] * 2}, "already in spot, row 0; keep"),
    "spot without grade": ("spot", SPOT | {"grade": ["553", ""]}, "row 1, column 'grade'"),
    "spot date": ("spot", SPOT | {"date": ["2024-10-08", "?"]}, "spot, row 1, column 'date'"),
    "receipts fraction": ("receipts", RECEIPTS | {"lots": [1, 2.5]}, "row 1, column 'lots'"),
    "receipts negative": ("receipts", RECEIPTS | {"lots": [-1, 2]}, "row 0, column 'lots'"),
    "receipts twice": ("receipts", RECEIPTS | {"date": ["2024-10-08"] * 2}, "row 0; keep one"),
    "receipts column": (
        "receipts",
        {"date": ["2024-10-08"], "lot": [1]},
        "Did you mean 'lots'? Rename the column",
    ),
    "series early": (
        "series",
        SERIES | {"published_on": ["2024-10-08", "2024-10-07"]},
        "row 1, column 'published_on': published on 2024-10-07, before its date 2024-10-08",
    ),
    "series unpublished": (
        "series",
        SERIES | {"published_on": ["2024-10-08", None]},
        "column 'published_on': the day of publication is blank; fill it in: nothing is known",
    ),
    "series blank": ("series", SERIES | {"value": [1.0, NAN]}, "the value is blank; leave"),
    "series units": ("series", SERIES | {"unit": ["yuan/t", "t"]}, "row 1, column 'unit'"),
    "series twice": (
        "series",
        {name: [cells[0]] * 2 for name, cells in SERIES.items()},
        "already in series, row 0; keep one",
    ),
    "dominant elsewhere": (
        "dominant",
        DOMINANT | {"contract": ["si2411", "si2501"]},
        "dominant, row 1, column 'contract': there are no bars of 'si2501'; add its bars",
    ),
    "dominant twice": ("dominant", DOMINANT | {"date": ["2024-10-08"] * 2}, "row 0; keep one"),
}


@pytest.mark.parametrize("case", BAD_BESIDE.values(), ids=BAD_BESIDE.keys())
def test_a_bad_table_beside_the_bars_is_refused(case):
    name, table, message = case
    with pytest.raises(DataError) as caught:
        Market.from_bars(GOOD, **{name: pd.DataFrame(table)})
    assert message in str(caught.value)


def test_many_bad_rows_are_named_by_the_first_and_counted():
    with pytest.raises(DataError, match=r"row 0, column 'close'.*\(3 more rows like it\)\.$"):
        Market.from_bars(GOOD.assign(close=10_001))


def test_another_settle_from_is_a_bad_setting():
    with pytest.raises(SettingError, match=r"'open'; expected is 'close'"):
        Market.from_bars(GOOD, settle_from="open")


def test_fields_land_in_session_and_contract():
    market = Market.from_bars(bars({"settle": 10_010}, {}, {}, {"volume": 7}))
    assert market.contracts == ("si2411", "si2412")
    assert list(market.sessions) == list(pd.DatetimeIndex(["2024-10-08", "2024-10-09"]))
    assert market.settle.tolist() == [[10_010, 10_005], [10_005, 10_005]]
    assert market.volume.tolist() == [[1_000, 1_000], [1_000, 7]]
    assert market.sessions.unit == "ns"
    assert market.sessions.name == "session"


@pytest.mark.parametrize(
    "written",
    [
        ["2024-10-08", "2024/10/8", "20241009", "2024-10-09 00:00:00"],
        [20241008, 20241008, 20241009, 20241009],
        pd.to_datetime(["2024-10-08", "2024-10-08", "2024-10-09", "2024-10-09"]).as_unit("s"),
        [pd.Timestamp(day).date() for day in GOOD["date"]],
    ],
)
def test_dates_are_read_in_every_usual_form(written):
    assert Market.from_bars(GOOD.assign(date=written)).digest == Market.from_bars(GOOD).digest


def test_chinese_and_careless_headers_are_understood():
    chinese = ["日期", "合约", "开盘价", "最高价", "最低价", "收盘价", "结算价", "成交量", "持仓量"]
    careless = ["Date", " CONTRACT", "Open ", "High", "LOW", "close", "Settle", "Volume"]
    for headers in (chinese, [*careless, "Open Interest"]):
        assert Market.from_bars(GOOD.set_axis(headers, axis=1)).digest == (
            Market.from_bars(GOOD).digest
        )


def test_an_index_of_dates_counts_as_a_column():
    assert Market.from_bars(GOOD.set_index("date")).digest == Market.from_bars(GOOD).digest


def test_upper_case_codes_are_lowered():
    market = Market.from_bars(GOOD.assign(contract=GOOD["contract"].str.upper()))
    assert market.contracts == ("si2411", "si2412")


def test_contracts_come_by_product_and_delivery_month():
    rows = [("2025-01-02", code) for code in ("si2502", "ps2506", "si2511", "lc2503", "si2501")]
    market = Market.from_bars(pd.DataFrame(rows, columns=["date", "contract"]).assign(close=12_000))
    assert market.contracts == ("lc2503", "ps2506", "si2501", "si2502", "si2511")


@pytest.mark.parametrize("blank", [None, NAN, "", " ", "-", "--", "NaN", "null"])
def test_blank_is_unknown(blank):
    market = Market.from_bars(third(open=blank, volume=blank))
    assert np.isnan(market.open[1, 0])
    assert np.isnan(market.volume[1, 0])
    assert np.isnan(market.open).sum() == 1


def test_missing_columns_are_unknown_and_further_ones_ignored():
    market = Market.from_bars(GOOD[["date", "contract", "close"]].assign(src="x", turnover=1))
    assert not np.isnan(market.close).any()
    for name in set(FIELDS) - {"close"}:
        assert np.isnan(getattr(market, name)).all()
    assert market.provenance.notes == ("ignored columns: turnover", "bars by source: x (4)")


def test_a_settlement_outside_the_range_is_no_error():
    assert Market.from_bars(third(settle=10_105)).provenance.notes == ()


def test_dates_beyond_the_calendar_are_a_note():
    row = {"date": ["2026-08-03"], "contract": ["lc2705"], "close": [70_000]}
    notes = Market.from_bars(pd.DataFrame(row)).provenance.notes
    assert len(notes) == 1
    assert notes[0].startswith("dates of lc2705 are unknown: the calendar ends on")


def test_a_settlement_may_show_the_new_tick_on_the_day_of_the_change():
    # 20 yuan from the settlement of 2024-12-17; until then 50.
    def lithium(day: str, **prices: float) -> pd.DataFrame:
        return pd.DataFrame([{"date": day, "contract": "lc2505", **prices}])

    assert Market.from_bars(lithium("2024-12-17", settle=75_340)).settle[0, 0] == 75_340
    assert Market.from_bars(lithium("2024-12-18", settle=75_350)).settle[0, 0] == 75_350
    assert Market.from_bars(lithium("2024-12-18", close=75_340)).close[0, 0] == 75_340
    for day, prices in (
        ("2024-12-17", {"close": 75_340}),
        ("2024-12-16", {"settle": 75_340}),
        ("2024-12-18", {"close": 75_350}),
        ("2024-12-19", {"settle": 75_350}),
    ):
        with pytest.raises(DataError, match="no multiple of the tick"):
            Market.from_bars(lithium(day, **prices))


def test_the_close_stands_in_only_where_a_settlement_is_missing():
    table = bars({"settle": NAN}, {"settle": NAN, "close": NAN})
    market = Market.from_bars(table, settle_from="close")
    assert market.settle[0, 0] == market.close[0, 0] == 10_050
    assert np.isnan(market.settle[0, 1])
    assert market.settle[1].tolist() == [10_005, 10_005]
    assert market.provenance.settle_from == "close"
    assert market.provenance.notes == ("the close stands in for a missing settlement on 1 bar",)
    assert np.isnan(Market.from_bars(table).settle[0]).all()
    assert Market.from_bars(table).provenance.settle_from == "settle"


def test_spot_stands_on_its_sessions_and_is_never_moved():
    market = Market.from_bars(
        GOOD,
        spot=pd.DataFrame(
            {
                "日期": ["2024-10-09", "2024-10-07", "2024-10-08", "2024-11-01"],
                "牌号": [553, 553, 421, 553],
                "价格": [11_700, 1, 12_900, 1],
            }
        ),
    )
    assert list(market.spot.columns) == ["421", "553"]
    assert market.spot["553"].tolist()[1] == 11_700
    assert np.isnan(market.spot["553"].iloc[0])
    assert market.spot["421"].iloc[0] == 12_900
    assert market.provenance.notes == (
        "2 spot rows before the first or after the last bar left out",
    )


def test_a_quote_on_a_day_without_a_session_is_left_out_and_counted():
    table = bars({"date": "2024-10-11"}, {"date": "2024-10-11"}, {"date": "2024-10-14"})
    spot = pd.DataFrame(
        {"date": ["2024-10-12", "2024-10-14"], "grade": "553", "price": [11_600, 11_700]}
    )
    market = Market.from_bars(table.iloc[:3], spot=spot)
    assert market.spot["553"].dropna().tolist() == [11_700]
    assert market.provenance.notes == ("1 spot row on days without a session left out",)


def test_receipts_are_nan_where_unknown():
    market = Market.from_bars(
        GOOD, receipts=pd.DataFrame({"日期": ["2024-10-09"], "仓单量": [60_120]})
    )
    assert np.isnan(market.receipts.iloc[0])
    assert market.receipts.iloc[1] == 60_120
    assert Market.from_bars(GOOD).receipts.isna().all()


def test_series_are_kept_long_and_in_order():
    market = Market.from_bars(GOOD, series=pd.DataFrame(SERIES).iloc[::-1])
    assert market.series["value"].tolist() == [11_000, 11_100]
    assert list(market.series.index) == [0, 1]
    assert market.series["date"].dtype == market.series["published_on"].dtype == "datetime64[ns]"
    assert list(market.series.columns) == ["name", "date", "published_on", "value", "unit"]


def test_what_is_published_after_the_last_bar_is_left_out():
    late = SERIES | {"published_on": ["2024-10-08", "2024-10-10"]}
    market = Market.from_bars(GOOD, series=pd.DataFrame(late))
    assert len(market.series) == 1
    assert market.provenance.notes == ("1 series row published after the last bar left out",)


def test_the_dominant_contract_is_a_series_by_session():
    market = Market.from_bars(GOOD, dominant=pd.DataFrame(DOMINANT).iloc[1:])
    assert market.dominant_map is not None
    assert market.dominant_map.isna().tolist() == [True, False]
    assert market.dominant_map.iloc[1] == "si2412"
    assert Market.from_bars(GOOD).dominant_map is None
