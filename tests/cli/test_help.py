import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import click
import pytest

from sibt.cli import _COMMANDS, _sibt, main

HEAVY = ("numpy", "pandas", "numba", "vectorbt", "quantstats", "matplotlib", "pyarrow", "scipy")


def sibt(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as left:
            code = left.code
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_help_says_what_it_does_and_shows_examples(command, flag):
    code, out, err = sibt(*command.split(), flag)
    assert code == 0
    assert err == ""
    assert "Examples:" in out
    assert f"  sibt {command}" in out.partition("Examples:")[2]


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_flag_says_what_it_does(command):
    for param in _sibt.get_command(None, command).params:
        if isinstance(param, click.Option):
            assert (param.help or "").strip().endswith((".", "?"))


def test_every_command_is_listed():
    _, out, _ = sibt("--help")
    for name, (sentence, _) in _COMMANDS.items():
        assert name in out
        assert sentence in " ".join(out.split())


@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_an_example_is_a_line_of_its_own(command):
    _, out, _ = sibt(*command.split(), "--help")
    examples = out.partition("Examples:")[2]
    lines = [line.strip() for line in examples.splitlines() if line.strip().startswith("sibt ")]
    assert len(lines) >= 3
    assert all(line.count("sibt ") == 1 for line in lines)


@pytest.mark.parametrize("command", ["", *_COMMANDS])
def test_help_fits_a_terminal_of_eighty_columns(command):
    _, out, _ = sibt(*command.split(), "--help")
    assert max(map(len, out.splitlines())) <= 80


def test_every_example_of_run_is_understood():
    """The examples' flags parse; the prices they name are the reader's own."""
    command = _sibt.get_command(None, "run")
    lines = [line.strip() for line in command.epilog.splitlines() if "sibt run" in line]
    for line in lines:
        assert command.make_context("run", line.split()[2:]).params["strategy"]


def test_every_strategy_and_parameter_in_an_example_is_there():
    from sibt.cli.values import named
    from sibt.strategy.loader import load

    command = _sibt.get_command(None, "run")
    for line in command.epilog.splitlines():
        if "sibt run" in line:
            given = command.make_context("run", line.split()[2:]).params
            load(given["strategy"]).params(named(given["params"], "-p"))


@pytest.mark.parametrize("words", ["--help", "run --help", "new --help", "--version", "rnu"])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys\nfrom sibt.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', *[m for m in {HEAVY} if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, *words.split()],
        capture_output=True, text=True, encoding="utf-8", check=True, timeout=60,
    )
    assert said.stdout.splitlines()[-1].strip() == "heavy:"


def test_the_version_is_that_of_the_package():
    import sibt as package

    assert sibt("--version") == (0, f"sibt {package.__version__}\n", "")


def test_it_can_be_run_as_a_module():
    said = subprocess.run(
        [sys.executable, "-m", "sibt", "--version"],
        capture_output=True, text=True, check=True, timeout=60,
    )
    assert said.stdout.startswith("sibt ")


def test_a_misspelt_command_names_the_nearest():
    code, out, err = sibt("rnu")
    assert (code, out) == (2, "")
    assert "There is no command 'rnu'" in err
    assert "Did you mean 'run'?" in err


def test_no_command_shows_the_help():
    code, out, err = sibt()
    assert code in (0, 2)
    assert "Examples:" in out + err


def test_a_terminal_that_cannot_write_chinese_still_gets_its_help():
    said = subprocess.run(
        [sys.executable, "-m", "sibt", "--help"], capture_output=True, timeout=60, check=False,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert said.returncode == 0
    assert b"Guangzhou" in said.stdout
