"""The end of a sweep: pieces become one table, and the best set is weighed."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.books import TOLERANCE
from sibt.errors import LedgerError, StrategyError
from sibt.runs import trials
from sibt.runs.save import lookahead_of
from sibt.sweep.chunk import MONEY
from sibt.sweep.evidence import best_first, evidence
from sibt.sweep.forward import table as walk_table

if TYPE_CHECKING:
    from sibt.sweep.sweep import Plan, Sweep

__all__ = ["CHECKED", "finish"]

#: Sets that are booked again, one by one and in both books.
CHECKED = 16

_LIBRARIES = ("numpy", "pandas", "numba", "vectorbt", "pyarrow")

#: What the two ways of booking a set must agree on: money to the fen, counts exactly.
_SAME = (*MONEY, "round_trips", "open_trips", "won", "margin_calls", "unfilled_orders")


def finish(
    laid: Plan,
    folder: Path,
    out: Path,
    command: str,
    seconds: float,
    pages: Mapping[str, Callable[[Sweep, Path], None]],
) -> None:
    """Put the pieces of a sweep together, weigh its best set and write what there is to say.

    Writes ``sets.parquet``, ``top.csv``, ``evidence.json``, the pages and, last of all,
    ``manifest.json``; takes the pieces away.

    Raises
    ------
    LedgerError
        A set booked again by itself comes to something else.
    StrategyError
        No set could be booked.
    """
    names = [f"{number:06d}" for number in range(laid.grid.block_count())]
    columns = _gather(folder, names, laid.metric)
    booked = np.flatnonzero(columns["reason"].to_numpy() == "")
    if not len(booked):
        first = columns["reason"].iloc[0] if len(columns) else "no set meets --where"
        raise StrategyError(f"None of the sets could be booked: {first.rstrip('.')}.")
    metric = laid.metric or _metric(columns)
    checked = _check(laid, folder, columns["set"].to_numpy()[booked])
    key = hashlib.sha256(json.dumps(laid.record, sort_keys=True).encode()).hexdigest()[:16]
    others = trials.count(out, laid.task.market, key)
    first = int(columns["set"].iloc[best_first(columns, metric)[0]])
    best = _rows(folder, [first]).iloc[0]
    found = evidence(laid, columns, _parts(folder, names), metric, others, best)
    trials.add(out, laid.task.market, laid.task.path.stem, len(booked), key, kind="sweep")
    _write(found, folder / "evidence.json")
    tables = {"top": _top(folder, columns, metric)}
    if found["walk"] is not None:
        tables["walk"] = walk_table(found["walk"])
    for name, each in tables.items():
        if laid.task.market.provenance.simulated:
            each["data"] = "SIMULATED"
        each.to_csv(
            folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\n"
        )
    refused = columns.loc[columns["reason"] != "", "reason"].astype(str).value_counts()
    _write(
        {
            "made": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            "kind": "sweep",
            "verdict": found["verdict"],
            "command": command,
            **laid.record,
            "lookahead": lookahead_of(laid.lookahead),
            "metric": metric,
            "engine": {"name": laid.record["settings"]["engine"], "note": laid.task.note},
            "sets": {
                "grid": laid.grid.size,
                "looked_at": len(columns),
                "left_out_by_where": laid.grid.count - len(columns),
                "booked": len(booked),
                "refused": int((columns["reason"] != "").sum()),
                "reasons": {str(k): int(v) for k, v in refused.head(20).items()},
            },
            "booked_again": checked,
            "seconds": round(seconds, 3),
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in _LIBRARIES},
            },
        },
        folder / ".manifest.json",
    )
    from sibt.sweep.sweep import Sweep

    del columns, booked  # the pages read what they need themselves
    made = Sweep(folder)
    for name, write in pages.items():
        write(made, folder / name)
    (folder / ".manifest.json").replace(folder / "manifest.json")
    shutil.rmtree(folder / "parts", ignore_errors=True)


def _gather(folder: Path, names: list[str], metric: str) -> pd.DataFrame:
    """Write the pieces' tables as one, and return the columns the evidence needs."""
    import pyarrow as pa
    from pyarrow import parquet

    work = folder / ".sets.parquet"
    kept: list[pa.Table] = []
    waiting: list[pa.Table] = []
    writer = None
    try:
        for name in names:
            table = parquet.read_table(folder / "parts" / f"{name}.parquet")
            table = table.replace_schema_metadata(None)
            if writer is None:
                writer = parquet.ParquetWriter(work, table.schema, compression="zstd")
            table = table.cast(writer.schema)
            unneeded = [c for c in table.column_names if c in _UNNEEDED and c != metric]
            kept.append(table.drop_columns(unneeded))
            waiting.append(table)
            if sum(each.num_rows for each in waiting) >= _GROUP:
                # Groups of one size, so that the file does not tell how the sets were cut.
                rows = pa.concat_tables(waiting)
                whole = rows.num_rows // _GROUP * _GROUP
                writer.write_table(rows.slice(0, whole).combine_chunks(), row_group_size=_GROUP)
                waiting = [rows.slice(whole)]
        if writer is not None and any(each.num_rows for each in waiting):
            writer.write_table(pa.concat_tables(waiting).combine_chunks(), row_group_size=_GROUP)
    finally:
        if writer is not None:
            writer.close()
    work.replace(folder / "sets.parquet")
    whole = pa.concat_tables(kept)
    kept.clear()
    # Column by column: pyarrow's own way to categories has crashed.
    columns: dict[str, Any] = {}
    for name in whole.column_names:
        cells = whole.column(name).combine_chunks()
        if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
            words = cells.dictionary_encode()
            columns[name] = pd.Categorical.from_codes(
                words.indices.to_numpy(zero_copy_only=False), words.dictionary.to_pylist()
            )
        else:
            columns[name] = cells.to_numpy(zero_copy_only=False)
        whole = whole.drop_columns([name])
    return pd.DataFrame(columns, copy=False)


#: Sets in a row group of ``sets.parquet``.
_GROUP = 16_384

#: Columns the evidence reads of single sets only: looked up where they are needed.
_UNNEEDED = ("worst_day", "worst_equity", "largest_call", "deposits", "max_drawdown_yuan",
             "peak_margin", "fees", "margin_calls", "open_trips", "won", "unfilled_orders", "bust",
             "skewness", "kurtosis", "total_return", "return_on_margin",
             "max_drawdown", "effective_price", "hedged_per_tonne", "variance_reduction",
             "peak_cash")  # fmt: skip


def _rows(folder: Path, sets: list[int]) -> pd.DataFrame:
    """Return sets with all their columns, in the order asked for."""
    whole = pd.read_parquet(folder / "sets.parquet", filters=[("set", "in", sets)])
    return whole.set_index("set", drop=False).loc[sets]


def _parts(folder: Path, names: list[str]) -> Iterator[Mapping[str, Any]]:
    for name in names:
        with np.load(folder / "parts" / f"{name}.npz") as file:
            yield dict(file)


def _metric(columns: pd.DataFrame) -> str:
    """Return what to sort by: the Sharpe ratio where most sets have one."""
    if columns["sharpe"].notna().sum() > 0.5 * (columns["reason"] == "").sum():
        return "sharpe"
    # Of goods that are delivered a sweep does not know what they came to.
    known = "hedged" in columns and bool(columns["hedged"].notna().any())
    return "hedged" if known else "net"


def _top(folder: Path, columns: pd.DataFrame, metric: str, count: int = 1000) -> pd.DataFrame:
    """Return the best sets with all their columns."""
    order = columns["set"].iloc[best_first(columns, metric)[:count]]
    return _rows(folder, order.tolist()).reset_index(drop=True).drop(columns="reason")


def values_of(laid: Plan, number: int) -> dict[str, Any]:
    """Return all parameters of a set, as a run takes them."""
    rows = laid.grid.values(np.array([number], dtype=np.int64))
    return {**laid.grid.fixed, **{name: column[0] for name, column in rows.items()}}


def _check(laid: Plan, folder: Path, booked: NDArray[np.int64]) -> dict[str, Any]:
    """Book a random sample of sets again, one by one and in both books.

    A sweep through the ledger must agree with them; one through vectorbt knows fewer rules, and
    the record says how far it is from the ledger.
    """
    exact = laid.record["settings"]["engine"] == "ledger"
    generator = np.random.default_rng(laid.maker.seed)
    chosen = np.sort(generator.permutation(booked)[:CHECKED])
    largest, equal = 0.0, 0
    for _, row in _rows(folder, chosen.tolist()).iterrows():
        result = laid.task.single(values_of(laid, int(row["set"])))
        apart = abs(float(result.metrics["net"]) - float(row["net"]))
        equal += apart <= TOLERANCE
        if not exact:
            largest = max(largest, apart)
            continue
        for name in _SAME:
            if round(float(result.metrics[name]), 2) != round(row[name], 2):
                raise LedgerError(
                    f"Set {row['set']} booked by itself has {name} {result.metrics[name]}, in the"
                    f" sweep {row[name]}: two ways of booking disagree."
                )
        largest = max(largest, result.reconcile())
    return {
        "sets": chosen.tolist(),
        "equal": int(equal),
        "largest_difference_between_books_yuan": round(largest, 6),
    }


def _write(content: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(_plain(content), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it, whatever is unknown as null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
