"""What a trader reads in the terminal after a sweep: the verdict, why, and the best sets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.report.sweep.evidence import figure_of
from sibt.report.sweep.outcome import metric_name, shown, text_of
from sibt.sweep.sweep import Sweep

__all__ = ["show_sweep"]

#: Reasons of refusal told one by one.
_REASONS = 8

#: Figures beside the metric, what they are called, and which go first where there is no room.
_FIGURES = ("hedged", "effective_price", "variance_reduction", "net", "sharpe", "round_trips",
            "peak_margin", "max_drawdown")  # fmt: skip
_LABELS = {"max_drawdown": "drawdown", "peak_margin": "peak margin", "round_trips": "trips",
           "hedged": "goods+fut", "effective_price": "yuan/t", "hedged_per_tonne": "goods+fut/t",
           "variance_reduction": "var. cut"}  # fmt: skip
_SIGNED = ("net", "hedged", "hedged_per_tonne", "total_return")
_FIRST_LEFT_OUT = ("max_drawdown", "sharpe")

#: Width of a file or a pipe, which has none.
_PIPE = 132


def show_sweep(sweep: Sweep, console: Console, count: int) -> None:
    """Print a sweep: verdict, evidence, best sets, refused sets, provenance and files.

    Before all else, that the strategy looks ahead where it does.

    Parameters
    ----------
    sweep : Sweep
        A finished sweep.
    console : rich.console.Console
        Where to print.
    count : int
        Best sets shown; 0 for none.
    """
    if not console.is_terminal:
        console.width = _PIPE
    manifest, evidence = sweep.manifest, sweep.evidence
    luck = evidence.get("luck")
    colour = "yellow" if luck or luck is None else "green"
    checked = manifest.get("lookahead") or {"passed": True}
    if not checked["passed"]:
        colour = "red"
        console.print(f"[bold red]{escape(str(checked['verdict']))}[/]", soft_wrap=True)
    sentence = str(evidence["verdict"])
    console.print(f"[bold {colour}]{escape(sentence[:1].upper() + sentence[1:])}.[/]",
                  soft_wrap=True)  # fmt: skip
    console.print(_facts(sweep))
    if count > 0:
        console.print(_top(sweep, count, console.width))
    _refused(manifest["sets"], console)
    for note in (evidence.get("walk") or {}).get("notes", []):
        console.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if (manifest.get("engine") or {}).get("note"):
        console.print(f"[yellow]note[/] {escape(str(manifest['engine']['note']))}", soft_wrap=True)
    files = [name for name in ("sets.parquet", "top.csv", "evidence.json", "walk.csv")
             if (sweep.folder / name).is_file()]  # fmt: skip
    console.print(f"Written in {manifest['seconds']:,.1f} s: {escape(str(sweep.folder))}"
                  f" ({', '.join(files)})", soft_wrap=True)  # fmt: skip
    if (sweep.folder / "walk.html").is_file():
        console.print(f"Walk-forward tear sheet: {escape(str(sweep.folder / 'walk.html'))}",
                      soft_wrap=True)  # fmt: skip
    if (sweep.folder / "sweep.html").is_file():
        console.print(f"Page: {escape(str(sweep.folder / 'sweep.html'))}", soft_wrap=True)


def _facts(sweep: Sweep) -> Table:
    manifest, evidence = sweep.manifest, sweep.evidence
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, text: str) -> None:
        table.add_row(name, text)

    metric, best = str(manifest["metric"]), evidence["best"]
    chosen = ", ".join(
        f"{name}={text_of(best['parameters'][name])}" for name in manifest["grid"]["axes"]
    )
    row("best set", f"[bold]{escape(chosen)}[/]")
    trips, margin = int(best["round_trips"]), best["peak_margin"]
    peak = "unknown" if margin is None else f"{margin:,.0f} yuan"
    row(_short(metric), f"[bold]{escape(_value(metric, best[metric]))}[/]; {trips:,} round"
        f" trip{'' if trips == 1 else 's'}, peak margin {peak}")
    if evidence.get("few") is not None:
        _few(evidence["few"], row)
    trials = evidence["trials"]
    row("trials", f"{trials['sweep']:,} in this sweep, {trials['ever']:,} ever on these data,"
        f" {figure_of(trials['effective'], ',.1f')} effective")
    if evidence.get("sharpe") is None:
        row("Sharpe", "no inference: too few round trips")
    else:
        _luck(evidence, row)
    _rest(evidence, metric, row)
    walk = evidence.get("walk")
    if walk is not None:
        row("walk-forward", f"{len(walk['windows'])} windows, net {figure_of(walk['net'], '+,.0f')}"
            f" yuan out of sample; Sharpe {figure_of(walk['sharpe'])} after"
            f" {figure_of(walk['in_sample_sharpe'])} in training")
    data = manifest["data"]
    label = "[bold red]SIMULATED[/] " if data["simulated"] else ""
    row("data", f"{label}{escape(str(data['source']))}, {data['first']}..{data['last']},"
        f" {data['sha256'][:12]}")
    looked = manifest.get("lookahead")
    if looked is not None:
        row("look-ahead", escape(str(looked["verdict"])))
    again = manifest["booked_again"]
    row("checked", f"{len(again['sets'])} sets booked again one by one"
        f"{_equal(again)}; largest difference"
        f" {again['largest_difference_between_books_yuan']:.6f} yuan")
    return table


def _equal(again: Mapping[str, Any]) -> str:
    return f", {again['equal']} of them equal to the fen" if "equal" in again else ""


def _few(few: Mapping[str, Any], row: Any) -> None:
    """Other years and pairs before all else."""
    order = {"control": 0, "placebo": 1}
    rows = sorted(few.get("comparisons") or [], key=lambda r: order.get(str(r["role"]), 2))
    for each in rows:
        hedged = each.get("hedged")
        if each.get("net") is None:
            text = f"[dim]{escape(str(each.get('note') or 'not available'))}[/]"
        else:
            text = f"{figure_of(each['net'], '+,.0f')} yuan"
            if hedged is not None:
                text += f"; goods + futures {figure_of(hedged, '+,.0f')}"
        row(escape(str(each["role"])), f"{escape(str(each['name']))}: {text}")
    if not rows:
        note = few.get("note") or "the strategy names no other year or pair"
        row("controls", f"none: {escape(str(note))}")
    entry = few.get("entry_day")
    if entry is None:
        row("entry day", "cannot be ranked")
    else:
        row("entry day", f"rank {entry['rank']} of {entry['of']} possible days; net of all"
            f" {figure_of(entry['worst'], '+,.0f')} to {figure_of(entry['best'], '+,.0f')},"
            f" median {figure_of(entry['median'], '+,.0f')} yuan")


def _luck(evidence: Mapping[str, Any], row: Any) -> None:
    ratio, trials = evidence["sharpe"], evidence["trials"]
    row("Sharpe", f"{figure_of(ratio['best'])} a year; luck alone would show"
        f" {figure_of(ratio['expected_maximum'])}; probabilistic"
        f" {figure_of(ratio['probabilistic'])}")
    row("deflated", f"{figure_of(ratio['deflated'])} for this sweep,"
        f" {figure_of(ratio['deflated_effective'])} for {figure_of(trials['effective'], ',.1f')}"
        f" effective, {figure_of(ratio['deflated_ever'])} for all ever (0.95 is asked for)")
    row("backtest", f"{figure_of(ratio['years'])} years; so many trials need"
        f" {figure_of(ratio['minimum_backtest_years'])}")
    overfit = evidence.get("overfit")
    if overfit is not None:
        drawn = f" (sample of {overfit['sets']:,})" if overfit["sampled"] else ""
        row("PBO", f"{figure_of(overfit['pbo'])} over {overfit['splits']:,} splits{drawn};"
            f" loses out of sample in {figure_of(overfit['loss'], '.0%')}")
    reality = evidence.get("reality_check")
    if reality is not None:
        row("reality check", f"p {figure_of(reality['p'], '.3f')} against"
            f" {escape(str(reality['benchmark']))}")
    cut = ratio["haircut"]["sharpe"]
    row("haircut", "Sharpe left " + ", ".join(
        f"{figure_of(cut[name])} {label}" for name, label in
        (("bonferroni", "Bonferroni"), ("holm", "Holm"), ("bhy", "BHY")) if name in cut
    ))  # fmt: skip


def _rest(evidence: Mapping[str, Any], metric: str, row: Any) -> None:
    found = evidence.get("plateau")
    if found is None or not found["axes"]:
        row("plateau", "none: no number was swept")
    else:
        row("plateau", f"median of the neighbourhood {shown(metric, found['median'])}, keeps"
            f" {figure_of(found['keeps'], '.0%')}; {figure_of(found['holding'], '.0%')} of"
            f" {len(found['neighbours']):,} neighbours hold 70 %")
    stress = evidence.get("cost_stress")
    if stress is not None:
        nets = ", ".join(f"{each['ticks']}: {figure_of(each['net'], '+,.0f')}"
                         for each in stress["rows"])  # fmt: skip
        even = stress["break_even_ticks"]
        if even is None:
            said = f"beyond {stress['looked_up_to']} ticks"
        else:
            said = f"at {even:.1f} ticks" if even > 0 else "never, not even without slippage"
        row("cost stress", f"net by ticks {nets}; breaks even {said}")


def _top(sweep: Sweep, count: int, width: int) -> Table:
    """Return the best sets; return, round trips and peak margin side by side."""
    metric = str(sweep.manifest["metric"])
    rows = sweep.top(count)
    few = sweep.evidence.get("sharpe") is None
    figures = [metric, *(name for name in _FIGURES if name != metric)]
    figures = [
        name for name in figures
        if name in rows and not (few and name == "sharpe") and rows[name].notna().any()
    ]  # fmt: skip
    names = list(sweep.manifest["grid"]["axes"])
    columns = {"set": ["set", *map(str, rows["set"])]}
    columns |= {name: [name, *map(text_of, rows[name])] for name in names}
    columns |= {
        name: [_LABELS.get(name, name.replace("_", " ")), *(_value(name, v) for v in rows[name])]
        for name in figures
    }
    for name in _FIRST_LEFT_OUT:
        if sum(1 + max(map(len, cells)) for cells in columns.values()) <= width + 1:
            break
        if name != metric:
            columns.pop(name, None)
    title = f"best {len(rows):,} by {escape(metric_name(metric))}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
                  padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)  # fmt: skip
    for name, cells in columns.items():
        table.add_column(escape(cells[0]), justify="right", overflow="fold",
                         no_wrap=name in figures)  # fmt: skip
    for line in zip(*(cells[1:] for cells in columns.values()), strict=True):
        table.add_row(*map(escape, line))
    return table


def _refused(sets: Mapping[str, Any], console: Console) -> None:
    """Print how many sets were refused, by reason; none is dropped in silence."""
    left = int(sets["left_out_by_where"])
    if left:
        console.print(f"Left out by --where: {left:,} sets")
    total = int(sets["refused"])
    if not total:
        return
    console.print(f"[yellow]Refused[/]: {total:,} of {int(sets['looked_at']):,} sets")
    reasons = sorted(
        ((str(reason), int(number)) for reason, number in sets["reasons"].items() if number),
        key=lambda pair: (-pair[1], pair[0]),
    )
    for reason, number in reasons[:_REASONS]:
        console.print(f"  {number:,}× {escape(reason.removeprefix('refused: '))}", soft_wrap=True)
    rest = total - sum(number for _, number in reasons[:_REASONS])
    if rest > 0:
        console.print(f"  {rest:,}× for other reasons, named in sets.parquet")


def _short(metric: str) -> str:
    named = {"hedged": "goods + futures", "hedged_per_tonne": "goods + futures per tonne"}
    return named.get(metric, metric.replace("_", " "))


def _value(metric: str, value: Any) -> str:
    number = math.nan if value is None else float(value)
    return shown(metric, number, sign=metric in _SIGNED)
