"""Explicit trades, booked one by one."""

import pandas as pd
import pytest
from markets import days

import sibt
from sibt.engine.booking import book

DAYS = days("2024-03-04", 4)
COLUMNS = ("session", "contract", "side", "offset", "lots", "price")
PLAIN = {"margin": 0.1, "fee": 0.0}


def trades(*rows):
    """Return trades from (number of the session, contract, side, offset, lots, price)."""
    return pd.DataFrame([(DAYS[n], *rest) for n, *rest in rows], columns=list(COLUMNS))


def settled(**prices):
    return pd.DataFrame(prices, index=DAYS, dtype=float)


STEADY = settled(si2408=[12000, 12010, 12030, 12000])
ROUND = trades((0, "si2408", "buy", "open", 4, 11990), (2, "si2408", "sell", "close", 4, 12020))


def test_every_session_is_marked_to_its_settlement():
    booked = book(ROUND, STEADY, PLAIN)
    assert booked.statement["mtm"].tolist() == [200, 200, 200, 0]
    assert booked.statement["equity"].tolist() == [1_000_200, 1_000_400, 1_000_600, 1_000_600]
    assert booked.positions["si2408"].tolist() == [4, 4, 0, 0]


def test_available_is_equity_less_margin():
    table = book(ROUND, STEADY, PLAIN).statement
    assert table["margin"].tolist() == [24_000, 24_020, 0, 0]
    assert (table["equity"] - table["margin"]).tolist() == table["available"].tolist()


def test_a_short_earns_what_the_price_falls():
    sold = trades((0, "si2408", "sell", "open", 4, 12010), (3, "si2408", "buy", "close", 4, 12000))
    assert book(sold, STEADY, PLAIN).statement["equity"].iloc[-1] == 1_000_200


def test_long_and_short_lots_of_one_contract_are_kept_apart():
    both = trades((0, "si2408", "buy", "open", 3, 12000), (0, "si2408", "sell", "open", 3, 12000))
    booked = book(both, STEADY, PLAIN)
    assert booked.positions["si2408"].tolist() == [0] * 4
    assert booked.statement["margin"].iloc[0] == 36_000


def test_a_close_of_lots_of_two_days_is_two_fills():
    mixed = trades(
        (0, "si2408", "buy", "open", 2, 12000),
        (1, "si2408", "buy", "open", 3, 12000),
        (1, "si2408", "sell", "close", 4, 12000),
    )
    booked = book(mixed, STEADY, {**PLAIN, "fee": 1e-4, "fee_close_today": 0.0})
    assert booked.fills["offset"].tolist() == ["open", "open", "close", "close_today"]
    assert booked.fills["lots"].tolist() == [2, 3, 2, 2]
    assert booked.fills["fee"].tolist() == [12.0, 18.0, 12.0, 0.0]


def test_lots_of_yesterday_never_pay_todays_fee():
    held = trades((0, "si2408", "buy", "open", 2, 12000), (1, "si2408", "sell", "close", 2, 12000))
    booked = book(held, STEADY, {**PLAIN, "fee": 1e-4, "fee_close_today": 5e-4})
    assert booked.fills["fee"].tolist() == [12.0, 12.0]


def test_what_is_closed_today_can_be_opened_again():
    again = trades(
        (0, "si2408", "buy", "open", 2, 12000),
        (1, "si2408", "sell", "close", 2, 12020),
        (1, "si2408", "buy", "open", 2, 12020),
        (1, "si2408", "sell", "close", 2, 12030),
    )
    booked = book(again, STEADY, PLAIN)
    assert booked.fills["offset"].iloc[-1] == "close_today"
    assert booked.statement["equity"].iloc[-1] == 1_000_300


def test_every_fee_is_rounded_half_up_by_itself():
    # 12,050 × 5 × 0.0001 = 6.025
    half = trades(*[(0, "si2408", "buy", "open", 1, 12050)] * 3)
    booked = book(half, STEADY, {"fee": 1e-4})
    assert booked.fills["fee"].tolist() == [6.03] * 3
    assert booked.statement["fees"].iloc[0] == 18.09


def test_without_terms_those_of_the_day_hold():
    booked = book(ROUND, STEADY, account=sibt.Account(fee_markup=2.0, broker_margin=0.05))
    assert booked.fills["fee"].tolist() == [47.96, 48.08]
    life = sibt.contract("si2408")
    rate = life.product.margin_rate("si2408", DAYS, "individual")[0]
    assert booked.statement["margin"].iloc[0] == pytest.approx(240_000 * (rate + 0.05))


def test_a_series_of_settlements_is_for_the_one_contract_traded():
    assert book(ROUND, STEADY["si2408"], PLAIN).statement.equals(
        book(ROUND, STEADY, PLAIN).statement
    )


def test_two_contracts_share_one_account():
    prices = settled(si2408=[12000] * 4, si2409=[12500, 12600, 12600, 12600])
    spread = trades(
        (0, "si2408", "sell", "open", 2, 12000), (0, "si2409", "buy", "open", 2, 12500)
    )
    booked = book(spread, prices, PLAIN)
    assert booked.statement["mtm"].tolist() == [0, 1000, 0, 0]
    assert booked.statement["margin"].tolist() == [24_500, 24_600, 24_600, 24_600]


@pytest.mark.parametrize("matching", ["fifo", "today_first"])
def test_profit_does_not_depend_on_which_lots_go_first(matching):
    mixed = trades(
        (0, "si2408", "buy", "open", 3, 12000),
        (1, "si2408", "buy", "open", 3, 12040),
        (1, "si2408", "sell", "close", 4, 12050),
        (2, "si2408", "sell", "close", 2, 12000),
    )
    booked = book(mixed, STEADY, PLAIN, matching=matching)
    # 4 × 12,050 + 2 × 12,000 − 3 × 12,000 − 3 × 12,040, of 5 t
    assert booked.statement["equity"].iloc[-1] == 1_000_000 + 5 * (48_200 + 24_000 - 72_120)


class TestTheLedgerBooksTheSame:
    """A run's own fills, booked one by one, give its equity."""

    def test_to_the_fen(self):
        from markets import market, simulate

        panel = market(si2408=[12000, 12005, 12110, 11995, 12050, 12305])
        terms = {"fee": 1.3e-4, "fee_close_today": 2e-4, "margin": 0.11}
        run = simulate(panel, [3, -2, None, 5, 0], {"si2408": 1}, terms=terms, slippage=1)
        fills = run.fills.assign(offset=run.fills["offset"].str.replace("_today", ""))
        booked = book(fills[list(COLUMNS)], panel.frame("settle"), terms)
        for column in ("mtm", "fees", "equity", "margin"):
            assert booked.statement[column].tolist() == run.statement[column].tolist()
        assert booked.fills["fee"].tolist() == run.fills["fee"].tolist()


def test_the_fills_of_a_run_booked_as_trades_come_to_the_same_statement():
    """`book` and the ledger are two ways through one set of rules."""
    market = sibt.load_market("sample")
    run = sibt.run("short_rallies", market, {"rally": "zscore", "variant": "near_month"})
    result = run.result
    trades = result.fills.assign(offset=result.fills["offset"].str.replace("_today", ""))
    columns = list(result.job.contracts)
    at = [market.column(code) for code in columns]
    settle = pd.DataFrame(market.settle[:, at], index=market.sessions, columns=columns).ffill()
    booked = sibt.book(trades, settle, account=result.job.account)
    for name in ("mtm", "fees", "equity", "margin"):
        assert booked.statement[name].round(2).equals(result.statement[name].round(2)), name
