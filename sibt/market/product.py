"""A product's terms: size, ticks, margins, price limits and fees, each with its dates.

Terms are facts with a date, a source and a confidence, kept in ``sibt/products/*.toml``.
Exchange notices say "from the settlement of day X": the margin is charged at X's settlement
and the price limit announced with it holds from the next session.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import TermsError, did_you_mean
from sibt.language import Sentence, said
from sibt.market import calendar

__all__ = ["OBSERVED", "Product", "product", "products"]

FloatArray = NDArray[np.float64]

#: What may be observed of a contract: shares, but for the last three, yuan per lot.
OBSERVED = (
    "speculator",
    "hedger",
    "limit",
    "open",
    "close",
    "close_today",
    "open_per_lot",
    "close_per_lot",
    "close_today_per_lot",
)


@dataclass(frozen=True, eq=False)
class Product:
    """Dated terms of one product.

    Attributes
    ----------
    name : str
        Lower-case code, ``si``.
    title, title_zh : str
        Name in English and Chinese.
    multiplier : int
        Tonnes per lot.
    verified : bool
        False where the terms only stand in for ones nobody has checked.
    first_session : pd.Timestamp
        First session of the product.
    last_trading_session, last_delivery_after : int
        Session of the delivery month that is the last trading day, and the sessions from
        it to the last delivery day.
    natural_persons_deliver : bool
        Whether a natural person may hold into the delivery month.
    listing, standards, ticks, margins, open_readings, fees : sequence of mapping
        Rows of the terms file.
    stages, carry : mapping
        Steps of margin near delivery; costs of carrying receipts.
    known_until : pd.Timestamp
        Last session for which the rows were looked for.
    hours : tuple of (int, int)
        Parts of the trading day, minutes after midnight Beijing time; empty where unknown.
    observed : pd.DataFrame or None
        What was charged on single contracts, beside the rows of the file: ``contract, item,
        from, value``; see `extended`.
    """

    name: str
    title: str
    title_zh: str
    multiplier: int
    verified: bool
    first_session: pd.Timestamp
    last_trading_session: int
    last_delivery_after: int
    natural_persons_deliver: bool
    listing: Sequence[Mapping[str, Any]] = field(repr=False)
    standards: Sequence[Mapping[str, Any]] = field(repr=False)
    ticks: Sequence[Mapping[str, Any]] = field(repr=False)
    margins: Sequence[Mapping[str, Any]] = field(repr=False)
    open_readings: Sequence[Mapping[str, Any]] = field(repr=False)
    fees: Sequence[Mapping[str, Any]] = field(repr=False)
    stages: Mapping[str, Any] = field(repr=False)
    carry: Mapping[str, Any] = field(repr=False)
    receipts_cancelled_after_month: int | None
    known_until: pd.Timestamp
    hours: tuple[tuple[int, int], ...] = ()
    observed: pd.DataFrame | None = field(default=None, repr=False)

    def extended(self, rows: pd.DataFrame) -> "Product":
        """Return these terms with rows that were observed, contract by contract.

        An observed value holds for its contract from its day until the next row that
        contradicts it: a later observation, or a later row of the file. Where a stage near
        delivery begins after it, the higher of the two holds. It settles an open reading.

        Parameters
        ----------
        rows : pd.DataFrame
            ``contract, item, from, value`` and more. Items are `OBSERVED`; margins count from
            the settlement of ``from``, limits from the session after it, fees from the
            session.
        """
        own = rows[rows["contract"].str.match(rf"{self.name}\d")]
        return replace(self, observed=own) if len(own) else self

    def standard(self, code: str) -> str:
        """Return the name of the delivery standard of a contract."""
        for row in self.standards:
            if row.get("from", code) <= code <= row.get("to", code):
                return str(row["name"])
        return self.name

    def grade_premium(self, code: str, grade: str) -> float:
        """Return what a grade is worth above the contract's benchmark, yuan per tonne.

        Raises
        ------
        TermsError
            The grade is not deliverable: a 441 quote is never taken for 553.
        """
        for row in self.standards:
            if row.get("from", code) <= code <= row.get("to", code):
                grades = row["grades"]
                if grade not in grades:
                    raise TermsError(
                        f"Grade '{grade}' cannot be brought to the standard of {code}; known"
                        f" are {', '.join(grades)}."
                    )
                return float(grades[grade])
        raise TermsError(f"No grades are known for {code}.")

    def tick(self, sessions: pd.DatetimeIndex) -> FloatArray:
        """Return the smallest price step of each session, yuan per tonne, shape (T,)."""
        # A tick changes "from the settlement of" a day: prices follow in the next session.
        return _dated(sessions, self.ticks, "tick", after=True)

    def price_limit(self, code: str, sessions: pd.DatetimeIndex) -> FloatArray:
        """Return the price limit in force in each session as a share, shape (T,)."""
        rows = [row for row in self.margins if _applies(row, code)]
        limit = _dated(sessions, rows, "limit", after=True)
        from sibt.market.contract import contract

        start = contract(code).delivery_start
        steps = []
        if start is not None and "delivery_month_limit" in self.stages:
            steps.append((start, float(self.stages["delivery_month_limit"])))
        _raise(limit, sessions, steps)
        self._overlay(limit, code, "limit", sessions, rows, steps, after=True)
        return limit

    def margin_rate(
        self, code: str, sessions: pd.DatetimeIndex, kind: str, open_reading: bool = False
    ) -> FloatArray:
        """Return the exchange's margin rate at each session's settlement, shape (T,).

        Where two rules apply the higher margin holds, as every notice says.

        Parameters
        ----------
        code : str
            Contract.
        sessions : pd.DatetimeIndex of shape (T,)
            Sessions.
        kind : {"individual", "company", "hedger"}
            ``hedger`` pays the hedging rate, the others the speculative one.
        open_reading : bool
            True for the other reading, where the notices leave two open.
        """
        column = "hedger" if kind == "hedger" else "speculator"
        rows = [row for row in self.margins if _applies(row, code)]
        rate = _dated(sessions, rows, column, after=False)
        if open_reading:
            for row in self.open_readings:
                inside = (sessions >= pd.Timestamp(row["from"])) & (
                    sessions <= pd.Timestamp(row["to"])
                )
                rate[np.asarray(inside)] = row[column]
        from sibt.market.contract import contract

        life = contract(code)
        steps = []
        for name, start in (
            ("month_before_15th_session", life.fifteenth_before),
            ("delivery_month", life.delivery_start),
        ):
            # Charged at the settlement of the session before the stage begins.
            eve = None if start is None else calendar.before(start)
            if eve is not None and name in self.stages:
                steps.append((eve, float(self.stages[name])))
        _raise(rate, sessions, steps)
        self._overlay(rate, code, column, sessions, rows, steps, after=False)
        return rate

    def fee(self, code: str, sessions: pd.DatetimeIndex, name: str) -> FloatArray:
        """Return a fee rate (``open``, ``close``, ``close_today``), shares of turnover."""
        rows = [row for row in self.fees if _applies(row, code)]
        rate = _dated(sessions, rows, name, after=False)
        self._overlay(rate, code, name, sessions, rows, [], after=False)
        return rate

    def fee_per_lot(self, code: str, sessions: pd.DatetimeIndex, name: str) -> FloatArray:
        """Return the part of a fee that is yuan per lot, shape (T,); zero where none is named."""
        rows = [row for row in self.fees if _applies(row, code)]
        yuan = _dated(sessions, rows, f"{name}_per_lot", after=False, missing=0.0)
        self._overlay(yuan, code, f"{name}_per_lot", sessions, rows, [], after=False)
        return yuan

    def _overlay(
        self,
        values: FloatArray,
        code: str,
        item: str,
        sessions: pd.DatetimeIndex,
        rows: Sequence[Mapping[str, Any]],
        steps: Sequence[tuple[pd.Timestamp, float]],
        *,
        after: bool,
    ) -> None:
        """Write what was observed of a contract over what the rows of the file say."""
        if self.observed is None:
            return
        own = self.observed
        own = own[(own["contract"] == code) & (own["item"] == item)].sort_values("from")
        turns = sorted(
            {pd.Timestamp(row["from"]) for row in rows}
            | {pd.Timestamp(row["to"]) + pd.Timedelta(days=1) for row in rows if "to" in row}
        )
        for day, value in zip(own["from"], own["value"], strict=True):
            later = [turn for turn in turns if turn > day]
            first = _position(sessions, day, after)
            last = _position(sessions, later[0], after) if later else len(sessions)
            values[first:last] = value
            _raise(values[:last], sessions[:last], [step for step in steps if step[0] > day])

    def caveats(self, sessions: pd.DatetimeIndex) -> list[Sentence]:
        """Return what a reader must know of these terms over the sessions, a sentence each."""
        if not len(sessions):
            return []
        told = []
        if not self.verified:
            told.append(
                said(
                    "terms of {product} are unverified: margins, limits and fees stand in",
                    product=self.name,
                )
            )
        elif sessions[-1] > self.known_until:
            told.append(
                said(
                    "terms of {product} are known until {until:%Y-%m-%d}; later sessions use the"
                    " last known row",
                    product=self.name,
                    until=self.known_until,
                )
            )
        if self.observed is not None:
            seen = self.observed[self.observed["from"] <= sessions[-1]]
            if len(seen):
                told.append(
                    said(
                        "{count} observed terms of {product} beside its file, the last of"
                        " {last:%Y-%m-%d}",
                        count=len(seen),
                        product=self.name,
                        last=seen["from"].max(),
                    )
                )
        if sessions[0] < self.first_session:
            told.append(
                said(
                    "sessions before {first:%Y-%m-%d} use the first terms",
                    first=self.first_session,
                )
            )
        for row in self.open_readings:
            low, high = pd.Timestamp(row["from"]), pd.Timestamp(row["to"])
            if low <= sessions[-1] and high >= sessions[0]:
                told.append(
                    said(
                        "margin of {low:%Y-%m-%d}..{high:%Y-%m-%d} has two readings: {why}",
                        low=low,
                        high=high,
                        why=said(row["source"]),
                    )
                )
        return told


def _raise(
    values: FloatArray, sessions: pd.DatetimeIndex, steps: Sequence[tuple[pd.Timestamp, float]]
) -> None:
    """Let no value from a step's session on be below the step."""
    for start, least in steps:
        inside = np.asarray(sessions >= start)
        values[inside] = np.maximum(values[inside], least)


def _applies(row: Mapping[str, Any], code: str) -> bool:
    return code in row.get("contracts", (code,))


def _dated(
    sessions: pd.DatetimeIndex,
    rows: Sequence[Mapping[str, Any]],
    column: str,
    *,
    after: bool,
    missing: float | None = None,
) -> FloatArray:
    """Spread dated rows over sessions; a row with `to` ends there and the one before resumes."""
    value = np.full(len(sessions), np.nan)
    lasting = [row for row in rows if "to" not in row]
    passing = [row for row in rows if "to" in row]
    for number, row in enumerate(lasting):
        # Sessions before the first row use the first row; `caveats` says so.
        first = 0 if number == 0 else _position(sessions, row["from"], after)
        value[first:] = row[column] if missing is None else row.get(column, missing)
    for row in passing:
        first = _position(sessions, row["from"], after)
        last = _position(sessions, row["to"], after, side="right")
        if after:
            # In force in the sessions that follow the settlements from `from` to `to`.
            last = max(last, first + 1)
        value[first:last] = row[column]
    return value


def _position(sessions: pd.DatetimeIndex, day: Any, after: bool, side: str = "left") -> int:
    """Return where a row dated `day` begins: at that settlement, or in the session after it."""
    when = pd.Timestamp(day)
    if after:
        return int(sessions.searchsorted(when, side="right"))
    return int(sessions.searchsorted(when, side="right" if side == "right" else "left"))


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return 60 * int(hour) + int(minute)


@cache
def products() -> tuple[str, ...]:
    """Return the codes of all products with a file of terms."""
    folder = resources.files("sibt.products")
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    )


@cache
def product(name: str) -> Product:
    """Return the terms of a product.

    Raises
    ------
    TermsError
        There is no file of terms for it.
    """
    if name not in products():
        raise TermsError(
            f"No terms are known for product '{name}'; known are {', '.join(products())}."
            f"{did_you_mean(name, products())}"
        )
    text = resources.files("sibt.products").joinpath(f"{name}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    delivery = table["delivery"]
    return Product(
        name=table["name"],
        title=table["title"],
        title_zh=table["title_zh"],
        multiplier=table["multiplier"],
        verified=table["verified"],
        first_session=pd.Timestamp(table["first_session"]),
        last_trading_session=delivery["last_trading_session"],
        last_delivery_after=delivery["last_delivery_after"],
        natural_persons_deliver=delivery["natural_persons"],
        listing=table.get("listing", []),
        standards=table.get("standard", []),
        ticks=table["tick"],
        margins=table["margin"],
        open_readings=table.get("open_reading", []),
        fees=table["fee"],
        stages=table.get("stages", {}),
        carry=table.get("carry", {}),
        receipts_cancelled_after_month=table.get("receipts", {}).get("cancelled_after_month"),
        known_until=pd.Timestamp(table["known"]["until"]),
        hours=tuple(
            (_minute(begin), _minute(end)) for begin, end in table.get("hours", {}).get("day", ())
        ),
    )
