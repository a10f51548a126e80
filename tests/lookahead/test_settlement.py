"""Settlements: of a later session they leak, of the same one they are noted."""

import pandas as pd
from subjects import market, steps, subject

import sibt
from sibt.lookahead.settlement import settlement

WAVE = [14_000.0 + 100 * (-1) ** (t // 3) + 10 * t for t in range(60)]
MARKET = market(si2409=WAVE, si2410=steps(14_000, each=60))


def found(folder, units, on=MARKET):
    return list(settlement(subject(folder, units, on)))


def test_a_strategy_that_reads_no_settlement_is_asked_only_a_few_times(tmp_path):
    one = subject(tmp_path, "return (market.frame('close')['si2409'].diff() > 0).astype(float)",
                  MARKET)  # fmt: skip
    assert list(settlement(one)) == []
    assert one.asked == 4


def test_the_settlement_of_tomorrow_is_grave(tmp_path):
    units = "s = market.frame('settle')['si2409']\nreturn (s.shift(-1) > s).astype(float)"
    leaks = found(tmp_path, units)
    (grave,) = [leak for leak in leaks if leak.grave]
    assert (grave.check, grave.input, grave.contract) == ("settlement", "settle", "si2409")
    at = MARKET.sessions.get_loc(grave.day)
    assert grave.seen == MARKET.sessions[at + 1]


def test_the_settlement_of_the_same_session_is_noted(tmp_path):
    units = "s = market.frame('settle')['si2409']\nreturn (s > s.shift(1)).astype(float)"
    (leak,) = found(tmp_path, units)
    assert not leak.grave
    assert leak.day == leak.seen
    assert "published after the close" in leak.sentence


def test_the_settlement_of_the_day_before_is_not(tmp_path):
    units = "s = market.frame('settle')['si2409'].shift(1)\nreturn (s > s.shift(1)).astype(float)"
    assert found(tmp_path, units) == []


def test_closes_in_the_place_of_settlements_are_noted_where_they_are_used(tmp_path):
    rows = pd.DataFrame({"date": MARKET.sessions, "contract": "si2409", "open": WAVE, "high": WAVE,
                         "low": WAVE, "close": WAVE, "settle": None, "volume": 1000,
                         "open_interest": 5000})  # fmt: skip
    on = sibt.Market.from_bars(rows, settle_from="close")
    used = "s = market.frame('settle')['si2409'].shift(1)\nreturn (s > s.shift(1)).astype(float)"
    (leak,) = found(tmp_path, used, on)
    assert not leak.grave
    assert "closes stand in" in leak.sentence
    assert found(tmp_path, used.replace("'settle'", "'close'"), on) == []
