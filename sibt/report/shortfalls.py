"""Why an order did not fill, in words that stand by themselves: one set of them everywhere."""

from __future__ import annotations

from sibt.language import Language

__all__ = ["why"]

#: Words of the tables that say too little, or mean something else beside a figure.
_WORDS = {
    "limit": "price limit",
    "volume": "volume too small",
    "margin": "margin too small",
    "delivery month": "in the delivery month",
    "pair": "the other leg did not fill",
}


def why(reason: str, t: Language) -> str:
    """Return one of `sibt.engine.prices.SHORTFALLS` as people read it."""
    return t(_WORDS.get(reason, reason))
