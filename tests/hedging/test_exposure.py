import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.errors import DataError, StrategyError
from sibt.hedging.exposure import WHATS, Entry, Schedule, exposure_of, schedule
from sibt.hedging.physical import physical_book
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

KNOWN = calendar.sessions()
DAYS = KNOWN[(KNOWN >= "2024-03-01") & (KNOWN <= "2024-08-30")]
#: Entries of any kind, before, in and after the market.
MOMENTS = st.one_of(
    st.integers(1, 12).map(lambda n: pd.Period(year=2024, month=n, freq="M")),
    st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(pd.Timestamp),
)
PRICES = st.one_of(st.just(math.nan), st.integers(8_000, 20_000).map(float))


@st.composite
def entry(draw):
    what = draw(st.sampled_from(WHATS))
    price = math.nan if what == "inventory" else draw(PRICES)
    return Entry(what, draw(MOMENTS), draw(st.integers(1, 9_000)) / 8, price)


ENTRIES = st.lists(entry(), min_size=1, max_size=8)


def market_of(quotes=None, sessions=DAYS, grade="553"):
    bars = {name: np.full((len(sessions), 1), 10_000.0) for name in FIELDS}
    spot = np.full(len(sessions), 10_000.0) if quotes is None else np.asarray(quotes, float)
    return Market(
        sessions=sessions,
        contracts=("si2410",),
        spot=pd.DataFrame({grade: spot}, sessions),
        receipts=pd.Series(np.nan, index=sessions),
        **bars,
    )


def covered(entries):
    """Return entries with enough goods on hand that all of their sales can be made."""
    sold = sum(e.tonnes for e in entries if e.what == "sale")
    return (*entries, Entry("inventory", pd.Timestamp("2024-01-01"), sold + 1.0))


MARKET = market_of()


# -- A schedule over the sessions --------------------------------------------------------------


def test_output_is_owned_from_the_day_it_is_known_and_sold_over_its_month():
    one = Schedule((Entry("output", pd.Period("2024-05"), 200.0),))
    owned = one.exposure(MARKET, "2024-04-10").owned
    may = calendar.month(2024, 5)
    assert owned["2024-04-09"] == 0.0
    assert (owned["2024-04-10":"2024-04-30"] == 200.0).all()
    np.testing.assert_allclose(owned[may], 200.0 * (1 - np.arange(1, len(may) + 1) / len(may)))
    assert (owned["2024-06-03":] == 0.0).all()


def test_a_need_is_output_with_the_other_sign():
    when = pd.Period("2024-05")
    needed = Schedule((Entry("need", when, 200.0, 9_900.0),)).exposure(MARKET, "2024-04-10")
    owned = Schedule((Entry("output", when, 200.0, 9_900.0),)).exposure(MARKET, "2024-04-10")
    assert (needed.owned == -owned.owned).all()
    assert (needed.trades["tonnes"] == -owned.trades["tonnes"]).all()
    assert set(needed.trades["what"]) == {"need"}
    assert set(owned.trades["what"]) == {"output", "sale"}


def test_what_falls_on_a_day_the_market_lacks_moves_to_its_next_session():
    thin = market_of(sessions=DAYS.delete([20, 30]))
    goods = Entry("inventory", DAYS[2], 100.0)
    sold = Schedule((goods, Entry("sale", DAYS[30], 60.0, 9_000.0))).exposure(thin)
    assert sold.owned[DAYS[29]] == 100.0
    assert (sold.owned[DAYS[31] :] == 40.0).all()
    assert sold.trades["session"].isin(thin.sessions).all()
    late = Schedule((goods,), known_from=DAYS[20]).exposure(thin)
    assert (late.owned == np.where(thin.sessions >= DAYS[21], 100.0, 0.0)).all()
    book = physical_book(thin, sold)
    left = book.tonnes.iloc[-1] * book.spot.iloc[-1]
    assert book.profit.sum() == book.sold["value"].sum() + left - book.opening == -60_000.0


def test_what_is_known_in_the_middle_of_a_month_is_the_rest_of_it():
    may = calendar.month(2024, 5)
    one = Schedule((Entry("output", pd.Period("2024-05"), float(len(may))),))
    exposure = one.exposure(MARKET, may[7])
    # On the day itself one tonne is sold.
    assert exposure.owned[may[7]] == len(may) - 8
    assert (exposure.owned[: may[6]] == 0.0).all()
    first = exposure.trades.iloc[:2]
    assert first["session"].tolist() == [may[7], may[7]]
    assert first["tonnes"].tolist() == [len(may) - 7, -1.0]


def test_the_schedules_own_day_goes_before_the_strategys():
    output = Entry("output", pd.Period("2024-05"), 1.0)
    own = Schedule((output,), known_from=pd.Timestamp("2024-04-15"))
    assert own.exposure(MARKET, "2024-03-29").owned["2024-04-12"] == 0.0
    assert own.exposure(MARKET, "2024-03-29").owned["2024-04-15"] == 1.0


def test_a_trader_buys_and_sells():
    one = Schedule((
        Entry("purchase", pd.Timestamp("2024-04-08"), 60.0, 14_000.0),
        Entry("inventory", pd.Timestamp("2024-03-11"), 40.0),
        Entry("sale", pd.Timestamp("2024-05-06"), 100.0, 14_500.0),
    ))
    exposure = one.exposure(MARKET)
    assert exposure.owned["2024-03-08"] == 0.0
    assert exposure.owned["2024-03-11"] == 40.0
    assert exposure.owned["2024-04-08"] == 100.0
    assert exposure.owned["2024-05-06"] == 0.0
    assert exposure.trades["what"].tolist() == ["inventory", "purchase", "sale"]
    assert exposure.trades["tonnes"].tolist() == [40.0, 60.0, -100.0]
    assert exposure.trades["price"].fillna(0.0).tolist() == [0.0, 14_000.0, 14_500.0]


def test_a_day_without_a_session_is_the_next_one():
    one = Schedule((Entry("inventory", pd.Timestamp("2024-04-06"), 5.0),))  # a Saturday
    assert one.exposure(MARKET).trades["session"].tolist() == [pd.Timestamp("2024-04-08")]


def test_what_went_on_before_is_there_at_the_beginning():
    one = Schedule((
        Entry("inventory", pd.Timestamp("2023-06-01"), 100.0),
        Entry("sale", pd.Period("2024-02"), 30.0, 15_000.0),
        Entry("purchase", pd.Timestamp("2024-02-20"), 10.0, 16_000.0),
    ))
    exposure = one.exposure(MARKET)
    assert (exposure.owned == 80.0).all()
    [row] = exposure.trades.to_dict("records")
    assert row["session"] == DAYS[0]
    assert row["what"] == "inventory"
    # What was paid before is no business of this run.
    assert math.isnan(row["price"])


def test_output_of_months_gone_by_is_sold():
    one = Schedule((Entry("output", pd.Period("2024-02"), 100.0),))
    assert (one.exposure(MARKET).owned == 0.0).all()
    assert one.exposure(MARKET).trades.empty


@settings(deadline=None)
@given(ENTRIES, st.integers(0, len(DAYS) - 1))
def test_tonnes_that_came_are_those_that_went_and_those_left(entries, at):
    exposure = Schedule(covered(entries)).exposure(MARKET, DAYS[at])
    moved = exposure.trades["tonnes"]
    came, went = moved[moved > 0].sum(), -moved[moved < 0].sum()
    assert came == pytest.approx(went + exposure.owned.iloc[-1], abs=1e-5)
    assert exposure.trades["session"].is_monotonic_increasing
    assert exposure.trades["session"].isin(DAYS).all()
    by_session = moved.groupby(exposure.trades["session"]).sum().reindex(DAYS, fill_value=0.0)
    np.testing.assert_allclose(exposure.owned, by_session.cumsum(), atol=1e-5)


@settings(deadline=None)
@given(ENTRIES, st.permutations(range(9)))
def test_the_order_of_the_entries_makes_no_difference(entries, order):
    entries = covered(entries)
    other = tuple(entries[i] for i in order if i < len(entries))
    one, two = Schedule(entries).exposure(MARKET), Schedule(other).exposure(MARKET)
    pd.testing.assert_series_equal(one.owned, two.owned, check_exact=True)
    pd.testing.assert_frame_equal(one.trades, two.trades, check_exact=True)


@settings(deadline=None)
@given(ENTRIES, st.integers(1, len(DAYS)))
def test_a_market_that_ends_earlier_has_the_same_goods_until_then(entries, count):
    plan = Schedule(covered(entries))
    whole, cut = plan.exposure(MARKET), plan.exposure(MARKET.asof(DAYS[count - 1]))
    pd.testing.assert_series_equal(cut.owned, whole.owned.iloc[:count], check_freq=False)
    seen = whole.trades[whole.trades["session"] <= DAYS[count - 1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(cut.trades.reset_index(drop=True), seen)


@settings(deadline=None)
@given(ENTRIES, st.data())
def test_gains_are_what_was_got_and_is_left_less_what_was_there(entries, data):
    quotes = data.draw(st.lists(
        st.one_of(st.none(), st.integers(8_000, 20_000)), min_size=len(DAYS), max_size=len(DAYS)))
    market = market_of([np.nan if q is None else q for q in quotes])
    book = physical_book(market, Schedule(covered(entries)).exposure(market))
    known = book.spot.dropna()
    if known.empty:
        return
    # Trades after the last quote are in none of the sums.
    counted = book.trades[book.trades["session"] <= known.index[-1]]
    sold = counted.loc[counted.index.isin(book.sold.index), "value"].sum()
    came = -counted.loc[~counted.index.isin(book.sold.index), "value"].sum()
    left = book.tonnes[known.index[-1]] * known.iloc[-1]
    assert book.profit.sum() == pytest.approx(sold + left - came, abs=1.0, rel=1e-9)
    if known.index[-1] == DAYS[-1]:
        assert (sold, came) == pytest.approx((book.sold["value"].sum(), book.opening))


# -- Sold more than owned ----------------------------------------------------------------------


def test_a_sale_of_more_than_is_owned_is_named_by_date():
    plan = Schedule((
        Entry("inventory", pd.Timestamp("2024-04-01"), 100.0),
        Entry("sale", pd.Timestamp("2024-05-06"), 60.0),
        Entry("sale", pd.Timestamp("2024-06-03"), 60.0),
    ), source="mine.toml")  # fmt: skip
    with pytest.raises(StrategyError, match=r"By 2024-06-03 mine\.toml has sold 20 t more than"):
        plan.exposure(MARKET)


def test_it_is_named_on_a_market_that_ends_before_it_too():
    plan = Schedule((Entry("sale", pd.Timestamp("2024-06-03"), 60.0),))
    with pytest.raises(StrategyError, match="2024-06-03"):
        plan.exposure(MARKET.asof("2024-04-01"))


def test_goods_needed_do_not_cover_a_sale_and_are_not_covered_by_goods():
    need = Entry("need", pd.Period("2024-06"), 50.0)
    sale = Entry("sale", pd.Timestamp("2024-04-01"), 10.0)
    with pytest.raises(StrategyError, match="10 t more than is owned"):
        Schedule((need, sale)).exposure(MARKET)
    assert Schedule((need,)).exposure(MARKET).owned.iloc[0] == -50.0


def test_what_is_made_and_sold_on_one_day_is_no_sale_of_what_is_not_owned():
    day = pd.Timestamp("2024-05-06")
    plan = Schedule((Entry("sale", day, 7.0), Entry("purchase", day, 7.0)))
    assert (plan.exposure(MARKET).owned == 0.0).all()


# -- Tonnes a strategy states ------------------------------------------------------------------


def test_tonnes_that_turn_from_owned_to_needed_are_sold_and_then_needed():
    owned = pd.Series([100.0, 40.0, -50.0, -20.0, 0.0, 30.0], index=DAYS[:6])
    market = market_of(sessions=DAYS[:6])
    trades = exposure_of(owned, "553", market).trades
    assert list(zip(trades["what"], trades["tonnes"], strict=True)) == [
        ("inventory", 100.0), ("sale", -60.0), ("sale", -40.0), ("need", -50.0), ("need", 30.0),
        ("need", 20.0), ("inventory", 30.0),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(-900, 900), min_size=1, max_size=40))
def test_trades_of_stated_tonnes_add_up_to_them(tonnes):
    market = market_of(sessions=DAYS[: len(tonnes)])
    exposure = exposure_of(pd.Series(tonnes, DAYS[: len(tonnes)], dtype=float), "553", market)
    trades = exposure.trades
    by_session = trades.groupby("session")["tonnes"].sum().reindex(market.sessions, fill_value=0.0)
    np.testing.assert_allclose(by_session.cumsum(), tonnes)
    sales = trades[trades["what"] == "sale"]
    assert (sales["tonnes"] < 0).all()
    assert (trades.loc[trades["what"] == "inventory", "tonnes"] > 0).all()


@pytest.mark.parametrize(
    ("index", "values", "said"),
    [
        ([pd.Timestamp("2024-03-03")], [1.0], "2024-03-03, which is no session"),
        ([DAYS[0], DAYS[0]], [1.0, 2.0], "2024-03-01 twice"),
        ([0], [1.0], "not indexed by day"),
        ([DAYS[0]], ["much"], "no number of tonnes"),
        ([DAYS[0]], [math.inf], "infinite number of tonnes"),
    ],
)
def test_stated_tonnes_that_make_no_sense_are_refused(index, values, said):
    with pytest.raises(StrategyError, match=said):
        exposure_of(pd.Series(values, index=index), "553", MARKET)


# -- Files -------------------------------------------------------------------------------------

TOML = """grade = "421"
known_from = 2024-03-29

[[output]]
month = "2024-05"
tonnes = 1000

[[sale]]
day = 2024-06-14
tonnes = 120.5
price = 14500

[[inventory]]
day = "2024-04-01"
tonnes = 500
"""
CSV = """what,when,tonnes,price,grade,known_from
output,2024-05,"1,000",,421,2024-03-29

sale,2024-06-14,120.5,14500,,
inventory,2024/4/1,500,,421,
"""


def file(tmp_path, text, name="goods.toml", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_toml_and_csv_of_the_same_goods_are_the_same_exposure(tmp_path):
    one = schedule(file(tmp_path, TOML))
    two = schedule(file(tmp_path, CSV, "goods.csv", "utf-8-sig"))
    assert one.grade == two.grade == "421"
    assert one.known_from == two.known_from == pd.Timestamp("2024-03-29")
    assert one.source == "goods.toml"
    first, second = one.exposure(MARKET), two.exposure(MARKET)
    pd.testing.assert_series_equal(first.owned, second.owned, check_exact=True)
    pd.testing.assert_frame_equal(first.trades, second.trades, check_exact=True)
    assert first.owned["2024-04-01"] == 1_500.0
    assert first.owned.iloc[-1] == 379.5


@settings(deadline=None, max_examples=30)
@given(ENTRIES)
def test_any_schedule_written_as_toml_and_as_csv_is_read_as_it_was(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("goods")
    toml, rows = "", "what,when,tonnes,price\n"
    for e in entries:
        field = "month" if isinstance(e.when, pd.Period) else "day"
        when = str(e.when)[:10] if field == "day" else str(e.when)
        price = "" if math.isnan(e.price) else f"price = {e.price!r}\n"
        toml += f'[[{e.what}]]\n{field} = "{when}"\ntonnes = {e.tonnes!r}\n{price}'
        rows += f"{e.what},{when},{e.tonnes!r},{'' if math.isnan(e.price) else e.price}\n"
    for text, name in ((toml, "g.toml"), (rows, "g.csv")):
        found = schedule(file(folder, text, name))
        assert sorted(map(repr, found.entries)) == sorted(map(repr, entries))


def test_a_schedule_says_nothing_of_the_day_it_is_known_if_the_file_does_not(tmp_path):
    text = "[[need]]\nmonth = '2024-05'\ntonnes = 10\n"
    read = schedule(file(tmp_path, text))
    assert read.known_from is None
    assert read.grade == "553"


#: A line is counted from the top of the file; the text, and what is said of it.
WRONG_TOML = {
    "not TOML": ("a b", "is no TOML"),
    "no goods": ('grade = "553"\n', "holds no goods"),
    "unknown heading": (
        "[[output]]\nmonth='2024-05'\ntonnes=1\n[[outputs]]\n",
        "line 4: 'outputs'.*Did you mean 'output'"),
    "no table": ("output = 5\n", "line 1: 'output' is no table"),
    "unknown field": ("\n[[sale]]\nday = 2024-05-06\ntons = 5\n", "line 2: 'tons' is not known"),
    "a month and a day": (
        "[[sale]]\nday = 2024-05-06\nmonth = '2024-05'\ntonnes = 1",
        "line 1: write either"),
    "neither": ("[[sale]]\ntonnes = 5\n", "line 1: write either a month or a day"),
    "no tonnes": ("[[sale]]\nday = 2024-05-06\n", "line 1: there is no 'tonnes'"),
    "second of two": (
        "[[sale]]\nday=2024-05-06\ntonnes=1\n\n[[sale]]\nday=2024-05-07\ntonnes=-1\n",
        "line 5: tonnes is '-1'"),
    "in an array": (
        "grade = '553'\nsale = [{day = 2024-05-06, tonnes = 0}]\n",
        "line 2: tonnes is 0"),
    "true tonnes": ("[[sale]]\nday = 2024-05-06\ntonnes = true\n", "tonnes is 'True'"),
    "infinite": ("[[sale]]\nday = 2024-05-06\ntonnes = inf\n", "tonnes is 'inf'"),
    "price of zero": ("[[sale]]\nday = 2024-05-06\ntonnes = 1\nprice = 0\n", "price is 0"),
    "price of inventory": (
        "[[inventory]]\nday = 2024-05-06\ntonnes = 1\nprice = 9\n",
        "write purchase"),
    "no month": (
        "[[sale]]\nmonth = '2024-13'\ntonnes = 1\n",
        "month is '2024-13'; write it as 2024-05"),
    "a day for a month": ("[[sale]]\nmonth = '2024-05-06'\ntonnes = 1\n", "month is '2024-05-06'"),
    "no day": ("[[sale]]\nday = '2024-02-30'\ntonnes = 1\n", "'2024-02-30' is no day"),
    "a word": ("[[sale]]\nday = 'May'\ntonnes = 1\n", "'May' is no day"),
    "beyond the calendar": (
        "[[sale]]\nmonth = '2099-01'\ntonnes = 1\n",
        "line 1: 2099-01 lies outside"),
    "day beyond it": (
        "[[sale]]\nday = 2099-01-05\ntonnes = 1\n",
        "lies outside the trading calendar"),
    "known from": (
        "\nknown_from = 'soon'\n[[sale]]\nday = 2024-05-06\ntonnes = 1\n",
        "line 2: 'soon' is no day"),
}  # fmt: skip
WRONG_CSV = {
    "empty": ("", "line 1: there is no column 'what'"),
    "no goods": ("what,when,tonnes\n", "holds no goods"),
    "no column": ("what,when\n", "there is no column 'tonnes'"),
    "strange column": (
        "what,when,tonnes,prise\n",
        "line 1: the column 'prise'.*Did you mean 'price'"),
    "twice": ("what,when,tonnes,when\n", "'when' is not known or stands there twice"),
    "too few cells": ("what,when,tonnes\n\nsale,2024-05\n", "line 3: 2 cells stand under 3"),
    "unknown what": (
        "what,when,tonnes\nsales,2024-05,1\n",
        "line 2: 'sales' is not known.*Did you mean 'sale'"),
    "no what": ("what,when,tonnes\n,2024-05,1\n", "line 2: there is no 'what'"),
    "European number": ('what,when,tonnes\nsale,2024-05,"1,5"\n', "line 2: tonnes is '1,5'"),
    "no when": ("what,when,tonnes\nsale,,5\n", "line 2: there is no 'when'"),
    "two grades": (
        "what,when,tonnes,grade\nsale,2024-05,1,553\nsale,2024-06,1,421\n",
        "line 3: grade is '421', after '553'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_TOML)
def test_what_is_wrong_in_a_toml_is_said_with_its_line(tmp_path, case):
    text, said = WRONG_TOML[case]
    with pytest.raises(DataError, match=said) as caught:
        schedule(file(tmp_path, text))
    assert "goods.toml" in str(caught.value)


@pytest.mark.parametrize("case", WRONG_CSV)
def test_what_is_wrong_in_a_csv_is_said_with_its_line(tmp_path, case):
    text, said = WRONG_CSV[case]
    with pytest.raises(DataError, match=said) as caught:
        schedule(file(tmp_path, text, "goods.csv"))
    assert "goods.csv" in str(caught.value)


def test_a_file_that_is_not_there_or_of_no_known_kind_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no schedule .*none\.toml"):
        schedule(tmp_path / "none.toml")
    with pytest.raises(DataError, match=r"neither \.toml nor \.csv"):
        schedule(file(tmp_path, TOML, "goods.yaml"))
    with pytest.raises(DataError, match="not written in UTF-8"):
        schedule(file(tmp_path, "# 现货\n" + TOML, encoding="gb18030"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        schedule(tmp_path / "folder.toml")


@pytest.mark.parametrize(
    ("tonnes", "price"), [(math.nan, math.nan), (0.0, 1.0), (-1.0, 1.0), (1.0, math.inf)]
)
def test_an_entry_of_ones_own_is_checked_too(tonnes, price):
    with pytest.raises(DataError, match="give a positive number"):
        Entry("sale", pd.Period("2024-05"), tonnes, price)
