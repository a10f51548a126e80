"""Every sentence the code says has its Chinese, and the catalogue holds nothing else."""

import ast
import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import sibt

PACKAGE = Path(sibt.__file__).parent
ROOT = PACKAGE.parent
TABLES = tomllib.loads((PACKAGE / "language" / "zh.toml").read_text("utf-8"))
CHINESE = {english: chinese for table in TABLES.values() for english, chinese in table.items()}
SPEAKERS = {"t", "said", "BOTH", "EN", "ZH"}


def literals(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.IfExp):
        return literals(argument.body) + literals(argument.orelse)
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    return []


def sayings(text: str) -> Iterator[tuple[int, str, set[str] | None]]:
    """Yield line, sentence and the values given to it; None where they are not written out."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in SPEAKERS:
            given = {keyword.arg for keyword in node.keywords}
            for sentence in literals(node.args[0]):
                yield node.lineno, sentence, None if None in given else given


def said_anywhere() -> list[tuple[str, str, set[str] | None]]:
    found = [
        (f"{path.relative_to(ROOT)}:{line}", sentence, given)
        for folder in (PACKAGE, ROOT / "strategies")
        for path in sorted(folder.rglob("*.py"))
        for line, sentence, given in sayings(path.read_text("utf-8"))
    ]
    for path in sorted(PACKAGE.rglob("*.html")):
        for _, sentence in re.findall(r"\bt\(([\"'])(.*?)\1\)", path.read_text("utf-8")):
            found.append((str(path.relative_to(ROOT)), sentence, set()))
    return found


SAID = said_anywhere()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_scan_finds_what_is_said():
    found = sayings('self.t("a", x=1); said("b" "c", **v)\nBOTH("d" if e else f"g")\nrest("h")')
    assert sorted(found) == [(1, "a", {"x"}), (1, "bc", None), (2, "d", set())]
    assert "Skip to content" in {sentence for _, sentence, _ in SAID}


def test_every_sentence_has_its_chinese():
    missing = [f"{where}: {sentence!r}" for where, sentence, _ in SAID if sentence not in CHINESE]
    assert not missing, "\n".join(missing)


def test_every_sentence_is_given_the_values_it_names():
    wrong = [f"{where}: {sentence!r}" for where, sentence, given in SAID
             if given and not fields(sentence) <= given]
    assert not wrong, "\n".join(wrong)


def test_no_chinese_waits_for_a_sentence_nobody_says():
    said = {sentence for _, sentence, _ in SAID}
    unused = [f"[{name}] {english!r}" for name, table in TABLES.items()
              if not name.endswith("_words") for english in table if english not in said]
    assert not unused, "\n".join(unused)


def test_no_sentence_stands_twice():
    counts = Counter(english for table in TABLES.values() for english in table)
    assert [english for english, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", TABLES)
def test_the_chinese_names_the_same_values(name):
    table = TABLES[name]
    assert {english: fields(chinese) for english, chinese in table.items()} == {
        english: fields(english) for english in table}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_holds_sentences(name):
    for english, chinese in TABLES[name].items():
        assert english.strip()
        assert chinese.strip()
        assert not set(english + chinese) & set("\ue000\ue001\ue002")
