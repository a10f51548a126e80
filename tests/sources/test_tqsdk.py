import inspect
import traceback
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest

from sibt.errors import SettingError
from sibt.market import calendar
from sibt.sources.online import tqsdk
from sibt.sources.online.asking import Temporary, Wrong
from sibt.sources.online.pull import Unreachable, pull
from sibt.sources.store import Store

USER, PASSWORD = "someone@example.org", "correct-horse"

# si2308 began on 2022-12-22; settlements begin on 2022-12-26.
FIRST = calendar.sessions()[calendar.sessions() >= "2022-12-22"][:4]


class TqTimeoutError(Exception):
    pass


def stamp(day, hours=0):
    """Nanoseconds since 1970 of an hour in Beijing, as TqSdk gives them."""
    return (pd.Timestamp(day, tz="Asia/Shanghai") + pd.Timedelta(hours=hours)).value


def klines(stamps, length=8):
    """A table as `get_kline_serial` gives it: all floats, rows that hold nothing in front."""
    rows = [[0, i - length, *[np.nan] * 4, 0, 0, 0] for i in range(length - len(stamps))]
    rows += [
        [at, i, 18000 + i, 18100 + i, 17900 + i, 18050 + i, 1000 + i, 500 + i, 600 + i]
        for i, at in enumerate(stamps)
    ]
    table = pd.DataFrame(
        np.array(rows, dtype="float64"),
        columns=[
            "datetime", "id", "open", "high", "low", "close", "volume", "open_oi", "close_oi",
        ],
    )  # fmt: skip
    return table.assign(symbol="GFEX.si2308", duration=86400)


def settlements(*pairs, code="si2308"):
    """A table as `query_symbol_settlement` gives it: rows put in one by one, all objects."""
    table = pd.DataFrame([], columns=["datetime", "symbol", "settlement"])
    for at, (day, value) in enumerate(pairs):
        table.loc[at] = {"datetime": day, "symbol": code, "settlement": value}
    return table


class Api:
    def __init__(self, bars=None, settles=None, trouble=None):
        self.bars = klines([stamp(day) for day in FIRST]) if bars is None else bars
        self.settles = settlements() if settles is None else settles
        self.trouble, self.asked, self.closed = trouble, [], 0

    def query_quotes(self, ins_class=None, exchange_id=None, product_id=None):
        self.asked.append(("query_quotes", ins_class, exchange_id, product_id))
        return ["GFEX.si2308", "GFEX.si2309"]

    def get_kline_serial(self, symbol, duration_seconds, data_length=200):
        self.asked.append(("get_kline_serial", symbol, duration_seconds))
        if self.trouble:
            raise self.trouble
        assert data_length <= 10000
        return self.bars

    def query_symbol_settlement(self, symbol, days=1, start_dt=None):
        self.asked.append(("query_symbol_settlement", symbol, days, start_dt))
        return self.settles

    def close(self):
        self.closed += 1


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def fetch(api, store, code="si2308", wanted=FIRST):
    made = tqsdk.TqSdk(lambda: api, secrets=(USER, PASSWORD))
    (ask,) = [ask for ask in made.asks("si", "bars", wanted, store) if ask.what == code]
    return ask.fetch()


def test_bars_and_settlements_are_joined_and_a_session_without_one_keeps_it_unknown(store):
    api = Api(settles=settlements(("2022-12-26", 18010.0), ("2022-12-27", 18020.0)))
    table = fetch(api, store)
    assert store.upsert("si", "bars", table).added == 4
    kept = store.read("si", "bars")
    assert kept["date"].tolist() == FIRST.tolist()
    assert set(kept["contract"]) == {"si2308"}
    assert kept["settle"].isna().tolist() == [True, True, False, False]
    assert kept["settle"].tolist()[2:] == [18010, 18020]
    assert kept["open"].tolist() == [18000, 18001, 18002, 18003]
    assert kept["high"].tolist() == [18100, 18101, 18102, 18103]
    assert kept["low"].tolist() == [17900, 17901, 17902, 17903]
    assert kept["close"].tolist() == [18050, 18051, 18052, 18053]
    assert kept["volume"].tolist() == [1000, 1001, 1002, 1003]
    assert kept["open_interest"].tolist() == [600, 601, 602, 603]  # at the end of the session
    assert set(kept["source"]) == {"tqsdk"}


def test_settlements_are_asked_for_from_the_day_they_begin(store):
    api = Api()
    fetch(api, store)
    assert api.asked == [
        ("query_quotes", "FUTURE", "GFEX", "si"),
        ("get_kline_serial", "GFEX.si2308", 86400),
        ("query_symbol_settlement", "GFEX.si2308", 2, date(2022, 12, 26)),
    ]


def test_no_settlements_are_asked_for_before_they_begin(store):
    api = Api()
    assert len(fetch(api, store, wanted=FIRST[:2])) == 2
    assert "query_symbol_settlement" not in [name for name, *_ in api.asked]


@pytest.mark.parametrize("name", ["si2308", "SI2308", "GFEX.si2308"])
@pytest.mark.parametrize("day", ["2022-12-26", "20221226"])
def test_settlements_are_known_by_code_and_day_however_they_are_written(store, name, day):
    table = fetch(Api(settles=settlements((day, 18010.0), code=name)), store)
    assert table.set_index("date").loc["2022-12-26", "settle"] == 18010


def test_settlements_of_another_contract_are_left_out(store):
    table = fetch(Api(settles=settlements(("20221226", 1.0), code="si2309")), store)
    assert table["settle"].isna().all()


@pytest.mark.parametrize("hours", [0, 9])
def test_a_bar_belongs_to_the_session_it_begins_in(store, hours):
    table = fetch(Api(bars=klines([stamp(day, hours) for day in FIRST])), store)
    assert table["date"].tolist() == FIRST.tolist()


def test_a_bar_that_begins_in_the_evening_is_the_next_sessions(store):
    # Friday evening is Monday's.
    table = fetch(Api(bars=klines([stamp("2022-12-23", 21)])), store)
    assert table["date"].tolist() == [pd.Timestamp("2022-12-26")]


def test_bars_of_sessions_not_asked_for_are_left_out(store):
    table = fetch(Api(), store, wanted=FIRST[1:3])
    assert table["date"].tolist() == FIRST[1:3].tolist()


def test_each_contract_is_one_question_with_the_sessions_of_its_life(store):
    made = tqsdk.TqSdk(Api)
    known = calendar.sessions()
    around = known[(known >= "2023-08-10") & (known <= "2023-08-22")]
    asks = {ask.what: ask for ask in made.asks("si", "bars", around, store)}
    assert asks["si2308"].days[-1] == pd.Timestamp("2023-08-14")
    assert asks["si2309"].days == tuple(around)
    assert "si2307" not in asks
    assert not list(made.asks("si", "receipts", around, store))


def test_a_contract_tqsdk_does_not_list_is_not_asked_for(store):
    api = Api()
    table = fetch(api, store, code="si2310")
    assert table.empty
    assert store.upsert("si", "bars", table).added == 0
    assert [name for name, *_ in api.asked] == ["query_quotes"]


def test_a_pull_keeps_the_sessions_it_gets_and_names_the_settlements_it_lacks(store):
    api = Api(settles=settlements(("20221226", 18010.0), ("20221227", 18020.0)))
    done = pull(
        tqsdk.TqSdk(lambda: api), store, "si", FIRST[0], FIRST[-1], sleep=lambda seconds: None
    )
    assert len(store.read("si", "bars").query("contract == 'si2308'")) == 4
    assert {what for missing in done.missing for what in missing.what} >= {"2022-12-22"}


def test_the_connection_is_opened_at_the_first_question_and_kept(store):
    opened = []
    made = tqsdk.TqSdk(lambda: opened.append(Api()) or opened[-1])
    asks = list(made.asks("si", "bars", FIRST, store))
    assert not opened
    for ask in asks[:2]:
        ask.fetch()
    assert len(opened) == 1
    made.close()
    assert opened[0].closed == 1


def test_after_a_failure_the_connection_is_opened_anew(store):
    apis = [Api(trouble=TqTimeoutError("获取 GFEX.si2308 (86400) 的K线超时")), Api()]
    made = tqsdk.TqSdk(lambda: apis.pop(0))
    first = apis[0]
    (ask,) = [ask for ask in made.asks("si", "bars", FIRST, store) if ask.what == "si2308"]
    with pytest.raises(Temporary, match="gave no answer"):
        ask.fetch()
    assert first.closed == 1
    assert len(ask.fetch()) == 4


@pytest.mark.parametrize(
    ("trouble", "kind", "said"),
    [
        (TqTimeoutError("接收数据超时"), Temporary, "TqTimeoutError"),
        (ConnectionResetError("reset"), Temporary, "ConnectionResetError"),
        (ConnectionRefusedError("refused"), Unreachable, "cannot be reached"),
        (Exception("用户权限认证失败 (503,{})"), Temporary, "gave no answer"),
        (Exception("用户权限认证失败 (401,{})"), SettingError, "TQ_USER and TQ_PASSWORD"),
        (Exception("您的账户不支持查看 GFEX.si2308 的行情数据"), Wrong, "may not read"),
        (Exception("K线数据周期 1 错误"), Wrong, "K线数据周期"),
    ],
)
def test_each_trouble_is_told_apart_and_says_nothing_of_the_login(store, trouble, kind, said):
    trouble.args = (f"{trouble.args[0]} {USER} {PASSWORD}",)
    with pytest.raises(kind, match=said) as caught:
        fetch(Api(trouble=trouble), store)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert USER not in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize(
    ("api", "said"),
    [
        (Api(bars=klines([stamp(FIRST[0])] * 2)), "two bars of si2308"),
        (Api(bars=klines([stamp(FIRST[0])]).drop(columns="close_oi")), "no column close_oi"),
        (Api(settles=settlements(("20221226", 1.0), ("2022-12-26", 2.0))), "two settlements"),
        (Api(settles=settlements(("20221226", "x"))), "no number"),
    ],
)
def test_tables_that_cannot_be_right_are_wrong(store, api, said):
    with pytest.raises(Wrong, match=said):
        fetch(api, store)


@pytest.mark.parametrize("missing", ["TQ_USER", "TQ_PASSWORD"])
def test_without_a_login_the_cure_is_named(monkeypatch, missing):
    monkeypatch.setenv("TQ_USER", USER)
    monkeypatch.setenv("TQ_PASSWORD", PASSWORD)
    monkeypatch.delenv(missing)
    with pytest.raises(SettingError, match="set TQ_USER and TQ_PASSWORD in the environment"):
        tqsdk.source()


def test_without_the_library_the_cure_is_named(monkeypatch):
    monkeypatch.setenv("TQ_USER", USER)
    monkeypatch.setenv("TQ_PASSWORD", PASSWORD)
    monkeypatch.setitem(__import__("sys").modules, "tqsdk", None)
    with pytest.raises(SettingError, match="pip install") as caught:
        tqsdk.source()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_the_login_goes_to_the_library_which_keeps_no_log(monkeypatch, store, capsys):
    given = {}

    class Library:
        @staticmethod
        def TqAuth(user_name, password):
            return (user_name, password)

        @staticmethod
        def TqApi(**settings):
            given.update(settings)
            return Api()

    monkeypatch.setenv("TQ_USER", USER)
    monkeypatch.setenv("TQ_PASSWORD", PASSWORD)
    monkeypatch.setitem(__import__("sys").modules, "tqsdk", Library)
    asks = {ask.what: ask for ask in tqsdk.source().asks("si", "bars", FIRST, store)}
    table = asks["si2308"].fetch()
    assert len(table) == 4
    assert given == {"auth": (USER, PASSWORD), "disable_print": True, "debug": False}
    store.upsert("si", "bars", table)
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert all(PASSWORD.encode() not in path.read_bytes() for path in files)
    assert PASSWORD not in "".join(capsys.readouterr())


def test_the_installed_library_takes_what_it_is_given():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = pytest.importorskip(
            "tqsdk",
            reason="tqsdk is not installed; it needs pandas below 3.1",
            exc_type=ImportError,
        )
    wanted = {
        "query_quotes": ("ins_class", "exchange_id", "product_id"),
        "get_kline_serial": ("symbol", "duration_seconds", "data_length"),
        "query_symbol_settlement": ("symbol", "days", "start_dt"),
        "__init__": ("auth", "disable_print", "debug"),
        "close": (),
    }
    for name, arguments in wanted.items():
        has = inspect.signature(getattr(library.TqApi, name)).parameters
        assert set(arguments) <= set(has), name
    assert list(inspect.signature(library.TqAuth).parameters) == ["user_name", "password"]
    from tqsdk.exceptions import TqTimeoutError as Timeout
    from tqsdk.objs import Kline

    assert Timeout.__name__ == TqTimeoutError.__name__
    fields = {name for name in vars(Kline(None)) if not name.startswith("_")}
    assert {"datetime", "open", "high", "low", "close", "volume", "close_oi"} <= fields
