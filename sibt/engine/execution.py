"""How orders are worked: at which price, how many lots, leg by leg or in pairs."""

from dataclasses import dataclass
from typing import Literal, get_args

from sibt.errors import SettingError, did_you_mean

__all__ = ["Execution", "Fill", "Pairing"]

Fill = Literal["open", "close", "settle"]
Pairing = Literal["paired", "legged"]


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

    def __post_init__(self) -> None:
        for name, value, options in (
            ("fill", self.fill, get_args(Fill)),
            ("pairing", self.pairing, get_args(Pairing)),
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
        share = self.participation
        if share is not None and not (isinstance(share, int | float) and 0 < share <= 1):
            raise SettingError(
                f"`participation` is {share}; give a share of volume above 0 and up to 1, or none"
                " for no cap."
            )
