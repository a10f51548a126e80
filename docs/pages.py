"""Pages of the site that are made: every command's help, series of reports, the Chinese README."""

import tomllib
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File, Files

__all__ = ["chinese", "commands", "on_files", "series"]

_WIDTH = 88

#: Groups that take something else than a command's name, what it is, and where that one stands.
_ELSE = {"sibt hedge": ("STRATEGY", "sibt.cli.hedge.report")}


def on_files(files: Files, config: Any) -> Files:
    """Add them to the site; mkdocs calls this."""
    made = {"commands.md": commands(), "series.md": series(), "zh.md": chinese()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def commands() -> str:
    """Return the page of all commands."""
    from sibt.cli import _sibt

    parts = ["# Every command", "What `--help` says of each."]
    top = click.Context(_sibt, info_name="sibt", **_sibt.context_settings)
    for depth, name, said in _helps(_sibt, top):
        parts += [f"{'#' * min(depth + 1, 3)} {name}", f"```text\n{said}\n```"]
    return "\n\n".join(parts) + "\n"


def _helps(
    command: click.Command, ctx: click.Context, depth: int = 1
) -> Iterator[tuple[int, str, str]]:
    ctx.terminal_width = ctx.max_content_width = _WIDTH
    yield depth, ctx.command_path, command.get_help(ctx).strip()
    if ctx.command_path in _ELSE:
        what, where = _ELSE[ctx.command_path]
        other = import_module(where).command
        yield from _helps(other, click.Context(other, ctx, what), depth + 1)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            if (below := command.get_command(ctx, name)) is not None:
                yield from _helps(below, click.Context(below, ctx, name), depth + 1)


def series() -> str:
    """Return the page of the series that shipped reports speak of."""
    rows: dict[str, list[str]] = {}
    for file in sorted(resources.files("sibt.publications").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            report = tomllib.loads(file.read_text("utf-8"))
            for one in report.get("series", ()):
                row = [one["unit"], one["what"], one.get("what_zh", ""), one.get("freq", ""), ""]
                rows.setdefault(one["name"], row)[-1] += f" `{report['report']['id']}`"
    head = ["name", "unit", "what", "中文", "how often", "spoken of in"]
    table = [head, ["---"] * len(head), *([f"`{name}`", *rows[name]] for name in sorted(rows))]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return (
        "# Series of the reports\n\nWhat the shipped reports speak of beside prices, spot and"
        " receipts. Bring one in under this name and in this unit, in"
        " [series.csv](data.md#beside-the-bars), and the [claims](claims.md) about it are"
        " scored.\n\n" + "\n".join(lines) + "\n"
    )


def chinese() -> str:
    """Return the Chinese README as a page among the others."""
    text = Path(__file__).parents[1].joinpath("README.zh.md").read_text("utf-8")
    return text.replace("](docs/", "](").replace("](README.md)", "](index.md)")
