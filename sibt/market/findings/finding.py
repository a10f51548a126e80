"""One finding about market data: how grave, which check, where, what, and the cure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pandas as pd

from sibt.language import Sentence, said

__all__ = ["SEVERITIES", "Finding", "ordered", "summary"]

#: What a run refuses, what it warns of, and what is worth knowing but right.
SEVERITIES = ("wrong", "doubtful", "evidence")


@dataclass(frozen=True)
class Finding:
    """Something a check found in market data.

    Attributes
    ----------
    severity : {"wrong", "doubtful", "evidence"}
        Wrong: a run would rest on it and be wrong. Doubtful: usable, and a run says so.
        Evidence: looks odd, is explained, and no error of the data.
    check : str
        What was looked for, such as "gap" or "spike".
    subject : str
        Contract, grade or table.
    first, last : pd.Timestamp or None
        First and last session it is seen in.
    count : int
        Sessions, bars or rows it is seen on.
    what : str
        What is there, one clause without a full stop.
    cure : str
        What to do about it, one clause without a full stop; empty where there is nothing to do.
    contracts : tuple of str
        The contracts it is seen on, where the subject does not name the one.
    """

    severity: str
    check: str
    subject: str
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    count: int
    what: str
    cure: str
    contracts: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, str | int | None]:
        """The finding as plain values, for files: days as ``2024-05-15``, None where unknown."""
        return {
            "severity": self.severity,
            "check": self.check,
            "subject": self.subject,
            "first": None if self.first is None else f"{self.first:%Y-%m-%d}",
            "last": None if self.last is None else f"{self.last:%Y-%m-%d}",
            "count": self.count,
            "what": self.what,
            "cure": self.cure,
        }

    def concerns(self, contracts: Collection[str]) -> bool:
        """Return whether it is about one of some contracts."""
        return any(code in contracts for code in (self.subject, *self.contracts))

    @property
    def sessions(self) -> str:
        """First and last session as text, ``2024-05-15..2024-06-03``; empty where unknown."""
        if self.first is None:
            return ""
        if self.last is None or self.last == self.first:
            return f"{self.first:%Y-%m-%d}"
        return said("{first:%Y-%m-%d}..{last:%Y-%m-%d}", first=self.first, last=self.last)

    @property
    def line(self) -> Sentence:
        """The finding as one line of text."""
        where = self.subject
        if self.sessions:
            where = said("{subject} {sessions}", subject=where, sessions=self.sessions)
        line = said(
            "{severity}, {check}: {where}: {what}",
            severity=said(self.severity), check=said(self.check), where=where, what=self.what,
        )  # fmt: skip
        return said("{line}; {cure}", line=line, cure=self.cure) if self.cure else line


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by severity; those of one check stand together, the largest first."""
    whole = list(findings)
    place: dict[str, int] = {}
    for finding in whole:
        place.setdefault(finding.check, len(place))
    return sorted(
        whole,
        key=lambda f: (SEVERITIES.index(f.severity), place[f.check], -f.count, f.subject),
    )


def summary(findings: Iterable[Finding]) -> list[Sentence]:
    """Return one line for each severity and check: the largest finding, and how many more."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in ordered(findings):
        groups.setdefault((finding.severity, finding.check), []).append(finding)
    told = []
    for first, *others in groups.values():
        line = first.line
        if others:
            names = _subjects(others)
            line = said("{line} (and {more:,} more: {names})", line=line, more=len(others),
                        names=names)
        told.append(line)
    return told


def _subjects(findings: list[Finding], shown: int = 4) -> str:
    names = list(dict.fromkeys(finding.subject for finding in findings))
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")
