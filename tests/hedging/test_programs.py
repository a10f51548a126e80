import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.engine.execution import Execution
from sibt.errors import SettingError, StrategyError
from sibt.hedging import programs
from sibt.hedging.cover import beyond, wished_tonnes
from sibt.hedging.exposure import Entry, Schedule
from sibt.hedging.ratios.path import Path
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy import wishes
from sibt.strategy.loader import load

ALL = Execution(participation=None)
KNOWN = calendar.sessions()
YEAR = KNOWN[(KNOWN >= "2024-01-01") & (KNOWN <= "2024-12-31")]
CODES = [f"si24{n:02d}" for n in range(5, 12)]


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


# -- Lots --------------------------------------------------------------------------------------

COLUMN = st.lists(st.integers(-4_000, 4_000).map(lambda n: n / 8), min_size=1, max_size=12)
RATIO = st.one_of(st.just(math.nan), st.floats(-0.5, 2.0))


def test_goods_owned_are_sold_and_needs_bought():
    assert programs.lots([100.0, 98.0, 97.0, -100.0, 0.0], 1.0, 5).tolist() == [
        -20, -20, -19, 20, 0]  # fmt: skip
    assert programs.lots([100.0, -100.0], 0.5, 5).tolist() == [-10, 10]


def test_a_half_is_rounded_to_the_even_lot_whatever_noise_made_it():
    noise = np.array([0.0, 1e-9, -1e-9])
    assert programs.lots(12.5 + noise, 1.0, 5).tolist() == [-2, -2, -2]
    assert programs.lots(17.5 + noise, 1.0, 5).tolist() == [-4, -4, -4]


def test_a_ratio_above_one_hedges_all_and_one_below_zero_nothing():
    assert programs.lots([100.0, 100.0, -100.0, -100.0], [1.4, -0.2, 1.4, -0.2], 5).tolist() == [
        -20, 0, 20, 0]  # fmt: skip


def test_where_no_ratio_is_known_nothing_is_decided():
    tonnes = [100.0, 100.0, 100.0, 100.0, 40.0, 100.0, 100.0]
    ratio = [math.nan, math.nan, 0.6, math.nan, math.nan, 0.5, math.nan]
    # None at first; then what was decided stands, as far as there are goods.
    assert programs.lots(tonnes, ratio, 5).tolist() == [0, 0, -12, -12, -8, -10, -10]


@given(COLUMN, st.data())
def test_lots_are_whole_and_never_more_than_the_goods(tonnes, data):
    ratio = data.draw(st.lists(RATIO, min_size=len(tonnes), max_size=len(tonnes)))
    found = programs.lots(tonnes, ratio, 5)
    assert (found == np.rint(found)).all()
    assert not beyond(tonnes, found * 5, 5.0).any()
    assert (found * np.array(tonnes) <= 0).all()
    assert (np.abs(found) * 5 <= np.abs(tonnes) + 2.5 + 1e-5).all()


@given(COLUMN, st.lists(RATIO, min_size=1, max_size=4))
def test_columns_are_those_of_as_many_ratios(tonnes, row):
    wide = programs.lots(tonnes, wishes.scale(np.ones(len(tonnes)), row), 5)
    assert wide.shape == (len(tonnes), len(row))
    for n, ratio in enumerate(row):
        assert wide[:, n].tolist() == programs.lots(tonnes, ratio, 5).tolist()
    columns = np.column_stack([tonnes, np.array(tonnes) * 2])
    both = programs.lots(columns, 0.7, 5)
    assert both[:, 1].tolist() == programs.lots(columns[:, 1], 0.7, 5).tolist()


# -- When --------------------------------------------------------------------------------------


def series(*values):
    return pd.Series(values, YEAR[: len(values)], dtype=float)


def test_a_selective_hedge_is_on_from_high_to_normal():
    signal = series(0.5, 0.8, 0.6, math.nan, 0.4, 0.75)
    assert programs.selective(signal, 0.7, 0.4).tolist() == [0, 1, 1, 1, 0, 1]
    assert programs.selective(signal, 0.7).tolist() == [0, 1, 1, 1, 1, 1]
    both = programs.selective(signal, np.array([0.7, 0.9]), np.array([0.4, 0.4]))
    assert both.T.tolist() == [[0, 1, 1, 1, 0, 1], [0] * 6]


def test_a_layered_hedge_adds_a_tranche_a_step_and_gives_up_all():
    signal = series(0.6, 0.7, 0.75, 0.81, 0.7, 1.0, 0.3)
    assert programs.layered(signal, 0.7, 0.1, 4, 0.4).tolist() == [
        0, 0.25, 0.25, 0.5, 0.5, 1.0, 0]  # fmt: skip
    two = programs.layered(signal, 0.7, 0.1, np.array([1, 2]), 0.4)
    assert two.T.tolist() == [[0, 1, 1, 1, 1, 1, 0], [0, 0.5, 0.5, 1, 1, 1, 0]]


def test_tranches_in_time_come_at_equal_distances():
    days = YEAR[:10]
    assert programs.in_time(days, days[2], 3, 2).tolist() == pytest.approx(
        [0, 0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1, 1, 1])  # fmt: skip
    # By the calendar: a market that begins later is where it would be.
    assert programs.in_time(days[5:], days[2], 3, 2).tolist() == pytest.approx(
        [2 / 3, 1, 1, 1, 1])  # fmt: skip
    for tranches, every in ((3, np.array([1, 2])), (np.array([2, 3]), 2),
                            (np.array([2, 3]), np.array([1, 2]))):  # fmt: skip
        wide = programs.in_time(days, days[2], tranches, every)
        for n in range(2):
            one = [int(np.broadcast_to(x, 2)[n]) for x in (tranches, every)]
            assert wide[:, n].tolist() == programs.in_time(days, days[2], *one).tolist()


# -- In which contracts ------------------------------------------------------------------------


def moves_of(*months, tonnes=100.0):
    plan = Schedule(tuple(Entry("output", pd.Period(f"2024-{n:02d}"), tonnes) for n in months))
    market = load_market("sample")
    cut = market.asof("2024-12-31")
    sessions = cut.sessions[cut.sessions >= YEAR[0]]
    owned = plan.exposure(cut, "2024-04-01").owned[sessions]
    return owned, plan.moves(cut, "2024-04-01"), sessions


def test_each_months_sales_are_hedged_in_the_first_contract_that_outlives_them():
    owned, moves, sessions = moves_of(6, 7)
    table = programs.strip(owned, moves, sessions, CODES, "hedger")
    june, day = calendar.month(2024, 6), pd.Timestamp("2024-04-01")
    last = contract("si2406").last_trading
    before = (june < last).sum() / len(june)
    assert table.loc[day, "si2405"] == 0.0
    assert table.loc[day, "si2406"] == pytest.approx(100.0 * before)
    rest = 100.0 * (1 - before)
    july = calendar.month(2024, 7)
    in_july = 100.0 * (july < contract("si2407").last_trading).sum() / len(july)
    assert table.loc[day, "si2407"] == pytest.approx(rest + in_july)
    assert table.loc[day, "si2408"] == pytest.approx(100.0 - in_july)
    assert table.loc[day, ["si2409", "si2410", "si2411"]].tolist() == [0.0, 0.0, 0.0]
    # As June is sold its contract empties, the others stand.
    assert table.loc[calendar.before(last), "si2406"] == 0.0
    assert table.loc[june[3], "si2408"] == pytest.approx(100.0 - in_july)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(4, 12), min_size=1, max_size=5), st.sampled_from([1.0, -1.0]),
       st.sampled_from(["close", "deliver"]))  # fmt: skip
def test_contracts_of_a_strip_hold_the_goods_and_no_more(months, side, at_expiry):
    owned, moves, sessions = moves_of(*months)
    table = programs.strip(side * owned, side * moves, sessions, CODES, "hedger", at_expiry)
    assert (side * table >= -1e-9).all(axis=None)
    total = table.sum(axis=1)
    last = contract(CODES[-1]).last_trading
    eve = last if at_expiry == "deliver" else calendar.before(last)
    listed = sessions >= contract(CODES[-1]).listed
    np.testing.assert_allclose(total[listed & (sessions < eve)],
                               side * owned[listed & (sessions < eve)], atol=1e-6)  # fmt: skip
    assert (total[sessions >= eve] == 0.0).all()
    mirrored = programs.strip(-side * owned, -side * moves, sessions, CODES, "hedger", at_expiry)
    pd.testing.assert_frame_equal(mirrored, -table)


def test_to_deliver_a_contract_takes_the_sales_of_its_last_day_and_holds_on():
    owned, moves, sessions = moves_of(6)
    last = contract("si2406").last_trading
    close = programs.strip(owned, moves, sessions, CODES, "hedger")
    deliver = programs.strip(owned, moves, sessions, CODES, "hedger", "deliver")
    eve = calendar.before(last)
    assert close.loc[eve, "si2406"] == 0.0
    assert deliver.loc[eve, "si2406"] == pytest.approx(-moves[last])
    assert deliver.loc[last, "si2406"] == 0.0


def test_what_is_never_sold_is_in_the_last_contract():
    sessions = YEAR[(YEAR >= "2024-04-01") & (YEAR <= "2024-06-28")]
    owned = pd.Series(50.0, index=sessions)
    table = programs.strip(owned, pd.Series(dtype=float, index=sessions[:0]), sessions, CODES,
                           "hedger")  # fmt: skip
    assert table["si2411"].tolist() == [50.0] * len(sessions)
    assert (table[CODES[:-1]] == 0.0).all(axis=None)


def test_goods_to_come_are_not_hedged_before_they_are_there():
    sessions = YEAR[(YEAR >= "2024-04-01") & (YEAR <= "2024-08-30")]
    plan = Schedule((
        Entry("purchase", pd.Timestamp("2024-05-06"), 60.0),
        Entry("sale", pd.Timestamp("2024-06-03"), 60.0),
    ))  # fmt: skip
    market = load_market("sample")
    owned = plan.exposure(market).owned[sessions]
    table = programs.strip(owned, plan.moves(market), sessions, CODES, "hedger")
    assert (table.sum(axis=1) == owned).all()
    assert set(table["si2406"]) == {0.0, 60.0}


def test_a_contract_hedges_nothing_before_it_is_listed():
    owned, moves, sessions = moves_of(11)
    owned = owned.where(sessions >= YEAR[0], 0.0) * 0.0 + 100.0
    table = programs.strip(owned, moves, sessions, [*CODES, "si2412"], "hedger")
    listed = contract("si2412").listed
    assert (table.loc[sessions < listed, "si2412"] == 0.0).all()
    assert table.loc[listed, "si2412"] > 0.0


def test_a_strip_of_goods_and_needs_or_of_many_sets_is_refused():
    sessions = YEAR[:3]
    none = pd.Series(dtype=float, index=sessions[:0])
    with pytest.raises(StrategyError, match=r"20 t needed, but 10 t owned on 2024-01-02"):
        programs.strip([10.0, -20.0, 0.0], none, sessions, CODES, "hedger")
    with pytest.raises(StrategyError, match="leg by leg, which a sweep does not book"):
        programs.strip(np.ones((3, 2)), none, sessions, CODES, "hedger")


def test_a_wish_stands_until_it_can_still_be_closed_or_to_the_last_day_to_deliver():
    last = contract("si2410").last_trading
    close = pd.Series(programs.standing("si2410", YEAR, "hedger"), YEAR)
    deliver = pd.Series(programs.standing("si2410", YEAR, "hedger", "deliver"), YEAR)
    own = pd.Series(programs.standing("si2410", YEAR, "individual"), YEAR)
    eve = calendar.before(last)
    assert close.sum() == (eve > YEAR).sum()
    assert deliver.sum() == (last > YEAR).sum()
    assert deliver[eve]
    assert own.sum() == (calendar.before(contract("si2410").last_natural) > YEAR).sum()
    # A cut market cuts it, and changes nothing.
    cut = YEAR[: YEAR.get_loc(eve)]
    assert programs.standing("si2410", cut, "hedger").all()


def test_no_contract_holds_nothing():
    codes = pd.Series([None, "si2410", "si2411"], YEAR[:3], dtype=object)
    assert programs.standing(codes, YEAR[:3], "hedger").tolist() == [False, True, True]


def test_a_stack_is_in_the_contract_that_leads_in_its_standard(sample):
    codes = programs.stack(sample, "si2410")
    assert codes.equals(sample.dominant(standard="2022"))
    assert codes.dropna().max() == "si2411"


# -- Programs of the shipped strategies --------------------------------------------------------


@pytest.mark.parametrize("name", ["producer_hedge", "trader_hedge"])
@pytest.mark.parametrize("program", ["stack", "strip", "layered"])
def test_a_program_hedges_its_share_of_the_goods_and_never_more(sample, name, program):
    done = run(name, sample, {"program": program, "ratio": 0.8}, execution=ALL)
    owned = done.hedge.book.tonnes.to_numpy()
    futures = wished_tonnes(done.result)
    assert not beyond(owned, futures, 5.0).any()
    assert futures.min() < -100
    # 80 %, to half a lot.
    assert (-futures <= 0.8 * owned + 2.5 + 1e-6).all()


def test_lots_of_a_strip_are_in_all_those_of_one_contract(sample):
    strip = run("producer_hedge", sample, {"program": "strip", "ratio": 0.7}, execution=ALL)
    one = run("producer_hedge", sample, {"program": "always", "ratio": 0.7}, execution=ALL)
    assert strip.result.job.execution.pairing == "legged"
    np.testing.assert_array_equal(wished_tonnes(strip.result), wished_tonnes(one.result))
    assert list(strip.result.job.legs) == [f"si24{n:02d}" for n in range(4, 11)]


def test_a_stack_rolls_and_is_out_before_its_standard_ends(sample):
    done = run("producer_hedge", sample, {"program": "stack"}, execution=ALL)
    assert (done.result.fills["reason"] == "roll").sum() > 4
    held = done.result.positions
    assert held["contract"].max() == "si2411"
    assert done.result.unfilled.empty


def test_stack_and_strip_are_held_against_each_other(sample):
    done = run("producer_hedge", sample, {"program": "strip"}, execution=ALL)
    other = run("producer_hedge", sample, {"program": "stack"}, execution=ALL,
                capital=done.result.job.account.capital)  # fmt: skip
    rows = done.comparisons.set_index("name")
    assert list(rows.index) == ["never hedged", "stack"]
    assert rows.loc["stack", "net"] == other.result.metrics["net"]
    assert rows.loc["stack", "hedged"] == pytest.approx(other.hedge.metrics["hedged"], abs=0.005)


def test_a_layered_hedge_is_held_against_a_constant_one_as_large(sample):
    done = run("producer_hedge", sample, {"program": "layered"}, execution=ALL)
    share = done.hedge.average_ratio
    assert f"constant at {share:.0%}" in set(done.comparisons["name"])


def test_a_layered_hedge_is_built_tranche_by_tranche(sample):
    p = {"program": "layered", "tranches": 3, "every": 5}
    done = run("producer_hedge", sample, p, execution=ALL)
    held = done.hedge.table["lots"]["2024-04-01":"2024-04-30"]
    # Before May nothing is sold: 400 lots every fifth session.
    days = calendar.month(2024, 4)
    assert held[days[0]] == -400
    opened = held.diff()[held.diff() != 0].dropna()
    assert opened.tolist() == [-400.0, -400.0]
    assert np.diff(days.searchsorted(opened.index)).tolist() == [5]


# -- Estimated ratios --------------------------------------------------------------------------


def test_an_estimated_ratio_multiplies_the_share(sample, monkeypatch):
    def known(market, code, grade, method):
        assert (code, grade, method) == ("si2410", "421", "min_variance")
        ratio = pd.Series(0.5, index=market.sessions)
        ratio[market.sessions < "2024-04-10"] = math.nan
        ratio[market.sessions >= "2024-05-20"] = 1.6
        ratio[market.sessions >= "2024-06-03"] = -0.1
        return Path(ratio, {"too few points": 7}, pd.DataFrame())

    monkeypatch.setattr(programs, "ratios", known)
    p = {"program": "always", "ratio": 0.8, "ratio_from": "min_variance", "spot_grade": "421"}
    done = run("producer_hedge", sample, p, execution=ALL)
    wish = pd.Series(done.result.want, sample.sessions)
    owned = done.hedge.book.tonnes
    assert (wish[:"2024-04-09"] == 0).all()
    april = wish["2024-04-10":"2024-05-17"]
    np.testing.assert_array_equal(april, -np.rint(np.round(owned[april.index] * 0.4 / 5, 6)))
    may = wish["2024-05-20":"2024-05-31"]
    np.testing.assert_array_equal(may, -np.rint(np.round(owned[may.index] / 5, 6)))
    assert (wish["2024-06-03":] == 0).all()
    said = " | ".join(done.notes)
    with_goods = (owned["2024-03-29":] != 0).sum()
    assert (
        f"no min_variance ratio was known after 6 of {with_goods} sessions with goods (too few"
        " points), and nothing was decided there" in said
    )
    assert f"ratio was above 1 after 10 of {with_goods} sessions" in said
    below = (owned["2024-06-03":] != 0).sum()
    assert f"ratio was below 0 after {below} of {with_goods} sessions" in said


@pytest.mark.parametrize("method", ["min_variance", "ewma"])
def test_a_ratio_knows_only_the_past(sample, method):
    whole = programs.ratios(sample, "si2410", "553", method).ratios
    for day in ("2023-03-01", "2024-03-29", "2024-07-15"):
        cut = programs.ratios(sample.asof(day), "si2410", "553", method).ratios
        pd.testing.assert_series_equal(cut, whole[:day], check_freq=False)
    assert whole["2024-03-29"] == whole["2024-03-29"]


def test_a_ratio_of_one_for_one_is_never_estimated_nor_remarked_on(sample, monkeypatch):
    monkeypatch.setattr(programs, "ratios", None)
    done = run("producer_hedge", sample, {"program": "constant", "ratio": 0.5}, execution=ALL)
    assert not [note for note in done.notes if "ratio" in note]


def test_an_estimated_ratio_for_a_grade_without_quotes_is_refused(sample, tmp_path):
    goods = Schedule((Entry("output", pd.Period("2024-05"), 10.0),), grade="441x")
    with pytest.raises(Exception, match=r"'441x'.*has no quotes"):
        run("producer_hedge", sample, {"ratio_from": "ewma"}, goods=goods)


# -- Goods of the run's own file ---------------------------------------------------------------

OUTPUT = "".join(
    f'[[output]]\nmonth = "2024-{n:02d}"\ntonnes = 1000\n' for n in range(5, 11)
)


@pytest.fixture
def goods(tmp_path):
    path = tmp_path / "goods.toml"

    def written(text):
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize("program", ["timed", "strip", "stack"])
def test_a_file_of_the_strategys_own_goods_gives_the_strategys_own_run(sample, goods, program):
    own = run("producer_hedge", sample, {"program": program})
    found = run("producer_hedge", sample, {"program": program}, goods=goods(OUTPUT))
    assert found.result.fills.equals(own.result.fills)
    # To the fen: equal parts of 1,000 t and 1,000 equal parts are told apart by noise.
    for name in ("physical", "futures", "hedged"):
        assert round(found.hedge.metrics[name], 2) == round(own.hedge.metrics[name], 2)
    assert found.goods.source == "goods.toml"
    assert own.goods is None


def test_a_file_takes_the_place_of_the_strategys_own_goods_and_grade(sample, goods):
    text = 'grade = "421"\n[[inventory]]\nday = 2024-04-10\ntonnes = 100\n'
    done = run("trader_hedge", sample, {"program": "always"}, goods=goods(text), execution=ALL)
    assert done.hedge.book.grade == "421"
    assert done.hedge.book.tonnes["2024-04-09"] == 0.0
    assert (done.hedge.book.tonnes["2024-04-10":] == 100.0).all()
    assert done.result.statement["units"].min() == -20
    assert done.result.fills["session"].iloc[0] == pd.Timestamp("2024-04-11")


def test_needs_in_the_file_are_bought_forward(sample, goods):
    text = "[[need]]\nmonth = '2024-06'\ntonnes = 300\n[[need]]\nmonth = '2024-07'\ntonnes = 300\n"
    for program in ("always", "stack", "strip", "layered"):
        done = run("producer_hedge", sample, {"program": program}, goods=goods(text),
                   execution=ALL)  # fmt: skip
        futures = wished_tonnes(done.result)
        assert futures.max() == pytest.approx(450 if program == "layered" else 600, abs=20)
        assert futures.min() == 0.0
        mirrored = run("producer_hedge", sample, {"program": program}, execution=ALL,
                       goods=goods(text.replace("need", "output")))  # fmt: skip
        np.testing.assert_array_equal(wished_tonnes(mirrored.result), -futures)


def test_goods_owned_before_the_idea_was_known_are_hedged_from_then_on(sample, goods):
    text = (
        "[[inventory]]\nday = 2024-01-15\ntonnes = 100\n"
        "[[sale]]\nmonth = '2024-06'\ntonnes = 100\n"
    )
    for program in ("always", "strip"):
        done = run("producer_hedge", sample, {"program": program}, execution=ALL,
                   goods=goods("known_from = 2024-01-15\n" + text))  # fmt: skip
        assert done.hedge.book.tonnes["2024-01-15"] == 100.0
        assert done.result.fills["session"].iloc[0] == pd.Timestamp("2024-04-01")
        assert wished_tonnes(done.result).min() == -100.0


def test_a_strip_of_a_file_is_in_the_contracts_of_its_own_sales(sample, goods):
    text = "[[output]]\nmonth = '2024-07'\ntonnes = 300\n"
    done = run("trader_hedge", sample, {"program": "strip"}, goods=goods(text), execution=ALL)
    assert set(done.result.positions["contract"]) == {"si2407", "si2408"}


@pytest.mark.parametrize("p", [{}, {"program": "layered", "step": 0.05}])
def test_needs_are_not_timed_by_what_is_read_for_sales(sample, goods, p):
    text = "[[need]]\nmonth = '2024-06'\ntonnes = 300\n"
    with pytest.raises(StrategyError, match=r"reads when to sell, and -300 t are needed"):
        run("producer_hedge", sample, p, goods=goods(text))


def test_goods_for_a_strategy_that_hedges_none_are_refused(sample, goods):
    with pytest.raises(SettingError, match=r"goods\.toml are given, and CalendarReverse does not"):
        run("calendar_reverse", sample, goods=goods(OUTPUT))


def test_delivered_goods_leave_the_book(sample):
    at_end = Execution(participation=None, at_expiry="deliver")
    done = run("producer_hedge", sample, {"program": "always"}, execution=at_end)
    [row] = done.deliveries.table.to_dict("records")
    assert row["tonnes"] == -480.0
    last = contract("si2410").last_trading
    assert done.hedge.book.trades.query("what == 'delivery'")["session"].tolist() == [last]
    assert done.hedge.book.tonnes[last] == pytest.approx(
        run("producer_hedge", sample, {"program": "always"}).hedge.book.tonnes[
            calendar.before(last)] - 480.0)  # fmt: skip
    assert "480 t" in done.deliveries.notes[0]
    assert set(done.deliveries.notes) <= set(done.notes)
    # The wish stood to the last trading day.
    assert done.result.want[sample.sessions.get_loc(last) - 1] == -100


# -- Parameters --------------------------------------------------------------------------------


def test_the_shipped_programs_share_their_choices():
    for name in ("producer_hedge", "trader_hedge"):
        declared = load(name).declared()
        assert declared["program"].choices == programs.PROGRAMS
        assert declared["ratio_from"].choices == programs.RATIOS
    assert programs.RATIOS[:2] == ("naive", "min_variance")
    assert not set(programs.RATIOS) & {"kalman", "ccc", "dcc"}
