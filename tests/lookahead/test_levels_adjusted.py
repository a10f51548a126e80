"""The level of a back-adjusted series is arbitrary: no decision may hang on it."""

import json
from pathlib import Path

import pytest
from subjects import market, steps, subject

from sibt.lookahead.levels_adjusted import levels_adjusted

GOLDEN = Path(__file__).parents[1] / "golden" / "g19_levels_and_causality.json"

#: The near month falls from 11,620 to 11,300; the lead passes to si2406 in the middle.
ROLLED = market(si2405=steps(11_620, 11_560, 11_495, 11_530, 11_300, each=4),
                si2406=steps(11_855, 11_795, 11_730, 11_765, 11_500, each=4))  # fmt: skip
LEADS = "pd.Series(np.where(np.arange(len(market.sessions)) < 12, 'si2405', 'si2406'),"
CODES = f"codes = {LEADS} market.sessions)\n"
LEGS = f"{{'main': ({LEADS} market.sessions), 1)}}"


def found(tmp_path, units, on=ROLLED):
    one = subject(tmp_path, CODES + units, on, legs=LEGS)
    return list(levels_adjusted(one)), one


@pytest.mark.parametrize("how", ["difference", "ratio"])
def test_a_level_met_with_an_adjusted_series_is_found(tmp_path, how):
    units = f"x = market.continuous(codes, 'close', '{how}')\nreturn (x < 11500).astype(float)"
    (leak,), _ = found(tmp_path, units)
    assert (leak.check, leak.grave, leak.input) == ("levels_adjusted", True, "continuous")
    assert leak.day == ROLLED.sessions[0]
    assert leak.contract == "si2405"
    assert "adjust=None" in leak.cure


def test_raw_prices_may_be_compared_with_a_level(tmp_path):
    units = "x = market.continuous(codes, 'close', None)\nreturn (x < 11500).astype(float)"
    leaks, one = found(tmp_path, units)
    assert leaks == []
    assert one.whole.acts(len(ROLLED.sessions))
    # Nobody asked for an adjusted series: one look is enough.
    assert one.asked == 2


def test_differences_of_a_series_adjusted_by_differences_are_free(tmp_path):
    units = "x = market.continuous(codes)\nreturn (x.diff(3) < -30).astype(float)"
    leaks, one = found(tmp_path, units)
    assert leaks == []
    assert one.whole.acts(len(ROLLED.sessions))


def test_returns_of_a_series_adjusted_by_differences_are_not(tmp_path):
    # 60 yuan are 0.5 % of 11,800 and 0.7 % of 8,900.
    units = "x = market.continuous(codes)\nreturn (x.pct_change() < -0.006).astype(float)"
    (leak,), _ = found(tmp_path, units)
    assert leak.day is not None


def test_returns_of_a_series_adjusted_by_ratios_are_free(tmp_path):
    units = (
        "x = market.continuous(codes, adjust='ratio')\n"
        "return (x.pct_change() < -0.004).astype(float)"
    )
    leaks, one = found(tmp_path, units)
    assert leaks == []
    assert one.whole.acts(len(ROLLED.sessions))


def test_an_indicator_that_does_not_know_the_level_is_free(tmp_path):
    units = (
        "from sibt.strategy import indicators, rules\n"
        "x = market.continuous(codes)\n"
        "return rules.hold(indicators.zscore(x, 5), 1.0, 0.0)"
    )
    leaks, one = found(tmp_path, units)
    assert leaks == []
    assert one.whole.acts(len(ROLLED.sessions))


def test_the_golden_series_stops_out_raw_and_is_caught_adjusted(tmp_path):
    case = json.loads(GOLDEN.read_text())
    raw = list(case["inputs"]["raw_near_close"].values())
    gap = case["inputs"]["roll_gap_far_minus_near_at_D4"]
    on = market(si2405=[*raw, None], si2406=[c + gap for c in raw] + [11_800])
    leads = f"pd.Series(['si2405'] * {len(raw) - 1} + ['si2406'] * 2, market.sessions)"
    units = "x = market.continuous({codes}, 'close', {how})\nreturn (x <= 11500).astype(float)"
    legs = f"{{'main': ({leads}, 1)}}"
    one = subject(tmp_path, units.format(codes=leads, how=None), on, legs=legs)
    assert one.whole.units.tolist() == [0, 0, 1, 0, 0]  # D3
    assert list(levels_adjusted(one)) == []
    one = subject(tmp_path, units.format(codes=leads, how="'difference'"), on, legs=legs)
    assert one.whole.units.tolist() == [0, 0, 0, 0, 0]  # never
    assert [leak.input for leak in levels_adjusted(one)] == ["continuous"]
