"""The section of one report: its claims, where it contradicts itself, what is only watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from sibt.language import Language
from sibt.report.claims.chips import anchor, chips, lines, link, rows_table
from sibt.report.claims.claim import article, sentence
from sibt.report.claims.words import by_claim, figures, known
from sibt.report.run.section import points
from sibt.research.claims.score import ClaimScore, Scored

__all__ = ["body"]

_Claims = Sequence[tuple[ClaimScore, ...]]

#: A longer table scrolls within itself.
_LONG = 12


def body(scored: Scored, t: Language) -> str:
    """Return the section of a report, below its heading.

    Claims that were put to the test stand with what happened; those that wait for data, those
    nobody can test and those that are only watched are a row of a table each.

    Parameters
    ----------
    scored : Scored
        The report.
    t : Language
        Language.
    """
    claims = by_claim(scored.rows)
    watched = [rows for rows in claims if all(row.reading.test == "watch" for row in rows)]
    vague = [rows for rows in claims if all(row.reading.test == "vague" for row in rows)]
    waiting = [rows for rows in claims
               if rows not in watched and all(row.verdict == "untestable" for row in rows)]
    apart = {id(rows) for each in (watched, vague, waiting) for rows in each}
    return (
        _origin(scored, t)
        + _overview(scored, claims, t)
        + _inconsistencies(scored, claims, t)
        + "".join(article(scored, rows, t) for rows in claims if id(rows) not in apart)
        + _watched(scored, watched, t)
        + _waiting(scored, waiting, t)
        + _vague(scored, vague, t)
        + _charts(scored, t)
    )


def _origin(scored: Scored, t: Language) -> str:
    """Return who said it, when it was known, and of which goods."""
    report, end = scored.report, scored.standard_end
    by = ", ".join(filter(None, (report.publisher, report.author)))
    facts = [t("{publisher}; known on {day}.", publisher=by, day=known(scored, t))]
    if end is None:
        facts.append(t("Its prices are of delivery standard {standard} of {product}.",
                       standard=report.standard, product=report.product))  # fmt: skip
    else:
        facts.append(t("Its prices are of delivery standard {standard} of {product}, whose last"
                       " contract ended on {day:%Y-%m-%d}.", standard=report.standard,
                       product=report.product, day=end))  # fmt: skip
    file = f"{report.id}.toml"
    return points(facts) + f'<p class="soft">{link(f"./{file}", file)}</p>\n'


def _overview(scored: Scored, claims: _Claims, t: Language) -> str:
    frame = _frame(
        {
            t("id"): link(f"#{anchor(scored, rows[0].claim.id)}", rows[0].claim.id),
            t("what it says"): t(rows[0].claim.says),
            t("verdicts"): chips(rows, t),
        }
        for rows in claims
    )
    return rows_table(frame, t("Claims, with how often each verdict was given"),
                      tall=len(frame) > _LONG)  # fmt: skip


def _inconsistencies(scored: Scored, claims: _Claims, t: Language) -> str:
    """Return what the report prints, what is wrong with it, and its readings side by side."""
    by_id = {rows[0].claim.id: rows for rows in claims}
    frame = _frame(
        {
            "": _named(scored, one.id),
            t("place in the report"): one.place,
            t("printed"): one.printed,
            t("what is wrong with it"): t(one.finding),
            t("reading 1"): lines(map(t, one.readings[:1])),
            t("reading 2"): lines(map(t, one.readings[1:])),
            t("claims it touches"): Markup("<br>").join(
                Markup("{} {}").format(
                    link(f"#{anchor(scored, name)}", name),
                    chips([row for row in by_id[name] if row.verdict in ("right", "wrong")], t),
                )
                for name in one.claims
            ),
        }
        for one in scored.report.inconsistencies
    )
    heading = t("Where the report contradicts itself; both readings stand")
    return _part(heading, rows_table(frame)) if len(frame) else ""


def _watched(scored: Scored, claims: _Claims, t: Language) -> str:
    """Return the risks the report names, with what they stand at where the data are there."""
    frame = _frame(
        {
            t("id"): _named(scored, rows[0].claim.id),
            t("what to watch"): sentence(rows[0].claim, t),
            t("where it stands"): lines(one for row in rows for one in figures(row, t)),
            t("data needed"): _lacking(rows),
        }
        for rows in claims
    )
    heading = t("Risks the report names: watched, never right or wrong")
    return _part(heading, rows_table(frame)) if len(frame) else ""


def _waiting(scored: Scored, claims: _Claims, t: Language) -> str:
    """Return the claims for which data is missing, each with what it waits for."""
    frame = _frame(
        {
            t("id"): _named(scored, rows[0].claim.id),
            t("what it says"): sentence(rows[0].claim, t),
            t("readings"): lines(dict.fromkeys(
                t(row.reading.name) for row in rows if row.reading.name
            )),
            t("data needed"): _lacking(rows),
        }
        for rows in claims
    )  # fmt: skip
    return _part(t("Waiting for data"), rows_table(frame)) if len(frame) else ""


def _vague(scored: Scored, claims: _Claims, t: Language) -> str:
    """Return the sentences nobody can test, and why."""
    frame = _frame(
        {
            t("id"): _named(scored, rows[0].claim.id),
            t("what it says"): sentence(rows[0].claim, t),
            t("why nobody can test it"): lines(t(row.why) for row in rows if row.why is not None),
        }
        for rows in claims
    )
    return _part(t("Undecidable as they stand"), rows_table(frame)) if len(frame) else ""


def _charts(scored: Scored, t: Language) -> str:
    """Return the titles of charts without numbers."""
    charts = scored.report.charts
    if not charts:
        return ""
    rows = "".join(f'<li lang="zh">{escape(one.title)}</li>\n' for one in charts)
    label = escape(t("{count} charts whose numbers the text does not give: listed, not scored",
                     count=len(charts)))  # fmt: skip
    return f'<details><summary>{label}</summary><ul class="plain">\n{rows}</ul></details>\n'


def _frame(rows: Any) -> pd.DataFrame:
    return pd.DataFrame(list(rows), dtype=object)


def _part(heading: str, html: str) -> str:
    return f"<h3>{escape(heading)}</h3>\n{html}"


def _named(scored: Scored, name: str) -> Markup:
    """Return a name that can be linked to."""
    return Markup('<span id="{}">{}</span>').format(anchor(scored, name), name)


def _lacking(rows: Sequence[ClaimScore]) -> Markup:
    return lines(dict.fromkeys(one.what for row in rows for one in row.missing))
