"""What a claim speaks of: a price, open interest, a spot quote, receipts or a series, by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.errors import DataError, did_you_mean
from sibt.language import said
from sibt.market.contract import contract
from sibt.market.panel import FIELDS
from sibt.research.claims.verdict import LackingError, Missing, bars_of

if TYPE_CHECKING:
    from sibt.research.claims.prices import Subject

__all__ = ["Quantity", "Term", "quantity"]

#: What is published weekly or monthly is still the last known so many days later, and what the
#: exchange publishes daily.
_SLACK, _DAILY_SLACK = pd.Timedelta(days=31), pd.Timedelta(days=7)

_KINDS = ("dominant", "adjusted", "weighted", "spot", "series")
_CODE = re.compile(r"[a-z]+\d{4}")
_COUNTS = ("volume", "open_interest")


@dataclass(frozen=True)
class Term:
    """One thing that has a value on a day.

    Attributes
    ----------
    kind : str
        ``dominant, adjusted, weighted, contract, spot, receipts`` or ``series``.
    name : str
        Contract code, spot grade or name of the series; else empty.
    field : str
        Field of a bar; else empty.
    """

    kind: str
    name: str = ""
    field: str = ""

    def __str__(self) -> str:
        first = self.name if self.kind == "contract" else self.kind
        rest = self.field if self.kind == "contract" else self.name or self.field
        return f"{first} {rest}".strip()

    def values(self, subject: Subject) -> pd.Series[float]:
        """Return its known values by day; never empty.

        Raises
        ------
        LackingError
            The market has none.
        """
        market = subject.market
        if self.kind == "series":
            rows = market.series[market.series["name"] == self.name]
            rows = rows.sort_values(["date", "published_on"]).drop_duplicates("date", keep="last")
            found = pd.Series(rows["value"].to_numpy(float), pd.DatetimeIndex(rows["date"]))
        elif self.kind == "receipts":
            found = market.receipts
        elif self.kind == "spot":
            at = [n for n, grade in enumerate(market.spot.columns) if str(grade) == self.name]
            found = market.spot.iloc[:, at[0]] if at else pd.Series(dtype=float)
        else:
            found = self._of_bars(subject)
        found = found.dropna()
        if found.empty:
            raise LackingError(self.missing(subject))
        return found.rename(str(self))

    def unknown(self, subject: Subject) -> pd.Series[bool]:
        """Return by session where a bar is there and does not say; never for what has no bars."""
        sessions = subject.market.sessions
        if self.kind in ("series", "spot", "receipts"):
            return pd.Series(False, sessions)
        found = self._of_bars(subject).isna()
        if self.kind == "contract":
            # A session without a bar is one without a trade.
            found &= subject.market.bars(self.name).notna().any(axis=1)
        return found

    def _of_bars(self, subject: Subject) -> pd.Series[float]:
        market, report = subject.market, subject.report
        if self.kind == "contract":
            if self.name not in market.contracts:
                raise LackingError(bars_of(self.name))
            return market.bars(self.name)[self.field]
        if self.kind == "adjusted":
            prices = subject.prices("adjusted")
            return pd.Series(prices.values(subject.at), market.sessions)
        if self.kind == "dominant":
            return pd.Series(subject.prices("dominant", self.field).values(0), market.sessions)
        if self.field in _COUNTS:
            own = [n for n, code in enumerate(market.contracts)
                   if contract(code).product.name == report.product]  # fmt: skip
            counts = getattr(market, self.field)[:, own]
            there = market.traded()[:, own]
            # A part sum would be a wrong figure, not an uncertain one.
            whole = there.any(axis=1) & ~(there & np.isnan(counts)).any(axis=1)
            return pd.Series(np.where(whole, np.nansum(counts, axis=1), np.nan), market.sessions)
        return market.weighted(report.product, self.field, standard=report.standard)

    def missing(self, subject: Subject) -> Missing:
        """Return what would have to be brought for it."""
        if self.kind == "series":
            declared = {one.name: one for one in subject.report.series}
            unit = declared[self.name].unit if self.name in declared else "UNIT"
            how = said(
                "bring it as series.csv beside the bars, a row {row} a value, or with sibt data"
                " import FILE --kind series",
                row=f"{self.name},DATE,PUBLISHED_ON,VALUE,{unit}",
            )
        elif self.kind == "spot":
            how = said(
                "bring it as spot.csv beside the bars, a row DATE,{grade},PRICE a quote, or with"
                " sibt data import FILE --kind spot",
                grade=self.name,
            )
        elif self.kind == "receipts":
            how = said(
                "sibt data pull brings them, or receipts.csv beside the bars, a row DATE,LOTS a"
                " day"
            )
        elif self.kind == "contract" and self.name not in subject.market.contracts:
            return bars_of(self.name)
        elif self.field in _COUNTS or self.kind == "weighted":
            field = self.field if self.field in _COUNTS else "open_interest"
            how = said("bring bars with it for every contract, as sibt data pull does")
            return Missing(f"{field} of all contracts" if self.kind == "weighted" else str(self),
                           how)  # fmt: skip
        else:
            how = said("bring bars that have it, as sibt data pull does")
        return Missing(str(self), how)

    def unit(self, subject: Subject) -> str:
        """Return the unit of its values."""
        if self.kind == "series":
            return next((one.unit for one in subject.report.series if one.name == self.name), "")
        return "lots" if self.kind == "receipts" or self.field in _COUNTS else "yuan/t"


@dataclass(frozen=True)
class Quantity:
    """A term, or the difference of two.

    Attributes
    ----------
    text : str
        As it was written.
    terms : tuple of Term
        One or two.
    """

    text: str
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return self.text

    @property
    def dated(self) -> bool:
        """True if a series takes part: its values stand on days of their own."""
        return any(term.kind == "series" for term in self.terms)

    @property
    def slack(self) -> pd.Timedelta:
        """How old its last value may be and still be the last known."""
        slow = any(term.kind in ("series", "spot") for term in self.terms)
        return _SLACK if slow else _DAILY_SLACK

    def gaps(self, subject: Subject, start: pd.Timestamp, end: pd.Timestamp) -> int:
        """Return in how many sessions between two days a bar should have it and does not."""
        return sum(int(term.unknown(subject)[start:end].sum()) for term in self.terms)

    def values(self, subject: Subject) -> pd.Series[float]:
        """Return its values by day; of a difference, on the days both are known.

        Raises
        ------
        LackingError
            The market lacks a term, or has the two on no common day.
        """
        missing: list[Missing] = []
        found: list[pd.Series[float]] = []
        for term in self.terms:
            try:
                found.append(term.values(subject))
            except LackingError as lacking:
                missing += lacking.missing
        if missing:
            raise LackingError(*missing)
        value = found[0] if len(found) == 1 else (found[0] - found[1]).dropna()
        if value.empty:
            raise LackingError(*(term.missing(subject) for term in self.terms))
        return value.rename(self.text)

    def lacks(self, subject: Subject, when: Any) -> LackingError:
        """Return what to raise where the market has it, but not when it is needed."""
        days = f"{when:%Y-%m-%d}" if isinstance(when, pd.Timestamp) else when
        return LackingError(
            *(Missing(f"{one.what} ({days})", one.how)
              for one in (term.missing(subject) for term in self.terms))
        )  # fmt: skip

    def ends(self, subject: Subject) -> pd.Timestamp | None:
        """Return the last session in which it can have a value; None where there is none yet.

        Prices end with the contracts they are of, or with the report's delivery standard.
        """
        found = [
            contract(term.name).last_trading if term.kind == "contract" else subject.standard_end
            for term in self.terms
            if term.kind in ("contract", "dominant", "adjusted")
            or (term.kind == "weighted" and term.field not in _COUNTS)
        ]
        return min((one for one in found if one is not None), default=None)

    def unit(self, subject: Subject) -> str:
        """Return the unit of its values."""
        return self.terms[0].unit(subject)


def quantity(text: Any) -> Quantity:
    """Read what is written as ``dominant close``, ``spot 421 - spot 553``, ``series NAME``.

    Raises
    ------
    SibtError
        It is nothing a market has.
    """
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{text!r} names nothing a market has; write such as 'dominant close'.")
    parts = re.split(r"\s+-\s+", text.strip())
    if len(parts) > 2:
        raise DataError(f"'{text}' has {len(parts)} terms; write one, or 'A - B'.")
    return Quantity(text.strip(), tuple(_term(part) for part in parts))


def _term(text: str) -> Term:
    words = text.split()
    kind, rest = words[0], words[1:]
    if kind == "receipts" and not rest:
        return Term("receipts")
    if kind in ("spot", "series") and len(rest) == 1:
        return Term(kind, name=rest[0])
    if kind in ("dominant", "adjusted", "weighted") or _CODE.fullmatch(kind):
        if len(rest) != 1 or rest[0] not in FIELDS:
            wrong = " ".join(rest)
            raise DataError(
                f"'{text}' names no field of a bar; write '{kind} FIELD' with one of"
                f" {', '.join(FIELDS)}.{did_you_mean(wrong, FIELDS)}"
            )
        if kind == "adjusted" and rest[0] != "close":
            raise DataError(f"'{text}' cannot be rolled; write 'adjusted close'.")
        if kind in ("dominant", "adjusted", "weighted"):
            return Term(kind, field=rest[0])
        contract(kind)
        return Term("contract", name=kind, field=rest[0])
    raise DataError(
        f"'{text}' names nothing a market has; write dominant, adjusted, weighted or a contract"
        " code with a field of a bar, spot GRADE, receipts or series NAME."
        f"{did_you_mean(kind, (*_KINDS, 'receipts'))}"
    )
