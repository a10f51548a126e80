import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sides import side

from sibt.language import BOTH, EN, ZH
from sibt.report.charts import comparison as charts
from sibt.report.comparison.page import (
    INDEX,
    SHEETS,
    comparison_page,
    sheet_name,
    tear_sheets_page,
)
from sibt.runs.comparison import compare
from sibt.runs.load import load
from sibt.runs.run import run
from sibt.runs.save import save
from sibt.runs.save_comparison import save_comparison
from sibt.runs.side import Chosen, saved_side
from sibt.sources import load_market


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    market = load_market("sample")
    sheet = {"tearsheet.html": lambda run, path: path.write_text("sheet", encoding="utf-8")}
    return [
        save(run("calendar_reverse", market), out, pages=sheet),
        save(run("calendar_reverse", market, {"units_held": 20, "stop": 400}), out, pages=sheet),
        save(run("short_rallies", market), out),
    ]


@pytest.fixture(scope="module")
def three(folders):
    return compare([saved_side(load(folder)) for folder in folders])


@pytest.fixture(scope="module")
def made(three, folders):
    """The folder of the comparison of three."""
    out = folders[0].parent
    pages = {
        INDEX: lambda one, path: comparison_page(one, path, EN),
        SHEETS: lambda one, path: tear_sheets_page(one, path, EN),
    }
    return save_comparison(three, out, pages=pages)


@pytest.fixture(scope="module")
def html(made):
    return (made / INDEX).read_text("utf-8")


def drawn(html):
    """Return the charts of a page by name."""
    found = re.findall(
        r'class="chart"[^>]*data-name="([^"]+)".*?<script type="application/json">(.*?)</script>',
        html, re.DOTALL,
    )  # fmt: skip
    return {name: json.loads(text) for name, text in found}


def row(html, figure):
    """Return the cells of a figure, as HTML."""
    text = re.search(rf'<tr data-figure="{figure}">(.*?)</tr>', html, re.DOTALL)[1]
    return re.findall(r"<td[^>]*>.*?</td>", text)


def text_of(cell, lang="en"):
    other = {"en": "zh", "zh": "en"}[lang]
    cell = re.sub(rf'<span class="{other}">.*?</span>', "", cell)
    return re.sub(r"<[^>]+>", " ", cell).split()


class _Addresses(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [v for k, v in attributes if k in ("src", "href") and v]


def addresses(html):
    parser = _Addresses()
    parser.feed(html)
    return parser.found


def test_the_page_draws_equity_each_unit_each_tonne_and_the_round_trips(html, three):
    found = drawn(html)
    assert list(found) == ["equity", "per-unit", "per-tonne", "trips"]
    assert len(found["equity"]["data"]) == 6
    assert len(found["per-unit"]["data"]) == len(found["per-tonne"]["data"]) == 3
    bars = [bar for trace in found["trips"]["data"] for bar in trace["y"]]
    assert sorted(bars) == sorted(three.round_trips["run"])


def test_equity_as_drawn_ends_with_the_base_and_the_net_result(html, three):
    for letter, line in zip("ABC", drawn(html)["equity"]["data"], strict=False):
        net = three.figures.at["net", letter]
        assert line["y"][-1] == pytest.approx(three.base + net, abs=0.01)
        assert line["name"]["en" if isinstance(line["name"], dict) else slice(0, 1)] == letter


def test_figures_stand_side_by_side_with_the_best_marked(html):
    cells = row(html, "net")
    assert text_of(cells[0]) == ["+25,503.82"]
    assert text_of(cells[1]) == ["★", "+51,007.65", "best", "+25,503.83"]
    assert text_of(cells[1], "zh")[2] == "最佳"
    assert 'class="best"' in cells[1]
    assert 'class="best"' not in cells[0] + cells[2]
    assert text_of(cells[2]) == ["−130,887.15", "−156,390.97"]
    # Without a position of its own margin, the smallest is best.
    assert text_of(row(html, "peak_margin")[2])[:2] == ["★", "108,765.00"]
    assert text_of(row(html, "total_return")[1]) == ["★", "+5.10%", "best", "+2.55", "pp"]


def test_figures_no_run_knows_are_left_out(html):
    assert "data-figure=\"sharpe\"" not in html
    assert "data-figure=\"hedged\"" not in html


def test_unlike_figures_are_best_of_those_that_are_alike(html):
    # Two goods against one: yuan per tonne is not ranked among all three.
    cells = [" ".join(text_of(cell)) for cell in row(html, "net_per_tonne")]
    assert cells[1].startswith("★ +510.08 best of A, B")
    assert "★" not in cells[0] + cells[2]


def test_what_differs_is_shown_and_code_line_by_line(html):
    assert re.search(r'<th scope="row">units_held</th>.*?<td>10</td><td>20</td>', html)
    code = re.search(r'<details class="code">.*?</details>', html, re.DOTALL)[0]
    assert '<details class="code" open' not in html
    assert '<span class="added">+class ShortRallies' in code
    assert '<span class="removed">-class CalendarReverse' in code


def test_code_cannot_become_part_of_the_page(tmp_path):
    pair = compare([side(code="a"), side(code="<script>alert(1)</script>", name="<b>x</b>")])
    path = tmp_path / "out" / "compare" / INDEX
    path.parent.mkdir(parents=True)
    comparison_page(pair, path, EN)
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert "+&lt;script&gt;alert(1)" in text
    assert "<b>x</b>" not in text


def test_the_page_fetches_nothing_from_outside(html, made):
    for page in (html, (made / SHEETS).read_text("utf-8")):
        for address in addresses(page):
            assert "://" not in address
            assert address.startswith("#") or (made / address).exists(), address


def test_the_page_opens_in_the_language_asked_for_and_holds_both(three, made):
    for t, lang in ((EN, "en"), (ZH, "zh")):
        path = made / f"{t.name}.html"
        comparison_page(three, path, t)
        text = path.read_text("utf-8")
        assert f'data-lang="{lang}"' in text
        assert '<span class="en">Figures side by side</span>' in text
        assert '<span class="zh">指标并列</span>' in text
        # The page's script takes the other language from charts and from data-say attributes.
        read = re.sub(r'<script.*?</script>|data-say-[a-z-]+="[^"]*"', "", text, flags=re.DOTALL)
        assert "\ue000" not in read
        path.unlink()


def test_the_same_runs_give_the_same_bytes(three, made, html):
    path = made.with_name("another") / INDEX
    path.parent.mkdir()
    comparison_page(three, path, EN)
    assert path.read_text("utf-8") == html


def test_simulated_runs_say_so_in_band_charts_and_columns(html, made):
    assert 'class="band"' in html
    assert all("SIMULATED" in json.dumps(one["layout"]["title"]) for one in drawn(html).values())
    head = re.search(r'<table class="figures">.*?</thead>', html, re.DOTALL)[0]
    assert head.count("SIMULATED") == 3
    first = (made / "metrics.csv").read_text("utf-8-sig").splitlines()[0]
    assert first.count("SIMULATED") == 3


def test_tear_sheets_stand_in_frames_that_lead_to_the_runs(made, folders):
    text = (made / SHEETS).read_text("utf-8")
    frames = re.findall(r'<iframe src="([^"]+)" title="([^"]+)"', text)
    assert [(made / src).resolve() for src, _ in frames] == [
        (folder / "tearsheet.html").resolve() for folder in folders[:2]
    ]
    assert f"{folders[2].name} has no tear sheet." in text
    assert f'href="{SHEETS}"' in (made / INDEX).read_text("utf-8")


def test_the_tear_sheet_of_a_set_lies_in_the_comparisons_own_folder(tmp_path):
    chosen = Chosen("a-sweep", 3, 1, 40, "net", "ledger")
    pair = compare([side(), side(chosen=chosen)])
    folder = tmp_path / "compare"
    folder.mkdir()
    (folder / sheet_name("B")).write_text("sheet", encoding="utf-8")
    tear_sheets_page(pair, folder / SHEETS, EN)
    text = (folder / SHEETS).read_text("utf-8")
    assert re.findall(r'<iframe src="([^"]+)"', text) == ["tearsheet-B.html"]


def test_what_cannot_be_compared_stands_at_the_top_and_the_rest_is_still_shown(tmp_path):
    daily = np.arange(40) % 7
    pair = compare([side(daily), side(daily, simulated=False, sha="bb" * 32)])
    path = tmp_path / "out" / "compare" / INDEX
    path.parent.mkdir(parents=True)
    comparison_page(pair, path, EN)
    text = path.read_text("utf-8")
    assert text.index("made-up prices say nothing about real ones") < text.index("data-figure")
    assert 'class="best"' not in text
    assert list(drawn(text)) == ["equity", "per-unit", "per-tonne", "trips"]


def test_runs_that_can_be_compared_say_so(tmp_path):
    path = tmp_path / "out" / "compare" / INDEX
    path.parent.mkdir(parents=True)
    comparison_page(compare([side([1.0] * 30), side([2.0] * 30)]), path, EN)
    assert "These runs can be compared" in path.read_text("utf-8")


def test_runs_that_held_nothing_have_a_page_too(tmp_path):
    path = tmp_path / "out" / "compare" / INDEX
    path.parent.mkdir(parents=True)
    comparison_page(compare([side(held=0), side(held=0)]), path, EN)
    text = path.read_text("utf-8")
    assert list(drawn(text)) == ["equity"]
    assert "No position was held in any of the runs." in text


def test_twenty_runs_have_lines_no_two_of_which_look_alike(tmp_path):
    rng = np.random.default_rng(1)
    twenty = compare([side(rng.normal(0, 900, 500), name=f"run {n}") for n in range(20)])
    lines = charts.colours(twenty, BOTH).values()
    assert len({(line["color"], line["dash"]) for line in lines}) == 20
    path = tmp_path / "out" / "compare" / INDEX
    path.parent.mkdir(parents=True)
    comparison_page(twenty, path, EN)
    assert path.stat().st_size < 2_000_000


def test_a_click_in_the_legend_takes_a_run_out_of_equity_and_drawdown(three):
    lines = charts.equity(three, EN).data
    assert [line.legendgroup for line in lines] == list("ABCABC")
    assert [line.showlegend for line in lines] == [None] * 3 + [False] * 3


def test_every_chart_marks_the_day_an_idea_became_known(three):
    for figure in (charts.equity(three), charts.gained(three, "unit"), charts.round_trips(three)):
        known = [shape for shape in figure.layout.shapes if shape.name == "known"]
        assert [line.x0 for line in known] == ["2024-03-29", "2024-05-14"]
        assert [word.text for word in figure.layout.annotations] == ["known C", "known A,B"]


def test_bars_go_from_entry_to_exit_and_gains_are_told_from_losses(three):
    figure = charts.round_trips(three)
    assert [trace.name for trace in figure.data] == ["gain", "loss"]
    trips = three.round_trips
    day = 86_400_000
    for trace, mask in zip(figure.data, (trips["net"] >= 0, trips["net"] < 0), strict=True):
        own = trips[mask]
        assert list(trace.base) == [f"{entry:%Y-%m-%d}" for entry in own["entry"]]
        assert list(trace.x) == [(row.exit - row.entry).days * day + day
                                 for row in own.itertuples()]  # fmt: skip


def test_a_trip_that_is_open_has_a_hatched_bar_to_the_last_session():
    one = side([1.0] * 30)
    one.round_trips.loc[0, "exit"] = None
    (bar, _) = charts.round_trips(compare([one, side([1.0] * 30)])).data
    assert list(bar.marker.pattern.shape) == ["/", ""]
    assert bar.x[0] == ((one.counted[-1] - one.counted[0]).days + 1) * 86_400_000


def test_days_on_which_nothing_moved_cost_no_points_in_a_crowd():
    flat = [5.0] + [0.0] * 300 + [5.0]
    few, many = compare([side(flat)] * 2), compare([side(flat)] * 8)
    assert len(charts.equity(few).data[0].x) == 302
    assert len(charts.equity(many).data[0].x) == 3
    assert charts.equity(many).data[0].y[-1] == charts.equity(few).data[0].y[-1]
