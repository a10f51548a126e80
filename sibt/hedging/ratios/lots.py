"""Whole lots from a ratio, and the tail taken off for gains that are paid every day."""

import math

from sibt.errors import SettingError

__all__ = ["lots", "tailed"]


def lots(ratio: float, tonnes: float, size: float) -> int:
    """Return the whole lots that hedge so many tonnes, ``h Q / A`` rounded.

    Hull, Options, Futures and Other Derivatives, ch. 3.

    Parameters
    ----------
    ratio : float
        Tonnes of futures for a tonne of goods.
    tonnes : float
        Goods: + owned, − needed.
    size : float
        Tonnes of a lot.

    Returns
    -------
    int
        Lots to sell; negative to buy. A half is rounded to the even number.

    Raises
    ------
    SettingError
        A value that is not finite, or a lot of no size.
    """
    if not (math.isfinite(ratio) and math.isfinite(tonnes) and math.isfinite(size) and size > 0):
        raise SettingError(
            f"Lots of a ratio of {ratio} for {tonnes} t in lots of {size} t make no sense; give"
            " finite numbers and a positive lot."
        )
    # Noise such as that of 0.07 × 750 decides no half.
    return round(round(ratio * tonnes / size, 6))


def tailed(
    ratio: float,
    spot: float,
    futures: float,
    tonnes: float,
    size: float,
    *,
    rate: float = 0.0,
    years: float = 0.0,
) -> int:
    """Return the whole lots for a ratio of returns, tailed for daily settlement.

    ``h (S Q) / (F A) exp(−r τ)``: Hull, Options, Futures and Other Derivatives, ch. 3. A ratio of
    returns relates values, not tonnes; the last factor allows for interest on gains that come
    day by day, and grows to one as the sale draws near.

    Parameters
    ----------
    ratio : float
        Estimated on returns, as `sibt.hedging.ratios.estimate.estimate` gives it for logarithms
        of the prices.
    spot, futures : float
        Prices of the day, yuan per tonne.
    tonnes, size : float
        As in `lots`.
    rate : float
        Interest a year on the gains.
    years : float
        Until the sale.

    Returns
    -------
    int
        As in `lots`.

    Raises
    ------
    SettingError
        As in `lots`, or a price that is not positive.
    """
    if not (spot > 0.0 and futures > 0.0):
        raise SettingError(
            f"A hedge cannot be tailed at a spot price of {spot} and a futures price of {futures};"
            " give positive prices."
        )
    return lots(ratio * spot / futures * math.exp(-rate * years), tonnes, size)
