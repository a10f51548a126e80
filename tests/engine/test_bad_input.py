"""What cannot be booked is refused in one sentence: what, where, and the cure."""

import numpy as np
import pandas as pd
import pytest
from markets import by_session, days, flat, market

import sibt
from sibt.engine.booking import book
from sibt.engine.terms import terms_in_force
from sibt.errors import DataError, SettingError, SibtError, StrategyError, TermsError

PANEL = market(si2408=[12000] * 5, si2409=[12500] * 5)
ONE = {"si2408": 1}
WISH = by_session(PANEL, [1])
DAYS = days("2024-03-04", 3)
SETTLED = pd.DataFrame({"si2408": [12000.0, 12010, 12020]}, index=DAYS)


def trade(**changes):
    row = {"session": DAYS[0], "contract": "si2408", "side": "buy", "offset": "open", "lots": 1,
           "price": 12000.0}
    return pd.DataFrame([row | changes])


def refused(kind, message, call):
    """Say that a call is refused with one sentence that matches."""
    with pytest.raises(SibtError, match=message) as caught:
        call()
    assert type(caught.value) is kind
    said = str(caught.value)
    assert "\n" not in said
    assert said[-1] in ".?)"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"capital": 0}, r"`capital` is 0; give the opening equity in yuan, above zero"),
        ({"capital": -5.0}, r"`capital` is -5"),
        ({"capital": float("nan")}, r"`capital` is nan"),
        ({"capital": float("inf")}, r"`capital` is inf"),
        ({"capital": "much"}, r"`capital` is .?much"),
        ({"kind": "person"}, r"`kind` is 'person'; write one of individual, company, hedger"),
        ({"kind": "compny"}, r"Did you mean 'company'\?"),
        ({"on_call": "pay"}, r"`on_call` is 'pay'; write one of cut, deposit"),
        ({"broker_margin": 5}, r"`broker_margin` is 5; .*five points being 0\.05"),
        ({"broker_margin": -0.01}, r"`broker_margin` is -0\.01"),
        ({"broker_margin": float("nan")}, r"`broker_margin` is nan"),
        ({"fee_markup": -1}, r"`fee_markup` is -1; give a multiple"),
        ({"fee_markup": 101}, r"from 0 to 100"),
    ],
)
def test_an_account_out_of_range(settings, message):
    refused(SettingError, message, lambda: sibt.Account(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fill": "vwap"}, r"`fill` is 'vwap'; write one of open, close, settle"),
        ({"fill": "opne"}, r"Did you mean 'open'\?"),
        ({"pairing": "pair"}, r"`pairing` is 'pair'; write one of paired, legged"),
        ({"slippage": 0.5}, r"`slippage` is 0\.5; give a whole number of ticks"),
        ({"slippage": -1}, r"`slippage` is -1"),
        ({"slippage": float("nan")}, r"`slippage` is nan"),
        ({"slippage": "two"}, r"`slippage` is .?two"),
        ({"participation": 0}, r"`participation` is 0; give a share of volume above 0"),
        ({"participation": 10}, r"`participation` is 10"),
        ({"participation": float("nan")}, r"`participation` is nan"),
    ],
)
def test_an_execution_out_of_range(settings, message):
    refused(SettingError, message, lambda: sibt.Execution(**settings))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"margn": 0.1}, r"'margn' is no term.*Did you mean 'margin'\?"),
        ({"margin": 10}, r"Term 'margin' is 10, above 1; write shares, ten per cent being 0\.1"),
        ({"fee": 0.5}, r"Term 'fee' is 0\.5, above 0\.1"),
        ({"fee": -1e-4}, r"Term 'fee' must be a number of zero or more"),
        ({"margin": float("nan")}, r"Term 'margin' must be a number"),
        ({"price_limit": "high"}, r"Term 'price_limit' is 'high'; give a number"),
        ({"margin": None}, r"Term 'margin' is 'None'; give a number"),
        ({"margin": pd.Series(dtype=float)}, r"Term 'margin' is a Series without one day a row"),
        (
            {"margin": pd.Series([0.1], index=[pd.Timestamp("2030-01-01")])},
            r"names 2030-01-01, which is no session",
        ),
    ],
)
def test_a_term_that_is_none(terms, message):
    refused(TermsError, message, lambda: sibt.simulate(PANEL, WISH, ONE, terms=terms))


def test_terms_of_an_unknown_contract():
    refused(
        TermsError,
        r"'si24O8' is no contract code; write product and month in lower case, as si2411",
        lambda: terms_in_force(("si24O8",), DAYS, sibt.Account()),
    )


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([1, 0], r"`units` is list; give a Series of whole numbers by session"),
        (by_session(PANEL, [1, 1.5]), r"`units` is 1\.5 on 2024-03-05; .*round them"),
        (by_session(PANEL, [np.inf]), r"`units` is inf on 2024-03-04"),
        (by_session(PANEL, ["long"]), r"`units` holds something that is no number"),
        (
            pd.Series([1], index=[pd.Timestamp("2024-03-09")]),
            r"units name 2024-03-09, which is no session .*2024-03-08\); use market\.sessions",
        ),
        (pd.Series([1, 2], index=[DAYS[0], DAYS[0]]), r"units name 2024-03-04 twice"),
        (pd.Series([1], index=["soon"]), r"units"),
    ],
)
def test_wishes_that_make_no_sense(units, message):
    refused(StrategyError, message, lambda: sibt.simulate(PANEL, units, ONE))


@pytest.mark.parametrize("lots", [10**13, 1e19])
def test_more_lots_than_can_be_counted(lots):
    refused(
        SettingError,
        r"lots are more than the ledger can count to the fen; wish for fewer units",
        lambda: sibt.simulate(PANEL, by_session(PANEL, [lots]), ONE),
    )


def test_more_capital_than_can_be_counted():
    refused(
        SettingError,
        r"capital",
        lambda: sibt.simulate(PANEL, WISH, ONE, account=sibt.Account(capital=1e18)),
    )


@pytest.mark.parametrize(
    ("kind", "legs", "message"),
    [
        (StrategyError, {}, r"needs at least one leg; write \{'si2411': 1\}"),
        (StrategyError, {"si2408": 0}, r"Leg 'si2408' has ratio 0; write whole lots"),
        (StrategyError, {"si2408": 0.5}, r"Leg 'si2408' has ratio 0\.5"),
        (StrategyError, {"si2408": float("nan")}, r"Leg 'si2408' has ratio nan"),
        (StrategyError, {"si2408": "short"}, r"Leg 'si2408' has ratio .?short"),
        (DataError, {"si2308": 1}, r"no bars of contract 'si2308'; it holds si2408 to si2409"),
        (DataError, {"si24o8": 1}, r"Did you mean 'si2408'\?"),
        (StrategyError, {"si": (["si2408"], 1)}, r"Leg 'si' is list; write a contract code"),
        (StrategyError, {"si": (by_session(PANEL, [2408]), 1)}, r"Leg 'si' names 2408"),
        (DataError, {"si": (by_session(PANEL, ["si2508"]), 1)}, r"no bars of contract 'si2508'"),
        (StrategyError, {"si": (by_session(PANEL, []), 1)}, r"No leg names a contract"),
    ],
)
def test_legs_that_make_no_sense(kind, legs, message):
    refused(kind, message, lambda: sibt.simulate(PANEL, WISH, legs))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (by_session(PANEL, [12001.0]), r"limit 12001 on 2024-03-04 is off the tick.*5 yuan"),
        (by_session(PANEL, [-5.0]), r"limit on 2024-03-04 is not above zero; use NaN for none"),
        (by_session(PANEL, [0.0]), r"not above zero"),
        (pd.Series([12000.0], index=[pd.Timestamp("2024-03-10")]), r"limits name 2024-03-10"),
        ([12000.0], r"`limits` is list"),
        (by_session(PANEL, ["low"]), r"limits"),
    ],
)
def test_limits_that_make_no_sense(limits, message):
    refused(StrategyError, message, lambda: sibt.simulate(PANEL, WISH, ONE, limits=limits))


def test_limits_on_two_legs():
    refused(
        StrategyError,
        r"Resting limits work on one leg only, and this strategy has 2; leave `limits` out",
        lambda: sibt.simulate(
            PANEL, WISH, {"si2408": 1, "si2409": -1}, limits=by_session(PANEL, [12000.0])
        ),
    )


def test_a_day_that_is_none():
    refused(
        StrategyError, r"known_from", lambda: sibt.simulate(PANEL, WISH, ONE, known_from="soon")
    )


def test_a_missing_settlement_names_three_days_and_counts_the_rest():
    panel = market(si2408=[12000] + [flat(12000, settle=None)] * 5)
    refused(
        DataError,
        r"si2408 2024-03-05, si2408 2024-03-06, si2408 2024-03-07 and 2 more \(memory\)",
        lambda: sibt.simulate(panel, by_session(panel, [1]), ONE),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"session": pd.Timestamp("2024-03-09")}, r"Trade 1 is on 2024-03-09, which has no settle"),
        ({"contract": "si2409"}, r"Trade 1 is in si2409, .*known are si2408.*Did you mean"),
        ({"side": "long"}, r"Trade 1 is 'long open'; write buy or sell, and open or close"),
        ({"offset": "close_today"}, r"Trade 1 is 'buy close_today'"),
        ({"lots": 0}, r"Trade 1 needs whole lots and a price, both above zero"),
        ({"lots": -2}, r"Trade 1 needs whole lots"),
        ({"lots": 1.5}, r"Trade 1 needs whole lots"),
        ({"lots": float("nan")}, r"Trade 1 needs whole lots"),
        ({"lots": "two"}, r"Trade 1 needs whole lots"),
        ({"price": float("nan")}, r"Trade 1 needs whole lots and a price"),
        ({"price": -12000.0}, r"Trade 1 needs whole lots and a price"),
        ({"side": "sell", "offset": "close"}, r"Trade 1 closes 1 lots of si2408, but only 0 are"),
    ],
)
def test_a_trade_that_cannot_be_booked(changes, message):
    refused(DataError, message, lambda: book(trade(**changes), SETTLED))


def test_a_trade_without_a_column():
    refused(DataError, r"price", lambda: book(trade().drop(columns="price"), SETTLED))


def test_no_trades_and_settlements_of_a_nameless_contract():
    refused(DataError, r"contract", lambda: book(trade().iloc[:0], SETTLED["si2408"]))


def test_settlements_out_of_order():
    refused(DataError, r"order", lambda: book(trade(), SETTLED.iloc[::-1]))


def test_settlements_of_a_day_given_twice():
    refused(DataError, r"twice", lambda: book(trade(), pd.concat([SETTLED, SETTLED])))


def test_a_settlement_that_is_missing_while_lots_are_held():
    gap = SETTLED.assign(si2408=[12000.0, np.nan, 12020])
    refused(
        DataError,
        r"No settlement of si2408 on 2024-03-05 while 1 lots are held; add it",
        lambda: book(trade(), gap),
    )


def test_a_matching_that_is_not_known():
    refused(
        SettingError,
        r"`matching` is 'lifo'; write fifo or today_first",
        lambda: book(trade(), SETTLED, matching="lifo"),
    )
