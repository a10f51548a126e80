"""The futures ledger: one kernel that decides what may be held and keeps the account.

Runs and sweeps book through it alike. It works in whole lots and whole fen, session by
session, in the order of ``docs/fills.md``; the numbered steps there are the functions here.

It is one file on purpose: numba's cache watches only the file a function stands in, so a
kernel spread over several would go on running old code after an edit.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from sibt.engine.money import MARGIN_SCALE, fee_fen, margin_fen
from sibt.engine.prices import (
    DELIVERY,
    MARGIN,
    NO_PRICE,
    NOT_LISTED,
    NOT_REACHED,
    PAIR,
    VOLUME,
)

__all__ = [
    "FIGURES",
    "FILL_REASONS",
    "OFFSETS",
    "STATEMENT",
    "TAPE",
    "Rules",
    "keep",
    "keep_many",
]

#: Why a fill happened, by the code the ledger records.
FILL_REASONS = ("signal", "roll", "margin call", "exit date", "exit date, at settlement", "bust",
                "delivery")  # fmt: skip
SIGNAL, ROLL, CALL, EXIT, EXIT_SETTLED, BUST, DELIVERED = range(7)

OFFSETS = ("open", "close", "close_today")
OPEN, CLOSE, CLOSE_TODAY = range(3)

#: Columns of the statement the kernel writes, money in fen.
STATEMENT = ("closed_pnl", "mtm", "fees", "deposit", "equity", "margin", "margin_call")
CLOSED_PNL, MTM, FEES, DEPOSIT, EQUITY, MARGIN_HELD, MARGIN_CALL = range(7)

# What a session adds up, in `_Book.sums`: fees; minus signed lots × price × multiplier of
# its fills; profit of lots closed. And over all sessions: fills and shortfalls; round trips
# begun, ended and won; what the one now open has brought in so far; lots held on either side;
# sessions entered; and of the sessions entered in short all fees, calls, the largest call and
# what was paid in.
(SUM_FEES, SUM_TRADED, SUM_CLOSED, N_FILLS, N_SHORTS, N_TRIPS, N_ENDED, N_WON, TRIP_NET,
 GROSS, N_ACTIVE, ALL_FEES, N_CALLS, LARGEST, PAID_IN) = range(15)  # fmt: skip

_NEVER = -2


# What a session offers of a contract, `Rules.tape`: prices in fen, why a side is shut, lots
# of the cap, the last known settlement, the margin rate in 1e-6, fees in 1e-10 in the order
# of `OFFSETS`.
TAPE = 16
(BUY, SELL, BUY_SHUT, SELL_SHUT, CAP, OPENING, LOW, HIGH, SETTLE, RATE,
 FEE_OPEN, FEE_CLOSE, FEE_TODAY, LOT_OPEN, LOT_CLOSE, LOT_TODAY) = range(TAPE)  # fmt: skip

# A contract's life, `Rules.life`: sessions of listing, of the last trading day and in which
# the account must be out; number of its product; tonnes per lot.
LISTED, LAST, EXITS, PRODUCT, SIZE = range(5)

# Lots of a leg in a contract, `_Book.held`: all; opened today, and signed lots × price of
# these; scratch for what would be left.
POS, TODAY, PAID, KEPT = range(4)

# A leg, `_Book.legs`: column it holds from now on; lots in a unit; price of its order, its own
# reason for falling short, and the contract that did.
CODE, UNIT, QUOTE, WHY, AT = range(5)

# A group of legs, `_Book.groups`: units wished today; units a pending cut leaves; why it
# closes; whether an exit by date is at work; margin at a call.
GOAL, BOUND, CAUSE, LEAVES, TIED = range(5)


# A session entered in short, `_Book.short`: which; its result, equity and margin, fen.
WHEN, RESULT, WORTH, TIE = range(4)


class Rules(NamedTuple):
    """What holds for a whole run: T sessions, L legs, K contracts.

    Few arrays on purpose: each one passed on costs the compiler time.

    Attributes
    ----------
    codes : int64 ndarray of shape (T, L)
        Column of each leg's contract decided after each session, -1 for none.
    tape : int64 ndarray of shape (T, K, TAPE)
        What each session offers of each contract.
    life : int64 ndarray of shape (K, 5)
        Each contract's sessions, product and size.
    ratio : int64 ndarray of shape (L,)
        Signed lots of each leg in a unit.
    paired : bool
        Legs change together; else each is a group of its own whose unit is one lot.
    relief, deposit : bool
        Calendar-spread relief; calls answered by a deposit.
    shared : bool
        Two legs may trade one contract in one session.
    deliver : int
        Units of a group in a delivery unit: whole multiples wished for on the last trading day
        are delivered; 0 where all lots are closed.
    plain : bool
        Paired legs that keep one contract each, apart from one another, without relief.
    worth : int64 ndarray of shape (T,)
        If `plain`: worth of one unit at each settlement, fen.
    tie : int64 ndarray of shape (T, L)
        If `plain`: margin of one unit's leg at each settlement, in 1e-6 fen.
    """

    codes: Any
    tape: Any
    life: Any
    ratio: Any
    paired: Any
    relief: Any
    deposit: Any
    shared: Any
    deliver: Any
    plain: Any
    worth: Any
    tie: Any


class _Book(NamedTuple):
    """What a run changes: arrays over L legs, K contracts or G groups of legs."""

    held: Any  # (L, K, 4)
    legs: Any  # (L, 5)
    groups: Any  # (G, 5)
    room: Any  # (K,) lots of the cap still free
    spare: Any  # (K,) scratch for `room`
    sums: Any  # (15,)
    record: Any  # write positions, fills and shorts
    brief: Any  # enter sessions in short
    short: Any  # (T, 4) of sessions with a position or an order: columns from `WHEN` on
    wants: Any  # (T, L) lots wished of each leg, or (0, L) where units are wished
    statement: Any
    positions: Any
    fills: Any
    shorts: Any


def _step(**options: Any) -> Any:
    """Compile a part of the kernel: called from compiled code alone, it needs no way in."""
    return njit(
        cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options
    )


# -- Quotes, lives, and the order in which a leg lets go --------------------------------------


@_step()
def _quote(t, k, buy, limit, r):  # type: ignore[no-untyped-def]
    """Return the price in fen at which a side fills, or minus the reason why it does not."""
    shut = r.tape[t, k, BUY_SHUT] if buy else r.tape[t, k, SELL_SHUT]
    if shut != 0:
        return -np.int64(shut)
    if limit == 0:
        return r.tape[t, k, BUY] if buy else r.tape[t, k, SELL]
    opening = r.tape[t, k, OPENING]
    if opening <= 0:
        return -np.int64(NO_PRICE)
    if buy:
        if opening <= limit:
            return opening
        return limit if r.tape[t, k, LOW] <= limit else -np.int64(NOT_REACHED)
    if opening >= limit:
        return opening
    return limit if r.tape[t, k, HIGH] >= limit else -np.int64(NOT_REACHED)


@_step()
def _refusal(t, k, r):  # type: ignore[no-untyped-def]
    """Return why a contract may not be opened in a session, 0 if it may."""
    if k < 0 or t < r.life[k, LISTED] or t > r.life[k, LAST]:
        return np.int64(NOT_LISTED)
    return np.int64(DELIVERY) if t >= r.life[k, EXITS] else np.int64(0)


@_step()
def _turn(place, code, expiring_first, t, r):  # type: ignore[no-untyped-def]
    """Return the column a leg closes in turn `place` of 2K + 1; -1 for none.

    Old contracts come first in the order of the panel, then the leg's code; at an exit by
    date expiring ones come before the others.
    """
    columns = r.life.shape[0]
    if place == 2 * columns:
        return code
    k = place % columns
    if k == code:
        return -1
    if not expiring_first:
        return k if place < columns else -1
    return k if (r.life[k, EXITS] <= t) == (place < columns) else -1


@_step()
def _held(g, r, b):  # type: ignore[no-untyped-def]
    """Return the signed units a group holds."""
    lots = np.int64(0)
    for k in range(r.life.shape[0]):
        lots += b.held[g, k, POS]
    return lots // r.ratio[0] if r.paired else lots


@_step()
def _wish(t, wish, g, r, b):  # type: ignore[no-untyped-def]
    """Return the wish of the evening before in the units of a group."""
    if b.wants.shape[0] > 0:
        return b.wants[t - 1, g]
    return wish if r.paired else wish * r.ratio[g]


@_step()
def _way(leg, units, r):  # type: ignore[no-untyped-def]
    """Return +1 if holding `units` means the leg is long, else -1."""
    return 1 if (units > 0) == (not r.paired or r.ratio[leg] > 0) else -1


# -- Records ----------------------------------------------------------------------------------


@_step()
def _fee(t, k, lots, price, offset, r):  # type: ignore[no-untyped-def]
    """Step 6: the fee of one fill, in fen."""
    return fee_fen(
        lots,
        price,
        r.life[k, SIZE],
        r.tape[t, k, FEE_OPEN + offset],
        r.tape[t, k, LOT_OPEN + offset],
    )


@_step()
def _fill(t, leg, k, signed, price, offset, reason, r, b):  # type: ignore[no-untyped-def]
    """Book one fill: its fee, its cash, the position, and what is left of the cap."""
    size = abs(signed)
    # What is delivered pays a delivery fee, outside the account.
    cost = np.int64(0) if reason == DELIVERED else _fee(t, k, size, price, offset, r)
    if offset == OPEN:
        b.held[leg, k, TODAY] += signed
        b.held[leg, k, PAID] += signed * price
    elif offset == CLOSE:
        b.sums[SUM_CLOSED] -= signed * (price - r.tape[t - 1, k, SETTLE]) * r.life[k, SIZE]
    else:
        share = b.held[leg, k, PAID] * size // abs(b.held[leg, k, TODAY])
        b.sums[SUM_CLOSED] -= (signed * price + share) * r.life[k, SIZE]
        b.held[leg, k, PAID] -= share
        b.held[leg, k, TODAY] += signed
    cash = -signed * price * r.life[k, SIZE]
    b.sums[SUM_FEES] += cost
    b.sums[SUM_TRADED] += cash
    if b.sums[N_TRIPS] == b.sums[N_ENDED]:
        b.sums[N_TRIPS] += 1
        b.sums[TRIP_NET] = 0
    b.sums[TRIP_NET] += cash - cost
    b.sums[GROSS] -= abs(b.held[leg, k, POS])
    b.held[leg, k, POS] += signed
    b.sums[GROSS] += abs(b.held[leg, k, POS])
    # Between the two halves of a roll the position is on its way, not flat.
    if b.sums[GROSS] == 0 and reason != ROLL:
        b.sums[N_ENDED] += 1
        b.sums[N_WON] += b.sums[TRIP_NET] > 0
    b.room[k] -= size
    if b.record:
        n = b.sums[N_FILLS]
        if n < b.fills.shape[0]:
            b.fills[n, 0] = t
            b.fills[n, 1] = leg
            b.fills[n, 2] = k
            b.fills[n, 3] = signed
            b.fills[n, 4] = price
            b.fills[n, 5] = cost
            b.fills[n, 6] = offset
            b.fills[n, 7] = reason
        b.sums[N_FILLS] += 1


@_step()
def _miss(t, leg, k, wanted, filled, reason, b):  # type: ignore[no-untyped-def]
    """Record an order that did not fill whole."""
    n = b.sums[N_SHORTS]
    if n < b.shorts.shape[0]:
        b.shorts[n, 0] = t
        b.shorts[n, 1] = leg
        b.shorts[n, 2] = k
        b.shorts[n, 3] = wanted
        b.shorts[n, 4] = filled
        b.shorts[n, 5] = reason
    b.sums[N_SHORTS] += 1


# -- The steps of a session -------------------------------------------------------------------


@_step(inline="always")
def _begin(t, r, b):  # type: ignore[no-untyped-def]
    """Begin a session: nothing traded yet, the caps untouched, the legs' codes as decided."""
    for n in range(N_FILLS):
        b.sums[n] = 0
    for k in range(r.life.shape[0]):
        b.room[k] = r.tape[t, k, CAP]
    for leg in range(r.ratio.shape[0]):
        b.legs[leg, CODE] = r.codes[t - 1, leg]
        for k in range(r.life.shape[0]):
            b.held[leg, k, TODAY] = 0
            b.held[leg, k, PAID] = 0


@_step()
def _delivered(g, first, full, called, r, b):  # type: ignore[no-untyped-def]
    """Return the units of a group that stay on the last trading day, to be delivered."""
    held = _held(first, r, b)
    if r.deliver == 0 or full == 0 or (full > 0) != (held > 0):
        return np.int64(0)
    stay = min(abs(full), abs(held))
    if called:
        stay = min(stay, b.groups[g, BOUND])
    stay -= stay % r.deliver
    return stay if held > 0 else -stay


@_step()
def _must_go(t, g, first, beyond, wish, called, r, b):  # type: ignore[no-untyped-def]
    """Step 1: the units a group may wish for today, and why it has to close."""
    b.groups[g, LEAVES] = False
    b.groups[g, CAUSE] = SIGNAL
    for leg in range(first, beyond):
        k = b.legs[leg, CODE]
        if k >= 0 and b.held[leg, k, POS] != 0 and r.life[k, EXITS] <= t:
            b.groups[g, LEAVES] = True
    full = _wish(t, wish, g, r, b)
    b.groups[g, GOAL] = full
    if b.groups[g, LEAVES]:
        b.groups[g, GOAL] = _delivered(g, first, full, called, r, b)
        b.groups[g, CAUSE] = EXIT
    elif called and abs(full) > b.groups[g, BOUND]:
        b.groups[g, GOAL] = b.groups[g, BOUND] if full > 0 else -b.groups[g, BOUND]
        # A wish that turns round lets go of as much by itself and is no forced cut.
        if (full > 0) == (_held(first, r, b) > 0):
            b.groups[g, CAUSE] = CALL


@_step()
def _close(t, g, first, beyond, resting, r, b):  # type: ignore[no-untyped-def]
    """Step 2: close what a group holds beyond its goal, as many units as every leg can."""
    held = _held(first, r, b)
    goal = b.groups[g, GOAL]
    same = goal != 0 and (goal > 0) == (held > 0)
    n = abs(held) - (abs(goal) if same else 0)
    if held == 0 or n <= 0:
        return
    limit = resting if b.groups[g, CAUSE] == SIGNAL else np.int64(0)
    turns = 2 * r.life.shape[0] + 1
    can = n
    for leg in range(first, beyond):
        able_in_all = np.int64(0)
        b.legs[leg, WHY] = 0
        first_held = -1
        for place in range(turns):
            k = _turn(place, b.legs[leg, CODE], False, t, r)
            if k < 0 or b.held[leg, k, POS] == 0:
                continue
            size = abs(b.held[leg, k, POS])
            price = _quote(t, k, b.held[leg, k, POS] < 0, limit, r)
            able = min(size, b.room[k]) if price > 0 else np.int64(0)
            able_in_all += able
            if first_held < 0:
                first_held = k
            if able < size and b.legs[leg, WHY] == 0:
                b.legs[leg, WHY] = -price if price <= 0 else VOLUME
                b.legs[leg, AT] = k
        units = able_in_all // b.legs[leg, UNIT]
        if units >= n:
            b.legs[leg, WHY] = 0
            b.legs[leg, AT] = first_held
        can = min(can, units)
    if r.shared and r.paired:
        can = _close_jointly(can, t, first, beyond, limit, r, b)
    for leg in range(first, beyond):
        left = can * b.legs[leg, UNIT]
        for place in range(turns):
            k = _turn(place, b.legs[leg, CODE], False, t, r)
            if k < 0 or b.held[leg, k, POS] == 0 or left == 0:
                continue
            price = _quote(t, k, b.held[leg, k, POS] < 0, limit, r)
            take = min(left, abs(b.held[leg, k, POS]), b.room[k]) if price > 0 else np.int64(0)
            if take > 0:
                signed = -take if b.held[leg, k, POS] > 0 else take
                _fill(t, leg, k, signed, price, CLOSE, b.groups[g, CAUSE], r, b)
                left -= take
    if can < n:
        for leg in range(first, beyond):
            lots = -_way(leg, held, r) * b.legs[leg, UNIT]
            why = b.legs[leg, WHY] if b.legs[leg, WHY] != 0 else np.int64(PAIR)
            _miss(t, leg, b.legs[leg, AT], lots * n, lots * can, why, b)


@_step()
def _close_jointly(units, t, first, beyond, limit, r, b):  # type: ignore[no-untyped-def]
    """Return the units legs that share a contract's cap can close together."""
    while units > 0:
        fits = True
        for k in range(b.room.shape[0]):
            b.spare[k] = b.room[k]
        for leg in range(first, beyond):
            left = units * b.legs[leg, UNIT]
            for place in range(2 * r.life.shape[0] + 1):
                k = _turn(place, b.legs[leg, CODE], False, t, r)
                if k < 0 or b.held[leg, k, POS] == 0:
                    continue
                if _quote(t, k, b.held[leg, k, POS] < 0, limit, r) > 0:
                    take = min(left, abs(b.held[leg, k, POS]), b.spare[k])
                    b.spare[k] -= take
                    left -= take
            fits = fits and left == 0
        if fits:
            break
        units -= 1
    return units


@_step()
def _roll(t, leg, r, b):  # type: ignore[no-untyped-def]
    """Step 3: move lots of other contracts into the leg's code, at market."""
    into = b.legs[leg, CODE]
    if into < 0:
        return
    for k in range(r.life.shape[0]):
        lots = b.held[leg, k, POS]
        if lots == 0 or k == into:
            continue
        size = abs(lots)
        out = _quote(t, k, lots < 0, np.int64(0), r)
        refused = _refusal(t, into, r)
        entry = -refused if refused != 0 else _quote(t, into, lots > 0, np.int64(0), r)
        leave = min(size, b.room[k]) if out > 0 else np.int64(0)
        enter = min(size, b.room[into]) if entry > 0 else np.int64(0)
        take = min(leave, enter)
        way = 1 if lots > 0 else -1
        if take > 0:
            _fill(t, leg, k, -way * take, out, CLOSE, ROLL, r, b)
            _fill(t, leg, into, way * take, entry, OPEN, ROLL, r, b)
        if take < size:
            blocked = out if leave < size else entry
            why = -blocked if blocked <= 0 else np.int64(VOLUME)
            _miss(t, leg, k, -way * size, -way * take, why, b)


@_step()
def _tied_before_opening(t, r, b):  # type: ignore[no-untyped-def]
    """Return the margin of held lots at the last settlement and of rolled-in ones at entry."""
    total = np.int64(0)
    for leg in range(r.ratio.shape[0]):
        for k in range(r.life.shape[0]):
            carried = b.held[leg, k, POS] - b.held[leg, k, TODAY]
            if carried != 0:
                total += margin_fen(
                    abs(carried), r.tape[t - 1, k, SETTLE], r.life[k, SIZE], r.tape[t - 1, k, RATE]
                )
            rolled = b.held[leg, k, TODAY]
            if rolled != 0:
                entry = _quote(t, k, rolled > 0, np.int64(0), r)
                total += margin_fen(abs(rolled), entry, r.life[k, SIZE], r.tape[t - 1, k, RATE])
    return total


@_step()
def _need(units, t, first, beyond, r, b):  # type: ignore[no-untyped-def]
    """Return margin and fees that opening `units` of a group takes, in fen."""
    total = np.int64(0)
    for leg in range(first, beyond):
        k, lots = b.legs[leg, CODE], units * b.legs[leg, UNIT]
        total += margin_fen(lots, b.legs[leg, QUOTE], r.life[k, SIZE], r.tape[t - 1, k, RATE])
        total += _fee(t, k, lots, b.legs[leg, QUOTE], OPEN, r)
    return total


@_step()
def _open(t, g, first, beyond, resting, tied, equity, r, b):  # type: ignore[no-untyped-def]
    """Step 4: open what a group lacks, as many units as every leg and the equity carry.

    Returns the margin and fees tied so far, or -1 while nothing has been tested.
    """
    goal = b.groups[g, GOAL]
    if b.groups[g, LEAVES] or goal == 0:
        return tied
    held = _held(first, r, b)
    n = abs(goal) - abs(held)
    if n <= 0 or (held != 0 and (held > 0) != (goal > 0)):
        return tied
    can = n
    for leg in range(first, beyond):
        k = b.legs[leg, CODE]
        refused = _refusal(t, k, r)
        price = -refused if refused != 0 else _quote(t, k, _way(leg, goal, r) > 0, resting, r)
        b.legs[leg, QUOTE] = price
        units = b.room[k] // b.legs[leg, UNIT] if price > 0 else np.int64(0)
        b.legs[leg, WHY] = 0
        if units < n:
            b.legs[leg, WHY] = -price if price <= 0 else VOLUME
        can = min(can, units)
    if r.shared and r.paired:
        can = _open_jointly(can, first, beyond, b)
    poor = False
    if can > 0:
        if tied < 0:
            tied = _tied_before_opening(t, r, b)
        if tied + _need(can, t, first, beyond, r, b) > equity:
            poor = True
            fits, over = np.int64(0), can
            while over - fits > 1:
                middle = (fits + over) // 2
                if tied + _need(middle, t, first, beyond, r, b) <= equity:
                    fits = middle
                else:
                    over = middle
            can = fits
    if can > 0:
        tied += _need(can, t, first, beyond, r, b)
    for leg in range(first, beyond):
        lots = _way(leg, goal, r) * b.legs[leg, UNIT]
        if can > 0:
            _fill(t, leg, b.legs[leg, CODE], lots * can, b.legs[leg, QUOTE], OPEN, SIGNAL, r, b)
        if can < n:
            why = b.legs[leg, WHY] if b.legs[leg, WHY] != 0 else np.int64(PAIR)
            why = np.int64(MARGIN) if poor else why
            _miss(t, leg, b.legs[leg, CODE], lots * n, lots * can, why, b)
    return tied


@_step()
def _open_jointly(units, first, beyond, b):  # type: ignore[no-untyped-def]
    """Return the units legs that share a contract's cap can open together."""
    while units > 0:
        fits = True
        for k in range(b.room.shape[0]):
            b.spare[k] = b.room[k]
        for leg in range(first, beyond):
            b.spare[b.legs[leg, CODE]] -= units * b.legs[leg, UNIT]
            fits = fits and b.spare[b.legs[leg, CODE]] >= 0
        if fits:
            break
        units -= 1
    return units


@_step()
def _shed(units, t, first, beyond, expiring_first, r, b):  # type: ignore[no-untyped-def]
    """Write into `kept` what a group would hold after `units` of it closed."""
    for leg in range(first, beyond):
        for k in range(r.life.shape[0]):
            b.held[leg, k, KEPT] = b.held[leg, k, POS]
        left = units * b.legs[leg, UNIT]
        for place in range(2 * r.life.shape[0] + 1):
            k = _turn(place, b.legs[leg, CODE], expiring_first, t, r)
            if k >= 0 and left > 0:
                take = min(left, abs(b.held[leg, k, KEPT]))
                b.held[leg, k, KEPT] -= take if b.held[leg, k, KEPT] > 0 else -take
                left -= take


@_step()
def _settle_out(t, leg, k, signed, reason, r, b):  # type: ignore[no-untyped-def]
    """Close lots at settlement, the oldest first."""
    way = 1 if signed > 0 else -1
    old = min(abs(signed), abs(b.held[leg, k, POS] - b.held[leg, k, TODAY]))
    young = abs(signed) - old
    if old > 0:
        _fill(t, leg, k, way * old, r.tape[t, k, SETTLE], CLOSE, reason, r, b)
    if young > 0:
        _fill(t, leg, k, way * young, r.tape[t, k, SETTLE], CLOSE_TODAY, reason, r, b)


@_step()
def _leave(t, g, first, beyond, r, b):  # type: ignore[no-untyped-def]
    """Step 5: what an exit by date could not fill leaves at settlement, in whole units."""
    n = stays = np.int64(0)
    if r.deliver != 0 and b.groups[g, LEAVES]:
        # A group that delivers has one leg.
        lots = abs(b.held[first, b.legs[first, CODE], POS])
        stays = min(abs(b.groups[g, GOAL]), lots // b.legs[first, UNIT])
        stays -= stays % r.deliver
    for leg in range(first, beyond):
        lots = np.int64(0)
        for k in range(r.life.shape[0]):
            if b.groups[g, LEAVES] or r.life[k, EXITS] <= t:
                lots += abs(b.held[leg, k, POS])
        n = max(n, (lots + b.legs[leg, UNIT] - 1) // b.legs[leg, UNIT])
    if n == 0:
        return
    # Where some are delivered all other contracts leave before the one that expires.
    _shed(n - stays, t, first, beyond, stays == 0, r, b)
    for leg in range(first, beyond):
        for k in range(r.life.shape[0]):
            signed = b.held[leg, k, KEPT] - b.held[leg, k, POS]
            if signed != 0:
                _settle_out(t, leg, k, signed, EXIT_SETTLED, r, b)
    if stays > 0:
        k = b.legs[first, CODE]
        _settle_out(t, first, k, -b.held[first, k, POS], DELIVERED, r, b)


@_step(inline="always")
def _worth(t, r, b):  # type: ignore[no-untyped-def]
    """Return Σ signed lots × settlement × multiplier, in fen."""
    total = np.int64(0)
    for leg in range(r.ratio.shape[0]):
        for k in range(r.life.shape[0]):
            if b.held[leg, k, POS] != 0:
                total += b.held[leg, k, POS] * r.tape[t, k, SETTLE] * r.life[k, SIZE]
    return total


@_step(inline="always")
def _margin(which, t, r, b):  # type: ignore[no-untyped-def]
    """Step 8: the margin of all lots at settlement, in fen; `which` is POS or KEPT."""
    total = np.int64(0)
    count = 0
    x = y = kx = ky = np.int64(0)
    for leg in range(r.ratio.shape[0]):
        for k in range(r.life.shape[0]):
            lots = b.held[leg, k, which]
            if lots == 0:
                continue
            total += margin_fen(
                abs(lots), r.tape[t, k, SETTLE], r.life[k, SIZE], r.tape[t, k, RATE]
            )
            count += 1
            x, kx, y, ky = y, ky, lots, np.int64(k)
    if r.relief and count == 2 and x * y < 0 and r.life[kx, PRODUCT] == r.life[ky, PRODUCT]:
        lots = min(abs(x), abs(y))
        total -= min(
            margin_fen(lots, r.tape[t, kx, SETTLE], r.life[kx, SIZE], r.tape[t, kx, RATE]),
            margin_fen(lots, r.tape[t, ky, SETTLE], r.life[ky, SIZE], r.tape[t, ky, RATE]),
        )
    return total


@_step()
def _cut(t, equity, r, b):  # type: ignore[no-untyped-def]
    """Step 10: write into `bound` what each group may keep so that equity carries it."""
    legs = r.ratio.shape[0]
    for leg in range(legs):
        for k in range(r.life.shape[0]):
            b.held[leg, k, KEPT] = b.held[leg, k, POS]
    if r.paired:
        held = abs(_held(0, r, b))
        fails, works = np.int64(0), held  # units closed; with none left there is no margin
        while works - fails > 1:
            middle = (fails + works) // 2
            _shed(middle, t, 0, legs, False, r, b)
            if _margin(KEPT, t, r, b) <= equity:
                works = middle
            else:
                fails = middle
        b.groups[0, BOUND] = held - works
        return
    for leg in range(legs):
        b.groups[leg, BOUND] = 0
        b.groups[leg, TIED] = 0
        for k in range(r.life.shape[0]):
            lots = abs(b.held[leg, k, POS])
            b.groups[leg, BOUND] += lots
            b.groups[leg, TIED] += margin_fen(
                lots, r.tape[t, k, SETTLE], r.life[k, SIZE], r.tape[t, k, RATE]
            )
    gone = np.int64(0)
    worst = -1
    while _margin(KEPT, t, r, b) > equity:
        if worst < 0 or b.groups[worst, BOUND] == 0:
            # The leg with the largest margin first, then the next.
            if worst >= 0:
                b.groups[worst, TIED] = -1
            worst, gone = 0, np.int64(0)
            for leg in range(1, legs):
                if b.groups[leg, TIED] > b.groups[worst, TIED]:
                    worst = leg
            continue
        b.groups[worst, BOUND] -= 1
        gone += 1
        _shed(gone, t, worst, worst + 1, False, r, b)


@_step()
def _work(t, wish, resting, called, equity, r, b):  # type: ignore[no-untyped-def]
    """Work the orders of a session: steps 1 to 5, each over all groups of legs."""
    legs = r.ratio.shape[0]
    groups = 1 if r.paired else legs
    for g in range(groups):
        first, beyond = (0, legs) if r.paired else (g, g + 1)
        _must_go(t, g, first, beyond, wish, called, r, b)
    for g in range(groups):
        first, beyond = (0, legs) if r.paired else (g, g + 1)
        _close(t, g, first, beyond, resting, r, b)
    for leg in range(legs):
        _roll(t, leg, r, b)
    tied = np.int64(-1)
    for g in range(groups):
        first, beyond = (0, legs) if r.paired else (g, g + 1)
        tied = _open(t, g, first, beyond, resting, tied, equity, r, b)
    for g in range(groups):
        first, beyond = (0, legs) if r.paired else (g, g + 1)
        _leave(t, g, first, beyond, r, b)


@_step(inline="always")
def _settled(t, wish, r, b):  # type: ignore[no-untyped-def]
    """Tell whether all groups hold the wish in their codes, and the first exit by date."""
    settled, leave_by = True, np.int64(1) << 60
    for leg in range(r.ratio.shape[0]):
        lots = np.int64(0)
        for k in range(r.life.shape[0]):
            if b.held[leg, k, POS] != 0:
                settled = settled and k == b.legs[leg, CODE]
                lots += b.held[leg, k, POS]
                leave_by = min(leave_by, r.life[k, EXITS])
        goal = wish * r.ratio[leg] if b.wants.shape[0] == 0 else b.wants[t - 1, leg]
        settled = settled and lots == goal
    return settled, leave_by


@_step(inline="always")
def _same_codes(t, r):  # type: ignore[no-untyped-def]
    """Tell whether every leg's code is the one of the session before."""
    same = True
    for leg in range(r.ratio.shape[0]):
        same = same and r.codes[t - 1, leg] == r.codes[t - 2, leg]
    return same


# -- The short way ----------------------------------------------------------------------------


@_step(inline="always")
def _tied(units, t, r):  # type: ignore[no-untyped-def]
    """Return the margin of units of plain legs at a settlement, in fen: step 8."""
    total = np.int64(0)
    for leg in range(r.ratio.shape[0]):
        exact = np.uint64(abs(units) * r.tie[t, leg] + MARGIN_SCALE // 2)
        total += np.int64(exact // np.uint64(MARGIN_SCALE))
    return total


@_step(inline="always")
def _fits(t, wish, equity, r, b):  # type: ignore[no-untyped-def]
    """Tell whether nothing stands in the way of a wish of plain legs: it fills whole."""
    tied = np.int64(0)
    fits = True
    for leg in range(r.ratio.shape[0]):
        k = r.codes[0, leg]
        held, goal = b.held[leg, k, POS], wish * r.ratio[leg]
        kept = np.int64(0)
        if held * goal > 0:
            kept = goal if abs(goal) < abs(held) else held
        opened = abs(goal - kept)
        buying = goal > held
        shut = r.tape[t, k, BUY_SHUT] if buying else r.tape[t, k, SELL_SHUT]
        fits = fits and shut == 0 and abs(held - kept) + opened <= r.tape[t, k, CAP]
        fits = fits and t < r.life[k, EXITS]
        if opened != 0:
            fits = fits and r.life[k, LISTED] <= t <= r.life[k, LAST]
            price = r.tape[t, k, BUY] if buying else r.tape[t, k, SELL]
            size, rate = r.life[k, SIZE], r.tape[t - 1, k, RATE]
            tied += margin_fen(abs(kept), r.tape[t - 1, k, SETTLE], size, rate)
            tied += margin_fen(opened, price, size, rate)
            tied += fee_fen(
                opened, price, size, r.tape[t, k, FEE_OPEN], r.tape[t, k, LOT_OPEN]
            )
    return fits and tied <= equity


@_step(inline="always")
def _fill_whole(t, wish, r, b):  # type: ignore[no-untyped-def]
    """Work a wish of plain legs that `_fits`, as steps 1 to 6 would; record nothing.

    Returns what it brings in less fees, and the fees.
    """
    fees = closing = opening = gross = np.int64(0)
    ends = True
    for leg in range(r.ratio.shape[0]):
        k = r.codes[0, leg]
        held, goal = b.held[leg, k, POS], wish * r.ratio[leg]
        kept = np.int64(0)
        if held * goal > 0:
            kept = goal if abs(goal) < abs(held) else held
        ends = ends and kept == 0
        price = r.tape[t, k, BUY] if goal > held else r.tape[t, k, SELL]
        size = r.life[k, SIZE]
        shut, opened = held - kept, goal - kept
        if shut != 0:
            fee = fee_fen(
                abs(shut), price, size, r.tape[t, k, FEE_CLOSE], r.tape[t, k, LOT_CLOSE]
            )
            fees += fee
            closing += shut * price * size - fee
        if opened != 0:
            fee = fee_fen(
                abs(opened), price, size, r.tape[t, k, FEE_OPEN], r.tape[t, k, LOT_OPEN]
            )
            fees += fee
            opening -= opened * price * size + fee
        b.held[leg, k, POS] = goal
        b.held[leg, k, TODAY] = opened
        b.held[leg, k, PAID] = opened * price
        gross += abs(goal)
    b.sums[SUM_FEES] = fees
    b.sums[SUM_TRADED] = closing + opening + fees
    b.sums[SUM_CLOSED] = 0
    b.sums[TRIP_NET] += closing
    if ends and b.sums[N_TRIPS] > b.sums[N_ENDED]:
        b.sums[N_ENDED] += 1
        b.sums[N_WON] += b.sums[TRIP_NET] > 0
    if gross != 0 and b.sums[N_TRIPS] == b.sums[N_ENDED]:
        b.sums[N_TRIPS] += 1
        b.sums[TRIP_NET] = 0
    b.sums[TRIP_NET] += opening
    b.sums[GROSS] = gross
    return closing + opening, fees


# -- A whole run ------------------------------------------------------------------------------


@_step(inline="always")
def _enter(t, closed, mtm, fees, deposit, equity, margin, call, b):  # type: ignore[no-untyped-def]
    """Enter a session in the statement; those without position and order are left out."""
    n = b.sums[N_ACTIVE]
    b.sums[N_ACTIVE] += 1
    b.short[n, WHEN] = t
    b.short[n, RESULT] = mtm - fees
    b.short[n, WORTH] = equity
    b.short[n, TIE] = margin
    if b.brief:
        b.sums[ALL_FEES] += fees
        if call > 0:
            b.sums[N_CALLS] += 1
            b.sums[LARGEST] = max(b.sums[LARGEST], call)
            b.sums[PAID_IN] += deposit
        return
    # Cell by cell: a view of the row would cost more than all of it.
    b.statement[t, CLOSED_PNL] = closed
    b.statement[t, MTM] = mtm
    b.statement[t, FEES] = fees
    b.statement[t, DEPOSIT] = deposit
    b.statement[t, EQUITY] = equity
    b.statement[t, MARGIN_HELD] = margin
    b.statement[t, MARGIN_CALL] = call


@_step(inline="always")
def _position(t, r, b):  # type: ignore[no-untyped-def]
    """Record the lots held after a session."""
    for leg in range(r.ratio.shape[0]):
        for k in range(r.life.shape[0]):
            b.positions[t, leg, k] = b.held[leg, k, POS]


@_step()
def _book(sessions, record, brief, wants, statement, positions, fills, shorts, r):  # type: ignore[no-untyped-def]
    """Return a book nothing has been entered in."""
    legs, columns = r.ratio.shape[0], r.life.shape[0]
    b = _Book(
        np.zeros((legs, columns, 4), dtype=np.int64),
        np.ones((legs, 5), dtype=np.int64),
        np.zeros((1 if r.paired else legs, 5), dtype=np.int64),
        np.zeros(columns, dtype=np.int64),
        np.zeros(columns, dtype=np.int64),
        np.zeros(15, dtype=np.int64),
        record,
        brief,
        np.zeros((sessions, 4), dtype=np.int64),
        wants,
        statement,
        positions,
        fills,
        shorts,
    )
    for leg in range(legs):
        # The short way leaves the code as it is here; a cut after it reads it.
        b.legs[leg, CODE] = r.codes[0, leg]
        if r.paired:
            b.legs[leg, UNIT] = abs(r.ratio[leg])
    return b


@_step()
def _keep(want, limits, capital, r, b):  # type: ignore[no-untyped-def]
    """Book one column of wishes; return the session of the bust or -1."""
    sessions, legs, columns = want.shape[0], r.ratio.shape[0], r.life.shape[0]
    equity = capital
    before = np.int64(0)  # worth of what came into the session, at the last settlement
    called = _NEVER  # evening of the pending call
    flat = True
    settled, leave_by = False, np.int64(0)  # nothing left to do until then
    leaves = r.life[:, EXITS].min()
    entered, went = 0, -1
    t = 0
    while t + 1 < sessions:
        t += 1
        wish = want[t - 1]
        if flat and wish == 0:
            settled = False
            continue
        quiet = settled and wish == want[t - 2] and t < leave_by
        if quiet and r.plain and b.brief:
            # A stretch with nothing to do but to mark to market: in a loop of its own.
            beyond, stuck = min(sessions, leave_by), False
            while t < beyond and want[t - 1] == wish:
                worth, margin = wish * r.worth[t], _tied(wish, t, r)
                after = equity + worth - before
                stuck = after <= 0 or margin > after
                if stuck:
                    break
                b.short[entered, WHEN] = t
                b.short[entered, RESULT] = worth - before
                b.short[entered, WORTH] = after
                b.short[entered, TIE] = margin
                entered += 1
                before, equity = worth, after
                t += 1
            if not stuck:
                t -= 1
                continue
        if quiet and r.plain:
            worth, margin = wish * r.worth[t], _tied(wish, t, r)
            after = equity + worth - before
            if after > 0 and margin <= after:
                b.sums[N_ACTIVE] = entered
                _enter(t, 0, worth - before, 0, 0, after, margin, 0, b)
                entered += 1
                if b.record:
                    _position(t, r, b)
                before, equity = worth, after
                continue
        short = r.plain and called == _NEVER and limits[t - 1] == 0 and not quiet
        whole = short and not b.record and _fits(t, wish, equity, r, b)
        if whole:
            earned, fees = _fill_whole(t, wish, r, b)
            settled, leave_by, flat = True, leaves, wish == 0
            worth, margin = wish * r.worth[t], _tied(wish, t, r)
            after = equity + earned + worth - before
            if b.brief and after > 0 and margin <= after:
                b.short[entered, WHEN] = t
                b.short[entered, RESULT] = after - equity
                b.short[entered, WORTH] = after
                b.short[entered, TIE] = margin
                b.sums[ALL_FEES] += fees
                entered += 1
                before, equity = worth, after
                continue
        else:
            _begin(t, r, b)
            if not (quiet and _same_codes(t, r)):
                if called != _NEVER and called < t - 1 and wish != want[t - 2]:
                    called = _NEVER
                _work(t, wish, limits[t - 1], called != _NEVER, equity, r, b)
                settled, leave_by = _settled(t, wish, r, b)
                settled = settled and called == _NEVER  # a pending cut is tried again

        # 7. to 9. Mark to market, equity, bust.
        worth = wish * r.worth[t] if whole else _worth(t, r, b)
        mtm = worth - before + b.sums[SUM_TRADED]
        before = worth
        bust = equity + mtm - b.sums[SUM_FEES] <= 0
        if bust:
            for leg in range(legs):
                for k in range(columns):
                    if b.held[leg, k, POS] != 0:
                        _settle_out(t, leg, k, -b.held[leg, k, POS], BUST, r, b)
        equity += mtm - b.sums[SUM_FEES]
        flat = b.sums[GROSS] == 0

        # 8. and 10. Margin, and a call where equity does not carry it.
        margin = np.int64(0)
        if not flat:
            margin = _tied(wish, t, r) if whole else _margin(POS, t, r, b)
        call = max(margin - equity, np.int64(0)) if not flat else np.int64(0)
        deposit = np.int64(0)
        if call > 0 and r.deposit:
            deposit = call
            equity += call
        elif call > 0:
            called, settled = t, False
            _cut(t, equity, r, b)
        b.sums[N_ACTIVE] = entered
        _enter(t, b.sums[SUM_CLOSED], mtm, b.sums[SUM_FEES], deposit, equity, margin, call, b)
        entered += 1
        if b.record:
            _position(t, r, b)
        if bust:
            went = t
            break
    b.sums[N_ACTIVE] = entered
    return went


@njit(cache=True, nogil=True)
def keep(want, wants, limits, capital, rules, record, statement, positions, fills, shorts):  # type: ignore[no-untyped-def]
    """Book one column of wishes over all sessions.

    Parameters
    ----------
    want : int64 ndarray of shape (T,)
        Wished units after each session, missing ones already carried on.
    wants : int64 ndarray of shape (T, L) or (0, L)
        If not empty: lots wished of each leg of a legged run. `want` is then zero where all
        legs are, and another number whenever one of them changes.
    limits : int64 ndarray of shape (T,)
        Resting price in fen for the next session, 0 for none.
    capital : int
        Opening equity, fen.
    rules : Rules
        What holds for the whole run.
    record : bool
        Write fills, shortfalls and positions.
    statement : int64 ndarray of shape (T, 7)
        Written: columns `STATEMENT`, fen.
    positions : int64 ndarray of shape (T, L, K)
        Written if `record`: lots after each session.
    fills : int64 ndarray of shape (F, 8)
        Written if `record`: session, leg, contract, signed lots, price, fee, offset, reason.
    shorts : int64 ndarray of shape (S, 6)
        Written if `record`: session, leg, contract, wanted, filled, reason.

    Returns
    -------
    tuple of int
        Fills and shortfalls (counted on even where the arrays are too small to hold them),
        and the session of the bust or -1.
    """
    sessions = want.shape[0]
    b = _book(sessions, record, False, wants, statement, positions, fills, shorts, rules)
    bust = _keep(want, limits, capital, rules, b)
    equity, done = capital, 0
    for t in range(want.shape[0]):
        if done < b.sums[N_ACTIVE] and b.short[done, WHEN] == t:
            equity = statement[t, EQUITY]
            done += 1
        statement[t, EQUITY] = equity
    return b.sums[N_FILLS], b.sums[N_SHORTS], bust


# -- Many columns -----------------------------------------------------------------------------

#: What `keep_many` writes of each column: money in fen; shares; counts; the session of the
#: bust or -1; mean, deviation (n - 1), skewness and kurtosis (normal 3) of daily returns.
FIGURES = ("net", "fees", "worst_day", "worst_equity", "max_drawdown_yuan", "max_drawdown",
           "peak_margin", "margin_calls", "largest_call", "deposits", "round_trips",
           "open_trips", "won", "unfilled_orders", "bust", "total_return", "mean", "deviation",
           "skewness", "kurtosis")  # fmt: skip


@_step()
def _figures(capital, sessions, first, b, row, daily):  # type: ignore[no-untyped-def]
    """Write the figures of a book and its daily returns, the first in session `first`."""
    wanted = len(daily) > 0
    peak = worst_day = deepest_yuan = np.int64(0)
    last = path = top = lowest = capital
    index = crest = 1.0
    trough = s1 = s2 = s3 = s4 = 0.0
    for n in range(b.sums[N_ACTIVE]):
        result = b.short[n, RESULT]
        change = result / last  # on the equity of the evening before
        if wanted:
            daily[b.short[n, WHEN]] = change
        square = change * change
        s1 += change
        s2 += square
        s3 += square * change
        s4 += square * square
        index *= 1.0 + change
        if index > crest:
            crest = index
        elif index < crest * (1.0 + trough):
            trough = index / crest - 1.0
        path += result
        top = max(top, path)
        lowest = min(lowest, path)
        deepest_yuan = min(deepest_yuan, path - top)
        worst_day = min(worst_day, result)
        peak = max(peak, b.short[n, TIE])
        last = b.short[n, WORTH]
    row[0], row[1], row[2], row[3] = path - capital, b.sums[ALL_FEES], worst_day, lowest
    row[4], row[5], row[6], row[7] = deepest_yuan, trough, peak, b.sums[N_CALLS]
    row[8], row[9] = b.sums[LARGEST], b.sums[PAID_IN]
    row[15] = index - 1.0
    row[16:] = np.nan
    count = sessions - first
    if count > 1:
        mean, square = s1 / count, s2 / count
        spread = max(square - mean * mean, 0.0)
        row[16], row[17] = mean, np.sqrt(spread * count / (count - 1))
        if spread > 0.0:
            third = s3 / count - 3.0 * mean * square + 2.0 * mean**3
            fourth = s4 / count - 4.0 * mean * s3 / count + 6.0 * mean**2 * square - 3.0 * mean**4
            row[18], row[19] = third / spread**1.5, fourth / spread**2


@njit(cache=True, nogil=True)
def keep_many(want, limits, capital, rules, first, figures, daily):  # type: ignore[no-untyped-def]
    """Book N columns of wishes, each by itself, and keep of each only its figures.

    Parameters
    ----------
    want : int32 ndarray of shape (T, N), Fortran order
        Wished units.
    limits : int64 ndarray of shape (T, N) or (T, 1), Fortran order
        Resting prices in fen, 0 for none; one column serves all.
    capital : int64 ndarray of shape (N,)
        Opening equity, fen.
    rules : Rules
        What holds for the whole run.
    first : int
        Session of the first return; -1: the session after each column's first wish.
    figures : float64 ndarray of shape (N, 20)
        Written: columns `FIGURES`.
    daily : float64 ndarray of shape (N, T) or (N, 0)
        Written, zero before: the return of each session, where there is room for it.
    """
    sessions, columns = want.shape
    column = np.zeros(sessions, dtype=np.int64)
    b = _book(
        sessions,
        False,
        True,
        np.zeros((0, rules.ratio.shape[0]), dtype=np.int64),
        np.zeros((0, 7), dtype=np.int64),
        np.zeros((0, 1, 1), dtype=np.int64),
        np.zeros((0, 8), dtype=np.int64),
        np.zeros((0, 6), dtype=np.int64),
        rules,
    )
    for n in range(columns):
        start = np.int64(first)
        for t in range(sessions):
            column[t] = want[t, n]
        if start < 0:
            start = np.int64(1)
            for t in range(sessions):
                if column[t] != 0:
                    start = np.int64(t + 1)
                    break
        b.held[:] = 0
        b.groups[:] = 0
        b.sums[:] = 0
        rest = limits[:, n] if limits.shape[1] > 1 else limits[:, 0]
        bust = _keep(column, rest, capital[n], rules, b)
        _figures(capital[n], sessions, start, b, figures[n], daily[n])
        figures[n, 10], figures[n, 11] = b.sums[N_TRIPS], b.sums[N_TRIPS] - b.sums[N_ENDED]
        figures[n, 12], figures[n, 13], figures[n, 14] = b.sums[N_WON], b.sums[N_SHORTS], bust
