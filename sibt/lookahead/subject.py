"""The subject of a check: a strategy, the market it is asked about, and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sibt.lookahead.decisions import Decisions, decide
from sibt.market.panel import Market
from sibt.strategy.loader import loaded
from sibt.strategy.strategy import Params, Strategy

__all__ = ["Subject"]


@dataclass(eq=False)
class Subject:
    """A strategy under check.

    Attributes
    ----------
    path : Path
        Its file.
    market : Market
        The market, whole.
    params : Params
        Its parameters, single values.
    strategy : Strategy or None
        An object to check in the place of the file; it is copied for every question.
    evaluated : callable
        Called at every question to the strategy.
    asked : int
        How often the strategy was asked so far.
    """

    path: Path
    market: Market
    params: Params
    strategy: Strategy | None = None
    evaluated: Callable[[], None] = lambda: None
    asked: int = field(default=0, init=False)

    @cached_property
    def source(self) -> bytes:
        """What stands in its file."""
        return self.path.read_bytes()

    def fresh(self) -> Strategy:
        """Return the strategy newly loaded: nothing of an earlier question is left in its file."""
        if self.strategy is not None:
            return deepcopy(self.strategy)
        return loaded(self.path, self.source)

    def decide(self, market: Market | None = None, strategy: Strategy | None = None) -> Decisions:
        """Ask for decisions on a market, of a fresh strategy unless one is given.

        Parameters
        ----------
        market : Market, optional
            By default the whole one.
        strategy : Strategy, optional
            One that was asked before, to see what that left behind.

        Raises
        ------
        SibtError
            The strategy fails there; see `sibt.lookahead.decisions.decide`.
        """
        self.count()
        one = self.fresh() if strategy is None else strategy
        return decide(one, self.path, self.market if market is None else market, self.params)

    def count(self) -> None:
        """Count a question to the strategy."""
        self.asked += 1
        self.evaluated()

    @cached_property
    def whole(self) -> Decisions:
        """Decisions on the whole market."""
        return self.decide()
