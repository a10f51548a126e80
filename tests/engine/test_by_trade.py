"""The statement settled trade by trade (逐笔对冲), beside the mark-to-market one."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from markets import flat, market, simulate
from random_markets import random_case
from test_properties import QUICK, booked, runs

import sibt

MONEY = ["previous", "closed_pnl", "fees", "deposit", "balance", "floating_pnl", "equity"]


def fen(values):
    return np.rint(np.asarray(values, dtype=float) * 100).astype(np.int64)


def columns(result, *names):
    return {name: result.by_trade[name].tolist() for name in names}


class TestLots:
    def test_the_oldest_lots_close_first_and_the_rest_float_from_their_own_price(self):
        panel = market(
            si2408=[12000, flat(12000, settle=12100), flat(12200, settle=12300),
                    flat(12400, settle=12350), flat(12360, settle=12340)],
        )  # fmt: skip
        result = simulate(panel, [2, 3, 1, 0], {"si2408": 1})
        # 2 lots at 12,000 and 1 at 12,200; two go at 12,400, the last one at 12,360.
        assert columns(result, *MONEY) == {
            "previous": [1_000_000.0, 1_000_000.0, 1_000_000.0, 1_000_000.0, 1_004_000.0],
            "closed_pnl": [0.0, 0.0, 0.0, 4_000.0, 800.0],
            "fees": [0.0] * 5,
            "deposit": [0.0] * 5,
            "balance": [1_000_000.0, 1_000_000.0, 1_000_000.0, 1_004_000.0, 1_004_800.0],
            "floating_pnl": [0.0, 1_000.0, 3_500.0, 750.0, 0.0],
            "equity": [1_000_000.0, 1_001_000.0, 1_003_500.0, 1_004_750.0, 1_004_800.0],
        }
        assert result.statement["closed_pnl"].tolist() == [0.0, 0.0, 0.0, 1_000.0, 50.0]

    def test_a_short_closes_at_its_price_less_the_cover(self):
        panel = market(si2408=[12000, flat(12000, settle=12100), flat(11900)])
        result = simulate(panel, [-3, 0], {"si2408": 1}, terms={"fee": 1e-4})
        assert columns(result, "closed_pnl", "floating_pnl", "fees", "balance") == {
            "closed_pnl": [0.0, 0.0, 1_500.0],
            "floating_pnl": [0.0, -1_500.0, 0.0],
            "fees": [0.0, 18.0, 17.85],
            "balance": [1_000_000.0, 999_982.0, 1_001_464.15],
        }

    def test_a_reversal_closes_the_one_side_and_floats_the_other(self):
        panel = market(si2408=[12000, 12000, flat(12100, settle=12050)])
        result = simulate(panel, [2, -1], {"si2408": 1})
        assert columns(result, "closed_pnl", "floating_pnl") == {
            "closed_pnl": [0.0, 0.0, 1_000.0], "floating_pnl": [0.0, 0.0, 250.0],
        }  # fmt: skip

    def test_a_roll_closes_the_old_contract_and_opens_the_new_one_at_its_own_price(self):
        panel = market(
            si2408=[12000, 12000, flat(12100), 12100],
            si2409=[12500, 12500, flat(12600), flat(12600, settle=12700)],
        )
        codes = ["si2408", "si2409"]
        result = simulate(panel, [1], {"main": (codes, 1)})
        assert result.fills["reason"].tolist() == ["signal", "roll", "roll"]
        assert columns(result, "closed_pnl", "floating_pnl") == {
            "closed_pnl": [0.0, 0.0, 500.0, 0.0], "floating_pnl": [0.0, 0.0, 0.0, 500.0],
        }  # fmt: skip

    def test_lots_of_two_products_count_by_their_own_size(self):
        panel = market(
            si2409=[12000, flat(12000, settle=12100)], lc2409=[80000, flat(80000, settle=80500)]
        )
        result = simulate(panel, [1], {"si2409": 2, "lc2409": -3})
        assert result.by_trade["floating_pnl"].tolist() == [0.0, 2 * 5 * 100 - 3 * 1 * 500]

    def test_lots_opened_today_and_gone_at_settlement_close_against_their_own_fill(self):
        panel = market(si2408=[12000, flat(12000, settle=6000)])
        result = simulate(panel, [10], {"si2408": 1}, account={"capital": 70_000})
        assert result.fills["offset"].tolist() == ["open", "close_today"]
        assert result.bust is not None
        assert columns(result, "closed_pnl", "floating_pnl", "equity") == {
            "closed_pnl": [0.0, -300_000.0], "floating_pnl": [0.0, 0.0],
            "equity": [70_000.0, -230_000.0],
        }  # fmt: skip
        assert np.isnan(result.by_trade["risk"].iloc[-1])

    def test_what_could_not_be_closed_by_its_last_session_closes_at_that_settlement(self):
        # A person is out of si2408 on the last session of July.
        bars = [12000, flat(12000, settle=12100), None, None]
        panel = market("2024-07-29", si2408=bars, si2409=[12500] * 4)
        result = simulate(panel, [1], {"si2408": 1}, account={"kind": "individual"})
        assert result.fills["reason"].tolist() == ["signal", "exit date, at settlement"]
        assert columns(result, "closed_pnl", "floating_pnl") == {
            "closed_pnl": [0.0, 0.0, 500.0, 0.0], "floating_pnl": [0.0, 500.0, 0.0, 0.0],
        }  # fmt: skip

    def test_a_session_without_a_bar_floats_at_the_last_settlement(self):
        panel = market(si2408=[12000, flat(12000, settle=12100), None, 12200], si2409=[12500] * 4)
        result = simulate(panel, [1], {"si2408": 1})
        assert result.by_trade["floating_pnl"].tolist() == [0.0, 500.0, 500.0, 1000.0]

    def test_what_is_paid_in_at_a_call_is_in_the_balance_that_evening(self):
        panel = market(si2408=[12000, flat(12000, settle=11000), 11000])
        result = simulate(
            panel, [10], {"si2408": 1}, account={"capital": 70_000, "on_call": "deposit"}
        )
        deposit = 55_000 - 20_000
        assert columns(result, "deposit", "balance", "floating_pnl", "equity", "margin_call") == {
            "deposit": [0.0, deposit, 0.0],
            "balance": [70_000.0, 70_000.0 + deposit, 70_000.0 + deposit],
            "floating_pnl": [0.0, -50_000.0, -50_000.0],
            "equity": [70_000.0, 55_000.0, 55_000.0],
            "margin_call": [0.0, deposit, 0.0],
        }
        assert result.by_trade["available"].tolist() == [70_000.0, 0.0, 0.0]
        assert result.by_trade["risk"].tolist() == [0.0, 1.0, 1.0]

    def test_nothing_held_is_a_statement_of_the_capital(self):
        result = simulate(market(si2408=[12000] * 3), [0], {"si2408": 1})
        assert result.by_trade["equity"].tolist() == [1_000_000.0] * 3
        assert not result.by_trade[["closed_pnl", "floating_pnl", "margin"]].any(axis=None)


def twin(result):
    """Return closed and floating profit by session, lot by lot from the printed tables."""
    size = {code: sibt.contract(code).product.multiplier for code in result.job.contracts}
    lots, closed, floating = defaultdict(list), [], []
    settle = result.job.market.frame("settle").ffill()
    by_day = dict(list(result.fills.groupby("session")))
    for day in result.statement.index:
        gain = 0
        for row in by_day.get(day, result.fills.iloc[:0]).itertuples():
            side = 1 if row.side == "buy" else -1
            price = round(row.price * 100)
            for _ in range(row.lots):
                if row.offset == "open":
                    lots[row.leg, row.contract].append((side, price))
                else:
                    way, paid = lots[row.leg, row.contract].pop(0)
                    assert way == -side
                    gain += way * (price - paid) * size[row.contract]
        closed.append(gain)
        floating.append(
            sum(
                way * (round(settle.loc[day, code] * 100) - paid) * size[code]
                for (_, code), held in lots.items()
                for way, paid in held
            )
        )
    return closed, floating


def same_account(result):
    """Say what must hold of the two statements of any run."""
    daily, trades = result.statement, result.by_trade
    for column in ("fees", "deposit", "equity", "margin", "available", "margin_call"):
        assert fen(daily[column]).tolist() == fen(trades[column]).tolist(), column
    assert daily["risk"].equals(trades["risk"])
    flow = fen(trades["closed_pnl"]) - fen(trades["fees"]) + fen(trades["deposit"])
    assert (fen(trades["previous"]) + flow).tolist() == fen(trades["balance"]).tolist()
    assert fen(trades["previous"])[1:].tolist() == fen(trades["balance"])[:-1].tolist()
    total = fen(trades["closed_pnl"]).sum() + fen(trades["floating_pnl"])[-1]
    assert total == fen(daily["mtm"]).sum()
    assert twin(result) == (
        fen(trades["closed_pnl"]).tolist(), fen(trades["floating_pnl"]).tolist()
    )  # fmt: skip


class TestIdentities:
    @QUICK
    @given(runs())
    def test_both_statements_are_of_one_account(self, run):
        same_account(booked(run))

    @pytest.mark.parametrize("block", range(4))
    def test_both_statements_are_of_one_account_in_nasty_markets(self, block):
        for number in range(block * 25, block * 25 + 25):
            case = random_case(number)
            account, how = sibt.Account(**case["account"]), sibt.Execution(**case["execution"])
            rest = {name: case[name] for name in ("market", "units", "legs", "limits", "terms")}
            same_account(sibt.simulate(**rest, account=account, execution=how))
