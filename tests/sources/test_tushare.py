import inspect
import os
import re
import traceback
import warnings

import pandas as pd
import pytest

from sibt.errors import SettingError
from sibt.market import calendar
from sibt.market.product import product
from sibt.sources.online import tushare
from sibt.sources.online.asking import Temporary, Wrong
from sibt.sources.online.pull import Unreachable, pull
from sibt.sources.store import Store

TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef01234567"
POINTS = "抱歉，您没有接口访问权限，权限的具体详情访问：https://tushare.pro/document/1?doc_id=108。"

# Default columns of each interface, in the documentation's order.
FIELDS = {
    "fut_daily": "ts_code trade_date pre_close pre_settle open high low close settle change1"
    " change2 vol amount oi oi_chg",
    "fut_wsr": "trade_date symbol fut_name warehouse pre_vol vol vol_chg unit",
    "fut_basic": "ts_code symbol exchange name fut_code multiplier trade_unit per_unit quote_unit"
    " quote_unit_desc d_mode_desc list_date delist_date d_month last_ddate",
    "fut_settle": "ts_code trade_date settle trading_fee_rate trading_fee delivery_fee"
    " b_hedging_margin_rate s_hedging_margin_rate long_margin_rate short_margin_rate",
    "fut_trade_param_gfe": "trade_date fut_code exchange trade_type type spec_buy_rate spec_buy"
    " hedge_buy_rate hedge_buy rise_limit_rate rise_limit fall_limit agent_tot_buy_posi_quota"
    " self_tot_buy_posi_quota client_buy_posi_quota self_tot_buy_ser_limit client_buy_ser_limit",
}
# Shown only where asked for.
MORE = {"fut_settle": ["offset_today_fee", "exchange"], "fut_daily": ["delv_settle"]}

DAY = pd.Timestamp("2024-05-15")


class Pro:
    """Answers as the library's client does: rows of lists under the fields asked for."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def query(self, api_name, fields="", **kwargs):
        self.asked.append((api_name, kwargs))
        answer = self.answers[api_name]
        if isinstance(answer, list) and answer and isinstance(answer[0], Exception):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, pd.DataFrame):
            return answer
        known = [*FIELDS[api_name].split(), *MORE.get(api_name, [])]
        shown = [name for name in fields.split(",") if name in known] if fields else known
        assert set(fields.split(",")) <= set(known), "asked for a field that there is not"
        held = set().union(*answer) if answer else set(known)
        shown = [name for name in shown if name in held or name not in MORE.get(api_name, [])]
        return pd.DataFrame([[row.get(name) for name in shown] for row in answer], columns=shown)


def make(answers, **more):
    slept = []
    pro = Pro(answers)
    made = tushare.Tushare(pro, secret=TOKEN, sleep=slept.append, clock=lambda: 0.0, **more)
    return made, pro, slept


def days(*given):
    return pd.DatetimeIndex([pd.Timestamp(day) for day in given])


def sessions(first, last):
    known = calendar.sessions()
    return known[(known >= first) & (known <= last)]


def fetch(made, kind, wanted, store, what=""):
    asks = [ask for ask in made.asks("si", kind, wanted, store) if what in ask.what]
    return [ask.fetch() for ask in asks]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def bar(code, day="20240515", **cells):
    row = {
        "ts_code": code, "trade_date": day, "pre_close": 11990.0, "pre_settle": 12000.0,
        "open": 12000.0, "high": 12100.0, "low": 11950.0, "close": 12050.0, "settle": 12030.0,
        "change1": 50.0, "change2": 30.0, "vol": 85000.0, "amount": 511275.0, "oi": 120000.0,
        "oi_chg": -500.0,
    }  # fmt: skip
    return row | cells


# --- bars ---------------------------------------------------------------------------------


def test_bars_of_a_day_are_those_of_the_products_contracts(store):
    made, pro, _ = make(
        {"fut_daily": [bar("SI2411.GFE"), bar("SI.GFE"), bar("SIL.GFE"), bar("LC2411.GFE")]}
    )
    (table,) = fetch(made, "bars", days(DAY), store)
    assert pro.asked == [("fut_daily", {"trade_date": "20240515", "exchange": "GFEX"})]
    assert store.upsert("si", "bars", table).added == 1
    row = store.read("si", "bars").iloc[0]
    assert (row["contract"], row["date"]) == ("si2411", DAY)
    assert (row["open"], row["high"], row["low"]) == (12000, 12100, 11950)
    assert (row["close"], row["settle"]) == (12050, 12030)
    assert (row["volume"], row["open_interest"]) == (85000, 120000)  # lots, as they come
    assert row["source"] == "tushare fut_daily"


def test_a_contract_that_did_not_trade_has_no_open_high_or_low(store):
    silent = bar("SI2504.GFE", open=0.0, high=None, low=0.0, vol=0.0)
    (table,) = fetch(make({"fut_daily": [silent]})[0], "bars", days(DAY), store)
    assert table[["open", "high", "low"]].isna().all(axis=None)
    assert table["settle"].tolist() == [12030]
    assert table["volume"].tolist() == [0]


def test_a_day_without_bars_is_an_empty_answer(store):
    (table,) = fetch(make({"fut_daily": []})[0], "bars", days(DAY), store)
    assert table.empty
    assert store.upsert("si", "bars", table).added == 0


def test_one_question_a_session_names_that_session(store):
    asks = list(make({})[0].asks("si", "bars", days("2024-05-15", "2024-05-16"), store))
    assert [ask.what for ask in asks] == ["2024-05-15", "2024-05-16"]
    assert [ask.days for ask in asks] == [(DAY,), (pd.Timestamp("2024-05-16"),)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([bar("SI2411.GFE", day="20240514")], "asked for 2024-05-15 and answered 2024-05-14"),
        ([bar("SI2411.GFE", day="15.05.")], "no date"),
        ([bar("SI2411.GFE", close="x")], "close holds something that is no number"),
        ([bar(f"A{n:04}.DCE") for n in range(2000)], "2000 rows and may be cut off"),
        (pd.DataFrame({"ts_code": ["SI2411.GFE"]}), "no column trade_date"),
    ],
)
def test_an_answer_that_cannot_be_right_is_wrong(store, answer, said):
    with pytest.raises(Wrong, match=said):
        fetch(make({"fut_daily": answer})[0], "bars", days(DAY), store)


# --- receipts and contracts ---------------------------------------------------------------


def receipt(warehouse, vol, unit="手", day="20240515", **more):
    row = {
        "trade_date": day, "symbol": "SI", "fut_name": "工业硅", "warehouse": warehouse,
        "pre_vol": 100, "vol": vol, "vol_chg": 0, "unit": unit,
    }  # fmt: skip
    return row | more


def test_receipts_are_the_sum_over_warehouses_and_not_over_their_subtotals(store):
    rows = [receipt("外运天津", 300), receipt("外运天津", 300), receipt("小计", 600)]
    rows += [receipt("昆明国储", 45), receipt("总计", 645)]
    made, pro, _ = make({"fut_wsr": rows})
    (table,) = fetch(made, "receipts", days(DAY), store)
    assert pro.asked == [("fut_wsr", {"trade_date": "20240515", "symbol": "SI"})]
    assert table["lots"].tolist() == [645]
    store.upsert("si", "receipts", table)
    assert store.read("si", "receipts")["date"].tolist() == [DAY]


def test_receipts_in_tonnes_become_lots(store):
    (table,) = fetch(
        make({"fut_wsr": [receipt("外运天津", 300, "吨")]})[0], "receipts", days(DAY), store
    )
    assert table["lots"].tolist() == [60]


def test_a_day_without_receipts_rows_is_unknown_not_zero(store):
    (table,) = fetch(make({"fut_wsr": []})[0], "receipts", days(DAY), store)
    assert table.empty


@pytest.mark.parametrize("row", [receipt("x", 7, "吨"), receipt("x", 7, "千克"), receipt("x", -7)])
def test_receipts_in_a_unit_that_makes_no_lots_are_wrong(store, row):
    with pytest.raises(Wrong, match=r"lots"):
        fetch(make({"fut_wsr": [row]})[0], "receipts", days(DAY), store)


def test_a_warehouse_without_a_count_is_wrong_and_not_zero(store):
    rows = [receipt("外运天津", 300), receipt("昆明国储", None)]
    with pytest.raises(Wrong, match="without a count"):
        fetch(make({"fut_wsr": rows})[0], "receipts", days(DAY), store)


def test_the_contract_list_holds_listing_and_last_days(store):
    rows = [
        {"ts_code": "SI2411.GFE", "list_date": "20240315", "delist_date": "20241114",
         "last_ddate": "20241119"},
        {"ts_code": "SI2605.GFE", "list_date": "20250516", "delist_date": None,
         "last_ddate": None},
        {"ts_code": "SI.GFE", "list_date": None, "delist_date": None, "last_ddate": None},
    ]  # fmt: skip
    made, pro, _ = make({"fut_basic": rows})
    (table,) = fetch(made, "contracts", days(DAY), store)
    assert pro.asked[0][1] == {"exchange": "GFEX", "fut_type": "1", "fut_code": "SI"}
    store.upsert("si", "contracts", table)
    kept = store.read("si", "contracts").set_index("contract")
    assert list(kept.index) == ["si2411", "si2605"]
    assert kept.loc["si2411", "last_delivery"] == pd.Timestamp("2024-11-19")
    assert pd.isna(kept.loc["si2605", "last_trading"])


# --- terms --------------------------------------------------------------------------------


def parameter(day, code="SI2411.GFE", spec=0.08, hedge=0.07, limit=0.06, reference=12000.0):
    return {
        "trade_date": day, "fut_code": code, "exchange": "GFEX", "trade_type": "期货",
        "type": "分开限仓", "spec_buy_rate": spec, "spec_buy": 4800.0, "hedge_buy_rate": hedge,
        "hedge_buy": 4200.0, "rise_limit_rate": limit,
        "rise_limit": reference * (1 + (limit if limit < 1 else limit / 100)),
        "fall_limit": reference * (1 - (limit if limit < 1 else limit / 100)),
    }  # fmt: skip


def put_settles(store, *pairs):
    table = pd.DataFrame(
        [
            {"date": pd.Timestamp(day), "contract": "si2411", "close": settle, "settle": settle}
            for day, settle in pairs
        ]
    )
    store.upsert("si", "bars", table.assign(source="test"))


# The rise from 6/8/7 to 7/9/8 of which no notice is known; in the file it is 2024-06-21.
WANTED = sessions("2024-05-15", "2024-05-17")


def test_parameters_that_agree_with_the_file_are_no_news(store):
    made, pro, _ = make({"fut_trade_param_gfe": [parameter("20240515"), parameter("20240516")]})
    (table,) = fetch(made, "terms", WANTED, store, "si2411 margins and limits")
    assert table.empty
    assert pro.asked[0][1] == {
        "fut_code": "SI2411.GFE", "start_date": "20240515", "end_date": "20240517",
    }  # fmt: skip


@pytest.mark.parametrize("scale", [1, 100])
def test_a_row_holds_in_its_session_so_its_terms_are_of_the_settlement_before(store, scale):
    rows = [parameter("20240515"), parameter("20240516", spec=0.09, hedge=0.08, limit=0.07)]
    rows += [parameter("20240517", spec=0.09, hedge=0.08, limit=0.07)]
    for row in rows:
        for column in ("spec_buy_rate", "hedge_buy_rate", "rise_limit_rate"):
            row[column] *= scale  # shares, or per cent
    (table,) = fetch(
        make({"fut_trade_param_gfe": rows})[0], "terms", WANTED, store, "si2411 margins and limits"
    )
    assert dict(zip(table["item"], table["value"], strict=True)) == pytest.approx(
        {"speculator": 0.09, "hedger": 0.08, "limit": 0.07}
    )
    assert set(table["from"]) == {pd.Timestamp("2024-05-15")}
    assert set(table["confidence"]) == {"assumed"}  # nothing told which session is meant
    store.upsert("si", "terms", table)
    terms = product("si").extended(store.read("si", "terms"))
    assert terms.price_limit("si2411", WANTED).tolist() == pytest.approx([0.06, 0.07, 0.07])
    assert terms.margin_rate("si2411", WANTED, "company")[0] == pytest.approx(0.09)
    assert terms.margin_rate("si2412", WANTED, "company")[0] == pytest.approx(0.08)


def test_limit_prices_around_the_settlement_before_confirm_the_reading(store):
    put_settles(store, ("2024-05-14", 12000), ("2024-05-15", 12400), ("2024-05-16", 12100))
    rows = [
        parameter("20240515", reference=12000),
        parameter("20240516", reference=12400, limit=0.07),
    ]
    (table,) = fetch(
        make({"fut_trade_param_gfe": rows})[0], "terms", WANTED, store, "si2411 margins and limits"
    )
    assert table["from"].tolist() == [pd.Timestamp("2024-05-15")]
    assert table["confidence"].tolist() == ["inferred"]


def test_limit_prices_around_the_settlement_of_the_day_move_the_reading(store):
    put_settles(store, ("2024-05-14", 12000), ("2024-05-15", 12400), ("2024-05-16", 12100))
    rows = [
        parameter("20240515", reference=12400),
        parameter("20240516", reference=12100, limit=0.07),
    ]
    (table,) = fetch(
        make({"fut_trade_param_gfe": rows})[0], "terms", WANTED, store, "si2411 margins and limits"
    )
    assert table["from"].tolist() == [pd.Timestamp("2024-05-16")]


def test_limit_prices_that_say_both_are_wrong(store):
    put_settles(store, ("2024-05-14", 12000), ("2024-05-15", 12400), ("2024-05-16", 12100))
    rows = [parameter("20240515", reference=12000), parameter("20240516", reference=12100)]
    with pytest.raises(Wrong, match="no telling in which session"):
        fetch(make({"fut_trade_param_gfe": rows})[0], "terms", WANTED, store, "si2411 margins and")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([parameter("20240515", spec=0.0005)], "spec_buy_rate of si2411 is 0.0005"),
        ([parameter("20240515", spec=95.0)], "spec_buy_rate of si2411 is 95"),
        ([parameter("20240515", code="SI2412.GFE")], "asked for si2411 and answered si2412"),
        ([parameter("20240515"), parameter("20240515", spec=0.09)], "two rows of si2411"),
        ([parameter("20240518")], "2024-05-18, which is no session"),
    ],
)
def test_parameters_that_cannot_be_right_are_wrong(store, rows, said):
    made, _, _ = make({"fut_trade_param_gfe": rows})
    with pytest.raises(Wrong, match=said):
        fetch(made, "terms", WANTED, store, "si2411 margins and limits")


def test_a_dash_for_the_lower_limit_is_unknown(store):
    rows = [parameter("20240515") | {"fall_limit": "-"}]
    made, _, _ = make({"fut_trade_param_gfe": rows})
    (table,) = fetch(made, "terms", WANTED, store, "si2411 margins and limits")
    assert table.empty


def settlement(day, code="SI2411.GFE", **cells):
    row = {
        "ts_code": code, "trade_date": day, "settle": 12030.0, "trading_fee_rate": 0.1,
        "trading_fee": 0.0, "delivery_fee": 1.0, "b_hedging_margin_rate": 0.07,
        "s_hedging_margin_rate": 0.07, "long_margin_rate": 0.08, "short_margin_rate": 0.08,
    }  # fmt: skip
    return row | cells


def test_settlement_margins_are_of_their_own_day_and_the_higher_side_counts(store):
    rows = [
        settlement("20240515"),
        settlement("20240516", long_margin_rate=9.0, short_margin_rate=None),
        settlement("20240517", long_margin_rate=9.0, b_hedging_margin_rate=0.08),
    ]
    (table,) = fetch(
        make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 settlement margins"
    )
    found = {row["item"]: (f"{row['from']:%m-%d}", row["value"]) for _, row in table.iterrows()}
    assert found == {"speculator": ("05-16", 0.09), "hedger": ("05-17", 0.08)}


@pytest.mark.parametrize("unit", [1.0, 0.01, 0.001, 0.0001])
def test_the_unit_of_a_fee_is_the_one_that_gives_the_fee_known(store, unit):
    # si2411 pays 0.0001 by the file; on the third day it was raised.
    rates = [0.0001 / unit, 0.0001 / unit, 0.00025 / unit]
    rows = [
        settlement(f"{day:%Y%m%d}", trading_fee_rate=rate)
        for day, rate in zip(WANTED, rates, strict=True)
    ]
    (table,) = fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")
    assert dict(zip(table["item"], table["value"], strict=True)) == pytest.approx(
        {"open": 0.00025, "close": 0.00025}
    )
    assert set(table["from"]) == {WANTED[2]}


def test_a_fee_in_no_known_unit_is_refused(store):
    rows = [settlement("20240515", trading_fee_rate=0.3)]
    with pytest.raises(Wrong, match="no telling in which unit"):
        fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")


def test_a_fee_learned_before_tells_the_unit_later(store):
    learned = pd.DataFrame(
        {"contract": "si2411", "item": ["open", "close"], "from": WANTED[0], "value": 0.0003,
         "source": "test", "confidence": "sourced"}
    )  # fmt: skip
    store.upsert("si", "terms", learned)
    rows = [settlement("20240516", trading_fee_rate=0.3)]  # per mille
    (table,) = fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")
    assert table.empty


@pytest.mark.parametrize(
    ("today", "found"),
    [(0.1, {"close_today": 0.0001}), (0.0, {}), (100.0, {}), (None, {})],
)
def test_a_fee_of_the_day_is_taken_only_where_it_can_be_nothing_else(store, today, found):
    rows = [settlement("20240515", offset_today_fee=today)]
    (table,) = fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")
    assert dict(zip(table["item"], table["value"], strict=True)) == pytest.approx(found)


def test_fees_in_yuan_a_lot_are_news_of_their_own(store):
    rows = [settlement("20240515", trading_fee_rate=0.0, trading_fee=3.0)]
    (table,) = fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")
    assert dict(zip(table["item"], table["value"], strict=True)) == {
        "open": 0.0, "close": 0.0, "open_per_lot": 3.0, "close_per_lot": 3.0,
    }  # fmt: skip


def test_a_fraction_of_a_cent_a_lot_is_wrong(store):
    rows = [settlement("20240515", trading_fee_rate=0.0, trading_fee=0.0001)]
    with pytest.raises(Wrong, match=r"0\.0001 yuan a lot"):
        fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")


def test_no_fee_at_all_is_unknown(store):
    rows = [settlement("20240515", trading_fee_rate=0.0), settlement("20240516")]
    (table,) = fetch(make({"fut_settle": rows})[0], "terms", WANTED, store, "si2411 fees")
    assert table.empty


@pytest.mark.parametrize("api", ["fut_trade_param_gfe", "fut_settle"])
def test_terms_of_which_tushare_has_nothing_are_empty(store, api):
    made, _, _ = make({"fut_trade_param_gfe": [], "fut_settle": []})
    what = "limits" if api == "fut_trade_param_gfe" else "si2411 fees"
    assert all(table.empty for table in fetch(made, "terms", WANTED, store, what))


def test_terms_are_asked_of_the_contracts_that_trade(store):
    asks = list(make({})[0].asks("si", "terms", days("2024-05-15"), store))
    named = {ask.what.split()[0] for ask in asks}
    assert named == {f"si24{month:02}" for month in range(5, 13)}
    assert not list(make({})[0].asks("si", "terms", days(), store))


# --- troubles -----------------------------------------------------------------------------


def test_without_a_token_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("TUSHARE_TOKEN", raising=False)
    with pytest.raises(SettingError, match="set TUSHARE_TOKEN in the environment"):
        tushare.source()


def test_without_the_library_the_cure_is_named(monkeypatch):
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)
    monkeypatch.setitem(__import__("sys").modules, "tushare", None)
    with pytest.raises(SettingError, match="pip install") as caught:
        tushare.source()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionError("connection aborted"),
        TimeoutError("read timed out"),
        ValueError("Expecting value"),  # half an answer
        KeyError("data"),
        TypeError("'NoneType' object is not subscriptable"),
        Exception("系统内部错误，请稍后再试"),
        pd.DataFrame(),  # what the library makes of HTTP 500
    ],
)
def test_a_broken_answer_may_be_asked_for_again(store, trouble):
    with pytest.raises(Temporary):
        fetch(make({"fut_daily": trouble})[0], "bars", days(DAY), store)


def test_nobody_to_speak_to_is_told_apart(store):
    from requests import exceptions
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    refused = MaxRetryError(None, "/", NewConnectionError(None, "refused"))
    for trouble in (exceptions.ConnectTimeout("x"), exceptions.ConnectionError(refused)):
        with pytest.raises(Unreachable):
            fetch(make({"fut_daily": trouble})[0], "bars", days(DAY), store)


def test_without_a_network_tushare_is_tried_once_and_told_in_a_line_a_kind(store):
    from requests import exceptions

    gone = exceptions.ConnectTimeout("x")
    apis = ("fut_daily", "fut_wsr", "fut_basic", "fut_trade_param_gfe", "fut_settle")
    made, pro, _ = make(dict.fromkeys(apis, gone))
    steps = []
    done = pull(made, store, "si", DAY, DAY, sleep=lambda seconds: None, say=steps.append)
    assert len(pro.asked) == 2  # the first question and its one repetition
    assert [step.outcome for step in steps if step.outcome != "begins"] == ["waits", "stopped"]
    assert done.unreachable == "tushare cannot be reached"
    said = [str(missing) for missing in done.missing]
    assert len(said) == 4
    assert max(map(len, said)) < 200
    assert "si2405 margins and limits" in said[-1]
    assert re.search(r" and \d+ more: tushare cannot be reached$", said[-1])


def test_too_few_calls_a_day_are_a_failure(store):
    limit = Exception("抱歉，您每天最多访问该接口5次")
    made, _, _ = make({"fut_wsr": limit})
    done = pull(made, store, "si", DAY, DAY, ["receipts"], sleep=lambda seconds: None)
    assert [missing.failed for missing in done.missing] == [True]


def test_a_pull_goes_on_with_what_the_token_may_read(store):
    made, _, _ = make(
        {
            "fut_daily": [bar(f"SI24{month:02}.GFE") for month in range(5, 13)],
            "fut_wsr": Exception(POINTS),
            "fut_basic": [],
            "fut_trade_param_gfe": Exception(POINTS),
            "fut_settle": [],
        }
    )
    done = pull(made, store, "si", DAY, DAY, sleep=lambda seconds: None)
    assert len(store.read("si", "bars")) == 8
    assert any("may not read fut_wsr" in missing.why for missing in done.missing)
    assert not [missing for missing in done.missing if missing.failed]
    assert not [missing for missing in done.missing if missing.kind == "bars"]
    assert TOKEN not in str(done.missing)


def test_too_many_calls_a_minute_wait_for_the_next_minute(store):
    limit = Exception("抱歉，您每分钟最多访问该接口60次，权限的具体详情访问：https://tushare.pro")
    made, pro, slept = make({"fut_daily": [limit]})
    (ask,) = made.asks("si", "bars", days(DAY), store)
    with pytest.raises(Temporary, match="60 calls of fut_daily a minute"):
        ask.fetch()
    pro.answers["fut_daily"] = [bar("SI2411.GFE")]
    assert len(ask.fetch()) == 1
    assert slept[-1] > 60
    made._next.clear()
    ask.fetch()
    ask.fetch()
    assert slept[-1] == pytest.approx(63 / 60)


def test_what_the_token_may_not_read_is_asked_for_once_and_the_rest_goes_on(store):
    made, pro, _ = make({"fut_daily": Exception(POINTS), "fut_wsr": [receipt("外运天津", 5)]})
    asks = made.asks("si", "bars", sessions("2024-05-13", "2024-05-17"), store)
    with pytest.raises(Wrong, match="may not read fut_daily"):
        next(asks).fetch()
    (rest,) = asks
    assert rest.days == tuple(sessions("2024-05-14", "2024-05-17"))
    with pytest.raises(Wrong, match="may not read fut_daily"):
        rest.fetch()
    assert len(pro.asked) == 1
    (table,) = fetch(made, "receipts", days(DAY), store)
    assert len(table) == 1


def test_questions_made_before_the_refusal_do_not_reach_the_server(store):
    made, pro, _ = make({"fut_daily": Exception(POINTS)})
    for ask in list(made.asks("si", "bars", sessions("2024-05-13", "2024-05-17"), store)):
        with pytest.raises(Wrong, match="may not read fut_daily"):
            ask.fetch()
    assert len(pro.asked) == 1


def test_terms_a_token_may_not_read_do_not_keep_the_others_away(store):
    refused = Exception("抱歉，您没有权限访问该接口（积分不足）")
    made, pro, _ = make({"fut_trade_param_gfe": refused, "fut_settle": [settlement("20240515")]})
    outcomes = []
    for ask in made.asks("si", "terms", days(DAY), store):
        try:
            ask.fetch()
            outcomes.append("answered")
        except Wrong as error:
            outcomes.append(str(error).split(" (")[0])
    assert outcomes.count("this token may not read fut_trade_param_gfe") == 1
    assert "answered" in outcomes
    assert [api for api, _ in pro.asked].count("fut_trade_param_gfe") == 1


def test_calls_used_up_for_the_day_are_not_asked_again(store):
    made, _, _ = make({"fut_wsr": Exception("抱歉，您每天最多访问该接口2次，权限的具体详情访问")})
    with pytest.raises(Wrong, match="2 calls of fut_wsr a day; go on later"):
        fetch(made, "receipts", days(DAY), store)


def test_the_token_is_nowhere_in_messages_tracebacks_or_files(store, capsys):
    told = f"您的token不对，请确认。{TOKEN}"
    for trouble in (
        Exception(told),
        Exception(f"参数校验失败 {TOKEN}"),
        ConnectionError(f"http://api.waditu.com {TOKEN}"),
        Exception(f"服务异常 {TOKEN}"),
    ):
        made, _, _ = make({"fut_daily": trouble, "fut_basic": []})
        with pytest.raises((SettingError, Wrong, Temporary)) as caught:
            fetch(made, "bars", days(DAY), store)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(made)
        assert TOKEN not in shown
        assert caught.value.__context__ is None
    made, _, _ = make({"fut_daily": [bar("SI2411.GFE")]})
    (table,) = fetch(made, "bars", days(DAY), store)
    store.upsert("si", "bars", table)
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert store.path("si", "bars") in files
    assert all(TOKEN.encode() not in path.read_bytes() for path in files)
    assert TOKEN not in "".join(capsys.readouterr())


def test_a_refused_token_is_a_setting(store):
    made, _, _ = make({"fut_daily": Exception("您的token不对，请确认。")})
    with pytest.raises(SettingError, match="does not accept the token in TUSHARE_TOKEN"):
        fetch(made, "bars", days(DAY), store)


# --- the library --------------------------------------------------------------------------


@pytest.fixture
def library():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import tushare as installed
        except ImportError:
            reason = "tushare is not installed: pip install 'sibt[tushare]'"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return installed


def test_the_installed_library_takes_what_it_is_given(library):
    from tushare.pro.client import DataApi

    assert str(inspect.signature(library.pro_api)) == "(token='', timeout=30)"
    assert str(inspect.signature(DataApi.query)) == "(self, api_name, fields='', **kwargs)"
    assert isinstance(library.pro_api(TOKEN), DataApi)


def test_the_installed_library_answers_as_the_fake_does(library, monkeypatch, store):
    sent = []

    class Response:
        text = (
            '{"code": 0, "msg": "", "data": {"fields": ["ts_code", "trade_date", "open", "high",'
            ' "low", "close", "settle", "vol", "oi"], "items": [["SI2411.GFE", "20240515", 1.0,'
            " 2.0, 1.0, 2.0, 1.5, 3.0, null]]}}"
        )

        def __init__(self, ok):
            self.ok = ok

        def __bool__(self):
            return self.ok

    def post(url, json, timeout):
        sent.append(json)
        return Response(len(sent) == 1)

    monkeypatch.setattr("tushare.pro.client.requests.post", post)
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)
    made = tushare.source()
    (table,) = fetch(made, "bars", days(DAY), store)
    assert table["settle"].tolist() == [1.5]
    assert sent[0]["token"] == TOKEN
    assert sent[0]["params"]["trade_date"] == "20240515"
    with pytest.raises(Temporary, match="no answer to fut_daily"):  # HTTP 500
        fetch(made, "bars", days(DAY), store)


def test_the_librarys_token_file_is_not_written(library, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)
    tushare.source()
    assert not list(tmp_path.rglob("*"))
