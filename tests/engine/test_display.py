"""What a result and a run show of themselves in a notebook and at a prompt."""

import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from markets import flat, market, simulate

import sibt
from sibt.market.panel import Provenance


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture(scope="module")
def sample():
    return sibt.load_market("sample")


@pytest.fixture(scope="module")
def spread_run(sample):
    return sibt.run("calendar_reverse", sample)


@pytest.fixture(scope="module")
def hedge_run(sample):
    return sibt.run("producer_hedge", sample)


def one_trip(**kind):
    panel = market(si2408=[12000, flat(12000, settle=12100), 12200])
    panel = replace(panel, provenance=Provenance("prices.csv", **kind))
    return simulate(panel, [2, 0], {"si2408": 1}, terms={"fee": 1e-4})


def shown(html):
    """Return the table of what is shown, as texts by name."""
    (table,) = pd.read_html(io.StringIO(html))
    return dict(zip(table[0], table[1].astype(str), strict=True))


def sentences(html):
    return re.findall("<li>(.*?)</li>", html)


class TestResult:
    def test_it_shows_its_headline(self):
        assert shown(one_trip()._repr_html_()) == {
            "net result": "+1,975.80 yuan, +197.6 yuan/t of the largest position",
            "fees": "24.20 yuan",
            "drawdown": "0.00% of the index, 0.00 yuan",
            "peak margin": "12,100.00 yuan",
            "margin calls": "none",
            "round trips": "1 (1 won, 0 still open)",
            "Sharpe ratio": "none: fewer than three round trips",
            "data": "prices.csv, 2024-03-04..2024-03-06",
        }

    def test_simulated_data_come_first_and_real_ones_are_not_called_so(self):
        simulated = one_trip(simulated=True)
        before, found, _ = simulated._repr_html_().partition("SIMULATED 模拟数据")
        assert found
        assert "<table" not in before
        assert repr(simulated).startswith("<Result SIMULATED, si2408")
        assert "SIMULATED" not in one_trip()._repr_html_() + repr(one_trip())

    def test_a_run_without_a_position_says_so(self):
        result = simulate(market(si2408=[12000] * 3), [0], {"si2408": 1})
        assert shown(result._repr_html_())["net result"] == "0.00 yuan: no position was held"

    def test_three_round_trips_have_a_sharpe_ratio(self):
        panel = market(si2408=[12000, 12000, 12100, 12050, 12200, 12100, 12400])
        result = simulate(panel, [1, 0, 1, 0, 1, 0], {"si2408": 1})
        expected = f"{result.metrics['sharpe']:.2f} a year, over 6 sessions"
        assert shown(result._repr_html_())["Sharpe ratio"] == expected

    def test_warnings_stand_below_and_nothing_in_them_is_markup(self):
        result = replace(one_trip(), warnings=("a <b>", "c & d"))
        assert sentences(result._repr_html_()) == ["a &lt;b&gt;", "c &amp; d"]

    def test_it_names_no_colour_so_that_dark_notebooks_show_it_too(self, spread_run):
        html = spread_run._repr_html_()
        assert "SIMULATED" in html
        styles = " ".join(re.findall('style="(.*?)"', html))
        assert not re.search("color|background|#|rgb", styles)

    def test_a_reader_of_chinese_sees_chinese(self, monkeypatch):
        monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
        rows = shown(one_trip()._repr_html_())
        assert rows["净盈亏"] == "+1,975.80 元，按最大持仓 +197.6 元/吨"
        assert rows["夏普比率"] == "无：完整交易不足三次"
        assert not re.search("[A-Za-z]", "".join(rows))

    def test_at_a_prompt_it_is_one_line(self):
        assert repr(one_trip()) == (
            "<Result si2408, 2024-03-04..2024-03-06: net +1,975.80 yuan, round trips 1>"
        )


class TestRun:
    def test_it_shows_the_strategy_the_headline_and_every_word_of_caution(self, spread_run):
        html = spread_run._repr_html_()
        assert "<strong>calendar_reverse</strong>" in html
        assert shown(html) == shown(spread_run.result._repr_html_())
        found = spread_run.diagnosis
        assert sentences(html) == [*(one.issue for one in found), *spread_run.warnings]
        assert len(found) > 0
        assert len(spread_run.warnings) > 0

    def test_a_hedge_shows_goods_and_futures_together_first(self, hedge_run):
        rows, m = shown(hedge_run._repr_html_()), hedge_run.hedge.metrics
        assert list(rows)[:3] == ["goods + futures", "goods alone", "futures alone"]
        assert rows["goods + futures"] == f"{m['hedged']:+,.2f} yuan"
        assert rows["goods alone"] == f"{m['physical']:+,.2f} yuan"
        assert rows["futures alone"].startswith(f"{m['futures']:+,.2f} yuan")

    def test_at_a_prompt_it_is_one_line(self, spread_run):
        assert repr(spread_run) == f"<Run calendar_reverse: {spread_run.result!r}>"
        assert "\n" not in repr(spread_run)

    def test_it_shows_the_same_every_time(self, spread_run, sample):
        again = sibt.run("calendar_reverse", sample)
        assert again._repr_html_() == spread_run._repr_html_()
