"""A market laid out for the checks, and how they say what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sibt.language import Sentence, said
from sibt.market.contract import Contract, contract
from sibt.market.findings.finding import Finding
from sibt.market.findings.spikes import spikes
from sibt.market.panel import FIELDS, Market

__all__ = ["Look", "counted", "later", "look", "numbers", "some"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """A market with what several checks need of it.

    Attributes
    ----------
    market : Market
        The panel.
    lives : tuple of Contract, length C
        Its contracts.
    there : bool ndarray of shape (T, C)
        Where a bar exists.
    begin, end : int ndarray of shape (C,)
        First and last session with a bar.
    excused : bool ndarray of shape (T, C)
        Where a bar existed that was left out because it cannot be right: no gap.
    level : ndarray of shape (T, C)
        The settlement, or the close where it is unknown; yuan per tonne.
    limit, tick : ndarray of shape (T, C)
        Price limit in force as a share, and the smallest price step.
    wrong, odd, jumped : bool ndarray of shape (T, C)
        Bars whose prices cannot be (of which `jumped` did so with all others), and bars whose
        prices hardly can be; see `sibt.market.findings.spikes.Spikes`.
    again : bool ndarray of shape (T, C)
        Bars that are those of the session before in every cell, on a volume that is not 0.
    """

    market: Market
    lives: tuple[Contract, ...]
    there: BoolArray
    begin: IntArray
    end: IntArray
    excused: BoolArray
    level: FloatArray
    limit: FloatArray
    tick: FloatArray
    wrong: BoolArray
    odd: BoolArray
    jumped: BoolArray
    again: BoolArray

    def each(
        self,
        where: BoolArray,
        severity: str,
        check: str,
        what: Callable[[int, int, int], str],
        cure: str,
    ) -> list[Finding]:
        """Return a finding for each contract that has a True in `where` (T, C).

        `what` is given the first session, the contract's column and the count.
        """
        days = self.market.sessions
        found = []
        for at in np.flatnonzero(where.any(axis=0)):
            rows = np.flatnonzero(where[:, at])
            code = self.market.contracts[at]
            seen = what(int(rows[0]), int(at), len(rows))
            first, last = days[rows[0]], days[rows[-1]]
            found.append(Finding(severity, check, code, first, last, len(rows), seen, cure))
        return found

    def together(
        self, where: BoolArray, severity: str, check: str, what: str, cure: str
    ) -> list[Finding]:
        """Return one finding for all that is True in `where` (T, C)."""
        if not where.any():
            return []
        rows, columns = np.nonzero(where)
        counts = np.bincount(columns, minlength=where.shape[1])
        most = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
        subject = self.market.contracts[most[0]]
        if len(most) > 1:
            subject = said("{count} contracts", count=len(most))
            codes = ", ".join(f"{self.market.contracts[at]} ({counts[at]:,})" for at in most[:3])
            what = said("{what}, most of {codes}", what=what, codes=codes)
        first, last = (self.market.sessions[at] for at in (rows.min(), rows.max()))
        seen_on = tuple(self.market.contracts[at] for at in most)
        return [Finding(severity, check, subject, first, last, len(rows), what, cure, seen_on)]


def look(market: Market, excused: BoolArray | None = None) -> Look:
    """Return a market with what the checks need of it."""
    lives = tuple(contract(code) for code in market.contracts)
    there = market.traded()
    terms = {life.product.name: market.product(life.product.name) for life in lives}
    limit = np.column_stack(
        [terms[life.product.name].price_limit(life.code, market.sessions) for life in lives]
    )
    ticks = {name: product.tick(market.sessions) for name, product in terms.items()}
    level = np.where(np.isnan(market.settle), market.close, market.settle)
    goods = [(life.product.name, life.standard) for life in lives]
    far = spikes(market, goods, level, limit)
    return Look(
        market=market,
        lives=lives,
        there=there,
        begin=there.argmax(axis=0),
        end=len(there) - 1 - there[::-1].argmax(axis=0),
        excused=np.zeros_like(there) if excused is None else excused,
        level=level,
        limit=limit,
        tick=np.column_stack([ticks[life.product.name] for life in lives]),
        wrong=far.wrong | far.jumped,
        odd=far.odd,
        jumped=far.jumped,
        again=_again(market),
    )


def _again(market: Market) -> BoolArray:
    """Return where a bar of known volume is the one before, cell by cell; unknown are equal."""
    again = (market.volume > 0) & ~np.isnan(market.close)
    again[0] = False
    for name in FIELDS:
        cells = getattr(market, name)
        again[1:] &= (cells[1:] == cells[:-1]) | np.isnan(cells[1:]) & np.isnan(cells[:-1])
    return np.asarray(again, dtype=np.bool_)


def later(array: FloatArray) -> FloatArray:
    """Return the array one session later, NaN in the first."""
    later = np.full_like(array, np.nan)
    later[1:] = array[:-1]
    return later


def some(where: BoolArray) -> BoolArray:
    """Return the sessions in which some contract is True, shape (T,)."""
    return np.asarray(where.any(axis=1), dtype=np.bool_)


def numbers(market: Market) -> IntArray:
    """Return the sessions' numbers as a column, shape (T, 1)."""
    return np.arange(len(market.sessions))[:, None]


def counted(number: int) -> Sentence:
    """Return "1 session", "2 sessions"."""
    return said("1 session") if number == 1 else said("{number:,} sessions", number=number)
