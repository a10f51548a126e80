"""Contracts of two delivery standards are two goods: no signal runs from one to the other."""

import pytest
from subjects import market, steps, subject

from sibt.lookahead.standard import standard
from sibt.lookahead.subject import Subject

#: si2411 is of the old standard, si2412 and si2501 of the new one, 3,000 yuan dearer.
WAVE = steps(*(10_000 + 40 * (n % 5) - 25 * (n % 3) for n in range(40)))
BOTH = market("2024-08-01", si2411=WAVE, si2412=[c + 3_000 for c in WAVE[::-1]],
              si2501=[c + 3_100 for c in WAVE[::-1]])  # fmt: skip
ROLL = "{'main': (pd.Series(np.where(np.arange(len(market.sessions)) < 20, 'si2411', 'si2412'),"
ROLL += " market.sessions), 1)}"
CLOSE = "close = market.frame('close')\n"


def found(tmp_path, units, legs):
    one = subject(tmp_path, CLOSE + units, BOTH, legs=legs)
    assert one.whole.acts(len(BOTH.sessions))
    return list(standard(one)), one


def test_a_new_contract_traded_by_the_price_of_an_old_one_is_found(tmp_path):
    (leak,), _ = found(
        tmp_path, "return (close['si2411'] > 10_050).astype(float)", "{'si2412': 1}"
    )
    assert (leak.check, leak.grave) == ("standard", True)
    assert (leak.contract, leak.input) == ("si2411", "close")
    assert leak.day == leak.seen == BOTH.sessions[0]
    assert "standard 2024 alone" in leak.sentence
    assert "--cross-standard" in leak.cure


def test_an_old_contract_traded_by_the_settlement_of_a_new_one_is_found(tmp_path):
    units = "x = market.frame('settle')['si2501']\nreturn (x.shift(2) > 13_150).astype(float)"
    (leak,), _ = found(tmp_path, units, "{'si2411': 1}")
    assert (leak.contract, leak.input) == ("si2501", "settle")
    # The latest price it hangs on is two sessions old.
    assert BOTH.sessions.get_loc(leak.day) - BOTH.sessions.get_loc(leak.seen) == 2


def test_contracts_of_one_standard_may_read_each_other(tmp_path):
    leaks, _ = found(tmp_path, "return (close['si2501'] > 13_150).astype(float)", "{'si2412': 1}")
    assert leaks == []


def test_a_pair_across_the_line_asked_for_by_name_may_read_both(tmp_path):
    units = "return (close['si2411'] - close['si2412'] > -3_000).astype(float)"
    leaks, _ = found(tmp_path, units, "{'si2411': 1, 'si2412': -1}")
    assert leaks == []


def test_a_window_that_runs_over_the_line_is_found_where_it_does(tmp_path):
    units = (
        "from sibt.strategy import indicators, rules\n"
        "old = np.arange(len(close)) < 20\n"
        "x = close['si2411'].where(old, close['si2412'])\n"
        "return rules.hold(indicators.zscore(x, 6), 1.0, 0.0)"
    )
    (leak,), _ = found(tmp_path, units, ROLL)
    assert leak.contract == "si2411"
    assert leak.day == BOTH.sessions[20]
    assert leak.seen in BOTH.sessions[14:20]  # its window of six, all of the old contract


@pytest.mark.parametrize("of", ["x.diff()", "x.pct_change() * 10_000"])
def test_lots_may_pass_the_line_where_signals_do_not(tmp_path, of):
    # The old contract jumps by 200 and back, and by 60 just before the line: 60 is not enough, but
    # it would be with prices twice as high (a difference), or half as high (a return).
    old = steps(10_000, each=5) + steps(10_200, each=5) + steps(10_000, each=8)
    on = market("2024-08-01", si2411=old + steps(10_060, each=12),
                si2412=steps(13_000, 13_010, each=15))  # fmt: skip
    units = (
        "from sibt.strategy import rules\n"
        "old = np.arange(len(close)) < 20\n"
        f"own = lambda x: {of}\n"
        "x = own(close['si2411']).where(old, own(close['si2412']))\n"
        "return rules.hold(x, 80.0, -80.0, side='above')"
    )
    one = subject(tmp_path, CLOSE + units, on, legs=ROLL)
    assert one.whole.units.tolist() == [0] * 5 + [-1] * 5 + [0] * 20
    assert list(standard(one)) == []


def test_a_run_told_to_cross_the_line_is_let_cross_it(tmp_path):
    _, one = found(tmp_path, "return (close['si2411'] > 10_050).astype(float)", "{'si2412': 1}")
    strategy = one.fresh()
    context = {"capital": 1e6, "kind": strategy.kind, "cross_standard": True}
    told = Subject(one.path, BOTH, strategy.params({}, context))
    assert list(standard(told)) == []


def test_a_leg_without_a_contract_holds_nothing_and_leaks_nothing(tmp_path):
    legs = "{'main': (pd.Series([None] * 20 + ['si2412'] * 20, market.sessions), 1)}"
    units = (
        "x = close['si2412'].where(np.arange(len(close)) >= 20, close['si2411'] + 3_000)\n"
        "return (x > 13_050).astype(float)"
    )
    leaks, _ = found(tmp_path, units, legs)
    assert leaks == []


def test_other_products_may_be_read(tmp_path):
    on = market("2025-01-06", si2506=WAVE, ps2506=[c * 4 for c in WAVE])
    one = subject(tmp_path, CLOSE + "return (close['ps2506'] > 40_200).astype(float)", on,
                  legs="{'si2506': 1}")  # fmt: skip
    assert one.whole.acts(len(on.sessions))
    assert list(standard(one)) == []
