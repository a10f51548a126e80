"""``sibt data``: real prices in, kept, checked and shown; one file a command."""

from __future__ import annotations

from importlib import import_module

import click

from sibt.errors import did_you_mean

__all__ = ["command"]

#: Commands, what they do, and the file of each.
_COMMANDS = {
    "check": ("Find what is wrong or doubtful in market data.", "check"),
    "import": ("Take files of a terminal or a spreadsheet into the store.", "import_"),
    "pull": ("Fetch what the store lacks from akshare, tushare or tqsdk.", "pull"),
    "show": ("Draw coverage, term structure, spreads, basis and stocks.", "show"),
}


class _Lazy(click.Group):
    """A group that imports a command only when it is called or asked for its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"sibt.cli.data.{_COMMANDS[cmd_name][1]}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS:
            raise click.UsageError(
                f"There is no command 'data {args[0]}'; commands are"
                f" {', '.join(sorted(_COMMANDS))}.{did_you_mean(args[0], _COMMANDS)}"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted((name, text) for name, (text, _) in _COMMANDS.items()))


@click.group(
    "data",
    cls=_Lazy,
    epilog="Examples:\n\n\b\n"
    "  sibt data pull --source akshare\n"
    "  sibt data import SI2411.xlsx --dry-run\n"
    "  sibt data check\n"
    "  sibt data show --open",
)
def command() -> None:
    """Bring real prices in, keep them, check them and look at them."""
