"""English and Chinese: sentences stand in English in the code, and in Chinese in ``zh.toml``.

A language is called with the English text: ``t("net result")`` is 净盈亏 in Chinese. `BOTH` gives
both at once, marked so that a page can hold them and let its reader switch.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

__all__ = [
    "BOTH",
    "EN",
    "NAMES",
    "PAIR",
    "ZH",
    "Language",
    "Sentence",
    "language",
    "pick",
    "said",
    "written",
]

#: Languages there are.
NAMES = ("en", "zh")

#: What stands around the English and the Chinese half of a text in both; no text holds these.
_OPEN, _BETWEEN, _CLOSE = "\ue000", "\ue001", "\ue002"
#: A text in both; its groups are the languages.
PAIR = re.compile(
    f"{_OPEN}(?P<en>[^{_OPEN}-{_CLOSE}]*){_BETWEEN}(?P<zh>[^{_OPEN}-{_CLOSE}]*){_CLOSE}"
)


class Sentence(str):
    """An English sentence that knows how it was made, so that it can be said in Chinese.

    Attributes
    ----------
    pattern : str
        The sentence with the names of its values in braces.
    values : mapping
        The values.
    """

    pattern: str
    values: Mapping[str, Any]


def said(pattern: str, **values: Any) -> Sentence:
    """Return a sentence: `pattern`, formatted with `values` where there are any."""
    sentence = Sentence(pattern.format(**values) if values else pattern)
    sentence.pattern, sentence.values = pattern, values
    return sentence


def written(english: str, chinese: str) -> Sentence:
    """Return a text that brings its own Chinese, as one in a file that people write."""
    sentence = Sentence(english)
    both = f"{_OPEN}{english}{_BETWEEN}{chinese}{_CLOSE}"
    sentence.pattern, sentence.values = "{text}", {"text": both}
    return sentence


class Language:
    """A language to say things in; call it with the English text.

    Parameters
    ----------
    name : {"en", "zh", "both"}
        Its name.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, text: str, **values: Any) -> str:
        """Return `text` in this language, formatted with `values` where there are any.

        Parameters
        ----------
        text : str
            English. A text that is not in the catalogue stays as it is; a `Sentence` is
            translated by its pattern.
        **values
            What stands in the text's braces; texts in both languages may be among them.
        """
        if isinstance(text, Sentence) and not values:
            values, text = dict(text.values), text.pattern
        if self.name == "en":
            return _filled(text, values, EN)
        chinese = _filled(_chinese(text), values, ZH)
        if self.name == "zh":
            return chinese
        english = _filled(text, values, EN)
        return english if english == chinese else f"{_OPEN}{english}{_BETWEEN}{chinese}{_CLOSE}"

    def __repr__(self) -> str:
        return f"Language({self.name!r})"


EN, ZH, BOTH = Language("en"), Language("zh"), Language("both")


def language(name: str | None = None) -> Language:
    """Return the language of this name; without one, that of the user's locale.

    The locale is read from ``LC_ALL``, ``LC_MESSAGES`` and ``LANG``: Chinese where the first of
    them that is set begins with ``zh``, English otherwise.
    """
    if name is None:
        set_ = [os.environ.get(key) for key in ("LC_ALL", "LC_MESSAGES", "LANG")]
        name = "zh" if next(filter(None, set_), "").lower().startswith("zh") else "en"
    return {"en": EN, "zh": ZH, "both": BOTH}[name]


def pick(text: str, name: str) -> str:
    """Return one language of a text in both.

    Parameters
    ----------
    text : str
        Text with halves in both languages anywhere in it.
    name : {"en", "zh"}
        Which half to keep.
    """
    return PAIR.sub(lambda pair: pair[name], text)


def _filled(text: str, values: Mapping[str, Any], one: Language) -> str:
    if not values:
        return text
    own = {
        name: one(value) if isinstance(value, Sentence)
        else pick(value, one.name) if isinstance(value, str) else value
        for name, value in values.items()
    }  # fmt: skip
    return text.format(**own)


def _chinese(text: str) -> str:
    return _catalogue().get(text, text)


@cache
def _catalogue() -> dict[str, str]:
    """Return Chinese by English; tables of the file only put it in order."""
    content = (resources.files("sibt.language") / "zh.toml").read_text("utf-8")
    found: dict[str, str] = {}
    for part in tomllib.loads(content).values():
        found.update(part)
    return found
