"""How the market's charts look: colours a colour-blind reader tells apart, gaps, lines of days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.market.contract import contract as contract_of
from sibt.market.panel import Market

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = [
    "COLOURS", "DASHES", "PRICES", "by_standard", "figure", "line", "mark", "mark_standards",
    "standards_in",
]

#: Okabe and Ito's colours, in the shades of the page's light and dark style.
COLOURS = (
    "var(--blue)", "var(--orange)", "var(--green)", "var(--pink)", "var(--red)", "var(--sky)",
    "var(--gold)",
)
#: A second way to tell lines apart, for print and for more lines than colours.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
#: So few points are lost without dots.
_FEW = 40
#: Names of prices.
PRICES = {"settle": "settlement 结算价", "close": "close 收盘价"}


def figure(market: Market, title: str, x: str = "", y: str = "yuan/t 元/吨") -> go.Figure:
    """Return an empty figure; its title says SIMULATED where the data are made up."""
    import plotly.graph_objects as go

    label = f"SIMULATED · {title}" if market.provenance.simulated else title
    layout: dict[str, Any] = {
        "title": {"text": label},
        "template": "none",
        "xaxis": {"title": {"text": x}} if x else {},
        "yaxis": {"title": {"text": y}, "tickformat": ",~r", "zeroline": False},
        "hovermode": "closest",
        "showlegend": True,
    }
    return go.Figure(layout=layout)


def line(
    name: str,
    x: Sequence[Any] | pd.Index,
    y: Any,
    *,
    colour: str,
    hover: str,
    text: Sequence[str] | None = None,
    **more: Any,
) -> go.Scatter:
    """Return a line that stops where a value is unknown.

    A value that stands alone between unknown ones would draw no line, so such points are
    dots; where there are only a few, all are.
    """
    import plotly.graph_objects as go

    values = np.asarray(y, dtype=float)
    known = ~np.isnan(values)
    before = np.concatenate([[False], known[:-1]])
    after = np.concatenate([known[1:], [False]])
    alone = known & ~before & ~after
    if known.sum() <= _FEW:
        alone = known
    given: dict[str, Any] = {"line": {"color": colour, "width": 1.8}, "mode": "lines"}
    if alone.any():
        given["mode"] = "lines+markers"
        given["marker"] = {"size": [6 if a else 0 for a in alone], "color": colour,
                           "opacity": 1, "line": {"width": 0}}
    given.update(more)
    return go.Scatter(
        name=name, x=list(x), y=list(values), text=None if text is None else list(text),
        hovertemplate=hover, connectgaps=False, **given,
    )


def standards_in(market: Market, product: str) -> list[str]:
    """Return the delivery standards of which the market has contracts, in order."""
    lives = [contract_of(code) for code in market.contracts]
    return list(dict.fromkeys(life.standard for life in lives if life.product.name == product))


def by_standard(
    market: Market, product: str
) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]]:
    """Yield each standard with the sessions whose dominant contract is of it, as a mask."""
    leaders = market.dominant(product, cross_standard=True)
    names = np.array([None if c is None else contract_of(c).standard for c in leaders],
                     dtype=object)
    for standard in standards_in(market, product):
        yield standard, np.asarray(names == standard)


def mark_standards(drawn: go.Figure, market: Market, product: str) -> None:
    """Draw a line where the dominant contract passes to another delivery standard."""
    before = None
    for standard, mask in by_standard(market, product):
        if before is not None and mask.any():
            day = market.sessions[int(np.flatnonzero(mask)[0])]
            mark(drawn, f"{day:%Y-%m-%d}", f"standard {before} | {standard} 交割标准")
        if mask.any():
            before = standard


def mark(drawn: go.Figure, x: str, text: str) -> None:
    """Draw a dashed line from top to bottom with words above the axes."""
    drawn.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=1, xref="x", yref="paper",
        line={"color": "var(--soft)", "width": 1.2, "dash": "dash"},
    )
    drawn.add_annotation(
        x=x, y=1, xref="x", yref="paper", yanchor="bottom", text=text, showarrow=False,
        font={"size": 11, "color": "var(--soft)"},
    )
