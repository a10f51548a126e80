"""The booked result of a run: statement, fills, positions, shortfalls and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine import metrics
from sibt.engine import statement as tables
from sibt.engine.account import BROKER_FEES, BROKER_MARGIN
from sibt.engine.attribution import attribution
from sibt.engine.headline import as_html, headline
from sibt.engine.ledger import FILL_REASONS, STATEMENT
from sibt.engine.money import MARGIN_SCALE, fee_fen
from sibt.engine.round_trips import round_trips
from sibt.engine.terms import terms_in_force
from sibt.language import language, said

if TYPE_CHECKING:
    from sibt.engine.job import Job

__all__ = ["BROKER_FEES", "BROKER_MARGIN", "FEW_TRIPS", "Result"]

IntArray = NDArray[np.int64]

#: Below so many round trips no ratio of the Sharpe type means anything.
FEW_TRIPS = 3


@dataclass(frozen=True, eq=False)
class Result:
    """What a run booked. Money in yuan, prices in yuan per tonne, lots signed.

    Attributes
    ----------
    statement : pd.DataFrame of T rows
        One row for every session of the market: ``previous`` balance, ``closed_pnl`` and
        ``held_pnl`` (mark-to-market profit of lots closed and held), ``mtm`` (their sum),
        ``fees``, ``deposit``, ``equity``, ``margin``, ``available``, ``risk`` (margin ÷
        equity), ``margin_call``, ``units`` (NaN where legs differ) and, legged, ``naked``
        (lots without their counterpart).
    fills : pd.DataFrame
        ``session, leg, contract, side, offset, lots, price, fee, reason``.
    positions : pd.DataFrame
        ``session, leg, contract, lots, settle, margin`` of all lots held after a session.
    unfilled : pd.DataFrame
        ``session, leg, contract, wanted, filled, reason``; lots signed, + to buy.
    by_leg : pd.DataFrame
        ``profit`` (before fees), ``fees``, ``slippage`` and ``net`` by leg.
    round_trips : pd.DataFrame
        See `sibt.engine.round_trips`.
    returns : pd.Series
        Daily returns from the first session after ``known_from`` (else after the first
        wish) to the end.
    warnings : tuple of str
        What a reader must know, a sentence each.
    """

    job: Job = field(repr=False)
    want: IntArray = field(repr=False)
    limits: IntArray = field(repr=False)
    wants: IntArray | None = field(repr=False)
    booked: Mapping[str, Any] = field(repr=False)
    statement: pd.DataFrame
    fills: pd.DataFrame
    positions: pd.DataFrame
    unfilled: pd.DataFrame
    by_leg: pd.DataFrame
    round_trips: pd.DataFrame
    returns: pd.Series[float]
    warnings: tuple[str, ...]
    bust: pd.Timestamp | None

    @classmethod
    def assemble(
        cls,
        job: Job,
        want: IntArray,
        limits: IntArray,
        booked: Mapping[str, Any],
        *,
        wants: IntArray | None = None,
        known_from: pd.Timestamp | str | None = None,
    ) -> Result:
        """Put the ledger's arrays into tables."""
        sessions = job.market.sessions
        statement = tables.statement(job, booked)
        bust = None if booked["bust"] < 0 else sessions[booked["bust"]]
        first = _first(sessions, want, known_from)
        return cls(
            job=job,
            want=want,
            limits=limits,
            wants=wants,
            booked=booked,
            statement=statement,
            fills=tables.fills(job, booked["fills"]),
            positions=tables.positions(job, booked["positions"]),
            unfilled=tables.unfilled(job, booked["shorts"]),
            by_leg=tables.by_leg(job, booked, limits),
            round_trips=round_trips(
                sessions, booked["fills"], job.ratio, job.terms.multiplier, job.prices.settle
            ),
            returns=_returns(statement, first, booked["bust"]),
            warnings=_warnings(job, booked, bust, first),
            bust=bust,
        )

    def __repr__(self) -> str:
        market = self.job.market
        label = "SIMULATED, " if market.provenance.simulated else ""
        return (
            f"<Result {label}{' '.join(self.job.legs)}, {market.sessions[0]:%Y-%m-%d}.."
            f"{market.sessions[-1]:%Y-%m-%d}: net {self.metrics['net']:+,.2f} yuan,"
            f" round trips {len(self.round_trips)}>"
        )

    def _repr_html_(self) -> str:
        """Show the headline and the warnings in a notebook."""
        t = language()
        return as_html(
            headline(self, t),
            [t(sentence) for sentence in self.warnings],
            simulated=self.job.market.provenance.simulated,
        )

    @property
    def known(self) -> bool:
        """True if a Sharpe-type figure may be shown: three round trips or more."""
        return len(self.round_trips) >= FEW_TRIPS

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Figures of the run; money in yuan, shares as shares, None where nothing is known."""
        s, trips, returns = self.statement, self.round_trips, self.returns
        daily = s["mtm"] - s["fees"]
        deposits = float(s["deposit"].sum())
        capital = float(self.job.account.capital)
        net = float(s["equity"].iloc[-1]) - capital - deposits
        path = s["equity"] - s["deposit"].cumsum()
        fees = float(s["fees"].sum())
        worst = daily.idxmin()
        done = trips[trips["exit"].notna()]
        ratios: dict[str, float | None] = dict.fromkeys(("sharpe", "sortino", "volatility"))
        if self.known:
            ratios = {
                "sharpe": metrics.sharpe(returns),
                "sortino": metrics.sortino(returns),
                "volatility": metrics.volatility(returns),
            }
        figures: dict[str, Any] = {
            "net": net,
            "net_per_tonne": self._per_tonne(net),
            "gross": float(daily.sum()) + fees,
            "fees": fees,
            "fees_at_broker": self._fees_at(BROKER_FEES),
            "slippage": float(self.by_leg["slippage"].sum()),
            "round_trips": len(trips),
            "open_trips": len(trips) - len(done),
            "won": int((done["net"] > 0).sum()),
            "worst_day": float(daily.min()),
            "worst_day_on": f"{worst:%Y-%m-%d}",
            "worst_equity": float(path.min()),
            "final_equity": float(s["equity"].iloc[-1]),
            "max_drawdown": metrics.max_drawdown(returns),
            "max_drawdown_yuan": float((path - path.cummax().clip(lower=capital)).min()),
            "total_return": metrics.total_return(returns),
            **ratios,
            "sessions": len(returns),
            "peak_margin": float(s["margin"].max()),
            **self.peak_margins,
            "highest_risk": float(s["risk"].max()),
            "margin_calls": int((s["margin_call"] > 0).sum()),
            "largest_call": float(s["margin_call"].max()),
            "deposits": deposits,
            "unfilled_orders": len(self.unfilled),
            "bust": None if self.bust is None else f"{self.bust:%Y-%m-%d}",
        }
        return {name: metrics.plain(value) for name, value in figures.items()}

    @cached_property
    def peak_margins(self) -> dict[str, float]:
        """Peak margin of these positions at the exchange's and at a broker's standard, yuan.

        ``*_open_reading`` is under the other reading, where the notices leave two. Without
        calendar-spread relief.
        """
        job = self.job
        plain = replace(job.account, broker_margin=0.0)
        lots = np.abs(self.booked["positions"])
        worth = lots.sum(axis=1) * job.prices.settle / 100 * job.terms.multiplier
        peaks = {}
        for suffix, other in (("", False), ("_open_reading", True)):
            terms = terms_in_force(
                job.contracts,
                job.market.sessions,
                plain,
                job.replaced,
                open_reading=other,
                observed=job.market.terms,
            )
            exchange = np.maximum(terms.margin / MARGIN_SCALE, job.prices.margin_floor)
            peaks[f"peak_margin_exchange{suffix}"] = (worth * exchange).sum(axis=1).max()
            peaks[f"peak_margin_broker{suffix}"] = (
                (worth * (exchange + BROKER_MARGIN)).sum(axis=1).max()
            )
        return {name: round(float(value), 2) for name, value in peaks.items()}

    def _per_tonne(self, net: float) -> float | None:
        """Return net over the tonnes of the first leg at the largest position held."""
        lots = np.abs(self.booked["positions"][:, 0, :].sum(axis=1)).max(initial=0)
        tonnes = float(lots) * float(self.job.terms.multiplier[0])
        return net / tonnes if tonnes else None

    def _fees_at(self, markup: float) -> float:
        """Return what the fills would have cost at a multiple of the exchange's fees."""
        job, fills = self.job, self.booked["fills"]
        terms = terms_in_force(
            job.contracts,
            job.market.sessions,
            replace(job.account, fee_markup=markup),
            job.replaced,
            observed=job.market.terms,
        )
        rates = (terms.fee_open, terms.fee_close, terms.fee_close_today)
        flat = (terms.lot_open, terms.lot_close, terms.lot_close_today)
        return sum(
            int(fee_fen(abs(lots), price, int(terms.multiplier[k]), int(rates[offset][t, k]),
                        int(flat[offset][t, k])))
            for t, _, k, lots, price, _, offset, _ in fills.tolist()
        ) / 100

    @cached_property
    def by_trade(self) -> pd.DataFrame:
        """The daily statement settled trade by trade (逐笔对冲), a row a session.

        ``previous`` (balance carried over), ``closed_pnl`` (of lots closed: fill less the
        fill that opened them, first in first out), ``fees``, ``deposit``, ``balance`` (the
        four summed up, fees off), ``floating_pnl`` (of lots held: settlement less the fill
        that opened them), ``equity``, ``margin``, ``available``, ``risk`` (NaN without
        equity) and ``margin_call``. Yuan; equity is that of `statement` to the fen, in every
        session.
        """
        return tables.by_trade(self.job, self.booked)

    @cached_property
    def attribution(self) -> pd.DataFrame:
        """Each session's result by leg, and a spread's by what moved; yuan.

        One column a leg (before fees), ``spread_move``, ``flat_price`` (both NaN unless some
        legs are long and some short) and ``fees``; see `sibt.engine.attribution`.
        """
        return attribution(self.job, self.booked)

    @cached_property
    def entry_days(self) -> pd.DataFrame:
        """What every other entry day of the first trip's window would have given.

        The first wish is moved to each session from the first allowed one to the last
        before the first trip's end; everything after the chosen entry stays as it was.

        Returns
        -------
        pd.DataFrame
            Indexed by the session of the decision: ``net`` (yuan), ``rank`` (1 is best),
            ``chosen``. Empty without a trip, and where units are wished leg by leg.
        """
        wished = np.flatnonzero(self.want)
        columns = {"net": float, "rank": int, "chosen": bool}
        sessions = self.job.market.sessions
        if not len(wished) or self.round_trips.empty or self.wants is not None:
            return pd.DataFrame(columns=list(columns)).astype(columns)
        entry = int(wished[0])
        over = np.flatnonzero(np.sign(self.want[entry:]) != np.sign(self.want[entry]))
        exit_day = self.round_trips["exit"].iloc[0]
        end = len(sessions) - 1 if pd.isna(exit_day) else int(sessions.searchsorted(exit_day)) - 1
        if len(over):
            end = min(end, entry + int(over[0]))
        start = max(min(int(sessions.searchsorted(self.returns.index[0])) - 1, entry), 0)
        nets = []
        for day in range(start, end):
            want = self.want.copy()
            want[:day] = 0
            want[day:entry] = self.want[entry]
            booked = self.job.book(want, self.limits, record=False)["statement"]
            equity = booked[:, STATEMENT.index("equity")]
            deposits = booked[:, STATEMENT.index("deposit")].sum()
            nets.append((equity[-1] - equity[0] - deposits) / 100)
        table = pd.DataFrame({"net": nets}, index=sessions[start:end])
        table["rank"] = table["net"].rank(ascending=False, method="min").astype(int)
        table["chosen"] = table.index == sessions[entry]
        return table

    @cached_property
    def portfolio(self) -> Any:
        """The same fills booked by vectorbt, one column a leg and contract."""
        from sibt.engine.books import portfolio

        return portfolio(self)

    def reconcile(self) -> float:
        """Return the largest difference between the two books at any session, yuan.

        Raises
        ------
        LedgerError
            The books differ by more than 0.01 yuan.
        """
        return self._difference

    @cached_property
    def _difference(self) -> float:
        from sibt.engine.books import reconcile

        return reconcile(self)


def _first(sessions: pd.DatetimeIndex, want: IntArray, known_from: Any) -> int:
    """Return the first session that counts for returns."""
    if known_from is not None:
        return int(sessions.searchsorted(pd.Timestamp(known_from), side="right"))
    wished = np.flatnonzero(want)
    return int(wished[0]) + 1 if len(wished) else 1


def _returns(statement: pd.DataFrame, first: int, bust: int) -> pd.Series[float]:
    before = statement["equity"].shift(1)
    earned = statement["mtm"] - statement["fees"]
    returns = (earned / before).iloc[first:]
    if bust >= 0:
        returns[returns.index > statement.index[bust]] = 0.0
    return returns.fillna(0.0).rename("return")


def _warnings(
    job: Job, booked: Mapping[str, Any], bust: pd.Timestamp | None, first: int
) -> tuple[str, ...]:
    """Say in plain sentences what the figures leave out or rest on."""
    told = list(job.market.provenance.notes)
    fills, prices = booked["fills"], job.prices
    lots = booked["positions"].sum(axis=1) != 0
    touched = lots.copy()
    touched[fills[:, 0], fills[:, 2]] = True
    held = np.flatnonzero(touched.any(axis=1))
    if len(held):
        span = job.market.sessions[held[0] : held[-1] + 1]
        if "margin" not in job.replaced or "fee" not in job.replaced:
            names = sorted({life.product.name for life in job.lives})
            products = {name: job.market.product(name) for name in names}
            for name in sorted(products):
                told.extend(products[name].caveats(span))
    counted = len(job.market.sessions) - first
    active = int(lots[first:].any(axis=1).sum())
    if active and 2 * active < counted:
        told.append(said("a position was held in {active} of the {counted} sessions that count for"
                         " returns; --to ends the run earlier", active=active, counted=counted))
    bare = int((lots & prices.barless).sum())
    if bare:
        told.append(said("held lots were valued at the last known settlement on {bare}"
                         " contract-days without a bar", bare=bare))
    unknown = int(prices.unknown_volume[fills[:, 0], fills[:, 2]].sum())
    if unknown:
        told.append(said("{unknown} of {all} fills are on sessions of unknown volume, uncapped",
                         unknown=unknown, all=len(fills)))
    refuted = np.argwhere(prices.refuted & touched)
    if len(refuted):
        days = ", ".join(
            f"{job.contracts[k]} {job.market.sessions[t]:%Y-%m-%d}" for t, k in refuted[:3]
        )
        if len(refuted) > 3:
            days = said("{days} and {more} more", days=days, more=len(refuted) - 3)
        told.append(said("bars outside the computed price band, so no band there: {days}",
                         days=days))
    settled = fills[fills[:, 7] == FILL_REASONS.index("exit date, at settlement")]
    for t, k in {(int(f[0]), int(f[2])) for f in settled}:
        told.append(said("{code} could not be closed on {day:%Y-%m-%d}, the last session it may be"
                         " held; it left at that settlement",
                         code=job.contracts[k], day=job.market.sessions[t]))
    if bust is not None:
        told.append(said("the account was bust on {bust:%Y-%m-%d}; the run ends there", bust=bust))
    return tuple(dict.fromkeys(told))
