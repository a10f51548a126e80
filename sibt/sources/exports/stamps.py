"""Days and times of day as terminals, spreadsheets and programs write them."""

import datetime as dt
import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["clocks", "moments"]

_NOTHING = np.datetime64("NaT", "ns")
_MOMENT = re.compile(
    r"(?:(\d{4})(\d{2})(\d{2})|(\d{4})([-/.])(\d{1,2})\5(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日?)"
    r"(?:[/, ]?(?:周|星期)?[一二三四五六日天])?"
    r"(?:(?:[ T]+|\b)(\d{1,2})[:时](\d{2})分?(?::?(\d{2})(?:\.\d+)?秒?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?|(\d{1,2})时(\d{2})分?")
_DIGITS = re.compile(r"(\d+)(?:\.(\d*))?")
#: Days since 1899-12-30, as spreadsheets count them: 2000 to 2099.
_SERIAL = (36526, 73050)
#: Units of a count from 1970 on, by its number of digits: TqSdk counts nanoseconds.
_EPOCH = {13: "ms", 16: "us", 19: "ns"}


def moments(cells: "pd.Series[Any]") -> NDArray[np.datetime64]:
    """Return the days, or days and times, that cells name.

    Understood are 20241031, 2024-10-31, 2024/10/31, 2024.10.31 and 2024年10月31日, each with or
    without a time of day, 202410310905, days of a spreadsheet, and nanoseconds, microseconds
    or milliseconds since 1970. Stamps with a time zone, and such counts, come back as Beijing
    time.

    Returns
    -------
    ndarray of datetime64[ns], shape (rows,)
        To the second; NaT where a cell names none.
    """
    if isinstance(cells.dtype, (np.dtype, pd.DatetimeTZDtype)) and cells.dtype.kind == "M":
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            cells = cells.dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
        return np.asarray(cells.dt.round("s").to_numpy(), dtype="datetime64[ns]")
    codes, uniques = pd.factorize(cells.astype(object), use_na_sentinel=True)
    known = np.array([_moment(cell) for cell in uniques], dtype="datetime64[ns]")
    return np.append(known, _NOTHING)[codes]


def clocks(cells: "pd.Series[Any]") -> NDArray[np.timedelta64]:
    """Return the times of day that cells name: 0905, 90500, 09:05, 09:05:00, 9时05分.

    Returns
    -------
    ndarray of timedelta64[s], shape (rows,)
        Since midnight; NaT where a cell names none.
    """
    codes, uniques = pd.factorize(cells.astype(object), use_na_sentinel=True)
    known = np.array([_seconds(cell) for cell in uniques] + [-1], dtype=np.int64)[codes]
    spans = known.astype("timedelta64[s]")
    spans[known < 0] = np.timedelta64("NaT")
    return spans


def _text(cell: Any) -> str:
    """Return a cell with the digits and colons of Chinese typing, １２：３０, as ours."""
    return unicodedata.normalize("NFKC", str(cell)).strip()


def _moment(cell: Any) -> np.datetime64:
    if isinstance(cell, (dt.date, np.datetime64)):
        stamp = pd.Timestamp(cell)  # type: ignore[arg-type]
        return _beijing(stamp)
    if isinstance(cell, bool):
        return _NOTHING
    text = f"{cell:.10f}" if isinstance(cell, float) and np.isfinite(cell) else _text(cell)
    if number := _DIGITS.fullmatch(text):
        return _counted(number[1], number[2] or "")
    match = _MOMENT.fullmatch(text)
    if match is None:
        return _NOTHING
    days = (match.group(1, 2, 3), match.group(4, 6, 7), match.group(8, 9, 10))
    year, month, day = (int(part) for part in next(group for group in days if group[0]))
    hour, minute, second = (int(part or 0) for part in match.group(11, 12, 13))
    try:
        stamp = pd.Timestamp(year, month, day, hour, minute, second)
        if match[14]:
            zone = match[14].replace(":", "")
            ahead = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[3:])
            stamp += pd.Timedelta(minutes=480 - ahead)
    except ValueError:
        return _NOTHING
    return stamp.to_datetime64()


def _counted(digits: str, fraction: str) -> np.datetime64:
    """Return the moment that digits alone stand for."""
    whole = not fraction.strip("0")
    try:
        if len(digits) == 5 and _SERIAL[0] <= int(digits) <= _SERIAL[1]:
            days = float(f"{digits}.{fraction or 0}")
            return pd.Timestamp("1899-12-30").to_datetime64() + np.timedelta64(
                round(days * 86400), "s"
            )
        if whole and len(digits) in (8, 12, 14):
            return pd.Timestamp(dt.datetime.strptime(digits, _COMPACT[len(digits)])).to_datetime64()
        if whole and len(digits) in _EPOCH:
            return _beijing(pd.Timestamp(int(digits), unit=_EPOCH[len(digits)], tz="UTC"))
    except ValueError:
        pass
    return _NOTHING


_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def _beijing(stamp: pd.Timestamp) -> np.datetime64:
    if pd.isna(stamp):
        return _NOTHING
    if stamp.tz is not None:
        stamp = stamp.tz_convert("Asia/Shanghai").tz_localize(None)
    return stamp.round("s").to_datetime64()


def _seconds(cell: Any) -> int:
    """Return seconds after midnight, −1 where the cell names no time."""
    if isinstance(cell, (dt.time, dt.datetime)):
        return cell.hour * 3600 + cell.minute * 60 + cell.second
    text = _text(cell)
    if match := _CLOCK.fullmatch(text):
        hour, minute, second = match[1] or match[4], match[2] or match[5], match[3] or 0
        return _checked(int(hour), int(minute), int(second))
    number = _DIGITS.fullmatch(text)
    if number is None:
        return -1
    if (number[2] or "").strip("0"):  # a spreadsheet's share of a day
        share = float(text)
        return round(share * 86400) if share < 1 else -1
    count = int(number[1])
    if count <= 2400:
        return _checked(count // 100, count % 100, 0)
    return _checked(count // 10000, count // 100 % 100, count % 100)


def _checked(hour: int, minute: int, second: int) -> int:
    if hour > 23 or minute > 59 or second > 59:
        return -1
    return hour * 3600 + minute * 60 + second
