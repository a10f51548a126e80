"""Be flat at the end: of the data, which nobody knows while they are made."""

import pandas as pd

import sibt


class SessionsLeft(sibt.Strategy):
    """Short until ten sessions before the end."""

    def legs(self, market, p):
        return {"si2502": 1}

    def units(self, market, p):
        wish = pd.Series(-1.0, index=market.sessions)
        wish[market.sessions > market.sessions[-1] - pd.Timedelta(days=14)] = 0.0
        return wish
