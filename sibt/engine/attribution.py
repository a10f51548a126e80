"""Where a result comes from, session by session: by leg, and a spread's by what moved.

Lots against lots are not money against money: long 1 near at 14,000 and short 1 far at 12,000
is also long 2,000 yuan a tonne of silicon. What that remainder makes of the general move of
prices is the flat-price residual; the rest is the spread's own move.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.ledger import FILL_REASONS, OFFSETS, STATEMENT

if TYPE_CHECKING:
    from sibt.engine.job import Job

__all__ = ["FIGURES", "attribution"]

IntArray = NDArray[np.int64]

#: Columns beside those of the legs, which may therefore not be named so.
FIGURES = ("spread_move", "flat_price", "fees")

_FEES = STATEMENT.index("fees")
_OPEN = OFFSETS.index("open")
_SETTLED = FILL_REASONS.index("exit date, at settlement")


def attribution(job: Job, booked: Mapping[str, Any]) -> pd.DataFrame:
    """Return each session's mark-to-market result by leg, and by what moved.

    A session is one stretch from settlement to settlement, or two where orders filled: to
    their fill, and from it. In each the position stands still. The level's move is what the
    lots of a stretch, all taken as long, gain on their money; ``flat_price`` is that share of
    the money they are long less short, summed over the stretches.

    Parameters
    ----------
    job : Job
        What was laid out for the run.
    booked : mapping
        The ledger's arrays: ``fills``, ``positions`` and ``statement``.

    Returns
    -------
    pd.DataFrame of T rows
        Yuan, to the fen: one column a leg with its result before fees; ``spread_move`` and
        ``flat_price``, NaN unless some legs are long and some short; ``fees``. In every
        session the legs add up to the statement's ``mtm``, and so do ``spread_move`` and
        ``flat_price``, exactly: ``flat_price`` is rounded once, half to even, and
        ``spread_move`` is the rest.
    """
    sessions, legs = job.market.sessions, len(job.legs)
    pieces = _pieces(job, booked["fills"], booked["positions"])
    t, stretch, leg, lots, start, end, size = (pieces[:, n] for n in range(7))
    gain = lots * (end - start) * size
    by_leg = np.zeros((len(sessions), legs), dtype=np.int64)
    np.add.at(by_leg, (t, leg), gain)
    table = pd.DataFrame(by_leg / 100, index=sessions, columns=list(job.legs))
    if (job.ratio > 0).any() and (job.ratio < 0).any():
        money = lots * start * size
        flat = _flat_price(len(sessions), t, stretch, gain * np.sign(lots), money)
        table["spread_move"] = (by_leg.sum(axis=1) - flat) / 100
        table["flat_price"] = flat / 100
    else:
        table["spread_move"] = table["flat_price"] = np.nan
    table["fees"] = booked["statement"][:, _FEES] / 100
    table.index.name = "session"
    return table


def _pieces(job: Job, fills: IntArray, positions: IntArray) -> IntArray:
    """Cut the run into lots that were held through a stretch, one row each."""
    size, settle = job.terms.multiplier, job.prices.settle
    before = np.zeros_like(settle)
    before[1:] = settle[:-1]
    # Where its price at the fills is unknown, a contract stands at its last settlement.
    between = np.where(job.prices.raw > 0, job.prices.raw, before)
    # What leaves at settlement was held up to it, at that very price.
    worked = fills[fills[:, 7] < _SETTLED]
    opened, closed = worked[worked[:, 6] == _OPEN], worked[worked[:, 6] != _OPEN]
    kept = np.zeros_like(positions)
    kept[1:] = positions[:-1]
    np.add.at(kept, (closed[:, 0], closed[:, 1], closed[:, 2]), closed[:, 3])
    busy = np.zeros(len(settle), dtype=bool)
    busy[worked[:, 0]] = True

    t, leg, k = np.nonzero(kept)
    held = kept[t, leg, k]
    idle = ~busy[t]

    def rows(which: Any, stretch: int, start: IntArray, end: IntArray) -> IntArray:
        x, y = t[which], k[which]
        return _rows(x, stretch, leg[which], held[which], start[x, y], end[x, y], size[y])

    x, y = closed[:, 0], closed[:, 2]
    out = _rows(x, 0, closed[:, 1], -closed[:, 3], before[x, y], closed[:, 4], size[y])
    x, y = opened[:, 0], opened[:, 2]
    into = _rows(x, 1, opened[:, 1], opened[:, 3], opened[:, 4], settle[x, y], size[y])
    return np.concatenate(
        [
            rows(idle, 0, before, settle),
            rows(~idle, 0, before, between),
            rows(~idle, 1, between, settle),
            out,
            into,
        ]
    )


def _rows(t: IntArray, stretch: int, *columns: IntArray) -> IntArray:
    rows: IntArray = np.column_stack([t, np.full_like(t, stretch), *columns])
    return rows


def _flat_price(
    sessions: int, t: IntArray, stretch: IntArray, rise: IntArray, money: IntArray
) -> IntArray:
    """Return what the level's move made of the money long less short, fen by session."""
    level, gross, net = np.zeros((3, sessions, 2), dtype=np.int64)
    for total, values in ((level, rise), (gross, np.abs(money)), (net, money)):
        np.add.at(total, (t, stretch), values)
    flat = np.zeros(sessions, dtype=np.int64)
    for day in np.flatnonzero(((level != 0) & (net != 0)).any(axis=1)):
        # Money times money is more than an int64 holds.
        exact = sum(
            (
                Fraction(int(net[day, part]) * int(level[day, part]), int(gross[day, part]))
                for part in (0, 1)
                if gross[day, part]
            ),
            start=Fraction(0),
        )
        flat[day] = round(exact)
    return flat
