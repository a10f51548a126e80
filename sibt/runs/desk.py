"""What the hedging desk says of a run: what its hedge was worth, its cash, its rolls, its sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from sibt.engine import metrics
from sibt.errors import DataError
from sibt.hedging.accounting import Sheet, sheet
from sibt.hedging.cash import PATHS, RATE, CashAtRisk, cash_at_risk
from sibt.hedging.effectiveness import (
    Difference,
    Effectiveness,
    effectiveness,
    stack_minus_strip,
)
from sibt.hedging.estimators import Estimators, estimators
from sibt.hedging.hedge import MONTH, Hedge
from sibt.hedging.outcome import Outcome
from sibt.hedging.rolls import roll_table
from sibt.language import ZH, said
from sibt.market.contract import contract
from sibt.runs.run import Run

__all__ = ["Desk", "figures", "tables", "with_desk"]

#: What the run itself is called in the table of effective prices.
_OWN = said("this hedge")


@dataclass(frozen=True, eq=False)
class Desk:
    """What the hedging desk says of a run.

    Attributes
    ----------
    effectiveness : Effectiveness
        What the hedge was worth.
    prices : pd.DataFrame
        ``name, price, better, futures, ratio, variance_reduction``: the hedge, no hedge at all,
        and all it is held against that has as many tonnes; see `Effectiveness.programs`.
    sheet : Sheet
        The hedge-accounting sheet.
    rolls : pd.DataFrame
        See `sibt.hedging.rolls.roll_table`.
    stack : Difference or None
        The stack less the strip, where the run is one and held against the other.
    cash : CashAtRisk or None
        Cash the hedge may call for.
    estimators : Estimators or None
        Ways to a ratio, where they were asked for.
    notes : tuple of str
        What could not be told and why.
    """

    effectiveness: Effectiveness
    prices: pd.DataFrame
    sheet: Sheet
    rolls: pd.DataFrame
    stack: Difference | None
    cash: CashAtRisk | None
    estimators: Estimators | None
    notes: tuple[str, ...] = field(default=())


def with_desk(
    run: Run,
    *,
    paths: int = PATHS,
    rate: float = RATE,
    compared: bool = False,
    everything: bool = False,
) -> Run:
    """Return a run with what the hedging desk says of it; one without goods stays as it is.

    Parameters
    ----------
    run : Run
        The run.
    paths : int
        Paths drawn for the cash at risk.
    rate : float
        Cost of cash a year, a share.
    compared : bool
        Also hold ways to a ratio against each other, which takes a second or more.
    everything : bool
        All ways, the slow ones too.

    Raises
    ------
    SettingError
        A value out of its range.
    """
    hedge = run.hedge
    if hedge is None:
        return run
    try:
        hedge.outcome()
    except DataError:  # no goods in the run, or no quote of them; the run's notes say so
        return run
    notes: list[str] = []
    rolls = roll_table(run.result)
    same = {str(other.name): (other, beside) for other, beside in run.others
            if _same_goods(hedge, beside)}  # fmt: skip
    constant = next(
        (name for name, (other, _) in same.items() if other.changes.get("program") == "constant"),
        None,
    )
    found = effectiveness(
        hedge,
        {name: beside for name, (_, beside) in same.items()},
        constant=constant,
        name=str(_OWN),
        roll_spread=float((rolls["cost"] - rolls["fees"]).sum()),
    )
    cash = None
    try:
        cash = cash_at_risk(run.result, paths=paths, rate=rate)
    except DataError as error:
        notes.append(said("cash at risk is unknown: {why}", why=str(error)))
    compared_ways = None
    if compared:
        try:
            compared_ways = _estimators(run, hedge, everything)
        except DataError as error:
            notes.append(said("ways to a ratio cannot be compared: {why}", why=str(error)))
    return replace(
        run,
        desk=Desk(
            effectiveness=found,
            prices=_prices(run, hedge, found),
            sheet=sheet(found),
            rolls=rolls,
            stack=_stack(hedge, same),
            cash=cash,
            estimators=compared_ways,
            notes=tuple(notes),
        ),
    )


def _same_goods(hedge: Hedge, other: Hedge) -> bool:
    """Tell whether another hedge is of the same goods, sold in the same way."""
    one, two = hedge.book, other.book
    return bool(
        one.grade == two.grade
        and one.tonnes.equals(two.tonnes)
        and one.trades.reset_index(drop=True).equals(two.trades.reset_index(drop=True))
    )


def _prices(run: Run, hedge: Hedge, found: Effectiveness) -> pd.DataFrame:
    """Return the effective prices: this hedge, no hedge at all, and the others on as many goods.

    Goods that were delivered are sold otherwise, so that a hedge which does not deliver is on
    other goods; its price still is one of as many tonnes.
    """
    end, names = found.outcome, {str(other.name): other.name for other, _ in run.others}
    table = found.programs.reset_index(names="name")
    rows: list[dict[str, Any]] = [{str(k): v for k, v in row.items()}
                                  for row in table.to_dict("records")]  # fmt: skip
    done = {row["name"] for row in rows}
    for other, beside in run.others:
        if str(other.name) in done:
            continue
        here = replace(beside, since=hedge.sessions[0])
        try:
            own = here.outcome()
        except DataError:
            continue
        if _alike(own, end):
            rows.append({
                "name": str(other.name), "price": own.price, "better": end.better(own) + 0.0,
                "futures": own.futures, "ratio": here.average_ratio,
                "variance_reduction": math.nan,
            })  # fmt: skip
    if not any(row["futures"] == 0.0 and row["ratio"] == 0.0 for row in rows[1:]):
        bare = {"name": said("no futures at all"), "price": end.unhedged,
                "better": end.side * (end.price - end.unhedged) + 0.0,
                "futures": 0.0, "ratio": 0.0, "variance_reduction": 0.0}  # fmt: skip
        rows.insert(1, bare)
    frame = pd.DataFrame(rows)
    # A column of texts would forget how its sentences are said in Chinese.
    told = [names.get(row["name"], row["name"]) for row in rows]
    frame["name"] = pd.Series([_OWN, *told[1:]], dtype=object)
    return frame


def _alike(one: Outcome, other: Outcome) -> bool:
    return one.side == other.side and math.isclose(one.tonnes, other.tonnes, rel_tol=1e-9)


def _stack(hedge: Hedge, others: Mapping[str, tuple[Any, Hedge]]) -> Difference | None:
    for other, beside in others.values():
        program = other.changes.get("program")
        if program == "strip":
            return stack_minus_strip(hedge, beside)
        if program == "stack":
            return stack_minus_strip(replace(beside, since=hedge.sessions[0]), hedge)
    return None


def _estimators(run: Run, hedge: Hedge, everything: bool) -> Estimators:
    """Compare ways on the delivery standard that was held most, as known when the hedge began.

    Over changes of a month, as all else of the report.
    """
    fills = run.result.fills
    standard, until = None, None
    if len(fills):
        main = str(fills.groupby("contract")["lots"].sum().idxmax())
        standard = contract(main).standard
        sessions = run.market.sessions
        until = sessions[max(int(sessions.searchsorted(fills["session"].iloc[0])) - 1, 0)]
    return estimators(
        run.market, hedge.book.grade, standard=standard, k=MONTH, until=until,
        everything=everything,
    )  # fmt: skip


# -- Files -----------------------------------------------------------------------------------


def tables(run: Run) -> dict[str, pd.DataFrame]:
    """Return the desk's tables by name, as they are written; none without a desk."""
    desk = run.desk
    if desk is None:
        return {}
    found, sheet_ = desk.effectiveness, desk.sheet
    written = {
        "effective_prices": desk.prices.assign(name=[str(name) for name in desk.prices["name"]]),
        "risk_reduction": found.reductions.reset_index(),
        "dollar_offset": _months(found.offsets),
        "basis": found.basis.parts.round(6).reset_index(),
        "basis_path": found.basis.path.reset_index(),
        "goods": found.hedge.book.trades,
        "roll_table": desk.rolls,
        "hedge_accounting": pd.DataFrame({
            "asked": [str(row.name) for row in sheet_.rows],
            "asked_zh": [ZH(row.name) for row in sheet_.rows],
            "term": [row.term for row in sheet_.rows],
            "answer": [row.text for row in sheet_.rows],
            "answer_zh": ["".join(map(ZH, row.answer)) for row in sheet_.rows],
        }),
        "ineffectiveness": pd.concat(
            [_months(table).assign(kind=kind) for kind, table in sheet_.measured.items()],
            ignore_index=True,
        ) if sheet_.measured else pd.DataFrame(),
    }  # fmt: skip
    if run.deliveries is not None:
        written["deliveries"] = run.deliveries.table
    if desk.cash is not None:
        fan = desk.cash.fan.set_axis([f"p{level}" for level in desk.cash.fan.columns], axis=1)
        fan.insert(0, "needed", desk.cash.needed)
        written["cash_at_risk"] = fan.round(2).rename_axis("session").reset_index()
    if desk.estimators is not None:
        written["estimators"] = _side_by_side(desk.estimators)
    return {name: table for name, table in written.items() if len(table)}


def _months(table: pd.DataFrame) -> pd.DataFrame:
    found = table.reset_index()
    return found.assign(month=[f"{month}" for month in found["month"]])


def _side_by_side(ways: Estimators) -> pd.DataFrame:
    """Return estimates and what they were worth out of sample as one table."""
    table = ways.table.drop(columns="why")
    if ways.contest is not None:
        table = table.join(ways.contest.table.rename(columns={"ratio": "mean_ratio"}))
    return table.reset_index()


def figures(run: Run) -> dict[str, Any]:
    """Return the desk's figures as they stand in ``metrics.json``; none without a desk.

    Money in yuan, prices in yuan per tonne; None where nothing is known.
    """
    desk = run.desk
    if desk is None:
        return {}
    found = desk.effectiveness
    end, cost, line = found.outcome, found.cost, found.regression
    told: dict[str, Any] = {
        "effective_price": end.price,
        "unhedged_price": end.unhedged,
        "tonnes": end.tonnes,
        "cost": {"fees": cost.fees, "slippage": cost.slippage, "rolls": cost.rolls,
                 "per_tonne": cost.per_tonne, "roll_spread": cost.spread},
        "basis_change": found.basis.change,
    }  # fmt: skip
    if found.timing is not None:
        told["timing"] = {name: getattr(found.timing, name) for name in ("better", "low", "high")}
    if line is not None:
        told["regression"] = {name: getattr(line, name) for name in (
            "slope", "low", "high", "r2", "t", "f", "f_chance", "observations")}  # fmt: skip
    if desk.stack is not None:
        told["stack_less_strip"] = {name: getattr(desk.stack, name) for name in (
            "price", "futures", "cost", "worst", "risk")}  # fmt: skip
    if (cash := desk.cash) is not None:
        told["cash_at_risk"] = {
            "verdict": str(cash.verdict), "first_margin": cash.initial,
            "needed_peak": cash.needed_peak, "peak_95": cash.peak(0.95),
            "peak_99": cash.peak(0.99), "worst_stretch": cash.worst,
            "chance_of_a_call": cash.chance(), "cost_of_95": cash.cost(0.95),
            "cost_of_99": cash.cost(0.99), "rate": cash.rate, "paths": len(cash.peaks),
        }  # fmt: skip
    if desk.estimators is not None:
        told["estimators"] = desk.estimators.table["ratio"].to_dict()
    return _plain(told)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) if isinstance(value, Mapping) else metrics.plain(value)
            for name, value in values.items()}  # fmt: skip
