"""The same spread in all years, laid over each other by sessions to expiry (月差季节性)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.market import calendar
from sibt.market.contract import Contract
from sibt.market.contract import contract as contract_of
from sibt.market.product import product as product_of

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["busiest_pair", "seasons", "sessions_to_expiry"]


def sessions_to_expiry(market: Market, code: str) -> pd.Series[float]:
    """Return how many sessions a contract still has after each session, 0 on its last.

    Parameters
    ----------
    market : Market
        The panel.
    code : str
        Contract code.

    Returns
    -------
    pd.Series of shape (T,)
        Sessions of the exchange from the session to the last trading day; negative after it,
        NaN throughout where the calendar does not reach that day.
    """
    last = contract_of(code).last_trading
    if last is None:
        return pd.Series(np.nan, index=market.sessions, name=code)
    known = calendar.sessions()
    left = known.searchsorted(last) - known.searchsorted(market.sessions)
    return pd.Series(left.astype(float), index=market.sessions, name=code)


def seasons(
    market: Market,
    near: str,
    far: str,
    price: str = "close",
    *,
    min_volume: float = 10,
    cross_standard: bool = False,
) -> pd.DataFrame:
    """Return a spread and its namesakes of other years by sessions to the near leg's expiry.

    Parameters
    ----------
    market : Market
        The panel.
    near, far : str
        Contract codes of one year's pair; the others deliver in the same two months.
    price, min_volume
        As in `sibt.market.spread.spread`.
    cross_standard : bool
        True to take pairs of two delivery standards in.

    Returns
    -------
    pd.DataFrame of shape (sessions to expiry, pairs)
        Yuan per tonne, near − far; rows from the farthest session down to 0, the near leg's
        last trading day, each session of the exchange a row; columns like
        "si2311-si2312", by year. NaN where the spread is unknown. ``attrs["left_out"]``
        maps each pair that is not there to the reason.

    Raises
    ------
    DataError
        As in `sibt.market.spread.spread`, for the pair that is named; or legs of two products.
    """
    market.spread(near, far, price, min_volume=min_volume, cross_standard=cross_standard)
    first, second = contract_of(near), contract_of(far)
    if first.product is not second.product:
        raise DataError(f"{near} and {far} are two products; they have no common season.")
    lines: dict[str, pd.Series[float]] = {}
    left_out: dict[str, str] = {}
    for a, b in _namesakes(market, first, second):
        name = f"{a}-{b}"
        one, two = contract_of(a), contract_of(b)
        if b not in market.contracts:
            left_out[name] = f"there are no bars of {b}"
        elif one.standard != two.standard and not cross_standard:
            left_out[name] = "its legs are of two delivery standards"
        elif one.last_trading is None:
            left_out[name] = f"the last trading day of {a} lies beyond the known calendar"
        else:
            value = market.spread(
                a, b, price, min_volume=min_volume, cross_standard=cross_standard
            )
            by_left = value.set_axis(sessions_to_expiry(market, a).astype(int))
            known = by_left[by_left.notna() & (by_left.index >= 0)]
            if len(known):
                lines[name] = known
            else:
                left_out[name] = "no session knows both prices"
    deepest = max((int(line.index.max()) for line in lines.values()), default=-1)
    table = pd.DataFrame(lines).reindex(range(deepest, -1, -1)).rename_axis("sessions to expiry")
    table.attrs["left_out"] = left_out
    return table


def busiest_pair(
    market: Market, product: str = "si", *, sessions: int = 20, cross_standard: bool = False
) -> tuple[str, str] | None:
    """Return the adjacent pair of contracts that traded most in the last sessions.

    A pair trades what its thinner leg trades. Where no volume of any pair is known, open
    interest decides in the same way; where that is unknown too, the pair with the dominant
    contract as its near leg, else the nearest one of which both prices are known in the last
    session that knows such a pair.

    Parameters
    ----------
    market : Market
        The panel.
    product : str
        Product code.
    sessions : int
        How many of the last sessions count.
    cross_standard : bool
        True to let the pair be of two delivery standards.

    Returns
    -------
    (str, str) or None
        Near and far; None where no two neighbours have a price in the same session.
    """
    terms = product_of(product)
    codes = [c for c in market.contracts if contract_of(c).product is terms]
    pairs = [
        (a, b)
        for a, b in pairwise(codes)
        if cross_standard or contract_of(a).standard == contract_of(b).standard
    ]
    if not pairs:
        return None
    legs = np.array([[market.column(a), market.column(b)] for a, b in pairs])
    for measure in (market.volume, market.open_interest):
        thinner = measure[-sessions:][:, legs].min(axis=2)
        total = np.where(np.isnan(thinner), 0.0, thinner).sum(axis=0)
        if total.max() > 0:
            return pairs[int(total.argmax())]
    both: NDArray[np.bool_] = market.traded()[:, legs[:, 0]] & market.traded()[:, legs[:, 1]]
    days = np.flatnonzero(both.sum(axis=1))
    if not len(days):
        return None
    last = int(days[-1])
    leader = market.dominant(product, cross_standard=True).iloc[last]
    standing = [pair for pair, there in zip(pairs, both[last], strict=True) if there]
    return next((pair for pair in standing if pair[0] == leader), standing[0])


def _namesakes(market: Market, near: Contract, far: Contract) -> list[tuple[str, str]]:
    """Return the pairs of the same two delivery months of which the market has the near leg."""
    years = far.month.year - near.month.year
    found = []
    for code in market.contracts:
        life = contract_of(code)
        if life.product is near.product and life.month.month == near.month.month:
            year = (life.month.year + years) % 100
            found.append((code, f"{far.product.name}{year:02d}{far.month.month:02d}"))
    return found
