"""Contracts that do not fit their neighbours: too far away, a session late, or exchanged.

Every check is a function of a `Look` and returns its findings. Contracts of one product and one
delivery standard are neighbours; nothing is compared across that line.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sibt.language import said
from sibt.market.findings.finding import Finding
from sibt.market.findings.look import Look, later
from sibt.market.findings.spikes import middle

__all__ = ["CHECKS"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: A contract so far, in logarithms, from the two before and the two behind it fits none. In
#: recorded prices of si, lc and ps none is half as far.
_STRANGE = 0.15
#: Common sessions before two contracts are compared.
_ENOUGH = 10
#: Common changes before a shift is spoken of, and the correlations that tell one. Recorded
#: contracts stand above 0.6 on the same session and below 0.3 a session apart.
_CHANGES, _APART, _TOGETHER = 30, 0.35, 0.65
#: An exchange of two contracts turns their distance round by so much at least, in logarithms,
#: and lasts so many sessions at most.
_TURN, _LONGEST = 0.06, 60


def stranger(on: Look) -> list[Finding]:
    """Contracts far from their neighbours for life."""
    log = np.log(np.where(on.wrong, np.nan, on.level))
    far = np.full((log.shape[1], 4), np.nan)
    for place, (shift, near) in enumerate(((1, 1), (2, 2))):
        apart = log[:, shift:] - log[:, :-shift]
        known = ~np.isnan(apart)
        count = known.sum(axis=0)
        fits = _neighbours(on)[near] & (count >= _ENOUGH)
        mean = np.where(known, apart, 0.0).sum(axis=0) / np.maximum(count, 1)
        for at in np.flatnonzero(fits):
            # The mean is quick, the median believed.
            size = mean[at]
            if abs(size) > 0.8 * _STRANGE:
                size = np.median(apart[known[:, at], at])
            far[at, place] = -size
            far[at + shift, place + 2] = size
    found = []
    compared = (~np.isnan(far)).sum(axis=1)
    least = np.nanmin(np.where(np.isnan(far), np.inf, np.abs(far)), axis=1)
    for at in np.flatnonzero((compared >= 2) & (least > _STRANGE)):
        rows = np.flatnonzero(~np.isnan(log[:, at]))
        size = far[at][~np.isnan(far[at])]
        share = np.expm1(size[np.abs(size).argmin()])
        days = on.market.sessions
        found.append(
            Finding(
                "doubtful", "stranger", on.market.contracts[at], days[rows[0]], days[rows[-1]],
                len(rows),
                said("it stands {share:+.0%} or more from each of its neighbours for life",
                     share=share),
                said("look its prices up: they may be another good's, or in another unit"),
            )
        )
    return found


def shifted(on: Look) -> list[Finding]:
    """Contracts that move a session later or earlier than the others."""
    log = np.log(np.where(on.wrong, np.nan, on.market.close))
    change = log - later(log)
    found = []
    names = np.array([life.product.name for life in on.lives], dtype=object)
    for name in dict.fromkeys(names):
        own = names == name
        if own.sum() < 3:
            continue
        moves = change[:, own]
        usual = middle(moves)
        same = _correlation(moves, usual)
        for lag, when in ((1, said("a session late")), (-1, said("a session early"))):
            moved = np.full_like(usual, np.nan)
            moved[max(lag, 0) : len(usual) + min(lag, 0)] = usual[max(-lag, 0) : len(usual) - max(
                lag, 0)]
            apart = _correlation(moves, moved)
            for at in np.flatnonzero((same < _APART) & (apart > _TOGETHER)):
                column = int(np.flatnonzero(own)[at])
                rows = np.flatnonzero(~np.isnan(log[:, column]))
                days = on.market.sessions
                found.append(
                    Finding(
                        "doubtful", "shifted", on.market.contracts[column], days[rows[0]],
                        days[rows[-1]], len(rows),
                        said("its closes move with those of the others {when} (correlation"
                             " {apart:.2f}, on the same session {same:.2f})", when=when,
                             apart=apart[at], same=same[at]),
                        said("check the days of this contract against the exchange's table"),
                    )
                )
    return found


def exchanged(on: Look) -> list[Finding]:
    """Two contracts whose prices stand under each other's name for some sessions.

    Their distance is turned round overnight and turned back later. Small distances do that in a
    right market as well and are passed over.
    """
    log = np.log(np.where(on.wrong, np.nan, on.level))
    found = []
    for shift, fits in _neighbours(on).items():
        apart = log[:, shift:] - log[:, :-shift]
        past = later(apart)
        turn = apart - past
        with np.errstate(invalid="ignore"):
            turned = (np.abs(turn) > _TURN) & (np.abs(apart + past) < 0.15 * np.abs(turn))
        for at in np.flatnonzero(turned.any(axis=0) & fits):
            rows = np.flatnonzero(turned[:, at])
            for start, end in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
                if turn[start, at] * turn[end, at] < 0 and 2 <= end - start <= _LONGEST:
                    days, codes = on.market.sessions, on.market.contracts
                    pair = codes[at], codes[at + shift]
                    found.append(
                        Finding(
                            "doubtful", "exchanged", "|".join(pair), days[start], days[end - 1],
                            end - start,
                            said("their prices stand {before:+.1%} apart, then {then:+.1%}, then"
                                 " as before", before=np.expm1(past[start, at]),
                                 then=np.expm1(apart[start, at])),
                            said("look whether the one's prices stand under the other's name"),
                            pair,
                        )
                    )
                    break
    return found


def _neighbours(on: Look) -> dict[int, BoolArray]:
    """Return where a contract and the next, or the next but one, are of one good."""
    goods = np.array([f"{life.product.name} {life.standard}" for life in on.lives], dtype=object)
    return {shift: goods[shift:] == goods[:-shift] for shift in (1, 2)}


def _correlation(columns: FloatArray, one: FloatArray) -> FloatArray:
    """Return the correlation of each column (T, C) with one series (T,); NaN where too few."""
    both = ~np.isnan(columns) & ~np.isnan(one)[:, None]
    count = both.sum(axis=0)
    x = np.where(both, columns, 0.0)
    y = np.where(both, one[:, None], 0.0)
    x -= np.where(both, x.sum(axis=0) / np.maximum(count, 1), 0.0)
    y -= np.where(both, y.sum(axis=0) / np.maximum(count, 1), 0.0)
    size = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    out: FloatArray = np.where(
        (count >= _CHANGES) & (size > 0), (x * y).sum(axis=0) / np.where(size > 0, size, 1), np.nan
    )
    return out


#: In the order their findings are shown.
CHECKS: tuple[Callable[[Look], list[Finding]], ...] = (stranger, shifted, exchanged)
