"""Marks of what was done on a price: a session's fills of one kind are one mark."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sibt.language import Language
from sibt.report.charts.palette import palette
from sibt.report.shortfalls import why
from sibt.runs.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "kinds", "marks"]

#: Kinds of marks in the order they are drawn, a trace each: bought and sold open a position
#: (buying a spread is buying near), closed ends one, rolled moves it to another contract, forced
#: is what the account had to do (margin call, exit date, bust), unfilled what it could not.
KINDS = ("closed", "rolled", "forced", "bought", "sold", "unfilled")

#: Symbol, size and colour; no two share a shape.
_LOOKS = {
    "closed": ("circle-open", 13, "ink"),
    "rolled": ("diamond", 9, "gold"),
    "forced": ("square-open", 13, "pink"),
    "bought": ("triangle-up", 11, "up"),
    "sold": ("triangle-down", 11, "down"),
    "unfilled": ("x-thin", 9, "ink"),
}
#: Words of the fills that read otherwise in a sentence.
_OFFSETS = {"open": "to open", "close": "to close", "close_today": "to close today's"}
#: Beyond so many marks of a kind they are drawn smaller.
_MANY = 40


def kinds(run: Run) -> list[str]:
    """Return the kind of each fill, in the order of the fills."""
    fills = run.result.fills
    ratio = run.result.job.ratio
    # Of one leg a purchase is a purchase; of several, what the unit is.
    sense = dict(zip(run.result.job.legs, np.sign(ratio) if len(ratio) > 1 else [1], strict=True))
    bought = fills["leg"].map(sense).to_numpy() == np.where(fills["side"] == "buy", 1, -1)
    found = np.select(
        [fills["reason"] == "roll", fills["reason"] != "signal", fills["offset"] != "open", bought],
        ["rolled", "forced", "closed", "bought"],
        "sold",
    )
    names: list[str] = found.tolist()
    return names


def marks(
    run: Run, t: Language, line: NDArray[np.float64], prices: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return the traces of marks, those without a mark left out.

    A mark stands at the price of its fills: for several legs at that of the unit, Σ ratio ×
    lot-weighted price of the leg. A leg that did not fill counts at its price of the session.

    Parameters
    ----------
    run : Run
        The run.
    t : Language
        Language.
    line : ndarray of shape (T,)
        What the marks are drawn on, NaN unknown; unfilled orders stand on it.
    prices : ndarray of shape (T, L)
        Price of each leg's contract, for legs without a fill.
    """
    fills, orders, sessions = run.result.fills, run.result.unfilled, run.market.sessions
    words = {
        "closed": t("closed"), "rolled": t("rolled"), "forced": t("forced exit"),
        "bought": t("bought to open"), "sold": t("sold to open"), "unfilled": t("not filled"),
    }  # fmt: skip
    place: dict[Any, int] = {day: n for n, day in enumerate(sessions)}
    known = pd.Series(line).ffill().bfill().fillna(0.0).tolist()
    groups: dict[str, dict[int, list[Any]]] = {name: defaultdict(list) for name in KINDS}
    for kind, row in zip(kinds(run), fills.itertuples(), strict=True):
        groups[kind][place[row.session]].append(row)
    for row in orders.itertuples():
        groups["unfilled"][place[row.session]].append(row)
    drawn = []
    for name, by_session in groups.items():
        if not by_session:
            continue
        say, points = (_order if name == "unfilled" else _fill), []
        for n, rows in by_session.items():
            at = known[n]
            if name != "unfilled":
                at = _price(run, rows, prices[n].tolist(), known[n])
            points.append((n, at, "<br>".join(say(row, t) for row in rows)))
        drawn.append(_trace(run, t, name, words[name], points))
    return drawn


def _trace(
    run: Run, t: Language, kind: str, word: str, points: list[tuple[Any, float, str]]
) -> dict[str, Any]:
    ink, (symbol, size, colour) = palette(t), _LOOKS[kind]
    # Hollow marks and crosses are all edge; full ones are set off from what lies under them.
    edge, width = "paper", 1.0
    if symbol.endswith(("-open", "-thin")):
        edge, width = colour, 2.0
    if len(points) > _MANY:
        size, width = round(size * 0.6), width * 0.6
    return {
        "type": "scatter", "mode": "markers", "name": word, "meta": {"kind": kind},
        "x": [f"{run.market.sessions[n]:%Y-%m-%d}" for n, _, _ in points],
        "y": [round(float(price), 4) for _, price, _ in points],
        "text": [said for _, _, said in points],
        "hovertemplate": f"<b>{word}</b> %{{x}}, %{{y:,.0f}} {t('yuan/t')}<br>%{{text}}"
                         "<extra></extra>",
        "marker": {"symbol": symbol, "size": size, "color": ink[colour],
                   "line": {"color": ink[edge], "width": width}},
    }  # fmt: skip


def _price(run: Run, rows: list[Any], prices: list[float], otherwise: float) -> float:
    """Return the price of a session's fills of one kind, by unit where there are several legs."""
    job = run.result.job
    opened = [row for row in rows if row.offset == "open"]
    total = 0.0
    for name, ratio, price in zip(job.legs, job.ratio.tolist(), prices, strict=True):
        # Of a roll, the price of what it went into.
        own = [row for row in opened or rows if row.leg == name]
        lots = sum(row.lots for row in own)
        paid = sum(row.price * row.lots for row in own) / lots if own else price
        total += paid * (ratio if len(job.legs) > 1 else 1)
    return otherwise if np.isnan(total) else total


def _fill(row: Any, t: Language) -> str:
    return t(
        "{side} {lots:,} {contract} {offset} at {price:,.2f}, fee {fee:,.2f} yuan ({reason})",
        side=t(row.side), offset=t(_OFFSETS[row.offset]), lots=row.lots, contract=row.contract,
        price=row.price, fee=row.fee, reason=t(row.reason),
    )  # fmt: skip


def _order(row: Any, t: Language) -> str:
    return t(
        "{contract}: wanted {wanted:+,} lots, filled {filled:+,} ({reason})",
        contract=row.contract or row.leg, wanted=row.wanted, filled=row.filled,
        reason=why(row.reason, t),
    )  # fmt: skip
