"""From wishes to a booked result: check what was asked, lay it out, and run the ledger."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.job import Job, Legs, check_index, prepare
from sibt.engine.money import FEE_SCALE, MARGIN_SCALE, to_fen
from sibt.engine.result import Result
from sibt.errors import DataError, SettingError, SibtError, StrategyError
from sibt.market.panel import Market

__all__ = ["check_wishes", "limits_of", "simulate"]

IntArray = NDArray[np.int64]

_LARGEST = 9e18
_MOST_UNITS = 1e9


def simulate(
    market: Market,
    units: "pd.Series[Any] | pd.DataFrame",
    legs: Legs,
    *,
    limits: "pd.Series[Any] | None" = None,
    account: Account | None = None,
    execution: Execution | None = None,
    terms: Mapping[str, Any] | None = None,
    known_from: pd.Timestamp | str | None = None,
) -> Result:
    """Book wished units of a spread or a single contract as the exchange would.

    Parameters
    ----------
    market : Market
        The panel.
    units : pd.Series or pd.DataFrame
        Whole units wished after each session's close, by session; missing or NaN keeps the
        last wish. Orders work in the next session. Legged, also a column of units for each leg.
    legs : mapping
        Contract to ratio, ``{"si2411": 1, "si2412": -1}``, or for a leg that rolls a name
        to (Series of contract codes by session, ratio). A leg holds units × ratio lots.
    limits : pd.Series, optional
        Resting prices by session, yuan per tonne, for the session that follows; NaN is at
        market. One leg only.
    account : Account, optional
        Capital and kind of the account; the default is an individual's million yuan.
    execution : Execution, optional
        How orders are worked; the default is the next open, one tick, 10 % of volume.
    terms : mapping, optional
        What replaces the dated terms, see `sibt.engine.terms.terms_in_force`.
    known_from : timestamp or str, optional
        The day the idea was published: an order that would fill on it or earlier is an
        error, and returns count from the session after it.

    Returns
    -------
    Result
        Statement, fills, positions, shortfalls and figures.

    Raises
    ------
    StrategyError
        Wishes or legs that make no sense, or a fill before `known_from`.
    DataError
        A contract without bars, or a bar without settlement.
    SettingError, TermsError
        A setting or a term out of range.
    """
    account = account or Account()
    execution = execution or Execution()
    job = prepare(market, legs, account=account, execution=execution, terms=terms)
    wants = _wishes_by_leg(job, units) if isinstance(units, pd.DataFrame) else None
    want = _wishes(market, units) if wants is None else _changes(wants)
    resting = _limits(market, limits, job)
    if wants is None:
        _check_size(job, float(np.abs(want).max(initial=0) * np.abs(job.ratio).max()))
    else:
        _check_size(job, float(np.abs(wants).max(initial=0)))
    _check(job, want, known_from)
    booked = job.book(want, resting, wants=wants)
    return Result.assemble(job, want, resting, booked, wants=wants, known_from=known_from)


def check_wishes(job: Job, want: NDArray[np.int32], known_from: Any) -> dict[int, str]:
    """Return why columns of wishes cannot be booked, as `simulate` would say it.

    Parameters
    ----------
    job : Job
        What they are booked with.
    want : int32 ndarray of shape (T, N)
        Wished units.
    known_from : str, pd.Timestamp or None
        As in `simulate`.

    Returns
    -------
    dict of int to str
        Reasons by column; empty where all may be booked.
    """
    suspects = np.zeros(want.shape[1], dtype=bool)
    extreme = np.array([want.max(initial=0), want.min(initial=0)], dtype=np.int64)
    try:
        _check_size(job, float(np.abs(extreme).max() * np.abs(job.ratio).max()))
    except SettingError:
        suspects[:] = True
    if known_from is not None:
        day = pd.Timestamp(known_from)
        early = int(job.market.sessions.searchsorted(day, side="right")) - 1
        suspects |= (want[: max(early, 0)] != 0).any(axis=0)
    bare = np.flatnonzero(_bare(job).any(axis=1))
    if len(bare):
        suspects |= (want[: int(bare[-1]) + 1] != 0).any(axis=0)
    for t, _ in _crossings(job):
        suspects |= (want[t] != 0) & (want[t - 1] != 0)
    reasons = {}
    for column in np.flatnonzero(suspects):
        own = want[:, column].astype(np.int64)
        try:
            _check_size(job, float(np.abs(own).max() * np.abs(job.ratio).max()))
            _check(job, own, known_from)
        except SibtError as error:
            reasons[int(column)] = str(error)
    return reasons


def _check(job: Job, want: IntArray, known_from: Any) -> None:
    """Refuse wishes that cannot be booked."""
    _check_known_from(job.market, want, known_from)
    _check_settlements(job, want)
    _check_standard(job, want)


def _wishes(market: Market, units: Any) -> IntArray:
    """Return wished units by session as integers, missing ones carried on."""
    if not isinstance(units, pd.Series):
        raise StrategyError(
            f"`units` is {type(units).__name__}; give a Series of whole numbers by session."
        )
    check_index(market, units, "units")
    try:
        numbers = units.astype(float)
    except (TypeError, ValueError):
        raise StrategyError("`units` holds something that is no number.") from None
    stated = numbers.reindex(market.sessions)
    wrong = stated[stated.notna() & ((stated != np.floor(stated)) | np.isinf(stated))]
    if len(wrong):
        raise StrategyError(
            f"`units` is {wrong.iloc[0]:g} on {wrong.index[0]:%Y-%m-%d}; units are whole numbers,"
            " so round them in the strategy."
        )
    if (stated.abs() > _MOST_UNITS).any():
        raise SettingError(
            f"{stated.abs().max():g} lots are more than the ledger can count to the fen; wish for"
            " fewer units."
        )
    return stated.ffill().fillna(0.0).to_numpy().astype(np.int64)


def _wishes_by_leg(job: Job, units: pd.DataFrame) -> IntArray:
    """Return wished lots by session and leg, shape (T, L), missing ones carried on."""
    if job.execution.pairing != "legged":
        raise StrategyError(
            "Units are wished leg by leg, which paired legs cannot be; set pairing to legged"
            " (--pairing legged)."
        )
    strange = [str(name) for name in units.columns if name not in job.legs]
    lacking = [name for name in job.legs if name not in units.columns]
    if strange or lacking:
        raise StrategyError(
            f"`units` has the columns {', '.join(map(str, units.columns))}; give one for each leg:"
            f" {', '.join(job.legs)}."
        )
    columns = [_wishes(job.market, units[name]) for name in job.legs]
    return np.ascontiguousarray(np.column_stack(columns) * job.ratio)


def _changes(wants: IntArray) -> IntArray:
    """Return zero where no leg is wished for, else how often the wishes have changed so far."""
    changed = np.ones(len(wants), dtype=bool)
    changed[1:] = (wants[1:] != wants[:-1]).any(axis=1)
    return np.where(wants.any(axis=1), np.cumsum(changed), 0)


def limits_of(market: Market, limits: Any, job: Job, count: int) -> IntArray:
    """Return resting prices of N columns in fen, 0 for none, shape (T, N) or (T, 1)."""
    if limits is None or isinstance(limits, pd.Series):
        return np.asfortranarray(_limits(market, limits, job)[:, None])
    wide = np.asarray(limits, dtype=float)
    wide = wide[:, None] if wide.ndim == 1 else wide
    if wide.shape[0] != len(market.sessions) or wide.shape[1] not in (1, count):
        raise StrategyError(
            f"limits of {count} sets over {len(market.sessions)} sessions have shape"
            f" {wide.shape}; return (sessions, sets)."
        )
    columns = [_limits(market, pd.Series(c, market.sessions), job) for c in wide.T]
    return np.asfortranarray(np.column_stack(columns))


def _limits(market: Market, limits: Any, job: Job) -> IntArray:
    if limits is None:
        return np.zeros(len(market.sessions), dtype=np.int64)
    if len(job.legs) > 1:
        raise StrategyError(
            f"Resting limits work on one leg only, and this strategy has {len(job.legs)}; leave"
            " `limits` out."
        )
    if not isinstance(limits, pd.Series):
        raise StrategyError(
            f"`limits` is {type(limits).__name__}; give a Series of prices by session."
        )
    check_index(market, limits, "limits")
    try:
        stated = limits.reindex(market.sessions).astype(float)
    except (TypeError, ValueError):
        raise StrategyError("`limits` holds something that is no price.") from None
    if (stated <= 0).any():
        day = stated[stated <= 0].index[0]
        raise StrategyError(f"The limit on {day:%Y-%m-%d} is not above zero; use NaN for none.")
    # It rests in the session that follows, at that session's tick.
    tick = np.append(job.terms.tick.max(axis=1)[1:], job.terms.tick.max(axis=1)[-1:])
    off = stated[stated.notna() & (np.abs(stated / tick - np.rint(stated / tick)) > 1e-9)]
    if len(off):
        step = tick[int(market.sessions.searchsorted(off.index[0]))]
        raise StrategyError(
            f"The limit {off.iloc[0]:g} on {off.index[0]:%Y-%m-%d} is off the tick; round it to"
            f" {step:g} yuan."
        )
    return to_fen(np.asarray(stated, dtype=np.float64))


def _check_size(job: Job, lots: float) -> None:
    """Refuse wishes so large that whole fen would not fit the ledger's integers."""
    price = float(max(job.prices.raw.max(initial=0), job.prices.settle.max(initial=0)))
    rate = max(
        float(job.terms.margin.max(initial=0)),
        *(float(f.max(initial=0)) for f in (job.terms.fee_open, job.terms.fee_close,
                                            job.terms.fee_close_today)),
    )
    per_lot = max(
        float(f.max(initial=0))
        for f in (job.terms.lot_open, job.terms.lot_close, job.terms.lot_close_today)
    )
    most = lots * (price * float(job.terms.multiplier.max()) * rate + per_lot)
    if most + FEE_SCALE + MARGIN_SCALE > _LARGEST:
        raise SettingError(
            f"{lots:,.0f} lots are more than the ledger can count to the fen; wish for fewer"
            " units."
        )


def _check_known_from(market: Market, want: IntArray, known_from: Any) -> None:
    if known_from is None:
        return
    try:
        day = pd.Timestamp(known_from)
    except (TypeError, ValueError):
        raise StrategyError(
            f"known_from is {known_from!r}, no day; write it as 2024-05-14."
        ) from None
    early = np.flatnonzero(want[:-1])
    if len(early):
        fills = market.sessions[int(early[0]) + 1]
        if fills <= day:
            raise StrategyError(
                f"The strategy would trade on {fills:%Y-%m-%d}, before the session after"
                f" {day:%Y-%m-%d}, the day its idea became known; wish zero until then."
            )


def _check_settlements(job: Job, want: IntArray) -> None:
    """Refuse bars of the legs without settlement from the first wish on."""
    wished = np.flatnonzero(want)
    if not len(wished):
        return
    market = job.market
    bare = _bare(job)
    bare[: wished[0]] = False
    if not bare.any():
        return
    rows, cols = np.nonzero(bare)
    days = [f"{job.contracts[c]} {market.sessions[int(r)]:%Y-%m-%d}" for r, c in
            list(zip(rows, cols, strict=True))[:3]]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    raise DataError(
        f"No settlement is known for {', '.join(days)}{more} ({market.provenance.source}); bring"
        " settlements, or let the close stand in with settle_from='close'"
        " (--settle-from close)."
    )


def _bare(job: Job) -> NDArray[np.bool_]:
    """Return where a bar of the legs has no settlement, shape (T, K)."""
    columns = [job.market.column(code) for code in job.contracts]
    bare: NDArray[np.bool_] = job.market.traded()[:, columns]
    return bare & np.isnan(job.market.settle[:, columns])


def _check_standard(job: Job, want: IntArray) -> None:
    """Refuse to roll lots from one delivery standard into another."""
    for t, leg in _crossings(job):
        if want[t] and want[t - 1]:
            a, b = job.codes[t - 1, leg], job.codes[t, leg]
            raise StrategyError(
                f"Leg '{job.legs[leg]}' would roll from {job.contracts[a]} into"
                f" {job.contracts[b]} after {job.market.sessions[t]:%Y-%m-%d}: two delivery"
                " standards, two goods; be flat there, or allow it with cross_standard=True"
                " (--cross-standard)."
            )


def _crossings(job: Job) -> list[tuple[int, int]]:
    """Return sessions and legs in which a leg's contract passes to another delivery standard."""
    if job.execution.cross_standard:
        return []
    standards = np.array([f"{c.product.name} {c.standard}" for c in job.lives])
    found = []
    for leg in range(len(job.legs)):
        codes = job.codes[:, leg]
        for t in np.flatnonzero(codes[1:] != codes[:-1]) + 1:
            a, b = codes[t - 1], codes[t]
            if a >= 0 and standards[a] != standards[b]:
                found.append((int(t), leg))
    return found
