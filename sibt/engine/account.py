"""The account that trades: its capital, its kind, and what its broker adds."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sibt.errors import SettingError, did_you_mean

__all__ = ["BROKER_FEES", "BROKER_MARGIN", "Account", "Kind"]

#: A broker's usual standard beside the exchange's: five points of margin, twice the fee.
BROKER_MARGIN = 0.05
BROKER_FEES = 2.0

Kind = Literal["individual", "company", "hedger"]
OnCall = Literal["cut", "deposit"]

#: Equity the ledger can count to the fen with room to spare, yuan.
_MOST_CAPITAL = 1e13


@dataclass(frozen=True, kw_only=True)
class Account:
    """A futures account.

    Parameters
    ----------
    capital : float
        Opening equity, yuan.
    kind : {"individual", "company", "hedger"}
        A natural person leaves before the delivery month; a company in the session of the
        last trading day; a hedger is a company that pays hedging margins.
    broker_margin : float
        What the broker adds to the exchange's margin rate, a share (0.05 is five points).
    fee_markup : float
        The broker's multiple of the exchange's fees; 2.0 doubles them.
    spread_relief : bool
        Calendar-spread relief at settlement: of two opposite legs of one product the
        cheaper one's matched lots need no margin. Off by default: not every broker passes
        it on, and the exchange's formula is not published.
    on_call : {"cut", "deposit"}
        What answers a margin call: lots are closed in the next session, or money is paid in
        that evening.

    Raises
    ------
    SettingError
        A value out of its range.
    """

    capital: float = 1_000_000.0
    kind: Kind = "individual"
    broker_margin: float = 0.0
    fee_markup: float = 1.0
    spread_relief: bool = False
    on_call: OnCall = "cut"

    def __post_init__(self) -> None:
        for name in ("capital", "broker_margin", "fee_markup"):
            if not isinstance(getattr(self, name), int | float):
                raise SettingError(f"`{name}` is {getattr(self, name)!r}; give a number.")
        if not 0 < self.capital <= _MOST_CAPITAL:
            raise SettingError(
                f"`capital` is {self.capital:g}; give the opening equity in yuan, above zero and"
                f" up to {_MOST_CAPITAL:g}."
            )
        for name, value, options in (
            ("kind", self.kind, get_args(Kind)),
            ("on_call", self.on_call, get_args(OnCall)),
        ):
            if value not in options:
                raise SettingError(
                    f"`{name}` is '{value}'; write one of {', '.join(options)}."
                    f"{did_you_mean(str(value), options)}"
                )
        if not 0 <= self.broker_margin < 1:
            raise SettingError(
                f"`broker_margin` is {self.broker_margin:g}; give the broker's add-on as a"
                " share from 0 to 1, five points being 0.05."
            )
        if not (math.isfinite(self.fee_markup) and 0 <= self.fee_markup <= 100):
            raise SettingError(
                f"`fee_markup` is {self.fee_markup:g}; give a multiple of the exchange's fees"
                " from 0 to 100, such as 2."
            )
