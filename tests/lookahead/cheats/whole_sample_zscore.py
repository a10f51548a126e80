"""A z-score whose mean and deviation are those of the whole sample."""

import sibt
from sibt.strategy import rules


class WholeSampleZscore(sibt.Strategy):
    """Sell the spread where it is dear, by all that was ever seen of it."""

    def legs(self, market, p):
        return {"si2409": 1, "si2410": -1}

    def units(self, market, p):
        spread = market.spread("si2409", "si2410")
        z = (spread - spread.mean()) / spread.std()
        return rules.hold(z, 1.0, 0.0)
