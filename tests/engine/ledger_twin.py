"""A slow twin of the ledger, written from docs/fills.md alone, to check the fast one against.

Plain loops and exact decimals, one step of the specification after the other. It shares
nothing with ``sibt.engine``.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil, floor, inf

import pandas as pd

from sibt.market.contract import contract

FEN = Decimal("0.01")
PRICES = ("open", "high", "low", "close", "settle")


def twin(market, units, legs, *, limits=None, account, execution, terms=None):
    """Book a run; ``account`` and ``execution`` are mappings of the settings' names."""
    return _Twin(market, units, legs, limits, account, execution, terms or {}).run()


@dataclass
class TwinResult:
    """What a run left behind: rows as dicts, and how often each event came up."""

    fills: list = field(default_factory=list)
    unfilled: list = field(default_factory=list)
    statement: list = field(default_factory=list)
    bust: pd.Timestamp | None = None
    events: Counter = field(default_factory=Counter)


@dataclass
class Position:
    """Signed lots of one leg in one contract: those carried into today, and today's."""

    carried: int = 0
    today: list = field(default_factory=list)  # [lots, price, rolled in], first in first

    @property
    def lots(self):
        return self.carried + sum(row[0] for row in self.today)


@dataclass
class Group:
    """Legs that change together, and the lots of each in one unit."""

    ratios: dict  # leg -> signed lots a unit
    bound: int | None = None
    called: int = -1


def fen(amount):
    return amount.quantize(FEN, ROUND_HALF_UP)


def decimal(value):
    """Return a number as it is written, or None where it is unknown."""
    return None if pd.isna(value) else Decimal(repr(float(value)))


def sign(number):
    return (number > 0) - (number < 0)


class _Twin:
    def __init__(self, market, units, legs, limits, account, execution, terms):
        self.sessions = list(market.sessions)
        self.contracts = list(market.contracts)
        self.account, self.execution, self.terms = account, execution, terms
        self.bars = {
            name: {
                code: [decimal(value) for value in getattr(market, name)[:, column]]
                for column, code in enumerate(self.contracts)
            }
            for name in (*PRICES, "volume")
        }
        self.settled = {code: self.settlements(code) for code in self.contracts}
        self.names = list(legs)
        self.ratio, self.codes = [], []
        for name, stated in legs.items():
            if isinstance(stated, tuple):
                series, ratio = stated
                self.codes.append(self.kept(series, None))
            else:
                ratio = stated
                self.codes.append([name] * len(self.sessions))
            self.ratio.append(int(ratio))
        self.by_leg = None
        if isinstance(units, pd.DataFrame):
            columns = [self.kept(units[name], 0) for name in self.names]
            self.by_leg = [
                tuple(int(w) * r for w, r in zip(row, self.ratio, strict=True))
                for row in zip(*columns, strict=True)
            ]
            self.wishes = self.by_leg
        else:
            self.wishes = [int(wish) for wish in self.kept(units, 0)]
        self.limits = [None] * len(self.sessions)
        if limits is not None:
            assert len(legs) == 1
            self.limits = [decimal(limits.get(day)) for day in self.sessions]
        numbers = range(len(self.names))
        if execution["pairing"] == "paired":
            self.groups = [Group({leg: self.ratio[leg] for leg in numbers})]
        else:
            self.groups = [Group({leg: 1}) for leg in numbers]
        self.lives = {code: contract(code) for code in self.contracts}
        self.bands = {}
        self.load_terms(market.sessions)
        self.positions = {(leg, code): Position() for leg in numbers for code in self.contracts}
        self.equity = Decimal(str(account["capital"]))
        self.result = TwinResult()

    def settlements(self, code):
        """Return the last known settlement before each session, and before the one after."""
        known = [None]
        for price in self.bars["settle"][code]:
            known.append(known[-1] if price is None else price)
        return known

    def kept(self, series, first):
        """Spread a series over the sessions; a missing value keeps the last one."""
        values = []
        for day in self.sessions:
            value = series.get(day)
            values.append((values[-1] if values else first) if pd.isna(value) else value)
        return values

    # --- terms -------------------------------------------------------------------------

    def load_terms(self, sessions):
        add_on = Decimal(str(self.account["broker_margin"]))
        self.margin_rates, self.band_limits, self.fees, self.per_lot = {}, {}, {}, {}
        self.tick = {}
        for code, life in self.lives.items():
            product = life.product
            rates = self.overriding("margin") or [
                decimal(rate) for rate in product.margin_rate(code, sessions, self.account["kind"])
            ]
            self.margin_rates[code] = [
                (rate + add_on).quantize(Decimal("1e-6"), ROUND_HALF_UP) for rate in rates
            ]
            self.band_limits[code] = self.overriding("price_limit") or [
                decimal(limit) for limit in product.price_limit(code, sessions)
            ]
            self.tick[code] = [decimal(tick) for tick in product.tick(sessions)]
            markup = Decimal(str(self.account["fee_markup"]))
            for offset in ("open", "close", "close_today"):
                given = self.overriding("fee")
                if offset == "close_today":
                    given = self.overriding("fee_close_today") or given
                rates = given or [decimal(rate) for rate in product.fee(code, sessions, offset)]
                lumps = [decimal(lump) for lump in product.fee_per_lot(code, sessions, offset)]
                self.fees[code, offset] = [
                    (rate * markup).quantize(Decimal("1e-10"), ROUND_HALF_UP) for rate in rates
                ]
                self.per_lot[code, offset] = [
                    Decimal(0) if given else lump * markup for lump in lumps
                ]

    def overriding(self, name):
        value = self.terms.get(name)
        if value is None:
            return None
        if isinstance(value, pd.Series):
            return [decimal(value.loc[day]) for day in self.sessions]
        return [decimal(value)] * len(self.sessions)

    def multiplier(self, code):
        return self.lives[code].product.multiplier

    def fee(self, code, offset, t, lots, price):
        turnover = price * lots * self.multiplier(code)
        return fen(self.fees[code, offset][t] * turnover + self.per_lot[code, offset][t] * lots)

    def margin(self, code, t, lots, price):
        return fen(abs(lots) * price * self.multiplier(code) * self.margin_rates[code][t])

    def leaves_on(self, code):
        """Return the exit session of a contract for this account."""
        return self.lives[code].exit_session(self.account["kind"])

    def leaving(self, code, t):
        day = self.leaves_on(code)
        return day is not None and self.sessions[t] >= day

    def refusal(self, code, t):
        """Return why a contract may not be opened in a session, or None if it may."""
        if code is None:
            return "not listed"
        return self.unlisted(code, t) or ("delivery month" if self.leaving(code, t) else None)

    def unlisted(self, code, t):
        life, day = self.lives[code], self.sessions[t]
        # Where a contract's own listing is unknown, it is no older than its product.
        early = day < (life.listed or life.product.first_session)
        late = life.last_trading is not None and day > life.last_trading
        return "not listed" if early or late else None

    # --- prices and bands --------------------------------------------------------------

    def last_settle(self, code, t):
        """Return the last known settlement before session t."""
        return self.settled[code][t]

    def settle(self, code, t):
        """Return this session's settlement, or the last known one."""
        return self.settled[code][t + 1]

    def band(self, code, t):
        """Return limit-down and limit-up, or (None, None) where there is no band."""
        if (code, t) not in self.bands:
            self.bands[code, t] = self.find_band(code, t)
        return self.bands[code, t]

    def find_band(self, code, t):
        last, limit = self.last_settle(code, t), self.band_limits[code][t]
        if last is None or limit >= 1:
            return None, None
        tick = Fraction(self.tick[code][t])
        up = floor(Fraction(last) * (1 + Fraction(limit)) / tick) * tick
        down = ceil(Fraction(last) * (1 - Fraction(limit)) / tick) * tick
        for name in ("open", "high", "low", "close"):
            price = self.bars[name][code][t]
            if price is not None and not down <= price <= up:
                self.result.events["band refuted"] += 1
                return None, None
        return tuple(Decimal(p.numerator) / Decimal(p.denominator) for p in (down, up))

    def quote(self, code, t, buy, limit=None):
        """Return (price, None), or (None, reason) where the side is closed."""
        bar = {name: self.bars[name][code][t] for name in (*PRICES, "volume")}
        if self.unlisted(code, t):
            return None, "not listed"
        if all(bar[name] is None for name in PRICES) or bar["volume"] == 0:
            return None, "no trade"
        raw = bar[self.execution["fill"]]
        if raw is None:
            return None, "no price"
        low = raw if bar["low"] is None else bar["low"]
        high = raw if bar["high"] is None else bar["high"]
        down, up = self.band(code, t)
        if up is not None and (low >= up if buy else high <= down):
            return None, "limit"
        if limit is not None:
            if bar["open"] is None:
                return None, "no price"
            if bar["open"] <= limit if buy else bar["open"] >= limit:
                self.result.events["limit order at open"] += 1
                return bar["open"], None
            if low <= limit if buy else high >= limit:
                self.result.events["limit order at limit"] += 1
                return limit, None
            return None, "price not reached"
        slip = self.execution["slippage"] * self.tick[code][t]
        price = raw + slip if buy else raw - slip
        if up is not None:
            price = max(down, min(up, price))
        return price, None

    def cap(self, code, t):
        share, volume = self.execution["participation"], self.bars["volume"][code][t]
        if share is None or volume is None:
            return inf
        return floor(Fraction(str(share)) * Fraction(volume))

    # --- booking -----------------------------------------------------------------------

    def held(self, leg, code=None):
        if code is not None:
            return self.positions[leg, code].lots
        return sum(self.positions[leg, c].lots for c in self.contracts)

    def group_units(self, group):
        counts = {Fraction(self.held(leg), ratio) for leg, ratio in group.ratios.items()}
        assert len(counts) == 1, counts
        count = counts.pop()
        assert count.denominator == 1
        return int(count)

    def book(self, t, leg, code, buy, offset, lots, price, reason):
        fee = Decimal(0) if reason == "delivery" else self.fee(code, offset, t, lots, price)
        self.day["fees"] += fee
        self.result.events[f"fill {reason}"] += 1
        self.result.fills.append(
            {
                "session": self.sessions[t],
                "leg": self.names[leg],
                "contract": code,
                "side": "buy" if buy else "sell",
                "offset": offset,
                "lots": lots,
                "price": price,
                "fee": fee,
                "reason": reason,
            }
        )

    def close(self, t, leg, code, lots, price, reason):
        """Close so many lots (positive), first in, first out."""
        position = self.positions[leg, code]
        way = sign(position.lots)
        size = self.multiplier(code)
        old = min(lots, abs(position.carried))
        if old:
            position.carried -= way * old
            self.day["closed_pnl"] += (price - self.last_settle(code, t)) * size * way * old
            self.book(t, leg, code, way < 0, "close", old, price, reason)
        rest = new = lots - old
        while rest:
            first = position.today[0]
            part = min(rest, abs(first[0]))
            first[0] -= way * part
            rest -= part
            self.day["closed_pnl"] += (price - first[1]) * size * way * part
            if not first[0]:
                position.today.pop(0)
        if new:
            self.result.events["close today"] += 1
            self.book(t, leg, code, way < 0, "close_today", new, price, reason)

    def open(self, t, leg, code, lots, price, reason):
        """Open so many signed lots."""
        self.positions[leg, code].today.append([lots, price, reason == "roll"])
        self.book(t, leg, code, lots > 0, "open", abs(lots), price, reason)

    def shortfall(self, t, leg, code, wanted, filled, reason):
        self.result.events[f"short {reason}"] += 1
        self.result.unfilled.append(
            {
                "session": self.sessions[t],
                "leg": self.names[leg],
                "contract": code,
                "wanted": wanted,
                "filled": filled,
                "reason": reason,
            }
        )

    # --- one session -------------------------------------------------------------------

    def run(self):
        for t in range(len(self.sessions)):
            self.day = {"fees": Decimal(0), "closed_pnl": Decimal(0)}
            if t and self.result.bust is None:
                self.trade(t)
            self.settle_accounts(t)
        return self.result

    def trade(self, t):
        self.used = defaultdict(int)
        self.code = [codes[t - 1] for codes in self.codes]
        holders = Counter(code for _, code in self.holdings())
        self.result.events["contract in two legs"] += max(holders.values(), default=0) > 1
        orders = [(group, *self.order(group, t)) for group in self.groups]
        for group, wish, reason in orders:
            self.reduce(group, wish, reason, t)
        for leg in range(len(self.names)):
            self.roll(leg, t)
        for group, wish, reason in orders:
            if reason != "exit date":
                self.increase(group, wish, t)
        for group, wish, reason in orders:
            goes = self.can_be_delivered(group, abs(wish)) if reason == "exit date" else 0
            self.leave(group, reason == "exit date", goes, t)

    def order(self, group, t):
        """Step 1: return the wish that holds today, in units, and its reason."""
        wish = self.wishes[t - 1]
        if self.execution["pairing"] == "legged":
            (leg,) = group.ratios
            wish = wish * self.ratio[leg] if self.by_leg is None else wish[leg]
        evening = t - 1
        changed = evening > 0 and self.wishes[evening] != self.wishes[evening - 1]
        if group.bound is not None and evening > group.called and changed:
            group.bound = None
            self.result.events["bound lifted"] += 1
        for leg in group.ratios:
            code = self.code[leg]
            if code is not None and self.leaving(code, t) and self.held(leg, code):
                self.result.events["exit by date"] += 1
                return self.for_delivery(group, wish), "exit date"
        if group.bound is None or abs(wish) <= group.bound:
            return wish, "signal"
        bounded = sign(wish) * group.bound
        held = self.group_units(group)
        if self.to_close(held, bounded) > self.to_close(held, wish):
            return bounded, "margin call"
        self.result.events["bound, not forced"] += 1
        return bounded, "signal"

    def for_delivery(self, group, wish):
        """Step 1: return the signed units of a group to be delivered on the last trading day."""
        held = self.group_units(group)
        if self.execution.get("at_expiry", "close") == "close" or sign(wish) != sign(held):
            return 0
        units = min(abs(held), abs(wish))
        if group.bound is not None:
            units = min(units, group.bound)
        (ratio,) = group.ratios.values()
        # The largest number of units that makes whole delivery units.
        while units * abs(ratio) % self.execution["delivery_unit"]:
            units -= 1
        return sign(held) * units

    @staticmethod
    def to_close(held, wish):
        """Return how many units (positive) a wish takes off what is held."""
        if sign(held) != sign(wish):
            return abs(held)
        return max(0, abs(held) - abs(wish))

    def closing_order(self, leg):
        """Return the contracts a leg holds, in the order in which it closes them."""
        own = self.code[leg]
        codes = [c for c in self.contracts if c != own and self.held(leg, c)]
        return codes + ([own] if own is not None and self.held(leg, own) else [])

    def closing_plan(self, leg, lots, quotes, room):
        """Return ({code: lots}, code and reason of the first contract that took too little)."""
        plan, short = {}, None
        for code in self.closing_order(leg):
            want = min(lots, abs(self.held(leg, code)))
            _, reason = quotes[leg, code]
            take = 0 if reason else min(want, room[code])
            if take < want and short is None:
                short = (code, reason or "volume")
            plan[code] = take
            room[code] -= take
            lots -= take
        return plan, short, lots

    def rooms(self, t):
        return {code: self.cap(code, t) - self.used[code] for code in self.contracts}

    def reduce(self, group, wish, reason, t):
        """Step 2: close down to the wish, at most to flat."""
        held = self.group_units(group)
        wanted = self.to_close(held, wish)
        if not wanted:
            return
        if wish and sign(wish) != sign(held):
            self.result.events["reversal"] += 1
        limit = self.limits[t - 1] if reason == "signal" else None
        quotes = {
            (leg, code): self.quote(code, t, self.held(leg, code) < 0, limit)
            for leg in group.ratios
            for code in self.closing_order(leg)
        }
        for count in range(wanted, -1, -1):
            room, plans = self.rooms(t), {}
            for leg, ratio in group.ratios.items():
                plans[leg], _, rest = self.closing_plan(leg, count * abs(ratio), quotes, room)
                if rest:
                    break
            else:
                break
        for leg, ratio in group.ratios.items():
            if count < wanted:
                lots, first = wanted * abs(ratio), self.closing_order(leg)[0]
                _, short, rest = self.closing_plan(leg, lots, quotes, self.rooms(t))
                way = -sign(self.held(leg))
                code, why = short if rest else (first, "pair")
                self.shortfall(t, leg, code, way * lots, way * count * abs(ratio), why)
        for leg in group.ratios:
            for code, lots in plans[leg].items():
                if lots:
                    self.used[code] += lots
                    self.close(t, leg, code, lots, quotes[leg, code][0], reason)

    def roll(self, leg, t):
        """Step 3: bring lots in other contracts into the leg's code."""
        code = self.code[leg]
        for old in self.contracts:
            held = self.held(leg, old)
            if old == code or not held:
                continue
            room = self.rooms(t)
            out_price, out_reason = self.quote(old, t, held < 0)
            in_price, in_reason = None, self.refusal(code, t)
            if in_reason is None:
                in_price, in_reason = self.quote(code, t, held > 0)
            leave = 0 if out_reason else min(abs(held), room[old])
            enter = 0 if in_reason else min(abs(held), room[code])
            lots = min(leave, enter)
            if lots < abs(held):
                reason = (out_reason if leave < abs(held) else in_reason) or "volume"
                self.result.events["roll short"] += 1
                self.shortfall(t, leg, old, -held, -sign(held) * lots, reason)
            if lots:
                self.used[old] += lots
                self.used[code] += lots
                self.close(t, leg, old, lots, out_price, "roll")
                self.open(t, leg, code, sign(held) * lots, in_price, "roll")

    def increase(self, group, wish, t):
        """Step 4: open up to the wish."""
        held = self.group_units(group)
        if sign(held) == -sign(wish) or abs(wish) <= abs(held):
            return
        wanted, way = abs(wish) - abs(held), sign(wish)
        quotes, takes = {}, {}
        for leg, ratio in group.ratios.items():
            code, lots = self.code[leg], wanted * abs(ratio)
            price, reason = None, self.refusal(code, t)
            if reason is None:
                price, reason = self.quote(code, t, way * ratio > 0, self.limits[t - 1])
            take = 0 if reason else min(lots, self.rooms(t)[code])
            quotes[leg] = price
            takes[leg] = (take, reason or "volume")
        able = wanted
        while any(take < able * abs(group.ratios[leg]) for leg, (take, _) in takes.items()):
            able -= 1
        count = able
        while count and not self.carries(group, way * count, quotes, t):
            count -= 1
        for leg, ratio in group.ratios.items():
            take, reason = takes[leg]
            lots = wanted * abs(ratio)
            if count < wanted:
                if count < able:
                    reason = "margin"
                elif take == lots:
                    reason = "pair"
                side = way * sign(ratio)
                code = self.code[leg]
                self.shortfall(t, leg, code, side * lots, side * count * abs(ratio), reason)
            if count:
                self.used[self.code[leg]] += count * abs(ratio)
                self.open(t, leg, self.code[leg], way * count * ratio, quotes[leg], "signal")

    def carries(self, group, count, quotes, t):
        """Return whether the opening test carries so many more (signed) units."""
        need = Decimal(0)
        for (leg, code), position in self.positions.items():
            if position.carried:
                last = self.last_settle(code, t)
                need += self.margin(code, t - 1, position.carried, last)
            today = [list(row) for row in position.today]
            if leg in group.ratios and code == self.code[leg]:
                today.append([count * group.ratios[leg], quotes[leg], False])
            for lots, price, rolled in today:
                need += self.margin(code, t - 1, lots, price)
                if not rolled:
                    need += self.fee(code, "open", t, abs(lots), price)
        return need <= self.equity

    def can_be_delivered(self, group, units):
        """Step 5: return how many units of those for delivery there are in the code itself."""
        if not units:
            return 0
        ((leg, ratio),) = group.ratios.items()
        units = min(units, abs(self.held(leg, self.code[leg])) // abs(ratio))
        while units * abs(ratio) % self.execution["delivery_unit"]:
            units -= 1
        return units

    def leave(self, group, exiting, goes, t):
        """Step 5: what an exit by date could not fill leaves at settlement, or is delivered."""
        if exiting:
            count = abs(self.group_units(group)) - goes
        else:
            count = 0
            for leg, ratio in group.ratios.items():
                expiring = sum(abs(self.held(leg, c)) for c in self.contracts if self.leaving(c, t))
                count = max(count, ceil(Fraction(expiring, abs(ratio))))
            if count:
                self.result.events["rest of a roll leaves"] += 1
        for leg, ratio in group.ratios.items():
            rest = count * abs(ratio)
            codes = self.closing_order(leg)
            if not goes:
                codes = sorted(codes, key=lambda c: not self.leaving(c, t))
            for code in codes:
                lots = min(rest, abs(self.held(leg, code)))
                if lots:
                    price = self.settle(code, t)
                    self.close(t, leg, code, lots, price, "exit date, at settlement")
                    rest -= lots
            if goes:
                code = self.code[leg]
                lots = abs(self.held(leg, code))
                self.close(t, leg, code, lots, self.settle(code, t), "delivery")

    # --- settlement --------------------------------------------------------------------

    def holdings(self):
        return {key: position.lots for key, position in self.positions.items() if position.lots}

    def margin_of(self, holdings, t):
        """Step 8: the margin of {(leg, code): lots} at this settlement."""
        rows = [(key, lots) for key, lots in holdings.items() if lots]
        total = sum(
            (self.margin(code, t, lots, self.settle(code, t)) for (_, code), lots in rows),
            Decimal(0),
        )
        if self.account["spread_relief"] and len(rows) == 2:
            ((_, one), first), ((_, two), second) = rows
            same = self.lives[one].product.name == self.lives[two].product.name
            if same and sign(first) == -sign(second):
                self.result.events["relief"] += 1
                matched = min(abs(first), abs(second))
                total -= min(
                    self.margin(code, t, matched, self.settle(code, t)) for code in (one, two)
                )
        return total

    def settle_accounts(self, t):
        previous, day = self.equity, self.sessions[t]
        held_pnl = Decimal(0)
        for (_, code), position in self.positions.items():
            if not position.lots:
                continue
            settle, size = self.settle(code, t), self.multiplier(code)
            if position.carried:
                held_pnl += (settle - self.last_settle(code, t)) * size * position.carried
            for lots, price, _ in position.today:
                held_pnl += (settle - price) * size * lots
        mtm = self.day["closed_pnl"] + held_pnl
        self.equity = previous + mtm - self.day["fees"]
        if self.equity <= 0 and self.result.bust is None:
            before = self.day["fees"]
            for leg, code in self.holdings():
                lots = abs(self.held(leg, code))
                self.close(t, leg, code, lots, self.settle(code, t), "bust")
            self.equity -= self.day["fees"] - before
            held_pnl = mtm - self.day["closed_pnl"]
            self.result.bust = day
            self.result.events["bust"] += 1
        for position in self.positions.values():
            position.carried, position.today = position.lots, []
        margin = self.margin_of(self.holdings(), t)
        call = max(Decimal(0), margin - self.equity) if self.result.bust is None else Decimal(0)
        deposit = Decimal(0)
        if call and self.account["on_call"] == "deposit":
            deposit = call
            self.equity += deposit
            self.result.events["deposit"] += 1
        elif call:
            self.call(t)
        self.result.statement.append(
            {
                "session": day,
                "previous": previous,
                "closed_pnl": self.day["closed_pnl"],
                "held_pnl": held_pnl,
                "mtm": mtm,
                "fees": self.day["fees"],
                "deposit": deposit,
                "equity": self.equity,
                "margin": margin,
                "available": self.equity - margin,
                "margin_call": call,
                "units": self.units_held(),
            }
        )

    def units_held(self):
        counts = {Fraction(self.held(leg), ratio) for leg, ratio in enumerate(self.ratio)}
        return float(counts.pop()) if len(counts) == 1 else None

    def call(self, t):
        """Step 10: bound every group to what may stay."""
        self.result.events["call"] += 1
        if t == 0:
            return
        holdings = self.holdings()
        margins = [
            self.margin_of({key: n for key, n in holdings.items() if key[0] == leg}, t)
            for leg in range(len(self.names))
        ]
        groups = self.groups
        if self.execution["pairing"] == "legged":
            groups = sorted(groups, key=lambda group: -margins[next(iter(group.ratios))])
        done = False
        for group in groups:
            stays = abs(self.group_units(group))
            while stays and not done:
                for leg, ratio in group.ratios.items():
                    rest = abs(ratio)
                    for code in self.closing_order(leg):
                        lots = holdings.get((leg, code), 0)
                        part = min(rest, abs(lots))
                        if part:
                            holdings[leg, code] = lots - sign(lots) * part
                            rest -= part
                stays -= 1
                done = self.margin_of(holdings, t) <= self.equity
            group.bound, group.called = stays, t
