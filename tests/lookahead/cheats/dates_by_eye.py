"""Entries picked by eye on the chart and kept in a table beside the strategy."""

from pathlib import Path

import pandas as pd

import sibt


class DatesByEye(sibt.Strategy):
    """Short on the days of the table."""

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        days = Path(__file__).with_name("dates_by_eye.csv").read_text().split()
        short = market.sessions.isin(pd.to_datetime(days))
        return pd.Series(-short.astype(float), market.sessions)
