"""What a claim was scored on, drawn: the numbers themselves, its levels, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.language import Language
from sibt.report.charts.drawing import TIME, days, figure, line
from sibt.report.charts.palette import palette
from sibt.report.claims.words import reading
from sibt.research.claims.score import ClaimScore, Scored

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["drawn"]

_COLOURS = ("blue", "orange", "pink", "sky", "gold", "green")
_DASHES = ("solid", "dash", "dot", "dashdot")


def drawn(scored: Scored, rows: Sequence[ClaimScore], t: Language) -> go.Figure | None:
    """Draw the scores of one claim; None where the tests looked at nothing over time.

    Every line is the very numbers a test looked at, broken where they pass to another contract.
    Levels stand from the first session that counts; two are a band. Dots mark the sessions that
    decided. Dashed are the day the report became known, and where the contracts of its delivery
    standard ended.

    Parameters
    ----------
    scored : Scored
        The report.
    rows : sequence of ClaimScore
        The scores of one claim.
    t : Language
        Language.
    """
    paths = _paths([row for row in rows if row.path is not None and row.path.notna().sum() > 1])
    if not paths:
        return None
    ink, unit = palette(t), t(paths[0].unit)
    data: list[dict[str, Any]] = []
    for number, row in enumerate(paths):
        colour = ink[_COLOURS[number % len(_COLOURS)]]
        x, y, codes = _broken(row)
        data.append(line(
            _name(row, paths, t), x, y, colour,
            f"%{{x}}<br>%{{y:,.6~g}} {unit}<br>%{{text}}<extra></extra>", text=codes,
            line={"dash": _DASHES[number % len(_DASHES)]},
        ))  # fmt: skip
    data += _decided(rows, t)
    first = min(path.index[0] for path in map(_path, paths))
    last = max(path.index[-1] for path in map(_path, paths))
    edge = last + (last - first) * 0.015  # so that a mark on the last session is whole
    shapes, words = _levels(paths, last, t)
    marks, said = _marks(scored, first, last, t)
    return figure(
        t, t("{claim}: what the test looked at", claim=rows[0].claim.id), data,
        simulated=scored.market.provenance.simulated,
        xaxis={**TIME, "range": [f"{first:%Y-%m-%d}", f"{edge:%Y-%m-%d}"]},
        yaxis={"title": {"text": unit}, "tickformat": ",~r", "zeroline": _signed(paths)},
        shapes=[*shapes, *marks], annotations=[*words, *said], hovermode="closest",
    )  # fmt: skip


def _path(row: ClaimScore) -> pd.Series[float]:
    assert row.path is not None
    return row.path


def _paths(rows: Sequence[ClaimScore]) -> list[ClaimScore]:
    """Return one score for each line there is to draw: of those that share it the longest."""
    found: list[ClaimScore] = []
    for row in sorted(rows, key=lambda row: -len(_path(row))):
        if not any(_part_of(row, other) for other in found):
            found.append(row)
    order = {id(row): number for number, row in enumerate(rows)}
    return sorted(found, key=lambda row: order[id(row)])


def _part_of(row: ClaimScore, other: ClaimScore) -> bool:
    own, longer = _path(row), _path(other)
    if row.unit != other.unit:
        return False
    shared = longer.reindex(own.index).to_numpy(float)
    return bool(np.array_equal(own.to_numpy(float), shared, equal_nan=True))


def _name(row: ClaimScore, paths: Sequence[ClaimScore], t: Language) -> str:
    """Return what a line is of: a price and how it was read, else what the test calls it."""
    on, own = row.reading.settings.get("on"), str(_path(row).name)
    if "windows" not in row.reading.settings or on is None:
        alone = [str(_path(one).name) for one in paths].count(own) == 1
        return t(own) if alone else t(row.horizon)
    names = {"dominant": t("dominant contract"),
             "adjusted": t("dominant contract, rolled without jumps")}
    if on == "held" and row.contracts is not None:
        on = str(row.contracts.dropna().iloc[-1])
    return t("{contract}, {price}", contract=names.get(on, on), price=t(own))


def _broken(row: ClaimScore) -> tuple[list[str], list[float], list[str]]:
    """Return days, values and contracts, with a gap where the contract changes."""
    path = _path(row)
    x, y = days(path.index), path.to_numpy(float).tolist()
    if row.contracts is None:
        return x, y, [""] * len(x)
    codes = [code if isinstance(code, str) else "" for code in row.contracts.reindex(path.index)]
    for n in range(len(codes) - 1, 0, -1):
        if codes[n] != codes[n - 1]:
            x, y, codes = [*x[:n], x[n], *x[n:]], [*y[:n], np.nan, *y[n:]], [*codes[:n], "",
                                                                            *codes[n:]]
    return x, y, codes


def _decided(rows: Sequence[ClaimScore], t: Language) -> list[dict[str, Any]]:
    """Return the marks of the sessions that decided: right and wrong, told apart by shape."""
    ink = palette(t)
    found = []
    for verdict, name, symbol, colour in (
        ("right", t("came right"), "circle-open", ink["blue"]),
        ("wrong", t("broken here"), "x", ink["red"]),
    ):
        told: dict[tuple[str, float], list[str]] = {}
        for row in rows:
            if row.verdict != verdict or row.decided_on is None or row.path is None:
                continue
            value = row.path.get(row.decided_on, np.nan)
            if not pd.isna(value):
                at = f"{row.decided_on:%Y-%m-%d}", float(value)
                told.setdefault(at, []).append(reading(row, t))
        if told:
            found.append({
                "type": "scatter", "mode": "markers", "name": name, "meta": {"kind": verdict},
                "x": [day for day, _ in told], "y": [value for _, value in told],
                "text": ["<br>".join(each) for each in told.values()],
                "marker": {"symbol": symbol, "size": 14 if verdict == "right" else 10,
                           "color": colour, "line": {"color": colour, "width": 2.5}},
                "hovertemplate": "%{x}<br>%{y:,.6~g}<br>%{text}<extra></extra>",
            })  # fmt: skip
    return found


def _levels(
    paths: Sequence[ClaimScore], last: pd.Timestamp, t: Language
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return levels from the first session that counts to the end of what is drawn, labelled."""
    ink = palette(t)
    sets = list(dict.fromkeys(tuple(row.lines) for row in paths if row.lines))
    if not sets:
        return [], []
    start = min((row.start for row in paths if row.start is not None), default=last)
    span = {"x0": f"{start:%Y-%m-%d}", "x1": f"{last:%Y-%m-%d}"}
    # Of readings that name different levels there is no one band.
    bands = _bands(sorted(value for _, value in sets[0])) if len(sets) == 1 else []
    shapes: list[dict[str, Any]] = [
        {"type": "rect", **span, "y0": low, "y1": high, "fillcolor": ink["green"],
         "opacity": 0.16 if number == 0 else 0.08, "layer": "below", "line": {"width": 0},
         "name": "band"}
        for number, (low, high) in enumerate(bands)
    ]  # fmt: skip
    levels = {value: name for each in sets for name, value in each}
    shapes += [{"type": "line", **span, "y0": value, "y1": value, "name": "level",
                "line": {"color": ink["green"], "width": 1.4, "dash": "dash"}}
               for value in levels]  # fmt: skip
    words = [
        {"x": span["x1"], "y": value, "xanchor": "right", "yanchor": "bottom", "showarrow": False,
         "text": t("{name} {value:,.6g}", name=name, value=value),
         "font": {"size": 11, "color": ink["soft"]}}
        for value, name in levels.items()
    ]  # fmt: skip
    return shapes, words


def _bands(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return pairs of edges, the innermost first: two edges are one band, four two."""
    if len(values) % 2:
        return []
    half = len(values) // 2
    return [(values[half - 1 - n], values[half + n]) for n in range(half)]


def _marks(
    scored: Scored, first: pd.Timestamp, last: pd.Timestamp, t: Language
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the lines of the report's day and of the end of its delivery standard."""
    ink = palette(t)
    report, end = scored.report, scored.standard_end
    late = report.date > first + (last - first) * 0.8  # its word would leave the chart
    told = [(report.date, t("report"), "known", "right" if late else "left")]
    if end is not None and end <= last:
        told.append((end, t("standard {standard} ended", standard=report.standard), "ended",
                     "right"))  # fmt: skip
    lines = [
        {"type": "line", "x0": f"{day:%Y-%m-%d}", "x1": f"{day:%Y-%m-%d}", "y0": 0, "y1": 1,
         "yref": "paper", "name": name, "line": {"color": ink["soft"], "width": 1.3,
                                                 "dash": "dash" if name == "known" else "dot"}}
        for day, _, name, _ in told
    ]  # fmt: skip
    words = [
        {"x": f"{day:%Y-%m-%d}", "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": anchor,
         "text": text, "showarrow": False, "hovertext": f"{day:%Y-%m-%d}",
         "font": {"size": 11, "color": ink["soft"]}}
        for day, text, _, anchor in told
    ]  # fmt: skip
    return lines, words


def _signed(paths: Sequence[ClaimScore]) -> bool:
    """Tell whether values lie on both sides of zero, so that its line says something."""
    values = np.concatenate([_path(row).to_numpy(float) for row in paths])
    return bool(np.nanmin(values) < 0 < np.nanmax(values))
