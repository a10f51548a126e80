"""TqSdk: daily bars, and the settlements that go with them.

The login comes from the environment, ``TQ_USER`` and ``TQ_PASSWORD``. It is handed to the library
and kept nowhere else. Daily bars of TqSdk have no settlement; it is asked for apart and is there
for GFEX from 2022-12-26. Sessions without one keep it unknown. Volume and open interest are in
lots; the open interest of a session is the one at its end.
"""

from __future__ import annotations

import atexit
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, Protocol

import pandas as pd

from sibt.errors import SettingError
from sibt.market import calendar
from sibt.sources.online.asking import Ask, Denied, Temporary, Wrong
from sibt.sources.online.lacking import alive, life_in
from sibt.sources.online.pull import Unreachable
from sibt.sources.online.tushare import nobody_there
from sibt.sources.store import Store

__all__ = ["Api", "TqSdk", "source"]

_EXCHANGE = "GFEX"
_DAY = 86400
#: More sessions than a contract lives.
_LENGTH = 600
_FIRST_SETTLEMENT = pd.Timestamp("2022-12-26")
_PRICES = ("open", "high", "low", "close")
_BARS = ("datetime", *_PRICES, "volume", "close_oi")
_SETTLEMENTS = ("datetime", "symbol", "settlement")


class Api(Protocol):
    """What is used of the library's ``TqApi``."""

    def query_quotes(self, ins_class: str, exchange_id: str, product_id: str) -> list[str]:
        """Return the codes of a product, expired ones too, as GFEX.si2411."""
        ...

    def get_kline_serial(
        self, symbol: str, duration_seconds: int, data_length: int
    ) -> pd.DataFrame:
        """Return the last bars of a contract."""
        ...

    def query_symbol_settlement(self, symbol: str, days: int, start_dt: date) -> pd.DataFrame:
        """Return settlements of a contract from a day on."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def source() -> TqSdk:
    """Return TqSdk for the login in the environment.

    Raises
    ------
    SettingError
        There is no login, or the library is not installed.
    """
    user, password = (os.environ.get(name, "").strip() for name in ("TQ_USER", "TQ_PASSWORD"))
    if not user or not password:
        raise SettingError(
            "TqSdk needs a login: set TQ_USER and TQ_PASSWORD in the environment to those of a"
            " shinnytech account (快期账户)."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tqsdk
    except ImportError:
        raise SettingError(
            "The library tqsdk is not installed, or not for this pandas; in sibt's folder, pip"
            " install -e '.[tqsdk]' brings it, best into an environment of its own."
        ) from None

    def log_in() -> Api:
        # Without `debug=False` the library may keep a log, with what it sends, in ~/.tqsdk.
        api: Api = tqsdk.TqApi(auth=tqsdk.TqAuth(user, password), disable_print=True, debug=False)
        return api

    return TqSdk(log_in, secrets=(user, password))


class TqSdk:
    """TqSdk as a source.

    Parameters
    ----------
    log_in : callable
        Opens a connection; called at the first question, and again after a failure.
    secrets : tuple of str
        User and password, taken out of every message that repeats what the library said.
    """

    name = "tqsdk"
    kinds = ("bars",)

    def __init__(self, log_in: Callable[[], Api], *, secrets: tuple[str, ...] = ()) -> None:
        self._log_in = log_in
        self._api: Api | None = None
        self._listed: dict[str, set[str]] = {}

        def clean(text: str) -> str:
            for secret in secrets:
                text = text.replace(secret, "...")
            return text

        self._clean = clean
        atexit.register(self.close)

    def asks(self, product: str, kind: str, days: pd.DatetimeIndex, store: Store) -> Iterator[Ask]:
        """Return one question for each contract that trades in the wanted sessions."""
        if kind == "bars":
            for life in alive(product, days):
                own = life_in(life, days)
                yield Ask(kind, life.code, tuple(own), partial(self._bars, product, life.code, own))

    def close(self) -> None:
        """Close the connection, if there is one."""
        api, self._api = self._api, None
        if api is not None:
            with suppress(Exception):
                api.close()

    def _bars(self, product: str, code: str, days: pd.DatetimeIndex) -> pd.DataFrame:
        symbol = f"{_EXCHANGE}.{code}"
        if product not in self._listed:
            names = self._call(
                lambda api: api.query_quotes(
                    ins_class="FUTURE", exchange_id=_EXCHANGE, product_id=product
                )
            )
            self._listed[product] = {str(name).lower() for name in names}
        if symbol.lower() not in self._listed[product]:
            # Asking for a contract TqSdk does not know ends in a time-out.
            return pd.DataFrame(columns=["date", "contract", *_PRICES])
        table = _known(
            self._call(
                lambda api: api.get_kline_serial(symbol, duration_seconds=_DAY, data_length=_LENGTH)
            ),
            _BARS,
        )
        # A table longer than the contract's life begins with rows that hold nothing.
        table = table[(table["datetime"] > 0) & table["close"].notna()]
        bars = pd.DataFrame({"date": _sessions(table["datetime"]), "contract": code})
        for column in _PRICES:
            bars[column] = table[column].where(table[column] != 0).astype("float64")
        bars["volume"] = table["volume"].astype("float64")
        bars["open_interest"] = table["close_oi"].astype("float64")
        bars = bars[bars["date"].isin(days)]
        if bars["date"].duplicated().any():
            raise Wrong(f"TqSdk gave two bars of {code} in one session")
        settles = self._settles(symbol, days)
        bars.insert(6, "settle", bars["date"].map(settles).astype("float64"))
        return bars.assign(source="tqsdk").reset_index(drop=True)

    def _settles(self, symbol: str, days: pd.DatetimeIndex) -> pd.Series[float]:
        """Return settlements by session; sessions TqSdk has none for are left out."""
        first = max(days[0], _FIRST_SETTLEMENT)
        known = calendar.sessions()
        wanted = known[(known >= first) & (known <= days[-1])]
        if not len(wanted):
            return pd.Series(dtype="float64", index=pd.DatetimeIndex([]))
        table = _known(
            self._call(
                lambda api: api.query_symbol_settlement(
                    symbol, days=len(wanted), start_dt=wanted[0].date()
                )
            ),
            _SETTLEMENTS,
        )
        code = symbol.rpartition(".")[2]
        names = table["symbol"].astype("str").str.replace(r"^.*\.", "", regex=True).str.lower()
        table = table[names == code]
        try:
            dates = pd.to_datetime(table["datetime"].astype("str"), format="mixed")
            values = pd.to_numeric(table["settlement"]).astype("float64")
        except (ValueError, TypeError):
            raise Wrong(f"a settlement of {code} is no number, or its day no date") from None
        if dates.duplicated().any():
            raise Wrong(f"TqSdk gave two settlements of {code} on one day")
        index = pd.DatetimeIndex(dates).as_unit("ns").normalize()
        return pd.Series(values.where(values > 0).to_numpy(), index=index).dropna()

    def _call(self, question: Callable[[Api], Any]) -> Any:
        """Ask over the connection, which is opened first where there is none."""
        trouble: Exception | None = None
        answer: Any = None
        try:
            if self._api is None:
                self._api = self._log_in()
            answer = question(self._api)
        except Exception as error:  # the library's own are bare exceptions
            trouble = self._trouble(error)
        if trouble is not None:
            # Raised out here, so that no traceback shows what the library said.
            self.close()
            raise trouble
        return answer

    def _trouble(self, error: Exception) -> Exception:
        """Return what an error of the library means."""
        kind, text = type(error), self._clean(str(error))
        refused = re.search(r"认证失败\D*(\d*)", text)
        if refused and not refused[1].startswith("5"):
            return SettingError(
                "TqSdk does not accept the login in TQ_USER and TQ_PASSWORD; try it at"
                " https://account.shinnytech.com."
            )
        if nobody_there(error):
            return Unreachable("TqSdk cannot be reached")
        library = kind.__module__.partition(".")[0]
        if (
            refused
            or isinstance(error, OSError | TimeoutError)
            or kind.__name__ == "TqTimeoutError"
            or library in ("aiohttp", "websockets", "asyncio")
        ):
            return Temporary(f"TqSdk gave no answer ({kind.__name__})")
        if "不支持查看" in text:
            return Denied("this account may not read futures of GFEX in TqSdk")
        return Wrong(f"TqSdk answers with '{text}'")


def _known(table: object, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the wanted columns as a table of its own, which no longer changes."""
    if not isinstance(table, pd.DataFrame):
        raise Temporary("TqSdk gave no table")
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise Wrong(f"a table of TqSdk has no column {missing[0]}")
    return pd.DataFrame({name: table[name].to_numpy(copy=True) for name in columns})


def _sessions(stamps: pd.Series[float]) -> pd.Series[pd.Timestamp]:
    """Return the session of each bar from nanoseconds since 1970, UTC.

    A day's bar begins at midnight in Beijing. One that begins at 18:00 or later is the next
    session's, as all of TqSdk counts.
    """
    beijing = pd.to_datetime(stamps.astype("int64"), unit="ns") + pd.Timedelta(hours=8)
    days = beijing.dt.normalize()
    known = calendar.sessions()
    place = known.searchsorted(days.to_numpy(), side="right")
    late = (beijing.dt.hour >= 18).to_numpy() & (place < len(known))
    following = pd.Series(known[place.clip(max=len(known) - 1)], index=days.index)
    return days.mask(late, following)
