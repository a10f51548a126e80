"""``sibt data import``: files of a terminal or a spreadsheet into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli.values import OneOf
from sibt.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd

    from sibt.sources.exports.export import Export
    from sibt.sources.exports.intake import Agreement, Step
    from sibt.sources.store import Change

__all__ = ["command"]

#: How many changed cells and sessions are named before the rest is counted.
_FEW = 5


@click.command(
    "import",
    epilog="Examples:\n\n\b\n"
    "  sibt data import SI2411.csv --dry-run\n"
    "  sibt data import exports/*.xlsx --product si\n"
    "  sibt data import SI2411.txt --volume-in tonnes\n"
    "  sibt data import odd.csv --map close=LAST --map ignore=Settel\n"
    "  sibt data import si2411_m5.csv --stamped start\n\n"
    "Without --dry-run it says the same, and writes. When one file is bad nothing is written.",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--map", "mapped", multiple=True, metavar="COLUMN=HEADER",
              help="Name the header of a column yourself, or pass one over with ignore=HEADER;"
              " again for more.")
@click.option("--product", metavar="CODE",
              help="Product of rows that name none, such as si; rows of other products are passed"
              " over.")
@click.option("--kind", type=OneOf(["bars", "spot", "receipts", "series"]),
              help="Kind of data, where headers fit two.")
@click.option("--volume-in", type=OneOf(["lots", "tonnes"]),
              help="Unit of volume, open interest and receipts where no header says it; lots if"
              " left out.")
@click.option("--counting", type=OneOf(["one-sided", "two-sided"]), default="one-sided",
              show_default=True, help="Whether volume and open interest count each trade twice.")
@click.option("--stamped", type=OneOf(["start", "end"]),
              help="What stamps of bars finer than a day mean, where no bar shows it.")
@click.option("--store", "folder", type=click.Path(path_type=Path), default=Path("data/store"),
              show_default=True, help="Folder of the store.")
@click.option("--dry-run", is_flag=True, help="Say what was understood and write nothing.")
def command(files: tuple[str, ...], **given: Any) -> None:
    """Take FILES (CSV, text, Excel, Parquet) of a terminal into the store.

    Daily bars, bars of minutes, spot quotes, receipts and your own series are told apart by their
    headers, English or Chinese.
    """
    named = _named(given["mapped"])
    from sibt.sources.exports.export import Wishes, read
    from sibt.sources.exports.intake import plan, take
    from sibt.sources.store import Store

    wishes = Wishes(
        product=given["product"] and given["product"].lower(),
        named=named,
        kind=given["kind"],
        volume_in=given["volume_in"],
        two_sided=given["counting"] == "two-sided",
        stamped=given["stamped"],
    )
    exports = read(list(dict.fromkeys(files)), wishes)
    store = Store(given["folder"])
    changes: list[Change] = []
    if given["dry_run"] or not store.folder.exists():
        # Files that do not fit leave nothing behind, not even a folder.
        steps = plan(exports, store)
    if not given["dry_run"]:
        with store.locked():
            steps = plan(exports, store)
            changes = take(steps, store)
    for export in exports:
        _understood(export)
    click.echo(f"{click.style('Store', bold=True)} {store.folder}")
    for step in steps:
        _step(step)
    if given["dry_run"]:
        click.echo("Dry run: nothing was written.")
        return
    if any(change.added or change.changed for change in changes):
        click.echo(f"Written to {store.folder}.")
    else:
        click.echo(f"Nothing new: {store.folder} stays as it is.")


def _named(words: tuple[str, ...]) -> dict[str, str]:
    """Return columns by header."""
    found: dict[str, str] = {}
    for word in words:
        column, sign, header = (part.strip() for part in word.partition("="))
        if not sign or not column or not header:
            raise SettingError(f"--map '{word}' is no COLUMN=HEADER; write it as --map close=LAST.")
        if header in found:
            raise SettingError(f"--map names the header '{header}' twice; name it once.")
        if column != "ignore" and column in found.values():
            raise SettingError(f"--map names the column '{column}' twice; name it once.")
        found[header] = column
    return found


def _line(label: str, text: str) -> None:
    click.echo(f"  {label:<10} {text}")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _understood(export: Export) -> None:
    """Say what was understood of a file."""
    kind = export.kind
    if kind == "continuous":
        click.echo(f"{click.style(export.place, bold=True)} ({export.encoding}): left out")
        _line("skipped", export.skipped[0])
        return
    if kind.startswith("bars_"):
        kind = f"bars of {kind.removeprefix('bars_').removesuffix('m')} minutes"
    elif kind == "bars":
        kind = "daily bars"
    click.echo(f"{click.style(export.place, bold=True)} ({export.encoding}): {kind}")
    pairs = [
        header if header == column else f"{header} → {column}" for header, column in export.columns
    ]
    _line("columns", ", ".join(dict.fromkeys(pairs)))
    if export.unused:
        _line("not used", ", ".join(export.unused))
    for name, table in export.tables.items():
        _line(name, _extent(table))
    for label, lines in (
        ("understood", export.notes), ("skipped", export.skipped), ("doubtful", export.doubts),
    ):
        for line in lines:
            _line(label, line)


def _extent(table: pd.DataFrame) -> str:
    """Return rows, days and what they are of."""
    if not len(table):
        return "no rows"
    said = f"{_counted(len(table), 'row')}, {table['date'].min():%Y-%m-%d} to"
    said += f" {table['date'].max():%Y-%m-%d}"
    for column, word in (("contract", "contract"), ("grade", "grade"), ("name", "series")):
        if column in table.columns:
            names = sorted(table[column].unique())
            if word == "contract" and len(names) > 4:
                return f"{said}, {len(names)} contracts {names[0]} to {names[-1]}"
            return f"{said}, {', '.join(names)}"
    return said


def _step(step: Step) -> None:
    """Say what a step does to the store."""
    change = step.change
    what = f"{step.kind}: {_counted(change.added, 'row')} added, {change.changed:,} changed,"
    what += f" {change.same:,} the same"
    if step.agreement is not None:
        what += " (only what is unknown, never the settlement)"
    _line(step.product, what)
    for row in change.changes.head(_FEW).to_dict("records"):
        key = " ".join(
            _cell(cell) for column, cell in row.items()
            if column not in ("column", "before", "after")
        )
        _line("", f"{key} {row['column']} {_cell(row['before'])} → {_cell(row['after'])}")
    if len(change.changes) > _FEW:
        _line("", f"and {_counted(len(change.changes) - _FEW, 'more changed cell')}")
    if step.agreement is not None:
        _agreement(step.agreement)


def _cell(cell: Any) -> str:
    if hasattr(cell, "strftime"):
        text = cell.strftime("%Y-%m-%d %H:%M")
        return str(text.removesuffix(" 00:00"))
    return f"{cell:,.10g}" if isinstance(cell, float) else str(cell)


def _agreement(found: Agreement) -> None:
    """Say on which sessions finer bars and daily bars have the same close."""
    both = found.agree + len(found.differ)
    _line("closes", f"the added-up close agrees with the daily one on {found.agree} of"
          f" {_counted(both, 'session')}; {_counted(found.alone, 'session')} without a daily close")
    for row in found.differ.head(_FEW * 4).itertuples():
        _line("", f"{row.date:%Y-%m-%d} {row.contract}: {row.close:,.10g} added up,"
              f" {row.daily:,.10g} in the daily bars; not filled in")
    if len(found.differ) > _FEW * 4:
        _line("", f"and {len(found.differ) - _FEW * 4} more")
    for code, day in found.refused:
        _line("", f"{day:%Y-%m-%d} {code}: known daily prices contradict the bars; not filled in")
    for code, day, why in found.incomplete:
        _line("incomplete", f"{day:%Y-%m-%d} {code}: {why}")
