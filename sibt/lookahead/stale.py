"""Trap: a price filled forward is taken for one of the session, and fakes a signal.

A leg that did not trade has no price; its last one may be days older than the other leg's, and
their difference was never there to be had. So the bar of one contract is taken away in a session,
and the price of another is looked for at which the decision turns. Where that price moves with the
last price of the missing one, a price was filled forward. (A stop on one leg has a price at which
it turns as well, but not one that cares for the other leg.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice, permutations
from typing import NamedTuple

import numpy as np
import pandas as pd

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.decisions import Decisions
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import called
from sibt.market.panel import FIELDS, Market

__all__ = ["stale"]

_PRICES = ("close", "settle", "open", "high", "low")

#: Sessions that are looked at: of those in which what is wished changes, and of all that trade.
_SESSIONS = 4

#: Contracts that are looked at in a session: legs first, then others the decision hangs on.
_CONTRACTS = 3

#: Shares of its price by which a contract is moved, each way, to make a session decide otherwise.
_STEPS = (0.02, 0.06)

#: Share of its price by which the missing contract's last price is moved.
_NUDGE = 0.0005


def stale(subject: Subject) -> Iterator[Leak]:
    """Find a decision on a price that was filled forward.

    Parameters
    ----------
    subject : Subject
        The strategy under check.

    Yields
    ------
    Leak
        The first session found, with the contract that had no price and the day of the one taken.
    """
    for row in _sessions(subject):
        tonight = _Tonight(subject, row)
        for follows, gone in permutations(tonight.contracts(), 2):
            price = tonight.filled(follows, gone)
            if price is not None:
                yield _leak(subject.market.sessions[row], tonight.before, gone, price)
                return


def _sessions(subject: Subject) -> list[int]:
    """Return the sessions to look at, evenly taken from each of the two kinds."""
    whole, traded = subject.whole, subject.market.traded()
    acts = np.zeros(len(whole.sessions), dtype=bool)
    there = np.ones(len(whole.sessions), dtype=bool)
    for leg, codes in whole.legs.items():
        lots = whole.lots(leg)
        acts[1:] |= (lots[1:] != lots[:-1]) | ((codes[1:] != codes[:-1]) & (lots[1:] != 0))
        own = np.zeros(len(whole.sessions), dtype=bool)
        for code in set(codes) & set(subject.market.contracts):
            own |= traded[:, subject.market.column(code)] & np.asarray(codes == code, dtype=bool)
        there &= own
    there[0] = False
    picked: set[int] = set()
    for rows in (np.flatnonzero(acts), np.flatnonzero(there)):
        at = np.linspace(0, len(rows) - 1, min(_SESSIONS, len(rows)))
        picked |= {int(row) for row in rows[np.rint(at).astype(int)]}
    return sorted(picked)


def _leak(day: pd.Timestamp, before: pd.Timestamp, code: str, price: str) -> Leak:
    return Leak(
        "stale",
        grave=True,
        sentence=said(
            "the decision of {day:%Y-%m-%d} would follow {what} of {contract} on {seen:%Y-%m-%d}"
            " if {contract} had no bar: a price filled forward",
            day=day,
            what=called(price),
            contract=code,
            seen=before,
        ),
        cure=said(
            "leave what is unknown unknown, no ffill: market.spread(near, far) gives the sessions"
            " in which both traded"
        ),
        day=day,
        seen=before,
        contract=code,
        input=price,
    )


class _Turn(NamedTuple):
    """Where tonight's decision turns: two prices of a contract, and what is decided at each.

    The prices are told by how far they lie from tonight's, yuan per tonne.
    """

    follows: str
    near: float
    far: float
    stays: Decisions | None
    turned: Decisions | None


class _Tonight:
    """A session, on a market that ends with it."""

    def __init__(self, subject: Subject, row: int) -> None:
        self.subject = subject
        self.row = row
        self.market = subject.market.asof(subject.market.sessions[row])
        self.before = self.market.sessions[row - 1]

    @cached_property
    def _plain(self) -> Decisions | None:
        return self._decide(self.market)

    def contracts(self) -> list[str]:
        """Return contracts with a bar tonight and the session before, that the decision may read.

        Those of the legs, then others whose price decides.
        """
        close = self.market.close[self.row - 1 : self.row + 1]
        known = np.flatnonzero(~np.isnan(close).any(axis=0))
        there = [self.market.contracts[at] for at in known]
        named = {str(codes[self.row]) for codes in self.subject.whole.legs.values()}
        legs = [code for code in there if code in named]
        others = [code for code in there if code not in named]
        return [*legs, *islice(self._read(others), max(_CONTRACTS - len(legs), 0))][:_CONTRACTS]

    def _read(self, codes: list[str]) -> Iterator[str]:
        """Yield those of some contracts whose price tonight decides, halving what does not."""
        if codes and self._reads(codes):
            if len(codes) == 1:
                yield codes[0]
            else:
                half = len(codes) // 2
                yield from self._read(codes[:half])
                yield from self._read(codes[half:])

    def _reads(self, codes: list[str]) -> bool:
        """Tell whether other prices of some contracts tonight change the decision."""
        for share in (0.05, -0.05):
            moved = self.market
            for number, code in enumerate(codes, start=1):
                price = moved.close[self.row, moved.column(code)]
                moved = self._moved(moved, code, self.row, np.rint(price * share / number))
            if self._unlike(self._plain, self._decide(moved)):
                return True
        return False

    def filled(self, follows: str, gone: str) -> str | None:
        """Return the price of `gone` that stood in for its missing bar; None where none did.

        Parameters
        ----------
        follows : str
            The contract that has a bar tonight.
        gone : str
            The contract whose bar is taken away.
        """
        row, market = self.row, self.market
        mine, theirs = (market.close[:, market.column(code)] for code in (follows, gone))
        nudge = float(theirs[row - 1] * _NUDGE)
        missing = self._without(market, gone)
        # To the spread of the session before, and some way up or down.
        back = float((theirs[row] - theirs[row - 1]) - (mine[row] - mine[row - 1]))
        up = [float(mine[row] * share) for share in _STEPS]
        for steps in ([back], up, [-step for step in up]):
            turn = self._turn(missing, follows, steps, nudge / 4)
            if turn is not None and self._moves(turn, gone, nudge, _PRICES):
                each = (p for p in _PRICES if self._moves(turn, gone, nudge, (p,)))
                return next(each, _PRICES[0])
        return None

    def _turn(
        self, market: Market, follows: str, steps: list[float], width: float
    ) -> _Turn | None:
        """Return where the decision turns up to the first step that turns it, no wider than so."""
        stays = self._decide(market)
        for step in steps:
            turned = self._decide(self._moved(market, follows, self.row, step))
            if not self._unlike(stays, turned):
                continue
            near, far = 0.0, step
            while abs(far - near) > width:
                middle = (near + far) / 2
                other = self._decide(self._moved(market, follows, self.row, middle))
                if self._unlike(stays, other):
                    far, turned = middle, other
                else:
                    near = middle
            return _Turn(follows, near, far, stays, turned)
        return None

    def _moves(self, turn: _Turn, gone: str, nudge: float, prices: tuple[str, ...]) -> bool:
        """Tell whether a turn moves with the last price of `gone`, which has no bar tonight.

        - It lies where it would with the last bar once more: as if that price stood.
        - With that price a little higher it lies beyond one of its ends, with it a little lower
          beyond the other.
        - A bar of tonight moves it too: who looks at yesterday's price on purpose fills nothing.
        """
        again = self._repeated(self.market, gone)
        if self._unlike(turn.stays, self._at(turn, again, turn.near)) or self._unlike(
            turn.turned, self._at(turn, again, turn.far)
        ):
            return False
        higher, lower = (
            self._without(self._moved(self.market, gone, self.row - 1, by, prices), gone)
            for by in (nudge, -nudge)
        )
        side = self._side(turn, higher)
        if not side or self._side(turn, lower) != -side:
            return False
        return self._side(turn, self._moved(again, gone, self.row, nudge, prices)) == side

    def _side(self, turn: _Turn, market: Market) -> int:
        """Return 1 where a market's turn lies beyond the far end, −1 the near one, else 0."""
        ends = [self._at(turn, market, step) for step in (turn.near, turn.far)]
        if not any(self._unlike(turn.stays, end) for end in ends):
            return 1
        if not any(self._unlike(turn.turned, end) for end in ends):
            return -1
        return 0

    def _at(self, turn: _Turn, market: Market, step: float) -> Decisions | None:
        return self._decide(self._moved(market, turn.follows, self.row, step))

    def _decide(self, market: Market) -> Decisions | None:
        try:
            return self.subject.decide(market)
        except SibtError:
            return None

    def _unlike(self, one: Decisions | None, other: Decisions | None) -> bool:
        """Tell whether two decide differently tonight; one that fails is like none."""
        if one is None or other is None:
            return True
        return bool(one.apart(other, self.row + 1)[self.row])

    def _moved(
        self, market: Market, code: str, row: int, by: float, prices: tuple[str, ...] = _PRICES
    ) -> Market:
        """Return a market with prices of a contract moved in one session."""
        at = market.column(code)
        bar = {name: float(getattr(market, name)[row, at]) + by for name in prices}
        return _with_bar(market, code, row, bar)

    def _repeated(self, market: Market, code: str) -> Market:
        """Return a market in which a contract's bar is that of the session before."""
        at = market.column(code)
        bar = {name: float(getattr(market, name)[self.row - 1, at]) for name in FIELDS}
        return _with_bar(market, code, self.row, bar)

    def _without(self, market: Market, code: str) -> Market:
        """Return a market in which a contract has no bar tonight."""
        return _with_bar(market, code, self.row, dict.fromkeys(FIELDS, np.nan))


def _with_bar(market: Market, code: str, row: int, bar: Mapping[str, float]) -> Market:
    arrays = {}
    for name, value in bar.items():
        array = getattr(market, name).copy()
        array[row, market.column(code)] = value
        arrays[name] = array
    return replace(market, **arrays)
