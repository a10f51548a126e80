"""``sibt compare``: runs, and the best sets of sweeps, held against each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli.settings import check_out, lang_option, words
from sibt.errors import SettingError, did_you_mean

if TYPE_CHECKING:
    from sibt.language import Language
    from sibt.runs.comparison import Comparison
    from sibt.runs.load import Saved
    from sibt.runs.side import Side

__all__ = ["command"]

#: Sets of a sweep that are compared where nothing is said.
_TOP = 5


@click.command(
    "compare",
    epilog="Examples:\n\n\b\n"
    "  sibt compare calendar_reverse producer_hedge\n"
    "  sibt compare 20260105-093000-calendar_reverse latest --open\n"
    "  sibt compare my_spread 20260105-101500-my_spread-sweep --top 3\n"
    "  sibt compare 20260105-101500-my_spread-sweep --top 10 --sort net --lang zh\n\n"
    "The first run is what the others are held against. A sweep stands for its best sets, which"
    " are booked again as sibt run books them.",
)
@click.argument("runs", nargs=-1, metavar="RUN...")
@click.option("--top", type=int, default=_TOP, show_default=True, metavar="N",
              help="Best sets of each sweep.")
@click.option("--sort", metavar="FIGURE",
              help="Order by a figure, the best first, such as net, sharpe or peak_margin.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"),
              show_default=True, help="Folder of all runs; the comparison is written there too.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@lang_option
def command(
    runs: tuple[str, ...], top: int, sort: str | None, out: Path, show: bool, lang: Language
) -> None:
    """Hold 2 to 20 runs against each other: RUN is a name, a folder, a strategy or latest."""
    from rich.console import Console

    _check(runs, top, out)
    console, ticker = Console(highlight=False), Console(stderr=True, highlight=False)
    with ticker.status(lang("loading")) as status:
        comparison, folder = _work(runs, top, sort, out, lang, status.update)
    from sibt.report.comparison_terminal import show_comparison

    show_comparison(comparison, folder, console, lang)
    if show:
        click.launch((folder / "index.html").resolve().as_uri())


def _check(runs: tuple[str, ...], top: int, out: Path) -> None:
    if not runs:
        raise SettingError(
            "Say what to compare: 'sibt compare RUN RUN', names of runs, or 'sibt compare SWEEP';"
            " see sibt runs list."
        )
    if top < 1:
        raise SettingError(f"--top is {top}; give one or more.")
    check_out(out)


def _work(
    runs: tuple[str, ...],
    top: int,
    sort: str | None,
    out: Path,
    t: Language,
    stage: Callable[[str], None],
) -> tuple[Comparison, Path]:
    """Compare and write; everything heavy is imported here."""
    from sibt.report.catalogue import write_index
    from sibt.report.comparison.page import (
        INDEX,
        SHEETS,
        comparison_page,
        sheet_name,
        tear_sheets_page,
    )
    from sibt.report.tearsheet import COMPARISON, tear_sheet
    from sibt.runs.comparison import compare
    from sibt.runs.load import find, load
    from sibt.runs.save_comparison import save_comparison

    found = [load(find(out, word)) for word in runs]
    _count(found, top)
    pairs: list[tuple[Side, Any]] = []
    for saved in found:
        stage(saved.name)
        pairs += _sides(saved, top)
    if sort is not None:
        pairs = _sorted(pairs, sort)
    comparison = compare([side for side, _ in pairs])
    pages: dict[str, Callable[[Comparison, Path], None]] = {}
    for letter, (_, run) in zip(comparison.letters, pairs, strict=True):
        if run is not None:
            pages[sheet_name(letter)] = partial(_sheet, run, partial(tear_sheet, back=COMPARISON))
    pages[INDEX] = partial(comparison_page, t=t)
    pages[SHEETS] = partial(tear_sheets_page, t=t)
    stage(t("writing pages"))
    folder = save_comparison(comparison, out, command=words(), pages=pages, t=t)
    write_index(out, t)
    return comparison, folder


def _sheet(run: Any, write: Callable[[Any, Path], None], _: Comparison, path: Path) -> None:
    """Write the tear sheet of a set that was booked for this comparison."""
    write(run, path)


def _count(found: list[Saved], top: int) -> None:
    """Refuse too few and too many, before sets are booked."""
    from sibt.runs.comparison import FEWEST, MOST

    for saved in found:
        if saved.kind == "comparison":
            raise SettingError(
                f"{saved.name} is a comparison itself; name the runs that are to be compared."
            )
    count = sum(
        min(top, int(saved.manifest["sets"]["booked"])) if saved.kind == "sweep" else 1
        for saved in found
    )
    if count < FEWEST:
        raise SettingError(
            f"A comparison needs {FEWEST} runs or more, and this is {count}; name another one."
        )
    if count > MOST:
        less = ", or give a lower --top" if any(s.kind == "sweep" for s in found) else ""
        raise SettingError(
            f"A comparison holds {MOST} runs at the most, and these are {count}; name fewer{less}."
        )


def _sides(saved: Saved, top: int) -> list[tuple[Side, Any]]:
    """Return a saved run, or the best sets of a sweep with the runs they were booked as."""
    from sibt.runs.side import booked_side, saved_side

    if saved.kind == "run":
        return [(saved_side(saved), None)]
    from sibt.sweep.best import best_runs
    from sibt.sweep.sweep import Sweep

    code = saved.folder / "strategy.py"
    return [
        (booked_side(run, saved.folder, chosen, code.read_text("utf-8")), run)
        for chosen, run in best_runs(Sweep(saved.folder), top)
    ]


def _sorted(pairs: list[tuple[Side, Any]], name: str) -> list[tuple[Side, Any]]:
    """Return runs by a figure, the best first; refuse to rank what cannot be compared."""
    from sibt.runs.comparison import FIGURES, compare

    ranked = {one.name: one for one in FIGURES if one.better}
    if name not in ranked:
        raise SettingError(
            f"--sort is '{name}'; write one of {', '.join(ranked)}.{did_you_mean(name, ranked)}"
        )
    comparison, one = compare([side for side, _ in pairs]), ranked[name]
    if name not in comparison.figures.index:
        raise SettingError(f"--sort is '{name}', which none of these runs knows; sort by net.")
    groups = comparison.ranked(one.alike)
    if groups != [comparison.letters]:
        why = comparison.limits[0] if comparison.limits else ""
        raise SettingError(
            f"--sort {name} would rank runs that cannot be compared: {why} Leave --sort out."
        )
    known: Any = comparison.figures.loc[name] * -one.better
    order = known.reset_index(drop=True).sort_values(kind="stable", na_position="last").index
    return [pairs[n] for n in order]
