"""What data would make more claims testable, and how each would be brought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sibt.language import Sentence
from sibt.research.claims.report import Declared
from sibt.research.claims.score import Scored

__all__ = ["Need", "needed"]


@dataclass(frozen=True)
class Need:
    """Data that is missing.

    Attributes
    ----------
    what : str
        The data, such as ``series poly_n_type``.
    how : Sentence
        What brings it.
    series : Declared or None
        What is known of it where it is a series of the user's.
    claims : tuple of (str, str)
        Claims that lack it, each by report and id.
    alone : int
        How many of them have a reading that lacks nothing else: so many it opens by itself.
    """

    what: str
    how: Sentence
    series: Declared | None
    claims: tuple[tuple[str, str], ...]
    alone: int


def needed(all_scored: Iterable[Scored]) -> tuple[Need, ...]:
    """Return what data is missing, what opens most claims first."""
    lacking: dict[tuple[str, str], list[set[str]]] = {}
    hows: dict[str, Sentence] = {}
    declared: dict[str, Declared] = {}
    for scored in all_scored:
        for one in scored.report.series:
            declared.setdefault(f"series {one.name}", one)
        for row in (row for row in scored.rows if row.missing):
            own = lacking.setdefault((scored.report.id, row.claim.id), [])
            own.append({one.what for one in row.missing})
            hows |= {one.what: one.how for one in row.missing}
    listed = [
        Need(what, how, declared.get(what),
             tuple(claim for claim, rows in lacking.items() if any(what in row for row in rows)),
             sum({what} in rows for rows in lacking.values()))
        for what, how in hows.items()
    ]  # fmt: skip
    return tuple(sorted(listed, key=lambda need: (-need.alone, -len(need.claims), need.what)))
