import pandas as pd
import pytest
from claim_files import market, report, scored

import sibt
from sibt.engine.execution import Execution
from sibt.research.claims import trade
from sibt.research.claims.score import score

SELL = '''
import pandas as pd
import sibt


class Sell(sibt.Strategy):
    """Short si2409 from a day to another."""

    first = sibt.Param("2024-04-01", "decided after this session")
    last = sibt.Param("2024-04-30", "out after this session")
    side = sibt.Param(-1, "units", choices=(-1, 1))

    def legs(self, market, p):
        return {"si2409": 1}

    def units(self, market, p):
        inside = (market.sessions >= p.first) & (market.sessions < p.last)
        return pd.Series(inside * float(p.side), index=market.sessions)
'''


@pytest.fixture
def sell(tmp_path):
    path = tmp_path / "sell.py"
    path.write_text(SELL, "utf-8")
    return str(path)


def falling(count=60):
    return market({"si2409": [12000.0 - 5 * n for n in range(count)]})


def one(tmp_path, market, asof=None, **told):
    return scored(tmp_path, market, {"test": "strategy", **told}, asof=asof)[0]


def test_a_trade_that_paid_is_right_and_its_reverse_wrong(tmp_path, sell):
    short = one(tmp_path, falling(), strategy=sell)
    long = one(tmp_path, falling(), strategy=sell, params={"side": 1})
    assert (short.verdict, long.verdict) == ("right", "wrong")
    ran = sibt.run(sell, falling())
    assert short.horizon == "sell"
    assert short.figures["net"] == (ran.result.metrics["net"], "yuan")
    assert short.decided_on == ran.result.round_trips["exit"].iloc[0]
    assert short.path.iloc[-1] == pytest.approx(ran.result.metrics["net"])


def test_it_runs_while_it_is_open(tmp_path, sell):
    row = one(tmp_path, falling(), strategy=sell, asof="2024-04-15")
    assert (row.verdict, row.decided_on) == ("running", None)
    assert row.figures["net"].value > 0, "so far"
    assert one(tmp_path, falling(), strategy=sell, asof="2024-04-02").verdict == "running"


def test_a_trade_that_never_came_is_undecidable_once_it_is_too_late(tmp_path, sell):
    never = {"strategy": sell, "params": {"first": "2030-01-02"}}
    assert one(tmp_path, falling(), **never).verdict == "running"
    row = one(tmp_path, falling(), until="2024-05-06", **never)
    assert row.verdict == "undecidable"
    assert "2024-05-06" in row.why


def test_the_base_rate_is_that_of_the_entry_days(tmp_path, sell):
    # Down for ten sessions, then up: who sells late loses.
    turning = [12000.0 - 50 * n if n < 10 else 11500.0 + 20 * (n - 10) for n in range(40)]
    held = {"si2409": turning}
    row = one(tmp_path, market(held), strategy=sell)
    days = sibt.run(sell, market(held)).result.entry_days
    assert row.base.windows == len(days) > 10
    assert 0 < row.base.right == (days["net"] > 0).sum() < len(days)
    assert row.base.independent == 1, "they all end with the same exit"


def test_one_side_can_be_looked_at_alone(tmp_path, shared_market):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    told = {"strategy": "short_rallies", "fill": "close"}
    both, short, long = (
        one(tmp_path, recorded, **told, **side) for side in ({}, {"side": "short"},
                                                             {"side": "long"})
    )  # fmt: skip
    assert [row.verdict for row in (both, short, long)] == ["wrong", "right", "wrong"]
    total = short.figures["net"].value + long.figures["net"].value
    assert both.figures["net"].value == pytest.approx(total, abs=0.01)
    ran = sibt.run("short_rallies", recorded, execution=Execution(fill="close"))
    trips = ran.result.round_trips
    assert short.figures["net"].value == pytest.approx(trips.loc[trips["units"] < 0, "net"].sum())
    assert both.base is not None
    assert short.base is None
    assert "one side alone" in short.no_base


def test_the_reverse_spread_against_its_controls_and_placebos(tmp_path, shared_market):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    told = {"strategy": "calendar_reverse", "fill": "close"}
    ran = sibt.run("calendar_reverse", recorded, execution=Execution(fill="close"))
    for beats, role in (("controls", "control"), ("placebos", "placebo")):
        row = one(tmp_path, recorded, beats=beats, **told)
        table = ran.comparisons
        rival = table.loc[table["role"] == role, "net_per_tonne"].dropna().mean()
        assert row.figures[beats].value == pytest.approx(rival)
        assert row.figures["net"] == (ran.result.metrics["net_per_tonne"], "yuan/t")
        assert row.verdict == ("right" if row.figures["net"].value > rival else "wrong")


def test_an_order_without_a_price_makes_it_untestable(tmp_path, shared_market):
    # Opens are recorded of the dominant contract alone.
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    row = one(tmp_path, recorded, strategy="calendar_reverse")
    assert row.verdict == "untestable"
    assert row.missing[0].what == "open of si2411, si2412"


@pytest.mark.parametrize("name", ["producer_hedge", "trader_hedge"])
def test_a_hedge_without_quotes_lacks_them(tmp_path, shared_market, name):
    recorded = sibt.load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    row = one(tmp_path, recorded, strategy=name)
    assert (row.verdict, row.missing[0].what) == ("untestable", "spot 553")


def test_a_hedge_is_held_against_its_goods_or_the_constant_one(tmp_path):
    sample = sibt.load_market("sample")
    ran = sibt.run("producer_hedge", sample)
    alone = one(tmp_path, sample, strategy="producer_hedge")
    constant = one(tmp_path, sample, strategy="producer_hedge", beats="benchmarks")
    table = ran.comparisons
    rival = table.loc[table["name"].str.startswith("constant"), "hedged"].iloc[0]
    assert alone.figures["goods + futures"].value == ran.hedge.metrics["hedged"]
    assert alone.figures["net"].value == pytest.approx(
        ran.hedge.metrics["hedged"] - ran.hedge.metrics["physical"], abs=0.01
    )
    assert constant.figures["benchmarks"].value == pytest.approx(rival)
    better = ran.hedge.metrics["hedged"] > rival
    assert constant.verdict == ("right" if better else "wrong")
    assert alone.base is constant.base is None


def test_a_misspelt_strategy_is_named(tmp_path):
    row = one(tmp_path, falling(), strategy="calender_reverse")
    assert row.verdict == "untestable"
    assert "calendar_reverse" in row.missing[0].how


def test_a_strategy_that_looks_ahead_proves_nothing(tmp_path):
    path = tmp_path / "cheat.py"
    path.write_text(
        "import pandas as pd\nimport sibt\n\n\nclass Cheat(sibt.Strategy):\n"
        "    def legs(self, market, p):\n        return {'si2409': 1}\n\n"
        "    def units(self, market, p):\n"
        "        close = market.frame('close')['si2409']\n"
        "        return (close.shift(-1) > close).astype(float)\n",
        "utf-8",
    )
    zigzag = [12000.0 + (50 if n // 3 % 2 else 0) for n in range(60)] + [11000.0]
    row = one(tmp_path, market({"si2409": zigzag}), strategy=str(path))
    assert row.verdict == "undecidable"
    assert "looks ahead" in row.why


def test_what_is_run_sees_nothing_after_the_day(tmp_path, sell):
    told = report(tmp_path, {"test": "strategy", "strategy": sell})
    cut = score(told, falling().asof("2024-04-22")).table()
    assert cut.equals(score(told, falling(), "2024-04-22").table())
    assert pd.isna(cut["why"]).sum() == 0


def test_readings_of_one_trade_share_its_run(tmp_path, sell, monkeypatch):
    asked = []
    monkeypatch.setattr(trade, "run", lambda *given, **how: asked.append(how["execution"].fill)
                        or sibt.run(*given, **how))  # fmt: skip
    told = [{}, {"side": "short"}, {"side": "long"}, {"fill": "close"}]
    readings = [{"test": "strategy", "strategy": sell, "name": str(n), **one}
                for n, one in enumerate(told)]  # fmt: skip
    rows = scored(tmp_path, falling(), *readings)
    assert [row.verdict for row in rows] == ["right", "right", "running", "right"]
    assert asked == ["open", "close"]
