"""Trade around a smooth mean: a centred window is smooth because it knows the next days."""

import sibt
from sibt.strategy import rules


class CentredMean(sibt.Strategy):
    """Sell the spread where it is dear against its mean of eleven sessions."""

    def legs(self, market, p):
        return {"si2409": 1, "si2410": -1}

    def units(self, market, p):
        spread = market.spread("si2409", "si2410")
        mean = spread.rolling(11, center=True, min_periods=3).mean()
        return rules.hold(spread - mean, 20.0, 0.0)
