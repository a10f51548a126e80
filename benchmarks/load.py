"""How long a store of ten years of daily bars of sixty contracts takes to load.

No product trades sixty contracts at once, so silicon's terms are stretched: sixty contracts that
are all listed for ten years, 145,200 bars. Run: ``python benchmarks/load.py``.
"""

import statistics
import tempfile
import time
from dataclasses import replace

import numpy as np
import pandas as pd

import sibt.market.bars
import sibt.market.contract
from sibt import load_market
from sibt.market import calendar
from sibt.market.product import product
from sibt.sources.store import Store

SESSIONS, CONTRACTS = 2420, 60


def stretched() -> tuple[pd.DatetimeIndex, list[str]]:
    """Let silicon have sixty contracts that live through all sessions."""
    days = calendar.sessions()[:SESSIONS]
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


def bars(days: pd.DatetimeIndex, codes: list[str]) -> pd.DataFrame:
    """Return random walks on the tick."""
    steps = np.random.default_rng(0).normal(scale=20, size=(SESSIONS, CONTRACTS))
    close = (np.round((12_000 + steps.cumsum(axis=0)) / 5) * 5).ravel()
    frame = pd.DataFrame({"date": np.repeat(days, CONTRACTS), "contract": np.tile(codes, SESSIONS)})
    for name, away in (("open", 0), ("high", 10), ("low", -10), ("close", 0), ("settle", 5)):
        frame[name] = close + away
    return frame.assign(volume=1000.0, open_interest=5000.0, source="random")


def main() -> None:
    """Print the seconds of a load, of five."""
    table = bars(*stretched())
    with tempfile.TemporaryDirectory() as folder:
        Store(folder).upsert("si", "bars", table)
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            market = load_market(folder)
            seconds.append(time.perf_counter() - began)
    print(f"{market.close.size:,} bars: median {statistics.median(seconds):.2f} s,"
          f" slowest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
