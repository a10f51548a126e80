"""The site of the texts: built strictly, of every page and command, and it fetches nothing."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from sibt.cli import _sibt
from sibt.research.claims.report import publication, publications

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder))
    config.plugins.run_event("startup", command="build", dirty=False)
    build(config)
    config.plugins.run_event("shutdown")
    return folder


def addresses(page: Path) -> set[str]:
    """What a page sends for when it is opened."""
    found = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            given = dict(attrs)
            if tag in ("script", "img", "iframe", "source"):
                found.add(given.get("src"))
            if tag == "link" and given.get("rel") not in ("canonical", "prev", "next", "edit"):
                found.add(given.get("href"))

    Reader().feed(page.read_text("utf-8"))
    return found - {None}


def test_every_text_is_a_page_of_it(site):
    texts = {f"{text.stem}.html" for text in (ROOT / "docs").glob("*.md")}
    made = {"commands.html", "series.html", "zh.html"}
    assert texts | made <= {page.name for page in site.glob("*.html")}


def test_it_asks_for_nothing_but_files_beside_it(site):
    pages = [page for page in site.glob("*.html") if page.name != "404.html"]
    for page in pages:
        for address in addresses(page):
            assert (page.parent / address.partition("?")[0]).is_file(), f"{page.name}: {address}"
    styles = "".join(style.read_text("utf-8") for style in site.rglob("*.css"))
    assert set(re.findall(r"url\(([^)]*)\)", styles)) <= {
        url for url in re.findall(r"url\(([^)]*)\)", styles) if "//" not in url or "data:" in url
    }
    assert not re.search(r"@import\s+(url\()?[\"']?(https?:)?//", styles)


def test_it_can_be_searched_where_it_lies(site):
    assert (site / "search" / "search_index.js").read_text("utf-8").startswith("var __index")
    assert "iframe-worker.js" in (site / "index.html").read_text("utf-8")


def test_every_command_stands_in_it_with_all_its_options(site):
    text = unescape(re.sub(r"<[^>]+>", "", (site / "commands.html").read_text("utf-8")))

    def walk(command, ctx):
        assert f"Usage: {ctx.command_path}" in text
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                assert max(param.opts, key=len) in text, f"{ctx.command_path} {param.opts}"
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                below = command.get_command(ctx, name)
                walk(below, click.Context(below, ctx, name))

    walk(_sibt, click.Context(_sibt, info_name="sibt"))


def test_every_series_of_a_shipped_report_is_listed_with_its_unit(site):
    rows = re.findall(r"<tr>\s*<td><code>(\w+)</code></td>\s*<td>([^<]*)</td>",
                      (site / "series.html").read_text("utf-8"))  # fmt: skip
    told = set(rows)
    assert len(rows) == len(dict(rows))
    for name in publications():
        for one in publication(name).series:
            assert (one.name, one.unit) in told


def test_the_chinese_readme_leads_to_the_pages(site):
    text = (site / "zh.html").read_text("utf-8")
    assert 'href="fills.html"' in text
    assert "docs/" not in re.sub(r">[^<]*<", "><", text)
