"""The fourteen rules of what fills, at what price, and what the account shows for it."""

import math

import numpy as np
import pytest
from markets import bar, by_session, fills, flat, market, shortfalls, simulate, units

from sibt.errors import DataError, StrategyError

ONE = {"si2408": 1}
PAIR = {"si2408": 1, "si2409": -1}
UNEVEN = {"si2408": 2, "si2409": -1}
SEVEN = {"price_limit": 0.07}
SMALL = {"capital": 66_000}


def one(bars, wishes, **how):
    """Book one leg on bars of si2408."""
    return simulate(market(si2408=bars), wishes, ONE, **how)


def pair(near, far, wishes, legs=PAIR, **how):
    return simulate(market(si2408=near, si2409=far), wishes, legs, **how)


def statement(result, column):
    return result.statement[column].tolist()


class TestDecision:
    """Rule 1."""

    def test_a_wish_fills_in_the_next_session(self):
        result = one([12000, 12100, 12200, 12300], [0, 1])
        assert fills(result) == [(2, "si2408", "open", 1, 12200.0)]

    def test_nothing_fills_in_the_first_session(self):
        assert units(one([12000, 12000], [1])) == [0, 1]

    def test_a_wish_after_the_last_session_never_fills(self):
        result = one([12000, 12000], [0, 1])
        assert result.fills.empty
        assert result.unfilled.empty

    def test_a_missing_wish_keeps_the_last_one(self):
        result = one([12000] * 5, [2, None, float("nan"), 0])
        assert units(result) == [0, 2, 2, 2, 0]

    def test_before_the_first_wish_it_is_zero(self):
        assert units(one([12000] * 4, [None, None, 3])) == [0, 0, 0, 3]

    def test_a_fill_on_the_day_the_idea_became_known_is_an_error(self):
        with pytest.raises(StrategyError, match=r"would trade on 2024-03-05, before the session"):
            one([12000] * 4, [1], known_from="2024-03-05")

    def test_the_session_after_it_may_fill(self):
        result = one([12000] * 4, [1], known_from="2024-03-04")
        assert units(result) == [0, 1, 1, 1]


class TestFillPrice:
    """Rule 2."""

    BAR = bar(12000, 12200, 11900, 12100, 12050, 1000)

    @pytest.mark.parametrize(
        ("fill", "price"), [("open", 12000.0), ("close", 12100.0), ("settle", 12050.0)]
    )
    def test_it_is_the_open_the_close_or_the_settlement(self, fill, price):
        result = one([12000, self.BAR], [1], fill=fill)
        assert fills(result) == [(1, "si2408", "open", 1, price)]

    @pytest.mark.parametrize(("side", "price"), [(1, 12015.0), (-1, 11985.0)])
    def test_slippage_is_ticks_against_the_trader(self, side, price):
        result = one([12000, self.BAR], [side], slippage=3)
        assert fills(result) == [(1, "si2408", "open", side, price)]

    def test_slippage_is_against_the_trader_on_both_legs(self):
        result = pair([12000, 12000], [13000, 13000], [-1], slippage=1)
        assert fills(result) == [
            (1, "si2408", "open", -1, 11995.0),
            (1, "si2409", "open", 1, 13005.0),
        ]
        assert result.by_leg["slippage"].tolist() == [25.0, 25.0]

    @pytest.mark.parametrize(("side", "edge"), [(1, 12480.0), (-1, 11520.0)])
    def test_slippage_does_not_carry_a_fill_out_of_the_band(self, side, edge):
        inside = edge - side * 5
        opening = bar(inside, max(inside, 12000), min(inside, 12000), 12000, 12000, 1000)
        result = one([12000, opening], [side], slippage=4, terms={"price_limit": 0.04})
        assert fills(result) == [(1, "si2408", "open", side, edge)]

    def test_an_unknown_price_fills_nothing(self):
        result = one([12000, bar(None, 12100, 11900, 12000, 12000, 1000), 12000], [1])
        assert shortfalls(result) == [(1, "si2408", 1, 0, "no price")]
        assert units(result) == [0, 0, 1]

    @pytest.mark.parametrize(("limit", "price"), [(11900.0, 11900.0), (12050.0, 12000.0)])
    def test_a_resting_buy_fills_at_its_limit_or_at_a_better_open(self, limit, price):
        result = one([12000, self.BAR], [1], limits=[limit], slippage=5)
        assert fills(result) == [(1, "si2408", "open", 1, price)]
        assert result.by_leg["slippage"].tolist() == [0.0]

    @pytest.mark.parametrize(("limit", "price"), [(12200.0, 12200.0), (11950.0, 12000.0)])
    def test_a_resting_sale_fills_at_its_limit_or_at_a_better_open(self, limit, price):
        result = one([12000, self.BAR], [-1], limits=[limit], slippage=5)
        assert fills(result) == [(1, "si2408", "open", -1, price)]

    @pytest.mark.parametrize(("side", "limit"), [(1, 11895.0), (-1, 12205.0)])
    def test_a_limit_the_range_does_not_reach_does_not_fill(self, side, limit):
        result = one([12000, self.BAR], [side], limits=[limit])
        assert shortfalls(result) == [(1, "si2408", side, 0, "price not reached")]

    def test_a_limit_rests_for_one_session(self):
        result = one([12000, self.BAR, 12300], [1], limits=[11000.0])
        assert fills(result) == [(2, "si2408", "open", 1, 12300.0)]

    def test_a_limit_needs_a_known_open(self):
        opening = bar(None, 12200, 11900, 12100, 12050, 1000)
        result = one([12000, opening], [1], limits=[11950.0], fill="close")
        assert shortfalls(result) == [(1, "si2408", 1, 0, "no price")]

    @pytest.mark.parametrize(("limit", "filled"), [(12000.0, 1), (11995.0, 0)])
    def test_an_unknown_low_is_the_fill_price(self, limit, filled):
        result = one([12000, bar(12000, settle=12000)], [1], limits=[limit])
        assert units(result)[-1] == filled


class TestPriceBand:
    """Rule 3."""

    def test_it_is_rounded_inward_to_a_tick(self):
        prices = one([12480, 12480], [1], terms=SEVEN).job.prices
        assert prices.limit_up[1, 0] == 13350  # 13,353.6
        assert prices.limit_down[1, 0] == 11610  # 11,606.4

    def test_an_edge_on_a_tick_stays_there(self):
        prices = one([12000, 12000], [1], terms={"price_limit": 0.04}).job.prices
        assert (prices.limit_down[1, 0], prices.limit_up[1, 0]) == (11520, 12480)

    def test_there_is_none_before_the_first_settlement(self):
        prices = one([None, 12000, 15000], [1], terms=SEVEN).job.prices
        assert np.isnan(prices.limit_up[:2, 0]).all()
        assert not prices.refuted[1, 0]

    def test_it_rests_on_the_last_known_settlement(self):
        prices = one([12000, None, 12000], [1], terms=SEVEN).job.prices
        assert prices.limit_up[2, 0] == 12840

    @pytest.mark.parametrize(("side", "edge"), [(1, 12840), (-1, 11160)])
    def test_against_a_locked_session_nothing_fills(self, side, edge):
        result = one([12000, edge, edge], [side], terms=SEVEN)
        assert shortfalls(result)[0] == (1, "si2408", side, 0, "limit")

    @pytest.mark.parametrize(("side", "edge"), [(-1, 12840), (1, 11160)])
    def test_with_a_locked_session_an_order_fills_at_the_limit(self, side, edge):
        result = one([12000, edge], [side], terms=SEVEN)
        assert fills(result) == [(1, "si2408", "open", side, float(edge))]

    def test_a_session_that_left_the_limit_fills(self):
        opened = bar(12840, 12840, 12835, 12840, 12840, 1000)
        result = one([12000, opened], [1], terms=SEVEN)
        assert fills(result) == [(1, "si2408", "open", 1, 12840.0)]

    @pytest.mark.parametrize("name", ["open", "high", "low", "close"])
    def test_a_price_outside_the_band_refutes_the_band(self, name):
        strange = flat(12840, **{name: 11000 if name == "low" else 13000})
        result = one([12000, strange], [1], terms=SEVEN)
        assert units(result) == [0, 1]
        assert any("price band" in said and "si2408 2024-03-05" in said for said in result.warnings)

    def test_a_refuted_band_clamps_nothing(self):
        result = one([12000, flat(12840, high=13000)], [1], terms=SEVEN, slippage=2)
        assert fills(result) == [(1, "si2408", "open", 1, 12850.0)]

    def test_a_limit_of_one_is_none(self):
        result = one([12000, 30000], [1])
        assert np.isnan(result.job.prices.limit_up).all()
        assert units(result) == [0, 1]

    def test_a_session_without_a_bar_fills_nothing(self):
        result = one([12000, None, 12000], [1])
        assert shortfalls(result) == [(1, "si2408", 1, 0, "no trade")]

    def test_a_volume_of_zero_fills_nothing(self):
        result = one([12000, flat(12000, volume=0), 12000], [1])
        assert shortfalls(result) == [(1, "si2408", 1, 0, "no trade")]


class TestLockEscalation:
    """Rule 3, where the terms let locked sessions widen the next limit."""

    def limits(self, bars, **terms):
        prices = one(bars, [0], terms={**SEVEN, **terms}).job.prices
        return prices.limit_up[:, 0].tolist()[1:]

    def test_it_is_off_unless_asked_for(self):
        assert self.limits([12000, 12840, 12840]) == [12840, 13735]

    def test_one_locked_session_adds_three_points_two_add_five(self):
        bars = [12000, 12840, 14120, 14120]
        assert self.limits(bars, lock_escalation=1) == [12840, 14120, 15810]

    def test_a_session_that_trades_off_the_limit_ends_it(self):
        bars = [12000, 12840, 12900, 12900]
        assert self.limits(bars, lock_escalation=1) == [12840, 14120, 13800]

    def test_a_lock_on_the_other_side_begins_anew(self):
        bars = [12000, 12840, 11560, 11560]  # up 7 %, down 10 %
        assert self.limits(bars, lock_escalation=1)[-1] == 12715

    def test_margin_is_two_points_above_the_next_limit(self):
        panel = [12000, 12000, 12840, 12840]
        result = one(panel, [1], terms={**SEVEN, "lock_escalation": 1, "margin": 0.08})
        assert statement(result, "margin") == pytest.approx(
            [0, 4800, 12840 * 5 * 0.12, 12840 * 5 * 0.08]
        )

    def test_the_brokers_points_come_on_top(self):
        result = one([12000, 12000, 12840, 12840], [1], account={"broker_margin": 0.05},
                     terms={**SEVEN, "lock_escalation": 1, "margin": 0.08})
        assert statement(result, "margin")[2] == pytest.approx(12840 * 5 * 0.17)

    def test_a_refuted_band_locks_nothing(self):
        assert self.limits([12000, 13000, 13000], lock_escalation=1)[-1] == 13910


class TestVolumeCap:
    """Rule 4."""

    def capped(self, volume, participation, wish=1000):
        result = one([12000, flat(12000, volume=volume)], [wish], participation=participation,
                     account={"capital": 1e9})
        return units(result)[-1]

    @pytest.mark.parametrize(
        ("share", "volume", "lots"),
        [(0.29, 100, 29), (0.07, 100, 7), (0.1, 99, 9), (0.1, 9, 0), (0.57, 100, 57), (1, 7, 7)],
    )
    def test_it_is_a_share_of_volume_rounded_down(self, share, volume, lots):
        assert self.capped(volume, share) == lots

    def test_unknown_volume_is_uncapped_and_said(self):
        result = one([12000, flat(12000, volume=None)], [100], participation=0.01)
        assert units(result)[-1] == 100
        assert "1 of 1 fills are on sessions of unknown volume, uncapped" in result.warnings

    def test_what_the_cap_left_is_tried_again(self):
        thin = flat(12000, volume=30)
        result = one([12000, thin, thin, thin], [7], participation=0.1)
        assert units(result) == [0, 3, 6, 7]
        assert shortfalls(result) == [
            (1, "si2408", 7, 3, "volume"),
            (2, "si2408", 4, 3, "volume"),
        ]

    def test_closing_and_opening_share_one_cap(self):
        thin = flat(12000, volume=50)
        result = one([12000, 12000, thin, thin], [-3, 3], participation=0.1)
        assert units(result) == [0, -3, 2, 3]

    def test_forced_orders_are_capped_too(self):
        thin = flat(11000, volume=10)
        result = one([12000, 12000, 11000, thin, thin], [10], participation=0.1,
                     account={"capital": 80_000})
        cut = result.fills[result.fills["reason"] == "margin call"]
        assert cut["lots"].tolist() == [1, 1]


class TestPairing:
    """Rule 5."""

    def thin(self, **how):
        far = [13000, flat(13000, volume=20), flat(13000, volume=20)]
        return pair([12000] * 3, far, [-5], participation=0.1, **how)

    def test_paired_legs_take_what_every_leg_can_take(self):
        result = self.thin()
        assert units(result) == [0, -2, -4]
        assert shortfalls(result)[:2] == [
            (1, "si2408", -5, -2, "pair"),
            (1, "si2409", 5, 2, "volume"),
        ]

    def test_legged_each_leg_fills_by_itself(self):
        result = self.thin(pairing="legged")
        assert fills(result)[:2] == [
            (1, "si2408", "open", -5, 12000.0),
            (1, "si2409", "open", 2, 13000.0),
        ]
        assert math.isnan(units(result)[1])
        assert statement(result, "naked") == [0, 3, 1]

    def test_a_pair_with_a_leg_that_does_not_trade_waits(self):
        result = pair([12000] * 3, [13000, None, 13000], [-5])
        assert units(result) == [0, 0, -5]
        assert shortfalls(result) == [
            (1, "si2408", -5, 0, "pair"),
            (1, "si2409", 5, 0, "no trade"),
        ]

    def test_a_ratio_fills_in_whole_units(self):
        near = [12000, flat(12000, volume=70)]
        result = pair(near, [13000] * 2, [5], UNEVEN, participation=0.1)
        assert fills(result) == [
            (1, "si2408", "open", 6, 12000.0),
            (1, "si2409", "open", -3, 13000.0),
        ]

    def test_naked_lots_are_counted_against_the_ratio(self):
        far = [13000, flat(13000, volume=20)]
        result = pair([12000] * 2, far, [4], UNEVEN, participation=0.1, pairing="legged")
        assert statement(result, "naked") == [0, 4]  # 8 and -2: two units, four bare lots

    def test_legged_openings_short_of_margin_are_cut_from_the_last_leg(self):
        result = pair([12000] * 2, [12000] * 2, [-10], pairing="legged",
                      account={"capital": 90_000})
        assert [lots for *_, lots, _ in fills(result)] == [-10, 5]
        assert shortfalls(result) == [(1, "si2409", 10, 5, "margin")]

    def test_legged_forced_cuts_take_the_leg_with_the_largest_margin(self):
        near, far = [10000] * 4, [12000, 12000, 11000, 11000]
        result = pair(near, far, [-10], pairing="legged", account={"capital": 120_000})
        # Equity of 70,000 against 50,000 and 55,000: seven lots of the far leg make it 66,500.
        assert fills(result)[2:] == [(3, "si2409", "close", -7, 11000.0)]
        assert result.fills["reason"].iloc[-1] == "margin call"
        assert statement(result, "naked")[-1] == 7


class TestShortfall:
    """Rule 6."""

    def test_it_is_dropped_with_the_wish(self):
        result = one([12000, None, None, 12000], [1, 0])
        assert shortfalls(result) == [(1, "si2408", 1, 0, "no trade")]
        assert units(result) == [0, 0, 0, 0]

    def test_every_session_says_it_again(self):
        result = one([12000, None, None, 12000], [1])
        assert [row[0] for row in shortfalls(result)] == [1, 2]

    def test_before_listing_a_contract_is_not_listed(self):
        panel = market("2024-03-13", si2411=[12000] * 4)  # listed on 2024-03-15
        result = simulate(panel, [1], {"si2411": 1})
        assert shortfalls(result) == [(1, "si2411", 1, 0, "not listed")]
        assert units(result) == [0, 0, 1, 1]

    def test_after_the_last_trading_day_it_is_not_listed(self):
        panel = market("2024-08-14", si2408=[12000] * 3)
        result = simulate(panel, [1], ONE)
        assert [row[-1] for row in shortfalls(result)] == ["not listed", "not listed"]

    def test_where_a_person_may_hold_it_no_longer_it_is_the_delivery_month(self):
        panel = market("2024-07-30", si2408=[12000] * 4)
        result = simulate(panel, [1], ONE, account={"kind": "individual"})
        assert {row[-1] for row in shortfalls(result)} == {"delivery month"}
        assert len(result.unfilled) == 3

    def test_a_leg_without_a_contract_is_not_listed(self):
        result = simulate(market(si2408=[12000] * 4), [1], {"si": ([None, None, "si2408"], 1)})
        assert shortfalls(result) == [(1, "", 1, 0, "not listed"), (2, "", 1, 0, "not listed")]
        assert units(result) == [0, 0, 0, 1]

    def test_short_of_money_it_says_margin(self):
        result = one([12000] * 3, [10], account={"capital": 30_000})
        assert shortfalls(result) == [
            (1, "si2408", 10, 5, "margin"),
            (2, "si2408", 5, 0, "margin"),
        ]

    def test_a_pair_short_of_money_says_margin_on_both_legs(self):
        result = pair([12000] * 2, [12000] * 2, [-10], account={"capital": 60_000})
        assert shortfalls(result) == [
            (1, "si2408", -10, -5, "margin"),
            (1, "si2409", 10, 5, "margin"),
        ]


class TestFees:
    """Rule 7."""

    def test_a_rate_and_yuan_per_lot_times_the_mark_up_are_rounded_once(self):
        # (12,005 × 5 × 3 × 0.0001 + 0.01 × 3) × 1.5 = 27.05625
        result = one([12005, 12005], [3], terms={"fee": 1e-4, "fee_per_lot": 0.01},
                     account={"fee_markup": 1.5})
        assert result.fills["fee"].tolist() == [27.06]

    def test_half_a_fen_is_rounded_up(self):
        # 12,050 × 5 × 0.0001 = 6.025
        result = one([12050, 12050, 12050], [1, 0], terms={"fee": 1e-4})
        assert result.fills["fee"].tolist() == [6.03, 6.03]

    def test_closing_and_opening_of_a_reversal_are_two_fills(self):
        result = one([12005] * 3, [-1, 1], terms={"fee": 1e-4})
        assert fills(result)[1:] == [
            (2, "si2408", "close", 1, 12005.0),
            (2, "si2408", "open", 1, 12005.0),
        ]
        assert result.fills["fee"].tolist() == [6.0, 6.0, 6.0]

    def test_a_fee_holds_from_its_session(self):
        panel = market(si2408=[12000] * 3)
        fee = by_session(panel, [1e-4, 1e-4, 2e-4])
        result = simulate(panel, [1, 0], ONE, terms={"fee": fee})
        assert result.fills["fee"].tolist() == [6.0, 12.0]

    def test_lots_of_earlier_days_pay_the_closing_fee(self):
        result = one([12000] * 3, [1, 0], terms={"fee": 1e-4, "fee_close_today": 5e-4})
        assert result.fills["offset"].tolist() == ["open", "close"]
        assert result.fills["fee"].tolist() == [6.0, 6.0]

    def test_lots_close_first_in_first_out_and_those_of_today_pay_their_own_fee(self):
        # Two lots held, eight bought, and the day's fall of 50 yuan ruins the account.
        crash = flat(12000, settle=9000)
        result = one([12000, 12000, crash], [2, 10], account={"capital": 70_000},
                     terms={"fee": 1e-4, "fee_close_today": 5e-4})
        assert result.fills["offset"].tolist() == ["open", "open", "close", "close_today"]
        assert result.fills["lots"].tolist() == [2, 8, 2, 8]
        assert result.fills["fee"].tolist() == [12.0, 48.0, 9.0, 180.0]


class TestMarkToMarket:
    """Rule 8."""

    BARS = (
        bar(12000, settle=12010),
        bar(12020, settle=12050),
        bar(12060, settle=12080),
        bar(12100, settle=12030),
    )

    @pytest.mark.parametrize("side", [1, -1])
    def test_opened_held_and_closed(self, side):
        result = one(self.BARS, [2 * side, None, 0])
        # settle − fill, settle − previous settle, fill − previous settle; two lots of 5 t
        assert statement(result, "mtm") == [0, 300 * side, 300 * side, 200 * side]
        assert statement(result, "closed_pnl") == [0, 0, 0, 200 * side]
        assert statement(result, "held_pnl") == [0, 300 * side, 300 * side, 0]

    def test_equity_carries_over(self):
        table = one(self.BARS, [2, None, 0], terms={"fee": 1e-4}).statement
        assert (table["previous"] + table["mtm"] - table["fees"]).tolist() == pytest.approx(
            table["equity"].tolist(), abs=0.001
        )
        assert table["previous"].tolist()[1:] == table["equity"].tolist()[:-1]

    def test_it_is_at_settlement_and_not_at_the_close(self):
        result = one([12000, flat(12000, close=12100, settle=12040)], [1])
        assert statement(result, "mtm") == [0, 200]

    def test_without_a_bar_lots_stay_at_the_last_known_settlement(self):
        result = one([12000, 12000, 12100, None, 12050], [1])
        assert statement(result, "mtm") == [0, 0, 500, 0, -250]
        assert statement(result, "margin") == [0, 6000, 6050, 6050, 6025]
        assert any("1 contract-days without a bar" in said for said in result.warnings)

    def test_a_lot_is_five_tonnes(self):
        assert one([12000, 12000, 12001], [1]).metrics["net"] == 5.0


class TestMargin:
    """Rule 9."""

    def test_it_is_of_the_settlement(self):
        result = one([12000, flat(12000, settle=12300), 12500], [2])
        assert statement(result, "margin") == [0, 12300, 12500]

    def test_it_is_at_the_rate_in_force_at_that_settlement(self):
        panel = market(si2408=[12000] * 4)
        rate = by_session(panel, [0.1, 0.1, 0.12, 0.12])
        result = simulate(panel, [1], ONE, terms={"margin": rate})
        assert statement(result, "margin") == [0, 6000, 7200, 7200]

    def test_the_broker_adds_points(self):
        result = one([12000] * 2, [1], account={"broker_margin": 0.05})
        assert statement(result, "margin") == [0, 9000]

    def test_both_legs_are_margined(self):
        result = pair([12000] * 2, [13000] * 2, [-2])
        assert statement(result, "margin")[1] == 12000 + 13000

    def test_it_is_rounded_by_contract(self):
        # 12,005 × 5 × 0.0777 = 4,663.9425 and 12,015 × 5 × 0.0777 = 4,667.8275
        result = pair([12005] * 2, [12015] * 2, [1], terms={"margin": 0.0777})
        assert statement(result, "margin")[1] == pytest.approx(4663.94 + 4667.83, abs=0.001)

    def test_relief_frees_the_cheaper_of_two_opposite_legs(self):
        result = pair([12000] * 2, [13000] * 2, [-2], account={"spread_relief": True})
        assert statement(result, "margin")[1] == 13000

    def test_relief_frees_matched_lots_only(self):
        result = pair([12000] * 2, [13000] * 2, [3], UNEVEN, account={"spread_relief": True})
        # 6 near, 3 far: three lots match, and the near's three are the cheaper.
        assert statement(result, "margin")[1] == 6 * 6000 + 3 * 6500 - 3 * 6000

    def test_relief_is_not_for_two_legs_of_one_side(self):
        result = pair([12000] * 2, [13000] * 2, [1], {"si2408": 1, "si2409": 1},
                      account={"spread_relief": True})
        assert statement(result, "margin")[1] == 12500

    def test_relief_is_not_for_three_legs(self):
        panel = market(si2408=[12000] * 2, si2409=[12000] * 2, si2410=[12000] * 2)
        result = simulate(panel, [1], {"si2408": 1, "si2409": -2, "si2410": 1},
                          account={"spread_relief": True})
        assert statement(result, "margin")[1] == 24000

    def test_the_opening_test_knows_no_relief(self):
        result = pair([12000] * 2, [12000] * 2, [10],
                      account={"capital": 60_000, "spread_relief": True})
        assert units(result)[-1] == 5


class TestOpeningTest:
    """Rule 10, what may be opened."""

    def test_it_is_at_the_rate_of_the_previous_settlement(self):
        panel = market(si2408=[12000] * 2)
        rate = by_session(panel, [0.10, 0.20])
        result = simulate(panel, [5], ONE, terms={"margin": rate}, account={"capital": 30_000})
        assert units(result) == [0, 5]
        assert statement(result, "margin_call") == [0, 30_000]

    def test_new_lots_are_margined_at_the_fill_price(self):
        result = one([12000, flat(12000, open=12500, close=12500)], [5],
                     account={"capital": 30_000})
        assert units(result)[-1] == 4

    def test_the_opening_fee_counts(self):
        bars = [12000] * 2
        assert units(one(bars, [5], account={"capital": 30_000}))[-1] == 5
        fee = {"terms": {"fee": 1e-4}}
        assert units(one(bars, [5], account={"capital": 30_029.99}, **fee))[-1] == 4
        assert units(one(bars, [5], account={"capital": 30_030}, **fee))[-1] == 5

    def test_held_lots_count_at_the_previous_settlement(self):
        bars = [12000, flat(12000, settle=10000), 12000]
        # Five lots bought at 12,000 are worth 50,000 less; they tie 25,000 of 50,000.
        result = one(bars, [5, 20], account={"capital": 100_000})
        assert units(result) == [0, 5, 9]

    def test_todays_profit_opens_nothing(self):
        result = one([12000, flat(12000, settle=14000), 12000], [10], account={"capital": 30_000})
        # 5 lots earn 50,000 by the first settlement, which carries the rest a day later.
        assert units(result) == [0, 5, 10]

    def test_a_wish_for_fewer_lots_needs_no_margin(self):
        result = one([12000, 12000, 11000, 12000], [10, None, 9], account={"capital": 120_000})
        assert units(result) == [0, 10, 10, 9]


class TestMarginCall:
    """Rule 10, what a call closes."""

    # Ten lots at 12,000 with 66,000 yuan: at 11,800 equity is 56,000 and carries nine.
    CALL = (12000, 12000, 11800)

    def test_available_below_zero_is_a_call(self):
        result = one([*self.CALL, 11800], [10], account=SMALL)
        assert statement(result, "available")[2] == -3000
        assert statement(result, "margin_call")[2] == 3000
        assert result.metrics["margin_calls"] == 1
        assert result.metrics["largest_call"] == 3000

    def test_the_fewest_lots_close_at_the_next_fill_price(self):
        result = one([*self.CALL, 11800, 11800], [10], account=SMALL, slippage=1)
        assert fills(result)[1:] == [(3, "si2408", "close", -1, 11795.0)]
        assert result.fills["reason"].tolist() == ["signal", "margin call"]

    def test_they_are_counted_at_the_settlement_of_the_call(self):
        # The next open has fallen further; one lot still goes, and a new call follows.
        result = one([*self.CALL, 11700, 11700], [10], account=SMALL)
        assert [row[3] for row in fills(result)[1:]] == [-1, -1]
        assert statement(result, "margin_call")[3] > 0

    def test_whole_units_of_a_pair_close(self):
        near, far = [12000, 12000, 11800, 11800], [12000] * 4
        result = pair(near, far, [5], account={"capital": 63_000})
        # Equity 58,000 against 59,500: one pair of 11,900 goes.
        assert fills(result)[2:] == [
            (3, "si2408", "close", -1, 11800.0),
            (3, "si2409", "close", 1, 12000.0),
        ]

    def test_what_was_cut_is_not_bought_back_while_the_wish_stands(self):
        result = one([*self.CALL, 12500, 12500, 12500], [10], account=SMALL)
        assert units(result) == [0, 10, 10, 9, 9, 9]

    def test_a_wish_changed_on_the_evening_of_the_call_is_bounded(self):
        result = one([*self.CALL, 12500, 12500, 12500], [10, None, 20], account=SMALL)
        assert units(result) == [0, 10, 10, 9, 9, 9]

    def test_a_smaller_wish_of_that_evening_is_an_ordinary_order(self):
        result = one([*self.CALL, 11800], [10, None, 4], account=SMALL)
        assert result.fills["reason"].tolist() == ["signal", "signal"]
        assert units(result)[-1] == 4

    def test_a_reversal_of_that_evening_is_bounded(self):
        result = one([*self.CALL, 11800], [10, None, -20], account=SMALL)
        assert fills(result)[1] == (3, "si2408", "close", -10, 11800.0)
        assert units(result)[-1] == -9

    def test_a_later_change_lifts_the_bound(self):
        result = one([*self.CALL, 12500, 12500, 12500], [10, None, None, None, 11],
                     account=SMALL)
        assert units(result) == [0, 10, 10, 9, 9, 11]

    def test_a_newer_call_replaces_a_pending_cut(self):
        locked = flat(11400, volume=0)
        result = one([*self.CALL, locked, 11400], [10], account=SMALL)
        # 36,000 left at 11,400 carry six lots, not nine.
        assert units(result) == [0, 10, 10, 10, 6]
        assert shortfalls(result) == [(3, "si2408", -1, 0, "no trade")]

    def test_a_pending_cut_waits_for_a_session_that_trades(self):
        result = one([*self.CALL, None, 11800], [10], account=SMALL)
        assert units(result) == [0, 10, 10, 10, 9]

    def test_a_deposit_restores_the_margin_that_evening(self):
        result = one([*self.CALL, 11800], [10], account={**SMALL, "on_call": "deposit"})
        assert statement(result, "deposit") == [0, 0, 3000, 0]
        assert statement(result, "equity")[2] == statement(result, "margin")[2] == 59_000
        assert statement(result, "margin_call")[2] == 3000
        assert units(result)[-1] == 10
        assert result.metrics["net"] == -10_000
        assert result.metrics["deposits"] == 3000

    def test_the_next_return_is_over_equity_with_the_deposit(self):
        result = one([*self.CALL, 11859], [10], account={**SMALL, "on_call": "deposit"})
        assert result.returns.tolist()[1] == pytest.approx(-10_000 / 66_000)
        assert result.returns.tolist()[2] == pytest.approx(2950 / 59_000)


class TestBust:
    """Rule 10, the end."""

    BARS = (12000, 12000, 10000, 15000, 15000)

    @pytest.mark.parametrize("answer", ["cut", "deposit"])
    def test_equity_at_or_below_zero_ends_the_run(self, answer):
        result = one(self.BARS, [6, None, None, 0, 5],
                     account={"capital": 60_000, "on_call": answer})
        assert statement(result, "equity")[2:] == [0, 0, 0]
        assert fills(result)[1:] == [(2, "si2408", "close", -6, 10000.0)]
        assert result.fills["reason"].iloc[-1] == "bust"
        assert result.bust == result.statement.index[2]
        assert units(result)[2:] == [0, 0, 0]
        assert statement(result, "deposit") == [0] * 5

    def test_its_lots_close_at_that_settlement_with_the_closing_fee(self):
        result = one(self.BARS, [6], terms={"fee": 1e-4}, account={"capital": 60_036})
        # Equity of −0 after the opening fee of 36: closing costs another 30.
        assert statement(result, "fees")[2] == 30.0
        assert statement(result, "equity")[2:] == [-30.0] * 3

    def test_later_returns_are_zero_and_the_reader_is_told(self):
        result = one(self.BARS, [6], account={"capital": 60_000})
        assert result.returns.tolist() == [0, -1, 0, 0]
        assert "the account was bust on 2024-03-06; the run ends there" in result.warnings
        assert result.metrics["bust"] == "2024-03-06"


class TestExitByDate:
    """Rule 11."""

    def late(self, kind, first="2024-07-29", count=5, code="si2408", **how):
        return simulate(market(first, **{code: [12000] * count}), [3], {code: 1},
                        account={"kind": kind}, **how)

    def test_a_natural_person_leaves_in_the_last_session_before_the_month(self):
        result = self.late("individual")
        ((*_,), (when, *rest)) = fills(result)
        assert f"{result.statement.index[when]:%Y-%m-%d}" == "2024-07-31"
        assert rest == ["si2408", "close", -3, 12000.0]
        assert result.fills["reason"].iloc[-1] == "exit date"

    @pytest.mark.parametrize("kind", ["company", "hedger"])
    def test_a_company_leaves_in_the_session_of_the_last_trading_day(self, kind):
        assert units(self.late(kind))[-1] == 3
        result = self.late(kind, "2024-08-12")
        assert f"{result.fills['session'].iloc[-1]:%Y-%m-%d}" == "2024-08-14"

    def test_all_paired_legs_leave_together(self):
        panel = market("2024-07-29", si2408=[12000] * 5, si2409=[12000] * 5)
        result = simulate(panel, [3], PAIR, account={"kind": "individual"})
        assert units(result) == [0, 3, 0, 0, 0]

    def test_legged_only_the_expiring_leg_leaves(self):
        panel = market("2024-07-29", si2408=[12000] * 5, si2409=[12000] * 5)
        result = simulate(panel, [3], PAIR, account={"kind": "individual"}, pairing="legged")
        assert fills(result)[2:] == [(2, "si2408", "close", -3, 12000.0)]

    def test_slippage_is_paid_on_the_way_out(self):
        assert fills(self.late("individual", slippage=1))[-1][-1] == 11995.0

    def test_a_locked_session_lets_go_at_settlement(self):
        down = 11160
        bars = [12000, 12000, flat(down), flat(down)]
        result = simulate(market("2024-07-29", si2408=bars), [3], ONE, slippage=1,
                          account={"kind": "individual"}, terms={"price_limit": 0.07})
        assert fills(result)[-1] == (2, "si2408", "close", -3, 11160.0)
        assert result.fills["reason"].iloc[-1] == "exit date, at settlement"
        assert shortfalls(result)[0] == (2, "si2408", -3, 0, "limit")
        assert any("si2408 could not be closed on 2024-07-31" in s for s in result.warnings)

    def test_what_the_cap_left_lets_go_at_settlement(self):
        bars = [12000, 12000, flat(12000, settle=12040, volume=20), 12000]
        result = simulate(market("2024-07-29", si2408=bars), [3], ONE, participation=0.1,
                          account={"kind": "individual"})
        assert fills(result)[1:] == [
            (2, "si2408", "close", -2, 12000.0),
            (2, "si2408", "close", -1, 12040.0),
        ]

    def test_without_a_bar_it_lets_go_at_the_last_known_settlement(self):
        bars = [12000, flat(12000, settle=12100), None, 12500]
        result = simulate(market("2024-07-29", si2408=bars), [3], ONE,
                          account={"kind": "individual"})
        assert fills(result)[-1] == (2, "si2408", "close", -3, 12100.0)

    def test_a_wish_it_may_not_hold_is_refused_with_its_reason(self):
        result = self.late("individual")
        assert shortfalls(result) == [
            (3, "si2408", 3, 0, "delivery month"),
            (4, "si2408", 3, 0, "delivery month"),
        ]


class TestRoll:
    """Rule 12."""

    def roll(self, old, new, wishes=(4,), codes=("si2408", None, "si2409"), **how):
        panel = market(si2408=old, si2409=new)
        return simulate(panel, list(wishes), {"si": (list(codes), 1)}, **how)

    def test_the_old_closes_and_the_new_opens_in_one_session(self):
        result = self.roll([12000] * 4, [12200] * 4)
        assert fills(result)[1:] == [
            (3, "si2408", "close", -4, 12000.0),
            (3, "si2409", "open", 4, 12200.0),
        ]
        assert result.fills["reason"].tolist() == ["signal", "roll", "roll"]
        assert result.metrics["net"] == 0

    def test_as_many_lots_as_both_can_take_the_rest_the_next_session(self):
        thin = flat(12200, volume=30)
        result = self.roll([12000] * 5, [thin] * 5, participation=0.1)
        assert [row[:4] for row in fills(result)[1:]] == [
            (3, "si2408", "close", -3),
            (3, "si2409", "open", 3),
            (4, "si2408", "close", -1),
            (4, "si2409", "open", 1),
        ]
        assert shortfalls(result) == [(3, "si2408", -4, -3, "volume")]

    def test_it_needs_no_margin(self):
        # What is held takes all the equity; the dearer contract then brings a call.
        result = self.roll([12000] * 4, [15000] * 4, account={"capital": 24_000})
        assert result.positions.iloc[-1][["contract", "lots"]].tolist() == ["si2409", 4]
        assert statement(result, "margin_call")[-1] == 6000

    def test_a_roll_that_cannot_enter_stays(self):
        result = self.roll([12000] * 5, [12200, 12200, 12200, None, 12200])
        assert shortfalls(result) == [(3, "si2408", -4, 0, "no trade")]
        assert units(result) == [0, 4, 4, 4, 4]

    def test_it_is_one_round_trip(self):
        result = self.roll([12000] * 6, [12200] * 6, (4, None, None, None, 0))
        assert len(result.round_trips) == 1
        assert result.round_trips["exit"].notna().all()

    def test_lots_fewer_by_the_wish_leave_the_old_contract_first(self):
        thin = flat(12200, volume=10)
        result = self.roll([12000] * 6, [thin] * 6, (4, None, None, 2), participation=0.1)
        # One lot rolls; then two close in the old contract and the last of it rolls.
        assert [row[:4] for row in fills(result)[1:]] == [
            (3, "si2408", "close", -1),
            (3, "si2409", "open", 1),
            (4, "si2408", "close", -2),
            (4, "si2408", "close", -1),
            (4, "si2409", "open", 1),
        ]

    def cross(self, **how):
        panel = market("2024-06-03", si2411=[12000] * 4, si2412=[14000] * 4)
        return simulate(panel, [4], {"si": (["si2411", None, "si2412"], 1)}, **how)

    def test_two_delivery_standards_are_two_goods(self):
        with pytest.raises(StrategyError, match=r"from si2411 into si2412 after 2024-06-05.*flat"):
            self.cross()

    def test_a_flag_lets_it_cross(self):
        result = self.cross(cross_standard=True)
        assert result.fills["contract"].tolist() == ["si2411", "si2411", "si2412"]

    def test_a_flat_leg_may_cross(self):
        panel = market("2024-06-03", si2411=[12000] * 5, si2412=[14000] * 5)
        result = simulate(panel, [4, 0, 0, 4], {"si": (["si2411", None, "si2412"], 1)})
        assert result.fills["contract"].tolist() == ["si2411", "si2411", "si2412"]


class TestMissingSettlement:
    """Rule 13."""

    def test_it_is_an_error_that_names_the_dates(self):
        bars = [12000, flat(12000, settle=None), flat(12000, settle=None), 12000]
        expected = r"si2408 2024-03-05, si2408 2024-03-06.*settle_from='close'"
        with pytest.raises(DataError, match=expected):
            one(bars, [1])

    def test_before_the_first_wish_it_does_not_matter(self):
        result = one([flat(12000, settle=None), 12000, 12000], [0, 1])
        assert units(result) == [0, 0, 1]


class TestReversal:
    """A wish of the other sign is closed first; nothing opens until all is flat."""

    def test_a_partial_close_opens_nothing(self):
        thin = flat(12000, volume=20)
        result = one([12000, 12000, thin, thin, 12000], [-3, 3], participation=0.1)
        assert units(result) == [0, -3, -1, 1, 3]
        assert [row[2] for row in fills(result)] == ["open", "close", "close", "open", "open"]

    def test_it_ends_one_round_trip_and_begins_the_next(self):
        result = one([12000] * 4, [-3, 2, 0])
        assert result.round_trips["units"].tolist() == [-3.0, 2.0]


class TestReturns:
    """Rule 14."""

    BARS = (12000, 12000, flat(12000, settle=11900), flat(12000, settle=12100), 12100)

    def test_they_begin_in_the_session_after_the_first_wish(self):
        result = one(self.BARS, [0, 10], account={"capital": 100_000})
        assert result.returns.tolist() == pytest.approx([-0.05, 10_000 / 95_000, 0])
        assert result.returns.index[0] == result.statement.index[2]

    def test_they_count_from_the_session_after_the_idea_became_known(self):
        result = one(self.BARS, [0, 0, 10], known_from="2024-03-04")
        assert result.returns.index[0] == result.statement.index[1]
        assert len(result.returns) == 4

    def test_a_loss_on_the_first_day_is_a_drawdown(self):
        result = one(self.BARS, [0, 10], account={"capital": 100_000})
        assert result.metrics["max_drawdown"] == pytest.approx(-0.05)
        assert result.metrics["max_drawdown_yuan"] == -5000

    def test_fees_are_taken_off(self):
        result = one([12000, 12000], [10], account={"capital": 100_000}, terms={"fee": 1e-4})
        assert result.returns.tolist() == pytest.approx([-60 / 100_000])

    def test_without_a_wish_there_are_returns_of_zero(self):
        result = one([12000] * 4, [0])
        assert result.returns.tolist() == [0, 0, 0]
        assert result.metrics["round_trips"] == 0
        assert result.metrics["sharpe"] is None
