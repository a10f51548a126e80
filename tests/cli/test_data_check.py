"""``sibt data check``: a table by severity, a page on request, and the exit code."""

import io
import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sibt.cli import main
from sibt.sources import shipped


def sibt(*words: str, width: int | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    before = os.environ.pop("COLUMNS", None)
    if width is not None:
        os.environ["COLUMNS"] = str(width)
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main(["data", "check", *words])
    finally:
        os.environ.pop("COLUMNS", None)
        if before is not None:
            os.environ["COLUMNS"] = before
    return left.value.code, out.getvalue(), err.getvalue()


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """The sample's bars with a slipped point, a settlement off tick and a lost row."""
    lines = (shipped("sample") / "bars.csv").read_text("utf-8").splitlines()
    place = {line[:17]: number for number, line in enumerate(lines)}
    slip, off = place["2024-07-10,si2412"], place["2024-07-10,si2411"]
    cells = lines[slip].split(",")
    lines[slip] = ",".join([*cells[:2], *(f"{int(c) * 10}" for c in cells[2:7]), *cells[7:]])
    cells = lines[off].split(",")
    lines[off] = ",".join([*cells[:6], f"{int(cells[6]) + 1}", *cells[7:]])
    del lines[place["2024-07-11,si2411"]]
    file = tmp_path / "planted<b>.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def test_the_sample_is_the_default_says_simulated_and_ends_with_nought(tmp_path):
    with chdir(tmp_path):
        code, out, err = sibt()
    assert (code, err) == (0, "")
    assert out.startswith("SIMULATED sample: 29 contracts")
    assert "0 wrong, 0 doubtful" in out
    assert out.rstrip().endswith("these data run.")
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_ends_with_two_and_stands_first(planted):
    code, out, err = sibt("--data", str(planted))
    assert (code, err) == (2, "")
    assert out.index("wrong (2)") < out.index("doubtful (1)") < out.index("evidence (")
    assert "spike" in out
    assert "off tick" in out
    assert "gap" in out
    assert "SIMULATED" not in out
    assert out.rstrip().endswith("a run refuses these data.")


def test_what_is_doubtful_ends_with_nought(planted):
    lines = planted.read_text("utf-8").splitlines()
    rest = [line for line in lines if not line.startswith("2024-07-10,")]
    planted.write_text("\n".join(rest) + "\n", "utf-8")
    code, out, _ = sibt("--data", str(planted))
    assert code == 0
    assert "doubtful (" in out
    assert "0 wrong" in out


@pytest.mark.parametrize("width", [80, 60])
def test_the_table_fits_a_narrow_terminal(planted, width):
    _, out, _ = sibt("--data", str(planted), width=width)
    table = [line for line in out.splitlines() if not line.startswith(str(planted))]
    assert max(len(line) for line in table if not line.endswith("data.")) <= width
    assert "si2412" in out
    assert "2024-07-10" in out


def test_a_pipe_gets_lines_of_a_page_without_colours(planted):
    _, out, _ = sibt("--data", str(planted))
    assert "\x1b" not in out
    assert 80 < max(len(line) for line in out.splitlines() if str(planted) not in line) <= 100


def test_many_findings_of_a_check_are_told_in_a_row_unless_all_are_asked_for(tmp_path):
    lines = (shipped("sample") / "bars.csv").read_text("utf-8").splitlines()
    days = ("2024-07-10,si2412", "2024-07-10,si2411", "2024-07-10,si2410", "2024-07-10,si2409",
            "2024-07-10,si2501", "2024-07-10,si2502", "2024-07-10,si2503", "2024-07-10,si2504")
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(x for x in lines if not x.startswith(days)) + "\n", "utf-8")
    _, short, _ = sibt("--data", str(file))
    assert "4 more" in short
    _, whole, _ = sibt("--data", str(file), "--all")
    assert "more" not in whole.split("evidence")[0]
    assert whole.count("no bar in one session") == 8


class _Page(HTMLParser):
    """Counts tags and keeps the text a reader sees, which that of scripts and styles is not."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        self.hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text += data


def test_the_page_holds_every_finding_and_no_address_outside(planted, tmp_path):
    page = tmp_path / "check.html"
    code, out, _ = sibt("--data", str(planted), "--html", str(page))
    assert code == 2
    assert f"Page: {page}" in out
    seen = _Page()
    seen.feed(page.read_text("utf-8"))
    assert "spike" in seen.text
    assert "→ correct the row" in seen.text  # the cure is set, not its escaped tags
    assert "planted<b>.csv" in seen.text  # a name is text, whatever stands in it
    assert "<br>" not in seen.text
    assert not [address for address in seen.addresses if "//" in address]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["check.html", planted.name]


def test_the_page_of_the_sample_says_simulated(tmp_path):
    page = tmp_path / "check.html"
    assert sibt("--data", "sample", "--html", str(page))[0] == 0
    assert "SIMULATED" in page.read_text("utf-8")


def test_the_page_is_the_same_the_second_time(planted, tmp_path):
    page = tmp_path / "check.html"
    sibt("--data", str(planted), "--html", str(page))
    first = page.read_bytes()
    sibt("--data", str(planted), "--html", str(page))
    assert page.read_bytes() == first


@pytest.mark.parametrize(("words", "said"), [
    (("--data", "nowhere"), "there is no such file or folder"),
    (("--html", "."), "--html . is no file"),
    (("--html", "nowhere/check.html"), "is no file in a folder that is there"),
    (("--settle-from", "settle"), "is none of close"),
])
def test_what_cannot_be_done_is_one_sentence_and_two(tmp_path, words, said):
    with chdir(tmp_path):
        code, _, err = sibt(*words)
    assert code == 2
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_the_recorded_prices_run_where_closes_stand_in(shared_market):
    prices = str(shared_market / "si_contracts_d1.csv")
    code, out, _ = sibt("--data", prices)
    assert code == 0
    assert "0 wrong" in out
    assert out.rstrip().endswith(
        "a run on these 48 contracts is refused without --settle-from close.")
    code, out, _ = sibt("--data", prices, "--settle-from", "close")
    assert code == 0
    assert out.rstrip().endswith("these data run.")


def test_data_without_settlements_are_not_said_to_run(planted):
    lines = (shipped("sample") / "bars.csv").read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("2024-07-10,si2412"))
    cells = lines[at].split(",")
    lines[at] = ",".join([*cells[:6], "", *cells[7:]])
    planted.write_text("\n".join(lines) + "\n", "utf-8")
    code, out, _ = sibt("--data", str(planted))
    assert code == 0
    assert "evidence: a run on si2412 is refused without --settle-from close." in out
    assert "these data run" not in out
    assert sibt("--data", str(planted), "--settle-from", "close")[1].rstrip().endswith(
        "these data run.")


@pytest.mark.parametrize("width", [None, 80, 60])
def test_lines_of_a_pipe_end_where_their_words_end(planted, width):
    _, out, _ = sibt("--data", str(planted), width=width)
    lines = out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    table = [line for line in lines if not line.startswith(str(planted))]
    assert max(len(line) for line in table) <= (width or 100)


def test_a_name_of_a_check_is_broken_between_its_words_only(shared_market):
    prices = str(shared_market / "si_contracts_d1.csv")
    _, out, _ = sibt("--data", prices, width=80)
    heads = {line[:12].split("  ")[0].strip() for line in out.splitlines() if line[:1].isalpha()}
    assert {"settle", "outside", "early end", "close only", "settlement", "late start"} <= heads
