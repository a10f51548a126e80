"""Where the files live that come with sibt: the sample market and the strategies."""

from pathlib import Path

from sibt.errors import DataError

__all__ = ["shipped"]

#: Inside the installed package, else in the working copy of the project.
_PLACES = {"sample": "data/sample", "strategies": "strategies"}


def shipped(name: str) -> Path:
    """Return the folder of what comes with sibt.

    Parameters
    ----------
    name : {"sample", "strategies"}
        The sample market, or the strategies.

    Raises
    ------
    DataError
        This installation lacks the folder.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_shipped" / name, package.parent / _PLACES[name]):
        if folder.is_dir():
            return folder
    raise DataError(
        f"This installation of sibt lacks its folder '{name}'; install it again from a complete"
        " copy."
    )
