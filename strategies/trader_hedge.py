"""高位卖出套保: a trader's inventory, sold forward when the spread is high.

The quarterly report: traders may sell as a hedge at high spreads. "High" is read as a high
percentile of far - near of the near month and the one six months on, old delivery standard
only, or as a share of full carry (cash and carry). The near leg is a signal, the trade is the
far contract; the readings end where the far month would be of the new standard.
"""

import numpy as np
import pandas as pd

import sibt
from sibt.hedging import programs
from sibt.market import calendar
from sibt.strategy import indicators, wishes


class TraderHedge(sibt.Strategy):
    """Short Si2410 against inventory that is sold over some weeks."""

    kind = "hedger"
    report = sibt.Report(
        file="000_ec338e20b38f9551.txt",
        title="成本下移+库存承压，枯木何时逢春",
        publisher="国联期货",
        date="2024-03-29 (inferred: first session with the quoted low 11930)",
        place="策略 2",
        quote="贸易商可在高位卖出套期保值",
        leaves_open=("what high is", "share hedged", "when to lift"),
    )

    tonnes = sibt.Param(2000.0, "inventory on the day of the report", "t", low=5, high=1e6,
                        grid=(2000.0,))
    lag = sibt.Param(45, "sessions over which it is sold in equal parts", "sessions", low=1,
                     high=250, grid=(30, 45, 60))
    ratio = sibt.Param(1.0, "share of the inventory to hedge", "share", low=0.0, high=1.0,
                       grid=(0.5, 0.8, 1.0))
    ratio_from = sibt.Param("naive", "lots for a tonne: one for one, or estimated on the past",
                            choices=programs.RATIOS)
    program = sibt.Param("timed", "when to hedge", choices=programs.PROGRAMS)
    tranches = sibt.Param(4, "program=layered: parts the hedge is built in", "tranches", low=1,
                          high=100, grid=(2, 4, 6))
    step = sibt.Param(None, "program=layered: rise of what is read as high for each further part",
                      "share", low=0.01, high=5.0, grid=(None, 0.05, 0.1))
    every = sibt.Param(10, "program=layered, step=none: time between the parts", "sessions",
                       low=1, high=250, grid=(5, 10, 20))
    signal = sibt.Param("percentile", "what high is measured by", choices=("percentile", "carry"))
    high = sibt.Param(0.7, "signal=percentile: share of earlier readings below", "share", low=0.0,
                      high=1.0, grid=(0.6, 0.7, 0.8, 0.9))
    normal = sibt.Param(0.4, "signal=percentile: share at which the hedge is lifted", "share",
                        low=0.0, high=1.0, grid=(None, 0.3, 0.4, 0.5))
    lookback = sibt.Param(60, "signal=percentile: readings compared with", "sessions", low=5,
                          high=250, grid=(20, 40, 60, 120))
    carry = sibt.Param(1.0, "signal=carry: far - near as a share of full carry", "share", low=0.0,
                       high=5.0, grid=(0.8, 0.9, 1.0))
    contract = sibt.Param("si2410", "contract that is sold")
    asof = sibt.Param("2024-03-29", "day the report is taken to be known from; inferred")
    spot_grade = sibt.Param("553", "grade of the inventory", choices=("553", "421"))

    def known_from(self, p):
        return p.asof

    def refuses(self, p):
        read = (p.program == "timed") | (p.program == "layered")
        ranked = read & (p.signal == "percentile")
        return {
            "normal is not below high": ranked & (p.normal >= p.high),
            **programs.refuses(p, p.tonnes, p.lag),
        }

    def grade(self, p):
        return p.spot_grade

    def legs(self, market, p):
        return programs.legs(market, p, p.contract)

    def exposure(self, market, p):
        if p.goods is not None:
            return p.goods.exposure(market, p.asof)
        tonnes = wishes.scale(self.unsold(market.sessions, p), p.tonnes)
        return wishes.by_session(tonnes, market.sessions)

    def unsold(self, sessions, p):
        """Return the share of the inventory left after each session, shape (T,)."""
        known = calendar.sessions()
        first = known.searchsorted(wishes.first_decision(p.asof))
        passed = known.searchsorted(sessions) - first
        left = np.clip(1.0 - np.divide.outer(passed, p.lag), 0.0, 1.0)
        return wishes.times(passed >= 0, left)

    def moves(self, p):
        """Return what comes and goes by session of the calendar, tonnes."""
        known = calendar.sessions()
        return pd.Series(self.unsold(known, p) * p.tonnes, known).diff()

    def units(self, market, p):
        return programs.units(
            market, p, p.contract, self.exposure(market, p), self.grade(p), signal=self.high_at,
            moves=lambda: self.moves(p),
        )

    def high_at(self, market, p):
        """Return what is read as high, where it is, and where it is normal again."""
        spread, carry = self.tenor(market)
        if p.signal == "carry":
            share = indicators.carry_ratio(spread, carry)
            return wishes.since(share, market.sessions, p.asof), p.carry, None
        # The spread here is near - far: high far - near is a low percentile of it.
        rank = indicators.percentile(-spread, p.lookback)
        return wishes.since(rank, market.sessions, p.asof), p.high, p.normal

    def tenor(self, market):
        """Return near - far and full carry of the near month and the one six months on."""
        near = market.near("company", standard="2022")
        spread = pd.Series(np.nan, index=market.sessions)
        carry = spread.copy()
        for code in near.dropna().unique():
            far = f"si{sibt.contract(code).month + 6:%y%m}"
            if far not in market.contracts:
                continue
            if sibt.contract(far).standard != sibt.contract(code).standard:
                continue
            here = near == code
            spread[here] = market.spread(code, far)[here]
            carry[here] = market.carry(code, far, price="close")[here]
        return spread, carry

    def notes(self, market, p):
        return programs.remarks(market, p, p.contract, self.exposure(market, p), self.grade(p))

    def comparisons(self, market, p):
        return programs.comparisons(p)
