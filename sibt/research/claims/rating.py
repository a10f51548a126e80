"""A rating by the change of the close: five words, from strongly down to strongly up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibt.language import said
from sibt.research.claims.base import Trial
from sibt.research.claims.course import Rule, follow
from sibt.research.claims.prices import Subject
from sibt.research.claims.verdict import Figure, Score
from sibt.research.claims.window import Window

__all__ = ["rated", "rating"]

FloatArray = NDArray[np.float64]

#: Edges of the words, per cent; an edge belongs to the word nearer to zero.
_RANGE, _STRONG = 5, 15

#: The words by grade.
_WORDS = {-2: "strong_down", -1: "down", 0: "range", 1: "up", 2: "strong_up"}


def rated(base: float, close: float) -> str:
    """Return the word for a change of the close.

    |R| ≤ 5 % is ``range``, 5 % < R ≤ 15 % ``up``, above ``strong_up``; below zero the mirror
    image. From the rating table of the field report of 2024-05-14 (期货走势评级体系), which
    prints 5 and 15 % in two words each: an edge is given to the word nearer to zero.

    Parameters
    ----------
    base, close : float
        Yuan per tonne. Compared without a division, so that an edge is met exactly.
    """
    return _WORDS[int(_grade(base, np.array([close]))[0])]


def rating(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score a rating over "a to b months" from the report's day; it can be read three ways.

    ``endpoint``: the word is that of the change from the base to the close at the horizon's end,
    the last session on or before the day b months later ("变动幅度"). ``window``: every close
    after a and up to b months later has the word. ``path``, for ``range`` alone: every close from
    the next session to the horizon's end stays within ±5 % ("振幅"). All figures are told
    whatever the mode, so that the others can be read off.
    """
    word, mode = told["word"], told["mode"]

    wanted = next(grade for grade, one in _WORDS.items() if one == word)

    def other(base: float, prices: FloatArray) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = ~np.isnan(prices) & (_grade(base, prices) != wanted)
        return found

    def rule(base: float) -> Rule:
        if mode == "endpoint":
            return Rule(None, False, lambda start, last: rated(start, last) == word)
        return Rule(other, False, lambda start, last: True)

    def figures(seen: Trial, others: Sequence[Trial]) -> Mapping[str, Figure]:
        known = seen.window[~np.isnan(seen.window)]
        if not len(known):
            return {}
        last, same = float(known[-1]), ~other(seen.base, known)
        found = {
            "change": Figure(last / seen.base - 1, "share"),
            "rating": Figure(said(rated(seen.base, last).replace("_", " "))),
            "closes with the word": Figure(float(same.mean()), "share"),
            "furthest up": Figure(float(known.max()) / seen.base - 1, "share"),
            "furthest down": Figure(float(known.min()) / seen.base - 1, "share"),
        }
        hits = np.flatnonzero(~same)
        if len(hits):
            found["first with another"] = Figure(float(known[hits[0]]), "yuan/t")
        return found

    def lines(base: float) -> list[tuple[Any, float]]:
        # The whole scale, whichever the word: a chart shows what it would have been.
        edges = (-_STRONG, -_RANGE, _RANGE, _STRONG)
        return [(said("{edge:+d} %", edge=edge), base * (100 + edge) / 100) for edge in edges]

    return follow(subject, told["on"], "close", window, rule, lines, figures)


def _grade(base: float, prices: FloatArray) -> FloatArray:
    """Return −2 to 2 for each price, the key of its word; NaN has any."""
    move = 100 * (prices - base)
    size = np.abs(move)
    grade: FloatArray = np.sign(move) * (1.0 * (size > _RANGE * base) + (size > _STRONG * base))
    return grade
