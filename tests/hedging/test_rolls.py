"""The rolls of a run: the worked case, rolls by hand, and what they add up to."""

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, random_hedge, worked

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.simulate import simulate
from sibt.hedging.outcome import cost
from sibt.hedging.rolls import COLUMNS, roll_table
from sibt.market.panel import FIELDS, Market

PLAIN = {"margin": 0.10, "fee": 0.0, "price_limit": 1.0}


def market_of(prices, settle=None, volume=1e6, sessions=DAYS):
    """Return a market of prices by contract and session, NaN where there is no bar."""
    price = np.column_stack([np.asarray(column, float) for column in prices.values()])
    bars = {name: price.copy() for name in FIELDS[:5]}
    if settle is not None:
        bars["settle"] = np.column_stack([np.asarray(each, float) for each in settle.values()])
    bars["high"] = np.fmax(bars["high"], bars["settle"])
    bars["low"] = np.fmin(bars["low"], bars["settle"])
    cap = np.full(price.shape, 1e6)
    cap[:] = np.reshape(volume, (-1, 1))
    return Market(
        sessions=sessions[: len(price)], contracts=tuple(prices), **bars, volume=cap,
        open_interest=np.full(price.shape, 1e6),
        spot=pd.DataFrame(index=sessions[: len(price)]),
        receipts=pd.Series(np.nan, index=sessions[: len(price)]),
    )


def rolled(market, units, codes, ratio=1, fee=0.0, capital=1e8, **how):
    """Return a company's run in which leg "hedge" holds these codes."""
    days = market.sessions
    settings = {"slippage": 0, "participation": None, "cross_standard": True} | how
    return simulate(
        market, pd.Series(np.asarray(units, float), days),
        {"hedge": (pd.Series(codes, index=days, dtype=object), ratio)},
        account=Account(kind="company", capital=capital), execution=Execution(**settings),
        terms={**PLAIN, "fee": fee},
    )


def only(table):
    """Return the one row of a table as a mapping without where it happened."""
    [row] = table.drop(columns=["session", "leg"]).to_dict("records")
    return row


class TestTheWorkedCase:
    case = worked("g05")

    @pytest.fixture
    def result(self):
        given = self.case["inputs"]
        slip, nan = 5 * given["slip_ticks"], np.nan
        entry = given["entry_fill_near_D0"] + slip
        opens = {
            "si2406": [nan, entry, 12_000, given["near_open"]["D2"], nan],
            "si2408": [nan, nan, 12_235, given["far_open"]["D2"], 12_100],
        }
        settle = {
            "si2406": [nan, *given["near_settle"].values(), nan],
            "si2408": [nan, nan, *given["far_settle"].values()],
        }
        return rolled(
            market_of(opens, settle), [-given["lots"]] * 5,
            ["si2406", None, "si2408", None, None], fee=float(given["fee_rate"]),
            slippage=given["slip_ticks"], capital=given["init_equity"],
        )

    def test_the_roll_receives_what_was_executed_less_fees(self, result):
        # 12,145 - 11,905 = 240 yuan/t on 100 t; fees 119.05 + 121.45; a tick on each side.
        [out, into] = self.case["expected"]["fills"]
        table = roll_table(result)
        assert table["session"].tolist() == [result.statement.index[3]]
        row = only(table)
        assert row.pop("cost_to_date") == pytest.approx(-237.595)
        assert row == {
            "what": "roll", "old": "si2406", "new": "si2408", "lots": -20,
            "price_out": out[3], "price_in": into[3], "spread": 240.0,
            "fees": float(out[4]) + float(into[4]), "slippage": 1_000.0, "cost": -23_759.5,
            "spread_to_date": 240.0, "entry": 12_340.0,
        }

    def test_the_entry_on_the_last_contract_gives_the_equity(self, result):
        # (12,340 - 12,050) × 100 t less all fees is what the account gained.
        [entry] = roll_table(result)["entry"]
        expected = self.case["expected"]
        gained = (entry - self.case["inputs"]["far_settle"]["D3"]) * 100
        equity = self.case["inputs"]["init_equity"] + gained - float(expected["fees_total"])
        assert equity == float(expected["equity"]["D3"])

    def test_the_executed_spread_beats_the_settlements_by_what_the_case_says(self, result):
        given = self.case["inputs"]
        [spread] = roll_table(result)["spread"]
        settled = given["far_settle"]["D1"] - given["near_settle"]["D1"]
        assert (spread - settled) * 100 == float(
            self.case["expected"]["roll_execution_gain_vs_settle_spread"])


def test_a_long_pays_what_a_short_receives():
    market = market_of({"si2410": [12_000] * 4, "si2411": [12_300] * 4})
    codes = ["si2410", "si2410", "si2411", "si2411"]
    short, long = (roll_table(rolled(market, [side * 2] * 4, codes)) for side in (-1, 1))
    assert (short["spread"].item(), long["spread"].item()) == (300.0, -300.0)
    assert (short["lots"].item(), long["lots"].item()) == (-2, 2)
    assert (short["cost"].item(), long["cost"].item()) == (-3_000.0, 3_000.0)
    assert (short["entry"].item(), long["entry"].item()) == (12_300.0, 12_300.0)


def test_a_roll_over_several_sessions_has_a_row_in_each_and_adds_up_by_its_share():
    # Caps of 12 lots: 12 roll at 300, the other 8 at 200; 0.6 × 300 + 0.4 × 200 = 260.
    market = market_of(
        {"si2410": [12_000] * 6, "si2411": [12_300, 12_300, 12_300, 12_300, 12_200, 12_200]},
        volume=[100, 100, 100, 12, 12, 100],
    )
    codes = ["si2410", "si2410", "si2411", "si2411", "si2411", "si2411"]
    table = roll_table(rolled(market, [-20] * 6, codes, participation=1.0))
    assert table["session"].tolist() == [market.sessions[3], market.sessions[4]]
    assert table["lots"].tolist() == [-12, -8]
    assert table["spread"].tolist() == [300.0, 200.0]
    assert table["spread_to_date"].tolist() == pytest.approx([180.0, 260.0])
    assert table["entry"].tolist() == pytest.approx([12_180.0, 12_260.0])
    assert table["cost_to_date"].tolist() == pytest.approx([-180.0, -260.0])


def test_lots_opened_later_thin_the_rolls_out_and_lots_closed_do_not():
    # 10 lots at 12,000 rolled for 300; 10 more at 12,300; 10 closed; the rest rolled for 100.
    market = market_of({
        "si2410": [12_000] * 7, "si2411": [12_300] * 7, "si2412": [12_400] * 7,
    })
    codes = ["si2410", "si2411", "si2411", "si2411", "si2412", "si2412", "si2412"]
    table = roll_table(rolled(market, [-10, -10, -20, -10, -10, 0, 0], codes))
    assert table["spread_to_date"].tolist() == [300.0, 250.0]
    assert table["cost_to_date"].tolist() == [-300.0, -250.0]
    assert table["entry"].tolist() == [12_300.0, 12_400.0]


def test_a_new_position_carries_nothing_of_the_one_before():
    market = market_of({"si2410": [12_000] * 8, "si2411": [12_300] * 8, "si2412": [12_400] * 8})
    codes = ["si2410", "si2411", "si2411", "si2411", "si2411", "si2412", "si2412", "si2412"]
    table = roll_table(rolled(market, [-2, -2, 0, -4, -4, -4, -4, -4], codes))
    assert table["spread_to_date"].tolist() == [300.0, 100.0]


def test_two_old_contracts_left_in_one_session_are_two_rows():
    market = market_of(
        {"si2410": [12_000] * 5, "si2411": [12_300] * 5, "si2412": [12_450] * 5},
        volume=[1e3, 1e3, 8, 1e3, 1e3],
    )
    codes = ["si2410", "si2411", "si2412", "si2412", "si2412"]
    table = roll_table(rolled(market, [-10] * 5, codes, participation=1.0))
    assert list(zip(table["old"], table["new"], table["lots"], strict=True)) == [
        ("si2410", "si2411", -8), ("si2410", "si2412", -2), ("si2411", "si2412", -8)]
    assert table["entry"].iloc[-1] == pytest.approx(12_450.0)


class TestTheRestOfARoll:
    """20 lots of si2406, of which 15 roll in its last session; 5 leave at its settlement."""

    @pytest.fixture
    def result(self):
        days = DAYS[DAYS <= "2024-06-19"][-5:]
        assert days[2] == pd.Timestamp("2024-06-17")  # si2406's last trading day
        opens = {"si2406": [12_000] * 5, "si2408": [12_300] * 5}
        settle = {"si2406": [12_000, 12_000, 12_040, 12_040, 12_040], "si2408": [12_300] * 5}
        market = market_of(opens, settle, volume=[1e3, 1e3, 15, 1e3, 1e3], sessions=days)
        codes = ["si2406", "si2408", "si2408", "si2408", "si2408"]
        return rolled(market, [-20] * 5, codes, fee=0.0001, participation=1.0)

    def test_it_is_shown_without_a_price_in_or_a_spread(self, result):
        rest = roll_table(result).iloc[1]
        assert (rest["what"], rest["old"], rest["new"], rest["lots"]) == (
            "rest, at settlement", "si2406", "si2408", -5)
        assert rest["price_out"] == 12_040.0
        assert rest["fees"] == 30.10  # 12,040 × 25 t × 1e-4
        assert rest[["price_in", "spread", "cost"]].isna().all()
        assert rest["slippage"] == 0.0

    def test_it_leaves_what_has_been_carried_over_as_it_was(self, result):
        table = roll_table(result)
        assert table["what"].tolist() == ["roll", "rest, at settlement"]
        assert table["spread_to_date"].tolist() == pytest.approx([225.0, 225.0])

    def test_lots_that_could_not_be_closed_are_no_rest_of_a_roll(self):
        days = DAYS[DAYS <= "2024-06-19"][-5:]
        market = market_of({"si2406": [12_000] * 5}, volume=[1e3, 1e3, 15, 1e3, 1e3],
                           sessions=days)
        result = rolled(market, [-20] * 5, ["si2406"] * 5, participation=1.0)
        assert "exit date, at settlement" in set(result.fills["reason"])
        assert roll_table(result).empty


def test_a_rest_that_leaves_nothing_has_no_entry():
    days = DAYS[DAYS <= "2024-06-19"][-5:]
    market = market_of({"si2406": [12_000] * 5, "si2408": [np.nan] * 5}, sessions=days)
    codes = ["si2406", "si2408", "si2408", "si2408", "si2408"]
    rest = roll_table(rolled(market, [-20] * 5, codes)).iloc[0]
    assert rest["lots"] == -20
    assert rest[["spread_to_date", "cost_to_date", "entry"]].isna().all()


def test_without_rolls_the_table_is_empty_and_keeps_its_columns():
    table = roll_table(rolled(market_of({"si2410": [12_000] * 4}), [-2] * 4, ["si2410"] * 4))
    assert table.empty
    assert tuple(table.columns) == COLUMNS
    assert table["cost"].sum() == 0.0


@pytest.mark.parametrize("seed", range(60))
def test_rolls_cost_what_the_account_paid_and_carry_the_entry_price(seed):
    hedge = random_hedge(seed)
    result = hedge.result
    table = roll_table(result)
    real = table[table["what"] == "roll"]
    paid = cost(result, result.job.market.sessions, 1.0).rolls
    assert (real["fees"] + real["slippage"]).sum() == pytest.approx(paid, abs=0.005)
    spread = real["spread"] * real["lots"].abs() * 5
    assert (real["fees"] - spread - real["cost"]).abs().max() < 0.005 or real.empty
    turnover = result.fills[result.fills["reason"] == "roll"]
    signed = turnover["price"].where(turnover["side"] == "sell", -turnover["price"])
    assert (signed * turnover["lots"]).sum() * 5 == pytest.approx(spread.sum(), abs=0.005)


@pytest.mark.parametrize("seed", range(80))
def test_entry_and_present_prices_give_the_result_of_a_position_that_only_grows(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(8, 30))
    codes = ["si2410", "si2411", "si2412"]
    prices = {code: 12_000 + 5 * rng.integers(-200, 201, count) for code in codes}
    settle = {code: 12_000 + 5 * rng.integers(-200, 201, count) for code in codes}
    market = market_of(prices, settle, volume=rng.integers(0, 60, count))
    side = int(rng.choice([-1, 1]))
    wish = side * np.cumsum(rng.integers(0, 8, count) * (rng.random(count) < 0.5))
    at = np.sort(rng.integers(0, 3, count))
    result = rolled(market, wish, np.array(codes)[at], participation=float(rng.choice([0.3, 1.0])),
                    slippage=int(rng.integers(0, 3)), fee=0.0001)
    assert result.fills["reason"].isin(["signal", "roll"]).all()
    quiet = ~result.fills.groupby("session")["reason"].agg(lambda why: (why == "signal").any())
    for row in roll_table(result).groupby("session").tail(1).itertuples():
        if quiet[row.session]:
            held = result.positions[result.positions["session"] == row.session]
            gained = (held["lots"] * (held["settle"] - row.entry)).sum() * 5
            booked = result.statement["mtm"].loc[: row.session].sum()
            assert gained == pytest.approx(booked, abs=0.01)
