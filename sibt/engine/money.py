"""Money in whole fen: fees and margins by integer arithmetic.

Floats are a fen off at half-way points, so the ledger counts in int64: prices in fen per
tonne, fee rates in 1e-10, margin rates in 1e-6.
"""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["FEE_SCALE", "MARGIN_SCALE", "fee_fen", "margin_fen", "scaled", "to_fen"]

FEE_SCALE = 10_000_000_000
MARGIN_SCALE = 1_000_000

IntArray = NDArray[np.int64]


@njit(cache=True, nogil=True, inline="always")
def fee_fen(lots, price, multiplier, rate, per_lot):  # type: ignore[no-untyped-def]
    """Return the fee of one fill in fen, rounded half up once.

    Parameters
    ----------
    lots : int
        Lots, unsigned.
    price : int
        Fen per tonne.
    multiplier : int
        Tonnes per lot.
    rate, per_lot : int
        Share of turnover, and fen per lot, both times the broker's mark-up, in 1e-10.
    """
    exact = lots * price * multiplier * rate + lots * per_lot
    # Never negative: dividing unsigned spares the machine the sign.
    return np.int64(np.uint64(exact + FEE_SCALE // 2) // np.uint64(FEE_SCALE))


@njit(cache=True, nogil=True, inline="always")
def margin_fen(lots, price, multiplier, rate):  # type: ignore[no-untyped-def]
    """Return the margin of a position in fen, rounded half up.

    Parameters
    ----------
    lots : int
        Lots, unsigned.
    price : int
        Settlement (or fill), fen per tonne.
    multiplier : int
        Tonnes per lot.
    rate : int
        Margin rate in 1e-6.
    """
    exact = lots * price * multiplier * rate
    return np.int64(np.uint64(exact + MARGIN_SCALE // 2) // np.uint64(MARGIN_SCALE))


def scaled(
    values: NDArray[np.float64], factor: float, scale: int, add: float = 0.0
) -> IntArray:
    """Return ``values × factor + add`` as whole multiples of ``1 / scale``, exact as written.

    Each distinct value is taken as the decimal it prints as, so that 0.0001 × 1.1 is
    0.00011 and not the float beside it.
    """
    distinct, place = np.unique(values, return_inverse=True)
    times = Decimal(repr(factor))
    exact = [
        int(
            ((Decimal(repr(float(v))) * times + Decimal(repr(add))) * scale).to_integral_value(
                ROUND_HALF_UP
            )
        )
        for v in distinct
    ]
    return np.array(exact, dtype=np.int64)[place].reshape(values.shape)


def to_fen(prices: NDArray[np.float64]) -> IntArray:
    """Return prices (or money) in yuan as whole fen; NaN becomes zero, which is no price."""
    return np.rint(np.nan_to_num(prices, nan=0.0) * 100.0).astype(np.int64)
