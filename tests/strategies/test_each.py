"""What each shipped strategy does by itself, on the sample and on recorded prices."""

import numpy as np
import pandas as pd
import pytest

from sibt.engine.execution import Execution
from sibt.market.contract import contract
from sibt.runs.run import run
from sibt.sources import load_market

AT_CLOSE = Execution(fill="close", slippage=0, participation=None)
ISSUE_TERMS = {"margin": 0.08, "fee": 0.0001, "price_limit": 1}


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


@pytest.fixture(scope="module")
def closes(shared_market):
    return load_market(shared_market / "si_contracts_d1.csv", settle_from="close")


def on(done, name="close"):
    """Return the price of the contract held after each session, NaN where flat."""
    market = done.market
    held = done.result.positions.set_index("session")["contract"]
    return pd.Series(
        [market.frame(name).at[day, code] for day, code in held.items()], index=held.index
    )


# -- calendar_reverse --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reverse(closes):
    return {
        year: run(
            "calendar_reverse", closes, {"year": year}, kind="company", capital=1_000_000,
            execution=AT_CLOSE, terms=ISSUE_TERMS,
        )
        for year in (2023, 2024, 2025)
    }


def test_the_pair_is_sold_and_bought_back_at_the_closes_of_2024(reverse):
    fills = reverse[2024].result.fills
    assert [
        (f"{f.session:%Y-%m-%d}", f.contract, f.side, f.offset, f.lots, f.price)
        for f in fills.itertuples()
    ] == [
        ("2024-05-15", "si2411", "sell", "open", 10, 12050.0),
        ("2024-05-15", "si2412", "buy", "open", 10, 14465.0),
        ("2024-10-31", "si2411", "buy", "close", 10, 10270.0),
        ("2024-10-31", "si2412", "sell", "close", 10, 13130.0),
    ]


def test_the_pair_of_2024_books_to_the_fen(reverse):
    m = reverse[2024].result.metrics
    assert m["fees"] == 249.58
    assert m["net"] == 22_000.42
    assert m["worst_equity"] == 990_117.42


@pytest.mark.parametrize(("year", "change"), [(2023, 470), (2024, 445), (2025, -140)])
def test_each_year_is_one_complete_event_of_a_known_change(reverse, year, change):
    trips = reverse[year].result.round_trips
    assert len(trips) == 1
    assert f"{trips['entry'].iloc[0]:%m-%d}" == "05-15"
    assert f"{trips['exit'].iloc[0]:%m-%d}" == "10-31"
    # The spread is near − far: the trade is short of it and gains what it falls.
    assert trips["entry_spread"].iloc[0] - trips["exit_spread"].iloc[0] == change
    assert trips["gross"].iloc[0] == change * 10 * 5


def test_other_years_are_controls_and_other_pairs_placebos(reverse):
    for year, done in reverse.items():
        roles = done.comparisons.groupby("role")["name"].agg(list)
        others = [y % 100 for y in (2023, 2024, 2025) if y != year]
        assert roles["control"] == [f"si{y}11/si{y}12" for y in others]
        y = year % 100
        assert roles["placebo"] == [
            f"si{y}12/si{y + 1}01",
            f"si{y + 1}01/si{y + 1}02",
            f"si{y + 1}02/si{y + 1}03",
            f"si{y + 1}03/si{y + 1}04",
        ]
        assert done.comparisons["net_per_tonne"].notna().all()
        assert (done.comparisons["round_trips"] == 1).all()


def test_a_control_is_the_run_of_that_year(reverse):
    for year, done in reverse.items():
        for other in set(reverse) - {year}:
            row = done.comparisons.set_index("name").loc[
                f"si{other % 100}11/si{other % 100}12"
            ]
            assert row["net"] == reverse[other].result.metrics["net"]


def test_the_excess_is_over_the_mean_of_the_controls(reverse):
    for done in reverse.values():
        table = done.comparisons
        controls = table.loc[table["role"] == "control", "net_per_tonne"]
        own = done.result.metrics["net_per_tonne"]
        assert own == pytest.approx(done.result.metrics["net"] / 50)
        assert done.excess == pytest.approx(own - controls.mean())


@pytest.mark.parametrize(
    ("month", "legs"),
    [("11", ["si2411", "si2412"]), ("12", ["si2412", "si2501"]), ("01", ["si2501", "si2502"]),
     ("03", ["si2503", "si2504"])],
)
def test_placebos_are_the_adjacent_pairs_that_follow(sample, month, legs):
    done = run("calendar_reverse", sample, {"near_month": month})
    assert list(done.result.job.legs) == legs
    assert done.result.job.ratio.tolist() == [1, -1]


def test_the_pair_is_left_in_the_last_session_a_natural_person_may_hold_it(sample):
    done = run("calendar_reverse", sample, kind="company")
    assert done.result.round_trips["exit"].iloc[0] == contract("si2411").last_natural


def test_a_placebo_is_held_over_the_same_days(sample):
    done = run("calendar_reverse", sample, {"near_month": "01"})
    own = run("calendar_reverse", sample)
    assert done.result.fills["session"].iloc[-1] == own.result.fills["session"].iloc[-1]


def test_a_target_ends_the_trade_in_the_session_after_it_was_reached(closes):
    done = run("calendar_reverse", closes, {"target": -2600.0}, execution=AT_CLOSE)
    spread = closes.spread("si2411", "si2412", cross_standard=True)
    after = spread[spread.index >= pd.Timestamp("2024-05-15")]
    reached = after.index[after <= -2600.0][0]
    at = closes.sessions.get_loc(reached)
    assert done.result.round_trips["exit"].iloc[0] == closes.sessions[at + 1]


def test_a_holding_time_ends_the_trade(closes):
    done = run("calendar_reverse", closes, {"hold": 40}, execution=AT_CLOSE)
    assert done.result.round_trips["sessions"].iloc[0] == pytest.approx(40, abs=1)


def test_the_zscore_enters_only_when_the_pair_is_rich(closes):
    from sibt.strategy import indicators

    done = run("calendar_reverse", closes, {"entry": "zscore", "z": 1.0}, execution=AT_CLOSE)
    z = indicators.zscore(closes.spread("si2411", "si2412", cross_standard=True), 15)
    entry = closes.sessions.get_loc(done.result.round_trips["entry"].iloc[0])
    assert z.iloc[entry - 1] >= 1.0
    assert done.result.round_trips["entry"].iloc[0] > pd.Timestamp("2024-05-14")


def test_a_year_without_data_holds_nothing(sample):
    done = run("calendar_reverse", sample, {"year": 2025})
    assert done.result.fills.empty
    assert done.excess is None
    assert done.result.metrics["net"] == 0


# -- short_rallies -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rallies(closes):
    return run("short_rallies", closes, execution=AT_CLOSE)


def test_a_close_at_the_level_is_sold_in_the_next_session(closes):
    for level in (11_900.0, 12_200.0, 12_500.0):
        done = run("short_rallies", closes, {"level": level}, execution=AT_CLOSE)
        if done.result.fills.empty:
            continue
        first = done.result.fills.iloc[0]
        decided = closes.sessions[closes.sessions.get_loc(first.session) - 1]
        assert first.side == "sell"
        codes = closes.dominant(standard="2022")
        price = closes.frame("close")
        since = closes.sessions[closes.sessions >= pd.Timestamp("2024-03-29")]
        seen = [d for d in since if isinstance(codes[d], str) and price.at[d, codes[d]] >= level]
        assert decided == seen[0]


def test_it_is_short_until_a_close_at_11500_and_then_long(rallies):
    trips = rallies.result.round_trips
    assert trips["units"].tolist() == [-20, 20]
    assert trips["exit"].iloc[0] == trips["entry"].iloc[1]
    turned = rallies.market.sessions.get_loc(trips["exit"].iloc[0]) - 1
    price = on(rallies)
    assert price.iloc[price.index.get_loc(rallies.market.sessions[turned])] <= 11_500
    held_short = price[trips["entry"].iloc[0] : rallies.market.sessions[turned - 1]]
    assert (held_short > 11_500).all()


def test_a_touch_turns_the_position_at_the_level_itself(closes):
    done = run("short_rallies", closes, {"by": "touch"}, execution=AT_CLOSE)
    fills = done.result.fills
    turn = fills[fills["reason"] == "signal"].iloc[1:3]
    assert turn["price"].tolist() == [11_500.0, 11_500.0]
    assert turn["offset"].tolist() == ["close", "open"]
    assert turn["side"].tolist() == ["buy", "buy"]
    day = turn["session"].iloc[0]
    assert closes.bars(turn["contract"].iloc[0]).at[day, "low"] <= 11_500
    by_close = run("short_rallies", closes, execution=AT_CLOSE)
    assert day < by_close.result.round_trips["exit"].iloc[0]


@pytest.mark.parametrize("by", ["close", "touch"])
def test_a_long_side_in_three_steps_begins_with_a_third(closes, by):
    done = run("short_rallies", closes, {"by": by, "tranches": 3}, execution=AT_CLOSE)
    fills = done.result.fills
    first = fills[(fills["side"] == "buy") & (fills["offset"] == "open")
                  & (fills["reason"] == "signal")].iloc[0]
    assert first["lots"] == 20 // 3


@pytest.mark.parametrize("by", ["close", "touch"])
def test_a_long_side_in_steps_only_grows_until_it_is_left(closes, by):
    done = run("short_rallies", closes, {"by": by, "tranches": 3}, execution=AT_CLOSE)
    units = done.result.statement["units"]
    long = units[units > 0]
    assert (long.diff().dropna() >= 0).all()


@pytest.mark.parametrize("kind", ["individual", "company"])
@pytest.mark.parametrize("data", ["sample", "closes"])
def test_it_is_flat_when_the_old_standard_ends(request, data, kind):
    market = request.getfixturevalue(data)
    done = run("short_rallies", market, kind=kind, execution=AT_CLOSE)
    last = contract("si2411").exit_session(kind)
    assert (done.result.statement["units"][last:] == 0).all()
    assert done.result.positions["contract"].max() <= "si2411"


def test_across_the_standard_it_may_hold_on_when_told_to(closes):
    across = Execution(fill="close", slippage=0, participation=None, cross_standard=True)
    # The new standard trades above the old one's level, so that level may not end it.
    done = run("short_rallies", closes, {"long_exit": None}, execution=across)
    assert done.result.positions["contract"].max() >= "si2412"


def test_its_size_is_the_light_share_of_the_capital(closes):
    done = run("short_rallies", closes, execution=AT_CLOSE)
    day = pd.Timestamp("2024-03-29")
    code = closes.dominant(standard="2022")[day]
    rate = contract(code).product.margin_rate(
        code, pd.DatetimeIndex([day]), "individual"
    )[0]
    price = closes.frame("close").at[day, code]
    assert abs(done.result.round_trips["units"].iloc[0]) == np.floor(
        0.10 * 1_000_000 / (price * 5 * rate)
    )


def test_the_field_report_only_sells_the_near_month(closes):
    done = run("short_rallies", closes, {"variant": "near_month"}, execution=AT_CLOSE)
    assert (done.result.round_trips["units"] < 0).all()
    assert done.result.round_trips["entry"].iloc[0] > pd.Timestamp("2024-05-14")


@pytest.mark.parametrize("rally", ["level", "zscore", "percentile", "rise", "pullup"])
def test_every_reading_of_a_rally_runs(sample, rally):
    done = run("short_rallies", sample, {"rally": rally})
    assert done.result.reconcile() <= 0.01


# -- producer_hedge ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def producer(sample):
    return run("producer_hedge", sample, execution=Execution(participation=None))


def test_the_producer_owns_six_months_of_output_and_sells_it_all(producer):
    owned = producer.hedge.book.tonnes
    assert owned[pd.Timestamp("2024-03-28")] == 0
    assert owned[pd.Timestamp("2024-03-29")] == 6_000
    assert (owned["2024-03-29":].diff().dropna() <= 0).all()
    assert owned[pd.Timestamp("2024-10-31")] == 0


@pytest.mark.parametrize("month", range(5, 11))
def test_each_month_sells_its_output(producer, month):
    owned = producer.hedge.book.tonnes
    begun = owned[: f"2024-{month:02d}-01"].iloc[-1] if month == 5 else (
        owned[f"2024-{month - 1:02d}"].iloc[-1]
    )
    assert begun - owned[f"2024-{month:02d}"].iloc[-1] == pytest.approx(1_000)


def test_the_producers_lots_fall_with_its_sales(producer):
    lots = producer.hedge.table["lots"]
    leave = contract("si2410").last_trading
    held = lots["2024-04-02":leave].iloc[:-1]
    assert (held < 0).all()
    assert (held.diff().dropna() >= 0).all()
    assert held.iloc[0] == -1_200
    # The wish is of the evening before.
    owned = producer.hedge.book.tonnes.shift(1)[held.index]
    np.testing.assert_array_equal(held, -np.rint(owned / 5))


def test_a_share_of_the_output_is_hedged_with_that_share_of_lots(sample):
    done = run(
        "producer_hedge", sample, {"ratio": 0.5, "program": "constant"},
        execution=Execution(participation=None),
    )
    assert done.result.statement["units"].min() == -600


def test_the_producer_waits_until_far_over_near_pays_its_share_of_the_carry(sample):
    from sibt.strategy import indicators

    share = indicators.carry_ratio(
        sample.spread("si2404", "si2410"), sample.carry("si2404", "si2410", price="close")
    )["2024-03-29":contract("si2404").last_natural]
    for trigger in (0.6, 0.7, 0.8, 0.9, 1.0, 5.0):
        done = run("producer_hedge", sample, {"trigger": trigger})
        seen = share.index[share >= trigger]
        assert done.result.fills.empty == (len(seen) == 0)
        if len(seen):
            at = sample.sessions.get_loc(seen[0])
            assert done.result.fills["session"].iloc[0] == sample.sessions[at + 1]


def test_a_producer_that_never_hedges_has_the_goods_alone(sample):
    done = run("producer_hedge", sample, {"program": "never"})
    assert done.hedge.metrics["hedged"] == done.hedge.metrics["physical"]
    assert done.hedge.metrics["variance_reduction"] == pytest.approx(0.0)
    assert done.comparisons.empty


def test_the_constant_benchmark_is_hedged_as_much_as_the_timed_run_was(sample):
    done = run("producer_hedge", sample, execution=Execution(participation=None))
    share = done.hedge.average_ratio
    constant = run(
        "producer_hedge", sample, {"program": "constant", "ratio": min(share, 1.0)},
        execution=Execution(participation=None),
        capital=done.result.job.account.capital,
    )
    row = done.comparisons.set_index("name").loc[f"constant at {share:.0%}"]
    assert row["net"] == constant.result.metrics["net"]
    assert row["hedged"] == pytest.approx(constant.hedge.metrics["hedged"], abs=0.005)


def test_the_opposite_reading_decides_otherwise(sample):
    done = run("producer_hedge", sample, {"sign": "opposite"})
    assert done.result.fills.empty


#: Futures, goods and both of runs before programs and schedules were, to the fen.
BEFORE = {
    "producer_hedge": [
        ({}, 7738721.55, -7749198.28, -10476.73),
        ({"program": "constant", "ratio": 0.5}, 4005835.78, -7749198.28, -3743362.50),
        ({"program": "never"}, 0.0, -7749198.28, -7749198.28),
        ({"spot_grade": "421"}, 7738721.55, -7214668.19, 524053.36),
        ({"asof": "2024-05-14"}, 0.0, -4424198.28, -4424198.28),
    ],
    "trader_hedge": [
        ({}, 18372.29, -546666.67, -528294.38),
        ({"program": "always"}, -345834.02, -546666.67, -892500.69),
        ({"signal": "carry"}, 0.0, -546666.67, -546666.67),
        ({"lag": 30, "normal": None, "tonnes": 1717.0, "ratio": 0.8}, 188071.68, -801266.67,
         -613194.99),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "params", "futures", "goods", "both"),
    [(name, *row) for name, rows in BEFORE.items() for row in rows],
)
def test_a_hedge_of_before_comes_to_what_it_came_to(sample, name, params, futures, goods, both):
    m = run(name, sample, params).hedge.metrics
    assert (round(m["futures"], 2), round(m["physical"], 2), round(m["hedged"], 2)) == (
        futures, goods, both)  # fmt: skip


# -- trader_hedge ------------------------------------------------------------------------------


def test_the_trader_sells_its_goods_over_the_lag(sample):
    done = run("trader_hedge", sample)
    owned = done.hedge.book.tonnes
    begin = done.market.sessions.get_loc(pd.Timestamp("2024-03-29"))
    assert owned.iloc[begin - 1] == 0
    assert owned.iloc[begin] == 2_000
    assert owned.iloc[begin + 45] == 0
    np.testing.assert_allclose(owned.iloc[begin : begin + 46].diff().dropna(), -2_000 / 45)


def test_the_trader_is_never_short_of_more_than_it_owns(sample):
    done = run("trader_hedge", sample, execution=Execution(participation=None))
    table = done.hedge.table
    # Half a lot of rounding, and the fill comes a session after the wish.
    assert (-table["lots"] * 5 <= table["tonnes"].shift(1, fill_value=0.0) + 2.5).all()


def test_the_trader_sells_the_far_contract_only(sample):
    done = run("trader_hedge", sample)
    assert set(done.result.fills["contract"]) == {"si2410"}


def test_a_trader_always_hedged_holds_what_it_has_not_sold(sample):
    done = run("trader_hedge", sample, {"program": "always"},
               execution=Execution(participation=None))
    lots = done.hedge.table["lots"]["2024-04-01":"2024-05-31"]
    owned = done.hedge.table["tonnes"].shift(1)[lots.index]
    np.testing.assert_array_equal(lots, -np.rint(owned / 5))
