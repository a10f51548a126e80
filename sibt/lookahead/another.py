"""Another future: a market that is the same up to a day and goes another plausible way after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.market.contract import contract as contract_of
from sibt.market.panel import FIELDS, Market

__all__ = ["another"]

FloatArray = NDArray[np.float64]

#: Largest daily return of an invented price, near the narrowest limits of the exchange.
_LIMIT = 0.05

#: A price that came before is worth this much more or less a day where no past tells it.
_DAILY = 0.012

#: Step of a spot quote, yuan per tonne.
_QUOTE = 50.0

#: Terms that are drawn, and between which shares.
_DRAWN = (("speculator", 0.05, 0.3), ("hedger", 0.05, 0.3), ("limit", 0.04, 0.15),
          ("open", 0.0001, 0.001), ("close", 0.0001, 0.001))  # fmt: skip


def another(market: Market, row: int, seed: int = 0) -> Market:
    """Return a market with other bars, spot, receipts, series, terms and dominant after a day.

    Prices go on from their last ones by returns drawn from the past, one part common to all
    contracts and one their own, up or down as a coin falls; they keep to ticks, and low to high
    holds open, close and settlement. Volume and open interest are drawn anew, so that other
    contracts lead. What was unknown stays unknown, and sessions and contracts are the same: that
    a market ends is for `sibt.lookahead.cut` to show.

    Parameters
    ----------
    market : Market
        The market.
    row : int
        Last session that stays as it was.
    seed : int
        Seed of the draw; the same gives the same market.
    """
    rng = np.random.default_rng([seed, row])
    arrays: dict[str, Any] = {name: np.array(getattr(market, name)) for name in FIELDS}
    pool = _past(market, row)
    side = rng.choice([-1.0, 1.0])
    count = len(market.sessions) - row - 1
    common = side * np.abs(rng.choice(pool, count)) * rng.choice([-0.5, 1.0], count)
    _prices(market, row, arrays, common, pool, rng)
    for name in ("volume", "open_interest"):
        after = arrays[name][row + 1 :]
        lasting = rng.normal(0.0, 1.0, after.shape[1])
        daily = rng.normal(0.0, 0.5 if name == "volume" else 0.05, after.shape)
        arrays[name][row + 1 :] = np.rint((after + 1.0) * np.exp(lasting + daily))
    return replace(
        market,
        spot=_spot(market, row, pool, rng),
        receipts=_receipts(market, row, rng),
        series=_series(market, row, rng),
        terms=_terms(market, row, rng),
        dominant_map=_dominant(market, row, rng),
        **arrays,
    )


def _past(market: Market, row: int) -> FloatArray:
    """Return daily log returns known by then, or invented ones where there are hardly any."""
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.diff(np.log(market.close[: row + 1]), axis=0)
    known = steps[np.isfinite(steps)]
    if len(known) < 50 or not np.any(known):
        known = np.random.default_rng(0).normal(0.0, _DAILY, 200)
    return np.clip(known, -_LIMIT, _LIMIT)


def _last(values: FloatArray, row: int) -> FloatArray:
    """Return the last value known by `row` by column, else the first one after, else NaN."""
    known = ~np.isnan(values)
    before = known[: row + 1]
    last = row - np.argmax(before[::-1], axis=0)
    first = np.argmax(known, axis=0)
    at = np.where(before.any(axis=0), last, first)
    found: FloatArray = values[at, np.arange(values.shape[1])]
    return found


def _prices(
    market: Market,
    row: int,
    arrays: dict[str, Any],
    common: FloatArray,
    pool: FloatArray,
    rng: np.random.Generator,
) -> None:
    """Write invented prices over the ones after `row`."""
    shape = (len(common), len(market.contracts))
    own = 0.4 * rng.choice(pool, shape)
    steps = np.clip(common[:, None] + own, -_LIMIT, _LIMIT)
    marks = np.where(np.isnan(market.close), market.settle, market.close)
    start = _last(marks, row)
    tick = _ticks(market, row)
    close = start * np.exp(np.cumsum(steps, axis=0))
    before = np.vstack([start[None, :], close[:-1]])
    opened = before * np.exp(0.3 * rng.choice(pool, shape))
    reach = np.abs(0.5 * rng.choice(pool, (2, *shape)))
    high = np.maximum(opened, close) * np.exp(reach[0])
    low = np.minimum(opened, close) * np.exp(-reach[1])
    made = {"open": opened, "high": high, "low": low, "close": close,
            "settle": (opened + close + high + low) / 4.0}  # fmt: skip
    for name, values in made.items():
        old = arrays[name][row + 1 :]
        kept = np.maximum(np.rint(values / tick), 1.0) * tick
        arrays[name][row + 1 :] = np.where(np.isnan(old), np.nan, kept)


def _ticks(market: Market, row: int) -> FloatArray:
    """Return ticks of the sessions after `row`, yuan per tonne, shape (T − row − 1, C)."""
    after = market.sessions[row + 1 :]
    by_product = {}
    for code in market.contracts:
        own = contract_of(code).product
        if own.name not in by_product:
            by_product[own.name] = own.tick(after)
    columns = [by_product[contract_of(code).product.name] for code in market.contracts]
    return np.column_stack(columns)


def _spot(
    market: Market, row: int, pool: FloatArray, rng: np.random.Generator
) -> pd.DataFrame:
    values: Any = market.spot.to_numpy(float, copy=True)
    after = values[row + 1 :]
    if values.size:
        steps = np.cumsum(rng.choice(pool, after.shape), axis=0)
        drawn = np.rint(_last(values, row) * np.exp(steps) / _QUOTE) * _QUOTE
        values[row + 1 :] = np.where(np.isnan(after), np.nan, np.maximum(drawn, _QUOTE))
    return pd.DataFrame(values, index=market.sessions, columns=market.spot.columns)


def _receipts(market: Market, row: int, rng: np.random.Generator) -> pd.Series[float]:
    values: Any = market.receipts.to_numpy(dtype=float, copy=True)
    after = values[row + 1 :]
    base = max(float(np.nan_to_num(_last(values[:, None], row)[0])), 1000.0)
    drawn = np.rint(base * np.exp(np.cumsum(rng.normal(0.0, 0.05, len(after)))))
    values[row + 1 :] = np.where(np.isnan(after), np.nan, drawn)
    return pd.Series(values, index=market.sessions, name=market.receipts.name)


def _series(market: Market, row: int, rng: np.random.Generator) -> pd.DataFrame:
    table = market.series.copy()
    later = (table["published_on"] > market.sessions[row]).to_numpy()
    if later.any():
        spread = table.groupby("name")["value"].transform("std").fillna(0.0).to_numpy(float)
        value = table["value"].to_numpy(dtype=float, copy=True)
        width = np.maximum(spread, 0.2 * np.abs(value)) + 1e-9
        value[later] += (width * rng.normal(0.0, 1.0, len(value)))[later]
        table["value"] = value
    return table


def _terms(market: Market, row: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return observed terms with other values after `row`: other margins, limits and fees."""
    day = market.sessions[row]
    kept = market.terms[market.terms["from"] <= day]
    if row + 1 >= len(market.sessions):
        return kept.reset_index(drop=True)
    drawn: list[dict[str, Any]] = []
    last = len(market.sessions) - 1
    for code in market.contracts:
        for item, low, high in _DRAWN:
            drawn += [
                {"contract": code, "item": item, "from": market.sessions[start],
                 "value": round(rng.uniform(low, high), 4), "source": "drawn", "confidence": ""}
                for start in sorted({row + 1, (row + 1 + last) // 2})
            ]  # fmt: skip
    invented = pd.DataFrame(drawn).astype({"from": market.terms["from"].dtype})
    table = invented if not len(kept) else pd.concat([kept, invented])
    return table.sort_values(["contract", "item", "from"], kind="stable", ignore_index=True)


def _dominant(market: Market, row: int, rng: np.random.Generator) -> pd.Series[Any] | None:
    if market.dominant_map is None:
        return None
    codes = market.dominant_map.copy()
    traded = market.traded()
    for number in range(row + 1, len(codes)):
        there = np.flatnonzero(traded[number])
        if len(there) and isinstance(codes.iloc[number], str):
            codes.iloc[number] = market.contracts[int(rng.choice(there))]
    return codes
