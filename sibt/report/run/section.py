"""Sections of a run's page, and the words in them: escaped, with true minus signs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce

from markupsafe import escape

from sibt.language import Language

__all__ = ["MOST", "minus", "paragraph", "points", "section"]

#: Rows of a long table a page shows; the CSV file beside it has them all.
MOST = 300

#: A hyphen that is the sign of a number: nothing stands before it that it could belong to.
_SIGN = re.compile(r"(?<![\w.\-−])-(?=\d)")


def minus(text: str) -> str:
    """Return `text` with true minus signs, which are as wide as a plus."""
    return _SIGN.sub("−", text)


def paragraph(t: Language, *sentences: str, of: str = "") -> str:
    """Return sentences as one HTML paragraph, escaped; `of` is its class."""
    if not sentences:
        return ""
    # Chinese sentences follow each other without a space.
    words = reduce(lambda one, other: t("{one} {other}", one=one, other=other), sentences)
    kind = f' class="{of}"' if of else ""
    return f"<p{kind}>{escape(minus(words))}</p>\n"


def points(sentences: Iterable[str]) -> str:
    """Return sentences as an HTML list, escaped."""
    rows = "".join(f"<li>{escape(minus(sentence))}</li>\n" for sentence in sentences)
    return f'<ul class="plain">\n{rows}</ul>\n' if rows else ""


def section(name: str, heading: str, *parts: str) -> str:
    """Return an HTML section of this id under its heading (text); empty without parts."""
    body = "".join(parts)
    if not body:
        return ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-head">\n'
        f'<h2 id="{name}-head">{escape(heading)}</h2>\n{body}</section>\n'
    )
