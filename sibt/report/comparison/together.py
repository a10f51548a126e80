"""How runs went together: correlation of their daily results, and their round trips."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import escape

from sibt.language import BOTH
from sibt.report.page import missing, table
from sibt.runs.comparison import FEW_SESSIONS, Comparison

__all__ = ["correlation_part", "trips_table"]

#: Rows of the table of round trips; the runs' own files have all of them.
_MOST_TRIPS = 500


def correlation_part(comparison: Comparison) -> str:
    """Return a table of correlations, its cells coloured by how strong they are."""
    letters = comparison.letters
    known: Any = comparison.correlation
    common: Any = comparison.common
    said = BOTH(
        "Correlation of the futures accounts' daily results, over sessions that count in both runs"
        " and in which one of them or both held lots (below, their number). “–” stands where"
        " there are fewer than {few}, where a run gained and lost nothing in them, and between"
        " made-up prices and real ones.",
        few=FEW_SESSIONS,
    )
    names = "".join(f'<th scope="col">{letter}</th>' for letter in letters)
    rows = []
    for a in letters:
        cells = []
        for b in letters:
            value = float(known.at[a, b])
            count = f"<small>{int(common.at[a, b]):,}</small>"
            if math.isnan(value):
                cells.append(f'<td class="none">–{count}</td>')
                continue
            tone = "--high" if value < 0 else "--low"
            share = round(0.05 + 0.35 * abs(value), 3)
            style = f"--tone: var({tone}); --share: {share}"
            text = f"{value:+.2f}".replace("-", "−")
            cells.append(f'<td class="heat" style="{style}">{text}{count}</td>')
        rows.append(f'<tr><th scope="row">{a}</th>{"".join(cells)}</tr>')
    label = escape(BOTH("Correlation of daily results"))
    return (
        f"<p>{escape(said)}</p>\n"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="matrix together"><thead><tr><th scope="col">{escape(BOTH("run"))}</th>'
        f"{names}</tr></thead>\n<tbody>" + "\n".join(rows) + "</tbody></table></div>\n"
    )


def trips_table(comparison: Comparison) -> str:
    """Return the round trips of all runs by entry."""
    trips = comparison.round_trips
    if trips.empty:
        return missing(BOTH("No position was held in any of the runs."))
    names = {name: BOTH(label) for name, label in _COLUMNS.items()}
    if not (trips["rolls"] > 0).any():
        del names["rolls"]
    rows = trips.head(_MOST_TRIPS)[list(names)].rename(columns=names)
    said = BOTH("Round trips of all runs by entry, yuan; spreads in yuan/t")
    if len(trips) > len(rows):
        said = BOTH(
            "The first {shown} of {count} round trips by entry, yuan; each run's round_trips.csv"
            " has all of its own",
            shown=len(rows), count=len(trips),
        )  # fmt: skip
    exits = rows[names["exit"]].astype(object)
    rows[names["exit"]] = exits.where(exits.notna(), BOTH("still open"))
    formats = {names[key]: ",.2f" for key in ("net", "worst", "best")}
    formats |= {names[key]: ",.0f" for key in ("entry_spread", "exit_spread")}
    formats[names["units"]] = "+,.0f"
    return table(
        rows, caption=said, head=True, tall=len(rows) > 20, formats=formats,
        signed=[names[key] for key in ("net", "worst", "best")],
    )  # fmt: skip


_COLUMNS = {
    "run": "run", "entry": "entry", "exit": "exit", "units": "units", "entry_spread": "in at",
    "exit_spread": "out at", "net": "net", "worst": "worst point", "best": "best point",
    "sessions": "sessions", "rolls": "rolls",
}  # fmt: skip
