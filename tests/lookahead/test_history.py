"""How much history a strategy needs is a note: from when on a shorter one decides the same."""

import numpy as np
import pytest
from subjects import market, subject

from sibt.lookahead.history import history

#: At a half between trough and top in the session 30, where a quarter of it is gone.
WAVE = (12_000 + 100 * np.round(np.sin((np.arange(120) + 7.7) / 3.0), 1)).tolist()
#: A price that only falls: what comes late is always below what came before.
FALL = (12_000.0 - 5.0 * np.arange(120)).tolist()
ALWAYS = market(si2409=WAVE)
FALLING = market(si2409=FALL)
CLOSE = "close = market.frame('close')['si2409']\n"


def found(tmp_path, units, on=ALWAYS):
    one = subject(tmp_path, CLOSE + units, on)
    assert one.whole.acts(len(on.sessions))
    return list(history(one))


def test_a_decision_on_todays_price_needs_none(tmp_path):
    assert found(tmp_path, "return (close > 12_050).astype(float)") == []


@pytest.mark.parametrize("lag", [3, 11])
def test_a_look_back_is_counted_in_sessions(tmp_path, lag):
    (leak,) = found(tmp_path, f"return (close.shift({lag}) > 0).astype(float)")
    assert (leak.check, leak.grave, leak.input) == ("history", False, "sessions")
    assert f"(sessions: {lag})" in leak.sentence
    # The last session that differs is the last one without a look-back.
    sessions = ALWAYS.sessions
    assert sessions.get_loc(leak.day) - sessions.get_loc(leak.seen) == lag - 1


def test_what_hangs_on_the_first_session_never_settles(tmp_path):
    # The mean of all since the beginning is higher the earlier that was.
    (leak,) = found(
        tmp_path, "return np.floor(close.expanding().mean() / 5.0)", FALLING
    )
    assert not leak.grave
    assert leak.day == FALLING.sessions[-1]
    assert "to the last session" in leak.sentence


def test_beginnings_lie_where_nothing_is_wished(tmp_path):
    # Long from a trough to the next top: who begins between the two waits for the next trough.
    units = (
        "from sibt.strategy import rules\n"
        "return rules.hold(close, 11_910.0, 12_090.0, side='below')"
    )
    assert subject(tmp_path, CLOSE + units, ALWAYS).whole.units[30] == 1.0
    assert found(tmp_path, units) == []


def test_sessions_without_a_bar_of_the_leg_do_not_count(tmp_path):
    # Wished from its 36th bar on and for ever; the contract is gone after 60 sessions.
    on = market(si2407=WAVE[:60] + [None] * 60, si2409=WAVE)
    units = "return (market.frame('close')['si2407'].shift(35) > 0).cummax().astype(float)"
    (leak,) = history(subject(tmp_path, units, on, legs="{'si2407': 1}"))
    assert leak.day <= on.sessions[59]


def test_a_strategy_that_cannot_be_asked_about_less_is_left_alone(tmp_path):
    units = "at = market.sessions.get_loc('2024-03-04')\nreturn (close > close.iloc[at]) * 1.0"
    assert found(tmp_path, units) == []
