"""The store keeps what it is told, once, whole, and in order."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock, Timeout
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt import load_market
from sibt.errors import DataError
from sibt.market.calendar import sessions
from sibt.sources import found
from sibt.sources.store import Store, of_exchange

DAYS = pd.to_datetime(["2024-05-14", "2024-05-15", "2024-05-16"])


def bars(**columns):
    plain = {
        "date": DAYS,
        "contract": "si2409",
        "open": 12000.0,
        "high": 12100.0,
        "low": 11950.0,
        "close": 12050.0,
        "settle": 12040.0,
        "volume": 1000.0,
        "open_interest": 5000.0,
        "source": "a",
    }
    return pd.DataFrame({**plain, **columns})


def test_the_same_table_twice_changes_nothing(tmp_path):
    store = Store(tmp_path)
    first = store.upsert("si", "bars", bars())
    written = store.path("si", "bars").read_bytes()
    again = store.upsert("si", "bars", bars(source="b"))
    assert (first.added, first.changed, first.same) == (3, 0, 0)
    assert (again.added, again.changed, again.same) == (0, 0, 3)
    assert store.path("si", "bars").read_bytes() == written


def test_order_and_parts_do_not_matter(tmp_path):
    whole, parts = Store(tmp_path / "whole"), Store(tmp_path / "parts")
    whole.upsert("si", "bars", bars())
    for row in (2, 0, 1):
        parts.upsert("si", "bars", bars().iloc[[row]])
    assert whole.path("si", "bars").read_bytes() == parts.path("si", "bars").read_bytes()


def test_what_is_unknown_never_erases_what_is_known(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars())
    change = store.upsert("si", "bars", bars(settle=np.nan, volume=np.nan))
    assert change.same == 3
    pd.testing.assert_frame_equal(store.read("si", "bars"), bars(), check_dtype=False)


def test_a_new_value_replaces_and_is_told(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars())
    change = store.upsert("si", "bars", bars(close=[12050.0, 12060.0, 12050.0], source="b"))
    assert (change.added, change.changed, change.same) == (0, 1, 2)
    [told] = change.changes.to_dict("records")
    assert told == {
        "date": DAYS[1], "contract": "si2409", "column": "close", "before": 12050.0,
        "after": 12060.0,
    }
    assert store.read("si", "bars")["source"].tolist() == ["a", "b", "a"]


def test_keeping_the_old_only_fills_in(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars(settle=[12040.0, np.nan, 12040.0]))
    change = store.upsert("si", "bars", bars(settle=11111.0, close=11111.0, source="b"), keep="old")
    assert (change.added, change.changed, change.same) == (0, 1, 2)
    kept = store.read("si", "bars")
    assert kept["settle"].tolist() == [12040.0, 11111.0, 12040.0]
    assert (kept["close"] == 12050.0).all()
    assert kept["source"].tolist() == ["a", "a + b", "a"]


def test_a_preview_writes_nothing(tmp_path):
    store = Store(tmp_path)
    assert store.preview("si", "bars", bars()).added == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (bars(date=[DAYS[0], DAYS[0], DAYS[1]]), "two rows of 2024-05-14, si2409; keep one"),
        (bars(contract=["si2409", "", "si2409"]), "has no contract; fill it in"),
        (bars().rename(columns={"settle": "setle"}), "Did you mean 'settle'"),
    ],
)
def test_a_table_that_cannot_be_is_refused_and_nothing_written(tmp_path, frame, words):
    with pytest.raises(DataError, match=words):
        Store(tmp_path).upsert("si", "bars", frame)
    assert not (tmp_path / "si").exists()


def test_unknown_products_and_kinds_are_refused(tmp_path):
    with pytest.raises(DataError, match="'sj' is none of them"):
        Store(tmp_path).path("sj", "bars")
    with pytest.raises(DataError, match="Did you mean 'receipts'"):
        Store(tmp_path).path("si", "receipt")
    assert Store(tmp_path).path("si", "bars_5m").name == "bars_5m.parquet"


def test_a_broken_file_is_named_with_its_cure(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars())
    store.path("si", "bars").write_bytes(b"half")
    with pytest.raises(DataError, match=r"bars\.parquet.* pull or import its data again"):
        store.read("si", "bars")


def test_a_store_is_a_market_and_the_default_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert found() is None
    assert load_market().provenance.simulated
    Store().upsert("si", "bars", bars())
    Store().upsert("si", "spot", pd.DataFrame({"date": DAYS, "grade": "553", "price": 13000.0}))
    Store().upsert("si", "receipts", pd.DataFrame({"date": DAYS, "lots": 50000.0}))
    market = load_market()
    assert found() == Path("data/store/si")
    assert market.contracts == ("si2409",)
    assert not market.provenance.simulated
    assert market.spot["553"].tolist() == [13000.0] * 3
    assert "bars by source: a (3)" in market.provenance.notes
    assert load_market("data/store").digest == market.digest == load_market("data/store/si").digest


def test_the_digest_follows_the_content(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars())
    before = load_market(tmp_path).digest
    store.upsert("si", "bars", bars(source="elsewhere"))
    assert load_market(tmp_path).digest == before
    terms = pd.DataFrame(
        {"contract": ["si2409"], "item": "speculator", "from": DAYS[:1], "value": 0.2}
    )
    store.upsert("si", "terms", terms)
    assert load_market(tmp_path).digest != before


def test_silicon_is_chosen_where_the_store_has_several_products(tmp_path):
    store = Store(tmp_path)
    later = pd.DatetimeIndex(["2025-05-14"])
    store.upsert("lc", "bars", bars().iloc[:1].assign(date=later, contract="lc2509"))
    assert store.market() == tmp_path / "lc"
    store.upsert("ps", "bars", bars().iloc[:1].assign(date=later, contract="ps2509"))
    with pytest.raises(DataError, match="holds lc and ps; name the folder"):
        store.market()
    store.upsert("si", "bars", bars())
    assert store.market() == tmp_path / "si"


def _write_rows(folder, contract, start, lock):
    days = sessions()
    days = days[days >= "2024-01-02"][:40]
    lock.wait()
    for day in days[start::2]:
        Store(folder).upsert("si", "bars", bars().iloc[:1].assign(date=day, contract=contract))


def test_two_writers_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [
        context.Process(target=_write_rows, args=(tmp_path, "si2412", n, barrier)) for n in (0, 1)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(Store(tmp_path).read("si", "bars")) == 40


def _write_forever(folder):
    store, number = Store(folder), 0
    while True:
        number += 1
        store.upsert("si", "bars", bars(close=12000.0 + number % 10))


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        worker = context.Process(target=_write_forever, args=(tmp_path,))
        worker.start()
        deadline = time.monotonic() + 30
        while not Store(tmp_path).path("si", "bars").is_file() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        closes = Store(tmp_path).read("si", "bars")["close"]
        assert len(closes) == 3
        assert closes.nunique() == 1
    Store(tmp_path).upsert("si", "bars", bars(close=13000.0))
    assert [file.name for file in (tmp_path / "si").iterdir()] == ["bars.parquet"]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["si2408", "si2409"]),
        st.one_of(st.none(), st.integers(1, 3)),
        st.one_of(st.none(), st.integers(1, 3)),
    ),
    max_size=8,
    unique_by=lambda row: row[:2],
)


def table(rows):
    return pd.DataFrame(
        {
            "date": [sessions()[2000 + row[0]] for row in rows],
            "contract": [row[1] for row in rows],
            "close": [np.nan if row[2] is None else float(row[2]) for row in rows],
            "settle": [np.nan if row[3] is None else float(row[3]) for row in rows],
        }
    ).astype({"date": "datetime64[ns]", "close": float, "settle": float})


@given(old=ROWS, new=ROWS, keep=st.sampled_from(["new", "old"]))
@settings(deadline=None, max_examples=60)
def test_any_two_tables_merge_cell_by_cell(tmp_path_factory, old, new, keep):
    store = Store(tmp_path_factory.mktemp("store"))
    expected: dict = {}
    for rows, first in ((old, "new"), (new, keep)):
        store.upsert("si", "bars", table(rows), keep=first)
        for day, contract, *cells in rows:
            kept = expected.setdefault((sessions()[2000 + day], contract), [None, None])
            for at, cell in enumerate(cells):
                if cell is not None and (first == "new" or kept[at] is None):
                    kept[at] = cell
    got = store.read("si", "bars")
    seen = {
        (row.date, row.contract): [
            None if np.isnan(cell) else int(cell) for cell in (row.close, row.settle)
        ]
        for row in got.itertuples()
    }
    assert seen == expected
    assert list(zip(got["date"], got["contract"], strict=True)) == sorted(expected)


@pytest.mark.parametrize(("sources", "official"), [
    ("akshare gfex", True),
    ("tushare fut_daily", True),
    ("tqsdk", True),
    ("akshare sina", False),
    ("import si.csv", False),
    ("import si.csv: akshare gfex", False),
    ("import si.csv + akshare sina", False),
    ("import si.csv + akshare gfex", True),
    ("tqsdk (no settlement) + import si.csv", False),
])
def test_only_the_exchanges_own_table_settles(sources, official):
    assert of_exchange(pd.Series([sources])).tolist() == [official]


def one(**cells) -> pd.DataFrame:
    return bars(**cells).iloc[:1]


def test_a_source_is_marked_where_the_settlement_is_not_its_own(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", one(settle=None, source="tqsdk"))
    part = one(source="import si.csv").drop(columns="volume")
    store.upsert("si", "bars", part)
    assert store.read("si", "bars")["source"][0] == "tqsdk (no settlement) + import si.csv"
    store.upsert("si", "bars", part.assign(settle=12060.0, source="tqsdk"))
    assert store.read("si", "bars")["source"][0] == "import si.csv + tqsdk"
    store.upsert("si", "bars", part.assign(settle=12070.0, source="import new.csv"))
    kept = store.read("si", "bars")
    assert kept["source"][0] == "import si.csv + tqsdk (no settlement) + import new.csv"
    assert not of_exchange(kept["source"])[0]


def test_the_exchange_confirms_a_settlement_without_changing_it(tmp_path):
    store = Store(tmp_path)
    store.upsert("si", "bars", bars(source="import si.csv"))
    change = store.upsert("si", "bars", bars(source="akshare gfex"))
    assert (change.added, change.changed, change.same) == (0, 0, 3)
    assert set(store.read("si", "bars")["source"]) == {"akshare gfex"}
    store.upsert("si", "bars", bars(source="import si.csv"))
    assert set(store.read("si", "bars")["source"]) == {"akshare gfex"}


def test_a_lock_held_over_several_writes_keeps_others_out(tmp_path):
    store = Store(tmp_path)
    other = FileLock(tmp_path / ".lock")
    with store.locked():
        store.upsert("si", "bars", bars())
        with pytest.raises(Timeout):
            other.acquire(timeout=0)
    with other.acquire(timeout=0):
        assert len(store.read("si", "bars")) == 3
