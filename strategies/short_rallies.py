"""逢高空: sell rallies with a light position; at 11500 take profit and turn long.

The quarterly report sells the main contract and reverses at 11500; the field report of
2024-05-14 sells the near month and says nothing of a goal. "Rally", "light", stop and the
long side's exit are in neither: they are declared here, with grids written down before any
result was seen. Levels meet raw prices of the old delivery standard and end with it.
"""

import numpy as np

import sibt
from sibt.strategy import indicators, rules, wishes


class ShortRallies(sibt.Strategy):
    """Short on a rally; take profit and reverse at a level."""

    kind = "individual"
    report = sibt.Report(
        file="000_ec338e20b38f9551.txt",
        title="成本下移+库存承压，枯木何时逢春",
        publisher="国联期货",
        date="2024-03-29 (inferred: first session with the quoted low 11930)",
        place="策略 1",
        quote="短期内建议可逢高空单轻仓试单，中长期至 11500 止盈反手多单布局。",
        leaves_open=("what a rally is", "what light is", "stop", "exit of the long position"),
    )

    field_report = sibt.Report(
        file="004_045e6a086d6f9ccc.txt",
        title="漫长的等待，艰难的磨底——内蒙宁夏硅产业链调研",
        publisher="东证衍生品研究院",
        date="2024-05-14",
        place="★投资建议; 3、投资建议",
        quote="短期近月合约仍可逢高沽空操作",
        leaves_open=("what a rally is", "what light is", "goal", "stop"),
    )

    variant = sibt.Param(
        "quarterly",
        "quarterly: main contract, reverse at the target; near_month: the field report's",
        choices=("quarterly", "near_month"),
    )
    rally = sibt.Param("level", "what counts as a rally",
                       choices=("level", "zscore", "percentile", "rise", "pullup"))
    level = sibt.Param(12000.0, "rally=level: close at or above", "yuan/t", low=1000, high=50000,
                       grid=(11900.0, 12000.0, 12200.0, 12500.0))
    lookback = sibt.Param(20, "observations a rally is measured over", "sessions", low=2, high=250,
                          grid=(10, 20, 40))
    z = sibt.Param(1.0, "rally=zscore: standard deviations above the mean (Bollinger's k)", "sd",
                   low=0, high=5, grid=(1.0, 1.5, 2.0))
    share = sibt.Param(0.9, "rally=percentile: share of earlier closes below", "share", low=0,
                       high=1, grid=(0.8, 0.9, 0.95))
    rise = sibt.Param(300.0, "rally=rise, pullup: gain over the look-back, or above its low",
                      "yuan/t", low=5, high=5000, grid=(200.0, 300.0, 500.0))
    light = sibt.Param(0.10, "margin of the position as a share of capital", "share", low=0.001,
                       high=1, grid=(0.05, 0.10, 0.20, 0.30))
    target = sibt.Param(11500.0, "take profit; none in the field report", "yuan/t", low=1000,
                        high=50000, grid=(11500.0, None))
    by = sibt.Param("close", "the target is met by a close, or by a resting order",
                    choices=("close", "touch"))
    tranches = sibt.Param(1, "steps in which the long position is built, from the target to 11100",
                          "steps", choices=(1, 2, 3))
    long_exit = sibt.Param(12500.0, "where the long position is sold", "yuan/t", low=1000,
                           high=50000, grid=(12000.0, 12500.0, None))
    short_stop = sibt.Param(None, "move against the short position that ends it", "yuan/t", low=5,
                            grid=(None, 500.0, 1000.0))
    long_stop = sibt.Param(None, "move against the long position that ends it", "yuan/t", low=5,
                           grid=(None, 400.0, 600.0))
    hold = sibt.Param(None, "longest time in one direction", "sessions", low=1,
                      grid=(None, 60, 120, 240))

    def source(self, p):
        return self.report if p.variant == "quarterly" else self.field_report

    def known_from(self, p):
        return "2024-03-29" if p.variant == "quarterly" else "2024-05-14"

    def refuses(self, p):
        long = p.variant == "quarterly"  # the field report knows no long side
        return {
            "long_exit is not above target": long & (p.long_exit <= p.target),
            "target is not above 11100, the last step": (
                long & (p.tranches > 1) & (p.target <= 11100.0)
            ),
        }

    def contracts(self, market, p):
        """Return the contract to hold, decided after each session."""
        # One delivery standard, unless the run was told to cross the line.
        line = {"cross_standard": True} if p.cross_standard else {"standard": "2022"}
        if p.variant == "quarterly":
            return market.dominant(**line)
        return market.near(p.kind, **line)

    def legs(self, market, p):
        return {"main": (self.contracts(market, p), 1)}

    def units(self, market, p):
        codes, start = self.contracts(market, p), self.known_from(p)
        price = wishes.since(self.raw(market, codes, "close", p), market.sessions, start)
        lots = self.size(market, codes, p)
        wish = rules.hold(*self.signal(market, codes, price, p), None, units=lots, side="above")
        wish = wishes.within(wish, market.sessions, start, self.last_day(p))
        wish = rules.stop(wish, price, p.short_stop, side="short")
        goal = price
        if p.by == "touch":
            goal = wishes.since(self.raw(market, codes, "low", p), market.sessions, start)
        if p.variant == "quarterly":
            wish = rules.reverse(wish, goal, p.target, units_after=lots, side="short")
            if p.tranches > 1:
                wish = self.staged(wish, goal, lots, p)
        else:
            wish = rules.take_profit(wish, goal, p.target, side="short")
        wish = rules.take_profit(wish, price, p.long_exit, side="long")
        wish = rules.stop(wish, price, p.long_stop, side="long")
        wish = rules.time_stop(wish, p.hold)
        wish = wishes.within(wish, market.sessions, start, self.last_day(p))
        return wish if p.by == "close" else self.resting(wish, lots, p)

    def raw(self, market, codes, field, p):
        """Return the price of the contract held, yuan per tonne, never adjusted for rolls."""
        return market.continuous(codes, field, None, cross_standard=p.cross_standard)

    def signal(self, market, codes, price, p):
        """Return what is watched and the threshold that makes it a rally."""
        if p.rally == "level":
            return price, p.level
        # Distances within a window are free of roll gaps in a back-adjusted series.
        smooth = market.continuous(codes, "close", "difference", cross_standard=p.cross_standard)
        measure, threshold = {
            "zscore": (indicators.zscore, p.z),
            "percentile": (indicators.percentile, p.share),
            "rise": (lambda x, n: indicators.change(x, n, relative=False), p.rise),
            "pullup": (indicators.pullup, p.rise),
        }[p.rally]
        signal = measure(smooth, p.lookback)
        return wishes.since(signal, market.sessions, self.known_from(p)), threshold

    def size(self, market, codes, p):
        """Return lots whose margin is the light share of the capital on the day of the report."""
        day = wishes.first_decision(self.known_from(p))
        if not isinstance(codes.get(day), str):
            return 1
        at = market.sessions.get_loc(day)
        life = sibt.contract(codes.iloc[at])
        price = market.close[at, market.column(life.code)]
        rate = life.product.margin_rate(life.code, market.sessions[at : at + 1], p.kind)[0]
        lots = np.floor(p.light * p.capital / (price * life.product.multiplier * rate))
        return np.maximum(np.nan_to_num(lots, nan=1.0), 1.0)

    def staged(self, wish, price, lots, p):
        """Build the long side in steps from the target down to 11100, met as the target is."""
        step = (p.target - 11100.0) / (p.tranches - 1)
        state = np.asarray(wish)
        level = np.asarray(price).reshape(-1, *[1] * (state.ndim - 1))
        long = wishes.by_session(np.where(state > 0, level, np.nan), price.index)
        part = self.part(lots, p)
        steps = rules.ladder(long, p.target, step, p.tranches, exit=None, units=part, side="below")
        return wishes.by_session(np.where(state > 0, steps, state), price.index)

    def part(self, lots, p):
        """Return the lots of one step of the long position."""
        return np.maximum(np.floor(lots / p.tranches), 1.0)

    def resting(self, wish, lots, p):
        """Let the order at the target rest in the market while the position is short."""
        after = self.part(lots, p) if p.variant == "quarterly" else 0
        return wishes.rest(wish, p.target, after)

    def last_day(self, p):
        """Return the last session in which the old delivery standard may be held."""
        if p.cross_standard:
            return None
        return sibt.contract("si2411").exit_session(p.kind)
