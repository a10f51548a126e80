"""The curve read off the panel: dominant and near months, spreads, rolls, basis and carry.

The functions take a `Market` first and are its methods. They give plain pandas by session;
NaN or None is unknown and nothing is forward-filled. What stands at session t was known after
t's close, so that a result on ``market.asof(t)`` equals the result on the whole market up to
t. (The one exception is said where it is: the *levels* of `continuous`.)

Contracts of two delivery standards are two goods. No series here crosses that line unless
``cross_standard=True`` asks for it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError, SettingError, TermsError, did_you_mean
from sibt.market import calendar
from sibt.market.contract import Contract
from sibt.market.contract import contract as contract_of
from sibt.market.product import Product
from sibt.market.product import product as product_of

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["basis", "carry", "continuous", "dominant", "near", "spread", "weighted"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_PRICES = ("open", "high", "low", "close", "settle")
_KINDS = ("individual", "company", "hedger")


def dominant(
    market: Market,
    product: str = "si",
    *,
    standard: str | None = None,
    cross_standard: bool = False,
) -> pd.Series[Any]:
    """Return the dominant contract (主力合约) of each session, by open interest.

    The contract with the largest open interest leads; of equals, the nearer. It never goes
    back to an earlier delivery month. A session in which no open interest is known goes by
    volume, and one in which no volume is known either by the mapping the data bring
    (``market.dominant_map``). Where the session knows only of earlier months, the contract
    that led before stays if it has a bar.

    Parameters
    ----------
    market : Market
        The panel.
    product : str
        Product code.
    standard : str, optional
        Delivery standard to keep to, such as "2022" or "2024"; by default that of the
        contract that leads in the first session with anything known.
    cross_standard : bool
        True to let the lead pass from one delivery standard to the next.

    Returns
    -------
    pd.Series of shape (T,)
        Contract codes; None where nothing is known in that session, before the standard's
        first contract and after its last.

    Raises
    ------
    DataError
        The market has no contract of the product, or the product no such standard.
    SettingError
        Both a standard and ``cross_standard=True`` are given.
    """
    at = _columns(market, product, standard, cross_standard)
    return _named(market, at, _leaders(market, at), "dominant")


def weighted(
    market: Market,
    product: str = "si",
    price: str = "close",
    *,
    standard: str | None = None,
    cross_standard: bool = False,
) -> pd.Series[float]:
    """Return the index of a product (加权): prices weighted by open interest.

    Parameters
    ----------
    market : Market
        The panel.
    product : str
        Product code.
    price : {"open", "high", "low", "close", "settle"}
        Which price.
    standard, cross_standard
        As in `dominant`.

    Returns
    -------
    pd.Series of shape (T,)
        Yuan per tonne; NaN where no contract has both a price and open interest.
        ``attrs["unknown_open_interest"]`` counts the sessions with a value in which some
        contract with a price had to be left out because its open interest is unknown.

    Raises
    ------
    DataError, SettingError
        As in `dominant`; or no such price.
    """
    at = _columns(market, product, standard, cross_standard)
    prices = _price(market, price)[:, at]
    interest = market.open_interest[:, at]
    counted = ~np.isnan(prices) & ~np.isnan(interest)
    weight = np.where(counted, interest, 0.0)
    total = weight.sum(axis=1)
    value = np.full(len(market.sessions), np.nan)
    sums = (np.where(counted, prices, 0.0) * weight).sum(axis=1)
    np.divide(sums, total, out=value, where=total > 0)
    index = pd.Series(value, index=market.sessions, name="weighted")
    left_out = (~np.isnan(prices) & np.isnan(interest)).any(axis=1) & (total > 0)
    index.attrs["unknown_open_interest"] = int(left_out.sum())
    return index


def near(
    market: Market,
    kind: str = "individual",
    product: str = "si",
    *,
    standard: str | None = None,
    cross_standard: bool = False,
) -> pd.Series[Any]:
    """Return the nearest contract an account may open in the next session and keep.

    A natural person must be out in the last session before the delivery month; what is
    decided in the session before that one would fill there, so the near month is then
    already the one after, and a position rolls in time. A contract without a bar in the
    session is passed over, for that session.

    Parameters
    ----------
    market : Market
        The panel.
    kind : {"individual", "company", "hedger"}
        Kind of account.
    product : str
        Product code.
    standard, cross_standard
        As in `dominant`.

    Returns
    -------
    pd.Series of shape (T,)
        Contract codes; None where no such contract has a bar. A contract whose exit lies
        beyond the known calendar counts as one that may be held.

    Raises
    ------
    DataError
        As in `dominant`.
    SettingError
        No such kind of account.
    """
    if kind not in _KINDS:
        raise SettingError(
            f"kind='{kind}' is no kind of account; known are {', '.join(_KINDS)}."
            f"{did_you_mean(kind, _KINDS)}"
        )
    at = _columns(market, product, standard, cross_standard)
    allowed = market.traded()[:, at]
    for number, code in enumerate(_codes(market, at)):
        life = contract_of(code)
        leaves = life.exit_session(kind)
        if leaves is not None:
            # What is decided now fills in the next session; by `leaves` one must be out.
            eve = calendar.before(leaves)
            allowed[:, number] &= np.asarray(market.sessions < (leaves if eve is None else eve))
        if life.listed is not None:
            allowed[:, number] &= np.asarray(market.sessions >= life.listed)
    if not len(at):
        first = np.full(len(market.sessions), -1, dtype=np.intp)
    else:
        first = np.where(allowed.any(axis=1), allowed.argmax(axis=1), -1).astype(np.intp)
    return _named(market, at, first, "near")


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
        raise DataError(_two_goods(first, second, "A spread"))
    legs = [market.column(near), market.column(far)]
    prices = _price(market, price)[:, legs]
    volume = market.volume[:, legs]
    unknown = np.isnan(volume)
    counts = ((volume >= min_volume) | unknown).all(axis=1) & ~np.isnan(prices).any(axis=1)
    value = np.where(counts, prices[:, 0] - prices[:, 1], np.nan)
    series = pd.Series(value, index=market.sessions, name=f"{near}-{far}")
    series.attrs["unknown_volume"] = int((counts & unknown.any(axis=1)).sum())
    return series


def continuous(
    market: Market,
    contracts: pd.Series[Any],
    price: str = "close",
    adjust: Literal["difference", "ratio"] | None = "difference",
    cross_standard: bool = False,
) -> pd.Series[float]:
    """Return one series through all rolls, for signals only.

    `contracts` holds decisions: the code at session t is decided after t's close and held
    from t + 1 (`dominant` and `near` are such series). So the value at t is the price of
    the code decided at t − 1. (A session with no decision before it takes its own.)
    At each roll the new contract's price less the old one's, read in the last session on
    the old contract, is added to all earlier values; the last contract stands at its raw
    prices.

    Every new roll moves all earlier *levels*. What does not move, and what a signal may
    use, are differences from session to session (``adjust="difference"``) or returns
    (``adjust="ratio"``). A level that means something, such as 11,500 yuan, must meet raw
    prices of a contract: the rules of `sibt.strategy.rules` refuse an adjusted series, which
    they know by ``attrs["adjusted"]``.

    Parameters
    ----------
    market : Market
        The panel.
    contracts : pd.Series
        Code by session; None holds nothing. Sessions it does not name hold nothing.
    price : {"open", "high", "low", "close", "settle"}
        Which price.
    adjust : {"difference", "ratio", None}
        How earlier values are brought to the newest contract; None splices raw prices, with
        the jump of every roll.
    cross_standard : bool
        True to roll from one delivery standard into another.

    Returns
    -------
    pd.Series of shape (T,)
        Yuan per tonne; NaN where nothing is held or its price is unknown.

    Raises
    ------
    DataError
        A roll into another delivery standard without the flag, a roll between contracts
        that never had a price in the same session before it, a code without bars, or
        sessions the market does not have.
    SettingError
        No such way to adjust.
    """
    if adjust not in ("difference", "ratio", None):
        raise SettingError(f"adjust={adjust!r} is unknown; write 'difference', 'ratio' or None.")
    held = _held(market, contracts)
    prices = _price(market, price)
    value = np.full(len(market.sessions), np.nan)
    stretches = _stretches(held)
    for first, stop, code in stretches:
        own = np.array([code == h for h in held[first:stop]])
        value[first:stop] = np.where(own, prices[first:stop, market.column(code)], np.nan)
    for (first, stop, old), (_, _, new) in pairwise(stretches):
        a, b = contract_of(old), contract_of(new)
        if (a.standard != b.standard or a.product is not b.product) and not cross_standard:
            raise DataError(_two_goods(a, b, "A continuous series"))
        if adjust is None:
            continue
        from_, to = prices[:, market.column(old)], prices[:, market.column(new)]
        both = np.flatnonzero(~np.isnan(from_[first:stop]) & ~np.isnan(to[first:stop]))
        if not len(both):
            raise DataError(
                f"The roll {old} to {new} after {market.sessions[stop - 1]:%Y-%m-%d} cannot be"
                f" adjusted: no session on {old} knows the {price} of both; import the missing"
                " bars, or ask for adjust=None."
            )
        last = first + int(both[-1])
        if adjust == "difference":
            value[:stop] += to[last] - from_[last]
        else:
            value[:stop] *= to[last] / from_[last]
    series = pd.Series(value, index=market.sessions, name="continuous")
    if adjust is not None:
        series.attrs["adjusted"] = adjust
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
    prices = _price(market, price)
    if contract is None:
        codes = dominant(
            market, product, standard=standard, cross_standard=cross_standard
        ).to_numpy()
        terms = product_of(product)
    else:
        market.column(contract)
        codes = np.full(len(market.sessions), contract, dtype=object)
        terms = contract_of(contract).product
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
    terms = first.product
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
    a, b = (_price(market, price)[:, market.column(code)] for code in (near, far))
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


# -- Contracts of a product and a standard --------------------------------------------------


def _columns(market: Market, product: str, standard: str | None, cross: bool) -> IndexArray:
    """Return the columns that take part, in order of delivery."""
    terms = product_of(product)
    lives = [(contract_of(code), n) for n, code in enumerate(market.contracts)]
    own = sorted(((c, n) for c, n in lives if c.product is terms), key=lambda item: item[0].month)
    if not own:
        raise DataError(
            f"The market ({market.provenance.source}) has no contract of product '{product}'; it"
            f" holds {market.contracts[0]} to {market.contracts[-1]}."
        )
    everything = np.array([n for _, n in own], dtype=np.intp)
    if cross:
        if standard is not None:
            raise SettingError(
                f"standard='{standard}' keeps to one delivery standard and cross_standard=True"
                " takes all; give one of the two."
            )
        return everything
    if standard is None:
        leaders = _leaders(market, everything)
        known = leaders[leaders >= 0]
        if not len(known):
            return everything
        standard = own[known[0]][0].standard
    else:
        _check_standard(terms, standard)
    return np.array([n for c, n in own if c.standard == standard], dtype=np.intp)


def _check_standard(terms: Product, standard: str) -> None:
    names = [str(row["name"]) for row in terms.standards] or [terms.name]
    if standard not in names:
        raise DataError(
            f"Product '{terms.name}' has no delivery standard '{standard}'; known are"
            f" {', '.join(names)}.{did_you_mean(standard, names)}"
        )


def _leaders(market: Market, at: IndexArray) -> IndexArray:
    """Return the position in `at` of each session's dominant contract, −1 where unknown."""
    leaders = np.full(len(market.sessions), -1, dtype=np.intp)
    if not len(at):
        return leaders
    interest = _positive(market.open_interest[:, at])
    volume = _positive(market.volume[:, at])
    has_interest = interest.max(axis=1) > 0
    measure = np.where(has_interest[:, None], interest, volume)
    known = measure.max(axis=1) > 0
    bars = market.traded()[:, at]
    mapped = _mapped(market, at)
    lead = 0  # never earlier than this
    for t in range(len(leaders)):
        if known[t]:
            best = lead + int(measure[t, lead:].argmax())
            points_back = measure[t, best] == 0
        elif mapped[t] >= 0:
            best = int(mapped[t])
            points_back = best < lead
        else:
            continue
        if points_back:
            if not bars[t, lead]:
                continue
            best = lead
        leaders[t] = lead = best
    return leaders


def _positive(lots: FloatArray) -> FloatArray:
    # A contract nobody holds or trades leads nothing.
    return np.where(lots > 0, lots, 0.0)


def _mapped(market: Market, at: IndexArray) -> IndexArray:
    """Return the position in `at` of the contract the data's own mapping names, else −1."""
    if market.dominant_map is None:
        return np.full(len(market.sessions), -1, dtype=np.intp)
    place = {code: n for n, code in enumerate(_codes(market, at))}
    named = market.dominant_map.reindex(market.sessions)
    return np.array([place.get(code, -1) for code in named], dtype=np.intp)


def _codes(market: Market, at: IndexArray) -> list[str]:
    return [market.contracts[n] for n in at]


def _named(market: Market, at: IndexArray, chosen: IndexArray, name: str) -> pd.Series[Any]:
    # An object column: pandas' own text type would turn None into NaN.
    codes = np.array([*_codes(market, at), None], dtype=object)
    return pd.Series(codes[chosen], index=market.sessions, name=name, dtype=object)


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


def _two_goods(first: Contract, second: Contract, what: str) -> str:
    return (
        f"{what} from {first.code} to {second.code} crosses delivery standards ('{first.standard}'"
        f" and '{second.standard}'): they are two goods; pass cross_standard=True if that is"
        " meant."
    )


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


# -- Prices, rolls and grades ----------------------------------------------------------------


def _price(market: Market, name: str) -> FloatArray:
    if name not in _PRICES:
        raise DataError(
            f"'{name}' is no price of a bar; known are {', '.join(_PRICES)}."
            f"{did_you_mean(name, _PRICES)}"
        )
    array: FloatArray = getattr(market, name)
    return array


def _held(market: Market, contracts: pd.Series[Any]) -> list[str | None]:
    """Return the contract held in each session from the decisions taken after each."""
    strange = contracts.index.difference(market.sessions)
    # A decision of a later day than the market's last is one it does not know of yet.
    strange = strange[strange <= market.sessions[-1]]
    if len(strange):
        raise DataError(
            f"`contracts` names {strange[0]}, which is no session of this market; give a series"
            " on market.sessions."
        )
    decided = [c if isinstance(c, str) else None for c in contracts.reindex(market.sessions)]
    before = [None, *decided[:-1]]
    return [old if old is not None else new for old, new in zip(before, decided, strict=True)]


def _stretches(held: list[str | None]) -> list[tuple[int, int, str]]:
    """Return (first session, session after the last, code) of each contract held in turn."""
    found: list[tuple[int, int, str]] = []
    for t, code in enumerate(held):
        if code is None:
            continue
        if found and found[-1][2] == code:
            found[-1] = (found[-1][0], t + 1, code)
        else:
            found.append((t, t + 1, code))
    return found


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
