"""Spot and futures prices with a ratio that is known, for the tests of hedge ratios."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sibt.hedging.ratios.pair import pair_of
from sibt.market import calendar

_GOLDEN = Path(__file__).resolve().parents[2] / "golden"
DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2023-01-03"]


def worked(name):
    """Read a worked example by the beginning of its file's name."""
    (path,) = _GOLDEN.glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))


def series(*columns, days=DAYS):
    """Return price series on sessions from the start of 2023."""
    return tuple(pd.Series(np.asarray(c, float), index=days[: len(c)]) for c in columns)


def drawn(seed, sessions=250, ratio=0.8, basis=0.9):
    """Return spot = ratio × futures + a basis that returns by a tenth a session."""
    generator = np.random.default_rng(seed)
    futures = 15_000 + np.cumsum(150 * generator.standard_normal(sessions))
    noise = 60 * generator.standard_normal(sessions)
    gap = np.zeros(sessions)
    for t in range(1, sessions):
        gap[t] = basis * gap[t - 1] + noise[t]
    return series(3_000 + ratio * futures + gap, futures)


def pulled(seed, sessions=400, ratio=0.8):
    """Return prices whose gap pulls both: futures towards spot too, which least squares misses."""
    generator = np.random.default_rng(seed)
    spot, futures = np.full(sessions, 15_000.0), np.full(sessions, 15_000.0)
    for t in range(1, sessions):
        gap = spot[t - 1] - futures[t - 1]
        rise = 0.3 * gap + 100 * generator.standard_normal()
        futures[t] = futures[t - 1] + rise
        spot[t] = spot[t - 1] - 0.25 * gap + ratio * rise + 60 * generator.standard_normal()
    return series(spot, futures)


def rolled(spot, futures, length=60, jump=900.0):
    """Return the pair and the codes of a series that goes to the next contract, with a jump."""
    number = np.arange(len(futures)) // length
    months = [2301 + n if n < 12 else 2389 + n for n in number]
    codes = pd.Series([f"si{month}" for month in months], index=futures.index)
    return spot, futures + jump * number, codes


def pair(spot, futures, contracts=None):
    return pair_of(spot, futures, contracts)
