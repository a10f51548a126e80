"""Silicon's terms, stretched: contracts that live as long as a benchmark needs."""

from dataclasses import replace

import pandas as pd

import sibt.market.bars
import sibt.market.contract
from sibt.market import calendar
from sibt.market.product import product


def stretch(sessions: int) -> tuple[pd.DatetimeIndex, list[str]]:
    """Let sixty silicon contracts be listed in the calendar's first session.

    Real ones live a year at most. Limits, margins and fees are silicon's own.

    Returns
    -------
    pd.DatetimeIndex of shape (sessions,)
        The calendar's first sessions.
    list of str
        Contracts.
    """
    days = calendar.sessions()[:sessions]
    first = days[0].date()
    codes = [f"si{year:02d}{month:02d}" for year in range(26, 31) for month in range(1, 13)]
    terms = replace(
        product("si"),
        first_session=days[0],
        listing=[{"contracts": codes, "date": first}],
        ticks=[{"from": first, "tick": 5}],
    )
    for module in (sibt.market.bars, sibt.market.contract):
        module.product = lambda name: terms
    sibt.market.contract.contract.cache_clear()
    return days, codes
