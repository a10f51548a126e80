import json
import re
from importlib import resources

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from markupsafe import Markup

from sibt.language import BOTH
from sibt.report.page import chart, missing, page, plotly_js, plotly_script, table

NET = BOTH("net result")
CSS = (resources.files("sibt.report") / "templates" / "page.css").read_text("utf-8")
#: Colours of text, and what they stand on.
ON_PAGE = ("ink", "soft", "link", "wrong", "doubtful", "verdant", "vermilion")


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


def colours(selector: str) -> dict[str, str]:
    block = CSS[CSS.index(selector + " {"):].split("}")[0]
    return dict(re.findall(r"--([a-z-]+): ([^;]+);", block))


DARK = colours(':root[data-theme="dark"]')


def test_the_dark_colours_are_the_same_wherever_they_are_asked_for():
    assert colours(':root:not([data-theme="light"])') == DARK
    assert set(DARK) == set(colours(":root")) - {"up", "down"}


def light_of(colour: str) -> float:
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [colours(":root"), DARK], ids=["light", "dark"])
def test_text_can_be_read_on_what_it_stands_on(theme):
    pairs = [(ink, ground) for ink in ON_PAGE for ground in ("paper", "raised")]
    for ink, ground in [*pairs, ("band-ink", "band")]:
        low, high = sorted((light_of(theme[ink]), light_of(theme[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def buttons(text: str, name: str) -> list[str]:
    return re.findall(rf'<button type="button" name="{name}" value="(\w+)">', text)


@pytest.mark.parametrize(("lang", "tag", "up", "half"), [
    ("en", "en", "green", "net result"), ("zh", "zh-CN", "red", "净盈亏")])
def test_a_page_in_both_opens_in_one_and_can_be_switched(lang, tag, up, half):
    text = page(f"{NET} & more", f'<p title="{NET}">{NET}</p>', simulated=True, source="s",
                nav=[(NET, "a.html", True)], lang=lang)
    assert f'<html lang="{tag}" data-lang="{lang}" data-theme="auto" data-up="{up}">' in text
    assert buttons(text, "lang") == ["en", "zh"]
    assert f">SIMULATED · {half} &amp; more</title>" in text
    assert f'<p title="{half}" data-say-title="{NET}">' in text
    assert ('<h1><span class="en">net result</span><span class="zh">净盈亏</span> &amp; more</h1>'
            in text)
    shown = re.sub(r' data-say-[a-z-]+="[^"]*"', "", text)
    assert not set(shown) & set("\ue000\ue001\ue002")


def test_a_page_in_english_holds_no_chinese_half():
    text = page("t", f"<p>{NET}</p>" + table(pd.DataFrame({"a": [True]})), simulated=True,
                source="s")
    assert '<html lang="en" data-theme="auto" data-up="green">' in text
    assert "<p>net result</p>" in text
    assert "<td>yes</td>" in text
    assert buttons(text, "lang") == []
    assert not set(text) & set("\ue000\ue001\ue002")


def test_the_theme_can_be_switched_everywhere_and_up_and_down_where_they_are():
    plain = document()
    assert buttons(plain, "theme") == ["auto", "light", "dark"]
    assert buttons(plain, "up") == []
    figure = go.Figure(go.Bar(x=[1], y=[1], marker={"color": "var(--up)"}), layout_title_text="t")
    for body in (table(pd.DataFrame({"a": [1]}), signed=["a"]), chart(figure)):
        assert buttons(page("t", body, simulated=False, source="s"), "up") == ["red", "green"]
    assert buttons(page("t", '<p class="upper">up</p>', simulated=False, source="s"), "up") == []


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


def test_a_chart_holds_both_languages_and_a_name():
    figure = go.Figure(go.Scatter(x=[1], y=[1], name=NET), layout_title_text=f"si: {NET}")
    text = chart(figure, name="equity")
    assert drawn(text)["data"][0]["name"] == NET
    assert 'data-name="equity"' in text
    whole = page("t", text, simulated=False, source="s", lang="zh")
    assert f'aria-label="si: 净盈亏" data-say-aria-label="si: {NET}"' in whole
    assert "si: 净盈亏：图表需要启用 JavaScript。" in whole
    assert drawn(whole) == drawn(text)
    assert drawn(page("t", text, simulated=False, source="s"))["data"][0]["name"] == "net result"


@pytest.mark.parametrize(("value", "shown"), [
    (1234567.0, "1,234,567"), (-45.0, "−45"), (0.25, "0.25"), (np.nan, "–"), (None, "–"),
    (pd.NaT, "–"), (pd.Timestamp("2024-03-29"), "2024-03-29"),
    (pd.Timestamp("2024-03-29 09:05"), "2024-03-29 09:05"), ("a<b", "a&lt;b"),
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


def test_gains_and_losses_have_a_sign_and_a_class():
    frame = pd.DataFrame({NET: [1234.5, -0.25, 0.0, -0.001, np.nan], "fees": [1, 2, 3, 4, 5]})
    text = table(frame, formats={NET: ",.2f"}, signed=[NET])
    assert re.findall(r'<td class="([^"]+)">([^<]+)</td>', text)[::2] == [
        ("num up", "+1,234.50"), ("num down", "−0.25"), ("num", "0.00"), ("num", "0.00"),
        ("num", "–")]
    assert '<td class="num">1</td>' in text
    assert f'<th scope="col" class="num">{NET}</th>' in text


def test_nothing_is_never_minus_nothing():
    text = table(pd.DataFrame({"a": [-1e-9], "b": [1e-9]}), formats={"a": ",.2f", "b": "+.1%"})
    assert re.findall(r"<td[^>]*>(.*?)</td>", text) == ["0.00", "+0.0%"]


def test_a_tall_table_scrolls_below_its_head():
    frame = pd.DataFrame({"a": [1]})
    assert '<div class="scroll tall" tabindex="0"' in table(frame, tall=True)
    assert '<div class="scroll" tabindex="0"' in table(frame)
    assert ".scroll.tall { max-height: 30em; overflow-y: auto; }" in CSS


def test_the_width_of_a_text_in_both_is_that_of_one():
    assert "<td>" in table(pd.DataFrame({"a": [BOTH("Dark") * 5]}))
    assert '<td class="words">' in table(pd.DataFrame({"a": ["x" * 25]}))


def test_rows_are_marked_and_named():
    text = table(pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), marks=["wrong", ""], head=True,
                 caption="findings & more")
    assert '<tr class="wrong"><th scope="row">x</th>' in text
    assert '<tr><th scope="row">y</th>' in text
    assert "<caption>findings &amp; more</caption>" in text
    assert 'tabindex="0" role="region" aria-label="findings &amp; more"' in text


def test_a_column_without_a_name_has_no_empty_head():
    assert "<thead><tr><td></td><th" in table(pd.DataFrame({"": ["x"], "a": [1]}))


def test_a_sentence_in_place_of_a_chart_is_text():
    assert missing("no <spot>") == '<p class="missing">no &lt;spot&gt;</p>\n'


def test_plotly_comes_from_the_installed_package():
    assert "plotly.js" in plotly_js()[:300]


def test_plotlys_script_lies_once_for_all_pages(tmp_path):
    address = plotly_script(tmp_path)
    written = tmp_path / "run" / address
    assert re.fullmatch(r"\.\./assets/plotly-[\w.]+\.min\.js", address)
    assert written.resolve().read_text("utf-8") == plotly_js()
    assert written.resolve().stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "assets").iterdir()] == [written.name]

    written.resolve().write_text("kept")
    assert plotly_script(tmp_path) == address
    assert written.resolve().read_text() == "kept"


def test_a_script_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sibt.report.page.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        plotly_script(tmp_path)
    assert list((tmp_path / "assets").iterdir()) == []


def test_a_long_word_breaks_rather_than_widen_the_page():
    # Sources of bars are one word each: close:sina_contract;ohlcv:5min_agg(settle=vwap
    rule = re.search(r"^([^{}\n]*)\{ overflow-wrap: anywhere; \}", CSS, flags=re.M)
    assert {"p", "li", "h1"} <= set(re.split(r"[, ]+", rule[1]))


def test_a_day_written_out_does_not_break():
    frame = pd.DataFrame({"n": [1, 2], "exit": ["2024-10-21", "still open"]})
    assert table(frame).count('<td class="day">') == 2
