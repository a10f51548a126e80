"""Judging what web sites answer, before a library makes tables of it.

Each function takes one answer (`requests.Response`, read whole) and lets it through, or raises
`Temporary` (broken: a web page, half an answer), `Wrong` (another day's) or `Nothing` (whole,
and it says that there is nothing).
"""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any

import pandas as pd

from sibt.sources.online import wire
from sibt.sources.online.asking import Temporary, Wrong

__all__ = ["bars", "receipts", "sina", "spot", "table"]


def _data(answer: Any) -> list[dict[str, Any]]:
    """Return the rows of the exchange's JSON, or refuse what is none."""
    wire.good(answer)
    name = wire.host(answer)
    try:
        text = answer.content.decode("utf-8")
    except UnicodeDecodeError:
        raise Temporary(f"{name} answered in an unknown encoding") from None
    try:
        found = json.loads(text)
    except ValueError:
        what = "a web page" if text.lstrip().startswith("<") else "half an answer"
        raise Temporary(f"{name} gave {what} instead of data") from None
    if not isinstance(found, dict) or str(found.get("code", "0")) != "0":
        raise Temporary(f"{name} refused the question")
    rows = found.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Temporary(f"{name} gave an answer without data")
    return rows


def table(answer: Any) -> None:
    """Refuse what is no table of the exchange, or an empty one."""
    if not _data(answer):
        raise Temporary(f"{wire.host(answer)} gave an empty table")


def bars(answer: Any, product: str, asked: str) -> None:
    """Let through what holds all of a product's contracts; a day without a session has none."""
    rows = _data(answer)
    echo = answer.json().get("param") or {}
    for day in echo.get("trade_date") or ():
        if str(day) != asked:
            raise Wrong(f"the exchange answered for another day, {day}")
    if not rows:
        raise Temporary("the exchange gave an empty table, without even its line of totals")
    named = [row for row in rows if row.get("delivMonth")]
    if not named:
        # What it answers for a holiday: the line of totals alone.
        raise wire.Nothing
    own = [row for row in rows if str(row.get("varietyOrder", "")).lower() == product]
    bars = [row for row in own if row.get("delivMonth")]
    if not bars:
        raise Temporary(f"the exchange's table lacks {product}")
    for total in own:
        if not total.get("delivMonth"):
            _check_total(bars, total, ("volumn", "openInterest"))


def receipts(answer: Any, product: str, asked: str) -> None:
    """Let through receipts of the day asked for that come to the exchange's own total."""
    rows = _data(answer)
    own = [row for row in rows if str(row.get("varietyOrder", "")).lower() == product]
    houses = [row for row in own if str(row.get("whType") or "").strip()]
    if not houses:
        raise wire.Nothing
    for row in houses:
        if str(row.get("genDate") or asked) != asked:
            raise Wrong(f"the exchange's receipts are of another day, {row['genDate']}")
    for total in own:
        if not str(total.get("whType") or "").strip():
            _check_total(houses, total, ("wbillQty",))


def _check_total(rows: list[dict[str, Any]], total: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if total.get(name) in (None, ""):
            continue
        summed = sum(float(row.get(name) or 0) for row in rows)
        if abs(summed - float(total[name])) > 0.5:
            raise Temporary(
                f"the exchange gave half a table: its rows come to {summed:g}, its total is"
                f" {float(total[name]):g}"
            )


def sina(answer: Any) -> None:
    """Refuse what is not Sina's history of a contract; a contract it does not know has none."""
    wire.good(answer)
    _, sign, tail = answer.text.partition("=(")
    body, end, _ = tail.partition(");")
    if not sign or not end:
        raise Temporary("Sina gave half an answer or a web page instead of data")
    try:
        rows = json.loads(body)
    except ValueError:
        raise Temporary("Sina gave half an answer") from None
    if not rows:
        raise wire.Nothing
    if list(rows[0]) != list("dohlcvps"):
        # akshare names Sina's columns by their place.
        raise Wrong(f"Sina's columns have changed to {', '.join(rows[0])}")


def spot(answer: Any, asked: str) -> None:
    """Refuse a page of another day, for which akshare would ask again without end."""
    if answer.status_code == 404:
        raise wire.Nothing
    wire.good(answer)
    page = answer.content.decode("utf-8", errors="replace")
    try:
        tables = pd.read_html(StringIO(page))
        title = str(tables[0].loc[1, 1])
    except Exception:  # the parsers below have errors of their own
        raise Temporary("100ppi gave a page without its tables") from None
    if len(tables) < 2:
        raise Temporary("100ppi gave half a page")
    digits = "".join(sign for sign in title if sign.isdigit())[3:11]
    if digits != asked:
        raise Wrong(f"100ppi's page is of another day, {_day_in(digits)}")


def _day_in(digits: str) -> str:
    try:
        return date.fromisoformat(digits).isoformat()
    except ValueError:
        return "unknown"
