"""The page of one run: what it came to, and everything that led there."""

from sibt.report.run.page import run_html, run_page

__all__ = ["run_html", "run_page"]
