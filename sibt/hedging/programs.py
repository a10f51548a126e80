"""Programs: how much of the goods is hedged, when, and in which contracts.

========  =====================================================================================
program   hedges
========  =====================================================================================
always    all goods, in one contract
constant  the same share of them throughout
never     nothing
timed     all while a signal is high: the selective hedge (`selective`)
layered   a tranche more each time the signal climbs a step, or time passes (`layered`, `in_time`)
stack     all goods in the dominant contract, rolled on from lead to lead (`stack`)
strip     each month's sales in the first contract that outlives them (`strip`)
========  =====================================================================================

Goods are tonnes by session, + owned, − needed; lots are signed, so that goods owned are sold
forward and needs bought forward. All work on one column, shape (T,), and on N, shape (T, N), but
the strip, which is a column a contract. Stack and strip: Hull, Options, Futures, and Other
Derivatives, section 3.6 and Business Snapshot 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import StrategyError
from sibt.hedging.exposure import Exposure
from sibt.hedging.physical import quotes
from sibt.hedging.ratios.estimate import METHODS
from sibt.hedging.ratios.path import Path, path
from sibt.language import Sentence, said
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market
from sibt.strategy import rules, wishes
from sibt.strategy.strategy import Comparison, Params, hedge_benchmarks

__all__ = [
    "PROGRAMS",
    "RATIOS",
    "comparisons",
    "dominant_closes",
    "in_time",
    "layered",
    "legs",
    "lots",
    "ratios",
    "refuses",
    "remarks",
    "selective",
    "stack",
    "standing",
    "strip",
    "units",
]

FloatArray = NDArray[np.float64]

PROGRAMS = ("timed", "always", "constant", "never", "stack", "strip", "layered")

#: Where a ratio may come from: 1:1, or estimated on the past; see `sibt.hedging.ratios`. The
#: models of the garch extra and the Kalman filter are for comparison, not for a program.
RATIOS = METHODS[:6]


# -- How much ---------------------------------------------------------------------------------


def lots(tonnes: Any, ratio: Any, size: float) -> FloatArray:
    """Return the lots that hedge goods by a ratio, never more than there are goods.

    ``ratio × tonnes ÷ size`` rounded to whole lots, and at most tonnes ÷ size rounded: a ratio
    above one hedges all, one below zero nothing. Where the ratio is not known (NaN) nothing is
    decided: the lots before stand, as far as there are goods; zero at first.

    Parameters
    ----------
    tonnes : array of shape (T,) or (T, N)
        Goods after each session: + owned, − needed.
    ratio : number, or array of shape (T,) or (T, N)
        Tonnes of futures for a tonne of goods.
    size : float
        Tonnes of a lot.

    Returns
    -------
    ndarray of shape (T,) or (T, N)
        Whole lots wished after each session: − sold against goods owned, + bought for needs.
    """
    goods = np.asarray(tonnes, dtype=float)
    wanted = _nearest(wishes.times(goods, ratio) / size)
    if np.isnan(wanted).any():
        wanted = pd.DataFrame(wanted).ffill().fillna(0.0).to_numpy().reshape(wanted.shape)
    whole = _nearest(goods / size)
    whole = whole[:, None] if whole.ndim < wanted.ndim else whole
    hedged: FloatArray = np.clip(wanted, np.minimum(whole, 0.0), np.maximum(whole, 0.0))
    return 0.0 - hedged


def _nearest(lots: FloatArray) -> FloatArray:
    """Return whole lots, halves to the even one; the noise of sums decides no half."""
    whole: FloatArray = np.rint(np.round(lots, 6))
    return whole


@lru_cache(maxsize=8)
def ratios(market: Market, code: str, grade: str, method: str) -> Path:
    """Return the ratio of a grade against a contract's kind, estimated as time goes by.

    Estimated on the closes of the dominant contract of the same product and delivery standard,
    within one contract each, anew every month: a contract alone is too young for a ratio when
    hedges begin.

    Parameters
    ----------
    market : Market
        Spot and futures.
    code : str
        The contract hedged with.
    grade : str
        Spot grade of the goods.
    method : str
        One of `RATIOS`.

    Returns
    -------
    Path
        Nothing in it up to t depends on later sessions.

    Raises
    ------
    DataError
        The market has no quotes of the grade.
    """
    life = contract(code)
    futures, codes = dominant_closes(market, life.product.name, life.standard)
    return path(quotes(market, grade), futures, method, contracts=codes)


def dominant_closes(
    market: Market, product: str, standard: str
) -> tuple[pd.Series[float], pd.Series[Any]]:
    """Return the closes of a standard's dominant contracts, yuan per tonne, and their codes.

    Each close is that of the contract that leads after its session; NaN and None where none does.
    """
    codes = market.dominant(product, standard=standard)
    closes = market.price("close")
    futures = pd.Series(np.nan, index=market.sessions)
    for name in codes.dropna().unique():
        own = np.asarray(codes == name)
        futures[own] = closes[own, market.column(name)]
    return futures, codes


# -- When -------------------------------------------------------------------------------------


def selective(signal: Any, enter: Any, leave: Any = None) -> FloatArray:
    """Return 1 while a signal is high, else 0: a spread, its rank, or its share of full carry.

    Parameters
    ----------
    signal : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        The signal; NaN decides nothing.
    enter, leave : float or N of them
        Hedged from signal ≥ enter until signal ≤ leave; None or NaN never leaves.
    """
    return 0.0 - np.asarray(rules.hold(signal, enter, leave, side="above"), dtype=float)


def layered(signal: Any, start: Any, step: Any, tranches: Any, leave: Any = None) -> FloatArray:
    """Return the share hedged by a signal that adds a tranche at each step it climbs.

    Parameters
    ----------
    signal : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        The signal; NaN decides nothing.
    start, step : float or N of them
        Where the first tranche is added, and how much higher each further one.
    tranches : int or N of them
        How many there are: each is 1 / tranches of the goods.
    leave : float or N of them
        Where all are given up; None or NaN never.
    """
    rungs = rules.ladder(signal, start, step, tranches, exit=leave, side="above")
    share: FloatArray = 0.0 - np.asarray(rungs, dtype=float) / np.asarray(tranches, dtype=float)
    return share


def in_time(
    sessions: pd.DatetimeIndex, day: pd.Timestamp | str, tranches: Any, every: Any
) -> FloatArray:
    """Return the share hedged in tranches as time goes by, the first one at once.

    Parameters
    ----------
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market.
    day : timestamp or str
        The day the idea became known; see `sibt.strategy.wishes.first_decision`.
    tranches, every : int or N of them
        How many there are, and the sessions between them.
    """
    known = calendar.sessions()
    passed = known.searchsorted(sessions) - known.searchsorted(wishes.first_decision(day))
    steps = np.floor(np.divide.outer(passed, every)) + 1.0
    if np.ndim(tranches) > np.ndim(every):
        steps = steps[:, None]
    share: FloatArray = np.clip(steps / np.asarray(tranches, dtype=float), 0.0, 1.0)
    return share


# -- In which contracts -----------------------------------------------------------------------


def stack(market: Market, code: str) -> pd.Series[Any]:
    """Return the contracts of a stack: the dominant ones of a contract's delivery standard.

    All goods are hedged in the contract everybody trades, and rolled when the lead passes on.

    Parameters
    ----------
    market : Market
        Its open interest says which leads.
    code : str
        A contract of the product and standard.

    Returns
    -------
    pd.Series of shape (T,)
        Codes decided after each session; None where none leads.
    """
    life = contract(code)
    return market.dominant(life.product.name, standard=life.standard)


def strip(
    tonnes: Any,
    moves: pd.Series[float],
    sessions: pd.DatetimeIndex,
    codes: Sequence[str],
    kind: str,
    at_expiry: str = "close",
) -> pd.DataFrame:
    """Return goods by the contract that is to hedge them: each month's sales in their own.

    Goods are sold in turn, the next sale first. A sale belongs to the first contract that may
    still be held after it (with ``at_expiry="deliver"``: on its day); what is sold later than
    any of them, or never, to the last one. A contract hedges nothing before it is listed and
    from the session it has to be left in; its goods are open then.

    Parameters
    ----------
    tonnes : array of shape (T,)
        Goods after each session: + owned, − needed, not one and then the other.
    moves : pd.Series
        Tonnes that come (+) and go (−) by session, to the end of the schedule, beyond the
        market's too.
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market.
    codes : sequence of str, length K
        Contracts in the order of delivery.
    kind, at_expiry : str
        Of the account, and of its execution.

    Returns
    -------
    pd.DataFrame of shape (T, K)
        Tonnes, signed as `tonnes`.

    Raises
    ------
    StrategyError
        Goods owned turn into needs or needs into goods, or there are rows of parameters.
    """
    goods = np.asarray(tonnes, dtype=float)
    if goods.ndim != 1:
        raise StrategyError(
            "A strip is wished leg by leg, which a sweep does not book; run the set by itself with"
            " sibt run."
        )
    side = -1.0 if goods.min(initial=0.0) < 0 else 1.0
    if (side * goods < 0).any():
        day = sessions[np.flatnonzero(side * goods < 0)[0]]
        raise StrategyError(
            f"A strip hedges either goods or needs, and there are both: {side * goods.min():g} t"
            f" needed, but {goods.max():g} t owned on {day:%Y-%m-%d}; write a schedule for each."
        )
    gone = (-side * moves).clip(lower=0.0).groupby(level=0).sum().cumsum()
    total = np.append(0.0, gone.to_numpy())
    so_far = total[gone.index.searchsorted(sessions, side="right")]
    whole = side * goods
    until = np.zeros((len(sessions), len(codes)))
    for number, code in enumerate(codes):
        leave = contract(code).exit_session(kind)
        if number == len(codes) - 1 or leave is None:
            until[:, number] = whole
            continue
        at = gone.index.searchsorted(leave, side="right" if at_expiry == "deliver" else "left")
        sold = total[int(at)]
        until[:, number] = np.minimum(whole, np.maximum(sold - so_far, 0.0))
    own = np.diff(until, axis=1, prepend=0.0)
    for number, code in enumerate(codes):
        own[:, number] *= standing(code, sessions, kind, at_expiry)
        listed = contract(code).listed
        if listed is not None:
            own[:, number] *= np.asarray(sessions >= listed)
    return pd.DataFrame(side * own, index=sessions, columns=list(codes))


def standing(
    codes: str | pd.Series[Any], sessions: pd.DatetimeIndex, kind: str, at_expiry: str = "close"
) -> NDArray[np.bool_]:
    """Tell in which sessions a wish for a contract may stand, shape (T,).

    To be out in time it ends on the eve of the session the account must be out in; to deliver it
    stands until the last trading day. No contract holds nothing.

    Parameters
    ----------
    codes : str, or pd.Series of shape (T,)
        The contract, or that of each session.
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions of the market.
    kind, at_expiry : str
        Of the account, and of its execution.
    """
    named = codes if isinstance(codes, pd.Series) else pd.Series(codes, index=sessions)
    may = np.asarray(named.notna()).copy()
    for code in named.dropna().unique():
        leave = contract(code).exit_session(kind)
        if leave is None:
            continue
        # By the calendar, not by the market's end, which a cut market has earlier.
        eve = leave if at_expiry == "deliver" else calendar.before(leave)
        may &= ~np.asarray((named == code) & (sessions >= (leave if eve is None else eve)))
    return may


# -- A strategy's wishes ----------------------------------------------------------------------
#
# For strategies with the parameters program, ratio, ratio_from, tranches, step, every and asof.


def refuses(p: Params, *sizes: Any) -> dict[str, Any]:
    """Return what of the parameters cannot be booked: a strip of many sets.

    Parameters
    ----------
    p : Params
        The parameters.
    *sizes : number or N of them
        The strategy's own parameters that decide how many tonnes there are.
    """
    row = any(np.ndim(size) > 0 for size in (p.ratio, *sizes))
    return {
        "a strip is wished leg by leg, which a sweep does not book": p.program == "strip" and row
    }


def legs(market: Market, p: Params, code: str) -> dict[str, Any]:
    """Return the legs of a program: one contract, a stack, or the contracts of a strip.

    A strip is made of the contracts of one delivery standard that live when the idea is known,
    up to `code`.
    """
    if p.program == "stack":
        return {"stack": (stack(market, code), 1)}
    if p.program == "strip":
        return dict.fromkeys(_line(market, p, code), 1)
    return {code: 1}


def units(
    market: Market,
    p: Params,
    code: str,
    goods: Any,
    grade: str,
    *,
    signal: Callable[[Market, Params], tuple[Any, Any, Any]],
    moves: Callable[[], pd.Series[float]],
) -> Any:
    """Return the lots a program wishes for, in the contracts of `legs`.

    Lots of goods × the program's share × ``ratio`` × the ratio of ``ratio_from``. The run's own
    goods (``p.goods``) bring their grade and what moves.

    Parameters
    ----------
    market : Market
        The panel.
    p : Params
        The parameters.
    code : str
        The contract, or the last one of a strip.
    goods : Exposure, or array of shape (T,) or (T, N)
        Goods after each session, tonnes.
    grade : str
        Their spot grade.
    signal : callable
        Gives what a timed or layered program reads, where it is high and where it is normal
        again; asked only if the program reads it.
    moves : callable
        Gives what comes and goes, for a strip; see `strip`.

    Returns
    -------
    pd.Series of shape (T,), ndarray of shape (T, N), or for a strip pd.DataFrame of shape (T, K)
        Whole lots wished after each session.

    Raises
    ------
    StrategyError
        A strip of many sets or of goods and needs, or needs timed by what is read for sales.
    DataError
        An estimated ratio for a grade without quotes.
    """
    sessions, size = market.sessions, contract(code).product.multiplier
    tonnes = _tonnes(goods)
    ratio: FloatArray = np.ones(len(sessions))
    if p.ratio_from != "naive":
        found = ratios(market, code, _grade(p, grade), p.ratio_from)
        ratio = np.asarray(found.ratios, dtype=np.float64)
    share = _share(market, p, tonnes, signal)
    hedged = wishes.times(share, wishes.scale(ratio, p.ratio))
    known = np.asarray(sessions >= wishes.first_decision(p.asof))
    if p.program == "strip":
        flows = moves() if p.goods is None else p.goods.moves(market, p.asof)
        own = strip(tonnes, flows, sessions, _line(market, p, code), p.kind, p.at_expiry)
        # Rounded as they add up, so that whole lots of all contracts are those of all goods.
        sums = lots(own.cumsum(axis=1), wishes.times(known, hedged), size)
        table: pd.DataFrame = own * 0.0 + np.diff(sums, axis=1, prepend=0.0)
        return table
    codes = stack(market, code) if p.program == "stack" else code
    may = known & standing(codes, sessions, p.kind, p.at_expiry)
    return wishes.by_session(wishes.times(may, lots(tonnes, hedged, size)) + 0.0, sessions)


def remarks(market: Market, p: Params, code: str, goods: Any, grade: str) -> list[Sentence]:
    """Say where an estimated ratio was unknown, or more or less than can be hedged.

    Parameters
    ----------
    market, p, code, goods, grade
        As in `units`, of one set.
    """
    if p.ratio_from == "naive" or p.program == "never":
        return []
    found = ratios(market, code, _grade(p, grade), p.ratio_from)
    sessions = market.sessions
    counts = (_tonnes(goods) != 0) & np.asarray(sessions >= wishes.first_decision(p.asof))
    own = found.ratios[counts]
    told = {"method": p.ratio_from, "all": len(own)}
    notes = []
    if count := int(own.isna().sum()):
        why = ", ".join(sorted(found.reasons))
        notes.append(
            said(
                "no {method} ratio was known after {count} of {all} sessions with goods ({why}),"
                " and nothing was decided there",
                **told, count=count, why=why,
            )
        )
    if count := int((p.ratio * own > 1).sum()):
        notes.append(
            said(
                "the {method} ratio was above 1 after {count} of {all} sessions with goods: all was"
                " hedged, and no more",
                **told, count=count,
            )
        )
    if count := int((own < 0).sum()):
        notes.append(
            said(
                "the {method} ratio was below 0 after {count} of {all} sessions with goods: nothing"
                " was hedged",
                **told, count=count,
            )
        )
    return notes


def comparisons(p: Params) -> list[Comparison]:
    """Return what a program is to be held against; see `hedge_benchmarks`.

    A stack is held against the strip, and a strip against the stack.
    """
    if p.program in ("timed", "layered"):
        return hedge_benchmarks(p.average_ratio, ratio_from="naive")
    if p.program in ("stack", "strip"):
        other = "strip" if p.program == "stack" else "stack"
        return [
            Comparison("never hedged", "benchmark", {"program": "never"}),
            Comparison(other, "benchmark", {"program": other}),
        ]
    return []


def _tonnes(goods: Any) -> FloatArray:
    tonnes: FloatArray = np.asarray(
        goods.owned if isinstance(goods, Exposure) else goods, dtype=np.float64
    )
    return tonnes


def _grade(p: Params, grade: str) -> str:
    return grade if p.goods is None else str(p.goods.grade)


def _share(
    market: Market,
    p: Params,
    tonnes: FloatArray,
    signal: Callable[[Market, Params], tuple[Any, Any, Any]],
) -> Any:
    """Return the share of the goods a program hedges: a number, shape (T,) or (T, N)."""
    if p.program not in ("timed", "layered"):
        return 0.0 if p.program == "never" else 1.0
    reads = p.program == "timed" or not np.isnan(p.step).all()
    if reads and (tonnes < 0).any():
        raise StrategyError(
            f"program={p.program} reads when to sell, and {tonnes.min():,.6g} t are needed; write"
            " program=always, constant, stack, strip, or layered with step=none."
        )
    if p.program == "timed":
        return selective(*signal(market, p))
    by_time = in_time(market.sessions, p.asof, p.tranches, p.every)
    if not reads:
        return by_time
    reading, start, leave = signal(market, p)
    by_step = layered(reading, start, p.step, p.tranches, leave)
    by_time = by_time[:, None] if by_time.ndim < by_step.ndim else by_time
    return np.where(np.isnan(p.step), by_time, by_step)


def _line(market: Market, p: Params, code: str) -> list[str]:
    """Return the contracts of a strip."""
    market.column(code)  # refused by name where the market has no bars of it
    last = contract(code)
    found = []
    for name in market.contracts:
        life = contract(name)
        alike = life.product is last.product and life.standard == last.standard
        leave = life.exit_session(p.kind)
        lives = leave is None or leave > wishes.first_decision(p.asof)
        if alike and lives and life.month <= last.month:
            found.append(name)
    return found
