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
from typing import TYPE_CHECKING

import pandas as pd

from sibt.engine.metrics import SESSIONS_A_YEAR
from sibt.runs.run import Run
from sibt.sweep.forward import curve

if TYPE_CHECKING:
    from sibt.sweep.sweep import Sweep

__all__ = ["COMPARISON", "tear_sheet", "title", "walk_sheet"]

#: Rows of quantstats' table that say something of a single event; every other row is a ratio
#: of mean to risk, rests on one, or makes a rate of what happened once.
_PLAIN = (
    "Risk-Free Rate",
    "Time in Market",
    "Cumulative Return",
    "Max Drawdown",
    "Max DD Date",
    "Max DD Period Start",
    "Max DD Period End",
    "Longest DD Days",
    "Max Consecutive Wins",
    "Max Consecutive Losses",
    "MTD",
    "3M",
    "6M",
    "YTD",
    "Best Day",
    "Worst Day",
    "Best Month",
    "Worst Month",
    "Avg. Drawdown",
    "Avg. Drawdown Days",
)

#: What the page beside a tear sheet is called, to which it leads back.
RUN_PAGE, COMPARISON = "run page 运行页面", "comparison 比较"

_FONTS = (
    "Arial, 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC',"
    " 'Source Han Sans SC', 'WenQuanYi Micro Hei', SimHei, sans-serif"
)


def title(run: Run) -> str:
    """Return the heading of a run's pages; LOOKS AHEAD and SIMULATED come first."""
    report = run.strategy.source(run.params)
    words = f"{run.name} · {report.title}" if report else run.name
    return _marked(words, looks_ahead=run.looks_ahead, simulated=run.market.provenance.simulated)


def _marked(words: str, *, looks_ahead: bool, simulated: bool) -> str:
    if simulated:
        words = f"SIMULATED · {words}"
    return f"LOOKS AHEAD · {words}" if looks_ahead else words


def tear_sheet(run: Run, path: Path, back: str = RUN_PAGE) -> None:
    """Write quantstats' page of a run.

    A hedge is shown as physical + futures against the goods alone. With fewer than three
    round trips every ratio and its chart is taken out, and the page says so.

    Parameters
    ----------
    run : Run
        The run.
    path : Path
        Where to write; the page is one file and opens from disk.
    back : str
        What the ``index.html`` beside it is called.
    """
    returns, benchmark = run.result.returns, None
    label = run.name
    if run.hedge is not None:
        returns, benchmark = run.hedge.returns, run.hedge.unhedged
        label = "goods + futures"
    nothing = (
        f"No position was held up to {run.market.sessions[-1]:%Y-%m-%d}, so there is nothing to"
        " draw; see unfilled.csv for what was wanted and why it did not fill."
    )
    _write(returns, benchmark, path, label=label, heading=title(run),
           banner=_back(back) + _banner(run), known=run.result.known, nothing=nothing)


def walk_sheet(sweep: Sweep, path: Path) -> None:
    """Write the page of a walk-forward's stitched test windows; none where there are no windows.

    With fewer than three round trips in all of them no ratio is shown.

    Parameters
    ----------
    sweep : Sweep
        The sweep.
    path : Path
        Where to write, ``walk.html`` in its folder.
    """
    walk = sweep.evidence["walk"]
    if walk is None:
        return
    data, name = sweep.manifest["data"], sweep.manifest["strategy"]["name"]
    heading = f"{name} · walk-forward, test windows only"
    returns = curve(walk)
    checked = sweep.manifest.get("lookahead") or {"passed": True}
    said = [
        *_caught("" if checked["passed"] else str(checked["leaks"][0]["sentence"])),
        _origin(simulated=data["simulated"], source=data["source"], digest=data["sha256"]),
        ("#555", "#f2f2f2", "<br>".join(map(html.escape, walk["notes"]))),
    ]

    def ratio(value: float | None) -> str:
        return "not known" if value is None else f"{value:.2f}"

    train = f"all before, at least {walk['train']}" if walk["anchored"] else str(walk["train"])
    windows = (
        f"{len(walk['windows'])} of {walk['test']} sessions each; chosen in {train} sessions,"
        f" {walk['purge']} left out between"
    )
    rows = [
        ("test windows", windows),
        ("net result, each window with the opening capital", f"{walk['net']:+,.2f} yuan"),
        ("compounded", f"{walk['total_return']:+.2%}"),
        ("round trips", f"{walk['round_trips']}"),
        ("Sharpe a year, in the training windows and out of them",
         f"{ratio(walk['in_sample_sharpe'])} and {ratio(walk['sharpe'])}"),
    ]
    if walk["kept"] is not None:
        rows.append(("share of it that is left", f"{walk['kept']:.0%}"))
    _write(
        returns,
        None,
        path,
        label="walk-forward",
        heading=_marked(
            heading, looks_ahead=not checked["passed"], simulated=data["simulated"]
        ),
        banner=_bands(said) + _figures(rows),
        known=walk["sharpe"] is not None,
        nothing="No position was held in any test window, so there is nothing to draw.",
    )


def _write(
    returns: pd.Series[float],
    benchmark: pd.Series[float] | None,
    path: Path,
    *,
    label: str,
    heading: str,
    banner: str,
    known: bool,
    nothing: str,
) -> None:
    """Write a page of returns, or one that says why there is nothing to draw."""
    if len(returns) < 2 or not (returns != 0).any():
        path.write_text(_blank(heading, banner, nothing), encoding="utf-8", newline="\n")
        return
    with _quiet():
        import quantstats as qs

        qs.reports.html(
            returns.rename(label),
            benchmark=None if benchmark is None else benchmark.rename("unhedged"),
            title=html.escape(heading),
            output=str(path),
            periods_per_year=SESSIONS_A_YEAR,
            match_dates=False,
            strategy_title=label,
            benchmark_title="unhedged",
        )
    page = _mend(path.read_text(encoding="utf-8"), heading, banner, returns.index, known=known)
    path.write_text(page, encoding="utf-8", newline="\n")


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


def _mend(
    page: str, heading: str, banner: str, days: pd.Index[pd.Timestamp], *, known: bool
) -> str:
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
                        f"<title>{html.escape(heading)}</title>")
    page = re.sub(r"font(-family)?:\s*([^;\"{}]*?)['\"]?Arial['\"]?(,\s*[\w\s-]+)*",
                  lambda m: f"font{m[1] or ''}: {m[2]}{_FONTS}", page)
    # Its chart of daily returns fills weekends with zeros and shows drops that never were.
    page = _without_chart(page, "daily_returns")
    if not known:
        page = _without_ratios(page)
    if days[0].year == days[-1].year:
        # A year's return of one year is the whole return, once summed and once compounded.
        page = _without_chart(_without_chart(page, "eoy_returns"), "eoy")
    page = re.sub(r'(<tr><td colspan="\d"><hr></td></tr>\s*){2,}',
                  '<tr><td colspan="3"><hr></td></tr>\n', page)
    return page.replace('<div class="container">', f'<div class="container">{banner}', 1)


def _without_ratios(page: str) -> str:
    def keep(row: re.Match[str]) -> str:
        name = html.unescape(re.sub(r"<.*?>", "", row[1])).strip()
        return row[0] if not name or name in _PLAIN else ""

    start = page.index("Key Performance Metrics")
    end = page.index("</table>", start)
    rows = re.sub(r"<tr><td[^>]*>(.*?)</td>.*?</tr>", keep, page[start:end], flags=re.S)
    page = page[:start] + rows + page[end:]
    for chart in ("rolling_sharpe", "rolling_sortino", "rolling_vol", "rolling_beta",
                  "vol_returns"):
        page = _without_chart(page, chart)
    return page


def _without_chart(page: str, name: str) -> str:
    return re.sub(rf'<div id="{name}">.*?</div>', "", page, flags=re.S)


def _back(words: str) -> str:
    """Return the link to the page beside it, which leaves the frame of a comparison."""
    return f'<p><a href="index.html" target="_top">← {words}</a></p>'


def _banner(run: Run) -> str:
    """Return what stands above the page: looks ahead, simulated, few trips, unknown spot."""
    market = run.market.provenance
    said = [
        *_caught(str(run.lookahead.leaks[0].sentence) if run.looks_ahead and run.lookahead else ""),
        _origin(simulated=market.simulated, source=market.source, digest=run.market.digest)
    ]
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
    notes = [html.escape(word) for word in (*run.notes, *run.result.warnings)]
    if notes:
        said.append(("#555", "#f2f2f2", "<br>".join(notes)))
    return _bands(said) + _record(run)


def _caught(leak: str) -> list[tuple[str, str, str]]:
    """Return the band that says what the strategy saw too early; none where it saw nothing."""
    if not leak:
        return []
    words = f"<b>LOOKS AHEAD 未来函数</b>: {html.escape(leak)}"
    return [("#b00020", "#fdecee", words)]


def _origin(*, simulated: bool, source: str, digest: str) -> tuple[str, str, str]:
    """Return the band that says whose prices these are."""
    if simulated:
        words = "<b>SIMULATED 模拟数据</b>: made-up prices; nothing here says anything about the"
        return "#b00020", "#fdecee", f"{words} real market."
    return "#555", "#f2f2f2", f"Data: {html.escape(source)} · {digest[:12]}"


def _bands(said: list[tuple[str, str, str]]) -> str:
    """Return bands of words: colour of the edge, of the ground, HTML."""
    style = (
        "padding:10px 14px;margin:0 0 12px;border-left:6px solid {edge};background:{ground};"
        f"font:14px/1.5 {_FONTS.replace(chr(39), '&#39;')}"
    )
    return "".join(
        f'<p style="{style.format(edge=edge, ground=ground)}">{text}</p>'
        for edge, ground, text in said
    )


def _record(run: Run) -> str:
    """Return the ledger's own figures, which go before those of the page below."""
    m = run.result.metrics
    rows = [("net result of the futures", f"{m['net']:+,.2f} yuan")]
    if m["net_per_tonne"] is not None:
        rows.append(("per tonne of the largest position", f"{m['net_per_tonne']:+,.1f} yuan/t"))
    if run.hedge is not None:
        h = run.hedge.metrics
        rows = [
            ("goods + futures", f"{h['hedged']:+,.2f} yuan"),
            ("goods alone", f"{h['physical']:+,.2f} yuan"),
            *rows,
        ]
    rows.append(("fees, slippage", f"{m['fees']:,.2f}, {m['slippage']:,.2f} yuan"))
    rows.append(("peak margin, exchange and broker",
                 f"{m['peak_margin_exchange']:,.2f}, {m['peak_margin_broker']:,.2f} yuan"))
    trips = run.result.round_trips
    if len(trips) and not run.result.known:
        points = ", ".join(f"{a:+,.0f} and {b:+,.0f}" for a, b in
                           zip(trips["worst"], trips["best"], strict=True))
        rows.append(("worst and best point of each trip", f"{points} yuan"))
    days = run.few_days
    if days is not None and days["chosen"].any():
        rank = int(days.loc[days["chosen"], "rank"].iloc[0])
        rows.append(("rank of the entry day", f"{rank} of {len(days)}"))
    return _figures(rows)


def _figures(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><td style="padding:2px 18px 2px 0;color:#555">{html.escape(name)}</td>'
        f'<td style="padding:2px 0;text-align:left">{html.escape(text)}</td></tr>'
        for name, text in rows
    )
    return f'<table id="record" style="width:auto;margin:0 0 12px">{cells}</table>'


def _blank(heading: str, banner: str, nothing: str) -> str:
    """Return a page for returns that are all zero."""
    words = html.escape(heading)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{words}</title></head><body><div class=\"container\">"
        f"{banner}<h1>{words}</h1>"
        f"<p>{nothing}</p></div></body></html>\n"
    )
