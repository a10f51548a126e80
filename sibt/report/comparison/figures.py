"""Figures of runs side by side: the best of each marked, and how far each is from the first."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup, escape

from sibt.language import BOTH, Language
from sibt.runs.comparison import FIGURES, FIRST, Comparison, Figure

__all__ = ["difference", "figures_table", "value"]

_FORMS = {"yuan": ",.2f", "price": ",.2f", "share": ".2%", "ratio": ".2f", "count": ",.0f"}

#: Gains and losses, which have a sign.
_SIGNED = (
    "hedged", "hedged_per_tonne", "physical", "net", "net_per_tonne", "net_per_unit",
    "total_return", "return_on_margin", "worst_day", "worst_day_hedged",
)  # fmt: skip

_UNKNOWN = "–"


def value(figure: Figure, number: float) -> str:
    """Return a figure as people read it; "–" where it is unknown."""
    if math.isnan(number):
        return _UNKNOWN
    return _written(number, _FORMS[figure.form], signed=figure.name in _SIGNED)


def difference(figure: Figure, number: float, t: Language) -> str:
    """Return a difference to the first run, with its sign; "=" for none, "" if unknown.

    Shares differ by percentage points.
    """
    if math.isnan(number):
        return ""
    share = figure.form == "share"
    text = _written(number * (100 if share else 1), _FORMS["ratio" if share else figure.form],
                    signed=True)  # fmt: skip
    if text[0] not in "+−":
        return "="
    return f"{text} {t('pp')}" if share else text


def figures_table(comparison: Comparison) -> str:
    """Return the table: a row a figure, a column a run, differences to the first below."""
    names = "".join(
        f'<th scope="col"><span class="key">{letter}</span>'
        f"<small>{escape(label)}</small>{_origin(comparison, letter)}</th>"
        for letter, label in comparison.labels.items()
    )
    rows = [_row(comparison, one) for one in FIGURES if one.name in comparison.figures.index]
    caption = BOTH(
        "Yuan where nothing else is said. Below each figure how far it is from {first}; ★ marks"
        " the best of those that can be compared, nothing where all are equal.",
        first=FIRST,
    )
    label = escape(BOTH("Figures side by side"))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="figures"><caption>{escape(caption)}</caption><thead><tr>'
        f'<th scope="col">{escape(BOTH("figure"))}</th>{names}</tr></thead>\n<tbody>'
        + "\n".join(rows) + "</tbody></table></div>\n"
    )  # fmt: skip


def _row(comparison: Comparison, one: Figure) -> str:
    better = {1: BOTH("more is better"), -1: BOTH("less is better"), 0: ""}[one.better]
    if one.name in ("max_drawdown_yuan", "max_drawdown", "drawdown_on_base", "worst_day",
                    "max_drawdown_hedged", "worst_day_hedged"):  # fmt: skip
        better = BOTH("nearer to zero is better")
    hint = f"<small>{escape(better)}</small>" if better else ""
    cells = [f'<th scope="row">{escape(BOTH(one.label))}{hint}</th>']
    groups = comparison.ranked(one.alike)
    figures: Any = comparison.figures
    differences: Any = comparison.differences
    for letter in comparison.letters:
        number = float(figures.at[one.name, letter])
        said = value(one, number)
        way = {"+": "up", "−": "down"}.get(said[:1], "") if one.name in _SIGNED else ""
        text = f'<span class="{way}">{said}</span>' if way else said
        best = bool(comparison.best.at[one.name, letter])
        if best:
            group = next(group for group in groups if letter in group)
            whose = ", ".join(group) if len(group) < len(comparison.letters) else ""
            word = BOTH("best of {letters}", letters=whose) if whose else BOTH("best")
            text = f'<span class="star" aria-hidden="true">★</span> {text}'
            text += f"<small>{escape(word)}</small>"
        if letter != FIRST:
            apart = difference(one, float(differences.at[one.name, letter]), BOTH)
            text += f"<small>{apart}</small>" if apart else ""
        mark = ' class="best"' if best else ""
        cells.append(f"<td{mark}>{text}</td>")
    return f'<tr data-figure="{one.name}">{"".join(cells)}</tr>'


def _origin(comparison: Comparison, letter: str) -> Markup:
    side = comparison.sides[comparison.letters.index(letter)]
    marks = (("LOOKS AHEAD", side.looks_ahead), ("SIMULATED", side.simulated))
    return Markup("".join(f'<small class="made-up">{word}</small>' for word, is_ in marks if is_))


def _written(number: float, form: str, *, signed: bool) -> str:
    text = format(number, form)
    if not text.strip("+-0.,%"):  # nothing is no loss: -0.00 comes of sums of floats
        text = text.lstrip("-")
    elif signed and text[0] != "-":
        text = f"+{text}"
    return text.replace("-", "−")
