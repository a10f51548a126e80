"""Where a leak came from: the input, the contract and the day a decision follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd

from sibt.errors import SibtError
from sibt.language import Sentence, said
from sibt.lookahead.leak import Leak
from sibt.lookahead.parts import Part, mixed, parts
from sibt.lookahead.subject import Subject
from sibt.market.panel import FIELDS, Market
from sibt.strategy import levels

__all__ = ["Change", "Trace", "apart", "called", "leak_of", "spread", "traced"]


@dataclass(frozen=True)
class Change:
    """What is done to a market after one of its sessions.

    Attributes
    ----------
    row : int
        Last session that stays.
    market : Market
        The market with all inputs changed after it; sessions and contracts stay.
    level : callable
        The value a level has that was published later.
    """

    row: int
    market: Market
    level: Callable[[levels.Level], float]


@dataclass(frozen=True)
class Trace:
    """A decision and what it follows.

    Attributes
    ----------
    row : int
        Session of the decision.
    input : str
        As in `Leak.input`.
    contract : str or None
        Contract the input is of.
    seen : pd.Timestamp
        Day of what it saw.
    """

    row: int
    input: str
    contract: str | None
    seen: pd.Timestamp


def apart(
    subject: Subject,
    market: Market,
    row: int,
    level: Callable[[levels.Level], float] = lambda one: one.printed,
) -> int | None:
    """Return the first session up to `row` in which the decisions on `market` are other ones.

    Parameters
    ----------
    subject : Subject
        Who is asked.
    market : Market
        A market with the same sessions up to `row`.
    row : int
        Last session compared.
    level : callable
        Values of levels that were published after it.

    Raises
    ------
    SibtError
        The strategy fails on that market.
    """
    # Asked before levels are replaced, where it was not yet.
    whole, day = subject.whole, subject.market.sessions[row]
    with levels.replaced(lambda one: level(one) if one.published_on > day else one.printed):
        return whole.differs(subject.decide(market), row + 1)


def traced(subject: Subject, change: Change) -> Iterator[Trace]:
    """Find which inputs a decision follows, changing one at a time.

    Every input that moves a decision by itself is found, with the first contract and the first
    day that do; where only several together do, one of them. Nothing is found where the
    decisions stay the same, though all inputs change.

    Parameters
    ----------
    subject : Subject
        Who is asked.
    change : Change
        What became of the market after a session.
    """
    every = parts(subject.market, change.row)
    inputs = list(dict.fromkeys(part.input for part in every))
    groups = [[part for part in every if part.input == name] for name in inputs]
    named = [group for group in groups if _moves(subject, change, group)]
    for group in named:
        yield _pinned(subject, change, [], group)
    later = list(_levels(subject, change))
    yield from later
    if not named and not later and _moves(subject, change, every):
        # Only together: leave out one after another, and blame what cannot be left out.
        rest = list(groups)
        for group in groups:
            fewer = [one for one in rest if one is not group]
            if fewer and _moves(subject, change, list(chain(*fewer))):
                rest = fewer
        yield _pinned(subject, change, list(chain(*rest[1:])), rest[0])


def leak_of(check: str, subject: Subject, trace: Trace) -> Leak:
    """Return a trace as a leak, with its sentence and its cure."""
    sessions = subject.market.sessions
    day = sessions[trace.row]
    values = {"day": day, "what": called(trace.input), "seen": trace.seen}
    if trace.input.startswith("level "):
        sentence = said(
            "the decision of {day:%Y-%m-%d} uses {what}, published on {seen:%Y-%m-%d}", **values
        )
    elif trace.contract is None:
        sentence = said(
            "the decision of {day:%Y-%m-%d} follows {what} of {seen:%Y-%m-%d}", **values
        )
    else:
        sentence = said(
            "the decision of {day:%Y-%m-%d} follows {what} of {contract} on {seen:%Y-%m-%d}",
            contract=trace.contract, **values,
        )  # fmt: skip
    return Leak(
        check=check, grave=True, sentence=sentence, cure=_cure(trace.input), day=day,
        seen=trace.seen, contract=trace.contract, input=trace.input,
    )  # fmt: skip


def spread(rows: Sequence[int], count: int) -> list[int]:
    """Return about `count` of the rows: the first, the last and some between."""
    if len(rows) <= count:
        return list(rows)
    step = (len(rows) - 1) / (count - 1)
    return [rows[round(number * step)] for number in range(count)]


# -- Changing less and less -------------------------------------------------------------------


def _moves(
    subject: Subject, change: Change, wanted: Sequence[Part], last: int | None = None
) -> bool:
    return _moved(subject, change, wanted, last) is not None


def _moved(
    subject: Subject, change: Change, wanted: Sequence[Part], last: int | None = None
) -> int | None:
    """Return the decision that is another one where only these parts change."""
    market = mixed(subject.market, change.market, change.row, wanted, last)
    try:
        return apart(subject, market, change.row)
    except SibtError:
        # It cannot be asked there, which shows nothing.
        return None


def _pinned(
    subject: Subject, change: Change, beside: list[Part], group: list[Part]
) -> Trace:
    """Return contract and first day of an input that moves decisions, with what goes with it."""
    part = group
    while len(part) > 1:
        half = len(part) // 2
        found = next(
            (p for p in (part[:half], part[half:]) if _moves(subject, change, beside + p)), None
        )
        if found is None:
            break
        part = found
    for one in list(part):
        # Several contracts are needed: what can be left out is left out.
        fewer = [other for other in part if other is not one]
        if fewer and _moves(subject, change, beside + fewer):
            part = fewer
    first, last = change.row + 1, len(subject.market.sessions) - 1
    while first < last:
        middle = (first + last) // 2
        if _moves(subject, change, beside + part, middle):
            last = middle
        else:
            first = middle + 1
    row = _moved(subject, change, beside + part, last)
    return Trace(
        row=change.row if row is None else row,
        input=part[0].input,
        contract=part[0].contract,
        seen=subject.market.sessions[last],
    )


def _levels(subject: Subject, change: Change) -> Iterator[Trace]:
    """Find levels a decision uses before they were published."""
    used: dict[str, pd.Timestamp] = {}

    def noted(one: levels.Level) -> float:
        used[one.name] = one.published_on
        return change.level(one)

    _changed(subject, change, noted)
    for name, published in sorted(used.items()):

        def only(one: levels.Level, name: str = name) -> float:
            return change.level(one) if one.name == name else one.printed

        row = _changed(subject, change, only)
        if row is not None:
            yield Trace(row, f"level {name}", None, published)


def _changed(
    subject: Subject, change: Change, level: Callable[[levels.Level], float]
) -> int | None:
    try:
        return apart(subject, subject.market, change.row, level)
    except SibtError:
        return None


# -- Words ------------------------------------------------------------------------------------


def called(name: str) -> Sentence:
    """Return what an input is called in a sentence."""
    kind, _, rest = name.partition(" ")
    if kind == "spot":
        return said("the spot quote of {grade}", grade=rest)
    if kind == "series":
        return said("the series {name}", name=rest)
    if kind == "level":
        return said("the level {name}", name=rest)
    if kind == "file":
        return said("the file {name}", name=rest)
    return _CALLED[name]


_CALLED = {
    "open": said("the open"),
    "high": said("the high"),
    "low": said("the low"),
    "close": said("the close"),
    "settle": said("the settlement"),
    "volume": said("the volume"),
    "open_interest": said("the open interest"),
    "receipts": said("the warehouse receipts"),
    "terms": said("the exchange's terms"),
    "dominant": said("the dominant contract"),
    "sessions": said("where the market ends"),
    "contracts": said("contracts not traded yet"),
    "continuous": said("a back-adjusted level"),
    "state": said("what is kept between calls"),
    "chance": said("random numbers"),
    "clock": said("the clock"),
    "hash seed": said("the order of a set"),
}


def _cure(name: str) -> Sentence:
    """Return what to do about a decision that follows an input before its time."""
    kind, _, rest = name.partition(" ")
    if kind == "series":
        return said(
            "read it with market.known('{name}'), which goes by the day of publication", name=rest
        )
    if kind == "level":
        return said("use its by_session(market) or against(market, codes), unknown until that day")
    if name == "terms":
        return said("read terms for sessions up to the decision only")
    if name == "dominant":
        return said("use market.dominant() as it stands in the session of the decision")
    assert name in FIELDS or kind in ("spot", "receipts")
    return said(
        "use only what ends in the session that decides: no shift(-1), no bfill, no centred window,"
        " no mean over the whole sample"
    )
