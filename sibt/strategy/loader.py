"""Find a strategy: a file of the user's, or one of the shipped ones by name."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sibt.errors import SibtError, StrategyError, did_you_mean
from sibt.sources.shipped import shipped
from sibt.strategy.strategy import Strategy

__all__ = ["ask", "blame", "find", "load", "loaded", "opened", "shipped_names"]


def shipped_names() -> list[str]:
    """Return the names of the strategies that come with sibt."""
    return sorted(p.stem for p in shipped("strategies").glob("*.py"))


def find(name: str | Path) -> Path:
    """Return the file of a strategy given as a path or as a shipped name.

    Raises
    ------
    StrategyError
        Neither a file nor a shipped strategy.
    """
    path = Path(name)
    if not path.suffix and path.with_suffix(".py").is_file():
        # A file of one's own goes before a shipped one of the same name.
        path = path.with_suffix(".py")
    if path.is_file():
        if path.suffix != ".py":
            raise StrategyError(f"'{name}' is no Python file; a strategy's name ends in .py.")
        return path
    # `strategies/x.py` means the shipped one where no such file lies.
    bare = len(path.parts) == 1 or path.parts[-2] == "strategies"
    if bare and path.stem in shipped_names() and path.suffix in ("", ".py"):
        return shipped("strategies") / f"{path.stem}.py"
    known = shipped_names()
    around = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    raise StrategyError(
        f"No strategy file '{name}' and no shipped strategy of that name; shipped are"
        f" {', '.join(known)}.{did_you_mean(path.stem, known) or did_you_mean(path.name, around)}"
    )


def load(name: str | Path) -> Strategy:
    """Return the one strategy a file defines.

    Raises
    ------
    StrategyError
        The file does not run, or defines none or more than one.
    """
    path = find(name)
    return loaded(path, path.read_bytes())


def opened(strategy: str | Path | Strategy) -> tuple[Strategy, Path]:
    """Return a strategy and its file; one that is an object already, by its class's name."""
    if isinstance(strategy, Strategy):
        return strategy, Path(type(strategy).__name__)
    path = find(strategy)
    return load(path), path


def loaded(path: Path, source: bytes) -> Strategy:
    """Return the one strategy a source defines, wherever its file may be.

    Parameters
    ----------
    path : Path
        The file it was read from, for messages; it need not be there.
    source : bytes
        What stands in it.

    Raises
    ------
    StrategyError
        It does not run, or defines none or more than one.
    """
    module_name = f"sibt_strategy_{path.stem}"
    module = ModuleType(module_name)
    module.__file__ = str(path.absolute())
    sys.modules[module_name] = module
    try:
        exec(compile(source, module.__file__, "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        raise StrategyError(
            f"{path} line {error.lineno} is no Python: {error.msg}; mend the line."
        ) from error
    except SibtError:
        raise
    except (Exception, SystemExit) as error:
        raise blame(path, error) from error
    found = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Strategy)
        and thing.__module__ == module_name
    ]
    if len(found) != 1:
        names = ", ".join(f.__name__ for f in found)
        raise StrategyError(
            f"{path} defines {len(found)} strategies{f' ({names})' if names else ''}; define"
            " exactly one class that derives from sibt.Strategy."
        )
    return found[0]()


def ask(path: Path, method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method of a strategy; name the line of its file if it fails.

    Raises
    ------
    StrategyError
        It fails in another way than with a sentence of its own; see `blame`.
    """
    try:
        return method(*arguments)
    except SibtError:
        raise
    except Exception as error:
        raise blame(path, error) from error


def blame(path: Path, error: BaseException) -> StrategyError:
    """Return an error that names the line of the strategy file where `error` arose."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    where = f" line {lines[-1]}" if lines else ""
    return StrategyError(
        f"{path}{where} fails with {type(error).__name__}: {error}; mend the strategy (--debug"
        " shows where it came from)."
    )
