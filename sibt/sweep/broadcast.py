"""A sweep through vectorbt: fills at the next session's price, and none of the exchange's rules.

For those who want to compare. vectorbt gets whole lots at the price the ledger would work at,
with slippage, and the dated fee as a share of turnover. It knows no margin, no price limit, no
volume cap and no forced exit, so that it holds what an account could not.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.execution import Execution
from sibt.engine.job import Job
from sibt.engine.ledger import FIGURES
from sibt.engine.money import FEE_SCALE, to_fen
from sibt.errors import SettingError, StrategyError
from sibt.sweep.chunk import Task, starts_of
from sibt.sweep.grid import Block, Grid
from sibt.sweep.hedges import RISKS

__all__ = ["NOTE", "Broadcast"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NOTE = (
    "Booked by vectorbt, which knows no margin, no price limits, no volume cap and no forced"
    " exits: an account may not hold these positions. What it cannot know is left empty. Cost"
    " stress and comparisons are the ledger's."
)

#: Sets vectorbt is given at a time: its arrays are sets × legs × sessions, many times over.
_AT_ONCE = 500


class Broadcast(Task):
    """A `Task` whose sets vectorbt books."""

    note: ClassVar[str] = NOTE

    def check(self, metric: str | None, sets: Grid) -> None:
        """Refuse a metric vectorbt knows nothing of.

        Raises
        ------
        SettingError
            One that takes margin or the daily statement.
        """
        super().check(metric, sets)
        if metric in ("return_on_margin", *RISKS):
            raise SettingError(
                f"--metric is '{metric}', and vectorbt knows no margin and no daily statement;"
                " write net, or leave --engine out."
            )

    def _keep(
        self,
        job: Job,
        want: NDArray[np.int32],
        resting: IntArray,
        capital: IntArray,
        first: int,
        figures: FloatArray,
        daily: FloatArray,
    ) -> None:
        if resting.any():
            raise StrategyError(
                "The strategy rests orders at limits, which --engine vectorbt does not know; leave"
                " --engine out."
            )
        for begin in range(0, want.shape[1], _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            units = _held(job, want[:, part])
            equity, fees = _book(job, units, capital[part] / 100)
            start = starts_of(want[:, part], first)
            daily[part] = _figures(equity, capital[part] / 100, start, figures[part])
            raw = dict(zip(FIGURES, figures[part].T, strict=True))
            raw["fees"][:] = fees * 100
            before = np.vstack([np.zeros((1, units.shape[1]), dtype=units.dtype), units[:-1]])
            begun = (units != 0) & (np.sign(units) != np.sign(before))
            raw["round_trips"][:] = begun.sum(axis=0)
            raw["open_trips"][:] = units[-1] != 0

    def _daily(
        self,
        job: Job,
        want: NDArray[np.int32],
        resting: IntArray,
        capital: IntArray,
    ) -> None:
        return None

    def _table(
        self, block: Block, figures: FloatArray, goods: FloatArray, reasons: NDArray[np.object_]
    ) -> pd.DataFrame:
        table = super()._table(block, figures, goods, reasons)
        table["bust"] = pd.array([pd.NA] * len(table), dtype="boolean")
        return table


def _decisions(job: Job) -> IntArray:
    """Return the session whose wish each session ends up with, shape (T,); -1 before the first.

    Orders work in the session after; where a leg has no price, they wait for one that has.
    """
    sessions, legs = job.codes.shape
    none = np.full((2, legs), -1, dtype=np.int64)
    codes = np.vstack([none, job.codes])
    priced = np.column_stack([job.prices.raw > 0, np.ones(sessions, dtype=bool)])  # -1: no contract
    rows = np.arange(sessions)[:, None]
    # The contract decided last, and in a roll the one before it.
    able: NDArray[np.bool_] = np.all(
        priced[rows, codes[1:-1]] & priced[rows, codes[:-2]], axis=1, keepdims=True
    )[:, 0]
    able[0] = False
    return np.maximum.accumulate(np.where(able, np.arange(sessions), 0)) - 1


def _held(job: Job, want: NDArray[np.int32]) -> IntArray:
    """Return units held after each session, shape (T, N)."""
    of = _decisions(job)
    return np.where(of[:, None] < 0, 0, want[of]).astype(np.int64)


def _book(job: Job, units: IntArray, capital: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return equity after each session, (T, N), and the fees of each set, (N,); yuan."""
    import vectorbt as vbt

    sessions, count = units.shape
    of = _decisions(job)
    pairs = [
        (leg, k) for leg in range(len(job.legs)) for k in np.unique(job.codes[:, leg]) if k >= 0
    ]
    size = np.full((sessions, count, len(pairs)), np.nan)
    price, share = np.full_like(size, np.nan), np.zeros_like(size)
    for at, (leg, k) in enumerate(pairs):
        lots = units * job.ratio[leg] * ((of >= 0) & (job.codes[of, leg] == k))[:, None]
        change = np.diff(lots, axis=0, prepend=0)
        trades = change != 0
        fen = _price(job, int(k), change)
        turnover = np.abs(change) * job.terms.multiplier[k] * fen
        size[trades, at] = (change * float(job.terms.multiplier[k]))[trades]
        price[trades, at] = (fen / 100)[trades]
        fee = _fee(job, int(k), lots, fen)
        share[trades, at] = (fee / np.where(turnover == 0, 1, turnover))[trades]
    shape = (sessions, count * len(pairs))
    settle = job.prices.settle[:, [k for _, k in pairs]] / 100
    known = pd.DataFrame(np.where(settle > 0, settle, np.nan)).ffill().bfill().fillna(1.0)
    funds = float(max(1e6, 2.0 * np.nansum(np.abs(size * price), axis=(0, 2)).max(initial=0.0)))
    portfolio = vbt.Portfolio.from_orders(
        close=pd.DataFrame(np.tile(known.to_numpy(), count), index=job.market.sessions),
        size=size.reshape(shape),
        size_type="amount",
        direction="both",
        price=price.reshape(shape),
        fees=share.reshape(shape),
        slippage=0.0,
        init_cash=funds,
        cash_sharing=True,
        group_by=np.repeat(np.arange(count), len(pairs)),
        freq="1D",
    )
    orders = portfolio.orders.values
    fees = np.zeros(count)
    np.add.at(fees, orders["col"] // len(pairs), orders["fees"])
    return capital + (portfolio.value().to_numpy().reshape(sessions, count) - funds), fees


def _price(job: Job, k: int, change: IntArray) -> IntArray:
    """Return fill prices in fen: the session's price and slippage, without a band."""
    execution: Execution = job.execution
    step = to_fen(execution.slippage * np.asarray(job.terms.tick[:, k], dtype=np.float64))
    against = np.sign(change).astype(np.int64) * step[:, None]
    fen: IntArray = job.prices.raw[:, k, None] + against
    return fen


def _fee(job: Job, k: int, lots: IntArray, price: IntArray) -> IntArray:
    """Return the fee of each session in fen, what closes and what opens rounded each by itself."""
    before = np.vstack([np.zeros((1, lots.shape[1]), dtype=np.int64), lots[:-1]])
    turns = before * lots < 0
    shut = np.where(turns, np.abs(before), np.maximum(np.abs(before) - np.abs(lots), 0))
    opened = np.where(turns, np.abs(lots), np.maximum(np.abs(lots) - np.abs(before), 0))
    terms = job.terms
    size = int(terms.multiplier[k])

    def fen(number: IntArray, rate: Any, flat: Any) -> IntArray:
        exact = number * price * size * rate[:, k, None] + number * flat[:, k, None]
        rounded: IntArray = (exact + FEE_SCALE // 2) // FEE_SCALE
        return rounded

    return fen(shut, terms.fee_close, terms.lot_close) + fen(
        opened, terms.fee_open, terms.lot_open
    )


def _figures(
    equity: FloatArray, capital: FloatArray, start: IntArray, figures: FloatArray
) -> FloatArray:
    """Write what can be known of each set, and return its daily returns, shape (N, T)."""
    sessions = len(equity)
    path = np.vstack([capital, equity])
    result = np.diff(path, axis=0)
    able = path[:-1] > 0
    change = np.where(able, result / np.where(able, path[:-1], 1.0), 0.0)
    index = np.vstack([np.ones(len(capital)), np.cumprod(1.0 + change, axis=0)])
    figures[:] = np.nan
    raw = dict(zip(FIGURES, figures.T, strict=True))
    raw["net"][:] = (path[-1] - capital) * 100
    raw["worst_day"][:] = np.minimum(result.min(axis=0), 0) * 100
    raw["worst_equity"][:] = path.min(axis=0) * 100
    raw["max_drawdown_yuan"][:] = (path - np.maximum.accumulate(path, axis=0)).min(axis=0) * 100
    raw["max_drawdown"][:] = (index / np.maximum.accumulate(index, axis=0) - 1.0).min(axis=0)
    raw["total_return"][:] = index[-1] - 1.0
    count = np.maximum(sessions - start, 0).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, square, cube, fourth = ((change**power).sum(axis=0) / count for power in (1, 2, 3, 4))
        spread = np.maximum(square - mean**2, 0.0)
        few = count < 2
        raw["mean"][:] = np.where(few, np.nan, mean)
        raw["deviation"][:] = np.where(few, np.nan, np.sqrt(spread * count / (count - 1)))
        flat = few | (spread == 0)
        third = cube - 3 * mean * square + 2 * mean**3
        last = fourth - 4 * mean * cube + 6 * mean**2 * square - 3 * mean**4
        raw["skewness"][:] = np.where(flat, np.nan, third / spread**1.5)
        raw["kurtosis"][:] = np.where(flat, np.nan, last / spread**2)
    return change.T
