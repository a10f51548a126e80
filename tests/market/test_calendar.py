import pandas as pd
import pytest

from sibt.market import calendar


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def test_sessions_are_plain_midnights_in_order():
    known = calendar.sessions()
    assert known.tz is None
    assert known.unit == "ns"
    assert known.name == "session"
    assert known.is_monotonic_increasing
    assert known.is_unique
    assert (known == known.normalize()).all()


@pytest.mark.parametrize(("year", "count"), [(2023, 242), (2024, 242), (2025, 243)])
def test_years_have_the_exchanges_number_of_sessions(year, count):
    assert (calendar.sessions().year == year).sum() == count


def test_the_first_stretch_of_the_product_has_734_sessions():
    known = calendar.sessions()
    assert ((known >= "2022-12-22") & (known <= "2025-12-31")).sum() == 734


def test_new_years_eve_of_2024_is_no_session():
    assert day("2024-02-08") in calendar.sessions()
    assert day("2024-02-09") not in calendar.sessions()


def test_before_and_after_skip_weekends_and_holidays():
    assert calendar.before(day("2024-02-19")) == day("2024-02-08")
    assert calendar.after(day("2024-02-08")) == day("2024-02-19")
    assert calendar.after(day("2024-11-14"), 3) == day("2024-11-19")
    assert calendar.after(day("2024-11-16")) == day("2024-11-18")


def test_a_month_holds_its_own_sessions_only():
    days = calendar.month(2024, 10)
    assert days[0] == day("2024-10-08")
    assert days[-1] == day("2024-10-31")
    assert len(days) == 18


def test_what_lies_beyond_the_calendar_is_unknown_not_guessed():
    far = calendar.sessions()[-1] + pd.DateOffset(years=2)
    assert not calendar.is_known(far)
    assert calendar.before(far) is None
    assert calendar.after(far) is None
    assert calendar.after(calendar.sessions()[-1]) is None
    assert calendar.before(calendar.sessions()[0]) is None
    assert len(calendar.month(far.year, 5)) == 0
