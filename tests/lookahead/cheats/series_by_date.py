"""Inventories by the day they were counted on, not by the day they were published."""

import sibt


class SeriesByDate(sibt.Strategy):
    """Short while inventories grow."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        rows = market.series[market.series["name"] == "inventory"]
        counted = rows.set_index("date")["value"]
        grows = (counted.diff() > 0).astype(float)
        return -grows.reindex(market.sessions, method="ffill").fillna(0.0)
