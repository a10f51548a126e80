"""Trap: a signal across the line between two delivery standards, si2411 to si2412.

The two are two goods. So the prices of all contracts of the other standard are put elsewhere, and
what is decided for contracts of one standard alone may not change. A session whose legs hold both,
as a pair asked for by its name, may read both; and a run told to cross the line is let cross it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.decisions import Decisions
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import called
from sibt.market.contract import contract
from sibt.market.panel import Market

__all__ = ["standard"]

BoolArray = NDArray[np.bool_]

#: Two ways to move the other goods' prices, each up and down: by a share of a usual price, and by
#: a factor (a power of two: exact). Within one standard the one leaves differences alone and the
#: other returns, and with them what was wished before the line. Only what both change crosses it.
_SHARES = (0.5, -0.5)
_FACTORS = (2.0, 0.5)

_PRICES = ("close", "settle", "open", "high", "low")


def standard(subject: Subject) -> Iterator[Leak]:
    """Find a decision on contracts of one delivery standard that reads prices of another.

    Parameters
    ----------
    subject : Subject
        The strategy under check.

    Yields
    ------
    Leak
        A standard's first such session, with the contract of the other standard it read.
    """
    if subject.params.cross_standard:
        return
    market, whole = subject.market, subject.whole
    usual = float(np.nanmedian(market.close))
    for goods in sorted({_goods(c) for codes in whole.legs.values() for c in set(codes) if c}):
        others = [
            code
            for code in market.contracts
            if _goods(code)[0] == goods[0] and _goods(code) != goods
        ]
        if not others:
            continue
        adding = [(1.0, float(np.rint(usual * share))) for share in _SHARES]
        scaling = [(factor, 0.0) for factor in _FACTORS]
        apart = [
            np.logical_or.reduce([_apart(subject, goods, others, *way) for way in ways])
            for ways in (adding, scaling)
        ]
        both = apart[0] & apart[1]
        if both.any():
            yield _leak(subject, goods, others, int(np.argmax(both)), [*scaling, *adding])


def _goods(code: str) -> tuple[str, str]:
    life = contract(code)
    return life.product.name, life.standard


def _moved(
    market: Market,
    codes: Iterable[str],
    factor: float,
    plus: float,
    prices: Sequence[str],
    first: int,
) -> Market:
    """Return the market with prices of some contracts moved from a session on."""
    at = [market.column(code) for code in codes]
    arrays = {}
    for name in prices:
        array = getattr(market, name).copy()
        array[first:, at] = array[first:, at] * factor + plus
        arrays[name] = array
    return replace(market, **arrays)


def _apart(
    subject: Subject,
    goods: tuple[str, str],
    others: Iterable[str],
    factor: float,
    plus: float,
    prices: Sequence[str] = _PRICES,
    first: int = 0,
) -> BoolArray:
    """Return the sessions that hold one standard alone and decide otherwise, shape (T,)."""
    count = len(subject.market.sessions)
    try:
        other = subject.decide(_moved(subject.market, others, factor, plus, prices, first))
    except SibtError:
        return np.zeros(count, dtype=bool)
    own = _holds(subject.whole, goods) | _holds(other, goods)
    strange = _holds(subject.whole, goods, other=True) | _holds(other, goods, other=True)
    return subject.whole.apart(other, count) & own & ~strange


def _holds(decisions: Decisions, goods: tuple[str, str], *, other: bool = False) -> BoolArray:
    """Return where some leg is wished in contracts of these goods, or of any other."""
    held = np.zeros(len(decisions.sessions), dtype=bool)
    for leg, codes in decisions.legs.items():
        meant = [code for code in set(codes) if code and (_goods(code) == goods) != other]
        held |= np.isin(codes.astype(str), meant) & (decisions.lots(leg) != 0)
    return held


def _leak(
    subject: Subject,
    goods: tuple[str, str],
    others: list[str],
    row: int,
    ways: list[tuple[float, float]],
) -> Leak:
    """Return the leak of a session, with what it read."""
    day = subject.market.sessions[row]
    code, price, seen = _read(subject, goods, others, row, ways)
    return Leak(
        "standard",
        grave=True,
        sentence=said(
            "the decision of {day:%Y-%m-%d} is for delivery standard {own} alone and follows"
            " {what} of {contract}, of another standard: two goods",
            day=day,
            own=goods[1],
            what=said("the prices") if price is None else called(price),
            contract=code or f"{others[0]}–{others[-1]}",
        ),
        cure=said(
            "keep each signal to one standard, as market.dominant(standard=…) does; or run with"
            " --cross-standard where the crossing is meant"
        ),
        day=day,
        seen=seen,
        contract=code,
        input=price,
    )


def _read(
    subject: Subject,
    goods: tuple[str, str],
    others: list[str],
    row: int,
    ways: list[tuple[float, float]],
) -> tuple[str | None, str | None, pd.Timestamp | None]:
    """Return contract, price and last day of what moves a decision by itself; None where none."""
    sessions = subject.market.sessions
    for code in sorted(others, key=lambda one: abs(contract(one).month.start_time - sessions[row])):
        for way, price in product(ways, _PRICES):
            if not _apart(subject, goods, [code], *way, [price])[row]:
                continue
            first, last = 0, row  # moved from here on, it is seen
            while first < last:
                middle = (first + last + 1) // 2
                if _apart(subject, goods, [code], *way, [price], middle)[row]:
                    first = middle
                else:
                    last = middle - 1
            return code, price, sessions[first]
    return None, None, None
