"""HTML in both languages: its marked texts become elements and attributes that can be switched."""

from __future__ import annotations

import re

from sibt.language import PAIR, pick

__all__ = ["in_both"]

#: A text in both, what is not text at all, an element that holds text only, any other tag.
_PART = re.compile(
    rf"(?P<pair>{PAIR.pattern})"
    r"|<!--.*?-->|<(?P<raw>script|style)\b.*?</(?P=raw)\s*>"
    r"|(?P<bare><(?P<name>title|option|textarea)\b[^>]*)>(?P<text>[^<]*)(?=</(?P=name)\s*>)"
    r"|(?P<tag><[a-zA-Z](?:[^>\"']++|\"[^\"]*\"|'[^']*')*+>)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"\s([^\s=\"'>]+)=(?:\"([^\"]*)\"|'([^']*)')")


def in_both(html: str, lang: str) -> str:
    """Return HTML whose reader can switch the language.

    A text in both becomes a ``<span class="en">`` and a ``<span class="zh">``, of which the
    page's style shows one. An attribute gets the half of `lang`, and beside it both in
    ``data-say-<name>``, from where the page's script takes the other; so does the text of an
    element that can hold no spans, in ``data-say-text``. Scripts stay as they are: what they
    hold is for the page's script to read. Texts in an ``<svg>`` cannot be switched.

    Parameters
    ----------
    html : str
        HTML with texts in both languages, escaped, anywhere in it.
    lang : {"en", "zh"}
        Language the page opens in.
    """

    def said(part: re.Match[str]) -> str:
        if part["pair"]:
            return f'<span class="en">{part["en"]}</span><span class="zh">{part["zh"]}</span>'
        if part["tag"]:
            return _tag(part["tag"], lang)
        if part["bare"]:
            text = part["text"]
            also = f' data-say-text="{text}"' if PAIR.search(text) else ""
            return f"{_tag(part['bare'], lang)}{also}>{pick(text, lang)}"
        return part[0]

    return _PART.sub(said, html)


def _tag(tag: str, lang: str) -> str:
    if not PAIR.search(tag):
        return tag

    def said(part: re.Match[str]) -> str:
        name, value = part[1], part[2] if part[2] is not None else part[3]
        if not PAIR.search(value):
            return part[0]
        mark = '"' if part[2] is not None else "'"
        return f" {name}={mark}{pick(value, lang)}{mark} data-say-{name}={mark}{value}{mark}"

    return _ATTRIBUTE.sub(said, tag)
