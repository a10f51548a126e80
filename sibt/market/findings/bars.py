"""What the bars of a market show when they are looked at together.

Every check is a function of a `Look`, works on whole arrays and returns its findings. What a
single row cannot be (prices off tick, bars beyond a contract's life, a negative open interest)
is refused when the market is built and cannot appear here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.language import said
from sibt.market.findings.finding import Finding
from sibt.market.findings.look import Look, counted, later, numbers, some
from sibt.market.findings.spikes import BACK

__all__ = ["CHECKS"]

BoolArray = NDArray[np.bool_]

#: Sessions with the same close and settlement, while other contracts move, that are too many;
#: and sessions the same in every cell, with a volume.
_FROZEN, _SAME = 10, 3
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
    return on.each(on.wrong & ~on.jumped, "wrong", "spike", what, cure)


def jump(on: Look) -> list[Finding]:
    """Sessions in which all contracts of a product stand where no session can bring them."""
    if not on.jumped.any():
        return []
    before = later(pd.DataFrame(np.where(on.jumped, np.nan, on.level)).ffill().to_numpy())
    found = []
    names = np.array([life.product.name for life in on.lives], dtype=object)
    for name in dict.fromkeys(names):
        own = on.jumped & (names == name)
        rows = np.flatnonzero(some(own))
        if not len(rows):
            continue
        first = int(rows[0])
        here = own[first] & ~np.isnan(before[first])
        share = float(np.median(on.level[first, here] / before[first, here])) - 1
        limit = float(np.median(on.limit[first, here]))
        found += on.together(
            own, "wrong", "jump",
            f"all contracts of {name} stand {share:+.0%} from the session before; the limit is"
            f" {limit:.0%}",
            "correct these sessions, or those after, or leave them out",
        )
    return found


def repeated(on: Look) -> list[Finding]:
    """Sessions whose bars are those of the session before, volumes and all."""
    market = on.market
    traded = (market.volume > 0) & (later(market.close) > 0) & (later(market.volume) > 0)
    count = on.again.sum(axis=1)
    rows = np.flatnonzero((count >= 2) & (count >= 0.9 * traded.sum(axis=1)))
    if not len(rows):
        return []
    where = np.zeros_like(on.again)
    where[rows] = on.again[rows]
    return on.together(
        where, "wrong", "repeated",
        f"the bars of {counted(len(rows))} are those of the session before in every"
        " cell, volumes included",
        "pull or import these days again: one day was taken for another",
    )


def _closes(on: Look) -> BoolArray:
    """Return the settlements that are in truth closes: nearly all of a contract, or of all."""
    market = on.market
    both = ~np.isnan(market.settle) & ~np.isnan(market.close) & (market.volume != 0)
    same = both & (market.settle == market.close)
    stand_in = market.provenance.settle_from == "close"
    if stand_in or (both.sum() >= _ENOUGH and same.sum() >= 0.95 * both.sum()):
        return np.asarray(same, dtype=np.bool_)
    # The one price of a thin contract is its average as well.
    many = both & ~(market.volume <= _THIN)
    count = many.sum(axis=0)
    mine = (count >= _ENOUGH) & ((same & many).sum(axis=0) >= 0.95 * count)
    return np.asarray(same & mine, dtype=np.bool_)


def settle_is_close(on: Look) -> list[Finding]:
    """Settlements that equal the close nearly always."""
    if on.market.provenance.settle_from == "close":
        return []
    same = _closes(on)
    return on.together(
        same,
        "doubtful",
        "settle is close",
        said("the settlement equals the close on {count:,} bars, nearly always", count=same.sum()),
        said("bring the exchange's settlements: a settlement is the day's average price, and marks,"
             " margins and limits rest on it"),
    )


def settle_outside(on: Look) -> list[Finding]:
    """Settlements outside the day's range, of bars that traded."""
    market = on.market
    outside = (market.settle > market.high) | (market.settle < market.low)
    return on.each(
        outside & (market.volume != 0) & ~on.wrong & ~on.odd,
        "doubtful",
        "settle outside",
        lambda row, at, count: said(
            "the settlement {settle:,g} lies outside the day's {low:,g} to {high:,g}",
            settle=market.settle[row, at], low=market.low[row, at], high=market.high[row, at],
        ),
        said("compare with the exchange's daily table; an average of the day's trades lies inside"),
    )


def zero_volume(on: Look) -> list[Finding]:
    """Bars without a trade whose prices moved."""
    market = on.market
    moved = (market.high > market.low) | (market.open != market.close) & ~np.isnan(market.open)
    return on.each(
        (market.volume == 0) & moved,
        "doubtful",
        "zero volume",
        lambda row, at, count: said("the volume is 0, yet open, high, low and close differ"),
        said("correct the volume; nothing fills in a session of volume 0"),
    )


def frozen(on: Look) -> list[Finding]:
    """Find bars that stand still: in every cell, or in price while other contracts move."""
    market = on.market
    found = _stopped(on)
    told = {finding.subject for finding in found}
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
    for at in np.flatnonzero(long.any(axis=0)):
        if market.contracts[at] in told:
            continue
        last = int(np.flatnonzero(long[:, at])[-1])
        first, count = int(start[last, at]), int(still[last, at])
        stands = said("close and settlement stand at {price:,g} while other contracts move",
                      price=close[last, at])
        found.append(
            Finding(
                "doubtful", "frozen", market.contracts[at], market.sessions[first],
                market.sessions[last], count, stands,
                said("pull these days again: a source that has nothing may repeat the last bar"),
            )
        )
    return found


def _stopped(on: Look) -> list[Finding]:
    """Return contracts whose bars are the same in every cell, volume included, for sessions."""
    # Where all contracts do so it is another check's.
    again = on.again & ~(on.again.sum(axis=1) >= 0.9 * on.there.sum(axis=1))[:, None]
    if len(again) < _SAME:
        return []
    start = np.maximum.accumulate(np.where(again, -1, numbers(on.market)), axis=0)
    length = np.where(again, numbers(on.market) - start + 1, 0)
    found = []
    for at in np.flatnonzero((length >= _SAME).any(axis=0)):
        last = int(length[:, at].argmax())
        count = int(length[last, at])
        volume, days = on.market.volume[last, at], on.market.sessions
        found.append(
            Finding(
                "doubtful", "frozen", on.market.contracts[at], days[last - count + 1], days[last],
                count,
                said("{count} bars on end are the same in every cell, a volume of {volume:,.0f}"
                     " included", count=count, volume=volume),
                said("pull these days again: a source that has nothing may repeat the last bar"),
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
        return said(
            "the open interest changes by {change:+,.0f} lots on a volume of {volume:,.0f}",
            change=change[row, at], volume=market.volume[row, at],
        )  # fmt: skip

    return [
        *on.each(
            too_much & ~falls, "doubtful", "open interest", what,
            said("check units and days: counted on one side it changes by the volume at most"),
        ),
        *on.each(
            vanished, "doubtful", "open interest",
            lambda row, at, count: said("the open interest is 0 in the middle of its life"),
            said("leave blank what is unknown"),
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
    """Bars outside the computed price band: evidence about the terms, or too far to be that."""
    market = on.market
    closes = _closes(on)
    # An older settlement than the last session's says nothing of the limit, nor does a close.
    sure = np.where(on.wrong | on.odd | on.again | closes, np.nan, market.settle)
    last = later(sure)
    share = np.where(on.limit >= 1, np.nan, on.limit)
    # Rounded inward to a tick; the hair keeps float noise from counting as one.
    up = np.floor(last * (1 + share) / on.tick + 1e-7) * on.tick
    down = np.ceil(last * (1 - share) / on.tick - 1e-7) * on.tick
    top = np.fmax(np.fmax(market.high, market.close), market.open)
    bottom = np.fmin(np.fmin(market.low, market.close), market.open)
    outside = ((top > up) | (bottom < down)) & ~on.wrong & ~on.odd
    away = np.fmax(top / last - 1, 1 - bottom / last)
    far = outside & (away >= BACK * share)
    # Two closes may lie two limits apart.
    level = later(np.where(on.wrong | on.odd | on.again | ~np.isnan(sure), np.nan, on.level))
    jumped = np.abs(market.close / level - 1) >= (BACK + 1) * share
    jumped &= ~on.wrong & ~on.odd & ~outside
    before = later(pd.DataFrame(np.where(on.odd, np.nan, on.level)).ffill().to_numpy())

    def what(row: int, at: int, count: int) -> str:
        beside = last[row, at] if last[row, at] > 0 else before[row, at]
        if not beside > 0:
            rest = on.level[row + 1 :, at]
            beside = rest[~np.isnan(rest) & ~on.odd[row + 1 :, at]][0]
        ends = top[row, at], bottom[row, at]
        price = max(ends, key=lambda end: abs(np.log(end / beside)))
        return said(
            "{price:,g} was traded, {share:+.2%} from the {what} {beside:,g}; the limit computed is"
            " {limit:.0%}",
            price=price,
            share=price / beside - 1,
            what=said("settlement") if last[row, at] > 0 else said("price"),
            beside=beside,
            limit=on.limit[row, at],
        )

    return on.each(
        far | jumped | on.odd, "doubtful", "far move", what,
        said("compare with the exchange's daily table: no notice of a limit so wide is known"),
    ) + on.each(
        outside & ~far, "evidence", "band", what,
        "the terms may lack a wider limit; a run takes no band in that session",
    )


def far_open(on: Look) -> list[Finding]:
    """Find opens far from the closes beside them on a few lots: one trade made them."""
    market = on.market
    before = later(pd.DataFrame(market.close).ffill().to_numpy())
    away = np.fmax(np.abs(market.open - market.close), np.abs(market.open - before))
    far = (away >= _FAR * market.close) & (market.volume > 0) & (market.volume <= _THIN)
    far &= ~on.wrong & ~on.odd
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
    spike, jump, repeated, settle_outside, zero_volume, frozen, interest, settle_is_close, band,
    far_open,
)
