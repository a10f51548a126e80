"""How far errors remember, and how much wider that makes a 95 % interval.

Changes over k sessions overlap, so their errors are correlated over k − 1 of them whatever the
market does. Newey and West's standard error with k − 1 lags corrects too little of it, and the
normal quantile takes that error for exact: of 95 % intervals built so, 85 to 92 % hold the truth.
Here the bandwidth is the larger one Lazarus, Lewis, Stock and Watson recommend, with the quantile
that belongs to it.
"""

import math

__all__ = ["NORMAL", "bandwidth", "quantile"]

#: Two-sided 95 % of the normal distribution.
NORMAL = 1.959964


def bandwidth(observations: float, k: int = 1) -> int:
    """Return the bandwidth of the Bartlett kernel; its lags are one fewer.

    ``⌈1.3 √n⌉``: Lazarus, Lewis, Stock and Watson (2018), Journal of Business & Economic
    Statistics 36(4), 541. At least 2k, so that the kernel still weighs the k − 1 overlaps by a
    half and more; at most n.

    Parameters
    ----------
    observations : float
        Their number n; an effective number need not be whole.
    k : int
        Sessions a change spans.
    """
    wide = max(math.ceil(1.3 * math.sqrt(observations)), 2 * k if k > 1 else 1)
    return max(min(wide, math.floor(observations)), 1)


def quantile(share: float) -> float:
    """Return the 97.5 % quantile of a t statistic whose bandwidth is this share of the data.

    ``1.9600 + 2.9694 b + 0.4160 b² − 0.5324 b³`` for the Bartlett kernel: Kiefer and Vogelsang
    (2005), Econometric Theory 21(6), 1130, table 1.

    Parameters
    ----------
    share : float
        Bandwidth ÷ observations b, between 0 and 1.
    """
    return NORMAL + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3
