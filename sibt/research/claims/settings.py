"""The tests a claim may name, and what each must be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from sibt.errors import DataError, SibtError, did_you_mean
from sibt.market.contract import contract
from sibt.research.claims.quantity import Quantity, quantity
from sibt.research.claims.window import Window

__all__ = ["RATINGS", "TESTS", "Context", "Part", "day", "quantities", "settings"]

#: Words of a rating, from the highest to the lowest.
RATINGS = ("strong_up", "up", "range", "down", "strong_down")

#: What a price claim may be read on, beside a contract.
ON = ("held", "dominant", "adjusted")

_CODE = re.compile(r"[a-z]+\d{4}")
_SIGNS = ("up", "down", "flat", "not_up", "not_down")


@dataclass(frozen=True)
class Context:
    """What the settings of a report's tests are checked against."""

    date: pd.Timestamp
    product: str
    standard: str


@dataclass(frozen=True)
class Part:
    """One of the trends that must hold together.

    Attributes
    ----------
    of : Quantity
    sign : str
        ``up, down, flat, not_up, not_down``.
    within : float
        Share that still is flat.
    """

    of: Quantity
    sign: str
    within: float


@dataclass(frozen=True)
class _Setting:
    """How a setting is read; raises DataError with what is wrong and the cure, or refuses by it."""

    read: Callable[[Any], Any]
    required: bool = True
    default: Any = None


def settings(
    test: Any, given: Mapping[str, Any], context: Context, where: str
) -> Mapping[str, Any]:
    """Check the settings of a test.

    Parameters
    ----------
    test : str
        Its name.
    given : mapping
        What the file says.
    context : Context
        The report's day, product and standard.
    where : str
        File, claim and reading, for messages.

    Returns
    -------
    mapping
        All settings of the test, read; ``None`` where one was left out that may be. The windows
        of price tests stand under ``windows``.

    Raises
    ------
    DataError
        No such test, no such setting, one that is missing, or one that makes no sense.
    """
    if not isinstance(test, str) or test not in TESTS:
        raise DataError(
            f"{where}: there is no test '{test}'; write one of {', '.join(TESTS)}."
            f"{did_you_mean(str(test), TESTS)}"
        )
    known = TESTS[test]
    for name in given:
        if name not in known:
            raise DataError(
                f"{where}: test '{test}' has no setting '{name}'; it has {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
    found: dict[str, Any] = {}
    for name, setting in known.items():
        if name not in given:
            if setting.required:
                raise DataError(f"{where}: test '{test}' needs '{name}'; add it.")
            found[name] = setting.default
            continue
        try:
            found[name] = setting.read(given[name])
        except SibtError as error:
            raise DataError(f"{where}: {name}: {error}") from None
    try:
        _agree(test, found, context)
    except SibtError as error:
        raise DataError(f"{where}: {error}") from None
    return found


def quantities(found: Mapping[str, Any]) -> tuple[Quantity, ...]:
    """Return the quantities a test's settings name."""
    of = found.get("of")
    if isinstance(of, Quantity):
        return (of,)
    if of:
        return tuple(of)
    return tuple(part.of for part in found.get("parts") or ())


# -- Settings that must go together -----------------------------------------------------------


def _agree(test: str, found: dict[str, Any], context: Context) -> None:
    if "horizons" in found:
        horizons, until = found.pop("horizons"), found.pop("until")
        if (horizons is None) == (until is None):
            raise DataError("write either horizons (sessions) or until (a day).")
        if until is not None and until <= context.date:
            raise DataError(
                f"until {until:%Y-%m-%d} is not after the report's day {context.date:%Y-%m-%d};"
                " give a later day."
            )
        found["windows"] = horizons or (Window(until=until),)
    if found.get("on") is not None and "windows" in found:
        _readable_on(found, context)
    if test == "range":
        low, high = found["low"], found["high"]
        if low is None and high is None:
            raise DataError("a range needs low, high or both; add one.")
        if low is not None and high is not None and low >= high:
            raise DataError(f"low {low:g} is not below high {high:g}; swap them.")
    if test == "rating":
        if found["mode"] == "path" and found["word"] != "range":
            raise DataError(
                f"mode 'path' says that all prices stay within the range, and the word is"
                f" '{found['word']}'; write mode 'endpoint' or 'window'."
            )
        late = found["mode"] == "window"
        found["windows"] = tuple(Window(months=pair, late=late) for pair in found.pop("months"))
    if test == "curve":
        for code in (*found["near"], found["far"]):
            _of_product(code, context)
        for code in found["near"]:
            if contract(code).month >= contract(found["far"]).month:
                raise DataError(
                    f"near {code} does not come before far {found['far']}; write the earlier"
                    " delivery as near."
                )
    if test == "identity":
        if (found["on"] is None) == (found["start"] is None and found["end"] is None):
            raise DataError("write either on (a day) or start and end.")
        if found["on"] is None and (found["start"] is None or found["end"] is None):
            raise DataError("start and end go together; add the other.")
        if found["on"] is not None and found["take"] is not None:
            raise DataError("take is for start and end; leave it out with on.")
        found["take"] = found["take"] or "last"
    if test in ("identity", "change"):
        if (found["value"] is None) == (found["low"] is None and found["high"] is None):
            raise DataError("write either value (with tolerance), or low, high or both.")
        if found["value"] is None and found["tolerance"]:
            raise DataError("tolerance goes with value; leave it out with low and high.")
    if test in ("trend", "trends"):
        found["start"] = found["start"] or context.date
    if test == "trend":
        part = Part(found.pop("of"), found.pop("sign"), found.pop("within"))
        found["parts"] = (part,)
    start, end = found.get("start"), found.get("end")
    if start is not None and end is not None and (end < start or (test != "curve" and end == start
                                                                  and test != "identity")):
        raise DataError(
            f"end {end:%Y-%m-%d} is not after start {start:%Y-%m-%d}; give a later day."
        )


def _readable_on(found: Mapping[str, Any], context: Context) -> None:
    on = found["on"]
    if on not in ON:
        _of_product(on, context)
        if contract(on).standard != context.standard:
            raise DataError(
                f"on {on} is of delivery standard '{contract(on).standard}', the report was"
                f" written for '{context.standard}': they are two goods; name a contract of it."
            )
    if on == "adjusted" and found.get("price", "close") != "close":
        raise DataError(
            f"price '{found['price']}' cannot be rolled without jumps; write price 'close', or on"
            " 'dominant'."
        )


def _of_product(code: str, context: Context) -> None:
    if contract(code).product.name != context.product:
        raise DataError(f"{code} is no contract of '{context.product}', the report's product.")


# -- Kinds of settings ------------------------------------------------------------------------


def day(value: Any) -> pd.Timestamp:
    """Read a day: text such as 2024-06-15, or a date of TOML.

    Raises
    ------
    DataError
        It is none.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return pd.Timestamp(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return pd.Timestamp(value)
        except ValueError:
            pass
    raise DataError(f"'{value}' is no day; write it as 2024-06-15.")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise DataError(f"'{value}' is no number; write such as 11500.")
    return float(value)


def _positive(value: Any) -> float:
    number = _number(value)
    if number <= 0:
        raise DataError(f"{value} is not above zero; give a positive number.")
    return number


def _not_negative(value: Any) -> float:
    number = _number(value)
    if number < 0:
        raise DataError(f"{value} is below zero; give zero or more.")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{value!r} is no text; write some in quotes.")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DataError(f"'{value}' is neither true nor false; write one of them.")
    return value


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in known:
            raise DataError(
                f"'{value}' is unknown; write one of {', '.join(known)}."
                f"{did_you_mean(str(value), known)}"
            )
        return str(value)

    return read


def _code(value: Any) -> str:
    return contract(_text(value)).code


def _on(value: Any) -> str:
    text = _text(value)
    if _CODE.fullmatch(text):
        return _code(text)
    return _one_of(*ON, "or a contract code")(text)


def _many(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def many(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise DataError(f"{value!r} is no list; write such as [a, b].")
        found = tuple(read(one) for one in value)
        if any(one in found[:n] for n, one in enumerate(found)):
            raise DataError(f"{value!r} names something twice; leave one out.")
        return found

    return many


def _sessions(value: Any) -> Window:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 2500:
        raise DataError(f"'{value}' is no number of sessions; write such as [20, 60].")
    return Window(sessions=value)


def _months(value: Any) -> tuple[tuple[int, int], ...]:
    pairs = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    for pair in pairs:
        whole = isinstance(pair, list) and all(
            isinstance(n, int) and not isinstance(n, bool) for n in pair
        )
        if not whole or len(pair) != 2 or not 0 <= pair[0] < pair[1] <= 120:
            raise DataError(f"{pair!r} is no pair of months; write such as [1, 3].")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _params(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{value!r} is no table; write such as {{ year = 2024 }}.")
    return dict(value)


def _part(value: Any) -> Part:
    if not isinstance(value, dict):
        raise DataError(f'{value!r} is no trend; write such as {{ of = "receipts", sign = "up" }}.')
    known = {name: TESTS["trend"][name] for name in ("of", "sign", "within")}
    for name in value:
        if name not in known:
            raise DataError(
                f"a trend has no '{name}'; it has {', '.join(known)}.{did_you_mean(name, known)}"
            )
    for name in ("of", "sign"):
        if name not in value:
            raise DataError(f"a trend needs '{name}'; add it.")
    found = {n: s.read(value[n]) if n in value else s.default for n, s in known.items()}
    return Part(**found)


def _may(read: Callable[[Any], Any], default: Any = None) -> _Setting:
    return _Setting(read, required=False, default=default)


_WINDOW = {"horizons": _may(_many(_sessions)), "until": _may(day)}
_PRICE = {
    "price": _may(_one_of("close", "low", "high", "settle"), "close"),
    "on": _may(_on, "dominant"),
}
_PRINTED = {
    "value": _may(_number),
    "tolerance": _may(_not_negative, 0.0),
    "low": _may(_number),
    "high": _may(_number),
    "unit": _may(_text),
}

#: The settings of each test, in the order in which they are listed.
TESTS: Mapping[str, Mapping[str, _Setting]] = {
    "range": {"low": _may(_positive), "high": _may(_positive), **_PRICE, **_WINDOW},
    "holds_above": {"level": _Setting(_positive), **_PRICE, **_WINDOW},
    "breaks": {
        "level": _Setting(_positive),
        "side": _may(_one_of("below", "above"), "below"),
        **_PRICE,
        **_WINDOW,
    },
    "reach": {
        "level": _Setting(_positive),
        "side": _Setting(_one_of("below", "above")),
        **_PRICE,
        **_WINDOW,
    },
    "direction": {
        "sign": _Setting(_one_of("up", "down")),
        "on": _PRICE["on"],
        **_WINDOW,
    },
    "rating": {
        "word": _Setting(_one_of(*RATINGS)),
        "mode": _Setting(_one_of("endpoint", "window", "path")),
        "months": _Setting(_months),
        "on": _PRICE["on"],
    },
    "curve": {
        "near": _Setting(_many(_code)),
        "far": _Setting(_code),
        "sign": _Setting(_one_of("backwardation", "contango")),
        "start": _Setting(day),
        "end": _Setting(day),
        "need": _may(_one_of("most", "any", "every"), "most"),
    },
    "identity": {
        "of": _Setting(quantity),
        "on": _may(day),
        "start": _may(day),
        "end": _may(day),
        "take": _may(_one_of("first", "last", "mean", "sum", "min", "max")),
        **_PRINTED,
    },
    "change": {
        "of": _Setting(quantity),
        "start": _Setting(day),
        "end": _Setting(day),
        "relative": _may(_flag, False),
        **_PRINTED,
    },
    "trend": {
        "of": _Setting(quantity),
        "sign": _Setting(_one_of(*_SIGNS)),
        "within": _may(_not_negative, 0.05),
        "start": _may(day),
        "end": _Setting(day),
    },
    "trends": {
        "parts": _Setting(_many(_part)),
        "start": _may(day),
        "end": _Setting(day),
    },
    "strategy": {
        "strategy": _Setting(_text),
        "params": _may(_params, {}),
        "fill": _may(_one_of("open", "close", "settle"), "open"),
        "kind": _may(_one_of("individual", "company", "hedger")),
        "capital": _may(_positive),
        "side": _may(_one_of("short", "long")),
        "beats": _may(_one_of("zero", "controls", "placebos", "benchmarks"), "zero"),
        "until": _may(day),
    },
    "watch": {"of": _Setting(_many(quantity))},
    "vague": {"why": _Setting(_text)},
}
