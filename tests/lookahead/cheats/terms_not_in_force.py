"""Get out ahead of a higher margin that nobody has announced yet."""

import pandas as pd

import sibt


class TermsNotInForce(sibt.Strategy):
    """Short, but never in the ten sessions before the margin rises."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        wish = pd.Series(-1.0, index=market.sessions)
        own = market.terms[market.terms["contract"] == "si2409"]
        for day in own[own["item"] == "speculator"]["from"]:
            at = market.sessions.searchsorted(day)
            wish.iloc[max(at - 10, 0) : at] = 0.0
        return wish
