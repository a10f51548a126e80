"""The examples of a page of ``docs/``, run in their order as a reader would.

A page is worked through in an empty folder and one namespace of Python. Its blocks are:

* with ``title="NAME"``: a file of that name;
* ``python``: run; ``pycon``: run, and each answer held against the one shown;
* ``text`` beginning with ``$``: commands, each with what it prints;
* anything else: only shown.

``…`` stands for what is left out: on a line of its own for any lines, within a line for any of it.
A block that cannot be run has ``<!-- not run: reason -->`` on the line before it.

``python tests/docs/examples.py docs/PAGE.md`` stores anew what the examples of a page show; what
was left out is left out again. Look at what it changed.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path

import pandas as pd

__all__ = [
    "DOCS", "Block", "Shown", "agrees", "blocks", "commands", "desk", "store", "typed", "worked",
    "wrong",
]  # fmt: skip

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of a page: where it stands, what it is, and why it cannot run, if so."""

    page: str
    line: int
    kind: str
    text: str
    title: str | None = None
    reason: str | None = None

    @property
    def runs(self) -> bool:
        shown = self.kind in ("python", "pycon") or (
            self.kind == "text" and self.text.startswith("$ ")
        )
        return shown and self.title is None and self.reason is None


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = page.read_text("utf-8")
    return [
        Block(page.name, text.count("\n", 0, found.start("text")) + 1, found["kind"],
              found["text"], found["title"], found["reason"])
        for found in _FENCE.finditer(text)
    ]  # fmt: skip


def commands(block: Block) -> list[tuple[str, str]]:
    """Return each command of a block of text, with what it is to print."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def agrees(shown: str, printed: str) -> bool:
    """Tell whether something prints as it is shown, ``…`` standing for anything."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…"
        else re.escape(line.rstrip()).replace("…", ".*?") + r"[ ]*\n"
        for line in shown.splitlines()
    )  # fmt: skip
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed
                        else printed + "\n") is not None  # fmt: skip


def typed(command: str) -> str:
    """Return what a command of sibt prints here, errors too, at a hundred columns."""
    from sibt.cli import main

    name, *words = shlex.split(command, comments=True)
    if name != "sibt":
        raise ValueError(f"'{command}' is no command of sibt; mark the block as not run.")
    said = io.StringIO()
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        contextlib.suppress(SystemExit),
    ):
        main(words)
    return said.getvalue()


@dataclass(frozen=True)
class Shown:
    """What one command or line of Python is to show, and what it does."""

    where: str
    typed: str
    shown: str
    printed: str

    @property
    def true(self) -> bool:
        return agrees(self.shown, self.printed)

    def __str__(self) -> str:
        """Say which shown line is the first that was not printed, and what was."""
        lines = self.shown.splitlines()
        held = next(n for n in range(len(lines), -1, -1)
                    if agrees("\n".join([*lines[:n], "…"]), self.printed))  # fmt: skip
        if held < len(lines):
            missed = f"line {held + 1} of it is not printed: {lines[held]}"
        else:
            missed = "more is printed"
        return f"{self.where}: {self.typed}\n{missed}\n-- printed:\n{self.printed}"

    @property
    def anew(self) -> str:
        """What it does show, with what was left out left out again."""
        old, lines = self.shown.splitlines(), []
        partly = [line for line in old if "…" in line and line.strip() != "…"]
        new = [next((kept for kept in partly if agrees(kept, line)), line.rstrip())
               for line in self.printed.splitlines()]  # fmt: skip
        # A line with other figures stays where it was, between what is left out.
        old = [line if line in new or line.strip() == "…"
               else next(iter(get_close_matches(line, new, 1)), line) for line in old]  # fmt: skip
        changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        for _, a, b, c, d in changes:
            gaps = [n for n in range(a, b) if old[n].strip() == "…"]
            if not gaps:
                lines += new[c:d]
            else:
                before, after = gaps[0] - a, b - gaps[-1] - 1
                lines += [*new[c : min(c + before, d)], "…", *new[max(d - after, c + before) : d]]
        return "".join(f"{line}\n" for line in lines)


def worked(page: Path) -> Iterator[Shown]:
    """Work through a page and tell what each of its examples shows."""
    namespace: dict = {"__name__": "__main__"}
    with desk():
        for block in blocks(page):
            where = f"docs/{block.page}:{block.line}"
            if block.title:
                Path(block.title).parent.mkdir(parents=True, exist_ok=True)
                Path(block.title).write_text(block.text, "utf-8")
            elif not block.runs:
                continue
            elif block.kind == "python":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile("\n" * (block.line - 1) + block.text, page, "exec"), namespace)
            elif block.kind == "pycon":
                for example in doctest.DocTestParser().get_examples(block.text):
                    yield Shown(where, f">>> {example.source.strip()}", example.want,
                                _answer(example.source, namespace))
            else:
                for command, shown in commands(block):
                    yield Shown(where, f"$ {command}", shown, typed(command))


def wrong(page: Path) -> list[str]:
    """Work through a page; return what differs from what it shows, and where."""
    return [str(example) for example in worked(page) if not example.true]


def store(page: Path) -> None:
    """Let a page show what its examples show now."""
    text = page.read_text("utf-8")
    for example in worked(page):
        if not example.true:
            head = example.typed.replace("\n", "\n... ") + "\n"
            text = text.replace(head + example.shown, head + example.anew, 1)
    page.write_text(text, "utf-8")


def _answer(source: str, namespace: dict) -> str:
    """Return what a line of a session of Python prints, or the error it ends in."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(source, "example", "single"), namespace)
    except Exception as error:
        return f"{said.getvalue()}{type(error).__name__}: {error}\n"
    return said.getvalue()


@contextlib.contextmanager
def desk() -> Iterator[None]:
    """An empty folder, an English locale and a terminal of a hundred columns."""
    before = {name: os.environ.get(name) for name in ("LC_ALL", "COLUMNS")}
    os.environ |= {"LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            pd.option_context("display.max_columns", 20, "display.width", 100),
        ):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


if __name__ == "__main__":
    for name in sys.argv[1:]:
        store(Path(name).resolve())
