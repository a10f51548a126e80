"""The settlement: known only after the close, and sometimes only stood in for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.another import another
from sibt.lookahead.future import telling
from sibt.lookahead.leak import Leak
from sibt.lookahead.parts import mixed, parts
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import Change, apart, leak_of, traced
from sibt.market.panel import Market

__all__ = ["settlement"]

#: Other settlements tried on the same sessions.
_DRAWS = 3


def settlement(subject: Subject) -> Iterator[Leak]:
    """Change settlements alone, and see which decisions follow.

    Yields
    ------
    Leak
        Grave where a decision follows the settlement of a later session. Notes where it follows
        the one of its own session, which the exchange publishes after the close; and where
        decisions follow settlements which are closes in this market.
    """
    market = subject.market
    rows = [row for row in telling(subject, 24) if row > 0]
    everywhere = np.ones(len(market.sessions), dtype=bool)
    if not any(_follows(subject, everywhere, seed) is not None for seed in range(_DRAWS)):
        return
    yield from _later(subject, rows)
    for row in rows:
        own = np.arange(len(market.sessions)) == row
        if any(_follows(subject, own, seed, row) == row for seed in range(_DRAWS)):
            yield Leak(
                check="settlement",
                grave=False,
                sentence=said(
                    "decisions use the settlement of their own session, first seen on"
                    " {day:%Y-%m-%d}: it is published after the close, in time for the next open"
                    " and not before",
                    day=market.sessions[row],
                ),
                day=market.sessions[row],
                seen=market.sessions[row],
                input="settle",
            )
            break
    if market.provenance.settle_from == "close":
        yield Leak(
            check="settlement",
            grave=False,
            sentence=said(
                "decisions use settlements, and in this market closes stand in for them: on the"
                " exchange's own settlements they may be others"
            ),
            cure=said("bring settlements in, or decide on closes"),
            input="settle",
        )


def _later(subject: Subject, rows: list[int]) -> Iterator[Leak]:
    """Find decisions that follow a later settlement."""
    for row in rows:
        for seed in range(_DRAWS):
            wanted = [part for part in parts(subject.market, row) if part.input == "settle"]
            only = mixed(subject.market, another(subject.market, row, seed), row, wanted)
            found = list(traced(subject, Change(row, only, lambda one: one.printed)))
            if found:
                yield leak_of("settlement", subject, found[0])
                return


def _follows(
    subject: Subject, where: NDArray[np.bool_], seed: int, row: int | None = None
) -> int | None:
    """Return the first decision that moves with the settlements of some sessions."""
    last = len(subject.market.sessions) - 1 if row is None else row
    try:
        return apart(subject, _moved(subject.market, where, seed), last)
    except SibtError:
        return None


def _moved(market: Market, where: NDArray[np.bool_], seed: int) -> Market:
    """Return the market with settlements of some sessions up to 4 % away, in whole yuan."""
    rng = np.random.default_rng(seed)
    settle = np.array(market.settle)
    share = rng.uniform(-0.04, 0.04, settle.shape)
    settle[where] = np.rint(settle[where] * (1.0 + share[where]))
    return replace(market, settle=settle)
