"""The page of a sweep, put together."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
from markupsafe import escape

from sibt.report.page import missing, page
from sibt.report.sweep.drawing import HATCH
from sibt.report.sweep.evidence import evidence_part, few_part, parameters_text, trips_text, verdict
from sibt.report.sweep.heatmaps import heat_maps, multiples
from sibt.report.sweep.outcome import Outcome, metric_name, outcome, shown
from sibt.report.sweep.sets import command_of, refused_part, structures_table, table_part
from sibt.report.sweep.settings import declared_in, meanings, settings_part
from sibt.report.sweep.slices import distribution, slices
from sibt.report.sweep.walk import walk_part
from sibt.strategy.strategy import Param
from sibt.sweep.sweep import Sweep

__all__ = ["sweep_page"]

#: The tear sheet of a walk-forward, where it lies beside the page.
_WALK = "walk.html"


def sweep_page(sweep: Sweep, path: Path) -> None:
    """Write the page of a sweep: one file that opens from disk, the same bytes every time.

    The verdict stands first, then the evidence, then the pictures: structures as small
    multiples, heat maps of every pair of numbers, slices, the distribution over all sets; then
    the best and worst sets, the refused ones, and how it was made. However many sets there are,
    the pictures hold cells, bins and quartiles, never one mark a set.

    Parameters
    ----------
    sweep : Sweep
        A finished sweep.
    path : Path
        Where to write.
    """
    found = outcome(sweep)
    declared = declared_in(found)
    evidence, data = sweep.evidence, sweep.manifest["data"]
    few = evidence.get("few") is not None
    note = (sweep.manifest.get("engine") or {}).get("note")
    checked = sweep.manifest.get("lookahead") or {"passed": True}
    parts = [
        f"<style>\n{_asset('sweep.css')}</style>\n{HATCH}",
        verdict(evidence),
        _summary(found, declared),
        missing(str(note)) if note else "",
        few_part(evidence),
        structures_table(found) if few else "",
        evidence_part(evidence),
        meanings(found, declared),
        distribution(found),
        multiples(found),
        "" if few else structures_table(found),
        heat_maps(found),
        slices(found),
        walk_part(evidence.get("walk"), _WALK if (path.parent / _WALK).is_file() else None),
        table_part(found),
        refused_part(found),
        settings_part(found, declared),
        f"<script>\n{_asset('sweep.js')}</script>\n",
    ]
    text = page(
        f"Sweep 参数扫描: {sweep.manifest['strategy']['name']}",
        "".join(parts),
        simulated=bool(data["simulated"]),
        looks_ahead="" if checked["passed"] else str(checked["leaks"][0]["sentence"]),
        source=f"{data['source']}, {data['first']}..{data['last']}, sha256 {data['sha256'][:12]}",
    )
    path.write_text(text, encoding="utf-8", newline="\n")


def _summary(found: Outcome, declared: Mapping[str, Param]) -> str:
    counts, best = found.sweep.manifest["sets"], found.sweep.evidence["best"]
    said = [f"{int(counts['booked']):,} sets booked 已算"]
    if counts["refused"]:
        said.append(f"{int(counts['refused']):,} refused 被拒")
    if counts["left_out_by_where"]:
        said.append(f"{int(counts['left_out_by_where']):,} left out by --where")
    equal = int(np.sum(found.values == found.value)) - 1
    level = f"; {equal:,} more come to the same" if equal > 0 else ""
    chosen = parameters_text(found.sweep.evidence, [axis.name for axis in found.axes])
    margin = best["peak_margin"]
    peak = "unknown" if margin is None else f"{margin:,.0f} yuan"
    return (
        f"<p>{escape(', '.join(said))}. Sorted by {escape(metric_name(found.metric))}.</p>\n"
        f"<p>Chosen set 选定 {int(best['set'])}: {chosen}:"
        f" {escape(shown(found.metric, found.value))} in {trips_text(best['round_trips'])},"
        f" peak margin 最高保证金 {peak}{escape(level)}."
        f" By itself: <code>{escape(command_of(found, declared))}</code>, on these data and with"
        " the settings below.</p>\n"
    )


def _asset(name: str) -> str:
    return (resources.files("sibt.report.sweep") / name).read_text("utf-8")
