"""The second book: the same fills through vectorbt."""

import pandas as pd
import pytest
from markets import flat, market, simulate

from sibt.engine import books
from sibt.errors import LedgerError

BARS = (12000, 12005, flat(12110, settle=12090), 11995, flat(12050, settle=12075), 12305)
FEE = {"fee": 1.3e-4, "fee_close_today": 2e-4}


def one(wishes, legs=None, **how):
    panel = market(si2408=list(BARS), si2409=[12500, 12480, 12530, 12400, 12450, 12600])
    return simulate(panel, wishes, legs or {"si2408": 1}, terms=FEE, slippage=1, **how)


RUNS = {
    "one leg": lambda: one([3, None, 1, 0]),
    "reversal": lambda: one([3, -2, 4, 0]),
    "open at the end": lambda: one([-3]),
    "pair": lambda: one([-3, None, 2, 0], {"si2408": 1, "si2409": -1}),
    "uneven pair": lambda: one([3, None, 2, 0], {"si2408": 2, "si2409": -3}),
    "roll": lambda: simulate(
        market(si2408=list(BARS), si2409=list(BARS)),
        [3],
        {"si": (["si2408", None, "si2409"], 1)},
        terms=FEE,
    ),
    "deposit": lambda: one([20], account={"capital": 122_000, "on_call": "deposit"}),
    "call": lambda: one([-20], account={"capital": 125_000}),
    "bust": lambda: simulate(
        market(si2408=[12000, 12000, 9000, 9500]), [8], {"si2408": 1}, terms=FEE,
        account={"capital": 50_000},
    ),
    "nothing": lambda: one([0]),
    "session without a bar": lambda: simulate(
        market(si2408=[12000, 12000, None, 12100]), [2], {"si2408": 1}, terms=FEE
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_both_books_show_the_same_equity_to_the_fen(name):
    assert RUNS[name]().reconcile() <= 0.01


def test_a_fill_the_ledger_misprices_is_a_fault_of_ours():
    result = one([3, None, 1, 0])
    result.booked["fills"][0, 4] += 100  # a yuan per tonne
    with pytest.raises(LedgerError, match=r"differ by 15\.00 yuan.*please report"):
        result.reconcile()


def test_a_fee_the_ledger_forgets_is_found():
    result = one([3, None, 1, 0])
    result.statement["equity"] += 0.02
    with pytest.raises(LedgerError, match=r"differ by 0\.02"):
        books.reconcile(result)


def test_sizes_are_tonnes():
    portfolio = one([3, None, 1, 0]).portfolio
    assert portfolio.orders.records["size"].tolist() == [15.0, 10.0, 5.0]


def test_nothing_is_cut_for_lack_of_cash():
    result = one([-20], {"si2408": 1, "si2409": -1})
    assert len(result.portfolio.orders.records) == len(result.fills)
    assert result.portfolio.orders.records["size"].tolist() == (5.0 * result.fills["lots"]).tolist()


def test_fees_are_the_ledgers():
    result = one([3, -2, 4, 0])
    assert result.portfolio.orders.records["fees"].sum() == pytest.approx(result.metrics["fees"])


def test_trade_records_come_with_it():
    result = one([3, None, 0])
    trades = result.portfolio.trades.records_readable
    assert trades["PnL"].tolist() == pytest.approx([result.metrics["net"]])


def test_a_leg_that_rolls_has_a_column_by_contract():
    portfolio = RUNS["roll"]().portfolio
    assert list(portfolio.wrapper.columns) == ["si:si2408", "si:si2409"]


def test_two_prices_in_one_session_are_two_rows_of_it():
    panel = market("2024-07-29", si2408=[12000, 12000, flat(12000, settle=12040, volume=20), 12000])
    result = simulate(panel, [3], {"si2408": 1}, participation=0.1,
                      account={"kind": "individual"})
    index = result.portfolio.close.index
    assert len(index) == 5
    assert index[2].normalize() == index[3].normalize() == pd.Timestamp("2024-07-31")
    assert result.reconcile() <= 0.01
