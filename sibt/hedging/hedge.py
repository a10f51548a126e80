"""A hedge: the physical book and the futures account together, against no hedge at all."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sibt.engine import metrics
from sibt.engine.account import Account
from sibt.engine.job import Job
from sibt.engine.money import MARGIN_SCALE
from sibt.engine.result import BROKER_MARGIN, Result
from sibt.errors import DataError
from sibt.hedging.outcome import Outcome, outcome
from sibt.hedging.physical import PhysicalBook
from sibt.hedging.reduction import variance_reduction
from sibt.language import Sentence, said

__all__ = ["ADVERSE_MOVE", "FEW_MONTHS", "MONTH", "Hedge", "size_account"]

#: Sessions over which changes are compared: about a month, the horizon of a sale. Spot quotes
#: are sticky, so that from day to day the futures move and the quote does not.
MONTH = 20

#: Below so many of these stretches a share of variance means nothing.
FEW_MONTHS = 6

#: The move against a hedge its account is sized to stand without a margin call, a share.
ADVERSE_MOVE = 0.20


@dataclass(frozen=True, eq=False)
class Hedge:
    """Physical and futures side by side.

    Attributes
    ----------
    book : PhysicalBook
        Tonnes, spot and their gain.
    result : Result
        The futures account.
    since : pd.Timestamp, optional
        First session that counts; by default the first of the result's returns. A hedge held
        against another counts from the other's.
    """

    book: PhysicalBook = field(repr=False)
    result: Result = field(repr=False)
    since: pd.Timestamp | None = None

    @cached_property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions that count, to the end of the run; empty where it ended before the first."""
        every = self.result.job.market.sessions
        if self.since is not None:
            return every[every >= self.since]
        return pd.DatetimeIndex(self.result.returns.index)

    @cached_property
    def table(self) -> pd.DataFrame:
        """By session: tonnes, spot, lots, ratio (hedged share), physical, futures, hedged.

        ``physical`` and ``hedged`` are NaN in a session without a quote; the futures result
        of such sessions comes with the next quote's.
        """
        statement = self.result.statement
        lots = self.result.booked["positions"].sum(axis=(1, 2))
        size = float(self.result.job.terms.multiplier[0])
        futures = statement["mtm"] - statement["fees"]
        known = self.book.profit.notna()
        # The sums telescope: what an unquoted session gained is counted at the next quote.
        total = futures.cumsum()
        caught_up = total[known].diff().fillna(total[known].iloc[:1]) if known.any() else total
        owned = self.book.tonnes
        return pd.DataFrame(
            {
                "tonnes": owned,
                "spot": self.book.spot,
                "lots": lots,
                "ratio": -lots * size / owned.where(owned != 0),
                "physical": self.book.profit,
                "futures": futures,
                "hedged": self.book.profit + caught_up.reindex(futures.index),
            }
        )

    @cached_property
    def changes(self) -> pd.DataFrame:
        """By quote with anything at risk: physical, gross, futures, hedged, yuan.

        ``gross`` is the futures result before fees, ``futures`` after; both since the quote
        before. At risk are goods or lots held after some session since then. Futures results
        after the last quote are in none.
        """
        sessions, lots = self.sessions, self.result.booked["positions"]
        statement = self.result.statement.loc[sessions]
        quoted = self.book.profit.reindex(sessions).dropna()
        sums = pd.DataFrame({"gross": statement["mtm"], "futures": -statement["fees"]}).cumsum()
        sums["futures"] += sums["gross"]
        at = sums.loc[quoted.index]
        table = at.diff().fillna(at)
        table.insert(0, "physical", quoted)
        table["hedged"] = table["physical"] + table["futures"]
        held = ((self.book.tonnes != 0) | (lots != 0).any(axis=(1, 2))).astype(int)
        known = self.book.spot.dropna().index
        # Held after the quote before, after this one, or after a session between.
        count = held.cumsum()
        exposed = count[known] > (count - held)[known].shift(1, fill_value=0)
        moved = (table != 0).any(axis=1)
        found: pd.DataFrame = table.loc[exposed.reindex(table.index) | moved]
        return found

    def stretches(self, length: int = MONTH) -> pd.DataFrame:
        """Return sums of `changes` over stretches of so many quotes; a rest is left out."""
        count = len(self.changes) // length
        whole = self.changes.iloc[: count * length]
        summed = whole.groupby(np.repeat(np.arange(count), length)).sum()
        return summed.set_axis(whole.index[length - 1 :: length], axis=0)

    def outcome(self, costs: float = 0.0) -> Outcome:
        """Return effective price and what it is made of; see `sibt.hedging.outcome.outcome`.

        Parameters
        ----------
        costs : float
            Further costs, such as those of delivery, yuan.

        Raises
        ------
        DataError
            No goods or no quote in the sessions that count.
        """
        futures = float(self.table.loc[self.sessions, "futures"].sum())
        return outcome(self.book, round(futures, 2), self.sessions, costs=costs)

    @cached_property
    def base(self) -> float:
        """Capital the returns are measured on, yuan: the account plus the goods at their peak.

        Goods are the largest tonnage at the first quote of the run.
        """
        quotes = self.book.spot.reindex(self.sessions).dropna()
        first = float(quotes.iloc[0]) if len(quotes) else 0.0
        return float(self.result.job.account.capital) + self.tonnes * first

    @cached_property
    def tonnes(self) -> float:
        """Largest tonnage owned in the run, from the eve of its first session on."""
        owned = self.book.tonnes.abs()
        eve = max(len(owned) - len(self.sessions) - 1, 0)
        return float(owned.iloc[eve:].max())

    @cached_property
    def returns(self) -> "pd.Series[float]":
        """Daily returns of physical + futures on `base`; sessions without a quote are left out."""
        return self._returns("hedged")

    @cached_property
    def unhedged(self) -> "pd.Series[float]":
        """Daily returns of the physical book alone on `base`."""
        return self._returns("physical")

    def _returns(self, column: str) -> "pd.Series[float]":
        gain = self.table[column].reindex(self.sessions).dropna()
        worth = self.base + gain.cumsum()
        return (gain / worth.shift(1, fill_value=self.base)).rename(column)

    @property
    def average_ratio(self) -> float:
        """Hedged share of the tonnes owned, averaged over the sessions that own any."""
        window = self.table.loc[self.sessions]
        owned = window["tonnes"] != 0
        return float(window.loc[owned, "ratio"].mean()) if owned.any() else 0.0

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Headline of the hedge; money in yuan, None where nothing is known."""
        window = self.table.loc[self.sessions]
        physical, futures = float(window["physical"].sum()), float(window["futures"].sum())
        tonnes = self.tonnes
        changes = window[["physical", "hedged"]].dropna()
        months = self.stretches()
        cut = math.nan
        if len(months) >= FEW_MONTHS:
            cut = variance_reduction(months["physical"], months["hedged"])
        try:
            end = self.outcome()
            price, unhedged = end.price, end.unhedged
        except DataError:  # no goods, or no quote of them
            price = unhedged = math.nan
        figures: dict[str, Any] = {
            "tonnes": tonnes,
            "physical": physical,
            "futures": futures,
            "hedged": physical + futures,
            "hedged_per_tonne": (physical + futures) / tonnes if tonnes else math.nan,
            "unhedged_per_tonne": physical / tonnes if tonnes else math.nan,
            "average_ratio": self.average_ratio,
            "effective_price": price,
            "unhedged_price": unhedged,
            "variance_stretches": len(months),
            "variance_reduction": cut,
            "worst_day_hedged": float(changes["hedged"].min()) if len(changes) else math.nan,
            "worst_day_unhedged": float(changes["physical"].min()) if len(changes) else math.nan,
            "max_drawdown_hedged": metrics.max_drawdown(self.returns),
            "max_drawdown_unhedged": metrics.max_drawdown(self.unhedged),
            "unknown_spot": self.book.unknown,
        }
        return {name: metrics.plain(value) for name, value in figures.items()}


def size_account(job: Job, want: Any) -> tuple[Account, Sentence]:
    """Return an account large enough for a hedge, and the formula in words.

    Capital = peak lots × tonnes per lot × price at the first wish × (highest margin rate while
    wished + the broker's five points + a move of `ADVERSE_MOVE` against the hedge), rounded
    up to 10,000 yuan.

    Parameters
    ----------
    job : Job
        What the hedge is booked with.
    want : array of shape (T,), or (T, L) where legs are wished one by one
        Units wished after each session.
    """
    if not np.any(want):
        return job.account, said("no hedge was wished for, so the account keeps its default")
    need = 0.0
    sum_ = None
    for leg, ratio in enumerate(job.ratio):
        units = want[:, leg] if np.ndim(want) == 2 else want
        wished = np.flatnonzero(units)
        if not len(wished):
            continue
        first, last = int(wished[0]), int(wished[-1])
        k = int(job.codes[first, leg])
        if k < 0:
            continue
        lots = int(np.abs(units).max()) * abs(int(ratio))
        known = job.prices.settle[: first + 1, k]
        price = float(known[-1]) / 100
        rate = float(job.terms.margin[first : last + 1, k].max()) / MARGIN_SCALE
        size = int(job.terms.multiplier[k])
        need += lots * size * price * (rate + BROKER_MARGIN + ADVERSE_MOVE)
        part = said(
            "{lots} lots × {size} t × {price:,.0f} yuan/t × ({rate:.0%} margin +"
            " {broker:.0%} broker + {move:.0%} adverse move)",
            lots=lots, size=size, price=price, rate=rate, broker=BROKER_MARGIN, move=ADVERSE_MOVE,
        )  # fmt: skip
        sum_ = part if sum_ is None else said("{one} + {other}", one=sum_, other=part)
    capital = math.ceil(need / 10_000) * 10_000.0
    if capital <= 0:
        return job.account, said(
            "no price is known at the first wish, so the account keeps its default"
        )
    account = replace(job.account, capital=capital)
    return account, said("{sum} = {capital:,.0f} yuan", sum=sum_, capital=capital)
