"""Base rates against a slow twin that knows nothing of the engine."""

import pandas as pd
import pytest
from claim_files import market, scored

import sibt
from sibt.market import calendar
from sibt.research.claims.base import rate


def dominant_of(one):
    codes = one.dominant(standard="2022")
    closes = one.frame("close")
    return codes, closes


def twin(one, window, right, on):
    """Yield (start, end, right) of all complete windows, day by day, in plain pandas."""
    codes, closes = dominant_of(one)
    last_of = {code: sibt.contract(code).last_trading for code in one.contracts}
    found = []
    for at, day in enumerate(one.sessions):
        code = codes.iloc[at]
        if code is None:
            continue
        base = closes.at[day, code]
        inside = one.sessions[at + 1 : at + 1 + window]
        if len(inside) < window:
            continue
        if on == "held":
            if inside[-1] > last_of[code]:
                continue
            prices = closes.loc[inside, code]
        else:
            if inside[-1] > last_of["si2411"]:
                continue
            prices = pd.Series([closes.at[d, codes[d]] if codes[d] else None for d in inside],
                               inside, dtype=float)  # fmt: skip
        if pd.isna(prices.iloc[-1]):
            continue
        found.append((day, inside[-1], bool(right(base, prices))))
    return found


def non_overlapping(windows):
    """Return the size of the largest set of windows none of which begins inside another."""
    best = {}
    for start, end, _ in sorted(windows, key=lambda one: one[1]):
        before = [size for stop, size in best.items() if stop <= start]
        best[end] = max(best.get(end, 0), max(before, default=0) + 1)
    return max(best.values())


CASES = [
    ({"test": "range", "low": 11500.0, "high": 12500.0}, 10,
     lambda b, p: p.dropna().between(b * 11500 / B, b * 12500 / B).all()),
    ({"test": "holds_above", "level": 11700.0}, 20,
     lambda b, p: not (p < b * 11700 / B).any()),
    ({"test": "reach", "level": 12500.0, "side": "above"}, 20,
     lambda b, p: (p >= b * 12500 / B).any()),
    ({"test": "direction", "sign": "down"}, 30, lambda b, p: p.iloc[-1] < b),
]  # fmt: skip
B = 12030.0  # close of the sample's dominant contract on the report's day


@pytest.mark.parametrize("on", ["dominant", "held"])
@pytest.mark.parametrize(("reading", "window", "right"), CASES)
def test_a_base_rate_is_what_counting_by_hand_gives(tmp_path, reading, window, right, on):
    sample = sibt.load_market("sample")
    row = scored(tmp_path, sample, {**reading, "on": on, "horizons": [window]})[0]
    assert row.figures["base close"].value == B
    expected = twin(sample, window, right, on)
    assert row.base.windows == len(expected) > 20
    assert row.base.right == sum(held for _, _, held in expected)
    assert row.base.independent == non_overlapping(expected)
    assert row.base.share == row.base.right / row.base.windows


def test_no_window_crosses_into_the_next_standard(tmp_path):
    # The old good trades at 10000, the new one at 20000: a window across would leave any range.
    old = ([10000.0] * 30, 100.0)
    new = ([20000.0] * 90, 5000.0)
    both = market({"si2411": old, "si2412": new}, first="2024-10-08")
    row = scored(tmp_path, both, {"test": "range", "low": 9900.0, "high": 10100.0,
                                  "horizons": [5]}, head={"date": "2024-10-10"})[0]  # fmt: skip
    end = pd.Timestamp("2024-11-14")
    starts = [day for at, day in enumerate(both.sessions[:-5]) if both.sessions[at + 5] <= end]
    assert row.base.windows == len(starts)
    assert row.base.share == 1.0


def test_a_window_that_is_not_over_is_not_counted(tmp_path):
    closes = market({"si2406": [12000.0] * 30})
    reading = {"test": "range", "low": 11900.0, "high": 12100.0, "horizons": [20]}
    assert scored(tmp_path, closes, reading)[0].base.windows == 10
    row = scored(tmp_path, closes, reading, asof=closes.sessions[19])[0]
    assert row.base is None
    assert "no start day" in row.no_base


def test_months_end_with_the_calendar(tmp_path):
    sample = sibt.load_market("sample")
    row = scored(tmp_path, sample, {"test": "rating", "word": "range", "mode": "endpoint",
                                    "months": [1, 3]}, head={"date": "2024-05-14"})[0]  # fmt: skip
    codes, closes = dominant_of(sample)
    known = calendar.sessions()
    right = count = 0
    for day, code in codes.items():
        if code is None:
            continue
        goal = day + pd.DateOffset(months=3)
        end = known[known <= goal][-1]
        if end > pd.Timestamp("2024-11-14") or codes[end] is None:
            continue
        change = closes.at[end, codes[end]] / closes.at[day, code] - 1
        count += 1
        right += abs(change) <= 0.05 + 1e-12
    assert (row.base.right, row.base.windows) == (right, count)


def test_windows_that_touch_are_independent():
    found = rate([(0, 10, True), (5, 15, False), (10, 20, True), (20, 21, True)])
    assert (found.right, found.windows, found.independent) == (3, 4, 3)
    assert rate([]) is None


def test_a_window_whose_last_price_is_unknown_is_not_counted(tmp_path):
    closes = [12000.0] * 30
    closes[10] = None
    both = market({"si2409": closes, "si2410": ([12000.0] * 30, 1.0)})
    reading = {"test": "range", "low": 11900.0, "high": 12100.0, "on": "si2409", "horizons": [5]}
    # Neither the start of session 10 nor the window that ends there.
    assert scored(tmp_path, both, reading)[0].base.windows == 25 - 2
