import pandas as pd
import pytest
from claim_files import days, market, scored

import sibt

NEAR, FAR = "si2409", "si2411"
TOLD = {"test": "curve", "near": [NEAR], "far": FAR, "sign": "backwardation",
        "start": "2024-05-06", "end": "2024-05-31"}  # fmt: skip
SESSIONS = days("2024-03-29", 100)
INSIDE = [n for n, day in enumerate(SESSIONS) if "2024-05-06" <= str(day.date()) <= "2024-05-31"]


def pair(spreads, count=100):
    """A market whose near - far is `spreads` from 2024-05-06 on, and -100 on all other days."""
    near = [12000.0 - 100] * count
    for n, spread in zip(INSIDE, spreads, strict=False):
        near[n] = 12000.0 + spread
    return market({NEAR: near, FAR: [12000.0] * count})


def verdict(tmp_path, one, need, asof=None, **changes):
    return scored(tmp_path, one, {**TOLD, "need": need, **changes}, asof=asof)[0]


def test_most_any_and_every_are_three_sentences(tmp_path):
    half = [50.0] * (len(INSIDE) // 2) + [-50.0] * (len(INSIDE) - len(INSIDE) // 2)
    most = [50.0] * (len(INSIDE) // 2 + 1) + [-50.0] * len(INSIDE)
    every = [50.0] * len(INSIDE)
    for spreads, expected in (
        ([-50.0] * 40, ("wrong", "wrong", "wrong")),
        (half, ("wrong", "right", "wrong")),
        (most, ("right", "right", "wrong")),
        (every, ("right", "right", "right")),
    ):
        one = pair(spreads)
        found = tuple(verdict(tmp_path, one, need).verdict for need in ("most", "any", "every"))
        assert found == expected


def test_a_difference_of_zero_has_neither_sign(tmp_path):
    one = pair([0.0] * 40)
    assert verdict(tmp_path, one, "any").verdict == "wrong"
    assert verdict(tmp_path, one, "any", sign="contango").verdict == "wrong"


def test_any_and_every_are_decided_early(tmp_path):
    one = pair([50.0, -50.0] * 20)
    first, second = SESSIONS[INSIDE[0]], SESSIONS[INSIDE[1]]
    row = verdict(tmp_path, one, "any", asof=first)
    assert (row.verdict, row.decided_on) == ("right", first)
    assert verdict(tmp_path, one, "every", asof=first).verdict == "running"
    row = verdict(tmp_path, one, "every", asof=second)
    assert (row.verdict, row.decided_on) == ("wrong", second)
    assert verdict(tmp_path, one, "most", asof="2024-05-30").verdict == "running"
    assert verdict(tmp_path, one, "most", asof="2024-05-31").verdict != "running"
    before = verdict(tmp_path, one, "most", asof="2024-04-15")
    assert before.verdict == "running"
    assert before.figures["on the report's day"].value == -100.0


def test_a_near_month_counts_up_to_its_delivery_month(tmp_path):
    # si2409 leaves on 2024-08-30; from then on the sign would be another.
    near = [12100.0 if day <= pd.Timestamp("2024-08-30") else 11000.0 for day in SESSIONS]
    one = market({NEAR: near, FAR: [12000.0] * 140})
    told = {"start": "2024-05-06", "end": "2024-10-31"}
    row = verdict(tmp_path, one, "every", **told)
    assert (row.verdict, row.end) == ("right", pd.Timestamp("2024-08-30"))
    late = verdict(tmp_path, one, "every", start="2024-09-02", end="2024-10-31")
    assert late.verdict == "undecidable"
    assert NEAR in late.why


def test_each_near_month_has_a_row(tmp_path):
    closes = {code: [12000.0] * 60 for code in ("si2407", "si2408", "si2411")}
    rows = scored(tmp_path, market(closes), {**TOLD, "near": ["si2407", "si2408", "si2409"]})
    assert [row.verdict for row in rows] == ["wrong", "wrong", "untestable"]
    assert rows[2].missing[0].what == "bars si2409"
    assert rows[0].horizon == "si2407/si2411, 2024-05-06..2024-05-31"


def test_days_on_which_the_pair_did_not_trade_tell_nothing(tmp_path):
    near = [12000.0 if day < pd.Timestamp("2024-05-06") else None for day in SESSIONS]
    row = verdict(tmp_path, market({FAR: [12000.0] * 100, NEAR: near}), "most")
    assert row.verdict == "untestable"


def test_the_base_rate_takes_pairs_of_the_same_tenor(tmp_path):
    sample = sibt.load_market("sample")
    told = {"near": ["si2407"], "far": "si2410", "start": "2024-05-06", "end": "2024-06-28"}
    row = verdict(tmp_path, sample, "any", **told)
    spreads = {}
    right = count = 0
    day = pd.Timestamp("2024-03-29")
    for start in sample.sessions:
        month = start.to_period("M")
        near, far = (f"si{month + n:%y%m}" for n in (4, 7))  # si2407, si2410 from March
        if not {near, far} <= set(sample.contracts) or far > "si2411":
            continue
        first = start + (pd.Timestamp("2024-05-06") - day)
        last = min(start + (pd.Timestamp("2024-06-28") - day), sibt.contract(near).last_natural)
        if last > sample.sessions[-1]:
            continue
        if near not in spreads:
            spreads[near] = sample.spread(near, far).dropna()
        inside = spreads[near][first:last]
        if len(inside):
            count += 1
            right += bool((inside > 0).any())
    assert count > 50
    assert (row.base.right, row.base.windows) == (right, count)


@pytest.mark.parametrize(("need", "expected"), [("most", "wrong"), ("any", "right")])
def test_the_flip_of_the_wet_season_on_recorded_prices(tmp_path, shared_market, need, expected):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    row = verdict(tmp_path, recorded, need, far="si2410", end="2024-10-31")
    table = pd.read_csv(shared_market / "si_contracts_d1.csv", parse_dates=["date"])
    closes = table.pivot(index="date", columns="contract", values="close")
    spread = (closes[NEAR] - closes["si2410"]).loc["2024-05-06":"2024-08-30"].dropna()
    assert row.verdict == expected
    assert row.figures["sessions with it"].value == pytest.approx((spread > 0).mean())
    assert row.figures["highest near - far"].value == spread.max() == 5
