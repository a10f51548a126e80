"""One side of a comparison: a saved run, or a set of a sweep that was booked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sibt.errors import DataError, SibtError
from sibt.market.contract import contract as contract_of
from sibt.runs.load import looks_ahead
from sibt.runs.save import figures, manifest, tables

if TYPE_CHECKING:
    from sibt.runs.load import Saved
    from sibt.runs.run import Run

__all__ = ["Chosen", "Side", "booked_side", "saved_side"]


@dataclass(frozen=True)
class Chosen:
    """How a set of a sweep came to be compared: as one of the best of many.

    Attributes
    ----------
    sweep : str
        Name of the sweep's folder.
    number : int
        The set.
    place : int
        Its place by the sweep's metric, 1 for the best.
    sets : int
        Sets of the sweep that were booked.
    metric : str
        What they were sorted by.
    engine : str
        What booked the sweep: "ledger", or "vectorbt", which knows fewer rules.
    """

    sweep: str
    number: int
    place: int
    sets: int
    metric: str
    engine: str


@dataclass(frozen=True, eq=False)
class Side:
    """What a comparison knows of one run.

    Attributes
    ----------
    name : str
        The run's folder; of a set, the sweep's folder and the set's number.
    folder : Path
        The run's folder, or the sweep's.
    strategy : str
        Name of the strategy.
    code : str
        Its file as text; empty where it was no file.
    parameters, data, settings : mapping of str to value
        What was run, on what, and how; settings by names such as ``account.capital``.
    versions : mapping of str to str
        Of sibt, Python and the libraries.
    figures : mapping of str to number or None
        As in ``metrics.json``: those of the futures account, and of a hedge those of goods and
        futures together.
    statement : pd.DataFrame
        The daily statement by session; see `sibt.engine.result.Result`.
    fills, positions, round_trips : pd.DataFrame
        As the run books them.
    goods : pd.Series or None
        What goods and futures gained together by session, yuan; None without goods.
    legs : tuple of str
        Names of the legs.
    chosen : Chosen or None
        Of a set of a sweep, how it was chosen.
    looks_ahead : bool
        True where its strategy was caught looking ahead.
    """

    name: str
    folder: Path
    strategy: str
    code: str = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    versions: Mapping[str, str] = field(repr=False)
    figures: Mapping[str, Any] = field(repr=False)
    statement: pd.DataFrame = field(repr=False)
    fills: pd.DataFrame = field(repr=False)
    positions: pd.DataFrame = field(repr=False)
    round_trips: pd.DataFrame = field(repr=False)
    goods: pd.Series[float] | None = field(repr=False)
    legs: tuple[str, ...]
    known_from: str | None = None
    chosen: Chosen | None = None
    looks_ahead: bool = False

    @property
    def simulated(self) -> bool:
        """True for made-up data."""
        return bool(self.data["simulated"])

    @property
    def capital(self) -> float:
        """Opening equity, yuan."""
        return float(self.settings["account.capital"])

    @cached_property
    def counted(self) -> pd.DatetimeIndex:
        """Sessions that count: from the day after the idea became known to the end."""
        sessions = pd.DatetimeIndex(self.statement.index)
        return sessions[len(sessions) - int(self.figures["sessions"]) :]

    @cached_property
    def daily(self) -> pd.Series[float]:
        """What the futures account gained in each session that counts, after fees, yuan."""
        gained: pd.Series[float] = self.statement["mtm"] - self.statement["fees"]
        return gained.reindex(self.counted)

    @cached_property
    def held(self) -> pd.Series[bool]:
        """Sessions that count with a position or a fill."""
        days = pd.Index(self.positions["session"]).union(pd.Index(self.fills["session"]))
        return pd.Series(self.counted.isin(days), index=self.counted)

    @cached_property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """First and last session with a position or a fill; None where nothing was held."""
        days = self.counted[self.held.to_numpy()]
        return (days[0], days[-1]) if len(days) else None

    @cached_property
    def standards(self) -> tuple[str, ...]:
        """Delivery standards of the contracts traded, each a good of its own."""
        return tuple(sorted({_standard(str(code)) for code in self.fills["contract"].unique()}))

    @cached_property
    def units(self) -> float:
        """Units of the largest position; NaN where nothing was held, or legs never agreed."""
        units = self.statement["units"].abs()
        known = units[(units > 0).to_numpy() & (self._lead > 0).to_numpy()]
        if known.empty:
            return float("nan")
        # Where legs differ, as they may when each fills by itself, the first one counts.
        ratio = float(self._lead[known.index[0]]) / float(known.iloc[0])
        return float(self._lead.max()) / ratio

    @cached_property
    def tonnes(self) -> float:
        """Tonnes of the first leg at the largest position; NaN where nothing was held."""
        lots = float(self._lead.max())
        codes = self.positions.loc[self.positions["leg"] == self.legs[0], "contract"].unique()
        if not lots or not len(codes):
            return float("nan")
        try:
            return lots * contract_of(str(codes[0])).product.multiplier
        except SibtError:  # a product whose file is no longer there
            return float("nan")

    @cached_property
    def _lead(self) -> pd.Series[float]:
        """Lots of the first leg after each session, without their sign."""
        own = self.positions[self.positions["leg"] == self.legs[0]]
        lots = own.groupby("session")["lots"].sum().abs()
        return lots.reindex(self.statement.index, fill_value=0).astype(float)


def saved_side(saved: Saved) -> Side:
    """Return a saved run as one side of a comparison.

    Raises
    ------
    DataError
        The folder lacks something a comparison needs.
    """
    code = saved.folder / "strategy.py"
    return _side(
        saved.name,
        saved.folder,
        saved.manifest,
        saved.metrics,
        saved.table,
        code.read_text("utf-8", "replace") if code.is_file() else "",
    )


def booked_side(run: Run, folder: Path, chosen: Chosen, code: str) -> Side:
    """Return a set of a sweep, booked again, as one side of a comparison.

    Parameters
    ----------
    run : Run
        The set as a run.
    folder : Path
        The sweep's folder.
    chosen : Chosen
        How it was chosen.
    code : str
        The strategy's file.
    """
    # As the files of a run would hold it, so that both kinds of sides compare alike.
    record = json.loads(json.dumps(manifest(run, 0.0, "", {}), default=str))
    found = tables(run)
    name = f"{chosen.sweep} set {chosen.number}"
    return _side(name, folder, record, figures(run), found.__getitem__, code, chosen)


def _side(
    name: str,
    folder: Path,
    record: Mapping[str, Any],
    measured: Mapping[str, Any],
    table: Callable[[str], pd.DataFrame],
    code: str,
    chosen: Chosen | None = None,
) -> Side:
    try:
        hedge = measured.get("hedge")
        goods = None
        if hedge is not None:
            goods = table("hedge").set_index("session")["hedged"].astype(float)
        data = dict(record["data"])
        return Side(
            name=name,
            folder=folder,
            strategy=str(record["strategy"]["name"]),
            code=code,
            parameters=dict(record["parameters"]),
            data={key: data[key] for key in _DATA if key in data},
            settings=_flat(record["settings"]),
            versions={"sibt": record["sibt"], **record["versions"]},
            figures={**(hedge or {}), **measured["futures"]},
            statement=table("statement").set_index("session"),
            fills=table("fills"),
            positions=table("positions"),
            round_trips=table("round_trips"),
            goods=goods,
            legs=tuple(map(str, measured["by_leg"])),
            known_from=record["strategy"].get("known_from"),
            chosen=chosen,
            looks_ahead=looks_ahead(record),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder} cannot be compared: it lacks {error}; run it again, or leave it out."
        ) from error


#: What tells one market from another.
_DATA = ("source", "simulated", "first", "last", "settle_from", "contracts", "terms", "sha256")


def _flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings by names such as ``account.capital``."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found


def _standard(code: str) -> str:
    try:
        life = contract_of(code)
    except SibtError:
        return code
    name = life.product.name
    return name if life.standard == name else f"{name} {life.standard}"

