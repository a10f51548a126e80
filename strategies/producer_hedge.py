"""卖出套保: a producer's sell hedge of the wet season's output, timed by Si2404-Si2410.

The quarterly report: when near - far moves, producers may hedge as suits them; the market is in
contango, the near month under pressure. Read: far - near is high, so the far leg is a rich
sale. What it leaves open is declared. The near leg is a signal only: when the report came out
its last session for a natural person had come. One event; the constant hedge at the same
average ratio is what the timing must beat.
"""

import numpy as np
import pandas as pd

import sibt
from sibt.market import calendar
from sibt.strategy import indicators, rules, wishes
from sibt.strategy.strategy import hedge_benchmarks


class ProducerHedge(sibt.Strategy):
    """Short Si2410 against output from May to October."""

    kind = "hedger"
    report = sibt.Report(
        file="000_ec338e20b38f9551.txt",
        title="成本下移+库存承压，枯木何时逢春",
        publisher="国联期货",
        date="2024-03-29 (inferred: first session with the quoted low 11930)",
        place="策略 2; 二、",
        quote="近月与远月（Si2404-Si2410）的价差走高下，生产商可根据自家情况进行套期保值；"
        "贸易商可在高位卖出套期保值",
        leaves_open=("sign of the spread", "what high is", "share hedged", "when to lift"),
    )

    output = sibt.Param(1000.0, "output of each month from May to October", "t", low=5, high=1e6,
                        grid=(1000.0,))
    ratio = sibt.Param(1.0, "share of the unsold output to hedge", "share", low=0.0, high=1.0,
                       grid=(0.5, 0.8, 1.0))
    program = sibt.Param("timed", "when to hedge",
                         choices=("timed", "always", "constant", "never"))
    trigger = sibt.Param(0.7, "program=timed: far - near as a share of full carry", "share",
                         low=0.0, high=5.0, grid=(0.6, 0.7, 0.8, 0.9, 1.0))
    sign = sibt.Param("contango", "reading of the report: far - near high, or near - far high",
                      choices=("contango", "opposite"))
    near = sibt.Param("si2404", "contract whose spread is the signal")
    far = sibt.Param("si2410", "contract that is sold")
    asof = sibt.Param("2024-03-29", "day the report is taken to be known from; inferred")
    spot_grade = sibt.Param("553", "grade of the output", choices=("553", "421"))

    def known_from(self, p):
        return p.asof

    def grade(self, p):
        return p.spot_grade

    def legs(self, market, p):
        return {p.far: 1}

    def exposure(self, market, p):
        tonnes = wishes.scale(self.unsold(market, p), p.output)
        return wishes.by_session(tonnes, market.sessions)

    def unsold(self, market, p):
        """Return months of output not yet sold after each session, shape (T,).

        From the day of the report the six months are owned; each month's output is sold in
        equal parts over its sessions.
        """
        year = pd.Timestamp(p.asof).year
        left = np.full(len(market.sessions), 6.0)
        for number in range(5, 11):
            month = calendar.month(year, number)
            sold = month.searchsorted(market.sessions, side="right") / max(len(month), 1)
            left -= sold
        left[market.sessions < pd.Timestamp(p.asof)] = 0.0
        return np.round(left, 9)

    def units(self, market, p):
        lots_per_month = p.ratio * p.output / sibt.contract(p.far).product.multiplier
        lots = np.rint(wishes.scale(self.unsold(market, p), lots_per_month))
        on = 0.0 if p.program == "never" else 1.0
        if p.program == "timed":
            on = self.timed(market, p)
        wish = wishes.by_session(-wishes.times(lots, on), market.sessions)
        leave = sibt.contract(p.far).exit_session(p.kind)
        return wishes.within(wish, market.sessions, p.asof, leave)

    def timed(self, market, p):
        """Return 1 from the session in which the spread is high enough, else 0."""
        # A share of full carry: the two have one delivery standard and no November between.
        share = indicators.carry_ratio(
            market.spread(p.near, p.far), market.carry(p.near, p.far, price="close")
        )
        share = share if p.sign == "contango" else -share
        last = sibt.contract(p.near).last_natural  # in its delivery month it says nothing
        readable = wishes.since(share, market.sessions, p.asof).where(market.sessions <= last)
        return -np.asarray(rules.hold(readable, p.trigger, None, side="above"))

    def comparisons(self, market, p):
        return hedge_benchmarks(p.average_ratio) if p.program == "timed" else []
