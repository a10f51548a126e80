"""The cost support of the quarterly report, traded from the year before it was printed."""

import sibt
from sibt.strategy import rules


class LevelBeforePublication(sibt.Strategy):
    """Buy where the contract falls to the support."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        support = sibt.level("guolian_2024q1.support").value
        price = market.frame("close")["si2409"]
        return rules.hold(price - support, 1000.0, 2000.0, side="below")
