import html
import json
import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from sibt.errors import DataError, SettingError
from sibt.market.grades import basis_by_grade
from sibt.market.matrix import matrix
from sibt.market.panel import Market
from sibt.market.seasons import seasons
from sibt.market.stocks import paper_ratio
from sibt.report.market import asked, pages, spread_matrix, write
from sibt.report.market.coverage import KINDS, counts, states
from sibt.sources import load_market

nan = np.nan
PAGES = ("index.html", "term_structure.html", "spreads.html", "matrix.html", "basis.html",
         "stocks.html", "quarter.html", "series.html")


def bars(rows) -> pd.DataFrame:
    """Return bars from (date, contract, price, volume, open interest); closes settle."""
    return pd.DataFrame(
        [(d, c, p, p, p, p, p, v, i) for d, c, p, v, i in rows],
        columns=["date", "contract", "open", "high", "low", "close", "settle", "volume",
                 "open_interest"],
    )


def charts(text: str) -> dict[str, dict]:
    """Return the figures of a page by title."""
    found = [json.loads(t) for t in
             re.findall(r'<script type="application/json">(.*?)</script>', text, flags=re.S)]
    return {f["layout"]["title"]["text"]: f for f in found}


def chart(text: str, words: str) -> dict:
    found = [f for title, f in charts(text).items() if words in title]
    assert len(found) == 1, (words, list(charts(text)))
    return found[0]


def trace(figure: dict, words: str) -> dict[str, float | None]:
    """Return a trace's values by x, gaps included."""
    found = [t for t in figure["data"] if words in t["name"]]
    assert len(found) == 1, (words, [t["name"] for t in figure["data"]])
    return dict(zip(map(str, found[0]["x"]), found[0]["y"], strict=True))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def drawn(market: Market, **given) -> dict[str, str]:
    return pages(market, asked(market, **given))


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


@pytest.fixture(scope="module")
def found(sample):
    return drawn(sample)


@pytest.fixture(params=PAGES)
def page(request, found):
    return found[request.param]


@pytest.fixture(scope="module")
def small():
    """Two contracts, three sessions, one of them unknown for one leg."""
    spot = pd.DataFrame({"date": ["2024-05-14", "2024-05-14", "2024-05-16"],
                         "grade": ["553", "441", "553"], "price": [13_000, 13_300, 13_100]})
    receipts = pd.DataFrame({"date": ["2024-05-14", "2024-05-16"], "lots": [1_000, 500]})
    series = pd.DataFrame({
        "name": ["output"] * 2, "date": ["2024-03-31", "2024-04-30"],
        "published_on": ["2024-05-15", "2024-05-16"], "value": [40.1, 41.2], "unit": ["kt"] * 2,
    })
    return Market.from_bars(bars([
        ("2024-05-14", "si2407", 12_000, 500, 8_000), ("2024-05-14", "si2408", 12_100, 400, 4_000),
        ("2024-05-15", "si2407", 12_050, 500, 8_100),
        ("2024-05-16", "si2407", 12_200, 600, 9_000), ("2024-05-16", "si2408", 12_150, 700, 4_500),
    ]), spot=spot, receipts=receipts, series=series, source="small")


@pytest.fixture(scope="module")
def small_pages(small):
    return drawn(small)


# -- All pages ------------------------------------------------------------------------------


def test_there_is_a_page_for_each_question(found):
    assert tuple(found) == PAGES


def test_every_page_and_every_chart_of_the_sample_says_simulated(page):
    assert "SIMULATED 模拟数据" in page
    assert all(title.startswith("SIMULATED · ") for title in charts(page))


def test_a_page_of_other_data_does_not(small_pages):
    assert not any("SIMULATED" in text for text in small_pages.values())


def test_every_page_leads_to_every_other_and_nowhere_else(page):
    body = re.sub(r'<script type="application/json">.*?</script>', "", page, flags=re.S)
    leads = set(re.findall(r'(?:src|href)="([^"#]+)"', body))
    assert leads == {*PAGES, "plotly.min.js"}
    assert not re.search(r"https?:", page)
    assert page.count('aria-current="page"') == 1


def test_no_chart_bridges_what_is_unknown(page):
    for figure in charts(page).values():
        for line in figure["data"]:
            assert line["type"] == "bar" or line["connectgaps"] is False


def test_no_chart_is_empty_and_every_axis_has_its_unit(page):
    for title, figure in charts(page).items():
        assert figure["data"], title
        assert any(v is not None for line in figure["data"] for v in line["y"]), title
        if "Coverage" not in title:
            unit = figure["layout"]["yaxis"]["title"]["text"]
            assert re.search(r"yuan/t|lots|%|t ÷ t", unit), title


def test_no_axis_is_cut_to_less_than_the_data(page):
    for figure in charts(page).values():
        for name, axis in figure["layout"].items():
            assert not (name.startswith("yaxis") and "range" in axis)


def test_the_same_market_gives_the_same_bytes(found):
    assert drawn(load_market("sample")) == found


# -- Coverage -------------------------------------------------------------------------------


def test_coverage_tells_what_each_session_has():
    rows = pd.DataFrame({
        "date": ["2024-05-14", "2024-05-15", "2024-05-16", "2024-05-20", "2024-05-21"],
        "contract": "si2407",
        "open": [12_000, 12_000, nan, nan, 12_000], "high": [12_000, 12_000, nan, nan, 12_000],
        "low": [12_000, 12_000, nan, nan, 12_000],
        "close": [12_000, 12_000, 12_000, nan, 12_000],
        "settle": [12_000, nan, nan, 12_000, 12_000], "volume": 10,
        "open_interest": [100, 100, nan, nan, nan],
    })
    market = Market.from_bars(rows)
    kinds = [KINDS[k][0].split(" 完")[0].split(" 仅")[0].split(" 持")[0].split(" 缺")[0]
             .split(" 结")[0] for k in states(market)["si2407"]]
    assert kinds == [
        "full bar + settlement + open interest", "full bar + open interest", "close only",
        "no bar", "some other price only", "full bar + settlement",
    ]
    line = counts(market).iloc[0]
    assert (line["sessions"], line["close"], line["full bar"]) == (6, 4, 3)
    assert (line["settlement"], line["open interest"], line["missing"]) == (3, 2, 1)
    assert line["missing on"] == "2024-05-17"


def test_coverage_strips_are_as_long_as_what_they_show(sample, found):
    figure = chart(found["index.html"], "Coverage")
    shown = {}
    for part in figure["data"]:
        for code, words in zip(part["y"], part["text"], strict=True):
            count = re.search(r"(\d+) sessions", words)
            shown[code] = shown.get(code, 0) + (int(count[1]) if count else 1)
    lines = counts(sample).set_index("contract")
    assert shown == lines["sessions"].to_dict()
    assert set(shown) == set(sample.contracts)


def test_a_missing_session_is_named_on_the_first_page(small_pages):
    words = text_of(small_pages["index.html"])
    assert "6 sessions of contracts' lives, 1 of them without any price" in words
    assert re.search(r"si2408 2022 2024-05-14 2024-05-16 3 2 2 2 2 2 1 2024-05-15", words)


# -- Term structure -------------------------------------------------------------------------


def test_the_curve_is_that_session_s_settlements(sample, found):
    figure = chart(found["term_structure.html"], "Term structure")
    shown = trace(figure, "2024-12-31 settlement")
    want = {f"20{c[2:4]}-{c[4:]}-01": p for c, p in
            zip(sample.contracts, sample.settle[-1], strict=True) if not np.isnan(p)}
    assert shown == want


def test_the_curve_breaks_at_the_line_of_two_standards_unless_asked(sample):
    figure = chart(drawn(sample, on=["2024-09-30"])["term_structure.html"], "Term structure")
    shown = trace(figure, "2024-09-30")
    assert [x for x, y in shown.items() if y is None] == ["2024-11-16"]
    assert figure["layout"]["shapes"][0]["x0"] == "2024-11-16"
    joined = drawn(sample, on=["2024-09-30"], cross_standard=True)["term_structure.html"]
    figure = chart(joined, "Term structure")
    assert None not in trace(figure, "2024-09-30").values()
    assert figure["layout"]["shapes"][0]["x0"] == "2024-11-16"
    assert "drawn through it as asked" in joined


def test_a_contract_without_a_price_is_a_gap_in_the_curve():
    market = Market.from_bars(bars([
        ("2024-05-14", "si2407", 12_000, 5, 8), ("2024-05-14", "si2408", 12_100, 4, 4),
        ("2024-05-14", "si2409", 12_300, 4, 4), ("2024-05-15", "si2407", 12_050, 5, 8),
        ("2024-05-15", "si2409", 12_310, 5, 8),
    ]))
    figure = chart(drawn(market)["term_structure.html"], "Term structure")
    assert trace(figure, "2024-05-15") == {
        "2024-07-01": 12_050, "2024-08-01": None, "2024-09-01": 12_310}


def test_default_days_are_the_last_and_a_month_a_quarter_and_a_year_before(sample):
    assert [f"{d:%Y-%m-%d}" for d in asked(sample).on] == [
        "2024-12-31", "2024-11-29", "2024-09-30", "2023-12-29"]


# -- Spreads --------------------------------------------------------------------------------


def test_a_spread_is_near_less_far_with_its_gaps(small_pages):
    figure = chart(small_pages["spreads.html"], "Spread si2407 − si2408")
    assert trace(figure, "si2407 − si2408") == {
        "2024-05-14": -100, "2024-05-15": None, "2024-05-16": 50}
    words = text_of(small_pages["spreads.html"])
    assert "last 最新 2024-05-16 +50" in words
    assert "lowest 最低 2024-05-14 −100" in words


def test_the_bound_is_full_carry(small, small_pages):
    figure = chart(small_pages["spreads.html"], "Spread si2407 − si2408")
    carry = small.carry("si2407", "si2408")
    assert trace(figure, "full carry")["2024-05-16"] == pytest.approx(-carry.iloc[-1], abs=1e-5)


def test_the_seasons_are_those_of_the_market(sample):
    text = drawn(sample, spreads=["si2402-si2403"])["spreads.html"]
    figure = chart(text, "Seasons")
    table = seasons(sample, "si2402", "si2403", "settle")
    for name in table.columns:
        shown = trace(figure, name.replace("-", " − "))
        want = [None if np.isnan(v) else v for v in table[name]]
        assert list(shown.values()) == want
    # The year that fell out of line is in the picture, and in the table with its session.
    worst = table["si2402-si2403"].min()
    assert f"−{abs(worst):,.0f} {table['si2402-si2403'].idxmin()}" in text_of(text)


def test_a_year_that_is_not_drawn_is_named(sample):
    words = text_of(drawn(sample, spreads=["si2311-si2312"])["spreads.html"])
    assert "si2411-si2412 is not drawn: its legs are of two delivery standards." in words
    assert "No full carry is drawn: receipts are cancelled between the two deliveries" in words


def test_unknown_volume_is_said():
    market = Market.from_bars(bars([
        ("2024-05-14", "si2407", 12_000, nan, nan), ("2024-05-14", "si2408", 12_100, nan, nan)]))
    words = text_of(drawn(market)["spreads.html"])
    assert "In 1 of 1 sessions the volume of a leg is not known" in words


# -- The matrix -----------------------------------------------------------------------------


def test_the_matrix_shows_what_the_market_function_says(sample, found):
    text = found["matrix.html"]
    rows = matrix(sample, "2024-12-31", "settle")
    cells = re.findall(r'title="(si\d+ − si\d+): ([+−-][\d,]+) yuan/t[^"]*">([^<]+)<', text)
    shares = rows["share"].notna().sum()
    assert len(cells) == rows["spread"].notna().sum() + rows["percentile"].notna().sum() + shares
    first = {name: shown for name, _, shown in reversed(cells)}
    for r in rows.itertuples():
        assert first[f"{r.near} − {r.far}"].replace("−", "-").replace(",", "") == f"{r.spread:+.0f}"
    percentiles = text[text.index("历史分位"):text.index("持有成本占比")]
    one = rows[(rows["near"] == "si2503") & (rows["far"] == "si2504")].iloc[0]
    assert re.search(
        rf'si2503 − si2504: [^"]*">{one["percentile"]:.0f}<', percentiles)


def test_a_cell_without_a_bound_says_why(sample):
    text = drawn(sample, on=["2023-06-30"])["matrix.html"]
    words = text_of(text[text.index("持有成本占比"):])
    assert re.search(r"\ba receipts are cancelled between the two deliveries", words)


def test_there_may_be_more_reasons_than_letters(sample, monkeypatch):
    given = asked(sample)
    months = [f"si{number // 12 + 23}{number % 12 + 1:02d}" for number in range(8)]
    rows = pd.DataFrame([
        {"near": near, "far": far, "spread": nan, "sessions": 0, "carry": nan, "percentile": nan,
         "share": nan, "no_spread": f"why {near} {far}", "no_percentile": "", "no_share": ""}
        for near, far in combinations(months, 2)
    ])
    monkeypatch.setattr(spread_matrix, "figures", lambda market, asked: ("settle", rows))
    text = spread_matrix.body(sample, given)
    signs = re.findall(r"<b>(\w+)</b> why", text)
    assert len(set(signs)) == len(signs) == 28
    assert signs[24:] == ["y", "z", "aa", "ab"]


def test_the_matrix_takes_the_latest_of_the_days_asked_for(sample):
    words = text_of(drawn(sample, on=["2023-06-30", "2024-03-29"])["matrix.html"])
    assert "2024-03-29, settlement" in words
    assert "2023-06-30" not in words


# -- Basis, stocks, the quarterly charts ----------------------------------------------------


def test_basis_and_rate_by_grade(small, small_pages):
    text = small_pages["basis.html"]
    assert trace(chart(text, "Basis 基差"), "553") == {
        "2024-05-14": 1_000, "2024-05-15": None, "2024-05-16": 900}
    shown = trace(chart(text, "Basis rate"), "553")["2024-05-14"]
    assert shown == pytest.approx(100 * 1_000 / 13_000, abs=1e-5)
    rows = basis_by_grade(small).dropna(subset=["rate"])
    assert rows["rate"].iloc[0] == pytest.approx(1_000 / 13_000)
    assert "553, standard 2022 2024-05-16 si2407 13,100 13,100 12,200 +900 +6.87%" in text_of(text)


def test_a_grade_that_cannot_be_delivered_stands_apart(small_pages):
    text = small_pages["basis.html"]
    basis = [t["name"] for t in chart(text, "Basis 基差")["data"]]
    assert "441" not in basis
    apart = chart(text, "不可交割牌号")
    assert trace(apart, "441")["2024-05-14"] == 13_300


def test_the_ratio_of_paper_to_goods_names_its_contract(small, small_pages):
    text = small_pages["stocks.html"]
    figure = chart(text, "虚实比")
    assert trace(figure, "near contract") == {
        "2024-05-14": 8.0, "2024-05-15": None, "2024-05-16": 18.0}
    near = next(t for t in figure["data"] if "near" in t["name"])
    assert near["text"][0] == "si2407 40,000 t ÷ receipts 5,000 t"
    assert near["text"][1] == ""
    assert paper_ratio(small)["ratio"].iloc[-1] == 18


def test_the_quarterly_charts(small, small_pages):
    text = small_pages["quarter.html"]
    index = trace(chart(text, "Weighted index"), "si")
    want = (12_000 * 8_000 + 12_100 * 4_000) / 12_000
    assert index["2024-05-14"] == pytest.approx(want, abs=1e-5)
    assert list(index.values()) == pytest.approx(list(small.weighted()), abs=1e-5)
    lots = chart(text, "Dominant contract")
    assert list(trace(lots, "volume").values()) == [500, 500, 600]
    assert list(trace(lots, "open interest").values()) == [8_000, 8_100, 9_000]
    assert list(trace(lots, "receipts").values()) == [1_000, None, 500]
    assert "Basis 基差 by grade" in " ".join(charts(text))


def test_no_line_joins_two_standards(sample, found):
    weighted = chart(found["quarter.html"], "Weighted index")
    assert len(weighted["data"]) == 2
    for standard in ("2022", "2024"):
        index = sample.weighted(standard=standard)
        shown = trace(weighted, f"standard {standard}")
        assert [v is None for v in shown.values()] == list(index.isna())
    line = next(t for t in chart(found["basis.html"], "Basis 基差")["data"] if t["name"] == "553")
    leaders = sample.dominant(cross_standard=True)
    switch = f"{leaders[leaders >= 'si2412'].index[0]:%Y-%m-%d}"
    at = line["x"].index(switch)
    # The day stands there twice, first as a gap.
    assert line["x"][at + 1] == switch
    assert line["y"][at] is None
    assert line["y"][at + 1] is not None


# -- Series ---------------------------------------------------------------------------------


def test_a_series_is_never_there_before_it_was_published(small, small_pages):
    figure = chart(small_pages["series.html"], "output over")
    line = next(t for t in figure["data"] if "output" in t["name"])
    assert line["y"] == [None, 40.1, 41.2]
    assert line["line"]["shape"] == "hv"
    assert line["text"] == ["", "of 2024-03-31, published 2024-05-15",
                            "of 2024-04-30, published 2024-05-16"]
    assert [v for v in small.known("output") if v == v] == [40.1, 41.2]


def test_a_revision_of_an_older_day_is_no_news():
    series = pd.DataFrame({
        "name": "stock", "date": ["2024-05-10", "2024-05-03", "2024-05-13"],
        "published_on": ["2024-05-14", "2024-05-15", "2024-05-16"], "value": [10.0, 99.0, 12.0],
        "unit": "kt"})
    market = Market.from_bars(bars([
        (day, "si2407", 12_000, 5, 5) for day in ("2024-05-14", "2024-05-15", "2024-05-16")
    ]), series=series)
    line = chart(drawn(market)["series.html"], "stock over")["data"][1]
    assert line["y"] == [10, 10, 12]
    assert line["text"][1] == "of 2024-05-10, published 2024-05-14"


def test_a_roll_is_a_gap_in_the_price_below_a_series():
    series = pd.DataFrame({"name": ["x"], "date": ["2024-05-13"], "published_on": ["2024-05-13"],
                           "value": [1.0], "unit": ["kt"]})
    market = Market.from_bars(bars([
        ("2024-05-14", "si2407", 12_000, 5, 50), ("2024-05-15", "si2408", 12_400, 5, 60),
    ]), series=series)
    line = chart(drawn(market)["series.html"], "x over")["data"][0]
    assert line["y"] == [12_000, None, 12_400]


# -- What is not there ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare():
    """One contract, closes alone."""
    return Market.from_bars(pd.DataFrame({
        "date": ["2024-05-14", "2024-05-15"], "contract": "si2407", "close": [12_000, 12_050]}))


@pytest.mark.parametrize(("name", "words"), [
    ("term_structure.html", "fewer than two contracts have a price"),
    ("spreads.html", "No two neighbouring contracts"),
    ("matrix.html", "fewer than two contracts have a close"),
    ("basis.html", "it has no spot quotes"),
    ("stocks.html", "The market has no warehouse receipts"),
    ("quarter.html", "there is no weighted index"),
    ("quarter.html", "The volume of the dominant contract is known in no session"),
    ("series.html", "The market has no series"),
])
def test_what_is_missing_is_a_sentence(bare, name, words):
    text = drawn(bare)[name]
    assert words in text_of(text)
    assert '<p class="missing">' in text
    assert charts(text) == {}


def test_only_undeliverable_quotes_are_no_basis(bare):
    spot = pd.DataFrame({"date": ["2024-05-14"], "grade": ["441"], "price": [13_000]})
    market = Market.from_bars(pd.DataFrame({
        "date": ["2024-05-14"], "contract": "si2407", "close": [12_000]}), spot=spot)
    text = drawn(market)["basis.html"]
    assert "it has quotes of 441" in text_of(text)
    assert [title for title in charts(text) if "不可交割牌号" in title] == list(charts(text))


def test_another_product_has_pages_too(shared_market):
    market = load_market(shared_market / "lc_contracts_close_d1.csv")
    found = drawn(market)
    assert "SIMULATED" not in "".join(found.values())
    assert "lc" in next(iter(charts(found["term_structure.html"])))


def test_the_recorded_prices_show_their_known_spreads(shared_market):
    market = load_market(shared_market / "si_contracts_d1.csv")
    text = drawn(market, spreads=["si2411-si2412"], cross_standard=True)["spreads.html"]
    words = text_of(text)
    assert "lowest 最低 2024-10-23 −3,285" in words
    assert "highest 最高 2024-04-17 −2,175" in words
    assert "last 最新 2024-11-14 −2,380" in words


# -- What cannot be asked -------------------------------------------------------------------


@pytest.mark.parametrize(("given", "words"), [
    ({"spreads": ["si2411"]}, "is no spread; write near-far"),
    ({"spreads": ["si2503-si2502"]}, "comes first, as si2502-si2503"),
    ({"spreads": ["si2502-si2502"]}, "the earlier contract comes first."),
    ({"spreads": ["si2411-si2412"]}, "add --cross-standard"),
    ({"on": ["2024-13-01"]}, "is no day; write it as 2024-03-29"),
    ({"on": ["2019-01-02"]}, "is outside the market"),
    ({"on": ["2024-03-30"]}, "a Saturday, is no session; the nearest are 2024-03-29"),
    ({"series": ["outptu"]}, "it has no series"),
    ({"product": "lc"}, "is not in the market"),
])
def test_what_cannot_be_drawn_is_refused(sample, given, words):
    with pytest.raises(SettingError, match=re.escape(words)):
        asked(sample, **given)


def test_an_unknown_contract_is_refused_with_the_nearest(sample):
    with pytest.raises(DataError, match="Did you mean 'si2503'"):
        asked(sample, spreads=["si2502-SI2503"])


def test_an_unknown_series_is_refused_with_the_nearest(small):
    with pytest.raises(SettingError, match="Did you mean 'output'"):
        asked(small, series=["outptu"])


# -- The folder -----------------------------------------------------------------------------


def test_the_folder_holds_the_pages_and_plotly(found, tmp_path):
    folder = write(found, tmp_path / "market")
    assert sorted(p.name for p in folder.iterdir()) == sorted([*PAGES, "plotly.min.js"])
    assert (folder / "index.html").read_text("utf-8") == found["index.html"]
    assert [p.name for p in tmp_path.iterdir()] == ["market"]


def test_old_pages_are_replaced_as_a_whole(found, small_pages, tmp_path):
    write(found, tmp_path / "market")
    write(small_pages, tmp_path / "market")
    assert "SIMULATED" not in (tmp_path / "market" / "series.html").read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["market"]


def test_a_folder_with_anything_else_is_left_alone(found, tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(SettingError, match=r"holds other files \(thesis.docx\)"):
        write(found, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_write_that_fails_leaves_the_old_pages(found, tmp_path, monkeypatch):
    folder = write({"index.html": "old"}, tmp_path / "market")
    monkeypatch.setattr("sibt.report.folder.plotly_js",
                        lambda: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SettingError, match="No space left on device"):
        write(found, tmp_path / "market")
    assert (folder / "index.html").read_text("utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["market"]
