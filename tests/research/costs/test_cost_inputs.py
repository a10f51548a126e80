"""Inputs are a file anybody can edit; what is wrong in it is told with its table and key."""

import pytest

from sibt.errors import DataError
from sibt.research.costs.figure import Bounds
from sibt.research.costs.inputs import TABLES, inputs, starter
from sibt.research.costs.sheet import sheet


def edited(tmp_path, old, new):
    text = starter()
    assert text.count(old) >= 1, old
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def test_the_file_that_is_written_gives_the_shipped_figures(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(starter(), "utf-8")
    assert inputs(file) == inputs()
    assert set(inputs()) == set(TABLES)


def test_every_number_says_its_unit_or_its_place():
    for name in TABLES:
        assert f"[{name}]" in starter()
    assert starter().count("S0") > 15
    assert starter().count("S4") > 15
    assert "electrodes" in starter()


def test_a_number_may_stand_in_the_place_of_a_range(tmp_path):
    read = inputs(edited(tmp_path, "wage = [0.07, 0.08]", "wage = 0.075"))
    assert read["plant"]["wage"] == Bounds(0.075, 0.075)


def test_a_row_may_have_a_range_where_its_neighbours_have_numbers(tmp_path):
    read = inputs(edited(tmp_path, "price = 2080", "price = [2000, 2100]"))
    assert read["plant"]["item"][1]["price"] == Bounds(2000.0, 2100.0)
    assert read["plant"]["item"][3]["price"] == Bounds(400.0, 400.0)


def test_the_missing_electrodes_can_be_added(tmp_path):
    old = '# [[plant.item]]\n# name = "electrodes"\n# use = 0.1\n# price = 9000'
    file = edited(tmp_path, old, old.replace("# ", ""))
    more, without = (sheet("plant", read).main.value for read in (inputs(file), inputs()))
    assert more.low - without.low == pytest.approx(900 / (1 - 0.17))


def test_rows_can_be_taken_away(tmp_path):
    file = edited(tmp_path, '[[plant.item]]\nname = "liquid oxygen"', '[[plant.item]]\nname = "o"')
    assert inputs(file)["plant"]["item"][0]["name"] == "o"
    text = starter()
    begin = text.index('[[plant.item]]\nname = "wood chips"')
    end = text.index("# Missing in the report")
    file.write_text(text[:begin] + text[end:], "utf-8")
    direct = next(f for f in sheet("plant", inputs(file)).figures if f.name == "direct")
    assert direct.value.low == pytest.approx(9762.6 - 580)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tariff = 0.49 ", "tarif = 0.49 ",
         r"mine.toml: \[plant\] has 'tarif', which nothing reads; .*Did you mean 'tariff'"),
        ("tariff = 0.49 ", "# ", r"\[plant\] has no 'tariff'; copy it"),
        ("tariff = 0.49 ", 'tariff = "0.49" ', r"\[plant\] tariff = '0.49' is no number"),
        ("tariff = 0.49 ", "tariff = true ", r"\[plant\] tariff = True is no number"),
        ("tariff = 0.49 ", "tariff = nan ", r"\[plant\] tariff = nan is no number"),
        ("tariff = 0.49 ", "tariff = -0.49 ", r"\[plant\] tariff = -0.49 is below zero"),
        ("tariff = 0.49 ", "tariff = [0.4, 0.5] ", r"\[plant\] tariff = .* give one number\."),
        ("wage = [0.07, 0.08]", "wage = [7, 8]", r"\[plant\] wage = 7 is no share; write 0.07"),
        ("wage = [0.07, 0.08]", "wage = [0.08, 0.07]", r"\[plant\] wage = .* runs backwards"),
        ("wage = [0.07, 0.08]", "wage = [0.07]", r"wage = \[0.07\] will not do; give"),
        ('standard = "2022"', "standard = 2022", r"\[plant\] standard = 2022 is no text"),
        ("use = 0.032 ", "uses = 0.032 ", r"\[plant.item 1\] has 'uses'.*Did you mean 'use'"),
        ("price = 2080", "# ", r"\[plant.item 2\] has no 'price'"),
        ("[wafer]", "[waver]", r"mine.toml has 'waver', .*Did you mean 'wafer'"),
        ("[powder.works]", "[[powder.works]]", r"\[powder.works\] is no table"),
        ("[plant]", "[plant", "mine.toml is no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, old, new, message):
    with pytest.raises(DataError, match=message):
        inputs(edited(tmp_path, old, new))


def test_a_list_that_is_none_is_told(tmp_path):
    text = starter()
    begin, end = text.index("[[demand.region]]"), text.index("# Polysilicon plants")
    file = tmp_path / "mine.toml"
    file.write_text(f"{text[:begin]}region = 3\n{text[end:]}", "utf-8")
    with pytest.raises(DataError, match=r"\[\[demand.region\]\] is no list of tables"):
        inputs(file)
    file.write_text(f"{text[:begin]}{text[end:]}", "utf-8")
    with pytest.raises(DataError, match=r"\[demand\] has no 'region'"):
        inputs(file)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read: No such file.*'sibt cost new FILE'"):
        inputs(tmp_path / "mine.toml")


def test_shares_that_leave_nothing_are_told(tmp_path):
    read = inputs(edited(tmp_path, "fees = 0.10 ", "fees = 0.95 "))
    with pytest.raises(DataError, match=r"\[plant\] wage 0.07 and fees 0.95 leave nothing"):
        sheet("plant", read)


def test_notes_on_the_reports_are_not_said_of_own_inputs():
    assert sheet("plant", inputs()).notes
    assert not sheet("plant", inputs(), own=True).notes
