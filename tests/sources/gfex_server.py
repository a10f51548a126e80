"""A server on loopback that plays the Guangzhou Futures Exchange.

akshare asks the exchange over plain HTTP, so as the process's HTTP proxy it gets every question
without a patch. Nothing else is let out: other hosts get 502.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from sibt.market import calendar
from sibt.sources.online.lacking import alive

ENDPOINTS = {
    "interfacesWebTiDayQuotes/loadList": ("bars", "trade_date"),
    "interfacesWebTdWbillWeeklyQuotes/loadList": ("receipts", "gen_date"),
    "interfacesWebTtQueryContractInfo/loadList": ("contracts", None),
    "interfacesWebTtQueryTradPara/loadDayList": ("margins", None),
}
HOUSES = (("101", "中储天津"), ("102", "建发上海"), ("103", "外运龙泉驿"))
NAMES = {"si": "工业硅", "lc": "碳酸锂"}


def codes(product: str, day: pd.Timestamp) -> list[str]:
    if product == "lc":
        return ["lc2407", "lc2408"]
    return [life.code for life in alive(product, pd.DatetimeIndex([day]))]


def settle(code: str, day: pd.Timestamp) -> int:
    """A price that is another in every contract and session, on the tick."""
    number = int(calendar.sessions().searchsorted(day))
    return 12_000 + 50 * (int(code[2:]) % 97) + 5 * (number * 7 % 53)


def lots(product: str, day: pd.Timestamp) -> list[int]:
    number = int(calendar.sessions().searchsorted(day))
    return [1200 + 12 * (number % 9), 600, 3000 + 24 * (number % 5)]


def bars(day: pd.Timestamp) -> list[dict]:
    """The exchange's own fields, its spelling of volume among them."""
    before = calendar.before(day)
    rows, all_volume, all_open = [], 0, 0
    for product, name in NAMES.items():
        volume, interest = 0, 0
        for place, code in enumerate(codes(product, day)):
            price = settle(code, day)
            # The farthest contract does not trade: zeros for prices.
            quiet = code == codes("si", day)[-1]
            own = 0 if quiet else 100 * (place + 1) + price % 97
            rows.append(
                {
                    "variety": name, "varietyOrder": product, "delivMonth": code[2:],
                    "open": 0 if quiet else price - 20, "high": 0 if quiet else price + 40,
                    "low": 0 if quiet else price - 60, "close": price + 5,
                    "lastClear": settle(code, before), "clearPrice": price, "volumn": own,
                    "openInterest": 5 * own + 10, "diffI": 3,
                    "turnover": round(own * price / 2000, 2),
                }
            )
            volume, interest = volume + own, interest + 5 * own + 10
        rows.append(_total(f"{name}小计", product, volume, interest))
        all_volume, all_open = all_volume + volume, all_open + interest
    return [*rows, _total("总计", "", all_volume, all_open)]


def _total(name: str, product: str, volume: int, interest: int) -> dict:
    blank = dict.fromkeys(("open", "high", "low", "close", "lastClear", "clearPrice"), None)
    return {"variety": name, "varietyOrder": product, "delivMonth": "", **blank, "volumn": volume,
            "openInterest": interest, "diffI": 0, "turnover": 1.5}


def receipts(day: pd.Timestamp) -> list[dict]:
    today, before = lots("si", day), lots("si", calendar.before(day))
    blank = {"varietyOrder": "", "whCodeOrder": "", "whType": "", "genDate": "", "whAbbr": ""}
    rows = [
        {**blank, "varietyOrder": "si", "whCodeOrder": code, "whType": "2", "variety": "工业硅",
         "genDate": f"{day:%Y%m%d}", "whAbbr": house, "lastWbillQty": old, "wbillQty": new,
         # Registrations only: what was cancelled is not in it.
         "diff": max(new - old, 0) + 6}
        for (code, house), old, new in zip(HOUSES, before, today, strict=True)
    ]
    total = {"lastWbillQty": sum(before), "wbillQty": sum(today), "diff": 6}
    return [*rows, {**blank, "varietyOrder": "si", "variety": "工业硅小计", **total},
            {**blank, "variety": "总计", **total}]


def contracts(day: pd.Timestamp) -> list[dict]:
    return [
        {"tradeType": "0", "variety": NAMES["si"], "varietyOrder": "si",
         "contractId": life.code, "unit": 5, "tick": 5, "startTradeDate": f"{life.listed:%Y%m%d}",
         "endTradeDate": f"{life.last_trading:%Y%m%d}",
         "endDeliveryDate0": f"{life.last_delivery:%Y%m%d}"}
        for life in alive("si", pd.DatetimeIndex([day]))
    ]


def margins(day: pd.Timestamp, speculator: float = 0.08, hedger: float = 0.07,
            limit: float = 0.06) -> list[dict]:
    rows = []
    for code in codes("si", day):
        price = settle(code, day)
        rows.append(
            {"contractId": code, "specBuyRate": speculator, "specBuy": price * 5 * speculator,
             "hedgeBuyRate": hedger, "hedgeBuy": price * 5 * hedger, "riseLimitRate": limit,
             "riseLimit": price * (1 + limit) // 5 * 5,
             "fallLimit": -(-price * (1 - limit) // 5) * 5,
             "agentTotBuyPosiQuota": -1.0, "selfTotBuyPosiQuota": 300.0,
             "clientBuyPosiQuota": 300.0, "selfTotBuySerLimit": 300.0, "clientBuySerLimit": 300.0,
             "tradeType": "0"}
        )
        rows.append({**rows[-1], "contractId": f"{code}-C-12000", "tradeType": "1"})
    return rows


class GFEX(ThreadingHTTPServer):
    """The exchange; `plan` says how it misbehaves.

    plan[("bars", "20240515")] = ["500", "good"] gives an error, then the answer; the last word
    stays. Words: good, slow, trickle, wrong:20240513, empty, holiday, half, short, sum, gbk, html,
    500, 403, drop.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.seen: list[tuple[str, str]] = []
        self.elsewhere: list[str] = []
        self.today = pd.Timestamp("2024-05-21")
        self.slow = 1.0
        self.before: Callable[[int], None] = lambda number: None
        self.after: Callable[[int], None] = lambda number: None
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        return dict.fromkeys(names, self.url) | {"no_proxy": "", "NO_PROXY": ""}

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error."""

    def answer(self, kind: str, word: str) -> list[dict]:
        day = pd.Timestamp(word) if word else self.today
        return {"bars": bars, "receipts": receipts, "contracts": contracts, "margins": margins}[
            kind
        ](day)


class _Handler(BaseHTTPRequestHandler):
    server: GFEX

    def log_message(self, *_: object) -> None:
        pass

    def do_CONNECT(self) -> None:
        self._elsewhere()

    def do_GET(self) -> None:
        self._elsewhere()

    def _elsewhere(self) -> None:
        self.server.elsewhere.append(self.path)
        self.send_error(502)

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = parse_qs(body) | parse_qs(parts.query)
        found = next((value for end, value in ENDPOINTS.items() if parts.path.endswith(end)), None)
        if parts.hostname != "www.gfex.com.cn" or found is None:
            return self._elsewhere()
        kind, name = found
        word = form[name][0] if name else ""
        with self.server.lock:
            self.server.seen.append((kind, word))
            number = len(self.server.seen)
            plan = self.server.plan[kind, word]
            how = plan.pop(0) if len(plan) > 1 else (plan[0] if plan else "good")
        self.server.before(number)
        with suppress(OSError):
            self._play(how, kind, word, form)
        self.server.after(number)
        return None

    def _play(self, how: str, kind: str, word: str, form: dict) -> None:
        how, _, other = how.partition(":")
        if how in ("500", "403"):
            return self._send(b"{}", int(how))
        if how == "drop":
            return self.connection.close()
        if how == "html":
            page = "<html><script>function go(){}</script>请稍候</html>"
            return self._send(page.encode(), type_="text/html")
        if how == "slow":
            time.sleep(self.server.slow)
        rows = self.server.answer(kind, other or word)
        if how == "empty":
            rows = []
        elif how == "holiday":
            blank = dict.fromkeys(rows[-1], "")
            rows = [{**blank, "variety": "总计", "varietyOrder": "", "lastWbillQty": None,
                     "wbillQty": None, "diff": None}]
        elif how == "sum":
            rows = rows[1:]
        payload = {"code": "0", "msg": "接口访问成功！", "data": rows, "param": form}
        text = json.dumps(payload, ensure_ascii=False)
        if how == "gbk":
            return self._send(text.encode("gb18030"))
        whole = text.encode()
        if how == "half":
            return self._send(whole[: len(whole) // 2])
        if how == "short":
            return self._send(whole[: len(whole) // 2], length=len(whole))
        if how == "trickle":
            return self._send(whole, pause=0.05)
        return self._send(whole)

    def _send(self, body: bytes, status: int = 200, type_: str = "application/json;charset=UTF-8",
              length: int | None = None, pause: float = 0.0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if pause:
            for sign in body:
                self.wfile.write(bytes([sign]))
                self.wfile.flush()
                time.sleep(pause)
        self.wfile.write(body)
        self.wfile.flush()
        self.connection.close()


def sessions() -> pd.DatetimeIndex:
    """The twelve sessions that most tests pull."""
    known = calendar.sessions()
    return known[(known >= "2024-05-06") & (known <= "2024-05-21")]
