"""The screens of the old hedge-accounting standards: dollar offset and regression.

IAS 39 and 旧CAS24 (2006) called a hedge highly effective where 80 to 125 % was offset. IFRS 9
and CAS 24 (2017) have no such bright line: what stands here is labelled as the old standards'.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sibt.errors import DataError

__all__ = [
    "NOISE",
    "OLD_STANDARD",
    "SCREEN",
    "SLOPES",
    "RegressionTest",
    "dollar_offset",
    "in_screen",
    "offsets",
    "regression_test",
]

#: What the screens are labelled with.
OLD_STANDARD = "IAS 39 / 旧CAS24 (2006)"

#: Bounds of the dollar offset, and of the slope of futures on goods.
SCREEN = (0.80, 1.25)
SLOPES = (-1.25, -0.80)

#: Changes of goods below this share of their value say nothing about what offsets them: about
#: one step of a spot quote (50 on 10,000 yuan/t).
NOISE = 0.005

_LEAST_R2 = 0.80
_CHANCE = 0.05
_FEWEST = 6


def dollar_offset(item: float, instrument: float, *, noise: float = 0.0) -> float:
    """Return ``− change of the futures ÷ change of the goods``.

    IAS 39 AG105(b) and CAS 24 (2006): 80 to 125 % is highly effective, of a period or cumulative.

    Parameters
    ----------
    item, instrument : float
        Changes of the hedged goods and of the futures before fees, yuan.
    noise : float
        Changes of the goods no larger than this, yuan, are too small to be offset.

    Returns
    -------
    float
        NaN where the goods changed by no more than `noise`.
    """
    return -instrument / item if abs(item) > noise else math.nan


def in_screen(offset: float) -> bool | None:
    """Tell whether a dollar offset is within `SCREEN`; None where it is NaN."""
    return None if math.isnan(offset) else SCREEN[0] <= offset <= SCREEN[1]


def offsets(changes: pd.DataFrame, worth: "pd.Series[float]") -> pd.DataFrame:
    """Return the dollar offset of each month and up to each month's end.

    Parameters
    ----------
    changes : pd.DataFrame
        ``physical`` and ``gross`` by session: changes of goods, and of futures before fees, yuan.
    worth : pd.Series
        Value of the goods at risk over each change, yuan, on the same sessions; changes of less
        than `NOISE` of its largest so far (in the month) are noise.

    Returns
    -------
    pd.DataFrame
        Indexed by month: ``item``, ``instrument`` (yuan), ``offset``, ``within`` (None where
        unknown), and the same four cumulative, ``item_to_date`` and so on.
    """
    month = pd.PeriodIndex(pd.DatetimeIndex(changes.index), freq="M", name="month")
    sums = changes[["physical", "gross"]].groupby(month).sum()
    table = pd.DataFrame({"item": sums["physical"], "instrument": sums["gross"]})
    table = pd.concat([table, table.cumsum().add_suffix("_to_date")], axis=1)
    largest = worth.abs().groupby(month).max()
    for end, size in (("", largest), ("_to_date", largest.cummax())):
        found = [
            dollar_offset(item, instrument, noise=NOISE * value)
            for item, instrument, value in zip(
                table[f"item{end}"], table[f"instrument{end}"], size, strict=True
            )
        ]
        table[f"offset{end}"] = found
        table[f"within{end}"] = pd.Series(map(in_screen, found), table.index, dtype=object)
    order = ("item", "instrument", "offset", "within")
    return table[[*order, *(f"{name}_to_date" for name in order)]]


@dataclass(frozen=True)
class RegressionTest:
    """Changes of the futures regressed on changes of the goods.

    Attributes
    ----------
    slope, low, high : float
        Slope, and its 95 % interval; −1 is a full offset.
    r2 : float
        Share of variance explained.
    t, t_chance, f, f_chance : float
        t of the slope, F of the regression, and their p-values.
    observations : int
        Stretches.
    """

    slope: float
    low: float
    high: float
    r2: float
    t: float
    t_chance: float
    f: float
    f_chance: float
    observations: int

    @property
    def passes(self) -> bool:
        """True where the old standards' practice is met: slope, R² ≥ 0.80, t and F at 5 %."""
        return (
            SLOPES[0] <= self.slope <= SLOPES[1]
            and self.r2 >= _LEAST_R2
            and self.t_chance < _CHANCE
            and self.f_chance < _CHANCE
        )

    @property
    def balanced(self) -> bool:
        """True where −1, a full offset, lies within the slope's interval."""
        return self.low <= -1.0 <= self.high


def regression_test(item: ArrayLike, instrument: ArrayLike) -> RegressionTest:
    """Regress changes of the futures on those of the goods, with a constant.

    The guidance on implementing IAS 39 (F.4.4) names regression as a way to show effectiveness;
    the bands of slope and R² are audit practice under 旧CAS24 (2006).

    Parameters
    ----------
    item, instrument : array of shape (n,)
        Changes over stretches that do not overlap, yuan.

    Raises
    ------
    DataError
        Fewer than six stretches, or changes that do not vary.
    """
    x, y = np.asarray(item, float), np.asarray(instrument, float)
    if len(x) < _FEWEST:
        raise DataError(
            f"A regression on {len(x)} stretches says nothing; it takes {_FEWEST}, so let the hedge"
            " run longer or take shorter stretches."
        )
    for name, values in (("goods", x), ("futures", y)):
        if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
            raise DataError(
                f"The {name} changed by the same amount in all {len(x)} stretches, so there is"
                " nothing to regress; check their prices and that something was held."
            )
    from statsmodels.regression.linear_model import OLS

    fit = OLS(y, np.column_stack([np.ones(len(x)), x])).fit()
    with np.errstate(divide="ignore"):  # a perfect fit has infinite t and F
        low, high = fit.conf_int()[1]
        return RegressionTest(
            slope=float(fit.params[1]),
            low=float(low),
            high=float(high),
            r2=float(fit.rsquared),
            t=float(fit.tvalues[1]),
            t_chance=float(fit.pvalues[1]),
            f=float(fit.fvalue),
            f_chance=float(fit.f_pvalue),
            observations=len(x),
        )
