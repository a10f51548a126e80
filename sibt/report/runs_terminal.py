"""Runs in the terminal: the list of all, and what one of them came to."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sibt.errors import DataError
from sibt.language import Language

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sibt.runs.catalogue import Row
    from sibt.runs.load import Saved

__all__ = ["HEDGES", "figure", "in_bytes", "listing", "summary"]

_UNKNOWN = "–"

#: What stands before the data of a run that proves nothing, or nothing about the real market.
_AHEAD, _MADE_UP = "LOOKS AHEAD", "SIMULATED"

#: What a list means by a hedge's result.
HEDGES = "Of hedges, net, yuan/t and drawdown are those of goods and futures together."

#: Figures of a list: heading, figure, format, and which goes first where there is no room.
_FIGURES = (
    ("net yuan", "net", "+,.2f", 5),
    ("yuan/t", "net_per_tonne", "+,.1f", 4),
    ("drawdown", "max_drawdown", ".2%", 2),
    ("peak margin", "peak_margin", ",.0f", 1),
    ("Sharpe", "sharpe", ".2f", 3),
    ("trips", "round_trips", ",.0f", 0),
)


def listing(rows: Sequence[Row], t: Language, width: int | None = None) -> str:
    """Return a table of runs, a line each.

    Parameters
    ----------
    rows : sequence of Row
        The runs, in the order they are shown.
    t : Language
        English or Chinese.
    width : int, optional
        Columns of the terminal: figures that find no room are left out and notes are cut.

    Returns
    -------
    str
        Lines; LOOKS AHEAD and SIMULATED are red for a terminal.
    """
    head = ["run", "data", *(heading for heading, *_ in _FIGURES)]
    cells = [[t(name) for name in head]]
    cells += [
        [row.name, _marks(row) + (row.source or _UNKNOWN),
         *(figure(row.figures.get(name), form) for _, name, form, _ in _FIGURES)]
        for row in rows
    ]  # fmt: skip
    notes = ["", *(t(row.note) for row in rows)]
    shown = [line for line, note in zip(cells, notes, strict=True) if not note]
    wide = [
        max(_wide(line[at]) for line in (cells if at < 2 else shown)) for at in range(len(head))
    ]
    kept = _kept(wide, width)
    lines = []
    for line, note in zip(cells, notes, strict=True):
        left = "  ".join(_pad(line[at], wide[at], right=False) for at in (0, 1))
        if note:
            text = f"{left}  {note}"
            lines.append(_cut(text, width))
        else:
            lines.append("  ".join([left, *(_pad(line[at], wide[at], right=True) for at in kept)]))
    if any("hedged" in row.figures for row in rows):
        lines.append(t(HEDGES))
    text = "\n".join(lines)
    for mark in (_AHEAD, _MADE_UP):
        text = text.replace(f"{mark} ", f"{click.style(mark, fg='red', bold=True)} ")
    return text


def _marks(row: Row) -> str:
    marks = ((_AHEAD, row.looks_ahead), (_MADE_UP, row.simulated))
    return "".join(f"{mark} " for mark, holds in marks if holds)


def _kept(wide: Sequence[int], width: int | None) -> list[int]:
    """Return the figures there is room for, as columns of the table."""
    kept = list(range(2, len(wide)))
    while width is not None and kept and sum(wide[at] + 2 for at in (0, 1, *kept)) - 2 > width:
        kept.remove(min(kept, key=lambda at: _FIGURES[at - 2][3]))
    return kept


def _wide(text: str) -> int:
    """Return the columns a text takes; Chinese takes two a letter."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, wide: int, *, right: bool) -> str:
    blanks = " " * (wide - _wide(text))
    return blanks + text if right else text + blanks


def _cut(text: str, width: int | None) -> str:
    if width is None or _wide(text) <= width:
        return text
    while _wide(text) > max(width - 1, 1):
        text = text[:-1]
    return f"{text}…"


def figure(value: float | None, form: str) -> str:
    """Return a figure as text, "–" where it is not known; zero has no sign, minus a true one."""
    if value is None:
        return _UNKNOWN
    text = format(value, form).replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text.lstrip("+−")


def in_bytes(count: int) -> str:
    """Return a size as people read it, such as "1.2 MB"."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"


def summary(saved: Saved, console: Console, t: Language) -> None:
    """Print what a saved run came to: figures, parameters, diagnosis, warnings and files.

    Parameters
    ----------
    saved : Saved
        A run or a comparison.
    console : rich.console.Console
        Where to print.
    t : Language
        English or Chinese.

    Raises
    ------
    DataError
        One of its files is broken.
    """
    from rich.markup import escape

    manifest = saved.manifest
    if saved.looks_ahead:
        console.print(f"[bold red]{escape(saved.lookahead(t))}[/]", soft_wrap=True)
    if saved.simulated:
        console.print(f"[bold red]SIMULATED[/] {escape(t('made-up data'))}", soft_wrap=True)
    report = manifest.get("report")
    if report:
        place = ", ".join(str(report[name]) for name in ("title", "publisher", "date", "place"))
        console.print(f"[italic]“{escape(report['quote'])}”[/] {escape(place)}", soft_wrap=True)
    try:
        facts = {**_made(saved, t), **_came_to(saved, t)}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(
            f"{saved.folder} was written by another version of sibt; open its page with sibt runs"
            f" open {saved.name}."
        ) from None
    table = _facts()
    for name, text in facts.items():
        table.add_row(escape(name), escape(text))
    console.print(table)
    if manifest.get("parameters"):
        console.print(escape(t("parameters")), style="bold")
        table = _facts()
        for name, value in manifest["parameters"].items():
            table.add_row(escape(name), escape(t("none") if value is None else str(value)))
        console.print(table)
    for issue, cure in saved.diagnosis(t):
        said = t("[yellow]diagnosis[/] {issue}", issue=escape(issue))
        console.print(f"{said}\n  → {escape(cure)}", soft_wrap=True)
    for sentence in saved.warnings(t):
        console.print(f"[yellow]{escape(t('note'))}[/] {escape(sentence)}", soft_wrap=True)
    files = sorted(path.name for path in saved.folder.iterdir() if path.name[0] != ".")
    place = t("files in {folder}", folder=str(saved.folder))
    console.print(escape(f"{place}: {', '.join(files)}"), soft_wrap=True)


def _facts() -> Table:
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _made(saved: Saved, t: Language) -> dict[str, str]:
    manifest = saved.manifest
    found = {t(saved.kind): saved.name, t("made"): str(manifest["made"])}
    if "strategy" in manifest:
        known = manifest["strategy"].get("known_from")
        since = "" if known is None else t(", known from {day}", day=str(known))
        found[t("strategy")] = f"{manifest['strategy']['name']}{since}"
    data = manifest.get("data")
    if data:
        days = f"{data['first']}..{data['last']}"
        found[t("data")] = f"{data['source']}, {days}, {data['sha256'][:12]}"
    account = (manifest.get("settings") or {}).get("account")
    if account:
        found[t("account")] = t("{capital:,.0f} yuan, {kind}", capital=account["capital"],
                                kind=t(account["kind"]))  # fmt: skip
    runs = manifest.get("runs")
    if runs:
        found[t("runs")] = ", ".join(f"{each['key']} {each['run']}" for each in runs)
    if manifest.get("command"):
        found[t("command")] = str(manifest["command"])
    return found


def _came_to(saved: Saved, t: Language) -> dict[str, str]:
    """Return the figures of a run as texts by their names."""
    if saved.kind != "run":
        return {}
    metrics = saved.metrics
    m: Mapping[str, Any] = metrics["futures"]
    hedge = metrics.get("hedge")
    money = "{net:+,.2f} yuan, {each:+,.1f} yuan/t of the largest position"
    found = {}
    if hedge is not None:
        found[t("goods + futures")] = t("{money:+,.2f} yuan", money=hedge["hedged"])
        found[t("goods alone")] = t("{money:+,.2f} yuan", money=hedge["physical"])
    found[t("net result") if hedge is None else t("futures alone")] = (
        t("0.00 yuan: no position was held") if m["net_per_tonne"] is None
        else t(money, net=m["net"], each=m["net_per_tonne"])
    )  # fmt: skip
    found[t("fees")] = t("{money:,.2f} yuan", money=m["fees"])
    found[t("slippage")] = t("{money:,.2f} yuan", money=m["slippage"])
    found[t("round trips")] = t("{trips} ({won} won, {open} still open)", trips=m["round_trips"],
                                won=m["won"], open=m["open_trips"])  # fmt: skip
    found[t("Sharpe ratio")] = (
        t("none: fewer than three round trips") if m["round_trips"] < 3 else
        t("unknown") if m["sharpe"] is None else
        t("{sharpe:.2f} a year, over {n} sessions", sharpe=m["sharpe"], n=m["sessions"])
    )  # fmt: skip
    found[t("worst day")] = t("{money:+,.2f} yuan on {day}", money=m["worst_day"],
                              day=m["worst_day_on"])  # fmt: skip
    found[t("drawdown")] = t("{share:.2%} of the index, {money:,.2f} yuan",
                             share=m["max_drawdown"], money=m["max_drawdown_yuan"])  # fmt: skip
    found[t("peak margin")] = t("{money:,.2f} yuan", money=m["peak_margin"])
    found[t("margin calls")] = str(m["margin_calls"]) if m["margin_calls"] else t("none")
    excess = metrics.get("excess_over_control_per_tonne")
    if excess is not None:
        found[t("over the controls")] = t("{each:+,.1f} yuan/t", each=excess)
    return found
