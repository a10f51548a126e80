"""Figures of daily returns, and those a run shows."""

import math

import numpy as np
import pytest
from markets import flat, market, simulate

from sibt.engine import metrics

ONE = {"si2408": 1}


@pytest.fixture(scope="module")
def result():
    panel = market(
        si2408=[12000, 12000, flat(12100, settle=12050), flat(12000, settle=11900), 12000]
    )
    return simulate(panel, [10, None, 4, 0], ONE, terms={"fee": 1e-4}, slippage=1,
                    account={"capital": 100_000})


class TestOfReturns:
    def test_the_index_starts_at_one_before_the_first_return(self):
        assert metrics.drawdown([-0.1, 0.05, 0.1]).tolist() == pytest.approx([-0.1, -0.055, 0])

    def test_returns_compound(self):
        assert metrics.total_return([0.1, -0.1]) == pytest.approx(-0.01)

    def test_a_drawdown_is_from_the_highest_index(self):
        assert metrics.max_drawdown([0.5, -0.5, 0.5]) == pytest.approx(-0.5)

    def test_without_returns_nothing_is_lost(self):
        assert metrics.max_drawdown([]) == 0
        assert metrics.total_return([]) == 0

    @pytest.mark.parametrize("returns", [[], [0.01], [0.01] * 5])
    def test_a_ratio_of_no_variation_is_unknown(self, returns):
        assert math.isnan(metrics.sharpe(returns))

    @pytest.mark.parametrize("returns", [[], [0.01], [0.0, 0.02]])
    def test_without_a_losing_day_sortino_is_unknown(self, returns):
        assert math.isnan(metrics.sortino(returns))

    def test_volatility_of_one_return_is_unknown(self):
        assert math.isnan(metrics.volatility([0.01]))

    def test_ratios_do_not_depend_on_the_size_of_the_position(self):
        returns = np.random.default_rng(1).normal(0.001, 0.01, 200)
        assert metrics.sharpe(3 * returns) == pytest.approx(metrics.sharpe(returns))
        assert metrics.sortino(3 * returns) == pytest.approx(metrics.sortino(returns))


class TestOfARun:
    def test_net_is_gross_less_fees(self, result):
        figures = result.metrics
        assert figures["net"] == pytest.approx(figures["gross"] - figures["fees"], abs=0.001)
        assert figures["net"] == pytest.approx(figures["final_equity"] - 100_000, abs=0.001)

    def test_fees_and_slippage(self, result):
        assert result.metrics["fees"] == result.fills["fee"].sum()
        assert result.metrics["slippage"] == 20 * 25  # 20 lots of 5 t, a tick of 5 yuan

    def test_net_per_tonne_is_over_the_largest_position(self, result):
        assert result.metrics["net_per_tonne"] == pytest.approx(result.metrics["net"] / 50)

    def test_the_worst_day_has_a_date(self, result):
        daily = result.statement["mtm"] - result.statement["fees"]
        assert result.metrics["worst_day"] == daily.min()
        assert result.metrics["worst_day_on"] == f"{daily.idxmin():%Y-%m-%d}"

    def test_a_run_of_few_round_trips_has_no_ratio(self, result):
        assert not result.known
        assert result.metrics["sharpe"] is None
        assert result.metrics["sortino"] is None
        assert result.metrics["volatility"] is None

    def test_three_round_trips_have_one(self):
        panel = market(si2408=[12000, 12050, 12010, 12100, 12040, 12000, 12080, 12000])
        result = simulate(panel, [1, 0, 1, 0, 1, 0], ONE)
        assert result.known
        assert result.metrics["sharpe"] == pytest.approx(metrics.sharpe(result.returns))
        assert result.metrics["won"] == (result.round_trips["net"] > 0).sum()

    def test_fees_at_a_brokers_standard_are_twice_the_exchanges(self):
        panel = market(si2408=[12000] * 3)
        own = simulate(panel, [10, 0], ONE, terms={"fee": 1e-4}, account={"fee_markup": 3.0})
        assert own.metrics["fees_at_broker"] == pytest.approx(own.metrics["fees"] * 2 / 3)

    def test_peak_margin_is_shown_at_both_standards(self):
        panel = market(si2408=[12000] * 3)
        result = simulate(panel, [10, 0], ONE, account={"broker_margin": 0.02})
        assert result.metrics["peak_margin"] == 72_000
        assert result.metrics["peak_margin_exchange"] == 60_000
        assert result.metrics["peak_margin_broker"] == 90_000

    def test_risk_is_margin_over_equity(self, result):
        table = result.statement
        assert table["risk"].tolist() == pytest.approx(
            (table["margin"] / table["equity"]).tolist(), abs=1e-6
        )
        assert result.metrics["highest_risk"] == table["risk"].max()

    def test_deposits_are_no_profit(self):
        panel = market(si2408=[12000, 12000, 11800, 11800])
        result = simulate(panel, [10], ONE, account={"capital": 66_000, "on_call": "deposit"})
        assert result.metrics["net"] == -10_000
        assert result.metrics["worst_equity"] == 56_000
        assert result.metrics["max_drawdown_yuan"] == -10_000

    def test_figures_are_plain_numbers_or_nothing(self, result):
        for name, value in result.metrics.items():
            assert value is None or isinstance(value, int | float | str), name
            assert not (isinstance(value, float) and math.isnan(value)), name


class TestPositions:
    def test_the_margin_of_a_position_is_rounded_as_the_account_is_charged(self):
        # 12,005 × 5 × 0.1234 = 7,407.085
        result = simulate(market(si2408=[12005] * 2), [1], ONE, terms={"margin": 0.1234})
        assert result.statement["margin"].tolist() == [0, 7407.09]
        assert result.positions["margin"].tolist() == [7407.09]


class TestRoundTrips:
    def test_worst_and_best_are_at_settlements_inside_the_trip(self):
        panel = market(si2408=[12000, 12000, 11900, 12200, 12100, 13000])
        trip = simulate(panel, [2, None, None, 0], ONE).round_trips.iloc[0]
        assert (trip["worst"], trip["best"], trip["net"]) == (-1000, 2000, 1000)
        assert trip["sessions"] == 4

    def test_an_open_trip_has_no_exit_and_is_valued_at_the_last_settlement(self):
        panel = market(si2408=[12000, 12000, 12300])
        trip = simulate(panel, [2], ONE).round_trips.iloc[0]
        assert trip.isna()[["exit", "exit_spread"]].all()
        assert trip["net"] == 3000

    def test_a_spread_is_near_less_far(self):
        panel = market(si2408=[12000] * 3, si2409=[12400, 12400, 12300])
        trip = simulate(panel, [-3, 0], {"si2408": 1, "si2409": -1}).round_trips.iloc[0]
        assert (trip["units"], trip["entry_spread"], trip["exit_spread"]) == (-3, -400, -300)
        assert trip["net"] == -1500


class TestEntryDays:
    def test_every_other_day_of_the_window_is_ranked(self):
        panel = market(si2408=[12000, 12100, 11900, 12050, 12000, 12000])
        table = simulate(panel, [None, 1, None, None, 0], ONE, known_from="2024-03-04").entry_days
        assert table["net"].tolist() == [-500.0, 500.0, -250.0, 0.0]
        assert table["rank"].tolist() == [4, 1, 3, 2]
        assert table["chosen"].tolist() == [False, True, False, False]

    def test_the_chosen_day_gives_what_the_run_gave(self):
        panel = market(si2408=[12000, 12100, 11900, 12050, 12000, 12000])
        result = simulate(panel, [1, None, None, 0], ONE, terms={"fee": 1e-4}, slippage=1)
        table = result.entry_days
        assert table.loc[table["chosen"], "net"].tolist() == [result.metrics["net"]]

    def test_without_a_trip_there_are_none(self):
        assert simulate(market(si2408=[12000] * 3), [0], ONE).entry_days.empty
