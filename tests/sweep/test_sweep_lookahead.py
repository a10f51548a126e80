"""A sweep is checked once for looking ahead, before it books, with the first set it can."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sibt.cli import main
from sibt.engine.execution import Execution
from sibt.sources import load_market
from sibt.strategy.strategy import Param, Strategy
from sibt.sweep import chunk
from sibt.sweep.best import best_runs
from sibt.sweep.sweep import plan, sweep

CHEAT = '''
import pandas as pd

import sibt


class Cheat(sibt.Strategy):
    peek = sibt.Param("no", "whether it looks", choices=("no", "yes"))
    z = sibt.Param(0.0, "a move", "yuan/t", grid=(0.0, 20.0))

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        close = market.close[:, [market.column("si2409")]]
        price = pd.DataFrame(close, index=market.sessions)
        days = -1 if p.peek == "yes" else 1
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        wish = ((price.shift(days) - price).to_numpy() > p.z) & life[:, None]
        if wish.shape[1] == 1 and not hasattr(p.z, "shape"):
            return pd.Series(wish[:, 0].astype(float), index=market.sessions)
        return wish.astype(float)
'''


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


@pytest.fixture
def cheat(tmp_path):
    path = tmp_path / "cheat.py"
    path.write_text(CHEAT, encoding="utf-8")
    return path


class Picky(Strategy):
    """Refuses some sets; peeks with all."""

    z = Param(0.0, "a move", "yuan/t", grid=(0.0, 20.0, 40.0))

    def refuses(self, p):
        return {"z is too small": p.z < 30.0}

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        price = pd.Series(market.close[:, market.column("si2409")], index=market.sessions)
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        gap = (price.shift(-1) - price).to_numpy()
        if np.ndim(p.z):
            return ((gap[:, None] > p.z) & life[:, None]).astype(float)
        return pd.Series(((gap > p.z) & life).astype(float), index=market.sessions)


def test_the_first_set_that_is_not_refused_is_checked(market, monkeypatch):
    asked = []

    def told(strategy, path, market, p):
        asked.append(p.z)
        return quick(strategy, path, market, p)

    quick = chunk.quick
    monkeypatch.setattr(chunk, "quick", told)
    laid = plan(Picky(), market, {"z": "0,20,40,60"})
    assert not laid.lookahead.passed
    assert laid.lookahead is laid.lookahead
    assert asked == [40.0]


def test_where_every_set_is_refused_nothing_is_known(market):
    assert plan(Picky(), market, {"z": "0,10,20"}).lookahead is None


def test_it_is_asked_once_before_anything_is_booked_and_not_at_all_if_told_so(
    cheat, market, tmp_path, monkeypatch
):
    order = []
    quick, make = chunk.quick, chunk.Task.book
    monkeypatch.setattr(chunk, "quick", lambda *a: (order.append("check"), quick(*a))[1])
    monkeypatch.setattr(chunk.Task, "book", lambda *a: (order.append("book"), make(*a))[1])
    grid = {"z": "0:40:1", "peek": "no,yes"}
    done = sweep(cheat, market, grid, out=tmp_path / "out")
    assert order[0] == "check"
    assert order.count("check") == 1
    # The first set is one that does not peek.
    assert done.manifest["lookahead"]["passed"] is True
    order.clear()
    done = sweep(cheat, market, grid, out=tmp_path / "out", check=False)
    assert "check" not in order
    assert done.manifest["lookahead"] is None
    assert "looks_ahead" not in done.evidence


def test_it_makes_no_difference_to_sets_and_trials(cheat, market, tmp_path):
    made = [sweep(cheat, market, {"z": "0,20", "peek": "yes"}, out=tmp_path / str(check),
                  check=check) for check in (True, False)]  # fmt: skip
    tables = [one.table() for one in made]
    pd.testing.assert_frame_equal(*tables)
    lines = [json.loads((tmp_path / str(check) / "trials.jsonl").read_text("utf-8"))
             for check in (True, False)]  # fmt: skip
    assert lines[0]["key"] == lines[1]["key"]
    assert made[0].evidence["looks_ahead"] is True


def test_sets_booked_again_for_a_comparison_are_each_checked(cheat, market, tmp_path):
    done = sweep(cheat, market, {"z": "0,20", "peek": "no,yes"}, out=tmp_path / "out")
    assert done.manifest["lookahead"]["passed"] is True
    found = [(run.params.peek, run.looks_ahead) for _, run in best_runs(done, 4)]
    assert sorted(found) == [("no", False)] * 2 + [("yes", True)] * 2


def test_a_sweep_of_delivered_goods_is_sorted_by_what_it_knows(market, tmp_path):
    done = sweep("producer_hedge", market, {"ratio": "0.5,1", "program": "always"},
                 kind="company", execution=Execution(at_expiry="deliver"), out=tmp_path)
    assert done.manifest["metric"] == "net"
    assert done.top(2)["net"].is_monotonic_decreasing
    kept = sweep("producer_hedge", market, {"ratio": "0.5,1", "program": "always"}, out=tmp_path)
    assert kept.manifest["metric"] == "hedged"


def test_the_command_has_the_switch(cheat, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for flag, said in (("--check", True), ("--no-check", False)):
        with pytest.raises(SystemExit) as left:
            main(["sweep", str(cheat), "-p", "peek=yes", "-p", "z=0,20", "--jobs", "1", flag,
                  "--data", "sample"])
        assert left.value.code == 0
        out = capsys.readouterr().out
        assert ("LOOKS AHEAD" in out) is said
        assert (Path("results/latest/manifest.json").is_file())


def test_an_estimate_checks_nothing(cheat, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chunk, "quick", lambda *a: pytest.fail("asked"))
    with pytest.raises(SystemExit) as left:
        main(["sweep", str(cheat), "-p", "z=0,20", "--jobs", "1", "--estimate"])
    assert left.value.code == 0
    assert "sets" in capsys.readouterr().out
