"""What the user can mend ends with one sentence, exit code 2, and nothing written."""

import io
import re
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from sibt.cli import main

HEADER = "date,contract,open,high,low,close,settle,volume,open_interest\n"
BARS = HEADER + "".join(
    f"{day},{code},{price},{price + 100},{price - 100},{price},{price},10{day[-2:]},2000\n"
    for day in ("2024-05-13", "2024-05-14", "2024-05-15", "2024-05-16", "2024-05-17")
    for code, price in (("si2411", 12_000), ("si2412", 14_400))
)

STRATEGY = '''
import pandas as pd

import sibt


class Mine(sibt.Strategy):
    size = sibt.Param(1, "lots", "lots", low=1, high=100, grid=(1,))

    def legs(self, market, p):
        return {LEGS}

    def units(self, market, p):
        return UNITS
'''
ONE = "pd.Series(1.0, index=market.sessions)"


def strategy(legs: str = "'si2409': 1", units: str = ONE, more: str = "") -> str:
    return STRATEGY.replace("LEGS", legs).replace("UNITS", units) + more


PLAIN = strategy()
STRATEGIES = {
    "plain.py": PLAIN,
    "syntax.py": "import sibt\n\nclass Mine(sibt.Strategy:\n    pass\n",
    "raises.py": "import sibt\n\nraise RuntimeError('no licence')\n",
    "missing_module.py": "import sibt\nimport a_module_that_is_not_there\n",
    "none.py": "import sibt\n\nx = 1\n",
    "empty.py": "",
    "two.py": PLAIN + "\n\nclass Other(Mine):\n    pass\n",
    "fails.py": strategy(units="market.close[10**9]"),
    "halves.py": strategy(units="pd.Series(0.5, index=market.sessions)"),
    "array.py": strategy(units="market.close[:, 0]"),
    "words.py": strategy(units="pd.Series('one', index=market.sessions)"),
    "endless.py": strategy(units="pd.Series(float('inf'), index=market.sessions)"),
    "other_days.py": strategy(
        units="pd.Series(1.0, index=pd.DatetimeIndex(['2024-05-12']))"),
    "unknown_leg.py": strategy(legs="'si2499': 1"),
    "odd_leg.py": strategy(legs="'2411': 1"),
    "no_leg.py": strategy(legs=""),
    "ratio_zero.py": strategy(legs="'si2409': 0"),
    "ratio_half.py": strategy(legs="'si2409': 0.5"),
    "ratio_text.py": strategy(legs="'si2409': 'one'"),
    "legs_none.py": PLAIN.replace("return {'si2409': 1}", "return None"),
    "crosses.py": strategy(
        legs="'main': (pd.Series('si2411', index=market.sessions).where("
        "market.sessions < '2024-10-08', 'si2412'), 1)",
        units="pd.Series(1.0, index=market.sessions).where(market.sessions >= '2024-09-02', 0.0)",
    ),
    "early.py": strategy(more="\n    def known_from(self, p):\n        return '2024-05-14'\n"),
    "bad_day.py": strategy(more="\n    def known_from(self, p):\n        return 'yesterday'\n"),
    "undeclared.py": strategy(units="pd.Series(p.sizes, index=market.sessions)"),
    "no_units.py": PLAIN[: PLAIN.index("    def units")],
    "no_spot.py": strategy(
        legs="'si2411': 1",
        more="\n    def exposure(self, market, p):\n        return 5.0 * " + ONE + "\n"),
    "bad_kind.py": PLAIN.replace("    size =", "    kind = 'speculator'\n    size ="),
    "bad_limit.py": strategy(
        units=f"({ONE}, pd.Series(11001.0, index=market.sessions))"),
    "two_legs_limit.py": strategy(
        legs="'si2409': 1, 'si2410': -1",
        units=f"({ONE}, pd.Series(11000.0, index=market.sessions))"),
    "takes_capital.py": PLAIN.replace("    size =", "    capital ="),
    "takes_grade.py": PLAIN.replace("    size =", "    grade ="),
    "exposure_number.py": strategy(
        more="\n    def exposure(self, market, p):\n        return 100.0\n"),
}

FILES = {
    "good.csv": BARS,
    "semicolons.csv": BARS.replace(",", ";"),
    "unknown.csv": BARS.replace("si2412", "xx2412"),
    "no_such_month.csv": BARS.replace("si2412", "si2413"),
    "saturday.csv": BARS.replace("2024-05-16", "2024-05-18"),
    "off_tick.csv": BARS.replace("2024-05-15,si2411,12000", "2024-05-15,si2411,12002"),
    "twice.csv": BARS + BARS.splitlines()[1] + "\n",
    "no_settle.csv": BARS.replace("12000,12000,10", "12000,,10"),
    "no_close.csv": BARS.replace("close,", "", 1).replace(",12000,12000,", ",12000,"),
    "letters.csv": BARS.replace("12100", "n/k"),
    "negative.csv": BARS.replace("11900", "-11900"),
    "empty.csv": "",
    "header.csv": HEADER,
    "prose.csv": "Nothing to see here\nnor here\n",
    "table.xlsx": "not a workbook",
    "bars.txt": BARS,
}


def sibt(*words: str, folder: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as left:
            code = left.code
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with good and bad files, in which nothing may be written."""
    folder = tmp_path_factory.mktemp("desk")
    for name, text in {**STRATEGIES, **FILES}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "strategy.txt").write_text(PLAIN, encoding="utf-8")
    (folder / "nothing").mkdir()
    (folder / "beside").mkdir()
    (folder / "beside/spot.csv").write_text("date,grade,price\n2024-05-13,553,13000\n", "utf-8")
    (folder / "bad_spot").mkdir()
    (folder / "bad_spot/bars.csv").write_text(BARS, "utf-8")
    (folder / "bad_spot/spot.csv").write_text("date,grade,price\n2024-05-13,553,many\n", "utf-8")
    (folder / "taken").write_text("a file", encoding="utf-8")
    return folder


REVERSE = "run calendar_reverse"

#: Case: command, then what the message must hold: what, where and the cure.
CASES = {
    # Files
    "missing file": (f"{REVERSE} --data goood.csv", "goood.csv", "no such file", "Did you mean"),
    "missing folder": (f"{REVERSE} --data far/away/bars.csv", "far/away", "check the path"),
    "folder without bars": (f"{REVERSE} --data nothing", "nothing", "no bars", "bars.csv"),
    "folder with spot only": (f"{REVERSE} --data beside", "beside", "no bars", "bars.csv"),
    "wrong separator": (f"{REVERSE} --data semicolons.csv", "semicolons.csv, line 1", "commas"),
    "unknown product": (f"{REVERSE} --data unknown.csv", "unknown.csv, line 3", "'xx2412'"),
    "unknown month": (f"{REVERSE} --data no_such_month.csv", "no_such_month.csv, line 3",
                      "'si2413'"),
    "no trading day": (f"{REVERSE} --data saturday.csv", "saturday.csv, line 8", "Saturday"),
    "price off the tick": (f"{REVERSE} --data off_tick.csv", "off_tick.csv, line 6", "12002",
                           "5"),
    "row given twice": (f"{REVERSE} --data twice.csv", "twice.csv, line 12", "second bar",
                        "keep one"),
    "text for a price": (f"{REVERSE} --data letters.csv", "letters.csv, line 2", "'n/k'"),
    "negative price": (f"{REVERSE} --data negative.csv", "negative.csv, line 2", "-11900"),
    "empty file": (f"{REVERSE} --data empty.csv", "empty.csv", "empty"),
    "header only": (f"{REVERSE} --data header.csv", "header.csv", "no row"),
    "prose": (f"{REVERSE} --data prose.csv", "prose.csv", "date"),
    "column missing": (f"{REVERSE} --data no_close.csv", "no_close.csv", "line"),
    "workbook": (f"{REVERSE} --data table.xlsx", "table.xlsx", "CSV"),
    "text file": (f"{REVERSE} --data bars.txt", "bars.txt", ".csv"),
    "bad spot": (f"{REVERSE} --data bad_spot", "spot.csv, line 2", "'many'"),
    "no settlement": (f"{REVERSE} --data no_settle.csv --kind company", "No settlement",
                      "si2411 2024-05-14", "--settle-from close"),
    "no such contract": (f"{REVERSE} -p year=2023 --data good.csv", "si2311", "good.csv"),
    # Parameters
    "parameter misspelt": (f"{REVERSE} -p yaer=2023", "'yaer'", "Did you mean 'year'"),
    "text for a number": (f"{REVERSE} -p units_held=ten", "units_held", "'ten'", "number"),
    "below its bound": (f"{REVERSE} -p units_held=0", "units_held", "at least 1"),
    "above its bound": ("run producer_hedge -p ratio=1.5", "ratio", "at most 1"),
    "half a unit": (f"{REVERSE} -p units_held=2.5", "units_held", "whole number"),
    "no choice": (f"{REVERSE} -p entry=zscoer", "entry", "Did you mean 'zscore'"),
    "year not offered": (f"{REVERSE} -p year=2022", "year", "2023, 2024, 2025"),
    "none where a number must be": (f"{REVERSE} -p z=none", "'z'", "cannot be none"),
    "not a number": (f"{REVERSE} -p z=nan", "'z'", "number"),
    "no equals sign": (f"{REVERSE} -p year", "-p 'year'", "NAME=VALUE"),
    "no value": (f"{REVERSE} -p year=", "-p 'year='", "NAME=VALUE"),
    "given twice": (f"{REVERSE} -p year=2023 -p year=2024", "'year' twice", "once"),
    "contract of a parameter": ("run producer_hedge -p far=si2413", "si2413"),
    "contract without bars": ("run producer_hedge -p far=si2912", "si2912", "no bars"),
    "day of a parameter": ("run producer_hedge -p asof=soon", "asof", "'soon'"),
    # Terms
    "unknown term": (f"{REVERSE} --term magrin=0.1", "'magrin'", "Did you mean 'margin'"),
    "text for a term": (f"{REVERSE} --term margin=high", "margin", "'high'", "number"),
    "ten for ten per cent": (f"{REVERSE} --term margin=10", "margin", "0.1"),
    "negative term": (f"{REVERSE} --term fee=-1", "fee", "zero or more"),
    "term twice": (f"{REVERSE} --term fee=0 --term fee=1", "'fee' twice", "once"),
    # Flags
    "negative capital": (f"{REVERSE} --capital -5", "capital", "-5", "above zero"),
    "no capital": (f"{REVERSE} --capital 0", "capital", "above zero"),
    "text for capital": (f"{REVERSE} --capital much", "--capital", "much"),
    "endless capital": (f"{REVERSE} --capital inf", "capital", "yuan"),
    "unknown capital": (f"{REVERSE} --capital nan", "capital", "yuan"),
    "participation of nothing": (f"{REVERSE} --participation 0", "participation", "above 0"),
    "participation of two": (f"{REVERSE} --participation 2", "participation", "up to 1"),
    "text for participation": (f"{REVERSE} --participation all", "--participation", "none"),
    "negative slippage": (f"{REVERSE} --slippage -1", "slippage", "0 to 1000"),
    "part of a tick": (f"{REVERSE} --slippage 1.5", "--slippage", "1.5", "integer"),
    "fill misspelt": (f"{REVERSE} --fill clsoe", "--fill", "clsoe", "Did you mean 'close'"),
    "kind misspelt": (f"{REVERSE} --kind compny", "--kind", "compny", "Did you mean 'company'"),
    "broker's margin in per cent": (f"{REVERSE} --broker-margin 5", "broker_margin", "0.05"),
    "fee mark-up below zero": (f"{REVERSE} --fee-markup -1", "fee_markup", "0 to 100"),
    "flag misspelt": (f"{REVERSE} --fil close", "--fil", "Did you mean"),
    "flag without a value": (f"{REVERSE} --capital", "--capital", "requires an argument"),
    "bad first day": (f"{REVERSE} --from someday", "--from", "someday", "2024-05-15"),
    "bad last day": (f"{REVERSE} --to 2024-13-01", "--to", "2024-13-01", "2024-05-15"),
    "last day before the first": (f"{REVERSE} --from 2024-06-03 --to 2024-05-06", "--to",
                                  "before --from", "swap"),
    "first day after the market": (f"{REVERSE} --from 2030-01-02", "--from 2030-01-02",
                                   "earlier day"),
    "last day before the market": (f"{REVERSE} --to 2020-01-02", "2020-01-02", "later day"),
    "settle from the open": (f"{REVERSE} --settle-from open", "--settle-from", "close"),
    "a word too many": (f"{REVERSE} producer_hedge", "producer_hedge", "unexpected"),
    "results are a file": (f"{REVERSE} --to 2024-06-28 --out taken", "taken"),
    # Strategies
    "no strategy": ("run", "STRATEGY"),
    "strategy misspelt": ("run calendar_revers", "calendar_revers",
                          "Did you mean 'calendar_reverse'"),
    "strategy file misspelt": ("run plian.py", "plian.py", "Did you mean 'plain.py'"),
    "strategy file elsewhere": ("run nowhere/plain.py", "nowhere/plain.py", "No strategy file"),
    "strategy is text": ("run strategy.txt", "strategy.txt", ".py"),
    "strategy is a folder": ("run nothing", "nothing"),
    "no python": ("run syntax.py", "syntax.py line 3", "mend"),
    "raises on loading": ("run raises.py", "raises.py line 3", "RuntimeError: no licence", "mend"),
    "module missing": ("run missing_module.py", "missing_module.py line 2",
                       "a_module_that_is_not_there"),
    "no class": ("run none.py", "none.py defines 0 strategies", "exactly one"),
    "empty strategy": ("run empty.py", "empty.py defines 0 strategies", "exactly one"),
    "two classes": ("run two.py", "two.py defines 2 strategies (Mine, Other)", "exactly one"),
    "fails when asked": ("run fails.py", "fails.py line 14", "IndexError", "mend"),
    "half units": ("run halves.py", "0.5", "whole numbers", "round"),
    "units are no series": ("run array.py", "array.py", "ndarray", "Series"),
    "units are words": ("run words.py", "units", "no number"),
    "units without end": ("run endless.py", "units", "whole numbers"),
    "units on a sunday": ("run other_days.py", "2024-05-12", "no session"),
    "unknown leg": ("run unknown_leg.py", "'si2499'", "no bars"),
    "leg of no code": ("run odd_leg.py", "'2411'"),
    "no legs": ("run no_leg.py", "at least one leg"),
    "ratio zero": ("run ratio_zero.py", "si2409", "ratio 0", "not zero"),
    "half a ratio": ("run ratio_half.py", "si2409", "ratio 0.5", "whole lots"),
    "ratio of text": ("run ratio_text.py", "si2409", "'one'"),
    "legs of nothing": ("run legs_none.py", "leg"),
    "roll across the standard": ("run crosses.py", "si2411 into si2412", "--cross-standard"),
    "fill before it was known": ("run early.py", "2024-05-14", "wish zero"),
    "known from no day": ("run bad_day.py", "yesterday"),
    "parameter not declared": ("run undeclared.py", "p.sizes", "does not declare",
                               "Did you mean 'size'"),
    "no units": ("run no_units.py", "units(market, p)"),
    "exposure without spot": ("run no_spot.py --data good.csv", "553", "spot.csv"),
    "exposure is a number": ("run exposure_number.py", "exposure", "Series"),
    "strategy of an unknown kind": ("run bad_kind.py", "kind", "'speculator'", "individual"),
    "limit off the tick": ("run bad_limit.py", "11001", "tick"),
    "limits on two legs": ("run two_legs_limit.py", "one leg", "2"),
    "a name the run brings": ("run takes_capital.py", "'capital'", "another name"),
    "a name of what strategies say": ("run takes_grade.py", "'grade'", "another name"),
    # Commands
    "command misspelt": ("rnu calendar_reverse", "'rnu'", "Did you mean 'run'"),
    "no such command": ("backtest", "'backtest'", "new, run"),
    "new without a name": ("new strategy", "sibt new strategy NAME"),
    "new of nothing": ("new", "sibt new strategy NAME"),
    "new with a bad name": ("new strategy My-Spread", "'My-Spread'", "my_spread"),
    "new of something else": ("new report mine", "report", "strategy"),
    "new from a misspelt one": ("new --from calendar_revers", "Did you mean 'calendar_reverse'"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_a_sentence_and_nothing_is_written(desk, case):
    command, *words = CASES[case]
    before = sorted(path.name for path in desk.rglob("*"))
    code, out, err = sibt(*command.split(" "), folder=desk)
    said = " ".join(err.split())
    for word in words:
        assert word.lower() in said.lower(), said
    assert code == 2, said
    assert "Traceback" not in out + err
    assert "fault of ours" not in said
    # One message, of a sentence or two, under the usage where the shape of a flag was wrong.
    message = said[said.index("Error:"):]
    assert len(re.findall(r"(?<!\w)Error: ", said)) == 1
    assert 20 < len(message) < 400
    assert message.rstrip().endswith((".", "?", "'", ")"))
    assert sorted(path.name for path in desk.rglob("*")) == before


def test_there_are_more_than_fifty_ways_to_go_wrong():
    assert len(CASES) > 50


def test_debug_shows_where_an_error_came_from(desk):
    from sibt.errors import StrategyError

    with pytest.raises(StrategyError, match="yaer"):
        sibt("run", "calendar_reverse", "-p", "yaer=2023", "--debug", folder=desk)


def test_a_fault_of_ours_says_so_and_how_to_report_it(desk, monkeypatch):
    def broken(*_given: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("sibt.cli.run.work", broken)
    code, _, err = sibt("run", "plain.py", folder=desk)
    said = " ".join(err.split())
    assert code == 1
    assert said.startswith("Fault: ZeroDivisionError: division by zero")
    assert "--debug" in said
    assert "report" in said
    assert "Traceback" not in err


def test_two_books_that_differ_are_a_fault_of_ours(desk, monkeypatch):
    from sibt.errors import LedgerError

    def broken(*_given: object) -> None:
        raise LedgerError("The two books differ by 1.00 yuan.")

    monkeypatch.setattr("sibt.cli.run.work", broken)
    assert sibt("run", "plain.py", folder=desk)[0] == 1


def test_a_run_that_dies_while_writing_leaves_no_folder(desk, monkeypatch, tmp_path):
    def broken(run: object, path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sibt.report.tearsheet.tear_sheet", broken)
    code, _, err = sibt(
        "run", str(desk / "plain.py"), "--to", "2024-06-28", "--out", "results", folder=tmp_path
    )
    assert code in (1, 2)
    assert "No space left" in err
    # What all pages share may be there already.
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["assets"]


def test_excel_without_its_library_is_refused_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sibt.cli.run.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as left:
        main(["run", "calendar_reverse", "--excel", "--out", str(tmp_path / "results")])
    assert left.value.code == 2
    assert "install it with pip install openpyxl" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "results").exists()
