import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import sibt
from sibt.errors import DataError
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

CONTRACTS = ("si2311", "si2312", "si2401")
GRADES = ("421", "553")
DAYS = calendar.sessions()[
    (calendar.sessions() >= "2023-09-04") & (calendar.sessions() <= "2023-09-22")
]

# One property is slow only in its first call, which makes the calendar.
lasting = settings(deadline=None, max_examples=60)


def tidy(market: Market) -> pd.DataFrame:
    """The panel as a tidy table again, without rows that say nothing."""
    parts = [
        market.bars(code).dropna(how="all").assign(contract=code).rename_axis("date").reset_index()
        for code in market.contracts
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["date", "contract"], ignore_index=True)


def bar(day: pd.Timestamp, code: str, base: int, blanks: frozenset[str]) -> dict[str, object]:
    row = {
        "open": base + 5,
        "high": base + 20,
        "low": base - 20,
        "close": base,
        "settle": base + 10,
        "volume": base // 7,
        "open_interest": base // 11,
    }
    kept = {name: np.nan if name in blanks else float(value) for name, value in row.items()}
    return {"date": day, "contract": code, **kept}


@st.composite
def tables(draw) -> dict[str, pd.DataFrame]:
    """Bars, spot and receipts with gaps; the first session is complete."""
    prices = st.integers(1000, 4000).map(lambda n: 5 * n)
    blanks = st.frozensets(st.sampled_from(FIELDS), max_size=len(FIELDS) - 1)
    bars, spot, receipts = [], [], []
    for number, day in enumerate(DAYS):
        for code in CONTRACTS:
            if number == 0 or draw(st.booleans()):
                bars.append(bar(day, code, draw(prices), draw(blanks)))
        for grade in GRADES:
            if number == 0 or draw(st.booleans()):
                spot.append({"date": day, "grade": grade, "price": float(draw(prices))})
        if draw(st.booleans()):
            receipts.append({"date": day, "lots": draw(st.integers(0, 90_000))})
    return {
        "bars": pd.DataFrame(bars),
        "spot": pd.DataFrame(spot),
        "receipts": pd.DataFrame(receipts or [{"date": DAYS[0], "lots": 0}]),
    }


@st.composite
def publications(draw) -> pd.DataFrame:
    day = st.dates(dt.date(2023, 8, 1), dt.date(2023, 9, 30))
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(["cost", "stock"]), day, st.integers(0, 20)),
            min_size=1,
            max_size=25,
            unique=True,
        )
    )
    return pd.DataFrame(
        {
            "name": [name for name, _, _ in rows],
            "date": [date for _, date, _ in rows],
            "published_on": [date + dt.timedelta(days=lag) for _, date, lag in rows],
            "value": [float(number) for number in range(len(rows))],
            "unit": "yuan/t",
        }
    )


@pytest.fixture
def market() -> Market:
    rows = [
        bar(day, code, 14_000 + 100 * number, frozenset())
        for day in DAYS
        for number, code in enumerate(CONTRACTS)
    ]
    return Market.from_bars(pd.DataFrame(rows), source="three contracts")


@lasting
@given(tables())
def test_a_tidy_table_survives_the_panel(given_tables):
    bars = given_tables["bars"]
    expected = bars.astype({"date": "datetime64[ns]", "contract": object})
    found = tidy(Market.from_bars(bars)).astype({"contract": object})
    assert_frame_equal(
        found[list(expected.columns)],
        expected.sort_values(["date", "contract"], ignore_index=True),
        check_freq=False,
    )


@lasting
@given(tables(), publications(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(given_tables, series, random):
    given_tables["series"] = series
    shuffled = {}
    for name, table in given_tables.items():
        order = list(range(len(table)))
        random.shuffle(order)
        shuffled[name] = table.iloc[order]
    one, other = Market.from_bars(**given_tables), Market.from_bars(**shuffled)
    assert one.digest == other.digest
    assert one.provenance == other.provenance


@lasting
@given(tables(), publications(), st.integers(0, len(DAYS) - 1))
def test_asof_is_the_market_built_from_the_rows_up_to_then(given_tables, series, number):
    whole = Market.from_bars(**given_tables, series=series)
    # A panel ends at its last bar: cut at a day on which there is one.
    cut = given_tables["bars"]["date"][given_tables["bars"]["date"] <= DAYS[number]].max()
    until = {name: table[table["date"] <= cut] for name, table in given_tables.items()}
    if until["receipts"].empty:
        del until["receipts"]
    rebuilt = Market.from_bars(**until)
    known = Market.from_bars(**given_tables).asof(cut)
    assert known.digest == rebuilt.digest
    published = series[pd.to_datetime(series["published_on"]) <= cut]
    expected = Market.from_bars(**until, series=None if published.empty else published).series
    found = whole.asof(cut).series.reset_index(drop=True)
    assert_frame_equal(found, expected, check_dtype=not published.empty)


@lasting
@given(publications())
def test_nothing_is_known_before_it_was_published(series):
    rows = pd.DataFrame([bar(day, "si2312", 14_000, frozenset()) for day in DAYS])
    panel = Market.from_bars(rows, series=series)
    dates = pd.to_datetime(series["published_on"])
    for name in panel.series["name"].unique():
        known = panel.known(name)
        assert known.index.equals(panel.sessions)
        for day, value in known.items():
            out = series[(series["name"] == name) & (dates <= day)]
            newest = out[out["date"] == out["date"].max()]
            assert out.empty == np.isnan(value)
            # Of the newest date the latest revision: the one published last.
            expected = newest.sort_values("published_on")["value"].tail(1).tolist()
            assert np.isnan(value) or [value] == expected


def test_what_is_published_on_a_weekend_is_known_on_monday(market):
    series = pd.DataFrame(
        {"name": "cost", "date": ["2023-09-08"], "published_on": ["2023-09-09"], "value": [13.5]}
    )
    panel = Market.from_bars(tidy(market), series=series)
    assert np.isnan(panel.known("cost")["2023-09-08"])
    assert panel.known("cost")["2023-09-11"] == 13.5


def test_a_revision_of_an_older_date_is_no_news(market):
    series = pd.DataFrame(
        {
            "name": "cost",
            "date": ["2023-09-01", "2023-09-04", "2023-09-01"],
            "published_on": ["2023-09-04", "2023-09-05", "2023-09-06"],
            "value": [1.0, 2.0, 3.0],
        }
    )
    known = Market.from_bars(tidy(market), series=series).known("cost")
    assert known["2023-09-04"] == 1.0
    assert known["2023-09-05"] == 2.0
    assert known["2023-09-07"] == 2.0


def test_arrays_are_read_only(market):
    for name in FIELDS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(market, name)[0, 0] = 1.0


def test_what_is_handed_out_is_a_copy(market):
    frame, bars = market.frame("close"), market.bars("si2311")
    frame.iloc[0, 0] = 1.0
    bars.iloc[0, 0] = 1.0
    assert market.close[0, 0] > 1
    assert market.open[0, 0] > 1


def test_the_table_handed_in_may_change_afterwards(market):
    table = tidy(market)
    panel = Market.from_bars(table)
    table.loc[:, "close"] = 1.0
    assert (panel.close > 1).all()


def test_one_price_changes_the_digest(market):
    table = tidy(market)
    table.loc[7, "volume"] += 1
    assert Market.from_bars(table).digest != market.digest


def test_asof_the_last_session_is_the_market_itself(market):
    assert market.asof(market.sessions[-1]).digest == market.digest
    assert market.asof("2030-01-01").digest == market.digest


def test_asof_before_the_first_session_is_refused(market):
    with pytest.raises(DataError, match="begins on 2023-09-04"):
        market.asof("2023-09-01")


def test_asof_a_weekend_is_asof_the_friday(market):
    assert market.asof("2023-09-10").digest == market.asof("2023-09-08").digest


def test_a_contract_without_bars_is_refused_with_a_hint(market):
    with pytest.raises(DataError, match=r"'si2402'.*si2311 to si2401.*Did you mean"):
        market.column("si2402")


def test_a_series_that_is_not_there_is_refused(market):
    with pytest.raises(DataError, match=r"no series 'cost'; it has none"):
        market.known("cost")


def test_sessions_without_bars_stand_in_the_panel():
    rows = [
        bar(DAYS[0], "si2312", 14_000, frozenset()),
        bar(DAYS[4], "si2312", 14_000, frozenset()),
    ]
    panel = Market.from_bars(pd.DataFrame(rows))
    assert panel.sessions.equals(DAYS[:5])
    assert list(panel.traded()[:, 0]) == [True, False, False, False, True]
    assert_series_equal(
        panel.receipts, pd.Series(np.nan, index=DAYS[:5], name="receipts"), check_freq=False
    )
    assert panel.spot.shape == (5, 0)
    assert panel.series.empty


def test_it_says_what_it_is_and_whether_it_is_simulated(market):
    expected = "<Market three contracts: 3 contracts, 15 sessions 2023-09-04..2023-09-22>"
    assert repr(market) == expected
    assert "SIMULATED" in repr(Market.from_bars(tidy(market), simulated=True))


def test_spot_and_receipts_cannot_be_written_to():
    market = sibt.load_market("sample")
    with pytest.raises(ValueError, match="read-only"):
        market.spot.iloc[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        market.receipts.iloc[0] = 1.0
    assert market.digest == sibt.load_market("sample").digest
