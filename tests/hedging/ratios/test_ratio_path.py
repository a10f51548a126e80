import numpy as np
import pandas as pd
import pytest
from pairs import DAYS, drawn, pulled, rolled

from sibt.errors import SettingError
from sibt.hedging.ratios.estimate import estimate
from sibt.hedging.ratios.path import path

QUICK = ("naive", "min_variance", "error_correction", "vecm", "rolling", "ewma", "kalman")


def two_standards(sessions=240, line=120):
    spot, futures = drawn(1, sessions)
    codes = pd.Series(["si2410"] * (line - 40) + ["si2411"] * 40 + ["si2412"] * (sessions - line),
                      index=spot.index, dtype=object)
    return spot, futures, codes


@pytest.mark.parametrize("method", QUICK)
def test_what_comes_later_changes_nothing(method):
    spot, futures, codes = rolled(*pulled(1, 200), length=70)
    whole = path(spot, futures, method, k=1, contracts=codes).ratios
    for cut in (20, 60, 111, 170):
        known = path(
            spot.iloc[:cut], futures.iloc[:cut], method, k=1, contracts=codes.iloc[:cut]
        ).ratios
        pd.testing.assert_series_equal(known, whole.iloc[:cut])
    bent = futures.where(np.arange(200) < 150, futures * 1.7)
    assert path(spot, bent, method, k=1, contracts=codes).ratios.iloc[:150].equals(
        whole.iloc[:150])


def test_each_estimate_is_that_of_everything_known_by_then():
    spot, futures = drawn(2)
    way = path(spot, futures, every=20)
    for session, row in way.estimates.iterrows():
        expected = estimate(spot.loc[:session], futures.loc[:session])
        assert row["ratio"] == expected.ratio == way.ratios[session]
        assert row["observations"] == expected.observations


def test_a_ratio_stands_until_the_first_session_of_the_next_month():
    way = path(*drawn(3))
    months = DAYS[:250].to_period("M")
    begins = [t for t in range(1, 250) if months[t] != months[t - 1]]
    # Thirty changes over five sessions are known after the 35th.
    assert way.estimates.index.tolist() == [DAYS[34], *(DAYS[t] for t in begins if t > 34)]
    changed = way.ratios.diff().fillna(0.0) != 0.0
    assert set(way.ratios.index[changed]) <= set(way.estimates.index)


def test_a_ratio_may_be_estimated_every_so_many_sessions():
    way = path(*drawn(4), every=40)
    assert way.estimates.index.tolist() == [DAYS[t] for t in range(34, 250, 40)]


def test_sessions_without_a_ratio_are_counted_by_reason():
    spot, futures = drawn(5)
    way = path(spot, futures)
    assert way.reasons == {"too few points": 34}
    assert way.ratios.isna().sum() == 34
    still = path(spot, futures * 0 + 12_000)
    assert still.reasons == {"too few points": 34, "futures does not move": 216}
    assert still.ratios.isna().all()
    assert len(still.estimates) == 0


def test_an_explosive_ratio_stands_for_nothing_until_one_is_defined_again():
    spot, futures = drawn(6, 200)
    # For eighty sessions the spot moves 3.8 times as far as the futures.
    wild = spot + 3.0 * (futures - futures.iloc[0]).where(np.arange(200) < 80, np.nan).ffill()
    way = path(wild, futures, "rolling", k=1, window=30, every=5)
    assert set(way.reasons) == {"too few points", "ratio beyond 2"}
    assert way.ratios.iloc[30:80].isna().all()
    assert way.ratios.iloc[115:].between(0.5, 1.1).all()


def test_a_ratio_that_is_no_longer_defined_stands_no_longer():
    spot, futures = drawn(6, 200)
    halted = futures.where(np.arange(200) < 100).ffill()
    way = path(spot, halted, "rolling", k=1, window=30, every=10)
    assert way.ratios.iloc[30:130].notna().all()
    assert way.ratios.iloc[140:].isna().all()
    assert way.reasons["futures does not move"] >= 60


def test_a_ratio_falls_at_the_line_between_two_standards():
    spot, futures, codes = two_standards()
    way = path(spot, futures, contracts=codes, k=1)
    assert way.ratios.iloc[119] > 0
    assert way.ratios.iloc[120:150].isna().all()
    later = path(spot.iloc[120:], futures.iloc[120:], contracts=codes.iloc[120:], k=1)
    pd.testing.assert_series_equal(way.ratios.iloc[120:], later.ratios)
    assert way.reasons["too few points"] == 30 + 30


def test_a_ratio_crosses_the_line_only_when_asked():
    spot, futures, codes = two_standards()
    way = path(spot, futures, contracts=codes, k=1, cross_standard=True)
    assert way.ratios.iloc[30:].notna().all()
    # The change from the one to the other is nobody's.
    assert way.estimates["observations"].iloc[-1] < 239 - 1


def test_standards_may_be_named_where_the_series_is_adjusted_for_rolls():
    spot, futures, codes = two_standards()
    names = codes.map({"si2410": "2022", "si2411": "2022", "si2412": "2024"})
    way = path(spot, futures, contracts=names, k=1)
    assert way.ratios.iloc[120:150].isna().all()
    assert way.ratios.iloc[[119, 151]].notna().all()


def test_one_for_one_stands_from_the_first_session():
    way = path(*drawn(7), "naive", vat=True)
    assert (way.ratios == 1 / 1.13).all()
    assert way.reasons == {}


@pytest.mark.parametrize("every", [0, -3, "week", 2.5])
def test_a_schedule_that_makes_no_sense_is_refused(every):
    with pytest.raises(SettingError, match="is no schedule"):
        path(*drawn(8), every=every)


def test_a_misspelt_method_is_refused_at_once():
    with pytest.raises(SettingError, match="Did you mean 'ewma'"):
        path(*drawn(8), "ewm")
