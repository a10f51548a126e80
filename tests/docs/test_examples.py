"""What the pages of ``docs/`` show is what happens: their examples run, commands and Python."""

import re
import shlex
import sys
from importlib import import_module

import click
import pytest
from examples import DOCS, Block, Shown, agrees, blocks, commands, desk, store, typed, wrong

from sibt.cli import _sibt

#: What groups run that are not told the name of a command.
UNNAMED = {"claims": "sibt.cli.claims.report", "hedge": "sibt.cli.hedge.report",
           "runs": "sibt.cli.runs.list_"}  # fmt: skip
PAGES = sorted(DOCS.glob("*.md"))
READMES = [DOCS.parent / "README.md", DOCS.parent / "README.zh.md"]
RUN = [page for page in PAGES if any(block.runs for block in blocks(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_a_page_shows_what_happens(page):
    differences = list(wrong(page))
    assert not differences, "\n\n".join(differences)


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.name)
def test_a_readme_shows_what_a_run_prints(readme):
    command = f"sibt run calendar_reverse --lang {'zh' if '.zh.' in readme.name else 'en'}"
    shown = next(block.text for block in blocks(readme) if block.kind == "text")
    lasting = shown[: shown.rindex("\n", 0, shown.index("results/")) + 1]
    with desk():
        run = Shown(readme.name, f"$ {command}", f"…\n{lasting}…\n", typed(command))
    assert run.true, str(run)


def test_no_fence_of_a_page_is_overlooked():
    for page in PAGES:
        marks = re.findall(r"^```", page.read_text("utf-8"), re.MULTILINE)
        assert len(marks) == 2 * len(blocks(page)), page.name


def test_each_step_of_the_ledger_has_a_worked_example():
    _, *steps = re.split(r"^#{2,3} ", (DOCS / "fills.md").read_text("utf-8"), flags=re.MULTILINE)
    rules = [step for step in steps if re.match(r"\d+\. |Before|Prices|Short|Returns", step)]
    assert len(rules) == 14
    assert [step.partition("\n")[0] for step in rules if "```pycon" not in step] == []


def typed_lines():
    """Each command of sibt that any text shows, whether it is run or not."""
    for page in [*READMES, *PAGES]:
        for block in blocks(page):
            shown = block.text.splitlines() if block.kind == "sh" else [
                command for command, _ in commands(block) if block.kind == "text"
            ]  # fmt: skip
            for line in shown:
                if line.startswith("sibt "):
                    yield page.name, line


@pytest.mark.parametrize(("page", "line"), sorted(set(typed_lines())))
def test_every_command_and_option_shown_is_one(page, line):
    words = shlex.split(line.partition(" | ")[0], comments=True)[1:]
    command, known = _sibt, {"--help", "--version"}
    for word in words:
        name = command.name
        command = command.get_command(click.Context(command), word)
        if command is None:
            command = import_module(UNNAMED[name]).command
        if not isinstance(command, click.Group):
            break
    if isinstance(command, click.Group) and command.name in UNNAMED:
        command = import_module(UNNAMED[command.name]).command
    known |= {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= known, f"{page}: {line}"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("one\ntwo\n", "one\ntwo\n", True),
        ("one\ntwo\n", "one   \ntwo", True),
        ("one\n…\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("one\n…\nfour\n", "one\nfour\n", True),
        ("…\ntwo\n", "one\ntwo\n", True),
        ("in … s: here\n", "in 4.2 s: here\n", True),
        ("one … three\n", "one\ntwo three\n", False),
        ("one\n", "one\ntwo\n", False),
        ("one\ntwo\n", "one\n", False),
        ("1.0\n", "1x0\n", False),
        ("  one\n", "one\n", False),
        ("", "", True),
        ("", "one\n", False),
    ],
)
def test_an_ellipsis_stands_for_anything_and_nothing_else_does(shown, printed, same):
    assert agrees(shown, printed) is same


def page(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text, "utf-8")
    return path


def test_a_page_that_shows_something_else_is_told(tmp_path):
    text = '```python title="two.py"\nTWO = 2\n```\n\n```python\nfrom two import TWO\n```\n'
    text += "\n```pycon\n>>> TWO\n{}\n```\n\n```text\n$ sibt --version\nsibt {}\n```\n"
    sys.path.insert(0, "")
    try:
        assert list(wrong(page(tmp_path, text.format(2, "…")))) == []
        answered, printed = wrong(page(tmp_path, text.format(3, "0.0.0")))
    finally:
        sys.path.remove("")
        del sys.modules["two"]
    assert "page.md:10" in answered
    assert "-- printed:\n2" in answered
    assert "page.md:15: $ sibt --version\nline 1 of it is not printed: sibt 0.0.0" in printed


@pytest.mark.parametrize(
    ("shown", "printed", "anew"),
    [
        ("one\n", "two\n", "two\n"),
        ("one\n…\nfour\n", "1\ntwo\nthree\n4\n", "1\n…\n4\n"),
        ("…\ntwo\n…\n", "one\n2\nthree\n", "…\n"),
        ("…\ntwo\nthree\n", "one\ntwo\n3\n", "…\ntwo\n3\n"),
        ("…\nnet 1,234\n…\n", "one\nnet 1,250\nthree\n", "…\nnet 1,250\n…\n"),
        ("a\nin … s\nb\n", "a\nin 4.2 s\nc\n", "a\nin … s\nc\n"),
        ("a\n", "a  \nb\n", "a\nb\n"),
        ("a\nb\n", "a\n", "a\n"),
    ],
)
def test_what_was_left_out_is_left_out_again(shown, printed, anew):
    example = Shown("", "", shown, printed)
    assert example.anew == anew
    assert Shown("", "", anew, printed).true


def test_a_page_can_be_stored_anew(tmp_path):
    text = "```pycon\n>>> for n in (1, 2):\n...     print(n)\n1\n3\n```\n\n"
    text += "```text\n$ sibt --version\nsibt 0.0\n```\n"
    path = page(tmp_path, text)
    assert len(wrong(path)) == 2
    store(path)
    assert wrong(path) == []
    assert path.read_text("utf-8").startswith(text[:48].replace("3", "2"))


def test_a_block_that_cannot_run_says_why(tmp_path):
    text = "<!-- not run: there is no such thing -->\n```text\n$ rm -r /\n```\n"
    (block,) = blocks(page(tmp_path, text))
    assert block == Block("page.md", 3, "text", "$ rm -r /\n", None, "there is no such thing")
    assert not block.runs
