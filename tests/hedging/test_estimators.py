"""Ways to a ratio side by side, on goods whose ratio is known."""

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, market_of

from sibt.errors import DataError, SettingError
from sibt.hedging.estimators import PLAIN, estimators
from sibt.hedging.ratios.estimate import METHODS

RATIO = 0.7


def made(length=200, seed=1, codes=("si2505",), young=0, times=1.0):
    """Return a market; the last contract is unknown for `young` sessions, and changed from 121."""
    generator = np.random.default_rng(seed)
    futures = 12_000 + np.cumsum(generator.normal(0, 80, length))
    spot = 3_000 + RATIO * futures + generator.normal(0, 5, length)
    columns = {code: futures.copy() for code in codes}
    columns[codes[-1]][:young] = np.nan
    columns[codes[-1]][121:] *= times
    return market_of(columns, spot)


def test_the_known_ratio_is_found_by_every_plain_way():
    found = estimators(made(), code="si2505")
    assert found.table.index.tolist() == list(PLAIN)
    ratios = found.table["ratio"]
    assert ratios["naive"] == 1.0
    assert ratios.drop("naive").to_numpy() == pytest.approx(RATIO, abs=0.03)
    assert found.contest.table.index.tolist() == list(PLAIN)
    assert (found.contest.table["verdict"].drop("naive") == "better than 1:1").all()


def test_all_ways_are_there_when_asked_for():
    found = estimators(made(), code="si2505", k=1, everything=True)
    assert set(found.table.index) <= set(METHODS)
    assert {"vecm", "kalman"} <= set(found.table.index)


def test_without_a_contract_it_is_the_dominant_one_of_the_newest_standard_with_enough():
    found = estimators(made(codes=("si2410", "si2505")))
    assert found.code is None
    assert found.standard == "2024"
    assert found.table.loc["min_variance", "ratio"] == pytest.approx(RATIO, abs=0.03)


def test_a_young_standard_gives_way_to_the_one_before():
    assert estimators(made(length=90, codes=("si2410", "si2505"))).standard == "2024"
    assert estimators(made(length=90, codes=("si2410", "si2505"), young=60)).standard == "2022"


def test_nothing_after_the_last_session_asked_for_is_known():
    until = DAYS[120]
    one, two = (estimators(market, code="si2505", until=until).table
                for market in (made(), made(times=1.5)))
    pd.testing.assert_frame_equal(one, two)
    assert one["last"].max() == until


def test_too_little_to_know_is_said_and_never_one_for_one_in_silence():
    found = estimators(made(length=20), code="si2505")
    assert found.table.loc["min_variance", "why"] == "too few points"
    assert np.isnan(found.table.loc["min_variance", "ratio"])
    assert found.contest is None
    assert any(note.startswith("out of sample nothing") for note in found.notes)


def test_over_few_sessions_the_ratio_of_a_month_is_told_too():
    [note] = estimators(made(), code="si2505").notes
    assert note.startswith("over 20 quoted sessions minimum variance is 0.7")
    assert estimators(made(), code="si2505", k=20).notes == ()


def test_what_cannot_be_is_refused():
    with pytest.raises(SettingError, match=r"No delivery standard '2023'; known are 2022, 2024"):
        estimators(made(), standard="2023")
    with pytest.raises(DataError, match="Did you mean '553'"):
        estimators(made(), "533", "si2505")
    with pytest.raises(DataError, match="has 60 sessions with both a quote of 553 and a close"):
        estimators(made(length=40))
