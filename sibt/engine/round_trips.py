"""Round trips: from flat to flat; a reversal ends one and begins the next."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["COLUMNS", "round_trips"]

IntArray = NDArray[np.int64]

_ROLL = 1  # the ledger's code for a roll

#: Columns of the table; prices in yuan per tonne, money in yuan, NaT where still open.
COLUMNS = (
    "entry",
    "exit",
    "units",
    "entry_spread",
    "exit_spread",
    "gross",
    "fees",
    "net",
    "sessions",
    "worst",
    "best",
    "rolls",
)


@dataclass
class _Trip:
    first: int
    fills: list[IntArray] = field(default_factory=list)
    last: int | None = None


def round_trips(
    sessions: pd.DatetimeIndex,
    fills: IntArray,
    ratio: IntArray,
    multiplier: IntArray,
    settle: IntArray,
) -> pd.DataFrame:
    """Return one row a round trip.

    Parameters
    ----------
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions.
    fills : int64 ndarray of shape (F, 8)
        Fills as the ledger records them, in its order (closes, rolls, openings).
    ratio : int64 ndarray of shape (L,)
        Lots of each leg in a unit.
    multiplier : int64 ndarray of shape (K,)
        Tonnes per lot.
    settle : int64 ndarray of shape (T, K)
        Last known settlements, fen.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`. A spread is the sum of ratio × price over the legs, near − far for
        1:−1. Worst and best are the lowest and highest net result at a settlement inside
        the trip. An open trip has no exit and is valued at the last settlement. ``rolls``
        counts the sessions in which it rolled: its result then is not exit − entry.
    """
    trips = _split(fills, len(ratio), len(multiplier))
    rows = [_row(trip, sessions, ratio, multiplier, settle) for trip in trips]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("entry", "exit"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[ns]")
    return table


def _split(fills: IntArray, legs: int, contracts: int) -> list[_Trip]:
    """Cut the fills into trips where the whole position comes back to flat."""
    lots = np.zeros((legs, contracts), dtype=np.int64)
    trips: list[_Trip] = []
    for fill in fills:
        t, leg, k, signed = (int(x) for x in fill[:4])
        if not trips or trips[-1].last is not None:
            trips.append(_Trip(first=t))
        trips[-1].fills.append(fill)
        lots[leg, k] += signed
        # Between the two halves of a roll the position is on its way, not flat.
        if not lots.any() and int(fill[7]) != _ROLL:
            trips[-1].last = t
    return trips


def _row(
    trip: _Trip,
    sessions: pd.DatetimeIndex,
    ratio: IntArray,
    multiplier: IntArray,
    settle: IntArray,
) -> list[object]:
    fills = np.array(trip.fills)
    last = len(sessions) - 1 if trip.last is None else trip.last
    cash = -(fills[:, 3] * fills[:, 4] * multiplier[fills[:, 2]])
    path = _path(fills, cash, trip.first, last, multiplier, settle)
    fees = int(fills[:, 5].sum())
    net = int(path[-1])
    signal = fills[fills[:, 7] != _ROLL]
    opened, shut = signal[signal[:, 6] == 0], signal[signal[:, 6] != 0]
    exit_spread = np.nan if trip.last is None else _spread(shut, ratio)
    lead = opened[opened[:, 1] == opened[0, 1]]
    units = int(lead[:, 3].sum()) / int(ratio[opened[0, 1]])
    return [
        sessions[trip.first],
        pd.NaT if trip.last is None else sessions[last],
        units,
        _spread(opened, ratio),
        exit_spread,
        (net + fees) / 100,
        fees / 100,
        net / 100,
        last - trip.first + 1,
        min(int(path.min()), net) / 100,
        max(int(path.max()), net) / 100,
        len(set(fills[fills[:, 7] == _ROLL, 0].tolist())),
    ]


def _path(
    fills: IntArray,
    cash: IntArray,
    first: int,
    last: int,
    multiplier: IntArray,
    settle: IntArray,
) -> IntArray:
    """Return the trip's net result at each settlement from its first to its last, fen."""
    width = last - first + 1
    flow = np.zeros(width, dtype=np.int64)
    np.add.at(flow, fills[:, 0] - first, cash - fills[:, 5])
    held = np.zeros((width, settle.shape[1]), dtype=np.int64)
    np.add.at(held, (fills[:, 0] - first, fills[:, 2]), fills[:, 3])
    worth = (np.cumsum(held, axis=0) * settle[first : last + 1] * multiplier).sum(axis=1)
    path: IntArray = np.cumsum(flow) + worth
    return path


def _spread(fills: IntArray, ratio: IntArray) -> float:
    """Return Σ ratio × lot-weighted price over the legs, yuan per tonne; NaN if a leg is bare."""
    total = 0.0
    for leg, share in enumerate(ratio):
        own = fills[fills[:, 1] == leg]
        lots = np.abs(own[:, 3])
        if not lots.sum():
            return float("nan")
        total += int(share) * float((lots * own[:, 4]).sum()) / float(lots.sum()) / 100
    return total
