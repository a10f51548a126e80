"""What goods and futures came to: the effective price per tonne, and what the hedge cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sibt.engine.ledger import FILL_REASONS
from sibt.engine.result import Result
from sibt.errors import DataError
from sibt.hedging.physical import PhysicalBook

__all__ = ["Cost", "Outcome", "cost", "outcome", "traded", "valued"]

_SIGNAL = FILL_REASONS.index("signal")
_SETTLED = FILL_REASONS.index("exit date, at settlement")


@dataclass(frozen=True)
class Outcome:
    """Goods and futures together, from the eve of the first session that counts to the last quote.

    Attributes
    ----------
    side : int
        1 for goods that are sold, −1 for goods that are needed and bought.
    tonnes : float
        Tonnes sold (bought) and left; what is sold after the last quote counts as left.
    left : float
        Of these, tonnes left at the last quote.
    came : float
        What the goods were worth when they came, yuan: what a purchase cost, the quote of the
        session for the rest.
    value : float
        What they brought (cost), yuan, those left at the last quote.
    physical : float
        Gain of the goods, yuan: `side` × (`value` − `came`).
    futures : float
        Result of the futures account after fees, yuan, to its last session.
    costs : float
        Further costs, such as those of delivery, yuan.
    last_quote : pd.Timestamp
        Session of the last quote.
    """

    side: int
    tonnes: float
    left: float
    came: float
    value: float
    physical: float
    futures: float
    costs: float
    last_quote: pd.Timestamp

    @property
    def price(self) -> float:
        """Effective price (cost, for what was needed), yuan per tonne."""
        return (self.value + self.side * (self.futures - self.costs)) / self.tonnes

    @property
    def unhedged(self) -> float:
        """Price without futures, yuan per tonne."""
        return self.value / self.tonnes

    @property
    def start(self) -> float:
        """Price at which the goods came, yuan per tonne."""
        return self.came / self.tonnes

    def better(self, other: "Outcome") -> float:
        """Return by how much this price is better than another, yuan per tonne."""
        return self.side * (self.price - other.price)


def outcome(
    book: PhysicalBook, futures: float, sessions: pd.DatetimeIndex, *, costs: float = 0.0
) -> Outcome:
    """Return what goods and futures came to.

    Effective price = (value of goods sold + goods left at the last quote + futures net −
    costs) ÷ tonnes; for goods needed, the cost of what was bought − futures net + costs. Hull,
    Options, Futures, and Other Derivatives, section 3.3, carried over to many sales.

    Parameters
    ----------
    book : PhysicalBook
        The goods.
    futures : float
        Result of the futures account after fees, yuan.
    sessions : pd.DatetimeIndex
        Sessions that count, in one piece. Goods owned before come in at the last quote before.
    costs : float
        Further costs, yuan.

    Raises
    ------
    DataError
        No goods, or no quote, in these sessions.
    """
    if not len(sessions):
        raise DataError("No session counts, so the goods have no price; let the run end later.")
    quoted = book.spot.dropna()
    counted = quoted[(quoted.index >= sessions[0]) & (quoted.index <= sessions[-1])]
    if not len(counted):
        raise DataError(
            f"No spot quote of {book.grade} lies in {sessions[0]:%Y-%m-%d}.."
            f"{sessions[-1]:%Y-%m-%d}, so the goods have no price; bring spot.csv with quotes of"
            " these days."
        )
    before = quoted[quoted.index < sessions[0]]
    stock = float(book.tonnes[before.index[-1]]) if len(before) else 0.0
    left = float(book.tonnes[counted.index[-1]])
    trades = valued(book, pd.DatetimeIndex(counted.index))
    owned = np.append(stock, book.tonnes[counted.index].to_numpy())
    largest = float(owned[np.abs(owned).argmax()])
    side = -1 if largest < 0 else 1
    # Sales empty a book of goods, purchases one of needs; what goes the other way comes in.
    goes = trades.index.isin(book.sold.index) & (np.sign(trades["tonnes"]) == -side)
    tonnes = side * left - side * float(trades.loc[goes, "tonnes"].sum())
    if largest == 0.0 or tonnes <= 0.0:
        raise DataError(
            f"There are no goods in {sessions[0]:%Y-%m-%d}..{sessions[-1]:%Y-%m-%d} to put a price"
            " on; give the strategy an exposure of other than zero tonnes in its run."
        )
    came = stock * float(before.iloc[-1]) if len(before) else 0.0
    came -= float(trades.loc[~goes, "value"].sum())
    value = float(trades.loc[goes, "value"].sum()) + left * float(counted.iloc[-1])
    physical = float(book.profit[counted.index].sum())
    return Outcome(
        side=side,
        tonnes=tonnes,
        left=abs(left),
        came=side * came,
        value=side * value,
        physical=physical,
        futures=futures,
        costs=costs,
        last_quote=counted.index[-1],
    )


def valued(book: PhysicalBook, quotes: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the trades that are valued at these quotes, ``quoted`` saying at which.

    A trade is valued at the quote of its session or the next one.
    """
    known = book.spot.dropna().index
    place = known.searchsorted(pd.DatetimeIndex(book.trades["session"]))
    days = pd.Series(known).reindex(place).to_numpy()
    trades = book.trades.assign(quoted=days)
    return trades[trades["quoted"].isin(quotes)]


@dataclass(frozen=True)
class Cost:
    """What a hedge cost, yuan; positive is paid.

    Attributes
    ----------
    fees, slippage : float
        Of all fills but those of rolls.
    rolls : float
        Fees and slippage of rolls.
    spread : float
        What the rolls paid from contract to contract (negative: received). No cash moves with
        it: it comes in as the new contract meets spot, and so is in the futures result.
    tonnes : float
        Tonnes it is spread over.
    """

    fees: float
    slippage: float
    rolls: float
    spread: float
    tonnes: float

    @property
    def total(self) -> float:
        """Fees and slippage of all fills, yuan; without `spread`, which was not paid out."""
        return self.fees + self.slippage + self.rolls

    @property
    def per_tonne(self) -> float:
        """Total per tonne, yuan."""
        return self.total / self.tonnes


def cost(
    result: Result, sessions: pd.DatetimeIndex, tonnes: float, *, spread: float = 0.0
) -> Cost:
    """Return what the fills of a hedge cost.

    Parameters
    ----------
    result : Result
        The futures account.
    sessions : pd.DatetimeIndex
        Sessions that count.
    tonnes : float
        Tonnes to spread it over, positive.
    spread : float
        Paid (+) or received (−) from contract to contract in rolls, yuan: the total of the roll
        table.
    """
    fills = traded(result, sessions)
    rolled = fills["reason"] == "roll"
    return Cost(
        fees=float(fills.loc[~rolled, "fee"].sum()),
        slippage=float(fills.loc[~rolled, "slippage"].sum()),
        rolls=float(fills.loc[rolled, ["fee", "slippage"]].to_numpy().sum()),
        spread=spread,
        tonnes=tonnes,
    )


def traded(result: Result, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the fills of some sessions with what they cost, yuan.

    Returns
    -------
    pd.DataFrame
        ``session, reason, fee, slippage`` and ``gain``: what the fill gained to its session's
        settlement before slippage. Limits and fills at settlement pay no slippage.
    """
    job, fills = result.job, result.booked["fills"]
    t, _, k, signed, price, fee, _, reason = fills.T
    size = job.terms.multiplier[k]
    # As `sibt.engine.statement.by_leg` counts it.
    limited = (result.limits[np.maximum(t - 1, 0)] != 0) & (reason == _SIGNAL)
    market = (reason < _SETTLED) & ~limited
    slip = np.where(market, np.abs(price - job.prices.raw[t, k]) * np.abs(signed) * size, 0)
    gain = signed * size * (job.prices.settle[t, k] - price) + slip
    table = pd.DataFrame(
        {
            "session": job.market.sessions[t],
            "reason": np.array(FILL_REASONS, dtype=object)[reason],
            "fee": fee / 100,
            "slippage": slip / 100,
            "gain": gain / 100,
        }
    )
    return table[table["session"].isin(sessions)]
