"""``sibt sweep``: many parameter sets, and an honest word about the best one."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sibt.cli.settings import announce, check_out, goods_option, settings, settled, words
from sibt.cli.values import OneOf, named
from sibt.errors import DataError, SettingError, did_you_mean
from sibt.language import language

if TYPE_CHECKING:
    from rich.console import Console

    from sibt.sweep.estimate import Estimate
    from sibt.sweep.sweep import Plan, Sweep

__all__ = ["command"]

_PAGE = "sweep.html"

#: Seconds between two lines of progress where there is no terminal to draw a bar on.
_EVERY = 10.0


class _WithShow(click.Command):
    """A command whose first word may be ``show``; a file of that name is ``./show.py``."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args[:1] == ["show"]:
            return _show.make_context(f"{info_name} show", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(
    "sweep",
    cls=_WithShow,
    epilog="Examples:\n\n\b\n"
    "  sibt sweep calendar_reverse\n"
    "  sibt sweep my_spread.py -p entry=1:3:0.05 -p lookback=5,10,20 --estimate\n"
    '  sibt sweep my_spread.py -p entry=1:3:0.1 -p exit=0:1:0.5 --where "exit<1"\n'
    "  sibt sweep my_spread.py --walk-forward train=120,test=20,purge=10\n"
    "  sibt sweep my_spread.py -p entry=0:4:0.001 --dask tcp://host:8786\n"
    "  sibt sweep --resume 20260105-093000-my_spread-sweep\n"
    "  sibt sweep show latest --top 50\n\n"
    "A grid is from:to:step with both ends, or values; none switches a rule off. Ctrl-C loses"
    " only the chunks in work; --resume goes on, alone with all that was said before.",
)
@click.argument("strategy", required=False)
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=GRID",
              help="Values of a parameter; again for more. Without any, the strategy's own grid.")
@click.option("--where", metavar="CONDITION", help='Only sets that meet it, "exit < entry".')
@click.option("--sample", type=int, metavar="N", help="Draw so many sets at random.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N",
              help="Seed of the draw and of the bootstrap.")
@click.option("--metric", metavar="NAME",
              help="What is best: sharpe, net, total_return, return_on_margin, max_drawdown; of"
              " hedges hedged, effective_price, hedged_per_tonne, variance_reduction, peak_cash."
              " Sharpe where most sets have one.")
@click.option("--walk-forward", metavar="WINDOWS",
              help="Choose in a window, apply in the next: train=120,test=20,purge=10[,anchored]"
              " sessions.")
@click.option("--estimate", is_flag=True,
              help="Say how many sets, how long, how much memory and disk, and leave.")
@click.option("--resume", metavar="RUN", help="Go on with a sweep that was stopped.")
@click.option("--jobs", type=int, metavar="N", help="Threads; one a core if left out.")
@click.option("--dask", metavar="ADDRESS", help="Work on a Dask cluster, tcp://host:8786.")
@click.option("--engine", type=OneOf(["ledger", "vectorbt"]), default="ledger",
              show_default=True,
              help="Book by the exchange's rules, or through vectorbt without them.")
@settings
@goods_option
@click.option("--top", type=int, default=20, show_default=True, metavar="N",
              help="Sets to print.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def command(**given: Any) -> None:
    """Run a grid of parameter sets of STRATEGY, and weigh the best one.

    sibt sweep show RUN shows a finished one again.
    """
    from rich.console import Console

    if given["strategy"] is None:
        given = _as_before(given)
    elif given["resume"] is not None:
        given |= _place(given)
    _check(given)
    console = Console(highlight=False)
    announce(console, f"sibt sweep {given['strategy']}", given["data"])
    if given["estimate"]:
        _estimate(given, console)
        return
    state: dict[str, Any] = {}
    try:
        sweep = _work(given, state)
    except KeyboardInterrupt:
        if "folder" not in state:
            raise
        click.echo(
            f"Stopped with {state['done']} of {state['total']} chunks done, which are kept. Go on"
            f" with: {_again(state['folder'])}",
            err=True,
        )
        click.get_current_context().exit(130)
    _list(given["out"])
    _tell(sweep, console, given["top"], given["show"])


@click.command(
    "show",
    epilog="Examples:\n\n\b\n"
    "  sibt sweep show latest\n"
    "  sibt sweep show 20260105-093000-my_spread-sweep --top 50\n"
    "  sibt sweep show results/20260105-093000-my_spread-sweep --open",
)
@click.argument("run")
@click.option("--top", type=int, default=20, show_default=True, metavar="N", help="Sets to print.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"),
              show_default=True, help="Folder of all runs.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def _show(run: str, top: int, out: Path, show: bool) -> None:
    """Show a finished sweep again: RUN is its name, its folder, or latest."""
    from rich.console import Console

    _positive("--top", top)
    folder = _found(run, out)
    if not (folder / "manifest.json").is_file():
        raise DataError(f"{folder} is not finished; go on with: {_again(folder)}")
    from sibt.sweep.sweep import Sweep

    _tell(Sweep(folder), Console(highlight=False), top, show)


# -- What is asked ----------------------------------------------------------------------------


def _check(given: dict[str, Any]) -> None:
    """Refuse at once what needs no market to be seen."""
    check_out(given["out"])
    for flag in ("top", "jobs", "sample"):
        if given[flag] is not None:
            _positive(f"--{flag}", given[flag])
    if given["seed"] < 0:
        raise SettingError(f"--seed is {given['seed']}; give a whole number from 0 on.")
    if given["dask"] is not None and given["jobs"] is not None:
        raise SettingError("--jobs is for this machine and --dask for others; leave one out.")
    if given["estimate"] and given["resume"] is not None:
        raise SettingError("--estimate is for a new sweep; leave --resume out.")


def _positive(flag: str, number: int) -> None:
    if number < 1:
        raise SettingError(f"{flag} is {number}; give one or more.")


def _as_before(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the sweep to go on with was begun with, and what is said anew."""
    if given["resume"] is None:
        raise SettingError(
            "Say what to sweep: 'sibt sweep STRATEGY', a Python file or the name of a shipped"
            " strategy, or 'sibt sweep --resume RUN' to go on with a sweep that was stopped."
        )
    place = _place(given)
    folder = place["resume"]
    try:
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        before = shlex.split(plan["command"])[2:]
    except (OSError, ValueError, KeyError):
        before = []
    if not before:
        raise DataError(
            f"--resume {folder}: it was not begun on the command line; name its strategy and its"
            f" grid again: sibt sweep STRATEGY -p NAME=GRID --resume {folder}."
        )
    context = click.get_current_context()
    said = {
        name: value
        for name, value in given.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if said.get("dask") is not None:
        said.setdefault("jobs", None)
    return {**command.make_context("sweep", before).params, "dask": None, **said, **place}


def _place(given: dict[str, Any]) -> dict[str, Any]:
    folder = _found(given["resume"], given["out"], "--resume ")
    return {"resume": folder, "out": folder.parent}


def _found(run: str, out: Path, flag: str = "") -> Path:
    """Return the folder of a sweep given by its name, its path, or as the latest one."""
    sweeps = sorted(path.parent for path in out.glob("*/plan.json") if not path.parent.is_symlink())
    if run == "latest":
        # The link of that name may lead to a run.
        return _last(sweeps, out, flag)
    for folder in (Path(run), out / run):
        if (folder / "plan.json").is_file():
            return folder
    names = [folder.name for folder in sweeps]
    raise DataError(
        f"{flag}{run}: there is no sweep of this name; it is a folder with plan.json in {out}."
        f"{did_you_mean(Path(run).name, names)}"
    )


def _last(sweeps: list[Path], out: Path, flag: str) -> Path:
    """Return the sweep that was finished last."""
    ready = [folder for folder in sweeps if (folder / "manifest.json").is_file()]
    if not ready:
        raise DataError(f"{flag}latest: there is no finished sweep in {out}; make one first.")
    return max(ready, key=lambda folder: (folder / "manifest.json").stat().st_mtime_ns)


def _again(folder: Path) -> str:
    """Return the command that goes on with a sweep."""
    run = folder.name if folder.parent == Path("results") else str(folder)
    return f"sibt sweep --resume {shlex.quote(run)}"


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of `sibt.sweep.sweep.plan`, the market among them."""
    from sibt.sources import load_market

    return {
        "params": named(given["params"], "-p"),
        **settled(given),
        **{
            name: given[name]
            for name in ("where", "sample", "seed", "metric", "engine", "walk_forward", "goods")
        },
        "market": load_market(given["data"], settle_from=given["settle_from"]),
    }


# -- Work -------------------------------------------------------------------------------------


def _work(given: dict[str, Any], state: dict[str, Any]) -> Sweep:
    """Sweep; everything heavy is imported here, after the first line is out."""
    from sibt.report.sweep.page import sweep_page
    from sibt.report.tearsheet import walk_sheet
    from sibt.sweep.sweep import sweep

    pool = None
    if given["dask"] is not None:
        from sibt.sweep.cluster import Cluster

        pool = Cluster(given["dask"])
    with _progress() as (begun, progress):

        def start(folder: Path, laid: Plan) -> None:
            state.update(folder=folder, done=0, total=laid.grid.block_count())
            begun(folder, laid)

        def move(done: int, total: int) -> None:
            state.update(done=done, total=total)
            progress(done, total)

        return sweep(
            given["strategy"],
            **_asked(given),
            out=given["out"],
            jobs=given["jobs"],
            pool=pool,
            resume=given["resume"],
            begun=start,
            progress=move,
            pages={"walk.html": walk_sheet, _PAGE: sweep_page},
            command=words(),
        )


@contextmanager
def _progress() -> Iterator[tuple[Callable[[Path, Plan], None], Callable[[int, int], None]]]:
    """Show how far a sweep is: a bar on a terminal, else a line now and then."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    with _bar(console) if console.is_terminal else _lines() as told:
        yield told


@contextmanager
def _bar(console: Console) -> Iterator[Any]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, said="")
        rate = _Rate()

        def begun(folder: Path, laid: Plan) -> None:
            rate.sets = laid.grid.count
            bar.update(task, description="sweep", total=laid.grid.block_count())

        def progress(done: int, total: int) -> None:
            ready = done == total
            bar.update(
                task,
                completed=done,
                total=None if ready else total,
                description="weighing the best set" if ready else "sweep",
                said=rate.sentence(done, total),
            )

        yield begun, progress


@contextmanager
def _lines() -> Iterator[Any]:
    rate = _Rate()
    said = [0.0]

    def begun(folder: Path, laid: Plan) -> None:
        rate.sets = laid.grid.count
        chunks = laid.grid.block_count()
        click.echo(f"{rate.sets:,} sets in {chunks:,} chunks, into {folder}", err=True)

    def progress(done: int, total: int) -> None:
        line = rate.sentence(done, total, left=True)
        if done == total or time.monotonic() - said[0] >= _EVERY:
            said[0] = time.monotonic()
            click.echo(line, err=True)

    yield begun, progress


class _Rate:
    """Sets a second since the beginning, or since a sweep was taken up again."""

    def __init__(self) -> None:
        self.sets = 0
        self._began: float | None = None
        self._before = 0

    def sentence(self, done: int, total: int, *, left: bool = False) -> str:
        now = time.monotonic()
        if self._began is None:
            self._began, self._before = now, done
        share = self.sets / max(total, 1)
        text = f"{round(done * share):,} of {self.sets:,} sets"
        made, took = (done - self._before) * share, now - self._began
        if made > 0 and took > 0:
            text += f", {made / took:,.0f} a second"
            if left and done < total:
                text += f", {_span((total - done) * share * took / made)} left"
        return text


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _list(out: Path) -> None:
    """Let the page of all runs show the sweep too."""
    from sibt.report.catalogue import write_index

    write_index(out, language())


# -- What is said -----------------------------------------------------------------------------


def _tell(sweep: Sweep, console: Console, top: int, show: bool) -> None:
    from sibt.report.sweep_terminal import show_sweep

    show_sweep(sweep, console, top)
    page = sweep.folder / _PAGE
    if show and page.is_file():
        click.launch(page.resolve().as_uri())


def _estimate(given: dict[str, Any], console: Console) -> None:
    import os

    from rich.console import Console

    from sibt.sweep.estimate import estimate
    from sibt.sweep.sweep import plan

    jobs = given["jobs"] or os.cpu_count() or 1
    with Console(stderr=True, highlight=False).status("timing a few hundred sets …"):
        found = estimate(plan(given["strategy"], **_asked(given)), jobs)
    for line in _said(found, given):
        console.print(line, soft_wrap=True)


def _said(found: Estimate, given: dict[str, Any]) -> list[str]:
    about = "" if found.exact else "about "
    drawn = f", {given['sample']:,} drawn" if given["sample"] is not None else ""
    where = "" if given["where"] is None else ", those that meet --where"
    sets = f"{about}{found.sets:,} of a grid of {found.grid:,}{drawn}{where}"
    lines = [f"sets    {sets}; {found.blocks:,} chunks"]
    if not found.timed:
        return [*lines, "Nothing was timed: no set of the chunks looked at meets --where."]
    here = "" if given["dask"] is None else " of this machine; a cluster takes its share"
    threads = "1 thread" if found.jobs == 1 else f"{found.jobs} threads"
    weighing = f"and {_span(found.weighing)} to weigh the best one"
    timed = f"timed on {found.timed:,} sets"
    return [
        *lines,
        f"time    about {_span(found.seconds)} on {threads}{here}, {weighing} ({timed})",
        f"memory  about {_bytes(found.memory)} at the most",
        f"disk    about {_bytes(found.disk)}, and {_bytes(found.parts)} while it runs",
    ]


def _bytes(number: float) -> str:
    if number < 1e6:
        return f"{max(number / 1e3, 1):,.0f} kB"
    return f"{number / 1e6:,.0f} MB" if number < 1e9 else f"{number / 1e9:,.1f} GB"
