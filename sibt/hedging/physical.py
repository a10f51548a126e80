"""The physical book: tonnes at risk, marked at spot, and what they brought in."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, StrategyError, did_you_mean
from sibt.hedging.exposure import Exposure, exposure_of
from sibt.market.panel import Market

__all__ = ["PhysicalBook", "gains", "physical_book", "quotes", "unmarked"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PhysicalBook:
    """Tonnes at risk and what they gained.

    Attributes
    ----------
    grade : str
        Spot grade that prices the book.
    tonnes : pd.Series of shape (T,)
        Tonnes after each session, + owned, − needed; sales make it smaller.
    spot : pd.Series of shape (T,)
        Quotes, yuan per tonne; NaN where none was made.
    profit : pd.Series of shape (T,)
        Gain since the last quote of what was owned then, yuan; NaN in a session without a
        quote. Tonnes traded between two quotes are valued at the second, and what their agreed
        price differs from it is gained there too.
    trades : pd.DataFrame
        ``session, what, tonnes, price, value``: the price is the agreed one, else the quote of
        the session or the next one (NaN after the last quote); ``value`` is − tonnes × price,
        yuan, what a sale brought in (+) or a purchase cost (−).
    unknown : int
        Sessions with tonnes at risk and no quote.
    """

    grade: str
    tonnes: "pd.Series[float]"
    spot: "pd.Series[float]"
    profit: "pd.Series[float]"
    trades: pd.DataFrame = field(repr=False)
    unknown: int

    @property
    def sold(self) -> pd.DataFrame:
        """Trades that turned goods into money or money into needed goods."""
        trades = self.trades
        met = (trades["what"] == "need") & (trades["tonnes"] > 0)
        return trades[met | trades["what"].isin(("sale", "purchase", "delivery"))]

    @property
    def opening(self) -> float:
        """What came into the book without a price, at the quotes of its sessions, yuan.

        Output, inventory, and needs, which count negative. So Σ profit = Σ value of `sold` +
        tonnes left × last quote − opening.
        """
        came = self.trades.drop(self.sold.index)
        return float(-came["value"].sum())


def physical_book(
    market: Market, goods: "Exposure | pd.Series[float]", grade: str = "553"
) -> PhysicalBook:
    """Mark goods at the spot quotes of their grade.

    Parameters
    ----------
    market : Market
        Its ``spot`` holds the quotes.
    goods : Exposure, or pd.Series of tonnes
        The goods; for a plain series see `sibt.hedging.exposure.exposure_of`.
    grade : str
        Grade of a plain series, such as ``553``.

    Raises
    ------
    DataError
        The market has no quotes of the grade.
    StrategyError
        Tonnes named for days that are no sessions, or not finite.
    """
    grade = goods.grade if isinstance(goods, Exposure) else grade
    spot = quotes(market, grade)
    if not isinstance(goods, Exposure):
        goods = exposure_of(goods, grade, market)
    owned, quoted = goods.owned, spot.dropna()
    gain = quoted.diff() * owned.reindex(quoted.index).shift(1)
    profit = gain.fillna(0.0).reindex(market.sessions)
    trades = _priced(goods.trades, quoted)
    agreed = trades[goods.trades["price"].notna() & trades["quoted"].notna()]
    better = (agreed["tonnes"] * (agreed["quote"] - agreed["price"])).groupby(agreed["quoted"])
    if len(agreed):
        profit = profit + better.sum().reindex(market.sessions, fill_value=0.0)
    before = owned.shift(1, fill_value=0.0)
    return PhysicalBook(
        grade=grade,
        tonnes=owned.rename("tonnes"),
        spot=spot.rename("spot"),
        profit=profit.rename("physical"),
        trades=trades[["session", "what", "tonnes", "price", "value"]],
        unknown=int(((before != 0) & spot.isna()).sum()),
    )


def gains(market: Market, owned: FloatArray, grade: str) -> FloatArray:
    """Return what many columns of tonnes gained, each as `physical_book` says.

    Parameters
    ----------
    market : Market
        Its ``spot`` holds the quotes.
    owned : ndarray of shape (T, N)
        Tonnes after each session, + owned, − needed; NaN keeps the last value.
    grade : str
        Spot grade of them all.

    Returns
    -------
    ndarray of shape (Q, N)
        Yuan at each quote since the one before, zero at the first.

    Raises
    ------
    DataError, StrategyError
        As `physical_book`.
    """
    spot = quotes(market, grade).to_numpy(dtype=float)
    tonnes = np.asarray(owned, dtype=float)
    if np.isnan(tonnes).any():
        tonnes = pd.DataFrame(tonnes).ffill().fillna(0.0).to_numpy()
    if not np.isfinite(tonnes).all():
        raise StrategyError("The exposure holds an infinite number of tonnes.")
    known = np.flatnonzero(~np.isnan(spot))
    found = np.zeros((len(known), tonnes.shape[1]))
    found[1:] = tonnes[known[:-1]] * np.diff(spot[known])[:, None]
    return found


def quotes(market: Market, grade: str) -> "pd.Series[float]":
    """Return the spot quotes of a grade, yuan per tonne, shape (T,); NaN where none was made.

    Raises
    ------
    DataError
        The market has no quotes of it.
    """
    if grade not in market.spot.columns:
        known = list(market.spot.columns)
        raise DataError(
            f"The exposure is in grade '{grade}', for which the market"
            f" ({market.provenance.source}) has no quotes; it has {', '.join(known) or 'none'}."
            f" Bring spot.csv (date, grade, price).{did_you_mean(grade, known)}"
        )
    return market.spot[grade]


def unmarked(market: Market, owned: FloatArray, grade: str) -> dict[int, str]:
    """Return why goods are no exposure where no quote ever marks them, by column.

    Their gain is unknown, and counted as zero it would leave the futures alone in the result.

    Parameters
    ----------
    market : Market
        Its ``spot`` has the grade.
    owned : ndarray of shape (T, N)
        Tonnes after each session.
    grade : str
        Spot grade of them all.
    """
    known = np.flatnonzero(quotes(market, grade).notna())
    risky = np.asarray(owned) != 0
    seen = risky[: known[-1] + 1 if len(known) else 0].any(axis=0)
    return {
        n: f"The market ({market.provenance.source}) has no quote of {grade} from"
        f" {market.sessions[risky[:, n].argmax()]:%Y-%m-%d} on, when the goods come, so that what"
        " they gain is unknown; bring spot.csv (date, grade, price) with quotes of these days."
        for n in np.flatnonzero(risky.any(axis=0) & ~seen).tolist()
    }


def _priced(trades: pd.DataFrame, quoted: "pd.Series[float]") -> pd.DataFrame:
    """Return trades with the session and price of the next quote, their price and value."""
    place = quoted.index.searchsorted(pd.DatetimeIndex(trades["session"]))
    days = pd.Series(quoted.index).reindex(place).to_numpy()
    at_quote = quoted.reset_index(drop=True).reindex(place).to_numpy()
    price = trades["price"].astype(float).to_numpy()
    table = trades.assign(quoted=days, quote=at_quote)
    table["price"] = pd.Series(price, table.index).fillna(table["quote"])
    table["value"] = -table["tonnes"] * table["price"]
    return table
