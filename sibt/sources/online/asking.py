"""What a network source is: a list of questions, each with its own way to be answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pandas as pd

if TYPE_CHECKING:
    from sibt.sources.store import Store

__all__ = ["Ask", "Denied", "Source", "Temporary", "Wrong"]


class Temporary(Exception):  # noqa: N818
    """No answer, or a broken one; asking again may help."""


class Wrong(Exception):  # noqa: N818
    """An answer that cannot be right; it is reported and never stored."""


class Denied(Wrong):
    """What this user may not read: told and passed over, and no failure of the pull."""


@dataclass(frozen=True)
class Ask:
    """One question to a source.

    Attributes
    ----------
    kind : str
        The kind of the store its answer belongs to; see `sibt.sources.store`.
    what : str
        "2024-05-15" or "si2411": what is asked for, as progress and messages call it.
    days : tuple of pd.Timestamp
        Sessions the answer should hold; empty where it is no matter of days.
    fetch : callable
        Asks, and returns a table in the kind's columns; an empty one says that the source has
        nothing there. Raises `Temporary` or `Wrong`.
    keep : {"new", "old"}
        What wins in the store where both are known; "old" only fills what is unknown.
    site : str
        Which of a source's sites answers; what cannot be reached is given up with its site.
    """

    kind: str
    what: str
    days: tuple[pd.Timestamp, ...]
    fetch: Callable[[], pd.DataFrame]
    keep: str = "new"
    site: str = ""


class Source(Protocol):
    """A place on the network that answers questions about a product.

    Attributes
    ----------
    name : str
        As in ``--source``.
    kinds : tuple of str
        Kinds of the store it can give, in the order they are asked for.
    """

    name: str
    kinds: tuple[str, ...]

    def asks(
        self, product: str, kind: str, days: pd.DatetimeIndex, store: Store
    ) -> Iterable[Ask]:
        """Return the questions that bring the wanted sessions of a kind.

        Parameters
        ----------
        product : str
            Product code.
        kind : str
            One of `kinds`.
        days : pd.DatetimeIndex
            Sessions the store lacks.
        store : Store
            What is known so far.
        """
        ...
