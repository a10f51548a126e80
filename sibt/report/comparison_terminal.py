"""What a trader reads in the terminal of a comparison: limits, figures, and what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.language import EN, Language
from sibt.report.comparison.differences import WORDS, common_only
from sibt.report.comparison.figures import difference, value
from sibt.runs.comparison import FIGURES, FIRST, Comparison

__all__ = ["show_comparison"]

#: Figures in the order in which they are given room; the page has all of them.
_SHOWN = (
    "hedged", "net", "net_per_tonne", "max_drawdown_yuan", "peak_margin", "round_trips", "sharpe",
    "net_per_unit", "fees", "hedged_per_tonne", "worst_day", "slippage", "return_on_margin",
    "unfilled_orders",
)  # fmt: skip

#: A longer label stands on two lines.
_SHORT = 10

#: What differs is printed up to so many rows.
_MOST_ROWS = 20


def show_comparison(
    comparison: Comparison, folder: Path, console: Console, t: Language = EN
) -> None:
    """Print a comparison: what each letter is, what limits it, figures, and what differs.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    folder : Path
        Where it was written.
    console : rich.console.Console
        Where to print; as many figures as its width has room for.
    t : Language
        Language.
    """
    if not console.is_terminal:
        # A file or a pipe has no width; tables there need not be squeezed.
        console.width = 132
    for letter, side in zip(comparison.letters, comparison.sides, strict=True):
        label = comparison.labels[letter]
        mark = " [bold red]LOOKS AHEAD[/]" if side.looks_ahead else ""
        mark += f" [bold red]{t('SIMULATED')}[/]" if side.simulated else ""
        console.print(f"[bold]{letter}[/] {escape(label)}{mark} [dim]{escape(side.name)}[/]",
                      soft_wrap=True)  # fmt: skip
    for line in comparison.limits:
        console.print(f"[yellow]{t('note')}[/] {escape(t(line))}", soft_wrap=True)
    console.print(_figures(comparison, console.width, t))
    console.print(f"[dim]{escape(_legend(comparison, t))}[/]", soft_wrap=True)
    _differs(comparison, console, t)
    console.print(f"{t('Written')}: {escape(str(folder))}", soft_wrap=True)


def _figures(comparison: Comparison, width: int, t: Language) -> Table:
    """Return a row a run: figures, and below them how far they are from the first run's."""
    columns = _columns(comparison, width, t)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    for head in columns:
        table.add_column(escape(head), justify="right", no_wrap=True)
    for n, letter in enumerate(comparison.letters):
        table.add_row(f"[bold]{letter}[/]", *(cells[n][0] for cells in columns.values()))
        if letter != FIRST and any(cells[n][1] for cells in columns.values()):
            table.add_row("", *(f"[dim]{cells[n][1]}[/]" for cells in columns.values()))
    return table


def _columns(comparison: Comparison, width: int, t: Language) -> dict[str, list[tuple[str, str]]]:
    """Return the columns there is room for, in the order of the page."""
    from rich.cells import cell_len

    known = {one.name: one for one in FIGURES if one.name in comparison.figures.index}
    figures: Any = comparison.figures
    differences: Any = comparison.differences
    room, found = width - 3, {}
    for name in (name for name in _SHOWN if name in known):
        one, head = known[name], _head(t(known[name].label))
        texts = []
        for letter in comparison.letters:
            best = bool(comparison.best.at[name, letter])
            text = value(one, float(figures.at[name, letter]))
            apart = difference(one, float(differences.at[name, letter]), t)
            texts.append((f"[bold green]★{text}[/]" if best else text, apart, len(text) + best))
        wide = max(
            *map(cell_len, head.split("\n")),
            *(max(size, cell_len(apart)) for _, apart, size in texts),
        )
        if wide + 2 > room:
            break
        room -= wide + 2
        found[name] = (head, [(text, apart) for text, apart, _ in texts])
    return {found[name][0]: found[name][1] for name in known if name in found}


def _legend(comparison: Comparison, t: Language) -> str:
    said = t("Yuan. Below each figure how far it is from {first}; ★ is the best of those that can"
             " be compared.", first=FIRST)  # fmt: skip
    if any(side.goods is not None for side in comparison.sides):
        said += " " + t("Of runs that own goods, all but goods + futures is the futures alone.")
    return said


def _differs(comparison: Comparison, console: Console, t: Language) -> None:
    whole = comparison.differs
    rows = common_only(whole, comparison.letters)
    if rows.empty:
        if whole.empty:
            console.print(t("Nothing differs: parameters, data, settings and code are the same."))
        return
    table = Table(title=t("What differs"), title_justify="left", title_style="bold",
                  show_header=False, box=None, padding=(0, 2, 0, 0))  # fmt: skip
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for _, row in rows.head(_MOST_ROWS).iterrows():
        # By value, so that twenty runs have room too.
        groups: dict[str, list[str]] = {}
        for letter in comparison.letters:
            groups.setdefault(str(row[letter]), []).append(letter)
        said = "; ".join(
            f"{', '.join(letters)}: {t(value) if value in WORDS else value}"
            for value, letters in groups.items()
        )
        table.add_row(escape(str(row["key"])), escape(said))
    console.print(table)
    left = len(whole) - min(len(rows), _MOST_ROWS)
    if left:
        console.print(t("{count} more in differences.csv", count=left))


def _head(label: str) -> str:
    """Return a label on two lines where it is long."""
    blanks = [n for n, letter in enumerate(label) if letter == " "]
    if len(label) <= _SHORT or not blanks:
        return label
    at = min(blanks, key=lambda n: abs(n - len(label) / 2))
    return f"{label[:at]}\n{label[at + 1 :]}"
