"""What a user asks of the market's pages, checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from sibt.errors import SettingError, did_you_mean
from sibt.market.contract import contract as contract_of
from sibt.market.panel import Market
from sibt.market.seasons import busiest_pair
from sibt.strategy.levels import Level

__all__ = ["Asked", "asked"]


@dataclass(frozen=True)
class Asked:
    """What to draw.

    Attributes
    ----------
    product : str
        Product code.
    on : tuple of pd.Timestamp
        Sessions for the term structure, the newest first; the matrix shows the newest.
    pairs : tuple of (str, str)
        Spreads, near and far; empty where the market has no two neighbours with a price.
    series : tuple of str
        Names of the user's series.
    price : {"settle", "close", None}
        Which price; None takes settlements where they are as many as closes, else closes.
    cross_standard : bool
        True to join what belongs to two delivery standards.
    levels : tuple of Level
        Levels to draw on prices.
    """

    product: str
    on: tuple[pd.Timestamp, ...]
    pairs: tuple[tuple[str, str], ...]
    series: tuple[str, ...]
    price: str | None = None
    cross_standard: bool = False
    levels: tuple[Level, ...] = ()

    def priced(self, settlements: int, closes: int) -> str:
        """Return which price to take where so many of each are known."""
        return self.price or ("settle" if settlements >= closes and settlements else "close")


def asked(
    market: Market,
    *,
    on: Iterable[str] = (),
    spreads: Iterable[str] = (),
    series: Iterable[str] = (),
    product: str | None = None,
    price: str | None = None,
    cross_standard: bool = False,
    levels: Iterable[Level] = (),
) -> Asked:
    """Return what to draw, with defaults for what is left out.

    Parameters
    ----------
    market : Market
        The panel.
    on : iterable of str
        Days as 2024-03-29; by default the last session and those a month, a quarter and a
        year before it.
    spreads : iterable of str
        Pairs as "si2411-si2412"; by default the adjacent pair that traded most in the last
        20 sessions.
    series : iterable of str
        Names; by default all.
    product : str, optional
        Product code; by default that of the market's first contract.
    price : {"settle", "close"}, optional
        Which price.
    cross_standard : bool
        True to join what belongs to two delivery standards.
    levels : iterable of Level
        Levels to draw on prices.

    Raises
    ------
    SettingError
        A day that is no session of the market, a pair that is none, an unknown series or
        product.
    DataError
        No bars of a contract, or legs in the wrong order.
    """
    held = list(dict.fromkeys(contract_of(code).product.name for code in market.contracts))
    if product is None:
        product = held[0]
    elif product not in held:
        raise SettingError(
            f"--product {product} is not in the market ({market.provenance.source}); it holds"
            f" {', '.join(held)}.{did_you_mean(product, held)}"
        )
    days = sorted({_day(market, text) for text in on}, reverse=True) or _days(market)
    pairs = [_legs(market, text, cross_standard) for text in spreads]
    if not pairs:
        busiest = busiest_pair(market, product, cross_standard=cross_standard)
        pairs = [] if busiest is None else [busiest]
    return Asked(
        product=product,
        on=tuple(days),
        pairs=tuple(dict.fromkeys(pairs)),
        series=_names(market, list(series)),
        price=price,
        cross_standard=cross_standard,
        levels=tuple(levels),
    )


def _days(market: Market) -> list[pd.Timestamp]:
    """Return the last session with a price, and those a month, a quarter and a year before."""
    known = market.sessions[np.flatnonzero(market.traded().any(axis=1))]
    last = known[-1]
    found = [last]
    for months in (1, 3, 12):
        at = int(known.searchsorted(last - pd.DateOffset(months=months), side="right")) - 1
        if at >= 0 and known[at] not in found:
            found.append(known[at])
    return found


def _day(market: Market, text: str) -> pd.Timestamp:
    try:
        day = pd.Timestamp(datetime.strptime(text, "%Y-%m-%d"))
    except ValueError:
        raise SettingError(f"--on '{text}' is no day; write it as 2024-03-29.") from None
    first, last = market.sessions[0], market.sessions[-1]
    if not first <= day <= last:
        raise SettingError(
            f"--on {text} is outside the market ({market.provenance.source}), which runs from"
            f" {first:%Y-%m-%d} to {last:%Y-%m-%d}; give a session between them."
        )
    if day not in market.sessions:
        at = int(market.sessions.searchsorted(day))
        raise SettingError(
            f"--on {text}, a {day:%A}, is no session; the nearest are"
            f" {market.sessions[at - 1]:%Y-%m-%d} and {market.sessions[at]:%Y-%m-%d}."
        )
    return day


def _legs(market: Market, text: str, cross: bool) -> tuple[str, str]:
    legs = text.strip().split("-")
    if len(legs) != 2 or not all(legs):
        raise SettingError(
            f"--spread '{text}' is no spread; write near-far, as"
            f" {'-'.join(market.contracts[:2]) if len(market.contracts) > 1 else 'si2411-si2412'}."
        )
    near, far = legs
    for leg in legs:
        market.column(leg)
    first, second = contract_of(near), contract_of(far)
    if first.product is not second.product:
        raise SettingError(
            f"--spread {text} has legs of two products; give two months of one product."
        )
    if first.month >= second.month:
        raise SettingError(
            f"--spread {text}: {near} does not deliver before {far}; the earlier contract comes"
            f" first{f', as {far}-{near}' if near != far else ''}."
        )
    if first.standard != second.standard and not cross:
        raise SettingError(
            f"--spread {text} crosses delivery standards ('{first.standard}' and"
            f" '{second.standard}'): they are two goods; add --cross-standard if that is meant."
        )
    return near, far


def _names(market: Market, wanted: list[str]) -> tuple[str, ...]:
    known = [str(name) for name in market.series["name"].unique()]
    for name in wanted:
        if name not in known:
            raise SettingError(
                f"--series {name} is not in the market ({market.provenance.source}); it has"
                f" {', '.join(known) or 'no series: bring series.csv with the bars'}."
                f"{did_you_mean(name, known)}"
            )
    return tuple(dict.fromkeys(wanted)) or tuple(known)
