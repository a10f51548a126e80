"""Forecasts of a price: a range, a level that holds, breaks or is reached, a direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibt.language import Sentence, said
from sibt.research.claims.base import Trial
from sibt.research.claims.course import Rule, follow
from sibt.research.claims.prices import Prices, Subject
from sibt.research.claims.verdict import Figure, Score
from sibt.research.claims.window import Window

__all__ = ["DRIFT", "breaks", "direction", "holds_above", "price_range", "reach"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Sessions after a break over which the drift is told.
DRIFT = (5, 20, 60)

#: Levels at a given distance from the base: those of the report, as far from any other close.
_Levels = Callable[[float], float]


def price_range(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score "prices move between `low` and `high`": wrong at the first price outside.

    The edges are inside. On a random day the range lies as far above and below the close.
    """
    low, high = told["low"], told["high"]

    def outside(base: float) -> Callable[[float, FloatArray], BoolArray]:
        floor, cap = _scaled(low, base), _scaled(high, base)

        def found(start: float, prices: FloatArray) -> BoolArray:
            return (prices < floor(start)) | (prices > cap(start))

        return found

    def rule(base: float) -> Rule:
        return Rule(outside(base), False, lambda start, last: True)

    def figures(seen: Trial, others: Sequence[Trial]) -> Mapping[str, Figure]:
        out = outside(seen.base)
        found = {"inside": Figure(_inside(seen, out), "share")}
        hits = np.flatnonzero(out(seen.base, seen.window))
        if len(hits):
            price = float(seen.window[hits[0]])
            side = "below" if low is not None and price < low else "above"
            found["first outside"] = Figure(price, "yuan/t")
            found["on which side"] = Figure(said(side))
            found["sessions until"] = Figure(int(hits[0]) + 1, "sessions")
        found |= _extremes(seen)
        for name, level in (("low against base", low), ("high against base", high)):
            if level is not None:
                found[name] = Figure(level / seen.base - 1, "share")
        shares = [share for one in others if (share := _inside(one, out)) is not None]
        if shares:
            found["inside on a random day"] = Figure(float(np.mean(shares)), "share")
        return found

    def lines(base: float) -> list[tuple[Sentence, float]]:
        edges = ((said("low"), low), (said("high"), high))
        return [(name, level) for name, level in edges if level is not None]

    return follow(subject, told["on"], told["price"], window, rule, lines, figures)


def holds_above(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score "the price does not fall below `level`": wrong at the first price below."""
    return _broken(subject, told, window, side="below", right=False)


def breaks(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score "the price breaks `level`": right at the first price beyond it.

    The drift after the break is the change of the close from the session of the break on; of the
    dominant contract that of `adjusted` prices, for a roll is no move. It is held against levels
    as far from the close on every other day: what follows their breaks.
    """
    return _broken(subject, told, window, side=told["side"], right=True)


def reach(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score "the price comes to `level`": right at the first price at or beyond it."""
    level, side = told["level"], told["side"]

    def there(base: float) -> Callable[[float, FloatArray], BoolArray]:
        goal = _scaled(level, base)

        def found(start: float, prices: FloatArray) -> BoolArray:
            return prices <= goal(start) if side == "below" else prices >= goal(start)

        return found

    def figures(seen: Trial, others: Sequence[Trial]) -> Mapping[str, Figure]:
        hits = np.flatnonzero(there(seen.base)(seen.base, seen.window))
        found = {}
        if len(hits):
            found["reached at"] = Figure(float(seen.window[hits[0]]), "yuan/t")
            found["sessions until"] = Figure(int(hits[0]) + 1, "sessions")
        extremes = _extremes(seen)
        nearest = extremes.get("lowest price" if side == "below" else "highest price")
        if nearest is not None and not len(hits):
            found["still to go"] = Figure(abs(nearest.value - level), "yuan/t")
        return {**found, **extremes, "level against base": Figure(level / seen.base - 1, "share")}

    return follow(
        subject,
        told["on"],
        told["price"],
        window,
        lambda base: Rule(there(base), True, lambda start, last: False),
        lambda base: [(said("level"), level)],
        figures,
    )


def direction(subject: Subject, told: Mapping[str, Any], window: Window) -> Score:
    """Score "prices rise" or "fall": the sign of the change from base to the last close.

    No change is neither.
    """
    up = told["sign"] == "up"

    def right(start: float, last: float) -> bool:
        return last > start if up else last < start

    def figures(seen: Trial, others: Sequence[Trial]) -> Mapping[str, Figure]:
        known = seen.window[~np.isnan(seen.window)]
        if not len(known):
            return {}
        last = float(known[-1])
        return {
            "change": Figure(last / seen.base - 1, "share"),
            "last close": Figure(last, "yuan/t"),
            **_extremes(seen),
        }

    return follow(
        subject,
        told["on"],
        "close",
        window,
        lambda base: Rule(None, False, right),
        lambda base: [(said("base close"), base)],
        figures,
    )


def _broken(
    subject: Subject, told: Mapping[str, Any], window: Window, *, side: str, right: bool
) -> Score:
    level = told["level"]
    moves = subject.prices("adjusted" if told["on"] == "dominant" else told["on"])

    def beyond(base: float) -> Callable[[float, FloatArray], BoolArray]:
        edge = _scaled(level, base)

        def found(start: float, prices: FloatArray) -> BoolArray:
            return prices < edge(start) if side == "below" else prices > edge(start)

        return found

    def figures(seen: Trial, others: Sequence[Trial]) -> Mapping[str, Figure]:
        broken = beyond(seen.base)
        found = {}
        hit = _hit(seen, broken)
        if hit is not None:
            found["first beyond"] = Figure(float(seen.values[hit]), "yuan/t")
            found["sessions until"] = Figure(hit - seen.first + 1, "sessions")
        found |= _extremes(seen)
        found["level against base"] = Figure(level / seen.base - 1, "share")
        if hit is None:
            return found
        hits = [(one, _hit(one, broken)) for one in others]
        matched = [(one, at) for one, at in hits if at is not None]
        for sessions in DRIFT:
            after = _drift(moves, seen, hit, sessions)
            found[said("drift +{sessions}", sessions=sessions)] = Figure(after, "yuan/t")
            drifts = [drift for one, at in matched
                      if (drift := _drift(moves, one, at, sessions)) is not None]  # fmt: skip
            mean = float(np.mean(drifts)) if drifts else None
            matched_name = said("matched drift +{sessions}", sessions=sessions)
            found[matched_name] = Figure(mean, "yuan/t")
        found["matched breaks"] = Figure(len({at for _, at in matched}), "sessions")
        return found

    return follow(
        subject,
        told["on"],
        told["price"],
        window,
        lambda base: Rule(beyond(base), right, lambda start, last: not right),
        lambda base: [(said("level"), level)],
        figures,
    )


def _scaled(level: float | None, base: float) -> _Levels:
    """Return the level as far from another close as `level` is from `base`; NaN for none."""
    if level is None:
        return lambda start: np.nan
    # Multiplied first: on the report's own base this is the level itself, to the last bit.
    return lambda start: level * start / base


def _inside(seen: Trial, out: Callable[[float, FloatArray], BoolArray]) -> float | None:
    known = seen.window[~np.isnan(seen.window)]
    return float(1 - out(seen.base, known).mean()) if len(known) else None


def _extremes(seen: Trial) -> dict[str, Figure]:
    known = seen.window[~np.isnan(seen.window)]
    if not len(known):
        return {}
    found = {
        "lowest price": Figure(float(known.min()), "yuan/t"),
        "highest price": Figure(float(known.max()), "yuan/t"),
        "prices": Figure(len(known), "sessions"),
    }
    if len(known) < len(seen.window):
        found["unknown prices"] = Figure(len(seen.window) - len(known), "sessions")
    return found


def _hit(seen: Trial, beyond: Callable[[float, FloatArray], BoolArray]) -> int | None:
    hits = np.flatnonzero(beyond(seen.base, seen.window))
    return seen.first + int(hits[0]) if len(hits) else None


def _drift(moves: Prices, seen: Trial, at: int, sessions: int) -> float | None:
    """Return the change over the sessions after a break; None beyond what can be known."""
    if at + sessions >= seen.stop:
        return None
    values = moves.values(seen.at)
    drift = float(values[at + sessions] - values[at])
    return None if np.isnan(drift) else drift
