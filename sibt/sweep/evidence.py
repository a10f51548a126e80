"""What the best set of a sweep is worth: everything that tells skill from luck, in one place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.metrics import SESSIONS_A_YEAR
from sibt.engine.result import FEW_TRIPS
from sibt.errors import SibtError
from sibt.runs.run import run
from sibt.sweep.grid import written
from sibt.sweep.haircut import haircut
from sibt.sweep.hedges import HEDGES, RISKS
from sibt.sweep.luck import (
    deflated_sharpe,
    expected_maximum,
    minimum_backtest_years,
    most_trials,
    probabilistic_sharpe,
)
from sibt.sweep.piece import BLOCK, REPLICATIONS, SAMPLED
from sibt.sweep.plateau import plateau

if TYPE_CHECKING:
    from sibt.sweep.sweep import Plan

__all__ = ["SURE", "best_first", "evidence"]

#: A result is told from luck where the deflated Sharpe ratio is at least this, the reality
#: check's p-value below one minus this, and the best of one half of the days loses in the other
#: half in less than that share of splits. (PBO itself asks for the better half of the sets: where
#: all of them share an edge it hovers around one half.)
SURE = 0.95

_MOST_TICKS = 64


def evidence(
    laid: Plan,
    columns: pd.DataFrame,
    parts: Iterable[Mapping[str, Any]],
    metric: str,
    others: int,
    best: pd.Series[Any] | None = None,
) -> dict[str, Any]:
    """Return what is known of the best set, as it stands in ``evidence.json``.

    Parameters
    ----------
    laid : Plan
        The sweep.
    columns : pd.DataFrame
        One row a set.
    parts : iterable of mapping
        The pieces' parts, in the order of their blocks.
    metric : str
        What is best.
    others : int
        Trials made on this data before, in other runs and sweeps.
    best : pd.Series, optional
        The best set with all its figures, where `columns` has only some.

    Returns
    -------
    dict
        ``verdict`` (one sentence), ``luck`` (True, False, or None where there is nothing to
        infer from), ``trials``, ``best``, ``sharpe`` (None with few round trips),
        ``looks_ahead`` (True where the strategy was caught at it, else missing), ``overfit``,
        ``reality_check``, ``plateau``, ``cost_stress``, ``few``, ``walk``.
        Ratios are a year unless their name ends in ``_per_session``; None is unknown.
    """
    reality, effective, blocks = laid.maker.evidence()
    walk: list[tuple[Any, Any]] = []
    for part in parts:
        reality.restore({k[8:]: v for k, v in part.items() if k.startswith("reality_")})
        effective.restore({k[10:]: v for k, v in part.items() if k.startswith("effective_")})
        blocks.restore({k[7:]: v for k, v in part.items() if k.startswith("blocks_")})
        if "walk_set" in part:
            walk.append((part["walk_ratio"], part["walk_set"]))
    refused = (columns["reason"] != "").to_numpy(bool)
    good = columns[~refused] if refused.any() else columns
    if best is None:
        best = columns.iloc[best_first(columns, metric)[0]]
    few = bool(best["round_trips"] < FEW_TRIPS) or bool(good["round_trips"].median() < FEW_TRIPS)
    values = {
        **laid.grid.fixed,
        **{k: v[0] for k, v in laid.grid.values(np.array([best["set"]])).items()},
    }
    count = len(good)
    trials = {
        "sweep": count,
        "before": others,
        "ever": count + others,
        "effective": effective.trials(),
        "correlation": effective.correlation(),
    }
    found: dict[str, Any] = {
        "metric": metric,
        "sessions": laid.maker.sessions,
        "trials": trials,
        "best": {
            "set": int(best["set"]),
            "parameters": {name: written(value) for name, value in values.items()},
            **{
                name: written(best[name].item() if hasattr(best[name], "item") else best[name])
                for name in best.index
                if name not in (*laid.task.names, "set", "reason")
            },
        },
        "sharpe": None if few else _sharpe(good, best, trials, _sessions(laid, values)),
        "overfit": None if few else _overfit(blocks, count),
        "reality_check": None if few else _reality(reality),
        "plateau": _plateau(laid, columns, metric, int(best["set"])),
        "cost_stress": _stress(laid, values),
        "few": _few(laid, values) if few else None,
        "walk": _walk(walk, laid) if walk else None,
    }
    found["luck"], found["verdict"] = _verdict(found, few)
    if laid.lookahead is not None and not laid.lookahead.passed:
        found["looks_ahead"], found["luck"] = True, None
        found["verdict"] = (
            f"best of {trials['sweep']:,}: the strategy LOOKS AHEAD, so this proves nothing"
        )
    return found


def best_first(columns: pd.DataFrame, metric: str) -> NDArray[np.intp]:
    """Return the rows of sets that were booked, the best first, of equals the lower number.

    Sets without the metric come last.
    """
    booked = np.flatnonzero((columns["reason"] == "").to_numpy(bool))
    value = columns[metric].to_numpy(float)[booked]
    order = np.lexsort((columns["set"].to_numpy()[booked], -value))
    return booked[order]


def _sessions(laid: Plan, values: Mapping[str, Any]) -> int:
    """Return the sessions a set's ratio rests on: where no day is named, from its first wish."""
    return len(laid.task.single(values).returns)


def _sharpe(
    good: pd.DataFrame, best: pd.Series[Any], trials: Mapping[str, Any], sessions: int
) -> dict[str, Any]:
    year = math.sqrt(SESSIONS_A_YEAR)
    varies = good["deviation"] > 1e-12
    ratios = (good.loc[varies, "mean"] / good.loc[varies, "deviation"]).to_numpy(float)
    spread = float(ratios.std(ddof=1)) if len(ratios) > 1 else math.nan
    own = float(best["mean"] / best["deviation"])
    skew, kurtosis = float(best["skewness"]), float(best["kurtosis"])
    years = sessions / SESSIONS_A_YEAR

    def deflated(number: float) -> float:
        return deflated_sharpe(own, sessions, skew, kurtosis, number, spread)

    cut = haircut(ratios * year, years, trials["ever"])
    return {
        "best": own * year,
        "best_per_session": own,
        "skewness": skew,
        "kurtosis": kurtosis,
        "spread": spread * year,
        "expected_maximum": expected_maximum(trials["sweep"], spread) * year,
        "probabilistic": probabilistic_sharpe(own, sessions, skew, kurtosis),
        "deflated": deflated(trials["sweep"]),
        "deflated_effective": deflated(max(trials["effective"], 1.0)),
        "deflated_ever": deflated(trials["ever"]),
        "minimum_backtest_years": minimum_backtest_years(trials["ever"], max(own * year, 1e-9)),
        "years": years,
        "most_trials_for_a_sharpe_of_one": most_trials(years),
        "haircut": {
            "p": cut.chance,
            "p_allowed": dict(cut.chances),
            "sharpe": dict(cut.sharpes),
            "lost": dict(cut.shares),
            "tests": cut.tests,
        },
    }


def _overfit(blocks: Any, count: int) -> dict[str, Any]:
    found = blocks.overfit("sharpe")
    edges = np.linspace(-10, 10, 41)
    heights, _ = np.histogram(np.clip(found.logits, -10, 10), bins=edges)
    return {
        "pbo": found.pbo,
        "splits": len(found.logits),
        "sets": found.tally.used,
        "of": count,
        "sampled": count > SAMPLED,
        "loss": found.loss,
        "slope": found.slope,
        "intercept": found.intercept,
        "logits": {"edges": edges, "counts": heights},
        "blocks": list(found.lengths),
    }


def _reality(reality: Any) -> dict[str, Any]:
    found = reality.result()
    return {
        "p": found.chance,
        "statistic": found.statistic,
        "replications": REPLICATIONS,
        "block": BLOCK,
        "sets": found.tally.used,
        "benchmark": "no position",
    }


def _plateau(
    laid: Plan, columns: pd.DataFrame, metric: str, best: int
) -> dict[str, Any] | None:
    """Look around the best set, or none where no number is swept."""
    names = [axis.name for axis in laid.grid.numeric]
    if not names:
        return None
    order = np.flatnonzero(columns["set"].to_numpy() == best)
    found = plateau(
        {name: columns[name].to_numpy(float) for name in names},
        columns[metric].to_numpy(float),
        structural={
            axis.name: columns[axis.name].to_numpy(object) for axis in laid.grid.structural
        },
        refused=(columns["reason"] != "").to_numpy(bool),
        grid={axis.name: np.array(axis.values, dtype=float) for axis in laid.grid.numeric},
        chosen=int(order[0]),
    )
    if found is None:
        return None
    if metric == "effective_price":  # nearly all of a price is there whatever is done
        found = replace(found, keeps=math.nan, holding=math.nan)
    if metric in HEDGES and math.isnan(columns[metric].to_numpy(float)[order[0]]):
        found = replace(found, value=math.nan, median=math.nan)
    return {
        "value": found.value,
        "median": found.median,
        "keeps": found.keeps,
        "holding": found.holding,
        "neighbours": columns["set"].to_numpy()[found.neighbours],
        "refused": found.refused,
        "edge": found.edge,
        "absent": found.absent,
        "axes": list(found.axes),
    }


def _stress(laid: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the best set comes to at 0 to 3 ticks against it, and where it breaks even."""
    known: dict[int, Any] = {}

    def at(ticks: int) -> Any:
        if ticks not in known:
            task = replace(
                laid.task, execution=replace(laid.task.execution, slippage=ticks), jobs={}
            )
            known[ticks] = task.single(values)
        return known[ticks]

    def net(ticks: int) -> float:
        return float(at(ticks).metrics["net"])

    rows = [
        {"ticks": ticks, "net": net(ticks), "sharpe": at(ticks).metrics["sharpe"]}
        for ticks in range(4)
    ]
    low, high = 0, 1
    while net(high) > 0 and high < _MOST_TICKS:
        low, high = high, high * 2
    if net(0) <= 0:
        even: float | None = 0.0
    elif net(high) > 0:
        even = None
    else:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if net(middle) > 0 else (low, middle)
        even = low + net(low) / (net(low) - net(high))
    return {"rows": rows, "break_even_ticks": even, "looked_up_to": _MOST_TICKS}


def _few(laid: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what speaks where ratios cannot: other years, other pairs, other entry days."""
    task = laid.task
    try:
        whole = run(
            task.strategy if not task.path.is_file() else task.path,
            task.market,
            {k: "none" if written(v) is None else v for k, v in values.items()},
            account=task.account,
            execution=task.execution,
            terms=task.terms,
            start=task.start,
            goods=task.goods,
            check=False,
        )
    except SibtError as error:
        return {"comparisons": [], "entry_day": None, "note": str(error)}
    days = whole.few_days
    entry = None
    if days is not None and days["chosen"].any():
        entry = {
            "rank": int(days.loc[days["chosen"], "rank"].iloc[0]),
            "of": len(days),
            "best": float(days["net"].max()),
            "median": float(days["net"].median()),
            "worst": float(days["net"].min()),
        }
    rows = whole.comparisons.astype(object).where(whole.comparisons.notna(), None)
    return {"comparisons": rows.to_dict("records"), "entry_day": entry, "note": ""}


def _walk(parts: list[tuple[Any, Any]], laid: Plan) -> dict[str, Any]:
    from sibt.sweep.forward import forward

    ratios = np.stack([ratio for ratio, _ in parts])
    sets = np.stack([chosen for _, chosen in parts])
    # The first of equals: blocks come in the order of their sets.
    at = np.argmax(np.where(np.isnan(ratios), -np.inf, ratios), axis=0)
    columns = np.arange(ratios.shape[1])
    return forward(laid, ratios[at, columns], sets[at, columns].astype(np.int64))


def _verdict(found: Mapping[str, Any], few: bool) -> tuple[bool | None, str]:
    """Return whether the best set is luck, and one sentence a person understands."""
    number = found["trials"]["sweep"]
    best = f"best of {number:,}"
    metric = str(found["metric"])
    label = metric.replace("_", " ")
    if metric in HEDGES and found["best"].get(metric) is None:
        return None, f"{best}: none has a known {label}; the first stands for all"
    plateau_ = found["plateau"]
    around = ""
    if plateau_ is not None and plateau_["keeps"] is not None and not math.isnan(
        plateau_["keeps"]
    ):
        around = f"; its neighbourhood keeps {plateau_['keeps']:.0%} of it"
    if metric in RISKS and not few:
        return None, f"{best}: tests of what futures earned cannot tell of its {label}{around}"
    if few:
        trips = int(found["best"]["round_trips"])
        entry = (found["few"] or {}).get("entry_day")
        rank = "" if entry is None else f"; entry day rank {entry['rank']} of {entry['of']}"
        times = "round trip" if trips == 1 else "round trips"
        roles = {row["role"] for row in (found["few"] or {}).get("comparisons", [])}
        look = "; hold it against its benchmarks" if "benchmark" in roles else ""
        if roles & {"control", "placebo"}:
            look = "; look at the other years and pairs"
        said = f"{trips} {times}"
        if trips >= FEW_TRIPS:
            said = f"{said}, but half of the sets have fewer than {FEW_TRIPS}"
        return None, (
            f"{best}: {said}, too few to tell skill from luck{rank}{look}{around}"
        )
    ratio, overfit, reality = found["sharpe"], found["overfit"], found["reality_check"]
    deflated = ratio["deflated_ever"]
    figures = f"DSR {deflated:.2f}, PBO {overfit['pbo']:.2f}, reality check p {reality['p']:.3f}"
    skill = deflated >= SURE and reality["p"] < 1 - SURE and overfit["loss"] < 1 - SURE
    said = "told from luck" if skill else "not distinguishable from luck"
    if metric in HEDGES:
        said = f"what its futures earned is {said}"
    return not skill, f"{best}: {said}, {figures}{around}"
