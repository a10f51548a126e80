"""A hedge ratio fitted on all there is, and then judged on the same days."""

import numpy as np
import pandas as pd

import sibt
from sibt.hedging.programs import dominant_closes


class FullSampleRatio(sibt.Strategy):
    """Sell the best number of lots against 500 t of 553."""

    kind = "hedger"

    def legs(self, market, p):
        return {"si2410": 1}

    def exposure(self, market, p):
        return pd.Series(500.0, market.sessions)

    def units(self, market, p):
        futures, _ = dominant_closes(market, "si", "2022")
        both = pd.DataFrame({"s": market.spot["553"].diff(), "f": futures.diff()}).dropna()
        ratio = both.cov().loc["s", "f"] / both["f"].var() if len(both) > 60 else 1.0
        lots = -np.rint(500.0 / 5 * ratio)
        return pd.Series(lots, market.sessions).where(market.sessions < "2024-09-20", 0.0)
