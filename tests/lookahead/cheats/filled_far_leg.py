"""A spread against a far month whose last price stands until it trades again."""

import sibt
from sibt.strategy import indicators, rules


class FilledFarLeg(sibt.Strategy):
    """Sell the spread where it is dear against the last twenty sessions."""

    def legs(self, market, p):
        return {"si2405": 1, "si2409": -1}

    def units(self, market, p):
        close = market.frame("close").ffill()
        spread = close["si2405"] - close["si2409"]
        return rules.hold(indicators.zscore(spread, 20), 1.5, 0.0)
