"""What a sweep will take, said before anything runs."""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibt.sweep.grid import Block, Grid
from sibt.sweep.piece import Maker, store

if TYPE_CHECKING:
    from sibt.sweep.sweep import Plan

__all__ = ["Estimate", "estimate"]

#: Sets of a block that are timed: few and many, so that what each block costs stands apart.
_FEW, _MANY = 30, 300

#: Blocks of which the sets are counted where `where` leaves some out, and there are too many.
_COUNTED = 2000

#: Seconds it takes to weigh a sweep, beside those of each set; bytes of a set while weighed.
_WEIGHING, _WEIGHING_EACH = 3.0, 5e-6
_COPIES = 4


@dataclass(frozen=True)
class Estimate:
    """What a sweep will take; all but `grid` and `blocks` may be off by a half.

    Attributes
    ----------
    grid, sets, blocks : int
        Sets of the grid; of them to be looked at; chunks.
    exact : bool
        `sets` is counted, not estimated.
    timed : int
        Sets that were booked to find out.
    seconds, weighing : float
        Time to book them all, and to weigh the best one.
    memory, disk, parts : float
        Bytes: the most memory at a time; what stays on disk; what is there while at work.
    jobs : int
        Threads it was timed with.
    """

    grid: int
    sets: int
    blocks: int
    exact: bool
    timed: int
    seconds: float
    weighing: float
    memory: float
    disk: float
    parts: float
    jobs: int


def estimate(laid: Plan, jobs: int) -> Estimate:
    """Return what a sweep will take, from timing a few hundred of its sets.

    Parameters
    ----------
    laid : Plan
        The sweep.
    jobs : int
        Threads.
    """
    grid, maker = laid.grid, laid.maker
    total = grid.block_count()
    sets, exact = _sets(grid, total)
    numbers = np.unique(np.linspace(0, total - 1, min(total, max(jobs, 4))).astype(int))
    blocks = [block for block in map(grid.block, numbers.tolist()) if len(block.sets)]
    if not blocks:
        return Estimate(grid.size, sets, total, exact, 0, 0, 0, 0, 0, 0, jobs)
    every = [_first(blocks[n % len(blocks)], _MANY) for n in range(jobs)]
    some = [_first(block, _FEW) for block in every]
    _wall(maker, some[:1], 1)  # compiled, and warm
    short, long = _wall(maker, some, jobs), _wall(maker, every, jobs)
    spread = max(_size(every) - _size(some), 1) / jobs
    each = max(long - short, 0.0) / spread if _size(every) > _size(some) else long / _size(every)
    fixed = max(short - each * _size(some) / jobs, 0.0)
    held = _held(lambda: maker.make(every[0])) / max(len(every[0].sets), 1)
    table, parts = _written(maker, every[0])
    widest = min(grid.chunk, max(sets // max(total, 1), 1))
    columns = 8.0 * (24 + len(grid.axes)) * _COPIES
    return Estimate(
        grid=grid.size,
        sets=sets,
        blocks=total,
        exact=exact,
        timed=_size(every) + _size(some),
        seconds=(each * sets + fixed * total) / jobs,
        weighing=_WEIGHING + _WEIGHING_EACH * sets,
        memory=_resident() + jobs * held * widest + columns * sets,
        disk=table * sets,
        parts=table * sets + parts * total,
        jobs=jobs,
    )


def _sets(grid: Grid, total: int) -> tuple[int, bool]:
    """Return how many sets `where` leaves, and whether they were all counted."""
    if grid.where is None:
        return grid.count, True
    if total <= _COUNTED:
        return sum(len(block.sets) for block in grid.blocks()), True
    numbers = np.unique(np.linspace(0, total - 1, _COUNTED).astype(int)).tolist()
    before = replace(grid, where=None)
    kept = sum(len(grid.block(number).sets) for number in numbers)
    seen = sum(len(before.block(number).sets) for number in numbers)
    return round(grid.count * kept / seen), False


def _first(block: Block, count: int) -> Block:
    rows = {name: column[:count] for name, column in block.rows.items()}
    return replace(block, sets=block.sets[:count], rows=rows)


def _size(blocks: Sequence[Block]) -> int:
    return sum(len(block.sets) for block in blocks)


def _wall(maker: Maker, blocks: Iterable[Block], jobs: int) -> float:
    """Return the seconds blocks take side by side."""
    began = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(maker.make, blocks):
            pass
    return time.perf_counter() - began


def _held(work: Callable[[], Any]) -> float:
    """Return the most bytes some work holds at a time."""
    tracemalloc.start()
    try:
        work()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def _written(maker: Maker, block: Block) -> tuple[float, float]:
    """Return bytes of a set in the table, and of a block's part of the evidence."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store(maker.make(block), folder)
        table = sum(path.stat().st_size for path in folder.glob("*.parquet"))
        parts = sum(path.stat().st_size for path in folder.glob("*.npz"))
    return table / max(len(block.sets), 1), float(parts)


def _resident() -> float:
    """Return the bytes this process holds; a usual figure where that cannot be asked."""
    try:
        import resource
    except ImportError:
        return 300e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most * (1 if sys.platform == "darwin" else 1024))
