"""Write a comparison to its folder: pages, figures, what differs, and what was compared."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from sibt import __version__
from sibt.language import EN, ZH, Language
from sibt.runs.comparison import FIGURES, Comparison
from sibt.runs.save import WRITING, place, write_json
from sibt.runs.workbook import write_csv

__all__ = ["comparison_tables", "save_comparison"]


def comparison_tables(comparison: Comparison, t: Language = EN) -> dict[str, pd.DataFrame]:
    """Return what is written as CSV files, by name.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    t : Language
        Language of the figures' labels; figures also keep their English names.

    Returns
    -------
    dict of str to pd.DataFrame
        ``metrics``, a row a figure: its name, its label, a column a run, and in ``best`` the
        letters of the best ones; ``differences``, a row a thing that differs, text.
    """
    names = {
        letter: f"{letter} {side.name}{' LOOKS AHEAD' if side.looks_ahead else ''}"
        f"{' SIMULATED' if side.simulated else ''}"
        for letter, side in zip(comparison.letters, comparison.sides, strict=True)
    }
    found = comparison.figures.rename(columns=names).reset_index()
    labels = {one.name: t(one.label) for one in FIGURES}
    found.insert(1, "label", found["figure"].map(labels))
    marks = comparison.best.to_numpy()
    found["best"] = [
        " ".join(k for k, mark in zip(comparison.letters, row, strict=True) if mark)
        for row in marks
    ]
    return {"metrics": found, "differences": comparison.differs.rename(columns=names)}


def save_comparison(
    comparison: Comparison,
    out: Path,
    *,
    command: str = "",
    pages: Mapping[str, Callable[[Comparison, Path], None]] | None = None,
    t: Language = EN,
) -> Path:
    """Write a comparison's folder; it appears whole or not at all. ``latest`` stays as it is.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    out : Path
        Folder of all runs, made where missing.
    command : str
        The command that made it, for the manifest.
    pages : mapping of file name to function
        What else to write, in this order, given the comparison and the path.
    t : Language
        Language of the tables' headers.

    Returns
    -------
    Path
        The folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{WRITING}{os.getpid()}-", dir=out))
    try:
        for name, table in comparison_tables(comparison, t).items():
            write_csv(table, work / f"{name}.csv", t)
        for name, write in (pages or {}).items():
            write(comparison, work / name)
        made = datetime.now(UTC).astimezone()
        record = {"made": made.isoformat(timespec="seconds"), **_manifest(comparison, command, t)}
        write_json(record, work / "manifest.json")
        work.chmod(0o755)
        return place(work, out, f"{made:%Y%m%d-%H%M%S}-compare")
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _manifest(comparison: Comparison, command: str, t: Language) -> dict[str, Any]:
    """Return what was compared, as `sibt.runs.load` and the list of runs read it."""
    sides = comparison.sides
    return {
        "kind": "comparison",
        "sibt": __version__,
        "command": command,
        "strategy": {"name": ", ".join(dict.fromkeys(side.strategy for side in sides))},
        "runs": [
            {
                "key": letter,
                "run": side.folder.resolve().name,
                "set": None if side.chosen is None else side.chosen.number,
                "what": comparison.labels[letter],
            }
            for letter, side in zip(comparison.letters, sides, strict=True)
        ],
        "data": {
            "source": "; ".join(dict.fromkeys(str(side.data["source"]) for side in sides)),
            "simulated": comparison.simulated,
            "sha256": _one({str(side.data["sha256"]) for side in sides}),
            "first": min(str(side.data["first"]) for side in sides),
            "last": max(str(side.data["last"]) for side in sides),
        },
        "lookahead": {"passed": not comparison.looks_ahead},
        "capital_base": comparison.base,
        "ranked": comparison.ranked(),
        "warnings": [str(sentence) for sentence in comparison.limits],
        "warnings_zh": [ZH(sentence) for sentence in comparison.limits],
        "language": t.name,
        "tables": {
            name: {
                str(column): "number" if table[column].dtype.kind == "f" else "text"
                for column in table
            }
            for name, table in comparison_tables(comparison, t).items()
        },
    }


def _one(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else ""
