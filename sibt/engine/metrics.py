"""Figures of a daily series: returns, drawdown and ratios, 242 sessions a year."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "SESSIONS_A_YEAR",
    "drawdown",
    "max_drawdown",
    "plain",
    "sharpe",
    "sortino",
    "total_return",
    "volatility",
]

#: Sessions of a year on the mainland futures exchanges (242, 242, 243 in 2023 to 2025).
SESSIONS_A_YEAR = 242

Returns = pd.Series | NDArray[np.float64]


def total_return(returns: Returns) -> float:
    """Return the compounded return of daily returns of shape (T,), a share."""
    return float(np.prod(1.0 + np.asarray(returns, dtype=float)) - 1.0)


def drawdown(returns: Returns) -> NDArray[np.float64]:
    """Return the drawdown of the compounded index at each session, shares of zero or less.

    The index starts at one before the first return, so a loss on the first day counts.
    """
    index = np.concatenate([[1.0], np.cumprod(1.0 + np.asarray(returns, dtype=float))])
    return (index / np.maximum.accumulate(index) - 1.0)[1:]


def max_drawdown(returns: Returns) -> float:
    """Return the deepest drawdown, a share of zero or less; zero without returns."""
    path = drawdown(returns)
    return float(path.min()) if len(path) else 0.0


def volatility(returns: Returns, sessions: int = SESSIONS_A_YEAR) -> float:
    """Return the standard deviation (n − 1) of daily returns a year; NaN below two returns."""
    values = np.asarray(returns, dtype=float)
    return float(values.std(ddof=1) * math.sqrt(sessions)) if len(values) > 1 else math.nan


def sharpe(returns: Returns, sessions: int = SESSIONS_A_YEAR) -> float:
    """Return mean over standard deviation (n − 1) a year, no interest deducted.

    NaN below two returns or where returns do not vary.
    """
    values = np.asarray(returns, dtype=float)
    if len(values) < 2:
        return math.nan
    spread = values.std(ddof=1)
    # Constant returns differ by rounding alone; their ratio would be noise.
    if spread <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return math.nan
    return float(values.mean() / spread * math.sqrt(sessions))


def sortino(returns: Returns, sessions: int = SESSIONS_A_YEAR) -> float:
    """Return mean over the root mean square of losses a year; NaN without a losing day."""
    values = np.asarray(returns, dtype=float)
    if not (values < 0).any():
        return math.nan
    losses = math.sqrt(float(np.mean(np.minimum(values, 0.0) ** 2)))
    return float(values.mean() / losses * math.sqrt(sessions))


def plain(value: Any) -> Any:
    """Return a figure as JSON can hold it: eight digits, None for NaN and infinity."""
    if isinstance(value, float):
        return round(float(value), 8) if math.isfinite(value) else None
    return value
