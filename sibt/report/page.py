"""The base of every HTML page: head, switches, SIMULATED band, navigation, charts and tables.

A page holds its own style and script and fetches nothing but plotly's script that lies beside
it, so it opens from disk and can be sent on. The same content gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from sibt.language import BOTH, pick
from sibt.report.in_both import in_both

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]
    from jinja2 import Environment

__all__ = ["chart", "missing", "page", "plotly_js", "plotly_script", "table"]

#: What stands for a value that is not known.
_UNKNOWN = "–"

#: A page that shows these colours lets its reader choose which of them is up.
_UP_OR_DOWN = re.compile(r"--(?:up|down)\b|class=\"[^\"]*\b(?:up|down)\b")


def page(
    title: str,
    body: str,
    *,
    simulated: bool,
    source: str,
    looks_ahead: str = "",
    nav: Sequence[tuple[str, str, bool]] = (),
    plotly: str | None = None,
    lang: str | None = None,
) -> str:
    """Return a whole HTML document.

    Its reader chooses a light or dark style, and where the page has them the language and
    which of red and green is up. ``var(--up)`` and ``var(--down)``, or the classes ``up`` and
    ``down``, are the colours of gain and loss.

    Parameters
    ----------
    title : str
        Heading, as text.
    body : str
        What stands below it, as HTML.
    simulated : bool
        True for made-up data: a red band stays on top, and the title begins with SIMULATED.
    source : str
        Where the data come from, as text.
    looks_ahead : str
        What a strategy saw before it could be known, as text: it stands in the band, and the
        title begins with LOOKS AHEAD.
    nav : sequence of (str, str, bool)
        Label, address and whether it is this page.
    plotly : str, optional
        Address of plotly's script seen from the page; needed where `body` has charts.
    lang : {"en", "zh"}, optional
        Language the page opens in, for a page whose texts are made with `BOTH`: it holds both
        and can be switched. Without it the page is in English only.
    """
    text = _templates().get_template("page.html").render(
        t=BOTH,
        lang=lang,
        up_and_down=_UP_OR_DOWN.search(body) is not None,
        title=title,
        body=Markup(body),
        simulated=simulated,
        looks_ahead=looks_ahead,
        source=source,
        nav=nav,
        plotly=plotly,
        css=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
    )
    return (in_both(text, lang) if lang else pick(text, "en")) + "\n"


def chart(figure: go.Figure, height: int = 420, *, name: str | None = None) -> str:
    """Return a ``<div>`` that draws with the page's plotly.

    Colours may be written as ``var(--blue)`` and the like: the page puts in those of the
    light or the dark style. Any text may be in both languages. The figure needs a title; it
    is wrapped to the window.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        What to draw. NaN is a gap.
    height : int
        Pixels.
    name : str, optional
        What tests and scripts find the chart by, as ``data-name``.
    """
    drawing = figure.to_plotly_json()
    layout = {k: v for k, v in drawing.get("layout", {}).items() if k != "template"}
    heading = (layout.get("title") or {}).get("text") or ""
    layout["title"] = {**(layout.get("title") or {}), "text": heading}
    layout["height"] = height
    for key in [*layout, "xaxis", "yaxis"]:
        if key.startswith(("xaxis", "yaxis")):
            layout[key] = _over(_AXIS, layout.get(key, {}))
    layout = _over(_LAYOUT, layout)
    text = json.dumps(
        _plain({"data": drawing.get("data", []), "layout": layout}),
        ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False,
    ).replace("<", "\\u003c")
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    named = f' data-name="{escape(name)}"' if name else ""
    without = BOTH("{title}: a chart that needs JavaScript.", title=heading)
    label = escape(heading)
    # A figure, not an image: an image may hold no buttons, and plotly puts some in.
    return (
        f'<div class="chart" id="chart-{mark}"{named} role="figure" aria-label="{label}">'
        f'<div class="drawn" style="min-height:{height}px"></div>'
        f'<script type="application/json">{text}</script>'
        f"<noscript>{escape(without)}</noscript></div>\n"
    )


def table(
    frame: pd.DataFrame,
    *,
    caption: str = "",
    formats: Mapping[str, str] | None = None,
    marks: Sequence[str] | None = None,
    head: bool = False,
    signed: Sequence[str] = (),
    tall: bool = False,
) -> str:
    """Return an HTML table that scrolls sideways where the window is narrow.

    Parameters
    ----------
    frame : pd.DataFrame
        Columns in order, without the index; their names may be in both languages. Cells of
        type `markupsafe.Markup` are HTML, all others text; NaN, NaT and None are "–".
    caption : str
        What the table holds, as text.
    formats : mapping of column to str
        Format of a column's numbers, such as ``",.0f"`` or ``"+.1%"``; by default whole
        numbers and floats with thousands separators.
    marks : sequence of str, optional
        Class of each row: "wrong", "doubtful", "note" or "".
    head : bool
        True where the first column names the row.
    signed : sequence of str
        Columns of gains and losses: their numbers have a sign, and the colours of up and down.
    tall : bool
        True for a table of many rows: it scrolls below its head, which stays in sight.
    """
    formats = formats or {}
    kinds = [_kind(frame.iloc[:, n]) for n in range(frame.shape[1])]
    names = "".join(
        f'<th scope="col"{_class(kind)}>{escape(str(name))}</th>' if str(name) else "<td></td>"
        for name, kind in zip(frame.columns, kinds, strict=True)
    )
    rows = []
    for number in range(len(frame)):
        cells = []
        for at, (name, kind) in enumerate(zip(frame.columns, kinds, strict=True)):
            value, of_gain = frame.iat[number, at], name in signed
            text = _cell(value, formats.get(str(name)), of_gain)
            if head and at == 0:
                cells.append(f'<th scope="row">{text}</th>')
            else:
                way = _WAYS.get(text[:1], "") if of_gain else ""
                cells.append(f"<td{_class(f'{kind} {way}'.strip())}>{text}</td>")
        mark = marks[number] if marks is not None else ""
        rows.append(f"<tr{_class(mark)}>{''.join(cells)}</tr>")
    label = escape(caption or BOTH("table"))
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    scroll = "scroll tall" if tall else "scroll"
    return (
        f'<div class="{scroll}" tabindex="0" role="region" aria-label="{label}"><table>{top}'
        f"<thead><tr>{names}</tr></thead>\n<tbody>" + "\n".join(rows) + "</tbody></table></div>\n"
    )


def missing(sentence: str) -> str:
    """Return the sentence that stands where a chart or table cannot be made."""
    return f'<p class="missing">{escape(sentence)}</p>\n'


def plotly_script(out: Path) -> str:
    """Return where a page in a folder of `out` finds plotly's script, writing it where missing.

    It lies once for all pages, as ``assets/plotly-<version>.min.js`` in `out`.

    Parameters
    ----------
    out : Path
        Folder that holds the folders of the pages.
    """
    name = f"plotly-{metadata.version('plotly')}.min.js"
    assets = out / "assets"
    if not (assets / name).exists():
        assets.mkdir(parents=True, exist_ok=True)
        # Another run may be writing it too; each puts a whole file in its place.
        handle, fresh = tempfile.mkstemp(prefix=f".{name}.", dir=assets)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(plotly_js())
            os.chmod(fresh, 0o644)
            os.replace(fresh, assets / name)
        except BaseException:
            os.unlink(fresh)
            raise
    return f"../assets/{name}"


def plotly_js() -> str:
    """Return the text of ``plotly.min.js``, from the installed plotly."""
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")


_FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC',"
    " 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC',"
    " 'WenQuanYi Micro Hei', SimHei, sans-serif"
)
_LAYOUT: dict[str, Any] = {
    "paper_bgcolor": "var(--paper)",
    "plot_bgcolor": "var(--paper)",
    "font": {"color": "var(--ink)", "family": _FONT, "size": 13},
    "hoverlabel": {
        "bgcolor": "var(--raised)", "bordercolor": "var(--line)", "align": "left",
        "font": {"color": "var(--ink)", "family": _FONT}, "namelength": -1,
    },
    # Below the axes, where it covers nothing.
    "legend": {
        "orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yanchor": "bottom",
        "yref": "container",
    },
    "separators": ".,",
    "dragmode": "zoom",
}
_AXIS: dict[str, Any] = {
    "gridcolor": "var(--grid)", "linecolor": "var(--line)", "zerolinecolor": "var(--faint)",
    "tickcolor": "var(--line)", "automargin": True,
    "title": {"font": {"size": 13}, "standoff": 12},
}
#: A day written out, which does not break; "still open" may stand in its place.
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Class of a gain and of a loss, by its sign.
_WAYS = {"+": "up", "−": "down"}


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("sibt.report"), autoescape=True, undefined=StrictUndefined
    )


@cache
def _asset(name: str) -> str:
    return (resources.files("sibt.report") / "templates" / name).read_text("utf-8")


def _over(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with what `more` says otherwise, level by level."""
    found = dict(base)
    for name, value in more.items():
        below = found.get(name)
        nested = isinstance(below, Mapping) and isinstance(value, Mapping)
        found[name] = _over(below, value) if nested else value  # type: ignore[arg-type]
    return found


def _class(name: str) -> str:
    return f' class="{escape(name)}"' if name else ""


def _kind(column: pd.Series[Any]) -> str:
    known = [value for value in column if not _unknown(value)]
    if known and all(isinstance(value, pd.Timestamp) for value in known):
        return "day"
    if known and all(isinstance(value, str) for value in known):
        if any(_DAY.fullmatch(value) for value in known):
            return "day"
        return "words" if max(len(pick(value, "en")) for value in known) > 24 else ""
    return "num" if _is_number(column) else ""


def _is_number(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return True
    known = [value for value in column if not _unknown(value)]
    return bool(known) and all(
        isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in known
    )


def _unknown(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _cell(value: Any, form: str | None, signed: bool) -> str:
    if _unknown(value):
        return _UNKNOWN
    if isinstance(value, pd.Timestamp):
        clock = "" if value == value.normalize() else " %H:%M"
        return f"{value:%Y-%m-%d{clock}}"
    if isinstance(value, (bool, np.bool_)):
        return BOTH("yes") if value else BOTH("no")
    if isinstance(value, (int, float, np.number)):
        if form is None:
            form = ",.0f" if float(value).is_integer() else ",.6g"
        text = format(value, form)
        if not text.strip("+-0.,%"):  # nothing is no loss: -0.00 comes of sums of floats
            text = text.lstrip("+-" if signed else "-")
        elif signed and text[0] not in "+-":
            text = f"+{text}"
        # A true minus sign, so that signs stand under each other.
        return text.replace("-", "−")
    return str(escape(value))


def _plain(value: Any) -> Any:
    """Return what JSON can hold: lists, days as text, null for NaN."""
    if isinstance(value, Mapping):
        if "bdata" in value:  # plotly packs numpy arrays; plain lists can be read in the page
            packed = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            return _plain(packed)
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | pd.Series | pd.Index):
        return [_plain(v) for v in value]
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        day = pd.Timestamp(value)
        return f"{day:%Y-%m-%d}" if day == day.normalize() else f"{day:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        # Sums of floats end in noise; no price or share needs more than this.
        number = round(float(value), 6)
        if not math.isfinite(number):
            return None
        return int(number) if number.is_integer() else number
    if isinstance(value, np.integer):
        return int(value)
    return value
