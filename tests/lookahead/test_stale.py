"""Where a contract has no bar it has no price: none that was filled forward decides."""

import json
from pathlib import Path

import numpy as np
import pytest
from subjects import market, subject

from sibt.lookahead.stale import stale

GOLDEN = Path(__file__).parents[1] / "golden" / "g10_async_illiquid_far_leg.json"

PAIR = "{'si2407': 1, 'si2409': -1}"
RULES = "from sibt.strategy import indicators, rules\n"
FILLED = "close = market.frame('close').ffill()\nx = close['si2407'] - close['si2409']\n"
SOUND = "x = market.spread('si2407', 'si2409')\n"


def walk(seed, count=80):
    rng = np.random.default_rng(seed)
    near = 12_000 + np.cumsum(rng.choice([-40, -20, 0, 20, 40], count))
    far = near + 200 + np.cumsum(rng.choice([-15, -5, 5, 15], count))
    return market(si2407=near.astype(float).tolist(), si2409=far.astype(float).tolist())


TRADED = walk(3)


def found(tmp_path, units, legs=PAIR, on=TRADED):
    one = subject(tmp_path, RULES + units, on, legs=legs)
    assert one.whole.acts(len(on.sessions))
    return list(stale(one))


@pytest.mark.parametrize("signal", [
    "return rules.hold(indicators.zscore(x, 10), 1.0, 0.0)",
    "return rules.hold(indicators.percentile(x, 10), 0.9, 0.5, side='above')",
    "return rules.hold(x - x.rolling(10).mean(), 10.0, 0.0)",
    "return rules.ladder(x, -200.0, 20.0, 3, exit=-250.0)",
])  # fmt: skip
def test_a_filled_leg_is_found_and_the_same_rule_on_what_traded_is_not(tmp_path, signal):
    (leak,) = found(tmp_path, FILLED + signal)
    assert (leak.check, leak.grave) == ("stale", True)
    assert (leak.contract, leak.input) in {("si2409", "close"), ("si2407", "close")}
    # The price it took is the one of the session before.
    assert TRADED.sessions.get_loc(leak.day) - TRADED.sessions.get_loc(leak.seen) == 1
    assert "no ffill" in leak.cure
    assert found(tmp_path, SOUND + signal) == []


def test_the_price_that_was_filled_is_named(tmp_path):
    units = FILLED.replace("frame('close')", "frame('settle')")
    (leak,) = found(tmp_path, units + "return rules.hold(indicators.zscore(x, 10), 1.0, 0.0)")
    assert leak.input == "settle"


def test_one_leg_alone_may_be_filled_and_is_named(tmp_path):
    units = (
        "close = market.frame('close')\n"
        "x = close['si2407'] - close['si2409'].ffill()\n"
        "return rules.hold(indicators.zscore(x, 10), 1.0, 0.0)"
    )
    (leak,) = found(tmp_path, units)
    assert leak.contract == "si2409"


def test_a_signal_of_contracts_that_are_not_held_is_looked_at_too(tmp_path):
    units = FILLED + "return rules.hold(indicators.zscore(x, 10), 1.0, 0.0)"
    on = walk(5)
    third = market(
        si2407=on.close[:, 0].tolist(), si2409=on.close[:, 1].tolist(),
        si2410=(on.close[:, 1] + 90).tolist(),
    )  # fmt: skip
    (leak,) = found(tmp_path, units, "{'si2410': 1}", third)
    assert leak.contract in {"si2407", "si2409"}
    assert found(tmp_path, units.replace(FILLED, SOUND), "{'si2410': 1}", third) == []


@pytest.mark.parametrize("units", [
    # A stop on one leg.
    SOUND + "wish = rules.hold(indicators.zscore(x, 10), 1.0, 0.0)\n"
    "return rules.stop(wish, market.bars('si2407')['close'], 60.0)",
    # A goal of one leg that knows nothing of the other.
    SOUND + "wish = rules.hold(indicators.zscore(x, 10), 1.0, 0.0)\n"
    "return rules.take_profit(wish, market.bars('si2407')['close'], 11950.0, side='short')",
    # A spread that filters another signal, and filters nothing where it is unknown.
    SOUND + "z = indicators.zscore(market.bars('si2407')['close'], 10)\n"
    "return rules.hold(z.mask(x < -230, 0.0), 1.0, 0.0)",
    # Two contracts with a say each.
    ("z = lambda code: indicators.zscore(market.bars(code)['close'], 10)\n"
    "return rules.hold(z('si2407'), 1.0, 0.0) - rules.hold(z('si2409'), 1.0, 0.0)"),
    # The last known value of a spread that was known in one session.
    SOUND + "return rules.hold(indicators.zscore(x, 10).ffill(), 1.0, 0.0)",
    # The other leg's price of the session before, on purpose.
    ("close = market.frame('close')\nx = close['si2407'] - close['si2409'].shift(1)\n"
    "return rules.hold(indicators.zscore(x, 10), 1.0, 0.0)"),
    # An index of all contracts, which is one of fewer where one did not trade.
    "return rules.hold(indicators.zscore(market.weighted('si'), 5), 1.0, 0.0)",
    # What was wished stands where nothing is said.
    SOUND + "z = indicators.zscore(x, 10)\n"
    "return pd.Series(np.where(z > 1, -1.0, np.where(z < -1, 1.0, np.nan)), market.sessions)",
])  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(tmp_path, units):
    assert found(tmp_path, units) == []


def test_legs_wished_one_by_one_have_a_say_each(tmp_path):
    units = (
        "z = lambda code: indicators.zscore(market.bars(code)['close'], 10)\n"
        "return pd.DataFrame({c: rules.hold(z(c), 1.0, 0.0) for c in ('si2407', 'si2409')})"
    )
    assert found(tmp_path, units) == []


def test_the_golden_hole_in_the_far_leg_decides_only_where_it_was_filled(tmp_path):
    case = json.loads(GOLDEN.read_text())
    near, far = (np.array(case["inputs"][f"{leg}_close"], float) for leg in ("near", "far"))
    on = market(si2407=near.tolist(), si2409=[None if np.isnan(c) else float(c) for c in far])
    # far − near rises to 2,150 where the far price is a session old; else it is 2,140 or less.
    units = "x = close['si2409'] - close['si2407']\nreturn (x >= 2145).astype(float)"
    close = "close = market.frame('close')\n"
    filled = subject(tmp_path, close + "close = close.ffill()\n" + units, on, legs=PAIR)
    assert filled.whole.units.tolist() == [0, 0, 1, 0, 0, 1]
    assert [leak.contract for leak in stale(filled)] == ["si2409"]
    sound = subject(tmp_path, close + units, on, legs=PAIR)
    assert sound.whole.units.tolist() == [0, 0, 0, 0, 0, 1]
    assert list(stale(sound)) == []
