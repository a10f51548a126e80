"""How much history a strategy needs: its decisions on markets that begin later.

Never a leak: what came before is known. A note says after how many sessions a shorter history
decides as the whole one does, so that so many can be kept before the first trade; or that it never
does, as with expanding windows and positions that are always held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.decisions import Decisions
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.market.panel import FIELDS, Market

__all__ = ["history"]

#: Where the shorter histories begin, as shares of the whole; earlier, where nothing is wished.
_BEGINS = (0.125, 0.25, 0.5, 0.75)


def history(subject: Subject) -> Iterator[Leak]:
    """Find after how many sessions decisions no longer depend on where the data begin.

    Parameters
    ----------
    subject : Subject
        The strategy under check.

    Yields
    ------
    Leak
        At most one, a note: the beginning after which it takes longest.
    """
    market, whole = subject.market, subject.whole
    count = len(market.sessions)
    longest: tuple[int, int] | None = None  # last session apart, first session of its data
    for first in sorted({_flat(whole, int(count * share)) for share in _BEGINS} - {0}):
        try:
            later = subject.decide(_from(market, first))
        except SibtError:
            continue
        own = _since(whole, first)
        apart = np.flatnonzero(own.apart(later, count - first) & _live(own, market, first))
        if len(apart) and (longest is None or apart[-1] > longest[0] - longest[1]):
            longest = first + int(apart[-1]), first
    if longest is None:
        return
    last, first = longest
    day, begins = market.sessions[last], market.sessions[first]
    if last == count - 1:
        sentence = said(
            "with data from {begins:%Y-%m-%d} on it decides otherwise to the last session: results"
            " depend on where the data begin",
            begins=begins,
        )
    else:
        sentence = said(
            "with data from {begins:%Y-%m-%d} on it decides otherwise until {day:%Y-%m-%d}"
            " (sessions: {count}): keep so many before the first trade",
            begins=begins,
            day=day,
            count=last - first + 1,
        )
    yield Leak("history", grave=False, sentence=sentence, day=day, seen=begins, input="sessions")


def _flat(whole: Decisions, row: int) -> int:
    """Return the last session up to `row` with nothing wished: no position is carried into it.

    Where something is always wished, `row` itself.
    """
    held = np.zeros(row + 1, dtype=bool)
    for leg in whole.legs:
        held |= whole.lots(leg)[: row + 1] != 0
    flat = np.flatnonzero(~held)
    return int(flat[-1]) if len(flat) else row


def _from(market: Market, first: int) -> Market:
    """Return the market as if its bars, spot and receipts began with the session `first`.

    What was published or in force before stays: it is known without its history.
    """
    arrays = {name: getattr(market, name)[first:] for name in FIELDS}
    named = market.dominant_map
    return replace(
        market,
        sessions=market.sessions[first:],
        spot=market.spot.iloc[first:],
        receipts=market.receipts.iloc[first:],
        dominant_map=None if named is None else named.iloc[first:],
        **arrays,
    )


def _live(decisions: Decisions, market: Market, first: int) -> NDArray[np.bool_]:
    """Return the sessions in which some leg's contract has a bar: what is wished can be had."""
    traded = market.traded()[first:]
    live = np.zeros(len(traded), dtype=bool)
    for codes in decisions.legs.values():
        for code in set(codes) & set(market.contracts):
            live |= traded[:, market.column(code)] & np.asarray(codes == code, dtype=bool)
    return live


def _since(decisions: Decisions, first: int) -> Decisions:
    """Return decisions from the session `first` on."""
    goods = decisions.exposure
    return replace(
        decisions,
        sessions=decisions.sessions[first:],
        units=decisions.units[first:],
        limits=decisions.limits[first:],
        legs={leg: codes[first:] for leg, codes in decisions.legs.items()},
        exposure=None if goods is None else goods[first:],
    )
