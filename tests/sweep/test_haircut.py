"""The Sharpe ratio that is left once it is known how many were tried."""

import math

import numpy as np
import pytest
from noise import worked
from statsmodels.stats.multitest import multipletests

from sibt.sweep.haircut import METHODS, chance, haircut, remaining

G12 = worked("g12")


def test_g12_harvey_and_liu():
    case, expected = G12["inputs"]["HL"], G12["expected"]
    found = haircut([case["sr_annual"]], case["years"], tests=case["N"])
    assert f"{found.t:.3f}" == expected["HL_t"]
    assert f"{found.chance:.4f}" == expected["HL_p_single"]
    assert f"{found.chances['independent']:.3f}" == expected["HL_p_independent"]
    assert f"{found.chances['bonferroni']:.3f}" == expected["HL_p_bonferroni"]
    assert f"{found.sharpes['independent']:.2f}" == expected["HL_adj_sr"]
    assert f"{found.shares['independent']:.2f}" == expected["HL_haircut"]


THEIR_NAMES = dict(zip(METHODS, ("bonferroni", "sidak", "holm", "fdr_by"), strict=True))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(10))
def test_statsmodels_allows_alike_for_the_number_of_tests(method, seed):
    generator = np.random.default_rng(seed)
    sharpes = generator.normal(0.8, 0.5, int(generator.integers(1, 1500)))
    single = np.where(sharpes > 0, chance(sharpes, 3.0), 1.0)
    with np.errstate(divide="ignore"):
        theirs = multipletests(single, method=THEIR_NAMES[method])[1][sharpes.argmax()]
    found = haircut(sharpes, 3.0)
    assert found.chances[method] == pytest.approx(theirs, rel=1e-9)
    assert chance(found.sharpes[method], 3.0) == pytest.approx(theirs, rel=1e-9)


def test_sets_that_lose_for_certain_are_no_discoveries():
    alone = haircut([1.5] + [0.01] * 999, 2.0)
    beside_losers = haircut([1.5] + [-9.0] * 999, 2.0)
    assert beside_losers.chances["bhy"] == 1.0
    assert alone.chances == beside_losers.chances


def test_tests_made_elsewhere_count():
    few, many = haircut([2.5, 0.1], 3.0), haircut([2.5, 0.1], 3.0, tests=1000)
    for method in METHODS:
        assert few.sharpes[method] > many.sharpes[method]
    padded = haircut([2.5, 0.1] + [math.nan] * 998, 3.0)
    assert padded == many
    with pytest.raises(ValueError, match="2 sets are more than the 1 tests"):
        haircut([2.5, 0.1], 3.0, tests=1)


def test_one_test_loses_nothing_and_a_losing_one_has_nothing_to_lose():
    single = haircut([1.2], 2.0)
    for method in METHODS:
        assert single.sharpes[method] == pytest.approx(1.2)
    loser = haircut([-0.5, -0.7], 2.0)
    assert set(loser.chances.values()) == {1.0}
    assert set(loser.sharpes.values()) == {0.0}
    assert all(math.isnan(share) for share in loser.shares.values())


def test_a_ratio_beyond_all_measure_is_no_more_than_it_is():
    found = haircut([80.0, 1.0], 4.0)
    assert found.chance == 0.0
    assert set(found.sharpes.values()) == {80.0}


@pytest.mark.parametrize(("sharpes", "years"), [([], 2.0), ([math.nan], 2.0), ([1.0], 0.0)])
def test_without_ratios_or_years_nothing_is_known(sharpes, years):
    found = haircut(sharpes, years)
    assert math.isnan(found.t)
    assert math.isnan(found.chances["bhy"])
    assert math.isnan(remaining(math.nan, 2.0))
