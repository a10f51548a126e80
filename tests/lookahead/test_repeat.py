"""Asked twice, at another time, in another process, in another order: the same decisions."""

import builtins
import datetime
import random
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from subjects import market, steps, subject

from sibt.lookahead.repeat import again, repeat
from sibt.lookahead.surroundings import chance, frozen, watched
from sibt.market.panel import Provenance

CODES = ("si2409", "si2410")
MARKET = market(**{code: steps(*range(14_000, 15_200, 100), each=3) for code in CODES})


def named(one):
    return [(leak.input, leak.grave) for leak in repeat(one)]


SEEDED = """
    drawn = np.random.default_rng(7).integers(0, 9, len(market.sessions))
    return pd.Series(drawn, market.sessions)
"""
DATED = """
    import datetime
    last = datetime.date(2024, 3, 14)
    return pd.Series(1.0, market.sessions).where(market.sessions.date < last, 0.0)
"""


@pytest.mark.parametrize(
    "units",
    [
        "return market.frame('close')['si2409'].diff().fillna(0.0) / 100",
        "return pd.Series(float(pd.Timestamp('2024-05-14').month), market.sessions)",
        SEEDED,
        DATED,
    ],
)
def test_an_honest_strategy_passes(tmp_path, units):
    assert named(subject(tmp_path, units, MARKET)) == []


@pytest.mark.parametrize(
    "drawn",
    ["np.random.default_rng().integers(0, 99, len(market.sessions))",
     "np.random.randint(0, 99, len(market.sessions))",
     "[random.randint(0, 99) for _ in market.sessions]"],
)  # fmt: skip
def test_chance_is_found_and_given_a_day(tmp_path, drawn):
    one = subject(tmp_path, f"return pd.Series({drawn}, market.sessions)", MARKET,
                  head="import random")  # fmt: skip
    (leak,) = repeat(one)
    assert (leak.input, leak.grave, leak.check) == ("chance", True, "repeat")
    assert leak.day is not None
    assert leak.day < MARKET.sessions[3]
    assert "numpy.random.default_rng(7)" in leak.cure
    (quick,) = again(one)
    assert quick.input == "chance"


@pytest.mark.parametrize(
    ("head", "now"),
    [
        ("from datetime import datetime", "datetime.now().year"),
        ("import datetime", "datetime.date.today().year"),
        ("import time", "int(time.time() // 31_557_600)"),
        ("from time import time", "int(time() // 31_557_600)"),
        ("", "pd.Timestamp.now().year"),
        ("", "pd.Timestamp.today().year"),
    ],
)
def test_the_clock_is_found(tmp_path, head, now):
    units = f"return pd.Series(float({now}), market.sessions)"
    assert named(subject(tmp_path, units, MARKET, head=head)) == [("clock", True)]


def test_the_order_of_a_set_is_found(tmp_path):
    units = """
        words = {"one", "two", "three", "four", "five", "six", "seven", "eight"}
        return pd.Series(float(len(next(iter(words)) + next(reversed(list(words))))
                               + ord(next(iter(words))[1])), market.sessions)
    """
    assert named(subject(tmp_path, units, MARKET)) == [("hash seed", True)]


def test_a_clock_that_cannot_stand_is_not_taken_for_the_order_of_a_set(tmp_path, monkeypatch):
    units = "return pd.Series(float(os.environ['MINUTE']), market.sessions)"
    one = subject(tmp_path, units, MARKET, head="import os")

    def a_minute_later(question, seeds):
        monkeypatch.setenv("MINUTE", "2")
        return [one.decide()]

    monkeypatch.setenv("MINUTE", "1")
    monkeypatch.setattr("sibt.lookahead.repeat.elsewhere", a_minute_later)
    assert named(one) == [("clock", True)]


def test_what_an_object_keeps_from_call_to_call_is_found(tmp_path):
    units = "self.calls += 1\nreturn pd.Series(float(self.calls), market.sessions)"
    (leak,) = repeat(subject(tmp_path, units, MARKET, rest="calls = 0"))
    assert (leak.input, leak.day) == ("state", MARKET.sessions[0])


def test_a_signal_cached_from_a_first_market_is_found(tmp_path):
    units = """
        if not KEPT:
            KEPT.append(market.frame("close")["si2409"].diff().fillna(0.0) / 100)
        return KEPT[0].reindex(market.sessions).fillna(0.0)
    """
    (leak,) = repeat(subject(tmp_path, units, MARKET, head="KEPT = []"))
    assert leak.input == "state"
    assert "between calls" in leak.sentence


def test_what_is_kept_outside_the_file_is_found(tmp_path):
    units = """
        if not hasattr(builtins, "kept_by_a_test"):
            builtins.kept_by_a_test = float(market.frame("close")["si2409"].mean())
        return (market.frame("close")["si2409"] < builtins.kept_by_a_test).astype(float)
    """
    try:
        (leak,) = repeat(subject(tmp_path, units, MARKET, head="import builtins"))
    finally:
        del builtins.kept_by_a_test
    assert (leak.input, leak.grave) == ("state", True)


def test_a_cache_that_goes_by_the_market_passes(tmp_path):
    units = """
        if market.digest not in KEPT:
            KEPT[market.digest] = market.frame("close")["si2409"].diff().fillna(0.0) / 100
        return KEPT[market.digest]
    """
    assert named(subject(tmp_path, units, MARKET, head="KEPT = {}")) == []


@pytest.mark.parametrize("given", ["prices.csv", "."])
def test_the_markets_own_file_read_by_itself_is_grave_also_in_a_run(tmp_path, given):
    file = tmp_path / "prices.csv"
    file.write_text("date,contract,close,settle\n2024-05-14,si2409,12000,12000\n", "utf-8")
    own = replace(MARKET, provenance=Provenance(str(tmp_path / given)))
    units = f"return pd.Series(float(len(pd.read_csv({str(file)!r}))), market.sessions)"
    one = subject(tmp_path, units, own)
    (leak,) = repeat(one)
    assert (leak.input, leak.grave) == ("file prices.csv", True)
    assert [leak.input for leak in again(one)] == ["file prices.csv"]


def test_files_it_reads_and_writes_are_noted_and_its_own_code_is_not(tmp_path):
    (tmp_path / "days.csv").write_text("day\n2024-05-14\n", "utf-8")
    (tmp_path / "beside_it.py").write_text("HELD = 1.0\n", "utf-8")
    units = """
        from pathlib import Path
        here = Path(__file__).parent
        pd.read_csv(here / "days.csv")
        (here / "log.txt").write_text("asked")
        sys.path.insert(0, str(here))
        import beside_it
        sys.path.pop(0)
        return pd.Series(beside_it.HELD, market.sessions)
    """
    leaks = list(repeat(subject(tmp_path, units, MARKET, head="import sys")))
    assert [(leak.input, leak.grave) for leak in leaks] == [
        ("file days.csv", False), ("file log.txt", False)]  # fmt: skip
    assert str(tmp_path / "days.csv") in leaks[0].sentence
    assert "market.known()" in leaks[0].cure


def test_a_market_loaded_by_the_strategy_itself_is_noted(tmp_path):
    units = "return pd.Series(float(len(sibt.load_market('sample').contracts)), market.sessions)"
    names = named(subject(tmp_path, units, MARKET))
    assert names
    assert all(name.startswith("file ") and not grave for name, grave in names)


def test_a_file_of_levels_is_no_file_of_its_own(tmp_path):
    level = tmp_path / "mine.toml"
    level.write_text('[[level]]\nname = "a"\nvalue = 1.0\npublished_on = "2024-03-04"\n'
                     'product = "si"\nstandard = "2022"\n', "utf-8")  # fmt: skip
    units = f"return sibt.level('a', file={str(level)!r}).by_session(market)"
    assert named(subject(tmp_path, units, MARKET)) == []


# -- Surroundings ------------------------------------------------------------------------------


def test_the_clock_stands_and_goes_on():
    real = datetime.datetime, datetime.date, time.time
    with frozen(981_173_106.0):
        assert time.time() == 981_173_106.0
        assert datetime.datetime.now(datetime.UTC) == datetime.datetime(
            2001, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)  # fmt: skip
        assert datetime.date.today().year == 2001
        assert pd.Timestamp.now(tz="UTC") == pd.Timestamp("2001-02-03 04:05:06", tz="UTC")
        assert isinstance(real[0](2024, 5, 14), datetime.datetime)
        assert isinstance(pd.Timestamp("2024-05-14"), datetime.datetime)
        assert type(datetime.datetime(2024, 5, 14)) is real[0]
        assert datetime.date.fromisoformat("2024-05-14") == real[1](2024, 5, 14)
    assert (datetime.datetime, datetime.date, time.time) == real
    assert abs(pd.Timestamp.now().timestamp() - time.time()) < 24 * 3600


def test_common_generators_go_on_where_they_were():
    random.seed(1)
    np.random.seed(1)
    wanted = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    with chance(5):
        random.random()
        np.random.random()
    assert (random.random(), np.random.random()) == wanted


def test_nothing_is_watched_when_nobody_looks(tmp_path):
    mine = tmp_path / "seen.txt"
    with watched() as touched:
        mine.write_text("a")
    mine.read_text()
    assert touched == [str(mine)]
    with watched() as touched:
        sys.audit("socket.connect", None, ("example.org", 443))
    assert touched == ["example.org:443"]
