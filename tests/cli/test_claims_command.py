"""``sibt claims`` scores reports into a table and a page, or says one sentence and nothing more."""

import csv
import io
import tomllib

import pytest
from command import sibt

from sibt.research.claims.report import publications, read

SMALL = """
[report]
id = "{id}"
title = "A small report"
publisher = "Desk"
date = "2024-05-14"
date_from = "printed"
product = "si"
standard = "2022"
[[claim]]
id = "C1"
place = "top"
quote = "区间 11000-13000"
says = "Between 11,000 and 13,000."
[[claim.reading]]
test = "range"
low = 11000
high = 13000
horizons = [5]
"""


def small(folder, name="small"):
    path = folder / f"{name}.toml"
    path.write_text(SMALL.format(id=name), "utf-8")
    return path


def rows_of(folder):
    raw = (folder / "claims.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel takes it for another encoding"
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


def test_all_shipped_reports_are_scored_by_default(tmp_path):
    said = sibt("claims", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    out = tmp_path / "results" / "claims"
    names = publications()
    assert len(names) >= 2
    assert {row["report"] for row in rows_of(out)} == set(names)
    assert sorted(p.name for p in out.iterdir()) == sorted(
        ["claims.csv", "index.html", "plotly.min.js", *(f"{name}.toml" for name in names)]
    )
    for name in names:
        assert name in said.out
        assert read(out / f"{name}.toml").id == name
    assert said.out.count("SIMULATED") == 1 + len(names)
    assert "SIMULATED 模拟数据" in (out / "index.html").read_text("utf-8")


def test_a_file_is_scored_and_its_copy_is_the_file(tmp_path):
    path = small(tmp_path)
    said = sibt("claims", "small.toml", "--out", "here", folder=tmp_path)
    assert said.code == 0
    assert (tmp_path / "here" / "small.toml").read_bytes() == path.read_bytes()
    [row] = rows_of(tmp_path / "here")
    assert (row["claim"], row["horizon"]) == ("C1", "5 sessions")
    assert row["verdict"] in ("right", "wrong")
    assert "here/index.html" in said.out.replace("\\", "/")


def test_the_ending_of_a_file_may_be_left_out(tmp_path):
    small(tmp_path)
    assert "small: 1 claims, 1 scores" in sibt("claims", "small", folder=tmp_path).out


def test_twice_gives_the_same_bytes(tmp_path):
    small(tmp_path)
    for out in ("one", "two"):
        assert sibt("claims", "small", "--out", out, folder=tmp_path).code == 0
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_nothing_after_the_day_asked_for_is_used(tmp_path):
    small(tmp_path)
    verdicts = {}
    for day in ("2024-05-13", "2024-05-14", "2024-05-21"):
        sibt("claims", "small", "--asof", day, folder=tmp_path)
        [row] = rows_of(tmp_path / "results" / "claims")
        verdicts[day] = row["verdict"]
    assert verdicts["2024-05-13"] == "untestable"
    assert verdicts["2024-05-14"] == "running"
    assert verdicts["2024-05-21"] in ("right", "wrong")


def test_it_speaks_chinese(tmp_path):
    small(tmp_path)
    said = sibt("claims", "small", "--lang", "zh", folder=tmp_path)
    assert "区间 11000-13000" in said.out
    assert "Between" not in said.out
    assert '<html lang="zh-CN"' in (tmp_path / "results/claims/index.html").read_text("utf-8")


def test_the_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("one", "two"):
        small(tmp_path, name)
        assert sibt("claims", name, folder=tmp_path).code == 0
    names = {p.name for p in (tmp_path / "results" / "claims").iterdir()}
    assert names == {"claims.csv", "index.html", "plotly.min.js", "two.toml"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smal.toml"], "There is no report smal.toml; give a TOML file, or start one"),
        (["gulian_2024q1"], "Did you mean 'guolian_2024q1'?"),
        (["nwe"], "Did you mean 'new'?"),
        (["small", "--asof", "yesterday"], "--asof is 'yesterday', no day"),
        (["small", "--asof", "2020-01-01"], "The market begins on 2022-12-22"),
        (["small", "small.toml"], "Two reports have the id 'small'"),
        (["small", "--settle-from", "closes"], "Did you mean 'close'?"),
        (["small", "--data", "nowhere"], "nowhere"),
        (["broken"], "broken.toml"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence_and_leaves_nothing(tmp_path, words, sentence):
    small(tmp_path)
    (tmp_path / "broken.toml").write_text(SMALL.format(id="b").replace("low", "lo"), "utf-8")
    said = sibt("claims", *words, folder=tmp_path)
    assert said.code == 2
    assert sentence in " ".join(said.err.split())
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("strange", ["notes.docx", "mine.toml"])
def test_a_folder_with_the_work_of_others_is_left_alone(tmp_path, strange):
    small(tmp_path)
    assert sibt("claims", "small", folder=tmp_path).code == 0
    out = tmp_path / "results" / "claims"
    (out / strange).write_text("hours of work", "utf-8")
    said = sibt("claims", "small", "--data", "nowhere", folder=tmp_path)  # before all work
    assert said.code == 2
    assert f"holds other files ({strange})" in said.err
    assert (out / strange).read_text("utf-8") == "hours of work"


def test_open_shows_the_page(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    small(tmp_path)
    sibt("claims", "small", "--open", folder=tmp_path)
    assert opened == [(tmp_path / "results" / "claims" / "index.html").resolve().as_uri()]


# -- sibt claims new --------------------------------------------------------------------------


def test_a_new_report_scores_as_it_is(tmp_path):
    said = sibt("claims", "new", "my_desk", folder=tmp_path)
    assert said.out == "Wrote my_desk.toml. Score it with: sibt claims my_desk.toml\n"
    assert sibt("claims", "my_desk.toml", folder=tmp_path).code == 0
    rows = rows_of(tmp_path / "results" / "claims")
    verdicts = {row["claim"]: row["verdict"] for row in rows}
    assert set(verdicts.values()) >= {"right", "wrong", "undecidable", "untestable", "watched"}
    assert (verdicts["stock"], verdicts["risk"]) == ("untestable", "watched")


def test_a_new_report_shows_most_tests_and_tells_of_each_table(tmp_path):
    sibt("claims", "new", "my_desk.toml", folder=tmp_path)
    text = (tmp_path / "my_desk.toml").read_text("utf-8")
    content = tomllib.loads(text)
    tests = {reading["test"] for claim in content["claim"] for reading in claim["reading"]}
    assert tests >= {"range", "holds_above", "direction", "rating", "curve", "identity", "trend",
                     "watch", "vague"}
    assert set(content) == {"report", "series", "level", "claim", "inconsistency"}
    assert content["report"]["id"] == "my_desk"
    blocks = text.split("\n\n")
    assert all(block.startswith("#") for block in blocks if "[[" in block)


def test_a_level_of_a_new_report_is_one_for_strategies(tmp_path):
    from sibt.strategy.levels import level

    sibt("claims", "new", "my_desk", folder=tmp_path)
    assert level("support", file=tmp_path / "my_desk.toml").printed == 11700


def test_new_never_overwrites(tmp_path):
    path = tmp_path / "my_desk.toml"
    path.write_text("mine", "utf-8")
    said = sibt("claims", "new", "my_desk", folder=tmp_path)
    assert said.code == 2
    assert "my_desk.toml is already here; choose another name" in said.err
    assert path.read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["a b", "../up", "/root", "", "硅", "-x.toml"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    said = sibt("claims", "new", name, folder=tmp_path)
    assert said.code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_help_tells_of_scoring_and_of_new(tmp_path):
    said = sibt("claims", "--help", folder=tmp_path)
    assert said.code == 0
    for word in ("--asof", "--settle-from", "--out", "new", "guolian_2024q1"):
        assert word in said.out
    assert "Examples:" in sibt("claims", "new", "--help", folder=tmp_path).out


def test_a_long_report_is_whole_when_asked(tmp_path):
    ask = ("claims", "orient_20240514", "--asof", "2024-06-28")
    brief, whole = (sibt(*ask, *more, folder=tmp_path).out for more in ((), ("--all",)))
    assert "V50" not in brief
    assert "V50" in whole
    assert len(brief.splitlines()) < 60
