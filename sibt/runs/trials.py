"""The trial ledger: every look at data that carried a real outcome, never forgotten.

Who tries a thousand sets and shows the best one has tried a thousand. So each run and each
sweep adds a line to ``trials.jsonl`` in the folder of all runs; lines are only ever added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from sibt.market.contract import contract
from sibt.market.panel import Market

__all__ = ["LEDGER", "add", "count"]

LEDGER = "trials.jsonl"


def add(
    out: Path, market: Market, strategy: str, sets: int, key: str, *, kind: str = "run"
) -> None:
    """Add a line to the ledger.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    market : Market
        The data looked at.
    strategy : str
        Name of the strategy.
    sets : int
        Parameter sets of which an outcome was seen.
    key : str
        What makes two looks one and the same: the same sets on the same data through the same
        code count once.
    kind : {"run", "sweep"}
        What looked.
    """
    out.mkdir(parents=True, exist_ok=True)
    line = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "strategy": strategy,
        "sets": int(sets),
        "key": key,
        **_data(market),
    }
    with FileLock(out / f".{LEDGER}.lock"), (out / LEDGER).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def count(out: Path, market: Market, key: str | None = None) -> int:
    """Return the trials ever made on this data.

    Data are the same here if the products are and a session of both is; made-up data never
    count with real ones. The same look twice counts once.

    Parameters
    ----------
    out : Path
        Folder of all runs.
    market : Market
        The data.
    key : str, optional
        A look that is not to count, such as the present one.
    """
    path = out / LEDGER
    if not path.is_file():
        return 0
    here = _data(market)
    found: dict[str, int] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line: Mapping[str, Any] = json.loads(text)
            same = (
                line["products"] == here["products"]
                and line["simulated"] == here["simulated"]
                and line["first"] <= here["last"]
                and line["last"] >= here["first"]
            )
            if same and line["key"] != key:
                found[str(line["key"])] = int(line["sets"])
        except (ValueError, KeyError, TypeError):
            continue  # a line cut short by a full disk is no reason to stop counting
    return sum(found.values())


def _data(market: Market) -> dict[str, Any]:
    products = sorted({contract(code).product.name for code in market.contracts})
    return {
        "products": products,
        "simulated": market.provenance.simulated,
        "first": f"{market.sessions[0]:%Y-%m-%d}",
        "last": f"{market.sessions[-1]:%Y-%m-%d}",
        "data": market.digest[:16],
    }
