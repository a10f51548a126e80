"""The best and the worst sets beside each other, and those that were refused."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.report.page import missing, table
from sibt.report.sweep.outcome import Outcome, form_of, metric_name, text_of
from sibt.strategy.strategy import Param

__all__ = ["command_of", "refused_part", "structures_table", "table_part"]

_BEST, _WORST = 50, 10

#: Structures listed in a table, at most.
_STRUCTURES = 200

_COLUMNS = {
    "net": ("net yuan 净损益", "+,.0f"),
    "hedged": ("goods + futures yuan 现货加期货", "+,.0f"),
    "effective_price": ("price yuan/t 实际价格", ",.1f"),
    "hedged_per_tonne": ("goods + futures yuan/t 每吨", "+,.1f"),
    "variance_reduction": ("variance cut 方差降幅", ".1%"),
    "peak_cash": ("peak cash yuan 资金占用峰值", ",.0f"),
    "total_return": ("return 收益率", "+.2%"),
    "round_trips": ("round trips 回合", ",.0f"),
    "peak_margin": ("peak margin yuan 最高保证金", ",.0f"),
    "return_on_margin": ("on margin 保证金收益率", "+.1%"),
    "sharpe": ("Sharpe 夏普", ".2f"),
    "max_drawdown": ("drawdown 回撤", ".2%"),
    "fees": ("fees yuan 手续费", ",.0f"),
    "margin_calls": ("margin calls 追保", ",.0f"),
    "unfilled_orders": ("unfilled 未成交", ",.0f"),
}


def table_part(found: Outcome) -> str:
    """Return the best sets and, so that nothing is hidden, the worst ones."""
    known = np.flatnonzero(~found.refused)
    # The first of equals, as everywhere; sets without a value stand last.
    order = known[np.argsort(-found.values[known], kind="stable")]
    best = order[:_BEST]
    worst = order[_BEST:][-_WORST:]
    frame, marks, formats = _frame(found, np.concatenate([best, worst]), len(best))
    said = f"The best {len(best):,}" + (f" and the worst {len(worst):,}" if len(worst) else "")
    intro = (
        f"{said} of {len(known):,} booked sets by {metric_name(found.metric)}; the chosen one"
        " stands first. All of them, with every figure: sets.parquet. A heading sorts."
    )
    return (
        f"<h2>Sets 参数组</h2>\n<p>{escape(intro)}</p>\n"
         '<div class="sortable">'
        + table(frame, formats=formats, marks=marks)
        + "</div>\n"
    )


def _frame(
    found: Outcome, rows: np.ndarray, best: int
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    from pyarrow import parquet

    file = parquet.ParquetFile(found.sweep.folder / "sets.parquet")
    # What is sorted by stands first.
    wanted = [found.metric, *(name for name in _COLUMNS if name != found.metric)]
    there = [name for name in wanted if name in _COLUMNS and name in file.schema_arrow.names]
    order = np.argsort(rows, kind="stable")
    parts = []
    begin = 0
    # Row group by row group: a million sets are never in memory whole.
    for number in range(file.num_row_groups):
        count = file.metadata.row_group(number).num_rows
        mine = rows[(rows >= begin) & (rows < begin + count)]
        if len(mine):
            part = file.read_row_group(number, columns=["set", *there]).take(np.sort(mine) - begin)
            parts.append(part.to_pandas())
        begin += count
    figures = pd.concat(parts, ignore_index=True)
    figures.index = pd.Index(rows[order])
    figures = figures.loc[rows]
    frame = pd.DataFrame({"set": figures["set"].map("{}".format).to_numpy()}, dtype=object)
    for axis in found.axes:
        frame[axis.name] = [axis.labels[place] for place in found.places[axis.name][rows]]
    formats = {}
    few = found.sweep.evidence.get("sharpe") is None
    for name in there:
        label, form = _COLUMNS[name]
        if figures[name].isna().all() or (name == "sharpe" and few):
            continue
        # A parameter may bear the name of a figure.
        label = f"{label} " if label in frame else label
        frame[label] = figures[name].to_numpy()
        formats[label] = form
    marks = ["note" if at == 0 else "" if at < best else "doubtful" for at in range(len(rows))]
    return frame, marks, formats


def refused_part(found: Outcome) -> str:
    """Return every reason sets were refused for, how often, and one of them; and those left out."""
    counts = found.sweep.manifest["sets"]
    head = "<h2>Refused and left out 被拒与未看</h2>\n"
    looked, grid = int(counts["looked_at"]), int(counts["grid"])
    left = int(counts["left_out_by_where"])
    said = [f"The grid has {grid:,} sets; {looked:,} were looked at."]
    if left:
        said.append(f"--where {found.sweep.manifest['grid']['where']!r} left out {left:,}.")
    if grid - looked - left > 0:
        said.append(f"{grid - looked - left:,} were not drawn: a random sample.")
    text = head + f"<p>{escape(' '.join(said))}</p>\n"
    if not found.refused.any():
        return text + "<p>None was refused.</p>\n"
    total = len(found.values)
    rows = [
        {
            "reason 原因": reason,
            "sets 组数": count,
            "share": count / total,
            "the first of them": found.instances.get(reason),
        }
        for reason, count in list(found.reasons.items())[:100]
    ]
    rest = list(found.reasons.values())[100:]
    if rest:
        rows.append({"reason 原因": f"{len(rest):,} more reasons", "sets 组数": sum(rest),
                     "share": sum(rest) / total, "the first of them": None})  # fmt: skip
    return text + table(
        pd.DataFrame(rows), formats={"share": ".1%", "sets 组数": ",.0f"},
        caption=f"{int(found.refused.sum()):,} sets could not be booked; all stand in sets.parquet"
                " with their reason",
    )  # fmt: skip


def structures_table(found: Outcome) -> str:
    """Return one row a structure: how its sets did, the bad ones too."""
    if not found.structural:
        return ""
    rows = []
    groups = list(found.structures())
    for places, members in groups[:_STRUCTURES]:
        values = found.values[members]
        values = values[~np.isnan(values)]
        named = {
            axis.name: axis.labels[place]
            for axis, place in zip(found.structural, places, strict=True)
        }
        rows.append(
            {
                **named,
                "sets 组数": len(members),
                "refused 被拒": int(found.refused[members].sum()),
                "best 最优": values.max() if len(values) else None,
                "median 中位": float(np.median(values)) if len(values) else None,
                "worst 最差": values.min() if len(values) else None,
                "above zero 盈利": float(np.mean(values > 0)) if len(values) else None,
            }
        )
    form = form_of(found.metric)
    formats = dict.fromkeys(("best 最优", "median 中位", "worst 最差"), form)
    marks = ["note" if found.best in members else "" for _, members in groups[:_STRUCTURES]]
    text = table(
        pd.DataFrame(rows), formats={**formats, "above zero 盈利": ".0%"}, marks=marks,
        caption=f"{metric_name(found.metric)} by structure; a bar at the left marks the chosen one",
    )  # fmt: skip
    if len(groups) > _STRUCTURES:
        text += missing(f"{len(groups) - _STRUCTURES:,} more structures stand in sets.parquet.")
    return text


def command_of(found: Outcome, declared: Mapping[str, Param]) -> str:
    """Return the command that runs the chosen set by itself.

    Parameters held at another value than the strategy's default are part of it.
    """
    manifest = found.sweep.manifest
    values = found.sweep.evidence["best"]["parameters"]
    given = {name: text_of(value) for name, value in manifest["grid"]["fixed"].items()}
    for name, param in declared.items():
        if given.get(name) == text_of(param.read(name, param.default)):
            del given[name]
    given |= {axis.name: text_of(values[axis.name]) for axis in found.axes}
    words = ["sibt", "run", manifest["strategy"]["file"]]
    for name, value in given.items():
        words += ["-p", f"{name}={value}"]
    return shlex.join(words)
