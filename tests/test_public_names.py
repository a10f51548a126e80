import subprocess
import sys
from importlib import import_module

import pytest

import sibt

HEAVY = {"jinja2", "matplotlib", "numba", "numpy", "pandas", "plotly", "pyarrow", "quantstats",
         "scipy", "vectorbt"}


def loaded(code: str) -> set[str]:
    """Return the packages a fresh interpreter holds after `code`."""
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sorted(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, encoding="utf-8", check=True, timeout=60,
    )
    return {name.partition(".")[0] for name in said.stderr.split()}


@pytest.mark.parametrize("name", sibt.__all__)
def test_every_public_name_is_there(name):
    assert getattr(sibt, name) is not None


def test_public_names_are_listed():
    assert dir(sibt) == sorted(sibt.__all__)
    assert set(sibt.__all__) == {"__version__", "charts", "sweep", *sibt._WHERE}


@pytest.mark.parametrize("name", sorted(sibt._WHERE))
def test_a_public_name_is_public_where_it_is_defined(name):
    module = import_module(sibt._WHERE[name])
    assert name in module.__all__
    assert getattr(sibt, name) is getattr(module, name)


@pytest.mark.parametrize(
    "before",
    ["", "import sibt.sweep.grid", "from sibt.sweep.sweep import sweep", "import sibt.cli.sweep",
     "from sibt import sweep"],
)  # fmt: skip
def test_a_sweep_can_be_called_whatever_was_imported_before(before):
    """The package bears the name of its function, and Python puts the package into `sibt`."""
    code = (
        f"{before}\nimport sibt\n"
        "def refused():\n"
        "    try:\n        sibt.sweep('calendar_reverse', None, {'entri': '1,2'})\n"
        "    except sibt.SibtError as error:\n        return str(error)\n"
        "assert \"Did you mean 'entry'?\" in refused()\n"
        "import sibt.sweep.grid\n"
        "assert \"Did you mean 'entry'?\" in refused()\n"
        "from sibt.sweep.sweep import sweep\n"
        "import inspect\n"
        "assert inspect.signature(sibt.sweep) == inspect.signature(sweep)\n"
        "assert sibt.sweep.grid.grid and 'resume' in inspect.signature(sibt.sweep).parameters\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'sibt' has no attribute 'Strategie'"):
        _ = sibt.Strategie


def test_a_missing_name_can_be_asked_for():
    assert not hasattr(sibt, "backtest")
    assert getattr(sibt, "backtest", None) is None


def test_importing_the_package_imports_nothing_heavy():
    assert not loaded("import sibt") & HEAVY


def test_importing_the_command_line_imports_nothing_heavy():
    assert not loaded("import sibt.cli") & HEAVY


def test_the_charts_are_a_package_of_functions_that_brings_no_plotly_by_itself():
    assert sibt.charts.__name__ == "sibt.report.charts"
    assert all(callable(getattr(sibt.charts, name)) for name in sibt.charts.__all__)
    assert "plotly" not in loaded("import sibt\nsibt.charts.equity")


def test_every_public_thing_says_what_it_is():
    for name in sibt._WHERE:
        assert (getattr(sibt, name).__doc__ or "").strip()


def test_the_version_is_that_of_the_installed_package():
    from importlib.metadata import version

    assert sibt.__version__ == version("sibt")
