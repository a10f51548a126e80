import os
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sibt.report.tearsheet import tear_sheet, title
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.strategy import Report, Strategy

RATIOS = ("Sharpe", "Sortino", "CAGR", "Calmar", "Omega")


class Flip(Strategy):
    """Long for ten sessions, flat for ten."""

    report = Report(
        title="<b>硅 & 锗</b>", publisher="x", date="2024-01-02", place="y", quote="z"
    )

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        on = np.arange(len(market.sessions)) // 10 % 2
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return pd.Series(np.where(life, on, 0.0), index=market.sessions)


class Never(Flip):
    report = None

    def units(self, market, p):
        return pd.Series(0.0, index=market.sessions)


def page_of(one, folder) -> str:
    tear_sheet(one, folder / "page.html")
    return (folder / "page.html").read_text("utf-8")


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of the page's table rows by the name in the first."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", page, flags=re.S):
        name, *values = [re.sub(r"<[^>]+>", "", c).strip()
                         for c in re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.S)] or [""]
        if values:
            found[name] = values
    return found


def without_banner(page: str) -> str:
    return re.sub(r'<p style="padding.*?</p>', "", page, flags=re.S)


@pytest.fixture(scope="module")
def flip():
    return run(Flip(), load_market("sample"))


@pytest.fixture(scope="module")
def flip_page(flip, tmp_path_factory):
    return page_of(flip, tmp_path_factory.mktemp("flip"))


@pytest.fixture(scope="module")
def few():
    return run("calendar_reverse", load_market("sample"))


@pytest.fixture(scope="module")
def few_page(few, tmp_path_factory):
    return page_of(few, tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="module")
def hedge():
    return run("producer_hedge", load_market("sample"))


@pytest.fixture(scope="module")
def hedge_page(hedge, tmp_path_factory):
    return page_of(hedge, tmp_path_factory.mktemp("hedge"))


@pytest.fixture(params=["flip_page", "few_page", "hedge_page"])
def page(request):
    return request.getfixturevalue(request.param)


def test_a_page_is_one_file_that_fetches_nothing(page):
    assert not re.search(r"https?:|wss?:|ftp:", page)
    leads_to = re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data:)([^\"']*)", page)
    assert leads_to == ["index.html"]
    assert "@import" not in page
    assert not re.search(r"url\(\s*[\"']?(?!#|data:)", page)
    assert "fetch(" not in page
    assert "XMLHttpRequest" not in page


def test_a_page_leads_back_to_the_run_above_everything_else(page):
    back = page.index('<a href="index.html" target="_top">← run page 运行页面</a>')
    assert page.index("<body") < back < page.index("<h1")


def test_a_page_is_whole(page):
    assert re.match(r"(<!--.*?-->\s*)?<!doctype html>", page, flags=re.I | re.S)
    assert page.rstrip().endswith("</html>")
    assert page.count("<svg") == page.count("</svg>") > 3
    assert page.count("<tr>") == page.count("</tr>")
    assert page.count("<div") == page.count("</div>")


def test_drawings_refer_only_to_what_they_hold(page):
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    wanted = set(re.findall(r'(?:xlink:)?href="#([^"]+)"', page))
    wanted |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert wanted <= ids
    # The prefix's namespace was taken out, so the prefix has to be gone too.
    assert "xlink:" not in page


def test_a_page_of_the_sample_says_simulated_on_top(page):
    assert "<title>SIMULATED · " in page
    assert page.index("SIMULATED 模拟数据") < page.index("<h1")


def test_a_page_does_not_call_real_data_simulated(few, tmp_path):
    provenance = replace(few.market.provenance, simulated=False, source="prices <2024>.csv")
    real = replace(few, market=replace(few.market, provenance=provenance))
    drawn = page_of(real, tmp_path)
    assert "SIMULATED" not in drawn
    assert "Data: prices &lt;2024&gt;.csv" in drawn
    assert real.market.digest[:12] in drawn


def test_a_title_is_written_as_text(flip, flip_page):
    assert title(flip) == "SIMULATED · Flip · <b>硅 & 锗</b>"
    assert "&lt;b&gt;硅 &amp; 锗&lt;/b&gt;" in flip_page
    assert "<b>硅" not in flip_page


def test_a_title_without_a_report_is_the_name():
    assert title(run(Never(), load_market("sample"))) == "SIMULATED · Never"


def test_chinese_has_a_font_on_every_system(page):
    for font in ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC"):
        assert font in page


def test_words_in_drawings_are_text(page):
    assert "<text" in page


def test_three_trips_show_their_ratios(flip, flip_page):
    assert flip.result.known
    for ratio in RATIOS:
        assert any(ratio in name for name in rows(flip_page))
    assert "too few" not in flip_page


def test_the_pages_sharpe_is_that_of_record(flip, flip_page):
    shown = next(v for name, v in rows(flip_page).items() if name == "Sharpe")
    assert float(shown[0]) == pytest.approx(flip.result.metrics["sharpe"], abs=0.0051)


def test_the_pages_drawdown_is_that_of_record(flip, flip_page):
    shown = rows(flip_page)["Max Drawdown"][0]
    assert float(shown.rstrip("%")) == pytest.approx(
        100 * flip.result.metrics["max_drawdown"], abs=0.0051
    )


def test_the_pages_return_is_that_of_record(flip, flip_page):
    shown = rows(flip_page)["Cumulative Return"][0]
    assert float(shown.rstrip("%")) == pytest.approx(
        100 * flip.result.metrics["total_return"], abs=0.0051
    )


@pytest.mark.parametrize("which", ["few_page", "hedge_page"])
def test_fewer_than_three_trips_show_no_ratio_anywhere(request, which):
    drawn = without_banner(request.getfixturevalue(which))
    for ratio in (*RATIOS, "Kelly", "Value-at-Risk", "VaR", "Volatility", "Ratio", "Treynor"):
        assert ratio not in drawn
    for chart in ("rolling_sharpe", "rolling_sortino", "rolling_vol", "rolling_beta"):
        assert f'id="{chart}"' not in drawn


@pytest.mark.parametrize("which", ["few_page", "hedge_page"])
def test_fewer_than_three_trips_say_so(request, which):
    assert "1 round trip: too few for a Sharpe" in request.getfixturevalue(which)


def test_what_is_left_for_a_single_event_is_its_path(few_page):
    names = rows(few_page)
    for kept in ("Cumulative Return", "Max Drawdown", "Best Day", "Worst Day"):
        assert kept in names


def test_a_hedge_is_drawn_against_the_goods_alone(hedge, hedge_page):
    assert "goods + futures" in hedge_page
    assert "unhedged" in hedge_page
    assert f"{hedge.hedge.base:,.0f} yuan" in hedge_page
    shown = rows(hedge_page)["Cumulative Return"]
    assert len(shown) == 2


def test_a_run_without_a_position_says_so(tmp_path):
    one = run(Never(), load_market("sample"))
    drawn = page_of(one, tmp_path)
    assert "No position was held up to" in drawn
    assert "unfilled.csv" in drawn
    assert "SIMULATED" in drawn
    assert "<svg" not in drawn


def test_the_same_run_draws_the_same_page(flip, flip_page, tmp_path):
    assert page_of(run(Flip(), load_market("sample")), tmp_path) == flip_page


def test_drawing_leaves_the_session_as_it_was(few, tmp_path, monkeypatch, capsys):
    import matplotlib as mpl

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "123")
    before = dict(mpl.rcParams)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        page_of(few, tmp_path)
    assert os.environ["SOURCE_DATE_EPOCH"] == "123"
    assert {k: v for k, v in mpl.rcParams.items() if before[k] != v} == {}
    assert [str(w.message) for w in said if issubclass(w.category, UserWarning)] == []
    assert capsys.readouterr().err == ""


def test_drawing_leaves_no_figure_open(few, tmp_path):
    import matplotlib.pyplot as plt

    plt.close("all")
    page_of(few, tmp_path)
    assert plt.get_fignums() == []
