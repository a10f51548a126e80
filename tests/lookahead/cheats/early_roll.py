"""Roll five sessions ahead of the crowd: into the month that is about to lead."""

import pandas as pd

import sibt


class EarlyRoll(sibt.Strategy):
    """Short the coming main contract."""

    def legs(self, market, p):
        main = market.dominant(standard="2022")
        return {"main": (main.shift(-5).where(main.notna(), None), 1)}

    def units(self, market, p):
        return pd.Series(-1.0, market.sessions)
