"""What the bars of a market show when they are looked at together.

Every check is a function of a `Look`, works on whole arrays and returns its findings. What a
single row cannot be (prices off tick, bars beyond a contract's life, a negative open interest)
is refused when the market is built and cannot appear here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sibt.market.findings.finding import Finding
from sibt.market.findings.look import Look, later, numbers

__all__ = ["CHECKS"]

#: Sessions with the same close and settlement, while other contracts move, that are too many.
_FROZEN = 10
#: Bars on which closes may equal settlements before it is said that they always do.
_ENOUGH = 20
#: An open this far from the closes beside it, on at most so many lots, is one trade's.
_FAR, _THIN = 0.02, 200


def spike(on: Look) -> list[Finding]:
    """Prices no session of the exchange can have, and no neighbouring contract confirms."""
    market = on.market
    before = later(pd.DataFrame(np.where(on.wrong, np.nan, on.level)).ffill().to_numpy())

    def what(row: int, at: int, count: int) -> str:
        prices = {
            name: price
            for name in ("open", "high", "low", "close", "settle")
            if (price := float(getattr(market, name)[row, at])) > 0
        }
        good = before[row, at]
        if not good > 0:
            rest = on.level[row + 1 :, at]
            good = rest[~np.isnan(rest)][0]
        name, price = max(prices.items(), key=lambda item: abs(np.log(item[1] / good)))
        return (
            f"the {name} {price:,g} stands {price / good - 1:+.0%} from {good:,g} beside it; the"
            f" limit is {on.limit[row, at]:.0%}, and no neighbouring contract went along"
        )

    cure = "correct the row (a slipped decimal point, another contract's price) or leave it out"
    return on.each(on.wrong, "wrong", "spike", what, cure)


def settle_is_close(on: Look) -> list[Finding]:
    """Settlements that equal the close nearly always."""
    market = on.market
    both = ~np.isnan(market.settle) & ~np.isnan(market.close) & (market.volume != 0)
    same = both & (market.settle == market.close)
    if (
        market.provenance.settle_from == "close"
        or both.sum() < _ENOUGH
        or same.sum() < 0.95 * both.sum()
    ):
        return []
    return on.together(
        same,
        "evidence",
        "settle is close",
        f"the settlement equals the close on {same.sum():,} of {both.sum():,} bars",
        "closes may have been taken for settlements: a settlement is the day's average price",
    )


def settle_outside(on: Look) -> list[Finding]:
    """Settlements outside the day's range, of bars that traded."""
    market = on.market
    outside = (market.settle > market.high) | (market.settle < market.low)
    return on.each(
        outside & (market.volume != 0) & ~on.wrong,
        "doubtful",
        "settle outside",
        lambda row, at, count: (
            f"the settlement {market.settle[row, at]:,g} lies outside the day's"
            f" {market.low[row, at]:,g} to {market.high[row, at]:,g}"
        ),
        "compare with the exchange's daily table; an average of the day's trades lies inside",
    )


def zero_volume(on: Look) -> list[Finding]:
    """Bars without a trade whose prices moved."""
    market = on.market
    moved = (market.high > market.low) | (market.open != market.close) & ~np.isnan(market.open)
    return on.each(
        (market.volume == 0) & moved,
        "doubtful",
        "zero volume",
        lambda row, at, count: "the volume is 0, yet open, high, low and close differ",
        "correct the volume; nothing fills in a session of volume 0",
    )


def frozen(on: Look) -> list[Finding]:
    """Find closes and settlements that stand still while other contracts move."""
    market = on.market
    close, settle = (
        pd.DataFrame(array).ffill().to_numpy() for array in (market.close, market.settle)
    )
    known = ~np.isnan(market.close)
    before = later(close), later(settle)
    fresh = known & ((close != before[0]) | (settle != before[1]) & ~np.isnan(before[1]))
    # Sessions in which most of the others moved.
    moving = fresh.sum(axis=1) > 0.5 * known.sum(axis=1)
    counts = np.cumsum(known & moving[:, None], axis=0)
    start = np.maximum.accumulate(np.where(fresh, numbers(market), -1), axis=0)
    at_start = np.take_along_axis(counts, np.maximum(start, 0), axis=0)
    still = np.where(known & ~fresh & (start >= 0), counts - at_start + 1, 0)
    long = still >= _FROZEN
    found = []
    for at in np.flatnonzero(long.any(axis=0)):
        last = int(np.flatnonzero(long[:, at])[-1])
        first, count = int(start[last, at]), int(still[last, at])
        said = f"close and settlement stand at {close[last, at]:,g} while other contracts move"
        found.append(
            Finding(
                "doubtful", "frozen", market.contracts[at], market.sessions[first],
                market.sessions[last], count, said,
                "pull these days again: a source that has nothing may repeat the last bar",
            )
        )
    return found


def interest(on: Look) -> list[Finding]:
    """Open interest that changed by more lots than were traded, or vanished."""
    market = on.market
    change = market.open_interest - later(market.open_interest)
    starts = [life.delivery_start for life in on.lives]
    delivery = np.column_stack(
        [np.zeros(len(market.sessions), bool) if day is None else market.sessions >= day
         for day in starts]
    )
    last = np.column_stack([market.sessions == life.last_trading for life in on.lives])
    none = on.there & (market.open_interest == 0)
    vanished = none & (market.volume > 0) & ~last & (change < 0) & (numbers(market) < on.end)
    too_much = (np.abs(change) > market.volume) & ~(none & (last | vanished))
    falls = too_much & (change < 0) & delivery

    def what(row: int, at: int, count: int) -> str:
        return (
            f"the open interest changes by {change[row, at]:+,.0f} lots on a volume of"
            f" {market.volume[row, at]:,.0f}"
        )

    return [
        *on.each(
            too_much & ~falls, "doubtful", "open interest", what,
            "check units and days: counted on one side it changes by the volume at most",
        ),
        *on.each(
            vanished, "doubtful", "open interest",
            lambda row, at, count: "the open interest is 0 in the middle of its life",
            "leave blank what is unknown",
        ),
        *on.each(
            falls, "evidence", "delivered", what,
            "none: in the delivery month lots leave by delivery, not by trade",
        ),
        *on.each(
            none & last, "evidence", "last day",
            lambda row, at, count: "the open interest is 0 on the last trading day",
            "none: what is left goes to delivery",
        ),
    ]


def band(on: Look) -> list[Finding]:
    """Bars outside the computed price band: evidence about the terms."""
    market = on.market
    # An older settlement than the last session's says nothing of the limit.
    last = later(np.where(on.wrong, np.nan, market.settle))
    share = np.where(on.limit >= 1, np.nan, on.limit)
    # Rounded inward to a tick; the hair keeps float noise from counting as one.
    up = np.floor(last * (1 + share) / on.tick + 1e-7) * on.tick
    down = np.ceil(last * (1 - share) / on.tick - 1e-7) * on.tick
    top = np.fmax(np.fmax(market.high, market.close), market.open)
    bottom = np.fmin(np.fmin(market.low, market.close), market.open)
    outside = ((top > up) | (bottom < down)) & ~on.wrong

    def what(row: int, at: int, count: int) -> str:
        price = top[row, at] if top[row, at] > up[row, at] else bottom[row, at]
        return (
            f"{price:,g} was traded, {price / last[row, at] - 1:+.2%} from the settlement"
            f" {last[row, at]:,g}; the limit computed is {on.limit[row, at]:.0%}"
        )

    return on.each(
        outside, "evidence", "band", what,
        "the terms may lack a wider limit; a run takes no band in that session",
    )


def far_open(on: Look) -> list[Finding]:
    """Find opens far from the closes beside them on a few lots: one trade made them."""
    market = on.market
    before = later(pd.DataFrame(market.close).ffill().to_numpy())
    away = np.fmax(np.abs(market.open - market.close), np.abs(market.open - before))
    far = (away >= _FAR * market.close) & (market.volume > 0) & (market.volume <= _THIN)
    far &= ~on.wrong
    most = away[far].max() if far.any() else 0.0
    return on.together(
        far,
        "evidence",
        "far open",
        f"opens up to {most:,g} yuan from the closes beside them on at most {_THIN} lots",
        "none: a few lots trade there; keep --participation low",
    )


#: In the order their findings are shown.
CHECKS: tuple[Callable[[Look], list[Finding]], ...] = (
    spike, settle_outside, zero_volume, frozen, interest, settle_is_close, band, far_open,
)
