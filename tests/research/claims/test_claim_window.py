import pandas as pd
import pytest
from claim_files import days

from sibt.market import calendar
from sibt.research.claims.window import Span, Window

SESSIONS = days("2024-03-29", 100)


def day(position):
    return SESSIONS[position]


def test_sessions_are_counted_from_the_next_one():
    assert Window(sessions=20).span(SESSIONS, 0) == Span(1, 20, True, day(20))


def test_a_window_that_reaches_beyond_the_market_is_not_over():
    span = Window(sessions=20).span(SESSIONS[:15], 0)
    assert span == Span(1, 14, False, day(20)), "its end is known by the calendar"
    assert Window(sessions=20).span(SESSIONS[:1], 0) == Span(1, 0, False, day(20))
    assert Window(sessions=20).span(SESSIONS[:21], 0).over


def test_months_end_with_the_last_session_on_or_before_the_day():
    # Three months after 2024-03-29 is a Saturday.
    span = Window(months=(1, 3)).span(SESSIONS, 0)
    assert SESSIONS[span.last] == span.end == pd.Timestamp("2024-06-28")
    assert span.first == 1
    until = int(SESSIONS.searchsorted(pd.Timestamp("2024-06-28")))
    assert Window(months=(1, 3)).span(SESSIONS[: until + 1], 0).over, "no session is missing"
    assert not Window(months=(1, 3)).span(SESSIONS[:until], 0).over


def test_a_late_window_begins_after_the_first_number_of_months():
    span = Window(months=(1, 3), late=True).span(SESSIONS, 0)
    assert SESSIONS[span.first] == pd.Timestamp("2024-04-30"), "2024-04-29 is the month itself"
    assert SESSIONS[span.first - 1] == pd.Timestamp("2024-04-29")


def test_until_includes_its_day():
    window = Window(until=pd.Timestamp("2024-06-14"))
    assert window.span(SESSIONS, 0).end == pd.Timestamp("2024-06-14")
    assert window.span(SESSIONS[:10], 0).over is False
    weekend = Window(until=pd.Timestamp("2024-06-15"))
    assert weekend.span(SESSIONS, 0) == window.span(SESSIONS, 0)


def test_a_day_becomes_a_length_elsewhere():
    window = Window(until=pd.Timestamp("2024-06-15")).elsewhere(day(0))
    assert window is not None
    assert window.span(SESSIONS, 0).end == pd.Timestamp("2024-06-14")
    assert Window(sessions=20).elsewhere(day(0)) == Window(sessions=20)


def test_beyond_the_calendar_nothing_is_known():
    last = calendar.sessions()[-1]
    far = Window(until=last + pd.DateOffset(years=5))
    assert far.elsewhere(day(0)) is None
    assert far.span(SESSIONS, 0) == Span(1, 99, False, None)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(sessions=20), "20 sessions"),
        (Window(months=(3, 6)), "3-6 months"),
        (Window(until=pd.Timestamp("2024-06-15")), "until 2024-06-15"),
    ],
)
def test_a_window_says_what_it_is(window, words):
    assert window.label == words
