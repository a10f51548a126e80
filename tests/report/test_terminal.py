import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sibt.engine.account import Account
from sibt.engine.execution import Execution
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


def printed(one, *, terminal: bool = False, width: int | None = None) -> str:
    out = io.StringIO()
    console = Console(file=out, highlight=False, force_terminal=terminal, width=width,
                      color_system=None)
    show(one, Path("results/20241231-000000-x"), console, 1.25, "sibt run x")
    return out.getvalue()


def flat(one) -> str:
    return " ".join(printed(one).split())


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
        assert f"{reason}: {len(rows)}× ({lots:,} lots)" in said


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
        for word in (*one.notes, *one.result.warnings):
            assert " ".join(word.split()) in said


def test_the_files_are_named_last(reverse):
    lines = [line for line in printed(reverse).splitlines() if line.strip()]
    assert "Written in 1.2 s: results/20241231-000000-x" in lines[-3:]
    assert "Tear sheet: results/20241231-000000-x/tearsheet.html" in lines[-3:]


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
    long = ("Written", "Tear sheet", "Real prices", "note", "“")
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
