"""What the commands of ``sibt cost`` have in common: inputs, the table, and its CSV."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from sibt.cli import files
from sibt.cli.settings import lang_option

__all__ = ["Positive", "options", "show"]

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--inputs", type=click.Path(path_type=Path), metavar="FILE",
                 help="Your own inputs, as 'sibt cost new' writes them; the reports' if left out."),
    click.option("--csv", type=click.Path(path_type=Path), metavar="FILE",
                 help="Also write every figure, a row each."),
    lang_option,
)  # fmt: skip


class Positive(click.ParamType):  # type: ignore[type-arg]
    """A number above zero."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return a float, or fail."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.fail(f"'{value}' is no number above zero.", param, ctx)
        return number


def options(command: Command) -> Command:
    """Give a command ``inputs``, ``csv`` and ``lang``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def show(
    name: str, given: Mapping[str, Any], changes: Mapping[str, Any] | None = None, **asked: Any
) -> Mapping[str, Any]:
    """Print a table, write its figures where asked to, and return its inputs.

    Parameters
    ----------
    name : str
        The table.
    given : mapping
        What click read; see `options`.
    changes : mapping, optional
        Inputs of the table that stand in the place of the file's; None leaves the file's.
    **asked
        What else is asked of its figures.
    """
    files.check(given["csv"], "--csv")
    from rich.console import Console

    from sibt.report.cost_terminal import show as tell
    from sibt.research.costs.figure import table
    from sibt.research.costs.inputs import inputs
    from sibt.research.costs.sheet import sheet

    read = inputs(given["inputs"])
    told = {key: value for key, value in (changes or {}).items() if value is not None}
    one = sheet(name, {**read, name: {**read[name], **told}}, own=given["inputs"] is not None,
                **asked)  # fmt: skip
    console = Console(highlight=False)
    tell(one, console, given["lang"])
    if given["csv"] is not None:
        rows = table(one.figures).to_csv(index=False, lineterminator="\n")
        files.write(given["csv"], rows, "--csv")
        console.print(f"CSV: {given['csv']}", soft_wrap=True, markup=False)
    return one.table
