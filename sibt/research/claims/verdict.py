"""What became of a claim: the verdict, its figures, a base rate, and what is missing for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from sibt.language import Sentence, said

__all__ = [
    "VERDICTS",
    "BaseRate",
    "Figure",
    "LackingError",
    "Missing",
    "Score",
    "bars_of",
    "named",
    "untestable",
]

#: In the order in which they are listed; "watched" is never right or wrong.
VERDICTS = ("right", "wrong", "running", "undecidable", "untestable", "watched")


class Figure(NamedTuple):
    """A figure of a score.

    Attributes
    ----------
    value : float, int, str, Sentence, pd.Timestamp or None
        None is unknown. A text is a word to be translated, or a contract's code.
    unit : str
        ``yuan/t``, ``yuan``, ``share`` (0.44 is 44 %), ``sessions``, ``lots``, the unit of a
        series, or nothing.
    """

    value: Any
    unit: str = ""


@dataclass(frozen=True)
class Missing:
    """Data without which a claim cannot be tested.

    Attributes
    ----------
    what : str
        ``series NAME``, ``spot 553``, ``receipts``, ``bars si2410``, ``open_interest``, …: the
        same data, the same text.
    how : Sentence
        What brings it.
    """

    what: str
    how: Sentence


class LackingError(Exception):
    """Raised inside a test that meets data which are not there."""

    def __init__(self, *missing: Missing) -> None:
        super().__init__(", ".join(one.what for one in missing))
        self.missing = missing


@dataclass(frozen=True)
class BaseRate:
    """How often the same sentence would have been right on a random day.

    Attributes
    ----------
    right, windows : int
        Start days on which it would have been right, of all with a complete window.
    independent : int
        The most of these windows that do not overlap: so many observations they are worth.
    """

    right: int
    windows: int
    independent: int

    @property
    def share(self) -> float:
        """Share of the windows in which it was right."""
        return self.right / self.windows


@dataclass(frozen=True, eq=False, kw_only=True)
class Score:
    """One reading of a claim over one horizon, held against a market.

    Attributes
    ----------
    horizon : Sentence
        Over what.
    verdict : str
        One of `VERDICTS`.
    why : Sentence or None
        Why it is undecidable.
    figures : mapping of str to Figure
        By name, to be translated; the most telling first.
    base : BaseRate or None
        None where no random day can be compared; `no_base` says why.
    decided_on : pd.Timestamp or None
        Session that decided it.
    missing : tuple of Missing
        What an untestable claim waits for; also data the claim needs beside what decided it.
    start, end : pd.Timestamp or None
        First session that counts and the last of the horizon; None where unknown.
    path, contracts : pd.Series or None
        What the test looked at, by session, in `unit`, from before the report to the end of
        horizon, data or standard; and the contract behind each.
    unit : str
        Unit of `path` and `lines`.
    lines : tuple of (Sentence, float)
        Levels and edges of bands.
    """

    horizon: Sentence
    verdict: str
    why: Sentence | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    base: BaseRate | None = None
    no_base: Sentence | None = None
    decided_on: pd.Timestamp | None = None
    missing: tuple[Missing, ...] = ()
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    path: pd.Series[float] | None = field(default=None, repr=False)
    contracts: pd.Series[Any] | None = field(default=None, repr=False)
    unit: str = "yuan/t"
    lines: tuple[tuple[Sentence, float], ...] = ()


def named(figure: str, whose: str) -> str:
    """Return the name of a figure, and whose it is where there are several."""
    return said("{whose}: {figure}", whose=whose, figure=said(figure)) if whose else figure


def untestable(horizon: Sentence, missing: tuple[Missing, ...]) -> Score:
    """Return the score of a claim whose data are not there."""
    return Score(horizon=horizon, verdict="untestable", missing=missing)


def bars_of(code: str) -> Missing:
    """Return that bars of a contract are missing."""
    return Missing(
        f"bars {code}",
        said("bring daily bars of {code}: sibt data pull, or a file of bars with --data",
             code=code),
    )  # fmt: skip
