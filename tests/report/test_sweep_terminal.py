"""What the terminal says after a sweep."""

import io
import re

import pytest
from rich.console import Console
from sweep_folders import MANY, folder

from sibt.report.sweep_terminal import show_sweep

COMPARED = [
    {"name": "si2402/si2403", "role": "placebo", "net": 22.5, "hedged": None, "note": ""},
    {"name": "si2311/si2312", "role": "control", "net": -7.25, "hedged": None, "note": ""},
    {"name": "si2511/si2512", "role": "control", "net": None, "hedged": None,
     "note": "not available: no position was held"},
]  # fmt: skip


def printed(one, count=3, *, terminal=True, width=80, colour=None) -> str:
    out = io.StringIO()
    console = Console(file=out, highlight=False, force_terminal=terminal, width=width,
                      color_system=colour)  # fmt: skip
    show_sweep(one, console, count)
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def many(tmp_path):
    return folder(
        tmp_path / "x", {"near_month": ["01", "11"], "a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]},
        lambda p: p["a"] * p["b"] / 6, metric="sharpe",
        refuse=lambda p: "refused: b is not below a" if p["b"] > p["a"] else "",
        plateau={"value": 1.5, "median": 1.0, "keeps": 0.667, "holding": 0.25,
                 "neighbours": [1, 2, 3], "refused": 0, "edge": 5, "absent": 0, "axes": ["a", "b"]},
        **MANY,
    )  # fmt: skip


def test_the_verdict_stands_first(many):
    first = printed(many).splitlines()[0]
    assert first == "Best of 9: not distinguishable from luck, DSR 0.27, PBO 0.62."


def test_evidence_is_complete(many):
    said = flat(printed(many))
    for figure in (
        "best set near_month=01, a=3, b=3", "trials 12 in this sweep, 22 ever on these data, 3.5",
        "Sharpe 1.50 a year; luck alone would show 0.83; probabilistic 0.97",
        "deflated 0.31 for this sweep, 0.62 for 3.5 effective, 0.27 for all ever",
        "backtest 2.00 years; so many trials need 4.40", "PBO 0.62 over 8 splits",
        "reality check p 0.440 against no position", "Sharpe left 0.78 Bonferroni, 0.60 BHY",
        "keeps 67%; 25% of 3 neighbours hold 70 %",
        "net by ticks 0: +30, 1: +10, 2: −10, 3: −30; breaks even at 1.5 ticks",
    ):  # fmt: skip
        assert figure in said


def test_the_best_sets_stand_in_order_with_trips_and_margin(many):
    lines = printed(many, 2).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("best 2 by Sharpe"))
    assert lines[at + 1].split() == [
        "set", "near_month", "a", "b", "sharpe", "net", "trips", "peak", "margin", "drawdown",
    ]  # fmt: skip
    assert lines[at + 3].split()[:5] == ["8", "01", "3", "3", "1.50"]
    assert lines[at + 4].split()[:5] == ["17", "11", "3", "3", "1.50"]
    assert not any(line.startswith("best") for line in printed(many, 0).splitlines()[3:])


def test_refused_sets_are_counted_by_reason(many):
    said = flat(printed(many))
    assert "Refused: 6 of 18 sets 6× b is not below a" in said


def test_more_reasons_than_fit_are_still_counted(tmp_path):
    one = folder(tmp_path / "x", {"a": [float(n) for n in range(12)]}, lambda p: p["a"],
                 refuse=lambda p: f"reason {p['a']:g}" if p["a"] < 11 else "")  # fmt: skip
    said = flat(printed(one))
    assert "Refused: 11 of 12 sets" in said
    assert "3× for other reasons, named in sets.parquet" in said


def test_with_few_trips_other_years_and_days_come_before_trials(tmp_path):
    one = folder(tmp_path / "x", {"a": [1.0, 2.0]}, lambda p: p["a"], few={
        "comparisons": COMPARED, "note": "",
        "entry_day": {"rank": 3, "of": 60, "best": 90.0, "median": 20.0, "worst": -15.0},
    })  # fmt: skip
    said = flat(printed(one))
    assert "control si2311/si2312: −7 yuan control si2511/si2512: not available" in said
    assert said.index("si2511/si2512") < said.index("placebo si2402/si2403: +22 yuan")
    assert said.index("rank 3 of 60 possible days") < said.index("trials")
    assert "Sharpe no inference: too few round trips" in said
    for word in ("deflated", "PBO", "haircut"):
        assert word not in said


def test_nothing_is_wider_than_a_narrow_terminal_but_sentences_and_paths(many):
    for line in printed(many).splitlines():
        if not line.startswith(("Best", "Written", "Page", "  ")):
            assert len(line) <= 80


def test_a_pipe_gets_plain_text_of_its_own_width(many):
    said = printed(many, terminal=False, width=40)
    assert "\x1b" not in said
    assert "deflated 0.31 for this sweep, 0.62 for 3.5 effective, 0.27" in flat(said)
    assert "drawdown" in said


def test_simulated_is_red(many, tmp_path):
    said = printed(many, colour="standard")
    assert re.search(r"\x1b\[1;31mSIMULATED", said)
    real = folder(tmp_path / "real", {"a": [1.0, 2.0]}, lambda p: p["a"], simulated=False)
    assert "SIMULATED" not in printed(real)


def test_the_files_are_named(many):
    (many.folder / "sweep.html").write_text("")
    said = printed(many)
    assert f"{many.folder} (sets.parquet, evidence.json)" in said
    assert f"Page: {many.folder / 'sweep.html'}" in said


def test_brackets_in_names_are_text(tmp_path):
    one = folder(tmp_path / "x", {"m": ["[bold]u", "[/]"], "n": ["x", "y"]}, lambda p: 1.0,
                 refuse=lambda p: "[red]no" if p["m"] == "[/]" else "")  # fmt: skip
    said = flat(printed(one))
    assert "m=[bold]u, n=x" in said
    assert "2× [red]no" in said
