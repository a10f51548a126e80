"""A finished sweep as arrays: what was swept, what came of each set, and which one is best."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.sweep.sweep import Sweep

__all__ = ["Axis", "Bins", "Outcome", "bins", "form_of", "metric_name", "outcome", "shown",
           "text_of"]  # fmt: skip

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Metrics as a reader knows them.
_NAMES = {
    "sharpe": "Sharpe ratio a year 年化夏普比率",
    "net": "net result 净损益, yuan 元",
    "hedged": "goods + futures 现货加期货, yuan 元",
    "effective_price": "effective price 实际价格, yuan/t 元/吨",
    "hedged_per_tonne": "goods + futures 现货加期货, yuan/t 元/吨",
    "variance_reduction": "variance reduction 方差降幅",
    "peak_cash": "peak cash 资金占用峰值, minus yuan 负值, 元",
    "total_return": "total return 总收益率",
    "return_on_margin": "return on peak margin 保证金收益率",
    "max_drawdown": "maximum drawdown 最大回撤",
}
_SHARES = ("total_return", "return_on_margin", "max_drawdown", "variance_reduction")
_PER_TONNE = ("effective_price", "hedged_per_tonne")


@dataclass(frozen=True)
class Axis:
    """One swept parameter: its values in order, "none" last, and the place the best set has.

    Attributes
    ----------
    name : str
        Parameter.
    labels : tuple of str
        Its values as text.
    none : bool
        True if the last value is "none".
    structural : bool
        Picks contracts, variants or days: without order.
    """

    name: str
    labels: tuple[str, ...]
    none: bool
    structural: bool


@dataclass(frozen=True, eq=False)
class Bins:
    """Values of an axis as a picture shows them.

    Attributes
    ----------
    labels : tuple of str
        One a bin.
    of : int64 ndarray
        The bin of each value of the axis.
    joined : bool
        True where a bin holds several values.
    """

    labels: tuple[str, ...]
    of: IntArray
    joined: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a sweep came to, one element a set.

    Attributes
    ----------
    sweep : Sweep
        Where it lies.
    metric : str
        What it is sorted by; more is better.
    values : float64 ndarray of shape (N,)
        The metric; NaN for a refused set and for one that has none.
    refused : bool ndarray of shape (N,)
        Sets that could not be booked.
    reasons : mapping of str to int
        Sets by the reason they were refused for, the most frequent first.
    instances : mapping of str to str
        Parameters of the first set of each reason.
    axes : tuple of Axis
        Structural ones first.
    places : dict of str to int64 ndarray of shape (N,)
        Place of each set on each axis.
    best : int
        Row of the best set.
    near : int64 ndarray
        Rows of its neighbours that were booked.
    """

    sweep: Sweep
    metric: str
    values: FloatArray
    refused: NDArray[np.bool_]
    reasons: dict[str, int]
    instances: dict[str, str]
    axes: tuple[Axis, ...]
    places: dict[str, IntArray]
    best: int
    near: IntArray

    @property
    def numeric(self) -> tuple[Axis, ...]:
        """Axes of numbers with at least two values."""
        return tuple(axis for axis in self.axes if not axis.structural and len(axis.labels) > 1)

    @property
    def structural(self) -> tuple[Axis, ...]:
        """Axes without order."""
        return tuple(axis for axis in self.axes if axis.structural)

    @property
    def value(self) -> float:
        """The best set's metric."""
        return float(self.values[self.best])

    def at(self, axis: Axis) -> int:
        """Return the best set's place on an axis."""
        return int(self.places[axis.name][self.best])

    def like_best(self, *free: Axis) -> NDArray[np.bool_]:
        """Return which sets differ from the best one in these axes alone."""
        names = {axis.name for axis in free}
        found = np.ones(len(self.values), dtype=bool)
        for axis in self.axes:
            if axis.name not in names:
                found &= self.places[axis.name] == self.at(axis)
        return found

    def structures(self) -> Iterator[tuple[tuple[int, ...], IntArray]]:
        """Return the rows of each structure: places on the structural axes, and the sets."""
        axes = self.structural
        code = np.zeros(len(self.values), dtype=np.int64)
        for axis in axes:
            code = code * len(axis.labels) + self.places[axis.name]
        order = np.argsort(code, kind="stable")
        found, first = np.unique(code[order], return_index=True)
        for whole, rows in zip(found.tolist(), np.split(order, first[1:]), strict=True):
            rest, places = whole, []
            for axis in reversed(axes):
                rest, place = divmod(rest, len(axis.labels))
                places.append(place)
            yield tuple(reversed(places)), rows


def outcome(sweep: Sweep) -> Outcome:
    """Read the columns the pictures need; the rest of the table stays on disk."""
    from pyarrow import parquet

    metric = str(sweep.manifest["metric"])
    names = list(sweep.manifest["grid"]["axes"])
    file = sweep.folder / "sets.parquet"
    table = parquet.read_table(file, columns=["set", *names, metric, "reason"],
                               read_dictionary=["reason"])  # fmt: skip
    axes, places = [], {}
    for name in names:
        column = table.column(name)
        structural = str(column.type) != "double"
        axis, places[name] = _axis(name, column.to_pandas(), structural)
        axes.append(axis)
    reasons = table.column("reason").to_pandas().astype("category")
    refused = (reasons != "").to_numpy(bool)
    counts = reasons[refused].value_counts()
    counts = counts[counts > 0]
    order = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    instances = {}
    for reason, _ in order[:100]:
        row = int(np.argmax((reasons == reason).to_numpy(bool)))
        instances[str(reason)] = ", ".join(
            f"{axis.name}={axis.labels[places[axis.name][row]]}" for axis in axes
        )
    values = table.column(metric).to_numpy().astype(np.float64)
    sets = table.column("set").to_numpy()
    best = int(np.flatnonzero(sets == sweep.evidence["best"]["set"])[0])
    plateau = sweep.evidence.get("plateau") or {}
    near = np.flatnonzero(np.isin(sets, np.array(plateau.get("neighbours", []), dtype=np.int64)))
    return Outcome(
        sweep, metric, np.where(refused, np.nan, values), refused,
        {str(reason): int(count) for reason, count in order}, instances,
        tuple(axes), places, best, near.astype(np.int64),
    )  # fmt: skip


def _axis(name: str, column: pd.Series[Any], structural: bool) -> tuple[Axis, IntArray]:
    if structural:
        codes, found = pd.factorize(column.astype(str), sort=True)
        return Axis(name, tuple(map(str, found)), False, True), codes.astype(np.int64)
    codes, numbers = pd.factorize(column.to_numpy(float), sort=True)
    labels = [text_of(number) for number in numbers]
    none = bool((codes < 0).any())
    if none:
        codes = np.where(codes < 0, len(labels), codes)
        labels.append("none")
    return Axis(name, tuple(labels), none, False), codes.astype(np.int64)


def bins(axis: Axis, most: int) -> Bins:
    """Return the values of an axis in at most so many bins; "none" has one of its own."""
    count = len(axis.labels)
    if count <= most:
        return Bins(axis.labels, np.arange(count, dtype=np.int64), joined=False)
    numbers = count - axis.none
    number = min(most - axis.none, numbers)
    of = np.arange(numbers, dtype=np.int64) * number // numbers
    first = np.searchsorted(of, np.arange(number))
    last = np.searchsorted(of, np.arange(number), side="right") - 1
    labels = [
        axis.labels[a] if a == b else f"{axis.labels[a]} to {axis.labels[b]}"
        for a, b in zip(first.tolist(), last.tolist(), strict=True)
    ]
    if axis.none:
        of, labels = np.append(of, number), [*labels, "none"]
    return Bins(tuple(labels), of, joined=True)


def metric_name(metric: str) -> str:
    """Return what a metric is called, in both languages."""
    return _NAMES.get(metric, metric.replace("_", " "))


def shown(metric: str, value: float | None, *, sign: bool = False) -> str:
    """Return a value of a metric as text; "–" where it is not known."""
    if value is None or math.isnan(value):
        return "–"
    form = form_of(metric)
    return format(value, ("+" if sign else "") + form).replace("-", "−")


def form_of(metric: str) -> str:
    """Return how a metric's values are written."""
    if metric in _SHARES:
        return ".1%"
    if metric in _PER_TONNE:
        return ",.1f"
    return ".2f" if metric == "sharpe" else ",.0f"


def text_of(value: Any) -> str:
    """Return a parameter's value as it is written after ``-p``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, float | np.floating):
        return f"{float(value) + 0.0:.10g}"  # no minus zero
    return str(value)


def words_of(values: Sequence[str], most: int = 8) -> str:
    """Return the first of a list, and how many more there are."""
    listed = ", ".join(values[:most])
    return listed if len(values) <= most else f"{listed} and {len(values) - most:,} more"
