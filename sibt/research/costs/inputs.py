"""What costs are computed from: the shipped file, or a copy that somebody edited."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sibt.errors import DataError, did_you_mean
from sibt.research.costs.figure import Bounds

__all__ = ["TABLES", "inputs", "starter"]

#: Tables of the file, in the order they are shown.
TABLES = ("plant", "power", "powder", "wafer", "watt", "poly", "demand", "capacity", "furnaces",
          "trade")  # fmt: skip
#: Parts of one; 7 % written as 7 would say something else without anybody noticing.
_SHARES = ("wage", "fees", "yield", "rod", "efficiency", "reduction_share", "printed_share",
           "printed_rate")  # fmt: skip

Inputs = Mapping[str, Mapping[str, Any]]


def inputs(file: str | Path | None = None) -> Inputs:
    """Return what costs are computed from, by table and key.

    Parameters
    ----------
    file : str or Path, optional
        A file in the shape of the shipped one, see `starter`; the shipped one if left out.

    Returns
    -------
    mapping of str to mapping
        Numbers, `Bounds` (a number in the place of a range is both of its ends), texts, and
        lists of such rows; units stand in the file's comments.

    Raises
    ------
    DataError
        It cannot be read, or something in it is not what it should be.
    """
    if file is None:
        return _shipped()
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DataError(f"{file} cannot be read: {why}; 'sibt cost new FILE' writes one.") from None
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is no TOML: {error}; mend the line.") from None
    found: Inputs = _table(given, tomllib.loads(starter()), f"{file}: ", "")
    return found


def starter() -> str:
    """Return the shipped file, comments and all."""
    return (resources.files("sibt.publications") / "costs.toml").read_text("utf-8")


@cache
def _shipped() -> Inputs:
    like = tomllib.loads(starter())
    found: Inputs = _table(like, like, "", "")
    return found


def _table(
    given: Mapping[str, Any], like: Mapping[str, Any], file: str, name: str,
    optional: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return a table with its values checked against the shipped one's."""
    where = f"{file}[{name}]" if name else file.removesuffix(": ")
    for key in given:
        if key not in like:
            raise DataError(
                f"{where} has '{key}', which nothing reads; it knows {', '.join(like)}."
                f"{did_you_mean(key, like)}"
            )
    found = {}
    for key, pattern in like.items():
        if key not in given:
            if key in optional:
                continue
            raise DataError(f"{where} has no '{key}'; copy it from what 'sibt cost new' writes.")
        inner = f"{name}.{key}" if name else key
        value = given[key]
        if isinstance(pattern, Mapping):
            if not isinstance(value, Mapping):
                raise DataError(f"{file}[{inner}] is no table; write it as [{inner}].")
            found[key] = _table(value, pattern, file, inner)
        elif _rows(pattern):
            found[key] = _list(value, pattern, file, inner)
        else:
            found[key] = _value(value, pattern, key, f"{where} {key}")
    return found


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _list(value: Any, pattern: list[dict[str, Any]], file: str, name: str) -> Any:
    if not _rows(value) or not all(isinstance(row, Mapping) for row in value):
        raise DataError(f"{file}[[{name}]] is no list of tables; write each as [[{name}]].")
    # What not all shipped rows have may be left out. A range in one row allows it in all.
    like: dict[str, Any] = {}
    for row in pattern:
        for key, shown in row.items():
            if key not in like or isinstance(shown, list):
                like[key] = shown
    optional = frozenset(key for key in like if not all(key in row for row in pattern))
    return tuple(
        _table(row, like, file, f"{name} {number}", optional)
        for number, row in enumerate(value, start=1)
    )


def _value(value: Any, pattern: Any, key: str, where: str) -> Any:
    if isinstance(pattern, str):
        if not isinstance(value, str):
            raise DataError(f"{where} = {value!r} is no text; put it in quotes.")
        return value
    ranged = isinstance(pattern, list)
    if isinstance(value, list) and ranged and len(value) == 2:
        low, high = (_number(end, key, where) for end in value)
        if low > high:
            raise DataError(f"{where} = {value} runs backwards; write the lower end first.")
        return Bounds(low, high)
    if isinstance(value, list):
        cure = "give one number or [low, high]" if ranged else "give one number"
        raise DataError(f"{where} = {value} will not do; {cure}.")
    number = _number(value, key, where)
    return Bounds(number, number) if ranged else number


def _number(value: Any, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where} = {value!r} is no number; write it without quotes or units.")
    if key in _SHARES and not 0 <= value <= 1:
        raise DataError(f"{where} = {value:g} is no share; write 0.07 for 7 per cent.")
    # Changes fall as well as rise; what is printed of them does too.
    if value < 0 and not key.startswith(("change", "printed")):
        raise DataError(f"{where} = {value:g} is below zero; correct it.")
    return float(value)
