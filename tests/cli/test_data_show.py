"""``sibt data show`` writes a folder of pages, or one sentence and nothing."""

import io
import re
from contextlib import chdir, redirect_stderr, redirect_stdout

import pandas as pd
import pytest

from sibt.cli import main
from sibt.sources.store import Store

HEADER = "date,contract,open,high,low,close,settle,volume,open_interest\n"
BARS = HEADER + "".join(
    f"{day},{code},{price},{price + 100},{price - 100},{price},{price},1000,2000\n"
    for day in ("2024-05-14", "2024-05-15", "2024-05-16")
    for code, price in (("si2410", 12_000), ("si2411", 12_100), ("si2412", 14_400))
)


def call(*words, at) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with chdir(at), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(["data", "show", *map(str, words)])
    return left.value.code, out.getvalue(), err.getvalue()


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "bars.csv").write_text(BARS, "utf-8")
    (folder / "series.csv").write_text(
        "name,date,published_on,value,unit\noutput,2024-04-30,2024-05-15,41.2,kt\n", "utf-8")
    return tmp_path


def test_pages_are_written_and_named(place):
    code, out, err = call("--data", "prices", at=place)
    assert (code, err) == (0, "")
    assert "results/market/index.html" in out.replace("\\", "/")
    assert "spreads         si2410-si2411" in out
    assert "term structure  2024-05-16" in out
    assert "series          output" in out
    assert "SIMULATED" not in out
    folder = place / "results" / "market"
    assert len(list(folder.iterdir())) == 9
    words = (folder / "spreads.html").read_text("utf-8")
    assert '"y":[-100,-100,-100]' in words


def test_without_data_the_sample_says_simulated(tmp_path):
    code, out, _ = call("--out", "pages", at=tmp_path)
    assert code == 0
    assert "SIMULATED" in out
    for page in (tmp_path / "pages").glob("*.html"):
        assert "SIMULATED 模拟数据" in page.read_text("utf-8")


def test_a_product_of_the_store_is_found_without_naming_its_folder(tmp_path):
    day = pd.Timestamp("2024-05-15")
    for name, price in (("si", 12_000.0), ("lc", 110_000.0)):
        Store(tmp_path / "data" / "store").upsert(name, "bars", pd.DataFrame(
            {"date": day, "contract": [f"{name}2410", f"{name}2411"], "close": price,
             "settle": price, "volume": 100.0, "open_interest": 100.0, "source": "a"}))
    for words in (["--product", "lc"], ["--product", "lc", "--data", "data/store"]):
        code, out, err = call(*words, at=tmp_path)
        assert (code, err) == (0, "")
        assert "data/store/lc: 2 contracts" in out.replace("\\", "/")
    assert "data/store/si: 2 contracts" in call(at=tmp_path)[1].replace("\\", "/")
    assert "it holds si" in call("--product", "ps", at=tmp_path)[2]


def test_twice_gives_the_same_bytes(place):
    call("--data", "prices", "--out", "one", at=place)
    call("--data", "prices", "--out", "two", at=place)
    for page in (place / "one").iterdir():
        assert page.read_bytes() == (place / "two" / page.name).read_bytes()


def test_what_is_asked_for_is_drawn(place):
    code, out, _ = call("--data", "prices", "--spread", "si2411-si2412", "--cross-standard",
                        "--on", "2024-05-14", "--on", "2024-05-15", "--series", "output",
                        "--price", "close", at=place)
    assert code == 0
    assert "term structure  2024-05-15, 2024-05-14" in out
    assert '"y":[-2300,-2300,-2300]' in (
        place / "results" / "market" / "spreads.html").read_text("utf-8")


@pytest.mark.parametrize(("words", "said"), [
    (["--spread", "si2410-si2499"], "has no bars of contract 'si2499'"),
    (["--spread", "s2410-si2411"], "Did you mean 'si2410'?"),
    (["--spread", "si2411-si2410"], "the earlier contract comes first, as si2410-si2411"),
    (["--spread", "si2411-si2412"], "add --cross-standard"),
    (["--spread", "si2410"], "write near-far, as si2410-si2411"),
    (["--on", "2024-05-18"], "is outside the market"),
    (["--on", "today"], "is no day"),
    (["--series", "ouput"], "Did you mean 'output'?"),
    (["--price", "setle"], "Did you mean 'settle'?"),
    (["--product", "lc"], "it holds si."),
    (["--out", "prices/bars.csv"], "is a file; give a folder"),
    (["--out", "prices"], "holds other files (bars.csv)"),
    (["--data", "nowhere"], "nowhere"),
])
def test_what_cannot_be_done_is_one_sentence(place, words, said):
    given = words if "--data" in words else ["--data", "prices", *words]
    code, _, err = call(*given, at=place)
    assert code == 2
    assert said in re.sub(r"\s+", " ", err)
    assert "Traceback" not in err
    assert not (place / "results").exists()
    assert (place / "prices" / "bars.csv").read_text("utf-8") == BARS


def test_open_shows_the_first_page(place, monkeypatch):
    shown = []
    monkeypatch.setattr("click.launch", shown.append)
    code, _, _ = call("--data", "prices", "--open", at=place)
    assert code == 0
    assert shown == [(place / "results" / "market" / "index.html").resolve().as_uri()]
