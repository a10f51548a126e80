"""Each call knows how often it was asked before: a second look decides otherwise."""

import pandas as pd

import sibt


class CountedCalls(sibt.Strategy):
    """Short for the first who asks, long for the next."""

    def __init__(self):
        self.calls = 0

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        self.calls += 1
        return pd.Series(-1.0 if self.calls % 2 else 1.0, index=market.sessions)
