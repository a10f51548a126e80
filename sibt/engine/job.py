"""What a run needs but its wishes: legs, terms and prices, laid out once.

A sweep shares one job among all its columns.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine import attribution
from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.ledger import STATEMENT, Rules, keep
from sibt.engine.money import MARGIN_SCALE, scaled, to_fen
from sibt.engine.prices import Prices, lay_out
from sibt.engine.terms import Terms, terms_in_force
from sibt.errors import SettingError, StrategyError
from sibt.market.contract import Contract, contract
from sibt.market.panel import Market

__all__ = ["Job", "Legs", "check_index", "prepare"]

IntArray = NDArray[np.int64]
Legs = Mapping[str, int | tuple[Any, int]]


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
        self,
        want: IntArray,
        limits: IntArray | None = None,
        *,
        wants: IntArray | None = None,
        record: bool = True,
    ) -> dict[str, Any]:
        """Run the ledger on one column of wishes.

        Parameters
        ----------
        want : int64 ndarray of shape (T,)
            Wished units after each session, missing ones carried on.
        limits : int64 ndarray of shape (T,), optional
            Resting prices in fen, 0 for none.
        wants : int64 ndarray of shape (T, L), optional
            Lots wished leg by leg; see `sibt.engine.ledger.keep`.
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
        by_leg = np.zeros((0, legs), dtype=np.int64) if wants is None else wants
        statement = np.zeros((t, len(STATEMENT)), dtype=np.int64)
        positions = np.zeros((t, legs, k) if record else (1, legs, k), dtype=np.int64)
        room = 4 * t * legs if record else 0
        capital = to_fen(np.array([self.account.capital]))[0]
        while True:
            fills = np.zeros((room, 8), dtype=np.int64)
            shorts = np.zeros((room, 6), dtype=np.int64)
            n_fills, n_shorts, bust = keep(
                want, by_leg, limit, capital, self.rules, record, statement, positions, fills,
                shorts,
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
        plain = self._is_plain()
        own = self.codes[0] if plain else np.zeros(0, dtype=np.int64)
        value = (p.settle * t.multiplier)[:, own] * self.ratio[: len(own)]
        return Rules(
            codes=self.codes,
            tape=tape,
            life=self._life(),
            ratio=self.ratio,
            paired=self.execution.pairing == "paired",
            relief=self.account.spread_relief,
            deposit=self.account.on_call == "deposit",
            shared=self._shares_contracts(),
            deliver=self._deliver(),
            plain=plain,
            worth=value.sum(axis=1),
            tie=np.ascontiguousarray(np.abs(value) * t.margin[:, own]),
        )

    def _deliver(self) -> int:
        """Return the units of a group in a delivery unit; 0 where nothing is delivered."""
        if self.execution.at_expiry == "close":
            return 0
        lots = 1 if self.execution.pairing == "legged" else abs(int(self.ratio[0]))
        return self.execution.delivery_unit // math.gcd(self.execution.delivery_unit, lots)

    def _is_plain(self) -> bool:
        """Tell whether the legs are paired and keep one contract each, without relief."""
        fixed = bool((self.codes == self.codes[:1]).all() and (self.codes >= 0).all())
        apart = len(self.contracts) == len(self.legs) and not self._shares_contracts()
        paired = self.execution.pairing == "paired"
        return fixed and apart and paired and not self.account.spread_relief

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


def prepare(
    market: Market,
    legs: Legs,
    *,
    account: Account,
    execution: Execution,
    terms: Mapping[str, Any] | None = None,
) -> Job:
    """Lay out what does not depend on the wishes; see `simulate` for the parameters."""
    if not isinstance(legs, Mapping):
        raise StrategyError(
            f"`legs` is {type(legs).__name__}; write contract to ratio, {{'si2411': 1}}."
        )
    if not legs:
        raise StrategyError("A strategy needs at least one leg; write {'si2411': 1}.")
    names, ratios, series = [], [], []
    for name, leg in legs.items():
        codes, ratio = leg if isinstance(leg, tuple) else (name, leg)
        if not isinstance(ratio, int | np.integer) or ratio == 0:
            raise StrategyError(
                f"Leg '{name}' has ratio {ratio!r}; write whole lots of one unit, not zero."
            )
        if name in attribution.FIGURES:
            raise StrategyError(
                f"Leg '{name}' is called like a figure of the result; give it another name."
            )
        names.append(str(name))
        ratios.append(int(ratio))
        series.append(codes)
    _check_delivery(account, execution, len(legs))
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
    in_force = terms_in_force(
        contracts, market.sessions, account, terms, observed=market.terms
    )
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


def _check_delivery(account: Account, execution: Execution, legs: int) -> None:
    """Refuse to deliver for who may not, and single legs of units that belong together."""
    if execution.at_expiry == "close":
        return
    if account.kind == "individual":
        raise SettingError(
            "`at_expiry` is 'deliver', but a natural person may not deliver; set kind to company"
            " or hedger, or at_expiry to close."
        )
    if execution.pairing == "paired" and legs > 1:
        raise SettingError(
            f"`at_expiry` is 'deliver' with {legs} paired legs, whose units cannot be torn apart;"
            " set pairing to legged, or at_expiry to close."
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
    check_index(market, codes, f"contracts of leg '{name}'")
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


def check_index(market: Market, series: "pd.Series[Any]", what: str) -> None:
    """Refuse a series that is not indexed by sessions of the market, one value each.

    Raises
    ------
    StrategyError
        No days, a day twice, or a day that is no session.
    """
    if series.empty:
        return
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
