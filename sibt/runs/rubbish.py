"""What no longer serves in a folder of runs: half-written folders, old scripts, a lost latest."""

from __future__ import annotations

import mmap
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sibt.language import Sentence, said
from sibt.runs.latest import LATEST, leads_to
from sibt.runs.removal import mend_latest, size

__all__ = ["Rubbish", "clear", "rubbish"]

#: Seconds for which nothing may have been written to it before something is rubbish.
_AGE = 3600.0

#: What is written or deleted under a hidden name first; where known, the number of the process.
_HALF = re.compile(
    r"\.(?:writing|deleting|latest|index)-(?:(\d+)(?:-.*)?|.*)"
    r"|\.market\.\w{8}(?:\.old)?|\.plotly-.*\.min\.js\.\w{8}"
)

_SCRIPT = re.compile(r"plotly-[\w.+-]+\.min\.js")


@dataclass(frozen=True)
class Rubbish:
    """Something that can go.

    Attributes
    ----------
    path : Path
        Where it lies.
    why : Sentence
        Why it can go.
    bytes : int
        Its size.
    """

    path: Path
    why: Sentence
    bytes: int


def rubbish(out: Path) -> list[Rubbish]:
    """Return what can go from a folder of runs; nothing is changed.

    Half-written folders and files count where nothing was written to them for an hour and
    the process that wrote them is not known to live; plotly's scripts where no page asks for
    them; ``latest`` where it leads nowhere.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    """
    before = time.time() - _AGE
    found = [
        Rubbish(path, said("half written"), size(path))
        for folder in (out, out / "assets")
        for path in _listed(folder)
        if (match := _HALF.fullmatch(path.name)) and _last(path) < before and not _lives(match[1])
    ]
    found += [
        Rubbish(path, said("no page asks for it"), size(path))
        for path in _unasked(out, before)
    ]
    name = leads_to(out)
    if name is not None and not (out / name).is_dir():
        found.append(Rubbish(out / LATEST, said("leads to {name}, which is gone", name=name), 0))
    return found


def clear(out: Path, found: list[Rubbish]) -> None:
    """Take rubbish away, and let ``latest`` lead to the newest run.

    Raises
    ------
    OSError
        Something cannot be taken away.
    """
    for each in found:
        if each.path.name == LATEST:
            mend_latest(out)
        elif each.path.is_dir() and not each.path.is_symlink():
            shutil.rmtree(each.path)
        else:
            each.path.unlink(missing_ok=True)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _last(path: Path) -> float:
    """Return when something was last written at or below a path."""
    times = [path.lstat().st_mtime]
    if path.is_dir() and not path.is_symlink():
        times += [each.lstat().st_mtime for each in path.rglob("*")]
    return max(times)


def _lives(process: str | None) -> bool:
    """Return whether a process is known to be at work on this machine."""
    if process is None or os.name != "posix":  # elsewhere signal 0 is no question
        return False
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _unasked(out: Path, before: float) -> list[Path]:
    """Return plotly's scripts that no page asks for."""
    left = {
        path.name.encode(): path
        for path in _listed(out / "assets")
        if _SCRIPT.fullmatch(path.name) and path.stat().st_mtime < before
    }
    for page in _pages(out):
        if not left:
            break
        for name in _asked(page, list(left)):
            del left[name]
    return list(left.values())


def _pages(out: Path) -> Iterator[Path]:
    # Pages being written count too, so hidden folders are looked at.
    for folder in _listed(out):
        if folder.suffix == ".html":
            yield folder
        elif folder.is_dir() and not folder.is_symlink():
            yield from sorted(folder.rglob("*.html"))


def _asked(page: Path, names: list[bytes]) -> list[bytes]:
    """Return which of the names stand in a page."""
    if not page.is_file() or not page.stat().st_size:
        return []
    with page.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return [name for name in names if text.find(b"assets/" + name) >= 0]
