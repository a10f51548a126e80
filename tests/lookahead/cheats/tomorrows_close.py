"""Sell before a fall: `shift(-1)` where `shift(1)` was meant."""

import sibt


class TomorrowsClose(sibt.Strategy):
    """Short on days before the close falls."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        close = market.frame("close")["si2409"]
        falls = close.shift(-1) < close
        return -falls.astype(float)
