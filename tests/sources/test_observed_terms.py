"""Terms a source reports are kept only where they differ from what is known."""

import pandas as pd
import pytest

from sibt import Account, Market
from sibt.engine.terms import terms_in_force
from sibt.errors import DataError
from sibt.market import calendar
from sibt.market.product import product
from sibt.market.quotes import no_terms
from sibt.sources.terms import news

SI = product("si")


def days(first, last):
    known = calendar.sessions()
    return known[(known >= first) & (known <= last)]


def seen(code, values, item="speculator"):
    """Rows of one value a day, as a source reports them."""
    return pd.DataFrame(
        [
            {"contract": code, "item": item, "from": day, "value": value, "source": "table",
             "confidence": "sourced"}
            for day, value in values
        ]
    )


def test_a_source_that_agrees_is_no_news():
    span = days("2025-08-01", "2025-11-28")
    rate = SI.margin_rate("si2605", span, "company")
    rows = seen("si2605", zip(span, rate, strict=True))
    assert news("si", rows, no_terms()).empty


def test_a_rise_is_news_on_its_first_day_only_and_known_afterwards():
    span = days("2025-11-03", "2025-11-28")
    rows = seen("si2605", [(day, 0.10 if day < span[5] else 0.13) for day in span])
    fresh = news("si", rows, no_terms())
    assert fresh[["from", "value"]].to_numpy().tolist() == [[span[5], 0.13]]
    assert news("si", rows, fresh).empty


def test_an_observed_rate_holds_until_the_file_speaks_again():
    span = days("2025-07-01", "2025-10-31")
    rows = seen("si2605", [(pd.Timestamp("2025-07-02"), 0.15)])
    rate = pd.Series(SI.extended(rows).margin_rate("si2605", span, "company"), span)
    plain = pd.Series(SI.margin_rate("si2605", span, "company"), span)
    assert (rate["2025-07-02":"2025-07-24"] == 0.15).all()
    assert (rate[:"2025-07-01"] == plain[:"2025-07-01"]).all()
    assert (rate["2025-07-25":] == plain["2025-07-25":]).all()  # GFEX [2025]239


def test_an_observed_rate_is_one_contracts_only():
    rows = seen("si2605", [(pd.Timestamp("2025-11-03"), 0.15)])
    span = days("2025-11-03", "2025-11-28")
    assert (SI.extended(rows).margin_rate("si2606", span, "company") == 0.10).all()


def test_near_delivery_the_higher_of_observed_and_stage_holds():
    span = days("2025-10-09", "2025-12-12")
    rows = seen("si2512", [(pd.Timestamp("2025-10-20"), 0.15)])
    rate = pd.Series(SI.extended(rows).margin_rate("si2512", span, "company"), span)
    assert rate["2025-11-20"] == 0.15  # the stage of 10 % is lower
    assert rate["2025-12-10"] == 0.20  # the delivery month's is higher


def test_a_rate_observed_within_a_stage_stands_for_itself():
    span = days("2025-12-01", "2025-12-12")
    rows = seen("si2512", [(span[2], 0.12)])
    rate = SI.extended(rows).margin_rate("si2512", span, "company")
    assert rate.tolist() == [0.20] * 2 + [0.12] * 8


def test_a_limit_holds_from_the_session_after_its_day():
    span = days("2025-11-03", "2025-11-07")
    rows = seen("si2605", [(span[1], 0.12)], "limit")
    assert SI.extended(rows).price_limit("si2605", span).tolist() == [0.08, 0.08, 0.12, 0.12, 0.12]
    assert len(news("si", rows, no_terms())) == 1


def test_fees_of_both_kinds_are_observed():
    span = days("2025-11-03", "2025-11-04")
    rows = pd.concat(
        [seen("si2605", [(span[1], 0.0002)], "open"),
         seen("si2605", [(span[0], 3.0)], "close_today_per_lot")]
    )
    terms = SI.extended(rows)
    assert terms.fee("si2605", span, "open").tolist() == [0.0001, 0.0002]
    assert terms.fee_per_lot("si2605", span, "close_today").tolist() == [3.0, 3.0]
    assert len(news("si", rows, no_terms())) == 2


def test_an_observation_settles_an_open_reading():
    span = days("2024-05-06", "2024-05-31")
    rows = seen("si2409", [(span[0], 0.085)])
    terms = SI.extended(rows)
    for reading in (False, True):
        assert (terms.margin_rate("si2409", span, "company", reading) == 0.085).all()


def test_the_ledger_charges_what_was_observed():
    span = days("2025-11-03", "2025-11-28")
    bars = pd.DataFrame({"date": span, "contract": "si2605", "close": 9000.0, "settle": 9000.0})
    rows = seen("si2605", [(span[3], 0.13)])
    market = Market.from_bars(bars, terms=rows)
    margin = terms_in_force(("si2605",), span, Account(), observed=market.terms).margin
    assert set(margin[:3, 0]) == {100_000}
    assert set(margin[3:, 0]) == {130_000}
    assert market.asof(span[2]).terms.empty
    said = market.product("si").caveats(span)
    assert any("1 observed terms of si beside its file" in word for word in said)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"item": "margn"}, "'margn' is no term"),
        ({"value": 12.0}, "a speculator of 12 cannot be; write shares, ten per cent being 0.1"),
        ({"contract": "si"}, "'si' is no contract"),
        ({"from": "soon"}, "'soon' is no date"),
    ],
)
def test_terms_that_cannot_be_are_refused(change, words):
    span = days("2025-11-03", "2025-11-04")
    bars = pd.DataFrame({"date": span, "contract": "si2605", "close": 9000.0})
    rows = seen("si2605", [(span[0], 0.13)]).astype(object).assign(**change)
    with pytest.raises(DataError, match=words):
        Market.from_bars(bars, terms=rows)
