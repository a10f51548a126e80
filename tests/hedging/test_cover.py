import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibt.engine.execution import Execution
from sibt.errors import StrategyError
from sibt.hedging.cover import beyond, unit_tonnes, wished_tonnes
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market
from sibt.runs.run import run
from sibt.strategy.strategy import Strategy

TONNES = st.lists(st.integers(-30, 30), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("owned", "futures", "more"),
    [
        (100, -100, False),
        (100, -104, False),  # less than a lot
        (100, -105, True),
        (100, 0, False),
        (100, 4, False),
        (100, 5, True),  # on the side of the goods
        (-100, 100, False),
        (-100, 105, True),
        (-100, -5, True),
        (0, 4, False),
        (0, 5, True),
        (0, -5, True),
        (2, -7, True),
        (2, -5, False),
    ],
)
def test_a_hedge_is_too_large_from_a_lot_more_than_the_goods_on(owned, futures, more):
    assert beyond([owned], [futures], 5.0).tolist() == [more]


@given(TONNES, st.data())
def test_goods_and_needs_are_mirrored(owned, data):
    futures = data.draw(st.lists(st.integers(-40, 40), min_size=len(owned), max_size=len(owned)))
    one = beyond(owned, futures, 5.0)
    assert one.tolist() == beyond(-np.array(owned), -np.array(futures), 5.0).tolist()


@given(TONNES)
def test_columns_are_told_one_by_one(owned):
    goods = np.array(owned, dtype=float)
    futures = np.column_stack([-goods, -goods - 5.0, -goods - 4.0])
    wide = beyond(goods, futures, 5.0)
    for n in range(3):
        assert wide[:, n].tolist() == beyond(goods, futures[:, n], 5.0).tolist()
    both = beyond(np.column_stack([goods, goods]), -goods, 5.0)
    assert both.tolist() == [[False, False]] * len(goods)


# -- In a run ----------------------------------------------------------------------------------

DAYS = calendar.sessions()
DAYS = DAYS[DAYS >= "2024-04-22"][:8]
PLAIN = {"margin": 0.10, "fee": 0.0, "price_limit": 1.0}


class Holds(Strategy):
    """Hold lots against tonnes, both by session."""

    kind = "hedger"

    def __init__(self, lots, tonnes, legs=None):
        self.lots, self.tonnes, self.names = lots, tonnes, legs or {"si2410": 1}

    def legs(self, market, p):
        return self.names

    def units(self, market, p):
        if isinstance(self.lots, dict):
            return pd.DataFrame(self.lots, index=market.sessions, dtype=float)
        return pd.Series(self.lots, index=market.sessions, dtype=float)

    def exposure(self, market, p):
        return pd.Series(self.tonnes, index=market.sessions, dtype=float)


def done(lots, tonnes, legs=None, volume=1e6, **how):
    contracts = tuple(legs or {"si2410": 1})
    shape = (len(DAYS), len(contracts))
    # No two sessions alike.
    price = 12_000.0 + 5.0 * np.add.outer(np.arange(len(DAYS)), np.arange(len(contracts)))
    market = Market(
        sessions=DAYS,
        contracts=contracts,
        **{name: price.copy() for name in FIELDS[:5]},
        volume=np.broadcast_to(np.reshape(volume, (-1, 1)), shape).astype(float),
        open_interest=np.full(shape, 1e6),
        spot=pd.DataFrame({"553": price[:, 0]}, index=DAYS),
        receipts=pd.Series(np.nan, index=DAYS),
    )
    return run(Holds(lots, tonnes, legs), market, terms=PLAIN, **how)


def test_a_hedge_wished_larger_than_the_goods_is_named_by_date_lots_and_tonnes():
    with pytest.raises(
        StrategyError,
        match=r"wished for on 2024-04-25 is 12 lots \(60 t\) short against 50 t owned, more than",
    ):
        done([0, -10, -10, -12, -12, 0, 0, 0], [50.0] * 8)


def test_a_hedge_of_needs_is_mirrored():
    # 50 t, bought and sold two sessions later, 10 yuan a tonne higher.
    assert done([0, 10, 10, 0, 0, 0, 0, 0], [-50.0] * 8,
                execution=Execution(slippage=0)).hedge.metrics["futures"] == 500.0  # fmt: skip
    with pytest.raises(StrategyError, match=r"11 lots \(55 t\) long against 50 t needed"):
        done([0, 11, 0, 0, 0, 0, 0, 0], [-50.0] * 8)


def test_futures_on_the_side_of_the_goods_hedge_nothing_and_are_refused():
    with pytest.raises(StrategyError, match=r"2 lots \(10 t\) long against 50 t owned"):
        done([0, 2, 0, 0, 0, 0, 0, 0], [50.0] * 8)


def test_a_hedge_that_outlasts_its_goods_is_refused():
    with pytest.raises(StrategyError, match=r"2024-04-26 is 4 lots .* against 0 t owned"):
        done([-4, -4, -4, -4, -4, 0, 0, 0], [20.0] * 4 + [0.0] * 4)


def test_less_than_a_lot_more_is_rounding():
    assert done([-10] * 7 + [0], [47.0] * 8).hedge is not None


def test_legs_are_counted_together():
    legs = {"si2410": 1, "si2411": 1}
    each = {"si2410": [-6.0] * 8, "si2411": [-4.0] * 8}
    found = done(each, [50.0] * 8, legs)
    assert wished_tonnes(found.result).tolist() == [-50.0] * 8
    assert found.result.job.execution.pairing == "legged"
    with pytest.raises(StrategyError, match=r"11 lots \(55 t\) short against 50 t owned"):
        done({**each, "si2411": [-5.0] * 8}, [50.0] * 8, legs)


def test_a_unit_of_a_spread_holds_no_tonnes():
    found = done([-3] * 8, [0.0] * 8, {"si2410": 1, "si2411": -1})
    assert unit_tonnes(found.result.job).tolist() == [0.0] * 8


def test_lots_that_could_not_be_closed_in_time_are_told():
    # Two lots a session can be traded: 20 to open takes long, so does closing.
    volume = [1e6, 1e6, 1e6, 20, 20, 20, 20, 20]
    found = done([-20, -20, -10, -10, -10, -10, -10, -10], [100.0] * 2 + [50.0] * 6, volume=volume,
                 execution=Execution(slippage=0, participation=0.1))  # fmt: skip
    [note] = [one for one in found.notes if "more was hedged" in one]
    # 20 lots, 18, 16, 14, 12 left after the sessions from the fourth on, against 10.
    assert found.hedge.table["lots"].tolist() == [0, -20, -20, -18, -16, -14, -12, -10]
    assert "after 4 sessions, first on 2024-04-25: 90 t of futures against 50 t" in note


def test_a_hedge_that_follows_its_goods_a_session_later_is_not_told():
    found = done([-20, -16, -12, -8, -4, 0, 0, 0], [100.0, 80.0, 60.0, 40.0, 20.0, 0, 0, 0])
    assert (found.hedge.table["lots"] * -5 > found.hedge.table["tonnes"]).any()
    assert not [one for one in found.notes if "more was hedged" in one]
