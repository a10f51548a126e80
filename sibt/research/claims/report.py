"""A research report as a file: what it says, where, and how each sentence can be tested."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from sibt.errors import DataError, SettingError, SibtError, did_you_mean
from sibt.language import Sentence, written
from sibt.market.product import product as product_of
from sibt.research.claims.quantity import Quantity, quantity
from sibt.research.claims.settings import RATINGS, Context, day, quantities, settings

__all__ = [
    "Chart",
    "Claim",
    "Declared",
    "Inconsistency",
    "NamedLevel",
    "Reading",
    "Report",
    "opened",
    "publication",
    "publications",
    "read",
]

_ID = re.compile(r"[A-Za-z0-9_.-]+")
_DOCS = "docs/claims.md"

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Declared:
    """A series the report's tests use: its name in ``series.csv``, unit, meaning and rhythm."""

    name: str
    unit: str
    what: Sentence
    freq: str


@dataclass(frozen=True)
class NamedLevel:
    """A price the report names; strategies use it as ``sibt.level("REPORT.NAME")``."""

    name: str
    value: float
    unit: str
    claim: str | None


@dataclass(frozen=True)
class Chart:
    """A chart whose numbers the text does not give: listed, never scored."""

    id: str
    line: int | None
    title: str
    needs: tuple[Quantity, ...]


@dataclass(frozen=True)
class Reading:
    """One way to read a claim: the test, and its settings as `settings` read them.

    Attributes
    ----------
    name : Sentence
        What tells it from the claim's other readings; empty where there is one.
    test : str
        A key of `sibt.research.claims.settings.TESTS`.
    settings : mapping
        Settings by name.
    """

    name: Sentence
    test: str
    settings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Claim:
    """One sentence of a report.

    Attributes
    ----------
    id : str
        Its name within the report.
    place, line, repeats : str, int or None, tuple of int
        Where it stands, and where it stands again.
    quote : str
        The sentence as printed.
    says : Sentence
        What it says, plainly; in Chinese the quote, unless the file says otherwise.
    horizon : Sentence
        Over what time, as the report says it; empty where it does not.
    leaves_open : tuple of Sentence
        What it does not say and a test must decide.
    inconsistency : tuple of str
        Inconsistencies of the report that touch it.
    needs : tuple of Quantity
        Data it needs beside what its tests name.
    readings : tuple of Reading
        All of them are scored; none is preferred.
    """

    id: str
    place: str
    line: int | None
    repeats: tuple[int, ...]
    quote: str
    says: Sentence
    horizon: Sentence
    leaves_open: tuple[Sentence, ...]
    inconsistency: tuple[str, ...]
    needs: tuple[Quantity, ...]
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Inconsistency:
    """Where a report contradicts itself: what is printed, what was found, and both readings."""

    id: str
    place: str
    line: int | None
    printed: str
    finding: Sentence
    readings: tuple[Sentence, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Report:
    """A research report.

    Attributes
    ----------
    id, title, publisher, author : str
        What it is called; `author` may be empty.
    file : str
        Name of the text it was extracted from; may be empty.
    date : pd.Timestamp
        The day it was known. Nothing it says counts before the session after it.
    date_from : {"printed", "inferred"}
        How the day is known.
    date_how : Sentence
        How it was inferred; else empty.
    product, standard : str
        Product, and the delivery standard its prices were written for.
    rating : str or None
        Its rating, one of `sibt.research.claims.settings.RATINGS`.
    series, levels, charts, claims, inconsistencies : tuple
        What it holds, in the order of the file.
    path, text : str
        Where it was read from, and what stands there.
    """

    id: str
    title: str
    publisher: str
    author: str
    file: str
    date: pd.Timestamp
    date_from: str
    date_how: Sentence
    product: str
    standard: str
    rating: str | None
    series: tuple[Declared, ...] = field(repr=False)
    levels: tuple[NamedLevel, ...] = field(repr=False)
    charts: tuple[Chart, ...] = field(repr=False)
    claims: tuple[Claim, ...] = field(repr=False)
    inconsistencies: tuple[Inconsistency, ...] = field(repr=False)
    path: str = ""
    text: str = field(default="", repr=False)


def publications() -> tuple[str, ...]:
    """Return the names of the shipped reports, in the order of their days."""
    return tuple(sorted(_shipped(), key=lambda name: (publication(name).date, name)))


@cache
def publication(name: str) -> Report:
    """Return a shipped report.

    Raises
    ------
    SettingError
        There is none of this name.
    """
    texts = _shipped()
    if name not in texts:
        raise SettingError(
            f"There is no report '{name}'; shipped are {', '.join(texts)}, or give a FILE.toml."
            f"{did_you_mean(name, texts)}"
        )
    return _parsed(texts[name], f"{name}.toml")


def opened(name: str | Path) -> Report:
    """Return a report by the name of a shipped one, or by its file."""
    text = str(name)
    if text.endswith(".toml") or "/" in text or "\\" in text or isinstance(name, Path):
        return read(name)
    return publication(text)


def read(path: str | Path) -> Report:
    """Read a report's file; see ``docs/claims.md``.

    Raises
    ------
    DataError
        The file cannot be read, or something in it makes no sense: the message names file,
        claim and reading, and the cure.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(
            f"There is no report {path}; give a TOML file, or start one with sibt claims new."
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not written in UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give a file.") from None
    return _parsed(text, str(path))


@cache
def _shipped() -> Mapping[str, str]:
    """Return the texts of the shipped reports by name; other data lie there too."""
    folder = resources.files("sibt.publications")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            text = file.read_text("utf-8")
            if "report" in tomllib.loads(text):
                found[file.name.removesuffix(".toml")] = text
    return found


def _parsed(text: str, path: str) -> Report:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}; write it as in {_DOCS}.") from None
    known = ("report", "series", "level", "chart", "claim", "inconsistency")
    for name in content:
        if name not in known:
            raise DataError(
                f"{path}: '{name}' is not known to a report; write one of {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
    head = _Table(content.get("report"), f"{path}, [report]")
    fields = _head(head)
    context = Context(fields["date"], fields["product"], fields["standard"])
    series = _each(content, path, "series", _series)
    levels = _each(content, path, "level", _level)
    charts = _each(content, path, "chart", _chart)
    claims = _each(content, path, "claim", lambda table: _claim(table, context))
    found = _each(content, path, "inconsistency", _inconsistency)
    if not claims:
        raise DataError(f"{path} holds no [[claim]]; add one, as in {_DOCS}.")
    for kind, names in (
        ("series", [one.name for one in series]),
        ("level", [one.name for one in levels]),
        ("claim", [one.id for one in claims]),
        ("chart", [one.id for one in charts]),
        ("inconsistency", [one.id for one in found]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise DataError(f"{path}: {kind} '{name}' stands there twice; rename one.")
    report = Report(
        **fields,
        series=series,
        levels=levels,
        charts=charts,
        claims=claims,
        inconsistencies=found,
        path=path,
        text=text,
    )
    _check_names(report)
    return report


def _check_names(report: Report) -> None:
    """Refuse names that are used and stand nowhere."""
    claims = {one.id for one in report.claims}
    crosses = {one.id: one for one in report.inconsistencies}
    declared = [one.name for one in report.series]

    def refuse(where: str, kind: str, name: str, known: Sequence[str]) -> DataError:
        return DataError(
            f"{report.path}, {where}: there is no {kind} '{name}' in the file; add it, or correct"
            f" the name.{did_you_mean(name, known)}"
        )

    for level in report.levels:
        if level.claim is not None and level.claim not in claims:
            raise refuse(f"level '{level.name}'", "claim", level.claim, sorted(claims))
    for one in report.inconsistencies:
        for name in one.claims:
            if name not in claims:
                raise refuse(f"inconsistency {one.id}", "claim", name, sorted(claims))
    used = [(f"chart {one.id}", one.needs) for one in report.charts]
    for claim in report.claims:
        for name in claim.inconsistency:
            if name not in crosses:
                raise refuse(f"claim {claim.id}", "inconsistency", name, list(crosses))
        used.append((f"claim {claim.id}", claim.needs))
        used += [(f"claim {claim.id}", quantities(one.settings)) for one in claim.readings]
    for where, wanted in used:
        for of in wanted:
            for term in of.terms:
                if term.kind == "series" and term.name not in declared:
                    raise refuse(where, "[[series]] named", term.name, declared)


# -- Tables -----------------------------------------------------------------------------------


class _Table:
    """A table of the file: what is taken from it must be there, and nothing may be left."""

    def __init__(self, content: Any, where: str) -> None:
        self.where = where
        if content is None:
            raise DataError(f"{where} is missing; add it, as in {_DOCS}.")
        if not isinstance(content, dict):
            raise DataError(f"{where} is no table; write it as in {_DOCS}.")
        self._left = dict(content)
        self._known: list[str] = []

    def take(
        self, name: str, reader: Callable[[Any], Any] | None = None, *, need: bool = True,
        default: Any = None,
    ) -> Any:  # fmt: skip
        """Return a value, read; `default` where it is not there and need not be."""
        self._known.append(name)
        if name not in self._left:
            if need:
                raise DataError(f"{self.where}: '{name}' is missing; add it.")
            return default
        value = self._left.pop(name)
        try:
            return _text(value) if reader is None else reader(value)
        except SibtError as error:
            raise DataError(f"{self.where}: {name}: {error}") from None

    def prose(self, name: str, *, need: bool = True, zh: str | None = None) -> Sentence:
        """Return a text with its Chinese, where the file brings one; `zh` stands in."""
        english = self.take(name, need=need, default="")
        chinese = self.take(f"{name}_zh", need=False, default=zh)
        return written(english, chinese or english)

    def prose_list(self, name: str) -> tuple[Sentence, ...]:
        """Return a list of texts with their Chinese."""
        english = self.take(name, _texts, need=False, default=())
        chinese = self.take(f"{name}_zh", _texts, need=False, default=())
        if chinese and len(chinese) != len(english):
            raise DataError(
                f"{self.where}: {name}_zh has {len(chinese)} texts, {name} {len(english)}; write as"
                " many."
            )
        return tuple(map(written, english, chinese or english))

    def rest(self) -> dict[str, Any]:
        """Return what was not taken."""
        return self._left

    def done(self) -> None:
        """Refuse what was not taken."""
        for name in self._left:
            raise DataError(
                f"{self.where}: '{name}' is not known; it may hold {', '.join(self._known)}."
                f"{did_you_mean(name, self._known)}"
            )


def _each(
    content: Mapping[str, Any], path: str, kind: str, make: Callable[[_Table], _Made]
) -> tuple[_Made, ...]:
    tables = content.get(kind, [])
    if not isinstance(tables, list):
        raise DataError(f"{path}: '{kind}' is one table; write [[{kind}]], twice the brackets.")
    found = []
    for number, content_ in enumerate(tables, start=1):
        named = content_.get("id", content_.get("name")) if isinstance(content_, dict) else None
        where = f"{path}, {kind} {named if isinstance(named, str) else f'number {number}'}"
        found.append(make(_Table(content_, where)))
    return tuple(found)


def _head(table: _Table) -> dict[str, Any]:
    product = table.take("product", lambda value: product_of(_text(value)))
    names = [str(row["name"]) for row in product.standards] or [product.name]
    standard = table.take("standard", need=False, default=names[0] if len(names) == 1 else None)
    if standard is None:
        raise DataError(
            f"{table.where}: 'standard' is missing; {product.name} has {', '.join(names)}: name the"
            " one its prices were written for."
        )
    if standard not in names:
        raise DataError(
            f"{table.where}: '{standard}' is no delivery standard of {product.name}; write one of"
            f" {', '.join(names)}.{did_you_mean(standard, names)}"
        )
    found = {
        "id": table.take("id", _id),
        "title": table.take("title"),
        "publisher": table.take("publisher"),
        "author": table.take("author", need=False, default=""),
        "file": table.take("file", need=False, default=""),
        "date": table.take("date", day),
        "date_from": table.take("date_from", _choice("printed", "inferred")),
        "product": product.name,
        "standard": standard,
        "rating": table.take("rating", _choice(*RATINGS), need=False),
    }
    found["date_how"] = table.prose("date_how", need=found["date_from"] == "inferred")
    table.done()
    return found


def _series(table: _Table) -> Declared:
    found = Declared(
        table.take("name", _word),
        table.take("unit"),
        table.prose("what"),
        table.take("freq", need=False, default=""),
    )
    table.done()
    return found


def _level(table: _Table) -> NamedLevel:
    found = NamedLevel(
        table.take("name", _id),
        table.take("value", _number),
        table.take("unit", need=False, default="yuan/t"),
        table.take("claim", _id, need=False),
    )
    table.done()
    return found


def _chart(table: _Table) -> Chart:
    found = Chart(
        table.take("id", _id),
        table.take("line", _line, need=False),
        table.take("title"),
        table.take("needs", _needs, need=False, default=()),
    )
    table.done()
    return found


def _claim(table: _Table, context: Context) -> Claim:
    quote = table.take("quote")
    found = Claim(
        id=table.take("id", _id),
        place=table.take("place"),
        line=table.take("line", _line, need=False),
        repeats=table.take("repeats", _lines, need=False, default=()),
        quote=quote,
        says=table.prose("says", zh=quote),
        horizon=table.prose("horizon", need=False),
        leaves_open=table.prose_list("leaves_open"),
        inconsistency=table.take("inconsistency", _texts, need=False, default=()),
        needs=table.take("needs", _needs, need=False, default=()),
        readings=_readings(table, context),
    )
    table.done()
    return found


def _readings(table: _Table, context: Context) -> tuple[Reading, ...]:
    given = table.take("reading", _tables)
    found: list[Reading] = []
    for number, content in enumerate(given, start=1):
        place = f"{table.where}, reading {content.get('name', number)}"
        own = _Table(content, place)
        name = own.prose("name", need=len(given) > 1)
        test = own.take("test")
        told = own.rest()
        chinese = told.pop("why_zh", None) if test == "vague" else None
        checked = dict(settings(test, told, context, place))
        if test == "vague":
            why = checked["why"]
            checked["why"] = written(why, why if chinese is None else _text(chinese))
        if name in [one.name for one in found]:
            raise DataError(f"{place}: the claim has this reading twice; rename one.")
        found.append(Reading(name, test, checked))
    return tuple(found)


def _inconsistency(table: _Table) -> Inconsistency:
    found = Inconsistency(
        id=table.take("id", _id),
        place=table.take("place"),
        line=table.take("line", _line, need=False),
        printed=table.take("printed"),
        finding=table.prose("finding"),
        readings=table.prose_list("readings"),
        claims=table.take("claims", _texts, need=False, default=()),
    )
    table.done()
    return found


# -- Values -----------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{value!r} is no text; write some in quotes.")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise DataError(f"{value!r} is no list; write such as [\"a\", \"b\"].")
    return tuple(map(_text, value))


def _id(value: Any) -> str:
    text = _text(value)
    if not _ID.fullmatch(text):
        raise DataError(f"'{text}' is no short name; use letters, digits, _ . and - only.")
    return text


def _word(value: Any) -> str:
    text = _text(value)
    if len(text.split()) > 1:
        raise DataError(f"'{text}' has spaces; write it as one word, such as poly_n_type.")
    return text


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise DataError(f"'{value}' is no number; write such as 11700.")
    return float(value)


def _line(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DataError(f"'{value}' is no line; write its number.")
    return value


def _lines(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise DataError(f"{value!r} is no list; write such as [666, 668].")
    return tuple(map(_line, value))


def _needs(value: Any) -> tuple[Quantity, ...]:
    return tuple(map(quantity, _texts(value)))


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        raise DataError("it is no table; write [[claim.reading]] below the claim.")
    return value


def _choice(*known: str) -> Callable[[Any], str]:
    def read_(value: Any) -> str:
        if value not in known:
            raise DataError(
                f"'{value}' is unknown; write one of {', '.join(known)}."
                f"{did_you_mean(str(value), known)}"
            )
        return str(value)

    return read_
