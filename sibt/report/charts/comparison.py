"""Runs over each other: equity and drawdown on one capital, yuan per unit, round trips in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from sibt.language import EN, Language
from sibt.report.charts.drawing import TIME, days, line
from sibt.report.charts.palette import palette
from sibt.runs.comparison import Comparison

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["colours", "equity", "gained", "round_trips"]

#: Colours a colour-blind reader tells apart, then the same ones dashed, then dotted.
_COLOURS = ("blue", "orange", "green", "pink", "red", "sky", "gold")
_DASHES = ("solid", "dash", "dot")

#: With more runs one hovers over a line, not over a day: the box would cover the chart.
_MANY = 6

#: Letters of a run's name in a legend, which has room for so many on a telephone.
_NAME = 42

#: With more round trips no result fits into its bar.
_CROWDED = 40

#: What `gained` draws: its title and the unit of its axis.
_PER = {
    "unit": ("Result per unit of the largest position", "yuan per unit"),
    "tonne": ("Result per tonne of the largest position", "yuan/t"),
    "goods": ("Goods and futures together", "yuan"),
}


def colours(comparison: Comparison, t: Language = EN) -> dict[str, dict[str, Any]]:
    """Return the line of each run by letter: a ``color`` and a ``dash`` no other run has."""
    ink = palette(t)
    return {
        letter: {
            "color": ink[_COLOURS[n % len(_COLOURS)]],
            "dash": _DASHES[n // len(_COLOURS)],
            # Lines that lie on the first one's leave some of it to be seen.
            "width": 1.7 if n else 3.0,
        }
        for n, letter in enumerate(comparison.letters)
    }


def equity(comparison: Comparison, t: Language = EN) -> go.Figure:
    """Draw what each run made of one and the same capital, and below it the drawdown.

    The capital is the largest of any run; lots are not scaled to it. A click in the legend
    takes a run out of both.
    """
    money, falls = comparison.equity, comparison.drawdowns
    lines = colours(comparison, t)
    data = []
    for letter in comparison.letters:
        data.append(_line(
            comparison, letter, money[letter], f"%{{y:,.0f}} {t('yuan')}",
            line=lines[letter], legendgroup=letter,
        ))  # fmt: skip
    for letter in comparison.letters:
        data.append(_line(
            comparison, letter, falls[letter], "%{y:.2%}",
            yaxis="y2", showlegend=False, legendgroup=letter,
            line={**lines[letter], "width": 0.7 * lines[letter]["width"]},
        ))  # fmt: skip
    base = comparison.base
    start = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": base, "y1": base,
             "line": {"color": palette(t)["faint"], "width": 1}}  # fmt: skip
    title = t("Equity and drawdown on one capital of {base:,.0f} yuan", base=base)
    return _over_time(
        comparison, t, title, data, shapes=[start], xaxis={"anchor": "y2"},
        yaxis={"domain": [0.38, 1], "title": {"text": t("yuan")}, "tickformat": ",.0f"},
        yaxis2={"domain": [0, 0.3], "title": {"text": t("below its highest")}, "tickformat": ".1%",
                "nticks": 5},
    )  # fmt: skip


def gained(comparison: Comparison, per: str, t: Language = EN) -> go.Figure:
    """Draw what each run had gained by each session.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    per : {"unit", "tonne", "goods"}
        Yuan per unit or per tonne of the largest position, or yuan of goods and futures
        together, of runs that own goods.
    t : Language
        Language.
    """
    title, unit = _PER[per]
    table, lines = comparison.gained(per), colours(comparison, t)
    known = [letter for letter in comparison.letters if letter in table]
    data = [
        _line(
            comparison, letter, table[letter], f"%{{y:+,.2f}} {t(unit)}", line=lines[letter],
        )
        for letter in known if table[letter].notna().any()
    ]  # fmt: skip
    return _over_time(
        comparison, t, t(title), data,
        yaxis={"title": {"text": t(unit)}, "tickformat": ",.0f", "zeroline": True},
    )  # fmt: skip


def round_trips(comparison: Comparison, t: Language = EN) -> go.Figure:
    """Draw every round trip as a bar from entry to exit, a row a run, gains apart from losses.

    A trip that is still open has a hatched bar that ends with the last session.
    """
    ink, trips = palette(t), comparison.round_trips
    sides = dict(zip(comparison.letters, comparison.sides, strict=True))
    ends = trips["exit"].where(
        trips["exit"].notna(),
        pd.to_datetime(trips["run"].map(lambda letter: sides[letter].statement.index[-1])),
    )
    data = []
    for name, colour, mask in (
        ("gain", ink["up"], trips["net"] >= 0), ("loss", ink["down"], trips["net"] < 0)
    ):  # fmt: skip
        own = trips[mask]
        # To the end of the exit's day, so that a trip of one session has a bar too.
        wide = [int(length.days + 1) * 86_400_000 for length in ends[mask] - own["entry"]]
        crowded = len(trips) > _CROWDED
        data.append({
            "type": "bar", "orientation": "h", "name": t(name), "y": own["run"].tolist(),
            "base": days(pd.DatetimeIndex(own["entry"])), "x": wide,
            "width": 0.62,
            "marker": {
                "color": colour, "line": {"width": 1, "color": ink["paper"]},
                "pattern": {"shape": ["/" if open_ else "" for open_ in own["exit"].isna()]},
            },
            "text": None if crowded else [_signed(value) for value in own["net"]],
            "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
            "constraintext": "both", "textfont": {"color": ink["paper"]},
            "customdata": [
                [comparison.labels[row.run], f"{row.entry:%Y-%m-%d}",
                 t("still open") if pd.isna(row.exit) else f"{row.exit:%Y-%m-%d}",
                 _signed(row.units), _signed(row.net), _signed(row.worst), _signed(row.best)]
                for row in cast(Any, own.itertuples())
            ],
            "hovertemplate": (
                "<b>%{y} · %{customdata[0]}</b><br>%{customdata[1]} – %{customdata[2]}<br>"
                f"{t('units')} %{{customdata[3]}}<br>{t('net')} %{{customdata[4]}} {t('yuan')}<br>"
                f"{t('worst point')} %{{customdata[5]}}, {t('best point')} %{{customdata[6]}}"
                "<extra></extra>"
            ),
        })  # fmt: skip
    return _over_time(
        comparison, t, t("Round trips from entry to exit"), data, hovermode="closest",
        barmode="overlay",
        yaxis={"type": "category", "categoryorder": "array", "fixedrange": True,
               "categoryarray": comparison.letters[::-1], "title": {"text": ""},
               "range": [-0.6, len(comparison.letters) - 0.4]},
    )  # fmt: skip


def _over_time(
    comparison: Comparison,
    t: Language,
    title: str,
    data: Sequence[Mapping[str, Any]],
    *,
    xaxis: Mapping[str, Any] | None = None,
    shapes: Sequence[Mapping[str, Any]] = (),
    **layout: Any,
) -> go.Figure:
    import plotly.graph_objects as go

    ink = palette(t)
    lines, words = _known(comparison, t)
    axis = {"gridcolor": ink["grid"], "linecolor": ink["line"], "zerolinecolor": ink["faint"],
            "automargin": True}  # fmt: skip
    axes = {"xaxis": {**TIME, "range": _range(comparison), **(xaxis or {})},
            **{name: value for name, value in layout.items() if name.startswith("yaxis")}}
    rest = {name: value for name, value in layout.items() if name not in axes}
    many = len(comparison.sides) > _MANY
    return go.Figure({
        "data": list(data),
        "layout": {
            "template": "none",
            "title": {"text": f"SIMULATED · {title}" if comparison.simulated else title,
                      "x": 0.01, "xanchor": "left"},
            "font": {"color": ink["ink"]},
            "paper_bgcolor": ink["paper"],
            "plot_bgcolor": ink["paper"],
            "hovermode": "closest" if many else "x unified",
            "hoversubplots": "axis",
            "hoverlabel": {"align": "left", "namelength": -1},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yanchor": "bottom",
                       "yref": "container"},
            "showlegend": True,
            "shapes": [*shapes, *lines],
            "annotations": words,
            **rest,
            **{name: {**axis, **value} for name, value in axes.items()},
        },
    })  # fmt: skip


def _line(
    comparison: Comparison,
    letter: str,
    values: pd.Series[float],
    hover: str,
    **more: Any,
) -> dict[str, Any]:
    """Return a run's line over its own sessions."""
    name = f"{letter} · {comparison.labels[letter]}"
    if len(name) > _NAME:
        name = f"{name[: _NAME - 1].rstrip()}…"
    side = comparison.sides[comparison.letters.index(letter)]
    own = values.reindex(side.counted)
    if len(comparison.sides) > _MANY:
        # Days on which nothing moved are not drawn point by point: pages of many runs stay small.
        still = own.eq(own.shift(1)) & own.eq(own.shift(-1))
        own = own[~still]
        hover = f"%{{x|%Y-%m-%d}}<br>{hover}"
    return line(name, days(pd.DatetimeIndex(own.index)), own.round(6), "", hover, **more)


def _range(comparison: Comparison) -> list[str]:
    """Return the first and last day worth looking at."""
    spans = [side.span for side in comparison.sides if side.span is not None]
    counted = [side.counted for side in comparison.sides if len(side.counted)]
    starts = [days[0] for days in counted] or [side.statement.index[0] for side in comparison.sides]
    ends = [last for _, last in spans] or [side.statement.index[-1] for side in comparison.sides]
    first, last = min(starts), max(*ends, *starts)
    around = max((last - first) / 10, pd.Timedelta(days=10))
    return [f"{first - around:%Y-%m-%d}", f"{last + around:%Y-%m-%d}"]


def _known(
    comparison: Comparison, t: Language
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a line at each day an idea became known, and its label."""
    ideas: dict[str, list[str]] = {}
    for letter, side in zip(comparison.letters, comparison.sides, strict=True):
        said, sessions = side.known_from, side.statement.index
        if said is not None and sessions[0] <= pd.Timestamp(said) <= sessions[-1]:
            ideas.setdefault(f"{pd.Timestamp(said):%Y-%m-%d}", []).append(letter)
    soft = palette(t)["soft"]
    lines: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    for n, (day, letters) in enumerate(sorted(ideas.items())):
        # Labels of days that lie close together stand to both sides.
        ends = {0: "right", len(ideas) - 1: "left"} if len(ideas) > 1 else {}
        lines.append({
            "type": "line", "x0": day, "x1": day, "y0": 0, "y1": 1, "yref": "paper",
            "name": "known", "line": {"color": soft, "width": 1.3, "dash": "dash"},
        })  # fmt: skip
        whose = "" if len(letters) == len(comparison.letters) else f" {','.join(letters)}"
        words.append({
            "x": day, "y": 1, "yref": "paper", "yanchor": "bottom", "text": t("known") + whose,
            "xanchor": ends.get(n, "center"), "showarrow": False, "hovertext": day,
            "font": {"size": 11, "color": soft},
        })  # fmt: skip
    return lines, words


def _signed(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−")
