"""Errors a person can act on.

Every message is one sentence that says what is wrong, where, and how to mend it.
`SibtError` is what the user can mend (exit code 2); `LedgerError` is a fault of ours (exit
code 1).
"""

import difflib
from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "DataError",
    "LedgerError",
    "RowsError",
    "SettingError",
    "SibtError",
    "StrategyError",
    "TermsError",
    "did_you_mean",
]


class SibtError(Exception):
    """Something the user can mend; the command line ends with exit code 2."""


class DataError(SibtError):
    """A file or table of market data that cannot be used as it is."""


class RowsError(DataError):
    """Rows of a table that cannot be right; the message names the first.

    Parameters
    ----------
    message : str
        The sentence.
    table, column : str
        The table ("bars", "spot") and the header of the column to blame.
    rows : sequence of int
        Positions of all such rows.
    what, place : callable
        What is wrong in a row, and where it stands, given its position.
    cure : str
        What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        table: str,
        column: str,
        rows: Sequence[int],
        what: Callable[[int], str],
        place: Callable[[int], str],
        cure: str,
    ) -> None:
        super().__init__(message)
        self.table = table
        self.column = column
        self.rows = tuple(rows)
        self.what = what
        self.place = place
        self.cure = cure


class TermsError(SibtError):
    """Contract terms that are unknown, misspelt or out of range."""


class StrategyError(SibtError):
    """A strategy file that cannot be loaded or asks for something impossible."""


class SettingError(SibtError):
    """A setting of the account, the execution or the command line that makes no sense."""


class LedgerError(Exception):
    """Two books that disagree, or a rule the ledger broke: a fault of ours (exit code 1)."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known word, or an empty string.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What would have been understood.
    """
    original = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), original, n=1, cutoff=0.6)
    return f" Did you mean '{original[near[0]]}'?" if near else ""
