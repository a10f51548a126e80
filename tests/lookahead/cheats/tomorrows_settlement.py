"""Lean on the settlement: the one of the session the order will fill in."""

import sibt


class TomorrowsSettlement(sibt.Strategy):
    """Buy where the next settlement lies above the close."""

    def legs(self, market, p):
        return {"si2407": 1}

    def units(self, market, p):
        bars = market.bars("si2407")
        return (bars["settle"].shift(-1) > bars["close"]).astype(float)
