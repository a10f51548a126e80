"""Cells of exports as numbers and days."""

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from sibt.sources.exports.stamps import moments

__all__ = ["days", "numbers"]

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_BLANK = {"", "-", "--", "---", "—", "#n/a", "nan", "na", "n/a", "none", "null", "无"}


def days(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return cells with the days they name; what names none stays as it is."""
    times = moments(cells)
    known = ~np.isnat(times) & (times == times.astype("datetime64[D]"))
    named = cells.astype(object).copy()
    named[known] = pd.Series(times[known], index=cells.index[known]).astype(object)
    return named


def numbers(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return cells with thousands separators taken out and blanks made so."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells
    at, uniques = pd.factorize(cells.astype(object), use_na_sentinel=True)
    known = np.array([*map(_number, uniques), None], dtype=object)
    return pd.Series(known[at], index=cells.index, dtype=object)


def _number(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.lower() in _BLANK:
        return None
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return cell
