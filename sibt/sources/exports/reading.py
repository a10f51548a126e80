"""One table of an export on its way into the store; what is learnt on the way is noted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, SettingError
from sibt.market.table import FloatArray, Origin, Table
from sibt.sources.exports import cells
from sibt.sources.exports.grids import Grid
from sibt.sources.exports.headers import Headers
from sibt.sources.exports.stamps import clocks, moments

__all__ = ["Continuous", "Parts", "Reading", "Wishes"]

#: Tables by product, and where their rows stand.
Parts = dict[str, tuple[pd.DataFrame, Origin]]


#: A cell that says that its row is a sum.
_TOTAL = re.compile(r"\S{0,8}(?:小计|合计|总计)[:：]?|(?:sub|grand)?[ -]?total", re.IGNORECASE)
_COMMA = re.compile(r"([+-]?\d+),(\d+)")


class Continuous(DataError):  # noqa: N818
    """A table that holds nothing but a continuous series."""


@dataclass(frozen=True)
class Wishes:
    """What the user says of the files beside what they show themselves.

    Attributes
    ----------
    product : str or None
        Product of what names none; rows of other products are passed over.
    named : mapping of str to str
        Columns by header; "ignore" passes a header over.
    kind : str or None
        "bars", "spot", "receipts" or "series".
    volume_in : {"lots", "tonnes"} or None
        Unit of volume, open interest and receipts where the header says none.
    two_sided : bool
        Volume and open interest count both sides of each trade.
    stamped : {"start", "end"} or None
        What the stamps of bars finer than a day mean.
    """

    product: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    volume_in: str | None = None
    two_sided: bool = False
    stamped: str | None = None


class Reading:
    """What bars and quotes are read with.

    Attributes
    ----------
    grid, wishes
        The table and what the user says of it.
    notes, skipped, doubts : list of str
        As in `sibt.sources.exports.Export`.
    """

    def __init__(self, grid: Grid, wishes: Wishes) -> None:
        self.grid, self.wishes = grid, wishes
        self.notes: list[str] = []
        self.skipped = list(grid.skipped)
        self.doubts: list[str] = []

    def origin(self, rows: NDArray[np.int64]) -> Origin:
        """Return where rows of the grid stand."""
        return Origin(
            (self.grid.place,), np.zeros(len(rows), dtype=np.int64), self.grid.numbers[rows],
            (self.grid.unit == "line",),
        )

    def column(self, position: int) -> "pd.Series[Any]":
        """Return the cells of a column as they came."""
        return self.grid.frame[position]

    def numbers(self, group: Headers, name: str) -> "pd.Series[Any]":
        """Return the numbers of a column, without thousands separators.

        Raises
        ------
        DataError
            They have decimal commas.
        """
        found = cells.numbers(self.column(group.position[name]))
        if found.dtype == object:
            for row, cell in enumerate(found):
                if isinstance(cell, str) and (match := _COMMA.fullmatch(cell.strip())):
                    raise DataError(
                        f"{self.origin(np.array([row])).place(0)}, column '{name}': '{cell}' has a"
                        " comma for a decimal point; save the file with decimal points, as"
                        f" {match[1]}.{match[2]}."
                    )
        return found

    def totals(self, group: Headers, *names: str) -> NDArray[np.bool_]:
        """Tell which rows are sums of others, as a cell of these columns says."""
        found = np.zeros(len(self.grid.frame), dtype=bool)
        for name in names:
            if name in group.position:
                column = self.column(group.position[name]).astype(object)
                found |= np.array([
                    _TOTAL.fullmatch(str(cell).strip()) is not None for cell in column
                ], dtype=bool)
        if count := int(found.sum()) + len(self.grid.totals):
            self.skipped.append(f"rows of totals (小计, 总计): {count:,}")
        return found

    def dates(self, group: Headers) -> "tuple[pd.Series[Any], NDArray[np.datetime64]]":
        """Return the cells of days as they may be shown, and the moments they name."""
        days = self.column(group.position["date"])
        times = moments(days)
        if "time" in group.position:
            clock = self.column(group.position["time"])
            spans = clocks(clock)
            bad = np.isnat(spans)
            if bad.any():
                row = int(np.argmax(bad))
                raise DataError(
                    f"{self.origin(np.array([row])).place(0)}, column 'time': '{clock.iloc[row]}'"
                    " is no time of day; write it as 09:05."
                )
            times = np.asarray(
                times.astype("datetime64[D]").astype("datetime64[ns]") + spans, "datetime64[ns]"
            )
        return days, times

    def lots(self, table: Table, column: str, group: Headers, size: FloatArray) -> FloatArray:
        """Return lots, from lots or tonnes, counted on one side."""
        values = table.numbers(column, "a number")
        unit, factor = group.unit.get(column, (self.wishes.volume_in or "lots", 1.0))
        declared = self.wishes.volume_in
        if column == "volume" and column in group.unit and declared is not None and (
            (declared == "tonnes") is not (factor is None)
        ):
            raise SettingError(
                f"--volume-in {declared}: the header in {self.grid.place} says that volumes are in"
                f" '{unit}'; leave the flag out."
            )
        tonnes = factor is None or (column not in group.unit and unit == "tonnes")
        shown = column.replace("_", " ")
        if tonnes:
            self._whole(
                table, column, values / size,
                lambda row: f"{values[row]:,.10g} t is no whole number of lots of {size[row]:g} t",
                "correct it, or declare the volumes as --volume-in lots",
            )
            values = np.rint(values / size)
            self.notes.append(
                f"{shown}: tonnes ÷ {', '.join(f'{each:g}' for each in np.unique(size))} = lots"
            )
        elif factor != 1:
            values = np.rint(values * float(factor or 1))
            self.notes.append(f"{shown}: {unit} × {factor:g} = lots")
        if self.wishes.two_sided and column != "lots":
            halves = values / 2
            self._whole(table, column, halves,
                        lambda row: f"{values[row]:,.10g} is odd, and cannot count both sides",
                        "correct it, or leave out --counting two-sided")
            values = np.rint(halves)
            self.notes.append(f"{shown}: both sides counted, ÷ 2")
        return values

    @staticmethod
    def _whole(table: Table, column: str, values: FloatArray, what: Any, cure: str) -> None:
        table.refuse(np.abs(values - np.rint(values)) > 1e-6, column, what, cure)

    def sources(self, group: Headers) -> NDArray[np.object_]:
        """Return what the store says of where each row came from: the file, and its own word."""
        name = f"import {Path(self.grid.place.partition(', sheet ')[0]).name}"
        if "source" not in group.position:
            return np.full(len(self.grid.frame), name, dtype=object)
        # " + " stands between sources in the store.
        own = ["" if pd.isna(cell) else str(cell).strip().replace(" + ", " & ")
               for cell in self.column(group.position["source"]).astype(object)]
        return np.array([f"{name}: {word}" if word else name for word in own], dtype=object)
