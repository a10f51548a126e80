"""The market panel: one immutable object that says what was known, and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, did_you_mean
from sibt.market import curve, quotes
from sibt.market import spread as two_prices
from sibt.market.product import Product
from sibt.market.product import product as product_of

__all__ = ["FIELDS", "Market", "Provenance"]

FloatArray = NDArray[np.float64]

#: Columns of a bar, in the order of the tidy table; prices in yuan per tonne, the rest in lots.
FIELDS = ("open", "high", "low", "close", "settle", "volume", "open_interest")


@dataclass(frozen=True)
class Provenance:
    """Where a market's numbers come from.

    Attributes
    ----------
    source : str
        A name a person recognises: "sample", a path, a store.
    simulated : bool
        True for made-up data; every page, table and line made from it says SIMULATED.
    settle_from : {"settle", "close"}
        "close" where closes stand in for settlements that are missing.
    notes : tuple of str
        Doubtful things seen while reading, a sentence each.
    sources : mapping
        Where single prices come from, as the tables say: of each contract's settlements
        (``settle si2411``) and each grade's quotes (``spot 553``), by source the first and
        last day and the number of rows.
    """

    source: str
    simulated: bool = False
    settle_from: str = "settle"
    notes: tuple[str, ...] = ()
    sources: Mapping[str, Mapping[str, tuple[pd.Timestamp, pd.Timestamp, int]]] = field(
        default_factory=dict
    )


@dataclass(frozen=True, eq=False)
class Market:
    """Bars of all contracts on the exchange's sessions, with spot, receipts and other series.

    NaN means unknown; nothing is forward-filled. Arrays are read-only.

    Attributes
    ----------
    sessions : pd.DatetimeIndex of shape (T,)
        Every session of the exchange from the first bar to the last.
    contracts : tuple of str, length C
        Contract codes in order of delivery within each product.
    open, high, low, close, settle : ndarray of shape (T, C)
        Prices, yuan per tonne.
    volume, open_interest : ndarray of shape (T, C)
        Lots.
    spot : pd.DataFrame of shape (T, grades)
        Spot quotes by grade, yuan per tonne, on the day they were made.
    receipts : pd.Series of shape (T,)
        Registered warehouse receipts, lots.
    series : pd.DataFrame
        What else the user brings, long: name, date, published_on, value, unit.
    terms : pd.DataFrame
        What was charged on single contracts, beside the products' files: contract, item,
        from, value, source, confidence; see `product`.
    dominant_map : pd.Series or None
        The dominant contract by session, where the data bring it.
    provenance : Provenance
        Where it all comes from.
    """

    sessions: pd.DatetimeIndex
    contracts: tuple[str, ...]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    settle: FloatArray
    volume: FloatArray
    open_interest: FloatArray
    spot: pd.DataFrame
    receipts: pd.Series[float]
    series: pd.DataFrame = field(default_factory=quotes.no_series)
    terms: pd.DataFrame = field(default_factory=quotes.no_terms)
    dominant_map: pd.Series[Any] | None = None
    provenance: Provenance = Provenance("memory")

    def __post_init__(self) -> None:
        shape = (len(self.sessions), len(self.contracts))
        for name in FIELDS:
            array = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"`{name}` has shape {array.shape}, expected {shape}")
            array.setflags(write=False)
        # Frames over locked arrays refuse to be written to as well.
        spot, lots = self.spot.to_numpy(float, copy=True), self.receipts.to_numpy(float, copy=True)
        spot.setflags(write=False)
        lots.setflags(write=False)
        index = self.sessions
        frame = pd.DataFrame(spot, index=index, columns=self.spot.columns, copy=False)
        series = pd.Series(lots, index=index, name=self.receipts.name, copy=False)
        object.__setattr__(self, "spot", frame)
        object.__setattr__(self, "receipts", series)

    @classmethod
    def from_bars(
        cls,
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
    ) -> Market:
        """Build a market from tidy tables, checking every row.

        Parameters
        ----------
        bars : pd.DataFrame
            Columns ``date, contract, open, high, low, close, settle, volume,
            open_interest``; blanks are allowed in all but date and contract.
        spot, receipts, series, dominant, terms : pd.DataFrame, optional
            ``date, grade, price``; ``date, lots``; ``name, date, published_on, value,
            unit``; ``date, contract``; ``contract, item, from, value``.
        settle_from : {"close"}, optional
            Let the close stand in where a bar has no settlement.
        source : str
            Name to show for where the data come from.
        simulated : bool
            True for made-up data.

        Raises
        ------
        DataError
            A row that cannot be right; the message names row, column and cure.
        """
        from sibt.market.bars import build

        return build(
            bars,
            spot=spot,
            receipts=receipts,
            series=series,
            dominant=dominant,
            terms=terms,
            settle_from=settle_from,
            source=source,
            simulated=simulated,
        )

    def __repr__(self) -> str:
        label = "SIMULATED, " if self.provenance.simulated else ""
        return (
            f"<Market {label}{self.provenance.source}: {len(self.contracts)} contracts,"
            f" {len(self.sessions)} sessions {self.sessions[0]:%Y-%m-%d}.."
            f"{self.sessions[-1]:%Y-%m-%d}>"
        )

    def column(self, code: str) -> int:
        """Return the column of a contract.

        Raises
        ------
        DataError
            The market holds no bar of it.
        """
        try:
            return self._columns[code]
        except KeyError:
            raise DataError(
                f"The market ({self.provenance.source}) has no bars of contract '{code}'; it"
                f" holds {self.contracts[0]} to {self.contracts[-1]}."
                f"{did_you_mean(code, self.contracts)}"
            ) from None

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {code: number for number, code in enumerate(self.contracts)}

    def product(self, name: str) -> Product:
        """Return the terms of a product: its file, extended by `terms`.

        Raises
        ------
        TermsError
            There is no file of terms for it.
        """
        return product_of(name).extended(self.terms)

    def frame(self, name: str) -> pd.DataFrame:
        """Return one field (``close``, ``volume``, …) as a frame of sessions × contracts."""
        return pd.DataFrame(
            getattr(self, name), index=self.sessions, columns=list(self.contracts), copy=True
        )

    def bars(self, code: str) -> pd.DataFrame:
        """Return all fields of one contract, sessions × fields; NaN is unknown."""
        at = self.column(code)
        return pd.DataFrame(
            {name: getattr(self, name)[:, at] for name in FIELDS}, index=self.sessions
        )

    def price(self, name: str) -> FloatArray:
        """Return one of the prices of a bar, yuan per tonne, shape (T, C).

        Raises
        ------
        DataError
            No such price.
        """
        if name not in FIELDS[:5]:
            raise DataError(
                f"'{name}' is no price of a bar; known are {', '.join(FIELDS[:5])}."
                f"{did_you_mean(name, FIELDS[:5])}"
            )
        array: FloatArray = getattr(self, name)
        return array

    def traded(self) -> NDArray[np.bool_]:
        """Return where a bar exists: some price is known; shape (T, C)."""
        known = np.zeros(self.close.shape, dtype=bool)
        for name in FIELDS[:5]:
            known |= ~np.isnan(getattr(self, name))
        return known

    def known(self, name: str) -> pd.Series[float]:
        """Return the latest published value of a user's series at each session.

        Parameters
        ----------
        name : str
            Name of the series.

        Returns
        -------
        pd.Series of shape (T,)
            In the series' own unit; NaN before the first publication.
        """
        names = list(self.series["name"].unique())
        if name not in names:
            raise DataError(
                f"The market has no series '{name}'; it has {', '.join(names) or 'none'}."
                f"{did_you_mean(name, names)}"
            )
        rows = self.series[self.series["name"] == name].sort_values(["published_on", "date"])
        # A revision of an older date is no news about the newest one.
        rows = rows[rows["date"] >= rows["date"].cummax()]
        latest = rows.drop_duplicates("published_on", keep="last").set_index("published_on")
        return latest["value"].reindex(self.sessions, method="ffill").rename(name)

    def asof(self, session: pd.Timestamp | str) -> Market:
        """Return the market as it was known after the close of a session.

        A strategy run on it must decide the same as on the whole market.
        """
        count = int(self.sessions.searchsorted(pd.Timestamp(session), side="right"))
        if count == 0:
            raise DataError(
                f"The market begins on {self.sessions[0]:%Y-%m-%d}, after"
                f" {pd.Timestamp(session):%Y-%m-%d}; ask for a later day."
            )
        last = self.sessions[count - 1]
        arrays = {name: getattr(self, name)[:count] for name in FIELDS}
        return replace(
            self,
            sessions=self.sessions[:count],
            spot=self.spot.iloc[:count],
            receipts=self.receipts.iloc[:count],
            series=self.series[self.series["published_on"] <= last].reset_index(drop=True),
            terms=self.terms[self.terms["from"] <= last].reset_index(drop=True),
            dominant_map=None if self.dominant_map is None else self.dominant_map.iloc[:count],
            **arrays,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything in the panel: the same data, the same digest."""
        seal = hashlib.sha256()
        seal.update(",".join(self.contracts).encode())
        seal.update(self.sessions.as_unit("ns").asi8.tobytes())
        for name in FIELDS:
            seal.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        tables = [self.spot, self.receipts.to_frame("lots"), self.series]
        if len(self.terms):
            tables.append(self.terms)
        if self.dominant_map is not None:
            tables.append(self.dominant_map.to_frame("contract"))
        for table in tables:
            seal.update(table.to_csv(lineterminator="\n").encode())
        seal.update(self.provenance.settle_from.encode())
        return seal.hexdigest()

    # What is read off the panel; see `sibt.market.curve` and `sibt.market.spread`.
    dominant = curve.dominant
    weighted = curve.weighted
    near = curve.near
    continuous = curve.continuous
    spread = two_prices.spread
    basis = two_prices.basis
    carry = two_prices.carry
