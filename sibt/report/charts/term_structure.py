"""The curve of all delivery months on the days a trip was entered and left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.language import EN, Language
from sibt.market.contract import contract
from sibt.report.charts.drawing import figure
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["curves"]

#: So many trips are drawn at most.
_TRIPS = 12


def curves(run: Run, t: Language = EN) -> go.Figure | None:
    """Draw settlements by delivery month on the entry and exit session of round trips.

    A trip is two traces of one legend group, of which the first trip's are shown; a click in
    the legend shows others. An open trip's second curve is that of the last session. Contracts
    traded in the trip are the larger marks; two delivery standards are not joined.

    The numbers of the trips, from 0, are ``figure.layout.meta["trips"]`` and each trace's
    ``meta["trip"]``: at most 12, with the first, the last, the best and the worst.

    None without a trip.
    """
    trips = run.result.round_trips
    if trips.empty:
        return None
    ink, chosen = palette(t), _chosen(trips)
    alone = len(chosen) == 1
    data = []
    for number in chosen:
        row = trips.iloc[number]
        open_ = pd.isna(row["exit"])
        end = run.market.sessions[-1] if open_ else row["exit"]
        held = _traded(run, row["entry"], end)
        words = t("trip {number}: {entry:%Y-%m-%d} to {exit:%Y-%m-%d}, {net} yuan",
                  number=number + 1, entry=row["entry"], exit=end,
                  net=f"{row['net']:+,.0f}".replace("-", "−"))  # fmt: skip
        for day, name, colour, symbol, dash in (
            (row["entry"], t("entry"), ink["blue"], "circle", "solid"),
            (end, t("last session") if open_ else t("exit"), ink["orange"], "diamond", "dash"),
        ):
            data.append({
                **_curve(run, day, held, ink["ink"]),
                "type": "scatter", "mode": "lines+markers", "connectgaps": False,
                "name": f"{name} {day:%Y-%m-%d}" if alone else words,
                "showlegend": alone or dash == "solid", "legendgroup": f"trip {number}",
                "meta": {"trip": number}, "visible": True if number == chosen[0] else "legendonly",
                "line": {"color": colour, "width": 1.8, "dash": dash},
                "hovertemplate": f"<b>%{{text}}</b>, {name} {day:%Y-%m-%d}<br>%{{y:,.0f}}"
                                 f" {t('yuan/t')}<extra></extra>",
            })  # fmt: skip
            data[-1]["marker"].update(color=colour, symbol=symbol)
    return figure(
        t, t("Term structure on the day of entry (solid) and of exit (dashed)"), data,
        simulated=run.market.provenance.simulated, meta={"trips": chosen}, hovermode="closest",
        xaxis={"type": "date", "tickformat": "%Y-%m", "hoverformat": "%Y-%m",
               "title": {"text": t("delivery month")}},
        yaxis={"title": {"text": t("yuan/t")}, "tickformat": ",.0f", "zeroline": False},
    )  # fmt: skip


def _chosen(trips: pd.DataFrame) -> list[int]:
    """Return the trips to draw: first, last, best, worst, then those that moved most money."""
    net = trips["net"].to_numpy()
    first = [0, len(net) - 1, int(net.argmax()), int(net.argmin())]
    order = dict.fromkeys([*first, *np.argsort(-np.abs(net), kind="stable").tolist()])
    return sorted(list(order)[:_TRIPS])


def _traded(run: Run, entry: pd.Timestamp, end: pd.Timestamp) -> set[str]:
    fills = run.result.fills
    return set(fills.loc[fills["session"].between(entry, end), "contract"])


def _curve(run: Run, day: pd.Timestamp, held: set[str], edge: str) -> dict[str, Any]:
    """Return delivery months, settlements, codes and marks of a session's listed contracts."""
    market = run.market
    at = market.sessions.get_loc(day)
    products = {life.product for life in run.result.job.lives}
    lives = sorted(
        (life for life in map(contract, market.contracts) if life.product in products),
        key=lambda life: (life.product.name, life.month),
    )
    x: list[str] = []
    y: list[float] = []
    codes: list[str] = []
    before = None
    for life in lives:
        value = float(market.settle[at, market.column(life.code)])
        if np.isnan(value):
            continue
        if before not in (None, life.standard):
            x, y, codes = [*x, x[-1]], [*y, np.nan], [*codes, ""]
        before = life.standard
        x.append(f"{life.month.start_time:%Y-%m-%d}")
        y.append(value)
        codes.append(life.code)
    own = [code in held for code in codes]
    return {
        "x": x, "y": y, "text": codes,
        "marker": {"size": [11 if one else 6 for one in own],
                   "line": {"color": edge, "width": [2 if one else 0 for one in own]}},
    }  # fmt: skip
