"""Ways to a hedge ratio held against hedging one for one, out of sample and with a test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import SettingError
from sibt.hedging.ratios.estimate import SESSIONS
from sibt.hedging.ratios.interval import NORMAL, bandwidth, quantile
from sibt.hedging.ratios.pair import pair_of
from sibt.hedging.ratios.path import Path, path

__all__ = ["CHANCE", "Contest", "Duel", "contest", "diebold_mariano", "superior"]

FloatArray = NDArray[np.float64]

#: p-value below which one way is called better or worse than another.
CHANCE = 0.05

#: What is held against all others.
_NAIVE = "naive"


@dataclass(frozen=True)
class Duel:
    """Two series of losses compared.

    Attributes
    ----------
    statistic : float
        Positive where the second loses less; NaN where they never differ.
    chance : float
        Two-sided p-value of equal expected losses.
    """

    statistic: float
    chance: float


@dataclass(frozen=True, eq=False)
class Contest:
    """What each way to a ratio did after it was estimated.

    Attributes
    ----------
    table : pd.DataFrame
        A row a method, ``naive`` first, the others in the order they were given (no ranking):
        ``ratio`` (mean), ``lowest``, ``highest``, ``turnover`` (mean absolute change of the ratio
        a session), ``without`` (sessions without a ratio), ``variance_reduction`` (share of the
        variance of the spot's changes), ``loss`` (root mean squared hedged change, yuan per
        tonne), ``statistic`` and ``chance`` (Diebold and Mariano's test against one for one),
        ``chance_of_all`` (Holm's, allowed for the number of methods) and ``verdict``.
    windows : int
        Changes all methods were judged on, the same for all.
    first, last : pd.Timestamp
        Session the first of them begins and the last ends.
    superior : float
        p-value that the best of all is no better than one for one, by Hansen's test; NaN where
        the library arch is missing or nothing differs from one for one.
    paths : mapping of str to Path
        Ratios by method.
    """

    table: pd.DataFrame
    windows: int
    first: pd.Timestamp
    last: pd.Timestamp
    superior: float
    paths: Mapping[str, Path] = field(repr=False)


def contest(
    spot: pd.Series[float],
    futures: pd.Series[float],
    methods: Sequence[str] = ("min_variance", "error_correction", "rolling", "ewma"),
    *,
    k: int = SESSIONS,
    every: int | Literal["month"] = "month",
    decay: float = 0.97,
    window: int = 120,
    contracts: pd.Series[Any] | None = None,
    cross_standard: bool = False,
) -> Contest:
    """Hold ways to a hedge ratio against one for one, on changes they had not seen.

    Each method's ratio of session t, estimated up to t, hedges the change from t over the next k
    quoted sessions, within one contract. All are judged on the same changes: those that begin
    where every method has a ratio. A method that never has one is left out and its row says why.
    The verdict allows for the number of methods: with five of them, the best of five worthless
    ones would be "better" at 5 % once in four or five contests. It holds for changes over k
    sessions only: where spot quotes follow the futures late, one for one looks poor over a few
    sessions and good over a month; take the horizon of the hedge.

    Parameters
    ----------
    spot, futures : pd.Series of shape (T,)
        As in `sibt.hedging.ratios.estimate.estimate`.
    methods : sequence of str
        Beside ``naive``, which is always there.
    k, decay, window, contracts
        As in `estimate`; k is also the horizon of the comparison.
    every : "month" or int
        As in `sibt.hedging.ratios.path.path`.
    cross_standard : bool
        True where prices of two delivery standards are given and meant.

    Returns
    -------
    Contest
        A better figure alone is no better method; read the verdict.

    Raises
    ------
    RatioError
        Fewer than `LEAST` changes to judge on.
    DataError, SettingError
        As in `estimate`; or no method beside ``naive``.
    """
    names = [_NAIVE, *(name for name in dict.fromkeys(methods) if name != _NAIVE)]
    if len(names) == 1:
        raise SettingError("A contest needs a method beside 'naive'; add for example min_variance.")
    pair = pair_of(spot, futures, contracts, cross_standard)
    paths = {
        name: path(
            spot, futures, name, every=every, contracts=contracts, cross_standard=cross_standard,
            k=k, decay=decay, window=window,
        )
        for name in names
    }
    able = [name for name in names if paths[name].ratios.notna().any()]
    ends = pair.ends(k)
    begins = pair.sessions[ends - k]
    ratios = pd.DataFrame({name: paths[name].ratios.reindex(begins) for name in able})
    together = ratios.notna().all(axis=1).to_numpy()
    ends, ratios = ends[together], ratios[together]
    pair.need(len(ends), f"changes over {k} quoted sessions after the first estimates")
    unhedged = pair.spot[ends] - pair.spot[ends - k]
    gained = pair.futures[ends] - pair.futures[ends - k]
    hedged = unhedged[:, None] - ratios.to_numpy() * gained[:, None]
    losses = pd.DataFrame(hedged**2, columns=able)
    rows = {name: _shape(paths[name]) for name in names}
    left = hedged.var(axis=0) / unhedged.var() if np.ptp(unhedged) else np.full(len(able), np.nan)
    for number, name in enumerate(able):
        duel = diebold_mariano(losses[_NAIVE].to_numpy(), losses[name].to_numpy(), k)
        rows[name] |= {
            "variance_reduction": 1.0 - float(left[number]),
            "loss": math.sqrt(float(losses[name].mean())),
            "statistic": duel.statistic,
            "chance": duel.chance,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table["chance_of_all"] = _holm(table["chance"])
    table["verdict"] = [
        _verdict(paths[name], float(statistic), float(chance)) if name != _NAIVE else "one for one"
        for name, statistic, chance in table[["statistic", "chance_of_all"]].itertuples()
    ]
    return Contest(
        table=table.rename_axis("method"),
        windows=len(ends),
        first=pair.sessions[ends[0] - k],
        last=pair.sessions[ends[-1]],
        superior=superior(losses[_NAIVE], losses.drop(columns=_NAIVE), k),
        paths=paths,
    )


def diebold_mariano(losses: FloatArray, others: FloatArray, k: int = 1) -> Duel:
    """Test whether two ways lose the same, of losses over k overlapping sessions.

    Diebold and Mariano (1995), Journal of Business & Economic Statistics 13(3), 253, with the
    small-sample correction of Harvey, Leybourne and Newbold (1997), International Journal of
    Forecasting 13(2), 281. Bandwidth and its quantile are those of
    `sibt.hedging.ratios.interval`: with k − 1 lags the test rejects 8 % instead of 5 % at k = 5,
    so 4–6 % at k = 1 and 5, 60 to 500 changes. The ratios count as given, with their errors of
    estimation: Giacomini and White (2006), Econometrica 74(6), 1545.

    Parameters
    ----------
    losses, others : ndarray of shape (n,)
        Of the two, in the order of time.
    k : int
        Sessions each spans.
    """
    from scipy.stats import t
    from statsmodels.tsa.stattools import diebold_mariano_test

    if np.ptp(losses - others) == 0.0:
        return Duel(math.nan, math.nan)
    width = bandwidth(len(losses), k)
    tested = diebold_mariano_test(
        np.zeros(len(losses)), losses, others,
        criterion=lambda _, loss: loss, lags=width - 1, harvey_adj=True, horizon=k,
    )
    # Brought to the scale on which 5 % are 5 %.
    statistic = float(tested.statistic) * NORMAL / quantile(width / len(losses))
    return Duel(statistic, float(2.0 * t.sf(abs(statistic), len(losses) - 1)))


def superior(benchmark: pd.Series[float], others: pd.DataFrame, k: int = 1) -> float:
    """Return the p-value that the best of several ways is no better than the benchmark.

    The test for superior predictive ability of Hansen (2005), Journal of Business & Economic
    Statistics 23(4), 365, its consistent p-value, by the library arch: 1,000 replications of the
    stationary bootstrap, seed 0, in blocks of √n observations, at least 2k, on average.

    Parameters
    ----------
    benchmark : pd.Series of shape (n,)
        Losses.
    others : pd.DataFrame of shape (n, m)
        Losses of the others.
    k : int
        Sessions each spans.

    Returns
    -------
    float
        NaN without arch, and where no other way ever differs.
    """
    try:
        from arch.bootstrap import SPA
    except ImportError:
        return math.nan
    against = benchmark.to_numpy()
    losses = others.to_numpy()
    losses = losses[:, np.ptp(losses - against[:, None], axis=0) > 0.0]
    if not losses.shape[1]:
        return math.nan
    block = max(2 * k, math.isqrt(len(against)))
    test = SPA(against, losses, block_size=block, reps=1000, seed=0)
    test.compute()
    return float(test.pvalues["consistent"])


def _shape(way: Path) -> dict[str, Any]:
    ratios = way.ratios
    return {
        "ratio": float(ratios.mean()),
        "lowest": float(ratios.min()),
        "highest": float(ratios.max()),
        "turnover": float(ratios.diff().abs().mean()),
        "without": int(ratios.isna().sum()),
        "variance_reduction": math.nan,
        "loss": math.nan,
        "statistic": math.nan,
        "chance": math.nan,
    }


def _holm(chances: pd.Series[float]) -> pd.Series[float]:
    """Return p-values allowed for their number; NaN stay NaN and are not counted."""
    from statsmodels.stats.multitest import multipletests

    known = chances.dropna()
    if not len(known):
        return chances.copy()
    allowed = multipletests(known.to_numpy(), method="holm")[1]
    return pd.Series(allowed, index=known.index).reindex(chances.index)


def _verdict(way: Path, statistic: float, chance: float) -> str:
    if not way.ratios.notna().any():
        return f"no ratio: {', '.join(way.reasons)}"
    if math.isnan(chance):
        return "the same as 1:1"
    if chance < CHANCE:
        return "better than 1:1" if statistic > 0.0 else "worse than 1:1"
    return "not shown to differ from 1:1"
