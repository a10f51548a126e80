"""Every row of a market's files that cannot be right, and what the rest of them shows.

Reading ends at the first bad row; checking goes on: it takes the bad rows out, remembers them
and builds the market of what is left. The rules themselves stand where markets are built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sibt.errors import DataError, RowsError
from sibt.market.findings import Finding, findings, minutes, ordered
from sibt.market.panel import Market
from sibt.market.product import products
from sibt.market.table import match_header
from sibt.sources import files, found
from sibt.sources.files import Parts, open_parts
from sibt.sources.shipped import shipped
from sibt.sources.store import DEFAULT, Store

__all__ = ["Checked", "check", "places"]

#: What a complaint about rows is called; the first that matches its sentence.
_NAMES = (
    (r"no multiple of the tick", "off tick"),
    (r"before it was listed|after its last trading day", "beyond life"),
    (r"is no trading day|beyond the calendar", "no session"),
    (r"continuous series", "continuous"),
    (r"is no contract|no bars of", "unknown contract"),
    (r"given already in", "given twice"),
    (r"no count of lots", "lots"),
    (r"not above zero", "not a price"),
    (r"is (?:below|above) the (?:low|high)", "contradiction"),
    (r"no number|infinite|is blank|no date", "unreadable"),
    (r"published on", "published early"),
    (r"cannot be$|is no term", "terms"),
)
#: More subjects than this are told as one finding.
_MANY = 12


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    source : str
        Where the data come from.
    simulated : bool
        True for made-up data.
    findings : tuple of Finding
        The gravest first.
    market : Market or None
        What is left without the rows that cannot be right; None where nothing is.
    """

    source: str
    simulated: bool
    findings: tuple[Finding, ...]
    market: Market | None

    @property
    def wrong(self) -> int:
        """Number of findings a run must not rest on."""
        return sum(finding.severity == "wrong" for finding in self.findings)


def places(source: str | Path | None = None) -> list[Path | None]:
    """Return the markets to check, the one a run would take first: of a store each product's.

    None is the sample.
    """
    store = Store(DEFAULT if source is None else source)
    there = store.products() if source != "sample" else ()
    names = sorted(there, key=lambda name: (name != "si", name))
    return [store.market(name) for name in names] or [found(source)]


def check(path: str | Path | None = None, settle_from: str | None = None) -> Checked:
    """Return what is wrong or odd in a market's files.

    Parameters
    ----------
    path : str or Path, optional
        A folder or a file of bars; None for the sample.
    settle_from : {"close"}, optional
        Let the close stand in where a bar has no settlement.

    Raises
    ------
    DataError
        There is no such file or folder.
    """
    folder = shipped("sample") if path is None else Path(path)
    name = "sample" if path is None else str(path)
    faults: list[DataError] = []
    try:
        parts = open_parts(folder, source=name, faults=faults)
    except DataError as error:
        if not folder.exists():
            raise
        said = [_unread(fault) for fault in (*faults, error)]
        return Checked(name, files.is_simulated(folder), tuple(ordered(said)), None)
    said = [_unread(fault) for fault in faults]
    market, refused, left_out = _built(parts, settle_from)
    said += refused
    if market is not None:
        said += findings(market, listed=_listed(folder), left_out=left_out)
        said += _minutes(folder, market)
        said += [_note(note) for note in market.provenance.notes]
    return Checked(name, parts.simulated, tuple(ordered(said)), market)


def _built(
    parts: Parts, settle_from: str | None
) -> tuple[Market | None, list[Finding], list[tuple[str, pd.Timestamp]]]:
    """Return the market without its bad rows, findings of those, and the bars left out."""
    said: list[Finding] = []
    left_out: list[tuple[str, pd.Timestamp]] = []
    while "bars" in parts.tables:
        try:
            return parts.build(settle_from), said, left_out
        except RowsError as error:
            said += _refused(parts, error)
            if error.table == "bars":
                left_out += _bars(parts, error.rows)
            parts = parts.without(error.table, error.rows)
        except DataError as error:
            said.append(_unread(error))
            parts = parts.without(_blamed(parts, error))
    return None, said, left_out


def _refused(parts: Parts, error: RowsError) -> list[Finding]:
    """Return a finding for each contract, grade or table of the rows refused."""
    rows = np.array(error.rows)
    days = _cells(parts, error.table, "from" if error.table == "terms" else "date", rows)
    stamps = pd.to_datetime(days, errors="coerce", format="mixed")
    names = _cells(parts, error.table, "contract", rows).str.strip().str.lower()
    if error.table == "spot":
        names = "spot " + _cells(parts, "spot", "grade", rows)
    names = names.where(names != "", error.table)
    groups = names if names.nunique() <= _MANY else pd.Series([error.table] * len(rows))
    sentence = error.what(error.rows[0])
    check = next((name for words, name in _NAMES if re.search(words, sentence)), "row")
    said = []
    for subject, at in groups.groupby(groups, sort=False).groups.items():
        known = stamps[at].dropna()
        row = int(rows[at[0]])
        said.append(
            Finding(
                "wrong", check, str(subject),
                known.min() if len(known) else None,
                known.max() if len(known) else None,
                len(at),
                f"{error.place(row)}, column '{error.column}': {error.what(row)}",
                error.cure,
            )
        )
    return said


def _bars(parts: Parts, rows: Iterable[int]) -> list[tuple[str, pd.Timestamp]]:
    """Return contract and day of bars, as far as they can be made out."""
    at = np.array(list(rows))
    codes = _cells(parts, "bars", "contract", at).str.strip().str.lower()
    days = pd.to_datetime(_cells(parts, "bars", "date", at), errors="coerce", format="mixed")
    return [(code, day) for code, day in zip(codes, days, strict=True) if not pd.isna(day)]


def _cells(parts: Parts, name: str, column: str, rows: np.ndarray | slice) -> pd.Series[str]:
    """Return cells of a table as text, empty where it has no such column."""
    frame = files.flat(parts.tables[name].frame)
    schema = files.SCHEMAS[name]
    if column not in schema.columns:
        return pd.Series([""] * len(frame.iloc[rows]), dtype=object)
    at = match_header(frame.columns, schema, name).get(column)
    if at is None:
        return pd.Series([""] * len(frame.iloc[rows]), dtype=object)
    cells = frame.iloc[rows, at].astype(object).reset_index(drop=True)
    return cells.where(cells.notna(), "").map(str).astype(object)


def _blamed(parts: Parts, error: DataError) -> str:
    """Return the table an error without rows speaks of: the one whose file it names."""
    for name, part in parts.tables.items():
        if any(str(error).startswith(file) for file in part.origin.files):
            return name
    return "bars"


def _unread(error: DataError) -> Finding:
    what, _, cure = str(error).rstrip(".").partition("; ")
    return Finding("wrong", "file", "files", None, None, 1, what, cure or "mend the file")


def _listed(folder: Path) -> pd.DataFrame | None:
    """Return the exchange's list of contracts, where the folder is a store's and holds one."""
    if folder.name not in products():
        return None
    store = Store(folder.parent)
    there = store.path(folder.name, "contracts").is_file()
    return store.read(folder.name, "contracts") if there else None


def _minutes(folder: Path, market: Market) -> list[Finding]:
    """Return what a store's bars finer than a day show beside the daily ones."""
    if folder.name not in products():
        return []
    store, said = Store(folder.parent), []
    for file in sorted(folder.glob("bars_*m.parquet")):
        try:
            said += minutes(market, store.read(folder.name, file.stem), file.stem[5:])
        except DataError as error:
            said.append(_unread(error))
    return said


def _note(note: str) -> Finding:
    return Finding("evidence", "note", "files", None, None, 1, note, "")
