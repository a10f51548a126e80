"""Spreads through time, and the same spread of all years by sessions to expiry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sibt.market.panel import Market
from sibt.market.seasons import seasons
from sibt.report.market.asked import Asked
from sibt.report.market.drawing import COLOURS, PRICES, figure, line
from sibt.report.page import chart, missing, table

__all__ = ["TITLE", "body", "known_by"]

TITLE = "Spreads 月差"


def known_by(market: Market, near: str, far: str, asked: Asked) -> tuple[str, pd.Series[float]]:
    """Return which price a spread is drawn with, and the spread, yuan per tonne."""
    found = {
        price: market.spread(near, far, price, cross_standard=asked.cross_standard)
        for price in PRICES
    }
    price = asked.priced(int(found["settle"].count()), int(found["close"].count()))
    return price, found[price]


def body(market: Market, asked: Asked) -> str:
    """Return both charts and their tables, pair by pair."""
    if not asked.pairs:
        return missing(
            "No two neighbouring contracts of one delivery standard have a price in the same"
            " session, so there is no spread to draw."
        )
    return "".join(_pair(market, near, far, asked) for near, far in asked.pairs)


def _pair(market: Market, near: str, far: str, asked: Asked) -> str:
    price, series = known_by(market, near, far, asked)
    head = f'<h2 id="{near}-{far}">{near} − {far} 月差</h2>'
    if not series.notna().any():
        return head + missing(
            f"No session knows the {price} of both {near} and {far} with at least 10 lots traded"
            " in each, so there is nothing to draw."
        )
    return head + _history(market, near, far, price, series, asked) + _years(
        market, near, far, price, asked
    )


def _history(
    market: Market, near: str, far: str, price: str, series: pd.Series[float], asked: Asked
) -> str:
    known = series.dropna()
    shown = series.loc[known.index[0]:known.index[-1]]
    drawn = figure(market, f"Spread {near} − {far} 月差 ({PRICES[price]})")
    drawn.add_trace(line(
        f"{near} − {far}", shown.index, shown, colour=COLOURS[0],
        hover="%{x|%Y-%m-%d}<br>%{y:+,.0f} yuan/t<extra></extra>",
    ))
    said = [
        "A session counts where both legs traded at least 10 lots; the others are gaps.",
    ]
    unknown = int(series.attrs.get("unknown_volume", 0))
    if unknown:
        said.append(
            f"In {unknown} of {len(known)} sessions the volume of a leg is not known and is taken"
            " as traded."
        )
    cost = _carry(market, near, far, price, asked)
    if isinstance(cost, str):
        said.append(cost)
    else:
        floor = -cost.reindex(shown.index)
        drawn.add_trace(line(
            "full carry (持有成本), the lowest near − far", floor.index, floor,
            colour="var(--soft)", hover="%{x|%Y-%m-%d}<br>%{y:+,.0f} yuan/t"
            "<extra>full carry</extra>",
            line={"color": "var(--soft)", "width": 1.3, "dash": "dash"},
        ))
    drawn.update_layout(xaxis={"type": "date"})
    _zero(drawn)
    now, rank = known.iloc[-1], 100 * (known <= known.iloc[-1]).mean()
    stats = pd.DataFrame([
        ("last 最新", known.index[-1], now),
        ("lowest 最低", known.idxmin(), known.min()),
        ("median 中位数", pd.NaT, known.median()),
        ("highest 最高", known.idxmax(), known.max()),
    ], columns=["", "session", "yuan/t"])
    return (
        f"<p>{' '.join(said)}</p>" + chart(drawn, 420)
        + table(stats, caption=f"{near} − {far}: {len(known)} sessions; the last stands at"
                f" percentile {rank:.0f} of its own history", head=True,
                formats={"yuan/t": "+,.0f"})
    )


def _carry(
    market: Market, near: str, far: str, price: str, asked: Asked
) -> pd.Series[float] | str:
    """Return full carry, or the sentence that says why there is none."""
    from sibt.errors import TermsError

    try:
        cost = market.carry(near, far, price, cross_standard=asked.cross_standard)
    except TermsError:
        return "The product's file knows no cost of carrying receipts, so no bound is drawn."
    if "no_bound" in cost.attrs:
        return f"No full carry is drawn: {cost.attrs['no_bound']}, and nothing bounds the spread."
    return cost


def _years(market: Market, near: str, far: str, price: str, asked: Asked) -> str:
    years = seasons(market, near, far, price, cross_standard=asked.cross_standard)
    left_out: dict[str, str] = years.attrs["left_out"]
    said = "".join(
        f"<li>{name} is not drawn: {why}.</li>" for name, why in sorted(left_out.items())
    )
    notes = f'<ul class="plain">{said}</ul>' if said else ""
    head = "<h3>By sessions to expiry 月差季节性</h3>"
    if years.empty:
        return head + notes + missing("No year's pair can be laid on this axis.")
    drawn = figure(
        market, f"Seasons of {near[-2:]}−{far[-2:]} spreads 月差季节性 ({PRICES[price]})",
        "sessions to the near contract's last trading day 距近月最后交易日（交易日）",
    )
    own = f"{near}-{far}"
    for number, name in enumerate(years.columns):
        colour = COLOURS[number % len(COLOURS)]
        drawn.add_trace(line(
            name.replace("-", " − "), years.index, years[name], colour=colour,
            hover="%{x} sessions left<br>%{y:+,.0f} yuan/t<extra>" + name + "</extra>",
            # Dashes would look like the gaps of days without trade.
            line={"color": colour, "width": 3 if name == own else 1.6},
        ))
    drawn.update_layout(
        xaxis={"autorange": "reversed", "tickformat": ",d", "zeroline": False},
    )
    _zero(drawn)
    rows = []
    for name in years.columns:
        values = years[name].dropna()
        rows.append({
            "pair": name, "sessions": len(values), "lowest": values.min(),
            "at": values.index[int(values.argmin())], "highest": values.max(),
            "at ": values.index[int(values.argmax())], "last": values.iloc[-1],
            "last at": values.index[-1],
        })
    text = (
        f"{len(years.columns)} year{'s' if len(years.columns) != 1 else ''}: all are drawn, and so"
        " few are an anecdote, not a rule."
    )
    return (
        head + notes + f"<p>{text}</p>" + chart(drawn, 460)
        + table(pd.DataFrame(rows), head=True,
                formats={"lowest": "+,.0f", "highest": "+,.0f", "last": "+,.0f"},
                caption="Yuan per tonne; “at” counts sessions to expiry 各年月差")
    )


def _zero(drawn: Any) -> None:
    drawn.update_layout(yaxis={"zeroline": True, "zerolinewidth": 1.2})
    values = [v for trace in drawn.data for v in trace.y if v is not None and not np.isnan(v)]
    if values and (min(values) > 0 or max(values) < 0):
        drawn.update_layout(yaxis={"zeroline": False})
