from sibt.language import BOTH, EN, ZH, pick, said, written


def test_a_text_that_brings_its_chinese_is_said_in_either():
    text = written("a {brace} of 5 %", "五个百分点的{括号}")
    assert text == "a {brace} of 5 %" == EN(text)
    assert ZH(text) == "五个百分点的{括号}"
    assert [pick(BOTH(text), name) for name in ("en", "zh")] == [EN(text), ZH(text)]


def test_it_can_stand_in_a_sentence():
    sentence = said("{whose}: {figure}", whose=written("stock", "库存"), figure=said("change"))
    assert (sentence, ZH(sentence)) == ("stock: change", "库存：变动")


def test_a_text_without_its_chinese_is_the_same_in_both():
    assert BOTH(written("end point", "end point")) == "end point"
