import html
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from sibt.language import BOTH, pick
from sibt.report.in_both import in_both

NET = BOTH("net result")
SPANS = '<span class="en">net result</span><span class="zh">净盈亏</span>'


def test_a_text_in_both_becomes_two_elements():
    assert in_both(f"<p>{NET}: 1</p>", "en") == f"<p>{SPANS}: 1</p>"
    assert in_both(NET + NET, "zh") == SPANS + SPANS


@pytest.mark.parametrize(("lang", "half"), [("en", "net result"), ("zh", "净盈亏")])
def test_an_attribute_takes_one_half_and_keeps_both(lang, half):
    assert in_both(f'<a class="x" title="my {NET}" href="b.html">y</a>', lang) == (
        f'<a class="x" title="my {half}" data-say-title="my {NET}" href="b.html">y</a>')
    assert in_both(f"<a title='a > {NET}'>y</a>", lang) == (
        f"<a title='a > {half}' data-say-title='a > {NET}'>y</a>")


@pytest.mark.parametrize("name", ["title", "option", "textarea"])
def test_an_element_that_holds_text_only_gets_no_elements(name):
    assert in_both(f"<{name}>a {NET}</{name}>", "zh") == (
        f'<{name} data-say-text="a {NET}">a 净盈亏</{name}>')
    assert in_both(f'<{name} value="{NET}">b</{name}>', "en") == (
        f'<{name} value="net result" data-say-value="{NET}">b</{name}>')


def test_scripts_styles_and_comments_stay_as_they_are():
    for text in (f'<script type="application/json">{{"a": "<b>{NET}"}}</script>',
                 f"<style>p::before {{ content: '{NET}' }}</style>", f"<!-- <p title='{NET}'> -->"):
        assert in_both(text, "zh") == text


def test_markup_in_a_half_stays_in_it():
    text = NET.replace("net result", "<b>net</b> result")
    assert in_both(f"<p>{text}</p>", "en") == (
        '<p><span class="en"><b>net</b> result</span><span class="zh">净盈亏</span></p>')


def test_html_without_texts_in_both_stays_as_it_is():
    text = "<!DOCTYPE html>\n<title>a &lt; b</title><p title='x'>1 < 2 > 0 \"quoted\"<br></p>"
    assert in_both(text, "zh") == text


def test_escaped_texts_cannot_break_out():
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, dict(attributes)))

    evil = BOTH("{title}: a chart that needs JavaScript.", title="\"'><script>alert(1)</script>")
    reader = Reader()
    reader.feed(in_both(f'<p title="{escape(evil)}">{escape(evil)}</p>', "zh"))
    assert [tag for tag, _ in found] == ["p", "span", "span"]
    said = found[0][1]
    assert said["title"] == pick(evil, "zh")
    assert said["data-say-title"] == evil
    assert html.unescape(said["title"]).startswith("\"'><script>")
