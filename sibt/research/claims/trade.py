"""A strategy a report recommends, run on the market: whether it paid, and against what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sibt.engine.execution import Execution
from sibt.errors import SibtError
from sibt.language import Sentence, said, written
from sibt.market.contract import contract
from sibt.research.claims.base import rate
from sibt.research.claims.prices import Subject
from sibt.research.claims.quantity import Term
from sibt.research.claims.verdict import BaseRate, Figure, LackingError, Missing, Score
from sibt.runs.run import Run, run

__all__ = ["horizon", "strategy"]


def horizon(told: Mapping[str, Any]) -> Sentence:
    """Return what is run."""
    name = Path(told["strategy"]).stem
    if told["side"] is not None:
        return said("{strategy}, {side} trips", strategy=name, side=said(told["side"]))
    return written(name, name)


def strategy(subject: Subject, told: Mapping[str, Any]) -> Score:
    """Score "this trade pays": a plain run of a strategy on the market as it stands.

    It is right once the trade is closed with a gain (``beats="zero"``), or with more yuan per
    tonne than the mean of its ``controls`` or ``placebos``; ``side`` looks at the round trips of
    one side alone. A hedge is judged by what it does to the goods: it must add to them
    (``"zero"``), or come to more than the constant hedge of the same size (``"benchmarks"``).

    The base rate is that of the entry days: what the trade would have come to had it begun on
    each other day before its first exit, all that follows being the same. They are one event,
    whatever their number.

    Raises
    ------
    LackingError
        It cannot be run on these data, or an order met a bar without the price it fills at.
    """
    ran = _run(subject, told)
    trips = ran.result.round_trips
    if told["side"] is not None:
        trips = trips[(trips["units"] > 0) == (told["side"] == "long")]
    until = told["until"] or _last_exit(subject, ran)
    over = until is not None and subject.market.sessions[-1] >= until
    if trips.empty:
        return Score(
            horizon=horizon(told),
            verdict="undecidable" if over else "running",
            why=said("no such position was held by {until:%Y-%m-%d}", until=until)
            if over else None,
            end=until,
            unit="yuan",
        )  # fmt: skip
    gain, rival, unit = _weighed(ran, told, trips)
    done = not trips["exit"].isna().any()
    verdict, why = "running", None
    if ran.looks_ahead:
        verdict = "undecidable"
        why = said(
            "{strategy} looks ahead, so that its result says nothing: see sibt check {strategy}",
            strategy=told["strategy"],
        )
    elif done and rival is None:
        verdict = "undecidable"
        why = said(
            "there is nothing to hold it against: none of the {kind} could be run",
            kind=said(told["beats"]),
        )
    elif done and rival is not None:
        verdict = "right" if gain > rival else "wrong"
    figures = {"net": Figure(gain, unit)}
    if told["beats"] != "zero":
        figures[told["beats"]] = Figure(rival, unit)
    figures |= _figures(ran, told, trips)
    base = _entry_days(ran) if told["side"] is None and told["beats"] == "zero" else None
    statement = ran.result.statement
    first = int(statement.index.searchsorted(trips["entry"].iloc[0]))
    profit = (statement["mtm"] - statement["fees"]).iloc[first:].cumsum()
    return Score(
        horizon=horizon(told),
        verdict=verdict,
        why=why,
        figures=figures,
        base=base,
        no_base=None if base else said(
            "entry days are told of a trade judged by its own net result, not of hedges, of one"
            " side alone or of what is held against others"
        ),
        decided_on=trips["exit"].iloc[-1] if done else None,
        start=trips["entry"].iloc[0],
        end=until,
        path=profit.rename("net"),
        unit="yuan",
        lines=((said("flat"), 0.0),),
    )  # fmt: skip


def _run(subject: Subject, told: Mapping[str, Any]) -> Run:
    """Run the strategy, once for all readings; what the market lacks for it is missing data."""
    asked = {key: told[key] for key in ("strategy", "params", "capital", "kind", "fill")}
    try:
        ran = subject.runs.get(key := repr(asked)) or run(
            told["strategy"],
            subject.market,
            told["params"],
            capital=told["capital"],
            kind=told["kind"],
            execution=Execution(fill=told["fill"]),
        )
    except SibtError as error:
        for grade in ("553", "421"):
            if f"'{grade}'" in str(error) and "spot" in str(error):
                raise LackingError(Term("spot", grade).missing(subject)) from None
        raise LackingError(
            Missing(f"data for {told['strategy']}", written(str(error), str(error)))
        ) from None
    subject.runs[key] = ran
    blocked = ran.result.unfilled
    blocked = blocked[blocked["reason"] == "no price"]
    if len(blocked):
        # Worked on whichever later session happens to have a price, it is another trade.
        codes = ", ".join(sorted(set(blocked["contract"])))
        raise LackingError(
            Missing(
                f"{told['fill']} of {codes}",
                said(
                    "bring bars that have it, as sibt data pull does: on {count} sessions an order"
                    " found no price",
                    count=blocked["session"].nunique(),
                ),
            )
        )
    return ran


def _last_exit(subject: Subject, ran: Run) -> pd.Timestamp | None:
    """Return the day by which no contract of the trade can be held any more."""
    held = ran.result.positions["contract"].unique()
    lasts = [contract(str(code)).last_trading for code in held]
    known = [day for day in lasts if day is not None]
    return max(known) if known and len(known) == len(lasts) else subject.standard_end


def _weighed(
    ran: Run, told: Mapping[str, Any], trips: pd.DataFrame
) -> tuple[float, float | None, str]:
    """Return what the trade came to, what it must exceed (None: unknown), and their unit."""
    hedge, beats = ran.hedge, told["beats"]
    if hedge is not None and beats == "benchmarks":
        constant = [
            float(beside.metrics["hedged"])
            for other, beside in ran.others
            if other.changes.get("program") == "constant"
        ]
        return float(hedge.metrics["hedged"]), constant[0] if constant else None, "yuan"
    if beats == "zero":
        return float(trips["net"].sum()), 0.0, "yuan"
    role = beats.removesuffix("s")
    rows = ran.comparisons.loc[ran.comparisons["role"] == role, "net_per_tonne"].dropna()
    each = ran.result.metrics["net_per_tonne"]
    return float(each), float(rows.mean()) if len(rows) else None, "yuan/t"


def _figures(ran: Run, told: Mapping[str, Any], trips: pd.DataFrame) -> dict[str, Figure]:
    metrics = ran.result.metrics
    found = {}
    if told["beats"] == "zero" and told["side"] is None:
        found["net per tonne"] = Figure(metrics["net_per_tonne"], "yuan/t")
    found["round trips"] = Figure(len(trips))
    found["won"] = Figure(int((trips["net"] > 0).sum()))
    if ran.hedge is not None:
        for name, key in (("goods alone", "physical"), ("goods + futures", "hedged")):
            found[name] = Figure(float(ran.hedge.metrics[key]), "yuan")
    if told["side"] is None:
        for role in ("control", "placebo"):
            rows = ran.comparisons.loc[ran.comparisons["role"] == role, "net_per_tonne"].dropna()
            if len(rows) and told["beats"] != f"{role}s":
                found[f"{role}s"] = Figure(float(rows.mean()), "yuan/t")
    found["fees"] = Figure(float(trips["fees"].sum()), "yuan")
    found["fills at"] = Figure(said(told["fill"]))
    return found


def _entry_days(ran: Run) -> BaseRate | None:
    if ran.hedge is not None:
        return None
    days = ran.result.entry_days
    # All end with the same exit: not two of them are independent.
    return rate((0, 1, bool(net > 0)) for net in days["net"])
