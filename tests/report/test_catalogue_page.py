"""The page of all runs: a row each, with a picture of its equity and the way to its page."""

import html
import json
import os
import re
from pathlib import Path

import pytest
from run_folders import REAL, SKETCH, data, figures
from run_folders import run as write

from sibt.errors import SettingError
from sibt.language import EN, ZH
from sibt.report import catalogue as module
from sibt.report.catalogue import index_page, write_index
from sibt.report.one_file import one_file
from sibt.report.runs_terminal import HEDGES


def rows(page: str) -> list[str]:
    return re.findall(r"<tr data-keys.*?</tr>", page, flags=re.S)


def text_of(part: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", part)).split())


def points(row: str) -> list[tuple[int, int]]:
    """Return the points of a row's line, from its relative steps."""
    start, steps = re.search(r'd="M0 (\d+)l([^"]*)"', row).groups()
    numbers = [int(number) for number in re.findall(r"-?\d+", steps)]
    path = [(0, int(start))]
    for x, y in zip(numbers[::2], numbers[1::2], strict=True):
        path.append((path[-1][0] + x, path[-1][1] + y))
    return path


@pytest.fixture
def out(tmp_path):
    out = tmp_path / "results"
    write(out, "20260105-093000-idea", page="tearsheet.html")
    write(out, "20260106-093000-real", made="2026-01-06T09:30:00+08:00", data=REAL,
          strategy={"name": "real"}, sketch=[0, -50, -20],
          figures=figures(net=-20.4, sharpe=1.234))
    write(out, "20260107-093000-idea-sweep", made="2026-01-07T09:30:00+08:00", page="sweep.html",
          kind="sweep", sets={"booked": 3}, verdict="too <few>", figures={}, sketch=[])
    return out


def test_every_run_has_a_row_newest_first(out):
    found = rows(index_page(out, EN))
    assert [re.search(r'title="([^"]*)"', row)[1] for row in found] == [
        "20260107-093000-idea-sweep", "20260106-093000-real", "20260105-093000-idea"]  # fmt: skip


def test_a_row_leads_to_the_runs_page(out):
    (out / "20260106-093000-real/index.html").unlink()
    sweep, real, idea = rows(index_page(out, EN))
    assert 'href="20260105-093000-idea/tearsheet.html"' in idea
    assert 'href="20260107-093000-idea-sweep/sweep.html"' in sweep
    assert "href" not in real


def test_a_row_tells_the_figures(out):
    _, real, idea = rows(index_page(out, EN))
    assert text_of(idea) == ("idea 2026-01-05 09:30 SIMULATED sample 2023-01-03..2024-12-31"
                             " +1,000 +20.0 −1.00% 50,000 – 1")
    assert text_of(real) == ("real 2026-01-06 09:30 prices.csv 2023-01-03..2024-12-31"
                             " −20 +20.0 −1.00% 50,000 1.23 1")
    assert '<td class="num down">−20</td>' in real
    assert '<td class="num up">+1,000</td>' in idea


def test_a_sweep_says_its_verdict_in_the_place_of_figures(out):
    sweep, *_ = rows(index_page(out, EN))
    assert "too &lt;few&gt;" in sweep
    assert '<td class="said" colspan="6">' in sweep


def test_unknown_figures_are_dashes(tmp_path):
    write(tmp_path, figures={}, sketch=[])
    (row,) = rows(index_page(tmp_path, EN))
    assert text_of(row).endswith("2024-12-31 – – – – – –")
    assert "svg" not in row


def test_nothing_earned_has_no_sign(tmp_path):
    write(tmp_path, figures=figures(net=0.0, net_per_tonne=-0.01))
    (row,) = rows(index_page(tmp_path, EN))
    assert '<td class="num">0</td><td class="num down">0.0</td>' in row


def test_the_picture_is_the_sketch(tmp_path):
    write(tmp_path)
    (row,) = rows(index_page(tmp_path, EN))
    low, high = min(SKETCH), max(SKETCH)
    drawn = points(row)
    assert [x for x, _ in drawn] == [0, 80, 160, 240]
    # The lowest value stands at the bottom, the highest at the top.
    assert [y for _, y in drawn] == [round(2 + 60 * (high - v) / (high - low)) for v in SKETCH]
    zero = int(re.search(r'class="zero" d="M0 (\d+)h240"', row)[1])
    assert zero == drawn[0][1]
    assert 'class="up"' in row


@pytest.mark.parametrize(("sketch", "way"), [([0, 5, -1], "down"), ([0, -5, 1], "up"),
                                             ([0, 5, 0], "soft"), ([0, 0, 0], "soft")])  # fmt: skip
def test_the_colour_is_that_of_the_end(tmp_path, sketch, way):
    write(tmp_path, sketch=sketch)
    assert f'<svg class="{way}"' in rows(index_page(tmp_path, EN))[0]


def test_rows_are_sorted_by_their_keys(out):
    keys = [json.loads(html.unescape(re.search(r'data-keys="([^"]*)"', row)[1]))
            for row in rows(index_page(out, EN))]  # fmt: skip
    assert keys[1][2:] == ["prices.csv", -20.4, 20.0, -0.01, 50_000, 1.234, 1]
    assert keys[0][3:] == [None] * 6
    assert keys[0][0] > keys[1][0] > keys[2][0]
    heads = re.findall(r'data-by="(\d+)"', index_page(out, EN))
    assert [int(at) for at in heads] == [0, 2, *range(3, 9)]


def test_the_band_stands_only_where_all_are_simulated(out):
    assert '<aside class="band"' not in index_page(out, EN)
    (out / "20260106-093000-real/manifest.json").unlink()
    assert '<aside class="band"' in index_page(out, EN)


def test_every_simulated_row_says_so(out):
    sweep, real, idea = rows(index_page(out, EN))
    assert [row.count("SIMULATED") for row in (sweep, real, idea)] == [1, 0, 1]


def test_the_page_holds_both_languages_and_opens_in_one(out):
    english, chinese = index_page(out, EN), index_page(out, ZH)
    for page in (english, chinese):
        for word in ("All runs", "全部回测", "peak margin", "保证金占用峰值", "参数扫描"):
            assert word in page
    assert '<html lang="en" data-lang="en"' in english
    assert '<html lang="zh-CN" data-lang="zh"' in chinese


def test_what_is_left_out_is_told(out):
    (out / "half").mkdir()
    (out / "half/manifest.json").write_text("{", encoding="utf-8")
    page = index_page(out, EN)
    assert "half/manifest.json is broken at line 1" in page
    assert "half/manifest.json 第 1 行损坏" in page
    assert len(rows(page)) == 3


def test_an_empty_folder_says_so(tmp_path):
    page = index_page(tmp_path, EN)
    assert "There are no runs yet." in page
    assert '<aside class="band"' not in page


def test_names_cannot_break_the_page(tmp_path):
    evil = '"><script>alert(1)</script>'
    write(tmp_path, "a & b #1", strategy={"name": evil}, data=data(source=evil, first=evil))
    page = index_page(tmp_path, EN)
    assert "<script>alert" not in page
    assert 'href="a%20%26%20b%20%231/index.html"' in page


def test_the_page_asks_for_nothing_else(out):
    page = index_page(out, EN)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "<link" not in page


def test_the_same_runs_give_the_same_page(out):
    assert index_page(out, ZH) == index_page(out, ZH)


def test_the_page_is_written_whole_or_not_at_all(out, monkeypatch):
    page = write_index(out, EN)
    before = page.read_text("utf-8")
    assert before == index_page(out, EN)
    write(out, "20260108-093000-idea")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", refuse)
    with pytest.raises(SettingError, match="No space"):
        write_index(out, EN)
    assert page.read_text("utf-8") == before
    assert not [name for name in os.listdir(out) if name.startswith(".index")]


def test_a_row_is_small_enough_for_thousands(tmp_path):
    sketch = [round(1e6 * (n % 7 - 3) * n / 60) for n in range(60)]
    for number in range(200):
        write(tmp_path, f"run{number}", page=None, sketch=sketch)
    page = index_page(tmp_path, EN)
    assert len(rows(page)) == 200
    assert len("".join(rows(page)).encode()) < 200 * 1500


# -- One file to send -------------------------------------------------------------------------


def page_with_plotly(folder: Path) -> Path:
    (folder / "assets").mkdir(parents=True)
    (folder / "assets/plotly-6.0.min.js").write_text("var Plotly = '\\d</body>';", "utf-8")
    (folder / "run").mkdir()
    path = folder / "run/index.html"
    path.write_text(
        '<html><head><script src="../assets/plotly-6.0.min.js" defer></script></head><body>'
        '<a href="tearsheet.html">Tear sheet</a> <a href="#trips">Trips</a>'
        ' <a class="x" href="../index.html" aria-current="page">All</a></body></html>\n', "utf-8")
    return path


def test_one_file_holds_plotly_and_its_own_links_only(tmp_path):
    page = one_file(page_with_plotly(tmp_path))
    assert page == (
        "<html><head></head><body>"
        '<span>Tear sheet</span> <a href="#trips">Trips</a> <span>All</span>'
        "<script>var Plotly = '\\d</body>';</script>\n</body></html>\n"
    )


def test_a_page_without_plotly_stays_as_it_is(tmp_path):
    path = tmp_path / "tearsheet.html"
    path.write_text("<html><body>sheet</body></html>\n", "utf-8")
    assert one_file(path) == "<html><body>sheet</body></html>\n"


def test_of_hedges_the_page_says_whose_result_it_is(out):
    assert "goods and futures" not in text_of(index_page(out, EN))
    write(out, "20260108-093000-hedge", figures=figures(
        hedged=-9.0, hedged_per_tonne=-1.0, max_drawdown_hedged=-0.5))  # fmt: skip
    page = text_of(index_page(out, EN))
    assert "net, yuan/t and drawdown are those of goods and futures together" in page
    assert ZH(HEDGES) in page
