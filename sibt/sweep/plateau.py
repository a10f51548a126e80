"""Whether the best set stands on a plateau or on a peak of its own.

Pardo (2008), The Evaluation and Optimization of Trading Strategies: a sound parameter set has
neighbours that are nearly as good.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Plateau", "plateau"]

BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

#: A neighbour holds where it keeps this share of the chosen set.
HOLDS = 0.7


@dataclass(frozen=True)
class Plateau:
    """The neighbourhood of one set on its grid: every number one step down, the same, or one up.

    Attributes
    ----------
    chosen : int
        Row of the set the neighbourhood is of.
    value : float
        Its metric.
    median : float
        Of the metric over the neighbourhood, the set itself included, refused and missing
        neighbours left out.
    keeps : float
        `median` as a share of `value`; NaN where `value` is not positive.
    holding : float
        Share of the neighbours with at least 0.7 of `value`, refused ones left out; NaN where
        `value` is not positive or no neighbour is there.
    neighbours : ndarray of int64
        Rows of the neighbours that were run, ascending.
    refused : int
        Neighbours that break a rule of the strategy.
    edge : int
        Neighbours that would lie beyond the grid.
    absent : int
        Neighbours on the grid that are no rows of the table (not sampled, or left out).
    axes : tuple of str
        Parameters that have neighbours: numbers with at least two values on the grid.
    """

    chosen: int
    value: float
    median: float
    keeps: float
    holding: float
    neighbours: IndexArray
    refused: int
    edge: int
    absent: int
    axes: tuple[str, ...]


def plateau(
    numbers: Mapping[str, ArrayLike],
    metric: ArrayLike,
    *,
    structural: Mapping[str, Sequence[object] | NDArray[np.object_]] | None = None,
    refused: ArrayLike | None = None,
    grid: Mapping[str, ArrayLike] | None = None,
    chosen: int | None = None,
) -> Plateau | None:
    """Return how the neighbours of the best set do.

    Only rows of the table are looked at; the grid is not laid out.

    Parameters
    ----------
    numbers : mapping of str to array of shape (N,)
        Numeric parameters of every set. NaN ("none") is a value of its own, one step beyond the
        largest number.
    metric : array of shape (N,)
        The higher the better. NaN of a set that was not refused (it never traded) counts as zero.
    structural : mapping of str to array of shape (N,), optional
        Parameters without order (contract, year, variant): neighbours have the same.
    refused : array of bool of shape (N,), optional
        Sets that break a rule and were not run. None of them unless said.
    grid : mapping of str to array, optional
        Values a number may take, where the table (a sample) need not hold them all.
    chosen : int, optional
        The row to look around; the best row, the first of equals, unless said.

    Returns
    -------
    Plateau or None
        None where no set was run that has a metric.

    Raises
    ------
    ValueError
        If lengths differ, a value is not on its grid, a set is there twice, or the chosen row
        was refused.
    """
    values = np.asarray(metric, dtype=np.float64)
    count = len(values)
    barred = np.zeros(count, dtype=bool) if refused is None else np.asarray(refused, dtype=bool)
    known = ~barred & ~np.isnan(values)
    if chosen is None:
        if not known.any():
            return None
        chosen = int(np.argmax(np.where(known, values, -np.inf)))
    elif barred[chosen]:
        raise ValueError(f"set {chosen} was refused; it has no plateau")
    values = np.where(np.isnan(values), 0.0, values)

    near = _same(structural or {}, chosen, count)
    steps: list[IndexArray] = []
    widths: list[int] = []
    axes = []
    for name, column in numbers.items():
        codes, size = _codes(name, column, count, None if grid is None else grid.get(name))
        if size < 2:
            continue
        axes.append(name)
        near &= np.abs(codes - codes[chosen]) <= 1
        steps.append(codes)
        widths.append(1 + int(codes[chosen] > 0) + int(codes[chosen] < size - 1))
    rows = np.flatnonzero(near)
    places = sorted(tuple(int(codes[row]) for codes in steps) for row in rows)
    if any(one == two for one, two in pairwise(places)):
        raise ValueError("a set is in the table more than once")

    rows = rows[rows != chosen]
    run = rows[~barred[rows]].astype(np.int64)
    cells = math.prod(widths)
    value = float(values[chosen])
    median = float(np.median(values[np.append(run, chosen)]))
    positive = value > 0.0
    return Plateau(
        chosen=chosen,
        value=value,
        median=median,
        keeps=median / value if positive else math.nan,
        holding=float(np.mean(values[run] >= HOLDS * value)) if positive and len(run) else math.nan,
        neighbours=run,
        refused=len(rows) - len(run),
        edge=3 ** len(axes) - cells,
        absent=cells - 1 - len(rows),
        axes=tuple(axes),
    )


def _same(
    structural: Mapping[str, Sequence[object] | NDArray[np.object_]], chosen: int, count: int
) -> BoolArray:
    """Return which rows have the chosen row's structural parameters."""
    near = np.ones(count, dtype=bool)

    def same(one: object, two: object) -> bool:
        # NaN, which a table may hold for "none", is the same as itself here.
        blank = isinstance(one, float) and math.isnan(one)
        return (isinstance(two, float) and math.isnan(two)) if blank else one == two

    for name, column in structural.items():
        cells = np.asarray(column, dtype=object)
        if len(cells) != count:
            raise ValueError(f"parameter '{name}' has {len(cells)} values for {count} sets")
        near &= np.array([same(cells[chosen], cell) for cell in cells.tolist()], dtype=bool)
    return near


def _codes(
    name: str, column: ArrayLike, count: int, values: ArrayLike | None
) -> tuple[IndexArray, int]:
    """Return the place of each value on its axis, and how many places the axis has."""
    cells = np.asarray(column, dtype=np.float64)
    if len(cells) != count:
        raise ValueError(f"parameter '{name}' has {len(cells)} values for {count} sets")
    axis = np.unique(cells if values is None else np.asarray(values, dtype=np.float64))
    none = bool(len(axis)) and bool(np.isnan(axis[-1]))
    figures = axis[:-1] if none else axis
    # NaN sorts behind every number.
    codes = np.searchsorted(figures, cells).astype(np.int64)
    if values is not None:
        blank = np.isnan(cells)
        codes = np.where(blank, len(figures), _nearest(figures, cells, codes))
        found = np.append(figures, np.nan)[codes]
        close = np.isclose(found, cells, rtol=1e-9, atol=1e-12) | (blank & none)
        if not close.all():
            raise ValueError(f"{cells[~close][0]} is not on the grid of parameter '{name}'")
    return codes, len(axis)


def _nearest(
    figures: NDArray[np.float64], cells: NDArray[np.float64], codes: IndexArray
) -> IndexArray:
    """Return the place of the number nearest to each cell, given where it would be put in."""
    if not len(figures):
        return np.zeros_like(codes)
    upper = np.minimum(codes, len(figures) - 1)
    lower = np.maximum(upper - 1, 0)
    down = np.abs(figures[lower] - cells) < np.abs(figures[upper] - cells)
    return np.where(down, lower, upper)
