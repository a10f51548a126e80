"""Runs held against each other: what can be compared, what differs, and who does better in what."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sibt.errors import SettingError
from sibt.language import Sentence, said
from sibt.runs.side import Side

__all__ = ["FEWEST", "FIGURES", "FIRST", "MOST", "Comparison", "Figure", "compare"]

#: How many runs a comparison holds.
FEWEST, MOST = 2, 20

#: Below so many common sessions a correlation says nothing.
FEW_SESSIONS = 20

#: The letter of the run all others are held against.
FIRST = "A"

_LETTERS = "ABCDEFGHIJKLMNOPQRST"


@dataclass(frozen=True)
class Figure:
    """One figure of the comparison.

    Attributes
    ----------
    name, label : str
        In tables for programs, and for people.
    form : {"yuan", "price", "share", "ratio", "count"}
        Yuan; yuan per tonne or unit; a share; a plain ratio; a number of things.
    better : {1, -1, 0}
        Whether more is better, less is, or neither.
    alike : {"", "capital", "goods", "strategy", "sessions"}
        What runs must have in common, beside data and time, for one to be called the best.
    """

    name: str
    label: str
    form: str
    better: int = 0
    alike: str = ""


#: What is compared, in the order it is shown. Drawdowns and worst days are zero or less.
FIGURES = (
    Figure("hedged", "goods + futures", "yuan", 1),
    Figure("hedged_per_tonne", "goods + futures per tonne", "price", 1, "goods"),
    Figure("physical", "goods alone", "yuan"),
    Figure("max_drawdown_hedged", "deepest drawdown, goods + futures", "share", 1, "capital"),
    Figure("worst_day_hedged", "worst day, goods + futures", "yuan", 1),
    Figure("variance_reduction", "variance cut by", "share", 1, "sessions"),
    Figure("net", "net result", "yuan", 1),
    Figure("net_per_tonne", "net per tonne", "price", 1, "goods"),
    Figure("net_per_unit", "net per unit", "price", 1, "strategy"),
    Figure("total_return", "return on its own capital", "share", 1, "capital"),
    Figure("return_on_margin", "net over peak margin", "share", 1),
    Figure("max_drawdown_yuan", "deepest drawdown", "yuan", 1),
    Figure("drawdown_on_base", "deepest drawdown, on the common base", "share", 1),
    Figure("max_drawdown", "deepest drawdown, of its own capital", "share", 1, "capital"),
    Figure("worst_day", "worst day", "yuan", 1),
    Figure("peak_margin", "peak margin", "yuan", -1),
    Figure("highest_risk", "highest risk degree", "share", -1, "capital"),
    Figure("margin_calls", "margin calls", "count", -1, "capital"),
    Figure("fees", "fees", "yuan", -1),
    Figure("slippage", "slippage", "yuan", -1),
    Figure("sharpe", "Sharpe ratio", "ratio", 1, "sessions"),
    Figure("sortino", "Sortino ratio", "ratio", 1, "sessions"),
    Figure("round_trips", "round trips", "count"),
    Figure("won", "round trips won", "count"),
    Figure("unfilled_orders", "unfilled orders", "count", -1),
    Figure("sessions_held", "sessions with a position", "count"),
    Figure("sessions", "sessions that count", "count"),
)


#: What says nothing of the futures alone where they answer goods.
_NOT_OF_HEDGES = (
    "net", "net_per_tonne", "net_per_unit", "total_return", "return_on_margin",
    "max_drawdown_yuan", "drawdown_on_base", "max_drawdown", "worst_day", "sharpe", "sortino",
)  # fmt: skip


def compare(sides: Sequence[Side]) -> Comparison:
    """Return runs held against each other, the first one being what others differ from.

    Raises
    ------
    SettingError
        Fewer than 2 or more than 20.
    """
    if len(sides) < FEWEST:
        raise SettingError(
            f"A comparison needs {FEWEST} runs or more, and this is {len(sides)}; name another one."
        )
    if len(sides) > MOST:
        raise SettingError(
            f"A comparison holds {MOST} runs at the most, and these are {len(sides)}; name fewer."
        )
    return Comparison(tuple(sides))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two to twenty runs held against each other. Money in yuan, unknown is NaN.

    Columns of its tables are `letters`, one a run.

    Attributes
    ----------
    sides : tuple of Side
        The runs, in order.
    """

    sides: tuple[Side, ...]

    @property
    def letters(self) -> list[str]:
        """What the runs are called, from A on."""
        return list(_LETTERS[: len(self.sides)])

    @cached_property
    def labels(self) -> dict[str, str]:
        """By letter, what a run is: its strategy, and the parameters in which it differs."""
        found = {}
        for letter, side in zip(self.letters, self.sides, strict=True):
            alike = [other.parameters for other in self.sides if other.strategy == side.strategy]
            own = [
                f"{name}={shown(value)}"
                for name, value in side.parameters.items()
                if any(shown(other.get(name)) != shown(value) for other in alike)
            ]
            words = [side.strategy, *own[:_OWN]] + (["…"] if len(own) > _OWN else [])
            found[letter] = " ".join(words)
        return found

    @property
    def simulated(self) -> bool:
        """True where any of the data are made up."""
        return any(side.simulated for side in self.sides)

    @property
    def looks_ahead(self) -> bool:
        """True where the strategy of any of the runs was caught looking ahead."""
        return any(side.looks_ahead for side in self.sides)

    # -- What can be compared -----------------------------------------------------------------

    def comparable(self, one: Side, other: Side, alike: str = "") -> bool:
        """Tell whether two runs can be held against each other in figures of a kind.

        They need the same data, the same sessions to trade in or common ones in the market, and
        goods both or neither. `alike` is what else they need in common; see `Figure`. Nothing
        compares with a run whose strategy looks ahead.
        """
        if one.looks_ahead or other.looks_ahead:
            return False
        alike_in = (_data, _hedges, _ALIKE[alike])
        return _same_time(one, other) and all(key(one) == key(other) for key in alike_in)

    def ranked(self, alike: str = "") -> list[list[str]]:
        """Return the groups of runs of which one can be the best.

        All of a group can be held against each other, and against no run outside it; a run
        that held nothing is in none.
        """
        left = [(k, s) for k, s in zip(self.letters, self.sides, strict=True) if s.span]
        groups = []
        while left:
            group = [left.pop(0)]
            for member in group:  # it grows meanwhile
                near = [one for one in left if self.comparable(member[1], one[1], alike)]
                group += near
                left = [one for one in left if one not in near]
            whole = all(self.comparable(a[1], b[1], alike) for a in group for b in group)
            if whole and len(group) > 1:
                groups.append([letter for letter, _ in group])
        return groups

    @cached_property
    def limits(self) -> list[Sentence]:
        """What a reader must know before one run is held against another, a sentence each."""
        return [*self._apart(), *self._in_part(), *self._of_many()]

    def _apart(self) -> list[Sentence]:
        found = []
        ahead = [k for k, side in zip(self.letters, self.sides, strict=True) if side.looks_ahead]
        if ahead:
            found.append(said(
                "{letters}: the strategy LOOKS AHEAD, so its figures could not have been earned and"
                " are not ranked.",
                letters=_list(ahead),
            ))  # fmt: skip
        made_up = [k for k, side in zip(self.letters, self.sides, strict=True) if side.simulated]
        if made_up and len(made_up) < len(self.sides):
            found.append(said(
                "Prices of {simulated} are SIMULATED and those of {recorded} are not: made-up"
                " prices say nothing about real ones.",
                simulated=_list(made_up),
                recorded=_list(k for k in self.letters if k not in made_up),
            ))  # fmt: skip
        data = self._groups(_data)
        if len(data) > 1:
            found.append(said(
                "The data are not the same: {groups}.",
                groups=_groups((letters, _source(side)) for letters, side in data),
            ))  # fmt: skip
        pairs = [
            f"{a}/{b}"
            for n, (a, one) in enumerate(zip(self.letters, self.sides, strict=True))
            for b, other in list(zip(self.letters, self.sides, strict=True))[n + 1 :]
            if one.span and other.span and not _same_time(one, other)
        ]
        if pairs:
            spans = self._groups(_time, held=True)
            found.append(said(
                "Periods do not overlap: {pairs} ({spans}).",
                pairs=_list(pairs, 10), spans=_groups((k, _time(side)) for k, side in spans),
            ))  # fmt: skip
        owners = [k for k, side in zip(self.letters, self.sides, strict=True) if _hedges(side)]
        if owners and len(owners) < len(self.sides):
            found.append(said(
                "Goods are owned in {letters} and in no other: futures that answer goods are"
                " neither better nor worse than futures alone.",
                letters=_list(owners),
            ))  # fmt: skip
        whole = [*self.ranked()]
        if found and not whole:
            found.append(said("So these runs cannot be ranked, and none is called the best."))
        elif found:
            found.append(said(
                "So a best is marked only among {groups}.", groups="; ".join(map(_list, whole)),
            ))  # fmt: skip
        return found

    def _in_part(self) -> list[Sentence]:
        found = []
        goods = self._groups(lambda side: side.standards, held=True)
        if len(goods) > 1:
            found.append(said(
                "The goods are not the same: {groups}; yuan per tonne is not ranked among them.",
                groups=_groups((k, " + ".join(side.standards)) for k, side in goods),
            ))  # fmt: skip
        capital = self._groups(lambda side: side.capital)
        if len(capital) > 1:
            found.append(said(
                "The capital is not the same: {groups} yuan; shares of a run's own capital are not"
                " ranked among them.",
                groups=_groups((k, f"{side.capital:,.0f}") for k, side in capital),
            ))  # fmt: skip
        known = [side for side in self.sides if side.figures.get("sharpe") is not None]
        if len({_ALIKE["sessions"](side) for side in known}) > 1:
            found.append(said(
                "The sessions that count are not the same, so ratios such as Sharpe are not ranked."
            ))  # fmt: skip
        idle = [k for k, side in zip(self.letters, self.sides, strict=True) if side.span is None]
        if idle:
            found.append(said("{letters}: no position was held, so nothing is ranked.",
                              letters=_list(idle)))  # fmt: skip
        return found

    def _of_many(self) -> list[Sentence]:
        """Say of sets of sweeps that the best of many were chosen."""
        found = []
        for letters, side in self._groups(lambda side: side.chosen and side.chosen.sweep):
            chosen = side.chosen
            if chosen is None:
                continue
            found.append(said(
                "{letters}: chosen as the best of {sets:,} sets of {sweep} on these very data. The"
                " best of many looks better than it is; the sweep's page says what it is worth.",
                letters=_list(letters), sets=chosen.sets, sweep=chosen.sweep,
            ))  # fmt: skip
            if chosen.engine != "ledger":
                found.append(said(
                    "{letters}: the sweep chose by what {engine} came to without the exchange's"
                    " rules; here the sets are booked by them.",
                    letters=_list(letters), engine=chosen.engine,
                ))  # fmt: skip
        return found

    def _groups(
        self, key: Callable[[Side], Hashable], *, held: bool = False
    ) -> list[tuple[list[str], Side]]:
        """Return letters that share a key, with a run of each."""
        found: dict[Hashable, tuple[list[str], Side]] = {}
        for letter, side in zip(self.letters, self.sides, strict=True):
            if not held or side.span is not None:
                found.setdefault(key(side), ([], side))[0].append(letter)
        return list(found.values())

    # -- Figures ------------------------------------------------------------------------------

    @property
    def base(self) -> float:
        """The common capital base, yuan: the largest capital of any of the runs."""
        return max(side.capital for side in self.sides)

    @cached_property
    def figures(self) -> pd.DataFrame:
        """Figures by name, as `FIGURES` orders them; those that no run knows are left out."""
        columns = {}
        for letter, side in zip(self.letters, self.sides, strict=True):
            known = side.figures
            net, margin = known["net"], known["peak_margin"]
            own = {
                "net_per_unit": _over(net, side.units),
                "return_on_margin": _over(net, margin),
                "drawdown_on_base": self.drawdowns[letter].min(),
                "sessions_held": int(side.held.sum()),
            }
            columns[letter] = [own.get(one.name, known.get(one.name)) for one in FIGURES]
        names = pd.Index([one.name for one in FIGURES], name="figure")
        table = pd.DataFrame(columns, index=names).astype(float)
        return table[table.notna().any(axis=1)]

    @cached_property
    def best(self) -> pd.DataFrame:
        """True where a run is the best of a group in a figure.

        Never among runs that cannot be compared, of values that are unknown, or where all of a
        group are equal; of hedges, not in figures of the futures alone.
        """
        marks = pd.DataFrame(False, index=self.figures.index, columns=self.letters)
        for one in FIGURES:
            if not one.better or one.name not in marks.index:
                continue
            for group in self.ranked(one.alike):
                hedges = _hedges(self.sides[self.letters.index(group[0])])
                if hedges and one.name in _NOT_OF_HEDGES:
                    continue
                values = (one.better * self.figures.loc[one.name][group]).round(8).dropna()
                if len(values) > 1 and values.min() < values.max():
                    for letter in values.index[(values == values.max()).to_numpy()]:
                        marks.at[one.name, letter] = True
        return marks

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Figures less those of the first run; NaN between made-up prices and real ones."""
        table = self.figures.sub(self.figures[FIRST], axis=0)
        for letter, side in zip(self.letters, self.sides, strict=True):
            if side.simulated != self.sides[0].simulated:
                table[letter] = np.nan
        return table

    # -- Day by day ---------------------------------------------------------------------------

    @cached_property
    def daily(self) -> pd.DataFrame:
        """What each futures account gained by session, yuan; NaN where a run does not count."""
        return pd.DataFrame(
            {k: side.daily for k, side in zip(self.letters, self.sides, strict=True)}
        ).sort_index()

    @cached_property
    def equity(self) -> pd.DataFrame:
        """The common base plus what each run had gained by each session, yuan."""
        return self.base + self.daily.cumsum()

    @cached_property
    def drawdowns(self) -> pd.DataFrame:
        """How far `equity` stands below its highest value so far, a share of zero or less."""
        return self.equity / self.equity.cummax().clip(lower=self.base) - 1.0

    def gained(self, per: str) -> pd.DataFrame:
        """Return what each run had gained by each session.

        Parameters
        ----------
        per : {"unit", "tonne", "goods"}
            Yuan per unit or per tonne of the largest position; or, "goods", yuan of goods and
            futures together, NaN for runs without goods and in sessions without a quote.
        """
        if per == "goods":
            sides = zip(self.letters, self.sides, strict=True)
            goods = {k: s.goods.reindex(s.counted) for k, s in sides if s.goods is not None}
            return pd.DataFrame(goods).sort_index().cumsum()
        size = {"unit": "units", "tonne": "tonnes"}[per]
        sizes = pd.Series([getattr(side, size) for side in self.sides], index=self.letters)
        return self.daily.cumsum() / sizes

    @cached_property
    def correlation(self) -> pd.DataFrame:
        """Correlation of daily results of futures accounts, by letter and letter.

        Over `common` sessions; NaN where there are fewer than 20, where a run gained nothing
        in any of them, and between made-up prices and real ones.
        """
        table = pd.DataFrame(np.nan, index=self.letters, columns=self.letters)
        for a, b, days in self._pairs():
            x, y = (self.daily.loc[days, k].to_numpy() for k in (a, b))
            if len(days) >= FEW_SESSIONS and np.ptp(x) > 0 and np.ptp(y) > 0:
                table.loc[a, b] = table.loc[b, a] = round(float(np.corrcoef(x, y)[0, 1]), 10)
        return table

    @cached_property
    def common(self) -> pd.DataFrame:
        """Sessions that count in both of two runs and in which one of them or both held lots."""
        table = pd.DataFrame(0, index=self.letters, columns=self.letters)
        for a, b, days in self._pairs():
            table.loc[a, b] = table.loc[b, a] = len(days)
        return table

    def _pairs(self) -> Iterable[tuple[str, str, pd.DatetimeIndex]]:
        for n, a in enumerate(self.letters):
            for b, other in zip(self.letters[n:], self.sides[n:], strict=True):
                one = self.sides[n]
                both = one.counted.intersection(other.counted)
                if one.simulated != other.simulated:
                    both = both[:0]
                yield a, b, both[one.held[both].to_numpy() | other.held[both].to_numpy()]

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """Round trips of all runs by entry; ``run`` is the letter."""
        tables = [
            side.round_trips.assign(run=letter)
            for letter, side in zip(self.letters, self.sides, strict=True)
        ]
        whole = pd.concat([one for one in tables if len(one)] or tables[:1], ignore_index=True)
        columns = ["run", *(name for name in whole if name not in ("run", "data"))]
        return whole[columns].sort_values(["entry", "run"], kind="stable", ignore_index=True)

    # -- What differs -------------------------------------------------------------------------

    @cached_property
    def differs(self) -> pd.DataFrame:
        """What differs in parameters, data, settings, versions and code.

        Columns ``part``, ``key`` and the letters; values as they were set, "–" where a run has
        no such thing. Of the code, how many lines came and went against the first run's;
        `diff` shows them.
        """
        rows: list[list[str]] = []
        for part in ("parameters", "data", "settings", "versions"):
            given = [getattr(side, part) for side in self.sides]
            for key in dict.fromkeys(name for one in given for name in one):
                values = [shown(one[key]) if key in one else _NOTHING for one in given]
                if key == "sha256":
                    values = [value[:12] for value in values]
                if len(set(values)) > 1:
                    rows.append([part, key, *values])
        for key, tell in (("strategy", lambda side: side.strategy), ("strategy.py", self._lines)):
            values = [tell(side) for side in self.sides]
            if len(set(values)) > 1:
                rows.append(["code", key, *values])
        return pd.DataFrame(rows, columns=["part", "key", *self.letters], dtype=object)

    @cached_property
    def codes(self) -> list[tuple[list[str], Side]]:
        """Letters of the runs that share a strategy's code, with one of them each."""
        return self._groups(lambda side: side.code)

    def diff(self, side: Side) -> list[str]:
        """Return the lines in which a run's code differs from the first run's, as a diff."""
        first, second = (one.code.splitlines() for one in (self.sides[0], side))
        a, b = (f"{one.name}/strategy.py" for one in (self.sides[0], side))
        return list(difflib.unified_diff(first, second, a, b, lineterm=""))

    def _lines(self, side: Side) -> str:
        lines = self.diff(side)[2:]
        if not lines:
            return _NOTHING if not side.code else "="
        return f"+{sum(x[0] == '+' for x in lines)} −{sum(x[0] == '-' for x in lines)}"


#: Differing parameters that stand in a label.
_OWN = 4

_NOTHING = "–"

_ALIKE: dict[str, Callable[[Side], Hashable]] = {
    "": lambda side: None,
    "capital": lambda side: side.capital,
    "goods": lambda side: side.standards,
    "strategy": lambda side: (side.standards, side.strategy),
    "sessions": lambda side: (*side.counted[:1], *side.counted[-1:]),
}


def shown(value: Any) -> str:
    """Return a parameter or setting as people write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.10g}" if abs(value) >= 100_000 else f"{value:.10g}"
    return str(value)


def _data(side: Side) -> Hashable:
    return bool(side.data["simulated"]), side.data["sha256"]


def _hedges(side: Side) -> bool:
    return side.goods is not None


def _same_time(one: Side, other: Side) -> bool:
    """Tell whether two runs had the same sessions to trade in, or common ones in the market."""
    if _ALIKE["sessions"](one) == _ALIKE["sessions"](other):
        return True
    (a, b), (c, d) = _period(one), _period(other)
    return bool(a <= d and c <= b)


def _period(side: Side) -> tuple[pd.Timestamp, pd.Timestamp]:
    if side.span is not None:
        return side.span
    if not len(side.counted):
        return side.statement.index[-1], side.statement.index[-1]
    return side.counted[0], side.counted[-1]


def _time(side: Side) -> str:
    first, last = _period(side)
    return f"{first:%Y-%m-%d}..{last:%Y-%m-%d}"


def _source(side: Side) -> str:
    data = side.data
    return f"{data['source']} {data['first']}..{data['last']}, {str(data['sha256'])[:12]}"


def _over(value: float, size: float) -> float:
    return value / size if size and math.isfinite(size) else math.nan


def _list(words: Iterable[str], most: int = MOST) -> str:
    every = list(words)
    return ", ".join(every[:most]) + (" …" if len(every) > most else "")


def _groups(groups: Iterable[tuple[list[str], str]]) -> str:
    return "; ".join(f"{_list(letters)}: {what}" for letters, what in groups)
