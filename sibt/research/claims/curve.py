"""The shape of the curve: near months above far ones (backwardation), or below (contango)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sibt.language import Sentence, said
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market
from sibt.research.claims.base import rate
from sibt.research.claims.course import BEFORE
from sibt.research.claims.prices import Subject
from sibt.research.claims.verdict import Figure, LackingError, Missing, Score, bars_of

__all__ = ["curve", "horizon"]


def horizon(told: Mapping[str, Any], near: str) -> Sentence:
    """Return the pair and the days a row is about."""
    start, end = told["start"], told["end"]
    if start == end:
        return said("{near}/{far}, {day:%Y-%m-%d}", near=near, far=told["far"], day=start)
    return said(
        "{near}/{far}, {start:%Y-%m-%d}..{end:%Y-%m-%d}",
        near=near,
        far=told["far"],
        start=start,
        end=end,
    )


def curve(subject: Subject, told: Mapping[str, Any], near: str) -> Score:
    """Score "the curve is in backwardation" (or contango) between two days, for one near month.

    A session counts if both contracts traded, see `sibt.market.spread.spread`, up to the last one
    before the near contract's delivery month. ``need="any"``: one session with the sign is enough;
    ``"every"``: none may be without it; ``"most"``: more than half have it. A difference of zero
    has neither sign.

    On a random day the contracts are those with as many months to go, the days as far ahead; both
    are of one standard where the claim's are.
    """
    market, far = subject.market, told["far"]
    sign = 1.0 if told["sign"] == "backwardation" else -1.0
    label = horizon(told, near)
    for code in (near, far):
        if code not in market.contracts:
            raise LackingError(bars_of(code))
    spread = _spread(market, near, far)
    start, end = told["start"], _end(near, told["end"])
    shown = spread[max(_count(market, start) - BEFORE, 0) : _count(market, end)]
    figures: dict[str, Figure] = {}
    before = spread[: _count(market, subject.report.date)].dropna()
    inside = spread[start:end].dropna()
    signed = inside * sign > 0
    if len(inside):
        figures = {
            "sessions with it": Figure(float(signed.mean()), "share"),
            "mean near - far": Figure(float(inside.mean()), "yuan/t"),
            "lowest near - far": Figure(float(inside.min()), "yuan/t"),
            "highest near - far": Figure(float(inside.max()), "yuan/t"),
            "sessions": Figure(len(inside), "sessions"),
        }
    if len(before):
        figures["on the report's day"] = Figure(float(before.iloc[-1]), "yuan/t")
    verdict, why, decided_on = "running", None, None
    over = market.sessions[-1] >= _last_session(end)
    if end < start:
        verdict = "undecidable"
        why = said(
            "{near} is near delivery from {day:%Y-%m-%d} on, before these days", near=near, day=end
        )
    elif told["need"] == "any" and signed.any():
        verdict, decided_on = "right", inside.index[int(signed.argmax())]
    elif told["need"] == "every" and not signed.all():
        verdict, decided_on = "wrong", inside.index[int((~signed).argmax())]
    elif over and not len(inside):
        raise LackingError(
            Missing(
                f"{near} and {far}, {start:%Y-%m-%d}..{end:%Y-%m-%d}",
                said("bring bars of days on which both traded: sibt data pull"),
            )
        )
    elif over:
        right = told["need"] == "every" or (told["need"] == "most" and signed.mean() > 0.5)
        verdict, decided_on = "right" if right else "wrong", inside.index[-1]
    base = rate(_elsewhere(subject, told, near, sign))
    return Score(
        horizon=label,
        verdict=verdict,
        why=why,
        figures=figures,
        base=base,
        no_base=None if base else said("no other day has such a pair with all its sessions after"),
        decided_on=decided_on,
        start=start,
        end=end,
        path=shown.rename("near - far"),
        lines=((said("flat"), 0.0),),
    )


def _elsewhere(
    subject: Subject, told: Mapping[str, Any], near: str, sign: float
) -> Iterator[tuple[int, int, bool]]:
    """Yield what the sentence would have come to on each session of the market."""
    market, day = subject.market, subject.day
    first, second = contract(near), contract(told["far"])
    ahead = [_months(day, one.month) for one in (first, second)]
    one_good = first.standard == second.standard
    known: dict[str, pd.Series[float]] = {}
    for session in market.sessions:
        codes = [f"{first.product.name}{session.to_period('M') + n:%y%m}" for n in ahead]
        if any(code not in market.contracts for code in codes):
            continue
        other, far = map(contract, codes)
        if one_good and not other.standard == far.standard == first.standard:
            continue
        start = session + (told["start"] - day)
        end = _end(other.code, session + (told["end"] - day))
        if end < start or market.sessions[-1] < _last_session(end):
            continue
        if other.code not in known:
            known[other.code] = _spread(market, other.code, far.code)
        values = known[other.code].to_numpy()
        begin, stop = int(market.sessions.searchsorted(start)), _count(market, end)
        inside = values[begin:stop]
        inside = inside[~np.isnan(inside)]
        if not len(inside):
            continue
        share = float((inside * sign > 0).mean())
        right = {"any": share > 0, "every": share == 1, "most": share > 0.5}[told["need"]]
        yield begin, max(stop - 1, begin + 1), right


def _spread(market: Market, near: str, far: str) -> pd.Series[float]:
    # The claim itself names the pair, across the line or not.
    return market.spread(near, far, cross_standard=True)


def _end(near: str, end: pd.Timestamp) -> pd.Timestamp:
    """Return the last day that counts: none in the near contract's delivery month."""
    last = contract(near).last_natural
    return end if last is None else min(end, last)


def _last_session(day: pd.Timestamp) -> pd.Timestamp:
    """Return the last session on or before a day; the day itself beyond the calendar."""
    if not calendar.is_known(day):
        return day
    known = calendar.sessions()
    return known[int(known.searchsorted(day, side="right")) - 1]


def _count(market: Market, day: pd.Timestamp) -> int:
    return int(market.sessions.searchsorted(day, side="right"))


def _months(day: pd.Timestamp, month: pd.Period) -> int:
    return (month - day.to_period("M")).n
