"""The terms in force: dated rows, what the user puts in their place, and the broker's part."""

import numpy as np
import pandas as pd
import pytest
from markets import days

import sibt
from sibt.engine.money import fee_fen, margin_fen, scaled, to_fen
from sibt.engine.terms import terms_in_force

DAYS = days("2024-06-17", 8)
PERSON = sibt.Account()


def terms(replace=None, *, codes=("si2409",), account=PERSON, sessions=DAYS, **how):
    return terms_in_force(codes, sessions, account, replace, **how)


class TestDatedTerms:
    def test_a_lot_of_si_is_five_tonnes_and_a_tick_five_yuan(self):
        table = terms()
        assert table.multiplier.tolist() == [5]
        assert (table.tick == 5).all()

    def test_a_hedger_pays_the_hedging_rate_and_a_company_does_not(self):
        kinds = {k: terms(account=sibt.Account(kind=k)).margin[0, 0]
                 for k in ("individual", "company", "hedger")}
        assert kinds["individual"] == kinds["company"] > kinds["hedger"]

    def test_margin_steps_up_before_and_in_the_delivery_month(self):
        sessions = days("2024-07-01", 40)
        rate = terms(codes=("si2408",), sessions=sessions).margin[:, 0]
        life = sibt.contract("si2408")
        eve = sessions.searchsorted(life.delivery_start) - 1
        assert rate[eve] == 200_000
        assert rate[eve - 1] == 100_000
        assert rate[0] < 100_000

    def test_other_reading_is_used_where_the_notices_leave_two(self):
        one, other = terms(), terms(open_reading=True)
        inside = np.asarray(pd.Timestamp("2024-06-20") >= DAYS)
        assert (one.margin != other.margin)[inside].all()
        assert (one.margin == other.margin)[~inside].all()

    def test_closing_today_is_free_under_the_dated_fee(self):
        table = terms()
        assert (table.fee_open == 1_000_000).all()  # 0.0001 in 1e-10
        assert (table.fee_close == 1_000_000).all()
        assert (table.fee_close_today == 0).all()


class TestReplacedTerms:
    def test_a_fee_holds_for_open_close_and_close_today(self):
        table = terms({"fee": 2e-4})
        for name in ("fee_open", "fee_close", "fee_close_today"):
            assert (getattr(table, name) == 2_000_000).all()

    def test_unless_close_today_has_its_own(self):
        table = terms({"fee": 2e-4, "fee_close_today": 0})
        assert (table.fee_close == 2_000_000).all()
        assert (table.fee_close_today == 0).all()

    def test_a_margin_holds_at_all_stages(self):
        table = terms({"margin": 0.08}, codes=("si2407",), sessions=days("2024-06-17", 30))
        assert (table.margin == 80_000).all()

    def test_a_series_holds_from_its_sessions(self):
        stated = pd.Series([0.08, 0.12], index=[DAYS[2], DAYS[5]])
        rate = terms({"margin": stated}).margin[:, 0].tolist()
        assert rate == [80_000] * 5 + [120_000] * 3

    def test_yuan_per_lot_are_kept_in_fen(self):
        assert (terms({"fee_per_lot": 3}).lot_close == 300 * 10_000_000_000).all()


class TestBroker:
    def test_points_are_added_to_any_margin(self):
        account = sibt.Account(broker_margin=0.05)
        assert (terms({"margin": 0.08}, account=account).margin == 130_000).all()
        assert (terms(account=account).margin == terms().margin + 50_000).all()

    def test_the_mark_up_multiplies_rate_and_yuan_per_lot(self):
        account = sibt.Account(fee_markup=1.1)
        table = terms({"fee": 1e-4, "fee_per_lot": 1}, account=account)
        assert (table.fee_open == 1_100_000).all()
        assert (table.lot_open == 110 * 10_000_000_000).all()


class TestMoney:
    """Whole fen by integer arithmetic."""

    @pytest.mark.parametrize(
        ("lots", "price", "rate", "fen"),
        [
            (1, 12050, 0.0001, 603),  # 6.025
            (10, 12235, 0.0001, 6118),  # 61.175
            (1, 12049, 0.0001, 602),  # 6.0245
            (7, 12045, 0.00012, 5059),  # 50.589
            (1, 1, 0.001, 1),  # half a fen
            (1, 1, 0.00099, 0),
        ],
    )
    def test_a_fee_is_rounded_half_up(self, lots, price, rate, fen):
        (rate,) = scaled(np.array([rate]), 1, 10**10)
        assert fee_fen(lots, price * 100, 5, int(rate), 0) == fen

    def test_rate_and_yuan_per_lot_are_rounded_together(self):
        # 0.4 fen of turnover and 0.4 fen a lot make one fen, not none.
        assert fee_fen(1, 100, 1, 4 * 10**7, 4 * 10**9) == 1

    def test_margin_is_rounded_half_up(self):
        assert margin_fen(1, 1_200_100, 5, 100_000) == 600_050
        assert margin_fen(1, 1, 5, 100_000) == 1  # half a fen

    def test_rates_are_taken_as_they_are_written(self):
        assert scaled(np.array([0.0001, 0.07]), 1.1, 10**10).tolist() == [1_100_000, 770_000_000]

    def test_an_unknown_price_is_zero(self):
        assert to_fen(np.array([np.nan, 12000.0, 0.29])).tolist() == [0, 1_200_000, 29]
