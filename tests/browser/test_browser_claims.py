"""The page of scored reports in a browser."""

import pandas as pd
import pytest
from looking import check, layout, picture, press, traces


@pytest.fixture(scope="module")
def folder(made):
    return made("claims --lang en", "results/claims")


@pytest.fixture(scope="module")
def page(folder, shared_tab):
    return shared_tab(folder / "index.html")


@pytest.fixture(scope="module")
def scores(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "claims.csv", encoding="utf-8-sig")


def test_every_score_stands_on_the_page(page, scores):
    assert len(scores) > 100
    each = scores.groupby(["report", "claim"])
    # Claims that only wait, are only watched or say nothing have a row; the others every score.
    apart = (each["verdict"].transform(lambda one: set(one) <= {"untestable"})
             | each["test"].transform(lambda one: set(one) in ({"vague"}, {"watch"})))  # fmt: skip
    assert page.locator("article.claim table.scores .chip").count() == int((~apart).sum())
    names = scores["report"] + "." + scores["claim"]
    assert page.evaluate("names => names.filter(name => !document.getElementById(name))",
                         names.unique().tolist()) == []


def test_every_link_within_the_page_leads_somewhere(page):
    lost = page.evaluate("""() => [...document.querySelectorAll('a[href^="#"]')]
        .map(a => a.getAttribute("href").slice(1))
        .filter(name => !document.getElementById(name))""")
    assert lost == []


def test_the_range_is_drawn_from_the_day_after_the_report(page):
    name = "guolian_2024q1.L1"
    band = [one for one in layout(page, name)["shapes"] if one.get("name") == "band"]
    assert [(one["x0"], one["y0"], one["y1"]) for one in band] == [("2024-04-01", 11500, 12500)]
    line = traces(page, name)[0]
    assert line["x"][0] < "2024-03-29" < line["x"][-1]


def test_it_speaks_both_languages(folder, tab):
    page = tab(folder / "index.html")
    heading = page.locator("h1")
    assert heading.inner_text() == "Claims of research reports"
    said = page.locator('[id="guolian_2024q1.L1"] .says')
    assert "11,500" in said.inner_text()
    press(page, "lang", "zh")
    assert heading.inner_text() == "研究报告观点检验"
    assert not said.is_visible() or "11,500" not in said.inner_text()
    chips = page.locator(".chip").all_inner_texts()
    assert {text[2:].split()[0] for text in chips} <= {"成立", "不成立", "未到期", "无法判定",
                                                       "缺数据", "跟踪中"}
    # What a test looked at is told in Chinese too.
    assert "收盘价" in " ".join(one["name"] for one in traces(page, "guolian_2024q1.L1"))
    picture(page, "claims-zh")


def test_it_fits_and_has_no_serious_fault(page):
    check(page, "claims")
