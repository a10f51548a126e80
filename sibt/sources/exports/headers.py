"""Headers of terminals' exports: which column is which, in what unit, and what kind of data."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.sources.exports.codes import continuous, plain

__all__ = ["COLUMNS", "Headers", "check_map", "is_header", "kind_of", "understand"]

#: Columns and the headers they go by; earlier ones win where a table has several.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "datetime", "日期", "交易日期", "交易日", "日期时间", "tradedate",
             "tradingday", "tradingdate", "day", "timestamp", "时间戳", "bob", "eob", "tradedt",
             "datetimenano"),
    "time": ("time", "时间", "bartime", "交易时间", "tradetime"),
    "contract": ("contract", "symbol", "合约", "合约代码", "tscode", "windcode", "thscode", "代码",
                 "instrument", "instrumentid", "contractcode", "orderbookid", "ticker", "code",
                 "证券代码", "品种合约", "合约编号", "合约名称"),
    "month": ("deliverymonth", "交割月份", "交割月", "合约月份", "delivmonth"),
    "open": ("open", "开盘价", "开盘", "今开盘", "今开", "开", "openprice", "openingprice"),
    "high": ("high", "最高价", "最高", "高", "highprice", "highest"),
    "low": ("low", "最低价", "最低", "低", "lowprice", "lowest"),
    "close": ("close", "收盘价", "收盘", "今收盘", "今收", "收", "closeprice", "closingprice"),
    "settle": ("settle", "结算价", "结算", "今结算", "今结算价", "动态结算价", "settlement",
               "settleprice", "settlementprice"),
    "volume": ("volume", "成交量", "vol", "总手", "成交手数", "tradevolume"),
    "turnover": ("turnover", "成交额", "成交金额", "amount", "amt", "money", "totalturnover"),
    "open_interest": ("openinterest", "持仓量", "closeoi", "oi", "持仓", "hold", "position",
                      "空盘量", "openint", "opi"),
    "grade": ("grade", "牌号", "等级", "规格"),
    "price": ("price", "现货价格", "现货价", "价格", "spotprice", "spot", "报价"),
    "lots": ("lots", "仓单量", "今日仓单量", "注册仓单", "注册仓单量", "仓单", "仓单数量",
             "receipts", "receipt", "receiptslots", "warehousereceipts", "期货仓单"),
    "warehouse": ("warehouse", "仓库/分库", "仓库", "仓库名称", "交割仓库", "仓库简称"),
    "product": ("product", "品种", "variety", "var", "品种代码", "品种名称", "商品", "商品名称"),
    "name": ("name", "名称", "指标", "指标名称", "series", "indicator", "证券名称", "证券简称"),
    "published_on": ("publishedon", "published", "发布日期", "公布日期", "发布时间", "publishdate",
                     "releasedate"),
    "value": ("value", "数值", "值", "指标值"),
    "unit": ("unit", "单位"),
    "source": ("source", "src", "来源", "数据来源"),
}
_PRICES = ("open", "high", "low", "close", "settle")
_KNOWN = {header.replace("_", ""): (column, rank)
          for column, headers in COLUMNS.items() for rank, header in enumerate(headers)}
#: Units in headers: what one of them is in the unit of ours, or None where it is tonnes.
_UNITS: Mapping[str, Mapping[str, float | None]] = {
    "lots": {"手": 1, "lot": 1, "lots": 1, "张": 1, "万手": 1e4, "吨": None, "t": None,
             "tonne": None, "tonnes": None, "tons": None, "ton": None},
    "price": {"元/吨": 1, "元": 1, "yuan/t": 1, "yuanpertonne": 1, "yuan/tonne": 1, "cny/t": 1,
              "rmb/t": 1, "yuan": 1, "cny": 1, "不复权": 1},
    "turnover": {"元": 1, "yuan": 1, "cny": 1, "千元": 1e3, "万元": 1e4, "百万元": 1e6,
                 "亿元": 1e8},
}
_SORT = {
    **dict.fromkeys((*_PRICES, "price"), "price"),
    **dict.fromkeys(("volume", "open_interest", "lots"), "lots"),
    "turnover": "turnover",
}
_UNIT = re.compile(r"(.+?)\s*[(\[【](.+?)[)\]】]\s*|(.+?)[:/]\s*(手|吨|元|万元|元/吨|lots|tonnes)")
#: Looks like one of ours and is none: never guessed at.
_OTHER = {"id", "kind", "change", "changepct", "variety", "exchange", "preclose",
          "presettle", "prevclose", "prevsettle", "openoi", "oichg", "average", "index", "closed",
          "opened", "settled", "highlimit", "lowlimit", "highs", "lows", "values", "names", "units"}


@dataclass(frozen=True)
class Headers:
    """What the columns of one table are.

    Attributes
    ----------
    position : mapping of str to int
        Where each column stands.
    unit : mapping of str to (str, float or None)
        Unit written in the header, and its size; None for tonnes.
    contract : str or None
        Contract named in the headers, as in ``GFEX.si2411.open``.
    unused : tuple of str
        Headers that mean nothing here.
    """

    position: Mapping[str, int]
    unit: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    contract: str | None = None
    unused: tuple[str, ...] = ()


def _plain(header: str) -> str:
    text = unicodedata.normalize("NFKC", header).strip().strip("'\"")
    return re.sub(r"[\s_]+", "", text).lower()


def _split(header: str) -> tuple[str, str, str]:
    """Return a header without what stands around it, its unit, and the contract before it."""
    text, unit, code = unicodedata.normalize("NFKC", header).strip(), "", ""
    if _plain(text) not in _KNOWN and (match := _UNIT.fullmatch(text)):
        text, unit = match[1] or match[3], _plain(match[2] or match[4])
    before, dot, last = text.rpartition(".")
    if dot and _plain(last) in _KNOWN | dict.fromkeys(_OTHER, ()):
        text, code = last, before
    return _plain(text), unit, code


def is_header(words: Sequence[str], named: Mapping[str, str]) -> int:
    """Return how many columns a row of words names; 0 where it is no header.

    Parameters
    ----------
    words : sequence of str
        Cells of a row.
    named : mapping of str to str
        Columns by the headers that the user names.
    """
    found = {named[word] for word in words if word in named}
    for word in words:
        column = _KNOWN.get(_split(word)[0])
        if column is not None:
            found.add(column[0])
    # An index of days without a header; the exchange's receipts, of the day in the title.
    dated = (found & {"date", "time"} or {"warehouse", "lots"} <= found
             or (_blank_index(words) and found & set(_PRICES)))
    return len(found) if dated and len(found) > 1 else 0


def _blank_index(words: Sequence[str]) -> bool:
    """Tell whether the first column has no header, as pandas writes an index."""
    return bool(words) and words[0].strip().lower() in ("", "unnamed: 0")


def understand(header: Sequence[str], named: Mapping[str, str], where: str) -> list[Headers]:
    """Return what the columns of a table are, by contract where the headers name several.

    Parameters
    ----------
    header : sequence of str
        As written.
    named : mapping of str to str
        Columns by the headers that the user names; "ignore" for a column to pass over.
    where : str
        File and sheet, for messages.

    Raises
    ------
    DataError
        Two headers for one column, a unit that is not known, or a misspelt header.
    """
    shared: dict[str, tuple[int, int]] = {}
    own: dict[str, dict[str, tuple[int, int]]] = {}
    units: dict[str, tuple[str, float | None]] = {}
    unused = []
    for at, word in enumerate(header):
        text, unit, code = _split(word)
        column, rank = _KNOWN.get(text, ("", 0))
        if word in named:
            column, rank = named[word], -1
        if column in ("", "ignore"):
            unused.append((at, word))
            continue
        if unit and column in _SORT:
            sizes = _UNITS[_SORT[column]]
            if unit not in sizes:
                if rank >= 0:  # 收盘价(前复权) is no close of ours
                    unused.append((at, word))
                    continue
            else:
                units[column] = (unit, sizes[unit])
        group = own.setdefault(code, {}) if code else shared
        if column in group and rank == group[column][0]:
            raise DataError(
                f"{where}: columns '{header[group[column][1]]}' and '{word}' both hold the"
                f" {column}; take one out, or say which with --map {column}=HEADER."
            )
        if column not in group or rank < group[column][0]:
            if column in group:
                unused.append((group[column][1], header[group[column][1]]))
            group[column] = (rank, at)
        else:
            unused.append((at, word))
    stamped = {"date", "time"} & set(shared).union(*own.values())
    if _blank_index(header) and header[0] not in named and not stamped:
        shared["date"] = (0, 0)
        unused = [(at, word) for at, word in unused if at != 0]
    left = tuple(word or "(without a header)" for _, word in sorted(unused))
    groups = own or {"": {}}
    columns = [
        Headers({name: at for name, (_, at) in (shared | group).items()}, units, code or None, left)
        for code, group in groups.items()
    ]
    _misspelt([word for word in left if word not in named], columns[0], where)
    return [_with_day(each) for each in columns]


def _with_day(headers: Headers) -> Headers:
    """Take a lone column of times for days with times."""
    position = dict(headers.position)
    if "date" not in position and "time" in position:
        position["date"] = position.pop("time")
    return Headers(position, headers.unit, headers.contract, headers.unused)


def _misspelt(left: Sequence[str], headers: Headers, where: str) -> None:
    """Refuse a header that is nearly one of those that are missing."""
    import difflib

    missing = [name for name in COLUMNS if name not in headers.position]
    for word in left:
        text = _plain(word)
        if not text.isascii() or text in _OTHER or text in _KNOWN:
            continue
        near = difflib.get_close_matches(text, [name.replace("_", "") for name in missing], 1, 0.8)
        if near and abs(len(near[0]) - len(text)) < 3:
            column = next(name for name in missing if name.replace("_", "") == near[0])
            raise DataError(
                f"{where}: column '{word}' is not known. Did you mean '{column}'? Say --map"
                f" {column}={word}, or --map ignore={word} to pass it over."
            )


def kind_of(headers: Headers, where: str, wanted: str | None) -> str:
    """Return the kind of data: "bars", "spot", "receipts" or "series".

    Raises
    ------
    DataError
        It cannot be seen, or columns are missing that the kind must have.
    SettingError
        The kind that is wanted is another one.
    """
    have = set(headers.position)
    fits = []
    if have & set(_PRICES):
        fits.append("bars")
    if "lots" in have:
        fits.append("receipts")
    if "price" in have and "grade" in have:
        fits.append("spot")
    if "value" in have:
        fits.append("series")
    if wanted is None and len(fits) != 1:
        if len(fits) > 1:
            raise DataError(
                f"{where}: the columns fit {' and '.join(fits)} alike; say --kind {fits[0]} or"
                f" --kind {fits[1]}."
            )
        if "price" in have:
            raise DataError(
                f"{where}: spot quotes need a column 'grade' (牌号), as 553 or 421; add it: a quote"
                " of 441 is never taken for 553."
            )
        raise DataError(
            f"{where}: the columns {', '.join(sorted(have))} are neither bars, spot, receipts nor"
            " series; say which header is which with --map, as --map close=HEADER."
        )
    kind = wanted or fits[0]
    if wanted is not None and wanted not in fits:
        raise SettingError(
            f"--kind {wanted} does not fit {where}, which has {', '.join(sorted(have))}; leave it"
            " out, or say which header is which with --map."
        )
    if kind == "series" and "published_on" not in have:
        raise DataError(
            f"{where}: there is no column 'published_on'; a series needs the day on which each"
            " value could first be read, or a backtest would know it before it was published: add"
            " the column (发布日期)."
        )
    if "date" not in have and not (kind == "receipts" and "warehouse" in have):
        raise DataError(
            f"{where}: there is no column 'date'; say which it is with --map date=HEADER."
        )
    return kind


def check_map(named: Mapping[str, str]) -> None:
    """Refuse columns that are none.

    Raises
    ------
    SettingError
        A column that is not known.
    """
    for column in named:
        if column != "ignore" and column not in COLUMNS:
            raise SettingError(
                f"--map {column}={named[column]}: there is no column '{column}'; columns are"
                f" {', '.join(COLUMNS)}.{did_you_mean(column, COLUMNS)}"
            )


def chained(headers: Headers) -> bool:
    """Tell whether the headers name a continuous series."""
    return headers.contract is not None and continuous(headers.contract)


def contract_of(headers: Headers) -> str | None:
    """Return the contract that the headers name."""
    return None if headers.contract is None else plain(headers.contract)
