"""Bars in CSV or Parquet files, with spot, receipts and other series beside them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sibt.errors import DataError, did_you_mean
from sibt.language import said
from sibt.market import quotes
from sibt.market.bars import BARS, build
from sibt.market.panel import Market
from sibt.market.product import products
from sibt.market.table import Origin, Schema, match_header
from sibt.sources.shipped import shipped

__all__ = ["SCHEMAS", "Part", "Parts", "flat", "is_simulated", "open_parts", "read"]

_SUFFIXES = (".csv", ".parquet")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
_BESIDE = {
    "spot": quotes.SPOT,
    "receipts": quotes.RECEIPTS,
    "series": quotes.SERIES,
    "dominant": quotes.DOMINANT,
    "terms": quotes.TERMS,
}
#: What each table may hold.
SCHEMAS = {"bars": BARS, **_BESIDE}
#: A file of this name in a folder says that its numbers are made up.
_MARKER = "SIMULATED"


@dataclass(frozen=True)
class Part:
    """One table as it was read.

    Attributes
    ----------
    frame : pd.DataFrame
        Its cells, as text or typed.
    origin : Origin
        Where its rows stand.
    notes : tuple of str
        What was odd about the file.
    """

    frame: pd.DataFrame
    origin: Origin
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """The tables of a market as they were read, before any row was checked.

    Attributes
    ----------
    tables : mapping of str to Part
        ``bars``, and what lies beside them.
    source : str
        Name to show for where they come from.
    simulated : bool
        True for made-up data.
    """

    tables: Mapping[str, Part]
    source: str
    simulated: bool

    def build(self, settle_from: str | None = None) -> Market:
        """Return the market; see `sibt.market.bars.build`."""
        return build(
            self.tables["bars"].frame,
            **{name: part.frame for name, part in self.tables.items() if name != "bars"},
            settle_from=settle_from,
            source=self.source,
            simulated=self.simulated,
            origin={name: part.origin for name, part in self.tables.items()},
            notes=tuple(note for part in self.tables.values() for note in part.notes),
        )

    def without(self, name: str, rows: Iterable[int] | None = None) -> "Parts":
        """Return the parts without some rows of a table, or without the table.

        A table of which no row is left is taken out.
        """
        tables = dict(self.tables)
        part = tables.pop(name)
        keep = np.ones(len(part.frame), dtype=bool)
        keep[slice(None) if rows is None else list(rows)] = False
        if keep.any():
            frame = flat(part.frame)
            origin = replace(
                part.origin, file=part.origin.file[keep], number=part.origin.number[keep]
            )
            tables[name] = replace(part, frame=frame[keep].reset_index(drop=True), origin=origin)
        return replace(self, tables=tables)


def read(path: str | Path, settle_from: str | None = None, *, source: str | None = None) -> Market:
    """Read a folder, or one file of bars.

    Parameters
    ----------
    path : str or Path
        A CSV or Parquet file of bars, or a folder. In a folder the bars are ``bars.csv`` or
        ``bars.parquet``, else all other CSV and Parquet files together. ``spot``,
        ``receipts``, ``series``, ``dominant`` and ``terms`` (``.csv`` or ``.parquet``) are
        read where they stand beside the bars under exactly these names. Hidden files are
        passed over.
        A folder that holds a file called ``SIMULATED`` holds made-up data.
    settle_from : {"close"}, optional
        Let the close stand in where a bar has no settlement.
    source : str, optional
        Name to show for where the data come from; the path if left out.

    Returns
    -------
    Market
        See `sibt.market.bars.build`.

    Raises
    ------
    DataError
        A file that is missing, is no table, or has a row that cannot be right; the message
        names file, line, column and cure.
    SettingError
        `settle_from` is neither None nor "close".
    """
    return open_parts(path, source=source).build(settle_from)


def open_parts(
    path: str | Path, *, source: str | None = None, faults: list[DataError] | None = None
) -> Parts:
    """Open the files of a market without checking their rows.

    Parameters
    ----------
    path, source
        As in `read`.
    faults : list of DataError, optional
        Takes what cannot be read: such files and lines are left out and the rest is opened.

    Raises
    ------
    DataError
        A file that is missing or is no table. With `faults` only where no bars are left.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.{_nearest(path)}")
    folder = path if path.is_dir() else path.parent
    tables = {"bars": _open_bars(_bars_in(path) if path.is_dir() else [path], faults)}
    for name, schema in _BESIDE.items():
        try:
            file = _only(folder, name)
            if file is not None and file != path:
                tables[name] = _open(file, schema, faults)
        except DataError as error:
            if faults is None:
                raise
            faults.append(error)
    return Parts(tables, source or str(path), is_simulated(folder))


def _open_bars(files: Sequence[Path], faults: list[DataError] | None) -> Part:
    """Return the bars of one or several files."""
    parts = []
    for number, file in enumerate(files):
        try:
            part = _open(file, BARS, faults)
            if len(files) > 1:
                match_header(flat(part.frame).columns, BARS, str(file))
            parts.append(part)
        except DataError as error:
            if faults is None or (not parts and number == len(files) - 1):
                raise
            faults.append(error)
    return _join(parts)


def _nearest(path: Path) -> str:
    """Return a hint at a file or folder of a similar name."""
    try:
        names = [item.name for item in path.parent.iterdir()]
    except OSError:
        return f" The folder {path.parent} is not there either: check the path."
    return did_you_mean(path.name, names) or " Check the path."


def is_simulated(folder: Path) -> bool:
    """Tell whether a folder holds made-up data: marked so, or part of the shipped sample."""
    if (folder / _MARKER).exists():
        return True
    try:
        return folder.resolve().is_relative_to(shipped("sample").resolve())
    except DataError:
        return False


def _only(folder: Path, name: str) -> Path | None:
    """Return the one file of a name, as CSV or Parquet, or None."""
    there = [folder / f"{name}{suffix}" for suffix in _SUFFIXES]
    there = [file for file in there if file.is_file()]
    if len(there) > 1:
        raise DataError(
            f"{folder}: {there[0].name} and {there[1].name} both hold {name}; keep one of them."
        )
    return there[0] if there else None


def _bars_in(folder: Path) -> Sequence[Path]:
    """Return the files of a folder that hold bars."""
    single = _only(folder, "bars")
    if single is not None:
        return [single]
    seen = sorted(
        file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")
    )
    found = [file for file in seen if file.suffix.lower() in _SUFFIXES and file.stem not in _BESIDE]
    if not found:
        books = [file.name for file in seen if file.suffix.lower() in _WORKBOOKS]
        hint = f" Save {books[0]} as CSV." if books else ""
        raise DataError(
            f"{folder}: the folder holds no bars; expected bars.csv, bars.parquet or other CSV"
            f" or Parquet files.{hint}"
        )
    return found


def _open(path: Path, schema: Schema, faults: list[DataError] | None = None) -> Part:
    """Return the table in one file, its known headers brought to the schema's names."""
    suffix = path.suffix.lower()
    if suffix in _WORKBOOKS:
        raise DataError(f"{path}: a workbook cannot be read; save the sheet as CSV (UTF-8).")
    if suffix not in _SUFFIXES:
        raise DataError(
            f"{path}: files of type '{suffix or 'none'}' are not known; expected .csv or"
            " .parquet: convert the file, or name it so."
        )
    try:
        return _open_csv(path, schema, faults) if suffix == ".csv" else _open_parquet(path)
    except OSError as error:
        raise DataError(
            f"{path}: the file cannot be opened ({error.strerror or error}); check that it is a"
            " readable file."
        ) from error


def _open_parquet(path: Path) -> Part:
    from pyarrow import ArrowException

    try:
        frame = pd.read_parquet(path)
    except (ArrowException, ValueError) as error:
        # A product's folder is a store's: what lies there was pulled or imported.
        kept = "take it away and pull or import its data again"
        cure = kept if path.parent.name in products() else "write it again, or save it as CSV"
        raise DataError(f"{path}: this is no valid Parquet file; {cure}.") from error
    rows = np.arange(len(frame))
    return Part(frame, Origin((str(path),), np.zeros_like(rows), rows, (False,)))


def _open_csv(path: Path, schema: Schema, faults: list[DataError] | None) -> Part:
    text, encoding = _decode(path, schema)
    if not text.strip():
        raise DataError(f"{path}: the file is empty; expected a header and rows below it.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: the line cannot be split into cells ({error});"
            " mend its quotation marks, or save the file as CSV again."
        ) from error
    header = rows.pop(0)
    _check_separator(path, header)
    del lines[0]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            fault = DataError(
                f"{path}, line {line}: there are {len(row)} cells where the header has"
                f" {len(header)}; fill in or take out commas until they agree."
            )
            if faults is None:
                raise fault
            faults.append(fault)
    if faults:
        whole = [(r, line) for r, line in zip(rows, lines, strict=True) if len(r) == len(header)]
        rows, lines = [r for r, _ in whole], [line for _, line in whole]
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    frame = pd.DataFrame({at: pd.Series(cells, dtype=object) for at, cells in enumerate(columns)})
    frame.columns = pd.Index(header, dtype=object)
    number = np.array(lines, dtype=np.int64)
    other = said("{file} is not UTF-8, read as GB18030", file=path.name)
    notes = () if encoding == "utf-8-sig" else (other,)
    return Part(frame, Origin((str(path),), np.zeros_like(number), number, (True,)), notes)


def _decode(path: Path, schema: Schema) -> tuple[str, str]:
    """Return a file's text and its encoding: UTF-8, or what Chinese terminals write."""
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: the file is in UTF-16; save as UTF-8.")
    if raw.startswith(b"PK\x03\x04") or b"\0" in raw:
        raise DataError(
            f"{path}: this is no text but a binary file; save the sheet as CSV (UTF-8)."
        )
    try:
        return raw.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
    refusal = DataError(
        f"{path}, line {line}: the file is neither UTF-8 nor GB18030 with known columns; save as"
        " UTF-8."
    )
    try:
        text = raw.decode("gb18030")
        # Any bytes may look like Chinese: the header has to make sense as well.
        header = next(csv.reader(io.StringIO(text, newline="")))
        match_header(header, schema, str(path))
    except (UnicodeDecodeError, StopIteration, csv.Error, DataError):
        raise refusal from None
    return text, "gb18030"


def _check_separator(path: Path, header: Sequence[str]) -> None:
    names = {";": "semicolons", "\t": "tabs", "|": "bars", "，": "full-width commas"}
    for mark, name in names.items():
        if len(header) == 1 and mark in header[0]:
            raise DataError(
                f"{path}, line 1: the cells are separated by {name} ('{mark.strip() or 'tab'}');"
                " expected commas: save as comma-separated CSV."
            )


def _join(parts: Sequence[Part]) -> Part:
    """Set the tables of several files one below the other."""
    if len(parts) == 1:
        return parts[0]
    frames: list[Any] = []
    for part in parts:
        frame = flat(part.frame)
        found = match_header(frame.columns, BARS, part.origin.files[0])
        names = {at: name for name, at in found.items()}
        frames.append(
            frame.set_axis(
                [names.get(at, str(header)) for at, header in enumerate(frame.columns)], axis=1
            ).astype(object)
        )
    return Part(
        pd.concat(frames, ignore_index=True),
        Origin.join([part.origin for part in parts]),
        tuple(note for part in parts for note in part.notes),
    )


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose named index levels are columns."""
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index() if named else frame
