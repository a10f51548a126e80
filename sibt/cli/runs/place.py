"""Where the runs are that a command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sibt.errors import SettingError

__all__ = ["check_there", "out_option", "run_page"]

Command = TypeVar("Command", bound=Callable[..., Any])


def out_option(command: Command) -> Command:
    """Give a command ``out``, the folder of all runs."""
    return click.option("--out", type=click.Path(path_type=Path), default=Path("results"),
                        show_default=True, help="Folder of all runs.")(command)  # fmt: skip


def check_there(out: Path) -> None:
    """Refuse a folder of runs that is none.

    Raises
    ------
    SettingError
        It is not there, or it is a file.
    """
    if not out.is_dir():
        what = "is a file" if out.exists() else "is not there"
        raise SettingError(
            f"--out {out} {what}; give the folder of your runs, or make one with sibt run."
        )


def run_page(folder: Path) -> Path:
    """Return the page of a run's folder.

    Raises
    ------
    SettingError
        It has none.
    """
    from sibt.runs.catalogue import PAGES

    for name in PAGES:
        if (folder / name).is_file():
            return folder / name
    raise SettingError(
        f"{folder} holds no page; see its figures with sibt runs show {folder.name}."
    )
