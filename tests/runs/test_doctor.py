"""Each diagnosis: a run in which it is true, with its figures worked by hand, and one without."""

import json

import numpy as np
import pandas as pd
import pytest

import sibt
from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.language import ZH, Sentence
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market
from sibt.runs.doctor import Diagnosis, diagnose
from sibt.runs.run import run
from sibt.runs.save import figures, manifest
from sibt.strategy.strategy import Comparison, Param, Strategy

#: The delivery month of si2410 begins with the 92nd session, and it lives until 2024-10-21.
DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2024-05-21"][:110]
PLAIN = {"margin": 0.10, "fee": 0.0, "price_limit": 1}
FREE = {"slippage": 0, "participation": None}


class Plan(Strategy):
    """Wish what it was given, session by session; nothing after that."""

    kind = "company"

    def __init__(self, units, code="si2410", limits=None, known=None):
        self.given, self.code, self.resting, self.known = units, code, limits, known

    def known_from(self, p):
        return self.known

    def legs(self, market, p):
        return {self.code: 1}

    def units(self, market, p):
        wish = pd.Series(0.0, index=market.sessions)
        given = self.given[: len(wish)]
        wish.iloc[: len(given)] = given
        if self.resting is None:
            return wish
        return wish, pd.Series(float(self.resting), index=market.sessions)


def panel(prices, volume=1e6, code="si2410"):
    """Return a market of flat bars, one a price."""
    price = np.asarray(prices, float)[:, None]
    lots = np.broadcast_to(np.asarray(volume, float), len(price))[:, None].copy()
    return Market(
        sessions=DAYS[: len(price)],
        contracts=(code,),
        **{name: price.copy() for name in FIELDS[:5]},
        volume=lots,
        open_interest=np.full(price.shape, 1e6),
        spot=pd.DataFrame(index=DAYS[: len(price)]),
        receipts=pd.Series(np.nan, index=DAYS[: len(price)]),
    )


def done(prices, units, *, volume=1e6, code="si2410", limits=None, known=None, terms=PLAIN,
         execution=None, **how):  # fmt: skip
    strategy = units if isinstance(units, Strategy) else Plan(units, code, limits, known)
    execution = Execution(**(FREE | (execution or {})))
    return run(strategy, panel(prices, volume, code), execution=execution, terms=terms,
               check=False, **how)  # fmt: skip


def names(one):
    return [found.name for found in one.diagnosis]


def of(one, name) -> Diagnosis:
    (found,) = [found for found in one.diagnosis if found.name == name]
    return found


#: Ten lots for eight sessions at prices that go up by a hundred: 10 × 5 t × 100 each.
STEADY = [12000 + 100 * n for n in range(30)]


# -- Nothing held -----------------------------------------------------------------------------


class TestNothingHeld:
    def test_a_strategy_that_wishes_for_nothing_is_told_so(self):
        one = done([12000] * 5, [0])
        assert names(one) == ["nothing_held"]
        found = of(one, "nothing_held")
        assert found.issue == "no position was ever held: the strategy wished for none"
        assert found.figures == {"orders": 0}

    def test_orders_that_never_filled_are_counted_with_what_to_do(self):
        one = done([12000] * 5, [3, 3], volume=0)
        found = of(one, "nothing_held")
        assert found.figures == {"orders": 2, "reason": "no trade"}
        assert found.cure == "take a contract that trades in every session"
        assert "unfilled" not in names(one)

    def test_an_idea_of_after_the_market_takes_the_place_of_the_note(self):
        one = done([12000] * 5, [0], known="2025-01-02")
        found = of(one, "nothing_held")
        assert found.issue.startswith("nothing could be traded: the idea is known from 2025-01-02")
        assert found.issue in one.notes
        assert found.issue not in one.warnings

    def test_a_run_that_held_something_has_none(self):
        assert "nothing_held" not in names(done(STEADY, [1] * 3))


# -- Margin -----------------------------------------------------------------------------------


class TestMargin:
    # 10 lots × 5 t × 12,000 = 600,000 yuan: margin 60,000, at a broker's 90,000.
    FLAT = [12000] * 12

    def test_margin_near_equity_at_a_brokers_rates_is_told_with_the_capital_it_takes(self):
        one = done(self.FLAT, [10] * 8, capital=80_000)
        found = of(one, "margin")
        assert found.figures == {
            "highest_risk": 0.75, "on": "2024-05-22", "at_broker": 1.125,
            "at_broker_on": "2024-05-22", "margin_calls": 0, "largest_call": 0.0,
            "capital": 120_000,  # 90,000 / 0.8 = 112,500
        }  # fmt: skip
        assert "75%" in found.issue
        assert "112%" in found.issue

    def test_the_capital_it_names_is_enough(self):
        one = done(self.FLAT, [10] * 8, capital=120_000)
        assert "margin" not in names(one)

    def test_it_names_no_capital_where_lots_were_cut_or_never_held(self):
        cut = of(done([12000, 12000, 12600, 12600], [-10] * 3, capital=80_000), "margin")
        short = of(done(self.FLAT, [20] * 8, capital=80_000), "margin")
        for found in (cut, short):
            assert found.figures["capital"] is None
            assert found.cure == "trade fewer units, or give more --capital"

    def test_it_names_no_capital_to_one_that_sizes_by_it(self):
        class Sized(Plan):
            def units(self, market, p):
                return super().units(market, p) * (p.capital // 8_000)

        for capital in (80_000, 160_000):
            found = of(done(self.FLAT, Sized([1] * 8), capital=capital), "margin")
            assert found.figures["capital"] is None
            assert "more of it takes more margin" in found.cure

    def test_a_share_of_four_fifths_is_near_enough(self):
        assert "margin" in names(done(self.FLAT, [10] * 8, capital=75_000,
                                      account=Account(broker_margin=0.05, kind="company"),
                                      terms=PLAIN | {"margin": 0.05}))  # fmt: skip
        assert "margin" not in names(done(self.FLAT, [10] * 8, capital=76_000,
                                          account=Account(broker_margin=0.05, kind="company"),
                                          terms=PLAIN | {"margin": 0.05}))  # fmt: skip

    def test_a_margin_call_is_told_with_its_size(self):
        # Short 10 from 12,000; at 12,600 equity is 50,000 and margin 63,000.
        one = done([12000, 12000, 12600, 12600], [-10] * 3, capital=80_000)
        found = of(one, "margin")
        assert found.issue == "margin calls: 1, the largest of 13,000 yuan"
        assert (found.figures["margin_calls"], found.figures["largest_call"]) == (1, 13_000.0)

    def test_money_paid_in_is_no_gain(self):
        one = done([12000, 12000, 12600, 12600], [-10] * 3, capital=80_000,
                   account=Account(on_call="deposit", kind="company"))  # fmt: skip
        # 63,000 + 31,500 at a broker's, 30,000 lost: 94,500 / 0.8 + 30,000 = 148,125.
        assert of(one, "margin").figures["capital"] == 150_000

    def test_a_bust_account_takes_the_place_of_the_warning(self):
        one = done([12000, 12000, 14000, 14000], [-10] * 3, capital=80_000)
        found = of(one, "margin")
        assert found.issue == "the account was bust on 2024-05-23; the run ends there"
        assert found.issue in one.result.warnings
        assert found.issue not in one.warnings
        assert names(one)[0] == "margin"

    def test_a_large_account_has_none(self):
        assert "margin" not in names(done(self.FLAT, [10] * 8))


# -- Orders and the market --------------------------------------------------------------------


class TestUnfilled:
    def test_lots_missing_are_counted_session_by_session(self):
        # Two lots a session of ten wished for: 8, 6, 4 and 2 are missing, of 10 × 10.
        one = done([12000] * 20, [10] * 10, volume=[20] * 7 + [1e6] * 13,
                   execution={"participation": 0.1})  # fmt: skip
        found = of(one, "unfilled")
        assert found.figures == {"orders": 4, "share": 0.2, "reason": "volume"}
        assert "20%" in found.issue
        assert "--participation" in found.cure

    def test_a_few_are_none(self):
        # The same 20 of 10 × 60.
        one = done([12000] * 70, [10] * 60, volume=[20] * 7 + [1e6] * 63,
                   execution={"participation": 0.1})  # fmt: skip
        assert len(one.result.unfilled) == 4
        assert "unfilled" not in names(one)

    @pytest.mark.parametrize(("sessions", "told"), [(40, True), (41, False)])
    def test_a_twentieth_is_not_a_few(self, sessions, told):
        # 20 of 400 and of 410.
        one = done([12000] * 50, [10] * sessions, volume=[20] * 7 + [1e6] * 43,
                   execution={"participation": 0.1})  # fmt: skip
        assert ("unfilled" in names(one)) == told

    def test_an_order_that_waits_at_its_price_is_none(self):
        one = done([12000] * 8 + [11000] * 4, [5] * 10, limits=11500)
        assert (one.result.unfilled["reason"] == "price not reached").all()
        assert len(one.result.unfilled) == 8  # of ten sessions; and the way out waits too
        assert len(one.result.fills) > 0
        assert "unfilled" not in names(one)

    def test_the_other_leg_is_no_reason_of_its_own(self):
        class Pair(Plan):
            def legs(self, market, p):
                return {"si2410": 2, "si2411": -1}

        one = panel(STEADY[:12])
        both = {name: np.repeat(getattr(one, name), 2, axis=1) for name in FIELDS}
        both["volume"][:, 1] = [0] * 5 + [1e6] * 7
        market = Market(sessions=one.sessions, contracts=("si2410", "si2411"), **both,
                        spot=one.spot, receipts=one.receipts)  # fmt: skip
        ran = run(Pair([5] * 10), market, execution=Execution(**FREE), terms=PLAIN, check=False)
        assert set(ran.result.unfilled["reason"]) == {"pair", "no trade"}
        assert of(ran, "unfilled").figures["reason"] == "no trade"


class TestThin:
    def test_a_large_share_of_the_volume_is_told(self):
        # Ten of a hundred lots in, ten of a million out.
        one = done(STEADY, [10] * 8, volume=[100] * 5 + [1e6] * 25)
        found = of(one, "thin")
        assert found.figures == {"fills": 2, "large": 1, "lots": 0.5, "largest": 0.1,
                                 "contract": "si2410", "on": "2024-05-22"}  # fmt: skip
        assert found.cure.endswith("--participation 0.02 --slippage 2")

    def test_a_twentieth_is_none_and_more_is(self):
        for volume, there in ((200, False), (199, True)):
            one = done(STEADY, [10] * 8, volume=volume)
            assert ("thin" in names(one)) is there

    def test_one_large_fill_of_many_is_none(self):
        wish = [10, 0] * 6 + [1, 0, 0]
        one = done(STEADY, wish, volume=[1e6] * 13 + [10] + [1e6] * 16)
        shares = one.result.fills["lots"].iloc[-2] / 10
        assert shares == 0.1
        assert "thin" not in names(one)

    def test_lots_a_bust_account_lost_at_settlement_took_no_volume(self):
        one = done([12000, 12000, 14000, 14000], [-10] * 3, capital=80_000,
                   volume=[1e6, 1e6, 20, 1e6])  # fmt: skip
        assert set(one.result.fills["reason"]) == {"signal", "bust"}
        assert "thin" not in names(one)

    def test_an_unknown_volume_is_not_taken_for_a_thin_one(self):
        one = done(STEADY, [10] * 8, volume=np.nan)
        assert "thin" not in names(one)


class TestUnknownVolume:
    def test_it_takes_the_place_of_the_warning(self):
        one = done(STEADY, [10] * 8, volume=[np.nan] * 5 + [1e6] * 25)
        found = of(one, "unknown_volume")
        assert found.issue == "1 of 2 fills are on sessions of unknown volume, uncapped"
        assert found.figures == {"unknown": 1, "all": 2}
        assert found.issue in one.result.warnings
        assert found.issue not in one.warnings

    def test_known_volume_has_none(self):
        assert "unknown_volume" not in names(done(STEADY, [10] * 8))


# -- Costs ------------------------------------------------------------------------------------


class TestCosts:
    def test_a_gain_that_a_tick_takes_is_told_with_the_ticks_it_bears(self):
        # 5 yuan on 50 t; a tick of 5 yuan on 50 t, in and out, takes twice as much.
        one = done([12000] * 5 + [12005] * 5, [10] * 6)
        found = of(one, "costs")
        assert found.figures == {"net": 250.0, "one_more_tick": 500.0, "broker_fees_more": 0.0,
                                 "fees_and_slippage": 0.0, "break_even_ticks": 0.5}  # fmt: skip
        assert "--slippage 1 " in found.cure

    @pytest.mark.parametrize("ticks", [1, 2, 5])
    def test_one_more_tick_costs_what_it_says(self, ticks):
        plain = done([12000] * 5 + [12005] * 5, [10] * 6)
        more = done([12000] * 5 + [12005] * 5, [10] * 6, execution={"slippage": ticks})
        lost = plain.result.metrics["net"] - more.result.metrics["net"]
        assert lost == ticks * of(plain, "costs").figures["one_more_tick"]

    def test_a_gain_that_a_brokers_fees_take_is_told(self):
        # 60 yuan to open and 60.02 to close, and as much again at a broker's.
        one = done([12000] * 5 + [12004] * 5, [10] * 6, terms=PLAIN | {"fee": 1e-4},
                   limits=None, execution={"slippage": 0})  # fmt: skip
        found = of(one, "costs")
        assert found.figures["net"] == 79.98
        assert found.figures["broker_fees_more"] == 120.02

    def test_a_brokers_fees_may_take_a_gain_that_a_tick_leaves(self):
        # 2,000 yuan on 50 t less fees of 600 and 602: a tick takes 500 of it, fees as much again.
        one = done([12000] * 5 + [12040] * 5, [10] * 6, terms=PLAIN | {"fee": 1e-3})
        figures = of(one, "costs").figures
        assert figures["one_more_tick"] < figures["net"] < figures["broker_fees_more"]

    def test_a_loss_that_costs_made_is_told(self):
        one = done([12000] * 5 + [12005] * 5, [10] * 6, execution={"slippage": 1})
        found = of(one, "costs")
        assert found.issue == "costs made the loss: +250 yuan before 500 of fees and slippage"
        assert found.figures["break_even_ticks"] == 0.5

    def test_a_large_gain_and_a_real_loss_have_none(self):
        assert "costs" not in names(done(STEADY, [10] * 8))
        assert "costs" not in names(done(STEADY, [-10] * 8, execution={"slippage": 1}))

    def test_a_resting_order_pays_no_tick(self):
        # The same 250 yuan, but in and out by a limit: nothing is worked at the market.
        one = done([12000] * 5 + [12005] * 5, [10] * 6, limits=12000)
        assert one.result.metrics["net"] == 250.0
        assert "costs" not in names(one)


# -- Events -----------------------------------------------------------------------------------


class TestOneTrip:
    def test_a_single_trip_is_the_whole_result(self):
        one = done(STEADY, [10] * 8)
        found = of(one, "one_trip")
        assert found.issue == "one round trip is the whole result"
        assert found.figures == {"round_trips": 1, "entry": "2024-05-22", "rest": 0.0}

    def test_what_to_do_depends_on_whether_it_is_held_against_something(self):
        class Compared(Plan):
            def comparisons(self, market, p):
                return [Comparison("again", "control", {})]

        assert "comparisons()" in of(done(STEADY, [10] * 8), "one_trip").cure
        assert "held against" in of(done(STEADY, Compared([10] * 8)), "one_trip").cure

    def test_a_trip_without_which_the_sign_turns_is_named(self):
        # Up 4 × 5,000, then short while it goes up by one: −5,000.
        one = done(STEADY, [10] * 4 + [0] * 3 + [-10])
        found = of(one, "one_trip")
        assert found.figures == {"round_trips": 2, "entry": "2024-05-22", "rest": -5000.0}
        assert "one of 2 round trips" in found.issue

    def test_a_loss_that_one_trip_made_is_told_alike(self):
        one = done(STEADY, [-10] * 4 + [0] * 3 + [10])
        assert of(one, "one_trip").figures["rest"] == 5000.0

    def test_two_trips_that_both_gained_have_none(self):
        assert "one_trip" not in names(done(STEADY, [10] * 4 + [0] * 3 + [10] * 2))


class TestFewDays:
    @staticmethod
    def path(moves):
        return np.concatenate([[12000, 12000], 12000 + np.cumsum(moves)])

    def test_the_days_without_which_the_sign_turns_are_named(self):
        # 14 sessions of +5 or −5 that cancel out, and two of +100: 10 × 5 t × 200.
        moves = [5, -5, 100, 5, -5, 5, -5, 100, 5, -5, 5, -5, 5, -5, 5, -10]
        one = done(self.path(moves), [10] * 17)
        found = of(one, "few_days")
        # Held from the second session on; the last wish is for nothing, in at 12,195.
        assert found.figures == {"days": ["2024-05-27", "2024-06-03"], "of": 17, "rest": -250.0}
        assert "the best of 17 sessions" in found.issue

    def test_a_loss_is_told_by_its_worst_days(self):
        moves = [-5, 5, -100, -5, 5, -5, 5, -100, -5, 5, -5, 5, -5, 5, -5, 10]
        found = of(done(self.path(moves), [10] * 17), "few_days")
        assert found.figures["rest"] == 250.0
        assert "the worst of" in found.issue

    def test_a_steady_gain_has_none(self):
        assert "few_days" not in names(done(STEADY, [10] * 20))

    def test_a_gain_of_few_sessions_has_none(self):
        assert "few_days" not in names(done(STEADY, [10] * 6))


# -- The end of a contract --------------------------------------------------------------------


class TestLeftLate:
    LONG = [12000] * 100
    LAST = int(DAYS.searchsorted(sibt.contract("si2410").last_natural))

    def test_lots_closed_by_date_are_counted(self):
        one = done(self.LONG, [4] * 100, kind="individual")
        found = of(one, "left_late")
        assert found.figures == {"at_settlement": 0, "by_date": 4, "in_delivery_month": 0,
                                 "contracts": "si2410"}  # fmt: skip
        assert f"{DAYS[self.LAST]:%Y-%m-%d}" in found.issue
        assert "not by the strategy" in found.issue

    def test_an_exit_a_session_earlier_has_none(self):
        one = done(self.LONG, [4] * (self.LAST - 2), kind="individual")
        assert one.result.fills["session"].iloc[-1] == DAYS[self.LAST - 1]
        assert "left_late" not in names(one)

    def test_lots_that_left_at_a_settlement_take_the_place_of_the_warning(self):
        volume = np.full(100, 1e6)
        volume[self.LAST] = 0
        one = done(self.LONG, [4] * 100, volume=volume, kind="individual")
        found = of(one, "left_late")
        assert (found.figures["at_settlement"], found.figures["by_date"]) == (4, 4)
        assert "left at the settlement" in found.issue
        (warning,) = found.instead
        assert warning.startswith("si2410 could not be closed on")
        assert warning in one.result.warnings
        assert warning not in one.warnings

    def test_trades_in_the_delivery_month_are_told_of_who_may_hold_it(self):
        one = done(self.LONG, [4] * (self.LAST + 3))
        found = of(one, "left_late")
        assert found.figures == {"at_settlement": 0, "by_date": 0, "in_delivery_month": 4,
                                 "contracts": "si2410"}  # fmt: skip
        assert "delivery month" in found.issue

    def test_lots_that_were_delivered_did_not_leave_late(self):
        one = done([12000] * 110, [12] * 110, execution={"at_expiry": "deliver"})
        assert one.result.fills["reason"].iloc[-1] == "delivery"
        assert "left_late" not in names(one)

    def test_a_company_that_left_before_has_none(self):
        assert "left_late" not in names(done(self.LONG, [4] * (self.LAST - 1)))


# -- What figures rest on ---------------------------------------------------------------------


class TestIdle:
    def test_a_long_wait_takes_the_place_of_the_warning(self):
        one = done([12000] * 40, [1] * 5)
        found = of(one, "idle")
        assert found.figures == {"active": 5, "counted": 39, "last": "2024-05-29"}
        (warning,) = found.instead
        assert warning in one.result.warnings
        assert warning not in one.warnings

    def test_the_end_it_names_ends_the_wait(self):
        found = of(done([12000] * 40, [1] * 5), "idle")
        assert found.figures["last"] in found.cure
        assert "idle" not in names(done([12000] * 40, [1] * 5, end=found.figures["last"]))

    def test_the_end_it_names_leaves_the_result_as_it_is(self):
        prices = [12000 + 50 * n for n in range(40)]
        one = done(prices, [1] * 5)
        ended = done(prices, [1] * 5, end=of(one, "idle").figures["last"])
        assert ended.result.metrics["net"] == one.result.metrics["net"] != 0


class Edged(Plan):
    size = Param(3, "lots", "lots", low=1, grid=(1, 2, 3))
    unused = Param(3, "nothing", low=1, grid=(1, 2, 3))

    def units(self, market, p):
        return super().units(market, p) * p.size


class Bounded(Plan):
    size = Param(3, "lots", "lots", low=1, high=3, grid=(1, 2, 3))

    def units(self, market, p):
        return super().units(market, p) * p.size


class TestEdge:
    def test_a_parameter_at_the_last_value_of_its_grid_is_told_with_a_grid_beyond(self):
        one = done(STEADY, Edged([1] * 8))
        found = of(one, "edge")
        assert found.figures == {"size": {"value": 3, "grid": [1, 2, 3]}}
        assert found.cure == "sibt sweep FILE.py -p size=1:5:1"

    def test_the_first_value_is_an_edge_too_unless_nothing_lies_beyond(self):
        assert "edge" not in names(done(STEADY, Edged([1] * 8), params={"size": 1}))
        assert "edge" not in names(done(STEADY, Bounded([1] * 8), params={"size": 3}))
        assert "edge" not in names(done(STEADY, Edged([1] * 8), params={"size": 2}))
        assert "edge" in names(done(STEADY, Edged([1] * 8), params={"size": 7}))

    def test_a_parameter_that_changes_nothing_is_no_edge(self):
        found = of(done(STEADY, Edged([1] * 8)), "edge")
        assert "unused" not in found.figures

    def test_a_shipped_strategy_is_called_by_its_name(self):
        one = run("short_rallies", sibt.load_market("sample"), {"rally": "zscore"}, check=False)
        assert of(one, "edge").cure == "sibt sweep short_rallies -p z=0:2:0.5"
        plain = run("short_rallies", sibt.load_market("sample"), check=False)
        assert "edge" not in names(plain)  # z is the same, and nothing rests on it


class TestTerms:
    def test_terms_nobody_checked_take_the_place_of_the_warning(self):
        one = done([100_000] * 12, [1] * 8, code="lc2410", terms={})
        found = of(one, "terms")
        assert found.issue.startswith("terms of lc are unverified")
        assert found.figures == {"product": "lc"}
        assert found.issue in one.result.warnings
        assert found.issue not in one.warnings

    def test_terms_put_in_their_place_have_none(self):
        assert "terms" not in names(done([100_000] * 12, [1] * 8, code="lc2410"))

    def test_known_days_have_none_and_what_has_two_readings_stays_a_warning(self):
        one = done(STEADY, [1] * 8, terms={})
        assert "terms" not in names(one)
        assert any("two readings" in word for word in one.warnings)


# -- All of them ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hedge():
    return run("producer_hedge", sibt.load_market("sample"), check=False)


def test_of_a_hedge_costs_trips_and_days_of_its_futures_are_not_asked(hedge):
    assert names(hedge) == ["unfilled", "thin", "left_late"]
    assert hedge.result.metrics["round_trips"] == 1
    assert "--at-expiry deliver" in of(hedge, "left_late").cure


def test_a_hedge_that_mostly_waits_is_told_of_its_goods():
    one = run("trader_hedge", sibt.load_market("sample"), check=False)
    assert "goods lay open" in of(one, "idle").why


def test_the_gravest_stand_first():
    one = done([12000] * 5 + [12005] * 35, [10] * 6, capital=60_000,
               volume=[np.nan] * 3 + [50] * 37)  # fmt: skip
    assert names(one) == ["margin", "thin", "unknown_volume", "costs", "one_trip", "idle"]


def test_a_run_with_nothing_doubtful_has_no_diagnosis():
    assert done(STEADY, [10] * 10 + [0] * 2 + [10] * 10).diagnosis == ()


def test_every_word_is_a_sentence_in_both_languages(hedge):
    for found in (*hedge.diagnosis, *done([12000] * 4, [0]).diagnosis):
        for words in (found.issue, found.why, found.cure):
            assert isinstance(words, Sentence)
            assert ZH(words) != words


def test_it_is_asked_once_and_kept(hedge):
    assert hedge.diagnosis is hedge.diagnosis
    assert hedge.diagnosis == diagnose(hedge)


def test_figures_stand_in_the_metrics_and_words_in_the_manifest(hedge):
    assert figures(hedge)["diagnosis"] == {
        found.name: found.figures for found in hedge.diagnosis
    }
    record = json.loads(json.dumps(manifest(hedge, 0.0, "", {}), default=str))
    assert [row["name"] for row in record["diagnosis"]] == names(hedge)
    for row, found in zip(record["diagnosis"], hedge.diagnosis, strict=True):
        assert (row["issue"], row["why"], row["cure"]) == (found.issue, found.why, found.cure)
        assert (row["issue_zh"], row["cure_zh"]) == (ZH(found.issue), ZH(found.cure))
    assert record["warnings"] == hedge.warnings
