"""One block of parameter sets through the ledger: sets in, figures and daily returns out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.job import Job, prepare
from sibt.engine.ledger import FIGURES, keep_many
from sibt.engine.metrics import SESSIONS_A_YEAR
from sibt.engine.money import to_fen
from sibt.engine.result import FEW_TRIPS, Result
from sibt.engine.simulate import check_wishes, limits_of
from sibt.errors import SettingError, SibtError, StrategyError
from sibt.hedging.hedge import size_account
from sibt.hedging.physical import physical_book
from sibt.market.panel import Market
from sibt.runs.run import book, sized, wishes_of
from sibt.strategy.loader import blame
from sibt.strategy.strategy import Params, Strategy
from sibt.sweep.grid import Block, Grid

__all__ = ["MONEY", "Chunk", "Task"]

FloatArray = NDArray[np.float64]
UnitArray = NDArray[np.int32]

#: Figures the ledger gives in fen and the table in yuan.
MONEY = ("net", "fees", "worst_day", "worst_equity", "max_drawdown_yuan", "peak_margin",
         "largest_call", "deposits")  # fmt: skip

_RISKS = ("max_drawdown", "max_drawdown_yuan", "worst_day", "worst_equity", "peak_margin",
          "largest_call", "deposits", "fees")  # fmt: skip
_MOMENTS = ("mean", "deviation", "skewness", "kurtosis")

_COUNTS = ("margin_calls", "round_trips", "open_trips", "won", "unfilled_orders")


@dataclass(frozen=True, eq=False)
class Chunk:
    """What a block of sets came to.

    Attributes
    ----------
    number : int
        The block's.
    table : pd.DataFrame
        One row a set, in order: ``set``, the swept parameters, figures, ``reason`` (empty, or
        why the set was refused and has no figures).
    sets : int64 ndarray of shape (M,)
        Sets that were booked.
    daily : float64 ndarray of shape (M, T')
        Their daily returns from the sweep's first session on.
    """

    number: int
    table: pd.DataFrame
    sets: NDArray[np.int64]
    daily: FloatArray


@dataclass(frozen=True, eq=False)
class Task:
    """What all sets of a sweep share.

    Attributes
    ----------
    strategy, path : Strategy, Path
        The strategy and its file.
    market : Market
        Cut at the last session of the sweep.
    account, execution, terms : Account, Execution, mapping
        As in a run.
    sized : bool
        Size the account of a hedge from the hedge, set by set.
    start : pd.Timestamp or None
        First session that may fill.
    names : tuple of str
        Swept parameters, in the order of the table.
    """

    strategy: Strategy
    path: Path
    market: Market
    account: Account
    execution: Execution
    terms: Mapping[str, Any]
    sized: bool
    start: pd.Timestamp | None
    names: tuple[str, ...]
    jobs: dict[tuple[Any, ...], Job] = field(default_factory=dict, repr=False)

    #: What a reader must know of how sets were booked; said wherever figures are shown.
    note: ClassVar[str] = ""

    def check(self, metric: str | None, sets: Grid) -> None:
        """Refuse a metric no set will have.

        Raises
        ------
        SettingError
            ``hedged`` for a strategy without goods.
        """
        if metric != "hedged":
            return
        rows = sets.values(np.zeros(1, dtype=np.int64))
        values = {**sets.fixed, **{name: column[0] for name, column in rows.items()}}
        if self._ask(self.strategy.exposure, self.market, self._params(values, {})) is None:
            raise SettingError(
                f"--metric is 'hedged', and {type(self.strategy).__name__} owns no goods to hedge;"
                " write net."
            )

    def known_from(self, fixed: Mapping[str, Any]) -> str | None:
        """Return the day from which a structure may trade, `start` included."""
        day: str | None = self._ask(self.strategy.known_from, self._params(fixed, {}))
        if self.start is None:
            return day
        at = int(self.market.sessions.searchsorted(self.start))
        eve = self.market.sessions[max(at - 1, 0)]
        return f"{eve:%Y-%m-%d}" if day is None or pd.Timestamp(day) < eve else day

    def book(self, block: Block, first: int | None) -> Chunk:
        """Book a block of sets.

        Parameters
        ----------
        block : Block
            The sets.
        first : int or None
            Session from which daily returns are kept; None keeps none.
        """
        count, sessions = len(block.sets), len(self.market.sessions)
        reasons = np.full(count, "", dtype=object)
        figures = np.full((count, len(FIGURES)), np.nan)
        daily = np.zeros((count, 0 if first is None else sessions))
        goods = np.full(count, np.nan)
        self._refuse(block, reasons)
        left = np.flatnonzero(reasons == "")
        if len(left):
            self._try(block, left, figures, daily, goods, reasons)
        table = self._table(block, figures, goods, reasons)
        good = reasons == ""
        if good.all():
            return Chunk(block.number, table, block.sets, daily[:, first:])
        return Chunk(block.number, table, block.sets[good], daily[good, first:])

    # -- Wishes -------------------------------------------------------------------------------

    def _context(self) -> dict[str, Any]:
        return {
            "capital": self.account.capital,
            "kind": self.account.kind,
            "cross_standard": self.execution.cross_standard,
            "average_ratio": 0.0,
        }

    def _params(self, fixed: Mapping[str, Any], rows: Mapping[str, Any]) -> Params:
        return Params({**fixed, **rows}, self._context())

    def _ask(self, method: Any, *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except SibtError:
            raise
        except Exception as error:
            raise blame(self.path, error) from error

    def _refuse(self, block: Block, reasons: NDArray[np.object_]) -> None:
        """Name the sets whose parameters contradict each other."""
        p = self._params(block.fixed, block.rows)
        for sentence, holds in self._ask(self.strategy.refuses, p).items():
            mask = np.broadcast_to(np.asarray(holds, dtype=bool), reasons.shape)
            reasons[mask & (reasons == "")] = f"refused: {sentence}"

    def _try(
        self,
        block: Block,
        at: NDArray[np.intp],
        figures: FloatArray,
        daily: FloatArray,
        goods: FloatArray,
        reasons: NDArray[np.object_],
    ) -> None:
        """Book sets together; where one of them cannot be, halve until it is found."""
        rows = {name: column[at] for name, column in block.rows.items()}
        try:
            self._book(block.fixed, rows, at, figures, daily, goods, reasons)
        except SibtError as error:
            if len(at) == 1:
                reasons[at] = str(error)
                return
            half = len(at) // 2
            for part in (at[:half], at[half:]):
                self._try(block, part, figures, daily, goods, reasons)

    def _book(
        self,
        fixed: Mapping[str, Any],
        rows: Mapping[str, Any],
        at: NDArray[np.intp],
        figures: FloatArray,
        daily: FloatArray,
        goods: FloatArray,
        reasons: NDArray[np.object_],
    ) -> None:
        count = len(at)
        p = self._params(fixed, rows)
        job = self._job(fixed, p)
        wished = self._ask(self.strategy.units, self.market, p)
        units, limits = wished if isinstance(wished, tuple) else (wished, None)
        known_from = self.known_from(fixed)
        owned = self._ask(self.strategy.exposure, self.market, p)
        want = self._window(_whole(self.market, units, count))
        resting = limits_of(self.market, limits, job, count)
        for column, reason in check_wishes(job, want, known_from).items():
            for n in range(count) if want.shape[1] == 1 else (column,):
                reasons[at[n]] = reason
        capital = self._capital(job, want, hedge=owned is not None)
        first = (
            -1
            if known_from is None
            else int(self.market.sessions.searchsorted(pd.Timestamp(known_from), side="right"))
        )
        one = want.shape[1] == 1 and resting.shape[1] == 1 and len(capital) == 1
        width = 1 if one else count
        if want.shape[1] < width:
            want = np.asfortranarray(np.repeat(want, width, axis=1))
        purse = np.broadcast_to(capital, (width,)).copy()
        if width == len(figures):  # a whole block: written in place
            self._keep(job, want, resting, purse, first, figures, daily)
        else:
            own = np.zeros((width, len(FIGURES)))
            returns = np.zeros((width, daily.shape[1]))
            self._keep(job, want, resting, purse, first, own, returns)
            figures[at], daily[at] = own, returns
        goods[at] = self._goods(p, owned, max(first, 0), count)

    def _keep(
        self,
        job: Job,
        want: UnitArray,
        resting: NDArray[np.int64],
        capital: NDArray[np.int64],
        first: int,
        figures: FloatArray,
        daily: FloatArray,
    ) -> None:
        """Book columns of wishes; see `sibt.engine.ledger.keep_many`."""
        keep_many(want, resting, capital, job.rules, first, figures, daily)

    def _job(self, fixed: Mapping[str, Any], p: Params) -> Job:
        """Return terms and prices of a structure, laid out once."""
        declared = self.strategy.declared()
        key = tuple(str(fixed[name]) for name in declared if declared[name].structural)
        if key not in self.jobs:
            legs = self._ask(self.strategy.legs, self.market, p)
            self.jobs[key] = prepare(
                self.market,
                legs,
                account=self.account,
                execution=self.execution,
                terms=self.terms,
            )
        return self.jobs[key]

    def _window(self, want: UnitArray) -> UnitArray:
        """Let nothing stand before the eve of `start`."""
        if self.start is not None:
            at = int(self.market.sessions.searchsorted(self.start))
            want = want.copy(order="F")
            want[: max(at - 1, 0)] = 0
        return want

    def _capital(self, job: Job, want: UnitArray, *, hedge: bool) -> NDArray[np.int64]:
        if not (self.sized and hedge):
            return to_fen(np.array([self.account.capital]))
        sized = [size_account(job, column)[0].capital for column in want.T]
        return to_fen(np.array(sized))

    def _goods(self, p: Params, owned: Any, first: int, count: int) -> Any:
        """Return what the goods alone gained, yuan; NaN for a strategy without goods."""
        if owned is None:
            return math.nan
        wide = np.asarray(owned, dtype=float)
        columns = wide[:, None] if wide.ndim == 1 else wide
        grade = self.strategy.grade(p)
        books = [
            physical_book(self.market, pd.Series(column, self.market.sessions), grade)
            for column in columns.T
        ]
        return np.broadcast_to([book.profit.iloc[first:].sum() for book in books], (count,))

    # -- One set by itself --------------------------------------------------------------------

    def single(self, values: Mapping[str, Any], *, close: bool = False) -> Result:
        """Book one set as `sibt run` does, with all its tables.

        Parameters
        ----------
        values : mapping
            All parameters of the set.
        close : bool
            Be flat in the end: nothing is wished for from the eve of the last session on, and
            what is held is closed in it at the run's fill price.
        """
        p = self.strategy.params(values, self._context())
        wishes = wishes_of(self.strategy, self.path, self.market, p, self.start)
        if close:
            last = self.market.sessions[-2:]
            units = wishes.units.reindex(self.market.sessions).ffill().fillna(0.0)
            limits = wishes.limits
            wishes = replace(
                wishes,
                units=units.where(~units.index.isin(last), 0.0),
                limits=None if limits is None else limits.where(~limits.index.isin(last)),
            )
        account = self.account
        if self.sized and wishes.exposure is not None:
            account = sized(self.market, wishes, account, self.execution, self.terms)[0]
        return book(self.market, wishes, account, self.execution, self.terms)

    def _owns(self, block: Block) -> bool:
        """Tell whether the strategy has goods; the same of all blocks."""
        declared = self.strategy.declared()
        plain = {name: param.read(name, param.default) for name, param in declared.items()}
        numbers = {name: plain[name] for name in block.rows}
        owned = self._ask(self.strategy.exposure, self.market, self._params(block.fixed, numbers))
        return owned is not None

    # -- Table --------------------------------------------------------------------------------

    def _table(
        self, block: Block, figures: FloatArray, goods: FloatArray, reasons: NDArray[np.object_]
    ) -> pd.DataFrame:
        bad = reasons != ""
        if bad.any():
            figures[bad] = np.nan
        raw = dict(zip(FIGURES, np.ascontiguousarray(figures.T), strict=True))
        for name in MONEY:
            raw[name] /= 100
        columns: dict[str, Any] = {"set": block.sets}
        for name in self.names:
            if name in block.rows:
                columns[name] = np.asarray(block.rows[name], dtype=float)
            else:
                columns[name] = np.full(len(bad), str(block.fixed[name]), dtype=object)
        columns["net"] = raw["net"]
        if self._owns(block):
            columns["hedged"] = np.where(bad, np.nan, goods + raw["net"])
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = raw["mean"] / raw["deviation"] * math.sqrt(SESSIONS_A_YEAR)
            known = (raw["round_trips"] >= FEW_TRIPS) & (raw["deviation"] > 1e-12)
            tied = np.where(raw["peak_margin"] > 0, raw["peak_margin"], np.nan)
            columns |= {
                "total_return": raw["total_return"],
                "sharpe": np.where(known, ratio, np.nan),
                **{name: raw[name] for name in _RISKS},
                "return_on_margin": raw["net"] / tied,
                **{name: raw[name] for name in _COUNTS},
                "bust": raw["bust"] >= 0,
                **{name: raw[name] for name in _MOMENTS},
                "reason": reasons,
            }
        return pd.DataFrame(columns, copy=False)


def _whole(market: Market, units: Any, count: int) -> UnitArray:
    """Return wished units as whole numbers by session, shape (T, N) or (T, 1)."""
    if isinstance(units, pd.Series):
        units = units.reindex(market.sessions).to_numpy(float)
    values = np.asarray(units)
    if values.ndim == 1:
        values = values[:, None]
    if (
        values.ndim != 2
        or values.shape[0] != len(market.sessions)
        or (values.shape[1] not in (1, count))
    ):
        raise StrategyError(
            f"units() of {count} sets over {len(market.sessions)} sessions has shape"
            f" {np.shape(units)}; return (sessions, sets)."
        )
    if values.dtype == np.int32:
        return np.asfortranarray(values)
    try:
        stated = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise StrategyError("units() holds something that is no number.") from None
    if np.isnan(stated).any():
        stated = pd.DataFrame(stated).ffill().fillna(0.0).to_numpy()
    if not np.all((stated == np.floor(stated)) & (np.abs(stated) < 2**31)):
        raise StrategyError("units() holds something that is no whole number; round the wish.")
    return np.asfortranarray(stated, dtype=np.int32)
