"""The grid of a sweep: which parameter sets there are, never laid out whole."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibt.errors import SettingError, StrategyError, did_you_mean
from sibt.strategy.strategy import Param, Strategy

__all__ = ["CHUNK", "Axis", "Block", "Grid", "grid", "written"]

#: Sets booked in one go. Results do not depend on it, evidence is summed chunk by chunk.
CHUNK = 2000

_RANGE = re.compile(r"([^:,]+):([^:,]+):([^:,]+)")

#: More values than this on one axis are a slip of the pen.
_LONGEST = 1_000_000

#: More sets than this are looked at by nobody; a grid of more than the second has no numbers.
_MOST, _MOST_DRAWN_FROM = 10**9, 2**62


@dataclass(frozen=True)
class Axis:
    """One swept parameter.

    Attributes
    ----------
    name : str
        Parameter.
    values : tuple
        Its values in order, NaN for none.
    structural : bool
        Picks contracts, variants or days: looped over, never broadcast.
    """

    name: str
    values: tuple[Any, ...]
    structural: bool


@dataclass(frozen=True)
class Block:
    """Sets that share their structural parameters, booked in one go.

    Attributes
    ----------
    number : int
        Place among all blocks of the sweep.
    fixed : mapping
        Parameters every set of the block has alike.
    sets : int64 ndarray of shape (N,)
        Numbers of the sets.
    rows : mapping of str to ndarray of shape (N,)
        Parameters that differ.
    """

    number: int
    fixed: Mapping[str, Any]
    sets: NDArray[np.int64]
    rows: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Grid:
    """All parameter sets of a sweep.

    A set is a number: structural axes turn slowest, so that sets of one structure lie side by
    side, then numeric axes in the order they were named, the last one fastest.

    Attributes
    ----------
    axes : tuple of Axis
        Structural ones first.
    fixed : mapping
        Parameters that are not swept.
    where : str or None
        Condition a set must meet, over the parameters.
    sample, seed : int or None, int
        So many sets drawn at random, and the seed they are drawn with.
    chunk : int
        Sets of a block at most.
    """

    axes: tuple[Axis, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    where: str | None = None
    sample: int | None = None
    seed: int = 0
    chunk: int = CHUNK

    @property
    def size(self) -> int:
        """Sets of the whole grid."""
        return math.prod(len(axis.values) for axis in self.axes)

    @property
    def count(self) -> int:
        """Sets to look at: the grid's, or the sample's; `where` may leave out some of them."""
        return self.size if self.sample is None else min(self.sample, self.size)

    @property
    def structural(self) -> tuple[Axis, ...]:
        """The axes that pick contracts, variants or days."""
        return tuple(axis for axis in self.axes if axis.structural)

    @property
    def numeric(self) -> tuple[Axis, ...]:
        """The axes of numbers."""
        return tuple(axis for axis in self.axes if not axis.structural)

    def places(self, sets: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return the place of sets on each axis, shape (N,) each."""
        found = {}
        rest = np.asarray(sets, dtype=np.int64)
        for axis in reversed(self.axes):
            rest, found[axis.name] = np.divmod(rest, len(axis.values))
        return {axis.name: found[axis.name] for axis in self.axes}

    def values(self, sets: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the swept parameters of sets, shape (N,) each."""
        places = self.places(sets)
        return {
            axis.name: np.array(axis.values, dtype=object if axis.structural else float)[
                places[axis.name]
            ]
            for axis in self.axes
        }

    def blocks(self) -> Iterator[Block]:
        """Return the sets in blocks of at most `chunk`, none across two structures."""
        return (self.block(number) for number in range(self.block_count()))

    def block_count(self) -> int:
        """Return how many blocks there are."""
        return len(self._cuts)

    def block(self, number: int) -> Block:
        """Return one block by its number; `where` has been applied."""
        first, last = self._cuts[number]
        sets = np.arange(first, last, dtype=np.int64)
        return self._block(number, sets if self.drawn is None else self.drawn[first:last])

    @cached_property
    def drawn(self) -> NDArray[np.int64] | None:
        """Set numbers of the sample, in order; None for all."""
        if self.sample is None or self.sample >= self.size:
            return None
        generator = np.random.default_rng(self.seed)
        if self.size <= 10_000_000:
            return np.sort(generator.permutation(self.size)[: self.count]).astype(np.int64)
        found = np.zeros(0, dtype=np.int64)
        while len(found) < self.count:  # far fewer than there are: repeats are rare
            found = np.unique(np.append(found, generator.integers(0, self.size, 2 * self.count)))
        return np.sort(generator.permutation(found)[: self.count])

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        """Begin and end of each block among the sets, or among those drawn."""
        inner = math.prod(len(axis.values) for axis in self.numeric)
        edges = np.arange(0, self.size + 1, inner, dtype=np.int64)
        if self.drawn is not None:
            edges = np.searchsorted(self.drawn, edges)
        return [
            (at, min(at + self.chunk, int(last)))
            for first, last in pairwise(edges)
            for at in range(int(first), int(last), self.chunk)
        ]

    def _block(self, number: int, sets: NDArray[np.int64]) -> Block:
        rows = self.values(sets)
        fixed = dict(self.fixed)
        fixed |= {axis.name: rows.pop(axis.name)[0] for axis in self.structural}
        if self.where is not None:
            meets = _meets(self.where, fixed, rows, len(sets))
            sets, rows = sets[meets], {name: column[meets] for name, column in rows.items()}
        return Block(number, fixed, sets, rows)

    def describe(self) -> dict[str, Any]:
        """Return the grid as it stands in a manifest."""
        return {
            "axes": {axis.name: [written(value) for value in axis.values] for axis in self.axes},
            "fixed": {name: written(value) for name, value in self.fixed.items()},
            "where": self.where,
            "sample": self.sample,
            "seed": self.seed,
        }


def grid(
    strategy: type[Strategy] | Strategy,
    given: Mapping[str, Any] | None = None,
    *,
    where: str | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> Grid:
    """Return the grid of a sweep, each value checked by the strategy's own parameter.

    Parameters
    ----------
    strategy : Strategy
        Whose parameters.
    given : mapping of str to text, number or sequence
        What to sweep: ``"1:3:0.05"`` (from, to and step, both ends included), ``"5,10,20"``,
        one value, or a sequence. ``none`` switches a rule off where it may be. Without any
        parameter of more than one value, those of the strategy's own declared grids are
        swept, with what is given in their place.
    where : str, optional
        A condition such as ``"exit < entry and lookback >= 10"``; a comparison with none is
        false.
    sample : int, optional
        Draw so many sets at random instead of all.
    seed : int
        Seed of the draw.

    Raises
    ------
    SettingError
        A range that goes nowhere, an empty list, a condition that cannot be read.
    StrategyError
        A parameter the strategy has not, or a value it does not allow.
    """
    declared = strategy.declared()
    asked = dict(given or {})
    for name in asked:
        if name not in declared:
            raise StrategyError(
                f"{_named(strategy)} has no parameter '{name}'; it has"
                f" {', '.join(declared) or 'none'}.{did_you_mean(name, declared)}"
            )
    axes = [_axis(name, declared[name], asked[name]) for name in declared if name in asked]
    if not any(len(axis.values) > 1 for axis in axes):
        axes += [
            _axis(name, param, list(param.grid))
            for name, param in declared.items()
            if name not in asked and len(param.grid) > 1
        ]
    swept = [axis for axis in axes if len(axis.values) > 1]
    order = [*asked, *(name for name in declared if name not in asked)]
    swept.sort(key=lambda axis: (not axis.structural, order.index(axis.name)))
    if not swept:
        raise SettingError(
            f"There is nothing to sweep: {_named(strategy)} declares no grid, and every parameter"
            " has one value; give some, as -p NAME=1:3:0.5 or -p NAME=5,10,20."
        )
    if sample is not None and sample < 1:
        raise SettingError(f"A sample of {sample} sets is none; give one or more.")
    single = {axis.name: axis.values[0] for axis in axes if len(axis.values) == 1}
    fixed = {
        name: single.get(name, param.read(name, param.default))
        for name, param in declared.items()
        if name not in {axis.name for axis in swept}
    }
    found = Grid(tuple(swept), fixed, where, sample, seed, CHUNK)
    if found.size > _MOST_DRAWN_FROM or found.count > _MOST:
        raise SettingError(
            f"The grid has {found.size:,} sets, more than can be booked; draw some of them with"
            " --sample 100000, or take longer steps."
        )
    if where is not None:
        first = {name: column[0] for name, column in found.values(np.zeros(1, np.int64)).items()}
        _meets(where, {**fixed, **first}, {}, 1)
    return found


def written(value: Any) -> Any:
    """Return a value as JSON holds it: None for none."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _named(strategy: type[Strategy] | Strategy) -> str:
    return strategy.__name__ if isinstance(strategy, type) else type(strategy).__name__


def _axis(name: str, param: Param, given: Any) -> Axis:
    values: dict[Any, Any] = {}
    for word in _words(name, param, given):
        value = param.read(name, word)
        values.setdefault(written(value), value)
    if not values:
        raise SettingError(f"Parameter '{name}' has no values to sweep; give one at least.")
    return Axis(name, tuple(values.values()), param.structural)


def _words(name: str, param: Param, given: Any) -> Sequence[Any]:
    """Return the values somebody wrote, not yet checked."""
    if not isinstance(given, str):
        return list(given) if isinstance(given, Sequence | np.ndarray) else [given]
    match = _RANGE.fullmatch(given.strip())
    if match is None or param.structural:
        return [word.strip() for word in given.split(",") if word.strip()]
    try:
        low, high, step = (float(word) for word in match.groups())
    except ValueError:
        raise SettingError(
            f"Parameter '{name}' is '{given}'; write a range as from:to:step, such as 1:3:0.5."
        ) from None
    if step == 0 or not math.isfinite(low + high + step) or (high - low) / step < 0:
        raise SettingError(
            f"Parameter '{name}': the range {given} leads nowhere; write from:to:step, such as"
            " 1:3:0.5."
        )
    count = math.floor((high - low) / step * (1 + 1e-12) + 1e-9) + 1
    if count > _LONGEST:
        raise SettingError(
            f"Parameter '{name}': the range {given} has {count:,} values; take a longer step."
        )
    # Steps as written: 1:3:0.1 is 1, 1.1, 1.2, and not 1.2000000000000002.
    digits = max(_digits(word) for word in match.groups())
    return [round(low + step * number, digits) for number in range(count)]


def _digits(word: str) -> int:
    mantissa, _, power = word.strip().lower().partition("e")
    return max(len(mantissa.partition(".")[2]) - int(power or 0), 0)


# -- Conditions -------------------------------------------------------------------------------

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.Mod, ast.Name, ast.Load, ast.Constant,
)  # fmt: skip


def _read(where: str, known: Mapping[str, Any]) -> ast.Expression:
    """Return a condition as a tree of comparisons of parameters and numbers, nothing else."""
    try:
        tree = ast.parse(where, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SettingError(
            f"--where '{where}' cannot be read; write it as \"exit < entry and lookback >= 10\"."
        ) from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise SettingError(
                f"--where '{where}' holds more than comparisons of parameters and numbers; write"
                ' it as "exit < entry and lookback >= 10".'
            )
        if isinstance(node, ast.Name) and node.id not in known:
            raise SettingError(
                f"--where '{where}': there is no parameter '{node.id}'; known are"
                f" {', '.join(known)}.{did_you_mean(node.id, known)}"
            )
    if not isinstance(tree.body, ast.BoolOp | ast.Compare | ast.UnaryOp):
        raise SettingError(f"--where '{where}' compares nothing; write it as \"exit < entry\".")
    return tree


def _meets(
    where: str, fixed: Mapping[str, Any], rows: Mapping[str, NDArray[Any]], count: int
) -> NDArray[np.bool_]:
    """Return which sets meet a condition, shape (N,)."""
    names = {**fixed, **rows}
    tree = _read(where, names)
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(_value(tree.body, names), dtype=bool)
    except (TypeError, ValueError, RecursionError):
        raise SettingError(
            f"--where '{where}' compares what cannot be compared; a text can only be equal to a"
            " text, as in \"variant == 'slow'\"."
        ) from None
    return np.broadcast_to(value, (count,))


_COMPARED = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_COUNTED = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.Mod: np.mod,
}  # fmt: skip


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return functools.reduce(join, [_truth(_value(part, names)) for part in node.values])
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, names)
        return ~_truth(inner) if isinstance(node.op, ast.Not) else np.negative(inner)
    if isinstance(node, ast.BinOp):
        return _COUNTED[type(node.op)](_value(node.left, names), _value(node.right, names))
    assert isinstance(node, ast.Compare)
    parts = [_value(part, names) for part in (node.left, *node.comparators)]
    held = [
        _COMPARED[type(how)](left, right)
        for how, left, right in zip(node.ops, parts, parts[1:], strict=False)
    ]
    return functools.reduce(np.logical_and, held)


def _truth(value: Any) -> NDArray[np.bool_]:
    return np.asarray(value, dtype=bool)
