"""What a desk reads in the terminal of its reports: verdicts, figures, what is left to bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.language import EN, Language
from sibt.report.claims.needed import needed
from sibt.report.claims.words import (
    base,
    bring,
    by_claim,
    counted,
    figures,
    known,
    luck,
    reading,
    verdicts,
)
from sibt.research.claims.score import ClaimScore, Scored

__all__ = ["show_claims"]

_STYLES = {"right": "green", "wrong": "red", "running": "cyan", "undecidable": "yellow",
           "untestable": "dim", "watched": "blue"}  # fmt: skip

#: Width of a file or a pipe, which has none, and the least at which figures get columns.
_PIPE, _ROOM = 132, 90

#: A report of more claims is printed in brief.
_LONG = 20

#: Missing data that are printed, of all and in brief; the page has them all.
_MOST, _FEW = 15, 5

#: Verdicts that tell of a claim in brief.
_TOLD = ("right", "wrong", "running")

#: Figures of a watched quantity that are printed; of a score it is the first.
_WATCHED = 3


def show_claims(
    all_scored: Sequence[Scored],
    folder: Path,
    console: Console,
    t: Language = EN,
    *,
    whole: bool = False,
) -> None:
    """Print scored reports: a table each, its inconsistencies, then the data that is missing.

    A report of more than twenty claims is printed in brief: a line for each claim that was decided
    or runs, the others counted.

    Parameters
    ----------
    all_scored : sequence of Scored
        The reports, scored on one market.
    folder : Path
        Where the page was written.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    whole : bool
        Print long reports whole as well, reading by reading.
    """
    if not console.is_terminal:
        console.width = _PIPE
    brief = [not whole and len(scored.report.claims) > _LONG for scored in all_scored]
    for scored, short in zip(all_scored, brief, strict=True):
        _report(scored, console, t, short)
    _needed(all_scored, console, t, _FEW if any(brief) else _MOST)
    console.print()
    for scored in all_scored:
        console.print(_counts(scored, t), soft_wrap=True)
    if any(brief):
        console.print(t("--all prints every claim, reading by reading, and both sides of each"
                        " contradiction; so does the page."), soft_wrap=True)  # fmt: skip
    if words := luck([row for scored in all_scored for row in scored.rows], t):
        console.print(escape(words), soft_wrap=True)
    page = escape(str(folder / "index.html"))
    console.print(t("Claims page: {file}", file=page), soft_wrap=True)
    console.print(t("Table: {file}", file=escape(str(folder / "claims.csv"))), soft_wrap=True)


def _report(scored: Scored, console: Console, t: Language, short: bool) -> None:
    report = scored.report
    made_up = scored.market.provenance.simulated
    mark = f"[bold red]{t('SIMULATED')}[/] " if made_up else ""
    console.print()
    console.print(f"{mark}[bold]{escape(report.id)}[/] {escape(report.title)}", soft_wrap=True)
    console.print(escape(f"{report.publisher}, {known(scored, t)}"), style="dim", soft_wrap=True)
    groups = by_claim(scored.rows)
    if short:
        _brief(scored, groups, console, t)
        return
    console.print(_table(groups, console.width, t))
    if report.inconsistencies:
        console.print(_inconsistencies(scored, t))


def _counts(scored: Scored, t: Language) -> str:
    return t(
        "[bold]{report}[/]: {claims} claims, {count} scores by reading and horizon: {verdicts}",
        report=escape(scored.report.id), claims=len(scored.report.claims),
        count=len(scored.rows), verdicts=_tally(counted(scored.rows, t), t),
    )  # fmt: skip


def _brief(
    scored: Scored, groups: Sequence[tuple[ClaimScore, ...]], console: Console, t: Language
) -> None:
    """Print a line for each claim that was decided or runs, and count the others."""
    room = console.width >= _ROOM
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(t("id"), overflow="fold")
    table.add_column(t("what it says"), overflow="fold", ratio=5)
    table.add_column(t("verdicts"), overflow="fold", ratio=3)
    if room:
        table.add_column(t("decided"), overflow="fold", min_width=22)
    table.add_column(t("right on any day"), overflow="fold", min_width=9)
    told = [rows for rows in groups if any(row.verdict in _TOLD for row in rows)]
    for rows in told:
        days = [row.decided_on for row in rows if row.decided_on is not None]
        often = [row.base.share for row in rows if row.base is not None and row.base.windows]
        table.add_row(
            f"[bold]{escape(rows[0].claim.id)}[/]", escape(t(rows[0].claim.says)),
            _tally(counted(rows, t), t),
            *([_span([f"{min(days):%Y-%m-%d}", f"{max(days):%Y-%m-%d}"] if days else [])]
              if room else []),
            _span([f"{min(often):.0%}", f"{max(often):.0%}"] if often else []),
        )  # fmt: skip
    console.print(table)
    if rest := [rows for rows in groups if rows not in told]:
        # Of a claim that is undecidable in one reading and waits for data in another, the first.
        names = [counted(rows, t)[0][0] for rows in rest]
        kinds = [(name, words, names.count(name)) for name, words in verdicts(t).items()
                 if name in names]  # fmt: skip
        console.print(t("{count} more claims: {verdicts}", count=len(rest),
                        verdicts=_tally(kinds, t)), soft_wrap=True)  # fmt: skip
    if places := scored.report.inconsistencies:
        console.print(t("It contradicts itself in {places}.",
                        places=", ".join(escape(one.id) for one in places)),
                      soft_wrap=True)  # fmt: skip


def _span(ends: Sequence[str]) -> str:
    """Return the first and the last of something, once where they are one."""
    return "..".join(dict.fromkeys(ends))


def _tally(found: Sequence[tuple[str, str, int]], t: Language) -> str:
    return t(", ").join(f"[{_STYLES[name]}]{escape(words)}[/] {count}"
                        for name, words, count in found)  # fmt: skip


def _table(groups: Sequence[tuple[ClaimScore, ...]], width: int, t: Language) -> Table:
    """Return a claim's sentence on a row, and a row for each reading and horizon of it."""
    room = width >= _ROOM
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(t("id"), overflow="fold")
    table.add_column(t("what it says, and how it was read"), overflow="fold", ratio=5)
    table.add_column(t("verdict"), overflow="fold", min_width=18 if room else None)
    if room:
        table.add_column(t("figure"), overflow="fold", ratio=3)
        table.add_column(t("right on any day"), overflow="fold", ratio=2)
    for group in groups:
        name, sentence = f"[bold]{escape(group[0].claim.id)}[/]", escape(t(group[0].claim.says))
        rows = _shown(group)
        if len(rows) > 1:
            table.add_row(name, sentence)
            name = sentence = ""
        for row in rows:
            how = "" if len(group) > len(rows) else reading(row, t)
            why = "" if row.why is None else t(row.why)
            told = [sentence, how and f"[dim]{escape(how)}[/]",
                    why and f"[dim italic]{escape(why)}[/]"]  # fmt: skip
            shown = figures(row, t)[: _WATCHED if row.verdict == "watched" else 1]
            if row.missing:
                shown.append(t("lacks {what}", what=", ".join(one.what for one in row.missing)))
            own, often = escape("\n".join(shown)), escape(base(row, t))
            if often and row.base is not None:
                often = t("{often}, worth {count}", often=often, count=row.base.independent)
            if not room:
                told += [own, often and t("any day: {share}", share=often)]
            table.add_row(name, "\n".join(filter(None, told)), _verdict(row, t),
                          *([own, often] if room else []))  # fmt: skip
    return table


def _shown(rows: tuple[ClaimScore, ...]) -> tuple[ClaimScore, ...]:
    """Return the scores to print: one for all of a claim that cannot be tested, with its lacks."""
    if any(row.verdict != "untestable" for row in rows):
        return rows
    missing = dict.fromkeys(one for row in rows for one in row.missing)
    return (replace(rows[0], missing=tuple(missing)),)


def _verdict(row: ClaimScore, t: Language) -> str:
    day = "" if row.decided_on is None else f" {row.decided_on:%Y-%m-%d}"
    return f"[{_STYLES[row.verdict]}]{escape(verdicts(t)[row.verdict])}[/]{day}"


def _inconsistencies(scored: Scored, t: Language) -> Table:
    table = Table(title=t("Where the report contradicts itself; both readings stand"),
                  title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
                  pad_edge=False, show_edge=False)  # fmt: skip
    table.add_column("", no_wrap=True)
    table.add_column(t("printed"), overflow="fold", ratio=3)
    table.add_column(t("what is wrong with it"), overflow="fold", ratio=3)
    table.add_column(t("readings"), overflow="fold", ratio=2)
    for one in scored.report.inconsistencies:
        table.add_row(f"[bold]{escape(one.id)}[/]", escape(one.printed), escape(t(one.finding)),
                      escape(" | ".join(map(t, one.readings))))  # fmt: skip
    return table


def _needed(all_scored: Sequence[Scored], console: Console, t: Language, most: int) -> None:
    needs = needed(all_scored)
    if not needs:
        return
    table = Table(title=t("Data that would make more claims testable"), title_justify="left",
                  box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False,
                  show_edge=False)  # fmt: skip
    table.add_column(t("data"), overflow="fold", ratio=3)
    table.add_column(t("claims"), justify="right", no_wrap=True)
    table.add_column(t("by itself"), justify="right", no_wrap=True)
    table.add_column(t("how to bring it"), overflow="fold", ratio=5)
    for need in needs[:most]:
        table.add_row(escape(need.what), str(len(need.claims)), str(need.alone),
                      escape(bring(need, t)))  # fmt: skip
    console.print()
    console.print(table)
    if len(needs) > most:
        console.print(t("{count} more on the page", count=len(needs) - most))
    if any(need.series is not None for need in needs):
        console.print(t("series.csv lies beside the bars: name,date,published_on,value,unit, a row"
                        " a value, which counts from the day it was published."),
                      soft_wrap=True)  # fmt: skip
