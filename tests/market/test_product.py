import pandas as pd
import pytest

from sibt.errors import TermsError
from sibt.market import calendar
from sibt.market.product import product, products

SI = product("si")


def days(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(texts)


def test_products_are_the_files_of_terms():
    assert products() == ("lc", "ps", "si")


def test_an_unknown_product_is_refused():
    with pytest.raises(TermsError, match="Did you mean 'si'"):
        product("sii")


def test_size_and_tick():
    assert SI.multiplier == 5
    assert (SI.tick(days("2022-12-22", "2024-06-03", "2026-01-05")) == 5).all()


@pytest.mark.parametrize(
    ("day", "speculator", "hedger"),
    [
        ("2022-12-22", 0.10, 0.10),
        ("2023-01-18", 0.10, 0.10),
        ("2023-01-19", 0.11, 0.11),
        ("2023-01-30", 0.10, 0.10),
        ("2023-05-04", 0.09, 0.09),
        ("2023-09-27", 0.11, 0.11),
        ("2023-10-09", 0.09, 0.09),
        ("2024-02-07", 0.11, 0.11),
        ("2024-02-19", 0.08, 0.07),
        ("2024-06-21", 0.09, 0.08),
        ("2024-09-27", 0.11, 0.10),
        ("2024-10-08", 0.09, 0.08),
        ("2025-01-24", 0.11, 0.10),
        ("2025-04-29", 0.10, 0.09),
        ("2025-05-06", 0.08, 0.07),
        ("2025-07-25", 0.10, 0.09),
        ("2025-09-29", 0.12, 0.11),
        ("2025-10-09", 0.10, 0.09),
    ],
)
def test_margin_holds_from_the_settlement_of_its_day(day, speculator, hedger):
    # A contract far from delivery, so that no step of the last two months is in the way.
    far = "si2612"
    assert SI.margin_rate(far, days(day), "individual")[0] == speculator
    assert SI.margin_rate(far, days(day), "company")[0] == speculator
    assert SI.margin_rate(far, days(day), "hedger")[0] == hedger


@pytest.mark.parametrize(
    ("day", "limit"),
    [
        ("2023-01-19", 0.08),
        ("2023-01-20", 0.09),
        ("2023-05-04", 0.09),
        ("2023-05-05", 0.07),
        ("2024-02-08", 0.09),
        ("2024-02-20", 0.06),
        ("2024-06-24", 0.07),
        ("2025-07-25", 0.06),
        ("2025-07-28", 0.08),
    ],
)
def test_price_limit_follows_in_the_session_after(day, limit):
    assert SI.price_limit("si2612", days(day))[0] == limit


def test_si2412_opened_with_a_wide_band_for_one_day():
    sessions = days("2024-04-17", "2024-04-18")
    assert list(SI.price_limit("si2412", sessions)) == [0.20, 0.06]
    assert list(SI.price_limit("si2411", sessions)) == [0.06, 0.06]


def test_margin_steps_up_at_the_settlement_before_each_stage():
    known = calendar.sessions()
    span = known[(known >= "2024-10-24") & (known <= "2024-11-04")]
    rate = pd.Series(SI.margin_rate("si2411", span, "individual"), index=span)
    assert rate["2024-10-24"] == 0.09
    assert rate["2024-10-25"] == 0.10  # the 15th session of October is Monday, the 28th
    assert rate["2024-10-30"] == 0.10
    assert rate["2024-10-31"] == 0.20
    assert rate["2024-11-04"] == 0.20


def test_the_higher_of_two_margins_holds():
    assert SI.margin_rate("si2411", days("2024-09-27", "2024-09-30"), "individual")[0] == 0.11


def test_two_open_readings_give_two_margins():
    day = days("2024-05-06")
    assert SI.margin_rate("si2412", day, "individual")[0] == 0.08
    assert SI.margin_rate("si2412", day, "individual", open_reading=True)[0] == 0.09
    assert any("two readings" in text for text in SI.caveats(days("2024-05-06", "2024-05-07")))


def test_fees_of_si2509_rise_twice():
    sessions = days("2025-07-18", "2025-07-21", "2025-07-25")
    assert list(SI.fee("si2509", sessions, "open")) == [0.0001, 0.0001, 0.00025]
    assert list(SI.fee("si2509", sessions, "close_today")) == [0.0, 0.0001, 0.00025]
    assert list(SI.fee("si2510", sessions, "close_today")) == [0.0, 0.0, 0.0]
    assert (SI.fee_per_lot("si2509", sessions, "open") == 0).all()


def test_the_tick_of_lithium_changes_in_the_session_after_the_settlement():
    assert list(product("lc").tick(days("2024-12-16", "2024-12-17", "2024-12-18"))) == [50, 50, 20]


def test_grades_are_worth_more_by_standard_and_441_is_never_553():
    assert SI.grade_premium("si2411", "421") == 2000
    assert SI.grade_premium("si2412", "421") == 800
    assert SI.grade_premium("si2412", "553") == 0
    with pytest.raises(TermsError, match="'441'"):
        SI.grade_premium("si2412", "441")


def test_terms_say_where_they_end_and_what_is_unverified():
    assert any("known until 2025-12-31" in text for text in SI.caveats(days("2026-01-05")))
    assert any("unverified" in text for text in product("lc").caveats(days("2024-01-02")))
    assert SI.caveats(days("2023-06-01", "2023-06-02")) == []
