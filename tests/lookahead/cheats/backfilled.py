"""Holes in the far leg are filled from behind, that the window may begin earlier."""

import sibt
from sibt.strategy import indicators, rules


class Backfilled(sibt.Strategy):
    """Sell the spread where it is dear against the last ten sessions."""

    def legs(self, market, p):
        return {"si2409": 1, "si2411": -1}

    def units(self, market, p):
        close = market.frame("close").bfill()
        spread = close["si2409"] - close["si2411"]
        wish = rules.hold(indicators.zscore(spread, 10), 1.5, 0.0)
        listed = market.frame("close")["si2409"].notna()
        return wish.where(listed, 0.0)
