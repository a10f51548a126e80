"""The first page: what the market holds, and what stands on each other page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.market.grades import basis_by_grade
from sibt.market.panel import Market
from sibt.market.stocks import paper_ratio
from sibt.report.market import coverage
from sibt.report.market.asked import Asked
from sibt.report.market.spread_matrix import figures
from sibt.report.market.spreads import known_by
from sibt.report.market.term_structure import curve

__all__ = ["TITLE", "body"]

TITLE = "Market overview 行情总览"


def body(market: Market, asked: Asked, cards: Sequence[tuple[str, str, str]]) -> str:
    """Return what is held, a card a page (label, address, sentence), and the coverage."""
    prov = market.provenance
    first, last = market.sessions[0], market.sessions[-1]
    leader = market.dominant(asked.product, cross_standard=True).iloc[-1]
    held = f"{len(market.contracts)} contracts {market.contracts[0]} to {market.contracts[-1]}"
    facts = [
        f"{held}, {len(market.sessions)} sessions {first:%Y-%m-%d} to {last:%Y-%m-%d}.",
        f"Dominant contract (主力) of the last session: {leader or 'not known'}.",
        *(f"While reading: {note}" for note in prov.notes),
    ]
    lines = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    links = "".join(
        f'<a href="{escape(href)}"><b>{escape(label)}</b><span>{escape(text)}</span></a>'
        for label, href, text in cards
    )
    return (
        f'<ul class="plain">{lines}</ul><div class="cards">{links}</div>'
        f'<h2 id="coverage">{coverage.TITLE}</h2>' + coverage.body(market, asked)
    )


def term_structure(market: Market, asked: Asked) -> str:
    """Return one sentence on the newest curve."""
    day = asked.on[0]
    price, row = curve(market, day, asked)
    row = row.dropna()
    if len(row) < 2:
        return "Fewer than two contracts have a price."
    word = {"settle": "settlement", "close": "close"}[price]
    return (
        f"{day:%Y-%m-%d}, {word}: {row.index[0]} {row.iloc[0]:,.0f}, {row.index[-1]}"
        f" {row.iloc[-1]:,.0f} yuan/t"
    )


def spread(market: Market, asked: Asked) -> str:
    """Return one sentence on the first pair."""
    if not asked.pairs:
        return "No two neighbours have a price in the same session."
    near, far = asked.pairs[0]
    known = known_by(market, near, far, asked)[1].dropna()
    if known.empty:
        return f"{near} − {far} is known in no session."
    return f"{near} − {far}: {_signed(known.iloc[-1])} yuan/t on {known.index[-1]:%Y-%m-%d}"


def matrix(market: Market, asked: Asked) -> str:
    """Return one sentence on the matrix."""
    rows = figures(market, asked)[1]
    known = rows[rows["percentile"].notna()]
    if known.empty:
        return "No spread has a history of 20 sessions."
    top = known.iloc[int(known["percentile"].argmax())]
    return (
        f"{int(rows['spread'].notna().sum())} spreads on {asked.on[0]:%Y-%m-%d}; highest in its"
        f" history {top['near']} − {top['far']}, percentile {top['percentile']:.0f}"
    )


def basis(market: Market, asked: Asked) -> str:
    """Return one sentence on the newest basis."""
    rows = basis_by_grade(market, asked.product)
    rows = rows[rows["basis"].notna()]
    if rows.empty:
        return "No quotes of a deliverable grade."
    day = rows["session"].max()
    parts = [
        f"{r.grade} {_signed(r.basis)} yuan/t" for r in rows[rows["session"] == day].itertuples()
    ]
    return f"{', '.join(parts)} on {pd.Timestamp(day):%Y-%m-%d}"


def paper(market: Market, asked: Asked) -> str:
    """Return one sentence on open interest over receipts."""
    if not market.receipts.notna().any():
        return "No warehouse receipts."
    rows = paper_ratio(market, asked.product).dropna(subset=["ratio"])
    if rows.empty:
        return "The near contract's open interest is not known beside receipts."
    last = rows.iloc[-1]
    return f"{last['contract']}: {last['ratio']:.2f} on {rows.index[-1]:%Y-%m-%d}"


def quarter(market: Market, asked: Asked) -> str:
    """Return one sentence on the quarterly charts."""
    known = market.receipts.dropna()
    text = "Weighted index, basis, volume with open interest and receipts"
    return text if known.empty else f"{text} ({known.iloc[-1]:,.0f} lots of receipts)"


def series(market: Market, asked: Asked) -> str:
    """Return one sentence on the user's series."""
    if not asked.series:
        return "No series: bring series.csv."
    names = ", ".join(asked.series)
    count = int(np.isin(market.series["name"], list(asked.series)).sum())
    return f"{names}: {count} publications"


def _signed(price: float) -> str:
    return f"{price:+,.0f}".replace("-", "−")
