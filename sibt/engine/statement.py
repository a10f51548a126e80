"""The ledger's arrays as the tables of a broker's statement: money in yuan, lots signed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.ledger import FILL_REASONS, OFFSETS, STATEMENT
from sibt.engine.money import MARGIN_SCALE, to_fen
from sibt.engine.prices import SHORTFALLS

if TYPE_CHECKING:
    from sibt.engine.job import Job

__all__ = [
    "at_market",
    "by_leg",
    "by_trade",
    "fills",
    "matched",
    "positions",
    "slippage",
    "statement",
    "unfilled",
]

IntArray = NDArray[np.int64]

_OPEN = OFFSETS.index("open")
_SIGNAL = FILL_REASONS.index("signal")
_SETTLED = FILL_REASONS.index("exit date, at settlement")


def statement(job: Job, booked: Mapping[str, Any]) -> pd.DataFrame:
    """Return the daily statement; see `sibt.engine.result.Result`."""
    raw = pd.DataFrame(
        booked["statement"] / 100, index=job.market.sessions, columns=list(STATEMENT)
    )
    equity = raw["equity"]
    table = pd.DataFrame(
        {
            "previous": equity.shift(1, fill_value=job.account.capital),
            "closed_pnl": raw["closed_pnl"],
            "held_pnl": (raw["mtm"] - raw["closed_pnl"]).round(2),
            "mtm": raw["mtm"],
            "fees": raw["fees"],
            "deposit": raw["deposit"],
            "equity": equity,
            "margin": raw["margin"],
            "available": (equity - raw["margin"]).round(2),
            "risk": (raw["margin"] / equity.where(equity > 0)).round(6),
            "margin_call": raw["margin_call"],
        }
    )
    lots = booked["positions"].sum(axis=2)
    each = lots / job.ratio
    # Adding zero turns −0.0 into 0.0.
    table["units"] = np.where((each == each[:, :1]).all(axis=1), each[:, 0], np.nan) + 0.0
    if job.execution.pairing == "legged":
        table["naked"] = _naked(lots, job.ratio)
    table.index.name = "session"
    return table


def by_trade(job: Job, booked: Mapping[str, Any]) -> pd.DataFrame:
    """Return the daily statement settled trade by trade; see `Result.by_trade`."""
    raw = dict(zip(STATEMENT, booked["statement"].T, strict=True))
    when = booked["fills"][:, 0]
    closed, paid = np.zeros((2, len(job.market.sessions)), dtype=np.int64)
    for total, each in zip((closed, paid), matched(job, booked["fills"]), strict=True):
        np.add.at(total, when, each)
    worth = (booked["positions"] * job.prices.settle[:, None, :] * job.terms.multiplier).sum((1, 2))
    floating = worth - np.cumsum(paid)
    capital = to_fen(np.array([job.account.capital]))
    balance = capital + np.cumsum(closed - raw["fees"] + raw["deposit"])
    equity, margin = balance + floating, raw["margin"]
    table = pd.DataFrame(
        {
            "previous": np.concatenate([capital, balance[:-1]]) / 100,
            "closed_pnl": closed / 100,
            "fees": raw["fees"] / 100,
            "deposit": raw["deposit"] / 100,
            "balance": balance / 100,
            "floating_pnl": floating / 100,
            "equity": equity / 100,
            "margin": margin / 100,
            "available": (equity - margin) / 100,
            "risk": np.divide(
                margin, equity, out=np.full(len(equity), np.nan), where=equity > 0
            ).round(6),
            "margin_call": raw["margin_call"] / 100,
        },
        index=job.market.sessions,
    )
    table.index.name = "session"
    return table


def matched(job: Job, fills: IntArray) -> tuple[IntArray, IntArray]:
    """Match what closes with what it had opened, the oldest lots of a leg and contract first.

    Returns
    -------
    tuple of int64 ndarray of shape (F,)
        By fill, fen: profit of the lots it closed, and what it paid for lots opened less what
        had been paid for the lots it closed.
    """
    closed, paid = np.zeros((2, len(fills)), dtype=np.int64)
    queues: dict[tuple[int, int], deque[list[int]]] = defaultdict(deque)
    for n, (_, leg, k, signed, price, _, offset, _) in enumerate(fills.tolist()):
        size, queue = int(job.terms.multiplier[k]), queues[leg, k]
        if offset == _OPEN:
            queue.append([signed, price])
            paid[n] += signed * price * size
            continue
        way, left = (1 if signed > 0 else -1), abs(signed)
        while left:
            lots, entry = queue[0]
            take = min(left, abs(lots))
            closed[n] -= way * take * (price - entry) * size
            paid[n] += way * take * entry * size
            left -= take
            queue[0][0] += way * take
            if not queue[0][0]:
                queue.popleft()
    return closed, paid


def _naked(lots: IntArray, ratio: IntArray) -> IntArray:
    """Return lots without their counterpart in the other legs, by session."""
    each = lots / ratio
    same = (np.sign(each) == np.sign(each[:, :1])).all(axis=1)
    whole = np.floor(np.abs(each).min(axis=1)) * same
    paired = whole[:, None] * np.sign(each) * ratio
    naked: IntArray = np.abs(lots - paired).sum(axis=1).astype(np.int64)
    return naked


def fills(job: Job, fills: IntArray) -> pd.DataFrame:
    """Return the fills in the order they were booked."""
    return pd.DataFrame(
        {
            "session": job.market.sessions[fills[:, 0]],
            "leg": np.array(job.legs, dtype=object)[fills[:, 1]],
            "contract": np.array(job.contracts, dtype=object)[fills[:, 2]],
            "side": np.where(fills[:, 3] > 0, "buy", "sell"),
            "offset": np.array(OFFSETS, dtype=object)[fills[:, 6]],
            "lots": np.abs(fills[:, 3]),
            "price": fills[:, 4] / 100,
            "fee": fills[:, 5] / 100,
            "reason": np.array(FILL_REASONS, dtype=object)[fills[:, 7]],
        }
    )


def unfilled(job: Job, shorts: IntArray) -> pd.DataFrame:
    """Return the orders that did not fill whole."""
    names = np.array([*job.contracts, ""], dtype=object)
    return pd.DataFrame(
        {
            "session": job.market.sessions[shorts[:, 0]],
            "leg": np.array(job.legs, dtype=object)[shorts[:, 1]],
            "contract": names[shorts[:, 2]],
            "wanted": shorts[:, 3],
            "filled": shorts[:, 4],
            "reason": np.array(SHORTFALLS, dtype=object)[shorts[:, 5]],
        }
    )


def positions(job: Job, positions: IntArray) -> pd.DataFrame:
    """Return all lots held after each session."""
    t, leg, k = np.nonzero(positions)
    lots = positions[t, leg, k]
    settle, size, rate = job.prices.settle[t, k], job.terms.multiplier[k], job.terms.margin[t, k]
    # Rounded half up as the ledger does.
    margin = (np.abs(lots) * settle * size * rate + MARGIN_SCALE // 2) // MARGIN_SCALE
    return pd.DataFrame(
        {
            "session": job.market.sessions[t],
            "leg": np.array(job.legs, dtype=object)[leg],
            "contract": np.array(job.contracts, dtype=object)[k],
            "lots": lots,
            "settle": settle / 100,
            "margin": margin / 100,
        }
    )


def by_leg(job: Job, booked: Mapping[str, Any], limits: IntArray) -> pd.DataFrame:
    """Return profit, fees and slippage of each leg."""
    fills = booked["fills"]
    leg, k, signed, price, fee = (fills[:, n] for n in range(1, 6))
    size = job.terms.multiplier[k]
    last = booked["positions"][-1]
    worth = (last * job.prices.settle[-1] * job.terms.multiplier).sum(axis=1)
    cash = np.bincount(leg, weights=-signed * price * size, minlength=len(job.legs))
    slip = slippage(job, fills, limits)
    table = pd.DataFrame(
        {
            "profit": (cash + worth) / 100,
            "fees": np.bincount(leg, weights=fee, minlength=len(job.legs)) / 100,
            "slippage": np.bincount(leg, weights=slip, minlength=len(job.legs)) / 100,
        },
        index=pd.Index(job.legs, name="leg"),
    )
    table["net"] = (table["profit"] - table["fees"]).round(2)
    return table


def slippage(job: Job, fills: IntArray, limits: IntArray) -> IntArray:
    """Return what each fill gave up against the price its order was worked at, fen.

    It is paid by orders worked at the market, not by limits nor at settlement.
    """
    t, k, signed, price = fills[:, 0], fills[:, 2], fills[:, 3], fills[:, 4]
    gap = np.abs(price - job.prices.raw[t, k]) * np.abs(signed) * job.terms.multiplier[k]
    return np.where(at_market(fills, limits), gap, 0)


def at_market(fills: IntArray, limits: IntArray) -> NDArray[np.bool_]:
    """Return which fills were worked at the market: not by limits nor at settlement."""
    resting = (limits[np.maximum(fills[:, 0] - 1, 0)] != 0) & (fills[:, 7] == _SIGNAL)
    market: NDArray[np.bool_] = (fills[:, 7] < _SETTLED) & ~resting
    return market
