"""Honest strategies by the dozen: what a sound researcher may write, put together by a seed.

Each is the text of a strategy file. A signal reads contracts, spot, receipts, a published series or
a report's level; a rule turns it into wishes; others are laid over them. All of it is known when it
is used, and none of it crosses the line between two delivery standards but by a pair's name.
"""

from random import Random

__all__ = ["strategy"]

_HEAD = '''"""Honest strategy {seed}: {kind}, {signal}."""

import numpy as np
import pandas as pd

import sibt
from sibt.strategy import indicators, rules, wishes


class Honest{seed}(sibt.Strategy):
    """Reads only what is known."""

    kind = "{account}"

    def codes(self, market):
        return {codes}

    def price(self, market, field="close"):
        return {price}

    def smooth(self, market, adjust="difference"):
        return {smooth}

    def legs(self, market, p):
        return {legs}
{more}
    def signal(self, market):
        price = self.price(market)
{lines}
        return x

    def units(self, market, p):
        price = self.price(market)
        wish = {rule}
{over}
        return {result}
'''

#: What to watch of one good: its name, how it is computed, and (enter, exit, side) thresholds.
_SIGNALS = {
    "z-score": ("x = indicators.zscore(self.smooth(market), {n})", "{z}, 0.0"),
    "percentile": ("x = indicators.percentile(self.smooth(market), {n})",
                   "0.9, 0.5, side='above'"),
    "low percentile": ("x = indicators.percentile(price, {n})", "0.1, 0.5, side='below'"),
    "change": ("x = indicators.change(self.smooth(market), {n}, relative=False)", "{rise}, 0.0"),
    "return": ("x = indicators.change(self.smooth(market, 'ratio'), {n})", "0.03, 0.0"),
    "pullup": ("x = indicators.pullup(self.smooth(market), {n})", "{rise}, 20.0, side='above'"),
    "moving average": ("x = price - price.rolling({n}).mean()", "{rise}, 0.0"),
    "two averages": ("x = price.ewm(span=5).mean() - price.ewm(span=5 + {n}).mean()",
                     "50.0, 0.0, units=-1"),
    "Bollinger": ("x = price - indicators.bollinger(price, {n}, {z})[1]",
                  "0.0, -{rise}, side='above'"),
    "breakout": ("x = price - indicators.highest(price, {n})",
                 "0.0, -{rise}, units=-1, side='above'"),
    "level": ("x = price", "{level}, {level} - 400.0, side='above'"),
    "expanding mean": ("x = price - price.expanding(20).mean()", "{rise}, 0.0"),
    "receipts": ("x = indicators.change(market.receipts, {n}, relative=False)", "500.0, 0.0"),
    "series": ("x = indicators.zscore(market.known('inventory'), {n})", "{z}, 0.0"),
    "paper": (("x = indicators.zscore(pd.Series(np.nansum(market.open_interest, axis=1),"
              " market.sessions), {n})"), "{z}, 0.0"),
    "month": (("x = pd.Series(np.isin(market.sessions.month, ({month}, {month} + 1)),"
              " market.sessions).astype(float)"), "0.5, 0.2, side='above'"),
    "settlement": ("x = indicators.zscore(self.price(market, 'settle') - price, {n})", "{z}, 0.0"),
    "half-life": (("x = indicators.zscore(price, {n}).where("
                  "indicators.rolling_half_life(price, 40) < 20)"), "{z}, 0.0"),
    "volume": (("x = indicators.zscore(self.smooth(market), {n}).where("
               "self.price(market) > self.price(market, 'open'))"), "{z}, 0.0"),
}

#: Of a good whose delivery standard is known by name.
_OF_STANDARD = {
    "basis": ("x = indicators.zscore(market.basis('553', standard='{standard}'), {n})",
              "{z}, 0.0, units=-1"),
    "index": ("x = indicators.zscore(market.weighted(standard='{standard}'), {n})", "{z}, 0.0"),
    "report": (("x = price - sibt.level('guolian_2024q1.support').against(market,"
               " market.dominant(standard='{standard}'))"), "0.0, 500.0, side='below'"),
}

_OVER = (
    "wish = rules.stop(wish, price, {rise})",
    "wish = rules.time_stop(wish, {n})",
    "wish = rules.take_profit(wish, price, {level}, side='short')",
    "wish = rules.reverse(wish, price, {level} - 500.0, side='short')",
    "wish = wishes.within(wish, market.sessions, '2023-06-01', None)",
    "wish = wish.where(market.sessions.day_of_week != 4)",
)

_KINDS = ("contract", "rolled", "near", "legged", "resting", "pair", "line", "hedge",
          "both goods", "filtered")  # fmt: skip

_MONTHS = {"2022": ("si2310", "si2401", "si2404", "si2405", "si2407", "si2409", "si2410"),
           "2024": ("si2412", "si2501", "si2502", "si2503", "si2505")}


def _next(code: str) -> str:
    year, month = divmod(int(code[2:4]) * 12 + int(code[4:]), 12)
    return f"si{year:02d}{month + 1:02d}"


def strategy(seed: int) -> str:
    """Return the source of an honest strategy; the same seed gives the same text."""
    rng = Random(seed)
    kind = _KINDS[seed % len(_KINDS)]
    standard = rng.choice(("2022", "2022", "2024"))
    code = rng.choice(_MONTHS[standard])
    numbers = {
        "n": rng.choice((5, 10, 15, 20, 40)),
        "z": rng.choice((0.75, 1.0, 1.5)),
        "rise": rng.choice((40.0, 100.0, 200.0)),
        "level": rng.choice((11800.0, 12500.0, 13500.0)),
        "month": rng.randint(1, 11),
        "standard": standard,
    }
    signals = {**_SIGNALS, **_OF_STANDARD}
    over = rng.sample(_OVER, rng.randint(0, 3))
    plain = f"market.bars('{code}')"
    fill = {
        "codes": f"pd.Series('{code}', market.sessions)",
        "price": f"{plain}[field]",
        "smooth": f"{plain}['close']",
        "legs": f"{{'{code}': 1}}",
        "account": rng.choice(("individual", "company")),
        "more": "",
        "result": "wish",
    }
    if kind in ("rolled", "near"):
        how = (f"market.dominant(standard='{standard}')" if kind == "rolled"
               else f"market.near(self.kind, standard='{standard}')")  # fmt: skip
        fill |= {
            "codes": how,
            "price": "market.continuous(self.codes(market), field, None)",
            "smooth": "market.continuous(self.codes(market), 'close', adjust)",
            "legs": "{'main': (self.codes(market), 1)}",
        }
    elif kind in ("pair", "line"):
        near, far = ("si2411", "si2412") if kind == "line" else (code, _next(code))
        if kind == "pair" and near == "si2410" and rng.random() < 0.5:
            far = "si2411"
        cross = ", cross_standard=True" if kind == "line" else ""
        fill |= {
            "price": f"market.spread('{near}', '{far}', field{cross})",
            "smooth": f"market.spread('{near}', '{far}'{cross})",
            "legs": f"{{'{near}': 1, '{far}': -1}}",
        }
        # A level or a return of a spread says nothing; a stop on one leg's price may.
        names = ("z-score", "percentile", "low percentile", "change", "moving average",
                 "expanding mean", "half-life", "Bollinger", "month", "series", "receipts")
        signals = {name: _SIGNALS[name] for name in names}
        one = f"market.bars('{near}')['close']"
        over = rng.sample((
            "wish = rules.stop(wish, price, {rise})",
            "wish = rules.time_stop(wish, {n})",
            f"wish = rules.stop(wish, {one}, {{rise}})",
            f"wish = rules.take_profit(wish, {one}, {{level}}, side='long')",
        ), rng.randint(1, 3))  # fmt: skip
    elif kind == "hedge":
        near, far = rng.choice((("si2404", "si2410"), ("si2405", "si2409"), ("si2406", "si2410")))
        fill |= {
            "account": "hedger",
            "legs": f"{{'{far}': 1}}",
            "price": f"market.spread('{near}', '{far}', field)",
            "smooth": f"market.spread('{near}', '{far}')",
            "more": f'''
    def exposure(self, market, p):
        before = market.sessions < sibt.contract('{far}').last_trading
        return pd.Series(np.where(before, {rng.choice((100, 500))}.0, 0.0), market.sessions)
''',
            "result": "(wish * self.exposure(market, p) / 5 * 0.8).round()",
        }
        signals = {
            "carry": ((f"x = indicators.carry_ratio(price, market.carry('{near}', '{far}',"
                      " price='close'))"), "0.7, 0.3, side='above'"),
            "tenor": ("x = indicators.percentile(-price, {n})", "0.7, 0.4, side='above'"),
            "near month": (f"x = indicators.zscore(market.bars('{near}')['close'], {{n}})",
                           "{z}, 0.0, side='above'"),
        }
        over = []
    elif kind == "legged":
        other = _next(code) if code != "si2410" else "si2411"
        fill |= {
            "legs": f"{{'{code}': 1, '{other}': 1}}",
            "result": f"pd.DataFrame({{'{code}': wish, '{other}': "
            f"-rules.hold(indicators.zscore(market.bars('{other}')['close'], {numbers['n']}),"
            " 1.0, 0.0)})",
        }
    elif kind == "both goods":
        # Through the line in lots, never in a signal: each contract is its own yardstick.
        fill |= {
            "codes": "market.dominant(cross_standard=True)",
            "price": "self.own(market, lambda own: own)",
            "smooth": "self.own(market, lambda own: own)",
            "legs": "{'main': (self.codes(market), 1)}",
            "more": '''
    def own(self, market, of):
        codes, closes = self.codes(market), market.frame("close")
        parts = [of(closes[code]).where(codes == code) for code in codes.dropna().unique()]
        return pd.concat(parts, axis=1).max(axis=1)
''',
        }
        what = rng.choice((
            "indicators.zscore(own, {n})",
            "indicators.percentile(own, {n}) * 2 - 1",
            "indicators.change(own, {n}) * 30",
        ))  # fmt: skip
        signals = {"own past": (f"x = self.own(market, lambda own: {what})", "0.9, 0.0")}
        over = []
    elif kind == "filtered":
        # The spread is a filter on a single leg: unknown, it filters nothing.
        near = rng.choice(("si2405", "si2407", "si2409"))
        fill |= {"price": f"market.bars('{near}')[field]",
                 "smooth": f"market.bars('{near}')['close']", "legs": f"{{'{near}': 1}}"}
        filtered = (f"x = indicators.zscore(price, {{n}}).mask("
                    f"market.spread('{near}', '{_next(near)}') < -{{rise}}, 0.0)")
        # Two months with a say each are no spread: a hole in one leaves its say as it was.
        mine = "rules.hold(indicators.zscore(price, {n}), {z}, 0.0)"
        others = (f"rules.hold(indicators.zscore(market.bars('{_next(near)}')['close'], {{n}}),"
                  " {z}, 0.0)")
        signals = {
            "filter": (filtered, "{z}, 0.0"),
            "vote": (f"x = {mine} + {others}", "1.0, 0.0, units=-1"),
            "relative strength": (f"x = {mine} - {others}", "1.0, 0.0, units=-1"),
        }
    elif kind == "resting":
        over = []
        fill["result"] = (
            "(wish, (price.rolling(5).mean() / 5).round().mul(5).where(wish > 0))"
            if rng.random() < 0.5
            else f"wishes.rest(wish, {numbers['level']}, 0)"
        )
    # Each signal in its turn, so that a few dozen seeds meet them all.
    name = sorted(signals)[(seed // 10 + 5 * (seed % 10)) % len(signals)]
    lines, thresholds = signals[name]
    text = _HEAD.format(
        seed=seed,
        kind=kind,
        signal=name,
        lines=f"        {lines}",
        rule=f"rules.hold(self.signal(market), {thresholds})",
        over="\n".join(f"        {line}" for line in over) or "        # Nothing is laid over it.",
        **fill,
    )
    for word, value in numbers.items():
        text = text.replace(f"{{{word}}}", str(value))
    return text
