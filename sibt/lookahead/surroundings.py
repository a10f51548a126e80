"""What surrounds a decision and must not move it: chance, the clock, hash seeds, files."""

from __future__ import annotations

import datetime
import os
import pickle
import random
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sibt.lookahead.decisions import Decisions, decide
from sibt.strategy.levels import reading
from sibt.strategy.loader import loaded

__all__ = ["answer", "chance", "elsewhere", "frozen", "watched"]


@contextmanager
def chance(seed: int) -> Iterator[None]:
    """Seed the common generators of random numbers; they go on afterwards where they were."""
    plain, legacy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(legacy)


# -- The clock --------------------------------------------------------------------------------


@contextmanager
def frozen(moment: float) -> Iterator[None]:
    """Let the clock stand, for code that is loaded within.

    Parameters
    ----------
    moment : float
        Seconds since 1970.

    Notes
    -----
    Reaches `time.time`, `datetime` and `pandas.Timestamp`; not ``numpy.datetime64("now")``.
    """
    day, hour = datetime.date, datetime.datetime
    places: list[tuple[Any, str, Any]] = [
        (time, "time", lambda: moment),
        (time, "time_ns", lambda: int(moment * 1e9)),
        (datetime, "datetime", _standing(hour, moment)),
        (datetime, "date", _standing(day, moment)),
        (pd.Timestamp, "now", lambda tz=None: pd.Timestamp(moment, unit="s", tz=tz)),
        (pd.Timestamp, "today", lambda tz=None: pd.Timestamp(moment, unit="s", tz=tz)),
    ]
    before = [(place, name, vars(place)[name]) for place, name, _ in places]
    for place, name, value in places:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)


def _standing(real: Any, moment: float) -> Any:
    """Return a class that makes the days of `real`, and whose today is a given one."""

    class Alike(type(real)):  # type: ignore[misc]
        def __instancecheck__(cls, one: Any) -> bool:
            return isinstance(one, real)

    class Standing(real, metaclass=Alike):  # type: ignore[misc]
        def __new__(cls, *given: Any, **named: Any) -> Any:
            return real(*given, **named)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.fromtimestamp(moment, tz)

        @classmethod
        def today(cls) -> Any:
            return real.fromtimestamp(moment)

        @classmethod
        def utcnow(cls) -> Any:
            return real.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None)

    return Standing


# -- Another process --------------------------------------------------------------------------

_CHILD = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from sibt.lookahead.surroundings import answer; answer()"
)


def elsewhere(question: tuple[Any, ...], seeds: Sequence[int]) -> list[Decisions | None]:
    """Ask for decisions in other processes, each with a hash seed of its own.

    Parameters
    ----------
    question : tuple
        File, its source, market and parameters.
    seeds : sequence of int
        Values of ``PYTHONHASHSEED``: the order of a set of texts follows it.

    Returns
    -------
    list
        Decisions by seed; None where there was no answer.
    """
    text = pickle.dumps(sys.path) + pickle.dumps(question)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        )
        for seed in seeds
    ]  # fmt: skip
    answers = [child.communicate(text)[0] for child in started]
    return [
        pickle.loads(told) if child.returncode == 0 else None
        for child, told in zip(started, answers, strict=True)
    ]


def answer() -> None:
    """Read a question from standard input and write the decisions to standard output."""
    path, source, market, params = pickle.load(sys.stdin.buffer)
    out, sys.stdout = sys.stdout, sys.stderr  # what the strategy prints is no answer
    told = decide(loaded(path, source), path, market, params)
    out.buffer.write(pickle.dumps(told))


# -- Files and addresses ----------------------------------------------------------------------

_touched: list[str] | None = None
_hooked = False


@contextmanager
def watched() -> Iterator[list[str]]:
    """Note files that are opened, and addresses and programs that are called, within.

    Code, the libraries' own files and files of levels are left out: their days are known.
    """
    global _hooked, _touched  # noqa: PLW0603
    if not _hooked:
        # A hook cannot be taken away again: it sleeps while there is no list.
        sys.addaudithook(_noted)
        _hooked = True
    found: list[str] = []
    _touched = found
    try:
        yield found
    finally:
        _touched = None


def _noted(event: str, given: tuple[Any, ...]) -> None:
    if _touched is None:
        return
    if event == "open":
        path = given[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, str) and not reading() and not _own(path):
            _touched.append(path)
    elif event == "socket.connect":
        address = given[1]
        _touched.append(":".join(map(str, address[:2])) if isinstance(address, tuple)
                        else str(address))  # fmt: skip
    elif event == "subprocess.Popen":
        _touched.append(str(given[0]))


def _own(path: str) -> bool:
    """Tell whether a file is code or a library's own."""
    where = os.path.abspath(path)
    if where.endswith((".py", ".pyc", ".so")) or "__pycache__" in where or where in sys.path:
        return True
    if os.path.join("_shipped", "sample") in where:
        return False
    return where.startswith(_HOMES)


_HOMES = (
    "/proc/", "/sys/", "/dev/", "/usr/share/zoneinfo",
    str(Path(__file__).parents[1]) + os.sep,
    *{str(Path(sysconfig.get_path(name))) + os.sep
      for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)  # fmt: skip
