"""The tables of a run as files: CSV for Excel and programs, one workbook with a sheet a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sibt.language import EN, Language

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["header", "write_csv", "write_workbook"]


def header(table: str, column: str, t: Language) -> str:
    """Return a column's header: the catalogue may hold one for ``table.column`` alone."""
    own = t(f"{table}.{column}")
    return t(column) if own == f"{table}.{column}" else own


def write_csv(table: pd.DataFrame, path: Path, t: Language = EN) -> None:
    """Write a table, named as the file, without its index; headers are in the language given.

    Parameters
    ----------
    table : pd.DataFrame
        Columns named in English.
    path : Path
        Where to write.
    t : Language
        English or Chinese.
    """
    # The mark at the start tells Excel that the file is UTF-8.
    table.set_axis(_headers(path.stem, table, t), axis=1).to_csv(
        path, index=False, encoding="utf-8-sig", lineterminator="\n", date_format="%Y-%m-%d"
    )


def write_workbook(
    figures: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    path: Path,
    t: Language = EN,
) -> None:
    """Write a workbook: the figures first, then a sheet a table; needs openpyxl.

    Parameters
    ----------
    figures : mapping
        As in ``metrics.json``, nested; levels are joined with dots.
    tables : mapping of str to pd.DataFrame
        Tables by name, which names the sheet.
    path : Path
        Where to write.
    t : Language
        English or Chinese, for sheets and headers.
    """
    flat = pd.json_normalize(dict(figures), sep=".").T.reset_index()
    flat.columns = pd.Index(["figure", "value"])
    with pd.ExcelWriter(path, engine="openpyxl", datetime_format="yyyy-mm-dd") as book:
        for name, table in {"figures": flat, **tables}.items():
            headers = _headers(name, table, t)
            table.set_axis(headers, axis=1).to_excel(book, sheet_name=t(name), index=False)
            _laid_out(book.sheets[t(name)], headers)


def _headers(name: str, table: pd.DataFrame, t: Language) -> list[str]:
    return [header(name, str(column), t) for column in table.columns]


def _laid_out(sheet: Worksheet, headers: list[str]) -> None:
    """Keep the headers in sight, and make columns wide enough for days and money."""
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for number, header in enumerate(headers, 1):
        wide = sum(2 if ord(letter) > 0x2E7F else 1 for letter in header)
        sheet.column_dimensions[get_column_letter(number)].width = max(12, wide + 2)
