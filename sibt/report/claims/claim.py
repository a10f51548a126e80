"""A claim that was put to the test: the sentence, what happened, and each reading's score."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup, escape

from sibt.language import ZH, Language
from sibt.report.claims.chips import anchor, chip, chips, lines, link, rows_table
from sibt.report.claims.drawing import drawn
from sibt.report.claims.words import base, figures, settings
from sibt.report.page import chart
from sibt.report.run.section import minus
from sibt.research.claims.report import Claim, Reading
from sibt.research.claims.score import ClaimScore, Scored

__all__ = ["article", "sentence"]


def article(scored: Scored, rows: Sequence[ClaimScore], t: Language) -> str:
    """Return one claim: its sentence, what it leaves open, what happened, and its scores."""
    claim = rows[0].claim
    name = anchor(scored, claim.id)
    notes = []
    if claim.leaves_open:
        left = t(", ").join(map(t, claim.leaves_open))
        notes.append(Markup("{}: {}").format(t("Left open"), left))
    if claim.inconsistency:
        links = Markup(", ").join(link(f"#{anchor(scored, one)}", one)
                                  for one in claim.inconsistency)  # fmt: skip
        notes.append(Markup("{}: {}").format(t("Contradicted in the report itself"), links))
    notes += [_how(reading, t) for reading in claim.readings]
    figure = drawn(scored, rows, t)
    return (
        f'<article class="claim" id="{name}" aria-labelledby="{name}-head">\n'
        f'<h3 id="{name}-head">{escape(claim.id)} {chips(rows, t)}</h3>\n'
        f"{_quote(claim, t)}"
        f"{'' if figure is None else chart(figure, 380, name=name)}{_scores(rows, t)}"
        f'<ul class="plain soft">{"".join(f"<li>{note}</li>" for note in notes)}</ul>\n'
        "</article>\n"
    )


def sentence(claim: Claim, t: Language) -> Markup:
    """Return a claim's quote with its place, and below it what it says where that is more."""
    return Markup('<span lang="zh">{}</span> <small>{}</small>{}').format(
        claim.quote, _place(claim, t), _plainly(claim, t)
    )


def _quote(claim: Claim, t: Language) -> str:
    return (
        f'<figure class="quote"><blockquote lang="zh">{escape(claim.quote)}</blockquote>'
        f"<figcaption>{escape(_place(claim, t))}{_plainly(claim, t)}</figcaption></figure>\n"
    )


def _plainly(claim: Claim, t: Language) -> Markup:
    """Return what a claim says; in Chinese its quote speaks for itself, unless the file adds."""
    if ZH(claim.says) == claim.quote:
        return Markup('<span class="en"><br><span class="says">{}</span></span>').format(claim.says)
    return Markup('<br><span class="says">{}</span>').format(t(claim.says))


def _place(claim: Claim, t: Language) -> str:
    place = claim.place
    if claim.line is not None:
        place = t("{place}, line {line}", place=place, line=claim.line)
    if claim.repeats:
        again = ", ".join(map(str, claim.repeats))
        place = t("{place}; again in line {lines}", place=place, lines=again)
    return place


def _scores(rows: Sequence[ClaimScore], t: Language) -> str:
    """Return a line for each reading and horizon."""
    frame = pd.DataFrame([
        {
            t("reading"): t(row.reading.name),
            t("over"): t(row.horizon),
            t("verdict"): _verdict(row, t),
            t("figures"): _figures(row, t),
            t("right on any day"): _often(row, t),
        }
        for row in rows
    ], dtype=object)  # fmt: skip
    empty = [name for name in frame.columns if not any(map(str, frame[name]))]
    return rows_table(frame.drop(columns=empty))


def _how(reading: Reading, t: Language) -> Markup:
    """Return the test of a reading as it stands in the file."""
    test = Markup("<code>{}</code> {}").format(reading.test, settings(reading.settings))
    return Markup("{}: {}").format(t(reading.name) or t("Test"), test)


def _verdict(row: ClaimScore, t: Language) -> Markup:
    if row.decided_on is None:
        return chip(row.verdict, t)
    return Markup("{}<br><small>{:%Y-%m-%d}</small>").format(chip(row.verdict, t), row.decided_on)


def _figures(row: ClaimScore, t: Language) -> Markup:
    """Return the first figure, then why and what is missing, then the other figures."""
    first, *others = [minus(one) for one in figures(row, t)] or [""]
    told = [Markup("<b>{}</b>").format(first)] if first else []
    told += [escape(t(row.why))] if row.why is not None else []
    told += [escape(t("lacks {what}", what=one.what)) for one in row.missing]
    told += [Markup("<small>{}</small>").format(" · ".join(others))] if others else []
    return Markup('<div class="told">{}</div>').format(Markup("<br>").join(told))


def _often(row: ClaimScore, t: Language) -> Markup:
    if row.base is None or not row.base.windows:
        return Markup("<small>{}</small>").format(t(row.no_base)) if row.no_base else Markup("")
    return lines([base(row, t)]) + Markup("<br><small>{}</small>").format(
        t("worth {count} that do not overlap", count=row.base.independent)
    )
