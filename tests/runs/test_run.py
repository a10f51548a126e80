from dataclasses import replace

import pandas as pd
import pytest

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.errors import DataError, SettingError, SibtError, StrategyError
from sibt.hedging.exposure import Entry, Schedule, exposure_of
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.strategy import Comparison, Param, Strategy


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


OWN = """
import pandas as pd

import sibt


class A(sibt.Strategy):
    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        return pd.Series(2.0, index=market.sessions)
"""


class Holds(Strategy):
    """Hold a contract throughout."""

    size = Param(2, "lots", "lots", low=1, grid=(2,))
    code = Param("si2409", "contract")

    def legs(self, market, p):
        return {p.code: 1}

    def units(self, market, p):
        return pd.Series(float(p.size), index=market.sessions)


class Compares(Holds):
    def comparisons(self, market, p):
        return [
            Comparison("more", "control", {"size": 4}),
            Comparison("other", "control", {"code": "si2410"}),
            Comparison("missing", "placebo", {"code": "si2912"}),
            Comparison("wrong", "benchmark", {"sise": 4}),
        ]


class Fails(Strategy):
    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        raise KeyError("si9999")


def test_a_strategy_is_given_as_a_name_a_path_or_an_object(market, tmp_path):
    (tmp_path / "a.py").write_text(OWN, encoding="utf-8")
    by_path = run(tmp_path / "a.py", market)
    by_object = run(Holds(), market)
    assert by_path.name == "a"
    assert by_object.name == "Holds"
    assert by_path.result.metrics == by_object.result.metrics
    assert run("calendar_reverse", market).name == "calendar_reverse"


def test_the_default_market_is_the_sample(market):
    assert run(Holds()).market.digest == market.digest


def test_the_strategys_kind_is_the_accounts_unless_one_is_given(market):
    assert run("producer_hedge", market).result.job.account.kind == "hedger"
    assert run("producer_hedge", market, kind="company").result.job.account.kind == "company"
    given = run("producer_hedge", market, account=Account(kind="company"))
    assert given.result.job.account.kind == "company"


def test_capital_goes_before_the_accounts_own(market):
    done = run(Holds(), market, capital=5e5, account=Account(capital=7e5, fee_markup=2.0))
    assert done.result.job.account.capital == 5e5
    assert done.result.job.account.fee_markup == 2.0


def test_without_a_capital_the_account_keeps_its_own(market):
    assert run(Holds(), market).result.job.account.capital == 1e6
    assert run(Holds(), market, account=Account(capital=7e5)).result.job.account.capital == 7e5


def test_stages_are_named_as_they_begin_and_timed(market):
    seen = []
    done = run(Holds(), market, stage=seen.append)
    assert seen == ["strategy", "market", "wishes", "ledger", "look-ahead", "comparisons"]
    assert set(done.seconds) == set(seen)
    assert all(seconds >= 0 for seconds in done.seconds.values())


def test_the_market_ends_with_the_run(market):
    done = run(Holds(), market, end="2024-06-28")
    assert done.market.sessions[-1] == pd.Timestamp("2024-06-28")
    assert done.result.statement.index[-1] == pd.Timestamp("2024-06-28")


def test_an_end_that_is_no_session_is_the_session_before(market):
    # A Sunday.
    done = run(Holds(), market, end="2024-06-30")
    assert done.market.sessions[-1] == pd.Timestamp("2024-06-28")


def test_the_first_fill_is_in_the_session_it_may_begin(market):
    done = run(Holds(), market, start="2024-05-15")
    assert done.result.fills["session"].iloc[0] == pd.Timestamp("2024-05-15")
    assert done.result.returns.index[0] == pd.Timestamp("2024-05-15")


def test_a_start_that_is_no_session_is_the_session_after(market):
    done = run(Holds(), market, start="2024-05-18")
    assert done.result.fills["session"].iloc[0] == pd.Timestamp("2024-05-20")


def test_a_start_before_the_idea_was_known_changes_nothing(market):
    early = run("calendar_reverse", market, start="2024-01-02")
    plain = run("calendar_reverse", market)
    pd.testing.assert_frame_equal(early.result.fills, plain.result.fills)
    pd.testing.assert_series_equal(early.result.returns, plain.result.returns)


@pytest.mark.parametrize("start", ["2024-05-15", "2024-05-16", "2024-07-01"])
def test_a_later_start_enters_later(market, start):
    done = run("calendar_reverse", market, start=start)
    assert done.result.fills["session"].iloc[0] == pd.Timestamp(start)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"start": "someday"}, SettingError, "--from is 'someday'"),
        ({"end": "2024-13-01"}, SettingError, "--to is '2024-13-01'"),
        ({"start": "2030-01-02"}, SettingError, "after the market's last session"),
        ({"start": "2024-06-03", "end": "2024-05-06"}, SettingError, "before --from"),
        ({"end": "2020-01-02"}, DataError, "begins on"),
        ({"params": {"sise": 3}}, StrategyError, "Did you mean 'size'"),
        ({"kind": "compny"}, SettingError, "Did you mean 'company'"),
        ({"capital": 0}, SettingError, "above zero"),
        ({"capital": -1.0}, SettingError, "above zero"),
    ],
)
def test_what_makes_no_sense_is_refused(market, given, error, words):
    with pytest.raises(error, match=words):
        run(Holds(), market, **given)


def test_an_error_in_the_strategy_is_the_strategys(market):
    with pytest.raises(StrategyError, match="fails with KeyError"):
        run(Fails(), market)


def test_comparisons_are_other_settings_under_the_same_rules(market):
    rules = {"execution": Execution(slippage=3), "terms": {"fee": 0.001}, "capital": 2e6}
    done = run(Compares(), market, **rules)
    table = done.comparisons.set_index("name")
    more = run(Holds(), market, {"size": 4}, **rules)
    assert table.loc["more", "net"] == more.result.metrics["net"]
    assert table.loc["more", "net_per_tonne"] == more.result.metrics["net_per_tonne"]
    other = run(Holds(), market, {"code": "si2410"}, **rules)
    assert table.loc["other", "net"] == other.result.metrics["net"]


def test_a_comparison_that_cannot_be_run_says_why(market):
    table = run(Compares(), market).comparisons.set_index("name")
    assert table.loc["missing", "note"].startswith("not available: ")
    assert "si2912" in table.loc["missing", "note"]
    assert "no parameter 'sise'" in table.loc["wrong", "note"]
    assert table.loc[["missing", "wrong"], "net"].isna().all()


def test_the_excess_is_over_the_controls_that_ran(market):
    done = run(Compares(), market)
    table = done.comparisons.set_index("name")
    mean = table.loc[["more", "other"], "net_per_tonne"].mean()
    assert done.excess == pytest.approx(done.result.metrics["net_per_tonne"] - mean)


def test_without_controls_there_is_no_excess(market):
    done = run(Holds(), market)
    assert done.comparisons.empty
    assert done.excess is None
    assert done.hedge is None


def test_the_run_is_the_same_on_the_market_cut_at_its_end(market):
    whole = run("short_rallies", market, end="2024-06-28")
    cut = run("short_rallies", market.asof("2024-06-28"))
    pd.testing.assert_frame_equal(whole.result.statement, cut.result.statement)
    assert whole.market.digest == cut.market.digest


@pytest.mark.parametrize("end", ["2024-05-31", "2024-08-30"])
def test_what_happened_later_changes_no_earlier_booking(market, end):
    for name in ("calendar_reverse", "short_rallies", "producer_hedge"):
        whole = run(name, market, capital=4e7).result.statement
        cut = run(name, market, capital=4e7, end=end).result.statement
        pd.testing.assert_frame_equal(whole.iloc[: len(cut)], cut, check_freq=False)


def test_every_refusal_is_a_sibt_error():
    for error in (DataError, SettingError, StrategyError):
        assert issubclass(error, SibtError)


def test_settlements_that_are_closes_are_a_note_of_the_run(market):
    one = replace(market, settle=market.close.copy())
    (note,) = [note for note in run(Holds(), one).notes if note.startswith("data ")]
    assert note.startswith("data doubtful, settle is close: 29 contracts")
    assert not [note for note in run(Holds(), market).notes if note.startswith("data")]


# -- Legs wished one by one, and goods ---------------------------------------------------------


class Strip(Strategy):
    """Two contracts, each with units of its own."""

    kind = "hedger"

    def legs(self, market, p):
        return {"si2409": 1, "si2410": 1}

    def units(self, market, p):
        late = pd.Series(market.sessions >= "2024-05-20", market.sessions).astype(float)
        return pd.DataFrame({"si2410": -3.0 * late, "si2409": -2.0})

    def notes(self, market, p):
        return ["two contracts"]


class Stocked(Strip):
    def exposure(self, market, p):
        owned = pd.Series(25.0, index=market.sessions)
        return exposure_of(owned, "421", market)

    def grade(self, p):
        return "no grade"


def test_legs_wished_one_by_one_are_worked_one_by_one(market):
    done = run(Strip(), market.asof("2024-06-28"))
    assert done.result.job.execution.pairing == "legged"
    held = done.result.positions.groupby("contract")["lots"].agg(["min", "max"])
    assert held.loc["si2409"].tolist() == [-2, -2]
    assert held.loc["si2410"].tolist() == [-3, -3]
    assert "two contracts" in done.notes


def test_legs_wished_one_by_one_begin_flat_in_a_window(market):
    done = run(Strip(), market, start="2024-05-15", end="2024-06-28")
    fills = done.result.fills
    assert fills["session"].tolist() == [pd.Timestamp("2024-05-15"), pd.Timestamp("2024-05-21")]
    assert fills["contract"].tolist() == ["si2409", "si2410"]
    assert any("wished for this position before --from" in note for note in done.notes)


def test_an_exposure_brings_its_own_grade(market):
    done = run(Stocked(), market.asof("2024-06-28"))
    assert done.hedge.book.grade == "421"
    assert (done.hedge.book.tonnes == 25.0).all()
    # Each leg has its own part of the account.
    [note] = [one for one in done.notes if "account sized" in one]
    assert "2 lots" in note
    assert "3 lots" in note


def test_an_exposure_of_other_sessions_is_refused(market):
    class Longer(Stocked):
        def exposure(self, market, p):
            return exposure_of(pd.Series(dtype=float), "421", load_market("sample"))

    with pytest.raises(StrategyError, match="goods of other sessions than the market's"):
        run(Longer(), market.asof("2024-06-28"))


def test_a_file_of_goods_is_read_before_anything_else(market, tmp_path):
    with pytest.raises(DataError, match=r"no schedule .*goods\.csv"):
        run("producer_hedge", market, goods=tmp_path / "goods.csv")


def test_goods_a_strategy_does_not_look_at_are_refused(market):
    goods = Schedule((Entry("inventory", pd.Timestamp("2024-05-06"), 25.0),))
    with pytest.raises(SettingError, match="Stocked does not hedge them"):
        run(Stocked(), market.asof("2024-06-28"), goods=goods)


def test_what_a_run_brings_is_there_in_parameters_made_without_one():
    p = Strip.params()
    assert p.goods is None
    assert p.at_expiry == "close"
    assert p.asked_for("goods")
    assert not p.asked_for("capital")
