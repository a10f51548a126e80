"""The basis decomposition: golden identity, each part by hand, and sums over random markets."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hedges import DAYS, g06, goods, hedge_of, market_of, random_hedge, worked

from sibt.errors import DataError
from sibt.hedging.basis import PARTS, decompose


def yuan(found, *skip):
    """Return the parts that are not zero."""
    parts = found.parts["yuan"].round(6)
    return {name: value for name, value in parts.items() if value and name not in skip}


def test_g06_effective_is_spot_and_change_of_basis_less_fees():
    expected, found = worked("g06")["expected"], decompose(g06())
    held = found.path[found.path["tonnes"] != 0]
    assert held["from"].tolist() == [expected["basis0"]]
    assert held["to"].tolist() == [expected["basis1"]]
    assert yuan(found) == {"time": 1000 * expected["basis_change"], "fees": -2410.0}
    per_tonne = found.parts["per_tonne"]
    assert 13_200 + per_tonne["time"] + per_tonne["fees"] == pytest.approx(12_997.59)
    assert found.outcome.price == pytest.approx(12_997.59)


def test_g06_what_is_not_hedged_is_left_open():
    found = decompose(g06("0.85"))
    # 150 t fell by 900 with the futures.
    assert yuan(found) == {"time": -200_000.0, "ratio": -135_000.0, "fees": -2048.5}
    assert found.outcome.price == pytest.approx(12_862.9515)


@pytest.mark.parametrize("seed", range(250))
def test_the_parts_make_the_result_and_the_price(seed):
    hedge = random_hedge(seed)
    place = pd.Series(
        np.random.default_rng(seed).normal(scale=50, size=len(hedge.book.spot)),
        index=hedge.book.spot.index,
    ).where(np.random.default_rng(seed + 1).random(len(hedge.book.spot)) < 0.8)
    found = decompose(hedge, place=place, costs=777.77)
    end = found.outcome
    assert tuple(found.parts.index) == PARTS
    result = hedge.metrics["physical"] + hedge.metrics["futures"] - 777.77
    assert found.parts["yuan"].sum() == pytest.approx(result, abs=0.005)
    assert end.start + found.parts["per_tonne"].sum() == pytest.approx(end.price, abs=1e-6)
    assert found.goods + found.parts.loc["agreed", "yuan"] == pytest.approx(end.physical, abs=0.005)


@pytest.mark.parametrize("seed", range(0, 100, 4))
def test_the_parts_make_the_result_from_a_later_session_on(seed):
    whole = random_hedge(seed)
    hedge = replace(whole, since=whole.sessions[len(whole.sessions) // 2])
    try:
        found = decompose(hedge)
    except DataError:  # nothing left by then, or no quote
        assert hedge.metrics["effective_price"] is None
        return
    result = hedge.metrics["physical"] + hedge.metrics["futures"]
    assert found.parts["yuan"].sum() == pytest.approx(result, abs=0.005)


def test_random_markets_move_every_part():
    seen = set()
    for seed in range(60):
        hedge = random_hedge(seed)
        place = pd.Series(np.arange(len(hedge.book.spot)) * 3.0, index=hedge.book.spot.index)
        seen |= set(yuan(decompose(hedge, place=place, costs=1.0)))
    assert seen == set(PARTS)


def test_the_region_takes_its_premium_out_of_time():
    futures, spot = [12_000.0] * 4, [12_500.0, 12_500.0, 12_560.0, 12_530.0]
    place = pd.Series([100.0, 100.0, 140.0, 150.0], index=DAYS[:4])
    found = decompose(hedge_of(futures, spot), place=place)
    assert yuan(found) == {"place": 5000.0, "time": -2000.0}
    assert found.change == 3000.0
    assert found.notes == ()


def test_without_a_premium_of_the_region_it_is_in_time_and_said():
    found = decompose(hedge_of([12_000.0] * 3, [12_500.0, 12_500.0, 12_560.0]))
    assert yuan(found) == {"time": 6000.0}
    assert found.notes == (
        "no premium of the region was given, so place is 0 and what it did is in time",)


def test_an_unknown_premium_counts_zero_and_is_counted():
    place = pd.Series([100.0, np.nan, 140.0, 150.0], index=DAYS[:4])
    found = decompose(hedge_of([12_000.0] * 4, [12_500.0] * 4), place=place)
    assert yuan(found) == {"place": 1000.0, "time": -1000.0}
    assert "2 of 3 changes from quote to quote have no premium of the region" in found.notes[0]


def test_a_premium_of_a_day_that_is_no_session_is_refused():
    with pytest.raises(DataError, match=r"names 2024-06-01, which is no session"):
        decompose(hedge_of([12_000.0] * 9, [12_500.0] * 9),
                  place=pd.Series([1.0], index=[pd.Timestamp("2024-06-01")]))


def test_the_grade_is_what_421_did_beyond_553():
    spot = {"553": [12_500.0, 12_500.0, 12_450.0, np.nan, 12_400.0],
            "421": [14_400.0, 14_400.0, 14_300.0, 14_300.0, 14_380.0]}
    found = decompose(hedge_of([12_000.0] * 5, spot, grade="421"))
    # 421 lost 100 where 553 lost 50; over the next two 553 has no quote at one end.
    assert yuan(found) == {"grade": -5000.0, "time": -5000.0 + 8000.0}
    assert "2 of 4 changes from quote to quote have no quote of the base grade beside 421" in (
        found.notes[-1])
    # Brought to the standard of 2022: 421 less 2,000.
    assert found.path["from"].iloc[0] == 14_400 - 2000 - 12_000


def test_the_premium_is_that_of_the_contract_held():
    old, new = [11_000.0] * 5, [13_000.0] * 5
    legs = {"hedge": (pd.Series(["si2411", "si2411", "si2412", "si2412", "si2412"], DAYS[:5]), 1)}
    spot = {"553": [12_500.0] * 5, "421": [14_000.0] * 5}
    found = decompose(
        hedge_of({"si2411": old, "si2412": new}, spot, grade="421", legs=legs))
    assert found.path["from"].tolist() == [1000.0, 1000.0, 1000.0, 200.0]
    # A change of standard moves the basis' level and no money.
    assert yuan(found) == {}


def test_a_grade_that_is_not_deliverable_has_no_level_but_changes():
    spot = {"553": [12_500.0, 12_500.0, 12_450.0], "441": [12_800.0, 12_800.0, 12_700.0]}
    found = decompose(hedge_of([12_000.0] * 3, spot, grade="441"))
    assert found.path["from"].isna().all()
    assert yuan(found) == {"grade": -5000.0, "time": -5000.0}


def test_a_roll_at_any_spread_gains_nothing_by_itself():
    legs = {"hedge": (pd.Series(["si2410"] * 2 + ["si2411"] * 3, DAYS[:5]), 1)}
    near, far = [12_000.0, 12_000.0, 11_900.0, 11_900.0, 11_900.0], [12_500.0] * 4 + [12_400.0]
    found = decompose(hedge_of(
        {"si2410": near, "si2411": far}, [12_600.0] * 5, legs=legs, fee=0.0001))
    # The near month fell by 100 while held, then the far one by 100; spot stood still.
    assert found.parts.loc["time", "yuan"] == 20_000.0
    # Bought back at 11,900, sold at 12,500: 100 t each.
    assert found.parts.loc["rolls", "yuan"] == -(119.0 + 125.0)
    assert found.parts.loc["fees", "yuan"] == -120.0
    assert found.path["futures"].tolist() == [0.0, -100.0, 0.0, -100.0]


def test_less_than_a_lot_is_rounding_and_more_is_ratio():
    futures, spot = [12_000.0, 12_000.0, 11_900.0], [12_500.0, 12_500.0, 12_400.0]
    assert yuan(decompose(hedge_of(futures, spot, tonnes=104.0))) == {"rounding": -400.0}
    assert yuan(decompose(hedge_of(futures, spot, tonnes=96.0))) == {"rounding": 400.0}
    assert yuan(decompose(hedge_of(futures, spot, tonnes=105.0))) == {"ratio": -500.0}
    assert yuan(decompose(hedge_of(futures, spot, lots=0))) == {"ratio": -10_000.0}


def test_agreed_prices_are_told_apart():
    market = market_of([12_000.0] * 4, [12_500.0] * 4)
    sold = goods(market, [(0, "inventory", 100, np.nan), (3, "sale", -100, 12_650)])
    found = decompose(hedge_of([12_000.0] * 4, [12_500.0] * 4, exposure=sold))
    assert yuan(found) == {"agreed": 15_000.0}


def test_slippage_and_fills_are_told_apart():
    found = decompose(hedge_of([12_000.0] * 3, [12_500.0] * 3, slippage=2))
    # Two ticks of 5 yuan on 100 t; the bars stand still, so nothing else.
    assert yuan(found) == {"slippage": -1000.0}


def test_futures_after_the_last_quote_stand_alone():
    found = decompose(hedge_of(
        [12_000.0, 12_000.0, 12_000.0, 11_900.0], [12_500.0, 12_500.0, 12_500.0, np.nan]))
    assert yuan(found) == {"unquoted": 10_000.0}


def test_a_need_is_told_from_its_own_side():
    found = decompose(hedge_of(
        [12_000.0, 12_000.0, 12_400.0], [12_000.0, 12_000.0, 12_600.0], tonnes=-100.0, lots=20))
    # Spot rose by 200 more than the futures: a loss in yuan, and a higher cost.
    assert yuan(found) == {"time": -20_000.0}
    assert found.parts.loc["time", "per_tonne"] == 200.0
    assert found.outcome.price == 12_200.0


def test_goods_without_a_contract_are_left_open_and_counted():
    legs = {"hedge": (pd.Series([None, None, "si2410", "si2410"], DAYS[:4], dtype=object), 1)}
    found = decompose(hedge_of(
        [12_000.0] * 4, [12_500.0, 12_400.0, 12_400.0, 12_350.0], lots=[0, 0, -20, -20], legs=legs))
    # The run counts from the first wish on; before it there is nothing.
    assert yuan(found) == {"time": -5000.0}
    bare = decompose(hedge_of(
        [12_000.0] * 4, [12_500.0, 12_400.0, 12_400.0, 12_350.0], lots=[0, 0, -20, -20], legs=legs,
        known_from=DAYS[0]))
    assert yuan(bare) == {"ratio": -10_000.0, "time": -5000.0}
    assert "2 of 3 changes from quote to quote have no contract to hold the goods against" in (
        bare.notes[-1])
