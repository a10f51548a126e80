"""``sibt hedge size`` from outside: what it prints and writes, and how it ends."""

import io
import re
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout

import click
import pandas as pd
import pytest

from sibt.cli import _sibt, main

ASKED = ["--tonnes", "1000", "--contract", "si2410", "--ratio", "0.8"]
APRIL = [*ASKED, "--date", "2024-04-01"]
HEADER = "date,contract,open,high,low,close,settle,volume,open_interest\n"


def call(*words, at):
    out, err = io.StringIO(), io.StringIO()
    with chdir(at), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(["hedge", "size", *map(str, words)])
    return left.value.code, re.sub(r"[ \t]+", " ", out.getvalue()), err.getvalue()


@pytest.fixture
def prices(tmp_path):
    rows = [f"{day},si2410,{p},{p},{p},{p},{p},1000,2000\n"
            for day, p in (("2024-03-29", 12_400), ("2024-04-01", 12_530))]  # fmt: skip
    (tmp_path / "bars.csv").write_text(HEADER + "".join(rows), "utf-8")
    return tmp_path


def test_lots_margin_and_cash_are_told_from_a_price_alone(tmp_path):
    code, out, err = call(*APRIL, "--price", "12530", at=tmp_path)
    assert (code, err) == (0, "")
    assert out.startswith("sibt hedge size at 12,530 yuan/t as given\n")
    for said in (
        "sell 160 lots of si2410, 800 t against 1,000 t of goods; 200 t left unhedged",
        "0.8 × 1,000 t ÷ 5 t = 160, to the nearest lot, never more than the goods",
        "worth 10,024,000.00 yuan",
        "out in the session of 2024-10-21, the last trading day",
        "fee to open 1,002.40 yuan at the exchange's, 2,004.80 at a broker's 2×",
        "on the day 2024-04-01 7% 701,680.00 1,202,880.00",
        "after a holiday step 2024-09-27 10% 1,002,400.00 1,503,600.00",
        "15th session of the month before 2024-09-23 10% 1,002,400.00 1,503,600.00",
        "delivery month 2024-09-30 20% 2,004,800.00 2,506,000.00",
        "7%, exchange's 12%, broker's 20%, exchange's 25%, broker's",
        "+10% against 13,783 -1,002,400.00 1,774,248.00 2,325,568.00 3,207,680.00 3,759,000.00",
        "-15% for 10,650.5 +1,503,600.00 -907,172.00 -481,152.00 200,480.00 626,500.00",
        "below zero: what may be taken out",
        "13 of them and 4 lots over",
        "old delivery standard",
    ):
        assert said in out
    assert "SIMULATED" not in out
    assert list(tmp_path.iterdir()) == []


def test_the_price_is_read_from_the_data(prices):
    code, out, err = call(*APRIL, "--data", "bars.csv", at=prices)
    assert (code, err) == (0, "")
    assert out.startswith("sibt hedge size on bars.csv\n")
    assert "price 12,530 yuan/t, settlement of 2024-04-01, bars.csv" in out
    assert "worth 10,024,000.00 yuan" in out
    code, out, _ = call(*ASKED, "--data", "bars.csv", "--date", "2024-03-31", at=prices)
    assert "price 12,400 yuan/t, settlement of 2024-03-29" in out
    assert "2024-03-31 is no session" in out


def test_without_data_the_sample_says_simulated(tmp_path):
    code, out, err = call(*ASKED, "--csv", "size.csv", at=tmp_path)
    assert (code, err) == (0, "")
    assert "on the sample market: SIMULATED" in out
    assert re.search(r"price SIMULATED [\d,]+ yuan/t, settlement of 2024-10-18, sample", out)
    assert "si2410 is over in these data" in out
    assert (pd.read_csv(tmp_path / "size.csv")["data"] == "SIMULATED").all()


def test_the_csv_holds_what_is_printed(tmp_path):
    code, out, _ = call(*APRIL, "--price", "12530", "--csv", "size.csv", at=tmp_path)
    assert code == 0
    assert "CSV: size.csv" in out
    assert [path.name for path in tmp_path.iterdir()] == ["size.csv"]
    table = pd.read_csv(tmp_path / "size.csv")
    margin = table[(table["item"] == "margin") & (table["standard"] == "exchange")]
    assert margin["value"].tolist() == [701_680.0, 1_002_400.0, 1_002_400.0, 2_004_800.0]
    assert margin["since"].tolist() == ["2024-04-01", "2024-09-27", "2024-09-23", "2024-09-30"]
    first = (tmp_path / "size.csv").read_bytes()
    call(*APRIL, "--price", "12530", "--csv", "size.csv", at=tmp_path)
    assert (tmp_path / "size.csv").read_bytes() == first


def test_a_consumer_buys_and_a_person_leaves_before_the_month(tmp_path):
    _, out, _ = call(*APRIL, "--price", "12530", "--side", "buy", "--kind", "individual",
                     "--broker-margin", "0.06", at=tmp_path)  # fmt: skip
    assert "buy 160 lots" in out
    assert "-10% against 11,277 -1,002,400.00" in out
    assert "out in the session of 2024-09-30, the last session before the delivery month" in out
    assert "broker's +6 points" in out
    assert "on the day 2024-04-01 8% 801,920.00 1,403,360.00" in out
    # The dearest stage it lives to see.
    assert "11%, exchange's 17%, broker's" in out


def test_a_price_alone_is_of_today(tmp_path):
    code, _, err = call(*ASKED, "--price", "12530", at=tmp_path)
    assert code == 2
    assert "is out of si2410 on 2024-10-21" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--contract", "si2410"], "Missing option '--tonnes'"),
        (["--tonnes", "1000"], "Missing option '--contract'"),
        ([*APRIL, "--price", "0"], "`price` is 0"),
        ([*APRIL, "--price", "12530", "--ratio", "80"], "write 0.8 for 80 %"),
        ([*APRIL, "--price", "12530", "--tonnes", "2"], "less than one that the goods fill"),
        ([*APRIL, "--price", "12530", "--kind", "hedgr"], "Did you mean 'hedger'?"),
        ([*APRIL, "--price", "12530", "--side", "sel"], "Did you mean 'sell'?"),
        ([*APRIL, "--price", "12530", "--contract", "si24"], "is no contract code"),
        ([*ASKED, "--price", "12530", "--date", "soon"], "which is no day"),
        ([*APRIL, "--data", "nowhere"], "nowhere"),
        ([*APRIL, "--data", "bars.csv", "--contract", "si2411"], "Did you mean 'si2410'?"),
        ([*APRIL, "--price", "12530", "--csv", "no/size.csv"], "is no file in a folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(prices, words, said):
    code, _, err = call(*words, at=prices)
    assert code == 2
    assert said in re.sub(r"\s+", " ", err)
    assert "Traceback" not in err
    assert [path.name for path in prices.iterdir()] == ["bars.csv"]


def test_every_flag_says_what_it_does_and_help_fits_eighty_columns(tmp_path):
    group = _sibt.get_command(None, "hedge")
    for param in group.get_command(None, "size").params:
        assert (param.help or "").strip().endswith(".")
    code, out, _ = call("--help", at=tmp_path)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80


def test_every_example_is_understood():
    command = _sibt.get_command(None, "hedge").get_command(None, "size")
    lines = command.epilog.replace("\\\n", " ").splitlines()
    examples = [line.split() for line in lines if "sibt hedge size" in line]
    assert len(examples) == 3
    for words in examples:
        with click.Context(command):
            assert command.make_context("size", words[3:]).params["code"]


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom sibt.cli import main\n"
        "try:\n    main(['hedge', 'size', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('heavy:', *[m for m in ('numpy', 'pandas', 'numba') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          encoding="utf-8", check=True, timeout=60)  # fmt: skip
    assert said.stdout.splitlines()[-1].strip() == "heavy:"


def test_the_ledger_is_not_loaded_for_it(tmp_path):
    code = (
        "import sys\nfrom sibt.cli import main\n"
        f"try:\n    main({['hedge', 'size', *APRIL, '--price', '12530']})\n"
        "except SystemExit:\n    pass\n"
        "print('heavy:', *[m for m in ('numba', 'vectorbt', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          encoding="utf-8", check=True, timeout=60, cwd=tmp_path)  # fmt: skip
    assert said.stdout.splitlines()[-1].strip() == "heavy:"
