"""akshare as a source: its own parsing is fed what the sites send, trap by trap."""

import importlib
import inspect
import json
import os
import re
import warnings
from datetime import datetime
from functools import partial
from io import BytesIO, StringIO
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import gfex_server
import pandas as pd
import pytest
from gfex_server import GFEX

from sibt.errors import SettingError
from sibt.sources.online import akshare as adapter
from sibt.sources.online import wire
from sibt.sources.online.asking import Temporary, Wrong
from sibt.sources.online.pull import Unreachable, pull
from sibt.sources.online.tables_of_today import fees_openctp, margins
from sibt.sources.store import Store

DAY = pd.Timestamp("2024-05-15")
NOW = datetime(2024, 5, 21, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def library():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("akshare")
    except ImportError:
        reason = "akshare is not installed: pip install 'sibt[akshare]'"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def exchange(monkeypatch):
    server = GFEX()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def source(library):
    return adapter.source(lambda: NOW)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def web(monkeypatch):
    """Sites beside the exchange: pages by a part of the address, put where the network begins."""
    import requests
    from urllib3 import HTTPResponse

    pages: dict[str, tuple[int, str]] = {}
    seen: list[str] = []

    def send(self, request, **given):
        assert given["timeout"]
        seen.append(request.url)
        status, page = next((v for k, v in pages.items() if k in request.url), (502, ""))
        body = HTTPResponse(BytesIO(page.encode()), status=status, preload_content=False)
        return self.build_response(request, body)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return SimpleNamespace(pages=pages, seen=seen)


@pytest.mark.parametrize("name", adapter.FUNCTIONS)
def test_akshare_still_has_what_is_used_of_it(library, name):
    """A contract: it fails when the installed akshare renames a function or an argument."""
    assert hasattr(library, name), f"akshare {library.__version__} has no {name} any more"
    parameters = inspect.signature(getattr(library, name)).parameters
    assert tuple(parameters) == adapter.FUNCTIONS[name]


def test_nothing_else_is_used_of_akshare():
    text = inspect.getsource(adapter)
    used = set(re.findall(r"self\.library\.(\w+)", text))
    assert used <= set(adapter.FUNCTIONS)


def test_without_akshare_the_cure_is_named(monkeypatch):
    monkeypatch.setattr(adapter, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install -e '.\[akshare\]'"):
        adapter.source()


# Daily bars of the exchange -----------------------------------------------------------------


def test_the_exchanges_bars_come_with_their_official_settlement(exchange, source, store):
    table = source.bars("si", DAY, store)
    assert list(table["contract"]) == gfex_server.codes("si", DAY)
    assert list(table["settle"]) == [gfex_server.settle(code, DAY) for code in table["contract"]]
    assert set(table["date"]) == {DAY}
    assert set(table["source"]) == {"akshare gfex"}
    store.upsert("si", "bars", table)


def test_symbols_in_upper_case_become_contract_codes(exchange, source, store, library):
    assert "SI2406" in set(library.get_gfex_daily(date="20240515")["symbol"])
    assert source.bars("si", DAY, store)["contract"].str.fullmatch(r"si\d{4}").all()


def test_other_products_and_lines_of_totals_are_left_out(exchange, source, store, library):
    assert {"LC", "SI"} == set(library.get_gfex_daily(date="20240515")["variety"])
    assert len(source.bars("si", DAY, store)) == len(gfex_server.codes("si", DAY))
    assert set(source.bars("lc", DAY, store)["contract"]) == {"lc2407", "lc2408"}


def test_zeros_for_prices_of_a_contract_that_did_not_trade_are_unknown(exchange, source, store):
    row = source.bars("si", DAY, store).iloc[-1]
    assert row["volume"] == 0
    assert row[["open", "high", "low"]].isna().all()
    assert row["settle"] == gfex_server.settle(row["contract"], DAY)


BROKEN = {
    "500": "answered 500",
    "403": "answered 403",
    "html": "a web page instead of data",
    "half": "half an answer instead of data",
    "short": "broke off its answer",
    "drop": "broke off its answer",
    "gbk": "unknown encoding",
    "empty": "empty table",
    "sum": "half a table",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_no_holiday(exchange, source, store, how):
    exchange.plan["bars", "20240515"] = [how]
    with pytest.raises(Temporary, match=BROKEN[how]):
        source.bars("si", DAY, store)


@pytest.mark.parametrize("how", ["html", "half"])
def test_akshare_alone_makes_an_empty_table_of_a_failure(exchange, library, how):
    """Why answers are judged on the wire: this is the trap itself."""
    exchange.plan["bars", "20240515"] = [how]
    assert library.get_gfex_daily(date="20240515").empty


@pytest.mark.parametrize("how", ["slow", "trickle"])
def test_a_slow_server_does_not_hang_the_pull(exchange, source, store, monkeypatch, how):
    monkeypatch.setattr(wire, "LIMIT", 0.3)
    exchange.plan["bars", "20240515"] = [how]
    with pytest.raises(Temporary, match=r"in 0\.3 s"):
        source.bars("si", DAY, store)


def test_nobody_at_the_other_end_is_told_apart(source, store, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="cannot be reached"):
        source.bars("si", DAY, store)


def test_a_holiday_is_a_whole_answer_with_nothing_in_it(exchange, source, store):
    exchange.plan["bars", "20240515"] = ["holiday"]
    assert source.bars("si", DAY, store).empty


def test_a_day_akshares_own_calendar_lacks_is_no_holiday(exchange, source, store, monkeypatch):
    module = importlib.import_module("akshare.futures.futures_daily_bar")
    monkeypatch.setattr(module, "calendar", ["20240514"])
    with pytest.raises(Wrong, match="asked nobody"):
        source.bars("si", DAY, store)
    assert exchange.seen == []


def test_akshare_stamps_the_day_asked_for_on_whatever_comes(exchange, library):
    """The trap: bars of another day look like those of the day asked for."""
    exchange.plan["bars", "20240515"] = ["wrong:20240513"]
    frame = library.get_gfex_daily(date="20240515")
    assert set(frame["date"]) == {"20240515"}


@pytest.mark.parametrize(
    ("other", "why"),
    [("20240513", "settlements before do not agree"), ("20240514", "another day"),
     ("20240516", "settlements before do not agree"), ("20230301", "si2308 is not traded|another")],
)
def test_bars_of_another_day_are_refused(exchange, source, store, other, why):
    for word in ("2024-05-13", "2024-05-14"):
        store.upsert("si", "bars", source.bars("si", pd.Timestamp(word), store))
    exchange.plan["bars", "20240515"] = [f"wrong:{other}"]
    with pytest.raises(Wrong, match=why):
        source.bars("si", DAY, store)


def test_bars_of_a_kept_day_are_refused_under_another_name(exchange, source, store):
    """Without the session before to compare with, the same bars twice give it away."""
    store.upsert("si", "bars", source.bars("si", pd.Timestamp("2024-05-09"), store))
    exchange.plan["bars", "20240515"] = ["wrong:20240509"]
    with pytest.raises(Wrong, match="the same as those of 2024-05-09"):
        source.bars("si", DAY, store)


def test_contracts_that_have_ended_give_another_day_away(exchange, source, store):
    exchange.plan["bars", "20240515"] = ["wrong:20240110"]
    with pytest.raises(Wrong, match="si2401 is not traded on 2024-05-15"):
        source.bars("si", DAY, store)


# Sina ---------------------------------------------------------------------------------------


def sina(*rows: tuple) -> str:
    cells = [dict(zip("dohlcvps", map(str, row), strict=True)) for row in rows]
    return f"/*<script>location.href='//sina.com';</script>*/\nvar _V=({json.dumps(cells)});"


HISTORY = sina(
    ("2024-05-14", 12000, 12100, 11900, 12050, 800, 4000, 12010),
    ("2024-05-15", 12050, 12150, 11950, 12100, 900, 4100, 12060),
    ("2024-05-16", 12100, 12200, 12000, 12150, 700, 4200, 0),
)


def test_sinas_history_fills_the_sessions_asked_for_only(web, source):
    web.pages["getDailyKLine"] = (200, HISTORY)
    days = pd.DatetimeIndex(["2024-05-15", "2024-05-16"])
    table = source.history("si2411", days)
    assert "symbol=SI2411" in web.seen[0]
    assert list(table["date"]) == list(days)
    assert list(table["contract"]) == ["si2411"] * 2
    assert table["settle"].iloc[0] == 12060
    # Sina writes 0 where it has no settlement.
    assert pd.isna(table["settle"].iloc[1])
    assert list(table["open_interest"]) == [4100, 4200]


def test_a_contract_sina_does_not_know_has_nothing(web, source):
    web.pages["getDailyKLine"] = (200, "var _V=(null);")
    assert source.history("si2411", pd.DatetimeIndex([DAY])).empty


@pytest.mark.parametrize(
    ("page", "error"),
    [("<html>login</html>", Temporary), (HISTORY[:150], Temporary),
     ('var _V=([{"d": "2024-05-15", "x": 1}]);', Wrong)],
)
def test_a_broken_answer_of_sina_is_refused(web, source, page, error):
    web.pages["getDailyKLine"] = (200, page)
    with pytest.raises(error):
        source.history("si2411", pd.DatetimeIndex([DAY]))


def test_sina_is_asked_for_sessions_the_exchange_did_not_answer_and_never_replaces(
    exchange, source, store, monkeypatch
):
    exchange.plan["bars", "20240515"] = ["500"]
    asked = []

    def history(code, days):
        asked.append((code, list(days)))
        known = {"si2406": 12345.0}
        return pd.DataFrame({"date": days, "contract": code, "close": 9999.0,
                             "settle": known.get(code), "source": "akshare sina"})

    monkeypatch.setattr(source, "history", history)
    first, last = pd.Timestamp("2024-05-14"), pd.Timestamp("2024-05-16")
    run = partial(pull, source, store, "si", first, last, ["bars"], sleep=lambda seconds: None,
                  today=pd.Timestamp("2024-06-03"))
    done = run()
    assert {tuple(days) for _, days in asked} == {(DAY,)}
    assert [code for code, _ in asked] == gfex_server.codes("si", DAY)
    kept = store.read("si", "bars").set_index(["date", "contract"])
    assert kept.loc[(DAY, "si2406"), "settle"] == 12345
    assert (kept.loc[first, "close"] != 9999).all()
    assert str(done.missing[0]) == (
        "bars: 1 session, 2024-05-15: www.gfex.com.cn answered 500; filled in from akshare sina"
    )
    # The exchange is asked again, and its bars replace the stand-ins.
    exchange.plan.clear()
    asked.clear()
    assert run().missing == []
    assert asked == []
    kept = store.read("si", "bars").set_index(["date", "contract"])
    assert kept.loc[(DAY, "si2406"), "settle"] == gfex_server.settle("si2406", DAY)
    assert set(kept["source"]) == {"akshare gfex"}


# Receipts -----------------------------------------------------------------------------------


def test_receipts_are_todays_counts_and_never_the_column_of_changes(exchange, source, library):
    frame = library.futures_gfex_warehouse_receipt(date="20240515")["SI"]
    before = source.receipts("si", pd.Timestamp("2024-05-14"))["lots"].iloc[0]
    today = source.receipts("si", DAY)["lots"].iloc[0]
    assert today == sum(gfex_server.lots("si", DAY)) == frame["今日仓单量"].sum()
    # 增减 misses what was cancelled.
    assert frame["增减"].sum() != today - before


def test_receipts_of_another_day_are_refused(exchange, source):
    exchange.plan["receipts", "20240515"] = ["wrong:20240514"]
    with pytest.raises(Wrong, match="another day, 20240514"):
        source.receipts("si", DAY)


@pytest.mark.parametrize("how", sorted(set(BROKEN) - {"empty"}))
def test_a_broken_answer_is_not_no_receipts(exchange, source, how):
    exchange.plan["receipts", "20240515"] = [how]
    with pytest.raises(Temporary):
        source.receipts("si", DAY)


@pytest.mark.parametrize("how", ["holiday", "empty"])
def test_before_the_first_registration_there_are_no_receipts(exchange, source, how):
    exchange.plan["receipts", "20240515"] = [how]
    assert source.receipts("si", DAY).empty


def test_why_get_gfex_receipt_is_not_used(exchange, library):
    """It edits the list it is given, its own default among them, and fails on ["SI"]."""
    module = importlib.import_module("akshare.futures.receipt")
    given = ["SI", "LC", "PS"]
    module.get_gfex_receipt("20240515", given)
    assert given == ["SI"]
    with pytest.raises(ValueError, match="remove"):
        module.get_gfex_receipt("20240515", given)
    assert "get_gfex_receipt" not in adapter.FUNCTIONS


# Spot and basis -----------------------------------------------------------------------------


def ppi(day: str = "2024-05-15", rows: str = "", extra: str = "") -> str:
    title = f"<table><tr><td></td><td></td></tr><tr><td></td><td>100PPI {day}</td></tr></table>"
    cells = "<td>{}</td>"
    head = "".join(cells.format(c) for c in
                   ("商品", "现货价格", "代码", "价格", "现期差", "代码", "价格", "现期差"))
    return f"<html>{title}<table><tr>{head}</tr>{rows}</table>{extra}</html>"


def ppi_row(name: str = "工业硅", spot: float = 13000) -> str:
    cells = (name, spot, "2406", 12100, spot - 12100, "2409", 12000, spot - 12000)
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def test_spot_is_kept_as_grade_441_never_553(web, source):
    web.pages["100ppi"] = (200, ppi(rows=ppi_row()))
    table = source.spot("si", DAY)
    assert table.to_dict("records") == [
        {"date": DAY, "grade": "441", "price": 13000.0, "source": "akshare 100ppi"}
    ]


@pytest.mark.parametrize("product", ["lc", "ps"])
def test_spot_of_other_products_is_called_after_no_deliverable_grade(web, source, product):
    name = {"lc": "碳酸锂", "ps": "多晶硅"}[product]
    web.pages["100ppi"] = (200, ppi(rows=ppi_row(name, 100000)))
    assert list(source.spot(product, DAY)["grade"]) == ["100ppi"]


def test_the_basis_of_futures_spot_price_is_futures_less_spot(web, library):
    web.pages["100ppi"] = (200, ppi(rows=ppi_row()))
    row = library.futures_spot_price(date="20240515", vars_list=["SI"]).iloc[0]
    assert (row["spot_price"], row["dominant_contract_price"]) == (13000, 12000)
    assert row["dom_basis"] == -1000
    assert row["near_basis"] == -900
    adapter.check_basis(row)


def test_a_spot_quote_whose_basis_has_the_other_sign_is_refused(
    web, source, library, monkeypatch
):
    web.pages["100ppi"] = (200, ppi(rows=ppi_row()))
    original = library.futures_spot_price
    monkeypatch.setattr(library, "futures_spot_price",
                        lambda **given: original(**given).assign(near_basis=900.0))
    with pytest.raises(Wrong, match="near_basis is 900 where futures less spot is -900"):
        source.spot("si", DAY)


def test_the_basis_of_futures_spot_price_previous_is_spot_less_futures(web, library):
    head = "".join(f"<td>{c}</td>" for c in
                   ("商品", "现货价格", "主力合约代码", "主力合约价格", "主力合约变动",
                    "180日内主力基差最高", "180日内主力基差最低", "180日内主力基差平均"))
    body = "".join(f"<td>{c}</td>" for c in
                   ("工业硅", 13000, "2409", 12000, "7.69%", 1500, -200, 600))
    page = (f"<table><tr><td>x</td></tr></table><table><tr>{head}</tr><tr>{head}</tr>"
            f"<tr>{body}</tr></table><table><tr><td>1000</td><td>7.69%</td></tr></table>"
            "<table><tr><td>x</td></tr></table>")
    web.pages["100ppi"] = (200, f"<html>{page}</html>")
    row = library.futures_spot_price_previous(date="20240515").iloc[0]
    assert float(row["主力合约基差"]) == float(row["现货价格"]) - float(row["主力合约价格"]) == 1000
    flipped = {"spot_price": 13000.0, "near_contract_price": 12000.0, "near_basis": 1000.0}
    with pytest.raises(Wrong, match="near_basis is 1000 where futures less spot is -1000"):
        adapter.check_basis(flipped)


def test_a_page_of_another_day_is_refused_and_not_asked_for_without_end(web, source):
    web.pages["100ppi"] = (200, ppi("2024-05-14", ppi_row()))
    with pytest.raises(Wrong, match="another day, 2024-05-14"):
        source.spot("si", DAY)
    assert len(web.seen) == 1


def test_a_day_without_a_quote_has_nothing(web, source):
    web.pages["100ppi"] = (200, ppi(rows=ppi_row("铜", 80000)))
    assert source.spot("si", DAY).empty
    web.pages["100ppi"] = (404, "no such page")
    assert source.spot("si", DAY).empty


@pytest.mark.parametrize("page", ["<html>blocked</html>", "", ppi()[:60]])
def test_a_broken_page_is_no_day_without_a_quote(web, source, page):
    web.pages["100ppi"] = (200, page)
    with pytest.raises(Temporary):
        source.spot("si", DAY)
    assert len(web.seen) == 1


# Tables of today ----------------------------------------------------------------------------


def test_the_contract_list_is_the_exchanges_and_keeps_what_has_gone(exchange, source, store):
    store.upsert("si", "contracts", pd.DataFrame({"contract": ["si2308"], "source": ["before"]}))
    table = source.contracts("si")
    store.upsert("si", "contracts", table)
    kept = store.read("si", "contracts").set_index("contract")
    assert kept.loc["si2411", "last_trading"] == pd.Timestamp("2024-11-14")
    assert kept.loc["si2411", "last_delivery"] == pd.Timestamp("2024-11-19")
    # It lists live contracts only; those that ended stay.
    assert "si2308" in kept.index


def bars_until(source, store, last: str) -> None:
    for day in gfex_server.sessions():
        if day <= pd.Timestamp(last):
            store.upsert("si", "bars", source.bars("si", day, store))


def test_akshares_margins_are_todays_whatever_date_is_asked_for(exchange, library):
    frame = library.futures_settle_gfex(date="20230301")
    assert set(frame["date"]) == {"20230301"}
    assert "si2505" in set(frame["symbol"])


def test_margins_are_kept_under_todays_session_only_and_only_if_news(
    exchange, source, store, monkeypatch
):
    bars_until(source, store, "2024-05-21")
    assert source.margins("si", store).empty  # 8 %, 7 % and 6 % stand in the product's file
    raised = partial(gfex_server.margins, speculator=0.12, hedger=0.11, limit=0.1)
    monkeypatch.setattr(gfex_server, "margins", raised)
    news = source.margins("si", store)
    assert set(news["from"]) == {pd.Timestamp("2024-05-21")}
    values = news[news["contract"] == "si2411"].set_index("item")["value"].to_dict()
    assert values == {"speculator": 0.12, "hedger": 0.11, "limit": 0.1}
    assert set(news["confidence"]) == {"sourced"}
    store.upsert("si", "terms", news)
    assert source.margins("si", store).empty


def test_yesterdays_margins_in_the_evening_are_kept_under_yesterday(
    exchange, source, store, monkeypatch
):
    """The table is made from settlements: they tell its day, not the clock."""
    bars_until(source, store, "2024-05-21")
    exchange.today = pd.Timestamp("2024-05-20")
    raised = partial(gfex_server.margins, speculator=0.12)
    monkeypatch.setattr(gfex_server, "margins", raised)
    assert set(source.margins("si", store)["from"]) == {pd.Timestamp("2024-05-20")}


def test_where_settlements_stood_still_margins_are_of_the_newest_session():
    eve, day = pd.Timestamp("2024-05-20"), pd.Timestamp("2024-05-21")
    kept = pd.DataFrame({"date": [eve, day], "contract": "si2411", "settle": 12000.0})
    table = pd.DataFrame({"symbol": ["si2411"], "spec_buy_rate": 0.1, "spec_buy": 6000.0,
                          "hedge_buy_rate": 0.08, "hedge_buy": 4800.0,
                          "rise_limit_rate": 0.06, "rise_limit": 12720.0})
    assert set(margins(table, "si", kept, day, "a")["from"]) == {day}


def test_margins_of_a_day_long_past_are_refused(exchange, source, store):
    bars_until(source, store, "2024-05-21")
    exchange.today = pd.Timestamp("2024-05-06")
    with pytest.raises(Wrong, match="no recent settlement"):
        source.margins("si", store)
    exchange.today = pd.Timestamp("2023-05-08")
    with pytest.raises(Wrong, match="has ended"):
        source.margins("si", Store(store.folder / "new"))


def test_margins_whose_columns_have_moved_are_refused(exchange, source, store, monkeypatch):
    original = gfex_server.margins

    def moved(day):
        rows = original(day)
        return [{**row, "hedgeBuyRate": row["riseLimitRate"], "riseLimitRate": row["hedgeBuyRate"]}
                for row in rows]

    monkeypatch.setattr(gfex_server, "margins", moved)
    with pytest.raises(Wrong, match="contradict each other"):
        source.margins("si", store)


MARKETS = ("上海期货交易所", "大连商品交易所", "郑州商品交易所", "上海国际能源交易中心",
           "广州期货交易所", "中国金融期货交易所")


def qihuo(*fees: tuple[str, str, str, str]) -> str:
    def line(*cells: str) -> str:
        return "<tr>" + "".join(f"<td>{cell}</td>" for cell in (*cells, *[""] * 15)[:15]) + "</tr>"

    lines = []
    for market in MARKETS:
        lines += [line(*[market] * 15), line(*["合约品种"] * 15), line(*["合约品种"] * 15)]
        other = ("铜2409(cu2409)", "3.01元", "3.01元", "0元")
        own = fees if market == "广州期货交易所" else (other,)
        lines += [
            line(name, "8500", "9100/7800", "9%", "9%", "3825元", open_, close, today, "25",
                 "8.6元", "16.4", "x", "x", "x")
            for name, open_, close, today in own
        ]
    note = "（手续费更新时间：2024-05-21 15:00:00.123，价格更新时间：2024-05-21 17:00:00.456。）"
    table = f"<table>{''.join(lines)}</table>"
    return f'<html><body><p>{note}<a id="dlink">x</a></p>{table}</body></html>'


def test_fees_of_today_are_kept_where_they_differ(web, source, store):
    same = "1/万分之(4.3元)"
    web.pages["9qihuo"] = (200, qihuo(
        ("工业硅2409(si2409)", same, same, "0元"),
        ("工业硅2411(si2411)", "2.5/万分之(10.6元)", "2.5/万分之(10.6元)", "2.5/万分之(10.6元)"),
        ("工业硅2501(si2501)", "3.01元", "3.01元", "0元"),
        ("工业硅2308(si2308)", "9/万分之(1元)", "9/万分之(1元)", "9/万分之(1元)"),
        ("碳酸锂2409(lc2409)", "9/万分之(1元)", "9/万分之(1元)", "9/万分之(1元)"),
    ))
    news = source.fees("si", store)
    assert set(news["from"]) == {pd.Timestamp("2024-05-21")}
    assert set(news["contract"]) == {"si2411", "si2501"}
    values = news.set_index(["contract", "item"])["value"].to_dict()
    assert values["si2411", "open"] == values["si2411", "close_today"] == 0.00025
    assert values["si2501", "open_per_lot"] == 3.01
    assert values["si2501", "open"] == 0
    store.upsert("si", "terms", news)
    assert source.fees("si", store).empty


def openctp(share: float = 0.00025) -> str:
    cells = {"交易所": "GFEX", "合约代码": "si2411", "开仓费率（按金额）": share,
             "开仓费率（按手）": 0, "平仓费率（按金额）": share, "平仓费率（按手）": 0,
             "平今费率（按金额）": 0, "平今费率（按手）": 0}
    head = "".join(f"<th>{name}</th>" for name in cells)
    body = "".join(f"<td>{cell}</td>" for cell in cells.values())
    return (f"<html><p>Generated at 2024-05-21 18:00:00.</p><table><thead><tr>{head}</tr></thead>"
            f"<tbody><tr>{body}</tr></tbody></table></html>")


def test_a_second_site_answers_for_fees_where_the_first_does_not(web, source, store):
    web.pages["openctp"] = (200, openctp())
    news = source.fees("si", store)
    assert set(news["source"]) == {"akshare openctp"}
    assert set(news["item"]) == {"open", "close"}


def test_a_fee_in_another_unit_is_refused(web, source, store):
    web.pages["openctp"] = (200, openctp(2.5))
    with pytest.raises(Temporary):
        source.fees("si", store)
    assert store.read("si", "terms").empty
    frame = pd.read_html(StringIO(openctp(2.5)))[0]
    with pytest.raises(Wrong, match="the unit has changed"):
        fees_openctp(frame, "si", pd.Timestamp("2024-05-21"))


def test_what_akshare_prints_stays_off_the_terminal(web, source, capsys):
    web.pages["100ppi"] = (200, ppi("2024-05-14"))
    with pytest.raises(Wrong):
        source.spot("si", DAY)
    assert capsys.readouterr().out == ""


def test_the_wire_is_as_it_was_after_a_failure(exchange, source, store):
    import requests

    before = requests.adapters.HTTPAdapter.send
    exchange.plan["bars", "20240515"] = ["500"]
    with pytest.raises(Temporary):
        source.bars("si", DAY, store)
    assert requests.adapters.HTTPAdapter.send is before
