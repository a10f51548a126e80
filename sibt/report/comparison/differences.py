"""What runs differ in: parameters, data, settings and versions in a table, code line by line."""

from __future__ import annotations

import pandas as pd
from markupsafe import escape

from sibt.language import BOTH
from sibt.report.page import missing, table
from sibt.runs.comparison import FIRST, Comparison

__all__ = ["WORDS", "code_part", "common_only", "differs_part"]

#: Words that stand for values.
WORDS = ("none", "yes", "no")


def common_only(differs: pd.DataFrame, letters: list[str]) -> pd.DataFrame:
    """Return the rows in which two runs that both have such a thing differ.

    The others are parameters of one strategy which the other has not at all.
    """
    return differs[[len(set(row) - {"–"}) > 1 for row in differs[letters].to_numpy()]]


def differs_part(comparison: Comparison) -> str:
    """Return the tables of what differs."""
    found = comparison.differs
    if found.empty:
        return missing(BOTH("Nothing differs: parameters, data, settings and code are the same."))
    main = common_only(found, comparison.letters)
    text = _table(main, BOTH("Values as they were set")) if len(main) else ""
    rest = found.drop(main.index)
    if len(rest):
        line = BOTH("{count} parameters that only some of the strategies have", count=len(rest))
        text += (
            f"<details><summary>{escape(line)}</summary>"
            f"{_table(rest, BOTH('Parameters of some strategies only'))}</details>\n"
        )
    return text


def _table(rows: pd.DataFrame, caption: str) -> str:
    # Values stay as they were set, but for the words that stand for some of them.
    shown = rows.map(lambda cell: BOTH(cell) if cell in WORDS else cell)
    shown = shown.assign(part=[BOTH(part) for part in rows["part"]])
    shown = shown[["key", "part", *(name for name in rows if name not in ("part", "key"))]]
    shown = shown.rename(columns={"part": BOTH("part"), "key": BOTH("what")})
    text = table(shown, caption=caption, head=True)
    return text.replace("<table>", '<table class="differs">', 1)


def code_part(comparison: Comparison) -> str:
    """Return the code of each run against that of the first, closed until it is asked for."""
    parts = []
    for letters, side in comparison.codes:
        if FIRST in letters:
            others = [letter for letter in letters if letter != FIRST]
            if others:
                line = BOTH("The code of {letters} is that of {first}.",
                            letters=", ".join(others), first=FIRST)  # fmt: skip
                parts.append(f"<p>{escape(line)}</p>\n")
            continue
        lines = comparison.diff(side)
        if not side.code or not comparison.sides[0].code:
            line = BOTH("{letters}: no strategy file was kept, so its code cannot be shown.",
                        letters=", ".join(letters if comparison.sides[0].code else [FIRST]))
            parts.append(missing(line))
            continue
        added = sum(line[0] == "+" for line in lines[2:])
        removed = sum(line[0] == "-" for line in lines[2:])
        head = BOTH(
            "Code of {letters} against {first}: {added} lines more, {removed} lines fewer",
            letters=", ".join(letters), first=FIRST, added=added, removed=removed,
        )  # fmt: skip
        body = "".join(
            f"<span{_class(line, n)}>{escape(line) or ' '}</span>" for n, line in enumerate(lines)
        )
        label = escape(head)
        parts.append(
            f'<details class="code"><summary>{label}</summary>'
            f'<pre class="diff" tabindex="0" role="region" aria-label="{label}">{body}</pre>'
            "</details>\n"
        )
    return "".join(parts)


def _class(line: str, number: int) -> str:
    if number < 2 or line.startswith("@@"):
        return ' class="at"'
    return {"+": ' class="added"', "-": ' class="removed"'}.get(line[:1], "")
