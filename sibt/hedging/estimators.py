"""Ways to a hedge ratio side by side: what each says, and what it was worth out of sample."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sibt.errors import DataError, SettingError
from sibt.hedging.contest import Contest, contest
from sibt.hedging.hedge import MONTH
from sibt.hedging.physical import quotes
from sibt.hedging.programs import dominant_closes
from sibt.hedging.ratios.estimate import FIRST, METHODS, SESSIONS, estimate
from sibt.hedging.ratios.pair import LEAST, RatioError
from sibt.language import said
from sibt.market.contract import contract
from sibt.market.panel import Market

__all__ = ["PLAIN", "Estimators", "estimators"]

#: Methods that are compared unless all are asked for: the plain ones.
PLAIN = ("naive", "min_variance", "error_correction", "rolling", "ewma")

_COLUMNS = ("ratio", "low", "high", "r2", "observations", "first", "last")


@dataclass(frozen=True, eq=False)
class Estimators:
    """Ways to a ratio, side by side.

    Attributes
    ----------
    grade : str
        Spot grade.
    code : str or None
        The contract; None is the dominant one, session by session.
    standard : str
        Delivery standard of the contracts.
    k : int
        Quoted sessions a change spans.
    table : pd.DataFrame
        Indexed by method, those of `FIRST` first: ``ratio, low, high, r2, observations, first,
        last`` as estimated on what was known by the last session asked for, and ``why``, the
        reason in a few words where it is undefined (NaN).
    contest : Contest or None
        The same out of sample; None where there is too little to judge on.
    notes : tuple of str
        What a reader must know, a sentence each.
    """

    grade: str
    code: str | None
    standard: str
    k: int
    table: pd.DataFrame
    contest: Contest | None = field(repr=False)
    notes: tuple[str, ...]


def estimators(
    market: Market,
    grade: str = "553",
    code: str | None = None,
    *,
    standard: str | None = None,
    k: int = SESSIONS,
    everything: bool = False,
    until: pd.Timestamp | None = None,
) -> Estimators:
    """Estimate a hedge ratio in all plain ways, and hold them against one for one.

    Closes, not settlements, stand against the quotes: they are the prices of one time of day.
    Nothing is estimated across two delivery standards.

    Parameters
    ----------
    market : Market
        Spot and futures.
    grade : str
        Spot grade.
    code : str, optional
        Contract to hedge with; by default the dominant one of each session.
    standard : str, optional
        Delivery standard of the dominant contract; by default the newest that has enough quotes.
    k : int
        Quoted sessions a change spans.
    everything : bool
        All of `METHODS`, the slow ones and those that need the library arch too.
    until : pd.Timestamp, optional
        Last session the estimates know; the contest knows all sessions, each ratio its own past.

    Raises
    ------
    DataError
        The market has no quotes of the grade, or no prices of the contract.
    SettingError
        `k` is out of its range.
    """
    spot = quotes(market, grade)
    futures, codes, standard = _against(market, spot, code, standard)
    methods: tuple[str, ...] = METHODS if everything else PLAIN
    known = slice(None, until)
    rows, notes = {}, []
    for method in methods:
        try:
            found = estimate(
                spot.loc[known], futures.loc[known], method, k=k, contracts=codes.loc[known]
            )
        except RatioError as error:
            rows[method] = [*[math.nan] * 4, 0, pd.NaT, pd.NaT, error.reason]
        except SettingError as error:
            if method in FIRST:
                raise
            notes.append(str(error))  # the library is missing
        else:
            rows[method] = [*(getattr(found, name) for name in _COLUMNS), None]
    methods = tuple(name for name in methods if name in rows)
    if k < MONTH:
        notes += _longer(spot.loc[known], futures.loc[known], codes.loc[known])
    held = None
    try:
        held = contest(spot, futures, methods, k=k, contracts=codes)
    except RatioError as error:
        why = said(error.reason)
        notes.append(said("out of sample nothing can be compared: {why}", why=why))
    return Estimators(
        grade=grade,
        code=code,
        standard=standard,
        k=k,
        table=pd.DataFrame.from_dict(rows, orient="index", columns=[*_COLUMNS, "why"]).rename_axis(
            "method"
        ),
        contest=held,
        notes=tuple(notes),
    )


def _longer(
    spot: pd.Series[float], futures: pd.Series[float], codes: pd.Series[Any]
) -> list[str]:
    """Say what the ratio is over changes of a month: quotes follow the futures late."""
    try:
        found = estimate(spot, futures, "min_variance", k=MONTH, contracts=codes)
    except RatioError:
        return []
    return [
        said(
            "over {k} quoted sessions minimum variance is {ratio:.2f}: quotes follow the futures"
            " late, so take the horizon of the hedge",
            k=MONTH, ratio=found.ratio,
        )
    ]  # fmt: skip


def _against(
    market: Market, spot: pd.Series[float], code: str | None, standard: str | None
) -> tuple[pd.Series[float], pd.Series[Any], str]:
    """Return closes, the contract they are of, and its delivery standard."""
    if code is not None:
        own = market.price("close")[:, market.column(code)]
        codes = pd.Series(code, index=market.sessions, dtype=object)
        return pd.Series(own, index=market.sessions), codes, contract(code).standard
    product = contract(market.contracts[-1]).product
    names = [str(row["name"]) for row in product.standards]
    if standard is not None and standard not in names:
        raise SettingError(f"No delivery standard '{standard}'; known are {', '.join(names)}.")
    for name in [standard] if standard is not None else reversed(names):
        futures, codes = dominant_closes(market, product.name, name)
        if standard is not None or int((futures.notna() & spot.notna()).sum()) > 2 * LEAST:
            return futures, codes, name
    raise DataError(
        f"No delivery standard of {product.name} has {2 * LEAST} sessions with both a quote of"
        f" {spot.name} and a close of the dominant contract; bring a longer history."
    )
