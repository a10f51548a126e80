"""Wishes by session: the window they may stand in, and orders that rest in the market.

All work on one column (a run: Series by session) and on N columns (a sweep: arrays of shape
(T, N)) alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import StrategyError
from sibt.market import calendar
from sibt.strategy.indicators import Columns

__all__ = ["by_session", "first_decision", "rest", "scale", "since", "times", "within"]


def first_decision(day: pd.Timestamp | str) -> pd.Timestamp:
    """Return the first session whose close may decide on what became known on `day`.

    Its orders fill in the session after `day`, never on it or before.
    """
    known = calendar.sessions()
    return known[int(known.searchsorted(pd.Timestamp(day), side="right")) - 1]


def since(x: Any, sessions: pd.DatetimeIndex, day: pd.Timestamp | str) -> Any:
    """Return a signal that is unknown (NaN) before the day the idea became known.

    Parameters
    ----------
    x : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        The signal.
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market.
    day : timestamp or str
        The day; see `first_decision`.
    """
    early = np.asarray(sessions < first_decision(day))
    if isinstance(x, pd.Series):
        return x.mask(early)
    values = np.array(x.values if isinstance(x, Columns) else x, dtype=float, order="F")
    values[early] = np.nan
    return Columns(values, x.take) if isinstance(x, Columns) else values


def within(
    units: Any,
    sessions: pd.DatetimeIndex,
    day: pd.Timestamp | str | None,
    last: pd.Timestamp | None,
) -> Any:
    """Return wishes that are zero before an idea was known and that are flat in time.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished.
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market.
    day : timestamp or str, optional
        The day the idea became known.
    last : pd.Timestamp, optional
        Last session in which anything may be held: the wish is zero from the session
        before it, so that it can be filled.
    """
    outside = np.zeros(len(sessions), dtype=bool)
    if day is not None:
        outside |= np.asarray(sessions < first_decision(day))
    if last is not None:
        # By the calendar, not by the market's end, which a cut market has earlier.
        eve = calendar.before(last)
        outside |= np.asarray(sessions >= (last if eve is None else eve))
    wish = np.array(units, dtype=float)
    wish[outside] = 0.0
    return by_session(wish, sessions)


def rest(units: Any, level: Any, after: Any) -> tuple[Any, Any]:
    """Let the order that ends a short position at a level rest in the market.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished where the goal is met by a touch; negative while the position waits.
    level : float or N of them
        Price of the resting order, yuan per tonne; NaN rests nowhere.
    after : int or N of them
        Units wished once it is reached, 0 or more.

    Returns
    -------
    tuple
        Units and limits. From the session after the short wish was made, the wish is
        `after` at the limit; the ledger holds the short until the limit is reached.
    """
    state = np.asarray(units, dtype=float)
    before = np.zeros_like(state)
    before[1:] = state[:-1]
    # A wish made tonight must be filled at the market first.
    waiting = (state < 0) & (before == state) & ~np.isnan(np.asarray(level, dtype=float))
    wish = np.where(waiting, after, state)
    limits = np.where(waiting, level, np.nan)
    if isinstance(units, pd.Series):
        return pd.Series(wish, index=units.index), pd.Series(limits, index=units.index)
    return wish, limits


def scale(values: Any, factor: Any) -> NDArray[np.float64]:
    """Return values by session times a parameter.

    Parameters
    ----------
    values : array of shape (T,) or (T, N)
        Values by session.
    factor : float or N of them
        A parameter, or a number made from parameters.

    Returns
    -------
    ndarray of shape (T,) for a number, else (T, N)
    """
    left, right = np.asarray(values, dtype=float), np.asarray(factor, dtype=float)
    if left.ndim == 1:
        left, right = np.multiply.outer(left, right), np.array(1.0)
    product: NDArray[np.float64] = left * right
    return product


def times(one: Any, other: Any) -> NDArray[np.float64]:
    """Return the product of two values by session, each of shape (T,), (T, N) or a number."""
    left, right = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if left.ndim == 1 and right.ndim == 2:
        left = left[:, None]
    if right.ndim == 1 and left.ndim == 2:
        right = right[:, None]
    product: NDArray[np.float64] = left * right
    return product


def by_session(values: Any, sessions: pd.DatetimeIndex) -> Any:
    """Return one column as a Series by session; N columns as they are.

    Raises
    ------
    StrategyError
        Values of another length than the sessions.
    """
    array = np.asarray(values, dtype=float)
    if len(array) != len(sessions):
        raise StrategyError(
            f"{len(array)} values do not match {len(sessions)} sessions; give one a session."
        )
    return pd.Series(array, index=sessions) if array.ndim == 1 else array
