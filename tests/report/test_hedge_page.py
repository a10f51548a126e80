"""The hedging desk's sections and charts, against what they are made of."""

import io
import re

import pytest
from rich.console import Console

from sibt.engine.execution import Execution
from sibt.hedging.basis import PARTS
from sibt.hedging.delivery import DeliveryTerms
from sibt.hedging.ratios.estimate import METHODS
from sibt.hedging.reduction import MEASURES
from sibt.language import BOTH, EN, ZH, pick
from sibt.report import charts
from sibt.report.hedge import sections
from sibt.report.hedge.words import measure, methods, parts, verdict
from sibt.report.hedge_terminal import show, warn
from sibt.report.run import run_html
from sibt.runs.desk import with_desk
from sibt.runs.run import run
from sibt.sources import load_market


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


def desked(market, params=None, compared=False, **how):
    return with_desk(run("producer_hedge", market, params, **how), paths=100, compared=compared)


@pytest.fixture(scope="module")
def stacked(market):
    return desked(market, {"program": "stack"}, compared=True)


@pytest.fixture(scope="module")
def called(market):
    return desked(market, capital=6_000_000.0)


@pytest.fixture(scope="module")
def delivered(market):
    return desked(market, kind="company", execution=Execution(at_expiry="deliver"))


def html(one, name, t=EN):
    return next(text for known, _, _, text in sections(one, t) if known == name)


def printed(one, t=EN):
    out = io.StringIO()
    show(one, Console(file=out, highlight=False, color_system=None), t)
    return " ".join(out.getvalue().split())


def test_a_run_without_a_desk_has_none_of_it(market):
    bare = run("producer_hedge", market)
    assert sections(bare, EN) == []
    for draw in (charts.cash, charts.effective_prices, charts.dollar_offset, charts.rolls):
        assert draw(bare) is None
    assert "No goods with a quote lie in this run" in printed(bare)


def test_a_section_is_there_where_it_has_something_to_say(stacked, called, delivered):
    there = {name for name, _, _, text in sections(stacked, EN) if text}
    assert there == {"effectiveness", "cash", "basis", "risk-cut", "offset", "rolls", "ratios",
                     "accounting"}
    assert html(called, "rolls") == html(called, "ratios") == html(called, "delivery") == ""
    assert "96" in html(delivered, "delivery")


@pytest.mark.parametrize("which", ["stacked", "called", "delivered"])
def test_no_value_is_left_raw_and_no_chinese_is_missing(which, request):
    one = request.getfixturevalue(which)
    for name, label, heading, text in sections(one, ZH):
        bare = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        cells = re.findall(r"<(?:t[dh]|caption|li|p)[^>]*>([^<]*)<", bare)
        assert not re.search(r"\b(nan|None|NaT|inf)\b", " ".join(cells)), name
        assert re.search("[\u4e00-\u9fff]", label + heading), name
        heads = re.findall(r'<th scope="(?:col|row)"[^>]*>([^<]*)<', bare)
        if name != "delivery":  # its notes are in English so far
            english = [head for head in heads if re.search(r"[a-z]{4}", head)
                       and not re.search("[\u4e00-\u9fff]", head)]
            assert english in ([], ["Diebold–Mariano"]), name


def test_the_page_says_first_that_a_hedge_would_not_have_lasted(called, stacked):
    page = run_html(called, "en", "../assets/plotly.min.js")
    assert 'class="verdict"' in page
    first = page.index("This hedge would have been closed by a margin call")
    assert first < page.index("Goods and futures together")
    assert page.index('id="effectiveness"') < page.index('id="statement"')
    out = io.StringIO()
    console = Console(file=out, color_system=None)
    warn(stacked, console)
    assert out.getvalue() == ""
    assert printed(called).startswith("This hedge would have been closed by a margin call")


def test_prices_are_drawn_as_they_stand_in_the_table(stacked):
    [drawn] = charts.effective_prices(stacked).data
    table = stacked.desk.prices
    assert dict(zip(drawn.y, drawn.x, strict=True)) == dict(
        zip(table["name"], table["price"], strict=True))


def test_the_fan_holds_the_percentiles_the_run_and_the_capital(stacked):
    found, by_name = stacked.desk.cash, {one.name: one for one in charts.cash(stacked).data}
    assert list(by_name["this run"].y) == found.needed.tolist()
    assert list(by_name["99%"].y) == found.fan[99].tolist()
    assert by_name["5 to 95% of the paths"].fill == "tonexty"
    assert list(by_name["5 to 95% of the paths"].y) == found.fan[95].tolist()
    assert set(by_name["capital of the account"].y) == {found.capital}
    assert by_name["this run"].x[0] == f"{found.sessions[0]:%Y-%m-%d}"


def test_the_offset_stands_before_the_old_screen(stacked):
    figure = charts.dollar_offset(stacked)
    offsets = stacked.desk.effectiveness.offsets
    assert list(figure.data[0].y) == pytest.approx(offsets["offset"].tolist(), nan_ok=True)
    [band] = figure.layout.shapes
    assert (band.y0, band.y1) == (0.80, 1.25)


def test_each_roll_has_its_bar(stacked):
    bars, to_date, _ = charts.rolls(stacked).data
    rolls = stacked.desk.rolls
    assert list(bars.y) == rolls["spread"].tolist()
    assert list(to_date.y) == rolls["spread_to_date"].tolist()
    assert bars.customdata[0] == f"{rolls['old'][0]} → {rolls['new'][0]}"


def test_the_parts_of_the_price_add_up_on_the_page(stacked):
    text = html(stacked, "basis").replace("−", "-").replace(",", "")
    cells = re.findall(r'<td class="num">(-?[\d.]+)</td></tr>', text)
    *adds, end = map(float, cells)
    assert sum(adds) == pytest.approx(end, abs=0.05)
    assert end == pytest.approx(stacked.desk.effectiveness.outcome.price, abs=0.005)


def test_the_sheet_shows_the_standards_own_words_in_both_languages(stacked):
    for t in (EN, ZH, BOTH):
        text = html(stacked, "accounting", t)
        for term in ("被套期项目", "套期工具", "经济关系", "信用风险", "套期比率"):
            assert term in text


def test_the_terminal_tells_the_same_in_chinese(stacked, delivered):
    said = printed(stacked, ZH)
    for words in ("实际售价，元/吨", "移仓价差", "集中减分月", "资金风险", "套期会计"):
        assert words in said
    assert "交割与平仓后现货买卖对比" in printed(delivered, ZH)


def test_a_delivery_is_told_in_the_language_of_the_page(delivered):
    text = html(delivered, "delivery", ZH)
    [row] = delivered.deliveries.table.to_dict("records")
    told = f"si2410 有 {-row['lots']} 手于 2024-10-21 交割：553 共 {-row['tonnes']:g} 吨"
    assert told in text
    assert "交割中以下各项未知，按 0 计：" in text
    assert "were delivered" not in text
    assert "本次给定" not in text  # no terms were


def test_terms_of_a_delivery_that_were_given_stand_beside_it(market):
    terms = DeliveryTerms(region=-150.0, storage_days=60.0, inspection=8.0, vat=0.09)
    one = desked(market, kind="company", execution=Execution(at_expiry="deliver"), delivery=terms)
    assert (
        "Given for this run: premium of the region: −150 yuan/t; days of storage: 60; inspection:"
        " 8 yuan/t; VAT: 9.00%."
    ) in html(one, "delivery")
    for text in (html(one, "delivery", ZH), pick(html(one, "delivery", BOTH), "zh")):
        assert (
            "本次给定：地区升贴水: −150 元/吨；仓储天数: 60；质检费: 8 元/吨；增值税: 9.00%。"
        ) in text


def test_every_part_measure_and_way_has_its_words():
    assert set(parts(EN)) == set(PARTS)
    assert set(methods(EN)) == set(METHODS)
    assert [measure(name, EN) for name in MEASURES[:2]] == ["variance", "semivariance"]
    assert measure("VaR 95%, Cornish–Fisher", ZH) == "在险价值 95%, Cornish–Fisher"
    assert verdict("no ratio: too few points", ZH) == "无比率: 数据点过少"
    assert verdict("better than 1:1", EN) == "better than 1:1"
