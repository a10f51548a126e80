"""The reference job of a sweep against a bare loop, vectorbt and backtrader, in one run.

Two legs, 480 sessions, 10,000 parameter sets: z-score of the spread in and out on the close, both
legs at the next open, one tick against the trader, 0.01 % fee; 10 lots of 5 t. sibt books it with
all its rules (margin, price limits, volume cap, whole fen), the others with prices and fees alone.
Prices are such that no rule binds, so that all come to the same money: the largest difference is
printed. Signals are computed on every side. The ledger and the loop run in turn, several times
over, and the median counts.

Run ``make bench``: prints a table of ratios and writes ``benchmarks/results.json``. backtrader
books 30 of the sets, and its time for all is extrapolated from these.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numba import njit
from stretched import stretch

import sibt
from sibt.strategy import indicators, rules
from sibt.sweep.chunk import Task
from sibt.sweep.grid import CHUNK, grid

SESSIONS, LOTS, TONNES, TICK, FEE, CAPITAL = 480, 10, 5, 5.0, 0.0001, 1_000_000.0
EXIT = 0.5
ENTRIES, LOOKBACKS = "1:2.98:0.02", "5:104:1"
THREADS = os.cpu_count() or 1
ROUNDS = 5
#: Sets backtrader books; columns vectorbt takes at once, as many as it is fastest with.
FEW, WIDE = 30, 2500


def prices() -> tuple[pd.DatetimeIndex, list[str], dict[str, np.ndarray]]:
    """Return days, two contracts and their prices: a spread that comes back, on the tick."""
    days, codes = stretch(SESSIONS)
    generator = np.random.default_rng(7)
    apart = np.zeros(SESSIONS)
    for t in range(1, SESSIONS):
        apart[t] = 0.6 * apart[t - 1] + generator.normal(scale=40)
    near = 12_000 + np.cumsum(generator.normal(scale=60, size=SESSIONS))
    close = np.round(np.column_stack([near, near - 200 - apart]) / TICK) * TICK
    open_ = np.round((close + generator.normal(scale=15, size=close.shape)) / TICK) * TICK
    fields = {
        "open": open_,
        "high": np.maximum(open_, close) + 20,
        "low": np.minimum(open_, close) - 20,
        "close": close,
        "settle": close,
        "volume": np.full(close.shape, 1e5),
        "open_interest": np.full(close.shape, 1e5),
    }
    return days, codes[-2:], fields


class Reference(sibt.Strategy):
    """In and out on a z-score of the spread."""

    entry = sibt.Param(2.0, "in", "sd", low=0.0)
    lookback = sibt.Param(20, "sessions compared with", "sessions", low=2)
    pair = ("", "")

    def legs(self, market, p):  # noqa: D102
        return {self.pair[0]: 1, self.pair[1]: -1}

    def units(self, market, p):  # noqa: D102
        z = indicators.zscore(market.spread(*self.pair), p.lookback)
        return rules.hold(z, p.entry, EXIT, units=LOTS)


# -- The engines --------------------------------------------------------------------------------


def ledger(market: sibt.Market, sets: int) -> Callable[[], np.ndarray]:
    """All rules of sibt: what `sibt sweep` does with each chunk."""
    strategy = Reference()
    whole = grid(strategy, {"entry": ENTRIES, "lookback": LOOKBACKS})
    assert whole.size == sets
    task = Task(strategy, Path("reference.py"), market, sibt.Account(capital=CAPITAL),
                sibt.Execution(), {}, False, None, ("entry", "lookback"))

    def work() -> np.ndarray:
        with ThreadPoolExecutor(THREADS) as pool:
            chunks = pool.map(lambda at: task.book(whole.block(at), None),
                              range(whole.block_count()))
            return np.concatenate([chunk.table["net"].to_numpy() for chunk in chunks])

    return work


@njit(nogil=True)
def _loop(open_, close, z, take, entry, out):
    for n in range(len(entry)):
        signal = z[:, take[n]]
        state = held = 0
        equity = peak = CAPITAL
        worst = total = squares = fees = 0.0
        for t in range(1, close.shape[0]):
            earned = 0.0
            if state != held:
                for leg in range(2):
                    lots = (state - held) * LOTS * (1 if leg == 0 else -1)
                    price = open_[t, leg] + (TICK if lots > 0 else -TICK)
                    fee = abs(lots) * TONNES * price * FEE
                    earned += lots * TONNES * (close[t, leg] - price) - fee
                    fees += fee
            for leg in range(2):
                way = LOTS * (1 if leg == 0 else -1)
                earned += held * way * TONNES * (close[t, leg] - close[t - 1, leg])
            held = state
            change = earned / equity
            equity += earned
            total += change
            squares += change * change
            peak = max(peak, equity)
            worst = min(worst, equity / peak - 1.0)
            x = signal[t]
            if (state < 0 and x <= EXIT) or (state > 0 and x >= -EXIT):
                state = 0
            if state == 0:
                if x >= entry[n]:
                    state = -1
                elif x <= -entry[n]:
                    state = 1
        count = close.shape[0] - 1
        mean = total / count
        out[n, 0] = equity - CAPITAL
        out[n, 1] = mean / np.sqrt(squares / count - mean * mean)
        out[n, 2], out[n, 3] = worst, fees


def bare(spread: pd.Series, fields: dict, rows: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a plain numba loop: fills, fees, daily equity, Sharpe, drawdown; no other rule."""

    def part(some: np.ndarray) -> np.ndarray:
        z = indicators.zscore(spread, some[:, 1])
        out = np.empty((len(some), 4))
        _loop(fields["open"], fields["close"], z.values, z.take, some[:, 0], out)
        return out[:, 0]

    def work() -> np.ndarray:
        with ThreadPoolExecutor(THREADS) as pool:
            parts = [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]
            return np.concatenate(list(pool.map(part, parts)))

    return work


def vectorbt(spread: pd.Series, fields: dict, rows: np.ndarray) -> Callable[[], np.ndarray]:
    """Vectorbt's broadcast: both legs of a set as a group, with Sharpe."""
    import vectorbt as vbt

    days = spread.index
    close = fields["close"]

    def part(some: np.ndarray) -> np.ndarray:
        held = rules.hold(indicators.zscore(spread, some[:, 1]), some[:, 0], EXIT, units=LOTS)
        want = np.zeros(held.shape)
        want[1:] = held[:-1]
        size = np.empty((len(days), 2 * len(some)))
        size[:, 0::2], size[:, 1::2] = want * TONNES, -want * TONNES
        change = np.diff(size, axis=0, prepend=np.zeros((1, size.shape[1])))
        price = np.tile(fields["open"], len(some)) + TICK * np.sign(change)
        book = vbt.Portfolio.from_orders(
            pd.DataFrame(np.tile(close, len(some)), index=days),
            size=size, size_type="targetamount", price=price, fees=FEE, freq="1D",
            init_cash=1e9, cash_sharing=True, group_by=np.repeat(np.arange(len(some)), 2),
        )  # fmt: skip
        book.sharpe_ratio()
        return book.final_value().to_numpy() - 1e9

    return lambda: np.concatenate(
        [part(rows[at : at + WIDE]) for at in range(0, len(rows), WIDE)]
    )


def backtrader(
    spread: pd.Series, fields: dict, rows: np.ndarray
) -> Callable[[], np.ndarray] | None:
    """backtrader, one set after the other; None where it is not installed."""
    try:
        import backtrader as bt
    except ImportError:
        return None

    class Fee(bt.CommInfoBase):
        params = (("stocklike", False), ("mult", float(TONNES)), ("margin", 1.0),
                  ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True))

        def _getcommission(self, size, price, pseudoexec):
            return abs(size) * price * TONNES * FEE

    class Follow(bt.Strategy):
        params = (("want", None),)

        def next(self):
            at = len(self) - 1
            goal = int(self.p.want[at])
            lots = goal - self.getposition(self.data0).size
            if lots:
                (self.buy if lots > 0 else self.sell)(self.data0, size=abs(lots))
                (self.sell if lots > 0 else self.buy)(self.data1, size=abs(lots))

    frames = [
        pd.DataFrame({name: fields[name][:, leg] for name in ("open", "high", "low", "close")},
                     index=spread.index).assign(volume=1e5)
        for leg in range(2)
    ]

    def work() -> np.ndarray:
        found = []
        for entry, lookback in rows:
            z = indicators.zscore(spread, int(lookback))
            want = rules.hold(z, entry, EXIT, units=LOTS).to_numpy()
            brain = bt.Cerebro(stdstats=False)
            for frame in frames:
                brain.adddata(bt.feeds.PandasData(dataname=frame))
            brain.broker.setcash(CAPITAL)
            brain.broker.addcommissioninfo(Fee())
            brain.broker.set_slippage_fixed(TICK, slip_open=True, slip_match=False, slip_out=True)
            brain.addstrategy(Follow, want=want)
            brain.addanalyzer(bt.analyzers.SharpeRatio, timeframe=bt.TimeFrame.Days)
            brain.run()
            found.append(brain.broker.getvalue() - CAPITAL)
        return np.array(found)

    return work


# -- The run ------------------------------------------------------------------------------------


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Return the seconds a job takes and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> None:
    """Time the engines in turn, compare their money, print and write the ratios."""
    days, pair, fields = prices()
    empty = pd.DataFrame(index=days)
    market = sibt.Market(sessions=days, contracts=tuple(pair), **fields, spot=empty,
                         receipts=pd.Series(np.nan, index=days))
    Reference.pair = tuple(pair)
    spread = market.spread(*pair)
    low, high, step = (float(word) for word in ENTRIES.split(":"))
    entries = np.round(np.arange(low, high + step / 2, step), 2)
    lookbacks = np.arange(*(int(word) for word in LOOKBACKS.split(":")[:2])).tolist()
    lookbacks.append(int(LOOKBACKS.split(":")[1]))
    rows = np.array([(entry, lookback) for entry in entries for lookback in lookbacks])
    few = np.random.default_rng(1).choice(len(rows), FEW, replace=False)
    engines: dict[str, Callable[[], np.ndarray] | None] = {
        "ledger": ledger(market, len(rows)),
        "bare_loop": bare(spread, fields, rows),
        "vectorbt": vectorbt(spread, fields, rows),
        "backtrader": backtrader(spread, fields, rows[few]),
    }
    money, seconds = {}, {name: [] for name in engines}
    for name, work in engines.items():
        if work is not None:
            money[name] = timed(work)[1]  # compiles, and warms what is cached
    for _ in range(ROUNDS):
        for name in ("ledger", "bare_loop"):
            seconds[name].append(timed(engines[name])[0])
    for name in ("vectorbt", "backtrader"):
        if engines[name] is not None:
            seconds[name] = [timed(engines[name])[0]]
    for name, found in money.items():
        ours = money["ledger"][few] if name == "backtrader" else money["ledger"]
        apart = float(np.abs(found - ours).max())
        # Others do not round fees to the fen; backtrader pays from what it has.
        print(f"{name:<12} largest difference in money {apart:10.2f} yuan, sets {len(found):,}")
    took = {name: statistics.median(times) for name, times in seconds.items() if times}
    if "backtrader" in took:
        took["backtrader"] *= len(rows) / FEW
    print(f"\n{len(rows):,} sets on {THREADS} threads, median of {ROUNDS}")
    for name, value in took.items():
        note = f" (extrapolated from {FEW} sets)" if name == "backtrader" else ""
        print(f"{name:<12} {value:10.3f} s {value / len(rows) * 1e6:10.1f} µs a set"
              f" {value / took['ledger']:10.2f} × the ledger{note}")
    ratios = [ours / theirs for ours, theirs in zip(seconds["ledger"], seconds["bare_loop"],
                                                     strict=True)]
    print(f"\nledger / bare loop, pair by pair: {', '.join(f'{r:.2f}' for r in ratios)}"
          f" (median {statistics.median(ratios):.2f})")
    result = {
        "sets": len(rows),
        "threads": THREADS,
        "ledger_s": took["ledger"],
        "bare_loop_s": took["bare_loop"],
        "vectorbt_s": took["vectorbt"],
        "backtrader_s": took.get("backtrader"),
        "backtrader_extrapolated_from_sets": FEW,
    }
    Path(__file__).with_name("results.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
