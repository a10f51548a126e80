"""``sibt data pull``: fetch what the store lacks."""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli.values import OneOf
from sibt.errors import DataError, SettingError

if TYPE_CHECKING:
    import pandas as pd

    from sibt.sources.online.pull import Pulled, Step

__all__ = ["command"]

_SOURCES = OneOf(["akshare", "tushare", "tqsdk"])

#: Where there is no terminal to draw on, a line after so many seconds at least.
_EVERY = 5.0

#: Signs of the bar, and of what is asked for beside it: a terminal of 80 holds both.
_BAR, _WIDE = 20, 29

_LOUD = {"waits", "failed", "wrong", "stopped"}


@click.command(
    "pull",
    epilog="Examples:\n\n\b\n"
    "  sibt data pull --source akshare\n"
    "  sibt data pull --source akshare --from 2024-01-01 --to 2024-12-31\n"
    "  sibt data pull --source akshare --kind bars --kind receipts\n\n"
    "Only what the store lacks is asked for: a pull that was stopped goes on where it was. Exit"
    " code 2 when a session or table failed for good, 0 when only the source has none; what is"
    " missing is told at the end.",
)
@click.option("--source", type=_SOURCES, required=True,
              help="Whom to ask: akshare (free), tushare (token in TUSHARE_TOKEN), tqsdk"
              " (login in TQ_USER and TQ_PASSWORD); each is a library to install first.")
@click.option("--product", default="si", show_default=True, metavar="CODE",
              help="Product code.")
@click.option("--from", "start", metavar="DAY",
              help="First session wanted; the product's first if left out.")
@click.option("--to", "end", metavar="DAY",
              help="Last session wanted; the last that has closed (16:30 in Beijing) if left"
              " out.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND",
              help="Only this kind: bars, receipts, spot, contracts, terms; again for more; all"
              " that the source gives if left out.")
@click.option("--store", "folder", type=click.Path(path_type=Path), default=Path("data/store"),
              show_default=True, help="Folder of the store.")
def command(
    source: str, product: str, start: str | None, end: str | None, kinds: tuple[str, ...],
    folder: Path,
) -> None:
    """Fetch the bars, receipts, spot quotes and terms the store lacks."""
    first, last = _day(start, "--from"), _day(end, "--to")
    from sibt.market.product import product as product_of
    from sibt.sources.online.lacking import last_closed
    from sibt.sources.online.pull import pull
    from sibt.sources.store import Store

    terms = product_of(product)
    closed = last_closed()
    if last is not None and last > closed:
        raise SettingError(
            f"--to {last:%Y-%m-%d} is after {closed:%Y-%m-%d}, the last session that has closed;"
            " give that or an earlier day."
        )
    first = max(first or terms.first_session, terms.first_session)
    last = last or closed
    if first > last:
        raise SettingError(
            f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}; {product} trades from"
            f" {terms.first_session:%Y-%m-%d} to {closed:%Y-%m-%d}."
        )
    asked = import_module(f"sibt.sources.online.{source}").source()
    click.echo(
        f"{source}: {product} from {first:%Y-%m-%d} to {last:%Y-%m-%d}, into {folder}", err=True
    )
    with _Progress() as progress:
        done = pull(asked, Store(folder), product, first, last, kinds, say=progress.say)
    if done.unreachable:
        raise DataError(
            f"The network is not there: {done.unreachable}, nor is anybody else; check the"
            f" connection and pull again ({folder} is as it was)."
        )
    _report(done, source, folder)
    context = click.get_current_context()
    if done.interrupted:
        context.exit(130)
    if any(missing.failed for missing in done.missing) or (done.asked and not done.answered):
        context.exit(2)


def _day(word: str | None, flag: str) -> pd.Timestamp | None:
    if word is None:
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise SettingError(f"{flag} is '{word}', no day; write it as 2024-05-15.") from None
    import pandas as pd

    return pd.Timestamp(day)


class _Progress:
    """Shows the steps: a bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self.bar: Any = None
        self.task: Any = None
        self.tables = 0
        self.said = time.monotonic()
        if self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
            from rich.progress import TimeRemainingColumn as Left

            self.bar = Progress(
                TextColumn("{task.description:<10}"), BarColumn(_BAR), MofNCompleteColumn(), Left(),
                TextColumn("{task.fields[what]}"), console=self.console,
            )

    def __enter__(self) -> _Progress:
        (self.bar or nullcontext()).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._rest()
        (self.bar or nullcontext()).__exit__(*error)

    def say(self, step: Step) -> None:
        """Show one step."""
        what = f"{step.kind} {step.what}".strip()
        if self.bar is None:
            late = time.monotonic() - self.said >= _EVERY
            if step.outcome == "begins":
                self._line(f"{step.kind}: {step.total} sessions to ask for" if step.total
                           else f"{step.kind}: begins")
            elif step.outcome in _LOUD:
                self._line(f"{what}: {step.note}")
            elif late or (step.total and step.done == step.total):
                self._line(f"{step.kind}: {step.done} of {step.total}, {step.what}")
            return
        if step.outcome == "begins":
            self._rest()
            self.task = self.bar.add_task(step.kind, total=step.total or None, what="")
            self.tables = 0
        else:
            what_now = "" if step.total and step.done == step.total else step.what[:_WIDE]
            if step.outcome == "waits":
                what_now = f"{step.what[: _WIDE - 9]}, waiting"
            else:
                self.tables += 1
            done = step.done if step.total else self.tables
            self.bar.update(self.task, completed=done, what=what_now)
            if step.outcome in _LOUD - {"waits"}:
                self.bar.console.print(f"{what}: {step.note}", markup=False, soft_wrap=True)

    def _rest(self) -> None:
        """Let the bar of a kind without sessions stand still once its tables are done."""
        if self.task is not None and self.bar.tasks[self.task].total is None:
            self.bar.update(self.task, total=self.tables, completed=self.tables, what="")

    def _line(self, text: str) -> None:
        self.said = time.monotonic()
        click.echo(text, err=True)


def _report(done: Pulled, source: str, folder: Path) -> None:
    """Say what came, what is missing and why."""
    if done.interrupted:
        click.echo("Interrupted; what was complete is kept, and the next pull goes on from there.")
    new = {kind for kind, rows in done.added.items() if rows}
    new |= {kind for kind, rows in done.changed.items() if rows}
    for kind in sorted(new):
        text = f"{kind}: {done.added.get(kind, 0):,} rows new"
        changed = done.changed.get(kind, 0)
        click.echo(text + (f", {changed:,} filled in or corrected" if changed else ""))
    if not new and not done.missing:
        click.echo(f"Nothing new: {folder} holds what {source} has.")
    elif not new:
        failed = [
            f"{number} {unit}{'' if number == 1 else 's'} failed"
            for unit in ("session", "table")
            if (number := sum(len(missing.what) for missing in done.missing
                              if missing.failed and missing.unit == unit))
        ]
        click.echo(f"Nothing new{'; ' if failed else ''}{', '.join(failed)}.")
    if done.missing:
        click.echo("Still missing:")
        for missing in done.missing:
            click.echo(f"  {missing}")
