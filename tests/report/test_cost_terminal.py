"""Tables of costs in the terminal hold the figures, in both languages."""

import io

import pytest
from rich.console import Console

from sibt.language import EN, ZH
from sibt.report.cost_terminal import show, show_overview
from sibt.research.costs.inputs import TABLES, inputs
from sibt.research.costs.sheet import sheet


def told(what, t=EN):
    out = io.StringIO()
    what(Console(file=out, highlight=False), t)
    return " ".join(out.getvalue().split())


def table(name, t=EN, **asked):
    return told(lambda console, t: show(sheet(name, inputs(), **asked), console, t), t)


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_is_told(name):
    text, one = table(name), sheet(name, inputs())
    for figure in one.figures:
        low = figure.value.low
        scaled = 100 * low if figure.unit == "share" else low
        forms = {f"{scaled:,.{places}f}" for places in (0, 1, 2, 4)}
        assert any(form in text for form in forms), figure
    for note in one.notes:
        assert note in text


@pytest.mark.parametrize("name", TABLES)
def test_a_table_speaks_chinese(name):
    text = table(name, ZH)
    for figure in sheet(name, inputs()).figures:
        assert ZH(figure.what) != figure.what
    assert "note" not in text
    assert "measured in" not in text


def test_the_plant_s_sheet_has_all_items_and_readings():
    text = table("plant")
    assert "quartz 2.5 – 2.6 t 400 1,000.00 1,040.00" in text
    assert "power 11,500 kWh 0.49 5,635.00 5,635.00" in text
    assert "direct cost 9,762.60 10,109.80" in text
    assert "full cost, wage and fees as shares of it 11,762.17 12,329.02" in text
    assert "output of the furnaces that run 156 … 168 t/day 150 differs" in text


def test_both_reports_stand_beside_each_other():
    text = table("demand")
    assert "China 220 quarterly report 0.3625 79.75 1.16 92.51" in text
    assert "field report 0.2000 44.00 1.03 … 1.13 45.32 … 49.72" in text


def test_a_printed_figure_stands_as_it_was_printed():
    text = table("capacity")
    assert "new polysilicon capacity of the year 151.50 10,000 t 145.5 differs" in text
    assert "Xinjiang: share of new silicon 14.29% 38% differs" in text
    assert "imports, February on January 192.31% 200% within rounding" in table("trade")


def test_what_is_unknown_is_a_dash():
    read = inputs()
    nothing = {**read["powder"], "works": {**read["powder"]["works"], "lines": 0.0}}
    one = sheet("powder", {**read, "powder": nothing})
    text = told(lambda console, t: show(one, console, t))
    assert "share of all hours the printed month takes –" in text


def test_names_with_brackets_are_text():
    read = inputs()
    row = {**read["plant"]["item"][0], "name": "[red]x[/]"}
    one = sheet("plant", {**read, "plant": {**read["plant"], "item": (row,)}})
    assert "[red]x[/]" in told(lambda console, t: show(one, console, t))


def test_the_overview_has_a_line_a_table():
    sheets = [sheet(name, inputs()) for name in TABLES]
    text = told(lambda console, t: show_overview(sheets, console, t))
    for name in TABLES:
        assert f" {name} " in text
    assert "shares of it 11,762.17 … 12,329.02 yuan/t 1 of 1 differ" in text
    assert "trade exports, January and February 10.14 10,000 t all 6 agree" in text
