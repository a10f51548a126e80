"""What commands have in common: data, window, account, execution, and the language."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sibt.cli.values import OneOf, Share, named
from sibt.errors import SettingError, did_you_mean
from sibt.language import EN, NAMES, Language, language

if TYPE_CHECKING:
    from rich.console import Console

    from sibt.hedging.delivery import DeliveryTerms
    from sibt.strategy.levels import Level

__all__ = [
    "announce",
    "check_out",
    "delivery_option",
    "delivery_terms",
    "goods_option",
    "lang_option",
    "level_option",
    "levels",
    "settings",
    "settled",
    "words",
]

Command = TypeVar("Command", bound=Callable[..., Any])

#: The store of `sibt.sources.store`, which is too heavy to import before the first line.
_STORE = Path("data/store")

_KINDS = OneOf(["individual", "company", "hedger"])

_ACCOUNT = ("broker_margin", "fee_markup", "spread_relief", "on_call")
_EXECUTION = ("fill", "slippage", "participation", "pairing", "cross_standard", "at_expiry",
              "delivery_unit")
_ASKED = ("capital", "kind", "start", "end", "check")

_OPTIONS = (
    click.option("--data", default=None, metavar="PATH",
                 help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
                 " data/store, or the simulated sample while the store is empty."),
    click.option("--from", "start", metavar="DAY", help="First session that may fill."),
    click.option("--to", "end", metavar="DAY", help="Last session of the run."),
    click.option("--capital", type=float, metavar="YUAN",
                 help="Opening equity; a million, or sized from the hedge."),
    click.option("--kind", type=_KINDS, help="Kind of account; the strategy's if left out."),
    click.option("--fill", type=OneOf(["open", "close", "settle"]), default="open",
                 show_default=True, help="Price of the session after the decision."),
    click.option("--slippage", type=int, default=1, show_default=True, metavar="TICKS",
                 help="Ticks against you on every fill."),
    click.option("--participation", type=Share(), default="0.1", show_default=True,
                 help="Largest share of a session's volume, or none."),
    click.option("--pairing", type=OneOf(["paired", "legged"]), default="paired",
                 show_default=True, help="Legs fill together, or each by itself."),
    click.option("--settle-from", type=OneOf(["close"]),
                 help="Let the close stand in for a missing settlement."),
    click.option("--term", "terms", multiple=True, metavar="NAME=VALUE",
                 help="Replace a dated term: margin, price_limit, fee, fee_close_today,"
                 " fee_per_lot, or turn on lock_escalation=1."),
    click.option("--broker-margin", type=float, default=0.0, metavar="SHARE",
                 help="The broker's margin on top, such as 0.05."),
    click.option("--fee-markup", type=float, default=1.0, metavar="TIMES",
                 help="The broker's multiple of the exchange's fees, such as 2."),
    click.option("--spread-relief", is_flag=True,
                 help="Margin the larger leg of a spread only."),
    click.option("--on-call", type=OneOf(["cut", "deposit"]), default="cut",
                 show_default=True, help="Answer margin calls by closing lots, or by paying in."),
    click.option("--cross-standard", is_flag=True,
                 help="Let signals and positions cross the delivery-standard line"
                 " (si2411|si2412)."),
    click.option("--at-expiry", type=OneOf(["close", "deliver"]), default="close",
                 show_default=True,
                 help="What a company does with lots kept to the last trading day."),
    click.option("--delivery-unit", type=int, default=12, show_default=True, metavar="LOTS",
                 help="Lots in a delivery unit; only whole ones are delivered."),
    click.option("--check/--no-check", default=True, show_default=True,
                 help="Ask in a quick form whether the strategy looks ahead; sibt check asks"
                 " in full."),
    click.option("--out", type=click.Path(path_type=Path), default=Path("results"),
                 show_default=True, help="Folder of all runs."),
)  # fmt: skip


#: Gives a command ``lang``, the `Language` it speaks: the one asked for, or the locale's.
lang_option = click.option(
    "--lang", type=OneOf(NAMES), callback=lambda ctx, option, name: language(name),
    help="Language of what is printed and written; your locale's if left out.",
)  # fmt: skip


#: Gives a command ``goods``, the schedule a hedge is for.
goods_option = click.option(
    "--goods", type=click.Path(path_type=Path), metavar="FILE",
    help="Goods a hedge is for, by month or day, TOML or CSV; in the place of the strategy's own.",
)  # fmt: skip

#: Gives a command ``levels``, the words of `levels`.
level_option = click.option(
    "--level", "levels", multiple=True, metavar="NAME",
    help="Level to draw on the price from the day it was published, again for more: one of a"
    " report, as guolian_2024q1.support, or FILE.toml:NAME.",
)  # fmt: skip


def levels(words: Iterable[str]) -> tuple[Level, ...]:
    """Return the levels that were asked for, each once.

    Raises
    ------
    SettingError, DataError
        There is no such level, or its file cannot be used.
    """
    from sibt.strategy.levels import level

    found = []
    for word in words:
        file, colon, name = word.rpartition(":")
        if not colon and word.endswith(".toml"):
            raise SettingError(f"--level {word} names a file alone; add the level: {word}:NAME.")
        found.append(level(name, file or None))
    return tuple(dict.fromkeys(found))


#: Gives a command ``delivery_terms``, what a delivery is settled at and costs.
delivery_option = click.option(
    "--delivery-term", "delivery_terms", multiple=True, metavar="NAME=VALUE",
    help="What a delivery is settled at or costs: delivery_price, region, delivery_fee, storage,"
    " inspection, loading (yuan/t), storage_days, vat (a share); again for more.",
)  # fmt: skip


def settings(command: Command) -> Command:
    """Give a command the options a run and a sweep share, in the order of their help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settled(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options as `sibt.runs.run.run` and `sibt.sweep.sweep.sweep` take them.

    Parameters
    ----------
    given : dict
        What click read.

    Raises
    ------
    SettingError
        A value out of its range.
    """
    from sibt.engine.execution import Execution

    terms = named(given["terms"], "--term")
    execution = Execution(**{name: given[name] for name in _EXECUTION})
    return {
        **{name: given[name] for name in _ASKED},
        "account": {name: given[name] for name in _ACCOUNT},
        "execution": execution,
        "terms": terms,
    }


def delivery_terms(given: dict[str, Any]) -> DeliveryTerms | None:
    """Return the terms of a delivery as they were given; None for those of the product.

    Parameters
    ----------
    given : dict
        What click read.

    Raises
    ------
    SettingError
        A name that is no term, a value out of its range, or goods that are not delivered.
    """
    words = named(given["delivery_terms"], "--delivery-term")
    if not words:
        return None
    if given["at_expiry"] != "deliver":
        raise SettingError(
            "--delivery-term is of goods that are delivered; add --at-expiry deliver."
        )
    from dataclasses import fields

    from sibt.hedging.delivery import DeliveryTerms

    known = [each.name for each in fields(DeliveryTerms)]
    found: dict[str, Any] = {}
    for name, word in words.items():
        if name not in known:
            raise SettingError(
                f"--delivery-term names '{name}', which is none of {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
        try:
            found[name] = float(word)
        except ValueError:
            found[name] = word  # such as settlement; anything else is refused there
    try:
        return DeliveryTerms(**found)
    except SettingError as error:
        raise SettingError(f"--delivery-term {error}") from None


def announce(console: Console, what: str, data: str | None, t: Language = EN) -> None:
    """Print the first line: the command, and the data it works on."""
    from rich.markup import escape

    if data is None and any(_STORE.glob("*/bars.parquet")):
        data = str(_STORE)
    what = f"[bold]{escape(what)}[/]"
    if data is None or data == "sample":
        line = t(
            "{what} on the sample market: {simulated}, it says nothing about the real 2024.",
            what=what, simulated=f"[bold red]{t('SIMULATED')}[/]",
        )  # fmt: skip
    else:
        line = t("{what} on {data}", what=what, data=escape(data))
    console.print(line, soft_wrap=True)


def words() -> str:
    """Return the command as it was given, for manifests and messages."""
    return "sibt " + shlex.join(click.get_current_context().obj or sys.argv[1:])


def check_out(out: Path) -> None:
    """Refuse a folder that cannot be written, before the work.

    Raises
    ------
    SettingError
        It is a file, or nothing can be written there.
    """
    try:
        if out.exists() and not out.is_dir():
            raise SettingError(f"--out {out} is a file; give a folder for the runs.")
        there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    except OSError as error:
        raise SettingError(
            f"--out cannot be used: {error.strerror}; give another folder."
        ) from None
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise SettingError(f"--out {out} cannot be written below {there}; give another folder.")
