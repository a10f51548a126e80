"""Files as grids of cells: text in any usual encoding, workbooks, Parquet."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, SettingError

__all__ = ["Grid", "open_file"]

TEXT, BOOKS = (".csv", ".txt", ".tsv"), (".xlsx", ".xlsm")
_MARKS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
#: Rows above the header in which a title may stand.
_DEEP = 30
#: How a line begins that says where a table came from, or sums it up.
_PROSE = re.compile(
    r"#|数据来源|资料来源|来源[:：]|注[:：]|说明[:：]|备注[:：]|source\b|data source"
    r"|免责声明", re.I
)
_TOTAL = re.compile(r"小计|合计|总计|total\b", re.I)


@dataclass(frozen=True, eq=False)
class Grid:
    """One table of a file: its header, the cells below and what stands around them.

    Attributes
    ----------
    place : str
        File, and sheet where it is a workbook, for messages.
    names : tuple of str
        Names that may say which contract it is: sheet, file.
    encoding : str
        How its text is written, or what kind of file it is.
    title : str
        What stands above the header.
    header : tuple of str
        As written.
    frame : pd.DataFrame
        Cells below the header, columns counted from 0.
    numbers : ndarray of shape (rows,)
        Line (text, header = 1 if first) or row of each.
    unit : {"line", "row"}
        What `numbers` counts.
    skipped : tuple of str
        Lines left out, a phrase each.
    totals : tuple of (int, tuple)
        Lines that sum up those above (小计, 总计): number and cells.
    """

    place: str
    names: tuple[str, ...]
    encoding: str
    title: str
    header: tuple[str, ...]
    frame: pd.DataFrame
    numbers: NDArray[np.int64]
    unit: str
    skipped: tuple[str, ...] = ()
    totals: tuple[tuple[int, tuple[Any, ...]], ...] = ()


Score = Callable[[Sequence[str]], int]
_Rows = list[tuple[int, list[Any]]]


def open_file(path: Path, score: Score) -> list[Grid]:
    """Return the tables of a file: one, or one a sheet.

    Parameters
    ----------
    path : Path
        CSV or other text, .xlsx, or Parquet.
    score : callable
        Tells how many headers are known in a row of words; 0 for a row that is no header.

    Raises
    ------
    DataError
        A file that cannot be read, or in which no header is found.
    SettingError
        A workbook, and openpyxl is not installed.
    """
    suffix = path.suffix.lower()
    try:
        if not path.exists():
            raise DataError(f"{path}: there is no such file; check the path.")
        if path.is_dir():
            raise DataError(f"{path} is a folder; name its files, as {path}/*.csv.")
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            raise DataError(
                f"{path}: this is a workbook in the old .xls format, which is not read; open it"
                " and save it as .xlsx or as CSV."
            )
        if suffix == ".parquet" or head.startswith(b"PAR1"):
            return [_parquet(path)]
        if suffix in BOOKS or head.startswith(b"PK\x03\x04"):
            return _workbook(path, score)
        if suffix in (*TEXT, ".xls"):
            return [_text(path, score)]
    except OSError as error:
        raise DataError(
            f"{path}: the file cannot be opened ({error.strerror or error}); check that it is a"
            " readable file."
        ) from error
    raise DataError(
        f"{path}: files of type '{suffix or 'none'}' are not known; expected"
        f" {', '.join((*TEXT, BOOKS[0]))} or .parquet: convert the file, or name it so."
    )


def _parquet(path: Path) -> Grid:
    from pyarrow import ArrowException

    try:
        frame = pd.read_parquet(path)
    except (ArrowException, ValueError) as error:
        raise DataError(
            f"{path}: this is no valid Parquet file; write it again, or save the table as CSV."
        ) from error
    if any(name is not None for name in frame.index.names) or not isinstance(
        frame.index, pd.RangeIndex
    ):
        frame = frame.reset_index()
    header = tuple(str(column) for column in frame.columns)
    if not len(frame):
        raise DataError(f"{path}: there are no rows; expected one for each record.")
    return Grid(
        str(path), (path.stem,), "Parquet", "", header,
        frame.set_axis(range(len(header)), axis=1), np.arange(len(frame)), "row",
    )


def _workbook(path: Path, score: Score) -> list[Grid]:
    try:
        import openpyxl
    except ImportError:
        raise SettingError(
            f"{path}: reading a workbook needs openpyxl; install it with pip install openpyxl, or"
            " save the sheet as CSV."
        ) from None
    from zipfile import BadZipFile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions mean nothing here
            book = openpyxl.load_workbook(path, data_only=True)
            sheets = [
                (sheet.title, sheet.sheet_state == "visible",
                 [list(row) for row in sheet.iter_rows(values_only=True)])
                for sheet in book.worksheets
            ]
            book.close()
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise DataError(
            f"{path}: this is no workbook that can be read; open it and save it as .xlsx again, or"
            " save the sheet as CSV."
        ) from error
    found, other, last = [], [], None
    for title, visible, cells in sheets:
        rows = [(at, row) for at, row in enumerate(cells, 1) if any(map(_says, row))]
        if not rows:
            continue
        if not visible:
            other.append(f"hidden sheet '{title}'")
            continue
        place = f"{path}, sheet '{title}'"
        try:
            grid = _grid(rows, score, place, "row")
            found.append(replace(grid, names=(title, path.stem), encoding="workbook"))
        except DataError as error:
            # A sheet of notes beside sheets of data.
            other.append(f"sheet '{title}', in which no header was found")
            last = error
    if not found:
        raise last or DataError(f"{path}: the workbook holds no cells; check the file.")
    found[0] = replace(found[0], skipped=(*found[0].skipped, *other))
    return found


def _text(path: Path, score: Score) -> Grid:
    text, encoding = _decode(path)
    if not text.strip():
        raise DataError(f"{path}: the file is empty; expected a header and rows below it.")
    if text.lstrip()[:1] == "<":
        raise DataError(
            f"{path}: this is a web page and no table; open it in a spreadsheet and save it as"
            " .xlsx or as CSV."
        )
    mark = _separator(text, score)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=mark == ",")
    rows: _Rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: the line cannot be split into cells ({error});"
            " mend its quotation marks, or save the file as CSV again."
        ) from error
    grid = _grid(rows, score, str(path), "line")
    return replace(grid, names=(path.stem,), encoding=f"{encoding}, {_MARKS[mark]}")


def _decode(path: Path) -> tuple[str, str]:
    """Return a file's text and its encoding, as people call it."""
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError:
            pass
    if b"\0" in raw:
        raise DataError(
            f"{path}: this is no text but a binary file; save the table as CSV (UTF-8)."
        )
    for name, said in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            return raw.decode(name), said
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
    raise DataError(f"{path}, line {line}: the file is neither UTF-8 nor GB18030; save as UTF-8.")


def _separator(text: str, score: Score) -> str:
    """Return the mark under which most headers are known."""
    lines = [line for line in text.splitlines()[: 2 * _DEEP] if line.strip()][:_DEEP]

    def known(mark: str) -> int:
        return max(score(_words(row)) for row in csv.reader(lines, delimiter=mark))

    try:
        return max(_MARKS, key=known)
    except csv.Error:
        return ","


def _words(row: Iterable[Any]) -> list[str]:
    return ["" if cell is None else str(cell).strip() for cell in row]


def _says(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _grid(rows: _Rows, score: Score, place: str, unit: str) -> Grid:
    """Find the header, and take away the lines around the table."""
    scores = [score(_words(row)) for _, row in rows[:_DEEP]]
    at = int(np.argmax(scores))
    if not scores[at]:
        begins = " | ".join(word for word in _words(rows[0][1]) if word)[:60]
        raise DataError(
            f"{place}, {unit} {rows[0][0]}: no header is found in the first {len(scores)}"
            f" {unit}s (the first is '{begins}'); name the columns in one {unit}, with a date and"
            " prices among them, or say which is which with --map close=HEADER."
        )
    title = "; ".join(" ".join(word for word in _words(row) if word) for _, row in rows[:at])
    header = _words(rows[at][1])
    while header and not header[-1]:
        header.pop()
    body, skipped, totals = [], [], []
    for number, row in rows[at + 1 :]:
        cells = row[: len(header)] + [None] * (len(header) - len(row))
        words = _words(row)
        said = [word for word in words if word]
        if _PROSE.match(said[0]) or (number == rows[-1][0] and len(said) == 1 < len(header)):
            skipped.append(f"{unit} {number} '{' '.join(said)[:40]}'")
            continue
        if _TOTAL.match(said[0]):
            totals.append((number, tuple(cells)))
            continue
        if words[: len(header)] == header:
            skipped.append(f"{unit} {number}, the header again")
            continue
        beyond = any(words[len(header) :])
        if unit == "line" and (beyond or len(row) < len(header)):
            raise DataError(
                f"{place}, line {number}: there are {len(row)} cells where the header has"
                f" {len(header)}; fill in or take out cells until they agree, and put numbers with"
                " commas in quotation marks."
            )
        body.append((number, cells))
    if not body:
        raise DataError(
            f"{place}: there are no rows below the header; expected one for each record."
        )
    columns = zip(*(cells for _, cells in body), strict=True)
    frame = pd.DataFrame({at: pd.Series(cells, dtype=object) for at, cells in enumerate(columns)})
    numbers = np.array([number for number, _ in body], dtype=np.int64)
    return Grid(
        place, (), "", title, tuple(header), frame, numbers, unit, tuple(skipped), tuple(totals)
    )
