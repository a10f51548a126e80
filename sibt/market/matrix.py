"""All spreads of one session: each with its place in its own history and its share of carry."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.market.contract import contract as contract_of
from sibt.market.product import product as product_of

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["matrix"]

#: With fewer sessions a percentile says nothing.
LEAST = 20


def matrix(
    market: Market,
    on: pd.Timestamp | str | None = None,
    price: str = "settle",
    *,
    product: str = "si",
    min_volume: float = 0,
    cross_standard: bool = False,
) -> pd.DataFrame:
    """Return every spread of a session, with its percentile and its share of full carry.

    Parameters
    ----------
    market : Market
        The panel.
    on : pd.Timestamp or str, optional
        The session; by default the last. Nothing later is looked at.
    price : {"settle", "close"}
        Which price.
    product : str
        Product code.
    min_volume : float
        Lots each leg must have traded for a session to count. The default takes every
        settlement, which the exchange makes for a month without trade too; take 10 or more
        for closes.
    cross_standard : bool
        True to take pairs of two delivery standards in.

    Returns
    -------
    pd.DataFrame
        One row a pair of contracts that have the price in that session, with columns

        - near, far : contract codes
        - spread : near − far, yuan per tonne
        - percentile : share of the sessions of its own history up to this one with a spread
          not above this one's, 0 to 100; NaN with fewer than 20 sessions
        - sessions : how many those are
        - low, high : the smallest and largest spread among them, yuan per tonne
        - carry : full cost of carrying receipts from near to far, yuan per tonne
        - share : (far − near) / carry; 1 is full carry, below 0 the near month is dearer
        - no_spread, no_percentile, no_share : why the figure is not known, else ""

    Raises
    ------
    DataError
        The day is before the market's first.
    TermsError
        The product has no terms at all.
    """
    known = market if on is None else market.asof(on)
    terms = product_of(product)
    prices = known.price(price)[-1]
    codes = [
        code for number, code in enumerate(known.contracts)
        if not np.isnan(prices[number]) and contract_of(code).product is terms
    ]
    rows = [
        _pair(known, near, far, price, min_volume, cross_standard)
        for near, far in combinations(codes, 2)
    ]
    return pd.DataFrame(rows, columns=list(_BLANK))


_BLANK: dict[str, Any] = {
    "near": "", "far": "", "spread": np.nan, "percentile": np.nan, "sessions": 0, "low": np.nan,
    "high": np.nan, "carry": np.nan, "share": np.nan, "no_spread": "", "no_percentile": "",
    "no_share": "",
}


def _pair(
    market: Market, near: str, far: str, price: str, min_volume: float, cross: bool
) -> dict[str, Any]:
    row = {**_BLANK, "near": near, "far": far}
    first, second = contract_of(near), contract_of(far)
    if first.standard != second.standard and not cross:
        why = "the legs are of two delivery standards: two goods"
        return {**row, "no_spread": why, "no_percentile": why, "no_share": why}
    series = market.spread(near, far, price, min_volume=min_volume, cross_standard=cross)
    now = float(series.iloc[-1])
    history = series.to_numpy(dtype=float)
    history = history[~np.isnan(history)]
    row["sessions"] = len(history)
    if np.isnan(now):
        why = f"a leg traded fewer than {min_volume:g} lots"
        return {**row, "no_spread": why, "no_percentile": why, "no_share": why}
    row.update(spread=now, low=float(history.min()), high=float(history.max()))
    if len(history) < LEAST:
        row["no_percentile"] = f"fewer than {LEAST} sessions"
    else:
        row["percentile"] = 100.0 * float((history <= now).mean())
    if not first.product.carry:
        return {**row, "no_share": "the product's file has no cost of carrying receipts"}
    cost = market.carry(near, far, price, cross_standard=cross)
    if "no_bound" in cost.attrs:
        return {**row, "no_share": str(cost.attrs["no_bound"])}
    carried = float(cost.iloc[-1])
    return {**row, "carry": carried, "share": -now / carried if carried > 0 else np.nan}
