"""Tidy tables of bars in, the market panel out, with every row checked on the way.

A row that cannot be right is an error that names it. What is odd but happens at a real
exchange is for `sibt.market.findings`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, SettingError, TermsError, did_you_mean
from sibt.language import said
from sibt.market import calendar, quotes
from sibt.market.contract import Contract, contract
from sibt.market.panel import FIELDS, Market, Provenance
from sibt.market.product import product, products
from sibt.market.table import FloatArray, Origin, Schema, Table

__all__ = ["BARS", "build"]

_PRICES = FIELDS[:5]

BARS = Schema(
    "bars",
    {
        "date": ("日期",),
        "contract": ("合约",),
        "open": ("开盘价",),
        "high": ("最高价",),
        "low": ("最低价",),
        "close": ("收盘价",),
        "settle": ("结算价",),
        "volume": ("成交量",),
        "open_interest": ("持仓量",),
        "source": ("src", "来源"),
    },
    ("date", "contract"),
)

#: How continuous series are called: si0, si888, siL8, si主连, KQ.m@GFEX.si.
_CONTINUOUS = re.compile(
    r"([a-z]+)[._-]?(?:0{1,4}|8{2,4}|9{2,4}|l\d|main|index|dominant|主力|主连|连续|主力连续|加权|指数)"
    r"|kq\.[im]@.*"
)


@dataclass(frozen=True)
class _Rows:
    """Bars row by row: session number, contract number and the contracts themselves."""

    table: Table
    sessions: pd.DatetimeIndex
    session: NDArray[np.int64]
    contracts: tuple[Contract, ...]
    column: NDArray[np.int64]
    values: dict[str, FloatArray]

    def name(self, row: int) -> str:
        """Return contract and day of a row, for messages."""
        day = self.sessions[self.session[row]]
        return f"{self.contracts[self.column[row]].code} on {day:%Y-%m-%d}"

    def refuse(self, bad: NDArray[np.bool_], column: str, what: str, cure: str) -> None:
        """Raise if any row is bad; `what` may use the row's fields, as in ``{high:g}``."""
        self.table.refuse(
            bad,
            column,
            lambda row: (
                what.format(**{name: array[row] for name, array in self.values.items()})
                + f" for {self.name(row)}"
            ),
            cure,
        )


def build(
    bars: pd.DataFrame,
    *,
    spot: pd.DataFrame | None = None,
    receipts: pd.DataFrame | None = None,
    series: pd.DataFrame | None = None,
    dominant: pd.DataFrame | None = None,
    terms: pd.DataFrame | None = None,
    settle_from: str | None = None,
    source: str = "memory",
    simulated: bool = False,
    origin: Mapping[str, Origin] | None = None,
    notes: tuple[str, ...] = (),
) -> Market:
    """Build the panel from tidy tables, checking every row.

    Parameters
    ----------
    bars : pd.DataFrame
        Columns ``date, contract, open, high, low, close, settle, volume, open_interest`` or
        their Chinese headers, in any order; prices in yuan per tonne, the rest in lots.
        Date, contract and one price column must be there; other columns are ignored and
        listed in the notes. Blank is unknown.
    spot, receipts, series, dominant, terms : pd.DataFrame, optional
        ``date, grade, price``; ``date, lots``; ``name, date, published_on, value, unit``;
        ``date, contract``; ``contract, item, from, value``.
    settle_from : {"close"}, optional
        Let the close stand in where a bar has no settlement.
    source, simulated
        As in `Provenance`.
    origin : mapping of str to Origin, optional
        By table, the files and lines its rows stand in.
    notes : tuple of str
        What was doubtful before the tables came here.

    Returns
    -------
    Market
        On every session of the exchange from the first bar to the last; contracts by product
        and delivery month; NaN where nothing is known.

    Raises
    ------
    DataError
        A row that cannot be right; the message names row, column and cure.
    SettingError
        `settle_from` is neither None nor "close".
    """
    if settle_from not in (None, "close"):
        raise SettingError(
            f"settle_from is {settle_from!r}; expected is 'close', to let the close stand in"
            " where a settlement is missing, or nothing at all."
        )
    places = origin or {}
    told = list(notes)
    rows = _read(Table(bars, BARS, places.get("bars")))
    _check(rows)
    if rows.table.ignored:
        ignored = ", ".join(rows.table.ignored)
        told.append(said("ignored columns: {columns}", columns=ignored))
    told += _sources(rows.table) + _doubts(rows)
    if settle_from == "close":
        told += _stand_in(rows.values)
    sessions = rows.sessions
    codes = tuple(life.code for life in rows.contracts)
    planes = _planes(rows)
    return Market(
        sessions=sessions,
        contracts=codes,
        open=planes["open"],
        high=planes["high"],
        low=planes["low"],
        close=planes["close"],
        settle=planes["settle"],
        volume=planes["volume"],
        open_interest=planes["open_interest"],
        spot=quotes.spot(spot, sessions, told, places.get("spot")),
        receipts=quotes.receipts(receipts, sessions, told, places.get("receipts")),
        series=quotes.series(series, sessions, told, places.get("series")),
        terms=quotes.terms(terms, places.get("terms")),
        dominant_map=quotes.dominant(dominant, sessions, codes, told, places.get("dominant")),
        provenance=Provenance(
            source=source,
            simulated=simulated,
            settle_from=settle_from or "settle",
            notes=tuple(told),
            sources={**_settled_by(rows), **quotes.quoted_by(spot)},
        ),
    )


def _read(table: Table) -> _Rows:
    """Return the rows with days, contracts and numbers made out."""
    if not any(table.has(name) for name in _PRICES):
        where = table.place(0)
        raise DataError(
            f"{where}: there is no price column; expected at least one of {', '.join(_PRICES)}."
        )
    sessions, session = _sessions(table)
    contracts, column = _contracts(table)
    values = {name: table.numbers(name, "yuan per tonne") for name in _PRICES}
    values |= {name: table.whole(name) for name in FIELDS[5:]}
    return _Rows(table, sessions, session, contracts, column, values)


def _sessions(table: Table) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
    """Return the exchange's sessions from the first bar to the last, and each row's."""
    known = calendar.sessions()
    days = pd.DatetimeIndex(table.dates("date"))
    table.refuse(
        np.asarray((days < known[0]) | (days > known[-1])),
        "date",
        lambda row: f"{days[row]:%Y-%m-%d} is beyond the calendar of trading days",
        f"it reaches from {known[0]:%Y-%m-%d} to {known[-1]:%Y-%m-%d}: correct the date, or"
        " update exchange-calendars",
    )
    at = known.get_indexer(days)
    table.refuse(
        at < 0,
        "date",
        lambda row: f"{days[row]:%A}, {days[row]:%Y-%m-%d}, is no trading day",
        "correct the date, or leave the row out",
    )
    first = int(at.min())
    return known[first : int(at.max()) + 1], (at - first).astype(np.int64)


def _contracts(table: Table) -> tuple[tuple[Contract, ...], NDArray[np.int64]]:
    """Return the contracts by product and delivery month, and each row's."""
    codes, words = table.texts("contract")
    lives = []
    for number, word in enumerate(words):
        life = _life(word.lower())
        if life is None:
            what, cure = _unknown(word)
            table.refuse(codes == number, "contract", what, cure)
        else:
            lives.append(life)
    ordered = tuple(sorted(set(lives), key=lambda life: (life.product.name, life.month)))
    place = {life.code: number for number, life in enumerate(ordered)}
    return ordered, np.array([place[life.code] for life in lives], dtype=np.int64)[codes]


def _life(code: str) -> Contract | None:
    """Return a contract, or None where there never was one of this code."""
    try:
        life = contract(code)
    except TermsError:
        return None
    begun = life.month >= life.product.first_session.to_period("M")
    return life if begun else None


def _unknown(word: str) -> tuple[Callable[[int], str], str]:
    """Return what is wrong with a contract code, and the cure."""
    code = word.lower()
    if _CONTINUOUS.fullmatch(code):
        return (
            lambda row: f"'{word}' is a continuous series, which is not a contract",
            "give the bars of each delivery month under its own code, as si2411",
        )
    last = calendar.sessions()[-1].year + 2
    known = [
        f"{name}{year % 100:02d}{month:02d}"
        for name in products()
        for year in range(product(name).first_session.year, last)
        for month in range(1, 13)
    ]
    return (
        lambda row: (
            f"'{word}' is no contract.{did_you_mean(code, known)} Known products are"
            f" {', '.join(products())}"
        ),
        "write product and delivery month, as si2411",
    )


def _check(rows: _Rows) -> None:
    """Refuse bars that cannot be right."""
    _check_life(rows)
    for name in _PRICES:
        rows.refuse(
            rows.values[name] <= 0,
            name,
            f"the {name} {{{name}:g}} is not above zero",
            "correct it, or leave blank what is unknown",
        )
    _check_range(rows)
    _check_tick(rows)
    rows.table.once(
        {"date": rows.session, "contract": rows.column},
        lambda row: f"a second bar of {rows.name(row)}",
    )


def _check_life(rows: _Rows) -> None:
    """Refuse bars before a contract is listed or after its last trading day."""
    day = rows.sessions.to_numpy()[rows.session]
    none = np.datetime64("NaT")
    listed = [life.listed or life.product.first_session for life in rows.contracts]
    ended = [life.last_trading for life in rows.contracts]
    first = np.array([d.to_datetime64() for d in listed], dtype="datetime64[ns]")
    last = np.array([none if d is None else d.to_datetime64() for d in ended], "datetime64[ns]")
    for bad, bound, word in (
        (day < first[rows.column], listed, "before it was listed on"),
        (day > last[rows.column], ended, "after its last trading day"),
    ):
        rows.table.refuse(
            bad,
            "date",
            lambda row, bound=bound, word=word: (  # type: ignore[misc]
                f"a bar of {rows.name(row)} is {word} {bound[rows.column[row]]:%Y-%m-%d}"
            ),
            "correct date or contract, or leave the row out",
        )


def _check_range(rows: _Rows) -> None:
    """Refuse bars whose prices contradict each other; unknown ones contradict nothing."""
    values = rows.values
    cure = "correct the row, or leave blank what is unknown"
    rows.refuse(
        values["high"] < values["low"],
        "high",
        "the high {high:g} is below the low {low:g}",
        cure,
    )
    for name in ("open", "close"):
        for bound, word, bad in (
            ("high", "above", values[name] > values["high"]),
            ("low", "below", values[name] < values["low"]),
        ):
            rows.refuse(
                bad, name, f"the {name} {{{name}:g}} is {word} the {bound} {{{bound}:g}}", cure
            )


def _check_tick(rows: _Rows) -> None:
    """Refuse prices that are no multiple of the tick in force."""
    owner = np.array([life.product.name for life in rows.contracts], dtype=object)[rows.column]
    known = calendar.sessions()
    first = int(known.searchsorted(rows.sessions[0]))
    # One session more on either side: a tick that changes "from the settlement of" a day
    # shows in that day's settlement already, and in the other prices from the next session.
    span = np.clip(np.arange(-1, len(rows.sessions) + 1) + first, 0, len(known) - 1)
    for name in sorted(set(owner)):
        wide = product(name).tick(known[span])
        before, tick, after = (wide[rows.session + shift] for shift in range(3))
        mine = owner == name
        for field in _PRICES:
            price = rows.values[field]
            off = mine & _off(price, tick)
            if field == "settle" and off.any():
                off &= _off(price, before) & _off(price, after)
            rows.table.refuse(
                off,
                field,
                lambda row, field=field, price=price, tick=tick: (  # type: ignore[misc]
                    f"the {field} {price[row]:.10g} for {rows.name(row)} is no multiple of the"
                    f" tick of {tick[row]:g} yuan per tonne"
                ),
                "give prices as traded, unadjusted, or leave blank what is unknown",
            )


def _off(price: FloatArray, tick: FloatArray) -> NDArray[np.bool_]:
    steps = price / tick
    return np.abs(steps - np.rint(steps)) > 1e-6


def _sources(table: Table) -> list[str]:
    """Return where the rows came from, where the table says so."""
    if not table.has("source"):
        return []
    counts = table.cells("source").astype(object).fillna("unknown").value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    sources = ", ".join(f"{word} ({count:,})" for word, count in ranked[:3])
    if len(ranked) > 3:
        more = len(ranked) - 3
        return [said("bars by source: {sources} and {more} more", sources=sources, more=more)]
    return [said("bars by source: {sources}", sources=sources)]


def _settled_by(rows: _Rows) -> quotes.Sources:
    """Return the sources of each contract's settlements, where the table says so."""
    if not rows.table.has("source"):
        return {}
    known = ~np.isnan(rows.values["settle"])
    codes = np.array([life.code for life in rows.contracts], dtype=object)[rows.column[known]]
    words = rows.table.cells("source").to_numpy(dtype=object)[known]
    return quotes.by_source("settle", codes, words, rows.sessions[rows.session[known]])


def _doubts(rows: _Rows) -> list[str]:
    """Return what is odd in the bars but happens at a real exchange, a sentence each."""
    endless = [
        life.code for life in rows.contracts if life.listed is None and life.last_trading is None
    ]
    if not endless:
        return []
    end = calendar.sessions()[-1]
    return [
        said(
            "dates of {codes} are unknown: the calendar ends on {end:%Y-%m-%d}",
            codes=", ".join(endless),
            end=end,
        )
    ]


def _stand_in(values: dict[str, FloatArray]) -> list[str]:
    """Let the close stand in where a bar has no settlement; return what to say of it."""
    wanting = np.isnan(values["settle"]) & ~np.isnan(values["close"])
    if not wanting.any():
        return []
    values["settle"] = np.where(wanting, values["close"], values["settle"])
    count = int(wanting.sum())
    if count == 1:
        return [said("the close stands in for a missing settlement on 1 bar")]
    return [said("the close stands in for a missing settlement on {count:,} bars", count=count)]


def _planes(rows: _Rows) -> dict[str, FloatArray]:
    """Return the fields as sessions × contracts, NaN where there is no bar."""
    shape = (len(rows.sessions), len(rows.contracts))
    planes = {}
    for name, column in rows.values.items():
        plane = np.full(shape, np.nan)
        plane[rows.session, rows.column] = column
        planes[name] = plane
    return planes
