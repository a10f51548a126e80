"""Where a hedge's result came from: basis in time, place and grade, and what was left open.

Basis is spot − futures. Between two quotes goods q gain ``q ΔS = q ΔF + q Δb``; the futures, p
tonnes, gain ``p ΔF`` and what their fills add. So

    result = q Δb (basis) + (q + p) ΔF (left open) + fills − slippage − fees − costs,

summed over the quotes: Hull, Options, Futures, and Other Derivatives, section 3.3, where q = −p
and ``effective price = S₀ + (b₁ − b₀) − fees per tonne``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.hedging.hedge import Hedge
from sibt.hedging.outcome import Outcome, cost, traded, valued
from sibt.language import Sentence, said

__all__ = ["PARTS", "Basis", "decompose"]

FloatArray = NDArray[np.float64]

#: Parts of the result of goods and futures, in the order they are told.
PARTS = (
    "time",  # spot of the base grade and region against the contract held: convergence
    "place",  # the region's premium
    "grade",  # the grade's premium over the base grade
    "ratio",  # price changes of tonnes not covered, or covered twice
    "rounding",  # the same of less than a lot
    "agreed",  # prices agreed against the quotes of their sessions
    "fills",  # from the session's price, before slippage, to its settlement
    "slippage",
    "fees",
    "rolls",  # fees and slippage of rolls
    "costs",  # further ones, such as those of delivery
    "unquoted",  # futures before the first and after the last quote
)


@dataclass(frozen=True, eq=False)
class Basis:
    """The result of goods and futures in parts.

    Attributes
    ----------
    outcome : Outcome
        What it is a decomposition of.
    parts : pd.DataFrame
        Indexed by `PARTS`: ``yuan``, what each added to the result of goods and futures, and
        ``per_tonne``, what it added to the effective price (to the cost, for goods needed). The
        price at which the goods came and all ``per_tonne`` make the effective price.
    path : pd.DataFrame
        A row a quote, from the second on: ``since`` (the quote before), ``tonnes`` (owned
        between), changes of ``spot``, ``base`` (quote of the base grade), ``place``,
        ``futures`` (the contracts held, or those the legs name), yuan per tonne; ``from`` and
        ``to``, the basis brought to the contract's standard at both ends (NaN where the grade
        is not deliverable).
    notes : tuple of Sentence
        What the data did not allow to tell apart, a sentence each.
    """

    outcome: Outcome
    parts: pd.DataFrame
    path: pd.DataFrame = field(repr=False)
    notes: tuple[Sentence, ...]

    @property
    def goods(self) -> float:
        """What the goods gained as their quotes changed, yuan: Σ tonnes × change of spot."""
        return float((self.path["tonnes"] * self.path["spot"]).sum())

    @property
    def change(self) -> float:
        """What the change of basis added, yuan: time, place and grade."""
        return float(self.parts.loc[["time", "place", "grade"], "yuan"].sum())


def decompose(
    hedge: Hedge, *, place: "pd.Series[float] | None" = None, costs: float = 0.0
) -> Basis:
    """Return the result of goods and futures in parts that add up to it.

    Parameters
    ----------
    hedge : Hedge
        The hedge.
    place : pd.Series, optional
        Premium of the goods' region over the contract's, yuan per tonne, by session; NaN is
        unknown. Without it the region's part stays in ``time``.
    costs : float
        Further costs, yuan.

    Raises
    ------
    DataError
        No goods or no quote, or a premium that names days which are no sessions.
    """
    end = hedge.outcome(costs)
    reference = _Reference(hedge)
    quotes = pd.DatetimeIndex(hedge.book.spot.dropna().index)
    region, notes = _region(hedge, place)
    path = _path(hedge, reference, quotes, region)

    q, spot = path["tonnes"].to_numpy(), path["spot"].to_numpy()
    known = path["futures"].notna().to_numpy()
    own = np.where(path["base"].isna(), 0.0, spot - path["base"])
    shift = path["place"].fillna(0.0).to_numpy()
    nearer = spot - own - shift - path["futures"].fillna(0.0).to_numpy()
    yuan = dict.fromkeys(PARTS, 0.0)
    for part, moved in (("time", nearer), ("place", shift), ("grade", own)):
        yuan[part] = float((q * moved)[known].sum())
    yuan["ratio"], yuan["rounding"], marked = reference.left_open(path)
    # Without a contract to hold them against, the goods' changes are left open whole.
    yuan["ratio"] += float((q * spot)[~known].sum())

    trades = valued(hedge.book, quotes[quotes >= hedge.sessions[0]])
    worth = trades["tonnes"] * trades["quoted"].map(hedge.book.spot).astype(float)
    yuan["agreed"] = float((trades["value"] + worth).sum())
    yuan["fills"] = float(traded(hedge.result, hedge.sessions)["gain"].sum())
    paid = cost(hedge.result, hedge.sessions, end.tonnes)
    yuan["fees"], yuan["slippage"], yuan["rolls"] = -paid.fees, -paid.slippage, -paid.rolls
    yuan["costs"] = -costs
    yuan["unquoted"] = float(reference.marks.sum()) - marked

    table = pd.DataFrame({"yuan": yuan}, index=pd.Index(PARTS, name="part")) + 0.0
    table["per_tonne"] = end.side * table["yuan"] / end.tonnes + 0.0
    notes += _doubts(hedge, path)
    return Basis(end, table, path, tuple(notes))


class _Reference:
    """The contract goods are held against, session by session.

    It is the contracts in which lots are held overnight, by their lots; where none are, or
    some are long and some short, the contracts the legs name.
    """

    def __init__(self, hedge: Hedge) -> None:
        job = hedge.result.job
        self.sessions = job.market.sessions
        self.settle = np.where(job.prices.settle > 0, job.prices.settle / 100, np.nan)
        size, lots = job.terms.multiplier, hedge.result.booked["positions"].sum(axis=1)
        self.tonnes: FloatArray = (lots * size).astype(float)
        self.lot = float(size[0])
        sums, gross = self.tonnes.sum(axis=1), np.abs(self.tonnes).sum(axis=1)
        one_sided = (gross > 0) & (np.abs(sums) == gross)
        self.weights = _named(job.codes, job.ratio, len(job.contracts))
        self.weights[one_sided] = self.tonnes[one_sided] / sums[one_sided, None]
        # What is held from one session to the next changes by the next one's settlement.
        steps = np.diff(self.settle, axis=0)
        self.change = np.zeros(len(self.sessions))
        self.change[1:] = _weighted(self.weights[:-1], steps)
        self.marks = np.zeros(len(self.sessions))
        self.marks[1:] = (self.tonnes[:-1] * np.nan_to_num(steps)).sum(axis=1)
        self.marks[self.sessions < hedge.sessions[0]] = 0.0

    def moved(self, since: pd.DatetimeIndex, ends: pd.DatetimeIndex) -> FloatArray:
        """Return the contract's change from each quote to the next; NaN where it is unknown."""
        total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(self.change))])
        unknown = np.concatenate([[0], np.cumsum(np.isnan(self.change))])
        a, b = (self.sessions.searchsorted(days) + 1 for days in (since, ends))
        return np.where(unknown[b] > unknown[a], np.nan, total[b] - total[a])

    def left_open(self, path: pd.DataFrame) -> tuple[float, float, float]:
        """Return what open tonnes gained, a lot or more and less, and the marks in it, yuan."""
        goods = np.full(len(self.sessions), np.nan)
        starts = self.sessions.searchsorted(pd.DatetimeIndex(path["since"])) + 1
        stops = self.sessions.searchsorted(pd.DatetimeIndex(path.index)) + 1
        told = path["tonnes"].where(path["futures"].notna(), 0.0)
        for start, stop, tonnes in zip(starts, stops, told, strict=True):
            goods[start:stop] = tonnes
        between = ~np.isnan(goods)
        goods = np.nan_to_num(goods)
        held = np.concatenate([[0.0], self.tonnes.sum(axis=1)[:-1]])
        gained = np.where(between, goods * np.nan_to_num(self.change) + self.marks, 0.0)
        small = np.abs(goods + held) < self.lot
        marked = float(self.marks[between].sum())
        return float(gained[~small].sum()), float(gained[small].sum()), marked


def _named(codes: NDArray[np.int64], ratio: NDArray[np.int64], contracts: int) -> FloatArray:
    """Return weights of the contracts the legs name, shape (T, K); none where none is named."""
    weights = np.zeros((len(codes), contracts))
    for leg, lots in enumerate(np.abs(ratio).tolist()):
        named = np.flatnonzero(codes[:, leg] >= 0)
        weights[named, codes[named, leg]] += lots
    total = weights.sum(axis=1, keepdims=True)
    np.divide(weights, total, out=weights, where=total > 0)
    return weights


def _weighted(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return weighted sums by row; NaN where nothing is weighed or an unknown value is."""
    terms = np.where(weights != 0, weights * values, 0.0)
    found: FloatArray = np.where((weights != 0).any(axis=1), terms.sum(axis=1), np.nan)
    return found


def _region(
    hedge: Hedge, place: "pd.Series[float] | None"
) -> tuple["pd.Series[float]", list[Sentence]]:
    sessions = hedge.result.job.market.sessions
    if place is None:
        note = said("no premium of the region was given, so place is 0 and what it did is in time")
        return pd.Series(0.0, index=sessions), [note]
    strange = pd.DatetimeIndex(place.index).difference(sessions)
    if len(strange):
        raise DataError(
            f"The premium of the region names {strange[0]:%Y-%m-%d}, which is no session; use"
            " market.sessions."
        )
    return place.reindex(sessions).astype(float), []


def _path(
    hedge: Hedge,
    reference: _Reference,
    quotes: pd.DatetimeIndex,
    region: "pd.Series[float]",
) -> pd.DataFrame:
    """Return tonnes and changes from each quote to the next; see `Basis`."""
    first = int(quotes.searchsorted(hedge.sessions[0]))
    ends = quotes[max(first, 1) :]
    since = quotes[max(first, 1) - 1 : -1]
    sessions = reference.sessions
    a, b = sessions.searchsorted(since), sessions.searchsorted(ends)
    spot, premium = hedge.book.spot.to_numpy(), region.to_numpy()
    base, brought = _grade(hedge, reference.weights, a, b)
    futures = reference.moved(since, ends)
    level = _weighted(reference.weights[a], reference.settle[a])
    start = spot[a] - brought - level
    return pd.DataFrame(
        {
            "since": since,
            "tonnes": hedge.book.tonnes.to_numpy()[a],
            "spot": spot[b] - spot[a],
            "base": base,
            "place": premium[b] - premium[a],
            "futures": futures,
            "from": start,
            "to": start + (spot[b] - spot[a]) - futures,
        },
        index=pd.DatetimeIndex(ends, name="session"),
    )


def _grade(
    hedge: Hedge, weights: FloatArray, a: NDArray[np.intp], b: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Return the base grade's change from quote to quote, and the premium of the goods' grade.

    By the contract that weighs most at the quote before; NaN is unknown.
    """
    job, own = hedge.result.job, hedge.book.grade
    base, premium = np.full(len(a), np.nan), np.full(len(a), np.nan)
    weighs = weights[a].any(axis=1)
    main = weights[a].argmax(axis=1)
    for k in np.unique(main[weighs]).tolist():
        life, here = job.lives[k], weighs & (main == k)
        rows = job.market.product(life.product.name).standards
        grades: Mapping[str, float] = next(
            (row.get("grades", {}) for row in rows if row["name"] == life.standard), {}
        )
        benchmark = next((grade for grade, worth in grades.items() if worth == 0), own)
        premium[here] = float(grades.get(own, np.nan))
        if benchmark in job.market.spot.columns:
            quotes = job.market.spot[benchmark].to_numpy()
            base[here] = (quotes[b] - quotes[a])[here]
    return base, premium


def _doubts(hedge: Hedge, path: pd.DataFrame) -> list[Sentence]:
    """Say how often the data did not allow to tell parts of the basis apart."""
    held = path[path["tonnes"] != 0]
    told = held[held["futures"].notna()]
    bare = len(held) - len(told)
    ungraded, unplaced = int(told["base"].isna().sum()), int(told["place"].isna().sum())
    notes = []
    if bare:
        notes.append(said(
            "{count} of {all} changes from quote to quote have no contract to hold the goods"
            " against; they are left open whole", count=bare, all=len(held),
        ))  # fmt: skip
    if ungraded:
        notes.append(said(
            "{count} of {all} changes from quote to quote have no quote of the base grade beside"
            " {grade}; the grade counts 0 there and is in time",
            count=ungraded, all=len(held), grade=hedge.book.grade,
        ))  # fmt: skip
    if unplaced:
        notes.append(said(
            "{count} of {all} changes from quote to quote have no premium of the region; place"
            " counts 0 there and is in time", count=unplaced, all=len(held),
        ))  # fmt: skip
    return notes
