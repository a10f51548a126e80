"""``sibt runs export``: a run as a workbook, a folder of CSV files, or one page to send."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sibt.cli.runs.place import check_there, out_option, run_page
from sibt.cli.settings import lang_option
from sibt.errors import SettingError
from sibt.language import Language

if TYPE_CHECKING:
    from sibt.runs.load import Saved

__all__ = ["command"]


@click.command(
    "export",
    epilog="Examples:\n\n\b\n"
    "  sibt runs export latest\n"
    "  sibt runs export calendar_reverse --to reverse.xlsx --lang zh\n"
    "  sibt runs export latest --to tables\n"
    "  sibt runs export latest --to page.html\n\n"
    "A workbook needs openpyxl: pip install openpyxl.",
)
@click.argument("run")
@click.option("--to", type=click.Path(path_type=Path), metavar="PLACE",
              help="A workbook (.xlsx) with a sheet a table, one page (.html) with all it needs"
              " inside, or else a folder of CSV files; RUN.xlsx here if left out.")
@out_option
@lang_option
def command(run: str, to: Path | None, out: Path, lang: Language) -> None:
    """Write RUN's tables or its page to take along; nothing that is there is written over."""
    check_there(out)
    from sibt.runs.load import find, load

    saved = load(find(out, run))
    to = Path(f"{saved.name}.xlsx") if to is None else to
    kind = to.suffix.lower()
    if kind in (".xls", ".csv", ".pdf", ".htm"):
        raise SettingError(f"--to {to} is none of .xlsx, .html and a folder for CSV; give one.")
    if kind == ".xlsx" and find_spec("openpyxl") is None:
        raise SettingError(
            "A workbook needs openpyxl; install it with pip install openpyxl, or give a folder for"
            " CSV files with --to."
        )
    if to.is_file() or (to.is_dir() and (kind in (".xlsx", ".html") or any(to.iterdir()))):
        raise SettingError(f"--to {to} is there already; give another name.")
    try:
        to.absolute().parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.absolute().parent))
        try:
            _write(saved, work / to.name, kind, lang)
            os.replace(work / to.name, to)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise SettingError(
            f"--to {to} cannot be written: {error.strerror}; give another place."
        ) from None
    click.echo(str(to))


def _write(saved: Saved, path: Path, kind: str, t: Language) -> None:
    from sibt.runs.workbook import write_csv, write_workbook

    if kind == ".html":
        from sibt.report.one_file import one_file

        path.write_text(one_file(run_page(saved.folder)), encoding="utf-8", newline="\n")
    elif kind == ".xlsx":
        tables = {name: saved.table(name) for name in saved.tables}
        write_workbook(saved.metrics, tables, path, t)
    else:
        path.mkdir()
        for name in saved.tables:
            write_csv(saved.table(name), path / f"{name}.csv", t)
