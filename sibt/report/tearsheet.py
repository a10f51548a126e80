"""The tear sheet quantstats writes, made honest: no address outside, no Sharpe from one trade.

quantstats knows returns only. Numbers of record are the ledger's; its page rounds and
guesses for itself. It fetches nothing here: a benchmark is a Series, never a ticker.
"""

from __future__ import annotations

import html
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from sibt.engine.metrics import SESSIONS_A_YEAR
from sibt.runs.run import Run

__all__ = ["tear_sheet", "title"]

#: Rows of quantstats' table that are ratios of mean to risk, rest on one, or make a rate of
#: a single event.
_RATIOS = (
    "Sharpe",
    "Sortino",
    "Omega",
    "Calmar",
    "Serenity",
    "Kelly",
    "Recovery Factor",
    "Ulcer Performance",
    "Risk-Adjusted",
    "Risk-Return",
    "Information Ratio",
    "Treynor",
    "Alpha",
    "CAGR",
    "Expected",
    "(ann.)",
    "Tail Ratio",
    "Gain/Pain",
    "Common Sense",
    "CPC",
    "Profit Factor",
    "Payoff",
    "Risk of Ruin",
    "VaR",
    "cVaR",
    "Skew",
    "Kurtosis",
    "Volatility",
    "Value-at-Risk",
    "Ratio",
    "R^2",
    "Win ",
    "Year",
    "1Y",
    "Beta",
    "Correlation",
)

_FONTS = (
    "Arial, 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC',"
    " 'Source Han Sans SC', 'WenQuanYi Micro Hei', SimHei, sans-serif"
)


def title(run: Run) -> str:
    """Return the heading of a run's pages; SIMULATED comes first where it is."""
    report = run.strategy.report
    words = f"{run.name} · {report.title}" if report else run.name
    return f"SIMULATED · {words}" if run.market.provenance.simulated else words


def tear_sheet(run: Run, path: Path) -> None:
    """Write quantstats' page of a run.

    A hedge is shown as physical + futures against the goods alone. With fewer than three
    round trips every ratio and its chart is taken out, and the page says so.

    Parameters
    ----------
    run : Run
        The run.
    path : Path
        Where to write; the page is one file and opens from disk.
    """
    returns, benchmark = run.result.returns, None
    label = run.name
    if run.hedge is not None:
        returns, benchmark = run.hedge.returns, run.hedge.unhedged
        label = "goods + futures"
    if len(returns) < 2 or not (returns != 0).any():
        path.write_text(_blank(run), encoding="utf-8", newline="\n")
        return
    with _quiet():
        import quantstats as qs

        qs.reports.html(
            returns.rename(label),
            benchmark=None if benchmark is None else benchmark.rename("unhedged"),
            title=html.escape(title(run)),
            output=str(path),
            periods_per_year=SESSIONS_A_YEAR,
            match_dates=False,
            strategy_title=label,
            benchmark_title="unhedged",
        )
    page = path.read_text(encoding="utf-8")
    path.write_text(_mend(page, run), encoding="utf-8", newline="\n")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep quantstats and matplotlib from flooding the terminal; draw text as text.

    Text stays text in the charts, so that Chinese is drawn with the reader's own fonts and
    needs none where the page is made. A fixed salt makes the same run the same page.
    """
    import os

    os.environ.setdefault("MPLBACKEND", "Agg")
    import matplotlib as mpl

    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    fonts.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import quantstats  # noqa: F401  sets rcParams at import, ours must come after

        stamp = os.environ.get("SOURCE_DATE_EPOCH")
        os.environ["SOURCE_DATE_EPOCH"] = "0"
        try:
            with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sibt"}):
                yield
        finally:
            fonts.setLevel(level)
            if stamp is None:
                del os.environ["SOURCE_DATE_EPOCH"]
            else:
                os.environ["SOURCE_DATE_EPOCH"] = stamp


def _mend(page: str, run: Run) -> str:
    """Take out what leads outside or claims too much, and say what must be said."""
    # A doctype counts only where it comes first.
    page = page[page.index("<!DOCTYPE html>"):]
    page = re.sub(r"<link[^>]*rel=\"shortcut icon\"[^>]*>", "", page)
    page = re.sub(r"<a href=\"http[^\"]*\"[^>]*>(.*?)</a>", r"\1", page)
    # Namespaces and licence notes inside drawings are never fetched, but look like addresses.
    page = re.sub(r"<metadata>.*?</metadata>", "", page, flags=re.S)
    page = re.sub(r"<!DOCTYPE svg[^>]*>", "", page)
    page = re.sub(r"<\?xml[^>]*\?>", "", page)
    page = re.sub(r"\s+xmlns(:xlink)?=\"http[^\"]*\"", "", page)
    page = page.replace("xlink:href", "href")
    page = page.replace('<body onload="save()">', "<body>")
    page = page.replace("<title>Tearsheet (generated by QuantStats)</title>",
                        f"<title>{html.escape(title(run))}</title>")
    page = re.sub(r"font(-family)?:\s*([^;\"{}]*?)['\"]?Arial['\"]?(,\s*[\w\s-]+)*",
                  lambda m: f"font{m[1] or ''}: {m[2]}{_FONTS}", page)
    # Its chart of daily returns fills weekends with zeros and shows drops that never were.
    page = _without_chart(page, "daily_returns")
    if not run.result.known:
        page = _without_ratios(page)
    page = re.sub(r'(<tr><td colspan="\d"><hr></td></tr>\s*){2,}',
                  '<tr><td colspan="3"><hr></td></tr>\n', page)
    return page.replace('<div class="container">', f'<div class="container">{_banner(run)}', 1)


def _without_ratios(page: str) -> str:
    def keep(match: re.Match[str]) -> str:
        return "" if any(name in match[0] for name in _RATIOS) else match[0]

    page = re.sub(r"<tr>\s*<td>.*?</tr>", keep, page, flags=re.S)
    for chart in ("rolling_sharpe", "rolling_sortino", "rolling_vol", "rolling_beta",
                  "vol_returns"):
        page = _without_chart(page, chart)
    return page


def _without_chart(page: str, name: str) -> str:
    return re.sub(rf'<div id="{name}">.*?</div>', "", page, flags=re.S)


def _banner(run: Run) -> str:
    """Return what stands above the page: simulated, few trips, unknown spot."""
    style = (
        "padding:10px 14px;margin:0 0 12px;border-left:6px solid {edge};background:{ground};"
        f"font:14px/1.5 {_FONTS.replace(chr(39), '&#39;')}"
    )
    said = []
    market = run.market.provenance
    if market.simulated:
        words = "<b>SIMULATED 模拟数据</b>: made-up prices; nothing here says anything about the"
        said.append(("#b00020", "#fdecee", f"{words} real market."))
    else:
        words = f"Data: {html.escape(market.source)} · {run.market.digest[:12]}"
        said.append(("#555", "#f2f2f2", words))
    if not run.result.known:
        trips = len(run.result.round_trips)
        words = (
            f"{trips} round trip{'s' if trips != 1 else ''}: too few for a Sharpe, a yearly return"
            " or any ratio, so none is shown. Look at the path, the worst and best point, and the"
            " rank of the entry day."
        )
        said.append(("#8a6d00", "#fff6d9", words))
    if run.hedge is not None:
        words = (
            f"Returns are those of goods + futures on {run.hedge.base:,.0f} yuan (account + goods"
            " at their peak); the benchmark is the goods without a hedge."
        )
        said.append(("#555", "#f2f2f2", words))
    return "".join(
        f'<p style="{style.format(edge=edge, ground=ground)}">{text}</p>'
        for edge, ground, text in said
    )


def _blank(run: Run) -> str:
    """Return a page for a run without returns to draw."""
    day = pd.Timestamp(run.market.sessions[-1])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title(run))}</title></head><body><div class=\"container\">"
        f"{_banner(run)}<h1>{html.escape(title(run))}</h1>"
        f"<p>No position was held up to {day:%Y-%m-%d}, so there is nothing to draw; see"
        " unfilled.csv for what was wanted and why it did not fill.</p></div></body></html>\n"
    )
