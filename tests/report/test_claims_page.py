"""The page of scored reports: every score, in both languages, drawn as it was scored."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sibt.errors import SettingError
from sibt.language import BOTH, EN, ZH, pick, said, written
from sibt.report.claims import check_folder, claims_html, write
from sibt.report.claims.claim import article
from sibt.report.claims.drawing import drawn
from sibt.report.claims.words import verdicts
from sibt.research.claims.report import publication, read
from sibt.research.claims.score import Scored, score
from sibt.research.claims.verdict import BaseRate, Missing
from sibt.sources import load_market


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


@pytest.fixture(scope="module")
def desk(market, tmp_path_factory):
    """The starter of `sibt claims new`, scored on the sample."""
    from sibt.cli.claims.new import _STARTER

    path = tmp_path_factory.mktemp("desk") / "desk.toml"
    path.write_text(_STARTER.replace("NAME", "desk"), "utf-8")
    return score(read(path), market)


@pytest.fixture(scope="module")
def shipped(market):
    return [score(publication(name), market) for name in ("guolian_2024q1", "orient_20240514")]


@pytest.fixture(scope="module")
def html(desk):
    return claims_html([desk], "en")


@pytest.fixture(scope="module")
def whole(shipped):
    return claims_html(shipped, "en")


def claim(scored, name):
    """Return the scores of one claim."""
    return [row for row in scored.rows if row.claim.id == name]


def figure_of(scored, name, t=EN):
    return drawn(scored, claim(scored, name), t).to_plotly_json()


def shapes(figure, name):
    return [one for one in figure["layout"]["shapes"] if one["name"] == name]


def text_of(html):
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", html, flags=re.S)))


# -- The page ---------------------------------------------------------------------------------


def test_the_same_scores_give_the_same_page(desk, market):
    again = score(desk.report, market)
    assert claims_html([again], "en") == claims_html([desk], "en")


def test_it_says_simulated_and_where_the_data_come_from(html, market):
    assert "SIMULATED 模拟数据" in html
    assert f"sample, 2022-12-22..2024-12-31, sha256 {market.digest[:12]}" in html


def test_real_prices_are_not_called_simulated(desk, market):
    real = replace(market, provenance=replace(market.provenance, simulated=False))
    assert "SIMULATED" not in claims_html([score(desk.report, real)], "en")


def test_every_claim_of_every_report_stands_on_the_page_once(whole, shipped):
    for scored in shipped:
        for one in scored.report.claims:
            assert whole.count(f'id="{scored.report.id}.{one.id}"') == 1
        for one in scored.report.inconsistencies:
            assert whole.count(f'id="{scored.report.id}.{one.id}"') == 1


def test_every_quote_is_printed_as_it_stands(whole, shipped):
    text = " ".join(unescape(whole).split())
    for scored in shipped:
        for one in scored.report.claims:
            assert " ".join(one.quote.split()) in text


def test_every_link_of_the_page_leads_to_a_place_on_it(whole):
    places = set(re.findall(r'\bid="([^"]+)"', whole))
    links = {unescape(to) for to in re.findall(r'href="#([^"]+)"', whole)}
    assert len(links) > 50
    assert links - {"content"} <= places


def test_a_verdict_is_a_word_with_a_sign_and_not_a_colour_alone(html, desk):
    for row in desk.rows:
        if row.verdict not in ("untestable", "watched") and row.reading.test != "vague":
            assert f'<span class="chip {row.verdict}">' in html
    chips = re.findall(r'<span class="chip (\w+)">(.*?)</span></?\w', html)
    words = {name: pick(text, "en") for name, text in verdicts(BOTH).items()}
    for name, text in chips:
        assert words[name] in text


def test_the_summary_counts_scores_by_verdict(desk):
    html = claims_html([desk], "en")
    summary = html[html.index('id="summary"'):html.index('id="desk"')]
    cells = re.findall(r'<td class="num">(\d+)</td>', summary)
    verdict = pd.Series([row.verdict for row in desk.rows]).value_counts()
    order = [name for name in verdicts(EN) if name in verdict]
    assert [int(cell) for cell in cells] == [len(desk.report.claims), *verdict[order]]


def test_a_report_without_a_verdict_of_the_other_counts_none_of_it(desk):
    running = [replace(row, verdict="running") for row in desk.rows[:3]]
    other = Scored(replace(desk.report, id="other"), desk.market, tuple(running), None)
    html = claims_html([desk, other], "en")
    summary = html[html.index('id="summary"'):html.index('id="desk"')]
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", summary)
    verdicts_ = {row.verdict for row in desk.rows}
    assert sorted(re.findall(r'<td class="num">(.*?)</td>', rows[1])[1:]) == \
        sorted(["3", *["0"] * len(verdicts_)])


def test_both_languages_are_whole(html, desk):
    english = re.sub(r'<span class="zh">.*?</span>', "", html)
    assert '<span class="zh">结果如何</span>' in html
    assert "结果如何" not in text_of(english)
    for row in desk.rows:
        assert str(row.claim.says) in unescape(html)


def test_what_a_report_says_is_text_and_never_a_tag(desk, market):
    row = claim(desk, "range")[0]
    evil = "<script>alert('x')</script>"
    odd = replace(row.claim, quote=evil, says=said(evil), place=evil)
    report = replace(desk.report, title=evil, publisher=evil, claims=(odd,), inconsistencies=())
    page = claims_html([Scored(report, market, (replace(row, claim=odd),), None)], "en")
    assert "alert(" in page
    assert "<script>alert" not in page


# -- A report's section -----------------------------------------------------------------------


def test_a_claim_tells_reading_horizon_figures_base_rate_and_test(desk):
    text = text_of(pick(article(desk, claim(desk, "range"), BOTH), "en"))
    row = claim(desk, "range")[1]
    for part in ("closes", "60 sessions", "✗ wrong", f"{row.decided_on:%Y-%m-%d}", "inside",
                 f"{row.base.share:.0%} of {row.base.windows} days",
                 f"worth {row.base.independent} that do not overlap",
                 "low 11500, high 12500, price close, on dominant",
                 "Left open: for how long", "X1"):
        assert part in text


def test_in_chinese_the_quote_speaks_for_itself_unless_the_file_says_more(desk):
    row = claim(desk, "range")[0]
    quoted = pick(article(desk, [row], BOTH), "zh")
    assert text_of(re.sub(r'<span class="en">.*?</span></span>', "", quoted)).count(
        row.claim.quote) == 1
    more = replace(row.claim, says=written("In a range.", "区间震荡。"))
    assert "区间震荡。" in article(desk, [replace(row, claim=more)], ZH)


def test_why_nothing_can_be_said_is_told(desk):
    row = replace(claim(desk, "support")[0], verdict="undecidable", why=said("no contract left"),
                  base=None, no_base=said("no day to compare"))
    text = text_of(article(desk, [row], EN))
    assert "no contract left" in text
    assert "no day to compare" in text


def test_claims_that_wait_and_those_nobody_can_test_are_rows_of_tables(html):
    waiting = html[html.index("Waiting for data"):]
    assert 'id="desk.stock"' in waiting
    assert "series social_stock" in waiting
    vague = html[html.index("Undecidable as they stand"):]
    assert 'id="desk.vague"' in vague
    assert "no size and no horizon are given" in vague


def test_a_risk_is_watched_with_what_it_stands_at(html, desk):
    part = text_of(html[html.index("Risks the report names"):html.index("Waiting for data")])
    figure = claim(desk, "risk")[0].figures["last value"]
    assert f"{figure.value:,.0f} lots" in part
    assert "风险提示：仓单大量注册。" in part


def test_a_risk_without_data_stays_a_risk(desk):
    row = replace(claim(desk, "risk")[0], verdict="untestable", figures={},
                  missing=(Missing("receipts", said("bring receipts")),))
    rows = (*claim(desk, "range"), row)
    html = claims_html([Scored(desk.report, desk.market, rows, None)], "en")
    part = html[html.index("Risks the report names"):html.index('id="needed"')]
    assert "receipts" in text_of(part)
    assert "Waiting for data" not in html


def test_both_readings_of_a_contradiction_stand_side_by_side(html):
    row = html[html.index('id="desk.X1"'):]
    row = row[: row.index("</tr>")]
    cells = [text_of(cell).strip() for cell in re.findall(r"<td.*?</td>", row)]
    assert "11500-12500" in cells
    assert "11300-12500" in cells
    assert "#desk.range" in row


def test_the_standard_and_its_end_are_told(html):
    assert "delivery standard 2022 of si, whose last contract ended on 2024-11-14" in html


def test_charts_without_numbers_are_listed(whole, shipped):
    titles = [one.title for scored in shipped for one in scored.report.charts]
    assert len(titles) > 30
    text = unescape(whole)
    assert [title for title in titles if title not in text] == []


# -- Charts -----------------------------------------------------------------------------------


def test_lines_are_the_very_numbers_that_were_scored(desk):
    rows = claim(desk, "range")
    figure = figure_of(desk, "range")
    lines = [one for one in figure["data"] if one["mode"].startswith("lines")]
    assert [one["name"] for one in lines] == [
        "dominant contract, close", "dominant contract, rolled without jumps, close"]
    path = rows[1].path  # the longer horizon holds the shorter one
    drawn_ = pd.Series(lines[0]["y"], lines[0]["x"]).dropna()
    assert drawn_.index.tolist() == [f"{day:%Y-%m-%d}" for day in path.dropna().index]
    assert drawn_.tolist() == path.dropna().tolist()


def test_a_line_breaks_where_the_contract_changes(desk):
    line = figure_of(desk, "range")["data"][0]
    codes = [code for code in line["text"] if code]
    assert len(set(codes)) > 1
    for n, (one, other) in enumerate(zip(line["text"], line["text"][1:], strict=False)):
        assert one == other or not one or not other, f"joined at {n}"
    assert any(np.isnan(y) and not code for y, code in zip(line["y"], line["text"], strict=True))


def test_a_range_is_a_band_from_the_first_session_that_counts(desk):
    figure = figure_of(desk, "range")
    [band] = shapes(figure, "band")
    assert (band["x0"], band["y0"], band["y1"]) == ("2024-05-15", 11500, 12500)
    assert band["x1"] == f"{max(row.path.index[-1] for row in claim(desk, 'range')):%Y-%m-%d}"
    assert sorted(one["y0"] for one in shapes(figure, "level")) == [11500, 12500]


def test_a_single_level_is_a_line_and_no_band(desk):
    figure = figure_of(desk, "support")
    assert not shapes(figure, "band")
    assert [one["y0"] for one in shapes(figure, "level")] == [11700]


def test_readings_of_several_levels_have_no_common_band(desk):
    one = claim(desk, "range")[0]
    other = replace(one, path=one.path + 1, lines=tuple((n, v - 70) for n, v in one.lines))
    figure = drawn(desk, [one, other], EN).to_plotly_json()
    assert not shapes(figure, "band")
    assert {each["y0"] for each in shapes(figure, "level")} == {11500, 12500, 11430, 12430}


def test_the_rating_has_its_whole_scale(desk):
    figure = figure_of(desk, "rating")
    row = claim(desk, "rating")[0]
    start = row.path[desk.report.date]
    levels = [one["y0"] for one in shapes(figure, "level")]
    assert sorted(levels) == pytest.approx([start * k for k in (0.85, 0.95, 1.05, 1.15)])
    inner, outer = shapes(figure, "band")
    assert (inner["y0"], inner["y1"]) == pytest.approx((start * 0.95, start * 1.05))
    assert (outer["y0"], outer["y1"]) == pytest.approx((start * 0.85, start * 1.15))
    assert inner["opacity"] > outer["opacity"]


def test_what_decided_is_marked_on_its_session(desk):
    row = claim(desk, "support")[1]
    [mark] = [one for one in figure_of(desk, "support")["data"]
              if one.get("meta", {}).get("kind") == "wrong"]
    assert mark["x"] == [f"{row.decided_on:%Y-%m-%d}"]
    assert mark["y"] == [row.path[row.decided_on]]
    assert mark["y"][0] < 11700
    assert mark["text"] == ["60 sessions"]


def test_right_and_wrong_are_told_apart_by_shape(desk):
    symbols = {one["meta"]["kind"]: one["marker"]["symbol"]
               for one in figure_of(desk, "support")["data"] if "meta" in one}
    assert set(symbols) == {"right", "wrong"}
    assert symbols["right"] != symbols["wrong"]


def test_the_reports_day_and_the_end_of_its_standard_are_marked(desk):
    figure = figure_of(desk, "rating")
    assert [one["x0"] for one in shapes(figure, "known")] == ["2024-05-14"]
    assert [one["x0"] for one in shapes(figure, "ended")] == ["2024-11-14"]
    # The range was over long before.
    assert not shapes(figure_of(desk, "range"), "ended")


def test_the_curve_is_a_line_a_contract_over_zero(desk):
    figure = figure_of(desk, "curve")
    names = [one["name"] for one in figure["data"] if one["mode"].startswith("lines")]
    assert len(names) == 2
    assert all(code in name for code, name in zip(("si2407", "si2408"), names, strict=True))
    assert [one["y0"] for one in shapes(figure, "level")] == [0]


def test_a_claim_of_one_number_or_none_has_no_chart(desk):
    assert drawn(desk, claim(desk, "vague"), EN) is None
    assert drawn(desk, claim(desk, "stock"), EN) is None
    row = claim(desk, "range")[0]
    assert drawn(desk, [replace(row, path=row.path.iloc[:1])], EN) is None


def test_charts_are_told_as_simulated_and_hold_no_nan(html):
    charts = re.findall(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert len(charts) >= 6
    for chart in charts:
        content = json.loads(chart)
        assert content["layout"]["title"]["text"].startswith("SIMULATED")
        assert "NaN" not in chart


# -- Data needed ------------------------------------------------------------------------------


def test_what_is_missing_is_told_with_the_file_that_brings_it(html):
    part = html[html.index('id="needed"'):]
    assert "<code>series social_stock</code>" in part
    assert "name,date,published_on,value,unit\nsocial_stock,DATE,PUBLISHED_ON,VALUE,10 kt" in part
    assert "#desk.stock" in part
    assert "social stock of industrial silicon, in 10 kt" in part


def test_data_that_is_no_series_has_no_file_of_series(desk):
    row = replace(claim(desk, "range")[0], verdict="untestable", base=BaseRate(0, 0, 0),
                  missing=(Missing("receipts", said("bring receipts")),))
    html = claims_html([Scored(desk.report, desk.market, (row,), None)], "en")
    assert "bring receipts" in html
    assert "name,date,published_on" not in html


def test_where_nothing_is_missing_there_is_no_such_part(desk):
    html = claims_html([Scored(desk.report, desk.market, tuple(claim(desk, "range")), None)], "en")
    assert 'id="needed"' not in html
    assert 'href="#needed"' not in html


# -- The folder -------------------------------------------------------------------------------


def test_the_folder_holds_page_scores_reports_and_plotly(desk, tmp_path):
    folder = write([desk], tmp_path / "claims", "en")
    assert sorted(p.name for p in folder.iterdir()) == \
        ["claims.csv", "desk.toml", "index.html", "plotly.min.js"]
    assert (folder / "index.html").read_text("utf-8") == claims_html([desk], "en")
    assert (folder / "desk.toml").read_text("utf-8") == desk.report.text
    assert (folder / "claims.csv").read_bytes()[:3] == b"\xef\xbb\xbf"
    table = pd.read_csv(folder / "claims.csv", encoding="utf-8-sig", keep_default_na=False)
    assert table["verdict"].tolist() == [row.verdict for row in desk.rows]
    assert table["quote"].tolist() == [row.claim.quote for row in desk.rows]


def test_a_report_that_is_no_copy_of_ours_is_not_replaced(desk, tmp_path):
    folder = write([desk], tmp_path / "claims", "en")
    (folder / "mine.toml").write_text("mine", "utf-8")
    for refuse in (lambda: check_folder(folder), lambda: write([desk], folder, "en")):
        with pytest.raises(SettingError, match=r"holds other files \(mine.toml\)"):
            refuse()
    assert (folder / "mine.toml").read_text("utf-8") == "mine"


def test_a_strange_claims_csv_is_no_fault(desk, tmp_path):
    (tmp_path / "claims.csv").write_bytes("report\n报告\n".encode("gbk"))
    assert write([desk], tmp_path, "en") == tmp_path.resolve()


def test_a_write_that_fails_leaves_the_old_page(desk, tmp_path, monkeypatch):
    folder = write([desk], tmp_path / "claims", "en")
    monkeypatch.setattr("sibt.report.folder.plotly_js",
                        lambda: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SettingError, match="No space left on device"):
        write([desk], folder, "zh")
    assert '<html lang="en"' in (folder / "index.html").read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["claims"]


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(desk, tmp_path, monkeypatch):
    folder = write([desk], tmp_path / "claims", "en")
    rename = Path.rename

    def fail(path, target):
        if (path / "index.html").is_file() and '<html lang="zh' in (path / "index.html").read_text(
            "utf-8"
        ):
            raise OSError(1, "not permitted")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(SettingError, match="not permitted"):
        write([desk], folder, "zh")
    assert '<html lang="en"' in (folder / "index.html").read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["claims"]
