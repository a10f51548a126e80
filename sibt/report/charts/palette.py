"""Colours of charts: names on a page, which has several styles, and real colours elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from sibt.language import Language

__all__ = ["palette"]

#: Those of the page's light style; the bright ones are Okabe and Ito's.
_LIGHT = {
    "ink": "#1b1f23", "soft": "#57606a", "faint": "#aab2ba", "line": "#d0d7de",
    "grid": "#e4e8ec", "paper": "#ffffff", "raised": "#f4f6f8",
    "blue": "#0072b2", "orange": "#d48a00", "green": "#009e73", "pink": "#b75c8c",
    "red": "#d55e00", "sky": "#2f97d0", "gold": "#a08a00",
}  # fmt: skip


def palette(t: Language) -> Mapping[str, str]:
    """Return colours by name: ``ink``, ``soft``, ``blue``, ``up``, ``down`` and so on.

    Parameters
    ----------
    t : Language
        `BOTH` is that of pages: its colours are names the page resolves, as its reader may
        change style and the colours of gain and loss. In Chinese up is red, in English green.
    """
    if t.name == "both":
        return {name: f"var(--{name})" for name in (*_LIGHT, "up", "down")}
    up, down = ("red", "green") if t.name == "zh" else ("green", "red")
    return {**_LIGHT, "up": _LIGHT[up], "down": _LIGHT[down]}
