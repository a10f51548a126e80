"""Walk-forward, told: what the sets chosen in training windows came to in the next ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.metrics import SESSIONS_A_YEAR, max_drawdown, sharpe, total_return
from sibt.engine.result import FEW_TRIPS
from sibt.errors import SibtError
from sibt.sweep.grid import written

if TYPE_CHECKING:
    from sibt.engine.result import Result
    from sibt.sweep.sweep import Plan

__all__ = ["curve", "forward", "table"]

FloatArray = NDArray[np.float64]


def forward(laid: Plan, ratios: FloatArray, sets: NDArray[np.int64]) -> dict[str, Any]:
    """Return the walk-forward of a sweep, as it stands in ``evidence.json``.

    The set chosen in each training window is booked afresh in its test window: flat before
    it, with the sweep's capital, and closed in its last session at the run's fill price.

    Parameters
    ----------
    laid : Plan
        The sweep, with windows.
    ratios : float64 ndarray of shape (W,)
        Best Sharpe ratio of each training window, a session; NaN where no set traded.
    sets : int64 ndarray of shape (W,)
        Its set; -1 where no set traded.

    Returns
    -------
    dict
        ``train, test, purge, anchored``; ``windows``, one row each (see `table`); over all
        test windows ``sessions``, ``net`` (yuan, each window with the opening capital),
        ``total_return`` and ``max_drawdown`` (shares, windows compounded), ``round_trips``,
        ``sharpe`` (a year; None below three round trips), ``in_sample_sharpe`` (mean of the
        training windows', a year) and ``kept``, the share of it that is left; ``drift`` of
        the parameters; ``curve``, the stitched daily returns; ``notes``, sentences.
    """
    windows = laid.maker.windows
    assert windows is not None
    days = laid.task.market.sessions[laid.first :]
    whole: dict[int, NDArray[np.int64]] = {}
    rows: list[dict[str, Any]] = []
    parts = []
    for (begin, end, first, beyond), ratio, number in zip(
        windows.spans, ratios.tolist(), sets.tolist(), strict=True
    ):
        span = days[first:beyond]
        row: dict[str, Any] = {
            "window": len(rows) + 1,
            "train_from": _day(days[begin]),
            "train_to": _day(days[end - 1]),
            "test_from": _day(span[0]),
            "test_to": _day(span[-1]),
            "set": None,
            "parameters": dict.fromkeys(laid.task.names),
            "train_sharpe": None,
            "test_return": 0.0,
            "test_net": 0.0,
            "round_trips": 0,
            "left_open": 0,
            "longest_holding": None,
            "note": "" if number >= 0 else "no set traded in the training window",
        }
        returns: FloatArray = np.zeros(len(span))
        if number >= 0:
            values = _values(laid, number)
            row["set"] = number
            row["parameters"] = {name: written(values[name]) for name in laid.task.names}
            row["train_sharpe"] = ratio * math.sqrt(SESSIONS_A_YEAR)
            if number not in whole:
                whole[number] = _holdings(laid, values)
            row["longest_holding"] = _longest(
                whole[number], laid.first + begin, laid.first + end
            )
            try:
                result = _applied(laid, values, span)
            except SibtError as error:
                row["note"] = str(error)
            else:
                returns[:] = result.returns.reindex(span).fillna(0.0)
                row["test_return"] = total_return(returns)
                row["test_net"] = result.metrics["net"]
                row["round_trips"] = result.metrics["round_trips"]
                row["left_open"] = result.metrics["open_trips"]
        rows.append(row)
        parts.append(pd.Series(returns, index=span))
    stitched = pd.concat(parts)
    trips = sum(row["round_trips"] for row in rows)
    trained = [row["train_sharpe"] for row in rows if row["set"] is not None]
    inside = float(np.mean(trained)) if trained else math.nan
    outside = sharpe(stitched) if trips >= FEW_TRIPS else math.nan
    found = {
        "train": windows.train,
        "test": windows.test,
        "purge": windows.purge,
        "anchored": windows.anchored,
        "windows": rows,
        "sessions": len(stitched),
        "net": round(sum(row["test_net"] for row in rows), 2),
        "total_return": total_return(stitched),
        "max_drawdown": max_drawdown(stitched),
        "round_trips": trips,
        "sharpe": written(outside),
        "in_sample_sharpe": written(inside),
        "kept": written(outside / inside) if inside > 0 else None,
        "drift": [_drift(name, rows) for name in laid.task.names],
        "curve": {
            "sessions": [_day(day) for day in stitched.index],
            "returns": stitched.to_list(),
        },
    }
    return {**found, "notes": _notes(found)}


def curve(walk: Mapping[str, Any]) -> pd.Series[float]:
    """Return the stitched daily returns of the test windows, by session."""
    given = walk["curve"]
    return pd.Series(given["returns"], index=pd.DatetimeIndex(given["sessions"]), dtype=float)


def table(walk: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a window, as in ``walk.csv``.

    Columns ``window``; ``train_from, train_to, test_from, test_to`` (sessions, ends
    included); ``set`` and the swept parameters chosen; ``train_sharpe`` (a year),
    ``test_return`` (share), ``test_net`` (yuan, fees paid), ``round_trips`` and
    ``left_open`` of the test window; ``longest_holding`` (sessions); ``note``.
    """
    rows = []
    for row in walk["windows"]:
        flat: dict[str, Any] = {}
        for name, value in row.items():
            if name == "parameters":
                flat |= value
            else:
                flat[name] = value
        rows.append(flat)
    found = pd.DataFrame(rows)
    return found.astype({"set": "Int64", "longest_holding": "Int64"})


def _day(session: pd.Timestamp) -> str:
    return f"{session:%Y-%m-%d}"


def _values(laid: Plan, number: int) -> dict[str, Any]:
    rows = laid.grid.values(np.array([number], dtype=np.int64))
    return {**laid.grid.fixed, **{name: column[0] for name, column in rows.items()}}


def _applied(laid: Plan, values: Mapping[str, Any], span: pd.DatetimeIndex) -> Result:
    """Book a set in one test window; what comes after it is not there."""
    market = laid.task.market.asof(span[-1])
    return replace(laid.task, market=market, start=span[0], jobs={}).single(values, close=True)


def _holdings(laid: Plan, values: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return first and last session of each round trip of a set over the whole history."""
    trips = laid.task.single(values).round_trips
    sessions = laid.task.market.sessions
    first = sessions.searchsorted(trips["entry"])
    last = sessions.searchsorted(trips["exit"].fillna(sessions[-1]))
    return np.column_stack([first, last]).astype(np.int64)


def _longest(holdings: NDArray[np.int64], begin: int, end: int) -> int:
    """Return the longest holding that touches a training window, sessions."""
    first, last = holdings.T
    touching = (first < end) & (last >= begin)
    return int((last - first + 1)[touching].max(initial=0))


def _drift(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how a parameter moves from window to window; windows without a choice are None."""
    values = [row["parameters"][name] for row in rows]
    chosen = [
        value for value, row in zip(values, rows, strict=True) if row["set"] is not None
    ]
    moves = sum(a != b for a, b in pairwise(chosen))
    return {
        "parameter": name,
        "values": values,
        "different": len(set(chosen)),
        "changes": moves,
        "steps": max(len(chosen) - 1, 0),
    }


def _notes(found: Mapping[str, Any]) -> list[str]:
    rows = found["windows"]
    how = (
        "each test window begins flat with the opening capital and is closed in its last session;"
        " sets were chosen by daily returns of books kept over the whole history, so a position"
        " may be carried into a training window"
    )
    said = [how]
    over = [row for row in rows if (row["longest_holding"] or 0) > found["purge"]]
    if over:
        longest = max(row["longest_holding"] for row in over)
        said.append(
            f"the purge of {found['purge']} sessions does not cover the longest holding in"
            f" {len(over)} of {len(rows)} windows; the longest is {longest} sessions, so make the"
            f" purge {longest} to cover all"
        )
    open_ = sum(row["left_open"] for row in rows)
    if open_:
        said.append(
            f"{open_} position{'s' if open_ != 1 else ''} could not be closed in the last session"
            " of a test window and stand at its settlement"
        )
    idle = sum(row["set"] is None for row in rows)
    if idle:
        said.append(f"in {idle} of {len(rows)} training windows no set traded; flat in the next")
    failed = sum(row["set"] is not None and bool(row["note"]) for row in rows)
    if failed:
        said.append(f"in {failed} of {len(rows)} test windows the chosen set could not be booked")
    if found["round_trips"] < FEW_TRIPS:
        said.append(
            f"{found['round_trips']} round trip{'s' if found['round_trips'] != 1 else ''} in all"
            " test windows: too few for a Sharpe ratio"
        )
    return said
