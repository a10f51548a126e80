"""A resting order at the lowest price of the session it rests in."""

import pandas as pd

import sibt


class LimitAtTheLow(sibt.Strategy):
    """Buy at the low of the day, sell in the open the week after."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        low = market.frame("low")["si2409"]
        wish = pd.Series((market.sessions.isocalendar().week % 2).to_numpy(float), market.sessions)
        return wish, low.shift(-1).where(wish > 0)
