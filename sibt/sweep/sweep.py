"""A sweep: all sets of a grid through the ledger, piece by piece, and what they come to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from sibt import __version__
from sibt.engine.account import Account, Kind
from sibt.engine.execution import Execution
from sibt.errors import DataError, SettingError, SibtError, did_you_mean
from sibt.hedging.exposure import Schedule, schedule
from sibt.lookahead.verdict import Verdict
from sibt.market.panel import Market
from sibt.runs.latest import point
from sibt.runs.run import account_of, between, checked
from sibt.runs.save import data_of
from sibt.sources import load_market
from sibt.strategy.loader import opened
from sibt.strategy.strategy import Strategy
from sibt.sweep.broadcast import Broadcast
from sibt.sweep.chunk import Task
from sibt.sweep.goods import written
from sibt.sweep.grid import Grid, grid
from sibt.sweep.hedges import HEDGES
from sibt.sweep.piece import Maker, Piece, done, store
from sibt.sweep.walk import windows as walk_windows

__all__ = ["ENGINES", "METRICS", "Plan", "Sweep", "plan", "sweep", "threads"]

#: What a sweep may be sorted by; more is better.
METRICS = ("sharpe", "net", "total_return", "return_on_margin", "max_drawdown", *HEDGES)

#: What books the sets: the exchange's rules, or vectorbt without them.
ENGINES = {"ledger": Task, "vectorbt": Broadcast}

#: Sets that are looked at for one to check the strategy with.
_LOOKED_AT = 100

_PLAN, _PARTS, _MANIFEST, _LOCK = "plan.json", "parts", "manifest.json", ".lock"


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be swept, laid out before anything is booked.

    Attributes
    ----------
    task, grid, maker : Task, Grid, Maker
        What the sets share, the sets, and how a block becomes a piece.
    first : int
        First session that counts for daily returns.
    metric : str
        What sets are sorted by.
    record : dict
        All that decides the result, as it stands in ``plan.json``.
    check : bool
        Whether somebody wants to know if the strategy looks ahead.
    """

    task: Task
    grid: Grid
    maker: Maker
    first: int
    metric: str
    record: dict[str, Any]
    check: bool = True

    @cached_property
    def lookahead(self) -> Verdict | None:
        """What a quick check comes to, with the first set that is not refused.

        None where nobody asked, and where there is no such set among the first hundred.
        """
        if not self.check:
            return None
        numbers = (int(number) for block in self.grid.blocks() for number in block.sets)
        for number in islice(numbers, _LOOKED_AT):
            rows = self.grid.values(np.array([number], dtype=np.int64))
            values = {name: column[0] for name, column in rows.items()}
            with suppress(SibtError):  # the set is refused, and its row will say why
                return self.task.lookahead({**self.grid.fixed, **values})
        return None


def plan(
    strategy: str | Path | Strategy,
    market: Market | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    where: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    metric: str | None = None,
    engine: str = "ledger",
    capital: float | None = None,
    account: Account | Mapping[str, Any] | None = None,
    kind: Kind | None = None,
    execution: Execution | None = None,
    terms: Mapping[str, Any] | None = None,
    start: str | pd.Timestamp | None = None,
    end: str | pd.Timestamp | None = None,
    walk_forward: str | None = None,
    goods: Schedule | str | Path | None = None,
    check: bool = True,
) -> Plan:
    """Lay out a sweep; see `sweep` for the parameters."""
    _known("--metric", metric, METRICS)
    _known("--engine", engine, ENGINES)
    strategy, path = opened(strategy)
    given = goods if goods is None or isinstance(goods, Schedule) else schedule(goods)
    whole = market if market is not None else load_market()
    window = between(whole, start, end)
    checked(window)
    execution = execution or Execution()
    own, stated = account_of(strategy, account, capital, kind)
    sets = grid(strategy, params, where=where, sample=sample, seed=seed)
    begin = None if start is None else pd.Timestamp(start)
    names = tuple(axis.name for axis in sets.axes)
    task = ENGINES[engine](strategy, path, window, own, execution, dict(terms or {}),
                           not stated, begin, names, given)  # fmt: skip
    task.check(metric, sets)
    first = _first(task, sets)
    if len(window.sessions) - first < 2:
        raise SettingError(
            f"The idea is known from {window.sessions[first - 1]:%Y-%m-%d}, and the market ends on"
            f" {window.sessions[-1]:%Y-%m-%d}: nothing can be traded; bring later data."
        )
    spans = None if walk_forward is None else walk_windows(
        walk_forward, len(window.sessions) - first
    )
    source = path.read_bytes() if path.is_file() else b""
    record = {
        "sibt": __version__,
        "strategy": {"name": path.stem, "file": path.name,
                     "sha256": hashlib.sha256(source).hexdigest()},
        "grid": sets.describe(),
        "data": data_of(window),
        "settings": {
            "account": vars(own),
            "sized_from_hedge": task.sized,
            "execution": vars(execution),
            "terms": {name: str(value) for name, value in task.terms.items()},
            "from": None if start is None else str(start),
            "to": None if end is None else str(end),
            "walk_forward": walk_forward,
            "seed": seed,
            "engine": engine,
        },
        **({} if given is None else {"goods": written(given)}),
    }
    record = json.loads(json.dumps(record, default=str))
    maker = Maker(task, sets, first, seed, spans)
    return Plan(task, sets, maker, first, metric or "", record, check)


def _known(flag: str, word: str | None, known: Iterable[str]) -> None:
    if word is not None and word not in known:
        raise SettingError(
            f"{flag} is '{word}'; write one of {', '.join(known)}.{did_you_mean(word, known)}"
        )


def _first(task: Task, sets: Grid) -> int:
    """Return the first session any structure may trade in, at least 1."""
    days = set()
    for outer in range(_structures(sets)):
        inner = sets.size // _structures(sets)
        rows = sets.values(np.array([outer * inner]))
        fixed = {**sets.fixed, **{axis.name: rows[axis.name][0] for axis in sets.axes}}
        days.add(task.known_from(fixed))
    known = [pd.Timestamp(day) for day in days if day is not None]
    if len(known) < len(days):
        return 1
    return max(int(task.market.sessions.searchsorted(min(known), side="right")), 1)


def _structures(sets: Grid) -> int:
    count = 1
    for axis in sets.structural:
        count *= len(axis.values)
    return count


@dataclass(frozen=True, eq=False)
class Sweep:
    """A finished sweep in its folder.

    Attributes
    ----------
    folder : Path
        ``sets.parquet``, ``evidence.json``, ``manifest.json`` and more.
    """

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """How the sweep was made."""
        whole = self.folder / _MANIFEST
        # Pages are drawn before the manifest gets the name that says all is there.
        return _json(whole if whole.is_file() else whole.with_name(f".{_MANIFEST}"))

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """What the best set is worth; see `sibt.sweep.evidence.evidence`."""
        return _json(self.folder / "evidence.json")

    def table(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return one row a set: parameters, figures in yuan and shares, and why it was refused."""
        return pd.read_parquet(self.folder / "sets.parquet", columns=columns)

    def top(self, count: int = 20) -> pd.DataFrame:
        """Return the best sets, the first one first."""
        metric = self.manifest["metric"]
        rank = self.table(["set", metric, "reason"])
        rank = rank[rank["reason"] == ""]
        chosen = rank.sort_values([metric, "set"], ascending=[False, True])["set"].head(count)
        rows = pd.read_parquet(
            self.folder / "sets.parquet", filters=[("set", "in", chosen.tolist())]
        )
        return rows.set_index("set").loc[chosen].reset_index()


def sweep(
    strategy: str | Path | Strategy,
    market: Market | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    out: str | Path = "results",
    jobs: int | None = None,
    pool: Callable[[Maker, Iterable[int]], Iterator[Piece]] | None = None,
    resume: str | Path | None = None,
    begun: Callable[[Path, Plan], None] = lambda folder, laid: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    pages: Mapping[str, Callable[[Sweep, Path], None]] | None = None,
    command: str = "",
    **settings: Any,
) -> Sweep:
    """Book every set of a grid and weigh the best one.

    Parameters
    ----------
    strategy : str, Path or Strategy
        A file, the name of a shipped strategy, or a strategy object.
    market : Market, optional
        As in `sibt.run`.
    params : mapping, optional
        What to sweep, see `sibt.sweep.grid.grid`: ``{"z": "1:3:0.1", "lookback": [10, 20]}``;
        the strategy's own grid if left out.
    out : str or Path
        Folder of all runs.
    jobs : int, optional
        Threads; by default one a core.
    pool : callable, optional
        Makes pieces elsewhere, such as `sibt.sweep.cluster.Cluster`.
    resume : str or Path, optional
        Folder of a sweep that was stopped, to go on with.
    begun : callable
        Told the folder, and what is to be swept, as soon as they are there.
    progress : callable
        Told how many blocks of how many are done.
    pages : mapping of file name to function
        What else to write at the end, given the sweep and the path.
    command : str
        For the manifest, and in ``plan.json`` what `sibt sweep --resume` says again.
    **settings
        ``where, sample, seed, metric, engine, capital, account, kind, execution, terms, start,
        end, goods, check, walk_forward``: the grid's as in `sibt.sweep.grid.grid`, the run's as in
        `sibt.run`, ``metric`` one of `METRICS`, ``engine`` one of `ENGINES`, ``walk_forward`` as
        ``"train=120,test=20,purge=10"``.

    Returns
    -------
    Sweep
        In its folder.

    Raises
    ------
    SibtError
        What cannot be swept; for `resume`, data, code or grid that are not those of the start.
    """
    from sibt.sweep.finish import finish

    make = pool or threads(jobs)
    laid = plan(strategy, market, params, **settings)
    out = Path(out)
    began = time.perf_counter()
    folder = _begin(laid, out, command) if resume is None else _again(laid, out, resume)
    with _alone(folder):
        begun(folder, laid)
        laid.lookahead  # noqa: B018  asked once, before anything is booked
        parts = folder / _PARTS
        total = laid.grid.block_count()
        there = done(parts)
        progress(len(there), total)
        left = [number for number in range(total) if number not in there]
        made = len(there)
        pieces = make(laid.maker, left)
        try:
            for piece in pieces:
                store(piece, parts)
                made += 1
                progress(made, total)
        finally:
            # Who makes pieces elsewhere is told to stop, whatever ended this.
            if isinstance(pieces, Generator):
                pieces.close()
        finish(laid, folder, out, command, time.perf_counter() - began, pages or {})
    point(out / "latest", folder)
    return Sweep(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else work on a sweep meanwhile; the lock of a process that died is free."""
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DataError(
            f"--resume {folder}: another process is at work on this sweep; wait for it or stop it."
        ) from None
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (folder / _LOCK).unlink(missing_ok=True)


def threads(jobs: int | None) -> Callable[[Maker, Iterable[int]], Iterator[Piece]]:
    """Return a pool of threads that makes pieces in any order, few of them at a time."""
    count = os.cpu_count() or 1 if jobs is None else jobs
    if count < 1:
        raise SettingError(f"--jobs is {count}; give one or more.")

    def work(maker: Maker, numbers: Iterable[int]) -> Iterator[Piece]:
        waiting = iter(numbers)
        with ThreadPoolExecutor(count) as pool:
            running: set[Future[Piece]] = set()
            try:
                for number in waiting:
                    running.add(pool.submit(maker, number))
                    if len(running) > count:
                        ready, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (each.result() for each in ready)
                while running:
                    ready, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in ready)
            finally:
                for each in running:
                    each.cancel()

    return work


def _begin(laid: Plan, out: Path, command: str) -> Path:
    """Make the folder of a new sweep; what it is to be stands in it from the start."""
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}-{laid.task.path.stem}-sweep"
    number = 1
    while True:
        folder = out / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
            break
        except FileExistsError:
            number += 1
    (folder / _PARTS).mkdir()
    if laid.task.path.is_file():
        shutil.copyfile(laid.task.path, folder / "strategy.py")
    text = json.dumps({**laid.record, "command": command}, ensure_ascii=False, indent=1)
    work = folder / f".{_PLAN}"
    work.write_text(text + "\n", encoding="utf-8", newline="\n")
    work.replace(folder / _PLAN)
    return folder


def _again(laid: Plan, out: Path, resume: str | Path) -> Path:
    """Return the folder of a sweep to go on with; refuse it where anything has changed."""
    folder = next((f for f in (Path(resume), out / resume) if (f / _PLAN).is_file()), None)
    if folder is None:
        raise DataError(
            f"--resume {resume}: there is no sweep of this name; it is a folder with {_PLAN} in"
            f" {out}."
        )
    if (folder / _MANIFEST).is_file():
        raise DataError(f"--resume {folder}: this sweep is finished; see it with sibt sweep show"
                        f" {folder}.")
    before = _json(folder / _PLAN)
    changed = [
        name
        for name, was, now in (
            ("the data", before["data"]["sha256"], laid.record["data"]["sha256"]),
            ("the strategy's code", before["strategy"], laid.record["strategy"]),
            ("the grid", before["grid"], laid.record["grid"]),
            ("the settings", before["settings"], laid.record["settings"]),
            ("the goods", before.get("goods"), laid.record.get("goods")),
            ("sibt itself", before["sibt"], laid.record["sibt"]),
        )
        if was != now
    ]
    if changed:
        raise DataError(
            f"--resume {folder}: {' and '.join(changed)} changed since it began; begin a new sweep."
        )
    (folder / _PARTS).mkdir(exist_ok=True)
    return folder


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
