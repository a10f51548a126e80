"""The old standards' screens: dollar offset and regression."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hedges import worked

from sibt.errors import DataError
from sibt.hedging.screen import (
    NOISE,
    OLD_STANDARD,
    dollar_offset,
    in_screen,
    offsets,
    regression_test,
)


@pytest.mark.parametrize("ratio", ["1.00", "0.85"])
def test_g06_offset_and_screen(ratio):
    case = worked("g06")
    spot_change = case["inputs"]["exposure_t"] * (case["inputs"]["S1"] - case["inputs"]["S0"])
    expected = case["expected"][ratio]
    found = dollar_offset(spot_change, float(expected["futures_gross"]))
    assert f"{found:.4f}" == expected["dollar_offset"]
    assert in_screen(found) is expected["in_80_125"]


@pytest.mark.parametrize(("offset", "inside"), [
    (0.7999, False), (0.80, True), (1.0, True), (1.25, True), (1.2501, False), (-1.0, False),
])  # fmt: skip
def test_the_screen_holds_its_edges(offset, inside):
    assert in_screen(offset) is inside


def test_changes_too_small_to_be_offset_say_nothing():
    assert math.isnan(dollar_offset(0.0, 5.0))
    assert math.isnan(dollar_offset(-50.0, 5.0, noise=50.0))
    assert dollar_offset(-51.0, 51.0, noise=50.0) == 1.0
    assert in_screen(math.nan) is None


def test_the_label_is_the_old_standards():
    assert OLD_STANDARD == "IAS 39 / 旧CAS24 (2006)"


class TestOffsets:
    DAYS = pd.DatetimeIndex(["2024-05-06", "2024-05-20", "2024-06-03", "2024-07-01"])
    CHANGES = pd.DataFrame(
        {"physical": [-600.0, -400.0, 4.0, 500.0], "gross": [300.0, 600.0, 10.0, -100.0]}, DAYS
    )
    WORTH = pd.Series([100_000.0, 90_000.0, 80_000.0, 80_000.0], DAYS)

    def test_by_month_and_to_date(self):
        table = offsets(self.CHANGES, self.WORTH)
        assert table.index.astype(str).tolist() == ["2024-05", "2024-06", "2024-07"]
        assert table["offset"].fillna(-9).tolist() == pytest.approx([0.9, -9.0, 0.2])
        assert table["within"].tolist() == [True, None, False]
        assert table["item_to_date"].tolist() == [-1000.0, -996.0, -496.0]
        # To date 500 of 100,000 is noise, and 496 is below it.
        assert NOISE == 0.005
        assert table["offset_to_date"].fillna(-9).tolist() == pytest.approx([0.9, 910 / 996, -9.0])
        assert table["within_to_date"].tolist() == [True, True, None]

    def test_nothing_has_no_months(self):
        assert offsets(self.CHANGES.iloc[:0], self.WORTH.iloc[:0]).empty


class TestRegression:
    def test_it_is_ordinary_least_squares(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=24)
        y = -0.9 * x + rng.normal(scale=0.1, size=24)
        found = regression_test(x, y)
        n, mx, my = 24, x.mean(), y.mean()
        slope = ((x - mx) * (y - my)).sum() / ((x - mx) ** 2).sum()
        rest = y - my - slope * (x - mx)
        r2 = 1 - (rest**2).sum() / ((y - my) ** 2).sum()
        error = math.sqrt((rest**2).sum() / (n - 2) / ((x - mx) ** 2).sum())
        assert found.slope == pytest.approx(slope)
        assert found.r2 == pytest.approx(r2)
        assert found.t == pytest.approx(slope / error)
        assert found.f == pytest.approx(r2 / (1 - r2) * (n - 2))
        assert found.f == pytest.approx(found.t**2)
        assert found.t_chance == pytest.approx(found.f_chance)
        # 2.0739 is Student's 97.5 % point with 22 degrees of freedom.
        assert [found.low, found.high] == pytest.approx(
            [slope - 2.0739 * error, slope + 2.0739 * error], abs=1e-5)
        assert found.observations == 24
        assert found.passes

    @pytest.mark.parametrize(("slope", "noise", "passes"), [
        (-1.0, 0.1, True), (-0.7, 0.1, False), (-1.3, 0.1, False), (1.0, 0.1, False),
        (-1.0, 1.5, False),
    ])  # fmt: skip
    def test_slope_and_r2_have_to_lie_in_their_bands(self, slope, noise, passes):
        rng = np.random.default_rng(5)
        x = rng.normal(size=60)
        assert regression_test(x, slope * x + rng.normal(scale=noise, size=60)).passes is passes

    def test_balanced_is_a_full_offset_within_the_interval(self):
        rng = np.random.default_rng(5)
        x, noise = rng.normal(size=60), rng.normal(scale=0.3, size=60)
        assert regression_test(x, -x + noise).balanced
        assert not regression_test(x, -0.7 * x + noise).balanced

    def test_a_perfect_offset_passes(self):
        x = np.arange(8.0)
        assert regression_test(x, -x).passes

    def test_it_takes_a_regression_and_not_all_of_statsmodels(self):
        code = (
            "import sys; from sibt.hedging.screen import regression_test;"
            " assert regression_test(range(6), [0, 1, 3, 2, 4, 5]);"
            " assert 'statsmodels.regression.linear_model' in sys.modules;"
            " assert 'statsmodels.api' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_too_few_stretches_are_refused(self):
        with pytest.raises(DataError, match=r"on 5 stretches says nothing; it takes 6"):
            regression_test(range(5), range(5))

    @pytest.mark.parametrize(("item", "instrument", "name"), [
        ([0.1] * 7, range(7), "goods"), (range(7), [0.0] * 7, "futures"),
    ])  # fmt: skip
    def test_changes_that_do_not_vary_are_refused(self, item, instrument, name):
        with pytest.raises(DataError, match=f"The {name} changed by the same amount in all 7"):
            regression_test(item, instrument)
