"""The store: market data that were pulled or imported, kept as Parquet files.

One folder a product, one file a kind. A product's folder is a market like any other folder of
files. Every write is atomic, and goes under a lock: a process that dies leaves the old file or
the new one, and two that write at once write one after the other.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sibt.errors import DataError, did_you_mean
from sibt.market.panel import FIELDS
from sibt.market.product import products as known_products

__all__ = ["DEFAULT", "Change", "Store", "of_exchange"]

#: Where the command line keeps its store.
DEFAULT = Path("data/store")

#: How sources begin that hand on the exchange's own table of a day.
_EXCHANGE = ("akshare gfex", "tushare", "tqsdk")
#: Behind such a source in a row whose settlement came from elsewhere.
_UNSETTLED = " (no settlement)"

_DAY, _WORD, _NUMBER = "datetime64[ns]", "str", "float64"


@dataclass(frozen=True)
class _Kind:
    """Columns of a kind with their types, and those that tell its rows apart."""

    columns: dict[str, str]
    key: tuple[str, ...]


_KINDS = {
    "bars": _Kind(
        {"date": _DAY, "contract": _WORD, **dict.fromkeys(FIELDS, _NUMBER), "source": _WORD},
        ("date", "contract"),
    ),
    "spot": _Kind(
        {"date": _DAY, "grade": _WORD, "price": _NUMBER, "source": _WORD}, ("date", "grade")
    ),
    "receipts": _Kind({"date": _DAY, "lots": _NUMBER, "source": _WORD}, ("date",)),
    "series": _Kind(
        {"name": _WORD, "date": _DAY, "published_on": _DAY, "value": _NUMBER, "unit": _WORD,
         "source": _WORD},
        ("name", "date", "published_on"),
    ),
    "contracts": _Kind(
        {"contract": _WORD, "listed": _DAY, "last_trading": _DAY, "last_delivery": _DAY,
         "source": _WORD},
        ("contract",),
    ),
    "terms": _Kind(
        {"contract": _WORD, "item": _WORD, "from": _DAY, "value": _NUMBER, "source": _WORD,
         "confidence": _WORD},
        ("contract", "item", "from"),
    ),
    "absent": _Kind(
        {"kind": _WORD, "what": _WORD, "source": _WORD, "asked_on": _DAY},
        ("kind", "what", "source"),
    ),
}

#: Bars finer than a day, by their length in minutes.
_MINUTES = re.compile(r"bars_[1-9]\d*m")
_INTRADAY = _Kind(
    {"time": _DAY, "date": _DAY, "contract": _WORD, "open": _NUMBER, "high": _NUMBER,
     "low": _NUMBER, "close": _NUMBER, "volume": _NUMBER, "turnover": _NUMBER,
     "open_interest": _NUMBER, "source": _WORD},
    ("time", "contract"),
)


@dataclass(frozen=True)
class Change:
    """What writing a table did to the store, or would do.

    Attributes
    ----------
    added, changed, same : int
        Rows that were not there, rows of which a cell was filled in or replaced, and rows
        that said nothing new.
    changes : pd.DataFrame
        One row a known cell that was replaced: the key's columns, ``column``, ``before``,
        ``after``.
    """

    added: int
    changed: int
    same: int
    changes: pd.DataFrame


class Store:
    """A folder of kept market data.

    Parameters
    ----------
    folder : str or Path
        Need not exist; the first write makes it.

    Notes
    -----
    Kinds and their columns (the first ones tell rows apart): ``bars`` (date, contract; open,
    high, low, close, settle in yuan per tonne, volume and open_interest in lots), ``bars_5m``
    and other minutes (time the bar begins, contract; date of its session, open, high, low,
    close, volume, turnover in yuan, open_interest), ``spot`` (date, grade; price), ``receipts``
    (date; lots), ``series`` (name, date, published_on; value, unit), ``contracts`` (contract;
    listed, last_trading, last_delivery), ``terms`` (contract, item, from; value, confidence),
    ``absent`` (kind, what, source; asked_on). All but the last have a column ``source``: where
    a row came from. NaN is unknown.
    """

    def __init__(self, folder: str | Path = DEFAULT) -> None:
        self.folder = Path(folder)
        self._lock: Any = None

    def __repr__(self) -> str:
        return f"<Store {self.folder}: {', '.join(self.products()) or 'empty'}>"

    def products(self) -> tuple[str, ...]:
        """Return the products of which there are daily bars."""
        return tuple(name for name in known_products() if self.path(name, "bars").is_file())

    def path(self, product: str, kind: str) -> Path:
        """Return the file of a kind, whether or not it is there.

        Raises
        ------
        DataError
            No such product or kind.
        """
        if product not in known_products():
            raise DataError(
                f"The store keeps {', '.join(known_products())}; '{product}' is none of them."
                f"{did_you_mean(product, known_products())}"
            )
        _kind(kind)
        return self.folder / product / f"{kind}.parquet"

    def market(self, product: str | None = None) -> Path | None:
        """Return the folder of a product's market; None where there are no bars.

        Parameters
        ----------
        product : str, optional
            By default silicon where the store has it, else the only product there is.

        Raises
        ------
        DataError
            There are several products to choose from, and silicon is none of them.
        """
        there = self.products()
        if product is None and there:
            if "si" not in there and len(there) > 1:
                raise DataError(
                    f"{self.folder} holds {' and '.join(there)}; name the folder of one of them,"
                    f" as {self.folder / there[0]}."
                )
            product = "si" if "si" in there else there[0]
        return self.folder / product if product in there else None

    def read(self, product: str, kind: str) -> pd.DataFrame:
        """Return a kind as a table in the order of its key; no rows where nothing is kept.

        Raises
        ------
        DataError
            No such kind, or its file cannot be read.
        """
        return self._read(self.path(product, kind), _kind(kind))

    def preview(
        self, product: str, kind: str, frame: pd.DataFrame, *, keep: str = "new"
    ) -> Change:
        """Return what `upsert` would do, without doing it."""
        shape = _kind(kind)
        return _merge(self.read(product, kind), _typed(frame, shape, kind), shape, keep)[1]

    def upsert(
        self, product: str, kind: str, frame: pd.DataFrame, *, keep: str = "new"
    ) -> Change:
        """Take a table into the store: the same table again changes nothing.

        Parameters
        ----------
        product, kind : str
            Where to.
        frame : pd.DataFrame
            The kind's columns; those that are missing are unknown. Unknown cells never erase
            known ones.
        keep : {"new", "old"}
            What wins where both are known; "old" only fills in what is unknown.

        Raises
        ------
        DataError
            A key that is blank or given twice, or a file that cannot be written.
        """
        shape, path = _kind(kind), self.path(product, kind)
        fresh = _typed(frame, shape, kind)
        with self.locked():
            known = self._read(path, shape)
            merged, change = _merge(known, fresh, shape, keep)
            # Where the exchange confirms what was known only the source changes.
            if change.added or change.changed or not merged["source"].equals(known["source"]):
                _write(merged, path)
        return change

    def _read(self, path: Path, shape: _Kind) -> pd.DataFrame:
        if not path.is_file():
            return _typed(pd.DataFrame(), shape, path.stem)
        from pyarrow import ArrowException

        try:
            frame = pd.read_parquet(path)
        except (ArrowException, ValueError, OSError) as error:
            raise DataError(
                f"{path}: the store's file cannot be read ({type(error).__name__}); take it away"
                " and pull or import its data again."
            ) from error
        return _typed(frame, shape, path.stem)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing, from what is read until what is written.

        `upsert` inside takes the same lock again, so that several of them go in together.

        Raises
        ------
        DataError
            The folder cannot be made or written.
        """
        from filelock import FileLock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = FileLock(self.folder / ".lock")
            with self._lock:
                yield
        except OSError as error:
            raise DataError(
                f"{self.folder} cannot be written ({error.strerror or error}); free it, or name"
                " another folder with --store."
            ) from error


def of_exchange(sources: pd.Series[Any]) -> pd.Series[Any]:
    """Tell of which bars the exchange's table brought, or confirmed, the settlement.

    Parameters
    ----------
    sources : pd.Series of str
        The column ``source`` of bars; "import si.csv + akshare gfex" names two.

    Returns
    -------
    pd.Series of bool
    """
    known = {word: any(_official(part) for part in word.split(" + ")) for word in set(sources)}
    return sources.map(known).astype(bool)


def _official(part: str) -> bool:
    return part.startswith(_EXCHANGE) and not part.endswith(_UNSETTLED)


def _kind(name: str) -> _Kind:
    if _MINUTES.fullmatch(name):
        return _INTRADAY
    if name not in _KINDS:
        raise DataError(
            f"'{name}' is no kind of data; known are {', '.join(_KINDS)} and bars_5m for bars of"
            f" five minutes.{did_you_mean(name, _KINDS)}"
        )
    return _KINDS[name]


def _typed(frame: pd.DataFrame, shape: _Kind, name: str) -> pd.DataFrame:
    """Return a table with exactly the kind's columns and types, in the order of its key."""
    strange = [str(column) for column in frame.columns if column not in shape.columns]
    if strange:
        raise DataError(
            f"The table of {name} has a column '{strange[0]}'; expected are"
            f" {', '.join(shape.columns)}.{did_you_mean(strange[0], shape.columns)}"
        )
    columns: dict[str, Any] = {}
    for column, kind in shape.columns.items():
        if column in frame.columns:
            cells: Any = frame[column].reset_index(drop=True)
            columns[column] = (cells.fillna("") if kind == _WORD else cells).astype(kind)
        else:
            blank: Any = "" if kind == _WORD else None
            columns[column] = pd.Series([blank] * len(frame), dtype=kind)
    table = pd.DataFrame(columns)
    key = list(shape.key)
    lacking = table[key].isna() | (table[key] == "")
    if lacking.to_numpy().any():
        row = int(lacking.any(axis=1).to_numpy().argmax())
        raise DataError(
            f"Row {row} of the table of {name} has no"
            f" {lacking.columns[lacking.iloc[row]][0]}; fill it in."
        )
    twice = table.duplicated(key)
    if twice.any():
        pair: Any = table.loc[twice, key].iloc[0]
        raise DataError(
            f"The table of {name} has two rows of {', '.join(_said(cell) for cell in pair)}; keep"
            " one of them."
        )
    return table.sort_values(key, ignore_index=True)


def _said(cell: Any) -> str:
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else str(cell)


def _merge(
    old: pd.DataFrame, new: pd.DataFrame, shape: _Kind, keep: str
) -> tuple[pd.DataFrame, Change]:
    """Return both tables as one, and what that changes in the old one."""
    if keep not in ("new", "old"):
        raise ValueError(f"keep is {keep!r}, expected 'new' or 'old'")
    key = list(shape.key)
    values = [column for column in shape.columns if column not in (*key, "source")]
    if shape.key[0] == "kind":  # `source` tells rows apart there
        values = ["asked_on"]
    # Row numbers of both on the union of keys; -1 where one lacks the row.
    both = old[key].assign(_old=range(len(old))).merge(
        new[key].assign(_new=range(len(new))), on=key, how="outer", sort=True
    )
    at = {side: both[f"_{side}"].fillna(-1).to_numpy(dtype="int64") for side in ("old", "new")}
    added = at["old"] < 0
    touched = pd.Series(added.copy())
    whole = pd.Series(at["new"] >= 0)  # rows that now say only what the new table says
    out: dict[str, Any] = {name: both[name].astype(_dtype(shape.columns[name])) for name in key}
    found = []
    for column in values:
        before, after = _take(old[column], at["old"]), _take(new[column], at["new"])
        stands, comes = _known(before), _known(after)
        differs = stands & comes & (before != after)
        use = comes & (~stands | (keep == "new"))
        out[column] = after.where(use, before)
        touched |= use & (~stands | differs)
        whole &= ~stands | (comes & (~differs | use))
        if keep == "new" and differs.any():
            rows = both.loc[differs, key].assign(
                column=column, before=before[differs], after=after[differs]
            )
            found.append(rows.astype({"before": object, "after": object}))
    if "source" not in key and "source" in shape.columns:
        ours, theirs = _take(old["source"], at["old"]), _take(new["source"], at["new"])
        renamed = touched.copy()
        joined = _both(ours, theirs)
        if "settle" in values:
            before, after = _take(old["settle"], at["old"]), _take(new["settle"], at["new"])
            stands, comes = _known(before), _known(after)
            lost = stands & comes & (before != after)
            first = ours.where(~(comes & (~stands | (lost & (keep == "new")))), _unsettled(ours))
            second = theirs.where(~(stands & (~comes | (lost & (keep == "old")))),
                                  _unsettled(theirs))
            joined = _both(first, second)
            if keep == "new":
                renamed |= stands & (before == after) & of_exchange(theirs) & ~of_exchange(ours)
        out["source"] = ours.where(~renamed, theirs.where(whole, joined))
    merged = pd.DataFrame({column: out[column] for column in shape.columns})
    changes = (
        pd.concat(found).sort_values(key, kind="stable", ignore_index=True)
        if found
        else pd.DataFrame(columns=[*key, "column", "before", "after"])
    )
    change = Change(
        added=int(added.sum()),
        changed=int((touched & ~added).sum()),
        same=int((at["new"] >= 0).sum() - touched.sum()),
        changes=changes,
    )
    return merged, change


def _take(column: pd.Series[Any], rows: Any) -> pd.Series[Any]:
    blank: pd.Series[Any] = pd.Series([""] if column.dtype == _WORD else [None], dtype=column.dtype)
    taken: pd.Series[Any] = pd.concat([column, blank], ignore_index=True).iloc[rows]
    return taken.reset_index(drop=True)


def _dtype(name: str) -> Any:
    return pd.api.types.pandas_dtype(name)


def _known(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.notna() & (column != "")


def _both(ours: pd.Series[Any], theirs: pd.Series[Any]) -> pd.Series[Any]:
    """Return the sources of rows that both tables have a part in."""
    pairs = zip(ours, theirs, strict=True)
    return pd.Series([_joined((*a.split(" + "), b)) for a, b in pairs], dtype=ours.dtype)


def _joined(parts: Iterable[str]) -> str:
    """Return each source once; with a settlement where it brought one at any time."""
    found = [part for part in dict.fromkeys(parts) if part]
    return " + ".join(part for part in found
                      if not (part.endswith(_UNSETTLED) and part.removesuffix(_UNSETTLED) in found))


def _unsettled(sources: pd.Series[Any]) -> pd.Series[Any]:
    """Return sources with those of the exchange marked: this settlement is not theirs."""
    return sources.map({word: " + ".join(
        part + _UNSETTLED if _official(part) else part for part in word.split(" + ")
    ) for word in set(sources)}).astype(sources.dtype)


def _write(table: pd.DataFrame, path: Path) -> None:
    """Put a table in place of a file: whole, or not at all."""
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.stem}-*"):  # of a process that died; we hold the lock
        left.unlink(missing_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            parquet.write_table(arrow, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
