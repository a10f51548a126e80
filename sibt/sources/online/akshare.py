"""Prices through akshare, which reads the public pages of the exchange and of others.

Every answer is judged on the wire, before akshare makes an empty table of a failure: see
`sibt.sources.online.wire`. What akshare calls by a date is checked to be of that date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pandas as pd

from sibt.errors import SettingError
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.product import product as product_of
from sibt.sources.online import answers, tables_of_today, wire
from sibt.sources.online.asking import Ask, Source, Temporary, Wrong
from sibt.sources.online.lacking import STAND_IN, alive, current, last_closed, life_in
from sibt.sources.store import Store, of_exchange
from sibt.sources.terms import news

__all__ = ["FUNCTIONS", "grade", "source"]

#: What is used of akshare, with the arguments it is called with; a test holds them to it.
#: Not among them: `get_gfex_receipt`, which edits its own default list of products, and
#: `futures_spot_price_previous`, whose basis has the other sign.
FUNCTIONS = {
    "get_gfex_daily": ("date",),
    "futures_zh_daily_sina": ("symbol",),
    "futures_spot_price": ("date", "vars_list"),
    "futures_gfex_warehouse_receipt": ("date",),
    "futures_contract_info_gfex": (),
    "futures_settle_gfex": ("date",),
    "futures_comm_info": ("symbol",),
    "futures_fees_info": (),
}

EXCHANGE, PPI = "akshare gfex", "akshare 100ppi"
_GFEX = "gfex"

_PRICES = ["open", "high", "low", "close", "settle"]
_SAME = ["contract", "close", "settle", "volume", "open_interest"]


def source(now: Callable[[], datetime | None] = lambda: None) -> Source:
    """Return akshare as a source.

    Parameters
    ----------
    now : callable
        Gives the time; None for the clock's.

    Raises
    ------
    SettingError
        akshare is not installed.
    """
    if find_spec("akshare") is None:
        raise SettingError(
            "--source akshare needs akshare; in sibt's folder, pip install -e '.[akshare]' brings"
            " it."
        )
    return _Akshare(import_module("akshare"), now)


def grade(product: str) -> str:
    """Return the grade of 100ppi's spot quote: for silicon 441, which no contract delivers.

    Of other products the grade is not known; theirs is called after the site, so that it is
    never taken for a deliverable one.
    """
    return "441" if product == "si" else "100ppi"


class _Akshare:
    """The questions, and how each answer becomes a table of the store."""

    name = "akshare"
    kinds: tuple[str, ...] = ("bars", "receipts", "spot", "contracts", "terms")

    def __init__(self, library: Any, now: Callable[[], datetime | None]) -> None:
        self.library, self.now = library, now
        self.answered: set[pd.Timestamp] = set()

    def asks(
        self, product: str, kind: str, days: pd.DatetimeIndex, store: Store
    ) -> Iterator[Ask]:
        """Yield the questions of a kind; see `sibt.sources.online.asking.Source`."""
        if kind == "bars":
            yield from self._bars_asks(product, days, store)
        elif kind == "contracts":
            yield Ask(kind, "contract list", (), partial(self.contracts, product), site=_GFEX)
        elif kind == "terms":
            yield Ask(kind, "margins", (), partial(self.margins, product, store), site=_GFEX)
            yield Ask(kind, "fees", (), partial(self.fees, product, store), site="fees")
        else:
            fetch = {"receipts": self.receipts, "spot": self.spot}[kind]
            site = {"receipts": _GFEX, "spot": "100ppi"}[kind]
            for day in days:
                yield Ask(kind, _iso(day), (day,), partial(fetch, product, day), site=site)

    def _bars_asks(
        self, product: str, days: pd.DatetimeIndex, store: Store
    ) -> Iterator[Ask]:
        """Ask the exchange by session, then Sina by contract for sessions left unanswered."""
        for day in days:
            yield Ask("bars", _iso(day), (day,), partial(self.bars, product, day, store),
                      site=_GFEX)
        known = store.read(product, "absent")
        known = known[(known["kind"] == "bars") & (known["source"] == self.name)]
        left = days[~days.isin(list(self.answered))]
        left = left[~left.strftime("%Y-%m-%d").isin(known["what"])]
        for life in alive(product, left):
            own = life_in(life, left)
            if len(own):
                what = f"{life.code} {_iso(own[0])}..{_iso(own[-1])}"
                fetch = partial(self.history, life.code, own)
                yield Ask("bars", what, tuple(own), fetch, keep="old", site="sina")

    # Daily bars of the exchange ------------------------------------------------------------

    def bars(self, product: str, day: pd.Timestamp, store: Store) -> pd.DataFrame:
        """Return the exchange's bars of all contracts in one session, with settlements."""
        asked = f"{day:%Y%m%d}"
        frame = wire.listen(
            lambda: self.library.get_gfex_daily(date=asked),
            lambda answer: answers.bars(answer, product, asked),
        )
        if frame is None:
            self.answered.add(day)
            return pd.DataFrame()
        rows = frame[frame["symbol"].str.fullmatch(rf"{product.upper()}\d{{4}}")]
        table = pd.DataFrame(
            {
                "date": day,
                # akshare writes SI2411.
                "contract": rows["symbol"].str.lower().astype("str"),
                # A contract that did not trade has zeros for prices: unknown.
                **{name: rows[name].where(rows[name] > 0) for name in _PRICES},
                "volume": rows["volume"],
                "open_interest": rows["open_interest"],
                "source": EXCHANGE,
            }
        ).reset_index(drop=True)
        before = dict(zip(table["contract"], rows["pre_settle"].to_numpy(), strict=True))
        _check_day(table, before, day, store.read(product, "bars"))
        self.answered.add(day)
        return table

    def history(self, code: str, days: pd.DatetimeIndex) -> pd.DataFrame:
        """Return Sina's bars of one contract in some sessions; they only fill gaps."""
        frame = wire.listen(
            lambda: self.library.futures_zh_daily_sina(symbol=code.upper()), answers.sina
        )
        if frame is None:
            return pd.DataFrame()
        frame = frame.assign(date=pd.to_datetime(frame["date"]).astype("datetime64[ns]"))
        rows = frame[frame["date"].isin(days)]
        return pd.DataFrame(
            {
                "date": rows["date"],
                "contract": code,
                **{name: rows[name].where(rows[name] > 0) for name in _PRICES},
                "volume": rows["volume"],
                "open_interest": rows["hold"],
                "source": STAND_IN,
            }
        ).reset_index(drop=True)

    # Beside the bars -----------------------------------------------------------------------

    def receipts(self, product: str, day: pd.Timestamp) -> pd.DataFrame:
        """Return the registered receipts of one session: today's counts, summed.

        The column 增减 is never used: it misses cancellations.
        """
        asked = f"{day:%Y%m%d}"
        found = wire.listen(
            lambda: self.library.futures_gfex_warehouse_receipt(date=asked),
            lambda answer: answers.receipts(answer, product, asked),
        )
        rows = None if found is None else found.get(product.upper())
        if rows is None or not len(rows):
            return pd.DataFrame()
        lots = rows["今日仓单量"]
        if lots.isna().any():
            raise Wrong("a warehouse has no count of receipts")
        return pd.DataFrame({"date": [day], "lots": [float(lots.sum())], "source": [EXCHANGE]})

    def spot(self, product: str, day: pd.Timestamp) -> pd.DataFrame:
        """Return 100ppi's spot quote of one session; its basis is checked and left out."""
        frame = wire.listen(
            lambda: self.library.futures_spot_price(
                date=f"{day:%Y%m%d}", vars_list=[product.upper()]
            ),
            lambda answer: answers.spot(answer, f"{day:%Y%m%d}"),
        )
        if frame is None or frame.empty:
            return pd.DataFrame()
        row = frame[frame["symbol"] == product.upper()].iloc[0]
        if str(row["date"]) != f"{day:%Y%m%d}":
            raise Wrong(f"100ppi's quote is of another day, {row['date']}")
        check_basis(row)
        return pd.DataFrame(
            {
                "date": [day],
                "grade": [grade(product)],
                "price": [float(row["spot_price"])],
                "source": [PPI],
            }
        )

    # Tables of today -----------------------------------------------------------------------

    def contracts(self, product: str) -> pd.DataFrame:
        """Return the exchange's list of the contracts that live today; there is no history."""
        frame = wire.listen(self.library.futures_contract_info_gfex, answers.table)
        if frame is None:
            return pd.DataFrame()
        rows = frame[frame["合约代码"].str.lower().str.fullmatch(rf"{product}\d{{4}}")]
        size = product_of(product).multiplier
        if (rows["交易单位"] != size).any():
            raise Wrong(f"the exchange's list has lots of another size than {size} tonnes")
        return pd.DataFrame(
            {
                "contract": rows["合约代码"].str.lower().astype("str"),
                "listed": pd.to_datetime(rows["开始交易日"]),
                "last_trading": pd.to_datetime(rows["最后交易日"]),
                "last_delivery": pd.to_datetime(rows["最后交割日"]),
                "source": EXCHANGE,
            }
        ).reset_index(drop=True)

    def margins(self, product: str, store: Store) -> pd.DataFrame:
        """Return the margins and limits of today that are news.

        akshare's function takes a date and ignores it: the table is always today's, and is
        kept under the session whose settlements it was made from.
        """
        closed = last_closed(self.now())
        frame = wire.listen(
            lambda: self.library.futures_settle_gfex(date=f"{closed:%Y%m%d}"), answers.table
        )
        if frame is None:
            return pd.DataFrame()
        observed = tables_of_today.margins(
            frame, product, store.read(product, "bars"), closed, EXCHANGE
        )
        return news(product, observed, store.read(product, "terms"))

    def fees(self, product: str, store: Store) -> pd.DataFrame:
        """Return the fees of today that are news, from the first of two sites that answers."""
        day = current(self.now())
        try:
            table = wire.listen(lambda: self.library.futures_comm_info(symbol="广州期货交易所"))
            observed = tables_of_today.fees_9qihuo(table, product, day)
        except (Temporary, Wrong) as first:
            try:
                table = wire.listen(self.library.futures_fees_info)
                observed = tables_of_today.fees_openctp(table, product, day)
            except (Temporary, Wrong):
                raise first from None
        return news(product, observed, store.read(product, "terms"))


def _iso(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"


def check_basis(row: Any) -> None:
    """Refuse a quote whose basis is not futures less spot, as `futures_spot_price` has it.

    Raises
    ------
    Wrong
        The sign or the prices have changed.
    """
    for futures, basis in (
        ("near_contract_price", "near_basis"),
        ("dominant_contract_price", "dom_basis"),
    ):
        if abs(row[futures] - row["spot_price"] - row[basis]) > 0.01:
            raise Wrong(
                f"akshare's {basis} is {row[basis]:g} where futures less spot is"
                f" {row[futures] - row['spot_price']:g}: its sign or its prices have changed"
            )


def _check_day(
    table: pd.DataFrame, before: dict[str, float], day: pd.Timestamp, kept: pd.DataFrame
) -> None:
    """Refuse bars that are another day's: the exchange's table does not name its day.

    A contract must be alive; the settlement before, which the table holds, must be the one
    that is kept for the session before; and no other session may have the same bars.

    Raises
    ------
    Wrong
        One of the three is not so.
    """
    for code in table["contract"]:
        life = contract(code)
        late = life.last_trading is not None and day > life.last_trading
        # Listing dates are partly inferred: a month of grace.
        early = life.listed is not None and day < life.listed - pd.Timedelta(days=31)
        if late or early:
            raise Wrong(f"the bars are of another day: {code} is not traded on {_iso(day)}")
    kept = kept[of_exchange(kept["source"])]
    eve = calendar.before(day)
    last = kept[kept["date"] == eve].set_index("contract")["settle"]
    pairs = [(last[code], value) for code, value in before.items() if code in last.index]
    pairs = [(mine, theirs) for mine, theirs in pairs if mine > 0 and theirs > 0]
    if pairs and 2 * sum(mine != theirs for mine, theirs in pairs) > len(pairs):
        raise Wrong(
            f"the bars are of another day, or those kept of {eve:%Y-%m-%d} are: settlements"
            " before do not agree"
        )
    traded = table[table["volume"] > 0]
    if len(traded):
        twins = kept[kept["date"] != day].merge(traded[_SAME], on=_SAME)["date"].value_counts()
        if len(twins) and twins.iloc[0] == len(traded):
            raise Wrong(f"the bars are the same as those of {twins.index[0]:%Y-%m-%d}")
