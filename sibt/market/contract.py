"""One futures contract: its code and the dates its life is made of.

Dates are computed from the rules of the product's file and the calendar, never looked up,
so that a contract listed tomorrow is known today. A date the calendar does not reach is
None: unknown, not an error.
"""

import re
from dataclasses import dataclass
from functools import cache

import pandas as pd

from sibt.errors import TermsError, did_you_mean
from sibt.market import calendar
from sibt.market.product import Product, product, products

__all__ = ["Contract", "contract", "two_goods"]

_CODE = re.compile(r"([a-z]+)(\d{2})(\d{2})")


@dataclass(frozen=True)
class Contract:
    """A contract and the dates of its life.

    Attributes
    ----------
    code : str
        Lower-case code, such as ``si2411``.
    product : Product
        Terms of what is traded.
    month : pd.Period
        Delivery month.
    listed : pd.Timestamp or None
        First session; None where the listing rule is unknown.
    last_trading : pd.Timestamp or None
        Last trading day: the 10th session of the delivery month for si.
    last_delivery : pd.Timestamp or None
        Last delivery day: the 3rd session after the last trading day for si.
    fifteenth_before : pd.Timestamp or None
        15th session of the month before delivery, from which margins step up.
    delivery_start : pd.Timestamp or None
        First session of the delivery month.
    last_natural : pd.Timestamp or None
        Last session before the delivery month, in which a natural person must be out.
    """

    code: str
    product: Product
    month: pd.Period
    listed: pd.Timestamp | None
    last_trading: pd.Timestamp | None
    last_delivery: pd.Timestamp | None
    fifteenth_before: pd.Timestamp | None
    delivery_start: pd.Timestamp | None
    last_natural: pd.Timestamp | None

    @property
    def standard(self) -> str:
        """Name of the delivery standard; contracts of two standards are two goods."""
        return self.product.standard(self.code)

    def exit_session(self, kind: str) -> pd.Timestamp | None:
        """Return the session in which an account of this kind must be out.

        Parameters
        ----------
        kind : {"individual", "company", "hedger"}
            A natural person leaves in the last session before the delivery month, a
            company in the session of the last trading day.
        """
        if kind == "individual" and not self.product.natural_persons_deliver:
            return self.last_natural
        return self.last_trading


def _nth(days: pd.DatetimeIndex, number: int) -> pd.Timestamp | None:
    return days[number - 1] if len(days) >= number else None


@cache
def contract(code: str) -> Contract:
    """Return the contract of a code such as ``si2411``.

    Raises
    ------
    TermsError
        The code is not a product and a month, or the product has no terms.
    """
    match = _CODE.fullmatch(code)
    if match is None or not 1 <= int(match[3]) <= 12:
        raise TermsError(
            f"'{code}' is no contract code; write product and month in lower case, as si2411."
        )
    if match[1] not in products():
        raise TermsError(
            f"No terms are known for product '{match[1]}' of contract '{code}';"
            f" known are {', '.join(products())}.{did_you_mean(match[1], products())}"
        )
    terms = product(match[1])
    period = pd.Period(year=2000 + int(match[2]), month=int(match[3]), freq="M")
    days = calendar.month(period.year, period.month)
    earlier = period - 1
    days_before = calendar.month(earlier.year, earlier.month)
    last_trading = _nth(days, terms.last_trading_session)
    return Contract(
        code=code,
        product=terms,
        month=period,
        listed=_listing(terms, code, period),
        last_trading=last_trading,
        last_delivery=(
            None
            if last_trading is None
            else calendar.after(last_trading, terms.last_delivery_after)
        ),
        fifteenth_before=_nth(days_before, 15),
        delivery_start=_nth(days, 1),
        last_natural=days_before[-1] if len(days_before) else None,
    )


def two_goods(first: Contract, second: Contract, what: str) -> str:
    """Return the sentence that refuses to join contracts of two delivery standards."""
    return (
        f"{what} from {first.code} to {second.code} crosses delivery standards ('{first.standard}'"
        f" and '{second.standard}'): they are two goods; pass cross_standard=True if that is"
        " meant."
    )


def _listing(terms: Product, code: str, month: pd.Period) -> pd.Timestamp | None:
    """Return the listing session by the product's rules, None where none holds."""
    for rule in terms.listing:
        if code in rule.get("contracts", ()):
            return pd.Timestamp(rule["date"])
        if "months_before" in rule and rule["from"] <= code <= rule.get("to", code):
            earlier = month - rule["months_before"]
            tenth = _nth(
                calendar.month(earlier.year, earlier.month), terms.last_trading_session
            )
            return None if tenth is None else calendar.after(tenth)
    return None
