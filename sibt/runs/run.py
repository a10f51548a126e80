"""One run of a strategy: from its file to a booked result and what it is held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.engine.account import Account, Kind
from sibt.engine.execution import Execution
from sibt.engine.headline import as_html, headline
from sibt.engine.job import prepare
from sibt.engine.result import Result
from sibt.engine.simulate import simulate
from sibt.errors import DataError, SettingError, SibtError, StrategyError
from sibt.hedging.cover import left_over, refuse_more, wished_tonnes
from sibt.hedging.delivery import Delivered, DeliveryTerms, after_delivery, delivered
from sibt.hedging.exposure import Exposure, Schedule, exposure_of, schedule
from sibt.hedging.hedge import Hedge, size_account
from sibt.hedging.physical import physical_book, quotes, unmarked
from sibt.language import language, said
from sibt.lookahead.check import quick
from sibt.lookahead.verdict import Verdict
from sibt.market.findings import Finding, findings, summary
from sibt.market.panel import Market
from sibt.sources import load_market
from sibt.sources.shipped import shipped
from sibt.strategy.loader import ask, opened
from sibt.strategy.strategy import Comparison, Params, Strategy

if TYPE_CHECKING:
    from sibt.runs.desk import Desk
    from sibt.runs.doctor import Diagnosis

__all__ = [
    "Run",
    "Wishes",
    "account_of",
    "between",
    "book",
    "checked",
    "context_of",
    "run",
    "sized",
    "wishes_of",
]


@dataclass(frozen=True, eq=False)
class Run:
    """A run and all it came from.

    Attributes
    ----------
    strategy : Strategy
        The strategy, loaded.
    path : Path
        Its file.
    params : Params
        Its parameters.
    market : Market
        The market, cut at the run's end.
    result : Result
        The futures account.
    hedge : Hedge or None
        Physical and futures together, for a strategy with an exposure.
    comparisons : pd.DataFrame
        ``name, role, net, net_per_tonne, round_trips, note`` of what it is held against;
        for hedges also the hedged result.
    notes : tuple of str
        What was decided on the way, such as how the account was sized.
    window : tuple
        What was asked with `start` and `end`; None where nothing was.
    seconds : dict of str to float
        Time each stage took.
    goods : Schedule or None
        The goods that were given in the place of the strategy's own.
    deliveries : Delivered or None
        What was delivered, for a hedge with ``at_expiry="deliver"``; gone from its goods.
    others : tuple of (Comparison, Hedge)
        The hedges among what it is held against.
    desk : Desk or None
        What the hedging desk says of a hedge; see `sibt.runs.desk.with_desk`.
    lookahead : Verdict or None
        Whether the strategy saw what it could not have known; None where nobody asked.
    """

    strategy: Strategy
    path: Path
    params: Params
    market: Market
    result: Result
    hedge: Hedge | None
    comparisons: pd.DataFrame
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    window: tuple[str | None, str | None]
    seconds: dict[str, float] = field(repr=False)
    goods: Schedule | None = field(default=None, repr=False)
    deliveries: Delivered | None = field(default=None, repr=False)
    others: tuple[tuple[Comparison, Hedge], ...] = field(default=(), repr=False)
    desk: Desk | None = field(default=None, repr=False)
    lookahead: Verdict | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<Run {self.name}: {self.result!r}>"

    def _repr_html_(self) -> str:
        """Show the headline, the diagnosis, the notes and the warnings in a notebook."""
        t = language()
        rows = headline(self.result, t)
        if self.hedge is not None:
            m = self.hedge.metrics
            rows = {
                t("goods + futures"): t("{money:+,.2f} yuan", money=m["hedged"]),
                t("goods alone"): t("{money:+,.2f} yuan", money=m["physical"]),
                **headline(self.result, t, net="futures alone"),
            }
        return as_html(
            rows,
            [*(t(one.issue) for one in self.diagnosis), *map(t, self.warnings)],
            title=self.name,
            simulated=self.market.provenance.simulated,
            mark=t(self.lookahead.sentence) if self.looks_ahead and self.lookahead else "",
        )

    @property
    def name(self) -> str:
        """Name of the strategy's file without its ending."""
        return self.path.stem

    @property
    def given(self) -> str:
        """How a command names the strategy: by its shipped name, or by its file."""
        ours = shipped("strategies") in self.path.resolve().parents
        return self.name if ours else str(self.path)

    @property
    def looks_ahead(self) -> bool:
        """True where the strategy was caught looking ahead: the result proves nothing."""
        return self.lookahead is not None and not self.lookahead.passed

    @cached_property
    def diagnosis(self) -> tuple[Diagnosis, ...]:
        """What makes the result doubtful, the gravest first; see `sibt.runs.doctor`."""
        from sibt.runs.doctor import diagnose

        return diagnose(self)

    @property
    def warnings(self) -> list[str]:
        """Notes and warnings, but for those a diagnosis stands for."""
        instead = {word for one in self.diagnosis for word in one.instead}
        return [word for word in (*self.notes, *self.result.warnings) if word not in instead]

    @property
    def few_days(self) -> pd.DataFrame | None:
        """Entry days of a run of too few trips for ratios; None where they say nothing.

        A hedge follows its goods: its entry is no single day to be moved.
        """
        if self.result.known or self.hedge is not None or self.result.entry_days.empty:
            return None
        return self.result.entry_days

    @property
    def excess(self) -> float | None:
        """Net yuan per tonne over the mean of the controls; None without one."""
        table = self.comparisons
        if table.empty or self.result.metrics["net_per_tonne"] is None:
            return None
        controls = table.loc[table["role"] == "control", "net_per_tonne"].dropna()
        if controls.empty:
            return None
        return float(self.result.metrics["net_per_tonne"] - controls.mean())


@dataclass(frozen=True)
class Wishes:
    """What a strategy asks for in one setting; see its methods of these names."""

    legs: Mapping[str, Any]
    units: pd.Series[Any] | pd.DataFrame
    limits: pd.Series[Any] | None
    known_from: str | None
    exposure: Exposure | None
    stands: bool = False  # a wish from before the run's first session


def run(
    strategy: str | Path | Strategy,
    market: Market | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    capital: float | None = None,
    account: Account | Mapping[str, Any] | None = None,
    kind: Kind | None = None,
    execution: Execution | None = None,
    terms: Mapping[str, Any] | None = None,
    start: str | pd.Timestamp | None = None,
    end: str | pd.Timestamp | None = None,
    goods: Schedule | str | Path | None = None,
    delivery: DeliveryTerms | None = None,
    check: bool = True,
    stage: Callable[[str], None] = lambda name: None,
) -> Run:
    """Run a strategy on a market and hold it against its comparisons.

    Parameters
    ----------
    strategy : str, Path or Strategy
        A file, the name of a shipped strategy, or a strategy object.
    market : Market, optional
        The default is the store in ``data/store`` where it has bars, else the simulated
        sample; see `sibt.load_market`.
    params : mapping, optional
        Parameters that differ from the strategy's defaults.
    capital : float, optional
        Opening equity, yuan; by default a million, for a hedge sized from the hedge.
    account : Account or mapping, optional
        An account to use as it is, or only what differs from the defaults, such as
        ``{"broker_margin": 0.05}``. `capital` and `kind` go before it.
    kind : str, optional
        Kind of account; by default the strategy's.
    execution : Execution, optional
        How orders are worked.
    terms : mapping, optional
        What replaces dated terms.
    start, end : str or timestamp, optional
        First session that may fill, and the last session of the run.
    goods : Schedule, str or Path, optional
        Goods a hedge is for, in the place of the strategy's own, or the TOML or CSV file that
        names them; see `sibt.hedging.exposure.schedule`.
    delivery : DeliveryTerms, optional
        What goods delivered on the exchange are settled at and cost.
    check : bool
        Ask in a quick form whether the strategy looks ahead; see `sibt.lookahead.check.quick`.
    stage : callable
        Told the name of each stage as it begins.

    Raises
    ------
    SibtError
        Whatever of it cannot be run, in a sentence.
    """
    clock = _Clock(stage)
    with clock("strategy"):
        strategy, path = opened(strategy)
        plan = goods if goods is None or isinstance(goods, Schedule) else schedule(goods)
    with clock("market"):
        whole = market if market is not None else load_market()
        cut = between(whole, start, end)
        seen_in_data = checked(cut)
    execution = execution or Execution()
    own, stated = account_of(strategy, account, capital, kind)
    notes: list[str] = []
    with clock("wishes"):
        context = context_of(own, execution, plan)
        p = strategy.params(params, context)
        for sentence, holds in ask(path, strategy.refuses, p).items():
            if np.any(holds):
                raise StrategyError(f"These parameters are refused: {sentence}.")
        wishes = wishes_of(strategy, path, cut, p, start)
        if plan is not None and (wishes.exposure is None or not p.asked_for("goods")):
            raise SettingError(
                f"Goods of {plan.source} are given, and {type(strategy).__name__} does not hedge"
                " them; leave them out, or let its exposure() read p.goods."
            )
        if delivery is not None and wishes.exposure is None:
            raise SettingError(
                f"Terms of a delivery are given, and {type(strategy).__name__} has no goods to"
                " deliver; leave --delivery-term out."
            )
        remarks = ask(path, strategy.notes, cut, p)
        if wishes.exposure is not None:
            quotes(cut, wishes.exposure.grade)  # refused before anything is booked
    with clock("ledger"):
        if wishes.exposure is not None and not stated:
            own, formula = sized(cut, wishes, own, execution, terms)
            notes.append(said("account sized from the hedge: {formula}", formula=formula))
        result = book(cut, wishes, own, execution, terms)
        hedge, deliveries = _hedge(cut, wishes, result, delivery)
    verdict = None
    if check:  # of what can be booked at all
        with clock("look-ahead"):
            verdict = quick(strategy, path, cut, p)
    notes += remarks
    if wishes.known_from is not None and pd.Timestamp(wishes.known_from) >= cut.sessions[-1]:
        notes.append(
            said(
                "nothing could be traded: the idea is known from {known}, and the market ends on"
                " {end:%Y-%m-%d}",
                known=wishes.known_from,
                end=cut.sessions[-1],
            )
        )
    if start is not None and wishes.stands:
        notes.append(
            said(
                "the strategy wished for this position before --from; it is entered at the run's"
                " first session, and holding times count from the first wish"
            )
        )
    if wishes.exposure is not None:
        notes += left_over(result, wishes.exposure.owned)
    if deliveries is not None:
        notes += deliveries.notes
    notes += _doubts(cut, seen_in_data, result.job.contracts)
    with clock("comparisons"):
        context["average_ratio"] = 0.0 if hedge is None else hedge.average_ratio
        seen = strategy.params(dict(p.items()), context)
        asked = ask(path, strategy.comparisons, cut, seen)
        compared = [
            _compare(
                other, strategy, path, cut, seen, context, own, execution, terms, start, delivery
            )
            for other in asked
        ]
        rows = [row for row, _ in compared]
        table = pd.DataFrame(rows, columns=_COMPARED)
        for column in ("name", "note"):
            # A column of texts would forget how its sentences are said in Chinese.
            texts = [row[_COMPARED.index(column)] for row in rows]
            table[column] = pd.Series(texts, dtype=object)
    return Run(
        strategy=strategy,
        path=path,
        params=p,
        market=cut,
        result=result,
        hedge=hedge,
        comparisons=table,
        findings=seen_in_data,
        notes=tuple(notes),
        window=(None if start is None else str(start), None if end is None else str(end)),
        seconds=clock.seconds,
        goods=plan,
        deliveries=deliveries,
        others=tuple(
            (other, beside)
            for other, (_, beside) in zip(asked, compared, strict=True)
            if beside is not None
        ),
        lookahead=verdict,
    )


def checked(market: Market) -> tuple[Finding, ...]:
    """Return what the checks find in the data; refuse what would make a run wrong.

    Raises
    ------
    DataError
        Something is wrong.
    """
    found = tuple(findings(market))
    wrong = [finding for finding in found if finding.severity == "wrong"]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise DataError(
            f"{market.provenance.source} would make the run wrong: {wrong[0].line}{more}; see all"
            f" with sibt data check --data {market.provenance.source}."
        )
    return found


def _doubts(
    market: Market, found: tuple[Finding, ...], contracts: tuple[str, ...]
) -> list[str]:
    """Return what is doubtful about the contracts of a run, and how much else there is."""
    doubtful = [finding for finding in found if finding.severity == "doubtful"]
    own = [finding for finding in doubtful if finding.concerns(contracts)]
    told: list[str] = [said("data {line}", line=line) for line in summary(own)]
    if len(doubtful) > len(own):
        told.append(
            said(
                "data: {more} more doubtful findings, see sibt data check --data {source}",
                more=len(doubtful) - len(own),
                source=market.provenance.source,
            )
        )
    return told


_COMPARED = ["name", "role", "net", "net_per_tonne", "hedged", "round_trips", "note"]


class _Clock:
    """Names each stage as it begins and keeps how long it took."""

    def __init__(self, stage: Callable[[str], None]) -> None:
        self._stage = stage
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._stage(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


def _day(value: str | pd.Timestamp, flag: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(value)
    except (ValueError, TypeError):
        raise SettingError(f"{flag} is '{value}', no day; write it as 2024-05-15.") from None


def between(market: Market, start: Any, end: Any) -> Market:
    """Return the market cut at the last session of a run; refuse a window it does not hold."""
    sessions = market.sessions
    if start is not None:
        first = _day(start, "--from")
        if first > sessions[-1]:
            raise SettingError(
                f"--from {first:%Y-%m-%d} is after the market's last session"
                f" {sessions[-1]:%Y-%m-%d}; give an earlier day."
            )
        if end is not None and _day(end, "--to") < first:
            raise SettingError(
                f"--to {_day(end, '--to'):%Y-%m-%d} is before --from {first:%Y-%m-%d}; swap them."
            )
    return market if end is None else market.asof(_day(end, "--to"))


def account_of(
    strategy: Strategy,
    account: Account | Mapping[str, Any] | None,
    capital: float | None,
    kind: Kind | None,
) -> tuple[Account, bool]:
    """Return the account somebody asked for, and whether its capital was stated."""
    stated = dict(vars(account)) if isinstance(account, Account) else dict(account or {})
    stated.update({k: v for k, v in (("capital", capital), ("kind", kind)) if v is not None})
    return Account(**{"kind": strategy.kind, **stated}), "capital" in stated


def context_of(
    account: Account, execution: Execution, goods: Schedule | None
) -> dict[str, Any]:
    """Return what a run brings beside a strategy's own parameters; see `Params`."""
    return {
        "capital": account.capital,
        "kind": account.kind,
        "cross_standard": execution.cross_standard,
        "at_expiry": execution.at_expiry,
        "goods": goods,
    }


def wishes_of(strategy: Strategy, path: Path, market: Market, p: Params, start: Any) -> Wishes:
    """Return what a strategy asks for; nothing stands before the eve of `start`."""
    legs = ask(path, strategy.legs, market, p)
    wished = ask(path, strategy.units, market, p)
    if isinstance(wished, tuple) and len(wished) != 2:
        raise StrategyError(
            f"units() of {path} returns {len(wished)} things; return units, or units and limits."
        )
    units, limits = wished if isinstance(wished, tuple) else (wished, None)
    if not isinstance(units, pd.Series | pd.DataFrame):
        raise StrategyError(
            f"units() of {path} returns {type(units).__name__}; return a Series of whole units by"
            " session (or that and limits)."
        )
    known_from, stands = ask(path, strategy.known_from, p), False
    exposure = ask(path, strategy.exposure, market, p)
    if isinstance(exposure, pd.Series):
        grade = ask(path, strategy.grade, p)
        exposure = exposure_of(exposure, grade, market, strategy.owned_as)
    if exposure is not None and not isinstance(exposure, Exposure):
        raise StrategyError(
            f"exposure() of {path} returns {type(exposure).__name__}; return a Series of tonnes by"
            " session, an Exposure, or None."
        )
    if exposure is not None and not exposure.owned.index.equals(market.sessions):
        raise StrategyError(
            f"exposure() of {path} returns goods of other sessions than the market's; lay them out"
            " with market.sessions."
        )
    if start is not None:
        # The run begins flat: a wish that stands from before is entered in its first session.
        first = int(market.sessions.searchsorted(_day(start, "--from")))
        eve = market.sessions[max(first - 1, 0)]
        units = units.reindex(market.sessions).ffill().fillna(0.0)
        before = units[units.index < eve]
        stands = bool(len(before)) and bool(np.any(before.iloc[-1] * units.loc[eve] > 0))
        units.loc[units.index < eve] = 0.0
        if known_from is None or pd.Timestamp(known_from) < eve:
            known_from = f"{eve:%Y-%m-%d}"
    return Wishes(legs, units, limits, known_from, exposure, stands)


def book(
    market: Market, wishes: Wishes, account: Account, execution: Execution, terms: Any
) -> Result:
    """Book wishes; see `simulate`. Legs that are wished one by one are worked one by one.

    Raises
    ------
    StrategyError
        A hedge is larger than its goods, or what `simulate` refuses.
    """
    result = simulate(
        market,
        wishes.units,
        wishes.legs,
        limits=wishes.limits,
        account=account,
        execution=_worked(wishes, execution),
        terms=terms,
        known_from=wishes.known_from,
    )
    if wishes.exposure is not None:
        owned = np.asarray(wishes.exposure.owned, dtype=np.float64)
        refuse_more(result.job, wished_tonnes(result), owned)
    return result


def _worked(wishes: Wishes, execution: Execution) -> Execution:
    """Return how orders are worked; legs wished one by one cannot be paired."""
    by_leg = isinstance(wishes.units, pd.DataFrame)
    return replace(execution, pairing="legged") if by_leg else execution


def sized(
    market: Market, wishes: Wishes, account: Account, execution: Execution, terms: Any
) -> tuple[Account, str]:
    """Return the account sized from the hedge; see `size_account`."""
    job = prepare(
        market, wishes.legs, account=account, execution=_worked(wishes, execution), terms=terms
    )
    want = wishes.units.reindex(market.sessions).ffill().fillna(0.0).to_numpy()
    return size_account(job, want)


def _hedge(
    market: Market, wishes: Wishes, result: Result, terms: DeliveryTerms | None
) -> tuple[Hedge | None, Delivered | None]:
    """Return goods and futures together, and what of the goods was delivered."""
    goods, deliveries = wishes.exposure, None
    if goods is None:
        return None, None
    owned = np.asarray(goods.owned, dtype=np.float64)[:, None]
    for reason in unmarked(market, owned, goods.grade).values():
        raise DataError(reason)
    if result.job.execution.at_expiry == "deliver":
        deliveries = delivered(result, goods.grade, terms)
        goods = after_delivery(goods, deliveries)
    return Hedge(physical_book(market, goods), result), deliveries


def _compare(
    other: Comparison,
    strategy: Strategy,
    path: Path,
    market: Market,
    p: Params,
    context: Mapping[str, Any],
    account: Account,
    execution: Execution,
    terms: Any,
    start: Any,
    delivery: DeliveryTerms | None,
) -> tuple[list[Any], Hedge | None]:
    """Return one row of the comparisons and its hedge; one that cannot be run says why instead."""
    try:
        values = {**dict(p.items()), **other.changes}
        changed = strategy.params(values, context)
        # A control of another year is not bound by the window of this run.
        window = start if "year" not in other.changes else None
        wishes = wishes_of(strategy, path, market, changed, window)
        result = book(market, wishes, account, execution, terms)
        hedge, _ = _hedge(market, wishes, result, delivery)
    except SibtError as error:
        absent = said("not available: {why}", why=str(error))
        return [other.name, other.role, np.nan, np.nan, np.nan, 0, absent], None
    hedged = np.nan if hedge is None else hedge.metrics["hedged"]
    figures = result.metrics
    if other.role != "benchmark" and result.round_trips.empty:
        why = said(
            "no position was held; the market covers {first:%Y-%m-%d}..{last:%Y-%m-%d}",
            first=market.sessions[0],
            last=market.sessions[-1],
        )
        absent = said("not available: {why}", why=why)
        return [other.name, other.role, np.nan, np.nan, np.nan, 0, absent], None
    note = said("open at the end") if figures["open_trips"] else ""
    per_tonne = figures["net_per_tonne"]
    row = [
        other.name,
        other.role,
        figures["net"],
        np.nan if per_tonne is None else per_tonne,
        hedged,
        figures["round_trips"],
        note,
    ]
    return row, hedge
