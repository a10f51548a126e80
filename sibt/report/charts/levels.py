"""Levels on the price of a run, and why one is not drawn there."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from sibt.language import Sentence, said
from sibt.report.charts.drawing import held
from sibt.report.levels import Drawn, against
from sibt.runs.run import Run
from sibt.strategy.levels import Level

__all__ = ["drawn", "undrawn"]


def drawn(run: Run, levels: Iterable[Level]) -> tuple[Drawn, ...]:
    """Return levels over the contracts a run traded; a spread has no price to hold them against."""
    market, job = run.market, run.result.job
    if len(job.legs) == 1:
        names = (*job.contracts, None)
        codes = pd.Series([names[at] for at in held(run)[:, 0].tolist()], index=market.sessions,
                          dtype=object)  # fmt: skip
        return tuple(against(one, market, codes) for one in levels)
    nothing = pd.Series(float("nan"), index=market.sessions)
    return tuple(
        Drawn(one, nothing, said(
            "Level {name} is not drawn: the chart shows a spread, and a level is a price.",
            name=one.name,
        )) for one in levels
    )  # fmt: skip


def undrawn(run: Run, levels: Iterable[Level]) -> tuple[Sentence, ...]:
    """Return why levels are not drawn on a run's price, a sentence each."""
    return tuple(one.why for one in drawn(run, levels) if one.why is not None)
