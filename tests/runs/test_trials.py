"""The trial ledger forgets nothing and counts nothing twice."""

import json

import pytest

from sibt import load_market
from sibt.runs import trials
from sibt.runs.run import run
from sibt.runs.save import save


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


def test_every_look_adds_to_the_trials(tmp_path, market):
    assert trials.count(tmp_path, market) == 0
    trials.add(tmp_path, market, "a", 100, "one", kind="sweep")
    trials.add(tmp_path, market, "b", 1, "two")
    assert trials.count(tmp_path, market) == 101
    assert trials.count(tmp_path, market, "one") == 1


def test_the_same_look_twice_counts_once(tmp_path, market):
    for _ in range(2):
        trials.add(tmp_path, market, "a", 100, "one")
    assert trials.count(tmp_path, market) == 100
    assert len((tmp_path / trials.LEDGER).read_text().splitlines()) == 2


def test_only_overlapping_days_of_the_same_kind_of_data_count(tmp_path, market):
    early = market.asof("2023-06-30")
    trials.add(tmp_path, early, "a", 7, "early")
    assert trials.count(tmp_path, market) == 7
    lines = [json.loads(line) for line in (tmp_path / trials.LEDGER).read_text().splitlines()]
    real = {**lines[0], "simulated": False, "key": "real"}
    later = {**lines[0], "first": "2031-01-02", "last": "2031-12-31", "key": "later"}
    other = {**lines[0], "products": ["lc"], "key": "other"}
    with (tmp_path / trials.LEDGER).open("a") as file:
        for line in (real, later, other):
            file.write(json.dumps(line) + "\n")
        file.write('{"when": "cut sho')
    assert trials.count(tmp_path, market) == 7


def test_a_run_is_a_trial_and_the_same_run_no_other_one(tmp_path, market):
    for holding in (20, 20, 30):
        save(run("calendar_reverse", market, {"hold": holding}), tmp_path)
    assert trials.count(tmp_path, market) == 2
