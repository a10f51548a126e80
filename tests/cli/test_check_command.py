"""``sibt check`` from outside: the verdict first, then what leaked, and how it ends."""

import re

import pytest
from command import sibt

HEAD = """
import pandas as pd
import sibt


class Mine(sibt.Strategy):
    lag = sibt.Param(-1, 'sessions', 'sessions', low=-5, high=5)

    def legs(self, market, p):
        return {'si2409': 1}

    def units(self, market, p):
"""
CHEAT = """
        c = market.frame('close')['si2409']
        return (c.shift(p.lag) > c).astype(float)
"""
HEADER = "date,contract,open,high,low,close,settle,volume,open_interest\n"


@pytest.fixture
def folder(tmp_path):
    """A cheat, and forty sessions of one contract that rises once."""
    (tmp_path / "mine.py").write_text(HEAD + CHEAT, "utf-8")
    from sibt.market import calendar

    days = calendar.sessions()
    first = days.searchsorted("2024-03-04")
    rows = [f"{day:%Y-%m-%d},si2409,{p},{p},{p},{p},{p},1000,2000\n"
            for day, p in zip(days[first : first + 40], [14_000] * 20 + [14_200] * 20,
                              strict=True)]  # fmt: skip
    (tmp_path / "bars.csv").write_text(HEADER + "".join(rows), "utf-8")
    return tmp_path


def test_a_cheat_fails_with_day_contract_input_and_cure(folder):
    said = sibt("check", "mine.py", "--data", "bars.csv", folder=folder)
    assert said.code == 2
    assert said.err == ""
    first, verdict, *_ = said.out.splitlines()
    assert first == "sibt check mine.py on bars.csv"
    # The twentieth session is 2024-03-29; the first at the new price is the one after.
    assert verdict == ("LOOKS AHEAD: the decision of 2024-03-29 follows the close of si2409 on"
                       " 2024-04-01")  # fmt: skip
    assert "1 decision of 2024-03-29, saw 2024-04-01, si2409, the close" in said.flat
    assert "market cut" in said.flat
    assert "→ use only what ends in the session that decides" in said.flat
    assert "Traceback" not in said.out
    assert "SIMULATED" not in said.out


def test_a_strategy_that_passes_ends_with_zero_and_says_what_was_tried(folder):
    said = sibt("check", "mine.py", "--data", "bars.csv", "-p", "lag=1", folder=folder)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].startswith("No look-ahead found, asked ")
    assert re.search(r"by check: asked again \d+; market cut 39; another future \d+", said.flat)
    assert "No such check sees hindsight in days and numbers written into the file" in said.out


def test_the_sample_is_said_to_be_simulated(folder):
    said = sibt("check", "mine.py", folder=folder)
    assert said.code == 2
    assert "SIMULATED" in said.out.splitlines()[0]


def test_it_speaks_chinese(folder):
    said = sibt("check", "mine.py", "--data", "bars.csv", "--lang", "zh", folder=folder)
    assert said.code == 2
    assert said.out.splitlines()[1] == (
        "存在未来函数：2024-03-29 的决策取决于 si2409 在 2024-04-01 的收盘价")
    assert "行情截断" in said.out
    # English words that are code or names may stand; no English sentence may.
    assert not re.search(r"\b(the|and|which|decision)\b", said.out)


def test_files_it_reads_are_noted(folder):
    units = "        open('days.txt').close()\n        return pd.Series(1.0, market.sessions)\n"
    (folder / "reads.py").write_text(HEAD + units, "utf-8")
    (folder / "days.txt").write_text("2024-03-29", "utf-8")
    said = sibt("check", "reads.py", "--data", "bars.csv", folder=folder)
    assert said.code == 0
    assert "note it opens days.txt while it decides" in said.flat


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["mine.py", "-p", "lga=1"], "Mine has no parameter 'lga'"),
        (["mine.py", "-p", "lga=1"], "Did you mean 'lag'?"),
        (["none.py"], "No strategy file 'none.py'"),
        (["mine.py", "--data", "no.csv"], "no.csv"),
        (["mine.py", "--kind", "hegder"], "Did you mean 'hedger'?"),
        (["mine.py", "--data", "bars.csv", "--goods", "no.toml"], "no.toml"),
    ],
)
def test_bad_input_is_a_sentence(folder, words, text):
    said = sibt("check", *words, folder=folder)
    assert said.code == 2
    assert text in said.err
    assert "Traceback" not in said.err


def test_nothing_is_written(folder):
    before = sorted(folder.iterdir())
    sibt("check", "mine.py", "--data", "bars.csv", folder=folder)
    assert sorted(folder.iterdir()) == before
