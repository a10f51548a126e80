"""The site of the texts in a browser, opened from disk."""

from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_each_page_opens_asks_for_nothing_outside_and_fits_a_phone(tab, site):
    pages = sorted(page for page in site.glob("*.html") if page.stem != "404")
    page = tab(pages[0], width=400)
    for one in pages:
        page.goto(one.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, one.name
        assert page.locator("h1").first.is_visible()


@pytest.mark.parametrize(
    ("word", "page"), [("margin", "fills"), ("移仓", "fills"), ("研报", "claims")]
)
def test_search_finds_english_and_chinese_without_a_server(tab, site, word, page):
    opened = tab(site / "index.html")
    field = opened.locator("input.md-search__input")
    field.click()
    field.press_sequentially(word)
    field.press("End")  # a page searches when a key is let go, and Chinese is put in without one
    opened.locator(f".md-search-result__link[href*='{page}.html']").first.wait_for()
