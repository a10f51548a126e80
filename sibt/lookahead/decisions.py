"""What a strategy decides on a market, laid out so that two markets can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import StrategyError
from sibt.market.panel import Market
from sibt.strategy.loader import ask
from sibt.strategy.strategy import Params, Strategy

__all__ = ["Decisions", "decide"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy says of a market, one row a session.

    Attributes
    ----------
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market it was asked about.
    units : ndarray of shape (T,) or (T, L)
        Units that stand wished after each session, leg by leg where they are wished so: a
        session the strategy does not name keeps the last wish, and there is none (0) before
        the first. The columns are in the order of `legs`.
    limits : ndarray of shape (T,)
        Resting prices, yuan per tonne; NaN for none.
    legs : mapping of str to ndarray of shape (T,)
        Contract codes by leg; an empty text for none.
    ratios : mapping of str to int
        Signed lots of each leg in a unit.
    exposure : ndarray of shape (T, 3) or None
        Tonnes owned after each session, tonnes traded in it, and what they are traded at (yuan,
        where a price is agreed), for a hedge.
    known_from : str or None
        Day the idea became known.
    grade : str
        Spot grade that prices the goods.
    """

    sessions: pd.DatetimeIndex
    units: FloatArray
    limits: FloatArray
    legs: Mapping[str, NDArray[np.object_]]
    ratios: Mapping[str, int]
    exposure: FloatArray | None
    known_from: str | None
    grade: str

    def lots(self, leg: str) -> FloatArray:
        """Return the lots wished of a leg after each session, shape (T,); none of a strange one."""
        if leg not in self.legs:
            return np.zeros(len(self.sessions))
        by_leg = self.units.ndim == 2
        units = self.units[:, list(self.legs).index(leg)] if by_leg else self.units
        wished: FloatArray = units * self.ratios[leg]
        return wished

    def acts(self, rows: int) -> bool:
        """Tell whether anything is wished or owned in the first `rows` sessions."""
        owned = self.exposure is not None and bool(np.any(self.exposure[:rows]))
        return owned or bool(np.any(self.units[:rows]))

    def apart(self, other: Decisions, rows: int) -> NDArray[np.bool_]:
        """Return the sessions in which two decide differently, shape (rows,).

        What counts is what would be ordered: lots by contract, resting prices, goods. A
        contract that is named but not wished does not.

        Parameters
        ----------
        other : Decisions
            Decisions on another market with the same first `rows` sessions.
        rows : int
            How many sessions to compare.
        """
        unlike = (self.known_from, self.grade) != (other.known_from, other.grade)
        unlike |= (self.exposure is None) != (other.exposure is None)
        apart = np.full(rows, unlike)
        for leg in {**self.legs, **other.legs}:
            mine, theirs = self.lots(leg)[:rows], other.lots(leg)[:rows]
            apart |= mine != theirs
            if leg in self.legs and leg in other.legs:
                apart |= (self.legs[leg][:rows] != other.legs[leg][:rows]) & (mine != 0)
        apart |= _unlike(self.limits[:rows], other.limits[:rows])
        if self.exposure is not None and other.exposure is not None:
            apart |= _unlike(self.exposure[:rows], other.exposure[:rows]).any(axis=1)
        return apart

    def differs(self, other: Decisions, rows: int) -> int | None:
        """Return the first session in which two decide differently, or None; see `apart`."""
        apart = self.apart(other, rows)
        return int(np.argmax(apart)) if apart.any() else None


def decide(strategy: Strategy, path: Path, market: Market, p: Params) -> Decisions:
    """Ask a strategy what it wants on a market.

    Parameters
    ----------
    strategy : Strategy
        The strategy, loaded.
    path : Path
        Its file, for messages.
    market : Market
        The panel.
    p : Params
        Parameters of a run: single values.

    Raises
    ------
    StrategyError
        The strategy fails, with its file and line; or gives what no run could book.
    SibtError
        What it asked of the market makes no sense.
    """
    sessions = market.sessions
    legs, ratios = _legs(path, ask(path, strategy.legs, market, p), sessions)
    wished = ask(path, strategy.units, market, p)
    units, limits = wished if isinstance(wished, tuple) and len(wished) == 2 else (wished, None)
    if not isinstance(units, pd.Series | pd.DataFrame):
        raise StrategyError(
            f"units() of {path} returns {type(units).__name__}; return a Series of whole units by"
            " session (or that and limits)."
        )
    if isinstance(units, pd.DataFrame):
        units = units.reindex(columns=list(legs))
    standing = ask(path, lambda: units.reindex(sessions).ffill().fillna(0.0).to_numpy(float))
    resting = np.full(len(sessions), np.nan)
    if limits is not None:
        resting = ask(path, lambda: limits.reindex(sessions).to_numpy(float))
    goods = ask(path, strategy.exposure, market, p)
    known_from = ask(path, strategy.known_from, p)
    if known_from is not None:
        ask(path, pd.Timestamp, known_from)  # a day, or refused
    return Decisions(
        sessions=sessions,
        units=standing,
        limits=resting,
        legs=legs,
        ratios=ratios,
        exposure=None if goods is None else ask(path, _goods, goods, sessions),
        known_from=known_from,
        grade=ask(path, strategy.grade, p),
    )


def _legs(
    path: Path, said: Any, sessions: pd.DatetimeIndex
) -> tuple[dict[str, NDArray[np.object_]], dict[str, int]]:
    """Return contract codes and ratios by leg."""
    if not isinstance(said, Mapping):
        raise StrategyError(
            f"legs() of {path} returns {type(said).__name__}; return a dict of contract to ratio,"
            " or of name to (Series of codes by session, ratio)."
        )
    legs: dict[str, NDArray[np.object_]] = {}
    ratios: dict[str, Any] = {}
    for name, what in said.items():
        codes, ratio = what if isinstance(what, tuple) else (name, what)
        if not isinstance(ratio, int | float | np.number):
            raise StrategyError(
                f"Leg '{name}' of {path} has ratio {ratio!r}; give whole lots, not zero."
            )
        ratios[name] = ratio
        if isinstance(codes, pd.Series):
            column = codes.reindex(sessions).astype(object)
            legs[name] = column.where(column.notna(), "").to_numpy(object)
        else:
            legs[name] = np.full(len(sessions), codes, dtype=object)
    return legs, ratios


def _goods(goods: Any, sessions: pd.DatetimeIndex) -> FloatArray:
    """Return goods as columns: a Series of tonnes, or what else says ``owned`` and ``trades``."""
    columns = np.zeros((len(sessions), 3))
    if isinstance(goods, pd.Series):
        columns[:, 0] = goods.reindex(sessions).to_numpy(float)
        return columns
    columns[:, 0] = goods.owned.reindex(sessions).to_numpy(float)
    trades = goods.trades[["session", "tonnes", "price"]]
    value = (trades["tonnes"] * trades["price"]).fillna(0.0)
    for number, amounts in enumerate((trades["tonnes"], value), start=1):
        by_session = amounts.astype(float).groupby(trades["session"].to_numpy()).sum()
        columns[:, number] = by_session.reindex(sessions).fillna(0.0).to_numpy(float)
    return columns


def _unlike(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    """Return where two differ; unknown equals unknown."""
    unlike: NDArray[np.bool_] = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return unlike
