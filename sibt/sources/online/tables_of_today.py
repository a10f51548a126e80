"""Margins, limits and fees of today, as public tables show them, as terms that were observed.

None of these tables has a history: what they say is of today, whatever date is asked for.
"""

from __future__ import annotations

import pandas as pd

from sibt.market.contract import contract
from sibt.market.product import product as product_of
from sibt.sources.online.asking import Wrong

__all__ = ["fees_9qihuo", "fees_openctp", "margins"]

#: No exchange charges more of turnover than this; more is another unit.
_MOST_FEE = 0.005

_COLUMNS = ["contract", "item", "from", "value", "source", "confidence"]

#: A table may be read an evening late, or over a weekend: so many sessions back it is placed.
_BACK = 3
#: The longest holiday, and some.
_GRACE = pd.Timedelta(days=14)


def margins(
    frame: pd.DataFrame, product: str, bars: pd.DataFrame, closed: pd.Timestamp, source: str
) -> pd.DataFrame:
    """Return margins and limits from the exchange's daily trading parameters.

    The table does not name its day. Its margin in yuan a lot is rate × settlement × lot, so
    the settlement it was made from tells the day: the last closed session or one just before.

    Parameters
    ----------
    frame : pd.DataFrame
        As `futures_settle_gfex` gives it; its columns are named by their place, so they are
        checked against each other.
    product : str
        Product code.
    bars : pd.DataFrame
        The store's bars.
    closed : pd.Timestamp
        The last session that has closed.
    source : str
        Name to keep.

    Returns
    -------
    pd.DataFrame
        Kind ``terms``: items speculator, hedger and limit, from the settlement found.

    Raises
    ------
    Wrong
        The table contradicts itself, or fits no recent settlement.
    """
    terms = product_of(product)
    rows = frame[frame["symbol"].str.lower().str.fullmatch(rf"{product}\d{{4}}")]
    table = pd.DataFrame({"contract": rows["symbol"].str.lower().astype("str")})
    for name in ("spec_buy_rate", "spec_buy", "hedge_buy_rate", "hedge_buy", "rise_limit_rate",
                 "rise_limit"):
        table[name] = pd.to_numeric(rows[name], errors="coerce")
    table = table.dropna()
    table = table[(table["spec_buy_rate"] > 0) & (table["spec_buy"] > 0)]
    if table.empty:
        raise Wrong(f"the exchange's margins hold no contract of {product}")
    settle = table["spec_buy"] / table["spec_buy_rate"] / terms.multiplier
    hedged = table["hedge_buy"] / table["hedge_buy_rate"] / terms.multiplier
    step = float(terms.tick(pd.DatetimeIndex([closed]))[0])
    rise = settle * (1 + table["rise_limit_rate"])
    odd = ((settle - hedged).abs() > 1) | ((rise - table["rise_limit"]).abs() > 2 * step)
    for name in ("spec_buy_rate", "hedge_buy_rate", "rise_limit_rate"):
        odd |= ~table[name].between(0.01, 1)
    if odd.any():
        raise Wrong(
            f"the exchange's margins of {table.loc[odd, 'contract'].iloc[0]} contradict each"
            " other: their columns have changed"
        )
    ended = [code for code in table["contract"] if not _lives(code, closed - _GRACE)]
    if ended:
        raise Wrong(f"the exchange's margins are of another day: {ended[0]} has ended")
    day = _day_of(settle.set_axis(table["contract"]), bars, closed)
    items = {"speculator": "spec_buy_rate", "hedger": "hedge_buy_rate", "limit": "rise_limit_rate"}
    return pd.concat(
        [
            _observed(table["contract"], item, table[name].round(6), day, source, "sourced")
            for item, name in items.items()
        ],
        ignore_index=True,
    )


def _lives(code: str, day: pd.Timestamp) -> bool:
    last = contract(code).last_trading
    return last is None or last >= day


def _day_of(settle: pd.Series, bars: pd.DataFrame, closed: pd.Timestamp) -> pd.Timestamp:
    """Return the recent session of these settlements; the last closed where none is kept."""
    recent = bars[(bars["date"] <= closed) & bars["settle"].notna()]
    days = sorted(recent["date"].unique())[-_BACK:]
    days = [day for day in days if closed - day <= _GRACE]
    if not days:
        return closed
    for day in reversed(days):
        own = recent[recent["date"] == day].set_index("contract")["settle"]
        own = own[own.index.isin(settle.index)]
        if len(own) and 2 * int(((settle[own.index] - own).abs() < 1).sum()) > len(own):
            return pd.Timestamp(day)
    if days[-1] < closed:
        # The settlements it was made from are not kept yet.
        return closed
    raise Wrong("the exchange's margins fit no recent settlement: they are of another day")


def fees_9qihuo(frame: pd.DataFrame | None, product: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return fees from the table of `futures_comm_info`.

    A fee stands as a share of turnover or as yuan a lot. Where it is a share the yuan column
    repeats the whole cell as text, which is no number and is passed over.
    """
    if frame is None:
        raise Wrong("the table of fees is empty")
    rows = _own(frame, "合约代码", product, day)
    found = []
    for item, word in (("open", "开仓"), ("close", "平昨"), ("close_today", "平今")):
        share = pd.to_numeric(rows[f"手续费标准-{word}-万分之"], errors="coerce")
        yuan = pd.to_numeric(rows[f"手续费标准-{word}-元"], errors="coerce")
        # 0 yuan for close-today means free, in shares as well.
        share = share.where(share.notna() | yuan.isna(), 0.0)
        yuan = yuan.where(yuan.notna() | share.isna(), 0.0)
        found += _fee(rows["合约代码"], item, share, yuan, day, "akshare 9qihuo")
    return _fees(found, product)


def fees_openctp(frame: pd.DataFrame | None, product: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return fees from the table of `futures_fees_info`."""
    if frame is None:
        raise Wrong("the table of fees is empty")
    rows = _own(frame, "合约代码", product, day)
    found = []
    for item, word in (("open", "开仓"), ("close", "平仓"), ("close_today", "平今")):
        share = pd.to_numeric(rows[f"{word}费率（按金额）"], errors="coerce")
        yuan = pd.to_numeric(rows[f"{word}费率（按手）"], errors="coerce")
        found += _fee(rows["合约代码"], item, share, yuan, day, "akshare openctp")
    return _fees(found, product)


def _own(frame: pd.DataFrame, column: str, product: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of a product's contracts that still live; sites keep dead ones."""
    codes = frame[column].astype("str").str.strip().str.lower()
    rows = frame.assign(**{column: codes})[codes.str.fullmatch(rf"{product}\d{{4}}")]
    rows = rows[[_lives(code, day) for code in rows[column]]]
    return rows.drop_duplicates(column)


def _fee(
    codes: pd.Series, item: str, share: pd.Series, yuan: pd.Series, day: pd.Timestamp, source: str
) -> list[pd.DataFrame]:
    if (share > _MOST_FEE).any() or (share < 0).any() or (yuan < 0).any():
        raise Wrong(f"a fee of {share.max():g} of turnover cannot be: the unit has changed")
    return [
        _observed(codes, item, share.round(9), day, source, "inferred"),
        _observed(codes, f"{item}_per_lot", yuan, day, source, "inferred"),
    ]


def _fees(found: list[pd.DataFrame], product: str) -> pd.DataFrame:
    table = pd.concat(found, ignore_index=True).dropna(subset=["value"], ignore_index=True)
    if table.empty:
        raise Wrong(f"the table of fees holds no contract of {product}")
    return table


def _observed(
    codes: pd.Series, item: str, value: pd.Series, day: pd.Timestamp, source: str, confidence: str
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contract": codes.to_numpy(dtype=object),
            "item": item,
            "from": day,
            "value": value.to_numpy(dtype="float64"),
            "source": source,
            "confidence": confidence,
        },
        columns=_COLUMNS,
    ).astype({"from": "datetime64[ns]"})
