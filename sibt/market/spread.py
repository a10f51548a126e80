"""Two prices against each other: the spread of two contracts, the basis, and full carry.

The functions take a `Market` first and are its methods; they keep the rules of
`sibt.market.curve`: plain pandas by session, NaN unknown, nothing filled forward, nothing
known early, and no crossing of delivery standards unless asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, TermsError
from sibt.market.contract import Contract, two_goods
from sibt.market.contract import contract as contract_of
from sibt.market.curve import dominant
from sibt.market.product import Product

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["basis", "carry", "spread"]

FloatArray = NDArray[np.float64]


def spread(
    market: Market,
    near: str,
    far: str,
    price: str = "close",
    *,
    min_volume: float = 10,
    cross_standard: bool = False,
) -> pd.Series[float]:
    """Return the spread near − far, as the exchange quotes it, where both legs traded.

    A price of a leg that hardly traded may be hours older than the other leg's; filling it
    forward makes signals that were never there. So a session counts only if both legs
    traded at least `min_volume` lots.

    Parameters
    ----------
    market : Market
        The panel.
    near, far : str
        Contract codes, the earlier delivery first.
    price : {"open", "high", "low", "close", "settle"}
        Which price.
    min_volume : float
        Lots each leg must have traded; 0 takes every session in which both prices are known.
    cross_standard : bool
        True to spread two delivery standards, as si2411 against si2412.

    Returns
    -------
    pd.Series of shape (T,)
        Yuan per tonne; NaN where a price is unknown or a leg traded less. An unknown volume
        beside a known price counts as traded: ``attrs["unknown_volume"]`` is the number of
        sessions that stand on such a reading.

    Raises
    ------
    DataError
        No bars of a contract, no such price, legs in the wrong order, or two delivery
        standards without the flag.
    """
    first, second = _pair(market, near, far)
    if first.standard != second.standard and not cross_standard:
        raise DataError(two_goods(first, second, "A spread"))
    legs = [market.column(near), market.column(far)]
    prices = market.price(price)[:, legs]
    volume = market.volume[:, legs]
    unknown = np.isnan(volume)
    counts = ((volume >= min_volume) | unknown).all(axis=1) & ~np.isnan(prices).any(axis=1)
    value = np.where(counts, prices[:, 0] - prices[:, 1], np.nan)
    series = pd.Series(value, index=market.sessions, name=f"{near}-{far}")
    series.attrs["unknown_volume"] = int((counts & unknown.any(axis=1)).sum())
    return series


def basis(
    market: Market,
    grade: str | None = None,
    contract: str | None = None,
    *,
    price: str = "close",
    product: str = "si",
    standard: str | None = None,
    cross_standard: bool = False,
) -> pd.DataFrame | pd.Series[float]:
    """Return the basis spot − futures, each grade brought to the contract's standard.

    The premium of a grade is that of the session's contract: 421 less 2,000 yuan up to
    si2411, less 800 from si2412. Quotes of a grade that cannot be delivered, such as 441,
    are never taken for another.

    Parameters
    ----------
    market : Market
        The panel.
    grade : str, optional
        One grade, for a Series.
    contract : str, optional
        The futures contract; by default the dominant one of each session.
    price : {"open", "high", "low", "close", "settle"}
        Which futures price.
    product : str
        Product code.
    standard, cross_standard
        As in `dominant`, where no contract is named.

    Returns
    -------
    pd.DataFrame of shape (T, grades + 1) or pd.Series of shape (T,)
        Yuan per tonne: one column a deliverable grade, and ``basis``, the cheapest of those
        quoted in that session. NaN where a quote or the price is unknown. With `grade`, that
        column alone.

    Raises
    ------
    DataError
        The market has no quotes of the grade, or of any deliverable one.
    TermsError
        The grade cannot be delivered.
    """
    prices = market.price(price)
    if contract is None:
        codes = dominant(
            market, product, standard=standard, cross_standard=cross_standard
        ).to_numpy()
        terms = market.product(product)
    else:
        market.column(contract)
        codes = np.full(len(market.sessions), contract, dtype=object)
        terms = market.product(contract_of(contract).product.name)
    deliverable = _deliverable(terms, contract, standard)
    if grade is not None and grade not in deliverable:
        raise TermsError(
            f"Grade '{grade}' cannot be delivered on {contract or terms.name}, so it has no"
            f" basis; known are {', '.join(deliverable) or 'none'}."
        )
    quoted = {str(name): name for name in market.spot.columns}
    wanted = [g for g in deliverable if g in quoted and grade in (None, g)]
    if not wanted:
        raise DataError(
            f"The market ({market.provenance.source}) has no spot quotes of"
            f" {grade or 'a deliverable grade of ' + terms.name}; it has"
            f" {', '.join(quoted) or 'none'}, wanted is one of"
            f" {', '.join(deliverable) or 'no known grade'}: bring spot.csv with it."
        )
    futures = np.full(len(market.sessions), np.nan)
    premium = np.full((len(market.sessions), len(wanted)), np.nan)
    for code in {c for c in codes if c is not None}:
        own = codes == code
        futures[own] = prices[own, market.column(code)]
        for number, name in enumerate(wanted):
            premium[own, number] = _premium(terms, code, name)
    quotes = market.spot[[quoted[g] for g in wanted]].to_numpy(dtype=float)
    table = pd.DataFrame(quotes - premium - futures[:, None], market.sessions, wanted)
    if grade is not None:
        return table[grade]
    table["basis"] = table.min(axis=1)
    return table


def carry(
    market: Market,
    near: str,
    far: str,
    price: str = "settle",
    *,
    rate: float | None = None,
    margin: float = 0.0,
    margin_days: float | None = None,
    fee_markup: float = 1.0,
    ignore_cancellation: bool = False,
    cross_standard: bool = False,
) -> pd.Series[float]:
    """Return what it costs to carry receipts from the near into the far contract.

    The ceiling of far − near, per tonne: ``(interest + margin interest + storage + delivery
    twice + trading) / (1 − v)``, where v is the tax on the gain in price, vat / (1 + vat).
    There is no such bound on near − far: silicon cannot be borrowed.

    Parameters
    ----------
    market : Market
        The panel.
    near, far : str
        Contract codes, the earlier delivery first.
    price : {"open", "high", "low", "close", "settle"}
        Which price is financed; ``"close"`` where the data bring no settlement.
    rate : float, optional
        Cost of funds a year; by default the product's (an assumption).
    margin : float
        Share of both legs' value that is financed until the near delivery; 0 ignores it.
    margin_days : float, optional
        Days for which it is; by default from the session to the near contract's last
        delivery day.
    fee_markup : float
        The broker's multiple of the exchange's opening fee.
    ignore_cancellation : bool
        True for a value across the yearly cancellation of receipts.
    cross_standard : bool
        True for a value across two delivery standards.

    Returns
    -------
    pd.Series of shape (T,)
        Yuan per tonne; NaN where a price is unknown, and throughout where the receipts are
        cancelled or the standard changes between the two deliveries: there the receipt of
        the near contract cannot be delivered on the far one, and nothing bounds the spread
        (``attrs["no_bound"]`` says which).

    Raises
    ------
    DataError
        No bars of a contract, or legs in the wrong order or of two products.
    TermsError
        The product's file has no costs of carrying receipts.

    Notes
    -----
    Days are those between the two last delivery days; where the calendar does not reach,
    365/12 for each month between. Formula and constants: GFEX notice of 2022-12-29 for
    storage and delivery; the rate and the tax are assumed.
    """
    first, second = _pair(market, near, far)
    if first.product is not second.product:
        raise DataError(f"{near} and {far} are two products; nothing carries one into the other.")
    terms = market.product(first.product.name)
    if not terms.carry:
        raise TermsError(
            f"The terms of {terms.name} know no cost of carrying receipts; add [carry] to its"
            " file of terms."
        )
    series = pd.Series(np.nan, index=market.sessions, name=f"carry {near}-{far}")
    if first.standard != second.standard and not cross_standard:
        series.attrs["no_bound"] = "the delivery standard changes between the two"
        return series
    if _cancelled_between(first, second) and not ignore_cancellation:
        series.attrs["no_bound"] = "receipts are cancelled between the two deliveries"
        return series
    a, b = (market.price(price)[:, market.column(code)] for code in (near, far))
    r = terms.carry["funding_rate"] if rate is None else rate
    days = _days_between(first, second)
    cost = a * r * days / 365 + terms.carry["storage"] * days + 2 * terms.carry["delivery_fee"]
    if margin:
        held = _days_to(first, market.sessions) if margin_days is None else margin_days
        cost = cost + margin * (a + b) * r * held / 365
    for code, value in ((near, a), (far, b)):
        share = terms.fee(code, market.sessions, "open")
        per_tonne = terms.fee_per_lot(code, market.sessions, "open") / terms.multiplier
        cost = cost + fee_markup * (share * value + per_tonne)
    vat = terms.carry["vat"]
    series[:] = cost / (1 - vat / (1 + vat))
    return series


# -- Two contracts ---------------------------------------------------------------------------


def _pair(market: Market, near: str, far: str) -> tuple[Contract, Contract]:
    market.column(near)
    market.column(far)
    first, second = contract_of(near), contract_of(far)
    if first.product is second.product and first.month >= second.month:
        raise DataError(
            f"{near} does not deliver before {far}; name the earlier contract first: a spread is"
            " near − far."
        )
    return first, second


def _cancelled_between(first: Contract, second: Contract) -> bool:
    """Tell whether receipts are cancelled after the near delivery and before the far one."""
    month = first.product.receipts_cancelled_after_month
    if month is None:
        return False
    years = range(first.month.year, second.month.year + 1)
    ends = [pd.Period(year=year, month=month, freq="M") for year in years]
    return any(first.month <= end < second.month for end in ends)


def _days_between(first: Contract, second: Contract) -> float:
    if first.last_delivery is None or second.last_delivery is None:
        months = (second.month.year - first.month.year) * 12
        return (months + second.month.month - first.month.month) * 365 / 12
    return float((second.last_delivery - first.last_delivery).days)


def _days_to(life: Contract, sessions: pd.DatetimeIndex) -> FloatArray:
    """Return the days from each session to the last delivery day; NaN where it is unknown."""
    if life.last_delivery is None:
        return np.full(len(sessions), np.nan)
    return np.asarray((life.last_delivery - sessions).days, dtype=float).clip(min=0.0)


# -- Grades ---------------------------------------------------------------------------------


def _deliverable(terms: Product, contract: str | None, standard: str | None) -> list[str]:
    """Return the grades that may be delivered, from the terms alone: no data, no look-ahead."""
    name = contract_of(contract).standard if contract is not None else standard
    rows = [row for row in terms.standards if name in (None, str(row["name"]))]
    return list(dict.fromkeys(grade for row in rows for grade in row.get("grades", {})))


def _premium(terms: Product, code: str, grade: str) -> float:
    try:
        return terms.grade_premium(code, grade)
    except TermsError:  # deliverable under another standard only
        return float("nan")
