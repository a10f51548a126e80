"""``sibt hedge``: the report of a strategy's hedge, and the ratio, from outside."""

import json
import shutil

import pandas as pd
import pytest
from command import sibt

DELIVERED = ("producer_hedge", "--at-expiry", "deliver", "--delivery-term")

GOODS = """
grade = "553"

[[output]]
month = "2024-05"
tonnes = 1000

[[output]]
month = "2024-06"
tonnes = 1000
price = 13000
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder in which a hedge was reported, and what was said."""
    folder = tmp_path_factory.mktemp("asked")
    return folder, sibt("hedge", "producer_hedge", "--lang", "en", "--paths", 200, folder=folder)


def folder_of(where):
    [found] = where.glob("results/*-producer_hedge")
    return found


def read(folder, name):
    return pd.read_csv(folder / f"{name}.csv", encoding="utf-8-sig")


def test_a_strategy_is_run_and_its_hedge_reported(asked):
    _, said = asked
    assert (said.code, said.err) == (0, "")
    for words in (
        "sibt hedge producer_hedge on the sample market: SIMULATED",
        "The timing rule was 141.6 yuan/t better than the constant hedge",
        "but chance explains it",
        "this hedge 13,898.25",
        "never hedged 12,608.47 +1,289.79",
        "variance by 56.3%",
        "100.0% to date; 3 of 7 months within 80–125% (IAS 39 / 旧CAS24)",
        "11.81 yuan/t: fees 13,753.45, slippage 57,100.00, rolls 0.00 yuan",
        "yuan on 95% of 200 paths",
        "effective 13,898.25",
        "out of sample: ",
        "hedged item 被套期项目 6,000 t of grade 553",
        "futures alone +7,738,721.55 yuan",  # what sibt run says follows
    ):
        assert words in said.flat


def test_the_folder_is_that_of_a_run_and_more(asked, tmp_path):
    where, _ = asked
    run = sibt("run", "producer_hedge", "--lang", "en", folder=tmp_path)
    assert run.code == 0
    one, two = folder_of(where), folder_of(tmp_path)
    assert {path.name for path in one.iterdir()} - {path.name for path in two.iterdir()} == {
        "estimators.csv"}
    for name in ("fills", "statement", "hedge", "effective_prices", "basis", "dollar_offset"):
        assert (one / f"{name}.csv").read_bytes() == (two / f"{name}.csv").read_bytes()
    told = json.loads((one / "metrics.json").read_text("utf-8"))["desk"]
    assert told["effective_price"] == pytest.approx(read(one, "effective_prices")["price"][0])
    page = (one / "index.html").read_text("utf-8")
    for section in ("effectiveness", "cash", "basis", "risk-cut", "offset", "ratios",
                    "accounting"):
        assert f'<section id="{section}"' in page
    assert '<section id="ratios"' not in (two / "index.html").read_text("utf-8")


def test_options_may_stand_before_the_strategy(tmp_path):
    said = sibt("hedge", "-p", "program=stack", "--lang", "zh", "--paths", 50, "producer_hedge",
                folder=tmp_path)
    assert said.code == 0
    assert "集中减分月" in said.flat
    assert "移仓价差" in said.flat
    assert len(read(folder_of(tmp_path), "roll_table")) == 4


def test_a_hedge_a_margin_call_would_have_closed_says_so_first(tmp_path):
    words = ("producer_hedge", "--lang", "en", "--capital", 6_000_000)
    for command in ("run", "hedge"):
        said = sibt(command, *words, folder=tmp_path)
        assert said.code == 0
        assert said.flat.split(" 2024. ", 1)[1].startswith(
            "This hedge would have been closed by a margin call: the account lacked")
    page = sorted(tmp_path.glob("results/*/index.html"))[-1].read_text("utf-8")
    verdict = page.split('<p class="verdict">', 1)[1]
    assert verdict.split("This hedge would have been closed by a margin call", 1)[0].count("<") < 3


def test_goods_are_read_from_a_file(tmp_path):
    (tmp_path / "plan.toml").write_text(GOODS, "utf-8")
    said = sibt("hedge", "producer_hedge", "--goods", "plan.toml", "--paths", 50, "--lang", "en",
                folder=tmp_path)
    assert said.code == 0
    goods = read(folder_of(tmp_path), "goods")
    assert goods.loc[goods["what"] == "output", "tonnes"].sum() == pytest.approx(2000.0)
    record = json.loads((folder_of(tmp_path) / "manifest.json").read_text("utf-8"))
    assert record["settings"]["goods"].startswith("plan.toml, sha256 ")
    assert "Cash-flow hedge" in said.flat


def test_delivery_stands_beside_closing(tmp_path):
    said = sibt("hedge", "producer_hedge", "--kind", "company", "--at-expiry", "deliver",
                "--delivery-unit", 10, "--paths", 50, "--lang", "en", folder=tmp_path)
    assert said.code == 0
    assert "delivering against closing and trading spot, yuan" in said.flat
    [row] = read(folder_of(tmp_path), "deliveries").to_dict("records")
    assert row["lots"] % 10 == 0
    assert row["difference"] == pytest.approx(row["proceeds"] - row["closed"])


def test_terms_of_a_delivery_are_given_by_name(tmp_path):
    said = sibt("hedge", "producer_hedge", "--kind", "company", "--at-expiry", "deliver",
                "--paths", 50, "--lang", "en", "--delivery-term", "inspection=8",
                "--delivery-term", "storage_days=60", "--delivery-term", "region=-150",
                "--delivery-term", "delivery_price=11000", folder=tmp_path)  # fmt: skip
    assert said.code == 0
    folder = folder_of(tmp_path)
    [row] = read(folder, "deliveries").to_dict("records")
    assert (row["delivery_price"], row["region"]) == (11_000.0, -150.0)
    assert row["costs"] == pytest.approx(abs(row["tonnes"]) * (1 + 60 * 1 + 8))
    goods = read(folder, "goods").query("what == 'delivery'")
    assert goods["price"].tolist() == pytest.approx([row["per_tonne"]])
    record = json.loads((folder / "manifest.json").read_text("utf-8"))["settings"]["delivery"]
    assert record == {"delivery_price": 11_000.0, "region": -150.0, "delivery_fee": None,
                      "storage": None, "storage_days": 60.0, "inspection": 8.0, "loading": None,
                      "vat": None}  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), [
    (("siez",), "There is no command 'hedge siez'; commands are ratio, size. Did you mean 'size'?"),
    (("calendar_reverse",), "calendar_reverse has no goods to hedge; use sibt run"),
    (("producer_hedge", "--rate", "4.5"), "--rate is 4.5; give the cost of cash a year, as 0.045."),
    (("producer_hedge", "--paths", "0"), "0 is not in the range"),
    (("producer_hedge", "--goods", "no.toml"), "There is no schedule no.toml"),
    (("producer_hedge", "--at-expiry", "delivr"), "Did you mean 'deliver'?"),
    (("producer_hedge", "--delivery-term", "vat=0.1"), "add --at-expiry deliver"),
    ((*DELIVERED, "inspecton=8"), "inspection, loading, vat. Did you mean 'inspection'?"),
    ((*DELIVERED, "storage=-1"), "--delivery-term `storage` is -1.0; give zero or more."),
    ((*DELIVERED, "delivery_price=settel"), "is 'settel'; give a number, or settlement."),
    ((*DELIVERED, "vat"), "--delivery-term 'vat' is no NAME=VALUE"),
    (("ratio", "--contract", "si2410", "--dominant"), "are two ways to hedge; give one"),
    (("ratio", "--spot", "533"), "Did you mean '553'?"),
])  # fmt: skip
def test_a_slip_is_one_sentence_and_leaves_nothing(words, sentence, tmp_path):
    said = sibt("hedge", *words, folder=tmp_path)
    assert said.code == 2
    assert sentence in said.err
    assert not (tmp_path / "results").exists()


def test_the_ratio_is_told_now_and_out_of_sample(tmp_path):
    said = sibt("hedge", "ratio", "--contract", "si2410", "--lang", "en", folder=tmp_path)
    assert (said.code, said.err) == (0, "")
    rows = said.flat.split("SIMULATED tonnes of si2410 for a tonne of 553", 1)[1]
    # The two first ways come first.
    assert rows.index("one for one") < rows.index("minimum variance") < rows.index("error corr")
    assert "out of sample: 113 changes" in rows
    assert "over 20 quoted sessions minimum variance" in rows


def test_the_ratio_of_a_day_knows_nothing_later(tmp_path):
    said = sibt("hedge", "ratio", "--to", "2024-03-29", "--lang", "zh", folder=tmp_path)
    assert said.code == 0
    assert "主力合约（交割标准 2022）" in said.flat
    assert "2024-03-29" in said.flat
    assert "2024-04" not in said.flat


def test_help_lists_commands_and_leads_to_the_settings(tmp_path):
    group = sibt("hedge", "--help", folder=tmp_path)
    assert "STRATEGY | COMMAND" in group.out
    assert "size" in group.out
    report = sibt("hedge", "producer_hedge", "--help", folder=tmp_path)
    assert report.code == 0
    for option in ("--goods", "--at-expiry", "--delivery-unit", "--paths", "--all-estimators",
                   "--slippage"):
        assert option in report.out


def test_a_producer_is_hedged_on_recorded_closes(shared_market, tmp_path):
    """Spot is the front contract's close and a stated basis of 600 yuan/t, in steps of 50."""
    data = tmp_path / "real"
    data.mkdir()
    shutil.copy(shared_market / "si_contracts_d1.csv", data / "bars.csv")
    bars = pd.read_csv(data / "bars.csv")
    front = bars[bars["volume"].notna()].drop_duplicates("date")
    quotes = ((front["close"] + 600.0) / 50.0).round() * 50.0
    spot = pd.DataFrame({"date": front["date"], "grade": "553", "price": quotes})
    spot.to_csv(data / "spot.csv", index=False)
    said = sibt("hedge", "producer_hedge", "--data", "real", "--settle-from", "close", "--fill",
                "close", "--participation", "none", "--to", "2024-12-31", "--paths", 100,
                "--lang", "en", folder=tmp_path)
    assert said.code == 0, said.err
    assert "SIMULATED" not in said.out
    at = folder_of(tmp_path)
    prices = read(at, "effective_prices").set_index("name")
    basis = read(at, "basis").set_index("part")
    told = json.loads((at / "metrics.json").read_text("utf-8"))["desk"]
    # Spot fell with the futures: the hedge kept the price, but for the basis at the start.
    assert prices.loc["this hedge", "price"] > prices.loc["never hedged", "price"] + 1000
    assert prices.loc["this hedge", "variance_reduction"] > 0.95
    assert abs(basis.loc["rounding", "per_tonne"]) < 1
    assert told["cash_at_risk"]["needed_peak"] > told["cash_at_risk"]["first_margin"] > 0
