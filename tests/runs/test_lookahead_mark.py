"""A result whose strategy looks ahead is marked wherever it is shown, and ranked nowhere."""

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

import pandas as pd
import pytest
from sides import side

from sibt.cli import main
from sibt.language import BOTH, EN, ZH, said
from sibt.lookahead.leak import Leak
from sibt.lookahead.verdict import Verdict
from sibt.report.catalogue import index_page
from sibt.report.run.page import run_html
from sibt.report.runs_terminal import listing
from sibt.report.tearsheet import tear_sheet, title
from sibt.runs.catalogue import catalogue
from sibt.runs.comparison import compare
from sibt.runs.load import load
from sibt.runs.run import run
from sibt.runs.save import figures, lookahead_of, save
from sibt.sources import load_market
from sibt.strategy.strategy import Strategy

CHEAT = '''
import pandas as pd

import sibt


class Cheat(sibt.Strategy):
    z = sibt.Param(0.0, "a move", "yuan/t", grid=(0.0, 20.0))

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        price = pd.Series(market.close[:, market.column("si2409")], index=market.sessions)
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return ((price.shift(%s) > price + p.z) & life).astype(float)
'''


class Tomorrow(Strategy):
    ahead = -1

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        price = pd.Series(market.close[:, market.column("si2409")], index=market.sessions)
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return ((price.shift(self.ahead) > price) & life).astype(float)


class Yesterday(Tomorrow):
    ahead = 1


def sibt(*words):
    """Run the command line here; its exit code, what it printed, and its errors."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _english():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        yield


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


@pytest.fixture(scope="module")
def cheat(market):
    return run(Tomorrow(), market)


@pytest.fixture(scope="module")
def honest(market):
    return run(Yesterday(), market)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with the cheat's run, an honest one's and the cheat's sweep; and what was said."""
    place = tmp_path_factory.mktemp("marked")
    (place / "cheat.py").write_text(CHEAT % -1, encoding="utf-8")
    (place / "honest.py").write_text(CHEAT % 1, encoding="utf-8")
    told = {}
    for words in (["run", "cheat.py"], ["run", "honest.py"], ["sweep", "cheat.py"],
                  ["sweep", "honest.py"]):  # fmt: skip
        code, said_, _ = sibt(words[0], place / words[1], "--out", place / "out", "--data",
                              "sample")  # fmt: skip
        assert code == 0
        told[" ".join(words)] = said_
    return place, told


def saved(place, end):
    (folder,) = [path for path in (place / "out").iterdir()
                 if re.fullmatch(rf"\d{{8}}-\d{{6}}-{end}", path.name)]  # fmt: skip
    return load(folder)


# -- A run ------------------------------------------------------------------------------------


def test_a_strategy_that_sees_tomorrow_is_caught_by_every_run(cheat, honest):
    assert cheat.looks_ahead
    (leak,) = cheat.lookahead.leaks
    assert leak.contract == "si2409"
    assert leak.seen > leak.day
    assert not cheat.lookahead.full
    assert honest.lookahead.passed
    assert not honest.looks_ahead


def test_it_is_booked_all_the_same(cheat, market):
    unasked = run(Tomorrow(), market, check=False)
    assert unasked.lookahead is None
    assert not unasked.looks_ahead
    assert unasked.result.metrics == cheat.result.metrics


@pytest.mark.parametrize("name",
                         ["calendar_reverse", "short_rallies", "producer_hedge", "trader_hedge"])
def test_the_shipped_strategies_pass(market, name):
    assert run(name, market).lookahead.passed


def test_the_market_of_the_check_is_that_of_the_run(market):
    # The strategy peeks in July only; a run that ends in June has nothing to see.
    class July(Tomorrow):
        def units(self, market, p):
            wish = super().units(market, p)
            return wish.where(market.sessions >= "2024-07-01", 0.0)

    assert run(July(), market).looks_ahead
    assert not run(July(), market, end="2024-06-14").looks_ahead


def test_metrics_say_so_only_where_it_is_true(cheat, honest):
    assert figures(cheat)["looks_ahead"] is True
    assert "looks_ahead" not in figures(honest)


def test_the_manifest_holds_the_verdict_and_every_leak(cheat, honest):
    record = json.loads(json.dumps(lookahead_of(cheat.lookahead)))
    (leak,) = cheat.lookahead.leaks
    assert (record["passed"], record["full"]) == (False, False)
    assert record["leaks"] == [{
        "check": leak.check, "sentence": str(leak.sentence), "sentence_zh": ZH(leak.sentence),
        "day": f"{leak.day:%Y-%m-%d}", "seen": f"{leak.seen:%Y-%m-%d}", "contract": "si2409",
        "input": leak.input,
    }]  # fmt: skip
    assert record["tried"] == dict(cheat.lookahead.tried)
    assert lookahead_of(honest.lookahead)["leaks"] == []
    assert lookahead_of(None) is None


def test_the_page_bears_a_band_beside_simulated(cheat, honest):
    text = run_html(cheat, "en", "plotly.js")
    (band,) = re.findall(r'<aside class="band".*?</aside>', text, flags=re.S)
    assert "LOOKS AHEAD 未来函数" in band
    assert str(cheat.lookahead.leaks[0].sentence) in band
    assert band.index("LOOKS AHEAD") < band.index("SIMULATED")
    assert "<title>LOOKS AHEAD · SIMULATED · " in text
    assert "so none of this could have been earned" in text
    assert "LOOKS AHEAD" not in run_html(honest, "en", "plotly.js")


def test_on_real_prices_the_band_stands_alone(cheat):
    provenance = replace(cheat.market.provenance, simulated=False, source="mine")
    real = replace(cheat, market=replace(cheat.market, provenance=provenance))
    (band,) = re.findall(r'<aside class="band".*?</aside>', run_html(real, "en", "p.js"),
                         flags=re.S)  # fmt: skip
    assert "LOOKS AHEAD" in band
    assert "SIMULATED" not in band


def test_the_section_on_the_page_tells_everything_that_was_found(cheat, honest, market):
    text = run_html(cheat, "en", "plotly.js")
    section = text[text.index('<section id="diagnosis"'):]
    section = section[: section.index("</section>")]
    assert section.index("LOOKS AHEAD") < section.index('<ol class="diagnosis">')
    # A command or a line of code is to be copied: its hyphens stay.
    assert "−1)" not in section
    plain = run_html(honest, "en", "plotly.js")
    assert "No look-ahead found in the quick check" in plain
    unasked = run_html(run(Yesterday(), market, check=False), "en", "plotly.js")
    assert "Whether the strategy looks ahead was not checked" in unasked


def test_the_tear_sheet_bears_it_in_its_title_and_on_top(cheat, tmp_path):
    assert title(cheat).startswith("LOOKS AHEAD · SIMULATED · Tomorrow")
    tear_sheet(cheat, tmp_path / "t.html")
    text = (tmp_path / "t.html").read_text("utf-8")
    assert text.index("LOOKS AHEAD 未来函数") < text.index("SIMULATED 模拟数据")


def test_a_notebook_shows_it_first(cheat, honest):
    assert cheat._repr_html_().index("LOOKS AHEAD") < cheat._repr_html_().index("SIMULATED")
    assert "LOOKS AHEAD" not in honest._repr_html_()


def test_what_is_found_is_text_not_markup(market):
    one = run(Yesterday(), market, check=False)
    leak = Leak(check="cut", grave=True, sentence=said("<b>bold</b> & [red]x[/]"))
    one = replace(one, lookahead=Verdict((leak,), (), {"cut": 1}, full=False))
    assert "<b>bold" not in run_html(one, "en", "plotly.js")
    assert "<b>bold" not in one._repr_html_()


# -- The command ------------------------------------------------------------------------------


def test_a_marked_run_completes_and_its_first_line_says_so(folders):
    _, told = folders
    lines = told["run cheat.py"].splitlines()
    assert lines[0].startswith("sibt run")
    assert lines[1].startswith("LOOKS AHEAD: ")
    assert lines[1].endswith("cheat.py")
    assert "could have been earned" in lines[1]
    assert "LOOKS AHEAD" not in told["run honest.py"]
    assert "look-ahead" in told["run honest.py"]


def test_no_check_asks_nothing(tmp_path):
    (tmp_path / "cheat.py").write_text(CHEAT % -1, encoding="utf-8")
    code, told, _ = sibt("run", tmp_path / "cheat.py", "--out", tmp_path / "out", "--no-check",
                         "--data", "sample")  # fmt: skip
    assert code == 0
    assert "AHEAD" not in told
    assert saved(tmp_path, "cheat").manifest["lookahead"] is None


def test_runs_list_and_show_and_the_page_of_all_runs_mark_it(folders):
    place, _ = folders
    rows, _ = catalogue(place / "out")
    assert {row.strategy: row.looks_ahead for row in rows} == {"cheat": True, "honest": False}
    assert {row.kind for row in rows if row.looks_ahead} == {"run", "sweep"}
    for line in listing(rows, EN).splitlines()[1:]:
        assert ("LOOKS AHEAD" in line) is ("-cheat" in line)
    page = index_page(place / "out", EN)
    assert page.count('<strong class="simulated">LOOKS AHEAD</strong>') == 2
    name = saved(place, "cheat").name
    _, shown, _ = sibt("runs", "show", name, "--out", place / "out")
    assert shown.startswith("LOOKS AHEAD: ")
    assert "diagnosis" in shown


def test_an_old_manifest_is_not_marked(folders, tmp_path):
    place, _ = folders
    one = saved(place, "cheat")
    record = {key: value for key, value in one.manifest.items()
              if key not in ("lookahead", "diagnosis")}  # fmt: skip
    assert not replace(one, manifest=record).looks_ahead
    assert replace(one, manifest=record).lookahead(EN) == ""
    assert replace(one, manifest=record).diagnosis(EN) == []


def test_the_ledger_of_trials_does_not_know_whether_it_was_checked(market, tmp_path):
    keys = []
    for check in (True, False):
        save(run(Yesterday(), market, check=check), tmp_path)
        line = (tmp_path / "trials.jsonl").read_text("utf-8").splitlines()[-1]
        keys.append(json.loads(line)["key"])
    assert keys[0] == keys[1]


# -- Comparisons ------------------------------------------------------------------------------


def test_a_marked_run_is_never_ranked_with_others_and_the_reason_is_said():
    sides = [side([10.0] * 30, name="a"), side([5.0] * 30, name="b"),
             replace(side([99.0] * 30, name="c"), looks_ahead=True)]  # fmt: skip
    found = compare(sides)
    assert found.looks_ahead
    assert found.ranked() == [["A", "B"]]
    assert found.best.loc["net"].to_dict() == {"A": True, "B": False, "C": False}
    assert not found.best["C"].any()
    assert found.limits[0].startswith("C: the strategy LOOKS AHEAD")
    plain = compare([replace(one, looks_ahead=False) for one in sides])
    assert plain.best.loc["net"].to_dict() == {"A": False, "B": False, "C": True}
    assert not plain.looks_ahead


def test_two_marked_runs_are_not_ranked_among_themselves():
    sides = [replace(side([n] * 30, name=str(n)), looks_ahead=True) for n in (1.0, 2.0)]
    assert compare(sides).ranked() == []


def test_compare_marks_it_in_the_terminal_and_will_not_sort_by_it(folders):
    place, _ = folders
    names = [saved(place, name).name for name in ("cheat", "honest")]
    code, told, _ = sibt("compare", *names, "--out", place / "out")
    assert code == 0
    assert re.search(r"^A cheat LOOKS AHEAD SIMULATED", told, flags=re.M)
    assert "A: the strategy LOOKS AHEAD" in told
    (folder,) = (place / "out").glob("*-compare")
    assert load(folder).looks_ahead
    assert "LOOKS AHEAD</span>" in (folder / "index.html").read_text("utf-8")
    code, _, error = sibt("compare", *names, "--out", place / "out", "--sort", "net")
    assert code == 2
    assert "LOOKS AHEAD" in error


# -- Sweeps -----------------------------------------------------------------------------------


def test_a_marked_sweep_says_so_first_and_completes(folders):
    _, told = folders
    lines = told["sweep cheat.py"].splitlines()
    assert lines[1].startswith("LOOKS AHEAD: ")
    assert "LOOKS AHEAD, so this proves nothing" in lines[2]
    assert "LOOKS AHEAD" not in told["sweep honest.py"]


def test_manifest_evidence_and_page_of_a_sweep_bear_it(folders):
    place, _ = folders
    one, other = saved(place, "cheat-sweep"), saved(place, "honest-sweep")
    assert one.looks_ahead
    assert not other.looks_ahead
    assert one.manifest["lookahead"]["leaks"][0]["contract"] == "si2409"
    assert other.manifest["lookahead"]["passed"] is True
    assert one.metrics["looks_ahead"] is True
    assert one.metrics["luck"] is None
    verdict = "best of 2: the strategy LOOKS AHEAD, so this proves nothing"
    assert one.metrics["verdict"] == one.manifest["verdict"] == verdict
    assert "looks_ahead" not in other.metrics
    text = (one.folder / "sweep.html").read_text("utf-8")
    (band,) = re.findall(r'<aside class="band".*?</aside>', text, flags=re.S)
    assert "LOOKS AHEAD 未来函数" in band
    assert "No figure here could have been earned." in text
    assert "LOOKS AHEAD" not in (other.folder / "sweep.html").read_text("utf-8")


def test_the_plan_of_a_sweep_and_its_key_are_as_before(folders):
    place, _ = folders
    plan = json.loads((saved(place, "cheat-sweep").folder / "plan.json").read_text("utf-8"))
    assert "lookahead" not in plan
    assert "check" not in plan["settings"]


def test_both_halves_of_the_band_are_there_for_readers_of_chinese(cheat):
    leak = cheat.lookahead.leaks[0].sentence
    assert BOTH(leak) != leak
