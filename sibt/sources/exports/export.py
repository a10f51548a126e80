"""Exports of terminals and other files, understood and checked, ready for the store.

What a file holds is read off its headers, its title and its name; `Export` says what was
understood, so that a person can look before anything is written.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pandas as pd

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.market.product import product
from sibt.market.table import Origin
from sibt.sources.exports import headers
from sibt.sources.exports.bar_tables import BarTables
from sibt.sources.exports.grids import Grid, open_file
from sibt.sources.exports.quote_tables import QuoteTables
from sibt.sources.exports.reading import Continuous, Reading, Wishes
from sibt.sources.shipped import shipped

__all__ = ["Export", "Wishes", "read"]

_NOTHING = Wishes()


@dataclass(frozen=True, eq=False)
class Export:
    """What one file, or one sheet of it, was understood to hold.

    Attributes
    ----------
    place, encoding : str
        File and sheet; how it is written.
    kind : str
        Kind of the store: bars, bars_5m, spot, receipts, series; "continuous" for a table of
        nothing else, which is left out.
    columns : tuple of (str, str)
        Headers, and the columns they were taken for.
    unused : tuple of str
        Other headers.
    notes, skipped, doubts : tuple of str
        Where contracts and units come from; rows left out; what is odd but happens.
    tables : mapping of str to pd.DataFrame
        By product, in the kind's columns.
    origins : mapping of str to Origin
        By product, where the rows stand.
    """

    place: str
    encoding: str
    kind: str
    columns: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]
    notes: tuple[str, ...]
    skipped: tuple[str, ...]
    doubts: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]
    origins: Mapping[str, Origin]


def read(paths: Sequence[str | Path], wishes: Wishes = _NOTHING) -> list[Export]:
    """Read files of a terminal, a spreadsheet or a program.

    Parameters
    ----------
    paths : sequence of str or Path
        CSV or other text, .xlsx, Parquet.
    wishes : Wishes
        What the user says of them.

    Returns
    -------
    list of Export
        One a file, or one a sheet of a workbook.

    Raises
    ------
    DataError
        A file that cannot be read or understood, that holds made-up data, a row in it that
        cannot be right, or nothing but continuous series in all files.
    SettingError
        A wish that makes no sense.
    """
    headers.check_map({column: header for header, column in wishes.named.items()})
    if wishes.product is not None:
        product(wishes.product)
    grids: list[Grid] = []
    for path in map(Path, paths):
        _refuse_made_up(path)
        grids += open_file(path, lambda words: headers.is_header(words, wishes.named))
    for header, column in wishes.named.items():
        there = [word for grid in grids for word in grid.header]
        if header not in there:
            raise SettingError(
                f"--map {column}={header}: no file has a column '{header}' (they have"
                f" {', '.join(dict.fromkeys(there))}).{did_you_mean(header, there)}"
            )
    found: list[Export] = []
    trouble: Continuous | None = None
    for grid in grids:
        try:
            found.append(_export(grid, wishes))
        except Continuous as error:
            trouble = trouble or error
            found.append(Export(
                grid.place, grid.encoding, "continuous", (), (), (), (str(error),), (), {}, {}
            ))
    if trouble is not None and all(each.kind == "continuous" for each in found):
        raise trouble
    return found


def _made_up(where: object) -> NoReturn:
    raise DataError(
        f"{where} is SIMULATED: made-up data never enter the store; run on it with --data instead."
    )


def _refuse_made_up(path: Path) -> None:
    """Refuse files beside a marker, and those of the shipped sample wherever they lie."""
    if not path.is_file():
        return
    if any((folder / "SIMULATED").exists() for folder in (path.parent, path.resolve().parent)):
        _made_up(path)
    try:
        sample = shipped("sample")
    except DataError:
        return
    if path.resolve().is_relative_to(sample.resolve()):
        _made_up(path)
    size = path.stat().st_size
    for file in sample.iterdir():
        alike = file.suffix == path.suffix and file.stat().st_size == size
        if alike and _seal(file) == _seal(path):
            _made_up(path)


def _seal(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _refuse_content(grid: Grid) -> None:
    """Refuse tables that say they are made up, or adjusted."""
    for header, cells in zip(grid.header, grid.frame.items(), strict=True):
        if header.strip().lower() in ("data", "source", "src", "来源") and any(
            "SIMULATED" in str(cell).upper() for cell in pd.unique(cells[1].astype(object))
        ):
            _made_up(grid.place)
    if "SIMULATED" in grid.title.upper():
        _made_up(grid.place)
    if match := re.search(r"(?<!不)([前后]复权)", grid.title):
        raise DataError(
            f"{grid.place}: the title says that prices are adjusted ({match[1]}); export them"
            " unadjusted (不复权)."
        )


def _export(grid: Grid, wishes: Wishes) -> Export:
    """Return a grid as tables of a kind of the store."""
    _refuse_content(grid)
    groups = headers.understand(grid.header, wishes.named, grid.place)
    kind = headers.kind_of(groups[0], grid.place, wishes.kind)
    names = {column: grid.header[at] or column for column, at in groups[0].position.items()}
    try:
        if kind == "bars":
            reading: Reading = (bars := BarTables(grid, wishes))
            kind, tables = bars.tables(groups)
        else:
            reading = (beside := QuoteTables(grid, wishes))
            tables = beside.tables(kind, groups[0])
    except DataError as error:
        # Messages name columns as the file does.
        said = re.sub(r"column '(\w+)'", lambda m: f"column '{names.get(m[1], m[1])}'", str(error))
        raise (Continuous if isinstance(error, Continuous) else DataError)(said) from None
    return Export(
        place=grid.place,
        encoding=grid.encoding,
        kind=kind,
        columns=tuple(
            (grid.header[at] or "(without a header)", column)
            for group in groups for column, at in group.position.items()
        ),
        unused=groups[0].unused,
        notes=tuple(reading.notes),
        skipped=tuple(reading.skipped),
        doubts=tuple(reading.doubts),
        tables={name: table for name, (table, _) in tables.items()},
        origins={name: origin for name, (_, origin) in tables.items()},
    )
