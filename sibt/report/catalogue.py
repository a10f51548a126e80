"""The page of all runs: figures, a little picture of each one's equity, and the way to its page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from sibt.errors import SettingError
from sibt.language import BOTH, EN, ZH, Language
from sibt.report.page import page
from sibt.report.runs_terminal import HEDGES, figure
from sibt.runs.catalogue import Row, catalogue

__all__ = ["index_page", "write_index"]

#: Columns of figures: heading, figure, format, and whether its sign is a gain or a loss.
_FIGURES = (
    ("net yuan", "net", "+,.0f", True),
    ("yuan/t", "net_per_tonne", "+,.1f", True),
    ("drawdown", "max_drawdown", ".2%", False),
    ("peak margin", "peak_margin", ",.0f", False),
    ("Sharpe", "sharpe", ".2f", False),
    ("trips", "round_trips", ",.0f", False),
)
_HEADS = ("run", "equity", "data", *(heading for heading, *_ in _FIGURES))

#: Size of a picture of equity; whole numbers keep it short.
_WIDE, _HIGH = 240, 64


def index_page(out: Path, lang: Language) -> str:
    """Return the page of all runs as HTML.

    Parameters
    ----------
    out : Path
        Folder of all runs; each row leads to a page in it.
    lang : Language
        Language the page opens in; it holds both.

    Raises
    ------
    SettingError
        The folder cannot be read.
    """
    t = BOTH
    rows, warnings = catalogue(out)
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    more = [t("and {n} more", n=len(sources) - 3)] if len(sources) > 3 else []
    if rows:
        body = _controls(len(rows)) + _table(rows)
        if any("hedged" in row.figures for row in rows):
            body += f'<p class="soft">{escape(t(HEDGES))}</p>\n'
    else:
        body = f'<p class="missing">{escape(t("There are no runs yet."))}</p>\n'
    if warnings:
        listed = "".join(f"<li>{escape(t(sentence))}</li>" for sentence in warnings)
        body += f'<h2>{escape(t("Left out"))}</h2>\n<ul class="plain">{listed}</ul>\n'
    return page(
        t("All runs"),
        f"<style>\n{_asset('catalogue.css')}{_labels()}</style>\n{body}"
        f"<script>\n{_asset('catalogue.js')}</script>\n",
        simulated=bool(rows) and all(row.simulated for row in rows if row.source),
        source=", ".join([*sources[:3], *more]) or "–",
        lang=lang.name,
    )


def write_index(out: Path, lang: Language) -> Path:
    """Write the page of all runs as ``index.html`` in their folder, whole or not at all.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    lang : Language
        Language the page opens in.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SettingError
        The folder cannot be read, or the page not be written.
    """
    text = index_page(out, lang)
    fresh = out / f".index-{os.getpid()}"
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        os.replace(fresh, out / "index.html")
    except OSError as error:
        raise SettingError(
            f"{out / 'index.html'} cannot be written: {error.strerror}; see its rights"
            " and the room on its disk, or open a run's own page."
        ) from None
    finally:
        fresh.unlink(missing_ok=True)
    return out / "index.html"


def _controls(count: int) -> str:
    said = BOTH("{shown} of {n} runs", shown=f'<b class="shown">{count:,}</b>', n=f"{count:,}")
    hint = BOTH("name, data, kind")
    return (
        f'<p class="find"><label for="find">{BOTH("Find")}</label>'
        f' <input id="find" type="search" autocomplete="off" placeholder="{hint}">'
        f' <span role="status">{said}</span></p>\n'
    )


def _table(rows: Sequence[Row]) -> str:
    heads = "".join(_head(at, name) for at, name in enumerate(_HEADS))
    label = escape(BOTH("All runs"))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="runs"><thead><tr>{heads}</tr></thead>\n<tbody>'
        + "\n".join(_row(row) for row in rows)
        + "</tbody></table></div>\n"
    )


def _head(at: int, name: str) -> str:
    number = ' class="num"' if at >= len(_HEADS) - len(_FIGURES) else ""
    sort = ' aria-sort="descending"' if at == 0 else ""  # the newest first, as they stand
    said = escape(BOTH(name))
    if name != "equity":
        said = Markup('<button type="button" data-by="{}">{}</button>').format(at, said)
    return f'<th scope="col"{number}{sort}>{said}</th>'


def _row(row: Row) -> str:
    # A name may break after each of its words.
    name = Markup("_<wbr>").join((row.strategy or row.name).split("_"))
    where = row.page
    if where is not None:
        name = Markup('<a href="{}/{}">{}</a>').format(quote(row.name), where, name)
    kind = "" if row.kind == "run" else f' <span class="kind">{BOTH(row.kind)}</span>'
    made = f"{row.made:%Y-%m-%d %H:%M}"
    said = f'<span class="soft" title="{escape(row.name)}">{made}</span>'
    # What the heads sort by; unknown is null and stands last.
    keys = [
        row.made.timestamp(), None, row.source or None,
        *(row.figures.get(name) for _, name, *_ in _FIGURES),
    ]  # fmt: skip
    if row.note:
        rest = f'<td class="said" colspan="{len(_FIGURES)}">{escape(BOTH(row.note))}</td>'
    else:
        rest = "".join(_figure(row, *each) for each in _FIGURES)
    return (
        f'<tr data-keys="{escape(json.dumps(keys))}"'
        f' data-find="{escape(f"{row.name} {row.sha256} {row.kind}".lower())}">'
        f'<th scope="row">{name}{kind} {said}</th>'
        f"<td>{_picture(row.sketch)}</td><td>{_data(row)}</td>{rest}</tr>"
    )


def _figure(row: Row, _: str, name: str, form: str, signed: bool) -> str:
    value = row.figures.get(name)
    way = f" {'up' if value > 0 else 'down'}" if signed and value else ""
    return f'<td class="num{way}">{figure(value, form)}</td>'


def _data(row: Row) -> str:
    marks = (("LOOKS AHEAD", row.looks_ahead), ("SIMULATED", row.simulated))
    mark = "".join(f'<strong class="simulated">{word}</strong> ' for word, holds in marks if holds)
    days = f'<span class="soft">{escape(row.first)}..{escape(row.last)}</span>' if row.first else ""
    return f"{mark}{escape(row.source or '–')} {days}"


def _picture(sketch: Sequence[float]) -> str:
    """Return equity as a line above and below zero; the figures beside it say it in words."""
    if len(sketch) < 2:
        return ""
    low, high = min(0.0, *sketch), max(0.0, *sketch)
    tall = (high - low) or 1.0

    def y(value: float) -> int:
        return round(2 + (_HIGH - 4) * (high - value) / tall)

    points = [(round(_WIDE * at / (len(sketch) - 1)), y(value)) for at, value in enumerate(sketch)]
    steps = "".join(
        f"{x - before}{'' if to - last < 0 else ' '}{to - last} "
        for (before, last), (x, to) in pairwise(points)
    )
    way = "up" if sketch[-1] > 0 else "down" if sketch[-1] < 0 else "soft"
    return (
        f'<svg class="{way}" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none"'
        f' aria-hidden="true"><path class="zero" d="M0 {y(0.0)}h{_WIDE}"/>'
        f'<path d="M0 {points[0][1]}l{steps.strip()}"/></svg>'
    )


def _labels() -> str:
    """Return the style that names a row's figures where the window is too narrow for heads."""
    rules = [
        f':root[data-lang="{t.name}"] .runs td:nth-child({at}):not(.said)::before'
        f' {{ content: "{t(name)}"; }}'
        for t in (EN, ZH)
        for at, name in enumerate(_HEADS, 1)
        if at > 3
    ]
    return "@media (max-width: 760px) {\n" + "\n".join(rules) + "\n}\n"


@cache
def _asset(name: str) -> str:
    return (resources.files("sibt.report") / "templates" / name).read_text("utf-8")
