"""The neighbourhood of the best set."""

import math
from itertools import product

import numpy as np
import pytest

from sibt.sweep.plateau import plateau

NAN = math.nan


def table(**axes):
    """Return the columns of a whole grid, last parameter fastest."""
    return dict(zip(axes, np.array(list(product(*axes.values()))).T, strict=True))


def test_a_peak_of_its_own_and_a_plateau():
    grid = table(entry=[1, 2, 3], exit=[0, 5, 10])
    peak = plateau(grid, [1, 1, 1, 1, 9, 1, 1, 1, 1])
    assert (peak.chosen, peak.value, peak.median, peak.holding) == (4, 9, 1, 0)
    assert peak.keeps == pytest.approx(1 / 9)
    level = plateau(grid, [8, 8, 8, 5, 9, 8, 8, 6.3, 6.2])
    assert level.median == 8
    assert level.keeps == pytest.approx(8 / 9)
    # 0.7 of 9 is 6.3: one stands exactly there, two below.
    assert level.holding == 6 / 8
    assert level.neighbours.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert (level.refused, level.edge, level.absent) == (0, 0, 0)
    assert level.axes == ("entry", "exit")


def test_the_edge_of_the_grid_is_counted():
    found = plateau(table(a=[1, 2, 3], b=[1, 2, 3]), [9, 8, 1, 8, 8, 1, 1, 1, 1])
    assert found.chosen == 0
    assert found.neighbours.tolist() == [1, 3, 4]
    assert (found.edge, found.absent, found.refused) == (5, 0, 0)
    assert found.median == 8


def test_refused_sets_are_counted_and_left_out_idle_ones_stand_at_zero():
    values = [NAN, 7, NAN, 7, 9, 7, 7, 7, 7]
    refused = [True] + [False] * 8
    found = plateau(table(a=[1, 2, 3], b=[1, 2, 3]), values, refused=refused)
    assert found.refused == 1
    assert found.holding == 6 / 7
    assert 0 not in found.neighbours
    assert 2 in found.neighbours
    assert found.median == 7
    idle = plateau({"a": [1, 2, 3]}, [NAN, 9, NAN])
    assert (idle.median, idle.holding) == (0, 0)


def test_a_refused_set_is_not_the_best_even_with_a_value():
    assert plateau({"a": [1, 2, 3]}, [99, 1, 2], refused=[True, False, False]).chosen == 2


def test_none_is_one_step_beyond_the_largest_number():
    numbers = {"stop": [NAN, 10, 30, 20]}
    found = plateau(numbers, [9, 1, 2, 3])
    assert found.neighbours.tolist() == [2]
    assert found.edge == 1
    assert plateau(numbers, [1, 1, 9, 1]).neighbours.tolist() == [0, 3]
    of_a_grid = plateau(numbers, [9, 1, 2, 3], grid={"stop": [NAN, 10, 20, 30, 40]})
    assert (len(of_a_grid.neighbours), of_a_grid.absent) == (0, 1)


def test_structural_parameters_are_the_same():
    numbers = {"a": [1, 2, 3, 1, 2, 3, 1, 2]}
    year = [2023, 2023, 2023, 2024, 2024, 2024, NAN, NAN]
    pair = ["near"] * 8
    structural = {"year": year, "pair": pair}
    found = plateau(numbers, [1, 9, 2, 8, 8, 8, 1, 1], structural=structural)
    assert found.neighbours.tolist() == [0, 2]
    found = plateau(numbers, [1, 9, 2, 8, 8, 8, 1, 1], structural=structural, chosen=7)
    assert found.neighbours.tolist() == [6]


def test_a_sampled_table_knows_what_it_lacks_from_the_grid():
    sampled = {"a": [1, 3, 0.1 + 0.2], "b": [5, 5, 6]}
    grid = {"a": [0.3, 1, 2, 3], "b": [5, 6, 7]}
    found = plateau(sampled, [9, 1, 8], grid=grid)
    assert found.neighbours.tolist() == [2]
    # Three by two cells within the grid, two of them in the table.
    assert (found.edge, found.absent) == (3, 4)


def test_a_parameter_with_one_value_is_no_axis():
    found = plateau({"a": [1, 2, 3], "fixed": [4, 4, 4]}, [1, 2, 1])
    assert found.axes == ("a",)
    assert found.edge == 0
    alone = plateau({"fixed": [4]}, [2])
    assert (alone.median, alone.keeps, alone.edge, alone.absent) == (2, 1, 0, 0)
    assert math.isnan(alone.holding)


def test_shares_of_a_loss_mean_nothing():
    found = plateau({"a": [1, 2, 3]}, [-3, -1, -2])
    assert found.median == -2
    assert math.isnan(found.keeps)
    assert math.isnan(found.holding)


def test_where_nothing_ran_there_is_no_plateau():
    assert plateau({"a": []}, []) is None
    assert plateau({"a": [1, 2]}, [NAN, NAN]) is None
    assert plateau({"a": [1, 2]}, [1, 2], refused=[True, True]) is None


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="'a' has 2 values for 3 sets"):
        plateau({"a": [1, 2]}, [1, 2, 3])
    with pytest.raises(ValueError, match="'a' has 2 values for 3 sets"):
        plateau({}, [1, 2, 3], structural={"a": ["x", "y"]})
    with pytest.raises(ValueError, match=r"2\.5 is not on the grid of parameter 'a'"):
        plateau({"a": [1, 2.5]}, [1, 2], grid={"a": [1, 2, 3]})
    with pytest.raises(ValueError, match="nan is not on the grid of parameter 'a'"):
        plateau({"a": [1, NAN]}, [1, 2], grid={"a": [1, 2, 3]})
    with pytest.raises(ValueError, match="more than once"):
        plateau({"a": [1, 2, 2]}, [3, 2, 1])
    with pytest.raises(ValueError, match="set 1 was refused"):
        plateau({"a": [1, 2]}, [3, 2], refused=[False, True], chosen=1)


@pytest.mark.parametrize("seed", range(20))
def test_looking_up_every_neighbour_finds_the_same(seed):
    generator = np.random.default_rng(seed)
    axes = {"a": [1.0, 2.0, 4.0, NAN], "b": [0.1, 0.2, 0.3], "c": [5.0], "d": [-1.0, 0.0]}
    sets = [s for s in product("xy", *axes.values()) if generator.random() < 0.8]
    generator.shuffle(sets)
    values = np.round(generator.normal(1, 1, len(sets)), 1)
    refused = generator.random(len(sets)) < 0.2
    numbers = {name: [float(s[at]) for s in sets] for at, name in enumerate(axes, 1)}
    found = plateau(
        numbers, values, structural={"kind": [s[0] for s in sets]}, refused=refused, grid=axes
    )

    def place(row):
        texts = {name: [str(v) for v in axis] for name, axis in axes.items()}
        return (str(sets[row][0]), *(texts[n].index(str(numbers[n][row])) for n in axes))

    where = {place(row): row for row in range(len(sets))}
    best = max((row for row in range(len(sets)) if not refused[row]), key=lambda r: values[r])
    kind, *middle = place(best)
    edge, absent, barred, near = 0, 0, 0, []
    for step in product((-1, 0, 1), (-1, 0, 1), (0,), (-1, 0, 1)):
        spot = [m + s for m, s in zip(middle, step, strict=True)]
        if not any(step):
            continue
        if any(not 0 <= p < len(axis) for p, axis in zip(spot, axes.values(), strict=True)):
            edge += 1
        elif (kind, *spot) not in where:
            absent += 1
        elif refused[where[(kind, *spot)]]:
            barred += 1
        else:
            near.append(where[(kind, *spot)])
    assert found.chosen == best
    assert found.neighbours.tolist() == sorted(near)
    assert (found.edge, found.absent, found.refused) == (edge, absent, barred)
    assert found.median == np.median(values[[*near, best]])
    assert found.holding == np.mean([values[row] >= 0.7 * values[best] for row in near])
