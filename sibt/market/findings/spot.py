"""What spot quotes show: gaps, slips, quotes that stand still, and one grade for another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.contract import contract
from sibt.market.findings.finding import Finding
from sibt.market.panel import Market

__all__ = ["CHECKS"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_WEEK = pd.Timedelta(days=7)
#: Sessions that may pass between two quotes: a weekly quote, and a holiday.
_SESSIONS = 5
#: Common quotes of two grades before anything is said of them.
_ENOUGH = 10
#: Quotes before and after that say where one should be, the times of their middle at which it
#: cannot be, and the times of both beside it at which it hardly can.
_BESIDE, _NEVER, _HARDLY = 10, 2.5, 1.25
#: Sessions of the same quote, and how far futures moved meanwhile, that are too much.
_STILL, _MOVED = 60, 0.05
#: Two grades nearer than this to each other day by day are one.
_NEAR = 0.005


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


def spot_slips(market: Market) -> list[Finding]:
    """Quotes that stand far from all those beside them."""
    found = []
    for grade, quotes in market.spot.items():
        known = quotes.dropna()
        price = known.to_numpy(float)
        beside = _middle_beside(price)
        never = np.exp(np.abs(np.log(price / beside))) >= _NEVER
        for severity, where in (("wrong", never), ("doubtful", _alone(price) & ~never)):
            rows = np.flatnonzero(where)
            if len(rows):
                at = int(rows[0])
                found.append(
                    Finding(
                        severity, "spot slip", f"spot {grade}", known.index[at],
                        known.index[rows[-1]], len(rows),
                        f"the quote {price[at]:,g} stands {price[at] / beside[at] - 1:+.0%} from"
                        f" those beside it, about {beside[at]:,g}",
                        "correct it (a slipped decimal point, another unit or grade) or leave it"
                        " out",
                    )
                )
    return found


def _alone(price: FloatArray) -> BoolArray:
    """Return the quotes far from the one before, with the next all the way back."""
    alone = np.zeros(len(price), dtype=bool)
    step = np.diff(np.log(price))
    there, home = step[:-1], step[1:]
    alone[1:-1] = (np.fmin(np.abs(there), np.abs(home)) > np.log(_HARDLY)) & (there * home < 0)
    return alone


def _middle_beside(price: FloatArray) -> FloatArray:
    """Return the median of the quotes before and after each, itself left out."""
    if len(price) < 3:
        return price
    wide = np.pad(price, _BESIDE, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * _BESIDE + 1).copy()
    windows[:, _BESIDE] = np.nan
    ranked = np.sort(windows, axis=1)
    count = (~np.isnan(ranked)).sum(axis=1)
    rows = np.arange(len(price))
    out: FloatArray = (ranked[rows, (count - 1) // 2] + ranked[rows, count // 2]) / 2
    return out


def spot_still(market: Market) -> list[Finding]:
    """Quotes that stay the same for months while futures move."""
    found = []
    # The nearest contract that is known tells whether prices move.
    near = pd.DataFrame(market.close).bfill(axis=1).iloc[:, 0].to_numpy(float)
    for grade, quotes in market.spot.items():
        at = np.flatnonzero(quotes.notna())
        price = quotes.to_numpy(float)[at]
        if not len(at):
            continue
        begin = np.flatnonzero(np.append(True, price[1:] != price[:-1]))
        end = np.append(begin[1:], len(price)) - 1
        spans = []
        for first, last in zip(at[begin].tolist(), at[end].tolist(), strict=True):
            if last - first + 1 >= _STILL:
                moved = near[first : last + 1]
                moved = moved[~np.isnan(moved)]
                if len(moved) and np.ptp(np.log(moved)) > _MOVED:
                    spans.append((first, last))
        if spans:
            first, last = max(spans, key=lambda span: span[1] - span[0])
            days = market.sessions
            found.append(
                Finding(
                    "doubtful", "spot still", f"spot {grade}", days[first], days[last],
                    last - first + 1,
                    f"the quote stays {quotes.iloc[first]:,g} while futures move",
                    "pull or import these quotes again: a source that has nothing may repeat the"
                    " last one",
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
        elif both.sum() >= _ENOUGH:
            near = both & ((offered / quotes - 1).abs() < _NEAR)
            if near.sum() >= 0.9 * both.sum():
                found.append(
                    _quoted(
                        "doubtful", "441 as 553", near,
                        f"the quotes of 553 are within {_NEAR:.1%} of those of {name} on"
                        f" {int(near.sum())} of {int(both.sum())} days",
                        "look up which grade the source quotes; 441 is a better grade and dearer",
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
        for life in map(contract, market.contracts)
        for row in life.product.standards
        if "421" in row["grades"]
    ]
    return max(premiums, default=2000.0)


def _quoted(
    severity: str, check: str, where: pd.Series[bool], what: str, cure: str
) -> Finding:
    days = where.index[where.to_numpy()]
    return Finding(severity, check, "spot 553", days[0], days[-1], len(days), what, cure)


#: In the order their findings are shown.
CHECKS: tuple[Callable[[Market], list[Finding]], ...] = (
    grades, spot_slips, spot_still, spot_stale, spot_gaps,
)
