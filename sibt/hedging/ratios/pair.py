"""Spot and futures as the estimators need them: quoted sessions, changes, no roll between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.market.contract import contract, two_goods

__all__ = ["LEAST", "Pair", "RatioError", "pair_of", "standards"]

FloatArray = NDArray[np.float64]

#: Changes below which no ratio is estimated: thirty is the usual floor of large-sample intervals,
#: and below it those of overlapping changes no longer hold what they promise.
LEAST = 30

_CODE = re.compile(r"[A-Za-z]+\d{3,4}")


class RatioError(DataError):
    """A ratio that these data do not define.

    Parameters
    ----------
    message : str
        The sentence.
    reason : str
        The same in a few words, to be counted.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Pair:
    """Prices of the sessions in which spot and futures are both quoted.

    Sessions without a quote are left out, not filled: a change runs from one quoted session to
    another, the same two for both prices. Filling a missing quote forward would make up days on
    which the spot stood still, and pull every ratio to zero.

    Attributes
    ----------
    sessions : pd.DatetimeIndex of shape (n,)
        Quoted sessions.
    spot, futures : ndarray of shape (n,)
        Yuan per tonne, all known.
    stretch : ndarray of int of shape (n,)
        Number of the contract held, in turn; changes stay within one.
    """

    sessions: pd.DatetimeIndex
    spot: FloatArray
    futures: FloatArray
    stretch: NDArray[np.intp]

    def ends(self, back: int) -> NDArray[np.intp]:
        """Return the positions whose contract was already held `back` quoted sessions before."""
        before = self.stretch[: max(len(self.stretch) - back, 0)]
        return np.flatnonzero(self.stretch[back:] == before) + back

    def changes(self, k: int) -> tuple[FloatArray, FloatArray]:
        """Return the overlapping changes of spot and futures over `k` quoted sessions.

        Returns
        -------
        spot, futures : ndarray of shape (m,)
            Yuan per tonne.
        """
        at = self.ends(k)
        return self.spot[at] - self.spot[at - k], self.futures[at] - self.futures[at - k]

    def every(self, k: int) -> Pair:
        """Return every `k`-th quoted session of each contract, counted back from its last.

        For estimators that need changes which do not overlap.
        """
        after = np.append(np.flatnonzero(np.diff(self.stretch)) + 1, len(self.stretch))
        last = after[np.searchsorted(after, np.arange(len(self.stretch)), side="right")] - 1
        keep = (last - np.arange(len(self.stretch))) % k == 0
        return Pair(
            self.sessions[keep], self.spot[keep], self.futures[keep], self.stretch[keep]
        )

    def need(self, count: int, what: str, least: int = LEAST) -> None:
        """Refuse `count` observations if they are too few.

        Raises
        ------
        RatioError
            They are fewer than `least`.
        """
        if count < least:
            until = f" up to {self.sessions[-1]:%Y-%m-%d}" if len(self.sessions) else ""
            raise RatioError(
                f"Within one contract {count} {what} are known{until}, and this ratio takes"
                f" {least}; give a longer history or a shorter k, or hedge one for one"
                " (method='naive').",
                "too few points",
            )


def pair_of(
    spot: pd.Series[float],
    futures: pd.Series[float],
    contracts: pd.Series[Any] | None = None,
    cross_standard: bool = False,
) -> Pair:
    """Return the quoted sessions of two price series.

    Parameters
    ----------
    spot, futures : pd.Series of shape (T,)
        Prices on the same sessions, yuan per tonne; NaN where unknown.
    contracts : pd.Series of shape (T,), optional
        The contract whose price stands in `futures` in each session, or its delivery standard
        where rolls need not be seen (a series adjusted by differences). None holds nothing.
    cross_standard : bool
        True to take goods of two delivery standards for one.

    Raises
    ------
    DataError
        Sessions that differ or do not rise, infinite prices, or two delivery standards without
        the flag.
    """
    index = spot.index
    if not isinstance(index, pd.DatetimeIndex) or not index.equals(futures.index):
        raise DataError(
            "Spot and futures do not stand on the same sessions; reindex both to market.sessions."
        )
    if not (index.is_monotonic_increasing and index.is_unique):
        raise DataError("The sessions of spot and futures do not rise; sort them by session.")
    values = np.column_stack([spot.to_numpy(dtype=float), futures.to_numpy(dtype=float)])
    if np.isinf(values).any():
        day = index[np.isinf(values).any(axis=1)][0]
        raise DataError(f"A price of {day:%Y-%m-%d} is infinite; leave unknown prices empty.")
    known = ~np.isnan(values).any(axis=1)
    turn = np.zeros(len(index), dtype=np.intp)
    if contracts is not None:
        if not contracts.index.equals(index):
            raise DataError(
                "`contracts` does not stand on the sessions of the prices; reindex it to"
                " market.sessions."
            )
        known &= contracts.notna().to_numpy()
        held = [str(code) for code in contracts[known]]
        if not cross_standard:
            _one_standard(held)
        new = np.array([a != b for a, b in zip(held, held[:1] + held, strict=False)], dtype=bool)
        turn[known] = np.cumsum(new)
    return Pair(index[known], values[known, 0], values[known, 1], turn[known])


def standards(contracts: pd.Series[Any]) -> list[str | None]:
    """Return the delivery standard of each session, the last known where no contract is held.

    Parameters
    ----------
    contracts : pd.Series of shape (T,)
        Contract codes, or standards as they are; None holds nothing.

    Returns
    -------
    list of str or None
        None before the first contract.

    Raises
    ------
    TermsError
        A code without terms.
    """
    found: list[str | None] = []
    for code in contracts:
        last = found[-1] if found else None
        found.append(_standard(str(code)) if pd.notna(code) else last)
    return found


def _standard(code: str) -> str:
    if not _CODE.fullmatch(code):
        return code
    life = contract(code)
    # Standards of two products may share a name.
    return f"{life.product.name} {life.standard}"


def _one_standard(held: list[str]) -> None:
    for old, new in pairwise(held):
        if old == new or _standard(old) == _standard(new):
            continue
        if _CODE.fullmatch(old) and _CODE.fullmatch(new):
            raise DataError(two_goods(contract(old), contract(new), "A ratio estimated"))
        raise DataError(
            f"A ratio estimated from standard '{old}' to '{new}' crosses delivery standards: they"
            " are two goods; pass cross_standard=True if that is meant."
        )
