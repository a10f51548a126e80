"""Terms a source reports: what of them is news beside what is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sibt.market import calendar
from sibt.market.product import Product
from sibt.market.product import product as product_of

__all__ = ["news"]

#: Shares are published to a hundredth of a per cent of a per cent; less is rounding.
_SAME = 1e-7


def news(product: str, observed: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the observed terms that differ from what is in force on their day.

    Rows are weighed in the order of their days, each against the product's file, `known` and
    the news before it, so that a value which stands for months is news on its first day only.

    Parameters
    ----------
    product : str
        Product code.
    observed : pd.DataFrame
        ``contract, item, from, value, source, confidence`` as in
        `sibt.market.product.Product.extended`: what a source says of a contract on a day.
    known : pd.DataFrame
        The store's rows of the same kind.

    Returns
    -------
    pd.DataFrame
        The rows that are news, in order of contract, item and day; no rows where the source
        agrees with what is known.
    """
    terms = product_of(product)
    fresh: list[int] = []
    rows = observed.sort_values(["contract", "item", "from"], ignore_index=True)
    for (code, item), group in rows.groupby(["contract", "item"], sort=False):
        own = known[(known["contract"] == code) & (known["item"] == item)]
        sessions = _around(pd.DatetimeIndex(group["from"]))
        # A limit counts from the session after its day.
        shift = 1 if item == "limit" else 0
        place = sessions.searchsorted(group["from"].to_numpy()) + shift
        read = _reader(str(item), str(code))
        force = read(terms.extended(own), sessions)
        for row, at, value in zip(group.index, place, group["value"], strict=True):
            if abs(force[at] - value) > _SAME:
                fresh.append(row)
                own = pd.concat([own, rows.loc[[row]]], ignore_index=True)
                own = own.drop_duplicates(["contract", "item", "from"], keep="last")
                force = read(terms.extended(own), sessions)
    return rows.loc[fresh].reset_index(drop=True)


def _around(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the sessions from the first day to the session after the last."""
    known = calendar.sessions()
    first = known.searchsorted(days.min())
    return known[first : known.searchsorted(days.max(), side="right") + 1]


def _reader(item: str, code: str) -> Callable[[Product, pd.DatetimeIndex], np.ndarray]:
    """Return how the value in force of an item is read off the terms, by session."""
    if item == "limit":
        return lambda terms, sessions: terms.price_limit(code, sessions)
    if item in ("speculator", "hedger"):
        kind = "hedger" if item == "hedger" else "company"
        return lambda terms, sessions: terms.margin_rate(code, sessions, kind)
    if item.endswith("_per_lot"):
        return lambda terms, sessions: terms.fee_per_lot(
            code, sessions, item.removesuffix("_per_lot")
        )
    return lambda terms, sessions: terms.fee(code, sessions, item)
