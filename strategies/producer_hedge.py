"""卖出套保: a producer's sell hedge of the wet season's output, timed by Si2404-Si2410.

The quarterly report: when near - far moves, producers may hedge as suits them; the market is in
contango, the near month under pressure. Read: far - near is high, so the far leg is a rich
sale. What it leaves open is declared. The near leg is a signal only: when the report came out
its last session for a natural person had come. One event; the constant hedge at the same
average ratio is what the timing must beat.
"""

import pandas as pd

import sibt
from sibt.hedging import programs
from sibt.hedging.exposure import Entry, Schedule
from sibt.strategy import indicators, wishes


class ProducerHedge(sibt.Strategy):
    """Short Si2410 against output from May to October."""

    kind = "hedger"
    owned_as = "output"
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
    ratio_from = sibt.Param("naive", "lots for a tonne: one for one, or estimated on the past",
                            choices=programs.RATIOS)
    program = sibt.Param("timed", "when to hedge", choices=programs.PROGRAMS)
    trigger = sibt.Param(0.7, "program=timed, layered: far - near as a share of full carry",
                         "share", low=0.0, high=5.0, grid=(0.6, 0.7, 0.8, 0.9, 1.0))
    tranches = sibt.Param(4, "program=layered: parts the hedge is built in", "tranches", low=1,
                          high=100, grid=(2, 4, 6))
    step = sibt.Param(None, "program=layered: rise of the spread from the trigger for each part",
                      "share", low=0.01, high=5.0, grid=(None, 0.05, 0.1))
    every = sibt.Param(20, "program=layered, step=none: time between the parts", "sessions",
                       low=1, high=250, grid=(10, 20, 40))
    sign = sibt.Param("contango", "reading of the report: far - near high, or near - far high",
                      choices=("contango", "opposite"))
    near = sibt.Param("si2404", "contract whose spread is the signal")
    far = sibt.Param("si2410", "contract that is sold")
    asof = sibt.Param("2024-03-29", "day the report is taken to be known from; inferred")
    spot_grade = sibt.Param("553", "grade of the output", choices=("553", "421"))

    def known_from(self, p):
        return p.asof

    def refuses(self, p):
        return programs.refuses(p, p.output)

    def grade(self, p):
        return p.spot_grade

    def legs(self, market, p):
        return programs.legs(market, p, p.far)

    def plan(self, p):
        """Return a tonne each month, owned from the day of the report and sold as it is made."""
        months = pd.period_range(f"{p.asof[:4]}-05", periods=6, freq="M")
        return Schedule(tuple(Entry("output", month, 1.0) for month in months))

    def exposure(self, market, p):
        if p.goods is not None:
            return p.goods.exposure(market, p.asof)
        a_month = self.plan(p).exposure(market, p.asof).owned
        return wishes.by_session(wishes.scale(a_month, p.output), market.sessions)

    def units(self, market, p):
        return programs.units(
            market, p, p.far, self.exposure(market, p), self.grade(p), signal=self.signal,
            moves=lambda: self.plan(p).moves(market, p.asof) * p.output,
        )

    def signal(self, market, p):
        """Return far - near as a share of full carry, and where it is high and normal again."""
        # The two have one delivery standard and no November between.
        share = indicators.carry_ratio(
            market.spread(p.near, p.far), market.carry(p.near, p.far, price="close")
        )
        share = share if p.sign == "contango" else -share
        last = sibt.contract(p.near).last_natural  # in its delivery month it says nothing
        readable = wishes.since(share, market.sessions, p.asof).where(market.sessions <= last)
        return readable, p.trigger, None

    def notes(self, market, p):
        return programs.remarks(market, p, p.far, self.exposure(market, p), self.grade(p))

    def comparisons(self, market, p):
        return programs.comparisons(p)
