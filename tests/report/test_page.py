import json
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from markupsafe import Markup

from sibt.report.page import chart, missing, page, plotly_js, table


def document(**given) -> str:
    wanted = {"simulated": False, "source": "prices <1>.csv", **given}
    return page("Spreads <b> 月差", "<p>body</p>", **wanted)


def drawn(text: str) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def test_a_page_is_whole_and_leads_nowhere_outside():
    text = document(plotly="plotly.min.js", nav=[("A", "a.html", True), ("B", "b.html", False)])
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text)
    assert re.findall(r'(?:src|href)="([^"]+)"', text) == [
        "plotly.min.js", "#content", "a.html", "b.html"]


def test_a_page_fits_a_telephone_dark_and_paper():
    text = document()
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert "Noto Sans CJK SC" in text
    assert "Microsoft YaHei" in text


def test_simulated_comes_before_everything_else():
    text = document(simulated=True)
    assert "<title>SIMULATED · Spreads" in text
    assert text.index("SIMULATED 模拟数据") < text.index("<header>")
    assert "SIMULATED" not in document()


def test_title_and_source_are_text():
    text = document()
    assert "<h1>Spreads &lt;b&gt; 月差</h1>" in text
    assert "prices &lt;1&gt;.csv" in text


def test_the_current_page_is_marked():
    text = document(nav=[("A", "a.html", True), ("B & C", "b.html", False)])
    assert '<a href="a.html" aria-current="page">A</a>' in text
    assert '<a href="b.html">B &amp; C</a>' in text


def test_a_page_without_charts_has_no_script():
    assert "<script" not in document()


def test_unknown_values_of_a_chart_are_null():
    figure = go.Figure(go.Scatter(x=pd.to_datetime(["2024-03-28", "2024-03-29"]),
                                  y=np.array([np.nan, 11_930.0])))
    figure.update_layout(title="t")
    found = drawn(chart(figure, 300))
    assert found["data"][0]["y"] == [None, 11_930]
    assert found["data"][0]["x"] == ["2024-03-28", "2024-03-29"]
    assert found["layout"]["height"] == 300
    assert found["layout"]["title"]["text"] == "t"


def test_a_legend_lies_below_the_axes():
    figure = go.Figure(go.Scatter(x=[1], y=[1]), layout={"legend": {"traceorder": "normal"}})
    legend = drawn(chart(figure))["layout"]["legend"]
    assert legend["traceorder"] == "normal"
    assert (legend["orientation"], legend["yref"], legend["y"]) == ("h", "container", 0)


def test_a_chart_cannot_break_out_of_its_script():
    figure = go.Figure(go.Scatter(x=[1], y=[1], name="</script><b>"), layout_title_text="a < b")
    text = chart(figure)
    assert text.count("</script>") == 1
    assert drawn(text)["data"][0]["name"] == "</script><b>"
    assert 'aria-label="a &lt; b"' in text


def test_the_same_figure_gives_the_same_chart():
    def one(value):
        return chart(go.Figure(go.Scatter(x=[1], y=[value])))

    assert one(1) == one(1)
    assert re.search(r'id="(chart-\w+)"', one(1))[1] != re.search(r'id="(chart-\w+)"', one(2))[1]


@pytest.mark.parametrize(("value", "shown"), [
    (1234567.0, "1,234,567"), (-45.0, "−45"), (0.25, "0.25"), (np.nan, "–"), (None, "–"),
    (pd.NaT, "–"), (pd.Timestamp("2024-03-29"), "2024-03-29"),
    (pd.Timestamp("2024-03-29 09:05"), "2024-03-29 09:05"), (True, "yes"), ("a<b", "a&lt;b"),
    (Markup("<b>x</b>"), "<b>x</b>"),
])
def test_cells(value, shown):
    text = table(pd.DataFrame({"a": pd.Series([value], dtype=object)}))
    assert re.search(r"<td[^>]*>(.*?)</td>", text)[1] == shown


def test_numbers_stand_right_and_take_their_format():
    text = table(pd.DataFrame({"name": ["x"], "rate": [-0.0123]}), formats={"rate": "+.2%"})
    assert '<td class="num">−1.23%</td>' in text
    assert '<th scope="col" class="num">rate</th>' in text
    assert '<th scope="col">name</th>' in text


def test_rows_are_marked_and_named():
    text = table(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), marks=["wrong", ""], head=True,
                 caption="findings & more")
    assert '<tr class="wrong"><th scope="row">x</th>' in text
    assert '<tr><th scope="row">y</th>' in text
    assert "<caption>findings &amp; more</caption>" in text
    assert 'tabindex="0" role="region" aria-label="findings &amp; more"' in text


def test_a_sentence_in_place_of_a_chart_is_text():
    assert missing("no <spot>") == '<p class="missing">no &lt;spot&gt;</p>\n'


def test_plotly_comes_from_the_installed_package():
    assert "plotly.js" in plotly_js()[:300]
