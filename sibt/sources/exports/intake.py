"""What imported files would do to the store, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sibt.errors import DataError
from sibt.market import calendar, intraday, quotes
from sibt.market.bars import build
from sibt.market.panel import FIELDS
from sibt.market.product import product
from sibt.market.table import Origin
from sibt.sources.exports.export import Export
from sibt.sources.store import Change, Store

__all__ = ["Agreement", "Step", "plan", "take"]

_KEYS = {
    "bars": ("date", "contract"),
    "spot": ("date", "grade"),
    "receipts": ("date",),
    "series": ("name", "date", "published_on"),
}


@dataclass(frozen=True, eq=False)
class Agreement:
    """How daily bars added up from finer ones compare with the daily bars that are known.

    Attributes
    ----------
    agree : int
        Sessions of which both closes are known and the same.
    differ : pd.DataFrame
        The others: date, contract, close, daily; yuan per tonne.
    alone : int
        Complete sessions of which no daily close is known.
    incomplete : tuple of (str, pd.Timestamp, str)
        Contract, session and why it was left out.
    refused : tuple of (str, pd.Timestamp)
        Sessions whose known daily prices contradict the finer bars.
    """

    agree: int
    differ: pd.DataFrame
    alone: int
    incomplete: tuple[tuple[str, pd.Timestamp, str], ...]
    refused: tuple[tuple[str, pd.Timestamp], ...]


@dataclass(frozen=True, eq=False)
class Step:
    """One table on its way into one file of the store.

    Attributes
    ----------
    product, kind : str
        Which file.
    frame : pd.DataFrame
        What goes in.
    keep : {"new", "old"}
        As `Store.upsert` takes it.
    change : Change
        What it would do.
    agreement : Agreement or None
        For daily bars that were added up from finer ones.
    """

    product: str
    kind: str
    frame: pd.DataFrame
    keep: str
    change: Change
    agreement: Agreement | None = None


def plan(exports: Sequence[Export], store: Store) -> list[Step]:
    """Return what importing would do, checked together with what the store holds.

    Bars finer than a day also fill in daily bars, where those are unknown and as far as the
    two do not contradict each other; never the settlement.

    Raises
    ------
    DataError
        Two files that contradict each other, or a row that cannot be right once it is joined
        to what the store knows.
    """
    steps = []
    merged: dict[tuple[str, str], pd.DataFrame] = {}
    wanted = sorted({(name, each.kind) for each in exports for name in each.tables})
    for name, kind in wanted:
        frame = _join(exports, name, kind)
        steps.append(Step(name, kind, frame, "new", store.preview(name, kind, frame)))
        if kind in _KEYS:
            merged[name, kind] = _with_known(store, name, kind, frame)
    for name, kind in wanted:
        if not kind.startswith("bars_"):
            continue
        frame = next(step.frame for step in steps if (step.product, step.kind) == (name, kind))
        known = merged.get((name, "bars"))
        filled, agreement = _fill(
            frame, store.read(name, "bars") if known is None else known, name,
            kind.removeprefix("bars_"),
        )
        if known is not None:
            filled = _unknown(filled, known)
        change = store.preview(name, "bars", filled, keep="old")
        steps.append(Step(name, "bars", filled, "old", change, agreement))
    return steps


def _unknown(filled: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return only the cells that daily bars of the same import do not bring."""
    keys = ["date", "contract"]
    cells = [column for column in FIELDS if column in filled.columns]
    there = filled[keys].merge(known, on=keys, how="left")
    left = filled.assign(**{name: filled[name].where(there[name].isna()) for name in cells})
    return left[left[cells].notna().any(axis=1)].reset_index(drop=True)


def take(steps: Sequence[Step], store: Store) -> list[Change]:
    """Write a plan into the store.

    Raises
    ------
    DataError
        The store cannot be written.
    """
    return [
        store.upsert(step.product, step.kind, step.frame, keep=step.keep)
        for step in steps if len(step.frame)
    ]


def _join(exports: Sequence[Export], name: str, kind: str) -> pd.DataFrame:
    """Return the tables of one kind as one; files may overlap, but not contradict each other."""
    parts = [each for each in exports if each.kind == kind and name in each.tables]
    frame = pd.concat([each.tables[name] for each in parts], ignore_index=True)
    if len(parts) == 1:
        return frame
    origin = Origin.join([each.origins[name] for each in parts])
    keys = list(_KEYS.get(kind, ("time", "contract")))
    again = frame.duplicated(keys, keep=False)
    if not again.any():
        return frame
    twice = frame[again]
    for column in frame.columns.difference([*keys, "source"]):
        cells = twice[column].mask(twice[column] == "") if column == "unit" else twice[column]
        kinds = cells.groupby([twice[key] for key in keys]).transform("nunique")
        bad = twice.index[kinds > 1]
        if len(bad):
            mine = (frame[keys] == frame.loc[bad[0], keys]).all(axis=1) & frame[column].notna()
            rows = list(frame.index[mine])
            first = rows[0]
            other = next(row for row in rows if frame[column][row] != frame[column][first])
            said = " ".join(_shown(frame[key][first]) for key in keys)
            raise DataError(
                f"{origin.place(first)} gives the {column} of {said} as"
                f" {_shown(frame[column][first])} and {origin.place(other)} as"
                f" {_shown(frame[column][other])}; import only the one that is right."
            )
    return frame.groupby(keys, sort=False, as_index=False).first()[list(frame.columns)]


def _shown(cell: Any) -> str:
    if isinstance(cell, pd.Timestamp):
        return f"{cell:%Y-%m-%d}" if cell == cell.normalize() else f"{cell:%Y-%m-%d %H:%M}"
    return f"{cell:,.10g}" if isinstance(cell, float) else str(cell)


def _with_known(store: Store, name: str, kind: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the store's table as it would become, or refuse what would not fit into it."""
    keys = list(_KEYS[kind])
    known = store.read(name, kind)
    if not len(known):
        return frame
    new = frame.set_index(keys)
    merged = new.combine_first(known.set_index(keys)).reset_index()[list(frame.columns)]
    touched = merged.set_index(keys).index.isin(new.index)
    rows = merged if kind == "series" else merged[touched].reset_index(drop=True)
    try:
        if kind == "bars":
            build(rows.drop(columns="source"))
        elif kind == "series":
            quotes.series(rows.drop(columns="source"), calendar.sessions(), [])
    except DataError as error:
        said = str(error).partition(": ")[2].rstrip(".")
        raise DataError(
            f"{store.path(name, kind)}: joined to what the store knows, {said}; the files may give"
            " only part of a row: import all of its cells."
        ) from None
    return merged


def _fill(
    frame: pd.DataFrame, known: pd.DataFrame, name: str, length: str
) -> tuple[pd.DataFrame, Agreement]:
    """Return what finer bars tell of daily ones, and how the two agree."""
    total = intraday.daily(frame, product(name))
    incomplete = tuple(total.attrs["incomplete"])
    both = intraday.closes(total, known)
    differ = both[both["close"] != both["daily"]].reset_index(drop=True)
    keys = ["date", "contract"]
    wrong = pd.MultiIndex.from_frame(differ[keys])
    index = pd.MultiIndex.from_frame(total[keys])
    total = total[~index.isin(wrong)].reset_index(drop=True)
    joined = total[keys].merge(known, on=keys, how="left")
    columns = [column for column in FIELDS if column in total.columns]
    whole = joined[columns].where(joined[columns].notna(), total[columns])
    bad = whole["high"] < whole["low"]
    for price in ("open", "close"):
        bad |= (whole[price] > whole["high"]) | (whole[price] < whole["low"])
    refused = tuple(zip(total["contract"][bad], total["date"][bad], strict=True))
    total = total[~bad].reset_index(drop=True)
    source = frame["source"].groupby([frame["contract"], frame["date"]]).first()
    own = source.reindex(pd.MultiIndex.from_frame(total[["contract", "date"]]))
    total["source"] = own.astype(str).to_numpy() + f" {length}"
    agreement = Agreement(
        agree=len(both) - len(differ),
        differ=differ,
        alone=len(joined) - (len(both) - len(differ)),
        incomplete=incomplete,
        refused=refused,
    )
    return total[[*keys, *columns, "source"]], agreement
