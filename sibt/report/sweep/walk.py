"""Walk-forward: what was chosen window by window, and what it came to afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.report.page import table
from sibt.report.sweep.drawing import course_chart
from sibt.report.sweep.evidence import figure_of
from sibt.report.sweep.outcome import text_of

__all__ = ["walk_part"]


def walk_part(walk: Mapping[str, Any] | None, sheet: str | None) -> str:
    """Return the walk-forward of a sweep; "" where none was asked for.

    Parameters
    ----------
    walk : mapping or None
        As in ``evidence.json``.
    sheet : str or None
        Address of its tear sheet, seen from the page.
    """
    if walk is None:
        return ""
    held = "anchored" if walk["anchored"] else "rolling"
    parts = [
        ("<h2>Walk-forward 滚动前推</h2>\n"
        f"<p>Chosen in {walk['train']} sessions ({held}), applied in the next {walk['test']}"
        f" after {walk['purge']} left out; {len(walk['windows'])} windows,"
        f" {walk['sessions']:,} sessions out of sample 样本外.</p>\n"),
        _figures(walk),
    ]
    if sheet:
        parts.append(f'<p><a href="{escape(sheet)}">Tear sheet of the stitched curve'
                     " 样本外净值报告</a></p>\n")  # fmt: skip
    returns = np.array(walk["curve"]["returns"], dtype=np.float64)
    sessions = list(walk["curve"]["sessions"])
    if len(returns) > 1:
        parts.append('<div class="wide">' + course_chart(
            sessions, np.asarray((np.cumprod(1.0 + returns) - 1.0) * 100, dtype=np.float64),
            "Out of sample, windows compounded 样本外累计收益", "% of capital 占本金",
        ) + "</div>\n")  # fmt: skip
    parts.append("<h3>Drift 参数漂移: what each window chose</h3>\n")
    parts.append(f"<p>{escape(_drift(walk['drift']))}</p>\n")
    parts.append(_windows(walk["windows"]))
    if walk["notes"]:
        items = "".join(f"<li>{escape(note)}</li>" for note in walk["notes"])
        parts.append(f'<ul class="plain">{items}</ul>\n')
    return "".join(parts)


def _figures(walk: Mapping[str, Any]) -> str:
    frame = pd.DataFrame(
        [
            ("net 净损益", f"{figure_of(walk['net'], '+,.2f')} yuan"),
            ("total return 总收益", figure_of(walk["total_return"], "+.2%")),
            ("maximum drawdown 最大回撤", figure_of(walk["max_drawdown"], ".2%")),
            ("round trips 回合", f"{walk['round_trips']:,}"),
            ("Sharpe ratio out of sample 样本外夏普", figure_of(walk["sharpe"])),
            ("Sharpe ratio in training 样本内夏普", figure_of(walk["in_sample_sharpe"])),
            ("kept 保留", figure_of(walk["kept"], ".0%")),
        ],
        columns=["figure", "value"],
    )
    return table(frame, caption="All test windows together", head=True)


def _drift(drift: list[Mapping[str, Any]]) -> str:
    said = [
        f"{each['parameter']} takes {each['different']} values and changes {each['changes']} times"
        f" in {each['steps']} steps"
        for each in drift
    ]
    return ("; ".join(said) + ".") if said else "Nothing was swept."


def _windows(windows: list[Mapping[str, Any]]) -> str:
    rows = []
    for row in windows:
        rows.append(
            {
                "window": row["window"],
                "trained": f"{row['train_from']}..{row['train_to']}",
                "tested": f"{row['test_from']}..{row['test_to']}",
                **{
                    name: "–" if row["set"] is None else text_of(value)
                    for name, value in row["parameters"].items()
                },
                "Sharpe in training": row["train_sharpe"],
                "return after": row["test_return"],
                "net yuan 净损益": row["test_net"],
                "round trips 回合": row["round_trips"],
                "note": row["note"] or None,
            }
        )
    frame = pd.DataFrame(rows)
    if frame["note"].isna().all():
        frame = frame.drop(columns="note")
    marks = ["wrong" if (row["test_net"] or 0.0) < 0 else ""
             for row in windows]  # fmt: skip
    formats = {"Sharpe in training": ".2f", "return after": "+.2%", "net yuan 净损益": "+,.0f"}
    return table(frame, formats=formats, marks=marks,
                 caption="Windows 窗口; a bar at the left marks a loss")  # fmt: skip
