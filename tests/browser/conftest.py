"""A real browser, pages made by the command line, and tabs in which nothing may go wrong."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright

#: Chromium by the names it goes by; Playwright's own downloads are never used.
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Drawn are all charts that are shown; one in a closed part may wait until it is opened.
_DRAWN = """() => [...document.querySelectorAll(".chart .drawn")].every(
    drawn => !drawn.checkVisibility() || drawn.querySelector(".main-svg"))"""

Open = Callable[..., Page]
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; without it the tests skip, with ``CI`` set they fail."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        reason = "tests/browser needs Chromium, which is not there: `make browser` installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, headless.

    One a file, not one a session: while Playwright is on, its event loop runs in this thread,
    and tests of other folders would find it.
    """
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield launched
        launched.close()


def _tabs(browser: Browser) -> Iterator[Open]:
    wrong: list[str] = []
    contexts = []

    def asked(request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            wrong.append(f"asked for {request.url}")

    def failed(request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is a page left before it had all
            wrong.append(f"not there: {request.url}")

    def said(message) -> None:
        if message.type in ("error", "warning"):
            wrong.append(f"console {message.type}: {message.text}")

    def show(path: Path, *, width: int = 1200, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        context.set_default_timeout(60_000)  # a busy machine is no fault of a page
        context.on("request", asked)
        context.on("requestfailed", failed)
        context.on("console", said)
        context.on("weberror", lambda error: wrong.append(f"raised: {error.error}"))
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_function(_DRAWN)
        return page

    yield show
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Open]:
    """What opens a page from disk: ``tab(path, width=1200, dark=False)``.

    The test fails where any page wrote an error or warning to the console, raised one, or asked
    for anything but files that are there.
    """
    yield from _tabs(browser)


@pytest.fixture(scope="module")
def shared_tab(browser: Browser) -> Iterator[Open]:
    """As `tab`, for pages that several tests only read."""
    yield from _tabs(browser)


@pytest.fixture(scope="session")
def made(chromium: str, tmp_path_factory) -> Make:
    """What gives a path below a folder where ``sibt WORDS`` ran: ``made("run x", "results/*-x")``.

    A command runs once for all workers; all run in the same folder.
    """
    base = tmp_path_factory.getbasetemp()
    room = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser"
    room.mkdir(exist_ok=True)

    def make(words: str, where: str) -> Path:
        said = room / f".{words.replace('/', '_')}"
        with FileLock(f"{said}.lock"):
            if not said.exists():
                done = subprocess.run(
                    [sys.executable, "-m", "sibt", *words.split()], cwd=room, check=False,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                    env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
                )  # fmt: skip
                said.write_text(f"exit {done.returncode}\n{done.stdout}", encoding="utf-8")
        found = said.read_text("utf-8")
        assert found.startswith("exit 0\n"), f"sibt {words}: {found}"
        paths = sorted(room.glob(where))
        assert len(paths) == 1, (where, paths)
        return paths[0]

    return make
