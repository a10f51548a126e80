"""Basis and basis rate of each deliverable grade against the dominant contract (基差, 基差率)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sibt.errors import DataError
from sibt.market.contract import contract as contract_of

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["basis_by_grade", "undeliverable"]


def basis_by_grade(market: Market, product: str = "si", price: str = "close") -> pd.DataFrame:
    """Return quote, basis and basis rate of every deliverable grade that is quoted.

    Each session goes by its own dominant contract, of whichever delivery standard, and each
    quote is brought to that contract's standard by the grade's premium. So a session never
    mixes two goods; sessions of two standards do not compare, which is why ``standard`` is
    told.

    Parameters
    ----------
    market : Market
        The panel.
    product : str
        Product code.
    price : {"open", "high", "low", "close", "settle"}
        Which futures price.

    Returns
    -------
    pd.DataFrame
        One row a grade and session: session, grade, contract, standard, futures, quote,
        brought (quote less the grade's premium), basis (brought − futures), all yuan per
        tonne, and rate (basis / brought). NaN and None are unknown. Empty where no
        deliverable grade is quoted.

    Raises
    ------
    DataError
        The market has no contract of the product, or no such price.
    """
    leaders = market.dominant(product, cross_standard=True)
    codes = leaders.to_numpy(dtype=object)
    futures = np.full(len(codes), np.nan)
    prices = market.price(price)
    for code in {c for c in codes if c is not None}:
        own = codes == code
        futures[own] = prices[own, market.column(code)]
    standards = [None if code is None else contract_of(code).standard for code in codes]
    parts = []
    for grade in _deliverable(market, product):
        try:
            basis = market.basis(
                grade, price=price, product=product, cross_standard=True
            ).to_numpy(dtype=float)
        except DataError:  # no quotes of it
            continue
        brought = basis + futures
        parts.append(pd.DataFrame({
            "session": market.sessions,
            "grade": grade,
            "contract": codes,
            "standard": standards,
            "futures": futures,
            "quote": market.spot[_column(market, grade)].to_numpy(dtype=float),
            "brought": brought,
            "basis": basis,
            "rate": basis / brought,
        }))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)


def undeliverable(market: Market, product: str = "si") -> pd.DataFrame:
    """Return the quotes of grades that cannot be delivered, sessions × grades.

    Such a grade (441) has no basis: nothing turns it into what the contract delivers.
    """
    known = _deliverable(market, product)
    return market.spot[[name for name in market.spot.columns if str(name) not in known]]


_COLUMNS = [
    "session", "grade", "contract", "standard", "futures", "quote", "brought", "basis", "rate",
]


def _deliverable(market: Market, product: str) -> list[str]:
    rows = market.product(product).standards
    return list(dict.fromkeys(str(g) for row in rows for g in row.get("grades", {})))


def _column(market: Market, grade: str) -> object:
    return next(name for name in market.spot.columns if str(name) == grade)
