"""Levels stand on charts from their day on, over contracts of their standard, and nowhere else."""

import json
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

from sibt import charts
from sibt.language import BOTH, ZH, pick
from sibt.report.charts.drawing import held, span
from sibt.report.charts.levels import undrawn
from sibt.report.market import asked, pages
from sibt.report.run import run_html
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.levels import Level


def level(name="cost", value=11762.17, day="2024-05-14", standard="2022", unit="yuan/t",
          product="si"):
    return Level(name, value, unit, pd.Timestamp(day), product, standard)


@cache
def sample():
    return load_market("sample")


@cache
def made(name):
    return run(name, sample())


def lines(figure):
    return [t for t in json.loads(figure.to_json())["data"]
            if t.get("meta", {}).get("kind") == "level"]


def test_a_level_stands_over_the_contracts_of_its_standard_from_its_day_on():
    done = made("short_rallies")
    (drawn,) = lines(charts.price(done, levels=[level()]))
    names = (*done.result.job.contracts, None)
    shown = [names[at] for at in held(done)[:, 0]]
    assert any(code is not None for code in shown[:-20])
    for day, value, code in zip(drawn["x"], drawn["y"], shown, strict=True):
        if day >= "2024-05-14" and code is not None and code <= "si2411":
            assert value == 11762.17
        else:
            assert value is None
    assert drawn["line"]["dash"] == "dash"
    assert drawn["name"] == "cost: 11,762.17, from 2024-05-14"


def test_a_level_bears_its_name_where_it_begins_to_be_seen():
    done = made("short_rallies")
    for day in ("2024-05-14", "2023-01-03"):
        (drawn,) = lines(charts.price(done, levels=[level(day=day)]))
        (at,) = [n for n, words in enumerate(drawn["text"]) if words]
        assert drawn["text"][at] == "cost"
        begins = next(n for n, v in enumerate(drawn["y"]) if v is not None)
        assert at == max(begins, span(done)[0])


def test_the_range_of_prices_holds_the_levels_that_are_seen():
    done = made("short_rallies")
    for value in (6000.0, 20000.0):
        low, high = charts.price(done, levels=[level(value=value)]).layout.yaxis.range
        assert low < value < high
    # One of days before those shown moves nothing.
    assert charts.price(done, levels=[]).layout.yaxis.range == charts.price(done).layout.yaxis.range


def test_several_levels_are_told_apart():
    done = made("short_rallies")
    drawn = lines(charts.price(done, levels=[level(), level("other", 11500.0)]))
    assert [t["name"].partition(":")[0] for t in drawn] == ["cost", "other"]
    assert len({t["line"]["dash"] for t in drawn}) == 2


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"standard": "2024"}, "from 2024-05-14 on no contract of si's delivery standard 2024"),
        ({"day": "2026-01-05"}, "from 2026-01-05 on no contract"),
        ({"product": "lc", "standard": "lc"}, "no contract of lc's delivery standard lc"),
        ({"unit": "yuan/kg"}, "it is in yuan/kg, prices are in yuan/t"),
    ],
)
def test_a_level_that_does_not_belong_is_not_drawn_and_it_is_said(given, why):
    done, one = made("short_rallies"), level(**given)
    assert lines(charts.price(done, levels=[one])) == []
    (sentence,) = undrawn(done, [one])
    assert sentence.startswith("Level cost is not drawn: ")
    assert why in sentence
    assert why in pick(run_html(done, "en", "plotly.js", [one]), "en").replace("&#39;", "'")


def test_a_spread_has_no_level():
    done = made("calendar_reverse")
    assert lines(charts.price(done, levels=[level()])) == []
    (sentence,) = undrawn(done, [level()])
    assert sentence == "Level cost is not drawn: the chart shows a spread, and a level is a price."
    assert ZH(sentence) == "价位 cost 未绘制：图中为价差，而价位是价格。"


def test_the_page_of_a_run_draws_the_level_in_both_languages():
    done = made("short_rallies")
    html = run_html(done, "en", "plotly.js", [level()])
    assert "cost: 11,762.17, from 2024-05-14" in pick(html, "en")
    (drawn,) = lines(charts.price(done, BOTH, [level()]))
    assert pick(drawn["name"], "zh") == "cost：11,762.17，自 2024-05-14 起"
    assert undrawn(done, [level()]) == ()


def test_without_levels_a_page_is_what_it_was():
    done = made("short_rallies")
    assert run_html(done, "en", "plotly.js") == run_html(done, "en", "plotly.js", [])


def figures(page):
    found = [json.loads(t) for t in
             re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.S)]
    return {f["layout"]["title"]["text"]: f for f in found}


def on(page, words):
    (figure,) = [f for title, f in figures(page).items() if words in title]
    return [t for t in figure["data"] if (t.get("meta") or {}).get("kind") == "level"]


def test_the_market_s_index_bears_the_levels_of_each_standard():
    market = sample()
    both = [level(), level("new", 13000.0, "2024-06-03", "2024")]
    found = pages(market, asked(market, levels=both))
    old, new = on(found["quarter.html"], "Weighted index")
    at = dict(zip(new["x"], new["y"], strict=True))
    assert at["2024-05-31"] is None
    assert at["2024-06-03"] == 13000.0
    # The line of the old standard ends with its last contract.
    last = max(day for day, y in zip(old["x"], old["y"], strict=True) if y is not None)
    assert last == "2024-11-14"


def test_the_market_s_pages_say_which_level_they_leave_out():
    market = sample()
    found = pages(market, asked(market, levels=[level(day="2026-01-05")]))
    assert on(found["quarter.html"], "Weighted index") == []
    assert "Level cost is not drawn: from 2026-01-05 on" in found["quarter.html"]


def test_a_user_s_series_lies_over_the_dominant_contract_with_its_levels():
    from dataclasses import replace

    market = sample()
    rows = pd.DataFrame({"name": ["stocks"], "date": pd.to_datetime(["2024-04-26"]),
                         "published_on": pd.to_datetime(["2024-04-29"]), "value": [37.0],
                         "unit": ["10,000 t"]})  # fmt: skip
    market = replace(market, series=rows)
    found = pages(market, asked(market, levels=[level()]))
    (drawn,) = on(found["series.html"], "stocks")
    leaders = market.dominant(cross_standard=True)
    for day, value, code in zip(drawn["x"], drawn["y"], leaders, strict=True):
        fits = isinstance(code, str) and code <= "si2411" and day >= "2024-05-14"
        assert value == (11762.17 if fits else None)
    assert np.any([v is not None for v in drawn["y"]])
