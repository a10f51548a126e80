"""Markets of two contracts whose spread is known to be worth something, or nothing."""

import numpy as np
import pandas as pd

from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market, Provenance
from sibt.strategy import indicators, rules
from sibt.strategy.strategy import Param, Strategy

NEAR, FAR = "si2508", "si2509"
TICK = 5

#: Nothing that trading costs: noise then has a mean of zero, and not below.
FREE = {"fee": 0.0}


class Bands(Strategy):
    """Against the spread where it is far from its mean, until it is back."""

    lookback = Param(20, "observations compared with", "sessions", low=2, grid=(10, 20))
    z = Param(1.0, "deviations that open", "sd", grid=(1.0, 1.5))
    z_exit = Param(0.0, "deviations that close", "sd", grid=(None, 0.0, 0.5))
    size = Param(5, "pairs held", "units", low=1, grid=(5,))

    def legs(self, market, p):
        return {NEAR: 1, FAR: -1}

    def units(self, market, p):
        z = indicators.zscore(market.spread(NEAR, FAR), p.lookback)
        return rules.hold(z, p.z, p.z_exit, units=p.size, side="both")

    def refuses(self, p):
        return {"z_exit is not below z": p.z_exit >= p.z}


#: 480 sets; those that contradict themselves among them.
GRID = {"lookback": "3:42:1", "z": "0.25:3:0.25", "z_exit": "0"}


def life():
    """Return the sessions in which both contracts may be held."""
    known = calendar.sessions()
    near, far = contract(NEAR), contract(FAR)
    return known[(known >= far.listed) & (known < near.exit_session("individual"))]


def noise(seed, *, step=25.0):
    """Return a market in which both contracts and their spread walk at random."""
    rng = np.random.default_rng(seed)
    count = len(life())
    near = np.cumsum(rng.normal(0, 60, count))
    return market(rng, near, np.cumsum(rng.normal(0, step, count)))


def edge(seed):
    """Return a market whose spread comes back: half of a deviation is gone in two sessions."""
    rng = np.random.default_rng(seed)
    count = len(life())
    spread = np.zeros(count)
    for t in range(1, count):
        spread[t] = 0.7 * spread[t - 1] + rng.normal(0, 60)
    return market(rng, np.cumsum(rng.normal(0, 60, count)), spread)


def market(rng, near, spread):
    """Return a market of closes; each session opens where the one before closed."""
    sessions = life()
    closes = np.column_stack([12_000 + near, 12_000 + near - spread])
    closes = np.rint(closes / TICK) * TICK
    opens = np.vstack([closes[:1], closes[:-1]])
    reach = rng.integers(0, 4, closes.shape) * TICK
    planes = {
        "open": opens,
        "high": np.maximum(opens, closes) + reach,
        "low": np.minimum(opens, closes) - reach,
        "close": closes,
        "settle": closes.copy(),
        "volume": np.full(closes.shape, 100_000.0),
        "open_interest": np.full(closes.shape, 100_000.0),
    }
    return Market(
        sessions=sessions,
        contracts=(NEAR, FAR),
        **planes,
        spot=pd.DataFrame(index=sessions),
        receipts=pd.Series(np.nan, index=sessions, name="lots"),
        provenance=Provenance("made for a test", simulated=True),
    )
