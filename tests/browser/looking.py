"""What every page is asked in the browser, and where its pictures are kept."""

from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Pictures of the last run of the tests, for the one who builds to look at.
ARTEFACTS = Path(__file__).with_name("artefacts")


def looks(page: Page, name: str) -> Iterator[str]:
    """Show an open page wide, in the dark, on 400 pixels and on paper; keep a picture of each."""
    for look, width, media in (
        ("wide", 1200, {"color_scheme": "light"}),
        ("dark", 1200, {"color_scheme": "dark"}),
        ("narrow", 400, {"color_scheme": "light"}),
        ("paper", 760, {"media": "print", "color_scheme": "light"}),
    ):
        page.emulate_media(**media)
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        picture(page, f"{name}-{look}")
        yield look
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size({"width": 1200, "height": 900})
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page has drawn what a change of style or width asked for."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True, animations="disabled")


def faults(page: Page) -> list[str]:
    """Return the serious and critical faults axe finds, each with the places where it is.

    The rows of a long table look alike: the first six and the marked ones stand for all.
    """
    page.evaluate("""() => {
        window.whole = [...document.querySelectorAll("tbody")].map(body => [body, [...body.rows]]);
        for (const [, rows] of whole) {
            for (const row of rows.slice(6)) if (!row.className) row.remove();
        }
    }""")
    found = Axe().run(page).response["violations"]
    page.evaluate("() => { for (const [body, rows] of whole) body.replaceChildren(...rows); }")
    return [
        f"{fault['id']}: {fault['help']}: "
        + "; ".join(f"{node['target']} {node['html'][:120]} {node['failureSummary']}"
                    for node in fault["nodes"][:3])
        for fault in found if fault["impact"] in ("serious", "critical")
    ]  # fmt: skip


def sideways(page: Page) -> int:
    """Return how many pixels the page is wider than its window; 0 or less is good."""
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")


def check(page: Page, name: str) -> None:
    """Look at a page in every way: it fits its window, and axe finds nothing serious."""
    for look in looks(page, name):
        # On paper Chromium makes a page smaller where it is wider, by a quarter at ease.
        room = 760 / 3 if look == "paper" else 0
        assert sideways(page) <= room, f"{look}: the page is wider than its window"
        if look in ("wide", "dark"):
            found = faults(page)
            assert not found, "\n".join([f"{look}:", *found])


def press(page: Page, name: str, value: str) -> None:
    """Choose a language, theme or colours with the buttons at the top."""
    button = page.locator(f'.switches button[name="{name}"][value="{value}"]')
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    settle(page)


def traces(page: Page, chart: str) -> list[dict]:
    """Return name, kind, and the points of each trace a chart draws."""
    return page.evaluate(
        """name => document.querySelector(`[data-name="${name}"] .js-plotly-plot`).data.map(
            one => ({name: one.name, kind: one.meta?.kind, x: one.x, y: one.y}))""", chart
    )  # fmt: skip


def layout(page: Page, chart: str) -> dict:
    """Return title, lines and background of a chart as it is drawn."""
    return page.evaluate(
        """name => {
            const drawn = document.querySelector(`[data-name="${name}"] .js-plotly-plot`);
            return {title: drawn.layout.title.text, paper: drawn.layout.paper_bgcolor,
                    shapes: drawn.layout.shapes ?? []};
        }""", chart
    )  # fmt: skip
