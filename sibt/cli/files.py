"""A file a command writes: in a folder that is there, and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sibt.errors import SettingError

__all__ = ["check", "write"]


def check(path: Path | None, flag: str) -> None:
    """Refuse a file that cannot be written, before the work; None is no file.

    Raises
    ------
    SettingError
        It is a folder, or its folder is not there.
    """
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise SettingError(f"{flag} {path} is no file in a folder that is there; name one.")


def write(path: Path, text: str, flag: str) -> None:
    """Put a file in place, in the place of one that is there.

    Raises
    ------
    SettingError
        It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".sibt-", dir=path.absolute().parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise SettingError(f"{flag} {path} cannot be written: {error.strerror}.") from None
