"""Bars finer than a day: when they stand, and the daily bars they add up to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.market import bars as daily_bars
from sibt.market.panel import FIELDS
from sibt.market.product import Product
from sibt.market.table import DateArray, Origin, Table

__all__ = ["closes", "daily", "minutes", "place", "stamped", "validate"]

IntArray = NDArray[np.int64]

#: Lengths of a bar that terminals write, minutes.
_LENGTHS = (1, 2, 3, 5, 10, 15, 30, 60, 120)
_MINUTE = np.timedelta64(1, "m")


def _clock(times: DateArray) -> IntArray:
    """Return minutes after midnight, shape (rows,)."""
    passed: IntArray = ((times - times.astype("datetime64[D]")) // _MINUTE).astype(np.int64)
    return passed


def _stamp(time: np.datetime64) -> str:
    return f"{pd.Timestamp(time):%Y-%m-%d %H:%M:%S}"


def _hhmm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _hours(product: Product) -> tuple[IntArray, IntArray]:
    if not product.hours:
        raise DataError(
            f"The hours of {product.name} are not known, so bars finer than a day cannot be placed;"
            " add a table [hours] to its file of terms."
        )
    begin, end = np.array(product.hours, dtype=np.int64).T
    return begin, end


def _said(product: Product) -> str:
    return ", ".join(f"{_hhmm(begin)}-{_hhmm(end)}" for begin, end in product.hours)


def minutes(times: DateArray, contracts: Sequence[str], product: Product) -> int | None:
    """Return how long a bar is, minutes; None where too few bars stand to tell.

    Parameters
    ----------
    times : ndarray of datetime64, shape (rows,)
        Stamps, all at the start of their bars or all at the end.
    contracts : sequence of str, length rows
        Contract of each bar.
    product : Product
        For the hours of its trading day.
    """
    frame = pd.DataFrame({"contract": list(contracts), "time": times})
    frame = frame.sort_values(["contract", "time"])
    frame["day"] = frame["time"].dt.normalize()
    gaps = frame.groupby(["contract", "day"])["time"].diff().dropna()
    steps = gaps.dt.total_seconds() / 60
    steps = steps[steps > 0]
    if not len(steps):
        return None
    usual = int(steps.mode().iloc[0])
    begin, _ = _hours(product)
    if usual <= 15:
        # Thin contracts skip bars: what all stamps have in common is the length.
        clock = _clock(times)
        part = np.maximum(np.searchsorted(begin, clock, side="right") - 1, 0)
        usual = int(np.gcd.reduce(np.append(np.abs(clock - begin[part]), usual)))
    return usual if usual in _LENGTHS else None


def stamped(times: DateArray, product: Product) -> str | None:
    """Return whether bars are stamped at their start or their end; None if it cannot be seen.

    A bar that stands at 09:00 (or where the day goes on after a break) tells "start", one at
    15:00 (or where a break begins) "end".

    Returns
    -------
    {"start", "end"} or None
    """
    clock = np.unique(_clock(times))
    begin, end = _hours(product)
    starts, ends = bool(np.isin(begin, clock).any()), bool(np.isin(end, clock).any())
    if starts == ends:
        return None
    return "start" if starts else "end"


def place(
    times: DateArray, product: Product, length: int, at: str
) -> tuple[DateArray, NDArray[np.bool_]]:
    """Return the start of each bar, and where it lies outside the hours of trading.

    Parameters
    ----------
    times : ndarray of datetime64, shape (rows,)
        Stamps as written, Beijing time.
    product : Product
        For the hours of its trading day.
    length : int
        Minutes of a bar.
    at : {"start", "end"}
        What the stamps mean.
    """
    begin, end = _hours(product)
    clock = _clock(times)
    seconds = (times - times.astype("datetime64[m]")) != np.timedelta64(0, "s")
    passed = np.concatenate([[0], np.cumsum(end - begin)])
    if at == "end":
        part = np.minimum(np.searchsorted(end, clock, side="left"), len(end) - 1)
        outside = (clock <= begin[part]) | (clock > end[part])
        gone = passed[part] + clock - begin[part]
        # The last bar of a day may be short: it began a whole number of bars after the open.
        start = np.maximum((gone - 1) // length * length, 0)
        back = np.clip(np.searchsorted(passed, start, side="right") - 1, 0, len(begin) - 1)
        clock = begin[back] + start - passed[back]
    else:
        part = np.maximum(np.searchsorted(begin, clock, side="right") - 1, 0)
        outside = (clock < begin[part]) | (clock >= end[part])
        if length >= 60:
            # Bars of an hour by the clock: the one of 13:00 begins with the trading at 13:30.
            coming = np.minimum(np.searchsorted(begin, clock, side="left"), len(begin) - 1)
            late = outside & (clock < begin[coming]) & (clock + length > begin[coming])
            clock = np.where(late, begin[coming], clock)
            outside = outside & ~late
    day = times.astype("datetime64[D]").astype("datetime64[ns]")
    return np.asarray(day + clock * _MINUTE, dtype="datetime64[ns]"), outside | seconds


def validate(
    frame: pd.DataFrame, product: Product, length: int, at: str, origin: Origin | None = None
) -> pd.DataFrame:
    """Return bars with their start and session, or refuse those that cannot be right.

    Parameters
    ----------
    frame : pd.DataFrame
        ``time`` (stamp, Beijing time), ``contract``, open, high, low, close (yuan per tonne),
        volume, open_interest (lots) and turnover (yuan), NaN where unknown.
    product : Product
        Of all the contracts.
    length : int
        Minutes of a bar.
    at : {"start", "end"}
        What the stamps mean.
    origin : Origin, optional
        Where the rows stand, for messages.

    Returns
    -------
    pd.DataFrame
        The same rows in order of time and contract; ``time`` is the start of the bar and
        ``date`` its session.

    Raises
    ------
    DataError
        A bar outside the hours of trading, on a day without a session, beyond its contract's
        life, with prices that contradict each other or are off the tick, or given twice.
    """
    frame = frame.reset_index(drop=True)
    stamps = frame["time"].to_numpy().astype("datetime64[ns]")
    begun, outside = place(stamps, product, length, at)
    days = stamps.astype("datetime64[D]").astype("datetime64[ns]")
    if outside.any():
        row = int(np.argmax(outside))
        where = f"bars, row {row}" if origin is None else origin.place(row)
        more = int(outside.sum()) - 1
        eight = np.asarray(stamps + np.timedelta64(8, "h"), dtype="datetime64[ns]")
        _, wrong = place(eight, product, length, at)
        hint = (
            "; eight hours later all would fit: they seem to be in UTC, add the eight hours"
            if not wrong.any()
            else "; correct the time, leave the row out, or say --stamped "
            + ("start" if at == "end" else "end")
        )
        raise DataError(
            f"{where}, column 'time': the bar of {frame['contract'][row]} at"
            f" {_stamp(stamps[row])}, stamped at its {at}, lies outside the"
            f" hours of trading ({_said(product)}){hint}"
            + (f" ({more:,} more like it)." if more else ".")
        )
    given = [name for name in (*FIELDS, "contract") if name in frame.columns]
    table = Table(frame[given].assign(date=days), daily_bars.BARS, origin)
    # What holds for the bar of a day holds for any; only there may be many in a session.
    rows = daily_bars._read(table)
    for name in ("open", "high", "low", "close"):
        rows.refuse(
            rows.values[name] <= 0,
            name,
            f"the {name} {{{name}:g}} is not above zero",
            "correct it, or leave blank what is unknown",
        )
    for look in (daily_bars._check_life, daily_bars._check_range, daily_bars._check_tick):
        look(rows)
    table.once(
        {"time": begun, "contract": rows.column},
        lambda row: f"a second bar of {frame['contract'][row]} at {_stamp(begun[row])}",
    )
    frame["time"], frame["date"] = begun, days
    return frame.sort_values(["time", "contract"], ignore_index=True)


def daily(frame: pd.DataFrame, product: Product) -> pd.DataFrame:
    """Add bars up to daily bars, of complete sessions only.

    Parts without a trade have no bar at most sources, so a gap alone is no fault. A session is
    called incomplete where the rows begin or end in the middle of it, where a whole part of
    the day is missing while another has every bar, or where a bar is missing although the
    source writes bars without a trade.

    Parameters
    ----------
    frame : pd.DataFrame
        ``time`` (start of the bar), ``date``, ``contract``, open, high, low, close, volume,
        open_interest, as `validate` returns them.
    product : Product
        For the hours of its trading day.

    Returns
    -------
    pd.DataFrame
        ``date, contract, open, high, low, close, volume, open_interest``: the first open,
        highest high, lowest low, last close, sum of volume and last open interest; NaN where
        nothing is known. ``attrs["incomplete"]`` lists (contract, session, why) of the sessions
        left out.
    """
    rows = frame.sort_values(["contract", "time"], ignore_index=True)
    left_out = _incomplete(rows, product)
    keys = ["contract", "date"]
    groups = rows.groupby(keys, sort=True)
    first = rows.drop_duplicates(keys, keep="first").set_index(keys)
    total = pd.DataFrame(
        {
            "open": first["open"],
            "high": groups["high"].max(),
            "low": groups["low"].min(),
            "close": groups["close"].last(),
            # One unknown volume leaves the day's unknown.
            "volume": groups["volume"].sum().where(groups["volume"].apply(_all_known)),
            "open_interest": groups["open_interest"].last(),
        }
    )
    total = total.loc[[key not in left_out for key in total.index]].reset_index()
    total = total[["date", *keys[:1], "open", "high", "low", "close", "volume", "open_interest"]]
    total = total.sort_values(["date", "contract"], ignore_index=True)
    total.attrs["incomplete"] = [(code, day, why) for (code, day), why in sorted(left_out.items())]
    return total


def _all_known(values: "pd.Series[float]") -> bool:
    return bool(values.notna().all())


def _incomplete(rows: pd.DataFrame, product: Product) -> dict[tuple[str, pd.Timestamp], str]:
    """Return the sessions that are not whole and why."""
    begin, end = _hours(product)
    found: dict[tuple[str, pd.Timestamp], str] = {}
    for code, bars in rows.groupby("contract", sort=True):
        clock = _clock(bars["time"].to_numpy().astype("datetime64[ns]"))
        length = minutes(bars["time"].to_numpy(), [str(code)] * len(bars), product) or 1
        part = np.maximum(np.searchsorted(begin, clock, side="right") - 1, 0)
        counts = (
            pd.crosstab(bars["date"].to_numpy(), part)
            .reindex(columns=range(len(begin)), fill_value=0)
            .sort_index()
        )
        first = pd.Series(clock, index=bars.index).groupby(bars["date"]).min()
        last = pd.Series(clock, index=bars.index).groupby(bars["date"]).max()
        whole = -(-(end - begin) // length)
        if first.iloc[0] != begin[0]:
            why = f"the file begins at {_hhmm(int(first.iloc[0]))}"
            found[(str(code), first.index[0])] = why
        if last.iloc[-1] + length < end[-1]:
            why = f"the file ends with the bar of {_hhmm(int(last.iloc[-1]))}"
            found[(str(code), last.index[-1])] = why
        silent = bool((bars["volume"] == 0).any())
        for day, count in counts.iterrows():
            key = (str(code), pd.Timestamp(str(day)))
            have = count.to_numpy()
            empty = np.flatnonzero(have == 0)
            if len(empty) and (have >= whole).any():
                why = f"{_hhmm(int(begin[empty[0]]))}-{_hhmm(int(end[empty[0]]))} is missing"
                found.setdefault(key, why)
            elif silent and have.sum() < -(-(end - begin).sum() // length):
                found.setdefault(key, f"only {have.sum()} bars stand")
    return found


def closes(aggregate: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """Set the closes of added-up bars beside those of daily bars.

    Parameters
    ----------
    aggregate, bars : pd.DataFrame
        ``date, contract, close``, yuan per tonne.

    Returns
    -------
    pd.DataFrame
        ``date, contract, close, daily``: one row for each session of which both are known.
    """
    known = bars[["date", "contract", "close"]].rename(columns={"close": "daily"})
    both = aggregate[["date", "contract", "close"]].merge(known, on=["date", "contract"])
    return both.dropna(ignore_index=True)
