"""How a sweep is drawn: colours that keep their sign, axes, bars, maps of cells.

Everything is plain SVG in the page itself: no library, the same bytes every time, a picture
without script, and on paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

__all__ = [
    "HATCH", "LEVELS", "Map", "Scale", "course_chart", "heat_map", "histogram", "key", "ticks",
    "whiskers",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Shades of gain, and as many of loss.
LEVELS = 12

#: The pattern of refused sets, once a page.
HATCH = (
    '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect width="6" height="6" class="bare"/>'
    '<path d="M0 0v6" class="stripe"/></pattern></defs></svg>\n'
)


@dataclass(frozen=True)
class Scale:
    """Colours of a range of values: blue for gain, orange for loss, the whole range covered.

    Where both signs are there, zero is in the middle and both sides have the same length.
    """

    low: float
    high: float

    @staticmethod
    def over(*values: FloatArray) -> Scale:
        """Return the scale of everything that is to be shown."""
        known = np.concatenate([np.asarray(v, dtype=float).ravel() for v in values])
        known = known[np.isfinite(known)]
        return Scale(float(known.min()), float(known.max())) if len(known) else Scale(0.0, 0.0)

    @property
    def signed(self) -> bool:
        """True where both gain and loss are there."""
        return self.low < 0.0 < self.high

    def levels(self, values: FloatArray) -> NDArray[np.int64]:
        """Return −12 … 12 for each value; zero is zero and NaN."""
        known = np.nan_to_num(np.asarray(values, dtype=float), nan=0.0)
        if self.signed:
            share = known / max(-self.low, self.high)
        elif self.high == self.low:
            share = np.sign(known) * 0.5
        elif self.high <= 0.0:
            share = -(self.high - known) / (self.high - self.low)
        else:
            share = (known - self.low) / (self.high - self.low)
        found = np.ceil(np.abs(share) * LEVELS - 1e-9).clip(0, LEVELS).astype(np.int64)
        # A value that has a sign shows it, however small it is.
        found = np.where(known != 0.0, np.maximum(found, 1), 0)
        negative = known < 0.0
        return np.where(negative, -found, found)


@dataclass(frozen=True, eq=False)
class Map:
    """Cells of a heat map.

    Attributes
    ----------
    cells : ndarray of shape (rows, columns)
        Values; the first row is drawn at the bottom. NaN is unknown.
    refused : bool ndarray
        Cells of which every set was refused.
    empty : bool ndarray
        Cells no set was looked at.
    x, y : sequence of str
        Labels of columns and rows.
    x_name, y_name : str
        Parameters.
    chosen : (int, int) or None
        Row and column of the chosen set.
    around : (int, int, int, int) or None
        First and last row, first and last column of its neighbourhood.
    holds : float
        Cells of the neighbourhood with at least so much get a dot; NaN for none.
    """

    cells: FloatArray
    refused: BoolArray
    empty: BoolArray
    x: Sequence[str]
    y: Sequence[str]
    x_name: str
    y_name: str
    chosen: tuple[int, int] | None = None
    around: tuple[int, int, int, int] | None = None
    holds: float = math.nan


def heat_map(
    what: Map, scale: Scale, write: Callable[[float], str], title: str, *, small: bool = False
) -> str:
    """Return a map as SVG with a line below it that reads out the cell pointed at.

    Parameters
    ----------
    what : Map
        The cells.
    scale : Scale
        Their colours.
    write : callable
        Turns a value into text.
    title : str
        What is shown, as text.
    small : bool
        One of many.
    """
    rows, columns = what.cells.shape
    width, height = (190, 140) if small else (380, 280)
    size = 12
    left = 14 + 7 * max((len(label) for label in _few(what.y, 7).values()), default=1)
    left = min(max(left, 34), 120) + size
    right, top, bottom = 12, 6, 40
    wide, tall = left + width + right, top + height + bottom
    parts = [
        (f'<svg x="{left}" y="{top}" width="{width}" height="{height}" class="cells"'
        f' viewBox="0 0 {columns} {rows}" preserveAspectRatio="none">'),
        *_paths(what, scale),
        _border(what.cells),
        "</svg>",
    ]
    across, up = width / columns, height / rows
    parts.append(f'<rect class="frame" x="{left}" y="{top}" width="{width}" height="{height}"/>')
    # Outside the stretched cells, so that the hatching is not stretched with them.
    for row, begin, end in _runs(what.refused & np.isnan(what.cells)):
        parts.append(f'<rect class="barred" x="{_n(left + begin * across)}"'
                     f' y="{_n(top + (rows - 1 - row) * up)}" width="{_n((end - begin) * across)}"'
                     f' height="{_n(up)}"/>')  # fmt: skip

    def box(first: int, last: int, begin: int, end: int, name: str) -> str:
        return (
            f'<rect class="{name}" x="{_n(left + begin * across)}"'
            f' y="{_n(top + (rows - 1 - last) * up)}" width="{_n((end - begin + 1) * across)}"'
            f' height="{_n((last - first + 1) * up)}"/>'
        )

    def middle(row: int, column: int) -> tuple[float, float]:
        return left + (column + 0.5) * across, top + (rows - 0.5 - row) * up

    written = not small and columns <= 8 and rows <= 12
    if written:
        longest = max((len(write(v)) for v in what.cells.ravel() if not math.isnan(v)), default=0)
        written = longest * 6.6 < across
    levels = scale.levels(what.cells)
    if written:
        for row in range(rows):
            for column in range(columns):
                if not math.isnan(what.cells[row, column]):
                    x, y = middle(row, column)
                    deep = " deep" if abs(levels[row, column]) > LEVELS / 2 else ""
                    parts.append(f'<text class="in{deep}" x="{_n(x)}" y="{_n(y + 4)}">'
                                 f"{write(what.cells[row, column])}</text>")  # fmt: skip
    if what.around is not None:
        first, last, begin, end = what.around
        parts += [box(*what.around, "halo"), box(*what.around, "around")]
        if not math.isnan(what.holds) and not written:
            for row in range(first, last + 1):
                for column in range(begin, end + 1):
                    if what.cells[row, column] >= what.holds and (row, column) != what.chosen:
                        x, y = middle(row, column)
                        parts.append(f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="2"/>')
    if what.chosen is not None:
        row, column = what.chosen
        parts += [box(row, row, column, column, name) for name in ("halo", "chosen")]
    for at, label in _few(what.x, 4 if small else 8).items():
        x = left + (at + 0.5) * across
        parts.append(f'<text class="t mid" x="{_n(x)}" y="{top + height + 14}">{escape(label)}'
                     "</text>")  # fmt: skip
    for at, label in _few(what.y, 5 if small else 9).items():
        y = top + (rows - 0.5 - at) * up + 4
        parts.append(f'<text class="t end" x="{left - 5}" y="{_n(y)}">{escape(label)}</text>')
    parts += _names(what.x_name, what.y_name, left, width, top, height, tall)
    data = _data(what, write)
    return (
        f'<figure class="map{" small" if small else ""}">'
        f"<figcaption>{escape(title)}</figcaption>"
        f'<svg class="pic" viewBox="0 0 {wide} {tall}" style="max-width:{wide}px" tabindex="0"'
        f' role="img" aria-label="{escape(title)}" {data}>'
        f'{"".join(parts)}</svg><output class="read">{_hint(what, write)}</output></figure>\n'
    )


def _hint(what: Map, write: Callable[[float], str]) -> str:
    if what.chosen is None:
        return "&nbsp;"
    row, column = what.chosen
    value = what.cells[row, column]
    said = "unknown" if math.isnan(value) else write(float(value))
    return str(escape(f"chosen: {what.x_name} {what.x[column]}, {what.y_name} {what.y[row]}: "
                      f"{said}"))  # fmt: skip


def _data(what: Map, write: Callable[[float], str]) -> str:
    """Return the attributes the read-out needs, rows split by ";" and cells by "|".

    A cell is its text, "" unknown, "!" refused, "." not looked at.
    """

    def cell(row: int, column: int) -> str:
        value = float(what.cells[row, column])
        if not math.isnan(value):
            return write(value)
        return "." if what.empty[row, column] else "!" if what.refused[row, column] else ""

    def plain(words: Sequence[str]) -> str:
        return str(escape("|".join(word.replace("|", "/").replace(";", ",") for word in words)))

    rows, columns = what.cells.shape
    cells = ";".join("|".join(cell(row, at) for at in range(columns)) for row in range(rows))
    return (
        f'data-x="{plain([what.x_name, *what.x])}" data-y="{plain([what.y_name, *what.y])}"'
        f' data-c="{escape(cells)}"'
    )


def _paths(what: Map, scale: Scale) -> list[str]:
    """Return one path a shade, runs of equal cells joined."""
    levels = scale.levels(what.cells)
    unknown = np.isnan(what.cells)
    names = np.where(levels > 0, levels, np.where(levels < 0, 100 - levels, 0))
    names = np.where(unknown, np.where(what.refused, 201, np.where(what.empty, 202, 200)), names)
    drawn: dict[int, list[str]] = {}
    rows = names.shape[0]
    for row, begin, end in _runs(names):
        drawn.setdefault(int(names[row, begin]), []).append(
            f"M{begin} {rows - 1 - row}h{end - begin}v1h-{end - begin}z"
        )
    found = []
    for name in sorted(drawn):
        style = {0: "zero", 200: "unknown", 201: "bare", 202: "empty"}.get(
            name, f"p{name}" if name <= LEVELS else f"n{name - 100}"
        )
        path = "".join(drawn[name])
        found.append(f'<path class="{style}" d="{path}"/>')
    return found


def _runs(cells: NDArray[Any]) -> Iterator[tuple[int, int, int]]:
    """Return row, first and last-but-one column of runs of equal cells; of a mask, of true ones."""
    for row, line in enumerate(cells):
        cuts = np.flatnonzero(line[1:] != line[:-1]) + 1
        edges = [0, *cuts.tolist(), len(line)]
        for begin, end in pairwise(edges):
            if cells.dtype != bool or line[begin]:
                yield row, begin, end


def _border(cells: FloatArray) -> str:
    """Return the line between gain and loss, so that it can be told without colours."""
    sign = np.where(np.isnan(cells), 0, np.where(cells < 0, -1, 1))
    rows = cells.shape[0]
    path = []
    beside = (sign[:, 1:] * sign[:, :-1]) < 0
    for row, column in np.argwhere(beside).tolist():
        path.append(f"M{column + 1} {rows - 1 - row}v1")
    above = (sign[1:] * sign[:-1]) < 0
    for row, column in np.argwhere(above).tolist():
        path.append(f"M{column} {rows - 1 - row}h1")
    return f'<path class="border" d="{"".join(path)}"/>' if path else ""


def key(scale: Scale, write: Callable[[float], str], *, barred: bool, empty: bool,
        unknown: bool, plateau: bool) -> str:  # fmt: skip
    """Return the legend of maps: the whole range of colours, and what the marks mean."""
    count = 2 * LEVELS + 1 if scale.signed else LEVELS
    if scale.signed:
        limit = max(-scale.low, scale.high)
        styles = [f"n{n}" for n in range(LEVELS, 0, -1)] + ["zero"]
        styles += [f"p{n}" for n in range(1, LEVELS + 1)]
        words = [(0, write(-limit)), (count / 2, "0"), (count, write(limit))]
        reach = f"values from {write(scale.low)} to {write(scale.high)}"
    else:
        letter = "n" if scale.high <= 0 and scale.low < 0 else "p"
        shades = range(LEVELS, 0, -1) if letter == "n" else range(1, LEVELS + 1)
        styles = [f"{letter}{n}" for n in shades]
        words = [(0, write(scale.low)), (count, write(scale.high))]
        reach = "all below zero 全为负值" if letter == "n" else "none below zero 无负值"
    step = 300 / count
    bars = "".join(
        f'<rect class="{style}" x="{_n(10 + n * step)}" y="2" width="{_n(step)}" height="14"/>'
        for n, style in enumerate(styles)
    )
    texts = "".join(
        f'<text class="t {("", "end")[at >= count] if at in (0, count) else "mid"}"'
        f' x="{_n(10 + at * step)}" y="31">{escape(word)}</text>'
        for at, word in words
    )
    swatches = [("chosen", "the chosen set 选定")]
    if plateau:
        swatches.append(("around", "its neighbourhood 邻域 (dots: at least 70 % of it)"))
    if scale.signed:
        swatches.append(("line", "between gain and loss 盈亏分界"))
    if barred:
        swatches.append(("barred", "refused 被拒"))
    if unknown:
        swatches.append(("unknown", "no value 无数值"))
    if empty:
        swatches.append(("empty", "not looked at: left out by --where or not drawn"))
    listed = "".join(
        f'<span><svg width="18" height="14" aria-hidden="true">{_swatch(style)}</svg>'
        f"{escape(word)}</span>"
        for style, word in swatches
    )
    return (
        f'<div class="key"><svg viewBox="0 0 320 36" width="320" height="36" role="img"'
        f' aria-label="colours: {escape(reach)}">{bars}{texts}</svg>'
        f'<span class="soft">{escape(reach)}</span>{listed}</div>\n'
    )


def _swatch(style: str) -> str:
    if style == "line":
        return '<path class="border" d="M1 7h16"/>'
    return f'<rect class="{style}" x="2" y="2" width="14" height="10"/>'


def _few(labels: Sequence[str], most: int) -> dict[int, str]:
    """Return so many labels, the last one always with them, none two too close together."""
    count = len(labels)
    longest = max((len(label.split(" to ")[0]) for label in labels), default=1)
    if longest > 8:
        most = max(2, most * 8 // longest)
    step = max(1, math.ceil(count / most))
    chosen = [at for at in range(0, count, step) if at <= count - 1 - 0.7 * step or at == 0]
    if count - 1 not in chosen:
        chosen.append(count - 1)
    # Of a bin its first value is written; of the last bin its last one.
    return {
        at: labels[at].split(" to ")[-1 if at == count - 1 and count > 1 else 0] for at in chosen
    }


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers inside a range."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _names(x: str, y: str, left: float, width: float, top: float, height: float,
           tall: float) -> list[str]:  # fmt: skip
    return [
        f'<text class="name mid" x="{_n(left + width / 2)}" y="{_n(tall - 6)}">{escape(x)}</text>',
        (f'<text class="name mid" transform="translate(11 {_n(top + height / 2)}) rotate(-90)">'
        f"{escape(y)}</text>"),
    ]


def histogram(
    edges: FloatArray,
    counts: NDArray[np.int64],
    title: str,
    x: str,
    *,
    marks: Sequence[tuple[float, str, str]] = (),
    write: Callable[[float], str],
    what: str = "sets",
) -> str:
    """Return bars of counts: those below zero in the colour of loss.

    Parameters
    ----------
    edges : ndarray of shape (n + 1,)
        Of the bars.
    counts : ndarray of shape (n,)
        Their heights.
    title, x : str
        Heading, and what runs along the bottom.
    marks : sequence of (value, label, style)
        Upright lines; a style of "best", "luck" or "zero".
    write : callable
        Turns a value of the bottom axis into text.
    what : str
        What is counted.
    """
    width, height, left, top = 640, 200, 72, 18 + 20 * len(marks)
    wide, tall = left + width + 14, top + height + 52
    low = min([float(edges[0]), *(mark[0] for mark in marks)])
    high = max([float(edges[-1]), *(mark[0] for mark in marks)])
    span = (high - low) or 1.0
    most = max(int(counts.max()), 1)

    def across(value: float) -> float:
        return left + (value - low) / span * width

    parts = []
    for tick in ticks(0, most, 4):
        y = top + height * (1 - tick / most)
        if tick == int(tick):
            parts.append(f'<path class="grid" d="M{left} {_n(y)}h{width}"/><text class="t end"'
                         f' x="{left - 6}" y="{_n(y + 4)}">{tick:,.0f}</text>')  # fmt: skip
    for begin, end, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(),
                                 strict=True):  # fmt: skip
        if not count:
            continue
        # Few are not none: a bar of one set can be seen.
        size = max(height * count / most, 2.0)
        style = "loss" if end <= 1e-12 or (begin + end) / 2 < 0 else "gain"
        parts.append(
            f'<rect class="{style}" x="{_n(across(begin))}" y="{_n(top + height - size)}"'
            f' width="{_n(max(across(end) - across(begin) - 0.6, 0.8))}" height="{_n(size)}">'
            f"<title>{escape(write(begin))} to {escape(write(end))}: {count:,} {escape(what)}"
            "</title></rect>"
        )
    parts.append(f'<path class="axis" d="M{left} {top + height}h{width}"/>')
    long = max(len(write(low)), len(write(high))) > 6
    for tick in ticks(low, high, 5 if long else 7):
        parts.append(f'<text class="t mid" x="{_n(across(tick))}" y="{top + height + 18}">'
                     f"{escape(write(tick))}</text>")  # fmt: skip
    for number, (value, label, style) in enumerate(marks):
        at = across(value)
        y = 16 + 20 * number
        turned = at > left + width * 0.55
        parts.append(f'<path class="mark {style}" d="M{_n(at)} {y + 3}V{top + height}"/>'
                     f'<text class="m {"end" if turned else ""}" x="{_n(at)}" y="{y}">'
                     f"{escape(label)}</text>")  # fmt: skip
    parts += _names(x, what, left, width, top, height, tall)
    return _figure(title, wide, tall, parts)


def whiskers(
    labels: Sequence[str],
    spread: FloatArray,
    line: FloatArray,
    barred: FloatArray,
    chosen: int,
    reach: tuple[float, float],
    title: str,
    x: str,
    y: str,
    write: Callable[[float], str],
    *,
    joined: bool,
    small: bool = False,
) -> str:
    """Return the spread of a metric by a parameter, and its course at the chosen set.

    Parameters
    ----------
    labels : sequence of n str
        Values of the parameter.
    spread : ndarray of shape (5, n)
        Least, lower quartile, median, upper quartile and most over all sets; NaN for none.
    line : ndarray of shape (n,)
        The metric with every other parameter as chosen; NaN where there is none.
    barred : ndarray of shape (n,)
        Share of the sets that were refused.
    chosen : int
        Place of the chosen set; −1 for none.
    reach : (float, float)
        Range of the upright axis: that of all sets.
    title, x, y : str
        Heading, parameter and metric.
    write : callable
        Turns a value of the metric into text.
    joined : bool
        True to join the points of `line`: the parameter is a number.
    small : bool
        One of many.
    """
    count = len(labels)
    width, height = (230, 130) if small else (380, 220)
    low, high = min(reach[0], 0.0), max(reach[1], 0.0)
    pad = (high - low) * 0.04 or 1.0
    low, high = low - pad, high + pad
    marks = ticks(low, high, 4 if small else 6)
    left = 28 + 8 * max(len(write(tick)) for tick in marks)
    top, foot = 8, 40
    wide, tall = left + width + 12, top + height + foot

    def up(value: float) -> float:
        return top + (high - value) / (high - low) * height

    parts = [
        f'<path class="{"axis" if tick == 0 else "grid"}" d="M{left} {_n(up(tick))}h{width}"/>'
        f'<text class="t end" x="{left - 6}" y="{_n(up(tick) + 4)}">{escape(write(tick))}</text>'
        for tick in marks
    ]
    step = width / count
    half = min(step * 0.34, 12)
    points = []
    for at in range(count):
        x0 = left + (at + 0.5) * step
        bar = []
        if not math.isnan(spread[2, at]):
            least, lower, middle, upper, most = spread[:, at].tolist()
            bar.append(f'<path class="whisker" d="M{_n(x0)} {_n(up(least))}V{_n(up(most))}"/>')
            bar.append(
                f'<rect class="half" x="{_n(x0 - half)}" y="{_n(up(upper))}" width="{_n(2 * half)}"'
                f' height="{_n(max(up(lower) - up(upper), 0.8))}"/>'
                f'<path class="middle" d="M{_n(x0 - half)} {_n(up(middle))}h{_n(2 * half)}"/>'
            )
            said = (f"{x} {labels[at]}: all sets {write(least)} to {write(most)},"
                    f" median {write(middle)}")  # fmt: skip
        else:
            said = f"{x} {labels[at]}: no set has a value"
        if barred[at] > 0:
            size = max(4.0, 14 * float(barred[at]))
            bar.append(f'<rect class="barred" x="{_n(x0 - half)}" y="{_n(top + height - size)}"'
                       f' width="{_n(2 * half)}" height="{_n(size)}"/>')  # fmt: skip
            said += f"; {barred[at]:.0%} refused"
        if not math.isnan(line[at]):
            said += f"; others as chosen {write(float(line[at]))}"
            points.append((at, x0, up(float(line[at]))))
        parts.append(f"<g><title>{escape(said)}</title>{''.join(bar)}</g>")
    if joined and len(points) > 1:
        path = "".join(
            ("L" if n and points[n - 1][0] == at - 1 else "M") + f"{_n(px)} {_n(py)}"
            for n, (at, px, py) in enumerate(points)
        )
        parts.append(f'<path class="course" d="{path}"/>')
    for at, px, py in points:
        style = "spot best" if at == chosen else "spot"
        radius = 5 if at == chosen else (3 if count <= 30 else 1.6)
        parts.append(f'<circle class="{style}" cx="{_n(px)}" cy="{_n(py)}" r="{radius}"/>')
    for at, label in _few(labels, 5 if small else 8).items():
        parts.append(f'<text class="t mid" x="{_n(left + (at + 0.5) * step)}"'
                     f' y="{top + height + 15}">{escape(label)}</text>')  # fmt: skip
    parts += _names(x, y, left, width, top, height, tall)
    return _figure(title, wide, tall, parts, small=small)


def _figure(title: str, wide: float, tall: float, parts: Sequence[str], *,
            small: bool = False) -> str:  # fmt: skip
    return (
        f'<figure class="map{" small" if small else ""}"><figcaption>{escape(title)}</figcaption>'
        f'<svg class="pic" viewBox="0 0 {_n(wide)} {_n(tall)}" style="max-width:{_n(wide)}px"'
        f' role="img" aria-label="{escape(title)}">{"".join(parts)}</svg></figure>\n'
    )


def course_chart(days: Sequence[str], values: FloatArray, title: str, y: str) -> str:
    """Return a line over sessions.

    Parameters
    ----------
    days : sequence of n str
        Sessions.
    values : ndarray of shape (n,)
        What is drawn.
    title, y : str
        Heading and unit.
    """
    width, height, left, top = 640, 220, 72, 12
    wide, tall = left + width + 14, top + height + 30
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    span = (high - low) or 1.0
    across = width / max(len(values) - 1, 1)

    def up(value: float) -> float:
        return top + (high - value) / span * height

    parts = [
        f'<path class="{"axis" if tick == 0 else "grid"}" d="M{left} {_n(up(tick))}h{width}"/>'
        f'<text class="t end" x="{left - 6}" y="{_n(up(tick) + 4)}">{tick:g}</text>'
        for tick in ticks(low, high)
    ]
    points = [f"{_n(left + n * across)} {_n(up(v))}" for n, v in enumerate(values.tolist())]
    parts.append(f'<path class="course" d="M{"L".join(points)}"/>')
    for at in sorted({0, len(days) // 2, len(days) - 1}):
        style = "" if at == 0 else ("end" if at == len(days) - 1 else "mid")
        parts.append(f'<text class="t {style}" x="{_n(left + at * across)}"'
                     f' y="{top + height + 18}">{escape(days[at])}</text>')  # fmt: skip
    parts.append(f'<text class="name mid" transform="translate(11 {_n(top + height / 2)})'
                 f' rotate(-90)">{escape(y)}</text>')  # fmt: skip
    return _figure(title, wide, tall, parts)
