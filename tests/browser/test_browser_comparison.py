"""The pages of ``sibt compare`` in a browser; made in Chinese, they hold both languages."""

import json

import pytest
from looking import check, layout, picture, press, traces

RUNS = ("calendar_reverse", "short_rallies", "trader_hedge")


@pytest.fixture(scope="module")
def figures(made):
    """The futures' figures of each run, by its letter."""
    paths = [made(f"run {name} --lang en", f"results/*-{name}") for name in RUNS]
    texts = [(path / "metrics.json").read_text("utf-8") for path in paths]
    return {letter: json.loads(text)["futures"] for letter, text in zip("ABC", texts, strict=True)}


@pytest.fixture(scope="module")
def folder(made, figures):
    return made(f"compare {' '.join(RUNS)} --lang zh", "results/*-compare")


@pytest.fixture
def page(tab, folder):
    opened = tab(folder / "index.html")
    assert opened.evaluate("document.documentElement.lang") == "zh-CN"
    return opened


def test_it_opens_in_the_language_it_was_made_in_and_has_no_serious_fault(page):
    assert "权益" in layout(page, "equity")["title"]
    picture(page, "comparison-zh")
    press(page, "lang", "en")
    assert "equity" in layout(page, "equity")["title"].lower()
    check(page, "comparison")


def test_every_run_has_its_line_and_its_drawdown(page, figures):
    drawn = traces(page, "equity")
    assert len(drawn) == 2 * len(RUNS)
    lines = {one["name"][0]: one["y"] for one in drawn[: len(RUNS)]}
    assert list(lines) == list(figures)
    base = [8_020_000.0 + one["net"] for one in figures.values()]
    ends = [next(y for y in reversed(line) if y is not None) for line in lines.values()]
    assert ends == pytest.approx(base, abs=0.02)
    assert page.locator('[data-name="equity"] .scatterlayer .trace').count() == len(drawn)


def test_the_best_of_those_that_can_be_compared_is_marked(page, figures):
    press(page, "lang", "en")
    # C owns goods: its futures are neither better nor worse than futures alone.
    for name, best in (("net", max), ("fees", min), ("worst_day", max)):
        row = page.locator(f'tr[data-figure="{name}"]')
        wanted = best("AB", key=lambda letter, name=name: figures[letter][name])
        marks = row.locator("td").evaluate_all(
            "cells => cells.map(cell => cell.className === 'best' && cell.innerText.includes('★'))"
        )
        assert [letter for letter, mark in zip("ABC", marks, strict=True) if mark] == [wanted]
    first, other = figures["A"]["net"], figures["B"]["net"]
    said = page.locator('tr[data-figure="net"] td').nth(1).inner_text()
    assert f"{other - first:+,.2f}".replace("-", "−") in said


def test_what_cannot_be_compared_stands_first(page):
    press(page, "lang", "en")
    limits = page.locator("ul.limits").inner_text()
    assert "Periods do not overlap" in limits
    assert "Goods are owned in C and in no other" in limits


def test_a_press_on_a_name_takes_both_its_lines_away(page):
    page.locator('[data-name="equity"] .legendtoggle').first.click()
    page.wait_for_function(
        """() => document.querySelector('[data-name="equity"] .js-plotly-plot')._fullData
            .filter(one => one.visible === "legendonly").length === 2"""
    )


def test_tear_sheets_stand_side_by_side_a_click_away(page):
    page.locator('a[href="tearsheets.html"]').first.click()
    frames = page.locator("iframe")
    assert frames.count() == len(RUNS)
    tops = []
    for n in range(len(RUNS)):
        frames.nth(n).scroll_into_view_if_needed()
        frames.nth(n).content_frame.locator("svg").first.wait_for()
        tops.append(frames.nth(n).evaluate("each => each.offsetTop"))
    assert len(set(tops)) == 1
    picture(page, "comparison-tearsheets")
