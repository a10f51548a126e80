"""``docs/architecture.md`` has a row for every file, and says of it what the file says itself."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def tables() -> tuple[dict[str, str], dict[str, str]]:
    """What is said of each room, and of each file by its path."""
    rooms: dict[str, str] = {}
    rows: dict[str, str] = {}
    room = None
    for line in TEXT.splitlines():
        if head := re.match(r"`((?:sibt|benchmarks)/[\w/]*)`(?:: (.*))?$", line):
            room = head[1]
            rooms[room] = head[2] or ""
        elif line.startswith("#"):
            room = None
        elif room and (row := re.match(r"\| (`[^|]+`) \| (.*) \|$", line)):
            rows |= {room + name: row[2] for name in re.findall("`([^`]+)`", row[1])}
    return rooms, rows


ROOMS, ROWS = tables()
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for folder, kind in (("sibt", "*"), ("benchmarks", "*.py"))
    for path in (ROOT / folder).rglob(kind)
    if path.is_file() and "__pycache__" not in path.parts
}


def said(path: Path) -> str:
    """The first line a module says of itself."""
    line = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    return line.rstrip(".").replace("``", "`")


def test_every_file_has_a_row():
    assert {name for name in FILES if Path(name).name != "__init__.py"} <= set(ROWS)


def test_every_row_is_a_file():
    assert set(ROWS) <= set(FILES)


@pytest.mark.parametrize("name", sorted(n for n in ROWS if n.endswith(".py")))
def test_a_row_says_what_the_module_says(name):
    if not name.endswith("__init__.py"):  # a package's first line heads its table
        assert ROWS[name] == said(FILES[name])


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_table_is_headed_by_what_the_package_says(room):
    package = ROOT / room / "__init__.py"
    if room != "sibt/" and package.is_file():
        assert ROOMS[room] == said(package)


def test_every_file_named_in_where_to_change_what_is_there():
    _, _, table = TEXT.partition("## Where to change what")
    for row in re.findall(r"^\| .* \| (.*) \|$", table, re.MULTILINE)[1:]:
        names = re.findall(r"`([\w/.]+(?:/|\.(?:py|toml|md|css|js|ipynb)))`", row)
        folders = {ROOT, *((ROOT / name).parent for name in names if name.startswith("sibt/")),
                   *(ROOT / name for name in names if name.endswith("/")),
                   *(ROOT / name.rpartition("/")[0] for name in names)}  # fmt: skip
        for name in names:
            assert any((folder / name).exists() for folder in folders), f"{name} of: {row}"


def test_the_layers_are_drawn_in_the_order_they_are_held_to():
    first, beside = re.search(r"^(products ─► .*)\n(.*)$", TEXT, re.MULTILINE).groups()
    config = (ROOT / "pyproject.toml").read_text("utf-8")
    layers = re.findall(r'^    "(sibt\..*)",$', config.partition("layers = [")[2], re.MULTILINE)
    held = [re.findall(r"sibt\.(\w+)", layer) for layer in reversed(layers)][1:]  # errors apart
    assert first.split(" ─► ") == [names[0] for names in held]
    assert beside.split() == [name for names in held for name in names[1:]]
