"""The hedge-accounting sheet: what CAS 24 (2017) and IFRS 9 ask, answered as far as data can.

It is evidence for the company's own documents, which have to stand before the hedge begins, and
no opinion on them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.hedging.effectiveness import Effectiveness
from sibt.hedging.hedge import FEW_MONTHS, MONTH, Hedge
from sibt.hedging.screen import OLD_STANDARD, regression_test
from sibt.language import Sentence, said

__all__ = ["KINDS", "Row", "Sheet", "kinds", "lower_of", "sheet"]

#: Kinds of hedge: of goods that are there, and of sales and purchases still to come.
KINDS = ("fair value", "cash flow")

_FORECAST = ("output", "need")
_STOCK = ("inventory", "purchase")


@dataclass(frozen=True)
class Row:
    """One line of the sheet.

    Attributes
    ----------
    name : Sentence
        What is asked.
    term : str
        The standard's own Chinese for it.
    answer : tuple of Sentence
        The answer, a sentence or more.
    """

    name: Sentence
    term: str
    answer: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The answer in English, in one piece."""
        return " ".join(self.answer)


@dataclass(frozen=True, eq=False)
class Sheet:
    """What the standards ask of a hedge.

    Attributes
    ----------
    kinds : tuple of str
        Which of `KINDS` the goods call for.
    rows : tuple of Row
        What is asked and answered.
    measured : mapping of str to pd.DataFrame
        By kind, indexed by month: ``item``, ``instrument`` (changes to date of the goods covered
        by futures and of the futures before fees, yuan), ``reserve`` (of a cash-flow hedge to
        date; NaN for a fair value hedge), ``ineffective`` (to date) and ``charge`` (to the
        month's profit, yuan).
    """

    kinds: tuple[str, ...]
    rows: tuple[Row, ...]
    measured: Mapping[str, pd.DataFrame] = field(repr=False)


def kinds(hedge: Hedge) -> tuple[str, ...]:
    """Return the kinds of hedge the goods call for.

    Inventory and purchases are there: a fair value hedge (公允价值套期). Output and needs are
    highly probable forecast transactions (极可能发生的预期交易): a cash-flow hedge (现金流量套期).
    Goods a strategy states as plain tonnes are what its ``owned_as`` says.
    """
    what = set(hedge.book.trades["what"])
    found = [kind for kind, names in zip(KINDS, (_STOCK, _FORECAST), strict=True)
             if what & set(names)]  # fmt: skip
    return tuple(found)


def lower_of(item: float, instrument: float) -> tuple[float, float]:
    """Return the cash-flow hedge reserve and the ineffective part, both to date, yuan.

    The reserve is the change of the instrument or of the item, whichever is less in absolute
    amount, with the instrument's sign; the rest of the instrument goes to profit and loss. An
    instrument that moved less than the item leaves none: IFRS 9, 6.5.11(a), and CAS 24 (2017) in
    the same words. Where both moved the same way nothing was offset, and all of the instrument
    is ineffective.

    Parameters
    ----------
    item, instrument : float
        Changes of the goods and of the futures since the hedge began, yuan.
    """
    if item * instrument >= 0.0:
        return 0.0, instrument + 0.0
    reserve = math.copysign(min(abs(item), abs(instrument)), instrument)
    return reserve, instrument - reserve


def sheet(found: Effectiveness, *, kind: str | None = None) -> Sheet:
    """Return the hedge-accounting sheet of a hedge.

    Parameters
    ----------
    found : Effectiveness
        What the hedge was worth.
    kind : str, optional
        One of `KINDS`, in the place of what `kinds` reads from the goods.

    Raises
    ------
    SettingError
        No such kind.
    """
    if kind is not None and kind not in KINDS:
        raise SettingError(
            f"'{kind}' is no kind of hedge; it is one of {', '.join(KINDS)}."
            f"{did_you_mean(kind, KINDS)}"
        )
    chosen = kinds(found.hedge) if kind is None else (kind,)
    measured = {each: _measured(found, each) for each in chosen}
    rows = (
        Row(said("hedged item"), "被套期项目", (_item(found),)),
        Row(said("hedging instrument"), "套期工具", (_instrument(found),)),
        Row(said("kind of hedge"), "套期类型", (_kind(chosen),)),
        Row(said("economic relationship"), "经济关系", (_relationship(found),)),
        Row(said("credit risk"), "信用风险", _credit()),
        Row(said("hedge ratio"), "套期比率", _ratio(found)),
        Row(said("sources of ineffectiveness"), "无效部分的来源", (_sources(found),)),
        Row(said("ineffectiveness measured"), "套期无效部分", _ineffective(measured)),
        Row(said("formal designation"), "书面文件", _designation()),
        Row(said("80 to 125 % screen"), OLD_STANDARD, _old(found)),
    )
    return Sheet(chosen, rows, measured)


def _measured(found: Effectiveness, kind: str) -> pd.DataFrame:
    hedge, changes = found.hedge, found.hedge.changes
    # The item is what is designated: the goods the futures cover at the quote before.
    covered = hedge.table["ratio"].clip(0.0, 1.0).fillna(0.0)[hedge.book.spot.notna()]
    item = changes["physical"] * covered.shift(1, fill_value=0.0).reindex(changes.index)
    table = pd.DataFrame({"item": item, "instrument": changes["gross"]})
    months = pd.PeriodIndex(pd.DatetimeIndex(table.index), freq="M", name="month")
    table = table.groupby(months).sum().cumsum()
    pairs = [lower_of(*pair) for pair in table.itertuples(index=False, name=None)]
    if kind == "cash flow":
        table["reserve"] = [reserve for reserve, _ in pairs]
        table["ineffective"] = [rest for _, rest in pairs]
    else:
        # Both sides go through profit and loss; what does not cancel is ineffective.
        table["reserve"] = math.nan
        table["ineffective"] = table["item"] + table["instrument"]
    table["charge"] = table["ineffective"].diff().fillna(table["ineffective"])
    return table.round(2) + 0.0


def _item(found: Effectiveness) -> Sentence:
    book, end = found.hedge.book, found.outcome
    if end.side < 0:
        return said(
            "{tonnes:,.6g} t of grade {grade} to be bought; the price risk of the whole purchase.",
            tonnes=end.tonnes, grade=book.grade,
        )  # fmt: skip
    return said(
        "{tonnes:,.6g} t of grade {grade} owned or to be made, and sold; the price risk of the"
        " whole sale.",
        tonnes=end.tonnes, grade=book.grade,
    )  # fmt: skip


def _instrument(found: Effectiveness) -> Sentence:
    hedge = found.hedge
    fills = hedge.result.fills
    fills = fills[fills["session"] >= hedge.sessions[0]]
    if fills.empty:
        return said("No futures were held.")
    peak = int(hedge.table.loc[hedge.sessions, "lots"].abs().max())
    return said(
        "Futures {contracts} on the exchange, {peak:,} lots at the most, each in its entirety.",
        contracts=", ".join(sorted(fills["contract"].unique())), peak=peak,
    )  # fmt: skip


def _kind(chosen: tuple[str, ...]) -> Sentence:
    if chosen == ("fair value",):
        return said(
            "Fair value hedge (公允价值套期): the goods are inventory, and their change in value is"
            " booked beside the futures'."
        )
    if chosen == ("cash flow",):
        return said(
            "Cash-flow hedge (现金流量套期): the sales or purchases are still to come, and have to"
            " be highly probable (极可能发生)."
        )
    return said(
        "Both: inventory is hedged at fair value (公允价值套期), sales and purchases to come as"
        " cash flows (现金流量套期). Designate them apart; below all of it is measured both ways."
    )


def _relationship(found: Effectiveness) -> Sentence:
    path = found.basis.path
    own = path[(path["tonnes"] != 0) & path["futures"].notna()]
    count = len(own) // MONTH
    if count < FEW_MONTHS:
        return said(
            "Not shown by these data: {count} stretches of {length} quotes with goods, and it takes"
            " {fewest}. That the contract delivers the goods or their like is the company's to"
            " state.",
            count=count, length=MONTH, fewest=FEW_MONTHS,
        )  # fmt: skip
    sums = own[["spot", "futures"]].iloc[: count * MONTH].groupby(
        np.repeat(np.arange(count), MONTH)).sum()  # fmt: skip
    try:
        line = regression_test(sums["futures"], sums["spot"])
    except DataError:
        return said("Not shown by these data: spot or futures never moved.")
    rho = math.copysign(math.sqrt(line.r2), line.slope)
    return said(
        "Spot and the futures held correlate by {rho:.2f} over {count} stretches of {length}"
        " quotes; spot moved {slope:.2f} yuan for a yuan of the futures ({low:.2f} to {high:.2f} at"
        " 95%), R² {r2:.2f}.",
        rho=rho, count=count, length=MONTH, slope=line.slope, low=line.low, high=line.high,
        r2=line.r2,
    )  # fmt: skip


def _credit() -> tuple[Sentence, ...]:
    return (
        said(
            "The futures are cleared by the exchange as central counterparty and settled in cash"
            " every day, so credit risk does not dominate them."
        ),
        said(
            "That of the buyers or suppliers of the goods, and of the broker, is the company's to"
            " state."
        ),
    )


def _ratio(found: Effectiveness) -> tuple[Sentence, ...]:
    hedge, end = found.hedge, found.outcome
    table = hedge.table.loc[hedge.sessions]
    size = float(hedge.result.job.terms.multiplier[0])
    owned = table[table["tonnes"] != 0]
    answer = [said(
        "As used: {short:,.0f} t of futures against {goods:,.0f} t of goods on average over"
        " {count} sessions, {ratio:.0%}.",
        short=(owned["lots"] * size).abs().mean() if len(owned) else 0.0,
        goods=owned["tonnes"].abs().mean() if len(owned) else 0.0,
        count=len(owned), ratio=hedge.average_ratio,
    )]  # fmt: skip
    # Lots follow goods by a session. Lots of the goods' own sign add to the risk.
    goods = (table["tonnes"] * end.side).clip(lower=0.0)
    goods = pd.concat([goods, goods.shift(1)], axis=1).max(axis=1)
    short = -end.side * size * table["lots"]
    over = (short >= goods + size) | (short <= -size)
    if over.any():
        answer.append(said(
            "In {count} sessions, first on {day:%Y-%m-%d}, they were more than the goods: that"
            " part cannot be designated.",
            count=int(over.sum()), day=table.index[over.to_numpy()][0],
        ))  # fmt: skip
    return (*answer, _balance(hedge))


def _balance(hedge: Hedge) -> Sentence:
    """Tell whether more or less of the futures would have offset the goods better."""
    months = hedge.stretches()
    try:
        # The other way round than the old standards' test: what the futures were worth in goods.
        line = regression_test(months["gross"], months["physical"])
    except DataError:
        return said("Whether it is out of balance these data do not tell.")
    if line.balanced:
        return said(
            "No sign of imbalance: the goods moved {slope:.2f} yuan against one of the futures"
            " ({low:.2f} to {high:.2f} at 95%).",
            slope=-line.slope, low=-line.high, high=-line.low,
        )  # fmt: skip
    return said(
        "Out of balance: the goods moved {slope:.2f} yuan against one of the futures ({low:.2f} to"
        " {high:.2f} at 95%); consider rebalancing (再平衡).",
        slope=-line.slope, low=-line.high, high=-line.low,
    )  # fmt: skip


def _sources(found: Effectiveness) -> Sentence:
    parts = found.basis.parts["yuan"]
    return said(
        "Basis over time {time:+,.0f}, place {place:+,.0f}, grade {grade:+,.0f}; tonnes not covered"
        " or covered twice {ratio:+,.0f}, less than a lot {rounding:+,.0f}; fills against"
        " settlements and slippage {fills:+,.0f} yuan.",
        time=parts["time"], place=parts["place"], grade=parts["grade"], ratio=parts["ratio"],
        rounding=parts["rounding"], fills=parts["fills"] + parts["slippage"],
    )  # fmt: skip


def _ineffective(measured: Mapping[str, pd.DataFrame]) -> tuple[Sentence, ...]:
    answer = []
    for kind, table in measured.items():
        if table.empty:
            continue
        last = table.iloc[-1]
        if kind == "cash flow":
            answer.append(said(
                "Cash-flow hedge: to date the goods {item:+,.0f} and the futures"
                " {instrument:+,.0f} yuan; the lower of the two, {reserve:+,.0f}, is the reserve"
                " (现金流量套期储备), {rest:+,.0f} is ineffective.",
                item=last["item"], instrument=last["instrument"], reserve=last["reserve"],
                rest=last["ineffective"],
            ))  # fmt: skip
        else:
            answer.append(said(
                "Fair value hedge: to date the goods {item:+,.0f} and the futures"
                " {instrument:+,.0f} yuan; both go through profit and loss, {rest:+,.0f} is"
                " ineffective.",
                item=last["item"], instrument=last["instrument"], rest=last["ineffective"],
            ))  # fmt: skip
    last_word = said(
        "Goods at spot, as far as futures covered them, not discounted; fees are expensed and in"
        " none of it."
    )
    return (*answer, last_word)


def _designation() -> tuple[Sentence, ...]:
    return (
        said(
            "The company's own: risk management objective, item, instrument, ratio and how"
            " effectiveness is assessed, in writing before the hedge begins."
        ),
        said("Nothing here stands in for it."),
    )


def _old(found: Effectiveness) -> tuple[Sentence, ...]:
    table, line = found.offsets, found.regression
    known = table["within"].dropna()
    last = table["offset_to_date"].dropna()
    answer = [said(
        "No longer asked by CAS 24 (2017) and IFRS 9. Months within: {inside} of {count}.",
        inside=int(known.astype(bool).sum()), count=len(known),
    )]  # fmt: skip
    if len(last):
        answer.append(said("To date: {share:.1%}.", share=last.iloc[-1]))
    if line is not None and line.passes:
        answer.append(said(
            "Regression of futures on goods: slope {slope:.2f}, R² {r2:.2f}, passed.",
            slope=line.slope, r2=line.r2,
        ))  # fmt: skip
    elif line is not None:
        answer.append(said(
            "Regression of futures on goods: slope {slope:.2f}, R² {r2:.2f}, not passed.",
            slope=line.slope, r2=line.r2,
        ))  # fmt: skip
    return tuple(answer)
