"""What a check of market data found: a table in the terminal, and a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup, escape
from rich import box
from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

from sibt.market.findings import SEVERITIES, Finding
from sibt.report.page import missing, page, table
from sibt.sources.check import Checked

__all__ = ["findings_page", "show", "verdict"]

_COLOURS = {"wrong": "bold red", "doubtful": "yellow", "evidence": "cyan"}
_MEANING = {
    "wrong": "a run refuses these data until it is mended",
    "doubtful": "a run uses it and says so",
    "evidence": "looks odd, is explained",
}
#: Findings of one check shown in the terminal before the others are told in a row.
_SHOWN = 4
#: Columns of a terminal below which the sessions stand under the subject.
_NARROW = 96


def verdict(checked: Iterable[Checked]) -> str:
    """Return the last line: how many findings of each severity, and what that means."""
    checked = list(checked)
    found = [finding for one in checked for finding in one.findings]
    counts = {name: sum(f.severity == name for f in found) for name in SEVERITIES}
    if not found:
        return "Nothing found: these data are clean."
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if counts["wrong"]:
        return f"{listed}: a run refuses these data."
    bare = _without_settlements(found)
    if not bare:
        return f"{listed}: these data run."
    which = bare[0] if len(bare) == 1 else f"these {len(bare)} contracts"
    return f"{listed}: a run on {which} is refused without --settle-from close."


def _without_settlements(found: Iterable[Finding]) -> list[str]:
    """Return the contracts with bars that lack a settlement."""
    lacking = [f for f in found if f.check in ("close only", "no settlement")]
    return sorted({code for finding in lacking for code in finding.contracts})


def show(checked: Checked, console: Console, whole: bool = False) -> None:
    """Print the findings of one market, by severity.

    Parameters
    ----------
    checked : Checked
        What was found.
    console : rich.console.Console
        Where to print.
    whole : bool
        True to show every finding; else those of one check beyond the largest four are
        told in one row.
    """
    label = "[bold red]SIMULATED[/] " if checked.simulated else ""
    console.print(f"{label}[bold]{plain(checked.source)}[/]{plain(_extent(checked))}",
                  soft_wrap=True)
    for severity in SEVERITIES:
        mine = [finding for finding in checked.findings if finding.severity == severity]
        if mine:
            console.print()
            console.print(f"[{_COLOURS[severity]}]{severity}[/] ({len(mine):,}):"
                          f" {_MEANING[severity]}", soft_wrap=True)
            _print(console, _table(mine, whole, console.width))
    console.print()


def _print(console: Console, table: Table) -> None:
    """Print a table; in a file or a pipe without the blanks that fill up its lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    console.print("\n".join(lines), soft_wrap=True, markup=False, emoji=False)


def _extent(checked: Checked) -> str:
    market = checked.market
    if market is None:
        return ": no market can be built of it"
    return (
        f": {len(market.contracts)} contracts, {len(market.sessions):,} sessions"
        f" {market.sessions[0]:%Y-%m-%d}..{market.sessions[-1]:%Y-%m-%d}"
    )


def _table(findings: Sequence[Finding], whole: bool, width: int) -> Table:
    narrow = width < _NARROW
    out = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    out.add_column("check", max_width=10 if narrow else 16, overflow="fold")
    out.add_column("where", max_width=14, overflow="fold")
    if not narrow:
        out.add_column("sessions", width=10)
    out.add_column("count", justify="right", no_wrap=True)
    out.add_column("what, and the cure", ratio=1, overflow="fold")
    for group in _by_check(findings):
        shown = group if whole or len(group) <= _SHOWN + 1 else group[:_SHOWN]
        for number, finding in enumerate(shown):
            said = plain(finding.what)
            # One cure serves all of one check where it reads the same.
            if finding.cure and (number == 0 or finding.cure != shown[0].cure):
                said += f"\n[dim]→ {plain(finding.cure)}[/]"
            first = "" if finding.first is None else f"{finding.first:%Y-%m-%d}"
            last = "" if finding.last in (None, finding.first) else f"\n{finding.last:%Y-%m-%d}"
            where = [plain(finding.subject), first + last]
            if narrow:
                where = ["\n".join(word for word in where if word)]
            out.add_row(finding.check, *where, f"{finding.count:,}", said)
        rest = group[len(shown):]
        if rest:
            names = ", ".join(f"{f.subject} ({f.count:,})" for f in rest)
            out.add_row(rest[0].check, f"{len(rest)} more", *([] if narrow else [""]),
                        f"{sum(f.count for f in rest):,}", f"[dim]{plain(names)}[/]")
    return out


def _by_check(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.check, []).append(finding)
    return list(groups.values())


def findings_page(checked: Sequence[Checked]) -> str:
    """Return the page of all findings: one part a market, one table a severity.

    Parameters
    ----------
    checked : sequence of Checked
        What was found, one for each market.
    """
    body = [f"<p>{escape(verdict(checked))}</p>\n"]
    for one in checked:
        body.append(f"<h2>{escape(one.source)}</h2>\n<p>{escape(_extent(one).lstrip(': '))}</p>\n")
        if not one.findings:
            body.append(missing("Nothing found: these data are clean."))
        for severity in SEVERITIES:
            mine = [finding for finding in one.findings if finding.severity == severity]
            if mine:
                frame = _rows(mine)
                marks = ["" if severity == "evidence" else severity] * len(mine)
                caption = f"{severity.capitalize()} ({len(mine):,}): {_MEANING[severity]}"
                body.append(table(frame, caption=caption, marks=marks))
    return page(
        "Check of market data",
        "".join(body),
        simulated=any(one.simulated for one in checked),
        source=", ".join(one.source for one in checked),
    )


def _rows(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as the cells of a page's table; the cure stands with a check's first."""
    cells: list[dict[str, Any]] = []
    for group in _by_check(findings):
        for number, finding in enumerate(group):
            said = escape(finding.what)
            if finding.sessions:
                said = Markup("<b>") + escape(finding.sessions) + Markup("</b> ") + said
            if finding.cure and (number == 0 or finding.cure != group[0].cure):
                said += Markup("<br><small>→ ") + escape(finding.cure) + Markup("</small>")
            cells.append(
                {
                    "check": finding.check,
                    "where": finding.subject,
                    "count": finding.count,
                    # Sessions stand here, so that a narrow window shows what was found.
                    "sessions, what, and the cure": said,
                }
            )
    # As objects: a column of text would forget which of its cells are HTML.
    return pd.DataFrame(cells, dtype=object)
