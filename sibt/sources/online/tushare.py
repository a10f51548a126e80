"""Tushare Pro: daily bars with settlement, receipts, the contract list, and dated terms.

The token comes from the environment, ``TUSHARE_TOKEN``. It is handed to the library and kept
nowhere else: not in the store, not in a message, not in the library's own ``~/tk.csv``. The
library sends it over plain HTTP. Tushare counts points (积分): 2000 open bars, receipts, the
contract list and ``fut_settle``, 5000 open ``fut_trade_param_gfe``. What a token may not read is
reported once and passed over.

What tushare's documentation says: ``vol`` and ``oi`` in lots, ``amount`` in ten thousand yuan (not
kept: the store has no turnover of a day), dates as 20241031, codes as ``SI2411.GFE``, and how many
rows an answer holds at most. Users report that ``fut_settle`` is often empty for GFEX.

What it does not say, and what is done about it:

* Whether margins and limits are shares or per cent. A value above 1 is per cent; a share outside
  1 to 90 per cent is refused.
* The unit of ``trading_fee_rate`` (its example, copper, looks per mille). It is read in the one
  unit, of share, per cent, per mille and per ten thousand, that gives the fee known for a session
  of the same contract; where no unit or several do, the fees are refused.
* What ``offset_today_fee`` is: a fee, or a share of the fee. It is taken as a fee in the unit of
  the others, where it is above zero and below twenty times them; a zero may mean "free" or "no
  reduction", and is left out.
* Which session a row of ``fut_trade_param_gfe`` is about. A row dated t is taken to hold in session
  t: its margin was charged at the settlement of the session before, its limit was announced with
  it, and that session is the ``from`` of the store. Where the store has settlements, the limit
  prices in the rows tell: their middle is the settlement before. Where it is the settlement of t
  itself, the row is about the session after, and ``from`` is t.
* Rows of ``fut_settle`` (每日结算参数) are taken as the parameters of their own day's settlement:
  ``from`` is that day, for margins and fees.
* The unit of GFEX receipts: lots, unless the rows say tonnes.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from sibt.errors import SettingError
from sibt.market import calendar
from sibt.market.product import Product
from sibt.market.product import product as product_of
from sibt.sources.online.asking import Ask, Denied, Temporary, Wrong
from sibt.sources.online.lacking import alive, life_in
from sibt.sources.online.pull import Unreachable
from sibt.sources.store import Store
from sibt.sources.terms import news

__all__ = ["Pro", "Tushare", "nobody_there", "source"]

_EXCHANGE, _SUFFIX = "GFEX", ".GFE"
_BARS = ("ts_code", "trade_date", "open", "high", "low", "close", "settle", "vol", "oi")
_RECEIPTS = ("trade_date", "symbol", "warehouse", "vol", "unit")
_CONTRACTS = ("ts_code", "list_date", "delist_date", "last_ddate")
_PARAMETERS = (
    "trade_date", "fut_code", "spec_buy_rate", "hedge_buy_rate", "rise_limit_rate", "rise_limit",
    "fall_limit",
)  # fmt: skip
_MARGINS = (
    "ts_code", "trade_date", "b_hedging_margin_rate", "s_hedging_margin_rate", "long_margin_rate",
    "short_margin_rate",
)  # fmt: skip
_FEES = ("ts_code", "trade_date", "trading_fee_rate", "trading_fee")
_FEE_TODAY = "offset_today_fee"  # in the documentation, often not in the answer

#: Most rows an answer holds, by its documentation; one as long as that may be cut.
_LIMITS = {
    "fut_daily": 2000,
    "fut_wsr": 1000,
    "fut_basic": 10000,
    "fut_settle": 1600,
    "fut_trade_param_gfe": 3000,
}
#: What a fee may be counted in: shares, per cent, per mille, per ten thousand.
_FEE_UNITS = (1.0, 1e-2, 1e-3, 1e-4)
#: Seconds between two calls, until the server says more: 300 a minute are allowed to 2000 points.
_PACE = 0.21


class Pro(Protocol):
    """The one thing used of the library's client."""

    def query(self, api_name: str, fields: str = "", **kwargs: str) -> pd.DataFrame:
        """Return the answer of an interface as a table."""
        ...


def source() -> Tushare:
    """Return tushare for the token in the environment.

    Raises
    ------
    SettingError
        There is no token, or the library is not installed.
    """
    token = os.environ.get("TUSHARE_TOKEN", "").strip()
    if not token:
        raise SettingError(
            "Tushare needs a token: set TUSHARE_TOKEN in the environment to the one shown at"
            " https://tushare.pro/user/token."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tushare
    except ImportError:
        raise SettingError(
            "The library tushare is not installed; in sibt's folder, pip install -e '.[tushare]'"
            " brings it."
        ) from None
    return Tushare(tushare.pro_api(token), secret=token)


def nobody_there(error: BaseException) -> bool:
    """Tell whether an error of the network means that no connection came about at all."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    unreachable = {
        "ClientConnectorError", "ConnectTimeout", "ConnectionRefusedError", "NameResolutionError",
        "NewConnectionError", "ProxyError", "gaierror",
    }  # fmt: skip
    return bool(unreachable & {type(error).__name__, type(reason).__name__})


class Tushare:
    """Tushare Pro as a source.

    Parameters
    ----------
    pro : Pro
        The library's client, or something that answers like it.
    secret : str
        The token, taken out of every message that repeats what the server said.
    sleep, clock : callable
        Seconds to wait, and seconds now.
    """

    name = "tushare"
    kinds = ("bars", "receipts", "contracts", "terms")

    def __init__(
        self,
        pro: Pro,
        *,
        secret: str = "",
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pro, self._sleep, self._clock = pro, sleep, clock
        self._clean: Callable[[str], str] = lambda text: text.replace(secret or "\0", "...")
        self._denied: dict[str, Wrong] = {}
        self._next: dict[str, float] = {}
        self._pace: dict[str, float] = {}

    def asks(self, product: str, kind: str, days: pd.DatetimeIndex, store: Store) -> Iterator[Ask]:
        """Return the questions that bring the wanted sessions of a kind.

        Bars and receipts are asked for day by day, terms contract by contract over the whole
        stretch. Once the server has said that the token may not read something, one question
        stands for all that are left, and is answered with that.
        """
        if kind == "contracts":
            yield Ask(kind, "contract list", (), partial(self._contracts, product))
        elif kind in ("bars", "receipts"):
            api, fetch = (
                ("fut_daily", self._bars) if kind == "bars" else ("fut_wsr", self._receipts)
            )
            for number, day in enumerate(days):
                one = partial(fetch, product, day)
                if api in self._denied:
                    yield Ask(kind, "all later sessions", tuple(days[number:]), one)
                    return
                yield Ask(kind, f"{day:%Y-%m-%d}", (day,), one)
        elif kind == "terms":
            for api, what, terms in (
                ("fut_trade_param_gfe", "margins and limits", self._parameters),
                ("fut_settle", "settlement margins", self._margins),
                ("fut_settle", "fees", self._fees),
            ):
                for life in alive(product, days):
                    if api in self._denied:
                        break
                    fetch = partial(terms, product, life.code, life_in(life, days), store)
                    yield Ask(kind, f"{life.code} {what}", (), fetch)

    def _bars(self, product: str, day: pd.Timestamp) -> pd.DataFrame:
        rows = self._ask("fut_daily", _BARS, trade_date=_said(day), exchange=_EXCHANGE)
        rows = _of_day(_own(rows, "ts_code", product), day, "fut_daily")
        bars = pd.DataFrame({"date": rows["trade_date"], "contract": rows["contract"]})
        for column in ("open", "high", "low", "close", "settle"):
            bars[column] = _above_zero(_number(rows, column))
        bars["volume"] = _number(rows, "vol")
        bars["open_interest"] = _number(rows, "oi")
        return bars.assign(source="tushare fut_daily")

    def _receipts(self, product: str, day: pd.Timestamp) -> pd.DataFrame:
        rows = self._ask("fut_wsr", _RECEIPTS, trade_date=_said(day), symbol=product.upper())
        rows = rows[rows["symbol"].astype("str").str.upper() == product.upper()]
        rows = _of_day(rows, day, "fut_wsr")
        # Sums among the rows would count every receipt twice.
        rows = rows[~rows["warehouse"].astype("str").str.contains("小计|合计|总计")]
        if rows.empty:
            return pd.DataFrame({"date": [], "lots": [], "source": []})
        units = set(rows["unit"].dropna().astype("str")) - {""}
        if len(units) > 1 or not units <= {"手", "吨"}:
            raise Wrong(f"fut_wsr counts receipts in {' and '.join(sorted(units))}, not in lots")
        counts = _number(rows, "vol")
        if counts.isna().any():
            raise Wrong("fut_wsr has a warehouse without a count of receipts")
        lots = float(counts.sum())
        if units == {"吨"}:
            lots /= product_of(product).multiplier
        if lots < 0 or lots != round(lots):
            raise Wrong(f"fut_wsr gives {lots:g} lots of receipts, which is no count")
        return pd.DataFrame({"date": [day], "lots": [lots], "source": ["tushare fut_wsr"]})

    def _contracts(self, product: str) -> pd.DataFrame:
        rows = self._ask(
            "fut_basic", _CONTRACTS, exchange=_EXCHANGE, fut_type="1", fut_code=product.upper()
        )
        rows = _own(rows, "ts_code", product)
        return pd.DataFrame(
            {
                "contract": rows["contract"],
                "listed": _dates(rows, "list_date", "fut_basic"),
                "last_trading": _dates(rows, "delist_date", "fut_basic"),
                "last_delivery": _dates(rows, "last_ddate", "fut_basic"),
                "source": "tushare fut_basic",
            }
        )

    def _parameters(
        self, product: str, code: str, days: pd.DatetimeIndex, store: Store
    ) -> pd.DataFrame:
        """Ask for margins and limits in force in each session of a contract."""
        api = "fut_trade_param_gfe"
        rows = self._ask(
            api,
            _PARAMETERS,
            fut_code=code.upper() + _SUFFIX,
            start_date=_said(days[0]),
            end_date=_said(days[-1]),
        )
        rows = _of_contract(rows, "fut_code", code, api)
        days_before = rows["trade_date"].map(calendar.before)
        bars = store.read(product, "bars")
        settles = bars[bars["contract"] == code].set_index("date")["settle"]
        about = _about(rows, rows["trade_date"].map(settles), days_before.map(settles))
        start = rows["trade_date"] if about == "after" else days_before
        observed = _stacked(
            code,
            start,
            {
                "speculator": _share(rows, "spec_buy_rate", code),
                "hedger": _share(rows, "hedge_buy_rate", code),
                "limit": _share(rows, "rise_limit_rate", code),
            },
        )
        observed["confidence"] = "inferred" if about else "assumed"
        return self._news(product, observed, api, store)

    def _margins(
        self, product: str, code: str, days: pd.DatetimeIndex, store: Store
    ) -> pd.DataFrame:
        """Ask for the margins charged at each settlement of a contract."""
        rows = self._settlements(_MARGINS, code, days)
        # One rate for both sides in the store: the higher, should they differ.
        sides = {
            "speculator": ("long_margin_rate", "short_margin_rate"),
            "hedger": ("b_hedging_margin_rate", "s_hedging_margin_rate"),
        }
        values = {
            item: pd.concat([_share(rows, side, code) for side in both], axis=1).max(axis=1)
            for item, both in sides.items()
        }
        observed = _stacked(code, rows["trade_date"], values).assign(confidence="inferred")
        return self._news(product, observed, "fut_settle", store)

    def _fees(self, product: str, code: str, days: pd.DatetimeIndex, store: Store) -> pd.DataFrame:
        """Ask for the fees of each session of a contract."""
        rows = self._settlements((*_FEES, _FEE_TODAY), code, days, required=_FEES)
        raw, per_lot = _number(rows, "trading_fee_rate"), _number(rows, "trading_fee")
        if ((per_lot > 0) & (per_lot < 0.01)).any():
            raise Wrong(f"fut_settle charges {per_lot[per_lot > 0].min():g} yuan a lot of {code}")
        terms = product_of(product).extended(store.read(product, "terms"))
        unit = _fee_unit(terms, code, rows["trade_date"], raw)
        said = (raw > 0) | (per_lot > 0)  # without any fee nothing is known
        rate = (raw * unit).where(said)
        values = dict.fromkeys(("open", "close"), rate)
        values |= {f"{name}_per_lot": per_lot.where(said) for name in ("open", "close")}
        if _FEE_TODAY in rows:
            today = _number(rows, _FEE_TODAY)
            values["close_today"] = (today * unit).where((today > 0) & (today < 20 * raw))
        observed = _stacked(code, rows["trade_date"], values).assign(confidence="inferred")
        return self._news(product, observed, "fut_settle", store)

    def _settlements(
        self,
        fields: Sequence[str],
        code: str,
        days: pd.DatetimeIndex,
        required: Sequence[str] = (),
    ) -> pd.DataFrame:
        rows = self._ask(
            "fut_settle",
            fields,
            required,
            ts_code=code.upper() + _SUFFIX,
            start_date=_said(days[0]),
            end_date=_said(days[-1]),
        )
        return _of_contract(rows, "ts_code", code, "fut_settle")

    def _news(self, product: str, observed: pd.DataFrame, api: str, store: Store) -> pd.DataFrame:
        """Return what of the observed terms is news; a table without columns if there are none."""
        if observed.empty:
            return pd.DataFrame()
        observed = observed.assign(source=f"tushare {api}")
        return news(product, observed, store.read(product, "terms"))

    def _ask(
        self, api: str, fields: Sequence[str], required: Sequence[str] = (), **params: str
    ) -> pd.DataFrame:
        """Ask the server, and return a table that has every column asked for."""
        if api in self._denied:
            raise self._denied[api].with_traceback(None)
        self._sleep(max(0.0, self._next.get(api, 0.0) - self._clock()))
        trouble: Exception | None = None
        rows = pd.DataFrame()
        try:
            rows = self._pro.query(api, fields=",".join(fields), **params)
        except Exception as error:  # the library knows no other kind
            trouble = self._trouble(api, error)
        self._next[api] = max(self._next.get(api, 0.0), self._clock() + self._pace.get(api, _PACE))
        if trouble is not None:
            # Raised out here, so that no traceback shows what the library or the server said.
            raise trouble
        if not isinstance(rows, pd.DataFrame) or not len(rows.columns):
            # The library makes an empty table of every HTTP error.
            raise Temporary(f"tushare gave no answer to {api}")
        missing = [name for name in required or fields if name not in rows.columns]
        if missing:
            raise Wrong(f"the answer of {api} has no column {missing[0]}")
        if len(rows) >= _LIMITS[api]:
            raise Wrong(f"the answer of {api} has {len(rows)} rows and may be cut off there")
        return rows

    def _trouble(self, api: str, error: Exception) -> Exception:
        """Return what an error of the library means."""
        if nobody_there(error):
            return Unreachable("tushare cannot be reached")
        if isinstance(error, ValueError | KeyError | TypeError):
            return Temporary(f"tushare gave half an answer to {api}")
        if isinstance(error, OSError):  # all other errors of requests are
            return Temporary(f"tushare broke off its answer to {api} ({type(error).__name__})")
        text = self._clean(str(error))
        often = re.search(r"每(分钟|小时|天|日)\D*(\d+)\s*次", text)
        if often and often[1] == "分钟":
            self._pace[api] = 63 / max(1, int(often[2]))
            self._next[api] = self._clock() + 61
            return Temporary(f"tushare allows {often[2]} calls of {api} a minute")
        if often:
            span = "an hour" if often[1] == "小时" else "a day"
            self._denied[api] = Wrong(
                f"tushare allows this token {often[2]} calls of {api} {span}; go on later"
            )
        elif "token" in text.lower():
            return SettingError(
                "Tushare does not accept the token in TUSHARE_TOKEN; copy it again from"
                " https://tushare.pro/user/token."
            )
        elif re.search("权限|积分", text):
            self._denied[api] = Denied(
                f"this token may not read {api} (too few points, 积分不足);"
                " see https://tushare.pro/document/1?doc_id=108"
            )
        if api in self._denied:
            return self._denied[api]
        if re.search("频繁|频率|超时|稍后|繁忙|系统|服务|异常", text):
            return Temporary(f"tushare answers {api} with '{text}'")
        return Wrong(f"tushare answers {api} with '{text}'")


def _said(day: pd.Timestamp) -> str:
    return f"{day:%Y%m%d}"


def _dates(rows: pd.DataFrame, column: str, api: str) -> pd.Series[pd.Timestamp]:
    try:
        return pd.to_datetime(rows[column], format="%Y%m%d").astype("datetime64[ns]")
    except (ValueError, TypeError):
        raise Wrong(f"{api} has a {column} that is no date") from None


def _number(rows: pd.DataFrame, column: str) -> pd.Series[float]:
    """Return a column as numbers; a blank or a dash is unknown."""
    cells = rows[column].where(rows[column] != "-")
    try:
        return pd.to_numeric(cells).astype("float64")
    except (ValueError, TypeError):
        raise Wrong(f"{column} holds something that is no number") from None


def _above_zero(values: pd.Series[float]) -> pd.Series[float]:
    """Return prices; a zero stands for none."""
    return values.where(values != 0)


def _own(rows: pd.DataFrame, column: str, product: str) -> pd.DataFrame:
    """Return the rows of a product's contracts, without options and continuous series."""
    codes = rows[column].astype("str").str.upper()
    rows = rows[codes.str.fullmatch(rf"{product.upper()}\d{{4}}\{_SUFFIX}")].copy()
    rows["contract"] = rows[column].str.lower().str.removesuffix(_SUFFIX.lower())
    return rows.reset_index(drop=True)


def _of_day(rows: pd.DataFrame, day: pd.Timestamp, api: str) -> pd.DataFrame:
    rows = rows.assign(trade_date=_dates(rows, "trade_date", api))
    other = rows.loc[rows["trade_date"] != day, "trade_date"]
    if len(other):
        raise Wrong(f"{api} was asked for {day:%Y-%m-%d} and answered {_day(other.iloc[0])}")
    return rows


def _of_contract(rows: pd.DataFrame, column: str, code: str, api: str) -> pd.DataFrame:
    codes = rows[column].astype("str").str.lower().str.removesuffix(_SUFFIX.lower())
    if (codes != code).any():
        raise Wrong(f"{api} was asked for {code} and answered {codes[codes != code].iloc[0]}")
    rows = rows.assign(trade_date=_dates(rows, "trade_date", api))
    rows = rows.drop_duplicates().sort_values("trade_date", ignore_index=True)
    if rows["trade_date"].isna().any() or rows["trade_date"].duplicated().any():
        raise Wrong(f"{api} has two rows of {code} on one day, or a row without a day")
    strange = rows.loc[~rows["trade_date"].isin(calendar.sessions()), "trade_date"]
    if len(strange):
        raise Wrong(f"{api} has a row of {code} on {_day(strange.iloc[0])}, which is no session")
    return rows


def _day(day: pd.Timestamp) -> str:
    return "no day" if pd.isna(day) else f"{day:%Y-%m-%d}"


def _share(rows: pd.DataFrame, column: str, code: str) -> pd.Series[float]:
    """Return a margin or a limit as a share; above 1 it was per cent, a zero is unknown."""
    raw = _above_zero(_number(rows, column))
    share = raw.where(~(raw > 1), raw / 100).round(8)
    odd = share[(share < 0.01) | (share > 0.9)]
    if len(odd):
        raise Wrong(f"{column} of {code} is {raw[odd.index[0]]:g}, no margin or limit that can be")
    return share


def _about(rows: pd.DataFrame, same: pd.Series[float], before: pd.Series[float]) -> str | None:
    """Tell which session rows are about: their "own", the one "after", None if it cannot be told.

    The limit prices lie around the settlement of the session before the one they hold in.
    """
    middle = (_number(rows, "rise_limit") + _number(rows, "fall_limit")) / 2
    telling = (same - before).abs() > 0.004 * before
    own = int((telling & ((middle - before).abs() < 0.001 * before)).sum())
    after = int((telling & ((middle - same).abs() < 0.001 * same)).sum())
    if not own and not after:
        return None
    if own and after:
        raise Wrong(
            "limit prices lie around the settlement of their own day in some rows, of the day"
            " before in others: no telling in which session they hold"
        )
    return "own" if own else "after"


def _fee_unit(
    terms: Product, code: str, days: pd.Series[pd.Timestamp], raw: pd.Series[float]
) -> float:
    """Return the unit in which a fee that is known for some session comes out."""
    charged = raw > 0
    if not charged.any():
        return 1.0
    sessions = pd.DatetimeIndex(days[charged])
    known = terms.fee(code, sessions, "open")
    units = [
        unit
        for unit in _FEE_UNITS
        if np.isclose(raw[charged].to_numpy() * unit, known, rtol=1e-6, atol=0).any()
    ]
    if len(units) != 1:
        raise Wrong(
            f"fut_settle gives {code} a fee of {raw[charged].iloc[0]:g}; no telling in which unit,"
            f" as the fee known is {known[0]:g} of turnover"
        )
    return units[0]


def _stacked(
    code: str, start: pd.Series[pd.Timestamp], values: dict[str, pd.Series[float]]
) -> pd.DataFrame:
    """Return known values of several items as rows of terms."""
    parts = [
        pd.DataFrame({"contract": code, "item": item, "from": start, "value": value})
        for item, value in values.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["from", "value"])
