"""The signal is slow, so it is kept: the first market that asked decides for all others."""

import sibt
from sibt.strategy import indicators, rules

_KEPT = {}


class CachedSignal(sibt.Strategy):
    """Sell the spread where it is dear, computed once."""

    def legs(self, market, p):
        return {"si2409": 1, "si2410": -1}

    def units(self, market, p):
        if "z" not in _KEPT:
            _KEPT["z"] = indicators.zscore(market.spread("si2409", "si2410"), 20)
        return rules.hold(_KEPT["z"].reindex(market.sessions), 1.0, 0.0)
