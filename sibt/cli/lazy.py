"""A group of commands, each imported when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from sibt.errors import did_you_mean

__all__ = ["Lazy"]


class Lazy(click.Group):
    """A group that imports a command only when it is called or asked for its help.

    Parameters
    ----------
    commands_in : mapping of str to (str, str)
        By command, the sentence the group's help says of it and the module it stands in, where
        it is called ``command``.
    before : str
        What stands before the command's name, such as "data ".
    """

    def __init__(
        self, *, commands_in: Mapping[str, tuple[str, str]], before: str = "", **given: Any
    ) -> None:
        super().__init__(**given)
        self._in, self._before = commands_in, before

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands by name."""
        return sorted(self._in)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now; None where there is none of this name."""
        if cmd_name not in self._in:
            return None
        command: click.Command = import_module(self._in[cmd_name][1]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called, or say which ones there are."""
        if args and args[0] not in self._in:
            raise click.UsageError(
                f"There is no command '{self._before}{args[0]}'; commands are"
                f" {', '.join(sorted(self._in))}.{did_you_mean(args[0], self._in)}"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sentences, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted((name, text) for name, (text, _) in self._in.items()))
