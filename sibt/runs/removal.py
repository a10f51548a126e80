"""Taking runs away: only what is a run, only from the folder of runs, all of it or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from sibt.errors import DataError, SettingError
from sibt.runs.catalogue import catalogue
from sibt.runs.latest import LATEST, leads_to, point
from sibt.runs.load import NAME, find, read_manifest

__all__ = ["DELETING", "mend_latest", "removable", "remove", "size"]

#: How a folder begins that is being taken away, before the number of the process.
DELETING = ".deleting-"

#: What an unfinished sweep holds in place of its manifest, and what a process at work holds.
_PLAN, _LOCK = "plan.json", ".lock"


def removable(out: Path, words: str) -> Path:
    """Return the folder of the run somebody wants to be rid of.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    words : str
        ``latest``, its name or path, or the beginning of one name only.

    Raises
    ------
    SettingError
        Nothing is called so, it does not lie in `out`, it is a link, something else wrote it,
        or a process is at work on it.
    """
    # A sweep that is not finished has no manifest, and is known by its whole name.
    places = (out / words, Path(words)) if words.strip("./") else ()
    sweep = next((each for each in places if os.path.isfile(each / _PLAN)), None)
    folder = find(out, words) if sweep is None else sweep
    if words != LATEST and not folder.name.startswith(Path(words).name):
        raise SettingError(
            f"'{words}' is a strategy; to delete its latest run, name it: {folder.name}."
        )
    if folder.is_symlink() and folder.name != LATEST:
        raise SettingError(f"{folder} is a link to a folder elsewhere; take the link away by hand.")
    folder = folder.resolve()
    if folder.parent != out.resolve():
        raise SettingError(f"{words} does not lie in {out}; give its own folder as --out.")
    if not NAME.fullmatch(folder.name):
        try:
            read_manifest(folder)
        except DataError:
            raise SettingError(
                f"{folder} was not written by sibt, so it is not deleted; do it by hand."
            ) from None
    _check_idle(folder)
    return out / folder.name


def _check_idle(folder: Path) -> None:
    lock = folder / _LOCK
    if not lock.exists():
        return
    try:
        with FileLock(lock, timeout=0):
            pass
    except Timeout:
        raise SettingError(
            f"{folder} is a sweep another process is at work on; stop it first."
        ) from None


def remove(out: Path, folders: Sequence[Path]) -> None:
    """Take folders out of `out`, and point ``latest`` at the newest run that is left.

    Each leaves the list at once, whole: what an interruption leaves is hidden, and
    `sibt.runs.rubbish` knows it.

    Raises
    ------
    SettingError
        One cannot be taken away.
    """
    for folder in folders:
        gone = out / f"{DELETING}{os.getpid()}-{folder.name}"
        try:
            folder.rename(gone)
            mend_latest(out)
            shutil.rmtree(gone)
        except OSError as error:
            raise SettingError(
                f"{folder} cannot be deleted: {error.strerror}; mend its rights."
            ) from None


def mend_latest(out: Path) -> None:
    """Point ``latest`` at the newest run if it leads nowhere; take it away if there is none."""
    name = leads_to(out)
    if name is None or (out / name).is_dir():
        return
    # A comparison is of runs; it never was the latest.
    rows = [row for row in catalogue(out)[0] if row.kind != "comparison"]
    if rows:
        point(out / LATEST, rows[0].folder)
    else:
        (out / LATEST).unlink()


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
