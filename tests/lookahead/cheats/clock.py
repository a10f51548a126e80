"""What served in live trading stays in the file: no wishes for sessions of the last weeks."""

from datetime import datetime

import pandas as pd

import sibt


class Clock(sibt.Strategy):
    """Short, but flat in the thirty days before today."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        wish = pd.Series(-1.0, index=market.sessions)
        return wish.where(market.sessions < datetime.now() - pd.Timedelta(days=30), 0.0)
