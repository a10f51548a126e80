"""sibt: futures spreads and hedges, booked as the exchange books them.

The public names are imported when first used, so that ``import sibt`` and ``sibt --help``
cost next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "Account": "sibt.engine.account",
    "Booking": "sibt.engine.booking",
    "Execution": "sibt.engine.execution",
    "Market": "sibt.market.panel",
    "Param": "sibt.strategy.strategy",
    "Report": "sibt.strategy.strategy",
    "Result": "sibt.engine.result",
    "SibtError": "sibt.errors",
    "Strategy": "sibt.strategy.strategy",
    "Sweep": "sibt.sweep.sweep",
    "book": "sibt.engine.booking",
    "check": "sibt.lookahead.check",
    "contract": "sibt.market.contract",
    "level": "sibt.strategy.levels",
    "load_market": "sibt.sources",
    "run": "sibt.runs.run",
    "simulate": "sibt.engine.simulate",
}

__all__ = [
    "Account",
    "Booking",
    "Execution",
    "Market",
    "Param",
    "Report",
    "Result",
    "SibtError",
    "Strategy",
    "Sweep",
    "__version__",
    "book",
    "charts",
    "check",
    "contract",
    "level",
    "load_market",
    "run",
    "simulate",
    "sweep",
]

if TYPE_CHECKING:
    from sibt.engine.account import Account as Account
    from sibt.engine.booking import Booking as Booking
    from sibt.engine.booking import book as book
    from sibt.engine.execution import Execution as Execution
    from sibt.engine.result import Result as Result
    from sibt.engine.simulate import simulate as simulate
    from sibt.errors import SibtError as SibtError
    from sibt.lookahead.check import check as check
    from sibt.market.contract import contract as contract
    from sibt.market.panel import Market as Market
    from sibt.report import charts as charts
    from sibt.runs.run import run as run
    from sibt.sources import load_market as load_market
    from sibt.strategy.levels import level as level
    from sibt.strategy.strategy import Param as Param
    from sibt.strategy.strategy import Report as Report
    from sibt.strategy.strategy import Strategy as Strategy
    from sibt.sweep.sweep import Sweep as Sweep
    from sibt.sweep.sweep import sweep as sweep


def __getattr__(name: str) -> Any:
    if name == "sweep":
        # The package itself: importing any of its modules puts it here, so it can be called.
        return import_module("sibt.sweep")
    if name == "charts":
        return import_module("sibt.report.charts")
    try:
        return getattr(import_module(_WHERE[name]), name)
    except KeyError:
        raise AttributeError(f"module 'sibt' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return __all__
