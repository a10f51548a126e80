"""Bars of minutes beside daily ones: what no session can have, and what does not add up."""

import numpy as np
import pandas as pd
import pytest

from sibt.market.findings import minutes
from sibt.market.panel import Market

DAYS = pd.to_datetime(["2024-07-09", "2024-07-10", "2024-07-11"])
HOURS = [(9 * 60, 75), (10 * 60 + 30, 60), (13 * 60 + 30, 90)]
PRICES = ["open", "high", "low", "close"]


def fine() -> pd.DataFrame:
    """Bars of five minutes of si2412 on three sessions."""
    clock = [begin + at for begin, length in HOURS for at in range(0, length, 5)]
    parts = []
    for number, day in enumerate(DAYS):
        close = 12_000.0 + 20 * number + 5 * (np.arange(len(clock)) % 9)
        parts.append(pd.DataFrame({
            "time": day + pd.to_timedelta(clock, unit="min"), "date": day, "contract": "si2412",
            "open": close, "high": close + 10, "low": close - 10, "close": close,
            "volume": 100.0, "open_interest": 5_000.0}))
    return pd.concat(parts, ignore_index=True)


def market() -> Market:
    """The daily bars they add up to."""
    groups = fine().groupby("date")
    return Market.from_bars(pd.DataFrame({
        "date": DAYS, "contract": "si2412", "open": groups["open"].first().to_numpy(),
        "high": groups["high"].max().to_numpy(), "low": groups["low"].min().to_numpy(),
        "close": groups["close"].last().to_numpy(),
        "settle": groups["close"].last().to_numpy() - 5,
        "volume": groups["volume"].sum().to_numpy(), "open_interest": 5_000.0}))


def test_bars_that_add_up_show_nothing():
    assert minutes(market(), fine(), "5m") == []


def test_bars_of_no_session_of_the_market_are_passed_over():
    assert minutes(market(), fine().assign(contract="si2501"), "5m") == []


@pytest.mark.parametrize("times", [10, 0.1, 1.4])
def test_one_bar_far_from_its_session_is_wrong_and_nothing_beside_it(times):
    bars = fine()
    row = bars.index[bars["time"] == "2024-07-10 10:35"]
    bars.loc[row, PRICES] *= times
    (told,) = minutes(market(), bars, "5m")
    assert (told.severity, told.check, told.subject, told.sessions, told.count) == (
        "wrong", "minute spike", "si2412", "2024-07-10", 1)
    assert "the bar of 5m at 2024-07-10 10:35" in told.what


@pytest.mark.parametrize(("column", "change"), [
    ("high", 50), ("low", -50), ("close", 5), ("volume", 400),
])
def test_a_session_that_does_not_add_up_to_its_daily_bar_is_doubtful(column, change):
    bars = fine()
    last = bars.index[bars["date"] == DAYS[1]][-1]
    bars.loc[last, column] += change
    (told,) = minutes(market(), bars, "5m")
    assert (told.severity, told.check, told.subject, told.sessions, told.count) == (
        "doubtful", "minutes", "si2412", "2024-07-10", 1)
    assert f"add up to a {column} of" in told.what


def test_a_session_that_is_not_whole_is_not_added_up():
    bars = fine()
    assert minutes(market(), bars[bars["time"] < "2024-07-11 10:00"], "5m") == []


def test_unknown_cells_differ_from_nothing():
    assert minutes(market(), fine().assign(volume=float("nan")), "5m") == []


def test_recorded_minutes_show_nothing_wrong(shared_market):
    from sibt.sources import load_market

    bars = pd.read_csv(shared_market / "si2411_m5_20241031_20241114.csv")
    bars["time"] = pd.to_datetime(bars["datetime"])
    bars["date"] = bars["time"].dt.normalize()
    bars["contract"] = "si2411"
    told = minutes(load_market(shared_market / "si_contracts_d1.csv"), bars, "5m")
    assert told == []
