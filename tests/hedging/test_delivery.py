"""Delivery: the invoice by hand, beside closing and selling spot, and goods that are gone."""

import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hedges import COLUMNS as TRADES

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.simulate import simulate
from sibt.errors import SettingError, StrategyError
from sibt.hedging import delivery
from sibt.hedging.delivery import COLUMNS, DeliveryTerms, after_delivery, delivered
from sibt.hedging.exposure import Entry, Exposure, Schedule, exposure_of
from sibt.hedging.hedge import Hedge
from sibt.hedging.physical import physical_book
from sibt.language import ZH
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market
from sibt.runs.run import run as run_strategy

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
from random_markets import random_case

DAYS = calendar.sessions()
LAST = {"si2406": "2024-06-17", "si2410": "2024-10-21", "si2412": "2024-12-13"}
PLAIN = {"margin": 0.10, "fee": 0.0001, "price_limit": 1.0}
#: Everything known: no note of what is not.
KNOWN = {"region": 0.0, "storage_days": 0.0, "inspection": 0.0, "loading": 0.0,
         "delivery_fee": 0.0, "storage": 0.0}


def market(code="si2410", *, opens=11_000.0, settle=11_100.0, volume=1e6, spot=None):
    """Return eight sessions around a contract's last trading day, its number 5."""
    at = DAYS.get_loc(pd.Timestamp(LAST[code]))
    days = DAYS[at - 5 : at + 3]
    bars = {name: np.full((8, 1), float(opens)) for name in FIELDS[:5]}
    bars["high"][:] = max(opens, settle)
    bars["low"][:] = min(opens, settle)
    bars["settle"][:] = settle
    cap = np.full((8, 1), 1e6)
    cap[5] = volume
    quotes = {"553": 11_500.0, "421": 13_200.0} if spot is None else {"553": spot}
    return Market(
        sessions=days, contracts=(code,), **bars, volume=cap, open_interest=np.full((8, 1), 1e6),
        spot=pd.DataFrame(quotes, index=days), receipts=pd.Series(np.nan, index=days),
    )


def book(panel, lots, *, legs=None, terms=PLAIN, **execution):
    settings = {"slippage": 0, "participation": None, "at_expiry": "deliver", **execution}
    return simulate(
        panel, pd.Series(float(lots), index=panel.sessions), legs or {panel.contracts[0]: 1},
        account=Account(kind="company", capital=1e8), execution=Execution(**settings), terms=terms,
    )


def only(deliveries):
    [row] = deliveries.table.to_dict("records")
    return row


def stock(panel, tonnes, sales=()):
    """Return goods owned from the first session, and sales as (number of the session, tonnes)."""
    rows = [(panel.sessions[0], "inventory", float(tonnes), np.nan)]
    rows += [(panel.sessions[t], "sale", -float(q), np.nan) for t, q in sales]
    return exposure(panel, rows)


def exposure(panel, rows):
    table = pd.DataFrame(rows, columns=TRADES)
    moved = table.groupby("session")["tonnes"].sum().reindex(panel.sessions, fill_value=0.0)
    return Exposure("553", moved.cumsum().rename("tonnes"), table)


class TestAnInvoiceByHand:
    """24 lots, 120 t of 553, delivered into si2410 at its settlement, 11,100."""

    def test_without_further_costs_it_is_the_settlement(self):
        # Storage from Monday 21 to Thursday 24 October: 3 days × 1 yuan, and the fee of 1 yuan.
        row = only(delivered(book(market(), -26), "553"))
        assert (row["lots"], row["tonnes"]) == (-24, -120.0)
        assert row["invoice"] == 1_332_000.0
        assert row["vat"] == 153_238.94  # 1,332,000 × 13 ÷ 113
        assert row["costs"] == 480.0
        assert row["proceeds"] == 1_331_520.0
        assert row["net"] == 1_178_281.06
        assert row["per_tonne"] == 11_096.0

    def test_every_premium_and_cost_has_its_place(self):
        terms = DeliveryTerms(
            region=-150.0, delivery_fee=1.0, storage=1.2, storage_days=20, inspection=2.5,
            loading=32.0, vat=0.09,
        )
        # 120 t × (11,100 + 2,000 − 150) and 120 t × (1 + 24 + 2.5 + 32).
        row = only(delivered(book(market(), -26), "421", terms))
        assert (row["grade_premium"], row["region"]) == (2_000.0, -150.0)
        assert row["invoice"] == 1_554_000.0
        assert row["costs"] == 7_140.0
        assert row["vat"] == 128_311.93  # 1,554,000 × 9 ÷ 109
        assert row["per_tonne"] == (1_554_000.0 - 7_140.0) / 120

    @pytest.mark.parametrize(
        ("code", "grade", "premium"),
        [("si2410", "553", 0.0), ("si2410", "421", 2_000.0), ("si2412", "553", 0.0),
         ("si2412", "421", 800.0)],
    )  # fmt: skip
    def test_the_premium_of_a_grade_is_that_of_the_contracts_standard(self, code, grade, premium):
        row = only(delivered(book(market(code), -12), grade))
        assert row["grade_premium"] == premium
        assert row["invoice"] == 60 * (11_100.0 + premium)

    def test_the_delivery_price_moves_invoice_and_futures_apart_and_leaves_the_vat(self):
        result = book(market(), -24)
        at_settlement = only(delivered(result, "553"))
        lower = only(delivered(result, "553", DeliveryTerms(delivery_price=11_000.0)))
        assert lower["invoice"] - at_settlement["invoice"] == -12_000.0
        assert lower["futures"] - at_settlement["futures"] == 12_000.0
        assert lower["proceeds"] == at_settlement["proceeds"]
        assert lower["net"] - at_settlement["net"] == pytest.approx(12_000 * 13 / 113, abs=0.006)

    def test_a_buyer_pays_what_a_seller_gets_and_his_own_costs(self):
        row = only(delivered(book(market(), 12), "553", DeliveryTerms(loading=10.0)))
        assert (row["lots"], row["tonnes"]) == (12, 60.0)
        assert row["invoice"] == -666_000.0
        assert row["costs"] == 60 * 14.0
        assert row["per_tonne"] == 11_114.0
        # Closing at 11,000 loses 100 yuan/t against settlement; spot costs 11,500.
        assert row["closed"] == -60 * 11_500.0 - 60 * 100.0 - row["close_fee"]


class TestBesideClosingAndSelling:
    def test_closing_is_at_the_runs_fill_price_and_selling_at_the_quote(self):
        # Buying back at 11,000 + one tick gains 95 yuan/t on the settlement; the fee of all 26
        # lots, 11,005 × 130 t × 1e-4, less that of the two the run closed itself: 143.07 − 11.01.
        row = only(delivered(book(market(), -26, slippage=1), "553"))
        assert row["close_price"] == 11_005.0
        assert row["close_fee"] == 132.06
        assert (row["quoted"], row["spot"]) == (pd.Timestamp(LAST["si2410"]), 11_500.0)
        assert row["sale"] == 1_380_000.0
        assert row["closed"] == 1_391_267.94  # 1,380,000 + 120 t × 95 − 132.06
        assert row["difference"] == -59_747.94
        assert row["difference_per_tonne"] == pytest.approx(row["difference"] / 120)
        assert row["better"] == "close"
        assert row["difference_net"] == pytest.approx(
            row["difference"] - row["vat"] + 1_380_000 * 13 / 113, abs=0.006)

    def test_delivering_wins_where_spot_is_below_the_futures(self):
        spot = np.full(8, 10_000.0)
        row = only(delivered(book(market(spot=spot), -12), "553"))
        # 11,096 against 10,000 + 100, less the fee of 60 t at 11,000.
        assert row["better"] == "deliver"
        assert row["difference"] == 60 * 996.0 + 66.0

    def test_what_the_market_does_not_take_closes_at_settlement(self):
        # Of 24 lots 9 can be bought back beside the two that the run closed.
        row = only(delivered(book(market(volume=11.0), -26, participation=1.0), "553"))
        assert row["close_price"] == (9 * 11_000.0 + 15 * 11_100.0) / 24

    def test_two_legs_in_one_contract_share_what_the_market_takes(self):
        panel = market(volume=15.0)
        codes = pd.Series("si2410", index=panel.sessions)
        result = book(panel, -12, legs={"mine": (codes, 1), "yours": (codes, 1)},
                      pairing="legged", participation=1.0)
        table = delivered(result, "553").table
        assert table["leg"].tolist() == ["mine", "yours"]
        assert table["close_price"].tolist() == [11_000.0, (3 * 11_000.0 + 9 * 11_100.0) / 12]

    def test_a_locked_market_closes_at_settlement(self):
        panel = market(opens=11_550.0, settle=11_550.0)
        terms = {**PLAIN, "price_limit": 0.05}
        settle = panel.settle.copy()
        settle[:5] = 11_000.0
        bars = {name: settle.copy() for name in FIELDS[:5]}
        locked = Market(
            sessions=panel.sessions, contracts=panel.contracts, **bars, volume=panel.volume,
            open_interest=panel.open_interest, spot=panel.spot, receipts=panel.receipts,
        )
        row = only(delivered(book(locked, -12, terms=terms), "553"))
        assert row["close_price"] == row["settlement"] == 11_550.0

    def test_goods_are_sold_at_the_next_quote_where_the_session_has_none(self):
        panel = market(spot=[11_500.0] * 5 + [np.nan, 11_700.0, 11_800.0])
        row = only(delivered(book(panel, -12), "553"))
        assert (row["quoted"], row["spot"]) == (panel.sessions[6], 11_700.0)

    @pytest.mark.parametrize("spot", [[11_500.0] * 5 + [np.nan] * 3])
    def test_without_a_quote_from_then_on_the_difference_is_unknown(self, spot):
        deliveries = delivered(book(market(spot=spot), -12), "553")
        row = only(deliveries)
        assert row["proceeds"] == 60 * 11_096.0
        assert row["better"] is None
        assert np.isnan([row[name] for name in ("spot", "sale", "closed", "difference")]).all()
        assert "no quote of 553 from then on" in deliveries.notes[0]

    def test_it_is_what_the_run_would_have_booked_without_delivery(self):
        panel = market(volume=45.0)
        how = {"participation": 0.3, "slippage": 2}
        row = only(delivered(book(panel, -26, **how), "553"))
        ends = [book(panel, -26, at_expiry=each, **how).statement["equity"].iloc[-1]
                for each in ("close", "deliver")]
        assert ends[0] - ends[1] == pytest.approx(row["closed"] - row["sale"], abs=0.001)


@pytest.mark.parametrize("seed", range(400))
def test_closing_is_what_a_run_that_closes_books(seed, monkeypatch):
    """The ledger itself is the twin: the same run with and without delivery."""
    monkeypatch.setattr(delivery, "_premium", lambda *_: Decimal(0))  # some take no 553
    case = random_case(seed)
    if case["execution"]["at_expiry"] == "close":
        return
    arguments = {name: case[name] for name in ("market", "units", "legs", "limits", "terms")}
    ends = {
        how: simulate(**arguments, account=Account(**case["account"]),
                      execution=Execution(**(case["execution"] | {"at_expiry": how})))
        for how in ("close", "deliver")
    }  # fmt: skip
    table = delivered(ends["deliver"], "553").table
    if table.empty:
        return
    day = table["session"].iloc[0]
    table = table[table["session"] == day]
    # Other legs may fill otherwise where delivered lots tie up margin; then there is no twin.
    rest = {
        how: one.fills[(one.fills["session"] <= day)
                       & ~((one.fills["session"] == day)
                           & one.fills["leg"].isin(table["leg"]))].to_numpy().tolist()
        for how, one in ends.items()
    }  # fmt: skip
    sells = [one.bust is not None and one.bust <= day for one in ends.values()]
    if rest["close"] != rest["deliver"] or any(sells):
        return
    equity = {how: (one.statement["mtm"] - one.statement["fees"])[day] for how, one in ends.items()}
    gained = equity["close"] - equity["deliver"]
    signed = table["tonnes"] * (table["close_price"] - table["settlement"])
    assert gained == pytest.approx((signed - table["close_fee"]).sum(), abs=0.006)


class TestIdentity:
    @pytest.mark.parametrize("price", ["settlement", 10_000.0, 12_345.6])
    @pytest.mark.parametrize("grade", ["553", "421"])
    def test_futures_and_invoice_come_to_entry_price_and_premium_less_costs(self, price, grade):
        # The lots were sold at 11,000, the settlement of 11,100 and the delivery price cancel.
        result = book(market(), -24, terms={**PLAIN, "fee": 0.0})
        terms = DeliveryTerms(delivery_price=price, region=-120.0, inspection=3.3)
        row = only(delivered(result, grade, terms))
        gained = float(result.statement["mtm"].sum()) + row["proceeds"]
        costs = row["costs"] / 120
        assert costs == pytest.approx(1 + 3 + 3.3)
        premium = {"553": 0.0, "421": 2_000.0}[grade]
        assert gained / 120 == pytest.approx(11_000.0 + premium - 120.0 - costs)

    def test_the_effective_price_of_a_hedge_that_delivers_all_is_fixed_at_entry(self):
        panel = market(spot=[11_000.0, 10_900.0, 11_300.0, 10_000.0, 9_000.0, 9_500.0, 9_700.0,
                             9_900.0])  # fmt: skip
        result = book(panel, -24)
        deliveries = delivered(result, "553")
        goods = after_delivery(stock(panel, 120.0), deliveries)
        end = Hedge(physical_book(panel, goods), result).outcome()
        fee = float(result.statement["fees"].sum()) / 120
        assert end.left == 0.0
        assert end.price == pytest.approx(11_000.0 - 4.0 - fee)


class TestGoodsThatAreGone:
    def test_the_sales_next_due_give_way(self):
        # 60 t of 200 t; the 15 t of that session and the 45 t after it are not sold at spot.
        panel = market()
        deliveries = delivered(book(panel, -12), "553")
        goods = stock(panel, 200, [(7, 90), (3, 40), (6, 50), (5, 15)])
        after = after_delivery(goods, deliveries)
        day = panel.sessions[5]
        told = after.trades[["session", "what", "tonnes"]].to_numpy().tolist()[2:]
        assert told == [[day, "delivery", -60.0], [panel.sessions[6], "sale", -5.0],
                        [panel.sessions[7], "sale", -90.0]]
        assert after.trades["price"].dropna().tolist() == [11_096.0]
        assert after.trades["session"].is_monotonic_increasing
        assert after.owned.tolist() == [200, 200, 200, 160, 160, 100, 95, 5]
        assert after.owned[day] == 100.0
        assert after.grade == "553"

    def test_goods_nobody_meant_to_sell_are_delivered_too(self):
        panel = market()
        after = after_delivery(stock(panel, 70), delivered(book(panel, -12), "553"))
        assert after.owned.tolist() == [70] * 5 + [10] * 3

    def test_a_consumer_buys_less_at_spot(self):
        panel = market()
        rows = [(panel.sessions[0], "need", -100.0, np.nan),
                (panel.sessions[6], "purchase", 30.0, 11_400.0),
                (panel.sessions[7], "need", 70.0, np.nan)]
        after = after_delivery(exposure(panel, rows), delivered(book(panel, 12), "553"))
        assert after.trades["what"].tolist() == ["need", "delivery", "need"]
        assert after.trades["tonnes"].tolist() == [-100.0, 60.0, 40.0]
        assert after.owned.tolist() == [-100] * 5 + [-40, -40, 0]

    def test_a_strip_keeps_the_goods_of_later_months_for_their_own_deliveries(self):
        # 300 t a month, each month hedged with its own contract: si2408's delivery must not eat
        # the goods si2410 delivers.
        codes = ("si2408", "si2410")
        days = DAYS[(DAYS >= "2024-08-01") & (DAYS <= "2024-10-31")]
        bars = {name: np.full((len(days), 2), 11_000.0) for name in FIELDS}
        panel = Market(
            sessions=days, contracts=codes, **bars,
            spot=pd.DataFrame({"553": 11_500.0}, index=days),
            receipts=pd.Series(np.nan, index=days),
        )
        goods = Schedule(tuple(
            Entry("output", pd.Period(month, "M"), 300.0) for month in ("2024-08", "2024-10")
        )).exposure(panel)
        wish = pd.DataFrame({"si2408": -24.0, "si2410": -24.0}, index=days)
        result = book_by_leg(panel, wish)
        deliveries = delivered(result, "553")
        assert deliveries.table["contract"].tolist() == ["si2408", "si2410"]
        after = after_delivery(goods, deliveries)
        monthly = after.trades.assign(month=after.trades["session"].dt.month)
        sums = monthly[monthly["what"] != "output"].groupby(["month", "what"])["tonnes"].sum()
        assert sums.round(6).to_dict() == {
            (8, "delivery"): -120.0, (8, "sale"): -180.0,
            (10, "delivery"): -120.0, (10, "sale"): -180.0,
        }  # fmt: skip
        assert after.owned.iloc[-1] == pytest.approx(0.0, abs=1e-5)

    def test_more_than_is_owned_is_refused_by_date(self):
        panel = market()
        deliveries = delivered(book(panel, -24), "553")
        after_delivery(stock(panel, 150, [(4, 30), (5, 10)]), deliveries)
        said = r"120 t of si2410 are delivered on 2024-10-21, but only 119 t are owned then"
        with pytest.raises(StrategyError, match=said):
            after_delivery(stock(panel, 150, [(4, 31), (5, 10)]), deliveries)

    def test_a_seller_who_needs_goods_and_a_buyer_who_needs_none_are_refused(self):
        panel = market()
        need = exposure(panel, [(panel.sessions[0], "need", -100.0, np.nan)])
        with pytest.raises(StrategyError, match="but only 0 t are owned"):
            after_delivery(need, delivered(book(panel, -12), "553"))
        with pytest.raises(StrategyError, match="but only 0 t are needed"):
            after_delivery(stock(panel, 100), delivered(book(panel, 12), "553"))

    def test_without_deliveries_goods_are_what_they_were(self):
        panel = market()
        goods = stock(panel, 100, [(5, 50)])
        after = after_delivery(goods, delivered(book(panel, -11), "553"))
        assert after is goods

    @pytest.mark.parametrize("seed", range(150))
    def test_random_goods_add_up_and_are_never_below_zero(self, seed):
        rng = np.random.default_rng(seed)
        panel = market(spot=np.where(rng.random(8) < 0.3, np.nan, 10_000 + 10.0 * rng.integers(99)))
        side, rows, left = int(rng.choice([1, 1, -1])), [], 0.0
        come, go = ("inventory", "output", "purchase"), "sale"
        if side < 0:
            come, go = ("need",), "need"
        for t in np.sort(rng.integers(0, 8, 12)).tolist():
            if left > 0 and rng.random() < 0.5:
                q = left if rng.random() < 0.2 else left * float(rng.random())
                rows.append((panel.sessions[t], go, -side * q, np.nan))
                left -= q
            else:
                q = float(rng.integers(1, 400)) / 3
                rows.append((panel.sessions[t], str(rng.choice(come)), side * q, np.nan))
                left += q
        goods = exposure(panel, rows)
        day = panel.sessions[5]
        going = goods.trades[(goods.trades["session"] == day) & (goods.trades["what"] == go)
                             & (np.sign(goods.trades["tonnes"]) == -side)]["tonnes"].sum()
        there = abs(goods.owned[day] - going)
        units = int(there // 60)
        if not units:
            return
        deliveries = delivered(book(panel, -side * 12 * units), "553")
        after = after_delivery(goods, deliveries)
        assert (side * after.owned >= -1e-6).all()
        assert after.owned[: panel.sessions[4]].equals(goods.owned[: panel.sessions[4]].round(9))
        sums = after.trades.groupby("session")["tonnes"].sum()
        rebuilt = sums.reindex(panel.sessions, fill_value=0.0).cumsum()
        assert after.owned.to_numpy() == pytest.approx(rebuilt.to_numpy(), abs=1e-5)
        came = goods.trades[np.sign(goods.trades["tonnes"]) == side]
        still = after.trades[np.sign(after.trades["tonnes"]) == side]
        assert came["tonnes"].tolist() == pytest.approx(still["tonnes"].tolist())
        # What is delivered is sold less, or else kept less.
        sold, sells = (
            -side * each.loc[np.sign(each["tonnes"]) == -side, "tonnes"].sum()
            for each in (goods.trades, after.trades)
        )
        later = goods.trades[(goods.trades["session"] >= day) & (goods.trades["what"] == go)
                             & (np.sign(goods.trades["tonnes"]) == -side)]["tonnes"].abs().sum()
        assert sells - sold == pytest.approx(max(60 * units - later, 0.0), abs=1e-5)
        with pytest.raises(StrategyError, match="2024-10-21"):
            after_delivery(goods, delivered(book(panel, -side * 12 * (units + 1)), "553"))


def book_by_leg(panel, wish):
    return simulate(
        panel, wish, dict.fromkeys(panel.contracts, 1),
        account=Account(kind="hedger", capital=1e8),
        execution=Execution(slippage=0, participation=None, pairing="legged",
                            at_expiry="deliver"),
        terms=PLAIN,
    )


class TestWhatIsSaid:
    def test_a_delivery_is_never_silent(self):
        deliveries = delivered(book(market(), -26), "553", DeliveryTerms(**KNOWN))
        assert deliveries.notes == (
            ("24 lots of si2410 were delivered on 2024-10-21: 120 t of 553 for 11,100.00 yuan/t"
             " after costs; against closing at 11,000.00 and spot at 11,500.00, the quote of"
             " 2024-10-21, that is -59,868.00 yuan"),
            "2 lots of si2410 kept for delivery were closed on 2024-10-21: it takes 12 to deliver",
        )

    def test_lots_that_make_no_unit_are_named(self):
        assert delivered(book(market(), -11), "553").notes == (
            "11 lots of si2410 kept for delivery were closed on 2024-10-21: it takes 12 to deliver",
        )
        # Units of 8 lots: 24 lots are the least that makes whole ones.
        notes = delivered(book(market(), -2, legs={"si2410": 8}), "553").notes
        assert notes[0].startswith("16 lots")
        assert notes[0].endswith("it takes 24 to deliver")

    def test_lots_the_strategy_let_go_are_not(self):
        panel = market()
        wish = pd.Series([-26.0] * 4 + [-12.0] + [0.0] * 3, index=panel.sessions)
        result = simulate(
            panel, wish, {"si2410": 1}, account=Account(kind="company", capital=1e8),
            execution=Execution(at_expiry="deliver"), terms=PLAIN,
        )
        notes = delivered(result, "553", DeliveryTerms(**KNOWN)).notes
        assert len(notes) == 1
        assert notes[0].startswith("12 lots")

    def test_the_rest_of_a_roll_was_kept_for_no_delivery(self):
        # 5 of 24 lots do not get out of si2410 on its last trading day; si2411 goes on.
        panel = market(volume=19.0)
        two = {name: np.repeat(getattr(panel, name), 2, axis=1) for name in FIELDS}
        panel = Market(
            sessions=panel.sessions, contracts=("si2410", "si2411"), **two, spot=panel.spot,
            receipts=panel.receipts,
        )
        codes = pd.Series(["si2410"] * 4 + ["si2411"] * 4, index=panel.sessions)
        result = book(panel, -24, legs={"hedge": (codes, 1)}, participation=1.0)
        assert result.fills["reason"].tolist()[1:4] == ["roll", "roll", "exit date, at settlement"]
        assert delivered(result, "553").notes == ()

    def test_a_margin_call_on_the_eve_is_told(self):
        # 24 lots; the call of the eve leaves 23 or fewer, of which 12 are delivered.
        panel = market()
        settle = panel.settle.copy()
        settle[4:] = 11_300.0
        bars = {name: getattr(panel, name) for name in FIELDS} | {"settle": settle}
        panel = Market(sessions=panel.sessions, contracts=panel.contracts, **bars, spot=panel.spot,
                       receipts=panel.receipts)
        result = simulate(
            panel, pd.Series(-24.0, index=panel.sessions), {"si2410": 1},
            account=Account(kind="company", capital=150_000.0),
            execution=Execution(slippage=0, participation=None, at_expiry="deliver"), terms=PLAIN,
        )
        assert result.statement["margin_call"].gt(0).tolist() == [False] * 4 + [True] + [False] * 3
        assert delivered(result, "553", DeliveryTerms(**KNOWN)).notes[1] == (
            "12 lots of si2410 kept for delivery were closed on 2024-10-21: a margin call or lots"
            " of older contracts stood in the way"
        )

    def test_what_is_not_known_is_named(self):
        *_, said = delivered(book(market(), -12), "553").notes
        assert said == (
            "not known of deliveries, and counted as 0: storage before the last trading day,"
            " inspection, loading in and out, premium of the region"
        )

    def test_it_is_said_in_chinese_too(self):
        sold, short, unknown = map(ZH, delivered(book(market(), -26), "553").notes)
        assert sold.startswith("si2410 有 24 手于 2024-10-21 交割：553 共 120 吨")
        assert short == "为交割保留的 2 手 si2410 已于 2024-10-21 平仓：至少 12 手才能交割"
        assert unknown.endswith("最后交易日之前的仓储费、质检费、出入库费、地区升贴水")

    def test_a_run_that_closes_says_nothing(self):
        deliveries = delivered(book(market(), -26, at_expiry="close"), "553")
        assert deliveries.table.empty
        assert tuple(deliveries.table.columns) == COLUMNS
        assert deliveries.notes == ()

    def test_a_buyer_is_told_that_the_seller_chooses(self):
        notes = delivered(book(market(), 12), "553").notes
        assert "taken delivery of" in notes[0]
        assert "the seller chooses the grade, 553 is assumed" in notes[0]


class TestRefusals:
    def test_a_grade_the_contract_does_not_take(self):
        said = "grade '441' cannot be delivered into si2410, which takes 553, 421; set at"
        with pytest.raises(StrategyError, match=said):
            delivered(book(market(), -12), "441")

    def test_one_price_for_two_contracts(self):
        days = DAYS[(DAYS >= "2024-08-01") & (DAYS <= "2024-10-31")]
        bars = {name: np.full((len(days), 2), 11_000.0) for name in FIELDS}
        panel = Market(
            sessions=days, contracts=("si2408", "si2410"), **bars,
            spot=pd.DataFrame({"553": 11_500.0}, index=days),
            receipts=pd.Series(np.nan, index=days),
        )
        result = book_by_leg(panel, pd.DataFrame(-12.0, index=days, columns=panel.contracts))
        with pytest.raises(SettingError, match="si2408 and si2410 were delivered"):
            delivered(result, "553", DeliveryTerms(delivery_price=11_000.0))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"delivery_price": "settle"}, "`delivery_price` is 'settle'; give a number, or settl"),
            ({"delivery_price": 0.0}, "a price above zero"),
            ({"delivery_price": -1.0}, "`delivery_price` is -1.0; give zero or more"),
            ({"region": float("nan")}, "`region` is nan; give a number, or none"),
            ({"storage": -1.0}, "`storage` is -1.0"),
            ({"vat": 13.0}, "such as 0.13"),
        ],
    )
    def test_terms_that_cannot_be(self, given, said):
        with pytest.raises(SettingError, match=said):
            DeliveryTerms(**given)

    def test_a_discount_of_a_region_is_none_of_them(self):
        assert DeliveryTerms(region=-150.0).region == -150.0


class TestAProducerOnTheSample:
    @pytest.fixture(scope="class")
    def runs(self):
        return {
            how: run_strategy("producer_hedge", params={"program": "always"},
                              execution=Execution(at_expiry=how))
            for how in ("close", "deliver")
        }

    def test_the_two_runs_differ_by_what_the_table_says(self, runs):
        table = delivered(runs["deliver"].result, "553").table
        [row] = table.to_dict("records")
        assert (row["contract"], row["lots"]) == ("si2410", -96)
        ends = {how: run.result.statement["equity"].iloc[-1] for how, run in runs.items()}
        gained = row["closed"] - row["sale"]
        assert ends["close"] - ends["deliver"] == pytest.approx(gained, abs=0.001)

    def test_the_hedges_differ_by_the_spot_the_goods_were_not_sold_at(self, runs):
        # The goods not sold from that session on are those delivered; the rest sells as before.
        deliveries = delivered(runs["deliver"].result, "553")
        [row] = deliveries.table.to_dict("records")
        panel = runs["close"].market
        goods = exposure_of(runs["close"].hedge.book.tonnes, "553", panel)
        after = after_delivery(goods, deliveries)
        ends = [physical_book(panel, each).sold["value"].sum() for each in (goods, after)]
        quotes = panel.spot["553"].bfill()
        due = goods.trades[goods.trades["session"] >= row["session"]]
        left = 480.0
        missed = 0.0
        for sale in due.itertuples():
            part = min(left, -sale.tonnes)
            missed += part * quotes[sale.session]
            left -= part
        assert left == pytest.approx(0.0, abs=1e-9)
        assert ends[1] - ends[0] == pytest.approx(row["proceeds"] - missed, abs=0.5)
        assert (after.owned >= 0.0).all()
