"""Costs rise with prices, bounds stay in order, and what is computed back comes back."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sibt.research.costs import (
    capacity,
    demand,
    furnaces,
    plant,
    poly,
    powder,
    power,
    trade,
    wafer,
    watt,
)
from sibt.research.costs.figure import Bounds
from sibt.research.costs.inputs import TABLES, inputs
from sibt.research.costs.sheet import sheet

some = st.floats(0.01, 1e4)
share = st.floats(0.0, 0.4)
ranges = st.tuples(some, some).map(lambda ends: Bounds(*sorted(ends)))


@st.composite
def plants(draw):
    wage = Bounds(*sorted((draw(share), draw(share))))
    return {
        "item": [{"use": draw(ranges), "price": draw(ranges)} for _ in range(3)],
        "kwh": draw(some), "tariff": draw(some), "wage": wage, "fees": draw(share),
    }  # fmt: skip


@given(plants())
def test_the_low_bound_is_never_above_the_high_one(own):
    for bounds in (plant.direct(own), *(plant.full_bounds(own, r) for r in plant.READINGS)):
        assert bounds.low <= bounds.high


@given(plants(), st.sampled_from(sorted(plant.READINGS)), some)
def test_a_dearer_tariff_makes_dearer_silicon(own, reading, more):
    dearer = {**own, "tariff": own["tariff"] + more}
    for before, after in zip(plant.full_bounds(own, reading), plant.full_bounds(dearer, reading),
                             strict=True):
        assert after > before


@given(plants(), st.integers(0, 2))
def test_a_dearer_item_makes_dearer_silicon(own, number):
    items = [dict(row) for row in own["item"]]
    items[number]["price"] = Bounds(*(2 * end for end in items[number]["price"]))
    assert plant.direct({**own, "item": items}).low > plant.direct(own).low


@given(some, share, share)
def test_markups_are_the_least_and_shares_the_most(direct, wage, fees):
    shares, markups, wage_first = (plant.full(direct, wage, fees, reading)
                                   for reading in plant.READINGS)
    assert direct <= markups <= wage_first * (1 + 1e-12)
    assert wage_first <= shares * (1 + 1e-12)


@given(some, share, share)
def test_readings_are_what_they_say(direct, wage, fees):
    whole = plant.full(direct, wage, fees, "shares")
    assert direct + wage * whole + fees * whole == pytest.approx(whole)
    whole = plant.full(direct, wage, fees, "markups")
    assert direct + wage * direct + fees * direct == pytest.approx(whole)
    cost = plant.full(direct, wage, 0.0, "wage_first")
    assert direct + wage * cost == pytest.approx(cost)
    assert plant.full(direct, wage, fees, "wage_first") == pytest.approx(cost * (1 + fees))


@given(some, some)
def test_the_consumption_a_cost_implies_gives_that_cost(kwh, change):
    assert power.implied_use(power.cost_change(kwh, change), change) == pytest.approx(kwh)
    assert math.isnan(power.implied_use(100.0, 0.0))


@given(some, st.floats(0.5, 1.0), st.floats(0, 1.0))
def test_block_and_rest_add_up_to_what_was_paid(block, made, part):
    discount = part * block
    cost = powder.block_cost(block, made, discount)
    assert made * cost + (1 - made) * (block - discount) == pytest.approx(block)
    assert powder.block_cost(block, 1.0, discount) == pytest.approx(block)
    assert powder.margin(cost, block, made, discount) == pytest.approx(0, abs=1e-6 * block)


@given(some, some, st.floats(0.5, 0.9), st.floats(0.01, 0.09))
def test_more_powder_from_a_block_leaves_more(price, block, made, more):
    assert (powder.margin(price, block, made + more, 0.3 * block)
            >= powder.margin(price, block, made, 0.3 * block))  # fmt: skip


def test_the_fee_is_earned_at_the_break_even():
    assert powder.gap(powder.breakeven(12800, 1000), 12800) == 1000


@given(st.floats(0.5, 1.0), st.floats(10, 100), st.floats(0.5, 5), some)
def test_nothing_is_lost_at_the_break_even(rod, pieces, price, poly_price):
    brought = wafer.revenue(rod, pieces, price)
    cost = wafer.conversion(brought, poly_price)
    assert wafer.breakeven(brought, cost) == pytest.approx(poly_price)
    assert wafer.breakeven(wafer.revenue(rod, pieces, 2 * price), cost) > poly_price


def test_the_report_s_wafer_price_gives_its_break_evens_back():
    own = inputs()["wafer"]
    named = {f.name: f.value.low for f in wafer.figures(own, own["price"])}
    assert named["cash_breakeven"] == pytest.approx(44.5)
    assert named["full_breakeven"] == pytest.approx(36.5)
    # The price of polysilicon that day is the cash break-even: the sentence is circular.
    assert named["cash_price"] == pytest.approx(own["price"])


@given(st.floats(100, 300), st.floats(0.1, 0.4), st.floats(20, 80))
def test_a_better_cell_takes_less_silicon(side, efficiency, pieces):
    weight = watt.grams(pieces, watt.watts(side, efficiency))
    assert watt.grams(pieces, watt.watts(side, 1.1 * efficiency)) < weight
    # 1 GW of such cells, weighed.
    cells = 1e9 / watt.watts(side, efficiency)
    assert cells / pieces / 1e3 / 1e4 == pytest.approx(watt.per_gw(weight))


@given(some, some, some)
def test_the_chain_is_its_ratios_again(gw, a, b):
    goods = demand.silicon(demand.poly(gw, a), b)
    assert demand.ratio(goods, demand.poly(gw, a)) == pytest.approx(b)
    assert demand.ratio(demand.poly(gw, a), gw) == pytest.approx(a)


def test_the_reports_are_computed_beside_each_other_for_any_gw():
    named = {f.name: f.value for f in demand.figures(inputs()["demand"], 220.0)}
    assert named["asked_China"].low == pytest.approx(92.51)
    assert named["asked"] == named["silicon_China"]


@given(some, some)
def test_what_a_kg_costs_is_a_thousandth_of_a_tonne(price, use):
    assert 1000 * poly.silicon_cost(price, use) == pytest.approx(price * use)
    assert 1000 * poly.power_cost(use, price) == pytest.approx(price * use)


def test_power_of_a_polysilicon_plant_is_reduction_and_the_rest():
    assert poly.reduction(51000, 0.8) + poly.reduction(51000, 0.2) == pytest.approx(51000)


def test_provinces_add_up_to_all():
    own = inputs()["capacity"]["silicon"]
    provinces = capacity.by(own, "province")
    assert sum(provinces.values()) == capacity.total(own)
    assert sum(capacity.share(own, name) for name in provinces) == pytest.approx(1)
    assert capacity.share(own, "Hubei") == 0
    quarters = capacity.by(inputs()["capacity"]["poly"], "quarter")
    assert list(quarters.values()) == [29.5, 25.0, 82.0, 15.0]


def test_only_ningxia_runs_more_furnaces_than_it_has():
    assert furnaces.impossible(inputs()["furnaces"]["province"]) == ["Ningxia"]


@given(some, st.floats(-0.9, 5))
def test_growth_and_the_figure_before_undo_each_other(now, change):
    assert trade.growth(now, trade.before(now, change)) == pytest.approx(change, abs=1e-9)


@given(st.tuples(some, some), st.tuples(st.floats(-0.9, 5), st.floats(-0.9, 5)))
def test_a_sum_grows_between_its_parts(now, changes):
    grown = trade.growth_of_sum(now, changes)
    assert min(changes) - 1e-9 <= grown <= max(changes) + 1e-9


@given(st.floats(1, 100), st.floats(1, 100), st.sampled_from([1.0, 0.1, 0.01]))
def test_rounded_figures_allow_the_growth_of_the_true_ones(now, then, step):
    assume(then > step)
    a, b = round(now / step) * step, round(then / step) * step
    room = trade.growth_bounds(a, b, step)
    assert room.low - 1e-9 <= trade.growth(now, then) <= room.high + 1e-9


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_has_its_bounds_in_order_and_a_name_of_its_own(name):
    one = sheet(name, inputs())
    assert one.main in one.figures
    names = [f.name for f in one.figures]
    assert len(names) == len(set(names))
    for figure in one.figures:
        assert figure.value.low <= figure.value.high
        assert bool(figure.verdict) == (figure.printed is not None)
