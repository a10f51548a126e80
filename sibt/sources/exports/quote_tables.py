"""Spot quotes, receipts and series in exports."""

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sibt.errors import DataError
from sibt.market import calendar, quotes
from sibt.market.product import product, products
from sibt.market.table import Origin, Schema, Table
from sibt.sources.exports import cells
from sibt.sources.exports.headers import Headers
from sibt.sources.exports.reading import Parts, Reading

__all__ = ["QuoteTables"]

#: 553, 553#, #553, Si553, 553号, 金属硅553#.
_GRADE = re.compile(r"(?:工业硅|金属硅|si)?\s*#?\s*(\d{3,4})(?:\.0)?\s*(?:#|号)?", re.IGNORECASE)
#: Grades of silicon as the standard names them, and as trade does.
_STANDARD = {"5530": "553", "5210": "521", "4410": "441", "4210": "421", "4110": "411"}
#: Behind a product whose receipts a row adds up.
_SUMMED = re.compile(r"[ -]*(?:小计|合计|总计)[:：]?$")
_DAY = re.compile(r"(?<!\d)(20\d{2})[-./年]?(\d{1,2})[-./月]?(\d{1,2})日?(?!\d)")

_SCHEMAS = {"spot": quotes.SPOT, "receipts": quotes.RECEIPTS, "series": quotes.SERIES}


class QuoteTables(Reading):
    """What stands beside the bars."""

    def tables(self, kind: str, group: Headers) -> Parts:
        """Return spot quotes, receipts or series by product.

        Raises
        ------
        DataError
            A row that cannot be right.
        """
        schema = _SCHEMAS[kind]
        raw = pd.DataFrame({
            name: self.numbers(group, name)
            if name in ("price", "lots", "value") else self.column(group.position[name])
            for name in schema.columns if name in group.position
        })
        owner = self._owner(kind, group)
        known = np.ones(len(raw), dtype=bool)
        if kind == "receipts":
            sums = self.totals(group, "product", "warehouse")
            known = ~sums
            if "date" not in raw:
                raw.insert(0, "date", self._day())
            if "warehouse" in group.position:
                known &= self._warehouses(raw, owner, sums, group)
        elif kind == "spot":
            raw["grade"] = self._grades(raw["grade"], owner)
        foreign = known & ~np.isin(owner.astype(str), products())
        if foreign.any() and (known & ~foreign).any() and self.wishes.product is None:
            words = ", ".join(sorted(set(owner[foreign])))
            self.skipped.append(f"rows of products sibt does not know ({words}): {foreign.sum():,}")
            known &= ~foreign
        rows = np.flatnonzero(known & (owner == (self.wishes.product or owner)))
        if not len(rows):
            raise DataError(
                f"{self.grid.place} holds nothing of {self.wishes.product}, but"
                f" {', '.join(sorted(set(owner[known])))}; say --product as it is."
            )
        if len(rows) < known.sum():
            self.skipped.append(f"rows of other products: {known.sum() - len(rows):,}")
        for name in ("date", "published_on"):
            if name in raw:
                raw[name] = cells.days(raw[name])
        tables = {}
        for name in sorted(set(owner[rows])):
            mine = rows[owner[rows] == name]
            tables[str(name)] = self._checked(kind, raw.iloc[mine], mine, group, str(name), schema)
        return tables

    def _checked(
        self, kind: str, raw: pd.DataFrame, rows: NDArray[np.int64], group: Headers, name: str,
        schema: Schema,
    ) -> tuple[pd.DataFrame, Origin]:
        raw = raw.reset_index(drop=True)
        origin = self.origin(rows)
        table = Table(raw, schema, origin)
        out = pd.DataFrame({"date": table.dates("date")})
        known = calendar.sessions()
        notes: list[str] = []
        if kind == "receipts":
            size = np.full(len(raw), float(product(name).multiplier))
            blank = table.blank("lots")
            out["lots"] = self.lots(table, "lots", group, size)
            if blank.any():
                self.skipped.append(f"rows without a count: {blank.sum():,}")
            quotes.receipts(raw.assign(lots=out["lots"]), known, notes, origin)
            keep = ~blank
        elif kind == "spot":
            out["grade"] = _words(table, "grade")
            quotes.spot(raw, known, notes, origin)
            out["price"] = table.numbers("price", "yuan per tonne")
            keep = out["price"].notna().to_numpy()
            if not keep.all():
                self.skipped.append(f"rows without a price: {(~keep).sum():,}")
        else:
            quotes.series(raw, known, notes, origin)
            out["name"] = _words(table, "name")
            out["published_on"] = table.dates("published_on")
            out["value"] = table.numbers("value", "a number")
            out["unit"] = (
                table.cells("unit").astype(object).fillna("").map(str).str.strip()
                if table.has("unit") else ""
            )
            keep = np.ones(len(out), dtype=bool)
        if kind != "series":
            off = keep & ~out["date"].isin(known).to_numpy()
            if off.any():
                self.skipped.append(f"rows on days without a session: {off.sum():,}")
            keep = keep & ~off
        out = out[keep].reset_index(drop=True).assign(source=self.sources(group)[rows[keep]])
        return out, self.origin(rows[keep])

    def _day(self) -> pd.Timestamp:
        """Return the day that the title or the name of a table of receipts says."""
        found = {
            pd.Timestamp(int(year), int(month), int(day))
            for text in (self.grid.title, *self.grid.names)
            for year, month, day in _DAY.findall(text)
            if int(month) in range(1, 13) and int(day) in range(1, 32)
        }
        if len(found) != 1:
            raise DataError(
                f"{self.grid.place}: there is no column 'date', and neither title nor name says"
                " which one day these receipts are of; name the file after it, as 20241031.csv."
            )
        (day,) = found
        self.notes.append(f"day {day:%Y-%m-%d} taken from the title or the name")
        return day

    def _warehouses(
        self, raw: pd.DataFrame, owner: NDArray[np.object_], sums: NDArray[np.bool_],
        group: Headers,
    ) -> NDArray[np.bool_]:
        """Add the receipts of warehouses up, in the first row of each product and day.

        Sums in the table are held against them. Returns which rows are left.
        """
        at = {name: group.position[name] for name in ("product", "warehouse", "lots")
              if name in group.position}
        lots = pd.to_numeric(raw["lots"], errors="coerce").to_numpy(dtype=np.float64)
        bad = np.flatnonzero(np.isnan(lots) & ~sums)
        if len(bad):
            place = self.origin(bad[:1]).place(0)
            house = self.column(at["warehouse"]).iloc[bad[0]]
            raise DataError(
                f"{place}: the warehouse '{house}' has no count of receipts; fill it in, 0 where"
                " there are none."
            )
        days = raw["date"].map(str)
        for (number, count), row in self._sums(lots, sums, at["lots"]):
            if np.isnan(count) or not row:
                continue
            above = np.arange(len(raw)) < row
            those = above & ~sums & (days == days.iloc[row - 1]).to_numpy()
            own = those & (owner == owner[row - 1])
            if not any(abs(float(lots[part].sum()) - count) < 0.5 for part in (own, those)):
                raise DataError(
                    f"{self.grid.place}, {self.grid.unit} {number}: the total says {count:,.10g},"
                    f" the warehouses above it come to {float(lots[own].sum()):,.10g}; bring the"
                    " whole table."
                )
        body = np.flatnonzero(~sums)
        keys = pd.DataFrame({"day": days.to_numpy()[body], "product": owner[body]}, index=body)
        added = pd.Series(lots[body], index=body).groupby([keys["day"], keys["product"]])
        first = keys.drop_duplicates().index.to_numpy()
        raw["lots"] = lots
        raw.loc[first, "lots"] = added.transform("sum")[first]
        self.notes.append(f"lots: {len(body):,} rows of warehouses added up")
        left = np.zeros(len(raw), dtype=bool)
        left[first] = True
        return left

    def _sums(
        self, lots: NDArray[np.float64], sums: NDArray[np.bool_], column: int
    ) -> list[tuple[tuple[int, float], int]]:
        """Return each total's line and count, and how many rows stand above it."""
        found = [((int(self.grid.numbers[row]), float(lots[row])), int(row))
                 for row in np.flatnonzero(sums)]
        for number, line in self.grid.totals:
            count = pd.to_numeric(cells.numbers(pd.Series([line[column]], dtype=object)),
                                  errors="coerce").iloc[0]
            found.append(((number, float(count)), int((self.grid.numbers < number).sum())))
        return found

    def _grades(
        self, words: "pd.Series[Any]", owner: NDArray[np.object_]
    ) -> "pd.Series[Any]":
        """Return grades of silicon by their short names; others as they are called."""
        named: dict[str, str] = {}
        strange = []
        out = words.astype(object).copy()
        for row, cell in enumerate(out):
            if owner[row] != "si" or pd.isna(cell) or not str(cell).strip():
                continue
            word = unicodedata.normalize("NFKC", str(cell)).strip()
            match = _GRADE.fullmatch(word)
            short = _STANDARD.get(match[1], match[1]) if match else word
            if match is None and word not in strange:
                strange.append(word)
            if short != str(cell).strip():
                named[str(cell).strip()] = short
            out.iloc[row] = short
        if named:
            self.notes.append("grades " + ", ".join(f"{a} → {b}" for a, b in named.items()))
        if strange:
            self.doubts.append(
                f"grades {', '.join(strange)} are kept under these names: none is 553 or 421, so"
                " no basis rests on them"
            )
        return out

    def _owner(self, kind: str, group: Headers) -> NDArray[np.object_]:
        """Return the product of each row: from a column, the name, the wish; silicon else."""
        count = len(self.grid.frame)
        called = {product(name).title_zh: name for name in products()}
        if "product" in group.position:
            column = self.column(group.position["product"]).astype(object)
            if "warehouse" in group.position:
                # Joined cells of a sheet: the product stands in the first row of its own only.
                column = column.mask(column.map(lambda word: not str(word).strip())).ffill()
            words = [str(word).strip() for word in column]
            plain = [_SUMMED.sub("", word) for word in words]
            return np.array([called.get(word, word.lower()) for word in plain], dtype=object)
        if self.wishes.product is not None:
            return np.full(count, self.wishes.product, dtype=object)
        for text in (self.grid.title, *self.grid.names):
            for word, name in (called | {name: name for name in products()}).items():
                if re.search(rf"(?<![a-z]){word}(?![a-z])", text.lower()):
                    self.notes.append(f"product {name} taken from '{text}'")
                    return np.full(count, name, dtype=object)
        self.notes.append(f"{kind} of si, as nothing says which product; --product names another")
        return np.full(count, "si", dtype=object)


def _words(table: Table, column: str) -> "pd.Series[Any]":
    at, words = table.texts(column)
    return pd.Series(np.array(words, dtype=object)[at])
