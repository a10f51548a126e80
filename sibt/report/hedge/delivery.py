"""What was delivered on the exchange, beside closing the lots and trading at spot."""

from __future__ import annotations

import pandas as pd

from sibt.language import Language
from sibt.report.hedge.words import deliveries, terms
from sibt.report.page import table
from sibt.report.run.section import paragraph, points
from sibt.runs.run import Run

__all__ = ["delivery"]


def delivery(run: Run, t: Language) -> str:
    """Return each delivery against closing; empty where none was asked for."""
    found = run.deliveries
    if found is None:
        return ""
    given = [f"{word}: {told}" for word, told in terms(found.terms, t)]
    asked = [t("Given for this run: {terms}.", terms=t("; ").join(given))] if given else []
    notes = paragraph(t, *asked) + points(t(note) for note in found.notes)
    if found.table.empty:
        return paragraph(t, t("Nothing was delivered.")) + notes
    words = deliveries(t)
    frame = found.table.copy()
    told = [words.get(str(one), t("unknown")) for one in frame["better"]]
    frame["better"] = pd.Series(told, frame.index, dtype=object)
    names = {
        "session": t("session"), "contract": t("contract"), "tonnes": t("tonnes"),
        "settlement": t("settlement"), "grade_premium": t("premium of the grade"),
        "invoice": t("invoice"), "costs": t("costs"), "proceeds": t("delivering"),
        "spot": t("spot"), "closed": t("closing"), "difference": t("difference"),
        "difference_per_tonne": t("yuan/t"), "better": t("better"),
    }
    money = ("settlement", "invoice", "costs", "proceeds", "spot", "closed")
    signs = ("tonnes", "grade_premium", "difference", "difference_per_tonne")
    return table(
        frame[list(names)].rename(columns=names),
        signed=(names["difference"], names["difference_per_tonne"]),
        caption=t("Delivering against closing and trading spot, yuan, VAT inside; a difference"
                  " above zero is in favour of delivering"),
        formats={names[name]: ",.2f" for name in money} | {names[n]: "+,.2f" for n in signs},
    ) + notes
