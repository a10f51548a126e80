"""Weekly receipts, laid on the days of the week whose Friday they are counted on."""

import sibt


class ReceiptsOfTheWeek(sibt.Strategy):
    """Short while receipts grow from week to week."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        weekly = market.receipts.resample("W-FRI").last()
        grows = (weekly.diff() > 0).astype(float)
        daily = grows.reindex(market.sessions, method="bfill")
        listed = market.frame("close")["si2409"].notna()
        return (-daily).where(listed, 0.0)
