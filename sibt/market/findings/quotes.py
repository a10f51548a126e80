"""What spot, receipts, terms and the line between two standards show beside the bars."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import TermsError
from sibt.market import calendar
from sibt.market.contract import Contract, contract
from sibt.market.findings.finding import Finding
from sibt.market.panel import Market
from sibt.market.product import Product
from sibt.market.product import product as product_of

__all__ = ["CHECKS", "listed_dates"]

FloatArray = NDArray[np.float64]

_WEEK = pd.Timedelta(days=7)
#: Sessions that may pass between two quotes: a weekly quote, and a holiday.
_SESSIONS = 5
#: Sources that quote 441: one that names it is believed, 生意社 (100ppi) is known to.
_ANOTHER_GRADE = {
    "wrong": re.compile(r"441"),
    "doubtful": re.compile(r"100ppi|生意社", re.IGNORECASE),
}
_AVERAGED = re.compile(r"vwap|aggregat|_agg\b|average|均价", re.IGNORECASE)
#: Common quotes of two grades before anything is said of them.
_ENOUGH = 10
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
                        f"the settlement comes from '{word}': an average of trades, not the"
                        " exchange's settlement",
                        "bring the exchange's settlements",
                    )
                )
    return found


def spot_stale(market: Market) -> list[Finding]:
    """Grades whose last quote is more than a week before the last session."""
    found = []
    end = market.sessions[-1]
    for grade, quotes in market.spot.items():
        known = quotes.dropna()
        if known.empty:
            found.append(
                Finding(
                    "doubtful", "spot stale", f"spot {grade}", None, None, 0,
                    "no quote falls on a session of the bars", "bring quotes of the same years",
                )
            )
        elif end - known.index[-1] > _WEEK:
            missing = int((market.sessions > known.index[-1]).sum())
            found.append(
                Finding(
                    "doubtful", "spot stale", f"spot {grade}", known.index[-1], end, missing,
                    f"the last quote, {known.iloc[-1]:,g}, is of {known.index[-1]:%Y-%m-%d}, more"
                    f" than a week before the last session {end:%Y-%m-%d}",
                    "pull or import later quotes; the basis is unknown without them",
                )
            )
    return found


def spot_gaps(market: Market) -> list[Finding]:
    """Grades not quoted for longer than a week between two quotes."""
    found = []
    for grade, quotes in market.spot.items():
        at = np.flatnonzero(quotes.notna())
        days = market.sessions[at]
        long = (np.diff(at) > _SESSIONS) & (np.diff(days) > _WEEK.to_timedelta64())
        where = np.flatnonzero(long)
        if len(where):
            missing = int((np.diff(at)[where] - 1).sum())
            stretches = f" and {len(where) - 1} more" if len(where) > 1 else ""
            first, then = days[where[0]], days[where[0] + 1]
            found.append(
                Finding(
                    "doubtful", "spot gap", f"spot {grade}", first, days[where[-1] + 1], missing,
                    f"no quote for more than a week, from {first:%Y-%m-%d} to {then:%Y-%m-%d}"
                    f"{stretches}",
                    "pull or import the quotes between; nothing is carried forward",
                )
            )
    return found


def grades(market: Market) -> list[Finding]:
    """Quotes of 441 offered as 553, and grades in an order of price that cannot last."""
    spot = market.spot
    if "553" not in spot:
        return []
    offered = spot["553"]
    found = []
    others = {str(name): spot[name] for name in spot if "441" in str(name)}
    for name in market.series["name"].unique():
        if "441" in str(name):
            rows = market.series[market.series["name"] == name].drop_duplicates("date", keep="last")
            values = rows.set_index("date")["value"].reindex(market.sessions)
            others[str(name)] = values
    for name, quotes in others.items():
        both = offered.notna() & quotes.notna()
        same = both & (offered == quotes)
        if both.sum() >= _ENOUGH and same.sum() >= 0.95 * both.sum():
            found.append(
                _quoted(
                    "wrong", "441 as 553", same,
                    f"the quotes of 553 are those of {name} on {int(same.sum())} of"
                    f" {int(both.sum())} days: one grade is offered under two names",
                    "name them 441; 441 is a better grade and never the basis of 553",
                )
            )
    found += _order(market, offered)
    return found


def _order(market: Market, offered: pd.Series[float]) -> list[Finding]:
    """Return quotes of 553 that do not stand to 421 as 553 does."""
    if "421" not in market.spot:
        return []
    better = market.spot["421"]
    both = offered.notna() & better.notna()
    if both.sum() < _ENOUGH:
        return []
    found = []
    premium = _premium(market)
    for bad, what in (
        (both & (offered < better - premium), f"below 421 less {premium:,g} yuan"),
        (both & (offered >= better), "at or above 421, a better grade"),
    ):
        if bad.sum() >= 0.8 * both.sum():
            found.append(
                _quoted(
                    "doubtful", "grade order", bad,
                    f"553 is quoted {what} on {int(bad.sum())} of {int(both.sum())} days, as if"
                    " one of the two were another grade",
                    "look up which grade the source quotes: 441 and 421 for silicone are not 553",
                )
            )
    return found


def _premium(market: Market) -> float:
    """Return the largest premium of 421 by any standard of the market's contracts."""
    premiums = [
        float(row["grades"]["421"])
        for life in _lives(market)
        for row in life.product.standards
        if "421" in row["grades"]
    ]
    return max(premiums, default=2000.0)


def _quoted(
    severity: str, check: str, where: pd.Series[bool], what: str, cure: str
) -> Finding:
    days = where.index[where.to_numpy()]
    return Finding(severity, check, "spot 553", days[0], days[-1], len(days), what, cure)


def receipts(market: Market) -> list[Finding]:
    """Find the yearly cancellation of receipts, and counts that stand alone."""
    known = market.receipts.dropna()
    if len(known) < 2:
        return []
    ends = {
        month
        for life in _lives(market)
        if (month := life.product.receipts_cancelled_after_month) is not None
    }
    found = []
    days, lots = pd.DatetimeIndex(known.index), np.asarray(known, dtype=np.float64)
    for at in np.flatnonzero(np.diff(lots) < 0).tolist():
        before, after, had, has = days[at], days[at + 1], lots[at], lots[at + 1]
        crosses = [
            month
            for month in ends
            if before.month <= month and (after.year, after.month) > (before.year, month)
        ]
        if crosses:
            found.append(
                Finding(
                    "evidence", "cancellation", "receipts", before, after, 1,
                    f"receipts go from {had:,.0f} lots on {before:%Y-%m-%d} to {has:,.0f} on"
                    f" {after:%Y-%m-%d} ({has / had - 1:+.0%}) across the end of November",
                    "none: old receipts are cancelled there each year, in part",
                )
            )
    return found + _slips(days, lots)


def _slips(days: pd.DatetimeIndex, lots: FloatArray) -> list[Finding]:
    """Return counts a fifth or five times of both the one before and the one after."""
    log = np.log(np.where(lots > 0, lots, np.nan))
    step = np.diff(log)
    slip = np.zeros(len(log), dtype=bool)
    slip[1:-1] = (np.abs(step[:-1]) > np.log(5)) & (np.abs(step[1:]) > np.log(5))
    slip[1:-1] &= step[:-1] * step[1:] < 0
    # Small counts jump by themselves.
    slip[1:-1] &= np.fmin(lots[:-2], lots[2:]) >= 1_000
    rows = np.flatnonzero(slip)
    if not len(rows):
        return []
    at = int(rows[0])
    return [
        Finding(
            "doubtful", "receipts slip", "receipts", days[at], days[rows[-1]], len(rows),
            f"{lots[at]:,.0f} lots stand alone between {lots[at - 1]:,.0f} and"
            f" {lots[at + 1]:,.0f}",
            "compare with the exchange's daily table (lots, not tonnes)",
        )
    ]


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
    left, came = lead.iloc[earlier[-1]], lead.iloc[row]
    old = market.close[earlier[-1], market.column(left)]
    new = market.close[row, market.column(came)]
    return (
        f"; the dominant close goes from {old:,.0f} ({left}) to {new:,.0f} ({came}) on"
        f" {market.sessions[row]:%Y-%m-%d}"
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
                    f"the stored {item} of {value[at]:g} is far from {file[at]:g} in the product"
                    " file",
                    "look the notice up; a broker's rate or a per cent read as a share is no"
                    " exchange term",
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
    sources, grades, spot_stale, spot_gaps, receipts, terms, two_goods,
)
