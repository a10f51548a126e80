from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from claim_files import days, market, scored

import sibt

SESSIONS = days("2024-03-29", 60)
STOCK = '[[series]]\nname = "stock"\nunit = "10000 t"\nwhat = "social stock"\n'


def bars(**beside):
    """si2409 rises by 5 from 12000 on the report's day; open interest is 1000."""
    return market({"si2409": [12000.0 + 5 * n for n in range(60)]}, **beside)


def series(*rows, name="stock"):
    table = [(name, day, published, value, "10000 t") for day, published, value in rows]
    return pd.DataFrame(table, columns=["name", "date", "published_on", "value", "unit"])


def one(tmp_path, market, asof=None, **reading):
    return scored(tmp_path, market, reading, asof=asof, more=STOCK)[0]


def identity(**told):
    return {"test": "identity", "of": "dominant close", "on": "2024-04-01", **told}


def change(**told):
    return {"test": "change", "of": "dominant close", "start": "2024-04-01", "end": "2024-04-09",
            **told}  # fmt: skip


def trend(**told):
    return {"test": "trend", "of": "si2409 close", "sign": "up", "end": "2024-04-30", **told}


# -- Identities -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"value": 12005}, "right"),
        ({"value": 12010}, "wrong"),
        ({"value": 12010, "tolerance": 5}, "right"),
        ({"low": 12005}, "right"),
        ({"low": 12006}, "wrong"),
        ({"high": 12004}, "wrong"),
        ({"low": 12000, "high": 12005}, "right"),
    ],
)
def test_a_printed_figure_is_in_the_data_or_not(tmp_path, told, verdict):
    row = one(tmp_path, bars(), **identity(**told))
    assert (row.verdict, row.decided_on) == (verdict, SESSIONS[1])
    assert row.figures["in the data"] == (12005.0, "yuan/t")
    assert row.base is None
    assert "is in the data or it is not" in row.no_base


def test_a_figure_may_lie_before_the_report(tmp_path):
    told = identity(on="2024-04-01", value=12005)
    row = scored(tmp_path, bars(), told, head={"date": "2024-05-14"})[0]
    assert row.verdict == "right"


@pytest.mark.parametrize(
    ("take", "value"),
    [("first", 12005), ("last", 12015), ("mean", 12010), ("sum", 36030), ("min", 12005),
     ("max", 12015)],
)  # fmt: skip
def test_values_between_two_days_are_taken_together(tmp_path, take, value):
    told = {"test": "identity", "of": "dominant close", "start": "2024-04-01",
            "end": "2024-04-03", "take": take, "value": value}  # fmt: skip
    row = one(tmp_path, bars(), **told)
    assert (row.verdict, row.figures["values"].value) == ("right", 3)


def test_a_part_sum_is_no_sum(tmp_path):
    whole = bars()
    closes = whole.close.copy()
    closes[2] = np.nan
    gap = replace(whole, close=closes)
    told = {"test": "identity", "of": "dominant close", "start": "2024-04-01",
            "end": "2024-04-03", "take": "min", "value": 12005}  # fmt: skip
    row = one(tmp_path, gap, **told)
    assert row.verdict == "untestable"
    assert row.missing[0].what == "dominant close (2024-04-01..2024-04-03)"


def test_open_interest_of_all_contracts_needs_each_of_them(tmp_path):
    two = {"si2409": ([12000.0] * 60, 900.0), "si2410": ([12000.0] * 60, 80.0)}
    told = identity(of="weighted open_interest", value=980)
    row = one(tmp_path, market(two), **told)
    assert (row.verdict, row.figures["in the data"].unit) == ("right", "lots")
    unknown = {**two, "si2410": ([12000.0] * 60, [80.0, None, *[80.0] * 58])}
    row = one(tmp_path, market(unknown), **told)
    assert row.verdict == "untestable"
    assert row.missing[0].what == "open_interest of all contracts (2024-04-01)"


def test_it_runs_until_its_day_has_come(tmp_path):
    told = identity(on="2024-04-09", value=12025)
    assert one(tmp_path, bars(), asof="2024-04-08", **told).verdict == "running"
    assert one(tmp_path, bars(), asof="2024-04-09", **told).verdict == "right"


def test_a_day_without_its_value_is_missing(tmp_path):
    row = one(tmp_path, bars(), **identity(of="spot 553", value=13000))
    assert (row.verdict, row.missing[0].what) == ("untestable", "spot 553")
    spot = pd.DataFrame({"date": ["2024-04-02"], "grade": ["553"], "price": [13000.0]})
    row = one(tmp_path, bars(spot=spot), **identity(of="spot 553", value=13000))
    assert row.missing[0].what == "spot 553 (2024-04-01)"
    assert "spot.csv" in row.missing[0].how
    row = one(tmp_path, bars(spot=spot),
              **identity(of="spot 553 - dominant close", on="2024-04-02", value=990))  # fmt: skip
    assert row.verdict == "right"


def test_a_series_stands_until_the_next_but_not_for_ever(tmp_path):
    stock = series(("2024-03-22", "2024-03-22", 36.0), ("2024-04-05", "2024-04-08", 37.0))
    known = bars(series=stock)
    told = identity(of="series stock", value=36)
    row = one(tmp_path, known, **told)
    assert (row.verdict, row.figures["in the data"].unit) == ("right", "10000 t")
    assert row.figures["value of"].value == pd.Timestamp("2024-03-22")
    assert one(tmp_path, known, **{**told, "on": "2024-05-13"}).verdict == "untestable"
    assert one(tmp_path, known, **{**told, "on": "2024-04-30", "value": 37}).verdict == "right"


def test_what_is_published_later_is_not_known(tmp_path):
    known = bars(series=series(("2024-04-01", "2024-04-08", 37.0)))
    told = identity(of="series stock", value=37)
    assert one(tmp_path, known, asof="2024-04-03", **told).verdict == "untestable"
    assert one(tmp_path, known, asof="2024-04-08", **told).verdict == "right"


def test_a_price_beyond_its_contracts_is_undecidable(tmp_path):
    row = one(tmp_path, bars(), **identity(on="2024-12-02", value=12000))
    assert row.verdict == "undecidable"
    assert "2024-11-14" in row.why
    row = one(tmp_path, bars(), **identity(of="si2409 close", on="2024-10-08", value=12000))
    assert "2024-09-13" in row.why


# -- Changes ----------------------------------------------------------------------------------


def test_a_change_is_in_its_unit_or_a_share(tmp_path):
    row = one(tmp_path, bars(), **change(value=20))
    assert (row.verdict, row.figures["change"]) == ("right", (20.0, "yuan/t"))
    row = one(tmp_path, bars(), **change(value=0.0017, tolerance=0.0001, relative=True))
    assert (row.verdict, row.figures["change"].unit) == ("right", "share")
    assert one(tmp_path, bars(), **change(low=21)).verdict == "wrong"


def test_a_change_counts_from_the_last_known_values(tmp_path):
    # 2024-04-06 and -07 are a weekend of the holiday after 2024-04-03.
    row = one(tmp_path, bars(), **change(start="2024-04-01", end="2024-04-07", value=10))
    assert (row.verdict, row.figures["last value"].value) == ("right", 12015.0)
    early = one(tmp_path, bars(), **change(start="2024-02-01", value=20))
    assert early.verdict == "untestable"


# -- Trends -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "right"),
    [
        (1060.0, {"up", "not_down"}),
        (1050.0, {"flat", "not_up", "not_down"}),
        (1000.0, {"flat", "not_up", "not_down"}),
        (950.0, {"flat", "not_up", "not_down"}),
        (945.0, {"down", "not_up"}),
    ],
)
def test_a_trend_is_more_than_what_still_is_flat(tmp_path, last, right):
    known = bars(series=series(("2024-03-29", "2024-03-29", 1000.0),
                               ("2024-04-30", "2024-04-30", last)))  # fmt: skip
    told = trend(of="series stock", within=0.05)
    signs = ("up", "down", "flat", "not_up", "not_down")
    rows = scored(tmp_path, known, *({**told, "sign": sign} for sign in signs), more=STOCK)
    assert {sign for sign, row in zip(signs, rows, strict=True) if row.verdict == "right"} == right
    assert {row.verdict for row in rows} == {"right", "wrong"}


def test_a_trend_begins_with_the_report_and_runs_to_its_day(tmp_path):
    told = trend(within=0.0)
    row = one(tmp_path, bars(), asof="2024-04-10", **told)
    assert (row.verdict, row.figures["first value"].value) == ("running", 12000.0)
    row = one(tmp_path, bars(), asof="2024-04-30", **told)
    assert (row.verdict, row.decided_on) == ("right", pd.Timestamp("2024-04-30"))


def test_the_trend_of_a_spread_below_zero_has_the_sign_of_its_move(tmp_path):
    near, far = [12000.0 - 10 * n for n in range(60)], [12100.0] * 60
    told = trend(of="si2409 close - si2410 close", sign="down", within=0.05)
    assert one(tmp_path, market({"si2409": near, "si2410": far}), **told).verdict == "right"


def test_what_was_last_published_long_ago_says_nothing_of_today(tmp_path):
    known = bars(series=series(("2024-03-29", "2024-03-29", 1000.0)))
    row = one(tmp_path, known, **trend(of="series stock", sign="flat", end="2024-06-03"))
    assert (row.verdict, row.missing[0].what) == ("untestable", "series stock (2024-06-03)")


def test_trends_that_belong_together_must_all_hold(tmp_path):
    stock = series(("2024-03-29", "2024-03-29", 100.0), ("2024-04-30", "2024-04-30", 80.0))
    parts = [{"of": "series stock", "sign": "down"}, {"of": "si2409 close", "sign": "flat"}]
    told = {"test": "trends", "parts": parts, "end": "2024-04-30"}
    row = one(tmp_path, bars(series=stock), **told)
    assert row.verdict == "right"
    assert row.figures["series stock: change"].value == pytest.approx(-0.2)
    parts[1]["sign"] = "up"
    assert one(tmp_path, bars(series=stock), **told).verdict == "wrong"
    row = one(tmp_path, bars(), **told)
    assert [each.what for each in row.missing] == ["series stock"]


def test_a_roll_is_no_trend_of_adjusted_closes(tmp_path):
    near = ([12000.0] * 60, [1000.0] * 5 + [10.0] * 55)
    both = market({"si2409": near, "si2410": ([13000.0] * 60, 500.0)})
    raw = one(tmp_path, both, **trend(of="dominant close"))
    assert raw.verdict == "right"
    assert one(tmp_path, both, **trend(of="adjusted close")).verdict == "wrong"


def test_the_base_rate_of_a_trend_is_counted_over_days(tmp_path):
    sample = sibt.load_market("sample")
    told = trend(of="spot 553", sign="down", within=0.02, end="2024-05-14")
    row = one(tmp_path, sample, **told)
    quotes = sample.spot["553"].dropna()
    length = pd.Timestamp("2024-05-14") - pd.Timestamp("2024-03-29")
    right = count = 0
    for day in sample.sessions:
        first = quotes[day - pd.Timedelta(days=31) : day]
        end = day + length
        last = quotes[end - pd.Timedelta(days=31) : end]
        if end > sample.sessions[-1] or first.empty or last.empty:
            continue
        count += 1
        right += last.iloc[-1] < first.iloc[-1] * 0.98
    assert (row.base.right, row.base.windows) == (right, count)
    assert count > 300
    # Over two years less the length, one every 46 days.
    assert row.base.independent == pytest.approx(count / 242 * 365 / 46, abs=2)


# -- Recorded prices --------------------------------------------------------------------------


def test_the_low_of_the_quarterly_report_is_in_the_recorded_prices(tmp_path, shared_market):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    told = {"test": "identity", "of": "si2405 low", "on": "2024-03-29", "value": 11930}
    assert one(tmp_path, recorded, **told).verdict == "right"
    # Open interest is recorded of the dominant contract alone: no sum is made of it.
    told = change(of="weighted open_interest", start="2024-02-29", end="2024-03-15", value=70000)
    row = one(tmp_path, recorded, **told)
    assert row.verdict == "untestable"
    assert row.missing[0].what.startswith("open_interest of all contracts")


def test_a_pair_of_two_standards_is_a_quantity_too(tmp_path, shared_market):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    told = {"test": "identity", "of": "si2412 close - si2411 close", "on": "2024-04-17",
            "value": 2175}  # fmt: skip
    assert one(tmp_path, recorded, **told).verdict == "right"
    told |= {"on": "2024-10-23", "value": 3285}
    assert one(tmp_path, recorded, **told).verdict == "right"
