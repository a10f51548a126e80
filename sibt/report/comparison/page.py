"""The pages of a comparison: everything on one page, and the tear sheets side by side."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup, escape

from sibt.language import BOTH, Language
from sibt.report.charts import comparison as charts
from sibt.report.comparison.differences import code_part, differs_part
from sibt.report.comparison.figures import figures_table
from sibt.report.comparison.together import correlation_part, trips_table
from sibt.report.page import chart, missing, page, plotly_script, table
from sibt.runs.comparison import Comparison
from sibt.runs.side import Side

__all__ = ["INDEX", "SHEETS", "comparison_page", "sheet_name", "tear_sheets_page"]

#: The page, and the one of the tear sheets.
INDEX, SHEETS = "index.html", "tearsheets.html"

#: Pages a run's or a sweep's folder may have; the first there is opens it.
_PAGES = ("index.html", "sweep.html", "tearsheet.html")


def sheet_name(letter: str) -> str:
    """Return the name of the tear sheet of a set that was booked for this comparison."""
    return f"tearsheet-{letter}.html"


def comparison_page(comparison: Comparison, path: Path, t: Language) -> None:
    """Write the page: one file that opens from disk, in both languages.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    path : Path
        Where to write, in a folder beside those of the runs.
    t : Language
        Language it opens in.
    """
    goods = any(side.goods is not None for side in comparison.sides)
    heads = {
        "runs": BOTH("Runs"), "figures": BOTH("Figures side by side"),
        "equity": BOTH("Equity and drawdown"), "each": BOTH("Per unit and per tonne"),
        "differs": BOTH("What differs"), "together": BOTH("Correlation of daily results"),
        "trips": BOTH("Round trips against each other"),
    }  # fmt: skip
    tall = 40 * len(comparison.sides)
    bodies = {
        "runs": _limits(comparison) + _runs(comparison, path),
        "figures": figures_table(comparison),
        "equity": _base(comparison)
        + chart(charts.equity(comparison, BOTH), 520 + _legend(comparison), name="equity")
        + (_goods(comparison) if goods else ""),
        "each": _each(comparison),
        "differs": differs_part(comparison) + code_part(comparison),
        "together": correlation_part(comparison),
        "trips": (
            chart(charts.round_trips(comparison, BOTH), 170 + tall, name="trips")
            if len(comparison.round_trips) else ""
        ) + trips_table(comparison),
    }  # fmt: skip
    links = "".join(f'<li><a href="#{name}">{escape(head)}</a></li>'
                    for name, head in heads.items())  # fmt: skip
    contents = f'<nav aria-label="{escape(BOTH("On this page"))}"><ul>{links}</ul></nav>\n'
    sections = "".join(
        f'<section id="{name}"><h2>{escape(heads[name])}</h2>\n{body}</section>\n'
        for name, body in bodies.items()
    )
    _write(comparison, path, contents + sections, t, plotly_script(path.parent.parent))


def tear_sheets_page(comparison: Comparison, path: Path, t: Language) -> None:
    """Write the page that shows the runs' tear sheets side by side, in frames.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    path : Path
        Where to write; frames lead from its folder to those of the runs.
    t : Language
        Language it opens in.
    """
    frames = []
    for letter, label in comparison.labels.items():
        side = comparison.sides[comparison.letters.index(letter)]
        head = f"<h2>{_key(letter)} {escape(label)}{_made_up(side)}</h2>"
        sheet = _sheet(side, letter, path)
        if sheet is None:
            frame = missing(BOTH("{run} has no tear sheet.", run=side.name))
        else:
            said = escape(BOTH("Tear sheet of {letter}, {label}", letter=letter, label=label))
            alone = escape(BOTH("open it alone"))
            frame = (
                f'<iframe src="{sheet}" title="{said}" loading="lazy"></iframe>'
                f'<p class="soft"><a href="{sheet}">{alone}</a></p>'
            )
        frames.append(f"<section>{head}{frame}</section>")
    label = escape(BOTH("Tear sheets side by side"))
    body = (f'<div class="frames" tabindex="0" role="region" aria-label="{label}">'
            f"{''.join(frames)}</div>\n")  # fmt: skip
    _write(comparison, path, body, t, None)


def _write(comparison: Comparison, path: Path, body: str, t: Language, plotly: str | None) -> None:
    labels = {INDEX: BOTH("Comparison"), SHEETS: BOTH("Tear sheets side by side")}
    title = BOTH("Comparison of {count} runs", count=len(comparison.sides))
    if path.name == SHEETS:
        title = f"{labels[SHEETS]} · {title}"
    sources = dict.fromkeys(
        f"{side.data['source']}, {str(side.data['sha256'])[:12]}" for side in comparison.sides
    )
    css = (resources.files("sibt.report.comparison") / "comparison.css").read_text("utf-8")
    text = page(
        title,
        f"<style>\n{css}</style>\n{body}",
        simulated=comparison.simulated,
        source="; ".join(sources),
        nav=[(label, name, name == path.name) for name, label in labels.items()],
        plotly=plotly,
        lang=t.name,
    )
    path.write_text(text, encoding="utf-8", newline="\n")


def _limits(comparison: Comparison) -> str:
    """Return what cannot be compared, or the sentence that all can."""
    if not comparison.limits:
        said = BOTH("These runs can be compared: the same data, goods and capital, and a time they"
                    " have in common.")  # fmt: skip
        return f'<ul class="limits none"><li>{escape(said)}</li></ul>\n'
    lines = "".join(f"<li>{escape(BOTH(line))}</li>" for line in comparison.limits)
    return f'<ul class="limits">{lines}</ul>\n'


def _runs(comparison: Comparison, path: Path) -> str:
    rows = []
    for letter, side in zip(comparison.letters, comparison.sides, strict=True):
        own = next((side.folder / name for name in _PAGES if (side.folder / name).is_file()), None)
        name = escape(side.name)
        if own is not None:
            name = Markup('<a href="{}">{}</a>').format(_address(own, path), side.name)
        data = Markup("{} {} {}").format(
            _made_up(side), side.data["source"], _days(side.data["first"], side.data["last"])
        )
        held = Markup(escape(BOTH("no position was held")))
        if side.span is not None:
            held = _days(*(f"{day:%Y-%m-%d}" for day in side.span))
        sheet = _sheet(side, letter, path)
        link = None if sheet is None else Markup('<a href="{}">{}</a>').format(
            Markup(sheet), BOTH("tear sheet")
        )
        rows.append([_key(letter), name, comparison.labels[letter], data, held, link])
    heads = ("key", "run", "what it is", "data", "in the market", "tear sheet")
    frame = pd.DataFrame(rows, columns=[BOTH(head) for head in heads], dtype=object)
    text = table(frame, caption=BOTH("Runs, the first of which the others are held against"),
                 head=True)  # fmt: skip
    return text.replace("<table>", '<table class="runs">', 1)


def _base(comparison: Comparison) -> str:
    said = BOTH(
        "Each run's daily result in yuan, after fees, is added to one capital of {base:,.0f} yuan,"
        " the largest of any of them; lots are not scaled. Drawdown is how far that stands below"
        " its highest value. A click on a name takes its line away.",
        base=comparison.base,
    )
    futures = ""
    if any(side.goods is not None for side in comparison.sides):
        futures = " " + BOTH("Of runs that own goods, this is the futures account alone.")
    return f"<p>{escape(said)}{escape(futures)}</p>\n"


def _goods(comparison: Comparison) -> str:
    return chart(charts.gained(comparison, "goods", BOTH), 380 + _legend(comparison), name="goods")


def _each(comparison: Comparison) -> str:
    parts = []
    for per, what in (("unit", BOTH("per unit")), ("tonne", BOTH("per tonne"))):
        if comparison.gained(per).notna().any(axis=None):
            figure = charts.gained(comparison, per, BOTH)
            parts.append(chart(figure, 380 + _legend(comparison), name=f"per-{per}"))
        else:
            parts.append(missing(BOTH("Nothing is known {what}.", what=what)))
    said = BOTH(
        "Yuan over the units, or the tonnes of the first leg, of each run's largest position. A"
        " unit is what its strategy calls one, so units of different strategies are different"
        " things."
    )
    return f"<p>{escape(said)}</p>\n" + "".join(parts)


def _legend(comparison: Comparison) -> int:
    """Return the pixels that more than a few names need below a chart."""
    return 20 * max(len(comparison.sides) - 3, 0)


def _sheet(side: Side, letter: str, path: Path) -> str | None:
    """Return the address of a run's tear sheet seen from the page; None where there is none."""
    sheet = side.folder / "tearsheet.html"
    if side.chosen is not None:
        sheet = path.parent / sheet_name(letter)
    return _address(sheet, path) if sheet.is_file() else None


def _address(file: Path, path: Path) -> str:
    away = os.path.relpath(file.resolve(), path.parent.resolve())
    return quote(Path(away).as_posix())


def _key(letter: str) -> Markup:
    return Markup('<span class="key">{}</span>').format(letter)


def _days(first: str, last: str) -> Markup:
    return Markup('<span class="days">{}..{}</span>').format(first, last)


def _made_up(side: Side) -> Markup:
    marks = (("LOOKS AHEAD", side.looks_ahead), ("SIMULATED", side.simulated))
    return Markup("".join(f' <span class="made-up">{word}</span>' for word, is_ in marks if is_))
