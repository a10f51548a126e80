"""The READMEs keep step, what they show in Python runs, and no link of any text leads nowhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*.ipynb")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
ENGLISH, CHINESE = (
    (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md")
)  # fmt: skip


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(text):
    said = text.read_text("utf-8")
    for link in LINK.findall(said):
        if link.startswith("https://"):
            continue
        name, _, anchor = unquote(link).partition("#")
        other = text.parent / name if name else text
        assert other.exists(), link
        if anchor:
            assert anchor in anchors(other.read_text("utf-8")), link


def test_the_readmes_have_the_same_parts():
    def shape(text: str) -> list[str]:
        """Headings by level, blocks by kind, tables by their rows."""
        return [
            line.split(" ")[0] if line.startswith("#") else line if line.startswith("```") else "|"
            for line in re.sub(r"(^```\w+\n).*?(^```)", r"\1\2", text,
                               flags=re.MULTILINE | re.DOTALL).splitlines()
            if re.match(r"#+ |```|\|", line)
        ]  # fmt: skip

    assert shape(ENGLISH) == shape(CHINESE)


def test_the_readmes_show_the_same_python_which_runs(tmp_path, monkeypatch, capsys):
    assert blocks(ENGLISH, "python") == blocks(CHINESE, "python")
    monkeypatch.chdir(tmp_path)
    for code in blocks(ENGLISH, "python"):
        exec(compile(code, "README.md", "exec"), {})
    assert "si2311/si2312" in capsys.readouterr().out


def test_the_readmes_name_the_same_commands():
    """Comments and the language asked for apart."""

    def typed(text: str) -> list[str]:
        lines = "\n".join(blocks(text, "sh") + blocks(text, "text")).splitlines()
        return [
            re.sub(r"\s+#.*$", "", line).removesuffix(" --lang zh").rstrip()
            for line in lines
            if re.match(r"(\$ )?(sibt|pip|make|dask) ", line)
        ]

    assert typed(ENGLISH) == typed(CHINESE)
