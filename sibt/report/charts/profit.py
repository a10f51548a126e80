"""Where the result comes from: leg by leg, spread move and flat price, and the day of entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.engine.statement import slippage
from sibt.language import EN, Language
from sibt.report.charts.drawing import days, line, over_time
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["entry_days", "legs", "split"]

_LEGS = ("blue", "orange", "pink", "sky", "gold")
_WEEK = pd.Timedelta(days=7)


def legs(run: Run, t: Language = EN) -> go.Figure:
    """Draw what each leg brought in up to each session, fees, slippage and the net, yuan.

    Legs are before fees and, as they were filled, after slippage.
    """
    ink, result = palette(t), run.result
    table = result.attribution
    x, money = days(run.market.sessions), _money(t)
    data = [
        line(name, x, table[name].cumsum(), ink[_LEGS[number % len(_LEGS)]], money,
             line={"dash": "solid" if number < len(_LEGS) else "dash"})
        for number, name in enumerate(result.job.legs)
    ]  # fmt: skip
    fills = result.booked["fills"]
    given_up = np.bincount(
        fills[:, 0], weights=slippage(result.job, fills, result.limits), minlength=len(x)
    ) / 100  # fmt: skip
    data += [
        line(t("fees"), x, -table["fees"].cumsum(), ink["soft"], money, line={"dash": "dash"}),
        line(t("slippage, within the legs"), x, -given_up.cumsum(), ink["soft"], money,
             line={"dash": "dot"}),
        _net(run, t, x),
    ]  # fmt: skip
    return over_time(run, t, t("Profit by leg, fees and slippage"), data, yaxis=_yuan(t))


def split(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw a spread's result split into the spread's move and the flat-price residual, yuan.

    One lot against one lot is not one yuan against one yuan: what the difference makes of the
    general move of prices is the residual. None where not some legs are long and some short.
    """
    ink, table = palette(t), run.result.attribution
    if table["spread_move"].isna().all():
        return None
    x, money = days(run.market.sessions), _money(t)
    data = [
        line(t("spread move"), x, table["spread_move"].cumsum(), ink["blue"], money),
        line(t("flat-price residual"), x, table["flat_price"].cumsum(), ink["orange"], money,
             line={"dash": "dash"}),
        line(t("fees"), x, -table["fees"].cumsum(), ink["soft"], money, line={"dash": "dot"}),
        _net(run, t, x),
    ]  # fmt: skip
    return over_time(run, t, t("Spread move and flat-price residual"), data, yaxis=_yuan(t))


def entry_days(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw the net result of every possible entry day of the first trip, yuan; one was chosen.

    None where that says nothing: with trips enough for ratios, without one, or for a hedge.
    """
    table = run.few_days
    if table is None:
        return None
    ink, net = palette(t), table["net"].tolist()
    rank = [t("rank {rank} of {of}", rank=n, of=len(table)) for n in table["rank"]]
    title, label, own = t("Net result by day of entry"), [], table["chosen"].tolist()
    x = days(table.index)
    if True in own:
        at = own.index(True)
        title = t("Net result by day of entry: the chosen one is {rank}", rank=rank[at])
        label = [{"x": x[at], "y": net[at], "ax": 0, "ay": 32 if net[at] < 0 else -32,
                  "text": t("the chosen day"), "xanchor": "left", "arrowhead": 2,
                  "arrowcolor": ink["ink"]}]  # fmt: skip
    bars = {
        "type": "bar", "x": x, "y": net, "text": rank, "textposition": "none",
        "marker": {"color": [ink["gold"] if one else ink["up" if value >= 0 else "down"]
                             for one, value in zip(own, net, strict=True)]},
        "hovertemplate": f"%{{x}}<br>%{{y:+,.2f}} {t('yuan')}<br>%{{text}}<extra></extra>",
    }  # fmt: skip
    around = [f"{table.index[0] - _WEEK:%Y-%m-%d}", f"{table.index[-1] + _WEEK:%Y-%m-%d}"]
    return over_time(
        run, t, title, [bars], annotations=label, hovermode="closest", bargap=0.25,
        showlegend=False, yaxis=_yuan(t),
        xaxis={"range": around, "title": {"text": t("session of the decision")}},
    )  # fmt: skip


def _net(run: Run, t: Language, x: list[str]) -> dict[str, Any]:
    s = run.result.statement
    return line(t("net result"), x, (s["mtm"] - s["fees"]).cumsum(), palette(t)["ink"], _money(t),
                line={"width": 2.4})  # fmt: skip


def _money(t: Language) -> str:
    return f"%{{y:+,.2f}} {t('yuan')}"


def _yuan(t: Language) -> dict[str, Any]:
    return {"title": {"text": t("yuan")}, "tickformat": ",.0f"}
