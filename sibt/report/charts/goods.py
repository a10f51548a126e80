"""A hedge through time: goods, futures and both, and how much of the goods was covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sibt.language import EN, Language
from sibt.report.charts.drawing import days, line, over_time
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["hedge"]


def hedge(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw the cumulative result of goods, futures and both, yuan, over the tonnes of each.

    From where returns count. A session without a spot quote is a gap. None without goods.
    """
    if run.hedge is None:
        return None
    ink, held = palette(t), run.hedge.table.loc[run.result.returns.index]
    x = days(held.index)
    money, tonnes = f"%{{y:+,.2f}} {t('yuan')}", f"%{{y:+,.0f}} {t('t')}"
    goods, futures = held["physical"].cumsum(), held["futures"].cumsum()
    size = float(run.result.job.terms.multiplier[0])
    step = {"shape": "hv"}
    data = [
        line(t("goods alone"), x, goods, ink["orange"], money, line={"dash": "dash"}),
        line(t("futures alone"), x, futures, ink["blue"], money, line={"dash": "dot"}),
        line(t("goods + futures"), x, goods + futures, ink["ink"], money, line={"width": 2.4}),
        line(t("tonnes owned"), x, held["tonnes"], ink["orange"], tonnes, yaxis="y2", line=step),
        line(t("tonnes of futures"), x, held["lots"] * size, ink["blue"],
             f"{tonnes} (%{{customdata}})", yaxis="y2", line=step,
             customdata=[t("{share} hedged", share="–" if pd.isna(share) else f"{share + 0:.0%}")
                         for share in held["ratio"]]),
    ]  # fmt: skip
    title = t("Goods, futures and both together, marked at {grade}", grade=run.hedge.book.grade)
    return over_time(
        run, t, title, data, xaxis={"anchor": "y2"},
        yaxis={"domain": [0.4, 1], "title": {"text": t("yuan")}, "tickformat": ",.0f"},
        yaxis2={"domain": [0, 0.3], "title": {"text": t("t")}, "tickformat": ",.0f", "nticks": 4},
    )  # fmt: skip
