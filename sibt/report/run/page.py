"""The page of a run, put together."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from markupsafe import escape

from sibt.language import BOTH, Language
from sibt.report import hedge
from sibt.report.page import missing, page, plotly_script
from sibt.report.run import course, diagnosis, head, settings, statement, trades
from sibt.report.run.section import section
from sibt.runs.run import Run
from sibt.strategy.levels import Level

__all__ = ["run_html", "run_page"]


def run_page(
    run: Run, path: Path, *, lang: str = "en", plotly: str | None = None,
    levels: Sequence[Level] = (),
) -> None:
    """Write the page of a run: one file that opens from disk, the same bytes every time.

    Parameters
    ----------
    run : Run
        The run.
    path : Path
        Where to write, ``index.html`` in the run's folder.
    lang : {"en", "zh"}
        Language the page opens in; it holds both.
    plotly : str, optional
        Address of plotly's script seen from the page. By default it is written once to
        ``assets`` in the folder of all runs, the one above the run's.
    levels : sequence of Level
        Levels to draw on the price.
    """
    if plotly is None:
        plotly = plotly_script(path.parent.parent)
    path.write_text(run_html(run, lang, plotly, levels), encoding="utf-8", newline="\n")


def run_html(run: Run, lang: str, plotly: str, levels: Sequence[Level] = ()) -> str:
    """Return the page of a run.

    Parameters
    ----------
    run : Run
        The run.
    lang : {"en", "zh"}
        Language the page opens in; it holds both.
    plotly : str
        Address of plotly's script seen from the page.
    levels : sequence of Level
        Levels to draw on the price.
    """
    t, market = BOTH, run.market
    parts = _parts(run, t, levels)
    report = run.strategy.source(run.params)
    body = [
        f"<style>\n{_asset('run.css')}</style>\n",
        _contents([(name, label) for name, label, _, html in parts if html], t),
        *(section(name, heading, html) for name, _, heading, html in parts),
        f"<script>\n{_asset('run.js')}</script>\n",
    ]
    return page(
        f"{run.name} · {report.title}" if report else run.name,
        "".join(body),
        simulated=market.provenance.simulated,
        looks_ahead=diagnosis.mark(run, t),
        source=f"{market.provenance.source}, {market.sessions[0]:%Y-%m-%d}.."
        f"{market.sessions[-1]:%Y-%m-%d}, sha256 {market.digest[:12]}",
        nav=[
            (t("All runs"), "../index.html", False),
            (t("Run page"), "index.html", True),
            (t("Tear sheet"), "tearsheet.html", False),
        ],
        plotly=plotly,
        lang=lang,
    )


def _parts(run: Run, t: Language, levels: Sequence[Level]) -> list[tuple[str, str, str, str]]:
    """Return id, short name, heading and HTML of each section; HTML is empty where it has none."""
    held = run.result.metrics["net_per_tonne"] is not None
    legs = len(run.result.job.legs)
    nothing = missing(t("No position was held, so there is nothing to draw."))
    warned = len(run.warnings)
    result = head.verdict(run, t) + head.provenance(run, t) + _warned(warned, t)
    result += head.figures(run, t)
    orders = trades.unfilled(run, t) + trades.filled(run, t)
    made = settings.parameters(run, t) + settings.settings(run, t)
    return [
        ("result", t("Result"), t("Result"), result),
        ("diagnosis", t("Diagnosis"), t("Diagnosis: what makes the result doubtful"),
         diagnosis.diagnosis(run, t)),
        ("idea", t("Idea"), t("Where the idea comes from"), head.idea(run, t)),
        ("equity", t("Equity"), t("Equity and drawdown"),
         course.equity(run, t) if held else nothing),
        *hedge.sections(run, t),
        ("price", t("Spread") if legs > 1 else t("Price"),
         t("The spread, and what was done") if legs > 1 else t("The price, and what was done"),
         course.price(run, t, levels) if held else ""),
        ("legs", t("Legs") if legs > 1 else t("Costs"),
         t("Profit by leg, fees and slippage") if legs > 1 else t("Profit, fees and slippage"),
         course.legs(run, t) if held else ""),
        ("compared", t("Held against"), t("Held against others"), trades.compared(run, t)),
        ("trips", t("Round trips"), t("Round trips"),
         trades.round_trips(run, t) if held else ""),
        ("months", t("Months"), t("Result by month"), course.months(run, t) if held else ""),
        ("margin", t("Margin"), t("Margin, available money and risk degree"),
         course.margin(run, t) if held else ""),
        ("curve", t("Curve"), t("The curve on entry and exit day"),
         course.curve(run, t) if held else ""),
        ("statement", t("Statement"), t("Daily settlement statement"),
         statement.statement(run, t)),
        ("orders", t("Orders"), t("Orders: unfilled and filled"), orders),
        ("notes", t("Warnings"), t("Warnings and notes"), settings.notes(run, t)),
        ("findings", t("Data"), t("What the checks found in the data"),
         settings.findings(run, t)),
        ("settings", t("Settings"), t("Parameters and settings"), made),
        ("files", t("Files"), t("Files of this run"), settings.files(run, t)),
    ]


def _warned(count: int, t: Language) -> str:
    if not count:
        return ""
    words = t("1 warning or note") if count == 1 else t("{count} warnings and notes", count=count)
    return f'<p class="warned"><a href="#notes">{escape(words)} ↓</a></p>\n'


def _contents(parts: Sequence[tuple[str, str]], t: Language) -> str:
    rows = "".join(f'<li><a href="#{name}">{escape(label)}</a></li>\n' for name, label in parts)
    label = escape(t("On this page"))
    return f'<nav class="contents" aria-label="{label}"><ul>\n{rows}</ul></nav>\n'


def _asset(name: str) -> str:
    return (resources.files("sibt.report.run") / name).read_text("utf-8")
