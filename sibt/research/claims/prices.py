"""A report held against a market: the day it was known, and the prices its claims are read on."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.language import said, written
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market
from sibt.research.claims.report import Report
from sibt.research.claims.verdict import LackingError, Missing, bars_of
from sibt.research.claims.window import Span, Window

if TYPE_CHECKING:
    from sibt.runs.run import Run

__all__ = ["Prices", "Subject"]

FloatArray = NDArray[np.float64]


class Subject:
    """A report and a market.

    Attributes
    ----------
    report : Report
        The report.
    market : Market
        The market, as far as it may be used.
    """

    def __init__(self, report: Report, market: Market) -> None:
        self.report, self.market = report, market
        self._prices: dict[tuple[str, str], Prices] = {}
        self._spans: dict[Window, list[Span]] = {}
        #: Runs of strategies, by what was asked for: readings of a claim share theirs.
        self.runs: dict[str, Run] = {}

    @cached_property
    def day(self) -> pd.Timestamp:
        """The session whose close is the base: the report's day, or the last one before it."""
        known = calendar.sessions()
        return known[int(known.searchsorted(self.report.date, side="right")) - 1]

    @cached_property
    def at(self) -> int:
        """The position of that session in the market.

        Raises
        ------
        LackingError
            The market does not have it.
        """
        place = int(self.market.sessions.searchsorted(self.day))
        if place == len(self.market.sessions) or self.market.sessions[place] != self.day:
            raise LackingError(
                Missing(
                    f"bars of {self.day:%Y-%m-%d}",
                    said(
                        "bring daily bars of {product} from {day:%Y-%m-%d} on: sibt data pull, or a"
                        " file of bars with --data",
                        product=self.report.product,
                        day=self.day,
                    ),
                )
            )
        return place

    @cached_property
    def dominant(self) -> pd.Series[Any]:
        """The dominant contract of each session among those of the report's standard.

        Raises
        ------
        LackingError
            The market has no contract of the product.
        """
        try:
            return self.market.dominant(self.report.product, standard=self.report.standard)
        except DataError:
            raise LackingError(
                Missing(
                    f"bars of {self.report.product}",
                    said(
                        "bring daily bars of {product}: sibt data pull, or a file of bars with"
                        " --data",
                        product=self.report.product,
                    ),
                )
            ) from None

    @cached_property
    def standard_end(self) -> pd.Timestamp | None:
        """Last session of the standard's last contract; None while the standard is in force."""
        product = self.market.product(self.report.product)
        for row in product.standards:
            if row["name"] == self.report.standard and "to" in row:
                return contract(row["to"]).last_trading
        return None

    def spans(self, window: Window) -> list[Span]:
        """Return a window as it lies from each session of the market on, T of them."""
        if window not in self._spans:
            sessions = self.market.sessions
            self._spans[window] = [window.span(sessions, at) for at in range(len(sessions))]
        return self._spans[window]

    def prices(self, on: str, price: str = "close") -> Prices:
        """Return what a claim is read on; see `Prices`."""
        key = (on, price)
        if key not in self._prices:
            self._prices[key] = Prices(self, on, price)
        return self._prices[key]


class Prices:
    """Prices of one good that can be followed from any session on.

    Parameters
    ----------
    subject : Subject
        Report and market.
    on : str
        ``held``: the contract that is dominant in the session one starts from, held to its last
        session. ``dominant``: the dominant contract of each session, raw. ``adjusted``: the same
        without the jumps of rolls, at the raw price in the session one starts from; a roll takes
        place in the session after the lead has passed, as a position would. Or a contract's code.
    price : str
        Field of a bar; ``close`` with ``adjusted``.

    Raises
    ------
    LackingError
        The market has no bar of the contract, or lacks what a roll needs.
    """

    def __init__(self, subject: Subject, on: str, price: str = "close") -> None:
        market = subject.market
        self.market, self.on = market, on
        self._standard_end = subject.standard_end
        self._field: FloatArray = getattr(market, price)
        self._codes: NDArray[Any] = subject.dominant.to_numpy(dtype=object)
        if on not in ("held", "dominant", "adjusted"):
            if on not in market.contracts:
                raise LackingError(bars_of(on))
            self._codes = np.full(len(market.sessions), on, dtype=object)

    def code(self, at: int) -> str | None:
        """Return the contract of a session; None where none is known."""
        found = self._codes[at]
        return found if isinstance(found, str) else None

    def codes(self, at: int) -> NDArray[Any]:
        """Return the contract behind each value of ``values(at)``, shape (T,)."""
        found = self._codes
        if self.on == "held":
            found = np.full(len(found), self.code(at), dtype=object)
        elif self.on == "adjusted":
            found = np.append(found[:1], found[:-1])
        return found

    def values(self, at: int) -> FloatArray:
        """Return prices of all sessions as one sees them who starts from session `at`.

        Returns
        -------
        ndarray of shape (T,)
            Yuan per tonne (lots for counts); NaN unknown.
        """
        if self.on == "adjusted":
            rolled: FloatArray = self._rolled - self._rolled[at] + self.base(at)
            return rolled
        if self.on == "dominant":
            return self._raw
        code = self.code(at)
        if code is None:
            return np.full(len(self._codes), np.nan)
        values: FloatArray = self._field[:, self.market.column(code)]
        return values

    def base(self, at: int) -> float:
        """Return the close of a session, from which claims are measured; NaN unknown."""
        code = self.code(at)
        return float("nan") if code is None else float(
            self.market.close[at, self.market.column(code)]
        )

    def ends(self, at: int) -> pd.Timestamp | None:
        """Return the last session in which what is followed from `at` can have a price."""
        if self.on in ("dominant", "adjusted"):
            return self._standard_end
        code = self.code(at)
        return None if code is None else contract(code).last_trading

    @cached_property
    def _raw(self) -> FloatArray:
        """Prices of each session's own dominant contract."""
        found = np.full(len(self._codes), np.nan)
        for code in {one for one in self._codes if isinstance(one, str)}:
            own = self._codes == code
            found[own] = self._field[own, self.market.column(code)]
        return found

    @cached_property
    def _rolled(self) -> FloatArray:
        """Closes without the jumps of rolls, at some level; only differences count."""
        codes = pd.Series(self._codes, self.market.sessions, dtype=object)
        try:
            return np.asarray(self.market.continuous(codes), dtype=np.float64)
        except DataError as error:
            why = written(str(error), str(error))
            raise LackingError(Missing("closes at a roll", why)) from None
