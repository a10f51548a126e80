"""Trap: a level that means something met with a back-adjusted series, whose level means nothing.

Every new roll moves all earlier values of such a series by the same amount (or factor); what may
be read off it are differences (or returns). So the whole of it is put elsewhere, as if more rolls
had followed, and no decision may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
import pandas as pd

from sibt.errors import SibtError
from sibt.language import said
from sibt.lookahead.leak import Leak
from sibt.lookahead.subject import Subject
from sibt.market import curve
from sibt.market.panel import Market

__all__ = ["levels_adjusted"]

#: Share of a usual price by which series adjusted by differences are moved, up and down.
_SHARE = 0.25

#: Factors of series adjusted by ratios: powers of two, so that no return is off by a rounding.
_FACTORS = (2.0, 0.5)


@dataclass(frozen=True, eq=False)
class _Moved(Market):
    """A market whose back-adjusted series stand elsewhere; `asked` takes down who asked."""

    plus: float = 0.0
    factor: float = 1.0
    asked: list[pd.Series[Any]] = field(default_factory=list)

    def continuous(  # type: ignore[override]
        self,
        contracts: pd.Series[Any],
        price: str = "close",
        adjust: Literal["difference", "ratio"] | None = "difference",
        cross_standard: bool = False,
    ) -> pd.Series[float]:
        """Return `sibt.market.curve.continuous`, moved where it is adjusted."""
        series = curve.continuous(self, contracts, price, adjust, cross_standard)
        if adjust is None:
            return series
        self.asked.append(contracts)
        moved = series + self.plus if adjust == "difference" else series * self.factor
        moved.attrs = series.attrs
        return moved


def levels_adjusted(subject: Subject) -> Iterator[Leak]:
    """Find a decision on the level of a back-adjusted series of `Market.continuous`.

    Parameters
    ----------
    subject : Subject
        The strategy under check.

    Yields
    ------
    Leak
        The first session that decides otherwise once the series stands elsewhere.
    """
    market, whole = subject.market, subject.whole
    # Whole yuan: differences of whole prices stay exact.
    plus = float(np.rint(np.nanmedian(market.close) * _SHARE))
    found: list[tuple[int, pd.Series[Any]]] = []
    for sign, factor in zip((1.0, -1.0), _FACTORS, strict=True):
        moved = _moved(market, sign * plus, factor)
        try:
            row = whole.differs(subject.decide(moved), len(market.sessions))
        except SibtError:
            continue
        if not moved.asked:
            return
        if row is not None:
            found.append((row, moved.asked[-1]))
    if not found:
        return
    row, contracts = min(found, key=lambda each: each[0])
    day = market.sessions[row]
    code = contracts.get(day)
    yield Leak(
        "levels_adjusted",
        grave=True,
        sentence=said(
            "the decision of {day:%Y-%m-%d} hangs on the level of a back-adjusted series, which"
            " every later roll moves",
            day=day,
        ),
        cure=said(
            "meet a level with raw prices, as market.continuous(…, adjust=None) gives; read only"
            " differences or returns off an adjusted series"
        ),
        day=day,
        contract=code if isinstance(code, str) else None,
        input="continuous",
    )


def _moved(market: Market, plus: float, factor: float) -> _Moved:
    own = {each.name: getattr(market, each.name) for each in fields(Market)}
    return _Moved(**own, plus=plus, factor=factor)
