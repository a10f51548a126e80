"""The curve read off the panel: dominant and near months, the weighted index, rolled series.

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

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.market import calendar
from sibt.market.contract import contract as contract_of
from sibt.market.contract import two_goods
from sibt.market.product import Product
from sibt.market.product import product as product_of

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["continuous", "dominant", "near", "weighted"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

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
    that led before stays if it has a bar. Where its open interest is unknown in a session in
    which it has a bar and others' is known, what was last known of it counts.

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
    prices = market.price(price)[:, at]
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
    prices = market.price(price)
    value = np.full(len(market.sessions), np.nan)
    stretches = _stretches(held)
    for first, stop, code in stretches:
        own = np.array([code == h for h in held[first:stop]])
        value[first:stop] = np.where(own, prices[first:stop, market.column(code)], np.nan)
    for (first, stop, old), (_, _, new) in pairwise(stretches):
        a, b = contract_of(old), contract_of(new)
        if (a.standard != b.standard or a.product is not b.product) and not cross_standard:
            raise DataError(two_goods(a, b, "A continuous series"))
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
    silent = np.isnan(market.open_interest[:, at])
    volume = _positive(market.volume[:, at])
    has_interest = interest.max(axis=1) > 0
    measure = np.where(has_interest[:, None], interest, volume)
    known = measure.max(axis=1) > 0
    bars = market.traded()[:, at]
    mapped = _mapped(market, at)
    lead, had = 0, 0.0  # never earlier than this; the open interest last known of it
    for t in range(len(leaders)):
        if known[t]:
            best = lead + int(measure[t, lead:].argmax())
            points_back = measure[t, best] == 0
            if has_interest[t] and silent[t, lead] and bars[t, lead] and measure[t, best] <= had:
                best = lead
        elif mapped[t] >= 0:
            best = int(mapped[t])
            points_back = best < lead
        else:
            continue
        if points_back:
            if not bars[t, lead]:
                continue
            best = lead
        if best != lead:
            had = 0.0
        leaders[t] = lead = best
        had = interest[t, lead] or had
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


# -- Rolls ----------------------------------------------------------------------------------


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
