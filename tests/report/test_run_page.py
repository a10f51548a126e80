"""The page of a run, against the tables it is made of."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.language import ZH
from sibt.report.run import run_html, run_page
from sibt.report.run.section import MOST, minus
from sibt.report.run.statement import shown
from sibt.runs.run import run
from sibt.runs.save import figures, key_figures, tables
from sibt.sources import load_market
from sibt.strategy.strategy import Comparison, Param, Report, Strategy

PLOTLY = "../assets/plotly.min.js"
VOID = ("br", "hr", "img", "input", "link", "meta")


class Flip(Strategy):
    """Long for ten sessions, flat for ten."""

    size = Param(1, "lots held", "lots", low=1)

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        on = np.arange(len(market.sessions)) // 10 % 2
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return pd.Series(np.where(life, on * p.size, 0.0), index=market.sessions)


class Never(Flip):
    def units(self, market, p):
        return pd.Series(0.0, index=market.sessions)


HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&'


class Hostile(Flip):
    """Every text a strategy can bring is code."""

    report = Report(title=HOSTILE, publisher=HOSTILE, date=HOSTILE, place=HOSTILE, quote=HOSTILE,
                    leaves_open=(HOSTILE,))
    size = Param(1, HOSTILE, HOSTILE, low=1)
    text = Param(HOSTILE, HOSTILE)

    def legs(self, market, p):
        return {HOSTILE: (pd.Series("si2409", index=market.sessions), 1)}

    def comparisons(self, market, p):
        return [Comparison(HOSTILE, HOSTILE, {"size": 2})]


class Reader(HTMLParser):
    """Tables and words of a page as a reader of one language sees them, by section."""

    def __init__(self, lang):
        super().__init__()
        self.other = {"en": "zh", "zh": "en"}[lang]
        self.open, self.section, self.name = [], "", ""
        self.words, self.tables, self.links, self.ids = {}, [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [attrs[name] for name in ("href", "src") if name in attrs]
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag in VOID:
            return
        hidden = tag in ("script", "style", "title") or self.other in attrs.get("class", "").split()
        self.open.append((tag, hidden or (bool(self.open) and self.open[-1][1])))
        if tag == "section":
            self.section = attrs["id"]
        if tag == "table":
            self.tables.append(SimpleNamespace(
                section=self.section, panel=self.name, caption="", rows=[], marks=[]))
        if tag == "div" and attrs.get("role") == "tabpanel":
            self.name = attrs["id"]
        if tag == "tr":
            self.tables[-1].rows.append([])
            self.tables[-1].marks.append(attrs.get("class", ""))
        if tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag
        if tag in ("dt", "dd", "p", "li", "figcaption"):
            self.words[self.section] = self.words.get(self.section, "") + " "
        if tag == "section":
            self.section = self.name = ""

    def handle_data(self, data):
        if not self.open or self.open[-1][1]:
            return
        self.words[self.section] = self.words.get(self.section, "") + data
        within = [tag for tag, _ in self.open]
        if "caption" in within:
            self.tables[-1].caption += data
        elif "td" in within or "th" in within:
            self.tables[-1].rows[-1][-1] += data


def read(text, lang="en"):
    reader = Reader(lang)
    reader.feed(text)
    assert reader.open == []
    return reader


def tables_of(text, section, lang="en"):
    """Return the tables of a section: each a frame of texts by its head."""
    found = []
    for one in read(text, lang).tables:
        if one.section == section and len(one.rows) > 1:
            frame = pd.DataFrame(one.rows[1:], columns=one.rows[0])
            frame.attrs = {"caption": one.caption, "panel": one.panel, "marks": one.marks[1:]}
            found.append(frame)
    return found


def said(text, section, lang="en"):
    return " ".join(read(text, lang).words.get(section, "").split())


def number(text):
    return np.nan if text == "–" else float(text.replace("−", "-").replace(",", "").rstrip("%"))


def numbers(column):
    return np.array([number(text) for text in column])


def sheet(text):
    part = text[text.index('<div class="day-sheet"'):]
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', part)[1])


def charts_of(text):
    return re.findall(r'<div class="chart"[^>]* data-name="([^"]+)"', text)


def page_of(one, lang="en"):
    return run_html(one, lang, PLOTLY)


@pytest.fixture(scope="module")
def sample():
    return load_market("sample")


@pytest.fixture(scope="module")
def runs(sample):
    """Return a run of each kind, made when first asked for."""
    made = {}
    how = {
        "pair": lambda: run("calendar_reverse", sample),
        "rallies": lambda: run("short_rallies", sample),
        "producer": lambda: run("producer_hedge", sample),
        "trader": lambda: run("trader_hedge", sample),
        "flip": lambda: run(Flip(), sample, {"size": 2}, start="2024-04-01"),
        "called": lambda: run(Flip(), sample, {"size": 30}, capital=170_000),
        "paid": lambda: run(Flip(), sample, {"size": 30}, capital=170_000,
                            account={"on_call": "deposit"}),
        "bust": lambda: run(Flip(), sample, {"size": 60}, capital=170_000,
                            terms={"margin": 0.001}),
        "never": lambda: run(Never(), sample),
        "hostile": lambda: run(Hostile(), sample),
        "legged": lambda: run("calendar_reverse", sample, {"units_held": 400},
                              capital=30_000_000, execution=Execution(pairing="legged")),
    }

    def of(name):
        if name not in made:
            one = how[name]()
            made[name] = one, page_of(one)
        return made[name]

    return of


KINDS = ["pair", "rallies", "producer", "trader", "flip", "called", "paid", "bust", "never",
         "legged"]


@pytest.fixture(params=KINDS)
def each(request, runs):
    return runs(request.param)


# -- The page ------------------------------------------------------------------------------------


def test_a_page_is_whole_and_asks_the_network_for_nothing(each):
    _, text = each
    reader = read(text)
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert not re.search(r"https?:|//[a-z]+\.[a-z]|@import|url\(|fetch\(", text)
    assert len(reader.ids) == len(set(reader.ids))
    inside = {link[1:] for link in reader.links if link.startswith("#")}
    assert inside <= set(reader.ids)


def test_a_page_leads_to_all_that_lies_beside_it(each):
    one, text = each
    beside = {link for link in read(text).links if not link.startswith("#")}
    expected = {"../index.html", "index.html", "tearsheet.html", "manifest.json", "metrics.json",
                PLOTLY, *(f"{name}.csv" for name in tables(one))}
    if one.path.is_file():
        expected.add("strategy.py")
    assert beside == expected


def test_every_section_is_in_the_contents_and_has_something_in_it(each):
    _, text = each
    sections = re.findall(r'<section id="([\w-]+)"', text)
    contents = text[text.index('class="contents"'):text.index("</nav>",
                                                              text.index('class="contents"'))]
    assert re.findall(r'href="#([\w-]+)"', contents) == sections
    for name in sections:
        assert len(said(text, name)) > 10


def test_the_same_run_is_the_same_page(runs, sample):
    assert page_of(run("calendar_reverse", sample)) == runs("pair")[1]


def test_a_page_is_light(each):
    assert len(each[1].encode()) < 700_000


def test_years_in_the_market_every_day_stay_below_two_megabytes(shared_market):
    class Always(Strategy):
        """In the dominant month every day, turning round every third."""

        def legs(self, market, p):
            return {"main": (market.dominant(cross_standard=True), 1)}

        def units(self, market, p):
            return pd.Series(
                np.where(np.arange(len(market.sessions)) // 3 % 2, 1.0, -1.0), market.sessions)

    market = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    one = run(Always(), market, capital=1e7,
              execution=Execution(fill="close", cross_standard=True, participation=None))
    text = page_of(one)
    assert shown(one).sum() > 700
    assert len(one.result.fills) > MOST
    assert len(text.encode()) < 2_000_000
    # The long tables say what they leave out; the sheets of the days leave out nothing.
    assert f"The last {MOST} of {len(one.result.fills):,} rows" in said(text, "orders")
    assert len(sheet(text)["fills"]) == len(one.result.fills)


def test_a_page_is_written_with_its_script_beside_all_runs(runs, tmp_path):
    folder = tmp_path / "results" / "one"
    folder.mkdir(parents=True)
    one, _ = runs("never")
    run_page(one, folder / "index.html", lang="zh")
    text = (folder / "index.html").read_text("utf-8")
    script = re.search(r'src="(\.\./assets/plotly-[\d.]+\.min\.js)"', text)[1]
    assert (folder / script).resolve().is_file()
    assert 'data-lang="zh"' in text


def test_a_page_holds_both_languages(each):
    _, text = each
    for lang in ("en", "zh"):
        words = " ".join(read(text, lang).words.values())
        assert "\ue000" not in words
    assert "Daily settlement statement" in said(text, "statement", "en")
    assert "逐日结算单" not in said(text, "statement", "en")
    assert "逐日结算单" in said(text, "statement", "zh")
    assert "Daily settlement statement" not in said(text, "statement", "zh")


def test_chinese_pages_speak_chinese(runs):
    # What stands in a run's page in English in both languages: names, codes and setting values.
    for name in ("result", "equity", "trips", "months", "margin", "curve", "statement"):
        words = re.sub(
            r"\b(sample|JavaScript|sha256|[0-9a-f]{64}|si\d{4}|statement\.csv)\b", "",
            said(runs("pair")[1], name, "zh"),
        )
        assert not re.search(r"[a-z]{3,}", words), words


def test_texts_of_a_strategy_never_become_code(runs):
    one, _ = runs("hostile")
    assert len(one.result.fills)
    text = page_of(replace(one, notes=(HOSTILE,)))
    assert "<img" not in text
    assert "</script><script>alert" not in text
    reader = read(text)
    assert HOSTILE in reader.words["idea"]
    assert HOSTILE in reader.words["settings"]
    assert HOSTILE in reader.words["compared"]
    assert HOSTILE in reader.words["orders"]
    assert HOSTILE in reader.words["notes"]


# -- The head ------------------------------------------------------------------------------------


def test_the_verdict_holds_the_figures_of_record(each):
    one, text = each
    m, words = one.result.metrics, said(text, "result")
    if m["net_per_tonne"] is None:
        assert "No position was held, so nothing was gained or lost." in words
        return
    units = np.abs(one.result.booked["positions"][:, 0].sum(axis=1)).max()
    verb = "lost" if m["net"] < 0 else "gained"
    whose = "The run" if one.hedge is None else "The futures alone"
    sentence = (
        f"{whose} {verb} {abs(m['net']):,.2f} yuan net: {m['net_per_tonne']:+,.1f} yuan per tonne,"
        f" and {m['net'] / units:+,.2f} yuan for each of the {units:,} units of"
    )
    assert minus(sentence) in words
    assert f"{abs(m['max_drawdown']):.2%}" in words
    assert f"{abs(m['max_drawdown_yuan']):,.2f} yuan from the top" in words
    assert (f"Margin reached {m['peak_margin_exchange']:,.2f} yuan at the exchange's rates and"
            f" {m['peak_margin_broker']:,.2f} at a broker's five points more.") in words


def test_yuan_per_unit_is_that_of_the_list_of_runs(each):
    one, text = each
    kept = key_figures(one)["per_unit"]
    if kept is not None:
        assert minus(f"{kept:+,.2f} yuan for each of the") in said(text, "result")


@pytest.mark.parametrize("name", ["producer", "trader"])
def test_of_a_hedge_goods_and_futures_come_first(runs, name):
    one, text = runs(name)
    h, words = one.hedge.metrics, said(text, "result")
    verb = "lost" if h["hedged"] < 0 else "gained"
    both = f"Goods and futures together {verb} {abs(h['hedged']):,.2f} yuan"
    assert both in words
    assert words.index(both) < words.index("The futures alone")
    assert f"{h['tonnes']:,.0f} t of goods" in words
    assert f"{abs(h['max_drawdown_hedged']):.2%}" in words
    assert charts_of(text)[0] == "hedge"


def test_a_run_that_went_bust_says_so_first(runs):
    one, text = runs("bust")
    assert one.result.bust is not None
    verdict = text[text.index('<p class="verdict">'):]
    assert f"The account was bust on {one.result.bust:%Y-%m-%d}" in verdict[:200]


def test_every_figure_of_the_grid_is_of_record(each):
    one, text = each
    m, words = one.result.metrics, said(text, "result")
    grid = words[words.index("Sharpe ratio"):] + " "
    for name in ("worst_equity", "peak_margin_exchange", "peak_margin_broker"):
        assert minus(f"{m[name]:,.2f} yuan") in grid
    worst = minus(f"{m['worst_day']:+,.2f} yuan")
    assert (f"worst day {worst} on {m['worst_day_on']}" in grid) == (m["worst_day"] != 0)
    for name in ("fees", "slippage"):
        assert f"{m[name]:,.2f} yuan" in words
    assert f"margin calls {m['margin_calls']} " in grid
    assert f"unfilled orders {m['unfilled_orders']} " in grid
    if m["sharpe"] is None:
        assert "Sharpe ratio none" in grid
    else:
        assert minus(f"Sharpe ratio {m['sharpe']:.2f}") in grid


def test_simulated_prices_are_called_so_and_hashed(runs, sample):
    _, text = runs("pair")
    assert "<title>SIMULATED · " in text
    assert text.index("SIMULATED 模拟数据") < text.index("<h1")
    assert f"sha256 {sample.digest}" in said(text, "result")


def test_recorded_prices_are_named_and_hashed(runs):
    one, _ = runs("pair")
    provenance = replace(one.market.provenance, simulated=False, source="prices <2024>.csv",
                         settle_from="close")
    real = replace(one, market=replace(one.market, provenance=provenance))
    text = page_of(real)
    assert "SIMULATED" not in text
    whose = f"prices <2024>.csv, 2022-12-22 to 2024-12-31, sha256 {real.market.digest}."
    assert f"Prices from {whose}" in said(text, "result")
    assert "The close stands in for the exchange's settlement price." in said(text, "result")


def test_the_reports_sentence_stays_in_its_words(runs):
    one, text = runs("pair")
    report = one.strategy.report
    for lang in ("en", "zh"):
        words = said(text, "idea", lang)
        for part in (report.quote, report.title, report.publisher, report.date, report.place):
            assert part in words
    assert f'<blockquote lang="zh">{report.quote}</blockquote>' in text
    assert "Known from 2024-05-14, the dashed line" in said(text, "idea")
    assert "level, stop, target, horizon, ratio of the legs." in said(text, "idea")


@pytest.mark.parametrize(("end", "words"), [
    ("2024-05-13", "after the last session of these data"), (None, "the dashed line"),
])
def test_where_the_idea_became_known_is_said_as_it_is(sample, end, words):
    one = run("calendar_reverse", sample, end=end)
    assert words in said(page_of(one), "idea")


def test_without_a_report_or_a_day_the_page_says_so(runs):
    words = said(runs("flip")[1], "idea")
    assert "The strategy names no report." in words
    assert "names no day on which its idea became known" in words


# -- Charts and their tables ---------------------------------------------------------------------


def test_each_kind_of_run_has_its_charts(runs):
    assert charts_of(runs("pair")[1]) == [
        "equity", "price", "legs", "split", "entry-days", "monthly", "margin", "risk", "curves"]
    assert charts_of(runs("flip")[1]) == [
        "equity", "price", "legs", "monthly", "margin", "risk", "curves"]
    assert charts_of(runs("producer")[1]) == [
        "hedge", "equity", "price", "legs", "monthly", "margin", "risk", "curves"]
    assert charts_of(runs("never")[1]) == []
    assert "No position was held, so there is nothing to draw." in said(runs("never")[1], "equity")


def test_profit_by_leg_is_that_of_the_run_and_adds_up(each):
    one, text = each
    if one.result.metrics["net_per_tonne"] is None:
        return
    frame, legs = tables_of(text, "legs")[0], one.result.by_leg
    assert frame["leg"].tolist() == [*legs.index, "all legs"]
    for head, name in (("profit before fees", "profit"), ("fees", "fees"),
                       ("slippage", "slippage"), ("net result", "net")):
        np.testing.assert_allclose(numbers(frame[head]), [*legs[name], legs[name].sum()],
                                   atol=0.005)


def test_a_spreads_result_is_split_in_one_sentence(runs):
    one, text = runs("pair")
    parts = one.result.attribution[["spread_move", "flat_price"]].sum()
    words = said(text, "legs")
    gross = one.result.metrics["gross"]
    assert minus(
        f"Of {gross:+,.2f} yuan before fees the spread's own move made {parts.iloc[0]:+,.2f} and"
        f" the level of prices {parts.iloc[1]:+,.2f}"
    ) in words
    assert "spread's own move" not in said(runs("flip")[1], "legs")


def test_months_add_up_to_the_result(each):
    one, text = each
    if one.result.metrics["net_per_tonne"] is None:
        return
    frame = tables_of(text, "months")[-1]
    body = frame.iloc[:-1, 1:-1].map(number)
    totals = frame.map(lambda cell: cell).iloc[-1, 1:]
    assert np.nansum(body.to_numpy()) == pytest.approx(one.result.metrics["net"], abs=10)
    assert number(totals.iloc[-1]) == pytest.approx(one.result.metrics["net"], abs=0.5)
    daily = one.result.statement["mtm"] - one.result.statement["fees"]
    june = daily[(daily.index.year == 2024) & (daily.index.month == 6)].sum()
    assert number(frame.set_index("year").at["2024", "Jun"]) == pytest.approx(june, abs=0.5)


def test_the_months_of_a_hedge_are_those_of_goods_and_futures_too(runs):
    one, text = runs("producer")
    both, futures = tables_of(text, "months")
    assert number(both.iloc[-1, -1]) == pytest.approx(one.hedge.metrics["hedged"], abs=0.5)
    assert number(futures.iloc[-1, -1]) == pytest.approx(one.result.metrics["net"], abs=0.5)


def test_of_many_trips_one_curve_is_chosen(runs):
    one, text = runs("flip")
    trips = one.result.round_trips
    assert len(trips) > 2
    assert re.findall(r'<option value="(\d+)">([^<]*)<', text) == [
        (str(n), minus(f"{n + 1}: {trip.entry:%Y-%m-%d}, {trip.net:+,.0f}"))
        for n, trip in enumerate(trips.itertuples())
    ]
    assert '<p class="choose trip"' not in runs("pair")[1]


def test_margin_calls_are_listed_as_they_came(runs):
    one, text = runs("called")
    called = one.result.statement[one.result.statement["margin_call"] > 0]
    assert len(called) > 3
    frame = tables_of(text, "margin")[0]
    assert frame["session"].tolist() == called.index.strftime("%Y-%m-%d").tolist()
    np.testing.assert_allclose(numbers(frame["margin call"]), called["margin_call"])
    assert "closing lots in the next session" in frame.attrs["caption"]
    assert f"There were {len(called)} margin calls" in said(text, "result")
    assert "There was no margin call." in said(runs("pair")[1], "margin")


def test_calls_answered_with_money_say_so(runs):
    one, text = runs("paid")
    assert one.result.metrics["deposits"] > 0
    frame = tables_of(text, "margin")[0]
    assert "paid in the same evening" in frame.attrs["caption"]
    assert numbers(frame["paid in or out"]).sum() == pytest.approx(
        one.result.metrics["deposits"])


# -- Trades --------------------------------------------------------------------------------------


def test_comparisons_stand_beside_the_run(runs):
    one, text = runs("pair")
    frame, own = tables_of(text, "compared")[0], one.comparisons
    assert frame["held against"].tolist() == ["this run", *own["name"]]
    assert frame["role"].tolist() == ["", *own["role"]]
    np.testing.assert_allclose(
        numbers(frame["net result"]), [one.result.metrics["net"], *own["net"]], atol=0.005)
    np.testing.assert_allclose(
        numbers(frame["yuan per tonne"]),
        [one.result.metrics["net_per_tonne"], *own["net_per_tonne"]], atol=0.05)
    assert "not available" in frame["note"].iloc[2]
    assert minus(f"made {one.excess:+,.1f} yuan per tonne more than the mean of its controls") in (
        said(text, "compared"))


def test_a_hedges_benchmarks_are_goods_and_futures(runs):
    one, text = runs("producer")
    frame = tables_of(text, "compared")[0]
    np.testing.assert_allclose(
        numbers(frame["goods + futures"]),
        [one.hedge.metrics["hedged"], *one.comparisons["hedged"]], atol=0.005)


def test_a_few_trips_show_the_rank_of_their_entry_and_no_ratio(runs):
    one, text = runs("pair")
    days = one.few_days
    rank = int(days.loc[days["chosen"], "rank"].iloc[0])
    words = said(text, "compared")
    assert f"the chosen day ranks {rank} of {len(days)}" in words
    assert minus(f"{days['net'].min():+,.0f} to {days['net'].max():+,.0f} yuan") in words
    assert figures(one)["entry_day"]["rank"] == rank
    assert "Sortino" not in said(text, "result")
    assert "entry-days" not in charts_of(runs("flip")[1])


def test_every_round_trip_stands_with_its_worst_and_best_point(each):
    one, text = each
    trips = one.result.round_trips
    if trips.empty:
        return
    frame = tables_of(text, "trips")[0]
    assert frame["entry"].tolist() == trips["entry"].dt.strftime("%Y-%m-%d").tolist()
    exits = trips["exit"].dt.strftime("%Y-%m-%d").fillna("still open").tolist()
    assert frame["exit"].tolist() == exits
    several = len(one.result.job.legs) > 1
    for head, name in (
        ("units", "units"), ("spread in" if several else "price in", "entry_spread"),
        ("spread out" if several else "price out", "exit_spread"), ("before fees", "gross"),
        ("fees", "fees"), ("net result", "net"), ("worst point", "worst"),
        ("best point", "best"), ("sessions", "sessions"), ("rolls", "rolls"),
    ):
        np.testing.assert_allclose(numbers(frame[head]), trips[name], atol=0.005)


def test_an_open_trip_is_called_open(sample):
    one = run("calendar_reverse", sample, end="2024-08-01")
    assert tables_of(page_of(one), "trips")[0]["exit"].tolist() == ["still open"]


def test_fills_stand_as_they_were_booked(each):
    one, text = each
    fills = one.result.fills
    if fills.empty:
        assert "Nothing was filled." in said(text, "orders")
        return
    frame = tables_of(text, "orders")[-1]
    assert frame["session"].tolist() == fills["session"].dt.strftime("%Y-%m-%d").tolist()
    assert frame["contract"].tolist() == fills["contract"].tolist()
    assert frame["side"].tolist() == fills["side"].tolist()
    assert frame["reason"].tolist() == fills["reason"].tolist()
    for head, name in (("lots", "lots"), ("fill price", "price"), ("fees", "fee")):
        np.testing.assert_allclose(numbers(frame[head]), fills[name])


def test_unfilled_orders_are_counted_by_reason_and_listed(runs):
    one, text = runs("producer")
    orders = one.result.unfilled
    counted, listed = tables_of(text, "orders")[:2]
    assert counted["orders"].map(number).sum() == len(orders)
    assert counted["lots missed"].map(number).sum() == (
        orders["wanted"] - orders["filled"]).abs().sum()
    np.testing.assert_allclose(numbers(listed["lots wanted"]), orders["wanted"])
    np.testing.assert_allclose(numbers(listed["lots filled"]), orders["filled"])
    assert set(listed["reason"]) == {"volume too small"}
    assert "Every order was filled whole." in said(runs("pair")[1], "orders")


# -- The statement -------------------------------------------------------------------------------


HEADS = {
    "by-day": ["previous balance", "closed profit", "profit of held lots", "fees",
               "paid in or out", "equity", "margin used", "available", "risk degree",
               "margin call"],
    "by-trade": ["previous balance", "closed profit", "floating profit", "fees",
                 "paid in or out", "equity", "margin used", "available", "risk degree",
                 "margin call"],
}
BROKER = ["上日结存", "平仓盈亏", "持仓盯市盈亏", "手续费", "出入金", "客户权益", "保证金占用",
          "可用资金", "风险度", "追加保证金"]


def test_the_statement_is_that_of_the_account_settled_both_ways(each):
    one, text = each
    active = shown(one)
    if not active.any():
        assert "Nothing was held, traded or moved" in said(text, "statement")
        return
    own = {"by-day": one.result.statement, "by-trade": one.result.by_trade}
    columns = ["previous", "closed_pnl", "", "fees", "deposit", "equity", "margin", "available",
               "risk", "margin_call"]
    open_ = {"by-day": "held_pnl", "by-trade": "floating_pnl"}
    settled = [f for f in tables_of(text, "statement") if "session" in f]
    assert [frame.attrs["panel"] for frame in settled] == list(HEADS)
    for frame in settled:
        name = frame.attrs["panel"]
        kept = own[name][active]
        assert frame.columns.tolist() == ["session", *HEADS[name]]
        assert frame["session"].tolist() == kept.index.strftime("%Y-%m-%d").tolist()
        for head, column in zip(HEADS[name], columns, strict=True):
            scale = 100 if column == "risk" else 1
            np.testing.assert_allclose(numbers(frame[head]), kept[column or open_[name]] * scale,
                                       atol=0.00501 if scale > 1 else 1e-6)
        calls = [mark == "wrong" for mark in frame.attrs["marks"]]
        assert calls == (kept["margin_call"] > 0).tolist()


def test_a_broker_of_the_mainland_would_know_the_columns(runs):
    by_day, by_trade = [f for f in tables_of(runs("pair")[1], "statement", "zh") if "交易日" in f]
    assert by_day.columns.tolist() == ["交易日", *BROKER]
    assert by_trade.columns.tolist() == ["交易日", *BROKER[:2], "浮动盈亏", *BROKER[3:]]
    words = said(runs("pair")[1], "statement", "zh")
    for name in ("逐日盯市", "逐笔对冲", "资金状况", "成交记录", "持仓汇总"):
        assert name in words


def test_sessions_in_which_nothing_stood_or_moved_are_left_out_and_counted(runs):
    one, text = runs("pair")
    active = shown(one)
    s = one.result.statement
    held = set(one.result.positions["session"]) | set(one.result.fills["session"])
    assert set(s.index[active]) == held
    assert f"{active.sum()} sessions in which" in said(text, "statement")
    assert f"{(~active).sum()} others are left out" in said(text, "statement")
    assert (s["equity"].diff()[~active].fillna(0) == 0).all()


def test_the_tabs_are_tabs_to_a_screen_reader(runs):
    text = runs("pair")[1]
    tabs = re.findall(r'role="tab" id="([\w-]+)" aria-controls="([\w-]+)" aria-selected="(\w+)"',
                      text)
    assert tabs == [("tab-by-day", "by-day", "true"), ("tab-by-trade", "by-trade", "false")]
    for tab, panel, _ in tabs:
        assert f'role="tabpanel" id="{panel}" aria-labelledby="{tab}"' in text
    # Without a script, and on paper, both are there.
    assert not re.search(r'role="tabpanel"[^>]*hidden', text)


def test_a_days_sheet_is_that_of_the_fills(each):
    one, text = each
    fills = one.result.fills
    if fills.empty:
        return
    data, days = sheet(text), one.result.statement.index[shown(one)]
    size = one.result.job.terms.multiplier
    assert len(data["fills"]) == len(fills)
    for row, fill in zip(data["fills"], fills.itertuples(), strict=True):
        day, code, signed, offset, price, turnover, fee, by_day, by_trade, reason = row
        assert days[day] == fill.session
        assert data["contracts"][code] == fill.contract
        assert signed == fill.lots * (1 if fill.side == "buy" else -1)
        assert data["offsets"][offset] == fill.offset
        assert data["reasons"][reason] == fill.reason
        assert price == round(fill.price * 100)
        assert fee == round(fill.fee * 100)
        assert turnover == price * fill.lots * size[code]
        assert (by_day is None) == (by_trade is None) == (fill.offset == "open")


def test_the_sheets_of_all_days_add_up_to_both_statements(each):
    one, text = each
    if one.result.fills.empty:
        return
    data, active = sheet(text), shown(one)
    by_day, by_trade = one.result.statement[active], one.result.by_trade[active]
    found = {name: np.zeros(active.sum(), dtype=np.int64) for name in
             ("closed", "closed by trade", "marked", "floating", "fees")}
    for day, *_, fee, marked, traded, _ in data["fills"]:
        found["fees"][day] += fee
        found["closed"][day] += marked or 0
        found["closed by trade"][day] += traded or 0
    for day, *_, marked, floating, _ in data["held"]:
        found["marked"][day] += marked
        found["floating"][day] += floating
    for name, column in (("closed", by_day["closed_pnl"]), ("marked", by_day["held_pnl"]),
                         ("closed by trade", by_trade["closed_pnl"]),
                         ("floating", by_trade["floating_pnl"]), ("fees", by_day["fees"])):
        np.testing.assert_array_equal(found[name], (column * 100).round().astype("int64"), name)


def test_a_days_sheet_holds_the_positions_at_settlement(each):
    one, text = each
    if one.result.fills.empty:
        return
    data, days = sheet(text), one.result.statement.index[shown(one)]
    positions, prices = one.result.positions, one.result.job.prices
    sessions, size = one.market.sessions, one.result.job.terms.multiplier
    assert len(data["held"]) == len(positions)
    for row, own in zip(data["held"], positions.itertuples(), strict=True):
        day, code, lots, opened, before, settle, _, floating, margin = row
        assert days[day] == own.session
        assert data["contracts"][code] == own.contract
        assert lots == own.lots
        assert settle == round(own.settle * 100)
        assert before == prices.settle[sessions.get_loc(own.session) - 1, code]
        assert margin == round(own.margin * 100)
        assert floating == pytest.approx(lots * (settle - opened) * size[code],
                                         abs=1 + abs(lots) * 0.001)


def test_lots_opened_and_closed_on_one_day_count_from_their_fill():
    from sibt.report.run.statement import _closed_by_day

    # Bought 3 at 100 and 3 at 110 today beside 5 held; 5 held and then 2 of today's are sold.
    fills = np.array([
        [1, 0, 0, 3, 100_00, 0, 0, 0], [1, 0, 0, 3, 110_00, 0, 0, 0],
        [1, 0, 0, -5, 120_00, 0, 1, 0], [1, 0, 0, -2, 120_00, 0, 2, 0],
        [1, 0, 0, -4, 90_00, 0, 2, 0],
    ])
    before = np.array([[0], [95_00]])
    closed = _closed_by_day(fills, np.array([5]), before)
    assert closed.tolist() == [0, 0, 5 * 25_00 * 5, 2 * 15_00 * 5, 4 * -15_00 * 5]


# -- Notes, data, settings -----------------------------------------------------------------------


def test_every_warning_and_note_stands_in_both_languages(each):
    one, text = each
    spoken = one.warnings
    for sentence in spoken:
        assert minus(sentence) in read(text, "en").words["notes"]
        assert minus(ZH(sentence)) in read(text, "zh").words["notes"]
    assert ("There is nothing to warn of." in said(text, "notes")) == (not spoken)
    assert ('href="#notes">' in text[text.index('id="result"'):]) == bool(spoken)


def test_every_diagnosis_stands_after_the_result_with_why_and_what_to_do(each):
    one, text = each
    ids = re.findall(r'<section id="(\w+)"', text)
    assert ids[:2] == ["result", "diagnosis"]
    english, chinese = (read(text, lang).words["diagnosis"] for lang in ("en", "zh"))
    for found in one.diagnosis:
        assert minus(found.issue) in english
        assert minus(found.why) in english
        assert f"→ {found.cure}" in english
        assert minus(ZH(found.issue)) in chinese
        assert f"→ {ZH(found.cure)}" in chinese
    assert ("The doctor found nothing" in english) == (not one.diagnosis)
    for word in (word for found in one.diagnosis for word in found.instead):
        assert minus(word) not in read(text, "en").words["notes"]


def test_findings_are_those_of_the_contracts_and_the_rest_is_counted(runs):
    one, text = runs("pair")
    codes = one.result.job.contracts
    found = [replace(one.findings[0], severity="doubtful", subject=codes[0], what="<b> odd",
                     cure="look"), *one.findings]
    changed = replace(one, findings=tuple(found))
    frame = tables_of(page_of(changed), "findings")[0]
    assert frame["what was found"].tolist() == ["<b> odd→ look"]
    assert frame["severity"].tolist() == ["doubtful"]
    assert f"{len(one.findings)} more elsewhere in these data" in said(page_of(changed), "findings")
    assert "found nothing in the contracts of this run" in said(text, "findings")


def test_parameters_stand_with_unit_and_meaning_and_changed_ones_are_marked(runs):
    _, text = runs("flip")
    parameters = tables_of(text, "settings")[0]
    assert parameters.iloc[0].tolist() == ["size", "2", "1", "lots", "lots held"]
    assert parameters.attrs["marks"] == ["note"]
    frame = tables_of(runs("pair")[1], "settings")[0]
    declared = runs("pair")[0].strategy.declared()
    assert frame["parameter"].tolist() == list(declared)
    assert frame["what it does"].tolist() == [param.meaning for param in declared.values()]
    assert frame.set_index("parameter").at["year", "value"] == "2024"
    assert frame.set_index("parameter").at["z_exit", "value"] == "none"
    assert set(frame.attrs["marks"]) == {""}


def test_every_setting_stands_with_its_meaning(runs):
    one, text = runs("bust")
    frame = tables_of(text, "settings")[1].set_index("setting")
    assert set(vars(Account())) | set(vars(Execution())) <= set(frame.index)
    assert frame.at["capital", "value"] == "170,000"
    assert frame.at["margin", "value"] == "0.001"
    assert (frame["what it does"] != "").all()
    made = tables_of(text, "settings")[2].set_index("made with")["version or hash"]
    assert made["sha256 of the data"] == one.market.digest
    window = tables_of(runs("flip")[1], "settings")[1].set_index("setting")
    assert window.at["from", "value"] == "2024-04-01"
