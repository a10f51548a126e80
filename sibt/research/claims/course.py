"""A forecast of a price, followed from the day it was known until it is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.language import Sentence, said
from sibt.market import calendar
from sibt.research.claims.base import Trial, rate, trials
from sibt.research.claims.prices import Prices, Subject
from sibt.research.claims.verdict import Figure, LackingError, Missing, Score
from sibt.research.claims.window import Window

__all__ = ["BEFORE", "Figures", "Rule", "follow"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Sessions before the report that a score keeps for its chart.
BEFORE = 60

#: Makes figures of what was seen and of all trials.
Figures = Callable[[Trial, Sequence[Trial]], Mapping[str, Figure]]


@dataclass(frozen=True)
class Rule:
    """When a sentence about prices is right.

    Attributes
    ----------
    event : callable or None
        Given the base and prices, which of them decide it at once; NaN never does.
    event_is : bool
        Whether the sentence is right at the first event.
    at_end : callable
        Given the base and the window's last price, whether it is right where no event came.
    """

    event: Callable[[float, FloatArray], BoolArray] | None
    event_is: bool
    at_end: Callable[[float, float], bool]

    def judge(self, base: float, prices: FloatArray, over: bool) -> tuple[int, bool] | None:
        """Return which price decides, and whether the sentence is right; None while it runs.

        Parameters
        ----------
        base : float
            Close of the start day, yuan per tonne.
        prices : ndarray of shape (N,)
            Prices of the window so far.
        over : bool
            True if these are all.
        """
        if self.event is not None:
            hits = np.flatnonzero(self.event(base, prices))
            if len(hits):
                return int(hits[0]), self.event_is
        if not over:
            return None
        return len(prices) - 1, bool(self.at_end(base, float(prices[-1])))


def follow(
    subject: Subject,
    on: str,
    price: str,
    window: Window,
    rule: Callable[[float], Rule],
    lines: Callable[[float], Sequence[tuple[Sentence, float]]],
    figures: Figures,
) -> Score:
    """Score a forecast of a price over one window.

    The base is the close of the report's day, or of the last session before it. Nothing before
    the session after it counts. What decides a sentence early, decides it. Where the contracts
    it was written for end before the window does, and nothing has decided it, it is undecidable:
    the next delivery standard is another good.

    Parameters
    ----------
    subject : Subject
        Report and market.
    on, price : str
        What it is read on; see `Prices`.
    window : Window
        How long it has.
    rule, lines : callable
        Given the base: when it is right, and the levels it names.
    figures : callable
        What to tell of it.

    Raises
    ------
    LackingError
        The market lacks the report's day, the contract or the price that would decide.
    """
    sessions, at = subject.market.sessions, subject.at
    prices = subject.prices(on, price)
    base = prices.base(at)
    if np.isnan(base):
        raise _no_price(prices, at, at)
    values, ends = prices.values(at), prices.ends(at)
    span = window.span(sessions, at)
    stop = len(sessions) if ends is None else int(sessions.searchsorted(ends, side="right"))
    seen = Trial(at, span.first, min(span.last, stop - 1), base, values, stop)
    outlives = ends is not None and (span.end is None or span.end > ends)
    over = span.over and not outlives
    how = rule(base)
    decided = how.judge(base, seen.window, over)
    early = decided is not None and (decided[0] < len(seen.window) - 1 or not over)
    if over and not early and np.isnan(seen.window[-1]):
        raise _no_price(prices, at, seen.last)
    why: Sentence | None = None
    if decided is not None:
        verdict = "right" if decided[1] else "wrong"
    elif outlives and ends is not None and (sessions[-1] >= ends or how.event is None):
        if len(seen.window) and np.isnan(seen.window).all():
            raise _no_price(prices, at, seen.last)
        verdict = "undecidable"
        why = _ended(prices, at, ends)
    else:
        verdict = "running"
    elsewhere = window.elsewhere(sessions[at])
    others = [] if elsewhere is None else list(trials(subject, prices, elsewhere))
    base_rate = rate(
        (one.at, one.last, how.judge(one.base, one.window, True)[1])  # type: ignore[index]
        for one in others
    )
    shown = slice(max(at - BEFORE, 0), max(seen.last, at) + 1)
    return Score(
        horizon=window.label,
        verdict=verdict,
        why=why,
        figures={**figures(seen, others), "base close": Figure(base, "yuan/t")},
        base=base_rate,
        no_base=None if base_rate else said(
            "no start day has {window} of the same contracts after it", window=window.label
        ),
        decided_on=None if decided is None else sessions[span.first + decided[0]],
        start=_first(sessions, at, span.first),
        end=span.end,
        path=pd.Series(values[shown], sessions[shown], name=price),
        contracts=pd.Series(prices.codes(at)[shown], sessions[shown], dtype=object),
        lines=tuple(lines(base)),
    )  # fmt: skip


def _ended(prices: Prices, at: int, ends: pd.Timestamp) -> Sentence:
    if prices.on in ("dominant", "adjusted"):
        return said(
            "the contracts it was written for ended on {ends:%Y-%m-%d}, before its time was over;"
            " those of the next delivery standard are another good",
            ends=ends,
        )
    return said(
        "{code}, on which it is read, ended on {ends:%Y-%m-%d}, before its time was over",
        code=prices.code(at),
        ends=ends,
    )


def _no_price(prices: Prices, start: int, at: int) -> LackingError:
    """Return what to raise where the price of a session is unknown, as followed from `start`."""
    day, code = prices.market.sessions[at], prices.codes(start)[at]
    if not isinstance(code, str):
        return LackingError(
            Missing(
                f"dominant contract of {day:%Y-%m-%d}",
                said(
                    "bring bars with open interest or volume, or dominant.csv beside them, a row"
                    " DATE,CONTRACT a day"
                ),
            )
        )
    return LackingError(
        Missing(
            f"{code} on {day:%Y-%m-%d}",
            said("bring its bar of that day: sibt data pull, or a file of bars with --data"),
        )
    )


def _first(sessions: pd.DatetimeIndex, at: int, first: int) -> pd.Timestamp | None:
    if first < len(sessions):
        return sessions[first]
    return calendar.after(sessions[at]) if first == at + 1 else None
