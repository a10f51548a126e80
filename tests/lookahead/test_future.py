"""Another future: plausible, the same up to its day, and no decision before it may move."""

import numpy as np
import pandas as pd
import pytest
from subjects import market, steps, subject

import sibt
from sibt.lookahead.another import another
from sibt.lookahead.future import future, telling
from sibt.lookahead.parts import Part, blank, mixed, parts
from sibt.market.panel import FIELDS

ROW = 300


@pytest.fixture(scope="module")
def sample():
    return sibt.load_market("sample")


@pytest.fixture(scope="module")
def other(sample):
    return another(sample, ROW, 1)


# -- The other market --------------------------------------------------------------------------


def test_it_is_the_same_market_up_to_its_day(sample, other):
    day = sample.sessions[ROW]
    assert other.asof(day).digest == sample.asof(day).digest
    assert other.digest != sample.digest
    assert other.sessions is sample.sessions
    assert other.contracts == sample.contracts


def test_the_same_seed_is_the_same_market_and_another_seed_another(sample, other):
    assert another(sample, ROW, 1).digest == other.digest
    assert another(sample, ROW, 2).digest != other.digest


def test_nearly_every_price_after_it_is_another(sample, other):
    for name in FIELDS[:5]:
        mine, theirs = getattr(sample, name)[ROW + 1 :], getattr(other, name)[ROW + 1 :]
        known = ~np.isnan(mine)
        assert (mine[known] != theirs[known]).mean() > 0.95, name
    assert (other.spot[ROW + 1 :] != sample.spot[ROW + 1 :]).mean().min() > 0.9


def test_what_is_unknown_stays_unknown(sample, other):
    for name in FIELDS:
        np.testing.assert_array_equal(np.isnan(getattr(other, name)),
                                      np.isnan(getattr(sample, name)))  # fmt: skip
    assert other.receipts.isna().equals(sample.receipts.isna())
    assert other.spot.isna().equals(sample.spot.isna())


def test_prices_keep_to_ticks_and_to_their_range(sample, other):
    after = sample.sessions[ROW + 1 :]
    tick = sample.product("si").tick(after)[:, None]
    for name in FIELDS[:5]:
        values = getattr(other, name)[ROW + 1 :]
        known = ~np.isnan(values)
        assert (np.abs(values / tick - np.rint(values / tick))[known] < 1e-9).all()
        assert (values[known] > 0).all()
    low, high = other.low[ROW + 1 :], other.high[ROW + 1 :]
    known = ~np.isnan(low)
    for name in ("open", "close", "settle"):
        values = getattr(other, name)[ROW + 1 :]
        assert (values[known] >= low[known]).all()
        assert (values[known] <= high[known]).all()


def test_daily_returns_stay_within_a_limit_and_go_both_ways(sample):
    ends = []
    for seed in range(8):
        close = another(sample, ROW, seed).close[ROW:]
        steps_ = np.diff(np.log(close), axis=0)
        assert np.nanmax(np.abs(steps_)) < 0.06
        ends.append(np.nanmean(steps_))
    assert min(ends) < 0 < max(ends)


def test_volume_and_open_interest_are_whole_and_other_contracts_lead(sample, other):
    for name in ("volume", "open_interest"):
        values = getattr(other, name)[ROW + 1 :]
        known = values[~np.isnan(values)]
        assert (known >= 0).all()
        assert (known == np.rint(known)).all()
    led = sample.dominant(standard="2022"), other.dominant(standard="2022")
    assert led[0][: ROW + 1].equals(led[1][: ROW + 1])
    assert not led[0].equals(led[1])


def test_terms_after_its_day_are_others_and_those_before_are_not(sample, other):
    rates = [
        m.product("si").margin_rate("si2409", m.sessions, "individual") for m in (sample, other)
    ]
    np.testing.assert_array_equal(*[rate[: ROW + 1] for rate in rates])
    # Until the stages before delivery, which hold whatever the rate is.
    assert (rates[0][ROW + 1 : ROW + 20] != rates[1][ROW + 1 : ROW + 20]).all()


def test_series_that_were_published_stay_and_later_ones_do_not():
    on = market(si2409=steps(14_000, each=20), series=[("a", 2, 3, 10.0), ("a", 5, 9, 12.0)])
    theirs = another(on, 5, 0).series
    assert theirs["value"].iloc[0] == 10.0
    assert theirs["value"].iloc[1] != 12.0
    assert theirs.drop(columns="value").equals(on.series.drop(columns="value"))


def test_it_can_begin_in_the_first_session_and_end_before_the_last(sample):
    assert another(sample, 0).asof(sample.sessions[0]).digest == sample.asof(
        sample.sessions[0]).digest  # fmt: skip
    last = len(sample.sessions) - 1
    assert another(sample, last).digest == sample.digest


# -- Parts of it -------------------------------------------------------------------------------


def test_a_part_is_changed_and_nothing_else(sample, other):
    got = mixed(sample, other, ROW, [Part("close", "si2409")])
    at = sample.column("si2409")
    np.testing.assert_array_equal(got.close[ROW + 1 :, at], other.close[ROW + 1 :, at])
    rest = np.delete(got.close, at, axis=1), np.delete(sample.close, at, axis=1)
    np.testing.assert_array_equal(*rest)
    for name in FIELDS:
        if name != "close":
            assert getattr(got, name) is getattr(sample, name)
    assert got.spot.equals(sample.spot)


def test_a_part_may_end_with_a_session(sample, other):
    got = mixed(sample, other, ROW, [Part("spot 553"), Part("receipts")], ROW + 2)
    inside = slice(ROW + 1, ROW + 3)
    assert got.spot["553"][inside].equals(other.spot["553"][inside])
    assert got.receipts[inside].equals(other.receipts[inside])
    assert got.spot["553"][ROW + 3 :].equals(sample.spot["553"][ROW + 3 :])
    assert got.spot["421"].equals(sample.spot["421"])


def test_all_parts_together_are_the_other_market():
    on = market(si2409=steps(14_000, each=20), si2410=steps(14_100, each=20),
                spot=steps(15_000, each=20), receipts=steps(100, each=20),
                series=[("a", 2, 3, 10.0), ("a", 5, 9, 12.0), ("b", 5, 15, 12.0)])  # fmt: skip
    for theirs in (another(on, 8), blank(on, 8)):
        assert mixed(on, theirs, 8, parts(on, 8)).digest == theirs.digest


def test_a_blank_future_holds_nothing(sample):
    empty = blank(sample, ROW)
    assert not empty.traded()[ROW + 1 :].any()
    assert empty.spot[ROW + 1 :].isna().all(axis=None)
    assert empty.asof(sample.sessions[ROW]).digest == sample.asof(sample.sessions[ROW]).digest


# -- The check ---------------------------------------------------------------------------------

WAVE = [14_000.0 + 100 * (-1) ** (t // 3) + 10 * t for t in range(60)]
MARKET = market(si2409=WAVE, si2410=[c + 100 for c in reversed(WAVE)])


def test_an_honest_strategy_passes(tmp_path):
    units = "return (market.frame('close')['si2409'].diff() > 0).astype(float)"
    assert list(future(subject(tmp_path, units, MARKET))) == []


def test_a_decision_that_follows_the_next_close_is_named(tmp_path):
    units = "c = market.frame('close')['si2409']\nreturn (c.shift(-1) > c).astype(float)"
    (leak,) = future(subject(tmp_path, units, MARKET), draws=4)
    assert (leak.check, leak.grave) == ("future", True)
    assert (leak.input, leak.contract) == ("close", "si2409")
    at = MARKET.sessions.get_loc(leak.day)
    assert leak.seen == MARKET.sessions[at + 1]


def test_every_input_that_leaks_is_named_once(tmp_path):
    units = """
        c = market.frame("close")
        rises = c["si2409"].shift(-1) > c["si2409"]
        heavy = market.frame("volume")["si2410"].shift(-2) > 1010
        return rises.astype(float) + heavy.astype(float)
    """
    leaks = list(future(subject(tmp_path, units, MARKET), draws=4))
    assert {(leak.input, leak.contract) for leak in leaks} == {
        ("close", "si2409"), ("volume", "si2410")}  # fmt: skip
    assert len(leaks) == 2


def test_margins_of_coming_sessions_are_terms(tmp_path):
    units = """
        rate = market.product("si").margin_rate("si2409", market.sessions, "individual")
        ahead = pd.Series(rate, market.sessions).shift(-5)
        return (ahead.fillna(rate[-1]) > rate).astype(float)
    """
    leaks = list(future(subject(tmp_path, units, MARKET), draws=4))
    assert [(leak.input, leak.contract) for leak in leaks] == [("terms", "si2409")]


def test_a_strategy_that_counts_the_contracts_to_come_is_named(tmp_path):
    on = market(si2409=steps(14_000, each=40), si2410=[None] * 30 + steps(14_000, each=10))
    units = "return pd.Series(float(len(market.contracts)), market.sessions)"
    (leak,) = future(subject(tmp_path, units, on))
    assert (leak.input, leak.day) == ("contracts", on.sessions[0])
    by_code = "market.column('si2410')\nreturn pd.Series(1.0, market.sessions)"
    assert list(future(subject(tmp_path, by_code, on))) == []


def test_a_strategy_that_fails_on_other_prices_is_noted(tmp_path):
    units = f"""
        assert market.close[-1, 0] == {WAVE[-1]}, "I know how it ends"
        return pd.Series(0.0, market.sessions)
    """
    (leak,) = future(subject(tmp_path, units, MARKET), rows=[10, 20])
    assert not leak.grave
    assert "it fails on 4 of 4 markets" in leak.sentence
    assert "I know how it ends" in leak.sentence


def test_the_telling_days_hold_the_changes_of_a_wish_and_the_report(tmp_path):
    units = "return pd.Series(np.arange(len(market.sessions)) // 7 % 2.0, market.sessions)"
    known = f"{MARKET.sessions[40]:%Y-%m-%d}"
    rows = telling(subject(tmp_path, units, MARKET, known_from=known), 40)
    assert {7, 6, 14, 13, 49, 48} <= set(rows)
    assert {38, 39, 40, 41, 42} <= set(rows)
    assert rows == sorted(set(rows))
    assert min(rows) == 0
    assert max(rows) == 58


def test_the_same_question_finds_the_same_leaks(tmp_path):
    units = "c = market.frame('close')['si2409']\nreturn (c.shift(-1) > c).astype(float)"
    one, other = (list(future(subject(tmp_path, units, MARKET))) for _ in range(2))
    assert one == other
    assert all(isinstance(leak.day, pd.Timestamp) for leak in one)
