"""The futures ledger: one kernel that decides what may be held and keeps the account.

Runs and sweeps book through it alike. It works in whole lots and whole fen, session by
session, in the order of ``docs/fills.md``; the numbered steps there are the ones here.
"""

import numpy as np
from numba import njit

from sibt.engine.money import fee_fen, margin_fen
from sibt.engine.prices import (
    DELIVERY,
    MARGIN,
    NO_PRICE,
    NOT_LISTED,
    NOT_REACHED,
    PAIR,
    VOLUME,
)

__all__ = ["FILL_REASONS", "OFFSETS", "STATEMENT", "keep"]

#: Why a fill happened, by the code the ledger records.
FILL_REASONS = ("signal", "roll", "margin call", "exit date", "exit date, at settlement", "bust")
SIGNAL, ROLL, CALL, EXIT, EXIT_SETTLED, BUST = range(6)

OFFSETS = ("open", "close", "close_today")
OPEN, CLOSE, CLOSE_TODAY = range(3)

#: Columns of the statement the kernel writes, money in fen.
STATEMENT = ("closed_pnl", "mtm", "fees", "deposit", "equity", "margin", "margin_call")
CLOSED, MTM, FEES, DEPOSIT, EQUITY, MARGIN_HELD, MARGIN_CALL = range(7)

_NEVER = -2


@njit(cache=True, nogil=True)
def _quote(t, k, buy, limit, prices):  # type: ignore[no-untyped-def]
    """Return the price in fen at which a side fills, or minus the reason why it does not."""
    buy_px, sell_px, buy_shut, sell_shut, _, open_, low, high, _ = prices
    shut = buy_shut[t, k] if buy else sell_shut[t, k]
    if shut != 0:
        return -np.int64(shut)
    if limit > 0:
        opening = open_[t, k]
        if opening <= 0:
            return -np.int64(NO_PRICE)
        if buy:
            if opening <= limit:
                return opening
            return limit if low[t, k] <= limit else -np.int64(NOT_REACHED)
        if opening >= limit:
            return opening
        return limit if high[t, k] >= limit else -np.int64(NOT_REACHED)
    return buy_px[t, k] if buy else sell_px[t, k]


@njit(cache=True, nogil=True)
def _turn(place, code, leaving, exits, t, columns):  # type: ignore[no-untyped-def]
    """Return the column a leg closes in turn `place`; -1 for none.

    Old contracts come first in the order of the panel, then the leg's code; when an exit by
    date is at work (`leaving`), expiring ones come before the others.
    """
    if not leaving:
        if place < columns:
            return place if place != code else -1
        return code if place == columns else -1
    if place < columns:
        return place if place != code and exits[place] <= t else -1
    if place < 2 * columns:
        k = place - columns
        return k if k != code and exits[k] > t else -1
    return code if place == 2 * columns else -1


@njit(cache=True, nogil=True)
def _margin_of(pos, t, prices, multiplier, margin, relief, product):  # type: ignore[no-untyped-def]
    """Return the margin of all positions at settlement t, in fen."""
    settle = prices[8]
    total = np.int64(0)
    held = 0
    a = b = ka = kb = np.int64(0)
    for leg in range(pos.shape[0]):
        for k in range(pos.shape[1]):
            lots = pos[leg, k]
            if lots != 0:
                total += margin_fen(abs(lots), settle[t, k], multiplier[k], margin[t, k])
                held += 1
                if held == 1:
                    a, ka = lots, np.int64(k)
                elif held == 2:
                    b, kb = lots, np.int64(k)
    if relief and held == 2 and a * b < 0 and product[ka] == product[kb]:
        matched = min(abs(a), abs(b))
        total -= min(
            margin_fen(matched, settle[t, ka], multiplier[ka], margin[t, ka]),
            margin_fen(matched, settle[t, kb], multiplier[kb], margin[t, kb]),
        )
    return total


@njit(cache=True, nogil=True)
def _shed(pos, kept, group, units, per_unit, code, exits, t, leaving):  # type: ignore[no-untyped-def]
    """Write into `kept` what a group still holds after `units` of it closed."""
    columns = pos.shape[1]
    for leg in range(group[0], group[1]):
        left = units * per_unit[leg]
        for k in range(columns):
            kept[leg, k] = pos[leg, k]
        for place in range(2 * columns + 1):
            k = _turn(place, code[leg], leaving, exits, t, columns)
            if k < 0 or left == 0:
                continue
            take = min(left, abs(pos[leg, k]))
            kept[leg, k] -= take if pos[leg, k] > 0 else -take
            left -= take


@njit(cache=True, nogil=True)
def keep(  # type: ignore[no-untyped-def]
    want,
    codes,
    limits,
    ratio,
    paired,
    capital,
    relief,
    deposit_on_call,
    listed,
    last,
    exits,
    product,
    multiplier,
    margin,
    fee_rates,
    fee_lots,
    prices,
    shared,
    record,
    statement,
    positions,
    fills,
    shorts,
):
    """Book one column of wishes over all sessions.

    Parameters
    ----------
    want : int64 ndarray of shape (T,)
        Wished units after each session, missing ones already carried on.
    codes : int64 ndarray of shape (T, L)
        Column of each leg's contract decided after each session, -1 for none.
    limits : int64 ndarray of shape (T,)
        Resting price in fen for the next session, 0 for none.
    ratio : int64 ndarray of shape (L,)
        Signed lots of each leg in a unit.
    paired : bool
        Legs change together.
    capital : int
        Opening equity, fen.
    relief, deposit_on_call : bool
        Calendar-spread relief; calls answered by a deposit.
    listed, last, exits : int64 ndarray of shape (K,)
        Sessions of listing, of the last trading day, and in which the account must be out.
    product : int64 ndarray of shape (K,)
        Number of each contract's product.
    multiplier : int64 ndarray of shape (K,)
        Tonnes per lot.
    margin : int64 ndarray of shape (T, K)
        Margin rates in 1e-6.
    fee_rates, fee_lots : tuple of three int64 ndarrays of shape (T, K)
        Open, close, close-today: shares of turnover, and fen per lot, in 1e-10.
    prices : tuple of ndarrays of shape (T, K)
        buy, sell, buy_shut, sell_shut, cap, open, low, high, settle of `Prices`.
    shared : bool
        Two legs may trade one contract in one session.
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
        Fills, shortfalls (counted on even where the arrays are too small to hold them), and
        the session of the bust or -1.
    """
    T = want.shape[0]
    L = ratio.shape[0]
    K = multiplier.shape[0]
    cap, settle = prices[4], prices[8]
    G = 1 if paired else L

    pos = np.zeros((L, K), dtype=np.int64)
    today = np.zeros((L, K), dtype=np.int64)
    paid_in = np.zeros((L, K), dtype=np.int64)  # lots × price of today's openings
    kept = np.zeros((L, K), dtype=np.int64)
    room = np.zeros(K, dtype=np.int64)
    room_left = np.zeros(K, dtype=np.int64)
    per_unit = np.ones(L, dtype=np.int64)
    if paired:
        for leg in range(L):
            per_unit[leg] = abs(ratio[leg])
    bound = np.zeros(G, dtype=np.int64)
    goal = np.zeros(G, dtype=np.int64)
    forced = np.zeros(G, dtype=np.int64)
    leaving = np.zeros(G, dtype=np.bool_)
    quotes = np.zeros(L, dtype=np.int64)
    own = np.zeros(L, dtype=np.int64)
    short_at = np.zeros(L, dtype=np.int64)
    code = np.zeros(L, dtype=np.int64)

    n_fills = 0
    n_shorts = 0
    called = _NEVER  # evening of the pending call
    equity = capital
    bust = -1
    flat = True
    statement[0, EQUITY] = equity

    for t in range(1, T):
        wish = want[t - 1]
        if flat and wish == 0:
            statement[t, EQUITY] = equity
            continue
        fees = np.int64(0)
        traded = np.int64(0)  # minus signed lots × price × multiplier of today's fills
        closed = np.int64(0)
        before = np.int64(0)  # value of what came into today
        for leg in range(L):
            code[leg] = codes[t - 1, leg]
            for k in range(K):
                today[leg, k] = 0
                paid_in[leg, k] = 0
                if pos[leg, k] != 0:
                    before += pos[leg, k] * settle[t - 1, k] * multiplier[k]
        for k in range(K):
            room[k] = cap[t, k]

        # 1. What must go.
        if called != _NEVER and called < t - 1 and want[t - 1] != want[t - 2]:
            called = _NEVER
        for g in range(G):
            first, beyond = (0, L) if paired else (g, g + 1)
            leaving[g] = False
            forced[g] = SIGNAL
            for leg in range(first, beyond):
                k = code[leg]
                if k >= 0 and pos[leg, k] != 0 and exits[k] <= t:
                    leaving[g] = True
            full = wish if paired else wish * ratio[g]
            goal[g] = full
            if leaving[g]:
                goal[g] = 0
                forced[g] = EXIT
            elif called != _NEVER and abs(full) > bound[g]:
                goal[g] = bound[g] if full > 0 else -bound[g]
                forced[g] = CALL

        # 2. Close.
        for g in range(G):
            first, beyond = (0, L) if paired else (g, g + 1)
            lots = np.int64(0)
            for k in range(K):
                lots += pos[first, k]
            held = lots // ratio[first] if paired else lots
            if held == 0:
                continue
            same = (goal[g] > 0) == (held > 0) and goal[g] != 0
            stay = abs(goal[g]) if same else np.int64(0)
            n = abs(held) - stay
            if n <= 0:
                if forced[g] == CALL:
                    forced[g] = SIGNAL
                continue
            reason = forced[g]
            if reason == CALL:
                # A wish that lets go of as much by itself is no forced cut.
                full = wish if paired else wish * ratio[g]
                if (full > 0) != (held > 0) or full == 0:
                    reason = SIGNAL
                    forced[g] = SIGNAL
            limit = limits[t - 1] if reason == SIGNAL else np.int64(0)
            can = n
            for leg in range(first, beyond):
                room_able = np.int64(0)
                own[leg] = 0
                short_at[leg] = -1
                for place in range(2 * K + 1):
                    k = _turn(place, code[leg], False, exits, t, K)
                    if k < 0 or pos[leg, k] == 0:
                        continue
                    if short_at[leg] < 0:
                        short_at[leg] = k
                    size = abs(pos[leg, k])
                    q = _quote(t, k, pos[leg, k] < 0, limit, prices)
                    able = min(size, room[k]) if q > 0 else np.int64(0)
                    room_able += able
                    if able < size and own[leg] == 0:
                        own[leg] = -q if q <= 0 else VOLUME
                        short_at[leg] = k
                units = room_able // per_unit[leg]
                if units >= n:
                    own[leg] = 0
                can = min(can, units)
            if shared and paired:
                can = _close_jointly(can, first, beyond, t, limit, pos, code, per_unit, exits,
                                     room, room_left, prices)
            for leg in range(first, beyond):
                left = can * per_unit[leg]
                for place in range(2 * K + 1):
                    k = _turn(place, code[leg], False, exits, t, K)
                    if k < 0 or pos[leg, k] == 0 or left == 0:
                        continue
                    q = _quote(t, k, pos[leg, k] < 0, limit, prices)
                    if q <= 0:
                        continue
                    take = min(left, abs(pos[leg, k]), room[k])
                    if take == 0:
                        continue
                    signed = -take if pos[leg, k] > 0 else take
                    cost = fee_fen(take, q, multiplier[k], fee_rates[1][t, k], fee_lots[1][t, k])
                    fees += cost
                    traded -= signed * q * multiplier[k]
                    closed -= signed * (q - settle[t - 1, k]) * multiplier[k]
                    pos[leg, k] += signed
                    room[k] -= take
                    left -= take
                    if record:
                        n_fills = _put(fills, n_fills, t, leg, k, signed, q, cost, CLOSE, reason)
            if record and can < n:
                side = -1 if held > 0 else 1
                for leg in range(first, beyond):
                    sign = side * (1 if not paired or ratio[leg] > 0 else -1)
                    why = own[leg] if own[leg] != 0 else np.int64(PAIR)
                    n_shorts = _miss(shorts, n_shorts, t, leg, short_at[leg],
                                     sign * n * per_unit[leg], sign * can * per_unit[leg], why)

        # 3. Roll.
        for leg in range(L):
            into = code[leg]
            if into < 0:
                continue
            for k in range(K):
                lots = pos[leg, k]
                if lots == 0 or k == into:
                    continue
                size = abs(lots)
                out = _quote(t, k, lots < 0, np.int64(0), prices)
                leave = min(size, room[k]) if out > 0 else np.int64(0)
                opening = _quote(t, into, lots > 0, np.int64(0), prices)
                refused = _refusal(t, into, listed, last, exits)
                if refused != 0:
                    opening = -refused
                enter = min(size, room[into]) if opening > 0 else np.int64(0)
                take = min(leave, enter)
                if take > 0:
                    signed = take if lots > 0 else -take
                    cost = fee_fen(
                        take, out, multiplier[k], fee_rates[1][t, k], fee_lots[1][t, k]
                    )
                    more = fee_fen(take, opening, multiplier[into], fee_rates[0][t, into],
                                   fee_lots[0][t, into])
                    fees += cost + more
                    traded += signed * out * multiplier[k]
                    traded -= signed * opening * multiplier[into]
                    closed += signed * (out - settle[t - 1, k]) * multiplier[k]
                    pos[leg, k] -= signed
                    pos[leg, into] += signed
                    today[leg, into] += signed
                    paid_in[leg, into] += signed * opening
                    room[k] -= take
                    room[into] -= take
                    if record:
                        n_fills = _put(fills, n_fills, t, leg, k, -signed, out, cost, CLOSE, ROLL)
                        n_fills = _put(
                            fills, n_fills, t, leg, into, signed, opening, more, OPEN, ROLL
                        )
                if record and take < size:
                    if leave < size:
                        why = -out if out <= 0 else np.int64(VOLUME)
                    else:
                        why = -opening if opening <= 0 else np.int64(VOLUME)
                    sign = -1 if lots > 0 else 1
                    n_shorts = _miss(shorts, n_shorts, t, leg, k, sign * size, sign * take, why)

        # 4. Open. What is held and rolled in is margined before what is new.
        tied = np.int64(-1)
        for g in range(G):
            first, beyond = (0, L) if paired else (g, g + 1)
            if leaving[g] or goal[g] == 0:
                continue
            lots = np.int64(0)
            for k in range(K):
                lots += pos[first, k]
            held = lots // ratio[first] if paired else lots
            if held != 0 and (held > 0) != (goal[g] > 0):
                continue
            n = abs(goal[g]) - abs(held)
            if n <= 0:
                continue
            limit = limits[t - 1]
            can = n
            for leg in range(first, beyond):
                k = code[leg]
                long = (goal[g] > 0) == (not paired or ratio[leg] > 0)
                refused = _refusal(t, k, listed, last, exits)
                q = -refused if refused != 0 else _quote(t, k, long, limit, prices)
                quotes[leg] = q
                units = room[k] // per_unit[leg] if q > 0 else np.int64(0)
                own[leg] = 0
                if units < n:
                    own[leg] = -q if q <= 0 else VOLUME
                can = min(can, units)
            if shared and paired and can > 0:
                can = _open_jointly(can, first, beyond, code, per_unit, room, room_left)
            short_of_margin = False
            if can > 0:
                if tied < 0:
                    tied = np.int64(0)
                    for leg in range(L):
                        for k in range(K):
                            carried = pos[leg, k] - today[leg, k]
                            if carried != 0:
                                tied += margin_fen(
                                    abs(carried), settle[t - 1, k], multiplier[k], margin[t - 1, k]
                                )
                            if today[leg, k] != 0:
                                # Only rolls have opened so far, at the market's price.
                                entry = _quote(t, k, today[leg, k] > 0, np.int64(0), prices)
                                tied += margin_fen(
                                    abs(today[leg, k]), entry, multiplier[k], margin[t - 1, k]
                                )
                need = _need(can, first, beyond, t, code, per_unit, quotes, multiplier, margin,
                             fee_rates[0], fee_lots[0])
                if tied + need > equity:
                    short_of_margin = True
                    fit, over = np.int64(0), can
                    while over - fit > 1:
                        middle = (fit + over) // 2
                        need = _need(middle, first, beyond, t, code, per_unit, quotes, multiplier,
                                     margin, fee_rates[0], fee_lots[0])
                        if tied + need <= equity:
                            fit = middle
                        else:
                            over = middle
                    can = fit
                if can > 0:
                    tied += _need(can, first, beyond, t, code, per_unit, quotes, multiplier,
                                  margin, fee_rates[0], fee_lots[0])
            for leg in range(first, beyond):
                k = code[leg]
                take = can * per_unit[leg]
                if take > 0:
                    long = (goal[g] > 0) == (not paired or ratio[leg] > 0)
                    signed = take if long else -take
                    q = quotes[leg]
                    cost = fee_fen(take, q, multiplier[k], fee_rates[0][t, k], fee_lots[0][t, k])
                    fees += cost
                    traded -= signed * q * multiplier[k]
                    pos[leg, k] += signed
                    today[leg, k] += signed
                    paid_in[leg, k] += signed * q
                    room[k] -= take
                    if record:
                        n_fills = _put(fills, n_fills, t, leg, k, signed, q, cost, OPEN, SIGNAL)
            if record and can < n:
                for leg in range(first, beyond):
                    long = (goal[g] > 0) == (not paired or ratio[leg] > 0)
                    sign = 1 if long else -1
                    why = own[leg] if own[leg] != 0 else np.int64(PAIR)
                    if short_of_margin:
                        why = np.int64(MARGIN)
                    n_shorts = _miss(shorts, n_shorts, t, leg, code[leg],
                                     sign * n * per_unit[leg], sign * can * per_unit[leg], why)

        # 5. Leave at settlement.
        for g in range(G):
            first, beyond = (0, L) if paired else (g, g + 1)
            n = np.int64(0)
            for leg in range(first, beyond):
                lots = np.int64(0)
                for k in range(K):
                    if leaving[g] or (pos[leg, k] != 0 and exits[k] <= t):
                        lots += abs(pos[leg, k])
                n = max(n, (lots + per_unit[leg] - 1) // per_unit[leg])
            if n == 0:
                continue
            _shed(pos, kept, (first, beyond), n, per_unit, code, exits, t, True)
            for leg in range(first, beyond):
                for k in range(K):
                    signed = kept[leg, k] - pos[leg, k]
                    if signed == 0:
                        continue
                    f, c, n_fills = _settle_out(t, leg, k, signed, pos, today, paid_in, settle,
                                                multiplier, fee_rates, fee_lots, EXIT_SETTLED,
                                                record, fills, n_fills)
                    fees += f
                    closed += c
                    traded -= signed * settle[t, k] * multiplier[k]

        # 7. and 8. Mark to market, equity, margin.
        after = np.int64(0)
        flat = True
        for leg in range(L):
            for k in range(K):
                if pos[leg, k] != 0:
                    flat = False
                    after += pos[leg, k] * settle[t, k] * multiplier[k]
        mtm = after - before + traded
        equity += mtm - fees

        # 9. Bust.
        if equity <= 0:
            for leg in range(L):
                for k in range(K):
                    if pos[leg, k] != 0:
                        signed = -pos[leg, k]
                        f, c, n_fills = _settle_out(t, leg, k, signed, pos, today, paid_in, settle,
                                                    multiplier, fee_rates, fee_lots, BUST,
                                                    record, fills, n_fills)
                        fees += f
                        closed += c
                        equity -= f
            bust = t
        tied_now = np.int64(0)
        if not flat and bust < 0:
            tied_now = _margin_of(pos, t, prices, multiplier, margin, relief, product)
        call = tied_now - equity if bust < 0 and tied_now > equity else np.int64(0)

        # 10. Margin call.
        paid = np.int64(0)
        if call > 0:
            if deposit_on_call:
                paid = call
                equity += call
            else:
                called = t
                _cut(pos, kept, t, G, paired, ratio, per_unit, code, exits, equity, bound,
                     prices, multiplier, margin, relief, product)
        statement[t, CLOSED] = closed
        statement[t, MTM] = mtm
        statement[t, FEES] = fees
        statement[t, DEPOSIT] = paid
        statement[t, EQUITY] = equity
        statement[t, MARGIN_HELD] = tied_now
        statement[t, MARGIN_CALL] = call
        if record:
            for leg in range(L):
                for k in range(K):
                    positions[t, leg, k] = pos[leg, k]
        if bust >= 0:
            for s in range(t + 1, T):
                statement[s, EQUITY] = equity
            break
    return n_fills, n_shorts, bust


@njit(cache=True, nogil=True)
def _put(fills, n, t, leg, k, signed, price, fee, offset, reason):  # type: ignore[no-untyped-def]
    if n < fills.shape[0]:
        fills[n, 0] = t
        fills[n, 1] = leg
        fills[n, 2] = k
        fills[n, 3] = signed
        fills[n, 4] = price
        fills[n, 5] = fee
        fills[n, 6] = offset
        fills[n, 7] = reason
    return n + 1


@njit(cache=True, nogil=True)
def _miss(shorts, n, t, leg, k, wanted, filled, reason):  # type: ignore[no-untyped-def]
    if n < shorts.shape[0]:
        shorts[n, 0] = t
        shorts[n, 1] = leg
        shorts[n, 2] = k
        shorts[n, 3] = wanted
        shorts[n, 4] = filled
        shorts[n, 5] = reason
    return n + 1


@njit(cache=True, nogil=True)
def _refusal(t, k, listed, last, exits):  # type: ignore[no-untyped-def]
    """Return why a contract may not be opened in a session, 0 if it may."""
    if k < 0 or t < listed[k] or t > last[k]:
        return np.int64(NOT_LISTED)
    return np.int64(DELIVERY) if t >= exits[k] else np.int64(0)


@njit(cache=True, nogil=True)
def _need(units, first, beyond, t, code, per_unit, quotes, multiplier, margin, rates, lots_fee):  # type: ignore[no-untyped-def]
    """Return margin and fees that opening `units` of a group takes, in fen."""
    total = np.int64(0)
    for leg in range(first, beyond):
        k = code[leg]
        lots = units * per_unit[leg]
        total += margin_fen(lots, quotes[leg], multiplier[k], margin[t - 1, k])
        total += fee_fen(lots, quotes[leg], multiplier[k], rates[t, k], lots_fee[t, k])
    return total


@njit(cache=True, nogil=True)
def _open_jointly(units, first, beyond, code, per_unit, room, room_left):  # type: ignore[no-untyped-def]
    """Return the units legs that share a contract's cap can open together."""
    while units > 0:
        fits = True
        for k in range(room.shape[0]):
            room_left[k] = room[k]
        for leg in range(first, beyond):
            room_left[code[leg]] -= units * per_unit[leg]
            if room_left[code[leg]] < 0:
                fits = False
        if fits:
            break
        units -= 1
    return units


@njit(cache=True, nogil=True)
def _close_jointly(  # type: ignore[no-untyped-def]
    units, first, beyond, t, limit, pos, code, per_unit, exits, room, room_left, prices
):
    """Return the units legs that share a contract's cap can close together."""
    columns = pos.shape[1]
    while units > 0:
        fits = True
        for k in range(columns):
            room_left[k] = room[k]
        for leg in range(first, beyond):
            left = units * per_unit[leg]
            for place in range(2 * columns + 1):
                k = _turn(place, code[leg], False, exits, t, columns)
                if k < 0 or pos[leg, k] == 0:
                    continue
                if _quote(t, k, pos[leg, k] < 0, limit, prices) > 0:
                    take = min(left, abs(pos[leg, k]), room_left[k])
                    room_left[k] -= take
                    left -= take
            if left > 0:
                fits = False
        if fits:
            break
        units -= 1
    return units


@njit(cache=True, nogil=True)
def _settle_out(  # type: ignore[no-untyped-def]
    t, leg, k, signed, pos, today, paid_in, settle, multiplier, fee_rates, fee_lots, reason,
    record, fills, n_fills
):
    """Close lots at settlement, the oldest first; return fees, closed result, fills so far.

    The closed result is against the previous settlement, for lots opened today against
    their own price.
    """
    price = settle[t, k]
    size = abs(signed)
    young = min(size, max(np.int64(0), size - (abs(pos[leg, k]) - abs(today[leg, k]))))
    old = size - young
    way = 1 if signed > 0 else -1
    fees = np.int64(0)
    closed = np.int64(0)
    if old > 0:
        cost = fee_fen(old, price, multiplier[k], fee_rates[1][t, k], fee_lots[1][t, k])
        fees += cost
        closed -= way * old * (price - settle[t - 1, k]) * multiplier[k]
        if record:
            n_fills = _put(fills, n_fills, t, leg, k, way * old, price, cost, CLOSE, reason)
    if young > 0:
        cost = fee_fen(young, price, multiplier[k], fee_rates[2][t, k], fee_lots[2][t, k])
        fees += cost
        share = paid_in[leg, k] * young // abs(today[leg, k])
        closed += (-way * young * price - share) * multiplier[k]
        paid_in[leg, k] -= share
        if record:
            n_fills = _put(fills, n_fills, t, leg, k, way * young, price, cost, CLOSE_TODAY, reason)
    pos[leg, k] += signed
    if young > 0:
        today[leg, k] += way * young
    return fees, closed, n_fills


@njit(cache=True, nogil=True)
def _cut(  # type: ignore[no-untyped-def]
    pos, kept, t, G, paired, ratio, per_unit, code, exits, equity, bound, prices, multiplier,
    margin, relief, product
):
    """Write into `bound` what each group may keep so that equity carries its margin."""
    L, K = pos.shape
    if paired:
        lots = np.int64(0)
        for k in range(K):
            lots += pos[0, k]
        held = abs(lots // ratio[0])
        for leg in range(L):
            for k in range(K):
                kept[leg, k] = pos[leg, k]
        fails, works = np.int64(0), held  # units closed; with none left there is no margin
        while works - fails > 1:
            middle = (fails + works) // 2
            _shed(pos, kept, (0, L), middle, per_unit, code, exits, t, False)
            if _margin_of(kept, t, prices, multiplier, margin, relief, product) <= equity:
                works = middle
            else:
                fails = middle
        bound[0] = held - works
        return
    tied = np.zeros(G, dtype=np.int64)
    for leg in range(L):
        lots = np.int64(0)
        for k in range(K):
            kept[leg, k] = pos[leg, k]
            lots += abs(pos[leg, k])
            if pos[leg, k] != 0:
                tied[leg] += margin_fen(
                    abs(pos[leg, k]), prices[8][t, k], multiplier[k], margin[t, k]
                )
        bound[leg] = lots
    while _margin_of(kept, t, prices, multiplier, margin, relief, product) > equity:
        worst = 0
        for leg in range(L):
            if tied[leg] > tied[worst]:
                worst = leg
        if tied[worst] <= 0:
            break
        if bound[worst] == 0:
            tied[worst] = 0
            continue
        bound[worst] -= 1
        held = np.int64(0)
        for k in range(K):
            held += abs(pos[worst, k])
        _shed(pos, kept, (worst, worst + 1), held - bound[worst], per_unit, code, exits, t, False)
