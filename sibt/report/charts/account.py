"""The futures account through time: equity and drawdown, margin, risk degree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sibt.language import EN, Language
from sibt.report.charts.drawing import days, line, over_time
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["equity", "margin", "risk"]

#: From here on the level at which money is called for is worth showing.
_NEAR_CALL = 0.5


def equity(run: Run, t: Language = EN) -> go.Figure:
    """Draw equity, and below it how far it stood under its highest point, yuan.

    Deposits that answered margin calls are no gain: drawdown, and a line of its own where
    there were any, leave them out.
    """
    ink, s = palette(t), run.result.statement
    capital = float(run.result.job.account.capital)
    x, money = days(run.market.sessions), f"%{{y:,.2f}} {t('yuan')}"
    own = s["equity"] - s["deposit"].cumsum()
    peak = own.cummax().clip(lower=capital)
    data = [line(t("equity"), x, s["equity"], ink["blue"], money)]
    if (s["deposit"] != 0).any():
        data.append(line(t("equity without deposits"), x, own, ink["orange"], money,
                         line={"dash": "dot"}))  # fmt: skip
    data.append(line(
        t("below the peak"), x, own - peak, ink["down"],
        f"%{{y:,.2f}} {t('yuan')} (%{{customdata:.2%}})",
        yaxis="y2", fill="tozeroy", customdata=((own - peak) / peak).tolist(),
        line={"width": 1.2}, opacity=0.75,
    ))  # fmt: skip
    start = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": capital, "y1": capital,
             "line": {"color": ink["faint"], "width": 1}}  # fmt: skip
    return over_time(
        run, t, t("Equity and drawdown"), data, shapes=[start],
        xaxis={"anchor": "y2"},
        yaxis={"domain": [0.36, 1], "title": {"text": t("yuan")}, "tickformat": ",.0f"},
        yaxis2={"domain": [0, 0.27], "title": {"text": t("yuan")}, "tickformat": ",.0f",
                "nticks": 4},
    )  # fmt: skip


def margin(run: Run, t: Language = EN) -> go.Figure:
    """Draw equity, margin and what is available, yuan; margin calls are marked."""
    ink, s = palette(t), run.result.statement
    x, money = days(run.market.sessions), f"%{{y:,.2f}} {t('yuan')}"
    data = [
        line(t("margin"), x, s["margin"], ink["orange"], money, fill="tozeroy", opacity=0.8),
        line(t("equity"), x, s["equity"], ink["blue"], money),
        line(t("available"), x, s["available"], ink["green"], money, line={"dash": "dash"}),
        *_calls(run, t, s["margin"]),
    ]
    return over_time(
        run, t, t("Margin and available money"), data,
        yaxis={"title": {"text": t("yuan")}, "tickformat": ",.0f", "rangemode": "tozero"},
    )  # fmt: skip


def risk(run: Run, t: Language = EN) -> go.Figure:
    """Draw the risk degree, margin over equity, in percent; above 100 money is called for."""
    ink, s = palette(t), run.result.statement
    data = [
        line(t("risk degree"), days(run.market.sessions), s["risk"], ink["orange"], "%{y:.2%}",
             fill="tozeroy"),
        *_calls(run, t, s["risk"]),
    ]  # fmt: skip
    full: dict[str, Any] = {
        "type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 1, "y1": 1,
        "line": {"color": ink["red"], "width": 1.2, "dash": "dot"},
    }  # fmt: skip
    return over_time(
        run, t, t("Risk degree: margin over equity"), data,
        showlegend=len(data) > 1,
        shapes=[full] if s["risk"].max() >= _NEAR_CALL else [],
        yaxis={"title": {"text": "%"}, "tickformat": ".0%", "rangemode": "tozero"},
    )  # fmt: skip


def _calls(run: Run, t: Language, at: Any) -> list[dict[str, Any]]:
    """Return the marks of margin calls, on a line; none without one."""
    s = run.result.statement
    called = (s["margin_call"] > 0).to_numpy()
    if not called.any():
        return []
    # The risk degree is unknown once equity is gone; the call is not.
    height = np.nan_to_num(at.to_numpy(dtype=float)[called], nan=0.0)
    return [{
        "type": "scatter", "mode": "markers", "name": t("margin call"), "meta": {"kind": "call"},
        "x": days(s.index[called]), "y": height.tolist(),
        "customdata": s.loc[called, ["margin_call", "deposit"]].to_numpy().tolist(),
        "hovertemplate": f"%{{customdata[0]:,.2f}} {t('yuan')}, {t('deposit')}"
                         f" %{{customdata[1]:,.2f}} {t('yuan')}",
        "marker": {"symbol": "triangle-down", "size": 10, "color": palette(t)["red"],
                   "line": {"color": palette(t)["paper"], "width": 1}},
    }]  # fmt: skip
