"""What all charts of a run share: how they look, the days they show, when the idea was known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.language import Language
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["TIME", "days", "figure", "held", "line", "over_time", "span"]

#: An axis of days. Months by number: their names would stand in English everywhere.
TIME: dict[str, Any] = {
    "type": "date",
    "hoverformat": "%Y-%m-%d",
    "tickformatstops": [
        {"dtickrange": [None, 14 * 86_400_000], "value": "%m-%d\n%Y"},
        {"dtickrange": ["M1", "M6"], "value": "%Y-%m"},
        {"dtickrange": ["M12", None], "value": "%Y"},
    ],
}


def figure(
    t: Language, title: str, data: Sequence[dict[str, Any]], *, simulated: bool, **layout: Any
) -> go.Figure:
    """Return a figure of these traces; its title says SIMULATED where the data are made up.

    Parameters
    ----------
    t : Language
        Language; its colours are used.
    title : str
        Title, already in that language.
    data : sequence of dict
        Traces.
    simulated : bool
        True for made-up data.
    **layout
        What else the layout says.
    """
    import plotly.graph_objects as go

    ink = palette(t)
    label = f"SIMULATED · {title}" if simulated else title
    axis = {"gridcolor": ink["grid"], "linecolor": ink["line"], "zerolinecolor": ink["faint"],
            "automargin": True}
    axes = {
        name: {**axis, **value, "title": {"standoff": 12, **value.get("title", {})}}
        for name, value in layout.items() if name.startswith(("xaxis", "yaxis"))
    }  # fmt: skip
    return go.Figure({
        "data": list(data),
        "layout": {
            "template": "none",
            "title": {"text": label, "x": 0.01, "xanchor": "left"},
            "font": {"color": ink["ink"]},
            "paper_bgcolor": ink["paper"],
            "plot_bgcolor": ink["paper"],
            "hoverlabel": {"align": "left", "namelength": -1},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yanchor": "bottom",
                       "yref": "container"},
            "showlegend": True,
            **layout,
            **axes,
        },
    })  # fmt: skip


def over_time(
    run: Run,
    t: Language,
    title: str,
    data: Sequence[dict[str, Any]],
    *,
    xaxis: dict[str, Any] | None = None,
    shapes: Sequence[dict[str, Any]] = (),
    annotations: Sequence[dict[str, Any]] = (),
    **layout: Any,
) -> go.Figure:
    """Return a figure over days that shows the run's life, and all of the market on a double click.

    A dashed line marks the day the idea became known: history before it, the test after it.
    """
    first, last = span(run)
    sessions = run.market.sessions
    axis = {**TIME, "range": [f"{sessions[first]:%Y-%m-%d}", f"{sessions[last]:%Y-%m-%d}"],
            **(xaxis or {})}  # fmt: skip
    lines, words = _known(run, t)
    return figure(
        t, title, data, simulated=run.market.provenance.simulated, xaxis=axis,
        shapes=[*shapes, *lines], annotations=[*annotations, *words],
        **{"hovermode": "x unified", "hoversubplots": "axis", **layout},
    )  # fmt: skip


def days(sessions: pd.Index[Any]) -> list[str]:
    """Return sessions as text, which stays small in a page."""
    found: list[str] = pd.DatetimeIndex(sessions).strftime("%Y-%m-%d").tolist()
    return found


def line(
    name: str, x: Sequence[str], y: Any, colour: str, hover: str, **more: Any
) -> dict[str, Any]:
    """Return a line that stops where a value is unknown; one that stands alone is a dot."""
    values = np.asarray(y, dtype=float)
    known = ~np.isnan(values)
    alone = known.copy()
    alone[1:] &= ~known[:-1]
    alone[:-1] &= ~known[1:]
    dots = {
        "mode": "lines+markers",
        "marker": {"color": colour, "size": np.where(alone, 6, 0).tolist(), "opacity": 1},
    }
    return {
        "type": "scatter", "name": name, "x": list(x), "y": values.tolist(), "mode": "lines",
        "connectgaps": False, "hovertemplate": hover, **(dots if alone.any() else {}), **more,
        "line": {"color": colour, "width": 1.7, **more.get("line", {})},
    }  # fmt: skip


def held(run: Run) -> NDArray[np.int64]:
    """Return each leg's contract by session, (T, L): the one held, else the one decided on.

    They are positions in ``run.result.job.contracts``, −1 for none.
    """
    job = run.result.job
    lots = np.abs(run.result.booked["positions"])
    decided = np.concatenate([job.codes[:1], job.codes[:-1]])
    found: NDArray[np.int64] = np.where(lots.any(axis=2), lots.argmax(axis=2), decided)
    return found


def span(run: Run) -> tuple[int, int]:
    """Return the first and last session worth looking at: the run's life and a bit around it.

    It begins where returns begin to count and ends with the last order, lot or tonne.
    """
    sessions, result = run.market.sessions, run.result
    busy = [int(sessions.searchsorted(table["session"].iloc[n]))
            for table in (result.fills, result.unfilled, result.positions) if len(table)
            for n in (0, -1)]  # fmt: skip
    if run.hedge is not None:
        busy += np.flatnonzero(run.hedge.book.tonnes.to_numpy())[[0, -1]].tolist()
    first = len(sessions) - len(result.returns)
    last = max(busy, default=len(sessions) - 1)
    first = min(first, *busy, last) if busy else min(first, last)
    around = max(10, (last - first) // 12)
    return max(first - around, 0), min(last + around, len(sessions) - 1)


def _known(run: Run, t: Language) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the line at the day the idea became known, and its label; none outside the market."""
    said = run.strategy.known_from(run.params)
    sessions = run.market.sessions
    if said is None or not sessions[0] <= pd.Timestamp(said) <= sessions[-1]:
        return [], []
    ink, day = palette(t), f"{pd.Timestamp(said):%Y-%m-%d}"
    drawn = {"type": "line", "x0": day, "x1": day, "y0": 0, "y1": 1, "yref": "paper",
             "name": "known", "line": {"color": ink["soft"], "width": 1.3, "dash": "dash"}}
    label = {"x": day, "y": 1, "yref": "paper", "yanchor": "bottom", "text": t("known"),
             "showarrow": False, "hovertext": day, "font": {"size": 11, "color": ink["soft"]}}
    return [drawn], [label]  # fmt: skip
