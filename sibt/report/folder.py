"""A folder of pages and the files beside them, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from sibt.errors import SettingError
from sibt.report.page import plotly_js

__all__ = ["PLOTLY", "check_folder", "write"]

#: Address of plotly's script seen from a page of the folder.
PLOTLY = "plotly.min.js"


def check_folder(out: Path, ours: Collection[str]) -> None:
    """Refuse a folder that the pages may not replace.

    Parameters
    ----------
    out : Path
        The folder.
    ours : collection of str
        Names of the files that may be replaced, beside plotly's script.

    Raises
    ------
    SettingError
        It is a file, it holds something that is none of these, or it cannot be written.
    """
    try:
        if out.exists() and not out.is_dir():
            raise SettingError(f"--out {out} is a file; give a folder for the pages.")
        strange = sorted(p.name for p in out.iterdir() if p.name not in (*ours, PLOTLY)) \
            if out.is_dir() else []
        there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be used: {error.strerror}; give another folder."
        ) from None
    if strange:
        raise SettingError(
            f"--out {out} holds other files ({strange[0]}), which the pages would replace; give a"
            " folder of their own."
        )
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise SettingError(f"--out {out} cannot be written below {there}; give another folder.")


def write(files: Mapping[str, str | bytes], out: Path, ours: Collection[str]) -> Path:
    """Write the files with plotly's script beside them, and return the folder.

    They are written into a folder beside `out` that then takes its place: what stands there
    is the old pages or the new ones, never some of each.

    Parameters
    ----------
    files : mapping of str to str or bytes
        What to write, by file name; text in UTF-8.
    out : Path
        The folder; made where missing, replaced where it holds such files.
    ours : collection of str
        As `check_folder`.

    Raises
    ------
    SettingError
        As `check_folder`, or it cannot be written.
    """
    check_folder(out, ours)
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be written: {error.strerror}; give another folder."
        ) from None
    try:
        for name, content in {**files, PLOTLY: plotly_js()}.items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            (fresh / name).write_bytes(data)
        fresh.chmod(0o755)
        old = fresh.with_name(fresh.name + ".old")
        if out.exists():
            out.rename(old)
        try:
            fresh.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be written: {error.strerror}; give another folder."
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out
