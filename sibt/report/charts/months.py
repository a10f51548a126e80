"""The result by month: as bars, and as the table of years by months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sibt.language import EN, Language
from sibt.report.charts.drawing import over_time, span
from sibt.report.charts.palette import palette
from sibt.runs.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["monthly", "monthly_table"]


def monthly(run: Run, t: Language = EN) -> go.Figure:
    """Draw the futures account's net result of each month, yuan; its return stands beside it."""
    ink, found = palette(t), _by_month(run)
    sessions, (first, last) = run.market.sessions, span(run)

    bars: dict[str, Any] = {
        "type": "bar", "x": [f"{month:%Y-%m}-01" for month in found.index],
        "y": found["net"].tolist(), "customdata": found["return"].tolist(),
        "xperiod": "M1", "xperiodalignment": "middle", "xhoverformat": "%Y-%m",
        "marker": {"color": [ink["up" if net >= 0 else "down"] for net in found["net"]]},
        "hovertemplate": f"%{{x}}<br>%{{y:+,.2f}} {t('yuan')}<br>%{{customdata:+.2%}}"
                         "<extra></extra>",
    }  # fmt: skip
    return over_time(
        run, t, t("Net result by month"), [bars], hovermode="closest", bargap=0.3, showlegend=False,
        xaxis={"range": [f"{sessions[first]:%Y-%m}-01",
                         f"{sessions[last] + pd.offsets.MonthEnd(0):%Y-%m-%d}"]},
        yaxis={"title": {"text": t("yuan")}, "tickformat": ",.0f"},
    )  # fmt: skip


def monthly_table(run: Run) -> pd.DataFrame:
    """Return the futures account's result by year and month, from where returns count.

    Returns
    -------
    pd.DataFrame
        Rows are years and "total"; columns ("net", 1 … 12 and "total") in yuan and
        ("return", 1 … 12 and "total") as shares, compounded in the totals. NaN outside the
        run. ``monthly_table(run)["net"]`` is the table of yuan alone.
    """
    found = _by_month(run)
    year, month = found.index.year, found.index.month  # type: ignore[attr-defined]
    whole = []
    for name in ("net", "return"):
        table = found[name].set_axis(pd.MultiIndex.from_arrays([year, month])).unstack()
        table = table.reindex(columns=range(1, 13)).astype(object)

        def total(values: Any, money: bool = name == "net") -> float:
            known = values.dropna().astype(float)
            return round(float(known.sum()), 2) if money else float((1 + known).prod() - 1)

        table["total"] = [total(table.loc[n]) for n in table.index]
        by_month = {n: total(table[n]) if table[n].notna().any() else None for n in table.columns}
        table.loc["total"] = by_month
        whole.append(table.astype(float))
    return pd.concat(whole, axis=1, keys=["net", "return"]).rename_axis("year")


def _by_month(run: Run) -> pd.DataFrame:
    """Return ``net`` (yuan) and ``return`` of each month since returns count, by period."""
    returns, s = run.result.returns, run.result.statement
    month = returns.index.to_period("M")  # type: ignore[attr-defined]
    daily = (s["mtm"] - s["fees"]).loc[returns.index]
    return pd.DataFrame({
        "net": daily.groupby(month).sum().round(2),
        "return": (1 + returns).groupby(month).prod() - 1,
    })  # fmt: skip
