"""Levels: prices that research named, each with the day it was published and its standard."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.market.contract import contract as contract_of
from sibt.market.product import product as product_of
from sibt.market.product import products

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["UNIT", "Level", "added", "level", "levels", "reading", "replaced"]

#: Unit of a level that can be held against futures.
UNIT = "yuan/t"

_CHANGE: ContextVar[Callable[[Level], float] | None] = ContextVar("change", default=None)
_READING: ContextVar[bool] = ContextVar("reading", default=False)


@dataclass(frozen=True)
class Level:
    """A price that was named on a day, for contracts of one delivery standard.

    Attributes
    ----------
    name : str
        ``guolian_2024q1.support``: the report and its name there; a plain name in a file of
        one's own.
    printed : float
        The figure, in `unit`.
    unit : str
        ``yuan/t`` for what is held against futures.
    published_on : pd.Timestamp
        The day it became known.
    product, standard : str
        What it is a price of: product code and delivery standard.
    source : str
        Where it stands.
    """

    name: str
    printed: float
    unit: str
    published_on: pd.Timestamp
    product: str
    standard: str
    source: str = ""

    @property
    def value(self) -> float:
        """The figure, on every day: before `published_on` nobody knew it, see `by_session`."""
        change = _CHANGE.get()
        return self.printed if change is None else change(self)

    def by_session(self, market: Market) -> pd.Series[float]:
        """Return the level as it was known after each session's close.

        Returns
        -------
        pd.Series of shape (T,)
            In `unit`; NaN in the sessions before `published_on`.
        """
        known = np.asarray(market.sessions >= self.published_on)
        values = np.where(known, self.value, np.nan)
        return pd.Series(values, index=market.sessions, name=self.name)

    def against(self, market: Market, codes: pd.Series[Any] | str) -> pd.Series[float]:
        """Return the level where it may be held against the prices of these contracts.

        Parameters
        ----------
        market : Market
            The panel.
        codes : pd.Series of shape (T,) or str
            The contract of each session, as `Market.dominant` gives it, or one for all.

        Returns
        -------
        pd.Series of shape (T,)
            Yuan per tonne; NaN before `published_on`, without a contract, and where the
            contract is of another product or delivery standard: that is another good.

        Raises
        ------
        SettingError
            The level is no price per tonne.
        """
        if self.unit != UNIT:
            raise SettingError(
                f"Level '{self.name}' is in {self.unit}, futures are in {UNIT}; give one in {UNIT}."
            )
        known = self.by_session(market)
        if isinstance(codes, str):
            return known if self.fits(codes) else known * np.nan
        own = {code: self.fits(code) for code in codes.unique() if isinstance(code, str)}
        fits = codes.reindex(market.sessions).map(own)
        return known.where(fits.eq(True))

    def fits(self, code: str) -> bool:
        """Tell whether a contract is of the level's product and delivery standard."""
        own = contract_of(code)
        return own.product.name == self.product and own.standard == self.standard


def level(name: str, file: str | Path | None = None) -> Level:
    """Return a level by name.

    Parameters
    ----------
    name : str
        ``guolian_2024q1.support`` for one of a shipped report, else as it stands in `file`.
    file : str or Path, optional
        TOML with ``[[level]]`` tables: a report (``docs/claims.md``), or levels alone, as
        ``sibt cost plant --level`` writes them.

    Raises
    ------
    SettingError
        There is no such level.
    DataError
        The file cannot be used.
    """
    known = levels(file)
    for one in known:
        if name == one.name or (file is not None and name == one.name.rpartition(".")[2]):
            # What is `printed` must not show the check another figure than `value` does.
            return one if _CHANGE.get() is None else replace(one, printed=one.value)
    names = [one.name for one in known]
    where = f"No shipped report has level '{name}'" if file is None else \
        f"{file} has no level '{name}'"
    raise SettingError(
        f"{where}; there are {', '.join(names) or 'none'}.{did_you_mean(name, names)}"
    )


def levels(file: str | Path | None = None) -> tuple[Level, ...]:
    """Return all levels of the shipped reports, or of a file.

    Raises
    ------
    DataError
        The file cannot be used.
    """
    if file is None:
        return _shipped()
    token = _READING.set(True)
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DataError(f"The levels in {file} cannot be read: {why}; name a TOML file.") from None
    finally:
        _READING.reset(token)
    return _read(text, str(file))


def added(one: Level, file: Path) -> str:
    """Return the text of a file of levels with one more; of a new file where there is none.

    Raises
    ------
    SettingError
        The level's name is no word, or the file has a level of that name.
    DataError
        The file is there and is none of levels.
    """
    if not re.fullmatch(r"[A-Za-z0-9_]+", one.name):
        raise SettingError(
            f"'{one.name}' is no name for a level; use letters, digits and _, such as e_full_low."
        )
    names = [there.name for there in levels(file)] if file.exists() else []
    if one.name in names:
        raise SettingError(
            f"{file} has a level '{one.name}'; take another name, or take its [[level]] out."
        )
    rows = {
        "name": one.name, "value": one.printed, "unit": one.unit,
        "published_on": f"{one.published_on:%Y-%m-%d}", "product": one.product,
        "standard": one.standard, "source": one.source,
    }  # fmt: skip
    # A text of JSON is one of TOML as well.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in rows.items()]
    before = f"{file.read_text('utf-8').rstrip()}\n\n" if file.exists() else ""
    text = "\n".join([f"{before}[[level]]", *lines, ""])
    _read(text, str(file))
    return text


@contextmanager
def replaced(change: Callable[[Level], float]) -> Iterator[None]:
    """Let every level have another value, which only the check for looking ahead does.

    Parameters
    ----------
    change : callable
        Given the level, its value; ``level.printed`` leaves it as it is.
    """
    token = _CHANGE.set(change)
    try:
        yield
    finally:
        _CHANGE.reset(token)


def reading() -> bool:
    """Tell whether a file of levels is being read: its days are known, so it can be checked."""
    return _READING.get()


@cache
def _shipped() -> tuple[Level, ...]:
    folder = resources.files("sibt.publications")
    token = _READING.set(True)
    try:
        texts = [(f.name, f.read_text("utf-8"))
                 for f in sorted(folder.iterdir(), key=lambda f: f.name)
                 if f.name.endswith(".toml")]  # fmt: skip
    finally:
        _READING.reset(token)
    return tuple(one for name, text in texts for one in _read(text, name))


def _read(text: str, file: str) -> tuple[Level, ...]:
    """Return the levels of one file; `file` names it in errors."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is no TOML: {error}; mend the line.") from None
    report, rows = content.get("report", {}), content.get("level", [])
    if not isinstance(report, Mapping) or not isinstance(rows, list):
        raise DataError(f"{file}: [report] is one table and [[level]] a list; write them so.")
    found = tuple(_level(row, n, report, file) for n, row in enumerate(rows, start=1))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{file} names the level '{name}' twice; give each a name of its own.")
    return found


def _level(row: Any, number: int, report: Mapping[str, Any], file: str) -> Level:
    where = f"{file}, [[level]] {number}"
    if not isinstance(row, Mapping):
        raise DataError(f"{where} is no table; write name, value and unit below [[level]].")
    common = {
        "published_on": report.get("date"), "product": report.get("product"),
        "standard": report.get("standard"), "unit": UNIT,
        "source": " ".join(filter(None, (report.get("publisher"), report.get("title")))),
    }  # fmt: skip
    row = {**{key: value for key, value in common.items() if value is not None}, **row}
    for key in ("name", "value", "published_on", "product", "standard"):
        if key not in row:
            raise DataError(f"{where} has no '{key}'; write it there, or in [report].")
    for key in ("name", "unit", "product", "standard", "source"):
        if not isinstance(row[key], str):
            raise DataError(f"{where}: {key} = {row[key]!r} is no text; put it in quotes.")
    value = row["value"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where}: value = {value!r} is no number; write it as 11700.0.")
    terms = row["product"]
    if terms not in products():
        raise DataError(
            f"{where}: product '{terms}' is not known; known are {', '.join(products())}."
            f"{did_you_mean(terms, products())}"
        )
    # A product of one good has no rows of standards; its standard bears its name.
    standards = [str(s["name"]) for s in product_of(terms).standards] or [terms]
    if row["standard"] not in standards:
        raise DataError(
            f"{where}: standard '{row['standard']}' is none of {terms}; it has"
            f" {', '.join(standards)}."
        )
    before = f"{report['id']}." if "id" in report else ""
    return Level(
        name=f"{before}{row['name']}", printed=float(value), unit=row["unit"],
        published_on=_day(row["published_on"], where), product=terms,
        standard=row["standard"], source=row["source"],
    )  # fmt: skip


def _day(value: Any, where: str) -> pd.Timestamp:
    """Return a day written as text or as a TOML date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return pd.Timestamp(value)
    try:
        return pd.Timestamp(date.fromisoformat(value))
    except (TypeError, ValueError):
        raise DataError(
            f'{where}: the day {value!r} is none; write it as "2024-05-14".'
        ) from None
