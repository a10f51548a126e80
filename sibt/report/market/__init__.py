"""The market's pages: coverage, term structure, spreads, basis, stocks, the user's series."""

from sibt.report.market.asked import Asked, asked
from sibt.report.market.folder import pages, write

__all__ = ["Asked", "asked", "pages", "write"]
