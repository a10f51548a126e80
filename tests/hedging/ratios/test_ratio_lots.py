import math

import pytest
from pairs import worked

from sibt.errors import SettingError
from sibt.hedging.ratios.least_squares import slope
from sibt.hedging.ratios.lots import lots, tailed


def test_the_producers_lots_of_the_worked_example():
    case = worked("g06")
    given, expected = case["inputs"], case["expected"]
    ratio = slope(given["weekly_dS"], given["weekly_dF"]).ratio
    assert lots(ratio, given["exposure_t"], 5) == expected["lots_at_h_star"] == 156
    assert tailed(0.85, given["S0"], given["F0"], given["exposure_t"], 5) == 180
    assert expected["tailed_lots_if_h_from_pct_returns_0.85"] == 180
    for share in ("1.00", "0.85"):
        assert lots(float(share), given["exposure_t"], 5) == expected[share]["lots"]


def test_hulls_airline():
    case = worked("g14")
    given, expected = case["inputs"], case["expected"]
    ratio = slope([float(v) for v in given["dS"]], [float(v) for v in given["dF"]]).ratio
    size = given["contract_gal"]
    assert lots(ratio, given["exposure_gal"], size) == expected["N_untailed"] == 37
    spot, futures = float(given["S"]), float(given["F"])
    assert tailed(ratio, spot, futures, given["exposure_gal"], size) == expected["N_tailed"] == 36


@pytest.mark.parametrize(("ratio", "tonnes", "even"), [(0.07, 750, 10), (0.14, 1375, 38)])
def test_noise_decides_no_half(ratio, tonnes, even):
    assert ratio * tonnes / 5 != even + 0.5  # 52.50000000000001 ÷ 5
    assert lots(ratio, tonnes, 5) == even
    assert lots(ratio, -tonnes, 5) == -even


def test_goods_needed_are_bought():
    assert lots(0.8, -1000, 5) == -160
    assert lots(0.8, 0, 5) == 0


def test_interest_on_daily_gains_takes_a_tail_off_that_shrinks():
    assert tailed(1.0, 100, 100, 10_000, 5, rate=0.05, years=1.0) == round(2000 * math.exp(-0.05))
    assert tailed(1.0, 100, 100, 10_000, 5, rate=0.05, years=0.0) == 2000


@pytest.mark.parametrize("bad", [(math.nan, 100, 5), (0.8, math.inf, 5), (0.8, 100, 0)])
def test_lots_of_nothing_known_are_refused(bad):
    with pytest.raises(SettingError, match="make no sense"):
        lots(*bad)


def test_a_tail_needs_prices():
    with pytest.raises(SettingError, match="give positive prices"):
        tailed(0.8, math.nan, 12_000, 100, 5)
