"""A basis made of spot quotes that were lined up a day too early."""

import sibt
from sibt.strategy import rules


class TomorrowsSpot(sibt.Strategy):
    """Buy futures where spot stands high above them."""

    def legs(self, market, p):
        return {"si2407": 1}

    def units(self, market, p):
        spot = market.spot["553"].shift(-1)
        basis = spot - market.frame("close")["si2407"]
        return rules.hold(basis, 200.0, 0.0, units=-1, side="above")
