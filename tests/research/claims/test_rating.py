import json
from pathlib import Path

import pandas as pd
import pytest
from claim_files import days, market, scored

import sibt
from sibt.research.claims.rating import rated

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "g17_rating_rule.json").read_text("utf-8")
)
BASE, CLOSES = GOLDEN["inputs"]["base"], GOLDEN["inputs"]["closes"]
EXPECTED = GOLDEN["expected"]


def told(**changes):
    return {"test": "rating", "word": "range", "mode": "endpoint", "months": [1, 3], **changes}


def ends_with(last, *, at="2024-06-28", moves=()):
    """Closes of si2409 that end with `last` on a day: 12000 until then but for the first moves."""
    count = len(days("2024-03-29", 200)[days("2024-03-29", 200) <= pd.Timestamp(at)])
    calm = [float(BASE), *moves]
    return market({"si2409": [*calm, *[float(BASE)] * (count - len(calm) - 1), float(last)]})


def test_the_golden_case_gives_its_words():
    assert rated(BASE, CLOSES[-1]) == EXPECTED["endpoint_rating_of_11900"]
    ends = [rated(BASE, close) for close in GOLDEN["inputs"]["extra_endpoints"]]
    assert ends == EXPECTED["endpoint_of_extra"]
    breach = next(n for n, close in enumerate(CLOSES) if rated(BASE, close) != "range")
    assert breach == EXPECTED["first_breach_index"]


def test_the_golden_case_is_scored_in_both_readings(tmp_path):
    # Its five closes, then on to the end of three months at the last of them.
    one = ends_with(CLOSES[-1], moves=[float(5 * round(c / 5)) for c in CLOSES])
    endpoint, path = scored(tmp_path, one, told(), told(mode="path"))
    assert endpoint.verdict == "right"
    assert endpoint.figures["rating"].value == EXPECTED["endpoint_rating_of_11900"]
    assert (path.verdict == "right") is EXPECTED["path_range_holds"]
    assert path.decided_on == days("2024-03-29", 9)[1 + EXPECTED["first_breach_index"]]


@pytest.mark.parametrize("percent", [5, 15, -5, -15])
@pytest.mark.parametrize("base", [9720, 10005, 12000, 12680, 17935])
def test_an_edge_belongs_to_the_word_nearer_to_zero(base, percent):
    edge = base * (100 + percent) / 100
    inner = {5: "range", -5: "range", 15: "up", -15: "down"}[percent]
    outer = {5: "up", -5: "down", 15: "strong_up", -15: "strong_down"}[percent]
    assert rated(base, edge) == inner
    assert rated(base, edge + (0.5 if percent > 0 else -0.5)) == outer


@pytest.mark.parametrize(
    ("last", "word"),
    [(12600, "range"), (12605, "up"), (13800, "up"), (13805, "strong_up"), (11395, "down"),
     (10200, "down"), (10195, "strong_down")],
)  # fmt: skip
def test_each_word_is_right_in_its_band_alone(tmp_path, last, word):
    one = ends_with(last)
    words = ["strong_up", "up", "range", "down", "strong_down"]
    rows = scored(tmp_path, one, *(told(word=each) for each in words))
    assert [row.verdict == "right" for row in rows] == [each == word for each in words]
    assert {row.decided_on for row in rows} == {pd.Timestamp("2024-06-28")}


def test_the_end_point_is_the_last_close_on_or_before_the_day(tmp_path):
    # Three months after 2024-03-29 is Saturday 2024-06-29; what comes on Monday does not count.
    closes = [12000.0] * 63 + [20000.0] * 20
    one = market({"si2409": closes})
    assert str(one.sessions[59].date()) == "2024-06-28"
    row = scored(tmp_path, one, told())[0]
    assert (row.verdict, row.end) == ("right", pd.Timestamp("2024-06-28"))
    assert scored(tmp_path, one, told(), asof="2024-06-27")[0].verdict == "running"
    assert scored(tmp_path, one, told(), asof="2024-06-28")[0].verdict == "right"


def test_a_window_looks_at_the_named_months_alone(tmp_path):
    # Outside in the first month, inside in the second and third.
    one = ends_with(12000, moves=[13000.0] * 5)
    endpoint, window, path = scored(
        tmp_path, one, told(), told(mode="window"), told(mode="path")
    )
    assert [row.verdict for row in (endpoint, window, path)] == ["right", "right", "wrong"]
    assert window.start == pd.Timestamp("2024-04-30")


def test_a_window_is_wrong_at_the_first_other_close(tmp_path):
    one = ends_with(12000, moves=[12000.0] * 30 + [13000.0])
    row = scored(tmp_path, one, told(mode="window"))[0]
    assert (row.verdict, row.decided_on) == ("wrong", one.sessions[31])


def test_three_horizons_are_three_scores(tmp_path):
    rows = scored(tmp_path, ends_with(12000), told(months=[[1, 3], [3, 6], [6, 12]]))
    assert [str(row.horizon) for row in rows] == ["1-3 months", "3-6 months", "6-12 months"]
    assert [row.verdict for row in rows] == ["right", "running", "undecidable"]
    assert "2024-11-14" in rows[2].why


def test_the_range_call_of_may_2024_on_recorded_prices(tmp_path, shared_market):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    table = pd.read_csv(shared_market / "si_contracts_d1.csv", parse_dates=["date"])
    closes = table.pivot(index="date", columns="contract", values="close")
    rows = scored(
        tmp_path,
        recorded,
        told(months=[[1, 3], [3, 6], [6, 12]]),
        told(mode="path", months=[[1, 3], [3, 6], [6, 12]]),
        head={"date": "2024-05-14"},
    )
    # si2406 led on the day, si2407 from the next one on, si2411 on 2024-08-14 and 2024-11-14.
    base = closes.at["2024-05-14", "si2406"]
    assert base == 11740
    change = closes.at["2024-08-14", rows[0].contracts.iloc[-1]] / base - 1
    assert rows[0].contracts.iloc[-1] == "si2411"
    assert rows[0].figures["change"].value == pytest.approx(change)
    assert change < -0.15
    assert [row.verdict for row in rows] == ["wrong", "wrong", "undecidable", "wrong", "wrong",
                                             "wrong"]  # fmt: skip
    # The path left the range on the first close above 12327.
    assert {row.decided_on for row in rows[3:]} == {pd.Timestamp("2024-05-22")}
    assert closes.at["2024-05-22", "si2407"] > 11740 * 1.05 > closes.at["2024-05-21", "si2407"]
    assert rows[0].base.share == pytest.approx(0.27, abs=0.02), "a bare range is right as often"
