"""The command line, run in this process."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from sibt.cli import main

__all__ = ["Said", "sibt"]


@dataclass
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def flat(self) -> str:
        """The output with every run of blanks as one, so that line breaks do not matter."""
        return " ".join(self.out.split())


def sibt(*words: object, folder: Path) -> Said:
    """Run the command line in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as left:
            code = left.code
    return Said(code, out.getvalue(), err.getvalue())
