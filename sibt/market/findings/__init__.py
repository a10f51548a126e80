"""All checks on a market: what is wrong, what is doubtful, and what only looks odd."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sibt.market.findings import bars, coverage, neighbours, quotes
from sibt.market.findings.finding import SEVERITIES, Finding, ordered, summary
from sibt.market.findings.look import look
from sibt.market.findings.minutes import minutes
from sibt.market.panel import Market

__all__ = ["SEVERITIES", "Finding", "findings", "minutes", "ordered", "summary"]


def findings(
    market: Market,
    *,
    listed: pd.DataFrame | None = None,
    left_out: Iterable[tuple[str, pd.Timestamp]] = (),
) -> list[Finding]:
    """Return what the checks find in a market, the gravest first.

    Parameters
    ----------
    market : Market
        The panel. What a row cannot be was refused when it was built.
    listed : pd.DataFrame, optional
        The exchange's own list: ``contract, listed, last_trading, last_delivery``.
    left_out : iterable of (str, pd.Timestamp)
        Contract and session of bars that were there and left out: they are no gaps.

    Returns
    -------
    list of Finding
        By severity; empty where nothing is odd. Bars of a product are compared with each
        other, so a part of the market may show less, or something else, than the whole.
    """
    excused = np.zeros(market.close.shape, dtype=bool)
    columns = {code: at for at, code in enumerate(market.contracts)}
    for code, day in left_out:
        row = int(market.sessions.searchsorted(day))
        if code in columns and row < len(excused) and market.sessions[row] == day:
            excused[row, columns[code]] = True
    on = look(market, excused)
    checks = (*bars.CHECKS, *neighbours.CHECKS, *coverage.CHECKS)
    found = [finding for check in checks for finding in check(on)]
    found += [finding for check in quotes.CHECKS for finding in check(market)]
    if listed is not None:
        found += quotes.listed_dates(market, listed)
    return ordered(found)
