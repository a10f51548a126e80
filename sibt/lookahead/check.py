"""The check for looking ahead: every way to catch it in full, or the quick ones for a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sibt.errors import SettingError, StrategyError
from sibt.language import said
from sibt.lookahead.cut import cut
from sibt.lookahead.future import future, telling
from sibt.lookahead.history import history
from sibt.lookahead.leak import Leak
from sibt.lookahead.levels_adjusted import levels_adjusted
from sibt.lookahead.repeat import again, repeat
from sibt.lookahead.settlement import settlement
from sibt.lookahead.stale import stale
from sibt.lookahead.standard import standard
from sibt.lookahead.subject import Subject
from sibt.lookahead.verdict import Verdict
from sibt.market.panel import Market
from sibt.sources import load_market
from sibt.strategy.loader import ask, opened
from sibt.strategy.strategy import Params, Report, Strategy

__all__ = ["check", "quick"]

#: What is tried, in order. Where the same question has two answers, nothing else is tried.
_CHECKS: tuple[Callable[[Subject], Iterator[Leak]], ...] = (
    repeat, cut, future, settlement, levels_adjusted, standard, stale, history,
)  # fmt: skip

#: Inputs that make every other comparison void.
_VOID = ("chance", "clock", "hash seed")

#: Capital of a plain run, yuan.
_CAPITAL = 1_000_000.0


def check(
    strategy: str | Path | Strategy,
    market: Market | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    kind: str | None = None,
    capital: float = _CAPITAL,
    cross_standard: bool = False,
    goods: Any = None,
    progress: Callable[[str, int], None] = lambda name, asked: None,
) -> Verdict:
    """Prove or disprove that a strategy looks ahead.

    Parameters
    ----------
    strategy : str, Path or Strategy
        A file, the name of a shipped strategy, or a strategy object.
    market : Market, optional
        By default as in `sibt.run`. What it does not hold cannot be seen to leak.
    params : mapping, optional
        Parameters that differ from the strategy's defaults.
    kind : str, optional
        Kind of account; by default the strategy's.
    capital : float
        Opening equity, yuan.
    cross_standard : bool
        True where signals may cross the delivery-standard line.
    goods : Schedule, optional
        Goods a hedge is for; see `sibt.hedging.exposure.schedule`.
    progress : callable
        Told the name of the check in work and how often the strategy was asked so far.

    Raises
    ------
    StrategyError
        The strategy fails on the whole market.
    SibtError
        What else cannot be run.
    """
    loaded, path = opened(strategy)
    context = {"capital": float(capital), "kind": kind or loaded.kind,
               "cross_standard": cross_standard, "goods": goods}  # fmt: skip
    p = loaded.params(params, context)
    for sentence, holds in ask(path, loaded.refuses, p).items():
        if np.any(holds):
            raise StrategyError(f"These parameters are refused: {sentence}.")
    subject = _subject(loaded, path, load_market() if market is None else market, p)
    if goods is not None and (subject.whole.exposure is None or not p.asked_for("goods")):
        raise SettingError(
            f"Goods are given, and {type(loaded).__name__} does not hedge them; leave them out, or"
            " let its exposure() read p.goods."
        )
    found: list[Leak] = []
    tried: dict[str, int] = {}
    for one in _CHECKS:
        name, before = one.__name__, subject.asked
        subject.evaluated = partial(_tell, progress, name, subject)
        found += one(subject)
        tried[name] = subject.asked - before
        if any(leak.grave and leak.input in _VOID for leak in found):
            break
    found += _hindsight(subject, loaded.source(p))
    return _verdict(subject, found, tried, full=True)


def quick(strategy: Strategy, path: Path, market: Market, p: Params) -> Verdict:
    """Return the quick form of the check, for every run and sweep: six questions.

    It asks again, cuts the market where wishes change, and replaces one future.

    Parameters
    ----------
    strategy : Strategy
        The strategy, loaded.
    path : Path
        Its file.
    market : Market
        The market of the run.
    p : Params
        Parameters of the run, single values.

    Raises
    ------
    SibtError
        The strategy fails on the whole market.
    """
    subject = _subject(strategy, path, market, p)
    tried: dict[str, int] = {}
    found = list(again(subject))
    tried["repeat"] = subject.asked
    if not found:
        rows = _quick_rows(subject)
        found += cut(subject, rows)
        tried["cut"] = subject.asked - tried["repeat"]
    if not found:
        found += future(subject, rows[:1], draws=1)
        tried["future"] = subject.asked - tried["repeat"] - tried["cut"]
    return _verdict(subject, found, tried, full=False)


def _tell(progress: Callable[[str, int], None], name: str, subject: Subject) -> None:
    progress(name, subject.asked)


def _quick_rows(subject: Subject) -> list[int]:
    """Return three sessions to cut at, the one that tells most first."""
    units = subject.whole.units.reshape(len(subject.market.sessions), -1)
    if len(units) < 2:
        return []
    turned = (units[1:-1] != units[:-2]).any(axis=1)
    turns = (np.flatnonzero(turned) + 1).tolist() or telling(subject, 6)
    # An entry waits for what it saw, and its limit with it; an exit may have been by date.
    entries = [row for row in turns if units[row].any()] or turns
    rolls = _rolls(subject)
    one_roll = rolls[len(rolls) // 2 :][:1]
    most = [entries[len(entries) // 2], *one_roll, turns[0], turns[-1]]
    return list(dict.fromkeys([*most, (turns[0] + turns[-1]) // 2, len(units) // 2]))[:3]


def _rolls(subject: Subject) -> list[int]:
    """Return sessions, none the last, that decide on another contract for a leg that is wished."""
    whole = subject.whole
    rolled = np.zeros(len(whole.sessions), dtype=bool)
    for leg, codes in whole.legs.items():
        rolled[1:] |= (codes[1:] != codes[:-1]) & (whole.lots(leg)[1:] != 0)
    return [int(row) for row in np.flatnonzero(rolled[:-1])]


def _subject(strategy: Strategy, path: Path, market: Market, p: Params) -> Subject:
    # One that has no file is checked as the object it is.
    return Subject(path, market, p, None if path.is_file() else strategy)


def _hindsight(subject: Subject, report: Report | None) -> Iterator[Leak]:
    """Note what could be traded before the day of the report the idea comes from."""
    dated = None if report is None else re.match(r"\d{4}-\d{2}-\d{2}", report.date)
    if dated is None:
        return
    whole, published = subject.whole, pd.Timestamp(dated[0])
    acts = np.any([whole.lots(leg) != 0 for leg in whole.legs], axis=0)
    acts &= np.asarray(whole.sessions < published)
    if whole.known_from is not None:
        acts &= np.asarray(whole.sessions >= pd.Timestamp(whole.known_from))
    if acts.any():
        yield Leak(
            check="cut",
            grave=False,
            sentence=said(
                "it acts on {day:%Y-%m-%d}, before the report it quotes was published"
                " ({published:%Y-%m-%d}): until then it trades on hindsight",
                day=whole.sessions[int(np.argmax(acts))],
                published=published,
            ),
            cure=said("let known_from(p) return the day of the report"),
            day=whole.sessions[int(np.argmax(acts))],
            seen=published,
        )


def _verdict(subject: Subject, found: list[Leak], tried: Mapping[str, int], *, full: bool
             ) -> Verdict:  # fmt: skip
    notes = [leak for leak in found if not leak.grave]
    if not subject.whole.acts(len(subject.market.sessions)):
        notes.insert(0, Leak(
            check="cut", grave=False,
            sentence=said(
                "it wishes nothing on this market from first to last: there was nothing to check"
            ),
            cure=said("check it on the days it trades, or with other parameters"),
        ))  # fmt: skip
    return Verdict(tuple(leak for leak in found if leak.grave), tuple(notes), tried, full)
