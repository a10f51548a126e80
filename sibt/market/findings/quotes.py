"""What sources, terms and the line between two standards show beside the bars."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import TermsError
from sibt.language import said
from sibt.market import calendar
from sibt.market.contract import Contract, contract
from sibt.market.findings import receipts, spot
from sibt.market.findings.finding import Finding
from sibt.market.panel import Market
from sibt.market.product import Product
from sibt.market.product import product as product_of

__all__ = ["CHECKS", "listed_dates"]

FloatArray = NDArray[np.float64]

#: Sources that quote 441: one that names it is believed, 生意社 (100ppi) is known to.
_ANOTHER_GRADE = {
    "wrong": re.compile(r"441"),
    "doubtful": re.compile(r"100ppi|生意社", re.IGNORECASE),
}
_AVERAGED = re.compile(r"vwap|aggregat|_agg\b|average|均价", re.IGNORECASE)
#: A stored term so many times the file's is far from it.
_FAR = 2.0


def sources(market: Market) -> list[Finding]:
    """Quotes and settlements whose own source says that they are something else."""
    found = []
    # A source that names 553 as well says nothing against it.
    quoted = {
        word: span
        for word, span in market.provenance.sources.get("spot 553", {}).items()
        if "553" not in word
    }
    for word, (first, last, count) in quoted.items():
        severity = next((s for s, named in _ANOTHER_GRADE.items() if named.search(word)), None)
        if severity is not None:
            found.append(
                Finding(
                    severity, "441 as 553", "spot 553", first, last, count,
                    f"quotes of 553 come from '{word}', which quotes 441",
                    "name them 441; 441 is a better grade and never the basis of 553",
                )
            )
    for code in market.contracts:
        for word, (first, last, count) in market.provenance.sources.get(
            f"settle {code}", {}
        ).items():
            if _AVERAGED.search(word):
                found.append(
                    Finding(
                        "doubtful", "settle source", code, first, last, count,
                        said("the settlement comes from '{source}': an average of trades, not the"
                             " exchange's settlement", source=word),
                        said("bring the exchange's settlements"),
                    )
                )
    return found


def two_goods(market: Market) -> list[Finding]:
    """Measure the step from the last contract of one delivery standard to the first of the next."""
    found = []
    lives = _lives(market)
    level = np.where(np.isnan(market.settle), market.close, market.settle)
    for near, far in pairwise(range(len(lives))):
        one, two = lives[near], lives[far]
        if one.product is not two.product or one.standard == two.standard:
            continue
        # By closes, so that figures of one kind are set against each other.
        known = ~np.isnan(market.close[:, near]) & ~np.isnan(market.close[:, far])
        prices = market.close if known.any() else level
        known = ~np.isnan(prices[:, near]) & ~np.isnan(prices[:, far])
        if not known.any():
            continue
        step = prices[known, far] - prices[known, near]
        days = market.sessions[known]
        found.append(
            Finding(
                "evidence", "two goods", f"{one.code}|{two.code}", days[0], days[-1],
                int(known.sum()),
                f"{two.code} stands {step.min():+,.0f} to {step.max():+,.0f} yuan from {one.code}"
                f"{_passing(market, one, two)}",
                "none: the delivery standard changed between them, so nothing may be pooled"
                " across",
            )
        )
    return found


def _passing(market: Market, one: Contract, two: Contract) -> str:
    """Return how the dominant price passes from one standard to the next."""
    lead = market.dominant(one.product.name, cross_standard=True)
    names = lead.fillna("").to_numpy(dtype=object)
    after = np.array([name >= two.code for name in names])
    before = np.array(["" < name <= one.code for name in names])
    if not (after.any() and before.any()):
        return ""
    row = int(after.argmax())
    earlier = np.flatnonzero(before[:row])
    if not len(earlier):
        return ""
    last = int(earlier[-1])
    left, came = lead.iloc[last], lead.iloc[row]
    old = market.close[last, market.column(left)]
    closes = market.close[:, market.column(came)]
    days = market.sessions
    # Between the two no contract may be known to lead: the step is that of the next session.
    then = row if np.isnan(closes[last + 1]) else last + 1
    since = "" if then == row else f", known to lead from {days[row]:%Y-%m-%d}"
    return (
        f"; the dominant close goes from {old:,.0f} on {days[last]:%Y-%m-%d} ({left}) to"
        f" {closes[then]:,.0f} on {days[then]:%Y-%m-%d} ({came}{since})"
    )


def terms(market: Market) -> list[Finding]:
    """Find stored terms that are far from the product's file."""
    found = []
    rows = market.terms
    for (code, item), group in rows.groupby(["contract", "item"], sort=False):
        try:
            life = contract(str(code))
        except TermsError:  # a product without a file has nothing to be far from
            continue
        days = pd.DatetimeIndex(group["from"])
        if item == "limit":
            days = pd.DatetimeIndex([calendar.after(day) or day for day in days])
        file = _filed(product_of(life.product.name), str(code), str(item), days)
        value = group["value"].to_numpy(dtype=float)
        comparable = file > 0
        far = comparable & ((value > _FAR * file) | (value * _FAR < file))
        if far.any():
            at = int(far.argmax())
            dates = pd.DatetimeIndex(group["from"])[far]
            found.append(
                Finding(
                    "doubtful", "terms", str(code), dates[0], dates[-1], int(far.sum()),
                    said("the stored {item} of {value:g} is far from {file:g} in the product file",
                         item=item, value=value[at], file=file[at]),
                    said("look the notice up; a broker's rate or a per cent read as a share is no"
                         " exchange term"),
                )
            )
    return found


def _filed(product: Product, code: str, item: str, days: pd.DatetimeIndex) -> FloatArray:
    """Return what the product's file says of an item on days."""
    if item == "limit":
        return product.price_limit(code, days)
    if item in ("speculator", "hedger"):
        return product.margin_rate(code, days, "hedger" if item == "hedger" else "company")
    if item.endswith("_per_lot"):
        return product.fee_per_lot(code, days, item.removesuffix("_per_lot"))
    return product.fee(code, days, item)


def listed_dates(market: Market, listed: pd.DataFrame) -> list[Finding]:
    """Return where the exchange's list of contracts differs from the computed dates.

    Parameters
    ----------
    market : Market
        The panel; contracts it has no bars of are passed over.
    listed : pd.DataFrame
        ``contract, listed, last_trading, last_delivery``, blank where unknown.
    """
    found = []
    names = {"listed": "listing", "last_trading": "last trading day",
             "last_delivery": "last delivery day"}
    rows = listed[listed["contract"].isin(market.contracts)]
    for row in rows.to_dict("records"):
        life = contract(str(row["contract"]))
        for column, name in names.items():
            theirs, ours = row.get(column), getattr(life, column)
            if theirs is None or pd.isna(theirs) or ours is None or pd.Timestamp(theirs) == ours:
                continue
            day = pd.Timestamp(theirs)
            found.append(
                Finding(
                    "doubtful", "contract dates", life.code, day, day, 1,
                    f"the exchange's list gives {day:%Y-%m-%d} as {name}, the rule and the"
                    f" calendar {ours:%Y-%m-%d}",
                    "look the notice up; the run uses the computed day",
                )
            )
    return found


def _lives(market: Market) -> tuple[Contract, ...]:
    return tuple(contract(code) for code in market.contracts)


#: Every check of what stands beside the bars, in the order their findings are shown.
CHECKS: tuple[Callable[[Market], list[Finding]], ...] = (
    sources, *spot.CHECKS, *receipts.CHECKS, terms, two_goods,
)
