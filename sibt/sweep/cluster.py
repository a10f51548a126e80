"""A sweep on more than one machine: its chunks are made on an existing Dask cluster.

What all chunks share, the market, the grid and the strategy's source, is one task of the
cluster: it reaches each worker once, and is made again should the worker that holds it die.
Pieces do not know where they were made, so the result is that of one machine, byte for byte.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import platform
import socket
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from sibt import __version__
from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.errors import DataError, SettingError
from sibt.hedging.exposure import Schedule
from sibt.market.panel import Market
from sibt.strategy.loader import loaded
from sibt.sweep.chunk import Task
from sibt.sweep.grid import Grid
from sibt.sweep.piece import Maker, Piece
from sibt.sweep.walk import Windows

__all__ = ["Cluster"]

#: Seconds after which nobody is taken to answer, and to have left for good.
_ANSWER, _GONE = 10.0, 60.0

#: Chunks given to a thread of the cluster at a time, so that none waits for us.
_AHEAD = 2

_SCHEMES = ("tcp", "tls", "ws", "wss")

_LIBRARIES = ("numpy", "pandas", "numba", "pyarrow")


class Cluster:
    """Makes pieces on a Dask cluster; a `pool` of `sibt.sweep.sweep.sweep`.

    Parameters
    ----------
    address : str
        Its scheduler, ``tcp://host:8786``. Each worker needs sibt in the same version.

    Raises
    ------
    SettingError
        The extra ``sibt[dask]`` is not installed, nobody answers at the address, there are no
        workers, or they run other versions.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._connect().close()

    def __call__(self, maker: Maker, numbers: Iterable[int]) -> Iterator[Piece]:
        """Make pieces in any order, few of them at a time.

        Raises
        ------
        DataError
            The cluster is lost; what came from it before is kept.
        """
        parcel = _Parcel.of(maker).packed()
        name = f"sibt-sweep-{hashlib.sha256(parcel).hexdigest()[:12]}-{os.urandom(4).hex()}"
        waiting = iter(numbers)
        running: set[Any] = set()
        client = self._connect()
        try:
            shared = client.submit(bytes, parcel, key=f"{name}-shared")
            while True:
                room = max(_AHEAD * sum(client.nthreads().values()), 1) - len(running)
                for number in islice(waiting, max(room, 0)):
                    running.add(client.submit(_piece, shared, number, key=f"{name}-{number}"))
                if not running:
                    return
                for future in self._ready(client, running):
                    running.discard(future)
                    yield self._result(future)
        finally:
            if running:
                client.cancel(list(running), force=True)
            client.close()

    def _connect(self) -> Any:
        """Return a client of the cluster, whose workers have been found to be like us."""
        try:
            from distributed import Client
        except ImportError:
            raise SettingError(
                "--dask needs distributed; install it with pip install 'sibt[dask]'."
            ) from None
        parts = urlsplit(self.address)
        try:
            if parts.scheme not in _SCHEMES or not parts.hostname or not parts.port:
                raise ValueError(self.address)
            # Asked in the plain way first: a client that cannot connect tries for long.
            socket.create_connection((parts.hostname, parts.port), timeout=_ANSWER).close()
            client = Client(self.address, timeout=_ANSWER, set_as_default=False)
        except (OSError, ValueError, TimeoutError):
            raise SettingError(
                f"--dask {self.address}: no scheduler answers there within {_ANSWER:.0f} s; start"
                " one with 'dask scheduler', and write its address as tcp://host:8786."
            ) from None
        try:
            self._check(client)
        except BaseException:
            client.close()
            raise
        return client

    def _check(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=_ANSWER)
        except TimeoutError:
            raise SettingError(
                f"--dask {self.address}: the scheduler has no workers; start some with 'dask worker"
                f" {self.address}'."
            ) from None
        ours = _versions()
        try:
            theirs: Mapping[str, Mapping[str, str]] = client.run(_versions)
        except ImportError:
            raise SettingError(
                f"--dask {self.address}: a worker has no sibt; install sibt {__version__} there."
            ) from None
        for worker, found in theirs.items():
            for name, version in ours.items():
                if found[name] != version:
                    raise SettingError(
                        f"--dask {self.address}: {worker} has {name} {found[name]}, and here is"
                        f" {version}: results could differ; install the same version there."
                    )

    def _ready(self, client: Any, running: set[Any]) -> list[Any]:
        """Return pieces that are made; give up where no worker is left to make any."""
        from distributed import wait

        seen = time.monotonic()
        while True:
            try:
                with client.as_current():
                    return list(wait(running, timeout=5, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if client.nthreads():
                    seen = time.monotonic()
                elif time.monotonic() - seen > _GONE:
                    raise DataError(
                        f"--dask {self.address}: all workers have left; start some, and go on with"
                        " --resume."
                    ) from None
            except (OSError, CancelledError) as error:
                raise self._lost(error) from error

    def _result(self, future: Any) -> Piece:
        from distributed import KilledWorker

        try:
            piece: Piece = future.result()
        except KilledWorker:
            raise DataError(
                f"--dask {self.address}: one chunk has ended several workers, which may lack the"
                " memory for it; give them more, and go on with --resume."
            ) from None
        except (OSError, CancelledError) as error:
            raise self._lost(error) from error
        return piece

    def _lost(self, error: BaseException) -> DataError:
        return DataError(
            f"--dask {self.address}: the cluster is lost ({type(error).__name__}); start it again,"
            " and go on with --resume."
        )


def _versions() -> dict[str, str]:
    """Return what must be alike for results to be alike."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "sibt": __version__,
        "Python": python,
        **{name: metadata.version(name) for name in _LIBRARIES},
    }


@dataclass(frozen=True, eq=False)
class _Parcel:
    """A `Maker` as it travels: the strategy as its source, for its file is not there."""

    task: type[Task]
    path: Path
    source: bytes
    market: Market
    account: Account
    execution: Execution
    terms: Mapping[str, Any]
    sized: bool
    start: pd.Timestamp | None
    names: tuple[str, ...]
    goods: Schedule | None
    grid: Grid
    first: int
    seed: int
    windows: Windows | None

    @classmethod
    def of(cls, maker: Maker) -> _Parcel:
        task = maker.task
        if not task.path.is_file():
            raise SettingError(
                f"{type(task.strategy).__name__} is in no file, so it cannot travel to a cluster;"
                " write the strategy into a file of its own."
            )
        return cls(
            type(task), task.path, task.path.read_bytes(), task.market, task.account,
            task.execution, task.terms, task.sized, task.start, task.names, task.goods,
            maker.grid, maker.first, maker.seed, maker.windows,
        )  # fmt: skip

    def packed(self) -> bytes:
        return zlib.compress(pickle.dumps(self), level=1)

    def maker(self) -> Maker:
        task = self.task(
            loaded(self.path, self.source), self.path, self.market, self.account, self.execution,
            self.terms, self.sized, self.start, self.names, self.goods,
        )  # fmt: skip
        return Maker(task, self.grid, self.first, self.seed, self.windows)


_opening = threading.Lock()


@functools.lru_cache(maxsize=2)
def _opened(parcel: bytes) -> Maker:
    # Only our own client's bytes come here, through a cluster that runs our code anyway.
    found: _Parcel = pickle.loads(zlib.decompress(parcel))
    return found.maker()


def _piece(parcel: bytes, number: int) -> Piece:
    """Make a piece on a worker, which opens the parcel once."""
    with _opening:
        maker = _opened(parcel)
    return maker(number)
