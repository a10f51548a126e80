"""What the hedging desk draws: effective prices, cash at risk, dollar offset, rolls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sibt.hedging.cash import PERCENTILES
from sibt.hedging.screen import SCREEN
from sibt.language import EN, Language
from sibt.report.charts.drawing import days, figure, line, over_time
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["cash", "dollar_offset", "effective_prices", "rolls"]


def effective_prices(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw the effective price of this hedge and of what it is held against, yuan per tonne.

    Of goods needed it is a cost. None without a desk.
    """
    if run.desk is None:
        return None
    ink, table = palette(t), run.desk.prices.iloc[::-1]
    needed = run.desk.effectiveness.outcome.side < 0
    own, low, high = float(table["price"].iloc[-1]), table["price"].min(), table["price"].max()
    room = max((high - low) * 0.12, 1.0)
    data = [{
        "type": "scatter", "mode": "markers+text", "name": t("yuan/t"),
        "x": table["price"].tolist(), "y": [t(name) for name in table["name"]],
        "text": [f"{price:,.2f}" for price in table["price"]], "textposition": "top center",
        "cliponaxis": False, "textfont": {"color": ink["ink"]},
        "marker": {"size": 13, "color": [ink["blue"]] * (len(table) - 1) + [ink["orange"]]},
        "hovertemplate": f"%{{x:,.2f}} {t('yuan/t')}<extra>%{{y}}</extra>",
    }]  # fmt: skip
    mark = {"type": "line", "x0": own, "x1": own, "y0": 0, "y1": 1, "yref": "paper",
            "line": {"color": ink["orange"], "width": 1, "dash": "dot"}}  # fmt: skip
    title = t("Effective cost of a tonne") if needed else t("Effective price of a tonne")
    return figure(
        t, title, data, simulated=run.market.provenance.simulated, showlegend=False,
        shapes=[mark],
        xaxis={"title": {"text": t("yuan/t")}, "tickformat": ",.0f", "nticks": 6,
               "range": [low - room, high + room]},
        yaxis={"type": "category", "range": [-0.5, len(table) - 0.2]},
    )  # fmt: skip


def cash(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw the cash the hedge may call for, and what this very run called for, yuan.

    A fan of percentiles over the drawn paths, and the capital of the account. None where it is
    unknown.
    """
    found = None if run.desk is None else run.desk.cash
    if found is None:
        return None
    ink, x = palette(t), days(found.sessions)
    money = f"%{{y:,.0f}} {t('yuan')}"
    fan = dict(zip(PERCENTILES, found.fan.to_numpy().T, strict=True))
    none = {"width": 0}
    data = [
        line("5%", x, fan[5], ink["sky"], money, line=none, showlegend=False),
        line(t("5 to 95% of the paths"), x, fan[95], ink["sky"], money, line=none,
             fill="tonexty", opacity=0.4),
        line("25%", x, fan[25], ink["blue"], money, line=none, showlegend=False),
        line(t("25 to 75%"), x, fan[75], ink["blue"], money, line=none, fill="tonexty",
             opacity=0.6),
        line(t("median"), x, fan[50], ink["soft"], money, line={"width": 1.2}),
        line("99%", x, fan[99], ink["pink"], money, line={"width": 1.4, "dash": "dot"}),
        line(t("this run"), x, found.needed, ink["ink"], money, line={"width": 2.2}),
        line(t("capital of the account"), x, [found.capital] * len(x), ink["red"], money,
             line={"width": 1.4, "dash": "dash"}),
    ]  # fmt: skip
    title = t("Cash at risk: margin and daily settlement, before any gain of the goods")
    return over_time(
        run, t, title, data, yaxis={"title": {"text": t("yuan")}, "tickformat": ",.0f"}
    )


def dollar_offset(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw the dollar offset month by month and to date, over the old standards' 80 to 125 %.

    A month whose goods hardly moved has none. None where no month has one.
    """
    table = pd.DataFrame() if run.desk is None else run.desk.effectiveness.offsets
    if table.empty or table[["offset", "offset_to_date"]].isna().all(axis=None):
        return None
    ink, share = palette(t), "%{y:.1%}"
    months = [f"{month}" for month in table.index]
    data: list[dict[str, Any]] = [
        {"type": "bar", "name": t("of the month"), "x": months, "y": table["offset"].tolist(),
         "marker": {"color": ink["sky"]}, "hovertemplate": share},
        line(t("to date"), months, table["offset_to_date"], ink["orange"], share,
             mode="lines+markers", marker={"size": 7, "color": ink["orange"]}),
    ]  # fmt: skip
    band = {"type": "rect", "x0": 0, "x1": 1, "xref": "paper", "y0": SCREEN[0], "y1": SCREEN[1],
            "fillcolor": ink["green"], "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
    return figure(
        t, t("Dollar offset, and the old standards' 80 to 125%"), data,
        simulated=run.market.provenance.simulated, shapes=[band], hovermode="x unified",
        xaxis={"type": "category"}, yaxis={"tickformat": ".0%"},
    )  # fmt: skip


def rolls(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw what each roll received or paid, and what all came to so far, yuan per tonne.

    None without a roll.
    """
    table = pd.DataFrame() if run.desk is None else run.desk.rolls
    if table.empty or table["spread"].isna().all():
        return None
    ink, each = palette(t), f"%{{y:+,.2f}} {t('yuan/t')}"
    where = [f"{old} → {new}" for old, new in zip(table["old"], table["new"], strict=True)]
    x = days(pd.DatetimeIndex(table["session"]))
    data = [
        {"type": "bar", "name": t("spread received (+) or paid (−)"), "x": x,
         "y": table["spread"].tolist(), "customdata": where,
         "marker": {"color": [ink["up"] if value >= 0 else ink["down"]
                              for value in table["spread"]]},
         "width": 4 * 86_400_000, "hovertemplate": f"{each} (%{{customdata}})"},
        line(t("spread to date"), x, table["spread_to_date"], ink["blue"], each,
             mode="lines+markers", line={"shape": "hv"}, marker={"color": ink["blue"]}),
        line(t("cost to date"), x, table["cost_to_date"], ink["orange"], each,
             mode="lines+markers", line={"shape": "hv", "dash": "dot"},
             marker={"color": ink["orange"]}),
    ]  # fmt: skip
    return over_time(
        run, t, t("Rolls from contract to contract"), data,
        yaxis={"title": {"text": t("yuan/t")}, "tickformat": ",.0f"},
    )  # fmt: skip
