"""What one chunk of a sweep leaves behind: its table, and its part of the evidence.

A piece is a pair of small files, written whole or not at all. Pieces are put together in the
order of their blocks, so that it does not matter who made them, where or when.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.sweep.chunk import Chunk, Task
from sibt.sweep.effective import EffectiveTrials
from sibt.sweep.grid import Block, Grid
from sibt.sweep.overfit import BlockSums
from sibt.sweep.reality_check import RealityCheck, stationary_weights
from sibt.sweep.sample import drawn
from sibt.sweep.walk import Windows

__all__ = ["SAMPLED", "Maker", "Piece", "done", "store"]

#: Sets PBO looks at, at most: a stated random sample of a larger sweep.
SAMPLED = 10_000

#: Replications of the bootstrap, and the mean length of its blocks in sessions.
REPLICATIONS, BLOCK = 1000, 10.0


@dataclass(frozen=True, eq=False)
class Piece:
    """One chunk's part.

    Attributes
    ----------
    number : int
        The block's.
    table : pd.DataFrame
        As in `sibt.sweep.chunk.Chunk`.
    parts : dict of str to ndarray
        States of the accumulators of evidence.
    """

    number: int
    table: pd.DataFrame
    parts: dict[str, NDArray[np.float64]]


class Maker:
    """Turns blocks into pieces; the same on every thread and machine.

    Parameters
    ----------
    task : Task
        What all sets share.
    grid : Grid
        The sets.
    first : int
        Session from which daily returns are looked at.
    seed : int
        Of the bootstrap and of the sample PBO looks at.
    windows : Windows or None
        Windows of a walk-forward.
    """

    def __init__(
        self, task: Task, grid: Grid, first: int, seed: int, windows: Windows | None
    ) -> None:
        self.task, self.grid, self.first, self.windows = task, grid, first, windows
        self.seed = seed
        self.sessions = len(task.market.sessions) - first
        self.weights = stationary_weights(self.sessions, REPLICATIONS, BLOCK, seed)
        chosen = drawn(grid.count, SAMPLED, seed)
        self.sampled = chosen if grid.drawn is None else grid.drawn[chosen]

    def __call__(self, number: int) -> Piece:
        """Book block `number` and sum up its evidence."""
        return self.make(self.grid.block(number))

    def make(self, block: Block) -> Piece:
        """Book a block and sum up its evidence."""
        chunk = self.task.book(block, self.first)
        return Piece(block.number, chunk.table, self._parts(chunk))

    def evidence(self) -> tuple[RealityCheck, EffectiveTrials, BlockSums]:
        """Return accumulators nothing has been added to."""
        return (
            RealityCheck(self.weights),
            EffectiveTrials(self.sessions),
            BlockSums(self.sessions),
        )

    def _parts(self, chunk: Chunk) -> dict[str, NDArray[np.float64]]:
        daily = chunk.daily.T
        reality, effective, blocks = self.evidence()
        reality.add(daily)
        effective.add(daily)
        inside = np.isin(chunk.sets, self.sampled, assume_unique=True)
        blocks.add(daily[:, inside])
        parts = {
            **{f"reality_{name}": value for name, value in reality.state().items()},
            **{f"effective_{name}": value for name, value in effective.state().items()},
            **{f"blocks_{name}": value for name, value in blocks.state().items()},
        }
        if self.windows is not None:
            parts |= self.windows.best(daily, chunk.sets)
        return parts


def store(piece: Piece, folder: Path) -> None:
    """Write a piece; the table last, so that where it is there all of it is."""
    name = f"{piece.number:06d}"
    _whole(folder / f"{name}.npz", lambda path: np.savez(path, **piece.parts))  # type: ignore[arg-type]
    _whole(
        folder / f"{name}.parquet",
        lambda path: piece.table.to_parquet(path, index=False, compression="zstd"),
    )


def done(folder: Path) -> set[int]:
    """Return the numbers of the pieces a folder holds."""
    return {int(path.stem) for path in folder.glob("*.parquet") if path.stem.isdigit()}


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        write(Path(name))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
