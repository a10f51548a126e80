"""A hedge ratio by session, each estimated on what was known by then."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from sibt.errors import SettingError
from sibt.hedging.ratios.estimate import SESSIONS, check, estimate
from sibt.hedging.ratios.pair import RatioError, pair_of, standards

__all__ = ["Path", "path"]

_COLUMNS = ("ratio", "low", "high", "r2", "observations")


@dataclass(frozen=True, eq=False)
class Path:
    """A ratio that is estimated anew as time goes by.

    Attributes
    ----------
    ratios : pd.Series of shape (T,)
        By session, for wishes decided after its close; NaN where none is defined.
    reasons : mapping of str to int
        Why sessions have no ratio, and how many.
    estimates : pd.DataFrame
        ``ratio, low, high, r2, observations`` by the session of each estimate.
    """

    ratios: pd.Series[float]
    reasons: Mapping[str, int]
    estimates: pd.DataFrame = field(repr=False)


def path(
    spot: pd.Series[float],
    futures: pd.Series[float],
    method: str = "min_variance",
    *,
    every: int | Literal["month"] = "month",
    contracts: pd.Series[Any] | None = None,
    cross_standard: bool = False,
    k: int = SESSIONS,
    decay: float = 0.97,
    window: int = 120,
    vat: bool = False,
) -> Path:
    """Estimate a ratio as time goes by, and let it stand until the next estimate.

    The ratio of session t is estimated on sessions up to t, for wishes decided after its close,
    which fill in t + 1. It is estimated anew in the first session of each month, or `every` so
    many sessions; a session without a ratio tries again. At the line between two delivery
    standards a ratio falls, and the next one knows only the new standard.

    Parameters
    ----------
    spot, futures, method, contracts, k, decay, window, vat
        As in `sibt.hedging.ratios.estimate.estimate`.
    every : "month" or int
        When to estimate anew.
    cross_standard : bool
        True to let ratios and their data cross from one delivery standard to the next.

    Returns
    -------
    Path
        Nothing in it up to t depends on later sessions.

    Raises
    ------
    DataError, SettingError
        As `estimate`; what makes a ratio undefined is counted in `Path.reasons` instead.
    """
    check(method, k=k, decay=decay, window=window)
    if every != "month" and (not isinstance(every, int) or every < 1):
        raise SettingError(
            f"every={every!r} is no schedule; give 'month' or a whole number of sessions from 1."
        )
    pair_of(spot, futures, contracts, cross_standard=True)  # the series fit together
    sessions = pd.DatetimeIndex(spot.index)
    one_good = contracts is None or cross_standard
    goods = [None] * len(sessions) if contracts is None or one_good else standards(contracts)
    months = sessions.to_period("M")
    ratios = np.full(len(sessions), math.nan)
    rows: dict[pd.Timestamp, tuple[float, ...]] = {}
    reasons: Counter[str] = Counter()
    ratio, reason, start, done = math.nan, "", 0, 0
    for t in range(len(sessions)):
        if t and goods[t] != goods[t - 1]:
            ratio, start = math.nan, t
        due = months[t] != months[t - 1] if every == "month" else t - done >= int(every)
        if math.isnan(ratio) or due:
            known = slice(start, t + 1)
            try:
                found = estimate(
                    spot.iloc[known], futures.iloc[known], method,
                    k=k, decay=decay, window=window, vat=vat,
                    contracts=None if contracts is None else contracts.iloc[known],
                    cross_standard=one_good,
                )
            except RatioError as error:
                ratio, reason = math.nan, error.reason
            else:
                ratio, done = found.ratio, t
                rows[sessions[t]] = tuple(float(getattr(found, name)) for name in _COLUMNS)
        ratios[t] = ratio
        if math.isnan(ratio):
            reasons[reason] += 1
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS))
    table.index = pd.DatetimeIndex(table.index, name="session")
    return Path(
        ratios=pd.Series(ratios, index=sessions, name="ratio"),
        reasons=dict(reasons),
        estimates=table.astype({"observations": int}),
    )
