"""All pages of a market, and the folder they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sibt.market.panel import Market
from sibt.report import folder
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
from sibt.report.page import page

__all__ = ["check_folder", "pages", "write"]

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
FILES = ("index.html", *(name for name, _, _ in _PAGES))


def pages(market: Market, asked: Asked) -> dict[str, str]:
    """Return the pages by file name; the same market and wishes give the same text."""
    prov = market.provenance
    source = f"{prov.source} · {market.digest[:12]}"
    labels = [("Overview 总览", "index.html")]
    labels += [(part.TITLE, name) for name, part, _ in _PAGES]

    def whole(name: str, title: str, body: str) -> str:
        return page(
            title, body, simulated=prov.simulated, source=source, plotly=folder.PLOTLY,
            nav=[(label, href, href == name) for label, href in labels],
        )

    cards = [(part.TITLE, name, say(market, asked)) for name, part, say in _PAGES]
    found = {"index.html": whole("index.html", overview.TITLE,
                                 overview.body(market, asked, cards))}
    for name, part, _ in _PAGES:
        found[name] = whole(name, part.TITLE, part.body(market, asked))
    return found


def check_folder(out: Path) -> None:
    """Refuse a folder that the pages may not replace, as `sibt.report.folder.check_folder`."""
    folder.check_folder(out, FILES)


def write(found: Mapping[str, str], out: Path) -> Path:
    """Write the pages by file name, as `sibt.report.folder.write`, and return the folder."""
    return folder.write(found, out, FILES)
