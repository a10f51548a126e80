"""The physical book: tonnes owned, marked at spot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sibt.errors import DataError, StrategyError, did_you_mean
from sibt.market.panel import Market

__all__ = ["PhysicalBook", "physical_book"]


@dataclass(frozen=True, eq=False)
class PhysicalBook:
    """Tonnes owned and what they gained.

    Attributes
    ----------
    grade : str
        Spot grade that prices the book.
    tonnes : pd.Series of shape (T,)
        Tonnes owned after each session, + owned; sales make it smaller.
    spot : pd.Series of shape (T,)
        Quotes, yuan per tonne; NaN where none was made.
    profit : pd.Series of shape (T,)
        Gain since the last quote of what was owned then, yuan; NaN in a session without a
        quote. Tonnes sold between two quotes are valued at the second.
    unknown : int
        Sessions with tonnes owned and no quote.
    """

    grade: str
    tonnes: "pd.Series[float]"
    spot: "pd.Series[float]"
    profit: "pd.Series[float]"
    unknown: int


def physical_book(market: Market, tonnes: "pd.Series[float]", grade: str) -> PhysicalBook:
    """Mark tonnes owned at the spot quotes of a grade.

    Parameters
    ----------
    market : Market
        Its ``spot`` holds the quotes.
    tonnes : pd.Series
        Tonnes owned after each session; sessions it does not name keep the last value, zero
        before the first.
    grade : str
        Such as ``553``.

    Raises
    ------
    DataError
        No quotes of the grade.
    StrategyError
        Tonnes named for days that are no sessions, or not finite.
    """
    if grade not in market.spot.columns:
        known = list(market.spot.columns)
        raise DataError(
            f"The exposure is priced on spot grade '{grade}', of which the market"
            f" ({market.provenance.source}) has no quotes; it has {', '.join(known) or 'none'}."
            f" Bring spot.csv (date, grade, price).{did_you_mean(grade, known)}"
        )
    strange = pd.DatetimeIndex(tonnes.index).difference(market.sessions)
    if len(strange):
        raise StrategyError(
            f"The exposure names {strange[0]:%Y-%m-%d}, which is no session; use market.sessions."
        )
    owned = tonnes.reindex(market.sessions).astype(float).ffill().fillna(0.0)
    if not np.isfinite(owned).all():
        raise StrategyError("The exposure holds an infinite number of tonnes.")
    spot = market.spot[grade]
    quoted = spot.dropna()
    gain = (quoted - quoted.shift(1)) * owned.reindex(quoted.index).shift(1)
    profit = gain.reindex(market.sessions)
    profit[spot.notna() & profit.isna()] = 0.0
    before = owned.shift(1, fill_value=0.0)
    return PhysicalBook(
        grade=grade,
        tonnes=owned.rename("tonnes"),
        spot=spot.rename("spot"),
        profit=profit.rename("physical"),
        unknown=int(((before != 0) & spot.isna()).sum()),
    )
