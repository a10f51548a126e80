"""What a look-ahead check says in the terminal: verdict, leaks, what was tried, what is left."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from sibt.language import EN, Language, Sentence, said
from sibt.lookahead.leak import Leak
from sibt.lookahead.trace import called
from sibt.lookahead.verdict import LIMITS, Verdict

__all__ = ["named_check", "show"]

#: Width of a file or a pipe, which has none.
_PIPE = 132

_NAMES = {
    "repeat": said("asked again"),
    "cut": said("market cut"),
    "future": said("another future"),
    "settlement": said("other settlements"),
    "levels_adjusted": said("back-adjusted levels"),
    "standard": said("delivery standards"),
    "stale": said("prices not there"),
    "history": said("less history"),
}


def named_check(name: str) -> Sentence:
    """Return what a check is called."""
    return _NAMES[name]


def show(verdict: Verdict, console: Console, t: Language = EN) -> None:
    """Print a verdict: first what it is, then each leak with its cure, and what was tried.

    Parameters
    ----------
    verdict : Verdict
        What the check came to.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    """
    if not console.is_terminal:
        console.width = _PIPE
    style = "bold green" if verdict.passed else "bold red"
    console.print(f"[{style}]{escape(t(verdict.sentence))}[/]", soft_wrap=True)
    if verdict.leaks:
        _leaks(verdict.leaks, console, t)
    for note in verdict.notes:
        line = escape(t(note.sentence))
        if note.cure is not None:
            line = t("{what}; {cure}", what=line, cure=escape(t(note.cure)))
        console.print(t("[yellow]note[/] {sentence}", sentence=line), soft_wrap=True)
    tried = t("; ").join(
        t("{check} {count}", check=t(named_check(name)), count=f"{count:,}")
        for name, count in verdict.tried.items()
    )
    line = t("decisions compared, by check: {tried}", tried=tried)
    console.print(f"[dim]{escape(line)}[/]", soft_wrap=True)
    console.print(f"[dim]{escape(t(LIMITS))}[/]", soft_wrap=True)


def _leaks(leaks: tuple[Leak, ...], console: Console, t: Language) -> None:
    """Print each input that leaked, with all the checks that found it."""
    for number, name in enumerate(dict.fromkeys(leak.input for leak in leaks), start=1):
        found = [leak for leak in leaks if leak.input == name]
        leak = found[0]
        facts = [
            None if leak.day is None else t("decision of {day:%Y-%m-%d}", day=leak.day),
            None if leak.seen is None else t("saw {day:%Y-%m-%d}", day=leak.seen),
            leak.contract,
            None if name is None else t(called(name)),
        ]
        head = t(", ").join(fact for fact in facts if fact)
        console.print(f"[bold]{number}  {escape(head)}[/]", soft_wrap=True)
        checks = dict.fromkeys(t(named_check(one.check)) for one in found)
        told = [t("{what} ({checks})", what=t(leak.sentence), checks=t(", ").join(checks))]
        if leak.cure is not None:
            told.append(t("→ {cure}", cure=t(leak.cure)))
        for line in told:
            console.print(Padding(escape(line), (0, 0, 0, 3)))
