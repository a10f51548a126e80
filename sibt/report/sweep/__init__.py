"""The read-out of a sweep: one page that opens from disk."""

from sibt.report.sweep.page import sweep_page

__all__ = ["sweep_page"]
