"""The market cut at a session: a strategy must decide up to it as it does on the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.future import drawn
from sibt.lookahead.leak import Leak
from sibt.lookahead.parts import blank
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import Change, apart, leak_of, spread, traced

__all__ = ["cut"]

#: Days whose leaks are traced: one input may show on one of them and not on another.
_TRACED = 4


def cut(subject: Subject, rows: Sequence[int] | None = None) -> Iterator[Leak]:
    """Compare decisions on the market as it was known after each session with those on the whole.

    Parameters
    ----------
    subject : Subject
        Who is asked.
    rows : sequence of int, optional
        Sessions to cut at; by default all but the last.

    Yields
    ------
    Leak
        For each input that leaked, traced by other values after the session, or none. Where
        that changes nothing, the decision follows where the market ends: input ``sessions``. A
        strategy that fails on a cut market leaks if it acts by then on the whole one; if it
        does not yet, it is a note.
    """
    market = subject.market
    leaking: dict[int, int] = {}
    failing: dict[int, str] = {}
    for row in range(len(market.sessions) - 1) if rows is None else rows:
        try:
            first = apart(subject, market.asof(market.sessions[row]), row, lambda _: math.nan)
        except SibtError as error:
            failing[row] = str(error)
            continue
        if first is not None:
            leaking[row] = first
    yield from _failures(subject, failing)
    named: set[str | None] = set()
    for row in spread(list(leaking), _TRACED):
        for leak in _traced(subject, row) or [_ending(subject, row, leaking[row])]:
            if leak.input not in named:
                named.add(leak.input)
                yield leak


def _traced(subject: Subject, row: int) -> list[Leak]:
    """Return what leaked, by other values in its place, or else by none."""
    other = (drawn(subject.market, row, seed) for seed in range(2))
    unknown = Change(row, blank(subject.market, row), lambda _: math.nan)
    for change in (*other, unknown):
        found = [leak_of("cut", subject, trace) for trace in traced(subject, change)]
        if found:
            return found
    return []


def _ending(subject: Subject, row: int, first: int) -> Leak:
    sessions = subject.market.sessions
    return Leak(
        check="cut",
        grave=True,
        sentence=said(
            "the decision of {day:%Y-%m-%d} is another one where the market ends on"
            " {end:%Y-%m-%d}: it follows how many sessions there are",
            day=sessions[first],
            end=sessions[row],
        ),
        cure=said(
            "leave the market's last session out of it; days to expiry stand in"
            " sibt.contract(code)"
        ),
        day=sessions[first],
        seen=sessions[row + 1],
        input="sessions",
    )


def _failures(subject: Subject, failing: dict[int, str]) -> Iterator[Leak]:
    """Tell of cut markets on which the strategy cannot be asked."""
    sessions = subject.market.sessions
    held = [row for row in failing if subject.whole.acts(row + 1)]
    if held:
        yield Leak(
            check="cut",
            grave=True,
            sentence=said(
                "on the market as known on {day:%Y-%m-%d} it fails, though it acts by then on the"
                " whole one: {error}",
                day=sessions[held[0]],
                error=failing[held[0]],
            ),
            cure=said("let it decide with what is known in each session"),
            day=sessions[held[0]],
            seen=sessions[held[0] + 1],
        )
    early = [row for row in failing if row not in held]
    if early:
        yield Leak(
            check="cut",
            grave=False,
            sentence=said(
                "before it acts it fails on {count} of the shorter markets, the last ending on"
                " {day:%Y-%m-%d}: {error}",
                count=len(early),
                day=sessions[early[-1]],
                error=failing[early[-1]],
            ),
            day=sessions[early[-1]],
        )
