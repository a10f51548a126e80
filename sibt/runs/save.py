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

import numpy as np
import pandas as pd

from sibt import __version__
from sibt.hedging.exposure import Schedule
from sibt.language import EN, ZH, Language
from sibt.lookahead.verdict import Verdict
from sibt.market.panel import Market
from sibt.runs import trials
from sibt.runs.latest import LATEST, point
from sibt.runs.run import Run
from sibt.runs.workbook import write_csv, write_workbook

__all__ = [
    "TABLES", "WRITING", "figures", "key_figures", "lookahead_of", "manifest", "place", "save",
    "schedule_of", "tables", "write_json",
]  # fmt: skip

#: How the folder of a run begins that is being written, before the number of the process.
WRITING = ".writing-"

#: Tables of a run, one CSV file each.
TABLES = ("fills", "statement", "positions", "unfilled", "round_trips")

_LIBRARIES = ("numpy", "pandas", "numba", "vectorbt", "quantstats", "exchange-calendars")


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """Return the run's tables by name, as they are written."""
    result = run.result
    found = {
        "fills": result.fills,
        "statement": result.statement.reset_index(),
        "statement_by_trade": result.by_trade.reset_index(),
        "attribution": result.attribution.reset_index(),
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
    if run.desk is not None:
        from sibt.runs import desk

        found |= desk.tables(run)
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
    if run.desk is not None:
        from sibt.runs import desk

        found["desk"] = desk.figures(run)
    if run.looks_ahead:
        found["looks_ahead"] = True
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
    found["diagnosis"] = {one.name: dict(one.figures) for one in run.diagnosis}
    return found


def key_figures(run: Run) -> dict[str, Any]:
    """Return the few figures a list of runs shows; None where nothing is known.

    Returns
    -------
    dict
        ``net``, ``max_drawdown_yuan``, ``peak_margin`` and ``fees`` in yuan;
        ``net_per_tonne`` and ``per_unit`` (net over the largest position, yuan per tonne and
        per unit); ``max_drawdown``, a share of zero or less; ``sharpe``; ``round_trips``. A
        hedge has ``hedged``, ``hedged_per_tonne`` and ``max_drawdown_hedged`` too: goods and
        futures together.
    """
    m, job = run.result.metrics, run.result.job
    lots = np.abs(run.result.booked["positions"][:, 0, :].sum(axis=1)).max(initial=0)
    units = float(lots) / abs(float(job.ratio[0]))
    found = {name: m[name] for name in ("net", "net_per_tonne")}
    found["per_unit"] = round(m["net"] / units, 2) if units else None
    found |= {name: m[name] for name in _KEY}
    if run.hedge is not None:
        names = ("hedged", "hedged_per_tonne", "max_drawdown_hedged")
        found |= {name: run.hedge.metrics[name] for name in names}
    return found


_KEY = ("max_drawdown", "max_drawdown_yuan", "peak_margin", "sharpe", "round_trips", "fees")

#: What a manifest keeps of the report an idea comes from.
_REPORT = ("title", "publisher", "date", "place", "quote")

#: What a manifest says of each diagnosis.
_PARTS = ("issue", "why", "cure")

#: Points of the little picture of a run's equity.
_SKETCH = 60


def _sketch(run: Run) -> list[int]:
    """Return what was earned until some of the sessions that count, yuan.

    At most 60 values from the eve of the first to the last, the highest and the lowest among
    them; of a hedge, goods and futures together.
    """
    first = run.result.returns.index[0] if len(run.result.returns) else None
    if run.hedge is not None:
        gain = run.hedge.table["hedged"].loc[first:].fillna(0.0)
        path = np.concatenate([[0.0], gain.to_numpy().cumsum()])
    else:
        s = run.result.statement
        eve = max(int(s.index.searchsorted(first)) - 1, 0) if first is not None else 0
        earned = s["equity"] - s["deposit"].cumsum() - run.result.job.account.capital
        path = earned.to_numpy()[eve:]
    even = np.linspace(0, len(path) - 1, min(_SKETCH - 2, len(path))).round().astype(int)
    kept = np.union1d(even, [path.argmin(), path.argmax()])
    return [round(float(value)) for value in path[kept]]


def manifest(
    run: Run,
    reconciled: float,
    command: str,
    seconds: Mapping[str, float],
    t: Language = EN,
) -> dict[str, Any]:
    """Return what is needed to know how a run was made, and to make it again.

    Parameters
    ----------
    run : Run
        The run.
    reconciled : float
        Largest difference between the two books, yuan.
    command : str
        The command that made it.
    seconds : mapping of str to float
        Time spent after the run itself.
    t : Language
        Language of the tables' headers.
    """
    result, market = run.result, run.market
    job = result.job
    source = run.path.read_bytes() if run.path.is_file() else b""
    report = run.strategy.source(run.params)
    warnings = run.warnings
    return {
        "kind": "run",
        "sibt": __version__,
        "command": command,
        "strategy": {
            "name": run.name,
            "file": run.path.name,
            "sha256": hashlib.sha256(source).hexdigest(),
            "known_from": run.strategy.known_from(run.params),
        },
        "report": None if report is None else {name: getattr(report, name) for name in _REPORT},
        "parameters": {k: _plain(v) for k, v in run.params.items()},
        "lookahead": lookahead_of(run.lookahead),
        "figures": key_figures(run),
        "sketch": _sketch(run),
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
            **({} if run.goods is None else {"goods": schedule_of(run.goods)}),
            **({} if run.deliveries is None else {"delivery": vars(run.deliveries.terms)}),
        },
        "largest_difference_between_books_yuan": round(reconciled, 6),
        "warnings": [str(sentence) for sentence in warnings],
        "warnings_zh": [ZH(sentence) for sentence in warnings],
        "diagnosis": [
            {
                "name": one.name,
                **{part: str(getattr(one, part)) for part in _PARTS},
                **{f"{part}_zh": ZH(getattr(one, part)) for part in _PARTS},
            }
            for one in run.diagnosis
        ],
        "language": t.name,
        "tables": {
            name: {str(column): _holds(table[column]) for column in table}
            for name, table in tables(run).items()
        },
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        "seconds": {**run.seconds, **seconds},
    }


def schedule_of(goods: Schedule) -> str:
    """Return what tells a schedule from another one."""
    known = "" if goods.known_from is None else f"{goods.known_from:%Y-%m-%d}"
    text = repr((goods.grade, known, goods.entries))
    return f"{goods.source}, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def lookahead_of(verdict: Verdict | None) -> dict[str, Any] | None:
    """Return a look-ahead check as it stands in a manifest; None where nobody asked."""
    if verdict is None:
        return None
    return {
        "passed": verdict.passed,
        "full": verdict.full,
        "verdict": str(verdict.sentence),
        "verdict_zh": ZH(verdict.sentence),
        "leaks": [
            {
                "check": leak.check,
                "sentence": str(leak.sentence),
                "sentence_zh": ZH(leak.sentence),
                "day": None if leak.day is None else f"{leak.day:%Y-%m-%d}",
                "seen": None if leak.seen is None else f"{leak.seen:%Y-%m-%d}",
                "contract": leak.contract,
                "input": leak.input,
            }
            for leak in verdict.leaks
        ],
        "tried": dict(verdict.tried),
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


def _holds(column: pd.Series[Any]) -> str:
    """Return what a column holds, for reading it back from a file without types."""
    return {"M": "day", "b": "flag", "i": "whole", "f": "number"}.get(column.dtype.kind, "text")


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
    t: Language = EN,
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
    t : Language
        Language of the headers of CSV files and sheets.

    Returns
    -------
    Path
        The run's folder.
    """
    began = time.perf_counter()
    reconciled = run.result.reconcile()
    seconds = {"second book": round(time.perf_counter() - began, 3)}
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{WRITING}{os.getpid()}-", dir=out))
    try:
        for name, table in tables(run).items():
            write_csv(table, work / f"{name}.csv", t)
        write_json(figures(run), work / "metrics.json")
        if run.path.is_file():
            shutil.copyfile(run.path, work / "strategy.py")
        if excel:
            write_workbook(figures(run), tables(run), work / "run.xlsx", t)
        for name, write in (pages or {}).items():
            began = time.perf_counter()
            write(run, work / name)
            seconds[name] = round(time.perf_counter() - began, 3)
        made = datetime.now(UTC).astimezone()
        record = {
            "made": made.isoformat(timespec="seconds"),
            **manifest(run, reconciled, command, seconds, t),
        }
        write_json(record, work / "manifest.json")
        work.chmod(0o755)
        folder = place(work, out, f"{made:%Y%m%d-%H%M%S}-{run.name}")
        trials.add(out, run.market, run.name, 1, _look(record))
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    point(out / LATEST, folder)
    return folder


def _look(record: Mapping[str, Any]) -> str:
    """Return what makes two runs one and the same look at the data."""
    same = {name: record[name] for name in ("strategy", "parameters", "data", "settings")}
    text = json.dumps(same, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place(work: Path, out: Path, name: str) -> Path:
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


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON that people can read too."""
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
