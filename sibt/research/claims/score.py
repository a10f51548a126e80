"""A report scored: every reading of every claim held against a market."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import pandas as pd

from sibt.errors import SettingError
from sibt.language import Sentence, said
from sibt.market.panel import Market
from sibt.research.claims import curve, figure, price, trade, watch
from sibt.research.claims.prices import Subject
from sibt.research.claims.quantity import Quantity
from sibt.research.claims.rating import rating
from sibt.research.claims.report import Claim, Reading, Report
from sibt.research.claims.verdict import LackingError, Missing, Score, untestable
from sibt.research.claims.window import Window

__all__ = ["ClaimScore", "Scored", "score"]

_OF_PRICES: Mapping[str, Callable[[Subject, Mapping[str, Any], Window], Score]] = {
    "range": price.price_range,
    "holds_above": price.holds_above,
    "breaks": price.breaks,
    "reach": price.reach,
    "direction": price.direction,
    "rating": rating,
}
_Whole = Callable[[Subject, Mapping[str, Any]], Score]
#: Tests of one horizon, and how it is called.
_WHOLE: Mapping[str, tuple[_Whole, Callable[[Mapping[str, Any]], Sentence]]] = {
    "identity": (figure.identity, figure.horizon),
    "change": (figure.change, figure.horizon),
    "trend": (figure.trend, figure.horizon),
    "trends": (figure.trend, figure.horizon),
    "strategy": (trade.strategy, trade.horizon),
    "watch": (watch.watch, lambda told: watch.WATCHED),
    "vague": (watch.vague, lambda told: watch.NEVER),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClaimScore(Score):
    """The score of one reading of a claim over one horizon.

    Attributes
    ----------
    claim : Claim
        The claim.
    reading : Reading
        Which reading of it.
    """

    claim: Claim
    reading: Reading


@dataclass(frozen=True, eq=False)
class Scored:
    """A report and what became of it.

    Attributes
    ----------
    report : Report
        The report.
    market : Market
        The market it was held against, cut where it was asked to be.
    rows : tuple of ClaimScore
        In the order of claims, readings and horizons; none is left out.
    standard_end : pd.Timestamp or None
        Last session of contracts of its delivery standard; None while that is in force.
    """

    report: Report
    market: Market
    rows: tuple[ClaimScore, ...]
    standard_end: pd.Timestamp | None

    def table(self) -> pd.DataFrame:
        """Return a row a score, tidy and in English, as ``claims.csv`` holds it."""
        return pd.DataFrame([_row(self.report, one) for one in self.rows])


def score(
    report: Report, market: Market, asof: pd.Timestamp | str | None = None
) -> Scored:
    """Hold every reading of every claim of a report against a market.

    Parameters
    ----------
    report : Report
        The report.
    market : Market
        The market.
    asof : timestamp or str, optional
        Score as it stood after this day's close; nothing later is used. It is the same as to
        score on ``market.asof(asof)``.

    Raises
    ------
    SettingError
        `asof` is no day.
    DataError
        The market begins after `asof`, or has no contract of the report's product.
    """
    if asof is not None:
        try:
            market = market.asof(pd.Timestamp(asof))
        except ValueError:
            raise SettingError(f"--asof is '{asof}', no day; write it as 2024-05-15.") from None
    subject = Subject(report, market)
    rows = tuple(
        row for claim in report.claims for reading in claim.readings
        for row in _scores(subject, claim, reading)
    )  # fmt: skip
    return Scored(report, market, rows, subject.standard_end)


def _scores(subject: Subject, claim: Claim, reading: Reading) -> Iterator[ClaimScore]:
    needed = _missing(subject, claim.needs)
    for label, test in _tests(subject, reading):
        try:
            if subject.market.sessions[-1] < subject.day:
                raise LackingError(_not_yet(subject))
            found = test()
        except LackingError as lacking:
            found = untestable(label, lacking.missing)
        missing = tuple(dict.fromkeys((*found.missing, *needed)))
        values = {one.name: getattr(found, one.name) for one in fields(Score)}
        yield ClaimScore(**{**values, "missing": missing}, claim=claim, reading=reading)


def _tests(
    subject: Subject, reading: Reading
) -> Iterator[tuple[Sentence, Callable[[], Score]]]:
    """Yield what a reading asks for, a horizon at a time."""
    test, told = reading.test, reading.settings
    if test in _OF_PRICES:
        for window in told["windows"]:
            yield window.label, partial(_OF_PRICES[test], subject, told, window)
    elif test == "curve":
        for near in told["near"]:
            yield curve.horizon(told, near), partial(curve.curve, subject, told, near)
    else:
        whole, label = _WHOLE[test]
        yield label(told), partial(whole, subject, told)


def _not_yet(subject: Subject) -> Missing:
    return Missing(
        f"bars of {subject.day:%Y-%m-%d}",
        said(
            "the market ends before the report was known; bring bars up to {day:%Y-%m-%d} and on",
            day=subject.day,
        ),
    )


def _missing(subject: Subject, needs: tuple[Quantity, ...]) -> list[Missing]:
    """Return what a claim needs beside what its tests name, and the market lacks."""
    found: list[Missing] = []
    for one in needs:
        try:
            one.values(subject)
        except LackingError as lacking:
            found += lacking.missing
    return found


def _row(report: Report, one: ClaimScore) -> dict[str, Any]:
    base = one.base
    return {
        "report": report.id,
        "known": f"{report.date:%Y-%m-%d}",
        "claim": one.claim.id,
        "place": one.claim.place,
        "line": one.claim.line,
        "quote": one.claim.quote,
        "says": str(one.claim.says),
        "reading": str(one.reading.name),
        "test": one.reading.test,
        "horizon": str(one.horizon),
        "verdict": one.verdict,
        "why": "" if one.why is None else str(one.why),
        "decided_on": _day(one.decided_on),
        "window_start": _day(one.start),
        "window_end": _day(one.end),
        "figures": "; ".join(f"{name} {_said(value, unit)}".strip()
                             for name, (value, unit) in one.figures.items()),
        "base_rate": None if base is None else base.share,
        "base_windows": None if base is None else base.windows,
        "base_independent": None if base is None else base.independent,
        "missing": "; ".join(missing.what for missing in one.missing),
        "how": "; ".join(dict.fromkeys(str(missing.how) for missing in one.missing)),
        "leaves_open": "; ".join(map(str, one.claim.leaves_open)),
        "inconsistency": ", ".join(one.claim.inconsistency),
    }  # fmt: skip


def _day(day: pd.Timestamp | None) -> str:
    return "" if day is None else f"{day:%Y-%m-%d}"


def _said(value: Any, unit: str) -> str:
    """Return a figure as text: shares in per cent, unknown as a dash."""
    if value is None:
        return "–"
    if isinstance(value, pd.Timestamp):
        return _day(value)
    if not isinstance(value, int | float):
        return str(value)
    if unit == "share":
        return f"{value:.2%}"
    plain = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}" \
        if abs(value) < 1000 else f"{value:,.2f}"
    return f"{plain} {unit}".strip()
