"""Paper against goods: open interest over registered receipts (虚实比)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["paper_ratio"]


def paper_ratio(
    market: Market, product: str = "si", contracts: pd.Series[Any] | None = None
) -> pd.DataFrame:
    """Return open interest × lot ÷ receipts, both in tonnes, by session.

    Parameters
    ----------
    market : Market
        The panel.
    product : str
        Product code.
    contracts : pd.Series, optional
        Contract by session; by default the nearest one a company may still open and keep,
        which is the delivery month's until the eve of its last trading day. Goods of another
        standard take its place in time: the ratio compares lots, not prices.

    Returns
    -------
    pd.DataFrame of shape (T, 4)
        ``contract``; ``paper``, its open interest in tonnes; ``goods``, registered receipts
        in tonnes; ``ratio``, paper ÷ goods. NaN where either is unknown, and the ratio where
        there are no receipts at all.

    Notes
    -----
    The receipts are those of the product, for all months together, and open interest is
    counted on one side, as the exchange publishes it.
    """
    if contracts is None:
        contracts = market.near("company", product, cross_standard=True)
    lot = market.product(product).multiplier
    held = np.full(len(market.sessions), np.nan)
    codes = contracts.reindex(market.sessions).to_numpy(dtype=object)
    for code in {c for c in codes if isinstance(c, str)}:
        own = codes == code
        held[own] = market.open_interest[own, market.column(code)]
    paper, goods = held * lot, market.receipts.to_numpy(dtype=float) * lot
    ratio = np.full(len(held), np.nan)
    np.divide(paper, goods, out=ratio, where=goods > 0)
    return pd.DataFrame(
        {"contract": codes, "paper": paper, "goods": goods, "ratio": ratio},
        index=market.sessions,
    )
