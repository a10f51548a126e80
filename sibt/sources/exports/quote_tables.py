"""Spot quotes, receipts and series in exports."""

import re
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
            name: cells.numbers(self.column(group.position[name]))
            if name in ("price", "lots", "value") else self.column(group.position[name])
            for name in schema.columns if name in group.position
        })
        owner = self._owner(kind, group)
        rows = np.flatnonzero(owner == (self.wishes.product or owner))
        if not len(rows):
            raise DataError(
                f"{self.grid.place} holds nothing of {self.wishes.product}, but"
                f" {', '.join(sorted(set(owner)))}; say --product as it is."
            )
        if len(rows) < len(raw):
            self.skipped.append(f"rows of other products: {len(raw) - len(rows):,}")
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
        out = out[keep].reset_index(drop=True).assign(source=self.source())
        return out, self.origin(rows[keep])

    def _owner(self, kind: str, group: Headers) -> NDArray[np.object_]:
        """Return the product of each row: from a column, the name, the wish; silicon else."""
        count = len(self.grid.frame)
        called = {product(name).title_zh: name for name in products()}
        if "product" in group.position:
            words = self.column(group.position["product"]).map(lambda word: str(word).strip())
            return np.array(
                [called.get(word, word.lower()) for word in words], dtype=object
            )
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
