"""The doctor: what makes a run's result doubtful, why that matters, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.account import BROKER_FEES, BROKER_MARGIN
from sibt.engine.ledger import FILL_REASONS
from sibt.engine.prices import SHORTFALLS
from sibt.engine.statement import at_market
from sibt.errors import SibtError
from sibt.language import Sentence, said
from sibt.runs.run import Run, context_of, wishes_of

__all__ = ["Diagnosis", "diagnose"]

IntArray = NDArray[np.int64]

#: Margin as a share of equity that leaves too little room for a bad day.
_TIGHT = 0.8
#: Share of a session's volume above which a fill moves the price it is booked at, and the share
#: of a run's lots that may be of such fills.
_LARGE, _MANY = 0.05, 0.1
#: Share of the lots wished for, session by session, that may go unfilled.
_SHORT = 0.05
#: A result that so few days make is an event; of fewer sessions than that nothing can be told.
_FEW_DAYS, _ENOUGH = 3, 10
#: Values of a grid below which each of them is an edge.
_FEWEST = 3

_EXIT, _SETTLED, _DELIVERED = map(
    FILL_REASONS.index, ("exit date", "exit date, at settlement", "delivery")
)

#: Fills that took lots away for want of margin, and orders that fell short for want of it.
_CLOSED = tuple(map(FILL_REASONS.index, ("margin call", "bust")))
_BEYOND = SHORTFALLS.index("margin")


@dataclass(frozen=True)
class Diagnosis:
    """One thing that makes a result doubtful.

    Attributes
    ----------
    name : str
        What it is called in ``metrics.json``.
    issue, why, cure : Sentence
        What there is, why it matters, and what to do.
    figures : mapping
        What it rests on; money in yuan, shares as shares, days as text.
    instead : tuple of str
        Warnings and notes of the run it stands for; they are not shown beside it.
    """

    name: str
    issue: Sentence
    why: Sentence
    cure: Sentence
    figures: Mapping[str, Any] = field(default_factory=dict)
    instead: tuple[str, ...] = ()


def diagnose(run: Run) -> tuple[Diagnosis, ...]:
    """Return what makes a run's result doubtful, the gravest first.

    A hedge follows its goods: whether few trips or days made what its futures earned, and
    whether costs did, is not asked of it. All else is.

    Parameters
    ----------
    run : Run
        The run.
    """
    return tuple(one for check in _CHECKS for one in check(run))


# -- Whether there is anything to judge -------------------------------------------------------


def _nothing_held(run: Run) -> Iterator[Diagnosis]:
    result = run.result
    if len(result.booked["fills"]):
        return
    why = said("a result of zero says nothing of the idea, good or bad")
    late = _told(run, "nothing could be traded")
    if late:
        cure = said("bring later data: sibt data pull --source akshare, or sibt data import FILE")
        yield Diagnosis("nothing_held", late[0], why, cure, instead=tuple(late))
    elif len(result.unfilled):
        reason = _main_reason(result.booked["shorts"])
        yield Diagnosis(
            "nothing_held",
            said("no position was ever held: no order filled ({orders:,} times)",
                 orders=len(result.unfilled)),
            why, _CURES[reason], {"orders": len(result.unfilled), "reason": reason},
        )  # fmt: skip
    else:
        yield Diagnosis(
            "nothing_held",
            said("no position was ever held: the strategy wished for none"),
            why,
            said("loosen its entry with -p, or look at what it sees: sibt data show"),
            {"orders": 0},
        )


# -- Whether the account could bear it --------------------------------------------------------


def _margin(run: Run) -> Iterator[Diagnosis]:
    """Find bust, margin calls, or margin near equity at the account's or a broker's rates."""
    result, job = run.result, run.result.job
    s, m = result.statement, result.metrics
    lots = np.abs(result.booked["positions"]).sum(axis=1)
    worth = (lots * job.prices.settle * job.terms.multiplier).sum(axis=1) / 100
    margin = s["margin"] + worth * max(BROKER_MARGIN - job.account.broker_margin, 0.0)
    alive = (s["equity"] > 0).to_numpy()
    risk = (margin / s["equity"])[alive]
    if risk.empty or not worth.any():
        return
    own, broker = float(s["risk"].max()), float(risk.max())
    bust = _told(run, "the account was bust")
    if not (bust or m["margin_calls"] or own >= _TIGHT or broker >= 1.0):
        return
    earned = s["equity"] - s["deposit"].cumsum() - job.account.capital
    need = float((margin / _TIGHT - earned).max())
    capital = math.ceil(need / 10_000) * 10_000
    shorts, fills = result.booked["shorts"], result.booked["fills"]
    if run.params.asked_for("capital"):
        cure = said("trade fewer units: the strategy sizes them by its capital, and more of it"
                    " takes more margin")  # fmt: skip
    elif (shorts[:, 5] == _BEYOND).any() or np.isin(fills[:, 7], _CLOSED).any():
        # The lots that were never held, or not to the end, are not in the margin seen here.
        cure = _CURES["margin"]
    else:
        cure = said("trade fewer units, or see --capital {capital:,.0f}: with a broker's rates it"
                    " keeps margin below {tight:.0%} of equity", capital=capital, tight=_TIGHT)
    figures = {
        "highest_risk": own, "on": _day(s["risk"].idxmax()), "at_broker": round(broker, 6),
        "at_broker_on": _day(risk.idxmax()), "margin_calls": m["margin_calls"],
        "largest_call": m["largest_call"], "capital": cure.values.get("capital"),
    }  # fmt: skip
    if bust:
        issue = bust[0]
    elif m["margin_calls"]:
        issue = said("margin calls: {calls:,}, the largest of {largest:,.0f} yuan",
                     calls=m["margin_calls"], largest=m["largest_call"])  # fmt: skip
    else:
        issue = said(
            "margin took {own:.0%} of equity on {on}, and {broker:.0%} with a broker's five points"
            " more",
            own=own, on=figures["on"], broker=broker,
        )  # fmt: skip
    yield Diagnosis(
        "margin",
        issue,
        said("above 100 % lots are closed at once, at the price of that day, whatever the idea"
             " says; a result on the brink of it is luck"),
        cure,
        figures,
        tuple(bust),
    )  # fmt: skip


# -- Whether the orders would have filled -----------------------------------------------------


def _unfilled(run: Run) -> Iterator[Diagnosis]:
    """Find lots wished for and not held; resting orders wait, which is what they are for."""
    result = run.result
    shorts = result.booked["shorts"]
    shorts = shorts[shorts[:, 5] != SHORTFALLS.index("price not reached")]
    if not len(shorts) or not len(result.booked["fills"]):
        return
    if result.wants is not None:
        wished = int(np.abs(result.wants).sum())
    else:
        wished = int(np.abs(result.want).sum()) * int(np.abs(result.job.ratio).sum())
    missed = int(np.abs(shorts[:, 3] - shorts[:, 4]).sum())
    share = missed / wished  # a fill there was, so a wish too
    if share < _SHORT:
        return
    reason = _main_reason(shorts)
    yield Diagnosis(
        "unfilled",
        said("orders fell short ({orders:,}): counted session by session, the position was off by"
             " {share:.0%} of what was wished for", orders=len(shorts), share=share),
        said("the result is that of another position than the one the strategy wished for"),
        _CURES[reason],
        {"orders": len(shorts), "share": round(share, 6), "reason": reason},
    )  # fmt: skip


#: What to do about orders that do not fill, by the reason.
_CURES = {
    "limit": said("let the strategy wait for an open market, or see --fill close"),
    "volume": said("trade fewer units, or over more sessions; see --participation for the cap"),
    "no trade": said("take a contract that trades in every session"),
    "no price": said("take a contract whose prices are known, or see another --fill"),
    "price not reached": said("move the resting price, or leave it out"),
    "margin": said("trade fewer units, or give more --capital"),
    "not listed": said("wish for a contract only while it is listed"),
    "delivery month": said("let the strategy leave or roll earlier, or see another --kind"),
    "pair": said("look at the other leg, or see --pairing legged"),
}


def _main_reason(shorts: IntArray) -> str:
    """Return why most lots did not fill; that the other leg did not is no reason of its own."""
    lots = np.bincount(shorts[:, 5], weights=np.abs(shorts[:, 3] - shorts[:, 4]),
                       minlength=len(SHORTFALLS))  # fmt: skip
    pair = SHORTFALLS.index("pair")
    if np.delete(lots, pair).any():
        lots[pair] = 0.0
    return SHORTFALLS[int(lots.argmax())]


def _thin(run: Run) -> Iterator[Diagnosis]:
    """Find fills that took a large part of a session's volume, both sides together."""
    job, fills = run.result.job, run.result.booked["fills"]
    fills = fills[fills[:, 7] < _SETTLED]
    lots = np.zeros(job.prices.settle.shape)
    np.add.at(lots, (fills[:, 0], fills[:, 2]), np.abs(fills[:, 3]))
    volume = job.market.volume[:, [job.market.column(code) for code in job.contracts]]
    share = np.divide(lots, volume, out=np.zeros_like(lots), where=volume > 0)
    large = share > _LARGE
    if not lots.any() or lots[large].sum() < _MANY * lots.sum():
        return
    t, k = divmod(int(share.argmax()), share.shape[1])
    figures = {
        "fills": int((lots > 0).sum()), "large": int(large.sum()),
        "lots": round(float(lots[large].sum() / lots.sum()), 6),
        "largest": round(float(share[t, k]), 6), "contract": job.contracts[k],
        "on": _day(job.market.sessions[t]),
    }  # fmt: skip
    yield Diagnosis(
        "thin",
        said("orders took more than {limit:.0%} of the volume in {large:,} of {fills:,} fills,"
             " {largest:.0%} at the most ({contract} on {on})", limit=_LARGE, **figures),
        said("a market that thin does not stand still: the price moves before such an order is"
             " done, and the fills here are too good"),
        said("trade fewer units, or see what is left with --participation {limit} --slippage"
             " {ticks}", limit=0.02, ticks=job.execution.slippage + 2),
        figures,
    )  # fmt: skip


def _unknown_volume(run: Run) -> Iterator[Diagnosis]:
    told = _told(run, "{unknown} of {all} fills")
    if told:
        yield Diagnosis(
            "unknown_volume",
            told[0],
            said("nobody knows whether so many lots were to be had there"),
            said("bring bars with volume: sibt data pull --source akshare, or sibt data import"
                 " FILE"),
            dict(told[0].values),
            tuple(told),
        )  # fmt: skip


# -- Whether it is more than its costs --------------------------------------------------------


def _costs(run: Run) -> Iterator[Diagnosis]:
    """Find a gain that one more tick or a broker's fees take, or a loss that costs made."""
    result, m = run.result, run.result.metrics
    job, fills = result.job, result.booked["fills"]
    if run.hedge is not None or not len(fills):
        return
    t, k, lots = fills[:, 0], fills[:, 2], np.abs(fills[:, 3])
    each = lots * job.terms.tick[t, k] * job.terms.multiplier[k]
    tick = round(float(each[at_market(fills, result.limits)].sum()), 2)
    fees = max(m["fees_at_broker"] - m["fees"], 0.0)
    net, paid = m["net"], m["fees"] + m["slippage"]
    even = job.execution.slippage + net / tick if tick else None
    figures = {
        "net": net, "one_more_tick": tick, "broker_fees_more": round(fees, 2),
        "fees_and_slippage": round(paid, 2),
        "break_even_ticks": None if even is None or even < 0 else round(even, 2),
    }  # fmt: skip
    if 0 < net < max(tick, fees):
        issue = said(
            "a gain of {net:,.0f} yuan is within the error of its costs: one more tick a fill takes"
            " {tick:,.0f}, a broker's fees {fees:,.0f} more",
            net=net, tick=tick, fees=fees,
        )  # fmt: skip
    elif net <= 0 < net + paid:
        issue = said(
            "costs made the loss: {gross:+,.0f} yuan before {paid:,.0f} of fees and slippage",
            gross=net + paid, paid=paid,
        )  # fmt: skip
    else:
        return
    yield Diagnosis(
        "costs",
        issue,
        said("no backtest knows its costs to the tick: here they decide, not the idea"),
        said("see --slippage {ticks} and --fee-markup {times:g}; trade less often, or for wider"
             " moves", ticks=job.execution.slippage + 1, times=BROKER_FEES),
        figures,
    )  # fmt: skip


# -- Whether it is more than an event ---------------------------------------------------------


def _one_trip(run: Run) -> Iterator[Diagnosis]:
    """Find the one round trip that is the result, or without which its sign would turn."""
    trips, net = run.result.round_trips, run.result.metrics["net"]
    if run.hedge is not None or trips.empty or not net:
        return
    each = trips["net"].to_numpy(float)
    at = int(each.argmax() if net > 0 else each.argmin())
    entry, rest = trips["entry"].iloc[at], round(net - float(each[at]), 2)
    if rest * net > 0:
        return
    if len(trips) == 1:
        issue = said("one round trip is the whole result")
    else:
        issue = said(
            "one of {trips} round trips, entered on {entry:%Y-%m-%d}, makes the result: the others"
            " come to {rest:+,.0f} yuan",
            trips=len(trips), entry=entry, rest=rest,
        )  # fmt: skip
    cure = said("weigh it by what it is held against, and by the rank of its entry day")
    if run.comparisons.empty:
        cure = said("let the strategy name other years or pairs in comparisons(), and bring longer"
                    " data: sibt data pull --source akshare")  # fmt: skip
    yield Diagnosis(
        "one_trip", issue, said("one event cannot be told from luck"), cure,
        {"round_trips": len(trips), "entry": _day(entry), "rest": rest},
    )  # fmt: skip


def _few_days(run: Run) -> Iterator[Diagnosis]:
    """Find three sessions at the most without which the result's sign would turn."""
    s, net = run.result.statement, run.result.metrics["net"]
    held = (run.result.booked["positions"] != 0).any(axis=(1, 2))
    held[run.result.booked["fills"][:, 0]] = True
    count = int(held.sum())
    if run.hedge is not None or count < _ENOUGH or not net:
        return
    daily = (s["mtm"] - s["fees"]).sort_values(ascending=net < 0, kind="stable")
    rest = (net - daily.iloc[:_FEW_DAYS].cumsum()).round(2)
    turned = np.flatnonzero(rest.to_numpy() * net <= 0)
    if not len(turned):
        return
    days = sorted(map(_day, rest.index[: turned[0] + 1]))
    figures = {"days": days, "of": count, "rest": float(rest.iloc[turned[0]])}
    way = said("best") if net > 0 else said("worst")
    yield Diagnosis(
        "few_days",
        said("without {listed}, the {way} of {of:,} sessions with a position, the result is"
             " {rest:+,.0f} yuan", listed=", ".join(days), way=way, of=count, rest=figures["rest"]),
        said("what a few days made, a day's delay or one other news unmakes"),
        said("read in statement.csv what happened there; see --fill close and a later --from"),
        figures,
    )  # fmt: skip


def _left_late(run: Run) -> Iterator[Diagnosis]:
    """Find lots that left because of a date, or that were traded in their delivery month."""
    job, fills = run.result.job, run.result.booked["fills"]
    sessions = job.market.sessions
    starts = [life.delivery_start for life in job.lives]
    month = np.array([
        starts[k] is not None and sessions[t] >= starts[k] for t, k in fills[:, [0, 2]].tolist()
    ], dtype=bool)  # fmt: skip
    settled = fills[:, 7] == _SETTLED
    forced = settled | (fills[:, 7] == _EXIT)
    month &= fills[:, 7] != _DELIVERED
    late = settled if settled.any() else forced if forced.any() else month
    if not late.any():
        return
    codes = ", ".join(dict.fromkeys(job.contracts[k] for k in fills[late, 2]))
    values = {"lots": int(np.abs(fills[late, 3]).sum()), "codes": codes,
              "day": sessions[fills[late, 0].max()]}  # fmt: skip
    if settled.any():
        issue = said("lots of {codes} ({lots:,}) could not be closed in time and left at the"
                     " settlement of {day:%Y-%m-%d}", **values)  # fmt: skip
        why = said("nobody can trade at a settlement: in the market they would have cost more, and"
                   " the exchange would have closed them")  # fmt: skip
    elif forced.any():
        issue = said("lots of {codes} ({lots:,}) were closed by the date they had to be, the last"
                     " on {day:%Y-%m-%d}, and not by the strategy", **values)  # fmt: skip
        why = said("all who must leave that day do: the price is theirs, and the exit no part of"
                   " the idea")  # fmt: skip
    else:
        issue = said("lots of {codes} ({lots:,}) were traded in their delivery month, the last on"
                     " {day:%Y-%m-%d}", **values)  # fmt: skip
        why = said("margins rise there, few still trade, and prices follow the receipts")
    cure = said("let the strategy leave or roll sessions earlier; sibt.contract knows the day")
    if run.hedge is not None:
        cure = said("roll or lift the hedge sessions earlier, or deliver: --at-expiry deliver with"
                    " --kind company or hedger")  # fmt: skip
    yield Diagnosis(
        "left_late", issue, why, cure,
        {"at_settlement": int(np.abs(fills[settled, 3]).sum()),
         "by_date": int(np.abs(fills[forced, 3]).sum()),
         "in_delivery_month": int(np.abs(fills[month, 3]).sum()), "contracts": codes},
        tuple(_told(run, "{code} could not be closed")),
    )  # fmt: skip


# -- What its figures rest on -----------------------------------------------------------------


def _idle(run: Run) -> Iterator[Diagnosis]:
    told = _told(run, "a position was held in")
    if not told:
        return
    values = told[0].values
    held = (run.result.booked["positions"] != 0).any(axis=(1, 2))
    # The fill that closes it comes in the session after, and belongs to the result.
    row = max(int(np.flatnonzero(held)[-1]), int(run.result.booked["fills"][:, 0].max()))
    last = run.result.job.market.sessions[row]
    if run.hedge is None:
        why = said("Sharpe ratio, volatility and what is called a year's are those of an account"
                   " that mostly waits")  # fmt: skip
        cure = said("--to {last:%Y-%m-%d} ends the run with its last position; or read yuan per"
                    " tonne and round trips instead", last=last)  # fmt: skip
    else:
        why = said("in all the others goods lay open: this is a view on when, more than a hedge")
        cure = said("hold it against the constant hedges below, and look at goods + futures")
    yield Diagnosis(
        "idle",
        said("a position was held in {active:,} of the {counted:,} sessions that count for returns",
             **values),
        why, cure, {**values, "last": _day(last)}, tuple(told),
    )  # fmt: skip


def _edge(run: Run) -> Iterator[Diagnosis]:
    """Find parameters at the end of their grid, where what lies beyond would matter."""
    found = {}
    for name, param in run.strategy.declared().items():
        value = dict(run.params.items())[name]
        grid = sorted({v for v in param.grid if isinstance(v, int | float)})
        if param.structural or len(grid) < _FEWEST or math.isnan(value):
            continue
        up = value >= grid[-1]
        if not up and value > grid[0]:
            continue
        bound, inside = (param.high, grid[-2]) if up else (param.low, grid[1])
        if value != bound and _matters(run, name, inside):
            found[name] = (value, grid)
    if not found:
        return
    listed = ", ".join(
        f"{name}={value:g} ({grid[0]:g}..{grid[-1]:g})" for name, (value, grid) in found.items()
    )
    name, (value, grid) = next(iter(found.items()))
    step = grid[-1] - grid[-2] if value >= grid[-1] else grid[1] - grid[0]
    param = run.strategy.declared()[name]
    low = max(value - 2 * step, -math.inf if param.low is None else param.low)
    high = min(value + 2 * step, math.inf if param.high is None else param.high)
    yield Diagnosis(
        "edge",
        said("at the edge of what its grid tries: {listed}", listed=listed),
        said("a better value may lie beyond, and a result on an edge has been looked at from one"
             " side only"),
        said("sibt sweep {strategy} -p {name}={low:g}:{high:g}:{step:g}",
             strategy=run.given if run.path.is_file() else "FILE.py", name=name, low=low, high=high,
             step=step),
        {name: {"value": value, "grid": list(grid)} for name, (value, grid) in found.items()},
    )  # fmt: skip


def _matters(run: Run, name: str, other: Any) -> bool:
    """Tell whether another value of a parameter changes what is wished for in this run."""
    job = run.result.job
    context = context_of(job.account, job.execution, run.goods)

    def wished(values: Mapping[str, Any]) -> NDArray[Any]:
        p = run.strategy.params(values, context)
        units = wishes_of(run.strategy, run.path, run.market, p, run.window[0]).units
        stand: NDArray[Any] = units.reindex(run.market.sessions).ffill().fillna(0.0).to_numpy()
        return stand

    own = dict(run.params.items())
    try:
        return not np.array_equal(wished(own), wished({**own, name: other}))
    except SibtError:
        return True


def _terms(run: Run) -> Iterator[Diagnosis]:
    """Find sessions outside the days for which terms were looked up."""
    for begin in ("terms of {product} are", "sessions before {first"):
        for told in _told(run, begin):
            yield Diagnosis(
                "terms",
                told,
                said("margins, price limits and fees of that time may have been others: so may net"
                     " result and margin calls"),
                said("bring what was charged, in terms.csv beside the bars; or see --term"
                     " margin=0.15 --term fee=0.0002"),
                {name: _plain(value) for name, value in told.values.items()},
                (told,),
            )  # fmt: skip


#: The gravest first.
_CHECKS: tuple[Callable[[Run], Iterator[Diagnosis]], ...] = (
    _nothing_held, _margin, _unfilled, _thin, _unknown_volume, _costs, _one_trip, _few_days,
    _left_late, _edge, _idle, _terms,
)  # fmt: skip


def _told(run: Run, begin: str) -> list[Sentence]:
    """Return warnings and notes of the run by how their pattern begins."""
    return [
        word
        for word in (*run.notes, *run.result.warnings)
        if isinstance(word, Sentence) and word.pattern.startswith(begin)
    ]


def _day(day: Any) -> str:
    return f"{day:%Y-%m-%d}"


def _plain(value: Any) -> Any:
    return _day(value) if isinstance(value, pd.Timestamp) else value
