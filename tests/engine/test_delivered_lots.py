"""Lots held to the last trading day and delivered: whole delivery units, at settlement."""

import numpy as np
import pandas as pd
import pytest

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.simulate import simulate
from sibt.errors import SettingError
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

LAST = pd.Timestamp("2024-10-21")  # si2410's last trading day
DAYS = calendar.sessions()
DAYS = DAYS[(DAYS >= "2024-10-14") & (DAYS <= "2024-10-23")]
PLAIN = {"margin": 0.10, "fee": 0.0001, "price_limit": 1.0}


def market(*, volume=1e6, opens=11_000.0, settle=11_100.0, codes=("si2410",)):
    shape = (len(DAYS), len(codes))
    bars = {name: np.full(shape, opens) for name in FIELDS[:5]}
    bars["high"][:] = max(opens, settle)
    bars["settle"][:] = settle
    cap = np.full(shape, 1e6)
    cap[DAYS.get_loc(LAST)] = volume
    return Market(
        sessions=DAYS, contracts=codes, volume=cap, open_interest=np.full(shape, 1e6),
        spot=pd.DataFrame({"553": 11_500.0}, index=DAYS),
        receipts=pd.Series(np.nan, index=DAYS), **bars,
    )


def run(lots, *, legs=None, market=market(), kind="hedger", **execution):  # noqa: B008
    settings = {"slippage": 0, "participation": None, "at_expiry": "deliver", **execution}
    return simulate(
        market, pd.Series(float(lots), index=market.sessions), legs or {"si2410": 1},
        account=Account(kind=kind, capital=10_000_000.0), execution=Execution(**settings),
        terms=PLAIN,
    )


def leaving(result):
    last = result.fills[result.fills["session"] == LAST]
    return [tuple(row) for row in last[["lots", "price", "fee", "reason"]].to_numpy()]


def test_whole_delivery_units_are_delivered_at_settlement_and_the_rest_is_closed():
    # 26 lots: two delivery units of 12, and two lots bought back at the open, 11,000 × 10 t × 1e-4.
    result = run(-26)
    assert leaving(result) == [(2, 11_000.0, 11.0, "exit date"), (24, 11_100.0, 0.0, "delivery")]
    assert result.positions.query("session >= @LAST").empty
    assert result.statement["margin"].iloc[-1] == 0.0


def test_without_delivery_all_lots_are_closed_at_market():
    assert leaving(run(-26, at_expiry="close")) == [(26, 11_000.0, 143.0, "exit date")]


def test_fewer_lots_than_a_delivery_unit_are_closed():
    assert leaving(run(-11)) == [(11, 11_000.0, 60.5, "exit date")]


def test_the_delivery_unit_is_a_setting():
    assert leaving(run(-11, delivery_unit=5)) == [
        (1, 11_000.0, 5.5, "exit date"), (10, 11_100.0, 0.0, "delivery")]


def test_units_of_several_lots_make_whole_delivery_units():
    # Units of 8 lots: only every third one makes 24 lots, two delivery units.
    result = run(-4, legs={"si2410": 8})
    assert [row[0] for row in leaving(result)] == [8, 24]


def test_what_the_market_does_not_take_back_leaves_at_settlement_beside_the_delivery():
    result = run(-26, market=market(volume=1.0), participation=1.0)
    assert [(row[0], row[3]) for row in leaving(result)] == [
        (1, "exit date"), (1, "exit date, at settlement"), (24, "delivery")]


def test_a_strategy_that_wishes_for_less_delivers_less():
    held = pd.Series(-26.0, index=DAYS)
    held[DAYS[DAYS.get_loc(LAST) - 1] <= DAYS] = -13.0
    result = simulate(
        market(), held, {"si2410": 1}, account=Account(kind="company", capital=10_000_000.0),
        execution=Execution(slippage=0, at_expiry="deliver"), terms=PLAIN,
    )
    assert [(row[0], row[3]) for row in leaving(result)] == [(14, "exit date"), (12, "delivery")]


def test_the_second_book_agrees_with_a_delivery():
    assert run(-26).reconcile() < 0.01


@pytest.mark.parametrize(
    ("given", "legs", "kind", "said"),
    [
        ({}, None, "individual", "natural person may not deliver"),
        ({}, {"si2410": 1, "si2411": -1}, "hedger", "2 paired legs"),
        ({"delivery_unit": 0}, None, "hedger", "`delivery_unit` is 0"),
        ({"delivery_unit": 2.5}, None, "hedger", "`delivery_unit` is 2.5"),
        ({"at_expiry": "delivr"}, None, "hedger", "Did you mean 'deliver'"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(given, legs, kind, said):
    codes = ("si2410", "si2411")
    with pytest.raises(SettingError, match=said):
        run(-26, legs=legs, kind=kind, market=market(codes=codes), **given)
