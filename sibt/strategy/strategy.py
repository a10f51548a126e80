"""A strategy: what it wants to hold after each session, and where the idea comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from sibt.errors import StrategyError, did_you_mean
from sibt.language import said

if TYPE_CHECKING:
    from sibt.market.panel import Market

__all__ = ["Comparison", "Param", "Params", "Report", "Strategy", "hedge_benchmarks"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

#: Names `Params` carries beside a strategy's own: what the run brings.
CONTEXT = ("capital", "kind", "cross_standard", "at_expiry", "goods", "average_ratio")

#: What a run brings unless it says otherwise.
_PLAIN = {"at_expiry": "close", "goods": None}


@dataclass(frozen=True)
class Param:
    """One declared parameter of a strategy.

    Parameters
    ----------
    default : int, float, str or None
        Value of a plain run; None is "none", a rule switched off (NaN in the strategy).
    meaning : str
        One line: what it does.
    unit : str
        Unit of a number: ``yuan/t``, ``sessions``, ``share``, ``lots``.
    low, high : float, optional
        Bounds of a number.
    grid : sequence
        Values a bare sweep tries.
    choices : sequence, optional
        The only values allowed; a parameter with choices, or whose default is text, is
        structural: a sweep loops over it and never broadcasts it.
    """

    default: int | float | str | None
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    grid: tuple[Any, ...] = ()
    choices: tuple[Any, ...] | None = None

    @property
    def structural(self) -> bool:
        """True if it picks contracts, variants or dates and cannot be broadcast."""
        return self.choices is not None or isinstance(self.default, str)

    @property
    def whole(self) -> bool:
        """True if only whole numbers are allowed."""
        known = [self.default, *self.grid]
        return all(isinstance(v, int) or v is None for v in known) and self.default is not None

    def read(self, name: str, value: Any) -> Any:
        """Return a value given as text or number, checked; NaN for none.

        Raises
        ------
        StrategyError
            Not a number, out of bounds, or not among the choices.
        """
        if self.choices is not None:
            for choice in self.choices:
                if str(value) == str(choice):
                    return choice
            options = ", ".join(str(c) for c in self.choices)
            raise StrategyError(
                f"Parameter '{name}' is '{value}'; write one of {options}."
                f"{did_you_mean(str(value), map(str, self.choices))}"
            )
        if isinstance(self.default, str):
            return self._text(name, str(value))
        if str(value).lower() in ("none", "nan"):
            if self.default is None or None in self.grid:
                return math.nan
            raise StrategyError(f"Parameter '{name}' cannot be none; give a number.")
        try:
            number = float(value)
        except (TypeError, ValueError):
            unit = f" in {self.unit}" if self.unit else ""
            raise StrategyError(
                f"Parameter '{name}' is '{value}'; give a number{unit}, such as"
                f" {name}={self.grid[0] if self.grid else self.default}."
            ) from None
        if not math.isfinite(number):
            raise StrategyError(f"Parameter '{name}' is {value}; give a finite number.")
        if self.whole and number != int(number):
            raise StrategyError(f"Parameter '{name}' is {value}; give a whole number.")
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if not low <= number <= high:
            bounds = [f"at least {self.low:g}"] if self.low is not None else []
            bounds += [f"at most {self.high:g}"] if self.high is not None else []
            raise StrategyError(
                f"Parameter '{name}' is {number:g}; it must be {' and '.join(bounds)}"
                f"{' ' + self.unit if self.unit else ''}."
            )
        return int(number) if self.whole else number


    def _text(self, name: str, value: str) -> str:
        """Return a text; where the default is a day, only a day will do."""
        if _DAY.fullmatch(str(self.default)) and not _is_day(value):
            raise StrategyError(
                f"Parameter '{name}' is '{value}', no day; write it as {self.default}."
            )
        return value


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


class Params:
    """Values of a strategy's parameters, ``p.x``, with what the run brings beside them.

    In a run a number is a scalar, in a sweep a row of N values; ``p.capital`` (yuan),
    ``p.kind``, ``p.cross_standard`` and ``p.at_expiry`` are those of the run, and ``p.goods`` the
    schedule of goods it was given (`sibt.hedging.exposure.Schedule`) or None.
    """

    def __init__(self, values: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._context = {**_PLAIN, **context}
        self._asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        if name in self._context:
            self._asked.add(name)
            return self._context[name]
        known = [*self._values, *self._context]
        raise StrategyError(
            f"The strategy reads p.{name}, which it does not declare; add"
            f" `{name} = Param(...)` to the class.{did_you_mean(name, known)}"
        )

    def asked_for(self, name: str) -> bool:
        """Tell whether something the run brings was asked for so far."""
        return name in self._asked

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the strategy's own parameters and their values."""
        return self._values.items()


@dataclass(frozen=True)
class Report:
    """The research report a strategy comes from.

    Parameters
    ----------
    title, publisher, date : str
        What was published, by whom, when (with "inferred" where the paper bears no date).
    place : str
        Where in it.
    quote : str
        The sentence, in the report's words.
    leaves_open : tuple of str
        What the report does not say and the parameters have to.
    file : str
        Name of the file the report was read from, where there is one.
    """

    title: str
    publisher: str
    date: str
    place: str
    quote: str
    leaves_open: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Comparison:
    """Another setting of the same strategy to hold the result against.

    Parameters
    ----------
    name : str
        What the reader sees.
    role : {"control", "placebo", "benchmark"}
        A control shares the suspected cause, a placebo does not, a benchmark is what the
        idea must beat.
    changes : mapping
        Parameters that differ.
    """

    name: str
    role: str
    changes: Mapping[str, Any]


def hedge_benchmarks(average: float, **alike: Any) -> list[Comparison]:
    """Return what a timed hedge must beat: none, a full one, and a constant one as large.

    For strategies with the parameters ``program`` and ``ratio``.

    Parameters
    ----------
    average : float
        Hedged share the timed hedge came to, known afterwards: a benchmark, not a rule.
    **alike
        Further parameters of all three, such as ``ratio_from="naive"``.
    """
    share = min(max(average, 0.0), 1.0)
    changes: dict[str, dict[str, Any]] = {
        "never hedged": {"program": "never"},
        "always hedged": {"program": "always", "ratio": 1.0},
        said("constant at {share:.0%}", share=share): {"program": "constant", "ratio": share},
    }
    return [
        Comparison(name, "benchmark", {**alike, **change}) for name, change in changes.items()
    ]


class Strategy:
    """Base of a strategy: declare parameters as class attributes, say legs and units.

    Attributes
    ----------
    kind : {"individual", "company", "hedger"}
        Kind of account it is meant for.
    owned_as : {"inventory", "output"}
        What the tonnes of `exposure` are: in the warehouse (hedged at fair value), or still to be
        made (a cash flow); see `sibt.hedging.accounting`.
    report : Report or None
        Where the idea comes from.
    """

    kind: ClassVar[str] = "individual"
    owned_as: ClassVar[str] = "inventory"
    report: ClassVar[Report | None] = None

    def source(self, p: Params) -> Report | None:
        """Return the report these parameters come from: `report`, unless variants differ."""
        return self.report

    def known_from(self, p: Params) -> str | None:
        """Return the day the idea became known; nothing fills before the session after it."""
        return None

    def refuses(self, p: Params) -> Mapping[str, Any]:
        """Return parameters that contradict each other: a sentence, and whether it holds.

        ``{"exit is not below entry": p.exit >= p.entry}``: a run is refused with the sentence;
        a sweep, where `p` holds rows, names each such set as refused with it.
        """
        return {}

    def legs(self, market: Market, p: Params) -> Mapping[str, Any]:
        """Return contract to ratio, or name to (Series of codes by session, ratio)."""
        raise StrategyError(f"{type(self).__name__} does not say its legs; define legs(market, p).")

    def units(self, market: Market, p: Params) -> Any:
        """Return whole units wished after each session, or (units, resting limits).

        A run gives scalars in `p` and wants a Series by session, or a DataFrame with a column for
        each leg where legs are wished one by one, as in a strip; a sweep gives rows of N
        values and wants an array of shape (T, N).
        """
        raise StrategyError(
            f"{type(self).__name__} does not say its units; define units(market, p)."
        )

    def exposure(self, market: Market, p: Params) -> Any:
        """Return the goods at risk, for a hedge; else None.

        A Series of tonnes after each session, + owned, − needed: what comes in is there at the
        quote of its session, what goes out is sold (bought) at it, and `grade` prices it. Or a
        `sibt.hedging.exposure.Exposure`, which says what was traded at which price and in which
        grade; ``p.goods.exposure(market, …)`` is the one of the run's own file of goods. A sweep
        gives rows in `p` and takes an array of shape (T, N) too.
        """
        return None

    def grade(self, p: Params) -> str:
        """Return the spot grade that prices an exposure stated as tonnes."""
        return "553"

    def notes(self, market: Market, p: Params) -> list[str]:
        """Return what a reader must know of the wishes, a sentence each, for a run."""
        return []

    def comparisons(self, market: Market, p: Params) -> list[Comparison]:
        """Return what the result is to be held against.

        Called after the run: ``p.average_ratio`` is then the hedged share it came to.
        """
        return []

    @classmethod
    def declared(cls) -> dict[str, Param]:
        """Return the declared parameters in the order they are written."""
        found: dict[str, Param] = {}
        for base in reversed(cls.__mro__):
            found.update({k: v for k, v in vars(base).items() if isinstance(v, Param)})
        return found

    @classmethod
    def params(
        cls, given: Mapping[str, Any] | None = None, context: Mapping[str, Any] | None = None
    ) -> Params:
        """Return defaults with `given` values in their place, each checked.

        Raises
        ------
        StrategyError
            A name that is not declared, or a value that is not allowed.
        """
        declared = cls.declared()
        for name in CONTEXT:
            if name in declared:
                raise StrategyError(
                    f"{cls.__name__} declares a parameter '{name}', a name the run brings"
                    " itself; give it another name."
                )
        for name in declared:
            if hasattr(Strategy, name):
                raise StrategyError(
                    f"{cls.__name__} declares a parameter '{name}', the name of what every"
                    f" strategy says ({name}() or {name} = …); give it another name."
                )
        for name in given or {}:
            if name not in declared:
                raise StrategyError(
                    f"{cls.__name__} has no parameter '{name}'; it has"
                    f" {', '.join(declared) or 'none'}.{did_you_mean(name, declared)}"
                )
        values = {
            name: param.read(name, (given or {}).get(name, param.default))
            for name, param in declared.items()
        }
        return Params(values, context or {})
