"""Levels that are laid over the market's prices, and the sentences for those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import escape

from sibt.language import EN
from sibt.market.panel import Market
from sibt.report.levels import Drawn, against
from sibt.report.market.asked import Asked

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["draw", "over_dominant", "over_index"]


def over_index(market: Market, asked: Asked) -> tuple[Drawn, ...]:
    """Return levels over the indices of the product, each over that of its own standard."""
    nothing: pd.Series[Any] = pd.Series(None, index=market.sessions, dtype=object)
    return tuple(
        against(one, market, nothing if one.product != asked.product else
                market.dominant(asked.product, standard=one.standard))
        for one in asked.levels
    )  # fmt: skip


def over_dominant(market: Market, asked: Asked) -> tuple[Drawn, ...]:
    """Return levels over the dominant contract, where it is of their standard."""
    leaders = market.dominant(asked.product, cross_standard=True)
    return tuple(against(one, market, leaders) for one in asked.levels)


def draw(figure: go.Figure, levels: tuple[Drawn, ...]) -> str:
    """Add levels to a figure, and return as HTML why others are not among them."""
    left_out = ""
    for number, one in enumerate(levels):
        if one.why is None:
            figure.add_trace(one.trace("var(--ink)", EN, number))
        else:
            left_out += f"<li>{escape(one.why)}</li>"
    return f'<ul class="plain">{left_out}</ul>' if left_out else ""
