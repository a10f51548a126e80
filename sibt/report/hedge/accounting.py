"""The hedge-accounting sheet: what CAS 24 (2017) and IFRS 9 ask, in both languages."""

from __future__ import annotations

from functools import reduce

import pandas as pd

from sibt.language import Language
from sibt.report.page import table
from sibt.report.run.section import minus, paragraph
from sibt.runs.desk import Desk

__all__ = ["accounting"]


def accounting(desk: Desk, t: Language) -> str:
    """Return the sheet, and what of the hedge was ineffective month by month."""
    def whole(one: str, other: str) -> str:
        # Chinese sentences follow each other without a space.
        return t("{one} {other}", one=one, other=other)

    rows = [[t(row.name), row.term, minus(reduce(whole, map(t, row.answer)))]
            for row in desk.sheet.rows]
    names = [t("asked"), t("the standard's term"), t("answer")]
    return (
        paragraph(t, t("Evidence for the company's own documents, which have to stand before the"
                       " hedge begins; no opinion on them."))
        + table(pd.DataFrame(rows, columns=names, dtype=object), head=True,
                caption=t("What CAS 24 (2017) and IFRS 9 ask, as far as the data answer"))
        + "".join(_measured(kind, frame, t) for kind, frame in desk.sheet.measured.items())
    )


def _measured(kind: str, frame: pd.DataFrame, t: Language) -> str:
    if frame.empty:
        return ""
    names = {
        "month": t("month"), "item": t("goods to date"), "instrument": t("futures to date"),
        "reserve": t("reserve"), "ineffective": t("ineffective to date"),
        "charge": t("to profit or loss"),
    }
    if kind == "fair value":
        del names["reserve"]
    shown = frame.reset_index()
    shown["month"] = [f"{month}" for month in shown["month"]]
    signed = tuple(name for key, name in names.items() if key != "month")
    caption = (t("As a fair value hedge, by month, yuan") if kind == "fair value"
               else t("As a cash-flow hedge, by month, yuan"))
    return table(shown[list(names)].rename(columns=names), head=True, signed=signed,
                 caption=caption, formats=dict.fromkeys(signed, "+,.2f"))
