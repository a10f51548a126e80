"""Cash a hedge calls for: closed forms, a slow twin, the ledger's own word, and bad input."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.simulate import simulate
from sibt.errors import DataError, SettingError
from sibt.hedging.bootstrap import block_of, stationary_draws
from sibt.hedging.cash import FEWEST, PERCENTILES, RATE, cash_at_risk
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

#: From the listing of si2410 to its last trading day.
DAYS = calendar.sessions()
DAYS = DAYS[(DAYS >= "2024-02-23") & (DAYS <= "2024-10-21")]
#: The session of the first fill in most tests: 2024-06-24, in force 7/9/8.
BEGIN = int(DAYS.searchsorted(pd.Timestamp("2024-06-24")))
PLAIN = {"margin": 0.10, "fee": 0.0, "price_limit": 1.0}


def market_of(days=DAYS, interest=None, **prices):
    """Return a market of flat bars; `prices` by contract, a number or one a session."""
    columns = [np.broadcast_to(np.asarray(p, float), len(days)) for p in prices.values()]
    price = np.column_stack(columns)
    held = np.full(price.shape, 1e6) if interest is None else np.column_stack(interest)
    return Market(
        sessions=days, contracts=tuple(prices),
        **{name: price.copy() for name in FIELDS[:5]},
        volume=np.full(price.shape, 1e7), open_interest=held,
        spot=pd.DataFrame(index=days), receipts=pd.Series(np.nan, index=days),
    )  # fmt: skip


def hedged(market, lots=-100, begin=BEGIN, legs=None, terms=PLAIN, last=None, **account):
    """Return a result that wishes for so many lots, to be filled from session `begin` on."""
    units = pd.Series(0.0, index=market.sessions)
    units.iloc[begin - 1 : last] = lots
    return simulate(
        market, units, legs or {"si2410": 1},
        account=Account(**({"kind": "hedger", "capital": 1e8} | account)),
        execution=Execution(slippage=0, participation=None), terms=terms,
    )  # fmt: skip


def walk(seed=1, days=DAYS, drift=0.0, spread=0.015):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, spread, len(days) - 1)
    return np.round(12_000 * np.concatenate(([1.0], np.cumprod(1 + steps + drift))), 2)


# -- Closed forms -----------------------------------------------------------------------------


def test_without_volatility_the_cash_is_the_dated_margin():
    result = hedged(market_of(si2410=12_000.0), terms={"price_limit": 1.0, "fee": 0.0})
    risk = cash_at_risk(result, paths=50)
    worth = 100 * 5 * 12_000
    cash = risk.fan[99]
    # Hedging rates of GFEX_SI.md §2: 8 % after 2024-06-21, 10 % from the eve of the 15th session
    # of September, 20 % from the eve of October, nothing on the last trading day.
    assert cash[:"2024-09-20"].eq(0.08 * worth).all()
    assert cash["2024-09-23":"2024-09-27"].eq(0.10 * worth).all()
    assert cash["2024-09-30":"2024-10-18"].eq(0.20 * worth).all()
    assert cash["2024-10-21"] == 0.0
    assert (risk.fan.to_numpy() == cash.to_numpy()[:, None]).all()
    assert risk.initial == 0.08 * worth
    assert risk.peak(0.95) == risk.peak(0.99) == risk.worst == risk.needed_peak == 0.20 * worth
    assert risk.beyond(0.95) == pytest.approx(0.12 * worth)
    assert (risk.chance(0.20 * worth), risk.chance(0.20 * worth - 1)) == (0.0, 1.0)
    assert (risk.sessions[0], risk.sessions[-1]) == (DAYS[BEGIN], DAYS[-1])


def test_a_holiday_step_is_charged_on_its_day():
    """Standard 2024, whose contract of December is far from delivery on National Day."""
    days = calendar.sessions()
    days = days[(days >= "2024-04-17") & (days <= "2024-11-15")]
    market = market_of(days, si2412=12_000.0)
    begin = int(days.searchsorted(pd.Timestamp("2024-08-01")))
    result = hedged(market, begin=begin, legs={"si2412": 1}, terms={"price_limit": 1.0})
    cash = cash_at_risk(result, paths=10).fan[50] / (100 * 5 * 12_000)
    np.testing.assert_allclose(cash[:"2024-09-26"], 0.08)
    np.testing.assert_allclose(cash["2024-09-27":"2024-09-30"], 0.10)
    np.testing.assert_allclose(cash["2024-10-08":], 0.08)


def test_prices_that_rise_by_one_percent_a_day_cost_a_short_hedge_what_the_formula_says():
    prices = 10_000 * 1.01 ** np.arange(len(DAYS))
    risk = cash_at_risk(hedged(market_of(si2410=prices)), paths=20, drift=True)
    worth = 100 * 5 * prices[BEGIN]
    n = len(risk.sessions)
    level = 1.01 ** np.arange(n)
    cash = 0.10 * worth * level + worth * (level - 1)
    cash[-1] = worth * (level[-1] - 1)  # flat on the last trading day
    for percentile in PERCENTILES:
        np.testing.assert_allclose(risk.fan[percentile], cash, rtol=1e-6)
    np.testing.assert_allclose(risk.historical, cash.max(), rtol=1e-6)
    # The ledger counts prices in whole fen.
    np.testing.assert_allclose(risk.needed, cash, rtol=1e-5)
    assert risk.beyond(0.95) == pytest.approx(cash.max() - 0.10 * worth)


def test_the_trend_is_taken_off_unless_it_is_asked_for():
    prices = 10_000 * 1.01 ** np.arange(len(DAYS))
    risk = cash_at_risk(hedged(market_of(si2410=prices)), paths=20)
    np.testing.assert_allclose(risk.peaks, risk.initial, rtol=1e-4)
    falls, plain = (
        cash_at_risk(hedged(market_of(si2410=walk(drift=drift))), paths=50)
        for drift in (-0.004, 0.0)
    )
    np.testing.assert_allclose(
        falls.peaks / falls.initial, plain.peaks / plain.initial, rtol=1e-4
    )


def test_a_hand_case_of_given_lots():
    prices = np.full(len(DAYS), 10_000.0)
    prices[BEGIN + 1 :] = [11_000.0, 9_900.0, *[9_900.0] * (len(DAYS) - BEGIN - 3)]
    result = hedged(market_of(si2410=prices))
    lots = pd.DataFrame({"si2410": [-10.0, -20.0, -20.0, 0.0]}, index=DAYS[BEGIN : BEGIN + 4])
    risk = cash_at_risk(result, lots, paths=5, past_only=False)
    # 50 t, then 100 t; margin 10 %; +1,000 costs 50,000, −1,100 gives 110,000.
    assert risk.needed.tolist() == [50_000.0, 110_000.0 + 50_000, 99_000.0 + 50_000 - 110_000,
                                    50_000.0 - 110_000]  # fmt: skip
    assert risk.needed_peak == 160_000.0
    # The stretch of the data that begins on that day is this run's own. A day earlier the rise
    # meets twice the lots: 100,000 paid and 110,000 of margin.
    assert risk.historical[DAYS[BEGIN]] == pytest.approx(160_000.0)
    assert risk.worst == pytest.approx(210_000.0)
    assert risk.worst_start == DAYS[BEGIN - 1]


def test_cost_is_the_peak_held_ready_for_the_whole_hedge():
    risk = cash_at_risk(hedged(market_of(si2410=walk())), paths=50)
    assert risk.days == (DAYS[-1] - DAYS[BEGIN]).days
    assert risk.cost(0.95) == pytest.approx(risk.peak(0.95) * RATE * risk.days / 365)
    dear = cash_at_risk(hedged(market_of(si2410=walk())), paths=50, rate=2 * RATE)
    assert dear.cost(0.99) == pytest.approx(2 * risk.cost(0.99))


# -- A slow twin ------------------------------------------------------------------------------


def twin(lots, sizes, rates, changes, draws, start):
    """Cash of one path, session by session and contract by contract, from the definition."""
    price = dict(start)
    held = dict.fromkeys(lots.columns, 0)
    paid, cash = 0.0, []
    for t, day in enumerate(lots.index):
        if t:
            for code, before in price.items():
                price[code] = before * (1 + changes[draws[t - 1]])
                paid += -held[code] * sizes * (price[code] - before)
        held = lots.loc[day].to_dict()
        margin = sum(abs(held[c]) * sizes * price[c] * rates[c][t] for c in price)
        cash.append(margin + paid)
    return cash


def two_months(seed=3):
    """A hedge that rolls from si2409 into si2410, listed a month later, under dated terms."""
    days = calendar.sessions()
    days = days[(days >= "2024-01-22") & (days <= "2024-10-21")]
    near, far = walk(seed, days), walk(seed + 1, days)
    far[days < "2024-02-23"] = np.nan
    near[days > "2024-09-13"] = np.nan
    passes = days < "2024-06-03"
    interest = np.where(passes, 2e5, 1e5), np.where(passes, 1e5, 2e5)
    market = market_of(days, interest, si2409=near, si2410=far)
    roll, begin = (int(days.searchsorted(pd.Timestamp(d))) for d in ("2024-08-15", "2024-05-20"))
    codes = pd.Series(np.where(np.arange(len(days)) < roll, "si2409", "si2410"), index=days)
    wish = pd.Series(0.0, index=days)
    wish.iloc[begin:] = -40
    wish.iloc[begin + 30 :] = -25
    result = simulate(
        market, wish, {"hedge": (codes, 1)}, account=Account(kind="hedger", capital=1e8),
        execution=Execution(slippage=0, participation=None), terms={"price_limit": 1.0, "fee": 0.0},
    )  # fmt: skip
    return market, result


def test_paths_agree_with_a_slow_twin_over_a_roll():
    market, result = two_months()
    risk = cash_at_risk(result, paths=7, seed=11)
    job, sessions = result.job, risk.sessions
    lots = (result.positions.pivot_table(index="session", columns="contract", values="lots")
            .reindex(sessions).fillna(0))  # fmt: skip
    at = market.sessions.get_indexer(sessions)
    rates = {c: job.terms.margin[at, job.contracts.index(c)] / 1e6 for c in lots.columns}
    settle = market.frame("settle")
    # The dominant contract of the eve: si2409 to the end of May, then si2410.
    changes = []
    for eve, day in zip(market.sessions[:-1], market.sessions[1:], strict=True):
        if day > sessions[0]:
            break
        code = "si2409" if eve < pd.Timestamp("2024-06-03") else "si2410"
        changes.append(settle.at[day, code] / settle.at[eve, code] - 1)
    changes = np.array(changes)
    np.testing.assert_allclose(risk.changes, changes)
    changes -= changes.mean()
    count, steps = len(changes), len(sessions) - 1
    pieces = -(-steps // count)
    draws = stationary_draws(count, 7 * pieces, block_of(count), 11).reshape(7, -1)[:, :steps]
    start = {c: settle.at[sessions[0], c] for c in lots.columns}
    cash = np.array([twin(lots, 5, rates, changes, each, start) for each in draws])
    np.testing.assert_allclose(risk.peaks, cash.max(axis=1))
    np.testing.assert_allclose(risk.fan, np.percentile(cash, PERCENTILES, axis=0).T)
    # Every stretch of the data, drift and all.
    lead = [("si2409" if eve < pd.Timestamp("2024-06-03") else "si2410", eve, day) for eve, day in
            zip(market.sessions[:-1], market.sessions[1:], strict=True)]  # fmt: skip
    every = np.array([settle.at[day, c] / settle.at[eve, c] - 1 for c, eve, day in lead])
    assert len(risk.historical) == len(every) - steps + 1
    for number in (0, 17, len(risk.historical) - 1):
        own = twin(lots, 5, rates, every, range(number, number + steps), start)
        assert risk.historical.iloc[number] == pytest.approx(max(own))
        assert risk.historical.index[number] == market.sessions[number]


def test_a_contract_without_a_price_at_the_start_comes_in_by_the_leading_ones_change():
    days = calendar.sessions()
    days = days[(days >= "2023-10-23") & (days <= "2024-06-14")]
    near, far = np.full(len(days), 10_000.0), np.full(len(days), 13_000.0)
    near[days >= "2024-05-06"] = 11_000.0
    far[days < "2024-02-23"] = np.nan
    market = market_of(days, si2406=near, si2410=far)
    begin, roll = (int(days.searchsorted(pd.Timestamp(d))) for d in ("2024-02-01", "2024-05-20"))
    codes = pd.Series(np.where(np.arange(len(days)) < roll, "si2406", "si2410"), index=days)
    result = hedged(market, -10, begin, {"hedge": (codes, 1)})
    risk = cash_at_risk(result, paths=5)
    # 10 % of 50 t: at 10,000, and after the roll at 13,000 × 10,000 ÷ 11,000, brought back.
    assert risk.initial == pytest.approx(50_000.0)
    assert risk.fan[50].iloc[-1] == pytest.approx(5 * 13_000 / 11_000 * 10_000)


# -- The ledger's own word --------------------------------------------------------------------


def test_the_run_needs_just_the_capital_that_meets_no_margin_call():
    market = market_of(si2410=walk(5))
    need = cash_at_risk(hedged(market, terms={"price_limit": 1.0}), paths=5).needed_peak
    assert need == round(need, 2)
    enough = hedged(market, terms={"price_limit": 1.0}, capital=need)
    short = hedged(market, terms={"price_limit": 1.0}, capital=round(need - 0.01, 2))
    assert enough.metrics["margin_calls"] == 0
    assert short.metrics["margin_calls"] > 0


def test_needed_is_margin_less_what_the_statement_gained():
    _, result = two_months()
    risk = cash_at_risk(result, paths=5)
    table = result.statement.loc[risk.sessions]
    paid = (table["fees"] - table["mtm"]).cumsum()
    np.testing.assert_allclose(risk.needed, table["margin"] + paid, atol=0.005)


def test_given_lots_at_settlements_need_what_the_ledger_fills_there():
    market, result = two_months()
    held = result.booked["positions"].sum(axis=1)
    lots = pd.DataFrame(held, index=market.sessions, columns=list(result.job.contracts))
    given, own = cash_at_risk(result, lots, paths=5), cash_at_risk(result, paths=5)
    np.testing.assert_allclose(given.needed, own.needed, rtol=1e-7)
    assert given.peaks.tobytes() == own.peaks.tobytes()


def test_a_hedge_cut_by_a_margin_call_says_so_first_and_is_measured_whole():
    prices = np.full(len(DAYS), 10_000.0)
    prices[: BEGIN - 5] = walk(2)[: BEGIN - 5]
    prices[BEGIN + 10 :] = 11_000.0
    market = market_of(si2410=prices)
    rich, poor = hedged(market), hedged(market, capital=700_000)
    assert poor.bust is None
    risk = cash_at_risk(poor, paths=50)
    assert (risk.called, risk.closed) == (DAYS[BEGIN + 10], DAYS[BEGIN + 11])
    # 500 t: 700,000 − 500,000 − 550,000.
    assert risk.call == 350_000.0
    assert risk.verdict.startswith("This hedge would have been closed by a margin call")
    whole = cash_at_risk(rich, paths=50)
    assert risk.peaks.tobytes() == whole.peaks.tobytes()
    assert risk.needed_peak == whole.needed_peak == 500_000 + 550_000
    assert whole.verdict == "The account bore this hedge without a margin call."
    assert (whole.called, whole.closed, whole.call) == (None, None, 0.0)


def test_a_call_that_is_paid_is_told_with_its_amount():
    prices = np.where(np.arange(len(DAYS)) < BEGIN + 10, walk(2), 0.0)
    prices[BEGIN:] = 10_000.0
    prices[BEGIN + 10 :] = 10_800.0
    result = hedged(market_of(si2410=prices), capital=900_000, on_call="deposit")
    risk = cash_at_risk(result, paths=5)
    # 900,000 − 400,000 − 540,000.
    assert (risk.called, risk.closed, risk.call) == (DAYS[BEGIN + 10], None, 40_000.0)
    assert "40,000.00 yuan were asked for after" in risk.verdict


def test_lots_that_margin_kept_from_being_opened_are_told_and_counted():
    market = market_of(si2410=walk())
    poor, rich = hedged(market, capital=300_000), hedged(market)
    risk = cash_at_risk(poor, paths=5)
    assert risk.denied == DAYS[BEGIN]
    assert risk.peaks.tobytes() == cash_at_risk(rich, paths=5).peaks.tobytes()


# -- Properties -------------------------------------------------------------------------------


def test_cash_grows_with_the_lots_in_proportion():
    market = market_of(si2410=walk())
    one, two = (cash_at_risk(hedged(market, lots), paths=100) for lots in (-100, -200))
    np.testing.assert_allclose(two.peaks, 2 * one.peaks)
    np.testing.assert_allclose(two.fan, 2 * one.fan)
    assert (two.peaks > one.peaks).all()
    np.testing.assert_allclose(two.historical, 2 * one.historical)


def test_a_long_hedge_gains_where_a_short_one_pays():
    market = market_of(si2410=walk())
    short, long = (cash_at_risk(hedged(market, lots), paths=100) for lots in (-100, 100))
    both = short.fan[50].iloc[0]
    assert long.fan[50].iloc[0] == both
    # Gains cancel and margins add, on every path.
    margin = (short.needed + long.needed) / 2
    held = market.settle[BEGIN:-1, 0] * 500 * 0.10
    np.testing.assert_allclose(margin.iloc[:-1], held, atol=0.01)
    assert not np.allclose(short.peaks, long.peaks)


def test_a_margin_of_more_points_is_needed_from_the_first_session():
    market = market_of(si2410=walk())
    plain = hedged(market, terms={"price_limit": 1.0})
    own, broker = cash_at_risk(plain, paths=50), cash_at_risk(plain, paths=50, broker_margin=0.05)
    worth = 500 * market.settle[BEGIN, 0]
    assert broker.initial - own.initial == pytest.approx(0.05 * worth)
    assert (broker.peaks > own.peaks).all()
    account = hedged(market, terms={"price_limit": 1.0}, broker_margin=0.05)
    assert cash_at_risk(account, paths=50).peaks.tobytes() == broker.peaks.tobytes()
    np.testing.assert_allclose(cash_at_risk(account, paths=5).needed, broker.needed, atol=0.011)


def test_the_notices_other_reading_can_be_asked_for():
    begin = int(DAYS.searchsorted(pd.Timestamp("2024-06-03")))
    result = hedged(market_of(si2410=walk()), begin=begin, terms={"price_limit": 1.0})
    main, other = (cash_at_risk(result, paths=5, open_reading=o) for o in (False, True))
    assert other.initial == pytest.approx(main.initial * 8 / 7)


def test_more_capital_is_called_on_less_often():
    risk = cash_at_risk(hedged(market_of(si2410=walk())), paths=200)
    chances = [risk.chance(k * risk.initial) for k in (0.5, 1.0, 1.5, 2.0, 3.0, 20.0)]
    assert chances == sorted(chances, reverse=True)
    assert (chances[0], chances[-1]) == (1.0, 0.0)
    assert 0 < risk.chance(risk.peak(0.95)) <= 0.05
    assert risk.chance() == risk.chance(1e8) == 0.0
    assert risk.peak(0.99) >= risk.peak(0.95) >= risk.initial


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    result = hedged(market_of(si2410=walk()))
    one, two, other = (cash_at_risk(result, paths=50, seed=seed) for seed in (4, 4, 5))
    assert one.peaks.tobytes() == two.peaks.tobytes()
    assert one.fan.to_csv() == two.fan.to_csv()
    assert one.peaks.tobytes() != other.peaks.tobytes()


def test_the_coverage_of_the_peak_is_near_its_level():
    """Fresh walks of the same law stay within the 95 % peak about 19 times in 20."""
    risk = cash_at_risk(hedged(market_of(si2410=walk(8))), paths=2000)
    n, spread = len(risk.sessions), float(risk.changes.std())
    rng = np.random.default_rng(99)
    level = np.cumprod(1 + rng.normal(0, spread, (4000, n - 1)), axis=1)
    level = np.concatenate([np.ones((4000, 1)), level], axis=1)
    worth = risk.initial / 0.10
    cash = worth * (1.1 * level - 1.0)
    cash[:, -1] -= 0.10 * worth * level[:, -1]
    assert 0.90 < (cash.max(axis=1) <= risk.peak(0.95)).mean() < 0.985


# -- Where the changes come from --------------------------------------------------------------


def test_what_comes_after_the_first_session_does_not_change_the_paths():
    prices = walk()
    later = prices.copy()
    later[BEGIN + 1 :] *= np.linspace(1, 2, len(DAYS) - BEGIN - 1)
    one, two = (hedged(market_of(si2410=p)) for p in (prices, later))
    a, b = cash_at_risk(one, paths=50), cash_at_risk(two, paths=50)
    assert a.peaks.tobytes() == b.peaks.tobytes()
    assert a.changes.index[-1] == DAYS[BEGIN]
    assert "none after the hedge's first session" in a.notes[0]
    c, d = (cash_at_risk(r, paths=50, past_only=False) for r in (one, two))
    assert c.peaks.tobytes() != d.peaks.tobytes()
    assert c.changes.index[-1] == DAYS[-1]
    assert "with hindsight" in c.notes[0]


def test_paths_never_cross_the_line_between_delivery_standards():
    days = calendar.sessions()
    days = days[(days >= "2024-03-15") & (days <= "2024-10-31")]
    new = walk(6, days)
    new[days < "2024-04-17"] = np.nan
    begin = int(days.searchsorted(pd.Timestamp("2024-08-01")))
    calm, wild = (
        hedged(market_of(days, si2411=walk(7, days, spread=spread), si2412=new), begin=begin,
               legs={"si2412": 1})
        for spread in (0.001, 0.08)
    )  # fmt: skip
    one, two = (cash_at_risk(r, paths=50) for r in (calm, wild))
    assert one.peaks.tobytes() == two.peaks.tobytes()
    assert one.changes.index[0] == pd.Timestamp("2024-04-18")


def test_too_short_a_history_is_refused():
    short = hedged(market_of(si2410=walk()), begin=FEWEST - 1)
    with pytest.raises(DataError, match=rf"Only {FEWEST - 1} daily changes .* standard 2022 up to"):
        cash_at_risk(short)
    assert len(cash_at_risk(hedged(market_of(si2410=walk()), begin=FEWEST), paths=5).changes) == 60
    assert cash_at_risk(short, paths=5, past_only=False).changes.size == len(DAYS) - 1


def test_a_session_without_a_settlement_gives_no_change():
    prices = walk()
    prices[20] = np.nan
    risk = cash_at_risk(hedged(market_of(si2410=prices)), paths=5)
    missing = DAYS[1 : BEGIN + 1].difference(risk.changes.index)
    assert missing.tolist() == [DAYS[20], DAYS[21]]


def test_data_shorter_than_the_hedge_have_no_worst_stretch():
    risk = cash_at_risk(hedged(market_of(si2410=walk()), begin=61), paths=20)
    assert len(risk.sessions) - 1 > len(risk.changes)
    # The paths are longer than the history they are drawn from.
    assert len(risk.fan) == len(risk.sessions) == len(DAYS) - 61
    gaps = walk()
    gaps[1:61:2] = np.nan
    long = pd.DataFrame({"si2410": -1.0}, index=DAYS)
    bare = cash_at_risk(hedged(market_of(si2410=gaps)), long, paths=5, past_only=False)
    assert bare.historical.empty
    assert np.isnan(bare.worst)
    assert bare.worst_start is None


# -- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"paths": 0}, "`paths` is 0"),
        ({"rate": -0.1}, "`rate` is -0.1"),
        ({"broker_margin": 5}, "five points being 0.05"),
        ({"capital": 0}, "`capital` is 0"),
    ],
)
def test_a_setting_out_of_range_is_one_sentence(given, said):
    with pytest.raises(SettingError, match=said):
        cash_at_risk(hedged(market_of(si2410=walk())), **given)


@pytest.mark.parametrize(
    ("lots", "said"),
    [
        (pd.DataFrame({"si2411": [1.0]}, index=DAYS[:1]), "'si2411', which the result does not"),
        (pd.DataFrame({"si2410": [1.5]}, index=DAYS[:1]), "not whole"),
        (pd.DataFrame({"si2410": [1.0]}, index=[pd.Timestamp("2024-06-22")]), "no session"),
        (pd.DataFrame({"si2410": [0.0]}, index=DAYS[:1]), "No futures were held"),
    ],
)
def test_lots_that_make_no_sense_are_one_sentence(lots, said):
    with pytest.raises(DataError, match=said):
        cash_at_risk(hedged(market_of(si2410=walk())), lots)


def test_a_result_without_lots_has_no_cash_at_risk():
    with pytest.raises(DataError, match="No futures were held"):
        cash_at_risk(hedged(market_of(si2410=walk()), lots=0))


def test_a_hedge_of_one_session_needs_its_first_margin():
    result = hedged(market_of(si2410=walk()), begin=len(DAYS) - 2)
    market = result.job.market.asof(DAYS[-2])
    risk = cash_at_risk(hedged(market, begin=len(DAYS) - 2), paths=5)
    assert (risk.peaks == risk.initial).all()
    assert len(risk.sessions) == 1
    assert risk.days == 0


def test_nothing_can_be_written_into_it():
    risk = cash_at_risk(hedged(market_of(si2410=walk())), paths=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        risk.capital = 1.0
