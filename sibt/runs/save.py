"""Write a run to its folder: tables people open in Excel, figures, and how it was made."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from sibt import __version__
from sibt.market.panel import Market
from sibt.runs import trials
from sibt.runs.run import Run

__all__ = ["TABLES", "figures", "manifest", "point", "save", "tables"]

#: Tables of a run, one CSV file each.
TABLES = ("fills", "statement", "positions", "unfilled", "round_trips")

_LIBRARIES = ("numpy", "pandas", "numba", "vectorbt", "quantstats", "exchange-calendars")


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """Return the run's tables by name, as they are written."""
    result = run.result
    found = {
        "fills": result.fills,
        "statement": result.statement.reset_index(),
        "positions": result.positions,
        "unfilled": result.unfilled,
        "round_trips": result.round_trips,
        "by_leg": result.by_leg.reset_index(),
        "comparisons": run.comparisons,
    }
    if run.few_days is not None:
        found["entry_days"] = run.few_days.rename_axis("decision").reset_index()
    if run.hedge is not None:
        found["hedge"] = run.hedge.table.round(6).reset_index()
    if run.market.provenance.simulated:
        # Tables travel without their folder.
        found = {name: table.assign(data="SIMULATED") for name, table in found.items()}
    return found


def figures(run: Run) -> dict[str, Any]:
    """Return all figures of the run as they stand in ``metrics.json``."""
    found: dict[str, Any] = {}
    if run.market.provenance.simulated:
        found["data"] = "SIMULATED"
    if run.hedge is not None:
        found["hedge"] = run.hedge.metrics
    found["futures"] = run.result.metrics
    found["by_leg"] = run.result.by_leg.round(2).to_dict("index")
    found["excess_over_control_per_tonne"] = (
        None if run.excess is None else round(run.excess, 4)
    )
    days = run.few_days
    if days is not None:
        found["entry_day"] = {
            "rank": int(days.loc[days["chosen"], "rank"].iloc[0]) if days["chosen"].any() else None,
            "of": len(days),
            "best": float(days["net"].max()),
            "median": float(days["net"].median()),
            "worst": float(days["net"].min()),
        }
    return found


def manifest(
    run: Run, reconciled: float, command: str, seconds: Mapping[str, float]
) -> dict[str, Any]:
    """Return what is needed to know how a run was made, and to make it again."""
    result, market = run.result, run.market
    job = result.job
    source = run.path.read_bytes() if run.path.is_file() else b""
    return {
        "sibt": __version__,
        "command": command,
        "strategy": {
            "name": run.name,
            "file": run.path.name,
            "sha256": hashlib.sha256(source).hexdigest(),
            "known_from": run.strategy.known_from(run.params),
        },
        "parameters": {k: _plain(v) for k, v in run.params.items()},
        "data": {
            **data_of(market),
            "contracts": len(market.contracts),
            "terms": len(market.terms),
            "findings": [finding.record for finding in run.findings],
        },
        "settings": {
            "account": vars(job.account),
            "execution": vars(job.execution),
            "terms": {k: _plain(v) for k, v in job.replaced.items()},
            "from": run.window[0],
            "to": run.window[1],
        },
        "largest_difference_between_books_yuan": round(reconciled, 6),
        "warnings": [*result.warnings, *run.notes],
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        "seconds": {**run.seconds, **seconds},
    }


def data_of(market: Market) -> dict[str, Any]:
    """Return what tells a market from another one, as it stands in a manifest."""
    return {
        "source": market.provenance.source,
        "simulated": market.provenance.simulated,
        "sha256": market.digest,
        "settle_from": market.provenance.settle_from,
        "first": f"{market.sessions[0]:%Y-%m-%d}",
        "last": f"{market.sessions[-1]:%Y-%m-%d}",
    }


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Series):
        return {f"{k:%Y-%m-%d}": float(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def save(
    run: Run,
    out: Path,
    *,
    command: str = "",
    excel: bool = False,
    pages: Mapping[str, Callable[[Run, Path], None]] | None = None,
) -> Path:
    """Write a run's folder and point ``latest`` at it.

    The folder appears whole or not at all.

    Parameters
    ----------
    run : Run
        The run.
    out : Path
        Folder of all runs, made where missing.
    command : str
        The command that made it, for the manifest.
    excel : bool
        Also write ``run.xlsx``, one sheet a table; needs openpyxl.
    pages : mapping of file name to function
        What else to write, given the run and the path.

    Returns
    -------
    Path
        The run's folder.
    """
    began = time.perf_counter()
    reconciled = run.result.reconcile()
    seconds = {"second book": round(time.perf_counter() - began, 3)}
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=out))
    try:
        for name, table in tables(run).items():
            _csv(table, work / f"{name}.csv")
        _json(figures(run), work / "metrics.json")
        if run.path.is_file():
            shutil.copyfile(run.path, work / "strategy.py")
        if excel:
            _excel(run, work / "run.xlsx")
        for name, write in (pages or {}).items():
            began = time.perf_counter()
            write(run, work / name)
            seconds[name] = round(time.perf_counter() - began, 3)
        made = datetime.now(UTC).astimezone()
        record = {
            "made": made.isoformat(timespec="seconds"),
            **manifest(run, reconciled, command, seconds),
        }
        _json(record, work / "manifest.json")
        work.chmod(0o755)
        folder = _place(work, out, f"{made:%Y%m%d-%H%M%S}-{run.name}")
        trials.add(out, run.market, run.name, 1, _look(record))
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    point(out / "latest", folder)
    return folder


def _look(record: Mapping[str, Any]) -> str:
    """Return what makes two runs one and the same look at the data."""
    same = {name: record[name] for name in ("strategy", "parameters", "data", "settings")}
    text = json.dumps(same, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _place(work: Path, out: Path, name: str) -> Path:
    """Move the finished folder to the first free name."""
    number = 1
    while True:
        folder = out / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            try:
                os.rename(work, folder)
            except OSError:
                if not folder.exists():
                    raise
            else:
                return folder
        number += 1


def point(link: Path, folder: Path) -> None:
    """Let `latest` lead to the folder: a link, or its name in a file where links fail."""
    fresh = link.with_name(f".latest-{os.getpid()}")
    try:
        fresh.symlink_to(folder.name)
    except OSError:
        fresh.write_text(folder.name + "\n", encoding="utf-8")
    os.replace(fresh, link)


def _csv(table: pd.DataFrame, path: Path) -> None:
    # The mark at the start tells Excel that the file is UTF-8.
    table.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n",
                 date_format="%Y-%m-%d")


def _json(content: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _excel(run: Run, path: Path) -> None:
    with pd.ExcelWriter(path, engine="openpyxl", datetime_format="yyyy-mm-dd") as book:
        flat = pd.json_normalize(figures(run), sep=".").T.reset_index()
        flat.columns = pd.Index(["figure", "value"])
        flat.to_excel(book, sheet_name="figures", index=False)
        for name, table in tables(run).items():
            table.to_excel(book, sheet_name=name, index=False)
