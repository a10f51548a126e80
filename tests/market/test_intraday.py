"""Bars finer than a day stand in the exchange's hours and add up to daily bars."""

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError
from sibt.market.intraday import daily, minutes, place, stamped, validate
from sibt.market.product import product

SI = product("si")


def grid(length: int, day: str = "2024-10-31", at: str = "start") -> pd.DatetimeIndex:
    """Return the stamps of a whole day."""
    first = pd.Timestamp(day)
    shift = 0 if at == "start" else length
    return pd.DatetimeIndex([
        first + pd.Timedelta(minutes=minute + shift)
        for begin, end in SI.hours for minute in range(begin, end, length)
    ])


def bars(times: pd.DatetimeIndex, contract: str = "si2412", volume: float = 10.0) -> pd.DataFrame:
    count = len(times)
    return pd.DataFrame({
        "time": times, "contract": contract,
        "open": 12500.0, "high": 12510.0 + 5 * (np.arange(count) % 2), "low": 12490.0,
        "close": 12500.0, "volume": volume, "turnover": np.nan,
        "open_interest": 1000.0 + np.arange(count),
    })


def whole(days: list[str], length: int = 5, **given) -> pd.DataFrame:
    frame = pd.concat([bars(grid(length, day), **given) for day in days], ignore_index=True)
    return validate(frame, SI, length, "start")


def test_the_hours_of_silicon_are_those_of_the_day():
    assert SI.hours == ((540, 615), (630, 690), (810, 900))
    assert len(grid(5)) == 45
    assert len(grid(1)) == 225


@pytest.mark.parametrize("length", [1, 3, 5, 15])
@pytest.mark.parametrize("at", ["start", "end"])
def test_length_and_stamp_are_seen_and_lead_to_the_same_starts(length, at):
    times = grid(length, at=at).to_numpy()
    assert minutes(times, ["si2412"] * len(times), SI) == length
    assert stamped(times, SI) == at
    starts, outside = place(times, SI, length, at)
    assert not outside.any()
    assert (starts == grid(length).to_numpy()).all()


def test_a_thin_contract_shows_its_length_by_what_its_stamps_share():
    times = pd.DatetimeIndex(["2024-10-31 09:00", "2024-10-31 09:10", "2024-10-31 13:35"])
    assert minutes(times.to_numpy(), ["si2412"] * 3, SI) == 5
    assert minutes(times[:1].to_numpy(), ["si2412"], SI) is None


def test_stamps_that_show_neither_start_nor_end_say_so():
    assert stamped(pd.DatetimeIndex(["2024-10-31 09:05"]).to_numpy(), SI) is None
    both = pd.DatetimeIndex(["2024-10-31 09:00", "2024-10-31 15:00"])
    assert stamped(both.to_numpy(), SI) is None


def test_long_bars_that_end_in_the_next_part_began_in_the_one_before():
    ends = pd.DatetimeIndex([f"2024-10-31 {clock}" for clock in
                             ("09:30", "10:00", "10:45", "11:15", "13:45", "14:15", "14:45",
                              "15:00")])
    starts, outside = place(ends.to_numpy(), SI, 30, "end")
    assert not outside.any()
    assert [f"{pd.Timestamp(start):%H:%M}" for start in starts] == [
        "09:00", "09:30", "10:00", "10:45", "11:15", "13:45", "14:15", "14:45"]


def test_hours_by_the_clock_begin_with_the_trading():
    clock = pd.DatetimeIndex([f"2024-10-31 {hour}:00" for hour in ("09", "10", "11", "13", "14")])
    starts, outside = place(clock.to_numpy(), SI, 60, "start")
    assert not outside.any()
    assert pd.Timestamp(starts[3]) == pd.Timestamp("2024-10-31 13:30")


@pytest.mark.parametrize(
    "clock", ["08:55", "10:15", "11:30", "12:00", "15:00", "21:00", "09:00:30"])
def test_a_bar_outside_the_hours_is_named(clock):
    frame = bars(pd.DatetimeIndex(["2024-10-31 09:00", f"2024-10-31 {clock}"]))
    with pytest.raises(DataError, match=rf"row 1, .* si2412 at 2024-10-31 {clock}.* outside"):
        validate(frame, SI, 5, "start")


def test_the_open_is_no_end_of_a_bar():
    frame = bars(pd.DatetimeIndex(["2024-10-31 09:00", "2024-10-31 15:00"]))
    with pytest.raises(DataError, match="at 2024-10-31 09:00:00, stamped at its end"):
        validate(frame, SI, 5, "end")


def test_times_in_utc_are_recognised():
    frame = bars(grid(5) - pd.Timedelta(hours=8))
    with pytest.raises(DataError, match="seem to be in UTC"):
        validate(frame, SI, 5, "start")


@pytest.mark.parametrize(("change", "said"), [
    ({"high": 12400.0}, "the high 12400 is below the low"),
    ({"close": 12501.0}, "no multiple of the tick"),
    ({"open": 0.0, "low": 0.0}, "the open 0 is not above zero"),
    ({"volume": -1.0}, "no count of lots"),
    ({"time": pd.Timestamp("2024-10-31 09:05")}, "a second bar of si2412 at 2024-10-31 09:05"),
    ({"time": pd.Timestamp("2024-11-02 09:05")}, "is no trading day"),
    ({"contract": "si2410"}, "after its last trading day"),
])
def test_what_holds_for_a_daily_bar_holds_for_each(change, said):
    frame = bars(grid(5)[:3])
    for column, value in change.items():
        frame.loc[2, column] = value
    with pytest.raises(DataError, match=said):
        validate(frame, SI, 5, "start")


def test_a_day_adds_up():
    frame = whole(["2024-10-30", "2024-10-31"])
    frame.loc[0, "open"] = 12495.0
    frame.loc[44, "close"] = 12505.0
    total = daily(frame, SI)
    assert total.attrs["incomplete"] == []
    first = total.iloc[0]
    assert first["date"] == pd.Timestamp("2024-10-30")
    assert tuple(first[["open", "high", "low", "close"]]) == (12495, 12515, 12490, 12505)
    assert first["volume"] == frame["volume"][:45].sum() == 450
    assert first["open_interest"] == 1044
    assert "settle" not in total.columns


@pytest.mark.parametrize("length", [1, 3, 5, 15])
def test_the_sum_does_not_depend_on_the_order_of_rows(length):
    frame = whole(["2024-10-30", "2024-10-31"], length)
    mixed = frame.sample(frac=1, random_state=7)
    pd.testing.assert_frame_equal(daily(frame, SI), daily(mixed, SI))


def test_an_unknown_volume_leaves_the_day_unknown():
    frame = whole(["2024-10-31"])
    frame.loc[3, "volume"] = np.nan
    assert np.isnan(daily(frame, SI)["volume"][0])


def reasons(frame: pd.DataFrame) -> dict[str, str]:
    total = daily(frame, SI)
    left_out = {f"{day:%m-%d}": why for _, day, why in total.attrs["incomplete"]}
    assert not set(total["date"].dt.strftime("%m-%d")) & set(left_out)
    return left_out


def test_sessions_cut_by_the_end_of_a_file_are_left_out():
    frame = whole(["2024-10-29", "2024-10-30", "2024-10-31"])
    assert reasons(frame.iloc[3:-2]) == {
        "10-29": "the file begins at 09:15", "10-31": "the file ends with the bar of 14:45"}


def test_a_part_of_a_busy_day_that_is_missing_leaves_it_out():
    frame = whole(["2024-10-29", "2024-10-30", "2024-10-31"])
    gap = (frame["time"] >= "2024-10-30 10:30") & (frame["time"] < "2024-10-30 13:30")
    assert reasons(frame[~gap]) == {"10-30": "10:30-11:30 is missing"}


def test_a_quiet_day_is_whole_where_silence_is_not_written():
    frame = whole(["2024-10-29", "2024-10-30", "2024-10-31"])
    assert reasons(frame.drop(index=[50, 60, 61, 88])) == {}


def test_a_quiet_day_is_not_whole_where_silence_is_written():
    frame = whole(["2024-10-29", "2024-10-30", "2024-10-31"])
    frame.loc[100, "volume"] = 0.0
    assert reasons(frame.drop(index=[50])) == {"10-30": "only 44 bars stand"}
