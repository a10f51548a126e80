"""The command line: one file a command, each imported when it is called."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = "Interrupted; nothing half-written was left."

try:
    import click

    from sibt.cli.lazy import Lazy
    from sibt.errors import LedgerError, SibtError
except KeyboardInterrupt:  # before there is a command
    sys.stderr.write(f"{_INTERRUPTED}\n")
    sys.exit(130)

__all__ = ["main"]

#: Commands, what they do, and where.
_COMMANDS = {
    "check": ("Prove or disprove that a strategy looks ahead.", "sibt.cli.check"),
    "claims": ("Score what research reports said, yours too.", "sibt.cli.claims"),
    "compare": ("Hold runs, or the best sets of a sweep, against each other.", "sibt.cli.compare"),
    "cost": ("Recompute costs and goods of two reports; edit the inputs.", "sibt.cli.cost"),
    "data": ("Bring real prices in, keep them, check them and look at them.", "sibt.cli.data"),
    "hedge": ("Tell what a hedge was worth, size one, estimate its ratio.", "sibt.cli.hedge"),
    "new": ("Start a strategy of your own, from nothing or from a shipped one.", "sibt.cli.new"),
    "run": ("Run a strategy and write its pages.", "sibt.cli.run"),
    "runs": ("List, show, open, delete and export what was run.", "sibt.cli.runs"),
    "sweep": ("Run many parameter sets and weigh the best one.", "sibt.cli.sweep"),
}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from sibt import __version__

        click.echo(f"sibt {__version__}")
        ctx.exit()


@click.group(
    cls=Lazy,
    commands_in=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:\n\n\b\n  sibt run calendar_reverse\n  sibt run producer_hedge -p ratio=0.8"
    "\n  sibt new --from calendar_reverse\n  sibt data pull --source akshare\n\n"
    "'sibt COMMAND --help' says more of each.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
              help="Show the version and leave.")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def _sibt(debug: bool) -> None:
    """Backtest futures spreads and hedges as the exchange books them.

    sibt starts with industrial silicon (工业硅, si) on the Guangzhou Futures Exchange: whole
    lots, settlement prices, dated margins and limits, a broker's daily statement.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave.

    With 0, 1 (a fault of ours), 2 (yours to mend), 130 (interrupted), or 141 where the reader of
    a pipe has left, as `head` does.
    """
    try:
        code = _code(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except BrokenPipeError:
        code = _unread()
    sys.exit(code)


def _code(words: list[str]) -> int:
    """Run the command line and return its exit code."""
    debug, out = "--debug" in words, sys.stdout
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot draw 工业硅 must not end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        # --debug works before and after the command.
        code = _sibt.main([w for w in words if w != "--debug"], prog_name="sibt",
                          standalone_mode=False, obj=words)
    except click.exceptions.Abort:
        code = _interrupted()
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except SystemExit as left:
        # So rich leaves where nobody reads on, and click, which wraps the stream.
        if isinstance(left.__context__, BrokenPipeError) or sys.stdout is not out:
            raise BrokenPipeError from None
        raise
    except click.ClickException as error:
        if debug:
            raise
        error.show()
        code = 2
    except SibtError as error:
        if debug:
            raise
        click.echo(f"{click.style('Error:', fg='red')} {error}", err=True)
        code = 2
    except LedgerError as error:
        if debug:
            raise
        click.echo(f"{click.style('Fault:', fg='red')} {error}", err=True)
        code = 1
    except Exception as error:
        if debug:
            raise
        click.echo(
            f"{click.style('Fault:', fg='red')} {type(error).__name__}: {error}. This is a fault"
            " of ours; run again with --debug and report what it prints, with the command.",
            err=True,
        )
        code = 1
    return code if isinstance(code, int) else 0


def _interrupted() -> int:
    click.echo(_INTERRUPTED, err=True)
    return 130


def _unread() -> int:
    # What is left to write goes nowhere, or Python complains of it at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
