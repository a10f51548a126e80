"""A page as one file that can be sent by mail: plotly's script inside, links to others as text."""

from __future__ import annotations

import re
from pathlib import Path

from sibt.errors import DataError

__all__ = ["one_file"]

#: Plotly's script as `sibt.report.page` asks for it.
_SCRIPT = re.compile(r'<script src="([^"]*plotly[^"]*\.js)" defer></script>')

#: A link to another file, which does not go with this one.
_LINK = re.compile(r'<a\b[^>]*\shref="(?!#|https?:|mailto:|data:)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def one_file(path: Path) -> str:
    """Return a page that needs no other file.

    Parameters
    ----------
    path : Path
        The page, in its folder.

    Raises
    ------
    DataError
        The page or plotly's script cannot be read.
    """
    text = _read(path)
    script = _SCRIPT.search(text)
    # Without its links first: plotly's script is none of our writing.
    text = _LINK.sub(r"<span>\1</span>", text)
    if script is None:
        return text
    plotly = _read(path.parent / script[1])
    # A script inside does not wait for the page as one beside it does; at the end it need not.
    head, end, tail = text.replace(script[0], "").rpartition("</body>")
    return f"{head}<script>{plotly}</script>\n{end}{tail}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise DataError(f"{path} cannot be read: {why}; run it again.") from None
