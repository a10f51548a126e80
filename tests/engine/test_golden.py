"""The worked examples of the ledger, to the fen, through the public names."""

import pandas as pd
import pytest
from markets import bar, by_session, fills, flat, golden, market, shortfalls, simulate, units

import sibt
from sibt.engine import metrics


def exact(value):
    """Return an expected amount of yuan, to half a fen."""
    return pytest.approx(float(value), abs=0.005)


def terms_of(case):
    return {"fee": float(case["inputs"]["fee_rate"])}


def statement(result, column, expected, days):
    """Say that a column of the statement is what the example says, day by day."""
    sessions = result.statement.index
    for day, value in expected.items():
        assert result.statement[column][sessions[days.index(day)]] == exact(value), day


def fees(result):
    return result.fills["fee"].tolist()


class TestTakeProfitAndReverse:
    case = golden("g01")
    days = tuple(row["day"] for row in case["inputs"]["bars"])

    @pytest.fixture
    def panel(self):
        rows = [{k: v for k, v in row.items() if k != "day"} for row in self.case["inputs"]["bars"]]
        return market(si2411=rows, first="2024-05-06")

    def run(self, panel, wishes, limits=None):
        given = self.case["inputs"]
        return simulate(
            panel,
            wishes,
            {"si2411": 1},
            limits=limits,
            terms={**terms_of(self.case), "margin": float(given["margin_rate"])},
            account={"capital": given["init_equity"]},
            slippage=given["slip_ticks"],
        )

    def expect(self, result, expected):
        signed = {"sell_open": -1, "buy_close": 1, "buy_open": 1}
        assert fills(result) == [
            (self.days.index(day), "si2411", way.split("_")[1], signed[way] * lots, price)
            for day, way, lots, price, _ in expected["fills"]
        ]
        assert fees(result) == [float(fee) for *_, fee in expected["fills"]]
        assert result.metrics["fees"] == exact(expected["fees_total"])
        statement(result, "equity", expected["equity"], self.days)
        statement(result, "margin", expected.get("margin", {}), self.days)

    def test_a_close_at_the_level_reverses_at_the_next_open(self, panel):
        level, lots = self.case["inputs"]["tp_level"], self.case["inputs"]["lots"]
        reached = (panel.close[:, 0] <= level).cumsum() > 0
        result = self.run(panel, [lots if there else -lots for there in reached])
        expected = self.case["expected"]["A"]
        self.expect(result, expected)
        trips = result.round_trips
        assert trips["gross"].tolist() == [
            float(expected["gross_closed_short"]),
            float(expected["gross_open_long"]),
        ]
        assert trips["exit"].isna().tolist() == [False, True]

    def test_a_resting_limit_reverses_at_the_level_itself(self, panel):
        level, lots = float(self.case["inputs"]["tp_level"]), self.case["inputs"]["lots"]
        result = self.run(panel, [-lots] + [lots] * 5, [None] + [level] * 5)
        self.expect(result, self.case["expected"]["B"])


class TestReverseSpread:
    case = golden("g02")
    days = ("D1", "D2", "D3", "D4", "D5")

    @pytest.mark.parametrize(
        ("relief", "margin"), [(False, "margin_gross"), (True, "margin_larger_leg")]
    )
    def test_two_legs_are_booked_to_the_fen(self, relief, margin):
        given, expected = self.case["inputs"], self.case["expected"]
        legs = {"si2411": "near", "si2412": "far"}
        panel = market(
            "2024-06-03",
            **{
                code: [None] + [bar(row["open"], settle=row["settle"]) for row in given[name]]
                for code, name in legs.items()
            },
        )
        lots = given["lots"]
        result = simulate(
            panel,
            [-lots, None, None, 0, None],
            {"si2411": 1, "si2412": -1},
            terms={**terms_of(self.case), "margin": float(given["margin_rate_near"])},
            account={"capital": given["init_equity"], "spread_relief": relief},
            slippage=given["slip_ticks"],
        )
        code = {name: code for code, name in legs.items()}
        assert fills(result) == [
            (
                self.days.index(day),
                code[leg],
                way.split("_")[1],
                lots if way.startswith("buy") else -lots,
                price,
            )
            for day, leg, way, price, _ in expected["fills"]
        ]
        assert fees(result) == [float(fee) for *_, fee in expected["fills"]]
        statement(result, "equity", expected["equity"], self.days)
        statement(result, "margin", expected[margin], self.days)
        trip = result.round_trips.iloc[0]
        assert trip["entry_spread"] == -expected["entry_spread_far_minus_near"]
        assert trip["exit_spread"] == -expected["exit_spread_far_minus_near"]
        assert trip["gross"] == exact(expected["gross"])
        assert trip["fees"] == exact(expected["fees_total"])
        assert trip["net"] == result.metrics["net"] == exact(expected["net"])


class TestMarginCall:
    case = golden("g03")
    days = ("D0", "D1", "D2", "D3")

    def run(self, capital):
        given = self.case["inputs"]
        settle = given["settle"]
        slip = 5 * given["slip_ticks_forced"]
        panel = market(
            si2408=[
                None,
                bar(12000 + slip, settle=settle["D1"]),
                bar(settle=settle["D2"]),
                bar(given["open"]["D3"], settle=settle["D3"]),
            ]
        )
        return simulate(
            panel,
            [-10],
            {"si2408": 1},
            terms={**terms_of(self.case), "margin": float(given["margin_rate"])},
            account={"capital": capital},
            slippage=given["slip_ticks_forced"],
        )

    def test_a_call_closes_the_fewest_lots_at_the_next_open(self):
        expected = self.case["expected"]
        result = self.run(self.case["inputs"]["init_equity"])
        for column in ("equity", "margin", "available", "margin_call"):
            statement(result, column, expected[column], self.days)
        assert fills(result) == [
            (1, "si2408", "open", -10, 12000.0),
            (3, "si2408", "close", expected["forced_close_lots"]["D3"], expected["forced_fill"]),
        ]
        assert fees(result)[-1] == float(expected["forced_fee"])
        assert result.fills["reason"].tolist() == ["signal", "margin call"]

    def test_the_opening_test_carries_as_many_lots_as_margin_and_fee_allow(self):
        result = self.run(70_000)
        most = self.case["expected"]["max_lots_openable_with_70000"]
        assert fills(result)[0] == (1, "si2408", "open", -most, 12000.0)
        assert shortfalls(result)[0] == (1, "si2408", -10, -most, "margin")


class TestCloseToday:
    case = golden("g04")

    @pytest.mark.parametrize(("matching", "name"), [("fifo", "FIFO"), ("today_first",) * 2])
    @pytest.mark.parametrize("rate", case["inputs"]["fee_rate_close_today"])
    def test_lots_of_today_pay_their_own_fee(self, matching, name, rate):
        given, expected = self.case["inputs"], self.case["expected"][name]
        panel = market(si2408=list(given["settle"].values()))
        sessions = dict(zip(given["settle"], panel.sessions, strict=True))
        trades = pd.DataFrame(
            [
                (sessions[day], "si2408", *way.split("_"), lots, price)
                for day, way, lots, price in given["trades"]
            ],
            columns=["session", "contract", "side", "offset", "lots", "price"],
        )
        booked = sibt.book(
            trades,
            panel.frame("settle"),
            {"fee": float(given["fee_rate_open"]), "fee_close_today": float(rate), "margin": 0.1},
            account=sibt.Account(capital=given["init_equity"]),
            matching=matching,
        )
        closed = booked.fills[booked.fills["offset"] != "open"].set_index("offset")["lots"]
        assert closed["close"] == expected["lots_closed"]["yesterday"]
        assert closed["close_today"] == expected["lots_closed"]["today"]
        equity = booked.statement["equity"]
        assert equity.iloc[0] == exact(self.case["expected"]["FIFO"]["equity_D1"])
        assert equity.iloc[1] == exact(expected["equity_D2"][rate])
        assert booked.positions["si2408"].tolist() == [6, 3]


class TestRoll:
    case = golden("g05")
    days = ("eve", "D0", "D1", "D2", "D3")

    def test_both_contracts_trade_in_one_session_and_the_gap_is_no_profit(self):
        given, expected = self.case["inputs"], self.case["expected"]
        slip = 5 * given["slip_ticks"]
        entry = given["entry_fill_near_D0"] + slip
        near, far = given["near_settle"], given["far_settle"]
        panel = market(
            si2406=[
                None,
                bar(entry, settle=near["D0"]),
                bar(settle=near["D1"]),
                bar(given["near_open"]["D2"], settle=near["D2"]),
                None,
            ],
            si2408=[
                None,
                None,
                bar(settle=far["D1"]),
                bar(given["far_open"]["D2"], settle=far["D2"]),
                bar(settle=far["D3"]),
            ],
        )
        result = simulate(
            panel,
            [-given["lots"]],
            {"si": (["si2406", None, "si2408"], 1)},
            terms=terms_of(self.case),
            account={"capital": given["init_equity"]},
            slippage=given["slip_ticks"],
        )
        code = {"near": "si2406", "far": "si2408"}
        assert fills(result)[1:] == [
            (
                self.days.index(day),
                code[leg],
                way.split("_")[1],
                given["lots"] if way.startswith("buy") else -given["lots"],
                price,
            )
            for day, leg, way, price, _ in expected["fills"]
        ]
        assert fees(result)[1:] == [float(fee) for *_, fee in expected["fills"]]
        assert result.metrics["fees"] == exact(expected["fees_total"])
        statement(result, "equity", expected["equity"], self.days)
        later = result.statement["mtm"].iloc[2:].sum()
        assert later == exact(expected["ledger_mtm_after_D0_ex_fees"])
        assert len(result.round_trips) == 1


class TestLimitUp:
    case = golden("g07")

    def test_a_locked_session_fills_no_buy_and_the_order_carries_over(self):
        given, expected = self.case["inputs"], self.case["expected"]
        rows = [{k: v for k, v in row.items() if k != "day"} for row in given["bars"]]
        panel = market(si2408=[None, bar(12005, settle=12000), *rows])
        limit = by_session(panel, [None, None, *map(float, given["limit_pct"].values())])
        opening_fee = 12000 * 25 * float(given["fee_rate"])
        result = simulate(
            panel,
            [-5, 0],
            {"si2408": 1},
            terms={**terms_of(self.case), "price_limit": limit},
            account={"capital": given["equity_D1"] + opening_fee},
            slippage=given["slip_ticks"],
        )
        days = ("D0", "D1", "D2", "D3")
        ((day, way, lots, price, fee),) = expected["fills"]
        assert fills(result)[1:] == [(days.index(day), "si2408", way.split("_")[1], lots, price)]
        assert fees(result)[1:] == [float(fee)]
        assert shortfalls(result) == [(2, "si2408", 5, 0, "limit")]
        statement(result, "equity", expected["equity"], days)
        for side in ("limit_up", "limit_down"):
            band = getattr(result.job.prices, side)[2:, 0].tolist()
            assert band == list(expected[side].values())


class TestVolumeCap:
    case = golden("g08")
    days = ("D1", "D2", "D3", "D4")

    def run(self, **volumes):
        given = self.case["inputs"]
        panel = market(
            **{
                code: [None]
                + [
                    bar(given["open"][day], settle=given["settle"][day], volume=volume[day])
                    for day in self.days[1:]
                ]
                for code, volume in volumes.items()
            }
        )
        return simulate(
            panel,
            [-given["order_lots"]],
            dict(zip(volumes, (1, -1), strict=False)),
            terms=terms_of(self.case),
            account={"capital": given["init_equity"]},
            participation=float(given["cap"]),
            slippage=given["slip_ticks"],
        )

    def test_an_order_fills_as_volume_allows(self):
        given, expected = self.case["inputs"], self.case["expected"]
        result = self.run(si2408=given["volume"])
        assert fills(result) == [
            (self.days.index(day), "si2408", "open", -lots, expected["fill_price"][day])
            for day, lots in expected["lots"].items()
        ]
        assert fees(result) == [float(fee) for fee in expected["fees"].values()]
        statement(result, "equity", expected["equity"], self.days)
        assert result.round_trips["entry_spread"][0] == exact(expected["vwap_fill"])

    def test_a_pair_fills_as_its_thinner_leg_allows(self):
        given, expected = self.case["inputs"], self.case["expected"]
        result = self.run(si2408=given["volume"], si2409=given["spread_variant_far_volume"])
        held = -result.statement["units"]
        paired = expected["spread_variant_paired_lots"]
        assert held.diff().dropna().tolist() == list(paired.values())
        wanted = result.unfilled[result.unfilled["session"] == held.index[-1]]
        short = (wanted["wanted"] - wanted["filled"]).abs().tolist()
        assert short == [expected["spread_variant_unfilled"]] * 2
        assert wanted["reason"].tolist() == ["pair", "volume"]


class TestDeliveryMonth:
    case = golden("g09")

    def run(self, opening):
        given = self.case["inputs"]
        last = given["last_allowed_day"]
        entry = given["prev_settle"]
        panel = market(
            "2024-04-26",
            si2405=[
                flat(entry),
                bar(entry - 5, settle=entry),
                bar(opening, close=last["close"], settle=last["settle"]),
                flat(last["settle"]),
            ],
        )
        assert f"{panel.sessions[2]:%Y-%m-%d}" == last["day"]
        fee = entry * 40 * float(given["fee_rate"])
        return simulate(
            panel,
            [8],
            {"si2405": 1},
            terms=terms_of(self.case),
            account={"capital": given["equity_prev"] + fee, "kind": "individual"},
            slippage=given["slip_ticks"],
        )

    def test_a_natural_person_is_out_at_the_last_open_before_the_delivery_month(self):
        expected = self.case["expected"]["A_close_at_open_of_last_allowed_day"]
        result = self.run(self.case["inputs"]["last_allowed_day"]["open"])
        assert fills(result)[1:] == [(2, "si2405", "close", -8, expected["fill"])]
        assert fees(result)[1:] == [float(expected["fee"])]
        assert result.statement["equity"].iloc[2] == exact(expected["equity"])
        assert units(result) == [0, 8, 0, 0]

    def test_what_cannot_fill_there_leaves_at_that_settlement(self):
        expected = self.case["expected"]["B_cash_settle_at_last_settlement"]
        result = self.run(None)
        assert fills(result)[1:] == [(2, "si2405", "close", -8, expected["price"])]
        assert fees(result)[1:] == [float(expected["fee"])]
        assert result.statement["equity"].iloc[2] == exact(expected["equity"])
        assert result.fills["reason"].iloc[1] == "exit date, at settlement"
        assert any("si2405 could not be closed on 2024-04-30" in said for said in result.warnings)

    @pytest.mark.parametrize(
        ("code", "day"), case["expected"]["last_trading_day_10th_of_month"].items()
    )
    def test_the_last_trading_day_is_the_tenth_session_of_the_month(self, code, day):
        assert f"{sibt.contract(code.lower()).last_trading:%Y-%m-%d}" == day

    @pytest.mark.parametrize(
        ("code", "day"), case["expected"]["last_day_before_delivery_month"].items()
    )
    def test_the_last_day_of_a_natural_person_is_the_session_before_the_month(self, code, day):
        life = sibt.contract(code.lower())
        assert f"{life.last_natural:%Y-%m-%d}" == day
        assert life.exit_session("individual") == life.last_natural


class TestMetrics:
    case = golden("g16")
    returns = pd.Series([float(r) for r in case["inputs"]["returns"]])
    expected = case["expected"]

    @pytest.mark.parametrize(
        ("sessions", "name"),
        [(252, "sharpe_252"), (242, "sharpe_242"), (365, "sharpe_365_vectorbt_default")],
    )
    def test_sharpe_by_sessions_a_year(self, sessions, name):
        sharpe = metrics.sharpe(self.returns, sessions)
        assert sharpe == pytest.approx(float(self.expected[name]), abs=1e-6)

    def test_the_default_year_has_242_sessions(self):
        assert metrics.sharpe(self.returns) == metrics.sharpe(self.returns, 242)
        sd = float(self.expected["sd"])
        assert metrics.volatility(self.returns) == pytest.approx(sd * 242**0.5, abs=1e-5)

    def test_sortino_takes_losses_over_all_sessions(self):
        sortino = metrics.sortino(self.returns, 252)
        assert sortino == pytest.approx(float(self.expected["sortino_252"]), abs=1e-6)

    def test_drawdown_and_return_are_compounded(self):
        drawdown, total = float(self.expected["max_drawdown"]), self.expected["total_return"]
        assert metrics.max_drawdown(self.returns) == pytest.approx(drawdown, abs=1e-12)
        assert metrics.total_return(self.returns) == pytest.approx(float(total), abs=1e-6)
