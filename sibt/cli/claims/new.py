"""``sibt claims new``: the file of a report, to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import click

from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "new",
    epilog="Examples:\n\n\b\n  sibt claims new my_desk\n  sibt claims new si_weekly_0514\n"
    "  sibt claims my_desk.toml\n\n"
    "The file scores as it is; docs/claims.md tells of every test and setting.",
)
@click.argument("name")
def command(name: str) -> None:
    """Write NAME.toml into this folder: a commented report to fill in with your own."""
    stem = name.removesuffix(".toml")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", stem):
        raise SettingError(
            f"'{name}' is no name for a report; use letters, digits, _ . and -, such as"
            " my_desk_0514."
        )
    target = Path(f"{stem}.toml")
    try:
        # Exclusive: a file that is there is never overwritten.
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_STARTER.replace("NAME", stem))
    except FileExistsError:
        raise SettingError(
            f"{target} is already here; choose another name: sibt claims new NAME."
        ) from None
    except OSError as error:
        raise SettingError(
            f"{target} cannot be written: {error.strerror}; go to another folder."
        ) from None
    click.echo(f"Wrote {target}. Score it with: sibt claims {target}")


_STARTER = '''\
# A research report as data: what it says, where, and how each sentence can be tested.
# Everything below is an example. Put your own report in its place; then: sibt claims NAME.toml
# Prices are yuan per tonne, days are written as 2024-05-14, KEY_zh is the Chinese of KEY.

[report]
id = "NAME"
title = "Industrial silicon: weekly view"
publisher = "Our desk"
author = "A. Analyst"
# The day it could be read. Its close is the base; what counts begins in the next session.
date = "2024-05-14"
# "printed", or "inferred" with: date_how = "how you know"
date_from = "printed"
product = "si"
# The delivery standard its prices are of: 2022 is si2411 and earlier, 2024 is si2412 and later.
standard = "2022"

# Series of your own that a test names; bring the values in series.csv beside the bars:
# name,date,published_on,value,unit
[[series]]
name = "social_stock"
unit = "10 kt"
what = "social stock of industrial silicon"
what_zh = "工业硅社会库存"

# A price the report names. Strategies may use it: sibt.level("support", file="NAME.toml")
[[level]]
name = "support"
value = 11700.0
claim = "support"

# A range. What the sentence leaves open, such as over how long, is said, and several readings
# are all scored; none is preferred.
[[claim]]
id = "range"
place = "Summary"
quote = "预计主力合约运行区间 11500-12500 元/吨。"
says = "The dominant contract will run between 11,500 and 12,500."
leaves_open = ["for how long", "close or low and high"]
leaves_open_zh = ["多长时间", "收盘价还是最高最低价"]
inconsistency = ["X1"]
[[claim.reading]]
name = "closes"
name_zh = "收盘价"
test = "range"
low = 11500
high = 12500
horizons = [20, 60]
[[claim.reading]]
name = "closes, rolled without jumps"
name_zh = "收盘价，换月复权"
test = "range"
low = 11500
high = 12500
on = "adjusted"
horizons = [20, 60]

# A level that holds. `breaks` says that it will not, `reach` that a price will be seen.
[[claim]]
id = "support"
place = "Summary"
quote = "11700 元/吨成本支撑较强。"
says = "The cost support at 11,700 holds."
[[claim.reading]]
test = "holds_above"
level = 11700
horizons = [20, 60]

# A direction, up to a day.
[[claim]]
id = "direction"
place = "Outlook"
quote = "丰水期前价格偏弱运行。"
says = "Prices fall until the wet season."
[[claim.reading]]
test = "direction"
sign = "down"
on = "held"
until = "2024-06-14"

# A rating by the scale of +-5 % and +-15 %: at the end of the window, or on every day of it.
[[claim]]
id = "rating"
place = "Cover"
quote = "走势评级：震荡"
says = "Rated to stay in its range."
[[claim.reading]]
name = "where it ends"
name_zh = "期末"
test = "rating"
word = "range"
mode = "endpoint"
months = [[1, 3], [3, 6]]
[[claim.reading]]
name = "on every day"
name_zh = "全程"
test = "rating"
word = "range"
mode = "path"
months = [[1, 3]]

# The curve: near against far.
[[claim]]
id = "curve"
place = "Spreads"
quote = "丰水期有望转为反向市场。"
says = "The curve turns to backwardation in the wet season."
[[claim.reading]]
test = "curve"
near = ["si2407", "si2408"]
far = "si2410"
sign = "backwardation"
start = "2024-06-03"
end = "2024-08-30"

# A printed number, held against the data: is it in them?
[[claim]]
id = "close"
place = "Market review"
quote = "主力合约周二收于 12370 元/吨。"
says = "The dominant contract closed at 12,370 on Tuesday."
[[claim.reading]]
test = "identity"
of = "dominant close"
on = "2024-05-14"
value = 12370
tolerance = 100

# What needs data of your own waits for them, and says so.
[[claim]]
id = "stock"
place = "Inventory"
quote = "二季度社会库存继续累积。"
says = "Social stock keeps growing in the second quarter."
[[claim.reading]]
test = "trend"
of = "series social_stock"
sign = "up"
end = "2024-06-28"

# A risk: shown, never right or wrong.
[[claim]]
id = "risk"
place = "Risks"
quote = "风险提示：仓单大量注册。"
says = "Risk: many receipts are registered."
[[claim.reading]]
test = "watch"
of = ["receipts"]

# A sentence nobody can test, and why.
[[claim]]
id = "vague"
place = "Summary"
quote = "中长期价格重心有望上移。"
says = "Prices may stand higher in the long run."
[[claim.reading]]
test = "vague"
why = "no size and no horizon are given"
why_zh = "没有给出幅度和期限"

# Where the report contradicts itself; both readings stand.
[[inconsistency]]
id = "X1"
place = "Summary against outlook"
printed = "11500-12500 / 11300-12500"
finding = "Two lower bounds are printed."
finding_zh = "前后给出两个下沿。"
readings = ["11500-12500", "11300-12500"]
claims = ["range"]
'''
