"""The size of a hedge, worked by hand from the exchange's notices (GFEX_SI.md, sections 1 to 4)."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError, SettingError, TermsError
from sibt.hedging.size import MOVES, size
from sibt.market import calendar
from sibt.market.panel import FIELDS
from sibt.market.product import product
from sibt.sources import load_market

STAGES = ["today", "holiday", "15th session", "delivery month"]


@pytest.fixture(scope="module")
def april():
    """1,000 t, four fifths hedged by si2410 on 2024-04-01 at 12,530."""
    return size(1000, "si2410", 0.8, price=12_530, date="2024-04-01")


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


def stage(found, name, other=False):
    [own] = [s for s in found.stages if (s.name, s.other) == (name, other)]
    return own


def cash(found, move, name="today", standard="exchange"):
    rows = found.moves
    rows = rows[(rows["move"] == move) & (rows["stage"] == name) & (rows["standard"] == standard)]
    return rows.iloc[0]


# -- Worked by hand ---------------------------------------------------------------------------


def test_lots_are_tonnes_by_ratio_in_lots_of_five(april):
    assert (april.lots, april.exact, april.lot) == (160, 160.0, 5)
    assert (april.hedged, april.left) == (800.0, 200.0)
    assert april.worth == 10_024_000.0
    assert april.exit == pd.Timestamp("2024-10-21")


@pytest.mark.parametrize(
    ("name", "since", "rate", "exchange", "broker"),
    [
        # 6/8/7 since 2024-02-19: 7 % of 10,024,000, and 12 %.
        ("today", "2024-04-01", 0.07, 701_680.00, 1_202_880.00),
        # GFEX [2024]250: 9/11/10 from the settlement of 2024-09-27.
        ("holiday", "2024-09-27", 0.10, 1_002_400.00, 1_503_600.00),
        # The 15th session of September is the 24th, charged on its eve.
        ("15th session", "2024-09-23", 0.10, 1_002_400.00, 1_503_600.00),
        # The first session of October is the 8th, after the holiday.
        ("delivery month", "2024-09-30", 0.20, 2_004_800.00, 2_506_000.00),
    ],
)
def test_margin_of_each_stage(april, name, since, rate, exchange, broker):
    own = stage(april, name)
    assert own.since == pd.Timestamp(since)
    assert (own.rate, own.exchange, own.broker) == (rate, exchange, broker)


def test_the_stages_stand_in_order_and_the_dearest_is_known(april):
    assert [s.name for s in april.stages] == STAGES
    assert april.dearest.name == "delivery month"
    assert stage(april, "holiday").why == "a row of the terms: GFEX [2024]250, National Day"


def test_fees_are_a_hundredth_of_a_percent_and_twice_that(april):
    assert april.fees.to_dict("index") == {
        "open": {"exchange": 1002.40, "broker": 2004.80},
        "close": {"exchange": 1002.40, "broker": 2004.80},
    }


@pytest.mark.parametrize(
    ("move", "price", "gain", "today", "broker_in_delivery"),
    [
        # 800 t × 1,253 = 1,002,400; margin 7 % of 11,026,400 is 771,848, 25 % is 2,756,600.
        (0.10, 13_783.0, -1_002_400.0, 1_774_248.0, 3_759_000.0),
        # 15 %: 1,503,600; 7 % of 11,527,600 is 806,932, 25 % is 2,881,900.
        (0.15, 14_409.5, -1_503_600.0, 2_310_532.0, 4_385_500.0),
        # −5 %: + 501,200; 7 % of 9,522,800 is 666,596, 25 % is 2,380,700.
        (-0.05, 11_903.5, 501_200.0, 165_396.0, 1_879_500.0),
        # −15 %: more comes in than margin asks for.
        (-0.15, 10_650.5, 1_503_600.0, -907_172.0, 626_500.0),
    ],
)
def test_cash_after_a_move_is_margin_at_the_new_price_plus_the_loss(
    april, move, price, gain, today, broker_in_delivery
):
    row = cash(april, move)
    assert (row["price"], row["gain"], row["cash"]) == (price, gain, today)
    assert cash(april, move, "delivery month", "broker")["cash"] == broker_in_delivery


def test_a_buyer_pays_for_a_fall(april):
    buyer = size(1000, "si2410", 0.8, price=12_530, date="2024-04-01", side="buy")
    for move in MOVES:
        assert cash(buyer, move)["gain"] == -cash(april, move)["gain"]
        assert cash(buyer, move)["margin"] == cash(april, move)["margin"]
    assert cash(buyer, -0.10)["cash"] == 1_002_400.0 + 631_512.0


def test_rates_of_a_speculator_are_a_point_higher_and_a_person_is_out_before_the_month():
    found = size(1000, "si2410", 0.8, price=12_530, date="2024-04-01", kind="individual")
    assert stage(found, "today").rate == 0.08
    assert stage(found, "holiday").rate == 0.11
    assert found.exit == pd.Timestamp("2024-09-30")
    last = stage(found, "delivery month")
    assert last.since is None
    assert math.isnan(last.rate)
    assert math.isnan(last.broker)
    assert "a natural person may not hold it" in last.why
    assert found.dearest.name == "holiday"
    assert "a natural person may not deliver si" in found.notes
    company = size(1000, "si2410", 0.8, price=12_530, date="2024-04-01", kind="company")
    assert company.exit == pd.Timestamp("2024-10-21")
    assert stage(company, "delivery month").rate == 0.20


def test_both_readings_of_the_notices_are_told():
    found = size(1000, "si2410", price=12_000, date="2024-05-06")
    assert [stage(found, "today", other).rate for other in (False, True)] == [0.07, 0.08]
    assert stage(found, "today", True).exchange == 12_000 * 1000 * 0.08
    assert "other reading" in stage(found, "today", True).why
    assert any("two readings" in note for note in found.notes)


def test_without_a_holiday_in_its_life_the_largest_step_stands_in():
    found = size(1000, "si2407", price=12_000, date="2024-04-01")
    own = stage(found, "holiday")
    # 7 % and two points.
    assert (own.rate, own.since) == (0.09, None)
    assert "+2 points, the largest step ever seen (National Day of 2025)" in own.why


def test_a_holiday_step_is_not_added_to_the_rate_near_delivery():
    found = size(1000, "si2407", price=12_000, date="2024-07-04")
    assert stage(found, "today").rate == 0.20
    assert stage(found, "holiday").rate == 0.20
    assert stage(found, "15th session").since == pd.Timestamp("2024-07-04")


def test_a_holiday_that_has_begun_is_in_force():
    found = size(1000, "si2412", price=12_000, date="2024-09-30")
    own = stage(found, "holiday")
    assert own.since == pd.Timestamp("2024-09-30")
    assert own.rate == stage(found, "today").rate == 0.10


def test_of_two_holidays_the_first_of_the_highest_is_told():
    found = size(1000, "si2402", price=14_000, date="2023-07-03")
    own = stage(found, "holiday")
    # National Day 2023 and Spring Festival 2024 are both 11 %; at the second si2402 pays 20 %.
    assert (own.since, own.rate) == (pd.Timestamp("2023-09-27"), 0.11)


def test_what_is_not_known_of_a_product_is_unknown():
    found = size(100, "lc2410", price=110_000, date="2024-04-01")
    own = stage(found, "holiday")
    assert math.isnan(own.rate)
    assert math.isnan(own.exchange)
    assert "no holiday step is known of lc" in own.why
    assert found.lots == 100
    assert "no delivery standards are known of lc" in found.notes
    assert any("unverified" in note for note in found.notes)
    assert found.moves["cash"].isna().sum() == 2 * len(MOVES)


def test_dates_beyond_what_is_known_say_so():
    last = calendar.sessions()[-1]
    code = f"si{(last + pd.DateOffset(months=3)):%y%m}"
    day = calendar.before(calendar.before(last))
    found = size(1000, code, price=9_000, date=day)
    assert found.exit is None
    month = stage(found, "delivery month")
    assert (month.since, month.rate) == (None, 0.20)
    assert "the calendar does not reach the day" in month.why
    assert any("known until 2025-12-31" in note for note in found.notes)
    assert any(f"the calendar ends on {last:%Y-%m-%d}" in note for note in found.notes)


def test_a_day_without_trading_takes_the_terms_of_the_session_before():
    found = size(1000, "si2410", price=12_530, date="2024-04-06")
    assert found.day == pd.Timestamp("2024-04-03")
    assert "2024-04-06 is no session: the terms are those of 2024-04-03" in found.notes


# -- Rounding, delivery, standard -------------------------------------------------------------


@pytest.mark.parametrize(
    ("tonnes", "ratio", "lots", "left"),
    [
        (1003, 0.8, 160, 203.0),
        (1004, 1.0, 200, 4.0),  # 200.8 would be 201 lots, 1,005 t: more than the goods
        (1005, 1.0, 201, 0.0),
        (13, 0.9, 2, 3.0),  # 2.34
        (14, 0.9, 2, 4.0),  # 2.52 is nearer 3, but 15 t are more than the goods
        (100, 0.7777, 16, 20.0),
        (5, 1.0, 1, 0.0),
    ],
)
def test_lots_are_the_nearest_that_the_goods_fill(tonnes, ratio, lots, left):
    found = size(tonnes, "si2410", ratio, price=12_000, date="2024-04-01")
    assert (found.lots, found.left) == (lots, left)


def test_whole_delivery_units_and_what_is_over_are_told(april):
    assert ("delivery takes whole units of 12 lots (60 t, assumed): 13 of them and 4 lots over, to"
            " be closed") in april.notes  # fmt: skip
    whole = size(960, "si2410", price=12_530, date="2024-04-01")
    assert any(note.endswith("16 of them, none over") for note in whole.notes)


@pytest.mark.parametrize(
    ("code", "day", "said"),
    [
        ("si2411", "2024-05-15", "old delivery standard, 2022 (up to si2411)"),
        ("si2412", "2024-05-15", "new delivery standard, 2024 (from si2412)"),
    ],
)
def test_the_delivery_standard_is_told(code, day, said):
    grades = f"553 the benchmark, 421 {2000 if code == 'si2411' else 800:+,} yuan/t"
    notes = size(100, code, price=12_000, date=day).notes
    assert f"{code} is of the {said}: {grades}" in notes


def test_si2509_pays_its_own_fee():
    """GFEX [2025]239: 0.025 % from 2025-07-25."""
    found = size(100, "si2509", price=9_000, date="2025-07-25")
    assert found.fees.at["open", "exchange"] == 225.00
    assert found.fees.at["close", "broker"] == 450.00


def test_money_is_rounded_half_up_to_the_fen():
    # 1 lot at 12,530.1: fee 6.26505, margin 7 % of 62,650.5 = 4,385.535.
    found = size(5, "si2410", price=12_530.1, date="2024-04-01")
    assert found.fees.at["open", "exchange"] == 6.27
    assert stage(found, "today").exchange == 4_385.54


def test_the_brokers_points_are_a_setting(april):
    own = size(1000, "si2410", 0.8, price=12_530, date="2024-04-01", broker_margin=0.06)
    assert stage(own, "today").broker == 10_024_000 * 0.13
    assert stage(own, "today").exchange == stage(april, "today").exchange


# -- Prices from data -------------------------------------------------------------------------


def test_the_last_settlement_of_the_data_is_the_price(sample):
    found = size(1000, "si2410", 0.8, date="2024-04-01", market=sample)
    assert found.price == sample.frame("settle").at[pd.Timestamp("2024-04-01"), "si2410"]
    assert found.priced == "settlement of 2024-04-01, sample"
    assert found.simulated
    assert (found.table()["data"] == "SIMULATED").all()


def test_a_price_given_beside_data_is_kept_and_is_not_simulated(sample):
    found = size(1000, "si2410", date="2024-04-01", price=12_345, market=sample)
    assert (found.price, found.priced, found.simulated) == (12_345.0, "as given", False)
    assert "data" not in found.table()


def test_without_a_date_the_last_day_a_hedge_can_begin_is_taken(sample):
    found = size(1000, "si2410", market=sample)
    assert found.day == pd.Timestamp("2024-10-18")
    assert any("si2410 is over in these data" in note for note in found.notes)
    alive = size(1000, "si2503", market=sample)
    assert alive.day == sample.sessions[-1]
    assert not any("is over" in note for note in alive.notes)
    person = size(1000, "si2410", market=sample, kind="individual")
    assert person.day == pd.Timestamp("2024-09-27")


def test_a_settlement_of_an_earlier_day_says_which(sample):
    column, missing = sample.column("si2410"), pd.Timestamp("2024-04-01")
    settle = sample.settle.copy()
    settle[sample.sessions.get_loc(missing), column] = np.nan
    market = rebuilt(sample, settle=settle)
    found = size(1000, "si2410", date=missing, market=market)
    assert found.priced.startswith("settlement of 2024-03-29")
    assert found.day == missing


def rebuilt(market, **changed):
    fresh = {
        name: np.array(getattr(market, name))
        for name in FIELDS
    }
    return dataclasses.replace(market, **(fresh | changed))


def test_a_margin_observed_on_the_contract_is_used(sample):
    terms = pd.DataFrame({
        "contract": ["si2410"], "item": ["hedger"], "from": [pd.Timestamp("2024-03-20")],
        "value": [0.085], "source": ["test"], "confidence": ["test"],
    })  # fmt: skip
    market = rebuilt(sample, terms=terms)
    found = size(1000, "si2410", price=12_000, date="2024-04-01", market=market)
    assert stage(found, "today").exchange == 1_020_000.0
    assert any("1 observed terms of si" in note for note in found.notes)


def test_the_table_holds_every_figure_once(april):
    table = april.table()
    key = ["item", "stage", "reading", "standard", "move"]
    assert not table.duplicated(key).any()
    assert len(table) == 4 + 2 * 4 + 4 + len(MOVES) * 4 * 2
    margin = table[(table["item"] == "margin") & (table["standard"] == "broker")]
    assert margin["value"].tolist() == [1_202_880.0, 1_503_600.0, 1_503_600.0, 2_506_000.0]
    assert margin["rate"].tolist() == [0.12, 0.15, 0.15, 0.25]
    assert set(table["contract"]) == {"si2410"}
    assert table.loc[table["item"] == "cash", "value"].sum() == pytest.approx(
        april.moves["cash"].sum())  # fmt: skip


def test_every_holiday_of_the_terms_is_a_step_up():
    rows = [row for row in product("si").margins if "to" not in row]
    steps = [(a, b) for a, b in pairwise(rows) if "holiday" in b]
    assert len(steps) == sum("holiday" in row for row in rows) == 8
    for before, row in steps:
        assert row["hedger"] > before["hedger"]
        assert row["holiday"] in row["source"]
    # And what follows a holiday takes it back, wholly or more.
    for row, after in pairwise(rows):
        assert "holiday" not in row or after["hedger"] < row["hedger"]


# -- Bad input --------------------------------------------------------------------------------


GOOD = {"tonnes": 1000, "code": "si2410", "price": 12_530, "date": "2024-04-01"}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"tonnes": 0}, SettingError, "`tonnes` is 0"),
        ({"tonnes": -5}, SettingError, "`tonnes` is -5"),
        ({"tonnes": math.nan}, SettingError, "`tonnes` is nan"),
        ({"tonnes": math.inf}, SettingError, "`tonnes` is inf"),
        ({"tonnes": 4}, SettingError, "less than one that the goods fill"),
        ({"ratio": 0}, SettingError, "`ratio` is 0"),
        ({"ratio": 80}, SettingError, "write 0.8 for 80 %"),
        ({"ratio": 1.2}, SettingError, "larger than its goods is a bet on the rest"),
        ({"ratio": 0.001}, SettingError, "less than one"),
        ({"price": 0}, SettingError, "`price` is 0"),
        ({"price": math.nan}, SettingError, "`price` is nan"),
        ({"side": "sel"}, SettingError, "Did you mean 'sell'"),
        ({"kind": "hedgr"}, SettingError, "Did you mean 'hedger'"),
        ({"broker_margin": 5}, SettingError, "five points being 0.05"),
        ({"code": "si2413"}, TermsError, "no contract code"),
        ({"code": "xx2410"}, TermsError, "No terms are known"),
        ({"date": "Monday"}, SettingError, "which is no day"),
        ({"date": "2024-02-22"}, SettingError, "listed from 2024-02-23"),
        ({"date": "2024-10-21"}, SettingError, "is out of si2410 on 2024-10-21"),
        ({"date": "2024-09-30", "kind": "individual"}, SettingError, "out of si2410 on 2024-09-30"),
        ({"date": None}, SettingError, "No date is given"),
        ({"price": None}, SettingError, "No price is given"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(given, error, said):
    with pytest.raises(error, match=said) as raised:
        size(**(GOOD | given))
    assert str(raised.value).count("\n") == 0


def test_a_contract_without_bars_is_named(sample):
    with pytest.raises(DataError, match="no bars of contract 'si2602'"):
        size(1000, "si2602", date="2025-03-03", market=sample)


def test_no_settlement_by_that_day_is_named(sample):
    early = sample.column("si2410")
    settle = sample.settle.copy()
    settle[:, early] = np.nan
    market = rebuilt(sample, settle=settle)
    with pytest.raises(DataError, match="no settlement of si2410 up to 2024-04-01"):
        size(1000, "si2410", date="2024-04-01", market=market)
    with pytest.raises(DataError, match="no settlement of si2410; give a price"):
        size(1000, "si2410", market=market)


def test_data_that_begin_after_the_hedge_is_over_are_named(sample):
    late = sample.sessions >= "2024-10-21"
    settle = np.where(late[:, None], sample.settle, np.nan)
    with pytest.raises(DataError, match=r"No hedge in si2410 can begin in the market"):
        size(1000, "si2410", market=rebuilt(sample, settle=settle))
