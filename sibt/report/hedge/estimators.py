"""Ways to a hedge ratio side by side: what each said, and what it was worth out of sample."""

from __future__ import annotations

import math

import pandas as pd

from sibt.hedging.contest import Contest
from sibt.hedging.estimators import Estimators
from sibt.language import Language
from sibt.report.hedge.words import methods, verdict
from sibt.report.page import table
from sibt.report.run.section import paragraph, points

__all__ = ["ways"]


def ways(found: Estimators | None, t: Language) -> str:
    """Return the estimates, and the contest out of sample; empty where none were asked for."""
    if found is None:
        return ""
    words = methods(t)
    frame = found.table.reset_index()
    frame["method"] = pd.Series([words[name] for name in frame["method"]], dtype=object)
    why = [t(one) if isinstance(one, str) else None for one in frame["why"]]
    names = {
        "method": t("way"), "ratio": t("ratio"), "low": t("from"), "high": t("to"), "r2": "R²",
        "observations": t("changes"), "first": t("first session"), "last": t("known to"),
    }
    shown = frame[list(names)].rename(columns=names)
    if any(why):
        shown[t("undefined")] = pd.Series(why, dtype=object)
    what = found.code or t("the dominant contract, standard {standard}", standard=found.standard)
    return table(
        shown, head=True,
        caption=t("Tonnes of {what} for a tonne of {grade}, changes over {k} quoted sessions; 95%"
                  " intervals", what=what, grade=found.grade, k=found.k),
        formats=dict.fromkeys((names["ratio"], names["low"], names["high"]), ".3f")
        | {"R²": ".2f", names["observations"]: ",.0f"},
    ) + ("" if found.contest is None else _contest(found.contest, t)) + points(
        t(note) for note in found.notes
    )


def _contest(held: Contest, t: Language) -> str:
    words = methods(t)
    frame = held.table.reset_index()
    frame["method"] = pd.Series([words[name] for name in frame["method"]], dtype=object)
    frame["verdict"] = pd.Series([verdict(text, t) for text in frame["verdict"]], dtype=object)
    names = {
        "method": t("way"), "ratio": t("mean ratio"), "turnover": t("change a session"),
        "variance_reduction": t("variance cut by"), "loss": t("miss, yuan/t"),
        "statistic": "Diebold–Mariano", "chance": "p", "chance_of_all": t("p of all"),
        "verdict": t("verdict"),
    }
    best = "" if math.isnan(held.superior) else paragraph(t, t(
        "That the best is no better than one for one has p = {p:.3f} (Hansen's test).",
        p=held.superior,
    ))
    return table(
        frame[list(names)].rename(columns=names), head=True,
        caption=t("Out of sample: each ratio hedges {count} changes it had not seen,"
                  " {first:%Y-%m-%d} to {last:%Y-%m-%d}; the test is against one for one, and"
                  " allows for their number", count=held.windows, first=held.first, last=held.last),
        formats={names["ratio"]: ".3f", names["turnover"]: ".4f",
                 names["variance_reduction"]: ".1%", names["loss"]: ",.1f",
                 "Diebold–Mariano": "+.2f", "p": ".3f", names["chance_of_all"]: ".3f"},
    ) + best
