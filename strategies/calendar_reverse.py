"""反套: short the near, long the far contract of a November/December pair.

From the field report of 2024-05-14. It gives no level, stop, target or horizon: the base case
enters on the next session and leaves in the last session a natural person may hold the near
leg; everything else is a declared variant. One event a year: no Sharpe, but other years as
controls and other pairs as placebos.
"""

import pandas as pd

import sibt
from sibt.strategy import indicators, rules, wishes
from sibt.strategy.strategy import Comparison


class CalendarReverse(sibt.Strategy):
    """Short near, long far: profits when near - far falls."""

    kind = "individual"
    report = sibt.Report(
        file="004_045e6a086d6f9ccc.txt",
        title="漫长的等待，艰难的磨底——内蒙宁夏硅产业链调研",
        publisher="东证衍生品研究院",
        date="2024-05-14",
        place="★投资建议; 3、投资建议",
        quote="套利建议关注Si2411、Si2412合约反套机会。",
        leaves_open=("level", "stop", "target", "horizon", "ratio of the legs"),
    )

    near_month_choices = ("11", "12", "01", "02", "03")

    year = sibt.Param(2024, "year of the November/December pair", choices=(2023, 2024, 2025))
    near_month = sibt.Param(
        "11",
        "delivery month of the near leg: 11 is the report's pair, the others are placebos",
        choices=near_month_choices,
    )
    units_held = sibt.Param(10, "pairs held", "units", low=1, high=5000, grid=(10,))
    entry = sibt.Param("day", "enter at once, or when the pair is rich", choices=("day", "zscore"))
    z = sibt.Param(1.0, "entry=zscore: richness of near - far that opens", "sd", low=0.0, high=5.0,
                   grid=(0.5, 1.0, 1.5, 2.0))
    z_exit = sibt.Param(None, "entry=zscore: richness that closes", "sd", low=-5.0, high=5.0,
                        grid=(None, 0.0, -1.0))
    lookback = sibt.Param(15, "entry=zscore: observations compared with; si2412 has 20 at the"
                          " report", "sessions", low=5, high=250, grid=(10, 15, 20))
    target = sibt.Param(None, "near - far at which the profit is taken", "yuan/t",
                        grid=(None, -2600.0, -2800.0, -3000.0))
    stop = sibt.Param(None, "move of near - far against the position that ends it", "yuan/t",
                      low=5.0, grid=(None, 200.0, 400.0))
    hold = sibt.Param(None, "longest holding", "sessions", low=1, grid=(None, 40, 60, 80))

    def known_from(self, p):
        # Other years are controls: the same day of their year.
        return f"{p.year}-05-14"

    def refuses(self, p):
        return {"z_exit is not below z": (p.entry == "zscore") & (p.z_exit >= p.z)}

    def pair(self, p):
        """Return the codes of the near and the far leg."""
        month = pd.Period(f"{p.year}-{p.near_month}", "M")
        if int(p.near_month) < 11:
            month += 12
        return tuple(f"si{m:%y%m}" for m in (month, month + 1))

    def legs(self, market, p):
        near, far = self.pair(p)
        return {near: 1, far: -1}

    def units(self, market, p):
        near, far = self.pair(p)
        # The report itself names a pair of two delivery standards.
        spread = market.spread(near, far, cross_standard=True)
        if p.entry == "zscore":
            z = indicators.zscore(spread, p.lookback)
            z = wishes.since(z, market.sessions, self.known_from(p))
            wish = rules.hold(z, p.z, p.z_exit, units=p.units_held, side="above")
        else:
            # Enter at once: a signal that is always on.
            now = pd.Series(1.0, index=market.sessions)
            wish = rules.hold(now, 0.0, None, units=p.units_held, side="above")
        wish = wishes.within(wish, market.sessions, self.known_from(p), self.last_day(p))
        wish = rules.take_profit(wish, spread, p.target)
        wish = rules.stop(wish, spread, p.stop)
        return rules.time_stop(wish, p.hold)

    def last_day(self, p):
        """Return the last session a natural person may hold the November contract."""
        return sibt.contract(f"si{p.year % 100}11").last_natural

    def comparisons(self, market, p):
        def other(role, **changes):
            pair = "/".join(self.pair(self.params(dict(p.items()) | changes)))
            return Comparison(pair, role, changes)

        controls = [
            other("control", year=year, near_month="11")
            for year in (2023, 2024, 2025)
            if year != p.year or p.near_month != "11"
        ]
        months = self.near_month_choices[1:]
        return controls + [
            other("placebo", near_month=month) for month in months if month != p.near_month
        ]
