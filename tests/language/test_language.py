import copy
import pickle

import pytest

from sibt.language import BOTH, EN, ZH, language, pick, said

FLAT = "{net:+,.2f} yuan, {each:+,.1f} yuan/t of the largest position"


def test_a_language_says_a_text():
    assert EN("net result") == "net result"
    assert ZH("net result") == "净盈亏"


def test_both_languages_stand_in_one_text_until_one_is_picked():
    text = f"{BOTH('net result')} (si2411): {BOTH('unknown')}"
    assert pick(text, "en") == "net result (si2411): unknown"
    assert pick(text, "zh") == "净盈亏 (si2411): 未知"
    assert pick("no text in both", "zh") == "no text in both"


@pytest.mark.parametrize("name", ["en", "zh", "both"])
def test_a_text_that_is_in_no_catalogue_stays_as_it_is(name):
    assert language(name)("si2411 {x} 100%") == "si2411 {x} 100%"
    assert language(name)("si{n}", n=2411) == "si2411"


def test_values_are_written_alike_in_every_language():
    values = {"net": -1234.5, "each": 2}
    assert EN(FLAT, **values) == "-1,234.50 yuan, +2.0 yuan/t of the largest position"
    assert ZH(FLAT, **values) == "-1,234.50 元，按最大持仓 +2.0 元/吨"
    assert pick(BOTH(FLAT, **values), "en") == EN(FLAT, **values)
    assert pick(BOTH(FLAT, **values), "zh") == ZH(FLAT, **values)


def test_a_text_in_both_can_stand_in_another():
    text = BOTH("{title}: a chart that needs JavaScript.", title=f"si {BOTH('net result')}")
    assert pick(text, "en") == "si net result: a chart that needs JavaScript."
    assert pick(text, "zh") == "si 净盈亏：图表需要启用 JavaScript。"
    assert not set(pick(text, "zh")) & set("\ue000\ue001\ue002")


def test_a_sentence_is_english_and_can_be_said_in_chinese():
    sentence = said(FLAT, net=1.0, each=2.0)
    assert sentence == EN(FLAT, net=1.0, each=2.0)
    assert EN(sentence) == sentence
    assert ZH(sentence) == ZH(FLAT, net=1.0, each=2.0)
    assert pick(BOTH(sentence), "zh") == ZH(sentence)


def test_a_sentence_in_a_sentence_is_said_too():
    outer = said("{title}: a chart that needs JavaScript.", title=said("net result"))
    assert outer == "net result: a chart that needs JavaScript."
    assert ZH(outer) == "净盈亏：图表需要启用 JavaScript。"
    assert ZH("{title}: a chart that needs JavaScript.", title=said("net result")) == ZH(outer)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_sentence_survives_being_copied_and_sent(copied):
    assert ZH(copied(said(FLAT, net=1.0, each=2.0))) == ZH(FLAT, net=1.0, each=2.0)


def test_braces_of_a_sentence_without_values_are_text():
    assert said("a {b} c") == EN(said("a {b} c")) == ZH(said("a {b} c")) == "a {b} c"


@pytest.mark.parametrize(("locale", "expected"), [
    ({}, EN), ({"LANG": "C.UTF-8"}, EN), ({"LANG": "zh_CN.UTF-8"}, ZH), ({"LANG": "ZH_TW"}, ZH),
    ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, EN),
    ({"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, ZH),
])
def test_the_language_is_the_locales_unless_named(monkeypatch, locale, expected):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    assert language() is expected
    assert language("en") is EN
    assert language("zh") is ZH
    assert language("both") is BOTH
