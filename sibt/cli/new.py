"""``sibt new``: a strategy file to edit."""

from __future__ import annotations

import importlib.util
import keyword
import re
from pathlib import Path

import click

from sibt.errors import SettingError

__all__ = ["command"]


@click.command(
    "new",
    epilog="Examples:\n\n\b\n  sibt new strategy my_spread\n  sibt new --from calendar_reverse\n"
    "  sibt new strategy tighter --from calendar_reverse",
)
@click.argument("what", required=False, type=click.Choice(["strategy"]))
@click.argument("name", required=False)
@click.option("--from", "origin", metavar="STRATEGY", help="Copy a shipped strategy to edit.")
def command(what: str | None, name: str | None, origin: str | None) -> None:
    """Write a strategy file into this folder: a commented starter, or a copy of a shipped one."""
    from sibt.strategy.loader import find

    if origin is None and (what is None or name is None):
        raise SettingError(
            "Say what to write: 'sibt new strategy NAME' for a starter, or 'sibt new --from"
            " calendar_reverse' for a copy to edit."
        )
    if origin is not None:
        source = find(origin)
        text = source.read_text(encoding="utf-8")
        target = Path(f"{_stem(name)}.py" if name else source.name)
    else:
        assert name is not None
        text = _starter(_stem(name))
        target = Path(f"{_stem(name)}.py")
    try:
        # Exclusive: a file that is there is never overwritten.
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise SettingError(
            f"{target} is already here; choose another name: sibt new strategy NAME"
            f"{f' --from {origin}' if origin else ''}."
        ) from None
    click.echo(f"Wrote {target}. Run it with: sibt run {target}")


def _stem(name: str) -> str:
    stem = name.removesuffix(".py")
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", stem):
        raise SettingError(
            f"'{name}' is no name for a strategy file; use lower-case letters, digits and _, such"
            " as my_spread."
        )
    if keyword.iskeyword(stem) or importlib.util.find_spec(stem) is not None:
        raise SettingError(
            f"'{stem}' is a name of Python's own; choose another, such as my_{stem}."
        )
    return stem


def _starter(stem: str) -> str:
    words = "".join(part.capitalize() for part in stem.split("_") if part) or "Mine"
    return _STARTER.replace("Starter", words)


_STARTER = '''"""A calendar spread that is sold when it is rich and bought back when it is not.

Change the contracts, the signal and the parameters; then: sibt run THIS_FILE
"""

import sibt
from sibt.strategy import indicators, rules, wishes


class Starter(sibt.Strategy):
    """Hold a spread against its own recent past."""

    # An individual must be out before the delivery month, a company on the last trading day.
    kind = "individual"

    # A parameter has a default, a meaning, a unit, bounds, and the values a sweep tries.
    lookback = sibt.Param(20, "observations the spread is measured against", "sessions",
                          low=5, high=250, grid=(10, 20, 40))
    entry = sibt.Param(1.5, "distance from the mean that opens", "sd", low=0, grid=(1.0, 1.5, 2.0))
    exit = sibt.Param(0.5, "distance from the mean that closes", "sd", low=0, grid=(0.0, 0.5))
    size = sibt.Param(5, "units held", "units", low=1, high=1000, grid=(5,))
    near = sibt.Param("si2405", "contract of the near leg")
    far = sibt.Param("si2406", "contract of the far leg")

    def legs(self, market, p):
        # Lots of each leg in one unit: + long, - short. One lot of si is 5 t.
        return {p.near: 1, p.far: -1}

    def units(self, market, p):
        # near - far in yuan per tonne, known after each session's close; NaN where a leg did
        # not trade. What is wished here fills in the next session.
        spread = market.spread(p.near, p.far)
        z = indicators.zscore(spread, p.lookback)
        # Rich (z >= entry): short the spread. Cheap (z <= -entry): long. Back inside: flat.
        wish = rules.hold(z, p.entry, p.exit, units=p.size)
        # Out in time: by the last session in which this account may hold the near leg.
        leave = sibt.contract(p.near).exit_session(p.kind)
        return wishes.within(wish, market.sessions, None, leave)
'''
