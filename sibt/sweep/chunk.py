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
from sibt.engine.ledger import FIGURES, STATEMENT, keep, keep_many
from sibt.engine.metrics import SESSIONS_A_YEAR
from sibt.engine.money import to_fen
from sibt.engine.result import FEW_TRIPS, Result
from sibt.engine.simulate import check_wishes, limits_of
from sibt.errors import SettingError, SibtError, StrategyError
from sibt.hedging.cover import beyond, refuse_more, unit_tonnes
from sibt.hedging.exposure import Exposure, Schedule, exposure_of
from sibt.hedging.hedge import size_account
from sibt.hedging.physical import unmarked
from sibt.lookahead.check import quick
from sibt.lookahead.verdict import Verdict
from sibt.market.panel import Market
from sibt.runs.run import book, sized, wishes_of
from sibt.strategy.loader import ask
from sibt.strategy.strategy import Params, Strategy
from sibt.sweep.grid import Block, Grid
from sibt.sweep.hedges import HEDGES, goods_of, hedges

__all__ = ["MONEY", "Chunk", "Task", "starts_of"]

FloatArray = NDArray[np.float64]
UnitArray = NDArray[np.int32]

#: Figures the ledger gives in fen and the table in yuan.
MONEY = ("net", "fees", "worst_day", "worst_equity", "max_drawdown_yuan", "peak_margin",
         "largest_call", "deposits")  # fmt: skip

_RISKS = ("max_drawdown", "max_drawdown_yuan", "worst_day", "worst_equity", "peak_margin",
          "largest_call", "deposits", "fees")  # fmt: skip
_MOMENTS = ("mean", "deviation", "skewness", "kurtosis")

_MTM, _FEES, _MARGIN = (STATEMENT.index(name) for name in ("mtm", "fees", "margin"))

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
    goods : Schedule or None
        Goods in the place of the strategy's own.
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
    goods: Schedule | None = None
    jobs: dict[tuple[Any, ...], Job] = field(default_factory=dict, repr=False)

    #: What a reader must know of how sets were booked; said wherever figures are shown.
    note: ClassVar[str] = ""

    def check(self, metric: str | None, sets: Grid) -> None:
        """Refuse goods no set will hedge, and a metric no set will have.

        Raises
        ------
        SettingError
            Goods a strategy does not ask for; a metric of a hedge, for a strategy without goods
            or goods that are delivered; a price for goods that are needed.
        """
        if metric not in HEDGES and self.goods is None:
            return
        if metric in HEDGES and self.execution.at_expiry == "deliver":
            raise SettingError(
                f"--metric is '{metric}', which a sweep does not know of goods that are delivered;"
                " write net, or set at_expiry to close."
            )
        rows = sets.values(np.zeros(1, dtype=np.int64))
        values = {**sets.fixed, **{name: column[0] for name, column in rows.items()}}
        p = self._params(values, {})
        stated = ask(self.path, self.strategy.exposure, self.market, p)
        if self.goods is not None and (stated is None or not p.asked_for("goods")):
            raise SettingError(
                f"Goods of {self.goods.source} are given, and {type(self.strategy).__name__} does"
                " not hedge them; leave them out, or let its exposure() read p.goods."
            )
        if metric not in HEDGES:
            return
        if stated is None:
            raise SettingError(
                f"--metric is '{metric}', and {type(self.strategy).__name__} owns no goods to"
                " hedge; write net."
            )
        if metric == "effective_price" and (_owned(self.market, stated, 1) < 0.0).any():
            raise SettingError(
                "--metric is 'effective_price', and of goods that are needed it is a cost, of which"
                " less is better; write hedged_per_tonne."
            )

    def known_from(self, fixed: Mapping[str, Any]) -> str | None:
        """Return the day from which a structure may trade, `start` included."""
        day: str | None = ask(self.path, self.strategy.known_from, self._params(fixed, {}))
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
        goods = np.full((count, len(HEDGES)), np.nan)
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
            "at_expiry": self.execution.at_expiry,
            "goods": self.goods,
            "average_ratio": 0.0,
        }

    def _params(self, fixed: Mapping[str, Any], rows: Mapping[str, Any]) -> Params:
        return Params({**fixed, **rows}, self._context())

    def _refuse(self, block: Block, reasons: NDArray[np.object_]) -> None:
        """Name the sets whose parameters contradict each other."""
        p = self._params(block.fixed, block.rows)
        for sentence, holds in ask(self.path, self.strategy.refuses, p).items():
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
        wished = ask(self.path, self.strategy.units, self.market, p)
        units, limits = wished if isinstance(wished, tuple) else (wished, None)
        if isinstance(units, pd.DataFrame):
            reasons[at] = _BY_LEG
            return
        known_from = self.known_from(fixed)
        stated = ask(self.path, self.strategy.exposure, self.market, p)
        owned = None if stated is None else _owned(self.market, stated, count)
        want = self._window(_whole(self.market, units, count))
        resting = limits_of(self.market, limits, job, count)
        for column, reason in check_wishes(job, want, known_from).items():
            for n in range(count) if want.shape[1] == 1 else (column,):
                reasons[at[n]] = reason
        if owned is not None:
            for column, reason in _too_large(job, want, owned).items():
                for n in range(count) if want.shape[1] == owned.shape[1] == 1 else (column,):
                    reasons[at[n]] = reasons[at[n]] or reason
            grade = stated.grade if isinstance(stated, Exposure) else self.strategy.grade(p)
            for column, reason in unmarked(self.market, owned, grade).items():
                for n in range(count) if owned.shape[1] == 1 else (column,):
                    reasons[at[n]] = reasons[at[n]] or reason
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
        # Delivered goods are settled by what becomes of each delivery unit: in a run.
        if owned is not None and self.execution.at_expiry != "deliver":
            book = goods_of(self.market, stated, owned, self.strategy.grade(p))
            starts = np.broadcast_to(starts_of(want, first), (count,))
            daily_fen = self._daily(job, want, resting, purse)
            goods[at] = hedges(book, starts, figures[at, 0] / 100, daily_fen)

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

    def _daily(
        self,
        job: Job,
        want: UnitArray,
        resting: NDArray[np.int64],
        capital: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return results after fees and margins of each session, fen, each of shape (T, N).

        None where the books do not tell.
        """
        sessions, legs = job.codes.shape
        results, margins = (np.zeros(want.shape, dtype=np.int64, order="F") for _ in range(2))
        by_leg, positions = np.zeros((0, legs), np.int64), np.zeros((1, legs, 1), np.int64)
        fills, shorts = np.zeros((0, 8), np.int64), np.zeros((0, 6), np.int64)
        seen: dict[tuple[bytes, bytes, int], int] = {}
        for n, column in enumerate(want.T.astype(np.int64)):
            limits = np.ascontiguousarray(resting[:, n % resting.shape[1]])
            # A trigger that is never met, a rule that is off: many sets of a hedge are one book.
            same = seen.setdefault((column.tobytes(), limits.tobytes(), int(capital[n])), n)
            if same < n:
                results[:, n], margins[:, n] = results[:, same], margins[:, same]
                continue
            statement = np.zeros((sessions, len(STATEMENT)), dtype=np.int64)
            keep(column, by_leg, limits, capital[n], job.rules, False, statement, positions, fills,
                 shorts)  # fmt: skip
            results[:, n] = statement[:, _MTM] - statement[:, _FEES]
            margins[:, n] = statement[:, _MARGIN]
        return results, margins

    def _job(self, fixed: Mapping[str, Any], p: Params) -> Job:
        """Return terms and prices of a structure, laid out once."""
        declared = self.strategy.declared()
        key = tuple(str(fixed[name]) for name in declared if declared[name].structural)
        if key not in self.jobs:
            legs = ask(self.path, self.strategy.legs, self.market, p)
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

    # -- One set by itself --------------------------------------------------------------------

    def lookahead(self, values: Mapping[str, Any]) -> Verdict:
        """Ask in a quick form whether the strategy looks ahead with a set.

        Parameters
        ----------
        values : mapping
            All parameters of the set.

        Raises
        ------
        SibtError
            The set is refused.
        """
        p = self.strategy.params(values, self._context())
        for sentence, holds in ask(self.path, self.strategy.refuses, p).items():
            if np.any(holds):
                raise StrategyError(f"These parameters are refused: {sentence}.")
        return quick(self.strategy, self.path, self.market, p)

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
        p = self._params(block.fixed, numbers)
        owned = ask(self.path, self.strategy.exposure, self.market, p)
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
            goods[bad] = np.nan
            columns |= dict(zip(HEDGES, np.ascontiguousarray(goods.T), strict=True))
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


_BY_LEG = (
    "The strategy wishes leg by leg, which a sweep does not book; run the set by itself with sibt"
    " run."
)


def _owned(market: Market, stated: Any, count: int) -> FloatArray:
    """Return goods by session as a strategy stated them, shape (T, N) or (T, 1)."""
    if isinstance(stated, pd.Series):
        stated = exposure_of(stated, "", market)
    if isinstance(stated, Exposure):
        stated = stated.owned
    wide = np.asarray(stated, dtype=float)
    wide = wide[:, None] if wide.ndim == 1 else wide
    if wide.ndim != 2 or wide.shape[0] != len(market.sessions) or wide.shape[1] not in (1, count):
        raise StrategyError(
            f"exposure() of {count} sets over {len(market.sessions)} sessions has shape"
            f" {np.shape(stated)}; return (sessions, sets)."
        )
    if np.isnan(wide).any():
        wide = pd.DataFrame(wide).ffill().fillna(0.0).to_numpy()
    return wide


def _too_large(job: Job, want: UnitArray, owned: FloatArray) -> dict[int, str]:
    """Return why columns hedge more than their goods, as a run would say it."""
    futures = want * unit_tonnes(job)[:, None]
    more = beyond(owned, futures, float(job.terms.multiplier.min())).any(axis=0)
    reasons = {}
    for n in np.flatnonzero(more).tolist():
        try:
            refuse_more(job, futures[:, n % futures.shape[1]], owned[:, n % owned.shape[1]])
        except StrategyError as error:
            reasons[n] = str(error)
    return reasons


def starts_of(want: UnitArray, first: int) -> NDArray[np.int64]:
    """Return the first session that counts of each column: after its first wish unless stated."""
    if first >= 0:
        return np.full(want.shape[1], first, dtype=np.int64)
    wished = want != 0
    return np.where(wished.any(axis=0), wished.argmax(axis=0) + 1, 1).astype(np.int64)


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
