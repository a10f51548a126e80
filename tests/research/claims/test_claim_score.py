"""Whole reports held against markets: the shipped ones on the sample, and what never may be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from claim_files import market, report, scored

import sibt
from sibt.errors import SettingError
from sibt.language import EN, ZH
from sibt.research.claims.report import publication, publications
from sibt.research.claims.score import score
from sibt.research.claims.verdict import VERDICTS

RANGE = {"test": "range", "low": 11500.0, "high": 12500.0, "horizons": [20, 60]}


@pytest.fixture(scope="module")
def sample():
    return sibt.load_market("sample")


def without_runs(one):
    """Return a report without what runs a strategy: a hundred times as slow as the rest."""
    claims = []
    for claim in one.claims:
        readings = tuple(r for r in claim.readings if r.test != "strategy")
        claims.append(replace(claim, readings=readings))
    return replace(one, claims=tuple(claims))


@pytest.mark.parametrize("name", publications())
def test_every_reading_of_every_claim_gets_a_verdict(sample, name):
    one = publication(name)
    found = score(one, sample)
    assert {row.verdict for row in found.rows} <= set(VERDICTS)
    assert [(claim.id, str(r.name)) for claim in one.claims for r in claim.readings] == list(
        dict.fromkeys((row.claim.id, str(row.reading.name)) for row in found.rows)
    )
    for row in found.rows:
        assert (row.why is not None) == (row.verdict == "undecidable"), row
        assert row.missing or row.verdict != "untestable", row
        if row.verdict in ("right", "wrong"):
            assert row.decided_on is not None, row
            assert row.figures, row
            assert (row.base is None) == (row.no_base is not None), row


@pytest.mark.parametrize("day", ["2024-03-29", "2024-06-14", "2024-11-14"])
@pytest.mark.parametrize("name", publications())
def test_nothing_after_the_day_is_used(sample, name, day):
    one = without_runs(publication(name))
    whole, cut = score(one, sample, day).table(), score(one, sample.asof(day)).table()
    pd.testing.assert_frame_equal(whole, cut)


@pytest.mark.parametrize("name", publications())
def test_another_future_changes_nothing_that_is_decided(sample, name):
    day = pd.Timestamp("2024-06-28")
    later = np.asarray(sample.sessions > day)
    other = {f: getattr(sample, f).copy() for f in ("open", "high", "low", "close", "settle")}
    for prices in other.values():
        prices[later] *= 1.25
    spot = sample.spot.copy()
    spot.loc[later] *= 1.25
    changed = replace(sample, **other, spot=spot)
    one = without_runs(publication(name))
    before, after = score(one, sample, day).table(), score(one, changed, day).table()
    pd.testing.assert_frame_equal(before, after)
    decided = [n for n, row in enumerate(score(one, sample).rows)
               if row.decided_on is not None and row.decided_on <= day]  # fmt: skip
    assert len(decided) > 5
    again = score(one, changed).table()
    kept = ["verdict", "decided_on"]
    pd.testing.assert_frame_equal(
        score(one, sample).table().loc[decided, kept], again.loc[decided, kept]
    )


def test_a_verdict_once_given_stands(sample):
    one = without_runs(publication("guolian_2024q1"))
    tested = {"range", "holds_above", "breaks", "reach", "direction", "rating", "curve"}
    earlier = {}
    for day in ("2024-04-30", "2024-06-14", "2024-12-31"):
        for n, row in enumerate(score(one, sample, day).rows):
            if n in earlier:
                assert (row.verdict, row.decided_on) == earlier[n], row
            if row.verdict in ("right", "wrong") and row.reading.test in tested:
                earlier[n] = row.verdict, row.decided_on
    assert len(earlier) > 10


def test_before_the_report_was_known_nothing_of_it_is_scored(tmp_path):
    one = market({"si2409": [12000.0] * 90}, first="2024-02-19")
    fact = {"test": "identity", "of": "dominant close", "on": "2024-02-29", "value": 12000}
    rows = scored(tmp_path, one, {**RANGE, "horizons": [5]}, fact, asof="2024-03-28")
    assert [row.verdict for row in rows] == ["untestable", "untestable"]
    rows = scored(tmp_path, one, {**RANGE, "horizons": [5]}, fact, asof="2024-03-29")
    assert [row.verdict for row in rows] == ["running", "right"]


def test_the_table_is_tidy(tmp_path):
    one = market({"si2409": [12000.0] * 40 + [13000.0] * 20})
    found = score(report(tmp_path, RANGE, claim={"line": 84}), one)
    table = found.table()
    assert len(table) == len(found.rows) == 2
    row = table.iloc[1]
    assert (row["report"], row["known"], row["claim"], row["line"]) == (
        "desk_2024", "2024-03-29", "L1", 84)  # fmt: skip
    assert (row["verdict"], row["horizon"]) == ("wrong", "60 sessions")
    assert row["decided_on"] == str(one.sessions[40].date())
    assert "first outside 13,000 yuan/t" in row["figures"]
    assert "low against base -4.17%" in row["figures"]
    assert table["why"].tolist() == ["", ""]


def test_the_same_input_gives_the_same_table(sample):
    one = without_runs(publication("orient_20240514"))
    first, second = (score(one, sample).table().to_csv() for _ in range(2))
    assert first == second


def test_a_day_that_is_none_is_refused(tmp_path):
    one = market({"si2409": [12000.0] * 5})
    with pytest.raises(SettingError, match="'soon', no day"):
        score(report(tmp_path, RANGE), one, "soon")


def test_every_word_of_a_score_has_its_chinese(sample):
    # Names of contracts, files and series are the same in both.
    same = {"3-6 months"}
    for name in publications():
        for row in score(without_runs(publication(name)), sample).rows:
            texts = [row.horizon, row.why, row.no_base, *row.figures,
                     *(each.how for each in row.missing), *(name for name, _ in row.lines),
                     *(one.value for one in row.figures.values() if isinstance(one.value, str))]
            for text in filter(None, texts):
                english, chinese = EN(text), ZH(text)
                letters = sum(each.isalpha() for each in english)
                assert english != chinese or letters == 0 or ".." in english, text
                assert text not in same or "个月" in chinese
