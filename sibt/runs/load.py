"""Finished runs read back from their folders, whatever language their headers are in."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibt.errors import DataError, SettingError, did_you_mean
from sibt.language import ZH, Language, said
from sibt.runs.latest import LATEST, leads_to

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "KINDS", "MANIFEST", "NAME", "Saved", "find", "has_manifest", "load", "looks_ahead",
    "read_manifest",
]  # fmt: skip

MANIFEST = "manifest.json"

#: What may lie in a folder of runs, by the ``kind`` of its manifest.
KINDS = ("run", "sweep", "comparison")

#: Day and time, then a strategy or what else it is called after, as `sibt` names a folder.
NAME = re.compile(r"\d{8}-\d{6}-(.+)")

#: Columns that hold days, in tables whose manifest does not say what they hold.
_DAYS = ("session", "entry", "exit", "decision")


@dataclass(frozen=True, eq=False)
class Saved:
    """A run, a sweep or a comparison in its folder.

    Attributes
    ----------
    folder : Path
        Where it lies.
    manifest : mapping
        How it was made; see `sibt.runs.save.manifest`.
    """

    folder: Path
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the folder, by which commands know it."""
        return self.folder.resolve().name

    @property
    def kind(self) -> str:
        """``run``, ``sweep`` or ``comparison``."""
        return str(self.manifest["kind"])

    @property
    def simulated(self) -> bool:
        """True where any of its data are made up."""
        return bool((self.manifest.get("data") or {}).get("simulated"))

    @property
    def looks_ahead(self) -> bool:
        """True where a strategy was caught looking ahead: its figures prove nothing."""
        return looks_ahead(self.manifest)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Figures of ``metrics.json``, of a sweep those of ``evidence.json``.

        Empty for a comparison that wrote none.

        Raises
        ------
        DataError
            The file is not there, or broken.
        """
        path = self.folder / ("evidence.json" if self.kind == "sweep" else "metrics.json")
        return {} if self.kind == "comparison" and not path.exists() else _json(path)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables there are, in the order they were written."""
        named = [*self.manifest.get("tables", ())]
        there = sorted(path.stem for path in self.folder.glob("*.csv"))
        return tuple(n for n in [*named, *(n for n in there if n not in named)] if n in there)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; each call reads the file anew.

        Parameters
        ----------
        name : str
            Such as ``statement``; see `tables`.

        Returns
        -------
        pd.DataFrame
            Columns named in English in the order they were written, days as timestamps; an
            empty text is "", any other empty cell NaN or NaT.

        Raises
        ------
        DataError
            There is no such table, or it cannot be read.
        """
        if name not in self.tables:
            raise DataError(
                f"{self.folder} holds no table '{name}'; there are"
                f" {', '.join(self.tables) or 'none'}.{did_you_mean(name, self.tables)}"
            )
        return _table(self.folder / f"{name}.csv", self.manifest.get("tables", {}).get(name))

    def warnings(self, t: Language) -> list[str]:
        """Return what a reader of the figures must know, in English or Chinese."""
        english = [str(sentence) for sentence in self.manifest.get("warnings", ())]
        chinese = self.manifest.get("warnings_zh", english)
        return [str(sentence) for sentence in chinese] if t is ZH else english

    def diagnosis(self, t: Language) -> list[tuple[str, str]]:
        """Return what makes the result doubtful and what to do, in English or Chinese."""
        end = "_zh" if t is ZH else ""
        rows = self.manifest.get("diagnosis") or ()
        return [(str(row[f"issue{end}"]), str(row[f"cure{end}"])) for row in rows]

    def lookahead(self, t: Language) -> str:
        """Return the verdict on looking ahead in English or Chinese; empty where there is none."""
        checked = self.manifest.get("lookahead") or {}
        return str(checked.get("verdict_zh" if t is ZH else "verdict", ""))


def load(folder: str | Path) -> Saved:
    """Return what lies in a folder of `sibt run`, `sibt sweep` or `sibt compare`.

    Parameters
    ----------
    folder : str or Path
        The folder.

    Raises
    ------
    DataError
        It is no such folder, its writing was cut short, or its manifest is broken.
    """
    return Saved(Path(folder), read_manifest(Path(folder)))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest, with its ``kind``.

    Raises
    ------
    DataError
        There is none, or it is broken, or something else wrote it.
    """
    found = _json(folder / MANIFEST)
    if "kind" not in found:  # written before kinds were
        found["kind"] = "sweep" if "metric" in found else "run"
    strategy, data, made = found.get("strategy"), found.get("data"), found.get("made")
    known = found["kind"] in KINDS and isinstance(made, str)
    if known and found["kind"] != "comparison":
        known = (
            isinstance(strategy, dict) and isinstance(strategy.get("name"), str)
            and isinstance(data, dict) and {"source", "sha256", "simulated"} <= data.keys()
        )  # fmt: skip
    if not known:
        raise DataError(said(
            "{path} was not written by sibt; move it out of the runs.", path=str(folder)
        ))  # fmt: skip
    return found


def looks_ahead(manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest says that a strategy was caught looking ahead."""
    checked = manifest.get("lookahead")
    return isinstance(checked, Mapping) and not checked.get("passed", True)


def has_manifest(folder: Path) -> bool:
    """Return whether a folder holds a manifest, whatever stands in it."""
    return os.path.isfile(folder / MANIFEST)


def find(out: Path, words: str) -> Path:
    """Return the folder somebody means.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    words : str
        ``latest``; the path of a folder; its name; the beginning of one name only; or the name
        of a strategy, which means its latest run.

    Raises
    ------
    SettingError
        Nothing is called so, or more than one.
    """
    if words == LATEST:
        return _latest(out)
    path = Path(words)
    for there in (out / words, path):
        if words.strip("./") and has_manifest(there):
            return there
    names = sorted(_names(out), reverse=True)
    begun = [name for name in names if name.startswith(words)] if words else []
    if len(begun) > 1:
        more = f" and {len(begun) - 3} more" if len(begun) > 3 else ""
        raise SettingError(
            f"'{words}' may be {', '.join(begun[:3])}{more}; write more of the name."
        )
    called = [name for name in names if _called(name, words)]
    for name in (*begun, *called):
        return out / name
    if not names:
        raise SettingError(f"{out} holds no runs; make one with sibt run, or give --out.")
    if os.path.isdir(path) and words.strip():
        raise SettingError(f"{words} holds no {MANIFEST}, so it is no run of sibt.")
    strategies = [match[1] for match in map(NAME.fullmatch, names) if match]
    raise SettingError(
        f"There is no run '{words}' in {out}; see sibt runs list."
        f"{did_you_mean(words, [LATEST, *names, *strategies])}"
    )


def _latest(out: Path) -> Path:
    name = leads_to(out)
    if name is None:
        raise SettingError(f"{out} has no latest run; make one with sibt run, or give --out.")
    if not has_manifest(out / name):
        raise SettingError(
            f"{out / LATEST} leads to {name}, which is gone; name a run, or mend it with sibt runs"
            " gc."
        )
    return out / name


def _names(out: Path) -> Iterator[str]:
    try:
        for path in out.iterdir():
            if path.name[0] != "." and path.name != LATEST and has_manifest(path):
                yield path.name
    except OSError:
        return


def _called(name: str, strategy: str) -> bool:
    """Return whether a folder's name is that of a run of this strategy."""
    match = NAME.fullmatch(name)
    return bool(match and re.fullmatch(rf"{re.escape(strategy)}(-\d+)?", match[1]))


def _json(path: Path) -> dict[str, Any]:
    folder, name = str(path.parent), path.name
    try:
        if not path.is_file():  # a pipe of that name would be waited for
            raise DataError(said(
                "{folder} holds no {name}, so it is no finished run; see sibt runs list.",
                folder=folder, name=name,
            ))  # fmt: skip
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(said(
            "{path} cannot be read: {why}; mend its rights, or take its folder away.",
            path=str(path), why=str(error.strerror),
        )) from None  # fmt: skip
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise DataError(said(
            "{path} is broken at line {line}; take its folder away with sibt runs delete.",
            path=str(path), line=line,
        )) from None  # fmt: skip
    if not isinstance(found, dict):
        raise DataError(said(
            "{path} was not written by sibt; move it out of the runs.", path=folder
        ))  # fmt: skip
    return found


def _table(path: Path, holds: Mapping[str, str] | None) -> pd.DataFrame:
    """Read a table whose columns hold what the manifest says, where it does."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            headers = next(csv.reader(file), [])
        if holds is None:
            table = pd.read_csv(path, encoding="utf-8-sig")
            holds = {name: "day" for name in _DAYS if name in table}
        else:
            names = _english(path.stem, headers, list(holds))
            types: dict[Any, Any] = {
                name: _TYPES[what] for name, what in holds.items() if what in _TYPES
            }
            table = pd.read_csv(
                path, encoding="utf-8-sig", header=0, names=names, dtype=types,
                keep_default_na=False,
                na_values={name: [""] for name, what in holds.items() if what != "text"},
            )[list(holds)]  # fmt: skip
        for name, what in holds.items():
            if what == "day":
                table[name] = pd.to_datetime(table[name], format="%Y-%m-%d").astype(
                    "datetime64[ns]"
                )
    except (ValueError, OSError, csv.Error) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{path} cannot be read: {why}; run it again.") from None
    return table


#: What columns hold, as pandas calls it; days are read as text first.
_TYPES = {"text": "str", "whole": "int64", "number": "float64", "flag": "bool", "day": "str"}


def _english(table: str, headers: list[str], names: list[str]) -> list[str]:
    """Return the columns' English names in the order of the file's headers."""
    from sibt.runs.workbook import header

    known = {word: name for name in names for word in (name, header(table, name, ZH))}
    said = [known.get(word, "") for word in headers]
    if sorted(said) == sorted(names):
        return said
    if len(headers) == len(names):
        return names  # in other words, but as many: the order is that of the manifest
    raise ValueError(f"it has {len(headers)} columns, not {len(names)}")
