"""``sibt cost new``: the inputs, to edit."""

from __future__ import annotations

from pathlib import Path

import click

from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "new",
    epilog="Examples:\n\n\b\n  sibt cost new my_costs.toml\n"
    "  sibt cost plant --inputs my_costs.toml",
)
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Write the inputs of all tables to FILE, with the place in the report and the unit of each.

    A file that is there is never overwritten.
    """
    from sibt.research.costs.inputs import starter

    if file.suffix != ".toml":
        raise SettingError(f"{file} is no TOML file; give a name such as my_costs.toml.")
    try:
        with file.open("x", encoding="utf-8", newline="\n") as out:
            out.write(starter())
    except FileExistsError:
        raise SettingError(f"{file} is already here; choose another name.") from None
    except OSError as error:
        raise SettingError(
            f"{file} cannot be written: {error.strerror}; name another place."
        ) from None
    click.echo(f"Wrote {file}. Edit it, then: sibt cost plant --inputs {file}")
