"""Scores of claims in words, alike in the terminal and on the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from sibt.language import Language

if TYPE_CHECKING:
    from sibt.report.claims.needed import Need
    from sibt.research.claims.score import ClaimScore, Scored
    from sibt.research.claims.verdict import Score

__all__ = [
    "base", "bring", "by_claim", "counted", "figure", "figures", "known", "luck", "reading",
    "settings", "verdicts",
]  # fmt: skip


def verdicts(t: Language) -> dict[str, str]:
    """Return what each verdict is called, each with a sign of its own; the best known first."""
    return {
        "right": t("✓ right"),
        "wrong": t("✗ wrong"),
        "running": t("… running"),
        "undecidable": t("? undecidable"),
        "untestable": t("○ not yet testable"),
        "watched": t("● watched"),
    }


def by_claim(rows: Iterable[ClaimScore]) -> list[tuple[ClaimScore, ...]]:
    """Return the scores of each claim, in the order of the report."""
    return [tuple(own) for _, own in groupby(rows, key=lambda row: row.claim.id)]


def counted(rows: Iterable[Score], t: Language) -> list[tuple[str, str, int]]:
    """Return verdict, what it is called and how often it was given, without those never given."""
    counts = Counter(row.verdict for row in rows)
    return [(name, words, counts[name]) for name, words in verdicts(t).items() if counts[name]]


def known(scored: Scored, t: Language) -> str:
    """Return the day a report became known, and how that is known."""
    report = scored.report
    if report.date_from == "printed":
        return t("{day:%Y-%m-%d}, printed", day=report.date)
    return t("{day:%Y-%m-%d}, inferred: {how}", day=report.date, how=report.date_how)


def settings(given: Mapping[str, Any]) -> str:
    """Return the settings of a test as its file names them, such as ``low 11500``.

    Windows are left out, which are told by the horizon.
    """
    return ", ".join(f"{name} {_setting(value)}" for name, value in given.items()
                     if value not in (None, {}) and name != "windows")  # fmt: skip


def figure(value: Any, unit: str, t: Language) -> str:
    """Return one figure with its unit; "–" where it is unknown."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, str):
        text = t(value)
    elif unit == "share":
        return f"{value:.1%}"
    else:
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
    if unit == "lots":
        return t("{number} lots", number=text)
    if unit == "sessions":
        return t("{number} sessions", number=text)
    return f"{text} {t(unit)}" if unit and unit != "share" else text


def figures(row: Score, t: Language) -> list[str]:
    """Return a score's figures with their names, the most telling first."""
    return [f"{t(name)} {figure(one.value, one.unit, t)}" for name, one in row.figures.items()]


def reading(row: ClaimScore, t: Language) -> str:
    """Return how and over what a claim was read; empty where there is nothing to tell."""
    name, horizon = row.reading.name, row.horizon
    if horizon == "–":
        return t(name)
    return t("{reading}, {horizon}", reading=name, horizon=horizon) if name else t(horizon)


def base(row: Score, t: Language) -> str:
    """Return how often the same sentence would have been right; empty where none can be told."""
    if row.base is None or not row.base.windows:
        return ""
    return t("{share:.0%} of {windows:,} days", share=row.base.share, windows=row.base.windows)


def bring(need: Need, t: Language) -> str:
    """Return how missing data is brought: of a series its unit, as the file is told of once."""
    if need.series is None:
        return t(need.how)
    unit = t(need.series.unit)
    return t("series.csv: {what}, in {unit}", what=need.series.what, unit=unit)


def luck(rows: Sequence[Score], t: Language) -> str:
    """Return how many decided scores came right, beside what any day would have given them."""
    decided = [row for row in rows if row.verdict in ("right", "wrong") and row.base is not None
               and row.base.windows]  # fmt: skip
    if not decided:
        return ""
    right = sum(row.verdict == "right" for row in decided)
    share = sum(row.base.share for row in decided if row.base is not None) / len(decided)
    return t(
        "Of {count} decided scores that have a base rate {right} came right, {own:.0%}; the same"
        " sentences said on any other day would have been right {share:.0%} of the time."
        " Readings and horizons of one claim overlap, so this is no test of skill.",
        count=len(decided), right=right, own=right / len(decided), share=share,
    )


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return settings(value) or "–"
    if isinstance(value, list | tuple):
        return " / ".join(map(_setting, value))
    if is_dataclass(value) and not hasattr(value, "terms"):
        return settings(vars(value))
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:g}" if isinstance(value, float) else str(value)
