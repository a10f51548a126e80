"""Delivery on the exchange: what it brings, beside closing the lots and selling at spot.

The ledger delivers whole delivery units on the last trading day at that session's settlement
(``docs/fills.md``, steps 1 and 5). Here is the invoice of the goods: the seller is paid the
delivery settlement price, the premium of his grade and that of the warehouse's region, and bears
the costs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

from sibt.engine.job import Job
from sibt.engine.ledger import FILL_REASONS
from sibt.engine.money import fee_fen
from sibt.engine.result import Result
from sibt.errors import SettingError, StrategyError, TermsError
from sibt.hedging.exposure import Exposure
from sibt.language import Sentence, said
from sibt.market.contract import Contract
from sibt.market.panel import Market
from sibt.market.product import Product

__all__ = ["COLUMNS", "Delivered", "DeliveryTerms", "after_delivery", "delivered"]

#: Columns of `Delivered.table`.
COLUMNS = ("session", "leg", "contract", "lots", "tonnes", "settlement", "delivery_price",
           "grade_premium", "region", "invoice", "vat", "futures", "costs", "proceeds", "net",
           "per_tonne", "close_price", "close_fee", "quoted", "spot", "sale", "closed",
           "closed_net", "difference", "difference_net", "difference_per_tonne",
           "better")  # fmt: skip

_EXIT, _SETTLED, _DELIVERED = (
    FILL_REASONS.index(name) for name in ("exit date", "exit date, at settlement", "delivery")
)

#: Below this, tonnes are noise of sums: a gram.
_GRAM = 1e-6


@dataclass(frozen=True, kw_only=True)
class DeliveryTerms:
    """What a delivery is settled at and costs; None is unknown.

    Unknown costs and premiums count as 0, and `Delivered.notes` says which. Prices include VAT.

    Parameters
    ----------
    delivery_price : float or "settlement"
        The exchange's delivery settlement price, yuan per tonne; by default the settlement of
        the last trading day, at which the ledger closes the lots.
    region : float, optional
        Premium (+) or discount (−) of the warehouse's region, yuan per tonne. Those of si's
        regions outside Shanghai, Jiangsu and Zhejiang were not found.
    delivery_fee : float, optional
        Yuan per tonne; by default the product's (si: 1, GFEX notice of 2022-12-29).
    storage : float, optional
        Yuan per tonne and day; by default the product's (si: 1, the same notice).
    storage_days : float, optional
        Days for which it is paid; by default those from the last trading day to the last delivery
        day, which leaves out whatever the goods lay in the warehouse before.
    inspection, loading : float, optional
        Inspection, and loading into and out of the warehouse, yuan per tonne.
    vat : float, optional
        Rate of value-added tax on the goods, a share; by default the product's (si: 0.13,
        assumed).

    Raises
    ------
    SettingError
        A value out of its range.
    """

    delivery_price: float | Literal["settlement"] = "settlement"
    region: float | None = None
    delivery_fee: float | None = None
    storage: float | None = None
    storage_days: float | None = None
    inspection: float | None = None
    loading: float | None = None
    vat: float | None = None

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if value is None or (name == "delivery_price" and value == "settlement"):
                continue
            number = value if isinstance(value, int | float) else math.nan
            if not math.isfinite(number):
                or_else = ", or settlement" if name == "delivery_price" else ", or none"
                raise SettingError(f"`{name}` is {value!r}; give a number{or_else}.")
            if number < 0.0 and name != "region":
                raise SettingError(f"`{name}` is {value}; give zero or more.")
        if self.delivery_price == 0.0:
            raise SettingError("`delivery_price` is 0; give a price above zero, or settlement.")
        if self.vat is not None and self.vat >= 1.0:
            raise SettingError(f"`vat` is {self.vat}; give a share, such as 0.13.")


@dataclass(frozen=True, eq=False)
class Delivered:
    """All deliveries of a run.

    Attributes
    ----------
    table : pd.DataFrame
        A row a delivery. Lots are signed as held (− for a seller), tonnes as the goods move (−
        out); yuan are + received, − paid, but for fees and costs; prices in yuan per tonne; NaN
        is unknown.

        - session, leg, contract, lots, tonnes
        - settlement : at which the ledger closed the lots
        - delivery_price, grade_premium, region : what the invoice is made of
        - invoice : −tonnes × their sum, VAT inside; ``vat`` of it
        - futures : tonnes × (delivery_price − settlement), what marking the lots at the one
          instead of the other adds to the futures account. What the invoice gains by a higher
          delivery price the futures lose, so proceeds do not depend on it, but ``net`` does, for
          there is VAT on the invoice alone
        - costs : fee, storage, inspection, loading
        - proceeds : invoice + futures − costs; ``net``: less VAT; ``per_tonne``: of a tonne sold
          (or bought), VAT inside
        - close_price, close_fee : closing the same lots in that session instead, as
          ``at_expiry="close"`` would: at the run's fill price what the market takes beside the
          run's own fills, the rest at settlement
        - quoted, spot : session of the spot quote, this one or the next, and its price
        - sale : −tonnes × spot
        - closed : sale + tonnes × (close_price − settlement) − close_fee; ``closed_net``: less
          the sale's VAT
        - difference : proceeds − closed, + where delivering was better; ``difference_net``,
          ``difference_per_tonne``
        - better : "deliver", "close", "neither"; None where the difference is unknown
    notes : tuple of str
        What a reader must know, a sentence each: every delivery, every lot that was kept for one
        and too few for it, and what counts as 0 because it is not known.
    terms : DeliveryTerms
        As they were given.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    terms: DeliveryTerms


def delivered(result: Result, grade: str, terms: DeliveryTerms | None = None) -> Delivered:
    """Return what the deliveries of a run brought, beside closing and selling at spot.

    Parameters
    ----------
    result : Result
        A run with ``at_expiry="deliver"``; without deliveries the table is empty.
    grade : str
        Grade of the goods, such as ``553``.
    terms : DeliveryTerms, optional
        Prices and costs.

    Raises
    ------
    StrategyError
        Goods of a grade the contract does not take were delivered.
    SettingError
        One delivery price is given and several contracts were delivered.
    """
    terms = terms or DeliveryTerms()
    job, fills = result.job, result.booked["fills"]
    ours = fills[fills[:, 7] == _DELIVERED]
    codes = sorted({job.contracts[k] for k in ours[:, 2]})
    if len(codes) > 1 and terms.delivery_price != "settlement":
        raise SettingError(
            f"`delivery_price` is {terms.delivery_price}, but {' and '.join(codes)} were delivered;"
            " each has a price of its own, so leave it at settlement."
        )
    taken: dict[tuple[int, int], int] = {}
    rows = [_row(result, fill, grade, terms, taken) for fill in ours.tolist()]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    days = dict.fromkeys(("session", "quoted"), "datetime64[ns]")
    numbers = [name for name in COLUMNS[COLUMNS.index("tonnes") : -1] if name not in days]
    table = table.astype({**dict.fromkeys(numbers, float), **days, "lots": int})
    table[numbers] += 0.0  # no −0.0
    notes = [_told(row, grade) for row in table.to_dict("records")]
    notes += _too_few(result)
    unknown = dict.fromkeys(_unknown(result, k, terms) for k in ours[:, 2].tolist())
    notes += [note for note in unknown if note is not None]
    return Delivered(table, tuple(notes), terms)


def after_delivery(exposure: Exposure, deliveries: Delivered) -> Exposure:
    """Return goods from which what was delivered is gone.

    A delivery is a trade at its ``per_tonne``, costs inside: they are no further costs of the
    hedge. The tonnes are promised on the eve, when the lots are kept, so the sales next due, from
    the session of the delivery on, give way to it until they make up for it; what is left of them
    and all later ones stand. So goods of later months stay with their own hedges. (Of a
    consumer: the purchases next due.)

    Parameters
    ----------
    exposure : Exposure
        Goods, were nothing delivered.
    deliveries : Delivered
        Of a run on the same market.

    Raises
    ------
    StrategyError
        More is delivered than is owned (or needed).
    """
    for row in deliveries.table.to_dict("records"):
        exposure = _without(exposure, row)
    return exposure


def _row(
    result: Result,
    fill: list[int],
    grade: str,
    terms: DeliveryTerms,
    taken: dict[tuple[int, int], int],
) -> dict[str, Any]:
    """Return one row of the table; see `Delivered`."""
    job = result.job
    t, leg, k, signed, price, *_ = fill
    life, size = job.lives[k], int(job.terms.multiplier[k])
    product = job.market.product(life.product.name)
    tonnes, settlement = -signed * size, Decimal(price) / 100
    at = settlement if terms.delivery_price == "settlement" else _exact(terms.delivery_price)
    premium, region = _premium(product, life, grade), _exact(terms.region)
    invoice = _fen(-tonnes * (at + premium + region))
    rate = product.carry.get("vat") if terms.vat is None else terms.vat
    futures = _fen(tonnes * (at - settlement))
    charges = _charges(product, life, terms).values()
    costs = _fen(abs(tonnes) * sum(map(_exact, charges), Decimal(0)))
    proceeds = invoice + futures - costs

    turnover, fee = _closing(result, fill, taken)
    quoted, spot = _quote(job.market, t, grade)
    sale = _fen(-tonnes * spot)
    closed = sale + signed * size * settlement - (turnover if signed > 0 else -turnover) - fee
    net, closed_net = proceeds - _tax(invoice, rate), closed - _tax(sale, rate)
    better = proceeds - closed
    verdict = None
    if not better.is_nan():
        verdict = "deliver" if better > 0 else "close" if better < 0 else "neither"
    return {
        "session": job.market.sessions[t], "leg": job.legs[leg], "contract": life.code,
        "lots": -signed, "tonnes": tonnes, "settlement": settlement, "delivery_price": at,
        "grade_premium": premium, "region": region, "invoice": invoice,
        "vat": _tax(invoice, rate), "futures": futures, "costs": costs, "proceeds": proceeds,
        "net": net, "per_tonne": proceeds / -tonnes, "close_price": turnover / abs(tonnes),
        "close_fee": fee, "quoted": quoted, "spot": spot, "sale": sale, "closed": closed,
        "closed_net": closed_net, "difference": better, "difference_net": net - closed_net,
        "difference_per_tonne": better / abs(tonnes), "better": verdict,
    }  # fmt: skip


def _exact(value: float | None) -> Decimal:
    """Return a number as it is written; nothing for what is not known."""
    return Decimal(0) if value is None else Decimal(repr(float(value)))


def _fen(yuan: Decimal) -> Decimal:
    return yuan if yuan.is_nan() else yuan.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _tax(amount: Decimal, rate: float | None) -> Decimal:
    """Return the VAT inside an amount, rounded half up to the fen; NaN at an unknown rate."""
    if rate is None:
        return Decimal("NaN")
    return _fen(amount * _exact(rate) / (1 + _exact(rate)))


def _premium(product: Product, life: Contract, grade: str) -> Decimal:
    """Return the premium of a grade; only the standard one and its substitutes are taken."""
    try:
        return _exact(product.grade_premium(life.code, grade))
    except TermsError:
        rows = (row for row in product.standards if row["name"] == life.standard)
        takes = ", ".join(grade for row in rows for grade in row["grades"])
        raise StrategyError(
            f"Goods of grade '{grade}' cannot be delivered into {life.code}, which takes"
            f" {takes or 'grades its terms do not name'}; set at_expiry to close."
        ) from None


def _charges(product: Product, life: Contract, terms: DeliveryTerms) -> dict[str, float | None]:
    """Return what a delivery costs, yuan per tonne; None is unknown."""
    fee = product.carry.get("delivery_fee") if terms.delivery_fee is None else terms.delivery_fee
    storage = product.carry.get("storage") if terms.storage is None else terms.storage
    days = terms.storage_days
    if days is None and life.last_trading is not None and life.last_delivery is not None:
        days = float((life.last_delivery - life.last_trading).days)
    return {
        "fee": fee,
        "storage": None if storage is None or days is None else storage * days,
        "inspection": terms.inspection,
        "loading": terms.loading,
    }


def _closing(
    result: Result, fill: list[int], taken: dict[tuple[int, int], int]
) -> tuple[Decimal, Decimal]:
    """Return turnover and fee of closing what was delivered, yuan.

    As the ledger would: what the session takes beside the run's own fills and what is `taken`
    there already, at the run's fill price; the rest at settlement. A fee is rounded once for all
    lots of a fill, so what is told is what these lots add to it.
    """
    job, fills = result.job, result.booked["fills"]
    t, leg, k, signed, settlement, *_ = fill
    lots, prices = abs(signed), job.prices
    shut, price = (
        (prices.buy_shut, prices.buy) if signed > 0 else (prices.sell_shut, prices.sell)
    )
    here = fills[(fills[:, 0] == t) & (fills[:, 2] == k)]
    worked = int(np.abs(here[here[:, 7] < _SETTLED, 3]).sum()) + taken.get((t, k), 0)
    unit = abs(int(job.ratio[leg])) if job.execution.pairing == "paired" else 1
    room = int(prices.cap[t, k]) // unit * unit - worked
    filled = 0 if shut[t, k] else min(max(room, 0), lots)
    taken[t, k] = taken.get((t, k), 0) + filled
    turnover = fee = 0
    for part, at, reason in (
        (filled, int(price[t, k]), _EXIT), (lots - filled, settlement, _SETTLED)
    ):  # fmt: skip
        own = here[(here[:, 1] == leg) & (here[:, 7] == reason)]
        before = int(np.abs(own[:, 3]).sum())
        turnover += part * at * int(job.terms.multiplier[k])
        fee += _fee(job, t, k, before + part, at) - _fee(job, t, k, before, at)
    return Decimal(turnover) / 100, Decimal(fee) / 100


def _fee(job: Job, t: int, k: int, lots: int, price: int) -> int:
    terms = job.terms
    rate, flat = int(terms.fee_close[t, k]), int(terms.lot_close[t, k])
    return int(fee_fen(lots, price, int(terms.multiplier[k]), rate, flat))


def _quote(market: Market, t: int, grade: str) -> tuple[pd.Timestamp | None, Decimal]:
    """Return session and price of the quote of a session or the next one; NaN without one."""
    if grade in market.spot.columns:
        quotes = market.spot[grade].iloc[t:].dropna()
        if len(quotes):
            return quotes.index[0], _exact(float(quotes.iloc[0]))
    return None, Decimal("NaN")


def _told(row: Mapping[Any, Any], grade: str) -> Sentence:
    """Return the sentence of a delivery."""
    beside = said("no quote of {grade} from then on tells what spot would have done", grade=grade)
    if row["better"] is not None:
        beside = said(
            "against closing at {close:,.2f} and spot at {spot:,.2f}, the quote of"
            " {quoted:%Y-%m-%d}, that is {difference:+,.2f} yuan",
            close=row["close_price"], spot=row["spot"], quoted=row["quoted"],
            difference=row["difference"],
        )  # fmt: skip
    values = {
        "lots": abs(row["lots"]), "contract": row["contract"], "tonnes": abs(row["tonnes"]),
        "grade": grade, "day": row["session"], "price": row["per_tonne"], "beside": beside,
    }  # fmt: skip
    if row["tonnes"] > 0:
        return said(
            "{lots} lots of {contract} were taken delivery of on {day:%Y-%m-%d}: {tonnes:,.6g} t"
            " for {price:,.2f} yuan/t, costs inside; the seller chooses the grade, {grade} is"
            " assumed; {beside}",
            **values,
        )
    return said(
        "{lots} lots of {contract} were delivered on {day:%Y-%m-%d}: {tonnes:,.6g} t of {grade} for"
        " {price:,.2f} yuan/t after costs; {beside}",
        **values,
    )


def _too_few(result: Result) -> list[Sentence]:
    """Say which lots were kept for delivery and closed, mostly as too few for it."""
    job, booked = result.job, result.booked
    if job.execution.at_expiry == "close":
        return []
    fills = booked["fills"]
    told = []
    left = fills[(fills[:, 7] == _EXIT) | (fills[:, 7] == _SETTLED)]
    for t, leg in dict.fromkeys(zip(left[:, 0].tolist(), left[:, 1].tolist(), strict=True)):
        k = int(job.codes[t - 1, leg])
        if job.lives[k].last_trading != job.market.sessions[t]:
            continue
        wish = result.want[t - 1] * job.ratio[leg] if result.wants is None else (
            result.wants[t - 1, leg])  # fmt: skip
        held = booked["positions"][t - 1, leg].sum()
        gone = fills[(fills[:, 0] == t) & (fills[:, 1] == leg) & (fills[:, 7] == _DELIVERED), 3]
        rest = int(min(abs(wish), abs(held)) if wish * held > 0 else 0) - int(np.abs(gone).sum())
        unit = job.rules.deliver
        unit *= abs(int(job.ratio[leg])) if job.execution.pairing == "paired" else 1
        values = {"lots": rest, "contract": job.contracts[k], "day": job.market.sessions[t]}
        if 0 < rest < unit:
            told.append(said(
                "{lots} lots of {contract} kept for delivery were closed on {day:%Y-%m-%d}: it"
                " takes {unit} to deliver",
                unit=unit, **values,
            ))  # fmt: skip
        elif rest > 0:
            told.append(said(
                "{lots} lots of {contract} kept for delivery were closed on {day:%Y-%m-%d}: a"
                " margin call or lots of older contracts stood in the way",
                **values,
            ))  # fmt: skip
    return told


def _unknown(result: Result, k: int, terms: DeliveryTerms) -> Sentence | None:
    """Say what of a delivery counts as 0 because it is not known."""
    life = result.job.lives[k]
    charges = _charges(result.job.market.product(life.product.name), life, terms)
    before = terms.storage_days is None and charges["storage"] is not None
    names = [
        name
        for name, unknown in (
            (said("delivery fee"), charges["fee"] is None),
            (said("storage"), charges["storage"] is None),
            (said("storage before the last trading day"), before),
            (said("inspection"), charges["inspection"] is None),
            (said("loading in and out"), charges["loading"] is None),
            (said("premium of the region"), terms.region is None),
        )
        if unknown
    ]
    if not names:
        return None
    listed = names[0]
    for name in names[1:]:
        listed = said("{some}, {more}", some=listed, more=name)
    return said("not known of deliveries, and counted as 0: {names}", names=listed)


def _without(exposure: Exposure, row: Mapping[Any, Any]) -> Exposure:
    """Return goods less one delivery."""
    day, tonnes = row["session"], float(row["tonnes"])
    trades = exposure.trades.reset_index(drop=True)
    goes = ("sale",) if tonnes < 0 else ("need", "purchase")
    due = trades[(trades["session"] >= day) & trades["what"].isin(goes)]
    due = due[np.sign(due["tonnes"]) == np.sign(tonnes)].sort_values("session", kind="stable")
    on_day = float(due.loc[due["session"] == day, "tonnes"].sum())
    there = -math.copysign(1.0, tonnes) * (float(exposure.owned[day]) - on_day)
    if abs(tonnes) > there + _GRAM:
        what = "owned" if tonnes < 0 else "needed"
        raise StrategyError(
            f"{abs(tonnes):,.6g} t of {row['contract']} are delivered on {day:%Y-%m-%d}, but only"
            f" {max(there, 0.0):,.6g} t are {what} then; hold no more lots than goods, or set"
            " at_expiry to close."
        )
    size = due["tonnes"].abs()
    gives = (abs(tonnes) - (size.cumsum() - size)).clip(lower=0.0)
    kept = size - np.minimum(gives, size)
    after = trades.copy()
    after.loc[due.index, "tonnes"] = math.copysign(1.0, tonnes) * kept
    after = after.drop(index=kept.index[kept < _GRAM])
    own = {"session": day, "what": "delivery", "tonnes": tonnes, "price": row["per_tonne"]}
    after = pd.concat([after, pd.DataFrame([own])], ignore_index=True)
    after = after.sort_values("session", kind="stable", ignore_index=True)
    change = _by_session(after, exposure.owned) - _by_session(trades, exposure.owned)
    owned = (exposure.owned + change.cumsum()).round(9) + 0.0
    return replace(exposure, owned=owned, trades=after)


def _by_session(trades: pd.DataFrame, owned: "pd.Series[float]") -> "pd.Series[float]":
    return trades.groupby("session")["tonnes"].sum().reindex(owned.index, fill_value=0.0)
