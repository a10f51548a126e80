"""Sweeps that are killed and gone on with; processes are forked, so that nothing compiles anew."""

import os
import signal
import sys
from pathlib import Path

from sibt.sources import load_market
from sibt.sweep.sweep import sweep

#: A strategy with round trips enough for every part of the evidence.
SPREAD = '''
import numpy as np
import pandas as pd

import sibt


class Rhythm(sibt.Strategy):
    """So many sessions on, so many off."""

    on = sibt.Param(7, "sessions held", "sessions", low=1, grid=(7, 9))
    off = sibt.Param(5, "sessions between", "sessions", low=0, grid=(5,))
    near = sibt.Param("si2405", "near leg")

    def refuses(self, p):
        return {"off is on": p.off == p.on}

    def legs(self, market, p):
        return {p.near: 1, "si2406": -1}

    def units(self, market, p):
        at = np.arange(len(market.sessions))[:, None]
        life = (market.sessions >= "2023-12-01") & (market.sessions < "2024-03-15")
        wish = np.where(life[:, None] & (at % (p.on + p.off) < p.on), 1, 0)
        return wish if np.ndim(p.on) else pd.Series(wish[:, 0], index=market.sessions)
'''

GRID = {"on": "3:12:1", "off": "2:8:1"}

#: What must be the same, to the byte, however a sweep came about.
SAME = ("sets.parquet", "evidence.json", "top.csv")


def write(folder: Path, text: str = SPREAD) -> Path:
    path = folder / "rhythm.py"
    path.write_text(text, encoding="utf-8")
    return path


def sweep_in(folder: Path, **given):
    """Sweep in one thread, by default the strategy and the grid of this module."""
    settings = {"out": folder / "results", "jobs": 1, **given}
    return sweep(folder / "rhythm.py", load_market("sample"), GRID, **settings)


def outcome(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in SAME}


def forked(work) -> int:
    """Run work in a child, and return the signal that ended it, 0 for none."""
    pid = os.fork()
    if pid == 0:
        try:
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def counted(folder: Path, told) -> None:
    """Tell each time this process is about to touch a file of a folder."""
    seen = 0

    def hook(event, arguments):
        nonlocal seen
        if event not in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"):
            return
        if str(folder) in str(arguments[0]):
            seen += 1
            told(seen)

    sys.addaudithook(hook)


def killed_at(number: int):
    """Return what kills this process, with no chance to tidy up, at its n-th touch."""

    def told(seen):
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return told
