"""Bars in exports: whose they are, in what units, and how long each is."""

import re
import unicodedata
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.market import intraday
from sibt.market.bars import BARS, build
from sibt.market.panel import FIELDS
from sibt.market.product import Product, product, products
from sibt.market.table import FloatArray, Origin, Table
from sibt.sources.exports import codes, headers
from sibt.sources.exports.headers import Headers
from sibt.sources.exports.reading import Continuous, Parts, Reading

__all__ = ["BarTables"]

_PRICES = FIELDS[:5]
_LENGTH = re.compile(
    r"(?<![a-z0-9])(?:m(\d{1,3})|(\d{1,3})\s*(?:m|min|minutes?|分钟?)线?)(?![a-z0-9])"
)
#: As si2412-C-12000.
_OPTION = re.compile(r"[a-z]+\d{3,4}[-_]?[cp][-_]?\d+")


class BarTables(Reading):
    """Bars of a day, or of minutes."""

    def _contracts(self, group: Headers) -> "pd.Series[Any]":
        """Return the contract of each row, as written in a column, the headers or the name."""
        rows = len(self.grid.frame)
        if "contract" in group.position:
            return self.column(group.position["contract"])
        if group.contract is not None:
            return pd.Series([group.contract] * rows, dtype=object)
        if "month" in group.position:
            return self._months(group)
        if "name" in group.position:
            cells = self.column(group.position["name"])
            if all(codes.in_words(str(word))[0] for word in cells.dropna().unique()):
                return cells.map(lambda word: codes.in_words(str(word))[0][0], na_action="ignore")
        chain = ""
        for text in (self.grid.title, *self.grid.names):
            found, chained = codes.in_words(text)
            if not found and self.wishes.product and re.fullmatch(r"\d{4}", text.strip()):
                found = [self.wishes.product + text.strip()]
            if len(found) == 1:
                said = "title" if text == self.grid.title else "name"
                self.notes.append(f"contract {found[0]} taken from the {said} '{text}'")
                return pd.Series(found * rows, dtype=object)
            if found:
                raise DataError(
                    f"{self.grid.place}: there is no column of contracts, and '{text}' names"
                    f" {' and '.join(found)}; name one of them, or add a column 'contract'."
                )
            chain = chain or (text if chained else "")
        if chain:
            raise Continuous(
                f"{self.grid.place}: '{chain}' is a continuous series, which is not a contract;"
                " export the bars of each delivery month under its own code, as si2411."
            )
        raise DataError(
            f"{self.grid.place}: there is no column of contracts, and neither title nor name says"
            " which one it is; add a column 'contract', or name the file after it, as si2411.csv."
        )

    def _months(self, group: Headers) -> "pd.Series[Any]":
        """Return contracts from a column of products and one of delivery months."""
        months = self.column(group.position["month"]).astype(object).map(
            lambda cell: re.sub(r"(?:20)?(\d{4})(?:\.0)?", r"\1", str(cell).strip()),
            na_action="ignore",
        )
        if "product" in group.position:
            words = self.column(group.position["product"]).astype(object)
            return words.map(lambda cell: str(cell).strip(), na_action="ignore") + months
        if self.wishes.product is None:
            raise DataError(
                f"{self.grid.place}: there are delivery months, but no column says of which"
                " product; say --product si."
            )
        return self.wishes.product + months

    def _codes(
        self, words: "pd.Series[Any]", times: NDArray[np.datetime64], totals: NDArray[np.bool_]
    ) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return the codes of rows, and which rows belong to contracts that are wanted."""
        numbers, uniques = pd.factorize(words.astype(object))
        written = [str(word).strip() for word in uniques]
        named = [codes.plain(word, self.wishes.product) for word in written]
        chained = np.array([codes.continuous(word) for word in written] + [False])[numbers]
        lone = words.isna().to_numpy() | np.array([not word for word in written] + [True])[numbers]
        plain = np.array([*named, ""], dtype=object)[numbers]
        keep = ~chained & ~totals
        options = keep & np.array([_OPTION.fullmatch(code) is not None for code in plain])
        if options.any():
            keep &= ~options
            if not (keep & ~lone).any():
                raise DataError(
                    f"{self.grid.place} holds nothing but options, as {plain[options][0]}; export"
                    " the bars of the futures, as si2411."
                )
            self.skipped.append(f"rows of options: {options.sum():,}")
        if chained.any():
            series = ", ".join(dict.fromkeys(str(word).strip() for word in words[chained]))
            if not (keep & ~lone).any():
                raise Continuous(
                    f"{self.grid.place} holds nothing but a continuous series ({series}), which is"
                    " not a contract; export the bars of each delivery month under its own code,"
                    " as si2411."
                )
            self.skipped.append(f"rows of continuous series ({series}): {chained.sum():,}")
        if self.wishes.product is not None:
            mine = re.compile(rf"{self.wishes.product}\d.*")
            other = keep & ~lone & np.array([not mine.fullmatch(code) for code in plain])
            if other.any():
                if not (keep & ~other).any():
                    raise DataError(
                        f"{self.grid.place} holds nothing of {self.wishes.product}, but"
                        f" {', '.join(sorted(set(plain[other]))[:5])}; say --product as it is, or"
                        " leave the file out."
                    )
                self.skipped.append(f"rows of other products: {other.sum():,}")
                keep &= ~other
        return self._decades(plain, times, keep), keep

    def _decades(
        self, plain: NDArray[np.object_], times: NDArray[np.datetime64], keep: NDArray[np.bool_]
    ) -> NDArray[np.object_]:
        """Return codes with the decade of each three-digit one made out by the day of its bar."""
        short = keep & np.array([bool(re.fullmatch(r"[a-z]+\d{3}", str(code))) for code in plain])
        short &= ~np.isnat(times)
        days = times.astype("datetime64[D]")
        seen: dict[tuple[str, Any], str] = {}
        for row in np.flatnonzero(short):
            key = (plain[row], days[row])
            if key not in seen:
                found = codes.decade(plain[row], pd.DatetimeIndex([days[row]]))
                if len(found) != 1:
                    which = "is no contract of that day"
                    if found:
                        which = "may be " + " or ".join(found)
                    raise DataError(
                        f"{self.origin(np.array([row])).place(0)}: '{plain[row]}' on {days[row]}"
                        f" {which}; write the delivery year with two digits, as si2411."
                    )
                seen[key] = found[0]
            plain[row] = seen[key]
        pairs = dict.fromkeys((code, whole) for (code, _), whole in seen.items() if code != whole)
        if pairs:
            self.notes.append(
                "by their days " + ", ".join(f"{code} is {whole}" for code, whole in pairs)
            )
        return plain

    def tables(
        self, groups: list[Headers]
    ) -> tuple[str, Parts]:
        """Return the kind, "bars" or "bars_5m", and its tables.

        Raises
        ------
        DataError
            Contracts, stamps or numbers that cannot be right.
        """
        chains = [group for group in groups if headers.chained(group)]
        if chains and len(chains) < len(groups):
            self.skipped.append(
                f"columns of continuous series ({', '.join(str(c.contract) for c in chains)})"
            )
            groups = [group for group in groups if group not in chains]
        parts, numbers = [], []
        stamps: list[NDArray[np.datetime64]] = []
        totals = self.totals(groups[0], "product", "contract", "month", "name")
        for group in groups:
            shown, times = self.dates(group)
            code, keep = self._codes(self._contracts(group), times, totals)
            raw: dict[str, Any] = {"date": shown.astype(object), "contract": code}
            for name in (*FIELDS, "turnover"):
                if name in group.position:
                    raw[name] = self.numbers(group, name)
            frame = pd.DataFrame(raw)
            empty = np.ones(len(frame), dtype=bool)
            for name in (*FIELDS, "turnover"):
                if name in frame:
                    empty &= frame[name].isna().to_numpy(dtype=bool)
            if (empty & keep).any() and not empty.all():
                # The whole market in one table has cells without a bar.
                self.skipped.append(f"rows without any number: {(empty & keep).sum():,}")
            rows = np.flatnonzero(keep & ~(empty & ~empty.all()))
            part = frame.iloc[rows].reset_index(drop=True)
            lots = self._lots(part, group, rows, times[rows])
            parts.append(lots.assign(source=self.sources(group)[rows]))
            numbers.append(rows)
            stamps.append(times[rows])
        frame = pd.concat(parts, ignore_index=True)
        rows, times = np.concatenate(numbers), np.concatenate(stamps)
        if self._is_daily(frame, times):
            frame["date"] = times.astype("datetime64[D]").astype("datetime64[ns]")
            return "bars", self._daily(frame, rows)
        frame["time"] = times
        return self._intraday(frame.drop(columns=["date", "settle"]), rows)

    def _lots(
        self, frame: pd.DataFrame, group: Headers, rows: NDArray[np.int64],
        times: NDArray[np.datetime64],
    ) -> pd.DataFrame:
        """Return a table with numbers in yuan and lots, the cells that are none refused."""
        origin = self.origin(rows)
        plain = frame.drop(columns="turnover", errors="ignore")
        # A cell that names a moment is a day as far as the table goes.
        known = ~np.isnat(times)
        days = frame["date"].copy()
        days[known] = pd.Series(times[known].astype("datetime64[D]").astype("datetime64[ns]"),
                                index=days.index[known]).astype(object)
        table = Table(plain.assign(date=days), BARS, origin)
        table.dates("date")
        table.texts("contract")
        size = _sizes(frame["contract"])
        out = pd.DataFrame({"date": times, "contract": frame["contract"]})
        for name in _PRICES:
            out[name] = table.numbers(name, "yuan per tonne")
        for name in FIELDS[5:]:
            out[name] = self.lots(table, name, group, size) if table.has(name) else np.nan
        silent = ~(out["volume"] > 0)
        zero = (out[list(_PRICES)] == 0).mul(silent, axis=0)
        if zero.to_numpy().any():
            out[list(_PRICES)] = out[list(_PRICES)].mask(zero)
            self.notes.append(
                f"{int(zero.to_numpy().sum()):,} prices of 0 without a trade read as unknown"
            )
        out["turnover"] = np.nan
        if "turnover" in frame:
            money = pd.to_numeric(frame["turnover"], errors="coerce").to_numpy(dtype=np.float64)
            out["turnover"] = self._money(out, money, size, group, origin)
        return out

    def _money(
        self, frame: pd.DataFrame, money: FloatArray, size: FloatArray, group: Headers,
        origin: Origin,
    ) -> FloatArray:
        """Return turnover in yuan; what it says of the volumes must agree with what is declared."""
        _, factor = group.unit.get("turnover", ("", None))
        money = money * (factor or 1.0)
        price = frame["settle"].where(frame["settle"] > 0, frame["close"]).to_numpy()
        worth = frame["volume"].to_numpy() * price * size
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(worth > 0, money / worth, np.nan)
        if not np.isfinite(share).any():
            return money
        middle = float(np.nanmedian(share))
        scales = (factor and 1.0,) if factor else (1.0, 1e3, 1e4, 1e8)
        lot = float(np.median(size))
        for scale in scales:
            if 0.8 < middle * scale < 1.25:
                if scale != 1:
                    self.notes.append(f"turnover: × {scale:,.0f} = yuan, as volume and price tell")
                return money * scale
            if lot > 1.5 and 0.8 < middle * scale * lot < 1.25:
                raise DataError(
                    f"{origin.files[0]}: turnover is about volume × price, so the volumes are"
                    f" tonnes and not lots of {lot:g} t; say --volume-in tonnes, or --map"
                    " ignore=HEADER for a turnover that means something else."
                )
            if lot > 1.5 and 0.8 < middle * scale / lot < 1.25:
                raise DataError(
                    f"{origin.files[0]}: turnover is about volume × {lot * lot:g} × price, so the"
                    " volumes are lots already; say --volume-in lots."
                )
        self.doubts.append(
            f"turnover is {middle:.3g} times volume × price × size: neither yuan nor 10,000 yuan"
        )
        return money

    def _is_daily(self, frame: pd.DataFrame, times: NDArray[np.datetime64]) -> bool:
        clock = np.unique(times - times.astype("datetime64[D]"))
        if len(clock) > 1:
            return False
        hours = float(clock[0] / np.timedelta64(1, "h"))
        again = frame.assign(day=times.astype("datetime64[D]").astype("datetime64[ns]")).duplicated(
            ["contract", "day"]
        )
        if hours == 16 and not again.any():
            raise DataError(
                f"{self.grid.place}: every day is stamped 16:00, which is midnight in Beijing in"
                " UTC; write the days of Beijing, without a time of day."
            )
        return hours in (0, 15) and (hours == 0 or not again.any())

    def _daily(
        self, frame: pd.DataFrame, rows: NDArray[np.int64]
    ) -> Parts:
        bars = frame.drop(columns="turnover")
        market = build(bars.drop(columns="source"), origin={"bars": self.origin(rows)})
        self.doubts += [note for note in market.provenance.notes if not note.startswith("ignored")]
        return self._by_product(bars, rows)

    def _intraday(
        self, frame: pd.DataFrame, rows: NDArray[np.int64]
    ) -> tuple[str, Parts]:
        times = frame["time"].to_numpy().astype("datetime64[ns]")
        names = sorted({str(code) for code in _products(frame["contract"])})
        unknown = [name for name in names if name not in products()]
        if unknown:
            build(frame.drop(columns=["time", "turnover", "source"]).assign(
                date=times.astype("datetime64[D]").astype("datetime64[ns]")
            ).drop_duplicates(["date", "contract"], ignore_index=True))
        terms = product(names[0])
        self._refuse_utc(times, terms)
        length = self._length(times, list(frame["contract"]), terms)
        at = self.wishes.stamped or intraday.stamped(times, terms)
        if at is None:
            raise DataError(
                f"{self.grid.place}: it cannot be seen whether bars are stamped at their start or"
                " their end (one at 09:00 or one at 15:00 would tell); say --stamped start or"
                " --stamped end."
            )
        self.notes.append(f"bars of {length} minutes, stamped at their {at}")
        tables = {}
        for name, (part, origin) in self._by_product(frame, rows).items():
            source = part.pop("source")
            order = intraday.validate(part, product(name), length, at, origin)
            rank = _rank(part)
            placed = replace(origin, file=origin.file[rank], number=origin.number[rank])
            tables[name] = (order.assign(source=source.to_numpy()[rank]), placed)
        return f"bars_{length}m", tables

    def _refuse_utc(self, times: NDArray[np.datetime64], terms: Product) -> None:
        """Refuse stamps that lie in the hours of trading only eight hours later."""
        if not terms.hours:
            return
        first, last = terms.hours[0][0], terms.hours[-1][1]
        clock = (times - times.astype("datetime64[D]")) // np.timedelta64(1, "m")
        minute = clock.astype(np.int64)
        away = (minute < first) | (minute > last)
        if away.all() and ((minute + 480 >= first) & (minute + 480 <= last)).all():
            shown = [f"{each // 60:02d}:{each % 60:02d}" for each in (minute.min(), minute.max())]
            raise DataError(
                f"{self.grid.place}: stamps run from {shown[0]} to {shown[1]}, which is UTC: eight"
                " hours before the hours of trading in Beijing; write times of Beijing, eight"
                " hours later."
            )

    def _length(
        self, times: NDArray[np.datetime64], contracts: list[str], terms: Product
    ) -> int:
        """Return the minutes of a bar, from the stamps and from what title and name say."""
        seen = intraday.minutes(times, contracts, terms)
        said = None
        for text in (self.grid.title, *self.grid.names):
            match = _LENGTH.search(unicodedata.normalize("NFKC", text).lower())
            if match and said is None:
                said = int(match[1] or match[2])
        if said is not None and (seen is None or seen % said == 0):
            return said
        if said is not None:
            raise DataError(
                f"{self.grid.place}: its name or title says bars of {said} minutes, but stamps are"
                f" {seen} minutes apart; correct the name or the stamps."
            )
        if seen is None:
            raise DataError(
                f"{self.grid.place}: stamps carry times of day, but how long a bar is cannot be"
                " seen; put it into the file's name, as si2411_m5.csv, or leave out the times if"
                " the bars are daily."
            )
        return seen

    def _by_product(
        self, frame: pd.DataFrame, rows: NDArray[np.int64]
    ) -> Parts:
        owner = _products(frame["contract"])
        tables = {}
        for name in sorted(set(owner)):
            mine = owner == name
            part = frame[mine].reset_index(drop=True)
            tables[str(name)] = (part, self.origin(rows[mine]))
        return tables


def _rank(part: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rows in order of time and contract."""
    rows: NDArray[np.int64] = part.sort_values(["time", "contract"]).index.to_numpy()
    return rows


def _products(contracts: "pd.Series[Any]") -> NDArray[np.object_]:
    return contracts.map(lambda code: re.sub(r"\d.*", "", str(code))).to_numpy(dtype=object)


def _sizes(contracts: "pd.Series[Any]") -> FloatArray:
    """Return tonnes per lot of each row; 1 where the product is not known."""
    known = {name: float(product(name).multiplier) for name in products()}
    return np.array([known.get(name, 1.0) for name in _products(contracts)])
