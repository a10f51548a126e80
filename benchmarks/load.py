"""How long a store of ten years of daily bars of sixty contracts takes to load.

No product trades sixty contracts at once, so silicon's terms are stretched: 145,200 bars. Run
``python benchmarks/load.py``.
"""

import statistics
import tempfile
import time

import numpy as np
import pandas as pd
from stretched import stretch

from sibt import load_market
from sibt.sources.store import Store

SESSIONS = 2420


def bars() -> pd.DataFrame:
    """Return random walks on the tick."""
    days, codes = stretch(SESSIONS)
    steps = np.random.default_rng(0).normal(scale=20, size=(SESSIONS, len(codes)))
    close = (np.round((12_000 + steps.cumsum(axis=0)) / 5) * 5).ravel()
    frame = pd.DataFrame(
        {"date": np.repeat(days, len(codes)), "contract": np.tile(codes, SESSIONS)}
    )
    for name, away in (("open", 0), ("high", 10), ("low", -10), ("close", 0), ("settle", 5)):
        frame[name] = close + away
    return frame.assign(volume=1000.0, open_interest=5000.0, source="random")


def main() -> None:
    """Print the seconds of a load, of five."""
    with tempfile.TemporaryDirectory() as folder:
        Store(folder).upsert("si", "bars", bars())
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            market = load_market(folder)
            seconds.append(time.perf_counter() - began)
    print(f"{market.close.size:,} bars: median {statistics.median(seconds):.2f} s,"
          f" slowest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
