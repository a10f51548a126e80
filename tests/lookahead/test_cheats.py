"""Planted cheats: strategies a sloppy or sly researcher might write. The full check catches each.

The market is the sample's last year, with a weekly series and a rise of a margin beside it.
"""

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from sources_beside import rich, since

import sibt
from sibt.lookahead.check import check, quick
from sibt.strategy.loader import load

CHEATS = Path(__file__).with_name("cheats")

#: Check, day of the decision, day of what it saw, contract, input; and whether `quick` sees it.
#: None of a day: the strategy follows more days than one, another future's, or no data at all.
CAUGHT = {
    "tomorrows_close": ("cut", "2024-01-17", "2024-01-18", "si2409", "close", True),
    "centred_mean": ("cut", "2024-02-23", "2024-02-29", "si2410", "close", True),
    "whole_sample_zscore": ("cut", "2024-02-23", None, "si2409", "close", True),
    "backfilled": ("cut", "2024-01-19", None, "si2411", "close", True),
    "tomorrows_settlement": ("cut", "2023-12-01", "2023-12-04", "si2407", "settle", True),
    "tomorrows_spot": ("cut", "2023-12-01", "2023-12-04", None, "spot 553", True),
    "receipts_of_the_week": ("future", "2024-01-16", "2024-01-19", None, "receipts", True),
    "series_by_date": ("cut", "2023-12-14", "2023-12-19", None, "series inventory", True),
    "terms_not_in_force": ("cut", None, None, "si2409", "terms", True),
    "level_before_publication": (
        "cut", "2024-03-21", "2024-03-29", None, "level guolian_2024q1.support", True,
    ),
    "best_pair": ("cut", "2023-12-01", "2024-07-12", "si2407", "close", True),
    "early_roll": ("cut", "2023-12-01", "2023-12-05", "si2402", "open_interest", True),
    "limit_at_the_low": ("cut", "2024-01-15", "2024-01-16", "si2409", "low", True),
    "full_sample_ratio": ("cut", "2023-12-01", "2023-12-04", None, "spot 553", True),
    "sessions_left": ("cut", "2023-12-01", "2023-12-04", None, "sessions", True),
    "cached_signal": ("repeat", "2024-04-01", None, None, "state", False),
    "counted_calls": ("repeat", "2023-12-01", None, None, "state", False),
    "coin": ("repeat", None, None, None, "chance", True),
    "clock": ("repeat", "2023-12-01", None, None, "clock", False),
    "adjusted_level": ("levels_adjusted", "2023-12-01", None, "si2402", "continuous", False),
    "zscore_over_the_line": ("standard", "2024-10-09", "2024-09-24", "si2411", "close", False),
    "filled_far_leg": ("stale", "2024-02-29", "2024-02-28", "si2409", "close", False),
}  # fmt: skip

#: Read from a file of its own: no check can tell; a note says so.
NOTED = {"dates_by_eye"}


@cache
def sample():
    return rich(since(sibt.load_market("sample"), "2023-12-01"))


@pytest.fixture(autouse=True)
def _one_process(monkeypatch):
    """Leave out the other processes of the check `repeat`, slow to start: none is needed here."""
    monkeypatch.setattr("sibt.lookahead.repeat._SEEDS", ())


def params(strategy):
    context = {"capital": 1e6, "kind": strategy.kind, "cross_standard": False}
    return strategy.params({}, context)


def test_every_cheat_stands_in_the_table():
    assert {path.stem for path in CHEATS.glob("*.py")} == set(CAUGHT) | NOTED
    assert len(CAUGHT) >= 12


@pytest.mark.parametrize("name", CAUGHT)
def test_the_cheat_is_caught_and_what_it_saw_is_named(name):
    by, day, seen, contract, what, _ = CAUGHT[name]
    verdict = check(CHEATS / f"{name}.py", sample())
    assert not verdict.passed
    assert all(leak.grave for leak in verdict.leaks)
    named = [
        leak
        for leak in verdict.leaks
        if (leak.check, leak.contract, leak.input) == (by, contract, what)
        and day in (None, f"{leak.day:%Y-%m-%d}")
        and seen in (None, seen and f"{leak.seen:%Y-%m-%d}")
    ]
    assert named, [(leak.check, leak.day, leak.seen, leak.contract, leak.input)
                   for leak in verdict.leaks]  # fmt: skip
    assert named[0].cure is not None


@pytest.mark.parametrize("name", CAUGHT)
def test_the_quick_form_catches_what_a_run_may_promise(name):
    path = CHEATS / f"{name}.py"
    one = load(path)
    assert quick(one, path, sample(), params(one)).passed != CAUGHT[name][-1]


def test_who_leaves_ten_sessions_ahead_of_a_margin_is_named_ten_sessions_ahead_of_it():
    verdict = check(CHEATS / "terms_not_in_force.py", sample())
    leak = next(leak for leak in verdict.leaks if leak.check == "cut")
    at = sample().sessions.get_loc
    assert at(leak.seen) - at(leak.day) == 10


@pytest.mark.parametrize("name", sorted(NOTED))
def test_what_cannot_be_checked_is_noted(name):
    verdict = check(CHEATS / f"{name}.py", sample())
    assert verdict.passed
    assert any("cannot be checked" in note.sentence for note in verdict.notes)


@pytest.mark.parametrize("name", ["tomorrows_close", "whole_sample_zscore", "limit_at_the_low"])
def test_the_day_is_the_first_that_a_plain_loop_over_cut_markets_finds(name):
    whole_market = sample()
    one = load(CHEATS / f"{name}.py")

    def orders(market, day):
        told = one.units(market, params(one))
        units, limits = told if isinstance(told, tuple) else (told, pd.Series(dtype=float))
        return units.ffill().fillna(0.0)[day], limits.get(day)

    def same(day):
        cut, whole = orders(whole_market.asof(day), day), orders(whole_market, day)
        return all(a == b or pd.isna([a, b]).all() for a, b in zip(cut, whole, strict=True))

    first = next(day for day in whole_market.sessions if not same(day))
    assert f"{first:%Y-%m-%d}" == CAUGHT[name][1]
