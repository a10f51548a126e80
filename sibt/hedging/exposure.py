"""Goods at risk: what is owned or needed after each session, and how it comes and goes.

A producer owns output he has not yet sold, a trader owns what lies in the warehouse, a consumer
needs what he has not yet bought: his tonnes are negative, for he loses when prices rise.
"""

from __future__ import annotations

import csv
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sibt.engine.job import check_index
from sibt.errors import DataError, StrategyError, did_you_mean
from sibt.market import calendar
from sibt.market.panel import Market

__all__ = ["WHATS", "Entry", "Exposure", "Schedule", "exposure_of", "schedule"]

#: What may stand in a schedule: goods made and sold in a month, goods in the warehouse, goods
#: bought and sold, goods needed and bought in a month.
WHATS = ("output", "inventory", "purchase", "sale", "need")

_TRADES = ["session", "what", "tonnes", "price"]
_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?")
_HEADING = re.compile(r"\s*(?:\[\[?\s*([\w-]+)\s*\]\]?|([\w-]+)\s*=)")


@dataclass(frozen=True, eq=False)
class Exposure:
    """Goods at risk by session.

    Attributes
    ----------
    grade : str
        Spot grade that prices them, such as ``553``.
    owned : pd.Series of shape (T,)
        Tonnes after each session: + owned, − needed.
    trades : pd.DataFrame
        ``session, what, tonnes, price`` of all that came in (+) and went out (−); price in yuan
        per tonne, NaN for the spot quote of the session, or the next one.
    """

    grade: str
    owned: pd.Series[float]
    trades: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """One line of a schedule.

    Parameters
    ----------
    what : str
        One of `WHATS`.
    when : pd.Timestamp or pd.Period
        A day (or the next session), or a month over whose sessions it is spread in equal parts.
    tonnes : float
        How much, positive.
    price : float
        Yuan per tonne agreed for it, positive; NaN for the spot quote. Inventory has none.

    Raises
    ------
    DataError
        One of them makes no sense, or the trading calendar does not reach so far.
    """

    what: str
    when: pd.Timestamp | pd.Period
    tonnes: float
    price: float = math.nan

    def __post_init__(self) -> None:
        if self.what not in WHATS:
            raise DataError(
                f"'{self.what}' is not known; write one of {', '.join(WHATS)}."
                f"{did_you_mean(self.what, WHATS)}"
            )
        if not (math.isfinite(self.tonnes) and self.tonnes > 0.0):
            raise DataError(f"tonnes is {self.tonnes:g}; give a positive number.")
        if not math.isnan(self.price):
            if not (math.isfinite(self.price) and self.price > 0.0):
                raise DataError(f"price is {self.price:g}; give a positive number, or none.")
            if self.what == "inventory":
                raise DataError(
                    "inventory has a price, but it comes in at the quote of its day; write"
                    " purchase for goods bought at a price."
                )
        if not len(self.days):
            known = calendar.sessions()
            raise DataError(
                f"{self.when} lies outside the trading calendar, which is known for"
                f" {known[0].year} to {known[-1].year}; leave it out."
            )

    @property
    def days(self) -> pd.DatetimeIndex:
        """Sessions it is spread over; none where the calendar does not reach."""
        if isinstance(self.when, pd.Period):
            return calendar.month(self.when.year, self.when.month)
        known = calendar.sessions()
        at = int(known.searchsorted(self.when))
        return known[at : at + 1] if calendar.is_known(self.when) else known[:0]


@dataclass(frozen=True)
class Schedule:
    """Goods by the calendar, whatever the market.

    Parameters
    ----------
    entries : tuple of Entry
        In any order.
    grade : str
        Spot grade that prices them.
    known_from : pd.Timestamp, optional
        Day from which goods count; see `exposure`.
    source : str
        Name of the file it was read from, for messages.
    """

    entries: tuple[Entry, ...]
    grade: str = "553"
    known_from: pd.Timestamp | None = None
    source: str = "the schedule"

    def trades(
        self, market: Market, known_from: pd.Timestamp | str | None = None
    ) -> pd.DataFrame:
        """Return all that comes and goes, to the end of the schedule; see `exposure`.

        Returns
        -------
        pd.DataFrame
            ``session, what, tonnes, price`` in the order of sessions.

        Raises
        ------
        StrategyError
            More is sold than is owned.
        """
        begin = self.known_from if self.known_from is not None else known_from
        begin = max(market.sessions[0], pd.Timestamp(begin or market.sessions[0]))
        known = calendar.sessions()
        begin = known[min(int(known.searchsorted(begin)), len(known) - 1)]
        rows = [row for entry in self.entries for row in _moves(entry, begin)]
        table = pd.DataFrame(rows, columns=_TRADES)
        table["session"] = pd.DatetimeIndex(table["session"])
        self._check(table)
        # What came and went before is what is there at the beginning.
        early = table["session"] < begin
        stock = round(float(table.loc[early, "tonnes"].sum()), 6)
        table = table[~early]
        if stock:
            row = pd.DataFrame([(begin, "inventory", stock, math.nan)], columns=_TRADES)
            table = pd.concat([row, table]) if len(table) else row
        # By content, so that the order of the entries makes no difference.
        rank = table["what"].map({what: n for n, what in enumerate(WHATS)})
        order = ["session", "rank", "tonnes", "price"]
        return table.assign(rank=rank).sort_values(order, ignore_index=True)[_TRADES]

    def moves(
        self, market: Market, known_from: pd.Timestamp | str | None = None
    ) -> pd.Series[float]:
        """Return the tonnes that come (+) and go (−) by session, to the end of the schedule."""
        return self.trades(market, known_from).groupby("session")["tonnes"].sum()

    def exposure(
        self, market: Market, known_from: pd.Timestamp | str | None = None
    ) -> Exposure:
        """Lay the schedule out over the sessions of a market.

        Output and needs count from the day they are known, all at once, and go as they are sold
        or met. What the other entries did before that day is what is there on it.

        Parameters
        ----------
        market : Market
            Its sessions; what lies after them is left out.
        known_from : timestamp or str, optional
            The day from which goods count, where the schedule does not say; by default the
            market's first session.

        Raises
        ------
        StrategyError
            More is sold than is owned.
        """
        table = self.trades(market, known_from)
        seen = table[table["session"] <= market.sessions[-1]]
        # What falls on a day the market lacks moves to its next session.
        at = market.sessions.searchsorted(pd.DatetimeIndex(seen["session"]))
        seen = seen.assign(session=market.sessions[at])
        moved = seen.groupby("session")["tonnes"].sum()
        # Sums of equal parts end in noise; a milligram is enough.
        owned = moved.reindex(market.sessions, fill_value=0.0).cumsum().round(9)
        return Exposure(self.grade, owned.rename("tonnes") + 0.0, seen)

    def _check(self, table: pd.DataFrame) -> None:
        """Refuse sales of what is not owned."""
        goods = table[table["what"] != "need"]
        left = goods.groupby("session")["tonnes"].sum().cumsum().round(6)
        bare = left[left < 0.0]
        if len(bare):
            raise StrategyError(
                f"By {bare.index[0]:%Y-%m-%d} {self.source} has sold {-float(bare.iloc[0]):,.6g} t"
                " more than is owned; add the output, inventory or purchase they come from."
            )


def exposure_of(
    tonnes: pd.Series[float], grade: str, market: Market, owned_as: str = "inventory"
) -> Exposure:
    """Return the exposure a strategy states as tonnes by session.

    What comes in is taken as `owned_as` (or a need), what goes out as sold (or bought) at the
    spot quote.

    Parameters
    ----------
    tonnes : pd.Series
        Tonnes after each session, + owned, − needed; sessions it does not name keep the last
        value, zero before the first.
    grade : str
        Spot grade.
    market : Market
        Its sessions.
    owned_as : {"inventory", "output"}
        What the tonnes owned are: in the warehouse, or still to be made.

    Raises
    ------
    StrategyError
        Tonnes named for days that are no sessions, or that are no finite number.
    """
    check_index(market, tonnes, "tonnes of the exposure")
    try:
        stated = tonnes.reindex(market.sessions).astype(float)
    except (TypeError, ValueError):
        raise StrategyError("The exposure holds something that is no number of tonnes.") from None
    owned = stated.ffill().fillna(0.0)
    if not np.isfinite(owned).all():
        raise StrategyError("The exposure holds an infinite number of tonnes.")
    after = owned.to_numpy()
    before = np.append(0.0, after[:-1])
    # Only what goes towards zero leaves; from goods to needs both happen.
    out = np.where(before * after < 0, -before, 0.0)
    smaller = (before * after >= 0) & (np.abs(after) < np.abs(before))
    out = np.where(smaller, after - before, out)
    into = np.where(before * after < 0, after, np.where(smaller, 0.0, after - before))
    parts = [
        pd.DataFrame({"session": market.sessions, "what": what, "tonnes": moved})
        for what, moved in (
            (np.where(before > 0, "sale", "need"), out),
            (np.where(after > 0, owned_as, "need"), into),
        )
    ]
    table = pd.concat(parts)
    table = table[table["tonnes"] != 0.0].assign(price=np.nan)
    table = table.sort_values("session", kind="stable", ignore_index=True)
    return Exposure(grade, owned.rename("tonnes"), table)


def _moves(entry: Entry, begin: pd.Timestamp) -> Iterator[tuple[Any, ...]]:
    """Return session, what, tonnes and price of what an entry does to the goods."""
    days = entry.days
    part = entry.tonnes / len(days)
    if entry.what in ("output", "need"):
        days = days[days >= begin]
        sign = 1.0 if entry.what == "output" else -1.0
        if len(days):
            yield begin, entry.what, sign * part * len(days), math.nan
        out = "sale" if entry.what == "output" else "need"
        for day in days:
            yield day, out, -sign * part, entry.price
    else:
        for day in days:
            yield day, entry.what, -part if entry.what == "sale" else part, entry.price


# -- Files -----------------------------------------------------------------------------------


def schedule(path: Path | str) -> Schedule:
    """Read a schedule of goods from a TOML or CSV file.

    TOML: ``grade``, ``known_from`` and a table for each entry (``[[output]]``, ``[[sale]]`` …)
    with ``month`` or ``day``, ``tonnes`` and, where it is agreed, ``price``. CSV: columns
    ``what, when, tonnes`` and, where wanted, ``price``, ``grade`` and ``known_from``; ``when``
    is a month (2024-05) or a day.

    Raises
    ------
    DataError
        The file cannot be read, or something in it makes no sense; the message says where.
    """
    path = Path(path)
    if path.suffix.lower() not in (".toml", ".csv"):
        raise DataError(f"The schedule {path} is neither .toml nor .csv; write it as one of them.")
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"There is no schedule {path}; give a TOML or CSV file.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not written in UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give a file.") from None
    read = _from_csv if path.suffix.lower() == ".csv" else _from_toml
    lines, grade, known_from = read(text, path)
    entries = tuple(_entry(line, where) for where, line in lines)
    if not entries:
        raise DataError(f"{path} holds no goods; add an output, inventory, purchase, sale or need.")
    begin = None if known_from is None else _day(known_from[1], known_from[0])
    return Schedule(entries, grade, begin, path.name)


#: Lines of a file with the place of each, the grade, and the day with its place.
_Read = tuple[list[tuple[str, dict[str, Any]]], str, tuple[str, Any] | None]


def _from_toml(text: str, path: Path) -> _Read:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}; write it as in docs/hedging.md.") from None
    # A name written in quotes is not found; then it is line 1.
    places = {**{name: [1] for name in content}, **_places(text)}
    known = ("grade", "known_from", *WHATS)
    lines = []
    for name, tables in content.items():
        if name not in known:
            raise DataError(
                f"{path} line {places[name][0]}: '{name}' is not known to a schedule; write one"
                f" of {', '.join(known)}.{did_you_mean(name, known)}"
            )
        if name not in WHATS:
            continue
        for number, line in enumerate(tables if isinstance(tables, list) else [tables]):
            at = places[name]
            where = f"{path} line {at[min(number, len(at) - 1)]}"
            if not isinstance(line, Mapping):
                raise DataError(f"{where}: '{name}' is no table; write [[{name}]] and lines below.")
            fields = ("month", "day", "tonnes", "price")
            for strange in line:
                if strange not in fields:
                    raise DataError(
                        f"{where}: '{strange}' is not known; write month or day, tonnes and, where"
                        f" it is agreed, price.{did_you_mean(strange, fields)}"
                    )
            if ("month" in line) == ("day" in line):
                raise DataError(f"{where}: write either a month or a day.")
            lines.append((where, {"what": name, **line}))
    known_from = None
    if "known_from" in content:
        known_from = f"{path} line {places['known_from'][0]}", content["known_from"]
    return lines, str(content.get("grade", "553")), known_from


def _places(text: str) -> dict[str, list[int]]:
    """Return the lines in which each name of a TOML file stands at the head of something."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _HEADING.match(line):
            found.setdefault(match[1] or match[2], []).append(number)
    return found


def _from_csv(text: str, path: Path) -> _Read:
    try:
        rows = list(csv.reader(text.splitlines(), skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{path} is no CSV: {error}; write it as in docs/hedging.md.") from None
    header = [name.strip() for name in (rows[0] if rows else [])]
    known = ("what", "when", "tonnes", "price", "grade", "known_from")
    for name in header:
        if name not in known or header.count(name) > 1:
            raise DataError(
                f"{path} line 1: the column '{name}' is not known or stands there twice; a schedule"
                f" has {', '.join(known[:3])} and, where wanted, {', '.join(known[3:])}."
                f"{did_you_mean(name, known)}"
            )
    for name in known[:3]:
        if name not in header:
            raise DataError(
                f"{path} line 1: there is no column '{name}'; a schedule has {', '.join(known[:3])}"
                f" and, where wanted, {', '.join(known[3:])}."
            )
    lines: list[tuple[str, dict[str, Any]]] = []
    once: dict[str, tuple[str, str]] = {}
    for number, cells in enumerate(rows[1:], start=2):
        where = f"{path} line {number}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise DataError(
                f"{where}: {len(cells)} cells stand under {len(header)} columns; write one each."
            )
        written = zip(header, map(str.strip, cells), strict=True)
        line: dict[str, Any] = {name: cell for name, cell in written if cell}
        for name in ("grade", "known_from"):
            value = line.pop(name, None)
            if value is not None and once.setdefault(name, (where, value))[1] != value:
                raise DataError(
                    f"{where}: {name} is '{value}', after '{once[name][1]}'; a schedule has one."
                )
        lines.append((where, line))
    return lines, once.get("grade", ("", "553"))[1], once.get("known_from")


def _entry(line: Mapping[str, Any], where: str) -> Entry:
    """Return a line of a file as an entry; a CSV's ``when`` is a month or a day."""
    moment = next((name for name in ("month", "day", "when") if name in line), None)
    for name in ("what", "tonnes", moment or "when"):
        if name not in line:
            raise DataError(f"{where}: there is no '{name}'; write it.")
    tonnes = _number(line["tonnes"], "tonnes", where)
    price = _number(line["price"], "price", where) if "price" in line else math.nan
    text = str(line[moment or "when"])
    month = _MONTH.fullmatch(text)
    when: pd.Timestamp | pd.Period
    if moment != "day" and month is not None and 1 <= int(month[2]) <= 12:
        when = pd.Period(year=int(month[1]), month=int(month[2]), freq="M")
    elif moment == "month":
        raise DataError(f"{where}: month is '{text}'; write it as 2024-05.")
    else:
        when = _day(text, where)
    try:
        return Entry(str(line["what"]), when, tonnes, price)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _number(value: Any, name: str, where: str) -> float:
    plain = value if isinstance(value, str) else repr(value)
    if not _NUMBER.fullmatch(plain):
        raise DataError(f"{where}: {name} is '{value}'; give a positive number.")
    return float(plain.replace(",", ""))


def _day(value: Any, where: str) -> pd.Timestamp:
    match = _DAY.fullmatch(str(value))
    try:
        if match is not None:
            year, month, day = map(int, match.groups())
            return pd.Timestamp(year, month, day)
    except ValueError:
        pass
    raise DataError(f"{where}: '{value}' is no day or month; write 2024-05-14 or 2024-05.")
