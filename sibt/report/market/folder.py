"""All pages of a market in one folder, written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sibt.errors import SettingError
from sibt.market.panel import Market
from sibt.report.market import (
    basis,
    overview,
    paper,
    quarter,
    spread_matrix,
    spreads,
    term_structure,
    user_series,
)
from sibt.report.market.asked import Asked
from sibt.report.page import page, plotly_js

__all__ = ["check_folder", "pages", "write"]

_PLOTLY = "plotly.min.js"

_PAGES = (
    ("term_structure.html", term_structure, overview.term_structure),
    ("spreads.html", spreads, overview.spread),
    ("matrix.html", spread_matrix, overview.matrix),
    ("basis.html", basis, overview.basis),
    ("stocks.html", paper, overview.paper),
    ("quarter.html", quarter, overview.quarter),
    ("series.html", user_series, overview.series),
)
#: Files of the folder: what may be replaced.
FILES = ("index.html", *(name for name, _, _ in _PAGES), _PLOTLY)


def pages(market: Market, asked: Asked) -> dict[str, str]:
    """Return the pages by file name; the same market and wishes give the same text."""
    prov = market.provenance
    source = f"{prov.source} · {market.digest[:12]}"
    labels = [("Overview 总览", "index.html")]
    labels += [(part.TITLE, name) for name, part, _ in _PAGES]

    def whole(name: str, title: str, body: str) -> str:
        return page(
            title, body, simulated=prov.simulated, source=source, plotly=_PLOTLY,
            nav=[(label, href, href == name) for label, href in labels],
        )

    cards = [(part.TITLE, name, say(market, asked)) for name, part, say in _PAGES]
    found = {"index.html": whole("index.html", overview.TITLE,
                                 overview.body(market, asked, cards))}
    for name, part, _ in _PAGES:
        found[name] = whole(name, part.TITLE, part.body(market, asked))
    return found


def check_folder(out: Path) -> None:
    """Refuse a folder that the pages may not replace.

    Raises
    ------
    SettingError
        It is a file, it holds something that is no page of ours, or it cannot be written.
    """
    import os

    try:
        if out.exists() and not out.is_dir():
            raise SettingError(f"--out {out} is a file; give a folder for the pages.")
        strange = sorted(p.name for p in out.iterdir() if p.name not in FILES) \
            if out.is_dir() else []
        there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be used: {error.strerror}; give another folder."
        ) from None
    if strange:
        raise SettingError(
            f"--out {out} holds other files ({strange[0]}), which the pages would replace; give a"
            " folder of their own."
        )
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise SettingError(f"--out {out} cannot be written below {there}; give another folder.")


def write(found: dict[str, str], out: Path) -> Path:
    """Write the pages with plotly beside them, and return the folder.

    They are written into a folder beside `out` that then takes its place: what stands there
    is the old pages or the new ones, never some of each.

    Parameters
    ----------
    found : dict of str to str
        Pages by file name.
    out : Path
        The folder; made where missing, replaced where it holds such pages.

    Raises
    ------
    SettingError
        As `check_folder`, or it cannot be written.
    """
    check_folder(out)
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be written: {error.strerror}; give another folder."
        ) from None
    try:
        for name, text in {**found, _PLOTLY: plotly_js()}.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="\n")
        fresh.chmod(0o755)
        old = fresh.with_name(fresh.name + ".old")
        if out.exists():
            out.rename(old)
        try:
            fresh.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise SettingError(
            f"--out {out} cannot be written: {error.strerror}; give another folder."
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return out
