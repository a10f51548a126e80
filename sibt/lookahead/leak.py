"""A leak: a decision that used what could not have been known, and what it used."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sibt.language import Sentence

__all__ = ["Leak"]


@dataclass(frozen=True)
class Leak:
    """One finding of a check.

    Attributes
    ----------
    check : str
        Name of the check that found it, as in `Verdict.tried`.
    grave : bool
        True for what fails the strategy, False for what its reader should know.
    sentence : Sentence
        What was found.
    cure : Sentence or None
        What to do about it.
    day : pd.Timestamp or None
        The session whose decision it is.
    seen : pd.Timestamp or None
        The day of the data that decision saw.
    contract : str or None
        The contract whose data it saw.
    input : str or None
        What it saw: ``close``, ``settle``, ``spot 553``, ``receipts``, ``series NAME``,
        ``terms``, ``dominant``, ``level NAME``, ``sessions``, ``state``, …
    """

    check: str
    grave: bool
    sentence: Sentence
    cure: Sentence | None = None
    day: pd.Timestamp | None = None
    seen: pd.Timestamp | None = None
    contract: str | None = None
    input: str | None = None
