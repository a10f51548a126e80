"""Contract codes as terminals write them: SI2411.GFE, GFEX.si2411, SI411, 工业硅2411."""

import re
import unicodedata
from functools import cache

import pandas as pd

from sibt.errors import TermsError
from sibt.market.contract import Contract, contract
from sibt.market.product import product, products

__all__ = ["continuous", "decade", "in_words", "plain"]

#: How the exchange is called before or after a code.
_EXCHANGE = r"(?:x?gfex?|广期所|广州期货交易所)"
_AFTER = re.compile(rf"[.@]{_EXCHANGE}$")
_BEFORE = re.compile(rf"^{_EXCHANGE}[.@:_]?")
_SHORT = re.compile(r"([a-z]+)(\d)(0[1-9]|1[0-2])")
#: A series chained from many contracts: si0, si00, si888, siL8, si, si主连, KQ.m@GFEX.si.
_CHAINED = (
    r"[._-]?(?:0{1,4}|0[1-9]|8{2,4}|9{2,4}|l\d|m|main|index|dominant|continuous|cont"
    r"|主力合约|主力连续|主力|主连|连续|连一|连续[一二三]|加权|指数|期货指数)?"
)
#: Nothing listed longer than this before delivery, months.
_LONGEST = 24


@cache
def _names() -> dict[str, str]:
    """Return products by what they are called: code and Chinese name."""
    called = {name: name for name in products()}
    return called | {product(name).title_zh.lower(): name for name in products()}


def plain(word: str, default: str | None = None) -> str:
    """Return a code without exchange and in the exchange's letters, ``si2411``.

    Parameters
    ----------
    word : str
        As written.
    default : str, optional
        Product of a bare delivery month such as ``2411``.

    Returns
    -------
    str
        A three-digit code stays one: `decade` makes it whole. What is no code stays as it is,
        in lower case.
    """
    code = unicodedata.normalize("NFKC", word).strip().strip("'\"").lower().replace(" ", "")
    code = _BEFORE.sub("", _AFTER.sub("", code))
    for called, name in sorted(_names().items(), key=lambda item: -len(item[0])):
        if code.startswith(called) and len(called) > len(name):
            code = name + code.removeprefix(called)
    if default is not None and re.fullmatch(r"\d{4}", code):
        code = default + code
    return code


def continuous(word: str) -> bool:
    """Tell whether a code means a series chained from many contracts."""
    low = unicodedata.normalize("NFKC", word).strip().lower()
    if re.match(r"kq\.[im]@", low):
        return True
    code = plain(word)
    known = "|".join(map(re.escape, products()))
    return re.fullmatch(rf"(?:{known}){_CHAINED}", code) is not None or (
        re.fullmatch(r"[a-z]+(?:888?|999?)|.*(?:主连|主力|连续|指数|加权)", code) is not None
    )


def decade(code: str, days: pd.DatetimeIndex) -> list[str]:
    """Return what a three-digit code such as ``si411`` may stand for on all of some days.

    Parameters
    ----------
    code : str
        As `plain` returns it.
    days : pd.DatetimeIndex
        Days on which it was quoted.

    Returns
    -------
    list of str
        Codes such as ``si2411`` whose life holds all the days; one where it is certain. The
        code itself where it has four digits already.
    """
    match = _SHORT.fullmatch(code)
    if match is None:
        return [code]
    found = []
    for ten in range(1, 10):
        whole = f"{match[1]}{ten}{match[2]}{match[3]}"
        try:
            life = contract(whole)
        except TermsError:
            return [code]
        if all(_lives(life, day) for day in (days.min(), days.max())):
            found.append(whole)
    return found


def _lives(life: Contract, day: pd.Timestamp) -> bool:
    """Tell whether a contract may be quoted on a day, as far as its dates are known."""
    ahead = (life.month - day.to_period("M")).n
    if not 0 <= ahead <= _LONGEST or day < life.product.first_session:
        return False
    begun = life.listed is None or day >= life.listed
    return begun and (life.last_trading is None or day <= life.last_trading)


def in_words(text: str) -> tuple[list[str], bool]:
    """Return the codes that stand in a file's name or a title, and whether a chain does.

    Parameters
    ----------
    text : str
        Such as ``si2411_m5_20241031`` or ``工业硅2411 (SI2411) 日线 不复权``.

    Returns
    -------
    codes : list of str
        Each once, as `plain` returns it.
    chained : bool
        True where the text names a continuous series instead.
    """
    low = unicodedata.normalize("NFKC", text).lower()
    known = "|".join(re.escape(name) for name in sorted(_names(), key=len, reverse=True))
    found: list[str] = []
    for match in re.finditer(rf"(?<![a-z])({known})[ _-]?(\d{{3,4}})(?!\d)", low):
        code = _names()[match[1]] + match[2]
        if not continuous(code) and code not in found:
            found.append(code)
    found = [code for code in found if not any(other != code and _same(code, other)
                                               for other in found)]
    chained = re.search(r"kq\.[im]@|主连|主力|连续|加权|指数", low) is not None or any(
        continuous(match[0])
        for match in re.finditer(rf"(?<![a-z])(?:{known})(?:\d{{1,4}}|l\d)(?![\da-z])", low)
    )
    return found, chained and not found


def _same(short: str, whole: str) -> bool:
    """Tell whether a three-digit code stands beside its four-digit self."""
    match = _SHORT.fullmatch(short)
    return match is not None and re.fullmatch(
        rf"{match[1]}\d{match[2]}{match[3]}", whole
    ) is not None
