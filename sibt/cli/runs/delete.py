"""``sibt runs delete``: runs taken away, after a question."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sibt.cli.runs.place import check_there, out_option
from sibt.cli.settings import lang_option
from sibt.errors import SettingError
from sibt.language import Language

__all__ = ["command"]


@click.command(
    "delete",
    epilog="Examples:\n\n\b\n"
    "  sibt runs delete latest\n"
    "  sibt runs delete 20260105-093000-my_spread 20260105-0945 --yes\n\n"
    "What was tried stays counted: trials.jsonl is not touched.",
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@out_option
@lang_option
def command(runs: tuple[str, ...], yes: bool, out: Path, lang: Language) -> None:
    """Delete runs, sweeps or comparisons from the folder of all runs."""
    check_there(out)
    from sibt.report.runs_terminal import in_bytes
    from sibt.runs.removal import removable, remove, size

    t = lang
    folders = list(dict.fromkeys(removable(out, words) for words in runs))
    for folder in folders:
        click.echo(f"{folder}  {in_bytes(size(folder))}")
    if not yes and not _agreed(t("Delete these? ({n})", n=len(folders))):
        click.echo(t("Nothing was deleted."))
        return
    remove(out, folders)
    if (out / "index.html").is_file():
        from sibt.report.catalogue import write_index

        write_index(out, lang)
    click.echo(t("Deleted: {n}. The looks at the data stay counted in trials.jsonl.",
                    n=len(folders)))  # fmt: skip


def _agreed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort as left:
        if isinstance(left.__context__, EOFError) and not sys.stdin.isatty():
            raise SettingError("Nobody is there to answer; say --yes to delete.") from None
        raise
