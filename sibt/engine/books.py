"""The second book: the ledger's fills run through vectorbt and held against our statement.

vectorbt knows no futures account, so it is given what the ledger decided: size in tonnes,
price and fee of every fill, settlement as the price that values, and enough funds that it
never cuts an order. What it adds are the trade records, statistics and plots of its
ecosystem. It is kept behind this module so that another book can take its place.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.errors import LedgerError

if TYPE_CHECKING:
    from sibt.engine.result import Result

__all__ = ["TOLERANCE", "portfolio", "reconcile"]

#: Largest difference between the books that is rounding and not a fault, yuan.
TOLERANCE = 0.01


def portfolio(result: "Result") -> Any:
    """Return the run as a `vectorbt.Portfolio`, one column a leg and contract, one group.

    Sizes are tonnes, prices yuan per tonne. A session in which one leg trades a contract at
    two prices has a row for each, a microsecond apart; its last row is the settlement.
    """
    import vectorbt as vbt

    job, fills = result.job, result.booked["fills"]
    columns = sorted({(int(f[1]), int(f[2])) for f in fills}) or [(0, 0)]
    place = {pair: number for number, pair in enumerate(columns)}
    orders = _orders(fills, job.terms.multiplier)
    rows, index = _rows(orders, job.market.sessions)
    size = np.full((len(index), len(columns)), np.nan)
    price = np.full_like(size, np.nan)
    fees = np.zeros_like(size)
    for (t, leg, k, turn), (tonnes, at, fee) in orders.items():
        where = (rows[t] + turn, place[leg, k])
        size[where], price[where], fees[where] = tonnes, at, fee
    of_session = np.repeat(np.arange(len(rows)), np.diff([*rows, len(index)]))
    settle = job.prices.settle[:, [k for _, k in columns]] / 100
    # Lots are never held where no settlement is known; vectorbt wants a number all the same.
    known = pd.DataFrame(np.where(settle > 0, settle, np.nan)).ffill().bfill().fillna(1.0)
    names = [f"{job.legs[leg]}:{job.contracts[k]}" if job.legs[leg] != job.contracts[k]
             else job.contracts[k] for leg, k in columns]
    return vbt.Portfolio.from_orders(
        close=pd.DataFrame(known.to_numpy()[of_session], index=index, columns=names),
        size=size,
        size_type="amount",
        direction="both",
        price=price,
        fees=0.0,
        fixed_fees=fees,
        slippage=0.0,
        init_cash=_funds(size, price),
        cash_sharing=True,
        group_by=True,
        freq="1D",
    )


def _orders(fills: Any, multiplier: Any) -> dict[tuple[int, int, int, int], list[float]]:
    """Return (session, leg, contract, turn) → tonnes, price, fee; one price to an order."""
    orders: dict[tuple[int, int, int, int], list[float]] = {}
    turns: dict[tuple[int, int, int], list[int]] = {}
    for t, leg, k, signed, price, fee in fills[:, :6].tolist():
        prices = turns.setdefault((t, leg, k), [])
        # Closing and opening at one price, a reversal, is one order; so is a second close.
        if not prices or prices[-1] != price:
            prices.append(price)
        order = orders.setdefault((t, leg, k, len(prices) - 1), [0.0, price / 100, 0.0])
        order[0] += signed * float(multiplier[k])
        order[2] += fee / 100
    return orders


def _rows(
    orders: dict[tuple[int, int, int, int], list[float]], sessions: pd.DatetimeIndex
) -> tuple[list[int], pd.DatetimeIndex]:
    """Return the first row of each session, and the index with its extra rows."""
    extra = np.zeros(len(sessions), dtype=int)
    for t, _, _, turn in orders:
        extra[t] = max(extra[t], turn)
    stamps: list[pd.Timestamp] = []
    rows: list[int] = []
    for t, session in enumerate(sessions):
        rows.append(len(stamps))
        stamps.extend(session + pd.Timedelta(microseconds=turn) for turn in range(extra[t] + 1))
    return rows, pd.DatetimeIndex(stamps, name="session")


def _funds(size: Any, price: Any) -> float:
    """Return funds no order can exhaust, small enough to leave floats their fen."""
    turnover = np.nansum(np.abs(size * price))
    return float(max(1e6, 2.0 * turnover))


def reconcile(result: "Result") -> float:
    """Return the largest difference between our equity and vectorbt's at a session, yuan.

    Raises
    ------
    LedgerError
        More than `TOLERANCE`.
    """
    book = result.portfolio
    value = book.value() - book.init_cash
    last_row = value.groupby(value.index.normalize()).last()
    ours = result.statement["equity"] - result.statement["deposit"].cumsum()
    theirs = last_row.reindex(ours.index) + result.job.account.capital
    difference = (ours - theirs).abs()
    worst = float(difference.max())
    if not worst <= TOLERANCE:
        raise LedgerError(
            f"The two books differ by {worst:,.2f} yuan on {difference.idxmax():%Y-%m-%d}; this is"
            " a fault of ours: please report the command and its manifest.json."
        )
    return worst
