"""A sweep of given goods is one of them to the fen, and keeps them."""

import json

import pytest

from sibt.cli import main
from sibt.errors import DataError, SettingError
from sibt.hedging.exposure import schedule
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.sweep.best import best_runs
from sibt.sweep.cluster import _Parcel
from sibt.sweep.goods import recorded, written
from sibt.sweep.sweep import Sweep, plan, sweep

GOODS = """
grade = "553"
known_from = 2024-04-01

[[output]]
month = "2024-05"
tonnes = 800

[[purchase]]
day = "2024-06-03"
tonnes = 150.5
price = 12999.95

[[sale]]
month = "2024-07"
tonnes = 150.5
"""
PARAMS = {"program": "stack", "ratio": "0.5,1"}


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


@pytest.fixture(autouse=True)
def _few_checked(monkeypatch):
    monkeypatch.setattr("sibt.sweep.finish.CHECKED", 1)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(GOODS, "utf-8")
    return path


def test_a_set_is_the_run_of_the_same_goods_and_parameters(market, file, tmp_path):
    made = sweep("producer_hedge", market, PARAMS, goods=file, out=tmp_path / "results")
    file.unlink()  # the sweep keeps what it was given
    found = list(best_runs(Sweep(made.folder), 2))
    assert len(found) == 2
    file.write_text(GOODS, "utf-8")
    for row, (_, kept) in zip(made.top(2).to_dict("records"), found, strict=True):
        own = run("producer_hedge", market, {"program": "stack", "ratio": row["ratio"]},
                  goods=file)  # fmt: skip
        assert own.goods == kept.goods
        for name in ("net", "fees", "peak_margin"):
            assert round(row[name], 2) == own.result.metrics[name] == kept.result.metrics[name]
        for name in ("hedged", "effective_price"):
            assert row[name] == pytest.approx(own.hedge.metrics[name], abs=1e-6)
            assert own.hedge.metrics[name] == kept.hedge.metrics[name]
    plain = run("producer_hedge", market, {"program": "stack", "ratio": row["ratio"]})
    assert plain.result.metrics["net"] != own.result.metrics["net"]
    # The comparisons of the best set are of these goods too.
    beside = {each["name"]: each["hedged"] for each in made.evidence["few"]["comparisons"]}
    assert beside["never hedged"] == pytest.approx(own.hedge.metrics["physical"])


def test_a_sweep_goes_on_with_the_goods_it_began_with_alone(market, file, tmp_path):
    def stop(made, total):
        raise KeyboardInterrupt

    out = tmp_path / "results"
    with pytest.raises(KeyboardInterrupt):
        sweep("producer_hedge", market, PARAMS, goods=file, out=out, progress=stop)
    [begun] = out.glob("*-sweep")
    other = tmp_path / "other" / file.name
    other.parent.mkdir()
    other.write_text(GOODS.replace("800", "801"), "utf-8")
    for given in (other, None):
        with pytest.raises(DataError, match=r"sweep: the goods changed since it began; begin a"):
            sweep("producer_hedge", market, PARAMS, goods=given, out=out, resume=begun.name)
    file.write_text("# the same goods\n" + GOODS, "utf-8")
    assert sweep("producer_hedge", market, PARAMS, goods=file, out=out, resume=begun.name)


def test_what_is_recorded_is_the_schedule_again(file):
    given = schedule(file)
    assert recorded(json.loads(json.dumps(written(given), allow_nan=False))) == given
    assert recorded(None) is None


def test_goods_travel_to_a_cluster(market, file):
    laid = plan("producer_hedge", market, PARAMS, goods=file)
    assert laid.task.goods == schedule(file)
    assert _Parcel.of(laid.maker).maker().task.goods == laid.task.goods


@pytest.mark.parametrize("metric", [None, "hedged"])
def test_goods_a_strategy_does_not_hedge_are_refused(metric, market, file):
    with pytest.raises(SettingError, match=r"plan\.toml are given, and CalendarReverse does not"):
        plan("calendar_reverse", market, {"z": "1,2"}, goods=file, metric=metric)


def test_delivered_goods_of_a_file_are_swept_on_the_command_line(file, monkeypatch, capsys):
    monkeypatch.chdir(file.parent)
    words = ("sweep producer_hedge -p program=always -p ratio=0.5,0.8,1 --goods plan.toml"
             " --kind company --at-expiry deliver --jobs 1")  # fmt: skip
    with pytest.raises(SystemExit) as left:
        main(words.split())
    assert left.value.code == 0, capsys.readouterr().err
    page = (file.parent / "results/latest/sweep.html").read_text("utf-8")
    assert "goods = plan.toml, sha256 " in page
    assert "best 3 by net result" in capsys.readouterr().out  # goods and futures: not known
