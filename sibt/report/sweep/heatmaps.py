"""Heat maps of every pair of numbers, and small multiples of what cannot be averaged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from sibt.report.page import missing
from sibt.report.sweep.drawing import Map, Scale, heat_map, key, whiskers
from sibt.report.sweep.outcome import (
    Axis,
    Outcome,
    bins,
    metric_name,
    shown,
    words_of,
)
from sibt.report.sweep.slices import NOTHING, course, spread_of
from sibt.sweep.plateau import HOLDS

__all__ = ["heat_maps", "multiples"]

IntArray = NDArray[np.int64]

#: Values of an axis a map shows one by one, at most.
_MOST = 60

#: Cells of all maps of one part together: what keeps the page small.
_CELLS = 36_000

#: Panels of small multiples, at most.
_PANELS = 60

_MODES = {
    "best": "best over the others 最优",
    "mean": "mean over the others 平均",
    "chosen": "others as chosen 其他参数取选定值",
}


def heat_maps(found: Outcome) -> str:
    """Return a map for every pair of numeric parameters, three ways to look at each."""
    axes = found.numeric
    head = "<h2>Heat maps 参数热图: every pair of numbers</h2>\n"
    if len(axes) < 2:
        said = (
            "No number was swept, so there is no pair to map."
            if not axes
            else f"One number was swept ({axes[0].name}): a map needs two; see its slice below."
        )
        return head + missing(said)
    if np.isnan(found.values).all():
        return head + missing(NOTHING)
    pairs = list(combinations(axes, 2))
    modes = _modes(axes, _MODES, len(pairs))
    most = _cap(len(pairs) * len(modes))
    rows = np.flatnonzero(found.like_best(*axes))
    drawn = {mode: [_map(found, x, y, rows, mode, most) for x, y in pairs] for mode in modes}
    body = _switch(found, drawn, [f"{x.name} × {y.name}" for x, y in pairs], "pair")
    notes = ["Each cell is one set."] if len(modes) == 1 else [
        ("Each cell stands for all sets with these two values; the other numbers are taken at"
        " their best, on average, or as the chosen set has them.")
    ]
    if found.structural:
        held = ", ".join(f"{axis.name} = {axis.labels[found.at(axis)]}"
                         for axis in found.structural)  # fmt: skip
        notes.append(f"All of these are of the chosen structure ({held}); the others stand above"
                     " as small multiples.")  # fmt: skip
    notes += _joined(axes, most)
    return head + f"<p>{escape(' '.join(notes))}</p>\n" + body


def multiples(found: Outcome) -> str:
    """Return the structural parameters: pairs of them as maps, and one panel a structure."""
    axes = found.structural
    if not axes:
        return ""
    names = ", ".join(axis.name for axis in axes)
    parts = [(f"<h2>Structures 结构参数: {escape(names)}</h2>\n"
             "<p>Contracts, years and variants have no order: each has a panel of its own, all"
             " with the same scale.</p>\n")]  # fmt: skip
    if np.isnan(found.values).all():
        return parts[0] + missing(NOTHING)
    pairs = list(combinations(axes, 2))
    if pairs:
        modes = _modes(found.axes, ("best", "mean"), len(pairs))
        most = _cap(len(modes) * len(pairs))
        everything = np.arange(len(found.values))
        drawn = {
            mode: [_map(found, x, y, everything, mode, most) for x, y in pairs] for mode in modes
        }
        parts.append(_switch(found, drawn, [f"{x.name} × {y.name}" for x, y in pairs],
                             "structure"))
        parts += [f"<p class=soft>{escape(note)}</p>\n" for note in _joined(axes, most)]
    groups = list(found.structures())
    shown_ = groups
    if len(groups) > _PANELS:
        best = sorted(groups, key=lambda group: -_most(found.values[group[1]]))[:_PANELS]
        kept = {places for places, _ in best}
        shown_ = [group for group in groups if group[0] in kept]
        parts.append(
            f"<p>There are {len(groups):,} structures; the panels show the {_PANELS} whose best"
            " set is highest.</p>\n"
        )
    numbers = found.numeric
    if len(numbers) >= 2:
        parts.append(_panels(found, shown_, numbers))
    elif numbers:
        parts.append(_courses(found, shown_, numbers[0]))
    else:
        parts.append(missing("No number was swept beside them: each structure is one set, and the"
                             " table below holds them all."))  # fmt: skip
    return "".join(parts)


def _panels(
    found: Outcome, groups: Sequence[tuple[tuple[int, ...], IntArray]], axes: Sequence[Axis]
) -> str:
    """Return a map a structure, of as many pairs of numbers as there is room for."""
    pairs = sorted(combinations(axes, 2), key=lambda pair: -_weight(found, pair))
    kept = pairs[: max(1, _PANELS // max(len(groups), 1))]
    modes = _modes(axes, ("best", "mean"), len(groups) * len(kept))
    most = _cap(len(modes) * len(groups) * len(kept))
    drawn: dict[str, list[Map]] = {mode: [] for mode in modes}
    titles = []
    for pair in kept:
        for places, rows in groups:
            name = _structure(found, places)
            titles.append(name if len(kept) == 1 else f"{name}: {pair[0].name} × {pair[1].name}")
            for mode, maps in drawn.items():
                maps.append(_map(found, *pair, rows, mode, most))
    said = _joined(axes, most)
    if len(kept) < len(pairs):
        names = words_of([f"{x.name} × {y.name}" for x, y in kept])
        said.append(
            f"Of {len(pairs)} pairs of numbers the panels show {names}: there the mean"
            " varies most."
        )
    note = f"<p class=soft>{escape(' '.join(said))}</p>\n" if said else ""
    return note + _switch(found, drawn, titles, "panel")


def _courses(
    found: Outcome, groups: Sequence[tuple[tuple[int, ...], IntArray]], axis: Axis
) -> str:
    """Return one slice a structure, where a single number was swept."""
    grid = bins(axis, _MOST)
    reach = _reach(found)
    out = [(f"<p>Metric {escape(metric_name(found.metric))} against {escape(axis.name)}; the"
           " filled dot is the chosen set, hatched are refused sets.</p>\n"
           '<div class="pics">\n')]  # fmt: skip
    for places, rows in groups:
        place = found.places[axis.name][rows]
        spread, barred = spread_of(found.values[rows], found.refused[rows], grid.of[place],
                                   len(grid.labels))  # fmt: skip
        own = found.best in rows
        out.append(whiskers(
            grid.labels, spread, course(found.values[rows], grid.of[place], len(grid.labels)),
            barred, int(grid.of[found.at(axis)]) if own else -1, reach,
            _structure(found, places), axis.name, found.metric, partial(shown, found.metric),
            joined=True, small=True,
        ))  # fmt: skip
    return "".join(out) + "</div>\n"


def _structure(found: Outcome, places: tuple[int, ...]) -> str:
    return ", ".join(
        f"{axis.name} {axis.labels[place]}"
        for axis, place in zip(found.structural, places, strict=True)
    )


def _reach(found: Outcome) -> tuple[float, float]:
    known = found.values[~np.isnan(found.values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def _most(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else -math.inf


def _cap(maps: int) -> int:
    return max(8, min(_MOST, math.isqrt(_CELLS // max(maps, 1))))


def _joined(axes: Sequence[Axis], most: int) -> list[str]:
    long = [f"{axis.name} ({len(axis.labels):,})" for axis in axes if len(axis.labels) > most]
    if not long:
        return []
    return [(f"Axes of more than {most} values are drawn in {most} bins, each of values side by"
            f" side: {', '.join(long)}.")]  # fmt: skip


def _weight(found: Outcome, pair: tuple[Axis, Axis]) -> float:
    """Return how much the mean differs over the cells of a pair."""
    cells = _map(found, *pair, np.arange(len(found.values)), "mean", 24).cells
    known = cells[~np.isnan(cells)]
    return float(known.std()) if len(known) else 0.0


def _map(found: Outcome, x: Axis, y: Axis, rows: IntArray, mode: str, most: int) -> Map:
    """Return the cells of a pair of axes over some of the sets."""
    if mode == "chosen":
        rows = rows[found.like_best(x, y)[rows]]
    across, up = bins(x, most), bins(y, most)
    shape = (len(up.labels), len(across.labels))
    cell = up.of[found.places[y.name][rows]] * shape[1] + across.of[found.places[x.name][rows]]
    size = shape[0] * shape[1]
    values, refused = found.values[rows], found.refused[rows]
    known = ~np.isnan(values)
    looked = np.bincount(cell, minlength=size)
    barred = np.bincount(cell[refused], minlength=size)
    number = np.bincount(cell[known], minlength=size)
    if mode == "mean":
        total = np.bincount(cell[known], weights=values[known], minlength=size)
        cells = np.divide(total, number, out=np.full(size, np.nan), where=number > 0)
    else:
        cells = np.full(size, -np.inf)
        np.maximum.at(cells, cell[known], values[known])
        cells[number == 0] = np.nan
    inside = bool(np.isin(found.best, rows))
    chosen = around = None
    if inside:
        chosen = (int(up.of[found.at(y)]), int(across.of[found.at(x)]))
        if len(found.near) and not (x.structural or y.structural):
            near = np.append(found.near, found.best)
            high, wide = up.of[found.places[y.name][near]], across.of[found.places[x.name][near]]
            around = (int(high.min()), int(high.max()), int(wide.min()), int(wide.max()))
    return Map(
        cells.reshape(shape), ((barred == looked) & (looked > 0)).reshape(shape),
        (looked == 0).reshape(shape), across.labels, up.labels, x.name, y.name, chosen, around,
        HOLDS * found.value if found.value > 0 else math.nan,
    )  # fmt: skip


def _modes(axes: Sequence[Axis], modes: Iterable[str], maps: int) -> tuple[str, ...]:
    """Return the ways to look that differ: one where each cell is one set."""
    if len(axes) == 2 and all(len(axis.labels) <= _cap(maps) for axis in axes):
        return ("best",)
    return tuple(modes)


def _switch(
    found: Outcome,
    drawn: Mapping[str, Sequence[Map]],
    titles: Sequence[str],
    name: str,
) -> str:
    """Return the maps of every way to look, one of which shows, under one scale and legend."""
    maps = [each for many in drawn.values() for each in many]
    scale = Scale.over(*(each.cells for each in maps))
    write = partial(shown, found.metric)
    legend = key(
        scale, write,
        barred=any(each.refused.any() for each in maps),
        empty=any(each.empty.any() for each in maps),
        unknown=any((np.isnan(m.cells) & ~m.refused & ~m.empty).any() for m in maps),
        plateau=any(each.around is not None for each in maps),
    )  # fmt: skip
    out = [f'<fieldset class="modes"><legend>{escape(metric_name(found.metric))}</legend>']
    for number, mode in enumerate(drawn):
        if len(drawn) == 1:  # there is nothing to switch
            out.append('<input type="radio" checked hidden>')
            break
        tick = " checked" if number == 0 else ""
        out.append(f'<input type="radio" name="{name}" id="{name}-{mode}"{tick}>'
                   f'<label for="{name}-{mode}">{_MODES[mode]}</label>')  # fmt: skip
    for many in drawn.values():
        out.append(f'<div class="mode">{legend}<div class="pics">\n')
        for each, title in zip(many, titles, strict=True):
            out.append(heat_map(each, scale, write, title, small=name == "panel"))
        out.append("</div></div>")
    return "".join(out) + "</fieldset>\n"
