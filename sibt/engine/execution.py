"""How orders are worked: at which price, how many lots, leg by leg or in pairs."""

from dataclasses import dataclass
from typing import Literal, get_args

from sibt.errors import SettingError, did_you_mean

__all__ = ["AtExpiry", "Execution", "Fill", "Pairing"]

Fill = Literal["open", "close", "settle"]
Pairing = Literal["paired", "legged"]
AtExpiry = Literal["close", "deliver"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Rules of execution.

    Parameters
    ----------
    fill : {"open", "close", "settle"}
        Price of the session after the decision: its open, its close, or its settlement as
        a stand-in for a day's average.
    slippage : int
        Ticks against the trader on every fill but resting limits.
    participation : float or None
        Largest share of a session's volume in one contract; None is uncapped.
    pairing : {"paired", "legged"}
        Legs fill together in whole units, or each by itself.
    cross_standard : bool
        Let a leg roll from one delivery standard into the next, which are two goods.
    at_expiry : {"close", "deliver"}
        What a company does with lots it still wishes to hold on the last trading day: close
        them, or deliver the whole delivery units among them at that settlement.
    delivery_unit : int
        Lots in a delivery unit; 12 of si are 60 t. Not read in the exchange's rules: receipts
        registered on 2024-01-22 are all multiples of 12.

    Raises
    ------
    SettingError
        A value out of its range.
    """

    fill: Fill = "open"
    slippage: int = 1
    participation: float | None = 0.10
    pairing: Pairing = "paired"
    cross_standard: bool = False
    at_expiry: AtExpiry = "close"
    delivery_unit: int = 12

    def __post_init__(self) -> None:
        for name, value, options in (
            ("fill", self.fill, get_args(Fill)),
            ("pairing", self.pairing, get_args(Pairing)),
            ("at_expiry", self.at_expiry, get_args(AtExpiry)),
        ):
            if value not in options:
                raise SettingError(
                    f"`{name}` is '{value}'; write one of {', '.join(options)}."
                    f"{did_you_mean(str(value), options)}"
                )
        whole = isinstance(self.slippage, int | float) and self.slippage % 1 == 0
        if not whole or not 0 <= self.slippage <= 1000:
            raise SettingError(
                f"`slippage` is {self.slippage}; give a whole number of ticks from 0 to 1000."
            )
        unit = self.delivery_unit
        if not (isinstance(unit, int | float) and unit % 1 == 0 and 1 <= unit <= 10_000):
            raise SettingError(
                f"`delivery_unit` is {unit}; give a whole number of lots from 1 to 10,000."
            )
        share = self.participation
        if share is not None and not (isinstance(share, int | float) and 0 < share <= 1):
            raise SettingError(
                f"`participation` is {share}; give a share of volume above 0 and up to 1, or none"
                " for no cap."
            )
