"""What a strategy decides, laid out: only what would be ordered counts."""

import numpy as np
import pandas as pd
import pytest
from subjects import market, steps, subject

from sibt.errors import StrategyError
from sibt.hedging.exposure import Exposure
from sibt.lookahead.decisions import decide

DAYS = 6
FLAT = market(si2409=steps(14_000, each=DAYS), si2410=steps(14_100, each=DAYS))


def said(folder, units, **more):
    return subject(folder, units, FLAT, **more).decide()


def wished(folder, values, **more):
    return said(folder, f"return pd.Series({values}, market.sessions)", **more)


def test_a_wish_stands_until_the_next_and_there_is_none_before_the_first(tmp_path):
    one = said(tmp_path, "return pd.Series([2.0, -1.0], market.sessions[[1, 4]])")
    assert one.units.tolist() == [0, 2, 2, 2, -1, -1]
    assert one.lots("si2409").tolist() == [0, 2, 2, 2, -1, -1]
    assert one.acts(2)
    assert not one.acts(1)


def test_a_wish_that_is_kept_is_the_same_as_one_that_is_said_again(tmp_path):
    one = wished(tmp_path, "[1, 1, 1, 0, 0, 0]")
    other = wished(tmp_path, "[1, np.nan, np.nan, 0, np.nan, np.nan]")
    assert one.differs(other, DAYS) is None


def test_the_first_session_that_differs_is_found_and_none_beyond_the_rows_asked_for(tmp_path):
    one, other = wished(tmp_path, "[0, 1, 1, 1, 0, 0]"), wished(tmp_path, "[0, 1, 1, 2, 0, 5]")
    assert one.differs(other, DAYS) == 3
    assert one.differs(other, 4) == 3
    assert one.differs(other, 3) is None


def test_lots_count_and_not_how_they_are_written(tmp_path):
    one = wished(tmp_path, "[0, 2, 2, 2, 0, 0]", legs="{'si2409': 1}")
    other = wished(tmp_path, "[0, 1, 1, 1, 0, 0]", legs="{'si2409': 2}")
    assert one.differs(other, DAYS) is None


def test_a_contract_that_is_named_and_not_wished_does_not_count(tmp_path):
    legs = "{'leg': (pd.Series(['si2409'] * 3 + ['%s'] * 3, market.sessions), 1)}"
    flat, held = "[1, 1, 1, 0, 0, 0]", "[1, 1, 1, 1, 0, 0]"
    for units, day in ((flat, None), (held, 3)):
        one = wished(tmp_path, units, legs=legs % "si2409")
        other = wished(tmp_path, units, legs=legs % "si2410")
        assert one.differs(other, DAYS) == day


def test_another_fixed_leg_differs_from_the_first_wish_on(tmp_path):
    one = wished(tmp_path, "[0, 0, 1, 1, 1, 1]", legs="{'si2409': 1}")
    other = wished(tmp_path, "[0, 0, 1, 1, 1, 1]", legs="{'si2410': 1}")
    assert one.differs(other, DAYS) == 2


def test_legs_wished_one_by_one_are_told_apart(tmp_path):
    table = "return pd.DataFrame({'si2410': %s, 'si2409': 1.0}, market.sessions)"
    legs = "{'si2409': 1, 'si2410': -1}"
    one = said(tmp_path, table % "2.0", legs=legs)
    assert one.lots("si2409").tolist() == [1] * DAYS
    assert one.lots("si2410").tolist() == [-2] * DAYS
    assert one.differs(said(tmp_path, table % "[2, 2, 2, 2, 3, 3]", legs=legs), DAYS) == 4


def test_limits_count_and_unknown_ones_are_equal(tmp_path):
    text = "return pd.Series(1.0, market.sessions), pd.Series(%s, market.sessions)"
    one = said(tmp_path, text % "[np.nan, 9, 9, 9, np.nan, np.nan]")
    same = said(tmp_path, text % "[np.nan, 9, 9, 9, np.nan, np.nan]")
    other = said(tmp_path, text % "[np.nan, 9, 9, 9, 8, np.nan]")
    assert one.differs(same, DAYS) is None
    assert one.differs(other, DAYS) == 4


def goods(text):
    return f"def exposure(self, market, p):\n    return {text}\n"


def test_tonnes_of_a_hedge_count(tmp_path):
    hedge = "pd.Series([0, 5, 5, 5, 5, %s], market.sessions)"
    one = wished(tmp_path, "0.0", rest=goods(hedge % 5))
    assert one.exposure[:, 0].tolist() == [0, 5, 5, 5, 5, 5]
    assert one.acts(DAYS)
    assert one.differs(wished(tmp_path, "0.0", rest=goods(hedge % 0)), DAYS) == 5
    assert one.differs(wished(tmp_path, "0.0"), DAYS) == 0


def test_trades_of_a_hedge_count_with_their_agreed_price(tmp_path):
    made = subject(tmp_path, "return pd.Series(0.0, market.sessions)", FLAT)

    def hedged(price, row):
        trades = pd.DataFrame({"session": FLAT.sessions[[1, row]], "what": "purchase",
                               "tonnes": [5.0, 5.0], "price": [np.nan, price]})  # fmt: skip
        owned = pd.Series(5.0, FLAT.sessions)
        one = made.fresh()
        one.exposure = lambda market, p: Exposure("553", owned, trades)
        return decide(one, made.path, FLAT, made.params)

    one = hedged(14_000.0, 3)
    assert one.exposure[:, 1].tolist() == [0, 5, 0, 5, 0, 0]
    assert one.exposure[:, 2].tolist() == [0, 0, 0, 70_000, 0, 0]
    assert one.differs(hedged(14_000.0, 3), DAYS) is None
    assert one.differs(hedged(14_001.0, 3), DAYS) == 3
    assert one.differs(hedged(14_000.0, 2), DAYS) == 2


def test_the_day_the_idea_is_known_counts_from_the_first_session(tmp_path):
    one = wished(tmp_path, "0.0", known_from="2024-03-05")
    assert one.differs(wished(tmp_path, "0.0", known_from="2024-03-06"), DAYS) == 0


def test_a_strategy_that_fails_is_named_with_its_line(tmp_path):
    with pytest.raises(StrategyError, match=r"tried.py line \d+ fails with ZeroDivisionError"):
        said(tmp_path, "return 1 / 0")


@pytest.mark.parametrize(
    ("units", "legs", "text"),
    [
        ("return 3", "{'si2409': 1}", r"units\(\) of .* returns int; return a Series"),
        ("return pd.Series(0.0, market.sessions)", "['si2409']", r"legs\(\) of .* returns list"),
    ],
)
def test_what_no_run_could_book_is_refused(tmp_path, units, legs, text):
    with pytest.raises(StrategyError, match=text):
        said(tmp_path, units, legs=legs)


@pytest.mark.parametrize(
    ("more", "names"),
    [({"legs": "{'si2409': 'one'}"}, "ratio 'one'"), ({"known_from": "'yesterday'"}, "yesterday")],
)
def test_what_no_run_could_book_is_refused_in_a_sentence(tmp_path, more, names):
    with pytest.raises(StrategyError, match=names):
        wished(tmp_path, "[0, 1, 1, 0, 0, 0]", **more)
