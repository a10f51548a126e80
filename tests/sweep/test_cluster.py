"""A real Dask scheduler with workers in processes of their own, on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from killing import SPREAD, outcome, sweep_in, write

from sibt.errors import SettingError
from sibt.sweep.cluster import Cluster
from sibt.sweep.sweep import sweep

pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Dask's own, of its event loops
]

#: A strategy that takes its time, and counts in which process it was loaded.
LOADED = """import os
import time

import numpy as np

with open(os.environ["SIBT_TEST_LOADED"], "a", encoding="utf-8") as file:
    file.write(f"{os.getpid()}\\n")
"""
ASLEEP = """        time.sleep(float(os.environ["SIBT_TEST_SLEEP"]))
        at = np"""
SLOW = SPREAD.replace("import numpy as np\n", LOADED).replace("        at = np", ASLEEP)


def started(*words, folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *words], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip


def ended(processes):
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A scheduler, and what starts workers that stay away from the strategy's folder."""
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    loaded = folder / "loaded"
    processes = [
        started("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard",
                "--no-jupyter", folder=folder)
    ]  # fmt: skip

    def worker():
        processes.append(
            started("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                    "--host", "127.0.0.1", "--local-directory", str(folder), folder=folder,
                    SIBT_TEST_LOADED=str(loaded), SIBT_TEST_SLEEP="0.1")
        )  # fmt: skip
        return processes[-1]

    for _ in range(2):
        worker()
    try:
        until(lambda: reachable(port))
        yield address, worker, loaded
    finally:
        ended(processes)


def until(ready, seconds=60.0):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def workers(address):
    from distributed import Client

    with Client(address, set_as_default=False, timeout=20) as client:
        return client.run(os.getpid)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The same sweep on this machine, and where it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sibt.sweep.grid.CHUNK", 5)
        patch.setattr("sibt.sweep.finish.CHECKED", 2)
        patch.setenv("SIBT_TEST_LOADED", os.devnull)
        patch.setenv("SIBT_TEST_SLEEP", "0")
        folder = tmp_path_factory.mktemp("local")
        write(folder, SLOW)
        yield sweep_in(folder, walk_forward="train=60,test=20,purge=5")


def on(address, folder, **given):
    write(folder, SLOW)
    return sweep_in(folder, pool=Cluster(address), walk_forward="train=60,test=20,purge=5", **given)


def test_a_cluster_gives_the_bytes_of_one_machine(running, local, tmp_path):
    address, _, loaded = running
    until(lambda: len(workers(address)) == 2)
    done = on(address, tmp_path)
    assert outcome(done.folder) == outcome(local.folder)
    ours, theirs = dict(done.manifest), dict(local.manifest)
    for name in ("made", "seconds"):
        ours.pop(name), theirs.pop(name)
    assert ours == theirs
    # A worker opened the parcel once, however many chunks it made; a busy one may make none.
    seen = loaded.read_text("utf-8").split()
    assert 1 <= len(seen) == len(set(seen)) <= 2


def test_a_worker_killed_in_the_middle_costs_only_its_chunks(running, local, tmp_path):
    address, worker, _ = running
    until(lambda: len(workers(address)) == 2)
    victim = sorted(workers(address).values())[0]
    moves = []

    def progress(made, total):
        moves.append(made)
        if made == 4:
            os.kill(victim, signal.SIGKILL)

    done = on(address, tmp_path, progress=progress)
    assert outcome(done.folder) == outcome(local.folder)
    assert moves == list(range(15))
    assert victim not in workers(address).values()
    worker()


def test_the_last_worker_may_die_if_another_comes(running, local, tmp_path):
    address, worker, _ = running
    moves = []

    def progress(made, total):
        moves.append(made)
        if made == 3:
            for pid in workers(address).values():
                os.kill(pid, signal.SIGKILL)
            worker()

    done = on(address, tmp_path, progress=progress)
    assert outcome(done.folder) == outcome(local.folder)
    assert moves == list(range(15))


def test_a_sweep_stopped_here_goes_on_there(running, local, tmp_path):
    address, _, _ = running
    write(tmp_path, SLOW)

    def progress(made, total):
        if made == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on(address, tmp_path, progress=progress)
    (plan,) = (tmp_path / "results").glob("*/plan.json")
    kept = len(list((plan.parent / "parts").glob("*.parquet")))
    assert kept == 6
    done = on(address, tmp_path, resume=plan.parent)
    assert outcome(done.folder) == outcome(local.folder)


def test_a_set_that_fails_says_there_what_it_says_here(running, tmp_path, monkeypatch):
    address, _, _ = running
    monkeypatch.setattr("sibt.sweep.grid.CHUNK", 2)
    fault = "        if np.any(p.on == 4):\n            1 / 0\n        at ="
    text = SPREAD.replace("        at =", fault)
    folders = []
    for name, pool in (("here", None), ("there", Cluster(address))):
        (tmp_path / name).mkdir()
        path = write(tmp_path, text)
        done = sweep(path, None, {"on": "3,4,6"}, out=tmp_path / name, jobs=1, pool=pool)
        folders.append(outcome(done.folder))
        reasons = done.table()["reason"].tolist()
        assert [bool(reason) for reason in reasons] == [False, True, False]
        assert "rhythm.py line " in reasons[1]
        assert "ZeroDivisionError" in reasons[1]
    assert folders[0] == folders[1]


# -- What it refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["nonsense", "tcp://nowhere", "http://127.0.0.1:80", "",
                                     "tcp://127.0.0.1:99999"])
def test_what_is_no_address_is_refused_at_once(address):
    began = time.monotonic()
    with pytest.raises(SettingError, match="write its address as tcp://host:8786"):
        Cluster(address)
    assert time.monotonic() - began < 5


def test_nobody_at_home_is_said_within_ten_seconds():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        began = time.monotonic()
        with pytest.raises(SettingError, match="no scheduler answers there"):
            Cluster(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began < 12


def test_other_versions_are_refused(running, monkeypatch):
    address, _, _ = running
    monkeypatch.setattr("sibt.sweep.cluster._LIBRARIES", ("numpy",))
    monkeypatch.setattr("sibt.sweep.cluster.__version__", "9.9.9")
    with pytest.raises(SettingError, match=r"has sibt 0\.1\.0, and here is 9\.9\.9"):
        Cluster(address)


def test_a_strategy_in_no_file_cannot_travel(running, tmp_path):
    address, _, _ = running
    write(tmp_path)
    from sibt.strategy.loader import load

    with pytest.raises(SettingError, match="cannot travel to a cluster"):
        sweep(load(tmp_path / "rhythm.py"), None, {"on": "3,4"}, out=tmp_path,
              pool=Cluster(address))  # fmt: skip


def test_the_manifest_is_json_all_the_same(local):
    assert json.loads((local.folder / "manifest.json").read_text("utf-8"))["sets"]["booked"] == 64
