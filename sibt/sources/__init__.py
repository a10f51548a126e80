"""Where bars come from; every source yields tidy tables and a checked market."""

from pathlib import Path

from sibt.market.panel import Market
from sibt.sources import files
from sibt.sources.shipped import shipped
from sibt.sources.store import DEFAULT, Store

__all__ = ["load_market", "shipped"]


def load_market(source: str | Path | None = None, settle_from: str | None = None) -> Market:
    """Load a market by name or path.

    Parameters
    ----------
    source : str or Path, optional
        "sample" for the simulated market that comes with sibt, else a folder or a file of
        bars, see `sibt.sources.files.read`, or the folder of a store, see
        `sibt.sources.store.Store.market`. By default the store in ``data/store`` where it has
        bars, else the sample. A folder that happens to be called "sample" is reached as
        ``./sample``.
    settle_from : {"close"}, optional
        Let the close stand in where a bar has no settlement.

    Raises
    ------
    DataError
        No such file, or a row in it that cannot be right.
    SettingError
        `settle_from` is neither None nor "close".
    """
    path = found(source)
    if path is None:
        return files.read(shipped("sample"), settle_from, source="sample")
    return files.read(path, settle_from)


def found(source: str | Path | None = None) -> Path | None:
    """Return the file or folder `load_market` reads; None for the sample."""
    if source == "sample":
        return None
    if source is None:
        return Store(DEFAULT).market()
    return Store(source).market() or Path(source)
