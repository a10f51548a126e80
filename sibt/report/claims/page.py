"""The page of scored reports, put together."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import pandas as pd
from markupsafe import Markup, escape

from sibt.language import BOTH
from sibt.report.claims import report
from sibt.report.claims.chips import link
from sibt.report.claims.needed import needed
from sibt.report.claims.words import bring, by_claim, counted, luck
from sibt.report.folder import PLOTLY
from sibt.report.page import page, table
from sibt.report.run.section import paragraph, section
from sibt.research.claims.score import Scored

__all__ = ["claims_html"]


def claims_html(all_scored: Sequence[Scored], lang: str) -> str:
    """Return the page of reports that were scored on one market.

    Parameters
    ----------
    all_scored : sequence of Scored
        The reports, at least one.
    lang : {"en", "zh"}
        Language the page opens in; it holds both.
    """
    t, market = BOTH, all_scored[0].market
    parts = [("summary", t("Summary"), t("What came of it"), _summary(all_scored))]
    parts += [
        (scored.report.id, scored.report.publisher, scored.report.title, report.body(scored, t))
        for scored in all_scored
    ]
    parts.append(("needed", t("Data needed"), t("Data that would make more claims testable"),
                  _needed(all_scored)))  # fmt: skip
    body = [
        f"<style>\n{_asset('claims.css')}</style>\n",
        *(section(name, heading, html) for name, _, heading, html in parts),
    ]
    first, last = market.sessions[0], market.sessions[-1]
    return page(
        t("Claims of research reports"),
        "".join(body),
        simulated=market.provenance.simulated,
        source=f"{market.provenance.source}, {first:%Y-%m-%d}..{last:%Y-%m-%d},"
        f" sha256 {market.digest[:12]}",
        nav=[(label, f"#{name}", False) for name, label, _, html in parts if html],
        plotly=PLOTLY,
        lang=lang,
    )


def _summary(all_scored: Sequence[Scored]) -> str:
    """Return verdicts by report, beside how often any day would have been right."""
    t = BOTH
    rows = []
    for scored in all_scored:
        counts = {name: count for name, _, count in counted(scored.rows, t)}
        rows.append({
            t("report"): link(f"#{scored.report.id}", scored.report.title),
            t("published"): f"{scored.report.date:%Y-%m-%d}",
            t("claims"): len(by_claim(scored.rows)),
            **counts,
        })  # fmt: skip
    every = [row for scored in all_scored for row in scored.rows]
    names = {name: label for name, label, _ in counted(every, t)}
    frame = pd.DataFrame([dict.fromkeys(names, 0) | row for row in rows], dtype=object)
    order = [name for name in rows[0] if name not in names]
    words = [
        t("Each sentence is scored in every reading it allows and over every horizon it may"
          " mean; the counts are of these scores."),
        luck(every, t),
    ]  # fmt: skip
    html = table(frame[[*order, *names]].rename(columns=names), head=True,
                 caption=t("Scores by report, to the market's last session"))  # fmt: skip
    return html + paragraph(t, *filter(None, words)) + paragraph(
        t,
        t("No day before the session after a report counts. A price range or a level is scored on"
          " contracts of the delivery standard it was written for, and beyond the last of them it"
          " is undecidable. The base rate says how often the same sentence, moved to another"
          " day's close, would have been right."),
        of="soft",
    )  # fmt: skip


def _needed(all_scored: Sequence[Scored]) -> str:
    """Return what is missing, for how many claims, and how a file of series looks."""
    t = BOTH
    needs = needed(all_scored)
    if not needs:
        return ""
    frame = pd.DataFrame([
        {
            t("data"): Markup("<code>{}</code>").format(need.what),
            t("opened by it alone"): need.alone,
            t("how to bring it"): bring(need, t),
            t("claims that lack it"): Markup(", ").join(
                link(f"#{name}.{claim}", claim) for name, claim in need.claims
            ),
        }
        for need in needs
    ], dtype=object)  # fmt: skip
    rows = table(frame, head=True, tall=len(frame) > 20,
                 caption=t("Claims it would open by itself, the most first"))  # fmt: skip
    series = [need.series for need in needs if need.series is not None]
    if not series:
        return rows
    lines = "\n".join(["name,date,published_on,value,unit",
                       *(f"{one.name},DATE,PUBLISHED_ON,VALUE,{one.unit}" for one in series)])
    label = t("series.csv with a row of each series that is missing")
    return rows + paragraph(
        t,
        t("Series come in a file series.csv beside the bars, a row a value; a value counts from"
          " the day it was published, never before."),
    ) + (
        f"<details><summary>{escape(label)}</summary>"
        f"<pre tabindex=\"0\">{escape(lines)}</pre></details>\n"
    )  # fmt: skip


def _asset(name: str) -> str:
    return (resources.files("sibt.report.claims") / name).read_text("utf-8")
