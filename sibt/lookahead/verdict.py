"""The verdict of a look-ahead check: what was found, and what was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sibt.language import Sentence, said
from sibt.lookahead.leak import Leak

__all__ = ["LIMITS", "Verdict"]

#: What no such check can prove, in a line.
LIMITS = said(
    "No such check sees hindsight in days and numbers written into the file, nor what the strategy"
    " reads from files and addresses of its own."
)

#: Checks that find what came later; the others find what else makes a result worthless.
_AHEAD = ("cut", "future", "settlement", "levels_adjusted")


@dataclass(frozen=True)
class Verdict:
    """What a check of a strategy came to.

    Attributes
    ----------
    leaks : tuple of Leak
        What fails the strategy.
    notes : tuple of Leak
        What its reader should know.
    tried : mapping of str to int
        How often the strategy was asked to decide, by check.
    full : bool
        True after every check on every session, False after the quick form.
    """

    leaks: tuple[Leak, ...]
    notes: tuple[Leak, ...]
    tried: Mapping[str, int] = field(default_factory=dict)
    full: bool = True

    @property
    def passed(self) -> bool:
        """True if no leak was found."""
        return not self.leaks

    @property
    def looks_ahead(self) -> bool:
        """True if a decision used what came later; False too where a leak is of another kind."""
        return any(leak.check in _AHEAD for leak in self.leaks)

    @property
    def sentence(self) -> Sentence:
        """The verdict in one sentence."""
        asked = sum(self.tried.values())
        if self.looks_ahead:
            first = next(leak for leak in self.leaks if leak.check in _AHEAD)
            return said("LOOKS AHEAD: {sentence}", sentence=first.sentence)
        if not self.passed:
            return said("FAILS THE CHECK: {sentence}", sentence=self.leaks[0].sentence)
        if self.full:
            return said(
                "No look-ahead found, asked {asked:,} times on cut and altered markets.",
                asked=asked,
            )
        return said(
            "No look-ahead found in the quick check, asked {asked} times; sibt check asks in every"
            " session.",
            asked=asked,
        )
