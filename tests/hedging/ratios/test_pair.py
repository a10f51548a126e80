import numpy as np
import pandas as pd
import pytest
from pairs import DAYS, series

from sibt.errors import DataError
from sibt.hedging.ratios.pair import RatioError, pair_of, standards

NAN = np.nan


def codes(*names):
    return pd.Series(list(names), index=DAYS[: len(names)], dtype=object)


def test_a_session_without_a_quote_is_left_out_and_not_filled():
    spot, futures = series([100, NAN, 130, 150], [200, 210, NAN, 260])
    pair = pair_of(spot, futures)
    assert pair.sessions.tolist() == [DAYS[0], DAYS[3]]
    assert [c.tolist() for c in pair.changes(1)] == [[50], [60]]


def test_a_change_spans_k_quoted_sessions_the_same_for_both_prices():
    spot, futures = series([100, 110, NAN, 130, 140], [1, 2, 50, 4, 8])
    spot_changes, futures_changes = pair_of(spot, futures).changes(2)
    assert spot_changes.tolist() == [130 - 100, 140 - 110]
    assert futures_changes.tolist() == [4 - 1, 8 - 2]


def test_no_change_spans_a_roll():
    spot, futures = series([1, 2, 3, 4, 5, 6], [10, 11, 12, 913, 914, 915])
    held = codes("si2405", "si2405", "si2405", "si2406", "si2406", "si2406")
    pair = pair_of(spot, futures, held)
    assert pair.changes(1)[1].tolist() == [1, 1, 1, 1]
    assert pair.changes(2)[1].tolist() == [2, 2]
    assert len(pair.changes(3)[1]) == 0


def test_a_session_that_holds_no_contract_has_no_price():
    spot, futures = series([1, 2, 3], [10, 11, 12])
    pair = pair_of(spot, futures, codes("si2405", None, "si2405"))
    assert pair.changes(1)[1].tolist() == [2]


def test_more_sessions_back_than_there_are_make_no_change():
    pair = pair_of(*series([1, 2, 3], [10, 11, 12]))
    assert len(pair.changes(7)[0]) == 0


def test_every_kth_session_is_counted_back_from_the_last_of_each_contract():
    spot, futures = series(range(10), range(100, 110))
    thin = pair_of(spot, futures, codes(*["si2405"] * 6, *["si2406"] * 4)).every(3)
    assert thin.spot.tolist() == [2, 5, 6, 9]
    assert thin.changes(1)[0].tolist() == [3, 3]


def test_two_delivery_standards_are_two_goods():
    spot, futures = series([1, 2, 3, 4], [10, 11, 12, 13])
    held = codes("si2411", "si2411", "si2412", "si2412")
    with pytest.raises(DataError, match=r"from si2411 to si2412 crosses delivery standards"):
        pair_of(spot, futures, held)
    assert len(pair_of(spot, futures, held, cross_standard=True).changes(1)[0]) == 2


def test_standards_may_be_named_instead_of_contracts():
    spot, futures = series([1, 2, 3, 4], [10, 11, 12, 13])
    assert len(pair_of(spot, futures, codes(*["2022"] * 4)).changes(1)[0]) == 3
    with pytest.raises(DataError, match="from standard '2022' to '2024'"):
        pair_of(spot, futures, codes("2022", "2022", "2024", "2024"))


def test_a_session_without_a_contract_keeps_the_last_standard():
    held = codes(None, "si2411", None, "si2412")
    assert standards(held) == [None, "si 2022", "si 2022", "si 2024"]


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (lambda s, f: (s, f.iloc[1:]), "same sessions"),
        (lambda s, f: (s[::-1], f[::-1]), "do not rise"),
        (lambda s, f: (s.where(s != 2, np.inf), f), "infinite"),
        (lambda s, f: (s.reset_index(drop=True), f.reset_index(drop=True)), "same sessions"),
    ],
)
def test_series_that_do_not_fit_together_are_refused(bend, words):
    with pytest.raises(DataError, match=words):
        pair_of(*bend(*series([1, 2, 3], [10, 11, 12])))


def test_too_few_points_are_counted_dated_and_cured():
    pair = pair_of(*series([1, 2, 3], [10, 11, 12]))
    with pytest.raises(RatioError, match=r"2 changes are known up to 2023-01-05.* takes 30; give"):
        pair.need(2, "changes")
    pair.need(30, "changes")
