"""The verdict, put to the proof: noise is called luck, a planted edge is not."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from spreads import FREE, GRID, Bands, edge, noise

from sibt.engine.execution import Execution
from sibt.sweep import evidence as evidence_module
from sibt.sweep.evidence import evidence
from sibt.sweep.sweep import plan, sweep

#: Trading costs nothing here, so that noise has a mean of zero and is as hard to see through
#: as it can be: with costs, sets of noise lose.
NOW = {"execution": Execution(slippage=0), "terms": FREE, "capital": 300_000.0}


def weighed(market, others=0):
    """Return the evidence of a sweep, without its folder."""
    laid = plan(Bands(), market, GRID, **NOW)
    pieces = [laid.maker(number) for number in range(laid.grid.block_count())]
    columns = pd.concat([piece.table for piece in pieces], ignore_index=True)
    return evidence(laid, columns, [piece.parts for piece in pieces], "sharpe", others)


@pytest.fixture(autouse=True)
def unstressed(monkeypatch):
    """Leave out what no verdict rests on and takes half the time: runs at 0 to 3 ticks."""
    monkeypatch.setattr(evidence_module, "_stress", lambda laid, values: None)


@pytest.fixture(scope="module")
def of_noise():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence_module, "_stress", lambda laid, values: None)
        return [weighed(noise(seed)) for seed in range(100)]


def test_the_best_of_noise_is_called_luck_in_at_least_95_of_100_seeds(of_noise):
    luck = [found["luck"] for found in of_noise]
    assert sum(each is True for each in luck) >= 95
    for found in of_noise:
        assert found["trials"]["sweep"] == 480
        assert ("not distinguishable from luck" in found["verdict"]) == (found["luck"] is True)


def test_the_best_of_noise_looks_good_all_the_same(of_noise):
    best = [found["sharpe"]["best"] for found in of_noise]
    assert np.median(best) > 1.5
    assert sum(ratio > 2 for ratio in best) > 30


def test_nearly_every_planted_edge_is_told_from_luck():
    found = [weighed(edge(seed)) for seed in range(20)]
    assert sum(each["luck"] is False for each in found) >= 19
    assert all("told from luck" in each["verdict"] for each in found if each["luck"] is False)


def test_an_edge_found_after_ever_more_trials_is_worth_less():
    market = edge(0)
    deflated = [weighed(market, others)["sharpe"]["deflated_ever"] for others in (0, 10**4, 10**9)]
    assert deflated[0] > deflated[1] > deflated[2]


@pytest.mark.parametrize(("market", "luck"), [(partial(noise, 3), True), (partial(edge, 1), False)])
def test_a_whole_sweep_says_so_too(market, luck, tmp_path):
    done = sweep(Bands(), market(), GRID, out=tmp_path, **NOW)
    assert done.evidence["luck"] is luck
    again = weighed(market())
    for name in ("verdict", "luck"):
        assert done.evidence[name] == again[name]
    assert done.manifest["sets"]["booked"] == 480
    assert done.manifest["booked_again"]["largest_difference_between_books_yuan"] < 0.01
