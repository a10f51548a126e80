"""Walk-forward: choose in a window, apply in the next, again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sibt.errors import SettingError, did_you_mean

__all__ = ["Windows", "windows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """Training and test windows over the sessions of a sweep.

    Attributes
    ----------
    train, test, purge : int
        Sessions to choose in, to apply the choice in, and to leave out between them.
    anchored : bool
        Training windows all begin at the first session and grow.
    sessions : int
        Sessions of the sweep.
    """

    train: int
    test: int
    purge: int
    anchored: bool
    sessions: int

    @property
    def spans(self) -> list[tuple[int, int, int, int]]:
        """Begin and end of each training and test window; the end is the session after it."""
        found = []
        begin = 0
        while begin + self.train + self.purge + self.test <= self.sessions:
            end = begin + self.train
            first = end + self.purge
            found.append((0 if self.anchored else begin, end, first, first + self.test))
            begin += self.test
        return found

    def best(self, daily: FloatArray, sets: NDArray[np.int64]) -> dict[str, FloatArray]:
        """Return the best set of each training window by its Sharpe ratio, and that ratio.

        A window sees its own returns only. They are those of sets booked over the whole
        history, so a position may be carried into it. Of equals the lowest number is taken.

        Parameters
        ----------
        daily : ndarray of shape (T, N)
            Daily returns.
        sets : int64 ndarray of shape (N,)
            Numbers of the sets.

        Returns
        -------
        dict
            ``walk_ratio`` and ``walk_set``, shape (windows,); NaN and -1 where no set traded.
        """
        spans = self.spans
        ratio, chosen = np.full(len(spans), np.nan), np.full(len(spans), -1.0)
        for at, (begin, end, _, _) in enumerate(spans):
            # One set a row: a sum then does not depend on the sets beside it.
            part = np.ascontiguousarray(daily[begin:end].T)
            deviation = part.std(axis=1, ddof=1)
            able = np.flatnonzero(deviation > 1e-12)
            if len(able):
                value = part.mean(axis=1)[able] / deviation[able]
                where = int(np.argmax(value))  # the first, so the lowest number, of equals
                ratio[at], chosen[at] = value[where], sets[able[where]]
        return {"walk_ratio": ratio, "walk_set": chosen}


def windows(words: str, sessions: int) -> Windows:
    """Return the windows somebody wrote, as ``train=120,test=20,purge=10,anchored``.

    Raises
    ------
    SettingError
        A word that is none of these, a number that is none, or windows the sessions do not hold.
    """
    given = {"train": 0, "test": 0, "purge": 0}
    anchored = False
    for word in filter(None, (part.strip() for part in words.split(","))):
        name, _, number = word.partition("=")
        if name == "anchored" and not number:
            anchored = True
        elif name not in given:
            raise SettingError(
                f"--walk-forward has '{word}'; write it as train=120,test=20,purge=10,anchored."
                f"{did_you_mean(name, [*given, 'anchored'])}"
            )
        elif not number.isdigit():
            raise SettingError(f"--walk-forward {name} is '{number}'; give whole sessions.")
        else:
            given[name] = int(number)
    if given["train"] < 20 or given["test"] < 2:
        raise SettingError(
            "--walk-forward needs at least 20 sessions to train on and two to test on, one to"
            " enter and one to leave in; write train=120,test=20."
        )
    found = Windows(given["train"], given["test"], given["purge"], anchored, sessions)
    if not found.spans:
        need = found.train + found.purge + found.test
        raise SettingError(
            f"--walk-forward needs {need} sessions for one window, and there are {sessions}; make"
            " the windows shorter."
        )
    return found
