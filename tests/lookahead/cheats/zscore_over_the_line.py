"""A z-score of the main contract that runs on through November 2024, from one good to another."""

import sibt
from sibt.strategy import indicators, rules


class ZscoreOverTheLine(sibt.Strategy):
    """Sell the new contracts where they are dear by the prices of the old ones."""

    def legs(self, market, p):
        return {"main": (market.dominant(standard="2024"), 1)}

    def units(self, market, p):
        main = market.dominant(cross_standard=True)
        price = market.continuous(main, "close", None, cross_standard=True)
        return rules.hold(indicators.zscore(price, 20), 1.0, 0.0)
