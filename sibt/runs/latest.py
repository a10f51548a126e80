"""``latest`` in a folder of runs: a link to the last of them, or a file that names it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["LATEST", "leads_to", "point"]

LATEST = "latest"


def point(link: Path, folder: Path) -> None:
    """Let `link` lead to the folder beside it; where links fail it is a file with its name."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    try:
        fresh.symlink_to(folder.name)
    except OSError:
        fresh.write_text(folder.name + "\n", encoding="utf-8")
    os.replace(fresh, link)


def leads_to(out: Path) -> str | None:
    """Return the name of the folder ``latest`` leads to, there or not; None without one."""
    link = out / LATEST
    try:
        text = os.readlink(link) if link.is_symlink() else link.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return Path(text.strip()).name or None
