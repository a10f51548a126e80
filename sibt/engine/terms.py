"""The terms in force: dated rows of the products, or what the user puts in their place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.engine.account import Account
from sibt.engine.money import FEE_SCALE, MARGIN_SCALE, scaled
from sibt.errors import TermsError, did_you_mean
from sibt.market.contract import contract

__all__ = ["TERM_NAMES", "Terms", "terms_in_force"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: What `terms=` may replace.
TERM_NAMES = (
    "margin",
    "price_limit",
    "fee",
    "fee_close_today",
    "fee_per_lot",
    "lock_escalation",
)

Value = float | int | pd.Series


@dataclass(frozen=True)
class Terms:
    """Terms of K contracts over T sessions.

    Attributes
    ----------
    multiplier : int64 ndarray of shape (K,)
        Tonnes per lot.
    tick : ndarray of shape (T, K)
        Price step, yuan per tonne.
    price_limit : ndarray of shape (T, K)
        Share of the last settlement; 1 or more is none.
    margin : int64 ndarray of shape (T, K)
        Rate at each settlement with the broker's add-on, in 1e-6.
    fee_open, fee_close, fee_close_today : int64 ndarray of shape (T, K)
        Shares of turnover times the mark-up, in 1e-10.
    lot_open, lot_close, lot_close_today : int64 ndarray of shape (T, K)
        Fen per lot times the mark-up, in 1e-10.
    escalates : bool ndarray of shape (T,)
        Where a locked session widens the next one's limit and margin.
    """

    multiplier: IntArray
    tick: FloatArray
    price_limit: FloatArray
    margin: IntArray
    fee_open: IntArray
    fee_close: IntArray
    fee_close_today: IntArray
    lot_open: IntArray
    lot_close: IntArray
    lot_close_today: IntArray
    escalates: NDArray[np.bool_]


def _override(name: str, value: Value, sessions: pd.DatetimeIndex) -> FloatArray:
    """Return a replaced term by session, shape (T,); NaN before the first of a Series."""
    if isinstance(value, pd.Series):
        index = value.index
        if not isinstance(index, pd.DatetimeIndex) or index.has_duplicates:
            raise TermsError(f"Term '{name}' is a Series without one day a row; use sessions.")
        strange = index.difference(sessions)
        if len(strange):
            raise TermsError(
                f"Term '{name}' names {strange[0]:%Y-%m-%d}, which is no session of the market;"
                " give a Series by session."
            )
        column = value.reindex(sessions).ffill().to_numpy(float)
    else:
        try:
            column = np.full(len(sessions), float(value))
        except (TypeError, ValueError):
            raise TermsError(
                f"Term '{name}' is '{value}'; give a number, such as {name}=0.1, or a Series"
                " by session."
            ) from None
    stated = column[~np.isnan(column)]
    if np.isinf(column).any() or not len(stated) or (stated < 0).any():
        raise TermsError(f"Term '{name}' must be a number of zero or more in every session.")
    highest = {"margin": 1.0, "fee": 0.1, "fee_close_today": 0.1}.get(name)
    if highest is not None and (stated > highest).any():
        raise TermsError(
            f"Term '{name}' is {stated.max():g}, above {highest:g}; write shares, ten per cent"
            " being 0.1."
        )
    return column


def terms_in_force(
    contracts: tuple[str, ...],
    sessions: pd.DatetimeIndex,
    account: Account,
    replace: Mapping[str, Value] | None = None,
    *,
    open_reading: bool = False,
    observed: pd.DataFrame | None = None,
) -> Terms:
    """Return the terms for contracts over sessions.

    Parameters
    ----------
    contracts : tuple of str, length K
        Contract codes.
    sessions : pd.DatetimeIndex of shape (T,)
        Sessions.
    account : Account
        Its kind picks the margin rate; broker's add-on and mark-up are applied.
    replace : mapping, optional
        ``margin``, ``price_limit``, ``fee`` (open and close, and close-today unless
        ``fee_close_today`` is given), ``fee_per_lot`` (yuan), each a number or a Series by
        session that holds on from its first row. A replaced margin holds at all stages near
        delivery. ``lock_escalation`` of 1 turns on wider limits and margins after locked
        sessions, see `sibt.engine.prices`.
    open_reading : bool
        Use the other reading where the notices leave two.
    observed : pd.DataFrame, optional
        ``Market.terms``: what was charged on single contracts, beside the products' files.

    Raises
    ------
    TermsError
        A name that is no term, or a value out of range.
    """
    replaced = dict(replace or {})
    for name in replaced:
        if name not in TERM_NAMES:
            raise TermsError(
                f"'{name}' is no term that can be replaced; write one of"
                f" {', '.join(TERM_NAMES)}.{did_you_mean(name, TERM_NAMES)}"
            )
    if "fee" in replaced:
        replaced.setdefault("fee_close_today", replaced["fee"])
    columns = {name: _override(name, value, sessions) for name, value in replaced.items()}
    owners = [contract(code).product for code in contracts]
    if observed is not None:
        owners = [owner.extended(observed) for owner in owners]
    rules = list(zip(contracts, owners, strict=True))

    def table(override: str, dated: list[FloatArray]) -> FloatArray:
        rows = np.column_stack(dated)
        if override not in columns:
            return rows
        # A Series holds from its first session on; the dated rows before.
        own = columns[override][:, None]
        return np.where(np.isnan(own), rows, own)

    margin = table(
        "margin",
        [p.margin_rate(code, sessions, account.kind, open_reading) for code, p in rules],
    )
    markup = account.fee_markup
    fees = {
        name: scaled(
            table(override, [p.fee(code, sessions, name) for code, p in rules]),
            markup,
            FEE_SCALE,
        )
        for name, override in (
            ("open", "fee"),
            ("close", "fee"),
            ("close_today", "fee_close_today"),
        )
    }
    lots = {
        name: scaled(
            table("fee_per_lot", [p.fee_per_lot(code, sessions, name) for code, p in rules]),
            markup,
            100 * FEE_SCALE,
        )
        for name in ("open", "close", "close_today")
    }
    return Terms(
        multiplier=np.array([p.multiplier for p in owners], dtype=np.int64),
        tick=table("", [p.tick(sessions) for p in owners]),
        price_limit=table("price_limit", [p.price_limit(code, sessions) for code, p in rules]),
        margin=scaled(margin, 1, MARGIN_SCALE, add=account.broker_margin),
        fee_open=fees["open"],
        fee_close=fees["close"],
        fee_close_today=fees["close_today"],
        lot_open=lots["open"],
        lot_close=lots["close"],
        lot_close_today=lots["close_today"],
        escalates=np.nan_to_num(columns.get("lock_escalation", np.zeros(len(sessions)))) > 0,
    )
