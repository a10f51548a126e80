"""One table somebody hands in: its header, its cells, and where each row stands.

Every complaint about a cell names file, line and column, so that it can be mended there.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, RowsError, did_you_mean

__all__ = ["DateArray", "FloatArray", "Origin", "Schema", "Table", "match_header"]

BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]
FloatArray = NDArray[np.float64]

#: What terminals and spreadsheets write where they know nothing.
_BLANK = ("", "-", "--", "nan", "na", "n/a", "nat", "none", "null", "<na>")
_DATE = re.compile(
    r"(?:(\d{4})(\d{2})(\d{2})|(\d{4})([-/])(\d{1,2})\5(\d{1,2}))"
    r"(?:[ T]00:00(?::00(?:\.0+)?)?)?"
)


@dataclass(frozen=True)
class Schema:
    """The columns a table may have.

    Attributes
    ----------
    name : str
        What the table is called in messages: "bars", "spot".
    columns : mapping of str to tuple of str
        Each column and the other headers it goes by.
    required : tuple of str
        Columns without which the table means nothing; their cells may not be blank.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Where the rows of a table stand.

    Attributes
    ----------
    files : tuple of str
        Names of the files, in the order they were read.
    file, number : ndarray of shape (rows,)
        Which file a row is of, and its line (CSV, header = 1) or row (Parquet, from 0).
    lines : tuple of bool
        By file: True where `number` counts lines.
    """

    files: tuple[str, ...]
    file: NDArray[np.int64]
    number: NDArray[np.int64]
    lines: tuple[bool, ...]

    def place(self, row: int) -> str:
        """Return where a row stands, as "bars.csv, line 12"."""
        file = int(self.file[row])
        unit = "line" if self.lines[file] else "row"
        return f"{self.files[file]}, {unit} {self.number[row]}"

    @classmethod
    def join(cls, parts: Iterable["Origin"]) -> "Origin":
        """Return the origin of tables set one below the other."""
        whole = list(parts)
        counts = np.cumsum([0] + [len(part.files) for part in whole])
        return cls(
            files=tuple(name for part in whole for name in part.files),
            file=np.concatenate([part.file + at for part, at in zip(whole, counts, strict=False)]),
            number=np.concatenate([part.number for part in whole]),
            lines=tuple(kind for part in whole for kind in part.lines),
        )


def _plain(header: object) -> str:
    return re.sub(r"[\s_]+", "", str(header)).lower()


def match_header(headers: Iterable[object], schema: Schema, where: str) -> dict[str, int]:
    """Return the position of each known column; case and spaces do not matter.

    Parameters
    ----------
    headers : iterable
        Headers as written.
    schema : Schema
        What the table may hold.
    where : str
        File or table, for messages.

    Raises
    ------
    DataError
        A column stands there twice, is misspelt, or a required one is missing.
    """
    written = [str(header) for header in headers]
    names = {
        _plain(name): column
        for column, others in schema.columns.items()
        for name in (column, *others)
    }
    found: dict[str, int] = {}
    for position, header in enumerate(written):
        column = names.get(_plain(header))
        if column is not None and column in found:
            raise DataError(
                f"{where}: columns '{written[found[column]]}' and '{header}' both hold the"
                f" {column}; keep one of them."
            )
        if column is not None:
            found[column] = position
    missing = [column for column in schema.columns if column not in found]
    for position, header in enumerate(written):
        if position not in found.values() and (hint := did_you_mean(header, missing)):
            raise DataError(
                f"{where}: column '{header}' is not known.{hint} Rename the column, or take it out."
            )
    for column in schema.required:
        if column not in found:
            raise DataError(
                f"{where}: there is no column '{column}' (it has {', '.join(written) or 'none'});"
                f" expected are {', '.join(schema.columns)}: name the columns in the first line."
            )
    return found


class Table:
    """A tidy table of which every cell can be named in a message.

    Parameters
    ----------
    frame : pd.DataFrame
        The table; columns in any order, cells as text or typed.
    schema : Schema
        What it may hold.
    origin : Origin, optional
        Where its rows stand; without it messages name the frame's row, counted from 0.

    Attributes
    ----------
    ignored : tuple of str
        Headers of columns that mean nothing here.
    """

    def __init__(self, frame: pd.DataFrame, schema: Schema, origin: Origin | None = None) -> None:
        if any(name is not None for name in frame.index.names):
            frame = frame.reset_index()
        self.schema = schema
        self.origin = origin
        self._frame = frame
        where = f"The table of {schema.name}" if origin is None else " and ".join(origin.files)
        self._positions = match_header(frame.columns, schema, where)
        self.ignored = tuple(
            str(header) or "(without a header)"
            for position, header in enumerate(frame.columns)
            if position not in self._positions.values()
        )
        if not len(frame):
            raise DataError(
                f"{where}: there are no rows below the header; expected one row for each"
                " record: give some, or leave the table out."
            )

    def __len__(self) -> int:
        return len(self._frame)

    def has(self, column: str) -> bool:
        """Tell whether the table has a column."""
        return column in self._positions

    def place(self, row: int) -> str:
        """Return where a row stands."""
        if self.origin is None:
            return f"{self.schema.name}, row {row}"
        return self.origin.place(row)

    def refuse(self, bad: BoolArray, column: str, what: Callable[[int], str], cure: str) -> None:
        """Raise if any row is bad, naming the first and counting the others.

        Parameters
        ----------
        bad : ndarray of bool, shape (rows,)
            Rows that cannot be right.
        column : str
            Column to blame.
        what : callable
            Says what is wrong in a row, given its position.
        cure : str
            What to do about it.

        Raises
        ------
        RowsError
            Some row is bad; the error holds them all.
        """
        if not np.any(bad):
            return
        rows = np.flatnonzero(bad).tolist()
        header = column
        if column in self._positions:
            header = str(self._frame.columns[self._positions[column]])
        others = len(rows) - 1
        more = ""
        if others:
            more = f" ({others} more row{'s' if others > 1 else ''} like it)"
        raise RowsError(
            f"{self.place(rows[0])}, column '{header}': {what(rows[0])}; {cure}{more}.",
            table=self.schema.name,
            column=header,
            rows=rows,
            what=what,
            place=self.place,
            cure=cure,
        )

    def cells(self, column: str) -> "pd.Series[Any]":
        """Return the cells of a column as they came."""
        return self._frame.iloc[:, self._positions[column]]

    def numbers(self, column: str, unit: str) -> FloatArray:
        """Return a column of numbers, NaN where blank or absent, shape (rows,).

        Raises
        ------
        DataError
            A cell holds text, or an infinite number.
        """
        if not self.has(column):
            return np.full(len(self), np.nan)
        cells = self.cells(column)
        if pd.api.types.is_bool_dtype(cells.dtype):
            cells = cells.astype(object).map(str)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        unknown = np.isnan(values)
        if unknown.any() and not pd.api.types.is_numeric_dtype(cells.dtype):
            text = np.zeros(len(self), dtype=bool)
            text[unknown] = ~_is_blank(cells[unknown])
            self.refuse(
                text,
                column,
                lambda row: f"'{cells.iloc[row]}' is no number; expected {unit}",
                "write digits only, without unit or thousands separator, and leave blank what"
                " is unknown",
            )
        self.refuse(
            np.isinf(values),
            column,
            lambda row: f"the number is infinite; expected {unit}",
            "leave blank what is unknown",
        )
        return values

    def whole(self, column: str) -> FloatArray:
        """Return a column of whole lots, NaN where blank or absent, shape (rows,).

        Raises
        ------
        DataError
            A negative or fractional number.
        """
        lots = self.numbers(column, "whole lots")
        # NaN compares false both times: a blank is no fraction.
        self.refuse(
            (lots < 0) | (lots > np.floor(lots)),
            column,
            lambda row: f"{lots[row]:.10g} is no count of lots; expected a whole number from 0 up",
            "correct it, or leave blank what is unknown",
        )
        return lots

    def once(self, keys: Mapping[str, NDArray[Any]], what: Callable[[int], str]) -> None:
        """Refuse rows of which every key came before, naming both rows.

        Raises
        ------
        DataError
            A row is given twice, even if both say the same.
        """
        frame = pd.DataFrame(keys)
        again = frame.duplicated().to_numpy()
        if again.any():
            later = int(np.argmax(again))
            first = int(np.argmax((frame == frame.iloc[later]).all(axis=1).to_numpy()))
            self.refuse(
                again,
                next(iter(keys)),
                lambda row: f"{what(row)}, given already in {self.place(first)}",
                "keep one of the two",
            )

    def blank(self, column: str) -> BoolArray:
        """Return where a column says nothing, shape (rows,)."""
        return _is_blank(self.cells(column))

    def dates(self, column: str) -> DateArray:
        """Return a column of days as datetime64[ns], shape (rows,); none may be blank.

        Raises
        ------
        DataError
            A cell is blank, is no date, or carries a time of day or a time zone.
        """
        cells = self.cells(column)
        if isinstance(cells.dtype, np.dtype) and cells.dtype.kind == "M":
            # A column of datetimes needs no reading, only a look at the time of day.
            values = cells.to_numpy().astype("datetime64[ns]")
            values = np.where(
                values == values.astype("datetime64[D]"), values, np.datetime64("NaT")
            )
        else:
            codes, uniques = pd.factorize(cells.astype(object), use_na_sentinel=True)
            known = np.array([_day(cell) for cell in uniques], dtype="datetime64[ns]")
            values = np.append(known, np.datetime64("NaT"))[codes]
        self.refuse(
            np.isnat(values),
            column,
            lambda row: (
                "the date is blank"
                if _is_blank(cells.iloc[[row]])[0]
                else f"'{cells.iloc[row]}' is no date without time of day and time zone"
            ),
            "write it as 2024-05-15, 2024/5/15 or 20240515",
        )
        return values.astype("datetime64[ns]")

    def texts(self, column: str) -> tuple[NDArray[np.int64], list[str]]:
        """Return a column of words as codes and the words they stand for; none may be blank.

        Raises
        ------
        DataError
            A cell is blank.
        """
        cells = self.cells(column)
        self.refuse(
            self.blank(column), column, lambda row: f"the {column} is blank", "fill in the cell"
        )
        raw, words = pd.factorize(cells.astype(object))
        clean, uniques = pd.factorize(np.array([_word(word) for word in words], dtype=object))
        return clean[raw].astype(np.int64), [str(word) for word in uniques]


def _word(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a grade such as 553 read as a number
    return str(cell).strip()


def _is_blank(cells: "pd.Series[Any]") -> BoolArray:
    """Return where cells say nothing."""
    missing = cells.isna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(cells.dtype):
        codes, uniques = pd.factorize(cells.astype(object))
        empty = np.array([str(word).strip().lower() in _BLANK for word in uniques] + [True])
        missing = missing | empty[codes]
    return missing


def _day(cell: object) -> np.datetime64:
    """Return the day a cell names, NaT where it names none."""
    nothing = np.datetime64("NaT")
    if isinstance(cell, (dt.date, np.datetime64)):
        stamp = pd.Timestamp(cell)  # type: ignore[arg-type]
        daily = stamp.tz is None and stamp == stamp.normalize()
        return stamp.to_datetime64() if daily else nothing
    match = _DATE.fullmatch(_word(cell))
    if match is None:
        return nothing
    year, month, day = match.group(1, 2, 3) if match[1] else match.group(4, 6, 7)
    try:
        return np.datetime64(dt.date(int(year), int(month), int(day)))
    except ValueError:
        return nothing
