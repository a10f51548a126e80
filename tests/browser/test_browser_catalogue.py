"""``results/index.html``, the page of all runs, in a browser."""

import json
import shutil

import pytest
from looking import check, picture, press

RUNS = ("calendar_reverse", "short_rallies", "producer_hedge")


@pytest.fixture(scope="module")
def path(made):
    """The page of a folder of three runs, a comparison of two of them and a broken run."""
    runs = [made(f"run {name} --lang en", f"results/*-{name}") for name in RUNS]
    shelf = runs[0].parents[1] / "shelf"
    for run in runs:
        shutil.copytree(run, shelf / run.name, dirs_exist_ok=True)
    (shelf / "20260101-000000-broken").mkdir()
    (shelf / "20260101-000000-broken" / "manifest.json").write_text("{", "utf-8")
    return made("compare calendar_reverse short_rallies --out shelf", "shelf/index.html")


@pytest.fixture
def page(tab, path):
    return tab(path)


def names(page) -> list[str]:
    return [each.split()[0] for each in page.locator("tbody tr:visible th").all_inner_texts()]


def test_it_opens_fits_and_has_no_serious_fault(page):
    check(page, "catalogue")
    press(page, "lang", "zh")
    picture(page, "catalogue-zh")


def net(path, name) -> float:
    """Return what a run came to; of a hedge, goods and futures."""
    folder = next(path.parent.glob(f"*-{name}"))
    figures = json.loads((folder / "manifest.json").read_text("utf-8"))["figures"]
    return figures.get("hedged", figures["net"])


@pytest.mark.parametrize("name", RUNS)
def test_each_run_has_its_result_and_a_picture_of_its_equity(page, path, name):
    row = page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True))
    assert f"{net(path, name):+,.0f}".replace("-", "−") in row.inner_text()
    drawn = row.locator("svg path").last.bounding_box()
    assert drawn["width"] > 50
    assert drawn["height"] > 3


def test_a_broken_folder_is_named(page):
    assert "20260101-000000-broken" in page.locator("main").inner_text()


def test_words_find_runs(page):
    assert len(names(page)) == len(RUNS) + 1
    page.locator("#find").fill("producer")
    assert names(page) == ["producer_hedge"]
    assert page.locator("[role=status]").inner_text().startswith("1 ")


def test_a_head_sorts_by_keyboard(page, path):
    head = page.locator("thead th", has_text="net yuan")
    for order, down in (("descending", True), ("ascending", False)):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == order
        wanted = sorted(RUNS, key=lambda name: net(path, name), reverse=down)
        assert names(page)[: len(RUNS)] == wanted  # the comparison has no result: last


def test_a_run_is_a_click_away_and_leads_back(page):
    page.get_by_role("link", name="producer_hedge").click()
    assert page.url.endswith("-producer_hedge/index.html")
    page.get_by_role("link", name="All runs").click()
    assert page.url.endswith("shelf/index.html")
