"""The page of a hedge with the desk's report, in a browser."""

import pandas as pd
import pytest
from looking import check, picture, press, traces

SECTIONS = ("effectiveness", "cash", "basis", "risk-cut", "offset", "rolls", "ratios",
            "accounting")  # fmt: skip


@pytest.fixture(scope="module")
def folder(made):
    # In a folder of its own: another test has a plain run of the same strategy.
    words = "hedge producer_hedge -p program=stack --lang en --out desk"
    return made(words, "desk/*-producer_hedge")


@pytest.fixture(scope="module")
def page(folder, shared_tab):
    return shared_tab(folder / "index.html")


def read(folder, name) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")


def test_every_section_is_a_click_away(page):
    for name in SECTIONS:
        assert page.locator(f'nav.contents a[href="#{name}"]').count() == 1
        assert page.locator(f"#{name} h2").is_visible()


def test_the_fan_draws_what_the_file_holds(page, folder):
    fan = read(folder, "cash_at_risk")
    by_name = {one["name"]: one for one in traces(page, "cash-at-risk")}
    assert by_name["this run"]["x"] == fan["session"].tolist()
    assert by_name["this run"]["y"] == pytest.approx(fan["needed"].tolist(), abs=0.006)
    assert by_name["99%"]["y"] == pytest.approx(fan["p99"].tolist(), abs=0.006)


def test_prices_and_rolls_are_drawn(page, folder):
    prices = read(folder, "effective_prices")
    [drawn] = traces(page, "effective-prices")
    assert sorted(drawn["x"]) == pytest.approx(sorted(prices["price"]))
    assert len(traces(page, "rolls")[0]["x"]) == len(read(folder, "roll_table"))
    assert page.locator('[data-name="effective-prices"] text', has_text="this hedge").count() == 1


def test_the_sheet_is_in_both_languages(folder, tab):
    page = tab(folder / "index.html")
    item = page.locator("#accounting tbody tr").first
    assert "hedged item" in item.inner_text()
    press(page, "lang", "zh")
    assert "被套期项目" in item.inner_text()
    left = page.locator("#accounting tbody td").all_inner_texts()
    assert not [text for text in left if "the goods" in text]
    picture(page, "hedge-zh")


def test_it_fits_and_has_no_serious_fault(page):
    check(page, "hedge-report")
