"""Book explicit trades, as on a broker's statement, through the ledger's fee and lot rules."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from sibt.engine.account import Account
from sibt.engine.money import fee_fen, margin_fen, to_fen
from sibt.engine.terms import Terms, terms_in_force
from sibt.errors import DataError, SettingError, did_you_mean
from sibt.market.contract import contract

__all__ = ["Booking", "book"]

Matching = Literal["fifo", "today_first"]

_SIDES = {"buy": 1, "sell": -1}
_TRADE = ("session", "contract", "side", "offset", "lots", "price")


@dataclass(frozen=True)
class Booking:
    """Explicit trades, booked.

    Attributes
    ----------
    statement : pd.DataFrame
        By session: ``mtm, fees, equity, margin, available``, yuan.
    fills : pd.DataFrame
        ``session, contract, side, offset, lots, price, fee``; a trade that closes lots of
        today and of earlier days is two fills.
    positions : pd.DataFrame
        Signed lots after each session, sessions × contracts.
    """

    statement: pd.DataFrame
    fills: pd.DataFrame
    positions: pd.DataFrame


@dataclass
class _Lots:
    """Lots of one contract and side, those of earlier days apart from today's."""

    old: int = 0
    today: int = 0

    def close(self, lots: int, matching: str) -> tuple[int, int]:
        """Take lots out; return how many were old and how many today's."""
        if matching == "fifo":
            old = min(lots, self.old)
            young = lots - old
        else:
            young = min(lots, self.today)
            old = lots - young
        self.old -= old
        self.today -= young
        return old, young


def book(
    trades: pd.DataFrame,
    settlements: "pd.DataFrame | pd.Series[float]",
    terms: Mapping[str, Any] | None = None,
    *,
    account: Account | None = None,
    matching: Matching = "fifo",
) -> Booking:
    """Book trades one by one in the order given.

    Parameters
    ----------
    trades : pd.DataFrame
        ``session, contract, side`` (buy, sell), ``offset`` (open, close), ``lots``,
        ``price`` (yuan per tonne). Long and short lots of one contract are kept apart, as
        the exchange does; a buy that closes closes short lots.
    settlements : pd.DataFrame or pd.Series
        Settlement prices, sessions × contracts (or of the one contract), for every session
        to be booked.
    terms : mapping, optional
        What replaces the dated terms, see `sibt.engine.terms.terms_in_force`.
    account : Account, optional
        Capital, kind, broker's add-ons.
    matching : {"fifo", "today_first"}
        Which lots a close takes first: the exchange's first-in-first-out, or today's.

    Returns
    -------
    Booking
        Statement, fills and positions.

    Raises
    ------
    DataError
        A trade outside the sessions, a close of more lots than are held, a missing
        settlement.
    SettingError
        A matching that is not known.
    """
    account = account or Account()
    if matching not in ("fifo", "today_first"):
        raise SettingError(f"`matching` is '{matching}'; write fifo or today_first.")
    missing = [name for name in _TRADE if name not in trades.columns]
    if missing:
        raise DataError(
            f"The trades lack the column{'s' if len(missing) > 1 else ''} {', '.join(missing)};"
            f" give {', '.join(_TRADE)}."
        )
    if isinstance(settlements, pd.Series):
        if trades.empty:
            raise DataError("There are no trades to name the contract; give settlements by name.")
        settlements = settlements.to_frame(str(trades["contract"].iloc[0]))
    sessions = pd.DatetimeIndex(settlements.index)
    if sessions.has_duplicates:
        day = sessions[sessions.duplicated()][0]
        raise DataError(f"The settlements name {day:%Y-%m-%d} twice; give one row a session.")
    if not sessions.is_monotonic_increasing:
        raise DataError("The settlements are not in order of their days; sort them first.")
    contracts = tuple(str(code) for code in settlements.columns)
    rules = terms_in_force(contracts, sessions, account, terms)
    settle = to_fen(settlements.to_numpy(float))
    held: dict[tuple[int, int], _Lots] = defaultdict(_Lots)
    by_session = _by_session(trades, sessions, contracts)
    equity = int(to_fen(np.array([account.capital]))[0])
    rows, fills, lots = [], [], np.zeros((len(sessions), len(contracts)), dtype=np.int64)
    for t in range(len(sessions)):
        before = sum(
            side * (book.old + book.today) * settle[t - 1, k] * rules.multiplier[k]
            for (k, side), book in held.items()
            if t
        )
        for book in held.values():
            book.old, book.today = book.old + book.today, 0
        traded = fees = 0
        for trade in by_session[t]:
            for fill in _fill(trade, t, held, rules, matching):
                fills.append(fill)
                signed = _SIDES[fill["side"]] * fill["lots"]
                traded -= signed * fill["price"] * int(rules.multiplier[fill["k"]])
                fees += fill["fee"]
        worth = margin = 0
        for (k, side), book in held.items():
            size = book.old + book.today
            lots[t, k] += side * size
            if size and not settle[t, k]:
                raise DataError(
                    f"No settlement of {contracts[k]} on {sessions[t]:%Y-%m-%d} while"
                    f" {size} lots are held; add it to `settlements`."
                )
            worth += side * size * int(settle[t, k]) * int(rules.multiplier[k])
            margin += int(
                margin_fen(size, int(settle[t, k]), int(rules.multiplier[k]),
                           int(rules.margin[t, k]))
            )
        mtm = int(worth - before + traded)
        equity += mtm - fees
        rows.append((mtm, fees, equity, margin, equity - margin))
    statement = pd.DataFrame(
        np.array(rows, dtype=np.int64).reshape(len(sessions), 5) / 100,
        index=sessions,
        columns=["mtm", "fees", "equity", "margin", "available"],
    )
    table = pd.DataFrame(
        [
            (sessions[f["t"]], contracts[f["k"]], f["side"], f["offset"], f["lots"],
             f["price"] / 100, f["fee"] / 100)
            for f in fills
        ],
        columns=["session", "contract", "side", "offset", "lots", "price", "fee"],
    )
    return Booking(statement, table, pd.DataFrame(lots, index=sessions, columns=list(contracts)))


def _by_session(
    trades: pd.DataFrame, sessions: pd.DatetimeIndex, contracts: tuple[str, ...]
) -> list[list[dict[str, Any]]]:
    """Return checked trades by session, in the order given."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(sessions))]
    for number, row in enumerate(trades.to_dict("records"), start=1):
        day = pd.Timestamp(row["session"])
        if day not in sessions:
            raise DataError(
                f"Trade {number} is on {day:%Y-%m-%d}, which has no settlements; add that session"
                " to `settlements`."
            )
        if row["contract"] not in contracts:
            raise DataError(
                f"Trade {number} is in {row['contract']}, which has no settlements; known are"
                f" {', '.join(contracts)}.{did_you_mean(str(row['contract']), contracts)}"
            )
        contract(row["contract"])
        if row["side"] not in _SIDES or row["offset"] not in ("open", "close"):
            raise DataError(
                f"Trade {number} is '{row['side']} {row['offset']}'; write buy or sell, and open"
                " or close."
            )
        whole = isinstance(row["lots"], int | float | np.integer) and row["lots"] % 1 == 0
        if not whole or row["lots"] <= 0 or not row["price"] > 0:
            raise DataError(f"Trade {number} needs whole lots and a price, both above zero.")
        found[int(sessions.searchsorted(day))].append(
            {**{str(k): v for k, v in row.items()}, "number": number,
             "k": contracts.index(row["contract"])}
        )
    return found


def _fill(
    trade: dict[str, Any],
    t: int,
    held: dict[tuple[int, int], _Lots],
    rules: Terms,
    matching: str,
) -> list[dict[str, Any]]:
    """Return the fills of one trade, fees in fen, and change what is held."""
    k, side, lots = trade["k"], _SIDES[trade["side"]], int(trade["lots"])
    price = int(to_fen(np.array([float(trade["price"])]))[0])
    if trade["offset"] == "open":
        held[k, side].today += lots
        parts = [("open", lots, rules.fee_open, rules.lot_open)]
    else:
        book = held[k, -side]
        if book.old + book.today < lots:
            raise DataError(
                f"Trade {trade['number']} closes {lots} lots of {trade['contract']}, but only"
                f" {book.old + book.today} are held on that side; check its offset."
            )
        old, young = book.close(lots, matching)
        parts = [
            ("close", old, rules.fee_close, rules.lot_close),
            ("close_today", young, rules.fee_close_today, rules.lot_close_today),
        ]
    return [
        {
            "t": t,
            "k": k,
            "side": trade["side"],
            "offset": offset,
            "lots": size,
            "price": price,
            "fee": int(
                fee_fen(size, price, int(rules.multiplier[k]), int(rate[t, k]), int(flat[t, k]))
            ),
        }
        for offset, size, rate, flat in parts
        if size
    ]
