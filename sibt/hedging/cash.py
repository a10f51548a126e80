"""Cash-flow at risk: what margin and daily settlement may ask for before the goods are paid.

A hedge that loses on the futures gains on the goods, but the futures are paid every evening and
the goods when they are sold. After session t a hedge that began in session 0 has called for

    cash_t = margin_t − MTM_1 − … − MTM_t,

and ``MC_T = max_t (margin_t − margin_0 − Σ MTM)⁺`` beyond its first margin (Mello and Parsons
1995, Journal of Applied Corporate Finance 8(1), 106, and Culp and Miller 1995, the same 7(4), 62,
on what that did to Metallgesellschaft). No gain of the goods is counted, not even of those sold on
the way, and no fee but in the run's own cash.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.job import Job
from sibt.engine.ledger import STATEMENT
from sibt.engine.money import MARGIN_SCALE
from sibt.engine.result import Result
from sibt.engine.terms import terms_in_force
from sibt.errors import DataError, SettingError
from sibt.hedging.bootstrap import block_of, stationary_draws
from sibt.language import Sentence, said
from sibt.market.contract import contract
from sibt.market.panel import Market

__all__ = ["FEWEST", "PATHS", "PERCENTILES", "RATE", "CashAtRisk", "cash_at_risk"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Paths drawn.
PATHS = 1000

#: Percentiles of the fan.
PERCENTILES = (5, 25, 50, 75, 95, 99)

#: Below so many daily changes no path is drawn.
FEWEST = 60

#: Cost of cash a year: assumed, the middle of 3.5 to 5 %.
RATE = 0.045

#: Capital no hedge exhausts, yuan: it shows the lots that were wished for and could be had.
_PLENTY = 1e12


@dataclass(frozen=True, eq=False)
class CashAtRisk:
    """Cash a hedge may call for, margin included; yuan.

    Attributes
    ----------
    sessions : pd.DatetimeIndex of shape (n,)
        From the first session with lots to the one in which the last are gone, or the run's last.
    initial : float
        Margin after the first session, yuan. Of a hedge built in steps it is the first step's.
    peaks : ndarray of shape (P,)
        Peak cash of each drawn path, yuan.
    fan : pd.DataFrame of shape (n, 6)
        By session, `PERCENTILES` of the cash over the paths, yuan; below zero, more was gained
        than margin asks for.
    historical : pd.Series
        Peak cash, yuan, on each stretch of n sessions in the data, by its first session; the
        stretches' price changes under this hedge's lots and margin rates. All the data, so with
        hindsight where a stretch ends after the hedge began. Empty where the data are shorter.
    needed : pd.Series of shape (n,)
        Cash this very run called for after each session, yuan. From a result: exact, with fees
        and slippage.
    capital : float
        Yuan the chance of a call is told for.
    rate : float
        Cost of cash a year, a share.
    broker_margin : float
        The broker's points in the margin, a share.
    open_reading : bool
        True where margins are those of the notices' other reading.
    changes : pd.Series
        Daily relative changes of settlement the paths are drawn from, as they were.
    drift : bool
        False where their mean was taken off before.
    block : float
        Mean length of a block, sessions.
    seed : int
        Of the draw.
    called, closed : pd.Timestamp or None
        First session of the result with a margin call, and with lots cut for one (or the account
        bust).
    call : float
        The first call, yuan; 0 without one.
    denied : pd.Timestamp or None
        First session in which lots were not opened for want of margin.
    notes : tuple of Sentence
        What a reader must know, a sentence each.
    """

    sessions: pd.DatetimeIndex
    initial: float
    peaks: FloatArray = field(repr=False)
    fan: pd.DataFrame = field(repr=False)
    historical: "pd.Series[float]" = field(repr=False)
    needed: "pd.Series[float]" = field(repr=False)
    capital: float
    rate: float
    broker_margin: float
    open_reading: bool
    changes: "pd.Series[float]" = field(repr=False)
    drift: bool
    block: float
    seed: int
    called: pd.Timestamp | None
    closed: pd.Timestamp | None
    call: float
    denied: pd.Timestamp | None
    notes: tuple[Sentence, ...]

    @property
    def verdict(self) -> Sentence:
        """What is to be said first: whether the account bore this hedge."""
        if self.called is not None and self.closed is not None:
            return said(
                "This hedge would have been closed by a margin call: the account lacked"
                " {call:,.2f} yuan after {called:%Y-%m-%d}, and lots were cut from"
                " {closed:%Y-%m-%d}.",
                call=self.call, called=self.called, closed=self.closed,
            )  # fmt: skip
        if self.called is not None:
            return said(
                "This hedge met a margin call: {call:,.2f} yuan were asked for after"
                " {called:%Y-%m-%d}.",
                call=self.call, called=self.called,
            )  # fmt: skip
        if self.closed is not None:
            return said(
                "This hedge would have ruined its account on {closed:%Y-%m-%d}.",
                closed=self.closed,
            )
        if self.denied is not None:
            return said(
                "This hedge would not have been opened whole: margin was lacking on"
                " {denied:%Y-%m-%d}.",
                denied=self.denied,
            )
        return said("The account bore this hedge without a margin call.")

    @property
    def borne(self) -> bool:
        """True where the account bore the hedge: no call, nothing cut, nothing denied."""
        return self.called is None and self.closed is None and self.denied is None

    @property
    def needed_peak(self) -> float:
        """Peak cash of this very run, yuan: the least capital without a margin call."""
        return float(self.needed.max())

    @property
    def worst(self) -> float:
        """Peak cash of the worst stretch of the data, yuan; NaN without one."""
        return float(self.historical.max()) if len(self.historical) else math.nan

    @property
    def worst_start(self) -> pd.Timestamp | None:
        """First session of the worst stretch."""
        if not len(self.historical):
            return None
        return pd.Timestamp(self.historical.index[int(self.historical.to_numpy().argmax())])

    @property
    def days(self) -> int:
        """Calendar days from the first session to the last."""
        return int((self.sessions[-1] - self.sessions[0]).days)

    def peak(self, level: float) -> float:
        """Return the peak cash a share of the paths stays within, first margin included, yuan."""
        return float(np.quantile(self.peaks, level))

    def beyond(self, level: float) -> float:
        """Return ``MC_T`` at a level: `peak` less the first margin, yuan."""
        return self.peak(level) - self.initial

    def chance(self, capital: float | None = None) -> float:
        """Return the share of the paths on which a capital (else `capital`) meets a call."""
        money = self.capital if capital is None else capital
        return float((self.peaks > money + 0.005).mean())

    def cost(self, level: float) -> float:
        """Return what holding `peak` ready for the whole hedge costs at `rate`, yuan."""
        return self.peak(level) * self.rate * self.days / 365


def cash_at_risk(
    result: Result,
    lots: pd.DataFrame | None = None,
    *,
    capital: float | None = None,
    paths: int = PATHS,
    seed: int = 0,
    rate: float = RATE,
    broker_margin: float | None = None,
    open_reading: bool = False,
    past_only: bool = True,
    drift: bool = False,
) -> CashAtRisk:
    """Return the cash a hedge may call for.

    The hedge's lots stay what they were, session by session, and so do the margin rates in force
    at each settlement, holidays and the months near delivery with them; the prices are drawn.
    Paths chain daily relative changes of the dominant contract's settlement, within one contract
    and of the held contracts' delivery standard, drawn in blocks (stationary bootstrap) of the
    cube root of their number on average. All held contracts move by the same share a day.

    The lots are those an account with money enough would have held: what a margin call cut, or
    kept from being opened, is part of what the hedge calls for.

    Parameters
    ----------
    result : Result
        The futures account.
    lots : pd.DataFrame, optional
        Lots after each session, in the place of the result's: sessions × contracts of the result,
        + long, − short; zero in sessions it does not name.
    capital : float, optional
        Yuan the chance of a call is told for; by default the account's.
    paths : int
        Paths P.
    seed : int
        Of the draw.
    rate : float
        Cost of cash a year, a share; assumed.
    broker_margin : float, optional
        The broker's points on the exchange's rate; by default the account's.
    open_reading : bool
        Margins of the other reading, where the notices leave two.
    past_only : bool
        Draw from changes up to the hedge's first session; False for all the data, with hindsight.
    drift : bool
        Keep the mean of the changes. Taken off by default: a trend of the past is no cover, and
        against a short hedge a fall would make every path cheaper.

    Raises
    ------
    DataError
        No lots, lots of two products or of a contract the result does not know, or fewer than
        `FEWEST` changes.
    SettingError
        A value out of its range.
    """
    job = result.job
    points = job.account.broker_margin if broker_margin is None else broker_margin
    money = float(job.account.capital) if capital is None else float(capital)
    _check(paths, rate, points, money)
    booked = _unhindered(result) if lots is None else None
    held = _given(job, lots) if booked is None else booked["positions"].sum(axis=1)
    span = _span(held)
    sessions, held = job.market.sessions[span], held[span]
    rates = _rates(job, points, open_reading)[span]
    settle = job.prices.settle[span] / 100
    value, margin = _at_start(held, settle, job.terms.multiplier, rates)

    names = [code for code, own in zip(job.contracts, held.T, strict=True) if own.any()]
    every = _changes(job.market, names)
    changes = every.loc[: sessions[0]] if past_only else every
    if len(changes) < FEWEST:
        standards = ", ".join(sorted({contract(code).standard for code in names}))
        until = f" up to {sessions[0]:%Y-%m-%d}" if past_only else ""
        cure = " or pass past_only=False to draw with hindsight" if past_only else ""
        raise DataError(
            f"Only {len(changes)} daily changes are known of delivery standard {standards}{until},"
            f" and paths take {FEWEST}; use data that begin earlier{cure}."
        )
    block = block_of(len(changes))
    drawn: FloatArray = np.array(changes, dtype=np.float64)
    if not drift:
        drawn -= drawn.mean()
    steps = len(sessions) - 1
    cash = _cash(drawn[_draws(len(drawn), paths, steps, block, seed)], value, margin)
    stretches = _stretches(every, steps)
    if booked is None:
        own = _at_settlements(held, settle, job.terms.multiplier, rates)
    else:
        exact = points == job.account.broker_margin and not open_reading
        own = _booked(booked["statement"][span], held, settle, job.terms.multiplier,
                      None if exact else rates)  # fmt: skip
    statement, fills, short = result.statement, result.fills, result.unfilled
    calls = statement.index[statement["margin_call"] > 0]
    cut = fills.loc[fills["reason"].isin(["margin call", "bust"]), "session"]
    denied = short.loc[short["reason"] == "margin", "session"]
    return CashAtRisk(
        sessions=sessions,
        initial=float(margin[0]),
        peaks=cash.max(axis=1),
        fan=pd.DataFrame(
            np.percentile(cash, PERCENTILES, axis=0).T, index=sessions, columns=list(PERCENTILES)
        ),
        historical=pd.Series(
            _cash(stretches, value, margin).max(axis=1), index=_starts(every, job.market, steps)
        ),
        needed=pd.Series(own, index=sessions),
        capital=money,
        rate=float(rate),
        broker_margin=float(points),
        open_reading=open_reading,
        changes=changes,
        drift=drift,
        block=block,
        seed=seed,
        called=calls[0] if len(calls) else None,
        closed=_first(cut),
        call=float(statement.loc[calls[0], "margin_call"]) if len(calls) else 0.0,
        denied=_first(denied),
        notes=_notes(job, changes, every, past_only=past_only, drift=drift),
    )


def _check(paths: int, rate: float, points: float, capital: float) -> None:
    if not (isinstance(paths, int) and 1 <= paths <= 1_000_000):
        raise SettingError(f"`paths` is {paths}; give a whole number from 1 to 1,000,000.")
    if not 0 <= rate <= 1:
        raise SettingError(f"`rate` is {rate:g}; give the cost of cash a year, as 0.045.")
    if not 0 <= points < 1:
        raise SettingError(
            f"`broker_margin` is {points:g}; give a share from 0 to 1, five points being 0.05."
        )
    if not 0 < capital < math.inf:
        raise SettingError(f"`capital` is {capital:g}; give yuan, above zero.")


def _first(days: "pd.Series[Any]") -> pd.Timestamp | None:
    return None if days.empty else pd.Timestamp(days.iloc[0])


# -- The hedge --------------------------------------------------------------------------------


def _unhindered(result: Result) -> Mapping[str, Any]:
    """Return what the wishes come to in an account that always has money enough."""
    account = replace(result.job.account, capital=_PLENTY, on_call="deposit")
    job = replace(result.job, account=account)
    return job.book(result.want, result.limits, wants=result.wants)


def _given(job: Job, lots: pd.DataFrame | None) -> IntArray:
    """Return lots of shape (T, K) from a table."""
    table = pd.DataFrame() if lots is None else lots
    strange = [code for code in table.columns if code not in job.contracts]
    if strange:
        raise DataError(
            f"The lots name '{strange[0]}', which the result does not trade; it trades"
            f" {', '.join(job.contracts)}."
        )
    days = table.index.difference(job.market.sessions)
    if len(days):
        raise DataError(f"The lots name {days[0]}, which is no session; use market.sessions.")
    whole = table.reindex(index=job.market.sessions, columns=list(job.contracts)).fillna(0.0)
    held = whole.to_numpy(float)
    if (held != np.rint(held)).any():
        raise DataError("The lots are not whole; round them.")
    return held.astype(np.int64)


def _span(held: IntArray) -> slice:
    """Return the sessions from the first with lots to the one in which the last are gone."""
    any_ = np.flatnonzero((held != 0).any(axis=1))
    if not len(any_):
        raise DataError("No futures were held, so no cash is at risk; hedge something first.")
    return slice(int(any_[0]), min(int(any_[-1]) + 2, len(held)))


def _rates(job: Job, points: float, open_reading: bool) -> FloatArray:
    """Return the margin rate at each settlement, shape (T, K)."""
    terms = terms_in_force(
        job.contracts,
        job.market.sessions,
        replace(job.account, broker_margin=points),
        job.replaced,
        open_reading=open_reading,
        observed=job.market.terms,
    )
    floor = np.where(job.prices.margin_floor > 0, job.prices.margin_floor + points, 0.0)
    found: FloatArray = np.maximum(terms.margin / MARGIN_SCALE, floor)
    return found


def _at_start(
    held: IntArray, settle: FloatArray, size: IntArray, rates: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return signed value and margin of each session's lots at the prices of the first.

    Parameters
    ----------
    held, settle, rates : ndarray of shape (n, K)
        Lots after each session, last known settlements (0 unknown), margin rates.
    size : ndarray of shape (K,)
        Tonnes of a lot.

    Returns
    -------
    tuple of ndarray of shape (n,)
        Yuan. A contract without a settlement then is brought back from its own first session by
        the change of the contract that was held most at the start.
    """
    price, lead = settle[0].copy(), int(np.abs(held[0]).argmax())
    for k in np.flatnonzero((price == 0) & held.any(axis=0)):
        begin = int(np.flatnonzero(held[:, k])[0])
        price[k] = settle[begin, k] * settle[0, lead] / settle[begin, lead]
    worth = price * size
    return held @ worth, (np.abs(held) * rates) @ worth


def _at_settlements(
    held: IntArray, settle: FloatArray, size: IntArray, rates: FloatArray
) -> FloatArray:
    """Return the cash called for had every trade been at its session's settlement, shape (n,)."""
    margin = (np.abs(held) * rates * settle * size).sum(axis=1)
    known = (settle[1:] > 0) & (settle[:-1] > 0)
    gain = np.where(known, np.diff(settle, axis=0), 0.0) * held[:-1] * size
    cash: FloatArray = margin - np.concatenate(([0.0], gain.sum(axis=1).cumsum()))
    return cash


def _booked(
    statement: IntArray,
    held: IntArray,
    settle: FloatArray,
    size: IntArray,
    rates: FloatArray | None,
) -> FloatArray:
    """Return the cash the ledger called for, at its own margin or at other rates, shape (n,)."""
    column = {name: statement[:, number] for number, name in enumerate(STATEMENT)}
    paid = np.cumsum(column["fees"] - column["mtm"])
    if rates is None:
        exact: FloatArray = (column["margin"] + paid) / 100
        return exact
    other: FloatArray = (np.abs(held) * rates * settle * size).sum(axis=1) + paid / 100
    return other


# -- Paths ------------------------------------------------------------------------------------


def _changes(market: Market, names: list[str]) -> "pd.Series[float]":
    """Return daily relative changes of settlement of the contract that led the session before.

    Of the delivery standards of `names`; a change is always one contract's own, so none crosses
    from one standard to the next. Sessions without one are left out.
    """
    lives = [contract(code) for code in names]
    products = sorted({life.product.name for life in lives})
    if len(products) > 1:
        raise DataError(
            f"The hedge holds two products ({', '.join(products)}), which do not move by the same"
            " share; ask for one of them."
        )
    standards = sorted({life.standard for life in lives})
    which: dict[str, Any] = (
        {"standard": standards[0]} if len(standards) == 1 else {"cross_standard": True}
    )
    lead = market.dominant(products[0], **which)
    at = np.array([-1 if code is None else market.column(code) for code in lead])
    before, rows = at[:-1], np.arange(len(at) - 1)
    with np.errstate(invalid="ignore"):
        change = market.settle[rows + 1, before] / market.settle[rows, before] - 1.0
    change[before < 0] = np.nan
    return pd.Series(change, index=market.sessions[1:], name="change").dropna()


def _draws(count: int, paths: int, steps: int, block: float, seed: int) -> IntArray:
    """Return which changes each path draws, shape (P, steps)."""
    # A path longer than the history is put together from several draws.
    pieces = max(-(-steps // count), 1)
    drawn = stationary_draws(count, paths * pieces, block, seed)
    return drawn.reshape(paths, pieces * count)[:, :steps]


def _stretches(changes: "pd.Series[float]", steps: int) -> FloatArray:
    """Return every stretch of so many changes in a row, shape (W, steps)."""
    if steps == 0 or len(changes) < steps:
        return np.zeros((0, steps))
    return np.lib.stride_tricks.sliding_window_view(changes.to_numpy(), steps)


def _starts(changes: "pd.Series[float]", market: Market, steps: int) -> pd.DatetimeIndex:
    """Return the session in which each of `_stretches` begins: that before its first change."""
    count = max(len(changes) - steps + 1, 0) if steps else 0
    first = market.sessions.get_indexer(changes.index[:count])
    return market.sessions[first - 1]


def _cash(changes: FloatArray, value: FloatArray, margin: FloatArray) -> FloatArray:
    """Return the cash called for after each session of each path.

    Parameters
    ----------
    changes : ndarray of shape (P, n − 1)
        Daily relative changes.
    value, margin : ndarray of shape (n,)
        Signed value and margin of each session's lots at the first session's prices, yuan.

    Returns
    -------
    ndarray of shape (P, n)
        Yuan.
    """
    level = np.ones((len(changes), len(value)))
    np.cumprod(1.0 + changes, axis=1, out=level[:, 1:])
    gain = np.zeros_like(level)
    np.cumsum(np.diff(level, axis=1) * value[:-1], axis=1, out=gain[:, 1:])
    return level * margin - gain


def _notes(
    job: Job,
    changes: "pd.Series[float]",
    every: "pd.Series[float]",
    *,
    past_only: bool,
    drift: bool,
) -> tuple[Sentence, ...]:
    drawn = {"count": len(changes), "first": changes.index[0], "last": changes.index[-1]}
    past = said("none after the hedge's first session") if past_only else said("with hindsight")
    mean = said("their mean kept") if drift else said("their mean taken off")
    notes = [
        said(
            "paths drawn from {count} daily changes, {first:%Y-%m-%d} to {last:%Y-%m-%d}, {past},"
            " {mean}",
            **drawn, past=past, mean=mean,
        ),
        said("the worst stretch is sought in all {count} changes of the data", count=len(every)),
    ]  # fmt: skip
    if job.account.spread_relief:
        notes.append(said("calendar-spread relief is in this run's own cash, not in the paths"))
    return tuple(notes)
