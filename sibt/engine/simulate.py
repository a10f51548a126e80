"""From wishes to a booked result: check what was asked, lay it out, and run the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.ledger import STATEMENT, Rules, keep
from sibt.engine.money import FEE_SCALE, MARGIN_SCALE, scaled, to_fen
from sibt.engine.prices import Prices, lay_out
from sibt.engine.result import Result
from sibt.engine.terms import Terms, terms_in_force
from sibt.errors import DataError, SettingError, StrategyError
from sibt.market.contract import Contract, contract
from sibt.market.panel import Market

__all__ = ["Job", "prepare", "simulate"]

IntArray = NDArray[np.int64]
Legs = Mapping[str, int | tuple[Any, int]]

_LARGEST = 9e18
_MOST_UNITS = 1e9


@dataclass(frozen=True, eq=False)
class Job:
    """Everything the ledger needs but the wishes: shared by all columns of a sweep.

    Attributes
    ----------
    market, account, execution : Market, Account, Execution
        What was asked.
    legs : tuple of str, length L
        Names of the legs.
    ratio : int64 ndarray of shape (L,)
        Signed lots of each leg in a unit.
    contracts : tuple of str, length K
        Contracts the legs use, in the order of the panel.
    codes : int64 ndarray of shape (T, L)
        Column in `contracts` decided after each session, -1 for none.
    terms : Terms
        Terms in force.
    prices : Prices
        What each session can take.
    """

    market: Market
    account: Account
    execution: Execution
    legs: tuple[str, ...]
    ratio: IntArray
    contracts: tuple[str, ...]
    codes: IntArray
    terms: Terms
    prices: Prices
    replaced: Mapping[str, Any]
    lives: tuple[Contract, ...] = field(repr=False)

    def book(
        self, want: IntArray, limits: IntArray | None = None, *, record: bool = True
    ) -> dict[str, Any]:
        """Run the ledger on one column of wishes.

        Parameters
        ----------
        want : int64 ndarray of shape (T,)
            Wished units after each session, missing ones carried on.
        limits : int64 ndarray of shape (T,), optional
            Resting prices in fen, 0 for none.
        record : bool
            Keep fills, shortfalls and positions beside the statement.

        Returns
        -------
        dict
            ``statement`` (T, 7) in fen, ``positions`` (T, L, K), ``fills``, ``shorts`` and
            the session of the bust or -1.
        """
        sessions = self.market.sessions
        t, legs, k = len(sessions), len(self.legs), len(self.contracts)
        limit = np.zeros(t, dtype=np.int64) if limits is None else limits
        statement = np.zeros((t, len(STATEMENT)), dtype=np.int64)
        positions = np.zeros((t, legs, k) if record else (1, legs, k), dtype=np.int64)
        room = 4 * t * legs if record else 0
        capital = to_fen(np.array([self.account.capital]))[0]
        while True:
            fills = np.zeros((room, 8), dtype=np.int64)
            shorts = np.zeros((room, 6), dtype=np.int64)
            n_fills, n_shorts, bust = keep(
                want, limit, capital, self.rules, record, statement, positions, fills, shorts
            )
            if not record or max(n_fills, n_shorts) <= room:
                break
            room = max(n_fills, n_shorts)
            statement[:] = 0
            positions[:] = 0
        return {
            "statement": statement,
            "positions": positions,
            "fills": fills[:n_fills],
            "shorts": shorts[:n_shorts],
            "bust": bust,
        }

    @cached_property
    def rules(self) -> Rules:
        """What the ledger's kernel needs to know for the whole run."""
        t, p = self.terms, self.prices
        tape = np.stack(
            [
                p.buy,
                p.sell,
                p.buy_shut,
                p.sell_shut,
                p.cap,
                p.open,
                p.low,
                p.high,
                p.settle,
                t.margin,
                t.fee_open,
                t.fee_close,
                t.fee_close_today,
                t.lot_open,
                t.lot_close,
                t.lot_close_today,
            ],
            axis=-1,
            dtype=np.int64,
        )
        return Rules(
            codes=self.codes,
            tape=tape,
            life=self._life(),
            ratio=self.ratio,
            paired=self.execution.pairing == "paired",
            relief=self.account.spread_relief,
            deposit=self.account.on_call == "deposit",
            shared=self._shares_contracts(),
        )

    def _shares_contracts(self) -> bool:
        used = [set(np.unique(column[column >= 0])) for column in self.codes.T]
        return sum(map(len, used)) > len(set().union(*used))

    def _life(self) -> IntArray:
        """Return sessions of listing, last trading and exit, product and size, (K, 5)."""
        sessions = self.market.sessions
        never = len(sessions) + 1

        def place(day: pd.Timestamp | None, unknown: int) -> int:
            if day is None or day > sessions[-1]:
                return unknown if day is None else never
            return int(sessions.searchsorted(day)) if day >= sessions[0] else -1

        kind = self.account.kind
        names = sorted({life.product.name for life in self.lives})
        return np.array(
            [
                (
                    place(life.listed or life.product.first_session, 0),
                    place(life.last_trading, never),
                    place(life.exit_session(kind), never),
                    names.index(life.product.name),
                    life.product.multiplier,
                )
                for life in self.lives
            ],
            dtype=np.int64,
        )


def simulate(
    market: Market,
    units: "pd.Series[Any]",
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
    units : pd.Series
        Whole units wished after each session's close, by session; missing or NaN keeps the
        last wish. Orders work in the next session.
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
    want = _wishes(market, units)
    resting = _limits(market, limits, job)
    _check_size(job, want)
    _check_known_from(market, want, known_from)
    _check_settlements(job, want)
    _check_standard(job, want)
    booked = job.book(want, resting)
    return Result.assemble(job, want, resting, booked, known_from=known_from)


def prepare(
    market: Market,
    legs: Legs,
    *,
    account: Account,
    execution: Execution,
    terms: Mapping[str, Any] | None = None,
) -> Job:
    """Lay out what does not depend on the wishes; see `simulate` for the parameters."""
    if not legs:
        raise StrategyError("A strategy needs at least one leg; write {'si2411': 1}.")
    names, ratios, series = [], [], []
    for name, leg in legs.items():
        codes, ratio = leg if isinstance(leg, tuple) else (name, leg)
        if not isinstance(ratio, int | np.integer) or ratio == 0:
            raise StrategyError(
                f"Leg '{name}' has ratio {ratio!r}; write whole lots of one unit, not zero."
            )
        names.append(str(name))
        ratios.append(int(ratio))
        series.append(codes)
    by_session = [_codes(market, name, codes) for name, codes in zip(names, series, strict=True)]
    used = {code for column in by_session for code in column if code is not None}
    contracts = tuple(code for code in market.contracts if code in used)
    if not contracts:
        raise StrategyError("No leg names a contract in any session.")
    place = {code: number for number, code in enumerate(contracts)}
    table = np.array(
        [[-1 if code is None else place[code] for code in column] for column in by_session],
        dtype=np.int64,
    ).T
    lives = tuple(contract(code) for code in contracts)
    in_force = terms_in_force(contracts, market.sessions, account, terms)
    columns = [market.column(code) for code in contracts]
    prices = lay_out(market, list(lives), columns, in_force, execution)
    floor = scaled(prices.margin_floor, 1, MARGIN_SCALE, add=account.broker_margin)
    floor[prices.margin_floor == 0] = 0
    in_force = replace(in_force, margin=np.maximum(in_force.margin, floor))
    return Job(
        market=market,
        account=account,
        execution=execution,
        legs=tuple(names),
        ratio=np.array(ratios, dtype=np.int64),
        contracts=contracts,
        codes=np.ascontiguousarray(table),
        terms=in_force,
        prices=prices,
        replaced=dict(terms or {}),
        lives=lives,
    )


def _codes(market: Market, name: str, codes: Any) -> list[str | None]:
    """Return a leg's contract decided after each session, missing ones carried on."""
    if isinstance(codes, str):
        market.column(codes)
        return [codes] * len(market.sessions)
    if not isinstance(codes, pd.Series):
        raise StrategyError(
            f"Leg '{name}' is {type(codes).__name__}; write a contract code, or a Series of"
            " codes by session with a ratio."
        )
    _check_index(market, codes, f"contracts of leg '{name}'")
    carried: list[str | None] = []
    last: str | None = None
    for code in codes.reindex(market.sessions).tolist():
        if isinstance(code, str):
            market.column(code)
            last = code
        elif not pd.isna(code):
            raise StrategyError(f"Leg '{name}' names {code!r}, which is no contract code.")
        carried.append(last)
    return carried


def _check_index(market: Market, series: "pd.Series[Any]", what: str) -> None:
    if not isinstance(series.index, pd.DatetimeIndex):
        raise StrategyError(f"The {what} are not indexed by day; use market.sessions.")
    index = series.index
    if index.has_duplicates:
        day = index[index.duplicated()][0]
        raise StrategyError(f"The {what} name {day:%Y-%m-%d} twice; give one value a session.")
    strange = index.difference(market.sessions)
    if len(strange):
        raise StrategyError(
            f"The {what} name {strange[0]:%Y-%m-%d}, which is no session of the market"
            f" ({market.sessions[0]:%Y-%m-%d}..{market.sessions[-1]:%Y-%m-%d}); use"
            " market.sessions."
        )


def _wishes(market: Market, units: Any) -> IntArray:
    """Return wished units by session as integers, missing ones carried on."""
    if not isinstance(units, pd.Series):
        raise StrategyError(
            f"`units` is {type(units).__name__}; give a Series of whole numbers by session."
        )
    _check_index(market, units, "units")
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
    _check_index(market, limits, "limits")
    try:
        stated = limits.reindex(market.sessions).astype(float)
    except (TypeError, ValueError):
        raise StrategyError("`limits` holds something that is no price.") from None
    if (stated <= 0).any():
        day = stated[stated <= 0].index[0]
        raise StrategyError(f"The limit on {day:%Y-%m-%d} is not above zero; use NaN for none.")
    tick = job.terms.tick.max(axis=1)
    off = stated[stated.notna() & (np.abs(stated / tick - np.rint(stated / tick)) > 1e-9)]
    if len(off):
        raise StrategyError(
            f"The limit {off.iloc[0]:g} on {off.index[0]:%Y-%m-%d} is off the tick; round it to"
            f" {tick[0]:g} yuan."
        )
    return to_fen(np.asarray(stated, dtype=np.float64))


def _check_size(job: Job, want: IntArray) -> None:
    """Refuse wishes so large that whole fen would not fit the ledger's integers."""
    lots = float(np.abs(want).max(initial=0) * np.abs(job.ratio).max())
    price = float(max(job.prices.raw.max(initial=0), job.prices.settle.max(initial=0)))
    rate = max(
        float(job.terms.margin.max(initial=0)),
        *(float(f.max(initial=0)) for f in (job.terms.fee_open, job.terms.fee_close,
                                            job.terms.fee_close_today)),
    )
    per_lot = float(job.terms.lot_open.max(initial=0))
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
    columns = [market.column(code) for code in job.contracts]
    bar = market.traded()[:, columns]
    bare = bar & np.isnan(market.settle[:, columns])
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


def _check_standard(job: Job, want: IntArray) -> None:
    """Refuse to roll lots from one delivery standard into another."""
    if job.execution.cross_standard:
        return
    standards = np.array([f"{c.product.name} {c.standard}" for c in job.lives])
    for leg, name in enumerate(job.legs):
        codes = job.codes[:, leg]
        for t in range(1, len(codes)):
            a, b = codes[t - 1], codes[t]
            if a != b and a >= 0 and want[t] and want[t - 1] and standards[a] != standards[b]:
                raise StrategyError(
                    f"Leg '{name}' would roll from {job.contracts[a]} into {job.contracts[b]}"
                    f" after {job.market.sessions[t]:%Y-%m-%d}: two delivery standards, two"
                    " goods; be flat there, or allow it with cross_standard=True"
                    " (--cross-standard)."
                )
