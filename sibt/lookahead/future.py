"""Another future: what comes after a session is replaced, and nothing decided by then may move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.another import another
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import Change, apart, leak_of, spread, traced
from sibt.market.panel import FIELDS, Market
from sibt.strategy.levels import Level

__all__ = ["drawn", "future", "telling"]

_TRACED = 4


def future(
    subject: Subject, rows: Sequence[int] | None = None, draws: int = 2
) -> Iterator[Leak]:
    """Compare decisions with those on markets that go another way after a session.

    Parameters
    ----------
    subject : Subject
        Who is asked.
    rows : sequence of int, optional
        Sessions after which the future is another; by default `telling` ones, a few dozen.
    draws : int
        Other futures drawn for each.

    Yields
    ------
    Leak
        For each input that leaked, with a contract and a day it saw; input ``contracts``
        where a decision follows which contracts will be listed. A strategy that fails on some
        other future leaves a note.
    """
    chosen = telling(subject, 48) if rows is None else rows
    leaking: list[Change] = []
    listed: list[tuple[int, int]] = []
    failing: list[tuple[int, str]] = []
    for row in chosen:
        for seed in range(draws):
            change = drawn(subject.market, row, seed)
            try:
                if apart(subject, change.market, row, change.level) is not None:
                    leaking.append(change)
            except SibtError as error:
                failing.append((row, str(error)))
        if rows is None:
            known = _listed(subject.market, row)
            first = None if known is None else _other_contracts(subject, known, row)
            if first is not None:
                listed.append((row, first))
    named: set[str] = set()
    for number in spread(range(len(leaking)), _TRACED):
        for trace in traced(subject, leaking[number]):
            if trace.input not in named:
                named.add(trace.input)
                yield leak_of("future", subject, trace)
    if listed:
        yield _unlisted(subject, *listed[0])
    if failing:
        yield Leak(
            check="future",
            grave=False,
            sentence=said(
                "it fails on {count} of {all} markets with another future, first after"
                " {day:%Y-%m-%d}: {error}",
                count=len(failing),
                all=len(chosen) * draws,
                day=subject.market.sessions[failing[0][0]],
                error=failing[0][1],
            ),
            day=subject.market.sessions[failing[0][0]],
        )


def telling(subject: Subject, count: int) -> list[int]:
    """Return sessions that tell most: where wishes change, around the report, and spread out.

    Parameters
    ----------
    subject : Subject
        Who is asked.
    count : int
        About how many.

    Returns
    -------
    list of int
        Rows in order, none the last of the market.
    """
    whole, sessions = subject.whole, subject.market.sessions
    last = len(sessions) - 2
    units = whole.units.reshape(len(sessions), -1)
    turns = np.flatnonzero((units[1:] != units[:-1]).any(axis=1)) + 1
    rows = set(spread(range(last + 1), count // 2))
    # In the session of a change the decision is at its closest, and the day before it is not.
    rows |= {int(turn) - back for turn in spread(list(turns), count // 4) for back in (0, 1)}
    if whole.known_from is not None:
        at = int(sessions.searchsorted(pd.Timestamp(whole.known_from)))
        rows |= set(range(at - 2, at + 3))
    return sorted(row for row in rows if 0 <= row <= last)


def drawn(market: Market, row: int, seed: int) -> Change:
    """Return another future after a session, with other levels published in it."""
    return Change(row, another(market, row, seed), partial(_level, seed=seed))


def _level(one: Level, seed: int) -> float:
    """Return another value of a level, from 7 to 20 % away."""
    return one.printed * (0.8, 1.07, 1.2, 0.93)[seed % 4]


def _listed(market: Market, row: int) -> Market | None:
    """Return the market without contracts that had no bar by `row`; None if all had one."""
    known = np.flatnonzero(market.traded()[: row + 1].any(axis=0))
    if len(known) in (0, len(market.contracts)):
        return None
    codes = tuple(market.contracts[at] for at in known)
    return replace(
        market,
        contracts=codes,
        terms=market.terms[market.terms["contract"].isin(codes)].reset_index(drop=True),
        dominant_map=None if market.dominant_map is None
        else market.dominant_map.where(market.dominant_map.isin(codes)),
        **{name: getattr(market, name)[:, known] for name in FIELDS},
    )  # fmt: skip


def _other_contracts(subject: Subject, known: Market, row: int) -> int | None:
    try:
        return apart(subject, known, row)
    except SibtError:
        # It names a contract by its code, which is no knowledge of the future.
        return None


def _unlisted(subject: Subject, row: int, first: int) -> Leak:
    sessions = subject.market.sessions
    return Leak(
        check="future",
        grave=True,
        sentence=said(
            "the decision of {day:%Y-%m-%d} is another one without the contracts first traded after"
            " {row:%Y-%m-%d}",
            day=sessions[first],
            row=sessions[row],
        ),
        cure=said("choose among contracts with a bar in the session: market.traded()"),
        day=sessions[first],
        seen=sessions[row + 1],
        input="contracts",
    )
