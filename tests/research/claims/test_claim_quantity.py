import numpy as np
import pandas as pd
import pytest
from claim_files import days, market, subject

from sibt.errors import DataError, TermsError
from sibt.research.claims.quantity import quantity
from sibt.research.claims.verdict import LackingError

SESSIONS = days("2024-03-29", 20)


def values(tmp_path, one, text):
    return quantity(text).values(subject(tmp_path, one))


def two(**beside):
    near = ([12000.0] * 20, [1000.0] * 5 + [10.0] * 15)
    return market({"si2409": near, "si2410": ([12400.0] * 20, 500.0)}, **beside)


def test_each_kind_names_what_the_market_holds(tmp_path):
    beside = {
        "spot": pd.DataFrame({"date": ["2024-04-01"], "grade": ["553"], "price": [13000.0]}),
        "receipts": pd.DataFrame({"date": ["2024-04-01"], "lots": [50000]}),
        "series": pd.DataFrame({"name": ["stock"], "date": ["2024-03-31"],
                                "published_on": ["2024-04-02"], "value": [37.0],
                                "unit": ["10000 t"]}),
    }  # fmt: skip
    one = two(**beside)
    day = pd.Timestamp("2024-04-01")
    expected = {
        "dominant close": 12000.0,
        "dominant open_interest": 1000.0,
        "si2410 close": 12400.0,
        "weighted open_interest": 1500.0,
        "weighted volume": 200.0,
        "weighted close": (12000 * 1000 + 12400 * 500) / 1500,
        "adjusted close": 12000.0,
        "spot 553": 13000.0,
        "receipts": 50000.0,
        "spot 553 - dominant close": 1000.0,
        "si2410 close - si2409 close": 400.0,
    }
    for text, value in expected.items():
        assert values(tmp_path, one, text)[day] == pytest.approx(value), text
    stock = values(tmp_path, one, "series stock")
    assert stock.to_dict() == {pd.Timestamp("2024-03-31"): 37.0}


def test_the_lead_passes_and_the_adjusted_close_does_not_move(tmp_path):
    raw = values(tmp_path, two(), "dominant close")
    assert raw.iloc[[4, 5]].tolist() == [12000.0, 12400.0]
    assert set(values(tmp_path, two(), "adjusted close")) == {12000.0}


def test_a_revision_replaces_its_date_once_it_is_published(tmp_path):
    rows = pd.DataFrame({"name": "stock", "date": ["2024-03-31"] * 2,
                         "published_on": ["2024-04-02", "2024-04-15"], "value": [37.0, 38.0],
                         "unit": "t"})  # fmt: skip
    one = two(series=rows)
    assert values(tmp_path, one, "series stock").tolist() == [38.0]
    assert values(tmp_path, one.asof("2024-04-08"), "series stock").tolist() == [37.0]


@pytest.mark.parametrize(
    ("text", "what"),
    [("spot 421", "spot 421"), ("receipts", "receipts"), ("series stock", "series stock"),
     ("si2408 close", "bars si2408")],
)  # fmt: skip
def test_what_the_market_lacks_is_named_with_its_cure(tmp_path, text, what):
    with pytest.raises(LackingError) as caught:
        values(tmp_path, two(), text)
    assert caught.value.missing[0].what == what
    assert caught.value.missing[0].how


def test_a_difference_names_all_it_lacks_and_needs_common_days(tmp_path):
    with pytest.raises(LackingError) as caught:
        values(tmp_path, two(), "spot 421 - spot 553")
    assert [one.what for one in caught.value.missing] == ["spot 421", "spot 553"]
    apart = pd.DataFrame({"date": ["2024-04-01", "2024-04-02"], "grade": ["421", "553"],
                          "price": [1.0, 2.0]})  # fmt: skip
    with pytest.raises(LackingError):
        values(tmp_path, two(spot=apart), "spot 421 - spot 553")


def test_an_unknown_value_is_not_zero(tmp_path):
    one = market({"si2409": ([12000.0] * 20, [1000.0] * 19 + [np.nan])})
    assert SESSIONS[19] not in values(tmp_path, one, "weighted open_interest").index


def test_a_quantity_ends_with_its_contracts(tmp_path):
    held = subject(tmp_path, two())
    assert quantity("si2410 close - si2409 close").ends(held) == pd.Timestamp("2024-09-13")
    assert quantity("dominant close").ends(held) == pd.Timestamp("2024-11-14")
    assert quantity("spot 553").ends(held) is None
    assert quantity("weighted open_interest").ends(held) is None


@pytest.mark.parametrize("text", ["", 5, "close", "spot", "series a b", "dominant", "si2413 low"])
def test_what_names_nothing_is_refused(text):
    with pytest.raises((DataError, TermsError)):
        quantity(text)
