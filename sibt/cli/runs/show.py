"""``sibt runs show``: what a run came to, read from its folder."""

from __future__ import annotations

from pathlib import Path

import click

from sibt.cli.runs.place import check_there, out_option
from sibt.cli.settings import lang_option
from sibt.language import Language

__all__ = ["command"]


@click.command(
    "show",
    epilog="Examples:\n\n\b\n"
    "  sibt runs show latest\n"
    "  sibt runs show calendar_reverse\n"
    "  sibt runs show 20260105-0930",
)
@click.argument("run")
@out_option
@lang_option
def command(run: str, out: Path, lang: Language) -> None:
    """Show what RUN came to: figures, parameters, warnings and files."""
    check_there(out)
    from rich.console import Console

    from sibt.runs.load import find, load

    saved = load(find(out, run))
    console = Console(highlight=False)
    if not console.is_terminal:
        # A file or a pipe has no width.
        console.width = 132
    if saved.kind == "sweep":
        from sibt.report.sweep_terminal import show_sweep
        from sibt.sweep.sweep import Sweep

        show_sweep(Sweep(saved.folder), console, 20)
        return
    from sibt.report.runs_terminal import summary

    summary(saved, console, lang)
