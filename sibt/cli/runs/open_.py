"""``sibt runs open``: a run's page, or the page of all runs, in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from sibt.cli.runs.place import check_there, out_option, run_page
from sibt.cli.settings import lang_option
from sibt.language import Language

__all__ = ["command"]


@click.command(
    "open",
    epilog="Examples:\n\n\b\n"
    "  sibt runs open\n"
    "  sibt runs open latest\n"
    "  sibt runs open calendar_reverse",
)
@click.argument("run", required=False)
@out_option
@lang_option
def command(run: str | None, out: Path, lang: Language) -> None:
    """Open the page of RUN, or without it the page of all runs, drawn anew."""
    check_there(out)
    if run is None:
        from sibt.report.catalogue import write_index

        page = write_index(out, lang)
    else:
        from sibt.runs.load import find

        page = run_page(find(out, run))
    click.echo(page)
    click.launch(page.resolve().as_uri())
