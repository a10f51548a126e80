"""Where bars come from; every source yields tidy tables and a checked market."""

from pathlib import Path

from sibt.market.panel import Market
from sibt.sources import files
from sibt.sources.shipped import shipped

__all__ = ["load_market", "shipped"]


def load_market(source: str | Path = "sample", settle_from: str | None = None) -> Market:
    """Load a market by name or path.

    Parameters
    ----------
    source : str or Path
        "sample" for the simulated market that comes with sibt, else a folder or a file of
        bars; see `sibt.sources.files.read`. A folder that happens to be called "sample" is
        reached as ``./sample``.
    settle_from : {"close"}, optional
        Let the close stand in where a bar has no settlement.

    Raises
    ------
    DataError
        No such file, or a row in it that cannot be right.
    SettingError
        `settle_from` is neither None nor "close".
    """
    if source == "sample":
        return files.read(shipped("sample"), settle_from, source="sample")
    return files.read(source, settle_from)
