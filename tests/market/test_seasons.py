import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError
from sibt.market.contract import contract
from sibt.market.grades import basis_by_grade, undeliverable
from sibt.market.matrix import matrix
from sibt.market.panel import Market
from sibt.market.seasons import busiest_pair, seasons, sessions_to_expiry
from sibt.market.stocks import paper_ratio
from sibt.sources import load_market

nan = np.nan


def bars(rows) -> pd.DataFrame:
    """Return bars from (date, contract, price, volume, open interest); closes settle."""
    return pd.DataFrame(
        [(d, c, p, p, p, p, p, v, i) for d, c, p, v, i in rows],
        columns=["date", "contract", "open", "high", "low", "close", "settle", "volume",
                 "open_interest"],
    )


def two_years(**more) -> Market:
    return Market.from_bars(bars([
        ("2023-09-13", "si2309", 14_000, 50, 100), ("2023-09-13", "si2310", 14_100, 60, 500),
        ("2023-09-14", "si2309", 14_050, 50, 90), ("2023-09-14", "si2310", 14_100, 5, 400),
        ("2024-09-12", "si2409", 9_600, 40, 80), ("2024-09-12", "si2410", 9_700, 70, 900),
        ("2024-09-13", "si2409", 9_500, 30, 70), ("2024-09-13", "si2410", 9_760, 70, 950),
    ]), **more)


def test_the_last_trading_day_has_no_session_left():
    market = two_years()
    left = sessions_to_expiry(market, "si2309")
    assert contract("si2309").last_trading == pd.Timestamp("2023-09-14")
    assert left["2023-09-14"] == 0
    assert left["2023-09-13"] == 1
    assert left["2024-09-13"] < 0


def test_seasons_lay_each_year_on_its_own_sessions_to_expiry():
    table = seasons(two_years(), "si2409", "si2410")
    assert list(table.columns) == ["si2309-si2310", "si2409-si2410"]
    # 13 September is the tenth session of its month in 2024, the fourteenth is in 2023.
    assert table.loc[1, "si2409-si2410"] == -100
    assert table.loc[0, "si2409-si2410"] == -260
    assert table.loc[1, "si2309-si2310"] == -100
    # Five lots of the far leg are too few, so its last session is unknown, never carried on.
    assert np.isnan(table.loc[0, "si2309-si2310"])
    assert list(table.index) == sorted(table.index, reverse=True)
    assert table.index[-1] == 0


def test_seasons_without_a_floor_take_the_thin_session():
    table = seasons(two_years(), "si2409", "si2410", min_volume=0)
    assert table.loc[0, "si2309-si2310"] == -50


def test_a_pair_across_the_standard_is_left_out_and_named():
    market = load_market("sample")
    table = seasons(market, "si2311", "si2312")
    assert list(table.columns) == ["si2311-si2312", "si2511-si2512"]
    assert "two delivery standards" in table.attrs["left_out"]["si2411-si2412"]
    both = seasons(market, "si2311", "si2312", cross_standard=True)
    assert list(both.columns) == ["si2311-si2312", "si2411-si2412", "si2511-si2512"]
    assert "si2411-si2412" not in both.attrs["left_out"]


def test_every_value_of_a_season_is_a_value_of_the_spread():
    market = load_market("sample")
    table = seasons(market, "si2402", "si2403", "settle")
    spread = market.spread("si2402", "si2403", "settle").dropna()
    drawn = table["si2402-si2403"].dropna()
    assert list(drawn) == list(spread)
    assert drawn.index[-1] == sessions_to_expiry(market, "si2402")[spread.index[-1]]


def test_an_expiry_beyond_the_calendar_is_left_out(monkeypatch):
    from dataclasses import replace

    import sibt.market.seasons as module

    def unknown(code):
        life = contract(code)
        return replace(life, last_trading=None) if code == "si2409" else life

    monkeypatch.setattr(module, "contract_of", unknown)
    table = seasons(two_years(), "si2409", "si2410")
    assert list(table.columns) == ["si2309-si2310"]
    assert "beyond the known calendar" in table.attrs["left_out"]["si2409-si2410"]
    assert sessions_to_expiry(two_years(), "si2409").isna().all()


def test_a_far_leg_without_bars_is_named():
    rows = bars([("2023-09-13", "si2309", 14_000, 50, 100),
                 ("2024-09-12", "si2409", 9_600, 40, 80), ("2024-09-12", "si2410", 9_700, 70, 900)])
    table = seasons(Market.from_bars(rows), "si2409", "si2410")
    assert table.attrs["left_out"] == {"si2309-si2310": "there are no bars of si2310"}


def test_seasons_refuse_legs_in_the_wrong_order():
    with pytest.raises(DataError, match="name the earlier contract first"):
        seasons(two_years(), "si2410", "si2409")


# -- The pair that trades most --------------------------------------------------------------


def three(volumes, interest=(nan, nan, nan)) -> Market:
    return Market.from_bars(bars([
        ("2024-07-01", code, 12_000, volume, held)
        for code, volume, held in zip(("si2408", "si2409", "si2410"), volumes, interest,
                                      strict=True)
    ]))


def test_the_busiest_pair_goes_by_its_thinner_leg():
    assert busiest_pair(three((20, 500, 30))) == ("si2409", "si2410")
    assert busiest_pair(three((40, 500, 30))) == ("si2408", "si2409")


def test_without_volume_open_interest_decides():
    assert busiest_pair(three((nan, nan, nan), (5, 9, 7))) == ("si2409", "si2410")


def test_with_neither_the_dominant_contract_is_the_near_leg():
    assert busiest_pair(three((nan, nan, nan))) == ("si2408", "si2409")
    assert busiest_pair(three((nan, 300, nan))) == ("si2409", "si2410")


def test_only_the_last_sessions_count():
    rows = bars([
        ("2024-07-01", "si2408", 12_000, 9_000, 1), ("2024-07-01", "si2409", 12_000, 9_000, 1),
        ("2024-07-02", "si2409", 12_000, 20, 1), ("2024-07-02", "si2410", 12_000, 20, 1),
    ])
    assert busiest_pair(Market.from_bars(rows), sessions=1) == ("si2409", "si2410")
    assert busiest_pair(Market.from_bars(rows), sessions=2) == ("si2408", "si2409")


def test_neighbours_of_two_standards_are_no_pair_unless_asked():
    rows = bars([("2024-07-01", "si2411", 10_000, 50, 1), ("2024-07-01", "si2412", 12_000, 50, 1)])
    assert busiest_pair(Market.from_bars(rows)) is None
    assert busiest_pair(Market.from_bars(rows), cross_standard=True) == ("si2411", "si2412")


def test_one_contract_is_no_pair():
    assert busiest_pair(Market.from_bars(bars([("2024-07-01", "si2409", 1_000, 5, 5)]))) is None


# -- The matrix -----------------------------------------------------------------------------


def rising(days: int = 25) -> Market:
    """Return a market whose spread si2408 − si2409 is 0, 5, 10, … yuan by session."""
    found = pd.bdate_range("2024-04-08", periods=60)
    from sibt.market import calendar

    known = [d for d in found if d in calendar.sessions()][:days]
    rows = []
    for n, day in enumerate(known):
        rows += [(day, "si2408", 12_000 + 5 * n, 50, 10), (day, "si2409", 12_000, 50, 10)]
    return Market.from_bars(bars(rows))


def row(table: pd.DataFrame, near: str, far: str) -> pd.Series:
    found = table[(table["near"] == near) & (table["far"] == far)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_percentile_is_the_share_of_sessions_not_above():
    market = rising()
    assert row(matrix(market), "si2408", "si2409")["percentile"] == 100
    on = market.sessions[21]
    earlier = row(matrix(market, on), "si2408", "si2409")
    assert earlier["spread"] == 105
    assert (earlier["sessions"], earlier["low"], earlier["high"]) == (22, 0, 105)


def test_a_falling_spread_ends_at_the_lowest_percentile():
    market = load_market("sample")
    table = matrix(market, "2024-12-31")
    one = row(table, "si2502", "si2503")
    history = market.spread("si2502", "si2503", "settle", min_volume=0).dropna()
    assert one["spread"] == history.iloc[-1]
    assert one["percentile"] == pytest.approx(100 * (history <= history.iloc[-1]).mean())


def test_few_sessions_have_no_percentile_and_say_why():
    one = row(matrix(rising(19)), "si2408", "si2409")
    assert np.isnan(one["percentile"])
    assert one["no_percentile"] == "fewer than 20 sessions"
    assert one["spread"] == 90


def test_the_share_of_carry_is_that_of_market_carry():
    market = load_market("sample")
    one = row(matrix(market, "2024-12-31"), "si2502", "si2503")
    carry = market.carry("si2502", "si2503").iloc[-1]
    assert one["carry"] == carry
    assert one["share"] == pytest.approx(-one["spread"] / carry)


def test_no_bound_holds_across_the_cancellation_of_receipts():
    one = row(matrix(load_market("sample"), "2023-06-30"), "si2311", "si2312")
    assert np.isnan(one["share"])
    assert "receipts are cancelled" in one["no_share"]
    assert not np.isnan(one["spread"])


def test_no_spread_crosses_the_standard_unless_asked():
    market = load_market("sample")
    one = row(matrix(market, "2024-09-30"), "si2411", "si2412")
    assert np.isnan(one["spread"])
    assert "two goods" in one["no_spread"]
    asked = row(matrix(market, "2024-09-30", cross_standard=True), "si2411", "si2412")
    assert asked["spread"] == market.spread(
        "si2411", "si2412", "settle", cross_standard=True, min_volume=0)["2024-09-30"]


def test_the_matrix_knows_nothing_of_later_sessions():
    market = load_market("sample")
    day = "2024-03-29"
    pd.testing.assert_frame_equal(matrix(market, day), matrix(market.asof(day)))


def test_the_matrix_holds_every_pair_of_that_session_once():
    market = load_market("sample")
    alive = int((~np.isnan(market.asof("2024-03-29").settle[-1])).sum())
    assert len(matrix(market, "2024-03-29")) == alive * (alive - 1) // 2


# -- Paper and goods, grades ----------------------------------------------------------------


def test_the_ratio_is_open_interest_in_tonnes_over_receipts_in_tonnes():
    receipts = pd.DataFrame({"date": ["2024-09-11", "2024-09-12", "2024-09-13"],
                             "lots": [40, 90, 0]})
    rows = paper_ratio(Market.from_bars(bars([
        ("2024-09-10", "si2409", 9_600, 40, 85), ("2024-09-10", "si2410", 9_600, 40, 890),
        ("2024-09-11", "si2409", 9_600, 40, 80), ("2024-09-11", "si2410", 9_600, 40, 900),
        ("2024-09-12", "si2409", 9_600, 40, 75), ("2024-09-12", "si2410", 9_600, 40, 900),
        ("2024-09-13", "si2410", 9_600, 40, 900),
    ]), receipts=receipts))
    day = rows.loc["2024-09-11"]
    assert (day["contract"], day["paper"], day["goods"]) == ("si2409", 400, 200)
    assert day["ratio"] == 2.0
    # On the eve of si2409's last trading day the next month is the near one.
    assert (rows.loc["2024-09-12", "contract"], rows.loc["2024-09-12", "ratio"]) == ("si2410", 10)
    # Nothing is divided by no receipts at all, and unknown receipts stay unknown.
    assert np.isnan(rows.loc["2024-09-13", "ratio"])
    assert np.isnan(rows.loc["2024-09-10", "ratio"])


def test_the_ratio_of_any_contract_by_session():
    receipts = pd.DataFrame({"date": ["2024-09-12"], "lots": [90]})
    market = two_years(receipts=receipts)
    rows = paper_ratio(market, contracts=market.dominant())
    assert rows.loc["2024-09-12", "contract"] == "si2410"
    assert rows.loc["2024-09-12", "ratio"] == 10


def test_each_grade_is_brought_to_the_standard_of_the_session_s_contract():
    spot = pd.DataFrame({
        "date": ["2024-09-12"] * 3 + ["2024-12-16"] * 2,
        "grade": ["553", "421", "441", "421", "441"],
        "price": [11_500, 12_000, 11_800, 12_300, 12_000],
    })
    market = Market.from_bars(bars([
        ("2024-09-12", "si2410", 9_700, 70, 900), ("2024-12-16", "si2502", 11_400, 70, 900),
    ]), spot=spot)
    rows = basis_by_grade(market).dropna(subset=["basis"]).set_index(["grade", "session"])
    day, later = pd.Timestamp("2024-09-12"), pd.Timestamp("2024-12-16")
    assert rows.loc[("553", day), "basis"] == 1_800
    assert rows.loc[("421", day), "brought"] == 10_000
    assert rows.loc[("421", day), "basis"] == 300
    assert rows.loc[("421", day), "rate"] == pytest.approx(0.03)
    assert rows.loc[("421", later), "basis"] == 12_300 - 800 - 11_400
    assert rows.loc[("421", later), "standard"] == "2024"
    assert "441" not in set(rows.index.get_level_values(0))
    apart = undeliverable(market)
    assert [str(c) for c in apart.columns] == ["441"]
    assert apart.loc[day].iloc[0] == 11_800


def test_without_quotes_there_are_no_grades():
    assert basis_by_grade(two_years()).empty
    assert undeliverable(two_years()).empty
