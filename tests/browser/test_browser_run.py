"""The page of a run in a browser: charts against its tables, switches, keys, paper."""

import json
import re

import pandas as pd
import pytest
from looking import check, layout, picture, press, settle, traces

STRATEGIES = ("calendar_reverse", "short_rallies", "producer_hedge", "trader_hedge")
#: A broker's words, in the order of its statement.
STATEMENT = ("上日结存", "平仓盈亏", "持仓盯市盈亏", "手续费", "出入金", "客户权益", "保证金占用",
             "可用资金", "风险度", "追加保证金")  # fmt: skip
OVER_TIME = ("equity", "price", "legs", "margin", "risk")


@pytest.fixture(scope="module")
def folder(made):
    return lambda strategy: made(f"run {strategy} --lang en", f"results/*-{strategy}")


@pytest.fixture(scope="module", params=STRATEGIES)
def run(request, shared_tab, folder):
    """The folder of a run, and its page, open."""
    at = folder(request.param)
    return at, shared_tab(at / "index.html")


@pytest.fixture
def spread(tab, folder):
    """The page of a calendar spread, open."""
    return tab(folder("calendar_reverse") / "index.html")


def read(folder, name) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")


def colour(page, what: str) -> str:
    return page.locator(what).first.evaluate("each => getComputedStyle(each).color")


def test_every_fill_and_unfilled_order_has_its_mark(run):
    at, page = run
    fills = read(at, "fills")
    kind = pd.Series("opened", fills.index)
    kind[fills["offset"] != "open"] = "closed"
    kind[fills["reason"] != "signal"] = "forced"
    kind[fills["reason"] == "roll"] = "rolled"
    wanted = {name: sorted(set(days)) for name, days in fills["session"].groupby(kind)}
    missed = sorted(set(read(at, "unfilled")["session"]))
    if missed:
        wanted["unfilled"] = missed
    found = {}
    for one in traces(page, "price")[1:]:
        name = "opened" if one["kind"] in ("bought", "sold") else one["kind"]
        found[name] = sorted([*found.get(name, []), *one["x"]])
    assert found == wanted
    drawn = page.locator('[data-name="price"] .scatterlayer path.point')
    assert drawn.count() == sum(map(len, wanted.values()))


def test_lines_hold_every_session_of_the_statement(run):
    at, page = run
    statement, legs = read(at, "statement"), read(at, "by_leg")
    equity = traces(page, "equity")
    assert equity[0]["x"] == statement["session"].tolist()
    assert equity[0]["y"] == pytest.approx(statement["equity"].tolist(), abs=0.006)
    by_leg = traces(page, "legs")
    assert len(by_leg) == len(legs) + 3  # fees, slippage, net
    assert by_leg[-1]["y"][-1] == pytest.approx(legs["net"].sum(), abs=0.006)


def test_the_day_the_idea_became_known_is_a_line_through_every_chart(run):
    at, page = run
    known = json.loads((at / "manifest.json").read_text("utf-8"))["strategy"]["known_from"]
    for name in OVER_TIME:
        days = [one["x0"] for one in layout(page, name)["shapes"] if one.get("name") == "known"]
        assert days == [known], name


def test_paper_hides_nothing_that_the_screen_can_show(run):
    _, page = run
    page.emulate_media(media="print")
    settle(page)
    assert page.locator("#by-day").is_visible()
    assert page.locator("#by-trade").is_visible()
    cut = page.evaluate("""() => [...document.querySelectorAll("main .scroll, main .drawn")]
        .filter(each => each.checkVisibility() && each.scrollHeight > each.clientHeight + 1
            && getComputedStyle(each).overflowY !== "visible")
        .map(each => each.getAttribute("aria-label") ?? each.parentNode.dataset.name)""")
    page.emulate_media(media="screen")
    assert cut == []


def test_it_opens_fits_and_has_no_serious_fault(run):
    at, page = run
    check(page, f"run-{at.name.split('-')[-1]}")


def test_the_mouse_finds_the_fill(spread, folder):
    first = read(folder("calendar_reverse"), "fills").iloc[0]
    chart = spread.locator('[data-name="price"]')
    chart.scroll_into_view_if_needed()
    mark = chart.locator(".scatterlayer path.point").last.bounding_box()
    spread.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    label = chart.locator(".hoverlayer text.nums")
    label.wait_for()
    text = label.text_content()
    assert first["session"] in text
    assert first["contract"] in text
    assert f"{first['lots']:,} " in text
    assert f"{first['price']:,.2f}" in text
    assert f"{first['fee']:,.2f}" in text


def test_chinese_is_one_press_away(spread):
    english = layout(spread, "equity")["title"]
    press(spread, "lang", "zh")
    picture(spread, "run-calendar_reverse-zh")
    assert spread.evaluate("document.documentElement.lang") == "zh-CN"
    title = layout(spread, "equity")["title"]
    assert title != english
    assert "权益" in title
    heads = spread.locator("#by-day thead th").all_inner_texts()
    assert tuple(heads[1:]) == STATEMENT
    press(spread, "lang", "en")
    assert layout(spread, "equity")["title"] == english


def test_nothing_stays_english_in_chinese(spread):
    press(spread, "lang", "zh")
    left = spread.evaluate("""() => {
        const places = "h2, h3, th, dt, caption, label, nav a, .switches button, [role=tab],"
            + " .verdict, .soft, figcaption, .gtitle, .ytitle, .xtitle, .legendtext";
        return [...document.querySelectorAll(places)]
            .filter(each => each.checkVisibility() && !each.matches("#settings tbody th"))
            .map(each => (each.innerText ?? each.textContent).trim())
            .filter(text => /[a-z]{3}/i.test(text) && !/[\u4e00-\u9fff]/.test(text));
    }""")
    own = re.compile(r"si\d{4}(/si\d{4})?|English")
    assert [text for text in left if not own.fullmatch(text)] == []


def test_the_language_chosen_stays_on_the_way_through_the_pages(spread):
    press(spread, "lang", "zh")
    spread.reload()
    assert spread.evaluate("document.documentElement.lang") == "zh-CN"


def test_a_theme_stands_against_that_of_the_system(tab, folder):
    page = tab(folder("calendar_reverse") / "index.html", dark=True)
    background = "getComputedStyle(document.body).backgroundColor"
    dark, chart = page.evaluate(background), layout(page, "equity")["paper"]
    press(page, "theme", "light")
    light = page.evaluate(background)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    assert layout(page, "equity")["paper"] != chart
    press(page, "theme", "dark")
    assert page.evaluate(background) == dark
    assert layout(page, "equity")["paper"] == chart


def test_up_and_down_change_colours(spread):
    def shown() -> tuple[str, str]:
        return colour(spread, "td.up"), colour(spread, "td.down")

    green = shown()
    assert green[0] != green[1]
    press(spread, "up", "red")
    assert shown() == green[::-1]
    press(spread, "up", "green")
    assert shown() == green


def test_up_is_red_in_chinese_until_the_reader_says_otherwise(spread):
    green = colour(spread, "td.up")
    press(spread, "lang", "zh")
    assert colour(spread, "td.up") != green
    press(spread, "up", "green")
    press(spread, "lang", "en")
    press(spread, "lang", "zh")
    assert colour(spread, "td.up") == green


def test_the_tear_sheet_is_a_click_away_and_leads_back(spread):
    spread.get_by_role("link", name="Tear sheet", exact=True).click()
    assert spread.url.endswith("/tearsheet.html")
    assert spread.locator("svg").count() > 5
    picture(spread, "tearsheet")
    spread.locator('a[href="index.html"]').first.click()
    assert spread.url.endswith("/index.html")


def test_the_keyboard_leads_past_the_head_and_through_the_tabs(spread):
    spread.keyboard.press("Tab")
    assert spread.evaluate("document.activeElement.getAttribute('href')") == "#content"
    by_day, by_trade = spread.locator("#by-day"), spread.locator("#by-trade")
    spread.get_by_role("tab").first.focus()
    assert (by_day.is_visible(), by_trade.is_visible()) == (True, False)
    spread.keyboard.press("ArrowRight")
    assert (by_day.is_visible(), by_trade.is_visible()) == (False, True)
    assert spread.get_by_role("tab", selected=True).get_attribute("id") == "tab-by-trade"
    spread.keyboard.press("ArrowRight")
    assert by_day.is_visible()


def test_the_sheet_of_a_day_is_chosen_by_keyboard(spread, folder):
    at = folder("calendar_reverse")
    statement = read(at, "statement").set_index("session")["equity"]
    fills = read(at, "fills")
    select = spread.locator(".day-sheet select")
    select.focus()
    first = select.locator("option:checked").inner_text()[:10]
    assert first == fills["session"].iloc[0]
    shown = fills[fills["session"] == first]["contract"].tolist()
    assert spread.locator("table.filled tbody td:first-child").all_inner_texts() == shown
    spread.keyboard.press("ArrowDown")
    day = select.locator("option:checked").inner_text()[:10]
    assert day > first
    row = spread.locator("table.funds tbody tr", has_text="equity").first
    assert f"{statement[day]:,.2f}" in row.inner_text()
