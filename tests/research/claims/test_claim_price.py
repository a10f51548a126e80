from dataclasses import replace

import pandas as pd
import pytest
from claim_files import days, market, scored

FLAT = [12000.0] * 200


def path(*moves, after=12000.0, count=100):
    """Closes: 12000 on the report's day, then the moves, then `after`."""
    return [12000.0, *moves, *[after] * (count - len(moves) - 1)]


def one(tmp_path, market, asof=None, **reading):
    rows = scored(tmp_path, market, reading, asof=asof)
    assert len(rows) == 1
    return rows[0]


RANGE = {"test": "range", "low": 11500.0, "high": 12500.0, "horizons": [5]}


# -- Ranges -----------------------------------------------------------------------------------


def test_the_edges_of_a_range_are_inside(tmp_path):
    row = one(tmp_path, market({"si2409": path(11500.0, 12500.0, 12500.0, 11500.0)}), **RANGE)
    assert row.verdict == "right"
    assert row.figures["inside"].value == 1.0


def test_a_range_is_wrong_at_the_first_price_outside(tmp_path):
    row = one(tmp_path, market({"si2409": path(12505.0, 12000.0, 11000.0)}), **RANGE)
    assert row.verdict == "wrong"
    assert row.decided_on == days("2024-03-29", 9)[1]
    assert row.figures["first outside"].value == 12505.0
    assert row.figures["on which side"].value == "above"
    assert row.figures["sessions until"].value == 1
    assert row.figures["inside"].value == pytest.approx(3 / 5), "the rest is told too"
    assert row.figures["lowest price"].value == 11000.0


def test_it_is_wrong_before_its_time_is_over_and_right_only_after(tmp_path):
    broken = market({"si2409": path(12000.0, 11400.0)})
    calm = market({"si2409": path()})
    sessions = days("2024-03-29", 10)
    assert one(tmp_path, broken, sessions[1], **RANGE).verdict == "running"
    assert one(tmp_path, broken, sessions[2], **RANGE).verdict == "wrong"
    assert one(tmp_path, calm, sessions[4], **RANGE).verdict == "running"
    assert one(tmp_path, calm, sessions[5], **RANGE).verdict == "right"
    assert one(tmp_path, calm, sessions[0], **RANGE).verdict == "running"


def test_nothing_before_the_next_session_counts(tmp_path):
    # On the report's own day the close is far outside.
    closes = [13000.0, *[12000.0] * 60]
    row = one(tmp_path, market({"si2409": closes}), **RANGE)
    assert row.verdict == "right"
    assert row.start == days("2024-03-29", 2)[1]
    early = market({"si2406": [9000.0] * 30 + [12000.0] * 60}, first="2024-02-09")
    assert one(tmp_path, early, **RANGE).verdict == "right"


def test_a_report_of_a_holiday_starts_from_the_session_before(tmp_path):
    # 2024-03-30 is a Saturday.
    rows = scored(tmp_path, market({"si2409": path()}), RANGE, head={"date": "2024-03-30"})
    assert rows[0].start == pd.Timestamp("2024-04-01")
    assert rows[0].figures["base close"].value == 12000.0


def test_a_range_may_be_open_on_one_side(tmp_path):
    closes = path(20000.0)
    half = {k: v for k, v in RANGE.items() if k != "high"}
    assert one(tmp_path, market({"si2409": closes}), **half).verdict == "right"


def test_each_horizon_is_a_score_of_its_own(tmp_path):
    closes = path(*[12000.0] * 9, 13000.0)
    rows = scored(tmp_path, market({"si2409": closes}), {**RANGE, "horizons": [5, 10, 20]})
    assert [str(row.horizon) for row in rows] == ["5 sessions", "10 sessions", "20 sessions"]
    assert [row.verdict for row in rows] == ["right", "wrong", "wrong"]


# -- Levels -----------------------------------------------------------------------------------


def test_a_level_is_broken_beyond_it_and_reached_at_it(tmp_path):
    at = market({"si2409": path(11700.0, 11800.0)})
    level = {"level": 11700.0, "horizons": [5]}
    assert one(tmp_path, at, test="breaks", **level).verdict == "wrong"
    assert one(tmp_path, at, test="holds_above", **level).verdict == "right"
    assert one(tmp_path, at, test="reach", side="below", **level).verdict == "right"
    below = market({"si2409": path(11800.0, 11695.0)})
    assert one(tmp_path, below, test="breaks", **level).verdict == "right"
    assert one(tmp_path, below, test="holds_above", **level).verdict == "wrong"
    assert one(tmp_path, below, test="breaks", **level).decided_on == days("2024-03-29", 3)[2]


def test_a_resistance_is_broken_above(tmp_path):
    up = market({"si2409": path(12600.0)})
    row = one(tmp_path, up, test="breaks", level=12500.0, side="above", horizons=[5])
    assert (row.verdict, row.figures["first beyond"].value) == ("right", 12600.0)
    row = one(tmp_path, up, test="reach", level=12700.0, side="above", horizons=[5])
    assert (row.verdict, row.figures["still to go"].value) == ("wrong", 100.0)


def test_the_drift_is_told_from_the_break_on(tmp_path):
    moves = [11600.0 - 10 * n for n in range(80)]
    row = one(tmp_path, market({"si2409": path(*moves)}), asof="2024-04-29",
              test="breaks", level=11700.0, horizons=[5])  # fmt: skip
    assert row.figures["drift +5"].value == -50.0
    assert row.figures["drift +20"].value is None, "not known yet on that day"


def test_matched_levels_lie_as_far_from_the_close_of_other_days(tmp_path):
    # Falls 1 % a session: a level 2.5 % below is broken in the third session, from any day.
    closes = [5.0 * round(2400 * 0.99**n) for n in range(60)]
    row = one(tmp_path, market({"si2409": closes}), test="breaks", level=11700.0, horizons=[5])
    # The window must be over, and the drift known.
    starts = range(60 - 8)
    drifts = [closes[at + 3 + 5] - closes[at + 3] for at in starts]
    assert (row.base.right, row.base.windows) == (55, 55)
    assert row.figures["matched drift +5"].value == pytest.approx(sum(drifts) / len(drifts))
    assert row.figures["matched breaks"].value == 55


# -- Directions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "up", "down"),
    [(12005.0, "right", "wrong"), (11995.0, "wrong", "right"), (12000.0, "wrong", "wrong")],
)
def test_a_direction_is_the_sign_at_the_end(tmp_path, last, up, down):
    closes = market({"si2409": path(9000.0, 15000.0, 12000.0, 12000.0, last)})
    for sign, verdict in (("up", up), ("down", down)):
        row = one(tmp_path, closes, test="direction", sign=sign, horizons=[5])
        assert row.verdict == verdict
    assert row.figures["change"].value == pytest.approx(last / 12000 - 1)


def test_a_direction_runs_until_its_day(tmp_path):
    closes = market({"si2409": path(after=11000.0)})
    told = {"test": "direction", "sign": "down", "until": "2024-06-14"}
    assert one(tmp_path, closes, "2024-06-13", **told).verdict == "running"
    row = one(tmp_path, closes, "2024-06-14", **told)
    assert (row.verdict, row.decided_on) == ("right", pd.Timestamp("2024-06-14"))


# -- What they are read on --------------------------------------------------------------------


def rolling():
    """si2406 leads until the fifth session, si2407 stands 400 higher and leads from then on."""
    near = ([12000.0] * 40, [1000.0] * 5 + [10.0] * 35)
    far = ([12400.0] * 40, 500.0)
    return market({"si2406": near, "si2407": far})


def test_a_roll_is_a_move_of_the_raw_series_and_of_nothing_else(tmp_path):
    told = {**RANGE, "high": 12300.0, "horizons": [20]}
    held = one(tmp_path, rolling(), on="held", **told)
    raw = one(tmp_path, rolling(), on="dominant", **told)
    adjusted = one(tmp_path, rolling(), on="adjusted", **told)
    assert [row.verdict for row in (held, raw, adjusted)] == ["right", "wrong", "right"]
    assert raw.decided_on == days("2024-03-29", 6)[5]
    assert set(held.contracts) == {"si2406"}
    assert raw.contracts.iloc[4:6].tolist() == ["si2406", "si2407"]
    assert adjusted.contracts.iloc[5:7].tolist() == ["si2406", "si2407"], "a session later"
    assert (adjusted.path == 12000.0).all()


def test_a_contract_can_be_named(tmp_path):
    row = one(tmp_path, rolling(), on="si2407", **RANGE)
    assert row.figures["base close"].value == 12400.0
    missing = one(tmp_path, rolling(), on="si2409", **RANGE)
    assert (missing.verdict, missing.missing[0].what) == ("untestable", "bars si2409")


def test_a_touch_is_read_on_lows(tmp_path):
    closes = market({"si2409": path()})
    lows = closes.low.copy()
    lows[3] = 11400.0
    touched = replace(closes, low=lows)
    assert one(tmp_path, touched, **RANGE).verdict == "right"
    assert one(tmp_path, touched, price="low", **RANGE).verdict == "wrong"


# -- The end of what it is read on ------------------------------------------------------------


def test_beyond_the_delivery_standard_it_is_undecidable(tmp_path):
    # The last contract of the standard, si2411, ended on 2024-11-14.
    old, new = [12000.0] * 30, [None] * 10 + [9000.0] * 50
    both = market({"si2411": (old, 2000.0), "si2412": new}, first="2024-10-10")
    told = {"head": {"date": "2024-10-10"}}
    reading = {**RANGE, "horizons": [20, 60]}
    short, long = scored(tmp_path, both, reading, **told)
    assert short.verdict == "right"
    assert (long.verdict, long.decided_on) == ("undecidable", None)
    assert "2024-11-14" in long.why
    assert long.path.index[-1] <= pd.Timestamp("2024-11-14"), "the new good is another good"
    day_before = scored(tmp_path, both, reading, asof="2024-11-13", **told)[1]
    assert day_before.verdict == "running", "it can still be broken"


def test_what_broke_early_is_decided_whatever_comes_after(tmp_path):
    old = [12000.0] * 10 + [11000.0] * 20
    row = scored(tmp_path, market({"si2411": old}, first="2024-10-10"),
                 {**RANGE, "horizons": [60]}, head={"date": "2024-10-10"})[0]  # fmt: skip
    assert (row.verdict, row.decided_on) == ("wrong", days("2024-10-10", 11)[10])


def test_a_direction_beyond_the_standard_is_undecidable_at_once(tmp_path):
    old = market({"si2411": [12000.0] * 5}, first="2024-10-10")
    row = scored(tmp_path, old, {"test": "direction", "sign": "up", "horizons": [60]},
                 head={"date": "2024-10-10"})[0]  # fmt: skip
    assert row.verdict == "undecidable"


def test_a_contract_held_ends_with_its_last_session(tmp_path):
    # si2406 ended on 2024-06-17.
    closes = market({"si2406": [12000.0] * 100, "si2409": [12100.0] * 100})
    row = one(tmp_path, closes, on="held", **{**RANGE, "horizons": [90]})
    assert row.verdict == "undecidable"
    assert "si2406" in row.why
    assert "2024-06-17" in row.why
    assert one(tmp_path, closes, on="si2409", **{**RANGE, "horizons": [90]}).verdict == "right"


# -- What is missing --------------------------------------------------------------------------


def test_the_report_may_lie_outside_the_market(tmp_path):
    late = market({"si2409": FLAT}, first="2024-05-06")
    row = one(tmp_path, late, **RANGE)
    assert row.verdict == "untestable"
    assert row.missing[0].what == "bars of 2024-03-29"
    early = market({"si2406": [12000.0] * 20}, first="2024-01-02")
    row = one(tmp_path, early, **RANGE)
    assert row.verdict == "untestable"
    assert "ends before the report was known" in row.missing[0].how


def test_a_market_of_another_product_lacks_bars(tmp_path):
    row = one(tmp_path, market({"lc2407": FLAT}), **RANGE)
    assert (row.verdict, row.missing[0].what) == ("untestable", "bars of si")


def test_an_unknown_price_in_the_window_is_told(tmp_path):
    closes = path()
    closes[2] = None
    other = [12000.0] * 100
    row = one(tmp_path, market({"si2409": closes, "si2410": (other, 1.0)}), on="held", **RANGE)
    assert row.verdict == "right"
    assert row.figures["unknown prices"].value == 1
    assert row.figures["prices"].value == 4


def test_without_the_last_price_nobody_can_tell(tmp_path):
    closes = path()
    closes[5] = None
    other = [12000.0] * 100
    both = market({"si2409": closes, "si2410": (other, 1.0)})
    row = one(tmp_path, both, on="held", **RANGE)
    assert row.verdict == "untestable"
    assert row.missing[0].what == f"si2409 on {days('2024-03-29', 6)[5]:%Y-%m-%d}"
    closes[3] = 13000.0
    both = market({"si2409": closes, "si2410": (other, 1.0)})
    assert one(tmp_path, both, on="held", **RANGE).verdict == "wrong", "decided before"


def test_the_chart_shows_what_was_looked_at(tmp_path):
    long = market({"si2406": [11000.0] * 80 + [12000.0] * 60}, first="2023-11-28")
    rows = scored(tmp_path, long, RANGE, head={"date": str(long.sessions[80].date())})
    row = rows[0]
    assert row.path.index[0] == long.sessions[20]
    assert row.path.index[-1] == long.sessions[85] == row.end
    assert row.lines == (("low", 11500.0), ("high", 12500.0))


# -- Recorded prices --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(shared_market):
    import sibt

    return sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")


@pytest.fixture(scope="module")
def closes(shared_market):
    """Closes by contract, read with nothing of sibt."""
    table = pd.read_csv(shared_market / "si_contracts_d1.csv", parse_dates=["date"])
    return table.pivot(index="date", columns="contract", values="close")


def test_the_range_of_the_quarterly_report_left_upwards_in_may(tmp_path, recorded, closes):
    rows = scored(tmp_path, recorded, {**RANGE, "horizons": [20, 60, 120, 250]})
    assert [row.verdict for row in rows] == ["right", "wrong", "wrong", "wrong"]
    assert {row.decided_on for row in rows[1:]} == {pd.Timestamp("2024-05-24")}
    assert rows[1].figures["base close"].value == closes.at["2024-03-29", "si2405"] == 11945
    # si2407 leads by then.
    assert rows[1].figures["first outside"].value == closes.at["2024-05-24", "si2407"]
    # Every close of si2407 from its first day in the lead to the day before stays inside.
    before = closes.loc["2024-05-15":"2024-05-23", "si2407"]
    assert ((before >= 11500) & (before <= 12500)).all()


def test_the_support_of_11700_broke_in_april(tmp_path, recorded, closes):
    row = one(tmp_path, recorded, test="breaks", level=11700.0, horizons=[60])
    assert (row.verdict, row.decided_on) == ("right", pd.Timestamp("2024-04-18"))
    near = closes.loc["2024-04-01":"2024-06-14", "si2406"]
    assert near[near < 11700].index[0] == row.decided_on
    # si2407 leads on 2024-04-25, 70 above si2406: that is a roll, and no move.
    assert row.figures["drift +5"].value == near.loc["2024-04-25"] - near.loc["2024-04-18"]


def test_11500_was_reached_in_june(tmp_path, recorded, closes):
    row = one(tmp_path, recorded, test="reach", level=11500.0, side="below", horizons=[60])
    assert (row.verdict, row.decided_on) == ("right", pd.Timestamp("2024-06-24"))
    assert row.figures["reached at"].value == closes.at["2024-06-24", "si2409"] == 11400


def test_si2410_fell_by_mid_june(tmp_path, recorded, closes):
    row = one(tmp_path, recorded, test="direction", sign="down", on="si2410",
              until="2024-06-14")  # fmt: skip
    first, last = closes.at["2024-03-29", "si2410"], closes.at["2024-06-14", "si2410"]
    assert row.verdict == ("right" if last < first else "wrong") == "right"
    assert row.figures["change"].value == pytest.approx(last / first - 1)
