import pandas as pd
import pytest
from claim_files import report, text

from sibt.errors import DataError, SettingError
from sibt.language import EN, ZH
from sibt.research.claims.report import opened, publication, publications, read
from sibt.research.claims.window import Window

RANGE = {"test": "range", "low": 11500, "high": 12500, "horizons": [20, 60]}


def refused(tmp_path, content):
    path = tmp_path / "report.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_a_report_is_read_as_it_is_written(tmp_path):
    one = report(
        tmp_path,
        {**RANGE, "name": "first", "name_zh": "读法一"},
        {"name": "second", "test": "reach", "level": 11430.0, "side": "below",
         "until": "2024-06-28", "on": "si2410"},
        head={"date_from": "inferred", "date_how": "the low printed", "date_how_zh": "按最低价",
              "rating": "range"},
        claim={"line": 84, "repeats": [666], "leaves_open": ["horizon"],
               "leaves_open_zh": ["期限"], "inconsistency": ["X1"], "needs": ["series stock"],
               "horizon": "second quarter"},
        more='[[series]]\nname = "stock"\nunit = "10000 t"\nwhat = "social stock"\n'
             '[[level]]\nname = "floor"\nvalue = 11700\nclaim = "L1"\n'
             '[[chart]]\nid = "F1"\nline = 101\ntitle = "图 1"\nneeds = ["series stock"]\n'
             '[[inconsistency]]\nid = "X1"\nplace = "p. 1, p. 9"\nprinted = "a vs b"\n'
             'finding = "two floors"\nreadings = ["a", "b"]\nclaims = ["L1"]\n',
    )  # fmt: skip
    assert (one.id, one.date, one.standard) == ("desk_2024", pd.Timestamp("2024-03-29"), "2022")
    assert (EN(one.date_how), ZH(one.date_how)) == ("the low printed", "按最低价")
    claim = one.claims[0]
    assert (claim.line, claim.repeats, claim.inconsistency) == (84, (666,), ("X1",))
    assert ZH(claim.leaves_open[0]) == "期限"
    assert (EN(claim.says), ZH(claim.says)) == ("as said", "原话"), "the quote is its Chinese"
    first, second = claim.readings
    assert (EN(first.name), ZH(first.name)) == ("first", "读法一")
    assert first.settings["windows"] == (Window(sessions=20), Window(sessions=60))
    assert (first.settings["on"], first.settings["price"]) == ("dominant", "close")
    assert second.settings["windows"] == (Window(until=pd.Timestamp("2024-06-28")),)
    assert one.levels[0].unit == "yuan/t"
    assert one.inconsistencies[0].readings == ("a", "b")
    assert one.path.endswith("report.toml")
    assert one.text.startswith("[report]")


HEADS = [
    ({"id": None}, "[report]: 'id' is missing; add it."),
    ({"id": "two words"}, "id: 'two words' is no short name"),
    ({"date": "29/03/2024"}, "date: '29/03/2024' is no day; write it as 2024-06-15."),
    ({"date": "2024-02-30"}, "date: '2024-02-30' is no day"),
    ({"date_from": "guessed"}, "date_from: 'guessed' is unknown; write one of printed, inferred"),
    ({"date_from": "inferred"}, "'date_how' is missing"),
    ({"product": "sii"}, "product: No terms are known for product 'sii'"),
    ({"standard": None}, "'standard' is missing; si has 2022, 2024"),
    ({"standard": "2023"}, "'2023' is no delivery standard of si"),
    ({"rating": "rnage"}, "Did you mean 'range'?"),
    ({"publsher": "x"}, "'publsher' is not known; it may hold"),
]


@pytest.mark.parametrize(("head", "expected"), HEADS)
def test_a_bad_head_is_refused_with_its_cure(tmp_path, head, expected):
    assert expected in refused(tmp_path, text(RANGE, head=head))


CLAIMS = [
    ({"quote": None}, "claim L1: 'quote' is missing; add it."),
    ({"id": "L 1"}, "'L 1' is no short name"),
    ({"line": 0}, "line: '0' is no line"),
    ({"repeats": 5}, "repeats: 5 is no list"),
    ({"leaves_open": ["a"], "leaves_open_zh": ["甲", "乙"]}, "leaves_open_zh has 2 texts"),
    ({"inconsistency": ["X9"]}, "claim L1: there is no inconsistency 'X9' in the file"),
    ({"needs": ["series stock"]}, "there is no [[series]] named 'stock' in the file"),
    ({"needs": ["recepits"]}, "Did you mean 'receipts'?"),
    ({"quotes": "x"}, "claim L1: 'quotes' is not known; it may hold"),
]


@pytest.mark.parametrize(("claim", "expected"), CLAIMS)
def test_a_bad_claim_is_refused_by_its_name(tmp_path, claim, expected):
    assert expected in refused(tmp_path, text(RANGE, claim=claim))


def reading(**changes):
    return {k: v for k, v in {**RANGE, **changes}.items() if v is not None}


TREND = {"test": "trend", "of": "receipts", "sign": "up", "start": "2024-01-02",
         "end": "2024-03-01"}  # fmt: skip
IDENTITY = {"test": "identity", "of": "dominant low", "on": "2024-03-29", "value": 11930}
RATING = {"test": "rating", "word": "up", "mode": "endpoint", "months": [1, 3]}
CURVE = {"test": "curve", "near": ["si2406"], "far": "si2410", "sign": "contango",
         "start": "2024-05-06", "end": "2024-06-28"}  # fmt: skip
READINGS = [
    (reading(test="rnage"), "there is no test 'rnage'", "Did you mean 'range'?"),
    (reading(horizon=[20]), "test 'range' has no setting 'horizon'", "Did you mean 'horizons'?"),
    (reading(horizons=None), "write either horizons (sessions) or until (a day)", ""),
    (reading(until="2024-06-28"), "write either horizons", ""),
    (reading(horizons=None, until="2024-03-29"), "is not after the report's day", ""),
    (reading(horizons=[0]), "'0' is no number of sessions", ""),
    (reading(horizons=[20, 20]), "names something twice", ""),
    (reading(horizons=20), "20 is no list", ""),
    (reading(low=None, high=None), "needs low, high or both", ""),
    (reading(low=12500), "low 12500 is not below high 12500", ""),
    (reading(low="11500"), "'11500' is no number", ""),
    (reading(low=True), "'True' is no number", ""),
    (reading(low=-5), "-5 is not above zero", ""),
    (reading(on="domnant"), "'domnant' is unknown", "Did you mean 'dominant'?"),
    (reading(on="si2412"), "of delivery standard '2024'", "two goods"),
    (reading(on="lc2407"), "no contract of 'si'", ""),
    (reading(on="adjusted", price="low"), "cannot be rolled without jumps", ""),
    (reading(price="average"), "'average' is unknown", ""),
    ({"test": "breaks", "horizons": [20]}, "test 'breaks' needs 'level'", ""),
    ({**RATING, "word": "range", "months": [3, 1]}, "is no pair of months", ""),
    ({**RATING, "mode": "path"}, "the word is 'up'", ""),
    ({**CURVE, "near": ["si2411"]}, "does not come before far si2410", ""),
    ({**CURVE, "end": "2024-05-01"}, "is not after start", ""),
    ({**IDENTITY, "of": "dominant lows"}, "names no field of a bar", "Did you mean 'low'?"),
    ({**IDENTITY, "of": "A - B - C"}, "has 3 terms", ""),
    ({**IDENTITY, "of": "si2413 low"}, "no contract code", ""),
    ({**IDENTITY, "of": "adjusted low"}, "write 'adjusted close'", ""),
    ({**IDENTITY, "start": "2024-01-02", "end": "2024-02-01"}, "either on (a day) or", ""),
    ({**IDENTITY, "take": "sum"}, "take is for start and end", ""),
    ({**IDENTITY, "low": 5}, "either value (with tolerance), or low", ""),
    ({**IDENTITY, "tolerance": -1}, "-1 is below zero", ""),
    ({**TREND, "end": "2023-12-29"}, "is not after start 2024-01-02", ""),
    ({**TREND, "sign": "sideways"}, "'sideways' is unknown", ""),
    ({"test": "trends", "parts": [{"of": "receipts"}], "end": "2024-06-28"}, "needs 'sign'", ""),
    ({"test": "trends", "parts": [{"off": 1}], "end": "2024-06-28"}, "no 'off'", "'of'"),
    ({"test": "strategy", "strategy": "x", "params": "year=2024"}, "is no table", ""),
    ({"test": "vague"}, "test 'vague' needs 'why'", ""),
    ({"test": "watch", "of": []}, "is no list", ""),
]


@pytest.mark.parametrize(("given", "expected", "also"), READINGS)
def test_a_bad_test_is_refused_with_its_claim_and_cure(tmp_path, given, expected, also):
    message = refused(tmp_path, text(given))
    assert "claim L1, reading 1" in message
    assert expected in message
    assert also in message


def test_two_readings_need_names_of_their_own(tmp_path):
    assert "rename one" in refused(
        tmp_path, text({**RANGE, "name": "same"}, {**RANGE, "name": "same"})
    )
    bare = text(RANGE, RANGE).replace('name = "reading 1"\n', "")
    assert "'name' is missing" in refused(tmp_path, bare)


def test_a_name_stands_once(tmp_path):
    content = text(RANGE)
    twice = content + content[content.index("[[claim]]") :]
    assert "claim 'L1' stands there twice" in refused(tmp_path, twice)


def test_a_report_without_claims_or_head_is_refused(tmp_path):
    content = text(RANGE)
    assert "holds no [[claim]]" in refused(tmp_path, content[: content.index("[[claim]]")])
    assert "[report] is missing" in refused(tmp_path, content[content.index("[[claim]]") :])
    assert "'clam' is not known" in refused(tmp_path, content.replace("[[claim]]", "[[clam]]", 1)
                                            .replace("[[claim.reading]]", "[[clam.reading]]"))
    assert "write [[series]], twice the brackets" in refused(
        tmp_path, content + '\n[series]\nname = "x"\n'
    )
    assert "claim number 1 is no table" in refused(
        tmp_path, 'claim = ["a"]\n' + content[: content.index("[[claim]]")]
    )


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match="There is no report"):
        read(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes("月报".encode("gbk"))
    with pytest.raises(DataError, match="not written in UTF-8"):
        read(tmp_path / "gbk.toml")
    (tmp_path / "bad.toml").write_text("[report", "utf-8")
    with pytest.raises(DataError, match="is no TOML"):
        read(tmp_path / "bad.toml")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)


def test_a_marked_file_is_read_too(tmp_path):
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text(RANGE).encode())
    assert read(path).id == "desk_2024"


def test_the_shipped_reports_are_read_in_the_order_of_their_days():
    names = publications()
    assert names == ("guolian_2024q1", "orient_20240514")
    for name in names:
        assert publication(name).id == name
        assert opened(name) is publication(name)


def test_a_report_is_opened_by_name_or_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(text(RANGE), "utf-8")
    assert opened(path).id == opened(str(path)).id == "desk_2024"
    with pytest.raises(SettingError, match="Did you mean 'guolian_2024q1'"):
        opened("guolian_2024")
