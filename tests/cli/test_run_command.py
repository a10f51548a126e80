"""``sibt run`` from outside: what it prints, what it writes, and how it ends."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import sibt

from sibt.sources import load_market
from sibt.sources.shipped import shipped

TABLES = ["attribution", "by_leg", "comparisons", "entry_days", "fills", "positions",
          "round_trips", "statement", "statement_by_trade", "unfilled"]
PAGES = ["index.html", "tearsheet.html"]

FLIP = '''
import numpy as np
import pandas as pd

import sibt


class Flip(sibt.Strategy):
    """Long for ten sessions, flat for ten."""

    every = sibt.Param(10, "sessions of each", "sessions", low=1, grid=(10,))

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        on = np.arange(len(market.sessions)) // p.every % 2
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return pd.Series(np.where(life, on, 0.0), index=market.sessions)
'''

STOCK = '''
import pandas as pd

import sibt


class Stock(sibt.Strategy):
    """A stock of 100 t, hedged whole."""

    kind = "hedger"

    def legs(self, market, p):
        return {"si2410": 1}

    def units(self, market, p):
        return pd.Series(-20.0, index=market.sessions)

    def exposure(self, market, p):
        return pd.Series(100.0, index=market.sessions)
'''


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, encoding="utf-8-sig")


def figures(folder: Path) -> dict:
    return json.loads((folder / "results/latest/metrics.json").read_text("utf-8"))


def manifest(folder: Path) -> dict:
    return json.loads((folder / "results/latest/manifest.json").read_text("utf-8"))


def cells(page: str) -> list[str]:
    """Return the names of the rows of the page's table of figures."""
    import re

    return [re.sub(r"<[^>]+>", "", name).strip()
            for name in re.findall(r"<tr>\s*<td>(.*?)</td>", page, flags=re.S)]


@pytest.fixture
def no_page(monkeypatch):
    """Spare the drawings where a test looks at something else."""
    for page in ("sibt.report.run.run_page", "sibt.report.tearsheet.tear_sheet"):
        monkeypatch.setattr(page, lambda run, path, **given: path.write_text("", "utf-8"))


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    return sibt("run", "calendar_reverse", "--excel", folder=folder), folder


@pytest.fixture(scope="module")
def again(tmp_path_factory, sample_run):
    folder = tmp_path_factory.mktemp("again")
    return sibt("run", "calendar_reverse", folder=folder), folder


@pytest.fixture(scope="module")
def flip_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flip")
    (folder / "flip.py").write_text(FLIP, encoding="utf-8")
    return sibt("run", "flip.py", folder=folder), folder


@pytest.fixture(scope="module")
def hedge_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hedge")
    return sibt("run", "producer_hedge", folder=folder), folder


@pytest.fixture(scope="module")
def real_run(tmp_path_factory, shared_market):
    folder = tmp_path_factory.mktemp("real")
    words = (
        f"run calendar_reverse --data {shared_market / 'si_contracts_d1.csv'}"
        " --settle-from close --fill close --slippage 0 --participation none --kind company"
        " --capital 1000000 --term margin=0.08 --term fee=0.0001 --term price_limit=1"
    )
    return sibt(*words.split(), folder=folder), folder


# -- What it prints ----------------------------------------------------------------------------


def test_it_ends_well_and_says_nothing_on_stderr(sample_run):
    said, _ = sample_run
    assert said.code == 0
    assert "Warning" not in said.err
    assert said.err.strip() == ""


def test_the_first_line_names_the_run_and_that_its_data_are_simulated(sample_run):
    said, _ = sample_run
    assert said.out.startswith("sibt run calendar_reverse on the sample market: SIMULATED")


def test_a_run_on_ones_own_data_names_them_in_its_first_line(real_run, shared_market):
    said, _ = real_run
    first = " ".join(said.out.split())
    assert first.startswith("sibt run calendar_reverse on ")
    assert "si_contracts_d1.csv" in first[:200]
    assert "SIMULATED" not in said.out


def test_result_cost_and_risk_are_printed_as_they_are_written(sample_run):
    said, folder = sample_run
    m = figures(folder)["futures"]
    assert f"{m['net']:+,.2f} yuan" in said.out
    assert f"fees {m['fees']:,.2f}" in said.out
    assert f"lowest equity {m['worst_equity']:,.2f}" in said.out
    assert f"{m['peak_margin_exchange']:,.2f} at the exchange's rates" in said.out


def test_one_round_trip_prints_no_sharpe_but_the_rank_of_its_entry_day(sample_run):
    said, _ = sample_run
    assert "Sharpe none: fewer than three round trips" in said.flat
    assert "possible days" in said.flat


def test_three_round_trips_print_a_sharpe(flip_run):
    said, folder = flip_run
    m = figures(folder)["futures"]
    assert m["round_trips"] >= 3
    assert f"{m['sharpe']:.2f} a year of 242 sessions" in said.flat


def test_controls_and_placebos_are_printed_with_the_excess(sample_run):
    said, folder = sample_run
    assert "si2311/si2312" in said.out
    assert "placebo" in said.out
    excess = figures(folder)["excess_over_control_per_tonne"]
    assert f"Excess over the controls: {excess:+,.1f} yuan/t" in said.flat


def test_the_difference_between_the_two_books_is_printed(sample_run):
    said, folder = sample_run
    assert "largest difference 0.000000 yuan" in said.flat
    assert abs(manifest(folder)["largest_difference_between_books_yuan"]) <= 0.01


def test_the_report_the_idea_comes_from_is_quoted(sample_run):
    said, _ = sample_run
    assert "套利建议关注Si2411、Si2412合约反套机会。" in said.out
    assert "东证衍生品研究院" in said.out


def test_every_file_it_names_exists(sample_run):
    said, folder = sample_run
    named = [line.rpartition(": ")[2].strip() for line in said.out.splitlines()
             if line.startswith(("Written in", "Page", "Tear sheet"))]
    assert len(named) == 3
    for name in named:
        assert (folder / name).exists()


def test_a_hedge_prints_goods_and_futures_first(hedge_run):
    said, folder = hedge_run
    m = figures(folder)["hedge"]
    assert f"goods + futures {m['hedged']:+,.2f} yuan" in said.flat
    assert f"goods alone {m['physical']:+,.2f} yuan" in said.flat
    assert "account sized from the hedge: 1200 lots × 5 t" in said.flat
    assert "never hedged" in said.out


def test_no_line_of_the_output_is_an_object_or_an_unknown_number(sample_run, flip_run, hedge_run):
    for said, _ in (sample_run, flip_run, hedge_run):
        for ugly in ("<sibt", "object at", "nan", "NaN", "None", "NaT", "np.float64"):
            assert ugly not in said.out


# -- What it writes ----------------------------------------------------------------------------


def test_the_folder_holds_tables_figures_pages_manifest_and_the_strategy(sample_run):
    _, folder = sample_run
    there = {path.name for path in (folder / "results/latest/").iterdir()}
    assert there == {
        *(f"{name}.csv" for name in TABLES),
        *PAGES, "manifest.json", "metrics.json", "run.xlsx", "strategy.py",
    }


def runs(folder: Path) -> list[Path]:
    return sorted((folder / "results").glob("[0-9]*-*"))


def test_results_hold_one_folder_a_run_the_latest_and_what_pages_share(sample_run):
    _, folder = sample_run
    (one,) = runs(folder)
    assert one.name.endswith("-calendar_reverse")
    assert (folder / "results/latest").resolve() == one.resolve()
    names = {path.name for path in (folder / "results").iterdir() if path != one}
    assert {name for name in names if "trials.jsonl" not in name} == {
        "assets", "index.html", "latest",
    }


def test_the_page_finds_plotly_beside_the_runs(sample_run):
    _, folder = sample_run
    (script,) = (folder / "results/assets").iterdir()
    page = (folder / "results/latest/index.html").read_text("utf-8")
    assert f'src="../assets/{script.name}"' in page


def test_the_page_of_all_runs_shows_the_new_one(tmp_path, no_page):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    for every in (10, 20):
        assert sibt("run", "flip.py", "-p", f"every={every}", folder=tmp_path).code == 0
        page = (tmp_path / "results/index.html").read_text("utf-8")
        for run in runs(tmp_path):
            assert f'href="{run.name}/index.html"' in page


def test_latest_is_the_last_run(tmp_path, no_page):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    for every in (10, 20):
        assert sibt("run", "flip.py", "-p", f"every={every}", folder=tmp_path).code == 0
    assert manifest(tmp_path)["parameters"] == {"every": 20}
    assert len(list((tmp_path / "results").glob("*-flip*"))) == 2


def test_out_takes_the_runs_elsewhere(tmp_path, no_page):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    assert sibt("run", "flip.py", "--out", "mine/runs", folder=tmp_path).code == 0
    assert (tmp_path / "mine/runs/latest/fills.csv").exists()
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_utf8_that_excel_knows_and_parses(sample_run, name):
    _, folder = sample_run
    path = folder / f"results/latest/{name}.csv"
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert not raw[3:].startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    table = read(path)
    assert not any(str(column).startswith("Unnamed") for column in table.columns)
    for column in ("session", "entry", "exit"):
        if column in table and len(table):
            assert table[column].dropna().str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()


def test_the_statement_is_a_days_book_that_adds_up(sample_run):
    _, folder = sample_run
    table = read(folder / "results/latest/statement.csv")
    np.testing.assert_allclose(
        table["equity"], table["previous"] + table["mtm"] - table["fees"] + table["deposit"],
        atol=0.005,
    )
    assert table["equity"].iloc[-1] == figures(folder)["futures"]["final_equity"]
    assert table["session"].is_monotonic_increasing


def test_fills_and_figures_agree(sample_run):
    _, folder = sample_run
    fills = read(folder / "results/latest/fills.csv")
    m = figures(folder)["futures"]
    assert round(fills["fee"].sum(), 2) == m["fees"]
    signed = fills["lots"] * np.where(fills["side"] == "buy", -1, 1)
    assert round(float((signed * fills["price"] * 5).sum()), 2) == round(m["gross"], 2)


def test_a_hedge_writes_its_physical_book(hedge_run):
    _, folder = hedge_run
    table = read(folder / "results/latest/hedge.csv")
    m = figures(folder)["hedge"]
    assert round(table["physical"].sum(), 2) == round(m["physical"], 2)
    assert round(m["physical"] + figures(folder)["futures"]["net"], 2) == round(m["hedged"], 2)


def test_figures_are_plain_json(sample_run, flip_run, hedge_run):
    for _, folder in (sample_run, flip_run, hedge_run):
        text = (folder / "results/latest/metrics.json").read_text("utf-8")
        assert "NaN" not in text
        assert "Infinity" not in text


def test_the_manifest_says_how_the_run_was_made(sample_run):
    _, folder = sample_run
    record = manifest(folder)
    source = shipped("strategies") / "calendar_reverse.py"
    assert record["strategy"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert record["strategy"]["name"] == "calendar_reverse"
    assert record["strategy"]["known_from"] == "2024-05-14"
    assert record["parameters"]["year"] == 2024
    assert record["parameters"]["target"] is None
    assert record["data"]["simulated"] is True
    assert record["data"]["sha256"] == load_market("sample").digest
    assert record["settings"]["account"]["capital"] == 1_000_000
    assert record["settings"]["execution"]["fill"] == "open"
    assert record["settings"]["terms"] == {}
    assert {"python", "numpy", "pandas", "vectorbt", "quantstats"} <= set(record["versions"])
    assert record["made"][:2] == "20"


def test_the_manifest_keeps_the_command(sample_run):
    _, folder = sample_run
    assert manifest(folder)["command"] == "sibt run calendar_reverse --excel"


def test_the_manifest_keeps_replaced_terms_and_where_settlements_came_from(real_run):
    _, folder = real_run
    record = manifest(folder)
    assert {k: float(v) for k, v in record["settings"]["terms"].items()} == {
        "margin": 0.08, "fee": 0.0001, "price_limit": 1.0,
    }
    assert record["data"]["settle_from"] == "close"
    assert record["data"]["simulated"] is False
    assert any("close stands in" in word for word in record["warnings"])


def test_the_manifest_names_no_folder_of_this_machine_for_the_sample(sample_run):
    _, folder = sample_run
    text = (folder / "results/latest/manifest.json").read_text("utf-8")
    assert str(shipped("sample")) not in text
    assert str(Path.home()) not in text


def test_the_strategy_is_kept_as_it_was_run(flip_run):
    _, folder = flip_run
    assert (folder / "results/latest/strategy.py").read_text("utf-8") == FLIP


def test_excel_holds_one_sheet_a_table(sample_run):
    import openpyxl

    _, folder = sample_run
    book = openpyxl.load_workbook(folder / "results/latest/run.xlsx")
    assert set(book.sheetnames) == {"figures", *TABLES}
    sheet = book["fills"]
    assert [cell.value for cell in sheet[1]][:3] == ["session", "leg", "contract"]
    assert sheet.max_row == 1 + len(read(folder / "results/latest/fills.csv"))
    assert sheet["A2"].is_date


# -- The same again ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [*(f"{name}.csv" for name in TABLES), "metrics.json", *PAGES, "strategy.py"]
)
def test_the_same_inputs_write_the_same_bytes(sample_run, again, name):
    one, two = (folder / "results/latest" / name for _, folder in (sample_run, again))
    assert one.read_bytes() == two.read_bytes()


def test_the_same_inputs_make_the_same_manifest_but_for_when_and_how_long(sample_run, again):
    one, two = manifest(sample_run[1]), manifest(again[1])
    for changing in ("made", "seconds", "command"):
        del one[changing], two[changing]
    assert one == two


# -- The numbers -----------------------------------------------------------------------


def test_recorded_closes_give_the_known_fills(real_run):
    said, folder = real_run
    assert said.code == 0
    fills = read(folder / "results/latest/fills.csv")
    assert list(zip(fills["session"], fills["contract"], fills["side"], fills["price"],
                    strict=True)) == [
        ("2024-05-15", "si2411", "sell", 12050.0),
        ("2024-05-15", "si2412", "buy", 14465.0),
        ("2024-10-31", "si2411", "buy", 10270.0),
        ("2024-10-31", "si2412", "sell", 13130.0),
    ]


def test_recorded_closes_give_the_known_figures(real_run):
    _, folder = real_run
    m = figures(folder)["futures"]
    assert (m["fees"], m["net"], m["worst_equity"]) == (249.58, 22_000.42, 990_117.42)


# -- The tear sheet ----------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["sample_run", "flip_run", "hedge_run", "real_run"])
def test_the_page_leads_nowhere_outside(request, which):
    import re

    _, folder = request.getfixturevalue(which)
    page = (folder / "results/latest/tearsheet.html").read_text("utf-8")
    assert not re.search(r"https?:", page)
    assert not re.search(r"(src|href|action|data|poster)\s*=\s*[\"']?\s*//", page)
    assert not re.search(r"url\(\s*[\"']?//|@import", page)
    assert not re.search(r"<(script|link|iframe|object|embed)[^>]*(src|href|data)=", page)


def test_the_page_of_a_run_on_the_sample_says_simulated(sample_run, real_run):
    page = (sample_run[1] / "results/latest/tearsheet.html").read_text("utf-8")
    assert page.count("SIMULATED") >= 3
    assert "模拟数据" in page
    real = (real_run[1] / "results/latest/tearsheet.html").read_text("utf-8")
    assert "SIMULATED" not in real
    assert "si_contracts_d1.csv" in real


def test_the_chinese_title_is_text_that_can_be_read_and_searched(sample_run):
    page = (sample_run[1] / "results/latest/tearsheet.html").read_text("utf-8")
    title = "漫长的等待，艰难的磨底——内蒙宁夏硅产业链调研"
    assert 'charset="utf-8"' in page.lower().replace("'", '"')
    assert page.count(title) >= 2
    assert "Noto Sans CJK SC" in page
    assert "\ufffd" not in page


@pytest.mark.parametrize("which", ["sample_run", "hedge_run", "real_run"])
def test_fewer_than_three_trips_have_no_ratio_of_mean_to_risk(request, which):
    _, folder = request.getfixturevalue(which)
    assert figures(folder)["futures"]["round_trips"] < 3
    page = (folder / "results/latest/tearsheet.html").read_text("utf-8")
    names = cells(page)
    assert "Max Drawdown" in names
    for ratio in ("Sharpe", "Sortino", "CAGR", "Calmar", "Omega", "Kelly", "Value-at-Risk",
                  "Ratio", "Profit Factor", "Volatility", "Alpha", "Treynor"):
        assert [n for n in names if ratio in n] == []
    assert page.count("Sharpe") == page.count("too few for a Sharpe") == 1
    assert "Sortino" not in page
    m = figures(folder)["futures"]
    assert m["sharpe"] is m["sortino"] is m["volatility"] is None


def test_three_trips_have_their_ratios(flip_run):
    _, folder = flip_run
    page = (folder / "results/latest/tearsheet.html").read_text("utf-8")
    names = cells(page)
    for ratio in ("Sharpe", "Sortino", "CAGR"):
        assert any(ratio in n for n in names)
    assert "too few" not in page
    assert figures(folder)["futures"]["sharpe"] is not None


def test_the_page_of_a_hedge_is_goods_and_futures_against_goods_alone(hedge_run):
    page = (hedge_run[1] / "results/latest/tearsheet.html").read_text("utf-8")
    assert "unhedged" in page
    assert "goods + futures" in page


def test_a_run_without_a_position_has_a_page_that_says_so(tmp_path):
    said = sibt("run", "calendar_reverse", "-p", "year=2025", folder=tmp_path)
    if said.code == 2:
        assert not (tmp_path / "results").exists()
        return
    assert said.code == 0
    assert "no position was held" in said.flat
    page = (tmp_path / "results/latest/tearsheet.html").read_text("utf-8")
    assert "No position was held" in page
    assert read(tmp_path / "results/latest/fills.csv").empty


# -- Where it runs, and on what ----------------------------------------------------------------


def test_a_shipped_strategy_runs_from_an_empty_folder_under_either_name(again, tmp_path, no_page):
    assert again[0].code == 0
    assert [path.name for path in again[1].iterdir()] == ["results"]
    said = sibt("run", "strategies/calendar_reverse.py", "--to", "2024-06-28", folder=tmp_path)
    assert said.code == 0
    assert manifest(tmp_path)["strategy"]["name"] == "calendar_reverse"


def test_a_folder_is_a_source_with_spot_and_receipts_beside_the_bars(tmp_path, no_page):
    shutil.copytree(shipped("sample"), tmp_path / "data")
    (tmp_path / "stock.py").write_text(STOCK, encoding="utf-8")
    (tmp_path / "data/SIMULATED").touch()
    said = sibt("run", "stock.py", "--data", "data", "--from", "2024-03-01", "--to", "2024-04-30",
                folder=tmp_path)
    assert said.code == 0
    assert "SIMULATED" in said.out
    m = figures(tmp_path)
    assert m["hedge"]["tonnes"] == 100
    record = manifest(tmp_path)
    assert record["data"]["source"] == "data"
    assert record["data"]["last"] == "2024-04-30"


def test_the_hedge_of_the_folder_values_goods_at_its_spot(tmp_path, no_page):
    (tmp_path / "data").mkdir()
    bars = pd.read_csv(shipped("sample") / "bars.csv")
    days = sorted(bars["date"].unique())
    bars[bars["contract"] == "si2410"].to_csv(tmp_path / "data/bars.csv", index=False)
    days = [d for d in days if "2024-03-04" <= d <= "2024-04-30"]
    pd.DataFrame(
        {"date": days, "grade": "553", "price": [10_000 + 10 * i for i in range(len(days))]}
    ).to_csv(tmp_path / "data/spot.csv", index=False)
    (tmp_path / "stock.py").write_text(STOCK, encoding="utf-8")
    said = sibt("run", "stock.py", "--data", "data", "--from", "2024-03-05", "--to", "2024-04-30",
                folder=tmp_path)
    assert said.code == 0, said.err
    # From the quote before the first session to the last: 10 yuan a session on 100 t.
    assert figures(tmp_path)["hedge"]["physical"] == 100 * 10 * (len(days) - 1)
    assert "SIMULATED" not in said.out


def test_a_folder_with_brackets_in_its_name_is_shown_as_it_is_called(tmp_path, no_page):
    shutil.copytree(shipped("sample"), tmp_path / "[old] prices [/]")
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    said = sibt("run", "flip.py", "--data", "[old] prices [/]", folder=tmp_path)
    assert said.code == 0, said.err
    assert said.flat.startswith("sibt run flip.py on [old] prices [/]")


def test_no_order_fills_before_from(tmp_path, no_page):
    said = sibt("run", "short_rallies", "--from", "2024-05-06", "--to", "2024-06-28",
                folder=tmp_path)
    assert said.code == 0
    fills = read(tmp_path / "results/latest/fills.csv")
    assert (fills["session"] >= "2024-05-06").all()
    assert read(tmp_path / "results/latest/statement.csv")["session"].iloc[-1] == "2024-06-28"


@pytest.mark.parametrize("words", [
    "--kind company --broker-margin 0.05 --fee-markup 2 --spread-relief",
    "--pairing legged --fill settle --on-call deposit",
    "--participation none --slippage 0 --capital 5e6 --cross-standard",
])
def test_settings_work_and_are_kept(tmp_path, words, no_page):
    said = sibt("run", "calendar_reverse", "--to", "2024-07-31", *words.split(), folder=tmp_path)
    assert said.code == 0
    settings = manifest(tmp_path)["settings"]
    account, execution = settings["account"], settings["execution"]
    if "--kind" in words:
        assert account["kind"] == "company"
        assert account["broker_margin"] == 0.05
        assert account["fee_markup"] == 2
        assert account["spread_relief"] is True
    elif "legged" in words:
        assert execution["pairing"] == "legged"
        assert execution["fill"] == "settle"
        assert account["on_call"] == "deposit"
    else:
        assert execution["participation"] is None
        assert execution["slippage"] == 0
        assert account["capital"] == 5_000_000
        assert execution["cross_standard"] is True


# -- In Chinese --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chinese_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chinese")
    (folder / "flip.py").write_text(FLIP, encoding="utf-8")
    return sibt("run", "flip.py", "--lang", "zh", "--excel", folder=folder), folder


def test_lang_zh_speaks_chinese_from_the_first_line_to_the_last(chinese_run):
    said, _ = chinese_run
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("sibt run flip.py，样本行情：模拟数据")
    assert "净盈亏" in said.out
    assert "\n运行页面 results/" in said.out
    assert said.out.splitlines()[-1].startswith("换用真实行情")
    for english in ("yuan", "note", "lots", "SIMULATED", "Written"):
        assert english not in said.out


def test_lang_zh_writes_chinese_headers_and_a_page_that_opens_in_chinese(chinese_run):
    _, folder = chinese_run
    latest = folder / "results/latest"
    assert list(read(latest / "fills.csv").columns[:4]) == ["成交日", "腿", "合约", "买卖"]
    assert manifest(folder)["language"] == "zh"
    for page in (latest / "index.html", folder / "results/index.html"):
        assert 'lang="zh' in page.read_text("utf-8")[:500]


def test_the_language_changes_no_figure(chinese_run, flip_run):
    one, two = figures(chinese_run[1]), figures(flip_run[1])
    assert one == two
    for name in ("fills", "statement"):
        english = read(flip_run[1] / f"results/latest/{name}.csv")
        simplified = read(chinese_run[1] / f"results/latest/{name}.csv")
        assert english.to_numpy().tolist() == simplified.to_numpy().tolist()


def test_a_chinese_locale_speaks_chinese_unless_told_otherwise(tmp_path, no_page, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    assert "净盈亏" in sibt("run", "flip.py", folder=tmp_path).out
    assert "net result" in sibt("run", "flip.py", "--lang", "en", folder=tmp_path).out


def test_errors_stay_english(tmp_path):
    said = sibt("run", "nothing", "--lang", "zh", folder=tmp_path)
    assert said.code == 2
    assert said.err.startswith("Error: No strategy file 'nothing'")


def test_a_terminal_that_cannot_draw_chinese_ends_no_run(tmp_path):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-c", PROCESS, "run", "flip.py", "--lang", "zh"], cwd=tmp_path,
        capture_output=True, timeout=300, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (process.returncode, process.stderr) == (0, b"")
    assert process.stdout.startswith(b"sibt run flip.py????")
    assert complete(tmp_path / "results/latest")


def test_open_opens_the_page_of_the_run(tmp_path, no_page, monkeypatch):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    assert sibt("run", "flip.py", "--open", folder=tmp_path).code == 0
    assert opened == [(tmp_path / "results/latest/index.html").resolve().as_uri()]


# -- As a process ------------------------------------------------------------------------------

#: A pipe hands on a Ctrl-C only if whoever began the tests did not switch it off.
PROCESS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from sibt.cli import main; main()"
)


def begin(*words: str, folder: Path, code: str = PROCESS) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=folder, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def wait_for(there, process: subprocess.Popen, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not there() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def test_the_first_line_is_out_before_anything_heavy_is_imported(tmp_path):
    code = (
        "import sys, time, sibt.cli.run as command\n"
        "def work(*given):\n"
        "    heavy = {'numpy', 'pandas', 'numba', 'vectorbt', 'quantstats'} & set(sys.modules)\n"
        "    print('heavy:', *sorted(heavy), flush=True)\n"
        "    time.sleep(60)\n"
        "command.work = work\n"
        "from sibt.cli import main\n"
        "main()\n"
    )
    process = begin("run", "calendar_reverse", folder=tmp_path, code=code)
    try:
        assert process.stdout.readline().startswith("sibt run calendar_reverse on the sample")
        lines = [process.stdout.readline()]
        while "heavy:" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "the command ended without its work"
        assert lines[-1].strip() == "heavy:"
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_process_floods_nothing_on_stderr(tmp_path):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    process = begin("run", "flip.py", folder=tmp_path)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert err.strip() == ""


def complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("manifest.json", *PAGES))


@pytest.mark.parametrize("moment", ["early", "writing"])
def test_ctrl_c_leaves_nothing_half_written(tmp_path, moment):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    out = tmp_path / "results"
    process = begin("run", "flip.py", folder=tmp_path)
    process.stdout.readline()
    if moment == "early":
        time.sleep(0.3)
    else:
        wait_for(lambda: any(out.glob(".writing-*/*.csv")), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Interrupted; nothing half-written was left." in err
    assert "Traceback" not in err
    assert list(out.glob(".writing-*")) == []
    assert all(complete(path) for path in runs(tmp_path))


def test_ctrl_c_leaves_earlier_runs_as_they_were(tmp_path, no_page):
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    assert sibt("run", "flip.py", folder=tmp_path).code == 0
    out, before = tmp_path / "results", runs(tmp_path)
    process = begin("run", "flip.py", "-p", "every=20", folder=tmp_path)
    wait_for(lambda: any(out.glob(".writing-*")), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert runs(tmp_path) == before
    assert manifest(tmp_path)["parameters"] == {"every": 10}


def test_a_run_takes_the_terms_of_a_delivery_as_a_hedge_does(tmp_path, no_page):
    deliver = ("run", "producer_hedge", "--data", "sample", "--kind", "company", "--at-expiry",
               "deliver")  # fmt: skip
    plain = sibt(*deliver, folder=tmp_path)
    dear = sibt(*deliver, "--delivery-term", "inspection=80", folder=tmp_path)
    assert plain.code == dear.code == 0
    runs = sorted((tmp_path / "results").glob("*-producer_hedge*"))
    metrics = [json.loads((run / "metrics.json").read_text("utf-8")) for run in runs]
    assert metrics[1]["hedge"]["effective_price"] < metrics[0]["hedge"]["effective_price"]
    record = json.loads((runs[1] / "manifest.json").read_text("utf-8"))
    assert record["settings"]["delivery"]["inspection"] == 80.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("producer_hedge", "--delivery-term", "vat=0.1"), "add --at-expiry deliver"),
        (("producer_hedge", "--at-expiry", "deliver", "--delivery-term", "inspectio=8"),
         "Did you mean 'inspection'?"),
        (("short_rallies", "--at-expiry", "deliver", "--kind", "company", "--delivery-term",
          "vat=0.1"), "ShortRallies has no goods to deliver; leave --delivery-term out."),
    ],
)  # fmt: skip
def test_wrong_terms_of_a_delivery_are_refused(words, said, tmp_path, no_page):
    told = sibt("run", *words, "--data", "sample", folder=tmp_path)
    assert told.code == 2
    assert said in told.err
    assert not (tmp_path / "results").exists()


def test_the_diagnosis_and_the_check_are_printed_and_kept(sample_run):
    said, folder = sample_run
    record = manifest(folder)
    assert [row["name"] for row in record["diagnosis"]] == ["one_trip", "left_late"]
    for row in record["diagnosis"]:
        assert f"diagnosis {row['issue']}\n  → {row['cure']}\n" in said.out
    assert record["lookahead"]["passed"] is True
    assert record["lookahead"]["full"] is False
    assert record["lookahead"]["verdict"] in said.flat


def test_ctrl_c_before_there_is_a_command_is_a_sentence_too(tmp_path):
    code = (
        "import sys\n"
        "class Early:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Early())\n"
        "from sibt.cli import main\n"
        "main()\n"
    )
    process = begin("run", "flip.py", folder=tmp_path, code=code)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err == "Interrupted; nothing half-written was left.\n"


@pytest.mark.parametrize("words", [
    ("--help",), ("--version",), ("data", "check", "--data", "sample")])
def test_a_reader_who_leaves_early_is_no_fault(tmp_path, words):
    read, write = os.pipe()
    os.close(read)
    try:
        process = subprocess.run(
            [sys.executable, "-c", PROCESS, *words], cwd=tmp_path, stdout=write,
            stderr=subprocess.PIPE, timeout=120, check=False,
        )
    finally:
        os.close(write)
    assert (process.returncode, process.stderr) == (141, b"")
