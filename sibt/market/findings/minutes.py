"""What bars finer than a day show: prices no session can have, and days that differ from the bars.

They stand beside the market, so they are given as a table, one row a bar.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sibt.market import intraday
from sibt.market.contract import contract
from sibt.market.findings.finding import Finding
from sibt.market.panel import Market

__all__ = ["minutes"]

#: Daily limits between a bar and the middle of its session; two are the most there can be.
_FAR = 3.0
#: How much the volumes of a session may differ from the daily one, as a share.
_SHARE = 0.01


def minutes(market: Market, bars: pd.DataFrame, name: str) -> list[Finding]:
    """Return what is wrong with bars of minutes, and where they differ from the daily bars.

    Parameters
    ----------
    market : Market
        The daily bars.
    bars : pd.DataFrame
        ``time`` (start of the bar), ``date`` (its session), ``contract``, open, high, low, close
        (yuan per tonne), volume, open_interest (lots), of one product.
    name : str
        What to call them, such as "5m".
    """
    bars = bars[bars["contract"].isin(market.contracts) & bars["date"].isin(market.sessions)]
    if bars.empty:
        return []
    prices = bars[["open", "high", "low", "close"]]
    top, bottom = prices.max(axis=1), prices.min(axis=1)
    middle = bars.groupby(["contract", "date"])["close"].transform("median")
    product = contract(str(bars["contract"].iloc[0])).product
    limit = _limits(market, bars)
    far = (top > middle * (1 + _FAR * limit)) | (bottom < middle * (1 - _FAR * limit))
    found = [_slip(bars[far & (bars["contract"] == one)], middle, name)
             for one in bars.loc[far, "contract"].unique()]
    days = intraday.daily(bars[~far], product)
    spoiled = bars.loc[far, ["contract", "date"]].drop_duplicates()
    days = days.merge(spoiled, how="left", indicator=True)
    days = days[days["_merge"] == "left_only"]
    return found + _apart(market, days, name)


def _limits(market: Market, bars: pd.DataFrame) -> pd.Series[float]:
    """Return the price limit of each bar's contract and session, as a share."""
    limit = pd.Series(np.nan, index=bars.index)
    for code, group in bars.groupby("contract"):
        product = market.product(contract(str(code)).product.name)
        days = pd.DatetimeIndex(group["date"].unique())
        share = pd.Series(product.price_limit(str(code), days), index=days)
        limit[group.index] = group["date"].map(share)
    return limit


def _slip(rows: pd.DataFrame, middle: pd.Series[float], name: str) -> Finding:
    first = rows.iloc[0]
    beside = float(middle[rows.index[0]])
    price = max(
        (float(first[word]) for word in ("open", "high", "low", "close") if first[word] > 0),
        key=lambda value: abs(np.log(value / beside)),
    )
    return Finding(
        "wrong", "minute spike", str(first["contract"]), rows["date"].min(), rows["date"].max(),
        len(rows),
        f"the bar of {name} at {first['time']:%Y-%m-%d %H:%M} goes to {price:,g},"
        f" {price / beside - 1:+.0%} from the middle of its session, {beside:,g}",
        "take these bars out of the file and import it again, and mend the daily bar if it was"
        " filled in from them",
    )


def _apart(market: Market, days: pd.DataFrame, name: str) -> list[Finding]:
    """Return the whole sessions whose added-up bars differ from the daily ones."""
    rows = market.sessions.get_indexer(pd.DatetimeIndex(days["date"]))
    columns = np.array([market.column(code) for code in days["contract"]], dtype=np.int64)
    differs = {}
    for column in ("high", "low", "close", "volume"):
        daily = getattr(market, column)[rows, columns]
        ours = days[column].to_numpy(float)
        room = _SHARE * daily if column == "volume" else 0.0
        differs[column] = np.abs(ours - daily) > room  # unknown differs from nothing
    found = []
    apart = np.logical_or.reduce(list(differs.values()))
    for code in days.loc[apart, "contract"].unique():
        mine = apart & (days["contract"] == code).to_numpy()
        at = int(mine.argmax())
        column = next(word for word, where in differs.items() if where[at])
        day = days["date"].iloc[at]
        daily = getattr(market, column)[rows[at], columns[at]]
        found.append(
            Finding(
                "doubtful", "minutes", str(code), day, days["date"][mine].max(), int(mine.sum()),
                f"on {day:%Y-%m-%d} the bars of {name} add up to a {column} of"
                f" {days[column].iloc[at]:,g}, the daily bar has {daily:,g}",
                "compare both with the exchange's daily table",
            )
        )
    return found
