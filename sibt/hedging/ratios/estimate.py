"""One hedge ratio from all that is given, by any method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sibt.errors import SettingError, did_you_mean
from sibt.hedging.ratios import cointegration, garch, kalman, least_squares
from sibt.hedging.ratios.least_squares import Fit
from sibt.hedging.ratios.pair import LEAST, Pair, RatioError, pair_of

__all__ = ["EXTREME", "FIRST", "METHODS", "SESSIONS", "VAT", "Estimate", "check", "estimate"]

#: Ways to a ratio, the plain ones first.
METHODS = (
    "naive", "min_variance", "error_correction", "vecm", "rolling", "ewma",
    "kalman", "ccc", "dcc",
)

#: The two that are shown side by side where nothing else is asked for.
FIRST = ("naive", "min_variance")

#: Quoted sessions a change spans: a week. Spot quotes are sticky; from day to day they hardly
#: follow the futures, and a ratio of daily changes is too small.
SESSIONS = 5

#: Ratios beyond this, either way, are refused: goods hedged with their own futures need no more.
EXTREME = 2.0

#: Value-added tax (增值税) on goods, since 2019-04-01.
VAT = 0.13


@dataclass(frozen=True)
class Estimate:
    """A hedge ratio.

    Attributes
    ----------
    ratio : float
        Tonnes of futures to sell for each tonne owned.
    low, high : float
        95 % interval; NaN where the method has none.
    r2 : float
        Share of the variance of the spot's changes this ratio takes away in the sample; R² for
        minimum variance. In the sample: see `sibt.hedging.contest` for what it is worth after.
    observations : int
        Changes it was estimated on.
    first, last : pd.Timestamp or None
        First and last session quoted for both; None if there is none.
    method : str
        One of `METHODS`.
    note : str
        How it was done, in words.
    """

    ratio: float
    low: float
    high: float
    r2: float
    observations: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    method: str
    note: str


def estimate(
    spot: pd.Series[float],
    futures: pd.Series[float],
    method: str = "min_variance",
    *,
    k: int = SESSIONS,
    decay: float = 0.97,
    window: int = 120,
    vat: bool = False,
    contracts: pd.Series[Any] | None = None,
    cross_standard: bool = False,
) -> Estimate:
    """Estimate a hedge ratio on everything that is given, which is taken to be the past.

    Sessions in which either price is unknown are left out, nothing is filled: a change over k
    sessions runs from one quoted session to the k-th quoted one after it. So sparse quotes make
    changes longer, not smaller.

    Parameters
    ----------
    spot, futures : pd.Series of shape (T,)
        Prices on the same sessions, yuan per tonne; NaN where unknown.
    method : {"naive", "min_variance", "error_correction", "vecm", "rolling", "ewma", "kalman", \
"ccc", "dcc"}
        How. ``ccc`` and ``dcc`` need the library arch.
    k : int
        Quoted sessions a change spans; best the horizon of the hedge. Least squares and error
        correction take all such changes, overlapping; the others every k-th session.
    decay : float
        Of ``ewma``, between 0 and 1, by change.
    window : int
        Changes of ``rolling``.
    vat : bool
        True to divide by 1.13: who sells with VAT keeps only the price without it, while the
        futures' gain bears none.
    contracts : pd.Series of shape (T,), optional
        The contract whose price stands in `futures`, by session, or its delivery standard where
        `futures` is adjusted for rolls. Changes are then within one contract. Left out, `futures`
        is taken for one contract.
    cross_standard : bool
        True to estimate across delivery standards, which are two goods.

    Returns
    -------
    Estimate
        Never a stand-in: what cannot be estimated is an error.

    Raises
    ------
    RatioError
        A `DataError`: too few points (`LEAST`), a price that does not move, a ratio beyond
        `EXTREME`, or a model that does not fit.
    DataError
        Series that do not fit together, or two delivery standards without the flag.
    SettingError
        No such method, a setting out of range, or a library that is missing.
    """
    check(method, k=k, decay=decay, window=window)
    pair = pair_of(spot, futures, contracts, cross_standard)
    fit = _fit(pair, method, k, decay, window)
    last = pair.sessions[-1] if len(pair.sessions) else None
    if not math.isfinite(fit.ratio) or abs(fit.ratio) > EXTREME:
        raise RatioError(
            f"The {method} ratio up to {last:%Y-%m-%d} is {fit.ratio:.2f}, beyond ±{EXTREME:g};"
            " look for wrong prices or a roll without `contracts`, give a longer history, or set"
            " the ratio by hand.",
            f"ratio beyond {EXTREME:g}",
        )
    share = 1.0 + VAT if vat else 1.0
    return Estimate(
        ratio=fit.ratio / share,
        low=fit.low / share,
        high=fit.high / share,
        r2=fit.r2,
        observations=fit.observations,
        first=pair.sessions[0] if len(pair.sessions) else None,
        last=last,
        method=method,
        note=f"{fit.note}; divided by {share:g} for VAT" if vat else fit.note,
    )


def check(method: str, *, k: int, decay: float, window: int) -> None:
    """Refuse settings that make no sense.

    Raises
    ------
    SettingError
        No such method, or a setting out of range.
    """
    if method not in METHODS:
        raise SettingError(
            f"'{method}' is no way to a hedge ratio; known are {', '.join(METHODS)}."
            f"{did_you_mean(method, METHODS)}"
        )
    if k != int(k) or k < 1:
        raise SettingError(f"k={k} sessions make no change; give a whole number from 1.")
    if not 0.0 < decay < 1.0:
        raise SettingError(f"decay={decay} is not between 0 and 1; give for example 0.97.")
    if window != int(window) or window < LEAST:
        raise SettingError(
            f"A window of {window} changes is too short for a ratio; give {LEAST} or more."
        )


def _fit(pair: Pair, method: str, k: int, decay: float, window: int) -> Fit:
    if method == "rolling":
        return least_squares.rolling(pair, k, window)
    if method == "ewma":
        return least_squares.ewma(pair, k, decay)
    plain = {
        "naive": least_squares.naive,
        "min_variance": least_squares.min_variance,
        "error_correction": cointegration.error_correction,
        "vecm": cointegration.vecm,
        "kalman": kalman.kalman,
        "ccc": garch.ccc,
        "dcc": garch.dcc,
    }
    return plain[method](pair, k)
