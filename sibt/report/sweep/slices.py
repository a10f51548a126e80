"""The metric against one parameter at a time, and its distribution over all sets."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from sibt.report.page import missing
from sibt.report.sweep.drawing import histogram, whiskers
from sibt.report.sweep.evidence import figure_of
from sibt.report.sweep.outcome import Outcome, bins, metric_name, shown

__all__ = ["NOTHING", "course", "distribution", "slices", "spread_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOST = 60

#: What stands where no set has the metric.
NOTHING = (
    "No set has a value of this metric: a Sharpe ratio needs at least three round trips, a variance"
    " reduction six stretches of 20 quotes; sweep with --metric net."
)


def slices(found: Outcome) -> str:
    """Return one picture a parameter: the others as chosen, and the spread over all sets."""
    known = found.values[~np.isnan(found.values)]
    if not len(known):
        return "<h2>Slices 单参数切片</h2>\n" + missing(NOTHING)
    parts = [
        ("<h2>Slices 单参数切片</h2>\n"
        f"<p>{escape(metric_name(found.metric).capitalize())} against one parameter. Dots: all"
        " other parameters as chosen, the large one is the chosen set. Grey: all sets with that"
        " value, from the worst to the best, the middle half wide, the median a stroke. Hatched:"
        " share of sets refused. Every picture has the same upright axis, which covers all"
        " sets.</p>\n"
        '<div class="pics">\n')
    ]
    reach = (float(known.min()), float(known.max()))
    notes = []
    for axis in found.axes:
        grid = bins(axis, _MOST)
        count = len(grid.labels)
        place = grid.of[found.places[axis.name]]
        spread, barred = spread_of(found.values, found.refused, place, count)
        same = found.like_best(axis)
        line = course(found.values[same], place[same], count)
        line[grid.of[found.at(axis)]] = found.value  # itself, not the mean of its bin
        parts.append(whiskers(
            grid.labels, spread, line, barred, int(grid.of[found.at(axis)]), reach,
            axis.name, axis.name, found.metric, partial(shown, found.metric),
            joined=not axis.structural,
        ))  # fmt: skip
        if grid.joined:
            notes.append(f"{axis.name} has {len(axis.labels):,} values: drawn in {count} bins, the"
                         " small dots are the mean of a bin.")  # fmt: skip
        if same.sum() < len(axis.labels):
            notes.append(
                f"{axis.name}: {int(same.sum()):,} of its {len(axis.labels):,} values were looked"
                " at with the others as chosen."
            )
    parts.append("</div>\n")
    parts += [f'<p class="soft">{escape(note)}</p>\n' for note in notes]
    return "".join(parts)


def spread_of(
    values: FloatArray, refused: NDArray[np.bool_], place: IntArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return the five quartiles by place, shape (5, count), and the share refused, (count,)."""
    looked = np.bincount(place, minlength=count)
    barred = np.bincount(place[refused], minlength=count)
    known = ~np.isnan(values)
    order = np.argsort(place[known], kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(place[known], minlength=count))])
    sorted_ = values[known][order]
    spread = np.full((5, count), np.nan)
    for at in range(count):
        part = sorted_[edges[at] : edges[at + 1]]
        if len(part):
            spread[:, at] = np.quantile(part, (0.0, 0.25, 0.5, 0.75, 1.0))
    return spread, np.divide(barred, looked, out=np.zeros(count), where=looked > 0)


def course(values: FloatArray, place: IntArray, count: int) -> FloatArray:
    """Return the mean by place; NaN where nothing is known."""
    known = ~np.isnan(values)
    number = np.bincount(place[known], minlength=count)
    total = np.bincount(place[known], weights=values[known], minlength=count)
    mean: FloatArray = np.divide(total, number, out=np.full(count, np.nan), where=number > 0)
    return mean


def distribution(found: Outcome) -> str:
    """Return the metric over all sets, the best one marked, and what luck alone would give."""
    known = found.values[~np.isnan(found.values)]
    out = ["<h2>All sets 全部参数组</h2>\n"]
    if not len(known):
        return out[0] + missing(NOTHING)
    ratio = found.sweep.evidence.get("sharpe")
    said = [
        (f"{metric_name(found.metric).capitalize()} of {len(known):,} sets that have one: median"
        f" {shown(found.metric, float(np.median(known)))}, worst"
        f" {shown(found.metric, float(known.min()))}; {_share(known > 0)} are above zero,"
        f" {_share(known < 0)} below and {_share(known == 0)} exactly zero.")
    ]
    without = len(found.values) - len(known) - int(found.refused.sum())
    if without:
        why = " (too few round trips)" if found.metric == "sharpe" else ""
        said.append(f"{without:,} sets were booked and have none{why}.")
    marks = [(found.value, f"best 最优 {shown(found.metric, found.value)}", "best")]
    if ratio is None:
        said.append("With so few round trips nobody can say what luck alone would give.")
    elif found.metric == "sharpe":
        marks.append(_luck(ratio, found))
        said.append(_lucky(found))
    out.append(f"<p>{escape(' '.join(said))}</p>\n")
    if known.min() == known.max():
        out.append(missing(f"Every set comes to {shown(found.metric, found.value)}: there is"
                           " nothing to spread out."))  # fmt: skip
    else:
        out.append(_bars(known, found.metric, marks))
    if ratio is not None and found.metric != "sharpe":
        table = found.sweep.table(["sharpe", "reason"])
        sharpes = table["sharpe"].to_numpy(float)
        sharpes = sharpes[~np.isnan(sharpes)]
        if len(sharpes) and sharpes.min() < sharpes.max():
            marks = [(ratio["best"], f"the chosen set {ratio['best']:.2f}", "best"),
                     _luck(ratio, found)]  # fmt: skip
            out.append(f"<p>{escape(_lucky(found))}</p>\n")
            out.append(_bars(sharpes, "sharpe", marks))
    return "".join(out)


def _share(mask: NDArray[np.bool_]) -> str:
    """Return a share as text that does not round few down to none, nor most up to all."""
    share = float(mask.mean())
    if 0.0 < share < 0.01:
        return "under 1%"
    return "over 99%" if 0.99 < share < 1.0 else f"{share:.0%}"


def _luck(ratio: dict[str, float], found: Outcome) -> tuple[float, str, str]:
    value = ratio["expected_maximum"] or 0.0  # unknown of a single set: nothing by luck
    return value, f"luck alone 纯运气 {value:.2f}", "luck"


def _lucky(found: Outcome) -> str:
    ratio, count = found.sweep.evidence["sharpe"], found.sweep.evidence["trials"]["sweep"]
    return (
        f"Were no set any good, the best of {count:,} with this spread"
        f" ({figure_of(ratio['spread'])}) would still be expected to show a Sharpe ratio of"
        f" {figure_of(ratio['expected_maximum'])}."
    )


def _bars(values: FloatArray, metric: str, marks: list[tuple[float, str, str]]) -> str:
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, bins=_edges(low, high))
    return '<div class="wide">' + histogram(
        edges, counts.astype(np.int64), f"Distribution of the {metric_name(metric)} 分布",
        metric_name(metric), marks=marks, write=partial(shown, metric),
    ) + "</div>\n"  # fmt: skip


def _edges(low: float, high: float) -> FloatArray:
    """Return edges over the whole range, zero one of them: no bar holds gain and loss."""
    step = (high - low) / _MOST
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    edges = np.arange(first, last + 1) * step
    # The outermost sets stay inside, whatever rounding does.
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges.astype(np.float64)
