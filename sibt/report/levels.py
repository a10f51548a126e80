"""Levels on price charts: from the day they were published, on contracts of their standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sibt.language import Language, Sentence, said
from sibt.market.panel import Market
from sibt.strategy.levels import UNIT, Level

__all__ = ["Drawn", "against"]


@dataclass(frozen=True)
class Drawn:
    """A level as a chart draws it.

    Attributes
    ----------
    level : Level
        The level.
    values : pd.Series of shape (T,)
        Yuan per tonne by session, NaN where it is not drawn.
    why : Sentence or None
        Why it is drawn nowhere.
    """

    level: Level
    values: pd.Series[float]
    why: Sentence | None

    def label(self, t: Language) -> str:
        """Return its name, value and day."""
        return t("{name}: {value:,.10g}, from {day:%Y-%m-%d}", name=self.level.name,
                 value=self.level.printed, day=self.level.published_on)  # fmt: skip

    def trace(self, colour: str, t: Language, number: int = 0, start: int = 0) -> dict[str, Any]:
        """Return the dashed line, labelled where it begins.

        Parameters
        ----------
        colour : str
            Its colour.
        t : Language
            Language.
        number : int
            Its place among several: each has dashes of its own.
        start : int
            First session shown, behind which no label would be seen.
        """
        values = self.values
        text = [""] * len(values)
        known = np.flatnonzero(values.notna().to_numpy()[start:])
        if len(known):
            text[start + int(known[0])] = self.level.name
        return {
            "type": "scatter", "name": self.label(t), "mode": "lines+text",
            "x": pd.DatetimeIndex(values.index).strftime("%Y-%m-%d").tolist(),
            "y": values.tolist(), "text": text, "textposition": "top right",
            "textfont": {"size": 11, "color": colour}, "connectgaps": False, "cliponaxis": True,
            "meta": {"kind": "level"},
            "hovertemplate": f"{self.label(t)}<extra></extra>",
            "line": {"color": colour, "width": 1.5, "dash": _DASHES[number % len(_DASHES)]},
        }  # fmt: skip


_DASHES = ("dash", "dot", "dashdot", "longdash")


def against(level: Level, market: Market, codes: pd.Series[Any]) -> Drawn:
    """Return a level over the contracts a chart shows.

    Parameters
    ----------
    level : Level
        The level.
    market : Market
        The panel.
    codes : pd.Series of shape (T,)
        Contract by session, None where none is shown.
    """
    nothing = pd.Series(float("nan"), index=market.sessions)
    if level.unit != UNIT:
        return Drawn(level, nothing, said(
            "Level {name} is not drawn: it is in {unit}, prices are in yuan/t.", name=level.name,
            unit=level.unit,
        ))  # fmt: skip
    values = level.against(market, codes)
    if values.notna().any():
        return Drawn(level, values, None)
    return Drawn(level, nothing, said(
        "Level {name} is not drawn: from {day:%Y-%m-%d} on no contract of {product}'s delivery"
        " standard {standard} is shown, and a level belongs to its standard.",
        name=level.name, day=level.published_on, product=level.product, standard=level.standard,
    ))  # fmt: skip
