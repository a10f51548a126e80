"""The size of a hedge before there is a strategy: lots, margin by stage, fees, cash for moves.

Money is exact to the fen, by decimal arithmetic; no account is booked.
"""

import math
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd

from sibt.engine.account import BROKER_FEES, BROKER_MARGIN, Account, Kind
from sibt.engine.execution import Execution
from sibt.errors import DataError, SettingError, did_you_mean
from sibt.hedging.ratios.lots import lots as nearest
from sibt.language import Sentence, said
from sibt.market import calendar
from sibt.market.contract import Contract, contract
from sibt.market.panel import Market
from sibt.market.product import Product

__all__ = ["MOVES", "SIDES", "Size", "Stage", "size"]

#: Moves of the price the cash is told for, shares.
MOVES = (-0.15, -0.10, -0.05, 0.05, 0.10, 0.15)

#: A producer or holder of goods sells futures, a consumer buys them.
SIDES = ("sell", "buy")

#: Lots a single hedge may have; more is a slip of the pen.
_MOST_TONNES = 1e9

_FEN = Decimal("0.01")


@dataclass(frozen=True)
class Stage:
    """Margin of the hedge from one settlement on, at the price it is sized at.

    Attributes
    ----------
    name : {"today", "holiday", "15th session", "delivery month"}
        Which stage.
    other : bool
        True for the other reading, where the notices leave two open.
    since : pd.Timestamp or None
        Settlement from which it is charged; None where that is unknown.
    why : Sentence
        What the rate rests on.
    rate : float
        The exchange's rate, a share; NaN where none is known or the account is out by then.
    exchange, broker : float
        Margin at the exchange's and at the broker's standard, yuan; NaN with the rate.
    """

    name: str
    other: bool
    since: pd.Timestamp | None
    why: Sentence
    rate: float
    exchange: float
    broker: float


@dataclass(frozen=True, eq=False)
class Size:
    """A hedge in lots and yuan.

    Attributes
    ----------
    code, kind, side : str
        Contract, kind of account, one of `SIDES`.
    tonnes, ratio : float
        Goods, and the share of them that is to be hedged.
    exact : float
        Lots before rounding.
    lots : int
        Whole lots, unsigned: the nearest number, never more than the goods.
    hedged, left : float
        Tonnes of futures, and tonnes of goods without them.
    price : float
        Yuan per tonne.
    priced : Sentence
        Where the price comes from.
    day : pd.Timestamp
        Day whose terms are in force "today".
    exit : pd.Timestamp or None
        Session in which the account must be out; None beyond the calendar.
    worth : float
        Hedged tonnes at the price, yuan.
    stages : tuple of Stage
        In order of `Stage.name`; another reading stands behind its stage.
    fees : pd.DataFrame
        Indexed by ``open, close``: ``exchange`` and ``broker`` (twice), yuan, at this price.
    moves : pd.DataFrame
        By move, stage and standard: ``move`` (share), ``price``, ``gain`` (of the futures, yuan),
        ``stage``, ``other``, ``standard`` ("exchange" or "broker"), ``rate``, ``margin`` (at the
        moved price) and ``cash`` (margin − gain: what must lie in the account; below zero, what
        may be taken out), yuan.
    broker_margin : float
        The broker's points on the exchange's rate, a share.
    notes : tuple of str
        What a reader must know, a sentence each.
    simulated : bool
        True where the price is made up.
    """

    code: str
    kind: Kind
    side: str
    tonnes: float
    ratio: float
    exact: float
    lots: int
    hedged: float
    left: float
    price: float
    priced: Sentence
    day: pd.Timestamp
    exit: pd.Timestamp | None
    worth: float
    stages: tuple[Stage, ...]
    fees: pd.DataFrame = field(repr=False)
    moves: pd.DataFrame = field(repr=False)
    broker_margin: float
    notes: tuple[str, ...]
    simulated: bool

    @property
    def lot(self) -> int:
        """Tonnes of a lot."""
        return contract(self.code).product.multiplier

    @property
    def dearest(self) -> Stage:
        """The stage with the highest margin."""
        return max((s for s in self.stages if not math.isnan(s.rate)), key=lambda s: s.rate)

    def table(self) -> pd.DataFrame:
        """Return everything as one tidy table, a figure a row.

        Returns
        -------
        pd.DataFrame
            ``contract, date, item, stage, reading, standard, since, move, price, rate, value,
            unit`` and, from made-up prices, ``data`` (SIMULATED).
        """
        rows: list[dict[str, object]] = [
            {"item": "lots", "value": self.lots, "unit": "lots"},
            {"item": "hedged", "value": self.hedged, "unit": "t"},
            {"item": "left unhedged", "value": self.left, "unit": "t"},
            {"item": "worth", "price": self.price, "value": self.worth, "unit": "yuan"},
        ]
        for stage in self.stages:
            for standard, more in (("exchange", 0.0), ("broker", self.broker_margin)):
                rows.append({
                    "item": "margin", "stage": stage.name, "reading": _reading(stage.other),
                    "standard": standard, "since": stage.since, "price": self.price,
                    "rate": round(stage.rate + more, 6), "value": getattr(stage, standard),
                    "unit": "yuan",
                })  # fmt: skip
        for side, fee in self.fees.iterrows():
            for column, yuan in fee.items():
                rows.append({"item": f"fee to {side}", "standard": str(column),
                             "price": self.price, "value": yuan, "unit": "yuan"})  # fmt: skip
        for move in self.moves.to_dict("records"):
            rows.append({
                "item": "cash", "stage": move["stage"], "reading": _reading(move["other"]),
                "standard": move["standard"], "move": move["move"], "price": move["price"],
                "rate": move["rate"], "value": move["cash"], "unit": "yuan",
            })  # fmt: skip
        columns = ["item", "stage", "reading", "standard", "since", "move", "price", "rate",
                   "value", "unit"]  # fmt: skip
        table = pd.DataFrame(rows, columns=columns)
        table.insert(0, "contract", self.code)
        table.insert(1, "date", self.day)
        return table.assign(data="SIMULATED") if self.simulated else table


def size(
    tonnes: float,
    code: str,
    ratio: float = 1.0,
    *,
    price: float | None = None,
    date: pd.Timestamp | str | None = None,
    market: Market | None = None,
    kind: Kind = "hedger",
    side: str = "sell",
    broker_margin: float = BROKER_MARGIN,
) -> Size:
    """Return what a hedge of so many tonnes takes.

    Lots are ``h Q / A`` to the nearest whole one (Hull, Options, Futures and Other Derivatives,
    ch. 3), cut to what the goods fill. Margin is lots × tonnes of a lot × price × rate; the rate
    is that of each stage's settlement. The holiday stage takes the product's own row for a
    holiday within the hedge's life, and where there is none the largest step any of its rows ever
    made.

    Parameters
    ----------
    tonnes : float
        Goods, above zero.
    code : str
        Contract.
    ratio : float
        Share of the goods to hedge, above 0 and up to 1.
    price : float, optional
        Yuan per tonne; by default the contract's last settlement in `market` on or before the
        day.
    date : Timestamp or str, optional
        Day of the terms; by default the last session of the contract in `market` in which such a
        hedge could begin.
    market : Market, optional
        Prices, and terms observed on the contract; needed where price or date is not given.
    kind : {"individual", "company", "hedger"}
        Kind of account.
    side : {"sell", "buy"}
        One of `SIDES`.
    broker_margin : float
        The broker's points on the exchange's rate, a share.

    Raises
    ------
    SettingError
        A value out of its range, a day before the listing or on which the account must be out
        already, a hedge of no lot.
    DataError
        No settlement of the contract in the market by that day.
    TermsError
        No such contract.
    """
    _check(tonnes, ratio, price, side)
    Account(kind=kind, broker_margin=broker_margin)
    life = contract(code)
    if market is not None:
        life = replace(life, product=market.product(life.product.name))
    notes: list[str] = []
    day = _day(life, kind, date, market, price is None, notes)
    price, priced, simulated = _price(code, price, day, market)
    goods = life.product.multiplier
    exact = ratio * tonnes / goods
    # A hedge larger than its goods would be a bet on the rest.
    lots = min(nearest(ratio, tonnes, goods), math.floor(tonnes / goods + 1e-9))
    if lots < 1:
        raise SettingError(
            f"{ratio:g} of {tonnes:,g} t is {exact:.2g} lots of {goods} t of {code}, less than one"
            " that the goods fill; hedge more tonnes, or a larger share of them."
        )
    hedged = float(lots * goods)
    value = Decimal(repr(price)) * lots * goods
    stages = _stages(life, kind, day, value, broker_margin)
    exit_ = life.exit_session(kind)
    if exit_ is None:
        last = calendar.sessions()[-1]
        notes.append(said(
            "the calendar ends on {last:%Y-%m-%d}, before the last trading day of {code}",
            last=last, code=code,
        ))  # fmt: skip
    notes += [_delivery(life, kind, lots), _standard(life)]
    until = day if exit_ is None else exit_
    notes += life.product.caveats(pd.DatetimeIndex([day, until]))
    return Size(
        code=code, kind=kind, side=side, tonnes=float(tonnes), ratio=float(ratio), exact=exact,
        lots=lots, hedged=hedged, left=tonnes - hedged, price=price, priced=priced, day=day,
        exit=exit_, worth=_fen(value), stages=stages, fees=_fees(life, day, lots, value),
        moves=_moves(Decimal(repr(price)), lots * goods, side, stages, broker_margin),
        broker_margin=broker_margin, notes=tuple(dict.fromkeys(notes)), simulated=simulated,
    )  # fmt: skip


def _check(tonnes: float, ratio: float, price: float | None, side: str) -> None:
    if not 0 < tonnes <= _MOST_TONNES:
        raise SettingError(
            f"`tonnes` is {tonnes:g}; give the goods in tonnes, above zero and up to"
            f" {_MOST_TONNES:,.0f}."
        )
    if not 0 < ratio <= 1:
        cure = f"write {ratio / 100:g} for {ratio:g} %" if 2 < ratio <= 100 else "such as 0.8"
        if 1 < ratio <= 2:
            cure = "for a hedge larger than its goods is a bet on the rest"
        raise SettingError(
            f"`ratio` is {ratio:g}; give the share of the goods to hedge, above 0 and up to 1,"
            f" {cure}."
        )
    if price is not None and not 0 < price < math.inf:
        raise SettingError(f"`price` is {price:g}; give yuan per tonne, above zero, as 12530.")
    if side not in SIDES:
        raise SettingError(
            f"`side` is '{side}'; write sell (goods owned or made) or buy (goods needed)."
            f"{did_you_mean(side, SIDES)}"
        )


# -- Day and price ----------------------------------------------------------------------------


def _day(
    life: Contract,
    kind: Kind,
    date: pd.Timestamp | str | None,
    market: Market | None,
    from_bars: bool,
    notes: list[str],
) -> pd.Timestamp:
    """Return the session whose terms count as today's, and note what was made of the date."""
    exit_ = life.exit_session(kind)
    if date is None:
        if market is None:
            raise SettingError("No date is given and no data say which is the last; give a date.")
        return _last_chance(life, exit_, market, from_bars, notes)
    day = asked = _read(date)
    known = calendar.sessions()
    if calendar.is_known(asked):
        day = known[int(known.searchsorted(asked, side="right")) - 1]
        if day != asked:
            notes.append(said(
                "{asked:%Y-%m-%d} is no session: the terms are those of {day:%Y-%m-%d}",
                asked=asked, day=day,
            ))  # fmt: skip
    else:
        notes.append(said(
            "the calendar knows sessions from {first:%Y-%m-%d} to {last:%Y-%m-%d} only",
            first=known[0], last=known[-1],
        ))  # fmt: skip
    if life.listed is not None and asked < life.listed:
        raise SettingError(
            f"{life.code} is listed from {life.listed:%Y-%m-%d}, after {asked:%Y-%m-%d}; give a"
            " later date or an earlier contract."
        )
    if exit_ is not None and asked >= exit_:
        raise SettingError(
            f"An account of kind {kind} is out of {life.code} on {exit_:%Y-%m-%d}, so no hedge"
            f" begins on {asked:%Y-%m-%d}; give an earlier date or a later contract."
        )
    return day


def _read(date: pd.Timestamp | str) -> pd.Timestamp:
    try:
        found = pd.Timestamp(date)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, pd.Timestamp):
        raise SettingError(f"`date` is '{date}', which is no day; write it as 2024-04-01.")
    return found.normalize()


def _last_chance(
    life: Contract,
    exit_: pd.Timestamp | None,
    market: Market,
    from_bars: bool,
    notes: list[str],
) -> pd.Timestamp:
    """Return the last session of the data in which a hedge in the contract could begin."""
    days = market.sessions
    if from_bars or life.code in market.contracts:
        days = days[~np.isnan(market.settle[:, market.column(life.code)])]
    if not len(days):
        raise DataError(
            f"The market ({market.provenance.source}) has no settlement of {life.code}; give a"
            " price and a date."
        )
    early = days if exit_ is None else days[days < exit_]
    if life.listed is not None:
        early = early[early >= life.listed]
    if not len(early):
        raise DataError(
            f"No hedge in {life.code} can begin in the market ({market.provenance.source},"
            f" {days[0]:%Y-%m-%d}..{days[-1]:%Y-%m-%d}); give a date or another contract."
        )
    if early[-1] != days[-1] and exit_ is not None:
        notes.append(said(
            "{code} is over in these data: as of {day:%Y-%m-%d}, the last session a hedge could"
            " begin; give a date for another day",
            code=life.code, day=early[-1],
        ))  # fmt: skip
    return early[-1]


def _price(
    code: str, price: float | None, day: pd.Timestamp, market: Market | None
) -> tuple[float, Sentence, bool]:
    """Return the price, where it comes from, and whether it is made up."""
    if price is not None:
        return float(price), said("as given"), False
    if market is None:
        raise SettingError("No price is given and no data to read one from; give a price.")
    settle = pd.Series(market.settle[:, market.column(code)], index=market.sessions)
    known = settle.loc[:day].dropna()
    if known.empty:
        raise DataError(
            f"The market ({market.provenance.source}) has no settlement of {code} up to"
            f" {day:%Y-%m-%d}; give a price, or a later date."
        )
    where = market.provenance
    values = {"day": known.index[-1], "source": where.source}
    priced = (
        said("settlement of {day:%Y-%m-%d}, {source} (closes stand in for settlements)", **values)
        if where.settle_from == "close"
        else said("settlement of {day:%Y-%m-%d}, {source}", **values)
    )
    return float(known.iloc[-1]), priced, where.simulated


# -- Margin by stage --------------------------------------------------------------------------


def _stages(
    life: Contract, kind: Kind, day: pd.Timestamp, value: Decimal, points: float
) -> tuple[Stage, ...]:
    found: list[Stage] = []

    def stage(
        name: str, since: pd.Timestamp | None, why: Sentence, rate: float, other: float
    ) -> None:
        for number, each in enumerate((rate, other)):
            if number == 0 or not (math.isnan(each) or math.isclose(each, rate, abs_tol=1e-9)):
                reading = said("{why}; the notices' other reading", why=why) if number else why
                yuan = _margin(value, each), _margin(value, each + points)
                found.append(Stage(name, bool(number), since, reading, round(each, 6), *yuan))

    rates = _rates(life.product, life.code, kind, day)
    stage("today", day, said("in force on that day"), *rates)
    since, why, pair = _holiday(life, kind, day, rates)
    stage("holiday", since, why, *pair)
    for name, step, start in (
        ("15th session", "month_before_15th_session", life.fifteenth_before),
        ("delivery month", "delivery_month", life.delivery_start),
    ):
        since, why, pair = _near(life, kind, day, step, start, rates)
        stage(name, since, why, *pair)
    return tuple(found)


def _near(
    life: Contract,
    kind: Kind,
    day: pd.Timestamp,
    step: str,
    start: pd.Timestamp | None,
    today: tuple[float, float],
) -> tuple[pd.Timestamp | None, Sentence, tuple[float, float]]:
    """Return from when a stage near delivery is charged, why, and the rate in both readings."""
    terms = life.product
    if step not in terms.stages:
        why = said("no such step is known of {name}", name=terms.name)
        return None, why, (math.nan, math.nan)
    least = float(terms.stages[step])
    # A natural person leaves on the eve of the delivery month, whose settlement asks for more.
    if kind == "individual" and step == "delivery_month" and not terms.natural_persons_deliver:
        why = said("out by then: a natural person may not hold it")
        return None, why, (math.nan, math.nan)
    # Charged at the settlement of the session before the stage begins.
    eve = None if start is None else calendar.before(start)
    if eve is None:
        rates = (max(today[0], least), max(today[1], least))
        why = said("{least:.0%} at least; the calendar does not reach the day", least=least)
        return None, why, rates
    since = max(eve, day)
    why = said("{least:.0%} at least, charged on the eve of {start:%Y-%m-%d}", least=least,
               start=start)  # fmt: skip
    return since, why, _rates(terms, life.code, kind, since)


def _holiday(
    life: Contract, kind: Kind, day: pd.Timestamp, today: tuple[float, float]
) -> tuple[pd.Timestamp | None, Sentence, tuple[float, float]]:
    """Return the holiday step of the hedge's life, or the largest ever seen on top of today's."""
    terms, exit_ = life.product, life.exit_session(kind)
    lasting = [
        row for row in terms.margins
        if "to" not in row and life.code in row.get("contracts", (life.code,))
    ]  # fmt: skip
    begun = [row for row in lasting if pd.Timestamp(row["from"]) <= day]
    column = "hedger" if kind == "hedger" else "speculator"
    ahead = [
        row for row in lasting
        if "holiday" in row and (row in begun[-1:] or pd.Timestamp(row["from"]) >= day)
        and (exit_ is None or pd.Timestamp(row["from"]) < exit_)
    ]  # fmt: skip
    if ahead:
        # The highest; of equals the first.
        row = max(ahead, key=lambda one: float(one[column]))
        since = max(pd.Timestamp(row["from"]), day)
        why = said("a row of the terms: {source}", source=str(row["source"]))
        return since, why, _rates(terms, life.code, kind, since)
    steps = [
        (float(row[column]) - float(before[column]), row)
        for before, row in pairwise(lasting) if "holiday" in row
    ]  # fmt: skip
    if not steps:
        why = said("no holiday step is known of {name}", name=terms.name)
        return None, why, (math.nan, math.nan)
    most, row = max(steps, key=lambda one: (round(one[0], 6), str(one[1]["from"])))
    # Of the step and the rate near delivery the higher holds, not their sum.
    plain = _rates(replace(terms, stages={}), life.code, kind, day)
    why = said(
        "none is known of its life: {points:+.4g} points, the largest step ever seen ({holiday} of"
        " {year:%Y})",
        points=100 * most, holiday=str(row["holiday"]), year=row["from"],
    )  # fmt: skip
    return None, why, (max(plain[0] + most, today[0]), max(plain[1] + most, today[1]))


def _rates(terms: Product, code: str, kind: Kind, day: pd.Timestamp) -> tuple[float, float]:
    """Return the rate at a settlement, and in the notices' other reading."""
    at = pd.DatetimeIndex([day])
    main, other = (float(terms.margin_rate(code, at, kind, o)[0]) for o in (False, True))
    return main, other


# -- Fees and moves ---------------------------------------------------------------------------


def _fees(life: Contract, day: pd.Timestamp, lots: int, value: Decimal) -> pd.DataFrame:
    """Return the fees of opening and closing the whole at this price, one fill each."""
    at = pd.DatetimeIndex([day])
    rows = {}
    for what in ("open", "close"):
        rate = Decimal(repr(float(life.product.fee(life.code, at, what)[0])))
        flat = Decimal(repr(float(life.product.fee_per_lot(life.code, at, what)[0])))
        once = value * rate + lots * flat
        rows[what] = {
            "exchange": _fen(once), "broker": _fen(once * Decimal(repr(BROKER_FEES)))
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def _moves(
    price: Decimal, tonnes: int, side: str, stages: tuple[Stage, ...], points: float
) -> pd.DataFrame:
    """Return gain, margin and cash after each move, by stage and standard."""
    sign = -1 if side == "sell" else 1
    rows = []
    for move in MOVES:
        moved = price * (1 + Decimal(repr(move)))
        gain = _fen(sign * (moved - price) * tonnes)
        for stage in stages:
            for standard, more in (("exchange", 0.0), ("broker", points)):
                margin = _margin(moved * tonnes, stage.rate + more)
                rows.append({
                    "move": move, "price": float(moved), "gain": gain, "stage": stage.name,
                    "other": stage.other, "standard": standard,
                    "rate": round(stage.rate + more, 6), "margin": margin,
                    "cash": round(margin - gain, 2),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _margin(value: Decimal, rate: float) -> float:
    # Rates count in millionths, as in the ledger.
    return math.nan if math.isnan(rate) else _fen(value * Decimal(repr(round(rate, 6))))


def _fen(value: Decimal) -> float:
    return float(value.quantize(_FEN, ROUND_HALF_UP))


# -- Delivery ---------------------------------------------------------------------------------


def _delivery(life: Contract, kind: Kind, lots: int) -> Sentence:
    unit = Execution().delivery_unit
    if kind == "individual" and not life.product.natural_persons_deliver:
        return said("a natural person may not deliver {name}", name=life.product.name)
    units, rest = divmod(lots, unit)
    values = {"unit": unit, "tonnes": unit * life.product.multiplier, "units": units}
    if rest:
        return said(
            "delivery takes whole units of {unit} lots ({tonnes} t, assumed): {units} of them and"
            " {rest} lots over, to be closed",
            **values, rest=rest,
        )  # fmt: skip
    return said(
        "delivery takes whole units of {unit} lots ({tonnes} t, assumed): {units} of them, none"
        " over",
        **values,
    )


def _standard(life: Contract) -> Sentence:
    terms: Product = life.product
    names = [str(row["name"]) for row in terms.standards]
    if life.standard not in names:
        return said("no delivery standards are known of {name}", name=terms.name)
    row = terms.standards[names.index(life.standard)]
    grades = [said("{grade} {premium:+,.0f}", grade=grade, premium=premium) if premium
              else said("{grade} the benchmark", grade=grade)
              for grade, premium in row["grades"].items()]  # fmt: skip
    ends = [word for key, word in (("from", said("from {code}", code=row.get("from"))),
                                   ("to", said("up to {code}", code=row.get("to"))))
            if key in row]  # fmt: skip
    return said(
        "{code} is of the {age} delivery standard, {name} ({span}): {grades} yuan/t",
        code=life.code, age=said("new") if life.standard == names[-1] else said("old"),
        name=life.standard, grades=reduce(_and, grades),
        span=reduce(_to, ends) if ends else said("all contracts"),
    )  # fmt: skip


def _and(one: Sentence, other: Sentence) -> Sentence:
    return said("{one}, {other}", one=one, other=other)


def _to(one: Sentence, other: Sentence) -> Sentence:
    return said("{one} {other}", one=one, other=other)


def _reading(other: bool) -> str:
    return "other" if other else "main"
