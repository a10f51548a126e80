"""What a hedge was worth: effective price, risk cut, the old standards' screens, basis and cost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from sibt.errors import DataError, SettingError
from sibt.hedging.basis import Basis, decompose
from sibt.hedging.bootstrap import interval
from sibt.hedging.hedge import FEW_MONTHS, MONTH, Hedge
from sibt.hedging.outcome import Cost, Outcome, cost
from sibt.hedging.reduction import reductions
from sibt.hedging.screen import RegressionTest, offsets, regression_test
from sibt.language import Sentence, said

__all__ = [
    "STRETCHES",
    "Difference",
    "Effectiveness",
    "Timing",
    "effectiveness",
    "stack_minus_strip",
    "timing",
]

#: Lengths of the stretches over which risk is compared, quotes: a month and a week.
STRETCHES = (MONTH, 5)

#: A difference of prices below this, yuan per tonne, is none.
_CENT = 0.005


@dataclass(frozen=True)
class Timing:
    """The timed hedge held against the constant one of the same average ratio.

    Attributes
    ----------
    better : float
        By how much its effective price is better, yuan per tonne.
    low, high : float
        95 % interval of `better`: what other orders of the same days might have made of it. NaN
        below `FEW_MONTHS` blocks of sessions.
    block : int
        Mean length of a block of the bootstrap, sessions.
    """

    better: float
    low: float
    high: float
    block: int

    @property
    def proven(self) -> bool:
        """True where chance does not explain that it is better."""
        return self.low > 0.0

    @property
    def verdict(self) -> Sentence:
        """What it was worth, in a sentence."""
        if abs(self.better) < _CENT:
            return said(
                "The timing rule came to the same price as the constant hedge at its average ratio:"
                " timing added nothing."
            )
        if self.better < 0.0:
            return said(
                "The timing rule was {worse:,.1f} yuan/t worse than the constant hedge at its"
                " average ratio: timing was worth nothing.",
                worse=-self.better,
            )
        if math.isnan(self.low):
            return said(
                "The timing rule was {better:,.1f} yuan/t better than the constant hedge at its"
                " average ratio; the run is too short to tell it from chance.",
                better=self.better,
            )
        if not self.proven:
            return said(
                "The timing rule was {better:,.1f} yuan/t better than the constant hedge at its"
                " average ratio, but chance explains it (95% interval {low:+,.1f} to"
                " {high:+,.1f}).",
                better=self.better, low=self.low, high=self.high,
            )  # fmt: skip
        return said(
            "The timing rule was {better:,.1f} yuan/t better than the constant hedge at its"
            " average ratio, more than chance explains (95% interval {low:+,.1f} to"
            " {high:+,.1f}).",
            better=self.better, low=self.low, high=self.high,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Effectiveness:
    """What a hedge was worth.

    Attributes
    ----------
    hedge : Hedge
        The hedge.
    outcome : Outcome
        Effective price and what it is made of.
    programs : pd.DataFrame
        The hedge and what it is held against on the same goods, by name: ``price`` (effective,
        yuan per tonne), ``better`` (by how much the hedge's is better; zero for itself),
        ``futures`` (net, yuan), ``ratio`` (average), ``variance_reduction`` (over `MONTH`, NaN
        below `FEW_MONTHS` stretches).
    timing : Timing or None
        Against the constant hedge; None where none was named.
    reductions : pd.DataFrame
        Indexed by stretch and measure; see `sibt.hedging.reduction.reductions`.
    offsets : pd.DataFrame
        Dollar offset by month and to date; see `sibt.hedging.screen.offsets`.
    regression : RegressionTest or None
        Futures on goods over stretches of `MONTH`; None where it is unknown.
    cost : Cost
        Fees, slippage and rolls.
    basis : Basis
        The result in parts.
    unknown : tuple of Sentence
        What could not be told and why, a sentence each.
    """

    hedge: Hedge = field(repr=False)
    outcome: Outcome
    programs: pd.DataFrame
    timing: Timing | None
    reductions: pd.DataFrame
    offsets: pd.DataFrame
    regression: RegressionTest | None
    cost: Cost
    basis: Basis = field(repr=False)
    unknown: tuple[Sentence, ...]


def effectiveness(
    hedge: Hedge,
    others: Mapping[str, Hedge] | None = None,
    *,
    constant: str | None = None,
    name: str = "this hedge",
    costs: float = 0.0,
    roll_spread: float = 0.0,
    place: "pd.Series[float] | None" = None,
    seed: int = 0,
) -> Effectiveness:
    """Return what a hedge was worth.

    Parameters
    ----------
    hedge : Hedge
        The hedge.
    others : mapping of str to Hedge, optional
        What it is held against, by name: never and always hedged, constant; on the same goods.
        They are counted over the sessions that count for `hedge`.
    constant : str, optional
        Which of `others` is the constant hedge at the same average ratio, which a timing rule
        must beat to be worth anything.
    name : str
        What the hedge is called in ``programs``.
    costs : float
        Further costs of the hedge, such as those of delivery, yuan; `others` bear none.
    roll_spread : float
        Paid (+) or received (−) from contract to contract in rolls, yuan.
    place : pd.Series, optional
        See `sibt.hedging.basis.decompose`.
    seed : int
        Of the bootstraps.

    Raises
    ------
    DataError
        No goods or no quotes.
    SettingError
        Something in `others` is on other goods, or `constant` is not among them.
    """
    others = dict(others or {})
    if constant is not None and constant not in others:
        raise SettingError(
            f"'{constant}' is not among what the hedge is held against; it is"
            f" {', '.join(others) or 'nothing'}."
        )
    end = hedge.outcome(costs)
    beside = {
        other: replace(one, since=hedge.sessions[0]) for other, one in others.items()
    }
    for other, one in beside.items():
        _same_goods(hedge, one, other)
    rows = {
        each: _row(one, end, costs if one is hedge else 0.0)
        for each, one in {name: hedge, **beside}.items()
    }
    unknown, months, regression = [], hedge.stretches(), None
    if len(months) < FEW_MONTHS:
        unknown.append(said(
            "there are {count} stretches of {length} quotes with anything at risk; below {fewest}"
            " neither a share of risk nor a regression is told",
            count=len(months), length=MONTH, fewest=FEW_MONTHS,
        ))  # fmt: skip
    else:
        try:
            regression = regression_test(months["physical"], months["gross"])
        except DataError:
            unknown.append(said(
                "goods or futures changed by the same amount in every stretch, so there is no"
                " regression"
            ))  # fmt: skip
    basis = decompose(hedge, place=place, costs=costs)
    return Effectiveness(
        hedge=hedge,
        outcome=end,
        programs=pd.DataFrame.from_dict(rows, orient="index").rename_axis("program"),
        timing=None if constant is None else timing(hedge, beside[constant], seed=seed),
        reductions=_reductions(hedge, seed),
        offsets=offsets(hedge.changes, _worth(hedge)),
        regression=regression,
        cost=cost(hedge.result, hedge.sessions, end.tonnes, spread=roll_spread),
        basis=basis,
        unknown=(*unknown, *basis.notes),
    )


def _row(one: Hedge, end: Outcome, costs: float) -> dict[str, float]:
    own = one.outcome(costs)
    cut = one.metrics["variance_reduction"]
    return {
        "price": own.price,
        "better": end.better(own) + 0.0,
        "futures": own.futures,
        "ratio": one.average_ratio,
        "variance_reduction": math.nan if cut is None else cut,
    }


def _same_goods(hedge: Hedge, other: Hedge, name: str) -> None:
    """Refuse to hold a hedge against one on other goods: prices would not compare."""
    same = (
        hedge.book.grade == other.book.grade
        and hedge.book.tonnes.equals(other.book.tonnes)
        and hedge.book.spot.equals(other.book.spot)
        and hedge.book.trades.reset_index(drop=True).equals(
            other.book.trades.reset_index(drop=True)
        )
    )
    if not same:
        raise SettingError(
            f"'{name}' is a hedge of other goods, so their prices do not compare; give it the same"
            " exposure and market."
        )


def timing(hedge: Hedge, constant: Hedge, *, seed: int = 0) -> Timing:
    """Hold a timed hedge against the constant one of the same average ratio.

    The difference of their daily futures results is resampled by the stationary bootstrap, in
    blocks of `MONTH` sessions on average, over the sessions in which either held anything.

    Parameters
    ----------
    hedge, constant : Hedge
        On the same goods; counted over the sessions that count for `hedge`.
    seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        No goods or no quotes.
    """
    sessions, tonnes = hedge.sessions, hedge.outcome().tonnes
    gained = (hedge.table["futures"] - constant.table["futures"]).loc[sessions]
    held = ((hedge.table["lots"] != 0) | (constant.table["lots"] != 0)).loc[sessions]
    seen = gained[held | (gained != 0)]
    low = high = math.nan
    if len(seen) >= FEW_MONTHS * MONTH:
        low, high = interval(
            seen.to_numpy()[:, None] / tonnes,
            lambda drawn: np.asarray(drawn[..., 0].sum(axis=-1)),
            block=float(MONTH),
            seed=seed,
        )
    return Timing(float(gained.sum()) / tonnes, low, high, MONTH)


def _reductions(hedge: Hedge, seed: int) -> pd.DataFrame:
    tables = {}
    for length in STRETCHES:
        sums = hedge.stretches(length)
        tables[length] = reductions(sums["physical"], sums["hedged"], seed=seed)
    return pd.concat(tables, names=["stretch"])


def _worth(hedge: Hedge) -> "pd.Series[float]":
    """Return the value of the goods at the quote before each of the hedge's changes, yuan."""
    quoted = hedge.book.spot.dropna()
    before = (quoted * hedge.book.tonnes.reindex(quoted.index)).shift(1).fillna(0.0)
    return before.reindex(hedge.changes.index)


@dataclass(frozen=True, eq=False)
class Difference:
    """A stack less a strip on the same goods: what lies in the curve and in the rolls.

    Attributes
    ----------
    price : float
        By how much the stack's effective price is better, yuan per tonne.
    futures : float
        Its futures result less the strip's, after fees, yuan.
    cost : float
        Its fees and slippage, rolls among them, less the strip's, yuan.
    path : pd.Series
        Futures result of the stack less the strip's, by session, summed up to it, yuan.
    worst : float
        Lowest point of `path`, yuan, zero or less: the cash it took more than the strip.
    risk : float
        Standard deviation of the difference over stretches of `MONTH` sessions, yuan; NaN below
        `FEW_MONTHS` of them.
    """

    price: float
    futures: float
    cost: float
    path: "pd.Series[float]" = field(repr=False)
    worst: float
    risk: float


def stack_minus_strip(stack: Hedge, strip: Hedge) -> Difference:
    """Return what a stack rolled forward came to beside a strip on the same goods.

    A strip sells the month the goods are sold in; a stack sells all in the liquid front month
    and rolls. The difference is roll and curve risk: Culp and Miller (1995), Journal of Applied
    Corporate Finance 7(4), 62; Mello and Parsons (1995), the same 8(1), 106.

    Parameters
    ----------
    stack, strip : Hedge
        On the same goods; counted over the sessions that count for `stack`.

    Raises
    ------
    DataError
        No goods or no quotes.
    SettingError
        They hedge other goods.
    """
    strip = replace(strip, since=stack.sessions[0])
    _same_goods(stack, strip, "strip")
    own, other = stack.outcome(), strip.outcome()
    sessions = stack.sessions
    gained = (stack.table["futures"] - strip.table["futures"]).loc[sessions]
    path = gained.cumsum().round(2).rename("stack less strip")
    held = (stack.table["lots"] != 0) | (strip.table["lots"] != 0)
    seen = gained[held.loc[sessions] | (gained != 0)].to_numpy()
    months = seen[: len(seen) // MONTH * MONTH].reshape(-1, MONTH).sum(axis=1)
    paid = [cost(each.result, sessions, own.tonnes).total for each in (stack, strip)]
    return Difference(
        price=own.better(other),
        futures=round(own.futures - other.futures, 2),
        cost=round(paid[0] - paid[1], 2),
        path=path,
        worst=min(float(path.min()), 0.0),
        risk=float(months.std(ddof=1)) if len(months) >= FEW_MONTHS else math.nan,
    )
