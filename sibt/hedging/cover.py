"""Futures held against the goods they are to hedge: never more than there are."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.job import Job
from sibt.engine.result import Result
from sibt.errors import StrategyError
from sibt.language import Sentence, said

__all__ = ["beyond", "left_over", "refuse_more", "unit_tonnes", "wished_tonnes"]

FloatArray = NDArray[np.float64]


def beyond(owned: Any, futures: Any, lot: float) -> NDArray[np.bool_]:
    """Tell where futures are more than the goods they hedge, by a lot or more.

    Goods owned are hedged by no more short tonnes, goods needed by no more long ones; futures
    on the side of the goods hedge nothing and are more too.

    Parameters
    ----------
    owned, futures : array of shape (T,) or (T, N)
        Tonnes by session: + owned or long, − needed or short.
    lot : float
        Tonnes of a lot.

    Returns
    -------
    ndarray of bool, shape (T,) or (T, N)
    """
    goods, held = np.asarray(owned, dtype=float), np.asarray(futures, dtype=float)
    if held.ndim > goods.ndim:
        goods = goods[:, None]
    elif goods.ndim > held.ndim:
        held = held[:, None]
    # A milligram of noise is no lot.
    sold = np.maximum(goods, 0.0) + held < 1e-6 - lot
    bought = np.minimum(goods, 0.0) + held > lot - 1e-6
    more: NDArray[np.bool_] = sold | bought
    return more


def unit_tonnes(job: Job) -> FloatArray:
    """Return the tonnes of futures in a unit wished after each session, all legs, shape (T,)."""
    size = np.where(job.codes >= 0, job.terms.multiplier[job.codes], 0)
    net: FloatArray = (size * job.ratio).sum(axis=1).astype(float)
    return net


def wished_tonnes(result: Result) -> FloatArray:
    """Return the tonnes of futures wished after each session, + long, shape (T,)."""
    job = result.job
    if result.wants is None:
        return result.want * unit_tonnes(job)
    size = np.where(job.codes >= 0, job.terms.multiplier[job.codes], 0)
    net: FloatArray = (size * result.wants).sum(axis=1).astype(float)
    return net


def refuse_more(job: Job, futures: FloatArray, owned: FloatArray) -> None:
    """Refuse a hedge that is wished to be larger than its goods.

    Parameters
    ----------
    job : Job
        What it is booked with.
    futures, owned : ndarray of shape (T,)
        Tonnes wished and owned after each session; see `beyond`.

    Raises
    ------
    StrategyError
        It is larger by a lot or more; the first such session is named.
    """
    size = float(job.terms.multiplier.min())
    more = np.flatnonzero(beyond(owned, futures, size))
    if not len(more):
        return
    t = int(more[0])
    held, goods = float(futures[t]), float(owned[t])
    raise StrategyError(
        f"The hedge wished for on {job.market.sessions[t]:%Y-%m-%d} is {abs(held) / size:,.6g} lots"
        f" ({abs(held):,.6g} t) {'short' if held < 0 else 'long'} against {abs(goods):,.6g} t"
        f" {'needed' if goods < 0 else 'owned'}, more than it could hedge; wish for fewer lots, or"
        " state the goods they are for."
    )


def left_over(result: Result, owned: "pd.Series[float]") -> list[Sentence]:
    """Say where more futures were held than the goods they had been wished for.

    No wish is larger than its goods (`refuse_more`), so closing orders could not fill.

    Parameters
    ----------
    result : Result
        The futures account.
    owned : pd.Series of shape (T,)
        Tonnes after each session.
    """
    job = result.job
    held = result.booked["positions"].sum(axis=1) @ job.terms.multiplier
    size = float(job.terms.multiplier.min())
    # What is held after a session was wished for on its eve.
    goods = owned.shift(1, fill_value=0.0).to_numpy()
    more = np.flatnonzero(beyond(goods, held, size))
    if not len(more):
        return []
    t = int(more[0])
    return [
        said(
            "more was hedged than there were goods after {count} sessions, first on {day:%Y-%m-%d}:"
            " {held:,.6g} t of futures against {goods:,.6g} t; orders to close could not be filled",
            count=len(more), day=job.market.sessions[t], held=abs(float(held[t])),
            goods=abs(float(goods[t])),
        )
    ]
