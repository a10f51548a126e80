"""``sibt cost`` from outside: tables, own inputs, levels, and how it refuses."""

import csv
import io

import pandas as pd
import pytest
from command import sibt

import sibt as package
from sibt.cli.cost import _COMMANDS
from sibt.research.costs.inputs import TABLES, starter


def test_alone_it_is_an_overview(tmp_path):
    said = sibt("cost", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    for name in TABLES:
        assert f" {name} " in said.flat
    assert "plant full cost, wage and fees as shares of it 11,762.17 … 12,329.02" in said.flat


def test_every_table_has_a_word():
    assert set(_COMMANDS) == {*TABLES, "new"}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_word_shows_its_table(tmp_path, name, lang):
    said = sibt("cost", name, "--lang", lang, folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert ("printed" in said.out) == (lang == "en")


@pytest.mark.parametrize("name", _COMMANDS)
def test_help_has_examples(tmp_path, name):
    said = sibt("cost", name, "--help", folder=tmp_path)
    assert said.code == 0
    assert f"  sibt cost {name}" in said.out.partition("Example")[2]
    assert max(map(len, said.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["plant", "--tariff", "0.40"], "power 11,500 kWh 0.4 4,600.00 4,600.00"),
        (["plant", "--kwh", "12000"], "power 12,000 kWh 0.49 5,880.00 5,880.00"),
        (["power", "--kwh", "15000"], "moves by 1,500.00 … 3,000.00 yuan/t 1,500 … 3,000 agrees"),
        (["powder", "--block", "12000", "--powder", "13500"], "powder less block 1,500.00"),
        (["wafer", "--price", "1.25"], "at 1.25 yuan a wafer, cash 38.01"),
        (["demand", "--gw", "250"], "250 GW: silicon at the field report's ratios 51.50 … 56.50"),
    ],
)
def test_what_if(tmp_path, words, told):
    said = sibt("cost", *words, folder=tmp_path)
    assert said.code == 0
    assert told in said.flat


def test_own_inputs_are_written_edited_and_used(tmp_path):
    said = sibt("cost", "new", "my_costs.toml", folder=tmp_path)
    assert said.code == 0
    assert "sibt cost plant --inputs my_costs.toml" in said.out
    file = tmp_path / "my_costs.toml"
    assert file.read_text("utf-8") == starter()
    file.write_text(starter().replace("tariff = 0.49 ", "tariff = 0.30 "), "utf-8")
    said = sibt("cost", "plant", "--inputs", "my_costs.toml", folder=tmp_path)
    assert "power 11,500 kWh 0.3 3,450.00 3,450.00" in said.flat
    assert "electrodes" not in said.out
    said = sibt("cost", "--inputs", "my_costs.toml", folder=tmp_path)
    assert "plant full cost, wage and fees as shares of it 9,129.64" in said.flat


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "mine.toml").write_text("x = 1\n", "utf-8")
    said = sibt("cost", "new", "mine.toml", folder=tmp_path)
    assert said.code == 2
    assert said.err == "Error: mine.toml is already here; choose another name.\n"
    assert (tmp_path / "mine.toml").read_text("utf-8") == "x = 1\n"


def test_figures_go_into_a_csv(tmp_path):
    said = sibt("cost", "plant", "--csv", "plant.csv", folder=tmp_path)
    assert "CSV: plant.csv" in said.out
    rows = pd.read_csv(tmp_path / "plant.csv").set_index("name")
    assert rows.loc["full_shares", "low"] == pytest.approx(11762.1687, abs=1e-4)
    assert rows.loc["daily_output", "verdict"] == "differs"
    sibt("cost", "--csv", "all.csv", folder=tmp_path)
    whole = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text("utf-8"))))
    assert {row["table"] for row in whole} == set(TABLES)
    assert whole[0]["name"] == "direct"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["plants"], "There is no command 'cost plants'; commands are capacity, demand, furnaces"),
        (["plants"], "Did you mean 'plant'?"),
        (["plant", "--tariff", "0"], "'0' is no number above zero."),
        (["plant", "--tariff", "nan"], "'nan' is no number above zero."),
        (["plant", "--tariff", "cheap"], "'cheap' is no number above zero."),
        (["plant", "--inputs", "none.toml"], "none.toml cannot be read: No such file"),
        (["--inputs", "x.toml", "plant"], "write it behind: sibt cost plant --inputs x.toml."),
        (["plant", "--csv", "no/where.csv"], "--csv no/where.csv is no file in a folder that is"),
        (["new", "costs.csv"], "costs.csv is no TOML file; give a name such as my_costs.toml."),
        (["new", "no/costs.toml"], "no/costs.toml cannot be written: No such file"),
        (["plant", "--level", "x"], "--level x needs the day it became known; add --published"),
        (["plant", "--level", "x", "--published", "May"], "--published 'May' is no day; write it"),
        (["plant", "--published", "2024-05-14"], "is for a level; name it with --level NAME."),
        (["plant", "--level", "a b", "--published", "2024-05-14"], "'a b' is no name for a level"),
        (["plant", "--level", "x", "--published", "2024-05-14", "--to", "no/x.toml"],
         "--to no/x.toml is no file in a folder that is there"),
        (["plant", "--level", "x", "--published", "2024-05-14", "--reading", "share"],
         "'share' is none of shares, markups, wage_first. Did you mean 'shares'?"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path, words, error):
    said = sibt("cost", *words, folder=tmp_path)
    assert said.code == 2
    assert error in " ".join(said.err.split())
    assert list(tmp_path.iterdir()) == []


def test_bad_inputs_are_told_with_file_table_and_key(tmp_path):
    text = starter().replace("price = 2080", 'price = "2080 yuan"')
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    said = sibt("cost", "plant", "--inputs", "mine.toml", folder=tmp_path)
    assert said.code == 2
    assert said.err == ("Error: mine.toml: [plant.item 2] price = '2080 yuan' is no number; write"
                        " it without quotes or units.\n")  # fmt: skip


LEVEL = ["cost", "plant", "--published", "2024-05-14", "--level"]


def test_the_cost_is_kept_as_a_level(tmp_path):
    said = sibt(*LEVEL, "e_full_low", folder=tmp_path)
    assert said.code == 0
    assert ("Level e_full_low: 11,762.17 yuan/t from 2024-05-14 on, standard 2022, in"
            " levels.toml." in said.flat)  # fmt: skip
    one = package.level("e_full_low", tmp_path / "levels.toml")
    assert (one.value, one.standard) == (11762.17, "2022")
    assert one.published_on == pd.Timestamp("2024-05-14")
    assert one.source == "sibt cost plant: 11500 kWh/t at 0.49 yuan/kWh, reading shares, low"


def test_reading_bound_and_tariff_are_the_level_s(tmp_path):
    sibt(*LEVEL, "first", folder=tmp_path)
    sibt(*LEVEL, "second", "--reading", "wage_first", "--bound", "high", "--tariff", "0.4",
         folder=tmp_path)  # fmt: skip
    file = tmp_path / "levels.toml"
    assert package.level("first", file).value == 11762.17
    second = package.level("second", file)
    assert second.value == pytest.approx((10109.8 - 0.09 * 11500) / 0.92 * 1.1, abs=0.005)
    assert "at 0.4 yuan/kWh, reading wage_first, high" in second.source


def test_a_level_that_is_there_is_not_overwritten(tmp_path):
    sibt(*LEVEL, "first", folder=tmp_path)
    before = (tmp_path / "levels.toml").read_bytes()
    said = sibt(*LEVEL, "first", "--tariff", "0.4", folder=tmp_path)
    assert said.code == 2
    assert "levels.toml has a level 'first'; take another name" in said.err
    assert (tmp_path / "levels.toml").read_bytes() == before


def test_a_level_is_not_written_into_a_file_of_something_else(tmp_path):
    (tmp_path / "levels.toml").write_text("[level]\nx = 1\n", "utf-8")
    said = sibt(*LEVEL, "first", folder=tmp_path)
    assert said.code == 2
    assert (tmp_path / "levels.toml").read_text("utf-8") == "[level]\nx = 1\n"


def test_a_run_draws_its_levels_and_says_which_it_does_not(tmp_path):
    sibt(*LEVEL, "e_full_low", folder=tmp_path)
    said = sibt("run", "short_rallies", "--level", "levels.toml:e_full_low", "--no-check",
                folder=tmp_path)
    assert said.code == 0
    assert "not drawn" not in said.out
    page = (tmp_path / "results" / "latest" / "index.html").read_text("utf-8")
    assert "e_full_low: 11,762.17, from 2024-05-14" in page
    said = sibt("run", "calendar_reverse", "--level", "levels.toml:e_full_low", "--no-check",
                folder=tmp_path)
    assert "Level e_full_low is not drawn: the chart shows a spread" in said.flat
    page = (tmp_path / "results" / "latest" / "index.html").read_text("utf-8")
    assert "e_full_low: 11,762.17" not in page


def test_the_market_s_pages_draw_levels(tmp_path):
    sibt(*LEVEL, "e_full_low", folder=tmp_path)
    said = sibt("data", "show", "--level", "levels.toml:e_full_low", folder=tmp_path)
    assert said.code == 0
    assert "level e_full_low: 11,762.17, from 2024-05-14" in said.flat
    page = (tmp_path / "results" / "market" / "quarter.html").read_text("utf-8")
    assert "e_full_low: 11,762.17, from 2024-05-14" in page


@pytest.mark.parametrize(
    ("level", "error"),
    [
        ("levels.toml", "--level levels.toml names a file alone; add the level: levels.toml:NAME."),
        ("levels.toml:e", "The levels in levels.toml cannot be read: No such file"),
        ("guolian_2024q1.suport", "Did you mean 'guolian_2024q1.support'?"),
    ],
)
@pytest.mark.parametrize("command", [["run", "short_rallies"], ["data", "show"]])
def test_an_unknown_level_is_refused_before_the_work(tmp_path, command, level, error):
    said = sibt(*command, "--level", level, folder=tmp_path)
    assert said.code == 2
    assert error in said.err
    assert list(tmp_path.iterdir()) == []
