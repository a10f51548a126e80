"""The same question twice: chance, the clock, and what is left between calls must not decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from sibt.errors import SibtError
from sibt.language import Sentence, said
from sibt.lookahead.decisions import Decisions
from sibt.lookahead.future import telling
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.lookahead.surroundings import chance, elsewhere, frozen, watched
from sibt.lookahead.trace import spread
from sibt.sources import shipped

__all__ = ["again", "repeat"]

#: Moments to stop the clock at, seconds since 1970: a night in 2001, a noon in 2037.
_MOMENTS = (981_173_106.0, 2_131_272_489.111111)

#: What moved an answer, why, and the cure.
_CHANCE = (
    "chance",
    said("there is chance in it"),
    said("draw from a generator with a seed of its own, numpy.random.default_rng(7)"),
)
_CLOCK = (
    "clock",
    said("it follows the clock on the wall"),
    said("use the sessions of the market, not today's date"),
)
_HASH = (
    "hash seed",
    said("it follows the order of a set, which is another one in every process"),
    said("sort what comes out of a set before choosing from it"),
)

#: Hash seeds to ask with, beside this process's own.
_SEEDS = (1, 2, 3)


def repeat(subject: Subject) -> Iterator[Leak]:
    """Ask the same again: at once, at another time, in another process, in another order.

    Yields
    ------
    Leak
        Inputs ``chance``, ``clock``, ``hash seed`` and ``state``; ``file NAME`` where the strategy
        reads the market's own file by itself; and as notes ``file NAME``, whatever else it reads
        or writes while it decides, which cannot be checked.
    """
    yield from _files(subject)
    moved = list(_clock(subject)) or list(_seeds(subject))
    if moved:
        # Where the same question has two answers, an order of questions shows nothing.
        yield from moved
    else:
        yield from _state(subject)


def again(subject: Subject) -> Iterator[Leak]:
    """Ask once more about the whole market, with other random numbers to draw."""
    with chance(20_240_514), watched() as touched:
        second = subject.decide()
    yield from (leak for leak in _opened(subject, touched) if leak.grave)
    yield from _otherwise(subject, subject.whole, second, *_CHANCE)


def _clock(subject: Subject) -> Iterator[Leak]:
    """Ask while the clock stands, so that what still moves is chance, and then at other times."""
    answers = []
    for seed, moment in enumerate((_MOMENTS[0], *_MOMENTS)):
        with frozen(moment), chance(seed):
            answers.append(subject.decide())
    first, second, later = answers
    yield from (
        list(_otherwise(subject, first, second, *_CHANCE))
        or list(_otherwise(subject, first, later, *_CLOCK))
        or list(_otherwise(subject, first, subject.whole, *_CLOCK))
    )


def _seeds(subject: Subject) -> Iterator[Leak]:
    if subject.strategy is not None:
        return
    question = (subject.path, subject.source, subject.market, subject.params)
    for told in elsewhere(question, _SEEDS):
        subject.count()
        found = [] if told is None else list(_otherwise(subject, subject.whole, told, *_HASH))
        if found:
            # What moves in this process too is no order of a set, but a clock that cannot stand.
            here = _otherwise(subject, subject.whole, subject.decide(), *_CLOCK)
            yield from list(here) or found
            return


def _otherwise(
    subject: Subject, one: Decisions, other: Decisions, what: str, why: Sentence, cure: Sentence
) -> Iterator[Leak]:
    """Tell where two answers to the same question part, if they do."""
    sessions = subject.market.sessions
    row = one.differs(other, len(sessions))
    if row is not None:
        yield Leak(
            check="repeat",
            grave=True,
            sentence=said(
                "asked again about the same market it decides otherwise on {day:%Y-%m-%d}: {why}",
                day=sessions[row], why=why,
            ),
            cure=cure,
            day=sessions[row],
            input=what,
        )  # fmt: skip


# -- What is left between calls ---------------------------------------------------------------


def _state(subject: Subject) -> Iterator[Leak]:
    """Ask one instance about a cut market before the whole one, and after it."""
    sessions = subject.market.sessions
    for row in spread(telling(subject, 12), 4):
        short = subject.market.asof(sessions[row])
        first, second = subject.fresh(), subject.fresh()
        try:
            alone = subject.decide(short)
            subject.decide(short, first)
            whole = subject.decide(None, first)
            subject.decide(None, second)
            cut = subject.decide(short, second)
            later = subject.decide()
        except SibtError:
            # On a market so short it cannot be asked; see the check `cut`.
            continue
        moved = [subject.whole.differs(one, len(sessions)) for one in (whole, later)]
        moved.append(alone.differs(cut, row + 1))
        known = [at for at in moved if at is not None]
        if known:
            yield _kept(sessions[known[0]], sessions[row])
            return
    yield from _beyond(subject)


def _beyond(subject: Subject) -> Iterator[Leak]:
    """Ask about a cut market in a process that never saw the whole one.

    What is kept outside the file, as in a module it imports, outlives a fresh load of it.
    """
    rows, sessions = telling(subject, 12), subject.market.sessions
    if subject.strategy is not None or not rows:
        return
    row = rows[len(rows) // 2]
    short = subject.market.asof(sessions[row])
    try:
        here = subject.decide(short)
    except SibtError:
        return
    for told in elsewhere((subject.path, subject.source, short, subject.params), _SEEDS[:1]):
        subject.count()
        first = None if told is None else here.differs(told, row + 1)
        if first is not None:
            yield _kept(sessions[first], sessions[-1])


def _kept(day: pd.Timestamp, end: pd.Timestamp) -> Leak:
    return Leak(
        check="repeat",
        grave=True,
        sentence=said(
            "it decides otherwise on {day:%Y-%m-%d} once it was asked about the market up to"
            " {end:%Y-%m-%d}: something is kept between calls",
            day=day,
            end=end,
        ),
        cure=said("keep nothing in the object, the class or the module from call to call"),
        day=day,
        input="state",
    )


# -- Files and addresses ----------------------------------------------------------------------


def _files(subject: Subject) -> Iterator[Leak]:
    with watched() as touched:
        subject.decide()
    yield from _opened(subject, touched)


def _opened(subject: Subject, touched: Sequence[str]) -> Iterator[Leak]:
    """Tell of what was opened: the market's own files, all of them at once, or others."""
    others = [name for name in dict.fromkeys(touched)
              if Path(name).absolute() != subject.path.absolute()]  # fmt: skip
    own = [name for name in others if _holds(subject.market.provenance.source, name)]
    if own:
        yield Leak(
            check="repeat",
            grave=True,
            sentence=said(
                "it reads {file} by itself while it decides, the data of this very market: all of"
                " them, whatever the day",
                file=own[0],
            ),
            cure=said("read what the market it is given holds: market.bars(code), market.spot"),
            input=f"file {Path(own[0]).name}",
        )
    for name in others:
        if name in own:
            continue
        yield Leak(
            check="repeat",
            grave=False,
            sentence=said(
                "it opens {file} while it decides; what stands there, and since when, cannot be"
                " checked",
                file=name,
            ),
            cure=said(
                "bring figures in with their day of publication, as series.csv, and read them with"
                " market.known()"
            ),
            input=f"file {Path(name).name}",
        )


def _holds(source: str, name: str) -> bool:
    """Tell whether a market from this source was read from a file: itself, or one in its folder."""
    home = (shipped("sample") if source == "sample" else Path(source)).resolve()
    file = Path(name).resolve()
    return file == home or (file.parent == home and file.suffix.lower() in (".csv", ".parquet"))
