"""Rules: state machines that turn a signal into the whole units a strategy wishes to hold.

A wish at session t is decided on t's close, from what was known by then; it is for the ledger
to fill it in t + 1. `hold` and `ladder` make wishes from a signal; `stop`, `time_stop`,
`take_profit` and `reverse` are laid over a wish and watch a price.

An unknown signal or price (NaN) decides nothing: the state before it stays. A threshold that
is None or NaN switches its rule off. Thresholds are numbers (a run: the result is a
`pd.Series` of whole floats) or N numbers (a sweep: the result is an int32 array of shape
(T, N) in Fortran order); a signal or wish that already has N columns gives N columns too.
Nothing is laid out but the result.

Thresholds are levels. A level such as 11,500 yuan belongs to the raw prices of a contract, so
that all rules refuse the back-adjusted series of `Market.continuous`, whose levels move with
every roll.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from sibt.errors import StrategyError, did_you_mean
from sibt.strategy.indicators import Columns, Parameter

__all__ = ["hold", "ladder", "reverse", "stop", "take_profit", "time_stop"]

FloatArray: TypeAlias = NDArray[np.float64]
UnitArray: TypeAlias = NDArray[np.int32]
#: A signal or price by session: one column, distinct columns, or N columns laid out.
Signal: TypeAlias = "pd.Series[float] | Columns | FloatArray"
#: Units wished by session: what the rules of this module return.
Units: TypeAlias = "pd.Series[float] | UnitArray"

_SIDES = {"above": -1, "both": 0, "below": 1}
_WATCHED = {"short": -1, "both": 0, "long": 1}


# -- From a signal to a wish -----------------------------------------------------------------


def hold(
    x: Signal,
    enter: Parameter,
    exit: Parameter,  # noqa: A002 - the word of the field
    *,
    units: Parameter = 1,
    side: Literal["both", "above", "below"] = "both",
) -> Units:
    """Hold against a signal from the threshold of entry until it has come back.

    ========  =====================  ===========================================
    side      wishes                 and gives up
    ========  =====================  ===========================================
    both      −units at x ≥ enter,   the short at x ≤ exit,
              +units at x ≤ −enter   the long at x ≥ −exit
    above     −units at x ≥ enter    at x ≤ exit
    below     +units at x ≤ enter    at x ≥ exit
    ========  =====================  ===========================================

    A session that gives up one side may take the other at once; where it asks to leave and
    to enter the same side, it stays.

    Parameters
    ----------
    x : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        The signal; NaN keeps the state.
    enter, exit : float or N of them
        Thresholds in the unit of `x`; None or NaN never enters, or never gives up.
    units : int or N of them
        Whole units to hold, not zero; a negative number holds with the signal instead of
        against it.
    side : {"both", "above", "below"}
        Which side of the signal to hold.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session; 0 before the first entry.

    Raises
    ------
    StrategyError
        A negative `enter` with ``side="both"``, `units` that are not whole or zero, vectors
        of different length, or a back-adjusted signal.
    """
    way = _choice("hold", "side", side, _SIDES)
    start = _thresholds("hold", "enter", enter)
    if way == 0 and np.any(start < 0):
        raise StrategyError(
            "hold: with side='both' `enter` must not be negative, since it is entered at x ≥"
            " enter and at x ≤ −enter; write side='above' or side='below'."
        )
    columns = _Layout("hold", x)
    columns.add(start, _thresholds("hold", "exit", exit), _whole("hold", "units", units))
    return columns.run(_hold, *columns.of(x), way)


def ladder(
    x: Signal,
    start: Parameter,
    step: Parameter,
    rungs: Parameter,
    *,
    exit: Parameter,  # noqa: A002 - the word of the field
    units: Parameter = 1,
    side: Literal["above", "below"] = "above",
) -> Units:
    """Add units rung by rung as a signal climbs; give all up when it has come back.

    The rungs of ``side="above"`` are start, start + step, …; each one reached adds −units
    (short), until x ≤ exit. Those of ``side="below"`` are start, start − step, …; each one
    reached adds +units (long), until x ≥ exit. Rungs once reached stay until then.

    Parameters
    ----------
    x : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        The signal; NaN keeps the state.
    start : float or N of them
        First rung, in the unit of `x`; None or NaN never enters.
    step : float or N of them
        Distance of the rungs, above zero; None or NaN leaves the first rung alone.
    rungs : int or N of them
        How many there are, at least 1.
    exit : float or N of them
        Where all units are given up; None or NaN never. A session that asks to leave and to
        enter does both: it begins anew with the rungs it has reached.
    units : int or N of them
        Whole units a rung, not zero; a negative number turns the side round.
    side : {"above", "below"}
        Short as the signal climbs, or long as it falls.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session; 0 before the first rung.

    Raises
    ------
    StrategyError
        A step or number of rungs that is not positive, `units` that are not whole or zero,
        vectors of different length, or a back-adjusted signal.
    """
    way = _choice("ladder", "side", side, {k: v for k, v in _SIDES.items() if v})
    columns = _Layout("ladder", x)
    columns.add(
        _thresholds("ladder", "start", start),
        _thresholds("ladder", "step", step, positive=True),
        _whole("ladder", "rungs", rungs, positive=True),
        _thresholds("ladder", "exit", exit),
        _whole("ladder", "units", units),
    )
    return columns.run(_ladder, *columns.of(x), way)


# -- Laid over a wish ------------------------------------------------------------------------


def stop(
    units: Units,
    price: Signal,
    distance: Parameter,
    *,
    side: Literal["both", "long", "short"] = "both",
) -> Units:
    """Give a wish up once the price has gone against it by a distance.

    The distance counts from the price of the session in which the wish last changed (the
    close it was decided on; if unknown, the first known one after it). After it fired, the
    wish is 0 until `units` next change.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished; NaN keeps the wish before it.
    price : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        What one unit is long, in yuan per tonne: a contract's raw price, or near − far. NaN
        decides nothing. (A series through rolls adjusted by differences may be watched too:
        a distance does not move with the roll.)
    distance : float or N of them
        Yuan per tonne, above zero; None or NaN is off.
    side : {"both", "long", "short"}
        Which wishes to watch.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session.

    Raises
    ------
    StrategyError
        A distance that is not positive, units that are not whole, vectors of different
        length, or a series adjusted by ratios.
    """
    columns = _Layout("stop", units, price, allow="difference")
    columns.add(_thresholds("stop", "distance", distance, positive=True))
    way = _choice("stop", "side", side, _WATCHED)
    return columns.run(_stop, *columns.of_units(units), *columns.of(price), way)


def time_stop(
    units: Units,
    sessions: Parameter,
    *,
    side: Literal["both", "long", "short"] = "both",
) -> Units:
    """Give a wish up a number of sessions after it last changed.

    A wish that changed at session t is 0 from t + `sessions` on, until `units` next change:
    filled at once in both directions, it was held for `sessions` sessions.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished; NaN keeps the wish before it.
    sessions : int or N of them
        At least 1; None or NaN is off.
    side : {"both", "long", "short"}
        Which wishes to watch.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session.

    Raises
    ------
    StrategyError
        A number that is not whole and positive, units that are not whole, or vectors of
        different length.
    """
    columns = _Layout("time_stop", units)
    columns.add(_whole("time_stop", "sessions", sessions, positive=True, off=True))
    way = _choice("time_stop", "side", side, _WATCHED)
    return columns.run(_time_stop, *columns.of_units(units), way)


def take_profit(
    units: Units,
    price: Signal,
    level: Parameter,
    *,
    side: Literal["both", "long", "short"] = "both",
) -> Units:
    """Give a wish up once the price has reached its goal.

    A short wish at price ≤ level, a long one at price ≥ level. After it fired, the wish is 0
    until `units` next change. A wish made when the goal is already reached is given up in
    the same decision. `side` is for a level that is the goal of one direction only.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished; NaN keeps the wish before it.
    price : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        Raw price in yuan per tonne; NaN decides nothing.
    level : float or N of them
        Yuan per tonne; None or NaN is off.
    side : {"both", "long", "short"}
        Which wishes to watch.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session.

    Raises
    ------
    StrategyError
        Units that are not whole, vectors of different length, or a back-adjusted price.
    """
    columns = _Layout("take_profit", units, price)
    columns.add(_thresholds("take_profit", "level", level), np.array(0.0))
    way = _choice("take_profit", "side", side, _WATCHED)
    return columns.run(_reach, *columns.of_units(units), *columns.of(price), way)


def reverse(
    units: Units,
    price: Signal,
    level: Parameter,
    *,
    units_after: Parameter = None,
    side: Literal["both", "long", "short"] = "both",
) -> Units:
    """Turn a wish round once the price has reached its goal.

    A short wish at price ≤ level becomes +`units_after`, a long one at price ≥ level
    −`units_after`, in that same decision; it stays so until `units` next change.

    Parameters
    ----------
    units : pd.Series of shape (T,) or ndarray of shape (T, N)
        Units wished; NaN keeps the wish before it.
    price : pd.Series of shape (T,), Columns or ndarray of shape (T, N)
        Raw price in yuan per tonne; NaN decides nothing.
    level : float or N of them
        Yuan per tonne; None or NaN is off.
    units_after : int or N of them, optional
        Whole units to hold on the other side, at least 1; by default, or where it is NaN,
        as many as before.
    side : {"both", "long", "short"}
        Which wishes to watch.

    Returns
    -------
    pd.Series of shape (T,) or ndarray of int32, shape (T, N)
        Units wished after each session.

    Raises
    ------
    StrategyError
        Units that are not whole and positive, vectors of different length, or a
        back-adjusted price.
    """
    columns = _Layout("reverse", units, price)
    after = _whole("reverse", "units_after", units_after, positive=True, off=True)
    columns.add(
        _thresholds("reverse", "level", level),
        # −1 is the kernel's word for "as many as before".
        np.where(np.isnan(after), -1.0, after),
    )
    way = _choice("reverse", "side", side, _WATCHED)
    return columns.run(_reach, *columns.of_units(units), *columns.of(price), way)


# -- Columns and parameters ------------------------------------------------------------------


class _Layout:
    """The sessions and the number of columns that inputs and thresholds agree on."""

    def __init__(self, rule: str, *inputs: Any, allow: str | None = None) -> None:
        self.rule = rule
        self.index: pd.Index[Any] | None = None
        self.sweep = False
        self.count = 1
        self.length = -1
        self.parameters: list[FloatArray] = []
        for given in inputs:
            self._see(given, allow)

    def _see(self, given: Any, allow: str | None) -> None:
        if isinstance(given, pd.Series):
            adjusted = given.attrs.get("adjusted")
            if adjusted not in (None, allow):
                raise StrategyError(
                    f"{self.rule}: a back-adjusted series (by {adjusted}) has no levels to compare"
                    " with, they move with every roll; give the raw price of a contract, as"
                    " market.continuous(…, adjust=None) does."
                )
            if self.index is not None and not self.index.equals(given.index):
                raise StrategyError(f"{self.rule}: units and price must share their sessions.")
            self.index = given.index
        elif isinstance(given, Columns) or (isinstance(given, np.ndarray) and given.ndim == 2):
            self._agree(given.shape[1])
        else:
            raise StrategyError(
                f"{self.rule}: give a Series by session, Columns or an array of shape (T, N), not"
                f" {type(given).__name__}."
            )
        if self.length not in (-1, len(given)):
            raise StrategyError(
                f"{self.rule}: inputs of {self.length} and {len(given)} sessions do not match."
            )
        self.length = len(given)

    def _agree(self, count: int) -> None:
        self.sweep = True
        if self.count not in (1, count) and count != 1:
            raise StrategyError(
                f"{self.rule}: {self.count} and {count} columns do not match; vectors of parameters"
                " must be of one length."
            )
        self.count = max(self.count, count)

    def add(self, *parameters: FloatArray) -> None:
        """Take part parameters of shape () or (N,)."""
        for parameter in parameters:
            if parameter.ndim:
                self._agree(len(parameter))
            self.parameters.append(parameter)

    def of(self, given: Signal) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return distinct columns of a signal and which of them each of the N is."""
        if isinstance(given, Columns):
            return given.values, self._take(given.take)
        values = np.asarray(given, dtype=float)
        values = np.asfortranarray(values[:, None] if values.ndim == 1 else values)
        return values, self._take(np.arange(values.shape[1], dtype=np.intp))

    def of_units(self, given: Units) -> tuple[UnitArray, NDArray[np.intp]]:
        """Return wishes as whole numbers: unknown ones keep the wish before, 0 at first."""
        values = np.asarray(given)
        values = values[:, None] if values.ndim == 1 else values
        if values.dtype != np.int32:
            known = pd.DataFrame(values).ffill().fillna(0.0).to_numpy()
            if not np.all((known == np.round(known)) & (np.abs(known) < 2**31)):
                raise StrategyError(
                    f"{self.rule}: units must be whole numbers; round the wish first."
                )
            values = known
        whole: UnitArray = np.asfortranarray(values, dtype=np.int32)
        return whole, self._take(np.arange(values.shape[1], dtype=np.intp))

    def _take(self, take: NDArray[np.intp]) -> NDArray[np.intp]:
        if len(take) == self.count:
            return take
        return np.full(self.count, take[0], dtype=np.intp)

    def run(self, kernel: Callable[..., None], *inputs: Any) -> Units:
        """Fill the N columns of the result."""
        out = np.empty((self.length, self.count), dtype=np.int32, order="F")
        spread = [np.ascontiguousarray(np.broadcast_to(p, (self.count,))) for p in self.parameters]
        kernel(*inputs, *spread, out)
        if self.sweep or self.index is None:
            return out
        return pd.Series(out[:, 0].astype(float), index=self.index, name="units")


def _choice(rule: str, name: str, given: str, known: dict[str, int]) -> int:
    if given not in known:
        raise StrategyError(
            f"{rule}: {name}={given!r} is unknown; write one of {', '.join(known)}."
            f"{did_you_mean(str(given), known)}"
        )
    return known[given]


def _thresholds(rule: str, name: str, given: Parameter, *, positive: bool = False) -> FloatArray:
    """Return a threshold as an array of shape () or (N,), NaN for off."""
    numbers = np.array(np.nan) if given is None else np.asarray(given, dtype=float)
    if numbers.ndim == 2 and numbers.shape[0] == 1:
        numbers = numbers[0]
    if numbers.ndim > 1 or numbers.size == 0:
        raise StrategyError(
            f"{rule}: {name} must be a number or a vector of numbers, got shape {numbers.shape};"
            " a threshold that changes by session belongs into the signal: x − threshold against"
            " 0."
        )
    if positive and np.any(numbers <= 0):
        raise StrategyError(f"{rule}: {name} must be above zero, or None to switch it off.")
    return numbers


def _whole(
    rule: str, name: str, given: Parameter, *, positive: bool = False, off: bool = False
) -> FloatArray:
    """Return whole numbers that fit int32, not zero; NaN only where a rule may be off."""
    numbers = _thresholds(rule, name, given)
    unknown = np.isnan(numbers)
    whole = (numbers == np.round(numbers)) & (numbers != 0) & (np.abs(numbers) < 2**31)
    fine = (whole & ((numbers > 0) | (not positive))) | (unknown & off)
    if not np.all(fine):
        raise StrategyError(
            f"{rule}: {name} must be {'whole and positive' if positive else 'whole and not zero'}"
            f"{', or None to switch it off' if off else ''}, got"
            f" {np.atleast_1d(numbers)[~np.atleast_1d(fine)][0]:g}."
        )
    return numbers


# -- Kernels: one column of thresholds at a time ---------------------------------------------


@njit(cache=True, nogil=True)
def _hold(values, take, side, enter, exit_, units, out):  # type: ignore[no-untyped-def]
    for j in range(out.shape[1]):
        column = values[:, take[j]]
        size = int(units[j])
        # A side that is not held has thresholds no signal meets.
        short_in, short_out, long_in, long_out = enter[j], exit_[j], -enter[j], -exit_[j]
        if side < 0:
            long_in = np.nan
        elif side > 0:
            short_in, long_in, long_out = np.nan, enter[j], exit_[j]
        state = 0
        for t in range(out.shape[0]):
            x = column[t]
            if (state < 0 and x <= short_out) or (state > 0 and x >= long_out):
                state = 0
            if state == 0:
                if x >= short_in:
                    state = -1
                elif x <= long_in:
                    state = 1
            out[t, j] = state * size


@njit(cache=True, nogil=True)
def _ladder(values, take, side, start, step, rungs, exit_, units, out):  # type: ignore[no-untyped-def]
    for j in range(out.shape[1]):
        column = values[:, take[j]]
        # Seen from below the signal is its mirror image.
        first, leave = -side * start[j], -side * exit_[j]
        distance = step[j]
        most = int(rungs[j])
        size = int(units[j])
        climbed = 0
        for t in range(out.shape[0]):
            x = -side * column[t]
            if x <= leave:
                climbed = 0
            if climbed == 0 and x >= first:
                climbed = 1
            while 0 < climbed < most and x >= first + climbed * distance:
                climbed += 1
            out[t, j] = side * climbed * size


@njit(cache=True, nogil=True)
def _stop(base, base_take, values, take, side, distance, out):  # type: ignore[no-untyped-def]
    for j in range(out.shape[1]):
        wishes = base[:, base_take[j]]
        column = values[:, take[j]]
        before = 0
        fired = False
        reference = np.nan
        for t in range(out.shape[0]):
            wish = wishes[t]
            if wish != before:
                fired = False
                reference = np.nan
                before = wish
            if np.isnan(reference):
                reference = column[t]
            against = column[t] - reference if wish < 0 else reference - column[t]
            if wish * side > 0 or (side == 0 and wish != 0):
                fired |= against >= distance[j]
            out[t, j] = 0 if fired else wish


@njit(cache=True, nogil=True)
def _time_stop(base, base_take, side, sessions, out):  # type: ignore[no-untyped-def]
    for j in range(out.shape[1]):
        wishes = base[:, base_take[j]]
        before = 0
        since = 0
        for t in range(out.shape[0]):
            wish = wishes[t]
            if wish != before:
                since = t
                before = wish
            watched = wish * side > 0 or side == 0
            out[t, j] = 0 if watched and t - since >= sessions[j] else wish


@njit(cache=True, nogil=True)
def _reach(base, base_take, values, take, side, level, after, out):  # type: ignore[no-untyped-def]
    for j in range(out.shape[1]):
        wishes = base[:, base_take[j]]
        column = values[:, take[j]]
        before = 0
        fired = False
        for t in range(out.shape[0]):
            wish = wishes[t]
            if wish != before:
                fired = False
                before = wish
            x = column[t]
            if (wish < 0 and side <= 0 and x <= level[j]) or (
                wish > 0 and side >= 0 and x >= level[j]
            ):
                fired = True
            if not fired:
                out[t, j] = wish
            elif after[j] < 0:
                out[t, j] = -wish
            else:
                out[t, j] = -int(after[j]) if wish > 0 else int(after[j])
