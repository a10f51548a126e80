"""All runs of a folder, from their manifests alone; what is no run is named, never fatal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.language import Sentence, said
from sibt.runs.load import MANIFEST, looks_ahead, read_manifest

__all__ = ["PAGES", "SORTS", "Row", "catalogue", "chosen", "ordered"]

#: Pages of a folder: the first there is opens it.
PAGES = ("index.html", "sweep.html", "tearsheet.html")

#: What `sibt` itself puts beside the runs: plotly's script, pages of claims and of a market.
_OURS = {"assets", "claims", "market"}
_OUR_FILES = {"index.html", "latest", "trials.jsonl"}


@dataclass(frozen=True, slots=True)
class Row:
    """What a list says of a run, a sweep or a comparison.

    Attributes
    ----------
    name : str
        Name of its folder.
    folder : Path
        The folder.
    kind : {"run", "sweep", "comparison"}
        What it is.
    made : datetime
        When it was made, with its time zone.
    strategy : str
        Name of the strategy; of a comparison, those of its runs, with commas.
    source, sha256 : str
        The data, and their hash; "" where the manifest knows none.
    first, last : str
        First and last session of the data.
    simulated : bool
        True where any of the data are made up.
    figures : mapping
        See `sibt.runs.save.headline`; a figure that is not known is missing or None. Of a
        hedge, ``net``, ``net_per_tonne`` and ``max_drawdown`` are those of goods and futures
        together.
    sketch : list of int
        What was earned until some of the sessions, yuan.
    note : str
        What stands in the place of figures, such as the verdict on a sweep.
    looks_ahead : bool
        True where a strategy was caught looking ahead: its figures prove nothing.
    """

    name: str
    folder: Path
    kind: str
    made: datetime
    strategy: str
    source: str
    sha256: str
    first: str
    last: str
    simulated: bool
    figures: Mapping[str, Any] = field(repr=False)
    sketch: list[float] = field(repr=False)
    note: str
    looks_ahead: bool = False

    @property
    def page(self) -> str | None:
        """Name of the folder's page; None where it has none."""
        return next((name for name in PAGES if (self.folder / name).is_file()), None)


def catalogue(out: Path) -> tuple[list[Row], list[Sentence]]:
    """Return what lies in a folder of runs, newest first, and what there is no run.

    One small file is read of each.

    Parameters
    ----------
    out : Path
        Folder of all runs.

    Returns
    -------
    tuple of list of Row and list of Sentence
        The rows, and a warning that names each folder or file which cannot be listed.

    Raises
    ------
    SettingError
        `out` cannot be read.
    """
    rows: list[Row] = []
    warnings: list[Sentence] = []
    for entry in _entries(out):
        if entry.name[0] == "." or entry.name in _OUR_FILES:
            continue
        try:
            if not entry.is_dir():
                raise DataError(said("{path} is no folder; keep it elsewhere.", path=entry.path))
            if entry.name in _OURS and not os.path.exists(os.path.join(entry.path, MANIFEST)):
                continue
            rows.append(_row(Path(entry.path)))
        except (DataError, OSError, RuntimeError) as error:
            warnings.append(_warning(Path(entry.path), error))
    rows.sort(key=lambda row: (row.made, row.name), reverse=True)
    return rows, warnings


def _entries(out: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(out) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be read: {error.strerror}; give the folder of your runs."
        ) from None


def _warning(path: Path, error: Exception) -> Sentence:
    if isinstance(error, DataError):
        if (path / "plan.json").is_file() and not (path / MANIFEST).exists():
            return said(
                "{path} is a sweep that is not finished; go on with sibt sweep --resume {path}.",
                path=str(path),
            )
        told: Sentence = error.args[0]
        return told
    why = getattr(error, "strerror", None) or str(error)
    return said("{path} cannot be read: {why}; mend its rights, or take its folder away.",
                path=str(path), why=why)  # fmt: skip


def _row(folder: Path) -> Row:
    found = read_manifest(folder)
    data = found.get("data") or {}
    try:
        made = datetime.fromisoformat(found["made"])
        return Row(
            name=folder.name,
            folder=folder,
            kind=found["kind"],
            made=made if made.tzinfo else made.replace(tzinfo=UTC),
            strategy=str((found.get("strategy") or {}).get("name", "")),
            source=str(data.get("source", "")),
            sha256=str(data.get("sha256", "")),
            first=str(data.get("first", "")),
            last=str(data.get("last", "")),
            simulated=bool(data.get("simulated", False)),
            figures=_figures(found.get("figures") or {}),
            sketch=[_number(value) for value in found.get("sketch") or ()],
            note=_note(found),
            looks_ahead=looks_ahead(found),
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        raise DataError(said(
            "{path} was not written by sibt; move it out of the runs.", path=str(folder)
        )) from None  # fmt: skip


def _figures(given: Mapping[str, Any]) -> dict[str, float | None]:
    figures = {n: None if value is None else _number(value) for n, value in given.items()}
    if "hedged" in figures:
        figures["net"], figures["net_per_tonne"] = figures["hedged"], figures["hedged_per_tonne"]
        figures["max_drawdown"] = figures["max_drawdown_hedged"]
    return figures


def _number(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no figure")
    return float(value)


def _note(found: Mapping[str, Any]) -> str:
    if found["kind"] == "sweep":
        if "verdict" in found:
            return str(found["verdict"])
        return said("{booked:,} sets", booked=int(found["sets"]["booked"]))
    if found["kind"] == "comparison":
        return said("{count} runs side by side", count=len(found.get("runs", ())))
    return ""


def chosen(
    rows: Iterable[Row],
    *,
    kind: str | None = None,
    strategy: str | None = None,
    data: str | None = None,
    simulated: bool | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Row]:
    """Return the rows that meet all that is asked.

    Parameters
    ----------
    rows : iterable of Row
        What to choose from.
    kind, strategy : str, optional
        The kind, and the strategy's name.
    data : str, optional
        Part of the data's source, or the beginning of their hash.
    simulated : bool, optional
        Made-up data only, or real data only.
    since, until : date, optional
        Days they were made on, both included, as the clock stood where they were made.

    Raises
    ------
    SettingError
        No row is of this strategy, or on such data.
    """
    found = list(rows)
    if strategy is not None:
        names = {name for row in found for name in _strategies(row)}
        if names and strategy not in names:
            raise SettingError(
                f"There is no run of '{strategy}'; strategies are {', '.join(sorted(names))}."
                f"{did_you_mean(strategy, names)}"
            )
        found = [row for row in found if strategy in _strategies(row)]
    if data is not None:
        word = data.lower()
        sources = {row.source for row in found} - {""}
        found = [row for row in found
                 if word in row.source.lower() or row.sha256.startswith(word)]  # fmt: skip
        if sources and not found:
            raise SettingError(
                f"There is no run on data like '{data}'; data are {', '.join(sorted(sources)[:5])}."
                f"{did_you_mean(data, sources)}"
            )
    return [
        row
        for row in found
        if (kind is None or row.kind == kind)
        and (simulated is None or row.simulated == simulated)
        and (since is None or row.made.date() >= since)
        and (until is None or row.made.date() <= until)
    ]


def _strategies(row: Row) -> list[str]:
    return row.strategy.split(", ") if row.strategy else []


#: Orders of a list by name: what is compared, and whether the largest stands first.
SORTS: Mapping[str, tuple[Callable[[Row], Any], bool]] = {
    "made": (lambda row: row.made, True),
    "strategy": (lambda row: row.strategy or None, False),
    "data": (lambda row: row.source or None, False),
    "net": (lambda row: row.figures.get("net"), True),
    "per-tonne": (lambda row: row.figures.get("net_per_tonne"), True),
    # A share of zero or less: the shallowest stands first.
    "drawdown": (lambda row: row.figures.get("max_drawdown"), True),
    "margin": (lambda row: row.figures.get("peak_margin"), True),
    "sharpe": (lambda row: row.figures.get("sharpe"), True),
    "trips": (lambda row: row.figures.get("round_trips"), True),
}


def ordered(rows: Iterable[Row], by: str) -> list[Row]:
    """Return the rows by one of `SORTS`; what is not known stands last, equals stay in order."""
    key, largest_first = SORTS[by]
    known: list[Row] = []
    unknown: list[Row] = []
    for row in rows:
        (unknown if key(row) is None else known).append(row)
    return [*sorted(known, key=key, reverse=largest_first), *unknown]
