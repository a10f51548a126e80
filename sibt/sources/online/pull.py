"""Pulling: ask a network source for what the store lacks, and keep every whole answer at once.

A pull that dies goes on where it stopped, because only what is missing is asked for and every
answer is in the store before the next question. It ends with what is still missing and why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from sibt.errors import SettingError, did_you_mean
from sibt.market import calendar
from sibt.sources.online.asking import Ask, Denied, Source, Temporary, Wrong
from sibt.sources.online.lacking import lacking, today_in_beijing
from sibt.sources.store import Store

__all__ = [
    "Missing",
    "Pulled",
    "Step",
    "Unreachable",
    "pull",
]

#: Seconds between the tries of one question.
WAITS: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
#: From this many questions in a row without an answer on, each is tried once only ...
_IMPATIENT = 3
#: ... and at this many the source is left alone.
_HOPELESS = 6

#: What was asked and is not there is asked again for so many days: it may come late.
_LATE = pd.Timedelta(days=7)

_NONE = "the source has none"
_NO_MORE = "the source has no more contracts"
_INTERRUPTED = "not asked, interrupted"
_NO_QUESTION = "not asked, the source has no question for it"
_FILLED = "; filled in from "
#: Names of tables that are spelt out before the rest is counted.
_FEW = 4
#: Questions that are given up together: kind, way to keep, site.
_Group = tuple[str, str, str]

_PRICES = ("open", "high", "low", "close", "settle")


class Unreachable(Temporary):
    """Nobody could be spoken to: no network, no such host, a refused connection."""


@dataclass(frozen=True)
class Step:
    """How far a pull is, for whoever shows it.

    Attributes
    ----------
    kind, what : str
        What is asked for.
    done, total : int
        Sessions of this kind that were dealt with, and all that were lacking; both zero where
        it is no matter of sessions.
    outcome : {"begins", "stored", "none", "waits", "failed", "wrong", "stopped"}
        What happened.
    note : str
        Why, in a few words.
    """

    kind: str
    what: str
    done: int
    total: int
    outcome: str
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """What a pull could not get, for one reason.

    Attributes
    ----------
    kind : str
        Kind of the store.
    what : tuple of str
        Sessions, or names where it is no matter of sessions.
    why : str
        The reason.
    failed : bool
        There was no good answer, or it was given up; False where the source says that it has
        none, or that this user may not read it.
    """

    kind: str
    what: tuple[str, ...]
    why: str
    failed: bool = False

    @property
    def unit(self) -> str:
        """What `what` counts: "session", or "table" where it is no matter of sessions."""
        return "session" if self.what[0][:2].isdigit() else "table"

    def __str__(self) -> str:
        count = f"{len(self.what)} {self.unit}{'' if len(self.what) == 1 else 's'}"
        span = self.what[0] if len(self.what) == 1 else f"{self.what[0]}..{self.what[-1]}"
        if self.unit == "table":
            rest = len(self.what) - _FEW
            span = ", ".join(self.what[:_FEW]) + (f" and {rest} more" if rest > 0 else "")
        return f"{self.kind}: {count}, {span}: {self.why}"


@dataclass
class Pulled:
    """What a pull brought.

    Attributes
    ----------
    asked, answered, failed : int
        Questions; those with an answer (one that says "nothing there" counts); those without.
    added, changed : dict of str to int
        Rows by kind.
    missing : list of Missing
        What is still missing and why.
    unreachable : str
        Why nobody at all could be spoken to; blank where somebody was.
    interrupted : bool
        Stopped by the user.
    """

    asked: int = 0
    answered: int = 0
    failed: int = 0
    added: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    unreachable: str = ""
    interrupted: bool = False


def pull(
    source: Source,
    store: Store,
    product: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    kinds: Sequence[str] = (),
    *,
    say: Callable[[Step], None] = lambda step: None,
    sleep: Callable[[float], None] = time.sleep,
    today: pd.Timestamp | None = None,
) -> Pulled:
    """Ask a source for what the store lacks, and keep it.

    Parameters
    ----------
    source : Source
        Whom to ask.
    store : Store
        Where answers go, each as soon as it is whole.
    product : str
        Product code.
    first, last : pd.Timestamp
        Sessions wanted, both included.
    kinds : sequence of str
        Kinds of the store; all that the source gives if left out.
    say : callable
        Told of every step.
    sleep : callable
        Waits so many seconds between tries.
    today : pd.Timestamp, optional
        The day of asking, Beijing time.

    Returns
    -------
    Pulled
        What came, and what is still missing and why. An interrupt (Ctrl-C) ends the pull and
        is told here; what was complete is kept.

    Raises
    ------
    SettingError
        The source does not give a kind that is asked for.
    SibtError
        Trouble that asking again cannot mend, such as a missing token.
    """
    for kind in kinds:
        if kind not in source.kinds:
            raise SettingError(
                f"'{kind}' is nothing {source.name} gives; it gives {', '.join(source.kinds)}."
                f"{did_you_mean(kind, source.kinds)}"
            )
    known = calendar.sessions()
    days = known[(known >= first) & (known <= last)]
    day = today_in_beijing() if today is None else today
    work = _Pull(source, store, product, say, sleep, day)
    wanted = tuple(kinds) or source.kinds
    begun = []
    try:
        for kind in wanted:
            begun.append(kind)
            work.kind(kind, days)
    except KeyboardInterrupt:
        work.done.interrupted = True
    work.sum_up(wanted, begun, days)
    return work.done


class _Pull:
    """One pull at work: its tallies, and why what is missing is missing."""

    def __init__(
        self,
        source: Source,
        store: Store,
        product: str,
        say: Callable[[Step], None],
        sleep: Callable[[float], None],
        today: pd.Timestamp,
    ) -> None:
        self.source, self.store, self.product = source, store, product
        self.say, self.sleep, self.today = say, sleep, today
        self.done = Pulled()
        self.why: dict[tuple[str, str], str] = {}
        self.harmless = {_NONE, _NO_MORE, _INTERRUPTED, _NO_QUESTION}
        self.silent: dict[_Group, int] = {}
        self.stopped: dict[_Group, str] = {}
        # By site: how often in a row it could not be reached, whether it ever answered, and why
        # it is left alone.
        self.lost: dict[str, int] = {}
        self.spoken: set[str] = set()
        self.away: dict[str, str] = {}
        self.alone: list[str] = []

    def kind(self, kind: str, days: pd.DatetimeIndex) -> None:
        """Ask everything of one kind."""
        # A table of today is asked for whatever the store holds.
        daily = _by_day(self.store, self.product, kind)
        wanted = lacking(self.store, self.product, kind, days, self.source.name) if daily else days
        absent = self._absent(kind)
        counted = 0
        answered: list[Ask] = []
        total = len(wanted) if daily else 0
        self.say(Step(kind, "", 0, total, "begins"))
        try:
            for ask in self.source.asks(self.product, kind, wanted, self.store):
                if ask.keep == "new":
                    counted += len(ask.days)
                asked_on = absent.get(ask.what)
                if asked_on is not None and ask.days and max(ask.days) <= asked_on - _LATE:
                    if kind != "terms":  # those that agree with what is known leave no row
                        self._note(ask, _NONE)
                    continue
                group = (kind, ask.keep, ask.site)
                given_up = self.away.get(ask.site) or self.stopped.get(group)
                if given_up:
                    self._note(ask, given_up)
                    continue
                outcome, note = self._one(ask, group, counted, total)
                if outcome == "stored":
                    answered.append(ask)
                self.say(Step(kind, ask.what, min(counted, total), total, outcome, note))
        finally:
            self._remember(kind, days, answered)

    def _one(self, ask: Ask, group: _Group, done: int, total: int) -> tuple[str, str]:
        """Ask one question and keep its answer; return how it went."""
        self.done.asked += 1
        try:
            frame = self._answer(ask, group, done, total)
        except Temporary as error:
            return self._no_answer(ask, group, error)
        except Wrong as error:
            self.done.failed += 1
            self._heard(group)
            self._note(ask, f"refused, {error}")
            if isinstance(error, Denied):
                self.harmless.add(f"refused, {error}")
            return "wrong", str(error)
        self._heard(group)
        self.done.answered += 1
        settled = ask.kind == "terms" and len(frame.columns) > 0 and len(ask.days) > 0
        if settled and max(ask.days) <= self.today - _LATE:
            self._write_absent([ask])
        if frame.empty and (settled or not ask.days):
            return "none", "nothing new"
        if frame.empty:
            self._note(ask, _NONE)
            if max(ask.days) <= self.today - _LATE:
                self._write_absent([ask])
            return "none", ""
        change = self.store.upsert(self.product, ask.kind, frame, keep=ask.keep)
        for tally, rows in ((self.done.added, change.added), (self.done.changed, change.changed)):
            tally[ask.kind] = tally.get(ask.kind, 0) + rows
        for day in ask.days:
            name = (ask.kind, _iso(day))
            why = self.why.pop(name, "")
            if ask.keep == "old" and why and (frame["date"] == day).any():
                filled = f"{_FILLED}{frame['source'].iloc[0]}"
                self.why[name] = why if why.endswith(filled) else why + filled
            elif ask.keep == "old" and why:
                self.why[name] = why
        return "stored", ""

    def _heard(self, group: _Group) -> None:
        """Take note that somebody was there."""
        self.silent[group] = 0
        self.lost[group[2]] = 0
        self.spoken.add(group[2])

    def _answer(self, ask: Ask, group: _Group, done: int, total: int) -> pd.DataFrame:
        """Ask until there is an answer or patience ends."""
        waits: tuple[float, ...] = WAITS if self.silent.get(group, 0) < _IMPATIENT else ()
        number = 0
        while True:
            try:
                frame = ask.fetch()
                _check(frame, ask, self.product)
                return frame
            except Temporary as error:
                # Where nobody ever answered, one more try tells a stumble from no network.
                if isinstance(error, Unreachable) and ask.site not in self.spoken:
                    waits = waits[:1]
                if number >= len(waits):
                    raise
                self.say(
                    Step(ask.kind, ask.what, done, total, "waits",
                         f"{error}; again in {waits[number]:g} s")
                )
                self.sleep(waits[number])
                number += 1

    def _no_answer(self, ask: Ask, group: _Group, error: Temporary) -> tuple[str, str]:
        self.done.failed += 1
        self._note(ask, str(error))
        self.silent[group] = self.silent.get(group, 0) + 1
        if isinstance(error, Unreachable):
            self.alone.append(str(error))
            self.lost[ask.site] = self.lost.get(ask.site, 0) + 1
            if self.lost[ask.site] >= (2 if ask.site in self.spoken else 1):
                self.away[ask.site] = str(error)
                return "stopped", f"{error}; not asked any more"
        if self.silent[group] < _HOPELESS:
            return "failed", str(error)
        self.stopped[group] = f"not asked after {_HOPELESS} without an answer"
        return "stopped", f"{error}; not asked any more"

    def _note(self, ask: Ask, why: str) -> None:
        """Remember why sessions, or a table, are missing."""
        for what in [_iso(day) for day in ask.days] or [ask.what]:
            if ask.keep == "old" and why == _NONE:
                # That a stand-in has none either explains less than what came before.
                self.why.setdefault((ask.kind, what), why)
            elif ask.keep == "old" and (ask.kind, what) in self.why:
                continue
            else:
                self.why[(ask.kind, what)] = why

    def _absent(self, kind: str) -> dict[str, pd.Timestamp]:
        """Return what this source was asked for before in vain, and when."""
        rows = self.store.read(self.product, "absent")
        rows = rows[(rows["kind"] == kind) & (rows["source"] == self.source.name)]
        return dict(zip(rows["what"], rows["asked_on"], strict=True))

    def _remember(self, kind: str, days: pd.DatetimeIndex, answered: list[Ask]) -> None:
        """Keep in mind which answers left something open, so that none is asked for twice."""
        if kind != "bars" or not answered:
            return
        open_ = lacking(self.store, self.product, kind, days, self.source.name)
        old = []
        for ask in answered:
            left = open_.intersection(pd.DatetimeIndex(ask.days))
            for day in left:
                self.why.setdefault((kind, _iso(day)), _NO_MORE)
            if len(left) and max(ask.days) <= self.today - _LATE:
                old.append(ask)
        self._write_absent(old)

    def _write_absent(self, asks: Iterable[Ask]) -> None:
        rows = [
            {"kind": ask.kind, "what": ask.what, "source": self.source.name,
             "asked_on": self.today.normalize()}
            for ask in asks
        ]
        if rows:
            self.store.upsert(self.product, "absent", pd.DataFrame(rows))

    def sum_up(
        self, kinds: Sequence[str], begun: Sequence[str], days: pd.DatetimeIndex
    ) -> None:
        """Set down what is missing, by kind and reason."""
        if self.done.failed and not self.done.answered and len(self.alone) == self.done.failed:
            self.done.unreachable = self.alone[0]
        groups: dict[tuple[str, str], list[str]] = {}
        for kind in kinds:
            dayless = [what for (of, what), _ in self.why.items() if of == kind and not _day(what)]
            for what in dayless:
                groups.setdefault((kind, self.why[kind, what]), []).append(what)
            if not _by_day(self.store, self.product, kind):
                for (of, what), why in self.why.items():
                    if of == kind and _day(what):
                        groups.setdefault((kind, why), []).append(what)
                if kind not in begun:
                    groups.setdefault((kind, _INTERRUPTED), []).append("today's")
                continue
            for day in lacking(self.store, self.product, kind, days, self.source.name):
                unasked = _INTERRUPTED if self.done.interrupted else _NO_QUESTION
                why = self.why.get((kind, _iso(day)), unasked)
                groups.setdefault((kind, why), []).append(_iso(day))
        self.done.missing = [
            Missing(kind, tuple(what), why, why.partition(_FILLED)[0] not in self.harmless)
            for (kind, why), what in groups.items()
        ]


def _by_day(store: Store, product: str, kind: str) -> bool:
    return "date" in store.read(product, kind).columns


def _day(what: str) -> bool:
    return len(what) == 10 and what[:4].isdigit() and what[4] == "-"


def _iso(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%d}"


def _check(frame: pd.DataFrame, ask: Ask, product: str) -> None:
    """Refuse an answer that cannot be right.

    Raises
    ------
    Wrong
        Another day or product than asked for, or a number no market can show.
    """
    if frame.empty:
        return
    if ask.days and "date" in frame.columns:
        strange = frame.loc[~frame["date"].isin(ask.days), "date"]
        if len(strange):
            raise Wrong(f"the answer is of another day, {strange.iloc[0]:%Y-%m-%d}")
    if "contract" in frame.columns:
        foreign = frame.loc[~frame["contract"].str.fullmatch(rf"{product}\d{{4}}"), "contract"]
        if len(foreign):
            raise Wrong(f"the answer holds '{foreign.iloc[0]}', which is no contract of {product}")
    for column in (*_PRICES, "price"):
        if column in frame.columns and (frame[column] <= 0).any():
            raise Wrong(f"the answer holds a {column} that is not above zero")
    for column in ("volume", "open_interest", "lots"):
        if column in frame.columns and (frame[column] < 0).any():
            raise Wrong(f"the answer holds a {column} below zero")
    if {"high", "low"} <= set(frame.columns) and (frame["high"] < frame["low"]).any():
        bad = frame[frame["high"] < frame["low"]].iloc[0]
        raise Wrong(f"the high of {bad['contract']} is below its low")
