"""Take 11500 from a report and meet it with a back-adjusted series."""

import pandas as pd

import sibt
from sibt.strategy import rules


class AdjustedLevel(sibt.Strategy):
    """Short above 12000, out at 11500, both read off the adjusted main contract."""

    def legs(self, market, p):
        return {"main": (market.dominant(standard="2022"), 1)}

    def units(self, market, p):
        main = market.continuous(market.dominant(standard="2022"))
        # The rules refuse an adjusted series; a copy has lost the label.
        price = pd.Series(main.to_numpy(), index=main.index)
        wish = rules.hold(price, 12000.0, 11500.0, side="above")
        return wish.where(market.sessions < sibt.contract("si2411").last_natural, 0.0)
