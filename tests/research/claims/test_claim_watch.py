import pandas as pd
from claim_files import market, scored

from sibt.language import ZH

STOCK = '[[series]]\nname = "stock"\nunit = "10000 t"\nwhat = "social stock"\n'


def test_what_is_watched_shows_then_and_now_and_is_never_right(tmp_path):
    receipts = pd.DataFrame({"date": ["2024-03-28", "2024-03-29", "2024-05-20"],
                             "lots": [50000, 50100, 48000]})  # fmt: skip
    one = market({"si2409": [12000.0] * 60}, receipts=receipts)
    row = scored(tmp_path, one, {"test": "watch", "of": ["receipts", "series stock"]},
                 more=STOCK)[0]  # fmt: skip
    assert row.verdict == "watched"
    figures = {str(name): one.value for name, one in row.figures.items()}
    assert figures == {
        "receipts: last value": 48000.0,
        "receipts: on the report's day": 50100.0,
        "receipts: change": -2100.0,
        "receipts: last known on": pd.Timestamp("2024-05-20"),
    }
    assert [each.what for each in row.missing] == ["series stock"]
    assert "stock,DATE,PUBLISHED_ON,VALUE,10000 t" in row.missing[0].how
    assert (row.path.iloc[-1], row.unit) == (48000.0, "lots")


def test_without_any_of_its_data_there_is_nothing_to_watch(tmp_path):
    one = market({"si2409": [12000.0] * 60})
    row = scored(tmp_path, one, {"test": "watch", "of": ["receipts", "spot 553"]})[0]
    assert row.verdict == "untestable"
    assert [each.what for each in row.missing] == ["receipts", "spot 553"]


def test_a_sentence_without_a_measure_says_why(tmp_path):
    one = market({"si2409": [12000.0] * 60})
    row = scored(tmp_path, one, {"test": "vague", "why": "no horizon", "why_zh": "没有期限"},
                 claim={"needs": ["series stock"]}, more=STOCK)[0]  # fmt: skip
    assert (row.verdict, row.why, ZH(row.why)) == ("undecidable", "no horizon", "没有期限")
    assert [each.what for each in row.missing] == ["series stock"], "what it needs is told too"
