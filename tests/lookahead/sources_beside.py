"""The sample market with what it lacks beside its bars, and only its last year and a bit."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sibt.market.panel import FIELDS, Market

__all__ = ["rich", "since"]


def since(market: Market, day: str) -> Market:
    """Return the market as if its bars, spot and receipts began on a day."""
    first = int(market.sessions.searchsorted(pd.Timestamp(day)))
    return replace(
        market,
        sessions=market.sessions[first:],
        spot=market.spot.iloc[first:],
        receipts=market.receipts.iloc[first:],
        **{name: getattr(market, name)[first:] for name in FIELDS},
    )


def rich(market: Market) -> Market:
    """Return the market with a weekly series, published late, and a rise of a margin."""
    weeks = market.sessions[4:-10:5]
    series = pd.DataFrame({
        "name": "inventory",
        "date": weeks,
        "published_on": weeks + pd.Timedelta(days=5),
        "value": np.random.default_rng(7).normal(30.0, 3.0, len(weeks)).round(1),
        "unit": "10,000 t",
    })
    terms = pd.DataFrame({
        "contract": ["si2409"],
        "item": ["speculator"],
        "from": [pd.Timestamp("2024-07-01")],
        "value": [0.14],
        "source": ["made up"],
        "confidence": [""],
    })
    return replace(market, series=series, terms=terms)
