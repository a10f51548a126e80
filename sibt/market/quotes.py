"""What stands beside the bars: spot, receipts, a user's series and the dominant contract."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import did_you_mean
from sibt.language import Sentence, said
from sibt.market.product import OBSERVED
from sibt.market.table import DateArray, FloatArray, Origin, Schema, Table

__all__ = [
    "DOMINANT",
    "RECEIPTS",
    "SERIES",
    "SPOT",
    "TERMS",
    "Sources",
    "by_source",
    "dominant",
    "no_series",
    "no_terms",
    "quoted_by",
    "receipts",
    "series",
    "spot",
    "terms",
]

#: As `sibt.market.panel.Provenance.sources`.
Sources = Mapping[str, Mapping[str, tuple[pd.Timestamp, pd.Timestamp, int]]]

_CODE = re.compile(r"[a-z]+\d{2}(?:0[1-9]|1[0-2])")

SPOT = Schema(
    "spot",
    {
        "date": ("日期",),
        "grade": ("牌号", "等级"),
        "price": ("价格",),
        "source": ("来源",),
    },
    ("date", "grade", "price"),
)
RECEIPTS = Schema(
    "receipts",
    {"date": ("日期",), "lots": ("仓单量",), "source": ("来源",)},
    ("date", "lots"),
)
SERIES = Schema(
    "series",
    {
        "name": ("名称",),
        "date": ("日期",),
        "published_on": ("发布日期",),
        "value": ("数值",),
        "unit": ("单位",),
        "source": ("来源",),
    },
    ("name", "date", "published_on", "value"),
)
DOMINANT = Schema("dominant", {"date": ("日期",), "contract": ("合约",)}, ("date", "contract"))
TERMS = Schema(
    "terms",
    {
        "contract": ("合约",),
        "item": ("项目",),
        "from": ("起始日期",),
        "value": ("数值",),
        "source": ("来源",),
        "confidence": ("可信度",),
    },
    ("contract", "item", "from", "value"),
)


def spot(
    frame: pd.DataFrame | None,
    sessions: pd.DatetimeIndex,
    notes: list[str],
    origin: Origin | None = None,
) -> pd.DataFrame:
    """Return spot quotes by grade on the sessions they were made, yuan per tonne.

    A quote made on a day without a session is left out, never moved; `notes` gets the count.

    Returns
    -------
    pd.DataFrame of shape (T, grades)
        NaN where nothing was quoted; no columns where there is no table.

    Raises
    ------
    DataError
        A row that cannot be right.
    """
    if frame is None:
        return pd.DataFrame(index=sessions, columns=pd.Index([], dtype=object), dtype=np.float64)
    table = Table(frame, SPOT, origin)
    days = table.dates("date")
    codes, grades = table.texts("grade")
    price = table.numbers("price", "yuan per tonne")
    table.refuse(
        price <= 0,
        "price",
        lambda row: f"a price of {price[row]:g} yuan per tonne is not above zero",
        "correct it, or leave the row out",
    )
    table.once(
        {"date": days, "grade": codes},
        lambda row: f"a second quote of {grades[codes[row]]} on {_iso(days[row])}",
    )
    at, rows = _place(table, days, sessions, notes)
    values = np.full((len(sessions), len(grades)), np.nan)
    values[at, codes[rows]] = price[rows]
    return pd.DataFrame(values, index=sessions, columns=pd.Index(grades, dtype=object))[
        sorted(grades)
    ]


def quoted_by(frame: pd.DataFrame | None) -> Sources:
    """Return the sources of each grade's quotes, where the table says so."""
    if frame is None:
        return {}
    table = Table(frame, SPOT)
    if not table.has("source"):
        return {}
    codes, grades = table.texts("grade")
    words = table.cells("source").to_numpy(dtype=object)
    days = pd.DatetimeIndex(table.dates("date"))
    return by_source("spot", np.array(grades, dtype=object)[codes], words, days)


def by_source(
    what: str, names: NDArray[np.object_], words: NDArray[np.object_], days: pd.DatetimeIndex
) -> Sources:
    """Return first and last day and number of rows by name and source."""
    rows = pd.DataFrame({"name": names, "word": words, "day": days})
    rows["word"] = rows["word"].fillna("").map(str)
    spans = rows.groupby(["name", "word"], sort=True)["day"].agg(["min", "max", "size"])
    found: dict[str, dict[str, tuple[pd.Timestamp, pd.Timestamp, int]]] = {}
    for (name, word), first, last, count in zip(spans.index, *spans.to_numpy().T, strict=True):
        found.setdefault(f"{what} {name}", {})[str(word)] = (first, last, int(count))
    return found


def receipts(
    frame: pd.DataFrame | None,
    sessions: pd.DatetimeIndex,
    notes: list[str],
    origin: Origin | None = None,
) -> "pd.Series[float]":
    """Return registered warehouse receipts, lots, shape (T,); NaN where none are known.

    Raises
    ------
    DataError
        A row that cannot be right.
    """
    values = np.full(len(sessions), np.nan)
    if frame is not None:
        table = Table(frame, RECEIPTS, origin)
        days = table.dates("date")
        lots = table.whole("lots")
        table.once({"date": days}, lambda row: f"a second count of {_iso(days[row])}")
        at, rows = _place(table, days, sessions, notes)
        values[at] = lots[rows]
    return pd.Series(values, index=sessions, name="receipts")


def series(
    frame: pd.DataFrame | None,
    sessions: pd.DatetimeIndex,
    notes: list[str],
    origin: Origin | None = None,
) -> pd.DataFrame:
    """Return a user's series, long, in order of name, date and day of publication.

    What was published after the last session is left out: it was not known by then.

    Raises
    ------
    DataError
        A row without its day of publication or published before its date, a blank value, a
        row given twice, or a name with two units.
    """
    if frame is None:
        return no_series()
    table = Table(frame, SERIES, origin)
    days = table.dates("date")
    table.refuse(
        table.blank("published_on"),
        "published_on",
        lambda row: "the day of publication is blank",
        "fill it in: nothing is known before it was published",
    )
    published = table.dates("published_on")
    table.refuse(
        published < days,
        "published_on",
        lambda row: f"published on {_iso(published[row])}, before its date {_iso(days[row])}",
        "give the day on which the value could first be read",
    )
    codes, names = table.texts("name")
    value = table.numbers("value", "a number")
    table.refuse(np.isnan(value), "value", lambda row: "the value is blank", "leave the row out")
    table.once(
        {"name": codes, "date": days, "published_on": published},
        lambda row: f"a second value of {names[codes[row]]} published {_iso(published[row])}",
    )
    unit = pd.Series("", index=range(len(table)), dtype=object)
    if table.has("unit"):
        unit = table.cells("unit").astype(object).reset_index(drop=True).fillna("").map(str)
        unit = unit.str.strip()
    first = unit.groupby(codes).transform("first")
    table.refuse(
        (unit != first).to_numpy(dtype=bool),
        "unit",
        lambda row: f"{names[codes[row]]} is in '{unit[row]}' here and in '{first[row]}' before",
        "keep one unit for one name",
    )
    words = np.array(names, dtype=object)[codes]
    long = _long(words, days, published, value, unit.to_numpy(dtype=object))
    late = long["published_on"] > sessions[-1]
    if late.any():
        rows = _rows(int(late.sum()), "series")
        notes.append(said("{rows} published after the last bar left out", rows=rows))
    return long[~late].sort_values(["name", "date", "published_on"], ignore_index=True)


def no_series() -> pd.DataFrame:
    """Return a table of series without a row."""
    nothing, never = np.array([], dtype=object), np.array([], dtype="datetime64[ns]")
    return _long(nothing, never, never, np.array([], dtype=np.float64), nothing)


def terms(frame: pd.DataFrame | None, origin: Origin | None = None) -> pd.DataFrame:
    """Return what was charged on single contracts, in order of contract, item and day.

    Returns
    -------
    pd.DataFrame
        contract, item (`sibt.market.product.OBSERVED`), from, value, source, confidence.

    Raises
    ------
    DataError
        A row that cannot be right: an item that is none, a share of one or more.
    """
    if frame is None:
        return no_terms()
    table = Table(frame, TERMS, origin)
    codes, words = table.texts("contract")
    lower = [word.lower() for word in words]
    strange = np.array([not _CODE.fullmatch(word) for word in lower])
    table.refuse(
        strange[codes],
        "contract",
        lambda row: f"'{words[codes[row]]}' is no contract",
        "write product and delivery month, as si2411",
    )
    kinds, items = table.texts("item")
    table.refuse(
        np.array([item not in OBSERVED for item in items])[kinds],
        "item",
        lambda row: f"'{items[kinds[row]]}' is no term.{did_you_mean(items[kinds[row]], OBSERVED)}",
        f"write one of {', '.join(OBSERVED)}",
    )
    days, value = table.dates("from"), table.numbers("value", "a share, or yuan per lot")
    flat = np.array([item.endswith("_per_lot") for item in items])[kinds]
    table.refuse(
        ~((value >= 0) & (flat | (value <= 1))),
        "value",
        lambda row: f"a {items[kinds[row]]} of {value[row]:g} cannot be",
        "write shares, ten per cent being 0.1, and yuan per lot",
    )
    table.once(
        {"contract": codes, "item": kinds, "from": days},
        lambda row: f"a second {items[kinds[row]]} of {words[codes[row]]} from {_iso(days[row])}",
    )
    text = {
        name: (
            table.cells(name).astype(object).fillna("").map(str).to_numpy(dtype=object)
            if table.has(name)
            else np.full(len(table), "", dtype=object)
        )
        for name in ("source", "confidence")
    }
    rows = {
        "contract": np.array(lower, dtype=object)[codes],
        "item": np.array(items, dtype=object)[kinds],
        "from": days,
        "value": value,
        **text,
    }
    return pd.DataFrame(rows).sort_values(["contract", "item", "from"], ignore_index=True)


def no_terms() -> pd.DataFrame:
    """Return a table of terms without a row."""
    return pd.DataFrame(
        {
            "contract": pd.Series(dtype=object),
            "item": pd.Series(dtype=object),
            "from": pd.Series(dtype="datetime64[ns]"),
            "value": pd.Series(dtype=float),
            "source": pd.Series(dtype=object),
            "confidence": pd.Series(dtype=object),
        }
    )


def _long(
    names: NDArray[np.object_],
    days: DateArray,
    published: DateArray,
    value: FloatArray,
    unit: NDArray[np.object_],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": pd.Series(names, dtype=object),
            "date": days,
            "published_on": published,
            "value": value,
            "unit": pd.Series(unit, dtype=object),
        }
    )


def dominant(
    frame: pd.DataFrame | None,
    sessions: pd.DatetimeIndex,
    contracts: Iterable[str],
    notes: list[str],
    origin: Origin | None = None,
) -> "pd.Series[str] | None":
    """Return the dominant contract of each session, shape (T,); NaN where none is named.

    Raises
    ------
    DataError
        A session given twice, or a contract without bars.
    """
    if frame is None:
        return None
    table = Table(frame, DOMINANT, origin)
    days = table.dates("date")
    codes, words = table.texts("contract")
    words = [word.lower() for word in words]
    known = set(contracts)
    table.refuse(
        np.array([word not in known for word in words])[codes],
        "contract",
        lambda row: f"there are no bars of '{words[codes[row]]}'",
        "add its bars, or leave the row out",
    )
    table.once({"date": days}, lambda row: f"a second contract of {_iso(days[row])}")
    at, rows = _place(table, days, sessions, notes)
    values = np.full(len(sessions), np.nan, dtype=object)
    values[at] = np.array(words, dtype=object)[codes[rows]]
    return pd.Series(values, index=sessions, name="dominant")


def _place(
    table: Table, days: DateArray, sessions: pd.DatetimeIndex, notes: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sessions of rows and those rows; what falls on none is counted in `notes`."""
    stamps = pd.DatetimeIndex(days)
    at = sessions.get_indexer(stamps)
    inside = np.asarray((stamps >= sessions[0]) & (stamps <= sessions[-1]))
    between, beyond = (_rows(int(np.sum(out)), table.schema.name)
                       for out in (inside & (at < 0), ~inside))
    if np.any(inside & (at < 0)):
        notes.append(said("{rows} on days without a session left out", rows=between))
    if not np.all(inside):
        notes.append(said("{rows} before the first or after the last bar left out", rows=beyond))
    rows = np.flatnonzero(at >= 0)
    return at[rows].astype(np.int64), rows


def _rows(number: int, table: str) -> Sentence:
    if number == 1:
        return said("1 {table} row", table=table)
    return said("{number:,} {table} rows", number=number, table=table)


def _iso(day: np.datetime64) -> str:
    return str(day.astype("datetime64[D]"))
