"""Pieces of the page: verdicts as chips, whose sign and word say what colour says, and links."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from markupsafe import Markup

from sibt.language import Language
from sibt.report.claims.words import counted, verdicts
from sibt.report.page import table
from sibt.report.run.section import minus
from sibt.research.claims.score import Scored
from sibt.research.claims.verdict import Score

__all__ = ["anchor", "chip", "chips", "lines", "link", "rows_table"]


def chip(verdict: str, t: Language) -> Markup:
    """Return a verdict as a chip."""
    return Markup('<span class="chip {}">{}</span>').format(verdict, verdicts(t)[verdict])


def chips(rows: Iterable[Score], t: Language) -> Markup:
    """Return a chip for each verdict that was given, with how often."""
    one = Markup('<span class="chip {}">{} <b>{}</b></span>')
    found = [one.format(name, words, count) for name, words, count in counted(rows, t)]
    return Markup(" ").join(found)


def anchor(scored: Scored, name: str) -> str:
    """Return where a claim or an inconsistency of a report stands on the page."""
    return f"{scored.report.id}.{name}"


def link(to: str, label: str) -> Markup:
    """Return a link, ``#place`` for one within the page."""
    return Markup('<a href="{}">{}</a>').format(to, label)


def lines(texts: Iterable[str]) -> Markup:
    """Return texts below each other, with true minus signs."""
    return Markup("<br>").join(minus(text) for text in texts)


def rows_table(frame: pd.DataFrame, caption: str = "", *, tall: bool = False) -> str:
    """Return a table whose first column names the row and whose columns may be narrow."""
    html = table(frame, head=True, caption=caption, tall=tall)
    return html.replace("<table>", '<table class="scores">', 1)
