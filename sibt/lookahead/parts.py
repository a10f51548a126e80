"""The inputs of a market, one by one, and markets in which some are another's after a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sibt.market.panel import FIELDS, Market

__all__ = ["Part", "blank", "mixed", "parts"]


class Part(NamedTuple):
    """One input: ``close``, ``spot 553``, ``receipts``, ``series NAME``, ``terms``, ``dominant``.

    Bars and terms are of a contract, the others of none.
    """

    input: str
    contract: str | None = None


def parts(market: Market, row: int) -> list[Part]:
    """Return the inputs with anything after the session `row`, in the order they are named."""
    after = slice(row + 1, None)
    found = [
        Part(name, code)
        for name in ("close", "settle", "open", "high", "low", "volume", "open_interest")
        for code, known in zip(
            market.contracts, ~np.isnan(getattr(market, name)[after]).all(axis=0), strict=True
        )
        if known
    ]
    found += [Part(f"spot {grade}") for grade in market.spot.columns]
    found.append(Part("receipts"))
    found += [Part(f"series {name}") for name in market.series["name"].unique()]
    found += [Part("terms", code) for code in market.contracts]
    if market.dominant_map is not None:
        found.append(Part("dominant"))
    return found


def blank(market: Market, row: int) -> Market:
    """Return the market with nothing known after the session `row`; its sessions stay."""
    day = market.sessions[row]
    arrays = {}
    for name in FIELDS:
        values = getattr(market, name).copy()
        values[row + 1 :] = np.nan
        arrays[name] = values
    later = np.asarray(market.sessions > day)
    return replace(
        market,
        spot=market.spot.mask(later[:, None] & np.ones(market.spot.shape, dtype=bool)),
        receipts=market.receipts.mask(later),
        series=market.series[market.series["published_on"] <= day].reset_index(drop=True),
        terms=market.terms[market.terms["from"] <= day].reset_index(drop=True),
        dominant_map=None if market.dominant_map is None else market.dominant_map.mask(later),
        **arrays,
    )


def mixed(
    market: Market, other: Market, row: int, wanted: Iterable[Part], last: int | None = None
) -> Market:
    """Return the market with some inputs of another one after the session `row`.

    Parameters
    ----------
    market, other : Market
        Two markets of the same sessions and contracts, the same up to `row`.
    row : int
        Last session they share.
    wanted : iterable of Part
        What is the other's.
    last : int, optional
        Last session in which it is the other's; by default the last of all. What is published
        or in force later stays.
    """
    stop = len(market.sessions) - 1 if last is None else last
    rows = slice(row + 1, stop + 1)
    days = market.sessions[row], market.sessions[stop]
    changed: dict[str, Any] = {}
    names: set[str] = set()
    codes: set[str] = set()
    for part in wanted:
        if part.input in FIELDS and part.contract is not None:
            if part.input not in changed:
                changed[part.input] = getattr(market, part.input).copy()
            at = market.column(part.contract)
            changed[part.input][rows, at] = getattr(other, part.input)[rows, at]
        elif part.input.startswith("spot "):
            spot = changed.setdefault("spot", market.spot.copy())
            at = spot.columns.get_loc(part.input.removeprefix("spot "))
            spot.iloc[rows, at] = other.spot.iloc[rows, at]
        elif part.input == "receipts":
            lots = market.receipts.copy()
            lots.iloc[rows] = other.receipts.iloc[rows]
            changed["receipts"] = lots
        elif part.input == "dominant" and market.dominant_map is not None:
            codes_by_session = market.dominant_map.copy()
            assert other.dominant_map is not None
            codes_by_session.iloc[rows] = other.dominant_map.iloc[rows]
            changed["dominant_map"] = codes_by_session
        elif part.input == "terms" and part.contract is not None:
            codes.add(part.contract)
        elif part.input.startswith("series "):
            names.add(part.input.removeprefix("series "))
    if names:
        changed["series"] = _rows(market.series, other.series, "name", names, "published_on", days)
    if codes:
        changed["terms"] = _rows(market.terms, other.terms, "contract", codes, "from", days)
    return replace(market, **changed)


def _rows(
    mine: pd.DataFrame,
    theirs: pd.DataFrame,
    key: str,
    of: set[str],
    dated: str,
    days: tuple[pd.Timestamp, pd.Timestamp],
) -> pd.DataFrame:
    """Return a dated table with the other's rows of some names, dated after a day."""

    def meant(table: pd.DataFrame) -> pd.Series[bool]:
        return table[key].isin(of) & (table[dated] > days[0]) & (table[dated] <= days[1])

    kept, taken = mine[~meant(mine)], theirs[meant(theirs)]
    if not len(taken):
        return kept.reset_index(drop=True)
    if not len(kept):
        return taken.reset_index(drop=True)
    by = [key, "item", dated] if "item" in mine else [key, "date", dated]
    return pd.concat([kept, taken]).sort_values(by, kind="stable", ignore_index=True)
