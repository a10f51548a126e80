import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.language import EN, ZH
from sibt.report import charts
from sibt.report.run.trades import unfilled
from sibt.report.shortfalls import why
from sibt.report.terminal import show
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.strategy import Comparison, Report, Strategy


class Flip(Strategy):
    every = 10

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        on = np.arange(len(market.sessions)) // self.every % 2
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return pd.Series(np.where(life, on, 0.0), index=market.sessions)


class Quick(Flip):
    every = 2


class Never(Flip):
    def units(self, market, p):
        return pd.Series(0.0, index=market.sessions)


class Open(Flip):
    def units(self, market, p):
        return pd.Series(1.0, index=market.sessions)


class Bracketed(Flip):
    report = Report(title="[red]t[/red]", publisher="[p]", date="2024-01-02", place="[/]",
                    quote="[1] a quotation")

    def comparisons(self, market, p):
        return [Comparison("[bold] control", "control", {})]


class Flawed(Flip):
    def comparisons(self, market, p):
        return [Comparison("nothing", "placebo", {"no": 1})]


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


def printed(one, *, terminal: bool = False, width: int | None = None, t=EN) -> str:
    out = io.StringIO()
    console = Console(file=out, highlight=False, force_terminal=terminal, width=width,
                      color_system=None)
    show(one, Path("results/20241231-000000-x"), console, 1.25, "sibt run x", t)
    return out.getvalue()


def flat(one, t=EN) -> str:
    return " ".join(printed(one, t=t).split())


@pytest.fixture(scope="module")
def reverse(market):
    return run("calendar_reverse", market)


@pytest.fixture(scope="module")
def hedged(market):
    return run("producer_hedge", market)


def test_it_says_that_the_data_are_simulated(reverse):
    assert re.search(r"^data\s+SIMULATED sample", printed(reverse), flags=re.M)


def test_every_line_of_figures_bears_its_name(reverse):
    said = printed(reverse)
    for name in ("net result", "paid", "round trips", "Sharpe", "worst day", "drawdown",
                 "peak margin", "margin calls", "unfilled", "two books", "data", "account"):
        assert re.search(rf"^{name}\s", said, flags=re.M), name


def test_money_is_printed_with_its_unit(reverse):
    m = reverse.result.metrics
    said = flat(reverse)
    assert f"net result {m['net']:+,.2f} yuan ({m['net_per_tonne']:+,.1f} yuan/t" in said
    assert f"fees {m['fees']:,.2f} (at a broker's 2×: {m['fees_at_broker']:,.2f})" in said


def test_margin_is_printed_at_both_standards_and_both_readings(reverse):
    m = reverse.result.metrics
    said = flat(reverse)
    assert f"{m['peak_margin_exchange']:,.2f} at the exchange's rates" in said
    assert f"{m['peak_margin_broker']:,.2f} at a broker's +5 points" in said
    if m["peak_margin_exchange_open_reading"] != m["peak_margin_exchange"]:
        assert f"other reading {m['peak_margin_exchange_open_reading']:,.2f}" in said


def test_a_spread_is_told_leg_by_leg(reverse):
    said = flat(reverse)
    for leg, row in reverse.result.by_leg.iterrows():
        assert f"{leg} {row['profit']:+,.2f}" in said


def test_a_single_contract_has_no_table_of_legs(market):
    assert "by leg" not in printed(run(Flip(), market))


def test_few_trips_have_no_sharpe_but_an_entry_days_rank(reverse):
    said = flat(reverse)
    assert "Sharpe none: fewer than three round trips" in said
    assert re.search(r"entry day rank \d+ of \d+ possible days", said)


def test_three_trips_have_a_sharpe_and_no_rank(market):
    one = run(Flip(), market)
    said = flat(one)
    assert f"Sharpe {one.result.metrics['sharpe']:.2f} a year of 242 sessions" in said
    assert "entry day rank" not in said


def test_of_many_trips_the_last_ten_are_shown(market):
    one = run(Quick(), market)
    count = len(one.result.round_trips)
    assert count > 10
    said = printed(one)
    assert f"the last 10 of {count} round trips" in said
    lines = re.findall(r"^\d{2}-\d{2}-\d{2} \d{2}-\d{2}-\d{2} ", said, flags=re.M)
    assert len(lines) == 10
    last = one.result.round_trips["entry"].iloc[-1]
    assert f"{last:%y-%m-%d}" in said


def test_a_trip_that_is_not_over_is_called_open(market):
    said = flat(run(Open(), market, start="2024-05-15", end="2024-06-28"))
    assert "round trips 1 (0 won, 1 still open)" in said
    assert "24-05-15 open" in said


def test_a_run_without_a_position_says_so_and_prints_no_trip(market):
    said = printed(run(Never(), market))
    assert "no position was held" in said
    assert "in at" not in said
    assert "nan" not in said.lower().replace("finance", "")


def test_what_did_not_fill_is_counted_by_reason(hedged):
    said = flat(hedged)
    table = hedged.result.unfilled
    for reason, rows in table.groupby("reason"):
        lots = (rows["wanted"] - rows["filled"]).abs().sum()
        assert f"{why(reason, EN)}: {len(rows)}× ({lots:,} lots)" in said


def test_terminal_page_and_chart_say_alike_why_an_order_did_not_fill(hedged):
    (reason,) = set(hedged.result.unfilled["reason"])
    for t in (EN, ZH):
        word = why(reason, t)
        assert word in flat(hedged, t)
        assert f"<td>{word}</td>" in unfilled(hedged, t)
        crosses = next(one for one in charts.price(hedged, t).data
                       if one.meta and one.meta["kind"] == "unfilled")
        assert all(word in text for text in crosses.text)


def test_a_margin_call_is_printed_with_what_was_paid_in(market):
    one = run(Open(), market, capital=7_000, account=Account(on_call="deposit"),
              start="2024-01-08", end="2024-07-31")
    m = one.result.metrics
    assert m["margin_calls"] > 0
    assert f"the largest {m['largest_call']:,.2f} yuan; paid in {m['deposits']:,.2f}" in flat(one)


def test_comparisons_are_printed_with_role_and_yuan_a_tonne(reverse):
    said = flat(reverse)
    for row in reverse.comparisons.itertuples():
        assert f"{row.name} {row.role}" in said
        if row.note == "":
            assert f"{row.net:+,.2f} {row.net_per_tonne:+,.1f}" in said
    assert f"Excess over the controls: {reverse.excess:+,.1f} yuan/t" in said


def test_a_comparison_that_could_not_be_run_says_why(market):
    said = flat(run(Flawed(), market))
    assert "nothing placebo not available: Flawed has no parameter 'no'" in said


def test_a_hedge_is_goods_and_futures_first(hedged):
    said = printed(hedged)
    m = hedged.hedge.metrics
    assert f"{m['hedged']:+,.2f} yuan" in said
    assert said.index("goods + futures") < said.index("goods alone") < said.index("futures alone")
    assert f"spot unknown {m['unknown_spot']} sessions" in " ".join(said.split())


def test_notes_and_warnings_are_all_printed(reverse, hedged):
    for one in (reverse, hedged):
        said = flat(one)
        told = {word for found in one.diagnosis for word in found.instead}
        assert {*one.notes, *one.result.warnings} == {*one.warnings, *told}
        for word in one.warnings:
            assert " ".join(word.split()) in said
        assert not any(word in said for word in told)


def test_the_gravest_three_diagnoses_are_printed_with_their_cures(hedged, market):
    said = printed(hedged)
    assert [one.name for one in hedged.diagnosis] == ["unfilled", "thin", "left_late"]
    for one in hedged.diagnosis:
        assert f"diagnosis {one.issue}\n  → {one.cure}\n" in said
        assert one.why not in said
    assert "more on the page" not in said
    many = run("short_rallies", market, {"light": 0.9}, capital=120_000, start="2024-06-03")
    names = [one.name for one in many.diagnosis]
    assert len(names) > 3
    said = printed(many)
    assert said.count("\n  → ") == 3
    assert f"diagnosis {len(names) - 3} more on the page" in said


def test_a_run_without_a_diagnosis_says_so_in_a_line(reverse):
    well = replace(reverse)
    vars(well)["diagnosis"] = ()
    said = printed(well)
    assert said.count("diagnosis") == 1
    assert "diagnosis nothing found that makes the result doubtful\n" in said


def test_the_files_are_named_last(reverse):
    lines = [line for line in printed(reverse).splitlines() if line.strip()]
    assert lines[-4:-1] == [
        "Written in 1.2 s: results/20241231-000000-x",
        "Page: results/20241231-000000-x/index.html",
        "Tear sheet: results/20241231-000000-x/tearsheet.html",
    ]


def test_own_data_are_not_called_simulated(reverse):
    provenance = replace(reverse.market.provenance, simulated=False, source="mine")
    said = printed(replace(reverse, market=replace(reverse.market, provenance=provenance)))
    assert "SIMULATED" not in said
    assert "Real prices:" not in said
    assert re.search(r"^data\s+mine, ", said, flags=re.M)


def test_words_of_a_strategy_are_no_markup(market):
    said = printed(run(Bracketed(), market))
    for words in ("[1] a quotation", "[red]t[/red]", "[p]", "[bold] control"):
        assert words in said


def test_a_source_with_brackets_in_its_name_is_shown_whole(reverse):
    provenance = replace(reverse.market.provenance, source="prices [2024]/bars[/].csv")
    said = printed(replace(reverse, market=replace(reverse.market, provenance=provenance)))
    assert "prices [2024]/bars[/].csv" in said


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_nothing_is_wider_than_the_terminal_but_lines_to_copy(reverse, width):
    long = ("Written", "Page", "Tear sheet", "Real prices", "note", "diagnosis", "  →", "“")
    for line in printed(reverse, terminal=True, width=width).splitlines():
        if not line.startswith(long):
            assert len(line) <= width


@pytest.mark.parametrize("width", [80, 100])
def test_numbers_are_not_cut_short_in_a_narrow_terminal(reverse, hedged, width):
    for one in (reverse, hedged):
        said = printed(one, terminal=True, width=width)
        assert "…" not in said
        assert f"{one.result.metrics['net']:+,.2f}" in said


def test_the_same_run_prints_the_same(reverse, market):
    assert printed(run("calendar_reverse", market)) == printed(reverse)


def test_settings_of_the_run_do_not_change_the_names(market):
    one = run("calendar_reverse", market, execution=Execution(pairing="legged"))
    assert "two books" in printed(one)


# -- In Chinese --------------------------------------------------------------------------------

#: What stays as it is in Chinese: names, codes and commands.
NAMES = re.compile(
    r"sibt( (run|check|data( pull| import| check| show)?|new)|\.contract)?\b|--fill close"
    r"|--at-expiry deliver|--kind company 或 hedger|--\w+"
    r"|comparisons\(\)|\w+\.csv|FILE|sample|akshare|results/\S+"
    r"|(si|Si|SI)\d{4}|calendar_reverse|producer_hedge|\b[0-9a-f]{12}\b|test_terminal\.py"
)


@pytest.fixture(scope="module")
def chinese(market, reverse, hedged):
    """Runs that print every kind of line between them."""
    call = run(Open(), market, capital=7_000, account=Account(on_call="deposit"),
               start="2024-01-08", end="2024-07-31")
    legged = run("calendar_reverse", market, execution=Execution(pairing="legged"))
    unknown = run("producer_hedge", market, {"program": "constant"}, end="2024-06-28")
    return [reverse, hedged, run(Flip(), market), run(Quick(), market), run(Never(), market),
            run(Open(), market, start="2024-05-15", end="2024-06-28"), call, legged, unknown]


def test_no_english_is_left_in_chinese(chinese):
    for one in chinese:
        said = printed(one, t=ZH).replace(str(one.path), "")
        words = re.findall("[A-Za-z]{2,}", NAMES.sub("", said))
        assert words == []


def test_no_english_is_left_in_what_is_said_of_recorded_prices(shared_market):
    recorded = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    said = printed(run("short_rallies", recorded, execution=Execution(fill="close")), t=ZH)
    assert "疑点（结算价越界），si2411" in said
    said = re.sub("“.*?”|行情来源.*", "", said.replace(str(shared_market), ""))
    said = re.sub(r"si_contracts_d1\.csv|short_rallies|--data", "", said)
    assert re.findall("[A-Za-z]{2,}", NAMES.sub("", said)) == []


def test_both_languages_tell_the_same_numbers(chinese):
    number = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?%?")
    for one in chinese:
        english, simplified = (printed(one, t=t) for t in (EN, ZH))
        # Chinese says 两倍 and 加收 5 个百分点.
        english = english.replace("2×", "").replace("+5 points", "5 points")
        assert sorted(number.findall(english)) == sorted(number.findall(simplified))


def test_figures_bear_the_names_of_the_trade(reverse, hedged):
    said = flat(reverse, ZH)
    m = reverse.result.metrics
    assert f"净盈亏 {m['net']:+,.2f} 元（按最大持仓 {m['net_per_tonne']:+,.1f} 元/吨）" in said
    assert f"手续费 {m['fees']:,.2f} 元" in said
    assert f"保证金占用峰值 按交易所标准 {m['peak_margin_exchange']:,.2f} 元" in said
    assert "夏普比率 无：完整交易不足三次" in said
    assert "个人客户" in said
    for word in ("最大回撤", "追加保证金次数", "未成交", "滑点", "安慰剂", "模拟数据"):
        assert word in said
    assert "超出成交量占比 24 次" in flat(hedged, ZH)
    assert "平均套保比例" in flat(hedged, ZH)


def test_a_trip_that_is_not_over_is_held_and_no_opening(market):
    said = flat(run(Open(), market, start="2024-05-15", end="2024-06-28"), ZH)
    assert "24-05-15 持仓中" in said


def test_notes_are_sentences_in_chinese_too(reverse, hedged):
    assert "保证金标准有两种解读：由 6/8/7 上调至 7/9/8 的日期不详" in flat(reverse, ZH)
    assert "账户资金按套保规模测算：1200 手 × 5 吨/手" in flat(hedged, ZH)


def test_why_a_comparison_is_missing_is_said_in_chinese(reverse, market):
    assert "无从比较：没有持仓；行情为 2022-12-22 至 2024-12-31" in flat(reverse, ZH)
    # An error is the one thing that stays English.
    assert "无从比较：Flawed has no parameter 'no'" in flat(run(Flawed(), market), ZH)


def test_words_of_a_strategy_are_no_markup_in_chinese(market):
    said = printed(run(Bracketed(), market), t=ZH)
    for words in ("[1] a quotation", "《[red]t[/red]》", "[p]", "[bold] control"):
        assert words in said


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_wide_characters_count_twice(reverse, width):
    long = ("用时", "运行页面", "绩效报告", "换用真实行情", "提示", "诊断", "  →", "“")
    said = printed(reverse, terminal=True, width=width, t=ZH)
    for line in said.splitlines():
        if not line.startswith(long):
            assert cell_len(line) <= width


@pytest.mark.parametrize("width", [80, 100])
def test_chinese_numbers_are_not_cut_short_in_a_narrow_terminal(reverse, hedged, width):
    for one in (reverse, hedged):
        said = printed(one, terminal=True, width=width, t=ZH)
        assert "…" not in said
        assert f"{one.result.metrics['net']:+,.2f}" in said
