"""The folder of scored reports: the page, the scores for Excel, and the reports themselves."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sibt.report import folder
from sibt.report.claims.page import claims_html
from sibt.research.claims.score import Scored

__all__ = ["check_folder", "write"]

_PAGE, _TABLE = "index.html", "claims.csv"


def check_folder(out: Path) -> None:
    """Refuse a folder that scored reports may not replace, as `sibt.report.folder.check_folder`.

    Copies of reports may be replaced where the scores beside them name them; any other file is
    somebody's work.
    """
    folder.check_folder(out, _ours(out))


def write(all_scored: Sequence[Scored], out: Path, lang: str) -> Path:
    """Write scored reports into a folder, as `sibt.report.folder.write`, and return it.

    Parameters
    ----------
    all_scored : sequence of Scored
        The reports, scored on one market.
    out : Path
        The folder; replaced as a whole.
    lang : {"en", "zh"}
        Language the page opens in.
    """
    scores = pd.concat([scored.table() for scored in all_scored], ignore_index=True)
    files: dict[str, str | bytes] = {
        _PAGE: claims_html(all_scored, lang),
        # Excel needs the mark at the beginning to see that it is UTF-8.
        _TABLE: scores.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"),
        **{f"{scored.report.id}.toml": scored.report.text for scored in all_scored},
    }
    return folder.write(files, out, _ours(out))


def _ours(out: Path) -> set[str]:
    """Return the names of what was written here before."""
    found = {_PAGE, _TABLE}
    if (out / _TABLE).is_file():
        # Excel may have saved it in another encoding; ids are plain letters in all.
        with (out / _TABLE).open(encoding="utf-8-sig", errors="replace", newline="") as file:
            found |= {f"{row.get('report')}.toml" for row in csv.DictReader(file)}
    return found
