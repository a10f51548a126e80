"""What makes a run's result doubtful, why that matters, what to do; and whether it looks ahead."""

from __future__ import annotations

from markupsafe import escape

from sibt.language import Language
from sibt.report.run.section import minus, paragraph
from sibt.runs.run import Run

__all__ = ["diagnosis", "mark"]


def mark(run: Run, t: Language) -> str:
    """Return what a strategy saw too early, as text for the band; empty where it saw nothing."""
    if run.lookahead is None or run.lookahead.passed:
        return ""
    return t(run.lookahead.leaks[0].sentence)


def diagnosis(run: Run, t: Language) -> str:
    """Return the diagnosis as an HTML list, and what the look-ahead check came to."""
    rows = "".join(
        _row(f"<strong>{escape(minus(t(one.issue)))}</strong><br>{escape(minus(t(one.why)))}",
             t(one.cure))
        for one in run.diagnosis
    )  # fmt: skip
    if rows:
        found = f'<ol class="diagnosis">\n{rows}</ol>\n'
    else:
        found = paragraph(t, t("The doctor found nothing that makes this result doubtful."))
    return _checked(run, t) + found if run.looks_ahead else found + _checked(run, t)


def _checked(run: Run, t: Language) -> str:
    """Return the verdict on looking ahead, and everything that was found."""
    verdict = run.lookahead
    if verdict is None:
        return paragraph(t, t("Whether the strategy looks ahead was not checked: sibt check does."))
    # The first leak is the verdict.
    found = [(t(leak.sentence), leak) for leak in (*verdict.leaks, *verdict.notes)]
    if verdict.leaks:
        found[0] = (t(verdict.sentence), verdict.leaks[0])
    rows = "".join(
        _row(f"<strong>{escape(minus(words))}</strong>" if leak.grave else str(escape(words)),
             "" if leak.cure is None else t(leak.cure))
        for words, leak in found
    )  # fmt: skip
    listed = f'<ul class="diagnosis">\n{rows}</ul>\n' if rows else ""
    return listed if verdict.leaks else paragraph(t, t(verdict.sentence)) + listed


def _row(words: str, cure: str) -> str:
    """Return an item of a list; in a cure stand commands, whose hyphens stay hyphens."""
    more = f'<br><span class="cure">→ {escape(cure)}</span>' if cure else ""
    return f"<li>{words}{more}</li>\n"
