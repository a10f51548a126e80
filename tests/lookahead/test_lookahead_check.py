"""The whole check and its quick form: what they try, what they say, what they refuse."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from subjects import market, steps, subject

import sibt
from sibt.errors import SettingError, StrategyError
from sibt.hedging.exposure import Entry, Schedule
from sibt.lookahead.check import check, quick
from sibt.lookahead.decisions import decide
from sibt.sources import load_market
from sibt.strategy.loader import find, load, shipped_names

CLOSES = [14_000.0 + 100 * (-1) ** (t // 3) + 10 * t for t in range(60)]
MARKET = market(si2409=CLOSES, si2410=steps(14_000, each=60))
HONEST = "return (market.frame('close')['si2409'].diff() > 0).astype(float)"
CHEAT = "c = market.frame('close')['si2409']\nreturn (c.shift(-1) > c).astype(float)"
CHANCE = """
    return pd.Series(np.random.default_rng().integers(0, 9, len(market.sessions)), market.sessions)
"""

CENTRED = """
    c = market.frame("close")["si2409"]
    return (c > c.rolling(5, center=True).mean()).astype(float)
"""


def written(folder, units, **more):
    return subject(folder, units, MARKET, **more).path


def quickly(one):
    return quick(one.fresh(), one.path, one.market, one.params)


def test_an_honest_strategy_passes_every_check(tmp_path):
    verdict = check(written(tmp_path, HONEST), MARKET)
    assert verdict.passed
    assert verdict.full
    assert not verdict.looks_ahead
    assert list(verdict.tried) == ["repeat", "cut", "future", "settlement", "levels_adjusted",
                                   "standard", "stale", "history"]  # fmt: skip
    assert verdict.tried["cut"] >= len(MARKET.sessions) - 1
    assert verdict.sentence.startswith("No look-ahead found, asked ")


def test_a_cheat_fails_and_the_verdict_says_where(tmp_path):
    verdict = check(written(tmp_path, CHEAT), MARKET)
    assert not verdict.passed
    assert verdict.looks_ahead
    assert re.fullmatch(
        r"LOOKS AHEAD: the decision of \S+ follows the close of si2409 on \S+", verdict.sentence
    )
    assert {leak.check for leak in verdict.leaks} == {"cut", "future"}


def test_where_the_same_question_has_two_answers_nothing_else_is_tried(tmp_path):
    verdict = check(written(tmp_path, CHANCE), MARKET)
    assert list(verdict.tried) == ["repeat"]
    assert [leak.input for leak in verdict.leaks] == ["chance"]
    assert not verdict.looks_ahead
    assert verdict.sentence.startswith("FAILS THE CHECK: ")


def test_a_strategy_that_never_wishes_is_said_to_be_unchecked(tmp_path):
    verdict = check(written(tmp_path, "return pd.Series(0.0, market.sessions)"), MARKET)
    assert verdict.passed
    assert "there was nothing to check" in verdict.notes[0].sentence


QUOTES = """
report = sibt.Report("Title", "Publisher", "{date}", "L1", "quote")
"""


@pytest.mark.parametrize(
    ("date", "known", "noted"),
    [
        ("2024-05-14", None, True),
        ("2024-05-14", "2024-04-01", True),
        ("2024-05-14 (inferred)", "2024-05-13", True),
        ("2024-05-14", "2024-05-14", False),
        ("spring", None, False),
    ],
)
def test_what_is_traded_before_the_report_it_quotes_is_noted(tmp_path, date, known, noted):
    units = "return pd.Series(1.0, market.sessions)"
    file = written(tmp_path, units, rest=QUOTES.format(date=date), known_from=known)
    verdict = check(file, MARKET)
    assert verdict.passed
    told = [note for note in verdict.notes if "trades on hindsight" in note.sentence]
    assert len(told) == noted
    if noted:
        first = next(day for day in MARKET.sessions if known is None or f"{day:%Y-%m-%d}" >= known)
        assert told[0].day == first
        assert "(2024-05-14)" in told[0].sentence


def test_progress_is_told_with_every_question(tmp_path):
    told = []
    verdict = check(written(tmp_path, HONEST), MARKET,
                    progress=lambda name, asked: told.append((name, asked)))  # fmt: skip
    assert [asked for _, asked in told] == list(range(1, sum(verdict.tried.values()) + 1))
    assert [sum(one == name for one, _ in told) for name in verdict.tried] == list(
        verdict.tried.values())  # fmt: skip


def test_an_object_is_checked_as_it_is(tmp_path):
    one = load(written(tmp_path, HONEST))
    one.mark = object()
    assert check(one, MARKET).passed


def test_a_strategy_that_fails_outright_is_an_error_with_its_line(tmp_path):
    with pytest.raises(StrategyError, match=r"tried.py line \d+ fails with ZeroDivisionError"):
        check(written(tmp_path, "return 1 / 0"), MARKET)


def test_parameters_that_contradict_each_other_are_refused():
    with pytest.raises(StrategyError, match="refused: z_exit is not below z"):
        check("calendar_reverse", MARKET, {"entry": "zscore", "z": 1.0, "z_exit": 2.0})


def test_goods_nobody_hedges_are_refused(tmp_path):
    goods = Schedule((Entry("inventory", MARKET.sessions[3], 50.0),))
    with pytest.raises(SettingError, match="Goods are given, and Tried does not hedge them"):
        check(written(tmp_path, HONEST), MARKET, goods=goods)


def test_it_is_public():
    assert sibt.check is check


# -- The quick form ----------------------------------------------------------------------------


def test_the_quick_form_asks_six_times(tmp_path):
    verdict = quickly(subject(tmp_path, HONEST, MARKET))
    assert verdict.passed
    assert not verdict.full
    assert dict(verdict.tried) == {"repeat": 2, "cut": 3, "future": 1}
    assert "sibt check asks in every session" in verdict.sentence


@pytest.mark.parametrize(
    ("units", "seen"),
    [
        (CHEAT, "close"),
        (CHANCE, "chance"),
        ("wish = pd.Series(1.0, market.sessions)\nwish.iloc[-3:] = 0.0\nreturn wish", "sessions"),
        ("c = market.frame('close')['si2409']\nreturn (c > c.mean()).astype(float)", "close"),
        (CENTRED, "close"),
    ],
)  # fmt: skip
def test_the_quick_form_catches_plain_cheats(tmp_path, units, seen):
    verdict = quickly(subject(tmp_path, units, MARKET))
    assert not verdict.passed
    assert verdict.leaks[0].input == seen


def test_the_quick_form_catches_a_roll_a_session_early_of_what_is_always_held(tmp_path):
    led = ["si2409"] * 31 + ["si2410"] * 29
    named = replace(MARKET, dominant_map=pd.Series(led, MARKET.sessions))
    units = "return pd.Series(1.0, market.sessions)"
    codes = "market.dominant_map"
    honest = subject(tmp_path, units, named, legs=f"{{'main': ({codes}, 1)}}")
    assert quickly(honest).passed
    early = f"{codes}.shift(-1).fillna({codes})"
    verdict = quickly(subject(tmp_path, units, named, legs=f"{{'main': ({early}, 1)}}"))
    assert (verdict.leaks[0].input, verdict.leaks[0].day) == ("dominant", MARKET.sessions[30])


@pytest.mark.parametrize("name", shipped_names())
def test_the_quick_form_passes_every_shipped_strategy(name):
    one, on = load(name), sibt.load_market("sample")
    context = {"capital": 1e6, "kind": one.kind, "cross_standard": False}
    assert quick(one, find(name), on, one.params({}, context)).passed


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_strategy_passes_on_recorded_closes(name, shared_market):
    on = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    one = load(name)
    context = {"capital": 1e6, "kind": one.kind, "cross_standard": False}
    p = one.params({}, context)
    assert quick(one, find(name), on, p).passed
    assert decide(one, find(name), on, p).acts(len(on.sessions))
