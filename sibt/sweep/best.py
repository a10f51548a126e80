"""The best sets of a finished sweep, booked again by the way of a run."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sibt.engine.execution import Execution
from sibt.errors import DataError, SibtError
from sibt.market.panel import Market
from sibt.runs.run import Run, between, run
from sibt.runs.side import Chosen
from sibt.sources import load_market
from sibt.strategy.loader import loaded
from sibt.strategy.strategy import Strategy
from sibt.sweep.goods import recorded
from sibt.sweep.sweep import Sweep

__all__ = ["best_runs"]

#: What a set must come to again, to the fen; counts exactly.
_SAME = ("net", "fees", "max_drawdown_yuan", "peak_margin", "round_trips")


def best_runs(sweep: Sweep, count: int) -> Iterator[tuple[Chosen, Run]]:
    """Yield the best sets of a sweep as runs, the best one first.

    Parameters
    ----------
    sweep : Sweep
        A finished sweep; its folder holds the strategy as it was.
    count : int
        How many at the most; all that were booked where those are fewer.

    Raises
    ------
    DataError
        The data are not those of the sweep any more, its strategy is not in its folder as it
        was, or a set comes to something else than it did.
    """
    record = sweep.manifest
    booked = int(record["sets"]["booked"])
    strategy = _strategy(sweep)
    market = _market(sweep)
    settings = record["settings"]
    account = dict(settings["account"])
    if settings["sized_from_hedge"]:
        del account["capital"]
    goods = recorded(record.get("goods"))
    names = list(record["grid"]["axes"])
    for place, (_, row) in enumerate(sweep.top(count).iterrows(), 1):
        values = {**record["grid"]["fixed"], **{name: _value(row[name]) for name in names}}
        found = run(
            strategy,
            market,
            values,
            account=account,
            execution=Execution(**settings["execution"]),
            terms=settings["terms"],
            start=settings["from"],
            end=settings["to"],
            goods=goods,
        )
        if settings["engine"] == "ledger":
            _as_before(sweep, row, found)
        chosen = Chosen(
            sweep=sweep.folder.resolve().name,
            number=int(row["set"]),
            place=place,
            sets=booked,
            metric=str(record["metric"]),
            engine=str(settings["engine"]),
        )
        # The name of its file, not of its class.
        yield chosen, replace(found, path=Path(record["strategy"]["file"]))


def _strategy(sweep: Sweep) -> Strategy:
    """Return the strategy from its copy in the sweep's folder."""
    said, copy = sweep.manifest["strategy"], sweep.folder / "strategy.py"
    if not copy.is_file():
        raise DataError(
            f"{sweep.folder.name} keeps no strategy.py, so its sets cannot be booked again; sweep"
            " a strategy that is a file."
        )
    source = copy.read_bytes()
    if hashlib.sha256(source).hexdigest() != said["sha256"]:
        raise DataError(
            f"{copy} was changed since the sweep, so its sets cannot be booked again; sweep again."
        )
    return loaded(copy, source)


def _market(sweep: Sweep) -> Market:
    """Return the market of the sweep; refuse another one."""
    data = sweep.manifest["data"]
    try:
        whole = load_market(
            data["source"], settle_from="close" if data["settle_from"] == "close" else None
        )
        market = between(whole, None, sweep.manifest["settings"]["to"])
    except SibtError as error:
        raise DataError(
            f"The sets of {sweep.folder.name} cannot be booked again, as its data are not to be"
            f" had: {error}"
        ) from error
    if market.digest != data["sha256"]:
        raise DataError(
            f"{data['source']} was changed since {sweep.folder.name} was made"
            f" ({data['sha256'][:12]} then, {market.digest[:12]} now), so its sets cannot be booked"
            " again; sweep again."
        )
    return market


def _value(value: Any) -> Any:
    """Return a swept value as a parameter takes it; none for a rule that is switched off."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _as_before(sweep: Sweep, row: pd.Series[Any], found: Run) -> None:
    for name in _SAME:
        now, then = float(found.result.metrics[name]), float(row[name])
        if round(now, 2) != round(then, 2):
            raise DataError(
                f"Set {int(row['set'])} of {sweep.folder.name} has {name} {now:,.2f} now and had"
                f" {then:,.2f} in the sweep: sibt was changed since; sweep again."
            )
